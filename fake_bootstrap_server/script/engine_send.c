/* SPDX-License-Identifier: Apache-2.0
 *
 * Building and sending the servers' messages: replies, operations with their payloads, block-wise transfers,
 * hand-made and broken messages.
 */
#include "script/engine_internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "wire/tlv.h"

/* --- onto the wire --- */

/* Until the log says better: it arrives one latency from now. */
static void estimate(bj_engine *e, const bj__server *s, bj__delivery *d, uint8_t kind, uint64_t id) {
    bool fresh = d->copies == d->lost;
    if (!d->copies) {
        d->sent = e->now;
    }
    d->copies++;
    if (!fresh || d->seen) {
        return;
    }
    d->arrived = e->now + s->link.latency;
    bj__outbound *o = kind == 3 ? bj__outbound_of(e, id) : NULL;
    bj__exchange *x = bj__exchange_of(e, kind == 2 ? id : o ? o->replies_to : 0);
    if (x) {
        x->reply.arrived = d->arrived;
        bj__due_replied(e, x);
    } else if (o) {
        bj__due_commanded(e, o);
    }
}

static int64_t put(bj_engine *e, const bj__target *to, const bj_addr *source, const uint8_t *bytes, size_t length,
                   uint32_t cause) {
    bj__server *s = bj__server_at_endpoint(e, to->endpoint);
    if (to->connection < 0 && s && s->guard && !source) {
        return bj__secure_put(e, s, to, bytes, length, cause);
    }
    if (to->connection < 0) {
        return e->ops->send(e->world, to->endpoint, source, &to->peer, bytes, length, cause);
    }
    const bj__connection *c = bj__connection_of(e, to->connection);
    return c ? bj__stream_put(e, c, bytes, length, cause) : -ENOTCONN;
}

bool bj__transmit(bj_engine *e, const bj__server *s, const bj__target *to, const bj_addr *source, const uint8_t *bytes,
                  size_t length, uint32_t cause, uint8_t kind, uint64_t id, bj__delivery *delivery) {
    int64_t sent = put(e, to, source, bytes, length, cause);
    if (sent == -ENOTSUP) {
        bj__conclude_printf(e, BJ_SKIP, (bj_position){ 0, 0 }, "this world cannot send from another address");
        return false;
    }
    if (sent < 0) {
        BJ_TEXT(text, 160);
        bj_text_printf(&text, "server '%s' could not send: %s", s->name, strerror((int) -sent));
        bj__log(e, BJ_EV_NOTE, BJ_ACTOR_SCRIPT, cause, text.start);
        return true;
    }
    e->last_arrival = bj__max(e->last_arrival, e->now + s->link.latency + s->link.jitter);
    if (kind && to->connection < 0) {
        bj__watch(e, (uint32_t) sent, kind, id);
    }
    if (delivery) {
        estimate(e, s, delivery, kind, id);
    }
    return true;
}

void bj__send_empty(bj_engine *e, const bj__server *s, const bj__target *to, uint8_t type, uint16_t mid,
                    uint32_t cause) {
    uint8_t bytes[4] = { (uint8_t) (0x40 | type << 4), 0, (uint8_t) (mid >> 8), (uint8_t) mid };
    bj__transmit(e, s, to, NULL, bytes, sizeof bytes, cause, 0, 0, NULL);
}

static size_t encode(bj_engine *e, const bj_coap *m, bool stream) {
    return stream ? bj_coap_tcp_encode(m, e->scratch, BJ__MESSAGE) : bj_coap_encode(m, e->scratch, BJ__MESSAGE);
}

/* --- a message and what its options point to --- */

enum { HELD = 40, ROOMS = 8 };

typedef struct builder {
    bj_engine *e;
    const bj__thread *t;
    bj_coap m;
    bj__expanded held[HELD];
    unsigned held_count;
    uint8_t rooms[ROOMS][4];
    unsigned room_count;
    uint32_t usual_format; /* of values, where the step names none; 0 = TLV */
} builder;

static bj__expanded *hold(builder *b, bj_string text) {
    if (b->held_count == HELD) {
        b->held_count--; /* a message of so many texts is no message; the rest is left out */
        bj_arena_free(b->e->arena, b->held[b->held_count].owned);
    }
    b->held[b->held_count] = bj__expand(b->e, b->t, text);
    return &b->held[b->held_count++];
}

static void release(builder *b) {
    for (unsigned i = 0; i < b->held_count; i++) {
        bj_arena_free(b->e->arena, b->held[i].owned);
    }
}

static void add_uint(builder *b, uint32_t number, uint32_t value) {
    if (b->room_count < ROOMS) {
        bj_coap_add_uint(&b->m, number, value, b->rooms[b->room_count++]);
    }
}

static void add_path(builder *b, uint32_t number, const bj_record *step, unsigned field, const char *otherwise) {
    const bj_value *given = bj_get(step, field);
    bj_string text = given ? given->as.string : (bj_string){ otherwise, strlen(otherwise) };
    bj_coap_add_path(&b->m, number, hold(b, text)->bytes);
}

static void add_query(builder *b, const bj_record *step, unsigned field) {
    const bj_value *given = bj_get(step, field);
    for (size_t i = 0; given && i < given->as.strings.count; i++) {
        const bj__expanded *text = hold(b, given->as.strings.items[i]);
        bj_coap_add(&b->m, BJ_COAP_URI_QUERY, text->bytes, text->length);
    }
}

static void add_options(builder *b, const bj_record *step, unsigned field) {
    const bj_value *given = bj_get(step, field);
    for (size_t i = 0; given && i < given->as.options.count; i++) {
        const bj_raw_option *option = &given->as.options.items[i];
        bj_coap_add(&b->m, option->number, option->value.bytes, option->value.length);
    }
}

enum {
    FORMAT_NONE = 65536,
    FORMAT_TEXT = 0,
    FORMAT_LINK = 40,
    FORMAT_SENML_JSON = 110,
    FORMAT_SENML_CBOR = 112,
    FORMAT_TLV = 11542
};

