/* SPDX-License-Identifier: Apache-2.0
 *
 * See entries.h: comparing.
 */
#include <math.h>
#include <string.h>

#include "wire/base64.h"
#include "wire/entries_internal.h"

static bool same_bytes(const bj_entry *a, const bj_entry *b) {
    return a->length == b->length && (!a->length || !memcmp(a->bytes, b->bytes, a->length));
}

static bool same_base64(const bj_entry *wanted, const bj_entry *seen) {
    size_t at = 0;
    char group[4];
    for (size_t i = 0; i < wanted->length; i += 3) {
        size_t count = bj_base64_group(wanted->bytes + i, wanted->length - i, false, group);
        if (count > seen->length - at || memcmp(seen->bytes + at, group, count) != 0) {
            return false;
        }
        at += count;
    }
    return at == seen->length;
}

static bool is_number(const bj_entry *entry) {
    return entry->kind == BJ_ENTRY_INT || entry->kind == BJ_ENTRY_UINT || entry->kind == BJ_ENTRY_FLOAT;
}

static double real_value(const bj_entry *entry) {
    return entry->kind == BJ_ENTRY_FLOAT  ? entry->real
           : entry->kind == BJ_ENTRY_UINT ? (double) (uint64_t) entry->integer
                                          : (double) entry->integer;
}

static bool same_number(const bj_entry *wanted, const bj_entry *seen) {
    if (!is_number(wanted) || !is_number(seen)) {
        return false;
    }
    if (wanted->kind == BJ_ENTRY_FLOAT || seen->kind == BJ_ENTRY_FLOAT) {
        double a = real_value(wanted), b = real_value(seen);
        return a == b || (a != a && b != b);
    }
    return wanted->kind == seen->kind && wanted->integer == seen->integer;
}

static bool raw_real(const bj_tlv *tlv, bj_entry *number) {
    uint64_t bits = 0;
    float narrow;
    if (tlv->length != 4 && tlv->length != 8) {
        return false;
    }
    for (size_t i = 0; i < tlv->length; i++) {
        bits = bits << 8 | tlv->value[i];
    }
    uint32_t narrow_bits = (uint32_t) bits;
    memcpy(&narrow, &narrow_bits, sizeof narrow);
    memcpy(&number->real, &bits, sizeof number->real);
    number->real = tlv->length == 4 ? (double) narrow : number->real;
    number->kind = BJ_ENTRY_FLOAT;
    return true;
}

/* Of 1, 2, 4 or 8 bytes: bj_tlv_int() has looked. */
static uint64_t raw_unsigned(const bj_tlv *tlv) {
    uint64_t value = 0;
    for (size_t i = 0; i < tlv->length; i++) {
        value = value << 8 | tlv->value[i];
    }
    return value;
}

/* The bytes of TLV, read as the type that is wanted. */
static bool same_raw(const bj_entry *wanted, const bj_entry *seen) {
    bj_tlv tlv = { .value = seen->bytes, .length = seen->length };
    bj_entry number = { .kind = BJ_ENTRY_INT };
    switch (wanted->kind) {
    case BJ_ENTRY_STRING:
    case BJ_ENTRY_OPAQUE:
    case BJ_ENTRY_RAW:
        return same_bytes(wanted, seen);
    case BJ_ENTRY_BOOL:
        return bj_tlv_int(&tlv, &number.integer) && number.integer == wanted->integer;
    case BJ_ENTRY_INT: /* TLV does not say whether there is a sign */
    case BJ_ENTRY_UINT:
        return bj_tlv_int(&tlv, &number.integer) &&
               (number.integer == wanted->integer || raw_unsigned(&tlv) == (uint64_t) wanted->integer);
    case BJ_ENTRY_FLOAT: /* of 4 and 8 bytes; shorter ones can only be integers */
        return (raw_real(&tlv, &number) || bj_tlv_int(&tlv, &number.integer)) && same_number(wanted, &number);
    case BJ_ENTRY_OBJLNK:
        return seen->length == 4 && bj_tlv_int(&tlv, &number.integer) &&
               (uint32_t) number.integer == (uint32_t) wanted->integer;
    default:
        return false;
    }
}

/* "+7" and "007" are 7, and for a Float "7." and ".5" are numbers: text/plain has decimal digits, and no rule of JSON
 * about them. */
static bool read_decimal(const bj_entry *seen, bool real, bj_entry *value) {
    char digits[BJ_LONGEST_NUMBER];
    const uint8_t *at = seen->bytes, *stop = at + seen->length;
    if (real) {
        value->kind = BJ_ENTRY_FLOAT;
        value->real = bj__real_of_text(seen->bytes, seen->length);
        return !isnan(value->real);
    }
    size_t used = 0;
    digits[used] = '-';
    used += at < stop && *at == '-';
    at += at < stop && (*at == '-' || *at == '+');
    while (stop - at > 1 && at[0] == '0' && at[1] >= '0' && at[1] <= '9') {
        at++;
    }
    size_t length = (size_t) (stop - at);
    if (used + length > sizeof digits) {
        return false;
    }
    memcpy(digits + used, at, length);
    return bj__read_number((const uint8_t *) digits, used + length, value);
}

/* A text/plain value, read as the type that is wanted (Core §7.4.1). */
static bool same_text(const bj_entry *wanted, const bj_entry *seen) {
    bj_entry value = { .kind = BJ_ENTRY_NONE };
    switch (wanted->kind) {
    case BJ_ENTRY_STRING:
        return same_bytes(wanted, seen);
    case BJ_ENTRY_OPAQUE:
        return same_base64(wanted, seen);
    case BJ_ENTRY_BOOL:
        return seen->length == 1 && seen->bytes[0] == (wanted->integer ? '1' : '0');
    case BJ_ENTRY_OBJLNK:
        return bj__read_objlnk(seen->bytes, seen->length, &value.integer) && value.integer == wanted->integer;
    default:
        return read_decimal(seen, wanted->kind == BJ_ENTRY_FLOAT, &value) && same_number(wanted, &value);
    }
}

bool bj_entry_same(const bj_entry *wanted, const bj_entry *seen) {
    int64_t link;
    if (seen->kind == BJ_ENTRY_RAW || seen->kind == BJ_ENTRY_TEXT) {
        return seen->kind == BJ_ENTRY_RAW ? same_raw(wanted, seen) : same_text(wanted, seen);
    }
    if (is_number(wanted)) {
        return same_number(wanted, seen);
    }
    if (seen->kind == BJ_ENTRY_STRING && wanted->kind == BJ_ENTRY_OBJLNK) {
        return (seen->also & BJ_ALSO_OBJLNK) && bj__read_objlnk(seen->bytes, seen->length, &link) &&
               link == wanted->integer;
    }
    if (seen->kind == BJ_ENTRY_STRING && wanted->kind == BJ_ENTRY_OPAQUE) {
        return (seen->also & BJ_ALSO_OPAQUE) && same_base64(wanted, seen);
    }
    bool text = wanted->kind == BJ_ENTRY_STRING || wanted->kind == BJ_ENTRY_OPAQUE;
    return wanted->kind == seen->kind && (text ? same_bytes(wanted, seen) : wanted->integer == seen->integer);
}
