/* SPDX-License-Identifier: Apache-2.0
 *
 * An oracle that says of which kinds of events it wants to hear names every kind that its event() looks at: what it
 * forgets it would never judge, and nothing else would show that. The sources are read.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *contents(const char *name) {
    static char text[1 << 17];
    FILE *file = fopen(name, "re");
    assert_non_null(file);
    size_t length = fread(text, 1, sizeof text - 1, file);
    assert_true(length < sizeof text - 1);
    text[length] = '\0';
    fclose(file);
    return text;
}

static void check(const char *name, const char *source) {
    const char *begin = strstr(source, "static void event("), *end = begin ? strstr(begin, "\n}\n") : NULL;
    assert_non_null(end);
    for (const char *at = begin; (at = strstr(at, "BJ_EV_")) && at < end;) {
        char wanted[80];
        int length = 0;
        at += strlen("BJ_EV_");
        while (isupper((unsigned char) at[length]) || at[length] == '_' || isdigit((unsigned char) at[length])) {
            length++;
        }
        snprintf(wanted, sizeof wanted, "ORACLE_HEARS(%.*s)", length, at);
        if (!strstr(source, wanted)) {
            fail_msg("%s: event() looks at BJ_EV_%.*s, and the oracle does not hear of it", name, length, at);
        }
    }
}

static void every_kind_that_is_looked_at_is_heard_of(void **state) {
    (void) state;
    glob_t sources;
    unsigned checked = 0;
    assert_int_equal(glob(BJ_ORACLE_SOURCES "/*.c", 0, NULL, &sources), 0);
    for (size_t i = 0; i < sources.gl_pathc; i++) {
        const char *source = contents(sources.gl_pathv[i]);
        if (strstr(source, ".hears =")) {
            check(sources.gl_pathv[i], source);
            checked++;
        }
    }
    globfree(&sources);
    assert_true(checked > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_kind_that_is_looked_at_is_heard_of) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