static void add_format(builder *b, const bj_record *step, unsigned field, uint32_t otherwise) {
    uint32_t format = bj_get_uint(step, field, otherwise);
    if (format < FORMAT_NONE) {
        add_uint(b, BJ_COAP_CONTENT_FORMAT, format);
    }
}

/* --- payloads --- */

static void put_value(builder *b, bj_tlv_writer *w, uint8_t type, const bj_node *node) {
    switch (node->kind) {
    case BJ_N_STRING: {
        bj__expanded text = bj__expand(b->e, b->t, node->bytes);
        bj_tlv_put(w, type, node->id, text.bytes, text.length);
        bj_arena_free(b->e->arena, text.owned);
        break;
    }
    case BJ_N_OPAQUE:
        bj_tlv_put(w, type, node->id, node->bytes.bytes, node->bytes.length);
        break;
    case BJ_N_INT:
        bj_tlv_put_int(w, type, node->id, node->integer);
        break;
    case BJ_N_BOOL:
        bj_tlv_put_bool(w, type, node->id, node->integer != 0);
        break;
    case BJ_N_FLOAT:
        bj_tlv_put_double(w, type, node->id, node->real);
        break;
    case BJ_N_OBJLNK: {
        uint8_t link[4] = { (uint8_t) (node->integer >> 24), (uint8_t) (node->integer >> 16),
                            (uint8_t) (node->integer >> 8), (uint8_t) node->integer };
        bj_tlv_put(w, type, node->id, link, sizeof link);
        break;
    }
    default:
        bj_tlv_put(w, type, node->id, "", 0);
        break;
    }
}

/* What an id means follows from where it stands: Object Instance, Resource, Resource Instance (§7.4.3). */
static void put_nodes(builder *b, bj_tlv_writer *w, const bj_node *nodes, size_t count, uint8_t type) {
    for (size_t i = 0; i < count; i++) {
        const bj_node *node = &nodes[i];
        if (node->kind != BJ_N_TREE) {
            put_value(b, w, type == BJ_TLV_INSTANCE ? BJ_TLV_RESOURCE : type, node);
            continue;
        }
        bool instance = type == BJ_TLV_INSTANCE;
        size_t mark = bj_tlv_begin(w);
        put_nodes(b, w, node->children, node->child_count, instance ? BJ_TLV_RESOURCE : BJ_TLV_RESOURCE_INSTANCE);
        bj_tlv_end(w, mark, instance ? BJ_TLV_INSTANCE : BJ_TLV_MULTIPLE, node->id);
    }
}

static unsigned depth_of(const char *path) {
    unsigned depth = 0;
    for (size_t i = 0; path[i]; i++) {
        depth += path[i] == '/' && path[i + 1] && path[i + 1] != '/';
    }
    return depth;
}

enum { PAYLOAD = BJ__MESSAGE - 1500 }; /* what a message may carry */

static void set_payload(builder *b, const void *bytes, size_t length) {
    if (length > PAYLOAD) {
        length = PAYLOAD;
    }
    if (length) {
        memmove(b->e->payload, bytes, length);
    }
    b->m.payload = length ? b->e->payload : NULL;
    b->m.payload_length = length;
}

static void set_tlv(builder *b, const bj_value *values, uint8_t type) {
    bj_tlv_writer w = { .out = b->e->payload, .room = PAYLOAD };
    put_nodes(b, &w, values->as.nodes.items, values->as.nodes.count, type);
    b->m.payload = w.used ? b->e->payload : NULL;
    b->m.payload_length = w.used;
}

/* Which fields of a kind of record say what its payload is; 0: it has none such. */
typedef struct payload_fields {
    unsigned path, tlv, values, text, hex, format;
} payload_fields;

/* `values:` in the format that the step names, TLV if none (or none that can hold values). */
static uint32_t add_values(builder *b, const bj_record *step, const payload_fields *fields, const bj_value *values) {
    uint32_t usual = step->kind == BJ_K_WRITE_COMPOSITE ? FORMAT_SENML_CBOR : FORMAT_TLV;
    uint32_t format = bj_get_uint(step, fields->format, b->usual_format ? b->usual_format : usual);
    bj_path path = bj__path_of(b->e, b->t, step, fields->path);
    if (!bj_entries_writable(format)) {
        bool instances = fields->path && bj_get(step, fields->path) && path.depth <= 1;
        set_tlv(b, values, instances ? BJ_TLV_INSTANCE : BJ_TLV_RESOURCE);
        return FORMAT_TLV;
    }
    size_t length = bj__write_values(b->e, b->t, values, format, &path, b->e->payload, PAYLOAD);
    b->m.payload = length ? b->e->payload : NULL;
    b->m.payload_length = length;
    return format;
}

/* Returns the usual Content-Format. */
static uint32_t add_payload(builder *b, const bj_record *step, const payload_fields *fields) {
    const bj_value *value;
    if (fields->tlv && (value = bj_get(step, fields->tlv))) {
        const char *path = bj_get_string(step, BJ_F(WRITE, PATH), "/0/0");
        bool path_matters = step->kind == BJ_K_WRITE || step->kind == BJ_K_CREATE;
        set_tlv(b, value, path_matters && depth_of(path) <= 1 ? BJ_TLV_INSTANCE : BJ_TLV_RESOURCE);
        return FORMAT_TLV;
    }
    if (fields->values && (value = bj_get(step, fields->values))) {
        return add_values(b, step, fields, value);
    }
    if (fields->text && (value = bj_get(step, fields->text))) {
        bj__expanded expanded = bj__expand(b->e, b->t, value->as.string);
        set_payload(b, expanded.bytes, expanded.length);
        bj_arena_free(b->e->arena, expanded.owned);
        return FORMAT_TEXT;
    }
    if (fields->hex && (value = bj_get(step, fields->hex))) {
        set_payload(b, value->as.string.bytes, value->as.string.length);
        return step->kind == BJ_K_WRITE || step->kind == BJ_K_CREATE ? FORMAT_TLV : FORMAT_NONE;
    }
    return FORMAT_NONE;
}

