/* SPDX-License-Identifier: Apache-2.0
 *
 * What carries the messages: the transport that the URI of the account names, and nothing in clear where it names a
 * secure one (LwM2M Transport 1.1 §5.2, §6.1, §6.3); whom the client asks for in a handshake, and as whom (RFC 6066 §3,
 * RFC 4279).
 *
 * All URIs, names and identities that the client was ever told are kept: what is none of them is no account's, old or
 * new.
 */
#include "oracle/internal.h"

#include <string.h>
#include <strings.h>

enum { HANDSHAKE = 22, CLIENT_HELLO = 1, CLIENT_KEY_EXCHANGE = 16, SERVER_NAME = 0 };
enum { UDP = 1, DTLS = 2, TCP = 4, TLS = 8 };

static bool is_judged(const bj_oracle *o) {
    return o->config.exact && !o->config.captured && o->config.known && !o->config.state_given && !o->config.legacy;
}

/* --- what the client was told --------------------------------------------------------------------------------- */

void oracle_told_uri(bj_oracle *o, const char *uri) {
    for (unsigned i = 0; i < o->told.uri_count; i++) {
        if (!strcmp(o->told_uris[i], uri)) {
            return;
        }
    }
    if (o->told.uri_count == ORACLE_TOLD || strlen(uri) >= sizeof o->told_uris[0]) {
        o->told.incomplete = true;
        return;
    }
    memcpy(o->told_uris[o->told.uri_count++], uri, strlen(uri) + 1);
}

void oracle_told_identity(bj_oracle *o, const uint8_t *bytes, size_t length) {
    uint64_t mark = oracle_mark(bytes, length);
    for (unsigned i = 0; i < o->told.identity_count; i++) {
        if (o->told.identities[i] == mark) {
            return;
        }
    }
    if (o->told.identity_count == ORACLE_TOLD) {
        o->told.incomplete = true;
        return;
    }
    o->told.identities[o->told.identity_count++] = mark;
}

static void init(bj_oracle *o) {
    for (unsigned i = 0; i < o->config.account_count; i++) {
        const bj_oracle_account *account = &o->config.accounts[i];
        oracle_told_uri(o, account->uri);
        oracle_told_identity(o, account->identity, account->identity_length);
        o->told.names |= account->sni;
        o->told.certificates |= account->mode != 0 && account->mode != 3;
    }
}

static unsigned scheme_of(const char *uri) {
    static const struct {
        const char *begins;
        unsigned transport;
    } schemes[] = { { "coap://", UDP }, { "coaps://", DTLS }, { "coap+tcp://", TCP }, { "coaps+tcp://", TLS } };
    for (unsigned i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (!strncmp(uri, schemes[i].begins, strlen(schemes[i].begins))) {
            return schemes[i].transport;
        }
    }
    return 0;
}

/* The transports by which accounts lead to that address; 0: none does, or one may that is not known. */
static unsigned transports_to(const bj_oracle *o, const bj_addr *address) {
    unsigned found = 0;
    for (unsigned i = 0; i < o->told.uri_count && !o->told.incomplete; i++) {
        if (oracle_uri_leads_to(o, o->told_uris[i], address) == 1) {
            found |= scheme_of(o->told_uris[i]);
        }
    }
    return found;
}

/* Is that the host of an account by DTLS, at another port? */
static bool is_secure_host(const bj_oracle *o, const bj_addr *address) {
    for (unsigned i = 0; i < o->told.uri_count; i++) {
        if (scheme_of(o->told_uris[i]) == DTLS && oracle_uri_is_host(o, o->told_uris[i], address)) {
            return true;
        }
    }
    return false;
}

/* --- transports ----------------------------------------------------------------------------------------------- */

static void check_datagram(bj_oracle *o, const bj_event *e, unsigned used) {
    unsigned meant = transports_to(o, &e->to);
    BJ_TEXT(where, 60);
    bj_addr_print(&where, &e->to);
    if (!meant && used == DTLS && !o->told.incomplete && is_secure_host(o, &e->to)) {
        oracle_break(o, BJ_RULE_SEC_PSK, e->time, e->sequence, "a handshake with %s, a port that no coaps URI leads to",
                     where.start);
    } else if (meant && !(meant & used) && meant & (UDP | DTLS)) {
        oracle_break(o, BJ_RULE_SEC_PSK, e->time, e->sequence, "%s to %s, where the URI says %s",
                     used == UDP ? "a request in clear" : "a handshake", where.start, meant & DTLS ? "coaps" : "coap");
    } else if (meant && !(meant & used)) {
        oracle_break(o, BJ_RULE_TCP_REQUEST, e->time, e->sequence, "a datagram to %s, where the URI means TCP",
                     where.start);
    }
}

static void check_connection(bj_oracle *o, const bj_event *e) {
    unsigned meant = transports_to(o, &e->to);
    if (meant && !(meant & (TCP | TLS))) {
        oracle_break(o, BJ_RULE_TCP_REQUEST, e->time, e->sequence, "a connection over TCP, where the URI means UDP");
    }
}

