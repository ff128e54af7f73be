/* SPDX-License-Identifier: Apache-2.0
 *
 * See fit.h. The walk goes over the whole tree by the table of the language, so that a verb that comes later is seen,
 * too. What stands in alternatives counts like everything else: they say the same of what the client has.
 */
#define _GNU_SOURCE
#include "attach/fit.h"
#include "attach/run.h"

#include <stdlib.h>
#include <string.h>

/* Numbers of BJ_ENUM_FEATURE. */
enum {
    IPV6 = 1,
    TCP = 2,
    DTLS = 3,
    TLS = 4,
    PSK = 5,
    X509 = 6,
    TLV = 10,
    TEXT = 11,
    OPAQUE = 12,
    JSON = 13,
    SENML_JSON = 14,
    SENML_CBOR = 15,
    LWM2M_CBOR = 16,
    BLOCKS = 20,
    QUEUE = 21,
    OBSERVE = 22,
    COMPOSITE = 23,
    CREATE = 24,
    WRITE_ATTRIBUTES = 25,
};

static uint64_t bit(unsigned feature) {
    return feature && feature < 64 ? (uint64_t) 1 << feature : 0;
}

/* What the walk gathers. Resources of Objects 0 and 1, which the specification numbers below 64 so far. */
typedef struct gathered {
    uint64_t features;
    uint64_t resources[2];
    bool uri_in_bytes;   /* without a port, where nothing can be adapted */
    bool types;          /* at the client's standard input */
    const char *command; /* the first that its profile does not have */
    const bj_record *profile;
} gathered;

/* --- formats -------------------------------------------------------------------------------------------------- */

static uint64_t format_feature(uint32_t format) {
    static const struct {
        uint16_t format;
        uint8_t feature;
    } table[] = { { 0, TEXT },   { 42, OPAQUE },  { 110, SENML_JSON }, { 112, SENML_CBOR },  { 11542, TLV },
                  { 1542, TLV }, { 11543, JSON }, { 1543, JSON },      { 11544, LWM2M_CBOR } };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (table[i].format == format) {
            return bit(table[i].feature);
        }
    }
    return 0;
}

static bool refused(const bj_value *expect) {
    return expect && expect->type == BJ_T_CODES && bj_codes_first(&expect->as.codes) >= 0x80;
}

/* A format that is sent or asked for, unless the client must refuse it. */
static void gather_format(gathered *g, const bj_record *record, const bj_field_def *field, const bj_value *value) {
    const bj_field_def *expect = bj_field_named(bj_record_def_of((bj_kind) record->kind), "expect", 6);
    bool named = !strcmp(field->name, "format") || !strcmp(field->name, "accept");
    bool sent = record->kind != BJ_K_REQUEST && record->kind != BJ_K_MESSAGE && record->kind != BJ_K_RESPOND;
    if (named && sent && field->type == BJ_T_UINT && !(expect && refused(bj_get(record, expect->number)))) {
        g->features |= format_feature(value->as.uint);
    }
}

/* --- resources ------------------------------------------------------------------------------------------------ */

static void gather_resource(gathered *g, unsigned object, unsigned resource) {
    if (object < 2 && resource < 64) {
        g->resources[object] |= (uint64_t) 1 << resource;
    }
}

/* Up to three numbers of a path "/1/0/9"; how many there are. */
static unsigned path_ids(const char *path, unsigned ids[3]) {
    unsigned count = 0;
    for (const char *at = path; *at == '/' && count < 3; count++) {
        char *end;
        unsigned long id = strtoul(at + 1, &end, 10);
        if (end == at + 1 || id > UINT16_MAX) {
            break;
        }
        ids[count] = (unsigned) id;
        at = end;
    }
    return count;
}

/* Values below a path of `depth` ids, of which the first is the Object. */
static void gather_nodes(gathered *g, unsigned object, unsigned depth, const bj_node *nodes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const bj_node *node = &nodes[i];
        if (depth == 2) {
            gather_resource(g, object, node->id);
        } else if (depth < 2) {
            gather_nodes(g, depth ? object : node->id, depth + 1, node->children, node->child_count);
        }
    }
}

static const char *path_of(const bj_record *record) {
    const bj_field_def *field = bj_field_named(bj_record_def_of((bj_kind) record->kind), "path", 4);
    return field && field->type == BJ_T_STRING ? bj_get_string(record, field->number, "") : "";
}

/* A message that a script makes by itself, and that the client must answer with success. */
static bool must_succeed(const bj_record *message) {
    const bj_value *expect = bj_get(message, BJ_F(MESSAGE, EXPECT));
    return expect && !refused(expect);
}

