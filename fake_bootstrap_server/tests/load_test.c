/* SPDX-License-Identifier: Apache-2.0
 *
 * The loader: what it makes of YAML, and each mistake with its place.
 */
#define _GNU_SOURCE
#include <unistd.h>

#include "programs.h"

/* --- what is loaded --------------------------------------------------------------------------- */

static const bj_record *step_of(const bj_record *root, size_t index) {
    const bj_value *steps = bj_get(root, BJ_F(SCENARIO, STEPS));
    assert_true(index < steps->as.records.count);
    return steps->as.records.items[index];
}

static void test_sample(void **state) {
    (void) state;
    bj_arena *arena = arena_for_test();
    const bj_record *root = must_load(arena, BJ_K_SCENARIO, sample);
    const bj_record *bootstrap = bj_get_record(bj_get_record(root, BJ_F(SCENARIO, CLIENT)), BJ_F(CLIENT, BOOTSTRAP));
    assert_string_equal(bj_get_string(bootstrap, BJ_F(ACCOUNT, URI), ""), "coap://bs.example");
    assert_int_equal(bj_get_uint(bootstrap, BJ_F(ACCOUNT, SECURITY), 9), 3);
    assert_true(bj_get_duration(bootstrap, BJ_F(ACCOUNT, HOLDOFF), 0) == 10 * BJ_SECOND);
    const bj_record *request = step_of(root, 0);
    assert_int_equal(request->kind, BJ_K_REQUEST);
    assert_int_equal(bj_get_uint(request, BJ_F(REQUEST, METHOD), 0), 2);
    assert_string_equal(bj_get(request, BJ_F(REQUEST, QUERY))->as.strings.items[0].bytes, "ep=dev-1");
    const bj_value *tlv = bj_get(step_of(root, 2), BJ_F(WRITE, TLV));
    assert_int_equal(tlv->as.nodes.count, 7);
    assert_int_equal(tlv->as.nodes.items[0].kind, BJ_N_STRING);
    assert_int_equal(tlv->as.nodes.items[1].kind, BJ_N_BOOL);
    assert_int_equal(tlv->as.nodes.items[2].kind, BJ_N_INT);
    assert_int_equal(tlv->as.nodes.items[6].id, 10);
    const bj_value *branches = bj_get(step_of(root, 4), BJ_F(EITHER, BRANCHES));
    assert_string_equal(branches->as.named.items[1].name.bytes, "refused afterwards");
    const bj_when *at = &bj_get(branches->as.named.items[1].records[1], BJ_F(REQUEST, AT))->as.when;
    assert_int_equal(at->due, BJ_DUE_HOLDOFF);
    bj_arena_unmap(arena);
}

static void test_every_example(void **state) {
    (void) state;
    bj_arena *arena = arena_for_test();
    const bj_record *root = must_load(arena, BJ_K_SCENARIO, all_examples(arena));
    size_t verbs = 0;
    for (size_t i = 0; i < bj_record_def_count(); i++) {
        const bj_record_def *def = bj_record_def_at(i);
        if (def->verb) {
            assert_non_null(def->example);
            assert_int_equal(step_of(root, 2 + verbs++)->kind, def->kind);
        }
    }
    bj_arena_unmap(arena);
}

/* Codes are text: 2.10 is not 2.1, and 5.00 has a detail. */
static void test_codes_are_text(void **state) {
    (void) state;
    bj_arena *arena = arena_for_test();
    const bj_record *root =
        must_load(arena, BJ_K_SCENARIO, "title: t\nsteps:\n  - finish: {expect: [2.10, 5.00, \"4.04\", 3.xx]}\n");
    const bj_codes *codes = &bj_get(step_of(root, 0), BJ_F(FINISH, EXPECT))->as.codes;
    unsigned count = 0;
    for (unsigned code = 0; code < 256; code++) {
        count += bj_codes_has(codes, (uint8_t) code);
    }
    assert_int_equal(count, 3 + 32);
    assert_true(bj_codes_has(codes, 2 << 5 | 10) && bj_codes_has(codes, 5 << 5) && bj_codes_has(codes, 4 << 5 | 4));
    bj_arena_unmap(arena);
}

static const bj_node *nodes_of(bj_arena *arena, const char *values, size_t count) {
    BJ_TEXT(yaml, 1000);
    bj_text_printf(&yaml, "title: t\nsteps:\n  - write: /3/0\n    tlv: %s\n", values);
    const bj_value *tlv = bj_get(step_of(must_load(arena, BJ_K_SCENARIO, yaml.start), 0), BJ_F(WRITE, TLV));
    assert_int_equal(tlv->as.nodes.count, count);
    return tlv->as.nodes.items;
}

static void test_values(void **state) {
    (void) state;
    bj_arena *arena = arena_for_test();
    const bj_node *n =
        nodes_of(arena, "{0: U, 1: 101, 2: \"101\", 3: true, 4: 'true', 5: 1.5, 6: ~, 7: !hex 00 ff_01}", 8);
    static const uint8_t kinds[] = { BJ_N_STRING, BJ_N_INT,   BJ_N_STRING, BJ_N_BOOL,
                                     BJ_N_STRING, BJ_N_FLOAT, BJ_N_ANY,    BJ_N_OPAQUE };
    for (size_t i = 0; i < sizeof kinds; i++) {
        assert_int_equal(n[i].kind, kinds[i]);
    }
    n = nodes_of(arena,
                 "{65535: !objlnk 3:1, 0: !int '7', 1: !string 7, 2: !float 7, 3: !bytes 00, 4: {}, 5: -1, 6: yes}", 8);
    assert_true(n[0].id == 65535 && n[0].kind == BJ_N_OBJLNK && n[0].integer == 0x30001);
    assert_true(n[1].kind == BJ_N_INT && n[1].integer == 7);
    assert_true(n[2].kind == BJ_N_STRING && n[3].kind == BJ_N_FLOAT && n[4].kind == BJ_N_STRING);
    assert_true(n[4].bytes.length == 1 && n[5].kind == BJ_N_TREE && n[6].integer == -1 && n[7].kind == BJ_N_STRING);
    n = nodes_of(arena, "[9223372036854775807, -9223372036854775808, [5, 6]]", 3);
    assert_true(n[0].integer == INT64_MAX && n[1].id == 1 && n[1].integer == INT64_MIN);
    assert_true(n[2].kind == BJ_N_TREE && n[2].child_count == 2 && n[2].children[1].id == 1);
    bj_arena_unmap(arena);
}

