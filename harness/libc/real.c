/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking up the real functions.
 */
#define _GNU_SOURCE
#include "libc/real.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const names[BJ_REAL_COUNT] = {
#define BJ_REAL_NAME(name) [BJ_REAL_##name] = #name,
    BJ_REALS(BJ_REAL_NAME)
#undef BJ_REAL_NAME
};

void *bj_real_table[BJ_REAL_COUNT];

static void *look_up(const char *name) {
    void *function = NULL;
    /* glibc has two pthread_cond_wait(): the one of old has another pthread_cond_t, and dlsym() may give that. */
    if (!strncmp(name, "pthread_cond_", 13)) {
        function = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");
    }
    return function ? function : dlsym(RTLD_NEXT, name);
}

void *bj_real_find(enum bj_real_id id) {
    void *function = look_up(names[id]);
    if (!function) {
        char line[128];
        int length = snprintf(line, sizeof line, "bootjack: this libc has no %s()\n", names[id]);
        while (length > 0 && syscall(1 /* write */, 2, line, length) != length) {
            break;
        }
        abort();
    }
    bj_real_table[id] = function;
    return function;
}

void bj_real_find_all(void) {
    for (enum bj_real_id id = 0; id < BJ_REAL_COUNT; id++) {
        if (!bj_real_table[id]) {
            bj_real_table[id] = look_up(names[id]);
        }
    }
}
