/* SPDX-License-Identifier: Apache-2.0
 *
 * See script.h. The steps are made first: they find out which ports are closed from the beginning.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/readable.h"
#include "capture/script_internal.h"
#include "script/print.h"

/* Does this answer end an attempt for good: a Finish that was taken, a request that was refused, an alert? */
static bool ends_attempt(const bj_talk *t, const bj_message *m) {
    const bj_message *request =
        m->kind == BJ_TALK_RESPONSE && m->request != BJ_TALK_NONE ? &t->messages[m->request] : NULL;
    bj_request_kind kind = request ? bj_request_kind_of(t, request) : BJ_REQ_OTHER;
    bool alert = m->kind == BJ_TALK_RECORD && m->record == BJ_RECORD_ALERT && t->servers[m->server].bootstrap;
    bool finished = kind == BJ_REQ_FINISH && m->by_client && m->code >> 5 == 2;
    return finished || alert || (kind == BJ_REQ_BOOTSTRAP && !m->by_client && m->code >> 5 != 2);
}

/* Times between the end of an attempt and the next one. */
typedef struct waits {
    bj_time first, second, least, most;
    unsigned count;
} waits;

static void add_wait(waits *w, bj_time wait) {
    w->first = w->count == 0 ? wait : w->first;
    w->second = w->count == 1 ? wait : w->second;
    w->least = wait < w->least ? wait : w->least;
    w->most = wait > w->most ? wait : w->most;
    w->count++;
}

static waits find_waits(const bj_talk *t) {
    waits w = { .least = BJ_NEVER };
    bj_time ended = BJ_NEVER;
    for (size_t i = 0; i < t->count; i++) {
        const bj_message *m = &t->messages[i];
        bj_request_kind kind = bj_request_kind_of(t, m);
        bool hello = m->kind == BJ_TALK_RECORD && m->record == BJ_RECORD_CLIENT_HELLO && m->by_client &&
                     t->servers[m->server].bootstrap;
        bool asks = m->by_client && m->repeats == BJ_TALK_NONE && (kind == BJ_REQ_BOOTSTRAP || kind == BJ_REQ_PACK);
        bool later =
            ended != BJ_NEVER && m->time - ended > BJ_SECOND / 2; /* a ClientHello comes again with its cookie */
        if (ended != BJ_NEVER && (asks || (hello && later))) {
            add_wait(&w, m->time - ended);
        }
        bool counts = m->kind >= BJ_TALK_REQUEST && m->kind <= BJ_TALK_RESPONSE;
        ended = ends_attempt(t, m) ? m->time : counts || (hello && later) ? BJ_NEVER : ended;
    }
    return w;
}

static bj_time in_seconds(bj_time time) {
    time = time < BJ_DURATION_MAX / 8 ? time : BJ_DURATION_MAX / 8;
    return (time + BJ_SECOND / 2) / BJ_SECOND * BJ_SECOND;
}

/* The shortest of the waits; where the second is twice the first, they grow: the first is the hold-off, doubled. */
static void show_holdoff(bj_script *s) {
    waits w = find_waits(s->talk);
    bool grows = w.count > 1 && w.first >= BJ_SECOND && w.second > w.first / 10 * 19 && w.second < w.first / 10 * 21;
    s->holdoff = w.count ? in_seconds(grows ? w.first / 2 : w.least) : BJ_NEVER;
    s->holdoff_cap = w.count ? in_seconds(grows ? w.most : w.least) : BJ_NEVER;
}

enum { SAMPLES = 128, MAX_RETRANSMIT = 4 };

/* A message that was given up after fewer repetitions than is usual (RFC 7252 §4.8): how many; -1: none was. The last
 * repetition must have been alone for longer than the next one could take. */
