/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of the world's disk: opening them, and what is done with their descriptors. The placeholder behind such a
 * descriptor is /dev/null: always ready, no terminal, nothing to map.
 */
#define _GNU_SOURCE
#include "libc/disk.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

/* --- opening --- */

int bj_disk_open_place(const bj_place *place, int flags, mode_t mode) {
    if (flags & O_PATH) {
        flags &= O_PATH | O_DIRECTORY | O_CLOEXEC;
    }
    if ((flags & O_TMPFILE) == O_TMPFILE) {
        return bj_fail(EOPNOTSUPP);
    }
    bj_disk_node *node;
    int fd = BJ_PLACEHOLDER(REAL(open)("/dev/null", O_RDWR | (flags & O_CLOEXEC)));
    if (fd < 0) {
        return -1;
    }
    int result = bj_disk_open(bj_the_disk(), place->path, flags, bj_masked(mode), bj_disk_now(), &node);
    if (result < 0) {
        if (!bj_the_run.ghosts) {
            REAL(close)(fd);
        }
        return (int) bj_disk_done(result);
    }
    bj_file *file = bj_file_new(fd, BJ_FILE_DISK, (flags & O_NONBLOCK) != 0);
    if (!file) {
        bj_disk_close(bj_the_disk(), node);
        return -1;
    }
    file->disk.node = node;
    file->disk.flags = flags & ~(O_CLOEXEC | O_CREAT | O_EXCL | O_TRUNC | O_NOCTTY);
    file->disk.cuts = bj_disk_cuts(bj_the_disk());
    return (int) bj_disk_done(fd);
}

void bj_disk_file_close(bj_file *file) {
    if (file->disk.cuts == bj_disk_cuts(bj_the_disk())) {
        bj_disk_close(bj_the_disk(), file->disk.node);
    }
}

static bool needs_mode(int flags) {
    return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
}

BJ_EXPORT int openat(int directory, const char *path, int flags, ...) {
    bj_place place;
    mode_t mode = 0;
    if (needs_mode(flags)) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    if (bj_on_disk(directory, path, &place)) {
        return bj_disk_open_place(&place, flags, mode);
    }
    return bj_inside() && bj_is_random_device(path) ? bj_open_random_device(flags)
                                                    : REAL(openat)(directory, path, flags, mode);
}

BJ_EXPORT int open(const char *path, int flags, ...) {
    mode_t mode = 0;
    if (needs_mode(flags)) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    return bj_inside() ? openat(AT_FDCWD, path, flags, mode) : REAL(open)(path, flags, mode);
}

BJ_EXPORT int open64(const char *path, int flags, ...) __attribute__((alias("open")));
BJ_EXPORT int openat64(int directory, const char *path, int flags, ...) __attribute__((alias("openat")));

BJ_EXPORT int creat(const char *path, mode_t mode) {
    return open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

BJ_EXPORT int creat64(const char *path, mode_t mode) __attribute__((alias("creat")));

/* --- reading and writing --- */

static bool reads(const bj_file *file) {
    return (file->disk.flags & O_ACCMODE) != O_WRONLY && !(file->disk.flags & O_PATH);
}

static bool writes(const bj_file *file) {
    return (file->disk.flags & O_ACCMODE) != O_RDONLY && !(file->disk.flags & O_PATH);
}

static uint64_t end_of(const bj_file *file) {
    bj_disk_status status;
    bj_disk_stat(file->disk.node, &status);
    return status.size;
}

static int64_t read_at(const bj_file *file, uint64_t offset, void *data, size_t room) {
    return reads(file) ? bj_disk_read(bj_the_disk(), file->disk.node, offset, data, room) : -EBADF;
}

static int64_t write_at(const bj_file *file, uint64_t offset, const void *data, size_t length) {
    if (!writes(file)) {
        return -EBADF;
    }
    int64_t result = bj_disk_write(bj_the_disk(), file->disk.node, offset, data, length, bj_disk_now());
    if (result > 0 && (file->disk.flags & (O_SYNC | O_DSYNC))) {
        int synced = bj_disk_sync(bj_the_disk(), file->disk.node);
        result = synced ? synced : result;
    }
    return result;
}

int64_t bj_disk_read_pieces(bj_file *file, const struct iovec *pieces, size_t count) {
    int64_t total = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t part = read_at(file, file->disk.position, pieces[i].iov_base, pieces[i].iov_len);
        if (part < 0) {
            total = total ? total : part;
            break;
        }
        file->disk.position += (uint64_t) part;
        total += part;
    }
    bj_disk_called();
    return total;
}

int64_t bj_disk_write_pieces(bj_file *file, const struct iovec *pieces, size_t count) {
    int64_t total = 0;
    for (size_t i = 0; i < count; i++) {
        if (file->disk.flags & O_APPEND) {
            file->disk.position = end_of(file);
        }
        int64_t part = write_at(file, file->disk.position, pieces[i].iov_base, pieces[i].iov_len);
        if (part < 0) {
            total = total ? total : part;
            break;
        }
        file->disk.position += (uint64_t) part;
        total += part;
    }
    bj_disk_called();
    return total;
}

