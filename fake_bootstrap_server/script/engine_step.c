/* SPDX-License-Identifier: Apache-2.0
 *
 * Beginning a step, and looking whether a waiting one is satisfied, too early, too late or made impossible.
 *
 * When a step says when the client must act, what counts is when the client sent (the first copy), not when it arrived.
 * A step ends when the server sees it: at the arrival.
 */
#include "script/bytes.h"
#include "script/engine_internal.h"

#include <assert.h>
#include <string.h>

const bj__observation *bj__observation_at(const bj_engine *e, uint64_t number) {
    assert(number >= e->first_observation && number < e->end_observation);
    return &e->observations[number % e->observation_room];
}

/* --- texts --- */

static void add_time(bj_text *out, bj_time time) {
    bj_time_print(out, time);
    bj_text_add(out, " s");
}

static void exit_text(const bj_engine *e, bj_text *out) {
    if (e->cut) {
        bj_text_add(out, "the client's power was cut");
        return;
    }
    bj_text_add(out, "the client ended by itself: ");
    if (e->exit_signal) {
        bj_text_printf(out, "signal %d", e->exit_signal);
    } else {
        bj_text_printf(out, "exit status %d", e->exit_status);
    }
}

static const bj_codes *codes_of(const bj_record *step, unsigned field) {
    const bj_value *value = bj_get(step, field);
    return value ? &value->as.codes : NULL;
}

static void operation_text(bj_engine *e, const bj__thread *t, bj_text *out) {
    const bj__outbound *o = bj__outbound_of(e, t->outbound);
    bool message = t->step->kind == BJ_K_MESSAGE;
    const bj_codes *codes = codes_of(t->step, message ? BJ_F(MESSAGE, EXPECT) : BJ_F(WRITE, EXPECT));
    if (codes) {
        bj_codes_print(out, codes);
    } else {
        bj_text_add(out, "an answer");
    }
    if (o) {
        bj_text_add(out, " to ");
        bj__describe_outbound(o, out);
    }
}

void bj__awaited_text(bj_engine *e, const bj__thread *t, bj_text *out) {
    if (!t->step || t->phase == BJ__FETCH || t->phase == BJ__ENDED) {
        bj_text_add(out, "nothing more");
        return;
    }
    switch (t->step->kind) {
    case BJ_K_REQUEST:
        bj__describe_request(e, t->step, out);
        break;
    case BJ_K_CLIENT_HELLO:
    case BJ_K_CONNECTION:
        bj__describe_contact(t->step, out);
        break;
    case BJ_K_RETRANSMISSION:
        bj_text_printf(out, "retransmission %u", (unsigned) bj_get_uint(t->step, BJ_F(RETRANSMISSION, NUMBER), 0));
        break;
    case BJ_K_SILENCE:
        bj_text_add(out, "silence until ");
        add_time(out, t->silent_until);
        break;
    case BJ_K_EXIT:
        bj_text_add(out, "the client's end");
        break;
    case BJ_K_POWER_CUT:
        bj_text_add(out, "an operation on the client's disk");
        break;
    case BJ_K_RESET:
        bj_text_add(out, "RST");
        break;
    case BJ_K_ACK:
        bj_text_add(out, "an empty ACK");
        break;
    case BJ_K_AGAIN:
        bj_text_add(out, "the same answer again");
        break;
    case BJ_K_DEPARTURE:
        bj_text_printf(out, "a request to %s that does not arrive",
                       bj_get_string(t->step, BJ_F(DEPARTURE, TO), "a server"));
        break;
    case BJ_K_NOTIFICATION:
        bj__describe_notification(t->step, out);
        break;
    case BJ_K_HANDSHAKE:
        bj__describe_handshake(t->step, out);
        break;
    default:
        operation_text(e, t, out);
        break;
    }
}

bj__progress bj__too_late(bj_engine *e, bj__thread *t, bj_time until) {
    BJ_TEXT(what, 300);
    BJ_TEXT(time, 40);
    bj__awaited_text(e, t, &what);
    add_time(&time, until);
    const bj_addr *stray = bj__secure_stray(e, t->begun);
    if (stray) {
        BJ_TEXT(from, 64);
        bj_addr_print(&from, stray);
        return bj__fail(e, t,
                        "expected %s until %s; the client sent nothing but records under DTLS for which there is no "
                        "session, the latest from %s",
                        what.start, time.start, from.start);
    }
    return bj__fail(e, t, "expected %s until %s; the client sent nothing", what.start, time.start);
}

/* A due time that cannot be computed, or has passed, is an error of the scenario. */
bj__progress bj__bad_due(bj_engine *e, bj__thread *t, const bj_when *when, const char *why) {
    BJ_TEXT(text, 80);
    bj_when_print(&text, when);
    bj__conclude_printf(e, BJ_ERROR, t->step->position, "%s: %s", text.start, why);
    return BJ__WAITS;
}

/* --- beginning --- */

