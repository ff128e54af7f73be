/* SPDX-License-Identifier: Apache-2.0
 *
 * The simulated world's clock: waits of the client in which events happen, the guards of its progress, and whom the
 * world tells what. What happens is in the files beside this one.
 */
#include "world/sim.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "world/sim_internal.h"

enum { GLANCES_FOR_FREE = 1000 };

/* A century: clients count nanoseconds in 64 bits, which end after three, and many count milliseconds in fewer. */
static const bj_time LONGEST_RUN = (bj_time) 36525 * 86400 * BJ_SECOND;

static const bj_link first_link = { .latency = BJ_MS };

static void declare_client(bj_sim *sim) {
    bj_addr own[BJ_CLIENT_ADDRESS_COUNT] = BJ_CLIENT_ADDRESSES;
    sim_declare(bj_sim_world(sim), BJ_ACTOR_CLIENT, "client", own, BJ_CLIENT_ADDRESS_COUNT);
}

bj_sim *bj_sim_new(bj_arena *arena, bj_log *log, const bj_sim_config *config) {
    bj_sim *sim = bj_arena_alloc(arena, sizeof *sim);
    sim->arena = arena;
    sim->log = log;
    sim->budget = config->budget && config->budget < LONGEST_RUN ? config->budget : LONGEST_RUN;
    sim->quantum = config->quantum ? config->quantum : 10;
    sim->first_port = config->first_port ? config->first_port : 49152;
    sim->spin_limit = config->spin_limit ? config->spin_limit : 200000;
    sim->epoch = config->epoch;
    sim->timer.time = BJ_NEVER;
    sim->timer.kind = SIM_TICK;
    sim->default_link = first_link;
    bj_rng_seed(&sim->ties, config->seed, 1);
    bj_rng_seed(&sim->world, config->seed, 2);
    bj_rng_seed(&sim->client, config->seed, 3);
    sim->disk = bj_disk_new(arena);
    declare_client(sim);
    return sim;
}

void bj_sim_set_engine(bj_sim *sim, bj_engine *engine) {
    sim->engine = engine;
}

void bj_sim_set_peer(bj_sim *sim, const bj_sim_peer *peer) {
    sim->peer = *peer;
}

void bj_sim_attach(bj_sim *sim, bj_sim_signal_fn *deliver_signal, void *context) {
    sim->deliver_signal = deliver_signal;
    sim->signal_context = context;
}

uint32_t sim_log(bj_sim *sim, bj_event event) {
    if (sim->over || !sim->log) {
        return 0;
    }
    event.time = sim->now;
    return bj_log_append(sim->log, &event);
}

/* --- telling -------------------------------------------------------------------------------------------------- */

void sim_tell_datagram(bj_sim *sim, int endpoint, const sim_packet *packet, uint32_t event) {
    sim->handling = event;
    if (sim->engine) {
        bj_engine_datagram(sim->engine, endpoint, &packet->from, packet->data, packet->length, event);
    } else if (sim->peer.datagram) {
        sim->peer.datagram(sim->peer.context, endpoint, &packet->from, packet->data, packet->length, event);
    }
    sim->handling = 0;
}

void sim_tell_icmp(bj_sim *sim, const bj_addr *to, uint32_t event) {
    sim->handling = event;
    if (sim->engine) {
        bj_engine_icmp(sim->engine, to, event);
    }
    sim->handling = 0;
}

void sim_tell_opened(bj_sim *sim, int endpoint, int connection, const bj_addr *from, uint32_t event) {
    sim->handling = event;
    if (sim->engine) {
        bj_engine_stream_opened(sim->engine, endpoint, connection, from, event);
    } else if (sim->peer.stream_opened) {
        sim->peer.stream_opened(sim->peer.context, endpoint, connection, from, event);
    }
    sim->handling = 0;
}

void sim_tell_data(bj_sim *sim, int connection, const uint8_t *data, size_t length, uint32_t event) {
    sim->handling = event;
    if (sim->engine) {
        bj_engine_stream_data(sim->engine, connection, data, length, event);
    } else if (sim->peer.stream_data) {
        sim->peer.stream_data(sim->peer.context, connection, data, length, event);
    }
    sim->handling = 0;
}

