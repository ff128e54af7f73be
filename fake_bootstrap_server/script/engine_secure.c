/* SPDX-License-Identifier: Apache-2.0
 *
 * Servers behind DTLS and TLS: between the world, which carries records, and the message layer, which sees CoAP. What
 * goes through stands in the log twice, as it was sent and as it was meant, with the keys to decrypt it.
 */
#include <errno.h>
#include <string.h>

#include "script/engine_internal.h"
#include "secure/secure.h"

enum { KEYS = 16, HANDSHAKES = 16 };

/* RFC 6347 §4.2.4.1: a flight is repeated after 1, 2, 4, 8, 16, 32 and 60 s; then the handshake is over. */
#define LONGEST_HANDSHAKE (123 * BJ_SECOND)

typedef struct bj__guard {
    bj_engine *engine;
    uint8_t server;
    bj_secure *secure;
    uint32_t cause;             /* of what leaves now */
    int64_t left;               /* the event of what left last, or a negative errno */
    bj_time hello;              /* when the client began the handshake that goes on; BJ_NEVER */
    bj_time began, established; /* the latest one that ended well */
    int alert;                  /* that came in the handshake that goes on; -1 */
    unsigned handshakes;        /* that are over */
    bj_addr stray;              /* from where a record without a session came last; family 0: none did */
    bj_time strayed;
    bj__handshake over[HANDSHAKES];
} bj__guard;

/* --- the log --- */

/* The server's address at this endpoint as the rest of the log has it: in the real world, the one on which it listens.
 */
static bj_addr own_address(const bj_engine *e, const bj__server *s, int endpoint) {
    size_t a = 0;
    while (a + 1 < s->address_count && s->endpoints[a] != endpoint) {
        a++;
    }
    bj_addr own = s->addresses[a], real;
    bool elsewhere = e->ops->real_address && e->ops->real_address(e->world, s->name, own.port, &real);
    return elsewhere ? real : own;
}

static uint32_t note(const bj__guard *g, bj_event_kind kind, const bj_secure_peer *peer, bj_event event) {
    bj_engine *e = g->engine;
    const bj__server *s = &e->servers[g->server];
    bool received = kind == BJ_EV_PLAIN_RECEIVED;
    event.time = e->ops->now(e->world);
    event.kind = (uint8_t) kind;
    event.actor = (uint8_t) (BJ_ACTOR_SERVER_0 + g->server);
    bj_addr own = own_address(e, s, peer->endpoint);
    event.from = received ? peer->address : own;
    event.to = received ? own : peer->address;
    return bj_log_append(e->ops->log(e->world), &event);
}

static uint32_t note_state(const bj__guard *g, const bj_secure_peer *peer, int number, const char *text) {
    return note(g, BJ_EV_TLS_STATE, peer, (bj_event){ .cause = g->cause, .number = number, .text = text });
}

/* --- what the endpoint asks for --- */

static bj_time now(void *guard) {
    const bj_engine *e = ((bj__guard *) guard)->engine;
    return e->ops->now(e->world);
}

static uint64_t random_bits(void *guard) {
    const bj_engine *e = ((bj__guard *) guard)->engine;
    return e->ops->random(e->world);
}

static void out(void *guard, const bj_secure_peer *peer, const uint8_t *data, size_t length) {
    bj__guard *g = guard;
    bj_engine *e = g->engine;
    const bj__connection *c = bj__connection_of(e, peer->connection);
    if (peer->connection < 0) {
        g->left = e->ops->send(e->world, peer->endpoint, NULL, &peer->address, data, length, g->cause);
    } else if (c) {
        g->left = bj__stream_pieces(e, c, data, length, g->cause);
    } else { /* its last words */
        g->left = e->ops->stream_send(e->world, peer->connection, data, length, g->cause);
    }
}

