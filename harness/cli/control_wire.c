/* SPDX-License-Identifier: Apache-2.0
 *
 * See control_wire.h.
 */
#include "cli/control_wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/report_forms.h"
#include "wire/json.h"

/* --- requests ------------------------------------------------------------------------------------------------- */

static bool fault_at(const bj_reader *r, const char *line, const char *expected, bj_text *why) {
    bj_text_printf(why, "expected %s at byte %zu", expected, (size_t) ((const char *) r->at - line) + 1);
    return false;
}

/* A string in the arena; NULL when there is none. */
static const char *take_string(bj_reader *r, bj_arena *arena) {
    size_t room = bj_reader_left(r) + 1, length = 0;
    char *text = bj_arena_alloc(arena, room);
    if (bj_json_peek(r) != '"' || !bj_json_string(r, (uint8_t *) text, room - 1, &length)) {
        return NULL;
    }
    text[length] = '\0';
    return text;
}

static bool take_member(control_request *request, bj_arena *arena, bj_reader *r, const char *line, bj_text *why) {
    const char *name = take_string(r, arena);
    if (!name) {
        return fault_at(r, line, "the name of a member", why);
    }
    if (!bj_json_take(r, ':')) {
        return fault_at(r, line, "':'", why);
    }
    bj_json_peek(r);
    const char *start = (const char *) r->at;
    if (!bj_json_skip_deep(r)) {
        return fault_at(r, line, "a JSON value", why);
    }
    if (control_member(request, name).bytes) {
        bj_text_printf(why, "the member '%.40s' is given twice", name);
        return false;
    }
    if (request->count == CONTROL_MEMBERS) {
        bj_text_printf(why, "more than %d members", CONTROL_MEMBERS);
        return false;
    }
    request->members[request->count].name = name;
    request->members[request->count++].value = (control_value){ start, (size_t) ((const char *) r->at - start) };
    return true;
}

bool control_read(control_request *request, bj_arena *arena, const char *line, size_t length, bj_text *why) {
    bj_reader r = bj_reader_over((const uint8_t *) line, length);
    bool first = true, fault = false;
    request->count = 0;
    if (!bj_json_take(&r, '{')) {
        return fault_at(&r, line, "a JSON object such as {\"do\": \"state\"}, one a line,", why);
    }
    while (bj_json_more(&r, '}', &first, &fault)) {
        if (!take_member(request, arena, &r, line, why)) {
            return false;
        }
    }
    if (fault) {
        return fault_at(&r, line, "',' or '}'", why);
    }
    if (bj_json_peek(&r) != '\0' || bj_reader_left(&r)) {
        return fault_at(&r, line, "nothing more: one object a line", why);
    }
    return true;
}

control_value control_member(const control_request *request, const char *name) {
    for (size_t i = 0; i < request->count; i++) {
        if (strcmp(request->members[i].name, name) == 0) {
            return request->members[i].value;
        }
    }
    return (control_value){ NULL, 0 };
}

static bj_reader over(control_value value) {
    return bj_reader_over((const uint8_t *) value.bytes, value.length);
}

static bool expected(const char *name, const char *what, control_value found, bj_text *why) {
    bj_text_printf(why, "%s: expected %s, found %.*s", name, what, (int) (found.length < 40 ? found.length : 40),
                   found.bytes);
    return false;
}

static bool is_null(control_value value) {
    return value.length == 4 && memcmp(value.bytes, "null", 4) == 0;
}

bool control_string(const control_request *request, bj_arena *arena, const char *name, const char **out, bj_text *why) {
    control_value value = control_member(request, name);
    if (!value.bytes || is_null(value)) {
        return true;
    }
    bj_reader r = over(value);
    const char *text = take_string(&r, arena);
    if (!text) {
        return expected(name, "a string", value, why);
    }
    *out = text;
    return true;
}

bool control_number(const control_request *request, const char *name, uint64_t most, uint64_t *out, bj_text *why) {
    control_value value = control_member(request, name);
    bj_entry number;
    if (!value.bytes || is_null(value)) {
        return true;
    }
    bj_reader r = over(value);
    bool whole = bj_json_number(&r, &number) && number.kind == BJ_ENTRY_INT && number.integer >= 0;
    if (!whole || (uint64_t) number.integer > most) {
        return expected(name, "a whole number that is not too large", value, why);
    }
    *out = (uint64_t) number.integer;
    return true;
}

