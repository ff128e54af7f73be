/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of text/plain (LwM2M Core 1.1 §7.4.1, Appendix C).
 */
#define _GNU_SOURCE
#include <string.h>

#include "formats/base64.h"
#include "formats/number.h"
#include "formats/utf8.h"
#include "formats/value.h"

bootjack_error bjc_value_of_bytes(const bjc_entry *entry, bootjack_value *value) {
    if (value->type != BOOTJACK_TYPE_OPAQUE && !bjc_utf8(entry->data, entry->length)) {
        return BOOTJACK_ERR_TYPE;
    }
    value->as.bytes.data = entry->data;
    value->as.bytes.length = entry->length;
    return BOOTJACK_OK;
}

/* Zeros in front are nobody's mistake; every character must belong to the number. */
static bool decimal(const uint8_t *text, size_t length, bool may_be_negative) {
    size_t at = length > 0 && (text[0] == '+' || (may_be_negative && text[0] == '-'));
    bool good = at < length;
    for (; at < length; at++) {
        good = good && text[at] >= '0' && text[at] <= '9';
    }
    return good;
}

static bootjack_error number(const bjc_entry *entry, bootjack_value *value) {
    const uint8_t *text = entry->data;
    size_t length = entry->length;
    bool is_signed = value->type != BOOTJACK_TYPE_UNSIGNED;
    if (value->type == BOOTJACK_TYPE_FLOAT) {
        return bjc_number_real(text, length, &value->as.real) ? BOOTJACK_OK : BOOTJACK_ERR_TYPE;
    }
    if (!decimal(text, length, is_signed)) {
        return BOOTJACK_ERR_TYPE;
    }
    size_t plus = text[0] == '+';
    bool good = is_signed ? bjc_number_integer(text + plus, length - plus, &value->as.integer)
                          : bjc_number_unsigned(text + plus, length - plus, &value->as.unsigned_integer);
    return good ? BOOTJACK_OK : BOOTJACK_ERR_TYPE;
}

static bootjack_error boolean(const bjc_entry *entry, bootjack_value *value) {
    if (entry->length != 1 || (entry->data[0] != '0' && entry->data[0] != '1')) {
        return BOOTJACK_ERR_TYPE;
    }
    value->as.boolean = entry->data[0] == '1';
    return BOOTJACK_OK;
}

/* One to five digits up to 65535 in their shortest form; returns their number, 0 = something else. */
static size_t id(const uint8_t *text, size_t length, uint16_t *out) {
    unsigned long value = 0;
    size_t count = 0;
    while (count < length && text[count] >= '0' && text[count] <= '9' && count < 6) {
        value = value * 10 + (text[count++] - '0');
    }
    *out = (uint16_t) value;
    bool shortest = count == 1 || (count > 1 && text[0] != '0');
    return shortest && count <= 5 && value <= 65535 ? count : 0;
}

bootjack_error bjc_value_of_link(const bjc_entry *entry, bootjack_value *value) {
    size_t length = entry->length;
    size_t first = id(entry->data, length, &value->as.link.object);
    if (first == 0 || first == length || entry->data[first] != ':') {
        return BOOTJACK_ERR_TYPE;
    }
    size_t rest = length - first - 1;
    size_t second = id(entry->data + first + 1, rest, &value->as.link.instance);
    return second > 0 && second == rest ? BOOTJACK_OK : BOOTJACK_ERR_TYPE;
}

bootjack_error bjc_value_of_base64(const bjc_entry *entry, bjc_buffer *scratch, bootjack_value *value) {
    scratch->length = 0;
    if (!bjc_base64_decode(BJC_BASE64, entry->data, entry->length, scratch)) {
        return scratch->failed ? BOOTJACK_ERR_MEMORY : BOOTJACK_ERR_TYPE;
    }
    value->as.bytes.data = scratch->data;
    value->as.bytes.length = scratch->length;
    return BOOTJACK_OK;
}

bootjack_error bjc_value_of_text(const bjc_entry *entry, bjc_buffer *scratch, bootjack_value *value) {
    switch (value->type) {
    case BOOTJACK_TYPE_INTEGER:
    case BOOTJACK_TYPE_UNSIGNED:
    case BOOTJACK_TYPE_TIME:
    case BOOTJACK_TYPE_FLOAT:
        return number(entry, value);
    case BOOTJACK_TYPE_BOOLEAN:
        return boolean(entry, value);
    case BOOTJACK_TYPE_OBJLNK:
        return bjc_value_of_link(entry, value);
    case BOOTJACK_TYPE_STRING:
    case BOOTJACK_TYPE_CORELNK:
        return bjc_value_of_bytes(entry, value);
    case BOOTJACK_TYPE_OPAQUE:
        return bjc_value_of_base64(entry, scratch, value);
    case BOOTJACK_TYPE_NONE:
        break;
    }
    return BOOTJACK_ERR_METHOD;
}
