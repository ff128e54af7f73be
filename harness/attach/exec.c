/* SPDX-License-Identifier: Apache-2.0
 *
 * exec: an unmodified program is started with the preload library in it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

#include "attach/child.h"
#include "attach/job.h"
#include "attach/program_file.h"

static size_t count(char *const *list) {
    size_t n = 0;
    while (list && list[n]) {
        n++;
    }
    return n;
}

static bool same_name(const char *a, const char *b) {
    size_t length = strcspn(b, "=");
    return strncmp(a, b, length) == 0 && a[length] == '=';
}

/* Adds NAME=VALUE, in place of an entry of that name if there is one. */
static void put(char **list, size_t *n, char *entry) {
    for (size_t i = 0; i < *n; i++) {
        if (same_name(list[i], entry)) {
            list[i] = entry;
            return;
        }
    }
    list[(*n)++] = entry;
    list[*n] = NULL;
}

static char *preload_entry(bj_job *job) {
    char text[8192];
    const char *others = NULL;
    for (size_t i = 0; environ[i]; i++) {
        others = same_name(environ[i], "LD_PRELOAD=") ? environ[i] + strlen("LD_PRELOAD=") : others;
    }
    bool more = others && *others;
    snprintf(text, sizeof text, "LD_PRELOAD=%s%s%s", job->options.preload, more ? ":" : "", more ? others : "");
    return bj_arena_strdup(job->arena, text);
}

char **bj_exec_environment(bj_arena *arena, const bj_record *profile, size_t room) {
    const bj_value *own = bj_get(profile, BJ_F(PROFILE, ENVIRONMENT));
    size_t own_count = own ? own->as.strings.count : 0;
    char **list = bj_arena_calloc(arena, count(environ) + own_count + room + 1, sizeof *list);
    size_t n = 0;
    for (size_t i = 0; environ[i]; i++) {
        list[n++] = environ[i];
    }
    for (size_t i = 0; i < own_count; i++) {
        if (strchr(own->as.strings.items[i].bytes, '=')) {
            put(list, &n, bj_arena_strdup(arena, own->as.strings.items[i].bytes));
        }
    }
    return list;
}

bool bj_exec_prepare(bj_job *job, bj_exec_plan *plan) {
    BJ_TEXT(reason, 1024);
    if (!bj_run_has_command(job->options.profile, &reason)) {
        bj_job_decide(job, BJ_ERROR, "%s", reason.start);
        return false;
    }
    plan->arguments = bj_run_command(job->arena, job->options.profile, job->scenario, &reason);
    if (!plan->arguments) {
        bj_job_decide(job, BJ_SKIP, "%s", reason.start);
        return false;
    }
    plan->program = bj_program_find(job->arena, plan->arguments[0], &reason);
    if (!plan->program || !bj_program_preloadable(plan->program, &reason)) {
        bj_job_decide(job, BJ_ERROR, "%s", reason.start);
        return false;
    }
    if (!job->options.preload || access(job->options.preload, R_OK) != 0) {
        bj_job_decide(job, BJ_ERROR, "the preload library was not found: %s",
                      job->options.preload ? job->options.preload : "no path was given");
        return false;
    }
    plan->environment = bj_exec_environment(job->arena, job->options.profile, 2);
    size_t n = count(plan->environment);
    put(plan->environment, &n, preload_entry(job));
    return true;
}

enum { ASK = 0xffffffff };

bool bj_run_fixes_addresses(void) {
    int now = personality(ASK);
    if (now < 0 || personality((unsigned long) now | ADDR_NO_RANDOMIZE) < 0) {
        return false;
    }
    personality((unsigned long) now);
    return true;
}

void bj_exec_clean_process(void) {
    struct sigaction standard = { .sa_handler = SIG_DFL };
    for (int number = 1; number < 32; number++) {
        sigaction(number, &standard, NULL);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    personality(ADDR_NO_RANDOMIZE); /* where that is forbidden: bj_run_fixes_addresses() */
}

_Noreturn void bj_exec_run(bj_job *job, const bj_exec_plan *plan) {
    bj_exec_clean_process();
    job->shared->randomised = !bj_run_fixes_addresses();
    int fd = fcntl(job->descriptor, F_DUPFD, BJ_SHARED_DESCRIPTOR);
    fd = fd < 0 ? fcntl(job->descriptor, F_DUPFD, 3) : fd;
    job->shared->process = (int32_t) getpid();
    char variable[64];
    snprintf(variable, sizeof variable, BJ_SHARED_VARIABLE "=%d", fd);
    size_t n = count(plan->environment);
    put(plan->environment, &n, variable);
    execve(plan->program, plan->arguments, plan->environment);
    bj_shared_trouble(job->shared, "the client cannot be started: %s: %s", plan->program, strerror(errno));
    bj_child_vanish(127);
}
