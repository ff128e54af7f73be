/* SPDX-License-Identifier: Apache-2.0
 *
 * Observations: how they begin and end, and when they bring a notification (LwM2M Core 1.1 §5.1.2, §6.4; RFC 7641). One
 * is followed by the server's address and its token.
 *
 * A notification that waited, since its server was out of reach or an earlier one is not acknowledged yet, comes when
 * it comes: times are judged where nothing of the kind can have been. What must come is awaited a minute longer than
 * the attributes say, for no clause says how soon "when it changes" is. Whether a server hears of its own Writes is a
 * client's choice, which its profile tells.
 */
#include "oracle/management.h"

#include <string.h>

#include "script/schema.h"

enum { CONTENT = BJ_COAP_CODE(2, 5), WINDOW = 1 << 23 };

static const bj_time PATIENCE = 60 * BJ_SECOND, SOON = 5 * BJ_SECOND, HOUR = 3600 * BJ_SECOND, DAY = 86400 * BJ_SECOND;

static oracle_observation *find(bj_oracle *o, const bj_addr *peer, const uint8_t *token, size_t length) {
    for (unsigned i = 0; i < o->managed.observation_count; i++) {
        oracle_observation *ob = &o->managed.observations[i];
        if (ob->token_length == length && !memcmp(ob->token, token, length) && bj_addr_equal(&ob->peer, peer)) {
            return ob;
        }
    }
    return NULL;
}

void oracle_observations_forget(bj_oracle *o) {
    o->managed.observation_count = 0;
}

/* --- what can be told ----------------------------------------------------------------------------------------- */

/* Is there nothing of the client's for that server that may be waiting, since then? `except`: a message that has just
 * been sent. */
static bool is_settled(bj_oracle *o, const bj_addr *peer, bj_time since, uint32_t except) {
    const oracle_own *own;
    for (uint64_t age = 0; (own = oracle_own_at(o, age)); age++) {
        bool open = own->type == BJ_COAP_CON && own->acknowledged == BJ_NEVER && own->last + 400 * BJ_SECOND >= since;
        if (open && own->event != except && bj_addr_equal(&own->peer, peer)) {
            return false;
        }
    }
    return o->own_count <= ORACLE_OWN || o->own_forgotten < since;
}

bj_time oracle_longest_wait(bj_oracle *o, const bj_addr *peer, bj_time since, uint32_t except) {
    const oracle_own *own;
    bj_time most = 0, from = BJ_NEVER, until = 0;
    for (uint64_t age = 0; (own = oracle_own_at(o, age)) && own->last + 400 * BJ_SECOND >= since; age++) {
        bool counts = own->type == BJ_COAP_CON && own->event != except && own->acknowledged >= since;
        if (!counts || !bj_addr_equal(&own->peer, peer)) {
            continue;
        }
        if (own->acknowledged == BJ_NEVER) {
            return BJ_NEVER;
        }
        until = own->acknowledged + ORACLE_GRACE < from ? own->acknowledged : until; /* else one behind another */
        from = own->first;
        most = oracle_max(most, oracle_less(until, from));
    }
    return most;
}

/* Nothing has come between the client and that server since. */
static bool is_undisturbed(bj_oracle *o, const oracle_observation *ob, bj_time since, uint32_t except) {
    const oracle_peer *p = oracle_peer_of(o, &ob->peer, false);
    return p && p->registered && !p->queue && !o->stopping && o->alive && o->managed.disturbed < since &&
           (o->lossless || !ob->secure) && is_settled(o, &ob->peer, since, except);
}

static oracle_knowledge default_period(bj_oracle *o, unsigned resource, double *value, bj_time *since) {
    int instance = oracle_only_instance(o, 1);
    bj_path path = { .ids = { 1, (uint16_t) (instance < 0 ? 0 : instance), (uint16_t) resource }, .depth = 3 };
    const oracle_resource *r = instance < 0 ? NULL : oracle_resource_known(o, &path);
    if (!r) {
        return ORACLE_UNSURE;
    }
    *since = oracle_max(*since, r->at);
    *value = (double) r->value.integer;
    return r->absent ? ORACLE_KNOWN_ABSENT : ORACLE_KNOWN;
}

/* Of an observation of one path; those of several are judged where no attribute can count. */
static oracle_knowledge attribute(bj_oracle *o, const oracle_observation *ob, oracle_attribute which, double *value,
                                  bj_time *since) {
    oracle_knowledge known = ob->path_count ? ORACLE_KNOWN_ABSENT : ORACLE_UNSURE;
    for (unsigned i = 0; i < ob->path_count && known == ORACLE_KNOWN_ABSENT; i++) {
        known = oracle_attribute_of(o, &ob->peer, &ob->paths[i], which, value, since);
    }
    if (known == ORACLE_KNOWN && ob->path_count > 1) {
        return ORACLE_UNSURE;
    }
    if (known == ORACLE_KNOWN_ABSENT && (which == ORACLE_PMIN || which == ORACLE_PMAX)) {
        return default_period(o, which == ORACLE_PMIN ? 2 : 3, value, since);
    }
    return known;
}

