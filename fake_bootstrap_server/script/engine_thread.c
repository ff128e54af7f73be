/* SPDX-License-Identifier: Apache-2.0
 *
 * Cursors through the script. There is one, until an `either` makes one of it for each branch; from then on all of
 * them go through the same observations, each with its own place, time and captured values, each going on with the
 * rest of the script behind its branch. What does not fit a cursor kills it. The servers act once for all cursors:
 *
 *  - an action is carried out when every living cursor stands at the same one (but for what it expects of it);
 *  - cursors that come to the same place are one again; the first in the script's order stays;
 *  - a cursor that took a request which another, still waiting for something else, did not, wins over it;
 *  - a cursor that wants to act inside its own branch, while another only waits, wins over it: waiting ends where the
 *    script says so;
 *  - a cursor that is through with its branch waits until the others are dead or through as well.
 *
 * An `either` is decided when all living cursors are of one branch.
 */
#include "script/engine_internal.h"

#include <assert.h>
#include <string.h>

enum { STEPS_AT_ONCE = 20000, LENIENT_STEPS_AT_ONCE = 500, LENIENT_STEPS = 4000 };

static bj_position last_position(const bj_engine *e, const bj__thread *t) {
    return t->step ? t->step->position : e->scenario->position;
}

/* --- frames --- */

static void push(bj_engine *e, bj__thread *t, const bj_record *const *steps, size_t count, const bj_record *loop) {
    if (t->depth == BJ__DEPTH) {
        bj__conclude_printf(e, BJ_ERROR, t->step->position, "steps are nested too deeply");
        return;
    }
    t->frames[t->depth++] =
        (bj__frame){ .steps = steps, .count = count, .index = 0, .loop = loop, .rounds = 0, .started = t->base };
}

/* Does the loop go round once more? */
static bool loops(bj_engine *e, const bj__thread *t, bj__frame *f) {
    const bj_value *times = bj_get(f->loop, BJ_F(REPEAT, TIMES)), *until = bj_get(f->loop, BJ_F(REPEAT, UNTIL));
    f->rounds++;
    bool more = times ? f->rounds < times->as.uint : until != NULL;
    if (more && until) {
        more = t->base - f->started < until->as.duration;
        if (more && !times && f->rounds > 1000000) {
            bj__conclude_printf(e, BJ_ERROR, f->loop->position, "the repetition does not end");
            return false;
        }
    }
    return more;
}

static const bj_record *next_record(bj_engine *e, bj__thread *t) {
    while (t->depth && !e->done) {
        bj__frame *f = &t->frames[t->depth - 1];
        if (f->index < f->count) {
            return f->steps[f->index++];
        }
        if (f->loop && f->count && loops(e, t, f)) {
            f->index = 0;
            continue;
        }
        if (t->depth == 1 && bj__feed_more(e, f)) {
            continue;
        }
        t->depth--;
    }
    return NULL;
}

/* --- branches --- */

static void fork(bj_engine *e, unsigned at, const bj_record *record) {
    const bj_value *branches = bj_get(record, BJ_F(EITHER, BRANCHES));
    size_t count = branches ? branches->as.named.count : 0;
    bj__thread *t = &e->threads[at];
    if (!count) {
        return;
    }
    if (e->thread_count + count - 1 > BJ__THREADS || t->choice_count == BJ__CHOICES) {
        bj__conclude_printf(e, BJ_ERROR, record->position, "too many alternatives are open at once");
        return;
    }
    memmove(t + count, t + 1, (e->thread_count - at - 1) * sizeof *t);
    e->thread_count += (unsigned) count - 1;
    uint32_t id = ++e->next_choice;
    for (size_t i = 1; i < count; i++) {
        t[i] = t[0];
    }
    for (size_t i = 0; i < count; i++) {
        const bj_named *branch = &branches->as.named.items[i];
        t[i].choices[t[i].choice_count++] = (bj__choice){ id, (uint16_t) i, (uint16_t) t[i].depth, record };
        push(e, &t[i], branch->records, branch->count, NULL);
    }
}

