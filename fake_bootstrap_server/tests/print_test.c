/* SPDX-License-Identifier: Apache-2.0
 *
 * Printing: YAML that loads back to the same program, and lines for logs without secrets.
 */
#include "programs.h"

static const bj_record *load_printed(bj_arena *arena, bj_kind kind, const bj_string *text) {
    bj_mistakes mistakes;
    const bj_record *root = bj_load_unchecked(arena, kind, "printed", text->bytes, text->length, &mistakes);
    if (!root) {
        BJ_TEXT(line, 2000);
        bj_mistake_print(&line, &mistakes.items[0]);
        fail_msg("%s\n%s", line.start, text->bytes);
    }
    return root;
}

/* load(print(p)) = p, and printing that gives the same text. */
static void assert_prints_back(bj_arena *arena, const bj_record *root) {
    bj_string text = bj_program_print(arena, root);
    const bj_record *again = load_printed(arena, (bj_kind) root->kind, &text);
    if (!bj_record_equal(root, again)) {
        fail_msg("another program came back:\n%s", text.bytes);
    }
    assert_string_equal(text.bytes, bj_program_print(arena, again).bytes);
}

static void test_style(void **state) {
    (void) state;
    static const char expected[] =
        "title: A Server account whose SSID matches no Security account sends the client back to bootstrap\n"
        "rules: [BS-CHECK-SSID-MATCH]\n"
        "client: {endpoint: dev-1, bootstrap: {uri: \"coap://bs.example\", security: nosec, holdoff: 10s}}\n"
        "steps:\n"
        "  - request: {to: bs, method: POST, path: /bs, query: {ep: dev-1}, from: client}\n"
        "  - respond: 2.04\n"
        "  - write: /0/1\n"
        "    tlv: {0: \"coap://mgmt.example\", 1: false, 2: 3, 3: \"\", 4: \"\", 5: \"\", 10: 101}\n"
        "    expect: 2.04\n"
        "  - write: /1/0\n"
        "    tlv: {0: 102, 1: 86400, 6: false, 7: \"U\"}\n"
        "    expect: 2.04\n"
        "  - either:\n"
        "      refused at Finish:\n"
        "        - finish: {expect: 4.06}\n"
        "      refused afterwards:\n"
        "        - finish: {expect: 2.04}\n"
        "        - request: {to: bs, method: POST, path: /bs, at: due(holdoff), from: client}\n";
    bj_arena *arena = arena_for_test();
    const bj_record *root = must_load(arena, BJ_K_SCENARIO, sample);
    assert_string_equal(bj_program_print(arena, root).bytes, expected);
    assert_prints_back(arena, root);
    bj_arena_unmap(arena);
}

static void test_every_verb(void **state) {
    (void) state;
    bj_arena *arena = arena_for_test();
    assert_prints_back(arena, must_load(arena, BJ_K_SCENARIO, all_examples(arena)));
    bj_arena_unmap(arena);
}

