/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of a scenario, from the messages of a conversation in their order. What one step says of several messages
 * (an answer that a step expects, blocks, copies) is marked as done; what no step can say stands in comments.
 */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "capture/script_internal.h"
#include "script/print.h"
#include "wire/entries.h"
#include "wire/link.h"

enum { NO_FORMAT = 65536, MOST_STEPS = 4000, MOST_LINKS = 16 };

/* --- steps and comments --------------------------------------------------------------------------------------- */

static const bj_message *message(const bj_script *s, int index) {
    return index == BJ_TALK_NONE ? NULL : &s->talk->messages[index];
}

static void say(bj_script *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(bj_script *s, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    bj_text_add(&s->comment, s->comment.used ? "; " : "");
    bj_text_vprintf(&s->comment, format, arguments);
    va_end(arguments);
}

static bj_record *step(bj_script *s, bj_kind kind) {
    bj_record *r = bj_record_new(s->arena, kind, (bj_position){ 0 });
    if (s->count == s->room) {
        size_t room = s->room ? s->room * 2 : 64;
        s->steps = bj_arena_realloc(s->arena, s->steps, room * sizeof(void *));
        s->comments = bj_arena_realloc(s->arena, s->comments, room * sizeof *s->comments);
        s->room = room;
    }
    s->comments[s->count] = s->comment.used ? bj_arena_strdup(s->arena, s->comment.start) : NULL;
    s->steps[s->count++] = r;
    s->comment = bj_text_over(s->comment_room, sizeof s->comment_room);
    return r;
}

static const char *name_of(bj_script *s, const bj_message *m) {
    s->servers[m->server].met = true;
    return s->servers[m->server].name;
}

static void put_codes(bj_script *s, bj_record *r, unsigned field, uint8_t code) {
    bj_value v = { .type = BJ_T_CODES };
    v.as.codes.bits[code >> 6] = (uint64_t) 1 << (code & 63);
    bj_set(s->arena, r, field, &v);
}

static void put_when(bj_script *s, bj_record *r, unsigned field, bj_when when) {
    bj_value v = { .type = BJ_T_WHEN };
    bj_when_tidy(&when);
    v.as.when = when;
    bj_set(s->arena, r, field, &v);
}

static void put_strings(bj_script *s, bj_record *r, unsigned field, bj_type type, const bj_string *items,
                        size_t count) {
    bj_value v = { .type = (uint8_t) type };
    v.as.strings.items = bj_arena_copy(s->arena, items, (count + 1) * sizeof *items);
    v.as.strings.count = count;
    bj_set(s->arena, r, field, &v);
}

/* What the client must answer: any response, where it is only followed. */
static void put_expected(bj_script *s, bj_record *r, unsigned field, uint8_t code) {
    bj_value v = { .type = BJ_T_CODES };
    if (!s->follows) {
        put_codes(s, r, field, code);
        return;
    }
    v.as.codes.bits[1] = v.as.codes.bits[2] = UINT64_MAX;
    bj_set(s->arena, r, field, &v);
}

/* --- times ---------------------------------------------------------------------------------------------------- */

static bj_time since(const bj_script *s, bj_time time) {
    return time > s->base ? time - s->base : 0;
}

/* What the servers do at its time: to a millisecond, from 20 ms on. */
static bj_time pause(const bj_script *s, bj_time gap) {
    bool counts = gap >= (s->loose ? 10 * BJ_SECOND : 20 * BJ_MS);
    return counts ? (gap + BJ_MS / 2) / BJ_MS * BJ_MS : 0;
}

static void put_moment(bj_script *s, bj_record *r, unsigned field, bj_time time) {
    bj_time gap = pause(s, since(s, time));
    if (gap) {
        put_when(s, r, field, (bj_when){ .earliest = (int64_t) gap, .latest = (int64_t) gap });
    }
}

/* When the client must do something: a tenth and half a second around the time of the capture, by whole tenths. */
static void put_window(bj_script *s, bj_record *r, unsigned at, unsigned within, bj_time time) {
    bj_time tenth = 100 * BJ_MS, gap = (since(s, time) + tenth / 2) / tenth * tenth;
    if (s->loose || s->follows) {
        script_set_duration(s, r, within, gap * 2 + 200 * BJ_SECOND);
        return;
    }
    if (gap < BJ_SECOND) {
        return;
    }
    bj_time slack = gap / 10 / tenth * tenth + 5 * tenth;
    put_when(s, r, at,
             (bj_when){ .earliest = (int64_t) (gap > slack ? gap - slack : 0), .latest = (int64_t) (gap + slack) });
}

/* --- payloads ------------------------------------------------------------------------------------------------- */

static uint32_t format_of(const bj_coap *c) {
    uint32_t format = NO_FORMAT;
    bj_coap_find_uint(c, BJ_COAP_CONTENT_FORMAT, &format);
    return format;
}

static bool is_plain_text(const uint8_t *bytes, size_t length) {
    for (size_t i = 0; i < length;) {
        size_t n = bj_utf8_sequence((const char *) bytes + i, length - i);
        if (!n || (n == 1 && bytes[i] < 0x20 && bytes[i] != '\n')) {
            return false;
        }
        i += n;
    }
    return !memmem(bytes, length, "${", 2);
}

/* Where a payload goes in a record of a kind; 0: it has no such field. */
typedef struct payload_fields {
    unsigned tlv, values, text, hex, format;
} payload_fields;

static void put_format(bj_script *s, bj_record *r, unsigned field, uint32_t format, uint32_t usual) {
    if (field && format != usual) {
        script_set_uint(s, r, field, BJ_T_UINT, format);
    }
}

static void put_hex(bj_script *s, bj_record *r, const payload_fields *f, uint32_t format, uint32_t usual,
                    const uint8_t *data, size_t length) {
    script_set_bytes(s, r, f->hex, data, length);
    put_format(s, r, f->format, format, usual);
}

/* As values where they say the same, as text where it is one, else as bytes. `usual`: the format of bytes. */
static void put_payload(bj_script *s, bj_record *r, const payload_fields *f, uint32_t format, const bj_path *target,
                        const uint8_t *data, size_t length, uint32_t usual) {
    bj_value values;
    bool exact = false;
    bool good = f->values && target && bj_script_values(s, format, target, data, length, &values, &exact);
    if (good && format == 11542 && exact && f->tlv) {
        bj_set(s->arena, r, f->tlv, &values);
    } else if (good && format != 11542 && bj_entries_writable(format)) {
        bj_set(s->arena, r, f->values, &values);
        put_format(s, r, f->format, format, 11542);
    } else if (length && f->text && (format == 0 || format == 40) && is_plain_text(data, length)) {
        BJ_TEXT(text, 4096);
        bj_text_add_bytes(&text, (const char *) data, length);
        if (text.cut) {
            put_hex(s, r, f, format, usual, data, length);
            return;
        }
        script_set_text(s, r, f->text, text.start);
        put_format(s, r, f->format, format, 0);
    } else if (length || format != NO_FORMAT) {
        put_hex(s, r, f, format, usual, data, length);
    }
}

/* Options that no field says. */
static void put_options(bj_script *s, bj_record *r, unsigned field, const bj_coap *c, bool accept_known) {
    bj_raw_option found[16];
    size_t count = 0;
    for (size_t i = 0; i < c->option_count && count < 16; i++) {
        uint32_t n = c->options[i].number;
        bool said = n == BJ_COAP_URI_PATH || n == BJ_COAP_URI_QUERY || n == BJ_COAP_CONTENT_FORMAT ||
                    n == BJ_COAP_LOCATION_PATH || n == BJ_COAP_BLOCK1 || n == BJ_COAP_SIZE1 || n == BJ_COAP_OBSERVE ||
                    n == BJ_COAP_BLOCK2 || n == BJ_COAP_SIZE2 || (n == BJ_COAP_ACCEPT && accept_known);
        if (!said) {
            found[count].number = n;
            found[count++].value =
                (bj_string){ bj_arena_strndup(s->arena, c->options[i].length ? (const char *) c->options[i].value : "",
                                              c->options[i].length),
                             c->options[i].length };
        }
    }
    if (count) {
        bj_value v = { .type = BJ_T_OPTIONS };
        v.as.options.items = bj_arena_copy(s->arena, found, count * sizeof *found);
        v.as.options.count = count;
        bj_set(s->arena, r, field, &v);
    }
}

static void put_query(bj_script *s, bj_record *r, unsigned field, const bj_coap *c, const char *const *only) {
    bj_string found[32];
    size_t count = 0;
    const bj_coap_option *q;
    for (size_t i = 0; (q = bj_coap_find(c, BJ_COAP_URI_QUERY, i)) && count < 32; i++) {
        bool wanted = !only;
        for (size_t n = 0; only && only[n]; n++) {
            wanted |= q->length >= strlen(only[n]) && !memcmp(q->value, only[n], strlen(only[n]));
        }
        if (wanted) {
            found[count++] = (bj_string){ bj_arena_strndup(s->arena, (const char *) q->value, q->length), q->length };
        }
    }
    if (count) {
        put_strings(s, r, field, BJ_T_QUERY, found, count);
    }
}

/* --- requests of the client ----------------------------------------------------------------------------------- */

/* The last thing that the client says: it was stopped. */
static bool is_goodbye(const bj_script *s, int index) {
    const bj_message *m = message(s, index);
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
    bj_time gap = pause(s, since(s, m->time));
    if (gap) {
        bj_record *r = step(s, BJ_K_ADVANCE);
        put_when(s, r, BJ_F(ADVANCE, FOR), (bj_when){ .earliest = (int64_t) gap, .latest = (int64_t) gap });
    }
    script_assume(s, "the client was stopped before it de-registered (frame %u)", m->frame);
    step(s, BJ_K_STOP);
    s->base = m->time;
}

/* A server's port opens or closes before the client speaks to it. */
static void set_port(bj_script *s, const bj_message *m, bool closed) {
    bj_script_server *server = &s->servers[m->server];
    if (server->closed == closed) {
        return;
    }
    server->closed = closed;
    bj_record *r = step(s, BJ_K_PORT);
    script_set_uint(s, r, BJ_F(PORT, STATE), BJ_T_ENUM, closed);
    script_set_text(s, r, BJ_F(PORT, SERVER), name_of(s, m));
}

static void put_request_time(bj_script *s, bj_record *r, const bj_message *m, bj_request_kind kind) {
    bool first = m == s->talk->messages || s->count == 1;
    bool attempt = (kind == BJ_REQ_BOOTSTRAP || kind == BJ_REQ_PACK) && !first;
    if (first) {
        if (s->loose || s->follows) {
            script_set_duration(s, r, BJ_F(REQUEST, WITHIN), 1000 * BJ_SECOND);
        }
    } else if (attempt && !s->loose && !s->follows && since(s, m->time) >= BJ_SECOND - 50 * BJ_MS) {
        put_when(s, r, BJ_F(REQUEST, AT), (bj_when){ .due = BJ_DUE_HOLDOFF });
    } else {
        put_window(s, r, BJ_F(REQUEST, AT), BJ_F(REQUEST, WITHIN), m->time);
    }
}

static void departure(bj_script *s, const bj_message *m) {
    set_port(s, m, true);
    bj_record *r = step(s, BJ_K_DEPARTURE);
    script_set_text(s, r, BJ_F(DEPARTURE, TO), name_of(s, m));
    script_set_uint(s, r, BJ_F(DEPARTURE, METHOD), BJ_T_ENUM, m->code);
    put_window(s, r, BJ_F(DEPARTURE, AT), BJ_F(DEPARTURE, WITHIN), m->time);
    s->base = m->time;
}

static bool unreachable(const bj_script *s, int index) {
    const bj_message *m = message(s, index);
    return m->unreachable && m->answer == BJ_TALK_NONE && m->ack == BJ_TALK_NONE;
}

static void client_request(bj_script *s, int index) {
    static const char *const asks[] = { "ep=", NULL }, *const registers[] = { "ep=", "lt=", "Q", NULL };
    const bj_message *m = message(s, index);
    bj_request_kind kind = bj_request_kind_of(s->talk, m);
    bj_coap c;
    BJ_TEXT(path, 400);
    bj_message_decode(m, &c);
    bj_coap_path(&c, BJ_COAP_URI_PATH, &path);
    if (is_goodbye(s, index) && s->count) {
        stop_client(s, m);
    }
    say(s, "frame %u, %.3f s", m->frame, (double) m->time / 1e6);
    if (unreachable(s, index)) {
        departure(s, m);
        return;
    }
    set_port(s, m, false);
    bj_record *r = step(s, BJ_K_REQUEST);
    script_set_text(s, r, BJ_F(REQUEST, TO), name_of(s, m));
    script_set_uint(s, r, BJ_F(REQUEST, METHOD), BJ_T_ENUM, m->code);
    script_set_text(s, r, BJ_F(REQUEST, PATH), path.start);
    bool attempt = kind == BJ_REQ_BOOTSTRAP || kind == BJ_REQ_PACK;
    if (!s->follows) {
        put_query(s, r, BJ_F(REQUEST, QUERY), &c, attempt ? asks : kind == BJ_REQ_REGISTER ? registers : NULL);
    }
    put_request_time(s, r, m, kind);
    s->base = m->time;
    s->awaited = index;
}

/* Nothing of the server comes for this request: neither an answer nor an acknowledgement. */
static void unanswered(bj_script *s, int index) {
    const bj_message *m = message(s, index);
    if (m->answer == BJ_TALK_NONE && m->ack == BJ_TALK_NONE && !unreachable(s, index)) {
        step(s, BJ_K_IGNORE);
    }
}

/* --- answers of servers --------------------------------------------------------------------------------------- */

static const payload_fields reply = { .tlv = BJ_F(RESPOND, TLV),
                                      .values = BJ_F(RESPOND, VALUES),
                                      .text = BJ_F(RESPOND, TEXT),
                                      .hex = BJ_F(RESPOND, HEX),
                                      .format = BJ_F(RESPOND, FORMAT) };

/* The payload of an answer in blocks, put together; the answers to the requests for the next ones are done. */
static size_t gather_answer(bj_script *s, int index, uint8_t **whole, uint32_t *size) {
    const bj_message *first = message(s, index);
    size_t used = 0, room = 0;
    uint32_t block = 0;
    bj_coap c;
    *whole = NULL;
    for (size_t i = (size_t) index; i < s->talk->count; i++) {
        const bj_message *m = &s->talk->messages[i];
        bool answers = m->kind == BJ_TALK_RESPONSE && !m->by_client && m->server == first->server &&
                       m->repeats == BJ_TALK_NONE && bj_message_decode(m, &c) == BJ_COAP_OK &&
                       bj_coap_find_uint(&c, BJ_COAP_BLOCK2, &block);
        if (!answers || (size_t) (block >> 4) << ((block & 7) + 4) != used) {
            continue;
        }
        room = used + c.payload_length + 1;
        *whole = bj_arena_realloc(s->arena, *whole, room);
        memcpy(*whole + used, c.payload_length ? (const char *) c.payload : "", c.payload_length);
        used += c.payload_length;
        *size = 16U << (block & 7);
        s->done[i] = true;
        if ((int) i != index && m->request != BJ_TALK_NONE) {
            s->done[m->request] = true;
        }
        if (!(block & 8)) {
            break;
        }
    }
    return used;
}

static void put_answer(bj_script *s, bj_record *r, int index) {
    const bj_message *m = message(s, index);
    bj_coap c;
    uint32_t block;
    BJ_TEXT(location, 400);
    bj_message_decode(m, &c);
    put_codes(s, r, BJ_F(RESPOND, CODE), m->code);
    bj_coap_path(&c, BJ_COAP_LOCATION_PATH, &location);
    if (bj_coap_find(&c, BJ_COAP_LOCATION_PATH, 0)) {
        script_set_text(s, r, BJ_F(RESPOND, LOCATION), location.start);
    }
    const bj_path root = { .depth = 0 };
    uint32_t format = format_of(&c);
    if (bj_coap_find_uint(&c, BJ_COAP_BLOCK2, &block) && block & 8) {
        uint8_t *whole;
        uint32_t size = 0;
        size_t length = gather_answer(s, index, &whole, &size);
        put_payload(s, r, &reply, format, &root, whole, length, NO_FORMAT);
        if (size >= 16) {
            script_set_uint(s, r, BJ_F(RESPOND, BLOCK), BJ_T_UINT, size);
        }
    } else {
        put_payload(s, r, &reply, format, &root, c.payload, c.payload_length, NO_FORMAT);
    }
    put_options(s, r, BJ_F(RESPOND, OPTIONS), &c, false);
}

/* The answer of a server; `ack`: the empty ACK that went before, and what `after` counts from. */
static void respond(bj_script *s, int index, const bj_message *ack) {
    const bj_message *m = message(s, index), *request = message(s, m->request);
    bj_time from = ack ? ack->time : s->base;
    bj_time after = pause(s, m->time > from ? m->time - from : 0);
    if (ack) {
        say(s, "frames %u and %u", ack->frame, m->frame);
    } else {
        say(s, "frame %u", m->frame);
    }
    bj_record *r = step(s, BJ_K_RESPOND);
    put_answer(s, r, index);
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
    s->base = m->time;
}

/* Raw bytes of a server that nothing else says. */
static void raw(bj_script *s, const bj_message *m, const char *what) {
    say(s, "frame %u: %s", m->frame, what);
    bj_record *r = step(s, BJ_K_RAW);
    script_set_bytes(s, r, BJ_F(RAW, HEX), m->bytes, m->length);
    script_set_text(s, r, BJ_F(RAW, SERVER), name_of(s, m));
    put_moment(s, r, BJ_F(RAW, AT), m->time);
    s->raw++;
    s->base = m->time;
}

static void servers_response(bj_script *s, int index) {
    const bj_message *m = message(s, index);
    if (m->repeats != BJ_TALK_NONE || s->done[index]) {
        return;
    }
    const bj_message *request = message(s, m->request);
    bool first = request && request->answer == index;
    if (first && request->by_client && !unreachable(s, m->request) && s->awaited == m->request) {
        respond(s, index, NULL);
    } else if (!(request && request->answer != index &&
                 m->type == BJ_COAP_ACK)) { /* a repetition's answer is the engine's */
        raw(s, m, "a response to no request that was awaited last");
    }
}

/* An empty message of a server: the first half of a separate answer, a rejection, a ping. */
static void servers_empty(bj_script *s, int index) {
    const bj_message *m = message(s, index), *of = message(s, m->request);
    bool request = of && of->kind == BJ_TALK_REQUEST && of->by_client;
    if (m->type == BJ_COAP_CON) {
        raw(s, m, "a CoAP ping");
    } else if (request && m->type == BJ_COAP_RST && s->awaited == m->request && of->ack == index) {
        say(s, "frame %u", m->frame);
        script_set_bool(s, step(s, BJ_K_RESPOND), BJ_F(RESPOND, RESET), true);
    } else if (request && of->ack == index && of->answer != BJ_TALK_NONE && s->awaited == m->request) {
        bj_time before = since(s, m->time);
        if (pause(s, before)) {
            put_when(s, step(s, BJ_K_ADVANCE), BJ_F(ADVANCE, FOR),
                     (bj_when){ .earliest = (int64_t) pause(s, before), .latest = (int64_t) pause(s, before) });
        }
        respond(s, of->answer, m);
    } else if (request && of->ack == index && of->answer == BJ_TALK_NONE) {
        say(s, "frame %u: acknowledged, and never answered", m->frame);
        s->unsaid++;
    }
}

/* --- operations ----------------------------------------------------------------------------------------------- */

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
    case BJ_REQ_EXECUTE:
        return BJ_K_EXECUTE;
    case BJ_REQ_CREATE:
        return BJ_K_CREATE;
    case BJ_REQ_WRITE_ATTRIBUTES:
        return BJ_K_WRITE_ATTRIBUTES;
    default:
        return BJ_K_MESSAGE;
    }
}

