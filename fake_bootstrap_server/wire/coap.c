/* SPDX-License-Identifier: Apache-2.0
 *
 * See coap.h: decoding messages over UDP (RFC 7252 section 3), and searching in messages. They are built and encoded in
 * coap_write.c.
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

/* --- searching ------------------------------------------------------------------------------------------------ */

bool bj_coap_add(bj_coap *message, uint32_t number, const void *value, size_t length) {
    assert(message->option_count <= BJ_COAP_OPTIONS);
    if (message->option_count == BJ_COAP_OPTIONS) {
        return false;
    }
    message->options[message->option_count++] = (bj_coap_option){ .number = number, .value = value, .length = length };
    return true;
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
