/* SPDX-License-Identifier: Apache-2.0
 *
 * The simulated disk's names: looking up, creating, renaming, removing. There are no symbolic links; ".." stops at the
 * root. Permission bits are the owner's and hold for everybody, also for a client that runs as root.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "world/disk_internal.h"

/* --- entries -------------------------------------------------------------------------------------------------- */

bj_disk_node *disk_node_new(bj_disk *disk, bool directory, mode_t mode, int64_t now) {
    bj_disk_node *node = bj_arena_alloc(disk->arena, sizeof *node);
    node->number = ++disk->last_number;
    node->directory = directory;
    node->mode = mode & 07777;
    node->modified = node->changed = now;
    node->next = disk->nodes;
    disk->nodes = node;
    return node;
}

disk_entry *disk_entry_of(const bj_disk_node *directory, const char *name, size_t length) {
    for (disk_entry *entry = directory->entries; entry; entry = entry->next) {
        if (strlen(entry->name) == length && !memcmp(entry->name, name, length)) {
            return entry;
        }
    }
    return NULL;
}

void disk_enter(bj_disk *disk, bj_disk_node *directory, const char *name, bj_disk_node *node) {
    disk_entry **end = &directory->entries;
    while (*end) {
        end = &(*end)->next;
    }
    *end = bj_arena_alloc(disk->arena, sizeof **end);
    **end = (disk_entry){ .place = ++directory->last_place, .node = node, .name = bj_arena_strdup(disk->arena, name) };
    node->links++;
    if (node->directory) {
        node->parent = directory;
    }
}

void disk_leave(bj_disk *disk, bj_disk_node *directory, const char *name) {
    disk_entry **at = &directory->entries;
    while (*at && strcmp((*at)->name, name) != 0) {
        at = &(*at)->next;
    }
    disk_entry *entry = *at;
    if (!entry) {
        return;
    }
    *at = entry->next;
    entry->node->links--;
    if (entry->node->directory) {
        entry->node->parent = NULL;
    }
    bj_arena_free(disk->arena, entry->name);
    bj_arena_free(disk->arena, entry);
}

/* --- looking up ----------------------------------------------------------------------------------------------- */

static bool allows(const bj_disk_node *node, int how) {
    return ((int) (node->mode >> 6) & how) == how;
}

/* Where a path leads. */
typedef struct place {
    bj_disk_node *directory;
    bj_disk_node *node; /* NULL: there is none of that name */
    char name[BJ_DISK_NAME + 1];
    bool slash; /* a slash stands behind the last name */
} place;

/* One name on; false: *error. */
static bool walk(const bj_disk *disk, place *at, const char *name, size_t length, int *error) {
    bj_disk_node *here = at->node;
    *error = !here ? ENOENT : !here->directory ? ENOTDIR : length > BJ_DISK_NAME ? ENAMETOOLONG : 0;
    if (!*error && !allows(here, X_OK)) {
        *error = EACCES;
    }
    if (*error) {
        return false;
    }
    if (length == 1 && *name == '.') {
        return true;
    }
    if (length == 2 && !memcmp(name, "..", 2)) {
        at->node = here->parent ? here->parent : disk->root;
        at->directory = at->node;
        at->name[0] = '\0';
        return true;
    }
    const disk_entry *entry = disk_entry_of(here, name, length);
    at->directory = here;
    at->node = entry ? entry->node : NULL;
    memcpy(at->name, name, length);
    at->name[length] = '\0';
    return true;
}

static bool find(const bj_disk *disk, const char *path, place *at, int *error) {
    *at = (place){ .directory = disk->root, .node = disk->root };
    if (strlen(path) > BJ_DISK_PATH) {
        *error = ENAMETOOLONG;
        return false;
    }
    while (*path) {
        size_t slashes = strspn(path, "/");
        size_t length = strcspn(path + slashes, "/");
        at->slash = slashes > 0 && !length;
        path += slashes;
        if (length && !walk(disk, at, path, length, error)) {
            return false;
        }
        path += length;
    }
    if (at->slash && at->node && !at->node->directory) {
        *error = ENOTDIR;
        return false;
    }
    return true;
}

bj_disk_node *bj_disk_find(const bj_disk *disk, const char *path, int *error) {
    place at;
    if (!find(disk, path, &at, error)) {
        return NULL;
    }
    *error = at.node ? 0 : ENOENT;
    return at.node;
}

int bj_disk_access(const bj_disk *disk, const char *path, int how) {
    int error;
    const bj_disk_node *node = bj_disk_find(disk, path, &error);
    if (!node) {
        return -error;
    }
    return allows(node, how & (R_OK | W_OK | X_OK)) ? 0 : -EACCES;
}

