/* SPDX-License-Identifier: Apache-2.0
 *
 * Names that a pcapng file itself gives to addresses (name resolution blocks). Private to capture/.
 */
#ifndef BJ_CAPTURE_NAMES_H
#define BJ_CAPTURE_NAMES_H

#include "base/addr.h"

enum { BJ_NAMES = 64 };

typedef struct bj_names {
    struct {
        bj_addr address; /* without a port */
        char name[128];
    } all[BJ_NAMES];
    size_t count;
} bj_names;

/* What the blocks in front of the first packet say; nothing for other files. */
void bj_names_read(bj_names *names, const char *file);

#endif
