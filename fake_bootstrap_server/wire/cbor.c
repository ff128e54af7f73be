/* SPDX-License-Identifier: Apache-2.0
 *
 * See cbor.h: reading.
 */
#include "wire/cbor.h"

#include <math.h>
#include <string.h>

#include "wire/entries_internal.h"

static bool read_argument(bj_reader *r, size_t size, uint64_t *argument) {
    const uint8_t *bytes = bj_reader_take(r, size);
    *argument = 0;
    for (size_t i = 0; bytes && i < size; i++) {
        *argument = *argument << 8 | bytes[i];
    }
    return bytes != NULL;
}

bool bj_cbor_read_head(bj_reader *r, bj_cbor_head *head) {
    const uint8_t *first = bj_reader_take(r, 1);
    if (!first) {
        return false;
    }
    *head = (bj_cbor_head){ .major = *first >> 5, .info = *first & 31, .argument = *first & 31 };
    head->open = head->info == 31;
    if (head->info < 24) {
        return true;
    }
    if (head->info < 28) {
        return read_argument(r, (size_t) 1 << (head->info - 24), &head->argument);
    }
    head->argument = 0;
    return head->open && head->major != BJ_CBOR_UINT && head->major != BJ_CBOR_NEGATIVE && head->major != BJ_CBOR_TAG;
}

bool bj_cbor_take_break(bj_reader *r) {
    bool there = r->at < r->end && *r->at == 0xFF;
    r->at += there;
    return there;
}

int bj_cbor_peek(const bj_reader *r) {
    return r->at < r->end ? *r->at >> 5 : -1;
}

/* The chunks of a string of indefinite length: definite strings of the same type (RFC 8949 §3.2.3). */
static bool gather(bj_reader *r, uint8_t major, uint8_t *room, size_t size, size_t *length) {
    bj_cbor_head head;
    *length = 0;
    while (!bj_cbor_take_break(r)) {
        if (!bj_cbor_read_head(r, &head) || head.major != major || head.open || head.argument > bj_reader_left(r)) {
            return false;
        }
        const uint8_t *chunk = bj_reader_take(r, (size_t) head.argument);
        if (head.argument > size - *length || (major == BJ_CBOR_TEXT && !bj__utf8(chunk, (size_t) head.argument))) {
            return false;
        }
        if (head.argument) {
            memcpy(room + *length, chunk, (size_t) head.argument);
        }
        *length += (size_t) head.argument;
    }
    return true;
}

bool bj_cbor_string(bj_reader *r, uint8_t major, uint8_t *room, size_t size, const uint8_t **bytes, size_t *length) {
    bj_cbor_head head;
    if (!bj_cbor_read_head(r, &head) || head.major != major) {
        return false;
    }
    if (head.open) {
        *bytes = room;
        return gather(r, major, room, size, length);
    }
    if (head.argument > bj_reader_left(r)) {
        return false;
    }
    *length = (size_t) head.argument;
    *bytes = bj_reader_take(r, *length);
    return major != BJ_CBOR_TEXT || bj__utf8(*bytes, *length);
}

/* RFC 8949, Appendix D: a float of 16 bits. */
static double half(uint64_t bits) {
    int exponent = bits >> 10 & 31;
    double mantissa = (double) (bits & 0x3FF);
    double value = exponent == 0    ? ldexp(mantissa, -24)
                   : exponent == 31 ? (mantissa != 0 ? (double) NAN : (double) INFINITY)
                                    : ldexp(mantissa + 1024, exponent - 25);
    return bits & 0x8000 ? -value : value;
}

static double real_of(const bj_cbor_head *head) {
    double wide;
    float narrow;
    uint32_t bits = (uint32_t) head->argument;
    if (head->info == 25) {
        return half(head->argument);
    }
    if (head->info == 26) {
        memcpy(&narrow, &bits, sizeof narrow);
        return (double) narrow;
    }
    memcpy(&wide, &head->argument, sizeof wide);
    return wide;
}

