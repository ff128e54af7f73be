/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps of a scenario: what servers answer, and what they send that only bytes say.
 */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "capture/script_internal.h"
#include "script/print.h"
#include "wire/entries.h"
#include "wire/link.h"

/* --- answers of servers --------------------------------------------------------------------------------------- */

/* No TLV: it has no form above Object Instances. */
static const script_payload reply = { .values = BJ_F(RESPOND, VALUES),
                                      .text = BJ_F(RESPOND, TEXT),
                                      .hex = BJ_F(RESPOND, HEX),
                                      .format = BJ_F(RESPOND, FORMAT) };

/* Of an answer in blocks as the engine gives one, the next block in its turn, and NULL where there is none. */
static const bj_message *next_answer(const bj_script *s, int *at, uint8_t server, size_t used, bj_coap *c,
                                     uint32_t *block) {
    for (; *at < (int) s->talk->count; (*at)++) {
        const bj_message *m = script_message(s, *at);
        bool again = m->request != BJ_TALK_NONE && script_message(s, m->request)->answer != *at;
        bool answers =
            m->kind == BJ_TALK_RESPONSE && !m->by_client && m->server == server && m->repeats == BJ_TALK_NONE && !again;
        if (answers) {
            size_t unit = 0;
            bool next = bj_message_decode(m, c) == BJ_COAP_OK && bj_coap_find_uint(c, BJ_COAP_BLOCK2, block);
            unit = (*block & 7) == 7 ? 1024 : (size_t) 16 << (*block & 7);
            return next && (*block >> 4) * unit == used ? m : NULL;
        }
    }
    return NULL;
}

/* The payload of an answer in blocks, put together; the requests for the next ones and their answers are done. 0: it
 * does not come to its end in order. *size: of the blocks, over 1024 with BERT (RFC 8323 §6). */
static size_t gather_answer(bj_script *s, int index, uint8_t **whole, uint32_t *size) {
    const bj_message *m, *first = script_message(s, index);
    size_t used = 0;
    uint32_t block = 8;
    bj_coap c;
    *whole = NULL;
    for (int at = index; block & 8; at++) {
        m = next_answer(s, &at, first->server, used, &c, &block);
        if (!m) {
            return 0;
        }
        bool bert = (block & 7) == 7;
        *size = at != index ? *size : bert ? (uint32_t) (c.payload_length + 1023) / 1024 * 1024 : 16U << (block & 7);
        *whole = bj_arena_realloc(s->arena, *whole, used + c.payload_length + 1);
        memcpy(*whole + used, c.payload_length ? (const char *) c.payload : "", c.payload_length);
        used += c.payload_length;
    }
    block = 8;
    size_t seen = 0;
    for (int at = index; block & 8; at++) {
        m = next_answer(s, &at, first->server, seen, &c, &block);
        seen += c.payload_length;
        s->done[at] = true;
        if (at != index && m->request != BJ_TALK_NONE) {
            s->done[m->request] = true;
        }
    }
    return used;
}

/* The engine repeats the Block1 of a request in its answer (RFC 7959 §2.5). */
static bool repeats_block(const bj_script *s, const bj_message *answer, const bj_coap *c) {
    bj_coap request;
    uint32_t asked = UINT32_MAX, said = UINT32_MAX;
    const bj_message *m = script_message(s, answer->request);
    if (m && bj_message_decode(m, &request) == BJ_COAP_OK) {
        bj_coap_find_uint(&request, BJ_COAP_BLOCK1, &asked);
    }
    return !bj_coap_find_uint(c, BJ_COAP_BLOCK1, &said) || said == asked;
}

/* Does a path say the same as these options? Not where a segment is empty, or has a slash in it. */
static bool is_path(const bj_coap *c, uint32_t number) {
    const bj_coap_option *o;
    for (size_t i = 0; (o = bj_coap_find(c, number, i)); i++) {
        if (!o->length || memchr(o->value, '/', o->length)) {
            return false;
        }
    }
    return true;
}