void sim_tell_closed(bj_sim *sim, int connection, bool reset, uint32_t event) {
    sim->handling = event;
    if (sim->engine) {
        bj_engine_stream_closed(sim->engine, connection, reset, event);
    } else if (sim->peer.stream_closed) {
        sim->peer.stream_closed(sim->peer.context, connection, reset, event);
    }
    sim->handling = 0;
}

void sim_tell_dns(bj_sim *sim, const char *name, bool failed, uint32_t event) {
    sim->handling = event;
    if (sim->engine) {
        bj_engine_dns_answered(sim->engine, name, failed, event);
    }
    sim->handling = 0;
}

void sim_tell_tick(bj_sim *sim) {
    if (sim->engine) {
        bj_engine_tick(sim->engine);
    } else if (sim->peer.tick) {
        sim->peer.tick(sim->peer.context);
    }
}

static const sim_event *next_event(bj_sim *sim);

/* The client cannot go on. Whatever the engine makes of it, the run is over; but a client without power may have been
 * given it again, and for one that only waits the engine may have ended its script and begun to heal the world. */
static void stuck(bj_sim *sim, const char *how, bool waits) {
    int64_t until = sim->waiting && sim->wake != BJ_NEVER ? (int64_t) sim->wake : -1;
    uint32_t event =
        sim_log(sim, (bj_event){ .kind = BJ_EV_WAIT, .actor = BJ_ACTOR_CLIENT, .number = until, .text = how });
    if (sim->engine && !sim->over) {
        bj_engine_client_stuck(sim->engine, how, waits, event);
    }
    bool healing = waits && sim->engine && bj_engine_is_healing(sim->engine) && next_event(sim);
    sim->over |= !sim->start_due && !healing;
}

/* --- time ----------------------------------------------------------------------------------------------------- */

bj_time bj_sim_now(const bj_sim *sim) {
    return sim->now;
}

bool bj_sim_spun(const bj_sim *sim) {
    return sim->spun;
}

int64_t bj_sim_epoch(const bj_sim *sim) {
    return sim->epoch;
}

/* The event that comes next, in the queue or the engine's timer; NULL = nothing is to come. */
static const sim_event *next_event(bj_sim *sim) {
    const sim_event *next = sim_queue_first(sim);
    if (!next || sim_before(&sim->timer, next)) {
        next = &sim->timer;
    }
    return next->time == BJ_NEVER ? NULL : next;
}

bj_time bj_sim_next_event(const bj_sim *sim) {
    /* Looking may throw away events that concern nobody: not a change that anyone can see. */
    const sim_event *next = next_event((bj_sim *) (uintptr_t) sim);
    return next ? next->time : BJ_NEVER;
}

static void happen(bj_sim *sim) {
    if (next_event(sim) == &sim->timer) {
        sim->now = sim->timer.time;
        sim->timer.time = BJ_NEVER;
        sim_tell_tick(sim);
        return;
    }
    sim_event event = sim_queue_pop(sim);
    sim->now = event.time;
    switch ((sim_event_kind) event.kind) {
    case SIM_DATAGRAM:
        sim_datagram_arrives(sim, event.what);
        break;
    case SIM_ICMP:
        sim_icmp_arrives(sim, event.what);
        break;
    case SIM_SEGMENT:
        sim_segment_arrives(sim, event.what);
        break;
    case SIM_STREAM_TIMEOUT:
        sim_stream_timed_out(sim, event.what);
        break;
    case SIM_TICK:
        assert(!"the timer is not in the heap");
    }
}

/* Hands pending signals to the client; false when there are none. */
static bool deliver_signals(bj_sim *sim) {
    bool any = sim->signals != 0;
    for (int number = 1; sim->signals; number++) {
        uint64_t bit = UINT64_C(1) << (number - 1);
        if (sim->signals & bit) {
            sim->signals &= ~bit;
            if (sim->deliver_signal) {
                sim->deliver_signal(sim->signal_context, number);
            }
        }
    }
    return any;
}

static bj_sim_wait out_of_time(bj_sim *sim) {
    BJ_TEXT(how, 100);
    bj_text_add(&how, "needs more than the ");
    bj_duration_print(&how, sim->budget);
    bj_text_add(&how, " of virtual time that the run may take");
    sim->now = sim->budget;
    stuck(sim, how.start, false);
    return BJ_SIM_OVER;
}