/* A period that counts, 0 for none; false: it is not known. */
static bool period(bj_oracle *o, const oracle_observation *ob, oracle_attribute which, bj_time *length,
                   bj_time *since) {
    double seconds = 0;
    oracle_knowledge known = ob->own_attributes ? ORACLE_UNSURE : attribute(o, ob, which, &seconds, since);
    bool good = known == ORACLE_KNOWN_ABSENT || (known == ORACLE_KNOWN && seconds >= 0 && seconds < 1e9);
    *length = good && known == ORACLE_KNOWN ? (bj_time) seconds * BJ_SECOND : 0;
    return good;
}

/* --- numbers and thresholds ----------------------------------------------------------------------------------- */

typedef struct thresholds {
    bool known, any;
    oracle_knowledge has[3]; /* gt, lt, st */
    double values[3];
    bj_time since;
} thresholds;

static thresholds thresholds_of(bj_oracle *o, const oracle_observation *ob) {
    static const oracle_attribute which[] = { ORACLE_GT, ORACLE_LT, ORACLE_ST };
    thresholds t = { .known = !ob->own_attributes };
    for (unsigned i = 0; i < 3 && t.known; i++) {
        t.has[i] = attribute(o, ob, which[i], &t.values[i], &t.since);
        t.known = t.has[i] != ORACLE_UNSURE;
        t.any |= t.has[i] == ORACLE_KNOWN;
    }
    return t;
}

static double number_of(const oracle_value *value) {
    return value->kind == ORACLE_VALUE_INTEGER ? (double) value->integer : value->real;
}

static bool is_number(const oracle_value *value) {
    return (value->kind == ORACLE_VALUE_INTEGER && value->integer < INT64_C(1) << 50 &&
            value->integer > -(INT64_C(1) << 50)) ||
           value->kind == ORACLE_VALUE_REAL;
}

/* For sure: a value on the threshold itself counts on neither side. */
static bool is_met(const thresholds *t, double before, double now) {
    bool met = false;
    for (unsigned i = 0; i < 2; i++) {
        bool across = (before < t->values[i] && now > t->values[i]) || (before > t->values[i] && now < t->values[i]);
        met |= t->has[i] == ORACLE_KNOWN && across;
    }
    double step = before > now ? before - now : now - before;
    return met || (t->has[2] == ORACLE_KNOWN && step >= t->values[2]);
}

/* Whatever the resource was meanwhile, between `low` and `high`. */
static bool may_be_met(const thresholds *t, const oracle_observation *ob) {
    bool met = false;
    double last = number_of(&ob->value);
    for (unsigned i = 0; i < 2; i++) {
        bool one_side = ob->low > t->values[i] || ob->high < t->values[i];
        met |= t->has[i] == ORACLE_KNOWN && !one_side;
    }
    return met || (t->has[2] == ORACLE_KNOWN && (ob->high - last >= t->values[2] || last - ob->low >= t->values[2]));
}

/* --- what must come ------------------------------------------------------------------------------------------- */

static void expect_nothing(oracle_observation *ob) {
    ob->expected = ob->written_at = ob->stored = BJ_NEVER;
}

static bool watches(const oracle_observation *ob, const bj_path *path) {
    bool found = false;
    for (unsigned i = 0; i < ob->path_count; i++) {
        found |= bj_path_begins(path, &ob->paths[i]);
    }
    return found;
}

static bool is_single_number(const oracle_observation *ob) {
    return ob->path_count == 1 && !ob->composite && ob->paths[0].depth == 3 && is_number(&ob->value);
}

/* A resource has another value than was told last: must the observation tell it, and when at the latest? */
static void expect_change(bj_oracle *o, oracle_observation *ob, const oracle_managed *x, const oracle_value *value) {
    bj_time pmin, epmin, since = 0;
    thresholds t = thresholds_of(o, ob);
    bool reached = o->config.notifies_writer || !bj_addr_equal(&ob->peer, &x->f->peer);
    bool known = period(o, ob, ORACLE_PMIN, &pmin, &since) && period(o, ob, ORACLE_EPMIN, &epmin, &since) && t.known;
    bool judged = known && !ob->stream && !ob->vague && (!t.any || is_single_number(ob));
    if (!judged || (t.any && !is_met(&t, number_of(&ob->value), number_of(value)))) {
        expect_nothing(ob); /* it is back again, or does not count, or nobody knows whether it does */
        return;
    }
    if (!reached) {
        return;
    }
    ob->expected_by = t.any ? BJ_RULE_REP_THRESHOLDS : ob->composite ? BJ_RULE_REP_COMPOSITE : BJ_RULE_REP_OBSERVE;
    ob->written_at = oracle_min(ob->written_at, x->s->time);
    ob->expected = oracle_max(ob->reported + pmin, x->s->time + pmin + epmin) + PATIENCE;
}

