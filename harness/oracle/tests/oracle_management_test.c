/* SPDX-License-Identifier: Apache-2.0
 *
 * The oracles of device management, judged themselves: each rule is broken in a hand-made log and is found broken, and
 * is not found broken in one that keeps it, or does not tell.
 */
#include "oracle_managed.h"

/* --- what must be refused ------------------------------------------------------------------------------------- */

static void another_code_for_the_security_object_is_found(void **state) {
    (void) state;
    manages();
    simple(DELETE_, "/0/0", C(4, 1));
    judge(20000);
    assert_nothing_broken();
    simple(DELETE_, "/0/0", C(4, 5));
    judge(20000);
    assert_broken(BJ_RULE_MGMT_SECRETS, "DELETE /0/0");
}

/* TS 1.0 has neither FETCH nor iPATCH: 4.05 says of the method that it is unknown (RFC 7252 §5.8). */
static void a_method_that_the_first_release_does_not_know_is_lawfully_refused(void **state) {
    (void) state;
    config.first_release = true;
    manages();
    writes_json(IPATCH, "/0/0/0", "[{\"n\":\"/0/0/0\",\"vs\":\"coap://x.example\"}]", C(4, 5));
    simple(FETCH, "/0/0", C(4, 5));
    judge(20000);
    assert_nothing_broken();
    simple(DELETE_, "/0/0", C(4, 5));
    judge(20000);
    assert_broken(BJ_RULE_MGMT_SECRETS, "DELETE /0/0");
}

/* What a Default Maximum Period of 0 means no text says. */
static void a_maximum_of_nothing_may_be_refused(void **state) {
    (void) state;
    config.server_resources = 1 << 2 | 1 << 3;
    manages();
    writes_json(POST, "/1/0", "[{\"bn\":\"/1/0/\",\"n\":\"2\",\"v\":0},{\"n\":\"3\",\"v\":0}]", C(4, 0));
    judge(20000);
    assert_nothing_broken();
    writes_json(POST, "/1/0", "[{\"bn\":\"/1/0/\",\"n\":\"2\",\"v\":0},{\"n\":\"3\",\"v\":1}]", C(4, 0));
    judge(20000);
    assert_broken(BJ_RULE_MGMT_WRITE, "every client takes those values");
}

static void a_composite_that_shows_the_security_object_is_found(void **state) {
    (void) state;
    manages();
    ASKS(ARG(.code = FETCH, .format = SENML_JSON + 1, .payload = "[{\"n\":\"/\"}]"),
         ARG(.code = C(2, 5), .format = SENML_JSON + 1, .payload = "[{\"n\":\"/0/0/10\",\"v\":1}]"));
    judge(20000);
    assert_broken(BJ_RULE_SEC_OBJECT_CLOSED, "Security Object");
}

static void execute_of_what_is_not_executable_is_found(void **state) {
    (void) state;
    manages();
    simple(POST, "/1/0/8", C(2, 4));
    simple(POST, "/3/0/17", C(4, 5));
    simple(POST, "/4711/0/17", C(2, 4));
    judge(20000);
    assert_nothing_broken();
    simple(POST, "/3/0/17", C(2, 4));
    judge(20000);
    assert_broken(BJ_RULE_MGMT_EXECUTE, "not executable");
}

static void executes(const char *arguments, uint8_t code) {
    ASKS(ARG(.code = POST, .path = "/1/0/8", .format = 1, .payload = arguments), ARG(.code = code));
}

static void arguments_that_are_none_are_found(void **state) {
    static const char *const wrong[] = { "x", "0=", "0='a", "0,", "10", ",1", "0='a'b" };
    (void) state;
    manages();
    executes("0", C(2, 4));
    executes("0='a',1,2=''", C(2, 4));
    executes("x", C(4, 0));
    judge(20000);
    assert_nothing_broken();
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        set_up(state);
        manages();
        executes(wrong[i], C(2, 4));
        judge(20000);
        assert_broken(BJ_RULE_MGMT_EXECUTE, "arguments");
    }
}

static void a_read_only_resource_that_is_written_is_found(void **state) {
    (void) state;
    manages();
    writes_text("/1/0/0", "7", C(4, 5));
    judge(20000);
    assert_nothing_broken();
    writes_text("/1/0/0", "7", C(2, 4));
    judge(20000);
    assert_broken(BJ_RULE_MGMT_WRITE, "cannot write");
}