static const bj_value *when_field(const bj_record *step) {
    switch (step->kind) {
    case BJ_K_REQUEST:
        return bj_get(step, BJ_F(REQUEST, AT));
    case BJ_K_SILENCE:
        return bj_get(step, BJ_F(SILENCE, FOR));
    case BJ_K_ADVANCE:
        return bj_get(step, BJ_F(ADVANCE, FOR));
    case BJ_K_RESPONSE:
        return bj_get(step, BJ_F(RESPONSE, AT));
    case BJ_K_RETRANSMISSION:
        return bj_get(step, BJ_F(RETRANSMISSION, AT));
    case BJ_K_DEPARTURE:
        return bj_get(step, BJ_F(DEPARTURE, AT));
    case BJ_K_NOTIFICATION:
        return bj_get(step, BJ_F(NOTIFICATION, AT));
    case BJ_K_RAW:
        return bj_get(step, BJ_F(RAW, AT));
    case BJ_K_MESSAGE:
        return bj_get(step, BJ_F(MESSAGE, AT));
    case BJ_K_AGAIN:
        return bj_get(step, BJ_F(AGAIN, AT));
    case BJ_K_CLIENT_HELLO:
    case BJ_K_CONNECTION:
        return bj_get(step, BJ_F(CLIENT_HELLO, AT));
    case BJ_K_ALERT:
        return bj_get(step, BJ_F(ALERT, AT));
    case BJ_K_HANG_UP:
        return bj_get(step, BJ_F(HANG_UP, AT));
    default:
        return bj__is_operation((bj_kind) step->kind) ? bj_get(step, BJ_F(WRITE, AT)) : NULL;
    }
}

static unsigned server_field(const bj_record *step) {
    switch (step->kind) {
    case BJ_K_RAW:
        return BJ_F(RAW, SERVER);
    case BJ_K_MESSAGE:
        return BJ_F(MESSAGE, SERVER);
    case BJ_K_AGAIN:
        return BJ_F(AGAIN, SERVER);
    case BJ_K_ALERT:
        return BJ_F(ALERT, SERVER);
    case BJ_K_HANG_UP:
        return BJ_F(HANG_UP, SERVER);
    default:
        return BJ_F(WRITE, SERVER);
    }
}

/* Deadlines that each server has its own of. */
static bool of_server(const bj_when *when) {
    return when->due == BJ_DUE_LIFETIME || when->due == BJ_DUE_UPDATE || when->due == BJ_DUE_QUEUE;
}

/* `at` of an active step is when the message reaches the client: it leaves one latency earlier. */
static bool plan_action(bj_engine *e, bj__thread *t) {
    const bj_value *at = when_field(t->step);
    t->act_at = e->now;
    bool to_client = t->step->kind == BJ_K_STOP || t->step->kind == BJ_K_INPUT;
    if (to_client && e->last_arrival > e->now) {
        t->act_at = e->last_arrival + BJ_MS; /* what was sent before reaches the client before */
    }
    if (!at) {
        return true;
    }
    const bj__server *s = bj__step_server(e, t->step, server_field(t->step), "bs");
    bj_time moment;
    BJ_TEXT(why, 160);
    if (!s) {
        return false;
    }
    if (!bj__due_moment(e, t, &at->as.when, of_server(&at->as.when) ? s : NULL, &moment, &why)) {
        bj__bad_due(e, t, &at->as.when, why.start);
        return false;
    }
    if (at->as.when.due != BJ_DUE_NONE && moment < e->now + s->link.latency) {
        bj__bad_due(e, t, &at->as.when, "it has passed already");
        return false;
    }
    t->act_at = bj__max(e->now, moment - bj__min(moment, s->link.latency));
    return true;
}

static bj__progress begin_inconclusive(bj_engine *e, bj__thread *t) {
    bj__fail(e, t, "%s", bj_get_string(t->step, BJ_F(INCONCLUSIVE, TEXT), ""));
    t->ending = BJ_INCONCLUSIVE;
    return BJ__ENDS;
}

/* Does nothing that one could read on the network show this step? Alerts are encrypted, but for early ones. */
static bool is_unseen(const bj_record *step) {
    switch (step->kind) {
    case BJ_K_ALERT:
    case BJ_K_HANG_UP:
    case BJ_K_DNS:
    case BJ_K_STOP:
    case BJ_K_INPUT:
    case BJ_K_EXIT:
    case BJ_K_START:
    case BJ_K_POWER_CUT:
    case BJ_K_DISK:
        return true;
    default:
        return false;
    }
}

/* The log has all of what a capture would not show. */
static uint32_t log_beginning(bj_engine *e, const bj__thread *t) {
    BJ_TEXT(line, 400);
    bj_event event = { .time = e->now,
                       .kind = BJ_EV_STEP_BEGIN,
                       .actor = BJ_ACTOR_SCRIPT,
                       .position = t->step->position,
                       .cause = t->satisfied_event,
                       .text = line.start };
    if (!e->terse) {
        bj_step_line(&line, t->step);
    }
    if (!e->terse && is_unseen(t->step)) {
        bj_string bytes = bj_program_encode(e->arena, t->step);
        event.number = t->step->kind;
        event.raw = (const uint8_t *) bytes.bytes;
        event.raw_length = bytes.length;
        uint32_t sequence = bj_log_append(e->ops->log(e->world), &event);
        bj_arena_free(e->arena, (void *) (uintptr_t) bytes.bytes);
        return sequence;
    }
    return bj_log_append(e->ops->log(e->world), &event);
}

