/* SPDX-License-Identifier: Apache-2.0
 *
 * The oracles of recovery and of told states, judged themselves: registered, idle, bricked by lawful commands, or not
 * recovered; and how a broken rule ends a fuzz target.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "oracle_fixture.h"

static void heals(unsigned ms) {
    put_event((bj_event){ .kind = BJ_EV_HEALED, .time = ms * BJ_MS, .number = 1000000, .text = "healed" });
}

static void ends(unsigned ms, bool registered, const char *how) {
    put_event((bj_event){ .kind = BJ_EV_RECOVERED, .time = ms * BJ_MS, .number = registered, .text = how });
    judge(ms);
}

static void a_run_that_is_not_healed_is_not_judged(void **state) {
    (void) state;
    opens();
    judge(20000);
    assert_nothing_broken();
    assert_int_equal(recovered, BJ_RECOVERY_NONE);
}

static void a_client_that_registers_has_recovered(void **state) {
    (void) state;
    opens();
    heals(20000);
    ends(21000, true, "it is registered");
    assert_nothing_broken();
    assert_int_equal(recovered, BJ_RECOVERY_REGISTERED);
}

static void a_client_that_does_not_is_found(void **state) {
    (void) state;
    asks(10000, 1);
    SERVER(10100, BS, .type = BJ_COAP_ACK, .code = C(4, 0), .mid = 1, .token = "tb");
    heals(20000);
    ends(900000, false, "it blocks for ever");
    assert_broken(BJ_RULE_RECOVERY, "blocks for ever");
    assert_int_equal(recovered, BJ_RECOVERY_FAILED);
}

static void a_run_that_breaks_off_is_found(void **state) {
    (void) state;
    opens();
    heals(20000);
    judge(30000);
    assert_broken(BJ_RULE_RECOVERY, "before its bound");
}

static void whose_server_can_be_nowhere_is_not_judged(void **state) {
    (void) state;
    static const char *const nowhere[] = { "coap://0", "coap://0.0.0.0:5683", "coap://255.255.255.255",
                                           "coap://0X7f.1" };
    for (unsigned i = 0; i < sizeof nowhere / sizeof nowhere[0]; i++) {
        tear_down(NULL);
        set_up(NULL);
        config.accounts[0].uri = nowhere[i];
        heals(20000);
        ends(900000, false, "it asks in vain");
        assert_nothing_broken();
    }
}

static void whose_server_has_an_address_is_judged(void **state) {
    (void) state;
    config.accounts[0].uri = "coap://192.0.2.10:5683";
    heals(20000);
    ends(900000, false, "it asks in vain");
    assert_broken(BJ_RULE_RECOVERY, "in vain");
}

/* No run lasts until its bound: of what the client would have done nobody knows. */
static void a_run_that_cannot_last_to_its_bound_is_not_judged(void **state) {
    (void) state;
    opens();
    put_event((bj_event){ .kind = BJ_EV_HEALED, .time = 20000 * BJ_MS, .number = 1000000, .other = 1, .text = "x" });
    judge(30000);
    assert_nothing_broken();
    assert_int_equal(recovered, BJ_RECOVERY_NONE);
}

static void a_client_without_accounts_is_idle(void **state) {
    (void) state;
    config.account_count = 0;
    heals(20000);
    ends(900000, false, "nothing");
    assert_nothing_broken();
    assert_int_equal(recovered, BJ_RECOVERY_IDLE);
}

static void a_client_whose_account_was_overwritten_is_bricked(void **state) {
    (void) state;
    opens();
    writes_security(10200, 100, "/0/0", "coap://mgmt.example", false, 101, C(2, 4));
    writes_server(10300, 101, "/1/0", 102, 300, C(2, 4));
    command(10900, 102, POST, "/bs", C(2, 4));
    heals(20000);
    ends(900000, false, "nothing");
    assert_nothing_broken();
    assert_int_equal(recovered, BJ_RECOVERY_BRICKED);
}

