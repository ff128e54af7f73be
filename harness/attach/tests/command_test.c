/* SPDX-License-Identifier: Apache-2.0
 *
 * Command lines of profiles: what is filled in, what vanishes, what leads to a skip.
 */
#include <stdio.h>
#include <string.h>

#include "attach/command.h"
#include "attach/program_file.h"
#include "load_fixture.h"

/* The words with blanks between them, or "! reason". */
static const char *filled(const char *profile, const char *client) {
    char document[2048];
    bj_text whole = bj_text_over(document, sizeof document);
    bj_text_printf(&whole, "title: t\nsteps: [note: n]\n%s", client);
    static char line_room[2048];
    bj_text line = bj_text_over(line_room, sizeof line_room);
    BJ_TEXT(reason, 512);
    char **words = bj_run_command(arena, load(BJ_K_PROFILE, profile), load(BJ_K_SCENARIO, document), &reason);
    if (!words) {
        bj_text_printf(&line, "! %s", reason.start);
        return line.start;
    }
    for (size_t i = 0; words[i]; i++) {
        bj_text_printf(&line, "%s%s", i ? " " : "", words[i]);
    }
    return line.start;
}

static void values_of_the_scenario(void **state) {
    (void) state;
    static const char profile[] =
        "name: c\ncommand: [c, '{endpoint}', '{bs_uri}', '{bs_host}:{bs_port}', '-h{holdoff}']\n";
    assert_string_equal(
        filled(profile, "client: {endpoint: e-7, bootstrap: {uri: 'coap://b.example:77', holdoff: 90s}}\n"),
        "c e-7 coap://b.example:77 b.example:77 -h90");
    assert_string_equal(
        filled(profile, "client: {bootstrap: {uri: 'coaps://[2001:db8::1]/x', holdoff: 1500ms, security: nosec}}\n"),
        "c dev-1 coaps://[2001:db8::1]/x 2001:db8::1:5684 -h1.5");
}

static void pre_shared_keys(void **state) {
    (void) state;
    static const char account[] =
        "client: {bootstrap: {uri: 'coaps://b', security: psk, identity: !text me, key: 00ff}}\n";
    assert_string_equal(
        filled("name: c\ncommand: [c, '{bs_uri}', '{identity}', '{identity_text}', '{key}', '?-k {key_text}']\n",
               account),
        "c coaps://b 6d65 me 00ff");
    assert_string_equal(filled("name: c\ncommand: [c, '{bs_uri}', '{identity}']\n", account),
                        "! the client cannot be told credentials");
    assert_string_equal(filled("name: c\ncommand: [c, '{bs_uri}', '{identity_text}', '?-k {key_text}']\n", account),
                        "! the client cannot be told credentials");
    assert_string_equal(filled("name: c\ncommand: [c, '{bs_uri}', '{identity}', '{key}']\n",
                               "client: {bootstrap: {uri: 'coaps://b', security: certificate}}\n"),
                        "! the client must be told {identity}, which the scenario does not set");
    static const char server[] =
        "client: {accounts: {uri: 'coaps://m', security: psk, identity: !text me, key: 00ff}}\n";
    assert_string_equal(filled("name: c\ncommand: [c, '{server_uri}', '?-u {server_identity} -t "
                               "{server_identity_text}', '{server_key}']\n",
                               server),
                        "c coaps://m -u 6d65 -t me 00ff");
    assert_string_equal(filled("name: c\ncommand: [c, '{server_uri}', '{identity}', '{key}']\n", server),
                        "! the client must be told {identity}, which the scenario does not set");
    assert_string_equal(filled("name: c\ncommand: [c, '{bs_uri}', '?-u {identity} -k {key}']\n", ""),
                        "c coap://bs.example");
}