bj__progress bj__step_begin(bj_engine *e, bj__thread *t) {
    e->steps_begun++;
    t->begin_event = log_beginning(e, t);
    t->begun = e->now;
    t->timer = BJ_NEVER;
    t->outbound = 0;
    t->satisfied = e->now;
    t->satisfied_event = 0;
    t->silent_until = 0;
    const bj_value *when = when_field(t->step);
    if (when && when->as.when.due == BJ_DUE_WAKE) {
        t->wake = e->ops->client_wake ? e->ops->client_wake(e->world) : BJ_NEVER;
    }
    if (t->step->kind == BJ_K_NOTE) {
        bj__log_step(e, BJ_EV_NOTE, t->step->position, t->begin_event, bj_get_string(t->step, BJ_F(NOTE, TEXT), ""));
        return BJ__DONE;
    }
    if (t->step->kind == BJ_K_INCONCLUSIVE) {
        return begin_inconclusive(e, t);
    }
    if (bj__is_active((bj_kind) t->step->kind)) {
        t->phase = BJ__ACT;
        plan_action(e, t);
        return BJ__WAITS;
    }
    t->phase = BJ__WAIT;
    return BJ__WAITS;
}

/* --- request --- */

static const bj__server *request_server(bj_engine *e, const bj__thread *t) {
    const char *to = bj_get_string(t->step, BJ_F(REQUEST, TO), NULL);
    return to ? bj__server_named(e, to) : NULL;
}

static bj_time saturated(bj_time a, bj_time b) {
    return a > BJ_NEVER - b ? BJ_NEVER : a + b;
}

static bool ends_in(const char *path, const char *end) {
    size_t n = strlen(path), m = strlen(end);
    return n >= m && !strcmp(path + n - m, end);
}

/* How long the way there and back may take. */
bj_time bj__round_trip(const bj__server *s) {
    return s ? 2 * (s->link.latency + s->link.jitter) : 2 * BJ_MS;
}

/* `within` left out: the due time of what is awaited plus 1 s (verdicts.md); 100 s where none is known. */
static bj_time usual_deadline(bj_engine *e, const bj__thread *t, const bj__server *s) {
    const char *path = bj_get_string(t->step, BJ_F(REQUEST, PATH), "");
    bj_time slack = saturated(BJ_SECOND + bj__round_trip(s), e->tolerance);
    bj__range range;
    BJ_TEXT(why, 80);
    if (ends_in(path, "/bs") && bj__due(e, BJ_DUE_HOLDOFF, NULL, 0, 0, &range, &why)) {
        if (range.late != BJ_NEVER) {
            return bj__max(saturated(range.late, slack), saturated(t->base, slack));
        }
        return saturated(saturated(range.early, bj__holdoff_least(e)), 100 * BJ_SECOND + slack);
    }
    return saturated(t->base, 100 * BJ_SECOND);
}

/* The window in which the request must be sent; for one that came, as it stood before. */
static bool request_window(bj_engine *e, bj__thread *t, const bj__exchange *x, bj__window *w) {
    const bj__server *s = request_server(e, t);
    const bj_value *at = bj_get(t->step, BJ_F(REQUEST, AT)), *within = bj_get(t->step, BJ_F(REQUEST, WITHIN));
    BJ_TEXT(why, 160);
    *w = (bj__window){ 0, BJ_NEVER, false };
    if (at && at->as.when.due == BJ_DUE_HOLDOFF && x && x->due_known) {
        w->from = bj__add(x->due.early, at->as.when.earliest);
        w->from -= bj__min(w->from, BJ__ROUNDING + e->earliness);
        w->to = bj__add(bj__add(x->due.late, at->as.when.latest), (int64_t) (e->tolerance + BJ__ROUNDING));
        w->due = true;
    } else if (at && !bj__due_window(e, t, &at->as.when, s, 0, w, &why)) {
        bj__bad_due(e, t, &at->as.when, why.start);
        return false;
    }
    if (within) {
        bj_time slack = bj__round_trip(s) + e->tolerance + BJ__ROUNDING;
        w->to = bj__min(w->to, saturated(bj__add(t->base, (int64_t) within->as.duration), slack));
    } else if (!at) {
        w->to = x ? BJ_NEVER : usual_deadline(e, t, s);
    }
    return true;
}

/* What a message that no step allows is told as. */
bj__progress bj__unexpected(bj_engine *e, bj__thread *t, const bj__observation *o, const char *why) {
    const bj__exchange *x = bj__exchange_of(e, o->exchange);
    BJ_TEXT(wanted, 300);
    BJ_TEXT(seen, 300);
    bj__awaited_text(e, t, &wanted);
    if (o->kind == BJ__SEEN_STRANGE) {
        bj_text_add(&seen, o->what);
    } else if (x) {
        bj__describe(x, &seen);
    }
    bj__fail(e, t, "expected %s, the client sent %s to %s%s%s", wanted.start, seen.start, e->servers[o->server].name,
             *why ? ": " : "", why);
    t->failure_cause = o->event;
    return BJ__FAILED;
}

bj__progress bj__mistimed(bj_engine *e, bj__thread *t, const bj__window *w, bj_time sent, uint32_t event) {
    BJ_TEXT(wanted, 300);
    BJ_TEXT(limit, 40);
    BJ_TEXT(seen, 40);
    bool early = sent < w->from;
    bj__awaited_text(e, t, &wanted);
    add_time(&limit, early ? w->from : w->to);
    add_time(&seen, sent);
    bj__fail(e, t, "expected %s %s %s, the client sent it at %s", wanted.start, early ? "not before" : "until",
             limit.start, seen.start);
    t->failure_cause = event;
    return BJ__FAILED;
}

/* A silence has passed; did the client send before its end what only arrived behind it? */
static bool broke_silence(const bj__thread *t, const bj__observation *o) {
    return o->sent >= t->silent_from && o->sent + t->silent_grace < t->silent_until;
}

