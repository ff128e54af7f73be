/* SPDX-License-Identifier: Apache-2.0
 *
 * network: the servers on real sockets, in real time. Either the client is started with URIs that point to them, or
 * (serve) somebody else starts it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach/child.h"
#include "attach/command.h"
#include "attach/isolate.h"
#include "attach/job.h"
#include "attach/program_file.h"
#include "attach/strays.h"
#include "world/real.h"

typedef struct network {
    bj_job *job;
    bj_child child;
    bj_real_world *real;
    pid_t client;        /* 0: none, or it has ended */
    uint16_t first_port; /* of the servers; 0 = any that are free */
} network;

/* Where the client keeps its state, when the scenario wants that. */
static bool make_state_folder(bj_job *job) {
    const bj_record *client = bj_get_record(job->scenario, BJ_F(SCENARIO, CLIENT));
    const char *place = getenv("TMPDIR");
    BJ_TEXT(template, 1000);
    if (!bj_get(client, BJ_F(CLIENT, STATE))) {
        return true;
    }
    bj_text_printf(&template, "%s/bootjack-state-XXXXXX", place && *place ? place : "/tmp");
    const char *folder = mkdtemp(template.start);
    if (!folder) {
        bj_job_decide(job, BJ_ERROR, "no folder for the client's state: %s", strerror(errno));
        return false;
    }
    job->state_folder = bj_arena_strdup(job->arena, folder);
    return true;
}

static const char *state_file(const bj_job *job) {
    BJ_TEXT(path, 1100);
    bj_text_printf(&path, "%s/%s", job->state_folder ? job->state_folder : "", BJ_STATE_FILE);
    return job->state_folder ? bj_arena_strdup(job->arena, path.start) : NULL;
}

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *where) {
    (void) about;
    (void) type;
    (void) where;
    return remove(path);
}