static void a_client_that_refused_the_overwriting_at_finish_is_not(void **state) {
    (void) state;
    opens();
    writes_security(10200, 100, "/0/0", "coap://mgmt.example", false, 101, C(2, 4));
    writes_server(10300, 101, "/1/0", 102, 300, C(2, 4));
    command(10900, 102, POST, "/bs", C(4, 6));
    asks(10900 + 247000 + 20000, 2);
    heals(300000);
    ends(900000, false, "nothing");
    assert_broken(BJ_RULE_RECOVERY, "nothing");
}

static void a_purged_account_leaves_a_brick(void **state) {
    (void) state;
    config.accounts[0].timeout = 60 * BJ_SECOND;
    opens();
    writes_server(10300, 101, "/1/0", 102, 300, C(2, 4));
    command(10900, 102, POST, "/bs", C(2, 4));
    heals(20000);
    ends(900000, false, "nothing");
    assert_nothing_broken();
    assert_int_equal(recovered, BJ_RECOVERY_BRICKED);
}

/* An account with a key is all that is left. */
static void holds_a_key(void) {
    uint8_t bytes[200];
    bj_tlv_writer w = { .out = bytes, .room = sizeof bytes };
    config.accounts[0].timeout = 60 * BJ_SECOND;
    bj_tlv_put(&w, BJ_TLV_RESOURCE, 0, "coaps://mgmt.example", 20);
    bj_tlv_put_bool(&w, BJ_TLV_RESOURCE, 1, false);
    bj_tlv_put_int(&w, BJ_TLV_RESOURCE, 2, 0);
    bj_tlv_put(&w, BJ_TLV_RESOURCE, 3, "dev-1", 5);
    bj_tlv_put(&w, BJ_TLV_RESOURCE, 5, "0123456789abcdef", 16);
    bj_tlv_put_int(&w, BJ_TLV_RESOURCE, 10, 101);
    opens();
    writes(10200, 100, "/0/1", bytes, w.used, C(2, 4));
    writes_server(10300, 101, "/1/0", 101, 300, C(2, 4));
    command(10900, 102, POST, "/bs", C(2, 4));
}

static void a_key_that_nothing_has_changed_does_not(void **state) {
    (void) state;
    holds_a_key();
    heals(20000);
    ends(900000, false, "nothing");
    assert_broken(BJ_RULE_RECOVERY, "nothing");
}

static void a_key_that_the_network_may_have_changed_leaves_a_brick(void **state) {
    (void) state;
    put_event((bj_event){ .kind = BJ_EV_FAULT, .time = 5000 * BJ_MS, .text = "struck: corrupt, from any to any" });
    holds_a_key();
    heals(20000);
    ends(900000, false, "nothing");
    assert_nothing_broken();
    assert_int_equal(recovered, BJ_RECOVERY_BRICKED);
}

static void what_the_network_may_have_written_is_not_judged(void **state) {
    (void) state;
    config.known = false;
    heals(20000);
    ends(900000, false, "nothing");
    assert_broken(BJ_RULE_RECOVERY, "nothing");
    assert_int_equal(recovered, BJ_RECOVERY_FAILED);
    put_event((bj_event){ .kind = BJ_EV_FAULT, .time = 900000 * BJ_MS, .text = "struck: corrupt, from any to any" });
    judge(900000);
    assert_nothing_broken();
    assert_int_equal(recovered, BJ_RECOVERY_NONE);
}

/* Its accounts, after whose registration fails it does not come back (/1/x/16), are accepted at 10.9 s. */
static void must_not_return(void) {
    uint8_t bytes[100];
    bj_tlv_writer w = { .out = bytes, .room = sizeof bytes };
    bj_tlv_put_int(&w, BJ_TLV_RESOURCE, 0, 101);
    bj_tlv_put_int(&w, BJ_TLV_RESOURCE, 1, 300);
    bj_tlv_put_bool(&w, BJ_TLV_RESOURCE, 6, false);
    bj_tlv_put(&w, BJ_TLV_RESOURCE, 7, "U", 1);
    bj_tlv_put_bool(&w, BJ_TLV_RESOURCE, 16, false);
    opens();
    writes_security(10200, 100, "/0/1", "coap://mgmt.example", false, 101, C(2, 4));
    writes(10300, 101, "/1/0", bytes, w.used, C(2, 4));
    command(10900, 102, POST, "/bs", C(2, 4));
}