/* Lets time pass until the deadline (with its tie) or until something interesting happened. */
static bj_sim_wait pass_time(bj_sim *sim, bool (*ready)(void *context), void *context, const sim_event *deadline) {
    for (;;) {
        const sim_event *next = next_event(sim);
        if (!next && deadline->time == BJ_NEVER) {
            stuck(sim, "blocks for ever, and nothing is to come", true);
            if (sim->over || sim->start_due || bj_sim_over(sim)) {
                return BJ_SIM_OVER;
            }
            continue;
        }
        bool ends = !next || sim_before(deadline, next);
        if ((ends ? deadline->time : next->time) > sim->budget) {
            return out_of_time(sim);
        }
        if (ends) {
            sim->now = deadline->time;
            return BJ_SIM_DEADLINE;
        }
        happen(sim);
        if (bj_sim_over(sim)) {
            return BJ_SIM_OVER;
        }
        if (deliver_signals(sim)) {
            return bj_sim_over(sim) ? BJ_SIM_OVER : BJ_SIM_SIGNAL;
        }
        if (ready && ready(context)) {
            return BJ_SIM_READY;
        }
    }
}

static bj_sim_wait wait_for(bj_sim *sim, bool (*ready)(void *context), void *context, bj_time until) {
    sim_event deadline = { .time = until, .tie = sim_tie(sim), .sequence = UINT64_MAX };
    if (until <= sim->now) {
        deadline.time = sim->now;
        deadline.tie = UINT32_MAX; /* what happens now happens first */
    }
    sim->waiting = true;
    sim->wake = until;
    bj_sim_wait result = pass_time(sim, ready, context, &deadline);
    sim->waiting = false;
    return result;
}

/* A call that neither waited nor moved anything. `price`: virtual time that passes in any case. */
static bj_sim_wait idled(bj_sim *sim, bool always_costs) {
    if (++sim->idle > sim->spin_limit) {
        BJ_TEXT(how, 120);
        bj_text_printf(&how, "spins: %" PRIu64 " calls in a row that neither wait nor move anything", sim->spin_limit);
        sim->spun = true;
        stuck(sim, how.start, false);
        return BJ_SIM_OVER;
    }
    if (always_costs || sim->idle > GLANCES_FOR_FREE) {
        return wait_for(sim, NULL, NULL, sim_later(sim->now, sim->quantum));
    }
    return BJ_SIM_READY;
}

void sim_moved(bj_sim *sim) {
    sim->idle = 0;
    if (sim->burst_time != sim->now) {
        sim->burst_time = sim->now;
        sim->burst = 0;
    }
    if (++sim->burst > sim->spin_limit && !sim->over) {
        sim->spun = true;
        stuck(sim, "sends or receives without end, and never waits", false);
    }
}

bj_sim_wait bj_sim_wait_until(bj_sim *sim, bool (*ready)(void *context), void *context, bj_time deadline) {
    if (bj_sim_over(sim)) {
        return BJ_SIM_OVER;
    }
    if (deliver_signals(sim)) {
        return BJ_SIM_SIGNAL;
    }
    if (ready && ready(context)) {
        return idled(sim, false) == BJ_SIM_OVER ? BJ_SIM_OVER : BJ_SIM_READY;
    }
    bj_time before = sim->now;
    uint64_t changes = sim->changes;
    bj_sim_wait result = wait_for(sim, ready, context, deadline);
    if (sim->now != before || sim->changes != changes) {
        sim->idle = 0;
    } else if (result != BJ_SIM_OVER && idled(sim, false) == BJ_SIM_OVER) {
        result = BJ_SIM_OVER;
    }
    return result;
}

static bj_sim_wait after_idling(bj_sim *sim, bool always_costs) {
    if (bj_sim_over(sim)) {
        return BJ_SIM_OVER;
    }
    if (deliver_signals(sim)) {
        return BJ_SIM_SIGNAL;
    }
    bj_time until = sim_later(sim->now, sim->quantum);
    bj_sim_wait result = idled(sim, always_costs);
    /* The quantum is paid in full, whatever interrupted it. */
    if (result == BJ_SIM_SIGNAL && sim->now < until) {
        sim->now = bj_sim_next_event(sim) < until ? bj_sim_next_event(sim) : until;
    }
    return result;
}

