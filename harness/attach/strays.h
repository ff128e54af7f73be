/* SPDX-License-Identifier: Apache-2.0
 *
 * What a client has started for itself, in whatever session or group it has put itself.
 */
#ifndef BJ_ATTACH_STRAYS_H
#define BJ_ATTACH_STRAYS_H

#include <sys/types.h>

/* Kills all processes that descend from `root`, but not that one itself; nothing of them runs any more when this
 * returns (after a while it gives up). Whose parent has ended is found only where `root` takes orphans up. */
void bj_strays_kill(pid_t root);
/* From now on the calling process takes up all orphans that descend from it. */
void bj_strays_take_up(void);

#endif
