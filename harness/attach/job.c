/* SPDX-License-Identifier: Apache-2.0
 *
 * The supervisor: starts the child of a run, reads its output, ends it when it takes too long or stands still, waits
 * for its end. What it all means is outcome.c's.
 */
#define _GNU_SOURCE
#include "attach/job.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "attach/child.h"
#include "attach/fit.h"
#include "attach/strays.h"

enum { LOOK_MS = 200, STILL_MS = 10000, DEFAULT_LIMIT_MS = 60000, CHUNK = 65536, DRAINED = 64, ROOM = 1 << 20 };

uint64_t bj_real_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

static uint64_t limit_us(const bj_job *job) {
    uint64_t ms = job->options.real_limit_ms;
    if (!ms && job->options.attach == BJ_ATTACH_NETWORK) {
        return UINT64_MAX;
    }
    return (ms ? ms : DEFAULT_LIMIT_MS) * 1000;
}

/* In virtual time something happens at every moment of real time; on a real network waiting is usual. */
static uint64_t still_limit_us(const bj_job *job) {
    if (job->options.attach == BJ_ATTACH_NETWORK) {
        return UINT64_MAX;
    }
    uint64_t half = limit_us(job) / 2;
    return half < STILL_MS * 1000ULL ? half : STILL_MS * 1000ULL;
}

static void close_descriptor(int *fd) {
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

/* --- starting ------------------------------------------------------------------------------------------------- */

/* The three standard descriptors of the child, and what the parent keeps of them. */
typedef struct standard {
    int child[3];
    int parent[3];
} standard;

static bool open_standard(standard *s, bool null_input) {
    for (int i = 0; i < 3; i++) {
        s->child[i] = s->parent[i] = -1;
    }
    for (int i = 0; i < 3; i++) {
        int ends[2];
        if (i == 0 && null_input) {
            s->child[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
            continue;
        }
        if (pipe2(ends, O_CLOEXEC) != 0) {
            return false;
        }
        s->child[i] = ends[i == 0 ? 0 : 1];
        s->parent[i] = ends[i == 0 ? 1 : 0];
        fcntl(s->parent[i], F_SETFL, O_NONBLOCK);
        fcntl(s->parent[i], F_SETPIPE_SZ, ROOM); /* where that is too much, it stays as it is */
    }
    return s->child[0] >= 0;
}

static void close_three(int *fds) {
    for (int i = 0; i < 3; i++) {
        close_descriptor(&fds[i]);
    }
}

static void take_standard(const standard *s) {
    for (int i = 0; i < 3; i++) {
        dup2(s->child[i], i);
    }
}

/* In the child, before anything else: it dies with its parent, in a group of its own, so that nothing of it is left. */
static void leave_parent(pid_t parent) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        bj_child_vanish(1);
    }
}

/* A descriptor of the child's as a high one, as the shared memory's: a program is not in its way. Only under the
 * preload library is it still needed behind execve(). */
static int keep(const bj_job *job, int fd) {
    int command = job->options.attach == BJ_ATTACH_EXEC ? F_DUPFD : F_DUPFD_CLOEXEC;
    int high = fd < 0 ? 0 : fcntl(fd, command, BJ_SHARED_DESCRIPTOR + 1);
    return high < 0 ? fcntl(fd, command, 3) : high;
}

static bool has_program(const bj_job *job) {
    return job->options.attach != BJ_ATTACH_LINKED && !job->options.serve;
}

/* Which of the supervisor's ends the world needs: it types, and hears the client. */
static void keep_ends(bj_job *job, standard *s) {
    job->shared->feed = keep(job, job->feed_child);
    if (has_program(job)) {
        job->shared->input = keep(job, s->parent[0]);
        job->shared->said[0] = keep(job, s->parent[1]);
        job->shared->said[1] = keep(job, s->parent[2]);
    }
    close_three(s->parent);
    close_three(s->child);
}

_Noreturn static void child(bj_job *job, const bj_exec_plan *plan) {
    switch (job->options.attach) {
    case BJ_ATTACH_EXEC:
        bj_exec_run(job, plan);
    case BJ_ATTACH_NETWORK:
        bj_network_run(job);
    case BJ_ATTACH_LINKED:
    default:
        bj_linked_run(job);
    }
}

/* The child goes on when its supervisor has closed its ends: who holds the write end of a standard input keeps it open.
 */
static void await_supervisor(int gate[2]) {
    char byte;
    close(gate[1]);
    while (read(gate[0], &byte, 1) < 0 && errno == EINTR) {
    }
    close(gate[0]);
}

