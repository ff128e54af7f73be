/* SPDX-License-Identifier: Apache-2.0
 *
 * See coap.h: building messages, and encoding them for UDP (RFC 7252 section 3).
 */
#include <string.h>

#include "wire/coap.h"
#include "wire/coap_body.h"

/* --- building ------------------------------------------------------------------------------------------------- */

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
