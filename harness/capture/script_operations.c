/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps of a scenario: what servers ask of the client.
 */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "capture/script_internal.h"
#include "script/print.h"
#include "wire/entries.h"
#include "wire/link.h"

enum { MOST_LINKS = 16 };

/* --- operations ----------------------------------------------------------------------------------------------- */

void script_count_observations(bj_script *s) {
    s->observation = bj_arena_calloc(s->arena, s->talk->count + 1, sizeof *s->observation);
    for (size_t i = 0; i < s->talk->count; i++) {
        const bj_message *m = &s->talk->messages[i];
        bj_request_kind kind =
            m->by_client || m->repeats != BJ_TALK_NONE ? BJ_REQ_OTHER : bj_request_kind_of(s->talk, m);
        if (kind == BJ_REQ_OBSERVE || kind == BJ_REQ_OBSERVE_COMPOSITE) {
            s->observation[i] = ++s->observations;
        }
    }
}

/* Observations are numbered by the requests that begin them; where there is one only, it needs no name. */
void script_put_observation(bj_script *s, bj_record *r, unsigned field, int request) {
    unsigned number = request == BJ_TALK_NONE ? 0 : s->observation[request];
    BJ_TEXT(name, 20);
    bj_text_printf(&name, "o%u", number);
    if (s->observations > 1 && number) {
        script_set_text(s, r, field, name.start);
    }
}

/* The request that began the observation which this one ends: the same token (RFC 7641 §3.6). */
static int observation_ended(const bj_script *s, int index) {
    const bj_message *m = script_message(s, index);
    for (int i = index - 1; i >= 0; i--) {
        const bj_message *o = script_message(s, i);
        if (o->server == m->server && o->token_length == m->token_length &&
            !memcmp(o->token, m->token, m->token_length) && s->observation[i]) {
            return i;
        }
    }
    return BJ_TALK_NONE;
}

static bj_kind verb_of(bj_request_kind kind) {
    switch (kind) {
    case BJ_REQ_FINISH:
        return BJ_K_FINISH;
    case BJ_REQ_WRITE:
    case BJ_REQ_PARTIAL_WRITE:
        return BJ_K_WRITE;
    case BJ_REQ_DELETE:
        return BJ_K_DELETE;
    case BJ_REQ_DISCOVER:
        return BJ_K_DISCOVER;
    case BJ_REQ_READ:
        return BJ_K_READ;
    case BJ_REQ_OBSERVE:
        return BJ_K_OBSERVE;
    case BJ_REQ_CANCEL:
        return BJ_K_CANCEL;
    case BJ_REQ_EXECUTE:
        return BJ_K_EXECUTE;
    case BJ_REQ_CREATE:
        return BJ_K_CREATE;
    case BJ_REQ_WRITE_ATTRIBUTES:
        return BJ_K_WRITE_ATTRIBUTES;
    case BJ_REQ_READ_COMPOSITE:
        return BJ_K_READ_COMPOSITE;
    case BJ_REQ_OBSERVE_COMPOSITE:
        return BJ_K_OBSERVE_COMPOSITE;
    default:
        return BJ_K_MESSAGE;
    }
}

static const script_payload written = { .tlv = BJ_F(WRITE, TLV),
                                        .values = BJ_F(WRITE, VALUES),
                                        .text = BJ_F(WRITE, TEXT),
                                        .hex = BJ_F(WRITE, HEX),
                                        .format = BJ_F(WRITE, FORMAT) };
static const script_payload created = {
    .tlv = BJ_F(CREATE, TLV), .values = BJ_F(CREATE, VALUES), .hex = BJ_F(CREATE, HEX), .format = BJ_F(CREATE, FORMAT)
};
static const script_payload any_payload = { .text = BJ_F(MESSAGE, TEXT),
                                            .hex = BJ_F(MESSAGE, HEX),
                                            .format = BJ_F(MESSAGE, FORMAT) };

/* A Write in blocks as the engine sends one (RFC 7959 §2.5): from the first to the last, each as large as was agreed
 * on, each answered with 2.31 but the last. What is otherwise is told block by block. */
typedef struct block_walk {
    const bj_message *first;
    bj_coap head;
    size_t used;
    uint32_t exponent, block;
    size_t unit;        /* bytes of the first; of a block of BERT some times 1024 */
    uint32_t unit_size; /* as the scenario has it; 0: no blocks */
    int last;
} block_walk;

