/* SPDX-License-Identifier: Apache-2.0
 *
 * The client's ways to the servers: handshakes of DTLS and TLS, and TCP connections. When each began (as the log shows
 * it leave the client, also when nothing of it arrived), what the client offered, and how it ended. An attempt to
 * bootstrap begins with them, and may fail with them.
 */
#include "script/engine_internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static bj__contact *slot(bj_engine *e, uint64_t id) {
    return &e->contacts[id % BJ__CONTACTS];
}

const bj__contact *bj__contact_after(bj_engine *e, uint64_t id, bj_kind kind, const bj__server *only) {
    bool handshake = kind == BJ_K_CLIENT_HELLO;
    uint64_t oldest = e->contact_count > BJ__CONTACTS ? e->contact_count - BJ__CONTACTS : 0;
    for (uint64_t n = bj__max(id, oldest) + 1; n <= e->contact_count; n++) {
        const bj__contact *c = slot(e, n);
        if (c->handshake == handshake && (!only || c->server == only->index)) {
            return c;
        }
    }
    return NULL;
}

uint64_t bj__contact_until(bj_engine *e, uint64_t id, bj_time moment) {
    uint64_t oldest = e->contact_count > BJ__CONTACTS ? e->contact_count - BJ__CONTACTS : 0;
    for (uint64_t n = bj__max(id, oldest) + 1; n <= e->contact_count && slot(e, n)->began <= moment; n++) {
        id = n;
    }
    return id;
}

/* The newest that `fits`, from the newest back; NULL. */
static bj__contact *newest(bj_engine *e, bool handshake, const bj__server *s, int connection, const bj_addr *from) {
    uint64_t oldest = e->contact_count > BJ__CONTACTS ? e->contact_count - BJ__CONTACTS : 0;
    for (uint64_t n = e->contact_count; n > oldest; n--) {
        bj__contact *c = slot(e, n);
        if (c->handshake == handshake && c->server == s->index && c->connection == connection &&
            (!from || bj_addr_equal(&c->from, from))) {
            return c;
        }
    }
    return NULL;
}

const bj__contact *bj__contact_latest(bj_engine *e, const bj__server *s) {
    uint64_t oldest = e->contact_count > BJ__CONTACTS ? e->contact_count - BJ__CONTACTS : 0;
    for (uint64_t n = e->contact_count; n > oldest; n--) {
        if (slot(e, n)->handshake && slot(e, n)->server == s->index) {
            return slot(e, n);
        }
    }
    return NULL;
}

static void note(bj_engine *e, const bj__contact *c, const char *what) {
    bj_event event = { .time = e->ops->now(e->world),
                       .kind = BJ_EV_TLS_STATE,
                       .actor = (uint8_t) (BJ_ACTOR_SERVER_0 + c->server),
                       .cause = c->event,
                       .number = -1,
                       .from = c->to,
                       .to = c->from,
                       .text = what };
    bj_log_append(e->ops->log(e->world), &event);
}

static void conclude(bj__contact *c, bj__ends ends, bj_time when, uint32_t event) {
    if (!c->ends) {
        c->ends = (uint8_t) ends;
        c->ended = when;
        c->end_event = event;
    }
}

/* A client that begins anew has given up what it began before. */
static void give_up_others(bj_engine *e, bool handshake, const bj__server *s, bj_time when, uint32_t event) {
    uint64_t oldest = e->contact_count > BJ__CONTACTS ? e->contact_count - BJ__CONTACTS : 0;
    for (uint64_t n = e->contact_count; n > oldest; n--) {
        bj__contact *c = slot(e, n);
        bool same = c->server == s->index || !strcmp(e->servers[c->server].host, s->host);
        if (same && c->handshake == handshake && c->connection < 0 && !c->ends) {
            conclude(c, BJ__ENDS_GIVEN_UP, when, event);
            note(e, c, "handshake given up by the client");
        }
    }
}

static bj__contact *begin(bj_engine *e, bool handshake, const bj__server *s, int connection, const bj_event *event) {
    bj__contact *c = slot(e, ++e->contact_count);
    *c = (bj__contact){ .id = e->contact_count,
                        .handshake = handshake,
                        .server = s->index,
                        .connection = connection,
                        .from = event->from,
                        .to = event->to,
                        .began = event->time,
                        .acted = event->time,
                        .alert = -1,
                        .event = event->sequence };
    return c;
}

