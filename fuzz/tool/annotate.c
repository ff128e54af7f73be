/* SPDX-License-Identifier: Apache-2.0
 *
 * See annotate.h.
 */
#include "tool/annotate.h"

#include <stdlib.h>
#include <string.h>

#include "attach/conversation.h"
#include "script/load.h"
#include "script/print.h"

const bj_record *annotate_place(bj_arena *arena, const bj_record *program, bj_string *text) {
    bj_mistakes mistakes = { 0 };
    *text = bj_program_print(arena, program);
    const bj_record *placed =
        bj_load_unchecked(arena, (bj_kind) program->kind, "finding", text->bytes, text->length, &mistakes);
    return placed ? placed : program;
}

/* The text as it is written out, line after line. */
typedef struct page {
    FILE *file;
    const char *at, *end;
    uint32_t line;   /* that comes next, from 1 */
    unsigned indent; /* of the step to which comments belong */
} page;

static unsigned indent_of(const char *at, const char *end) {
    unsigned blanks = 0;
    while (at + blanks < end && at[blanks] == ' ') {
        blanks++;
    }
    return blanks;
}

static void put_line(page *p) {
    const char *stop = memchr(p->at, '\n', (size_t) (p->end - p->at));
    stop = stop ? stop + 1 : p->end;
    fwrite(p->at, 1, (size_t) (stop - p->at), p->file);
    p->at = stop;
    p->line++;
}

/* The step that stands in this line, and all before it. */
static void put_step(page *p, uint32_t line) {
    while (p->at < p->end && p->line < line) {
        put_line(p);
    }
    if (p->line != line || p->at >= p->end) {
        return; /* it was there before: a step that is repeated */
    }
    p->indent = indent_of(p->at, p->end);
    put_line(p);
    while (p->at < p->end && indent_of(p->at, p->end) > p->indent) {
        put_line(p);
    }
}

/* One line, and nothing that YAML does not take: what a client writes may be any bytes. */
static void put_comment(page *p, const char *mark, const char *text) {
    size_t left = strlen(text);
    fprintf(p->file, "%*s# %s", (int) p->indent, "", mark);
    for (size_t length; left; text += length, left -= length) {
        length = bj_utf8_sequence(text, left);
        bool plain = length > 1 || (length == 1 && *text >= ' ' && *text != 0x7F);
        length = length ? length : 1;
        if (plain) {
            fwrite(text, 1, length, p->file);
        } else {
            fputc('?', p->file);
        }
    }
    fputc('\n', p->file);
}

static void put_rules(page *p, const session_result *result, uint32_t event) {
    for (size_t i = 0; i < result->finding_count; i++) {
        const bj_finding *finding = &result->findings[i];
        if (finding->event != event || finding->excuse) {
            continue;
        }
        BJ_TEXT(line, 1024);
        session_print_rule(&line, finding);
        put_comment(p, ">>> ", line.start);
    }
}

static void put_event(page *p, bj_conversation *conversation, const bj_event *event) {
    static char room[1 << 16];
    bj_text line = bj_text_over(room, sizeof room);
    bool shown = bj_conversation_line(conversation, event, &line);
    if (event->kind == BJ_EV_STEP_BEGIN) {
        put_step(p, event->position.line);
    } else if (shown) {
        put_comment(p, "", line.start);
    }
}

bool annotate_write(FILE *file, bj_string text, const session_result *result) {
    page p = { .file = file, .at = text.bytes, .end = text.bytes + text.length, .line = 1 };
    bj_conversation *conversation = bj_conversation_new(result->log);
    bj_event event;
    fputs("# Written by bootjack-fuzz. Comments say what was seen behind each step, with virtual times.\n", file);
    for (size_t cursor = 0; conversation && bj_log_next(result->log, &cursor, &event);) {
        put_event(&p, conversation, &event);
        put_rules(&p, result, event.sequence);
    }
    while (p.at < p.end) {
        put_line(&p);
    }
    put_rules(&p, result, 0);
    bj_conversation_free(conversation);
    return conversation && !ferror(file);
}