static bool read_number(const bj_cbor_head *head, bj_entry *value) {
    switch (head->major) {
    case BJ_CBOR_UINT:
        value->kind = head->argument > INT64_MAX ? BJ_ENTRY_UINT : BJ_ENTRY_INT;
        value->integer = (int64_t) head->argument;
        return true;
    case BJ_CBOR_NEGATIVE: /* below INT64_MIN no integer of LwM2M, but a Float may be written so */
        value->kind = head->argument > INT64_MAX ? BJ_ENTRY_FLOAT : BJ_ENTRY_INT;
        value->integer = head->argument > INT64_MAX ? 0 : -1 - (int64_t) head->argument;
        value->real = head->argument == UINT64_MAX ? -0x1p64 : -(double) (head->argument + 1); /* rounded once */
        return true;
    default:
        value->kind = BJ_ENTRY_FLOAT;
        value->real = real_of(head);
        return head->info >= 25 && head->info <= 27;
    }
}

bool bj_cbor_value(bj_reader *r, uint8_t *room, size_t size, bj_entry *value) {
    bj_cbor_head head;
    int major = bj_cbor_peek(r);
    value->also = 0;
    if (major == BJ_CBOR_TEXT || major == BJ_CBOR_BYTES) {
        value->kind = major == BJ_CBOR_TEXT ? BJ_ENTRY_STRING : BJ_ENTRY_OPAQUE;
        value->also = major == BJ_CBOR_TEXT ? BJ_ALSO_OBJLNK : 0;
        return bj_cbor_string(r, (uint8_t) major, room, size, &value->bytes, &value->length);
    }
    if (!bj_cbor_read_head(r, &head)) {
        return false;
    }
    bool time = head.major == BJ_CBOR_TAG && head.argument == 1; /* RFC 8949 §3.4.2 */
    if (time && !bj_cbor_read_head(r, &head)) {
        return false;
    }
    if (!time && head.major == BJ_CBOR_SIMPLE && (head.info == 20 || head.info == 21)) {
        value->kind = BJ_ENTRY_BOOL;
        value->integer = head.info == 21;
        return true;
    }
    bool number = head.major == BJ_CBOR_UINT || head.major == BJ_CBOR_NEGATIVE || head.major == BJ_CBOR_SIMPLE;
    return number && !head.open && read_number(&head, value);
}

static bool skip_chunks(bj_reader *r, uint8_t major) {
    bj_cbor_head head;
    while (!bj_cbor_take_break(r)) {
        if (!bj_cbor_read_head(r, &head) || head.major != major || head.open || head.argument > bj_reader_left(r)) {
            return false;
        }
        bj_reader_take(r, (size_t) head.argument);
    }
    return true;
}

static bool skip(bj_reader *r, int depth) { /* `depth` bounds the recursion */
    bj_cbor_head head;
    if (!bj_cbor_read_head(r, &head)) {
        return false;
    }
    switch (head.major) {
    case BJ_CBOR_UINT:
    case BJ_CBOR_NEGATIVE:
        return true;
    case BJ_CBOR_SIMPLE: /* RFC 8949 §3.3: 24 is followed by values from 32 */
        return !head.open && !(head.info == 24 && head.argument < 32);
    case BJ_CBOR_BYTES:
    case BJ_CBOR_TEXT:
        return head.open ? skip_chunks(r, head.major)
                         : head.argument <= bj_reader_left(r) && bj_reader_take(r, (size_t) head.argument);
    default:
        break;
    }
    uint64_t items = head.major == BJ_CBOR_TAG ? 1 : head.argument;
    unsigned parts = head.major == BJ_CBOR_MAP ? 2 : 1;
    for (uint64_t i = 0; head.open ? !bj_cbor_take_break(r) : i < items; i++) {
        for (unsigned part = 0; part < parts; part++) {
            if (depth == 0 || !skip(r, depth - 1)) {
                return false;
            }
        }
    }
    return true;
}

bool bj_cbor_skip(bj_reader *r) {
    enum { LEVELS = 16 };
    return skip(r, LEVELS);
}