static const payload_fields written = { .tlv = BJ_F(WRITE, TLV),
                                        .values = BJ_F(WRITE, VALUES),
                                        .text = BJ_F(WRITE, TEXT),
                                        .hex = BJ_F(WRITE, HEX),
                                        .format = BJ_F(WRITE, FORMAT) };
static const payload_fields created = {
    .tlv = BJ_F(CREATE, TLV), .values = BJ_F(CREATE, VALUES), .hex = BJ_F(CREATE, HEX), .format = BJ_F(CREATE, FORMAT)
};
static const payload_fields any_payload = { .text = BJ_F(MESSAGE, TEXT),
                                            .hex = BJ_F(MESSAGE, HEX),
                                            .format = BJ_F(MESSAGE, FORMAT) };

/* The blocks of a Write that follow the first: their bytes; the last one's answer is the operation's. */
static size_t gather_blocks(bj_script *s, int index, uint8_t **whole, uint32_t *size, int *last) {
    const bj_message *first = message(s, index);
    size_t used = 0;
    uint32_t block = 0;
    bj_coap c;
    *whole = NULL;
    for (size_t i = (size_t) index; i < s->talk->count; i++) {
        const bj_message *m = &s->talk->messages[i];
        bool more = m->kind == BJ_TALK_REQUEST && !m->by_client && m->server == first->server &&
                    m->code == first->code && m->repeats == BJ_TALK_NONE && bj_message_decode(m, &c) == BJ_COAP_OK &&
                    bj_coap_find_uint(&c, BJ_COAP_BLOCK1, &block) && (size_t) (block >> 4) << ((block & 7) + 4) == used;
        if (!more) {
            continue;
        }
        *whole = bj_arena_realloc(s->arena, *whole, used + c.payload_length + 1);
        memcpy(*whole + used, c.payload_length ? (const char *) c.payload : "", c.payload_length);
        used += c.payload_length;
        *size = 16U << (block & 7);
        *last = (int) i;
        s->done[i] = true;
        if (m->answer != BJ_TALK_NONE) {
            s->done[m->answer] = true;
        }
        bool refused = m->answer != BJ_TALK_NONE && message(s, m->answer)->code != BJ_COAP_CODE(2, 31);
        if (!(block & 8) || refused) {
            break;
        }
    }
    return used;
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
    while (format_of(&c) == 40 && bj_link_next(&text, &length, &link, &why)) {
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
    for (unsigned o = 0; o < 2 && format_of(&c) == 40; o++) {
        bool asked = target->depth == 0 || (target->depth == 1 && target->ids[0] == o);
        if (asked && !seen[o]) {
            const char *none = o ? "/1/*" : "/0/*";
            lacks[missing++] = (bj_string){ none, 4 };
        }
    }
    if (count) {
        put_strings(s, r, BJ_F(DISCOVER, HAS), BJ_T_STRINGS, has, count);
    }
    if (missing) {
        put_strings(s, r, BJ_F(DISCOVER, LACKS), BJ_T_STRINGS, lacks, missing);
    }
}

static void put_read_values(bj_script *s, bj_record *r, const bj_message *answer, const bj_path *target) {
    bj_coap c;
    bj_value values;
    bool exact;
    bj_message_decode(answer, &c);
    if (target->depth && target->ids[0] == 1 && target->depth <= 2 &&
        bj_script_values(s, format_of(&c), target, c.payload, c.payload_length, &values, &exact)) {
        bj_set(s->arena, r, BJ_F(READ, VALUES), &values);
    }
}

/* --- an operation's own fields --- */

static void put_content(bj_script *s, bj_record *r, const bj_coap *c, const bj_path *target, const uint8_t *data,
                        size_t length, uint32_t block) {
    uint32_t accept;
    switch (r->kind) {
    case BJ_K_WRITE:
        put_payload(s, r, &written, format_of(c), target, data, length, 11542);
        if (c->code == 2) {
            script_set_uint(s, r, BJ_F(WRITE, METHOD), BJ_T_ENUM, 2);
        }
        if (block) {
            script_set_uint(s, r, BJ_F(WRITE, BLOCK), BJ_T_UINT, block);
        }
        break;
    case BJ_K_CREATE:
        put_payload(s, r, &created, format_of(c), target, data, length, 11542);
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
        if (bj_coap_find_uint(c, BJ_COAP_ACCEPT, &accept)) {
            script_set_uint(s, r, BJ_F(READ, ACCEPT), BJ_T_UINT, accept);
        }
        break;
    default:
        break;
    }
}

static void put_target(bj_script *s, bj_record *r, const bj_coap *c, const bj_text *path) {
    const bj_coap_option *first = bj_coap_find(c, BJ_COAP_URI_PATH, 0);
    if (r->kind != BJ_K_FINISH) {
        script_set_text(s, r, BJ_F(WRITE, PATH), *path->start ? path->start : "/");
    }
    if (first && !first->length && !bj_coap_find(c, BJ_COAP_URI_PATH, 1) && r->kind != BJ_K_FINISH) {
        script_set_bool(s, r, BJ_F(WRITE, EMPTY_SEGMENT), true);
        script_set_text(s, r, BJ_F(WRITE, PATH), "/");
    }
    put_query(s, r, r->kind == BJ_K_WRITE_ATTRIBUTES ? BJ_F(WRITE_ATTRIBUTES, SET) : BJ_F(WRITE, QUERY), c, NULL);
    put_options(s, r, BJ_F(WRITE, OPTIONS), c,
                r->kind == BJ_K_DISCOVER || r->kind == BJ_K_READ || r->kind == BJ_K_OBSERVE);
}

/* A request that is no operation of LwM2M. */
static bj_record *strange_request(bj_script *s, const bj_coap *c, const bj_text *path) {
    bj_record *r = step(s, BJ_K_MESSAGE);
    uint32_t accept;
    put_codes(s, r, BJ_F(MESSAGE, CODE), c->code);
    script_set_text(s, r, BJ_F(MESSAGE, PATH), path->start);
    put_query(s, r, BJ_F(MESSAGE, QUERY), c, NULL);
    if (bj_coap_find_uint(c, BJ_COAP_ACCEPT, &accept)) {
        script_set_uint(s, r, BJ_F(MESSAGE, ACCEPT), BJ_T_UINT, accept);
    }
    put_payload(s, r, &any_payload, format_of(c), NULL, c->payload, c->payload_length, NO_FORMAT);
    put_options(s, r, BJ_F(MESSAGE, OPTIONS), c, true);
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
        const bj_message *o = message(s, i);
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
    const bj_message *answer = message(s, at);
    if (!other && is_interrupted(s, index, at)) {
        script_set_bool(s, r, BJ_F(WRITE, WAIT), false);
        s->base = last->time;
        return;
    }
    put_expected(s, r, other ? BJ_F(MESSAGE, EXPECT) : BJ_F(WRITE, EXPECT), answer->code);
    s->done[at] = true;
    s->base = answer->time;
}

static bj_record *operation(bj_script *s, int index, const bj_coap *c, const bj_text *path, bj_kind verb) {
    const bj_message *m = message(s, index);
    bj_path target = bj_path_of(path->start);
    uint8_t *whole = NULL;
    uint32_t size = 0, block;
    int last = index;
    size_t length = c->payload_length;
    const uint8_t *data = c->payload;
    if (verb == BJ_K_WRITE && bj_coap_find_uint(c, BJ_COAP_BLOCK1, &block)) {
        length = gather_blocks(s, index, &whole, &size, &last);
        data = whole;
        say(s, "in blocks, up to frame %u", message(s, last)->frame);
    }
    bj_record *r = step(s, verb);
    put_target(s, r, c, path);
    put_content(s, r, c, &target, data, length, size);
    const bj_message *answer = message(s, message(s, last)->answer);
    if (answer && !s->follows && !is_part(answer) && verb == BJ_K_DISCOVER && answer->code == BJ_COAP_CODE(2, 5)) {
        put_links(s, r, answer, &target);
    }
    if (answer && !s->follows && !is_part(answer) && verb == BJ_K_READ && answer->code == BJ_COAP_CODE(2, 5)) {
        put_read_values(s, r, answer, &target);
    }
    put_moment(s, r, BJ_F(WRITE, AT), m->time);
    s->base = m->time;
    put_outcome(s, r, index, message(s, last));
    return r;
}

static void tell_operation(bj_script *s, int index) {
    const bj_message *m = message(s, index), *answer = message(s, m->answer);
    if (answer) {
        say(s, "frames %u and %u, %.3f s", m->frame, answer->frame, (double) m->time / 1e6);
    } else {
        say(s, "frame %u, %.3f s: never answered", m->frame, (double) m->time / 1e6);
    }
}

static void drop_lost(bj_script *s, int index) {
    const bj_message *m = message(s, index);
    unsigned lost = lost_copies(s, index, message(s, m->answer));
    if (!lost || m->stream) {
        return;
    }
    say(s, "frame %u: lost, or not answered, %u times", m->frame, lost);
    bj_record *r = step(s, BJ_K_FAULT);
    script_set_uint(s, r, BJ_F(FAULT, KIND), BJ_T_ENUM, 0);
    script_set_text(s, r, BJ_F(FAULT, FROM), name_of(s, m));
    script_set_uint(s, r, BJ_F(FAULT, COUNT), BJ_T_UINT, lost);
    script_assume(s, "what a server had to repeat until it was answered was lost on its way (frame %u)", m->frame);
}

/* A request for the next block of an answer: the engine asks for them by itself. */
static bool asks_for_block(bj_script *s, int index, const bj_coap *c) {
    uint32_t block;
    const bj_message *m = message(s, index);
    if (c->code != 1 || !bj_coap_find_uint(c, BJ_COAP_BLOCK2, &block) || !(block >> 4)) {
        return false;
    }
    if (m->answer != BJ_TALK_NONE) {
        s->done[m->answer] = true;
        s->base = message(s, m->answer)->time;
    }
    return true;
}

static void servers_request(bj_script *s, int index) {
    const bj_message *m = message(s, index);
    bj_coap c;
    BJ_TEXT(path, 400);
    bj_message_decode(m, &c);
    bj_coap_path(&c, BJ_COAP_URI_PATH, &path);
    bj_kind verb = verb_of(bj_request_kind_of(s->talk, m));
    if (asks_for_block(s, index, &c)) {
        return;
    }
    drop_lost(s, index);
    tell_operation(s, index);
    const char *name = name_of(s, m);
    bj_record *r;
    if (verb == BJ_K_MESSAGE) {
        r = strange_request(s, &c, &path);
        put_moment(s, r, BJ_F(MESSAGE, AT), m->time);
        s->base = m->time;
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
static void repeated_request(bj_script *s, int index) {
    const bj_message *m = message(s, index), *of = message(s, m->repeats), *first = message(s, of->answer);
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
    say(s, "frame %u: the same Message ID once more%s", m->frame, again ? "" : ", without an answer");
    bj_record *r = step(s, BJ_K_AGAIN);
    script_set_text(s, r, BJ_F(AGAIN, SERVER), name_of(s, m));
    put_moment(s, r, BJ_F(AGAIN, AT), m->time);
    bool same = again && again->length == first->length && !memcmp(again->bytes, first->bytes, first->length);
    if (again && (!same || s->follows)) {
        put_expected(s, r, BJ_F(AGAIN, EXPECT), again->code);
    }
    s->base = again ? again->time : m->time;
}

/* --- answers of the client that no operation says yet --------------------------------------------------------- */

static void clients_response(bj_script *s, int index) {
    const bj_message *m = message(s, index), *request = message(s, m->request);
    if (s->done[index] || m->repeats != BJ_TALK_NONE) {
        return;
    }
    if (m->notifies) {
        say(s, "frame %u, %.3f s", m->frame, (double) m->time / 1e6);
        bj_record *r = step(s, BJ_K_NOTIFICATION);
        script_set_text(s, r, BJ_F(NOTIFICATION, SERVER), name_of(s, m));
        if (m->code != BJ_COAP_CODE(2, 5) || s->follows) {
            put_expected(s, r, BJ_F(NOTIFICATION, CODE), m->code);
        }
        put_window(s, r, BJ_F(NOTIFICATION, AT), BJ_F(NOTIFICATION, WITHIN), m->time);
        s->base = m->time;
    } else if (request && request->answer == index) {
        say(s, "frame %u, %.3f s", m->frame, (double) m->time / 1e6);
        bj_record *r = step(s, BJ_K_RESPONSE);
        put_expected(s, r, BJ_F(RESPONSE, EXPECT), m->code);
        if (strcmp(name_of(s, m), "bs") != 0) {
            script_set_text(s, r, BJ_F(RESPONSE, SERVER), name_of(s, m));
        }
        s->base = m->time;
    } else {
        say(s, "frame %u: the client answers nothing that is known, %u.%02u", m->frame, m->code >> 5, m->code & 31);
        s->unsaid++;
    }
}

static void clients_empty(bj_script *s, int index) {
    const bj_message *m = message(s, index), *of = message(s, m->request);
    if (m->type == BJ_COAP_RST && of && !of->by_client && of->kind == BJ_TALK_REQUEST && of->ack == index) {
        say(s, "frame %u", m->frame);
        script_set_text(s, step(s, BJ_K_RESET), BJ_F(RESET, SERVER), name_of(s, m));
        s->base = m->time;
    } else if (m->type == BJ_COAP_RST) {
        say(s, "frame %u: the client rejects Message ID %u", m->frame, m->mid);
        s->unsaid++;
    }
}

/* A copy of the client's request that is still unanswered. RFC 7252 §4.2 says when it may come. */
static void clients_copy(bj_script *s, int index) {
    const bj_message *m = message(s, index), *of = message(s, m->repeats);
    unsigned number = 0;
    bool answered = (of->answer != BJ_TALK_NONE && of->answer < index) || (of->ack != BJ_TALK_NONE && of->ack < index);
    for (int i = m->repeats + 1; i <= index; i++) {
        number += message(s, i)->repeats == m->repeats;
    }
    if (answered || unreachable(s, m->repeats) || s->loose || s->follows || m->kind != BJ_TALK_REQUEST ||
        of->type != BJ_COAP_CON || s->awaited != m->repeats) {
        return;
    }
    bj_time gap = since(s, m->time);
    double least = 2.0 * (double) (1U << (number < 20 ? number - 1 : 19));
    bool lawful = (double) gap >= least * 1e6 - 50e3 && (double) gap <= least * 1.5e6 + 100e3;
    say(s, "frame %u, %.3f s", m->frame, (double) m->time / 1e6);
    bj_record *r = step(s, BJ_K_RETRANSMISSION);
    script_set_uint(s, r, BJ_F(RETRANSMISSION, NUMBER), BJ_T_UINT, number);
    if (!lawful) {
        bj_time least_gap = gap > 300 * BJ_MS ? gap - 200 * BJ_MS : 0;
        put_when(s, r, BJ_F(RETRANSMISSION, AT),
                 (bj_when){ .earliest = (int64_t) least_gap / 100000 * 100000,
                            .latest = (int64_t) (gap + 300 * BJ_MS) / 100000 * 100000 });
    }
    s->base = m->time;
}

/* --- handshakes, connections ---------------------------------------------------------------------------------- */

static bool same_session(const bj_message *a, const bj_message *b) {
    return a->server == b->server && bj_addr_equal(&a->client, &b->client);
}

/* A handshake that nothing decrypted follows: how it ends, as far as that stands in clear. */
static void handshake(bj_script *s, int index) {
    const bj_message *m = message(s, index);
    uint32_t ends = 0, alert = UINT32_MAX;
    bool data = false;
    for (size_t i = (size_t) index; i < s->talk->count; i++) {
        const bj_message *o = &s->talk->messages[i];
        if (!same_session(o, m)) {
            continue;
        }
        if (o->kind != BJ_TALK_RECORD && o->secure) {
            return; /* what is in it says all */
        }
        s->done[i] |= o->kind == BJ_TALK_RECORD;
        data |= o->record == BJ_RECORD_DATA;
        if (o->record == BJ_RECORD_ALERT && !ends && !data) {
            ends = o->encrypted ? 5 : o->by_client ? 3 : 2;
            alert = o->encrypted ? UINT32_MAX : o->alert;
        }
    }
    say(s, "frame %u, %.3f s: a handshake of which nothing is decrypted", m->frame, (double) m->time / 1e6);
    bj_record *r = step(s, BJ_K_CLIENT_HELLO);
    script_set_text(s, r, BJ_F(CLIENT_HELLO, TO), name_of(s, m));
    if (data || ends) {
        script_set_uint(s, r, BJ_F(CLIENT_HELLO, ENDS), BJ_T_ENUM, data ? 1 : ends);
    }
    if (alert != UINT32_MAX) {
        script_set_uint(s, r, BJ_F(CLIENT_HELLO, ALERT), BJ_T_UINT, alert);
    }
    put_window(s, r, BJ_F(CLIENT_HELLO, AT), BJ_F(CLIENT_HELLO, WITHIN), m->time);
    s->base = m->time;
}

/* A server that ends a connection first; one that ends behind the last message is none of the subject. */
static void hang_up(bj_script *s, int index) {
    const bj_message *m = message(s, index);
    bool more = false;
    for (size_t i = (size_t) index + 1; i < s->talk->count; i++) {
        const bj_message *o = &s->talk->messages[i];
        more |= o->kind == BJ_TALK_REQUEST;
        s->done[i] |= o->kind == BJ_TALK_CLOSE && same_session(o, m);
    }
    if (m->by_client || !more || s->done[index]) {
        return;
    }
    say(s, "frame %u, %.3f s", m->frame, (double) m->time / 1e6);
    bj_record *r = step(s, BJ_K_HANG_UP);
    script_set_uint(s, r, BJ_F(HANG_UP, HOW), BJ_T_ENUM, m->reset ? 1 : 2);
    script_set_text(s, r, BJ_F(HANG_UP, SERVER), name_of(s, m));
    put_moment(s, r, BJ_F(HANG_UP, AT), m->time);
    s->base = m->time;
}

/* --- all of it ------------------------------------------------------------------------------------------------ */

static void put_message(bj_script *s, int index) {
    const bj_message *m = message(s, index);
    switch (m->kind) {
    case BJ_TALK_REQUEST:
        if (m->by_client && m->repeats != BJ_TALK_NONE) {
            clients_copy(s, index);
        } else if (m->by_client) {
            client_request(s, index);
            unanswered(s, index);
        } else if (m->repeats != BJ_TALK_NONE) {
            repeated_request(s, index);
        } else {
            servers_request(s, index);
        }
        break;
    case BJ_TALK_RESPONSE:
        if (m->by_client) {
            clients_response(s, index);
        } else {
            servers_response(s, index);
        }
        break;
    case BJ_TALK_EMPTY:
        if (m->by_client) {
            clients_empty(s, index);
        } else {
            servers_empty(s, index);
        }
        break;
    case BJ_TALK_BROKEN:
        if (!m->by_client) {
            raw(s, m, m->cut ? "the capture holds only a part of it" : "no well-formed CoAP");
        } else {
            say(s, "frame %u: the client sends %zu bytes that are no well-formed CoAP", m->frame, m->length);
            s->unsaid++;
        }
        break;
    case BJ_TALK_RECORD:
        if (m->record == BJ_RECORD_CLIENT_HELLO && m->by_client) {
            handshake(s, index);
        }
        break;
    case BJ_TALK_CLOSE:
        hang_up(s, index);
        break;
    default:
        break;
    }
}

/* A client that is only followed may say what no step awaits until the capture ends. */
static void follow_to_the_end(bj_script *s) {
    bj_time end = s->talk->count ? s->talk->messages[s->talk->count - 1].time : 0;
    bj_time gap = pause(s, since(s, end) ? since(s, end) * 3 / 2 + BJ_SECOND : 0);
    if (s->follows && gap > BJ_SECOND) {
        put_when(s, step(s, BJ_K_ADVANCE), BJ_F(ADVANCE, FOR),
                 (bj_when){ .earliest = (int64_t) gap, .latest = (int64_t) gap });
    }
}

void script_put_steps(bj_script *s) {
    s->comment = bj_text_over(s->comment_room, sizeof s->comment_room);
    s->done = bj_arena_calloc(s->arena, s->talk->count + 1, sizeof *s->done);
    s->awaited = BJ_TALK_NONE;
    for (size_t i = 0; i < s->talk->count; i++) {
        if (s->count >= MOST_STEPS) {
            script_assume(s, "a scenario holds no more steps: what comes behind frame %u is left out",
                          s->talk->messages[i].frame);
            break;
        }
        if (!s->done[i]) {
            put_message(s, (int) i);
        }
    }
    follow_to_the_end(s);
    bj_value v = { .type = BJ_T_STEPS };
    v.as.records.items = s->steps;
    v.as.records.count = s->count;
    bj_set(s->arena, s->root, BJ_F(SCENARIO, STEPS), &v);
}
