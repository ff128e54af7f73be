/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine's life: made, started, told by the world what happened, and the verdict at the end. Every entry from the
 * world is the same: read the log up to here, take in what happened, let the cursors go on, set the timer.
 */
#include "script/engine_internal.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

/* --- small things that all files use --- */

bj_time bj__add(bj_time time, int64_t offset) {
    if (time == BJ_NEVER || offset == INT64_MAX) {
        return BJ_NEVER;
    }
    if (offset < 0) {
        bj_time back = (bj_time) - (offset + 1) + 1;
        return back > time ? 0 : time - back;
    }
    return time > BJ_NEVER - (bj_time) offset ? BJ_NEVER : time + (bj_time) offset;
}

static uint32_t append(bj_engine *e, bj_event_kind kind, uint8_t actor, bj_position position, uint32_t cause,
                       int64_t number, const char *text) {
    bj_event event = { .time = e->ops->now(e->world),
                       .kind = (uint8_t) kind,
                       .actor = actor,
                       .position = position,
                       .cause = cause,
                       .number = number,
                       .text = text };
    return bj_log_append(e->ops->log(e->world), &event);
}

uint32_t bj__log(bj_engine *e, bj_event_kind kind, uint8_t actor, uint32_t cause, const char *text) {
    return append(e, kind, actor, (bj_position){ 0, 0 }, cause, 0, text);
}

uint32_t bj__log_step(bj_engine *e, bj_event_kind kind, bj_position position, uint32_t cause, const char *text) {
    return append(e, kind, BJ_ACTOR_SCRIPT, position, cause, 0, text);
}

bj__progress bj__fail(bj_engine *e, bj__thread *t, const char *format, ...) {
    bj_text text = bj_text_over(t->reason, sizeof t->reason);
    va_list arguments;
    va_start(arguments, format);
    bj_text_vprintf(&text, format, arguments);
    va_end(arguments);
    t->failure_cause = e->cause;
    t->position = t->step ? t->step->position : (bj_position){ 0, 0 };
    return BJ__FAILED;
}

void bj__warn(bj__thread *t, const char *format, ...) {
    if (t->warned) {
        return;
    }
    bj_text text = bj_text_over(t->warning, sizeof t->warning);
    va_list arguments;
    va_start(arguments, format);
    bj_text_vprintf(&text, format, arguments);
    va_end(arguments);
    t->warned = true;
    t->warning_position = t->step ? t->step->position : (bj_position){ 0, 0 };
}

void bj__end(bj_engine *e, bj_verdict verdict, bj_position position, uint32_t cause, const char *reason) {
    if (e->done) {
        return;
    }
    if (verdict == BJ_FAIL && !e->lenient) { /* lenient: it stands there already */
        bj__log_step(e, BJ_EV_STEP_FAILED, position, cause, reason);
    }
    append(e, BJ_EV_VERDICT, BJ_ACTOR_SCRIPT, position, cause, verdict, reason);
    e->done = true;
    e->verdict = (uint8_t) verdict;
    e->ops->set_timer(e->world, BJ_NEVER);
    e->ops->finish(e->world);
}

void bj__step_broke(bj_engine *e, bj_verdict verdict, bj_position position, uint32_t cause, const char *reason) {
    bj__log_step(e, BJ_EV_STEP_FAILED, position, cause, reason);
    if (!e->failure) {
        bj_text kept = bj_text_over(e->failure_reason, sizeof e->failure_reason);
        bj_text_add(&kept, reason);
        e->failure = (uint8_t) verdict;
        e->failure_position = position;
        e->failure_cause = cause;
    }
}

void bj__conclude(bj_engine *e, bj_verdict verdict, bj_position position, uint32_t cause, const char *reason) {
    if (!e->lenient || e->script_done || !e->thread_count) {
        bj__end(e, verdict, position, cause, reason);
    } else if (!e->done) {
        bj__step_broke(e, verdict, position, cause, reason);
        e->broken = true;
    }
}

void bj__conclude_printf(bj_engine *e, bj_verdict verdict, bj_position position, const char *format, ...) {
    BJ_TEXT(reason, BJ__REASON);
    va_list arguments;
    va_start(arguments, format);
    bj_text_vprintf(&reason, format, arguments);
    va_end(arguments);
    bj__conclude(e, verdict, position, e->cause, reason.start);
}

/* --- life --- */

