/* SPDX-License-Identifier: Apache-2.0
 *
 * See notes.h. The byte form is read, which never fails and knows no files: a capture comes from anywhere.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "capture/capture_file.h"
#include "capture/notes.h"
#include "capture/pcapng.h"
#include "capture/pcapng_read.h"
#include "script/bytes.h"

enum { SECTION = 0x0A0D0D0A, MAGIC = 0x1A2B3C4D, MOST = 32 << 20, HEAD = 24, COMMENT = 1, APPLICATION = 4 };

typedef struct section {
    const uint8_t *bytes; /* options */
    size_t length;
    bool swapped;
} section;

/* The section header, which is the first block. Versions and the section's length stand in front of the options. */
static bool read_section(section *s, bj_capture_file *file) {
    uint32_t magic, total;
    const uint8_t *head = bj_pcapng_is(file) ? bj_capture_file_peek(file, HEAD) : NULL;
    if (!head) {
        return false;
    }
    memcpy(&total, head + 4, sizeof total);
    memcpy(&magic, head + 8, sizeof magic);
    s->swapped = magic != MAGIC;
    total = s->swapped ? __builtin_bswap32(total) : total;
    if (total < HEAD + 4 || total > MOST) {
        return false;
    }
    s->length = total - HEAD - 4;
    head = bj_capture_file_take(file, HEAD + s->length);
    s->bytes = head ? head + HEAD : NULL;
    return head != NULL;
}

static unsigned two(const section *s, size_t at) {
    uint16_t native;
    memcpy(&native, s->bytes + at, sizeof native);
    return s->swapped ? __builtin_bswap16(native) : native;
}

/* The next option; NULL behind the last. */
static const char *next_option(const section *s, size_t *at, unsigned *code, size_t *length) {
    if (*at + 4 > s->length) {
        return NULL;
    }
    size_t here = *at + 4;
    *code = two(s, *at);
    *length = two(s, *at + 2);
    if (!*code || here + *length > s->length) {
        return NULL;
    }
    *at = here + ((*length + 3) & ~(size_t) 3);
    return (const char *) s->bytes + here;
}

/* --- comments ------------------------------------------------------------------------------------------------- */

static int digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The bytes that hexadecimal digits at `text` say; the count. */
static size_t take_hex(const char *text, uint8_t *bytes) {
    size_t count = 0;
    for (; digit(text[0]) >= 0 && digit(text[1]) >= 0; text += 2) {
        bytes[count++] = (uint8_t) (digit(text[0]) << 4 | digit(text[1]));
    }
    return count;
}

static const bj_record *take_record(bj_arena *arena, bj_kind kind, const char *hex) {
    uint8_t *bytes = bj_arena_alloc(arena, strlen(hex) / 2 + 1);
    size_t length = take_hex(hex, bytes);
    return bj_program_decode(arena, kind, bytes, length, NULL, 0);
}

static void take_step(bj_noted *noted, bj_arena *arena, const char *text) {
    bj_noted_step one;
    unsigned kind = 0;
    int at = 0;
    bool whole = sscanf(text, BJ_NOTE_STEP "%u before frame %" SCNu32 " from %" SCNu64 " to %" SCNu64 " %n", &kind,
                        &one.frame, &one.begun, &one.ended, &at) == 4;
    const bj_record_def *def = kind <= UINT8_MAX ? bj_record_def_of((bj_kind) kind) : NULL;
    if (!whole || !at || !def || !def->verb || noted->count == BJ_NOTES) {
        return;
    }
    one.step = take_record(arena, (bj_kind) kind, text + at);
    size_t place = noted->count++;
    for (; place && noted->steps[place - 1].frame > one.frame; place--) {
        noted->steps[place] = noted->steps[place - 1];
    }
    noted->steps[place] = one;
}

static void take_comment(bj_noted *noted, bj_arena *arena, const char *comment, size_t length) {
    const char *text = bj_arena_strndup(arena, comment, length);
    if (!strncmp(text, BJ_NOTE_GIVEN, strlen(BJ_NOTE_GIVEN))) {
        noted->given = take_record(arena, BJ_K_SCENARIO, text + strlen(BJ_NOTE_GIVEN));
    } else if (!strncmp(text, BJ_NOTE_STEP, strlen(BJ_NOTE_STEP))) {
        take_step(noted, arena, text);
    }
}

static bool is_ours(const section *s) {
    unsigned code;
    size_t at = 0, length;
    const char *value;
    while ((value = next_option(s, &at, &code, &length))) {
        if (code == APPLICATION) {
            return length == strlen(BJ_PCAPNG_APPLICATION) && !memcmp(value, BJ_PCAPNG_APPLICATION, length);
        }
    }
    return false;
}

void bj_notes_read(bj_noted *noted, bj_arena *arena, const bj_capture_source *source) {
    BJ_TEXT(why, 200);
    section s = { .bytes = NULL };
    bj_capture_file *file = bj_capture_file_open(source, &why);
    *noted = (bj_noted){ .steps = NULL };
    if (file && read_section(&s, file) && is_ours(&s)) {
        noted->steps = bj_arena_alloc_raw(arena, BJ_NOTES * sizeof *noted->steps);
        unsigned code;
        size_t at = 0, length;
        const char *value;
        while ((value = next_option(&s, &at, &code, &length))) {
            if (code == COMMENT) {
                take_comment(noted, arena, value, length);
            }
        }
    }
    bj_capture_file_close(file);
}