static void what_a_client_is_anyhow(void **state) {
    (void) state;
    static const char fixed[] = "name: c\ncommand: [c, '{bs_uri}', '?-h {server_host} -p {server_port}']\n"
                                "built-in: {holdoff: 10s, version: '1.1', account-instance: 0}\n";
    assert_string_equal(filled(fixed, "client: {version: '1.1', bootstrap: {uri: 'coap://b', holdoff: 10s, "
                                      "instance: 0}}\n"),
                        "c coap://b");
    assert_string_equal(filled(fixed, "client: {version: '1.0'}\n"),
                        "! the client cannot be told a version of LwM2M ({version})");
    assert_string_equal(
        filled(fixed, "client: {bootstrap: {uri: 'coap://b', instance: 1}}\n"),
        "! the client cannot be told the Object Instance of its bootstrap account ({account_instance})");
    assert_string_equal(filled(fixed, "client: {accounts: {uri: 'coap://m:99'}}\n"), "c coap://bs.example -h m -p 99");
}

static void certificates(void **state) {
    (void) state;
    static const char account[] =
        "client:\n  trust-store: 0d\n  bootstrap: {uri: 'coaps://b', security: certificate, identity: 0a, "
        "key: 0b, server-key: 0c, certificate-usage: 2, matching-type: 1, sni: n, suites: [1, 2]}\n";
    static const char told[] =
        "name: c\ncommand: [c, '{bs_uri}', '{certificate}', '{private_key}', '{peer_certificate}', "
        "'{certificate_usage}', '{matching_type}', '{sni}', '{ciphersuites}', '?-t {trust_store}']\n";
    assert_string_equal(filled(told, account), "c coaps://b 0a 0b 0c 2 1 n 1,2 -t 0d");
    assert_string_equal(filled("name: c\ncommand: [c, '{bs_uri}', '{certificate}', '{private_key}']\n",
                               "client: {bootstrap: {uri: 'coaps://b', security: certificate, identity: 0a, key: 0b, "
                               "server-key: 0c}}\n"),
                        "! the client cannot be told credentials");
    assert_string_equal(
        filled("name: c\ncommand: [c, '{bs_uri}']\n", "client: {trust-store: 0a, bootstrap: {uri: 'coap://b'}}\n"),
        "! the client cannot be told a trust store ({trust_store})");
    assert_string_equal(
        filled("name: c\ncommand: [c, '{server_uri}', '{server_certificate}', '{server_private_key}', "
               "'{server_peer_certificate}']\n",
               "client: {accounts: {uri: 'coaps://m', security: certificate, identity: 0a, key: 0b, "
               "server-key: 0c, certificate-usage: 1}}\n"),
        "! the client cannot be told a Certificate Usage of a server account ({server_certificate_usage})");
}

static void what_a_scenario_leaves_out(void **state) {
    (void) state;
    assert_string_equal(filled("name: c\ncommand: [c, '{bs_uri}', '{endpoint}']\n", ""), "c coap://bs.example dev-1");
    assert_string_equal(filled("name: c\ncommand: [c, '{account_instance}', '?-i {account_instance}']\n", ""), "c 0");
    static const char group[] = "name: c\ncommand: [c, '?-h {bs_host} -i {account_instance}', '?-x {holdoff}']\n";
    assert_string_equal(filled(group, "client: {bootstrap: {uri: 'coap://b'}}\n"), "c -h b -i 0");
    assert_string_equal(filled(group, "client: {bootstrap: {uri: 'coap://b', instance: 4}}\n"), "c -h b -i 4");
    assert_string_equal(filled(group, "client: {accounts: [{uri: 'coap://s'}]}\n"),
                        "! the client cannot be told a server account from the factory ({server_uri})");
    assert_string_equal(filled("name: c\ncommand: [c, '{holdoff}']\n", ""),
                        "! the client must be told {holdoff}, which the scenario does not set");
}

