/* SPDX-License-Identifier: Apache-2.0
 *
 * A simulated disk: the files below one directory, what programs see of them, and what would be left of them if the
 * power went now.
 *
 * The model is that of a journalling file system which promises as little as POSIX lets it:
 *
 *  - What was written to a file, and its new length, is on the disk after fsync() of that file. Before, any of it may
 *    be lost: all kept, none kept, the new length with zeros in place of what was written, or torn: earlier writes
 *    kept and one of them only up to a byte (its first, its middle, its last but one) or to a boundary of a sector.
 *    Of several writes one alone may be missing.
 *  - Names change in order: what was created, renamed, unlinked, linked, and the modes of files. They are on the disk
 *    after fsync() of a directory that they concern, together with all changes before them, as a journal commits them.
 *    Of those that were not synced the first so many are kept, the rest is undone from the last backwards. A file's
 *    fsync() does not keep its name.
 *  - Names and data know nothing of each other: a rename may be kept whose file's data is not. (That is how a program
 *    that renames without fsync() ends up with an empty file.)
 *  - sync() does all of it.
 *
 * Every state that this allows has a number, so that all of them can be tried: bj_disk_outcomes(), bj_disk_cut().
 * After a cut the disk holds what was kept, all of it synced.
 *
 * Each change of files and names, and each sync, is an operation; they are counted from 1. A cut falls behind one.
 *
 * Everything lies in one arena, without pointers to functions. Results are >= 0 or a negative errno. Paths are below
 * the disk's root: "state", "a/b", "" for the root itself.
 */
#ifndef BJ_WORLD_DISK_H
#define BJ_WORLD_DISK_H

#include <sys/types.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/text.h"

typedef struct bj_disk bj_disk;
typedef struct bj_disk_node bj_disk_node; /* a file or a directory; what a descriptor is open on */

enum {
    BJ_DISK_SECTOR = 512,
    BJ_DISK_NAME = 255,   /* bytes of one name */
    BJ_DISK_PATH = 4095,  /* bytes of a path */
    BJ_DISK_BLOCK = 4096, /* what stat() says */
    BJ_DISK_OUTCOMES = 1 << 20,
};
/* What a disk has room for if nothing else is said. */
#define BJ_DISK_SPACE ((uint64_t) 16 << 20)

bj_disk *bj_disk_new(bj_arena *arena);

/* --- names ---------------------------------------------------------------------------------------------------- */

/* open(): O_CREAT, O_EXCL, O_TRUNC, O_DIRECTORY and the access mode count. The node stays until bj_disk_close(), also
 * when it has lost its name. `mode` is what the umask left. `now` (us since 1970) becomes the time of what changes. */
int bj_disk_open(bj_disk *disk, const char *path, int flags, mode_t mode, int64_t now, bj_disk_node **node);
void bj_disk_reopen(bj_disk_node *node); /* one more user */
void bj_disk_close(bj_disk *disk, bj_disk_node *node);
/* NULL and *error (a positive errno) when there is none. */
bj_disk_node *bj_disk_find(const bj_disk *disk, const char *path, int *error);
/* May the owner do this (R_OK, W_OK, X_OK)? A negative errno. */
int bj_disk_access(const bj_disk *disk, const char *path, int how);
int bj_disk_mkdir(bj_disk *disk, const char *path, mode_t mode, int64_t now);
int bj_disk_rmdir(bj_disk *disk, const char *path, int64_t now);
int bj_disk_unlink(bj_disk *disk, const char *path, int64_t now);
int bj_disk_link(bj_disk *disk, const char *from, const char *to, int64_t now);
/* `keeps`: fails with -EEXIST when `to` is there (RENAME_NOREPLACE). */
int bj_disk_rename(bj_disk *disk, const char *from, const char *to, bool keeps, int64_t now);
int bj_disk_chmod(bj_disk *disk, bj_disk_node *node, mode_t mode, int64_t now);
/* The first name in a directory behind the place `*behind` (0: of all), which then is its own; NULL behind the last.
 * Places stay while other names come and go. */