static void changed(bj_oracle *o, oracle_observation *ob, const oracle_managed *x, const oracle_resource *r) {
    bool single = ob->path_count == 1 && ob->paths[0].depth == 3;
    bool number = is_number(&r->value) && is_number(&ob->value);
    if (single && number) {
        ob->low = number_of(&r->value) < ob->low ? number_of(&r->value) : ob->low;
        ob->high = number_of(&r->value) > ob->high ? number_of(&r->value) : ob->high;
    }
    ob->changed = x->s->time;
    if (single && ob->value.kind && oracle_value_same(&ob->value, &r->value)) {
        expect_nothing(ob);
    } else if ((single && ob->value.kind) || r->other) {
        expect_change(o, ob, x, &r->value);
    }
}

static void unsettle(oracle_observation *ob, bj_time now) {
    ob->vague = true;
    ob->changed = now;
    expect_nothing(ob);
}

/* After a Write that was accepted, and which resources it left. */
static void wrote(bj_oracle *o, const oracle_managed *x) {
    for (unsigned i = 0; i < o->managed.observation_count; i++) {
        oracle_observation *ob = &o->managed.observations[i];
        if (!x->alone || !x->plain || x->f->path.ids[0] == 2) {
            unsettle(ob, x->s->time);
            continue;
        }
        for (unsigned n = 0; n < o->managed.resource_count; n++) {
            const oracle_resource *r = &o->managed.resources[n];
            if (r->written && !r->absent && r->at == x->s->time && watches(ob, &r->path)) {
                changed(o, ob, x, r);
            }
        }
    }
}

/* LwM2M Core 1.1 §5.1.2: a pmax that is shorter than pmin does not count. */
static void reckon(bj_oracle *o, oracle_observation *ob) {
    bj_time pmin, pmax, since = ob->reported;
    bool known = period(o, ob, ORACLE_PMIN, &pmin, &since) && period(o, ob, ORACLE_PMAX, &pmax, &since);
    bool counts = known && pmax && pmax >= pmin && !ob->stream && !ob->ended;
    ob->most = counts ? since + pmax + SOON + oracle_late(o) : BJ_NEVER;
    o->managed.next = oracle_min(o->managed.next, oracle_min(ob->most, oracle_min(ob->expected, ob->stored)));
}

static void reckon_all(bj_oracle *o) {
    o->managed.next = BJ_NEVER;
    for (unsigned i = 0; i < o->managed.observation_count; i++) {
        reckon(o, &o->managed.observations[i]);
    }
}

static void describe(const oracle_observation *ob, bj_text *out) {
    for (unsigned i = 0; i < ob->path_count; i++) {
        bj_text_add(out, i ? ", " : "");
        bj_path_print(out, &ob->paths[i]);
    }
    bj_text_add(out, " by ");
    bj_addr_print(out, &ob->peer);
}

static void missed(bj_oracle *o, oracle_observation *ob, bj_rule rule, bj_time due, const char *why) {
    BJ_TEXT(what, 400);
    describe(ob, &what);
    oracle_break(o, rule, due, 0, "the observation of %s has brought no notification until %.3f s: %s", what.start,
                 (double) due / 1e6, why);
}

/* Was a confirmable message to that server on its way then? What is due waits for its end (RFC 7252 §4.7, NSTART). */
static bool was_held_up(bj_oracle *o, const oracle_observation *ob, bj_time due) {
    const oracle_own *own;
    bool held = false;
    for (uint64_t age = 0; (own = oracle_own_at(o, age)) && own->last + 400 * BJ_SECOND >= due && !held; age++) {
        held = own->type == BJ_COAP_CON && own->acknowledged >= due && own->first <= due &&
               bj_addr_equal(&own->peer, &ob->peer);
    }
    return held;
}

static void look_at(bj_oracle *o, oracle_observation *ob) {
    bool in_session = o->attempt.phase == ORACLE_SESSION || o->attempt.phase == ORACLE_REQUESTED;
    if (o->now > ob->expected) {
        if (!in_session && !ob->ended && is_undisturbed(o, ob, ob->reported, 0) && !was_held_up(o, ob, ob->expected)) {
            missed(o, ob, (bj_rule) ob->expected_by, ob->expected, "what was written must be told");
        }
        expect_nothing(ob);
    }
    if (o->now > ob->most) {
        if (!in_session && !ob->ended && is_undisturbed(o, ob, ob->reported, 0) && !was_held_up(o, ob, ob->most)) {
            missed(o, ob, BJ_RULE_REP_PERIODS, ob->most, "pmax is over");
        }
        ob->lapsed = !ob->ended;
        ob->most = BJ_NEVER;
    }
    if (o->now > ob->stored) {
        if (!in_session && is_undisturbed(o, ob, ob->ended_at, 0)) {
            missed(o, ob, BJ_RULE_REP_STORING, ob->stored,
                   "pmax was over while its server was disabled, and /1/x/6 is true");
        }
        ob->stored = BJ_NEVER;
    }
}

