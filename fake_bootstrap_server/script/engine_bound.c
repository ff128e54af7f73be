/* SPDX-License-Identifier: Apache-2.0
 *
 * How long a client may take to be registered once the world is healed: what the script wrote, heard of or not, may
 * have told it to wait.
 */
#include "script/engine_internal.h"

static const bj_time DAY = 86400 * BJ_SECOND;

/* --- what the script wrote ------------------------------------------------------------------------------------ */

enum { USUAL_ATTEMPTS = 5 }; /* where no other number is written: Core E.2, /1/x/17 */

/* Every Write, Execute and pack in the scenario is given to `step`; every list of the values of a Write or a pack, its
 * own ids first, to `look`. Either may be NULL. */
typedef struct values_walk {
    void (*look)(struct values_walk *walk, const bj_node *nodes, size_t count);
    void (*step)(struct values_walk *walk, const bj_record *step);
    bj_engine *engine;
    bj_time waits;
    uint32_t account; /* the instance of /0 that holds the bootstrap account */
    bool struck, disabled, persists, alone;
} values_walk;

static void walk_nodes(values_walk *w, const bj_node *nodes, size_t count) { /* as deep as LwM2M's paths */
    if (w->look) {
        w->look(w, nodes, count);
    }
    for (size_t i = 0; i < count; i++) {
        if (nodes[i].kind == BJ_N_TREE) {
            walk_nodes(w, nodes[i].children, nodes[i].child_count);
        }
    }
}

static void walk_record(values_walk *w, const bj_record *record) { /* as deep as programs may be: BJ_LIMIT_DEPTH */
    bool writes = record->kind == BJ_K_WRITE || record->kind == BJ_K_PACK;
    if (w->step && (writes || record->kind == BJ_K_EXECUTE)) {
        w->step(w, record);
    }
    for (unsigned f = 0; f < record->field_limit; f++) {
        const bj_value *value = record->fields[f];
        const bj_record *inside;
        const bj_string *name;
        if (value && value->type == BJ_T_VALUES && writes) {
            walk_nodes(w, value->as.nodes.items, value->as.nodes.count);
        }
        for (size_t i = 0; value && (inside = bj_value_record(value, i, &name)); i++) {
            walk_record(w, inside);
        }
    }
}

/* /1/x/5, /14, /18 and /19 are times of waiting, in seconds, and so is /0/x/11, whether the engine heard of it or not;
 * /18 doubles with every attempt. */
static void look_for_waits(values_walk *w, const bj_node *nodes, size_t count) {
    static const struct {
        uint16_t id;
        unsigned times;
    } waits[] = { { 5, 1 }, { 11, 4 }, { 14, 1 }, { 18, 32 }, { 19, 1 } };
    for (unsigned i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        const bj_node *node = bj__node_of(nodes, count, waits[i].id);
        int64_t seconds = node ? bj__node_number(node) : 0;
        w->waits += seconds > 0 && seconds < 10 * 86400 ? (bj_time) seconds * waits[i].times * BJ_SECOND : 0;
    }
}

static void walk_all(values_walk *w, const bj_engine *e) {
    walk_record(w, e->scenario);
    for (size_t i = e->fed_own; i < e->fed_count; i++) {
        walk_record(w, e->fed[i]);
    }
}

static bj_time written_waits(const bj_engine *e) {
    values_walk w = { .look = look_for_waits };
    walk_all(&w, e);
    return w.waits;
}

/* A pack has none. */
static bj_path path_of(const bj_record *step) {
    return bj_path_of(step->kind == BJ_K_WRITE     ? bj_get_string(step, BJ_F(WRITE, PATH), "")
                      : step->kind == BJ_K_EXECUTE ? bj_get_string(step, BJ_F(EXECUTE, PATH), "")
                                                   : "");
}

/* A Write that nobody heard an answer to may have been taken, with its Finish; so may a pack. */
static void look_for_keys(values_walk *w, const bj_record *step) {
    if (step->kind == BJ_K_WRITE) {
        bj__heal_note_write(w->engine, step);
    } else if (step->kind == BJ_K_PACK) {
        bj__heal_note_pack(w->engine, step);
    }
}

void bj__heal_note_all(bj_engine *e) {
    values_walk w = { .step = look_for_keys, .engine = e };
    bj__heal_note_session(e, false);
    e->heal.guessing = true;
    walk_all(&w, e);
    e->heal.guessing = false;
}

/* Is the bootstrap account written over? Then it may be one no more. */
static void look_for_account(values_walk *w, const bj_record *step) {
    bj_path path = path_of(step);
    w->struck |= path.depth && path.ids[0] == 0 && (path.depth == 1 || path.ids[1] == w->account);
    const bj_value *pack = step->kind == BJ_K_PACK ? bj_get(step, BJ_F(PACK, VALUES)) : NULL;
    const bj_node *security = pack ? bj_node_find(pack->as.nodes.items, pack->as.nodes.count, 0) : NULL;
    w->struck |= security && bj_node_find(security->children, security->child_count, (uint16_t) w->account);
}

