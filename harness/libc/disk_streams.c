/* SPDX-License-Identifier: Apache-2.0
 *
 * Streams over virtual descriptors. glibc's own read() and write() behind a FILE cannot be seen, so that ours are
 * cookies; their descriptor is put in, for a program that calls fsync(fileno(stream)).
 */
#define _GNU_SOURCE
#undef __OPTIMIZE__ /* glibc's headers would define some of these inline */
#include "libc/disk.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int descriptor_of(void *cookie) {
    return (int) (intptr_t) cookie - 1;
}

static ssize_t read_stream(void *cookie, char *data, size_t room) {
    return read(descriptor_of(cookie), data, room);
}

/* The stream wants all of it written; 0 is its error. */
static ssize_t write_stream(void *cookie, const char *data, size_t length) {
    size_t written = 0;
    while (written < length) {
        ssize_t part = write(descriptor_of(cookie), data + written, length - written);
        if (part <= 0) {
            break;
        }
        written += (size_t) part;
    }
    return (ssize_t) written;
}

static int seek_stream(void *cookie, off64_t *position, int whence) {
    off64_t reached = lseek64(descriptor_of(cookie), *position, whence);
    *position = reached < 0 ? *position : reached;
    return reached < 0 ? -1 : 0;
}

static int close_stream(void *cookie) {
    return close(descriptor_of(cookie));
}

BJ_EXPORT FILE *fdopen(int fd, const char *mode) {
    const bj_file *file = bj_inside() ? bj_file_of(fd) : NULL;
    if (!file) {
        return REAL(fdopen)(fd, mode);
    }
    cookie_io_functions_t functions = { .read = read_stream, .write = write_stream, .close = close_stream };
    if (file->kind == BJ_FILE_DISK) {
        functions.seek = seek_stream;
    }
    FILE *stream = fopencookie((void *) (intptr_t) (fd + 1), mode, functions);
    if (stream) {
        stream->_fileno = fd;
    }
    return stream;
}

/* open()'s flags for fopen()'s mode; -1 and errno. */
static int flags_of(const char *mode) {
    bool both = strchr(mode, '+') != NULL;
    int flags = both ? O_RDWR : *mode == 'r' ? O_RDONLY : O_WRONLY;
    flags |= strchr(mode, 'x') ? O_EXCL : 0;
    flags |= strchr(mode, 'e') ? O_CLOEXEC : 0;
    switch (*mode) {
    case 'r':
        return flags;
    case 'w':
        return flags | O_CREAT | O_TRUNC;
    case 'a':
        return flags | O_CREAT | O_APPEND;
    default:
        return bj_fail(EINVAL);
    }
}

static FILE *open_stream(const bj_place *place, const char *mode) {
    int flags = flags_of(mode);
    int fd =
        flags < 0 ? -1 : bj_disk_open_place(place, flags, S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH);
    FILE *stream = fd < 0 ? NULL : fdopen(fd, mode);
    if (fd >= 0 && !stream) {
        close(fd);
    }
    return stream;
}

BJ_EXPORT FILE *fopen(const char *restrict path, const char *restrict mode) {
    bj_place place;
    if (bj_on_disk(AT_FDCWD, path, &place)) {
        return open_stream(&place, mode);
    }
    return bj_inside() && bj_is_random_device(path) ? bj_open_random_stream() : REAL(fopen)(path, mode);
}

BJ_EXPORT FILE *fopen64(const char *restrict path, const char *restrict mode) __attribute__((alias("fopen")));

/* A stream cannot become a cookie once it is none. */
BJ_EXPORT FILE *freopen(const char *restrict path, const char *restrict mode, FILE *restrict stream) {
    bj_place place;
    if (!bj_on_disk(AT_FDCWD, path, &place)) {
        return REAL(freopen)(path, mode, stream);
    }
    fclose(stream);
    errno = EOPNOTSUPP;
    return NULL;
}

BJ_EXPORT FILE *freopen64(const char *restrict path, const char *restrict mode, FILE *restrict stream)
    __attribute__((alias("freopen")));