static bool launch(bj_job *job, const bj_exec_plan *plan) {
    standard s;
    int gate[2] = { -1, -1 };
    bool null_input = bj_get_uint(job->options.profile, BJ_F(PROFILE, READS_INPUT), 0) == 1;
    pid_t parent = getpid();
    bool good = open_standard(&s, null_input) && pipe2(gate, O_CLOEXEC) == 0;
    fflush(NULL);
    pid_t process = good ? fork() : -1;
    if (process == 0) {
        leave_parent(parent);
        take_standard(&s);
        keep_ends(job, &s);
        await_supervisor(gate);
        child(job, plan);
    }
    close_three(s.child);
    close_descriptor(&job->feed_child);
    if (has_program(job)) {
        close_descriptor(&s.parent[0]); /* who plays the world types, and may end the input */
    }
    job->input = s.parent[0];
    s.parent[0] = -1;
    close_descriptor(&gate[0]);
    close_descriptor(&gate[1]);
    if (process < 0) {
        close_three(s.parent);
        bj_job_decide(job, BJ_ERROR, "no process could be started: %s", strerror(errno));
        return false;
    }
    setpgid(process, process);
    job->process = process;
    job->pipes[0] = s.parent[1];
    job->pipes[1] = s.parent[2];
    job->process_descriptor = pidfd_open(process, 0);
    return true;
}

static bool prepare(bj_job *job, bj_exec_plan *plan) {
    BJ_TEXT(reason, 256);
    if (!bj_fit_has_all(job->options.profile, job->scenario, &reason)) {
        bj_job_decide(job, BJ_SKIP, "%s", reason.start);
        return false;
    }
    switch (job->options.attach) {
    case BJ_ATTACH_EXEC:
        return bj_exec_prepare(job, plan);
    case BJ_ATTACH_NETWORK:
        return bj_network_prepare(job);
    case BJ_ATTACH_LINKED:
    default:
        return true;
    }
}

static bj_job *new_job(bj_arena *arena, const bj_record *scenario, const bj_run_options *options) {
    bj_job *job = calloc(1, sizeof *job);
    if (!job) {
        perror("bootjack");
        exit(2);
    }
    job->arena = arena;
    job->scenario = scenario;
    job->options = *options;
    job->descriptor = job->process_descriptor = job->input = -1;
    job->pipes[0] = job->pipes[1] = -1;
    job->feed = job->feed_child = -1;
    job->started_us = job->progress_us = bj_real_us();
    return job;
}

static bool open_feed(bj_job *job) {
    int ends[2];
    if (!job->options.grows) {
        return true;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        bj_job_decide(job, BJ_ERROR, "no sockets for the script to grow from: %s", strerror(errno));
        return false;
    }
    job->feed = ends[0];
    job->feed_child = ends[1];
    return true;
}

bj_job *bj_job_start(bj_arena *arena, const bj_record *scenario, const bj_run_options *options) {
    assert(options->profile);
    scenario = bj_fit_adapt(arena, options->profile, scenario);
    bj_job *job = new_job(arena, bj_fit_uris(arena, options->profile, scenario), options);
    job->shared = bj_shared_new(job->scenario, options, arena, &job->descriptor);
    if (job->shared) {
        job->log = bj_log_create(bj_shared_at(job->shared, &job->shared->log), job->shared->log.length);
    } else {
        bj_job_decide(job, BJ_ERROR, "no shared memory for a run: %s", strerror(errno));
    }
    bj_exec_plan plan = { 0 };
    if (!open_feed(job) || !job->shared || !prepare(job, &plan) || !launch(job, &plan)) {
        job->ended_us = bj_real_us();
        job->finished = true;
    }
    return job;
}

/* --- while it goes on ----------------------------------------------------------------------------------------- */

static uint32_t last_event(const bj_job *job) {
    return job->log ? bj_log_last(job->log) : 0;
}

/* Reads what there is; closes the pipe at its end. */
static void read_pipe(bj_job *job, int index) {
    char bytes[CHUNK];
    for (unsigned i = 0; i < DRAINED && job->pipes[index] >= 0; i++) {
        ssize_t got = read(job->pipes[index], bytes, sizeof bytes);
        if (got > 0) {
            bj_output_take(&job->output, index + 1, bytes, (size_t) got, last_event(job));
        } else if (got == 0) {
            close_descriptor(&job->pipes[index]);
        } else if (errno != EINTR) {
            return;
        }
    }
}

/* A stat file of /proc: the state of the process or thread, and how much of the processor it has used. */
static char read_stat(const char *name, uint64_t *used_us) {
    char text[1024], state = '?';
    unsigned long user = 0, system = 0;
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) {
        close(fd);
    }
    text[got > 0 ? got : 0] = '\0';
    const char *behind_name = strrchr(text, ')');
    if (behind_name &&
        sscanf(behind_name + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &state, &user, &system) == 3) {
        *used_us = (uint64_t) (user + system) * 1000000 / (uint64_t) sysconf(_SC_CLK_TCK);
    }
    return state;
}

