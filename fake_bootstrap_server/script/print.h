/* SPDX-License-Identifier: Apache-2.0
 *
 * Program to YAML, and to one line for logs. load(print(p)) = p for every program, whatever bytes its strings hold.
 */
#ifndef BJ_SCRIPT_PRINT_H
#define BJ_SCRIPT_PRINT_H

#include "script/program.h"

/* The whole document, as text in `arena`. */
bj_string bj_program_print(bj_arena *arena, const bj_record *root);

/* A step in one line, cut where it is long: `write /0/1 tlv {0: "coap://…"} expect 2.04`. */
void bj_step_line(bj_text *text, const bj_record *step);

/* One value as it would stand in YAML (flow style). */
void bj_value_print(bj_text *text, const bj_field_def *field, const bj_value *value);
void bj_codes_print(bj_text *text, const bj_codes *codes);
void bj_when_print(bj_text *text, const bj_when *when);
/* "2.04" to 0x44; "0.01" to 1. */
bool bj_code_parse(const char *text, size_t length, uint8_t *code);
bool bj_when_parse(const char *text, size_t length, bj_when *when);
const char *bj_due_name(bj_due due); /* "finish"; "wake"; NULL for BJ_DUE_NONE */

/* Names of CoAP options, "uri-query" and 15. */
bool bj_option_named(const char *name, uint32_t *number);
const char *bj_option_name(uint32_t number); /* NULL when it has none here */

/* The length of the UTF-8 sequence at `bytes` (1..4), 0 when there is none. */
size_t bj_utf8_sequence(const char *bytes, size_t left);

#endif
