/* SPDX-License-Identifier: Apache-2.0
 *
 * With whom the client registers, when, and with what: after a bootstrap that ended with success (or with accounts
 * of the factory), with servers of /1 only, as they were written (LwM2M Core 1.1 §6.2.1). Besides: what a server may
 * hear that is the Bootstrap-Server, and what a server that is not may reach.
 */
#define _GNU_SOURCE
#include "oracle/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FORMAT_LINK = 40 };

/* --- names ---------------------------------------------------------------------------------------------------- */

static oracle_name *name_of(bj_oracle *o, const char *name, size_t length, bool make) {
    for (unsigned i = 0; i < o->name_count; i++) {
        if (strlen(o->names[i].name) == length && !memcmp(o->names[i].name, name, length)) {
            return &o->names[i];
        }
    }
    if (!make || o->name_count == ORACLE_NAMES || length >= sizeof o->names[0].name) {
        return NULL;
    }
    oracle_name *n = &o->names[o->name_count++];
    *n = (oracle_name){ .count = 0 };
    memcpy(n->name, name, length);
    return n;
}

static void add_address(oracle_name *n, const char *text, size_t length) {
    bj_addr address;
    bool any = bj_addr_parse(text, length, &address), known = false;
    for (unsigned i = 0; any && i < n->count; i++) {
        known |= bj_addr_equal(&n->addresses[i], &address);
    }
    if (any && !known && n->count < sizeof n->addresses / sizeof n->addresses[0]) {
        n->addresses[n->count++] = address;
    }
}

/* "name = 192.0.2.1, 2001:db8::1": all that a name ever led to counts. */
static void resolved(bj_oracle *o, const bj_event *e) {
    const char *equals = e->text ? memmem(e->text, e->text_length, " = ", 3) : NULL;
    oracle_name *n = equals ? name_of(o, e->text, (size_t) (equals - e->text), true) : NULL;
    const char *end = e->text + e->text_length;
    for (const char *at = equals ? equals + 3 : end; n && at < end;) {
        const char *comma = memchr(at, ',', (size_t) (end - at));
        add_address(n, at, (size_t) ((comma ? comma : end) - at));
        at = comma ? comma + 2 : end;
    }
}

/* --- URIs ----------------------------------------------------------------------------------------------------- */

typedef struct uri {
    char host[256];
    uint16_t port;
} uri;

static bool parse_uri(const char *text, uri *out) {
    static const struct {
        const char *scheme;
        uint16_t port;
    } schemes[] = { { "coap://", 5683 }, { "coaps://", 5684 }, { "coap+tcp://", 5683 }, { "coaps+tcp://", 5684 } };
    for (unsigned i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t n = strlen(schemes[i].scheme);
        if (strncasecmp(text, schemes[i].scheme, n) != 0) { /* RFC 3986 §3.1 */
            continue;
        }
        const char *host = text + n + (text[n] == '[');
        size_t length = strcspn(host, text[n] == '[' ? "]" : ":/?");
        const char *behind = host + length + (text[n] == '[' && host[length]);
        if (!length || length >= sizeof out->host) {
            return false;
        }
        memcpy(out->host, host, length);
        out->host[length] = '\0';
        bool said = *behind == ':' && behind[1] >= '0' && behind[1] <= '9'; /* an empty port is none: RFC 7252 §6.1 */
        out->port = said ? (uint16_t) strtoul(behind + 1, NULL, 10) : schemes[i].port;
        return true;
    }
    return false;
}

/* RFC 3986 §7.4: fewer than four numbers, octal or hexadecimal ones. To some resolvers they are an address. */
static bool is_rare_address(const char *host) {
    return *host >= '0' && *host <= '9' && host[strspn(host, "0123456789abcdefABCDEFxX.")] == '\0';
}

int oracle_uri_leads_to(const bj_oracle *o, const char *text, const bj_addr *address) {
    uri u;
    bj_addr literal;
    if (!parse_uri(text, &u)) {
        return 0;
    }
    if (bj_addr_parse(u.host, strlen(u.host), &literal)) {
        return bj_addr_same_host(&literal, address) && u.port == address->port;
    }
    const oracle_name *n = name_of((bj_oracle *) (uintptr_t) o, u.host, strlen(u.host), false);
    for (unsigned i = 0; n && i < n->count; i++) {
        if (bj_addr_same_host(&n->addresses[i], address)) {
            return u.port == address->port;
        }
    }
    return o->config.exact && !is_rare_address(u.host) ? 0 : -1;
}