static void plain(void *guard, const bj_secure_peer *peer, const uint8_t *data, size_t length) {
    bj__guard *g = guard;
    bj_engine *e = g->engine;
    bj__server *s = &e->servers[g->server];
    uint32_t cause = g->cause;
    bj_event event = { .cause = cause, .number = peer->connection, .raw = data, .raw_length = length };
    note(g, BJ_EV_PLAIN_RECEIVED, peer, event);
    if (peer->connection >= 0) {
        bj__stream_bytes(e, peer->connection, data, length, cause);
        return;
    }
    bj__target from = { .known = true, .endpoint = peer->endpoint, .connection = -1, .peer = peer->address };
    bj_coap m;
    bj_coap_fault fault = bj_coap_decode(&m, data, length);
    bj__message(e, s, &from, &m, fault, data, length, cause);
}

static void handshake_over(bj__guard *g, const bj_secure_peer *peer, const bj_secure_event *said) {
    bj__handshake *h = &g->over[++g->handshakes % HANDSHAKES];
    BJ_TEXT(text, 300);
    *h = (bj__handshake){ .number = g->handshakes, .well = said->established, .alert = g->alert, .suite = said->suite };
    if (said->server_name) {
        memcpy(h->server_name, said->server_name, strlen(said->server_name));
    }
    bj_text_printf(&text, said->server_name ? "the client asked for %s" : "the client asked for no name",
                   said->server_name);
    note_state(g, peer, -1, text.start);
    g->alert = -1;
    bj__observation o = { .kind = BJ__SEEN_HANDSHAKE,
                          .server = g->server,
                          .number = h->number,
                          .sent = g->engine->now,
                          .arrived = g->engine->now,
                          .event = g->cause };
    bj__observe(g->engine, &o);
}

const bj__handshake *bj__secure_handshake(const bj__server *s, unsigned number) {
    const bj__handshake *h = s->guard ? &s->guard->over[number % HANDSHAKES] : NULL;
    return h && h->number == number ? h : NULL;
}

/* When the client sent what is being looked at. */
static bj_time client_sent(const bj__guard *g) {
    const bj_engine *e = g->engine;
    bj_time sent, first;
    return bj__sent_time(e, g->cause, &sent, &first) ? sent : bj__sent_unseen(e, &e->servers[g->server]);
}

static void ended(bj__guard *g, const bj_secure_peer *peer, const bj_secure_event *said) {
    BJ_TEXT(text, 160);
    bj_text_printf(&text, "ended: %s", said->text);
    note_state(g, peer, -1, text.start);
    if (!said->established) {
        handshake_over(g, peer, said);
    }
    g->hello = said->anew ? client_sent(g) : BJ_NEVER;
    bj__server *s = &g->engine->servers[g->server];
    if (peer->connection >= 0) {
        bj__stream_end(g->engine, peer->connection);
    } else if (!said->anew && s->peer.known && s->peer.endpoint == peer->endpoint &&
               bj_addr_equal(&s->peer.peer, &peer->address)) {
        s->peer.known = false;
    }
}

static void alert(bj__guard *g, const bj_secure_peer *peer, const bj_secure_event *said) {
    BJ_TEXT(text, 40);
    bool sent = said->kind == BJ_SECURE_ALERT_SENT;
    bj_text_printf(&text, said->number < 0 ? "an alert" : "alert %d", said->number);
    bj_text_add(&text, sent ? " sent" : " received");
    uint32_t noted = note_state(g, peer, said->number, text.start);
    g->alert = sent ? g->alert : said->number;
    if (!sent && (said->level != 1 || !said->number)) {
        bj__let_go(g->engine, &g->engine->servers[g->server], peer->connection, &peer->address);
    }
    if (!bj_secure_established(g->secure, peer) && said->level != 1) { /* a warning ends nothing */
        bj_engine *e = g->engine;
        const bj__server *s = &e->servers[g->server];
        bj__contact_alert(e, s, peer->connection, &peer->address, sent, said->number, noted);
        bj__due_handshake_failed(e, s, sent ? e->now + s->link.latency : client_sent(g));
    } else if (said->level != 1 || !said->number) {
        bj__due_session_ends(g->engine, &g->engine->servers[g->server],
                             sent ? g->engine->now + g->engine->servers[g->server].link.latency : client_sent(g));
    }
}