static bool account_is_struck(const bj_engine *e, const bj_record *account) {
    values_walk w = { .step = look_for_account, .account = bj__place_of(account) };
    walk_all(&w, e);
    return w.struck;
}

/* The client is told to try more often than is usual (Core E.2, /1/x/17), or how often cannot be read here: the wait
 * between two attempts doubles each time, so that it is no longer than all that were before it, and the first once
 * more. */
static void look_for_attempts(values_walk *w, const bj_node *nodes, size_t count) {
    const bj_node *attempts = bj__node_of(nodes, count, 17);
    int64_t number = attempts ? bj__node_number(attempts) : USUAL_ATTEMPTS;
    w->persists |= number < 1 || number > USUAL_ATTEMPTS;
}

static void look_for_attempts_alone(values_walk *w, const bj_record *step) {
    bj_path path = path_of(step);
    w->persists |= path.depth == 3 && path.ids[0] == 1 && path.ids[2] == 17;
}

static bj_time tries_on(const bj_engine *e) {
    values_walk w = { .look = look_for_attempts, .step = look_for_attempts_alone };
    walk_all(&w, e);
    return w.persists ? e->now : 0;
}

/* A server sends the client away for a day, where nobody wrote another time (Core E.2, /1/x/4 and /5). */
static void look_for_disable(values_walk *w, const bj_record *step) {
    bj_path path = path_of(step);
    w->disabled |= path.depth == 3 && path.ids[0] == 1 && path.ids[2] == 4;
}

static bool is_sent_away(const bj_engine *e) {
    values_walk w = { .step = look_for_disable };
    walk_all(&w, e);
    return w.disabled;
}

/* The client shall not turn to its Bootstrap-Server when a registration fails, perhaps (Core E.2, /1/x/16). */
static void look_for_alone(values_walk *w, const bj_node *nodes, size_t count) {
    const bj_node *turns = bj__node_of(nodes, count, 16);
    w->alone |= turns && (turns->kind != BJ_N_BOOL || !turns->integer);
}

static void look_for_alone_in_one(values_walk *w, const bj_record *step) {
    bj_path path = path_of(step);
    w->alone |= path.depth == 3 && path.ids[0] == 1 && path.ids[2] == 16;
}

static bool is_alone(const bj_engine *e) {
    values_walk w = { .look = look_for_alone, .step = look_for_alone_in_one };
    walk_all(&w, e);
    return w.alone;
}

/* --- how long it may take ------------------------------------------------------------------------------------- */

/* The longest that a registration may wait between attempts: what was written of /1/x/14, /18, /19 (Core E.2), or
 * the recommended defaults. */
static bj_time retry_sequence(const bj_engine *e, bj_time wait) {
    bj_time usual = (60 + 120 + 240 + 480) * BJ_SECOND + USUAL_ATTEMPTS * wait;
    return bj__add(usual, (int64_t) bj__min(written_waits(e), 30 * 86400 * BJ_SECOND));
}

/* Has the client a bootstrap account that nothing takes away: no Write, and no time-out (Core E.1, /0/x/12)? And may
 * it go there? */
static bool can_bootstrap_at_last(const bj_engine *e) {
    const bj_record *account = bj__bootstrap_account(e);
    bool stays = account && !bj_get_duration(account, BJ_F(ACCOUNT, TIMEOUT), 0) && !account_is_struck(e, account);
    return stays && !is_alone(e);
}

bj_time bj__transmit_wait(const bj_engine *e) {
    return e->ack_timeout * (((bj_time) 2 << e->max_retransmit) - 1) / 1000 * (e->ack_random_factor / 1000);
}

bj_time bj__heal_bound(const bj_engine *e) {
    const bj_time wait = bj__transmit_wait(e);
    bj_time finish = bj_get_duration(e->profile, BJ_F(PROFILE, FINISH_TIMEOUT), e->exchange_lifetime);
    bj__range holdoff = bj__holdoff(e, 30);
    bj_time cap = holdoff.late == BJ_NEVER ? 2 * holdoff.early + 3600 * BJ_SECOND : holdoff.late;
    bj_time margin = 60 * BJ_SECOND + 3 * wait + e->tolerance;
    /* Core E.2, /1/x/19: the recommended delay between sequences of registrations, where no bootstrap ends the waiting.
     */
    margin += can_bootstrap_at_last(e) ? 0 : DAY;
    margin += is_sent_away(e) ? DAY : 0;
    margin += tries_on(e);
    return bj__max(finish, e->exchange_lifetime) + 3 * cap + retry_sequence(e, wait) + margin;
}
