/* SPDX-License-Identifier: Apache-2.0
 *
 * See child.h.
 */
#define _GNU_SOURCE
#include "attach/child.h"

#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attach/feed.h"
#include "script/bytes.h"

static bj_shared *exhausted_run;

static void exhausted(size_t wanted) {
    bj_shared_trouble(exhausted_run, "the world's memory is used up (%zu more bytes were wanted)", wanted);
    bj_child_vanish(1);
}

static bj_record *decode(const bj_child *child, bj_kind kind, const bj_range *bytes, const bj_range *positions) {
    return bj_program_decode(child->arena, kind, bj_shared_at(child->shared, bytes), bytes->length,
                             bj_shared_at(child->shared, positions), positions->length / sizeof(bj_position));
}

void bj_child_open(bj_child *child, bj_shared *shared) {
    exhausted_run = shared;
    bj_arena_on_exhausted(exhausted);
    *child = (bj_child){ .shared = shared };
    child->log = bj_log_create(bj_shared_at(shared, &shared->log), shared->log.length);
    child->arena = bj_arena_create(bj_shared_at(shared, &shared->arena), shared->arena.length);
    child->scenario = decode(child, BJ_K_SCENARIO, &shared->scenario, &shared->scenario_positions);
    child->profile = decode(child, BJ_K_PROFILE, &shared->profile, &shared->profile_positions);
    bj_event begin = { .kind = BJ_EV_RUN_BEGIN,
                       .number = (int64_t) shared->seed,
                       .text = bj_get_string(child->scenario, BJ_F(SCENARIO, TITLE), ""),
                       .raw = bj_shared_at(shared, &shared->scenario),
                       .raw_length = shared->scenario.length };
    bj_log_append(child->log, &begin);
}

void bj_child_engine(bj_child *child, bj_world *world, const bj_world_ops *ops) {
    child->world = world;
    child->ops = ops;
    child->engine = bj_engine_new(child->arena, child->scenario, child->profile, world, ops);
    bj_feed_take_up(child);
    if (child->prepare) {
        child->prepare(child);
    }
}

void bj_child_begin(bj_child *child) {
    bj_engine_start(child->engine);
    atomic_store(&child->shared->phase, BJ_PHASE_WORLD);
}

static bj_time now(const bj_child *child) {
    return child->ops->now(child->world);
}

void bj_child_simulate(bj_child *child) {
    bj_sim_config config = {
        .seed = child->shared->seed,
        .budget = bj_get_duration(child->scenario, BJ_F(SCENARIO, BUDGET), 10 * 86400 * BJ_SECOND),
        .epoch = BJ_EPOCH,
    };
    child->sim = bj_sim_new(child->arena, child->log, &config);
    bj_child_engine(child, bj_sim_world(child->sim), bj_sim_ops());
    bj_sim_set_engine(child->sim, child->engine);
    bj_child_hears(child);
    if (child->shared->cut_operation) {
        bj_sim_cut_at(child->sim, child->shared->cut_operation, child->shared->cut_outcome);
    }
    bj_engine_cut_at_step(child->engine, child->shared->cut_step, child->shared->cut_outcome);
    bj_child_begin(child);
}

void bj_child_starts(bj_child *child, const char *how) {
    bj_event start = { .kind = BJ_EV_CLIENT_START, .actor = BJ_ACTOR_CLIENT, .time = now(child), .text = how };
    bj_log_append(child->log, &start);
}

void bj_child_exited(bj_child *child, int status, int signal_number) {
    bj_child_hear_last(child);
    bj_event exited = { .kind = BJ_EV_CLIENT_EXIT,
                        .actor = BJ_ACTOR_CLIENT,
                        .time = now(child),
                        .number = status,
                        .other = signal_number };
    uint32_t event = bj_log_append(child->log, &exited);
    if (child->sim) {
        bj_sim_client_left(child->sim);
    }
    if (!bj_engine_done(child->engine)) {
        bj_engine_client_exited(child->engine, status, signal_number, event);
    }
}

bool bj_child_without_client(bj_child *child) {
    return !bj_engine_done(child->engine) && bj_sim_without_client(child->sim);
}

void bj_child_resume(bj_child *child, bj_shared *shared) {
    exhausted_run = shared;
    bj_arena_on_exhausted(exhausted);
    *child = *(const bj_child *) (uintptr_t) shared->child;
    shared->child = 0;
    child->ops = bj_sim_ops();
    bj_engine_attach(child->engine, child->world, child->ops);
    bj_child_hears(child);
    bj_feed_take_up(child);
}

void bj_child_over(bj_child *child) {
    bj_child_hear_last(child);
    bj_event end = { .kind = BJ_EV_RUN_END, .time = now(child) };
    bj_log_append(child->log, &end);
    atomic_store(&child->shared->phase, BJ_PHASE_OVER);
}

_Noreturn void bj_child_vanish(int status) {
    for (;;) {
        syscall(SYS_exit_group, status);
    }
}
