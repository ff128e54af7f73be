/* SPDX-License-Identifier: Apache-2.0
 *
 * See client.h.
 */
#define _GNU_SOURCE
#include "cli/client.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach/command.h"
#include "attach/linked_bootjack.h"
#include "cli/cli.h"
#include "oracle/rules.h"
#include "script/load.h"
#include "script/placeholders.h"

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* --- profiles that a command line makes ----------------------------------------------------------------------- */

static void set_string(bj_arena *arena, bj_record *record, unsigned field, const char *text) {
    bj_value value = { .type = BJ_T_STRING, .as.string = { text, strlen(text) } };
    bj_set(arena, record, field, &value);
}

static bj_record *new_profile(bj_arena *arena, const char *name, bj_attach attach) {
    bj_record *profile = bj_record_new(arena, BJ_K_PROFILE, (bj_position){ 0 });
    set_string(arena, profile, BJ_F(PROFILE, NAME), name);
    bj_value value = { .type = BJ_T_ENUM, .as.uint = attach };
    bj_set(arena, profile, BJ_F(PROFILE, ATTACH), &value);
    return profile;
}

/* Has the command, given with --client as `argument`, a placeholder that there is not? Says so. */
static bool is_mistyped(const char *argument, const char *command) {
    size_t length;
    const char *at = bj_placeholder_unknown(command, &length);
    const char *meant = at ? bj_nearest(bj_placeholder_names, at + 1, length - 2) : NULL;
    if (at) {
        cli_complain("--client %s: there is no placeholder %.*s%s%s%s", argument, (int) length, at,
                     meant ? " (did you mean {" : "", meant ? meant : "", meant ? "}?)" : "");
    }
    return at != NULL;
}

/* NULL: the command is empty, or has a quote that is not closed. */
static bj_record *command_profile(bj_arena *arena, const char *command, bj_attach attach) {
    size_t count;
    char **words = bj_command_words(arena, command, &count);
    if (!count) {
        return NULL;
    }
    bj_record *profile = new_profile(arena, base_name(words[0]), attach);
    bj_string *items = bj_arena_calloc(arena, count, sizeof *items);
    for (size_t i = 0; i < count; i++) {
        items[i] = (bj_string){ words[i], strlen(words[i]) };
    }
    bj_value value = { .type = BJ_T_STRINGS, .as.strings = { items, count } };
    bj_set(arena, profile, BJ_F(PROFILE, COMMAND), &value);
    return profile;
}

/* --- profiles in files ---------------------------------------------------------------------------------------- */

/* `text` with every {profiledir} in it filled in. */
static bj_string with_folder(bj_arena *arena, const bj_string *text, const char *folder) {
    static const char mark[] = "{profiledir}";
    char room[4096];
    bj_text out = bj_text_over(room, sizeof room);
    const char *at = text->bytes;
    for (const char *found; (found = strstr(at, mark)) != NULL; at = found + strlen(mark)) {
        bj_text_add_bytes(&out, at, (size_t) (found - at));
        bj_text_add(&out, folder);
    }
    bj_text_add(&out, at);
    return (bj_string){ bj_arena_strndup(arena, out.start, out.used), out.used };
}

/* A profile may name files that stand beside it. */
static void fill_folder(bj_arena *arena, bj_record *profile, unsigned field, const char *folder) {
    const bj_value *value = bj_get(profile, field);
    if (!value) {
        return;
    }
    bj_string *items = bj_arena_calloc(arena, value->as.strings.count, sizeof *items);
    for (size_t i = 0; i < value->as.strings.count; i++) {
        items[i] = with_folder(arena, &value->as.strings.items[i], folder);
    }
    bj_value filled = *value;
    filled.as.strings.items = items;
    bj_set(arena, profile, field, &filled);
}

static void fill_folders(bj_arena *arena, bj_record *profile, const char *file) {
    char *whole = realpath(file, NULL);
    char *slash = whole ? strrchr(whole, '/') : NULL;
    if (slash) {
        *slash = '\0';
        fill_folder(arena, profile, BJ_F(PROFILE, COMMAND), whole);
        fill_folder(arena, profile, BJ_F(PROFILE, ENVIRONMENT), whole);
    }
    free(whole);
}

/* Would every deviation that names a rule excuse something? */
static bool names_rules(const bj_record *profile, const char *file) {
    const char *ids[BJ_RULES + 1] = { NULL };
    for (int rule = 0; rule < BJ_RULES; rule++) {
        ids[rule] = bj_rule_id((bj_rule) rule);
    }
    const bj_value *list = bj_get(profile, BJ_F(PROFILE, DEVIATIONS));
    for (size_t i = 0; list && i < list->as.records.count; i++) {
        const bj_record *deviation = list->as.records.items[i];
        const char *named = bj_get_string(deviation, BJ_F(DEVIATION, RULE), ids[0]);
        unsigned rule = 0;
        while (ids[rule] && strcmp(ids[rule], named) != 0) {
            rule++;
        }
        if (!ids[rule]) {
            const char *meant = bj_nearest(ids, named, strlen(named));
            fprintf(stderr, "%s:%u:%u: error: no oracle judges the rule '%s', and nothing is excused by it%s%s%s\n",
                    file, deviation->position.line, deviation->position.column, named, meant ? " (did you mean '" : "",
                    meant ? meant : "", meant ? "'?)" : "");
            return false;
        }
    }
    return true;
}

static bj_record *load_profile(bj_arena *arena, const char *file) {
    bj_record *profile = cli_load(arena, BJ_K_PROFILE, file);
    if (!profile || !names_rules(profile, file)) {
        return NULL;
    }
    fill_folders(arena, profile, file);
    return profile;
}

