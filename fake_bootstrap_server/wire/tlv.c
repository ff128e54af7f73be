/* SPDX-License-Identifier: Apache-2.0
 *
 * See tlv.h: reading, checking and writing LwM2M TLV (LwM2M Core 1.1 §7.4.3). Printing is in tlv_print.c.
 */
#include "wire/tlv.h"

#include <string.h>

#include "wire/reader.h"

/* --- reading -------------------------------------------------------------------------------------------------- */

bool bj_tlv_next(const uint8_t **data, size_t *length, bj_tlv *entry) {
    bj_reader r = bj_reader_over(*data, *length);
    uint32_t head;
    uint32_t id;
    uint32_t value_length;
    if (!bj_reader_uint(&r, 1, &head) || !bj_reader_uint(&r, head & 0x20 ? 2 : 1, &id)) {
        return false;
    }
    /* Bits 4-3: how many bytes of length follow; without any, bits 2-0 are the length. */
    unsigned length_size = head >> 3 & 3;
    if (!bj_reader_uint(&r, length_size, &value_length)) {
        return false;
    }
    if (!length_size) {
        value_length = head & 7;
    }
    const uint8_t *value = bj_reader_take(&r, value_length);
    if (!value) {
        return false;
    }
    *entry = (bj_tlv){ .type = (uint8_t) (head >> 6), .id = (uint16_t) id, .value = value, .length = value_length };
    *data = r.at;
    *length = bj_reader_left(&r);
    return true;
}

static const char *kind_name(uint8_t type) {
    static const char *const names[] = { "Object Instance", "Resource Instance", "multiple Resource", "Resource" };
    return names[type & 3];
}

/* Which kinds may stand directly inside `parent`; -1 is the payload itself. */
static bool may_stand(int parent, uint8_t type) {
    switch (parent) {
    case BJ_TLV_MULTIPLE:
        return type == BJ_TLV_RESOURCE_INSTANCE;
    case BJ_TLV_INSTANCE:
        return type == BJ_TLV_RESOURCE || type == BJ_TLV_MULTIPLE;
    default:
        return type != BJ_TLV_RESOURCE_INSTANCE;
    }
}

static bool check_level(const uint8_t *data, size_t length, int parent, bj_text *why) {
    bj_tlv entry;
    bool instances = false;
    bool resources = false;
    while (bj_tlv_next(&data, &length, &entry)) {
        if (!may_stand(parent, entry.type)) {
            bj_text_printf(why, "%s %u %s%s", kind_name(entry.type), entry.id,
                           parent < 0 ? "outside a multiple Resource" : "inside ",
                           parent < 0 ? "" : kind_name((uint8_t) parent));
            return false;
        }
        instances = instances || entry.type == BJ_TLV_INSTANCE;
        resources = resources || entry.type != BJ_TLV_INSTANCE;
        bool nests = entry.type == BJ_TLV_INSTANCE || entry.type == BJ_TLV_MULTIPLE;
        if (nests && !check_level(entry.value, entry.length, entry.type, why)) {
            return false;
        }
    }
    if (length) {
        bj_text_printf(why, "an entry is longer than the %zu bytes that are left", length);
        return false;
    }
    if (parent < 0 && instances && resources) {
        bj_text_add(why, "Object Instances and Resources side by side");
        return false;
    }
    return true;
}

bool bj_tlv_check(const uint8_t *data, size_t length, bj_text *why) {
    return check_level(data, length, -1, why);
}

bool bj_tlv_int(const bj_tlv *entry, int64_t *value) {
    size_t length = entry->length;
    if (length != 1 && length != 2 && length != 4 && length != 8) {
        return false;
    }
    uint64_t bits = entry->value[0] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < length; i++) {
        bits = bits << 8 | entry->value[i];
    }
    memcpy(value, &bits, sizeof bits);
    return true;
}

/* --- writing -------------------------------------------------------------------------------------------------- */

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