/* Is one of its threads running, or would on a machine that is not busy, and how much of the processor has all of it
 * used? */
static void look_at_process(bj_job *job) {
    char name[300];
    uint64_t ignored;
    snprintf(name, sizeof name, "/proc/%d/stat", (int) job->process);
    read_stat(name, &job->processor_us);
    snprintf(name, sizeof name, "/proc/%d/task", (int) job->process);
    DIR *tasks = opendir(name);
    job->was_running = false;
    for (struct dirent *entry; tasks && (entry = readdir(tasks));) {
        snprintf(name, sizeof name, "/proc/%d/task/%s/stat", (int) job->process, entry->d_name);
        job->was_running |= *entry->d_name != '.' && strchr("RD", read_stat(name, &ignored)) != NULL;
    }
    if (tasks) {
        closedir(tasks);
    }
}

/* It does nothing because the machine lets it do nothing: it would run, and had hardly any of the processor. */
static bool is_starved(bj_job *job) {
    look_at_process(job);
    return job->was_running && job->processor_us < still_limit_us(job) / 10;
}

/* The child and all that it started, its daemons among it: they are found while it is there, and it stands still so
 * that it does not see them end. */
static void kill_all(const bj_job *job) {
    if (job->process > 0) {
        if (has_program(job)) {
            kill(job->process, SIGSTOP);
            bj_strays_kill(job->process);
        }
        kill(-job->process, SIGKILL);
        kill(job->process, SIGKILL);
    }
}

static void watch(bj_job *job, uint64_t now) {
    uint64_t progress = last_event(job) + bj_log_lost(job->log) + atomic_load(&job->shared->now);
    if (progress != job->progress) {
        job->progress = progress;
        job->progress_us = now;
        job->floods = 0;
    }
    uint64_t still = now - job->progress_us;
    bool stands_still = still >= still_limit_us(job) && !is_starved(job);
    uint64_t taken = now - job->started_us - job->thought_us;
    if (job->timed_out || job->asks || (!stands_still && taken < limit_us(job))) {
        return;
    }
    job->timed_out = true;
    job->stood_still = stands_still;
    job->still_us = still;
    look_at_process(job);
    kill_all(job);
}

static void finish(bj_job *job) {
    job->ended_us = bj_real_us();
    kill(-job->process, SIGKILL); /* what it left behind; the number is still its own, it was not waited for */
    while (waitpid(job->process, &job->wait_status, 0) < 0 && errno == EINTR) {
    }
    job->process = 0;
    bj_output_from_log(&job->output, job->log, bj_shared_at(job->shared, &job->shared->tail));
    for (int i = 0; i < 2; i++) {
        read_pipe(job, i);
        close_descriptor(&job->pipes[i]);
    }
    close_descriptor(&job->input);
    close_descriptor(&job->process_descriptor);
    close_descriptor(&job->feed);
    job->asks = false;
    bj_output_end(&job->output, last_event(job));
    bj_job_judge(job);
    job->finished = true;
}

static bool has_ended(const bj_job *job) {
    siginfo_t about = { 0 };
    return waitid(P_PID, (id_t) job->process, &about, WEXITED | WNOHANG | WNOWAIT) == 0 && about.si_pid != 0;
}

/* Does the world hear the client itself, now or once it stands? Then it is not disturbed, unless the client waits for
 * room in a pipe: who sees that it does not stand yet, and reads, may take what was written in between. */
static bool world_hears(const bj_job *job) {
    uint32_t phase = atomic_load(&job->shared->phase);
    return has_program(job) && (phase == BJ_PHASE_NONE || phase == BJ_PHASE_WORLD);
}

/* Nothing was taken from it since the last look, and there is hardly any room. */
static bool is_stuck(bj_job *job, int index) {
    int waiting = 0, before = job->waiting[index];
    if (job->pipes[index] < 0 || ioctl(job->pipes[index], FIONREAD, &waiting) != 0) {
        return false;
    }
    job->waiting[index] = waiting;
    return waiting && waiting == before && waiting > fcntl(job->pipes[index], F_GETPIPE_SZ) / 2;
}

static void hear(bj_job *job) {
    bool other = world_hears(job);
    for (int i = 0; i < 2; i++) {
        bool stuck = other && is_stuck(job, i);
        job->floods += stuck;
        if (!other || stuck) {
            read_pipe(job, i);
        }
    }
}