static void gather_path(gathered *g, const bj_record *record) {
    unsigned ids[3];
    bool reads = record->kind == BJ_K_READ || record->kind == BJ_K_EXECUTE || record->kind == BJ_K_WRITE ||
                 record->kind == BJ_K_OBSERVE || (record->kind == BJ_K_MESSAGE && must_succeed(record));
    if (reads && path_ids(path_of(record), ids) == 3) {
        gather_resource(g, ids[0], ids[2]);
    }
}

static void gather_values(gathered *g, const bj_record *record, const bj_value *value) {
    unsigned ids[3] = { 0 };
    unsigned depth = path_ids(path_of(record), ids);
    bool whole = record->kind == BJ_K_WRITE || record->kind == BJ_K_PACK;
    if (whole && depth < 3) {
        gather_nodes(g, ids[0], depth, value->as.nodes.items, value->as.nodes.count);
    }
}

/* A server URI without a port in a payload that is given as bytes, whole or its first part. */
static void gather_bytes(gathered *g, const bj_string *bytes) {
    static const char host[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
    const char *uri = memmem(bytes->bytes, bytes->length, "coap", 4);
    const char *end = bytes->bytes + bytes->length;
    const char *at = uri ? memmem(uri, (size_t) (end - uri), "://", 3) : NULL;
    for (at = at ? at + 3 : NULL; at && at < end && memchr(host, *at, sizeof host - 1); at++) {
    }
    g->uri_in_bytes |= at && (at == end || *at != ':');
}

/* --- servers -------------------------------------------------------------------------------------------------- */

static bool all_ipv6(const bj_value *addresses) {
    for (size_t i = 0; addresses && i < addresses->as.strings.count; i++) {
        const char *text = addresses->as.strings.items[i].bytes;
        if (!strchr(text, ':') || strchr(text, '.')) {
            return false;
        }
    }
    return addresses && addresses->as.strings.count;
}

static void gather_server(gathered *g, const bj_record *server) {
    static const uint64_t transports[] = { 0, TCP, DTLS, TLS };
    uint32_t transport = bj_get_uint(server, BJ_F(SERVER, TRANSPORT), 0);
    bool certificate = bj_get(server, BJ_F(SERVER, CERTIFICATE)) != NULL;
    g->features |= transport < 4 ? bit((unsigned) transports[transport]) : 0;
    if (transport >= 2) {
        g->features |= bit(certificate && !bj_get(server, BJ_F(SERVER, KEY)) ? X509 : PSK);
    }
    if (all_ipv6(bj_get(server, BJ_F(SERVER, ADDRESSES)))) {
        g->features |= bit(IPV6);
    }
}

static void gather_account(gathered *g, const bj_record *account) {
    const char *uri = bj_get_string(account, BJ_F(ACCOUNT, URI), "");
    g->features |= strncmp(uri, "coap+tcp", 8) == 0 ? bit(TCP) : strncmp(uri, "coaps+tcp", 9) == 0 ? bit(TLS) : 0;
    g->features |= strncmp(uri, "coaps:", 6) == 0 ? bit(DTLS) : 0;
    g->features |= strchr(uri, '[') ? bit(IPV6) : 0;
    uint32_t mode = bj_get_uint(account, BJ_F(ACCOUNT, SECURITY), 3);
    g->features |= mode == 0 ? bit(PSK) : mode == 2 ? bit(X509) : 0;
}

/* --- the walk ------------------------------------------------------------------------------------------------- */

static uint64_t verb_feature(unsigned kind) {
    switch ((bj_kind) kind) {
    case BJ_K_OBSERVE:
    case BJ_K_NOTIFICATION:
        return bit(OBSERVE);
    case BJ_K_OBSERVE_COMPOSITE:
        return bit(OBSERVE) | bit(COMPOSITE);
    case BJ_K_READ_COMPOSITE:
    case BJ_K_WRITE_COMPOSITE:
        return bit(COMPOSITE);
    case BJ_K_CREATE:
        return bit(CREATE);
    case BJ_K_WRITE_ATTRIBUTES:
        return bit(WRITE_ATTRIBUTES);
    default:
        return 0;
    }
}

static void gather_input(gathered *g, const bj_record *step) {
    const char *command = bj_get_string(step, BJ_F(INPUT, COMMAND), NULL);
    bj_string text;
    g->types = true;
    if (command && !g->command && !bj_profile_command(g->profile, command, &text)) {
        g->command = command;
    }
}

static void gather(gathered *g, const bj_record *record);

static void gather_field(gathered *g, const bj_record *record, const bj_field_def *field, const bj_value *value) {
    const bj_string *name;
    if (value->type == BJ_T_VALUES) {
        gather_values(g, record, value);
    } else if (value->type == BJ_T_BYTES && record->kind == BJ_K_WRITE) {
        gather_bytes(g, &value->as.string);
    } else if (!strcmp(field->name, "block")) {
        g->features |= bit(BLOCKS);
    } else {
        gather_format(g, record, field, value);
    }
    const bj_record *inside;
    for (size_t i = 0; (inside = bj_value_record(value, i, &name)) != NULL; i++) {
        gather(g, inside);
    }
}

static void gather(gathered *g, const bj_record *record) {
    const bj_record_def *def = bj_record_def_of((bj_kind) record->kind);
    g->features |= verb_feature(record->kind);
    if (record->kind == BJ_K_SERVER) {
        gather_server(g, record);
    } else if (record->kind == BJ_K_ACCOUNT) {
        gather_account(g, record);
    } else if (record->kind == BJ_K_CLIENT && bj_get_bool(record, BJ_F(CLIENT, QUEUE), false)) {
        g->features |= bit(QUEUE);
    }
    if (record->kind == BJ_K_INPUT) {
        gather_input(g, record);
    }
    gather_path(g, record);
    for (size_t i = 0; i < def->field_count; i++) {
        const bj_value *value = bj_get(record, def->fields[i].number);
        if (value) {
            gather_field(g, record, &def->fields[i], value);
        }
    }
}

static gathered gather_scenario(const bj_record *profile, const bj_record *scenario) {
    gathered g = { .profile = profile };
    gather(&g, scenario);
    const bj_value *needs = bj_get(scenario, BJ_F(SCENARIO, NEEDS));
    for (size_t i = 0; needs && i < needs->as.uints.count; i++) {
        g.features |= bit(needs->as.uints.items[i]);
    }
    return g;
}

/* --- against the profile -------------------------------------------------------------------------------------- */

static bool listed(const bj_value *list, unsigned number) {
    for (size_t i = 0; i < list->as.uints.count; i++) {
        if (list->as.uints.items[i] == number) {
            return true;
        }
    }
    return false;
}

static bool has_features(const bj_record *profile, uint64_t needed, bj_text *reason) {
    const bj_field_def *field = bj_field_numbered(bj_record_def_of(BJ_K_PROFILE), BJ_F(PROFILE, FEATURES));
    const bj_value *list = bj_get(profile, BJ_F(PROFILE, FEATURES));
    for (unsigned i = 1; list && i < 64; i++) {
        const char *name = bj_enum_name(field->values, i);
        if ((needed & bit(i)) && !listed(list, i)) {
            bj_text_printf(reason, "the client has no %s (its profile's features)", name ? name : "such feature");
            return false;
        }
    }
    return true;
}

static bool has_resources(const bj_value *list, unsigned object, uint64_t needed, bj_text *reason) {
    for (unsigned i = 0; list && i < 64; i++) {
        /* A number that the specification does not give is the subject of its scenario: whoever meets it must know. */
        bool defined = i <= (object ? 23U : 17U);
        if (defined && (needed >> i & 1) && !listed(list, i)) {
            bj_text_printf(reason, "the client has no resource /%u/x/%u (its profile's %s-resources)", object, i,
                           object ? "server" : "security");
            return false;
        }
    }
    return true;
}

static bool takes_uris(const bj_record *profile, const bj_record *scenario, const gathered *g, bj_text *reason) {
    bool wants_ports = bj_get_bool(profile, BJ_F(PROFILE, URI_PORTS), false);
    if (wants_ports && g->uri_in_bytes && !bj_get_bool(scenario, BJ_F(SCENARIO, VERBATIM), false)) {
        bj_text_add(reason,
                    "the client takes no server URI without a port (its profile's uri-ports), and one is written "
                    "as bytes");
        return false;
    }
    return true;
}

/* Can it be typed to, and does it have the commands? */
static bool takes_input(const bj_record *profile, const gathered *g, bj_text *reason) {
    bool linked = bj_get_uint(profile, BJ_F(PROFILE, ATTACH), BJ_ATTACH_EXEC) == BJ_ATTACH_LINKED;
    bool null = bj_get_uint(profile, BJ_F(PROFILE, READS_INPUT), 0) == 1;
    if (g->types && (linked || null)) {
        bj_text_add(reason, "the client has no standard input at which one could type");
        return false;
    }
    if (g->command) {
        bj_text_printf(reason, "the client has no command '%s' (its profile's commands)", g->command);
    }
    return !g->command;
}

/* Of some things Bootjack has none, whatever the client has. */
static bool within_scope(const bj_record *scenario, bj_text *reason) {
    const bj_field_def *field = bj_field_numbered(bj_record_def_of(BJ_K_SCENARIO), BJ_F(SCENARIO, OUT_OF_SCOPE));
    const bj_value *absent = bj_get(scenario, BJ_F(SCENARIO, OUT_OF_SCOPE));
    const char *name = absent ? bj_enum_name(field->values, (unsigned) absent->as.uint) : NULL;
    if (absent) {
        bj_text_printf(reason, "out of scope: Bootjack has no %s", name ? name : "such thing");
    }
    return !absent;
}

bool bj_fit_has_all(const bj_record *profile, const bj_record *scenario, bj_text *reason) {
    gathered g = gather_scenario(profile, scenario);
    if (bj_get_bool(scenario, BJ_F(SCENARIO, SURPLUS), false)) {
        g.resources[0] = g.resources[1] = 0;
    }
    return within_scope(scenario, reason) && takes_uris(profile, scenario, &g, reason) &&
           takes_input(profile, &g, reason) && has_features(profile, g.features, reason) &&
           has_resources(bj_get(profile, BJ_F(PROFILE, SECURITY_RESOURCES)), 0, g.resources[0], reason) &&
           has_resources(bj_get(profile, BJ_F(PROFILE, SERVER_RESOURCES)), 1, g.resources[1], reason);
}

/* --- the hold-off --------------------------------------------------------------------------------------------- */

bool bj_fit_told(const bj_record *profile, const char *placeholder) {
    const bj_value *command = bj_get(profile, BJ_F(PROFILE, COMMAND));
    for (size_t i = 0; command && i < command->as.strings.count; i++) {
        if (strstr(command->as.strings.items[i].bytes, placeholder)) {
            return true;
        }
    }
    return false;
}

static bj_record *copy(bj_arena *arena, const bj_record *record, bj_kind kind) {
    return record ? bj_record_copy(arena, record) : bj_record_new(arena, kind, (bj_position){ 0 });
}

/* The key of the client itself, where the scenario's account has one. */
static void set_key(bj_arena *arena, bj_record *account, const bj_record *built_in) {
    const bj_value *identity = bj_get(built_in, BJ_F(BUILT_IN, IDENTITY)), *key = bj_get(built_in, BJ_F(BUILT_IN, KEY));
    if (identity && key && bj_get_uint(account, BJ_F(ACCOUNT, SECURITY), 3) == 0) {
        bj_set(arena, account, BJ_F(ACCOUNT, IDENTITY), identity);
        bj_set(arena, account, BJ_F(ACCOUNT, KEY), key);
    }
}

/* Its bootstrap account as the profile says that it is: the scenario's own, or the one that stands where it names none.
 */
static bj_record *account_with(bj_arena *arena, const bj_record *bootstrap, const bj_record *built_in, bool holdoff,
                               bool key) {
    bj_record *account = copy(arena, bootstrap, BJ_K_ACCOUNT);
    if (!bootstrap) {
        static const char uri[] = "coap://bs.example";
        bj_value value = { .type = BJ_T_STRING, .as.string = { uri, sizeof uri - 1 } };
        bj_set(arena, account, BJ_F(ACCOUNT, URI), &value);
    }
    if (holdoff) {
        bj_set(arena, account, BJ_F(ACCOUNT, HOLDOFF), bj_get(built_in, BJ_F(BUILT_IN, HOLDOFF)));
    }
    if (key) {
        set_key(arena, account, built_in);
    }
    return account;
}

const bj_record *bj_fit_adapt(bj_arena *arena, const bj_record *profile, const bj_record *scenario) {
    const bj_record *built_in = bj_get_record(profile, BJ_F(PROFILE, BUILT_IN));
    bool holdoff = bj_get(built_in, BJ_F(BUILT_IN, HOLDOFF)) && !bj_fit_told(profile, "{holdoff}");
    bool key = bj_get(built_in, BJ_F(BUILT_IN, KEY)) && !bj_fit_told(profile, "{key}");
    const bj_record *client = bj_get_record(scenario, BJ_F(SCENARIO, CLIENT));
    const bj_record *bootstrap = bj_get_record(client, BJ_F(CLIENT, BOOTSTRAP));
    bool accounts_only = !bootstrap && bj_get(client, BJ_F(CLIENT, ACCOUNTS));
    if ((!holdoff && !key) || accounts_only) {
        return scenario;
    }
    bj_record *new_client = copy(arena, client, BJ_K_CLIENT);
    bj_set_record(arena, new_client, BJ_F(CLIENT, BOOTSTRAP), account_with(arena, bootstrap, built_in, holdoff, key));
    bj_record *adapted = copy(arena, scenario, BJ_K_SCENARIO);
    bj_set_record(arena, adapted, BJ_F(SCENARIO, CLIENT), new_client);
    return adapted;
}
