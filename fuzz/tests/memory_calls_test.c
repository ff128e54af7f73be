/* SPDX-License-Identifier: Apache-2.0
 *
 * malloc() and its like from the allocator of the targets: what they promise, and that the allocator hears of each
 * block.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "memory.h"
#include "memory_calls.h"

static void what_is_asked_for_is_zero(void **state) {
    (void) state;
    const uint8_t *block = memory_calloc(3, 100);
    for (size_t i = 0; i < 300; i++) {
        assert_int_equal(block[i], 0);
    }
    assert_int_equal(memory_size(block), 300);
    memory_free((void *) (uintptr_t) block);
    assert_null(memory_calloc(SIZE_MAX / 2, 3));
    memory_free(NULL);
    memory_done();
}

static void what_grows_keeps_what_it_held(void **state) {
    (void) state;
    char *text = memory_realloc(NULL, 4);
    memcpy(text, "abc", 4);
    text = memory_realloc(text, 4 << 20); /* more than the allocator's own room */
    assert_string_equal(text, "abc");
    text = memory_realloc(text, 2);
    assert_memory_equal(text, "ab", 2);
    assert_int_equal(memory_size(text), 2);
    memory_free(text);
    memory_done();
}

static void texts_have_room_for_their_end(void **state) {
    (void) state;
    char *copy = memory_strdup("copied"), *printed;
    assert_string_equal(copy, "copied");
    assert_int_equal(memory_size(copy), 7);
    assert_int_equal(memory___asprintf_chk(&printed, 1, "%s and %d", copy, 17), 13);
    assert_string_equal(printed, "copied and 17");
    assert_int_equal(memory_size(printed), 14);
    memory_free(copy);
    memory_free(printed);
    memory_done();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_asked_for_is_zero),
        cmocka_unit_test(what_grows_keeps_what_it_held),
        cmocka_unit_test(texts_have_room_for_their_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