static bool same_options(const bj_coap *a, const bj_coap *b) {
    bool same = a->option_count == b->option_count && !bj_coap_find(a, BJ_COAP_SIZE1, 0);
    for (size_t i = 0; same && i < a->option_count; i++) {
        const bj_coap_option *x = &a->options[i], *y = &b->options[i];
        same = x->number == y->number &&
               (x->number == BJ_COAP_BLOCK1 ||
                (x->length == y->length && (!x->length || !memcmp(x->value, y->value, x->length))));
    }
    return same;
}

/* Is the request the block that must come now? */
static bool fits(const block_walk *w, const bj_message *m, const bj_coap *c) {
    size_t unit = w->exponent == 7 ? 1024 : (size_t) 16 << w->exponent;
    bool more = w->block & 8;
    bool sized = w->exponent == 7 ? m->stream && (more ? c->payload_length == w->unit : c->payload_length <= w->unit)
                                  : (more ? c->payload_length == unit : c->payload_length <= unit);
    return m->code == w->first->code && m->type == w->first->type && same_options(&w->head, c) &&
           (w->block & 7) == w->exponent && (size_t) (w->block >> 4) * unit == w->used && sized;
}

static bool is_whole(const bj_script *s, int index, block_walk *w) {
    bj_coap c, answer;
    uint32_t asked;
    *w = (block_walk){ .first = script_message(s, index), .last = index };
    bj_message_decode(w->first, &w->head);
    bj_coap_find_uint(&w->head, BJ_COAP_BLOCK1, &w->block);
    uint32_t size = w->exponent = w->block & 7;
    w->unit = w->head.payload_length;
    for (size_t i = (size_t) index; i < s->talk->count; i++) {
        const bj_message *m = &s->talk->messages[i], *answered = script_message(s, m->answer);
        if (m->kind != BJ_TALK_REQUEST || m->by_client || m->server != w->first->server || m->repeats != BJ_TALK_NONE) {
            continue;
        }
        if (bj_message_decode(m, &c) != BJ_COAP_OK || !bj_coap_find_uint(&c, BJ_COAP_BLOCK1, &w->block) ||
            !fits(w, m, &c)) {
            return false;
        }
        w->used += c.payload_length;
        w->last = (int) i;
        if (!(w->block & 8)) {
            w->unit_size = (uint32_t) (size == 7 ? (w->unit + 1023) / 1024 * 1024 : (size_t) 16 << size);
            return true;
        }
        if (!answered || answered->code != BJ_COAP_CODE(2, 31) || bj_message_decode(answered, &answer) != BJ_COAP_OK) {
            return false;
        }
        bool smaller = bj_coap_find_uint(&answer, BJ_COAP_BLOCK1, &asked) && (asked & 7) < w->exponent;
        w->exponent = smaller ? asked & 7 : w->exponent;
    }
    return false;
}

/* The bytes of its blocks; they and their answers are done. */
static uint8_t *gather_blocks(bj_script *s, int index, const block_walk *w) {
    uint8_t *whole = bj_arena_alloc(s->arena, w->used + 1);
    size_t used = 0;
    bj_coap c;
    for (int i = index; i <= w->last; i++) {
        const bj_message *m = script_message(s, i);
        if (m->kind == BJ_TALK_REQUEST && !m->by_client && m->server == w->first->server &&
            m->repeats == BJ_TALK_NONE) {
            bj_message_decode(m, &c);
            memcpy(whole + used, c.payload_length ? (const char *) c.payload : "", c.payload_length);
            used += c.payload_length;
            s->done[i] = true;
            if (m->answer != BJ_TALK_NONE) {
                s->done[m->answer] = true;
            }
        }
    }
    return whole;
}

/* One of several blocks: what it holds is not all. */
static bool is_part(const bj_message *answer) {
    bj_coap c;
    uint32_t block;
    bj_message_decode(answer, &c);
    return bj_coap_find_uint(&c, BJ_COAP_BLOCK2, &block) && (block >> 4 || block & 8);
}

