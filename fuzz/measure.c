/* SPDX-License-Identifier: Apache-2.0
 *
 * How fast a fuzz target is by itself. With FUZZ_MEASURE=N in the environment a program with a fuzzing engine runs each
 * of the files that it is given N times, prints the processor time that this took, and ends before its engine begins:
 * that would read the file anew for each run, which takes a tenth of the time of a session.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

/* Called by engines before anything else. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

static double processor_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

/* The bytes of a file, of the exact size; the process ends where it cannot be read. */
static uint8_t *contents(const char *name, size_t *size) {
    FILE *file = fopen(name, "rbe");
    long end = file && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    uint8_t *bytes = end < 0 ? NULL : malloc(end ? (size_t) end : 1);
    *size = end < 0 ? 0 : (size_t) end;
    if (bytes) {
        rewind(file);
    }
    if (!bytes || fread(bytes, 1, *size, file) != *size) {
        perror(name);
        exit(1);
    }
    fclose(file);
    return bytes;
}

/* The first run is not counted: it makes what later ones find made. */
static void measure(const char *name, unsigned long times) {
    size_t size;
    uint8_t *bytes = contents(name, &size);
    LLVMFuzzerTestOneInput(bytes, size);
    double begin = processor_seconds();
    for (unsigned long i = 0; i < times; i++) {
        LLVMFuzzerTestOneInput(bytes, size);
    }
    fprintf(stderr, "%lu times in %.6f s: %s\n", times, processor_seconds() - begin, name);
    free(bytes);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    const char *wanted = getenv("FUZZ_MEASURE");
    if (!wanted) {
        return 0;
    }
    unsigned long times = strtoul(wanted, NULL, 10);
    if (!times) {
        fprintf(stderr, "FUZZ_MEASURE is how many times each file is to be run, and not '%s'\n", wanted);
        exit(2);
    }
    for (int i = 1; i < *argc; i++) {
        if ((*argv)[i][0] != '-') {
            measure((*argv)[i], times);
        }
    }
    _exit(0); /* with nothing of what a target prints at its end */
}
