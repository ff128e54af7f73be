/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps of a scenario: what the client sends.
 */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "capture/script_internal.h"
#include "script/print.h"
#include "wire/entries.h"
#include "wire/link.h"

/* --- requests of the client ----------------------------------------------------------------------------------- */

/* The last thing that the client says: it was stopped. */
static bool is_goodbye(const bj_script *s, int index) {
    const bj_message *m = script_message(s, index);
    if (s->noted.given) {
        return false; /* it would say so */
    }
    for (size_t i = (size_t) index + 1; i < s->talk->count; i++) {
        const bj_message *o = &s->talk->messages[i];
        if (o->kind == BJ_TALK_REQUEST && o->repeats == BJ_TALK_NONE &&
            bj_request_kind_of(s->talk, o) != BJ_REQ_DEREGISTER) {
            return false;
        }
    }
    return bj_request_kind_of(s->talk, m) == BJ_REQ_DEREGISTER;
}

static void stop_client(bj_script *s, const bj_message *m) {
    bj_time gap = script_pause(s, script_since(s, m->time));
    if (gap) {
        bj_record *r = script_step(s, BJ_K_ADVANCE);
        script_put_when(s, r, BJ_F(ADVANCE, FOR), (bj_when){ .earliest = (int64_t) gap, .latest = (int64_t) gap });
    }
    script_assume(s, "the client was stopped before it de-registered (frame %u)", m->frame);
    script_step(s, BJ_K_STOP);
    script_end_with(s, m);
}

/* A server's port opens or closes before the client speaks to it. */
void script_set_port(bj_script *s, const bj_message *m, uint32_t state) {
    bj_script_server *server = &s->servers[s->servers[m->server].same];
    if (server->port == state) {
        return;
    }
    server->port = state;
    bj_record *r = script_step(s, BJ_K_PORT);
    script_set_uint(s, r, BJ_F(PORT, STATE), BJ_T_ENUM, state);
    script_set_text(s, r, BJ_F(PORT, SERVER), script_name_of(s, m));
}

/* The next block of an answer that came in blocks. */
static bool asks_for_block(const bj_message *m) {
    bj_coap c;
    uint32_t block = 0;
    return bj_message_decode(m, &c) == BJ_COAP_OK && bj_coap_find_uint(&c, BJ_COAP_BLOCK2, &block) && block >> 4;
}

static void put_request_time(bj_script *s, bj_record *r, const bj_message *m, bj_request_kind kind) {
    bool first = m == s->talk->messages || s->count == 1;
    const bj_message *before = script_message(s, s->awaited),
                     *answer = before ? script_message(s, before->answer) : NULL;
    bool strange = answer && answer->wrong_token; /* what the client makes of it is its own business */
    bool attempt = (kind == BJ_REQ_BOOTSTRAP || kind == BJ_REQ_PACK) && !first && !strange && !asks_for_block(m);
    if (first) {
        if (s->loose || s->follows) {
            script_set_duration(s, r, BJ_F(REQUEST, WITHIN), 1000 * BJ_SECOND);
        }
    } else if (attempt && !s->loose && !s->follows && script_since(s, m->time) >= BJ_SECOND - 50 * BJ_MS) {
        script_put_when(s, r, BJ_F(REQUEST, AT), (bj_when){ .due = BJ_DUE_HOLDOFF });
    } else {
        script_put_window(s, r, BJ_F(REQUEST, AT), BJ_F(REQUEST, WITHIN), m->time);
    }
}

/* One that leaves before what is awaited before it has arrived cannot be awaited behind it; nor can bytes of a
 * connection that ends. */
static void departure(bj_script *s, const bj_message *m, bj_request_kind kind) {
    bool attempt = (kind == BJ_REQ_BOOTSTRAP || kind == BJ_REQ_PACK) && script_since(s, m->time) >= BJ_SECOND;
    bool first = m == s->talk->messages && !s->loose && !s->follows;
    if ((m->time < s->base && !first) || !m->unreachable) {
        script_say(s, "frame %u: a request that does not arrive", m->frame);
        s->unsaid++;
        return;
    }
    script_set_port(s, m, 1);
    bj_record *r = script_step(s, BJ_K_DEPARTURE);
    script_set_text(s, r, BJ_F(DEPARTURE, TO), script_name_of(s, m));
    script_set_uint(s, r, BJ_F(DEPARTURE, METHOD), BJ_T_ENUM, m->code);
    if (attempt && !first && !s->loose && !s->follows) {
        script_put_when(s, r, BJ_F(DEPARTURE, AT), (bj_when){ .due = BJ_DUE_HOLDOFF });
    } else if (!first) {
        script_put_window(s, r, BJ_F(DEPARTURE, AT), BJ_F(DEPARTURE, WITHIN), m->time);
    }
    script_end_with(s, m);
}

