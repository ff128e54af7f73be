/* SPDX-License-Identifier: Apache-2.0
 *
 * What a conversation shows, for people: one line for each thing that happened, sessions of bootstraps as one thing.
 * Nothing here judges.
 */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "capture/readable.h"
#include "capture/talk.h"
#include "wire/entries.h"

enum { LINE = 4000, MOST_LINES = 200, COMMANDS = 60 };

typedef struct teller {
    const bj_talk *t;
    FILE *out;
    unsigned lines;
    unsigned left_out;
} teller;

static double seconds(bj_time time) {
    return (double) time / 1e6;
}

static void line(teller *w, const bj_message *m, const char *text) {
    if (w->lines == MOST_LINES) {
        w->left_out++;
        return;
    }
    w->lines++;
    fprintf(w->out, "  frame %-5u %10.3f s  ", m->frame, seconds(m->time));
    bj_print_readable(w->out, text);
    fputc('\n', w->out);
}

static void more(teller *w, const char *text) {
    if (w->lines < MOST_LINES) {
        w->lines++;
        fprintf(w->out, "  %25s", "");
        bj_print_readable(w->out, text);
        fputc('\n', w->out);
    }
}

/* --- answers and repetitions ---------------------------------------------------------------------------------- */

static void add_answer(bj_text *out, const teller *w, const bj_message *r) {
    if (r->answer != BJ_TALK_NONE) {
        const bj_message *a = &w->t->messages[r->answer];
        bj_coap_code_print(out, a->code);
        bj_text_add(out, a->wrong_token ? " (with another token)" : "");
    } else if (r->ack != BJ_TALK_NONE) {
        bj_text_add(out, w->t->messages[r->ack].type == BJ_COAP_RST ? "RST" : "acknowledged, no answer");
    } else {
        bj_text_add(out, r->unreachable ? "port unreachable" : "no answer");
    }
}

static bool is_copy_of(const bj_message *m, int original) {
    return m->repeats == original;
}

/* Intervals that begin with ACK_TIMEOUT and double, to a hundredth (RFC 7252 §4.2 wants the first one random). */
static bool is_unrandom(const bj_time *gaps, size_t count) {
    for (size_t i = 0; i < count; i++) {
        double expected = 2.0 * (double) (1U << i), seen = seconds(gaps[i]);
        if (fabs(seen - expected) > expected / 100) {
            return false;
        }
    }
    return count >= 3;
}

static void tell_copies(teller *w, int index) {
    const bj_message *m = &w->t->messages[index];
    BJ_TEXT(text, LINE);
    bj_time before = m->time, gaps[32];
    size_t count = 0;
    bj_text_printf(&text, "%u transmissions, at 0", m->copies);
    for (size_t i = (size_t) index + 1; i < w->t->count && (int) i <= m->last_copy; i++) {
        const bj_message *copy = &w->t->messages[i];
        if (is_copy_of(copy, index) && count < 32) {
            gaps[count++] = copy->time - before;
            before = copy->time;
            bj_text_printf(&text, ", %.3f s (frame %u)", seconds(copy->time - m->time), copy->frame);
        }
    }
    bj_text_add(&text, is_unrandom(gaps, count) ? ": 2 s times powers of two, without the random factor" : "");
    more(w, text.start);
}

/* Answers to copies of one request that are not the same. */
static void tell_other_answers(teller *w, int index) {
    const bj_message *m = &w->t->messages[index];
    for (size_t i = (size_t) index + 1; i < w->t->count && m->answer != BJ_TALK_NONE; i++) {
        const bj_message *a = &w->t->messages[i], *first = &w->t->messages[m->answer];
        if (a->kind != BJ_TALK_RESPONSE || a->request != index || a->notifies || (int) i == m->answer) {
            continue;
        }
        BJ_TEXT(text, 300);
        bj_text_add(&text, "the repetition is answered with ");
        bj_coap_code_print(&text, a->code);
        bj_text_printf(&text, " (frame %u), %s", a->frame,
                       a->length == first->length && !memcmp(a->bytes, first->bytes, a->length)
                           ? "as before"
                           : "which is another answer");
        more(w, text.start);
    }
}