static void keep_capture(bj__thread *t, const bj__exchange *x) {
    const bj_value *name = bj_get(t->step, BJ_F(REQUEST, CAPTURE));
    if (!name) {
        return;
    }
    unsigned i = 0;
    while (i < t->capture_count &&
           (t->captures[i].name.length != name->as.string.length ||
            memcmp(t->captures[i].name.bytes, name->as.string.bytes, name->as.string.length) != 0)) {
        i++;
    }
    if (i < BJ__CAPTURES) {
        t->captures[i] = (bj__capture){ name->as.string, x->id };
        t->capture_count += i == t->capture_count;
    }
}

/* Longer than /0/x/11 by more than the profile allows is a warning (verdicts.md, "Hold-off"). */
static void warn_of_late_attempt(bj_engine *e, bj__thread *t, const bj__exchange *x) {
    bj_time bound = bj_get_duration(e->profile, BJ_F(PROFILE, HOLDOFF_LATEST), BJ_NEVER);
    if (bound != BJ_NEVER && x->due_known && x->sent > saturated(saturated(x->due.early, bound), e->tolerance)) {
        BJ_TEXT(time, 40);
        add_time(&time, x->due.early);
        bj__warn(t, "the bootstrap attempt comes long after the hold-off, which ended at %s", time.start);
    }
}

static bj__progress take_request(bj_engine *e, bj__thread *t, const bj__observation *o, const bj__exchange *x) {
    const bj_value *at = bj_get(t->step, BJ_F(REQUEST, AT));
    BJ_TEXT(why, 300);
    bj__window w;
    if (t->silent_until && broke_silence(t, o)) {
        BJ_TEXT(end, 40);
        add_time(&end, t->silent_until);
        bj_text_printf(&why, "it was sent before the end of the silence, %s", end.start);
        return bj__unexpected(e, t, o, why.start);
    }
    if (!bj__match_request(e, t, t->step, x, &why)) {
        return bj__unexpected(e, t, o, why.start);
    }
    if (!request_window(e, t, x, &w)) {
        return BJ__WAITS;
    }
    bool attempt = at && at->as.when.due == BJ_DUE_HOLDOFF && x->due_known;
    bj_time sent = attempt ? x->acted : w.due ? o->sent : bj__max(o->sent, t->base);
    if (sent < w.from || sent > w.to) {
        return bj__mistimed(e, t, &w, sent, o->event);
    }
    t->cursor++;
    t->contact = bj__contact_until(e, t->contact, o->sent);
    t->exchange = x->id;
    t->satisfied = bj__max(t->begun, o->arrived);
    t->satisfied_event = o->event;
    keep_capture(t, x);
    if (x->purpose == BJ__BOOTSTRAP) {
        warn_of_late_attempt(e, t, x);
    }
    return BJ__DONE;
}

/* The client began in time, with a look-up: nothing is too late until 1 s after the answer. */
bj_time bj__lookup_allows(const bj_engine *e, bj_time until) {
    if (!e->lookup_began || e->lookup_began > until) {
        return 0;
    }
    return e->looking_up ? BJ_NEVER : e->lookup_ended + BJ_SECOND;
}

/* The client sent it in time, but the network has not let it through yet: repetitions are to come. */
static bj_time on_its_way(bj_engine *e, const bj__server *only, bj_time until) {
    for (unsigned i = 0; i < e->server_count; i++) {
        const bj__server *s = &e->servers[i];
        bool counts = (!only || s == only) && s->outgoing.used && !s->outgoing.arrived;
        bj__range end;
        BJ_TEXT(why, 80);
        if (counts && s->outgoing.sent[0] <= until && s->state == 0 && bj__due(e, BJ_DUE_GIVEUP, s, 0, 0, &end, &why) &&
            end.late > e->now) {
            return end.late;
        }
    }
    return 0;
}

static bj__progress poll_request(bj_engine *e, bj__thread *t) {
    for (; t->cursor < e->end_observation; t->cursor++) {
        const bj__observation *o = bj__observation_at(e, t->cursor);
        const bj__exchange *x = bj__exchange_of(e, o->exchange);
        if (o->kind == BJ__SEEN_STRANGE || (o->kind == BJ__SEEN_NOTIFICATION && x)) {
            return bj__unexpected(e, t, o, o->kind == BJ__SEEN_STRANGE ? "" : "a notification");
        }
        if (o->kind == BJ__SEEN_REQUEST && x) {
            return take_request(e, t, o, x);
        }
    }
    bj__window w;
    if (!request_window(e, t, NULL, &w)) {
        return BJ__WAITS;
    }
    const bj__server *s = request_server(e, t);
    bj_time arrival = saturated(w.to, bj__round_trip(s) / 2 + 1);
    if (e->now < arrival) {
        t->timer = arrival;
        return BJ__WAITS;
    }
    bj_time later = bj__max(on_its_way(e, s, w.to), bj__max(bj__lookup_allows(e, w.to), bj__secure_allows(e, s, w.to)));
    if (later <= e->now) {
        return bj__too_late(e, t, w.to);
    }
    t->timer = later;
    return BJ__WAITS;
}

/* --- silence, advance --- */

static bool new_message_since(const bj_engine *e, bj_time since) {
    for (unsigned i = 0; i < e->server_count; i++) {
        const bj__outgoing *o = &e->servers[i].outgoing;
        if (o->used && o->sent[0] >= since) {
            return true;
        }
    }
    return false;
}