static void values_that_all_clients_take_may_not_be_refused(void **state) {
    (void) state;
    manages();
    writes_json(POST, "/1/0", "[{\"bn\":\"/1/0/\",\"n\":\"1\",\"v\":300},{\"n\":\"6\",\"vb\":true}]", C(4, 0));
    judge(20000);
    assert_broken(BJ_RULE_MGMT_WRITE, "every client takes those values");
}

static void values_of_a_clients_own_may_be_refused(void **state) {
    (void) state;
    manages();
    writes_json(POST, "/1/0", "[{\"bn\":\"/1/0/\",\"n\":\"1\",\"v\":300},{\"n\":\"5\",\"v\":9}]", C(4, 4));
    writes_json(POST, "/1/0", "[{\"bn\":\"/1/0/\",\"n\":\"1\",\"v\":-1}]", C(4, 0));
    writes_json(PUT, "/1/0", "[{\"bn\":\"/1/0/\",\"n\":\"1\",\"v\":300}]", C(4, 0)); /* a replacement must be whole */
    writes_text("/1/0/1", "0300", C(4, 0));
    writes_text("/1/0/1", "300", C(4, 1));
    judge(20000);
    assert_nothing_broken();
}

static void a_refused_composite_that_brings_what_was_not_there_is_found(void **state) {
    (void) state;
    manages();
    writes_json(IPATCH, "/", "[{\"n\":\"/1/0/2\",\"v\":5},{\"n\":\"/3/7/14\",\"vs\":\"x\"}]", C(4, 4));
    ASKS(ARG(.code = FETCH, .path = "/", .format = SENML_JSON + 1, .payload = "[{\"n\":\"/1/0/2\"}]"),
         ARG(.code = C(2, 5), .format = SENML_JSON + 1, .payload = "[{\"n\":\"/1/0/2\",\"v\":5}]"));
    judge(20000);
    assert_broken(BJ_RULE_MGMT_COMPOSITE, "/1/0/2 was not there");
}

static void several_values_of_a_single_resource_are_found(void **state) {
    (void) state;
    manages();
    writes_json(POST, "/1/0", "[{\"n\":\"/1/0/2/0\",\"v\":5}]", C(4, 0));
    judge(20000);
    assert_nothing_broken();
    writes_json(POST, "/1/0", "[{\"n\":\"/1/0/2/0\",\"v\":5}]", C(2, 4));
    judge(20000);
    assert_broken(BJ_RULE_OBJ_TYPES, "single");
}

static void instances_of_single_objects_are_found(void **state) {
    (void) state;
    manages();
    ASKS(ARG(.code = POST, .path = "/3"), ARG(.code = C(2, 1)));
    judge(20000);
    assert_broken(BJ_RULE_MGMT_CREATE, "single");
    set_up(state);
    manages();
    simple(DELETE_, "/3/0", C(2, 2));
    judge(20000);
    assert_broken(BJ_RULE_MGMT_DELETE, "/3/0");
}

static void resources_of_a_later_release_are_found(void **state) {
    (void) state;
    manages();
    reads_json("/1/0", "[{\"bn\":\"/1/0/\",\"n\":\"23\",\"vb\":true}]");
    judge(20000);
    assert_nothing_broken();
    reads_json("/1/0", "[{\"bn\":\"/1/0/\",\"n\":\"26\",\"v\":1}]");
    judge(20000);
    assert_broken(BJ_RULE_OBJ_RELEASE, "/1/0/26");
}

static void what_is_not_there_is_not_found(void **state) {
    (void) state;
    manages();
    simple(GET, "/5/0", C(4, 4));
    simple(GET, "/3/0/4", C(4, 5));
    simple(GET, "/3442/9/1", C(4, 5)); /* nothing says that it is not there */
    judge(20000);
    assert_nothing_broken();
    simple(GET, "/5/0", C(4, 5));
    judge(20000);
    assert_broken(BJ_RULE_MGMT_READ, "no such Object");
}

