/* SPDX-License-Identifier: Apache-2.0
 *
 * The Bootstrap-Pack: its format and its blocks, and which attempt the request belongs to.
 */
#include "engine_fixture.h"
#include "wire/payload.h"

static const char json[] = "[{\"bn\":\"/\",\"n\":\"1/0/0\",\"v\":5}]";
static const uint8_t cbor[] = "\xA1\x01\xA1\x00\xA1\x00\x05";

/* A request with an Accept (65536 = none) and a Block2 (-1 = none). */
static void asks(uint32_t accept, int64_t block) {
    static uint8_t rooms[2][4];
    bj_coap m = { .version = 1, .type = BJ_COAP_CON, .code = 1, .mid = w.mid++, .token_length = 1 };
    m.token[0] = (uint8_t) m.mid;
    bj_coap_add_path(&m, BJ_COAP_URI_PATH, "/bspack");
    if (accept < BJ_FORMAT_NONE) {
        bj_coap_add_uint(&m, BJ_COAP_ACCEPT, accept, rooms[0]);
    }
    if (block >= 0) {
        bj_coap_add_uint(&m, BJ_COAP_BLOCK2, (uint32_t) block, rooms[1]);
    }
    bj_addr to = server_address(BS);
    client_sends(&to, &m);
    pass(w.latency);
}

static void gets(uint8_t code, uint32_t format, int64_t block, const void *payload, size_t length) {
    bj_coap m = client_gets();
    uint32_t seen = BJ_FORMAT_NONE, number = 0;
    bj_coap_find_uint(&m, BJ_COAP_CONTENT_FORMAT, &seen);
    bool blocks = bj_coap_find_uint(&m, BJ_COAP_BLOCK2, &number);
    assert_int_equal(m.code, code);
    assert_int_equal(seen, format);
    assert_int_equal(blocks ? (int64_t) number : -1, block);
    assert_int_equal(m.payload_length, length);
    assert_memory_equal(m.payload ? m.payload : (const uint8_t *) "", payload, length);
}

static void begins(const char *pack) {
    char steps[300];
    snprintf(steps, sizeof steps, "  - request: {to: bs, method: GET, path: /bspack}\n%s  - advance: 1h\n", pack);
    begin_steps(steps);
    pass_until(1200 * BJ_MS);
}

static void format_of_a_pack(void **state) {
    (void) state;
    begins("  - pack: {1: {0: {0: 5}}}\n");
    asks(BJ_FORMAT_LWM2M_CBOR, -1);
    gets(CODE(2, 5), BJ_FORMAT_LWM2M_CBOR, -1, cbor, sizeof cbor - 1);
    begins("  - pack: {1: {0: {0: 5}}}\n");
    asks(BJ_FORMAT_NONE, -1);
    gets(CODE(2, 5), BJ_FORMAT_SENML_JSON, -1, json, sizeof json - 1);
    begins("  - pack: {1: {0: {0: 5}}}\n    format: senml-json\n");
    asks(BJ_FORMAT_LWM2M_CBOR, -1);
    gets(CODE(2, 5), BJ_FORMAT_SENML_JSON, -1, json, sizeof json - 1);
    begins("  - pack: {1: {0: {0: 5}}}\n    code: 2.04\n");
    asks(BJ_FORMAT_LWM2M_CBOR, -1);
    gets(CODE(2, 4), BJ_FORMAT_LWM2M_CBOR, -1, cbor, sizeof cbor - 1);
    begins("  - pack:\n    hex: 00ff\n    format: tlv\n");
    asks(BJ_FORMAT_LWM2M_CBOR, -1);
    gets(CODE(2, 5), BJ_FORMAT_TLV, -1, "\x00\xFF", 2);
}

