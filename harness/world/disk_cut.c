/* SPDX-License-Identifier: Apache-2.0
 *
 * What a power cut leaves of the simulated disk: the changes of names that are not synced, in order; the writes to each
 * file since its last sync; the states in which they may be found afterwards, each with a number.
 *
 * A number is written in mixed radix: first how many changes of names are lost, then one digit for each file that has
 * writes pending: 0 all kept, 1 none, then the torn ones. So 0 is the state that programs saw.
 */
#include <assert.h>
#include <string.h>

#include "world/disk_internal.h"

enum { MOST_TORN = 16 /* positions tried in one write */, MOST_WRITES = 64 /* kept apart for one file */ };

/* --- what is pending ------------------------------------------------------------------------------------------ */

static char *copied(bj_disk *disk, const char *text) {
    return text ? bj_arena_strdup(disk->arena, text) : NULL;
}

static void hold(bj_disk_node *node) {
    if (node) {
        node->holds++;
    }
}

static void let_go(bj_disk *disk, bj_disk_node *node) {
    if (node) {
        node->holds--;
        disk_release(disk, node);
    }
}

void disk_note_change(bj_disk *disk, const disk_change *change) {
    disk_change *c = bj_arena_copy(disk->arena, change, sizeof *change);
    c->from_name = copied(disk, change->from_name);
    c->to_name = copied(disk, change->to_name);
    c->next = NULL;
    c->earlier = disk->last;
    *(disk->last ? &disk->last->next : &disk->first) = c;
    disk->last = c;
    hold(c->node);
    hold(c->from);
    hold(c->to);
    hold(c->replaced);
}

static void drop_change(bj_disk *disk, disk_change *c) {
    *(c->earlier ? &c->earlier->next : &disk->first) = c->next;
    *(c->next ? &c->next->earlier : &disk->last) = c->earlier;
    let_go(disk, c->node);
    let_go(disk, c->from);
    let_go(disk, c->to);
    let_go(disk, c->replaced);
    bj_arena_free(disk->arena, c->from_name);
    bj_arena_free(disk->arena, c->to_name);
    bj_arena_free(disk->arena, c);
}

static void append_write(bj_disk_node *node, disk_write *write) {
    *(node->last ? &node->last->next : &node->first) = write;
    node->last = write;
}

static size_t count_writes(const bj_disk_node *node) {
    size_t count = 0;
    for (const disk_write *w = node->first; w; w = w->next) {
        count++;
    }
    return count;
}

static void free_write(bj_disk *disk, disk_write *write) {
    bj_arena_free(disk->arena, write->data);
    bj_arena_free(disk->arena, write);
}

/* Content that is being put together. */
typedef struct content {
    uint8_t *data;
    size_t size, room;
} content;

static void resize(bj_disk *disk, content *c, size_t size) {
    if (size > c->room) {
        c->room = size;
        c->data = bj_arena_realloc(disk->arena, c->data, size);
    }
    if (size > c->size) {
        memset(c->data + c->size, 0, size - c->size);
    }
    c->size = size;
}

static void apply(bj_disk *disk, content *c, const disk_write *write, size_t length) {
    if (write->truncates) {
        resize(disk, c, (size_t) write->offset);
        return;
    }
    size_t end = (size_t) write->offset + length;
    if (end > c->size) {
        resize(disk, c, end);
    }
    memcpy(c->data + write->offset, write->data, length);
}

static content synced_content(bj_disk *disk, const bj_disk_node *node) {
    content c = { 0 };
    resize(disk, &c, node->synced_size);
    if (node->synced_size) {
        memcpy(c.data, node->synced, node->synced_size);
    }
    return c;
}

static void set_synced(bj_disk *disk, bj_disk_node *node, const uint8_t *data, size_t size) {
    node->synced = bj_arena_realloc(disk->arena, node->synced, size ? size : 1);
    if (size) {
        memcpy(node->synced, data, size);
    }
    node->synced_size = size;
}

