/* SPDX-License-Identifier: Apache-2.0
 *
 * See fork_client.h.
 */
#define _GNU_SOURCE
#include "tool/fork_client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach/fork_server.h"
#include "attach/job.h"
#include "tool/tool.h"

enum { START_MS = 20000 };

struct fork_client {
    bj_job job;
    bj_exec_plan plan;
    int input, control, status; /* ends of ours */
    int keyboard;               /* the write end of its standard input, which stays open and empty: many end with it */
    int map_id;
    uint8_t *map;
    unsigned limit_ms;
};

static void failed(const char *what) {
    tool_complain("%s: %s", what, strerror(errno));
}

/* --- starting -------------------------------------------------------------------------------------------------- */

static bool make_map(fork_client *c) {
    c->map_id = shmget(IPC_PRIVATE, FORK_MAP, IPC_CREAT | IPC_EXCL | 0600);
    void *map = c->map_id < 0 ? (void *) -1 : shmat(c->map_id, NULL, 0);
    c->map = map == (void *) -1 ? NULL : map;
    if (!c->map) {
        failed("no shared memory for coverage");
    }
    return c->map;
}

static void tell_variables(const fork_client *c) {
    char text[64];
    snprintf(text, sizeof text, "/proc/%d/fd/%d", (int) getpid(), c->input);
    setenv(BJ_FORK_VARIABLE, text, 1);
    snprintf(text, sizeof text, "%d", c->map_id);
    setenv("__AFL_SHM_ID", text, 1);
    snprintf(text, sizeof text, "%d", FORK_MAP);
    setenv("AFL_MAP_SIZE", text, 1);
    setenv("__AFL_DEFER_FORKSRV", "1", 1); /* the fork server is ours */
}

/* In the child: becomes the program. What it writes is nobody's. */
_Noreturn static void become(fork_client *c, const int control[2], const int status[2], int keyboard) {
    int null = open("/dev/null", O_RDWR);
    dup2(keyboard, 0);
    dup2(null, 1);
    dup2(null, 2);
    dup2(control[0], BJ_FORK_CONTROL);
    dup2(status[1], BJ_FORK_STATUS);
    bj_exec_run(&c->job, &c->plan);
}

static bool launch(fork_client *c) {
    int control[2], status[2], keyboard[2];
    if (pipe2(control, O_CLOEXEC) != 0 || pipe2(status, O_CLOEXEC) != 0 || pipe2(keyboard, O_CLOEXEC) != 0) {
        failed("no pipe");
        return false;
    }
    tell_variables(c);
    if (!bj_exec_prepare(&c->job, &c->plan)) {
        tool_complain("%s", c->job.reason);
        return false;
    }
    fflush(NULL);
    c->job.process = fork();
    if (c->job.process == 0) {
        become(c, control, status, keyboard[0]);
    }
    close(control[0]);
    close(status[1]);
    close(keyboard[0]);
    c->keyboard = keyboard[1];
    c->control = control[1];
    c->status = status[0];
    if (c->job.process < 0) {
        failed("fork");
    }
    return c->job.process > 0;
}

/* Four bytes from the fork server, within a time. */
static bool hear(const fork_client *c, uint32_t *word, int limit_ms, bool *late) {
    struct pollfd one = { .fd = c->status, .events = POLLIN };
    int ready;
    do {
        ready = poll(&one, 1, limit_ms);
    } while (ready < 0 && errno == EINTR);
    *late = ready == 0;
    return ready > 0 && read(c->status, word, sizeof *word) == (ssize_t) sizeof *word;
}

static bool begun(const fork_client *c) {
    uint32_t hello;
    bool late = false;
    if (hear(c, &hello, START_MS, &late)) {
        return true;
    }
    const char *why = c->job.shared->trouble;
    tool_complain("the client does not come to the point at which it can be forked: %s",
                  *why   ? why
                  : late ? "it takes longer than 20 s"
                         : "it ends before");
    return false;
}

fork_client *fork_client_start(bj_arena *arena, const bj_record *scenario, const bj_record *profile,
                               const char *preload, uint64_t seed, unsigned limit_ms) {
    fork_client *c = calloc(1, sizeof *c);
    if (!c) {
        failed("no memory");
        return NULL;
    }
    signal(SIGPIPE, SIG_IGN);
    c->limit_ms = limit_ms;
    c->input = memfd_create("input", MFD_CLOEXEC);
    c->control = c->status = c->keyboard = c->map_id = -1;
    c->job = (bj_job){ .arena = arena, .scenario = scenario };
    c->job.options = (bj_run_options){ .attach = BJ_ATTACH_EXEC, .profile = profile, .seed = seed, .preload = preload };
    c->job.shared = bj_shared_new(scenario, &c->job.options, arena, &c->job.descriptor);
    if (c->input < 0 || !c->job.shared || !make_map(c) || !launch(c) || !begun(c)) {
        fork_client_stop(c);
        return NULL;
    }
    c->job.log = bj_log_open(bj_shared_at(c->job.shared, &c->job.shared->log), c->job.shared->log.length);
    return c;
}

void fork_client_stop(fork_client *c) {
    if (!c) {
        return;
    }
    if (c->job.process > 0) {
        kill(c->job.process, SIGKILL);
        waitpid(c->job.process, NULL, 0);
    }
    close(c->control);
    close(c->status);
    close(c->keyboard);
    close(c->input);
    bj_shared_unmap(c->job.shared);
    close(c->job.descriptor);
    if (c->map) {
        shmdt(c->map);
    }
    if (c->map_id >= 0) {
        shmctl(c->map_id, IPC_RMID, NULL);
    }
    free(c);
}

/* --- one input --------------------------------------------------------------------------------------------------- */

static bool give(const fork_client *c, const uint8_t *input, size_t length) {
    uint32_t word = 0;
    memset(c->map, 0, FORK_MAP);
    return ftruncate(c->input, 0) == 0 && pwrite(c->input, input, length, 0) == (ssize_t) length &&
           write(c->control, &word, sizeof word) == (ssize_t) sizeof word;
}

fork_end fork_client_run(fork_client *c, const uint8_t *input, size_t length, int *number) {
    uint32_t fork = 0, status = 0;
    bool late = false, killed = false;
    *number = 0;
    length = length < BJ_FORK_INPUT_MOST ? length : BJ_FORK_INPUT_MOST;
    if (!give(c, input, length) || !hear(c, &fork, START_MS, &late)) {
        return FORK_LOST;
    }
    if (!hear(c, &status, (int) c->limit_ms, &late)) {
        killed = late && kill((pid_t) fork, SIGKILL) == 0; /* or it has just ended, and its status is on the way */
        if (!late || !hear(c, &status, START_MS, &late)) {
            return FORK_LOST;
        }
    }
    *number = WIFSIGNALED((int) status) ? WTERMSIG((int) status) : 0;
    if (killed && *number == SIGKILL) {
        *number = 0;
        return FORK_HUNG;
    }
    return *number ? FORK_CRASHED : FORK_WELL;
}

const bj_log *fork_client_log(const fork_client *c) {
    return c->job.log;
}

uint8_t *fork_client_map(fork_client *c) {
    return c->map;
}
