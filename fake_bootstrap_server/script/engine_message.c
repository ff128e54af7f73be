/* SPDX-License-Identifier: Apache-2.0
 *
 * The servers' message layer, RFC 7252 §4: which request is a repetition, which acknowledgement and which response
 * belongs to what, retransmission of what the servers sent as confirmable. What it makes of the client's messages
 * becomes observations, through which the cursors go.
 */
#include "script/engine_internal.h"

#include <assert.h>
#include <string.h>

/* --- observations --- */

/* What the client had sent before the power cut that no step foresaw belongs to a life that is over. */
static bool from_before(bj_engine *e, const bj__observation *o) {
    bj__exchange *x = o->exchange ? bj__exchange_of(e, o->exchange) : NULL;
    if (o->sent >= e->stale_before) {
        return false;
    }
    if (x) {
        x->settled = true;
    }
    bj__log(e, BJ_EV_PASSED_OVER, BJ_ACTOR_SCRIPT, o->event, "sent before the power went");
    return true;
}

void bj__observe(bj_engine *e, const bj__observation *o) {
    if (from_before(e, o)) {
        return;
    }
    size_t used = (size_t) (e->end_observation - e->first_observation);
    if (used == e->observation_room) {
        if (o->kind == BJ__SEEN_DUPLICATE && used >= 4096) {
            return; /* nobody looks at them */
        }
        bj__observation *bigger = bj_arena_calloc(e->arena, e->observation_room * 2, sizeof *bigger);
        for (uint64_t n = e->first_observation; n < e->end_observation; n++) {
            bigger[n % (e->observation_room * 2)] = e->observations[n % e->observation_room];
        }
        bj_arena_free(e->arena, e->observations);
        e->observations = bigger;
        e->observation_room *= 2;
    }
    e->observations[e->end_observation % e->observation_room] = *o;
    e->end_observation++;
}

static void passed_over(bj_engine *e, uint32_t event, const char *why) {
    bj__log(e, BJ_EV_PASSED_OVER, BJ_ACTOR_SCRIPT, event, why);
}

void bj__strange(bj_engine *e, const bj__server *s, uint32_t event, const char *what) {
    bj__observation o = {
        .kind = BJ__SEEN_STRANGE, .server = s->index, .sent = e->now, .arrived = e->now, .event = event
    };
    bj_text text = bj_text_over(o.what, sizeof o.what);
    bj_text_add(&text, what);
    bj__observe(e, &o);
}

/* --- exchanges --- */

static unsigned bucket_of(uint16_t mid) {
    return mid % BJ__BUCKETS;
}

bj__exchange *bj__exchange_of(const bj_engine *e, uint64_t id) {
    if (!id) {
        return NULL;
    }
    if (e->newest && e->newest->id == id) {
        return e->newest;
    }
    for (bj__exchange *x = e->oldest; x; x = x->newer) {
        if (x->id == id) {
            return x;
        }
    }
    return NULL;
}

bj__outbound *bj__outbound_of(const bj_engine *e, uint64_t id) {
    bj__outbound *o = id ? e->newest_outbound : NULL;
    while (o && o->id != id) {
        o = o->older;
    }
    return o;
}

bool bj__same_peer(const bj__target *a, const bj__target *b) {
    return a->endpoint == b->endpoint && a->connection == b->connection && bj_addr_equal(&a->peer, &b->peer);
}

static bj__exchange *find_repeated(const bj_engine *e, const bj__target *from, const bj_coap *m, const uint8_t *data,
                                   size_t length) {
    for (bj__exchange *x = e->buckets[bucket_of(m->mid)]; x; x = x->neighbor) {
        if (x->mid == m->mid && x->length == length && bj__same_peer(&x->from, from) &&
            !memcmp(x->bytes, data, length)) {
            return x;
        }
    }
    return NULL;
}