static void blocks_of_a_pack(void **state) {
    (void) state;
    begins("  - pack: {1: {0: {0: 5}}}\n    format: senml-json\n    block: 16\n");
    asks(BJ_FORMAT_NONE, -1);
    gets(CODE(2, 5), BJ_FORMAT_SENML_JSON, 0x08, json, 16);
    asks(BJ_FORMAT_NONE, 0x10);
    gets(CODE(2, 5), BJ_FORMAT_SENML_JSON, 0x10, json + 16, sizeof json - 17);
    asks(BJ_FORMAT_NONE, 0x10); /* under another message id: given again */
    gets(CODE(2, 5), BJ_FORMAT_SENML_JSON, 0x10, json + 16, sizeof json - 17);
    asks(BJ_FORMAT_NONE, 0x20); /* behind the end */
    gets(CODE(4, 0), BJ_FORMAT_NONE, -1, "", 0);
    asks(BJ_FORMAT_NONE, 0x11); /* in larger blocks than it was begun */
    gets(CODE(4, 0), BJ_FORMAT_NONE, -1, "", 0);
    expect_running();
}

static void smaller_blocks(void **state) {
    (void) state;
    begins("  - pack: {1: {0: {0: 5}}}\n    format: senml-json\n    block: 32\n");
    asks(BJ_FORMAT_NONE, 0x00);
    gets(CODE(2, 5), BJ_FORMAT_SENML_JSON, 0x08, json, 16);
    begins("  - pack: {1: {0: {0: 5}}}\n    format: senml-json\n    block: 64\n");
    asks(BJ_FORMAT_NONE, -1); /* one block is enough */
    gets(CODE(2, 5), BJ_FORMAT_SENML_JSON, -1, json, sizeof json - 1);
    asks(BJ_FORMAT_NONE, 0x10); /* nothing was in blocks */
    expect_running();
}

/* A pack that the client cannot use does not end the attempt: the Bootstrap-Request belongs to it. */
static void the_attempt_goes_on(void **state) {
    (void) state;
    begin_steps("  - request: {to: bs, method: GET, path: /bspack}\n  - pack: {1: {0: {0: 5}}}\n"
                "  - request: {to: bs, method: POST, path: /bs, within: 1s}\n  - respond: 5.00\n"
                "  - request: {to: bs, path: /bspack, at: due(holdoff)}\n");
    pass_until(1200 * BJ_MS);
    asks(BJ_FORMAT_NONE, -1);
    client_gets();
    client_requests(BS, POST, "/bs", "ep=dev-1");
    assert_int_equal(client_gets().code, CODE(5, 0));
    bj_time failed = w.now;
    pass_until(failed + 2500 * BJ_MS); /* twice the least hold-off: the second attempt */
    asks(BJ_FORMAT_NONE, -1);
    expect_pass();
}

static void mistakes(void **state) {
    (void) state;
    static const struct {
        const char *steps, *text;
    } rows[] = {
        { "  - pack: {1: {0: {0: 5}}}\n", "no request was awaited before this step" },
        { "  - request: {to: bs}\n  - pack: {1: {0: {0: 5}}}\n    hex: 00\n", "exclude each other" },
        { "  - request: {to: bs}\n  - pack: {one: {0: {0: 5}}}\n", "expected an id" },
        { "  - request: {to: bs}\n  - pack: {1: {0: {0: 5}}}\n    to: nobody\n", "nobody" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[400];
        bj_mistakes mistakes = { 0 };
        bj_arena *arena = bj_arena_map(4 << 20);
        assert_non_null(arena);
        snprintf(text, sizeof text, "title: t\nsteps:\n%s", rows[i].steps);
        assert_null(bj_load_bytes(arena, BJ_K_SCENARIO, "test", text, strlen(text), &mistakes));
        assert_non_null(strstr(mistakes.items[0].text, rows[i].text));
        bj_arena_unmap(arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(format_of_a_pack), cmocka_unit_test(blocks_of_a_pack),    cmocka_unit_test(smaller_blocks),
        cmocka_unit_test(mistakes),         cmocka_unit_test(the_attempt_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