static void test_fields_beside_and_behind_the_verb(void **state) {
    (void) state;
    bj_arena *arena = arena_for_test();
    const bj_record *a =
        must_load(arena, BJ_K_SCENARIO,
                  "title: t\nsteps:\n  - finish: {expect: 2.04}\n    at: 5s\n"
                  "  - request: ~\n  - respond: ~\n    reset: true\n  - expect: 2.04\n    write: /1/0\n");
    const bj_record *b =
        must_load(arena, BJ_K_SCENARIO,
                  "title: t\nsteps:\n  - finish: ~\n    expect: 2.04\n    at: 5s\n"
                  "  - request: {}\n  - respond: {reset: true}\n  - {write: {path: /1/0, expect: 2.04}}\n");
    assert_true(bj_record_equal(a, b));
    bj_arena_unmap(arena);
}

static void test_anchors(void **state) {
    (void) state;
    bj_arena *arena = arena_for_test();
    const bj_record *a = must_load(arena, BJ_K_SCENARIO,
                                   "title: t\nsteps:\n  - write: /0/1\n    tlv: &account {0: h, 1: false}\n"
                                   "  - write: /0/2\n    tlv: *account\n");
    const bj_record *b = must_load(arena, BJ_K_SCENARIO,
                                   "title: t\nsteps:\n  - write: /0/1\n    tlv: {0: h, 1: false}\n"
                                   "  - write: /0/2\n    tlv: {0: h, 1: false}\n");
    assert_true(bj_record_equal(a, b));
    bj_arena_unmap(arena);
}

/* --- mistakes --------------------------------------------------------------------------------- */

/* All mistakes of a document, one a line, without the name of the file. */
static const char *mistakes_in(bj_arena *arena, bj_kind kind, const char *yaml, size_t length) {
    bj_mistakes mistakes;
    const bj_record *root = bj_load_bytes(arena, kind, "f", yaml, length, &mistakes);
    char *room = bj_arena_alloc(arena, 20000);
    bj_text all = bj_text_over(room, 20000);
    assert_true(root ? !mistakes.count : mistakes.count > 0);
    for (size_t i = 0; i < mistakes.count && i < BJ_MISTAKES; i++) {
        BJ_TEXT(line, 2000);
        bj_mistake_print(&line, &mistakes.items[i]);
        assert_memory_equal(line.start, "f:", 2);
        bj_text_printf(&all, i ? "\n%s" : "%s", line.start + 2);
    }
    return room;
}

typedef struct mistake_case {
    const char *yaml;
    const char *mistakes;
} mistake_case;

static void assert_mistakes(bj_kind kind, const char *before, const mistake_case *cases, size_t count) {
    bj_arena *arena = arena_for_test();
    for (size_t i = 0; i < count; i++) {
        BJ_TEXT(yaml, 4000);
        bj_text_printf(&yaml, "%s%s", before, cases[i].yaml);
        const char *found = mistakes_in(arena, kind, yaml.start, yaml.used);
        if (strcmp(found, cases[i].mistakes) != 0) {
            fail_msg("in\n%s\nexpected\n%s\nfound\n%s", yaml.start, cases[i].mistakes, found);
        }
    }
    bj_arena_unmap(arena);
}

#define ASSERT_MISTAKES(kind, before, cases) assert_mistakes(kind, before, cases, sizeof(cases) / sizeof(cases)[0])

static void test_documents(void **state) {
    (void) state;
    static const mistake_case cases[] = {
        { "", "1:1: error: the file is empty: expected a map of fields" },
        { "# only a comment\n", "1:1: error: the file is empty: expected a map of fields" },
        { "~\n", "1:1: error: the file is empty: expected a map of fields" },
        { "[a, b]\n", "1:1: error: expected a map of fields such as title and steps, found a list" },
        { "text\n", "1:1: error: expected a map of fields such as title and steps, found 'text'" },
        { "title: t\n", "1:1: error: scenario needs the field 'steps'" },
        { "titel: t\nsteps: [finish: ~]\n", "1:1: error: scenario has no field 'titel' (did you mean 'title'?)" },
        { "title: t\ntitle: u\nsteps: [finish: ~]\n", "2:1: error: the field 'title' is given twice" },
        { "title: t\nsteps: [finish: ~]\n---\ntitle: u\n", "3:1: error: a second document: a file holds one" },
        { "title: [\n", "2:1: error: this is not YAML: flow sequence without a closing bracket" },
        { "title: \"t\n", "1:9: error: this is not YAML: double-quoted scalar without closing quote" },
        { "title: *nothing\n", "1:8: error: there is no anchor '&nothing' before this" },
        { "title: t\xff\n", "1:9: error: this is not UTF-8 text: byte 0xff" },
        { "a: gr\xc3\xbc\xc3\x9f \xc3(\n", "1:9: error: this is not UTF-8 text: byte 0xc3" },
        { "title: ''\nsteps: [finish: ~]\n", "1:8: error: 'title' must not be empty" },
        { "title: t\nsteps: []\n", "2:8: error: expected at least one step" },
        { "title: t\nsteps: {finish: ~}\n", "2:8: error: expected a list of steps, found a map" },
        { "title: t\nsteps:\n", "2:1: error: expected a list of steps, found nothing" },
        { "title: [t]\nsteps: [finish: ~]\n", "1:8: error: expected a text, found a list" },
        { "title: !new t\nsteps: [finish: ~]\n", "1:13: error: expected a text, found the tag !new" },
        { "title: t\nsteps: [finish: ~]\nbudget: 40000d\n",
          "3:9: error: expected a duration of at most 36500d, found '40000d'" },
        { "title: t\nsteps: [finish: ~]\nshows: acept\n",
          "3:8: error: expected one of accept, refuse, found 'acept' (did you mean 'accept'?)" },
        { "title: t\nsteps: [finish: ~]\ntransmission: {ack-random-factor: 0.5}\n",
          "3:35: error: expected a factor of at least 1 such as 1.5, found '0.5'" },
        { "title: t\nsteps: [finish: ~]\nnetwork: 5\n", "3:10: error: expected a map of fields, found '5'" },
        { "title: t\nsteps: [finish: ~]\n? [a]\n: b\n", "3:3: error: expected the name of a field, found a list" },
    };
    ASSERT_MISTAKES(BJ_K_SCENARIO, "", cases);
}

