/* SPDX-License-Identifier: Apache-2.0
 *
 * The allocator of the targets: what it gives is always the same, and in builds with AddressSanitizer what lies around
 * a block, and what was released, may not be touched.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "memory.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define FORBIDDEN(address) __asan_address_is_poisoned(address)
#endif
#endif
#ifndef FORBIDDEN
#define FORBIDDEN(address) ((void) (address), 1)
#endif

static uint8_t *take(size_t size) {
    uint8_t *block = memory_allocator.allocate(NULL, size);
    assert_non_null(block);
    return block;
}

static void a_block_is_alone(void **state) {
    (void) state;
    for (size_t size = 1; size < 70; size++) {
        uint8_t *block = take(size), *next = take(1);
        assert_true(FORBIDDEN(block - 1) && FORBIDDEN(block - 32));
        assert_true(FORBIDDEN(block + size));
        assert_true(next >= block + size + 32);
        memset(block, 0, size);
        memory_allocator.release(NULL, block);
        assert_true(FORBIDDEN(block) && FORBIDDEN(block + size - 1));
        *next = 1;
        memory_allocator.release(NULL, next);
        memory_done();
    }
}

static void every_input_begins_with_the_same(void **state) {
    (void) state;
    const uint8_t *first = NULL;
    for (int i = 0; i < 3; i++) {
        uint8_t *block = take(1000);
        first = first ? first : block;
        assert_ptr_equal(block, first);
        for (size_t at = 0; at < 1000; at++) {
            assert_int_equal(block[at], 0xBE);
        }
        memset(block, i, 1000);
        memory_forget();
        assert_true(FORBIDDEN(block));
    }
}

static void what_is_too_much_comes_from_elsewhere(void **state) {
    (void) state;
    uint8_t *large = take(3 << 20), *larger = take(3 << 20);
    assert_int_equal(larger[(3 << 20) - 1], 0xBE);
    memory_allocator.release(NULL, larger);
    memory_allocator.release(NULL, large);
    memory_done();
}

static void aborts(void (*what)(void)) {
    pid_t child = fork();
    int status = 0;
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        close(2);
        what();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void release_twice(void) {
    uint8_t *block = memory_allocator.allocate(NULL, 1);
    memory_allocator.release(NULL, block);
    memory_allocator.release(NULL, block);
}

static void keep_one(void) {
    memory_allocator.allocate(NULL, 1);
    memory_done();
}

static void a_broken_owner_is_told(void **state) {
    (void) state;
    aborts(release_twice);
    aborts(keep_one);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_is_alone),
        cmocka_unit_test(every_input_begins_with_the_same),
        cmocka_unit_test(what_is_too_much_comes_from_elsewhere),
        cmocka_unit_test(a_broken_owner_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