static void tell_request(teller *w, int index) {
    const bj_message *m = &w->t->messages[index];
    BJ_TEXT(text, LINE);
    bj_request_name(&text, w->t, m);
    bj_text_add(&text, m->by_client ? " to " : " from ");
    bj_addr_print(&text, &w->t->servers[m->server].address);
    bj_text_add(&text, !m->stream && m->type == BJ_COAP_NON ? ", non-confirmable" : "");
    bj_coap decoded;
    const bj_coap_option *query;
    bj_message_decode(m, &decoded);
    for (size_t i = 0; m->by_client && (query = bj_coap_find(&decoded, BJ_COAP_URI_QUERY, i)); i++) {
        bj_text_printf(&text, "%s%.*s", i ? "&" : " ?", (int) query->length, (const char *) query->value);
    }
    if (m->stream && decoded.payload_length) {
        bj_text_printf(&text, " with %zu bytes", decoded.payload_length);
    }
    bj_text_add(&text, ": ");
    add_answer(&text, w, m);
    line(w, m, text.start);
    if (m->copies > 1) {
        tell_copies(w, index);
    }
    tell_other_answers(w, index);
}

/* --- sessions ------------------------------------------------------------------------------------------------- */

static bool begins_session(const bj_talk *t, const bj_message *m) {
    bj_request_kind kind = bj_request_kind_of(t, m);
    return kind == BJ_REQ_BOOTSTRAP || kind == BJ_REQ_PACK;
}

/* Does this Write set /0/x/1 to true? */
static bool writes_bootstrap_account(const bj_message *m, unsigned *instance) {
    bj_coap c;
    bj_entries in;
    bj_entry e;
    uint32_t format = 65536;
    uint8_t room[4096];
    BJ_TEXT(path, 100);
    BJ_TEXT(why, 100);
    bj_message_decode(m, &c);
    bj_coap_find_uint(&c, BJ_COAP_CONTENT_FORMAT, &format);
    bj_coap_path(&c, BJ_COAP_URI_PATH, &path);
    bj_path target = bj_path_of(path.start);
    if (m->code != 3 || !target.depth || target.ids[0] != 0 || !bj_entries_known(format) ||
        c.payload_length > sizeof room) {
        return false;
    }
    bj_path above = bj_entries_single(format) ? target : bj_path_above_resources(&target);
    bj_entries_begin(&in, format, &above, c.payload, c.payload_length, room, sizeof room);
    while (bj_entries_next(&in, &e, &why)) {
        bj_entry wanted = { .kind = BJ_ENTRY_BOOL, .integer = 1 };
        if (e.path.depth == 3 && e.path.ids[2] == 1 && bj_entry_same(&wanted, &e)) {
            *instance = e.path.ids[1];
            return true;
        }
    }
    return false;
}

static void tell_command(teller *w, int index) {
    const bj_message *m = &w->t->messages[index];
    unsigned instance;
    if (m->copies > 1) {
        BJ_TEXT(text, LINE);
        bj_request_name(&text, w->t, m);
        bj_text_printf(&text, " (frame %u) comes %u times with the same Message ID", m->frame, m->copies);
        const bj_message *a = m->answer == BJ_TALK_NONE ? NULL : &w->t->messages[m->answer];
        if (a && a->copy != index) {
            bj_text_printf(&text, "; answered after frame %u, %.3f s later", w->t->messages[a->copy].frame,
                           seconds(w->t->messages[a->copy].time - m->time));
        }
        more(w, text.start);
        tell_other_answers(w, index);
    }
    if (m->answer != BJ_TALK_NONE && w->t->messages[m->answer].code >> 5 == 2 &&
        writes_bootstrap_account(m, &instance)) {
        BJ_TEXT(text, LINE);
        bj_text_printf(&text, "frame %u writes a bootstrap account to /0/%u, and is accepted", m->frame, instance);
        more(w, text.start);
    }
}