static void look(bj_oracle *o) {
    if (o->now <= o->managed.next) {
        return;
    }
    o->managed.next = BJ_NEVER;
    for (unsigned i = 0; i < o->managed.observation_count; i++) {
        oracle_observation *ob = &o->managed.observations[i];
        look_at(o, ob);
        o->managed.next = oracle_min(o->managed.next, oracle_min(ob->most, oracle_min(ob->expected, ob->stored)));
    }
}

/* --- beginning and ending ------------------------------------------------------------------------------------- */

/* What a payload says of the one resource that is observed. */
typedef struct content {
    const oracle_observation *ob;
    oracle_value value;
    uint64_t digest;
} content;

static void content_entry(bj_oracle *o, void *context, const bj_entry *entry) {
    (void) o;
    content *c = context;
    bool single = c->ob->path_count == 1 && c->ob->paths[0].depth == 3;
    if (single && entry->path.depth == 3 && bj_path_begins(&entry->path, &c->ob->paths[0])) {
        c->value = oracle_value_of(entry, oracle_definition_of(&entry->path).type);
    }
}

static content content_of(bj_oracle *o, const oracle_observation *ob, const bj_coap *m) {
    static const bj_path root = { .depth = 0 };
    content c = { .ob = ob, .digest = UINT64_C(14695981039346656037) };
    for (size_t i = 0; i < m->payload_length; i++) {
        c.digest = (c.digest ^ m->payload[i]) * UINT64_C(1099511628211);
    }
    oracle_entries_of(o, ob->path_count == 1 ? &ob->paths[0] : &root, m, content_entry, &c);
    return c;
}

static void tell(oracle_observation *ob, const content *c, bj_time now) {
    ob->value = c->value;
    ob->digest = c->digest;
    ob->low = ob->high = is_number(&c->value) ? number_of(&c->value) : 0;
    ob->reported = now;
    ob->vague = ob->lapsed = false;
    ob->changed = 0;
    expect_nothing(ob);
}

/* What was told is not what was written last: it waited on its way, and what the resource was meanwhile counts on. */
static bool is_behind(bj_oracle *o, const oracle_observation *ob) {
    const oracle_resource *r = is_single_number(ob) ? oracle_resource_known(o, &ob->paths[0]) : NULL;
    return r && !r->absent && is_number(&r->value) && !oracle_value_same(&r->value, &ob->value);
}

static oracle_observation *room(bj_oracle *o) {
    if (o->managed.observation_count < ORACLE_OBSERVATIONS) {
        return &o->managed.observations[o->managed.observation_count++];
    }
    memmove(o->managed.observations, o->managed.observations + 1,
            (ORACLE_OBSERVATIONS - 1) * sizeof *o->managed.observations);
    return &o->managed.observations[ORACLE_OBSERVATIONS - 1];
}

static bool paths_of(const oracle_managed *x, oracle_observation *ob) {
    oracle_paths paths;
    if (x->kind == ORACLE_MANAGES_READ) {
        ob->paths[0] = x->f->path;
        ob->path_count = x->f->path.depth ? 1 : 0;
        return ob->path_count;
    }
    bool read = x->kind == ORACLE_MANAGES_READ_COMPOSITE && oracle_paths_of(x->request, &paths);
    bool fits = read && paths.count <= ORACLE_OBSERVED_PATHS;
    ob->composite = true;
    ob->path_count = fits ? (uint8_t) paths.count : 0;
    memcpy(ob->paths, paths.paths, ob->path_count * sizeof ob->paths[0]);
    return fits;
}

static void begin(bj_oracle *o, const oracle_managed *x, uint32_t sequence) {
    oracle_observation *ob = find(o, &x->f->peer, x->f->token, x->f->token_length);
    ob = ob ? ob : room(o);
    *ob = (oracle_observation){ .peer = x->f->peer,
                                .token_length = x->f->token_length,
                                .secure = x->f->secure,
                                .stream = x->s->stream,
                                .own_attributes = bj_coap_find(x->request, BJ_COAP_URI_QUERY, 0) != NULL,
                                .sequence = sequence,
                                .confirmed = x->s->time,
                                .began = x->s->time };
    memcpy(ob->token, x->f->token, sizeof ob->token);
    if (!paths_of(x, ob) || !x->plain || !x->whole) {
        ob->path_count = 0;
    }
    content c = content_of(o, ob, &x->s->m);
    tell(ob, &c, x->s->time);
    ob->vague = !x->alone || !ob->path_count;
}

