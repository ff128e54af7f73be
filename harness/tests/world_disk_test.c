/* SPDX-License-Identifier: Apache-2.0
 *
 * The simulated disk alone: what programs see of it, and every state in which a power cut may leave it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <errno.h>

#include "world/disk.h"
#include "world/random.h"

static bj_arena *arena;
static bj_disk *disk;

static int set_up(void **state) {
    (void) state;
    arena = bj_arena_map(64 << 20);
    assert_non_null(arena);
    disk = bj_disk_new(arena);
    return 0;
}

static int tear_down(void **state) {
    (void) state;
    bj_arena_unmap(arena);
    return 0;
}

/* --- a program's view ------------------------------------------------------------------------------------------ */

static bj_disk_node *opened(const char *path, int flags) {
    bj_disk_node *node = NULL;
    assert_int_equal(bj_disk_open(disk, path, flags, 0600, 1, &node), 0);
    return node;
}

static void put(bj_disk_node *node, const char *text) {
    assert_int_equal(bj_disk_write(disk, node, 0, text, strlen(text), 1), strlen(text));
}

/* A file of that content, synced or not. */
static void make(const char *path, const char *text, bool synced) {
    bj_disk_node *node = opened(path, O_WRONLY | O_CREAT | O_TRUNC);
    put(node, text);
    if (synced) {
        assert_int_equal(bj_disk_sync(disk, node), 0);
    }
    bj_disk_close(disk, node);
}

/* What the file holds; NULL: there is none. */
static const char *content(const char *path) {
    static char rooms[4][4096];
    static unsigned turn;
    char *room = rooms[turn++ % 4];
    int error;
    const bj_disk_node *node = bj_disk_find(disk, path, &error);
    if (!node) {
        return NULL;
    }
    int64_t length = bj_disk_read(disk, node, 0, room, sizeof rooms[0] - 1);
    assert_true(length >= 0);
    for (int64_t i = 0; i < length; i++) {
        room[i] = room[i] ? room[i] : '0';
    }
    room[length] = '\0';
    return room;
}

static void sync_directory(const char *path) {
    bj_disk_node *node = opened(path, O_RDONLY | O_DIRECTORY);
    assert_int_equal(bj_disk_sync(disk, node), 0);
    bj_disk_close(disk, node);
}

static const char *cut(uint32_t outcome) {
    static char room[2000];
    bj_text how = bj_text_over(room, sizeof room);
    assert_true(outcome < bj_disk_outcomes(disk));
    bj_disk_cut(disk, outcome, &how);
    assert_int_equal(bj_disk_outcomes(disk), 1);
    return room;
}

static void files(void **state) {
    (void) state;
    bj_disk_node *node = opened("a", O_RDWR | O_CREAT);
    put(node, "hello");
    assert_int_equal(bj_disk_write(disk, node, 3, "p me", 4, 2), 4);
    assert_int_equal(bj_disk_write(disk, node, 9, "x", 1, 3), 1);
    assert_string_equal(content("a"), "help me00x");
    assert_int_equal(bj_disk_truncate(disk, node, 4, 4), 0);
    assert_string_equal(content("a"), "help");
    bj_disk_status status;
    bj_disk_stat(node, &status);
    assert_int_equal(status.size, 4);
    assert_int_equal(status.mode, 0600);
    assert_int_equal(status.links, 1);
    assert_int_equal(status.modified, 4);
    assert_false(status.directory);
    char bytes[8];
    assert_int_equal(bj_disk_read(disk, node, 2, bytes, sizeof bytes), 2);
    assert_int_equal(bj_disk_read(disk, node, 4, bytes, sizeof bytes), 0);
    assert_int_equal(bj_disk_read(disk, node, UINT64_MAX, bytes, sizeof bytes), 0);
    assert_int_equal(bj_disk_write(disk, node, UINT64_MAX - 3, "abcd", 4, 1), -EFBIG);
    assert_int_equal(bj_disk_unlink(disk, "a", 5), 0);
    assert_null(content("a"));
    assert_int_equal(bj_disk_read(disk, node, 0, bytes, sizeof bytes), 4); /* open, without a name */
    bj_disk_close(disk, node);
}

