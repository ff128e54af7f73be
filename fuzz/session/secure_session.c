/* SPDX-License-Identifier: Apache-2.0
 *
 * The byte form of a scenario, played against a client whose bootstrap account is behind DTLS: every session makes a
 * real handshake, or fails in it; then the world heals.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"
#include "program.h"
#include "script/bytes.h"
#include "session.h"
#include "session_inputs.h"

const bool fuzz_takes_programs = true;

static void print_played(void) {
    session_print_played(stderr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static fuzz_session *session;
    if (!session) {
        session = session_open(&(session_options){ .terse = true });
        FUZZ_HOLDS(session != NULL, "sessions of the client can be played");
        atexit(print_played);
    }
    bj_arena *arena = program_arena();
    const bj_record *program = bj_program_decode(arena, BJ_K_SCENARIO, data, size, NULL, 0);
    const session_result *result = session_run_program(session, session_secured(arena, program));
    session_end_with(result);
    return 0;
}