static const payload_fields reply_fields = { .tlv = BJ_F(RESPOND, TLV),
                                             .values = BJ_F(RESPOND, VALUES),
                                             .text = BJ_F(RESPOND, TEXT),
                                             .hex = BJ_F(RESPOND, HEX),
                                             .format = BJ_F(RESPOND, FORMAT) };
static const payload_fields write_fields = { .path = BJ_F(WRITE, PATH),
                                             .tlv = BJ_F(WRITE, TLV),
                                             .values = BJ_F(WRITE, VALUES),
                                             .text = BJ_F(WRITE, TEXT),
                                             .hex = BJ_F(WRITE, HEX),
                                             .format = BJ_F(WRITE, FORMAT) };
static const payload_fields create_fields = { .path = BJ_F(CREATE, PATH),
                                              .tlv = BJ_F(CREATE, TLV),
                                              .values = BJ_F(CREATE, VALUES),
                                              .hex = BJ_F(CREATE, HEX),
                                              .format = BJ_F(CREATE, FORMAT) };
static const payload_fields execute_fields = { .text = BJ_F(EXECUTE, ARGUMENTS) };
static const payload_fields composite_fields = { .values = BJ_F(WRITE_COMPOSITE, VALUES),
                                                 .hex = BJ_F(WRITE_COMPOSITE, HEX),
                                                 .format = BJ_F(WRITE_COMPOSITE, FORMAT) };
static const payload_fields finish_fields = { .hex = BJ_F(FINISH, HEX) };
static const payload_fields message_fields = { .path = BJ_F(MESSAGE, PATH),
                                               .tlv = BJ_F(MESSAGE, TLV),
                                               .values = BJ_F(MESSAGE, VALUES),
                                               .text = BJ_F(MESSAGE, TEXT),
                                               .hex = BJ_F(MESSAGE, HEX),
                                               .format = BJ_F(MESSAGE, FORMAT) };

/* --- outbound messages --- */

static void new_token(bj_engine *e, bj_coap *m) {
    uint64_t random = e->ops->random(e->world);
    m->token_length = 4;
    for (unsigned i = 0; i < 4; i++) {
        m->token[i] = (uint8_t) (random >> (8 * i));
    }
}

static bj__outbound *new_outbound(bj_engine *e, bj__server *s, const bj__target *to, const bj_coap *m, size_t length,
                                  uint32_t cause) {
    bj__outbound *o = bj_arena_alloc(e->arena, sizeof *o);
    *o = (bj__outbound){ .id = e->next_id++,
                         .server = s->index,
                         .to = *to,
                         .type = m->type,
                         .code = m->code,
                         .mid = m->mid,
                         .token_length = m->token_length,
                         .cause = cause,
                         .began = e->now,
                         .next_send = BJ_NEVER,
                         .older = e->newest_outbound };
    memcpy(o->token, m->token, sizeof o->token);
    o->bytes = bj_arena_copy(e->arena, e->scratch, length);
    o->length = length;
    *(e->newest_outbound ? &e->newest_outbound->newer : &e->oldest_outbound) = o;
    e->newest_outbound = o;
    s->last_sent = o->id;
    return o;
}

/* RFC 7252 §4.2: the first time-out is drawn between ACK_TIMEOUT and ACK_TIMEOUT * ACK_RANDOM_FACTOR. */
static void arm_retransmission(bj_engine *e, bj__outbound *o) {
    if (o->type != BJ_COAP_CON || o->to.connection >= 0) {
        return;
    }
    uint64_t span = e->ack_timeout * (e->ack_random_factor - 1000000) / 1000000;
    o->timeout = e->ack_timeout + (span ? e->ops->random(e->world) % (span + 1) : 0);
    o->retransmissions = 0;
    o->next_send = e->now + o->timeout;
}

static bool launch(bj_engine *e, const bj__server *s, bj__outbound *o) {
    return bj__transmit(e, s, &o->to, o->source.family ? &o->source : NULL, o->bytes, o->length, o->cause, 3, o->id,
                        &o->delivery);
}

/* --- replies --- */

static void another_port(const bj__server *s, const bj__target *to, bj_addr *source) {
    *source = s->addresses[0];
    for (size_t a = 0; a < s->address_count; a++) {
        if (s->endpoints[a] == to->endpoint) {
            *source = s->addresses[a];
        }
    }
    source->port++;
}

static void spoil(bj_coap *m, uint32_t wrong) {
    if (wrong == 1 && m->token_length) {
        m->token[0] ^= 0xFF;
    } else if (wrong == 1) {
        m->token_length = 1;
        m->token[0] = 0x5A;
    } else if (wrong == 2) {
        m->mid ^= 0x5555;
    }
}

static void keep_replay(bj_engine *e, bj__exchange *x, const uint8_t *bytes, size_t length) {
    bj_arena_free(e->arena, x->replay);
    x->replay = bj_arena_copy(e->arena, bytes, length);
    x->replay_length = length;
}

static void acknowledge(bj_engine *e, bj__exchange *x, uint32_t cause) {
    uint8_t ack[4] = { 0x40 | BJ_COAP_ACK << 4, 0, (uint8_t) (x->mid >> 8), (uint8_t) x->mid };
    keep_replay(e, x, ack, sizeof ack);
    bj__transmit(e, &e->servers[x->server], &x->from, NULL, ack, sizeof ack, cause, 2, x->id, &x->reply);
}

/* A Location-Path that was given to a Register: Updates come there (Core §6.2.1). */
static void keep_location(bj_engine *e, bj__server *s, bj__exchange *x, const bj_coap *m) {
    BJ_TEXT(path, 300);
    bj_coap_path(m, BJ_COAP_LOCATION_PATH, &path);
    if (m->code != BJ_COAP_CODE(2, 1) || !bj_coap_find(m, BJ_COAP_LOCATION_PATH, 0)) {
        return;
    }
    bj_arena_free(e->arena, x->location);
    x->location = bj_arena_strdup(e->arena, path.start);
    for (unsigned i = 0; i < s->location_count; i++) {
        if (!strcmp(s->locations[i], path.start)) {
            return;
        }
    }
    if (s->location_count == BJ__LOCATIONS) {
        bj_arena_free(e->arena, s->locations[0]);
        memmove(s->locations, s->locations + 1, (BJ__LOCATIONS - 1) * sizeof s->locations[0]);
        s->location_count--;
    }
    s->locations[s->location_count++] = bj_arena_strdup(e->arena, path.start);
}