static void a_client_that_must_not_return_is_idle(void **state) {
    (void) state;
    must_not_return();
    heals(20000);
    ends(900000, false, "nothing");
    assert_nothing_broken();
    assert_int_equal(recovered, BJ_RECOVERY_IDLE);
}

/* Its power goes as it has accepted them: they may be there, or not. */
static void who_may_have_been_told_so_is_not_judged(void **state) {
    (void) state;
    config.persistent = true;
    must_not_return();
    put_event((bj_event){ .kind = BJ_EV_POWER_CUT, .actor = BJ_ACTOR_CLIENT, .time = 10911 * BJ_MS });
    put_event((bj_event){ .kind = BJ_EV_CLIENT_START, .actor = BJ_ACTOR_CLIENT, .time = 10912 * BJ_MS });
    heals(20000);
    ends(900000, false, "nothing");
    assert_nothing_broken();
    assert_int_equal(recovered, BJ_RECOVERY_NONE);
}

/* --- states that the client tells ----------------------------------------------------------------------------- */

static void tells(unsigned ms, const char *text) {
    put_event((bj_event){ .kind = BJ_EV_CLIENT_STATE, .actor = BJ_ACTOR_CLIENT, .time = ms * BJ_MS, .text = text });
}

static void a_machine_that_jumps_is_found(void **state) {
    (void) state;
    tells(100, "bootstrap: idle -> holding off: it begins");
    tells(200, "bootstrap: requesting -> receiving: nobody knows how");
    judge(1000);
    assert_broken(BJ_RULE_CLIENT_STATE, "moves on from 'requesting', but was in 'holding off'");
}

/* Of each of two servers of the factory, under the name that both have, or not. */
static void two_servers_begin(int other) {
    for (unsigned i = 1; i < 3; i++) {
        config.accounts[i] = (bj_oracle_account){
            .uri = "coap://mgmt.example", .instance = (int) i, .ssid = i == 1 ? 2 : other, .binding = "U"
        };
    }
    config.account_count = 3;
    tells(100, "server 2: queued -> waiting: its turn");
    tells(100, "server 2: queued -> waiting: its turn");
    tells(100, "server 2: waiting -> registering: Register sent");
    tells(100, "server 2: waiting -> registering: Register sent");
    judge(1000);
}

static void two_machines_may_have_one_name(void **state) {
    (void) state;
    two_servers_begin(2);
    assert_nothing_broken();
}

static void one_machine_does_not_move_twice(void **state) {
    (void) state;
    two_servers_begin(3);
    assert_broken(BJ_RULE_CLIENT_STATE, "moves on from 'waiting'");
}

static void a_registration_that_nobody_accepted_is_found(void **state) {
    (void) state;
    bootstraps();
    registers(11000, 50, "lt=300");
    tells(11050, "server 101: registering -> registered: too early");
    registered(11100, 50);
    judge(12000);
    assert_broken(BJ_RULE_CLIENT_STATE, "no Register was accepted");
}

static void machines_that_move_on_are_lawful(void **state) {
    (void) state;
    bootstraps();
    registers(11000, 50, "lt=300");
    registered(11100, 50);
    tells(11100, "bootstrap: idle -> holding off: one");
    tells(11100, "server 101: registering -> registered: another");
    tells(11200, "bootstrap: holding off -> idle: it goes on");
    judge(12000);
    assert_nothing_broken();
}

