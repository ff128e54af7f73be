/* SPDX-License-Identifier: Apache-2.0
 *
 * See tlv.h: reading and checking LwM2M TLV (LwM2M Core 1.1 §7.4.3).
 */
#include "wire/tlv.h"

#include <string.h>

#include "wire/reader.h"

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
