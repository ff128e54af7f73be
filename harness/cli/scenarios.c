/* SPDX-License-Identifier: Apache-2.0
 *
 * See scenarios.h.
 */
#define _GNU_SOURCE
#include "cli/scenarios.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "script/load.h"

static void *checked(void *memory) {
    if (!memory) {
        perror("bootjack");
        exit(CLI_COULD_NOT_RUN);
    }
    return memory;
}

static void add(cli_files *files, const char *name) {
    if (files->count == files->room) {
        files->room = files->room ? files->room * 2 : 64;
        files->names = checked(realloc(files->names, files->room * sizeof *files->names));
    }
    files->names[files->count++] = checked(strdup(name));
}

enum { STEPS = 1, CASES = 2 };

static bool is_key(const char *line, const char *key) {
    size_t length = strlen(key);
    return strncmp(line, key, length) == 0 && line[length + strspn(line + length, " ")] == ':';
}

/* Which keys stand at the top of a document: rules.yaml and profiles have no `steps`. */
static unsigned keys_of(const char *name) {
    struct stat about;
    bool whole = stat(name, &about) == 0 && S_ISREG(about.st_mode); /* what a pipe gives it gives once */
    FILE *file = whole ? fopen(name, "re") : NULL;
    if (!file) {
        return STEPS; /* running it will say what is wrong */
    }
    char *line = NULL;
    size_t room = 0;
    unsigned keys = 0;
    while (getline(&line, &room, file) >= 0) {
        keys |= is_key(line, "steps") ? STEPS : is_key(line, "cases") || is_key(line, "parameters") ? CASES : 0;
    }
    free(line);
    fclose(file);
    return keys;
}

/* The file, or its cases when it has some. What is wrong with it is said when it is run. */
static void add_file(cli_files *files, const char *file) {
    if (!(keys_of(file) & CASES)) {
        add(files, file);
        return;
    }
    bj_mistakes mistakes;
    const char **names = NULL;
    size_t count = 0;
    bj_arena *arena = cli_arena();
    if (!bj_load_cases(arena, file, &names, &count, &mistakes) || !count) {
        add(files, file);
    }
    for (size_t i = 0; i < count; i++) {
        BJ_TEXT(name, 4096);
        bj_text_printf(&name, "%s::%s", file, names[i]);
        add(files, name.start);
    }
    bj_arena_unmap(arena);
}

static bool is_yaml(const char *name) {
    size_t length = strlen(name);
    return length > 5 && strcmp(name + length - 5, ".yaml") == 0;
}

static bool add_folder(cli_files *files, const char *folder);

static bool add_entry(cli_files *files, const char *folder, const char *name) {
    size_t length = strlen(folder);
    char path[4096];
    int wanted = snprintf(path, sizeof path, "%s%s%s", folder, length && folder[length - 1] == '/' ? "" : "/", name);
    struct stat about;
    if (*name == '.' || wanted < 0 || wanted >= (int) sizeof path || stat(path, &about) != 0) {
        return true;
    }
    if (S_ISDIR(about.st_mode)) {
        return strcmp(name, "canary") == 0 || add_folder(files, path);
    }
    if (is_yaml(name) && keys_of(path) & STEPS) {
        add_file(files, path);
    }
    return true;
}

/* Files and folders of one folder in the order of their names, byte by byte: the same on every machine. */
static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool add_folder(cli_files *files, const char *folder) {
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, by_name);
    if (count < 0) {
        cli_complain("%s: %s", folder, strerror(errno));
        return false;
    }
    bool good = true;
    for (int i = 0; i < count; i++) {
        good = good && add_entry(files, folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return good;
}

/* FILE::CASE of a file that is there. */
static bool is_case(const char *path) {
    const char *case_name;
    char *file = checked(strndup(path, bj_case_split(path, &case_name)));
    bool found = case_name && access(file, F_OK) == 0;
    free(file);
    return found;
}

bool cli_files_add(cli_files *files, const char *path) {
    struct stat about;
    if (is_case(path)) {
        add(files, path);
        return true;
    }
    if (stat(path, &about) != 0) {
        cli_complain("%s: %s", path, strerror(errno));
        return false;
    }
    if (!S_ISDIR(about.st_mode)) {
        add_file(files, path);
        return true;
    }
    size_t before = files->count;
    if (!add_folder(files, path)) {
        return false;
    }
    if (files->count == before) {
        cli_complain("%s: there is no scenario in this folder", path);
        return false;
    }
    return true;
}

void cli_files_free(cli_files *files) {
    for (size_t i = 0; i < files->count; i++) {
        free(files->names[i]);
    }
    free(files->names);
    *files = (cli_files){ 0 };
}
