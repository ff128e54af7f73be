/* SPDX-License-Identifier: Apache-2.0
 *
 * Observations of the servers: `observe` and `observe-composite` begin one, `notification` awaits what it brings,
 * `cancel` ends it with Observe 1 or with a Reset (RFC 7641 §3.6). Whether a message of the client is a notification,
 * and of what, is decided when it arrives; the steps judge it.
 */
#include "script/engine_internal.h"

#include <string.h>

#include "wire/link.h"

/* RFC 7641 §3.4: the number is newer by less than half of its range. Times of more than 128 s are the caller's. */
static bool fresher(uint32_t number, uint32_t before) {
    uint32_t ahead = (number - before) & 0xFFFFFF;
    return ahead > 0 && ahead < 0x800000;
}

bool bj__is_observing(const bj_record *step) {
    return step->kind == BJ_K_OBSERVE || step->kind == BJ_K_OBSERVE_COMPOSITE;
}

/* --- which observation --- */

static bool has_name(const bj__outbound *o, const bj_value *name) {
    const bj_value *own = bj_get(o->observing, BJ_F(OBSERVE, NAME));
    return !name || (own && own->as.string.length == name->as.string.length &&
                     !memcmp(own->as.string.bytes, name->as.string.bytes, own->as.string.length));
}

static bj__outbound *named(bj_engine *e, const bj_record *step, unsigned name_field, unsigned server_field) {
    const bj_value *name = bj_get(step, name_field), *server = bj_get(step, server_field);
    for (bj__outbound *o = e->newest_outbound; o; o = o->older) {
        bool there = !server || !strcmp(server->as.string.bytes, e->servers[o->server].name);
        if (o->observing && there && has_name(o, name)) {
            return o;
        }
    }
    bj__conclude_printf(e, BJ_ERROR, step->position, "there is no observation%s%s", name ? " named " : "",
                        name ? name->as.string.bytes : "");
    return NULL;
}

/* --- what arrives --- */

void bj__observation_answered(bj_engine *e, bj__outbound *o, const bj_coap *m) {
    uint32_t number = 0;
    bool success = m->code >> 5 == 2;
    bj__outbound *cancelled = bj__outbound_of(e, o->cancels);
    if (o->observing && success && bj_coap_find_uint(m, BJ_COAP_OBSERVE, &number)) {
        o->observes = true;
        o->sequence = number;
        o->sequence_time = e->now;
    }
    if (cancelled && success) {
        cancelled->over = true;
    }
}

bj__outbound *bj__observation_of(bj_engine *e, bj__outbound *o, const bj__target *from, const bj_coap *m) {
    bool stream = from->connection >= 0;
    bool answer = o->outcome == BJ__OPEN || (!stream && m->mid == o->answer_mid && m->type == o->answer_type);
    bool observe = bj_coap_find(m, BJ_COAP_OBSERVE, 0) != NULL;
    if (!stream && m->type == BJ_COAP_ACK) {
        return NULL;
    }
    if (o->cancels) { /* one that left before the client knew has the Observe option, which the answer has not */
        return observe || !answer ? bj__outbound_of(e, o->cancels) : NULL;
    }
    return o->observing && !answer ? o : NULL;
}

void bj__observation_note(bj_engine *e, bj__outbound *o, bj__exchange *x, const bj_coap *m) {
    uint32_t number = 0;
    bool success = m->code >> 5 == 2;
    x->observed = o->id;
    x->numbered = bj_coap_find_uint(m, BJ_COAP_OBSERVE, &number);
    x->stale = x->numbered && x->from.connection < 0 && !fresher(number, o->sequence) &&
               e->now - o->sequence_time <= 128 * BJ_SECOND;
    if (x->numbered) {
        o->sequence = number;
        o->sequence_time = e->now;
    }
    o->over = o->over || o->reject_next || !success;
    o->rejecting = o->reject_next;
    o->reject_next = false;
}

/* --- notification --- */

static const bj_record *fields_of(const bj__outbound *o) {
    return o->observing;
}

static bool code_matches(const bj_record *step, const bj_coap *m, bj_text *why) {
    const bj_value *codes = bj_get(step, BJ_F(NOTIFICATION, CODE));
    bool good = codes ? bj_codes_has(&codes->as.codes, m->code) : m->code == BJ_COAP_CODE(2, 5);
    if (!good) {
        bj_text_add(why, "its code is ");
        bj_coap_code_print(why, m->code);
    }
    return good;
}

static bool type_matches(const bj_record *step, const bj__exchange *x, const bj_coap *m, bj_text *why) {
    const bj_value *type = bj_get(step, BJ_F(NOTIFICATION, TYPE));
    if (type && x->from.connection < 0 && type->as.uint != m->type) {
        bj_text_add(why, m->type == BJ_COAP_CON ? "it is confirmable" : "it is not confirmable");
        return false;
    }
    const bj_value *format = bj_get(step, BJ_F(NOTIFICATION, FORMAT));
    uint32_t seen = 65536;
    (void) bj_coap_find_uint(m, BJ_COAP_CONTENT_FORMAT, &seen);
    if (format && format->as.uint != seen) {
        bj_text_printf(why, "its Content-Format is %u", (unsigned) seen);
        return false;
    }
    return true;
}

