/* SPDX-License-Identifier: Apache-2.0
 *
 * The step `handshake`: how a handshake of the client ended, and what it asked for.
 */
#include <string.h>

#include "script/engine_internal.h"

enum { USUAL_WAIT_S = 100, WELL = 1, REFUSED = 2, BADLY = 3 };

static unsigned wanted_end(const bj_record *step) {
    return bj_get_uint(step, BJ_F(HANDSHAKE, ENDS), bj_get(step, BJ_F(HANDSHAKE, ALERT)) ? REFUSED : WELL);
}

static void add_alerts(const bj_value *alerts, bj_text *out) {
    for (size_t i = 0; alerts && i < alerts->as.uints.count; i++) {
        bj_text_printf(out, i ? " or %u" : " with alert %u", (unsigned) alerts->as.uints.items[i]);
    }
}

void bj__describe_handshake(const bj_record *step, bj_text *out) {
    static const char *const ends[] = { "", "that ends well", "that the client refuses", "that fails" };
    bj_text_printf(out, "a handshake with %s %s", bj_get_string(step, BJ_F(HANDSHAKE, TO), ""),
                   ends[wanted_end(step) & 3]);
    add_alerts(bj_get(step, BJ_F(HANDSHAKE, ALERT)), out);
}

static void describe_seen(const bj__handshake *h, bj_text *out) {
    if (h->well) {
        bj_text_printf(out, "it ended well, with cipher suite 0x%04X", (unsigned) h->suite);
    } else if (h->alert >= 0) {
        bj_text_printf(out, "the client refused with alert %d", h->alert);
    } else {
        bj_text_add(out, "it failed without an alert of the client");
    }
    bj_text_printf(out, h->server_name[0] ? ", and had asked for %s" : ", and the client had asked for no name",
                   h->server_name);
}

static bool has_alert(const bj_value *alerts, int alert) {
    for (size_t i = 0; alerts && i < alerts->as.uints.count; i++) {
        if ((int) alerts->as.uints.items[i] == alert) {
            return true;
        }
    }
    return !alerts;
}

static bool fits(const bj_record *step, const bj__handshake *h) {
    const char *name = bj_get_string(step, BJ_F(HANDSHAKE, SNI), NULL);
    const bj_value *suite = bj_get(step, BJ_F(HANDSHAKE, SUITE));
    unsigned end = wanted_end(step);
    bool ended_so = end == WELL ? h->well : !h->well && (end == BADLY || h->alert >= 0);
    return ended_so && has_alert(bj_get(step, BJ_F(HANDSHAKE, ALERT)), h->alert) &&
           (!name || !strcmp(name, h->server_name)) && (!suite || suite->as.uint == h->suite);
}

static bj__progress take(bj_engine *e, bj__thread *t, const bj__observation *o, const bj__handshake *h) {
    t->cursor++;
    if (h && fits(t->step, h)) {
        t->satisfied = bj__max(t->begun, o->arrived);
        t->satisfied_event = o->event;
        return BJ__DONE;
    }
    BJ_TEXT(wanted, 200);
    BJ_TEXT(seen, 400);
    bj__describe_handshake(t->step, &wanted);
    if (h) {
        describe_seen(h, &seen);
    } else {
        bj_text_add(&seen, "too many of them came at once");
    }
    bj__fail(e, t, "expected %s: %s", wanted.start, seen.start);
    t->failure_cause = o->event;
    return BJ__FAILED;
}

bj__progress bj__poll_handshake(bj_engine *e, bj__thread *t) {
    const bj__server *s = bj__step_server(e, t->step, BJ_F(HANDSHAKE, TO), "bs");
    for (; s && t->cursor < e->end_observation; t->cursor++) {
        const bj__observation *o = bj__observation_at(e, t->cursor);
        if (o->kind == BJ__SEEN_HANDSHAKE && o->server == s->index) {
            return take(e, t, o, bj__secure_handshake(s, o->number));
        }
        if (o->kind != BJ__SEEN_DUPLICATE && o->kind != BJ__SEEN_HANDSHAKE) {
            return bj__unexpected(e, t, o, "");
        }
    }
    bj_time wait = bj_get_duration(t->step, BJ_F(HANDSHAKE, WITHIN), USUAL_WAIT_S * BJ_SECOND);
    bj_time deadline = bj__add(bj__add(t->base, (int64_t) wait), (int64_t) e->tolerance + 1);
    if (e->now < deadline) {
        t->timer = deadline;
        return BJ__WAITS;
    }
    BJ_TEXT(wanted, 200);
    bj__describe_handshake(t->step, &wanted);
    return bj__fail(e, t, "expected %s; there was none in time", wanted.start);
}
