/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading directories of the world's disk. A DIR of ours lies in the run's arena, which is how it is told from one of
 * glibc's.
 */
#define _GNU_SOURCE
#include "libc/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

typedef struct bj_directory {
    int fd;
    struct dirent64 entry; /* that was read last */
} bj_directory;

_Static_assert(sizeof(struct dirent) == sizeof(struct dirent64), "one entry serves both");

static bj_directory *ours(DIR *directory) {
    return bj_is_ours(directory) ? (bj_directory *) directory : NULL;
}

static DIR *opened(int fd) {
    if (fd < 0) {
        return NULL;
    }
    bj_directory *directory = bj_arena_alloc(bj_the_run.arena, sizeof *directory);
    directory->fd = fd;
    return (DIR *) directory;
}

BJ_EXPORT DIR *opendir(const char *path) {
    bj_place place;
    return bj_on_disk(AT_FDCWD, path, &place)
               ? opened(bj_disk_open_place(&place, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0))
               : REAL(opendir)(path);
}

BJ_EXPORT DIR *fdopendir(int fd) {
    const bj_file *file = bj_disk_file(fd);
    if (!file) {
        return REAL(fdopendir)(fd);
    }
    bj_disk_status status;
    bj_disk_stat(file->disk.node, &status);
    if (!status.directory) {
        errno = ENOTDIR;
        return NULL;
    }
    return opened(fd);
}

static void fill(bj_directory *directory, uint64_t number, bool is_directory, const char *name, size_t position) {
    directory->entry = (struct dirent64){ .d_ino = number,
                                          .d_off = (off64_t) position,
                                          .d_reclen = sizeof directory->entry,
                                          .d_type = is_directory ? DT_DIR : DT_REG };
    snprintf(directory->entry.d_name, sizeof directory->entry.d_name, "%s", name);
}

/* The name behind position `*entry`: ".", "..", then what is in it. */
static const char *read_on(uint64_t *entry, const bj_disk_node **node) {
    if (*entry < 2) {
        return (*entry)++ == 0 ? "." : "..";
    }
    uint64_t place = *entry - 2;
    const char *name = bj_disk_entry(*node, &place, node);
    *entry = place + 2;
    return name;
}

static struct dirent64 *next(bj_directory *directory) {
    bj_file *file = bj_disk_file(directory->fd);
    if (!file) {
        errno = EBADF;
        return NULL;
    }
    bj_disk_status status;
    const bj_disk_node *node = file->disk.node;
    const char *name = read_on(&file->disk.entry, &node);
    if (!name) {
        return NULL;
    }
    bj_disk_stat(node, &status);
    fill(directory, status.number, status.directory, name, file->disk.entry);
    bj_disk_done(0);
    return &directory->entry;
}

BJ_EXPORT struct dirent64 *readdir64(DIR *directory) {
    return ours(directory) ? next(ours(directory)) : REAL(readdir64)(directory);
}

BJ_EXPORT struct dirent *readdir(DIR *directory) {
    return ours(directory) ? (struct dirent *) next(ours(directory)) : REAL(readdir)(directory);
}

BJ_EXPORT int closedir(DIR *directory) {
    bj_directory *own = ours(directory);
    if (!own) {
        return REAL(closedir)(directory);
    }
    int fd = own->fd;
    bj_arena_free(bj_the_run.arena, own);
    return close(fd);
}

BJ_EXPORT int dirfd(DIR *directory) {
    return ours(directory) ? ours(directory)->fd : REAL(dirfd)(directory);
}

BJ_EXPORT long telldir(DIR *directory) {
    if (!ours(directory)) {
        return REAL(telldir)(directory);
    }
    const bj_file *file = bj_disk_file(ours(directory)->fd);
    return file ? (long) file->disk.entry : bj_fail(EBADF);
}

BJ_EXPORT void seekdir(DIR *directory, long position) {
    if (!ours(directory)) {
        REAL(seekdir)(directory, position);
        return;
    }
    bj_file *file = bj_disk_file(ours(directory)->fd);
    if (file && position >= 0) {
        file->disk.entry = (uint64_t) position;
    }
}

BJ_EXPORT void rewinddir(DIR *directory) {
    if (ours(directory)) {
        seekdir(directory, 0);
    } else {
        REAL(rewinddir)(directory);
    }
}