/* The second block of a Read that had one. */
static void asks_for_a_block(uint8_t code, const char *payload) {
    SERVER(at_ms, MGMT, .type = BJ_COAP_CON, .code = GET, .mid = next_mid, .token = "tm", .path = "/3/0",
           .block2 = 1 + (1 << 4 | 6));
    CLIENT(at_ms + 10, MGMT, .type = BJ_COAP_ACK, .code = code, .mid = next_mid++, .token = "tm",
           .block2 = code == C(2, 5) ? 1 + (1 << 4 | 6) : 0, .format = payload ? 1 : 0, .payload = payload);
    at_ms += 100;
}

static void a_block_beyond_the_end_is_found(void **state) {
    (void) state;
    manages();
    asks_for_a_block(C(4, 0), NULL);
    asks_for_a_block(C(2, 5), "x");
    judge(20000);
    assert_nothing_broken();
    asks_for_a_block(C(2, 5), NULL);
    judge(20000);
    assert_broken(BJ_RULE_REP_BLOCKS, "beyond the end");
}

static void an_answer_before_the_registration_is_found(void **state) {
    (void) state;
    bootstraps();
    registers(11000, 50, "lt=300");
    SERVER(11010, MGMT, .type = BJ_COAP_CON, .code = GET, .mid = 9, .token = "tm", .path = "/3/0");
    CLIENT(11020, MGMT, .type = BJ_COAP_ACK, .code = C(2, 5), .mid = 9, .token = "tm", .format = 1, .payload = "x");
    judge(20000);
    assert_broken(BJ_RULE_REG_BEFORE, "GET /3/0");
}

/* --- attributes ----------------------------------------------------------------------------------------------- */

static void attributes(const char *path, const char *one, const char *two, uint8_t code) {
    ASKS(ARG(.code = PUT, .path = path, .query = ARG(one, two)), ARG(.code = code));
}

static void attributes_that_are_none_are_found(void **state) {
    (void) state;
    manages();
    attributes("/1/0/2", "pmin=5", "epmax=", C(2, 4));
    attributes("/1/0/2", "pmin=x", NULL, C(4, 0));
    attributes("/1/0/2", "lt=5", "gt=6", C(2, 4));
    judge(20000);
    assert_nothing_broken();
    attributes("/1/0/2", "pmin=x", NULL, C(2, 4));
    judge(20000);
    assert_broken(BJ_RULE_MGMT_ATTRIBUTES, "no number");
}

static void evaluation_periods_that_are_none_are_found(void **state) {
    (void) state;
    manages();
    attributes("/1/0/2", "epmax=-5", NULL, C(2, 4));
    judge(20000);
    assert_broken(BJ_RULE_REP_EVALUATION, "no number");
}

static void thresholds_that_contradict_are_found(void **state) {
    (void) state;
    manages();
    attributes("/1/0/2", "lt=7.5", "gt=7.5", C(2, 4));
    judge(20000);
    assert_broken(BJ_RULE_MGMT_ATTRIBUTES, "lt");
}

/* --- values --------------------------------------------------------------------------------------------------- */

static void what_was_written_is_read(void **state) {
    (void) state;
    manages();
    writes_text("/1/0/2", "7", C(2, 4));
    reads("/1/0/2", "7");
    reads("/1/0/3", "60"); /* as it came */
    reads("/1/0/3", "70"); /* and by itself */
    judge(20000);
    assert_nothing_broken();
    reads("/1/0/2", "8");
    judge(20000);
    assert_broken(BJ_RULE_MGMT_WRITE, "/1/0/2 was 7");
}

static void a_write_whose_answer_is_not_known_is_not_judged(void **state) {
    (void) state;
    manages();
    writes_text("/1/0/2", "7", C(2, 4));
    SERVER(at_ms, MGMT, .type = BJ_COAP_CON, .code = PUT, .mid = 9, .token = "tw", .path = "/1/0/2", .format = 1,
           .payload = "8");
    at_ms += 10;
    reads("/1/0/2", "8");
    CLIENT(at_ms, MGMT, .type = BJ_COAP_ACK, .code = C(2, 4), .mid = 9, .token = "tw");
    at_ms += 10;
    reads("/1/0/2", "9");
    judge(20000);
    assert_nothing_broken();
}

static void a_refused_write_that_stays_is_found(void **state) {
    (void) state;
    manages();
    reads("/1/0/2", "7");
    writes_json(POST, "/1/0", "[{\"n\":\"/1/0/2\",\"v\":8},{\"n\":\"/1/0/7\",\"vs\":\"?\"}]", C(4, 0));
    reads("/1/0/2", "8");
    judge(20000);
    assert_broken(BJ_RULE_MGMT_WRITE, "a refused Write");
}

