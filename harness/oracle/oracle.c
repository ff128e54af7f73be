/* SPDX-License-Identifier: Apache-2.0
 *
 * The oracles' life: every event goes to all of them, in the order of the table; what they find broken is kept, the
 * first time a rule.
 */
#define _GNU_SOURCE
#include "oracle/internal.h"

#include <assert.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* exchange.c comes first: it knows which message belongs to which, and the others ask it. */
static const oracle_def *const oracles[] = {
    &oracle_exchange,     &oracle_message,    &oracle_stream,        &oracle_payload,    &oracle_model,
    &oracle_operations,   &oracle_showing,    &oracle_consistencies, &oracle_attempts,   &oracle_growing,
    &oracle_registration, &oracle_transports, &oracle_retries,       &oracle_blocks,     &oracle_standings,
    &oracle_secrets,      &oracle_recovering, &oracle_states,        &oracle_management, &oracle_observing,
    &oracle_visible,
};

enum { ORACLES = sizeof oracles / sizeof oracles[0], FINDING_TEXT = 600 };

/* --- rules ---------------------------------------------------------------------------------------------------- */

const char *bj_rule_id(bj_rule rule) {
    static const char *const ids[] = {
#define RULE_ID(NAME, id, level) id,
        BJ_ORACLE_RULES(RULE_ID)
#undef RULE_ID
    };
    return ids[rule];
}

bj_level bj_rule_level(bj_rule rule) {
    static const bj_level levels[] = {
#define RULE_LEVEL(NAME, id, level) BJ_LEVEL_##level,
        BJ_ORACLE_RULES(RULE_LEVEL)
#undef RULE_LEVEL
    };
    return levels[rule];
}

