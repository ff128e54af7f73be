/* SPDX-License-Identifier: Apache-2.0
 *
 * The oracle of access control, judged itself: each rule is broken in a hand-made log and is found broken, and is not
 * found broken in one that keeps it, or does not tell.
 */
#include "oracle_managed.h"

enum { TWO = MGMT + 1 };

static void writes_rights(const char *json) {
    SERVER(10400, BS, .type = BJ_COAP_CON, .code = PUT, .mid = 110, .token = "to", .path = "/2",
           .format = SENML_JSON + 1, .payload = json);
    answers(10410, BS, 110, C(2, 4));
}

static void registers_with(int server, unsigned ms, uint16_t mid) {
    CLIENT(ms, server, .type = BJ_COAP_CON, .code = POST, .mid = mid, .token = "tr", .path = "/rd",
           .query = { "ep=dev-1", "lt=1000000", "lwm2m=1.1" }, .format = LINK + 1,
           .payload = "</1/0>,</1/1>,</2/0>,</2/1>,</3/0>,</3442/0>");
    SERVER(ms + 10, server, .type = BJ_COAP_ACK, .code = C(2, 1), .mid = mid, .token = "tr");
}

/* Servers 101 and 102. 101 owns /3442/0; its entries, /2/0/2, are given; 101 alone may create instances of it. */
static void two_servers(const char *entries) {
    BJ_TEXT(rights, 1000);
    declare(TWO, "two", "two.example");
    opens();
    command(10150, 99, DELETE_, "/", C(2, 2));
    writes_security(10200, 100, "/0/1", "coap://mgmt.example", false, 101, C(2, 4));
    writes_security(10250, 101, "/0/2", "coap://two.example", false, 102, C(2, 4));
    writes_server(10300, 102, "/1/0", 101, 1000000, C(2, 4));
    writes_server(10350, 103, "/1/1", 102, 1000000, C(2, 4));
    bj_text_printf(&rights,
                   "[{\"bn\":\"/2/\",\"n\":\"0/0\",\"v\":3442},{\"n\":\"0/1\",\"v\":0},{\"n\":\"0/3\",\"v\":101}%s,"
                   "{\"n\":\"1/0\",\"v\":3442},{\"n\":\"1/1\",\"v\":65535},{\"n\":\"1/3\",\"v\":65535},"
                   "{\"n\":\"1/2/101\",\"v\":16}]",
                   entries);
    writes_rights(rights.start);
    command(10900, 111, POST, "/bs", C(2, 4));
    registers_with(MGMT, 11000, 50);
    registers_with(TWO, 11100, 51);
    at_ms = 12000;
    next_mid = 1000;
}

#define AS(server, request, answer) asks_as(server, &(msg) request, &(msg) answer)

static void reads_as(int server, uint8_t code) {
    AS(server, ARG(.code = GET, .path = "/3442/0/120"),
       ARG(.code = code, .format = code == C(2, 5) ? 1 : 0, .payload = code == C(2, 5) ? "7" : NULL));
}

static void who_may_reads(void **state) {
    (void) state;
    two_servers(",{\"n\":\"0/2/102\",\"v\":1}");
    reads_as(MGMT, C(2, 5));
    reads_as(TWO, C(2, 5));
    AS(TWO, ARG(.code = PUT, .path = "/3442/0/120", .format = 1, .payload = "7"), ARG(.code = C(4, 1)));
    judge(20000);
    assert_nothing_broken();
    AS(TWO, ARG(.code = PUT, .path = "/3442/0/120", .format = 1, .payload = "7"), ARG(.code = C(2, 4)));
    judge(20000);
    assert_broken(BJ_RULE_ACL_RIGHTS, "no right");
}

static void who_may_is_not_refused(void **state) {
    (void) state;
    two_servers(",{\"n\":\"0/2/0\",\"v\":1}");
    reads_as(TWO, C(4, 1));
    judge(20000);
    assert_broken(BJ_RULE_ACL_RIGHTS, "has the right");
}

static void an_entry_of_its_own_counts_for_the_owner(void **state) {
    (void) state;
    two_servers(",{\"n\":\"0/2/101\",\"v\":2}");
    reads_as(MGMT, C(4, 1));
    judge(20000);
    assert_nothing_broken();
    reads_as(MGMT, C(2, 5));
    judge(20000);
    assert_broken(BJ_RULE_ACL_RIGHTS, "no right");
}

static void instances_that_no_rights_name_are_not_judged(void **state) {
    (void) state;
    two_servers("");
    AS(TWO, ARG(.code = GET, .path = "/3/0/14"), ARG(.code = C(2, 5), .format = 1, .payload = "7"));
    AS(TWO, ARG(.code = GET, .path = "/3/0/15"), ARG(.code = C(4, 1)));
    judge(20000);
    assert_nothing_broken();
}

static void creates_as(int server, uint8_t code) {
    AS(server,
       ARG(.code = POST, .path = "/3442", .format = SENML_JSON + 1, .payload = "[{\"n\":\"/3442/5/120\",\"v\":1}]"),
       ARG(.code = code));
}