static bj__exchange *add_exchange(bj_engine *e, const bj__server *s, const bj__target *from, const bj_coap *m,
                                  const uint8_t *data, size_t length, uint32_t event) {
    bj__exchange *x = bj_arena_alloc(e->arena, sizeof *x);
    x->id = e->next_id++;
    x->server = s->index;
    x->from = *from;
    x->type = m->type;
    x->code = m->code;
    x->mid = m->mid;
    x->token_length = m->token_length;
    memcpy(x->token, m->token, sizeof x->token);
    x->bytes = bj_arena_copy(e->arena, data, length);
    x->length = length;
    x->arrived = e->now;
    x->event = event;
    x->purpose = (uint8_t) bj__purpose_of(e, s, m);
    if (e->newest) {
        e->newest->newer = x;
    } else {
        e->oldest = x;
    }
    e->newest = x;
    unsigned bucket = bucket_of(x->mid);
    x->neighbor = e->buckets[bucket];
    e->buckets[bucket] = x;
    return x;
}

static void free_exchange(bj_engine *e, bj__exchange *x) {
    bj__exchange **link = &e->buckets[bucket_of(x->mid)];
    while (*link != x) {
        link = &(*link)->neighbor;
    }
    *link = x->neighbor;
    bj_arena_free(e->arena, x->bytes);
    bj_arena_free(e->arena, x->whole);
    bj_arena_free(e->arena, x->replay);
    bj_arena_free(e->arena, x->location);
    bj_arena_free(e->arena, x);
}

/* Takes those out of the list of ages that `gone` says; stops at the first that stays when `in_order`. */
static void drop_exchanges(bj_engine *e, const bj__server *only, bj_time before) {
    bj__exchange **link = &e->oldest, *last = NULL;
    while (*link) {
        bj__exchange *x = *link;
        bool gone = only ? x->server == only->index : x->arrived < before;
        if (!only && !gone) {
            return;
        }
        if (gone && (only || (!x->leaves && !bj__in_use(e, x->id, 0)))) {
            *link = x->newer;
            if (e->newest == x) {
                e->newest = last;
            }
            free_exchange(e, x);
        } else {
            last = x;
            link = &x->newer;
        }
    }
}

static void free_outbound(bj_engine *e, bj__outbound *o) {
    *(o->older ? &o->older->newer : &e->oldest_outbound) = o->newer;
    *(o->newer ? &o->newer->older : &e->newest_outbound) = o->older;
    bj_arena_free(e->arena, o->bytes);
    bj_arena_free(e->arena, o->answer);
    bj_arena_free(e->arena, o->whole);
    bj_arena_free(e->arena, o);
}

static bool outbound_needed(const bj_engine *e, const bj__outbound *o) {
    const bj__server *s = &e->servers[o->server];
    bool observed = o->observes && !o->over;
    return observed || o->id == s->last_sent || o->id == s->last_confirmable || o->next_send != BJ_NEVER ||
           bj__in_use(e, 0, o->id);
}

void bj__messages_expire(bj_engine *e) {
    if (e->now <= e->exchange_lifetime) {
        return;
    }
    bj_time before = e->now - e->exchange_lifetime;
    drop_exchanges(e, NULL, before);
    for (bj__outbound *o = e->oldest_outbound, *next; o && o->began < before; o = next) {
        next = o->newer;
        if (!outbound_needed(e, o)) {
            free_outbound(e, o);
        }
    }
}

void bj__forget_server(bj_engine *e, bj__server *s) {
    drop_exchanges(e, s, 0);
    for (bj__outbound *o = e->oldest_outbound, *next; o; o = next) {
        next = o->newer;
        if (o->server == s->index) {
            free_outbound(e, o);
        }
    }
    for (unsigned i = 0; i < s->location_count; i++) {
        bj_arena_free(e->arena, s->locations[i]);
    }
    s->location_count = 0;
    bj_arena_free(e->arena, s->body);
    s->body = NULL;
    bj__upload_forget(e, s);
    s->last_sent = s->last_confirmable = 0;
    s->peer = (bj__target){ .known = false };
    bj__stream_close_all(e, s, true);
    bj__secure_forget(s);
}

/* --- requests --- */

/* Updates and De-registers of a registration that a server of this run accepted are not the subject, unless a step
 * awaits them: the server answers them by itself. The same goes for a Bootstrap-Pack-Request (LwM2M Core 1.2 §6.1.7.7)
 * where a Bootstrap-Request is awaited: 5.01 is what a server without it says, and the client must go on with the
 * other. And for a request that is made again at once without the preferred format that was refused, which is refused
 * alike. */
