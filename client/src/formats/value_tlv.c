/* SPDX-License-Identifier: Apache-2.0
 *
 * Values as OMA TLV has them (LwM2M Core 1.1 Appendix C).
 */
#include <string.h>

#include "formats/value.h"

static uint64_t big_endian(const uint8_t *data, size_t length) {
    uint64_t number = 0;
    for (size_t i = 0; i < length; i++) {
        number = number << 8 | data[i];
    }
    return number;
}

static bool integer_length(size_t length) {
    return length == 1 || length == 2 || length == 4 || length == 8;
}

static int64_t sign_extended(uint64_t number, size_t length) {
    unsigned unused = 64 - 8 * (unsigned) length;
    return (int64_t) (number << unused) >> unused;
}

static bootjack_error tlv_real(const bjc_entry *entry, bootjack_value *value) {
    uint64_t bits = big_endian(entry->data, entry->length > 8 ? 0 : entry->length);
    if (entry->length == 4) {
        uint32_t bits32 = (uint32_t) bits;
        float single;
        memcpy(&single, &bits32, sizeof single);
        value->as.real = (double) single;
        return BOOTJACK_OK;
    }
    memcpy(&value->as.real, &bits, sizeof bits);
    return entry->length == 8 ? BOOTJACK_OK : BOOTJACK_ERR_TYPE;
}

static bootjack_error tlv_number(const bjc_entry *entry, bootjack_value *value) {
    if (!integer_length(entry->length)) {
        return BOOTJACK_ERR_TYPE;
    }
    uint64_t number = big_endian(entry->data, entry->length);
    if (value->type == BOOTJACK_TYPE_UNSIGNED) {
        value->as.unsigned_integer = number;
    } else {
        value->as.integer = sign_extended(number, entry->length);
    }
    return BOOTJACK_OK;
}

static bootjack_error tlv_boolean(const bjc_entry *entry, bootjack_value *value) {
    if (entry->length != 1 || entry->data[0] > 1) {
        return BOOTJACK_ERR_TYPE;
    }
    value->as.boolean = entry->data[0] == 1;
    return BOOTJACK_OK;
}

static bootjack_error tlv_link(const bjc_entry *entry, bootjack_value *value) {
    if (entry->length != 4) {
        return BOOTJACK_ERR_TYPE;
    }
    value->as.link.object = (uint16_t) big_endian(entry->data, 2);
    value->as.link.instance = (uint16_t) big_endian(entry->data + 2, 2);
    return BOOTJACK_OK;
}

bootjack_error bjc_value_of_tlv(const bjc_entry *entry, bootjack_value *value) {
    switch (value->type) {
    case BOOTJACK_TYPE_INTEGER:
    case BOOTJACK_TYPE_UNSIGNED:
    case BOOTJACK_TYPE_TIME:
        return tlv_number(entry, value);
    case BOOTJACK_TYPE_FLOAT:
        return tlv_real(entry, value);
    case BOOTJACK_TYPE_BOOLEAN:
        return tlv_boolean(entry, value);
    case BOOTJACK_TYPE_OBJLNK:
        return tlv_link(entry, value);
    case BOOTJACK_TYPE_STRING:
    case BOOTJACK_TYPE_CORELNK:
    case BOOTJACK_TYPE_OPAQUE:
        return bjc_value_of_bytes(entry, value);
    case BOOTJACK_TYPE_NONE:
        break;
    }
    return BOOTJACK_ERR_METHOD;
}
