/* SPDX-License-Identifier: Apache-2.0
 *
 * What no type can say of a client's profile. See load_check.c.
 */
#include <string.h>

#include "script/load_yaml.h"
#include "script/placeholders.h"

enum { EXEC = 2 };

/* {profiledir} is for files, and filled in before anybody reads the command. */
static bool is_folder(const char *at) {
    static const char mark[] = "{profiledir}";
    return strncmp(at, mark, strlen(mark)) == 0;
}

static void check_word(bj_loading *loading, const bj_value *command, const char *word) {
    size_t length;
    for (const char *at = word; (at = bj_placeholder_unknown(at, &length)) != NULL; at += length) {
        if (!is_folder(at)) {
            bj_mistake_at(loading, command->position, bj_nearest(bj_placeholder_names, at + 1, length - 2),
                          "there is no placeholder %.*s", (int) length, at);
        }
    }
}

void bj_check_profile(bj_loading *loading, const bj_record *root) {
    const bj_value *command = bj_get(root, BJ_F(PROFILE, COMMAND));
    size_t words = command ? command->as.strings.count : 0;
    if (bj_get_uint(root, BJ_F(PROFILE, ATTACH), EXEC) == EXEC && !words) {
        bj_mistake_at(loading, root->position, NULL, "a profile with `attach: exec` needs the field 'command'");
    }
    for (size_t i = 0; i < words; i++) {
        check_word(loading, command, command->as.strings.items[i].bytes);
    }
}