static void test_texts(void **state) {
    (void) state;
    bj_arena *arena = arena_for_test();
    static const struct {
        const char *bytes;
        size_t length;
        const char *printed;
    } texts[] = {
        { "plain text", 10, "plain text" },
        { "", 0, "\"\"" },
        { "null", 4, "\"null\"" },
        { "~", 1, "\"~\"" },
        { "True", 4, "\"True\"" },
        { "1.1", 3, "\"1.1\"" },
        { "coap://h:1", 10, "\"coap://h:1\"" },
        { " blank", 6, "\" blank\"" },
        { "blank ", 6, "\"blank \"" },
        { "a # b", 5, "\"a # b\"" },
        { "- a", 3, "\"- a\"" },
        { "a\0b", 3, "\"a\\x00b\"" },
        { "\"\\", 2, "\"\\\"\\\\\"" },
        { "gr\xc3\xbc\xc3\x9f", 6, "\"gr\xc3\xbc\xc3\x9f\"" },
        { "\xef\xbb\xbf", 3, "\"\\ufeff\"" },
        { "\xe2\x80\xa8", 3, "\"\\u2028\"" },
        { "\xf0\x9f\x98\x80", 4, "\"\xf0\x9f\x98\x80\"" },
        { "\xf4\x8f\xbf\xbf", 4, "\"\\U0010ffff\"" },
        { "\xff", 1, "!bytes ff" },
        { "a\xc3", 2, "!bytes \"61c3\"" },
        { "a\n", 2, "|\n  a" },
        { "one\n  two\n\nthree", 16, "|-\n  one\n    two\n\n  three" },
        { "a\n\n", 3, "\"a\\n\\n\"" },
        { "\ta\n", 3, "\"\\ta\\n\"" },
        { "a \nb", 4, "\"a \\nb\"" },
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        bj_record *root = bj_record_new(arena, BJ_K_OBSERVED, (bj_position){ 0 });
        bj_value value = { .type = BJ_T_STRING };
        value.as.string.bytes = bj_arena_strndup(arena, texts[i].bytes, texts[i].length);
        value.as.string.length = texts[i].length;
        bj_set(arena, root, BJ_F(OBSERVED, TEXT), &value);
        BJ_TEXT(expected, 200);
        bj_text_printf(&expected, "text: %s\n", texts[i].printed);
        assert_string_equal(bj_program_print(arena, root).bytes, expected.start);
        assert_prints_back(arena, root);
    }
    bj_arena_unmap(arena);
}

/* Every code point that is one, in a text of its own. */
static void test_every_code_point(void **state) {
    (void) state;
    bj_arena *arena = arena_for_test();
    for (uint32_t block = 0; block < 0x11000; block += 0x100) {
        static char text[0x1000];
        size_t used = 0;
        for (uint32_t c = block * 16; c < block * 16 + 0x1000 && used < sizeof text - 8; c += 1 + (c > 0x3000) * 37) {
            if (c >= 0xD800 && c < 0xE000) {
                continue;
            }
            if (c < 0x80) {
                text[used++] = (char) c;
            } else if (c < 0x800) {
                text[used++] = (char) (0xC0 | c >> 6);
            } else {
                text[used++] = (char) (c < 0x10000 ? 0xE0 | c >> 12 : 0xF0 | c >> 18);
                if (c >= 0x10000) {
                    text[used++] = (char) (0x80 | (c >> 12 & 0x3F));
                }
                text[used++] = (char) (0x80 | (c >> 6 & 0x3F));
            }
            if (c >= 0x80) {
                text[used++] = (char) (0x80 | (c & 0x3F));
            }
        }
        bj_record *root = bj_record_new(arena, BJ_K_OBSERVED, (bj_position){ 0 });
        bj_value value = { .type = BJ_T_STRING };
        value.as.string = (bj_string){ .bytes = bj_arena_strndup(arena, text, used), .length = used };
        bj_set(arena, root, BJ_F(OBSERVED, TEXT), &value);
        assert_prints_back(arena, root);
    }
    bj_arena_unmap(arena);
}

static void test_random_programs(void **state) {
    (void) state;
    dice d = { .state = 2463534242u };
    bj_arena *keep = arena_for_test();
    bj_string examples = bj_program_encode(keep, must_load(keep, BJ_K_SCENARIO, all_examples(keep)));
    for (unsigned i = 0; i < 10000; i++) {
        uint8_t bytes[RANDOM_ROOM];
        size_t length = random_program(&d, &examples, bytes);
        bj_arena *arena = bj_arena_map((size_t) 64 << 20);
        assert_prints_back(arena,
                           bj_program_decode(arena, i % 8 ? BJ_K_SCENARIO : BJ_K_PROFILE, bytes, length, NULL, 0));
        bj_arena_unmap(arena);
    }
    bj_arena_unmap(keep);
}

static void assert_when(const char *text, const char *printed) {
    bj_when when = { 0 };
    BJ_TEXT(out, 100);
    if (!printed) {
        assert_false(bj_when_parse(text, strlen(text), &when));
        return;
    }
    assert_true(bj_when_parse(text, strlen(text), &when));
    bj_when_print(&out, &when);
    assert_string_equal(out.start, printed);
}