static void test_head(void **state) {
    (void) state;
    static const mistake_case cases[] = {
        { "client: {bootstrap: {holdoff: 1s}}\n", "3:21: error: account needs the field 'uri'" },
        { "client: {bootstrap: {uri: bs.example}}\n",
          "3:27: error: expected a URI such as coap://bs.example, found 'bs.example'" },
        { "client: {bootstrap: {uri: \"coap://h\", holdoff: ten}}\n",
          "3:48: error: expected a duration such as 10s, found 'ten'" },
        { "client: {bootstrap: {uri: \"coap://h\", key: 0g}}\n",
          "3:44: error: expected bytes in hexadecimal such as 00ff, found '0g'" },
        { "client: {bootstrap: {uri: \"coap://h\", key: 123}}\n",
          "3:44: error: expected bytes in hexadecimal such as 00ff, found '123'" },
        { "client: {bootstrap: {uri: \"coap://h\", security: pks}}\n",
          "3:49: error: expected one of psk, rpk, certificate, nosec, est, found 'pks' (did you mean 'psk'?)" },
        { "client: {version: 1.3}\n", "3:19: error: expected one of 1.0, 1.1, 1.2, found '1.3'" },
        { "client: {strict: yes}\n", "3:18: error: expected true or false, found 'yes'" },
        { "client: {endpiont: x}\n", "3:10: error: client has no field 'endpiont' (did you mean 'endpoint'?)" },
        { "client: {accounts: [{uri: \"coap://h\", ssid: 70000}]}\n",
          "3:45: error: expected a number from 0 to 65535, found 70000" },
        { "client: {accounts: [{uri: \"coap://h\", ssid: -1}]}\n",
          "3:45: error: expected a number from 0 to 4294967295, found '-1'" },
        { "servers: {bs: {port: 0}}\n", "3:22: error: expected a number from 1 to 65535, found 0" },
        { "servers: {bs: {addresses: [192.0.2.300]}}\n",
          "3:27: error: expected an address such as 192.0.2.7 or 2001:db8::7, found '192.0.2.300'" },
        { "servers: {bs: {addresses: [\"2001:db8::1\"]}}\n", "3:27: error: 2001:db8::1 is the client's own address" },
        { "? a:\t- b\n", "3:1: error: a tab in a file with an explicit key ('?'): write spaces" },
        { "? - a\n -:\t- b\n", "4:1: error: a tab in a file with an explicit key ('?'): write spaces" },
        { "servers: {bs: ~, bs: ~}\n", "3:18: error: the name 'bs' is given twice" },
        { "servers: {bs: ~, client: ~}\n", "3:10: error: a server cannot be called 'client'" },
        { "servers: [bs]\n", "3:10: error: expected a map from names to fields, found a list" },
        { "servers: {bs: {state: shut}}\n", "3:23: error: expected one of open, closed, silent, found 'shut'" },
        { "dns: {a.example: [{addresses: [bz]}]}\n",
          "3:31: error: expected an address such as 192.0.2.7 or 2001:db8::7, or the name of a server, found 'bz' "
          "(did you mean 'bs'?)" },
        { "dns: {a.example: [{status: nxdomain, addresses: [bs]}]}\n",
          "3:49: error: an answer that is not 'ok' has no addresses" },
        { "network: {loss: 2000000}\n", "3:17: error: expected a number from 0 to 1000000, found 2000000" },
        { "rules: {a: b}\n", "3:8: error: expected a text or a list of texts, found a map" },
    };
    ASSERT_MISTAKES(BJ_K_SCENARIO, "title: t\nsteps: [finish: ~]\n", cases);
}

static const char one_request[] = "title: t\nsteps:\n  - request: bs\n";

static void test_steps(void **state) {
    (void) state;
    static const mistake_case cases[] = {
        { "  - wirte: /0\n", "4:5: error: no verb in this step: 'wirte' is none (did you mean 'write'?)" },
        { "  - expect: 2.04\n    delte: /0\n",
          "5:5: error: no verb in this step: 'delte' is none (did you mean 'delete'?)" },
        { "  - path: /0\n", "4:5: error: no verb in this step: 'path' is none (did you mean 'pack'?)" },
        { "  - finish\n", "4:5: error: expected a step such as 'finish: {expect: 2.04}', found 'finish'" },
        { "  - {}\n", "4:5: error: expected a step such as 'finish: {expect: 2.04}', found a map" },
        { "  -\n", "4:3: error: expected a step such as 'finish: {expect: 2.04}', found nothing" },
        { "  - write: /0\n    finish: ~\n", "5:5: error: two verbs in one step: 'write' and 'finish'" },
        { "  - write: /0\n    exepct: 2.04\n", "5:5: error: write has no field 'exepct' (did you mean 'expect'?)" },
        { "  - write: /0\n    nonsense: 2.04\n", "5:5: error: write has no field 'nonsense'" },
        { "  - write: /0\n    path: /1\n", "5:5: error: the field 'path' is given twice" },
        { "  - finish: {expect: 2.04}\n    expect: 2.04\n", "5:5: error: the field 'expect' is given twice" },
        { "  - raw: {server: bs}\n", "4:5: error: raw needs the field 'hex'" },
        { "  - raw: ~\n", "4:5: error: raw needs the field 'hex'" },
        { "  - ignore: bs\n", "4:13: error: expected a map of fields, found 'bs'" },
        { "  - either: [finish: ~]\n", "4:13: error: expected a map from names to lists of steps, found a list" },
        { "  - either: {a: {finish: ~}}\n", "4:17: error: expected a list of steps, found a map" },
        { "  - either: {}\n", "4:13: error: expected at least one branch" },
        { "  - either: {a: [], a: []}\n", "4:21: error: the name 'a' is given twice" },
        { "  - repeat: 2\n", "4:5: error: repeat needs the field 'steps'" },
        { "  - repeat: 2\n    steps: []\n", "5:12: error: expected at least one step" },
        { "  - when: stritc\n    steps: []\n",
          "4:11: error: expected one of strict, transactional, legacy, discover, bootstrap-read, lwm2m-1.0, lwm2m-1.1, "
          "lwm2m-1.2, access-control, linked, deregisters, pack, notifies-writer, bare-accounts, request-tag, "
          "overtaking, "
          "found 'stritc' (did you mean 'strict'?)" },
        { "  - repeat: 1\n    steps: [repeat: 1, finish: ~]\n", "5:13: error: repeat needs the field 'steps'" },
    };
    ASSERT_MISTAKES(BJ_K_SCENARIO, one_request, cases);
}

