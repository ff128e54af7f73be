/* SPDX-License-Identifier: Apache-2.0
 *
 * The oracles of what Discover, Bootstrap-Read and Register show of a configuration, and of which are consistent,
 * judged themselves.
 */
#include "oracle_fixture.h"

/* --- what Discover shows -------------------------------------------------------------------------------------- */

static void writes_accounts(void) {
    opens();
    writes_security(10200, 100, "/0/1", "coap://mgmt.example", false, 101, C(2, 4));
    writes_server(10300, 101, "/1/0", 101, 300, C(2, 4));
}

static void discover_without_a_servers_id_is_found(void **state) {
    (void) state;
    writes_accounts();
    discovers(10400, 102, "/", "</>;lwm2m=1.1,</0/0>,</0/1>;ssid=101;uri=\"coap://mgmt.example\",</1/0>,</3/0>");
    judge(11000);
    assert_broken(BJ_RULE_BS_DISCOVER, "no Short Server ID of /1/0");
}

/* A Write that is not confirmable comes twice, and a client does it twice; between them comes another. */
static void writes_twice(unsigned second_ms) {
    const msg empty = { .type = BJ_COAP_NON, .code = PUT, .mid = 99, .token = "tn", .path = "/1/0", .format = 11543 };
    opens();
    server_says(10200, BS, &empty);
    CLIENT(10210, BS, .type = BJ_COAP_NON, .code = C(2, 4), .mid = 99, .token = "tn");
    writes_server(100000, 100, "/1/0", 101, 300, C(2, 4));
    server_says(second_ms, BS, &empty);
    CLIENT(second_ms + 10, BS, .type = BJ_COAP_NON, .code = C(2, 4), .mid = 99, .token = "tn");
    discovers(second_ms + 100, 10, "/1", "</>;lwm2m=1.1,</1/0>");
    judge(second_ms + 1000);
}

static void a_copy_within_its_lifetime_is_done_once(void **state) {
    (void) state;
    writes_twice(10200 + 144000);
    assert_broken(BJ_RULE_BS_DISCOVER, "no Short Server ID of /1/0");
}

/* RFC 7252 §4.8.2: NON_LIFETIME is 145 s. */
static void a_copy_behind_its_lifetime_may_be_done_again(void **state) {
    (void) state;
    writes_twice(10200 + 146000);
    assert_nothing_broken();
}

/* What is in a pack is not read. */
static void a_pack_may_have_changed_them(void **state) {
    (void) state;
    writes_accounts();
    command(10900, 103, POST, "/bs", C(2, 4));
    CLIENT(30000, BS, .type = BJ_COAP_CON, .code = GET, .mid = 2, .token = "tc", .path = "/bspack",
           .query = { "ep=dev-1" });
    SERVER(30100, BS, .type = BJ_COAP_ACK, .code = C(2, 5), .mid = 2, .token = "tc", .format = 113, .payload = "[]");
    asks(60000, 3);
    accepts(60100, 3);
    discovers(60200, 104, "/1", "</>;lwm2m=1.1,</1/0>;ssid=102");
    judge(61000);
    assert_nothing_broken();
}

/* At the Finish /1/0 belonged to no account; a client may take such an instance away, and make another of the Write. */
static void a_resource_of_an_instance_that_may_have_gone_may_be_all_of_it(void **state) {
    (void) state;
    opens();
    writes_security(10200, 100, "/0/1", "coap://mgmt.example", false, 102, C(2, 4));
    writes_server(10300, 101, "/1/0", 101, 300, C(2, 4));
    writes_server(10400, 102, "/1/1", 102, 300, C(2, 4));
    command(10900, 103, POST, "/bs", C(2, 4));
    asks(300000, 2);
    accepts(300100, 2);
    writes(300200, 104, "/1/0/1", "\xc1\x01\x4d", 3, C(2, 4));
    discovers(300300, 105, "/1", "</>;lwm2m=1.1,</1/0>,</1/1>;ssid=102");
    judge(301000);
    assert_nothing_broken();
}