static bool lawful(bj_engine *e, bj__exchange *x) {
    if (x->purpose == BJ__PACK && bj__awaits_bootstrap(e) && !bj__awaited(e, x)) {
        passed_over(e, x->event, "a Bootstrap-Pack-Request, which this server does not know");
        bj__send_plain_reply(e, x, BJ_COAP_CODE(5, 1), x->event);
        return true;
    }
    if (bj__due_goes_on_without(e, x) && e->due.refused != BJ_COAP_CODE(4, 15)) {
        passed_over(e, x->event, "the same Bootstrap-Request without its preferred format");
        bj__send_plain_reply(e, x, e->due.refused, x->event);
        return true;
    }
    if (bj__asks_for_block(&e->servers[x->server], x) && !bj__awaited(e, x)) {
        passed_over(e, x->event, "a request for the next block");
        bj__send_block(e, x, x->event);
        return true;
    }
    bool subject = e->heal.on || bj__awaited(e, x);
    if ((x->purpose != BJ__UPDATE && x->purpose != BJ__DEREGISTER) || subject) {
        return false;
    }
    passed_over(e, x->event, x->purpose == BJ__UPDATE ? "an Update of a registration" : "a De-register");
    bj__send_plain_reply(e, x, x->purpose == BJ__UPDATE ? BJ_COAP_CODE(2, 4) : BJ_COAP_CODE(2, 2), x->event);
    return true;
}

static void repeated_request(bj_engine *e, bj__exchange *x, bj_time sent, uint32_t event) {
    const bj__server *s = &e->servers[x->server];
    const bj__outgoing *out = &s->outgoing;
    unsigned number = ++x->duplicates;
    for (unsigned i = 0; out->used && out->mid == x->mid && i < out->count; i++) {
        if (out->sent[i] == sent) {
            number = i; /* 0: the network doubled the first */
        }
    }
    passed_over(e, event, number ? "a repetition" : "doubled by the network");
    if (number) {
        bj__observation o = { .kind = BJ__SEEN_DUPLICATE,
                              .server = x->server,
                              .exchange = x->id,
                              .number = number,
                              .sent = sent,
                              .arrived = e->now,
                              .event = event };
        bj__observe(e, &o);
    }
    if (x->replay) {
        bj__transmit(e, s, &x->from, NULL, x->replay, x->replay_length, event, 2, x->id, &x->reply);
    }
    if (x->location && !x->reply_code) { /* it came from another address before, and comes from the right one now */
        e->servers[x->server].perhaps_at = e->now;
    }
    bj__heal_repeated(e, x);
}

static void request(bj_engine *e, bj__server *s, const bj__target *from, const bj_coap *m, const uint8_t *data,
                    size_t length, uint32_t event) {
    bool stream = from->connection >= 0;
    bj_time sent = 0, first = 0;
    bool followed = bj__sent_time(e, event, &sent, &first);
    if (!followed) {
        sent = first = bj__sent_unseen(e, s);
    }
    if (!followed || s->guard) { /* what was sent under DTLS is known when it arrives */
        bj__outgoing_note(e, s, &from->peer, m, data, length, sent, stream);
        first = followed && !stream && s->outgoing.used && s->outgoing.mid == m->mid ? s->outgoing.sent[0] : first;
    }
    bj__exchange *known = stream ? NULL : find_repeated(e, from, m, data, length);
    if (known && (s->deduplicates || !known->settled)) {
        repeated_request(e, known, sent, event);
        return;
    }
    bj__exchange *x = add_exchange(e, s, from, m, data, length, event);
    x->sent = first;
    x->due_known = e->due.request_known && (x->purpose == BJ__BOOTSTRAP || x->purpose == BJ__PACK);
    x->due = e->due.request;
    x->acted = e->due.acted;
    s->peer = *from;
    s->outgoing.arrived = true;
    if (!bj__upload_block(e, s, x) && !lawful(e, x)) {
        bj__observation o = { .kind = BJ__SEEN_REQUEST,
                              .server = s->index,
                              .exchange = x->id,
                              .sent = x->sent,
                              .arrived = e->now,
                              .event = event };
        bj__observe(e, &o);
    }
}

/* --- responses and empty messages --- */

