/* SPDX-License-Identifier: Apache-2.0
 *
 * One file, many cases; steps from another file: what comes of them, and each mistake with its place.
 */
#define _GNU_SOURCE
#include <unistd.h>

#include "programs.h"

static char folder[] = "/tmp/bj-cases-test-XXXXXX";

static int make_folder(void **state) {
    (void) state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void) state;
    return rmdir(folder);
}

/* A file in the folder, its path in static memory. */
static const char *file_named(const char *name, const char *text) {
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = text ? fopen(path, "w") : NULL;
    if (file) {
        fputs(text, file);
        assert_int_equal(fclose(file), 0);
    } else {
        unlink(path);
    }
    return path;
}

static void assert_same(const char *name, const char *yaml, const char *plain) {
    bj_arena *arena = arena_for_test();
    bj_mistakes mistakes;
    const bj_record *root = bj_load_bytes(arena, BJ_K_SCENARIO, name, yaml, strlen(yaml), &mistakes);
    if (!root) {
        BJ_TEXT(line, 2000);
        bj_mistake_print(&line, &mistakes.items[0]);
        fail_msg("%s\n%s", line.start, yaml);
    }
    bj_string text = bj_program_print(arena, root);
    bj_string expected = bj_program_print(arena, must_load(arena, BJ_K_SCENARIO, plain));
    assert_string_equal(text.bytes, expected.bytes);
    bj_arena_unmap(arena);
}

/* --- parameters ------------------------------------------------------------------------------- */

static void test_values_of_every_kind(void **state) {
    (void) state;
    static const char yaml[] =
        "title: A ${what} of /0/${n}\nrules: ${rules}\nclient: {bootstrap: {uri: \"coap://h\", instance: \"${n}\"}}\n"
        "cases:\n"
        "  one:\n    what: write\n    n: 5\n    rules: [A, B]\n    values: {0: h, \"3\": !hex 00ff}\n"
        "    codes: [2.04, 4.00]\n    more: [finish: {expect: 2.04}, {silence: \"${t}\"}]\n    t: 1s\n    q: !none\n"
        "    id: 7\n"
        "steps:\n  - request: bs\n    query: ${q}\n    capture: r\n  - write: /0/${n}\n    tlv: ${values}\n"
        "    expect: \"${codes}\"\n  - ${more}\n  - write: /1/0\n    tlv: {\"${id}\": \"${r.path} ${n}\", 8: ${n}}\n";
    static const char plain[] =
        "title: A write of /0/5\nrules: [A, B]\nclient: {bootstrap: {uri: \"coap://h\", instance: 5}}\n"
        "steps:\n  - request: bs\n    capture: r\n  - write: /0/5\n    tlv: {0: h, 3: !hex 00ff}\n"
        "    expect: [2.04, 4.00]\n  - finish: {expect: 2.04}\n  - silence: 1s\n"
        "  - write: /1/0\n    tlv: {7: \"${r.path} 5\", 8: 5}\n";
    char quoted[sizeof yaml + 10]; /* in {} YAML wants quotes around ${n}; they change nothing */
    const char *at = strstr(yaml, "8: ${n}");
    snprintf(quoted, sizeof quoted, "%.*s8: \"${n}\"}\n", (int) (at - yaml), yaml);
    assert_same("f::one", quoted, plain);
}

static void test_names(void **state) {
    (void) state;
    static const char yaml[] = "title: ${a} ${b} ${c} ${d}\nparameters:\n  a: [0, 1]\n  b: {root: /, account: /0/1}\n"
                               "  c: [only]\n  d: [x, y]\ncases: {p: {d: z}, q: ~}\nsteps: [finish: ~]\n";
    static const char *const expected[] = {
        "p-a-0-root",      "p-a-0-account",   "p-a-1-root",   "p-a-1-account", "q-a-0-root-x",    "q-a-0-root-y",
        "q-a-0-account-x", "q-a-0-account-y", "q-a-1-root-x", "q-a-1-root-y",  "q-a-1-account-x", "q-a-1-account-y",
    };
    bj_arena *arena = arena_for_test();
    bj_mistakes mistakes;
    const char **names;
    size_t count;
    assert_true(bj_load_cases(arena, file_named("a.yaml", yaml), &names, &count, &mistakes));
    assert_int_equal(count, sizeof expected / sizeof expected[0]);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(names[i], expected[i]);
    }
    assert_same("f::q-a-1-account-y", yaml, "title: 1 /0/1 only y\nsteps: [finish: ~]\n");
    assert_same("f::p-a-0-root", yaml, "title: 0 / only z\nsteps: [finish: ~]\n");
    assert_true(
        bj_load_cases(arena, file_named("a.yaml", "title: t\nsteps: [finish: ~]\n"), &names, &count, &mistakes));
    assert_int_equal(count, 0);
    file_named("a.yaml", NULL);
    assert_false(bj_load_cases(arena, file_named("a.yaml", NULL), &names, &count, &mistakes));
    bj_arena_unmap(arena);
}

