/* SPDX-License-Identifier: Apache-2.0
 *
 * What is visible of the client, from the event log: does it run, and where its state machines are.
 */
#define _GNU_SOURCE
#include "cli/control_state.h"

#include <string.h>

#include "cli/report_forms.h"

enum { MACHINES = 64 };

/* "machine: old -> new: cause", as attach/linked.h has it; parts of the log. */
typedef struct machine {
    const char *name, *state;
    size_t name_length, state_length;
} machine;

typedef struct visible {
    machine machines[MACHINES];
    size_t count;
    bool runs;
} visible;

static bool take_apart(const bj_event *event, machine *m) {
    const char *end = event->text + event->text_length;
    const char *colon = memmem(event->text, event->text_length, ": ", 2);
    const char *arrow = colon ? memmem(colon, (size_t) (end - colon), " -> ", 4) : NULL;
    if (!arrow) {
        return false;
    }
    const char *stop = memmem(arrow + 4, (size_t) (end - arrow - 4), ": ", 2);
    m->name = event->text;
    m->name_length = (size_t) (colon - event->text);
    m->state = arrow + 4;
    m->state_length = (size_t) ((stop ? stop : end) - m->state);
    return true;
}

static void moved(visible *v, const bj_event *event) {
    machine m;
    size_t i = 0;
    if (!event->text || !take_apart(event, &m)) {
        return;
    }
    while (i < v->count &&
           (v->machines[i].name_length != m.name_length || memcmp(v->machines[i].name, m.name, m.name_length) != 0)) {
        i++;
    }
    if (i < MACHINES) {
        v->machines[i] = m;
        v->count += i == v->count;
    }
}

void control_state(FILE *out, const bj_log *log) {
    visible v = { .count = 0 };
    bj_event event;
    for (size_t cursor = 0; log && bj_log_next(log, &cursor, &event);) {
        if (event.kind == BJ_EV_CLIENT_STATE) {
            moved(&v, &event);
        } else if (event.kind == BJ_EV_CLIENT_START) {
            v = (visible){ .runs = true };
        } else if (event.kind == BJ_EV_CLIENT_EXIT || event.kind == BJ_EV_POWER_CUT) {
            v = (visible){ .runs = false };
        }
    }
    fprintf(out, "{\"running\":%s,\"machines\":{", v.runs ? "true" : "false");
    for (size_t i = 0; i < v.count; i++) {
        fputs(i ? "," : "", out);
        cli_json_string(out, v.machines[i].name, v.machines[i].name_length);
        fputs(":", out);
        cli_json_string(out, v.machines[i].state, v.machines[i].state_length);
    }
    fputs("}}", out);
}
