/* SPDX-License-Identifier: Apache-2.0
 *
 * What stands in front of a scenario's steps: the servers, where they are, what the client has from the factory. What
 * the capture does not say is assumed, and told.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "capture/names.h"
#include "capture/script_internal.h"

/* --- assumptions ---------------------------------------------------------------------------------------------- */

void script_assume(bj_script *s, const char *format, ...) {
    BJ_TEXT(text, 600);
    va_list arguments;
    va_start(arguments, format);
    bj_text_vprintf(&text, format, arguments);
    va_end(arguments);
    if (s->assumption_count < BJ_SCRIPT_ASSUMPTIONS) {
        s->assumptions[s->assumption_count++] = bj_arena_strdup(s->arena, text.start);
    }
}

/* --- values --------------------------------------------------------------------------------------------------- */

void script_set_text(bj_script *s, bj_record *r, unsigned field, const char *text) {
    bj_value v = { .type = BJ_T_STRING };
    v.as.string = (bj_string){ bj_arena_strdup(s->arena, text), strlen(text) };
    bj_set(s->arena, r, field, &v);
}

void script_set_uint(bj_script *s, bj_record *r, unsigned field, bj_type type, uint32_t number) {
    bj_value v = { .type = (uint8_t) type };
    v.as.uint = number;
    bj_set(s->arena, r, field, &v);
}

void script_set_bool(bj_script *s, bj_record *r, unsigned field, bool value) {
    bj_value v = { .type = BJ_T_BOOL };
    v.as.boolean = value;
    bj_set(s->arena, r, field, &v);
}

void script_set_duration(bj_script *s, bj_record *r, unsigned field, bj_time duration) {
    bj_value v = { .type = BJ_T_DURATION };
    v.as.duration = duration;
    bj_set(s->arena, r, field, &v);
}

void script_set_bytes(bj_script *s, bj_record *r, unsigned field, const uint8_t *bytes, size_t length) {
    bj_value v = { .type = BJ_T_BYTES };
    v.as.string = (bj_string){ bj_arena_strndup(s->arena, length ? (const char *) bytes : "", length), length };
    bj_set(s->arena, r, field, &v);
}

void script_set_record(bj_script *s, bj_record *r, unsigned field, const bj_record *inner) {
    bj_value v = { .type = BJ_T_RECORD };
    const bj_record **list = bj_record_list(s->arena, 1);
    list[0] = inner;
    v.as.records.items = list;
    v.as.records.count = 1;
    bj_set(s->arena, r, field, &v);
}

static void set_strings(bj_script *s, bj_record *r, unsigned field, bj_type type, const char *text) {
    bj_value v = { .type = (uint8_t) type };
    bj_string *items = bj_arena_alloc(s->arena, sizeof *items);
    items[0] = (bj_string){ bj_arena_strdup(s->arena, text), strlen(text) };
    v.as.strings.items = items;
    v.as.strings.count = 1;
    bj_set(s->arena, r, field, &v);
}

/* --- addresses ------------------------------------------------------------------------------------------------ */

/* The simulated world keeps loopback for the client's own host, and has an address for the client. */
static bool is_taken(const bj_addr *a) {
    static const uint8_t loopback[16] = { [15] = 1 }, client[4] = { 192, 0, 2, 1 };
    return a->family == 4 ? a->ip[0] == 127 || !memcmp(a->ip, client, 4) : !memcmp(a->ip, loopback, 16);
}

static bj_addr moved(const bj_addr *a) {
    bj_addr here = *a;
    if (is_taken(a)) {
        static const uint8_t v6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 0x10 };
        bool first = a->family == 6 || a->ip[0] != 127 || a->ip[3] == 1;
        memcpy(here.ip, a->family == 6 ? v6 : (const uint8_t[4]){ 192, 0, 2, first ? 110 : a->ip[3] },
               a->family == 6 ? 16 : 4);
    }
    return here;
}

void bj_script_uri(const bj_script *s, const char *uri, size_t length, bj_text *out) {
    const char *schemes[] = { "coap://", "coaps://", "coap+tcp://", "coaps+tcp://" };
    (void) s;
    for (unsigned i = 0; i < 4; i++) {
        size_t n = strlen(schemes[i]);
        if (length <= n || memcmp(uri, schemes[i], n) != 0) {
            continue;
        }
        bool bracket = uri[n] == '[';
        const char *host = uri + n + bracket;
        size_t size = 0;
        while (host + size < uri + length && !memchr(bracket ? "]" : ":/?", host[size], bracket ? 1 : 3)) {
            size++;
        }
        bj_addr address;
        if (bj_addr_parse(host, size, &address) && is_taken(&address)) {
            bj_addr here = moved(&address);
            bj_text_add_bytes(out, uri, n + bracket);
            bj_addr_print(out, &here);
            bj_text_add_bytes(out, host + size, length - n - bracket - size);
            return;
        }
    }
    bj_text_add_bytes(out, uri, length);
}