/* Programs that never sync: their oldest writes count as done. */
static void bound(bj_disk *disk, bj_disk_node *node) {
    if (count_writes(node) <= MOST_WRITES) {
        return;
    }
    content c = synced_content(disk, node);
    disk_write *oldest = node->first;
    apply(disk, &c, oldest, oldest->length);
    set_synced(disk, node, c.data, c.size);
    node->first = oldest->next;
    free_write(disk, oldest);
    bj_arena_free(disk->arena, c.data);
}

/* A write behind the last one that goes on where that ended is a part of it. */
static bool joins(bj_disk *disk, const bj_disk_node *node, uint64_t offset, const uint8_t *data, size_t length) {
    disk_write *last = node->last;
    if (!last || last->truncates || last->offset + last->length != offset || count_writes(node) < 2) {
        return false;
    }
    last->data = bj_arena_realloc(disk->arena, last->data, last->length + length);
    memcpy(last->data + last->length, data, length);
    last->length += length;
    return true;
}

void disk_note_write(bj_disk *disk, bj_disk_node *node, uint64_t offset, const uint8_t *data, size_t length) {
    if (count_writes(node) >= MOST_WRITES / 2 && joins(disk, node, offset, data, length)) {
        return;
    }
    disk_write *write = bj_arena_alloc(disk->arena, sizeof *write);
    *write = (disk_write){ .offset = offset, .length = length };
    write->data = bj_arena_copy(disk->arena, data, length);
    append_write(node, write);
    bound(disk, node);
}

void disk_note_truncation(bj_disk *disk, bj_disk_node *node, uint64_t size) {
    disk_write *write = bj_arena_alloc(disk->arena, sizeof *write);
    *write = (disk_write){ .offset = size, .truncates = true };
    append_write(node, write);
    bound(disk, node);
}

void disk_forget_writes(bj_disk *disk, bj_disk_node *node) {
    while (node->first) {
        disk_write *first = node->first;
        node->first = first->next;
        free_write(disk, first);
    }
    node->last = NULL;
}

/* --- syncing -------------------------------------------------------------------------------------------------- */

void disk_commit(bj_disk *disk, const bj_disk_node *directory) {
    disk_change *last = disk->last;
    while (last && directory && last->from != directory && last->to != directory) {
        last = last->earlier;
    }
    while (last) {
        bool all = disk->first == last;
        drop_change(disk, disk->first);
        last = all ? NULL : last;
    }
}

void disk_commit_mode(bj_disk *disk, const bj_disk_node *node) {
    for (disk_change *c = disk->first, *next; c; c = next) {
        next = c->next;
        if (c->kind == DISK_SETS_MODE && c->node == node) {
            drop_change(disk, c);
        }
    }
}

void disk_commit_data(bj_disk *disk, bj_disk_node *node) {
    if (node->first) {
        set_synced(disk, node, node->data, node->size);
        disk_forget_writes(disk, node);
    }
}

/* --- states of one file --------------------------------------------------------------------------------------- */

/* Where a write can be torn: so many of its bytes are kept. Returns how many positions there are. */
static size_t tears(const disk_write *write, bool is_first, size_t positions[MOST_TORN]) {
    size_t count = 0;
    const size_t usual[] = { 1, write->length / 2, write->length - 1 };
    if (!is_first) {
        positions[count++] = 0; /* none of it, all of those before it; of the first that is the same as none at all */
    }
    for (size_t i = 0; i < 3 && !write->truncates; i++) {
        bool known = usual[i] == 0 || usual[i] >= write->length;
        for (size_t n = 0; n < count; n++) {
            known = known || positions[n] == usual[i];
        }
        if (!known) {
            positions[count++] = usual[i];
        }
    }
    size_t first = BJ_DISK_SECTOR - (size_t) (write->offset % BJ_DISK_SECTOR);
    for (size_t at = first; !write->truncates && at < write->length && count < MOST_TORN; at += BJ_DISK_SECTOR) {
        if (at != 1 && at != write->length / 2 && at != write->length - 1) {
            positions[count++] = at;
        }
    }
    return count;
}

/* One of the states of a file with writes pending. */
typedef struct file_state {
    enum { KEEPS_ALL, KEEPS_NONE, KEEPS_LENGTH, TORN, ONE_MISSING } kind;
    size_t write; /* the number of the one that is torn or missing */
    size_t bytes; /* that are kept of it */
} file_state;

