/* SPDX-License-Identifier: Apache-2.0
 *
 * Transfers in blocks (RFC 7959): a block of a request is taken only behind the one before it, of its own transfer
 * (§2.3, §2.5, §2.9.2; RFC 9175 §3); of a response the client asks for the next block only when the last one was the
 * one that it had asked for (§2.4).
 *
 * Several transfers to one target may be under way. A block is lawful when it goes on with any of them, or is the last
 * of one again; that a client gave one up before is never held against it.
 */
#include "oracle/internal.h"

#include <string.h>

enum { CONTINUE = BJ_COAP_CODE(2, 31), REQUEST_TAG = 292 };

static bool decode(const oracle_foreign *f, bj_coap *m) {
    return f->connection >= 0 ? bj_coap_tcp_decode(m, f->bytes, f->length) == BJ_COAP_OK
                              : bj_coap_decode(m, f->bytes, f->length) == BJ_COAP_OK;
}

/* RFC 8323 §6: 7 stands for blocks of several units of 1024 bytes. */
static uint64_t offset_of(uint32_t block) {
    unsigned exponent = (block & 7) == 7 ? 6 : block & 7;
    return (uint64_t) (block >> 4) << (exponent + 4);
}

/* --- of requests ---------------------------------------------------------------------------------------------- */

static uint64_t mark_options(uint64_t mark, const bj_coap *m, uint32_t number) {
    const bj_coap_option *option;
    for (size_t i = 0; (option = bj_coap_find(m, number, i)); i++) {
        mark = (mark ^ oracle_mark(option->value, option->length) ^ number) * UINT64_C(1099511628211);
    }
    return mark;
}

/* What all blocks of a transfer have in common. Request-Tag is elective: who does not know it passes it over. */
static uint64_t key_of(const bj_oracle *o, const bj_coap *m) {
    uint64_t key = mark_options(m->code, m, BJ_COAP_URI_PATH);
    return o->config.request_tag ? mark_options(key, m, REQUEST_TAG) : key;
}

static void begin(bj_oracle *o, const oracle_foreign *f, uint64_t key, uint64_t next) {
    unsigned at = o->blocks.begun++ % ORACLE_TRANSFERS;
    o->transfers[at].peer = f->peer;
    o->transfers[at].connection = f->connection;
    o->transfers[at].key = key;
    o->transfers[at].next = next;
}

/* The transfer of that kind that stands there; NULL. */
static struct oracle_transfer *standing_at(bj_oracle *o, const oracle_foreign *f, uint64_t key, uint64_t next) {
    for (unsigned i = 0; i < o->blocks.begun && i < ORACLE_TRANSFERS; i++) {
        struct oracle_transfer *t = &o->transfers[i];
        if (t->key == key && t->next == next && t->connection == f->connection && bj_addr_equal(&t->peer, &f->peer)) {
            return t;
        }
    }
    return NULL;
}

/* Does the block go on with a transfer that was begun, or is it the last that was taken of one? Of several alike, one
 * that it goes on with. */
static bool goes_on(bj_oracle *o, const oracle_foreign *f, uint64_t key, uint64_t offset, uint64_t end) {
    struct oracle_transfer *t = standing_at(o, f, key, offset);
    t = t ? t : standing_at(o, f, key, end);
    if (t) {
        t->next = end;
    }
    return t || o->blocks.begun > ORACLE_TRANSFERS; /* the oldest were forgotten */
}

/* `sure`: the answer says that the block is taken now. It may be that of another request, or given again for a copy of
 * its own: then a transfer may stand behind the block, and all others where they were. */
static void block_taken(bj_oracle *o, const oracle_foreign *f, const oracle_seen *s, const bj_coap *m, uint32_t block,
                        bool sure) {
    uint64_t key = key_of(o, m), offset = offset_of(block), end = offset + m->payload_length;
    if (sure ? !offset : !standing_at(o, f, key, end)) {
        begin(o, f, key, end);
    } else if (sure && !goes_on(o, f, key, offset, end) && !o->damages) {
        BJ_TEXT(what, 200);
        BJ_TEXT(code, 16);
        oracle_describe_foreign(f, &what);
        bj_coap_code_print(&code, s->m.code);
        oracle_break(
            o, BJ_RULE_COAP_BLOCK1, s->time, s->event->sequence,
            "%s, of which the block at %llu came, is answered with %s, though the block before it did not come",
            what.start, (unsigned long long) offset, code.start);
    }
}

