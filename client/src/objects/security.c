/* SPDX-License-Identifier: Apache-2.0
 *
 * LwM2M Security (/0), LwM2M Core 1.1 Appendix E.1.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "objects/objects.h"
#include "transport/transport.h"

#define M    BOOTJACK_MANDATORY
#define MANY BOOTJACK_MULTIPLE
#define KEY  BOOTJACK_SECRET

/* /3, /4 and /5 are mandatory by the table of the specification; servers leave them out where the mode has no use for
 * them, so that the check below judges them by mode. A hold-off or a time-out is no longer than a 32-bit number. */
static const bootjack_resource resources[] = {
    { 0, "LwM2M Server URI", BOOTJACK_TYPE_STRING, M, 1, BJC_URI_MAX, 10 },
    { 1, "Bootstrap-Server", BOOTJACK_TYPE_BOOLEAN, M, 0, 0, 10 },
    { 2, "Security Mode", BOOTJACK_TYPE_INTEGER, M, 0, 4, 10 },
    { 3, "Public Key or Identity", BOOTJACK_TYPE_OPAQUE, KEY, 0, 0, 10 },
    { 4, "Server Public Key", BOOTJACK_TYPE_OPAQUE, KEY, 0, 0, 10 },
    { 5, "Secret Key", BOOTJACK_TYPE_OPAQUE, KEY, 0, 0, 10 },
    { 6, "SMS Security Mode", BOOTJACK_TYPE_INTEGER, 0, 0, 255, 10 },
    { 7, "SMS Binding Key Parameters", BOOTJACK_TYPE_OPAQUE, KEY, 0, 6, 10 },
    { 8, "SMS Binding Secret Key(s)", BOOTJACK_TYPE_OPAQUE, KEY, 0, 48, 10 },
    { 9, "LwM2M Server SMS Number", BOOTJACK_TYPE_STRING, 0, 0, 0, 10 },
    { 10, "Short Server ID", BOOTJACK_TYPE_INTEGER, 0, 0, 0, 10 },
    { 11, "Client Hold Off Time", BOOTJACK_TYPE_INTEGER, 0, 0, UINT32_MAX, 10 },
    { 12, "Bootstrap-Server Account Timeout", BOOTJACK_TYPE_INTEGER, 0, 0, UINT32_MAX, 10 },
    { 13, "Matching Type", BOOTJACK_TYPE_UNSIGNED, 0, 0, 3, 11 },
    { 14, "SNI", BOOTJACK_TYPE_STRING, 0, 0, 0, 11 },
    { 15, "Certificate Usage", BOOTJACK_TYPE_UNSIGNED, 0, 0, 3, 11 },
    { 16, "DTLS/TLS Ciphersuite", BOOTJACK_TYPE_UNSIGNED, MANY, 0, 65535, 11 },
    { 17, "OSCORE Security Mode", BOOTJACK_TYPE_OBJLNK, 0, 0, 0, 11 },
    { 18, "Groups To Use by Client", BOOTJACK_TYPE_UNSIGNED, MANY, 0, 65535, 12 },
    { 19, "Signature Algorithms Supported by Server", BOOTJACK_TYPE_UNSIGNED, MANY, 0, 65535, 12 },
    { 20, "Signature Algorithms To Use by Client", BOOTJACK_TYPE_UNSIGNED, MANY, 0, 65535, 12 },
    { 21, "Signature Algorithm Certs Supported by Server", BOOTJACK_TYPE_UNSIGNED, MANY, 0, 65535, 12 },
    { 22, "TLS 1.3 Features To Use by Client", BOOTJACK_TYPE_UNSIGNED, 0, 0, 65535, 12 },
    { 23, "TLS Extensions Supported by Server", BOOTJACK_TYPE_UNSIGNED, 0, 0, 65535, 12 },
    { 24, "TLS Extensions To Use by Client", BOOTJACK_TYPE_UNSIGNED, 0, 0, 65535, 12 },
    { 25, "Secondary LwM2M Server URI", BOOTJACK_TYPE_STRING, MANY, 0, BJC_URI_MAX, 12 },
    { 26, "MQTT Server", BOOTJACK_TYPE_OBJLNK, 0, 0, 0, 12 },
    { 27, "LwM2M COSE Security", BOOTJACK_TYPE_OBJLNK, MANY, 0, 0, 12 },
    { 28, "RDS Destination Port", BOOTJACK_TYPE_INTEGER, 0, 0, 15, 12 },
    { 29, "RDS Source Port", BOOTJACK_TYPE_INTEGER, 0, 0, 15, 12 },
    { 30, "RDS Application ID", BOOTJACK_TYPE_STRING, 0, 0, 0, 12 },
};