void bj_network_clean_up(bj_job *job) {
    if (job->state_folder) {
        nftw(job->state_folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
        job->state_folder = NULL;
    }
}

bool bj_network_prepare(bj_job *job) {
    if (job->options.serve) {
        return true;
    }
    BJ_TEXT(reason, 1024);
    if (!bj_run_has_command(job->options.profile, &reason)) {
        bj_job_decide(job, BJ_ERROR, "%s", reason.start);
        return false;
    }
    char **arguments = bj_run_command(job->arena, job->options.profile, job->scenario, &reason);
    if (!arguments) {
        bj_job_decide(job, BJ_SKIP, "%s", reason.start);
        return false;
    }
    if (!bj_program_find(job->arena, arguments[0], &reason)) {
        bj_job_decide(job, BJ_ERROR, "%s", reason.start);
        return false;
    }
    return make_state_folder(job);
}

/* --- the servers ---------------------------------------------------------------------------------------------- */

enum { COAP_PORT = 5683 };

static void note(network *n, const char *line) {
    bj_event event = { .kind = BJ_EV_NOTE, .time = 0, .text = line };
    bj_log_append(n->child.log, &event);
}

/* A client that we start ourselves gets a network of its own with the servers, at the usual ports; where the kernel
 * does not allow that, the servers take ports that are free. */
static bool isolate(network *n) {
    BJ_TEXT(why, 256);
    BJ_TEXT(line, 512);
    n->first_port = n->job->options.port;
    if (n->job->options.serve || n->job->options.share_network) {
        return true;
    }
    bj_isolation isolation = bj_isolate(&why);
    if (isolation == BJ_CUT_OFF) {
        bj_shared_trouble(n->child.shared, "%s", why.start);
        return false;
    }
    if (isolation == BJ_SHARED) {
        bj_text_printf(&line, "this run shares the machine's network: %s", why.start);
        note(n, line.start);
        return true;
    }
    n->first_port = n->first_port ? n->first_port : COAP_PORT;
    note(n, "this run has a network of its own");
    return true;
}

static bool hear(void *context) {
    return bj_child_hear(context);
}

/* What the client says is logged while the world goes on. */
static bool listen_to_client(network *n) {
    const int32_t *said = n->child.shared->said;
    bj_child_hears(&n->child);
    return !n->child.hearing || (bj_real_world_listen(n->real, said[0], hear, &n->child) == 0 &&
                                 bj_real_world_listen(n->real, said[1], hear, &n->child) == 0);
}

/* Is what the script awaits first something that the client does? */
static bool begins_with_contact(const network *n) {
    const bj_value *steps = bj_get(n->child.scenario, BJ_F(SCENARIO, STEPS));
    const bj_record *first = steps && steps->as.records.count ? steps->as.records.items[0] : NULL;
    bool contact = first && (first->kind == BJ_K_REQUEST || first->kind == BJ_K_HANDSHAKE ||
                             first->kind == BJ_K_CLIENT_HELLO || first->kind == BJ_K_CONNECTION);
    return n->job->options.starts_unseen && contact;
}

static bool make_world(network *n) {
    const bj_run_options *options = &n->job->options;
    bj_real_config config = { .seed = options->seed,
                              .client_life = !options->serve,
                              .input = n->child.shared->input ? bj_child_type : NULL,
                              .input_context = &n->child };
    const char *address = options->listen ? options->listen : "127.0.0.1";
    if (!bj_addr_parse(address, strlen(address), &config.listen)) {
        bj_shared_trouble(n->child.shared, "'%s' is no address to listen on", address);
        return false;
    }
    config.listen.port = n->first_port;
    config.interface = options->interface;
    n->real = bj_real_world_new(n->child.arena, n->child.log, &config);
    if (!n->real) {
        bj_shared_trouble(n->child.shared, "no sockets for the servers: %s", strerror(errno));
        return false;
    }
    if (bj_get(n->child.profile, BJ_F(PROFILE, READY)) || begins_with_contact(n)) {
        bj_real_world_hold(n->real);
    }
    bj_child_engine(&n->child, bj_real_world_as_world(n->real), bj_real_world_ops(n->real));
    bj_real_world_set_engine(n->real, n->child.engine);
    if (!listen_to_client(n)) {
        bj_shared_trouble(n->child.shared, "the client's output cannot be watched: %s", strerror(errno));
        return false;
    }
    bj_child_begin(&n->child);
    return true;
}

static bool announce_one(network *n, const bj_event *server) {
    bj_addr address;
    if (!bj_real_world_address(n->real, server->actor - BJ_ACTOR_SERVER_0, 0, &address)) {
        bj_shared_trouble(n->child.shared, "server %.*s cannot listen: %s", (int) server->text_length, server->text,
                          strerror(errno));
        return false;
    }
    BJ_TEXT(line, 256);
    bj_text_printf(&line, "server %.*s listens on ", (int) server->text_length, server->text);
    bj_addr_print(&line, &address);
    bj_event note = {
        .kind = BJ_EV_NOTE, .actor = server->actor, .time = n->child.ops->now(n->child.world), .text = line.start
    };
    bj_log_append(n->child.log, &note);
    return true;
}

/* Where each server is, as notes of the servers in the log. */
static bool announce(network *n) {
    bj_event event;
    uint32_t last = bj_log_last(n->child.log);
    for (size_t cursor = 0; bj_log_next(n->child.log, &cursor, &event) && event.sequence <= last;) {
        bool server = event.kind == BJ_EV_ACTOR && event.actor >= BJ_ACTOR_SERVER_0;
        if (server && !announce_one(n, &event)) {
            return false;
        }
    }
    return true;
}

/* --- the client ----------------------------------------------------------------------------------------------- */

static void translate(void *context, const char *uri, bj_text *out) {
    bj_engine_client_uri(context, uri, out);
}

_Noreturn static void become(network *n, const char *program, char **arguments, char **environment) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execve(program, arguments, environment);
    bj_shared_trouble(n->child.shared, "the client cannot be started: %s: %s", program, strerror(errno));
    bj_child_vanish(127);
}

static bool start_client(network *n) {
    bj_job *job = n->job;
    BJ_TEXT(reason, 1024);
    char **arguments = bj_command_fill(job->arena, job->options.profile, job->scenario, state_file(job), translate,
                                       n->child.engine, &reason);
    const char *program = arguments ? bj_program_find(job->arena, arguments[0], &reason) : NULL;
    if (!program) {
        bj_shared_trouble(n->child.shared, "%s", reason.start);
        return false;
    }
    char **environment = bj_exec_environment(job->arena, job->options.profile, 0);
    bool typed_at = bj_child_reopen_input(n->child.shared, false);
    n->client = typed_at ? fork() : -1;
    if (n->client == 0) {
        become(n, program, arguments, environment);
    }
    if (n->client < 0 || bj_real_world_set_client(n->real, n->client) < 0) {
        bj_shared_trouble(n->child.shared, "the client cannot be started: %s", strerror(errno));
        return false;
    }
    bj_child_starts(&n->child, "a process on the network");
    return true;
}