static void established(bj__guard *g, const bj_secure_peer *peer, const bj_secure_event *said) {
    bj_engine *e = g->engine;
    const bj__connection *c = bj__connection_of(e, peer->connection);
    BJ_TEXT(text, 160);
    bj_text_printf(&text, "established with %s", said->text);
    uint32_t noted = note_state(g, peer, -1, text.start);
    bj__contact_established(e, &e->servers[g->server], peer->connection, &peer->address, said->suite, noted);
    handshake_over(g, peer, said);
    g->began = g->hello;
    g->established = e->now;
    g->hello = BJ_NEVER;
    if (c) {
        bj__stream_up(e, c, g->cause);
    }
}

/* What came, as the log would show it leave: where it does not, a handshake begins here. */
static bj_event as_sent(const bj__guard *g, const bj_secure_peer *peer, const uint8_t *data, size_t length) {
    return (bj_event){ .sequence = g->cause,
                       .time = client_sent(g),
                       .number = peer->connection,
                       .from = peer->address,
                       .to = own_address(g->engine, &g->engine->servers[g->server], peer->endpoint),
                       .raw = data,
                       .raw_length = length };
}

/* An address translator may have changed the client's port, or the client has kept a session that its server has not.
 */
static void stray(bj__guard *g, const bj_secure_peer *peer) {
    bj_engine *e = g->engine;
    if (!bj_addr_equal(&g->stray, &peer->address)) {
        BJ_TEXT(text, 200);
        bj_text_add(&text, "a record under DTLS from ");
        bj_addr_print(&text, &peer->address);
        bj_text_printf(&text, " is dropped: %s has no session with that address", e->servers[g->server].name);
        bj__log(e, BJ_EV_NOTE, (uint8_t) (BJ_ACTOR_SERVER_0 + g->server), g->cause, text.start);
    }
    g->stray = peer->address;
    g->strayed = e->now;
}

const bj_addr *bj__secure_stray(const bj_engine *e, bj_time since) {
    const bj__guard *latest = NULL;
    for (unsigned i = 0; i < e->server_count; i++) {
        const bj__guard *g = e->servers[i].guard;
        bool counts = g && g->stray.family && g->strayed >= since;
        latest = counts && (!latest || g->strayed > latest->strayed) ? g : latest;
    }
    return latest ? &latest->stray : NULL;
}

static void hello(const bj__guard *g, const bj_secure_peer *peer, const uint8_t *data, size_t length) {
    bj_event sent = as_sent(g, peer, data, length);
    bj__contact_datagram(g->engine, &g->engine->servers[g->server], &sent);
}

static void event(void *guard, const bj_secure_peer *peer, const bj_secure_event *said) {
    bj__guard *g = guard;
    switch (said->kind) {
    case BJ_SECURE_ESTABLISHED:
        established(g, peer, said);
        break;
    case BJ_SECURE_IDENTITY:
        bj__contact_identity(g->engine, &g->engine->servers[g->server], peer->connection, &peer->address, said->bytes,
                             said->length);
        break;
    case BJ_SECURE_STRAY:
        stray(g, peer);
        break;
    case BJ_SECURE_HELLO:
        hello(g, peer, said->bytes, said->length);
        break;
    case BJ_SECURE_ALERT_SENT:
    case BJ_SECURE_ALERT_RECEIVED:
        alert(g, peer, said);
        break;
    case BJ_SECURE_KEYS:
        note(g, BJ_EV_TLS_KEYS, peer, (bj_event){ .cause = g->cause, .text = said->text });
        break;
    case BJ_SECURE_ENDED:
        ended(g, peer, said);
        break;
    }
}

static const bj_secure_ops ops = { now, random_bits, out, plain, event };

/* --- credentials --- */

