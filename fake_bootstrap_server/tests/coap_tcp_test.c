/* SPDX-License-Identifier: Apache-2.0
 *
 * CoAP over TCP against byte vectors, at the borders of its length field, and with any bytes.
 */
#include "wire/coap.h"
#include "wire_bytes.h"

static void assert_fault(const char *text, bj_coap_fault fault) {
    bytes b = hex(text);
    bj_coap message;
    assert_int_equal(bj_coap_tcp_decode(&message, b.at, b.length), fault);
}

static void signalling_messages(void **state) {
    (void) state;
    bytes csm = hex("40 E1 22 04 80 20");
    bj_coap m;
    uint32_t size;
    assert_int_equal(bj_coap_tcp_frame(csm.at, csm.length), 6);
    assert_int_equal(bj_coap_tcp_decode(&m, csm.at, csm.length), BJ_COAP_OK);
    assert_int_equal(m.code, BJ_COAP_CODE(7, 1));
    assert_true(m.stream);
    assert_true(bj_coap_find_uint(&m, 2, &size));
    assert_int_equal(size, 1152);
    assert_non_null(bj_coap_find(&m, 4, 0));
    uint8_t out[16];
    assert_hex(out, bj_coap_tcp_encode(&m, out, sizeof out), "40 E1 22 04 80 20");
    bj_coap empty = { .code = BJ_COAP_CODE(7, 1) };
    assert_hex(out, bj_coap_tcp_encode(&empty, out, sizeof out), "00 E1");
    bj_coap ping = { .code = BJ_COAP_CODE(7, 2), .token_length = 1, .token = { 0x42 } };
    assert_hex(out, bj_coap_tcp_encode(&ping, out, sizeof out), "01 E2 42");
}

static void a_bootstrap_request(void **state) {
    (void) state;
    bj_coap m = { .code = BJ_COAP_CODE(0, 2), .token_length = 1, .token = { 0xAA } };
    uint8_t out[64];
    assert_true(bj_coap_add_path(&m, BJ_COAP_URI_PATH, "/bs"));
    assert_true(bj_coap_add(&m, BJ_COAP_URI_QUERY, "ep=dev1", 7));
    assert_hex(out, bj_coap_tcp_encode(&m, out, sizeof out), "B1 02 AA B2 62 73 47 65 70 3D 64 65 76 31");
}

static void every_fault_is_named(void **state) {
    (void) state;
    assert_fault("", BJ_COAP_SHORT);
    assert_fault("00", BJ_COAP_SHORT);
    assert_fault("D0", BJ_COAP_SHORT);
    assert_fault("E0 00", BJ_COAP_SHORT);
    assert_fault("F0 00 00 00", BJ_COAP_SHORT);
    assert_fault("09 02 01 02 03 04 05 06 07 08 09", BJ_COAP_TOKEN_LENGTH);
    assert_fault("01 02", BJ_COAP_TCP_LENGTH);
    assert_fault("10 02", BJ_COAP_TCP_LENGTH);
    assert_fault("00 02 00", BJ_COAP_TCP_LENGTH);
    assert_fault("10 00 10", BJ_COAP_EMPTY_NOT_EMPTY);
    assert_fault("10 02 B1", BJ_COAP_OPTION_CUT);
    assert_fault("10 02 F0", BJ_COAP_OPTION_NIBBLE);
    assert_fault("10 02 FF", BJ_COAP_PAYLOAD_EMPTY);
    assert_fault("00 00", BJ_COAP_OK);
}

static void frames_are_found_in_a_stream(void **state) {
    (void) state;
    bytes two = hex("01 E2 42 B1 02 AA B2 62 73 47 65 70 3D 64 65 76 31");
    assert_int_equal(bj_coap_tcp_frame(two.at, 0), 0);
    assert_int_equal(bj_coap_tcp_frame(two.at, 1), 3);
    assert_int_equal(bj_coap_tcp_frame(two.at, two.length), 3);
    assert_int_equal(bj_coap_tcp_frame(two.at + 3, two.length - 3), two.length - 3);
    bytes largest = hex("F8 FF FF FF FF");
    assert_int_equal(bj_coap_tcp_frame(largest.at, 4), 0);
    uint64_t total = UINT64_C(5) + 1 + 8 + UINT32_MAX + 65805;
    assert_true(bj_coap_tcp_frame(largest.at, 5) == (total < SIZE_MAX ? (size_t) total : SIZE_MAX));
}

/* At every border of the length field's forms (RFC 8323 3.2). */
static void lengths_at_their_borders(void **state) {
    (void) state;
    static const size_t bodies[] = { 2, 12, 13, 14, 268, 269, 270, 65804, 65805, 65806, 70000 };
    static uint8_t payload[70000];
    static uint8_t out[70100];
    memset(payload, 'x', sizeof payload);
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        bj_coap sent = { .code = BJ_COAP_CODE(2, 5), .payload = payload, .payload_length = bodies[i] - 1 };
        bj_coap got;
        size_t length = bj_coap_tcp_encode(&sent, out, sizeof out);
        size_t extended = bodies[i] < 13 ? 0 : bodies[i] < 269 ? 1 : bodies[i] < 65805 ? 2 : 4;
        assert_int_equal(length, 2 + extended + bodies[i]);
        assert_int_equal(bj_coap_tcp_frame(out, length), length);
        assert_int_equal(bj_coap_tcp_decode(&got, out, length), BJ_COAP_OK);
        assert_int_equal(got.payload_length, bodies[i] - 1);
        assert_int_equal(bj_coap_tcp_encode(&sent, out, length - 1), 0);
    }
}

static void any_bytes_are_survived(void **state) {
    (void) state;
    uint64_t seed = 5;
    for (int round = 0; round < 10000; round++) {
        uint8_t data[64];
        size_t length = below(&seed, sizeof data);
        fill_random(&seed, data, length);
        if (length > 2 && round % 2) {
            data[0] = (uint8_t) ((length - 2 < 13 ? (length - 2) << 4 : 0xD0));
            data[1] = length - 2 < 13 ? data[1] : (uint8_t) (length - 3 < 13 ? 0 : length - 3 - 13);
        }
        uint8_t *copy = tight(data, length);
        bj_coap message;
        BJ_TEXT(text, 2000);
        size_t frame = bj_coap_tcp_frame(copy, length);
        bj_coap_fault fault = bj_coap_tcp_decode(&message, copy, length);
        assert_true(fault || frame == length);
        bj_coap_json(&text, &message, fault);
        bj_coap_print(&text, &message);
        free(copy);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signalling_messages),      cmocka_unit_test(a_bootstrap_request),
        cmocka_unit_test(every_fault_is_named),     cmocka_unit_test(frames_are_found_in_a_stream),
        cmocka_unit_test(lengths_at_their_borders), cmocka_unit_test(any_bytes_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