static void take_hello(bj__contact *c, const bj_hello *hello) {
    memcpy(c->random, hello->random, sizeof c->random);
    c->offer_count = hello->suite_count;
    memcpy(c->offers, hello->suites, hello->suite_count * sizeof hello->suites[0]);
    c->name_length = hello->name_length < sizeof c->name ? hello->name_length : sizeof c->name - 1;
    if (c->name_length) {
        memcpy(c->name, hello->name, c->name_length);
    }
}

static void note_beginning(bj_engine *e, const bj__contact *c) {
    BJ_TEXT(text, 400);
    bj_text_add(&text, "handshake begins");
    if (c->name_length) {
        bj_text_add(&text, ", name ");
        bj_text_json_string(&text, c->name, c->name_length);
    }
    bj_text_add(&text, ", suites");
    for (size_t i = 0; i < c->offer_count && i < 16; i++) {
        bj_text_printf(&text, " %04X", c->offers[i]);
    }
    note(e, c, text.start);
}

/* --- datagrams --- */

enum { RECORD_ALERT = 21, DTLS_HEADER = 13, FATAL = 2 };

/* An alert of the client ends its handshake: a fatal one rejects it, close_notify says that it is given up; of an
 * encrypted one nobody knows here. */
static bool client_alert(bj_engine *e, const bj__server *s, bj__contact *c, const bj_event *event) {
    const uint8_t *data = event->raw;
    if (event->raw_length <= DTLS_HEADER + 1 || data[0] != RECORD_ALERT) {
        return false;
    }
    bool clear = !(data[3] | data[4]), fatal = clear && data[DTLS_HEADER] == FATAL;
    c->alert = clear ? data[DTLS_HEADER + 1] : -1;
    conclude(c, fatal ? BJ__ENDS_REJECTED : BJ__ENDS_GIVEN_UP, event->time, event->sequence);
    bj__due_handshake_failed(e, s, event->time);
    return true;
}

void bj__contact_datagram(bj_engine *e, const bj__server *s, const bj_event *event) {
    bj_hello hello;
    bj__contact *c = newest(e, true, s, -1, &event->from);
    if (c && !c->ends && client_alert(e, s, c, event)) {
        return;
    }
    if (c && !c->ends) {
        bj__due_contact_active(e, s, event->time);
    }
    if (!bj_hello_read(&hello, event->raw, event->raw_length, true) ||
        (c && !memcmp(c->random, hello.random, sizeof c->random))) {
        return;
    }
    give_up_others(e, true, s, event->time, event->sequence);
    c = begin(e, true, s, -1, event);
    take_hello(c, &hello);
    bj__due_contact_begins(e, s, c);
    note_beginning(e, c);
}

/* --- streams --- */

void bj__contact_opens(bj_engine *e, const bj__server *s, const bj_event *event) {
    int number = (int) event->number;
    if (!newest(e, false, s, number, NULL)) {
        bj__due_contact_begins(e, s, begin(e, false, s, number, event));
    }
}

void bj__contact_accepted(bj_engine *e, const bj__server *s, const bj_event *event) {
    bj__contact_opens(e, s, event); /* where the log does not show it leave */
    bj__contact *c = newest(e, false, s, (int) event->number, NULL);
    conclude(c, BJ__ENDS_ESTABLISHED, event->time, event->sequence);
}

void bj__contact_stream(bj_engine *e, const bj__server *s, const bj_event *event) {
    int number = (int) event->number;
    bj_hello hello;
    bj__due_contact_active(e, s, event->time);
    if (newest(e, true, s, number, NULL) || !bj_hello_read(&hello, event->raw, event->raw_length, false)) {
        return;
    }
    const bj__contact *connection = newest(e, false, s, number, NULL);
    bj__range due = { 0, 0 };
    bool due_known = connection && connection->due_known;
    bj_time acted = connection ? connection->acted : event->time;
    if (due_known) {
        due = connection->due;
    }
    bj__contact *c = begin(e, true, s, number, event);
    c->due_known = due_known;
    c->due = due;
    c->acted = acted;
    take_hello(c, &hello);
    note_beginning(e, c);
}