static int shown_retransmissions(const bj_talk *t) {
    bj_time end = t->count ? t->messages[t->count - 1].time : 0;
    int most = -1;
    for (size_t i = 0; i < t->count; i++) {
        const bj_message *m = &t->messages[i];
        bool asks = m->kind == BJ_TALK_REQUEST && m->by_client && !m->stream && m->type == BJ_COAP_CON &&
                    m->repeats == BJ_TALK_NONE && !m->unreachable;
        int repeated = (int) m->copies - 1;
        bj_time last = t->messages[m->last_copy].time, waited = last - m->time;
        bool over = m->answer == BJ_TALK_NONE && m->ack == BJ_TALK_NONE && end - last > 3 * waited + BJ_SECOND;
        if (asks && (over || repeated > most) && repeated >= 1 && (over || most >= 0)) {
            most = repeated > most ? repeated : most;
        }
    }
    return most < MAX_RETRANSMIT ? most : -1;
}

/* The usual time between a request of the client and its answer, from 10 microseconds to a tenth of a second: what
 * takes longer is the server's time. */
static bj_time shown_latency(const bj_talk *t) {
    bj_time gaps[SAMPLES], best = 10;
    unsigned count = 0, most = 0;
    for (size_t i = 0; i < t->count && count < SAMPLES; i++) {
        const bj_message *m = &t->messages[i];
        bool answered = m->kind == BJ_TALK_REQUEST && m->by_client && m->answer != BJ_TALK_NONE && m->copies == 1;
        bj_time gap = answered ? t->messages[m->answer].time - m->time : BJ_NEVER;
        bj_time unit = gap < BJ_MS ? 10 : gap < 10 * BJ_MS ? 100 : BJ_MS;
        if (gap <= 100 * BJ_MS) {
            gaps[count++] = (gap + unit / 2) / unit * unit;
        }
    }
    for (unsigned i = 0; i < count; i++) {
        unsigned same = 0;
        for (unsigned n = 0; n < count; n++) {
            same += gaps[n] == gaps[i];
        }
        bool better = same > most || (same == most && gaps[i] < best);
        best = better ? gaps[i] : best;
        most = better ? same : most;
    }
    return best > 10 ? best : 10;
}

/* Are the first repetitions of the client's requests all two seconds behind them: without ACK_RANDOM_FACTOR? */
static bool is_never_random(const bj_talk *t) {
    bool any = false;
    for (size_t i = 0; i < t->count; i++) {
        const bj_message *m = &t->messages[i];
        const bj_message *of = m->repeats == BJ_TALK_NONE ? NULL : &t->messages[m->repeats];
        if (!of || !m->by_client || m->kind != BJ_TALK_REQUEST || m->stream) {
            continue;
        }
        bool first = true;
        for (int n = m->repeats + 1; n < (int) i; n++) {
            first &= t->messages[n].repeats != m->repeats;
        }
        bj_time gap = m->time - of->time;
        if (first && (gap < 1995 * BJ_MS || gap > 2005 * BJ_MS)) {
            return false;
        }
        any = true;
    }
    return any;
}

/* RFC 7252 §4.8, as far as it is otherwise. */
static void put_transmission(bj_script *s) {
    int repetitions = shown_retransmissions(s->talk);
    bool constant = is_never_random(s->talk);
    bj_record *transmission = bj_record_new(s->arena, BJ_K_TRANSMISSION, (bj_position){ 0 });
    if (script_put_given(s, BJ_F(SCENARIO, TRANSMISSION))) {
        return;
    }
    if (repetitions >= 0) {
        script_set_uint(s, transmission, BJ_F(TRANSMISSION, MAX_RETRANSMIT), BJ_T_UINT, (uint32_t) repetitions);
        script_assume(s, "messages are given up after %d repetitions, and not after 4", repetitions);
    }
    if (constant) {
        script_set_text(s, transmission, BJ_F(TRANSMISSION, ACK_RANDOM_FACTOR), "1");
        script_assume(s, "repetitions come without the random factor");
    }
    if (repetitions >= 0 || constant) {
        script_set_record(s, s->root, BJ_F(SCENARIO, TRANSMISSION), transmission);
    }
}

static bool is_utf8(const char *text) {
    size_t n = 1;
    for (size_t left = strlen(text); left && n; left -= n, text += n) {
        n = bj_utf8_sequence(text, left);
    }
    return n != 0;
}

/* A client that goes round in circles is seen to, and not for the ten days that are usual; what lasted longer is given
 * the time. */