bool oracle_uri_is_host(const bj_oracle *o, const char *text, const bj_addr *address) {
    uri u;
    if (!parse_uri(text, &u)) {
        return false;
    }
    bj_addr there = *address;
    there.port = u.port;
    return oracle_uri_leads_to(o, text, &there) == 1;
}

bool oracle_uri_name(const char *text, const char **host, size_t *length) {
    uri u;
    bj_addr literal;
    if (!parse_uri(text, &u) || bj_addr_parse(u.host, strlen(u.host), &literal)) {
        return false;
    }
    *host = strstr(text, "://") + 3;
    *length = strlen(u.host);
    return true;
}

/* --- accounts ------------------------------------------------------------------------------------------------- */

static bool usable(const oracle_instance *one, unsigned object) {
    return one->used && !one->deleted && one->object == object;
}

/* Every letter of `b` is one of the written binding, where that says something. */
static bool binding_fits(const char *b, const char *written) {
    return !*written || strspn(b, written) == strlen(b);
}

/* Why this account is not the one; NULL when it is. */
static const char *misfit(const bj_oracle *o, const oracle_instance *security, const oracle_instance *server,
                          const oracle_seen *s) {
    BJ_TEXT(lt, 24);
    BJ_TEXT(b, 24);
    if (security->bootstrap == 1) {
        return "its account is that of the Bootstrap-Server";
    }
    if (*security->uri && oracle_uri_leads_to(o, security->uri, &s->peer) == 0) {
        return "its URI leads elsewhere";
    }
    if (security->ssid != server->ssid) {
        return "no instance of /1 has its Short Server ID";
    }
    if (server->lifetime >= 0 && bj_coap_query(&s->m, "lt", &lt) && strtoll(lt.start, NULL, 10) != server->lifetime) {
        return "lt is not the Lifetime that was written";
    }
    if (bj_coap_query(&s->m, "b", &b) && !binding_fits(b.start, server->binding)) {
        return "b is not the Binding that was written";
    }
    return NULL;
}

/* How far along the checks of misfit() the best account came: its mistake is the one to tell. */
static const char *best_misfit(const bj_oracle *o, const oracle_seen *s, bool *fits) {
    const char *best = "the client has no server account";
    size_t rank = 0;
    static const char *const order[] = { "its account", "its URI", "no instance", "lt", "b is" };
    *fits = false;
    for (unsigned i = 0; i < o->accounts.count; i++) {
        for (unsigned n = 0; n < o->accounts.count; n++) {
            const oracle_instance *security = &o->accounts.items[i], *server = &o->accounts.items[n];
            if (!usable(security, 0) || !usable(server, 1)) {
                continue;
            }
            const char *why = security->vague || server->vague ? NULL : misfit(o, security, server, s);
            *fits |= !why;
            for (size_t r = 0; why && r < sizeof order / sizeof order[0]; r++) {
                if (!strncmp(why, order[r], strlen(order[r])) && r >= rank) {
                    rank = r;
                    best = why;
                }
            }
        }
    }
    return best;
}

/* --- the rules ------------------------------------------------------------------------------------------------ */

/* When the client asked for the session that is open: not for the one that it may be about to ask for. */
static bj_time last_asked(bj_oracle *o) {
    const oracle_own *own;
    for (uint64_t age = 0; (own = oracle_own_at(o, age)); age++) {
        if (own->purpose == ORACLE_BOOTSTRAP && own->event != o->last_event) {
            return own->first;
        }
    }
    return 0;
}

/* What is done behind the Finish, and behind the last of its copies, shows that the session goes on; what has no
 * answer, or is refused, may have come when it was over. */
