/* SPDX-License-Identifier: Apache-2.0
 *
 * The limits of bootjack/limits.h, each at its edge: the largest is taken, one more is refused and changes nothing.
 */
#include "support.h"

#include "bootjack/limits.h"
#include "formats/cbor.h"
#include "formats/json.h"
#include "persistence/state.h"
#include "transport/inbound.h"

static bootjack_error endpoint_of(size_t length) {
    char text[400];
    bootjack_config config;
    bjc_core core;
    memset(text, 'e', length);
    text[length] = '\0';
    memset(&core, 0, sizeof core);
    bootjack_config_init(&config);
    config.endpoint = text;
    bootjack_error error = bjc_core_init(&core, &config);
    bjc_core_free(&core);
    return error;
}

static void endpoint(void **state) {
    (void) state;
    assert_int_equal(endpoint_of(0), BOOTJACK_ERR_ARGUMENT);
    assert_int_equal(endpoint_of(BOOTJACK_MAX_ENDPOINT), BOOTJACK_OK);
    assert_int_equal(endpoint_of(BOOTJACK_MAX_ENDPOINT + 1), BOOTJACK_ERR_ARGUMENT);
}

static void instances(void **state) {
    (void) state;
    furnished f;
    furnish(&f);
    for (uint16_t i = 0; i < BOOTJACK_MAX_INSTANCES; i++) {
        assert_int_equal(bjc_store_create(&f.server, (uint16_t) (i * 100)), BOOTJACK_OK);
    }
    assert_int_equal(bjc_store_create(&f.server, 7), BOOTJACK_ERR_LIMIT);
    assert_int_equal(write_hex(&f, (bjc_path){ 2, { 1, 7 } }, "C1 00 65"), BOOTJACK_ERR_LIMIT);
    assert_null(bjc_store_instance(&f.server, 7));
    assert_int_equal(bjc_store_create(&f.server, 100), BOOTJACK_ERR_EXISTS);
    assert_int_equal(bjc_store_remove(&f.server, 0), BOOTJACK_OK);
    assert_int_equal(bjc_store_create(&f.server, 7), BOOTJACK_OK);
    unfurnish(&f);
}

static void values(void **state) {
    (void) state;
    furnished f;
    bootjack_value number = { .type = BOOTJACK_TYPE_INTEGER, .as.integer = 1 };
    furnish(&f);
    assert_int_equal(bjc_store_create(&f.test_object.store, 5), BOOTJACK_OK);
    for (uint16_t i = 0; i < BOOTJACK_MAX_VALUES; i++) {
        assert_int_equal(bjc_store_set(&f.test_object.store, 5, 1120, i, &number), BOOTJACK_OK);
    }
    assert_int_equal(bjc_store_set(&f.test_object.store, 5, 1120, 1000, &number), BOOTJACK_ERR_LIMIT);
    assert_int_equal(bjc_store_set(&f.test_object.store, 5, 120, 0, &number), BOOTJACK_ERR_LIMIT);
    assert_int_equal(bjc_store_set(&f.test_object.store, 5, 1120, 0, &number),
                     BOOTJACK_OK); /* in place of one that is there */
    unfurnish(&f);
}

static void bytes_of_a_value(void **state) {
    (void) state;
    static uint8_t bytes[BOOTJACK_MAX_VALUE + 1];
    furnished f;
    furnish(&f);
    assert_int_equal(bjc_store_set_bytes(&f.test_object.store, 0, 150, bytes, BOOTJACK_MAX_VALUE), BOOTJACK_OK);
    assert_int_equal(bjc_store_set_bytes(&f.test_object.store, 0, 150, bytes, sizeof bytes), BOOTJACK_ERR_LIMIT);
    assert_int_equal(bjc_store_get(&f.test_object.store, 0, 150, 0)->as.bytes.length, BOOTJACK_MAX_VALUE);
    unfurnish(&f);
}

static bool uri_of(size_t length, unsigned parts) {
    char text[400] = "coap://s.example";
    bjc_uri uri;
    const char *reason;
    for (unsigned i = 0; i < parts; i++) {
        strcat(text, "/p");
    }
    size_t used = strlen(text);
    if (used < length) {
        memset(text + used, 'x', length - used);
        text[length] = '\0';
    }
    return bjc_uri_parse(&uri, text, strlen(text), &reason);
}

static void uris(void **state) {
    (void) state;
    assert_true(uri_of(BOOTJACK_MAX_URI, 1));
    assert_false(uri_of(BOOTJACK_MAX_URI + 1, 1));
    assert_true(uri_of(0, BOOTJACK_MAX_URI_PARTS));
    assert_false(uri_of(0, BOOTJACK_MAX_URI_PARTS + 1));
}