static const bj_named *branch_of(const bj__choice *choice) {
    return &bj_get(choice->record, BJ_F(EITHER, BRANCHES))->as.named.items[choice->branch];
}

static const bj__choice *choice_with(const bj__thread *t, uint32_t id) {
    for (unsigned i = 0; i < t->choice_count; i++) {
        if (t->choices[i].id == id) {
            return &t->choices[i];
        }
    }
    return NULL;
}

static bool decided(const bj_engine *e, const bj__choice *choice) {
    for (unsigned i = 0; i < e->thread_count; i++) {
        const bj__choice *other = choice_with(&e->threads[i], choice->id);
        if (!other || other->branch != choice->branch) {
            return false;
        }
    }
    return true;
}

static void drop_choice(bj__thread *t, uint32_t id) {
    for (unsigned i = 0; i < t->choice_count; i++) {
        if (t->choices[i].id == id) {
            memmove(&t->choices[i], &t->choices[i + 1], (t->choice_count - i - 1) * sizeof t->choices[0]);
            t->choice_count--;
            return;
        }
    }
}

static void decide(bj_engine *e) {
    for (unsigned i = 0; e->thread_count && i < e->threads[0].choice_count;) {
        bj__choice choice = e->threads[0].choices[i];
        if (!decided(e, &choice)) {
            i++;
            continue;
        }
        bj__log_step(e, BJ_EV_BRANCH, choice.record->position, e->cause, branch_of(&choice)->name.bytes);
        for (unsigned n = 0; n < e->thread_count; n++) {
            drop_choice(&e->threads[n], choice.id);
        }
    }
}

/* --- dying --- */

static void remove_thread(bj_engine *e, unsigned at) {
    memmove(&e->threads[at], &e->threads[at + 1], (e->thread_count - at - 1) * sizeof e->threads[0]);
    e->thread_count--;
}

/* What the branch expected, kept for the case that no other fits either. */
static void remember_fallen(bj_engine *e, const bj__thread *t) {
    const char *name = t->choice_count ? branch_of(&t->choices[t->choice_count - 1])->name.bytes : "";
    bj_text_printf(e->fallen, "%s'%s': %s", e->fallen_count ? "; " : "", name, t->reason);
    e->fallen_count++;
}

static void forget_fallen(bj_engine *e) {
    if (e->fallen_count) {
        *e->fallen = bj_text_over(e->fallen->start, e->fallen->size);
        e->fallen_count = 0;
    }
}

static void fail_run(bj_engine *e, const bj__thread *t) {
    BJ_TEXT(reason, BJ__REASON);
    bool branch = t->choice_count > 0;
    if (branch && e->fallen_count) {
        bj_text_printf(&reason, "no branch fits: %s; '%s': %s", e->fallen->start,
                       branch_of(&t->choices[t->choice_count - 1])->name.bytes, t->reason);
    } else if (e->fallen_count) {
        bj_text_printf(&reason, "%s (the other branch: %s)", t->reason, e->fallen->start);
    } else {
        bj_text_add(&reason, t->reason);
    }
    if (e->lenient) {
        bj__step_broke(e, BJ_FAIL, t->position, t->failure_cause, reason.start);
    } else {
        bj__conclude(e, BJ_FAIL, t->position, t->failure_cause, reason.start);
    }
}

/* Lenient: the cursor leaves a step that was not met. What came in place of an awaited request is what is answered. */
static void pass_over(bj_engine *e, bj__thread *t) {
    if (t->step && t->step->kind == BJ_K_REQUEST && t->cursor < e->end_observation) {
        const bj__observation *o = bj__observation_at(e, t->cursor++);
        t->exchange = bj__exchange_of(e, o->exchange) ? o->exchange : t->exchange;
    }
    t->phase = BJ__FETCH;
    t->timer = BJ_NEVER;
    t->silent_until = 0;
    t->base = t->satisfied = e->now;
    t->choice_count = 0;
    forget_fallen(e);
    e->broken = false;
}

