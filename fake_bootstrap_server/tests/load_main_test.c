/* SPDX-License-Identifier: Apache-2.0
 *
 * `bootjack check` and `bootjack program` as their users see them: what is printed where, and the exit status.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "programs.h"

enum { ROOM = 1 << 18 };

typedef struct fixture {
    char folder[64];
    char out[ROOM];
    char err[ROOM];
} fixture;

static fixture f;

static const char *path_of(const char *name) {
    static char path[4][160];
    static unsigned next;
    next = (next + 1) % 4;
    snprintf(path[next], sizeof path[next], "%s/%s", f.folder, name);
    return path[next];
}

static void put(const char *name, const void *bytes, size_t length) {
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static size_t get(const char *name, char out[ROOM]) {
    FILE *file = fopen(path_of(name), "r");
    assert_non_null(file);
    size_t length = fread(out, 1, ROOM - 1, file);
    out[length] = '\0';
    fclose(file);
    return length;
}

static int divert(int descriptor, const char *name) {
    int kept = dup(descriptor);
    int file = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(kept >= 0 && file >= 0 && dup2(file, descriptor) >= 0);
    close(file);
    return kept;
}

/* Runs a command on up to four arguments; its output is in f.out and f.err. */
static int run(int command(int, char **), const char *a, const char *b, const char *c, const char *d) {
    char words[5][160];
    char *argv[6] = { 0 };
    const char *given[] = { "command", a, b, c, d };
    int argc = 0;
    for (; argc < 5 && given[argc]; argc++) {
        snprintf(words[argc], sizeof words[argc], "%s", given[argc]);
        argv[argc] = words[argc];
    }
    fflush(stdout);
    int out = divert(1, "out");
    int err = divert(2, "err");
    int status = command(argc, argv);
    fflush(stdout);
    fflush(stderr);
    dup2(out, 1);
    dup2(err, 2);
    close(out);
    close(err);
    get("out", f.out);
    get("err", f.err);
    return status;
}

static int set_up(void **state) {
    (void) state;
    snprintf(f.folder, sizeof f.folder, "/tmp/bj-load-main-XXXXXX");
    assert_non_null(mkdtemp(f.folder));
    put("good.yaml", sample, strlen(sample));
    put("bad.yaml", "title: t\nsteps:\n  - wirte: /\n", 29);
    put("profile.yaml", "name: n\ncommand: [a]\n", 21);
    put("other.yaml", "rules: []\n", 10);
    return 0;
}

static int tear_down(void **state) {
    (void) state;
    static const char *const names[] = { "good.yaml", "bad.yaml", "profile.yaml", "other.yaml", "out",
                                         "err",       "program",  "again.yaml",   "random" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        unlink(path_of(names[i]));
    }
    return rmdir(f.folder);
}

static void test_check(void **state) {
    (void) state;
    BJ_TEXT(expected, 400);
    assert_int_equal(run(bj_check_main, path_of("good.yaml"), path_of("profile.yaml"), NULL, NULL), 0);
    bj_text_printf(&expected, "%s: ok\n%s: ok\n", path_of("good.yaml"), path_of("profile.yaml"));
    assert_string_equal(f.out, expected.start);
    assert_string_equal(f.err, "");
    assert_int_equal(run(bj_check_main, path_of("good.yaml"), path_of("bad.yaml"), path_of("none.yaml"), NULL), 2);
    expected = bj_text_over(expected_room, sizeof expected_room);
    bj_text_printf(&expected,
                   "%s:3:5: error: no verb in this step: 'wirte' is none (did you mean 'write'?)\n"
                   "%s: error: cannot read the file: No such file or directory\n",
                   path_of("bad.yaml"), path_of("none.yaml"));
    assert_string_equal(f.err, expected.start);
}

/* Of a folder what has steps: neither profiles nor other files. */
static void test_check_folder(void **state) {
    (void) state;
    assert_int_equal(run(bj_check_main, f.folder, NULL, NULL, NULL), 2);
    assert_non_null(strstr(f.out, "good.yaml: ok\n"));
    assert_non_null(strstr(f.err, "bad.yaml:3:5: error: "));
    assert_null(strstr(f.out, "profile.yaml"));
    assert_null(strstr(f.err, "other.yaml"));
}

static void test_check_verbose(void **state) {
    (void) state;
    assert_int_equal(run(bj_check_main, "-v", path_of("good.yaml"), NULL, NULL), 0);
    assert_non_null(strstr(f.out, "     7  request bs method POST path /bs query {ep: dev-1} from client"
                                  "    # by due(holdoff)+1s\n     8  respond 2.04\n"));
    assert_non_null(strstr(f.out, "          refused afterwards:\n    18      finish expect 2.04"));
    assert_non_null(strstr(f.out, "    19      request bs method POST path /bs at due(holdoff) from client\n"));
}