static void names(void **state) {
    (void) state;
    assert_int_equal(bj_disk_mkdir(disk, "d", 0755, 1), 0);
    assert_int_equal(bj_disk_mkdir(disk, "d/e", 0700, 1), 0);
    make("d/e/f", "1", false);
    assert_string_equal(content("d/./e/../e//f"), "1");
    assert_string_equal(content("../../d/e/f"), "1");
    assert_int_equal(bj_disk_link(disk, "d/e/f", "g", 1), 0);
    assert_int_equal(bj_disk_rename(disk, "d/e", "h", false, 1), 0);
    assert_string_equal(content("h/f"), "1");
    assert_null(content("d/e/f"));
    make("k", "2", false);
    assert_int_equal(bj_disk_rename(disk, "k", "g", true, 1), -EEXIST);
    assert_int_equal(bj_disk_rename(disk, "k", "g", false, 1), 0);
    assert_string_equal(content("g"), "2");
    assert_string_equal(content("h/f"), "1");
    int error;
    const bj_disk_node *root = bj_disk_find(disk, "", &error);
    uint64_t place = 0;
    assert_string_equal(bj_disk_entry(root, &place, NULL), "d");
    assert_string_equal(bj_disk_entry(root, &place, NULL), "h");
    assert_string_equal(bj_disk_entry(root, &place, NULL), "g");
    assert_null(bj_disk_entry(root, &place, NULL));
    BJ_TEXT(path, 100);
    assert_true(bj_disk_path(disk, bj_disk_find(disk, "h/f", &error), &path));
    assert_string_equal(path.start, "h/f");
    assert_int_equal(bj_disk_rmdir(disk, "d", 1), 0);
}

static void what_is_refused(void **state) {
    (void) state;
    bj_disk_node *node;
    make("f", "1", false);
    assert_int_equal(bj_disk_mkdir(disk, "d", 0700, 1), 0);
    make("d/f", "1", false);
    assert_int_equal(bj_disk_open(disk, "none", O_RDONLY, 0, 1, &node), -ENOENT);
    assert_int_equal(bj_disk_open(disk, "f/g", O_RDONLY, 0, 1, &node), -ENOTDIR);
    assert_int_equal(bj_disk_open(disk, "f/", O_RDONLY, 0, 1, &node), -ENOTDIR);
    assert_int_equal(bj_disk_open(disk, "none/f", O_CREAT, 0600, 1, &node), -ENOENT);
    assert_int_equal(bj_disk_open(disk, "f", O_CREAT | O_EXCL, 0600, 1, &node), -EEXIST);
    assert_int_equal(bj_disk_open(disk, "f", O_DIRECTORY, 0, 1, &node), -ENOTDIR);
    assert_int_equal(bj_disk_open(disk, "d", O_WRONLY, 0, 1, &node), -EISDIR);
    assert_int_equal(bj_disk_mkdir(disk, "f", 0700, 1), -EEXIST);
    assert_int_equal(bj_disk_unlink(disk, "d", 1), -EISDIR);
    assert_int_equal(bj_disk_rmdir(disk, "d", 1), -ENOTEMPTY);
    assert_int_equal(bj_disk_rmdir(disk, "f", 1), -ENOTDIR);
    assert_int_equal(bj_disk_rmdir(disk, "", 1), -EBUSY);
    assert_int_equal(bj_disk_rename(disk, "f", "d", false, 1), -EISDIR);
    assert_int_equal(bj_disk_rename(disk, "d", "f", false, 1), -ENOTDIR);
    assert_int_equal(bj_disk_rename(disk, "d", "d/e", false, 1), -EINVAL);
    assert_int_equal(bj_disk_rename(disk, "", "x", false, 1), -EBUSY);
    assert_int_equal(bj_disk_link(disk, "d", "x", 1), -EPERM);
    char name[BJ_DISK_NAME + 2];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(bj_disk_open(disk, name, O_CREAT, 0600, 1, &node), -ENAMETOOLONG);
}