/* Takes the dead away; with the last of them the run has failed. */
static void bury(bj_engine *e) {
    for (unsigned i = 0; i < e->thread_count && !e->done;) {
        bj__thread *t = &e->threads[i];
        if (t->phase != BJ__DEAD) {
            i++;
            continue;
        }
        if (e->thread_count == 1) {
            fail_run(e, t);
            if (e->lenient) {
                pass_over(e, t);
            }
            return;
        }
        remember_fallen(e, t);
        remove_thread(e, i);
    }
}

/* --- going on --- */

static void end_step(bj_engine *e, bj__thread *t) {
    bj__log_step(e, BJ_EV_STEP_END, t->step->position, t->satisfied_event, NULL);
    if (t->phase == BJ__WAIT) {
        forget_fallen(e);
    }
    t->base = t->satisfied;
    if (t->step->kind != BJ_K_SILENCE) {
        t->silent_until = 0;
    }
    t->phase = BJ__FETCH;
}

/* The script has ended for this cursor: nothing that it did not await may be left. */
static void end_thread(bj_engine *e, bj__thread *t) {
    t->phase = BJ__ENDED;
    t->timer = BJ_NEVER;
    t->ending = t->ending ? t->ending : BJ_PASS;
    for (; !e->lenient && t->cursor < e->end_observation; t->cursor++) {
        const bj__observation *o = bj__observation_at(e, t->cursor);
        const bj__exchange *x = bj__exchange_of(e, o->exchange);
        if (o->kind == BJ__SEEN_DUPLICATE || o->kind == BJ__SEEN_HANDSHAKE || (o->kind == BJ__SEEN_REQUEST && !x)) {
            continue;
        }
        BJ_TEXT(seen, 300);
        if (x) {
            bj__describe(x, &seen);
        } else {
            bj_text_add(&seen, o->what);
        }
        bj__fail(e, t, "expected nothing more, the client sent %s to %s", seen.start, e->servers[o->server].name);
        t->failure_cause = o->event;
        t->phase = BJ__DEAD;
        return;
    }
}

static void apply(bj_engine *e, bj__thread *t, bj__progress progress) {
    switch (progress) {
    case BJ__DONE:
        end_step(e, t);
        break;
    case BJ__FAILED:
        t->phase = BJ__DEAD;
        break;
    case BJ__ENDS:
        t->phase = BJ__ENDED;
        t->timer = BJ_NEVER;
        break;
    case BJ__WAITS:
        break;
    }
}

static void begin(bj_engine *e, unsigned at, const bj_record *record) {
    bj__thread *t = &e->threads[at];
    t->step = record;
    switch (record->kind) {
    case BJ_K_EITHER:
        fork(e, at, record);
        break;
    case BJ_K_REPEAT: {
        const bj_value *steps = bj_get(record, BJ_F(REPEAT, STEPS)), *times = bj_get(record, BJ_F(REPEAT, TIMES));
        if (steps && !(times && !times->as.uint)) {
            push(e, t, steps->as.records.items, steps->as.records.count, record);
        }
        break;
    }
    case BJ_K_WHEN: {
        bool fact = bj__fact(e, bj_get_uint(record, BJ_F(WHEN, FACT), 0));
        const bj_value *steps = bj_get(record, fact ? BJ_F(WHEN, STEPS) : BJ_F(WHEN, OTHERWISE));
        if (steps) {
            push(e, t, steps->as.records.items, steps->as.records.count, NULL);
        }
        break;
    }
    default:
        apply(e, t, bj__step_begin(e, t));
        break;
    }
}

static bool goes_round(bj_engine *e, const bj__thread *t) {
    static const char reason[] = "the script goes round without waiting for anything";
    e->steps_at_once++;
    bool enough = e->lenient && (e->steps_at_once > LENIENT_STEPS_AT_ONCE || e->steps_begun > LENIENT_STEPS);
    if (!enough && e->steps_at_once <= STEPS_AT_ONCE) {
        return false;
    }
    if (e->lenient) {
        bj__step_broke(e, BJ_ERROR, last_position(e, t), e->cause, reason);
        bj__script_over(e);
    } else {
        bj__conclude(e, BJ_ERROR, last_position(e, t), e->cause, reason);
    }
    return true;
}

