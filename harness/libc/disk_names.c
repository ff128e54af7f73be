/* SPDX-License-Identifier: Apache-2.0
 *
 * Names on the world's disk: renaming, removing, making. Between that disk and the machine's there is nothing to link
 * or rename (EXDEV). Symbolic links there are none.
 */
#define _GNU_SOURCE
#include "libc/disk.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- renaming and linking --- */

/* Both names on the disk; *error: one of them is not. false: neither is. */
static bool both(int from_directory, const char *from, int to_directory, const char *to, bj_place *places, int *error) {
    bool first = bj_on_disk(from_directory, from, &places[0]), second = bj_on_disk(to_directory, to, &places[1]);
    *error = first && second ? 0 : -EXDEV;
    return first || second;
}

static int rename_places(const bj_place *places, int error, unsigned flags) {
    if (!error && (flags & ~RENAME_NOREPLACE)) {
        error = -EINVAL;
    }
    return (int) bj_disk_done(error ? error
                                    : bj_disk_rename(bj_the_disk(), places[0].path, places[1].path,
                                                     (flags & RENAME_NOREPLACE) != 0, bj_disk_now()));
}

BJ_EXPORT int rename(const char *from, const char *to) {
    bj_place places[2];
    int error;
    return both(AT_FDCWD, from, AT_FDCWD, to, places, &error) ? rename_places(places, error, 0)
                                                              : REAL(rename)(from, to);
}

BJ_EXPORT int renameat(int from_directory, const char *from, int to_directory, const char *to) {
    bj_place places[2];
    int error;
    return both(from_directory, from, to_directory, to, places, &error)
               ? rename_places(places, error, 0)
               : REAL(renameat)(from_directory, from, to_directory, to);
}

BJ_EXPORT int renameat2(int from_directory, const char *from, int to_directory, const char *to, unsigned flags) {
    bj_place places[2];
    int error;
    return both(from_directory, from, to_directory, to, places, &error)
               ? rename_places(places, error, flags)
               : REAL(renameat2)(from_directory, from, to_directory, to, flags);
}

static int link_places(const bj_place *places, int error) {
    return (int) bj_disk_done(error ? error
                                    : bj_disk_link(bj_the_disk(), places[0].path, places[1].path, bj_disk_now()));
}

BJ_EXPORT int link(const char *from, const char *to) {
    bj_place places[2];
    int error;
    return both(AT_FDCWD, from, AT_FDCWD, to, places, &error) ? link_places(places, error) : REAL(link)(from, to);
}

BJ_EXPORT int linkat(int from_directory, const char *from, int to_directory, const char *to, int flags) {
    bj_place places[2];
    int error;
    return both(from_directory, from, to_directory, to, places, &error)
               ? link_places(places, error)
               : REAL(linkat)(from_directory, from, to_directory, to, flags);
}

BJ_EXPORT int symlink(const char *target, const char *path) {
    bj_place place;
    return bj_on_disk(AT_FDCWD, path, &place) ? bj_fail(EPERM) : REAL(symlink)(target, path);
}

BJ_EXPORT int symlinkat(const char *target, int directory, const char *path) {
    bj_place place;
    return bj_on_disk(directory, path, &place) ? bj_fail(EPERM) : REAL(symlinkat)(target, directory, path);
}

/* EINVAL: it is no symbolic link. */
static int no_link(const bj_place *place) {
    int error;
    return bj_fail(bj_disk_find(bj_the_disk(), place->path, &error) ? EINVAL : error);
}

BJ_EXPORT ssize_t readlink(const char *restrict path, char *restrict room, size_t size) {
    bj_place place;
    return bj_on_disk(AT_FDCWD, path, &place) ? no_link(&place) : REAL(readlink)(path, room, size);
}

BJ_EXPORT ssize_t readlinkat(int directory, const char *restrict path, char *restrict room, size_t size) {
    bj_place place;
    return bj_on_disk(directory, path, &place) ? no_link(&place) : REAL(readlinkat)(directory, path, room, size);
}

/* --- removing --- */

static int remove_file(const bj_place *place) {
    return (int) bj_disk_done(bj_disk_unlink(bj_the_disk(), place->path, bj_disk_now()));
}

static int remove_directory(const bj_place *place) {
    return (int) bj_disk_done(bj_disk_rmdir(bj_the_disk(), place->path, bj_disk_now()));
}

