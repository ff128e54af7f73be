/* SPDX-License-Identifier: Apache-2.0
 *
 * See minimise.h.
 */
#include "tool/minimise.h"

#include <string.h>

#include "attach/shrink.h"
#include "tool/trial.h"

static bool shows_key(void *context, const bj_record *candidate) {
    trial seen;
    return trial_run(candidate, &seen) && seen.found && strcmp(seen.key, (const char *) context) == 0;
}

const bj_record *minimise(bj_arena *arena, const bj_record *program, const char *key, unsigned tries) {
    char wanted[sizeof((trial *) 0)->key];
    bj_text copy = bj_text_over(wanted, sizeof wanted);
    bj_text_add(&copy, key);
    return bj_shrink(arena, program, shows_key, wanted, tries);
}