static bj_secure_bytes bytes_of(const bj_record *record, unsigned field) {
    const bj_value *value = bj_get(record, field);
    return value ? (bj_secure_bytes){ (const uint8_t *) value->as.string.bytes, value->as.string.length }
                 : (bj_secure_bytes){ NULL, 0 };
}

/* The pre-shared key of an account that leads to this server. */
static void add_account(const bj_engine *e, const bj__server *s, const bj_record *account, bj_secure_psk *psks,
                        size_t *count) {
    const char *text = bj_get_string(account, BJ_F(ACCOUNT, URI), "");
    bj__uri uri;
    bool here = e->heal.on || (bj__uri_parse(text, strlen(text), &uri) && uri.host_length == strlen(s->host) &&
                               !memcmp(uri.host, s->host, uri.host_length));
    if (here && bj_get_uint(account, BJ_F(ACCOUNT, SECURITY), 3) == 0 && *count < KEYS) {
        psks[(*count)++] =
            (bj_secure_psk){ bytes_of(account, BJ_F(ACCOUNT, IDENTITY)), bytes_of(account, BJ_F(ACCOUNT, KEY)) };
    }
}

static size_t keys_of(const bj_engine *e, const bj__server *s, bj_secure_psk *psks) {
    size_t count = 0;
    bj_secure_bytes key = bytes_of(s->record, BJ_F(SERVER, KEY));
    if (key.length && !e->heal.on) {
        psks[count++] = (bj_secure_psk){ bytes_of(s->record, BJ_F(SERVER, IDENTITY)), key };
        return count;
    }
    const bj_record *client = bj_get_record(e->scenario, BJ_F(SCENARIO, CLIENT));
    const bj_record *bootstrap = bj_get_record(client, BJ_F(CLIENT, BOOTSTRAP));
    if (bootstrap) {
        add_account(e, s, bootstrap, psks, &count);
    }
    const bj_value *accounts = bj_get(client, BJ_F(CLIENT, ACCOUNTS));
    for (size_t i = 0; accounts && i < accounts->as.records.count; i++) {
        add_account(e, s, accounts->as.records.items[i], psks, &count);
    }
    return e->heal.on ? bj__heal_keys(e, psks, count, KEYS) : count;
}

static size_t suites_of(const bj__server *s, uint16_t *suites) {
    const bj_value *given = bj_get(s->record, BJ_F(SERVER, SUITES));
    size_t count = 0;
    for (size_t i = 0; given && i < given->as.uints.count && count < BJ_SECURE_SUITES; i++) {
        suites[count++] = (uint16_t) given->as.uints.items[i];
    }
    return count;
}

static bj_secure *endpoint_of(bj_engine *e, const bj__server *s, bj__guard *g, bj_text *why) {
    bj_secure_psk psks[KEYS];
    uint16_t suites[BJ_SECURE_SUITES];
    bj_secure_config config = {
        .stream = s->transport == BJ_TLS,
        .psks = psks,
        .psk_count = keys_of(e, s, psks),
        .certificate = bytes_of(s->record, BJ_F(SERVER, CERTIFICATE)),
        .private_key = bytes_of(s->record, BJ_F(SERVER, PRIVATE_KEY)),
        .client_ca = bytes_of(s->record, BJ_F(SERVER, CLIENT_CA)),
        .suites = suites,
        .suite_count = e->heal.on ? 0 : suites_of(s, suites),
        .mtu = (uint16_t) bj_get_uint(bj_get_record(s->record, BJ_F(SERVER, NETWORK)), BJ_F(LINK, MTU), 0),
        .cookies = bj_get_bool(s->record, BJ_F(SERVER, COOKIES), true),
        .epoch = e->ops->epoch ? e->ops->epoch(e->world) : 0,
    };
    return bj_secure_new(e->arena, &config, &ops, g, why);
}

