/* SPDX-License-Identifier: Apache-2.0
 *
 * The control channel's lines: a request is a JSON object, and so is a reply. docs/control-channel.md.
 */
#ifndef BJ_CLI_CONTROL_WIRE_H
#define BJ_CLI_CONTROL_WIRE_H

#include <stdio.h>

#include "base/arena.h"
#include "script/load.h"

enum { CONTROL_MEMBERS = 16 };

/* The other side's lines, which may come before the reply to the one before. Begins as zeros. */
typedef struct control_input {
    char *bytes;
    size_t room, used;
    size_t at, searched; /* the next line begins at; there is no newline between the two */
} control_input;

/* The next line, with its newline if it has one; it is good until the next call. false: the input has ended, or a
 * signal came. */
bool control_next_line(control_input *in, const char **line, size_t *length);
/* Was more read than the lines that were given out? */
static inline bool control_has_more(const control_input *in) {
    return in->at < in->used;
}

/* The bytes of a value as they stand in the line. */
typedef struct control_value {
    const char *bytes; /* NULL: it was not given */
    size_t length;
} control_value;

typedef struct control_request {
    struct {
        const char *name; /* in the arena */
        control_value value;
    } members[CONTROL_MEMBERS];
    size_t count;
} control_request;

/* Reads a line; false: *why says what is wrong with it. */
bool control_read(control_request *request, bj_arena *arena, const char *line, size_t length, bj_text *why);
/* The member of that name. */
control_value control_member(const control_request *request, const char *name);

/* Members by type; false: *why says what was expected. What was not given leaves *out as it is. */
bool control_string(const control_request *request, bj_arena *arena, const char *name, const char **out, bj_text *why);
bool control_number(const control_request *request, const char *name, uint64_t most, uint64_t *out, bj_text *why);
bool control_bool(const control_request *request, const char *name, bool *out, bj_text *why);
/* A value as text for the loader: JSON as it stands, of a string (which holds YAML) what is in it. */
bool control_text(const control_request *request, bj_arena *arena, const char *name, control_value *out, bj_text *why);

/* Has it no other member than these, "do" and "id"? `names` ends in NULL. */
bool control_only(const control_request *request, const char *const *names, bj_text *why);

/* The beginning of a reply, up to "ok" and its value; members follow, then "}" and a newline. */
void control_reply_begin(FILE *out, control_value id, bool ok);
/* A whole reply that says no. With the mistakes of what was to be loaded, if there are any (NULL). */
void control_refuse(FILE *out, control_value id, const char *why, const bj_mistakes *mistakes);

#endif
