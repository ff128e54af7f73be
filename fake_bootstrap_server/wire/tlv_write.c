/* SPDX-License-Identifier: Apache-2.0
 *
 * See tlv.h: writing.
 */
#include <string.h>

#include "wire/tlv.h"

enum { HEADER = 6, LENGTH_MAX = 0xFFFFFF };

/* The header of an entry; returns its size. */
static size_t header(uint8_t out[HEADER], uint8_t type, uint16_t id, size_t length) {
    unsigned length_size = length < 8 ? 0 : length < 0x100 ? 1 : length < 0x10000 ? 2 : 3;
    size_t used = 1;
    out[0] = (uint8_t) ((type & 3u) << 6 | (id > 0xFF ? 0x20u : 0) | length_size << 3 |
                        (length_size ? 0 : (unsigned) length));
    if (id > 0xFF) {
        out[used++] = (uint8_t) (id >> 8);
    }
    out[used++] = (uint8_t) id;
    for (unsigned i = length_size; i > 0; i--) {
        out[used++] = (uint8_t) (length >> 8 * (i - 1));
    }
    return used;
}

static bool fits(bj_tlv_writer *w, size_t more) {
    if (w->overflow || w->used > w->room || w->room - w->used < more) {
        w->overflow = true;
    }
    return !w->overflow;
}

void bj_tlv_put(bj_tlv_writer *w, uint8_t type, uint16_t id, const void *value, size_t length) {
    uint8_t head[HEADER];
    if (length > LENGTH_MAX) {
        w->overflow = true;
        return;
    }
    size_t size = header(head, type, id, length);
    if (!fits(w, size + length)) {
        return;
    }
    memcpy(w->out + w->used, head, size);
    if (length) {
        memcpy(w->out + w->used + size, value, length);
    }
    w->used += size + length;
}

static void put_big_endian(bj_tlv_writer *w, uint8_t type, uint16_t id, uint64_t bits, size_t size) {
    uint8_t bytes[8];
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t) (bits >> 8 * (size - 1 - i));
    }
    bj_tlv_put(w, type, id, bytes, size);
}

void bj_tlv_put_int(bj_tlv_writer *w, uint8_t type, uint16_t id, int64_t value) {
    size_t size = value >= INT8_MIN && value <= INT8_MAX     ? 1
                  : value >= INT16_MIN && value <= INT16_MAX ? 2
                  : value >= INT32_MIN && value <= INT32_MAX ? 4
                                                             : 8;
    put_big_endian(w, type, id, (uint64_t) value, size);
}

void bj_tlv_put_bool(bj_tlv_writer *w, uint8_t type, uint16_t id, bool value) {
    put_big_endian(w, type, id, value, 1);
}

void bj_tlv_put_double(bj_tlv_writer *w, uint8_t type, uint16_t id, double value) {
    /* A double outside float's range must not be converted; NaN keeps its 8 bytes. */
    bool in_range = value >= -3.4e38 && value <= 3.4e38;
    float narrow = in_range ? (float) value : 0.0F;
    if (in_range && (double) narrow == value) {
        uint32_t bits;
        memcpy(&bits, &narrow, sizeof bits);
        put_big_endian(w, type, id, bits, 4);
    } else {
        uint64_t bits;
        memcpy(&bits, &value, sizeof bits);
        put_big_endian(w, type, id, bits, 8);
    }
}

size_t bj_tlv_begin(bj_tlv_writer *w) {
    return w->used;
}

void bj_tlv_end(bj_tlv_writer *w, size_t mark, uint8_t type, uint16_t id) {
    uint8_t head[HEADER];
    if (w->overflow || w->used - mark > LENGTH_MAX) {
        w->overflow = true;
        return;
    }
    size_t length = w->used - mark;
    size_t size = header(head, type, id, length);
    if (!fits(w, size)) {
        return;
    }
    memmove(w->out + mark + size, w->out + mark, length);
    memcpy(w->out + mark, head, size);
    w->used += size;
}
