/* SPDX-License-Identifier: Apache-2.0
 *
 * Randomness, from the world's generator: the same seed, the same bytes. Opening /dev/urandom or /dev/random gives a
 * descriptor (or a stream) of them.
 */
#define _GNU_SOURCE
#include "libc/internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

int64_t bj_random_bytes(void *data, size_t length) {
    uint8_t *to = data;
    for (size_t done = 0; done < length;) {
        uint64_t drawn = bj_sim_random(bj_the_run.sim);
        size_t part = length - done < sizeof drawn ? length - done : sizeof drawn;
        memcpy(to + done, &drawn, part);
        done += part;
    }
    return (int64_t) length;
}

BJ_EXPORT ssize_t getrandom(void *data, size_t length, unsigned flags) {
    return bj_inside() ? bj_random_bytes(data, length) : REAL(getrandom)(data, length, flags);
}

BJ_EXPORT int getentropy(void *data, size_t length) {
    if (!bj_inside()) {
        return REAL(getentropy)(data, length);
    }
    if (length > 256) {
        return bj_fail(EIO);
    }
    bj_random_bytes(data, length);
    return 0;
}

BJ_EXPORT void arc4random_buf(void *data, size_t length) {
    if (bj_inside()) {
        bj_random_bytes(data, length);
    } else {
        REAL(arc4random_buf)(data, length);
    }
}

BJ_EXPORT uint32_t arc4random(void) {
    return bj_inside() ? (uint32_t) bj_sim_random(bj_the_run.sim) : REAL(arc4random)();
}

BJ_EXPORT uint32_t arc4random_uniform(uint32_t bound) {
    if (!bj_inside()) {
        return REAL(arc4random_uniform)(bound);
    }
    return bound ? (uint32_t) (bj_sim_random(bj_the_run.sim) % bound) : 0;
}

/* libstdc++'s std::random_device asks the processor (RDRAND), which nothing can interpose but here. Weak, for a program
 * may have that library in itself. */
unsigned _ZNSt13random_device9_M_getvalEv(void *device);
BJ_EXPORT __attribute__((weak)) unsigned _ZNSt13random_device9_M_getvalEv(void *device) {
    return bj_inside() ? (unsigned) bj_sim_random(bj_the_run.sim) : REAL(_ZNSt13random_device9_M_getvalEv)(device);
}

/* --- the devices --- */

bool bj_is_random_device(const char *path) {
    return !strcmp(path, "/dev/urandom") || !strcmp(path, "/dev/random");
}

int bj_open_random_device(int flags) {
    int fd = BJ_PLACEHOLDER(REAL(open)("/dev/null", O_RDWR | (flags & O_CLOEXEC)));
    return bj_file_new(fd, BJ_FILE_RANDOM, false) ? fd : -1;
}

static ssize_t read_stream(void *cookie, char *data, size_t room) {
    (void) cookie;
    return bj_inside() ? bj_random_bytes(data, room) : REAL(getrandom)(data, room, 0);
}

FILE *bj_open_random_stream(void) {
    return fopencookie(NULL, "r", (cookie_io_functions_t){ .read = read_stream });
}