static void client_ended(network *n, int status) {
    n->client = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127 && atomic_load(&n->child.shared->phase) == BJ_PHASE_FAILED) {
        bj_child_vanish(1); /* its exec failed, and said so */
    }
    bj_child_exited(&n->child, WIFEXITED(status) ? WEXITSTATUS(status) : 0, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

/* --- is it ready? --------------------------------------------------------------------------------------------- */

enum { LOOK_MS = 100, PAUSE_US = 10000, READY_MS = 120000 };

static bool has_said(const bj_log *log, const char *text) {
    bj_event event;
    size_t length = strlen(text);
    for (size_t cursor = 0; bj_log_next(log, &cursor, &event);) {
        if (event.kind == BJ_EV_CLIENT_OUTPUT && event.text && memmem(event.text, event.text_length, text, length)) {
            return true;
        }
    }
    return false;
}

/* The scenario's clock begins when the client is ready, as its profile says how to see. What it sends before is kept
 * by the kernel. */
static bool await_ready(network *n) {
    const bj_record *ready = bj_get_record(n->child.profile, BJ_F(PROFILE, READY));
    const char *output = n->job->options.serve ? NULL : bj_get_string(ready, BJ_F(READY, OUTPUT), NULL);
    uint64_t after_us = bj_get_duration(ready, BJ_F(READY, AFTER), BJ_NEVER);
    uint64_t began = bj_real_us(), limit_us = n->job->options.serve ? UINT64_MAX : READY_MS * UINT64_C(1000);
    bool contact = false;
    while (bj_real_us() - began < after_us) {
        bool looked = bj_real_world_await_contact(n->real, contact ? 0 : LOOK_MS);
        if (contact) { /* which waits where it is, and would end every wait for more at once */
            usleep(PAUSE_US);
        }
        contact = contact || looked;
        if (bj_real_world_client_is_gone(n->real)) {
            return true;
        }
        if ((contact && bj_get_bool(ready, BJ_F(READY, REQUEST), false)) ||
            (output && has_said(n->child.log, output))) {
            return true;
        }
        if (bj_real_us() - began > limit_us) {
            bj_shared_trouble(
                n->child.shared,
                "the client is not ready after two minutes, as its profile's `ready` says (many programs keep their "
                "output back where it is no terminal; `stdbuf -oL` helps)");
            return false;
        }
    }
    return true;
}

static bool begin_when_ready(network *n) {
    bool ready = true;
    if (bj_get(n->child.profile, BJ_F(PROFILE, READY))) {
        ready = await_ready(n);
        bj_real_world_begin(n->real, 0);
    } else if (begins_with_contact(n)) {
        const bj_record *client = bj_get_record(n->child.scenario, BJ_F(SCENARIO, CLIENT));
        const bj_record *account = bj_get_record(client, BJ_F(CLIENT, BOOTSTRAP));
        while (!bj_real_world_await_contact(n->real, LOOK_MS)) {
        }
        bj_real_world_begin(n->real, bj_get_duration(account, BJ_F(ACCOUNT, HOLDOFF), 0));
    }
    return ready;
}

/* --- the run -------------------------------------------------------------------------------------------------- */

static void run(network *n) {
    bj_time until = bj_get_duration(n->child.scenario, BJ_F(SCENARIO, BUDGET), BJ_NEVER);
    while (!bj_engine_done(n->child.engine)) {
        int status = 0;
        switch (bj_real_world_run(n->real, until, &status)) {
        case BJ_REAL_CLIENT_ENDED:
            client_ended(n, status);
            break;
        case BJ_REAL_CLIENT_CUT:
            n->client = 0;
            break;
        case BJ_REAL_START:
            if (!start_client(n)) {
                bj_child_vanish(1);
            }
            break;
        case BJ_REAL_LIMIT:
            bj_engine_client_stuck(n->child.engine, "the scenario's budget of time is used up", false, 0);
            return;
        case BJ_REAL_FINISHED:
            return;
        case BJ_REAL_INTERRUPTED:
        default:
            break;
        }
    }
}

/* Nothing that the client has started outlives the run. */
_Noreturn static void leave(network *n, int status) {
    if (n->client > 0) {
        kill(n->client, SIGKILL);
        waitpid(n->client, NULL, 0);
    }
    if (!n->job->options.serve) {
        bj_strays_kill(getpid());
    }
    if (status == 0) {
        bj_child_over(&n->child);
    }
    bj_child_vanish(status);
}

_Noreturn void bj_network_run(bj_job *job) {
    bj_exec_clean_process();
    if (!job->options.serve) {
        bj_strays_take_up();
    }
    network n = { .job = job };
    bj_child_open(&n.child, job->shared);
    if (!isolate(&n) || !make_world(&n) || !announce(&n)) {
        bj_child_vanish(1);
    }
    if (!bj_engine_done(n.child.engine)) {
        if (job->options.serve) {
            bj_child_starts(&n.child, "by somebody else, on the network");
        } else if (!start_client(&n)) {
            bj_child_vanish(1);
        }
        if (!begin_when_ready(&n)) {
            leave(&n, 1);
        }
        run(&n);
    }
    leave(&n, 0);
}
