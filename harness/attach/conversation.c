/* SPDX-License-Identifier: Apache-2.0
 *
 * See conversation.h.
 */
#define _GNU_SOURCE
#include "attach/conversation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/coap.h"

enum { ACTORS = 64, NAME = 32, CONNECTIONS = 64, SHOWN_BYTES = 32 };

typedef struct actor {
    char name[NAME];
    bj_addr address;
} actor;

struct bj_conversation {
    actor actors[ACTORS];
    struct {
        bj_addr from, to;
    } connections[CONNECTIONS]; /* by number, the latest of those that share a place */
};

static void know(bj_conversation *c, const bj_event *event) {
    if (event->actor < ACTORS && event->text) {
        actor *a = &c->actors[event->actor];
        snprintf(a->name, sizeof a->name, "%.*s", (int) event->text_length, event->text);
        a->address = event->from;
    }
}

bj_conversation *bj_conversation_new(const bj_log *log) {
    bj_conversation *c = calloc(1, sizeof *c);
    if (!c) {
        return NULL;
    }
    strcpy(c->actors[BJ_ACTOR_WORLD].name, "world");
    strcpy(c->actors[BJ_ACTOR_CLIENT].name, "client");
    strcpy(c->actors[BJ_ACTOR_SCRIPT].name, "script");
    bj_event event;
    for (size_t cursor = 0; log && bj_log_next(log, &cursor, &event);) {
        if (event.kind == BJ_EV_ACTOR) {
            know(c, &event);
        }
    }
    return c;
}

void bj_conversation_free(bj_conversation *conversation) {
    free(conversation);
}

static const char *name_of(const bj_conversation *c, unsigned number) {
    return number < ACTORS && *c->actors[number].name ? c->actors[number].name : "?";
}

static const actor *at_address(const bj_conversation *c, const bj_addr *address, bool with_port) {
    for (unsigned i = 0; i < ACTORS; i++) {
        const actor *a = &c->actors[i];
        bool same = with_port ? bj_addr_equal(&a->address, address) : bj_addr_same_host(&a->address, address);
        if (a->address.family && same) {
            return a;
        }
    }
    return NULL;
}

/* Whom `speaker` speaks to: a server speaks to the client; the client to whoever has that address, or to nobody of the
 * scenario. */
static void put_peer(const bj_conversation *c, unsigned speaker, const bj_addr *address, bj_text *out) {
    const actor *server = at_address(c, address, true);
    server = server ? server : at_address(c, address, false);
    if (speaker != BJ_ACTOR_CLIENT) {
        bj_text_add(out, c->actors[BJ_ACTOR_CLIENT].name);
    } else if (server) {
        bj_text_add(out, server->name);
    } else {
        bj_addr_print(out, address);
    }
}

/* --- messages ------------------------------------------------------------------------------------------------- */

static void put_bytes(const uint8_t *bytes, size_t length, bj_text *out) {
    bj_text_printf(out, "%zu bytes ", length);
    bj_text_hex(out, bytes, length < SHOWN_BYTES ? length : SHOWN_BYTES);
    bj_text_add(out, length > SHOWN_BYTES ? "..." : "");
}

/* RFC 5246 §6.2.1, RFC 6347 §4.1: 254.253 is DTLS 1.2, 3.3 TLS 1.2; a first ClientHello may say an older version. */
static bool put_record(const uint8_t *bytes, size_t length, bj_text *out) {
    static const char *const types[] = { "change cipher spec", "alert", "handshake", "application data" };
    if (length < 5 || bytes[0] < 20 || bytes[0] > 23 || (bytes[1] != 254 && bytes[1] != 3)) {
        return false;
    }
    bj_text_printf(out, "%s %s, %zu bytes", bytes[1] == 3 ? "TLS" : "DTLS", types[bytes[0] - 20], length);
    return true;
}

static void put_datagram(const uint8_t *bytes, size_t length, bj_text *out) {
    bj_coap message;
    bj_coap_fault fault = bj_coap_decode(&message, bytes, length);
    if (fault == BJ_COAP_OK) {
        bj_coap_print(out, &message);
    } else if (!put_record(bytes, length, out)) {
        bj_text_printf(out, "not CoAP (%s): ", bj_coap_fault_text(fault));
        put_bytes(bytes, length, out);
    }
}

