/* SPDX-License-Identifier: Apache-2.0
 *
 * The interposed libc: what a client calls, answered by a simulated world. Compiled twice from the same sources: as
 * objects that are linked into a program (bootjack itself, fuzz targets) and as a preload library (exec).
 *
 * While no run is active (bj_libc_enter() has not been called, or bj_libc_leave() was), every function passes through
 * to the real libc. Inside a run: AF_INET and AF_INET6 sockets, timerfds, epoll sets, all clocks, sleeps, getaddrinfo
 * and friends, getrandom and friends, timed waits of pthreads, and files below BJ_LIBC_DISK belong to the world.
 * Descriptors that are not the world's pass through (an epoll set or a poll() may hold both kinds: foreign descriptors
 * are asked without waiting).
 *
 * A virtual descriptor is a real placeholder descriptor, the lowest that is free, so that dup(), close(), fcntl(),
 * select() and close-on-exec work on it as a program expects. When the kernel has no more of them, a crew (below) goes
 * on with numbers that it would never give, which stand for nothing but what is virtual; so does a run without real
 * descriptors from the beginning.
 */
#ifndef BJ_LIBC_LIBC_H
#define BJ_LIBC_LIBC_H

#include <stdbool.h>

#include "world/sim.h"

/* Paths below this directory lead to the world's disk (world/disk.h). The machine has none of that name. */
#define BJ_LIBC_DISK "/bootjack-disk"

/* What happens when the run ends while the client is inside a call (the engine has its verdict): never returns to the
 * client in exec (ends the process); in linked mode longjmp()s out, or returns for calls made by the linked step
 * function. */
typedef void bj_libc_over_fn(void *context);

/* Begins a run in this process: from now on this thread (and those it creates) are the client. */
void bj_libc_enter(bj_sim *sim, bj_libc_over_fn *over, void *context);
/* Ends it: virtual descriptors that were left open are closed; the number of them is returned. */
int bj_libc_leave(void);
bool bj_libc_active(void);

/* For harness code that runs inside a run (engine, log, adapter): calls between these pass through. They nest. */
void bj_libc_outside(void);
void bj_libc_inside(void);

/* From the next run on no virtual descriptor has a real one behind it: a run makes no system calls for them, but dup(),
 * and an epoll set with foreign descriptors in it do not work then, and the kernel checks no flags. Their numbers are
 * those from 200 to 1023: who calls this has none of them open. For clients that do without all that. */
void bj_libc_without_descriptors(void);

/* From now on this descriptor is the harness's own: a client that closes all that it does not know (closefrom(), a loop
 * up to the limit) leaves it alone. Stays so from run to run. */
void bj_libc_hide(int fd);

/* Called before virtual time may go on, which is when the client waits or polls; as harness code. Until the run's end.
 */
void bj_libc_before_moving(void (*notice)(void *context), void *context);

/* Linked mode: is there anything for the client to do now (a virtual descriptor became ready since the last question)?
 */
bool bj_libc_poked(void);

/* --- many clients in one run --- */

/* The client of that number acts now: the descriptors that it makes are its own. Numbers count from 0. */
void bj_libc_act_for(unsigned client);
/* A client one of whose sockets changed since it was last named here; false: there is none. In the order of the
 * changes, each once. */
bool bj_libc_next_poked(unsigned *client);
/* Is there one? Asked in constant time, after every event. */
bool bj_libc_any_poked(void);
/* After the client acted: it left something unread, and is poked again. */
void bj_libc_acted(unsigned client);

#endif
