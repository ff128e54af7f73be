/* SPDX-License-Identifier: Apache-2.0
 *
 * linked: the client lives in a fork of this program and is driven through the six functions of linked.h. The loop is
 * the application's main loop: step, ask for the deadline, wait in virtual time.
 */
#define _GNU_SOURCE
#include "attach/linked.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/child.h"
#include "attach/job.h"
#include "attach/linked_bootjack.h"
#include "attach/linked_config.h"
#include "libc/libc.h"

enum { RUNNING = 0, STOPPED = 1, FAILED = 2 };

typedef struct linked {
    bj_child child;
    const bootjack_linked_client *client;
    void *instance;
    bootjack_linked_config config;
    char last_line[256]; /* of its log, for a client that cannot be made */
    int signal_number;   /* that is to be delivered, 0 = none */
    sigjmp_buf over;
} linked;

/* --- from the world and from the client ----------------------------------------------------------------------- */

/* The run ended while the client was inside a call: it never comes back from there. */
static void over(void *context) {
    linked *l = context;
    siglongjmp(l->over, 1);
}

static void deliver(void *context, int signal_number) {
    linked *l = context;
    l->signal_number = signal_number;
}

static void tell(linked *l, uint8_t kind, const char *text) {
    bj_event event = { .kind = kind,
                       .actor = BJ_ACTOR_CLIENT,
                       .time = bj_sim_now(l->child.sim),
                       .number = kind == BJ_EV_CLIENT_OUTPUT ? 2 : 0,
                       .text = text };
    bj_log_append(l->child.log, &event);
}

static void state_changed(void *context, const char *text) {
    tell(context, BJ_EV_CLIENT_STATE, text);
}

static void log_line(void *context, const char *text) {
    linked *l = context;
    snprintf(l->last_line, sizeof l->last_line, "%s", text);
    tell(l, BJ_EV_CLIENT_OUTPUT, text);
}

/* --- the loop ------------------------------------------------------------------------------------------------- */

static bool poked(void *context) {
    (void) context;
    return bj_libc_poked();
}

/* Waits as the client wishes. false: the run is over. */
static bool wait_for_work(linked *l) {
    int64_t wish = l->client->next_deadline(l->instance);
    if (wish == 0) {
        return bj_sim_polled(l->child.sim) != BJ_SIM_OVER; /* at once: must not stop time */
    }
    bj_time deadline = wish < 0 ? BJ_NEVER : bj_sim_now(l->child.sim) + (bj_time) wish * BJ_MS;
    return bj_sim_wait_until(l->child.sim, poked, NULL, deadline) != BJ_SIM_OVER;
}

/* true: the client is dead of it. */
static bool take_signal(linked *l) {
    int number = l->signal_number;
    l->signal_number = 0;
    if (number == SIGTERM || number == SIGINT) {
        l->client->stop(l->instance);
    }
    return number == SIGKILL;
}

static void drive(linked *l) {
    for (;;) {
        l->client->step(l->instance);
        int state = l->client->state(l->instance);
        if (state != RUNNING) {
            l->client->destroy(l->instance);
            bj_libc_leave();
            bj_child_exited(&l->child, state == STOPPED ? 0 : state == FAILED ? 1 : state, 0);
            return;
        }
        if (!wait_for_work(l)) {
            return;
        }
        if (take_signal(l)) {
            bj_libc_leave();
            bj_child_exited(&l->child, 0, SIGKILL);
            return;
        }
    }
}

/* --- making it ------------------------------------------------------------------------------------------------ */

static const bootjack_linked_client *load(bj_shared *shared, const char *library) {
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        bj_shared_trouble(shared, "the linked client cannot be loaded: %s", dlerror());
        return NULL;
    }
    const bootjack_linked_client *client = dlsym(handle, "bootjack_client");
    if (!client) {
        bj_shared_trouble(shared, "%s does not export bootjack_client (attach/linked.h)", library);
    } else if (client->version < 1 || client->version > BOOTJACK_LINKED_VERSION) {
        bj_shared_trouble(shared, "%s was made for version %d of attach/linked.h; this is version %d", library,
                          client->version, BOOTJACK_LINKED_VERSION);
        client = NULL;
    }
    return client;
}

static void run_client(linked *l) {
    bj_libc_enter(l->child.sim, over, l);
    bj_sim_attach(l->child.sim, deliver, l);
    if (bj_sim_over(l->child.sim)) {
        return;
    }
    l->instance = l->client->create(&l->config);
    if (l->instance) {
        drive(l);
        return;
    }
    bj_libc_leave();
    bj_shared_trouble(l->child.shared, "the client %s cannot be made from this configuration%s%s", l->client->name,
                      *l->last_line ? ": " : "", l->last_line);
    bj_child_vanish(1);
}

static void set_up(linked *l) {
    const bj_child *child = &l->child;
    bj_linked_config_fill(&l->config, child->arena, child->scenario, child->profile);
    l->config.state_changed = state_changed;
    l->config.log_line = log_line;
    l->config.context = l;
}

static void skip(linked *l, const char *reason) {
    bj_event verdict = { .kind = BJ_EV_VERDICT, .actor = BJ_ACTOR_SCRIPT, .number = BJ_SKIP, .text = reason };
    bj_log_append(l->child.log, &verdict);
}

/* From one start to the next. The client that lost its power is left where it was: what it holds is lost with it, as
 * memory is. */
static void live(linked *l) {
    do {
        bj_child_starts(&l->child, "linked");
        if (sigsetjmp(l->over, 0) == 0) {
            run_client(l);
        }
        bj_libc_leave();
        l->signal_number = 0;
    } while (bj_child_without_client(&l->child));
}

_Noreturn void bj_linked_run(bj_job *job) {
    bj_exec_clean_process();
    bj_shared *shared = bj_shared_map(job->descriptor);
    if (!shared) {
        bj_shared_trouble(job->shared, "the run's memory cannot be mapped at its address");
        bj_child_vanish(1);
    }
    static linked self; /* not on the stack: siglongjmp() comes back to it */
    const char *library = bj_get_string(job->options.profile, BJ_F(PROFILE, LIBRARY), NULL);
    self.client = library ? load(shared, library) : &bootjack_client_linked;
    if (!self.client) {
        bj_child_vanish(1);
    }
    if (shared->feed) {
        bj_libc_hide(shared->feed);
    }
    bj_child_open(&self.child, shared);
    bj_child_simulate(&self.child);
    set_up(&self);
    if (self.config.state_path && self.client->version < 2) {
        skip(&self, "the client cannot be told a file for its state (version 2 of attach/linked.h)");
    } else if (self.config.legacy && self.client->version < 3) {
        skip(&self,
             "the client cannot be told to take operations that nobody asked for (version 3 of attach/linked.h)");
    } else {
        live(&self);
    }
    bj_libc_outside();
    bj_child_over(&self.child);
    fflush(NULL);
    bj_child_vanish(0);
}
