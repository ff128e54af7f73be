/* SPDX-License-Identifier: Apache-2.0
 *
 * See coap.h: CoAP over TCP, RFC 8323 section 3. The length field counts options, payload marker and payload.
 */
#include <string.h>

#include "wire/coap.h"
#include "wire/coap_body.h"

enum { EXT_1 = 13, EXT_2 = 269, EXT_4 = 65805 };

/* Reads the first byte and the extended length; false when more bytes are needed. */
static bool read_length(bj_reader *r, unsigned *token_length, uint64_t *body) {
    static const size_t sizes[] = { 1, 2, 4 };
    static const uint32_t bases[] = { EXT_1, EXT_2, EXT_4 };
    uint32_t first;
    uint32_t more;
    if (!bj_reader_uint(r, 1, &first)) {
        return false;
    }
    unsigned nibble = first >> 4;
    *token_length = first & 15;
    *body = nibble;
    if (nibble < EXT_1) {
        return true;
    }
    if (!bj_reader_uint(r, sizes[nibble - EXT_1], &more)) {
        return false;
    }
    *body = (uint64_t) bases[nibble - EXT_1] + more;
    return true;
}

size_t bj_coap_tcp_frame(const uint8_t *data, size_t length) {
    bj_reader r = bj_reader_over(data, length);
    unsigned token_length;
    uint64_t body;
    if (!read_length(&r, &token_length, &body)) {
        return 0;
    }
    uint64_t total = (length - bj_reader_left(&r)) + 1 + token_length + body;
    return total < SIZE_MAX ? (size_t) total : SIZE_MAX;
}

bj_coap_fault bj_coap_tcp_decode(bj_coap *message, const uint8_t *data, size_t length) {
    bj_coap_clear(message);
    message->version = 1;
    message->type = BJ_COAP_CON;
    message->stream = true;
    bj_reader r = bj_reader_over(data, length);
    unsigned token_length;
    uint64_t body;
    uint32_t code;
    if (!read_length(&r, &token_length, &body) || !bj_reader_uint(&r, 1, &code)) {
        return BJ_COAP_SHORT;
    }
    message->code = (uint8_t) code;
    if (token_length > BJ_COAP_TOKEN) {
        return BJ_COAP_TOKEN_LENGTH;
    }
    if (bj_reader_left(&r) != token_length + body) {
        return BJ_COAP_TCP_LENGTH;
    }
    if (message->code == 0 && bj_reader_left(&r)) {
        return BJ_COAP_EMPTY_NOT_EMPTY;
    }
    message->token_length = (uint8_t) token_length;
    return bj_coap_read_body(message, &r);
}

static void put_length(bj_coap_writer *w, size_t body, unsigned token_length) {
    unsigned nibble = body < EXT_1 ? (unsigned) body : body < EXT_2 ? 13 : body < EXT_4 ? 14 : 15;
    bj_coap_put_byte(w, nibble << 4 | token_length);
    if (nibble == 15) {
        uint32_t more = (uint32_t) (body - EXT_4);
        bj_coap_put_byte(w, more >> 24);
        bj_coap_put_byte(w, more >> 16 & 0xFF);
        bj_coap_put_byte(w, more >> 8 & 0xFF);
        bj_coap_put_byte(w, more & 0xFF);
    } else if (nibble == 14) {
        bj_coap_put_byte(w, (unsigned) (body - EXT_2) >> 8);
        bj_coap_put_byte(w, (unsigned) (body - EXT_2) & 0xFF);
    } else if (nibble == 13) {
        bj_coap_put_byte(w, (unsigned) (body - EXT_1));
    }
}

size_t bj_coap_tcp_encode(const bj_coap *message, uint8_t *out, size_t room) {
    bj_coap_writer measure = { 0 };
    if (message->token_length > BJ_COAP_TOKEN || !bj_coap_write_body(&measure, message, false) ||
        measure.used > UINT32_MAX) {
        return 0;
    }
    bj_coap_writer w = { .out = out, .room = room };
    put_length(&w, measure.used, message->token_length);
    bj_coap_put_byte(&w, message->code);
    bj_coap_put(&w, message->token, message->token_length);
    bj_coap_write_body(&w, message, false);
    return w.used <= room ? w.used : 0;
}
