/* SPDX-License-Identifier: Apache-2.0
 *
 * The session runner: nothing is carried from one session to the next, scenarios that pass are played to the end, what
 * is broken in the middle does not end a session, and what goes on for ever does.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <coap3/coap.h>

#include "memory.h"
#include "script/load.h"
#include "session.h"
#include "session_coap.h"
#include "session_states.h"

static const char head[] = "title: a test\nrules: [BS-REQUEST]\nclient:\n  endpoint: dev-1\n"
                           "  bootstrap: {uri: \"coap://bs.example\", holdoff: 10s}\n";
static const char account[] =
    "  - request: {path: /bs}\n  - respond: 2.04\n"
    "  - write: /0/1\n"
    "    tlv: {0: \"coap://mgmt.example\", 1: false, 2: 3, 3: \"\", 4: \"\", 5: \"\", 10: 101}\n"
    "    expect: 2.04\n"
    "  - write: /1/0\n    tlv: {0: 101, 1: 86400, 6: false, 7: U}\n    expect: 2.04\n"
    "  - finish: {expect: 2.04}\n";

static bj_arena *arena;

static const bj_record *scenario(const char *steps) {
    bj_mistakes mistakes = { 0 };
    char text[4096];
    int length = snprintf(text, sizeof text, "%ssteps:\n%s", head, steps);
    const bj_record *record = bj_load_unchecked(arena, BJ_K_SCENARIO, "test", text, (size_t) length, &mistakes);
    for (size_t i = 0; i < mistakes.count; i++) {
        print_error("%s\n", mistakes.items[i].text);
    }
    assert_non_null(record);
    return record;
}

static const bj_record *with_account(const char *steps) {
    char text[3000];
    snprintf(text, sizeof text, "%s%s", account, steps);
    return scenario(text);
}

/* The log as text: all of it. */
static char *trace(const bj_log *log) {
    char *all = NULL;
    size_t size;
    FILE *out = open_memstream(&all, &size);
    assert_non_null(out);
    static char room[1 << 18];
    bj_event event;
    for (size_t cursor = 0; bj_log_next(log, &cursor, &event);) {
        bj_text line = bj_text_over(room, sizeof room);
        bj_event_json(&line, &event, NULL);
        fprintf(out, "%s\n", line.start);
    }
    fclose(out);
    return all;
}

static unsigned count(const session_result *r, uint8_t kind) {
    unsigned n = 0;
    bj_event event;
    for (size_t cursor = 0; bj_log_next(r->log, &cursor, &event);) {
        n += event.kind == kind;
    }
    return n;
}

/* --- one session ---------------------------------------------------------------------------------------------- */

static void a_bootstrap_recovers_into_a_registration(void **state) {
    (void) state;
    fuzz_session *s = session_open(NULL);
    const session_result *r = session_run_program(s, with_account("  - request: {to: bs, path: /rd, within: 1s}\n"));
    assert_int_equal(r->verdict, BJ_FAIL); /* nobody registers with the bootstrap server */
    assert_non_null(strstr(session_reason(r), "/rd"));
    assert_int_equal(r->recovery, BJ_RECOVERY_REGISTERED);
    assert_int_equal(r->trouble, SESSION_WELL);
    assert_false(session_is_finding(r));
    assert_int_equal(r->leaked, 0);
    assert_true(r->held > 1000);
    session_close(s);
}

static void what_is_not_met_is_passed_over(void **state) {
    (void) state;
    fuzz_session *s = session_open(NULL);
    const session_result *r = session_run_program(s, scenario("  - request: {path: /other}\n  - respond: 2.04\n"
                                                              "  - delete: /\n    expect: 4.00\n"
                                                              "  - discover: /\n    server: nobody\n"
                                                              "  - finish: {expect: 2.04}\n"));
    assert_int_equal(r->verdict, BJ_FAIL);
    assert_int_equal(count(r, BJ_EV_STEP_FAILED), 4); /* Finish with no account is refused, too */
    assert_int_equal(r->recovery, BJ_RECOVERY_REGISTERED);
    session_close(s);
}

