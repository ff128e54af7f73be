/* SPDX-License-Identifier: Apache-2.0
 *
 * See input.h.
 */
#define _GNU_SOURCE
#include "tool/input.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "script/bytes.h"
#include "script/load.h"
#include "session_inputs.h"
#include "tool/tool.h"

enum { LONGEST = 1 << 20 };

static void *checked(void *memory) {
    if (!memory) {
        perror("bootjack-fuzz");
        exit(TOOL_COULD_NOT_RUN);
    }
    return memory;
}

static void add(input_list *list, const char *name) {
    if (list->count == list->room) {
        list->room = list->room ? list->room * 2 : 64;
        list->names = checked(realloc(list->names, list->room * sizeof *list->names));
    }
    list->names[list->count++] = checked(strdup(name));
}

/* Byte by byte: the same order on every machine. */
static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void add_entry(input_list *list, const char *folder, const char *name) {
    char path[4096];
    struct stat about;
    int wanted = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (*name != '.' && wanted > 0 && wanted < (int) sizeof path && stat(path, &about) == 0 && S_ISREG(about.st_mode)) {
        add(list, path);
    }
}

bool inputs_add(input_list *list, const char *path) {
    struct dirent **entries;
    struct stat about;
    int count = -1;
    if (stat(path, &about) == 0 && !S_ISDIR(about.st_mode)) {
        add(list, path);
        return true;
    }
    count = scandir(path, &entries, NULL, by_name);
    if (count < 0) {
        tool_complain("%s: %s", path, strerror(errno));
        return false;
    }
    for (int i = 0; i < count; i++) {
        add_entry(list, path, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return true;
}

void inputs_free(input_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        free(list->names[i]);
    }
    free(list->names);
    *list = (input_list){ 0 };
}

bool inputs_add_all(input_list *list, char *const *paths, int count) {
    for (int i = 0; i < count; i++) {
        if (!inputs_add(list, paths[i])) {
            inputs_free(list);
            return false;
        }
    }
    return true;
}

static bool read_file(bj_arena *arena, const char *name, bj_string *out) {
    FILE *file = fopen(name, "re");
    if (!file) {
        tool_complain("%s: %s", name, strerror(errno));
        return false;
    }
    char *bytes = bj_arena_alloc(arena, LONGEST + 1);
    size_t length = fread(bytes, 1, LONGEST + 1, file);
    bool fine = !ferror(file) && length <= LONGEST;
    fclose(file);
    *out = (bj_string){ bytes, length };
    if (!fine) {
        tool_complain("%s: %s", name, length > LONGEST ? "too long for an input" : strerror(errno));
    }
    return fine;
}

static const bj_record *load_text(bj_arena *arena, const char *name, bj_string text) {
    bj_mistakes mistakes = { 0 };
    const bj_record *program = bj_load_unchecked(arena, BJ_K_SCENARIO, name, text.bytes, text.length, &mistakes);
    tool_print_mistakes(&mistakes);
    return program;
}

const bj_record *input_load(bj_arena *arena, const char *name) {
    bj_string bytes;
    size_t length = strlen(name);
    const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
    if (!read_file(arena, name, &bytes)) {
        return NULL;
    }
    if (length > 5 && strcmp(name + length - 5, ".yaml") == 0) {
        return load_text(arena, name, bytes);
    }
    if (strncmp(base, "datagrams-", 10) == 0) {
        return session_of_datagrams(arena, (const uint8_t *) bytes.bytes, bytes.length);
    }
    const bj_record *program = bj_program_decode(arena, BJ_K_SCENARIO, bytes.bytes, bytes.length, NULL, 0);
    return strncmp(base, "secure_session-", 15) == 0 ? session_secured(arena, program) : program;
}