BJ_EXPORT int unlink(const char *path) {
    bj_place place;
    return bj_on_disk(AT_FDCWD, path, &place) ? remove_file(&place) : REAL(unlink)(path);
}

BJ_EXPORT int unlinkat(int directory, const char *path, int flags) {
    bj_place place;
    if (!bj_on_disk(directory, path, &place)) {
        return REAL(unlinkat)(directory, path, flags);
    }
    return flags & AT_REMOVEDIR ? remove_directory(&place) : remove_file(&place);
}

BJ_EXPORT int rmdir(const char *path) {
    bj_place place;
    return bj_on_disk(AT_FDCWD, path, &place) ? remove_directory(&place) : REAL(rmdir)(path);
}

BJ_EXPORT int remove(const char *path) {
    bj_place place;
    if (!bj_on_disk(AT_FDCWD, path, &place)) {
        return REAL(remove)(path);
    }
    int result = remove_file(&place);
    return result != 0 && errno == EISDIR ? remove_directory(&place) : result;
}

/* --- making --- */

static int make_directory(const bj_place *place, mode_t mode) {
    return (int) bj_disk_done(bj_disk_mkdir(bj_the_disk(), place->path, bj_masked(mode), bj_disk_now()));
}

BJ_EXPORT int mkdir(const char *path, mode_t mode) {
    bj_place place;
    return bj_on_disk(AT_FDCWD, path, &place) ? make_directory(&place, mode) : REAL(mkdir)(path, mode);
}

BJ_EXPORT int mkdirat(int directory, const char *path, mode_t mode) {
    bj_place place;
    return bj_on_disk(directory, path, &place) ? make_directory(&place, mode) : REAL(mkdirat)(directory, path, mode);
}

/* The six letters of a template, in front of a suffix of that length; NULL and errno. */
static char *letters_of(char *template, int suffix) {
    size_t length = strlen(template);
    if (suffix < 0 || length < 6 + (size_t) suffix ||
        strncmp(template + length - (size_t) suffix - 6, "XXXXXX", 6) != 0) {
        errno = EINVAL;
        return NULL;
    }
    return template + length - (size_t) suffix - 6;
}

static void draw_letters(char *at) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    for (int i = 0; i < 6; i++) {
        at[i] = letters[bj_sim_random(bj_the_run.sim) % (sizeof letters - 1)];
    }
}

enum { ATTEMPTS = 1000 };

/* mkstemp() and its relatives: a new file under a name that is drawn. */
static int make_file(char *template, int suffix, int flags) {
    char *at = letters_of(template, suffix);
    for (int i = 0; at && i < ATTEMPTS; i++) {
        draw_letters(at);
        int fd = open(template, (flags & ~O_ACCMODE) | O_RDWR | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);
        if (fd >= 0 || errno != EEXIST) {
            return fd;
        }
    }
    return -1;
}

BJ_EXPORT int mkostemps(char *template, int suffix, int flags) {
    bj_place place;
    return bj_on_disk(AT_FDCWD, template, &place) ? make_file(template, suffix, flags)
                                                  : REAL(mkostemps)(template, suffix, flags);
}

BJ_EXPORT int mkstemp(char *template) {
    return mkostemps(template, 0, 0);
}

BJ_EXPORT int mkostemp(char *template, int flags) {
    return mkostemps(template, 0, flags);
}

BJ_EXPORT int mkstemps(char *template, int suffix) {
    return mkostemps(template, suffix, 0);
}

BJ_EXPORT int mkstemp64(char *template) __attribute__((alias("mkstemp")));
BJ_EXPORT int mkostemp64(char *template, int flags) __attribute__((alias("mkostemp")));
BJ_EXPORT int mkstemps64(char *template, int suffix) __attribute__((alias("mkstemps")));
BJ_EXPORT int mkostemps64(char *template, int suffix, int flags) __attribute__((alias("mkostemps")));

BJ_EXPORT char *mkdtemp(char *template) {
    bj_place place;
    if (!bj_on_disk(AT_FDCWD, template, &place)) {
        return REAL(mkdtemp)(template);
    }
    char *at = letters_of(template, 0);
    for (int i = 0; at && i < ATTEMPTS; i++) {
        draw_letters(at);
        if (mkdir(template, S_IRWXU) == 0) {
            return template;
        }
        if (errno != EEXIST) {
            break;
        }
    }
    return NULL;
}