static void read_transmission(bj_engine *e) {
    const bj_record *given = bj_get_record(e->scenario, BJ_F(SCENARIO, TRANSMISSION));
    e->ack_timeout = bj_get_duration(given, BJ_F(TRANSMISSION, ACK_TIMEOUT), 2 * BJ_SECOND);
    e->ack_random_factor = bj_get_factor(given, BJ_F(TRANSMISSION, ACK_RANDOM_FACTOR), 1500000);
    uint32_t retransmit = bj_get_uint(given, BJ_F(TRANSMISSION, MAX_RETRANSMIT), 4);
    e->max_retransmit = retransmit > 20 ? 20 : retransmit;
    if (e->ack_timeout > 3600 * BJ_SECOND) {
        e->ack_timeout = 3600 * BJ_SECOND;
    }
    if (e->ack_random_factor < 1000000 || e->ack_random_factor > 100000000) {
        e->ack_random_factor = 1500000;
    }
    /* RFC 7252 §4.8.2: MAX_TRANSMIT_SPAN + 2 * MAX_LATENCY + PROCESSING_DELAY */
    bj_time span = e->ack_timeout * (((bj_time) 1 << e->max_retransmit) - 1) / 1000000 * e->ack_random_factor +
                   e->ack_timeout * (((bj_time) 1 << e->max_retransmit) - 1) % 1000000 * e->ack_random_factor / 1000000;
    e->exchange_lifetime = span + 200 * BJ_SECOND + e->ack_timeout;
}

bj_engine *bj_engine_new(bj_arena *arena, const bj_record *scenario, const bj_record *profile, bj_world *world,
                         const bj_world_ops *ops) {
    assert(scenario && scenario->kind == BJ_K_SCENARIO);
    assert(!profile || profile->kind == BJ_K_PROFILE);
    bj_engine *e = bj_arena_alloc(arena, sizeof *e);
    e->arena = arena;
    e->scenario = scenario;
    e->profile = profile;
    e->world = world;
    e->ops = ops;
    e->threads = bj_arena_alloc_raw(arena, BJ__THREADS * sizeof *e->threads);
    e->threads[0] = (bj__thread){ 0 }; /* the others become copies */
    e->scratch = bj_arena_alloc_raw(arena, BJ__MESSAGE);
    e->payload = bj_arena_alloc_raw(arena, BJ__MESSAGE);
    e->fallen = bj_arena_alloc(arena, sizeof *e->fallen);
    *e->fallen = bj_text_over(bj_arena_alloc(arena, BJ__REASON), BJ__REASON);
    e->observation_room = 64;
    e->observations = bj_arena_alloc_raw(arena, e->observation_room * sizeof *e->observations);
    e->contacts = bj_arena_alloc_raw(arena, BJ__CONTACTS * sizeof *e->contacts);
    e->timer = BJ_NEVER;
    e->next_id = 1;
    read_transmission(e);
    bj__servers_new(e);
    return e;
}

void bj_engine_attach(bj_engine *e, bj_world *world, const bj_world_ops *ops) {
    e->world = world;
    e->ops = ops;
    bj__secure_attach(e);
}

/* Where time is real, deadlines are met late by scheduling and seen late by loopback. */
static void read_tolerance(bj_engine *e) {
    e->tolerance = bj_get_duration(e->profile, BJ_F(PROFILE, TOLERANCE), 0);
    if (!(e->ops->can & BJ_CAN_VIRTUAL_TIME)) {
        e->tolerance += BJ_SECOND;
        e->earliness = 100 * BJ_MS;
    }
}

static void set_timer(bj_engine *e) {
    if (e->done) {
        return;
    }
    bj_time when = bj__min(bj__min(bj__messages_timer(e), bj__threads_timer(e)), bj__secure_timer(e));
    when = bj__min(when, bj__heal_timer(e));
    if (when != BJ_NEVER && when <= e->now) {
        when = e->now + 1;
    }
    if (when != e->timer) {
        e->timer = when;
        e->ops->set_timer(e->world, when);
    }
}

static bool enter(bj_engine *e, uint32_t event) {
    if (!e->started || e->done) {
        return false;
    }
    e->now = e->ops->now(e->world);
    e->cause = event;
    bj__follow(e);
    return true;
}

static void leave(bj_engine *e) {
    if (e->heal.on) {
        bj__heal_go(e);
    } else {
        bj__settle(e);
    }
    if (!e->done && !e->heal.on && e->cut_step && e->steps_begun >= e->cut_step) {
        bj__life_cut_at_step(e);
        bj__settle(e);
    }
    if (!e->done) {
        bj__messages_expire(e);
        set_timer(e);
    }
}

void bj_engine_be_lenient(bj_engine *e) {
    e->lenient = true;
}

void bj_engine_be_terse(bj_engine *e) {
    e->terse = true;
}

void bj_engine_set_least_piece(bj_engine *e, uint32_t bytes) {
    e->least_piece = bytes;
}

void bj_engine_end_script(bj_engine *e) {
    if (!e->script_done && enter(e, 0)) {
        bj__script_over(e);
        leave(e);
    }
}

bool bj_engine_is_healing(const bj_engine *e) {
    return e->heal.on;
}

void bj_engine_cut_at_step(bj_engine *e, uint32_t step, uint32_t outcome) {
    e->cut_step = step;
    e->cut_outcome = outcome;
}

