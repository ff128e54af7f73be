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

#include "cli/cli.h"

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

/* A document with a key `steps` at its top: rules.yaml and profiles have none. */
static bool has_steps(const char *name) {
    FILE *file = fopen(name, "re");
    if (!file) {
        return true; /* running it will say what is wrong */
    }
    char *line = NULL;
    size_t room = 0;
    bool found = false;
    while (!found && getline(&line, &room, file) >= 0) {
        found = strncmp(line, "steps", 5) == 0 && line[5 + strspn(line + 5, " ")] == ':';
    }
    free(line);
    fclose(file);
    return found;
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
    if (is_yaml(name) && has_steps(path)) {
        add(files, path);
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

bool cli_files_add(cli_files *files, const char *path) {
    struct stat about;
    if (stat(path, &about) != 0) {
        cli_complain("%s: %s", path, strerror(errno));
        return false;
    }
    if (!S_ISDIR(about.st_mode)) {
        add(files, path);
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