bool bj__secure_start(bj_engine *e, bj__server *s) {
    if (s->transport < BJ_DTLS) {
        return true;
    }
    bj__guard *g = bj_arena_alloc(e->arena, sizeof *g);
    *g = (bj__guard){ .engine = e, .server = s->index, .hello = BJ_NEVER, .alert = -1 };
    BJ_TEXT(why, 200);
    g->secure = endpoint_of(e, s, g, &why);
    if (!g->secure) {
        bj_position position = s->record ? s->record->position : e->scenario->position;
        bj__conclude_printf(e, BJ_ERROR, position, "server '%s': %s", s->name, why.start);
        return false;
    }
    s->guard = g;
    return true;
}

bool bj__secure_has_keys(const bj_engine *e) {
    bj_secure_psk psks[KEYS];
    return keys_of(e, &(bj__server){ .host = NULL }, psks) > 0;
}

void bj__secure_heal(bj_engine *e, bj__server *s) {
    bj_secure_psk psks[KEYS];
    bool keys = keys_of(e, s, psks) || bytes_of(s->record, BJ_F(SERVER, CERTIFICATE)).length;
    if (s->guard && keys) {
        s->guard = NULL;
        s->peer = (bj__target){ .known = false };
        bj__secure_start(e, s);
    }
}

/* Sessions point into the code of the process that is gone; their peers are gone with it. The arena keeps what they
 * held. */
void bj__secure_attach(bj_engine *e) {
    for (unsigned i = 0; i < e->server_count; i++) {
        if (e->servers[i].guard) {
            e->servers[i].guard = NULL;
            bj__secure_start(e, &e->servers[i]);
        }
    }
}

/* --- from the world --- */

static bj_secure_peer peer_of(const bj__connection *c) {
    return (bj_secure_peer){ .endpoint = c->endpoint, .connection = c->number, .address = c->peer };
}

/* A ClientHello in the clear. */
static bool is_hello(const uint8_t *data, size_t length) {
    return length > 13 && data[0] == 22 && !(data[3] | data[4]) && data[13] == 1;
}

void bj__secure_datagram(bj_engine *e, bj__server *s, int endpoint, const bj_addr *from, const uint8_t *data,
                         size_t length, uint32_t cause) {
    bj__guard *g = s->guard;
    bj_secure_peer peer = { .endpoint = endpoint, .connection = -1, .address = *from };
    g->cause = cause;
    if (is_hello(data, length)) {
        bj_event sent = as_sent(g, &peer, data, length);
        bj__contact_datagram(e, s, &sent);
        g->hello = g->hello == BJ_NEVER ? sent.time : g->hello;
    }
    bj_secure_receive(g->secure, &peer, data, length);
}

void bj__secure_opened(bj_engine *e, const bj__connection *c, uint32_t cause) {
    bj__guard *g = e->servers[c->server].guard;
    bj_secure_peer peer = peer_of(c);
    g->cause = cause;
    g->hello = client_sent(g);
    bj_secure_open(g->secure, &peer);
}

void bj__secure_stream(bj_engine *e, const bj__connection *c, const uint8_t *data, size_t length, uint32_t cause) {
    bj__guard *g = e->servers[c->server].guard;
    bj_secure_peer peer = peer_of(c);
    g->cause = cause;
    bj_event sent = as_sent(g, &peer, data, length);
    bj__contact_stream(e, &e->servers[c->server], &sent);
    bj_secure_receive(g->secure, &peer, data, length);
}

/* --- to the world --- */

int64_t bj__secure_put(bj_engine *e, bj__server *s, const bj__target *to, const uint8_t *data, size_t length,
                       uint32_t cause) {
    (void) e;
    bj__guard *g = s->guard;
    bj_secure_peer peer = { .endpoint = to->endpoint, .connection = to->connection, .address = to->peer };
    uint32_t before = g->cause;
    g->cause = cause;
    g->left = -EMSGSIZE;
    bool sent = bj_secure_send(g->secure, &peer, data, length);
    g->cause = before;
    if (!sent) {
        return bj_secure_established(g->secure, &peer) ? -EMSGSIZE : -ENOTCONN;
    }
    if (g->left >= 0) {
        bj_event said = { .cause = (uint32_t) g->left, .number = to->connection, .raw = data, .raw_length = length };
        note(g, BJ_EV_PLAIN_SENT, &peer, said);
    }
    return g->left;
}