static void test_typed_values(void **state) {
    (void) state;
    static const mistake_case cases[] = {
        { "  - finish: {expect: 2.4}\n", "4:22: error: expected a code such as 2.04 or 4.xx, found '2.4'" },
        { "  - finish: {expect: [2.04, 2.32]}\n", "4:29: error: expected a code such as 2.04 or 4.xx, found '2.32'" },
        { "  - finish: {expect: 8.xx}\n", "4:22: error: expected a code such as 2.04 or 4.xx, found '8.xx'" },
        { "  - finish: {expect: {a: b}}\n", "4:22: error: expected a code such as 2.04 or 4.xx, found a map" },
        { "  - finish: {expect: []}\n", "4:22: error: finish: no code at all" },
        { "  - finish: {within: 10}\n", "4:22: error: expected a duration such as 10s, found '10'" },
        { "  - finish: {within: [10s]}\n", "4:22: error: expected a duration such as 10s, found a list" },
        { "  - silence: soon\n",
          "4:14: error: expected a time such as 10s, 10s..15s, wake or due(finish)-1ms, found 'soon'" },
        { "  - silence: 15s..10s\n",
          "4:14: error: expected a range whose early end is not after its late end, found '15s..10s'" },
        { "  - silence: due(finsh)\n",
          "4:14: error: expected due(finish), due(retransmit), due(holdoff), due(lifetime), due(giveup), "
          "due(update) or due(queue), found 'due(finsh)' (did you mean 'finish'?)" },
        { "  - finish: {wait: maybe}\n", "4:20: error: expected true or false, found 'maybe'" },
        { "  - request: {method: PSOT}\n", "4:23: error: expected one of GET, POST, PUT, DELETE, FETCH, PATCH, iPATCH, "
                                           "found 'PSOT' (did you mean 'POST'?)" },
        { "  - request: {type: con}\n",
          "4:21: error: expected one of CON, NON, ACK, RST, found 'con' (did you mean 'CON'?)" },
        { "  - repeat: many\n    steps: [finish: ~]\n",
          "4:13: error: expected a number from 0 to 4294967295, found 'many'" },
        { "  - repeat: 4294967296\n    steps: [finish: ~]\n",
          "4:13: error: expected a number from 0 to 4294967295, found '4294967296'" },
        { "  - request: {query: {a: 1, a: 2}}\n", "4:29: error: the query key 'a' is given twice" },
        { "  - request: {query: {a: [1]}}\n", "4:26: error: expected a query value, or ~ for none, found a list" },
        { "  - finish: {options: 9}\n",
          "4:23: error: expected a list of options such as [{number: 9, hex: 00}], found '9'" },
        { "  - finish: {options: [{hex: 00}]}\n",
          "4:24: error: an option has a number, and a value as one of hex, text, uint" },
        { "  - finish: {options: [{number: uri-qery}]}\n",
          "4:33: error: expected an option's number, or its name such as uri-query, found 'uri-qery'" },
        { "  - finish: {options: [{number: 9, hxe: 00}]}\n",
          "4:36: error: expected number, hex, text or uint, found 'hxe' (did you mean 'hex'?)" },
        { "  - message: {code: 0.01, token: 0}\n",
          "4:34: error: expected bytes in hexadecimal such as 00ff, found '0'" },
    };
    ASSERT_MISTAKES(BJ_K_SCENARIO, one_request, cases);
}

static void test_lwm2m_values(void **state) {
    (void) state;
    static const mistake_case cases[] = {
        { "5\n", "5:10: error: expected values by id such as {0: 101, 1: 86400}, found '5'" },
        { "{65536: 1}\n", "5:11: error: expected an id from 0 to 65535, found '65536'" },
        { "{a: 1}\n", "5:11: error: expected an id from 0 to 65535, found 'a'" },
        { "{1: 1, 1: 2}\n", "5:17: error: the id 1 is given twice" },
        { "{1: 1, 01: 2}\n", "5:17: error: the id 1 is given twice" },
        { "{1: 9223372036854775808}\n", "5:14: error: expected an integer of 64 bits, found '9223372036854775808'" },
        { "{1: !hex 0}\n", "5:19: error: expected bytes in hexadecimal such as 00ff, found '0' with the tag !hex" },
        { "{1: !objlnk 3}\n", "5:22: error: expected an Object Link such as 3:0, found '3' with the tag !objlnk" },
        { "{1: !int x}\n", "5:19: error: expected an integer of 64 bits, found 'x' with the tag !int" },
        { "{1: !float x}\n", "5:21: error: expected a number such as 1.5, found 'x' with the tag !float" },
        { "{1: !hx 00}\n",
          "5:18: error: expected a value, perhaps with one of the tags !hex, !file, !objlnk, !int, !float, !string, "
          "!bytes, found the tag !hx (did you mean '!hex'?)" },
        { "{1: {1: {1: {1: {1: 1}}}}}\n",
          "5:26: error: values are nested deeper than Object, Object Instance, Resource, Resource Instance" },
    };
    ASSERT_MISTAKES(BJ_K_SCENARIO, "title: t\nsteps:\n  - request: bs\n  - write: /\n    tlv: ", cases);
}