/* clients/NAME.yaml: of $BOOTJACK_CLIENTS, of the source tree. NULL when there is none. */
static const char *named_file(bj_arena *arena, const char *name) {
    const char *folders[] = { getenv("BOOTJACK_CLIENTS"), BOOTJACK_CLIENTS };
    for (size_t i = 0; i < 2; i++) {
        BJ_TEXT(path, 4096);
        bj_text_printf(&path, "%s/%s.yaml", folders[i] ? folders[i] : "", name);
        if (folders[i] && access(path.start, R_OK) == 0) {
            return bj_arena_strdup(arena, path.start);
        }
    }
    return NULL;
}

/* An ELF file or a script, where a profile was expected? */
static bool is_program(const char *file) {
    char start[4] = "";
    FILE *stream = fopen(file, "re");
    size_t got = stream ? fread(start, 1, sizeof start, stream) : 0;
    if (stream) {
        fclose(stream);
    }
    return (got == 4 && memcmp(start, "\177ELF", 4) == 0) || (got >= 2 && memcmp(start, "#!", 2) == 0);
}

static bj_record *own_profile(bj_arena *arena) {
    const char *file = named_file(arena, "linked");
    bj_mistakes mistakes = { 0 };
    return file ? load_profile(arena, file)
                : bj_load_bytes(arena, BJ_K_PROFILE, "built-in", bj_linked_profile, strlen(bj_linked_profile),
                                &mistakes);
}

/* NULL, and *told: why was said. */
static bj_record *read_profile(bj_arena *arena, const char *argument, bool *told) {
    size_t length = strlen(argument);
    bool is_file = strchr(argument, '/') || (length > 5 && strcmp(argument + length - 5, ".yaml") == 0);
    const char *file = is_file ? argument : named_file(arena, argument);
    if (file && is_program(file)) {
        cli_complain("--client %s: this is a program, and no profile: it is given as 'exec:%s {bs_uri} {endpoint}', "
                     "with its options and what it must be told",
                     argument, argument);
        *told = true;
        return NULL;
    }
    *told = file && access(file, R_OK) == 0;
    return file ? load_profile(arena, file) : NULL;
}

static bj_record *find_profile(bj_arena *arena, const char *argument, bool *told) {
    const char *colon = strchr(argument, ':');
    size_t kind = colon ? (size_t) (colon - argument) : 0;
    const char *rest = colon ? colon + 1 : "";
    if (strcmp(argument, "linked") == 0) {
        return own_profile(arena);
    }
    if (kind == 6 && strncmp(argument, "linked", kind) == 0 && *rest) {
        bj_record *profile = new_profile(arena, base_name(rest), BJ_ATTACH_LINKED);
        char *whole = realpath(rest, NULL);
        set_string(arena, profile, BJ_F(PROFILE, LIBRARY), bj_arena_strdup(arena, whole ? whole : rest));
        free(whole);
        return profile;
    }
    if (kind == 4 && strncmp(argument, "exec", kind) == 0) {
        return command_profile(arena, rest, BJ_ATTACH_EXEC);
    }
    if (kind == 7 && strncmp(argument, "network", kind) == 0) {
        return command_profile(arena, rest, BJ_ATTACH_NETWORK);
    }
    return read_profile(arena, argument, told);
}

/* The command in exec:COMMAND and network:COMMAND, or NULL. */
static const char *command_of(const char *argument) {
    bool command = strncmp(argument, "exec:", 5) == 0 || strncmp(argument, "network:", 8) == 0;
    return command ? strchr(argument, ':') + 1 : NULL;
}

bool cli_client_find(bj_arena *arena, const char *argument, cli_client *client) {
    *client = (cli_client){ .argument = argument ? argument : "linked" };
    const char *command = command_of(client->argument);
    size_t count;
    if (command && is_mistyped(client->argument, command)) {
        return false;
    }
    bool told = false;
    client->profile = find_profile(arena, client->argument, &told);
    if (!client->profile && told) {
        return false;
    }
    if (!client->profile && command && !bj_command_words(arena, command, &count)) {
        cli_complain("--client %s: a quote is not closed", client->argument);
        return false;
    }
    if (!client->profile) {
        cli_complain("--client %s: no such client; expected linked, linked:LIBRARY.so, exec:COMMAND, network:COMMAND, "
                     "a profile's file, or the name of one in %s",
                     client->argument, BOOTJACK_CLIENTS);
        return false;
    }
    client->attach = (bj_attach) bj_get_uint(client->profile, BJ_F(PROFILE, ATTACH), BJ_ATTACH_EXEC);
    client->own = client->attach == BJ_ATTACH_LINKED && !bj_get(client->profile, BJ_F(PROFILE, LIBRARY));
    return true;
}

/* --- deviations ----------------------------------------------------------------------------------------------- */

static bool matches(const char *pattern, const char *file, const char *title) {
    return fnmatch(pattern, title, 0) == 0 || fnmatch(pattern, file, 0) == 0 ||
           fnmatch(pattern, base_name(file), 0) == 0;
}

const bj_record *cli_client_deviation(const cli_client *client, const char *file, const char *title) {
    const bj_value *list = bj_get(client->profile, BJ_F(PROFILE, DEVIATIONS));
    for (size_t i = 0; list && i < list->as.records.count; i++) {
        const bj_record *deviation = list->as.records.items[i];
        bool of_rule = bj_get(deviation, BJ_F(DEVIATION, RULE)) != NULL; /* attach/outcome.c looks at those */
        if (!of_rule && matches(bj_get_string(deviation, BJ_F(DEVIATION, SCENARIO), ""), file, title)) {
            return deviation;
        }
    }
    return NULL;
}
