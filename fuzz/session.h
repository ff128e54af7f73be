/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole sessions of the client that is linked in (session_client.h) in one process, one after the other: a program of
 * the scenario language (its byte form, or a tree) is played against the linked client in virtual time; then the world
 * is healed, and the oracles judge. For fuzz targets and for exhaustive search.
 *
 * What a program expects is not judged: nobody wrote it. A step that is not met is passed over
 * (bj_engine_be_lenient()), what came in place of an awaited request is answered as if it were that. What is judged is
 * what holds always: the rules of oracle/rules.h, recovery among them, and the client's memory.
 *
 * Nothing is carried from one session to the next: the same program and seed give the same log, byte for byte, whatever
 * ran before. A process has one session runner at a time (the interposed libc has one run at a time), and must be
 * linked with the objects of bj_libc.
 */
#ifndef BJ_FUZZ_SESSION_H
#define BJ_FUZZ_SESSION_H

#include <stdio.h>

#include "base/arena.h"
#include "log/eventlog.h"
#include "oracle/oracle.h"
#include "script/program.h"

typedef struct fuzz_session fuzz_session;

/* How a session ended that says nothing, or something else than rules do. */
typedef enum session_trouble {
    SESSION_WELL = 0,
    SESSION_UNMADE,    /* no finding: the client refuses what the program tells it from the factory */
    SESSION_LONG,      /* no finding: the program went on for too many events; what was seen until then is judged */
    SESSION_EXHAUSTED, /* no finding: the program needs more memory than the world has; nothing is judged */
    SESSION_STUCK,     /* the client spins: it goes on and on without waiting */
    SESSION_LEAK,      /* the client, destroyed, kept memory of its own */
    SESSION_HUNGRY,    /* the client took more memory than its limits can explain */
} session_trouble;

/* All that it points to is the runner's, until the next session. */
typedef struct session_result {
    const bj_record *scenario; /* the program that was played */
    const bj_log *log;
    bj_verdict verdict; /* of the script; BJ_FAIL: a step was passed over */
    session_trouble trouble;
    bj_recovery recovery;
    const bj_finding *findings; /* broken rules; known deviations of the client have their excuse */
    size_t finding_count;
    const bj_finding *broken; /* the first that counts: session_counts(); NULL */
    bj_time virtual_time;
    size_t held; /* bytes of the client's own memory at most; 0 where it is not counted */
    size_t leaked;
} session_result;

typedef struct session_options {
    uint64_t seed;            /* of the world; 0 = 1 */
    uint32_t event_limit;     /* of the log, for the script; 0 = $FUZZ_EVENTS, or 1000 */
    uint32_t healed_limit;    /* likewise, for the healed world behind it; 0 = 4000 */
    size_t memory_limit;      /* of the client, where its memory is counted; 0 = 4 MiB */
    const bj_record *profile; /* must outlive the runner; NULL = that of the client */
    bool terse;               /* the log says what the steps are for findings only, which are played again for that */
} session_options;

/* NULL: no memory, or a client that is not to be used; a message was printed. `options` NULL = all zero. */
fuzz_session *session_open(const session_options *options);
void session_close(fuzz_session *session);

/* Plays the byte form of a scenario (script/bytes.h: any bytes are one). */
const session_result *session_run(fuzz_session *session, const void *bytes, size_t length);
/* Plays a scenario that lies in an arena of the caller's. */
const session_result *session_run_program(fuzz_session *session, const bj_record *scenario);

/* What the verdict says: the first step that was passed over; "" where there is none. */
const char *session_reason(const session_result *result);

/* How many sessions this process played, and for how many the client could not be made, with the reason that it gave
 * for the last one: who sees that none was played knows that nothing was looked for. */
void session_print_played(FILE *out);

/* What the oracles say of result->log: fills findings and recovery. `ended`: what did not come counts, too. Of which
 * one is `broken`, the caller decides. */
void session_judge(session_result *result, bj_arena *arena, const bj_record *scenario, const bj_record *profile,
                   bool ended);
/* A MUST, or, of a client that promises to keep them too, a SHOULD; and no known deviation of the client. */
bool session_counts(const bj_finding *finding, bool promises);

/* Which rule is broken, when and how, as one line without an end. */
void session_print_rule(bj_text *out, const bj_finding *finding);
/* The conversation on descriptor 2, and where in it which rule broke. */
void session_print(const session_result *result);
/* Is it a finding: a broken rule that counts, or trouble that the client is to blame for? */
bool session_is_finding(const session_result *result);
/* What a fuzz target does with its result: session_abort() where it is a finding. Who measures speed only, and not what
 * is found, sets FUZZ_GO_ON in the environment. */
void session_end_with(const session_result *result);
/* Writes what was found to descriptor 2, and aborts through the function of the broken rule, or of the trouble. Only
 * for findings. */
_Noreturn void session_abort(const session_result *result);

#endif