#undef M
#undef MANY
#undef KEY

static const bootjack_object object = {
    .oid = 0,
    .resources = resources,
    .resource_count = sizeof resources / sizeof *resources,
    .handlers = &bjc_store_handlers,
};

static bool is_bootstrap(const bjc_store *store, uint16_t iid) {
    return bjc_store_boolean(store, iid, BJC_SECURITY_BOOTSTRAP, false);
}

int32_t bjc_security_bootstrap_account(const bjc_store *store) {
    for (const bjc_instance *instance = store->instances; instance; instance = instance->next) {
        if (is_bootstrap(store, instance->iid)) {
            return instance->iid;
        }
    }
    return -1;
}

bootjack_error bjc_security_check_single_account(const bjc_store *store) {
    unsigned accounts = 0;
    for (const bjc_instance *instance = store->instances; instance; instance = instance->next) {
        accounts += is_bootstrap(store, instance->iid);
    }
    return accounts <= 1 ? BOOTJACK_OK : BOOTJACK_ERR_EXISTS;
}

bootjack_error bjc_security_check_scheme(const bjc_store *store, uint16_t iid) {
    bjc_uri uri;
    const char *reason;
    if (!bjc_security_uri(store, iid, &uri, &reason)) {
        return BOOTJACK_ERR_FORMAT;
    }
    bool wants_keys = bjc_security_mode(store, iid) != BOOTJACK_SECURITY_NOSEC;
    return bjc_scheme_is_secure(uri.scheme) == wants_keys ? BOOTJACK_OK : BOOTJACK_ERR_INCONSISTENT;
}

int32_t bjc_security_of_server(const bjc_store *store, uint16_t ssid) {
    for (const bjc_instance *instance = store->instances; instance; instance = instance->next) {
        if (!is_bootstrap(store, instance->iid) &&
            bjc_store_integer(store, instance->iid, BJC_SECURITY_SSID, 0) == ssid) {
            return instance->iid;
        }
    }
    return -1;
}

char bjc_security_transport(const bjc_store *store, uint16_t iid) {
    bjc_uri uri;
    const char *reason;
    if (!bjc_security_uri(store, iid, &uri, &reason)) {
        return 0;
    }
    return uri.scheme == BJC_COAP_TCP || uri.scheme == BJC_COAPS_TCP ? 'T' : 'U';
}

int32_t bjc_security_over(const bjc_store *store, uint16_t ssid, char transport) {
    for (const bjc_instance *instance = store->instances; instance; instance = instance->next) {
        if (!is_bootstrap(store, instance->iid) &&
            bjc_store_integer(store, instance->iid, BJC_SECURITY_SSID, 0) == ssid &&
            bjc_security_transport(store, instance->iid) == transport) {
            return instance->iid;
        }
    }
    return -1;
}

bool bjc_security_uri(const bjc_store *store, uint16_t iid, bjc_uri *uri, const char **reason) {
    const bootjack_value *value = bjc_store_get(store, iid, BJC_SECURITY_URI, 0);
    if (!value) {
        *reason = "missing";
        return false;
    }
    return bjc_uri_parse(uri, (const char *) value->as.bytes.data, value->as.bytes.length, reason);
}

bootjack_security_mode bjc_security_mode(const bjc_store *store, uint16_t iid) {
    return (bootjack_security_mode) bjc_store_integer(store, iid, BJC_SECURITY_MODE, BOOTJACK_SECURITY_NOSEC);
}

static bjc_bytes bytes_of(const bjc_store *store, uint16_t iid, uint16_t rid) {
    const bootjack_value *value = bjc_store_get(store, iid, rid, 0);
    return value ? (bjc_bytes){ value->as.bytes.data, value->as.bytes.length } : (bjc_bytes){ NULL, 0 };
}

