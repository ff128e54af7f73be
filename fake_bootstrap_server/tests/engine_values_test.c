/* SPDX-License-Identifier: Apache-2.0
 *
 * `values:` in every format: what a server sends, and what is compared whatever format the client chose.
 */
#include "engine_fixture.h"
#include "wire/payload.h"

#define BEGUN "  - request: {to: bs, method: POST, path: /bs}\n  - respond: 2.04\n"

static void bootstrap_begins(void) {
    pass_until(1200 * BJ_MS);
    client_requests(BS, POST, "/bs", "ep=dev-1");
    assert_int_equal(client_gets().code, CODE(2, 4));
}

static const uint8_t senml_cbor[] = "\x84\xA3\x21\x65/1/0/\x00\x61"
                                    "0\x02\x01\xA2\x00\x61"
                                    "1\x02\x1A\x00\x01\x51\x80\xA2\x00\x61"
                                    "6\x04\xF4\xA2\x00\x61"
                                    "7\x03\x61U";
static const uint8_t lwm2m_cbor[] = "\xA1\x01\xA1\x00\xA4\x00\x01\x01\x1A\x00\x01\x51\x80\x06\xF4\x07\x61U";
static const uint8_t tlv[] = "\xC1\x00\x01\xC4\x01\x00\x01\x51\x80\xC1\x06\x00\xC1\x07U";
static const char senml_json[] = "[{\"bn\":\"/1/0/\",\"n\":\"0\",\"v\":1},{\"n\":\"1\",\"v\":86400},{\"n\":\"6\","
                                 "\"vb\":false},{\"n\":\"7\",\"vs\":\"U\"}]";
static const char lwm2m_json[] = "{\"bn\":\"/1/0/\",\"e\":[{\"n\":\"0\",\"v\":1},{\"n\":\"1\",\"v\":86400},{\"n\":"
                                 "\"6\",\"bv\":false},{\"n\":\"7\",\"sv\":\"U\"}]}";

static const struct {
    const char *name;
    uint32_t format;
    const void *payload;
    size_t length;
} accounts[] = {
    { "tlv", BJ_FORMAT_TLV, tlv, sizeof tlv - 1 },
    { "senml-json", BJ_FORMAT_SENML_JSON, senml_json, sizeof senml_json - 1 },
    { "senml-cbor", BJ_FORMAT_SENML_CBOR, senml_cbor, sizeof senml_cbor - 1 },
    { "lwm2m-cbor", BJ_FORMAT_LWM2M_CBOR, lwm2m_cbor, sizeof lwm2m_cbor - 1 },
    { "json", BJ_FORMAT_JSON, lwm2m_json, sizeof lwm2m_json - 1 },
};
enum { ACCOUNTS = sizeof accounts / sizeof accounts[0] };

static void assert_payload(const bj_coap *m, uint32_t format, const void *payload, size_t length) {
    uint32_t seen = BJ_FORMAT_NONE;
    bj_coap_find_uint(m, BJ_COAP_CONTENT_FORMAT, &seen);
    assert_int_equal(seen, format);
    assert_int_equal(m->payload_length, length);
    assert_memory_equal(m->payload, payload, length);
}

static void one_write_in_every_format(void **state) {
    (void) state;
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        char steps[400];
        snprintf(steps, sizeof steps,
                 BEGUN
                 "  - write: /1/0\n    values: {0: 1, 1: 86400, 6: false, 7: U}\n    format: %s\n    expect: 2.04\n",
                 accounts[i].name);
        begin_steps(steps);
        bootstrap_begins();
        bj_coap m = client_obeys(CODE(2, 4));
        assert_payload(&m, accounts[i].format, accounts[i].payload, accounts[i].length);
        expect_pass();
    }
}

static void written(const char *step, uint32_t format, const void *payload, size_t length) {
    char steps[400];
    snprintf(steps, sizeof steps, BEGUN "%s    expect: 2.04\n", step);
    begin_steps(steps);
    bootstrap_begins();
    bj_coap m = client_obeys(CODE(2, 4));
    assert_payload(&m, format, payload, length);
    expect_pass();
}

static void written_text(const char *step, uint32_t format, const char *payload) {
    written(step, format, payload, strlen(payload));
}