void bj_engine_start(bj_engine *e) {
    assert(!e->started);
    e->started = true;
    e->now = e->ops->now(e->world);
    read_tolerance(e);
    BJ_TEXT(why, 256);
    if (!bj__needs_met(e, e->scenario, &why)) {
        bj__conclude(e, BJ_SKIP, e->scenario->position, 0, why.start);
        return;
    }
    if (!bj__servers_start(e)) {
        return;
    }
    e->restarts = e->feed || bj__life_restarts(e);
    bj__life_furnish(e);
    bj__due_start(e);
    bj__threads_begin(e);
    leave(e);
}

/* --- what the world reports --- */

void bj_engine_datagram(bj_engine *e, int endpoint, const bj_addr *from, const uint8_t *data, size_t length,
                        uint32_t event) {
    if (!enter(e, event)) {
        return;
    }
    bj__server *s = bj__server_at_endpoint(e, endpoint);
    if (s && s->guard) {
        bj__secure_datagram(e, s, endpoint, from, data, length, event);
    } else if (s) {
        bj__target target = { .known = true, .endpoint = endpoint, .connection = -1, .peer = *from };
        bj_coap m;
        bj_coap_fault fault = bj_coap_decode(&m, data, length);
        bj__message(e, s, &target, &m, fault, data, length, event);
    }
    leave(e);
}

void bj_engine_stream_opened(bj_engine *e, int endpoint, int connection, const bj_addr *from, uint32_t event) {
    if (enter(e, event)) {
        bj__stream_opened(e, endpoint, connection, from, event);
        leave(e);
    }
}

void bj_engine_stream_data(bj_engine *e, int connection, const uint8_t *data, size_t length, uint32_t event) {
    if (enter(e, event)) {
        bj__stream_data(e, connection, data, length, event);
        leave(e);
    }
}

void bj_engine_stream_closed(bj_engine *e, int connection, bool reset, uint32_t event) {
    (void) reset;
    if (enter(e, event)) {
        bj__stream_closed(e, connection);
        leave(e);
    }
}

void bj_engine_dns_answered(bj_engine *e, const char *name, bool failed, uint32_t event) {
    if (enter(e, event)) {
        if (failed) {
            bj__heal_name_failed(e, name);
            bj__due_name_failed(e, name);
        } else {
            bj__due_name_resolved(e, name);
        }
        leave(e);
    }
}

void bj_engine_icmp(bj_engine *e, const bj_addr *to, uint32_t event) {
    if (enter(e, event)) {
        bj__due_port_closed(e, to);
        leave(e);
    }
}

void bj_engine_tick(bj_engine *e) {
    if (enter(e, 0)) {
        e->timer = BJ_NEVER;
        bj__secure_tick(e);
        bj__messages_tick(e);
        leave(e);
    }
}

void bj_engine_client_exited(bj_engine *e, int status, int signal_number, uint32_t event) {
    if (!enter(e, event)) {
        return;
    }
    e->gone = true;
    e->exit_status = status;
    e->exit_signal = signal_number;
    e->exit_event = event;
    e->exit_time = e->now;
    leave(e);
}

void bj_engine_power_cut(bj_engine *e, uint32_t event) {
    if (enter(e, event)) {
        bj__life_cut(e, event);
        leave(e);
    }
}

void bj_engine_client_stuck(bj_engine *e, const char *how, bool waits, uint32_t event) {
    if (!enter(e, event)) {
        return;
    }
    if (e->heal.on) {
        bj__heal_stuck(e, how);
        return;
    }
    bj__settle(e);
    if (waits && e->lenient && !e->done && !e->heal.on && !e->script_done) { /* nobody goes on with it */
        bj__script_over(e);
    }
    if (e->heal.on) { /* that ended a lenient script: the client is to be started again, or can go on */
        leave(e);
    }
    if (e->done || e->heal.on) {
        return;
    }
    BJ_TEXT(reason, BJ__REASON);
    bj_position position = { 0, 0 };
    if (e->thread_count) {
        position = e->threads[0].step ? e->threads[0].step->position : position;
        bj_text_add(&reason, "expected ");
        bj__awaited_text(e, &e->threads[0], &reason);
        bj_text_add(&reason, "; ");
    }
    bj_text_add(&reason, how);
    bj__end(e, BJ_FAIL, position, event, reason.start);
}

bool bj_engine_done(const bj_engine *e) {
    return e->done;
}

bj_verdict bj_engine_verdict(const bj_engine *e) {
    return (bj_verdict) e->verdict;
}

void bj_engine_client_uri(const bj_engine *e, const char *uri, bj_text *out) {
    /* expanding changes nothing in the engine but the arena's free lists */
    bj__expanded text = bj__expand((bj_engine *) (uintptr_t) e, NULL, (bj_string){ uri, strlen(uri) });
    bj_text_add_bytes(out, text.bytes, text.length);
    bj_arena_free(e->arena, text.owned);
}