static void put_budget(bj_script *s) {
    const bj_time hour = 3600 * BJ_SECOND, day = 24 * hour, usual = 10 * day;
    bj_time begun = s->noted.given || !s->talk->count ? 0 : s->talk->messages[0].time;
    bj_time length = s->talk->count ? s->talk->messages[s->talk->count - 1].time - begun : 0;
    bj_time most = 3 * length + 1000 * BJ_SECOND;
    if (most < day) {
        script_set_duration(s, s->root, BJ_F(SCENARIO, BUDGET), most < hour ? hour : day);
    } else if (length + day > usual) {
        most = most < BJ_DURATION_MAX ? (most + day - 1) / day * day : BJ_DURATION_MAX;
        script_set_duration(s, s->root, BJ_F(SCENARIO, BUDGET), most);
    }
}

static void put_head(bj_script *s) {
    const bj_party *one = &s->field->parties.all[s->talk->party];
    bj_record *network = bj_record_new(s->arena, BJ_K_LINK, (bj_position){ 0 });
    bj_record *recovery = bj_record_new(s->arena, BJ_K_RECOVERY, (bj_position){ 0 });
    BJ_TEXT(title, 300);
    const char *endpoint = *one->endpoint ? one->endpoint : script_given_endpoint(s);
    bool readable = *endpoint && is_utf8(endpoint);
    bj_text_printf(&title, "What a capture shows of the client %s",
                   readable    ? endpoint
                   : *endpoint ? "whose name is no text"
                               : "without a name");
    script_set_text(s, s->root, BJ_F(SCENARIO, TITLE), title.start);
    s->latency = s->noted.given ? script_given_latency(s) : BJ_NEVER;
    s->latency =
        s->latency <= 100 * BJ_MS ? s->latency : shown_latency(s->talk); /* what takes longer: the servers' time */
    script_set_duration(s, network, BJ_F(LINK, LATENCY), s->latency);
    script_set_record(s, s->root, BJ_F(SCENARIO, NETWORK), network);
    script_put_mtu(s);
    script_set_text(s, recovery, BJ_F(RECOVERY, OFF), "the capture ends here");
    put_transmission(s);
    put_budget(s);
    script_set_record(s, s->root, BJ_F(SCENARIO, RECOVERY), recovery);
}

/* Servers whose port was closed, or silent, when they were first spoken to are so from the start. */
static void begin_ports(bj_script *s) {
    uint32_t state[BJ_TALK_SERVERS] = { 0 };
    size_t kept = 0;
    for (unsigned i = 0; i < s->talk->server_count; i++) {
        bool spoken = s->servers[i].same != i;
        state[i] = s->servers[i].initial;
        for (size_t n = 0; n < s->count && !spoken; n++) {
            const bj_record *r = s->steps[n];
            if (!r) {
                continue; /* another server's, that was closed from the start */
            }
            bool port = r->kind == BJ_K_PORT && !strcmp(bj_get_string(r, BJ_F(PORT, SERVER), ""), s->servers[i].name);
            bool asks = r->kind == BJ_K_REQUEST || r->kind == BJ_K_CLIENT_HELLO || r->kind == BJ_K_DEPARTURE ||
                        r->kind == BJ_K_CONNECTION; /* the number of `to` is the same */
            bool named = asks && !strcmp(bj_get_string(r, BJ_F(REQUEST, TO), ""), s->servers[i].name);
            uint32_t is = port ? bj_get_uint(r, BJ_F(PORT, STATE), 0) : 0;
            if (is) {
                state[i] = is;
                s->steps[n] = NULL;
            }
            spoken = port || named;
        }
        s->servers[i].port = state[i];
        s->servers[i].met = true;
    }
    for (size_t n = 0; n < s->count; n++) {
        if (s->steps[n]) {
            s->steps[kept] = s->steps[n];
            s->comments[kept++] = s->comments[n];
        } else if (n + 1 < s->count && s->comments[n] && !s->comments[n + 1]) {
            s->comments[n + 1] = s->comments[n];
        }
    }
    s->count = kept;
}

