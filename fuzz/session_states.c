/* SPDX-License-Identifier: Apache-2.0
 *
 * See session_states.h. The log is all that is looked at: "machine: old -> new: cause", what reached the client at that
 * moment, and what it answered.
 */
#define _GNU_SOURCE
#include "session_states.h"

#include <assert.h>
#include <string.h>

#include "oracle/words.h"
#include "session_client.h"
#include "wire/coap.h"

enum { NAME = 32, MOVES = 256 };

/* What reached the client last. */
typedef enum event_class {
    BY_TIME = 0,
    BY_START,
    BY_SIGNAL,
    BY_DNS,
    BY_ICMP,
    BY_STREAM,
    BY_TLS,
    BY_MALFORMED,
    BY_EMPTY,
    BY_CODE, /* + a message's code */
} event_class;

__attribute__((section("__libfuzzer_extra_counters"))) uint8_t session_counters[SESSION_COUNTERS];

/* AFL++'s run time, where a program is linked with it: its map, and how places in that are reserved, which is meant for
 * the guards that its compiler makes. This file is never instrumented by it: there the map's name stands for something
 * else. */
extern uint8_t *__afl_area_ptr __attribute__((weak));
void __sanitizer_cov_trace_pc_guard_init(uint32_t *start, uint32_t *stop) __attribute__((weak));
static uint32_t places[SESSION_COUNTERS]; /* in the map; 0: none */

/* Before the run time maps the map, which is when constructors of a later priority run: among those of the
 * implementation, as AFL++'s own are. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wprio-ctor-dtor"
#endif
__attribute__((constructor(3))) static void reserve_places(void) {
    if (&__afl_area_ptr && __sanitizer_cov_trace_pc_guard_init) {
        __sanitizer_cov_trace_pc_guard_init(places, places + SESSION_COUNTERS);
    }
}

static bool seen_moves[MOVES];
static bool seen_triples[SESSION_COUNTERS];
static unsigned unknown_moves;
static char unknown_move[3 * NAME + 16]; /* the first */

/* A session's reading of its log. */
typedef struct reading {
    char bootstrap[NAME]; /* the state of that machine */
    bj_time time;         /* of the event below */
    unsigned class;
} reading;

static uint32_t hash(uint32_t h, const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        h = (h ^ (uint8_t) text[i]) * 16777619u;
    }
    return (h ^ 0xff) * 16777619u;
}

static void count(uint32_t h) {
    unsigned at = (h ^ h >> 15) % SESSION_COUNTERS;
    session_counters[at] += session_counters[at] < UINT8_MAX;
    seen_triples[at] = true;
    if (&__afl_area_ptr && places[at]) {
        __afl_area_ptr[places[at]]++;
    }
}

/* --- moves ---------------------------------------------------------------------------------------------------- */

/* Most are different from the first character on: this is asked for every move that there is. */
static bool is(const word *w, const char *text) {
    size_t same = 0;
    while (same < w->length && text[same] && text[same] == w->at[same]) {
        same++;
    }
    return same == w->length && !text[same];
}

static void note_move(const word *machine, const word *from, const word *to) {
    const session_client *client = &session_client_played;
    for (size_t i = 0; i < client->move_count; i++) {
        const session_move *move = &client->moves[i];
        if (is(machine, move->machine) && is(from, move->from) && is(to, move->to)) {
            seen_moves[i] = true;
            return;
        }
    }
    if (client->move_count && !unknown_moves++) {
        snprintf(unknown_move, sizeof unknown_move, "%.*s: %.*s -> %.*s", (int) machine->length, machine->at,
                 (int) from->length, from->at, (int) to->length, to->at);
    }
}

/* "machine: old -> new: cause", or without the machine where a client has one only. false: it is neither. */
static bool read_move(const bj_event *event, word *machine, word *from, word *to) {
    const char *at = event->text, *end = event->text + event->text_length;
    word before = word_until(&at, end, " -> ");
    const char *name = before.at, *rest = before.at + before.length;
    *machine = word_until(&name, rest, ": ");
    *from = (word){ name, (size_t) (rest - name) };
    if (machine->length == before.length) {
        *from = before;
        machine->length = 0;
    }
    *to = word_until(&at, end, ": ");
    return from->length && to->length;
}

static void moved(reading *r, const bj_event *event) {
    word machine, from, to;
    if (!read_move(event, &machine, &from, &to)) {
        return;
    }
    if (machine.length > 6 && !memcmp(machine.at, "server", 6)) {
        machine.length = 6; /* whichever it is */
    }
    note_move(&machine, &from, &to);
    unsigned class = event->time == r->time ? r->class : BY_TIME;
    uint32_t h = hash(2166136261u + class, machine.at, machine.length);
    count(hash(hash(h, from.at, from.length), to.at, to.length));
    if (!machine.length || is(&machine, "bootstrap")) {
        size_t length = to.length < NAME ? to.length : NAME - 1;
        memcpy(r->bootstrap, to.at, length);
        r->bootstrap[length] = '\0';
    }
}

