/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a stream that would block: a thread that sits in fgets(stdin) must not hold the baton meanwhile. glibc's own
 * read() inside those functions cannot be seen, so the wait comes before the call.
 */
#define _GNU_SOURCE
#undef __OPTIMIZE__ /* glibc's headers would define some of these inline */
#include "libc/internal.h"

#include <stdio.h>
#include <unistd.h>

static void await_stream(FILE *stream) {
    if (!bj_inside() || stream->_IO_read_ptr < stream->_IO_read_end) {
        return;
    }
    int fd = fileno_unlocked(stream);
    if (fd >= 0 && !bj_file_of(fd)) {
        int saved = errno;
        while (bj_foreign_wait(fd, POLLIN) == -EINTR && !bj_the_run.ended) {
        }
        errno = saved;
    }
}

BJ_EXPORT char *fgets(char *restrict line, int room, FILE *restrict stream) {
    await_stream(stream);
    return REAL(fgets)(line, room, stream);
}

BJ_EXPORT int fgetc(FILE *stream) {
    await_stream(stream);
    return REAL(fgetc)(stream);
}

#undef getc
BJ_EXPORT int getc(FILE *stream) __attribute__((alias("fgetc")));
BJ_EXPORT int _IO_getc(FILE *stream) __attribute__((alias("fgetc")));

BJ_EXPORT int getchar(void) {
    await_stream(stdin);
    return REAL(getchar)();
}

BJ_EXPORT size_t fread(void *restrict data, size_t size, size_t count, FILE *restrict stream) {
    await_stream(stream);
    return REAL(fread)(data, size, count, stream);
}

BJ_EXPORT ssize_t getline(char **restrict line, size_t *restrict room, FILE *restrict stream) {
    await_stream(stream);
    return REAL(getline)(line, room, stream);
}

BJ_EXPORT ssize_t getdelim(char **restrict line, size_t *restrict room, int end, FILE *restrict stream) {
    await_stream(stream);
    return REAL(getdelim)(line, room, end, stream);
}

BJ_EXPORT ssize_t __getdelim(char **restrict line, size_t *restrict room, int end, FILE *restrict stream)
    __attribute__((alias("getdelim")));
