/* SPDX-License-Identifier: Apache-2.0
 *
 * The client's own life: its power goes, it starts again, its disk fails, a file there is looked at.
 */
#define _GNU_SOURCE
#include "script/engine_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- dying ---------------------------------------------------------------------------------------------------- */

/* Without a word: what it had said last is not repeated. */
static void dies(bj_engine *e, uint32_t event) {
    e->gone = e->exit_taken = e->cut = true;
    e->exit_status = e->exit_signal = 0;
    e->exit_event = event;
    e->exit_time = e->now;
    for (unsigned i = 0; i < e->server_count; i++) {
        e->servers[i].outgoing.used = false;
    }
    e->looking_up = false;
}

void bj__life_cut(bj_engine *e, uint32_t event) {
    bool expected = e->cut_ordered;
    const bj_value *after = bj_get(e->scenario, BJ_F(SCENARIO, POWER_CUTS));
    dies(e, event);
    e->cut_ordered = false;
    if (expected || e->heal.on) {
        return;
    }
    if (after) {
        e->stale_before = e->now;
        bj__threads_jump(e, after);
    } else {
        bj__conclude(e, BJ_ERROR, e->scenario->position, event, "the scenario says nothing of power cuts (power-cuts)");
    }
}

void bj__life_cut_at_step(bj_engine *e) {
    bj_power_cut cut = { .outcome = (int64_t) e->cut_outcome };
    int64_t event = e->ops->power_cut ? e->ops->power_cut(e->world, &cut) : -ENOTSUP;
    e->cut_step = 0;
    if (event > 0) { /* else it does not run at that moment: there is nothing to cut */
        bj__life_cut(e, (uint32_t) event);
    }
}

bool bj__life_power_cut(bj_engine *e, bj__thread *t) {
    const bj_value *outcome = bj_get(t->step, BJ_F(POWER_CUT, OUTCOME));
    bj_power_cut cut = { .keeps = (uint8_t) bj_get_uint(t->step, BJ_F(POWER_CUT, KEEPS), BJ_KEEPS_DRAWN),
                         .outcome = outcome ? (int64_t) outcome->as.uint : -1,
                         .at_operation = bj_get_uint(t->step, BJ_F(POWER_CUT, AT_OPERATION), 0) };
    e->cut_ordered = cut.at_operation > 0;
    int64_t event = e->ops->power_cut(e->world, &cut);
    if (event < 0) {
        bj__conclude_printf(e, BJ_ERROR, t->step->position, "the client's power cannot be cut: %s",
                            event == -ESRCH ? "it does not run" : strerror((int) -event));
        return false;
    }
    if (!cut.at_operation) {
        dies(e, (uint32_t) event);
    }
    return true;
}

bj__progress bj__life_poll_power_cut(bj_engine *e, bj__thread *t) {
    if (!e->cut) {
        bj_time wait = bj_get_duration(t->step, BJ_F(POWER_CUT, WITHIN), 100 * BJ_SECOND);
        bj_time deadline = bj__add(bj__add(t->base, (int64_t) wait), (int64_t) e->tolerance + 1);
        t->timer = bj__min(t->timer, deadline);
        return e->now < deadline ? BJ__WAITS
                                 : bj__fail(e, t, "expected %u operations on the client's disk, which did not come",
                                            bj_get_uint(t->step, BJ_F(POWER_CUT, AT_OPERATION), 0));
    }
    t->satisfied = bj__max(t->begun, e->exit_time);
    t->satisfied_event = e->exit_event;
    return BJ__DONE;
}

/* --- starting again ------------------------------------------------------------------------------------------- */

/* Nothing of the life before counts but what its accounts say. */
static void forget_deadlines(bj_engine *e) {
    bj__due_state before = e->due;
    bj__due_start(e);
    e->due.holdoff_rewritten = before.holdoff_rewritten;
    e->due.holdoff = before.holdoff;
    e->lookup_began = e->lookup_ended = 0;
}

int bj__life_begin_again(bj_engine *e) {
    int result = e->ops->client_start(e->world);
    if (result == 0) {
        e->gone = e->exit_taken = e->cut = e->stopping = false;
        e->typed_until = 0;
        forget_deadlines(e);
    }
    return result;
}

bool bj__life_start(bj_engine *e, bj__thread *t) {
    int result = bj__life_begin_again(e);
    if (result < 0) {
        bj__conclude_printf(e, BJ_ERROR, t->step->position, "the client cannot be started: %s",
                            result == -EALREADY ? "it runs" : strerror(-result));
    }
    return result == 0;
}

/* Does a step anywhere in it start the client? Nesting is bounded by the loader (BJ_LIMIT_DEPTH). */
static bool starts(const bj_record *record, unsigned depth) {
    if (!depth || record->kind == BJ_K_START) {
        return depth > 0;
    }
    const bj_string *name;
    const bj_record *inner;
    for (unsigned f = 0; f < record->field_limit; f++) {
        for (size_t i = 0; record->fields[f] && (inner = bj_value_record(record->fields[f], i, &name)); i++) {
            if (starts(inner, depth - 1)) {
                return true;
            }
        }
    }
    return false;
}

bool bj__life_restarts(const bj_engine *e) {
    return starts(e->scenario, 2 * BJ_LIMIT_DEPTH);
}

/* --- its standard input --------------------------------------------------------------------------------------- */

static const char *input_problem(int error) {
    switch (error) {
    case -ESRCH:
        return "it does not run";
    case -EAGAIN:
        return "it reads nothing of what was typed before";
    case -EPIPE:
        return "it has closed it";
    default:
        return strerror(-error);
    }
}