/* Lets one cursor go on until it waits, wants to act, has ended or died. */
static void run(bj_engine *e, unsigned at) {
    while (!e->done && !e->heal.on) {
        bj__thread *t = &e->threads[at];
        if (goes_round(e, t)) {
            return;
        }
        if (e->broken) {
            pass_over(e, t);
        }
        if (t->phase == BJ__FETCH) {
            const bj_record *record = next_record(e, t);
            if (record) {
                begin(e, at, record);
            } else if (!e->done) {
                end_thread(e, t);
            }
        } else if (t->phase == BJ__WAIT) {
            apply(e, t, bj__step_poll(e, t));
            if (e->threads[at].phase == BJ__WAIT && !e->broken) {
                return;
            }
        } else if (!e->broken) {
            return;
        }
    }
}

/* --- acting together --- */

static bool same_place(const bj__thread *a, const bj__thread *b) {
    if (a->phase != b->phase || a->step != b->step || a->depth != b->depth || a->ending != b->ending) {
        return false;
    }
    for (unsigned i = 0; i < a->depth; i++) {
        const bj__frame *f = &a->frames[i], *g = &b->frames[i];
        if (f->steps != g->steps || f->index != g->index || f->rounds != g->rounds) {
            return false;
        }
    }
    return true;
}

/* Cursors at the same action, or at the end, are one again. */
static void merge(bj_engine *e) {
    for (unsigned i = 0; i < e->thread_count; i++) {
        const bj__thread *first = &e->threads[i];
        for (unsigned n = i + 1; n < e->thread_count && (first->phase == BJ__ACT || first->phase == BJ__ENDED);) {
            if (same_place(first, &e->threads[n])) {
                remove_thread(e, n);
            } else {
                n++;
            }
        }
    }
}

/* Did `winner` take a request that `loser` has not looked at? */
static bool took_more(const bj_engine *e, const bj__thread *winner, const bj__thread *loser) {
    for (uint64_t n = loser->cursor; n < winner->cursor; n++) {
        uint8_t kind = n >= e->first_observation ? bj__observation_at(e, n)->kind : 0;
        if (kind == BJ__SEEN_REQUEST || kind == BJ__SEEN_NOTIFICATION) {
            return true;
        }
    }
    return false;
}

/* Is the cursor still inside the branch that sets it apart from the other? */
static bool inside_branch(const bj__thread *t, const bj__thread *other) {
    for (unsigned i = 0; i < t->choice_count; i++) {
        const bj__choice *theirs = choice_with(other, t->choices[i].id);
        if (theirs && theirs->branch != t->choices[i].branch) {
            return t->depth > t->choices[i].depth;
        }
    }
    return false;
}

static bool outruns(const bj_engine *e, const bj__thread *winner, const bj__thread *loser) {
    if (loser->phase != BJ__WAIT || (winner->phase != BJ__ACT && winner->phase != BJ__ENDED)) {
        return false;
    }
    bool acts = winner->phase == BJ__ACT && winner->act_at <= e->now;
    return took_more(e, winner, loser) || (acts && inside_branch(winner, loser));
}

/* Kills the cursors over which another wins. */
static bool outrun(bj_engine *e) {
    bool any = false;
    for (unsigned w = 0; w < e->thread_count; w++) {
        for (unsigned l = 0; l < e->thread_count; l++) {
            bj__thread *loser = &e->threads[l];
            if (l != w && outruns(e, &e->threads[w], loser)) {
                BJ_TEXT(wanted, 300);
                bj__awaited_text(e, loser, &wanted);
                bj__fail(e, loser, "expected %s, which did not come", wanted.start);
                loser->phase = BJ__DEAD;
                any = true;
            }
        }
    }
    return any;
}