static void check_stream(bj_oracle *o, const bj_event *e) {
    oracle_connection *c = oracle_connection_of(o, e->number);
    unsigned meant = c && !c->judged ? transports_to(o, &c->peer) & (TCP | TLS) : 0;
    bool tls = e->raw_length > 1 && e->raw[0] == HANDSHAKE && e->raw[1] == 3;
    if (!c || !e->raw_length) {
        return;
    }
    c->judged = true;
    if (meant == TLS && !tls) {
        oracle_break(o, BJ_RULE_TCP_REQUEST, e->time, e->sequence,
                     "a connection without TLS, where the URI says coaps+tcp");
    } else if (meant == TCP && tls) {
        oracle_break(o, BJ_RULE_TCP_REQUEST, e->time, e->sequence,
                     "a connection with TLS, where the URI says coap+tcp");
    }
}

/* --- handshakes ----------------------------------------------------------------------------------------------- */

/* A part of a message. */
typedef struct part {
    const uint8_t *at;
    size_t left;
} part;

static bool take(part *from, size_t length, part *out) {
    if (length > from->left) {
        return false;
    }
    *out = (part){ from->at, length };
    from->at += length;
    from->left -= length;
    return true;
}

static size_t number(const part *p) {
    size_t value = 0;
    for (size_t i = 0; i < p->left; i++) {
        value = value << 8 | p->at[i];
    }
    return value;
}

/* What stands behind a length of so many bytes. */
static bool take_vector(part *from, size_t width, part *out) {
    part length;
    return take(from, width, &length) && take(from, number(&length), out);
}

/* The extensions of a ClientHello (RFC 5246 §7.4.1.2, RFC 6347 §4.2.1). */
static bool extensions_of(part hello, bool datagrams, part *out) {
    part skipped;
    return take(&hello, 34, &skipped) && take_vector(&hello, 1, &skipped) &&
           (!datagrams || take_vector(&hello, 1, &skipped)) && take_vector(&hello, 2, &skipped) &&
           take_vector(&hello, 1, &skipped) && (take_vector(&hello, 2, out) || hello.left == 0);
}

/* The host that is asked for; false: none is. */
static bool server_name_of(part extensions, part *name) {
    part type, body, list, kind;
    while (take(&extensions, 2, &type) && take_vector(&extensions, 2, &body)) {
        if (number(&type) == SERVER_NAME) {
            return take_vector(&body, 2, &list) && take(&list, 1, &kind) && number(&kind) == 0 &&
                   take_vector(&list, 2, name);
        }
    }
    return false;
}

/* Do all accounts that lead there securely name a host, and does one of them name this one? */
static bool asks_for_host(const bj_oracle *o, const bj_addr *address, const part *name, bool *all_named) {
    bool found = false;
    *all_named = true;
    for (unsigned i = 0; i < o->told.uri_count; i++) {
        const char *host;
        size_t length;
        bool secure = scheme_of(o->told_uris[i]) & (DTLS | TLS);
        if (!secure || oracle_uri_leads_to(o, o->told_uris[i], address) != 1) {
            continue;
        }
        bool named = oracle_uri_name(o->told_uris[i], &host, &length);
        *all_named &= named;
        /* RFC 6066 §3: an absolute name is indicated without its dot. */
        size_t bare = named && length > 1 && host[length - 1] == '.' ? length - 1 : length;
        found |= named && (name->left == length || name->left == bare) &&
                 !strncasecmp(host, (const char *) name->at, name->left);
    }
    return found;
}

static void check_hello(bj_oracle *o, const bj_event *e, const bj_addr *address, part hello, bool datagrams) {
    part extensions = { NULL, 0 }, name = { NULL, 0 };
    bj_addr literal;
    bool all_named, known = transports_to(o, address) & (DTLS | TLS);
    if (!known || o->told.names || !extensions_of(hello, datagrams, &extensions)) {
        return;
    }
    bool asks = server_name_of(extensions, &name);
    bool right = asks_for_host(o, address, &name, &all_named);
    if (asks && bj_addr_parse((const char *) name.at, name.left, &literal)) {
        oracle_break(o, BJ_RULE_SEC_SNI, e->time, e->sequence,
                     "the client asks for an address by Server Name Indication");
    } else if (asks && !right && !o->told.incomplete) {
        oracle_break(o, BJ_RULE_SEC_SNI, e->time, e->sequence, "the client asks for '%.*s', which no URI names",
                     (int) (name.left > 100 ? 100 : name.left), (const char *) name.at);
    } else if (!asks && all_named) {
        oracle_break(o, BJ_RULE_SEC_SNI, e->time, e->sequence, "a ClientHello does not say for which host it is");
    }
}

/* RFC 4279 §2: the identity comes first, whatever else there is. */
static void check_identity(bj_oracle *o, const bj_event *e, part exchange) {
    part identity;
    bool known = !o->told.incomplete && !o->told.certificates && transports_to(o, &e->to) == DTLS;
    if (!known || !take_vector(&exchange, 2, &identity)) {
        return;
    }
    uint64_t mark = oracle_mark(identity.at, identity.left);
    for (unsigned i = 0; i < o->told.identity_count; i++) {
        if (o->told.identities[i] == mark) {
            return;
        }
    }
    oracle_break(o, BJ_RULE_SEC_OPAQUE_IDENTITY, e->time, e->sequence,
                 "a handshake with an identity of %zu bytes that no account has", identity.left);
}