/* Where the step ends. It is computed anew while nothing new came from the client: what is on its way to the client
 * settles, and what the client sends would move the deadline to the one after. */
static bool moment_of_end(bj_engine *e, bj__thread *t, bj_time *end) {
    const bj_value *when = when_field(t->step);
    bool first = !t->silent_until;
    bj_time moment;
    BJ_TEXT(why, 160);
    if (!when) {
        *end = t->begun;
        return true;
    }
    if (first || !new_message_since(e, t->begun)) {
        if (bj__due_moment(e, t, &when->as.when, NULL, &moment, &why)) {
            t->silent_until = bj__max(moment, 1);
        } else if (first) {
            bj__bad_due(e, t, &when->as.when, why.start);
            return false;
        }
        if (first && when->as.when.due != BJ_DUE_NONE && moment < t->begun) {
            bj__bad_due(e, t, &when->as.when, "it has passed already");
            return false;
        }
    }
    *end = t->silent_until;
    return true;
}

static bj__progress poll_advance(bj_engine *e, bj__thread *t) {
    bj_time end;
    if (!moment_of_end(e, t, &end)) {
        return BJ__WAITS;
    }
    if (e->now < end) {
        t->timer = end;
        return BJ__WAITS;
    }
    t->satisfied = bj__max(end, t->base);
    t->silent_until = 0;
    return BJ__DONE;
}

/* What of the queue breaks the silence that lasts until `end`; NULL. */
static const bj__observation *noise(const bj_engine *e, const bj__thread *t, const bj__server *only, bj_time end) {
    for (uint64_t n = t->cursor; n < e->end_observation; n++) {
        const bj__observation *o = bj__observation_at(e, n);
        bool said = o->kind != BJ__SEEN_DUPLICATE && o->kind != BJ__SEEN_HANDSHAKE;
        bool counts = said && (!only || o->server == only->index);
        if (counts && o->arrived >= t->begun && o->event > t->begin_event && o->sent + t->silent_grace < end) {
            return o;
        }
    }
    return NULL;
}

/* A request that left the client and never came here: lost, or to a closed port. */
static const bj__server *unseen(const bj_engine *e, const bj__thread *t, const bj__server *only, bj_time end) {
    for (unsigned i = 0; i < e->server_count; i++) {
        const bj__server *s = &e->servers[i];
        const bj__outgoing *o = &s->outgoing;
        if ((!only || s == only) && o->used && !o->arrived && !o->lawful && o->sent[0] >= t->begun &&
            o->sent[0] + t->silent_grace < end) {
            return s;
        }
    }
    return NULL;
}

static const bj__outbound *unawaited_answer(const bj_engine *e, const bj__thread *t, const bj__server *only) {
    for (const bj__outbound *o = e->newest_outbound; o; o = o->older) {
        bool counts = o->waits_for_response_step && o->outcome == BJ__ANSWERED && (!only || o->server == only->index);
        if (counts && o->id > t->claimed[o->server] && o->answered >= t->begun && o->answer_event > t->begin_event) {
            return o;
        }
    }
    return NULL;
}

static bj__progress silence_broken(bj_engine *e, bj__thread *t, const bj__server *only, bj_time end) {
    const bj__observation *o = noise(e, t, only, end);
    BJ_TEXT(until, 40);
    add_time(&until, end);
    if (o) {
        BJ_TEXT(why, 80);
        bj_text_add(&why, "sent at ");
        add_time(&why, o->sent);
        return bj__unexpected(e, t, o, why.start);
    }
    const bj__server *s = unseen(e, t, only, end);
    if (s) {
        BJ_TEXT(at, 40);
        add_time(&at, s->outgoing.sent[0]);
        return bj__fail(e, t, "expected silence until %s, the client sent a request to %s at %s, which has not arrived",
                        until.start, s->name, at.start);
    }
    const bj__outbound *answer = unawaited_answer(e, t, only);
    if (answer) {
        BJ_TEXT(what, 200);
        bj__describe_outbound(answer, &what);
        bj__fail(e, t, "expected silence until %s, the client answered %s", until.start, what.start);
        t->failure_cause = answer->answer_event;
        return BJ__FAILED;
    }
    return BJ__DONE;
}

static bj__progress poll_silence(bj_engine *e, bj__thread *t) {
    const char *name = bj_get_string(t->step, BJ_F(SILENCE, SERVER), NULL);
    const bj__server *only = name ? bj__server_named(e, name) : NULL;
    const bj_value *when = when_field(t->step);
    bj_time end;
    if (!moment_of_end(e, t, &end)) {
        return BJ__WAITS;
    }
    /* The next step judges what comes right at a deadline by a clock of whole milliseconds. */
    t->silent_grace = when && when->as.when.due != BJ_DUE_NONE ? BJ__ROUNDING : 0;
    if (silence_broken(e, t, only, end) == BJ__FAILED) {
        return BJ__FAILED;
    }
    if (e->now < end) {
        t->timer = end;
        return BJ__WAITS;
    }
    t->silent_from = t->begun;
    t->satisfied = bj__max(end, t->base);
    return BJ__DONE;
}

/* --- retransmission --- */

