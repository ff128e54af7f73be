/* SPDX-License-Identifier: Apache-2.0
 *
 * Transfers in blocks: what goes on with one, and what does not.
 */
#include "oracle_fixture.h"

enum { BLOCK = 16, MORE = 8 };

/* A block of a Bootstrap-Write of /3/0, of 16 bytes, answered with that code. */
static void writes_block(uint16_t mid, unsigned number, bool more, uint8_t code) {
    unsigned ms = 10200 + mid;
    SERVER(ms, BS, .type = BJ_COAP_CON, .code = PUT, .mid = mid, .token = "to", .path = "/3/0", .format = 43,
           .block1 = (number << 4 | (more ? MORE : 0)) + 1, .payload = "0123456789abcdef");
    CLIENT(ms, BS, .type = BJ_COAP_ACK, .code = code, .mid = mid, .token = "to",
           .block1 = (number << 4 | (more ? MORE : 0)) + 1);
}

static void blocks_in_their_order_are_taken(void **state) {
    (void) state;
    opens();
    writes_block(100, 0, true, C(2, 31));
    writes_block(101, 1, true, C(2, 31));
    writes_block(102, 1, true, C(2, 31)); /* again */
    writes_block(103, 5, true, C(4, 8));
    writes_block(104, 2, false, C(4, 0));
    judge(20000);
    assert_nothing_broken();
}

static void a_block_behind_a_gap_is_found(void **state) {
    (void) state;
    opens();
    writes_block(100, 0, true, C(2, 31));
    writes_block(101, 2, true, C(2, 31));
    judge(20000);
    assert_broken(BJ_RULE_COAP_BLOCK1, "the block at 32");
}

static void says_block(unsigned ms, uint16_t mid, unsigned number) {
    SERVER(ms, BS, .type = BJ_COAP_NON, .code = PUT, .mid = mid, .token = "to", .path = "/3/0", .format = 43,
           .block1 = (number << 4 | MORE) + 1, .payload = "0123456789abcdef");
    CLIENT(ms, BS, .type = BJ_COAP_NON, .code = C(2, 31), .mid = mid, .token = "to",
           .block1 = (number << 4 | MORE) + 1);
}

static void a_block_that_came_again_is_answered_again(void **state) {
    (void) state;
    opens();
    for (unsigned i = 0; i < 4; i++) {
        says_block(10200 + i, (uint16_t) (100 + i), i);
    }
    says_block(10300, 102, 2);
    judge(20000);
    assert_nothing_broken();
}

static void a_block_of_nothing_is_found(void **state) {
    (void) state;
    opens();
    writes_block(100, 1, false, C(2, 4));
    judge(20000);
    assert_broken(BJ_RULE_COAP_BLOCK1, "did not come");
}

/* The client asks for a pack, of which it gets a block: that one, or another. */
static void gets_a_pack(unsigned number) {
    CLIENT(10000, BS, .type = BJ_COAP_CON, .code = GET, .mid = 1, .token = "t1", .path = "/bspack",
           .query = { "ep=dev-1" });
    SERVER(10100, BS, .type = BJ_COAP_ACK, .code = C(2, 5), .mid = 1, .token = "t1", .format = 111,
           .block2 = (0u << 4 | MORE) + 1, .payload = "0123456789abcdef");
    CLIENT(10200, BS, .type = BJ_COAP_CON, .code = GET, .mid = 2, .token = "t2", .path = "/bspack",
           .block2 = (1u << 4) + 1);
    SERVER(10300, BS, .type = BJ_COAP_ACK, .code = C(2, 5), .mid = 2, .token = "t2", .format = 111,
           .block2 = (number << 4 | MORE) + 1, .payload = "0123456789abcdef");
}

static void asks_for_block(unsigned number) {
    CLIENT(10400, BS, .type = BJ_COAP_CON, .code = GET, .mid = 3, .token = "t3", .path = "/bspack",
           .block2 = (number << 4) + 1);
}

static void the_block_that_was_asked_for_is_followed_by_the_next(void **state) {
    (void) state;
    gets_a_pack(1);
    asks_for_block(2);
    judge(11000);
    assert_nothing_broken();
}

static void another_block_is_not_followed_by_the_next(void **state) {
    (void) state;
    gets_a_pack(4);
    asks_for_block(2);
    judge(11000);
    assert_broken(BJ_RULE_COAP_BLOCK2, "a further block");
}

static void another_block_is_followed_by_a_request(void **state) {
    (void) state;
    gets_a_pack(4);
    asks(10400, 3);
    accepts(10500, 3);
    judge(11000);
    assert_nothing_broken();
}

static void another_block_is_not_followed_by_a_registration(void **state) {
    (void) state;
    gets_a_pack(4);
    registers(10400, 3, "lt=300");
    judge(11000);
    assert_int_equal(found[0].rule, BJ_RULE_COAP_BLOCK2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(blocks_in_their_order_are_taken),
        TEST(a_block_behind_a_gap_is_found),
        TEST(a_block_that_came_again_is_answered_again),
        TEST(a_block_of_nothing_is_found),
        TEST(the_block_that_was_asked_for_is_followed_by_the_next),
        TEST(another_block_is_not_followed_by_the_next),
        TEST(another_block_is_followed_by_a_request),
        TEST(another_block_is_not_followed_by_a_registration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
