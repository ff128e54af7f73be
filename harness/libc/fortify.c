/* SPDX-License-Identifier: Apache-2.0
 *
 * What a client calls that was compiled with _FORTIFY_SOURCE: the same functions with the size of the buffer, which is
 * checked as glibc checks it.
 */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE
#include "libc/internal.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

void __chk_fail(void) __attribute__((noreturn));
ssize_t __read_chk(int fd, void *data, size_t room, size_t size);
ssize_t __recv_chk(int fd, void *data, size_t room, size_t size, int flags);
ssize_t __recvfrom_chk(int fd, void *data, size_t room, size_t size, int flags, __SOCKADDR_ARG from,
                       socklen_t *from_length);
int __poll_chk(struct pollfd *fds, nfds_t count, int timeout_ms, size_t size);
int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask, size_t size);
char *__fgets_chk(char *line, size_t size, int room, FILE *stream);
size_t __fread_chk(void *data, size_t room, size_t size, size_t count, FILE *stream);
ssize_t __pread_chk(int fd, void *data, size_t room, off_t offset, size_t size);
ssize_t __pread64_chk(int fd, void *data, size_t room, off64_t offset, size_t size);
ssize_t __readlink_chk(const char *path, char *room, size_t length, size_t size);
ssize_t __readlinkat_chk(int directory, const char *path, char *room, size_t length, size_t size);
char *__getcwd_chk(char *room, size_t length, size_t size);
char *__realpath_chk(const char *path, char *room, size_t size);
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int directory, const char *path, int flags);
int __openat64_2(int directory, const char *path, int flags);

static void check(bool fits) {
    if (!fits) {
        __chk_fail();
    }
}

BJ_EXPORT ssize_t __read_chk(int fd, void *data, size_t room, size_t size) {
    check(room <= size);
    return read(fd, data, room);
}

BJ_EXPORT ssize_t __pread_chk(int fd, void *data, size_t room, off_t offset, size_t size) {
    check(room <= size);
    return pread(fd, data, room, offset);
}

BJ_EXPORT ssize_t __pread64_chk(int fd, void *data, size_t room, off64_t offset, size_t size)
    __attribute__((alias("__pread_chk")));

BJ_EXPORT ssize_t __readlink_chk(const char *path, char *room, size_t length, size_t size) {
    check(length <= size);
    return readlink(path, room, length);
}

BJ_EXPORT ssize_t __readlinkat_chk(int directory, const char *path, char *room, size_t length, size_t size) {
    check(length <= size);
    return readlinkat(directory, path, room, length);
}

BJ_EXPORT char *__getcwd_chk(char *room, size_t length, size_t size) {
    check(length <= size);
    return getcwd(room, length);
}

BJ_EXPORT char *__realpath_chk(const char *path, char *room, size_t size) {
    check(size >= PATH_MAX);
    return realpath(path, room);
}

BJ_EXPORT ssize_t __recv_chk(int fd, void *data, size_t room, size_t size, int flags) {
    check(room <= size);
    return recv(fd, data, room, flags);
}

BJ_EXPORT ssize_t __recvfrom_chk(int fd, void *data, size_t room, size_t size, int flags, __SOCKADDR_ARG from,
                                 socklen_t *from_length) {
    check(room <= size);
    return recvfrom(fd, data, room, flags, from, from_length);
}

BJ_EXPORT int __poll_chk(struct pollfd *fds, nfds_t count, int timeout_ms, size_t size) {
    check(count <= size / sizeof *fds);
    return poll(fds, count, timeout_ms);
}

BJ_EXPORT int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask,
                          size_t size) {
    check(count <= size / sizeof *fds);
    return ppoll(fds, count, timeout, mask);
}

BJ_EXPORT char *__fgets_chk(char *line, size_t size, int room, FILE *stream) {
    check(room < 0 || (size_t) room <= size);
    return fgets(line, room, stream);
}

BJ_EXPORT size_t __fread_chk(void *data, size_t room, size_t size, size_t count, FILE *stream) {
    check(size == 0 || count <= room / size);
    return fread(data, size, count, stream);
}

/* open() with flags that need a mode, and without one, is what these catch. */
static void check_mode(int flags) {
    check(!(flags & O_CREAT) && (flags & O_TMPFILE) != O_TMPFILE);
}

BJ_EXPORT int __open_2(const char *path, int flags) {
    check_mode(flags);
    return open(path, flags);
}

BJ_EXPORT int __open64_2(const char *path, int flags) {
    return __open_2(path, flags);
}

BJ_EXPORT int __openat_2(int directory, const char *path, int flags) {
    check_mode(flags);
    return openat(directory, path, flags);
}

BJ_EXPORT int __openat64_2(int directory, const char *path, int flags) {
    return __openat_2(directory, path, flags);
}