static void test_combinations(void **state) {
    (void) state;
    static const mistake_case cases[] = {
        { "  - write: /0\n    tlv: {}\n    hex: 00\n", "6:10: error: 'tlv' and 'hex' exclude each other" },
        { "  - write: /0\n    tlv: {}\n    values: {}\n", "6:13: error: 'tlv' and 'values' exclude each other" },
        { "  - write: /0\n    values: {1: 2}\n    format: link\n",
          "6:13: error: 'values' cannot be written in this format: text, opaque, cbor, senml-json, senml-cbor, tlv, "
          "json, "
          "lwm2m-cbor, old-tlv, old-json can be" },
        { "  - write: /1/0/1\n    values: {1: 2, 2: 3}\n    format: cbor\n",
          "5:13: error: a payload of this format holds exactly one value" },
        { "  - write: /0\n    text: a\n    hex: 00\n", "6:10: error: 'text' and 'hex' exclude each other" },
        { "  - request: bs\n    at: 5s\n    within: 6s\n",
          "6:13: error: 'at' with a late end and 'within' exclude each other" },
        { "  - request: bs\n    at: due(holdoff)..\n    within: 6s\n", "" },
        { "  - repeat: 2\n    until: 1h\n    steps: [finish: ~]\n",
          "5:12: error: 'times' and 'until' exclude each other" },
        { "  - repeat: ~\n    steps: [finish: ~]\n", "4:5: error: repeat needs the field 'times' or 'until'" },
        { "  - power-cut: none\n    outcome: 3\n", "5:14: error: 'keeps' and 'outcome' exclude each other" },
        { "  - power-cut: half\n",
          "4:16: error: expected one of drawn, all, none, torn, found 'half' (did you mean 'all'?)" },
        { "  - disk: {on: write}\n", "4:5: error: disk needs the field 'fault' or 'space'" },
        { "  - disk: eio\n    on: seek\n",
          "5:9: error: expected one of any, open, read, write, sync, rename, unlink, found 'seek'" },
        { "  - file: state\n    mode: rw\n",
          "5:11: error: expected permission bits in octal, as \"0600\", found 'rw'" },
        { "  - file: state\n    mode: \"06000\"\n",
          "5:11: error: expected permission bits in octal, as \"0600\", found '06000'" },
        { "  - request: bs\n    other-mid-than: first\n",
          "5:21: error: no request was captured as 'first' before this" },
        { "  - file: {}\npower-cuts: []\n", "5:13: error: expected at least one step" },
        { "  - respond: 2.04\n    reset: true\n", "4:14: error: 'reset' and 'code' exclude each other" },
        { "  - respond: ~\n", "4:5: error: respond needs the field 'code' or 'reset'" },
        { "  - respond: [2.04, 2.05]\n", "4:14: error: respond sends one code, found 2" },
        { "  - respond: 4.xx\n", "4:14: error: respond sends one code, found 32" },
        { "  - message: {path: /}\n", "4:5: error: message needs the field 'code'" },
        { "  - write: {expect: 2.04}\n", "4:5: error: write needs the field 'path'" },
        { "  - finish: {wait: false, expect: 2.04}\n",
          "4:35: error: 'expect' and 'wait: false' exclude each other: the answer is awaited by `response`" },
        { "  - fault: delay\n", "4:5: error: fault needs the field 'delay'" },
        { "  - message: {code: 0.01, mid: 65536}\n", "4:32: error: expected a number from 0 to 65535, found 65536" },
        { "  - message: {code: 0.01, version: 4}\n", "4:36: error: expected a number from 0 to 3, found 4" },
        { "  - message: {code: 0.01, token-length: 16}\n", "4:41: error: expected a number from 0 to 15, found 16" },
        { "  - message: {code: 0.01, format: 65537}\n", "4:35: error: expected a number from 0 to 65536, found 65537" },
        { "  - exit: 256\n", "4:11: error: expected a number from 0 to 255, found 256" },
        { "  - silence: ..5s\n", "4:14: error: silence lasts until the early end of its range, which is open here" },
        { "  - finish: {at: ..5s}\n", "4:18: error: finish happens at the early end of its range, which is open here" },
        { "  - advance: ..wake\n", "4:14: error: advance lasts until the early end of its range, which is open here" },
        { "  - raw: 40\n    source: 192.0.2.9\n",
          "5:13: error: expected an address and port such as 192.0.2.7:5683, found '192.0.2.9'" },
    };
    ASSERT_MISTAKES(BJ_K_SCENARIO, one_request, cases);
}