/* What a `pack` has in common with a `respond`. */
#define SAME_FIELD(FIELD) _Static_assert((int) BJ_F(PACK, FIELD) == (int) BJ_F(RESPOND, FIELD), "one builder for both")
SAME_FIELD(CODE);
SAME_FIELD(TO);
SAME_FIELD(SEPARATE);
SAME_FIELD(AFTER);
SAME_FIELD(FORMAT);
SAME_FIELD(TEXT);
SAME_FIELD(HEX);
SAME_FIELD(OPTIONS);
SAME_FIELD(VALUES);
SAME_FIELD(BLOCK);
#undef SAME_FIELD

static uint8_t reply_code(const bj_record *step) {
    const bj_value *code = bj_get(step, BJ_F(RESPOND, CODE));
    return code ? bj_codes_first(&code->as.codes) : step->kind == BJ_K_PACK ? BJ_COAP_CODE(2, 5) : 0;
}

/* The format of a pack: what the request accepts, or SenML JSON. */
static uint32_t pack_format(const bj__exchange *x) {
    bj_coap m;
    uint32_t accept = FORMAT_NONE;
    bool known =
        bj__exchange_read(x, &m) && bj_coap_find_uint(&m, BJ_COAP_ACCEPT, &accept) && bj_entries_writable(accept);
    return known ? accept : FORMAT_SENML_JSON;
}

enum { BERT = 7, BERT_UNIT = 1024, BERT_HEADER = 128 };

size_t bj__block_unit(uint8_t szx) {
    return szx == BERT ? BERT_UNIT : (size_t) 16 << szx;
}

static size_t block_size(uint8_t szx, uint8_t units) {
    return szx == BERT ? (size_t) units * BERT_UNIT : (size_t) 16 << szx;
}

/* RFC 7959 §2.4: the part of the body at `offset`. */
static void cut_block(builder *b, const bj__server *s, size_t offset, uint8_t szx) {
    size_t size = block_size(szx, s->body_units), left = s->body_length - offset;
    bool more = left > size;
    b->m.payload = s->body + offset;
    b->m.payload_length = more ? size : left;
    add_uint(b, BJ_COAP_BLOCK2, (uint32_t) (offset / bj__block_unit(szx)) << 4 | (more ? 8U : 0U) | szx);
}

uint8_t bj__block_exponent(uint32_t size) {
    uint8_t szx = 0;
    while (szx < 6 && (32U << szx) <= size) {
        szx++;
    }
    return szx;
}

/* RFC 8323 §6: over TCP, as many units of 1024 bytes as were asked for and the client takes. Else blocks as over UDP.
 */
static uint8_t bert_units(const bj_engine *e, const bj__target *to, uint32_t size) {
    const bj__connection *c = to->connection < 0 ? NULL : bj__connection_of(e, to->connection);
    if (!c || size < 2 * BERT_UNIT || c->largest < 2 * BERT_UNIT + BERT_HEADER) {
        return 0;
    }
    uint32_t takes = (c->largest - BERT_HEADER) / BERT_UNIT, wanted = size / BERT_UNIT;
    uint32_t units = takes < wanted ? takes : wanted;
    return (uint8_t) (units < UINT8_MAX ? units : UINT8_MAX);
}

/* The size that the client asks for, if it is smaller. */
static uint8_t smaller_block(const bj_coap *request, uint8_t szx) {
    uint32_t wanted = 0;
    bool asked = bj_coap_find_uint(request, BJ_COAP_BLOCK2, &wanted);
    return asked && (wanted & 7) < szx ? (uint8_t) (wanted & 7) : szx;
}

/* Keeps the body for the requests that follow, and leaves its first block in the message. */
static void begin_blocks(builder *b, bj__server *s, const bj__exchange *x, uint32_t size, uint32_t format) {
    bj_coap request;
    if (!size || !bj__exchange_read(x, &request)) {
        return;
    }
    uint8_t units = bert_units(b->e, &x->from, size);
    uint8_t szx = smaller_block(&request, units ? BERT : bj__block_exponent(size));
    if (b->m.payload_length <= block_size(szx, units)) {
        return;
    }
    bj_text path = bj_text_over(s->body_path, sizeof s->body_path);
    bj_coap_path(&request, BJ_COAP_URI_PATH, &path);
    bj_arena_free(b->e->arena, s->body);
    s->body = bj_arena_copy(b->e->arena, b->m.payload, b->m.payload_length);
    s->body_length = b->m.payload_length;
    s->body_code = b->m.code;
    s->body_format = format;
    s->body_szx = szx;
    s->body_units = units;
    cut_block(b, s, 0, szx);
}

/* RFC 7959 §2.5: the answer repeats the block's option. */
static void repeat_block(builder *b, const bj__exchange *x) {
    if (x->in_block && !bj_coap_find(&b->m, BJ_COAP_BLOCK1, 0)) {
        add_uint(b, BJ_COAP_BLOCK1, x->block1);
    }
}