bj_sim_wait bj_sim_polled(bj_sim *sim) {
    return after_idling(sim, true);
}

bj_sim_wait bj_sim_glanced(bj_sim *sim) {
    return after_idling(sim, false);
}

uint64_t bj_sim_random(bj_sim *sim) {
    return bj_rng_next(&sim->client);
}

bool bj_sim_over(const bj_sim *sim) {
    return sim->over || sim->cut;
}

uint64_t bj_sim_changes(const bj_sim *sim) {
    return sim->changes;
}

/* --- what the engine may ask ---------------------------------------------------------------------------------- */

static bj_time world_now(bj_world *w) {
    return sim_of(w)->now;
}

static uint64_t world_random(bj_world *w) {
    return bj_rng_next(&sim_of(w)->world);
}

static bj_log *world_log(bj_world *w) {
    return sim_of(w)->log;
}

static void world_set_timer(bj_world *w, bj_time when) {
    bj_sim *sim = sim_of(w);
    if (when == sim->timer.time) {
        return;
    }
    sim->timer.time = when > sim->now ? when : sim->now;
    sim->timer.tie = sim_tie(sim);
    sim->timer.sequence = ++sim->queue.sequence;
}

static int world_client_signal(bj_world *w, int signal_number) {
    bj_sim *sim = sim_of(w);
    if (signal_number < 1 || signal_number > 64) {
        return -EINVAL;
    }
    if (sim->absent || sim->cut) {
        return -ESRCH;
    }
    sim->signals |= UINT64_C(1) << (signal_number - 1);
    sim_log(sim, (bj_event){ .kind = BJ_EV_CLIENT_SIGNAL,
                             .actor = BJ_ACTOR_WORLD,
                             .cause = sim->handling,
                             .number = signal_number });
    return 0;
}

static bj_time world_client_wake(bj_world *w) {
    const bj_sim *sim = sim_of(w);
    return sim->waiting ? sim->wake : sim->now;
}

static void world_finish(bj_world *w) {
    sim_of(w)->over = true;
}

/* Names stay names: the client asks the world for them. */
static bool world_real_address(bj_world *w, const char *name, uint16_t port, bj_addr *address) {
    (void) w;
    (void) name;
    (void) port;
    (void) address;
    return false;
}

static int64_t world_epoch(bj_world *w) {
    return bj_sim_epoch(sim_of(w));
}

static bool world_extend_budget(bj_world *w, bj_time until) {
    bj_sim *sim = sim_of(w);
    bj_time possible = until < LONGEST_RUN ? until : LONGEST_RUN;
    sim->budget = possible > sim->budget ? possible : sim->budget;
    return possible == until;
}

static const bj_world_ops ops = {
    .can = BJ_CAN_DNS | BJ_CAN_FAULTS | BJ_CAN_VIRTUAL_TIME | BJ_CAN_CLIENT_LIFE | BJ_CAN_WAKE | BJ_CAN_POWER_CUT |
           BJ_CAN_DISK | BJ_CAN_INPUT | BJ_CAN_HEAL,
    .now = world_now,
    .random = world_random,
    .log = world_log,
    .declare = sim_declare,
    .open = sim_open,
    .close = sim_close,
    .send = sim_send,
    .stream_send = sim_stream_send,
    .stream_close = sim_stream_close,
    .set_timer = world_set_timer,
    .set_link = sim_set_link,
    .add_fault = sim_add_fault,
    .clear_faults = sim_clear_faults,
    .set_dns = sim_set_dns,
    .client_signal = world_client_signal,
    .client_input = sim_client_input,
    .client_wake = world_client_wake,
    .power_cut = sim_power_cut,
    .client_start = sim_client_start,
    .order_disk = sim_order_disk,
    .put_file = sim_put_file,
    .look_at_file = sim_look_at_file,
    .finish = world_finish,
    .real_address = world_real_address,
    .extend_budget = world_extend_budget,
    .epoch = world_epoch,
};

const bj_world_ops *bj_sim_ops(void) {
    return &ops;
}
