/* SPDX-License-Identifier: Apache-2.0
 *
 * What programs ask of files on the world's disk: stat() in all its forms, also those of programs built against an
 * older glibc, access(), modes, owners, times, free space.
 */
#define _GNU_SOURCE
#include "libc/disk.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

enum { DEVICE_MAJOR = 0, DEVICE_MINOR = 75 };

/* glibc before 2.33 had stat() call these. */
int __xstat(int version, const char *path, struct stat *status);
int __lxstat(int version, const char *path, struct stat *status);
int __fxstat(int version, int fd, struct stat *status);
int __fxstatat(int version, int directory, const char *path, struct stat *status, int flags);
int __xstat64(int version, const char *path, struct stat64 *status);
int __lxstat64(int version, const char *path, struct stat64 *status);
int __fxstat64(int version, int fd, struct stat64 *status);
int __fxstatat64(int version, int directory, const char *path, struct stat64 *status, int flags);

static struct timespec to_timespec(int64_t us) {
    return (struct timespec){ .tv_sec = us / 1000000, .tv_nsec = (long) (us % 1000000) * 1000 };
}

static uint64_t blocks(const bj_disk_status *about) {
    return about->directory ? 8 : (about->size + BJ_DISK_BLOCK - 1) / BJ_DISK_BLOCK * (BJ_DISK_BLOCK / 512);
}

static void fill(const bj_disk_node *node, struct stat *status) {
    bj_disk_status about;
    bj_disk_stat(node, &about);
    memset(status, 0, sizeof *status);
    status->st_dev = makedev(DEVICE_MAJOR, DEVICE_MINOR);
    status->st_ino = about.number;
    status->st_mode = about.mode | (about.directory ? S_IFDIR : S_IFREG);
    status->st_nlink = about.links;
    status->st_uid = geteuid();
    status->st_gid = getegid();
    status->st_size = (off_t) about.size;
    status->st_blksize = BJ_DISK_BLOCK;
    status->st_blocks = (blkcnt_t) blocks(&about);
    status->st_atim = status->st_mtim = to_timespec(about.modified);
    status->st_ctim = to_timespec(about.changed);
}

/* The node that a path, or with AT_EMPTY_PATH a descriptor, means. false: it is not the world's. */
static bool node_at(int directory, const char *path, int flags, bj_disk_node **node, int *error) {
    bj_place place;
    bool empty = (flags & AT_EMPTY_PATH) && path && !*path;
    const bj_file *file = empty ? bj_disk_file(directory) : NULL;
    *error = 0;
    if (file) {
        *node = file->disk.node;
        return true;
    }
    if (empty || !bj_on_disk(directory, path, &place)) {
        return false;
    }
    *node = bj_disk_find(bj_the_disk(), place.path, error);
    return true;
}

static int answer(const bj_disk_node *node, int error, struct stat *status) {
    if (node) {
        fill(node, status);
    }
    return (int) bj_disk_done(-error);
}

/* --- stat() --- */

BJ_EXPORT int fstatat(int directory, const char *restrict path, struct stat *restrict status, int flags) {
    bj_disk_node *node;
    int error;
    return node_at(directory, path, flags, &node, &error) ? answer(node, error, status)
                                                          : REAL(fstatat)(directory, path, status, flags);
}

BJ_EXPORT int stat(const char *restrict path, struct stat *restrict status) {
    bj_disk_node *node;
    int error;
    return node_at(AT_FDCWD, path, 0, &node, &error) ? answer(node, error, status) : REAL(stat)(path, status);
}

BJ_EXPORT int lstat(const char *restrict path, struct stat *restrict status) {
    bj_disk_node *node;
    int error;
    return node_at(AT_FDCWD, path, 0, &node, &error) ? answer(node, error, status) : REAL(lstat)(path, status);
}

BJ_EXPORT int fstat(int fd, struct stat *status) {
    const bj_file *file = bj_disk_file(fd);
    return file ? answer(file->disk.node, 0, status) : REAL(fstat)(fd, status);
}

BJ_EXPORT int fstatat64(int directory, const char *restrict path, struct stat64 *restrict status, int flags)
    __attribute__((alias("fstatat")));
BJ_EXPORT int stat64(const char *restrict path, struct stat64 *restrict status) __attribute__((alias("stat")));
BJ_EXPORT int lstat64(const char *restrict path, struct stat64 *restrict status) __attribute__((alias("lstat")));
BJ_EXPORT int fstat64(int fd, struct stat64 *status) __attribute__((alias("fstat")));

BJ_EXPORT int __xstat(int version, const char *path, struct stat *status) {
    (void) version;
    return stat(path, status);
}

BJ_EXPORT int __lxstat(int version, const char *path, struct stat *status) {
    (void) version;
    return lstat(path, status);
}

BJ_EXPORT int __fxstat(int version, int fd, struct stat *status) {
    (void) version;
    return fstat(fd, status);
}