static void optional_groups(void **state) {
    (void) state;
    static const char profile[] =
        "name: c\ncommand: [c, '?--hold {holdoff} --cap {holdoff_cap}', '?--strict {strict}', '{bs_uri}']\n";
    static const char head[] = "client: {bootstrap: {uri: 'coap://b.example'";
    char client[256];
    snprintf(client, sizeof client, "%s, holdoff: 10s}, holdoff-cap: 1h, strict: true}\n", head);
    assert_string_equal(filled(profile, client), "c --hold 10 --cap 3600 --strict coap://b.example");
    snprintf(client, sizeof client, "%s}, strict: false}\n", head);
    assert_string_equal(filled(profile, client), "c coap://b.example");
}

static void a_group_that_vanishes_at_the_end(void **state) {
    (void) state;
    assert_string_equal(filled("name: c\ncommand: [c, '?--hold {holdoff} x', '?-a -b {lifetime}']\n", ""), "c");
}

/* {bs_host} and {bs_port} are not all of a URI. */
static void a_path_that_cannot_be_told(void **state) {
    (void) state;
    static const char parts[] = "name: c\ncommand: [c, '{bs_host}', '{bs_port}']\n";
    static const char whole[] = "name: c\ncommand: [c, '{bs_host}', '{bs_uri}']\n";
    static const char *const uris[] = { "coap://b/p", "coap://b?q=1" };
    for (size_t i = 0; i < sizeof uris / sizeof *uris; i++) {
        char client[256], expected[64];
        snprintf(client, sizeof client, "client: {bootstrap: {uri: '%s'}}\n", uris[i]);
        snprintf(expected, sizeof expected, "c b %s", uris[i]);
        assert_string_equal(filled(parts, client), "! the client cannot be told the path or the query of its bootstrap "
                                                   "server's URI ({bs_uri})");
        assert_string_equal(filled(whole, client), expected);
    }
    assert_string_equal(filled(parts, "client: {bootstrap: {uri: 'coap://b/'}}\n"), "c b 5683");
}

static void what_cannot_be_told_is_a_skip(void **state) {
    (void) state;
    static const char profile[] = "name: c\ncommand: [c, '{bs_uri}']\nfacts: [lwm2m-1.0]\n";
    static const struct {
        const char *client, *expected;
    } cases[] = {
        { "endpoint: dev-1", "c coap://b" },
        { "endpoint: dev-2", "! the client cannot be told an Endpoint Client Name ({endpoint})" },
        { "version: '1.0'", "c coap://b" },
        { "version: '1.1'", "! the client cannot be told a version of LwM2M ({version})" },
        { "strict: true", "! the client cannot be told strict validation at Bootstrap-Finish ({strict})" },
        { "state: {}", "! the client cannot be told a file in which it keeps its accounts ({state})" },
        { "accounts: [{uri: 'coap://s'}]",
          "! the client cannot be told a server account from the factory ({server_uri})" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char client[256];
        snprintf(client, sizeof client, "client: {bootstrap: {uri: 'coap://b'}, %s}\n", cases[i].client);
        assert_string_equal(filled(profile, client), cases[i].expected);
    }
    assert_string_equal(filled("name: c\ncommand: [c]\n", "client: {bootstrap: {uri: 'coap://b'}}\n"),
                        "! the client cannot be told its bootstrap server ({bs_uri})");
    assert_string_equal(filled("name: c\ncommand: [c, '{bs_host}']\n", "client: {bootstrap: {uri: 'coap://b'}}\n"),
                        "c b");
}

static void mistakes_of_a_profile(void **state) {
    (void) state;
    static const char unknown[] = "name: c\ncommand: [c, '{uri}']\n"; /* the loader refuses it in a file */
    bj_mistakes mistakes;
    BJ_TEXT(reason, 512);
    const bj_record *profile = bj_load_unchecked(arena, BJ_K_PROFILE, "test", unknown, sizeof unknown - 1, &mistakes);
    assert_false(bj_run_has_command(profile, &reason));
    assert_string_equal(reason.start, "the profile's command holds an unknown placeholder {uri}");
    assert_string_equal(filled("name: c\ncommand: [c, '{not closed', '{}', 'a}']\n", ""), "c {not closed {} a}");
    assert_string_equal(filled("name: c\nattach: linked\n", ""), "! the client's profile has no command");
    BJ_TEXT(none, 512);
    assert_false(bj_run_has_command(load(BJ_K_PROFILE, "name: c\nattach: linked\n"), &none));
    assert_string_equal(none.start, "the client's profile has no command");
    assert_true(bj_run_has_command(load(BJ_K_PROFILE, "name: c\ncommand: [c, '?{bs_uri}']\n"), &none));
}

static void a_state_file(void **state) {
    (void) state;
    static const char profile[] = "name: c\ncommand: [c, '?--state {state}']\n";
    assert_string_equal(filled(profile, "client: {state: {}}\n"), "c --state /bootjack-disk/state");
    assert_string_equal(filled(profile, ""), "c");
    BJ_TEXT(reason, 512);
    char **words = bj_command_fill(arena, load(BJ_K_PROFILE, profile),
                                   load(BJ_K_SCENARIO, "title: t\nclient: {state: {}}\nsteps: [note: x]\n"), "/tmp/s",
                                   NULL, NULL, &reason);
    assert_non_null(words);
    assert_string_equal(words[2], "/tmp/s");
}

static void quoting(void **state) {
    (void) state;
    size_t count;
    char **words = bj_command_words(arena, " a  'b c' \"d 'e\\\"\" f\\ g '' ", &count);
    const char *const expected[] = { "a", "b c", "d 'e\"", "f g", "" };
    assert_int_equal(count, 5);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(words[i], expected[i]);
    }
    assert_null(words[count]);
    assert_non_null(bj_command_words(arena, "   ", &count));
    assert_int_equal(count, 0);
    assert_null(bj_command_words(arena, "a 'b c", &count));
    assert_null(bj_command_words(arena, "a \"b'", &count));
    assert_int_equal(count, 0);
}