static void permissions(void **state) {
    (void) state;
    make("f", "1", true);
    bj_disk_node *node = opened("f", O_RDONLY);
    assert_int_equal(bj_disk_chmod(disk, node, 0400, 1), 0);
    bj_disk_close(disk, node);
    assert_int_equal(bj_disk_access(disk, "f", R_OK), 0);
    assert_int_equal(bj_disk_access(disk, "f", W_OK), -EACCES);
    assert_int_equal(bj_disk_access(disk, "none", F_OK), -ENOENT);
    assert_int_equal(bj_disk_open(disk, "f", O_RDWR, 0, 1, &node), -EACCES);
    assert_int_equal(bj_disk_mkdir(disk, "d", 0500, 1), 0);
    assert_int_equal(bj_disk_open(disk, "d/f", O_CREAT, 0600, 1, &node), -EACCES);
    assert_int_equal(bj_disk_rename(disk, "f", "d/f", false, 1), -EACCES);
    assert_int_equal(bj_disk_mkdir(disk, "closed", 0600, 1), 0);
    assert_int_equal(bj_disk_access(disk, "closed/f", F_OK), -EACCES);
}

static void space(void **state) {
    (void) state;
    bj_disk_set_space(disk, 10);
    bj_disk_node *node = opened("f", O_WRONLY | O_CREAT);
    assert_int_equal(bj_disk_write(disk, node, 0, "01234567", 8, 1), 8);
    assert_int_equal(bj_disk_write(disk, node, 8, "abcd", 4, 1), 2);
    assert_int_equal(bj_disk_write(disk, node, 10, "e", 1, 1), -ENOSPC);
    assert_int_equal(bj_disk_write(disk, node, 0, "X", 1, 1), 1); /* over what is there */
    assert_int_equal(bj_disk_truncate(disk, node, 11, 1), -ENOSPC);
    assert_string_equal(content("f"), "X1234567ab");
    bj_disk_close(disk, node);
    assert_int_equal(bj_disk_free_space(disk), 0);
    bj_disk_unlink(disk, "f", 1);
    assert_int_equal(bj_disk_free_space(disk), 10);
}

static void failures(void **state) {
    (void) state;
    bj_disk_node *node = opened("f", O_WRONLY | O_CREAT);
    bj_disk_fail(disk, BJ_DISK_WRITES, EIO, 1, 2);
    put(node, "a");
    assert_int_equal(bj_disk_write(disk, node, 0, "b", 1, 1), -EIO);
    assert_int_equal(bj_disk_truncate(disk, node, 0, 1), -EIO);
    put(node, "c");
    bj_disk_fail(disk, BJ_DISK_ANY, EROFS, 0, UINT32_MAX);
    assert_int_equal(bj_disk_sync(disk, node), -EROFS);
    assert_int_equal(bj_disk_rename(disk, "f", "g", false, 1), -EROFS);
    assert_int_equal(bj_disk_unlink(disk, "f", 1), -EROFS);
    bj_disk_mend(disk);
    assert_int_equal(bj_disk_sync(disk, node), 0);
    bj_disk_close(disk, node);
}

/* --- after a cut ----------------------------------------------------------------------------------------------- */

static void what_was_synced_stays(void **state) {
    (void) state;
    make("f", "hello", true);
    sync_directory("");
    assert_int_equal(bj_disk_outcomes(disk), 1);
    assert_string_equal(cut(0), "everything was synced");
    assert_string_equal(content("f"), "hello");
}

static void a_file_without_sync_may_be_anything(void **state) {
    (void) state;
    make("f", "", false);
    sync_directory("");
    make("f", "hello", false);
    uint32_t outcomes = bj_disk_outcomes(disk);
    assert_int_equal(outcomes, 6);
    static const char *const expected[] = { "hello", "", "00000", "h", "he", "hell" };
    for (uint32_t i = 0; i < outcomes; i++) {
        make("f", "", true);
        make("f", "hello", false);
        cut(i);
        assert_string_equal(content("f"), expected[i]);
    }
}

static void several_writes(void **state) {
    (void) state;
    make("f", "......", true);
    sync_directory("");
    unsigned seen = 0;
    uint32_t outcomes = 2;
    for (uint32_t i = 0; i < outcomes; i++) {
        make("f", "......", true);
        bj_disk_node *node = opened("f", O_RDWR);
        bj_disk_write(disk, node, 0, "aa", 2, 1);
        bj_disk_write(disk, node, 4, "bb", 2, 1);
        bj_disk_close(disk, node);
        outcomes = bj_disk_outcomes(disk);
        cut(i);
        static const char *const lawful[] = { "aa..bb", "......", "a.....", "....bb", "aa....", "aa..b." };
        for (unsigned n = 0; n < 6; n++) {
            seen |= strcmp(content("f"), lawful[n]) == 0 ? 1U << n : 0;
        }
    }
    assert_int_equal(seen, 63);
    assert_int_equal(outcomes, 6);
}