static void single_values_and_more(void **state) {
    (void) state;
    written("  - write: /1/0/1\n    values: {1: 60}\n    format: text\n", BJ_FORMAT_TEXT, "60", 2);
    written("  - write: /1/0/6\n    values: {6: true}\n    format: cbor\n", BJ_FORMAT_CBOR, "\xF5", 1);
    written("  - write: /0/0/5\n    values: {5: !hex 00ff}\n    format: opaque\n", BJ_FORMAT_OPAQUE, "\x00\xFF", 2);
    written_text("  - write: /1/0/1\n    values: {1: 60}\n    format: senml-json\n", BJ_FORMAT_SENML_JSON,
                 "[{\"bn\":\"/1/0/1\",\"v\":60}]");
    written_text("  - write: /1\n    values: {0: {0: 1}, 2: {0: 2}}\n    format: senml-json\n", BJ_FORMAT_SENML_JSON,
                 "[{\"bn\":\"/1/\",\"n\":\"0/0\",\"v\":1},{\"n\":\"2/0\",\"v\":2}]");
    written("  - write: /1\n    values: {0: {0: 1}}\n", BJ_FORMAT_TLV, "\x03\x00\xC1\x00\x01", 5);
    written("  - write: /1/0\n    values: {0: 1}\n    format: none\n", BJ_FORMAT_NONE, "\xC1\x00\x01", 3);
    written("  - message: 0.02\n    path: /2/0\n    values: {2: {1: 15}}\n    format: lwm2m-cbor\n",
            BJ_FORMAT_LWM2M_CBOR, "\xA1\x02\xA1\x00\xA1\x02\xA1\x01\x0F", 9);
    written_text(
        "  - write: /0/0\n    values: {0: \"coap://x/é\", 5: !hex fbff, 9: !objlnk \"3:0\"}\n    format: senml-json\n",
        BJ_FORMAT_SENML_JSON,
        "[{\"bn\":\"/0/0/\",\"n\":\"0\",\"vs\":\"coap://x/"
        "\xC3\xA9\"},{\"n\":\"5\",\"vd\":\"-_8\"},{\"n\":\"9\",\"vlo\":"
        "\"3:0\"}]");
}

static void answers_carry_values(void **state) {
    (void) state;
    begin_steps("  - request: {to: bs, method: POST, path: /bs}\n  - respond: 2.04\n    values: {1: {0: {0: 5}}}\n"
                "    format: senml-json\n");
    pass_until(1200 * BJ_MS);
    client_requests(BS, POST, "/bs", "ep=dev-1");
    bj_coap m = client_gets();
    const char *want = "[{\"bn\":\"/\",\"n\":\"1/0/0\",\"v\":5}]";
    assert_payload(&m, BJ_FORMAT_SENML_JSON, want, strlen(want));
    expect_pass();
}

static void reading(const char *step, uint32_t format, const void *payload, size_t length) {
    char steps[400];
    snprintf(steps, sizeof steps, BEGUN "%s", step);
    begin_steps(steps);
    bootstrap_begins();
    bj_coap m = client_gets();
    client_answers_with(&m, CODE(2, 5), format, payload, length);
}

static void one_expectation_for_every_format(void **state) {
    (void) state;
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        const void *payload = accounts[i].payload;
        size_t length = accounts[i].length;
        reading("  - read: /1/0\n    values: {0: 1, 1: 86400, 6: false, 7: U}\n    lacks: [/1/0/5]\n",
                accounts[i].format, payload, length);
        expect_pass();
        reading("  - read: /1/0\n    tlv: {0: 1, 1: ~}\n", accounts[i].format, payload, length);
        expect_pass();
        reading("  - read: /1\n    values: {0: {7: U}}\n    lacks: [/1/1]\n", accounts[i].format,
                i ? payload : "\x03\x00\xC1\x07U", i ? length : 5);
        expect_pass();
        reading("  - read: /1/0\n    values: {1: 86401}\n", accounts[i].format, payload, length);
        expect_fail("the value 1 is 86400");
        reading("  - read: /1/0\n    values: {5: 1}\n", accounts[i].format, payload, length);
        expect_fail("the value 5 is missing");
        reading("  - read: /1/0\n    values: {7: {0: U}}\n", accounts[i].format, payload, length);
        expect_fail("the value 7 has no parts");
        reading("  - read: /1/0\n    lacks: [/1/0/7]\n", accounts[i].format, payload, length);
        expect_fail("/1/0/7 must not be there");
        reading("  - read: /1/0\n    values: {0: 1}\n", accounts[i].format, payload, length - 1);
        expect_fail("GET /1/0, the client answered 2.05: ");
    }
}

