/* SPDX-License-Identifier: Apache-2.0
 *
 * The simulated disk's files: reading, writing, room, and failures that were ordered. Names are in disk_names.c, what
 * a power cut leaves in disk_cut.c.
 */
#include "world/disk.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "world/disk_internal.h"

bj_disk *bj_disk_new(bj_arena *arena) {
    bj_disk *disk = bj_arena_alloc(arena, sizeof *disk);
    disk->arena = arena;
    disk->space = BJ_DISK_SPACE;
    disk->root = disk_node_new(disk, true, 0700, 0);
    disk->root->links = 1;
    return disk;
}

/* --- operations ----------------------------------------------------------------------------------------------- */

void disk_did(bj_disk *disk, const char *format, ...) {
    bj_text text = bj_text_over(disk->told, sizeof disk->told);
    va_list arguments;
    va_start(arguments, format);
    bj_text_vprintf(&text, format, arguments);
    va_end(arguments);
    disk->operations++;
}

unsigned bj_disk_cuts(const bj_disk *disk) {
    return disk->cuts;
}

uint64_t bj_disk_operations(const bj_disk *disk) {
    return disk->operations;
}

void bj_disk_forget_operations(bj_disk *disk) {
    disk->operations = 0;
}

const char *bj_disk_last_operation(const bj_disk *disk) {
    return disk->told;
}

/* --- failures ------------------------------------------------------------------------------------------------- */

void bj_disk_fail(bj_disk *disk, bj_disk_operation operation, int error, uint32_t skip, uint32_t count) {
    disk_failure **end = &disk->failures;
    while (*end) {
        end = &(*end)->next;
    }
    *end = bj_arena_alloc(disk->arena, sizeof **end);
    **end = (disk_failure){ .operation = (uint8_t) operation, .error = error, .skip = skip, .count = count };
}

void bj_disk_mend(bj_disk *disk) {
    while (disk->failures) {
        disk_failure *first = disk->failures;
        disk->failures = first->next;
        bj_arena_free(disk->arena, first);
    }
}

void bj_disk_switch(bj_disk *disk, bool on) {
    disk->off = !on;
}

int disk_strikes(bj_disk *disk, bj_disk_operation operation) {
    if (disk->off) {
        return -EIO;
    }
    for (disk_failure *f = disk->failures; f; f = f->next) {
        if ((f->operation != BJ_DISK_ANY && f->operation != operation) || !f->count) {
            continue;
        }
        if (f->skip) {
            f->skip--;
            continue;
        }
        f->count -= f->count != UINT32_MAX;
        return -f->error;
    }
    return 0;
}

/* --- nodes ---------------------------------------------------------------------------------------------------- */

static void make_room(bj_disk *disk, bj_disk_node *node, size_t size) {
    if (size > node->room) {
        node->room = size < 64 ? 64 : size * 2;
        node->data = bj_arena_realloc(disk->arena, node->data, node->room);
    }
}

void disk_set_data(bj_disk *disk, bj_disk_node *node, const uint8_t *data, size_t size) {
    make_room(disk, node, size);
    if (size) {
        memcpy(node->data, data, size);
    }
    node->size = size;
}

/* Grows with zeros, or shrinks. */
static void resize(bj_disk *disk, bj_disk_node *node, size_t size) {
    make_room(disk, node, size);
    if (size > node->size) {
        memset(node->data + node->size, 0, size - node->size);
    }
    node->size = size;
}

void disk_release(bj_disk *disk, bj_disk_node *node) {
    if (node->links || node->users || node->holds) {
        return;
    }
    assert(!node->entries);
    bj_disk_node **at = &disk->nodes;
    while (*at != node) {
        at = &(*at)->next;
    }
    *at = node->next;
    disk_forget_writes(disk, node);
    bj_arena_free(disk->arena, node->data);
    bj_arena_free(disk->arena, node->synced);
    bj_arena_free(disk->arena, node);
}

void bj_disk_reopen(bj_disk_node *node) {
    node->users++;
}

void bj_disk_close(bj_disk *disk, bj_disk_node *node) {
    assert(node->users);
    node->users--;
    disk_release(disk, node);
}

void bj_disk_stat(const bj_disk_node *node, bj_disk_status *status) {
    *status = (bj_disk_status){ .number = node->number,
                                .directory = node->directory,
                                .mode = node->mode,
                                .size = node->directory ? BJ_DISK_BLOCK : node->size,
                                .links = node->links + node->directory,
                                .modified = node->modified,
                                .changed = node->changed };
}

void bj_disk_touch(bj_disk_node *node, int64_t modified) {
    node->modified = modified;
}

