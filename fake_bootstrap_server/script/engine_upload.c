/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests of the client that come in blocks (RFC 7959 §2.5). The servers take them as they come, or in blocks as small
 * as a step asks for; the script sees the whole request with its last block. A step that awaits a part of one sees, and
 * answers, that part.
 */
#include "script/engine_internal.h"

#include <string.h>

enum { MOST_BYTES = 1 << 20 };

static void passed_over(bj_engine *e, const bj__exchange *x, const char *why) {
    bj__log(e, BJ_EV_PASSED_OVER, BJ_ACTOR_SCRIPT, x->event, why);
}

void bj__upload_forget(bj_engine *e, bj__server *s) {
    bj_arena_free(e->arena, s->upload.bytes);
    s->upload = (bj__upload){ .bytes = NULL };
}

static void path_of(const bj_coap *m, bj__upload *u) {
    bj_text path = bj_text_over(u->path, sizeof u->path);
    bj_coap_path(m, BJ_COAP_URI_PATH, &path);
}

/* Whether the block is of the request that is coming in. */
static bool belongs(const bj__upload *u, const bj__exchange *x, const bj_coap *m) {
    bj__upload other = { .code = m->code };
    path_of(m, &other);
    return u->code == m->code && !strcmp(u->path, other.path) && bj__same_peer(&u->from, &x->from);
}

static void begin(bj_engine *e, bj__server *s, const bj__exchange *x, const bj_coap *m) {
    bj__upload_forget(e, s);
    s->upload = (bj__upload){ .code = m->code, .from = x->from, .sent = x->sent };
    path_of(m, &s->upload);
}

static void append(bj_engine *e, bj__upload *u, const bj_coap *m) {
    if (u->length + m->payload_length > u->room) {
        u->room = 2 * (u->length + m->payload_length);
        uint8_t *bytes = bj_arena_alloc(e->arena, u->room);
        if (u->length) {
            memcpy(bytes, u->bytes, u->length);
        }
        bj_arena_free(e->arena, u->bytes);
        u->bytes = bytes;
    }
    if (m->payload_length) {
        memcpy(u->bytes + u->length, m->payload, m->payload_length);
    }
    u->length += m->payload_length;
}

/* The request as if it had come in one message, without the options of blocks. */
static void put_together(bj_engine *e, bj__server *s, bj__exchange *x, const bj_coap *m) {
    bj_coap whole = *m;
    whole.option_count = 0;
    for (size_t i = 0; i < m->option_count; i++) {
        if (m->options[i].number != BJ_COAP_BLOCK1 && m->options[i].number != BJ_COAP_SIZE1) {
            whole.options[whole.option_count++] = m->options[i];
        }
    }
    whole.payload = s->upload.bytes;
    whole.payload_length = s->upload.length;
    size_t room = x->length + s->upload.length + 16;
    x->whole = bj_arena_alloc(e->arena, room);
    x->whole_length =
        x->from.connection >= 0 ? bj_coap_tcp_encode(&whole, x->whole, room) : bj_coap_encode(&whole, x->whole, room);
    x->sent = s->upload.sent;
    bj__upload_forget(e, s);
}

/* The size that the server answers with: that of the block, or less where the script wants less. */
static uint32_t agreed(const bj_engine *e, uint32_t block) {
    uint32_t size = bj__block_wanted(e);
    uint8_t szx = size ? bj__block_exponent(size) : 7;
    return (block & 7) > szx ? (block & ~7U) | szx : block;
}

static bool refuse(bj_engine *e, bj__server *s, bj__exchange *x, uint8_t code, const char *why) {
    passed_over(e, x, why);
    bj__upload_forget(e, s);
    bj__send_plain_reply(e, x, code, x->event);
    return true;
}

bool bj__upload_block(bj_engine *e, bj__server *s, bj__exchange *x) {
    bj_coap m;
    uint32_t block = 0;
    if (!bj__decode(&m, x->bytes, x->length, x->from.connection >= 0) ||
        !bj_coap_find_uint(&m, BJ_COAP_BLOCK1, &block) || bj__awaits_part(e, x)) {
        return false;
    }
    bool more = block & 8;
    x->block1 = block;
    x->in_block = true;
    if (!(block >> 4)) {
        begin(e, s, x, &m);
    }
    if (!belongs(&s->upload, x, &m) || (block >> 4) * bj__block_unit(block & 7) != s->upload.length) {
        return refuse(e, s, x, BJ_COAP_CODE(4, 8), "a block of a request that is out of its order");
    }
    if (s->upload.length + m.payload_length > MOST_BYTES) {
        return refuse(e, s, x, BJ_COAP_CODE(4, 13), "a block of a request that is too long");
    }
    append(e, &s->upload, &m);
    if (!more) {
        put_together(e, s, x, &m);
        return false;
    }
    passed_over(e, x, "a block of a request");
    x->block1 = agreed(e, block);
    bj__send_plain_reply(e, x, BJ_COAP_CODE(2, 31), x->event);
    return true;
}

bool bj__exchange_read(const bj__exchange *x, bj_coap *m) {
    return x->whole ? bj__decode(m, x->whole, x->whole_length, x->from.connection >= 0)
                    : bj__decode(m, x->bytes, x->length, x->from.connection >= 0);
}