/* All stand at the same action: NULL when one does not (yet). */
static bj__thread *ready_to_act(bj_engine *e) {
    bj__thread *first = &e->threads[0];
    for (unsigned i = 0; i < e->thread_count; i++) {
        if (e->threads[i].phase == BJ__WAIT) {
            return NULL;
        }
    }
    for (unsigned i = 0; i < e->thread_count; i++) {
        const bj__thread *t = &e->threads[i];
        if (t->phase == first->phase && bj__same_action(t->step, first->step)) {
            continue;
        }
        bj__conclude_printf(e, BJ_ERROR, last_position(e, t),
                            "the branches are all possible still, and the servers would act differently in them");
        e->broken = false;
        if (e->done) {
            return NULL;
        }
        e->thread_count = 1; /* lenient: the first it is */
    }
    return first->phase == BJ__ACT && first->act_at <= e->now ? first : NULL;
}

/* Carries out the action at which all stand; false: there is none to carry out now. */
static bool act(bj_engine *e) {
    bj__thread *t = ready_to_act(e);
    if (!t || e->done) {
        return false;
    }
    bool acted = bj__act(e, t);
    if (!acted && !e->lenient) {
        return false;
    }
    for (unsigned i = 0; i < e->thread_count; i++) {
        e->threads[i].outbound = t->outbound;
        e->threads[i].exchange = t->exchange;
        e->threads[i].satisfied = bj__max(e->threads[i].satisfied, e->now); /* it does not end before it is sent */
        e->threads[i].phase = acted ? BJ__WAIT : BJ__FETCH;
    }
    e->broken = false;
    return true;
}

static void script_over(bj_engine *e, bj_verdict verdict, bj_position position, uint32_t cause, const char *reason) {
    e->script_done = true;
    if (!bj__heal_begin(e, verdict, position, cause, reason)) {
        bj__end(e, verdict, position, cause, reason);
    }
}

void bj__script_over(bj_engine *e) {
    if (e->failure) {
        script_over(e, (bj_verdict) e->failure, e->failure_position, e->failure_cause, e->failure_reason);
    } else {
        script_over(e, BJ_PASS, e->scenario->position, 0, "the script was ended");
    }
}

static void conclude_ended(bj_engine *e) {
    const bj__thread *t = &e->threads[0];
    for (unsigned i = 0; i < e->thread_count; i++) {
        if (e->threads[i].phase != BJ__ENDED) {
            return;
        }
    }
    if (e->failure) {
        bj__script_over(e);
    } else if (t->ending == BJ_PASS && t->warned) {
        script_over(e, BJ_WARN, t->warning_position, 0, t->warning);
    } else if (t->ending == BJ_PASS) {
        script_over(e, BJ_PASS, e->scenario->position, 0, "all steps were met");
    } else {
        script_over(e, (bj_verdict) t->ending, t->position, t->failure_cause, t->reason);
    }
}

static void check_exit(bj_engine *e) {
    if (!e->gone || e->exit_taken || bj__life_told_to_end(e) || e->done) {
        return;
    }
    const bj__thread *t = &e->threads[0];
    BJ_TEXT(reason, 500);
    bj_text_add(&reason, "expected ");
    bj__awaited_text(e, t, &reason);
    bj_text_add(&reason, "; the client ended by itself: ");
    bj_text_printf(&reason, e->exit_signal ? "signal %d" : "exit status %d",
                   e->exit_signal ? e->exit_signal : e->exit_status);
    bj__end(e, BJ_FAIL, last_position(e, t), e->exit_event, reason.start);
}

static void prune_observations(bj_engine *e) {
    uint64_t needed = e->end_observation;
    for (unsigned i = 0; i < e->thread_count; i++) {
        needed = bj__min(needed, e->threads[i].cursor);
    }
    e->first_observation = needed;
}

void bj__settle(bj_engine *e) {
    e->steps_at_once = 0;
    do {
        for (unsigned i = 0; i < e->thread_count && !e->done; i++) {
            run(e, i);
        }
        if (e->done || e->heal.on) {
            return;
        }
        merge(e);
        outrun(e);
        bury(e);
        if (!e->done) {
            decide(e);
            check_exit(e);
            conclude_ended(e);
        }
    } while (!e->done && !e->heal.on && act(e));
    if (!e->done) {
        prune_observations(e);
    }
}

