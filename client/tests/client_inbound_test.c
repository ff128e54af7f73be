/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers for duplicates, and bodies in blocks.
 */
#include "support.h"

#include "transport/inbound.h"

static bjc_core core;
static bjc_inbound inbound;

static int start(void **state) {
    (void) state;
    core_start(&core);
    core.config.max_payload = 100;
    bjc_inbound_init(&inbound, &core);
    return 0;
}

static int finish(void **state) {
    (void) state;
    bjc_inbound_free(&inbound);
    bjc_core_free(&core);
    return 0;
}

static void answers_are_remembered(void **state) {
    (void) state;
    uint8_t payload[] = "abc";
    bjc_answer answer = { .code = BJC_CONTENT,
                          .content_format = 40,
                          .block1 = -1,
                          .block2 = -1,
                          .size1 = -1,
                          .size2 = -1,
                          .payload = payload,
                          .payload_length = 3 };
    assert_null(bjc_inbound_known(&inbound, 7));
    bjc_inbound_remember(&inbound, 7, true, &answer);
    const bjc_exchange *known = bjc_inbound_known(&inbound, 7);
    assert_non_null(known);
    assert_int_equal(known->answer.code, BJC_CONTENT);
    assert_int_equal(known->answer.content_format, 40);
    assert_memory_equal(known->answer.payload, "abc", 3);
    assert_ptr_not_equal(known->answer.payload, payload);
    for (unsigned id = 100; id < 100 + 2 * BJC_INBOUND_EXCHANGES; id++) {
        bjc_inbound_remember(&inbound, (uint16_t) id, true, &answer);
    }
    assert_null(bjc_inbound_known(&inbound, 7));
    assert_non_null(bjc_inbound_known(&inbound, 99 + 2 * BJC_INBOUND_EXCHANGES));
}

static uint8_t block(const char *path, uint32_t number, bool more, unsigned exponent, const char *text,
                     bjc_incoming *request) {
    bjc_block part = { number, more, exponent };
    *request = (bjc_incoming){ .method = BJC_PUT,
                               .path = { { path, strlen(path) } },
                               .path_count = 1,
                               .content_format = 11542,
                               .accept = -1,
                               .payload = (const uint8_t *) text,
                               .payload_length = strlen(text) };
    return bjc_inbound_block(&inbound, request, &part);
}

#define SIXTEEN "0123456789abcdef"
#define OTHER   "ABCDEFGHIJKLMNOP"

static void blocks_are_put_together(void **state) {
    (void) state;
    bjc_incoming request;
    assert_int_equal(block("1", 0, true, 0, SIXTEEN, &request), BJC_CONTINUE);
    /* A transfer to another path at the same time. */
    assert_int_equal(block("0", 0, true, 0, OTHER, &request), BJC_CONTINUE);
    assert_int_equal(block("1", 1, true, 0, OTHER, &request), BJC_CONTINUE);
    assert_int_equal(block("1", 1, true, 0, OTHER, &request), BJC_CONTINUE); /* again */
    assert_int_equal(block("1", 2, false, 0, "xyz", &request), 0);
    assert_int_equal(request.payload_length, 35);
    assert_memory_equal(request.payload, SIXTEEN OTHER "xyz", 35);
    bjc_inbound_finished(&inbound, &request);
    assert_int_equal(block("1", 3, false, 0, "late", &request), BJC_INCOMPLETE);
    assert_int_equal(block("0", 1, false, 0, "!", &request), 0);
    assert_int_equal(request.payload_length, 17);
}

static void other_sizes(void **state) {
    (void) state;
    bjc_incoming request;
    /* 32 bytes, then on with blocks of 16: block 2 begins where they end. */
    assert_int_equal(block("1", 0, true, 1, SIXTEEN OTHER, &request), BJC_CONTINUE);
    assert_int_equal(block("1", 2, false, 0, "end", &request), 0);
    assert_int_equal(request.payload_length, 35);
    bjc_inbound_finished(&inbound, &request);
    assert_int_equal(block("1", 0, false, 6, "all at once", &request), 0);
    assert_int_equal(request.payload_length, 11);
}