/* The client's end of a connection is no more: refused, broken, or closed by the client itself. */
void bj__contact_closes(bj_engine *e, const bj__server *s, const bj_event *event) {
    bool own = !event->other && !event->cause;
    for (int handshake = 0; handshake < 2; handshake++) {
        bj__contact *c = newest(e, handshake, s, (int) event->number, NULL);
        if (c) {
            bool refused = !handshake && event->other == ECONNREFUSED;
            conclude(c,
                     own       ? BJ__ENDS_GIVEN_UP
                     : refused ? BJ__ENDS_REFUSED
                               : BJ__ENDS_BROKEN,
                     event->time, event->sequence);
        }
    }
    bj__due_connection_ends(e, s, (int) event->number, event->time);
}

/* --- what the server's side of a handshake learns --- */

static bj__contact *handshake_of(bj_engine *e, const bj__server *s, int connection, const bj_addr *from) {
    bj__contact *c = newest(e, true, s, connection, connection < 0 ? from : NULL);
    return c && !c->ends ? c : NULL;
}

void bj__contact_identity(bj_engine *e, const bj__server *s, int connection, const bj_addr *from, const uint8_t *bytes,
                          size_t length) {
    bj__contact *c = handshake_of(e, s, connection, from);
    if (c) {
        c->identity_known = true;
        c->identity_length = length < sizeof c->identity ? length : sizeof c->identity;
        memcpy(c->identity, bytes, c->identity_length);
    }
}

void bj__contact_established(bj_engine *e, const bj__server *s, int connection, const bj_addr *from, uint16_t suite,
                             uint32_t event) {
    bj__contact *c = handshake_of(e, s, connection, from);
    if (c) {
        c->suite = suite;
        conclude(c, BJ__ENDS_ESTABLISHED, e->now, event);
    }
}

void bj__contact_alert(bj_engine *e, const bj__server *s, int connection, const bj_addr *from, bool sent, int number,
                       uint32_t event) {
    bj__contact *c = handshake_of(e, s, connection, from);
    if (c) {
        c->alert = number;
        conclude(c, sent ? BJ__ENDS_REFUSED : BJ__ENDS_REJECTED, e->now, event);
    }
}

/* --- the steps --- */

static bool is_offered(const bj__contact *c, uint32_t suite) {
    for (size_t i = 0; i < c->offer_count; i++) {
        if (c->offers[i] == suite) {
            return true;
        }
    }
    return false;
}

static bool suites_match(const bj__contact *c, const bj_record *step, bj_text *why) {
    const bj_value *wanted = bj_get(step, BJ_F(CLIENT_HELLO, OFFERS));
    const bj_value *unwanted = bj_get(step, BJ_F(CLIENT_HELLO, WITHHOLDS));
    for (size_t i = 0; wanted && i < wanted->as.uints.count; i++) {
        if (!is_offered(c, wanted->as.uints.items[i])) {
            bj_text_printf(why, "the cipher suite 0x%04X is not offered", (unsigned) wanted->as.uints.items[i]);
            return false;
        }
    }
    for (size_t i = 0; unwanted && i < unwanted->as.uints.count; i++) {
        if (is_offered(c, unwanted->as.uints.items[i])) {
            bj_text_printf(why, "the cipher suite 0x%04X is offered", (unsigned) unwanted->as.uints.items[i]);
            return false;
        }
    }
    return true;
}

bool bj__contact_matches(const bj__contact *c, const bj_record *step, bj_text *why) {
    const bj_value *name = step->kind == BJ_K_CLIENT_HELLO ? bj_get(step, BJ_F(CLIENT_HELLO, NAME)) : NULL;
    if (name && (name->as.string.length != c->name_length ||
                 (c->name_length && memcmp(name->as.string.bytes, c->name, c->name_length) != 0))) {
        bj_text_add(why, c->name_length ? "the name indicated is " : "no name is indicated");
        if (c->name_length) {
            bj_text_json_string(why, c->name, c->name_length);
        }
        return false;
    }
    return step->kind != BJ_K_CLIENT_HELLO || suites_match(c, step, why);
}