static void create_needs_its_right(void **state) {
    (void) state;
    two_servers("");
    creates_as(TWO, C(4, 1));
    judge(20000);
    assert_nothing_broken();
    creates_as(TWO, C(2, 1));
    judge(20000);
    assert_broken(BJ_RULE_ACL_CREATE, "no right");
}

static void who_creates_owns(void **state) {
    (void) state;
    two_servers("");
    SERVER(at_ms, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 900, .token = "tc", .path = "/3442",
           .format = SENML_JSON + 1, .payload = "[{\"n\":\"/3442/5/120\",\"v\":1}]");
    client_raw(at_ms + 10, MGMT,
               "\x62\x41\x03\x84tc\x84"
               "3442\x01"
               "5",
               13); /* Location-Path */
    at_ms += 100;
    AS(MGMT, ARG(.code = GET, .path = "/3442/5/120"), ARG(.code = C(2, 5), .format = 1, .payload = "1"));
    AS(TWO, ARG(.code = GET, .path = "/3442/5/120"), ARG(.code = C(4, 1)));
    judge(20000);
    assert_nothing_broken();
    AS(MGMT, ARG(.code = GET, .path = "/3442/5/120"), ARG(.code = C(4, 1)));
    judge(20000);
    assert_broken(BJ_RULE_ACL_CREATE, "has the right");
}

static void gives(int server, uint8_t code) {
    AS(server,
       ARG(.code = PUT, .path = "/2/0/2", .format = SENML_JSON + 1, .payload = "[{\"n\":\"/2/0/2/102\",\"v\":1}]"),
       ARG(.code = code));
}

static void the_owner_gives_rights(void **state) {
    (void) state;
    two_servers("");
    reads_as(TWO, C(4, 1));
    gives(TWO, C(4, 1));
    gives(MGMT, C(2, 4));
    reads_as(TWO, C(2, 5));
    judge(20000);
    assert_nothing_broken();
    gives(TWO, C(2, 4));
    judge(20000);
    assert_broken(BJ_RULE_ACL_OWNER, "not the owner");
}

static void the_owner_is_not_refused(void **state) {
    (void) state;
    two_servers("");
    gives(MGMT, C(4, 1));
    judge(20000);
    assert_broken(BJ_RULE_ACL_OWNER, "is the owner");
}

static void one_entry_of_the_owners_is_not_refused(void **state) {
    (void) state;
    two_servers("");
    AS(MGMT,
       ARG(.code = POST, .path = "/2/0/2", .format = SENML_JSON + 1,
           .payload = "[{\"bn\":\"/2/0/2/\",\"n\":\"102\",\"v\":1}]"),
       ARG(.code = C(4, 1)));
    judge(20000);
    assert_broken(BJ_RULE_ACL_OWNER, "is the owner");
}

/* A second bootstrap takes the account of 102 away; then 101 reads the rights on /3442/0. */
static void loses_a_server(const char *rights) {
    two_servers(",{\"n\":\"0/2/102\",\"v\":1}");
    asks(600000, 2);
    accepts(600100, 2);
    command(600150, 200, DELETE_, "/0/2", C(2, 2));
    command(600200, 201, DELETE_, "/1/1", C(2, 2));
    command(600250, 202, POST, "/bs", C(2, 4));
    at_ms = 601000;
    AS(MGMT, ARG(.code = GET, .path = "/2/0", .accept = SENML_JSON + 1),
       ARG(.code = C(2, 5), .format = SENML_JSON + 1, .payload = rights));
    judge(602000);
}

static void rights_of_a_server_that_is_gone_are_found(void **state) {
    (void) state;
    loses_a_server("[{\"bn\":\"/2/0/\",\"n\":\"0\",\"v\":3442},{\"n\":\"2/101\",\"v\":31},{\"n\":\"2/102\",\"v\":1}]");
    assert_broken(BJ_RULE_ACL_CLEANUP, "Short Server ID 102");
}

static void rights_of_a_server_that_stays_are_lawful(void **state) {
    (void) state;
    loses_a_server("[{\"bn\":\"/2/0/\",\"n\":\"0\",\"v\":3442},{\"n\":\"2/101\",\"v\":31}]");
    assert_nothing_broken();
}

static void rights_of_a_session_without_an_end_are_not_known(void **state) {
    (void) state;
    two_servers("");
    asks(600000, 2);
    accepts(600100, 2);
    command(600150, 200, DELETE_, "/2", C(2, 2));
    registers_with(MGMT, 1200000, 60);
    registers_with(TWO, 1200100, 61);
    at_ms = 1201000;
    reads_as(TWO, C(2, 5));
    judge(1300000);
    for (unsigned i = 0; i < found_count; i++) {
        assert_int_not_equal(found[i].rule, BJ_RULE_ACL_RIGHTS);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(who_may_reads),
        TEST(who_may_is_not_refused),
        TEST(an_entry_of_its_own_counts_for_the_owner),
        TEST(instances_that_no_rights_name_are_not_judged),
        TEST(create_needs_its_right),
        TEST(who_creates_owns),
        TEST(the_owner_gives_rights),
        TEST(the_owner_is_not_refused),
        TEST(one_entry_of_the_owners_is_not_refused),
        TEST(rights_of_a_server_that_is_gone_are_found),
        TEST(rights_of_a_server_that_stays_are_lawful),
        TEST(rights_of_a_session_without_an_end_are_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
