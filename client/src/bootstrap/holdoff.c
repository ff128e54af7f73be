/* SPDX-License-Identifier: Apache-2.0
 *
 * The hold-off before a bootstrap.
 */
#include "bootstrap/holdoff.h"

#include <math.h>

/* Beyond this the cap has long been reached. */
#define MOST_DOUBLINGS 62u
/* What a bjc_time can hold. */
#define LONGEST_S 9e9

double bjc_holdoff_formula(double holdoff_s, unsigned failures, double jitter, double cap_s) {
    double first = fmax(1.0, holdoff_s) * jitter;
    double grown = ldexp(first, (int) (failures < MOST_DOUBLINGS ? failures : MOST_DOUBLINGS));
    return fmax(first, fmin(grown, cap_s));
}

/* Rule: hold-off. To see the harness notice its absence, let this return 0. */
bjc_time bjc_holdoff_wait(const bjc_core *core, int64_t holdoff_s, unsigned failures) {
    double jitter = 1.0 + bjc_random_unit(core) * (core->config.holdoff_jitter - 1.0);
    double wait = bjc_holdoff_formula((double) holdoff_s, failures, jitter, core->config.holdoff_cap_ms / 1000.0);
    wait = fmin(wait, LONGEST_S);
    return (bjc_time) llround(wait * (double) BJC_SECOND);
}
