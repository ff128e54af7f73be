/* SPDX-License-Identifier: Apache-2.0
 *
 * What scenario and profile say that the oracles must know: transmission parameters, accounts from the factory, facts.
 */
#include "oracle/internal.h"

#include <string.h>

/* RFC 8323 has no EXCHANGE_LIFETIME; half of MAX_RTT-like 401 s and of a request's time-out of 30 s is what stands for
 * it in the field. */
static const bj_time STREAM_FINISH = 215500 * BJ_MS;

enum { FEATURE_TCP = 2, ATTACH_LINKED = 1 }; /* BJ_ENUM_FEATURE, BJ_ENUM_ATTACH */

static void transmission(bj_oracle_config *c, const bj_record *scenario) {
    const bj_record *given = bj_get_record(scenario, BJ_F(SCENARIO, TRANSMISSION));
    c->ack_timeout = bj_get_duration(given, BJ_F(TRANSMISSION, ACK_TIMEOUT), 2 * BJ_SECOND);
    c->ack_timeout = oracle_min(c->ack_timeout, 3600 * BJ_SECOND);
    c->ack_random_factor = bj_get_factor(given, BJ_F(TRANSMISSION, ACK_RANDOM_FACTOR), 1500000);
    if (c->ack_random_factor > 100000000) {
        c->ack_random_factor = 1500000;
    }
    uint32_t retransmit = bj_get_uint(given, BJ_F(TRANSMISSION, MAX_RETRANSMIT), 4);
    c->max_retransmit = retransmit > 20 ? 20 : retransmit;
    /* RFC 7252 §4.8.2 */
    bj_time span = c->ack_timeout * (((bj_time) 1 << c->max_retransmit) - 1) / 1000 * (c->ack_random_factor / 1000);
    c->exchange_lifetime = span + 200 * BJ_SECOND + c->ack_timeout;
}

static bool fact(const bj_record *profile, const char *name) {
    const bj_value *facts = bj_get(profile, BJ_F(PROFILE, FACTS));
    for (size_t i = 0; facts && i < facts->as.strings.count; i++) {
        if (!strcmp(facts->as.strings.items[i].bytes, name)) {
            return true;
        }
    }
    return false;
}

/* A profile that lists none has them all; of a client without a profile nobody knows. */
static bool has_feature(const bj_record *profile, uint32_t feature) {
    const bj_value *features = bj_get(profile, BJ_F(PROFILE, FEATURES));
    bool found = profile && !features;
    for (size_t i = 0; features && i < features->as.uints.count; i++) {
        found |= features->as.uints.items[i] == feature;
    }
    return found;
}

static uint32_t server_resources(const bj_record *profile) {
    const bj_value *given = bj_get(profile, BJ_F(PROFILE, SERVER_RESOURCES));
    uint32_t found = profile && !given ? UINT32_MAX : 0;
    for (size_t i = 0; given && i < given->as.uints.count; i++) {
        found |= given->as.uints.items[i] < 32 ? UINT32_C(1) << given->as.uints.items[i] : 0;
    }
    return found;
}

static void add_secret(bj_oracle_config *c, const bj_record *account) {
    const bj_value *key = bj_get(account, BJ_F(ACCOUNT, KEY));
    if (key && c->secret_count < BJ_ORACLE_SECRETS) {
        c->secrets[c->secret_count++] = key->as.string;
    }
}

static bool is_given(const bj_value *string) {
    return string && string->as.string.length;
}

/* An identity is bytes; many libraries take it for text, and such an account, or one without any, for one that cannot
 * be used. Longer than 128 bytes, or a key longer than 64, none need take it (RFC 4279 §5.3). */
static bool has_odd_credentials(const bj_record *account, const bj_value *key) {
    enum { IDENTITY_MOST = 128, KEY_MOST = 64 };
    const bj_value *identity = bj_get(account, BJ_F(ACCOUNT, IDENTITY));
    return key->as.string.length > KEY_MOST || !identity || !identity->as.string.length ||
           identity->as.string.length > IDENTITY_MOST ||
           memchr(identity->as.string.bytes, 0, identity->as.string.length);
}

/* A list of cipher suites of which LwM2M Transport 1.1 §5.2.8 names none: a client may have none of them. */
static bool has_odd_suites(const bj_record *account) {
    static const uint32_t named[] = { 0xc0a8, 0x00ae, 0xc0ae, 0xc023 };
    const bj_value *suites = bj_get(account, BJ_F(ACCOUNT, SUITES));
    bool odd = suites != NULL;
    for (size_t i = 0; odd && i < suites->as.uints.count * (sizeof named / sizeof named[0]); i++) {
        odd = suites->as.uints.items[i / 4] != named[i % 4];
    }
    return odd;
}