static void put_answer(bj_script *s, bj_record *r, int index) {
    const bj_message *m = script_message(s, index);
    bj_coap c;
    uint32_t block;
    BJ_TEXT(location, 400);
    bj_message_decode(m, &c);
    bool path = is_path(&c, BJ_COAP_LOCATION_PATH);
    script_put_codes(s, r, BJ_F(RESPOND, CODE), m->code);
    bj_coap_path(&c, BJ_COAP_LOCATION_PATH, &location);
    if (path && bj_coap_find(&c, BJ_COAP_LOCATION_PATH, 0)) {
        script_set_text(s, r, BJ_F(RESPOND, LOCATION), location.start);
    }
    const bj_path root = { .depth = 0 };
    uint32_t format = script_format_of(&c);
    bool part = bj_coap_find_uint(&c, BJ_COAP_BLOCK2, &block), whole = false;
    if (part && block & 8) {
        uint8_t *bytes;
        uint32_t size = 0;
        size_t length = gather_answer(s, index, &bytes, &size);
        whole = length > 0;
        if (whole) {
            script_put_payload(s, r, &reply, format, &root, bytes, length, BJ_SCRIPT_NO_FORMAT);
            script_set_uint(s, r, BJ_F(RESPOND, BLOCK), BJ_T_UINT, size);
        }
    }
    if (!whole) {
        script_put_payload(s, r, &reply, format, part ? NULL : &root, c.payload, c.payload_length, BJ_SCRIPT_NO_FORMAT);
    }
    unsigned blocks = repeats_block(s, m, &c) && (!part || whole) ? SAYS_BLOCKS : 0;
    script_put_options(s, r, BJ_F(RESPOND, OPTIONS), &c, blocks | SAYS_OBSERVE | (path ? SAYS_LOCATION : 0));
}

/* Which request it is that is answered, where that may not be the one awaited last. */
static void put_kept(bj_script *s, bj_record *r, int request) {
    if (s->kept[request]) {
        script_set_text(s, r, BJ_F(RESPOND, TO), s->kept[request]);
    }
}

/* A client that repeats its request behind the answer has not got it, where the capture may not show what is lost. */
static void drop_answers(bj_script *s, int request) {
    const bj_message *m = script_message(s, request);
    unsigned lost = 0;
    if (m->stream || m->last_copy == request || bj_field_at_client(s->field, s->talk->party)) {
        return;
    }
    for (int i = request + 1; i < m->last_copy; i++) {
        const bj_message *o = script_message(s, i);
        lost += o->kind == BJ_TALK_RESPONSE && o->request == request && !o->by_client;
    }
    if (lost) {
        script_say(s, "the answer is lost %u times", lost);
        bj_record *r = script_step(s, BJ_K_FAULT);
        script_set_uint(s, r, BJ_F(FAULT, KIND), BJ_T_ENUM, 0);
        script_set_text(s, r, BJ_F(FAULT, FROM), script_name_of(s, m));
        script_set_uint(s, r, BJ_F(FAULT, COUNT), BJ_T_UINT, lost);
        script_assume(s, "answers behind which the client repeated its request were lost (frame %u)", m->frame);
    }
}

/* The answer of a server; `ack`: the empty ACK that went before, and what `after` counts from. */
static void respond(bj_script *s, int index, const bj_message *ack) {
    const bj_message *m = script_message(s, index), *request = script_message(s, m->request);
    bj_time from = ack ? ack->time : s->base;
    bj_time after = script_pause(s, m->time > from ? m->time - from : 0);
    drop_answers(s, m->request);
    if (ack) {
        script_say(s, "frames %u and %u", ack->frame, m->frame);
    } else {
        script_say(s, "frame %u", m->frame);
    }
    bj_record *r = script_step(s, BJ_K_RESPOND);
    put_answer(s, r, index);
    put_kept(s, r, m->request);
    if (ack) {
        script_set_bool(s, r, BJ_F(RESPOND, SEPARATE), true);
    } else if (!m->stream && m->type != (request->type == BJ_COAP_CON ? BJ_COAP_ACK : BJ_COAP_NON)) {
        script_set_uint(s, r, BJ_F(RESPOND, TYPE), BJ_T_ENUM, m->type);
    }
    if (after) {
        script_set_duration(s, r, BJ_F(RESPOND, AFTER), after);
    }
    if (m->wrong_token) {
        script_set_uint(s, r, BJ_F(RESPOND, WRONG), BJ_T_ENUM, 1);
    }
    s->done[index] = true;
    script_end_with(s, m);
}

/* Message IDs of a server mean nothing (RFC 7252 §4.4), and may be those that the engine uses next: its raw bytes have
 * others, the same where they were the same. */