void bj__secure_end(bj_engine *e, const bj__connection *c, bool notify) {
    bj__guard *g = e->servers[c->server].guard;
    if (!g) {
        return;
    }
    bj_secure_peer peer = peer_of(c);
    if (notify) {
        bj_secure_close(g->secure, &peer);
    } else {
        bj_secure_forget(g->secure, &peer);
    }
}

/* The client of the latest handshake, as the endpoint knows it; NULL: there was none. */
static const bj__contact *latest(bj_engine *e, const bj__server *s, bj_secure_peer *peer) {
    const bj__contact *c = s->guard ? bj__contact_latest(e, s) : NULL;
    const bj__connection *over = c ? bj__connection_of(e, c->connection) : NULL;
    if (!c || (c->connection >= 0 && !over)) {
        return NULL;
    }
    *peer = (bj_secure_peer){ .endpoint = s->endpoints[0], .connection = -1, .address = c->from };
    for (size_t a = 0; a < s->address_count; a++) {
        peer->endpoint = bj_addr_equal(&s->addresses[a], &c->to) ? s->endpoints[a] : peer->endpoint;
    }
    if (over) {
        *peer = peer_of(over);
    }
    return c;
}

bool bj__secure_alert(bj_engine *e, const bj__server *s, uint8_t level, uint8_t number, uint32_t cause) {
    bj_secure_peer peer;
    if (!latest(e, s, &peer)) {
        return false;
    }
    s->guard->cause = cause;
    return bj_secure_alert(s->guard->secure, &peer, level, number);
}

bool bj__secure_raw(bj_engine *e, const bj__server *s, const uint8_t *data, size_t length, uint32_t cause) {
    bj_secure_peer peer;
    if (!latest(e, s, &peer)) {
        return false;
    }
    s->guard->cause = cause;
    out(s->guard, &peer, data, length);
    return s->guard->left >= 0;
}

bool bj__secure_notify(bj_engine *e, const bj__server *s, uint32_t cause) {
    bj_secure_peer peer;
    if (!latest(e, s, &peer) || !bj_secure_established(s->guard->secure, &peer)) {
        return false;
    }
    s->guard->cause = cause;
    bj_secure_close(s->guard->secure, &peer);
    return true;
}

void bj__secure_forget(bj__server *s) {
    if (s->guard) {
        bj_secure_forget_all(s->guard->secure);
    }
}

/* --- time --- */

static bj_time allows(const bj__guard *g, bj_time until) {
    if (g->hello != BJ_NEVER) {
        return g->hello <= until ? g->hello + LONGEST_HANDSHAKE : 0;
    }
    return g->established && g->began <= until ? g->established + BJ_SECOND : 0;
}

bj_time bj__secure_allows(const bj_engine *e, const bj__server *only, bj_time until) {
    bj_time latest = 0;
    for (unsigned i = 0; i < e->server_count; i++) {
        const bj__server *s = &e->servers[i];
        latest = s->guard && (!only || s == only) ? bj__max(latest, allows(s->guard, until)) : latest;
    }
    return latest;
}

void bj__secure_tick(bj_engine *e) {
    for (unsigned i = 0; i < e->server_count && !e->done; i++) {
        bj__guard *g = e->servers[i].guard;
        if (g) {
            g->cause = 0;
            bj_secure_tick(g->secure);
        }
    }
}

bj_time bj__secure_timer(const bj_engine *e) {
    bj_time when = BJ_NEVER;
    for (unsigned i = 0; i < e->server_count; i++) {
        const bj__guard *g = e->servers[i].guard;
        when = g ? bj__min(when, bj_secure_deadline(g->secure)) : when;
    }
    return when;
}