/* LwM2M Core 1.1 E.2 and Table 6.2.1.2-1, /1/x/7: one of its letters at least, and no others. */
static bool has_odd_binding(const bj_record *account) {
    const bj_value *binding = bj_get(account, BJ_F(ACCOUNT, BINDING));
    const char *letters = binding ? binding->as.string.bytes : "U";
    return !*letters || letters[strspn(letters, "UTSNQ")];
}

/* LwM2M Core 1.1 E.1, /0/x/2: coaps goes with every mode but NoSec (3), coap with that alone; PSK (0) wants a key, a
 * certificate (2) itself, its key, and what the server's is held against. Raw public keys (1) and EST (4) a client need
 * not have, and no profile says that it has. */
static bool contradicts(const bj_record *account) {
    enum { RAW_PUBLIC_KEY = 1, CERTIFICATE = 2, EST = 4 };
    uint32_t mode = bj_get_uint(account, BJ_F(ACCOUNT, SECURITY), 3);
    const bj_value *key = bj_get(account, BJ_F(ACCOUNT, KEY));
    bool secure = strncmp(bj_get_string(account, BJ_F(ACCOUNT, URI), ""), "coaps", 5) == 0;
    return secure != (mode != 3) || mode == RAW_PUBLIC_KEY || mode == EST || has_odd_suites(account) ||
           (mode == CERTIFICATE && (!is_given(key) || !is_given(bj_get(account, BJ_F(ACCOUNT, IDENTITY))) ||
                                    !is_given(bj_get(account, BJ_F(ACCOUNT, SERVER_KEY))))) ||
           (mode == 0 && (!is_given(key) || has_odd_credentials(account, key)));
}

/* A fraction of a second has no place in /1/x/1: how a client is told one is the profile's. */
static int64_t whole_seconds(bj_time time) {
    return time % BJ_SECOND ? -1 : (int64_t) (time / BJ_SECOND);
}

static void add_account(bj_oracle_config *c, const bj_record *account, bool bootstrap) {
    if (!account) {
        return;
    }
    add_secret(c, account);
    if (c->account_count == BJ_ORACLE_ACCOUNTS) {
        c->known = false;
        return;
    }
    uint32_t ssid = bj_get_uint(account, BJ_F(ACCOUNT, SSID), 0);
    bool fits = ssid <= UINT16_MAX; /* what a client makes of another only it knows; no scenario file has one */
    const bj_value *identity = bj_get(account, BJ_F(ACCOUNT, IDENTITY));
    uint32_t instance = bj_get_uint(account, BJ_F(ACCOUNT, INSTANCE), UINT32_MAX);
    bj_time timeout = bj_get_duration(account, BJ_F(ACCOUNT, TIMEOUT), 0);
    c->accounts[c->account_count++] = (bj_oracle_account){
        .uri = bj_get_string(account, BJ_F(ACCOUNT, URI), ""),
        .bootstrap = bootstrap,
        .instance = instance > 65534 ? -1 : (int) instance,
        .ssid = fits ? ssid : 0,
        .lifetime_s = whole_seconds(bj_get_duration(account, BJ_F(ACCOUNT, LIFETIME), 86400 * BJ_SECOND)),
        .binding = bj_get_string(account, BJ_F(ACCOUNT, BINDING), ""),
        .timeout = timeout % BJ_SECOND ? 0 : timeout, /* it has whole seconds; what else a client takes is its own */
        .mode = bj_get_uint(account, BJ_F(ACCOUNT, SECURITY), 3),
        .identity = identity ? (const uint8_t *) identity->as.string.bytes : NULL,
        .identity_length = identity ? identity->as.string.length : 0,
        .sni = bj_get(account, BJ_F(ACCOUNT, SNI)) != NULL,
        .contradicts = contradicts(account) || !fits,
        .odd_binding = has_odd_binding(account),
    };
}

/* Does its command say an Object Instance even where a scenario does not? That is 0 (docs/porting.md), in a word that
 * is always there, or with the URI of the account. */
static bool is_told_a_place(const bj_record *profile) {
    const bj_value *command = bj_get(profile, BJ_F(PROFILE, COMMAND));
    bool told = false;
    for (size_t i = 0; command && i < command->as.strings.count; i++) {
        const char *word = command->as.strings.items[i].bytes;
        bool there = *word != '?' || strstr(word, "{bs_uri}") || strstr(word, "{bs_host}");
        told |= there && strstr(word, "{account_instance}");
    }
    return told;
}

/* Where its bootstrap account is when a scenario does not say. The client of this repository begins with /0/0; others
 * are told, or their profiles tell. */
