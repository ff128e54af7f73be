/* SPDX-License-Identifier: Apache-2.0
 *
 * What all steps of a scenario are made with: records and comments, times, payloads, options.
 */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "capture/script_internal.h"
#include "script/print.h"
#include "wire/entries.h"
#include "wire/link.h"

/* --- steps and comments --------------------------------------------------------------------------------------- */

const bj_message *script_message(const bj_script *s, int index) {
    return index == BJ_TALK_NONE ? NULL : &s->talk->messages[index];
}

void script_say(bj_script *s, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    bj_text_add(&s->comment, s->comment.used ? "; " : "");
    bj_text_vprintf(&s->comment, format, arguments);
    va_end(arguments);
}

bj_record *script_step(bj_script *s, bj_kind kind) {
    bj_record *r = bj_record_new(s->arena, kind, (bj_position){ 0 });
    if (s->count == s->room) {
        size_t room = s->room ? s->room * 2 : 64;
        s->steps = bj_arena_realloc(s->arena, s->steps, room * sizeof(void *));
        s->comments = bj_arena_realloc(s->arena, s->comments, room * sizeof *s->comments);
        s->room = room;
    }
    s->comments[s->count] = s->comment.used ? bj_arena_strdup(s->arena, s->comment.start) : NULL;
    s->steps[s->count++] = r;
    s->comment = bj_text_over(s->comment_room, sizeof s->comment_room);
    return r;
}

const char *script_name_of(bj_script *s, const bj_message *m) {
    bj_script_server *first = &s->servers[s->servers[m->server].same];
    first->met = first->named = true;
    s->servers[m->server].met = s->servers[m->server].named = true;
    return s->servers[m->server].name;
}

void script_put_codes(bj_script *s, bj_record *r, unsigned field, uint8_t code) {
    bj_value v = { .type = BJ_T_CODES };
    v.as.codes.bits[code >> 6] = (uint64_t) 1 << (code & 63);
    bj_set(s->arena, r, field, &v);
}

void script_put_when(bj_script *s, bj_record *r, unsigned field, bj_when when) {
    bj_value v = { .type = BJ_T_WHEN };
    bj_when_tidy(&when);
    v.as.when = when;
    bj_set(s->arena, r, field, &v);
}

void script_put_strings(bj_script *s, bj_record *r, unsigned field, bj_type type, const bj_string *items,
                        size_t count) {
    bj_value v = { .type = (uint8_t) type };
    v.as.strings.items = bj_arena_copy(s->arena, items, (count + 1) * sizeof *items);
    v.as.strings.count = count;
    bj_set(s->arena, r, field, &v);
}

/* What the client must answer: any response, where it is only followed. */
void script_put_expected(bj_script *s, bj_record *r, unsigned field, uint8_t code) {
    bj_value v = { .type = BJ_T_CODES };
    if (!s->follows) {
        script_put_codes(s, r, field, code);
        return;
    }
    v.as.codes.bits[1] = v.as.codes.bits[2] = UINT64_MAX;
    bj_set(s->arena, r, field, &v);
}

/* --- times ---------------------------------------------------------------------------------------------------- */

/* Damaged clocks leap: no time is longer than a scenario can say, with something to add to it. */
static bj_time at_most(bj_time time) {
    return time < BJ_DURATION_MAX / 8 ? time : BJ_DURATION_MAX / 8;
}

bj_time script_since(const bj_script *s, bj_time time) {
    return time > s->base ? at_most(time - s->base) : 0;
}

/* A step ends, in the clock of the servers: what the client sends is with them a latency later. */
void script_end_with(bj_script *s, const bj_message *m) {
    s->base = m->time + (m->by_client ? s->latency : 0);
}

/* What the servers do at its time: to a millisecond, from 20 ms on. */
bj_time script_pause(const bj_script *s, bj_time gap) {
    bool counts = gap >= (s->loose ? 10 * BJ_SECOND : 20 * BJ_MS);
    return counts ? at_most((gap + BJ_MS / 2) / BJ_MS * BJ_MS) : 0;
}

void script_put_moment(bj_script *s, bj_record *r, unsigned field, bj_time time) {
    bj_time gap = script_pause(s, script_since(s, time));
    gap = gap ? script_pause(s, script_since(s, time) + s->latency) : 0; /* `at` is when it reaches the client */
    if (gap) {
        script_put_when(s, r, field, (bj_when){ .earliest = (int64_t) gap, .latest = (int64_t) gap });
    }
}

/* A time of the client, to about two hundredths of it: the same client is a little earlier or later in another network.
 * What lies in the middle between two is none of the times that people choose. */
bj_time script_rounded(bj_time time) {
    static const bj_time units[][2] = { { 10 * BJ_SECOND, 100 * BJ_MS },
                                        { 60 * BJ_SECOND, BJ_SECOND },
                                        { 600 * BJ_SECOND, 5 * BJ_SECOND },
                                        { 3600 * BJ_SECOND, 60 * BJ_SECOND },
                                        { BJ_NEVER, 600 * BJ_SECOND } };
    unsigned i = 0;
    while (time >= units[i][0]) {
        i++;
    }
    return (time + units[i][1] * 5 / 8) / units[i][1] * units[i][1];
}