static bj__progress take_retransmission(bj_engine *e, bj__thread *t, const bj__observation *o) {
    static const bj_when usual = { .due = BJ_DUE_RETRANSMIT };
    const bj_value *at = bj_get(t->step, BJ_F(RETRANSMISSION, AT));
    const bj_when *when = at ? &at->as.when : &usual;
    bj__window w;
    BJ_TEXT(why, 160);
    if (!bj__due_window(e, t, when, &e->servers[o->server], o->number, &w, &why)) {
        return bj__bad_due(e, t, when, why.start);
    }
    if (o->sent < w.from || o->sent > w.to) {
        return bj__mistimed(e, t, &w, o->sent, o->event);
    }
    t->cursor++;
    t->satisfied = bj__max(t->begun, o->arrived);
    t->satisfied_event = o->event;
    return BJ__DONE;
}

static bj__progress poll_retransmission(bj_engine *e, bj__thread *t) {
    static const bj_when usual = { .due = BJ_DUE_RETRANSMIT };
    unsigned number = bj_get_uint(t->step, BJ_F(RETRANSMISSION, NUMBER), 0);
    const char *to = bj_get_string(t->step, BJ_F(RETRANSMISSION, TO), NULL);
    const bj__server *only = to ? bj__server_named(e, to) : NULL;
    for (; t->cursor < e->end_observation; t->cursor++) {
        const bj__observation *o = bj__observation_at(e, t->cursor);
        bool counts = o->kind == BJ__SEEN_DUPLICATE && (!only || o->server == only->index);
        if (o->kind != BJ__SEEN_DUPLICATE && o->kind != BJ__SEEN_HANDSHAKE) {
            return bj__unexpected(e, t, o, "");
        }
        if (counts && number && o->number > number) {
            return bj__unexpected(e, t, o, "a later retransmission");
        }
        if (counts && o->number >= number) {
            return take_retransmission(e, t, o);
        }
    }
    const bj_value *at = bj_get(t->step, BJ_F(RETRANSMISSION, AT));
    bj__window w;
    BJ_TEXT(why, 160);
    if (!bj__due_window(e, t, at ? &at->as.when : &usual, only, 0, &w, &why)) {
        return bj__fail(e, t, "expected retransmission %u: %s", number, why.start);
    }
    bj_time arrival = saturated(w.to, bj__round_trip(only) + 1);
    if (e->now < arrival) {
        t->timer = arrival;
        return BJ__WAITS;
    }
    return bj__too_late(e, t, w.to);
}

/* --- answers --- */

static bj__progress wait_until(bj_engine *e, bj__thread *t, bj_time deadline) {
    if (e->now >= deadline) {
        return bj__too_late(e, t, deadline);
    }
    t->timer = bj__min(t->timer, deadline);
    return BJ__WAITS;
}

/* When an operation's answer is too late. Without `within` a confirmable request lasts as long as its retransmission,
 * and once acknowledged as long as an exchange. */
static bj_time answer_deadline(const bj_engine *e, const bj__outbound *o, const bj_value *within, bj_time from) {
    if (within) {
        return saturated(bj__add(from, (int64_t) within->as.duration), e->tolerance + 1);
    }
    if (o->acknowledged) {
        return saturated(o->last_seen, e->exchange_lifetime);
    }
    bool confirmable = o->type == BJ_COAP_CON && o->to.connection < 0 && o->next_send != BJ_NEVER;
    return confirmable ? BJ_NEVER : saturated(o->began, 93 * BJ_SECOND);
}

static bj__progress poll_answer(bj_engine *e, bj__thread *t, bool message) {
    const bj__outbound *o = bj__outbound_of(e, t->outbound);
    const bj_record *step = t->step;
    if (!o) {
        return bj__fail(e, t, "the request was forgotten with its server's restart");
    }
    if (o->outcome == BJ__OPEN) {
        const bj_value *within = bj_get(step, message ? BJ_F(MESSAGE, WITHIN) : BJ_F(WRITE, WITHIN));
        return wait_until(e, t, answer_deadline(e, o, within, o->began));
    }
    return bj__match_answer(e, t, step, o, codes_of(step, message ? BJ_F(MESSAGE, EXPECT) : BJ_F(WRITE, EXPECT)),
                            message ? NULL : codes_of(step, BJ_F(WRITE, TOLERATE)));
}

static const bj__outbound *oldest_unanswered(const bj_engine *e, const bj__thread *t, const bj__server *s) {
    for (const bj__outbound *o = e->oldest_outbound; o; o = o->newer) {
        if (o->waits_for_response_step && o->server == s->index && o->id > t->claimed[s->index]) {
            return o;
        }
    }
    return NULL;
}

static bj__progress take_response(bj_engine *e, bj__thread *t, const bj__server *s, const bj__outbound *o) {
    const bj_value *at = bj_get(t->step, BJ_F(RESPONSE, AT));
    bj__window w = { 0, BJ_NEVER, false };
    BJ_TEXT(why, 160);
    if (at && !bj__due_window(e, t, &at->as.when, s, 0, &w, &why)) {
        return bj__bad_due(e, t, &at->as.when, why.start);
    }
    if (o->answered < w.from) {
        BJ_TEXT(from, 40);
        add_time(&from, w.from);
        return bj__fail(e, t, "expected the answer not before %s", from.start);
    }
    bj__progress result = bj__match_answer(e, t, t->step, o, codes_of(t->step, BJ_F(RESPONSE, EXPECT)),
                                           codes_of(t->step, BJ_F(RESPONSE, TOLERATE)));
    if (result == BJ__DONE) {
        t->claimed[s->index] = o->id;
        t->satisfied = bj__max(t->begun, o->answered);
    }
    return result;
}