static void build_reply(builder *b, bj__server *s, const bj__exchange *x, const bj_record *step) {
    bool stream = x->from.connection >= 0;
    bool separate = bj_get_bool(step, BJ_F(RESPOND, SEPARATE), false);
    uint32_t usual = x->type == BJ_COAP_NON ? BJ_COAP_NON : separate ? BJ_COAP_CON : BJ_COAP_ACK;
    b->m = (bj_coap){ .version = 1,
                      .type = (uint8_t) (stream ? 0 : bj_get_uint(step, BJ_F(RESPOND, TYPE), usual)),
                      .code = reply_code(step),
                      .mid = x->mid,
                      .token_length = x->token_length };
    memcpy(b->m.token, x->token, sizeof b->m.token);
    if (b->m.type == BJ_COAP_CON || b->m.type == BJ_COAP_NON) {
        b->m.mid = s->next_mid;
    }
    if (bj_get(step, BJ_F(RESPOND, LOCATION))) {
        add_path(b, BJ_COAP_LOCATION_PATH, step, BJ_F(RESPOND, LOCATION), "");
    }
    b->usual_format = step->kind == BJ_K_PACK ? pack_format(x) : 0;
    uint32_t format = add_payload(b, step, &reply_fields);
    add_format(b, step, BJ_F(RESPOND, FORMAT), b->usual_format && b->m.payload_length ? b->usual_format : format);
    add_options(b, step, BJ_F(RESPOND, OPTIONS));
    repeat_block(b, x);
    begin_blocks(b, s, x, bj_get_uint(step, BJ_F(RESPOND, BLOCK), 0), bj_get_uint(step, BJ_F(RESPOND, FORMAT), format));
    spoil(&b->m, bj_get_uint(step, BJ_F(RESPOND, WRONG), 0));
}

static bool send_built_reply(builder *b, bj__server *s, bj__exchange *x, uint32_t wrong, uint32_t cause) {
    bj_engine *e = b->e;
    bj_addr source = { .family = 0 };
    size_t length = encode(e, &b->m, x->from.connection >= 0);
    if (wrong == 3) {
        another_port(s, &x->from, &source);
    }
    if (!wrong) {
        x->reply_code = b->m.code;
        x->reply = (bj__delivery){ .sent = 0 };
        keep_location(e, s, x, &b->m);
    }
    if (wrong == 3 && b->m.code == BJ_COAP_CODE(2, 1)) {
        s->perhaps_at = e->now; /* a repetition of the request is answered from the right one */
        keep_location(e, s, x, &b->m);
    }
    if (b->m.type == BJ_COAP_ACK || x->from.connection >= 0) {
        keep_replay(e, x, e->scratch, length);
        return bj__transmit(e, s, &x->from, source.family ? &source : NULL, x->replay, length, cause, wrong ? 0 : 2,
                            x->id, wrong ? NULL : &x->reply);
    }
    s->next_mid++;
    bj__outbound *o = new_outbound(e, s, &x->from, &b->m, length, cause);
    o->source = source;
    o->replies_to = wrong ? 0 : x->id;
    if (b->m.type == BJ_COAP_NON) {
        keep_replay(e, x, e->scratch, length);
    }
    arm_retransmission(e, o);
    return launch(e, s, o);
}

static void reset_request(bj_engine *e, bj__exchange *x, uint32_t cause) {
    uint8_t rst[4] = { 0x40 | BJ_COAP_RST << 4, 0, (uint8_t) (x->mid >> 8), (uint8_t) x->mid };
    x->reply_reset = true;
    keep_replay(e, x, rst, sizeof rst);
    bj__transmit(e, &e->servers[x->server], &x->from, NULL, rst, sizeof rst, cause, 2, x->id, &x->reply);
}

bool bj__send_reply(bj_engine *e, const bj__thread *t, bj__exchange *x, const bj_record *step, uint32_t cause,
                    bool later) {
    bj_time after = bj_get_duration(step, BJ_F(RESPOND, AFTER), 0);
    bool confirmable = x->type == BJ_COAP_CON && x->from.connection < 0;
    bool separate = bj_get_bool(step, BJ_F(RESPOND, SEPARATE), false) && confirmable;
    x->settled = true;
    if (separate && !later) {
        acknowledge(e, x, cause);
    }
    if (after && !later) {
        x->leaves = bj__max(e->now + after, 1);
        x->delayed = step;
        x->delayed_cause = cause;
        return !e->done;
    }
    if (bj_get_bool(step, BJ_F(RESPOND, RESET), false)) {
        reset_request(e, x, cause);
        return !e->done;
    }
    if (confirmable && !reply_code(step)) {
        acknowledge(e, x, cause); /* an empty ACK, and nothing follows */
        return !e->done;
    }
    builder b = { .e = e, .t = t ? t : e->thread_count ? &e->threads[0] : NULL };
    bj__server *s = &e->servers[x->server];
    build_reply(&b, s, x, step);
    uint32_t wrong = step->kind == BJ_K_PACK ? 0 : bj_get_uint(step, BJ_F(RESPOND, WRONG), 0);
    wrong = wrong == 2 && x->from.connection >= 0 ? 0 : wrong; /* over a stream there is no Message ID */
    bool sent = send_built_reply(&b, s, x, wrong, cause);
    release(&b);
    return sent;
}

static void start_plain_reply(builder *b, const bj__server *s, const bj__exchange *x, uint8_t code) {
    bool stream = x->from.connection >= 0;
    b->m = (bj_coap){ .version = 1,
                      .type = stream                   ? 0
                              : x->type == BJ_COAP_CON ? BJ_COAP_ACK
                                                       : BJ_COAP_NON,
                      .code = code,
                      .mid = x->type == BJ_COAP_CON ? x->mid : s->next_mid,
                      .token_length = x->token_length };
    memcpy(b->m.token, x->token, sizeof b->m.token);
    repeat_block(b, x);
}

void bj__send_plain_reply(bj_engine *e, bj__exchange *x, uint8_t code, uint32_t cause) {
    builder b = { .e = e };
    bj__server *s = &e->servers[x->server];
    start_plain_reply(&b, s, x, code);
    x->settled = true;
    send_built_reply(&b, s, x, 0, cause);
}

bool bj__asks_for_block(const bj__server *s, const bj__exchange *x) {
    bj_coap m;
    uint32_t block = 0;
    BJ_TEXT(path, sizeof s->body_path);
    if (!s->body || !bj__exchange_read(x, &m) || !bj_coap_find_uint(&m, BJ_COAP_BLOCK2, &block)) {
        return false;
    }
    bj_coap_path(&m, BJ_COAP_URI_PATH, &path);
    return m.code == 1 && block >> 4 && !strcmp(path.start, s->body_path);
}