void bj__threads_begin(bj_engine *e) {
    const bj_value *steps = bj_get(e->scenario, BJ_F(SCENARIO, STEPS));
    bj__thread *t = &e->threads[0];
    size_t count;
    const bj_record *const *growing = bj__feed_steps(e, &count);
    *t = (bj__thread){ .phase = BJ__FETCH, .base = e->now, .satisfied = e->now, .timer = BJ_NEVER, .wake = BJ_NEVER };
    e->thread_count = 1;
    if (growing) {
        push(e, t, growing, count, NULL);
    } else if (steps) {
        push(e, t, steps->as.records.items, steps->as.records.count, NULL);
    }
}

void bj__threads_jump(bj_engine *e, const bj_value *steps) {
    forget_fallen(e);
    bj__thread *t = &e->threads[0];
    *t = (bj__thread){ .phase = BJ__FETCH, .base = e->now, .satisfied = e->now, .timer = BJ_NEVER, .wake = BJ_NEVER };
    t->cursor = e->end_observation;
    for (unsigned i = 0; i < e->server_count; i++) {
        t->claimed[i] = e->newest_outbound ? e->newest_outbound->id : 0;
    }
    e->thread_count = 1;
    push(e, t, steps->as.records.items, steps->as.records.count, NULL);
}

bj_time bj__threads_timer(const bj_engine *e) {
    bj_time when = BJ_NEVER;
    for (unsigned i = 0; i < e->thread_count; i++) {
        const bj__thread *t = &e->threads[i];
        if (t->phase == BJ__WAIT) {
            when = bj__min(when, t->timer);
        } else if (t->phase == BJ__ACT && t->act_at > e->now) {
            when = bj__min(when, t->act_at);
        }
    }
    return when;
}

static bool waits_for_request(const bj__thread *t) {
    return t->phase == BJ__WAIT && t->step->kind == BJ_K_REQUEST;
}

bool bj__awaited(bj_engine *e, const bj__exchange *x) {
    for (unsigned i = 0; i < e->thread_count; i++) {
        const bj__thread *t = &e->threads[i];
        BJ_TEXT(why, 200);
        if (waits_for_request(t) && bj__match_request(e, t, t->step, x, &why)) {
            return true;
        }
    }
    return false;
}

bool bj__awaits_part(bj_engine *e, const bj__exchange *x) {
    for (unsigned i = 0; i < e->thread_count; i++) {
        const bj__thread *t = &e->threads[i];
        BJ_TEXT(why, 200);
        if (waits_for_request(t) && bj_get_bool(t->step, BJ_F(REQUEST, PART), false) &&
            bj__match_request(e, t, t->step, x, &why)) {
            return true;
        }
    }
    return false;
}

uint32_t bj__block_wanted(const bj_engine *e) {
    for (unsigned i = 0; i < e->thread_count; i++) {
        const bj__thread *t = &e->threads[i];
        uint32_t size = waits_for_request(t) ? bj_get_uint(t->step, BJ_F(REQUEST, BLOCK), 0) : 0;
        if (size) {
            return size;
        }
    }
    return 0;
}

bool bj__awaits_bootstrap(const bj_engine *e) {
    for (unsigned i = 0; i < e->thread_count; i++) {
        const bj__thread *t = &e->threads[i];
        if (waits_for_request(t)) {
            const char *path = bj_get_string(t->step, BJ_F(REQUEST, PATH), "/bs");
            size_t length = strlen(path);
            if (length >= 3 && !strcmp(path + length - 3, "/bs")) {
                return true;
            }
        }
    }
    return false;
}

bool bj__in_use(const bj_engine *e, uint64_t exchange, uint64_t outbound) {
    for (unsigned i = 0; i < e->thread_count; i++) {
        const bj__thread *t = &e->threads[i];
        if ((exchange && t->exchange == exchange) || (outbound && t->outbound == outbound)) {
            return true;
        }
        for (unsigned n = 0; exchange && n < t->capture_count; n++) {
            if (t->captures[n].exchange == exchange) {
                return true;
            }
        }
    }
    return false;
}