bool bj__contact_end_awaited(const bj_record *step) {
    bool end = bj_get(step, BJ_F(CLIENT_HELLO, ENDS)) != NULL;
    return step->kind == BJ_K_CLIENT_HELLO
               ? end || bj_get(step, BJ_F(CLIENT_HELLO, ALERT)) || bj_get(step, BJ_F(CLIENT_HELLO, IDENTITY)) ||
                     bj_get(step, BJ_F(CLIENT_HELLO, SUITE))
               : end;
}

const char *bj__ends_name(uint32_t ends) {
    return bj_enum_name(bj_field_numbered(bj_record_def_of(BJ_K_CLIENT_HELLO), BJ_F(CLIENT_HELLO, ENDS))->values, ends);
}

static bool details_match(const bj__contact *c, const bj_record *step, bj_text *why) {
    const bj_value *alert = bj_get(step, BJ_F(CLIENT_HELLO, ALERT)), *suite = bj_get(step, BJ_F(CLIENT_HELLO, SUITE));
    const bj_value *identity = bj_get(step, BJ_F(CLIENT_HELLO, IDENTITY));
    if (alert && c->alert != (int) alert->as.uint) {
        bj_text_printf(why, c->alert < 0 ? "there was no alert" : "the alert was %d", c->alert);
        return false;
    }
    if (suite && suite->as.uint != c->suite) {
        bj_text_printf(why, "the cipher suite is 0x%04X", (unsigned) c->suite);
        return false;
    }
    bool same = identity && c->identity_known && identity->as.string.length == c->identity_length &&
                (!c->identity_length || !memcmp(identity->as.string.bytes, c->identity, c->identity_length));
    if (identity && !same) {
        bj_text_add(why, c->identity_known ? "another identity was shown: " : "no identity was shown");
        bj_text_hex(why, c->identity, c->identity_length);
    }
    return same || !identity;
}

bool bj__contact_end_matches(const bj__contact *c, const bj_record *step, bj_text *why) {
    const bj_value *ends = bj_get(step, BJ_F(CLIENT_HELLO, ENDS));
    if (ends && ends->as.uint != c->ends) {
        bj_text_printf(why, "it was %s", bj__ends_name(c->ends));
        if (c->alert >= 0) {
            bj_text_printf(why, " with alert %d", c->alert);
        }
        return false;
    }
    return step->kind != BJ_K_CLIENT_HELLO || details_match(c, step, why);
}

void bj__describe_contact(const bj_record *step, bj_text *out) {
    const char *to = bj_get_string(step, BJ_F(CLIENT_HELLO, TO), NULL);
    bool handshake = step->kind == BJ_K_CLIENT_HELLO;
    const bj_value *ends = bj_get(step, BJ_F(CLIENT_HELLO, ENDS));
    const bj_value *alert = handshake ? bj_get(step, BJ_F(CLIENT_HELLO, ALERT)) : NULL;
    bj_text_add(out, handshake ? "a handshake" : "a connection");
    if (to) {
        bj_text_printf(out, " with %s", to);
    }
    if (ends) {
        bj_text_printf(out, ", %s", bj__ends_name(ends->as.uint));
    }
    if (alert) {
        bj_text_printf(out, " with alert %u", (unsigned) alert->as.uint);
    }
}

/* --- awaiting them --- */

#define LONGEST_CONTACT (200 * BJ_SECOND)

static bj_time saturated(bj_time a, bj_time b) {
    return a > BJ_NEVER - b ? BJ_NEVER : a + b;
}