static void take_suites(const bjc_store *store, uint16_t iid, bjc_peer *peer) {
    const bjc_instance *instance = bjc_store_instance(store, iid);
    for (const bjc_cell *cell = instance ? instance->cells : NULL; cell; cell = cell->next) {
        if (cell->rid == BJC_SECURITY_SUITES && peer->suite_count < BJC_SUITES) {
            peer->suites[peer->suite_count++] = (uint16_t) cell->value.as.unsigned_integer;
        }
    }
}

bjc_peer bjc_security_peer(const bjc_store *store, uint16_t iid, const bjc_uri *uri) {
    bjc_bytes name = bytes_of(store, iid, BJC_SECURITY_SNI);
    bjc_peer peer = {
        .uri = uri,
        .mode = bjc_security_mode(store, iid),
        .identity = bytes_of(store, iid, BJC_SECURITY_IDENTITY),
        .key = bytes_of(store, iid, BJC_SECURITY_SECRET_KEY),
        .server_key = bytes_of(store, iid, BJC_SECURITY_SERVER_KEY),
        .usage = (bootjack_certificate_usage) bjc_store_integer(store, iid, BJC_SECURITY_USAGE,
                                                                BOOTJACK_USAGE_DOMAIN_ISSUED),
        .matching = (bootjack_matching_type) bjc_store_integer(store, iid, BJC_SECURITY_MATCHING, BOOTJACK_MATCH_EXACT),
        .server_name = { (const char *) name.data, name.length },
    };
    take_suites(store, iid, &peer);
    return peer;
}

/* --- what is checked at Bootstrap-Finish beyond the table ------------------------------------------------------- */

typedef struct finding {
    const bjc_store *store;
    uint16_t iid;
    char *reason;
    size_t size;
} finding;

static bootjack_error found(const finding *f, unsigned rid, const char *what, bootjack_error error) {
    snprintf(f->reason, f->size, "/0/%u/%u: %s", f->iid, rid, what);
    return error;
}

static size_t byte_count(const finding *f, uint16_t rid) {
    const bootjack_value *value = bjc_store_get(f->store, f->iid, rid, 0);
    return value ? value->as.bytes.length : 0;
}

/* Type and form of the credentials: what cannot be carried whole is refused here (LwM2M Core 1.1 §6.1.6). */
static bootjack_error check_credentials(const finding *f, const bjc_uri *uri) {
    static const uint16_t resource_of[] = {
        [BJC_PART_MODE] = BJC_SECURITY_MODE,      [BJC_PART_IDENTITY] = BJC_SECURITY_IDENTITY,
        [BJC_PART_KEY] = BJC_SECURITY_SECRET_KEY, [BJC_PART_SERVER_KEY] = BJC_SECURITY_SERVER_KEY,
        [BJC_PART_USAGE] = BJC_SECURITY_USAGE,    [BJC_PART_MATCHING] = BJC_SECURITY_MATCHING,
        [BJC_PART_NAME] = BJC_SECURITY_SNI,       [BJC_PART_SUITES] = BJC_SECURITY_SUITES,
    };
    bjc_peer peer = bjc_security_peer(f->store, f->iid, uri);
    bjc_fault fault = bjc_transport_fault(f->store->core, &peer);
    bootjack_error error = fault.unsupported ? BOOTJACK_ERR_UNSUPPORTED : BOOTJACK_ERR_INCONSISTENT;
    return fault.what ? found(f, resource_of[fault.part], fault.what, error) : BOOTJACK_OK;
}

static bootjack_error check_connection(const finding *f) {
    bjc_uri uri;
    const char *what;
    if (!bjc_security_uri(f->store, f->iid, &uri, &what)) {
        return found(f, BJC_SECURITY_URI, what, BOOTJACK_ERR_FORMAT);
    }
    bootjack_error error = check_credentials(f, &uri);
    if (error) {
        return error;
    }
    if (!bjc_transport_does_scheme(uri.scheme)) {
        return found(f, BJC_SECURITY_URI, "scheme not supported by this build", BOOTJACK_ERR_UNSUPPORTED);
    }
    /* Of the Bootstrap-Server account nothing could be mended later: it is refused here in any case (LwM2M Core 1.1
     * §6.1.3.3: the new account is usable before the answer, or 4.06); nor of any account where there is none. */
    bool now =
        f->store->core->config.strict || is_bootstrap(f->store, f->iid) || bjc_security_bootstrap_account(f->store) < 0;
    error = now ? bjc_security_check_scheme(f->store, f->iid) : BOOTJACK_OK;
    return error ? found(f, BJC_SECURITY_URI, "scheme does not go with the Security Mode", error) : BOOTJACK_OK;
}