static void test_names(void **state) {
    (void) state;
    static const mistake_case cases[] = {
        { "  - finish: {server: mgnt}\n",
          "4:22: error: there is no server 'mgnt': the servers are bs, mgmt (did you mean 'mgmt'?)" },
        { "  - request: other\n", "4:14: error: there is no server 'other': the servers are bs, mgmt" },
        { "  - request: {from: bs}\n", "4:21: error: expected client, found 'bs'" },
        { "  - fault: drop\n    from: clinet\n",
          "5:11: error: there is no server 'clinet': the servers are client, bs, mgmt" },
        { "  - restart: bss\n",
          "4:14: error: there is no server 'bss': the servers are bs, mgmt (did you mean 'bs'?)" },
        { "  - respond: 2.04\n    to: reg\n", "5:9: error: no request was captured as 'reg' before this" },
        { "  - request: {capture: reg}\n  - respond: 2.04\n    to: rge\n",
          "6:9: error: no request was captured as 'rge' before this (did you mean 'reg'?)" },
        { "  - request: {capture: reg}\n  - respond: 2.04\n    to: reg\n  - request: {path: \"${reg.location}\"}\n",
          "" },
        { "  - request: {path: \"/rd/${reg}\"}\n", "4:21: error: no request was captured as 'reg' before this" },
        { "  - note: \"${reg\"\n", "4:11: error: '${' without '}'" },
        { "  - request: {capture: \"a.b\"}\n", "4:24: error: expected a name without any of . { } $, found 'a.b'" },
        { "  - write: 0/1\n", "4:12: error: expected a path that begins with /, found '0/1'" },
        { "  - write: /0/65536\n",
          "4:12: error: expected a path such as /, /1, /1/0 or /1/0/1 with ids up to 65535 (`message` sends any path), "
          "found '/0/65536'" },
        { "  - write: /0/1/2/3/4\n",
          "4:12: error: expected a path such as /, /1, /1/0 or /1/0/1 with ids up to 65535 (`message` sends any path), "
          "found '/0/1/2/3/4'" },
        { "  - delete: /0/\n",
          "4:13: error: expected a path such as /, /1, /1/0 or /1/0/1 with ids up to 65535 (`message` sends any path), "
          "found '/0/'" },
        { "  - delete: /bs\n", "" },
        { "  - request: {path: bs}\n", "4:21: error: expected a path that begins with /, found 'bs'" },
        { "  - request: {path: \"/**/x\"}\n", "4:21: error: expected /** at the end of the path only, found '/**/x'" },
        { "  - respond: 2.01\n    location: rd/1\n", "5:15: error: expected a path that begins with /, found 'rd/1'" },
        { "  - discover: /\n    has: [0/1]\n",
          "5:10: error: expected a path such as /1/0 or a link such as </1/0>;ssid=101, found '0/1'" },
    };
    ASSERT_MISTAKES(BJ_K_SCENARIO, one_request, cases);
    static const mistake_case others[] = {
        { "  - finish: ~\n", "4:5: error: finish names no server, and there is no 'bs' to mean" },
        { "  - finish: {server: boot}\n  - silence: 1s\n", "" },
        { "  - request: bs\n", "4:14: error: there is no server 'bs': the servers are boot" },
    };
    ASSERT_MISTAKES(BJ_K_SCENARIO, "title: t\nservers: {boot: ~}\nsteps:\n", others);
}

static void test_order(void **state) {
    (void) state;
    static const mistake_case cases[] = {
        { "  - respond: 2.04\n", "3:5: error: respond: no request was awaited before this step" },
        { "  - ignore: ~\n", "3:5: error: ignore: no request was awaited before this step" },
        { "  - response: 2.04\n",
          "3:5: error: response: nothing was sent with `wait: false`, and no `message`, before this step" },
        { "  - again: bs\n", "3:5: error: again: no server sent anything of its own before this step" },
        { "  - reset: bs\n", "3:5: error: reset: no server sent anything of its own before this step" },
        { "  - silence: due(finish)\n",
          "3:14: error: due(finish) cannot be known here: no request was awaited before" },
        { "  - silence: due(holdoff)\n", "" },
        { "  - either: {a: [request: bs], b: [finish: {wait: false}]}\n  - respond: 2.04\n  - response: 2.04\n", "" },
        { "  - either: {a: [request: bs], b: [respond: 2.04]}\n",
          "3:36: error: respond: no request was awaited before this step" },
        { "  - repeat: 2\n    steps: [request: bs]\n  - respond: 2.04\n", "" },
        /* A step that could not be read might have been the request. */
        { "  - reqest: bs\n  - respond: 2.04\n",
          "3:5: error: no verb in this step: 'reqest' is none (did you mean 'request'?)" },
    };
    ASSERT_MISTAKES(BJ_K_SCENARIO, "title: t\nsteps:\n", cases);
}

static void test_profiles(void **state) {
    (void) state;
    static const mistake_case cases[] = {
        { "command: [a]\n", "" },
        { "attach: linked\n", "" },
        { "about: x\n", "1:1: error: a profile with `attach: exec` needs the field 'command'" },
        { "command: [a]\nfacts: [strict, legcy]\n",
          "3:8: error: expected a fact that `when` may ask, found 'legcy' (did you mean 'legacy'?)" },
        { "command: [a]\nenvironment: [A=B, C]\n", "3:14: error: expected NAME=VALUE, found 'C'" },
        { "command: [a]\ndeviations: [{scenario: x}]\n", "3:14: error: deviation needs the field 'reason'" },
        { "command: [a]\nholdoff-jitter: fast\n",
          "3:17: error: expected a factor of at least 1 such as 1.5, found 'fast'" },
        { "command: [a]\ninput: null\n", "" },
        { "attach: linked\ncommand: [a]\ninput: null\n",
          "3:10: error: `attach: linked` does not use the field 'command'\n"
          "4:8: error: `attach: linked` does not use the field 'input'" },
        { "attach: linked\nenvironment: [A=B]\ncommands: {update: u}\nready: {after: 1s}\nstop: {end: true}\n",
          "3:14: error: `attach: linked` does not use the field 'environment'\n"
          "4:11: error: `attach: linked` does not use the field 'commands'\n"
          "5:8: error: `attach: linked` does not use the field 'ready'\n"
          "6:7: error: `attach: linked` does not use the field 'stop'" },
        { "command: [a]\nlibrary: a.so\n", "3:10: error: `attach: exec` does not use the field 'library'" },
        { "attach: network\nlibrary: a.so\n", "3:10: error: `attach: network` does not use the field 'library'" },
        { "attach: linked\nlibrary: a.so\n", "" },
        { "attach: network\ncommand: [a]\nready: {after: 1s}\n", "" },
        { "command: [a, '{bs_uri}:{profiledir}', '?--x {endpoint} {lifetime}', '{', '{}', '{not one']\n", "" },
        { "command:\n  - a\n  - '?--ep {bs_uri} {endpont}'\n",
          "3:3: error: there is no placeholder {endpont} (did you mean 'endpoint'?)" },
        { "command: ['{a_b_c_d_e_f}', '{bs_uri}', '{bsuri}']\n",
          "2:10: error: there is no placeholder {a_b_c_d_e_f}\n"
          "2:10: error: there is no placeholder {bsuri} (did you mean 'bs_uri'?)" },
    };
    ASSERT_MISTAKES(BJ_K_PROFILE, "name: n\n", cases);
}

