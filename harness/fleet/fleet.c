/* SPDX-License-Identifier: Apache-2.0
 *
 * See fleet.h.
 */
#define _GNU_SOURCE
#include "fleet/fleet.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "libc/libc.h"

/* The log is not kept: a fleet's events would fill any. */
enum { LOG = 1 << 16, RUNNING = 0 };
#define WORLD_OF_ONE       ((size_t) 256 << 10) /* address space for what is on its way to and from one client */
#define DESCRIPTORS_OF_ONE (3 * (1 + FLEET_SERVERS_MOST)) /* a socket, an epoll set and a timer for each server */
/* All clients are on one host, and need three ports each or more. */
#define FIRST_PORT 1024
#define PORTS      (65536 - FIRST_PORT)

extern const bootjack_linked_client bootjack_client_linked;

void fleet_config_init(fleet_config *config) {
    *config = (fleet_config){
        .client = &bootjack_client_linked,
        .clients = 1000,
        .servers = 2,
        .observations = 10,
        .seed = 1,
        .duration = 20 * 60 * BJ_SECOND,
        .holdoff_s = 10,
        .jitter = 50,
        .lifetime_s = 600,
        .pmax_s = 300,
        .curve_s = 120,
    };
}

/* --- deadlines: a binary heap of clients ------------------------------------------------------------------------ */

typedef struct unit {
    void *client; /* NULL: not switched on yet, or gone */
    bj_time deadline;
    unsigned place; /* in the heap */
    char name[FLEET_NAME];
} unit;

typedef struct fleet {
    const fleet_config *config;
    bj_arena *arena;
    void *log_memory;
    bj_sim *sim;
    fleet_servers *servers;
    unit *units;
    unsigned *heap; /* of all units */
    uint64_t steps;
    unsigned made;
    sigjmp_buf over;
} fleet;

static bool before(const fleet *f, unsigned a, unsigned b) {
    const unit *one = &f->units[a], *other = &f->units[b];
    return one->deadline != other->deadline ? one->deadline < other->deadline : a < b;
}

static void place(fleet *f, unsigned at, unsigned number) {
    f->heap[at] = number;
    f->units[number].place = at;
}

