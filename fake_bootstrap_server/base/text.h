/* SPDX-License-Identifier: Apache-2.0
 *
 * Building text into a buffer of fixed size, cut rather than overrun: for reasons of verdicts, log
 * lines, printed programs. Never allocates. A cut text ends in "…" and says so.
 */
#ifndef BJ_BASE_TEXT_H
#define BJ_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct bj_text {
    char *start; /* always ends in NUL */
    size_t size; /* room, the NUL included; at least 4 */
    size_t used; /* bytes before the NUL */
    bool cut;    /* something did not fit */
} bj_text;

/* Lays a text over `buffer`. */
bj_text bj_text_over(char *buffer, size_t size);

/* bj_text name[SIZE]: a text with its own room on the stack. */
#define BJ_TEXT(name, room)                                                                                            \
    char name##_room[(room)];                                                                                          \
    bj_text name = bj_text_over(name##_room, sizeof name##_room)

void bj_text_add_bytes(bj_text *text, const char *bytes, size_t length);
/* Inline: the compiler knows how long a literal is. */
static inline void bj_text_add(bj_text *text, const char *string) {
    bj_text_add_bytes(text, string, strlen(string));
}
void bj_text_add_char(bj_text *text, char c);
void bj_text_add_number(bj_text *text, uint64_t number); /* in decimal */
void bj_text_add_signed(bj_text *text, int64_t number);
void bj_text_printf(bj_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void bj_text_vprintf(bj_text *text, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));
/* Lower-case hexadecimal, no separators. */
void bj_text_hex(bj_text *text, const void *bytes, size_t length);
/* The bytes in double quotes with JSON's escapes; bytes that are not UTF-8 become \u00XX. */
void bj_text_json_string(bj_text *text, const char *bytes, size_t length);

#endif