/* RFC 7641 §3.4, §4.4. */
static bool sequence_matches(const bj__exchange *x, const bj_coap *m, bj_text *why) {
    if (m->code >> 5 == 2 && !x->numbered) {
        bj_text_add(why, "it has no Observe option");
    } else if (x->stale) {
        bj_text_add(why, "its Observe option is not newer than the one before");
    } else {
        return true;
    }
    return false;
}

static bool payload_matches(bj_engine *e, const bj__thread *t, const bj__outbound *o, const bj_coap *m, bj_text *why) {
    const bj_record *step = t->step;
    const bj_value *values = bj_get(step, BJ_F(NOTIFICATION, VALUES)), *text = bj_get(step, BJ_F(NOTIFICATION, TEXT));
    const bj_value *lacks = bj_get(step, BJ_F(NOTIFICATION, LACKS));
    bool composite = o->observing->kind == BJ_K_OBSERVE_COMPOSITE;
    bj_path path = { .depth = 0 };
    if (!composite) {
        path = bj__path_of(e, t, fields_of(o), BJ_F(OBSERVE, PATH));
    }
    if (values && bj__values_match(e, t, values, &path, m, why) != BJ__SAME) {
        return false;
    }
    if (text && !bj__text_equal(e, t, text, m, why)) {
        return false;
    }
    return !lacks || bj__values_lack(e, lacks, &path, m, why) == BJ__SAME;
}

static bool matches(bj_engine *e, const bj__thread *t, const bj__outbound *o, const bj__exchange *x, bj_text *why) {
    bj_coap m;
    if (x->observed != o->id) {
        bj_text_add(why, "it belongs to another observation");
        return false;
    }
    if (!bj__exchange_read(x, &m)) {
        bj_text_add(why, "it cannot be decoded");
        return false;
    }
    return sequence_matches(x, &m, why) && code_matches(t->step, &m, why) && type_matches(t->step, x, &m, why) &&
           payload_matches(e, t, o, &m, why);
}

/* The window in which the client must send it. */
static bool window(bj_engine *e, bj__thread *t, const bj__server *s, bj__window *w) {
    const bj_value *at = bj_get(t->step, BJ_F(NOTIFICATION, AT));
    const bj_value *within = bj_get(t->step, BJ_F(NOTIFICATION, WITHIN));
    BJ_TEXT(why, 160);
    *w = (bj__window){ 0, bj__add(t->base, 100 * BJ_SECOND), false };
    if (within) {
        w->to = bj__add(t->base, (int64_t) (within->as.duration + bj__round_trip(s) + e->tolerance + BJ__ROUNDING));
    }
    if (at && !bj__due_window(e, t, &at->as.when, s, 0, w, &why)) {
        bj__bad_due(e, t, &at->as.when, why.start);
        return false;
    }
    return true;
}

static bj__progress take(bj_engine *e, bj__thread *t, const bj__outbound *o, const bj__observation *seen,
                         const bj__exchange *x) {
    bj__window w;
    BJ_TEXT(why, 300);
    if (!matches(e, t, o, x, &why)) {
        return bj__unexpected(e, t, seen, why.start);
    }
    if (!window(e, t, &e->servers[o->server], &w)) {
        return BJ__WAITS;
    }
    bj_time sent = w.due ? seen->sent : bj__max(seen->sent, t->base);
    if (sent < w.from || sent > w.to) {
        return bj__mistimed(e, t, &w, sent, seen->event);
    }
    t->cursor++;
    t->satisfied = bj__max(t->begun, seen->arrived);
    t->satisfied_event = seen->event;
    return BJ__DONE;
}

bj__progress bj__poll_notification(bj_engine *e, bj__thread *t) {
    bj__outbound *o = named(e, t->step, BJ_F(NOTIFICATION, OF), BJ_F(NOTIFICATION, SERVER));
    bj__window w;
    if (!o) {
        return BJ__WAITS;
    }
    for (; t->cursor < e->end_observation; t->cursor++) {
        const bj__observation *seen = bj__observation_at(e, t->cursor);
        const bj__exchange *x = bj__exchange_of(e, seen->exchange);
        if (seen->kind == BJ__SEEN_DUPLICATE || (seen->kind != BJ__SEEN_STRANGE && !x)) {
            continue;
        }
        return seen->kind == BJ__SEEN_NOTIFICATION ? take(e, t, o, seen, x) : bj__unexpected(e, t, seen, "");
    }
    const bj__server *s = &e->servers[o->server];
    if (!window(e, t, s, &w)) {
        return BJ__WAITS;
    }
    bj_time arrival = bj__add(w.to, (int64_t) (bj__round_trip(s) / 2 + 1));
    if (e->now >= arrival) {
        return bj__too_late(e, t, w.to);
    }
    t->timer = arrival;
    return BJ__WAITS;
}

void bj__describe_notification(const bj_record *step, bj_text *out) {
    const bj_value *name = bj_get(step, BJ_F(NOTIFICATION, OF));
    bj_text_printf(out, name ? "a notification of %s" : "a notification", name ? name->as.string.bytes : "");
}

/* --- cancel --- */

bool bj__cancel(bj_engine *e, bj__thread *t) {
    bj__outbound *o = named(e, t->step, BJ_F(CANCEL, OF), BJ_F(CANCEL, SERVER));
    if (!o) {
        return false;
    }
    if (bj_get_bool(t->step, BJ_F(CANCEL, RESET), false)) {
        o->reject_next = true;
        return true;
    }
    bj__outbound *request = bj__send_cancel(e, o, t->step, t->begin_event);
    t->outbound = request ? request->id : 0;
    return request != NULL;
}
