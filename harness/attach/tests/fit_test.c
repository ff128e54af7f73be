/* SPDX-License-Identifier: Apache-2.0
 *
 * What scenarios need of clients, and how they are adapted to one.
 */
#include <stdio.h>
#include <string.h>

#include "attach/fit.h"
#include "load_fixture.h"

static const bj_record *scenario(const char *rest) {
    char document[2048];
    snprintf(document, sizeof document, "title: t\n%s", rest);
    return load(BJ_K_SCENARIO, document);
}

static const bj_record *profile(const char *rest) {
    char document[1024];
    snprintf(document, sizeof document, "name: c\n%s%s\n", strstr(rest, "command") ? "" : "command: [c]\n", rest);
    return load(BJ_K_PROFILE, document);
}

/* "" when the client has it all, else the reason. */
static const char *lacks(const char *client, const char *rest) {
    static char room[256];
    bj_text reason = bj_text_over(room, sizeof room);
    bool all = bj_fit_has_all(profile(client), scenario(rest), &reason);
    assert_int_equal(all, reason.used == 0);
    return room;
}

static void a_profile_that_says_nothing_has_everything(void **state) {
    (void) state;
    assert_string_equal(lacks("", "needs: [send]\nservers: {mgmt: {transport: tls, key: 00, identity: 00}}\n"
                                  "steps: [{write: /1/0, tlv: {22: U}, server: mgmt}]\n"),
                        "");
}

static void what_is_out_of_scope_no_client_has(void **state) {
    (void) state;
    assert_string_equal(lacks("", "out-of-scope: smartcard\nsteps: [note: n]\n"),
                        "out of scope: Bootjack has no smartcard");
    assert_string_equal(lacks("features: [tcp]", "out-of-scope: non-ip\nservers: {mgmt: {transport: tls, key: 00, "
                                                 "identity: 00}}\nsteps: [note: n]\n"),
                        "out of scope: Bootjack has no non-ip");
}

static void transports_and_credentials_of_servers(void **state) {
    (void) state;
    assert_string_equal(lacks("features: [tlv]", "servers: {mgmt: {transport: tcp}}\nsteps: [note: n]\n"),
                        "the client has no tcp (its profile's features)");
    static const char secure[] = "servers: {mgmt: {transport: dtls, identity: 00, key: 01}}\nsteps: [note: n]\n";
    assert_string_equal(lacks("features: [dtls]", secure), "the client has no psk (its profile's features)");
    assert_string_equal(lacks("features: [dtls, psk]", secure), "");
    assert_string_equal(lacks("features: []", "servers: {mgmt: {addresses: \"2001:db8::7\"}}\nsteps: [note: n]\n"),
                        "the client has no ipv6 (its profile's features)");
    assert_string_equal(
        lacks("features: []", "client: {bootstrap: {uri: \"coap+tcp://bs.example\"}}\nsteps: [note: n]\n"),
        "the client has no tcp (its profile's features)");
}

static void formats_unless_they_must_be_refused(void **state) {
    (void) state;
    static const char taken[] = "steps: [{write: /1/0, values: {0: 1}, format: senml-cbor, expect: 2.04}]\n";
    static const char refused[] = "steps: [{write: /1/0, values: {0: 1}, format: senml-cbor, expect: 4.15}]\n";
    assert_string_equal(lacks("features: [tlv]", taken), "the client has no senml-cbor (its profile's features)");
    assert_string_equal(lacks("features: [senml-cbor]", taken), "");
    assert_string_equal(lacks("features: [tlv]", refused), "");
}

static void verbs_and_branches(void **state) {
    (void) state;
    static const char observed[] =
        "steps: [{either: {a: [{observe: /1/0/1, server: mgmt, expect: 2.05}], b: [note: n]}}]\n";
    assert_string_equal(lacks("features: [tlv]", observed), "the client has no observe (its profile's features)");
    assert_string_equal(lacks("features: [tlv, observe]", observed), "");
    assert_string_equal(lacks("features: [tlv]", "needs: [firmware]\nsteps: [note: n]\n"),
                        "the client has no firmware (its profile's features)");
    assert_string_equal(lacks("features: [tlv]", "steps: [{write: /1/0, tlv: {0: 1}, block: 16}]\n"),
                        "the client has no blocks (its profile's features)");
}

static void resources_of_the_two_objects(void **state) {
    (void) state;
    static const char client[] = "server-resources: [0, 1, 6, 7, 8]\nsecurity-resources: [0, 1, 2, 3, 4, 5, 10]";
    assert_string_equal(lacks(client, "steps: [{write: /1/0, tlv: {0: 1, 17: 3}}]\n"),
                        "the client has no resource /1/x/17 (its profile's server-resources)");
    assert_string_equal(lacks(client, "steps: [{execute: /1/0/9, server: mgmt}]\n"),
                        "the client has no resource /1/x/9 (its profile's server-resources)");
    assert_string_equal(lacks(client, "steps: [{message: 0.02, server: mgmt, path: /1/0/9, expect: 2.04}]\n"),
                        "the client has no resource /1/x/9 (its profile's server-resources)");
    assert_string_equal(lacks(client, "steps: [{message: 0.02, server: mgmt, path: /1/0/9, expect: [4.05]}]\n"), "");
    assert_string_equal(lacks(client, "steps: [{message: 0.02, server: mgmt, path: /1/0/9}]\n"), "");
    assert_string_equal(lacks(client, "steps: [{write: /0, tlv: {1: {0: a, 16: 5}}}]\n"),
                        "the client has no resource /0/x/16 (its profile's security-resources)");
    assert_string_equal(lacks(client, "steps: [{write: /1/0, tlv: {0: 1, 99: 3}}]\n"), "");
    assert_string_equal(lacks(client, "steps: [{write: /3/0, tlv: {17: a}}]\n"), "");
    assert_string_equal(lacks(client, "steps: [{write: /1/0, tlv: {0: 1, 6: false}}, {execute: /1/0/8}]\n"), "");
}