/* Of its Short Server ID there is one for each transport, between which /1/x/7 and /1/x/22 choose. */
static bool is_first(const bjc_store *store, uint16_t iid, uint16_t ssid) {
    return bjc_security_over(store, ssid, bjc_security_transport(store, iid)) == iid;
}

bootjack_error bjc_security_check_identities(const bjc_store *store) {
    for (const bjc_instance *instance = store->instances; instance; instance = instance->next) {
        int64_t ssid = bjc_store_integer(store, instance->iid, BJC_SECURITY_SSID, 0); /* 0: it has none yet */
        bool whole = bjc_security_transport(store, instance->iid) && !is_bootstrap(store, instance->iid);
        if (whole && ssid > 0 && ssid < 65535 && !is_first(store, instance->iid, (uint16_t) ssid)) {
            return BOOTJACK_ERR_EXISTS;
        }
    }
    return bjc_security_check_single_account(store);
}

static bootjack_error check_server_id(const finding *f) {
    if (is_bootstrap(f->store, f->iid)) {
        return BOOTJACK_OK;
    }
    int64_t ssid = bjc_store_integer(f->store, f->iid, BJC_SECURITY_SSID, 0);
    if (ssid < 1 || ssid > 65534) {
        return found(f, BJC_SECURITY_SSID, "Short Server ID missing or not 1 to 65534", BOOTJACK_ERR_RANGE);
    }
    return is_first(f->store, f->iid, (uint16_t) ssid)
               ? BOOTJACK_OK
               : found(f, BJC_SECURITY_SSID, "Short Server ID used twice for one transport", BOOTJACK_ERR_INCONSISTENT);
}

static bootjack_error check_forms(const finding *f) {
    size_t parameters = byte_count(f, 7), key = byte_count(f, 8);
    if (parameters != 0 && parameters != 6) {
        return found(f, 7, "not 6 bytes long", BOOTJACK_ERR_RANGE);
    }
    if (key != 0 && key != 16 && key != 32 && key != 48) {
        return found(f, 8, "not 16, 32 or 48 bytes long", BOOTJACK_ERR_RANGE);
    }
    const bootjack_value *sni = bjc_store_get(f->store, f->iid, BJC_SECURITY_SNI, 0);
    for (size_t i = 0; sni && i < sni->as.bytes.length; i++) {
        if (sni->as.bytes.data[i] <= ' ' || sni->as.bytes.data[i] > '~') {
            return found(f, BJC_SECURITY_SNI, "characters that a name cannot have", BOOTJACK_ERR_RANGE);
        }
    }
    const bootjack_value *oscore = bjc_store_get(f->store, f->iid, BJC_SECURITY_OSCORE, 0);
    bool linked = oscore && oscore->as.link.object != BOOTJACK_ID_INVALID;
    return linked ? found(f, BJC_SECURITY_OSCORE, "OSCORE not supported by this build", BOOTJACK_ERR_UNSUPPORTED)
                  : BOOTJACK_OK;
}

/* The Write that would have made two was refused already; data of the factory come here, too. */
static bootjack_error check_single_account(const bjc_store *store, char *reason, size_t size) {
    unsigned last = 0;
    for (const bjc_instance *instance = store->instances; instance; instance = instance->next) {
        last = is_bootstrap(store, instance->iid) ? instance->iid : last;
    }
    bootjack_error error = bjc_security_check_single_account(store);
    if (error) {
        snprintf(reason, size, "/0/%u/%u: a second Bootstrap-Server account", last, BJC_SECURITY_BOOTSTRAP);
    }
    return error;
}

static bootjack_error check(const bjc_store *store, char *reason, size_t reason_size) {
    for (const bjc_instance *instance = store->instances; instance; instance = instance->next) {
        finding f = { store, instance->iid, reason, reason_size };
        bootjack_error error = check_connection(&f);
        error = error ? error : check_server_id(&f);
        error = error ? error : check_forms(&f);
        if (error) {
            return error;
        }
    }
    return check_single_account(store, reason, reason_size);
}