static void discover_without_a_servers_uri_is_found(void **state) {
    (void) state;
    writes_accounts();
    discovers(10400, 102, "/", "</>;lwm2m=1.1,</0/0>,</0/1>;ssid=101,</1/0>;ssid=101,</3/0>");
    judge(11000);
    assert_broken(BJ_RULE_BS_DISCOVER, "no URI of /0/1");
}

static void the_first_release_shows_no_uri(void **state) {
    (void) state;
    config.first_release = true;
    writes_accounts();
    discovers(10400, 102, "/", "lwm2m=\"1.0\",</0/0>,</0/1>;ssid=101,</1/0>;ssid=101,</3/0>");
    judge(11000);
    assert_nothing_broken();
}

static void an_id_of_the_bootstrap_server_is_found(void **state) {
    (void) state;
    opens();
    discovers(10400, 102, "/0", "</>;lwm2m=1.1,</0/0>;ssid=1");
    judge(11000);
    assert_broken(BJ_RULE_BS_DISCOVER, "bootstrap account /0/0");
}

static void an_instance_that_nobody_made_is_found(void **state) {
    (void) state;
    opens();
    discovers(10400, 102, "/", "</>;lwm2m=1.1,</0/0>,</1/7>;ssid=5,</3/0>");
    judge(11000);
    assert_broken(BJ_RULE_BS_DISCOVER, "/1/7");
}

static void what_a_refused_write_has_made_is_found(void **state) {
    (void) state;
    opens();
    writes_server(10200, 101, "/1/7", 0, 300, C(4, 0));
    discovers(10400, 102, "/", "</>;lwm2m=1.1,</0/0>,</1/7>;ssid=5,</3/0>");
    judge(11000);
    assert_broken(BJ_RULE_BS_WRITE_UNDEFINED, "/1/7");
}

static void an_account_at_a_place_that_is_not_known_is_none(void **state) {
    (void) state;
    config.accounts[0].instance = -1;
    opens();
    discovers(10400, 102, "/", "</>;lwm2m=1.1,</0/4>,</1>,</3/0>");
    judge(11000);
    assert_nothing_broken();
}

static void instances_of_the_clients_own_are_none(void **state) {
    (void) state;
    config.others = true;
    opens();
    discovers(10400, 102, "/", "</>;lwm2m=1.1,</0/0>,</1/7>;ssid=5,</3/0>");
    judge(11000);
    assert_nothing_broken();
}

static void another_object_that_was_written_and_is_not_there_is_found(void **state) {
    (void) state;
    opens();
    writes(10200, 100, "/9/0", "\xc1\x00\x65", 3, C(2, 4));
    discovers(10400, 102, "/", "</>;lwm2m=1.1,</0/0>,</1>,</3/0>");
    judge(11000);
    assert_broken(BJ_RULE_BS_WRITE, "/9/0");
}

static void one_that_was_deleted_again_need_not_be_there(void **state) {
    (void) state;
    opens();
    writes(10200, 100, "/9/0", "\xc1\x00\x65", 3, C(2, 4));
    command(10300, 101, DELETE_, "/9", C(2, 2));
    discovers(10400, 102, "/", "</>;lwm2m=1.1,</0/0>,</1>,</3/0>");
    judge(11000);
    assert_nothing_broken();
}

/* A Write had overtaken the refusal, which comes right behind a Discover: the client answers that before it reads on,
 * or has undone the session already (LwM2M Core 1.1 §6.1.3.3). */
static void discovers_as_it_is_refused(const char *links) {
    asks(10000, 1);
    writes_security(10200, 100, "/0/1", "coap://mgmt.example", false, 101, C(2, 4));
    SERVER(10300, BS, .type = BJ_COAP_CON, .code = GET, .mid = 102, .token = "to", .path = "/0", .accept = 41);
    SERVER(10300, BS, .type = BJ_COAP_ACK, .code = C(4, 3), .mid = 1, .token = "tb");
    CLIENT(10300, BS, .type = BJ_COAP_ACK, .code = C(2, 5), .mid = 102, .token = "to", .format = 41, .payload = links);
    judge(11000);
    assert_nothing_broken();
}