static bj__outbound *outbound_with_mid(const bj_engine *e, const bj__target *from, uint16_t mid) {
    for (bj__outbound *o = e->newest_outbound; o; o = o->older) {
        if (o->mid == mid && o->to.connection < 0 && bj__same_peer(&o->to, from)) {
            return o;
        }
    }
    return NULL;
}

static bj__outbound *outbound_with_token(const bj_engine *e, const bj__target *from, const bj_coap *m) {
    for (bj__outbound *o = e->newest_outbound; o; o = o->older) {
        if (o->is_operation && o->token_length == m->token_length && bj__same_peer(&o->to, from) &&
            !memcmp(o->token, m->token, m->token_length)) {
            return o;
        }
    }
    return NULL;
}

/* An observation outlives the address that it was made from: what was stored for a server comes after the next
 * registration (LwM2M Core 1.1 E.2, /1/x/6). */
static bj__outbound *observation_with_token(const bj_engine *e, const bj__server *s, const bj_coap *m) {
    for (bj__outbound *o = e->newest_outbound; o; o = o->older) {
        if (o->observes && o->server == s->index && o->token_length == m->token_length &&
            !memcmp(o->token, m->token, m->token_length)) {
            return o;
        }
    }
    return NULL;
}

static void stop_retransmission(bj__outbound *o) {
    o->next_send = BJ_NEVER;
}

/* Is this answer to a repeated request the one that was given before? (RFC 7252 §4.5) */
static void compare_repeated(bj_engine *e, bj__outbound *o, const bj_coap *m, uint32_t event) {
    bj_text why = bj_text_over(o->difference, sizeof o->difference);
    bj_coap first;
    o->repeating = false;
    o->repeated = 1;
    o->repeated_at = e->now;
    o->repeated_event = event;
    o->repeated_code = m->code;
    if (o->outcome != BJ__ANSWERED || !bj__decode(&first, o->answer, o->answer_length, false)) {
        return;
    }
    if (m->code == 0 && o->answer_type != BJ_COAP_ACK) {
        return; /* acknowledged again; the separate response stands */
    }
    bool payload = first.payload_length == m->payload_length &&
                   (!m->payload_length || !memcmp(first.payload, m->payload, m->payload_length));
    if (first.code != m->code) {
        bj_text_add(&why, "first ");
        bj_coap_code_print(&why, first.code);
        bj_text_add(&why, ", then ");
        bj_coap_code_print(&why, m->code);
    } else if (!payload) {
        bj_text_add(&why, "another payload");
    } else if (first.token_length != m->token_length || memcmp(first.token, m->token, m->token_length) != 0) {
        bj_text_add(&why, "another token");
    } else {
        return;
    }
    o->repeated = 2;
}

/* What the client has accepted of its accounts. */
static void note_told(bj_engine *e, const bj__outbound *o, uint8_t code) {
    if (!o->record) {
        return;
    }
    if (o->record->kind == BJ_K_DELETE && code == BJ_COAP_CODE(2, 2)) {
        bj__heal_note_delete(e, o->record);
    } else if (o->record->kind == BJ_K_WRITE && code == BJ_COAP_CODE(2, 4)) {
        bj__heal_note_write(e, o->record); /* the client takes it for a command, whatever came before it */
        if (o->is_command) {
            bj__due_account_written(e, o->record);
        }
    }
}

static void keep_answer(bj_engine *e, bj__outbound *o, const bj_coap *m, const uint8_t *data, size_t length,
                        uint32_t event) {
    bj_arena_free(e->arena, o->answer);
    o->answer = bj_arena_copy(e->arena, data, length);
    o->answer_length = length;
    o->answer_type = m->type;
    o->answer_mid = m->mid;
    o->answered = e->now;
    o->answer_event = event;
    o->outcome = BJ__ANSWERED;
    stop_retransmission(o);
    note_told(e, o, m->code);
    bj__due_answered(e, o, m->code);
    bj__observation_answered(e, o, m);
}

/* A notification: acknowledged, or rejected where the script wants that; repeated like a request when it comes again.
 */
