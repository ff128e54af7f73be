/* SPDX-License-Identifier: Apache-2.0
 *
 * Link format: the Discover payloads of both LwM2M generations, liberties that peers take, mistakes, and matching.
 */
#include "wire/link.h"
#include "wire_bytes.h"

static const char legacy_root[] = "lwm2m=\"1.0\",</0/0>;ssid=101,</0/1>,</1/0>;ssid=101,</3/0>,</5>,</4>";
static const char present_security[] =
    "</>;lwm2m=1.1,</0/0>;ssid=101;uri=\"coaps://server_1.example.com\",</0/1>,</0/2>;ssid=102;uri=\"coaps://"
    "server_2.example.com\"";
static const char register_links[] = "</>;rt=\"oma.lwm2m\";ct=110,</1/0>,</3/0>";

static bool have(const char *text, const char *pattern) {
    return bj_links_have(text, strlen(text), pattern);
}

/* Reads all links; returns how many, and -1 with a mistake. */
static int count_links(const char *text, size_t length, bj_text *why) {
    uint8_t *copy = tight((const uint8_t *) text, length);
    const char *at = (const char *) copy;
    bj_core_link link;
    int count = 0;
    while (bj_link_next(&at, &length, &link, why)) {
        count++;
    }
    free(copy);
    return length ? -1 : count;
}

static void assert_count(const char *text, int count) {
    BJ_TEXT(why, 200);
    assert_int_equal(count_links(text, strlen(text), &why), count);
    assert_int_equal(why.used, 0);
}

static void links_are_read(void **state) {
    (void) state;
    const char *at = present_security;
    size_t left = strlen(present_security);
    bj_core_link link;
    BJ_TEXT(why, 200);
    assert_true(bj_link_next(&at, &left, &link, &why));
    assert_int_equal(link.target_length, 1);
    assert_memory_equal(link.target, "/", 1);
    assert_true(bj_link_next(&at, &left, &link, &why));
    assert_memory_equal(link.target, "/0/0", 4);
    assert_int_equal(link.attr_count, 2);
    assert_memory_equal(link.attrs[0].name, "ssid", 4);
    assert_memory_equal(link.attrs[0].value, "101", 3);
    assert_false(link.attrs[0].quoted);
    assert_true(link.attrs[1].quoted);
    assert_int_equal(link.attrs[1].value_length, strlen("coaps://server_1.example.com"));
    assert_true(bj_link_next(&at, &left, &link, &why));
    assert_int_equal(link.attr_count, 0);
    assert_true(bj_link_next(&at, &left, &link, &why));
    assert_false(bj_link_next(&at, &left, &link, &why));
    assert_int_equal(left, 0);
}

static void payloads_of_the_specifications(void **state) {
    (void) state;
    assert_count(legacy_root, 7);
    assert_count(present_security, 4);
    assert_count(register_links, 3);
    assert_count("lwm2m=\"1.0\",</0/0>;ssid=101,</0/1>,</0/2>;ssid=102", 4);
    assert_count("</55>;ver=\"1.9\",</55/0>", 2);
    assert_count("</55>;ver=1.9,</55/0>", 2);
    assert_count("", 0);
}

static void liberties_are_tolerated(void **state) {
    (void) state;
    assert_count("</0/0>, </0/1>,\t</0/2>", 3);
    assert_count(" </0/0> , </0/1> ", 2);
    assert_count("</0/1/>", 1);
    assert_count("</>;ct=110;hb,</1/1>", 2);
    assert_count("</0/0>;uri=\"coap://a,b;c>d\",</0/1>", 2);
    assert_count("</0/0>;title=\"a \\\" b\\\\\",</0/1>", 2);
    assert_count("<>;x=y", 1);
}

static void mistakes_are_named(void **state) {
    (void) state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        { "</0/0", "a target without '>'" },
        { "</0/0>,</0/1", "a target without '>'" },
        { "0/0", "a link without '<'" },
        { "ssid=1,</0/0>", "a link without '<'" },
        { "lwm2m,</0/0>", "a link without '<'" },
        { "</0/0></0/1>", "'<' where a comma or a semicolon should be" },
        { "</0/0> ssid=1", "'s' where a comma or a semicolon should be" },
        { "</0/0>;", "an attribute without a name" },
        { "</0/0>;;ssid=1", "an attribute without a name" },
        { "</0/0>;ssid=", "attribute ssid has '=' and no value" },
        { "</0/0>;ssid=,</1>", "attribute ssid has '=' and no value" },
        { "</0/0>;uri=\"coap://x", "the quotes of attribute uri do not end" },
        { "</0/0>;uri=\"x\\\"", "the quotes of attribute uri do not end" },
        { "</0/0>;uri=\"x\"y", "'y' where a comma or a semicolon should be" },
        { "</0/0>,", "a comma where a link should be" },
        { "</0/0>, ", "a comma where a link should be" },
        { ",</0/0>", "a comma where a link should be" },
        { "</0/0>,,</1>", "a comma where a link should be" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        BJ_TEXT(why, 200);
        assert_int_equal(count_links(cases[i].text, strlen(cases[i].text), &why), -1);
        assert_string_equal(why.start, cases[i].why);
    }
}