static void beside_a_refusal_discover_may_show_what_was_written(void **state) {
    (void) state;
    discovers_as_it_is_refused("</>;lwm2m=1.1,</0/0>,</0/1>;ssid=101;uri=\"coap://mgmt.example\"");
}

static void or_that_it_was_undone(void **state) {
    (void) state;
    discovers_as_it_is_refused("</>;lwm2m=1.1,</0/0>");
}

/* --- what Register shows -------------------------------------------------------------------------------------- */

static void a_registration_that_lacks_what_was_written_is_found(void **state) {
    (void) state;
    writes_accounts();
    writes(10400, 102, "/9/0", "\xc1\x00\x65", 3, C(2, 4));
    command(10500, 103, POST, "/bs", C(2, 4));
    registers(10600, 50, "lt=300");
    judge(11000);
    assert_broken(BJ_RULE_BS_WRITE, "/9/0");
}

/* TS 1.0 E.1.3: with a server that no account leads to its rights go, and with them what nobody else could reach. */
static void with_a_server_that_may_be_gone_it_may_lack_some(void **state) {
    (void) state;
    writes_accounts();
    writes_server(10350, 110, "/1/1", 102, 300, C(2, 4));
    writes(10400, 102, "/9/0", "\xc1\x00\x65", 3, C(2, 4));
    command(10500, 103, POST, "/bs", C(2, 4));
    registers(10600, 50, "lt=300");
    judge(11000);
    assert_nothing_broken();
}

/* A Write gives the account of a server another Short Server ID: the one of before is gone. */
static void with_a_server_of_another_name_it_may_lack_some(void **state) {
    (void) state;
    config.accounts[1] = (bj_oracle_account){
        .uri = "coap://mgmt.example", .instance = 1, .ssid = 1, .lifetime_s = 300, .binding = "U"
    };
    config.account_count = 2;
    opens();
    writes_security(10200, 100, "/0/1", "coap://mgmt.example", false, 101, C(2, 4));
    writes_server(10300, 101, "/1/1", 101, 300, C(2, 4));
    writes_server(10350, 102, "/1/1", 101, 300, C(2, 4));
    writes(10400, 103, "/9/0", "\xc1\x00\x65", 3, C(2, 4));
    command(10500, 104, POST, "/bs", C(2, 4));
    registers(10600, 50, "lt=300");
    judge(11000);
    assert_nothing_broken();
}

static void with_a_server_that_stays_it_may_not(void **state) {
    (void) state;
    config.accounts[1] = (bj_oracle_account){
        .uri = "coap://mgmt.example", .instance = 1, .ssid = 101, .lifetime_s = 300, .binding = "U"
    };
    config.account_count = 2;
    opens();
    writes_server(10300, 101, "/1/1", 101, 300, C(2, 4));
    writes(10400, 103, "/9/0", "\xc1\x00\x65", 3, C(2, 4));
    command(10500, 104, POST, "/bs", C(2, 4));
    registers(10600, 50, "lt=300");
    judge(11000);
    assert_broken(BJ_RULE_BS_WRITE, "/9/0");
}

/* A server creates an account, and nobody knows where, nor whether one of /0 goes with it. */
static void with_servers_that_nobody_knows_it_may_lack_some(void **state) {
    (void) state;
    bootstraps();
    registers(11000, 50, "lt=300");
    registered(11100, 50);
    SERVER(12000, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 9, .token = "to", .path = "/1", .format = 11543,
           .payload = "\xc1\x00\x66");
    answers(12010, MGMT, 9, C(2, 1));
    SERVER(12100, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 10, .token = "to", .path = "/1/0/9");
    answers(12110, MGMT, 10, C(2, 4));
    asks(22200, 2);
    accepts(22300, 2);
    writes(22600, 113, "/9/0", "\xc1\x00\x65", 3, C(2, 4));
    command(22900, 114, POST, "/bs", C(2, 4));
    registers(23000, 51, "lt=300");
    judge(23500);
    assert_nothing_broken();
}

