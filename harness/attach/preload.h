/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the preload library: what ends or replaces the client's program.
 */
#ifndef BJ_ATTACH_PRELOAD_H
#define BJ_ATTACH_PRELOAD_H

#include <stdbool.h>

/* Is this process the client (and not one that it forked)? */
bool bj_preload_owns_process(void);
/* The client ends with this status: the script is told, and played to its end. Returns; the process then may end. */
void bj_preload_client_ends(int status);
/* Of the shared memory, -1 outside a run. */
int bj_preload_descriptor(void);

#endif