static void test_all_at_once(void **state) {
    (void) state;
    static const mistake_case cases[] = {
        { "titel: t\nclient: {strict: 1}\nsteps:\n  - wirte: /\n  - finish: {expect: 9.00, at: x}\n  - port: shut\n",
          "1:1: error: scenario has no field 'titel' (did you mean 'title'?)\n"
          "2:18: error: expected true or false, found '1'\n"
          "4:5: error: no verb in this step: 'wirte' is none (did you mean 'write'?)\n"
          "5:22: error: expected a code such as 2.04 or 4.xx, found '9.00'\n"
          "5:32: error: expected a time such as 10s, 10s..15s, wake or due(finish)-1ms, found 'x'\n"
          "6:11: error: expected one of open, closed, silent, found 'shut'" },
        { "title: t\nsteps:\n  - finish: {server: x}\n  - write: x\n",
          "3:22: error: there is no server 'x': the servers are bs, mgmt\n"
          "4:12: error: expected a path that begins with /, found 'x'" },
    };
    ASSERT_MISTAKES(BJ_K_SCENARIO, "", cases);
}

static void test_more_than_are_kept(void **state) {
    (void) state;
    bj_arena *arena = arena_for_test();
    BJ_TEXT(yaml, 4000);
    bj_text_add(&yaml, "title: t\nsteps:\n");
    for (int i = 0; i < 30; i++) {
        bj_text_add(&yaml, "  - nothing\n");
    }
    bj_mistakes mistakes;
    assert_null(bj_load_bytes(arena, BJ_K_SCENARIO, "f", yaml.start, yaml.used, &mistakes));
    assert_int_equal(mistakes.count, 30);
    assert_int_equal(mistakes.items[BJ_MISTAKES - 1].position.line, 22);
    bj_arena_unmap(arena);
}

/* --- limits ----------------------------------------------------------------------------------- */

/* What is loaded must be what the byte form can hold. */
static const char *nested_repeats(bj_arena *arena, int depth) {
    char *room = bj_arena_alloc(arena, 4000);
    bj_text yaml = bj_text_over(room, 4000);
    bj_text_add(&yaml, "title: t\nsteps: ");
    for (int i = 1; i < depth; i++) {
        bj_text_add(&yaml, "[{repeat: 1, steps: ");
    }
    bj_text_add(&yaml, "[finish: ~]");
    for (int i = 1; i < depth; i++) {
        bj_text_add(&yaml, "}]");
    }
    bj_text_add(&yaml, "\n");
    return room;
}

static void test_depth(void **state) {
    (void) state;
    bj_arena *arena = arena_for_test();
    const bj_record *root = must_load(arena, BJ_K_SCENARIO, nested_repeats(arena, BJ_LIMIT_DEPTH));
    bj_string bytes = bj_program_encode(arena, root);
    assert_true(bj_record_equal(root, bj_program_decode(arena, BJ_K_SCENARIO, bytes.bytes, bytes.length, NULL, 0)));
    const char *deeper = nested_repeats(arena, BJ_LIMIT_DEPTH + 1);
    assert_string_equal(mistakes_in(arena, BJ_K_SCENARIO, deeper, strlen(deeper)),
                        "2:169: error: steps are nested deeper than 7");
    bj_arena_unmap(arena);
}

static void test_brackets(void **state) {
    (void) state;
    bj_arena *arena = arena_for_test();
    static char yaml[100000];
    memset(yaml, '[', sizeof yaml);
    snprintf(yaml, 8, "title: ");
    yaml[7] = '[';
    assert_true(strstr(mistakes_in(arena, BJ_K_SCENARIO, yaml, sizeof yaml), ": error: ") != NULL);
    bj_arena_unmap(arena);
}

/* Aliases of aliases: 10^9 strings in half a kilobyte. */
static void test_aliases_do_not_explode(void **state) {
    (void) state;
    bj_arena *arena = arena_for_test();
    BJ_TEXT(yaml, 2000);
    bj_text_add(&yaml, "title: t\nclient: &a {bootstrap: {uri: \"coap://h\"}}\nsteps:\n  - write: /\n    tlv:\n");
    bj_text_add(&yaml, "      0: &b [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]\n");
    bj_text_add(&yaml, "      1: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n");
    bj_text_add(&yaml, "      2: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c,*c,*c,*c,*c,*c,*c,*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n");
    for (int i = 3; i < 9; i++) {
        bj_text_printf(&yaml, "      %d: *d\n", i);
    }
    assert_string_equal(mistakes_in(arena, BJ_K_SCENARIO, yaml.start, yaml.used),
                        "6:13: error: a program holds at most 65536 items");
    bj_arena_unmap(arena);
}

static void test_many_items(void **state) {
    (void) state;
    bj_arena *arena = arena_for_test();
    static char yaml[400000];
    bj_text text = bj_text_over(yaml, sizeof yaml);
    bj_text_add(&text, "title: t\nrules: [");
    for (int i = 0; i < 70000; i++) {
        bj_text_add(&text, "a, ");
    }
    bj_text_add(&text, "]\nsteps: [finish: ~]\n");
    assert_string_equal(mistakes_in(arena, BJ_K_SCENARIO, yaml, text.used),
                        "2:8: error: a program holds at most 65536 items");
    bj_arena_unmap(arena);
}

/* --- files ------------------------------------------------------------------------------------ */

static void assert_file(const char *path, const char *expected) {
    bj_arena *arena = arena_for_test();
    bj_mistakes mistakes;
    assert_null(bj_load_file(arena, BJ_K_SCENARIO, path, &mistakes));
    assert_int_equal(mistakes.count, 1);
    BJ_TEXT(line, 1000);
    bj_mistake_print(&line, &mistakes.items[0]);
    assert_string_equal(line.start, expected);
    bj_arena_unmap(arena);
}