static bool contact_window(bj_engine *e, bj__thread *t, const bj__contact *c, const bj__server *s, bj__window *w) {
    const bj_value *at = bj_get(t->step, BJ_F(CLIENT_HELLO, AT)), *within = bj_get(t->step, BJ_F(CLIENT_HELLO, WITHIN));
    bj_time slack = saturated(BJ_SECOND + bj__round_trip(s), e->tolerance);
    bj__range range;
    BJ_TEXT(why, 160);
    *w = (bj__window){ 0, BJ_NEVER, false };
    if (at && at->as.when.due == BJ_DUE_HOLDOFF && c && c->due_known) {
        w->from = bj__add(c->due.early, at->as.when.earliest);
        w->from -= bj__min(w->from, BJ__ROUNDING + e->earliness);
        w->to = bj__add(bj__add(c->due.late, at->as.when.latest), (int64_t) (e->tolerance + BJ__ROUNDING));
    } else if (at && !bj__due_window(e, t, &at->as.when, s, 0, w, &why)) {
        bj__bad_due(e, t, &at->as.when, why.start);
        return false;
    } else if (!at && !c) {
        bool known = bj__due(e, BJ_DUE_HOLDOFF, NULL, 0, 0, &range, &why) && range.late != BJ_NEVER;
        w->to = bj__max(saturated(t->base, 100 * BJ_SECOND), known ? saturated(range.late, slack) : 0);
    }
    if (within) {
        w->to = bj__min(w->to, saturated(bj__add(t->base, (int64_t) within->as.duration), slack - BJ_SECOND));
    }
    return true;
}

static bj__progress contact_differs(bj_engine *e, bj__thread *t, uint32_t event, const char *why) {
    BJ_TEXT(wanted, 300);
    bj__awaited_text(e, t, &wanted);
    bj__fail(e, t, "expected %s: %s", wanted.start, why);
    t->failure_cause = event;
    return BJ__FAILED;
}

/* It has begun as said; now its end. */
static bj__progress await_end(bj_engine *e, bj__thread *t, const bj__contact *c) {
    BJ_TEXT(why, 300);
    bool awaited = bj__contact_end_awaited(t->step);
    if (awaited && !c->ends) {
        bj__range range;
        bool next = bj__due(e, BJ_DUE_HOLDOFF, NULL, 0, 0, &range, &why) && range.late != BJ_NEVER;
        bj_time last = saturated(bj__max(c->began + LONGEST_CONTACT, next ? range.late : 0), e->tolerance + BJ_SECOND);
        t->timer = last;
        return e->now < last ? BJ__WAITS : contact_differs(e, t, c->event, "it has not ended");
    }
    if (awaited && !bj__contact_end_matches(c, t->step, &why)) {
        return contact_differs(e, t, c->end_event, why.start);
    }
    t->contact = c->id;
    t->satisfied = bj__max(t->base, awaited ? c->ended : c->began);
    t->satisfied_event = awaited ? c->end_event : c->event;
    return BJ__DONE;
}

/* The client asks somebody for something instead. */
static bool asks_instead(const bj_engine *e, bj__thread *t, const bj__observation **what) {
    for (; t->cursor < e->end_observation; t->cursor++) {
        const bj__observation *o = bj__observation_at(e, t->cursor);
        if (o->kind == BJ__SEEN_STRANGE || (o->kind == BJ__SEEN_REQUEST && bj__exchange_of(e, o->exchange))) {
            *what = o;
            return true;
        }
    }
    return false;
}

bj__progress bj__poll_contact(bj_engine *e, bj__thread *t) {
    const char *to = bj_get_string(t->step, BJ_F(CLIENT_HELLO, TO), NULL);
    const bj__server *s = to ? bj__server_named(e, to) : NULL;
    const bj__contact *c = bj__contact_after(e, t->contact, (bj_kind) t->step->kind, s);
    const bj__observation *o;
    bj__window w;
    BJ_TEXT(why, 300);
    if (!contact_window(e, t, c, s, &w)) {
        return BJ__WAITS;
    }
    if (c) {
        bj_time acted = c->due_known ? c->acted : c->began;
        if (acted < w.from || acted > w.to) {
            return bj__mistimed(e, t, &w, acted, c->event);
        }
        return bj__contact_matches(c, t->step, &why) ? await_end(e, t, c) : contact_differs(e, t, c->event, why.start);
    }
    if (asks_instead(e, t, &o)) {
        return bj__unexpected(e, t, o, "");
    }
    bj_time late = bj__max(w.to == BJ_NEVER ? BJ_NEVER : w.to + 1, bj__lookup_allows(e, w.to));
    t->timer = late;
    return e->now < late ? BJ__WAITS : bj__too_late(e, t, w.to);
}