static void nor_those_of_a_state_file(void **state) {
    (void) state;
    config.state_given = true;
    writes_accounts();
    writes(10400, 102, "/9/0", "\xc1\x00\x65", 3, C(2, 4));
    command(10500, 103, POST, "/bs", C(2, 4));
    registers(10600, 50, "lt=300");
    judge(11000);
    assert_nothing_broken();
}

static void one_that_lists_it_is_lawful(void **state) {
    (void) state;
    writes_accounts();
    writes(10400, 102, "/3/0", "\xc1\x0e\x65", 3, C(2, 4));
    command(10500, 103, POST, "/bs", C(2, 4));
    registers(10600, 50, "lt=300");
    judge(11000);
    assert_nothing_broken();
}

/* --- what Bootstrap-Read shows -------------------------------------------------------------------------------- */

static void reads_server(unsigned ms, uint16_t mid, int ssid, int lifetime, int period) {
    uint8_t bytes[100];
    bj_tlv_writer w = { .out = bytes, .room = sizeof bytes };
    bj_tlv_put_int(&w, BJ_TLV_RESOURCE, 0, ssid);
    bj_tlv_put_int(&w, BJ_TLV_RESOURCE, 1, lifetime);
    if (period) {
        bj_tlv_put_int(&w, BJ_TLV_RESOURCE, 2, period);
    }
    SERVER(ms, BS, .type = BJ_COAP_CON, .code = GET, .mid = mid, .token = "to", .path = "/1/0");
    CLIENT(ms + 10, BS, .type = BJ_COAP_ACK, .code = C(2, 5), .mid = mid, .token = "to", .format = 11543,
           .payload = (const char *) bytes, .length = w.used);
}

static void a_read_that_shows_what_was_written_is_lawful(void **state) {
    (void) state;
    writes_accounts();
    reads_server(10400, 102, 101, 300, 0);
    judge(11000);
    assert_nothing_broken();
}

static void a_read_that_shows_something_else_is_found(void **state) {
    (void) state;
    writes_accounts();
    reads_server(10400, 102, 101, 60, 0);
    judge(11000);
    assert_broken(BJ_RULE_BS_WRITE, "written as 300, and a Read shows 60");
}

/* /1/0/RID is written in text, and shown in TLV. */
static void shows_what_was_written_in_text(unsigned rid, const char *text, const char *shown, size_t length) {
    uint8_t bytes[100];
    char path[20];
    bj_tlv_writer w = { .out = bytes, .room = sizeof bytes };
    snprintf(path, sizeof path, "/1/0/%u", rid);
    writes_accounts();
    SERVER(10400, BS, .type = BJ_COAP_CON, .code = PUT, .mid = 102, .token = "to", .path = path, .format = 1,
           .payload = text);
    answers(10410, BS, 102, C(2, 4));
    bj_tlv_put_int(&w, BJ_TLV_RESOURCE, 0, 101);
    bj_tlv_put_int(&w, BJ_TLV_RESOURCE, 1, 300);
    bj_tlv_put(&w, BJ_TLV_RESOURCE, (uint16_t) rid, shown, length);
    SERVER(10500, BS, .type = BJ_COAP_CON, .code = GET, .mid = 103, .token = "to", .path = "/1/0");
    CLIENT(10510, BS, .type = BJ_COAP_ACK, .code = C(2, 5), .mid = 103, .token = "to", .format = 11543,
           .payload = (const char *) bytes, .length = w.used);
    judge(11000);
}

static void digits_in_a_string_are_no_number(void **state) {
    (void) state;
    shows_what_was_written_in_text(7, "77", "77", 2);
    assert_nothing_broken();
}

