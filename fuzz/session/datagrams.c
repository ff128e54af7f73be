/* SPDX-License-Identifier: Apache-2.0
 *
 * Raw datagrams, and answers with any code and payload, into a client in a chosen state; then the world heals. See
 * session_inputs.h for the input.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"
#include "program.h"
#include "session.h"
#include "session_inputs.h"

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
    const session_result *result = session_run_program(session, session_of_datagrams(program_arena(), data, size));
    session_end_with(result);
    return 0;
}