/* One function a rule, never inlined and never folded with another: the address of each says which rule it is. */
#define RULE_ABORT(NAME, id, level)                                                                                    \
    __attribute__((noinline, noreturn)) static void broken_##NAME(void) {                                              \
        __asm__ volatile("" ::"r"(BJ_RULE_##NAME));                                                                    \
        abort();                                                                                                       \
    }
BJ_ORACLE_RULES(RULE_ABORT)
#undef RULE_ABORT

_Noreturn void bj_rule_abort(bj_rule rule) {
    switch (rule) {
#define RULE_CASE(NAME, id, level)                                                                                     \
    case BJ_RULE_##NAME:                                                                                               \
        broken_##NAME();
        BJ_ORACLE_RULES(RULE_CASE)
#undef RULE_CASE
    default:
        abort();
    }
}

/* --- findings ------------------------------------------------------------------------------------------------- */

void oracle_break(bj_oracle *o, bj_rule rule, bj_time time, uint32_t event, const char *format, ...) {
    if (o->finding_of[rule]) {
        o->findings[o->finding_of[rule] - 1].count++;
        return;
    }
    BJ_TEXT(text, FINDING_TEXT);
    va_list arguments;
    va_start(arguments, format);
    bj_text_vprintf(&text, format, arguments);
    va_end(arguments);
    o->findings[o->finding_count] = (bj_finding){ .rule = rule,
                                                  .time = time,
                                                  .event = event,
                                                  .count = 1,
                                                  .text = bj_arena_strndup(o->arena, text.start, text.used) };
    o->finding_of[rule] = (int8_t) ++o->finding_count;
    if (o->config.abort_on_must && bj_rule_level(rule) == BJ_LEVEL_MUST) {
        bj_rule_abort(rule);
    }
}

size_t bj_oracle_findings(bj_oracle *oracle, bj_finding **findings) {
    *findings = oracle->findings;
    return oracle->finding_count;
}

void bj_oracle_excuse(bj_finding *finding, const bj_record *profile) {
    const bj_value *list = bj_get(profile, BJ_F(PROFILE, DEVIATIONS));
    for (size_t i = 0; list && i < list->as.records.count; i++) {
        const bj_record *deviation = list->as.records.items[i];
        bool same = !strcmp(bj_get_string(deviation, BJ_F(DEVIATION, RULE), ""), bj_rule_id(finding->rule));
        if (same && strstr(finding->text, bj_get_string(deviation, BJ_F(DEVIATION, TEXT), ""))) {
            finding->excuse = bj_get_string(deviation, BJ_F(DEVIATION, REASON), "");
        }
    }
}

bj_recovery bj_oracle_recovery(const bj_oracle *oracle) {
    return (bj_recovery) oracle->recovery.result;
}

const char *bj_recovery_name(bj_recovery recovery) {
    static const char *const names[] = { NULL, "registered", "idle", "bricked", "failed" };
    return names[recovery];
}

/* --- bytes ---------------------------------------------------------------------------------------------------- */

const uint8_t *oracle_keep(bj_oracle *o, const uint8_t *bytes, size_t length) {
    if (!o->config.transient) {
        return bytes;
    }
    return length ? bj_arena_copy(o->arena, bytes, length) : NULL;
}

void oracle_drop(bj_oracle *o, const uint8_t *bytes) {
    if (o->config.transient) {
        bj_arena_free(o->arena, (void *) (uintptr_t) bytes);
    }
}

bool oracle_certain(const bj_oracle *o) {
    return !o->config.captured || o->config.at_client;
}

/* --- events --------------------------------------------------------------------------------------------------- */

/* A clock of whole milliseconds is off by less than one. */
bj_time oracle_early(const bj_oracle *o) {
    return (o->config.exact ? BJ_MS - 1 : 100 * BJ_MS) + (o->config.captured ? o->config.tolerance : 0);
}

bj_time oracle_late(const bj_oracle *o) {
    return o->config.tolerance + BJ_MS - 1 + (o->config.exact ? 0 : BJ_SECOND);
}

bj_oracle *bj_oracle_new(bj_arena *arena, const bj_oracle_config *config) {
    bj_oracle *o = bj_arena_alloc_raw(arena, sizeof *o);
    memset(o, 0, offsetof(bj_oracle, own));
    o->arena = arena;
    o->config = *config;
    o->lossless = true;
    o->alive = true;
    o->room = bj_arena_alloc_raw(arena, ORACLE_ROOM);
    for (unsigned i = 0; i < ORACLES; i++) {
        if (oracles[i]->init) {
            oracles[i]->init(o);
        }
    }
    return o;
}

void oracle_dispatch(bj_oracle *o, const oracle_seen *s) {
    for (unsigned i = 0; i < ORACLES; i++) {
        if (oracles[i]->seen) {
            oracles[i]->seen(o, s);
        }
    }
}

static bool says(const bj_event *event, const char *word) {
    return event->text && memmem(event->text, event->text_length, word, strlen(word));
}

static void follow_life(bj_oracle *o, const bj_event *event) {
    switch (event->kind) {
    case BJ_EV_CLIENT_START:
        o->alive = o->started = true;
        o->life_began = event->time;
        o->lives++;
        o->stopping = false;
        break;
    case BJ_EV_CLIENT_EXIT:
    case BJ_EV_POWER_CUT:
        o->alive = false;
        break;
    case BJ_EV_CLIENT_SIGNAL:
        o->stopping = true;
        break;
    case BJ_EV_LOST:
        o->lossless = false;
        break;
    case BJ_EV_FAULT:
        o->damages |= says(event, "corrupt") || says(event, "truncate");
        o->disk_strange |= event->number == 1;
        o->lossless &= event->number == 1;
        break;
    default:
        break;
    }
}

/* Which oracles hear of events of that kind (ORACLE_HEARS), as bits: most hear of few. */
static uint32_t hearers(unsigned kind) {
    static uint32_t by_kind[64];
    static bool known;
    _Static_assert(ORACLES <= 32, "an oracle is a bit");
    for (unsigned i = 0; i < ORACLES && !known; i++) {
        for (unsigned k = 0; k < 64; k++) {
            bool hears = oracles[i]->event && (!oracles[i]->hears || oracles[i]->hears >> k & 1);
            by_kind[k] |= (uint32_t) hears << i;
        }
    }
    known = true;
    return by_kind[kind];
}

void oracle_take(bj_oracle *o, const bj_event *event) {
    o->now = oracle_max(o->now, event->time);
    o->last_event = event->sequence;
    follow_life(o, event);
    for (uint32_t left = hearers(event->kind & 63); left; left &= left - 1) {
        oracles[__builtin_ctz(left)]->event(o, event);
    }
    oracle_see(o, event);
}

void bj_oracle_event(bj_oracle *o, const bj_event *event) {
    if (o->ended) {
        return;
    }
    o->recent[event->sequence % ORACLE_RECENT].sequence = event->sequence;
    o->recent[event->sequence % ORACLE_RECENT].cause = event->cause;
    o->recent[event->sequence % ORACLE_RECENT].time = event->time;
    oracle_order(o, event);
}

void bj_oracle_output(bj_oracle *o, const char *text, uint32_t after) {
    oracle_secret_text(o, text, strlen(text), after);
}

void bj_oracle_end(bj_oracle *o) {
    if (!o->ended) {
        oracle_order_end(o);
    }
    for (unsigned i = 0; i < ORACLES && !o->ended; i++) {
        if (oracles[i]->end) {
            oracles[i]->end(o);
        }
    }
    o->ended = true;
}

void bj_oracle_judge(bj_oracle *o, const bj_log *log) {
    bj_event event;
    for (size_t cursor = 0; log && bj_log_next(log, &cursor, &event);) {
        bj_oracle_event(o, &event);
    }
    bj_oracle_end(o);
}