/* When the client must do something: a tenth and half a second around the time of the capture. */
void script_put_window(bj_script *s, bj_record *r, unsigned at, unsigned within, bj_time time) {
    bj_time tenth = 100 * BJ_MS, gap = script_rounded(script_since(s, time));
    if (s->loose || s->follows) {
        script_set_duration(s, r, within, gap * 2 + 200 * BJ_SECOND);
        return;
    }
    if (gap < BJ_SECOND) {
        return;
    }
    bj_time slack = gap / 10 / tenth * tenth + 5 * tenth;
    script_put_when(
        s, r, at,
        (bj_when){ .earliest = (int64_t) (gap > slack ? gap - slack : 0), .latest = (int64_t) (gap + slack) });
}

/* --- payloads ------------------------------------------------------------------------------------------------- */

uint32_t script_format_of(const bj_coap *c) {
    uint32_t format = BJ_SCRIPT_NO_FORMAT;
    bj_coap_find_uint(c, BJ_COAP_CONTENT_FORMAT, &format);
    return format;
}

static bool is_plain_text(const uint8_t *bytes, size_t length) {
    for (size_t i = 0; i < length;) {
        size_t n = bj_utf8_sequence((const char *) bytes + i, length - i);
        if (!n || (n == 1 && bytes[i] < 0x20 && bytes[i] != '\n')) {
            return false;
        }
        i += n;
    }
    return !memmem(bytes, length, "${", 2);
}

void script_put_format(bj_script *s, bj_record *r, unsigned field, uint32_t format, uint32_t usual) {
    if (field && format != usual) {
        script_set_uint(s, r, field, BJ_T_UINT, format);
    }
}

static void put_hex(bj_script *s, bj_record *r, const script_payload *f, uint32_t format, uint32_t usual,
                    const uint8_t *data, size_t length) {
    script_set_bytes(s, r, f->hex, data, length);
    script_put_format(s, r, f->format, format, usual);
}

/* As values where they say the same, as text where it is one, else as bytes. `usual`: the format of bytes. */
void script_put_payload(bj_script *s, bj_record *r, const script_payload *f, uint32_t format, const bj_path *target,
                        const uint8_t *data, size_t length, uint32_t usual) {
    bj_value values;
    bool exact = false;
    bool good = f->values && target && bj_script_values(s, format, target, data, length, &values, &exact);
    if (good) {
        script_learn(s, target, &values);
    }
    if (good && format == 11542 && exact && f->tlv) {
        bj_set(s->arena, r, f->tlv, &values);
    } else if (good && format != 11542 && bj_entries_writable(format)) {
        bj_set(s->arena, r, f->values, &values);
        script_put_format(s, r, f->format, format, 11542);
    } else if (length && f->text && (format == 0 || format == 40) && is_plain_text(data, length)) {
        BJ_TEXT(text, 4096);
        bj_text_add_bytes(&text, (const char *) data, length);
        if (text.cut) {
            put_hex(s, r, f, format, usual, data, length);
            return;
        }
        script_set_text(s, r, f->text, text.start);
        script_put_format(s, r, f->format, format, 0);
    } else if (length || format != BJ_SCRIPT_NO_FORMAT) {
        put_hex(s, r, f, format, usual, data, length);
    }
}

static bool is_said(uint32_t number, unsigned says) {
    switch (number) {
    case BJ_COAP_URI_PATH:
    case BJ_COAP_URI_QUERY:
    case BJ_COAP_CONTENT_FORMAT:
        return true;
    case BJ_COAP_ACCEPT:
        return says & SAYS_ACCEPT;
    case BJ_COAP_LOCATION_PATH:
        return says & SAYS_LOCATION;
    case BJ_COAP_OBSERVE:
        return says & SAYS_OBSERVE;
    case BJ_COAP_BLOCK1:
    case BJ_COAP_BLOCK2:
    case BJ_COAP_SIZE1:
    case BJ_COAP_SIZE2:
        return says & SAYS_BLOCKS;
    default:
        return false;
    }
}

/* Options that no field says. */
void script_put_options(bj_script *s, bj_record *r, unsigned field, const bj_coap *c, unsigned says) {
    bj_raw_option found[16];
    size_t count = 0;
    for (size_t i = 0; i < c->option_count && count < 16; i++) {
        uint32_t n = c->options[i].number;
        if (!is_said(n, says)) {
            found[count].number = n;
            found[count++].value =
                (bj_string){ bj_arena_strndup(s->arena, c->options[i].length ? (const char *) c->options[i].value : "",
                                              c->options[i].length),
                             c->options[i].length };
        }
    }
    if (count) {
        bj_value v = { .type = BJ_T_OPTIONS };
        v.as.options.items = bj_arena_copy(s->arena, found, count * sizeof *found);
        v.as.options.count = count;
        bj_set(s->arena, r, field, &v);
    }
}

void script_put_query(bj_script *s, bj_record *r, unsigned field, const bj_coap *c, const char *const *only) {
    bj_string found[32];
    size_t count = 0;
    const bj_coap_option *q;
    for (size_t i = 0; (q = bj_coap_find(c, BJ_COAP_URI_QUERY, i)) && count < 32; i++) {
        bool wanted = !only;
        for (size_t n = 0; only && only[n]; n++) {
            wanted |= q->length >= strlen(only[n]) && !memcmp(q->value, only[n], strlen(only[n]));
        }
        if (wanted) {
            found[count++] = (bj_string){ bj_arena_strndup(s->arena, (const char *) q->value, q->length), q->length };
        }
    }
    if (count) {
        script_put_strings(s, r, field, BJ_T_QUERY, found, count);
    }
}
