/* SPDX-License-Identifier: Apache-2.0
 *
 * The canary: before the results of a client that is not ours are believed, a scenario is run that no client can pass.
 */
#ifndef BJ_CLI_CANARY_H
#define BJ_CLI_CANARY_H

#include "attach/run.h"

/* false: it passed; a message was printed. */
bool cli_canary(const bj_run_options *options);

#endif