/* LwM2M Core 1.1 §8.2: who creates an Object Instance owns it, which a client may write down where rights for one of
 * that number are already. */
static void a_created_instance_may_have_another_owner(void **state) {
    (void) state;
    manages();
    reads("/2/0/3", "101");
    writes_text("/2/0/3", "102", C(4, 1));
    simple(POST, "/3442", C(2, 1));
    reads("/2/0/3", "102");
    judge(20000);
    assert_nothing_broken();
}

static void a_refused_composite_that_stays_is_found(void **state) {
    (void) state;
    manages();
    reads("/1/0/2", "7");
    writes_json(IPATCH, NULL, "[{\"n\":\"/1/0/2\",\"v\":8},{\"n\":\"/9/0/7\",\"vs\":\"?\"}]", C(4, 4));
    reads("/1/0/2", "8");
    judge(20000);
    assert_broken(BJ_RULE_MGMT_COMPOSITE, "a refused Write");
}

static void an_update_that_takes_away_is_found(void **state) {
    (void) state;
    manages();
    reads_json("/1/0", "[{\"n\":\"/1/0/2\",\"v\":7},{\"n\":\"/1/0/3\",\"v\":60}]");
    writes_json(POST, "/1/0", "[{\"n\":\"/1/0/2\",\"v\":8}]", C(2, 4));
    reads_json("/1/0", "[{\"n\":\"/1/0/2\",\"v\":8}]");
    judge(20000);
    assert_broken(BJ_RULE_MGMT_WRITE, "/1/0/3 was 60");
}

static void a_replacement_that_leaves_is_found(void **state) {
    (void) state;
    manages();
    writes_text("/1/0/2", "7", C(2, 4));
    writes_json(PUT, "/1/0", "[{\"n\":\"/1/0/1\",\"v\":300},{\"n\":\"/1/0/6\",\"vb\":true}]", C(2, 4));
    reads_json("/1/0", "[{\"n\":\"/1/0/6\",\"vb\":true},{\"n\":\"/1/0/1\",\"v\":300},{\"n\":\"/1/0/2\",\"v\":0}]");
    judge(20000);
    assert_nothing_broken(); /* a default */
    writes_text("/1/0/2", "7", C(2, 4));
    writes_json(PUT, "/1/0", "[{\"n\":\"/1/0/1\",\"v\":300},{\"n\":\"/1/0/6\",\"vb\":true}]", C(2, 4));
    reads_json("/1/0", "[{\"n\":\"/1/0/6\",\"vb\":true},{\"n\":\"/1/0/1\",\"v\":300},{\"n\":\"/1/0/2\",\"v\":7}]");
    judge(20000);
    assert_broken(BJ_RULE_MGMT_WRITE, "still there");
}

static void an_execute_and_a_restart_leave_nothing_known(void **state) {
    (void) state;
    manages();
    writes_text("/1/0/2", "7", C(2, 4));
    simple(POST, "/3/0/5", C(2, 4));
    reads("/1/0/2", "8");
    writes_text("/1/0/2", "7", C(2, 4));
    put_event((bj_event){ .kind = BJ_EV_CLIENT_START, .actor = BJ_ACTOR_CLIENT, .time = at_ms * BJ_MS });
    registers(at_ms + 1, 60, "lt=1000000");
    registered(at_ms + 2, 60);
    at_ms += 100;
    reads("/1/0/2", "9");
    judge(20000);
    assert_nothing_broken();
}

static void a_message_id_that_was_used_before_is_no_write(void **state) {
    (void) state;
    manages();
    writes_text("/1/0/2", "7", C(2, 4));
    next_mid--;
    writes_text("/1/0/2", "8", C(2, 4));
    reads("/1/0/2", "7");
    judge(20000);
    for (unsigned i = 0; i < found_count; i++) {
        assert_int_not_equal(found[i].rule, BJ_RULE_MGMT_WRITE);
    }
}