/* --- servers -------------------------------------------------------------------------------------------------- */

static bool is_free(const bj_script *s, unsigned count, const char *name) {
    const bj_value *given = s->noted.given ? bj_get(s->noted.given, BJ_F(SCENARIO, SERVERS)) : NULL;
    for (unsigned i = 0; i < count; i++) {
        if (!strcmp(s->servers[i].name, name)) {
            return false;
        }
    }
    for (size_t i = 0; given && i < given->as.named.count; i++) {
        if (!strcmp(given->as.named.items[i].name.bytes, name)) {
            return false;
        }
    }
    return strcmp(name, "client") != 0 && strcmp(name, "world") != 0;
}

static bool is_label(const char *name) {
    size_t length = strlen(name);
    return length && length < 40 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

static void find_strangers(bj_script *s) {
    for (unsigned i = 0; i < s->talk->server_count; i++) {
        s->strangers[i] = true;
    }
    for (size_t i = 0; i < s->talk->count; i++) {
        const bj_message *m = &s->talk->messages[i];
        s->strangers[m->server] &= !m->by_client || m->kind == BJ_TALK_EMPTY || m->kind == BJ_TALK_RESPONSE;
    }
}

bool script_is_stranger(const bj_script *s, unsigned server) {
    return s->strangers[server];
}

static bool take_given(bj_script *s, unsigned number) {
    bj_script_server *server = &s->servers[number];
    const bj_named *given = script_given_server(s, number);
    server->same = number;
    if (!given) {
        return false;
    }
    server->given = true;
    s->strangers[number] = false;
    snprintf(server->name, sizeof server->name, "%s", given->name.bytes);
    snprintf(server->host, sizeof server->host, "%s", bj_get_string(given->records[0], BJ_F(SERVER, HOST), ""));
    server->initial = server->port = bj_get_uint(given->records[0], BJ_F(SERVER, STATE), 0);
    for (unsigned i = 0; i < number; i++) {
        bool same = s->servers[i].same == i && script_given_server(s, i) == given;
        server->same = same ? i : server->same;
    }
    return true;
}

static void name_server(bj_script *s, unsigned number, const bj_names *names) {
    bj_script_server *server = &s->servers[number];
    for (size_t i = 0; i < names->count; i++) {
        if (!bj_addr_same_host(&names->all[i].address, &server->seen)) {
            continue;
        }
        const char *name = names->all[i].name;
        if (!*server->name && is_label(name) && is_free(s, number, name)) {
            snprintf(server->name, sizeof server->name, "%s", name);
        } else if (!*server->host && strchr(name, '.')) {
            snprintf(server->host, sizeof server->host, "%s", name);
        }
    }
    const char *usual[] = { script_is_stranger(s, number)        ? "stranger"
                            : s->talk->servers[number].bootstrap ? "bs"
                                                                 : "mgmt" };
    for (unsigned n = 1; !*server->name; n++) {
        BJ_TEXT(name, 40);
        bj_text_printf(&name, n == 1 ? "%s" : "%s-%u", usual[0], n);
        if (is_free(s, number, name.start)) {
            memcpy(server->name, name.start, name.used + 1);
        }
    }
}

/* Names that name servers answered in the capture. */
static void resolve(bj_script *s) {
    for (size_t i = 0; i < s->talk->name_count; i++) {
        for (unsigned n = 0; n < s->talk->server_count; n++) {
            bj_script_server *server = &s->servers[n];
            if (bj_addr_same_host(&server->seen, &s->talk->names[i].address) && !*server->host) {
                snprintf(server->host, sizeof server->host, "%s", s->talk->names[i].name);
            }
        }
    }
}

void script_find_servers(bj_script *s) {
    bj_names names;
    bool any = false;
    bj_names_read(&names, s->field->options->units.source.name);
    find_strangers(s);
    for (unsigned i = 0; i < s->talk->server_count; i++) {
        s->servers[i].seen = s->talk->servers[i].address;
        s->servers[i].here = moved(&s->servers[i].seen);
        any |= is_taken(&s->servers[i].seen);
        if (!take_given(s, i)) {
            name_server(s, i, &names);
        }
    }
    resolve(s);
    if (any) {
        script_assume(s, "addresses that the simulated world keeps for the client are others here, in URIs, too");
    }
}

static bj_transport transport_of(const bj_talk_server *t) {
    return t->stream ? (t->secure ? BJ_TLS : BJ_TCP) : t->secure ? BJ_DTLS : BJ_UDP;
}

/* The Capabilities and Settings of a server (RFC 8323 §5.3.1: option 2 is Max-Message-Size): the largest that it says.
 */
static void put_settings(bj_script *s, bj_record *r, unsigned number) {
    uint32_t most = 0;
    for (size_t i = 0; i < s->talk->count; i++) {
        const bj_message *m = &s->talk->messages[i];
        uint32_t size = 1152;
        bj_coap c;
        if (m->server == number && !m->by_client && m->kind == BJ_TALK_SIGNAL && m->code == BJ_COAP_CODE(7, 1) &&
            bj_message_decode(m, &c) == BJ_COAP_OK) {
            bj_coap_find_uint(&c, 2, &size);
            most = size > most ? size : most;
        }
    }
    if (most && most != 1152) {
        script_set_uint(s, r, BJ_F(SERVER, MAX_MESSAGE_SIZE), BJ_T_UINT, most);
    }
}

static bj_record *server_record(bj_script *s, unsigned number) {
    const bj_talk_server *t = &s->talk->servers[number];
    const bj_script_server *server = &s->servers[number];
    bj_record *r = bj_record_new(s->arena, BJ_K_SERVER, (bj_position){ 0 });
    bj_addr host = server->here;
    BJ_TEXT(address, 64);
    host.port = 0;
    bj_addr_print(&address, &host);
    if (*server->host) {
        script_set_text(s, r, BJ_F(SERVER, HOST), server->host);
    }
    script_set_uint(s, r, BJ_F(SERVER, PORT), BJ_T_UINT, server->here.port);
    if (transport_of(t) != BJ_UDP) {
        script_set_uint(s, r, BJ_F(SERVER, TRANSPORT), BJ_T_ENUM, transport_of(t));
    }
    set_strings(s, r, BJ_F(SERVER, ADDRESSES), BJ_T_STRINGS, address.start);
    if (t->stream) {
        put_settings(s, r, number);
    }
    if (t->secure) {
        script_put_key(s, r, number, BJ_F(SERVER, IDENTITY), BJ_F(SERVER, KEY));
    }
    return r;
}

static void put_server(bj_script *s, bj_named *named, const char *name, bj_record *r, uint32_t port) {
    const bj_record **one = bj_record_list(s->arena, 1);
    if (port) {
        script_set_uint(s, r, BJ_F(SERVER, STATE), BJ_T_ENUM, port);
    }
    one[0] = r;
    *named = (bj_named){ .name = { name, strlen(name) }, .records = one, .count = 1 };
}

static void put_given_server(bj_script *s, bj_named *named, const bj_named *given) {
    bj_record *r = script_given_record(s, given);
    uint32_t port = bj_get_uint(given->records[0], BJ_F(SERVER, STATE), 0);
    for (unsigned i = 0; i < s->talk->server_count; i++) {
        bool it = s->servers[i].given && s->servers[i].same == i && script_given_server(s, i) == given;
        uint32_t transport = transport_of(&s->talk->servers[i]);
        port = it ? s->servers[i].port : port;
        if (it && s->talk->servers[i].stream) {
            put_settings(s, r, i);
        }
        if (it && transport != BJ_UDP && !bj_get(r, BJ_F(SERVER, TRANSPORT))) {
            script_set_uint(s, r, BJ_F(SERVER, TRANSPORT), BJ_T_ENUM, transport);
        }
    }
    put_server(s, named, given->name.bytes, r, port);
}

void script_put_servers(bj_script *s) {
    unsigned count = 0;
    bj_value v = { .type = BJ_T_NAMED };
    const bj_value *given = s->noted.given ? bj_get(s->noted.given, BJ_F(SCENARIO, SERVERS)) : NULL;
    size_t given_count = given ? given->as.named.count : 0;
    bj_named *named = bj_arena_calloc(s->arena, s->talk->server_count + given_count + 1, sizeof *named);
    for (size_t i = 0; i < given_count; i++) {
        if (given->as.named.items[i].count) {
            put_given_server(s, &named[count++], &given->as.named.items[i]);
        }
    }
    for (unsigned i = 0; i < s->talk->server_count; i++) {
        if (!s->servers[i].given && (s->servers[i].named || !script_is_stranger(s, i))) {
            put_server(s, &named[count++], s->servers[i].name, server_record(s, i),
                       s->servers[i].met ? s->servers[i].port : 0);
        }
    }
    v.as.named.items = named;
    v.as.named.count = count;
    bj_set(s->arena, s->root, BJ_F(SCENARIO, SERVERS), &v);
}

/* --- the client ----------------------------------------------------------------------------------------------- */

static void uri_of(const bj_script *s, unsigned number, bj_text *out) {
    static const char *const schemes[] = { "coap://", "coap+tcp://", "coaps://", "coaps+tcp://" };
    const bj_script_server *server = &s->servers[number];
    bj_addr here = server->here;
    bj_text_add(out, schemes[transport_of(&s->talk->servers[number])]);
    if (*server->host) {
        bj_text_printf(out, "%s:%u", server->host, here.port);
    } else {
        bj_addr_print(out, &here);
    }
}

static bj_record *account(bj_script *s, unsigned server) {
    bj_record *r = bj_record_new(s->arena, BJ_K_ACCOUNT, (bj_position){ 0 });
    BJ_TEXT(uri, 300);
    uri_of(s, server, &uri);
    script_set_text(s, r, BJ_F(ACCOUNT, URI), uri.start);
    if (s->talk->servers[server].secure) {
        script_set_uint(s, r, BJ_F(ACCOUNT, SECURITY), BJ_T_ENUM, 0);
        script_put_key(s, r, server, BJ_F(ACCOUNT, IDENTITY), BJ_F(ACCOUNT, KEY));
    }
    return r;
}

/* A server that the client registers with before any Finish is one of the factory's. */
static bj_record *factory_account(bj_script *s, const bj_message *m, const bj_coap *c, uint32_t ssid) {
    bj_record *r = account(s, m->server);
    bj_time lifetime;
    BJ_TEXT(lt, 24);
    BJ_TEXT(seconds, 30);
    BJ_TEXT(b, 24);
    script_set_uint(s, r, BJ_F(ACCOUNT, SSID), BJ_T_UINT, ssid);
    if (bj_coap_query(c, "lt", &lt)) {
        bj_text_printf(&seconds, "%ss", lt.start);
        if (bj_duration_parse(seconds.start, seconds.used, &lifetime) && lifetime <= BJ_DURATION_MAX) {
            script_set_duration(s, r, BJ_F(ACCOUNT, LIFETIME), lifetime);
        }
    }
    if (bj_coap_query(c, "b", &b)) {
        script_set_text(s, r, BJ_F(ACCOUNT, BINDING), b.start);
    }
    return r;
}

static void put_accounts(bj_script *s, bj_record *client) {
    const bj_record *found[8];
    bool known[BJ_TALK_SERVERS] = { false };
    size_t count = 0;
    for (size_t i = 0; i < s->talk->count && count < 8; i++) {
        const bj_message *m = &s->talk->messages[i];
        bj_request_kind kind = bj_request_kind_of(s->talk, m);
        bj_coap c;
        bool pack = kind == BJ_REQ_PACK && m->answer != BJ_TALK_NONE && s->talk->messages[m->answer].code >> 5 == 2;
        if ((kind == BJ_REQ_FINISH && m->answer != BJ_TALK_NONE) || pack) {
            break;
        }
        if (kind == BJ_REQ_REGISTER && m->by_client && !known[m->server] && bj_message_decode(m, &c) == BJ_COAP_OK) {
            known[m->server] = true;
            found[count] = factory_account(s, m, &c, (uint32_t) count + 1);
            count++;
        }
    }
    if (count) {
        bj_value v = { .type = BJ_T_RECORDS };
        const bj_record **list = bj_record_list(s->arena, count);
        memcpy(list, found, count * sizeof(void *));
        v.as.records.items = list;
        v.as.records.count = count;
        bj_set(s->arena, client, BJ_F(CLIENT, ACCOUNTS), &v);
        script_assume(s,
                      "server accounts of the factory are those with which the client registers before any bootstrap");
    }
}

/* Queries of a request for a bootstrap that are none of its own: they stand in the URI, too. */
static void add_queries(bj_text *uri, const bj_coap *c) {
    static const char *const own[] = { "ep=", "pct=", "acc=" };
    const bj_coap_option *q;
    bool any = false;
    for (size_t i = 0; (q = bj_coap_find(c, BJ_COAP_URI_QUERY, i)); i++) {
        bool known = false;
        for (unsigned n = 0; n < 3; n++) {
            known |= q->length >= strlen(own[n]) && !memcmp(q->value, own[n], strlen(own[n]));
        }
        if (!known) {
            bj_text_add(uri, any ? "&" : "?");
            bj_text_add_bytes(uri, (const char *) q->value, q->length);
            any = true;
        }
    }
}

/* A Bootstrap-Request goes below the path of the URI (LwM2M Transport 1.1 §6.4.2). */
static void add_root(bj_script *s, bj_record *r, unsigned server) {
    for (size_t i = 0; i < s->talk->count; i++) {
        const bj_message *m = &s->talk->messages[i];
        bj_coap c;
        BJ_TEXT(path, 400);
        BJ_TEXT(uri, 700);
        bj_request_kind kind = m->by_client ? bj_request_kind_of(s->talk, m) : BJ_REQ_OTHER;
        size_t own = kind == BJ_REQ_BOOTSTRAP ? strlen("/bs") : kind == BJ_REQ_PACK ? strlen("/bspack") : 0;
        if (m->server != server || !own || bj_message_decode(m, &c) != BJ_COAP_OK) {
            continue;
        }
        bj_coap_path(&c, BJ_COAP_URI_PATH, &path);
        bj_text_printf(&uri, "%s%.*s", bj_get_string(r, BJ_F(ACCOUNT, URI), ""), (int) (path.used - own), path.start);
        add_queries(&uri, &c);
        script_set_text(s, r, BJ_F(ACCOUNT, URI), uri.start);
        return;
    }
}

static void put_bootstrap(bj_script *s, bj_record *client) {
    for (unsigned i = 0; i < s->talk->server_count; i++) {
        if (!s->talk->servers[i].bootstrap) {
            continue;
        }
        bj_record *r = account(s, i);
        add_root(s, r, i);
        const bj_party *one = &s->field->parties.all[s->talk->party];
        bj_time told = s->field->options->holdoff;
        s->holdoff = told != BJ_NEVER ? told : s->holdoff;
        s->holdoff_cap =
            told != BJ_NEVER && (s->holdoff_cap == BJ_NEVER || s->holdoff_cap < told) ? told : s->holdoff_cap;
        if (s->holdoff != BJ_NEVER && s->holdoff) {
            script_set_duration(s, r, BJ_F(ACCOUNT, HOLDOFF), s->holdoff);
            script_set_duration(s, client, BJ_F(CLIENT, HOLDOFF_CAP), s->holdoff_cap);
        }
        if (told == BJ_NEVER && s->holdoff != BJ_NEVER && s->holdoff != s->holdoff_cap) {
            script_assume(s,
                          "the hold-off is half the first time between an attempt and the next, in whole seconds; it "
                          "doubles, up to the longest of them");
        } else if (told == BJ_NEVER && s->holdoff != BJ_NEVER) {
            script_assume(s, "the hold-off is the shortest time between an attempt and the next, in whole seconds, and "
                             "does not grow");
        } else if (told == BJ_NEVER) {
            script_assume(s, "the hold-off is not to be seen: none");
        }
        int instance = s->field->options->instance >= 0 ? s->field->options->instance : one->instance;
        if (instance >= 0) {
            script_set_uint(s, r, BJ_F(ACCOUNT, INSTANCE), BJ_T_UINT, (uint32_t) instance);
        } else {
            script_assume(s, "where the bootstrap account is in /0 is not to be seen: where the client puts it");
        }
        script_set_record(s, client, BJ_F(CLIENT, BOOTSTRAP), r);
        return;
    }
}

static bool lists(const bj_coap *c, const char *object) {
    const char *text = (const char *) c->payload;
    size_t n = strlen(object);
    for (size_t i = 0; text && i + n < c->payload_length; i++) {
        if (!memcmp(text + i, object, n) && (text[i + n] == '/' || text[i + n] == '>')) {
            return true;
        }
    }
    return false;
}

/* 4.06: what was written was judged. */
static bool refuses_finish(const bj_script *s, const bj_message *m) {
    return m->kind == BJ_TALK_RESPONSE && m->by_client && m->code == BJ_COAP_CODE(4, 6) && m->request != BJ_TALK_NONE &&
           bj_request_kind_of(s->talk, &s->talk->messages[m->request]) == BJ_REQ_FINISH;
}

/* Does it take operations of its Bootstrap-Server that it did not ask for (LwM2M TS 1.0 §5.2.3.4)? */
static bool is_legacy(const bj_talk *t) {
    bool open = false;
    for (size_t i = 0; i < t->count; i++) {
        const bj_message *m = &t->messages[i];
        bool asks = m->kind == BJ_TALK_REQUEST && m->by_client;
        const bj_message *of =
            m->kind == BJ_TALK_RESPONSE && m->by_client && m->request != BJ_TALK_NONE ? &t->messages[m->request] : NULL;
        bj_request_kind kind = asks ? bj_request_kind_of(t, m) : BJ_REQ_OTHER;
        bool taken = of && t->servers[m->server].bootstrap && m->code >> 5 == 2 && of->answer == (int) i;
        if (taken && !open) {
            return true;
        }
        open |= kind == BJ_REQ_BOOTSTRAP || kind == BJ_REQ_PACK;
        open &= !(taken && bj_request_kind_of(t, of) == BJ_REQ_FINISH);
    }
    return false;
}

/* What requests of the client say of it: version, queue mode, Objects. */
static void put_nature(bj_script *s, bj_record *client) {
    bool test = false, access = false, queue = false, pack = false, strict = false;
    BJ_TEXT(version, 24);
    for (size_t i = 0; i < s->talk->count; i++) {
        const bj_message *m = &s->talk->messages[i];
        bj_request_kind kind = m->by_client ? bj_request_kind_of(s->talk, m) : BJ_REQ_OTHER;
        bj_coap c;
        strict |= refuses_finish(s, m);
        if (!kind || bj_message_decode(m, &c) != BJ_COAP_OK) {
            continue;
        }
        pack |= kind == BJ_REQ_PACK;
        if (kind == BJ_REQ_REGISTER) {
            test |= lists(&c, "</3442");
            access |= lists(&c, "</2");
            queue |= bj_coap_query(&c, "Q", NULL);
            if (!version.used) {
                bj_coap_query(&c, "lwm2m", &version);
            }
        }
    }
    bool known =
        !strncmp(version.start, "1.0", 3) || !strncmp(version.start, "1.1", 3) || !strncmp(version.start, "1.2", 3);
    version.start[known ? 3 : version.used] = 0;
    if (known || pack) {
        script_set_text(s, client, BJ_F(CLIENT, VERSION), known ? version.start : "1.2");
    }
    if (pack || !strcmp(version.start, "1.2")) {
        script_set_bool(s, client, BJ_F(CLIENT, PACK), pack);
    }
    if (strict) {
        script_set_bool(s, client, BJ_F(CLIENT, STRICT), true);
        script_assume(s, "a client that refuses a Finish with 4.06 does so for all that can be known then: strict");
    }
    if (is_legacy(s->talk)) {
        script_set_bool(s, client, BJ_F(CLIENT, LEGACY), true);
    }
    if (queue) {
        script_set_bool(s, client, BJ_F(CLIENT, QUEUE), true);
    }
    if (access) {
        script_set_bool(s, client, BJ_F(CLIENT, ACCESS_CONTROL), true);
    }
    if (test) {
        script_set_bool(s, client, BJ_F(CLIENT, TEST_OBJECT), true);
    }
}

void script_put_client(bj_script *s) {
    const bj_party *one = &s->field->parties.all[s->talk->party];
    bj_record *client = bj_record_new(s->arena, BJ_K_CLIENT, (bj_position){ 0 });
    if (script_put_given(s, BJ_F(SCENARIO, CLIENT))) {
        script_put_given(s, BJ_F(SCENARIO, DNS));
        return;
    }
    if (*one->endpoint) {
        script_set_text(s, client, BJ_F(CLIENT, ENDPOINT), one->endpoint);
    } else {
        script_assume(s, "the Endpoint Client Name is not to be seen: dev-1");
    }
    script_set_text(s, client, BJ_F(CLIENT, HOLDOFF_JITTER), "1");
    put_bootstrap(s, client);
    put_accounts(s, client);
    put_nature(s, client);
    script_set_record(s, s->root, BJ_F(SCENARIO, CLIENT), client);
}