static bool same_paths(const oracle_observation *a, const oracle_observation *b) {
    bool same = a->path_count == b->path_count;
    for (unsigned i = 0; same && i < a->path_count; i++) {
        same = a->paths[i].depth == b->paths[i].depth && bj_path_begins(&a->paths[i], &b->paths[i]);
    }
    return same;
}

/* RFC 7641 §3.6: a GET (FETCH) with Observe 1 and the observation's token. */
static void cancel(bj_oracle *o, const oracle_managed *x) {
    oracle_observation *ob = find(o, &x->f->peer, x->f->token, x->f->token_length), same = { .path_count = 0 };
    bool named = ob && ob->path_count && paths_of(x, &same) && same.composite == ob->composite && same_paths(&same, ob);
    if (named && x->plain && !ob->ended) {
        ob->ended = ORACLE_ENDED_CANCELLED;
        ob->ended_at = x->s->time;
        ob->ended_settled = is_settled(o, &ob->peer, x->s->time, 0);
        expect_nothing(ob);
    }
}

/* Which attributes counted when something changed is not told twice. */
static void may_change(bj_oracle *o, const oracle_managed *x) {
    bool writes = x->kind == ORACLE_MANAGES_REPLACE || x->kind == ORACLE_MANAGES_UPDATE ||
                  x->kind == ORACLE_MANAGES_WRITE_COMPOSITE;
    if (writes) {
        wrote(o, x);
    }
    for (unsigned i = 0; !writes && i < o->managed.observation_count; i++) {
        if (x->kind == ORACLE_MANAGES_ATTRIBUTES) {
            expect_nothing(&o->managed.observations[i]);
        } else if (!oracle_changes_nothing(x)) {
            unsettle(&o->managed.observations[i], x->s->time);
        }
    }
}

void oracle_observations_answered(bj_oracle *o, const oracle_managed *x) {
    uint32_t asked = 2, sequence = 0;
    bool observes = x->f->observes && bj_coap_find_uint(x->request, BJ_COAP_OBSERVE, &asked);
    bool reads = x->kind == ORACLE_MANAGES_READ || x->kind == ORACLE_MANAGES_READ_COMPOSITE;
    bool success = x->s->m.code == CONTENT;
    if (observes && reads && success && asked == 1) {
        cancel(o, x);
    } else if (observes && reads && success && asked == 0 && bj_coap_find_uint(&x->s->m, BJ_COAP_OBSERVE, &sequence)) {
        begin(o, x, sequence);
    } else if (!reads && x->kind != ORACLE_MANAGES_DISCOVER && x->s->m.code >> 5 != 4) {
        may_change(o, x);
    }
    reckon_all(o);
}

/* Nobody answers a notification with a response. To who takes it for one, what is on its way with that token, or waits
 * for its turn, has got its answer. */
void oracle_observations_response(bj_oracle *o, const oracle_seen *s) {
    oracle_observation *ob = find(o, &s->peer, s->m.token, s->m.token_length);
    if (ob && (s->stream || s->m.type <= BJ_COAP_NON)) {
        ob->answered = s->time;
    }
}

/* The client may take them for rejected with Reset. */
void oracle_observations_doubted(bj_oracle *o, const bj_addr *peer) {
    for (unsigned i = 0; i < o->managed.observation_count; i++) {
        oracle_observation *ob = &o->managed.observations[i];
        if (bj_addr_equal(&ob->peer, peer) && !ob->ended) {
            ob->ended = ORACLE_ENDED_RESET;
            ob->ended_perhaps = true;
            ob->ended_at = o->now;
            expect_nothing(ob);
            ob->most = BJ_NEVER;
        }
    }
}

/* A Reset to a notification (§3.6). One to a non-confirmable one belongs to nothing that its sender still keeps: that
 * is why one in 24 hours is confirmable (§4.5). Nor does one behind an Acknowledgement (RFC 7252 §4.2). */
void oracle_observations_reset(bj_oracle *o, const oracle_seen *s) {
    const oracle_own *own = oracle_own_with_mid(o, s);
    bool kept = own && own->type == BJ_COAP_CON && own->answered == s->time && !own->ended_otherwise;
    bool notification = kept && bj_coap_is_response(own->code) && s->time < own->first + 100 * BJ_SECOND;
    oracle_observation *ob = notification ? find(o, &own->peer, own->token, own->token_length) : NULL;
    bool misled = ob && ob->answered && ob->answered + ORACLE_GRACE >= own->first;
    if (ob && !ob->ended && own->first >= ob->began && !misled) {
        ob->ended = ORACLE_ENDED_RESET;
        /* Who has given it up may not know its Message ID any more. */
        ob->ended_perhaps = oracle_comes_as_it_is_given_up(own, s) || oracle_was_given_up(o, own);
        ob->ended_at = s->time;
        bool at_once = own->copies == 1; /* else others may have been made behind it, and wait for it (NSTART) */
        ob->ended_settled = at_once && is_settled(o, &ob->peer, s->time, own->event);
        expect_nothing(ob);
        ob->most = BJ_NEVER;
    }
}