static void test_a_name_is_split(void **state) {
    (void) state;
    static const struct {
        const char *name, *case_name;
        size_t length;
    } cases[] = { { "a.yaml", NULL, 6 },
                  { "a.yaml::b", "b", 6 },
                  { "a::b/c.yaml", NULL, 11 },
                  { "x/a.yaml::", "", 8 },
                  { "::/a.yaml::b::c", "b::c", 9 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *case_name;
        assert_int_equal(bj_case_split(cases[i].name, &case_name), cases[i].length);
        assert_true(cases[i].case_name ? !strcmp(case_name, cases[i].case_name) : !case_name);
    }
}

/* --- mistakes --------------------------------------------------------------------------------- */

static void assert_mistakes(const char *name, const char *yaml, const char *expected) {
    bj_arena *arena = arena_for_test();
    bj_mistakes mistakes;
    BJ_TEXT(all, 4000);
    assert_null(bj_load_bytes(arena, BJ_K_SCENARIO, name, yaml, strlen(yaml), &mistakes));
    for (size_t i = 0; i < mistakes.count && i < BJ_MISTAKES; i++) {
        BJ_TEXT(line, 2000);
        bj_mistake_print(&line, &mistakes.items[i]);
        bj_text_printf(&all, i ? "\n%s" : "%s", line.start);
    }
    if (strcmp(all.start, expected) != 0) {
        fail_msg("in\n%s\nexpected\n%s\nfound\n%s", yaml, expected, all.start);
    }
    bj_arena_unmap(arena);
}

static void test_mistakes_in_cases(void **state) {
    (void) state;
    static const struct {
        const char *name, *yaml, *mistakes;
    } cases[] = {
        { "f", "cases: {a: {n: 1}}\ntitle: \"${n}\"\nsteps: [finish: ~]\n",
          "f:1:1: error: this file holds 1 cases: name one, FILE::a" },
        { "f::brot", "cases: {root: {n: 1}}\ntitle: \"${n}\"\nsteps: [finish: ~]\n",
          "f:1:1: error: there is no case 'brot' in this file (did you mean 'root'?)" },
        { "f::a", "title: t\nsteps: [finish: ~]\n", "f:1:1: error: this file has no cases: there is none called 'a'" },
        { "f::a", "title: t\ncases: {a: {n: 1}}\nsteps: [finish: ~]\n",
          "f:2:13: error: the parameter 'n' is used nowhere" },
        { "f::a", "title: \"${acount}\"\ncases: {a: {account: 1}}\nsteps: [finish: ~]\n",
          "f:1:8: error: there is no parameter 'acount' (did you mean 'account'?)" },
        { "f::a", "title: t\ncases: {a: {n: 1}}\nsteps: [write: \"/0/${n}/${m}\"]\n",
          "f:3:16: error: no request was captured as 'm' before this" },
        { "f::a", "title: t\ncases: {a: {n: \"x${m}\", m: \"${n}\"}}\nsteps: [write: \"/0/${n}\"]\n",
          "f:2:28: error: the parameter 'n' stands for itself" },
        { "f::a", "title: t\ncases: {a: {n: [1]}}\nsteps: [write: \"/0/${n}\"]\n",
          "f:3:16: error: 'n' is a list, and cannot stand inside a text" },
        { "f::a", "title: t\ncases: {a: {n: soon}}\nsteps: [silence: \"${n}\"]\n",
          "f:2:16: error: expected a time such as 10s, 10s..15s, wake or due(finish)-1ms, found 'soon'" },
        { "f::a", "title: t\ncases: [a]\nsteps: [finish: ~]\n",
          "f:2:8: error: expected a map from names of cases to their parameters, found a list" },
        { "f::a", "title: t\ncases: {a: 1}\nsteps: [finish: ~]\n",
          "f:2:12: error: expected a map from parameters to values, found '1'" },
        { "f::a", "title: t\ncases: {/0: ~}\nsteps: [finish: ~]\n",
          "f:2:9: error: expected the name of a case (letters, digits, - _ . +), found '/0'" },
        { "f::a", "title: t\ncases: {a: {\"a.b\": 1}}\nsteps: [finish: ~]\n",
          "f:2:13: error: expected the name of a parameter, without any of . { } $ and blanks, found 'a.b'" },
        { "f::a", "title: t\nparameters: [a]\nsteps: [finish: ~]\n",
          "f:2:13: error: expected a map from up to 64 parameters to their values, found a list" },
        { "f::a", "title: t\nparameters: {p: 1}\nsteps: [finish: ~]\n",
          "f:2:17: error: expected a list of values, or a map from names to values, found '1'" },
        { "f::a", "title: t\nparameters: {p: [1]}\nsteps: [finish: ~]\n",
          "f:2:14: error: a parameter with one value makes no case" },
        { "f::a", "title: t\nparameters: {p: [/, /0]}\nsteps: [finish: ~]\n",
          "f:2:18: error: expected a value that can be part of a case's name (letters, digits, - _ . +); others need a "
          "name: `{root: /, account: /0/1}`, found '/'" },
        { "f::a", "title: t\nparameters: {p: [a, a]}\nsteps: [finish: ~]\n",
          "f:2:14: error: two cases are called 'a'" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_mistakes(cases[i].name, cases[i].yaml, cases[i].mistakes);
    }
}

static void test_too_many_cases(void **state) {
    (void) state;
    assert_mistakes("f::a",
                    "title: t\nparameters:\n  a: &v [q, w, e, r, t, z, u, i]\n  b: *v\n  c: *v\n  d: *v\nsteps: []\n",
                    "f:3:3: error: more than 512 cases in one file, or a name that is too long");
    BJ_TEXT(yaml, 20000); /* each parameter twice the one before: 2^40 values */
    bj_text_add(&yaml, "title: t\nsteps: [{write: /0, tlv: {0: 1}, has: \"${p40}\"}]\ncases:\n  a:\n    p0: [x]\n");
    for (int i = 1; i <= 40; i++) {
        bj_text_printf(&yaml, "    p%d: [\"${p%d}\", \"${p%d}\"]\n", i, i - 1, i - 1);
    }
    bj_arena *arena = arena_for_test();
    bj_mistakes mistakes;
    assert_null(bj_load_bytes(arena, BJ_K_SCENARIO, "f::a", yaml.start, yaml.used, &mistakes));
    assert_string_equal(mistakes.items[0].text, "with its parameters the file holds too many values");
    bj_arena_unmap(arena);
}

/* --- include ---------------------------------------------------------------------------------- */

static const char included[] = "description: for a test\nparameters: {n: ~, code: 2.04}\nsequence:\n"
                               "  - write: /1/${n}\n    tlv: {0: \"${n}\"}\n    expect: ${code}\n"
                               "  - finish: {expect: \"${code}\"}\n";

static void test_include(void **state) {
    (void) state;
    BJ_TEXT(name, 200);
    bj_text_printf(&name, "%s/a.yaml::x", folder);
    file_named("inner.yaml", included);
    file_named("outer.yaml", "parameters: {m: 3}\nsequence:\n  - include: inner.yaml\n    with: {n: \"${m}\"}\n");
    assert_same(name.start,
                "title: t\nparameters: {f: [x, y]}\nsteps:\n  - note: ${f}\n  - include: outer.yaml\n"
                "  - include: inner.yaml\n    with: {n: 4, code: [4.00, 4.06]}\n",
                "title: t\nsteps:\n  - note: x\n  - write: /1/3\n    tlv: {0: 3}\n    expect: 2.04\n"
                "  - finish: {expect: 2.04}\n  - write: /1/4\n    tlv: {0: 4}\n    expect: [4.00, 4.06]\n"
                "  - finish: {expect: [4.00, 4.06]}\n");
    file_named("inner.yaml", NULL);
    file_named("outer.yaml", NULL);
}

/* A run knows positions of one file: those of included steps are where they are included. */
static void test_positions_of_included_steps(void **state) {
    (void) state;
    static const char yaml[] = "title: t\nsteps:\n  - note: a\n  - either:\n      b:\n        - include: inner.yaml\n"
                               "          with: {n: 1}\n";
    BJ_TEXT(name, 200);
    bj_text_printf(&name, "%s/a.yaml", folder);
    file_named("inner.yaml", included);
    bj_arena *arena = arena_for_test();
    bj_mistakes mistakes;
    const bj_record *root = bj_load_bytes(arena, BJ_K_SCENARIO, name.start, yaml, strlen(yaml), &mistakes);
    assert_non_null(root);
    const bj_string *branch;
    const bj_value *branches = bj_get(bj_get(root, BJ_F(SCENARIO, STEPS))->as.records.items[1], BJ_F(EITHER, BRANCHES));
    const bj_record *write = bj_value_record(branches, 0, &branch);
    assert_int_equal(write->position.line, 6);
    assert_int_equal(write->position.column, 20);
    assert_int_equal(bj_get(write, BJ_F(WRITE, TLV))->position.line, 6);
    assert_int_equal(branches->position.line, 5);
    bj_arena_unmap(arena);
    file_named("inner.yaml", NULL);
}

static void test_mistakes_in_includes(void **state) {
    (void) state;
    static const struct {
        const char *step, *file, *mistakes; /* F is the folder */
    } cases[] = {
        { "include: i.yaml", NULL, "F/a.yaml:3:14: error: cannot read the file F/i.yaml: No such file or directory" },
        { "include: [i.yaml]", "sequence: []\n",
          "F/a.yaml:3:14: error: expected the path of a file with steps, from the folder of this file, found a list" },
        { "include: i.yaml\n    wiht: {}", "sequence: []\n",
          "F/a.yaml:4:5: error: include has no field 'wiht' (did you mean 'with'?)" },
        { "include: i.yaml", "steps: [finish: ~]\n",
          "F/i.yaml:1:1: error: expected a file for `include`: a map with a list of steps under `sequence`, found a "
          "map" },
        { "include: i.yaml", "sequence: [finish: ~]\ntitle: t\n",
          "F/i.yaml:2:1: error: a file for `include` has no field 'title'" },
        { "include: i.yaml", "sequence:\n  - finish: {exepct: 2.04}\n",
          "F/i.yaml:2:14: error: finish has no field 'exepct' (did you mean 'expect'?)" },
        { "include: i.yaml", "sequence:\n  - respond: 2.04\n",
          "F/i.yaml:2:5: error: respond: no request was awaited before this step" },
        { "include: i.yaml", "sequence: [\n",
          "F/i.yaml:2:1: error: this is not YAML: flow sequence without a closing bracket" },
        { "include: i.yaml", "parameters: {n: ~}\nsequence: [note: \"${n}\"]\n",
          "F/a.yaml:3:5: error: the included file needs `with: {n: ...}`" },
        { "include: i.yaml\n    with: {m: 1}", "parameters: {n: ~}\nsequence: [note: \"${n}\"]\n",
          "F/a.yaml:4:12: error: the included file has no parameter 'm'" },
        { "include: i.yaml\n    with: {n: soon}", "parameters: {n: ~}\nsequence: [silence: \"${n}\"]\n",
          "F/a.yaml:4:15: error: expected a time such as 10s, 10s..15s, wake or due(finish)-1ms, found 'soon'" },
        { "include: i.yaml", "sequence: [include: i.yaml]\n",
          "F/i.yaml:1:21: error: more than 127 includes: does a file include itself?" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        BJ_TEXT(name, 200);
        BJ_TEXT(yaml, 400);
        BJ_TEXT(expected, 600);
        bj_text_printf(&name, "%s/a.yaml", folder);
        bj_text_printf(&yaml, "title: t\nsteps:\n  - %s\n", cases[i].step);
        for (const char *c = cases[i].mistakes; *c; c++) {
            bool here = *c == 'F' && c[1] == '/';
            bj_text_add_bytes(&expected, here ? folder : c, here ? strlen(folder) : 1);
        }
        file_named("i.yaml", cases[i].file);
        assert_mistakes(name.start, yaml.start, expected.start);
    }
    file_named("i.yaml", NULL);
    assert_mistakes("f", "parameters: {n: 1}\nsequence: [finish: ~]\n",
                    "f:1:1: error: this file holds a sequence of steps for `include`, and no scenario");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_of_every_kind),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_a_name_is_split),
        cmocka_unit_test(test_mistakes_in_cases),
        cmocka_unit_test(test_too_many_cases),
        cmocka_unit_test(test_include),
        cmocka_unit_test(test_positions_of_included_steps),
        cmocka_unit_test(test_mistakes_in_includes),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