static uint32_t place_of_account(const bj_record *profile) {
    bool own = fact(profile, "linked") && !bj_get(profile, BJ_F(PROFILE, LIBRARY));
    const bj_record *built_in = bj_get_record(profile, BJ_F(PROFILE, BUILT_IN));
    return bj_get_uint(built_in, BJ_F(BUILT_IN, ACCOUNT_INSTANCE), own || is_told_a_place(profile) ? 0 : UINT32_MAX);
}

static void accounts(bj_oracle_config *c, const bj_record *client, uint32_t place) {
    const bj_record *bootstrap = bj_get_record(client, BJ_F(CLIENT, BOOTSTRAP));
    c->holdoff = bj_get_duration(bootstrap, BJ_F(ACCOUNT, HOLDOFF), 0);
    add_account(c, bootstrap, true);
    if (bootstrap && place < 65535 && c->accounts[0].instance < 0) {
        c->accounts[0].instance = (int) place;
    }
    const bj_value *others = bj_get(client, BJ_F(CLIENT, ACCOUNTS));
    for (size_t i = 0; others && i < others->as.records.count; i++) {
        add_account(c, others->as.records.items[i], false);
    }
}

/* Not what is taken for granted: what somebody said. */
static void growth(bj_oracle_config *c, const bj_record *client, const bj_record *profile) {
    uint64_t jitter = bj_get_factor(profile, BJ_F(PROFILE, HOLDOFF_JITTER), 1500000);
    c->holdoff_grows = bj_get_bool(profile, BJ_F(PROFILE, HOLDOFF_GROWS), false);
    c->holdoff_cap = bj_get_duration(profile, BJ_F(PROFILE, HOLDOFF_CAP), 20 * BJ_SECOND);
    c->holdoff_cap = bj_get_duration(client, BJ_F(CLIENT, HOLDOFF_CAP), c->holdoff_cap);
    c->holdoff_jitter = bj_get_factor(client, BJ_F(CLIENT, HOLDOFF_JITTER), jitter);
    if (c->holdoff_jitter > 100000000 || c->holdoff_cap > BJ_NEVER / 1024) {
        c->holdoff_grows = false; /* a client may take it for something else */
    }
}

void bj_oracle_configure(bj_oracle_config *c, const bj_record *scenario, const bj_record *profile, bool exact) {
    *c = (bj_oracle_config){ .exact = exact, .known = scenario != NULL };
    transmission(c, scenario);
    const bj_record *client = bj_get_record(scenario, BJ_F(SCENARIO, CLIENT));
    const bj_record *state = bj_get_record(client, BJ_F(CLIENT, STATE));
    accounts(c, client, state ? UINT32_MAX : place_of_account(profile));
    c->linked = bj_get_uint(profile, BJ_F(PROFILE, ATTACH), 0) == ATTACH_LINKED;
    c->server_resources = server_resources(profile);
    c->tcp = has_feature(profile, FEATURE_TCP);
    c->queue = bj_get_bool(client, BJ_F(CLIENT, QUEUE), false);
    c->persistent = state != NULL;
    c->state_given = bj_get(state, BJ_F(STATE_FILE, TEXT)) || bj_get(state, BJ_F(STATE_FILE, HEX));
    c->finish_timeout = bj_get_duration(profile, BJ_F(PROFILE, FINISH_TIMEOUT), c->exchange_lifetime);
    c->tolerance = bj_get_duration(profile, BJ_F(PROFILE, TOLERANCE), 0);
    c->holdoff_latest = bj_get_duration(profile, BJ_F(PROFILE, HOLDOFF_LATEST), BJ_NEVER);
    c->others = bj_get(profile, BJ_F(PROFILE, FACTORY)) != NULL;
    growth(c, client, profile);
    c->first_release = !strcmp(bj_get_string(client, BJ_F(CLIENT, VERSION), ""), "1.0");
    c->endpoint = scenario ? bj_get_string(client, BJ_F(CLIENT, ENDPOINT), "dev-1") : NULL;
    c->transactional = fact(profile, "transactional");
    c->bare_accounts = fact(profile, "bare-accounts");
    c->request_tag = fact(profile, "request-tag");
    c->overtaking = fact(profile, "overtaking");
    c->notifies_writer = fact(profile, "notifies-writer");
    c->legacy = fact(profile, "legacy") || bj_get_bool(client, BJ_F(CLIENT, LEGACY), false);
    if (c->finish_timeout > STREAM_FINISH) {
        c->stream_finish_timeout = STREAM_FINISH;
    } else {
        c->stream_finish_timeout = c->finish_timeout;
    }
}