static void put_stream(const uint8_t *bytes, size_t length, bj_text *out) {
    if (put_record(bytes, length, out)) {
        return;
    }
    for (size_t at = 0; at < length;) {
        bj_coap message;
        size_t frame = bj_coap_tcp_frame(bytes + at, length - at);
        bj_text_add(out, at ? "; " : "");
        if (!frame || frame > length - at || bj_coap_tcp_decode(&message, bytes + at, frame) != BJ_COAP_OK) {
            put_bytes(bytes + at, length - at, out);
            return;
        }
        bj_coap_print(out, &message);
        at += frame;
    }
}

static bool is_stream(const bj_event *event) {
    bool plain = event->kind == BJ_EV_PLAIN_SENT || event->kind == BJ_EV_PLAIN_RECEIVED;
    return plain ? event->number >= 0 : event->kind == BJ_EV_STREAM_SENT || event->kind == BJ_EV_STREAM_RECEIVED;
}

/* Of a stream, the first message; of a DTLS or TLS record, what kind it is. */
void bj_conversation_decode(bj_text *out, const bj_event *event) {
    bj_coap message;
    BJ_TEXT(record, 60);
    if (put_record(event->raw, event->raw_length, &record)) {
        bj_text_printf(out, "{\"encrypted\":\"%s\"}", record.start);
        return;
    }
    memset(&message, 0, sizeof message);
    if (!is_stream(event)) {
        bj_coap_fault fault = bj_coap_decode(&message, event->raw, event->raw_length);
        bj_coap_json(out, &message, fault);
        return;
    }
    size_t frame = bj_coap_tcp_frame(event->raw, event->raw_length);
    bool whole = frame && frame <= event->raw_length;
    bj_coap_fault fault = whole ? bj_coap_tcp_decode(&message, event->raw, frame) : BJ_COAP_TCP_LENGTH;
    bj_coap_json(out, &message, fault);
}

/* What reached a server was meant for it, at whatever address. */
static void put_to(const bj_conversation *c, unsigned speaker, const bj_event *event, bj_text *out) {
    if (speaker == BJ_ACTOR_CLIENT && event->actor >= BJ_ACTOR_SERVER_0) {
        bj_text_add(out, name_of(c, event->actor));
    } else {
        put_peer(c, speaker, &event->to, out);
    }
}

static void put_message(const bj_conversation *c, unsigned speaker, const bj_event *event, bj_text *out) {
    bj_text_printf(out, "%s -> ", name_of(c, speaker));
    put_to(c, speaker, event, out);
    bj_text_add(out, ": ");
    put_datagram(event->raw, event->raw_length, out);
}

/* What DTLS or TLS carries. */
static void put_plain(const bj_conversation *c, unsigned speaker, const bj_event *event, bj_text *out) {
    bj_text_printf(out, "%s => ", name_of(c, speaker));
    put_to(c, speaker, event, out);
    bj_text_add(out, ": ");
    if (event->number < 0) {
        put_datagram(event->raw, event->raw_length, out);
    } else {
        put_stream(event->raw, event->raw_length, out);
    }
}

static void put_stream_event(bj_conversation *c, const bj_event *event, bj_text *out) {
    size_t place = (size_t) event->number % CONNECTIONS;
    if (event->kind == BJ_EV_STREAM_OPEN) {
        c->connections[place].from = event->from;
        c->connections[place].to = event->to;
        bj_text_add(out, name_of(c, BJ_ACTOR_CLIENT));
        bj_text_add(out, " connects to ");
        put_to(c, BJ_ACTOR_CLIENT, event, out);
        bj_text_printf(out, " (connection %lld)", (long long) event->number);
    } else if (event->kind == BJ_EV_STREAM_SENT) {
        bool client = event->actor == BJ_ACTOR_CLIENT;
        bj_text_printf(out, "%s -> ", name_of(c, event->actor));
        put_peer(c, event->actor, client ? &c->connections[place].to : &c->connections[place].from, out);
        bj_text_add(out, ": ");
        put_stream(event->raw, event->raw_length, out);
    } else if (event->kind == BJ_EV_STREAM_RECEIVED) {
        bj_text_printf(out, "%s -> %s: ", name_of(c, BJ_ACTOR_CLIENT), name_of(c, event->actor));
        put_stream(event->raw, event->raw_length, out);
    } else {
        bj_text_printf(out, "%s: connection %lld is %s", name_of(c, event->actor), (long long) event->number,
                       event->other ? "reset" : "closed");
    }
}

/* --- the rest ------------------------------------------------------------------------------------------------- */

static void put_text(const char *before, const bj_event *event, bj_text *out) {
    bj_text_add(out, before);
    bj_text_add_bytes(out, event->text ? event->text : "", event->text_length);
}

