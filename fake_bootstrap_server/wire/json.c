/* SPDX-License-Identifier: Apache-2.0
 *
 * See json.h.
 */
#include "wire/json.h"

#include <string.h>

#include "wire/entries_internal.h"

char bj_json_peek(bj_reader *r) {
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r')) {
        r->at++;
    }
    return r->at < r->end ? (char) *r->at : '\0';
}

bool bj_json_take(bj_reader *r, char c) {
    bool there = bj_json_peek(r) == c && r->at < r->end;
    r->at += there;
    return there;
}

bool bj_json_word(bj_reader *r, const char *word) {
    size_t length = strlen(word);
    bj_json_peek(r);
    if (bj_reader_left(r) < length || memcmp(r->at, word, length) != 0) {
        return false;
    }
    r->at += length;
    return true;
}

/* --- strings -------------------------------------------------------------------------------------------------- */

typedef struct sink {
    uint8_t *out;
    size_t room, used;
    bool full;
} sink;

static void sink_byte(sink *s, unsigned byte) {
    if (s->out && s->used < s->room) {
        s->out[s->used] = (uint8_t) byte;
    }
    s->full = s->full || (s->out && s->used >= s->room);
    s->used++;
}

static void sink_character(sink *s, uint32_t c) {
    if (c < 0x80) {
        sink_byte(s, c);
    } else if (c < 0x800) {
        sink_byte(s, 0xC0 | c >> 6);
        sink_byte(s, 0x80 | (c & 63));
    } else {
        if (c < 0x10000) {
            sink_byte(s, 0xE0 | c >> 12);
        } else {
            sink_byte(s, 0xF0 | c >> 18);
            sink_byte(s, 0x80 | (c >> 12 & 63));
        }
        sink_byte(s, 0x80 | (c >> 6 & 63));
        sink_byte(s, 0x80 | (c & 63));
    }
}

static bool four_digits(bj_reader *r, uint32_t *value) {
    const uint8_t *digits = bj_reader_take(r, 4);
    *value = 0;
    for (unsigned i = 0; digits && i < 4; i++) {
        uint8_t c = digits[i], low = c | 0x20;
        bool letter = low >= 'a' && low <= 'f';
        if (!letter && (c < '0' || c > '9')) {
            return false;
        }
        *value = *value << 4 | (letter ? low - 'a' + 10U : c - '0' + 0U);
    }
    return digits != NULL;
}

/* \uXXXX, of which two make one character above U+FFFF. */
static bool escaped_character(bj_reader *r, sink *s) {
    uint32_t c, low;
    if (!four_digits(r, &c) || (c >= 0xDC00 && c < 0xE000)) {
        return false;
    }
    if (c >= 0xD800 && c < 0xDC00) {
        const uint8_t *next = bj_reader_take(r, 2);
        if (!next || next[0] != '\\' || next[1] != 'u' || !four_digits(r, &low) || low < 0xDC00 || low >= 0xE000) {
            return false;
        }
        c = 0x10000 + ((c & 0x3FF) << 10) + (low & 0x3FF);
    }
    sink_character(s, c);
    return true;
}

static bool escape(bj_reader *r, sink *s) {
    static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    const uint8_t *c = bj_reader_take(r, 1);
    if (!c || !*c) {
        return false;
    }
    if (*c == 'u') {
        return escaped_character(r, s);
    }
    const char *found = strchr(letters, *c);
    if (found) {
        sink_byte(s, (uint8_t) meant[found - letters]);
    }
    return found != NULL;
}

bool bj_json_string(bj_reader *r, uint8_t *out, size_t room, size_t *length) {
    sink s = { .out = out, .room = room };
    if (!bj_json_take(r, '"')) {
        return false;
    }
    const uint8_t *start = r->at;
    while (r->at < r->end && *r->at != '"') {
        uint8_t c = *r->at++;
        if (c < 0x20 || (c == '\\' && !escape(r, &s))) {
            return false;
        }
        if (c != '\\') {
            sink_byte(&s, c);
        }
    }
    if (r->at == r->end || !bj__utf8(start, (size_t) (r->at - start)) || s.full) {
        return false;
    }
    r->at++;
    *length = s.used;
    return true;
}

/* --- numbers, and any value ----------------------------------------------------------------------------------- */

/* The characters of a number; their count in *length. */
static const uint8_t *take_number(bj_reader *r, size_t *length) {
    bj_json_peek(r);
    const uint8_t *start = r->at;
    while (r->at < r->end && (strchr("+-.eE", *r->at) ? *r->at != 0 : *r->at >= '0' && *r->at <= '9')) {
        r->at++;
    }
    *length = (size_t) (r->at - start);
    return start;
}

bool bj_json_number(bj_reader *r, bj_entry *number) {
    size_t length;
    const uint8_t *start = take_number(r, &length);
    return bj__read_number(start, length, number);
}

bool bj_json_pass_number(bj_reader *r) {
    size_t length;
    const uint8_t *start = take_number(r, &length);
    return bj__is_number(start, length);
}

bool bj_json_more(bj_reader *r, char end, bool *first, bool *fault) {
    bool was_first = *first;
    *first = false;
    if (bj_json_take(r, end)) {
        return false;
    }
    *fault = !was_first && !bj_json_take(r, ',');
    return !*fault;
}

static bool skip_scalar(bj_reader *r) {
    size_t length;
    char c = bj_json_peek(r);
    if (c == '"') {
        return bj_json_string(r, NULL, 0, &length);
    }
    if (bj_json_word(r, "true") || bj_json_word(r, "false") || bj_json_word(r, "null")) {
        return true;
    }
    return bj_json_pass_number(r);
}

static bool skip_nested(bj_reader *r, int depth) { /* `depth` bounds the recursion */
    bool object = bj_json_take(r, '{'), first = true, fault = false;
    size_t length;
    if (!object && !bj_json_take(r, '[')) {
        return skip_scalar(r);
    }
    while (bj_json_more(r, object ? '}' : ']', &first, &fault)) {
        if ((object && (!bj_json_string(r, NULL, 0, &length) || !bj_json_take(r, ':'))) || depth == 0 ||
            !skip_nested(r, depth - 1)) {
            return false;
        }
    }
    return !fault;
}

bool bj_json_skip(bj_reader *r) {
    enum { LEVELS = 16 };
    return skip_nested(r, LEVELS);
}

bool bj_json_skip_deep(bj_reader *r) {
    enum { LEVELS = 64 };
    return skip_nested(r, LEVELS);
}