static void test_whens(void **state) {
    (void) state;
    assert_when("10s", "10s");
    assert_when("0", "0");
    assert_when("10s..15s", "10s..15s");
    assert_when("10s .. 15s", "10s..15s");
    assert_when("..15s", "0..15s");
    assert_when("10s..", "10s..");
    assert_when("10s..10s", "10s");
    assert_when("1.5s..2s", "1s500ms..2s");
    assert_when("wake", "wake");
    assert_when("wake+1ms", "wake+1ms");
    assert_when("due(finish)-1ms", "due(finish)-1ms");
    assert_when("due(finish) - 1ms", "due(finish)-1ms");
    assert_when("due(holdoff)..due(holdoff)+5s", "due(holdoff)..due(holdoff)+5s");
    assert_when("due(holdoff)-1s..+5s", "due(holdoff)-1s..due(holdoff)+5s");
    assert_when("due(lifetime)..", "due(lifetime)..");
    assert_when("..due(giveup)", "..due(giveup)");
    assert_when("due(update)", "due(update)");
    assert_when("due(queue) + 1ms", "due(queue)+1ms");
    assert_when("due(retransmit)+0", "due(retransmit)");
    assert_when("", NULL);
    assert_when("..", NULL);
    assert_when("15s..10s", NULL);
    assert_when("10s..due(finish)", NULL);
    assert_when("due(finish)..due(holdoff)", NULL);
    assert_when("due(finish)..5s", NULL);
    assert_when("due(finish", NULL);
    assert_when("due(nothing)", NULL);
    assert_when("10s+5s", NULL);
    assert_when("-1s", NULL);
    assert_when("10", NULL);
    assert_when("36501d", NULL);
    assert_when("10s..15s..20s", NULL);
}

static void test_codes(void **state) {
    (void) state;
    uint8_t code;
    assert_true(bj_code_parse("2.04", 4, &code) && code == 0x44);
    assert_true(bj_code_parse("0.01", 4, &code) && code == 1);
    assert_true(bj_code_parse("7.31", 4, &code) && code == 0xFF);
    static const char *const wrong[] = { "2.4", "2.32", "8.00", "2,04", "204", "2.040", "", "a.bc", "2.0a" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(bj_code_parse(wrong[i], strlen(wrong[i]), &code));
    }
    bj_codes codes = { { 0, UINT64_C(0xFFFFFFFF00000000) >> 32 | (UINT64_C(1) << 60), 0, 0 } };
    BJ_TEXT(out, 200);
    bj_codes_print(&out, &codes);
    assert_string_equal(out.start, "[2.xx, 3.28]");
    assert_int_equal(bj_codes_first(&codes), 0x40);
    assert_int_equal(bj_codes_first(&(bj_codes){ { 0 } }), 0);
}

/* The n-th step of a scenario, as a line. */
static const char *line_of(bj_arena *arena, const char *step) {
    BJ_TEXT(yaml, 2000);
    bj_text_printf(&yaml, "title: t\nsteps:\n  - request: bs\n  - %s\n", step);
    const bj_record *root = must_load(arena, BJ_K_SCENARIO, yaml.start);
    BJ_TEXT(line, 400);
    bj_step_line(&line, bj_get(root, BJ_F(SCENARIO, STEPS))->as.records.items[1]);
    return bj_arena_strdup(arena, line.start);
}

static void test_lines(void **state) {
    (void) state;
    bj_arena *a = arena_for_test();
    assert_string_equal(line_of(a, "respond: 2.04"), "respond 2.04");
    assert_string_equal(line_of(a, "finish: {expect: [2.04, 4.06]}"), "finish expect [2.04, 4.06]");
    assert_string_equal(line_of(a, "request: {to: bs, query: {ep: x, Q: ~}, format: none}"),
                        "request bs query {ep: x, Q: ~} format none");
    assert_string_equal(line_of(a, "repeat: 3\n    steps: [request: bs, respond: 5.00]"), "repeat 3 steps (2 steps)");
    assert_string_equal(line_of(a, "either: {a: [finish: ~], b: []}"), "either {a: (1 step), b: (0 steps)}");
    assert_string_equal(line_of(a, "note: this is a text that is longer than what a line of the log should hold"),
                        "note \"this is a text that is longer than wh\"\xe2\x80\xa6");
    bj_arena_unmap(a);
}

