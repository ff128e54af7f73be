/* SPDX-License-Identifier: Apache-2.0
 *
 * Base64 and base64url (RFC 4648 §4, §5).
 */
#include "formats/base64.h"

#include <string.h>

static const char *const alphabets[] = {
    [BJC_BASE64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    [BJC_BASE64URL] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

static int digit(bjc_base64_kind kind, uint8_t character) {
    const char *found = character ? strchr(alphabets[kind], (char) character) : NULL;
    return found ? (int) (found - alphabets[kind]) : -1;
}

/* Up to four characters to up to three bytes; bits that no byte takes must be 0 (RFC 4648 §3.5). */
static bool decode_group(bjc_base64_kind kind, const uint8_t *text, size_t count, uint8_t bytes[3]) {
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; i++) {
        int value = i < count ? digit(kind, text[i]) : 0;
        if (value < 0) {
            return false;
        }
        bits = bits << 6 | (uint32_t) value;
    }
    for (size_t i = 0; i < 3; i++) {
        bytes[i] = (uint8_t) (bits >> (16 - 8 * i));
    }
    return count > 1 && (count == 4 || bytes[count - 1] == 0);
}

/* Without the padding, which must be there in one kind and must not in the other. */
static bool strip(bjc_base64_kind kind, const uint8_t *text, size_t *length) {
    if (kind == BJC_BASE64URL) {
        return true;
    }
    if (*length % 4 != 0) {
        return false;
    }
    for (unsigned pads = 0; pads < 2 && *length > 0 && text[*length - 1] == '='; pads++) {
        --*length;
    }
    return true;
}

bool bjc_base64_decode_in_place(bjc_base64_kind kind, uint8_t *data, size_t *length) {
    size_t end = *length, written = 0;
    if (!strip(kind, data, &end)) {
        return false;
    }
    for (size_t at = 0; at < end; at += 4) {
        uint8_t bytes[3];
        size_t count = end - at < 4 ? end - at : 4;
        if (!decode_group(kind, data + at, count, bytes)) {
            return false;
        }
        memcpy(data + written, bytes, count - 1);
        written += count - 1;
    }
    *length = written;
    return true;
}

bool bjc_base64_decode(bjc_base64_kind kind, const uint8_t *text, size_t length, bjc_buffer *out) {
    size_t before = out->length, decoded = length;
    if (!bjc_buffer_append(out, text, length)) {
        return false;
    }
    bool good = length == 0 || bjc_base64_decode_in_place(kind, out->data + before, &decoded);
    out->length = before + (good ? decoded : 0);
    return good;
}

void bjc_base64_encode(bjc_base64_kind kind, const uint8_t *data, size_t length, bjc_buffer *out) {
    for (size_t at = 0; at < length; at += 3) {
        size_t have = length - at < 3 ? length - at : 3;
        uint32_t bits =
            (uint32_t) data[at] << 16 | (have > 1 ? (uint32_t) data[at + 1] << 8 : 0) | (have > 2 ? data[at + 2] : 0);
        for (size_t i = 0; i < 4; i++) {
            if (i <= have) {
                bjc_buffer_byte(out, (unsigned char) alphabets[kind][bits >> (18 - 6 * i) & 63]);
            } else if (kind == BJC_BASE64) {
                bjc_buffer_byte(out, '=');
            }
        }
    }
}