/* Instances of /0, /1 and /2 that the answer lists; where an Object has none, that it has none. */
static void put_links(bj_script *s, bj_record *r, const bj_message *answer, const bj_path *target) {
    bj_string has[MOST_LINKS], lacks[3];
    size_t count = 0, missing = 0;
    bool seen[3] = { false };
    bj_coap c;
    bj_core_link link;
    BJ_TEXT(why, 100);
    bj_message_decode(answer, &c);
    const char *text = c.payload ? (const char *) c.payload : "";
    size_t length = c.payload_length;
    while (script_format_of(&c) == 40 && bj_link_next(&text, &length, &link, &why)) {
        BJ_TEXT(path, 64);
        BJ_TEXT(pattern, 128);
        bj_text_add_bytes(&path, link.target ? link.target : "", link.target ? link.target_length : 0);
        bj_path p = bj_path_of(path.start);
        if (p.depth != 2 || p.ids[0] > 2) {
            continue;
        }
        seen[p.ids[0]] = true;
        bj_text_add(&pattern, path.start);
        for (size_t i = 0; i < link.attr_count; i++) {
            if (link.attrs[i].name_length == 4 && !memcmp(link.attrs[i].name, "ssid", 4)) {
                pattern.used = 0;
                bj_text_printf(&pattern, "<%s>;ssid=%.*s", path.start, (int) link.attrs[i].value_length,
                               link.attrs[i].value);
            }
        }
        if (count < MOST_LINKS) {
            has[count++] = (bj_string){ bj_arena_strdup(s->arena, pattern.start), pattern.used };
        }
    }
    for (unsigned o = 0; o < 2 && script_format_of(&c) == 40; o++) {
        bool asked = target->depth == 0 || (target->depth == 1 && target->ids[0] == o);
        if (asked && !seen[o]) {
            const char *none = o ? "/1/*" : "/0/*";
            lacks[missing++] = (bj_string){ none, 4 };
        }
    }
    if (count) {
        script_put_strings(s, r, BJ_F(DISCOVER, HAS), BJ_T_STRINGS, has, count);
    }
    if (missing) {
        script_put_strings(s, r, BJ_F(DISCOVER, LACKS), BJ_T_STRINGS, lacks, missing);
    }
}

static void put_read_values(bj_script *s, bj_record *r, const bj_message *answer, const bj_path *target) {
    bj_coap c;
    bj_value values;
    bool exact;
    bj_message_decode(answer, &c);
    if (target->depth && target->ids[0] == 1 && target->depth <= 2 &&
        bj_script_values(s, script_format_of(&c), target, c.payload, c.payload_length, &values, &exact)) {
        bj_set(s->arena, r, BJ_F(READ, VALUES), &values);
    }
}

/* --- an operation's own fields --- */

static void put_content(bj_script *s, bj_record *r, const bj_coap *c, const bj_path *target, const uint8_t *data,
                        size_t length, uint32_t block) {
    uint32_t accept;
    switch (r->kind) {
    case BJ_K_WRITE:
        script_put_payload(s, r, &written, script_format_of(c),
                           block || !bj_coap_find(c, BJ_COAP_BLOCK1, 0) ? target : NULL, data, length, 11542);
        if (c->code == 2) {
            script_set_uint(s, r, BJ_F(WRITE, METHOD), BJ_T_ENUM, 2);
        }
        if (block) {
            script_set_uint(s, r, BJ_F(WRITE, BLOCK), BJ_T_UINT, block);
        }
        break;
    case BJ_K_CREATE:
        script_put_payload(s, r, &created, script_format_of(c), target, data, length, 11542);
        break;
    case BJ_K_EXECUTE:
        if (length) {
            BJ_TEXT(text, 400);
            bj_text_add_bytes(&text, (const char *) data, length);
            script_set_text(s, r, BJ_F(EXECUTE, ARGUMENTS), text.start);
        }
        break;
    case BJ_K_FINISH:
        if (length) {
            script_set_bytes(s, r, BJ_F(FINISH, HEX), data, length);
        }
        break;
    case BJ_K_READ:
    case BJ_K_OBSERVE:
    case BJ_K_READ_COMPOSITE:
    case BJ_K_OBSERVE_COMPOSITE:
        if (bj_coap_find_uint(c, BJ_COAP_ACCEPT, &accept)) {
            script_set_uint(s, r, BJ_F(READ, ACCEPT), BJ_T_UINT, accept);
        }
        if (r->kind == BJ_K_OBSERVE || r->kind == BJ_K_OBSERVE_COMPOSITE) {
            script_put_observation(s, r, BJ_F(OBSERVE, NAME), s->current);
        }
        break;
    default:
        break;
    }
}