/* On a connection that the server has closed. */
static bool is_cut_off(const bj_script *s, int index) {
    const bj_message *m = script_message(s, index);
    for (int i = index - 1; m->stream && i >= 0; i--) {
        const bj_message *o = script_message(s, i);
        if (o->server == m->server && bj_addr_equal(&o->client, &m->client) &&
            (o->kind == BJ_TALK_CLOSE || o->kind == BJ_TALK_OPEN)) {
            return o->kind == BJ_TALK_CLOSE && !o->by_client;
        }
    }
    return false;
}

bool script_unreachable(const bj_script *s, int index) {
    const bj_message *m = script_message(s, index);
    return (m->unreachable || is_cut_off(s, index)) && m->answer == BJ_TALK_NONE && m->ack == BJ_TALK_NONE;
}

/* A request of the client in blocks as the engine takes one: the script sees it whole, with the last block. The index
 * of that one; BJ_TALK_NONE: what the server answered is otherwise. *asked: the size of the blocks that it asked for,
 * 0: as they came. */
static int last_of_upload(const bj_script *s, int index, uint32_t *asked) {
    const bj_message *first = script_message(s, index);
    size_t used = 0;
    uint32_t block, answered;
    bj_coap c, a;
    *asked = 0;
    for (int i = index; i < (int) s->talk->count; i++) {
        const bj_message *m = script_message(s, i), *reply_to = script_message(s, m->answer);
        if (m->kind != BJ_TALK_REQUEST || !m->by_client || m->server != first->server || m->repeats != BJ_TALK_NONE) {
            continue;
        }
        bool next = bj_message_decode(m, &c) == BJ_COAP_OK && m->code == first->code &&
                    bj_coap_find_uint(&c, BJ_COAP_BLOCK1, &block) && (block & 7) < 7 &&
                    (size_t) (block >> 4) << ((block & 7) + 4) == used;
        if (!next || !(block & 8)) {
            return next ? i : BJ_TALK_NONE;
        }
        if (!reply_to || reply_to->code != BJ_COAP_CODE(2, 31) || bj_message_decode(reply_to, &a) != BJ_COAP_OK ||
            !bj_coap_find_uint(&a, BJ_COAP_BLOCK1, &answered)) {
            return BJ_TALK_NONE;
        }
        *asked = (answered & 7) < (block & 7) ? 16U << (answered & 7) : *asked;
        used += (size_t) 16 << ((answered & 7) < (block & 7) ? answered & 7 : block & 7);
    }
    return BJ_TALK_NONE;
}

/* Its blocks but the last are done, and what the server answered to them. */
static void skip_upload(bj_script *s, int index, int last) {
    for (int i = index; i <= last; i++) {
        const bj_message *m = script_message(s, i);
        bool part = m->kind == BJ_TALK_REQUEST && m->by_client && m->server == script_message(s, index)->server;
        s->done[i] |= part;
        if (part && i != last && m->answer != BJ_TALK_NONE) {
            s->done[m->answer] = true;
        }
    }
}

/* Fields of a request in blocks. The index of its last block, which is what the server answers. */
static int put_upload(bj_script *s, bj_record *r, int index) {
    uint32_t asked;
    int last = last_of_upload(s, index, &asked);
    if (last == BJ_TALK_NONE) {
        script_set_bool(s, r, BJ_F(REQUEST, PART), true);
        return index;
    }
    if (asked) {
        script_set_uint(s, r, BJ_F(REQUEST, BLOCK), BJ_T_UINT, asked);
    }
    skip_upload(s, index, last);
    return last;
}

/* Does the client ask for something else before this is answered? Then the answer names what it answers. */
static bool is_answered_late(const bj_script *s, int index) {
    const bj_message *m = script_message(s, index);
    int first = m->ack == BJ_TALK_NONE || (m->answer != BJ_TALK_NONE && m->answer < m->ack) ? m->answer : m->ack;
    for (int i = index + 1; i < first; i++) {
        const bj_message *o = script_message(s, i);
        if (o->kind == BJ_TALK_REQUEST && o->by_client && o->repeats == BJ_TALK_NONE && !s->done[i] &&
            !script_unreachable(s, i)) {
            return true;
        }
    }
    return false;
}