bool control_bool(const control_request *request, const char *name, bool *out, bj_text *why) {
    control_value value = control_member(request, name);
    if (!value.bytes || is_null(value)) {
        return true;
    }
    bool yes = value.length == 4 && memcmp(value.bytes, "true", 4) == 0;
    if (!yes && !(value.length == 5 && memcmp(value.bytes, "false", 5) == 0)) {
        return expected(name, "true or false", value, why);
    }
    *out = yes;
    return true;
}

bool control_text(const control_request *request, bj_arena *arena, const char *name, control_value *out, bj_text *why) {
    control_value value = control_member(request, name);
    if (value.bytes && *value.bytes == '"') {
        const char *text = NULL;
        bool fine = control_string(request, arena, name, &text, why);
        *out = (control_value){ text, text ? strlen(text) : 0 };
        return fine;
    }
    if (value.bytes && *value.bytes != '{' && *value.bytes != '[') {
        return expected(name, "an object, or a string of YAML", value, why);
    }
    *out = value;
    return true;
}

bool control_only(const control_request *request, const char *const *names, bj_text *why) {
    for (size_t i = 0; i < request->count; i++) {
        const char *name = request->members[i].name;
        size_t n = 0;
        while (names[n] && strcmp(names[n], name) != 0) {
            n++;
        }
        if (names[n] || strcmp(name, "do") == 0 || strcmp(name, "id") == 0) {
            continue;
        }
        const char *meant = bj_nearest(names, name, strlen(name));
        bj_text_printf(why, "this request has no member '%.40s'", name);
        if (meant) {
            bj_text_printf(why, " (did you mean '%s'?)", meant);
        }
        return false;
    }
    return true;
}

/* --- lines ---------------------------------------------------------------------------------------------------- */

static bool take_line(control_input *in, size_t end, const char **line, size_t *length) {
    *line = in->bytes + in->at;
    *length = end - in->at;
    in->at = in->searched = end;
    return true;
}

static void make_room(control_input *in) {
    if (in->at) {
        memmove(in->bytes, in->bytes + in->at, in->used - in->at);
        in->used -= in->at;
        in->searched -= in->at;
        in->at = 0;
    }
    if (in->used == in->room) {
        size_t room = in->room ? in->room * 2 : 65536;
        char *grown = realloc(in->bytes, room);
        if (!grown) {
            perror("bootjack");
            exit(CLI_COULD_NOT_RUN);
        }
        in->bytes = grown;
        in->room = room;
    }
}

bool control_next_line(control_input *in, const char **line, size_t *length) {
    for (;;) {
        const char *end =
            in->searched < in->used ? memchr(in->bytes + in->searched, '\n', in->used - in->searched) : NULL;
        if (end) {
            return take_line(in, (size_t) (end - in->bytes) + 1, line, length);
        }
        make_room(in);
        in->searched = in->used;
        ssize_t got = read(STDIN_FILENO, in->bytes + in->used, in->room - in->used);
        if (got < 0 || (got == 0 && !control_has_more(in))) {
            return false;
        }
        if (got == 0) { /* a last line without its newline */
            return take_line(in, in->used, line, length);
        }
        in->used += (size_t) got;
    }
}

/* --- replies -------------------------------------------------------------------------------------------------- */

void control_reply_begin(FILE *out, control_value id, bool ok) {
    fputs("{", out);
    if (id.bytes) {
        fprintf(out, "\"id\":%.*s,", (int) id.length, id.bytes);
    }
    fprintf(out, "\"ok\":%s", ok ? "true" : "false");
}

static void put_mistakes(FILE *out, const bj_mistakes *mistakes) {
    size_t kept = mistakes->count < BJ_MISTAKES ? mistakes->count : BJ_MISTAKES;
    fputs(",\"mistakes\":[", out);
    for (size_t i = 0; i < kept; i++) {
        const bj_mistake *one = &mistakes->items[i];
        fprintf(out, "%s{\"line\":%u,\"column\":%u,\"text\":", i ? "," : "", one->position.line, one->position.column);
        cli_json_string(out, one->text, strlen(one->text));
        if (one->suggestion) {
            fputs(",\"suggestion\":", out);
            cli_json_string(out, one->suggestion, strlen(one->suggestion));
        }
        fputs("}", out);
    }
    fputs("]", out);
}

void control_refuse(FILE *out, control_value id, const char *why, const bj_mistakes *mistakes) {
    control_reply_begin(out, id, false);
    fputs(",\"error\":", out);
    cli_json_string(out, why, strlen(why));
    if (mistakes && mistakes->count) {
        put_mistakes(out, mistakes);
    }
    fputs("}\n", out);
    fflush(out);
}