static bj_time holdoff_of(const bj_record *adapted) {
    const bj_record *client = bj_get_record(adapted, BJ_F(SCENARIO, CLIENT));
    return bj_get_duration(bj_get_record(client, BJ_F(CLIENT, BOOTSTRAP)), BJ_F(ACCOUNT, HOLDOFF), 0);
}

static void the_hold_off_of_the_client_itself(void **state) {
    (void) state;
    const bj_record *fixed = profile("command: [c, '{bs_uri}']\nbuilt-in: {holdoff: 10s}");
    const bj_record *told = profile("command: [c, '{bs_uri}', '?-h {holdoff}']\nbuilt-in: {holdoff: 10s}");
    const bj_record *given = scenario("client: {bootstrap: {uri: \"coap://b\", holdoff: 3s}}\nsteps: [note: n]\n");
    assert_int_equal(holdoff_of(bj_fit_adapt(arena, fixed, given)), 10 * BJ_SECOND);
    assert_int_equal(holdoff_of(given), 3 * BJ_SECOND);
    assert_ptr_equal(bj_fit_adapt(arena, told, given), given);
    assert_int_equal(holdoff_of(bj_fit_adapt(arena, fixed, scenario("steps: [note: n]\n"))), 10 * BJ_SECOND);
    const bj_record *server = scenario("client: {accounts: [{uri: \"coap://m\", ssid: 1}]}\nsteps: [note: n]\n");
    assert_ptr_equal(bj_fit_adapt(arena, fixed, server), server);
}

/* The URI that the first step, a Write of an instance of /0, holds. */
static const char *uri_of(const char *verbatim, const char *uri) {
    char rest[256];
    snprintf(rest, sizeof rest, "%ssteps: [{either: {a: [{write: /0/1, tlv: {0: \"%s\"}}]}}]\n", verbatim, uri);
    const bj_record *adapted = bj_fit_uris(arena, profile("uri-ports: true"), scenario(rest));
    const bj_record *either = bj_get(adapted, BJ_F(SCENARIO, STEPS))->as.records.items[0];
    const bj_named *branch = bj_get(either, BJ_F(EITHER, BRANCHES))->as.named.items;
    return bj_get(branch->records[0], BJ_F(WRITE, TLV))->as.nodes.items[0].bytes.bytes;
}

static void ports_in_uris(void **state) {
    (void) state;
    assert_string_equal(uri_of("", "coap://mgmt.example"), "coap://mgmt.example:5683");
    assert_string_equal(uri_of("", "coaps+tcp://m/x?y"), "coaps+tcp://m:5684/x?y");
    assert_string_equal(uri_of("", "coaps://[2001:db8::7]"), "coaps://[2001:db8::7]:5684");
    assert_string_equal(uri_of("", "coap://m:77"), "coap://m:77");
    assert_string_equal(uri_of("", "coap://"), "coap://");
    assert_string_equal(uri_of("", "http://m"), "http://m");
    assert_string_equal(uri_of("verbatim: true\n", "coap://m"), "coap://m");
}

static void uris_in_bytes(void **state) {
    (void) state;
    static const char reason[] =
        "the client takes no server URI without a port (its profile's uri-ports), and one is written as bytes";
    static const char first_part[] = "steps: [{write: /0/1, hex: c80013 636f61703a2f2f6d67}]\n";    /* coap://mg */
    static const char with_port[] = "steps: [{write: /0/1, hex: c80010 636f61703a2f2f6d3a3737}]\n"; /* coap://m:77 */
    assert_string_equal(lacks("uri-ports: true", first_part), reason);
    assert_string_equal(lacks("uri-ports: true", with_port), "");
    assert_string_equal(lacks("", first_part), "");
}

static void another_endpoint_name(void **state) {
    (void) state;
    const bj_record *given = scenario("client: {endpoint: dev-1}\n"
                                      "steps: [{request: {path: /bs, query: {ep: dev-1, b: dev-1}}}]\n");
    const bj_record *adapted = bj_fit_endpoint(arena, "sensor-7", given);
    const bj_record *request = bj_get(adapted, BJ_F(SCENARIO, STEPS))->as.records.items[0];
    const bj_value *query = bj_get(request, BJ_F(REQUEST, QUERY));
    assert_string_equal(query->as.strings.items[0].bytes, "ep=sensor-7");
    assert_string_equal(query->as.strings.items[1].bytes, "b=dev-1");
    assert_string_equal(bj_get_string(bj_get_record(adapted, BJ_F(SCENARIO, CLIENT)), BJ_F(CLIENT, ENDPOINT), ""),
                        "sensor-7");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_profile_that_says_nothing_has_everything),
        cmocka_unit_test(what_is_out_of_scope_no_client_has),
        cmocka_unit_test(transports_and_credentials_of_servers),
        cmocka_unit_test(formats_unless_they_must_be_refused),
        cmocka_unit_test(verbs_and_branches),
        cmocka_unit_test(resources_of_the_two_objects),
        cmocka_unit_test(the_hold_off_of_the_client_itself),
        cmocka_unit_test(ports_in_uris),
        cmocka_unit_test(uris_in_bytes),
        cmocka_unit_test(another_endpoint_name),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