/* Does the answer of a request that has a name come before this one's? Then "the request awaited last" is another. */
static bool is_crossed(const bj_script *s, int index) {
    const bj_message *m = script_message(s, index);
    for (int i = index + 1; i < m->answer; i++) {
        const bj_message *o = script_message(s, i);
        bool answers = o->kind == BJ_TALK_RESPONSE && !o->by_client && o->request != BJ_TALK_NONE;
        if (answers && s->kept[o->request]) {
            return true;
        }
    }
    return false;
}

bool script_is_answerable(const bj_script *s, int request) {
    return request != BJ_TALK_NONE && (s->awaited == request || s->kept[request]);
}

/* `overtakes`: another one that left before it is awaited behind it. */
void script_client_request(bj_script *s, int index, bool overtakes) {
    static const char *const asks[] = { "ep=", NULL }, *const registers[] = { "ep=", "lt=", "Q", NULL };
    const bj_message *m = script_message(s, index);
    bj_request_kind kind = bj_request_kind_of(s->talk, m);
    bj_coap c;
    BJ_TEXT(path, 400);
    bj_message_decode(m, &c);
    bj_coap_path(&c, BJ_COAP_URI_PATH, &path);
    if (is_goodbye(s, index) && s->count) {
        stop_client(s, m);
    }
    script_say(s, "frame %u, %.3f s", m->frame, (double) m->time / 1e6);
    if (script_unreachable(s, index)) {
        departure(s, m, kind);
        return;
    }
    script_set_port(s, m, 0);
    bj_record *r = script_step(s, BJ_K_REQUEST);
    script_set_text(s, r, BJ_F(REQUEST, TO), script_name_of(s, m));
    script_set_uint(s, r, BJ_F(REQUEST, METHOD), BJ_T_ENUM, m->code);
    script_set_text(s, r, BJ_F(REQUEST, PATH), path.start);
    bool attempt = kind == BJ_REQ_BOOTSTRAP || kind == BJ_REQ_PACK;
    if (!s->follows) {
        script_put_query(s, r, BJ_F(REQUEST, QUERY), &c, attempt ? asks : kind == BJ_REQ_REGISTER ? registers : NULL);
    }
    if (overtakes || is_answered_late(s, index) || is_crossed(s, index)) {
        BJ_TEXT(name, 20);
        bj_text_printf(&name, "r%u", ++s->kept_count);
        s->kept[index] = bj_arena_strdup(s->arena, name.start);
        script_set_text(s, r, BJ_F(REQUEST, CAPTURE), name.start);
    }
    put_request_time(s, r, m, kind);
    if (bj_coap_find(&c, BJ_COAP_BLOCK1, 0)) {
        index = put_upload(s, r, index);
    }
    script_end_with(s, script_message(s, index));
    s->awaited = index;
}

/* Requests that leave at the same time may be with the servers in another order: that in which they are answered. */
void script_overtaking_requests(bj_script *s, int index) {
    const bj_message *m = script_message(s, index);
    for (int i = index + 1; i < (int) s->talk->count && script_message(s, i)->time <= m->time + 20; i++) {
        const bj_message *o = script_message(s, i);
        bool before = o->answer != BJ_TALK_NONE && m->answer != BJ_TALK_NONE && o->answer < m->answer;
        if (o->kind == BJ_TALK_REQUEST && o->by_client && o->server != m->server && o->repeats == BJ_TALK_NONE &&
            before && !s->done[i]) {
            script_client_request(s, i, true);
            s->done[i] = true;
        }
    }
}

/* Nothing of the server comes for this request: neither an answer nor an acknowledgement. */
void script_unanswered(bj_script *s, int index) {
    const bj_message *m = script_message(s, index);
    if (m->answer == BJ_TALK_NONE && m->ack == BJ_TALK_NONE && !script_unreachable(s, index)) {
        script_step(s, BJ_K_IGNORE);
    }
}

/* --- answers of the client that no operation says yet --------------------------------------------------------- */