/* /1/x/6, Notification Storing When Disabled or Offline, is that for all that is known. */
static bool stores(bj_oracle *o, bool what) {
    int instance = oracle_only_instance(o, 1);
    bj_path path = { .ids = { 1, (uint16_t) (instance < 0 ? 0 : instance), 6 }, .depth = 3 };
    const oracle_resource *r = instance < 0 ? NULL : oracle_resource_known(o, &path);
    return r && !r->absent && r->value.integer == what;
}

/* Was pmax over while the client was away because of Disable, with nothing of before to be told? */
static bool has_stored(bj_oracle *o, const oracle_observation *ob) {
    const oracle_peer *p = oracle_peer_of(o, &ob->peer, false);
    return p && p->standing.sent_away && ob->lapsed && !ob->vague && !ob->secure &&
           is_undisturbed(o, ob, ob->reported, 0) && stores(o, true);
}

/* A Register was accepted: what was observed before it is over (LwM2M Core 1.1 §6.4.1). */
void oracle_observations_registered(bj_oracle *o, const bj_addr *peer, bj_time now, bool placed) {
    for (unsigned i = 0; i < o->managed.observation_count; i++) {
        oracle_observation *ob = &o->managed.observations[i];
        if (bj_addr_equal(&ob->peer, peer) && (!ob->ended || ob->ended_perhaps)) {
            ob->ended = ORACLE_ENDED_REGISTERED;
            ob->ended_perhaps = !placed;
            ob->ended_at = now;
            ob->ended_settled = !ob->changed && is_settled(o, peer, ob->reported, 0);
            ob->ended_unstored = stores(o, false) && is_settled(o, peer, ob->reported, 0);
            ob->stored = has_stored(o, ob) ? now + PATIENCE : BJ_NEVER;
        }
    }
    reckon_all(o);
}

/* --- notifications -------------------------------------------------------------------------------------------- */

static void breaks(bj_oracle *o, const oracle_observation *ob, const oracle_seen *s, bj_rule rule, const char *why) {
    BJ_TEXT(what, 400);
    describe(ob, &what);
    oracle_break(o, rule, s->time, s->event->sequence, "a notification of the observation of %s: %s", what.start, why);
}

/* May one message behind another have kept it waiting ever since the end (NSTART)? */
static bool waited_since_the_end(bj_oracle *o, const oracle_observation *ob, const oracle_seen *s) {
    bj_time wait = oracle_longest_wait(o, &ob->peer, ob->ended_at, s->event->sequence), gap = s->time - ob->ended_at;
    return wait == BJ_NEVER ? gap < 400 * BJ_SECOND : wait + 2 * ORACLE_GRACE >= gap;
}

/* Or ever since what it observes was changed, so that it may show what was before? */
static bool waited_since_the_change(bj_oracle *o, const oracle_observation *ob, const oracle_seen *s) {
    bj_time wait = ob->changed ? oracle_longest_wait(o, &ob->peer, ob->changed, s->event->sequence) : 0;
    return wait && (wait == BJ_NEVER || wait + 2 * ORACLE_GRACE >= s->time - ob->changed);
}

/* Has that server been within reach all the time since? Its Register was accepted before, and so was every message for
 * it since that is confirmable. What was stored, and not told at once, waits for that (E.2, /1/x/6). */
static bool has_been_reached(bj_oracle *o, const oracle_observation *ob, bj_time since, uint32_t except) {
    const oracle_peer *p = oracle_peer_of(o, &ob->peer, false);
    const oracle_own *own;
    if (!is_undisturbed(o, ob, since, except) || p->register_last > since) {
        return false;
    }
    bj_time reached = o->now;
    for (uint64_t age = 0; (own = oracle_own_at(o, age)) && reached > since; age++) {
        bool counts = own->type == BJ_COAP_CON && own->event != except && bj_addr_equal(&own->peer, &ob->peer);
        if (counts && own->acknowledged == BJ_NEVER) {
            return own->last < p->register_last;
        }
        reached = counts ? own->acknowledged : reached;
    }
    return true;
}

/* Do servers alone change what it observes? Of anything else another value may have been stored. */
static bool is_servers_own(const oracle_observation *ob) {
    bool own = ob->path_count > 0;
    for (unsigned i = 0; i < ob->path_count; i++) {
        own &= ob->paths[i].ids[0] == 1 || (ob->paths[i].depth >= 3 && oracle_definition_of(&ob->paths[i]).stays);
    }
    return own;
}