static void nor_are_they_in_an_object_link(void **state) {
    (void) state;
    shows_what_was_written_in_text(10, "77", "\0\5\0\1", 4);
    assert_nothing_broken();
}

static void digits_of_a_number_are_one(void **state) {
    (void) state;
    shows_what_was_written_in_text(2, "77", "77", 2);
    assert_broken(BJ_RULE_BS_WRITE, "/1/0/2 was written as 77, and a Read shows 14135");
}

static void another_string_is_found_in_any_format(void **state) {
    (void) state;
    shows_what_was_written_in_text(7, "U", "T", 1);
    assert_broken(BJ_RULE_BS_WRITE, "/1/0/7 was written as another text than a Read shows");
}

/* LwM2M Core 1.1 §6.2.1.2. */
static void the_letters_of_a_binding_have_no_order(void **state) {
    (void) state;
    shows_what_was_written_in_text(7, "TU", "UT", 2);
    assert_nothing_broken();
}

/* Its first part comes in the moment of the answer that begins the session. */
static void a_write_in_blocks_right_behind_that_answer_is_followed(void **state) {
    (void) state;
    static const char server[] = "\xc1\x00\x65\xc4\x01\x00\x01\x51\x80\xc1\x06\x00\xc1\x02\x00\xc1\x07U";
    writes_accounts();
    command(10900, 102, POST, "/bs", C(2, 4));
    asks(300000, 2);
    SERVER(300100, BS, .type = BJ_COAP_ACK, .code = C(2, 4), .mid = 2, .token = "tb");
    SERVER(300100, BS, .type = BJ_COAP_CON, .code = PUT, .mid = 103, .token = "to", .path = "/1/0", .format = 11543,
           .block1 = 8 + 1, .payload = server, .length = 16);
    CLIENT(300101, BS, .type = BJ_COAP_ACK, .code = C(2, 31), .mid = 103, .token = "to", .block1 = 8 + 1);
    SERVER(300200, BS, .type = BJ_COAP_CON, .code = PUT, .mid = 104, .token = "to", .path = "/1/0", .format = 11543,
           .block1 = 16 + 1, .payload = server + 16, .length = 2);
    CLIENT(300201, BS, .type = BJ_COAP_ACK, .code = C(2, 4), .mid = 104, .token = "to", .block1 = 16 + 1);
    reads_server(300300, 105, 101, 300, 0);
    judge(301000);
    assert_broken(BJ_RULE_BS_WRITE, "written as 86400, and a Read shows 300");
}

/* The second session is undone, for no Finish comes; a server that writes meanwhile is answered with success. */
static void reads_behind_a_session_that_failed(bool written, int lifetime) {
    bootstraps();
    registers(11000, 50, "lt=300");
    registered(11100, 50);
    SERVER(12000, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 9, .token = "to", .path = "/1/0/9");
    answers(12010, MGMT, 9, C(2, 4));
    asks(22100, 2);
    accepts(22200, 2);
    if (written) {
        SERVER(22200, MGMT, .type = BJ_COAP_CON, .code = PUT, .mid = 10, .token = "to", .path = "/1/0/1", .format = 1,
               .payload = "20");
        answers(22210, MGMT, 10, C(2, 4));
    }
    asks(290000, 3);
    accepts(290100, 3);
    reads_server(290200, 110, 101, lifetime, 0);
    judge(290300);
}

static void a_value_that_a_server_wrote_in_a_session_that_failed_may_stay(void **state) {
    (void) state;
    reads_behind_a_session_that_failed(true, 20);
    assert_nothing_broken();
}

static void or_be_undone_with_it(void **state) {
    (void) state;
    reads_behind_a_session_that_failed(true, 300);
    assert_nothing_broken();
}

static void one_that_nobody_wrote_is_found(void **state) {
    (void) state;
    reads_behind_a_session_that_failed(false, 20);
    assert_broken(BJ_RULE_BS_WRITE, "written as 300, and a Read shows 20");
}

