/* SPDX-License-Identifier: Apache-2.0
 *
 * See coap.h: messages over UDP (RFC 7252 section 3), and building and searching of messages.
 */
#include "wire/coap.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "wire/coap_body.h"

const char *bj_coap_fault_text(bj_coap_fault fault) {
    static const char *const texts[] = {
#define BJ_COAP_FAULT_TEXT(name, text, clause) text,
        BJ_COAP_FAULTS(BJ_COAP_FAULT_TEXT)
#undef BJ_COAP_FAULT_TEXT
    };
    return (size_t) fault < sizeof texts / sizeof texts[0] ? texts[fault] : "unknown fault";
}

/* --- decoding ------------------------------------------------------------------------------------------------- */

/* The delta or length that a nibble announces: 0 to 12, 13 = one byte more, 14 = two bytes more (RFC 7252 3.1). */
static bj_coap_fault read_extended(bj_reader *r, unsigned nibble, uint32_t *value) {
    uint32_t more;
    if (nibble < 13) {
        *value = nibble;
        return BJ_COAP_OK;
    }
    if (nibble == 15) {
        return BJ_COAP_OPTION_NIBBLE;
    }
    if (!bj_reader_uint(r, nibble == 13 ? 1 : 2, &more)) {
        return BJ_COAP_OPTION_CUT;
    }
    *value = more + (nibble == 13 ? 13 : 269);
    return BJ_COAP_OK;
}

static bj_coap_fault read_option(bj_coap *message, bj_reader *r, uint32_t *number) {
    uint32_t delta;
    uint32_t length;
    unsigned first = *bj_reader_take(r, 1);
    bj_coap_fault fault = read_extended(r, first >> 4, &delta);
    if (!fault) {
        fault = read_extended(r, first & 15, &length);
    }
    if (fault) {
        return fault;
    }
    const uint8_t *value = bj_reader_take(r, length);
    if (!value) {
        return BJ_COAP_OPTION_CUT;
    }
    *number += delta;
    if (*number > UINT16_MAX) {
        return BJ_COAP_OPTION_NUMBER;
    }
    return bj_coap_add(message, *number, value, length) ? BJ_COAP_OK : BJ_COAP_OPTIONS_MANY;
}

void bj_coap_clear(bj_coap *message) {
    memset(message, 0, offsetof(bj_coap, options));
    message->payload = NULL;
    message->payload_length = 0;
    message->stream = false;
}

bj_coap_fault bj_coap_read_body(bj_coap *message, bj_reader *r) {
    uint32_t number = 0;
    const uint8_t *token = bj_reader_take(r, message->token_length);
    if (!token) {
        message->token_length = 0;
        return BJ_COAP_TOKEN_CUT;
    }
    memcpy(message->token, token, message->token_length);
    while (bj_reader_left(r) && *r->at != 0xFF) {
        bj_coap_fault fault = read_option(message, r, &number);
        if (fault) {
            return fault;
        }
    }
    if (!bj_reader_left(r)) {
        return BJ_COAP_OK;
    }
    bj_reader_take(r, 1);
    message->payload = r->at;
    message->payload_length = bj_reader_left(r);
    r->at = r->end;
    return message->payload_length ? BJ_COAP_OK : BJ_COAP_PAYLOAD_EMPTY;
}

/* What of a header is there, even if it is cut. */
static void read_header(bj_coap *message, const uint8_t *data, size_t length) {
    if (length >= 1) {
        message->version = data[0] >> 6;
        message->type = data[0] >> 4 & 3;
    }
    if (length >= 2) {
        message->code = data[1];
    }
    if (length >= 4) {
        message->mid = (uint16_t) (data[2] << 8 | data[3]);
    }
}