static void a_composite_that_finds_nothing_of_something_is_found(void **state) {
    (void) state;
    manages();
    reads("/1/0/2", "7");
    ASKS(ARG(.code = FETCH, .format = SENML_JSON + 1, .payload = "[{\"n\":\"/1/0/2\"},{\"n\":\"/9/0/1\"}]"),
         ARG(.code = C(4, 4)));
    judge(20000);
    assert_broken(BJ_RULE_MGMT_COMPOSITE, "4.04");
}

/* --- instances ------------------------------------------------------------------------------------------------ */

static void creates(int id, uint8_t code) {
    BJ_TEXT(json, 100);
    bj_text_printf(&json, "[{\"n\":\"/3442/%d/120\",\"v\":1}]", id);
    ASKS(ARG(.code = POST, .path = "/3442", .format = SENML_JSON + 1, .payload = json.start), ARG(.code = code));
}

static void what_was_deleted_is_not_there(void **state) {
    (void) state;
    manages();
    simple(DELETE_, "/3442/0", C(2, 2));
    simple(GET, "/3442/0", C(4, 4));
    creates(0, C(2, 1));
    reads("/3442/0/120", "1");
    judge(20000);
    assert_nothing_broken();
    simple(DELETE_, "/3442/0", C(2, 2));
    reads("/3442/0/120", "1");
    judge(20000);
    assert_broken(BJ_RULE_MGMT_DELETE, "/3442/0");
}

static void what_was_deleted_is_not_registered(void **state) {
    (void) state;
    manages();
    simple(DELETE_, "/3442/0", C(2, 2));
    CLIENT(at_ms, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 51, .token = "tu", .path = "/rd/1",
           .format = LINK + 1, .payload = "</1/0>,</3/0>,</3442/0>");
    SERVER(at_ms + 1, MGMT, .type = BJ_COAP_ACK, .code = C(2, 4), .mid = 51, .token = "tu");
    judge(20000);
    assert_broken(BJ_RULE_MGMT_DELETE, "a registration lists it");
}

static void what_was_created_is_there(void **state) {
    (void) state;
    manages();
    creates(5, C(2, 1));
    creates(5, C(4, 0));
    judge(20000);
    assert_nothing_broken();
    simple(GET, "/3442/5", C(4, 4));
    judge(20000);
    assert_broken(BJ_RULE_MGMT_CREATE, "not there");
}

static void created_again_has_its_code(void **state) {
    (void) state;
    manages();
    creates(5, C(2, 1));
    creates(5, C(4, 5));
    judge(20000);
    assert_broken(BJ_RULE_MGMT_CREATE, "4.05");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(another_code_for_the_security_object_is_found),
        TEST(a_method_that_the_first_release_does_not_know_is_lawfully_refused),
        TEST(a_maximum_of_nothing_may_be_refused),
        TEST(a_composite_that_shows_the_security_object_is_found),
        TEST(execute_of_what_is_not_executable_is_found),
        TEST(arguments_that_are_none_are_found),
        TEST(a_read_only_resource_that_is_written_is_found),
        TEST(values_that_all_clients_take_may_not_be_refused),
        TEST(values_of_a_clients_own_may_be_refused),
        TEST(a_refused_composite_that_brings_what_was_not_there_is_found),
        TEST(several_values_of_a_single_resource_are_found),
        TEST(instances_of_single_objects_are_found),
        TEST(resources_of_a_later_release_are_found),
        TEST(what_is_not_there_is_not_found),
        TEST(a_block_beyond_the_end_is_found),
        TEST(an_answer_before_the_registration_is_found),
        TEST(attributes_that_are_none_are_found),
        TEST(evaluation_periods_that_are_none_are_found),
        TEST(thresholds_that_contradict_are_found),
        TEST(what_was_written_is_read),
        TEST(a_write_whose_answer_is_not_known_is_not_judged),
        TEST(a_refused_write_that_stays_is_found),
        TEST(a_created_instance_may_have_another_owner),
        TEST(a_refused_composite_that_stays_is_found),
        TEST(an_update_that_takes_away_is_found),
        TEST(a_replacement_that_leaves_is_found),
        TEST(an_execute_and_a_restart_leave_nothing_known),
        TEST(a_message_id_that_was_used_before_is_no_write),
        TEST(a_composite_that_finds_nothing_of_something_is_found),
        TEST(what_was_deleted_is_not_there),
        TEST(what_was_deleted_is_not_registered),
        TEST(what_was_created_is_there),
        TEST(created_again_has_its_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