static void more_attributes_than_are_kept(void **state) {
    (void) state;
    BJ_TEXT(text, 8 + 2 * (BJ_LINK_ATTRS + 1));
    BJ_TEXT(why, 200);
    bj_text_add(&text, "</1>");
    for (int i = 0; i < BJ_LINK_ATTRS; i++) {
        bj_text_add(&text, ";a");
    }
    assert_count(text.start, 1);
    bj_text_add(&text, ";a");
    assert_int_equal(count_links(text.start, text.used, &why), -1);
    assert_string_equal(why.start, "more than 32 attributes");
}

static void targets_are_found(void **state) {
    (void) state;
    assert_true(have(legacy_root, "/0/1"));
    assert_true(have(legacy_root, "</0/1>"));
    assert_true(have(legacy_root, "/5"));
    assert_false(have(legacy_root, "/0"));
    assert_false(have(legacy_root, "/0/2"));
    assert_false(have(legacy_root, "/3"));
    assert_true(have("</0/1/>", "/0/1"));
    assert_true(have("</0/1>", "/0/1/"));
    assert_true(have(register_links, "/"));
}

static void instances_are_found(void **state) {
    (void) state;
    assert_true(have(legacy_root, "/0/*"));
    assert_true(have(legacy_root, "/3/*"));
    assert_false(have(legacy_root, "/5/*"));
    assert_false(have("</0/1/2>", "/0/*"));
    assert_false(have("</0/>", "/0/*"));
    assert_true(have("</0/12>", "/0/*"));
}

static void attributes_are_compared(void **state) {
    (void) state;
    assert_true(have(legacy_root, "</0/0>;ssid=101"));
    assert_true(have(legacy_root, "/0/0;ssid=101"));
    assert_true(have(legacy_root, "</0/0>;ssid=\"101\""));
    assert_false(have(legacy_root, "</0/0>;ssid=10"));
    assert_false(have(legacy_root, "</0/0>;ssid=1011"));
    assert_false(have(legacy_root, "</0/1>;ssid=101"));
    assert_true(have(legacy_root, "/0/*;ssid=101"));
    assert_true(have(present_security, "</0/0>;uri=\"coaps://server_1.example.com\";ssid=101"));
    assert_true(have(present_security, "</0/0>;uri"));
    assert_false(have(present_security, "</0/1>;uri"));
    assert_true(have("</1>;t=\"a\\\"b\"", "</1>;t=\"a\\\"b\""));
    assert_true(have("</>;hb", "</>;hb"));
    assert_false(have("</>;hb", "</>;hb=1"));
}

static void the_version_is_found_in_both_forms(void **state) {
    (void) state;
    assert_true(have(present_security, "</>;lwm2m=1.1"));
    assert_false(have(present_security, "</>;lwm2m=1.0"));
    assert_true(have(legacy_root, "</>;lwm2m=1.0"));
    assert_true(have(legacy_root, "lwm2m=1.0"));
    assert_true(have("lwm2m=\"1.1\",</0/0>;ssid=1", "</>;lwm2m=1.1"));
}

static void bad_patterns_match_nothing(void **state) {
    (void) state;
    assert_false(have(legacy_root, ""));
    assert_false(have(legacy_root, "0/1"));
    assert_false(have(legacy_root, "</0/1"));
    assert_false(have(legacy_root, "</0/1>,</5>"));
    assert_false(have(legacy_root, "/0/1;"));
}

static void links_before_a_mistake_count(void **state) {
    (void) state;
    assert_true(have("</0/1>,</0/2>;", "/0/1"));
    assert_false(have("</0/1>,</0/2>;", "/0/2"));
}

static void cut_payloads_are_survived(void **state) {
    (void) state;
    for (size_t cut = 0; cut <= strlen(present_security); cut++) {
        BJ_TEXT(why, 200);
        int count = count_links(present_security, cut, &why);
        assert_int_equal(count<0, why.used> 0);
    }
}

static void any_text_is_survived(void **state) {
    (void) state;
    static const char letters[] = "<>;,=\"\\/ 01abc*\0\x80";
    uint64_t seed = 21;
    for (int round = 0; round < 20000; round++) {
        char text[48];
        size_t length = below(&seed, sizeof text);
        for (size_t i = 0; i < length; i++) {
            text[i] = letters[below(&seed, sizeof letters - 1)];
        }
        BJ_TEXT(why, 200);
        int count = count_links(text, length, &why);
        assert_int_equal(count<0, why.used> 0);
        bj_links_have(text, length, "/0/*;ssid=1");
        char pattern[sizeof text + 1];
        memcpy(pattern, text, length);
        pattern[length] = '\0';
        have(legacy_root, pattern);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_are_read),
        cmocka_unit_test(payloads_of_the_specifications),
        cmocka_unit_test(liberties_are_tolerated),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(more_attributes_than_are_kept),
        cmocka_unit_test(targets_are_found),
        cmocka_unit_test(instances_are_found),
        cmocka_unit_test(attributes_are_compared),
        cmocka_unit_test(the_version_is_found_in_both_forms),
        cmocka_unit_test(bad_patterns_match_nothing),
        cmocka_unit_test(links_before_a_mistake_count),
        cmocka_unit_test(cut_payloads_are_survived),
        cmocka_unit_test(any_text_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
