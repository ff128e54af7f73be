/* SPDX-License-Identifier: Apache-2.0
 *
 * See base64.h.
 */
#include "wire/base64.h"

static int digit_of(uint8_t c, bool url) {
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == (url ? '-' : '+') ? 62 : c == (url ? '_' : '/') ? 63 : -1;
}

/* The characters without the padding, which the standard form must have and base64url must not. */
static bool strip(const uint8_t *text, size_t *length, bool url) {
    if (url) {
        return *length % 4 != 1;
    }
    if (*length % 4) {
        return false;
    }
    for (unsigned i = 0; i < 2 && *length && text[*length - 1] == '='; i++) {
        --*length;
    }
    return true;
}

bool bj_base64_decode(const uint8_t *text, size_t length, bool url, uint8_t *out, size_t *decoded) {
    uint32_t bits = 0;
    unsigned held = 0;
    *decoded = 0;
    if (!strip(text, &length, url)) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        int digit = digit_of(text[i], url);
        if (digit < 0) {
            return false;
        }
        bits = (bits << 6 | (uint32_t) digit) & 0xFFFFFF;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[(*decoded)++] = (uint8_t) (bits >> held);
        }
    }
    return !(bits & ((1U << held) - 1)); /* RFC 4648 §3.5: what is left over is zero */
}

size_t bj_base64_group(const uint8_t *bytes, size_t length, bool url, char out[4]) {
    static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = 0;
    length = length > 3 ? 3 : length;
    for (size_t i = 0; i < 3; i++) {
        bits = bits << 8 | (i < length ? bytes[i] : 0U);
    }
    for (unsigned i = 0; i < 4; i++) {
        char c = standard[bits >> (18 - 6 * i) & 63];
        out[i] = url && c == '+' ? '-' : url && c == '/' ? '_' : c;
    }
    for (size_t i = length + 1; i < 4 && !url; i++) {
        out[i] = '=';
    }
    return !length ? 0 : url ? length + 1 : 4;
}
