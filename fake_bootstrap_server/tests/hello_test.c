/* SPDX-License-Identifier: Apache-2.0
 *
 * ClientHellos: what is read of one in a TLS and in a DTLS record, and that no beginning of it reads outside.
 */
#include "wire/hello.h"
#include "wire_bytes.h"

#define RANDOM                                                                                                         \
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
/* Two suites, no compression, an extension that does not matter, and the name "bs.example". */
#define REST                                                                                                           \
    0, 4, 0xC0, 0xA8, 0x00, 0xAE, 1, 0, 0, 23, 0, 23, 0, 0, 0, 0, 0, 15, 0, 13, 0, 0, 10, 'b', 's', '.', 'e', 'x',     \
        'a', 'm', 'p', 'l', 'e'

static const uint8_t over_tls[] = { 22, 3, 1, 0, 72, 1, 0, 0, 68, 3, 3, RANDOM, 0, REST };
static const uint8_t over_dtls[] = { 22, 0xFE, 0xFF, 0, 0, 0, 0, 0, 0,  0,    1,    0,      82, 1, 0,    0,
                                     70, 0,    0,    0, 0, 0, 0, 0, 70, 0xFE, 0xFD, RANDOM, 0,  1, 0xC0, REST };

static void a_hello_over_tls(void **state) {
    (void) state;
    bj_hello hello;
    assert_true(bj_hello_read(&hello, over_tls, sizeof over_tls, false));
    assert_int_equal(hello.random[31], 31);
    assert_int_equal(hello.suite_count, 2);
    assert_int_equal(hello.suites[0], 0xC0A8);
    assert_int_equal(hello.suites[1], 0x00AE);
    assert_int_equal(hello.name_length, 10);
    assert_memory_equal(hello.name, "bs.example", 10);
    assert_false(hello.cookie);
    assert_false(bj_hello_read(&hello, over_tls, sizeof over_tls, true));
}

static void a_hello_over_dtls(void **state) {
    (void) state;
    bj_hello hello;
    assert_true(bj_hello_read(&hello, over_dtls, sizeof over_dtls, true));
    assert_int_equal(hello.suite_count, 2);
    assert_memory_equal(hello.name, "bs.example", 10);
    assert_true(hello.cookie);
    assert_false(bj_hello_read(&hello, over_dtls, sizeof over_dtls, false));
}

static void assert_not_read(const uint8_t *whole, size_t length, size_t at, uint8_t value, bool datagram) {
    uint8_t *copy = tight(whole, length);
    bj_hello hello;
    copy[at] = value;
    assert_false(bj_hello_read(&hello, copy, length, datagram));
    free(copy);
}

static void what_is_no_hello(void **state) {
    (void) state;
    assert_not_read(over_tls, sizeof over_tls, 0, 23, false);   /* application data */
    assert_not_read(over_tls, sizeof over_tls, 5, 2, false);    /* a ServerHello */
    assert_not_read(over_tls, sizeof over_tls, 4, 200, false);  /* a record that is longer than what came */
    assert_not_read(over_dtls, sizeof over_dtls, 4, 1, true);   /* the second epoch: encrypted */
    assert_not_read(over_dtls, sizeof over_dtls, 16, 90, true); /* the first fragment of a longer one */
    assert_not_read(over_dtls, sizeof over_dtls, 21, 1, true);  /* a later fragment */
}

static void cut_short(void **state) {
    (void) state;
    for (size_t length = 0; length < sizeof over_tls; length++) {
        uint8_t *copy = tight(over_tls, length);
        bj_hello hello;
        assert_false(bj_hello_read(&hello, copy, length, false));
        free(copy);
    }
    for (size_t length = 0; length < sizeof over_dtls; length++) {
        uint8_t *copy = tight(over_dtls, length);
        bj_hello hello;
        assert_false(bj_hello_read(&hello, copy, length, true));
        free(copy);
    }
}

/* A byte changed anywhere gives a hello or none, and never a read outside. */
static void damaged(void **state) {
    (void) state;
    for (size_t i = 0; i < 2 * sizeof over_dtls; i++) {
        uint8_t *copy = tight(over_dtls, sizeof over_dtls);
        bj_hello hello;
        copy[i / 2] ^= i % 2 ? 0xFF : 0x01;
        if (bj_hello_read(&hello, copy, sizeof over_dtls, true)) {
            assert_true(hello.suite_count <= BJ_HELLO_SUITES);
            assert_true(!hello.name_length || hello.name + hello.name_length <= (const char *) copy + sizeof over_dtls);
        }
        free(copy);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hello_over_tls), cmocka_unit_test(a_hello_over_dtls), cmocka_unit_test(what_is_no_hello),
        cmocka_unit_test(cut_short),        cmocka_unit_test(damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