void script_clients_response(bj_script *s, int index) {
    const bj_message *m = script_message(s, index), *request = script_message(s, m->request);
    if (s->done[index] || m->repeats != BJ_TALK_NONE) {
        return;
    }
    if (m->notifies) {
        const bj_message *ack = script_message(s, m->ack);
        if (ack && ack->type == BJ_COAP_RST) {
            script_say(s, "frame %u rejects frame %u", ack->frame, m->frame);
            bj_record *r = script_step(s, BJ_K_CANCEL);
            script_set_bool(s, r, BJ_F(CANCEL, RESET), true);
            script_set_text(s, r, BJ_F(CANCEL, SERVER), script_name_of(s, m));
            script_put_observation(s, r, BJ_F(CANCEL, OF), m->request);
        }
        script_say(s, "frame %u, %.3f s", m->frame, (double) m->time / 1e6);
        bj_record *r = script_step(s, BJ_K_NOTIFICATION);
        script_set_text(s, r, BJ_F(NOTIFICATION, SERVER), script_name_of(s, m));
        script_put_observation(s, r, BJ_F(NOTIFICATION, OF), m->request);
        if (m->code != BJ_COAP_CODE(2, 5) || s->follows) {
            script_put_expected(s, r, BJ_F(NOTIFICATION, CODE), m->code);
        }
        script_put_window(s, r, BJ_F(NOTIFICATION, AT), BJ_F(NOTIFICATION, WITHIN), m->time);
        script_end_with(s, m);
    } else if (request && request->answer == index) {
        script_say(s, "frame %u, %.3f s", m->frame, (double) m->time / 1e6);
        bj_record *r = script_step(s, BJ_K_RESPONSE);
        script_put_expected(s, r, BJ_F(RESPONSE, EXPECT), m->code);
        if (m->time - request->time > 60 * BJ_SECOND) {
            script_put_window(s, r, BJ_F(RESPONSE, AT), BJ_F(RESPONSE, WITHIN), m->time);
            script_set_duration(s, r, BJ_F(RESPONSE, WITHIN),
                                script_rounded(script_since(s, m->time)) * 2 + 200 * BJ_SECOND);
        }
        if (strcmp(script_name_of(s, m), "bs") != 0) {
            script_set_text(s, r, BJ_F(RESPONSE, SERVER), script_name_of(s, m));
        }
        script_end_with(s, m);
    } else {
        script_say(s, "frame %u: the client answers nothing that is known, %u.%02u", m->frame, m->code >> 5,
                   m->code & 31);
        s->unsaid++;
    }
}

void script_clients_empty(bj_script *s, int index) {
    const bj_message *m = script_message(s, index), *of = script_message(s, m->request);
    bool rejectable = of && !of->by_client && (of->kind == BJ_TALK_REQUEST || of->kind == BJ_TALK_EMPTY);
    if (m->type == BJ_COAP_RST && rejectable && of->ack == index) {
        script_say(s, "frame %u", m->frame);
        script_set_text(s, script_step(s, BJ_K_RESET), BJ_F(RESET, SERVER), script_name_of(s, m));
        script_end_with(s, m);
    } else if (m->type == BJ_COAP_RST) {
        script_say(s, "frame %u: the client rejects Message ID %u", m->frame, m->mid);
        s->unsaid++;
    }
}

/* A copy of the client's request that is still unanswered. RFC 7252 §4.2 says when it may come. */
void script_clients_copy(bj_script *s, int index) {
    const bj_message *m = script_message(s, index), *of = script_message(s, m->repeats);
    unsigned number = 0;
    bool answered = (of->answer != BJ_TALK_NONE && of->answer < index) || (of->ack != BJ_TALK_NONE && of->ack < index);
    for (int i = m->repeats + 1; i <= index; i++) {
        number += script_message(s, i)->repeats == m->repeats;
    }
    if (answered || script_unreachable(s, m->repeats) || s->loose || s->follows || m->kind != BJ_TALK_REQUEST ||
        of->type != BJ_COAP_CON || s->awaited != m->repeats) {
        return;
    }
    bj_time gap = script_since(s, m->time) + s->latency;
    double least = 2.0 * (double) (1U << (number < 20 ? number - 1 : 19));
    bool lawful = (double) gap >= least * 1e6 - 50e3 && (double) gap <= least * 1.5e6 + 100e3;
    script_say(s, "frame %u, %.3f s", m->frame, (double) m->time / 1e6);
    bj_record *r = script_step(s, BJ_K_RETRANSMISSION);
    script_set_uint(s, r, BJ_F(RETRANSMISSION, NUMBER), BJ_T_UINT, number);
    if (!lawful) {
        bj_time least_gap = gap > 300 * BJ_MS ? gap - 200 * BJ_MS : 0;
        script_put_when(s, r, BJ_F(RETRANSMISSION, AT),
                        (bj_when){ .earliest = (int64_t) least_gap / 100000 * 100000,
                                   .latest = (int64_t) (gap + 300 * BJ_MS) / 100000 * 100000 });
    }
    script_end_with(s, m);
}