bool oracle_finish_pending(bj_oracle *o) {
    oracle_foreign *f;
    bool open = o->attempt.phase == ORACLE_SESSION;
    bj_time began = open ? last_asked(o) : 0, done = 0;
    for (uint64_t age = 0; open && (f = oracle_foreign_at(o, age)) && f->last >= began; age++) {
        bool command = f->bootstrap && f->operation, finish = command && f->operation == ORACLE_OP_FINISH;
        if (finish && !f->responses) {
            return (!done || f->last > done) && (f->secure || !o->config.exact);
        }
        bool taken = command && f->responses && f->response >> 5 == 2;
        done = taken ? oracle_max(done, f->last) : done;
        open = !finish || !taken;
    }
    return false;
}

static void check_register(bj_oracle *o, const oracle_seen *s) {
    BJ_TEXT(ep, 256);
    bool fits, factory = false;
    for (unsigned i = 0; i < o->config.account_count; i++) {
        factory |= !o->config.accounts[i].bootstrap;
    }
    if (o->config.endpoint && bj_coap_query(&s->m, "ep", &ep) && strcmp(ep.start, o->config.endpoint) != 0) {
        oracle_break(o, BJ_RULE_BS_REGISTER, s->time, s->event->sequence,
                     "a Register whose ep is not the Endpoint Client Name");
    }
    if (!o->attempt.ever_finished && !factory && o->config.known && !o->config.legacy) {
        oracle_break(o, BJ_RULE_BS_REGISTER, s->time, s->event->sequence,
                     "a Register before any bootstrap has ended with success, and without an account of the factory");
    } else if (!o->accounts.vague && o->attempt.phase != ORACLE_SESSION) {
        const char *why = best_misfit(o, s, &fits);
        if (!fits) {
            oracle_break(o, BJ_RULE_BS_REGISTER, s->time, s->event->sequence, "a Register that no account allows: %s",
                         why);
        }
    }
}

static bool lists(const bj_coap *m, unsigned object) {
    const char *text = (const char *) m->payload;
    size_t length = m->payload_length;
    bj_path path;
    while (oracle_next_target(&text, &length, &path)) {
        if (path.depth && path.ids[0] == object) {
            return true;
        }
    }
    return false;
}

static void check_objects(bj_oracle *o, const oracle_seen *s) {
    static const unsigned hidden[] = { 0, 21 };
    uint32_t format = FORMAT_LINK;
    bj_coap_find_uint(&s->m, BJ_COAP_CONTENT_FORMAT, &format);
    for (unsigned i = 0; format == FORMAT_LINK && i < sizeof hidden / sizeof hidden[0]; i++) {
        if (lists(&s->m, hidden[i])) {
            oracle_break(o, BJ_RULE_REG_OBJECTS, s->time, s->event->sequence,
                         "a registration lists instances of /%u, which is the client's own", hidden[i]);
        }
    }
}

/* The same address may be that of a server that was written, too. */
bool oracle_is_server_too(const bj_oracle *o, const bj_addr *address) {
    for (unsigned i = 0; i < o->accounts.count; i++) {
        const oracle_instance *one = &o->accounts.items[i];
        if (usable(one, 0) && one->bootstrap != 1 && (one->vague || oracle_uri_leads_to(o, one->uri, address))) {
            return true;
        }
    }
    for (unsigned i = 0; i < o->before.count; i++) {
        const oracle_instance *before = &o->before.items[i];
        if (usable(before, 0) && before->bootstrap != 1 && oracle_uri_leads_to(o, before->uri, address)) {
            return true;
        }
    }
    return o->accounts.vague;
}

/* Keeps a Register until the answer to Finish is seen. */
static void defer(bj_oracle *o, const oracle_seen *s) {
    oracle_seen *kept = &o->deferred[o->deferred_count++];
    *kept = *s;
    if (o->config.transient) {
        kept->event = bj_arena_copy(o->arena, s->event, sizeof *s->event);
        kept->bytes = oracle_keep(o, s->bytes, s->length);
        kept->fault = s->stream ? bj_coap_tcp_decode(&kept->m, kept->bytes, s->length)
                                : bj_coap_decode(&kept->m, kept->bytes, s->length);
    }
}

