/* SPDX-License-Identifier: Apache-2.0
 *
 * The client's output as the world hears it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "attach/child.h"
#include "attach/output.h"

enum { MEMORY = 1 << 22, LINE = 100 };

/* A client that has written a line whenever one was read; said of the clock, which is asked for every line. */
static int writer;

static bj_time writes_again(bj_world *world) {
    (void) world;
    char line[LINE];
    memset(line, 'x', LINE - 1);
    line[LINE - 1] = '\n';
    assert_int_equal(write(writer, line, LINE), LINE);
    return 0;
}

static size_t count_events(const bj_log *log) {
    bj_event event;
    size_t count = 0;
    for (size_t cursor = 0; bj_log_next(log, &cursor, &event); count++) {
    }
    return count;
}

static void the_world_goes_on_beside_a_flood(void **state) {
    (void) state;
    void *memory = aligned_alloc(16, MEMORY);
    assert_non_null(memory);
    int ends[2], other[2];
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    assert_int_equal(pipe2(other, O_NONBLOCK), 0);
    long room = fcntl(ends[0], F_GETPIPE_SZ);
    bj_shared shared = { .said = { ends[0], other[0] } };
    static const bj_world_ops ops = { .now = writes_again };
    bj_child child = {
        .shared = &shared, .arena = bj_arena_map(MEMORY), .log = bj_log_create(memory, MEMORY), .ops = &ops
    };
    bj_child_hears(&child);
    writer = ends[1];
    writes_again(NULL);
    assert_true(bj_child_hear(&child));
    assert_in_range(count_events(child.log), 1, (uintmax_t) (room / LINE) + 100);
    for (int i = 0; i < 2; i++) {
        close(ends[i]);
        close(other[i]);
    }
    bj_arena_unmap(child.arena);
    free(memory);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_world_goes_on_beside_a_flood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
