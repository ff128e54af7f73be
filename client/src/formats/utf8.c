/* SPDX-License-Identifier: Apache-2.0
 *
 * Well-formed UTF-8 (RFC 3629).
 */
#include "formats/utf8.h"

/* The length of the sequence that `data` begins with; 0 for overlong forms, surrogates, and what is cut off. */
static size_t utf8_sequence(const uint8_t *data, size_t room) {
    static const struct {
        uint8_t from, to;
        size_t length;
        uint8_t second_from, second_to;
    } rows[] = {
        { 0x00, 0x7F, 1, 0, 0 },       { 0xC2, 0xDF, 2, 0x80, 0xBF }, { 0xE0, 0xE0, 3, 0xA0, 0xBF },
        { 0xE1, 0xEC, 3, 0x80, 0xBF }, { 0xED, 0xED, 3, 0x80, 0x9F }, { 0xEE, 0xEF, 3, 0x80, 0xBF },
        { 0xF0, 0xF0, 4, 0x90, 0xBF }, { 0xF1, 0xF3, 4, 0x80, 0xBF }, { 0xF4, 0xF4, 4, 0x80, 0x8F },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (data[0] < rows[i].from || data[0] > rows[i].to) {
            continue;
        }
        bool good = rows[i].length <= room &&
                    (rows[i].length == 1 || (data[1] >= rows[i].second_from && data[1] <= rows[i].second_to));
        for (size_t j = 2; good && j < rows[i].length; j++) {
            good = (data[j] & 0xC0) == 0x80;
        }
        return good ? rows[i].length : 0;
    }
    return 0;
}

bool bjc_utf8(const uint8_t *data, size_t length) {
    while (length > 0) {
        size_t used = utf8_sequence(data, length);
        if (used == 0) {
            return false;
        }
        data += used;
        length -= used;
    }
    return true;
}

size_t bjc_utf8_encode(uint32_t character, uint8_t out[4]) {
    static const struct {
        uint32_t below;
        uint8_t first;
    } rows[] = { { 0x80, 0x00 }, { 0x800, 0xC0 }, { 0x10000, 0xE0 }, { 0x110000, 0xF0 } };
    size_t more = 0;
    while (more < 3 && character >= rows[more].below) {
        more++;
    }
    out[0] = (uint8_t) (rows[more].first | character >> (6 * more));
    for (size_t i = 1; i <= more; i++) {
        out[i] = (uint8_t) (0x80 | (character >> (6 * (more - i)) & 0x3F));
    }
    return more + 1;
}