static void power_comes_back(void **state) {
    (void) state;
    fuzz_session *s = session_open(NULL);
    const session_result *r = session_run_program(s, with_account("  - power-cut: {}\n"));
    assert_int_equal(count(r, BJ_EV_POWER_CUT), 1);
    assert_int_equal(count(r, BJ_EV_CLIENT_START), 2);
    assert_int_equal(r->recovery, BJ_RECOVERY_REGISTERED);
    assert_int_equal(r->leaked, 0);
    session_close(s);
}

static void power_comes_back_where_the_script_waits_for_a_dead_client(void **state) {
    (void) state;
    fuzz_session *session = session_open(NULL);
    const session_result *r = session_run_program(
        session, with_account("  - request: {to: bs}\n  - power-cut: none\n  - request: {to: bs}\n"));
    assert_int_equal(count(r, BJ_EV_CLIENT_START), 2);
    assert_int_equal(r->recovery, BJ_RECOVERY_REGISTERED);
    assert_false(session_is_finding(r));
    session_close(session);
}

static void a_healed_network_is_not_held_up_by_what_was_slow(void **state) {
    (void) state;
    fuzz_session *s = session_open(NULL);
    const session_result *r = session_run_program(s, scenario("  - network: {latency: 1h, jitter: 1d}\n"
                                                              "  - request: {path: /bs}\n  - advance: 100s\n"));
    assert_int_equal(r->recovery, BJ_RECOVERY_REGISTERED);
    session_close(s);
}

static void an_endless_program_ends(void **state) {
    (void) state;
    fuzz_session *s = session_open(&(session_options){ .event_limit = 500 });
    static const char *const endless[] = {
        "  - repeat: {until: 400000000s, steps: [advance: 1ms]}\n",
        "  - repeat: {times: 4000000000, steps: [note: x]}\n",
        "  - repeat: {times: 4000000000, steps: [request: {path: /bs}, respond: 5.00]}\n",
        "  - power-cut: {}\n  - repeat: {times: 4000000000, steps: [advance: 1ms]}\n"
    };
    for (size_t i = 0; i < sizeof endless / sizeof endless[0]; i++) {
        const session_result *r = session_run_program(s, scenario(endless[i]));
        assert_int_equal(r->recovery, BJ_RECOVERY_REGISTERED);
        assert_int_equal(r->trouble, SESSION_WELL);
    }
    session_close(s);
}

static uint64_t events_of_an_endless_program(void) {
    fuzz_session *s = session_open(NULL);
    const session_result *r = session_run_program(
        s, scenario("  - repeat: {times: 4000000000, steps: [request: {path: /bs}, respond: 5.00]}\n"));
    uint64_t events = bj_log_last(r->log);
    session_close(s);
    return events;
}

static void a_script_has_so_many_events_as_the_environment_says(void **state) {
    (void) state;
    assert_in_range(events_of_an_endless_program(), 1000, 2000); /* with those of the healed world */
    setenv("FUZZ_EVENTS", "3000", 1);
    assert_in_range(events_of_an_endless_program(), 3000, 4000);
    unsetenv("FUZZ_EVENTS");
}

static void a_client_that_cannot_be_made_is_no_finding(void **state) {
    (void) state;
    static const char text[] =
        "title: t\nclient: {bootstrap: {uri: \"coap://h\"}}\ntransmission: {ack-timeout: 1ms}\nsteps: []\n";
    bj_mistakes mistakes = { 0 };
    fuzz_session *s = session_open(NULL);
    const bj_record *r = bj_load_unchecked(arena, BJ_K_SCENARIO, "t", text, sizeof text - 1, &mistakes);
    const session_result *result = session_run_program(s, r);
    assert_int_equal(result->trouble, SESSION_UNMADE);
    assert_false(session_is_finding(result));
    session_close(s);
}

static void any_bytes_are_a_session(void **state) {
    (void) state;
    fuzz_session *s = session_open(NULL);
    uint8_t bytes[300];
    uint32_t random = 1;
    for (unsigned n = 0; n < 300; n++) {
        for (size_t i = 0; i < sizeof bytes; i++) {
            random = random * 1664525 + 1013904223;
            bytes[i] = (uint8_t) (random >> 24);
        }
        const session_result *r = session_run(s, bytes, n);
        if (session_is_finding(r)) {
            session_print(r);
        }
        assert_false(session_is_finding(r));
    }
    session_close(s);
}

