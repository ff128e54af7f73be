/* SPDX-License-Identifier: Apache-2.0
 *
 * exec: the client's own _exit() and exec*(). An _exit() is told to the script; a program that replaces itself
 * (`#!/usr/bin/env`, `sh -c 'exec client'`) takes the preload along and begins the run again from the start.
 */
#define _GNU_SOURCE
#include <alloca.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach/child.h"
#include "attach/preload.h"
#include "libc/libc.h"

#define EXPORTED __attribute__((visibility("default")))

enum { ARGUMENTS = 4096 };

EXPORTED void _exit(int status) {
    bj_preload_client_ends(status);
    bj_child_vanish(status);
}

EXPORTED void _Exit(int status) {
    _exit(status);
}

static size_t count(char *const *list) {
    size_t n = 0;
    while (list && list[n]) {
        n++;
    }
    return n;
}

static bool is_variable(const char *entry, const char *name) {
    size_t length = strlen(name);
    return strncmp(entry, name, length) == 0 && entry[length] == '=';
}

static const char *library_path(void) {
    Dl_info about;
    return dladdr((void *) (uintptr_t) count, &about) ? about.dli_fname : NULL;
}

/* The environment with the preload's two variables in it. `list` has room for two more entries and the end. */
static void with_preload(char **list, char *const *environment, char *preload, size_t room, char *variable) {
    size_t n = 0;
    const char *others = "";
    for (size_t i = 0; environment && environment[i]; i++) {
        if (is_variable(environment[i], "LD_PRELOAD")) {
            others = environment[i] + strlen("LD_PRELOAD=");
        } else if (!is_variable(environment[i], BJ_SHARED_VARIABLE)) {
            list[n++] = environment[i];
        }
    }
    snprintf(preload, room, "LD_PRELOAD=%s%s%s", library_path(), *others ? ":" : "", others);
    snprintf(variable, 64, BJ_SHARED_VARIABLE "=%d", bj_preload_descriptor());
    list[n++] = preload;
    list[n++] = variable;
    list[n] = NULL;
}

typedef int exec_function(const char *file, char *const *arguments, char *const *environment);

static int replace(const char *function, const char *file, char *const *arguments, char *const *environment) {
    exec_function *next;
    *(void **) &next = dlsym(RTLD_NEXT, function);
    if (!bj_preload_owns_process() || !library_path()) {
        return next(file, arguments, environment);
    }
    char **list = alloca((count(environment) + 3) * sizeof *list);
    char preload[8192], variable[64];
    with_preload(list, environment, preload, sizeof preload, variable);
    return next(file, arguments, list);
}

EXPORTED int execve(const char *path, char *const arguments[], char *const environment[]) {
    return replace("execve", path, arguments, environment);
}

EXPORTED int execvpe(const char *file, char *const arguments[], char *const environment[]) {
    return replace("execvpe", file, arguments, environment);
}

EXPORTED int execv(const char *path, char *const arguments[]) {
    return execve(path, arguments, environ);
}

EXPORTED int execvp(const char *file, char *const arguments[]) {
    return execvpe(file, arguments, environ);
}

/* The arguments of execl() and its relatives, up to their NULL. */
static void gather(char **arguments, const char *first, va_list *rest) {
    size_t n = 0;
    *(const char **) &arguments[n++] = first;
    while (arguments[n - 1] && n < ARGUMENTS - 1) {
        arguments[n++] = va_arg(*rest, char *);
    }
    arguments[n] = NULL;
}

EXPORTED int execl(const char *path, const char *argument, ...) {
    char *arguments[ARGUMENTS];
    va_list rest;
    va_start(rest, argument);
    gather(arguments, argument, &rest);
    va_end(rest);
    return execve(path, arguments, environ);
}

EXPORTED int execlp(const char *file, const char *argument, ...) {
    char *arguments[ARGUMENTS];
    va_list rest;
    va_start(rest, argument);
    gather(arguments, argument, &rest);
    va_end(rest);
    return execvpe(file, arguments, environ);
}

EXPORTED int execle(const char *path, const char *argument, ...) {
    char *arguments[ARGUMENTS];
    va_list rest;
    va_start(rest, argument);
    gather(arguments, argument, &rest);
    char *const *environment = va_arg(rest, char *const *);
    va_end(rest);
    return execve(path, arguments, environment);
}