static void sectors(void **state) {
    (void) state;
    make("f", "", true);
    sync_directory("");
    bool seen[1600] = { false };
    uint32_t outcomes = 2;
    for (uint32_t i = 0; i < outcomes; i++) {
        make("f", "", true);
        bj_disk_node *node = opened("f", O_RDWR);
        char bytes[1500];
        memset(bytes, 'x', sizeof bytes);
        bj_disk_write(disk, node, 100, bytes, sizeof bytes, 1);
        bj_disk_close(disk, node);
        outcomes = bj_disk_outcomes(disk);
        cut(i);
        const char *kept = content("f");
        const char *end = strrchr(kept, 'x');
        seen[end ? end - kept : 0] = true;
    }
    static const int boundaries[] = { 511, 1023, 1535 };
    for (int i = 0; i < 3; i++) {
        assert_true(seen[boundaries[i]]);
    }
}

static void names_are_undone_in_order(void **state) {
    (void) state;
    make("old", "1", true);
    sync_directory("");
    uint32_t outcomes = 2;
    for (uint32_t i = 0; i < outcomes; i++) {
        uint32_t lost = i == 1 ? 3 : i == 3 ? 1 : i; /* number 1 is always that nothing is kept */
        make("a", "2", true);
        bj_disk_rename(disk, "a", "old", false, 1);
        bj_disk_unlink(disk, "old", 1);
        outcomes = bj_disk_outcomes(disk);
        assert_int_equal(outcomes, 4); /* three changes: none to all of them lost */
        cut(i);
        assert_int_equal(content("a") != NULL, lost == 2);
        const char *kept = content("old");
        assert_string_equal(kept ? kept : "-", lost == 0 ? "-" : lost == 1 ? "2" : "1");
        make("old", "1", true);
        bj_disk_unlink(disk, "a", 1);
        bj_disk_sync_all(disk);
    }
}

static void syncing_a_directory_commits_what_came_before(void **state) {
    (void) state;
    assert_int_equal(bj_disk_mkdir(disk, "d", 0700, 1), 0);
    make("f", "1", true);
    make("d/g", "2", true);
    make("h", "3", true);
    sync_directory("d"); /* its name and f's came before g's */
    assert_int_equal(bj_disk_outcomes(disk), 2);
    cut(1);
    assert_string_equal(content("f"), "1");
    assert_string_equal(content("d/g"), "2");
    assert_null(content("h"));
}

static void a_rename_may_outlive_its_data(void **state) {
    (void) state;
    make("f", "old", true);
    sync_directory("");
    make("f.new", "new", false);
    bj_disk_rename(disk, "f.new", "f", false, 1);
    bool empty = false, old = false, whole = false;
    uint32_t outcomes = bj_disk_outcomes(disk);
    for (uint32_t i = 0; i < outcomes; i++) {
        tear_down(NULL);
        set_up(NULL);
        make("f", "old", true);
        sync_directory("");
        make("f.new", "new", false);
        bj_disk_rename(disk, "f.new", "f", false, 1);
        cut(i);
        empty |= !*content("f");
        old |= strcmp(content("f"), "old") == 0;
        whole |= strcmp(content("f"), "new") == 0;
    }
    assert_true(empty && old && whole);
}

static void modes(void **state) {
    (void) state;
    make("f", "1", true);
    sync_directory("");
    bj_disk_node *node = opened("f", O_RDONLY);
    bj_disk_chmod(disk, node, 0644, 1);
    bj_disk_close(disk, node);
    cut(1);
    int error;
    bj_disk_status status;
    bj_disk_stat(bj_disk_find(disk, "f", &error), &status);
    assert_int_equal(status.mode, 0600);
    node = opened("f", O_RDONLY);
    bj_disk_chmod(disk, node, 0640, 1);
    bj_disk_sync(disk, node);
    bj_disk_close(disk, node);
    cut(0);
    bj_disk_stat(bj_disk_find(disk, "f", &error), &status);
    assert_int_equal(status.mode, 0640);
}

