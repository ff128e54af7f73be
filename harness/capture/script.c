/* SPDX-License-Identifier: Apache-2.0
 *
 * See script.h. The steps are made first: they find out which ports are closed from the beginning.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/script_internal.h"
#include "script/print.h"

/* Does this answer end an attempt for good: a Finish that was taken, a request that was refused? */
static bool ends_attempt(const bj_talk *t, const bj_message *m) {
    const bj_message *request =
        m->kind == BJ_TALK_RESPONSE && m->request != BJ_TALK_NONE ? &t->messages[m->request] : NULL;
    bj_request_kind kind = request ? bj_request_kind_of(t, request) : BJ_REQ_OTHER;
    bool finished = kind == BJ_REQ_FINISH && m->by_client && m->code >> 5 == 2;
    return finished || (kind == BJ_REQ_BOOTSTRAP && !m->by_client && m->code >> 5 != 2);
}

/* The shortest time between the end of an attempt and the next one, in whole seconds. */
static bj_time shown_holdoff(const bj_talk *t) {
    bj_time least = BJ_NEVER, ended = BJ_NEVER;
    for (size_t i = 0; i < t->count; i++) {
        const bj_message *m = &t->messages[i];
        bj_request_kind kind = bj_request_kind_of(t, m);
        bool begins = m->by_client && m->repeats == BJ_TALK_NONE && (kind == BJ_REQ_BOOTSTRAP || kind == BJ_REQ_PACK);
        if (begins && ended != BJ_NEVER) {
            least = m->time - ended < least ? m->time - ended : least;
        }
        bool counts = m->kind >= BJ_TALK_REQUEST && m->kind <= BJ_TALK_RESPONSE;
        ended = ends_attempt(t, m) ? m->time : counts ? BJ_NEVER : ended;
    }
    return least == BJ_NEVER ? BJ_NEVER : (least + BJ_SECOND / 2) / BJ_SECOND * BJ_SECOND;
}

static void put_head(bj_script *s) {
    const bj_party *one = &s->field->parties.all[s->talk->party];
    bj_record *network = bj_record_new(s->arena, BJ_K_LINK, (bj_position){ 0 });
    bj_record *recovery = bj_record_new(s->arena, BJ_K_RECOVERY, (bj_position){ 0 });
    BJ_TEXT(title, 300);
    bj_text_printf(&title, "What a capture shows of the client %s", *one->endpoint ? one->endpoint : "without a name");
    script_set_text(s, s->root, BJ_F(SCENARIO, TITLE), title.start);
    script_set_duration(s, network, BJ_F(LINK, LATENCY), 10);
    script_set_record(s, s->root, BJ_F(SCENARIO, NETWORK), network);
    script_set_text(s, recovery, BJ_F(RECOVERY, OFF), "the capture ends here");
    script_set_record(s, s->root, BJ_F(SCENARIO, RECOVERY), recovery);
}

/* Servers whose port was closed when they were first spoken to are so from the start. */
static void begin_ports(bj_script *s) {
    bool closed[BJ_TALK_SERVERS] = { false };
    size_t kept = 0;
    for (unsigned i = 0; i < s->talk->server_count; i++) {
        bool spoken = false;
        for (size_t n = 0; n < s->count && !spoken; n++) {
            const bj_record *r = s->steps[n];
            bool port = r->kind == BJ_K_PORT && !strcmp(bj_get_string(r, BJ_F(PORT, SERVER), ""), s->servers[i].name);
            bool named =
                r->kind == BJ_K_REQUEST && !strcmp(bj_get_string(r, BJ_F(REQUEST, TO), ""), s->servers[i].name);
            closed[i] = port && bj_get_uint(r, BJ_F(PORT, STATE), 0) == 1;
            if (closed[i]) {
                s->steps[n] = NULL;
            }
            spoken = port || named;
        }
        s->servers[i].closed = closed[i];
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

void bj_script_make(bj_script *s, const bj_field *field, const bj_talk *talk, bj_arena *arena, bool loose,
                    bool follows) {
    *s = (bj_script){ .field = field, .talk = talk, .arena = arena, .loose = loose, .follows = follows };
    s->root = bj_record_new(arena, BJ_K_SCENARIO, (bj_position){ 0 });
    s->holdoff = shown_holdoff(talk);
    script_find_servers(s);
    put_head(s);
    script_put_client(s);
    script_put_steps(s);
    begin_ports(s);
    script_put_servers(s);
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
    const char *file = strrchr(s->field->options->units.file, '/');
    const bj_party *one = &s->field->parties.all[s->talk->party];
    BJ_TEXT(who, 300);
    bj_party_print(&who, one);
    fprintf(out, "# From the capture %s: client %s, frames %u to %u.\n",
            file ? file + 1 : s->field->options->units.file, who.start, one->first_frame, one->last_frame);
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
            fprintf(out, "  # %s\n", s->comments[number - 1]);
        }
        fwrite(at, 1, size, out);
        at += size;
    }
    if (s->comment.used) {
        fprintf(out, "  # %s\n", s->comment.start);
    }
    fclose(out);
    text = (bj_string){ bj_arena_strndup(s->arena, bytes, length), length };
    free(bytes);
    return text;
}