static void moves_of_the_state_machines_are_counted(void **state) {
    (void) state;
    fuzz_session *s = session_open(NULL);
    memset(session_counters, 0, sizeof session_counters);
    session_run_program(s, with_account(""));
    unsigned counted = 0;
    for (unsigned i = 0; i < SESSION_COUNTERS; i++) {
        counted += session_counters[i] != 0;
    }
    session_reach before = session_states_reached();
    assert_in_range(counted, 8, SESSION_COUNTERS / 2);
    assert_in_range(before.reached, 7, before.reachable - 1);
    session_run_program(s, scenario("  - request: {path: /bs}\n  - respond: 4.03\n  - stop: term\n"));
    session_reach after = session_states_reached();
    assert_true(after.triples > before.triples);
    assert_int_equal(after.unknown, 0);
    session_close(s);
}

static void a_client_with_too_little_memory_is_told(void **state) {
    (void) state;
    fuzz_session *s = session_open(&(session_options){ .memory_limit = 8000 });
    const session_result *r = session_run_program(s, with_account(""));
    assert_int_equal(r->trouble, SESSION_HUNGRY);
    assert_true(session_is_finding(r));
    session_close(s);
}

/* --- many ------------------------------------------------------------------------------------------------------ */

static const char *const sessions[] = {
    "  - request: {path: /bs}\n  - respond: 4.00\n  - request: {path: /bs}\n    at: due(holdoff)\n",
    "  - request: {path: /bs}\n  - power-cut: {}\n  - advance: 10s\n  - start: {}\n  - request: {path: /bs}\n",
    "  - fault: drop\n    count: 3\n  - write: /0/1\n    hex: c800\n  - stop: term\n  - start: {}\n",
    "  - dns: bs.example\n    answers: [{status: nxdomain}]\n  - advance: 1h\n",
    "  - request: {path: /bs}\n  - respond: 2.04\n  - raw: 4001\n  - raw: \"ff\"\n  - advance: 300s\n",
};

enum { KINDS = sizeof sessions / sizeof sessions[0], BETWEEN = 1000 };

/* In a process of its own, its trace through a pipe. */
static char *alone(const bj_record *program, char *(*told)(const bj_log *log)) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t process = fork();
    if (process == 0) {
        fuzz_session *s = session_open(NULL);
        char *text = told(session_run_program(s, program)->log);
        FILE *out = fdopen(ends[1], "w");
        bool good = out && fputs(text, out) >= 0 && fclose(out) == 0;
        _exit(good ? 0 : 1);
    }
    close(ends[1]);
    FILE *in = fdopen(ends[0], "r");
    char *text = NULL;
    size_t room = 0;
    assert_true(in && getdelim(&text, &room, EOF, in) > 0);
    fclose(in);
    int status;
    assert_int_equal(waitpid(process, &status, 0), process);
    assert_int_equal(status, 0);
    return text;
}

static void nothing_leaks_from_one_session_to_the_next(void **state) {
    (void) state;
    const bj_record *programs[KINDS];
    char *traces[KINDS];
    for (size_t i = 0; i < KINDS; i++) {
        programs[i] = with_account(sessions[i]);
        traces[i] = alone(programs[i], trace);
    }
    fuzz_session *s = session_open(NULL);
    for (unsigned n = 0; n < BETWEEN; n++) {
        const session_result *r = session_run_program(s, programs[n * 7 % KINDS]);
        assert_int_equal(r->leaked, 0);
        assert_false(session_is_finding(r));
    }
    for (size_t i = 0; i < KINDS; i++) {
        char *late = trace(session_run_program(s, programs[i])->log);
        assert_string_equal(late, traces[i]);
        free(late);
        free(traces[i]);
    }
    session_close(s);
}

static const char secure[] =
    "title: a test\nclient:\n  endpoint: dev-1\n"
    "  bootstrap: {uri: \"coaps://bs.example\", security: psk, identity: !text dev-1,"
    " key: 000102030405060708090a0b0c0d0e0f, holdoff: 10s}\n"
    "servers: {bs: {transport: dtls}}\n"
    "steps:\n  - request: {path: /bs}\n  - respond: 5.03\n  - request: {path: /bs, within: 1h}\n";

