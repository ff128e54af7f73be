/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the simulated disk share: nodes, names, and what is not synced yet. Nobody else includes this.
 */
#ifndef BJ_WORLD_DISK_INTERNAL_H
#define BJ_WORLD_DISK_INTERNAL_H

#include "world/disk.h"

/* A write (or a truncation: no data) that is not synced. */
typedef struct disk_write {
    struct disk_write *next;
    uint64_t offset; /* of a truncation: the new size */
    size_t length;
    bool truncates;
    uint8_t *data;
} disk_write;

typedef struct disk_entry {
    struct disk_entry *next; /* in the order in which they were made */
    uint64_t place;          /* that order, for who reads the directory while it changes */
    bj_disk_node *node;
    char *name;
} disk_entry;

struct bj_disk_node {
    bj_disk_node *next; /* of all */
    uint64_t number;
    bool directory;
    mode_t mode;
    unsigned links; /* names that programs see */
    unsigned users; /* descriptors */
    unsigned holds; /* changes of names that are not synced */
    int64_t modified, changed;
    uint8_t *data; /* as programs see it */
    size_t size, room;
    uint8_t *synced;
    size_t synced_size;
    disk_write *first, *last; /* since then */
    disk_entry *entries;
    uint64_t last_place;
    bj_disk_node *parent; /* of a directory; NULL: the root, or it was removed */
};

typedef enum disk_change_kind { DISK_ADDS = 1, DISK_REMOVES, DISK_MOVES, DISK_SETS_MODE } disk_change_kind;

/* A change of names that is not synced. */
typedef struct disk_change {
    struct disk_change *next, *earlier;
    uint8_t kind; /* disk_change_kind */
    bj_disk_node *node;
    bj_disk_node *from; /* the directory; NULL for a mode */
    char *from_name;
    bj_disk_node *to; /* DISK_MOVES */
    char *to_name;
    bj_disk_node *replaced; /* NULL: nothing was there */
    mode_t mode;            /* before */
} disk_change;

typedef struct disk_failure {
    struct disk_failure *next;
    uint8_t operation; /* bj_disk_operation */
    int error;
    uint32_t skip, count;
} disk_failure;

struct bj_disk {
    bj_arena *arena;
    bj_disk_node *nodes;
    bj_disk_node *root;
    uint64_t last_number;
    disk_change *first, *last;
    disk_failure *failures;
    uint64_t space;
    bool off;
    unsigned cuts;
    uint64_t operations;
    char told[300];
};

/* --- disk.c --- */

/* One more operation, in words. */
void disk_did(bj_disk *disk, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A failure that was ordered strikes: a negative errno. */
int disk_strikes(bj_disk *disk, bj_disk_operation operation);
/* Gives a node back that nobody needs any more. */
void disk_release(bj_disk *disk, bj_disk_node *node);
/* "a/b" of a node, "(no name)". */
void disk_name_of(const bj_disk *disk, const bj_disk_node *node, bj_text *out);
/* The node's content becomes `size` bytes of `data` (which is copied). */
void disk_set_data(bj_disk *disk, bj_disk_node *node, const uint8_t *data, size_t size);

/* --- disk_names.c --- */

bj_disk_node *disk_node_new(bj_disk *disk, bool directory, mode_t mode, int64_t now);
disk_entry *disk_entry_of(const bj_disk_node *directory, const char *name, size_t length);
void disk_enter(bj_disk *disk, bj_disk_node *directory, const char *name, bj_disk_node *node);
void disk_leave(bj_disk *disk, bj_disk_node *directory, const char *name);

/* --- disk_cut.c --- */

/* Takes a copy. */
void disk_note_change(bj_disk *disk, const disk_change *change);
void disk_note_write(bj_disk *disk, bj_disk_node *node, uint64_t offset, const uint8_t *data, size_t length);
void disk_note_truncation(bj_disk *disk, bj_disk_node *node, uint64_t size);
void disk_forget_writes(bj_disk *disk, bj_disk_node *node);
/* All changes of names up to the last that concerns the directory (NULL: all) are on the disk. */
void disk_commit(bj_disk *disk, const bj_disk_node *directory);
/* The mode of this file is. */
void disk_commit_mode(bj_disk *disk, const bj_disk_node *node);
/* What a file holds is on the disk. */
void disk_commit_data(bj_disk *disk, bj_disk_node *node);

#endif