static void write_file(const char *path, size_t zeros, const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (size_t i = 0; i < zeros; i++) {
        fputc('#', file);
    }
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void test_files(void **state) {
    (void) state;
    char folder[] = "/tmp/bj-load-test-XXXXXX";
    BJ_TEXT(path, 200);
    BJ_TEXT(expected, 300);
    assert_non_null(mkdtemp(folder));
    bj_text_printf(&path, "%s/a.yaml", folder);
    bj_text_printf(&expected, "%s: error: cannot read the file: No such file or directory", path.start);
    assert_file(path.start, expected.start);
    expected = bj_text_over(expected_room, sizeof expected_room);
    bj_text_printf(&expected, "%s: error: cannot read the file: Is a directory", folder);
    assert_file(folder, expected.start);
    write_file(path.start, 5 << 20, "");
    expected = bj_text_over(expected_room, sizeof expected_room);
    bj_text_printf(&expected, "%s: error: the file is larger than 4 MiB", path.start);
    assert_file(path.start, expected.start);
    write_file(path.start, 0, sample);
    bj_arena *arena = arena_for_test();
    bj_mistakes mistakes;
    assert_non_null(bj_load_file(arena, BJ_K_SCENARIO, path.start, &mistakes));
    bj_arena_unmap(arena);
    unlink(path.start);
    rmdir(folder);
}

/* Any file: a program or a mistake with a place, never a crash. */
/* Bytes in files of their own. */
static const struct {
    const char *name, *content;
    size_t length;
    const char *bytes; /* NULL: it cannot be used, and `mistake` says why */
    size_t byte_count;
    const char *mistake;
} byte_files[] = {
    { "one.pem", "for the reader\n-----BEGIN X-----\nAAEC\nAw==\n-----END X-----\n", 0, "\0\1\2\3", 4, NULL },
    { "two.pem", "-----BEGIN X-----\nAAEC\n-----END X-----\n-----BEGIN X-----\nAw==\n-----END X-----\n", 0, "\0\1\2\3",
      4, NULL },
    { "digest", "00fF\n 0a0B\n", 0, "\x00\xff\x0a\x0b", 4, NULL },
    { "raw", "\0\1g", 3, "\0\1g", 3, NULL },
    { "cut.pem", "-----BEGIN X-----\nAAEC\n", 0, NULL, 0, "the file cut.pem is damaged PEM" },
    { "wrong.pem", "-----BEGIN X-----\nA!EC\n-----END X-----\n", 0, NULL, 0, "the file wrong.pem is damaged PEM" },
    { "empty", "", 0, NULL, 0, "it is empty" },
    { "nowhere", NULL, 0, NULL, 0, "No such file or directory" },
};

static void write_beside(const char *folder, const char *name, const char *bytes, size_t length) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

static void check_byte_file(const char *folder, size_t i) {
    char path[128], text[300];
    bj_arena *arena = arena_for_test();
    bj_mistakes mistakes;
    const char *content = byte_files[i].content;
    if (content) {
        write_beside(folder, byte_files[i].name, content,
                     byte_files[i].length ? byte_files[i].length : strlen(content));
    }
    snprintf(text, sizeof text, "title: t\nsteps:\n  - raw: !file %s\n  - write: /0/1\n    values: {5: !file %s}\n",
             byte_files[i].name, byte_files[i].name);
    write_beside(folder, "scenario.yaml", text, strlen(text));
    snprintf(path, sizeof path, "%s/scenario.yaml", folder);
    const bj_record *root = bj_load_file(arena, BJ_K_SCENARIO, path, &mistakes);
    assert_true(!root == !byte_files[i].bytes);
    if (root) {
        const bj_value *raw = bj_get(step_of(root, 0), BJ_F(RAW, HEX));
        const bj_node *node = bj_get(step_of(root, 1), BJ_F(WRITE, VALUES))->as.nodes.items;
        assert_int_equal(raw->as.string.length, byte_files[i].byte_count);
        assert_memory_equal(raw->as.string.bytes, byte_files[i].bytes, byte_files[i].byte_count);
        assert_int_equal(node->kind, BJ_N_OPAQUE);
        assert_int_equal(node->bytes.length, byte_files[i].byte_count);
    } else {
        assert_non_null(strstr(mistakes.items[0].text, byte_files[i].mistake));
        assert_int_equal(mistakes.items[0].position.line, 3);
    }
    bj_arena_unmap(arena);
}

static void test_bytes_in_files(void **state) {
    (void) state;
    char folder[] = "/tmp/bootjack-load-XXXXXX", path[128];
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < sizeof byte_files / sizeof byte_files[0]; i++) {
        check_byte_file(folder, i);
        snprintf(path, sizeof path, "%s/%s", folder, byte_files[i].name);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/scenario.yaml", folder);
    unlink(path);
    rmdir(folder);
}

static void test_damaged_files(void **state) {
    (void) state;
    dice d = { .state = 362436069u };
    bj_arena *keep = arena_for_test();
    const char *texts[] = { sample, all_examples(keep) };
    for (int i = 0; i < 3000; i++) {
        bj_arena *arena = bj_arena_map((size_t) 64 << 20);
        static char yaml[40000];
        const char *text = texts[i & 1];
        size_t length = strlen(text);
        memcpy(yaml, text, length + 1);
        for (uint32_t changes = 1 + roll(&d, 6); changes; changes--) {
            yaml[roll(&d, (uint32_t) length)] = " \n:{}[],-&*!|>'\"%@`#?~\t\x01\xc3"
                                                "aZ09"[roll(&d, 30)];
        }
        bj_mistakes mistakes;
        bool loaded = bj_load_bytes(arena, BJ_K_SCENARIO, "f", yaml, length - roll(&d, 3), &mistakes) != NULL;
        assert_int_equal(loaded, mistakes.count == 0);
        for (size_t j = 0; j < mistakes.count && j < BJ_MISTAKES; j++) {
            assert_true(mistakes.items[j].position.line > 0 && mistakes.items[j].position.column > 0);
        }
        bj_arena_unmap(arena);
    }
    bj_arena_unmap(keep);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sample),
        cmocka_unit_test(test_every_example),
        cmocka_unit_test(test_codes_are_text),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_fields_beside_and_behind_the_verb),
        cmocka_unit_test(test_anchors),
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_typed_values),
        cmocka_unit_test(test_lwm2m_values),
        cmocka_unit_test(test_combinations),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_profiles),
        cmocka_unit_test(test_all_at_once),
        cmocka_unit_test(test_more_than_are_kept),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_brackets),
        cmocka_unit_test(test_aliases_do_not_explode),
        cmocka_unit_test(test_many_items),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_bytes_in_files),
        cmocka_unit_test(test_damaged_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