/* --- the usual way of replacing a file, with a step left out ---------------------------------------------------- */

typedef enum left_out { NOTHING, FILE_SYNC, DIRECTORY_SYNC } left_out;

/* So many operations of it; how many there are. */
static unsigned replace(unsigned operations, left_out out) {
    uint64_t before = bj_disk_operations(disk);
    bj_disk_node *node = NULL;
    for (unsigned step = 0; step < 5 && bj_disk_operations(disk) - before < operations; step++) {
        switch (step) {
        case 0:
            node = opened("f.new", O_WRONLY | O_CREAT | O_EXCL);
            break;
        case 1:
            put(node, "new accounts");
            break;
        case 2:
            if (out != FILE_SYNC) {
                bj_disk_sync(disk, node);
            }
            break;
        case 3:
            bj_disk_rename(disk, "f.new", "f", false, 1);
            break;
        default:
            if (out != DIRECTORY_SYNC) {
                sync_directory("");
            }
        }
    }
    return (unsigned) (bj_disk_operations(disk) - before);
}

/* Whether any cut within it leaves the file damaged, and whether one behind it may leave the old one. */
static void try_all_cuts(left_out out, bool *damaged, bool *old_at_the_end) {
    unsigned steps = 1;
    *damaged = *old_at_the_end = false;
    for (unsigned n = 1; n <= steps; n++) {
        uint32_t outcomes = 1;
        for (uint32_t i = 0; i < outcomes; i++) {
            tear_down(NULL);
            set_up(NULL);
            make("f", "old accounts", true);
            sync_directory("");
            steps = n == 1 && i == 0 ? 5 - (out != NOTHING) : steps;
            assert_int_equal(replace(n, out), n);
            outcomes = bj_disk_outcomes(disk);
            cut(i);
            const char *kept = content("f");
            bool old = kept && !strcmp(kept, "old accounts"), new = kept && !strcmp(kept, "new accounts");
            *damaged |= !old && !new;
            *old_at_the_end |= n == steps && old;
        }
    }
}

static void replacing_a_file(void **state) {
    (void) state;
    bool damaged, old_at_the_end;
    try_all_cuts(NOTHING, &damaged, &old_at_the_end);
    assert_false(damaged || old_at_the_end);
    try_all_cuts(FILE_SYNC, &damaged, &old_at_the_end);
    assert_true(damaged);
    try_all_cuts(DIRECTORY_SYNC, &damaged, &old_at_the_end);
    assert_true(!damaged && old_at_the_end);
}

/* --- choosing --------------------------------------------------------------------------------------------------- */

static void choosing(void **state) {
    (void) state;
    make("f", "", true);
    sync_directory("");
    assert_int_equal(bj_disk_choose(disk, BJ_DISK_KEEPS_NONE, 7), 0);
    make("f", "hello", false);
    assert_int_equal(bj_disk_choose(disk, BJ_DISK_KEEPS_ALL, 7), 0);
    assert_int_equal(bj_disk_choose(disk, BJ_DISK_KEEPS_NONE, 7), 1);
    for (uint64_t random = 0; random < 50; random++) {
        assert_true(bj_disk_choose(disk, BJ_DISK_KEEPS_DRAWN, random) < 6);
        assert_in_range(bj_disk_choose(disk, BJ_DISK_KEEPS_TORN, random), 2, 5);
    }
}

/* --- anything at all: a cut that keeps everything changes nothing, one that keeps nothing is the last sync ------- */

static void act_at_random(bj_rng *rng) {
    static const char *const paths[] = { "a", "b", "d/a", "d/b", "d" };
    const char *path = paths[bj_rng_below(rng, 5)], *other = paths[bj_rng_below(rng, 5)];
    bj_disk_node *node;
    switch (bj_rng_below(rng, 7)) {
    case 0:
        bj_disk_unlink(disk, path, 1);
        break;
    case 1:
        bj_disk_rename(disk, path, other, false, 1);
        break;
    case 2:
        bj_disk_mkdir(disk, "d", 0700, 1);
        break;
    case 3:
        bj_disk_rmdir(disk, path, 1);
        break;
    case 4:
        bj_disk_link(disk, path, other, 1);
        break;
    default:
        if (bj_disk_open(disk, path, O_RDWR | O_CREAT, 0600, 1, &node) == 0) {
            char bytes[40];
            memset(bytes, (int) ('a' + bj_rng_below(rng, 26)), sizeof bytes);
            bj_disk_write(disk, node, bj_rng_below(rng, 60), bytes, bj_rng_below(rng, sizeof bytes), 1);
            bj_disk_truncate(disk, node, bj_rng_below(rng, 80), 1);
            bj_disk_close(disk, node);
        }
    }
}