static bj__progress poll_response(bj_engine *e, bj__thread *t) {
    const bj__server *s = bj__step_server(e, t->step, BJ_F(RESPONSE, SERVER), "bs");
    const bj__outbound *o = s ? oldest_unanswered(e, t, s) : NULL;
    if (!s) {
        return BJ__WAITS;
    }
    if (!o) {
        bj__conclude_printf(e, BJ_ERROR, t->step->position,
                            "no request of '%s' with `wait: false` waits for its answer", s->name);
        return BJ__WAITS;
    }
    t->outbound = o->id;
    if (o->outcome != BJ__OPEN) {
        return take_response(e, t, s, o);
    }
    const bj_value *at = bj_get(t->step, BJ_F(RESPONSE, AT));
    bj__window w = { 0, BJ_NEVER, false };
    BJ_TEXT(why, 160);
    if (at && !bj__due_window(e, t, &at->as.when, s, 0, &w, &why)) {
        return bj__bad_due(e, t, &at->as.when, why.start);
    }
    bj_time deadline = answer_deadline(e, o, bj_get(t->step, BJ_F(RESPONSE, WITHIN)), t->base);
    return wait_until(e, t, bj__min(deadline, saturated(w.to, 1)));
}

/* --- the message layer's own --- */

enum { MESSAGE_LAYER_WAIT_S = 10 };

static bj_time short_deadline(const bj_engine *e, const bj__thread *t, unsigned field) {
    bj_time wait = bj_get_duration(t->step, field, MESSAGE_LAYER_WAIT_S * BJ_SECOND);
    return saturated(bj__add(t->base, (int64_t) wait), e->tolerance + 1);
}

static bj__progress poll_empty(bj_engine *e, bj__thread *t) {
    bool reset = t->step->kind == BJ_K_RESET;
    const bj__server *s = bj__step_server(e, t->step, BJ_F(RESET, SERVER), "bs");
    if (!s) {
        return BJ__WAITS;
    }
    const bj__outbound *o = bj__outbound_of(e, s->last_sent);
    if (!o) {
        bj__conclude_printf(e, BJ_ERROR, t->step->position, "the server '%s' has sent no message of its own", s->name);
        return BJ__WAITS;
    }
    if (reset ? o->rejected : o->acknowledged) {
        t->satisfied = bj__max(t->begun, o->last_seen);
        t->satisfied_event = o->last_event;
        return BJ__DONE;
    }
    if (o->outcome == BJ__ANSWERED || (!reset && o->rejected)) {
        BJ_TEXT(what, 200);
        bj__describe_outbound(o, &what);
        return bj__fail(e, t, "expected %s, the client %s %s", reset ? "RST" : "an empty ACK",
                        o->rejected ? "rejected" : "answered", what.start);
    }
    return wait_until(e, t, short_deadline(e, t, BJ_F(RESET, WITHIN)));
}

static bj__progress poll_again(bj_engine *e, bj__thread *t) {
    const bj__outbound *o = bj__outbound_of(e, t->outbound);
    if (!o) {
        return bj__fail(e, t, "the request was forgotten with its server's restart");
    }
    const bj_value *expect = bj_get(t->step, BJ_F(AGAIN, EXPECT));
    if (o->repeated && expect && o->repeated_code) {
        if (!bj_codes_has(&expect->as.codes, o->repeated_code)) {
            bj__fail(e, t, "expected another answer to the repetition, the client answered %u.%02u",
                     o->repeated_code >> 5, o->repeated_code & 31);
            t->failure_cause = o->repeated_event;
            return BJ__FAILED;
        }
        t->satisfied_event = o->repeated_event;
        return BJ__DONE;
    }
    if (o->repeated == 2) {
        BJ_TEXT(what, 200);
        bj__describe_outbound(o, &what);
        bj__fail(e, t, "expected the same answer to %s, repeated: executed twice, or a different answer: %s",
                 what.start, o->difference);
        t->failure_cause = o->repeated_event;
        return BJ__FAILED;
    }
    if (o->repeated || (!o->repeating && o->outcome != BJ__OPEN)) {
        t->satisfied_event = o->repeated_event;
        return BJ__DONE;
    }
    return wait_until(e, t,
                      saturated(short_deadline(e, t, BJ_F(AGAIN, WITHIN)), t->act_at - bj__min(t->act_at, t->base)));
}

/* --- departures --- */

/* The oldest request that left and has not arrived, of those that no step has taken. */
static bj__outgoing *departed(bj_engine *e, const bj__thread *t) {
    const char *to = bj_get_string(t->step, BJ_F(DEPARTURE, TO), NULL);
    const bj__server *only = to ? bj__server_named(e, to) : NULL;
    uint32_t method = bj_get_uint(t->step, BJ_F(DEPARTURE, METHOD), 0);
    bj__outgoing *found = NULL;
    for (unsigned i = 0; i < e->server_count; i++) {
        bj__outgoing *o = &e->servers[i].outgoing;
        bool counts = o->used && !o->arrived && !o->taken && (!only || &e->servers[i] == only) &&
                      (!method || o->code == method) && o->sent[0] >= t->base;
        found = counts && (!found || o->sent[0] < found->sent[0]) ? o : found;
    }
    return found;
}