/* Nobody knows whether the session whose Finish has no answer ended with success. */
static void a_value_of_a_session_whose_end_was_not_seen_may_count(void **state) {
    (void) state;
    config.exact = false;
    writes_accounts();
    command(10900, 102, POST, "/bs", C(2, 4));
    asks(22000, 2);
    accepts(22100, 2);
    writes_server(22200, 103, "/1/0", 101, 60, C(2, 4));
    SERVER(22300, BS, .type = BJ_COAP_CON, .code = POST, .mid = 104, .token = "to", .path = "/bs");
    asks(300000, 3);
    accepts(300100, 3);
    command(300200, 110, POST, "/bs", C(2, 4));
    registers(300300, 50, "lt=60");
    judge(300400);
    assert_nothing_broken();
}

/* A Finish comes, a Write is done, and the Finish may come again: that one the client may take before its answer is
 * seen.
 */
static void registers_behind_a_finish(bool again) {
    const msg finish = { .type = BJ_COAP_CON, .code = POST, .mid = 104, .token = "to", .path = "/bs" };
    config.exact = false;
    writes_accounts();
    server_says(10400, BS, &finish);
    writes_server(10500, 105, "/1/0", 101, 60, C(2, 4));
    if (again) {
        server_says(12400, BS, &finish);
    }
    registers(12500, 50, "lt=60");
    asks(300000, 3);
    judge(300400);
}

static void a_finish_that_comes_again_may_end_the_session(void **state) {
    (void) state;
    registers_behind_a_finish(true);
    assert_nothing_broken();
}

static void one_that_a_write_followed_has_not(void **state) {
    (void) state;
    registers_behind_a_finish(false);
    assert_broken(BJ_RULE_BS_REGISTER, "before any bootstrap has ended with success");
}

/* A Reset that a client may pass over, for an Acknowledgement came before it: its session begins with the command. */
static void a_value_of_a_session_that_nobody_knows_of_need_not_stay(void **state) {
    (void) state;
    writes_accounts();
    command(10900, 102, POST, "/bs", C(2, 4));
    asks(22000, 2);
    SERVER(22100, BS, .type = BJ_COAP_ACK, .code = POST, .mid = 2, .token = "tb");
    SERVER(22110, BS, .type = BJ_COAP_RST, .mid = 2);
    writes(22200, 103, "/1/0/1", "\xc1\x01\x3c", 3, C(2, 4));
    asks(300000, 3);
    accepts(300100, 3);
    reads_server(300200, 110, 101, 300, 0);
    judge(300300);
    assert_nothing_broken();
}

static void a_resource_that_a_replacement_left_out_is_found(void **state) {
    (void) state;
    opens();
    writes(10200, 100, "/1/0", "\xc1\x00\x65\xc1\x02\x05", 6, C(2, 4));
    writes_server(10300, 101, "/1/0", 101, 300, C(2, 4));
    reads_server(10400, 102, 101, 300, 5);
    judge(11000);
    assert_broken(BJ_RULE_BS_WRITE_REPLACES, "/1/0/2");
}

static void a_default_in_its_place_is_lawful(void **state) {
    (void) state;
    opens();
    writes(10200, 100, "/1/0", "\xc1\x00\x65\xc1\x02\x05", 6, C(2, 4));
    writes_server(10300, 101, "/1/0", 101, 300, C(2, 4));
    reads_server(10400, 102, 101, 300, 7);
    judge(11000);
    assert_nothing_broken();
}

static void a_resource_that_was_written_beside_stays(void **state) {
    (void) state;
    writes_accounts();
    writes(10350, 102, "/1/0/2", "\xc1\x02\x05", 3, C(2, 4));
    reads_server(10400, 103, 101, 300, 5);
    judge(11000);
    assert_nothing_broken();
}

/* --- accounts that are used ----------------------------------------------------------------------------------- */