typedef struct session {
    int commands[COMMANDS];
    unsigned count, left_out;
    unsigned non;
    bool finished;
    int next; /* the first request of the client behind it, which is no part of it */
} session;

static session read_session(const teller *w, int begin) {
    session s = { .next = BJ_TALK_NONE };
    uint8_t server = w->t->messages[begin].server;
    for (size_t i = (size_t) begin + 1; i < w->t->count; i++) {
        const bj_message *m = &w->t->messages[i];
        if (m->kind != BJ_TALK_REQUEST || m->repeats != BJ_TALK_NONE) {
            continue;
        }
        if (m->by_client) {
            s.next = (int) i;
            return s;
        }
        if (m->server == server && s.count < COMMANDS) {
            s.commands[s.count++] = (int) i;
        } else {
            s.left_out++;
        }
        s.non += !m->stream && m->type == BJ_COAP_NON;
        s.finished |= bj_request_kind_of(w->t, m) == BJ_REQ_FINISH && m->answer != BJ_TALK_NONE &&
                      w->t->messages[m->answer].code == BJ_COAP_CODE(2, 4);
    }
    return s;
}

static void tell_commands(teller *w, const session *s) {
    BJ_TEXT(text, LINE);
    for (unsigned i = 0; i < s->count; i++) {
        const bj_message *m = &w->t->messages[s->commands[i]];
        bj_coap c;
        uint32_t block = 0;
        bj_message_decode(m, &c);
        bj_coap_find_uint(&c, BJ_COAP_BLOCK1, &block);
        bj_text_add(&text, i ? ", " : "");
        bj_request_name(&text, w->t, m);
        if (block >> 4 || block & 8) {
            bj_text_printf(&text, " [block %u of %u bytes]", block >> 4, 16U << (block & 7));
        }
        bj_text_add(&text, " ");
        add_answer(&text, w, m);
    }
    if (s->left_out) {
        bj_text_printf(&text, ", and %u more", s->left_out);
    }
    if (s->count) {
        more(w, text.start);
    }
    if (s->non) {
        more(w, "commands are non-confirmable");
    }
    for (unsigned i = 0; i < s->count; i++) {
        tell_command(w, s->commands[i]);
    }
}

static void tell_outcome(teller *w, int begin, const session *s) {
    BJ_TEXT(text, LINE);
    bool answered = w->t->messages[begin].answer != BJ_TALK_NONE;
    if (answered && s->count && !s->finished) {
        bj_text_add(&text, "no Finish was accepted; ");
    }
    if (s->next == BJ_TALK_NONE) {
        bj_text_add(&text, answered ? "the client says no more" : "");
    } else {
        const bj_message *n = &w->t->messages[s->next];
        const bj_message *last = s->count ? &w->t->messages[s->commands[s->count - 1]] : &w->t->messages[begin];
        bool again = begins_session(w->t, n);
        bj_text_add(&text, s->finished && again ? "no Register; " : "");
        bj_request_name(&text, w->t, n);
        bj_text_printf(&text, " %.3f s after the last command", seconds(n->time - last->time));
    }
    if (text.used) {
        more(w, text.start);
    }
}

static void tell_session(teller *w, int index) {
    tell_request(w, index);
    session s = read_session(w, index);
    tell_commands(w, &s);
    tell_outcome(w, index, &s);
}

/* --- the rest ------------------------------------------------------------------------------------------------- */

/* What was in the record is told by itself. */
static bool is_decrypted(const bj_talk *t, const bj_message *m) {
    size_t next = (size_t) (m - t->messages) + 1;
    return next < t->count && t->messages[next].frame == m->frame && t->messages[next].secure;
}

