/* SPDX-License-Identifier: Apache-2.0
 *
 * See cbor.h: writing.
 */
#include <string.h>

#include "wire/cbor.h"
#include "wire/entries_internal.h"

size_t bj_cbor_head_bytes(uint8_t out[9], uint8_t major, uint64_t argument) {
    unsigned size = argument < 24 ? 0 : argument <= 0xFF ? 1 : argument <= 0xFFFF ? 2 : argument <= 0xFFFFFFFF ? 4 : 8;
    unsigned info = size == 0 ? (unsigned) argument : size == 1 ? 24 : size == 2 ? 25 : size == 4 ? 26 : 27;
    out[0] = (uint8_t) (major << 5 | info);
    for (unsigned i = 0; i < size; i++) {
        out[1 + i] = (uint8_t) (argument >> 8 * (size - 1 - i));
    }
    return 1 + size;
}

void bj_cbor_put_head(bj_entry_writer *w, uint8_t major, uint64_t argument) {
    uint8_t head[9];
    bj__put(w, head, bj_cbor_head_bytes(head, major, argument));
}

void bj_cbor_put_text(bj_entry_writer *w, const char *text, size_t length) {
    bj_cbor_put_head(w, BJ_CBOR_TEXT, length);
    bj__put(w, text, length);
}

static void put_real(bj_entry_writer *w, double value) {
    /* A double outside float's range must not be converted; NaN keeps its 8 bytes. */
    bool in_range = value >= -3.4e38 && value <= 3.4e38;
    float narrow = in_range ? (float) value : 0.0F;
    bool exact = in_range && (double) narrow == value;
    uint64_t bits = 0;
    uint32_t narrow_bits;
    memcpy(&narrow_bits, &narrow, sizeof narrow_bits);
    memcpy(&bits, &value, sizeof bits);
    uint8_t bytes[9] = { exact ? 0xFA : 0xFB };
    size_t size = exact ? 4 : 8;
    bits = exact ? narrow_bits : bits;
    for (size_t i = 0; i < size; i++) {
        bytes[1 + i] = (uint8_t) (bits >> 8 * (size - 1 - i));
    }
    bj__put(w, bytes, 1 + size);
}

void bj_cbor_put_value(bj_entry_writer *w, const bj_entry *entry) {
    BJ_TEXT(link, 16);
    switch (entry->kind) {
    case BJ_ENTRY_INT:
        bj_cbor_put_head(w, entry->integer < 0 ? BJ_CBOR_NEGATIVE : BJ_CBOR_UINT,
                         entry->integer < 0 ? (uint64_t) - (entry->integer + 1) : (uint64_t) entry->integer);
        break;
    case BJ_ENTRY_UINT:
        bj_cbor_put_head(w, BJ_CBOR_UINT, (uint64_t) entry->integer);
        break;
    case BJ_ENTRY_FLOAT:
        put_real(w, entry->real);
        break;
    case BJ_ENTRY_BOOL:
        bj_cbor_put_head(w, BJ_CBOR_SIMPLE, entry->integer ? 21 : 20);
        break;
    case BJ_ENTRY_OBJLNK:
        bj_text_printf(&link, "%u:%u", (unsigned) (entry->integer >> 16 & 0xFFFF),
                       (unsigned) (entry->integer & 0xFFFF));
        bj_cbor_put_text(w, link.start, link.used);
        break;
    case BJ_ENTRY_OPAQUE:
    case BJ_ENTRY_RAW:
        bj_cbor_put_head(w, BJ_CBOR_BYTES, entry->length);
        bj__put(w, entry->bytes, entry->length);
        break;
    default:
        bj_cbor_put_text(w, (const char *) entry->bytes, entry->length);
        break;
    }
}