/* A block that is not there: 4.00. */
void bj__send_block(bj_engine *e, bj__exchange *x, uint32_t cause) {
    builder b = { .e = e };
    bj__server *s = &e->servers[x->server];
    bj_coap request;
    uint32_t block = 0;
    bool whole = bj__exchange_read(x, &request) && bj_coap_find_uint(&request, BJ_COAP_BLOCK2, &block);
    size_t offset = (block >> 4) * bj__block_unit(block & 7);
    bool there = whole && (block & 7) <= s->body_szx && offset < s->body_length;
    start_plain_reply(&b, s, x, there ? s->body_code : BJ_COAP_CODE(4, 0));
    if (there) {
        if (s->body_format < FORMAT_NONE) {
            add_uint(&b, BJ_COAP_CONTENT_FORMAT, s->body_format);
        }
        cut_block(&b, s, offset, (uint8_t) (block & 7));
    }
    x->settled = true;
    send_built_reply(&b, s, x, 0, cause);
}

/* --- operations --- */

/* A client that ended its session or connection answers nothing any more: where the script awaits that, it fails. */
static bool known_peer(bj_engine *e, const bj__server *s, const bj_record *step) {
    if (s->peer.known) {
        return true;
    }
    if (s->peer.let_go) {
        BJ_TEXT(time, 40);
        bj_time_print(&time, s->peer.let_go_at);
        bj__conclude_printf(e, bj__awaits_answer(step) ? BJ_FAIL : BJ_ERROR, step->position,
                            "the client ended its session with the server '%s' at %s s, and nothing can be sent to it",
                            s->name, time.start);
    } else if (s->peer.peer.family) {
        bj__conclude_printf(e, BJ_ERROR, step->position, "the server '%s' has no session with the client any more",
                            s->name);
    } else {
        bj__conclude_printf(e, BJ_ERROR, step->position,
                            "the server '%s' does not know the client yet: no request of it has come", s->name);
    }
    return false;
}

static void add_accept(builder *b, const bj_record *step, unsigned field, uint32_t otherwise) {
    uint32_t accept = bj_get_uint(step, field, otherwise);
    if (accept < FORMAT_NONE) {
        add_uint(b, BJ_COAP_ACCEPT, accept);
    }
}

static void add_paths(builder *b, const bj_record *step) {
    const bj_value *paths = bj_get(step, BJ_F(READ_COMPOSITE, PATHS));
    uint32_t format = bj_get_uint(step, BJ_F(READ_COMPOSITE, FORMAT), FORMAT_SENML_CBOR);
    size_t length = paths ? bj__write_paths(paths, format, b->e->payload, PAYLOAD) : 0;
    b->m.payload = length ? b->e->payload : NULL;
    b->m.payload_length = length;
    add_format(b, step, BJ_F(READ_COMPOSITE, FORMAT), FORMAT_SENML_CBOR);
    add_accept(b, step, BJ_F(READ_COMPOSITE, ACCEPT), FORMAT_NONE);
}

static void add_creation(builder *b, const bj_record *step) {
    const bj_value *resources = bj_get(step, BJ_F(CREATE, RESOURCES));
    uint32_t format = FORMAT_TLV;
    if (resources) {
        set_tlv(b, resources, BJ_TLV_RESOURCE);
    } else {
        format = add_payload(b, step, &create_fields);
    }
    add_format(b, step, BJ_F(CREATE, FORMAT), format);
}

/* Payload, its format, Accept. */
static void add_content(builder *b, const bj_record *step) {
    switch (step->kind) {
    case BJ_K_WRITE:
        add_format(b, step, BJ_F(WRITE, FORMAT), add_payload(b, step, &write_fields));
        break;
    case BJ_K_FINISH:
        add_payload(b, step, &finish_fields);
        break;
    case BJ_K_CREATE:
        add_creation(b, step);
        break;
    case BJ_K_EXECUTE:
        if (add_payload(b, step, &execute_fields) != FORMAT_NONE) {
            add_uint(b, BJ_COAP_CONTENT_FORMAT, FORMAT_TEXT);
        }
        break;
    case BJ_K_WRITE_COMPOSITE:
        add_payload(b, step, &composite_fields);
        add_format(b, step, BJ_F(WRITE_COMPOSITE, FORMAT), FORMAT_SENML_CBOR);
        break;
    case BJ_K_WRITE_ATTRIBUTES:
        add_query(b, step, BJ_F(WRITE_ATTRIBUTES, SET));
        break;
    case BJ_K_DISCOVER:
        add_accept(b, step, BJ_F(DISCOVER, ACCEPT), FORMAT_LINK);
        break;
    case BJ_K_READ:
    case BJ_K_OBSERVE:
        add_accept(b, step, BJ_F(READ, ACCEPT), FORMAT_NONE);
        break;
    case BJ_K_READ_COMPOSITE:
    case BJ_K_OBSERVE_COMPOSITE:
        add_paths(b, step);
        break;
    default:
        break;
    }
}

static void build_operation(builder *b, const bj_record *step) {
    bool finish = step->kind == BJ_K_FINISH;
    bool root = bj__names_paths(step) || step->kind == BJ_K_WRITE_COMPOSITE;
    if (bj_get_bool(step, BJ_F(WRITE, EMPTY_SEGMENT), false)) {
        bj_coap_add(&b->m, BJ_COAP_URI_PATH, "", 0);
    } else if (!root) {
        add_path(b, BJ_COAP_URI_PATH, step, BJ_F(WRITE, PATH), finish ? "/bs" : "/");
    }
    add_query(b, step, BJ_F(WRITE, QUERY));
    if (bj__is_observing(step)) {
        add_uint(b, BJ_COAP_OBSERVE, 0);
    }
    add_content(b, step);
    add_options(b, step, BJ_F(WRITE, OPTIONS));
}