const char *bj_disk_entry(const bj_disk_node *directory, uint64_t *behind, const bj_disk_node **node) {
    const disk_entry *entry = directory->entries;
    while (entry && entry->place <= *behind) {
        entry = entry->next;
    }
    if (!entry) {
        return NULL;
    }
    *behind = entry->place;
    if (node) {
        *node = entry->node;
    }
    return entry->name;
}

static const disk_entry *entry_for(const bj_disk_node *directory, const bj_disk_node *wanted) {
    const disk_entry *entry = directory->entries;
    while (entry && entry->node != wanted) {
        entry = entry->next;
    }
    return entry;
}

/* The directory in which it has a name; NULL. */
static const bj_disk_node *directory_of(const bj_disk *disk, const bj_disk_node *node) {
    if (node->directory) {
        return node->parent;
    }
    const bj_disk_node *d = disk->nodes;
    while (d && (!d->links || !entry_for(d, node))) {
        d = d->next;
    }
    return d;
}

/* Recurses as deep as directories are nested. */
bool bj_disk_path(const bj_disk *disk, const bj_disk_node *node, bj_text *out) {
    const bj_disk_node *directory = node == disk->root ? NULL : directory_of(disk, node);
    if (!directory) {
        return node == disk->root;
    }
    if (!bj_disk_path(disk, directory, out)) {
        return false;
    }
    bj_text_printf(out, "%s%s", directory == disk->root ? "" : "/", entry_for(directory, node)->name);
    return true;
}

/* --- opening and creating ------------------------------------------------------------------------------------- */

static int may_change(bj_disk_node *directory) {
    return allows(directory, W_OK | X_OK) ? 0 : -EACCES;
}

static void touch(bj_disk_node *directory, int64_t now) {
    directory->modified = directory->changed = now;
}

/* A new file or directory at a place where there is none. */
static int create(bj_disk *disk, const place *at, bool directory, mode_t mode, int64_t now, bj_disk_node **out) {
    int problem = may_change(at->directory);
    if (problem) {
        return problem;
    }
    bj_disk_node *node = disk_node_new(disk, directory, mode, now);
    disk_enter(disk, at->directory, at->name, node);
    touch(at->directory, now);
    disk_change change = { .kind = DISK_ADDS, .node = node, .from = at->directory };
    change.from_name = (char *) (uintptr_t) at->name;
    disk_note_change(disk, &change);
    BJ_TEXT(name, BJ_DISK_PATH + 1);
    disk_name_of(disk, node, &name);
    disk_did(disk, "%s %s (mode %04o)", directory ? "make directory" : "create", name.start, (unsigned) node->mode);
    *out = node;
    return 0;
}

static int wanted_access(int flags) {
    switch (flags & O_ACCMODE) {
    case O_RDONLY:
        return R_OK;
    case O_WRONLY:
        return W_OK;
    default:
        return R_OK | W_OK;
    }
}

static int open_existing(bj_disk *disk, bj_disk_node *node, int flags, int64_t now) {
    int how = wanted_access(flags) | (flags & O_TRUNC ? W_OK : 0);
    if ((flags & O_CREAT) && (flags & O_EXCL)) {
        return -EEXIST;
    }
    if (node->directory && ((how & W_OK) || (flags & O_CREAT))) {
        return -EISDIR;
    }
    if (!node->directory && (flags & O_DIRECTORY)) {
        return -ENOTDIR;
    }
    if (!allows(node, how)) {
        return -EACCES;
    }
    return flags & O_TRUNC ? bj_disk_truncate(disk, node, 0, now) : 0;
}

int bj_disk_open(bj_disk *disk, const char *path, int flags, mode_t mode, int64_t now, bj_disk_node **node) {
    place at;
    int error;
    if (!find(disk, path, &at, &error)) {
        return -error;
    }
    int problem = disk_strikes(disk, BJ_DISK_OPENS);
    if (!problem && at.node) {
        problem = open_existing(disk, at.node, flags, now);
    } else if (!problem && (flags & O_CREAT)) {
        problem = at.slash ? -EISDIR : create(disk, &at, false, mode, now, &at.node);
    } else if (!problem) {
        problem = -ENOENT;
    }
    if (!problem) {
        *node = at.node;
        bj_disk_reopen(at.node);
    }
    return problem;
}

int bj_disk_mkdir(bj_disk *disk, const char *path, mode_t mode, int64_t now) {
    place at;
    int error;
    bj_disk_node *node;
    if (!find(disk, path, &at, &error)) {
        return -error;
    }
    return at.node ? -EEXIST : create(disk, &at, true, mode, now, &node);
}

/* --- removing and renaming ------------------------------------------------------------------------------------ */

static void remove_name(bj_disk *disk, const place *at, const char *what, int64_t now) {
    BJ_TEXT(name, BJ_DISK_PATH + 1);
    disk_name_of(disk, at->node, &name);
    disk_change change = { .kind = DISK_REMOVES, .node = at->node, .from = at->directory };
    change.from_name = (char *) (uintptr_t) at->name;
    disk_note_change(disk, &change);
    disk_leave(disk, at->directory, at->name);
    touch(at->directory, now);
    at->node->changed = now;
    disk_did(disk, "%s %s", what, name.start);
}