static bj__progress poll_departure(bj_engine *e, bj__thread *t) {
    const bj_value *at = bj_get(t->step, BJ_F(DEPARTURE, AT));
    bj_time wait = bj_get_duration(t->step, BJ_F(DEPARTURE, WITHIN), 100 * BJ_SECOND);
    bj__window w = { .from = t->base, .to = saturated(bj__add(t->base, (int64_t) wait), e->tolerance + 1) };
    BJ_TEXT(why, 160);
    if (at && !bj__due_window(e, t, &at->as.when, NULL, 0, &w, &why)) {
        return bj__bad_due(e, t, &at->as.when, why.start);
    }
    bj__outgoing *o = departed(e, t);
    if (!o) {
        return wait_until(e, t, w.to);
    }
    if (o->sent[0] < w.from || o->sent[0] > w.to) {
        return bj__mistimed(e, t, &w, o->sent[0], o->event);
    }
    o->taken = true;
    t->satisfied = bj__max(t->begun, o->sent[0]);
    t->satisfied_event = o->event;
    return BJ__DONE;
}

static bj__progress poll_exit(bj_engine *e, bj__thread *t) {
    const bj_value *status = bj_get(t->step, BJ_F(EXIT, STATUS));
    if (!e->gone || e->cut) {
        bj_time wait = bj_get_duration(t->step, BJ_F(EXIT, WITHIN), 100 * BJ_SECOND);
        bj_time deadline = saturated(bj__add(t->base, (int64_t) wait), e->tolerance + 1);
        return wait_until(e, t, deadline);
    }
    t->satisfied_event = e->exit_event;
    if (e->exit_signal || (status && (int) status->as.uint != e->exit_status)) {
        BJ_TEXT(seen, 80);
        exit_text(e, &seen);
        return status ? bj__fail(e, t, "expected exit status %u, %s", (unsigned) status->as.uint, seen.start)
                      : bj__fail(e, t, "expected the client's end, %s", seen.start);
    }
    e->exit_taken = true;
    return BJ__DONE;
}

static bj__progress poll_reply(bj_engine *e, bj__thread *t) {
    const bj__exchange *x = bj__exchange_of(e, t->exchange);
    if (x && x->leaves) {
        t->timer = x->leaves;
        return BJ__WAITS;
    }
    t->satisfied = e->now;
    return BJ__DONE;
}

bool bj__awaits_answer(const bj_record *step) {
    bool silent = step->kind == BJ_K_CANCEL && bj_get_bool(step, BJ_F(CANCEL, RESET), false);
    return bj__is_operation((bj_kind) step->kind) && !silent && bj_get_bool(step, BJ_F(WRITE, WAIT), true);
}

static bj__progress poll(bj_engine *e, bj__thread *t) {
    switch (t->step->kind) {
    case BJ_K_REQUEST:
        return poll_request(e, t);
    case BJ_K_CLIENT_HELLO:
    case BJ_K_CONNECTION:
        return bj__poll_contact(e, t);
    case BJ_K_SILENCE:
        return poll_silence(e, t);
    case BJ_K_ADVANCE:
        return poll_advance(e, t);
    case BJ_K_RETRANSMISSION:
        return poll_retransmission(e, t);
    case BJ_K_DEPARTURE:
        return poll_departure(e, t);
    case BJ_K_RESPONSE:
        return poll_response(e, t);
    case BJ_K_RESET:
    case BJ_K_ACK:
        return poll_empty(e, t);
    case BJ_K_AGAIN:
        return poll_again(e, t);
    case BJ_K_EXIT:
        return poll_exit(e, t);
    case BJ_K_HANDSHAKE:
        return bj__poll_handshake(e, t);
    case BJ_K_POWER_CUT:
        return bj__life_poll_power_cut(e, t);
    case BJ_K_FILE:
        return bj__life_file(e, t);
    case BJ_K_RESPOND:
    case BJ_K_PACK:
        return poll_reply(e, t);
    case BJ_K_MESSAGE:
        return bj_get(t->step, BJ_F(MESSAGE, EXPECT)) ? poll_answer(e, t, true) : BJ__DONE;
    case BJ_K_NOTIFICATION:
        return bj__poll_notification(e, t);
    default:
        return bj__awaits_answer(t->step) ? poll_answer(e, t, false) : BJ__DONE;
    }
}

/* The client is gone. What was on its way from it may still arrive; time may pass; nothing else is to come. */
static bj__progress without_client(bj_engine *e, bj__thread *t) {
    bool only_time = t->step->kind == BJ_K_SILENCE || t->step->kind == BJ_K_ADVANCE;
    bj_time last = saturated(e->exit_time, BJ_SECOND);
    if (only_time) {
        return e->restarts ? BJ__WAITS : BJ__DONE; /* nobody waits for it but the reader */
    }
    if (e->now < last && bj__life_told_to_end(e)) {
        t->timer = bj__min(t->timer, last);
        return BJ__WAITS;
    }
    BJ_TEXT(wanted, 300);
    BJ_TEXT(seen, 80);
    bj__awaited_text(e, t, &wanted);
    exit_text(e, &seen);
    return bj__fail(e, t, "expected %s; %s", wanted.start, seen.start);
}

bj__progress bj__step_poll(bj_engine *e, bj__thread *t) {
    t->timer = BJ_NEVER;
    bj__progress progress = poll(e, t);
    if (progress == BJ__WAITS && e->gone && !e->done) {
        return without_client(e, t);
    }
    return progress;
}