/* RFC 7959 §2.2: NUM | M | SZX */
static uint32_t block_value(const bj__outbound *o) {
    bool more = o->block_offset + block_size(o->block_szx, o->block_units) < o->whole_length;
    return (uint32_t) (o->block_offset / bj__block_unit(o->block_szx)) << 4 | (more ? 8U : 0U) | o->block_szx;
}

static void set_block(builder *b, const bj__outbound *o) {
    size_t size = block_size(o->block_szx, o->block_units), left = o->whole_length - o->block_offset;
    b->m.payload = o->whole + o->block_offset;
    b->m.payload_length = left < size ? left : size;
    add_uint(b, BJ_COAP_BLOCK1, block_value(o));
}

static bool is_trigger(const builder *b) {
    BJ_TEXT(path, 64);
    bj_coap_path(&b->m, BJ_COAP_URI_PATH, &path);
    size_t n = path.used;
    return b->m.code == 2 && n > 4 && !strncmp(path.start, "/1/", 3) && !strcmp(path.start + n - 2, "/9");
}

static bool sends_blocks(const bj_record *step, size_t payload_length) {
    return step->kind == BJ_K_WRITE && bj_get_uint(step, BJ_F(WRITE, BLOCK), 0) && payload_length;
}

static bj__outbound *start_operation(builder *b, bj__server *s, const bj_record *step, uint32_t cause) {
    bj_engine *e = b->e;
    bj__outbound draft = { .block_szx = 0 };
    bool blockwise = sends_blocks(step, b->m.payload_length);
    if (blockwise) {
        draft.whole = bj_arena_copy(e->arena, b->m.payload, b->m.payload_length);
        draft.whole_length = b->m.payload_length;
        uint32_t size = bj_get_uint(step, BJ_F(WRITE, BLOCK), 0);
        draft.block_units = bert_units(e, &s->peer, size);
        draft.block_szx = draft.block_units ? BERT : bj__block_exponent(size);
        set_block(b, &draft);
    }
    size_t length = encode(e, &b->m, s->peer.connection >= 0);
    bj__outbound *o = new_outbound(e, s, &s->peer, &b->m, length, cause);
    o->whole = draft.whole;
    o->whole_length = draft.whole_length;
    o->block_szx = draft.block_szx;
    o->block_units = draft.block_units;
    o->blockwise = blockwise;
    o->is_operation = true;
    o->waits_for_response_step = !bj_get_bool(step, BJ_F(WRITE, WAIT), true);
    o->is_finish = step->kind == BJ_K_FINISH;
    o->is_trigger = is_trigger(b);
    o->is_command = bj__due_is_command(e, s);
    o->observing = bj__is_observing(step) ? step : NULL;
    o->record = step->kind == BJ_K_WRITE || step->kind == BJ_K_DELETE ? step : NULL;
    if (b->m.type == BJ_COAP_CON && s->peer.connection < 0) {
        s->last_confirmable = o->id;
    }
    arm_retransmission(e, o);
    return launch(e, s, o) ? o : NULL;
}

bj__outbound *bj__send_operation(bj_engine *e, const bj__thread *t, bj__server *s, const bj_record *step,
                                 uint32_t cause) {
    if (!known_peer(e, s, step)) {
        return NULL;
    }
    builder b = { .e = e, .t = t };
    b.m = (bj_coap){ .version = 1,
                     .type = (uint8_t) bj_get_uint(step, BJ_F(WRITE, TYPE), BJ_COAP_CON),
                     .code = bj__method_of(step),
                     .mid = s->next_mid++ };
    new_token(e, &b.m);
    build_operation(&b, step);
    bj__outbound *o = start_operation(&b, s, step, cause);
    release(&b);
    return o;
}

/* RFC 7641 §3.6: the same request, with the same token and Observe 1. */
bj__outbound *bj__send_cancel(bj_engine *e, const bj__outbound *observation, const bj_record *step, uint32_t cause) {
    bj__server *s = &e->servers[observation->server];
    builder b = { .e = e };
    bj_coap before;
    if (!known_peer(e, s, step) ||
        !bj__decode(&before, observation->bytes, observation->length, observation->to.connection >= 0)) {
        return NULL;
    }
    b.m = before;
    b.m.option_count = 0;
    for (size_t i = 0; i < before.option_count; i++) {
        if (before.options[i].number != BJ_COAP_OBSERVE) {
            b.m.options[b.m.option_count++] = before.options[i];
        }
    }
    add_uint(&b, BJ_COAP_OBSERVE, 1);
    b.m.mid = s->next_mid++;
    bj__outbound *o = start_operation(&b, s, step, cause);
    if (o) {
        o->cancels = observation->id;
    }
    release(&b);
    return o;
}

/* RFC 7959 §2.3, §2.5: the next block, in blocks as small as the client asked for; each has a Message ID and token of
 * its own. A 2.31 that does not say which block it is for lets nobody go on. */
bool bj__send_next_block(bj_engine *e, bj__outbound *o, const bj_coap *answer) {
    uint32_t wanted = 0;
    size_t size = block_size(o->block_szx, o->block_units);
    bool goes_on = answer->code == BJ_COAP_CODE(2, 31) && bj_coap_find_uint(answer, BJ_COAP_BLOCK1, &wanted);
    if (!goes_on || o->block_offset + size >= o->whole_length) {
        return false;
    }
    o->block_offset += size;
    if ((wanted & 7) < o->block_szx) {
        o->block_szx = (uint8_t) (wanted & 7);
    }
    bj_coap before;
    if (!bj__decode(&before, o->bytes, o->length, o->to.connection >= 0)) {
        return false;
    }
    bj__server *s = &e->servers[o->server];
    builder b = { .e = e };
    b.m = before;
    b.m.option_count = 0;
    for (size_t i = 0; i < before.option_count; i++) {
        if (before.options[i].number != BJ_COAP_BLOCK1) {
            b.m.options[b.m.option_count++] = before.options[i];
        }
    }
    b.m.mid = s->next_mid++;
    new_token(e, &b.m);
    set_block(&b, o);
    size_t length = encode(e, &b.m, o->to.connection >= 0);
    bj_arena_free(e->arena, o->bytes);
    o->bytes = bj_arena_copy(e->arena, e->scratch, length);
    o->length = length;
    o->block_mids[o->block_count++ % BJ__BLOCKS] = o->mid;
    o->mid = b.m.mid;
    memcpy(o->token, b.m.token, sizeof o->token);
    o->token_length = b.m.token_length;
    o->acknowledged = false;
    o->delivery = (bj__delivery){ .sent = 0 };
    arm_retransmission(e, o);
    launch(e, s, o);
    return true;
}