int bj_disk_unlink(bj_disk *disk, const char *path, int64_t now) {
    place at;
    int error;
    if (!find(disk, path, &at, &error)) {
        return -error;
    }
    int problem = !at.node ? -ENOENT : at.node->directory ? -EISDIR : may_change(at.directory);
    problem = problem ? problem : disk_strikes(disk, BJ_DISK_UNLINKS);
    if (!problem) {
        remove_name(disk, &at, "unlink", now);
    }
    return problem;
}

int bj_disk_rmdir(bj_disk *disk, const char *path, int64_t now) {
    place at;
    int error;
    if (!find(disk, path, &at, &error)) {
        return -error;
    }
    int problem = !at.node ? -ENOENT : !at.node->directory ? -ENOTDIR : at.node == disk->root ? -EBUSY : 0;
    problem = problem ? problem : at.node->entries ? -ENOTEMPTY : !*at.name ? -EINVAL : may_change(at.directory);
    problem = problem ? problem : disk_strikes(disk, BJ_DISK_UNLINKS);
    if (!problem) {
        remove_name(disk, &at, "remove directory", now);
    }
    return problem;
}

int bj_disk_link(bj_disk *disk, const char *from, const char *to, int64_t now) {
    place old, new;
    int error;
    if (!find(disk, from, &old, &error) || !find(disk, to, &new, &error)) {
        return -error;
    }
    int problem = !old.node ? -ENOENT : old.node->directory ? -EPERM : new.node ? -EEXIST : may_change(new.directory);
    if (problem) {
        return problem;
    }
    disk_enter(disk, new.directory, new.name, old.node);
    touch(new.directory, now);
    disk_change change = { .kind = DISK_ADDS, .node = old.node, .from = new.directory, .from_name = new.name };
    disk_note_change(disk, &change);
    disk_did(disk, "link %s to %s", from, to);
    return 0;
}

static bool is_below(const bj_disk_node *directory, const bj_disk_node *ancestor) {
    while (directory && directory != ancestor) {
        directory = directory->parent;
    }
    return directory != NULL;
}

/* May what stands at `to` be replaced by `from`? */
static int replaceable(const place *from, const place *to) {
    if (from->node->directory && is_below(to->directory, from->node)) {
        return -EINVAL;
    }
    if (!to->node) {
        return to->slash && !from->node->directory ? -ENOTDIR : 0;
    }
    if (to->node->directory != from->node->directory) {
        return to->node->directory ? -EISDIR : -ENOTDIR;
    }
    return to->node->entries ? -ENOTEMPTY : 0;
}

static void move(bj_disk *disk, place *from, place *to, int64_t now) {
    disk_change change = { .kind = DISK_MOVES,
                           .node = from->node,
                           .from = from->directory,
                           .from_name = from->name,
                           .to = to->directory,
                           .to_name = to->name,
                           .replaced = to->node };
    disk_note_change(disk, &change);
    if (to->node) {
        disk_leave(disk, to->directory, to->name);
    }
    disk_leave(disk, from->directory, from->name);
    disk_enter(disk, to->directory, to->name, from->node);
    touch(from->directory, now);
    touch(to->directory, now);
    from->node->changed = now;
}

int bj_disk_rename(bj_disk *disk, const char *from, const char *to, bool keeps, int64_t now) {
    place old, new;
    int error;
    if (!find(disk, from, &old, &error) || !find(disk, to, &new, &error)) {
        return -error;
    }
    if (!old.node) {
        return -ENOENT;
    }
    if (!*old.name || (!*new.name &&new.node)) {
        return -EBUSY; /* the root, or a path that ends in ".." */
    }
    int problem = keeps && new.node ? -EEXIST : may_change(old.directory);
    problem = problem ? problem : may_change(new.directory);
    problem = problem ? problem : replaceable(&old, &new);
    problem = problem ? problem : disk_strikes(disk, BJ_DISK_RENAMES);
    if (problem || old.node == new.node) {
        return problem;
    }
    move(disk, &old, &new, now);
    disk_did(disk, "rename %s to %s", from, to);
    return 0;
}

int bj_disk_chmod(bj_disk *disk, bj_disk_node *node, mode_t mode, int64_t now) {
    disk_change change = { .kind = DISK_SETS_MODE, .node = node, .mode = node->mode };
    disk_note_change(disk, &change);
    node->mode = mode & 07777;
    node->changed = now;
    BJ_TEXT(name, BJ_DISK_PATH + 1);
    disk_name_of(disk, node, &name);
    disk_did(disk, "set mode of %s to %04o", name.start, (unsigned) node->mode);
    return 0;
}
