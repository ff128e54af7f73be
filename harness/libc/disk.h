/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the interposed libc share that answer for the world's disk: whose path is this, and what every
 * call does before and after.
 *
 *   disk.c              paths, the working directory; what a call costs
 *   disk_files.c        open() and what is done with descriptors
 *   disk_status.c       stat() and its relatives, access(), modes and times
 *   disk_names.c        rename(), unlink(), mkdir() and their relatives
 *   disk_directories.c  opendir() and its relatives
 *   disk_streams.c      fopen() and fdopen()
 */
#ifndef BJ_LIBC_DISK_H
#define BJ_LIBC_DISK_H

#include "libc/internal.h"

/* A path on the disk, as bj_disk_*() take it. */
typedef struct bj_place {
    char path[BJ_DISK_PATH + 1];
} bj_place;

/* Does a path, from the directory that this descriptor is open on (or AT_FDCWD), lead to the world's disk? A path that
 * is too long for it is cut so that the disk refuses it. */
bool bj_on_disk(int directory, const char *path, bj_place *place);
bj_file *bj_disk_file(int fd); /* a virtual descriptor of the disk; NULL */
bj_disk *bj_the_disk(void);

/* Unix time in microseconds, for what changes. */
int64_t bj_disk_now(void);
/* The mode that is left by the process's umask. */
mode_t bj_masked(mode_t mode);

/* Behind every call to the disk: what it did is logged, the power may go here. */
void bj_disk_called(void);
/* The same, with libc's result: -1 and errno for a negative one. */
int64_t bj_disk_done(int64_t result);

/* open() on the disk: a descriptor, or -1 and errno. */
int bj_disk_open_place(const bj_place *place, int flags, mode_t mode);
void bj_disk_file_close(bj_file *file);
/* A negative errno when it fails. */
int64_t bj_disk_read_pieces(bj_file *file, const struct iovec *pieces, size_t count);
int64_t bj_disk_write_pieces(bj_file *file, const struct iovec *pieces, size_t count);
/* fcntl() on a descriptor of the disk; false: the placeholder's answer is the answer. */
bool bj_disk_fcntl(bj_file *file, int command, void *argument, int *result);

#endif