bj_coap_fault bj_coap_decode(bj_coap *message, const uint8_t *data, size_t length) {
    bj_coap_clear(message);
    bj_reader r = bj_reader_over(data, length);
    read_header(message, data, length);
    if (!bj_reader_take(&r, 4)) {
        return BJ_COAP_SHORT;
    }
    unsigned token_length = data[0] & 15;
    if (message->version != 1) {
        return BJ_COAP_VERSION;
    }
    if (token_length > BJ_COAP_TOKEN) {
        return BJ_COAP_TOKEN_LENGTH;
    }
    if (message->code == 0 && (token_length || bj_reader_left(&r))) {
        return BJ_COAP_EMPTY_NOT_EMPTY;
    }
    message->token_length = (uint8_t) token_length;
    return bj_coap_read_body(message, &r);
}

/* --- encoding ------------------------------------------------------------------------------------------------- */

void bj_coap_put(bj_coap_writer *w, const void *bytes, size_t length) {
    if (length && w->used <= w->room && w->room - w->used >= length) {
        memcpy(w->out + w->used, bytes, length);
    }
    w->used += length;
}

void bj_coap_put_byte(bj_coap_writer *w, unsigned byte) {
    if (w->used < w->room) {
        w->out[w->used] = (uint8_t) byte;
    }
    w->used++;
}

static unsigned nibble_for(uint32_t value) {
    return value < 13 ? value : value < 269 ? 13 : 14;
}

static void put_extended(bj_coap_writer *w, uint32_t value) {
    if (value >= 269) {
        bj_coap_put_byte(w, (value - 269) >> 8);
        bj_coap_put_byte(w, (value - 269) & 0xFF);
    } else if (value >= 13) {
        bj_coap_put_byte(w, value - 13);
    }
}

static bool put_option(bj_coap_writer *w, const bj_coap_option *option, uint32_t delta) {
    enum { GREATEST = UINT16_MAX + 269 };
    if (delta > GREATEST || option->length > GREATEST) {
        return false;
    }
    uint32_t length = (uint32_t) option->length;
    bj_coap_put_byte(w, nibble_for(delta) << 4 | nibble_for(length));
    put_extended(w, delta);
    put_extended(w, length);
    bj_coap_put(w, option->value, option->length);
    return true;
}

/* Indices of the options in ascending order of number; equal ones keep their order. */
static void sort_options(const bj_coap *message, uint8_t order[BJ_COAP_OPTIONS]) {
    for (size_t i = 0; i < message->option_count; i++) {
        size_t at = i;
        for (; at > 0 && message->options[order[at - 1]].number > message->options[i].number; at--) {
            order[at] = order[at - 1];
        }
        order[at] = (uint8_t) i;
    }
}

bool bj_coap_write_body(bj_coap_writer *w, const bj_coap *message, bool marker_without_payload) {
    uint8_t order[BJ_COAP_OPTIONS];
    uint32_t number = 0;
    if (message->option_count > BJ_COAP_OPTIONS) {
        return false;
    }
    sort_options(message, order);
    for (size_t i = 0; i < message->option_count; i++) {
        const bj_coap_option *option = &message->options[order[i]];
        if (!put_option(w, option, option->number - number)) {
            return false;
        }
        number = option->number;
    }
    if (marker_without_payload) {
        bj_coap_put_byte(w, 0xFF);
    } else if (message->payload && message->payload_length) {
        bj_coap_put_byte(w, 0xFF);
        bj_coap_put(w, message->payload, message->payload_length);
    }
    return true;
}

size_t bj_coap_encode_broken(const bj_coap *message, const bj_coap_breakage *breakage, uint8_t *out, size_t room) {
    bj_coap_writer w = { .out = out, .room = room };
    unsigned version = breakage->set_version ? breakage->version : 1;
    unsigned token_length = breakage->set_token_length ? breakage->token_length : message->token_length;
    if (message->token_length > BJ_COAP_TOKEN) {
        return 0;
    }
    bj_coap_put_byte(&w, (version & 3) << 6 | (message->type & 3u) << 4 | (token_length & 15));
    bj_coap_put_byte(&w, message->code);
    bj_coap_put_byte(&w, message->mid >> 8);
    bj_coap_put_byte(&w, message->mid & 0xFF);
    bj_coap_put(&w, message->token, message->token_length);
    if (!bj_coap_write_body(&w, message, breakage->marker_without_payload) || w.used > room) {
        return 0;
    }
    return w.used;
}

