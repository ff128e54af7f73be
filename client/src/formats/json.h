/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON (RFC 8259), taken apart where it lies: a cursor that gives one token after the other and allocates nothing.
 * Our own instead of cJSON: that one keeps its allocator in a global variable of the process, whereas every client may
 * have another one; it turns all numbers into doubles, which lose whole numbers beyond 2^53; and it takes several
 * things that are no JSON.
 */
#ifndef BJC_FORMATS_JSON_H
#define BJC_FORMATS_JSON_H

#include "bootjack/limits.h"
#include "util/memory.h"

#define BJC_JSON_MAX_DEPTH BOOTJACK_MAX_NESTING /* of what is passed over */

typedef struct bjc_json {
    const uint8_t *at, *end;
} bjc_json;

/* A part of the payload: what stands between the quotation marks of a string, or a number. */
typedef struct bjc_json_token {
    const uint8_t *data;
    size_t length;
    bool escaped; /* has escapes, see bjc_json_unescape() */
} bjc_json_token;

/* The next character behind white space, which stays; 0 = none. */
int bjc_json_peek(bjc_json *json);
/* Takes that character if it is `character`. */
bool bjc_json_take(bjc_json *json, int character);
/* Takes the literal, e.g. "true". */
bool bjc_json_literal(bjc_json *json, const char *text);
/* Takes a string: UTF-8, no control characters, good escapes. */
bool bjc_json_string(bjc_json *json, bjc_json_token *token);
bool bjc_json_number(bjc_json *json, bjc_json_token *token);
/* Takes any value, nested at most BJC_JSON_MAX_DEPTH deep. */
bool bjc_json_skip(bjc_json *json);

/* Appends what a string says; false on bad escapes or when memory ran out. */
bool bjc_json_unescape(const uint8_t *data, size_t length, bjc_buffer *out);
/* The same for short strings, with a NUL behind; false when it does not fit or has a NUL inside. */
bool bjc_json_text(const bjc_json_token *token, char *out, size_t size);
/* Writes a string with its quotation marks. */
void bjc_json_put_string(bjc_buffer *out, const uint8_t *data, size_t length);

#endif
