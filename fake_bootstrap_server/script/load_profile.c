/* SPDX-License-Identifier: Apache-2.0
 *
 * What no type can say of a client's profile. See load_check.c.
 */
#include <string.h>

#include "script/load_yaml.h"
#include "script/placeholders.h"

enum { LINKED = 1, EXEC = 2 };

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

/* What is written for another way to attach the client is no harmless addition: with `attach: linked` and a command
 * somebody would believe that the command was tested. */
static void check_unused(bj_loading *loading, const bj_record *root, uint32_t attach) {
    static const struct {
        uint8_t field;
        bool linked; /* it is for `attach: linked`, or for the others */
    } fields[] = {
        { BJ_F(PROFILE, LIBRARY), true },      { BJ_F(PROFILE, COMMAND), false },
        { BJ_F(PROFILE, ENVIRONMENT), false }, { BJ_F(PROFILE, READS_INPUT), false },
        { BJ_F(PROFILE, COMMANDS), false },    { BJ_F(PROFILE, READY), false },
        { BJ_F(PROFILE, STOP), false },
    };
    const bj_record_def *def = bj_record_def_of(BJ_K_PROFILE);
    const bj_field_def *how = bj_field_numbered(def, BJ_F(PROFILE, ATTACH));
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const bj_value *value = bj_get(root, fields[i].field);
        if (value && fields[i].linked != (attach == LINKED)) {
            bj_mistake_at(loading, value->position, NULL, "`attach: %s` does not use the field '%s'",
                          bj_enum_name(how->values, attach), bj_field_numbered(def, fields[i].field)->name);
        }
    }
}

void bj_check_profile(bj_loading *loading, const bj_record *root) {
    const bj_value *command = bj_get(root, BJ_F(PROFILE, COMMAND));
    size_t words = command ? command->as.strings.count : 0;
    uint32_t attach = bj_get_uint(root, BJ_F(PROFILE, ATTACH), EXEC);
    if (attach == EXEC && !words) {
        bj_mistake_at(loading, root->position, NULL, "a profile with `attach: exec` needs the field 'command'");
    }
    check_unused(loading, root, attach);
    for (size_t i = 0; i < words; i++) {
        check_word(loading, command, command->as.strings.items[i].bytes);
    }
}