void bjc_security_init(bjc_store *store, const bjc_core *core) {
    bjc_store_init(store, core, &object);
    store->check = check;
}

/* --- factory data ----------------------------------------------------------------------------------------------- */

static bootjack_error add_tls(bjc_store *store, uint16_t iid, const bootjack_security_instance *instance) {
    bootjack_error error = BOOTJACK_OK;
    if (instance->matching_type) {
        error = bjc_store_set_integer(store, iid, BJC_SECURITY_MATCHING, *instance->matching_type);
    }
    if (!error && instance->server_name) {
        error = bjc_store_set_text(store, iid, BJC_SECURITY_SNI, instance->server_name);
    }
    if (!error && instance->certificate_usage) {
        error = bjc_store_set_integer(store, iid, BJC_SECURITY_USAGE, *instance->certificate_usage);
    }
    for (size_t i = 0; i < instance->ciphersuite_count && !error; i++) {
        const bootjack_value suite = { .type = BOOTJACK_TYPE_UNSIGNED,
                                       .as.unsigned_integer = instance->ciphersuites[i] };
        error = bjc_store_set(store, iid, BJC_SECURITY_SUITES, (uint16_t) i, &suite);
    }
    return error;
}

static bootjack_error add_optional(bjc_store *store, uint16_t iid, const bootjack_security_instance *instance) {
    bootjack_error error = BOOTJACK_OK;
    if (instance->ssid) {
        error = bjc_store_set_integer(store, iid, BJC_SECURITY_SSID, instance->ssid);
    }
    if (!error && instance->client_holdoff_s) {
        error = bjc_store_set_integer(store, iid, BJC_SECURITY_HOLDOFF, instance->client_holdoff_s);
    }
    if (!error && instance->bootstrap_timeout_s) {
        error = bjc_store_set_integer(store, iid, BJC_SECURITY_TIMEOUT, instance->bootstrap_timeout_s);
    }
    return error ? error : add_tls(store, iid, instance);
}

static bootjack_error add_resources(bjc_store *store, uint16_t iid, const bootjack_security_instance *instance) {
    bootjack_error error = bjc_store_set_text(store, iid, BJC_SECURITY_URI, instance->server_uri);
    error = error ? error : bjc_store_set_boolean(store, iid, BJC_SECURITY_BOOTSTRAP, instance->bootstrap_server);
    error = error ? error : bjc_store_set_integer(store, iid, BJC_SECURITY_MODE, instance->security_mode);
    error = error ? error
                  : bjc_store_set_bytes(store, iid, BJC_SECURITY_IDENTITY, instance->public_key_or_identity,
                                        instance->public_key_or_identity_length);
    error = error ? error
                  : bjc_store_set_bytes(store, iid, BJC_SECURITY_SERVER_KEY, instance->server_public_key,
                                        instance->server_public_key_length);
    error = error ? error
                  : bjc_store_set_bytes(store, iid, BJC_SECURITY_SECRET_KEY, instance->secret_key,
                                        instance->secret_key_length);
    return error ? error : add_optional(store, iid, instance);
}

bootjack_error bjc_security_add(bjc_store *store, const bootjack_security_instance *instance, uint16_t *iid) {
    if (!instance->server_uri || instance->client_holdoff_s < 0 || instance->bootstrap_timeout_s < 0 ||
        instance->ciphersuite_count > BJC_SUITES) {
        return BOOTJACK_ERR_ARGUMENT;
    }
    uint16_t chosen = *iid == BOOTJACK_ID_INVALID ? bjc_store_free_id(store) : *iid;
    bootjack_error error = bjc_store_create(store, chosen);
    if (error) {
        return error;
    }
    char reason[80] = ""; /* an account that no Bootstrap-Finish could make good: it is refused here */
    error = add_resources(store, chosen, instance);
    error = error ? error : bjc_store_check_ranges(store, chosen, reason, sizeof reason);
    error = error ? error : check_forms(&(finding){ store, chosen, reason, sizeof reason });
    error = error ? error : bjc_security_check_identities(store);
    if (error) {
        bjc_store_remove(store, chosen);
        return error;
    }
    *iid = chosen;
    return BOOTJACK_OK;
}