static bool can_keep_length(const bj_disk_node *node) {
    return node->size > node->synced_size;
}

/* The state of that number; false: there is none. */
static bool state_of(const bj_disk_node *node, uint32_t number, file_state *state) {
    size_t torn[MOST_TORN], at = 0, count = count_writes(node);
    *state = (file_state){ .kind = number == 0 ? KEEPS_ALL : KEEPS_NONE };
    if (number < 2) {
        return true;
    }
    number -= 2;
    if (can_keep_length(node) && number-- == 0) {
        state->kind = KEEPS_LENGTH;
        return true;
    }
    for (const disk_write *w = node->first; w; w = w->next, at++) {
        uint32_t positions = (uint32_t) tears(w, at == 0, torn);
        bool missing = count > 1 && at + 1 < count;
        if (number < positions) {
            *state = (file_state){ TORN, at, torn[number] };
            return true;
        }
        number -= positions;
        if (missing && number-- == 0) {
            *state = (file_state){ ONE_MISSING, at, 0 };
            return true;
        }
    }
    return false;
}

static uint32_t states_of(const bj_disk_node *node) {
    file_state state;
    uint32_t count = 2;
    while (state_of(node, count, &state)) {
        count++;
    }
    return count;
}

static void settle_data(bj_disk *disk, bj_disk_node *node, const file_state *state) {
    content c = synced_content(disk, node);
    size_t at = 0;
    for (const disk_write *w = node->first; w; w = w->next, at++) {
        bool whole = state->kind == KEEPS_ALL || (state->kind == TORN && at < state->write) ||
                     (state->kind == ONE_MISSING && at != state->write);
        if (whole) {
            apply(disk, &c, w, w->length);
        } else if (state->kind == TORN && at == state->write) {
            apply(disk, &c, w, state->bytes);
        }
    }
    if (state->kind == KEEPS_LENGTH) {
        resize(disk, &c, node->size);
    }
    disk_set_data(disk, node, c.data, c.size);
    set_synced(disk, node, c.data, c.size);
    disk_forget_writes(disk, node);
    bj_arena_free(disk->arena, c.data);
}

static void tell_state(const bj_disk *disk, const bj_disk_node *node, const file_state *state, bj_text *how) {
    static const char *const words[] = { "kept", "lost", "its length alone is kept", "torn",
                                         "one write of it is lost" };
    bj_text_add(how, how->used ? "; " : "");
    disk_name_of(disk, node, how);
    bj_text_printf(how, ": what was not synced is %s", words[state->kind]);
    if (state->kind == TORN) {
        bj_text_printf(how, " behind byte %zu of write %zu", state->bytes, state->write + 1);
    }
}

/* --- states of the disk --------------------------------------------------------------------------------------- */

static uint32_t pending_changes(const bj_disk *disk) {
    uint32_t count = 0;
    for (const disk_change *c = disk->first; c; c = c->next) {
        count++;
    }
    return count;
}

/* Can its content be found again after a cut? */
static bool counts(const bj_disk_node *node) {
    return node->first && (node->links || node->holds);
}

uint32_t bj_disk_outcomes(const bj_disk *disk) {
    uint64_t outcomes = pending_changes(disk) + 1;
    for (const bj_disk_node *node = disk->nodes; node && outcomes < BJ_DISK_OUTCOMES; node = node->next) {
        outcomes *= counts(node) ? states_of(node) : 1;
    }
    return outcomes < BJ_DISK_OUTCOMES ? (uint32_t) outcomes : BJ_DISK_OUTCOMES;
}

static void undo(bj_disk *disk, disk_change *c) {
    switch ((disk_change_kind) c->kind) {
    case DISK_ADDS:
        disk_leave(disk, c->from, c->from_name);
        break;
    case DISK_REMOVES:
        disk_enter(disk, c->from, c->from_name, c->node);
        break;
    case DISK_MOVES:
        disk_leave(disk, c->to, c->to_name);
        if (c->replaced) {
            disk_enter(disk, c->to, c->to_name, c->replaced);
        }
        disk_enter(disk, c->from, c->from_name, c->node);
        break;
    case DISK_SETS_MODE:
        c->node->mode = c->mode;
        break;
    }
    drop_change(disk, c);
}