static void look_after(bj_job *job) {
    hear(job);
    if (job->feed >= 0 && !job->asks && bj_feed_asked(job->feed, &job->question)) {
        job->asks = true;
        job->asked_us = bj_real_us();
    }
    if (job->options.look) {
        job->options.look(job->options.look_context, job->log);
    }
    if (has_ended(job)) {
        finish(job);
    } else {
        watch(job, bj_real_us());
    }
}

static size_t poll_set(bj_job *const *jobs, size_t count, struct pollfd *set, bool *finished, int *timeout) {
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        const bj_job *job = jobs[i];
        if (!job || job->finished || job->asks) {
            *finished |= job != NULL;
            continue;
        }
        set[n++] = (struct pollfd){ .fd = job->process_descriptor, .events = POLLIN };
        bool other = world_hears(job);
        set[n++] = (struct pollfd){ .fd = other ? -1 : job->pipes[0], .events = POLLIN };
        set[n++] = (struct pollfd){ .fd = other ? -1 : job->pipes[1], .events = POLLIN };
        set[n++] = (struct pollfd){ .fd = job->feed, .events = POLLIN };
        *timeout = job->process_descriptor < 0 ? 2 : *timeout;
    }
    return n;
}

void bj_job_wait(bj_job *const *jobs, size_t count) {
    struct pollfd *set = calloc(count * 4 + 1, sizeof *set);
    assert(set);
    for (bool finished = false, again = true; !finished && again;) {
        int timeout = LOOK_MS;
        size_t n = poll_set(jobs, count, set, &finished, &timeout);
        if (finished || !n) {
            break;
        }
        again = poll(set, n, timeout) > 0;
        for (size_t i = 0; i < count; i++) {
            if (jobs[i] && !jobs[i]->finished) {
                look_after(jobs[i]);
            }
        }
    }
    free(set);
}

/* --- and its end ---------------------------------------------------------------------------------------------- */

bool bj_job_finished(const bj_job *job) {
    return job->finished;
}

bool bj_job_asks(const bj_job *job, bj_time *now, bj_time *wake) {
    *now = job->question.now;
    *wake = job->question.wake;
    return job->asks;
}

void bj_job_feed(bj_job *job, bj_fed fed, const bj_record *steps) {
    assert(job->asks);
    job->asks = false;
    job->progress_us = bj_real_us();
    job->thought_us += job->progress_us - job->asked_us;
    bj_feed_answer(job->feed, job->arena, fed, steps);
}

const bj_log *bj_job_log(const bj_job *job) {
    return job->log;
}

static bj_time virtual_time(const bj_log *log) {
    bj_event event;
    bj_time latest = 0;
    for (size_t cursor = 0; log && bj_log_next(log, &cursor, &event);) {
        latest = event.time > latest ? event.time : latest;
    }
    return latest;
}

void bj_job_result(bj_job *job, bj_run_result *result) {
    assert(job->finished);
    *result = (bj_run_result){
        .verdict = job->verdict,
        .reason = job->reason,
        .position = job->position,
        .cause = job->cause,
        .virtual_time = virtual_time(job->log),
        .real_us = job->ended_us - job->started_us,
        .log = job->log,
        .exit_status = WIFEXITED(job->wait_status) ? WEXITSTATUS(job->wait_status) : 0,
        .signal_number = WIFSIGNALED(job->wait_status) ? WTERMSIG(job->wait_status) : 0,
        .output = job->output.lines,
        .output_count = job->output.count,
        .script_verdict = job->script_verdict ? job->script_verdict : job->verdict,
        .broken = job->broken,
        .broken_count = job->broken_count,
        .recovery = job->recovery,
        .held = job,
    };
}

static void release(bj_job *job) {
    bj_network_clean_up(job);
    bj_shared_unmap(job->shared);
    close_descriptor(&job->descriptor);
    close_descriptor(&job->feed);
    close_descriptor(&job->feed_child);
    close_descriptor(&job->input);
    close_descriptor(&job->pipes[0]);
    close_descriptor(&job->pipes[1]);
    close_descriptor(&job->process_descriptor);
    bj_output_free(&job->output);
    free(job);
}

void bj_job_kill(bj_job *job) {
    if (!job->finished) {
        kill_all(job);
        finish(job);
    }
    release(job);
}

void bj_run_release(bj_run_result *result) {
    release(result->held);
    result->held = NULL;
    result->log = NULL;
}

void bj_run(bj_arena *arena, const bj_record *scenario, const bj_run_options *options, bj_run_result *result) {
    bj_job *job = bj_job_start(arena, scenario, options);
    while (!bj_job_finished(job)) {
        bj_job_wait(&job, 1);
    }
    bj_job_result(job, result);
}
