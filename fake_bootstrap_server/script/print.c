/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs to YAML and to lines of a log. See print.h.
 *
 * Strings are printed plain where that is safe, else in double quotes; what is not UTF-8 becomes
 * `!bytes HEX`. A step that fits one line is printed as one, any other as one field a line.
 */
#define _GNU_SOURCE
#include "script/print.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- small things ----------------------------------------------------------------------------- */

size_t bj_utf8_sequence(const char *bytes, size_t left) {
    const unsigned char *s = (const unsigned char *) bytes;
    size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    if (n == 1) {
        return 1;
    }
    if (s[0] < 0xC2 || s[0] > 0xF4 || n > left) {
        return 0;
    }
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    bool overlong = (s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xF0 && s[1] < 0x90);
    bool outside = (s[0] == 0xED && s[1] > 0x9F) || (s[0] == 0xF4 && s[1] > 0x8F);
    return overlong || outside ? 0 : n;
}

bool bj_code_parse(const char *text, size_t length, uint8_t *code) {
    if (length != 4 || text[0] < '0' || text[0] > '7' || text[1] != '.' || text[2] < '0' || text[2] > '3' ||
        text[3] < '0' || text[3] > '9') {
        return false;
    }
    unsigned detail = (unsigned) (text[2] - '0') * 10 + (unsigned) (text[3] - '0');
    *code = (uint8_t) ((unsigned) (text[0] - '0') << 5 | (detail & 31));
    return detail < 32;
}

static const struct {
    uint32_t number;
    const char *name;
} option_names[] = {
    { 1, "if-match" },      { 3, "uri-host" },        { 4, "etag" },          { 5, "if-none-match" },
    { 6, "observe" },       { 7, "uri-port" },        { 8, "location-path" }, { 9, "oscore" },
    { 11, "uri-path" },     { 12, "content-format" }, { 14, "max-age" },      { 15, "uri-query" },
    { 17, "accept" },       { 20, "location-query" }, { 23, "block2" },       { 27, "block1" },
    { 28, "size2" },        { 35, "proxy-uri" },      { 39, "proxy-scheme" }, { 60, "size1" },
    { 258, "no-response" },
};
enum { OPTION_NAMES = sizeof option_names / sizeof option_names[0] };

bool bj_option_named(const char *name, uint32_t *number) {
    for (size_t i = 0; i < OPTION_NAMES; i++) {
        if (!strcmp(option_names[i].name, name)) {
            *number = option_names[i].number;
            return true;
        }
    }
    return false;
}

const char *bj_option_name(uint32_t number) {
    for (size_t i = 0; i < OPTION_NAMES; i++) {
        if (option_names[i].number == number) {
            return option_names[i].name;
        }
    }
    return NULL;
}

/* --- points of time --------------------------------------------------------------------------- */

static const char *const due_names[] = { NULL, "wake", "finish", "retransmit", "holdoff", "lifetime", "giveup" };

const char *bj_due_name(bj_due due) {
    return (unsigned) due <= BJ_DUE_GIVEUP ? due_names[due] : NULL;
}

typedef struct cursor {
    const char *at;
    const char *end;
} cursor;

static bool skip(cursor *c, const char *text) {
    size_t length = strlen(text);
    if ((size_t) (c->end - c->at) < length || memcmp(c->at, text, length) != 0) {
        return false;
    }
    c->at += length;
    return true;
}

static void skip_blanks(cursor *c) {
    while (c->at < c->end && *c->at == ' ') {
        c->at++;
    }
}

/* "wake", "due(finish)": BJ_DUE_NONE and nothing skipped when there is none of them. */
static uint8_t parse_due(cursor *c) {
    cursor before = *c;
    if (skip(c, "wake")) {
        return BJ_DUE_WAKE;
    }
    for (uint8_t due = BJ_DUE_FINISH; skip(c, "due(") && due <= BJ_DUE_GIVEUP; due++) {
        if (skip(c, due_names[due]) && skip(c, ")")) {
            return due;
        }
        *c = before;
    }
    *c = before;
    return BJ_DUE_NONE;
}

/* A duration up to "..", a blank or the end. */
static bool parse_duration(cursor *c, int64_t *us) {
    const char *start = c->at;
    bj_time duration;
    while (c->at < c->end && *c->at != ' ' && !(c->end - c->at >= 2 && c->at[0] == '.' && c->at[1] == '.')) {
        c->at++;
    }
    if (!bj_duration_parse(start, (size_t) (c->at - start), &duration) || duration > BJ_DURATION_MAX) {
        return false;
    }
    *us = (int64_t) duration;
    return true;
}

/* "10s", "wake", "due(finish)-1ms"; behind "..", "+5s" counts from the due time of the first end. */
static bool parse_point(cursor *c, uint8_t *due, bool second, int64_t *us) {
    uint8_t named = parse_due(c);
    bool from_due = named || (second && *due);
    if (named) {
        if (second && *due != named) {
            return false;
        }
        *due = named;
    }
    *us = 0;
    skip_blanks(c);
    bool negative = from_due && skip(c, "-");
    if (!negative && !(from_due && skip(c, "+"))) {
        return named || (!from_due && parse_duration(c, us));
    }
    skip_blanks(c);
    bool fine = parse_duration(c, us);
    *us = negative ? -*us : *us;
    return fine;
}

static bool parse_range(cursor *c, bj_when *when) {
    bool open_early = skip(c, "..");
    skip_blanks(c);
    if (open_early) {
        bool fine = parse_point(c, &when->due, false, &when->latest);
        when->earliest = when->due ? BJ_WHEN_OPEN_EARLY : 0;
        return fine;
    }
    if (!parse_point(c, &when->due, false, &when->earliest)) {
        return false;
    }
    when->latest = when->earliest;
    skip_blanks(c);
    if (!skip(c, "..")) {
        return true;
    }
    skip_blanks(c);
    when->latest = BJ_WHEN_OPEN;
    return c->at == c->end || parse_point(c, &when->due, true, &when->latest);
}

bool bj_when_parse(const char *text, size_t length, bj_when *when) {
    cursor c = { .at = text, .end = text + length };
    bj_when result = { 0 };
    if (!length || !parse_range(&c, &result)) {
        return false;
    }
    skip_blanks(&c);
    if (c.at != c.end || result.latest < result.earliest) {
        return false;
    }
    bj_when_tidy(&result);
    *when = result;
    return true;
}
