/* SPDX-License-Identifier: Apache-2.0
 *
 * A network of its own for a run over real sockets, so that runs side by side can use the same ports.
 */
#ifndef BJ_ATTACH_ISOLATE_H
#define BJ_ATTACH_ISOLATE_H

#include "base/text.h"

typedef enum bj_isolation {
    BJ_ISOLATED, /* this process and those that it starts have a loopback interface to themselves */
    BJ_SHARED,   /* the kernel does not allow it: all is as before; *why says what it said */
    BJ_CUT_OFF,  /* a network without loopback, and no way back: nothing can be run here */
} bj_isolation;

/* Moves the calling process, which must have one thread, into a new network namespace (if need be in a user namespace
 * in which it keeps its user) and brings its loopback interface up. */
bj_isolation bj_isolate(bj_text *why);

#endif