bool bj__life_type(bj_engine *e, const bj__thread *t, const bj_string *line, bool end) {
    e->typed_until = bj__add(e->now, 60 * BJ_SECOND);
    int result = e->ops->client_input
                     ? e->ops->client_input(e->world, line ? line->bytes : NULL, line ? line->length : 0, end)
                     : -ENOTSUP;
    if (result == -ENOTSUP) {
        bj__conclude_printf(e, BJ_SKIP, t->step->position, "the client has no standard input at which one could type");
    } else if (result < 0) {
        bj__conclude_printf(e, BJ_ERROR, t->step->position, "nothing can be typed at the client's standard input: %s",
                            input_problem(result));
    }
    return result >= 0;
}

bool bj__life_input(bj_engine *e, bj__thread *t) {
    const bj_value *line = bj_get(t->step, BJ_F(INPUT, LINE));
    const char *name = bj_get_string(t->step, BJ_F(INPUT, COMMAND), NULL);
    bj_string command;
    if (name && !bj_profile_command(e->profile, name, &command)) {
        bj__conclude_printf(e, BJ_SKIP, t->step->position, "the client has no command '%s' (its profile's commands)",
                            name);
        return false;
    }
    return bj__life_type(e, t,
                         name   ? &command
                         : line ? &line->as.string
                                : NULL,
                         bj_get_bool(t->step, BJ_F(INPUT, END), false));
}

/* --- the disk ------------------------------------------------------------------------------------------------- */

static uint32_t octal(const char *text, uint32_t otherwise) {
    return text ? (uint32_t) strtoul(text, NULL, 8) & 07777 : otherwise;
}

static const bj_string *bytes_of(const bj_record *record, unsigned text, unsigned hex) {
    const bj_value *value = bj_get(record, text);
    value = value ? value : bj_get(record, hex);
    return value ? &value->as.string : NULL;
}

void bj__life_furnish(bj_engine *e) {
    const bj_record *client = bj_get_record(e->scenario, BJ_F(SCENARIO, CLIENT));
    const bj_record *state = bj_get_record(client, BJ_F(CLIENT, STATE));
    const bj_string *bytes = bytes_of(state, BJ_F(STATE_FILE, TEXT), BJ_F(STATE_FILE, HEX));
    if (bytes && e->ops->put_file) {
        bj_file_look file = { .mode = octal(bj_get_string(state, BJ_F(STATE_FILE, MODE), NULL), 0600),
                              .data = (const uint8_t *) bytes->bytes,
                              .length = bytes->length };
        e->ops->put_file(e->world, BJ_STATE_FILE, &file);
    }
}

bool bj__life_disk(bj_engine *e, const bj__thread *t) {
    const bj_record *step = t->step;
    uint32_t count = bj_get_uint(step, BJ_F(DISK, COUNT), 1);
    const bj_value *fault = bj_get(step, BJ_F(DISK, FAULT));
    bj_disk_order order = { .error = fault ? (int) fault->as.uint : -1,
                            .operation = (uint8_t) bj_get_uint(step, BJ_F(DISK, ON), 0),
                            .skip = bj_get_uint(step, BJ_F(DISK, SKIP), 0),
                            .count = count ? count : UINT32_MAX,
                            .space = bj_get_uint(step, BJ_F(DISK, SPACE), 0) };
    e->ops->order_disk(e->world, &order);
    return true;
}

static bool same_bytes(const bj_file_look *file, const bj_string *wanted) {
    return file->length == wanted->length && (!file->length || !memcmp(file->data, wanted->bytes, file->length));
}

static const bj_string *held(const bj_file_look *file, const bj_value *texts) {
    for (size_t i = 0; texts && i < texts->as.strings.count; i++) {
        const bj_string *text = &texts->as.strings.items[i];
        if (text->length && file->length && memmem(file->data, file->length, text->bytes, text->length)) {
            return text;
        }
    }
    return NULL;
}

bj__progress bj__life_file(bj_engine *e, bj__thread *t) {
    const bj_record *step = t->step;
    const char *name = bj_get_string(step, BJ_F(FILE, NAME), BJ_STATE_FILE);
    const char *mode = bj_get_string(step, BJ_F(FILE, MODE), NULL);
    const bj_string *wanted = bytes_of(step, BJ_F(FILE, TEXT), BJ_F(FILE, HEX));
    bool exists = bj_get_bool(step, BJ_F(FILE, EXISTS), true);
    bj_file_look file;
    bool there = e->ops->look_at_file(e->world, name, &file);
    if (there != exists) {
        return bj__fail(e, t, "expected %s file '%s' on the client's disk, there is %s", exists ? "a" : "no", name,
                        there ? "one" : "none");
    }
    if (there && mode && file.mode != octal(mode, 0)) {
        return bj__fail(e, t, "expected file '%s' with mode %04o, it has %04o", name, (unsigned) octal(mode, 0),
                        (unsigned) file.mode);
    }
    if (there && wanted && !same_bytes(&file, wanted)) {
        return bj__fail(e, t, "expected other content of file '%s', which has %zu bytes", name, file.length);
    }
    const bj_string *found = there ? held(&file, bj_get(step, BJ_F(FILE, WITHOUT))) : NULL;
    if (found) {
        return bj__fail(e, t, "expected file '%s' without '%.60s'", name, found->bytes);
    }
    t->satisfied = e->now;
    return BJ__DONE;
}