static void registers_with(const char *uri, int ssid, const void *server, size_t length) {
    opens();
    writes_security(10200, 100, "/0/1", uri, false, ssid, C(2, 4));
    writes(10300, 101, "/1/0", server, length, C(2, 4));
    command(10900, 102, POST, "/bs", C(2, 4));
    registers(11000, 50, "lt=60");
    judge(12000);
}

static void an_account_without_a_mandatory_resource_is_found(void **state) {
    (void) state;
    registers_with("coap://mgmt.example", 101, "\xc1\x00\x65\xc1\x01\x3c\xc1\x07U", 9);
    assert_broken(BJ_RULE_BS_CHECK_MANDATORY, "/1/0 lacks a mandatory Resource");
}

static void a_period_below_zero_is_found(void **state) {
    (void) state;
    registers_with("coap://mgmt.example", 101, "\xc1\x00\x65\xc1\x01\x3c\xc1\x03\xfb\xc1\x06\x00\xc1\x07U", 15);
    assert_broken(BJ_RULE_BS_CHECK_RANGE, "Resource 3 that is outside its range");
}

static void a_short_server_id_out_of_range_is_found(void **state) {
    (void) state;
    registers_with("coap://mgmt.example", 65535, "\xc4\x00\x00\x00\xff\xff\xc1\x01\x3c\xc1\x06\x00\xc1\x07U", 15);
    assert_broken(BJ_RULE_BS_SSID_RANGE, "65534");
}

static void a_secure_account_that_is_spoken_in_clear_is_found(void **state) {
    (void) state;
    config.state_given = true; /* or transport.c judges it, too */
    registers_with("coaps://mgmt.example:5683", 101, "\xc1\x00\x65\xc1\x01\x3c\xc1\x06\x00\xc1\x07U", 12);
    assert_broken(BJ_RULE_BS_CHECK_URI_MODE, "/0/1");
}

/* A pre-shared key is written, of no byte or of one, and Finish answered with that code. */
static void writes_a_key(bool empty, uint8_t code) {
    static const char empty_key[] = "\xc8\x00\x14"
                                    "coaps://mgmt.example\xc1\x01\x00\xc1\x02\x00\xc1\x03"
                                    "a\xc0\x05\xc1\x0a\x65";
    static const char key[] = "\xc8\x00\x14"
                              "coaps://mgmt.example\xc1\x01\x00\xc1\x02\x00\xc1\x03"
                              "a\xc1\x05k\xc1\x0a\x65";
    opens();
    writes(10200, 100, "/0/1", empty ? empty_key : key, (empty ? sizeof empty_key : sizeof key) - 1, C(2, 4));
    writes_server(10300, 101, "/1/0", 101, 300, C(2, 4));
    command(10900, 102, POST, "/bs", code);
    judge(12000);
}

static void a_key_of_no_byte_that_passes_finish_is_found(void **state) {
    (void) state;
    writes_a_key(true, C(2, 4));
    assert_broken(BJ_RULE_SEC_CREDENTIALS, "no key");
}

static void a_key_is_one(void **state) {
    (void) state;
    writes_a_key(false, C(2, 4));
    assert_nothing_broken();
}

static void a_key_of_no_byte_may_be_refused(void **state) {
    (void) state;
    writes_a_key(true, C(4, 6));
    assert_nothing_broken();
}

static void two_accounts_of_one_server_are_found(void **state) {
    (void) state;
    writes_accounts();
    writes_security(10400, 102, "/0/2", "coap://mgmt.example", false, 101, C(2, 4));
    command(10900, 103, POST, "/bs", C(2, 4));
    registers(11000, 50, "lt=300");
    judge(12000);
    assert_broken(BJ_RULE_BS_CHECK_DUPLICATE, "Short Server ID");
}

/* --- configurations that are refused -------------------------------------------------------------------------- */

static void a_plain_configuration_that_is_refused_is_found(void **state) {
    (void) state;
    writes_accounts();
    command(10900, 102, POST, "/bs", C(4, 6));
    judge(12000);
    assert_broken(BJ_RULE_BS_FINISH, "/0/1 and /1/0");
}