static void parts_of_uris(void **state) {
    (void) state;
    static const struct {
        const char *uri, *host, *port;
    } cases[] = {
        { "coap://h", "h", "5683" },       { "coaps://h/", "h", "5684" },
        { "coap+tcp://h:1/x", "h", "1" },  { "coap://[::1]", "::1", "5683" },
        { "coap://[::1]:9", "::1", "9" },  { "coap://h:", "h", "5683" },
        { "coaps+tcp://h", "h", "5684" },  { "", "", "5683" },
        { "coap://[::1", "[::1", "5683" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *host, *port;
        bj_uri_split(arena, cases[i].uri, &host, &port);
        assert_string_equal(host, cases[i].host);
        assert_string_equal(port, cases[i].port);
    }
}

static void programs_in_path(void **state) {
    (void) state;
    BJ_TEXT(reason, 512);
    assert_non_null(bj_program_find(arena, "sh", &reason));
    assert_null(bj_program_find(arena, "no-such-program-here", &reason));
    assert_non_null(strstr(reason.start, "there is no program 'no-such-program-here' in PATH"));
    BJ_TEXT(empty, 512);
    assert_null(bj_program_find(arena, "", &empty));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_the_scenario),
        cmocka_unit_test(pre_shared_keys),
        cmocka_unit_test(certificates),
        cmocka_unit_test(what_a_client_is_anyhow),
        cmocka_unit_test(what_a_scenario_leaves_out),
        cmocka_unit_test(optional_groups),
        cmocka_unit_test(a_path_that_cannot_be_told),
        cmocka_unit_test(what_cannot_be_told_is_a_skip),
        cmocka_unit_test(a_group_that_vanishes_at_the_end),
        cmocka_unit_test(mistakes_of_a_profile),
        cmocka_unit_test(a_state_file),
        cmocka_unit_test(quoting),
        cmocka_unit_test(parts_of_uris),
        cmocka_unit_test(programs_in_path),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