static void picture(char *room, size_t size) {
    static const char *const paths[] = { "a", "b", "d/a", "d/b" };
    bj_text text = bj_text_over(room, size);
    for (size_t i = 0; i < 4; i++) {
        int error;
        const bj_disk_node *node = bj_disk_find(disk, paths[i], &error);
        bj_disk_status status = { 0 };
        if (node) {
            bj_disk_stat(node, &status);
        }
        const char *kept = node && !status.directory ? content(paths[i]) : "-";
        bj_text_printf(&text, "%s=%d/%u %s\n", paths[i], node ? (int) status.directory : -1, status.links, kept);
    }
}

static void anything_at_all(void **state) {
    (void) state;
    char before[2000], after[2000];
    for (uint64_t seed = 0; seed < 2000; seed++) {
        bj_rng rng;
        bj_rng_seed(&rng, seed, 1);
        for (unsigned i = 0; i < bj_rng_below(&rng, 30); i++) {
            act_at_random(&rng);
        }
        picture(before, sizeof before);
        if (seed % 2) {
            cut(0);
        } else {
            bj_disk_sync_all(disk);
            for (unsigned i = 0; i < bj_rng_below(&rng, 20); i++) {
                act_at_random(&rng);
            }
            cut(bj_disk_choose(disk, BJ_DISK_KEEPS_NONE, 0));
        }
        picture(after, sizeof after);
        assert_string_equal(before, after);
    }
}

static void every_number_is_a_state(void **state) {
    (void) state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        uint32_t outcomes = 1;
        for (uint32_t i = 0; i < outcomes && i < 60; i++) {
            tear_down(NULL);
            set_up(NULL);
            bj_rng rng;
            bj_rng_seed(&rng, seed, 2);
            for (unsigned n = 0; n < 8; n++) {
                act_at_random(&rng);
            }
            outcomes = bj_disk_outcomes(disk);
            bj_rng_seed(&rng, i, 3);
            assert_true(*cut((uint32_t) bj_rng_below(&rng, outcomes)));
        }
    }
}

static void nothing_is_kept_of_what_is_gone(void **state) {
    (void) state;
    bj_disk_sync_all(disk);
    size_t before = bj_arena_in_use(arena);
    for (int i = 0; i < 50; i++) {
        bj_disk_mkdir(disk, "d", 0700, 1);
        make("d/f", "hello", i % 2);
        bj_disk_rename(disk, "d/f", "g", false, 1);
        bj_disk_unlink(disk, "g", 1);
        bj_disk_rmdir(disk, "d", 1);
        if (i % 3) {
            cut(bj_disk_choose(disk, BJ_DISK_KEEPS_ALL, 0));
        } else {
            bj_disk_sync_all(disk);
        }
    }
    assert_int_equal(bj_arena_in_use(arena), before);
}

#define on_a_disk(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        on_a_disk(files),
        on_a_disk(names),
        on_a_disk(what_is_refused),
        on_a_disk(permissions),
        on_a_disk(space),
        on_a_disk(failures),
        on_a_disk(what_was_synced_stays),
        on_a_disk(a_file_without_sync_may_be_anything),
        on_a_disk(several_writes),
        on_a_disk(sectors),
        on_a_disk(names_are_undone_in_order),
        on_a_disk(syncing_a_directory_commits_what_came_before),
        on_a_disk(a_rename_may_outlive_its_data),
        on_a_disk(modes),
        on_a_disk(replacing_a_file),
        on_a_disk(choosing),
        on_a_disk(anything_at_all),
        on_a_disk(every_number_is_a_state),
        on_a_disk(nothing_is_kept_of_what_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
