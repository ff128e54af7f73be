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

/* --- the oracles ---------------------------------------------------------------------------------------------- */

void session_judge(session_result *r, bj_arena *arena, const bj_record *scenario, const bj_record *profile,
                   bool ended) {
    bj_oracle_config config;
    bj_finding *findings;
    bj_event event;
    bj_oracle_configure(&config, scenario, profile, true);
    bj_oracle *oracle = bj_oracle_new(arena, &config);
    for (size_t cursor = 0; bj_log_next(r->log, &cursor, &event);) {
        bj_oracle_event(oracle, &event);
    }
    if (ended) {
        bj_oracle_end(oracle);
    }
    r->finding_count = bj_oracle_findings(oracle, &findings);
    r->findings = findings;
    r->recovery = bj_oracle_recovery(oracle);
    for (size_t i = 0; i < r->finding_count; i++) {
        bj_oracle_excuse(&findings[i], profile);
    }
}

bool session_counts(const bj_finding *finding, bool promises) {
    return (promises || bj_rule_level(finding->rule) == BJ_LEVEL_MUST) && !finding->excuse;
}

/* --- for people ----------------------------------------------------------------------------------------------- */

void session_print_rule(bj_text *out, const bj_finding *finding) {
    BJ_TEXT(time, 40);
    bj_time_print(&time, finding->time);
    bj_text_printf(out, "%s (%s) is broken, at %s s: %s", bj_rule_id(finding->rule),
                   bj_rule_level(finding->rule) == BJ_LEVEL_MUST ? "MUST" : "SHOULD", time.start, finding->text);
}

/* Rules that this event broke; 0: that no event did. */
static void print_rules(const session_result *r, uint32_t event) {
    for (size_t i = 0; i < r->finding_count; i++) {
        const bj_finding *finding = &r->findings[i];
        if (finding->event == event) {
            BJ_TEXT(line, 1024);
            session_print_rule(&line, finding);
            fprintf(stderr, ">>> %s%s%s\n", line.start, finding->excuse ? "; known: " : "",
                    finding->excuse ? finding->excuse : "");
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

void session_end_with(const session_result *r) {
    if (session_is_finding(r) && !getenv("FUZZ_GO_ON")) {
        session_abort(r);
    }
}