static void check_ended(bj_oracle *o, const oracle_observation *ob, const oracle_seen *s, const content *c) {
    bool late = s->time > ob->ended_at + (ob->ended_unstored ? 0 : ORACLE_GRACE);
    bool unsettled = !ob->ended_settled && s->time < ob->ended_at + 400 * BJ_SECOND; /* one may have been on its way */
    if (!late || unsettled || ob->ended_perhaps) {
        return;
    }
    if (ob->ended == ORACLE_ENDED_REGISTERED) {
        if (ob->ended_settled && c->digest != ob->digest && is_servers_own(ob)) {
            breaks(o, ob, s, BJ_RULE_REP_END, "it comes though the client has registered anew since");
        } else if (ob->ended_unstored && (ob->changed || ob->lapsed)) {
            breaks(o, ob, s, BJ_RULE_REP_STORING,
                   "it was stored while its server was disabled, though /1/x/6 is false");
        } else if (s->time > ob->ended_at + HOUR / 6 &&
                   has_been_reached(o, ob, s->time - HOUR / 6, s->event->sequence)) {
            breaks(o, ob, s, BJ_RULE_REP_END, "it comes long after the client has registered anew");
        }
        return;
    }
    if (waited_since_the_end(o, ob, s)) {
        return;
    }
    breaks(o, ob, s, BJ_RULE_REP_CANCEL,
           ob->ended == ORACLE_ENDED_RESET ? "it comes though one before it was rejected with RST"
                                           : "it comes though the observation was cancelled");
}

/* RFC 7641 §3.4, §4.4. The same content may be one that is sent again. */
static void check_sequence(bj_oracle *o, const oracle_observation *ob, const oracle_seen *s, const content *c) {
    uint32_t sequence;
    if (!ob->stream && bj_coap_find_uint(&s->m, BJ_COAP_OBSERVE, &sequence) && sequence == ob->sequence &&
        c->digest != ob->digest && s->time < ob->reported + 128 * BJ_SECOND) {
        breaks(o, ob, s, BJ_RULE_REP_OBSERVE, "its Observe option is that of the one before it");
    }
}

/* Less than `period` lies between it and the one before, and that did not wait on its way for as much as is missing. */
static bool is_early(bj_oracle *o, const oracle_observation *ob, const oracle_seen *s, bj_time period) {
    bj_time gap = oracle_less(s->time, ob->reported) + oracle_early(o);
    bj_time from = oracle_less(ob->reported, period);
    return gap < period && oracle_longest_wait(o, &ob->peer, from, s->event->sequence) < period - gap;
}

/* Did what counts since then stand already when the notification before was made, which may have waited on its way? */
static bool stood(bj_oracle *o, const oracle_observation *ob, const oracle_seen *s, bj_time since) {
    bj_time wait = oracle_longest_wait(o, &ob->peer, since, s->event->sequence);
    return wait != BJ_NEVER && since + wait <= ob->reported;
}

static void check_periods(bj_oracle *o, const oracle_observation *ob, const oracle_seen *s) {
    bj_time pmin, epmin, pmax, since = 0;
    bool known = period(o, ob, ORACLE_PMIN, &pmin, &since);
    if (known && pmin && is_early(o, ob, s, pmin) && stood(o, ob, s, since)) {
        breaks(o, ob, s, BJ_RULE_REP_PERIODS, "it comes before pmin is over");
    }
    known = known && period(o, ob, ORACLE_EPMIN, &epmin, &since) && period(o, ob, ORACLE_PMAX, &pmax, &since);
    if (known && epmin && !pmin && !pmax && ob->notified && is_early(o, ob, s, epmin) && stood(o, ob, s, since)) {
        breaks(o, ob, s, BJ_RULE_REP_EVALUATION, "it comes before epmin is over since the last evaluation");
    }
}

static void check_thresholds(bj_oracle *o, const oracle_observation *ob, const oracle_seen *s, const content *c) {
    bj_time pmax, since = 0, unused;
    thresholds t = thresholds_of(o, ob);
    bool alone = period(o, ob, ORACLE_PMAX, &pmax, &since) && !pmax && period(o, ob, ORACLE_EPMAX, &unused, &since);
    bool followed = is_single_number(ob) && oracle_definition_of(&ob->paths[0]).stays && !ob->vague;
    if (!alone || !followed || !t.known || !t.any || oracle_max(t.since, since) > ob->reported ||
        !is_number(&c->value)) {
        return;
    }
    double value = number_of(&c->value);
    bool within = value >= ob->low && value <= ob->high;
    if (within && !may_be_met(&t, ob)) {
        breaks(o, ob, s, BJ_RULE_REP_THRESHOLDS, "no threshold was crossed, and no step made");
    }
}

/* Was the last that was confirmable acknowledged while the client waited for that? Behind one that was not it may ask
 * again whether its server is there. */
static bool was_delivered(bj_oracle *o, const oracle_observation *ob) {
    const oracle_own *own;
    for (uint64_t age = 0; (own = oracle_own_at(o, age)) && own->first >= ob->confirmed; age++) {
        if (own->first == ob->confirmed && own->type == BJ_COAP_CON && bj_addr_equal(&own->peer, &ob->peer)) {
            return own->acknowledged != BJ_NEVER && own->acknowledged <= own->last + o->config.ack_timeout;
        }
    }
    return true;
}