void disk_name_of(const bj_disk *disk, const bj_disk_node *node, bj_text *out) {
    if (node == disk->root) {
        bj_text_add(out, ".");
    } else if (!bj_disk_path(disk, node, out)) {
        bj_text_add(out, "(no name)");
    }
}

/* --- data ----------------------------------------------------------------------------------------------------- */

int64_t bj_disk_read(bj_disk *disk, const bj_disk_node *node, uint64_t offset, void *data, size_t room) {
    int problem = node->directory ? -EISDIR : disk_strikes(disk, BJ_DISK_READS);
    if (problem) {
        return problem;
    }
    size_t there = offset < node->size ? node->size - (size_t) offset : 0;
    size_t length = there < room ? there : room;
    if (length) {
        memcpy(data, node->data + offset, length);
    }
    return (int64_t) length;
}

const uint8_t *bj_disk_content(const bj_disk_node *node) {
    return node->data;
}

uint64_t bj_disk_space(const bj_disk *disk) {
    return disk->space;
}

/* What has lost its name takes no room, also while a cut may bring it back. */
uint64_t bj_disk_free_space(const bj_disk *disk) {
    uint64_t used = 0;
    for (const bj_disk_node *node = disk->nodes; node; node = node->next) {
        used += node->links || node->users ? node->size : 0;
    }
    return disk->space > used ? disk->space - used : 0;
}

void bj_disk_set_space(bj_disk *disk, uint64_t bytes) {
    disk->space = bytes;
}

/* How many bytes can be written at `offset`: as many as there is room for. */
static size_t fitting(const bj_disk *disk, const bj_disk_node *node, uint64_t offset, size_t length) {
    uint64_t limit = node->size + bj_disk_free_space(disk);
    uint64_t end = offset + length;
    if (end <= node->size || end <= limit) {
        return length;
    }
    return limit > offset ? (size_t) (limit - offset) : 0;
}

int64_t bj_disk_write(bj_disk *disk, bj_disk_node *node, uint64_t offset, const void *data, size_t length,
                      int64_t now) {
    int problem = node->directory ? -EISDIR : disk_strikes(disk, BJ_DISK_WRITES);
    if (problem || !length) {
        return problem;
    }
    if (offset > (uint64_t) INT32_MAX || length > INT32_MAX) {
        return -EFBIG;
    }
    size_t fits = fitting(disk, node, offset, length);
    if (!fits) {
        return -ENOSPC;
    }
    size_t end = (size_t) offset + fits;
    if (end > node->size) {
        resize(disk, node, end);
    }
    memcpy(node->data + offset, data, fits);
    disk_note_write(disk, node, offset, data, fits);
    node->modified = node->changed = now;
    BJ_TEXT(name, BJ_DISK_PATH + 1);
    disk_name_of(disk, node, &name);
    disk_did(disk, "write %s: %zu bytes at %" PRIu64, name.start, fits, offset);
    return (int64_t) fits;
}

int bj_disk_truncate(bj_disk *disk, bj_disk_node *node, uint64_t size, int64_t now) {
    int problem = node->directory ? -EISDIR : disk_strikes(disk, BJ_DISK_WRITES);
    if (problem || size == node->size) {
        return problem;
    }
    if (size > (uint64_t) INT32_MAX) {
        return -EFBIG;
    }
    if (size > node->size && size - node->size > bj_disk_free_space(disk)) {
        return -ENOSPC;
    }
    resize(disk, node, (size_t) size);
    disk_note_truncation(disk, node, size);
    node->modified = node->changed = now;
    BJ_TEXT(name, BJ_DISK_PATH + 1);
    disk_name_of(disk, node, &name);
    disk_did(disk, "truncate %s to %" PRIu64 " bytes", name.start, size);
    return 0;
}

int bj_disk_sync(bj_disk *disk, bj_disk_node *node) {
    int problem = disk_strikes(disk, BJ_DISK_SYNCS);
    if (problem) {
        return problem;
    }
    if (node->directory) {
        disk_commit(disk, node);
    } else {
        disk_commit_data(disk, node);
        disk_commit_mode(disk, node);
    }
    BJ_TEXT(name, BJ_DISK_PATH + 1);
    disk_name_of(disk, node, &name);
    disk_did(disk, "sync %s", name.start);
    return 0;
}

int bj_disk_sync_all(bj_disk *disk) {
    int problem = disk_strikes(disk, BJ_DISK_SYNCS);
    if (problem) {
        return problem;
    }
    disk_commit(disk, NULL);
    for (bj_disk_node *node = disk->nodes; node; node = node->next) {
        disk_commit_data(disk, node);
    }
    disk_did(disk, "sync everything");
    return 0;
}