static bool carried(size_t identity, size_t key) {
    static uint8_t bytes[BOOTJACK_MAX_IDENTITY + 1];
    bjc_core core;
    memset(bytes, 1, sizeof bytes);
    core_start(&core);
    bjc_peer peer = { .mode = BOOTJACK_SECURITY_PSK, .identity = { bytes, identity }, .key = { bytes, key } };
    bool fine = !bjc_transport_fault(&core, &peer).what;
    bjc_core_free(&core);
    return fine;
}

static void credentials(void **state) {
    (void) state;
    assert_true(carried(BOOTJACK_MAX_IDENTITY, BOOTJACK_MAX_KEY));
    assert_false(carried(BOOTJACK_MAX_IDENTITY + 1, BOOTJACK_MAX_KEY));
    assert_false(carried(BOOTJACK_MAX_IDENTITY, BOOTJACK_MAX_KEY + 1));
}

static bool json_nested(unsigned depth) {
    char text[100];
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    bjc_json json = { (const uint8_t *) text, (const uint8_t *) text + 2 * (size_t) depth };
    return bjc_json_skip(&json) && json.at == json.end;
}

static bool cbor_nested(unsigned depth) {
    uint8_t bytes[100];
    memset(bytes, 0x81, depth); /* lists of one */
    bytes[depth] = 0;
    const uint8_t *at = bytes, *end = bytes + depth + 1;
    bjc_cbor_item head;
    return bjc_cbor_next(&at, end, &head) && bjc_cbor_skip(&at, end, &head) && at == end;
}

static void nesting(void **state) {
    (void) state;
    assert_true(json_nested(BOOTJACK_MAX_NESTING));
    assert_false(json_nested(BOOTJACK_MAX_NESTING + 1));
    assert_true(cbor_nested(BOOTJACK_MAX_NESTING));
    assert_false(cbor_nested(BOOTJACK_MAX_NESTING + 1));
}

static uint8_t first_block(bjc_inbound *inbound, const char *path) {
    bjc_block block = { 0, true, 0 };
    bjc_incoming request = { .method = BJC_PUT,
                             .path = { { path, strlen(path) } },
                             .path_count = 1,
                             .payload = (const uint8_t *) "0123456789abcdef",
                             .payload_length = 16 };
    return bjc_inbound_block(inbound, &request, &block);
}

static void transfers(void **state) {
    (void) state;
    bjc_core core;
    bjc_inbound inbound;
    core_start(&core);
    bjc_inbound_init(&inbound, &core);
    for (char i = 0; i < BOOTJACK_MAX_TRANSFERS; i++) {
        const char path[] = { (char) ('a' + i), '\0' };
        assert_int_equal(first_block(&inbound, path), BJC_CONTINUE);
    }
    assert_int_equal(first_block(&inbound, "z"), BJC_INTERNAL_ERROR);
    assert_int_equal(first_block(&inbound, "a"), BJC_CONTINUE); /* begun anew */
    bjc_inbound_free(&inbound);
    bjc_core_free(&core);
}

static bootjack_error encode(const furnished *f) {
    bjc_buffer out;
    bjc_buffer_init(&out, &f->core.allocator);
    bootjack_error error = bjc_state_encode(&f->model, true, &out);
    bjc_buffer_free(&out);
    return error;
}

/* The largest values in four resources of every instance are more than a file may have. */
static void saved_state(void **state) {
    (void) state;
    static uint8_t bytes[BOOTJACK_MAX_VALUE];
    furnished f;
    core_start(&f.core);
    f.core.config.version = BOOTJACK_LWM2M_1_2;
    furnish_model(&f);
    memset(bytes, 'x', sizeof bytes);
    for (uint16_t i = 0; i < BOOTJACK_MAX_INSTANCES; i++) {
        static const uint16_t rids[] = { 3, 4, 5, 30 };
        assert_int_equal(bjc_store_create(&f.security, i), BOOTJACK_OK);
        for (size_t r = 0; r < sizeof rids / sizeof *rids; r++) {
            assert_int_equal(bjc_store_set_bytes(&f.security, i, rids[r], bytes, sizeof bytes), BOOTJACK_OK);
        }
    }
    assert_int_equal(encode(&f), BOOTJACK_ERR_LIMIT);
    assert_int_equal(bjc_store_remove(&f.security, 0), BOOTJACK_OK);
    assert_int_equal(encode(&f), BOOTJACK_OK);
    unfurnish(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endpoint), cmocka_unit_test(instances),   cmocka_unit_test(values),
        cmocka_unit_test(uris),     cmocka_unit_test(credentials), cmocka_unit_test(bytes_of_a_value),
        cmocka_unit_test(nesting),  cmocka_unit_test(transfers),   cmocka_unit_test(saved_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
