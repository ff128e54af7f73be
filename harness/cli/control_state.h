/* SPDX-License-Identifier: Apache-2.0
 *
 * What the control channel can say of the client that runs.
 */
#ifndef BJ_CLI_CONTROL_STATE_H
#define BJ_CLI_CONTROL_STATE_H

#include <stdio.h>

#include "log/eventlog.h"

/* {"running": true, "machines": {"bootstrap": "idle"}}; the machines of a client that tells of none are none. */
void control_state(FILE *out, const bj_log *log);

#endif
