/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of the formats that say what a value is: JSON and CBOR in all their kinds (LwM2M Core 1.1 Appendix C). Numbers
 * fit every numeric type that can hold them exactly; everything else must be what the resource is.
 */
#include "formats/base64.h"
#include "formats/number.h"
#include "formats/value.h"

/* -1 - `number`, rounded once: the double of `number` is rounded already. */
static double negative_real(uint64_t number) {
    return number == UINT64_MAX ? -0x1p64 : -(double) (number + 1);
}

/* An integer of CBOR: `number`, or -1 - `number` (RFC 8949 §3.1). */
static bootjack_error integer(const bjc_entry *entry, bootjack_value *value) {
    switch (value->type) {
    case BOOTJACK_TYPE_INTEGER:
    case BOOTJACK_TYPE_TIME:
        value->as.integer = entry->negative ? -1 - (int64_t) (entry->number & INT64_MAX) : (int64_t) entry->number;
        return entry->number <= INT64_MAX ? BOOTJACK_OK : BOOTJACK_ERR_TYPE;
    case BOOTJACK_TYPE_UNSIGNED:
        value->as.unsigned_integer = entry->number;
        return entry->negative ? BOOTJACK_ERR_TYPE : BOOTJACK_OK;
    case BOOTJACK_TYPE_FLOAT:
        value->as.real = entry->negative ? negative_real(entry->number) : (double) entry->number;
        return BOOTJACK_OK;
    default:
        return BOOTJACK_ERR_TYPE;
    }
}

static bootjack_error decimal(const bjc_entry *entry, bootjack_value *value) {
    bool good = false;
    if (value->type == BOOTJACK_TYPE_INTEGER || value->type == BOOTJACK_TYPE_TIME) {
        good = bjc_number_integer(entry->data, entry->length, &value->as.integer);
    } else if (value->type == BOOTJACK_TYPE_UNSIGNED) {
        good = bjc_number_unsigned(entry->data, entry->length, &value->as.unsigned_integer);
    } else if (value->type == BOOTJACK_TYPE_FLOAT) {
        good = bjc_number_real(entry->data, entry->length, &value->as.real);
    }
    return good ? BOOTJACK_OK : BOOTJACK_ERR_TYPE;
}

static bootjack_error string(const bjc_entry *entry, bjc_buffer *scratch, bootjack_value *value) {
    switch (value->type) {
    case BOOTJACK_TYPE_STRING:
    case BOOTJACK_TYPE_CORELNK:
        return entry->form == BJC_FORM_LINK ? BOOTJACK_ERR_TYPE : bjc_value_of_bytes(entry, value);
    case BOOTJACK_TYPE_OBJLNK:
        return entry->form == BJC_FORM_LINK || entry->form == BJC_FORM_STRING_LINK ? bjc_value_of_link(entry, value)
                                                                                   : BOOTJACK_ERR_TYPE;
    case BOOTJACK_TYPE_OPAQUE:
        return entry->form == BJC_FORM_STRING_BASE64 ? bjc_value_of_base64(entry, scratch, value) : BOOTJACK_ERR_TYPE;
    default:
        return BOOTJACK_ERR_TYPE;
    }
}

static bootjack_error base64url(const bjc_entry *entry, bjc_buffer *scratch, bootjack_value *value) {
    if (value->type != BOOTJACK_TYPE_OPAQUE) {
        return BOOTJACK_ERR_TYPE;
    }
    scratch->length = 0;
    if (!bjc_base64_decode(BJC_BASE64URL, entry->data, entry->length, scratch)) {
        return scratch->failed ? BOOTJACK_ERR_MEMORY : BOOTJACK_ERR_TYPE;
    }
    value->as.bytes.data = scratch->data;
    value->as.bytes.length = scratch->length;
    return BOOTJACK_OK;
}

bootjack_error bjc_value_of_typed(const bjc_entry *entry, bjc_buffer *scratch, bootjack_value *value) {
    if (entry->time && value->type != BOOTJACK_TYPE_TIME) {
        return BOOTJACK_ERR_TYPE;
    }
    switch (entry->form) {
    case BJC_FORM_INTEGER:
        return integer(entry, value);
    case BJC_FORM_NUMBER:
        return decimal(entry, value);
    case BJC_FORM_REAL:
        value->as.real = entry->real;
        return value->type == BOOTJACK_TYPE_FLOAT ? BOOTJACK_OK : BOOTJACK_ERR_TYPE;
    case BJC_FORM_BOOLEAN:
        value->as.boolean = entry->boolean;
        return value->type == BOOTJACK_TYPE_BOOLEAN ? BOOTJACK_OK : BOOTJACK_ERR_TYPE;
    case BJC_FORM_STRING:
    case BJC_FORM_LINK:
    case BJC_FORM_STRING_LINK:
    case BJC_FORM_STRING_BASE64:
        return string(entry, scratch, value);
    case BJC_FORM_BASE64URL:
        return base64url(entry, scratch, value);
    default:
        return BOOTJACK_ERR_TYPE;
    }
}