BJ_EXPORT ssize_t pread(int fd, void *data, size_t room, off_t offset) {
    const bj_file *file = bj_disk_file(fd);
    if (!file) {
        return REAL(pread)(fd, data, room, offset);
    }
    return bj_disk_done(offset < 0 ? -EINVAL : read_at(file, (uint64_t) offset, data, room));
}

BJ_EXPORT ssize_t pread64(int fd, void *data, size_t room, off64_t offset) __attribute__((alias("pread")));

BJ_EXPORT ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
    const bj_file *file = bj_disk_file(fd);
    if (!file) {
        return REAL(pwrite)(fd, data, length, offset);
    }
    uint64_t place = file->disk.flags & O_APPEND ? end_of(file) : (uint64_t) offset; /* pwrite(2), BUGS */
    return bj_disk_done(offset < 0 ? -EINVAL : write_at(file, place, data, length));
}

BJ_EXPORT ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) __attribute__((alias("pwrite")));

BJ_EXPORT off_t lseek(int fd, off_t offset, int whence) {
    bj_file *file = bj_disk_file(fd);
    if (!file) {
        return REAL(lseek)(fd, offset, whence);
    }
    int64_t size = (int64_t) end_of(file), from = 0;
    switch (whence) {
    case SEEK_SET:
        break;
    case SEEK_CUR:
        from = (int64_t) file->disk.position;
        break;
    case SEEK_END:
        from = size;
        break;
    case SEEK_DATA: /* one piece of data, and a hole behind it */
    case SEEK_HOLE:
        if (offset < 0 || offset >= size) {
            return bj_fail(ENXIO);
        }
        offset = whence == SEEK_HOLE ? size : offset;
        break;
    default:
        return bj_fail(EINVAL);
    }
    if (offset > 0 ? from > INT64_MAX - offset : from + offset < 0) {
        return bj_fail(EINVAL);
    }
    file->disk.position = (uint64_t) (from + offset);
    file->disk.entry = 0;
    return (off_t) file->disk.position;
}

BJ_EXPORT off64_t lseek64(int fd, off64_t offset, int whence) __attribute__((alias("lseek")));

/* --- copying inside the kernel: the caller copies by itself then --- */

BJ_EXPORT ssize_t sendfile(int to, int from, off_t *offset, size_t count) {
    return bj_disk_file(to) || bj_disk_file(from) ? bj_fail(EINVAL) : REAL(sendfile)(to, from, offset, count);
}

BJ_EXPORT ssize_t sendfile64(int to, int from, off64_t *offset, size_t count) __attribute__((alias("sendfile")));

BJ_EXPORT ssize_t copy_file_range(int from, off64_t *from_offset, int to, off64_t *to_offset, size_t length,
                                  unsigned flags) {
    bool ours = bj_disk_file(to) || bj_disk_file(from);
    return ours ? bj_fail(EXDEV) : REAL(copy_file_range)(from, from_offset, to, to_offset, length, flags);
}

/* --- length --- */

static int set_length(const bj_file *file, off_t size) {
    int result = size < 0 || !writes(file)
                     ? -EINVAL
                     : bj_disk_truncate(bj_the_disk(), file->disk.node, (uint64_t) size, bj_disk_now());
    return (int) bj_disk_done(result);
}

BJ_EXPORT int ftruncate(int fd, off_t size) {
    const bj_file *file = bj_disk_file(fd);
    return file ? set_length(file, size) : REAL(ftruncate)(fd, size);
}

BJ_EXPORT int ftruncate64(int fd, off64_t size) __attribute__((alias("ftruncate")));

BJ_EXPORT int truncate(const char *path, off_t size) {
    bj_place place;
    if (!bj_on_disk(AT_FDCWD, path, &place)) {
        return REAL(truncate)(path, size);
    }
    bj_disk_node *node;
    int result = size < 0 ? -EINVAL : bj_disk_open(bj_the_disk(), place.path, O_WRONLY, 0, bj_disk_now(), &node);
    if (result == 0) {
        result = bj_disk_truncate(bj_the_disk(), node, (uint64_t) size, bj_disk_now());
        bj_disk_close(bj_the_disk(), node);
    }
    return (int) bj_disk_done(result);
}

BJ_EXPORT int truncate64(const char *path, off64_t size) __attribute__((alias("truncate")));

/* Room is not taken before it is written: the length alone grows. A positive error number. */
static int allocate(const bj_file *file, off_t offset, off_t length) {
    if (offset < 0 || length <= 0) {
        return EINVAL;
    }
    uint64_t end = (uint64_t) offset + (uint64_t) length;
    int result = !writes(file)        ? -EBADF
                 : end > end_of(file) ? bj_disk_truncate(bj_the_disk(), file->disk.node, end, bj_disk_now())
                                      : 0;
    return bj_disk_done(result) < 0 ? errno : 0;
}

