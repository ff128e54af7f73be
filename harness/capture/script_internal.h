/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files that make scenarios of captures share, and nobody else includes.
 */
#ifndef BJ_CAPTURE_SCRIPT_INTERNAL_H
#define BJ_CAPTURE_SCRIPT_INTERNAL_H

#include "capture/script.h"
#include "world.h"

/* One more line of what is assumed, for the top of the file. */
void script_assume(bj_script *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Fields of records; what they hold is copied. */
void script_set_text(bj_script *s, bj_record *r, unsigned field, const char *text);
void script_set_uint(bj_script *s, bj_record *r, unsigned field, bj_type type, uint32_t number);
void script_set_bool(bj_script *s, bj_record *r, unsigned field, bool value);
void script_set_duration(bj_script *s, bj_record *r, unsigned field, bj_time duration);
void script_set_bytes(bj_script *s, bj_record *r, unsigned field, const uint8_t *bytes, size_t length);
void script_set_record(bj_script *s, bj_record *r, unsigned field, const bj_record *inner);

/* script_head.c: servers and their names; both, and the client, into the scenario. */
void script_find_servers(bj_script *s);
void script_put_servers(bj_script *s);
void script_put_client(bj_script *s);

/* script_steps.c: the steps, one message after the other. */
void script_put_steps(bj_script *s);

#endif
