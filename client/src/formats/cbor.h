/* SPDX-License-Identifier: Apache-2.0
 *
 * CBOR (RFC 8949) item by item: libcbor's streaming decoder and its encoders, which allocate nothing (its tree of items
 * would, by an allocator that is global to the process).
 */
#ifndef BJC_FORMATS_CBOR_H
#define BJC_FORMATS_CBOR_H

#include "bootjack/limits.h"
#include "formats/entry.h"

#define BJC_CBOR_MAX_DEPTH BOOTJACK_MAX_NESTING /* of what is passed over */

typedef enum bjc_cbor_kind {
    BJC_CBOR_OTHER = 0, /* null, undefined */
    BJC_CBOR_UNSIGNED,  /* number */
    BJC_CBOR_NEGATIVE,  /* -1 - number */
    BJC_CBOR_BYTES,     /* data, length; `indefinite`: definite chunks one after the other */
    BJC_CBOR_TEXT,      /* likewise, UTF-8 */
    BJC_CBOR_ARRAY,     /* number of items, or indefinite */
    BJC_CBOR_MAP,       /* number of pairs, or indefinite */
    BJC_CBOR_TAG,       /* number */
    BJC_CBOR_BOOLEAN,
    BJC_CBOR_REAL,
    BJC_CBOR_BREAK
} bjc_cbor_kind;

typedef struct bjc_cbor_item {
    bjc_cbor_kind kind;
    uint64_t number;
    bool indefinite;
    bool boolean;
    double real;
    const uint8_t *data;
    size_t length;
} bjc_cbor_item;

/* Takes the head of the next item, of a string all of it. False: cut off, or no CBOR. */
bool bjc_cbor_next(const uint8_t **at, const uint8_t *end, bjc_cbor_item *item);
/* Whether a list whose head was taken goes on: counts down its items or pairs, or takes the break. False also where
 * nothing more comes at all, which the next bjc_cbor_next() tells. */
bool bjc_cbor_more(const uint8_t **at, const uint8_t *end, bjc_cbor_item *list);
/* Takes all of an item whose head was taken, nested at most BJC_CBOR_MAX_DEPTH deep. */
bool bjc_cbor_skip(const uint8_t **at, const uint8_t *end, const bjc_cbor_item *head);
/* Makes one value of the stream of an item whose head was taken; a tag 1 (RFC 8949 §3.4.2) says that a number is a
 * time. False: nothing that LwM2M knows. */
bool bjc_cbor_value(const uint8_t **at, const uint8_t *end, const bjc_cbor_item *head, bjc_entry *entry);

/* Appends chunks as one string; false when memory ran out. */
bool bjc_cbor_join(const uint8_t *data, size_t length, bjc_buffer *out);
/* The same for short text strings, with a NUL behind; false when it does not fit or has a NUL inside. */
bool bjc_cbor_text(const bjc_cbor_item *item, char *out, size_t size);

void bjc_cbor_put_unsigned(bjc_buffer *out, uint64_t number);
void bjc_cbor_put_integer(bjc_buffer *out, int64_t number);
void bjc_cbor_put_boolean(bjc_buffer *out, bool boolean);
/* The shortest of the three lengths that is exact. */
void bjc_cbor_put_real(bjc_buffer *out, double real);
void bjc_cbor_put_text(bjc_buffer *out, const uint8_t *data, size_t length);
void bjc_cbor_put_bytes(bjc_buffer *out, const uint8_t *data, size_t length);
void bjc_cbor_put_array(bjc_buffer *out, size_t count);
void bjc_cbor_put_map(bjc_buffer *out, size_t count);
/* Any value but an Object Link as SenML has it; false: there is none to write. */
bool bjc_cbor_put_value(bjc_buffer *out, const bootjack_value *value);

#endif