size_t bj_coap_encode(const bj_coap *message, uint8_t *out, size_t room) {
    static const bj_coap_breakage none;
    return bj_coap_encode_broken(message, &none, out, room);
}

/* --- building and searching ----------------------------------------------------------------------------------- */

bool bj_coap_add(bj_coap *message, uint32_t number, const void *value, size_t length) {
    assert(message->option_count <= BJ_COAP_OPTIONS);
    if (message->option_count == BJ_COAP_OPTIONS) {
        return false;
    }
    message->options[message->option_count++] = (bj_coap_option){ .number = number, .value = value, .length = length };
    return true;
}

bool bj_coap_add_uint(bj_coap *message, uint32_t number, uint32_t value, uint8_t room[4]) {
    size_t length = 0;
    for (int shift = 24; shift >= 0; shift -= 8) {
        if (value >> shift) {
            room[length++] = (uint8_t) (value >> shift);
        }
    }
    return bj_coap_add(message, number, room, length);
}

bool bj_coap_add_path(bj_coap *message, uint32_t number, const char *path) {
    const char *segment = *path == '/' ? path + 1 : path;
    if (!*segment) {
        return true;
    }
    for (;;) {
        size_t length = strcspn(segment, "/");
        if (!bj_coap_add(message, number, segment, length)) {
            return false;
        }
        if (!segment[length]) {
            return true;
        }
        segment += length + 1;
    }
}

const bj_coap_option *bj_coap_find(const bj_coap *message, uint32_t number, size_t index) {
    for (size_t i = 0; i < message->option_count; i++) {
        if (message->options[i].number == number && index-- == 0) {
            return &message->options[i];
        }
    }
    return NULL;
}

bool bj_coap_find_uint(const bj_coap *message, uint32_t number, uint32_t *value) {
    const bj_coap_option *option = bj_coap_find(message, number, 0);
    if (!option || option->length > 4) {
        return false;
    }
    bj_reader r = bj_reader_over(option->value, option->length);
    return bj_reader_uint(&r, option->length, value);
}

bool bj_coap_query(const bj_coap *message, const char *key, bj_text *value) {
    const bj_coap_option *option;
    size_t n = strlen(key);
    for (size_t i = 0; (option = bj_coap_find(message, BJ_COAP_URI_QUERY, i)); i++) {
        bool alone = option->length == n;
        if ((alone || (option->length > n && option->value[n] == '=')) && !memcmp(option->value, key, n)) {
            if (value && !alone) {
                bj_text_add_bytes(value, (const char *) option->value + n + 1, option->length - n - 1);
            }
            return true;
        }
    }
    return false;
}

/* A slash inside a segment is not the path's; control characters would spoil a line (RFC 7252 6.5). */
static void print_segment(const bj_coap_option *segment, bj_text *out) {
    static const char digits[] = "0123456789ABCDEF";
    size_t begin = 0; /* of what is printed as it is */
    for (size_t i = 0; i < segment->length; i++) {
        uint8_t c = segment->value[i];
        if (c <= ' ' || c == 0x7F || c == '/' || c == '%') {
            bj_text_add_bytes(out, (const char *) segment->value + begin, i - begin);
            bj_text_add_bytes(out, (const char[]){ '%', digits[c >> 4], digits[c & 15] }, 3);
            begin = i + 1;
        }
    }
    if (begin < segment->length) {
        bj_text_add_bytes(out, (const char *) segment->value + begin, segment->length - begin);
    }
}

void bj_coap_path(const bj_coap *message, uint32_t number, bj_text *out) {
    bool empty = true;
    for (size_t i = 0; i < message->option_count; i++) {
        if (message->options[i].number == number) {
            bj_text_add_char(out, '/');
            print_segment(&message->options[i], out);
            empty = false;
        }
    }
    if (empty) {
        bj_text_add_char(out, '/');
    }
}