/* Not one that was given before: the same Acknowledgement for a copy of the request, or the same message once more,
 * long after the transfer has gone on (RFC 7252 §4.2, §4.5). */
static bool is_first_answer(bj_oracle *o, const oracle_seen *s, const oracle_foreign *f) {
    bool separate = !s->stream && s->m.type != BJ_COAP_ACK;
    const oracle_own *own = separate ? oracle_own_with_mid(o, s) : NULL;
    bool forgotten = separate && f->copies > 1 && o->own_count > ORACLE_OWN && o->own_forgotten >= f->first;
    return f->responses == 1 && !forgotten && (separate ? own && own->copies == 1 : f->acks < 2);
}

/* A request whose Message ID was used before may be answered as that one was. */
static void answered(bj_oracle *o, const oracle_seen *s) {
    const oracle_foreign *f = oracle_request_of(o, s);
    bj_coap m;
    uint32_t block;
    bool part = f && f->block1 && !f->malformed;
    bool known = o->config.exact && oracle_certain(o) && part && (!f->secure || o->lossless) && decode(f, &m);
    if (known && s->m.code >> 5 == 2 && bj_coap_find_uint(&m, BJ_COAP_BLOCK1, &block)) {
        block_taken(o, f, s, &m, block, is_first_answer(o, s, f) && !f->reused);
    }
}

/* --- of responses --------------------------------------------------------------------------------------------- */

static void breaks(bj_oracle *o, const oracle_seen *s, const char *what) {
    oracle_break(o, BJ_RULE_COAP_BLOCK2, s->time, s->event->sequence,
                 "%s, of which the client got another block than it had asked for", what);
}

/* It asks for the next block of a response; or it registers, though the pack that it asked for did not come. */
static void asked(bj_oracle *o, const oracle_seen *s) {
    const oracle_own *own = oracle_own_at(o, 0);
    uint32_t block = 0;
    bool gets = s->m.code == 1, here = bj_addr_equal(&o->blocks.from, &s->peer);
    if (!own || own->event != s->event->sequence || own->copies > 1) {
        return;
    }
    bj_coap_find_uint(&s->m, BJ_COAP_BLOCK2, &block);
    if (o->blocks.strayed && gets && here && block >> 4) {
        breaks(o, s, "the client asks for a further block of a response");
    } else if (o->blocks.strayed && own->purpose == ORACLE_REGISTER && !o->blocks.registered) {
        breaks(o, s, "the client registers after a Bootstrap-Pack");
    }
    o->blocks.registered |= own->purpose == ORACLE_REGISTER;
    o->blocks.strayed = false;
    o->blocks.awaits = gets;
    o->blocks.awaited = offset_of(block);
    o->blocks.from = s->peer;
}

/* What a response is taken for is judged where it says so; it may be passed over. */
static void got(bj_oracle *o, const oracle_seen *s) {
    const oracle_own *own = oracle_own_at(o, 0);
    uint32_t block = 0;
    bool same = own && (s->stream || s->m.type != BJ_COAP_ACK || s->m.mid == own->mid) &&
                s->m.token_length == own->token_length && !memcmp(s->m.token, own->token, own->token_length);
    bool awaited = same && o->blocks.awaits && own->code == 1 && own->answered == s->time && own->exact &&
                   bj_addr_equal(&own->peer, &s->peer) && own->answer == BJ_COAP_CODE(2, 5);
    if (awaited) {
        bj_coap_find_uint(&s->m, BJ_COAP_BLOCK2, &block);
        o->blocks.strayed = offset_of(block) != o->blocks.awaited;
    }
}

/* ------------------------------------------------------------------------------------------------------------- */

static void seen(bj_oracle *o, const oracle_seen *s) {
    if (s->fault != BJ_COAP_OK) {
        return;
    }
    if (!s->from_client && bj_coap_is_response(s->m.code)) {
        got(o, s);
    } else if (s->from_client && bj_coap_is_response(s->m.code)) {
        answered(o, s);
    } else if (s->from_client && bj_coap_is_request(s->m.code)) {
        asked(o, s);
    }
}

static void event(bj_oracle *o, const bj_event *e) {
    if (e->kind == BJ_EV_CLIENT_START) {
        o->blocks.begun = 0;
        o->blocks.strayed = o->blocks.awaits = o->blocks.registered = false;
    }
}

const oracle_def oracle_blocks = { .id = "blocks", .hears = ORACLE_HEARS(CLIENT_START), .event = event, .seen = seen };
