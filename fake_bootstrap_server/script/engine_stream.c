/* SPDX-License-Identifier: Apache-2.0
 *
 * CoAP over TCP, RFC 8323: settings first, Ping and Pong, and messages cut out of the stream. Requests and
 * responses go the way of those over UDP; there are no types, Message IDs, acknowledgements or repetitions.
 */
#include "script/engine_internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

enum {
    SETTINGS = BJ_COAP_CODE(7, 1),
    PING = BJ__PING,
    PONG = BJ__PONG,
    MAX_MESSAGE_SIZE = 2, /* options of the settings */
    BLOCK_WISE_TRANSFER = 4,
    SIZE_IF_NOT_TOLD = 1152, /* RFC 8323 §5.3.1 */
    LARGEST = 70000,         /* no message of a scenario is longer */
};

bj__connection *bj__connection_of(const bj_engine *e, int number) {
    bj__connection *c = e->connections;
    while (c && c->number != number) {
        c = c->next;
    }
    return c;
}

static void forget(bj_engine *e, bj__connection *c, bool notify) {
    bj__connection **link = &e->connections;
    while (*link != c) {
        link = &(*link)->next;
    }
    *link = c->next;
    bj__secure_end(e, c, notify);
    bj__server *s = &e->servers[c->server];
    if (s->peer.connection == c->number) {
        s->peer.known = false;
    }
    bj_arena_free(e->arena, c->buffer);
    bj_arena_free(e->arena, c);
}

void bj__stream_close_all(bj_engine *e, const bj__server *s, bool reset) {
    for (bj__connection *c = e->connections, *next; c; c = next) {
        next = c->next;
        if (c->server == s->index) {
            int number = c->number;
            forget(e, c, !reset);
            e->ops->stream_close(e->world, number, reset);
        }
    }
}

void bj__stream_end(bj_engine *e, int connection) {
    bj__connection *c = bj__connection_of(e, connection);
    if (c) {
        forget(e, c, false);
        e->ops->stream_close(e->world, connection, false);
    }
}

bool bj__stream_hang_up(bj_engine *e, const bj__server *s, bool reset) {
    bj__connection *c = e->connections;
    while (c && c->server != s->index) {
        c = c->next;
    }
    if (c) {
        int number = c->number;
        forget(e, c, false);
        e->ops->stream_close(e->world, number, reset);
    }
    return c != NULL;
}

/* In pieces, when the scenario wants that; not in a healed world, where no link is strange. */
int64_t bj__stream_pieces(bj_engine *e, const bj__connection *c, const uint8_t *data, size_t length, uint32_t cause) {
    const bj__server *s = &e->servers[c->server];
    size_t piece = bj_get_uint(s->record, BJ_F(SERVER, PIECES), 0);
    piece = piece && !s->guard && piece < e->least_piece ? e->least_piece : piece;
    piece = piece && !e->heal.on ? piece : length;
    int64_t sent = -ENODATA;
    while (length && (sent >= 0 || sent == -ENODATA)) {
        size_t now = length < piece ? length : piece;
        sent = e->ops->stream_send(e->world, c->number, data, now, cause);
        data += now;
        length -= now;
    }
    return sent;
}

int64_t bj__stream_put(bj_engine *e, const bj__connection *c, const uint8_t *data, size_t length, uint32_t cause) {
    bj__server *s = &e->servers[c->server];
    if (!s->guard) {
        return bj__stream_pieces(e, c, data, length, cause);
    }
    bj__target to = { .known = true, .endpoint = c->endpoint, .connection = c->number, .peer = c->peer };
    return bj__secure_put(e, s, &to, data, length, cause);
}

/* RFC 8323 §5.3: the first message of either side. Max-Message-Size, 1152 if not given, and Block-Wise-Transfer. */
static void say_settings(bj_engine *e, const bj__connection *c, uint32_t cause) {
    uint8_t room[4], bytes[32];
    uint32_t largest = bj_get_uint(e->servers[c->server].record, BJ_F(SERVER, MAX_MESSAGE_SIZE), SIZE_IF_NOT_TOLD);
    largest = e->heal.on && largest < SIZE_IF_NOT_TOLD ? SIZE_IF_NOT_TOLD : largest; /* well-behaved, as all are then */
    bj_coap settings = { .version = 1, .code = SETTINGS };
    bj_coap_add_uint(&settings, MAX_MESSAGE_SIZE, largest, room);
    bj_coap_add(&settings, BLOCK_WISE_TRANSFER, "", 0);
    bj__stream_put(e, c, bytes, bj_coap_tcp_encode(&settings, bytes, sizeof bytes), cause);
}

void bj__stream_up(bj_engine *e, const bj__connection *c, uint32_t cause) {
    bj__server *s = &e->servers[c->server];
    s->peer = (bj__target){ .known = true, .endpoint = c->endpoint, .connection = c->number, .peer = c->peer };
    if (e->heal.on || bj_get_bool(s->record, BJ_F(SERVER, SETTINGS), true)) {
        say_settings(e, c, cause);
    }
}

