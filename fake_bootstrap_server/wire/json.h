/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON, RFC 8259, as a cursor over its bytes: strict, without a tree. SenML JSON and LwM2M JSON are read with it.
 */
#ifndef BJ_WIRE_JSON_H
#define BJ_WIRE_JSON_H

#include "wire/entries.h"

/* The next character that is not blank, which stays; 0 at the end. */
char bj_json_peek(bj_reader *r);
/* Takes that character when it is `c`. */
bool bj_json_take(bj_reader *r, char c);
bool bj_json_word(bj_reader *r, const char *word); /* true, false, null */
/* A string, its escapes undone, into `out`; `out` NULL: only checked. False when it is none, or does not fit. */
bool bj_json_string(bj_reader *r, uint8_t *out, size_t room, size_t *length);
/* A number: INT, UINT or FLOAT. */
bool bj_json_number(bj_reader *r, bj_entry *number);
/* A number of any size, which nobody wants to know. */
bool bj_json_pass_number(bj_reader *r);
/* Any value, up to 16 levels deep, as payloads are; up to 64. */
bool bj_json_skip(bj_reader *r);
bool bj_json_skip_deep(bj_reader *r);
/* Between the members of an object or array that ends in `end`: true when another one follows. *fault: neither a comma
 * nor the end is there. */
bool bj_json_more(bj_reader *r, char end, bool *first, bool *fault);

#endif
