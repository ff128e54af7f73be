/* SPDX-License-Identifier: Apache-2.0
 *
 * main() of a fuzz target in builds without a fuzzing engine: runs the files that are named, and all files of folders
 * that are named. A folder that is not there holds none.
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

static unsigned replayed;

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
        LLVMFuzzerTestOneInput(bytes, size);
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
    return good ? 0 : 1;
}