static void signalling(bj_engine *e, bj__connection *c, const bj_coap *m, uint32_t event) {
    if (m->code == SETTINGS) {
        c->settings_seen = true;
        bj_coap_find_uint(m, MAX_MESSAGE_SIZE, &c->largest);
    } else if (m->code == PING) {
        bj_coap pong = { .version = 1, .code = PONG, .token_length = m->token_length };
        memcpy(pong.token, m->token, sizeof pong.token);
        uint8_t bytes[32];
        size_t length = bj_coap_tcp_encode(&pong, bytes, sizeof bytes);
        bj__stream_put(e, c, bytes, length, event);
    }
    bj__log(e, BJ_EV_PASSED_OVER, BJ_ACTOR_SCRIPT, event, "a signalling message");
}

static void message(bj_engine *e, bj__connection *c, const uint8_t *data, size_t length, uint32_t event) {
    bj_coap m;
    bj_coap_fault fault = bj_coap_tcp_decode(&m, data, length);
    bj__target from = { .known = true, .endpoint = c->endpoint, .connection = c->number, .peer = c->peer };
    bool awaited = fault == BJ_COAP_OK && m.code == PONG && bj__awaits_pong(e, &from, &m);
    if (fault == BJ_COAP_OK && m.code >> 5 == 7 && !awaited) {
        signalling(e, c, &m, event);
        return;
    }
    m.type = BJ_COAP_CON;
    bj__message(e, &e->servers[c->server], &from, &m, fault, data, length, event);
}

/* Cuts whole messages out of what has come. */
static void cut_messages(bj_engine *e, int number, uint32_t event) {
    size_t at = 0;
    bj__connection *c = bj__connection_of(e, number);
    while (c && !e->done) {
        size_t length = bj_coap_tcp_frame(c->buffer + at, c->used - at);
        if (length > LARGEST) { /* nobody could wait for its end, or find the next message without it */
            bj__strange(e, &e->servers[c->server], event, "a message of a length that no message has");
            forget(e, c, false);
            e->ops->stream_close(e->world, number, true);
            return;
        }
        if (!length || length > c->used - at) {
            break;
        }
        message(e, c, c->buffer + at, length, event);
        at += length;
        c = bj__connection_of(e, number);
    }
    if (c && at) {
        memmove(c->buffer, c->buffer + at, c->used - at);
        c->used -= at;
    }
}

static void keep(bj_engine *e, bj__connection *c, const uint8_t *data, size_t length) {
    if (c->used + length > c->room) {
        c->room = (c->used + length) * 2;
        c->buffer = bj_arena_realloc(e->arena, c->buffer, c->room);
    }
    memcpy(c->buffer + c->used, data, length);
    c->used += length;
}

/* --- from the world; engine.c has the frame of every entry --- */

void bj__stream_opened(bj_engine *e, int endpoint, int connection, const bj_addr *from, uint32_t event) {
    const bj__server *s = bj__server_at_endpoint(e, endpoint);
    if (!s) {
        return;
    }
    bj__connection *c = bj_arena_alloc(e->arena, sizeof *c);
    *c = (bj__connection){ .next = e->connections,
                           .number = connection,
                           .server = s->index,
                           .endpoint = endpoint,
                           .peer = *from,
                           .largest = SIZE_IF_NOT_TOLD };
    e->connections = c;
    bj_event opened = { .sequence = event, .time = e->now, .number = connection, .from = *from, .to = s->addresses[0] };
    bj__contact_accepted(e, s, &opened);
    if (s->guard) {
        bj__secure_opened(e, c, event);
    } else {
        bj__stream_up(e, c, event);
    }
}

void bj__stream_bytes(bj_engine *e, int connection, const uint8_t *data, size_t length, uint32_t event) {
    bj__connection *c = bj__connection_of(e, connection);
    if (c && length) {
        keep(e, c, data, length);
        cut_messages(e, connection, event);
    }
}

void bj__stream_data(bj_engine *e, int connection, const uint8_t *data, size_t length, uint32_t event) {
    const bj__connection *c = bj__connection_of(e, connection);
    if (c && e->servers[c->server].guard) {
        bj__secure_stream(e, c, data, length, event);
    } else {
        bj__stream_bytes(e, connection, data, length, event);
    }
}

void bj__let_go(const bj_engine *e, bj__server *s, int connection, const bj_addr *peer) {
    if (s->peer.known && s->peer.connection == connection && bj_addr_equal(&s->peer.peer, peer)) {
        s->peer.let_go = true;
        s->peer.let_go_at = e->now;
    }
}

void bj__stream_closed(bj_engine *e, int connection) {
    bj__connection *c = bj__connection_of(e, connection);
    if (c) {
        bj__let_go(e, &e->servers[c->server], connection, &c->peer);
        forget(e, c, false);
    }
}