static void notification(bj_engine *e, bj__server *s, bj__outbound *o, const bj__target *from, const bj_coap *m,
                         const uint8_t *data, size_t length, uint32_t event) {
    bool stream = from->connection >= 0, confirmable = m->type == BJ_COAP_CON && !stream;
    bj_time sent = e->now, first = e->now;
    (void) bj__sent_time(e, event, &sent, &first);
    bj__exchange *known = stream ? NULL : find_repeated(e, from, m, data, length);
    if (known) {
        repeated_request(e, known, sent, event);
        return;
    }
    bj__exchange *x = add_exchange(e, s, from, m, data, length, event);
    x->purpose = BJ__OTHER;
    x->sent = sent;
    x->settled = true;
    bool was_over = o->over;
    bj__observation_note(e, o, x, m);
    bool reject = !stream && (was_over || o->rejecting);
    if (confirmable || reject) {
        uint8_t empty_message[4] = { (uint8_t) (0x40 | (reject ? BJ_COAP_RST : BJ_COAP_ACK) << 4), 0,
                                     (uint8_t) (m->mid >> 8), (uint8_t) m->mid };
        x->replay = bj_arena_copy(e->arena, empty_message, sizeof empty_message);
        x->replay_length = sizeof empty_message;
        bj__transmit(e, s, from, NULL, x->replay, x->replay_length, event, 0, 0, NULL);
    }
    if (was_over) {
        bj__strange(e, s, event, "a notification of an observation that is over");
        return;
    }
    bj__observation seen = { .kind = BJ__SEEN_NOTIFICATION,
                             .server = s->index,
                             .exchange = x->id,
                             .sent = sent,
                             .arrived = e->now,
                             .event = event };
    bj__observe(e, &seen);
}

/* Another copy of the answer to a block that another has followed. */
static bool answers_block(const bj_engine *e, const bj__target *from, const bj_coap *m) {
    for (const bj__outbound *o = e->newest_outbound; o; o = o->older) {
        unsigned kept = o->block_count < BJ__BLOCKS ? o->block_count : BJ__BLOCKS;
        for (unsigned i = 0; i < kept; i++) {
            if (o->block_mids[i] == m->mid && bj__same_peer(&o->to, from)) {
                return true;
            }
        }
    }
    return false;
}

static void response(bj_engine *e, bj__server *s, const bj__target *from, const bj_coap *m, const uint8_t *data,
                     size_t length, uint32_t event) {
    bool stream = from->connection >= 0;
    bj__outbound *o = outbound_with_token(e, from, m);
    o = o || m->type == BJ_COAP_ACK ? o : observation_with_token(e, s, m);
    if (m->type == BJ_COAP_ACK && !stream) {
        bj__outbound *acknowledged = outbound_with_mid(e, from, m->mid);
        if (acknowledged && acknowledged != o && acknowledged->is_operation && acknowledged->outcome == BJ__OPEN) {
            acknowledged->outcome = BJ__WRONG_TOKEN;
            acknowledged->answered = e->now;
            acknowledged->answer_event = event;
            stop_retransmission(acknowledged);
            return;
        }
        o = acknowledged == o ? o : NULL;
    }
    bj__outbound *observation = o ? bj__observation_of(e, o, from, m) : NULL;
    if (observation) {
        notification(e, s, observation, from, m, data, length, event);
        return;
    }
    if (!o && m->type == BJ_COAP_ACK && !stream && answers_block(e, from, m)) {
        passed_over(e, event, "a response to a block that is known already");
        return;
    }
    if (!o) {
        if (m->type == BJ_COAP_CON && !stream) {
            bj__send_empty(e, s, from, BJ_COAP_RST, m->mid, event);
        }
        bj__strange(e, s, event,
                    m->type == BJ_COAP_ACK ? "a response to no request of ours (Message ID)"
                                           : "a response to no request of ours (token)");
        return;
    }
    if (m->type == BJ_COAP_CON && !stream) {
        bj__send_empty(e, s, from, BJ_COAP_ACK, m->mid, event);
    }
    if (o->repeating) {
        compare_repeated(e, o, m, event);
    } else if (o->outcome != BJ__OPEN) {
        passed_over(e, event, "a response that is known already");
    } else if (!o->blockwise || !bj__send_next_block(e, o, m)) {
        keep_answer(e, o, m, data, length, event);
    }
}