static void test_usage(void **state) {
    (void) state;
    assert_int_equal(run(bj_check_main, NULL, NULL, NULL, NULL), 64);
    assert_string_equal(f.err, "bootjack check: no file given\nTry 'bootjack check --help'.\n");
    assert_int_equal(run(bj_check_main, "--nonsense", NULL, NULL, NULL), 64);
    assert_int_equal(run(bj_program_main, NULL, NULL, NULL, NULL), 64);
    assert_int_equal(run(bj_program_main, "a", "b", NULL, NULL), 64);
    assert_int_equal(run(bj_program_main, "a", "-o", NULL, NULL), 64);
    assert_int_equal(run(bj_program_main, "-x", NULL, NULL, NULL), 64);
    assert_int_equal(run(bj_program_main, "--print", "--compile", "a", NULL), 64);
    assert_non_null(strstr(f.err, "--print and --compile exclude each other"));
    assert_int_equal(run(bj_program_main, "--compile", "--schema", NULL, NULL), 64);
    assert_non_null(strstr(f.err, "--compile and --schema exclude each other"));
    assert_int_equal(run(bj_program_main, "--schema", "a", NULL, NULL), 64);
    assert_non_null(strstr(f.err, "--schema takes no file"));
    assert_string_equal(f.out, "");
    assert_int_equal(run(bj_check_main, "--help", NULL, NULL, NULL), 0);
    assert_memory_equal(f.out, "usage: bootjack check", 21);
    assert_int_equal(run(bj_program_main, "--help", NULL, NULL, NULL), 0);
    assert_memory_equal(f.out, "usage: bootjack program", 23);
}

/* YAML to bytes to YAML: what came out goes in again and gives the same. */
static void test_there_and_back(void **state) {
    (void) state;
    static char first[ROOM];
    assert_int_equal(run(bj_program_main, path_of("good.yaml"), "--print", NULL, NULL), 0);
    snprintf(first, sizeof first, "%s", f.out);
    assert_int_equal(run(bj_program_main, path_of("good.yaml"), "--compile", "-o", path_of("program")), 0);
    assert_string_equal(f.out, "");
    assert_int_equal(run(bj_program_main, path_of("program"), NULL, NULL, NULL), 0);
    assert_string_equal(f.out, first);
    put("again.yaml", first, strlen(first));
    assert_int_equal(run(bj_program_main, path_of("again.yaml"), NULL, NULL, NULL), 0);
    assert_string_equal(f.out, first);
}

static void test_random_file(void **state) {
    (void) state;
    static char printed[ROOM];
    put("random", "\x01\x09\x03\x23\x01\x01\x02\xff\xfe\x2e\x00\x30\x07", 13);
    assert_int_equal(run(bj_program_main, path_of("random"), NULL, NULL, NULL), 0);
    snprintf(printed, sizeof printed, "%s", f.out);
    put("again.yaml", printed, strlen(printed));
    assert_int_equal(run(bj_program_main, path_of("again.yaml"), NULL, NULL, NULL), 2);
    assert_int_equal(run(bj_program_main, "--unchecked", path_of("again.yaml"), NULL, NULL), 0);
    assert_string_equal(f.out, printed);
}

static void test_program_mistakes(void **state) {
    (void) state;
    assert_int_equal(run(bj_program_main, path_of("bad.yaml"), "--compile", "-o", path_of("of-a-mistake")), 2);
    assert_non_null(strstr(f.err, "bad.yaml:3:5: error: "));
    assert_int_equal(access(path_of("of-a-mistake"), F_OK), -1);
    assert_int_equal(run(bj_program_main, path_of("none"), NULL, NULL, NULL), 2);
    assert_non_null(strstr(f.err, "none: error: cannot read the file: No such file or directory\n"));
    assert_int_equal(run(bj_program_main, path_of("good.yaml"), "-o", "/nonexistent/file", NULL), 2);
    assert_string_equal(f.err, "/nonexistent/file: error: cannot write the file: No such file or directory\n");
}

/* Brackets match outside of strings: enough to see that the writer lost none. */
static void assert_json_nests(const char *json) {
    char open[64];
    size_t depth = 0;
    bool text = false;
    for (const char *c = json; *c; c++) {
        if (*c == '"') {
            text = !text;
        } else if (text) {
            c += *c == '\\';
        } else if (*c == '{' || *c == '[') {
            assert_true(depth < sizeof open);
            open[depth++] = *c;
        } else if (*c == '}' || *c == ']') {
            assert_true(depth > 0 && open[--depth] == (*c == '}' ? '{' : '['));
        }
    }
    assert_true(!text && !depth);
}

/* Schema and reference name every record and every field. */
static void test_generated(void **state) {
    (void) state;
    static char reference[ROOM];
    assert_int_equal(run(bj_program_main, "--reference", NULL, NULL, NULL), 0);
    snprintf(reference, sizeof reference, "%s", f.out);
    assert_int_equal(run(bj_program_main, "--schema", NULL, NULL, NULL), 0);
    assert_json_nests(f.out);
    for (size_t i = 0; i < bj_record_def_count(); i++) {
        const bj_record_def *def = bj_record_def_at(i);
        BJ_TEXT(name, 100);
        bj_text_printf(&name, "\"%s\": {", def->name);
        assert_non_null(strstr(f.out, name.start));
        name = bj_text_over(name_room, sizeof name_room);
        bj_text_printf(&name, "\n### %s\n", def->name);
        assert_non_null(strstr(reference, name.start));
        for (size_t j = 0; j < def->field_count; j++) {
            name = bj_text_over(name_room, sizeof name_room);
            bj_text_printf(&name, "\"%s\": {", def->fields[j].name);
            assert_non_null(strstr(f.out, name.start));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_check_folder),
        cmocka_unit_test(test_check_verbose),
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_random_file),
        cmocka_unit_test(test_program_mistakes),
        cmocka_unit_test(test_generated),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