static void put_position(const char *before, const bj_event *event, bj_text *out) {
    bj_text_printf(out, "%s%u: ", before, event->position.line);
    put_text("", event, out);
}

static void put_exit(const bj_event *event, bj_text *out) {
    if (event->other) {
        bj_text_printf(out, "the client is killed by signal %lld", (long long) event->other);
    } else {
        bj_text_printf(out, "the client exits with status %lld", (long long) event->number);
    }
}

static void put_input(const bj_event *event, bj_text *out) {
    if (event->text) {
        put_text("is typed: ", event, out);
    }
    bj_text_add(out, !event->number ? "" : event->text ? ", and the input ends" : "the client's input ends");
}

static void put_verdict(const bj_event *event, bj_text *out) {
    const char *name = bj_verdict_name((bj_verdict) event->number);
    bj_text_printf(out, "verdict: %s%s", name ? name : "?", event->text_length ? ": " : "");
    put_text("", event, out);
}

static bool put_event(bj_conversation *c, const bj_event *event, bj_text *out) {
    switch (event->kind) {
    case BJ_EV_CLIENT_START:
        return put_text("the client starts: ", event, out), true;
    case BJ_EV_CLIENT_EXIT:
        return put_exit(event, out), true;
    case BJ_EV_CLIENT_SIGNAL:
        return bj_text_printf(out, "the client gets signal %lld", (long long) event->number), true;
    case BJ_EV_CLIENT_STATE:
        return put_text("client: ", event, out), true;
    case BJ_EV_CLIENT_OUTPUT:
        return put_text("client writes: ", event, out), true;
    case BJ_EV_CLIENT_INPUT:
        return put_input(event, out), true;
    case BJ_EV_SENT:
        return put_message(c, event->actor, event, out), true;
    case BJ_EV_RECEIVED: /* on a real network nobody saw it leave */
        return put_message(c, BJ_ACTOR_CLIENT, event, out), event->cause == 0;
    case BJ_EV_LOST:
        return put_text("lost: ", event, out), true;
    case BJ_EV_ICMP:
        return bj_text_printf(out, "%s learns: port unreachable", name_of(c, event->actor)), true;
    case BJ_EV_STREAM_RECEIVED:
        return put_stream_event(c, event, out), event->cause == 0 && event->actor >= BJ_ACTOR_SERVER_0;
    case BJ_EV_STREAM_OPEN:
    case BJ_EV_STREAM_SENT:
    case BJ_EV_STREAM_CLOSED:
        return put_stream_event(c, event, out), true;
    case BJ_EV_DNS_QUERY:
        return put_text("client asks for ", event, out), true;
    case BJ_EV_DNS_ANSWER:
        return put_text("DNS: ", event, out), true;
    case BJ_EV_STEP_BEGIN:
        return put_position("line ", event, out), true;
    case BJ_EV_STEP_FAILED:
        return put_position("FAILED, line ", event, out), true;
    case BJ_EV_POWER_CUT:
        return put_text("the client's power goes: ", event, out), true;
    case BJ_EV_DISK:
        return put_text("the client's disk: ", event, out), true;
    case BJ_EV_FAULT:
        return put_text("fault: ", event, out), true;
    case BJ_EV_NOTE:
        return put_text("note: ", event, out), true;
    case BJ_EV_PASSED_OVER:
        return put_text("passed over: ", event, out), true;
    case BJ_EV_BRANCH:
        return put_text("branch: ", event, out), true;
    case BJ_EV_PLAIN_SENT:
        return put_plain(c, event->actor, event, out), true;
    case BJ_EV_PLAIN_RECEIVED:
        return put_plain(c, BJ_ACTOR_CLIENT, event, out), true;
    case BJ_EV_TLS_STATE:
        return bj_text_printf(out, "%s: session ", name_of(c, event->actor)), put_text("", event, out), true;
    case BJ_EV_HEALED:
        return put_text("", event, out), true;
    case BJ_EV_RECOVERED:
        return put_text(event->number ? "recovered: " : "NOT recovered: ", event, out), true;
    case BJ_EV_RULE:
        return put_text("rule broken: ", event, out), true;
    case BJ_EV_VERDICT:
        return put_verdict(event, out), true;
    default:
        return false;
    }
}

bool bj_conversation_line(bj_conversation *conversation, const bj_event *event, bj_text *out) {
    bj_text_printf(out, "%6llu.%06llu  ", (unsigned long long) (event->time / BJ_SECOND),
                   (unsigned long long) (event->time % BJ_SECOND));
    return put_event(conversation, event, out);
}