/* What is in the records of a secure session, and when; the records themselves are other ones each time. */
static char *plain(const bj_log *log) {
    char *all = NULL;
    size_t size;
    FILE *out = open_memstream(&all, &size);
    assert_non_null(out);
    bj_event event;
    for (size_t cursor = 0; bj_log_next(log, &cursor, &event);) {
        if (event.kind == BJ_EV_PLAIN_SENT || event.kind == BJ_EV_PLAIN_RECEIVED) {
            fprintf(out, "%lld ", (long long) event.time);
            for (size_t i = 0; i < event.raw_length; i++) {
                fprintf(out, "%02x", ((const uint8_t *) event.raw)[i]);
            }
            fprintf(out, "\n");
        }
    }
    fclose(out);
    return all;
}

/* What GnuTLS keeps for the process takes no random numbers from a session. */
static void a_secure_session_says_the_same_in_any_process(void **state) {
    (void) state;
    bj_mistakes mistakes = { 0 };
    const bj_record *program = bj_load_unchecked(arena, BJ_K_SCENARIO, "test", secure, sizeof secure - 1, &mistakes);
    assert_non_null(program);
    char *first = alone(program, plain);
    assert_non_null(strstr(first, "\n"));
    fuzz_session *s = session_open(NULL);
    for (unsigned n = 0; n < 3; n++) {
        char *later = plain(session_run_program(s, program)->log);
        assert_string_equal(later, first);
        free(later);
    }
    free(first);
    session_close(s);
}

/* Steps that begin and say what they are. */
static unsigned told_steps(const session_result *r) {
    unsigned n = 0;
    bj_event event;
    for (size_t cursor = 0; bj_log_next(r->log, &cursor, &event);) {
        n += event.kind == BJ_EV_STEP_BEGIN && event.text_length > 0;
    }
    return n;
}

static void a_terse_session_tells_the_steps_of_findings(void **state) {
    (void) state;
    const bj_record *program = with_account(""), *again = with_account("");
    fuzz_session *s = session_open(&(session_options){ .terse = true });
    const session_result *r = session_run_program(s, program);
    assert_false(session_is_finding(r));
    assert_int_equal(told_steps(r), 0);
    assert_true(count(r, BJ_EV_STEP_BEGIN) > 4);
    assert_int_equal(r->recovery, BJ_RECOVERY_REGISTERED);
    session_close(s);
    s = session_open(&(session_options){ .terse = true, .memory_limit = 8000 });
    r = session_run_program(s, again);
    assert_int_equal(r->trouble, SESSION_HUNGRY);
    assert_true(told_steps(r) > 0);
    session_close(s);
}

static void what_libcoap_keeps_is_counted(void **state) {
    (void) state;
    session_coap_begin();
    uint8_t *string = coap_malloc_type(COAP_STRING, 4), *message = coap_malloc_type(COAP_PDU_BUF, 4);
    memcpy(string, "abc", 4);
    string = coap_realloc_type(COAP_STRING, string, 1000);
    assert_string_equal((char *) string, "abc");
    string[999] = 1;
    message = realloc(message, 1000);
    coap_free_type(COAP_PDU_BUF, message);
    coap_free_type(COAP_STRING, NULL);
    assert_int_equal(session_coap_end(), 1);
    session_coap_begin();
    coap_free_type(COAP_STRING, coap_realloc_type(COAP_STRING, NULL, 8));
    assert_int_equal(session_coap_end(), 0);
    memory_forget();
}

static int set_up(void **state) {
    (void) state;
    arena = bj_arena_map(16 << 20);
    return arena ? 0 : -1;
}

static int tear_down(void **state) {
    (void) state;
    bj_arena_unmap(arena);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_bootstrap_recovers_into_a_registration, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_met_is_passed_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(power_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(power_comes_back_where_the_script_waits_for_a_dead_client, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_healed_network_is_not_held_up_by_what_was_slow, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_endless_program_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_script_has_so_many_events_as_the_environment_says, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_client_that_cannot_be_made_is_no_finding, set_up, tear_down),
        cmocka_unit_test_setup_teardown(any_bytes_are_a_session, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_client_with_too_little_memory_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(moves_of_the_state_machines_are_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_secure_session_says_the_same_in_any_process, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_leaks_from_one_session_to_the_next, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_terse_session_tells_the_steps_of_findings, set_up, tear_down),
        cmocka_unit_test(what_libcoap_keeps_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
