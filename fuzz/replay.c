/* SPDX-License-Identifier: Apache-2.0
 *
 * main() of a fuzz target in builds without a fuzzing engine: runs the files that are named, and all files of folders
 * that are named. A folder that is not there holds none; that nothing was run at all is a failure.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"
#include "script/bytes.h"
#include "script/load.h"

static unsigned replayed;

static bool is_text(const char *name) {
    size_t length = strlen(name);
    return &fuzz_takes_programs && length > 5 && strcmp(name + length - 5, ".yaml") == 0;
}

/* A program that is printed: the input is its byte form. */
static bool run_text(const char *name, const uint8_t *text, size_t size) {
    bj_arena *arena = bj_arena_map((size_t) 64 << 20);
    bj_mistakes mistakes = { 0 };
    const bj_record *program =
        arena ? bj_load_unchecked(arena, BJ_K_SCENARIO, name, (const char *) text, size, &mistakes) : NULL;
    if (program) {
        bj_string bytes = bj_program_encode(arena, program);
        LLVMFuzzerTestOneInput((const uint8_t *) bytes.bytes, bytes.length);
    } else if (mistakes.count) {
        BJ_TEXT(line, 2048);
        bj_mistake_print(&line, &mistakes.items[0]);
        fprintf(stderr, "%s\n", line.start);
    }
    bj_arena_unmap(arena);
    return program != NULL;
}

static bool run_file(const char *name) {
    FILE *file = fopen(name, "rbe");
    struct stat status;
    if (!file || fstat(fileno(file), &status) != 0) {
        perror(name);
        return false;
    }
    size_t size = (size_t) status.st_size;
    uint8_t *bytes = malloc(size ? size : 1); /* of the exact size, so that a sanitizer sees what reads behind it */
    bool whole = bytes && fread(bytes, 1, size, file) == size;
    fclose(file);
    if (whole) {
        fprintf(stderr, "%s\n", name);
        whole = !is_text(name) || run_text(name, bytes, size);
        if (whole && !is_text(name)) {
            LLVMFuzzerTestOneInput(bytes, size);
        }
        replayed++;
    }
    free(bytes);
    return whole;
}

static bool run_folder(const char *name, DIR *folder) {
    bool good = true;
    for (struct dirent *entry; good && (entry = readdir(folder));) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", name, entry->d_name);
        good = entry->d_name[0] == '.' || run_file(path);
    }
    return good;
}

int main(int argc, char **argv) {
    bool good = true;
    for (int i = 1; good && i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        if (folder) {
            good = run_folder(argv[i], folder);
            closedir(folder);
        } else if (errno == ENOTDIR) {
            good = run_file(argv[i]);
        } else if (errno != ENOENT) {
            perror(argv[i]);
            good = false;
        }
    }
    printf("%u inputs replayed\n", replayed);
    return good && replayed ? 0 : 1;
}