/* Two accounts at one address, of which the first is registered, unless nobody answers; the other registers. */
static void one_of_two_registers(bool first) {
    opens();
    writes_security(10200, 100, "/0/1", "coap://mgmt.example", false, 101, C(2, 4));
    writes_security(10250, 101, "/0/2", "coap://mgmt.example", false, 102, C(2, 4));
    writes_server(10300, 102, "/1/0", 101, 300, C(2, 4));
    writes_server(10400, 103, "/1/1", 102, 400, C(2, 4));
    command(10900, 104, POST, "/bs", C(2, 4));
    registers(11000, 50, "lt=300");
    if (first) {
        registered(11100, 50);
    }
    CLIENT(11200, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 51, .token = "t2", .path = "/rd",
           .query = { "ep=dev-1", "lt=400", "b=U" }, .format = 41, .payload = "</1/0>,</1/1>,</3/0>");
}

static void what_one_account_asks_says_nothing_of_another_at_its_address(void **state) {
    for (unsigned refused = 0; refused < 2; refused++) {
        tear_down(state);
        set_up(state);
        one_of_two_registers(true);
        if (refused) {
            SERVER(11300, MGMT, .type = BJ_COAP_ACK, .code = C(4, 3), .mid = 51, .token = "t2");
        }
        tells(11400, "server 101: updating -> registered: Update answered");
        judge(12000);
        assert_nothing_broken();
    }
}

/* The Register of the second leaves before the first is answered, and is refused behind that. */
static void nor_does_what_it_is_answered(void **state) {
    (void) state;
    one_of_two_registers(false);
    registered(11300, 50);
    SERVER(11400, MGMT, .type = BJ_COAP_ACK, .code = C(4, 3), .mid = 51, .token = "t2");
    tells(11500, "server 101: updating -> registered: Update answered");
    judge(12000);
    assert_nothing_broken();
}

static void neither_of_two_at_one_address_is_registered_unasked(void **state) {
    (void) state;
    one_of_two_registers(false);
    tells(11400, "server 101: registering -> registered: too early");
    judge(12000);
    assert_broken(BJ_RULE_CLIENT_STATE, "no Register was accepted");
}

/* --- for a fuzzing engine ------------------------------------------------------------------------------------- */

static void a_broken_must_ends_the_process_of_a_fuzz_target(void **state) {
    (void) state;
    config.abort_on_must = true;
    asks(100, 1);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        close(2);
        judge(1000);
        _exit(0);
    }
    int status = 0;
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void a_broken_should_does_not(void **state) {
    (void) state;
    config.abort_on_must = true;
    opens();
    command(10200, 9, DELETE_, "/7", C(4, 4));
    judge(11000);
    assert_broken(BJ_RULE_BS_CODES, "4.04");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_machine_that_jumps_is_found),
        TEST(two_machines_may_have_one_name),
        TEST(one_machine_does_not_move_twice),
        TEST(a_registration_that_nobody_accepted_is_found),
        TEST(machines_that_move_on_are_lawful),
        TEST(what_one_account_asks_says_nothing_of_another_at_its_address),
        TEST(nor_does_what_it_is_answered),
        TEST(neither_of_two_at_one_address_is_registered_unasked),
        TEST(a_broken_must_ends_the_process_of_a_fuzz_target),
        TEST(a_broken_should_does_not),
        TEST(a_run_that_is_not_healed_is_not_judged),
        TEST(a_client_that_registers_has_recovered),
        TEST(a_client_that_does_not_is_found),
        TEST(a_run_that_breaks_off_is_found),
        TEST(whose_server_can_be_nowhere_is_not_judged),
        TEST(whose_server_has_an_address_is_judged),
        TEST(a_run_that_cannot_last_to_its_bound_is_not_judged),
        TEST(a_client_without_accounts_is_idle),
        TEST(a_client_whose_account_was_overwritten_is_bricked),
        TEST(a_client_that_refused_the_overwriting_at_finish_is_not),
        TEST(a_purged_account_leaves_a_brick),
        TEST(a_key_that_nothing_has_changed_does_not),
        TEST(a_key_that_the_network_may_have_changed_leaves_a_brick),
        TEST(what_the_network_may_have_written_is_not_judged),
        TEST(a_client_that_must_not_return_is_idle),
        TEST(who_may_have_been_told_so_is_not_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
