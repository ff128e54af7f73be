/* SPDX-License-Identifier: Apache-2.0
 *
 * How long the client waits before a Bootstrap-Request: Client Hold Off Time (/0/x/11), growing from failure to failure
 * up to a cap, multiplied with a random factor so that devices do not come back all at once.
 */
#ifndef BJC_BOOTSTRAP_HOLDOFF_H
#define BJC_BOOTSTRAP_HOLDOFF_H

#include "core.h"

/* wait_k = max(h*j, min(h * 2^k * j, cap)), h = max(1 s, hold-off), k = failures before. Seconds. */
double bjc_holdoff_formula(double holdoff_s, unsigned failures, double jitter, double cap_s);
/* The wait before the next attempt, with a factor drawn for it. */
bjc_time bjc_holdoff_wait(const bjc_core *core, int64_t holdoff_s, unsigned failures);

#endif