/* /0/x/3 and /0/x/5 hold identities and keys (LwM2M Core 1.1 appendix E.1): a log does not show them. */
static void test_secrets(void **state) {
    (void) state;
    bj_arena *a = arena_for_test();
    assert_string_equal(line_of(a, "write: /0/1\n    tlv: {0: h, 3: me, 5: !hex 000102}"),
                        "write /0/1 tlv {0: \"h\", 3: <2 bytes>, 5: <3 bytes>}");
    assert_string_equal(line_of(a, "write: /0\n    tlv: {1: {3: me, 4: you}, 5: {5: key}}"),
                        "write /0 tlv {1: {3: <2 bytes>, 4: \"you\"}, 5: {5: <3 bytes>}}");
    assert_string_equal(line_of(a, "write: /\n    tlv: {0: {1: {5: key}}, 1: {1: {5: 1}}}"),
                        "write / tlv {0: {1: {5: <3 bytes>}}, 1: {1: {5: 1}}}");
    assert_string_equal(line_of(a, "write: /0/1/5\n    tlv: {5: key}"), "write /0/1/5 tlv {5: <3 bytes>}");
    assert_string_equal(line_of(a, "write: /0/1/5\n    text: key"), "write /0/1/5 text <3 bytes>");
    assert_string_equal(line_of(a, "write: /0/1\n    hex: c805"), "write /0/1 hex <2 bytes>");
    assert_string_equal(line_of(a, "write: /1/0\n    tlv: {3: 5, 5: 7}"), "write /1/0 tlv {3: 5, 5: 7}");
    assert_string_equal(line_of(a, "write: /3/0/5\n    text: open"), "write /3/0/5 text open");
    bj_arena_unmap(a);
}

static void test_value(void **state) {
    (void) state;
    bj_arena *arena = arena_for_test();
    const bj_record *root = must_load(arena, BJ_K_SCENARIO, sample);
    const bj_record_def *def = bj_record_def_of(BJ_K_SCENARIO);
    BJ_TEXT(out, 200);
    bj_value_print(&out, bj_field_numbered(def, BJ_F(SCENARIO, CLIENT)), bj_get(root, BJ_F(SCENARIO, CLIENT)));
    assert_string_equal(out.start,
                        "{endpoint: dev-1, bootstrap: {uri: \"coap://bs.example\", security: nosec, holdoff: 10s}}");
    bj_arena_unmap(arena);
}

static void test_floats(void **state) {
    (void) state;
    static const struct {
        const char *yaml;
        const char *printed;
    } floats[] = {
        { "1.5", "1.5" },
        { "1.0", "1.0" },
        { "1e300", "1e+300" },
        { ".inf", ".inf" },
        { "-.inf", "-.inf" },
        { ".nan", ".nan" },
        { "-0.0", "-0.0" },
        { "0.1", "0.1" },
        { "!float 3", "3.0" },
        { "1e22", "1e+22" },
        { "7", "7" },
        { "-007", "-7" },
        { "1.2.3", "\"1.2.3\"" },
        { "0.30000000000000004", "0.30000000000000004" },
    };
    bj_arena *arena = arena_for_test();
    for (size_t i = 0; i < sizeof floats / sizeof floats[0]; i++) {
        BJ_TEXT(step, 200);
        BJ_TEXT(expected, 200);
        bj_text_printf(&step, "write: /3/0\n    tlv: {1: %s}", floats[i].yaml);
        bj_text_printf(&expected, "write /3/0 tlv {1: %s}", floats[i].printed);
        assert_string_equal(line_of(arena, step.start), expected.start);
    }
    bj_arena_unmap(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_style),
        cmocka_unit_test(test_every_verb),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_whens),
        cmocka_unit_test(test_every_code_point),
        cmocka_unit_test(test_random_programs),
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_value),
        cmocka_unit_test(test_floats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