/* The rest of a bootstrap pack that came in blocks. */
static bool asks_for_block_of_pack(const bj_coap *m) {
    BJ_TEXT(path, 300);
    bj_coap_path(m, BJ_COAP_URI_PATH, &path);
    return m->code == 1 && path.used >= 7 && !strcmp(path.start + path.used - 7, "/bspack");
}

static void client_asked(bj_oracle *o, const oracle_seen *s) {
    oracle_purpose purpose = oracle_purpose_of(&s->m);
    if (purpose == ORACLE_REGISTER || purpose == ORACLE_UPDATE) {
        check_objects(o, s);
    }
    const oracle_own *own = oracle_own_at(o, 0);
    bool anew = own && own->event == s->event->sequence && own->copies == 1;
    if (purpose == ORACLE_REGISTER && !anew) {
        return; /* it was judged by the accounts that counted then */
    }
    if (purpose == ORACLE_REGISTER && oracle_finish_pending(o)) {
        if (o->deferred_count < ORACLE_DEFERRED) {
            defer(o, s);
        }
    } else if (purpose == ORACLE_REGISTER) {
        check_register(o, s);
    }
    if (purpose != ORACLE_BOOTSTRAP && purpose != ORACLE_PACK && !asks_for_block_of_pack(&s->m) &&
        oracle_is_bootstrap(o, &s->peer) && !oracle_is_server_too(o, &s->peer)) {
        BJ_TEXT(path, 200);
        bj_coap_path(&s->m, BJ_COAP_URI_PATH, &path);
        oracle_break(o, BJ_RULE_BS_ONLY_REQUESTS, s->time, s->event->sequence,
                     "the client asks its Bootstrap-Server for something else than a bootstrap: %s %s",
                     bj_coap_method_name(s->m.code) ? bj_coap_method_name(s->m.code) : "?", path.start);
    }
}

/* A capture that begins in a session does not show whose it is: a server is one with which the client registered. */
static bool may_be_the_bootstrap_server(bj_oracle *o, const bj_addr *peer) {
    const oracle_peer *p = o->config.captured ? oracle_peer_of(o, peer, false) : NULL;
    return oracle_is_bootstrap(o, peer) || (o->config.captured && (!p || !p->ever));
}

/* LwM2M Core 1.1 §6.1.2, E.1: /0 is the Bootstrap-Server's alone. */
static void client_answered(bj_oracle *o, const oracle_seen *s) {
    const oracle_foreign *f = oracle_request_of(o, s);
    bool object = f && f->path.depth && !f->root_named && (f->path.ids[0] == 0 || f->path.ids[0] == 21);
    if (object && !f->bootstrap && !f->reused && !may_be_the_bootstrap_server(o, &s->peer) && s->m.code >> 5 == 2 &&
        s->m.code != BJ_COAP_CODE(2, 31)) { /* which says of a block that it came, and nothing of the whole */
        BJ_TEXT(what, 200);
        oracle_describe_foreign(f, &what);
        oracle_break(o, BJ_RULE_SEC_OBJECT_CLOSED, s->time, s->event->sequence,
                     "a server that is not the Bootstrap-Server succeeds with %s", what.start);
    }
}

static void check_deferred(bj_oracle *o) {
    for (unsigned i = 0; i < o->deferred_count && !oracle_finish_pending(o); i++) {
        check_register(o, &o->deferred[i]);
    }
    o->deferred_count = oracle_finish_pending(o) ? o->deferred_count : 0;
}

static void seen(bj_oracle *o, const oracle_seen *s) {
    if (!s->from_client || s->fault != BJ_COAP_OK) {
        return;
    }
    check_deferred(o);
    if (bj_coap_is_response(s->m.code)) {
        client_answered(o, s);
    } else if (bj_coap_is_request(s->m.code) && (s->stream || s->m.type <= BJ_COAP_NON)) {
        client_asked(o, s);
    }
}

static void event(bj_oracle *o, const bj_event *e) {
    if (e->kind == BJ_EV_DNS_ANSWER) {
        resolved(o, e);
    }
}

const oracle_def oracle_registration = {
    .id = "registration", .hears = ORACLE_HEARS(DNS_ANSWER), .event = event, .seen = seen
};
