/* SPDX-License-Identifier: Apache-2.0
 *
 * What a session found, for people and for fuzzing engines: each rule, and each kind of trouble, aborts through a
 * function of its own, so that engines tell findings apart by their stacks.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>

#include "attach/conversation.h"
#include "session.h"

bool session_is_finding(const session_result *r) {
    return r->broken || r->trouble >= SESSION_STUCK;
}

/* --- for people ----------------------------------------------------------------------------------------------- */

static void print_rule(const bj_finding *finding) {
    BJ_TEXT(time, 40);
    bj_time_print(&time, finding->time);
    fprintf(stderr, ">>> %s (%s) is broken at %s s: %s%s%s\n", bj_rule_id(finding->rule),
            bj_rule_level(finding->rule) == BJ_LEVEL_MUST ? "MUST" : "SHOULD", time.start, finding->text,
            finding->excuse ? "; known: " : "", finding->excuse ? finding->excuse : "");
}

/* Rules that this event broke; 0: that no event did. */
static void print_rules(const session_result *r, uint32_t event) {
    for (size_t i = 0; i < r->finding_count; i++) {
        if (r->findings[i].event == event) {
            print_rule(&r->findings[i]);
        }
    }
}

void session_print(const session_result *r) {
    bj_conversation *conversation = bj_conversation_new(r->log);
    static char room[1 << 16];
    bj_event event;
    for (size_t cursor = 0; conversation && bj_log_next(r->log, &cursor, &event);) {
        bj_text line = bj_text_over(room, sizeof room);
        if (bj_conversation_line(conversation, &event, &line)) {
            fprintf(stderr, "%s\n", line.start);
        }
        print_rules(r, event.sequence);
    }
    print_rules(r, 0);
    bj_conversation_free(conversation);
}

/* --- for engines ---------------------------------------------------------------------------------------------- */

static void say(const session_result *r, const char *what) {
    fprintf(stderr, "BROKEN: %s (memory of the client: %zu bytes at most, %zu left)\n", what, r->held, r->leaked);
}

__attribute__((noinline, noreturn)) static void the_client_spins(void) {
    __asm__ volatile("" ::"r"(SESSION_STUCK));
    abort();
}

__attribute__((noinline, noreturn)) static void the_client_leaks(void) {
    __asm__ volatile("" ::"r"(SESSION_LEAK));
    abort();
}

__attribute__((noinline, noreturn)) static void the_client_is_hungry(void) {
    __asm__ volatile("" ::"r"(SESSION_HUNGRY));
    abort();
}

_Noreturn void session_abort(const session_result *r) {
    session_print(r);
    switch (r->trouble) {
    case SESSION_STUCK:
        say(r, "the client spins");
        the_client_spins();
    case SESSION_LEAK:
        say(r, "the client keeps memory");
        the_client_leaks();
    case SESSION_HUNGRY:
        say(r, "the client takes too much memory");
        the_client_is_hungry();
    default:
        fprintf(stderr, "BROKEN: %s: %s\n", bj_rule_id(r->broken->rule), r->broken->text);
        bj_rule_abort(r->broken->rule);
    }
}
