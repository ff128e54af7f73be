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

/* A block reaches the client twice, and is answered once, as a duplicate of what is not confirmable may be. */
static void says_block_twice(unsigned ms, uint16_t mid, unsigned number) {
    SERVER(ms, BS, .type = BJ_COAP_NON, .code = PUT, .mid = mid, .token = "to", .path = "/3/0", .format = 43,
           .block1 = (number << 4 | MORE) + 1, .payload = "0123456789abcdef");
    says_block(ms, mid, number);
}

static void a_block_that_comes_twice_before_its_answer_begins_a_transfer(void **state) {
    (void) state;
    opens();
    says_block_twice(10200, 100, 0);
    says_block(10210, 101, 1);
    says_block_twice(10220, 102, 2);
    says_block(10230, 103, 3);
    judge(20000);
    assert_nothing_broken();
}

static void one_behind_a_gap_is_found(void **state) {
    (void) state;
    opens();
    says_block_twice(10200, 100, 0);
    says_block_twice(10210, 101, 2);
    judge(20000);
    assert_broken(BJ_RULE_COAP_BLOCK1, "the block at 32");
}

/* Its Message ID was used before: the client need not, but may, see that it is another message. */
static void a_block_with_a_message_id_of_before_may_begin_a_transfer(void **state) {
    (void) state;
    opens();
    command(10150, 100, DELETE_, "/3/0", C(2, 2));
    says_block(10200, 100, 0);
    says_block(10210, 101, 1);
    judge(20000);
    assert_nothing_broken();
}

static void or_none(void **state) {
    (void) state;
    opens();
    says_block(10200, 99, 0);
    says_block(10210, 100, 1);
    says_block(10220, 101, 2);
    SERVER(10300, BS, .type = BJ_COAP_NON, .code = PUT, .mid = 100, .token = "tn", .path = "/3/0", .format = 43,
           .block1 = (3u << 4 | MORE) + 1, .payload = "fedcba9876543210");
    CLIENT(10300, BS, .type = BJ_COAP_NON, .code = C(2, 31), .mid = 100, .token = "tn", .block1 = (1u << 4 | MORE) + 1);
    says_block(10310, 102, 3);
    judge(20000);
    assert_nothing_broken();
}

/* RFC 7252 §4.2, §5.2.2: the answer comes in a message of its own, whose Acknowledgement is lost. */
static void an_answer_that_comes_again_takes_no_block(void **state) {
    (void) state;
    opens();
    SERVER(10200, BS, .type = BJ_COAP_CON, .code = PUT, .mid = 100, .token = "ta", .path = "/3/0", .format = 43,
           .block1 = (0u << 4 | MORE) + 1, .payload = "0123456789abcdef");
    CLIENT(10210, BS, .type = BJ_COAP_ACK, .mid = 100);
    CLIENT(10300, BS, .type = BJ_COAP_CON, .code = C(2, 31), .mid = 7, .token = "ta", .block1 = (0u << 4 | MORE) + 1);
    SERVER(10310, BS, .type = BJ_COAP_ACK, .mid = 7);
    SERVER(10320, BS, .type = BJ_COAP_CON, .code = PUT, .mid = 101, .token = "tc", .path = "/3/0", .format = 43,
           .block1 = (1u << 4 | MORE) + 1, .payload = "0123456789abcdef");
    CLIENT(10330, BS, .type = BJ_COAP_ACK, .mid = 101);
    CLIENT(10400, BS, .type = BJ_COAP_CON, .code = C(2, 31), .mid = 8, .token = "tc", .block1 = (1u << 4 | MORE) + 1);
    writes_block(300, 2, true, C(2, 31));
    writes_block(301, 3, true, C(2, 31));
    CLIENT(13000, BS, .type = BJ_COAP_CON, .code = C(2, 31), .mid = 8, .token = "tc", .block1 = (1u << 4 | MORE) + 1);
    SERVER(13010, BS, .type = BJ_COAP_ACK, .mid = 8);
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
        TEST(a_block_that_comes_twice_before_its_answer_begins_a_transfer),
        TEST(one_behind_a_gap_is_found),
        TEST(a_block_with_a_message_id_of_before_may_begin_a_transfer),
        TEST(or_none),
        TEST(an_answer_that_comes_again_takes_no_block),
        TEST(a_block_of_nothing_is_found),
        TEST(the_block_that_was_asked_for_is_followed_by_the_next),
        TEST(another_block_is_not_followed_by_the_next),
        TEST(another_block_is_followed_by_a_request),
        TEST(another_block_is_not_followed_by_a_registration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