/* A server that asks before the client has spoken: what a capture shows that begins in the middle. */
static void assume_beginning(bj_script *s) {
    for (size_t i = 0; i < s->talk->count; i++) {
        const bj_message *m = &s->talk->messages[i];
        bool spoke = m->by_client && m->kind != BJ_TALK_RESPONSE && m->kind != BJ_TALK_EMPTY;
        if (spoke || s->servers[m->server].given) {
            return;
        }
        if (m->by_client || m->kind != BJ_TALK_REQUEST) {
            continue;
        }
        BJ_TEXT(name, 400);
        bj_request_name(&name, s->talk, m);
        script_assume(
            s,
            "the capture begins in the middle (frame %u is %s): what the client asked the server '%s' before is "
            "to be put in front, and the run ends with an error without it",
            m->frame, name.start, s->servers[m->server].name);
        fprintf(stderr, "bootjack: %s: %s\n", s->field->options->units.source.name,
                s->assumptions[s->assumption_count - 1]);
        return;
    }
}

void bj_script_make(bj_script *s, const bj_field *field, const bj_talk *talk, bj_arena *arena, bool loose,
                    bool follows) {
    *s = (bj_script){ .field = field, .talk = talk, .arena = arena, .loose = loose, .follows = follows };
    s->root = bj_record_new(arena, BJ_K_SCENARIO, (bj_position){ 0 });
    show_holdoff(s);
    script_read_notes(s);
    script_find_servers(s);
    put_head(s);
    assume_beginning(s);
    script_put_steps(s);
    script_put_client(s);
    begin_ports(s);
    script_put_servers(s);
    script_assume_keys(s);
    bj_value v = { .type = BJ_T_STEPS };
    v.as.records.items = s->steps;
    v.as.records.count = s->count;
    bj_set(arena, s->root, BJ_F(SCENARIO, STEPS), &v);
    if (talk->left_out) {
        script_assume(s, "the capture has %zu messages more than are taken", talk->left_out);
    }
    if (*field->parties.damage) {
        script_assume(s, "the file could not be read further: %s", field->parties.damage);
    }
}

/* --- printing ------------------------------------------------------------------------------------------------- */

static void put_assumptions(const bj_script *s, FILE *out) {
    const char *file = strrchr(s->field->options->units.source.name, '/');
    const bj_party *one = &s->field->parties.all[s->talk->party];
    BJ_TEXT(who, 300);
    bj_party_print(&who, one);
    fprintf(out, "# From the capture %s: client ", file ? file + 1 : s->field->options->units.source.name);
    bj_print_readable(out, who.start);
    fprintf(out, ", frames %u to %u.\n", one->first_frame, one->last_frame);
    if (s->assumption_count) {
        fputs("# Assumed:\n", out);
    }
    for (size_t i = 0; i < s->assumption_count; i++) {
        fprintf(out, "#  - %s\n", s->assumptions[i]);
    }
    if (s->raw || s->unsaid) {
        fprintf(out, "# %u messages are raw bytes, %u stand in comments only.\n", s->raw, s->unsaid);
    }
}

static void put_comment(FILE *out, const char *text) {
    fputs("  # ", out);
    bj_print_readable(out, text);
    fputc('\n', out);
}

/* Steps stand in the list at the second column; what is inside them stands deeper. */
bj_string bj_script_print(bj_script *s) {
    bj_string text = bj_program_print(s->arena, s->root);
    char *bytes = NULL;
    size_t length = 0, number = 0;
    bool steps = false;
    FILE *out = open_memstream(&bytes, &length);
    if (!out) {
        return text;
    }
    put_assumptions(s, out);
    for (const char *at = text.bytes, *end = text.bytes + text.length; at < end;) {
        const char *newline = memchr(at, '\n', (size_t) (end - at));
        size_t size = newline ? (size_t) (newline - at) + 1 : (size_t) (end - at);
        steps |= size > 6 && !memcmp(at, "steps:", 6);
        if (steps && size > 4 && !memcmp(at, "  - ", 4) && number < s->count && s->comments[number++]) {
            put_comment(out, s->comments[number - 1]);
        }
        fwrite(at, 1, size, out);
        at += size;
    }
    if (s->comment.used) {
        put_comment(out, s->comment.start);
    }
    fclose(out);
    text = (bj_string){ bj_arena_strndup(s->arena, bytes, length), length };
    free(bytes);
    return text;
}
