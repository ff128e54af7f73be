/* SPDX-License-Identifier: Apache-2.0
 *
 * The byte form of a scenario, played against the linked client in virtual time: factory data, bootstrap, registration,
 * management, faults, power cuts; then the world heals. A broken MUST is a finding.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"
#include "session.h"
#include "session_states.h"

static void print_states(void) {
    session_print_played(stderr);
    session_print_states(stderr);
}

const bool fuzz_takes_programs = true;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static fuzz_session *session;
    if (!session) {
        session = session_open(&(session_options){ .terse = true });
        FUZZ_HOLDS(session != NULL, "sessions of the client can be played");
        atexit(print_states);
    }
    const session_result *result = session_run(session, data, size);
    session_end_with(result);
    return 0;
}