/* `text` is what the value is, where the step does not ask for a format. */
static void text_in_every_format(void **state) {
    (void) state;
    static const char lifetime[] = "\xC2\x01\x0E\x10", json[] = "[{\"n\":\"/1/0/1\",\"v\":3600}]";
    reading("  - read: /1/0/1\n    text: '3600'\n", BJ_FORMAT_TLV, lifetime, 4);
    expect_pass();
    reading("  - read: /1/0/1\n    text: '3600'\n", BJ_FORMAT_SENML_JSON, json, strlen(json));
    expect_pass();
    reading("  - read: /1/0/1\n    text: '3600'\n", 0, "3600", 4);
    expect_pass();
    reading("  - read: /1/0/7\n    text: U\n", BJ_FORMAT_TLV, "\xC1\x07U", 3);
    expect_pass();
    reading("  - read: /1/0/1\n    text: '3601'\n", BJ_FORMAT_TLV, lifetime, 4);
    expect_fail("its payload of Content-Format 11542 does not say that");
    reading("  - read: /1/0/1\n    text: '3600'\n", 0, "3601", 4);
    expect_fail("the payload is \"3601\"");
    reading("  - read: /1/0/1\n    accept: text\n    text: '3600'\n", BJ_FORMAT_TLV, lifetime, 4);
    expect_fail("the payload is ");
}

static void differences_are_told(void **state) {
    (void) state;
    const char *parts = "[{\"bn\":\"/2/0/2/\",\"n\":\"1\",\"v\":15},{\"n\":\"7\",\"v\":1.0}]";
    reading("  - read: /2/0\n    values: {2: {1: 15, 7: 1}}\n", BJ_FORMAT_SENML_JSON, parts, strlen(parts));
    expect_pass();
    reading("  - read: /2/0\n    values: {2: {1: 14}}\n", BJ_FORMAT_SENML_JSON, parts, strlen(parts));
    expect_fail("the value 1 is 15 (in 2)");
    reading("  - read: /2/0\n    values: {2: 15}\n", BJ_FORMAT_SENML_JSON, parts, strlen(parts));
    expect_fail("the value 2 has parts");
    reading("  - read: /1/0\n    values: {2: 15}\n", BJ_FORMAT_SENML_JSON, parts, strlen(parts));
    expect_fail("/2/0/2/1 is not in /1/0");
    reading("  - read: /1/0/1\n    values: {1: 60}\n", BJ_FORMAT_TEXT, "60", 2);
    expect_pass();
    reading("  - read: /1/0/1\n    values: {1: 60}\n", BJ_FORMAT_CBOR, "\x18\x3D", 2);
    expect_fail("the value 1 is 61");
    reading("  - read: /1/0\n    values: {1: 60, 2: 1}\n", BJ_FORMAT_CBOR, "\x18\x3C", 2);
    expect_fail("the payload is a single value");
    reading("  - read: /1/0/6\n    values: {6: true}\n", BJ_FORMAT_CBOR, "\x01", 1);
    expect_fail("the value 6 is 1");
    reading("  - read: /0/0\n    values: {5: !hex 00}\n", BJ_FORMAT_LWM2M_CBOR, "\xA1\x83\x00\x00\x05\x46sEcReT", 12);
    expect_fail("the value 5 is <6 bytes>");
    reading("  - read: /1/0\n    values: {0: 1}\n", 50, "{}", 2);
    expect_verdict(BJ_INCONCLUSIVE, "Content-Format 50 cannot be compared");
    reading("  - read: /1/0\n    lacks: [/1/0/0]\n", 50, "{}", 2);
    expect_verdict(BJ_INCONCLUSIVE, "Content-Format 50 cannot be compared");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_write_in_every_format), cmocka_unit_test(single_values_and_more),
        cmocka_unit_test(answers_carry_values),      cmocka_unit_test(one_expectation_for_every_format),
        cmocka_unit_test(differences_are_told),      cmocka_unit_test(text_in_every_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