/* RFC 8323 §6. */
static void bert_blocks(void **state) {
    (void) state;
    static char text[2049];
    bjc_incoming request;
    memset(text, 'x', sizeof text - 1);
    core.config.max_payload = 5000;
    assert_int_equal(block("1", 0, true, 7, text, &request), BJC_BAD_REQUEST);
    inbound.stream = true;
    assert_int_equal(block("1", 0, true, 7, text, &request), BJC_CONTINUE);
    assert_int_equal(block("1", 2, true, 7, text + 1024, &request), BJC_CONTINUE);
    assert_int_equal(block("1", 3, false, 7, "end", &request), 0);
    assert_int_equal(request.payload_length, 3075);
    bjc_inbound_finished(&inbound, &request);
    assert_int_equal(block("1", 0, true, 7, text + 1, &request), BJC_BAD_REQUEST); /* no whole units */
    assert_int_equal(block("1", 0, true, 7, "", &request), BJC_BAD_REQUEST);
    assert_int_equal(block("1", 0, false, 7, text + 1, &request), 0); /* the last may be of any length */
    bjc_inbound_finished(&inbound, &request);
    assert_int_equal(block("1", 0, true, 7, text, &request), BJC_CONTINUE);
    assert_int_equal(block("1", 4, true, 7, text, &request), BJC_TOO_LARGE); /* 6144 bytes */
    assert_int_equal(block("1", 0, true, 7, text, &request), BJC_CONTINUE);
    assert_int_equal(block("1", 3, true, 7, text, &request), BJC_TOO_LARGE);
}

static void request_tags(void **state) {
    (void) state;
    bjc_block first = { 0, true, 0 }, last = { 1, false, 0 };
    bjc_incoming a = { .method = BJC_PUT, .content_format = 0, .payload = (const uint8_t *) SIXTEEN };
    bjc_incoming b = a;
    a.payload_length = b.payload_length = 16;
    a.tags[a.tag_count++] = (bjc_text){ "1", 1 };
    b.tags[b.tag_count++] = (bjc_text){ "2", 1 };
    b.payload = (const uint8_t *) OTHER;
    assert_int_equal(bjc_inbound_block(&inbound, &a, &first), BJC_CONTINUE);
    assert_int_equal(bjc_inbound_block(&inbound, &b, &first), BJC_CONTINUE);
    a.payload = b.payload = (const uint8_t *) "end";
    a.payload_length = b.payload_length = 3;
    assert_int_equal(bjc_inbound_block(&inbound, &a, &last), 0);
    assert_memory_equal(a.payload, SIXTEEN "end", 19);
    assert_int_equal(bjc_inbound_block(&inbound, &b, &last), 0);
    assert_memory_equal(b.payload, OTHER "end", 19);
}

static void what_does_not_fit(void **state) {
    (void) state;
    bjc_incoming request;
    assert_int_equal(block("1", 1, true, 0, SIXTEEN, &request), BJC_INCOMPLETE);
    assert_int_equal(block("1", 0, true, 0, SIXTEEN, &request), BJC_CONTINUE);
    assert_int_equal(block("1", 2, true, 0, SIXTEEN, &request), BJC_INCOMPLETE);
    assert_int_equal(block("1", 0, true, 0, "short", &request), BJC_BAD_REQUEST);
    assert_int_equal(block("1", 0, false, 0, SIXTEEN "x", &request), BJC_BAD_REQUEST);
    assert_int_equal(block("1", 0, true, 7, SIXTEEN, &request), BJC_BAD_REQUEST);
    assert_int_equal(block("1", 6, false, 0, "12345", &request), BJC_TOO_LARGE);
    for (unsigned i = 0; i < BJC_INBOUND_TRANSFERS; i++) {
        char path[2] = { (char) ('a' + (int) i), 0 };
        assert_int_equal(block(path, 0, true, 0, SIXTEEN, &request), BJC_CONTINUE);
    }
    assert_int_equal(block("z", 0, true, 0, SIXTEEN, &request), BJC_INTERNAL_ERROR);
}

static void block_options(void **state) {
    (void) state;
    bjc_block part;
    assert_true(bjc_block_parse((const uint8_t *) "", 0, &part));
    assert_int_equal(part.number + part.size_exponent + part.more, 0);
    assert_true(bjc_block_parse((const uint8_t *) "\x01\x0E", 2, &part));
    assert_int_equal(part.number, 16);
    assert_true(part.more);
    assert_int_equal(part.size_exponent, 6);
    assert_int_equal(bjc_block_value(&part), 0x10E);
    assert_false(bjc_block_parse((const uint8_t *) "1234", 4, &part));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_are_remembered, start, finish),
        cmocka_unit_test_setup_teardown(blocks_are_put_together, start, finish),
        cmocka_unit_test_setup_teardown(other_sizes, start, finish),
        cmocka_unit_test_setup_teardown(bert_blocks, start, finish),
        cmocka_unit_test_setup_teardown(request_tags, start, finish),
        cmocka_unit_test_setup_teardown(what_does_not_fit, start, finish),
        cmocka_unit_test(block_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