static void sift(fleet *f, unsigned number) {
    unsigned at = f->units[number].place, count = f->config->clients;
    while (at > 0 && before(f, number, f->heap[(at - 1) / 2])) {
        place(f, at, f->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    for (unsigned child = 2 * at + 1; child < count; child = 2 * at + 1) {
        child += child + 1 < count && before(f, f->heap[child + 1], f->heap[child]);
        if (!before(f, f->heap[child], number)) {
            break;
        }
        place(f, at, f->heap[child]);
        at = child;
    }
    place(f, at, number);
}

static void wait_until(fleet *f, unsigned number, bj_time deadline) {
    f->units[number].deadline = deadline;
    sift(f, number);
}

/* --- clients ---------------------------------------------------------------------------------------------------- */

static void ignore_text(void *context, const char *text) {
    (void) context;
    (void) text;
}

static void *make(const fleet *f, unit *u) {
    const bootjack_linked_account account = { .bootstrap = 1,
                                              .instance = -1,
                                              .uri = fleet_bootstrap_uri,
                                              .security_mode = 3,
                                              .holdoff_ms = f->config->holdoff_s ? f->config->holdoff_s * 1000ll : -1,
                                              .timeout_ms = -1,
                                              .lifetime_ms = -1,
                                              .binding = "U" };
    const bootjack_linked_config config = { .endpoint = u->name,
                                            .accounts = &account,
                                            .account_count = 1,
                                            .holdoff_cap_ms = -1,
                                            .holdoff_jitter = 1 + f->config->jitter / 100.0,
                                            .ack_timeout_ms = -1,
                                            .max_retransmit = -1,
                                            .state_changed = ignore_text,
                                            .log_line = ignore_text };
    return f->config->client->create(&config);
}

/* One turn of a client: it is switched on, or steps. False: it cannot be made. */
static bool act(fleet *f, unsigned number) {
    unit *u = &f->units[number];
    const bootjack_linked_client *client = f->config->client;
    bj_libc_act_for(number);
    if (!u->client) {
        u->client = make(f, u);
        f->made += u->client != NULL;
        if (!u->client) {
            return false;
        }
    }
    f->steps++;
    client->step(u->client);
    bj_libc_acted(number);
    int64_t wish = client->next_deadline(u->client);
    wait_until(f, number, wish < 0 ? BJ_NEVER : bj_sim_now(f->sim) + (bj_time) wish * BJ_MS);
    return true;
}

/* --- the loop --------------------------------------------------------------------------------------------------- */

static bool any_poked(void *context) {
    (void) context;
    return bj_libc_any_poked();
}

static bool next_to_act(const fleet *f, unsigned *number) {
    if (bj_libc_next_poked(number)) {
        return true;
    }
    *number = f->heap[0];
    return f->units[*number].deadline <= bj_sim_now(f->sim);
}

/* At each moment every client gets its turn; then time goes on. A client whose turn has no end stops it: the world's
 * spin limit ends the run. */
static bool drive(fleet *f) {
    bj_time end = f->config->duration;
    while (bj_sim_now(f->sim) < end) {
        unsigned number;
        while (next_to_act(f, &number)) {
            bj_time moment = bj_sim_now(f->sim);
            if (!act(f, number)) {
                return false;
            }
            if (f->units[number].deadline <= moment && bj_sim_polled(f->sim) == BJ_SIM_OVER) {
                return true;
            }
        }
        bj_time deadline = f->units[f->heap[0]].deadline;
        if (bj_sim_wait_until(f->sim, any_poked, NULL, deadline < end ? deadline : end) == BJ_SIM_OVER) {
            return true;
        }
    }
    return true;
}

static void destroy_all(fleet *f) {
    for (unsigned i = 0; i < f->config->clients; i++) {
        if (f->units[i].client) {
            bj_libc_act_for(i);
            f->config->client->destroy(f->units[i].client);
        }
    }
}

/* --- putting together ------------------------------------------------------------------------------------------- */

/* A generator of its own, so that the order in which clients are switched on is the fleet's and not the world's. */
static uint64_t draw(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void line_up(fleet *f) {
    uint64_t state = f->config->seed;
    for (unsigned i = 0; i < f->config->clients; i++) {
        fleet_name(i, f->units[i].name);
        place(f, i, i);
        f->units[i].deadline = BJ_NEVER;
    }
    for (unsigned i = 0; i < f->config->clients; i++) {
        wait_until(f, i, f->config->spread ? draw(&state) % f->config->spread : 0);
    }
}

/* As many as the system allows; beyond that the interposed libc goes on by itself. */
static void raise_limit(unsigned clients) {
    struct rlimit limit;
    rlim_t wanted = (rlim_t) clients * DESCRIPTORS_OF_ONE + 64;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < wanted) {
        limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* A port for each server that a client speaks to. */
static bool has_ports(const fleet_config *config, char *why, size_t why_size) {
    unsigned most = PORTS / (1 + config->servers);
    snprintf(why, why_size, "clients of %u servers share the ports of one host, which are enough for %u of them",
             config->servers, most);
    return config->clients <= most;
}

static bool set_up(fleet *f, const fleet_config *config) {
    f->config = config;
    f->arena = bj_arena_map(((size_t) 64 << 20) + config->clients * WORLD_OF_ONE);
    f->log_memory = aligned_alloc(16, LOG);
    f->units = calloc(config->clients, sizeof *f->units);
    f->heap = calloc(config->clients, sizeof *f->heap);
    if (!f->arena || !f->log_memory || !f->units || !f->heap) {
        return false;
    }
    const bj_sim_config world = {
        .seed = config->seed, .budget = BJ_NEVER, .epoch = 1700000000, .first_port = FIRST_PORT
    };
    f->sim = bj_sim_new(f->arena, bj_log_create(f->log_memory, LOG), &world);
    const fleet_servers_config servers = { .sim = f->sim,
                                           .clients = config->clients,
                                           .servers = config->servers,
                                           .observations = config->observations,
                                           .lifetime_s = config->lifetime_s,
                                           .pmax_s = config->pmax_s,
                                           .curve_s = config->curve_s };
    f->servers = fleet_servers_new(&servers);
    line_up(f);
    return true;
}

static void tear_down(fleet *f) {
    fleet_servers_free(f->servers);
    if (f->arena) {
        bj_arena_unmap(f->arena);
    }
    free(f->log_memory);
    free(f->units);
    free(f->heap);
}

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

/* getrusage() would count what this process was before it became this program, too. 0: not known. */
static size_t resident_at_most(void) {
    char line[128];
    size_t kilobytes = 0;
    FILE *status = fopen("/proc/self/status", "re");
    while (status && !kilobytes && fgets(line, sizeof line, status)) {
        if (!strncmp(line, "VmHWM:", 6)) {
            kilobytes = strtoul(line + 6, NULL, 10);
        }
    }
    if (status) {
        fclose(status);
    }
    return kilobytes * 1024;
}

static void take_result(const fleet *f, fleet_result *result) {
    result->counts = *fleet_servers_counts(f->servers);
    result->made = f->made;
    result->complete = fleet_servers_complete(f->servers);
    result->complete_at = fleet_servers_complete_at(f->servers);
    result->virtual_time = bj_sim_now(f->sim);
    result->steps = f->steps;
    result->heap = mallinfo2().uordblks;
    result->world = bj_arena_peak(f->arena);
    result->curve = calloc(f->config->curve_s + 1, sizeof *result->curve);
    if (result->curve) {
        memcpy(result->curve, fleet_servers_curve(f->servers), f->config->curve_s * sizeof *result->curve);
    }
}

static void over(void *context) {
    fleet *f = context;
    siglongjmp(f->over, 1);
}

bool fleet_run(const fleet_config *config, fleet_result *result, char *why, size_t why_size) {
    static fleet f; /* not on the stack: siglongjmp() comes back to it */
    memset(&f, 0, sizeof f);
    *result = (fleet_result){ .heap_before = 0 };
    if (!has_ports(config, why, why_size)) {
        return false;
    }
    raise_limit(config->clients);
    bool sound = set_up(&f, config);
    if (!sound) {
        snprintf(why, why_size, "no memory for so many clients");
        tear_down(&f);
        return false;
    }
    result->heap_before = mallinfo2().uordblks;
    double begin = seconds_now();
    bj_libc_enter(f.sim, over, &f);
    bj_libc_act_for(config->clients - 1);
    if (sigsetjmp(f.over, 0) == 0) {
        sound = drive(&f);
    }
    bj_libc_outside();
    take_result(&f, result);
    bj_libc_inside();
    result->real_s = 0;
    if (!bj_sim_over(f.sim)) {
        destroy_all(&f);
    }
    bj_libc_leave();
    result->resident = resident_at_most(); /* not before: a large fleet has all descriptors */
    result->real_s = seconds_now() - begin;
    if (!sound) {
        snprintf(why, why_size, "client %u cannot be made", f.made);
    }
    tear_down(&f);
    return sound;
}