/* Handshake messages in clear that are whole in their record. */
static void check_records(bj_oracle *o, const bj_event *e) {
    part datagram = { e->raw, e->raw_length }, head, body;
    while (take(&datagram, 11, &head) && take_vector(&datagram, 2, &body)) {
        part type, length, sequence, offset, fragment;
        bool clear = head.at[0] == HANDSHAKE && !head.at[3] && !head.at[4];
        bool whole = clear && take(&body, 1, &type) && take(&body, 3, &length) && take(&body, 2, &sequence) &&
                     take(&body, 3, &offset) && take_vector(&body, 3, &fragment) && !number(&offset) &&
                     number(&length) == fragment.left;
        if (whole && number(&type) == CLIENT_HELLO) {
            check_datagram(o, e, DTLS);
            check_hello(o, e, &e->to, fragment, true);
        } else if (whole && number(&type) == CLIENT_KEY_EXCHANGE) {
            check_identity(o, e, fragment);
        }
    }
}

static void check_tls(bj_oracle *o, const bj_event *e) {
    const oracle_connection *c = oracle_connection_of(o, e->number);
    part bytes = { e->raw, e->raw_length }, head, body, type, hello;
    bool first =
        c && take(&bytes, 3, &head) && head.at[0] == HANDSHAKE && head.at[1] == 3 && take_vector(&bytes, 2, &body);
    if (first && take(&body, 1, &type) && number(&type) == CLIENT_HELLO && take_vector(&body, 3, &hello)) {
        check_hello(o, e, &c->peer, hello, false);
    }
}

/* --- alerts --------------------------------------------------------------------------------------------------- */

/* LwM2M Core 1.1 E.2, /1/x/11: the last alert that the server sent. */
static void check_alert(bj_oracle *o, const oracle_seen *s) {
    const oracle_foreign *f = oracle_request_of(o, s);
    uint32_t format = 65536;
    bj_entries in;
    bj_entry entry;
    BJ_TEXT(why, 100);
    bj_coap_find_uint(&s->m, BJ_COAP_CONTENT_FORMAT, &format);
    if (!f || f->code != 1 || !f->path.depth || f->path.ids[0] != 1 || !bj_entries_known(format) ||
        bj_coap_find(&s->m, BJ_COAP_BLOCK2, 0) || s->m.payload_length > ORACLE_ROOM) {
        return;
    }
    bj_path above = bj_entries_single(format) ? f->path : bj_path_above_resources(&f->path);
    bj_entries_begin(&in, format, &above, s->m.payload, s->m.payload_length, o->room, ORACLE_ROOM);
    while (bj_entries_next(&in, &entry, &why)) {
        if (entry.path.depth == 3 && entry.path.ids[0] == 1 && entry.path.ids[2] == 11 && entry.kind != BJ_ENTRY_NONE) {
            oracle_break(o, BJ_RULE_SEC_ALERT, s->time, s->event->sequence,
                         "/1/%u/11 shows an alert, and the client never had a secure session", entry.path.ids[1]);
        }
    }
}

/* --- the log -------------------------------------------------------------------------------------------------- */

static void seen(bj_oracle *o, const oracle_seen *s) {
    bool clear = !s->stream && !s->secure && s->from_client && s->fault == BJ_COAP_OK;
    if (!is_judged(o) || !s->from_client || s->fault != BJ_COAP_OK) {
        return;
    }
    if (clear && bj_coap_is_request(s->m.code) && s->event->kind == BJ_EV_SENT) {
        check_datagram(o, s->event, UDP);
    } else if (s->m.code == BJ_COAP_CODE(2, 5) && s->m.payload_length && !o->told.secured) {
        check_alert(o, s);
    }
}

static void event(bj_oracle *o, const bj_event *e) {
    bool by_client = e->actor == BJ_ACTOR_CLIENT && is_judged(o);
    if (e->kind == BJ_EV_SENT && e->raw_length > 13 && e->raw[0] >= 20 && e->raw[0] <= 25 && e->raw[1] == 254) {
        o->told.secured = true;
        if (by_client && e->raw[0] == HANDSHAKE) {
            check_records(o, e);
        }
    } else if (e->kind == BJ_EV_STREAM_OPEN && is_judged(o)) {
        check_connection(o, e);
    } else if (e->kind == BJ_EV_STREAM_SENT && by_client) {
        o->told.secured |= e->raw_length > 1 && e->raw[0] == HANDSHAKE && e->raw[1] == 3;
        check_stream(o, e);
        check_tls(o, e);
    }
}

const oracle_def oracle_transports = { .id = "transport",
                                       .hears =
                                           ORACLE_HEARS(SENT) | ORACLE_HEARS(STREAM_OPEN) | ORACLE_HEARS(STREAM_SENT),
                                       .init = init,
                                       .event = event,
                                       .seen = seen };