/* `whole`: blocks are put together in it. */
/* The paths of a composite operation. false: there is something else in its payload. */
static bool put_paths(bj_script *s, bj_record *r, const bj_coap *c) {
    enum { MOST_PATHS = 32 };
    bj_string paths[MOST_PATHS + 1];
    size_t count = 0;
    uint32_t format = script_format_of(c);
    const uint8_t *at = c->payload, *end = at ? at + c->payload_length : at;
    bool known = format == 112 && at < end && *at >= 0x81 && *at < 0x98;
    unsigned records = known ? *at++ - 0x80U : 0;
    for (; known && count < records; count++) { /* {0: text}: RFC 8428 §6 */
        size_t length = end - at > 3 && at[0] == 0xA1 && !at[1] && at[2] > 0x60 && at[2] < 0x78 ? at[2] - 0x60U : 0;
        known = length && (size_t) (end - at) >= 3 + length && at[3] == '/';
        if (known) {
            paths[count] = (bj_string){ bj_arena_strndup(s->arena, (const char *) at + 3, length), length };
            at += 3 + length;
        }
    }
    known = known && at == end;
    if (known) {
        script_put_strings(s, r, BJ_F(READ_COMPOSITE, PATHS), BJ_T_STRINGS, paths, count);
        script_put_format(s, r, BJ_F(READ_COMPOSITE, FORMAT), format, 112);
    }
    return known;
}

static bool is_composite(bj_kind verb) {
    return verb == BJ_K_READ_COMPOSITE || verb == BJ_K_OBSERVE_COMPOSITE;
}

static void put_target(bj_script *s, bj_record *r, const bj_coap *c, const bj_text *path, bool whole) {
    const bj_coap_option *first = bj_coap_find(c, BJ_COAP_URI_PATH, 0);
    bool observes = r->kind == BJ_K_OBSERVE || r->kind == BJ_K_OBSERVE_COMPOSITE;
    bool reads = r->kind == BJ_K_DISCOVER || r->kind == BJ_K_READ || observes || is_composite(r->kind);
    if (r->kind == BJ_K_CANCEL) {
        script_put_observation(s, r, BJ_F(CANCEL, OF), observation_ended(s, s->current));
        return;
    }
    if (is_composite(r->kind)) {
        put_paths(s, r, c);
    } else if (r->kind != BJ_K_FINISH) {
        script_set_text(s, r, BJ_F(WRITE, PATH), *path->start ? path->start : "/");
    }
    if (first && !first->length && !bj_coap_find(c, BJ_COAP_URI_PATH, 1) && r->kind != BJ_K_FINISH &&
        !is_composite(r->kind)) {
        script_set_bool(s, r, BJ_F(WRITE, EMPTY_SEGMENT), true);
        script_set_text(s, r, BJ_F(WRITE, PATH), "/");
    }
    script_put_query(s, r, r->kind == BJ_K_WRITE_ATTRIBUTES ? BJ_F(WRITE_ATTRIBUTES, SET) : BJ_F(WRITE, QUERY), c,
                     NULL);
    script_put_options(s, r, BJ_F(WRITE, OPTIONS), c,
                       (reads ? SAYS_ACCEPT : 0) | (observes ? SAYS_OBSERVE : 0) | (whole ? SAYS_BLOCKS : 0));
}

/* A request that is no operation of LwM2M. */
static bj_record *strange_request(bj_script *s, const bj_coap *c, const bj_text *path) {
    bj_record *r = script_step(s, BJ_K_MESSAGE);
    uint32_t accept;
    script_put_codes(s, r, BJ_F(MESSAGE, CODE), c->code);
    script_set_text(s, r, BJ_F(MESSAGE, PATH), path->start);
    script_put_query(s, r, BJ_F(MESSAGE, QUERY), c, NULL);
    bool plain = !bj_coap_find(c, BJ_COAP_ACCEPT, 1);
    if (plain && bj_coap_find_uint(c, BJ_COAP_ACCEPT, &accept)) {
        script_set_uint(s, r, BJ_F(MESSAGE, ACCEPT), BJ_T_UINT, accept);
    }
    script_put_payload(s, r, &any_payload, script_format_of(c), NULL, c->payload, c->payload_length,
                       BJ_SCRIPT_NO_FORMAT);
    script_put_options(s, r, BJ_F(MESSAGE, OPTIONS), c, plain ? SAYS_ACCEPT : 0);
    return r;
}

