/* SPDX-License-Identifier: Apache-2.0
 *
 * Which paths are the world's: those below BJ_LIBC_DISK, a directory that the machine does not have. See disk.h.
 */
#define _GNU_SOURCE
#include "libc/disk.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bj_disk *bj_the_disk(void) {
    return bj_sim_disk(bj_the_run.sim);
}

bj_file *bj_disk_file(int fd) {
    bj_file *file = bj_inside() ? bj_file_of(fd) : NULL;
    return file && file->kind == BJ_FILE_DISK ? file : NULL;
}

static void put(bj_place *place, const char *before, const char *path) {
    int length = snprintf(place->path, sizeof place->path, "%s%s%s", before, *before ? "/" : "", path);
    if (length >= (int) sizeof place->path) {
        memset(place->path, 'x', sizeof place->path - 1); /* a name that is too long */
    }
}

/* "/bootjack-disk/a" is "a" there. */
static bool below_disk(const char *path, bj_place *place) {
    size_t slashes = strspn(path, "/");
    const char *name = path + slashes;
    size_t length = strlen(BJ_LIBC_DISK) - 1;
    if (!slashes || strncmp(name, &BJ_LIBC_DISK[1], length) != 0 || (name[length] && name[length] != '/')) {
        return false;
    }
    put(place, "", name + length + strspn(name + length, "/"));
    return true;
}

bool bj_on_disk(int directory, const char *path, bj_place *place) {
    if (!bj_inside() || !path) {
        return false;
    }
    if (*path == '/') {
        return below_disk(path, place);
    }
    if (directory == AT_FDCWD) {
        if (bj_the_run.folder && *path) {
            put(place, bj_the_run.folder, path);
        }
        return bj_the_run.folder && *path;
    }
    const bj_file *file = bj_disk_file(directory);
    if (!file) {
        return false;
    }
    char room[BJ_DISK_PATH + 1];
    bj_text folder = bj_text_over(room, sizeof room);
    if (!bj_disk_path(bj_the_disk(), file->disk.node, &folder)) {
        bj_text_add(&folder, "(removed)");
    }
    put(place, folder.start, path);
    return true;
}

int64_t bj_disk_now(void) {
    return bj_sim_epoch(bj_the_run.sim) * 1000000 + (int64_t) bj_now();
}

mode_t bj_masked(mode_t mode) {
    mode_t mask = umask(0);
    umask(mask);
    return mode & ~mask;
}

void bj_disk_called(void) {
    bj_this.outside++;
    bj_sim_disk_used(bj_the_run.sim);
    bj_this.outside--;
    bj_check_over();
    if (!bj_the_run.ended) {
        bj_glance();
    }
}

int64_t bj_disk_done(int64_t result) {
    bj_disk_called();
    return bj_result(result);
}

/* --- the working directory --- */

static bool is_directory(const bj_place *place, int *error) {
    const bj_disk_node *node = bj_disk_find(bj_the_disk(), place->path, error);
    bj_disk_status status = { 0 };
    if (node) {
        bj_disk_stat(node, &status);
        *error = status.directory ? 0 : ENOTDIR;
    }
    return !*error;
}

static void leave_folder(void) {
    bj_arena_free(bj_the_run.arena, bj_the_run.folder);
    bj_the_run.folder = NULL;
}

static int enter_folder(const bj_place *place) {
    int error;
    if (!is_directory(place, &error)) {
        return bj_fail(error);
    }
    char *folder = bj_arena_strdup(bj_the_run.arena, *place->path ? place->path : ".");
    leave_folder();
    bj_the_run.folder = folder;
    return 0;
}

BJ_EXPORT int chdir(const char *path) {
    bj_place place;
    if (bj_on_disk(AT_FDCWD, path, &place)) {
        return enter_folder(&place);
    }
    int result = REAL(chdir)(path);
    if (result == 0 && bj_inside()) {
        leave_folder();
    }
    return result;
}

BJ_EXPORT int fchdir(int fd) {
    bj_place place;
    if (bj_on_disk(fd, ".", &place)) {
        return enter_folder(&place);
    }
    int result = REAL(fchdir)(fd);
    if (result == 0 && bj_inside()) {
        leave_folder();
    }
    return result;
}

static char *give_path(const char *path, char *room, size_t size) {
    BJ_TEXT(whole, BJ_DISK_PATH + 32);
    bj_text_printf(&whole, "%s%s%s", BJ_LIBC_DISK, *path && strcmp(path, ".") != 0 ? "/" : "",
                   strcmp(path, ".") != 0 ? path : "");
    if (!room) {
        return strdup(whole.start);
    }
    if (whole.used >= size) {
        errno = ERANGE;
        return NULL;
    }
    memcpy(room, whole.start, whole.used + 1);
    return room;
}

BJ_EXPORT char *getcwd(char *room, size_t size) {
    if (!bj_inside() || !bj_the_run.folder) {
        return REAL(getcwd)(room, size);
    }
    int error;
    BJ_TEXT(path, BJ_DISK_PATH + 1);
    const bj_disk_node *node = bj_disk_find(bj_the_disk(), bj_the_run.folder, &error);
    if (!node || !bj_disk_path(bj_the_disk(), node, &path)) {
        errno = ENOENT;
        return NULL;
    }
    return give_path(path.start, room, size);
}

BJ_EXPORT char *realpath(const char *restrict path, char *restrict room) {
    bj_place place;
    if (!bj_on_disk(AT_FDCWD, path, &place)) {
        return REAL(realpath)(path, room);
    }
    int error;
    BJ_TEXT(whole, BJ_DISK_PATH + 1);
    const bj_disk_node *node = bj_disk_find(bj_the_disk(), place.path, &error);
    if (!node || !bj_disk_path(bj_the_disk(), node, &whole)) {
        errno = error;
        return NULL;
    }
    return give_path(whole.start, room, PATH_MAX);
}

BJ_EXPORT char *canonicalize_file_name(const char *path) {
    bj_place place;
    return bj_on_disk(AT_FDCWD, path, &place) ? realpath(path, NULL) : REAL(canonicalize_file_name)(path);
}
