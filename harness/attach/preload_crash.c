/* SPDX-License-Identifier: Apache-2.0
 *
 * exec: where the client was when it crashed. A handler prints the frames as MODULE+OFFSET, which addr2line takes, and
 * lets the signal do what it would have done. A sanitizer that has handlers of its own says more, and is left alone; so
 * is a client that sets its own. The unwinder is linked in: it needs no memory of the client's.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unwind.h>

#include "attach/preload.h"
#include "libc/libc.h"

enum { FRAMES = 32, STACK = 64 * 1024 };

static const int deadly[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP };

static void print_frame(unsigned number, uintptr_t address) {
    char line[512];
    Dl_info about = { 0 };
    bool known = dladdr((void *) address, &about) && about.dli_fname;
    const char *slash = known ? strrchr(about.dli_fname, '/') : NULL;
    int length = snprintf(line, sizeof line, "bootjack: #%u %s+0x%lx%s%s\n", number,
                          slash   ? slash + 1
                          : known ? about.dli_fname
                                  : "?",
                          (unsigned long) (address - (uintptr_t) about.dli_fbase), about.dli_sname ? " " : "",
                          about.dli_sname ? about.dli_sname : "");
    syscall(SYS_write, 2, line, (size_t) (length < (int) sizeof line ? length : (int) sizeof line - 1));
}

typedef struct walk {
    unsigned seen, printed;
    const void *own; /* where this library lies: its frames say nothing */
} walk;

static _Unwind_Reason_Code frame(struct _Unwind_Context *context, void *argument) {
    walk *w = argument;
    Dl_info about = { 0 };
    uintptr_t address = _Unwind_GetIP(context);
    bool ours = dladdr((void *) address, &about) && about.dli_fbase == w->own;
    if (address && !ours && (w->printed || w->seen)) {
        print_frame(w->printed++, address);
    }
    w->seen += !ours; /* the first that is not ours is the kernel's way back from a signal */
    return w->printed < FRAMES ? _URC_NO_REASON : _URC_END_OF_STACK;
}

static void crashed(int number) {
    struct sigaction standard = { .sa_handler = SIG_DFL };
    Dl_info about = { 0 };
    dladdr((void *) (uintptr_t) crashed, &about);
    walk w = { .own = about.dli_fbase };
    bj_libc_outside();
    sigaction(number, &standard, NULL);
    _Unwind_Backtrace(frame, &w);
    syscall(SYS_tgkill, syscall(SYS_getpid), syscall(SYS_gettid), number);
}

void bj_preload_watch_for_crashes(void) {
    static char stack[STACK];
    stack_t own = { .ss_sp = stack, .ss_size = sizeof stack }, there;
    if (sigaltstack(NULL, &there) == 0 && (there.ss_flags & SS_DISABLE)) {
        sigaltstack(&own, NULL);
    }
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++) {
        struct sigaction before, action = { .sa_handler = crashed, .sa_flags = SA_ONSTACK | SA_NODEFER };
        if (sigaction(deadly[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL) {
            sigaction(deadly[i], &action, NULL);
        }
    }
}