BJ_EXPORT int posix_fallocate(int fd, off_t offset, off_t length) {
    const bj_file *file = bj_disk_file(fd);
    return file ? allocate(file, offset, length) : REAL(posix_fallocate)(fd, offset, length);
}

BJ_EXPORT int posix_fallocate64(int fd, off64_t offset, off64_t length) __attribute__((alias("posix_fallocate")));

BJ_EXPORT int fallocate(int fd, int mode, off_t offset, off_t length) {
    const bj_file *file = bj_disk_file(fd);
    if (!file) {
        return REAL(fallocate)(fd, mode, offset, length);
    }
    int error = mode ? EOPNOTSUPP : allocate(file, offset, length);
    return error ? bj_fail(error) : 0;
}

BJ_EXPORT int fallocate64(int fd, int mode, off64_t offset, off64_t length) __attribute__((alias("fallocate")));

BJ_EXPORT int posix_fadvise(int fd, off_t offset, off_t length, int advice) {
    return bj_disk_file(fd) ? 0 : REAL(posix_fadvise)(fd, offset, length, advice);
}

BJ_EXPORT int posix_fadvise64(int fd, off64_t offset, off64_t length, int advice)
    __attribute__((alias("posix_fadvise")));

/* --- syncing --- */

static int sync_file(const bj_file *file) {
    return (int) bj_disk_done(bj_disk_sync(bj_the_disk(), file->disk.node));
}

BJ_EXPORT int fsync(int fd) {
    const bj_file *file = bj_disk_file(fd);
    return file ? sync_file(file) : REAL(fsync)(fd);
}

/* The length is what a later read needs, so this is the same. */
BJ_EXPORT int fdatasync(int fd) {
    const bj_file *file = bj_disk_file(fd);
    return file ? sync_file(file) : REAL(fdatasync)(fd);
}

BJ_EXPORT int syncfs(int fd) {
    return bj_disk_file(fd) ? (int) bj_disk_done(bj_disk_sync_all(bj_the_disk())) : REAL(syncfs)(fd);
}

/* The client's world has no other disk. */
BJ_EXPORT void sync(void) {
    if (bj_inside()) {
        bj_disk_done(bj_disk_sync_all(bj_the_disk()));
    } else {
        REAL(sync)();
    }
}

/* --- locks: among the descriptors of one process, there is no other --- */

typedef struct bj_lock_search {
    const bj_file *self;
    int wanted;
    bool taken;
} bj_lock_search;

static void conflicts(bj_file *file, void *context) {
    bj_lock_search *search = context;
    bool same = file != search->self && file->kind == BJ_FILE_DISK && file->disk.node == search->self->disk.node;
    search->taken |= same && (file->disk.lock == LOCK_EX || (file->disk.lock && search->wanted == LOCK_EX));
}

static bool lock_is_free(void *context) {
    bj_lock_search *search = context;
    search->taken = false;
    bj_files_each(conflicts, search);
    return !search->taken;
}

static int lock_file(bj_file *file, int operation) {
    bj_lock_search search = { .self = file, .wanted = operation & ~LOCK_NB };
    if (search.wanted == LOCK_UN) {
        file->disk.lock = 0;
        return 0;
    }
    if (search.wanted != LOCK_SH && search.wanted != LOCK_EX) {
        return -EINVAL;
    }
    if (!lock_is_free(&search)) {
        bj_waiter waiter = { .ready = lock_is_free, .context = &search, .deadline = BJ_NEVER };
        int error = operation & LOCK_NB ? -EWOULDBLOCK : bj_wait_error(bj_wait(&waiter), false, EINTR);
        if (error) {
            return error;
        }
    }
    file->disk.lock = search.wanted;
    return 0;
}

BJ_EXPORT int flock(int fd, int operation) {
    bj_file *file = bj_disk_file(fd);
    return file ? (int) bj_result(lock_file(file, operation)) : REAL(flock)(fd, operation);
}

/* The locks of POSIX belong to the process, which never stands in its own way. */
BJ_EXPORT int lockf(int fd, int operation, off_t length) {
    return bj_disk_file(fd) ? 0 : REAL(lockf)(fd, operation, length);
}

BJ_EXPORT int lockf64(int fd, int operation, off64_t length) __attribute__((alias("lockf")));

bool bj_disk_fcntl(bj_file *file, int command, void *argument, int *result) {
    *result = 0;
    switch (command) {
    case F_GETFL:
        *result = file->disk.flags;
        return true;
    case F_SETFL:
        file->disk.flags =
            (file->disk.flags & ~(O_APPEND | O_NONBLOCK)) | ((int) (intptr_t) argument & (O_APPEND | O_NONBLOCK));
        return true;
    case F_GETLK:
    case F_OFD_GETLK:
        ((struct flock *) argument)->l_type = F_UNLCK;
        return true;
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return true;
    default:
        return false;
    }
}