const char *bj_disk_entry(const bj_disk_node *directory, uint64_t *behind, const bj_disk_node **node);
/* The path of a node as it is named now; false when it has lost its name. */
bool bj_disk_path(const bj_disk *disk, const bj_disk_node *node, bj_text *out);

typedef struct bj_disk_status {
    uint64_t number; /* st_ino */
    bool directory;
    mode_t mode; /* permission bits */
    uint64_t size;
    unsigned links;
    int64_t modified, changed; /* us since 1970 */
} bj_disk_status;
void bj_disk_stat(const bj_disk_node *node, bj_disk_status *status);
void bj_disk_touch(bj_disk_node *node, int64_t modified);

/* --- data ----------------------------------------------------------------------------------------------------- */

int64_t bj_disk_read(bj_disk *disk, const bj_disk_node *node, uint64_t offset, void *data, size_t room);
/* All of it, `size` bytes of bj_disk_stat(); NULL when it is empty. */
const uint8_t *bj_disk_content(const bj_disk_node *node);
int64_t bj_disk_write(bj_disk *disk, bj_disk_node *node, uint64_t offset, const void *data, size_t length, int64_t now);
int bj_disk_truncate(bj_disk *disk, bj_disk_node *node, uint64_t size, int64_t now);
int bj_disk_sync(bj_disk *disk, bj_disk_node *node);
int bj_disk_sync_all(bj_disk *disk);
uint64_t bj_disk_free_space(const bj_disk *disk);
uint64_t bj_disk_space(const bj_disk *disk);

/* --- what goes wrong ------------------------------------------------------------------------------------------ */

typedef enum bj_disk_operation {
    BJ_DISK_ANY = 0,
    BJ_DISK_OPENS = 1, /* of files that are there, too */
    BJ_DISK_READS = 2,
    BJ_DISK_WRITES = 3, /* truncations among them */
    BJ_DISK_SYNCS = 4,
    BJ_DISK_RENAMES = 5,
    BJ_DISK_UNLINKS = 6,
} bj_disk_operation;

/* Off: every use of it fails with EIO, and changes nothing. */
void bj_disk_switch(bj_disk *disk, bool on);
/* From now on `skip` such operations go well, then `count` (UINT32_MAX: all) fail with `error`, a positive errno. */
void bj_disk_fail(bj_disk *disk, bj_disk_operation operation, int error, uint32_t skip, uint32_t count);
void bj_disk_mend(bj_disk *disk); /* no more failures */
/* Room for so many bytes in all files together; what is there stays. */
void bj_disk_set_space(bj_disk *disk, uint64_t bytes);

/* --- power cuts ----------------------------------------------------------------------------------------------- */

/* How many operations there were, and what the last one was: "write state.new: 312 bytes at 0". */
uint64_t bj_disk_operations(const bj_disk *disk);
const char *bj_disk_last_operation(const bj_disk *disk);
void bj_disk_forget_operations(bj_disk *disk); /* counts from 1 again */

/* The number of states in which a cut now may leave the disk; 1 when all is synced. Numbers: 0 = everything is kept,
 * 1 = nothing that was not synced. Beyond BJ_DISK_OUTCOMES they are not counted. */
uint32_t bj_disk_outcomes(const bj_disk *disk);

typedef enum bj_disk_keeps {
    BJ_DISK_KEEPS_DRAWN = 0,
    BJ_DISK_KEEPS_ALL = 1,
    BJ_DISK_KEEPS_NONE = 2,
    BJ_DISK_KEEPS_TORN = 3, /* drawn among those in which a write is torn, if there are any */
} bj_disk_keeps;
/* The number of an outcome of that sort, drawn by `random`. */
uint32_t bj_disk_choose(const bj_disk *disk, bj_disk_keeps keeps, uint64_t random);
/* The power goes. `how` is told what was kept, in words. No node is open any more: those that were must not be used
 * again, nor closed. */
void bj_disk_cut(bj_disk *disk, uint32_t outcome, bj_text *how);
unsigned bj_disk_cuts(const bj_disk *disk); /* how many there were */

#endif