/* Copies of the request that came before the client answered: they were lost, or the client was slow. */
static unsigned lost_copies(const bj_script *s, int index, const bj_message *answer) {
    unsigned lost = 0;
    for (int i = index + 1; answer && answer->copy != index && i <= answer->copy; i++) {
        lost += s->talk->messages[i].repeats == index;
    }
    return lost;
}

/* Does anything of the client, or of this server, come between the request and its answer that is a step of its own? */
static bool is_interrupted(const bj_script *s, int index, int answer) {
    for (int i = index + 1; i < answer; i++) {
        const bj_message *o = script_message(s, i);
        bool own =
            o->kind == BJ_TALK_REQUEST || (o->kind == BJ_TALK_RESPONSE && o->notifies) || o->kind == BJ_TALK_BROKEN;
        if (own && o->repeats == BJ_TALK_NONE && !s->done[i]) {
            return true;
        }
    }
    return false;
}

static void put_outcome(bj_script *s, bj_record *r, int index, const bj_message *last) {
    bool other = r->kind == BJ_K_MESSAGE;
    int at = last->answer;
    if (at == BJ_TALK_NONE) {
        if (!other) {
            script_set_bool(s, r, BJ_F(WRITE, WAIT), false);
        }
        return;
    }
    const bj_message *answer = script_message(s, at);
    if (!other && is_interrupted(s, index, at)) {
        script_set_bool(s, r, BJ_F(WRITE, WAIT), false);
        script_end_with(s, last);
        return;
    }
    script_put_expected(s, r, other ? BJ_F(MESSAGE, EXPECT) : BJ_F(WRITE, EXPECT), answer->code);
    s->done[at] = true;
    script_end_with(s, answer);
}

static bj_record *operation(bj_script *s, int index, const bj_coap *c, const bj_text *path, bj_kind verb) {
    const bj_message *m = script_message(s, index);
    bj_path target = bj_path_of(path->start);
    int last = index;
    size_t length = c->payload_length;
    const uint8_t *data = c->payload;
    block_walk walk = { .unit = 0 };
    bool whole = verb == BJ_K_WRITE && bj_coap_find(c, BJ_COAP_BLOCK1, 0) && is_whole(s, index, &walk);
    if (whole) {
        length = walk.used;
        data = gather_blocks(s, index, &walk);
        last = walk.last;
        script_say(s, "in blocks, up to frame %u", script_message(s, last)->frame);
    }
    bj_record *r = script_step(s, verb);
    put_target(s, r, c, path, whole);
    put_content(s, r, c, &target, data, length, walk.unit_size);
    const bj_message *answer = script_message(s, script_message(s, last)->answer);
    if (answer && !s->follows && !is_part(answer) && verb == BJ_K_DISCOVER && answer->code == BJ_COAP_CODE(2, 5)) {
        put_links(s, r, answer, &target);
    }
    if (answer && !s->follows && !is_part(answer) && verb == BJ_K_READ && answer->code == BJ_COAP_CODE(2, 5)) {
        put_read_values(s, r, answer, &target);
    }
    script_put_moment(s, r, BJ_F(WRITE, AT), m->time);
    script_end_with(s, m);
    put_outcome(s, r, index, script_message(s, last));
    return r;
}

static void tell_operation(bj_script *s, int index) {
    const bj_message *m = script_message(s, index), *answer = script_message(s, m->answer);
    if (answer) {
        script_say(s, "frames %u and %u, %.3f s", m->frame, answer->frame, (double) m->time / 1e6);
    } else {
        script_say(s, "frame %u, %.3f s: never answered", m->frame, (double) m->time / 1e6);
    }
}

static void drop_lost(bj_script *s, int index) {
    const bj_message *m = script_message(s, index);
    unsigned lost = lost_copies(s, index, script_message(s, m->answer));
    if (!lost || m->stream) {
        return;
    }
    script_say(s, "frame %u: lost, or not answered, %u times", m->frame, lost);
    bj_record *r = script_step(s, BJ_K_FAULT);
    script_set_uint(s, r, BJ_F(FAULT, KIND), BJ_T_ENUM, 0);
    script_set_text(s, r, BJ_F(FAULT, FROM), script_name_of(s, m));
    script_set_uint(s, r, BJ_F(FAULT, COUNT), BJ_T_UINT, lost);
    script_assume(s, "what a server had to repeat until it was answered was lost on its way (frame %u)", m->frame);
}

