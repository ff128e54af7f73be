/* SPDX-License-Identifier: Apache-2.0
 *
 * Server URIs.
 */
#include "support.h"

static bool parses(const char *text, bjc_uri *uri) {
    const char *reason = NULL;
    bool good = bjc_uri_parse(uri, text, strlen(text), &reason);
    assert_true(good || reason);
    return good;
}

static void good_uris(void **state) {
    (void) state;
    static const struct {
        const char *text;
        bjc_scheme scheme;
        const char *host;
        uint16_t port;
    } rows[] = {
        { "coap://bs.example", BJC_COAP, "bs.example", 5683 },
        { "COAPS://bs.example/", BJC_COAPS, "bs.example", 5684 },
        { "coap+tcp://192.0.2.1:1", BJC_COAP_TCP, "192.0.2.1", 1 },
        { "coaps+tcp://[2001:db8::1]:65535", BJC_COAPS_TCP, "2001:db8::1", 65535 },
        { "coap://[::1]", BJC_COAP, "::1", 5683 },
        { "coap://h:", BJC_COAP, "h", 5683 },
        { "coap://h?q", BJC_COAP, "h", 5683 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bjc_uri uri;
        assert_true(parses(rows[i].text, &uri));
        assert_int_equal(uri.scheme, rows[i].scheme);
        assert_string_equal(uri.host, rows[i].host);
        assert_int_equal(uri.port, rows[i].port);
    }
}

static void path_and_query(void **state) {
    (void) state;
    bjc_uri uri;
    assert_true(parses("coap://h:5/some/cr%61zy/path/?and=more&x=%26", &uri));
    assert_int_equal(uri.path_count, 3);
    assert_int_equal(uri.path[1].length, 5);
    assert_memory_equal(uri.path[1].data, "crazy", 5);
    assert_int_equal(uri.query_count, 2);
    assert_memory_equal(uri.query[0].data, "and=more", 8);
    assert_memory_equal(uri.query[1].data, "x=&", 3);
}

static void bad_uris(void **state) {
    (void) state;
    static const char *const rows[] = {
        "",
        "coap",
        "coap:",
        "coap:/h",
        "coap://",
        "coap://:5683",
        "coap:///path",
        "http://h",
        "coapx://h",
        "coap://h:0",
        "coap://h:65536",
        "coap://h:56a",
        "coap://[::1",
        "coap://[::1]x",
        "coap://user@h",
        "coap://h/%4",
        "coap://h/%zz",
        "coap://h/a b",
        "coap://h/#fragment",
        "coap://h/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q",
        "coap://h\x80",
    };
    bjc_uri uri;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_false(parses(rows[i], &uri));
    }
    const char *reason;
    assert_false(bjc_uri_parse(&uri, "coap://h\0x", 10, &reason));
}

static void lengths(void **state) {
    (void) state;
    char text[300] = "coap://";
    bjc_uri uri;
    memset(text + 7, 'a', sizeof text - 7);
    text[255] = '\0';
    assert_true(parses(text, &uri));
    text[255] = 'a';
    text[256] = '\0';
    assert_false(parses(text, &uri));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_uris),
        cmocka_unit_test(path_and_query),
        cmocka_unit_test(bad_uris),
        cmocka_unit_test(lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
