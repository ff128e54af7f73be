/* SPDX-License-Identifier: Apache-2.0
 *
 * Base64 (RFC 4648 §4).
 */
#include "formats/base64.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int digit(uint8_t character) {
    const char *found = character ? strchr(alphabet, (char) character) : NULL;
    return found ? (int) (found - alphabet) : -1;
}

/* Four characters to three bytes, fewer where padding ends the text. */
static bool decode_group(const uint8_t *text, bool last, bjc_buffer *out) {
    unsigned pads = last ? (text[3] == '=') + (text[3] == '=' && text[2] == '=') : 0;
    uint32_t bits = 0;
    for (unsigned i = 0; i < 4; i++) {
        int value = i < 4 - pads ? digit(text[i]) : 0;
        if (value < 0) {
            return false;
        }
        bits = bits << 6 | (uint32_t) value;
    }
    if ((pads == 1 && (bits & 0xFF)) || (pads == 2 && (bits & 0xFFFF))) {
        return false;
    }
    const uint8_t bytes[3] = { (uint8_t) (bits >> 16), (uint8_t) (bits >> 8), (uint8_t) bits };
    return bjc_buffer_append(out, bytes, 3 - pads);
}

bool bjc_base64_decode(const uint8_t *text, size_t length, bjc_buffer *out) {
    if (length % 4 != 0) {
        return false;
    }
    for (size_t at = 0; at < length; at += 4) {
        if (!decode_group(text + at, at + 4 == length, out)) {
            return false;
        }
    }
    return !out->failed;
}

void bjc_base64_encode(const uint8_t *data, size_t length, bjc_buffer *out) {
    for (size_t at = 0; at < length; at += 3) {
        size_t have = length - at < 3 ? length - at : 3;
        uint32_t bits =
            (uint32_t) data[at] << 16 | (have > 1 ? (uint32_t) data[at + 1] << 8 : 0) | (have > 2 ? data[at + 2] : 0);
        for (unsigned i = 0; i < 4; i++) {
            bjc_buffer_byte(out, i <= have ? (unsigned char) alphabet[bits >> (18 - 6 * i) & 63] : '=');
        }
    }
}