/* As the verbs take it: ids without zeros in front, and nothing else. */
static bool is_lwm2m_path(const bj_text *path) {
    BJ_TEXT(printed, 64);
    bj_path parsed = bj_path_of(path->start);
    bj_path_print(&printed, &parsed);
    return !*path->start || !strcmp(printed.start, path->start);
}

/* What comes from an address that the client never spoke to, and what it answers there. */
static void stranger(bj_script *s, const bj_message *m) {
    const bj_message *answer = script_message(s, m->answer);
    script_raw(s, m, "from an address that the client never spoke to");
    if (answer) {
        script_say(s, "frame %u: the client answers it, %u.%02u", answer->frame, answer->code >> 5, answer->code & 31);
        s->done[m->answer] = true;
        s->unsaid++;
    }
}

void script_servers_request(bj_script *s, int index) {
    const bj_message *m = script_message(s, index);
    bj_coap c;
    BJ_TEXT(path, 400);
    bj_message_decode(m, &c);
    bj_coap_path(&c, BJ_COAP_URI_PATH, &path);
    bj_kind verb = verb_of(bj_request_kind_of(s->talk, m));
    bool part = bj_coap_find(&c, BJ_COAP_BLOCK2, 0) || bj_coap_find(&c, BJ_COAP_ACCEPT, 1);
    bj_record *trial = bj_record_new(s->arena, BJ_K_READ_COMPOSITE, (bj_position){ 0 });
    bool unknown = (verb == BJ_K_CANCEL && observation_ended(s, index) == BJ_TALK_NONE) ||
                   (is_composite(verb) && !put_paths(s, trial, &c));
    unknown |= verb != BJ_K_FINISH && verb != BJ_K_CANCEL && !is_composite(verb) && !is_lwm2m_path(&path);
    verb = (part && verb != BJ_K_WRITE && verb != BJ_K_DELETE) || unknown ? BJ_K_MESSAGE : verb;
    if (!m->stream && m->type >= BJ_COAP_ACK) {
        script_raw(s, m, "a request in an acknowledgement or a reset");
        return;
    }
    if (script_is_stranger(s, m->server) && s->awaited != BJ_TALK_NONE) {
        stranger(s, m);
        return;
    }
    drop_lost(s, index);
    tell_operation(s, index);
    const char *name = script_name_of(s, m);
    bj_record *r;
    if (verb == BJ_K_MESSAGE) {
        r = strange_request(s, &c, &path);
        script_put_moment(s, r, BJ_F(MESSAGE, AT), m->time);
        script_end_with(s, m);
        put_outcome(s, r, index, m);
    } else {
        r = operation(s, index, &c, &path, verb);
    }
    if (strcmp(name, "bs") != 0) {
        script_set_text(s, r, BJ_F(WRITE, SERVER), name); /* the same number in MESSAGE */
    }
    if (!m->stream && m->type == BJ_COAP_NON) {
        script_set_uint(s, r, r->kind == BJ_K_MESSAGE ? BJ_F(MESSAGE, TYPE) : BJ_F(WRITE, TYPE), BJ_T_ENUM,
                        BJ_COAP_NON);
    }
}

/* The same request once more, behind its answer. */
void script_repeated_request(bj_script *s, int index) {
    const bj_message *m = script_message(s, index), *of = script_message(s, m->repeats),
                     *first = script_message(s, of->answer);
    if (!first || first->time > m->time || of->answer > index) {
        return; /* it was lost before */
    }
    const bj_message *again = NULL;
    for (size_t i = (size_t) index + 1; i < s->talk->count && !again; i++) {
        const bj_message *o = &s->talk->messages[i];
        bool answers = o->kind == BJ_TALK_RESPONSE && o->request == m->repeats && o->copy == index;
        again = answers ? o : NULL;
        s->done[i] |= answers;
    }
    script_say(s, "frame %u: the same Message ID once more%s", m->frame, again ? "" : ", without an answer");
    bj_record *r = script_step(s, BJ_K_AGAIN);
    script_set_text(s, r, BJ_F(AGAIN, SERVER), script_name_of(s, m));
    script_put_moment(s, r, BJ_F(AGAIN, AT), m->time);
    bool same = again && again->length == first->length && !memcmp(again->bytes, first->bytes, first->length);
    if (again && (!same || s->follows)) {
        script_put_expected(s, r, BJ_F(AGAIN, EXPECT), again->code);
    }
    script_end_with(s, m);
}