static void one_with_something_else_in_it_may_be_refused(void **state) {
    (void) state;
    writes_accounts();
    writes(10400, 102, "/2/0", "\xc1\x00\x65", 3, C(2, 4));
    command(10900, 103, POST, "/bs", C(4, 6));
    judge(12000);
    assert_nothing_broken();
}

static void one_of_a_client_with_an_account_that_may_be_gone_may_be_refused(void **state) {
    (void) state;
    config.accounts[0].instance = -1;
    writes_accounts();
    command(10900, 103, POST, "/bs", C(4, 6));
    judge(12000);
    assert_nothing_broken();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(discover_without_a_servers_id_is_found),
        TEST(a_copy_within_its_lifetime_is_done_once),
        TEST(a_copy_behind_its_lifetime_may_be_done_again),
        TEST(a_pack_may_have_changed_them),
        TEST(a_resource_of_an_instance_that_may_have_gone_may_be_all_of_it),
        TEST(discover_without_a_servers_uri_is_found),
        TEST(the_first_release_shows_no_uri),
        TEST(an_id_of_the_bootstrap_server_is_found),
        TEST(an_instance_that_nobody_made_is_found),
        TEST(what_a_refused_write_has_made_is_found),
        TEST(an_account_at_a_place_that_is_not_known_is_none),
        TEST(instances_of_the_clients_own_are_none),
        TEST(another_object_that_was_written_and_is_not_there_is_found),
        TEST(one_that_was_deleted_again_need_not_be_there),
        TEST(beside_a_refusal_discover_may_show_what_was_written),
        TEST(or_that_it_was_undone),
        TEST(a_registration_that_lacks_what_was_written_is_found),
        TEST(with_a_server_that_may_be_gone_it_may_lack_some),
        TEST(with_a_server_of_another_name_it_may_lack_some),
        TEST(with_a_server_that_stays_it_may_not),
        TEST(with_servers_that_nobody_knows_it_may_lack_some),
        TEST(nor_those_of_a_state_file),
        TEST(one_that_lists_it_is_lawful),
        TEST(a_read_that_shows_what_was_written_is_lawful),
        TEST(a_read_that_shows_something_else_is_found),
        TEST(digits_in_a_string_are_no_number),
        TEST(nor_are_they_in_an_object_link),
        TEST(digits_of_a_number_are_one),
        TEST(another_string_is_found_in_any_format),
        TEST(the_letters_of_a_binding_have_no_order),
        TEST(a_write_in_blocks_right_behind_that_answer_is_followed),
        TEST(a_value_that_a_server_wrote_in_a_session_that_failed_may_stay),
        TEST(or_be_undone_with_it),
        TEST(one_that_nobody_wrote_is_found),
        TEST(a_value_of_a_session_whose_end_was_not_seen_may_count),
        TEST(a_finish_that_comes_again_may_end_the_session),
        TEST(one_that_a_write_followed_has_not),
        TEST(a_value_of_a_session_that_nobody_knows_of_need_not_stay),
        TEST(a_resource_that_a_replacement_left_out_is_found),
        TEST(a_default_in_its_place_is_lawful),
        TEST(a_resource_that_was_written_beside_stays),
        TEST(an_account_without_a_mandatory_resource_is_found),
        TEST(a_period_below_zero_is_found),
        TEST(a_short_server_id_out_of_range_is_found),
        TEST(a_secure_account_that_is_spoken_in_clear_is_found),
        TEST(a_key_of_no_byte_that_passes_finish_is_found),
        TEST(a_key_is_one),
        TEST(a_key_of_no_byte_may_be_refused),
        TEST(two_accounts_of_one_server_are_found),
        TEST(a_plain_configuration_that_is_refused_is_found),
        TEST(one_with_something_else_in_it_may_be_refused),
        TEST(one_of_a_client_with_an_account_that_may_be_gone_may_be_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