/* --- hand-made messages --- */

static bool read_source(bj_engine *e, const bj_record *step, unsigned field, bj_addr *source) {
    const char *text = bj_get_string(step, field, NULL);
    *source = (bj_addr){ .family = 0 };
    if (text && !bj_addr_parse(text, strlen(text), source)) {
        bj__conclude_printf(e, BJ_ERROR, step->position, "'%s' is not an address and port", text);
        return false;
    }
    return true;
}

static void build_message(builder *b, bj__server *s, const bj_record *step) {
    const bj_value *code = bj_get(step, BJ_F(MESSAGE, CODE));
    b->m = (bj_coap){ .version = 1,
                      .type = (uint8_t) bj_get_uint(step, BJ_F(MESSAGE, TYPE), BJ_COAP_CON),
                      .code = code ? bj_codes_first(&code->as.codes) : 0 };
    const bj_value *mid = bj_get(step, BJ_F(MESSAGE, MID));
    b->m.mid = mid ? (uint16_t) mid->as.uint : s->next_mid++;
    const bj_value *token = bj_get(step, BJ_F(MESSAGE, TOKEN));
    if (token) {
        size_t length = token->as.string.length;
        b->m.token_length = (uint8_t) (length > BJ_COAP_TOKEN ? BJ_COAP_TOKEN : length);
        memcpy(b->m.token, token->as.string.bytes, b->m.token_length);
    } else if (b->m.code) {
        new_token(b->e, &b->m);
    }
    if (bj_get(step, BJ_F(MESSAGE, PATH))) {
        add_path(b, BJ_COAP_URI_PATH, step, BJ_F(MESSAGE, PATH), "");
    }
    add_query(b, step, BJ_F(MESSAGE, QUERY));
    uint32_t format = add_payload(b, step, &message_fields);
    add_format(b, step, BJ_F(MESSAGE, FORMAT), format);
    if (bj_get_uint(step, BJ_F(MESSAGE, ACCEPT), FORMAT_NONE) < FORMAT_NONE) {
        add_uint(b, BJ_COAP_ACCEPT, bj_get_uint(step, BJ_F(MESSAGE, ACCEPT), 0));
    }
    add_options(b, step, BJ_F(MESSAGE, OPTIONS));
}

static size_t encode_message(builder *b, const bj__server *s, const bj_record *step) {
    const bj_value *version = bj_get(step, BJ_F(MESSAGE, VERSION));
    const bj_value *token_length = bj_get(step, BJ_F(MESSAGE, TOKEN_LENGTH));
    if (s->peer.connection >= 0) {
        return encode(b->e, &b->m, true);
    }
    bj_coap_breakage breakage = { .set_version = version != NULL,
                                  .version = version ? (uint8_t) version->as.uint : 0,
                                  .set_token_length = token_length != NULL,
                                  .token_length = token_length ? (uint8_t) token_length->as.uint : 0 };
    return bj_coap_encode_broken(&b->m, &breakage, b->e->scratch, BJ__MESSAGE);
}

bj__outbound *bj__send_message(bj_engine *e, const bj__thread *t, bj__server *s, const bj_record *step,
                               uint32_t cause) {
    bj_addr source;
    if (!known_peer(e, s, step) || !read_source(e, step, BJ_F(MESSAGE, SOURCE), &source)) {
        return NULL;
    }
    builder b = { .e = e, .t = t };
    build_message(&b, s, step);
    size_t length = encode_message(&b, s, step);
    bj__outbound *o = new_outbound(e, s, &s->peer, &b.m, length, cause);
    o->source = source;
    o->is_operation = bj_coap_is_request(b.m.code) || (b.m.code == BJ__PING && s->peer.connection >= 0);
    o->is_command = bj_coap_is_request(b.m.code) && bj__due_is_command(e, s);
    if (o->is_operation && o->type == BJ_COAP_CON && s->peer.connection < 0) {
        s->last_confirmable = o->id;
    }
    o->waits_for_response_step = o->is_operation && !bj_get(step, BJ_F(MESSAGE, EXPECT));
    if (!o->waits_for_response_step && o->is_operation) {
        arm_retransmission(e, o);
    }
    release(&b);
    return launch(e, s, o) ? o : NULL;
}

bj__outbound *bj__send_raw(bj_engine *e, bj__server *s, const bj_record *step, uint32_t cause) {
    bj_addr source;
    const bj_value *hex = bj_get(step, BJ_F(RAW, HEX));
    if (!known_peer(e, s, step) || !read_source(e, step, BJ_F(RAW, SOURCE), &source)) {
        return NULL;
    }
    size_t length = hex ? hex->as.string.length : 0;
    length = length > BJ__MESSAGE ? BJ__MESSAGE : length;
    if (length) {
        memcpy(e->scratch, hex->as.string.bytes, length);
    }
    /* As much of the header as there is, so that an ACK or RST finds it. */
    bj_coap m = { .version = 1 };
    if (s->peer.connection < 0) {
        (void) bj_coap_decode(&m, e->scratch, length);
    }
    bj__outbound *o = new_outbound(e, s, &s->peer, &m, length, cause);
    o->source = source;
    o->is_operation = bj_coap_is_request(m.code);
    return launch(e, s, o) ? o : NULL;
}

void bj__send_again(bj_engine *e, bj__outbound *o, uint32_t cause) {
    o->repeating = o->outcome != BJ__OPEN;
    o->repeated = 0;
    o->difference[0] = '\0';
    o->cause = cause;
    launch(e, &e->servers[o->server], o);
}
