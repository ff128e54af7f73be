/* SPDX-License-Identifier: Apache-2.0
 *
 * Faults that strike chosen datagrams. They stand on the way like boxes in a row: a datagram that one of them drops is
 * not seen by those that were switched on later.
 */
#include <string.h>

#include "world/sim_internal.h"

static const char *const kinds[] = { "drop", "delay", "duplicate", "truncate", "corrupt" };

static const char *kind_name(uint8_t kind) {
    return kind < sizeof kinds / sizeof *kinds ? kinds[kind] : "unknown";
}

static void describe(bj_sim *sim, bj_text *text, const bj_fault *fault) {
    bj_text_add(text, kind_name(fault->kind));
    if (fault->kind == BJ_FAULT_DELAY || fault->kind == BJ_FAULT_DUPLICATE) {
        bj_text_add(text, " by ");
        bj_duration_print(text, fault->amount);
    } else if (fault->kind == BJ_FAULT_TRUNCATE) {
        bj_text_printf(text, " to %llu bytes", (unsigned long long) fault->amount);
    } else if (fault->kind == BJ_FAULT_CORRUPT && fault->amount != BJ_NEVER) {
        bj_text_printf(text, " byte %llu", (unsigned long long) fault->amount);
    }
    bj_text_printf(text, ", from %s to %s", sim_actor_name(sim, fault->from), sim_actor_name(sim, fault->to));
}

static bool matches(const bj_fault *fault, const sim_packet *packet) {
    return (fault->from == BJ_ACTOR_WORLD || fault->from == packet->from_actor) &&
           (fault->to == BJ_ACTOR_WORLD || fault->to == packet->to_actor);
}

/* Counts a matching datagram; is it one of those that are struck? */
static bool strikes(sim_fault *fault) {
    if (fault->seen < fault->fault.skip) {
        fault->seen++;
        return false;
    }
    if (fault->fault.count == UINT32_MAX) {
        return true;
    }
    if (fault->seen - fault->fault.skip >= fault->fault.count) {
        return false;
    }
    fault->seen++;
    return true;
}

static void corrupt(bj_sim *sim, sim_packet *packet, uint64_t amount) {
    if (packet->length) {
        uint64_t at = amount == BJ_NEVER ? bj_rng_below(&sim->world, packet->length) : amount;
        if (at < packet->length) {
            packet->data[at] = (uint8_t) ~packet->data[at];
        }
    }
}

static void apply(bj_sim *sim, const bj_fault *fault, sim_packet *packet, sim_struck *struck) {
    switch (fault->kind) {
    case BJ_FAULT_DROP:
        struck->dropped = true;
        break;
    case BJ_FAULT_DELAY:
        struck->delayed = true;
        struck->delay = sim_later(struck->delay, fault->amount);
        break;
    case BJ_FAULT_DUPLICATE:
        struck->duplicated = true;
        struck->apart = fault->amount;
        break;
    case BJ_FAULT_TRUNCATE:
        packet->length = fault->amount < packet->length ? (size_t) fault->amount : packet->length;
        break;
    case BJ_FAULT_CORRUPT:
        corrupt(sim, packet, fault->amount);
        break;
    default:
        break;
    }
}

sim_struck sim_strike(bj_sim *sim, sim_packet *packet) {
    sim_struck struck = { 0 };
    for (size_t i = 0; i < sim->fault_count && !struck.dropped; i++) {
        sim_fault *fault = &sim->faults[i];
        if (matches(&fault->fault, packet) && strikes(fault)) {
            BJ_TEXT(text, 160);
            bj_text_add(&text, "struck: ");
            describe(sim, &text, &fault->fault);
            sim_log(sim, (bj_event){ .kind = BJ_EV_FAULT,
                                     .actor = BJ_ACTOR_WORLD,
                                     .cause = packet->sent,
                                     .position = fault->fault.position,
                                     .text = text.start });
            apply(sim, &fault->fault, packet, &struck);
        }
    }
    return struck;
}

/* Forgets those that have struck as often as they were to. */
static void forget_spent(bj_sim *sim) {
    size_t kept = 0;
    for (size_t i = 0; i < sim->fault_count; i++) {
        const sim_fault *fault = &sim->faults[i];
        uint64_t last = (uint64_t) fault->fault.skip + fault->fault.count;
        if (fault->fault.count == UINT32_MAX || fault->seen < last) {
            sim->faults[kept++] = *fault;
        }
    }
    sim->fault_count = kept;
}

void sim_add_fault(bj_world *w, const bj_fault *fault) {
    bj_sim *sim = sim_of(w);
    forget_spent(sim);
    size_t size = (sim->fault_count + 1) * sizeof *sim->faults;
    sim->faults = bj_arena_realloc(sim->arena, sim->faults, size);
    sim->faults[sim->fault_count++] = (sim_fault){ .fault = *fault };
    BJ_TEXT(text, 160);
    bj_text_add(&text, "on: ");
    describe(sim, &text, fault);
    if (fault->skip) {
        bj_text_printf(&text, ", after %u", (unsigned) fault->skip);
    }
    if (fault->count != UINT32_MAX) {
        bj_text_printf(&text, ", %u times", (unsigned) fault->count);
    }
    sim_log(sim, (bj_event){ .kind = BJ_EV_FAULT, .position = fault->position, .text = text.start });
}

void sim_clear_faults(bj_world *w) {
    bj_sim *sim = sim_of(w);
    if (sim->fault_count) {
        sim->fault_count = 0;
        sim_log(sim, (bj_event){ .kind = BJ_EV_FAULT, .text = "all off" });
    }
}