/* --- messages ------------------------------------------------------------------------------------------------- */

/* The Object that a request is for: the first segment of its path. */
static uint32_t target_of(const bj_coap *m) {
    const bj_coap_option *segment = bj_coap_find(m, BJ_COAP_URI_PATH, 0);
    return segment ? hash(2166136261u, (const char *) segment->value, segment->length) : 1;
}

static void arrived(reading *r, const bj_event *event) {
    bj_coap m;
    r->time = event->time;
    if (bj_coap_decode(&m, event->raw, event->raw_length) != BJ_COAP_OK) {
        r->class = BY_MALFORMED;
        return;
    }
    r->class = m.code ? BY_CODE + m.code : BY_EMPTY;
    if (bj_coap_is_request(m.code)) {
        r->class += target_of(&m) << 8;
    }
}

/* What it answers, in which state, to what. */
static void said(const reading *r, const bj_event *event) {
    bj_coap m;
    if (bj_coap_decode(&m, event->raw, event->raw_length) != BJ_COAP_OK || bj_coap_is_request(m.code)) {
        return;
    }
    unsigned class = event->time == r->time ? r->class : BY_TIME;
    count(hash(2166136261u + class * 31u + m.code * 7u + m.type, r->bootstrap, strlen(r->bootstrap)));
}

static void reached(reading *r, const bj_event *event, event_class class) {
    r->time = event->time;
    r->class = (unsigned) class;
}

static void look(reading *r, const bj_event *event) {
    switch (event->kind) {
    case BJ_EV_CLIENT_STATE:
        moved(r, event);
        break;
    case BJ_EV_RECEIVED:
        if (event->actor == BJ_ACTOR_CLIENT) {
            arrived(r, event);
        }
        break;
    case BJ_EV_SENT:
        if (event->actor == BJ_ACTOR_CLIENT) {
            said(r, event);
        }
        break;
    case BJ_EV_CLIENT_START:
        *r = (reading){ .bootstrap = "", .time = event->time, .class = BY_START };
        break;
    case BJ_EV_CLIENT_SIGNAL:
        reached(r, event, BY_SIGNAL);
        break;
    case BJ_EV_DNS_ANSWER:
        reached(r, event, BY_DNS);
        break;
    case BJ_EV_ICMP:
        reached(r, event, BY_ICMP);
        break;
    case BJ_EV_STREAM_RECEIVED:
    case BJ_EV_STREAM_CLOSED:
        reached(r, event, BY_STREAM);
        break;
    case BJ_EV_TLS_STATE:
        reached(r, event, BY_TLS);
        break;
    default:
        break;
    }
}

void session_note_states(const bj_log *log) {
    reading r = { .bootstrap = "", .time = BJ_NEVER };
    bj_event event;
    for (size_t cursor = 0; bj_log_next(log, &cursor, &event);) {
        look(&r, &event);
    }
}

/* --- what was reached ------------------------------------------------------------------------------------------ */

session_reach session_states_reached(void) {
    const session_client *client = &session_client_played;
    assert(client->move_count <= MOVES);
    session_reach reach = { .reachable = (unsigned) client->move_count, .unknown = unknown_moves };
    for (size_t i = 0; i < client->move_count; i++) {
        reach.reached += seen_moves[i];
    }
    for (unsigned i = 0; i < SESSION_COUNTERS; i++) {
        reach.triples += seen_triples[i];
    }
    return reach;
}

static void print_moves(FILE *out, const session_client *client, const session_reach *reach) {
    fprintf(out, "transitions: %u of %u reached (%u with what led to them and what came of it)\n", reach->reached,
            reach->reachable, reach->triples);
    for (size_t i = 0; i < client->move_count; i++) {
        const session_move *move = &client->moves[i];
        if (!seen_moves[i]) {
            fprintf(out, "transition not reached: %s: %s -> %s\n", move->machine, move->from, move->to);
        }
    }
    if (reach->unknown) {
        fprintf(out, "transitions that %s is not known to make: %u, the first %s\n", client->functions->name,
                reach->unknown, unknown_move);
    }
}

void session_print_states(FILE *out) {
    session_reach reach = session_states_reached();
    if (session_client_played.move_count) {
        print_moves(out, &session_client_played, &reach);
    } else {
        fprintf(out, "transitions: %u with what led to them and what came of them\n", reach.triples);
    }
}