static void settle_names(bj_disk *disk, uint32_t lost, bj_text *how) {
    uint32_t pending = pending_changes(disk);
    if (pending) {
        bj_text_printf(how, "of %u changes of names the last %u are lost", pending, lost);
    }
    while (lost--) {
        undo(disk, disk->last);
    }
    disk_commit(disk, NULL);
}

/* The digits of an outcome: `next` takes them out one by one. Outcome 1 is "nothing is kept", so that it takes the
 * place of the one that would have that number. */
typedef struct digits {
    uint64_t rest;
    bool none;
} digits;

static digits digits_of(const bj_disk *disk, uint32_t outcome) {
    digits d = { .rest = outcome, .none = outcome == 1 };
    uint64_t none = 0, weight = 1;
    none += pending_changes(disk);
    weight *= pending_changes(disk) + 1;
    for (const bj_disk_node *node = disk->nodes; node; node = node->next) {
        if (counts(node) && weight < BJ_DISK_OUTCOMES) {
            none += weight;
            weight *= states_of(node);
        }
    }
    if (outcome > 1 && outcome == none) {
        d.rest = 1; /* what number 1 would have been */
    }
    return d;
}

static uint32_t take_digit(digits *d, uint32_t radix, uint32_t for_none) {
    uint32_t digit = d->none ? for_none : (uint32_t) (d->rest % radix);
    d->rest /= radix;
    return digit;
}

/* Files without a name, which only programs had kept. */
static void release_all(bj_disk *disk) {
    for (bj_disk_node *node = disk->nodes, *next; node; node = next) {
        next = node->next;
        disk_release(disk, node);
    }
}

void bj_disk_cut(bj_disk *disk, uint32_t outcome, bj_text *how) {
    digits d = digits_of(disk, outcome);
    uint32_t pending = pending_changes(disk);
    uint32_t lost = take_digit(&d, pending + 1, pending);
    for (bj_disk_node *node = disk->nodes; node; node = node->next) {
        node->users = 0;
        if (counts(node)) {
            file_state state;
            bool known = state_of(node, take_digit(&d, states_of(node), 1), &state);
            assert(known);
            (void) known;
            tell_state(disk, node, &state, how);
            settle_data(disk, node, &state);
        }
    }
    BJ_TEXT(names, 100);
    settle_names(disk, lost, &names);
    bj_text_printf(how, "%s%s", how->used && names.used ? "; " : "", names.start);
    if (!how->used) {
        bj_text_add(how, "everything was synced");
    }
    release_all(disk);
    disk->cuts++;
}

/* --- choosing ------------------------------------------------------------------------------------------------- */

/* Is a write torn in that state (or one of several missing, or a length kept without its bytes)? */
static bool is_torn(const bj_disk *disk, uint32_t outcome) {
    digits d = digits_of(disk, outcome);
    take_digit(&d, pending_changes(disk) + 1, 0);
    for (const bj_disk_node *node = disk->nodes; node; node = node->next) {
        if (counts(node) && take_digit(&d, states_of(node), 1) > 1) {
            return true;
        }
    }
    return false;
}

uint32_t bj_disk_choose(const bj_disk *disk, bj_disk_keeps keeps, uint64_t random) {
    uint32_t outcomes = bj_disk_outcomes(disk), drawn = (uint32_t) (random % outcomes);
    if (keeps == BJ_DISK_KEEPS_ALL) {
        return 0;
    }
    if (keeps == BJ_DISK_KEEPS_NONE) {
        return outcomes > 1 ? 1 : 0;
    }
    for (uint32_t tried = 0; keeps == BJ_DISK_KEEPS_TORN && tried < outcomes && tried < 10000; tried++) {
        uint32_t outcome = (uint32_t) (((uint64_t) drawn + tried) % outcomes);
        if (is_torn(disk, outcome)) {
            return outcome;
        }
    }
    return drawn;
}
