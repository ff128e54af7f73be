/* SPDX-License-Identifier: Apache-2.0
 *
 * Takes moves of state machines from its standard input, one a line, as a client tells of them, and lets the fuzz
 * targets' state feedback look at them. The same code runs whatever the lines say.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session_client.h"
#include "session_states.h"

enum { LOG = 1 << 20, LINE = 200 };

/* No table of moves. */
const session_client session_client_played = { 0 };

int main(void) {
    void *memory = aligned_alloc(16, LOG);
    char line[LINE];
    if (!memory) {
        return 1;
    }
    bj_log *log = bj_log_create(memory, LOG);
    for (int i = 0; i < 8 && fgets(line, sizeof line, stdin); i++) {
        bj_event event = { .kind = BJ_EV_CLIENT_STATE, .actor = BJ_ACTOR_CLIENT, .text = line };
        bj_log_append(log, &event);
    }
    session_note_states(log);
    free(memory);
    return 0;
}