BJ_EXPORT int __fxstatat(int version, int directory, const char *path, struct stat *status, int flags) {
    (void) version;
    return fstatat(directory, path, status, flags);
}

BJ_EXPORT int __xstat64(int version, const char *path, struct stat64 *status) __attribute__((alias("__xstat")));
BJ_EXPORT int __lxstat64(int version, const char *path, struct stat64 *status) __attribute__((alias("__lxstat")));
BJ_EXPORT int __fxstat64(int version, int fd, struct stat64 *status) __attribute__((alias("__fxstat")));
BJ_EXPORT int __fxstatat64(int version, int directory, const char *path, struct stat64 *status, int flags)
    __attribute__((alias("__fxstatat")));

static struct statx_timestamp to_statx(struct timespec t) {
    return (struct statx_timestamp){ .tv_sec = t.tv_sec, .tv_nsec = (uint32_t) t.tv_nsec };
}

BJ_EXPORT int statx(int directory, const char *restrict path, int flags, unsigned mask, struct statx *restrict out) {
    bj_disk_node *node;
    int error;
    if (!node_at(directory, path, flags, &node, &error)) {
        return REAL(statx)(directory, path, flags, mask, out);
    }
    struct stat status;
    if (answer(node, error, &status) != 0) {
        return -1;
    }
    *out = (struct statx){ .stx_mask = STATX_BASIC_STATS,
                           .stx_blksize = BJ_DISK_BLOCK,
                           .stx_nlink = (uint32_t) status.st_nlink,
                           .stx_uid = status.st_uid,
                           .stx_gid = status.st_gid,
                           .stx_mode = (uint16_t) status.st_mode,
                           .stx_ino = status.st_ino,
                           .stx_size = (uint64_t) status.st_size,
                           .stx_blocks = (uint64_t) status.st_blocks,
                           .stx_atime = to_statx(status.st_atim),
                           .stx_mtime = to_statx(status.st_mtim),
                           .stx_ctime = to_statx(status.st_ctim),
                           .stx_dev_major = DEVICE_MAJOR,
                           .stx_dev_minor = DEVICE_MINOR };
    return 0;
}

/* --- access() --- */

BJ_EXPORT int faccessat(int directory, const char *path, int how, int flags) {
    bj_place place;
    return bj_on_disk(directory, path, &place) ? (int) bj_disk_done(bj_disk_access(bj_the_disk(), place.path, how))
                                               : REAL(faccessat)(directory, path, how, flags);
}

BJ_EXPORT int access(const char *path, int how) {
    bj_place place;
    return bj_on_disk(AT_FDCWD, path, &place) ? faccessat(AT_FDCWD, path, how, 0) : REAL(access)(path, how);
}

BJ_EXPORT int eaccess(const char *path, int how) {
    bj_place place;
    return bj_on_disk(AT_FDCWD, path, &place) ? faccessat(AT_FDCWD, path, how, 0) : REAL(eaccess)(path, how);
}

BJ_EXPORT int euidaccess(const char *path, int how) __attribute__((alias("eaccess")));

/* --- modes --- */

static int set_mode(bj_disk_node *node, int error, mode_t mode) {
    return (int) bj_disk_done(node ? bj_disk_chmod(bj_the_disk(), node, mode, bj_disk_now()) : -error);
}

BJ_EXPORT int fchmodat(int directory, const char *path, mode_t mode, int flags) {
    bj_disk_node *node;
    int error;
    return node_at(directory, path, 0, &node, &error) ? set_mode(node, error, mode)
                                                      : REAL(fchmodat)(directory, path, mode, flags);
}

BJ_EXPORT int chmod(const char *path, mode_t mode) {
    bj_disk_node *node;
    int error;
    return node_at(AT_FDCWD, path, 0, &node, &error) ? set_mode(node, error, mode) : REAL(chmod)(path, mode);
}

BJ_EXPORT int fchmod(int fd, mode_t mode) {
    const bj_file *file = bj_disk_file(fd);
    return file ? set_mode(file->disk.node, 0, mode) : REAL(fchmod)(fd, mode);
}

/* --- owners: everything belongs to the client --- */

BJ_EXPORT int fchownat(int directory, const char *path, uid_t owner, gid_t group, int flags) {
    bj_disk_node *node;
    int error;
    return node_at(directory, path, flags, &node, &error) ? (int) bj_disk_done(-error)
                                                          : REAL(fchownat)(directory, path, owner, group, flags);
}

BJ_EXPORT int chown(const char *path, uid_t owner, gid_t group) {
    bj_disk_node *node;
    int error;
    return node_at(AT_FDCWD, path, 0, &node, &error) ? (int) bj_disk_done(-error) : REAL(chown)(path, owner, group);
}

BJ_EXPORT int lchown(const char *path, uid_t owner, gid_t group) {
    bj_disk_node *node;
    int error;
    return node_at(AT_FDCWD, path, 0, &node, &error) ? (int) bj_disk_done(-error) : REAL(lchown)(path, owner, group);
}