static void check_type(bj_oracle *o, const oracle_observation *ob, const oracle_seen *s) {
    double con = 0;
    bj_time since = 0;
    bool known = attribute(o, ob, ORACLE_CON, &con, &since) == ORACLE_KNOWN && !ob->own_attributes;
    bool confirmable = s->m.type == BJ_COAP_CON;
    bj_time waited = oracle_longest_wait(o, &ob->peer, ob->reported, s->event->sequence);
    bj_time made = oracle_less(s->time, oracle_max(waited, ORACLE_GRACE));
    if (known && con == 0 && since < made && confirmable && ob->confirmable &&
        s->time < ob->confirmed + DAY / 24 * 23 && was_delivered(o, ob)) {
        breaks(o, ob, s, BJ_RULE_REP_CONFIRMABLE, "it is confirmable, though con is 0 and one was a day ago at most");
    } else if (known && con == 1 && since <= ob->reported && !confirmable) {
        breaks(o, ob, s, BJ_RULE_REP_CONFIRMABLE, "it is not confirmable, though con is 1");
    } else if (!confirmable && s->time > ob->confirmed + DAY + SOON) {
        breaks(o, ob, s, BJ_RULE_REP_CONFIRMABLE, "it is not confirmable, and none was for more than 24 hours");
    }
}

/* RFC 7641 §3.4: it was made before the one that came last, and waited. */
static bool is_older(const oracle_observation *ob, const oracle_seen *s) {
    uint32_t sequence;
    return !ob->stream && ob->notified && bj_coap_find_uint(&s->m, BJ_COAP_OBSERVE, &sequence) &&
           sequence < ob->sequence && ob->sequence - sequence < WINDOW && s->time < ob->reported + 128 * BJ_SECOND;
}

static void note_type(oracle_observation *ob, const oracle_seen *s) {
    ob->confirmable = ob->confirmable || s->m.type == BJ_COAP_CON;
    ob->confirmed = s->m.type == BJ_COAP_CON ? s->time : ob->confirmed;
}

static void notified(bj_oracle *o, oracle_observation *ob, const oracle_seen *s) {
    uint32_t sequence = ob->sequence;
    content c = content_of(o, ob, &s->m);
    bool shows = s->m.code == CONTENT;
    if (ob->ended) {
        ob->stored = BJ_NEVER;
        check_ended(o, ob, s, &c);
        return;
    }
    if (is_older(ob, s)) {
        note_type(ob, s);
        return;
    }
    check_sequence(o, ob, s, &c);
    if (shows && !ob->stream && is_undisturbed(o, ob, ob->reported, s->event->sequence)) {
        check_periods(o, ob, s);
        check_thresholds(o, ob, s, &c);
        check_type(o, ob, s);
    }
    bj_coap_find_uint(&s->m, BJ_COAP_OBSERVE, &sequence);
    ob->sequence = sequence;
    note_type(ob, s);
    ob->notified = true;
    bool whole = c.value.kind || ob->paths[0].depth != 3;
    bj_time changed = waited_since_the_change(o, ob, s) ? ob->changed : 0;
    bool vague = changed && ob->vague;
    const double low = ob->low, high = ob->high;
    tell(ob, &c, s->time);
    if (is_behind(o, ob)) {
        ob->low = low;
        ob->high = high;
    }
    ob->changed = changed;
    ob->vague = !whole || o->managed.outstanding || vague;
    if (!shows) { /* §3.2: an error ends it */
        *ob = o->managed.observations[--o->managed.observation_count];
    }
    reckon_all(o);
}

/* A response that belongs to no request which still waits for one. */
void oracle_observations_seen(bj_oracle *o, const oracle_seen *s) {
    oracle_observation *ob = find(o, &s->peer, s->m.token, s->m.token_length);
    const oracle_own *own = oracle_own_at(o, 0);
    bool fresh = s->stream || (s->m.type <= BJ_COAP_NON && own && own->event == s->event->sequence && own->copies == 1);
    bool other = !s->stream && !bj_coap_find(&s->m, BJ_COAP_OBSERVE, 0) && oracle_answers_acknowledgement(o, s);
    if (ob && ob->path_count && fresh && !other && s->time > ob->began) {
        notified(o, ob, s);
    }
}

static void event(bj_oracle *o, const bj_event *e) {
    if (e->kind == BJ_EV_ICMP || e->kind == BJ_EV_TLS_STATE) {
        o->managed.disturbed = e->time;
    }
    if (o->managed.observation_count) {
        look(o);
    }
}

static void end(bj_oracle *o) {
    look(o);
}

const oracle_def oracle_observing = { .id = "observations", .event = event, .end = end };
