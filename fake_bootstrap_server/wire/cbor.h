/* SPDX-License-Identifier: Apache-2.0
 *
 * CBOR, RFC 8949: heads, strings and single values as a cursor over the bytes, and what writes them.
 */
#ifndef BJ_WIRE_CBOR_H
#define BJ_WIRE_CBOR_H

#include "wire/entries.h"

enum {
    BJ_CBOR_UINT = 0,
    BJ_CBOR_NEGATIVE = 1,
    BJ_CBOR_BYTES = 2,
    BJ_CBOR_TEXT = 3,
    BJ_CBOR_ARRAY = 4,
    BJ_CBOR_MAP = 5,
    BJ_CBOR_TAG = 6,
    BJ_CBOR_SIMPLE = 7,
};

typedef struct bj_cbor_head {
    uint8_t major, info;
    uint64_t argument;
    bool open; /* of indefinite length; major SIMPLE: the break that ends such an item */
} bj_cbor_head;

/* False when it is cut, or of a form that RFC 8949 §3 does not have. */
bool bj_cbor_read_head(bj_reader *r, bj_cbor_head *head);
bool bj_cbor_take_break(bj_reader *r);
/* A string of that major type: where it lies, or gathered in `room` when it comes in chunks. */
bool bj_cbor_string(bj_reader *r, uint8_t major, uint8_t *room, size_t size, const uint8_t **bytes, size_t *length);
/* A single value: number, string, opaque, boolean, or a time (tag 1). */
bool bj_cbor_value(bj_reader *r, uint8_t *room, size_t size, bj_entry *value);
bool bj_cbor_skip(bj_reader *r); /* any item */
/* The next item's major type; -1 at the end. */
int bj_cbor_peek(const bj_reader *r);

/* The shortest head (RFC 8949 §4.2.1); returns its size. */
size_t bj_cbor_head_bytes(uint8_t out[9], uint8_t major, uint64_t argument);
void bj_cbor_put_head(bj_entry_writer *w, uint8_t major, uint64_t argument);
void bj_cbor_put_text(bj_entry_writer *w, const char *text, size_t length);
void bj_cbor_put_value(bj_entry_writer *w, const bj_entry *entry); /* object links as text */

#endif