static void rejected(bj_engine *e, bj__outbound *o, uint32_t event) {
    o->rejected = true;
    stop_retransmission(o);
    if (o->is_operation && o->outcome == BJ__OPEN) {
        o->outcome = BJ__REJECTED;
        o->answered = e->now;
        o->answer_event = event;
    } else if (o->repeating) {
        o->repeating = false;
        o->repeated = o->outcome == BJ__REJECTED ? 1 : 2;
        o->repeated_at = e->now;
        o->repeated_event = event;
        bj_text why = bj_text_over(o->difference, sizeof o->difference);
        bj_text_add(&why, "RST");
    }
}

static void empty(bj_engine *e, bj__server *s, const bj__target *from, const bj_coap *m, uint32_t event) {
    if (m->type == BJ_COAP_CON) { /* CoAP ping, RFC 7252 §4.3 */
        passed_over(e, event, "a CoAP ping");
        bj__send_empty(e, s, from, BJ_COAP_RST, m->mid, event);
        return;
    }
    bj__outbound *o = m->type == BJ_COAP_NON ? NULL : outbound_with_mid(e, from, m->mid);
    if (!o) {
        passed_over(e, event, "an empty message that belongs to nothing");
        return;
    }
    o->last_seen = e->now;
    o->last_event = event;
    if (m->type == BJ_COAP_RST) {
        rejected(e, o, event);
        return;
    }
    o->acknowledged = true;
    stop_retransmission(o);
    if (o->repeating && o->answer_type != BJ_COAP_ACK) {
        compare_repeated(e, o, m, event);
    }
    passed_over(e, event, "an acknowledgement");
}

bool bj__awaits_pong(const bj_engine *e, const bj__target *from, const bj_coap *m) {
    const bj__outbound *o = outbound_with_token(e, from, m);
    return o && o->code == BJ__PING;
}

void bj__message(bj_engine *e, bj__server *s, const bj__target *from, const bj_coap *m, bj_coap_fault fault,
                 const uint8_t *data, size_t length, uint32_t event) {
    if (fault != BJ_COAP_OK) {
        bj__strange(e, s, event, bj_coap_fault_text(fault));
    } else if (m->code == 0) {
        if (from->connection < 0) {
            empty(e, s, from, m, event);
        }
    } else if (bj_coap_is_response(m->code) || m->code == BJ__PONG) {
        response(e, s, from, m, data, length, event);
    } else if (bj_coap_is_request(m->code) && (m->type <= BJ_COAP_NON || from->connection >= 0)) {
        request(e, s, from, m, data, length, event);
    } else {
        bj__strange(e, s, event, "a message of an unknown kind");
    }
}

/* --- time --- */

static void retransmit(bj_engine *e, bj__outbound *o) {
    if (o->retransmissions >= e->max_retransmit) {
        stop_retransmission(o);
        if (o->is_operation && o->outcome == BJ__OPEN) {
            o->outcome = BJ__GIVEN_UP;
            o->answered = e->now;
        }
        return;
    }
    o->retransmissions++;
    o->timeout *= 2;
    o->next_send = e->now + o->timeout;
    bj__transmit(e, &e->servers[o->server], &o->to, o->source.family ? &o->source : NULL, o->bytes, o->length, o->cause,
                 3, o->id, &o->delivery);
}

void bj__messages_tick(bj_engine *e) {
    for (bj__outbound *o = e->oldest_outbound; o && !e->done; o = o->newer) {
        if (o->next_send <= e->now) {
            retransmit(e, o);
        }
    }
    for (bj__exchange *x = e->oldest; x && !e->done; x = x->newer) {
        if (x->leaves && x->leaves <= e->now) {
            x->leaves = 0;
            bj__send_reply(e, NULL, x, x->delayed, x->delayed_cause, true);
        }
    }
}

bj_time bj__messages_timer(const bj_engine *e) {
    bj_time when = BJ_NEVER;
    for (const bj__outbound *o = e->newest_outbound; o; o = o->older) {
        when = bj__min(when, o->next_send);
    }
    for (const bj__exchange *x = e->oldest; x; x = x->newer) {
        when = x->leaves ? bj__min(when, x->leaves) : when;
    }
    return when;
}