BJ_EXPORT int fchown(int fd, uid_t owner, gid_t group) {
    return bj_disk_file(fd) ? 0 : REAL(fchown)(fd, owner, group);
}

/* --- times --- */

/* `t`: that of the last change of its content; NULL: now. */
static int set_time(bj_disk_node *node, int error, const struct timespec *t) {
    if (node && !(t && t->tv_nsec == UTIME_OMIT)) {
        bool now = !t || t->tv_nsec == UTIME_NOW;
        bj_disk_touch(node, now ? bj_disk_now() : (int64_t) t->tv_sec * 1000000 + t->tv_nsec / 1000);
    }
    return (int) bj_disk_done(-error);
}

BJ_EXPORT int utimensat(int directory, const char *path, const struct timespec times[2], int flags) {
    bj_disk_node *node;
    int error;
    return node_at(directory, path, flags, &node, &error) ? set_time(node, error, times ? &times[1] : NULL)
                                                          : REAL(utimensat)(directory, path, times, flags);
}

BJ_EXPORT int futimens(int fd, const struct timespec times[2]) {
    const bj_file *file = bj_disk_file(fd);
    return file ? set_time(file->disk.node, 0, times ? &times[1] : NULL) : REAL(futimens)(fd, times);
}

BJ_EXPORT int utimes(const char *path, const struct timeval times[2]) {
    bj_disk_node *node;
    int error;
    if (!node_at(AT_FDCWD, path, 0, &node, &error)) {
        return REAL(utimes)(path, times);
    }
    struct timespec t = { 0 };
    if (times) {
        t = (struct timespec){ .tv_sec = times[1].tv_sec, .tv_nsec = times[1].tv_usec * 1000 };
    }
    return set_time(node, error, times ? &t : NULL);
}

BJ_EXPORT int utime(const char *path, const struct utimbuf *times) {
    bj_disk_node *node;
    int error;
    if (!node_at(AT_FDCWD, path, 0, &node, &error)) {
        return REAL(utime)(path, times);
    }
    struct timespec t = { .tv_sec = times ? times->modtime : 0 };
    return set_time(node, error, times ? &t : NULL);
}

/* --- space --- */

static int fill_space(struct statfs *out) {
    const bj_disk *disk = bj_the_disk();
    *out = (struct statfs){ .f_type = TMPFS_MAGIC,
                            .f_bsize = BJ_DISK_BLOCK,
                            .f_frsize = BJ_DISK_BLOCK,
                            .f_blocks = bj_disk_space(disk) / BJ_DISK_BLOCK,
                            .f_bfree = bj_disk_free_space(disk) / BJ_DISK_BLOCK,
                            .f_bavail = bj_disk_free_space(disk) / BJ_DISK_BLOCK,
                            .f_files = 1 << 16,
                            .f_ffree = 1 << 16,
                            .f_namelen = BJ_DISK_NAME };
    return 0;
}

BJ_EXPORT int statfs(const char *path, struct statfs *out) {
    bj_disk_node *node;
    int error;
    if (!node_at(AT_FDCWD, path, 0, &node, &error)) {
        return REAL(statfs)(path, out);
    }
    return node ? fill_space(out) : bj_fail(error);
}

BJ_EXPORT int fstatfs(int fd, struct statfs *out) {
    return bj_disk_file(fd) ? fill_space(out) : REAL(fstatfs)(fd, out);
}

BJ_EXPORT int statfs64(const char *path, struct statfs64 *out) __attribute__((alias("statfs")));
BJ_EXPORT int fstatfs64(int fd, struct statfs64 *out) __attribute__((alias("fstatfs")));

static int to_statvfs(const struct statfs *from, struct statvfs *out) {
    *out = (struct statvfs){ .f_bsize = (unsigned long) from->f_bsize,
                             .f_frsize = (unsigned long) from->f_frsize,
                             .f_blocks = from->f_blocks,
                             .f_bfree = from->f_bfree,
                             .f_bavail = from->f_bavail,
                             .f_files = from->f_files,
                             .f_ffree = from->f_ffree,
                             .f_favail = from->f_ffree,
                             .f_namemax = BJ_DISK_NAME };
    return 0;
}

BJ_EXPORT int statvfs(const char *restrict path, struct statvfs *restrict out) {
    struct statfs about;
    bj_place place;
    if (!bj_on_disk(AT_FDCWD, path, &place)) {
        return REAL(statvfs)(path, out);
    }
    return statfs(path, &about) == 0 ? to_statvfs(&about, out) : -1;
}

BJ_EXPORT int fstatvfs(int fd, struct statvfs *out) {
    struct statfs about;
    if (!bj_disk_file(fd)) {
        return REAL(fstatvfs)(fd, out);
    }
    fill_space(&about);
    return to_statvfs(&about, out);
}

BJ_EXPORT int statvfs64(const char *restrict path, struct statvfs64 *restrict out) __attribute__((alias("statvfs")));
BJ_EXPORT int fstatvfs64(int fd, struct statvfs64 *out) __attribute__((alias("fstatvfs")));