static void tell_record(teller *w, const bj_message *m) {
    BJ_TEXT(text, 200);
    if (is_decrypted(w->t, m)) {
        return;
    }
    if (m->record == BJ_RECORD_CLIENT_HELLO && m->by_client) {
        bj_text_add(&text, "a handshake with ");
        bj_addr_print(&text, &w->t->servers[m->server].address);
        bj_text_add(&text, " begins, or goes on with a cookie");
    } else if (m->record == BJ_RECORD_ALERT) {
        bj_text_add(&text, m->by_client ? "the client sends an alert" : "the server sends an alert");
        if (m->encrypted) {
            bj_text_add(&text, ", which is encrypted");
        } else {
            bj_text_printf(&text, " (%u)", m->alert);
        }
    } else if (m->record == BJ_RECORD_DATA) {
        bj_text_printf(&text, "%s %zu bytes that are encrypted", m->by_client ? "the client sends" : "the server sends",
                       m->length);
    } else {
        return;
    }
    line(w, m, text.start);
}

/* Of a request it is told with the request. */
static void tell_icmp(teller *w, const bj_message *m) {
    BJ_TEXT(text, 200);
    if (m->by_client && m->about != BJ_TALK_NONE && w->t->messages[m->about].kind == BJ_TALK_REQUEST) {
        return;
    }
    bj_text_add(&text, "port unreachable (ICMP): ");
    bj_addr_print(&text, m->by_client ? &w->t->servers[m->server].address : &m->client);
    bj_text_add(&text, m->by_client ? "" : ", the client is not there any more");
    line(w, m, text.start);
}

static bool both_ways(const bj_talk *t, const bj_message *m) {
    for (size_t i = 0; i < t->count && !m->stream; i++) {
        const bj_message *o = &t->messages[i];
        if (o->kind == BJ_TALK_REQUEST && o->by_client != m->by_client && o->mid == m->mid && o->server == m->server &&
            !o->stream) {
            return true;
        }
    }
    return false;
}

static void tell_general(teller *w) {
    for (size_t i = 0; i < w->t->count && i < 200; i++) {
        const bj_message *m = &w->t->messages[i];
        if (m->kind == BJ_TALK_REQUEST && m->by_client && both_ways(w->t, m)) {
            BJ_TEXT(text, 200);
            bj_text_printf(&text, "both sides use the same Message IDs in opposite directions (%u is one)", m->mid);
            more(w, text.start);
            return;
        }
    }
}

static bool in_session(const bj_talk *t, int index) {
    const bj_message *m = &t->messages[index];
    for (int i = index - 1; i >= 0 && !m->by_client; i--) {
        const bj_message *o = &t->messages[i];
        if (o->kind == BJ_TALK_REQUEST && o->by_client && o->repeats == BJ_TALK_NONE) {
            return begins_session(t, o) && o->server == m->server;
        }
    }
    return false;
}

static void tell_message(teller *w, int index) {
    const bj_message *m = &w->t->messages[index];
    BJ_TEXT(text, 300);
    switch (m->kind) {
    case BJ_TALK_REQUEST:
        if (m->repeats != BJ_TALK_NONE || in_session(w->t, index)) {
            break;
        }
        if (begins_session(w->t, m) && m->by_client) {
            tell_session(w, index);
        } else {
            tell_request(w, index);
        }
        break;
    case BJ_TALK_ICMP:
        tell_icmp(w, m);
        break;
    case BJ_TALK_BROKEN:
        line(w, m, m->cut ? "a datagram of which the capture holds a part" : "a message that is not well-formed");
        break;
    case BJ_TALK_RECORD:
        tell_record(w, m);
        break;
    case BJ_TALK_SIGNAL:
        bj_text_printf(&text, "%s sends ", m->by_client ? "the client" : "the server");
        bj_text_add(&text, m->code == 0xE1 ? "CSM" : "signal ");
        if (m->code != 0xE1) {
            bj_coap_code_print(&text, m->code);
        }
        line(w, m, text.start);
        break;
    default:
        break;
    }
}

void bj_talk_print_facts(const bj_talk *t, FILE *out) {
    teller w = { .t = t, .out = out };
    for (size_t i = 0; i < t->count; i++) {
        tell_message(&w, (int) i);
    }
    tell_general(&w);
    if (w.left_out) {
        fprintf(out, "  and %u lines more\n", w.left_out);
    }
    if (t->left_out) {
        fprintf(out, "  the first %d messages are told; %zu more are judged, and not told\n", BJ_TALK_MOST,
                t->left_out);
    }
}