static void put_raw_bytes(bj_script *s, bj_record *r, const bj_message *m) {
    uint8_t *bytes = bj_arena_alloc(s->arena, m->length + 1);
    memcpy(bytes, m->length ? (const char *) m->bytes : "", m->length);
    if (!m->stream && m->length >= 4 && (bytes[0] >> 4 & 3) <= BJ_COAP_NON) {
        unsigned mid = (unsigned) bytes[2] << 8 | bytes[3], number = 0;
        while (number < s->raw_mid_count && s->raw_mids[number] != mid) {
            number++;
        }
        if (number == s->raw_mid_count && number < BJ_SCRIPT_RAW_MIDS) {
            s->raw_mids[s->raw_mid_count++] = (uint16_t) mid;
        }
        bytes[2] = (uint8_t) ((number + 1) >> 8);
        bytes[3] = (uint8_t) (number + 1);
    }
    script_set_bytes(s, r, BJ_F(RAW, HEX), bytes, m->length);
}

static void put_raw_source(bj_script *s, bj_record *r, const bj_message *m) {
    BJ_TEXT(source, 64);
    int last = s->awaited;
    if (last == BJ_TALK_NONE || !script_is_stranger(s, m->server)) {
        script_set_text(s, r, BJ_F(RAW, SERVER), script_name_of(s, m));
        return;
    }
    bj_addr_print(&source, &s->servers[m->server].here);
    script_set_text(s, r, BJ_F(RAW, SERVER), script_name_of(s, script_message(s, last)));
    script_set_text(s, r, BJ_F(RAW, SOURCE), source.start);
}

/* Raw bytes of a server that nothing else says. */
void script_raw(bj_script *s, const bj_message *m, const char *what) {
    script_say(s, "frame %u: %s", m->frame, what);
    bj_record *r = script_step(s, BJ_K_RAW);
    put_raw_bytes(s, r, m);
    put_raw_source(s, r, m);
    script_put_moment(s, r, BJ_F(RAW, AT), m->time);
    s->raw++;
    script_end_with(s, m);
}

void script_servers_response(bj_script *s, int index) {
    const bj_message *m = script_message(s, index);
    if (m->repeats != BJ_TALK_NONE || s->done[index]) {
        return;
    }
    const bj_message *request = script_message(s, m->request);
    bool first = request && request->answer == index;
    if (first && request->by_client && !script_unreachable(s, m->request) && script_is_answerable(s, m->request)) {
        respond(s, index, NULL);
    } else if (!(request && request->answer != index &&
                 m->type == BJ_COAP_ACK)) { /* a repetition's answer is the engine's */
        script_raw(s, m, "a response to no request that was awaited last");
    }
}

/* An empty message of a server: the first half of a separate answer, a rejection, a ping. */
void script_servers_empty(bj_script *s, int index) {
    const bj_message *m = script_message(s, index), *of = script_message(s, m->request);
    bool request = of && of->kind == BJ_TALK_REQUEST && of->by_client;
    if (m->type == BJ_COAP_CON) {
        script_say(s, "frame %u: a CoAP ping", m->frame);
        bj_record *r = script_step(s, BJ_K_MESSAGE);
        script_put_codes(s, r, BJ_F(MESSAGE, CODE), 0);
        script_set_text(s, r, BJ_F(MESSAGE, SERVER), script_name_of(s, m));
        script_put_moment(s, r, BJ_F(MESSAGE, AT), m->time);
        script_end_with(s, m);
    } else if (request && m->type == BJ_COAP_RST && script_is_answerable(s, m->request) && of->ack == index) {
        script_say(s, "frame %u", m->frame);
        bj_record *r = script_step(s, BJ_K_RESPOND);
        script_set_bool(s, r, BJ_F(RESPOND, RESET), true);
        put_kept(s, r, m->request);
    } else if (request && of->ack == index && of->answer != BJ_TALK_NONE && script_is_answerable(s, m->request)) {
        bj_time before = script_since(s, m->time);
        if (script_pause(s, before)) {
            script_put_when(s, script_step(s, BJ_K_ADVANCE), BJ_F(ADVANCE, FOR),
                            (bj_when){ .earliest = (int64_t) script_pause(s, before),
                                       .latest = (int64_t) script_pause(s, before) });
        }
        respond(s, of->answer, m);
    } else if (request && of->ack == index && of->answer == BJ_TALK_NONE) {
        script_say(s, "frame %u: acknowledged, and never answered", m->frame);
        s->unsaid++;
    }
}
