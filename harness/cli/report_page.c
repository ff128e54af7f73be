/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands that are Python, `bootjack report` (harness/report) and `bootjack bench-server` (harness/servers): it lies
 * in the tree that this program was built from, or beside it where it was put.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"

enum { MOST_ARGUMENTS = 64, LEVELS = 6 };

/* Debian's own Python: the packages that ci/setup installs are seen by it. */
static const char python[] = "/usr/bin/python3";

/* The folder above this program that holds harness/report; false: none does. */
static bool find_tree(char *folder, size_t size) {
    ssize_t length = readlink("/proc/self/exe", folder, size - 1);
    folder[length > 0 ? length : 0] = '\0';
    char *own = strrchr(folder, '/');
    if (own) {
        *own = '\0';
        setenv("BOOTJACK_BIN", folder, 1);
        *own = '/';
    }
    for (int i = 0; i < LEVELS && strrchr(folder, '/'); i++) {
        char page[PATH_MAX + 64];
        *strrchr(folder, '/') = '\0';
        snprintf(page, sizeof page, "%s/harness/report/__main__.py", folder);
        if (access(page, R_OK) == 0) {
            return true;
        }
    }
    return false;
}

static void become_python(const char *tree, const char *module, int argc, const char *const *argv) {
    const char *words[MOST_ARGUMENTS + 4] = { python, "-m", module };
    for (int i = 1; i < argc; i++) {
        words[i + 2] = argv[i];
    }
    setenv("PYTHONPATH", tree, 1);
    setenv("PYTHONDONTWRITEBYTECODE", "1", 1);
    setenv("BOOTJACK_REPORT_NAME", "bootjack report", 1);
    execv(python, (char *const *) (uintptr_t) words);
    fprintf(stderr, "bootjack: %s: %s\n", python, strerror(errno));
    _exit(CLI_COULD_NOT_RUN);
}

static int run_python(const char *name, const char *module, int argc, const char *const *argv) {
    char tree[PATH_MAX];
    int status;
    if (argc > MOST_ARGUMENTS) {
        return cli_usage_error(name, "more than %d arguments", (int) MOST_ARGUMENTS);
    }
    if (!find_tree(tree, sizeof tree)) {
        cli_complain("%s: harness/report is not to be found above this program", name);
        return CLI_COULD_NOT_RUN;
    }
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        become_python(tree, module, argc, argv);
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (child < 0) {
        cli_complain("%s: %s", name, strerror(errno));
        return CLI_COULD_NOT_RUN;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : CLI_COULD_NOT_RUN;
}

int cli_report_page(int argc, const char *const *argv) {
    return run_python("report", "harness.report", argc, argv);
}

int cli_bench_server(int argc, char **argv) {
    return run_python("bench-server", "harness.servers", argc, (const char *const *) argv);
}
