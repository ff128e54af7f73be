/* SPDX-License-Identifier: Apache-2.0
 *
 * LwM2M TLV (content format 11542), strict reader and free writer. LwM2M Core 1.1 section 7.4.3.
 */
#ifndef BJ_WIRE_TLV_H
#define BJ_WIRE_TLV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum {
    BJ_TLV_INSTANCE = 0,          /* Object Instance */
    BJ_TLV_RESOURCE_INSTANCE = 1, /* inside a multiple Resource */
    BJ_TLV_MULTIPLE = 2,          /* multiple Resource */
    BJ_TLV_RESOURCE = 3,          /* Resource with a value */
};

typedef struct bj_tlv {
    uint8_t type;
    uint16_t id;
    const uint8_t *value;
    size_t length;
} bj_tlv;

/* Reads the entry at *data and moves on; false at the end (*length is 0) or on a damaged entry (*length stays above 0).
 */
bool bj_tlv_next(const uint8_t **data, size_t *length, bj_tlv *entry);

/* Is all of it well-formed, nested entries included, and each kind where it may stand? `why` gets the reason. */
bool bj_tlv_check(const uint8_t *data, size_t length, bj_text *why);

typedef struct bj_tlv_writer {
    uint8_t *out;
    size_t room;
    size_t used;
    bool overflow;
} bj_tlv_writer;

void bj_tlv_put(bj_tlv_writer *w, uint8_t type, uint16_t id, const void *value, size_t length);
void bj_tlv_put_int(bj_tlv_writer *w, uint8_t type, uint16_t id, int64_t value); /* 1, 2, 4 or 8 bytes */
void bj_tlv_put_bool(bj_tlv_writer *w, uint8_t type, uint16_t id, bool value);
void bj_tlv_put_double(bj_tlv_writer *w, uint8_t type, uint16_t id, double value); /* 4 bytes where exact, else 8 */
/* Nesting: the header is written by end(), which moves what was written since begin(). */
size_t bj_tlv_begin(bj_tlv_writer *w);
void bj_tlv_end(bj_tlv_writer *w, size_t mark, uint8_t type, uint16_t id);

/* Signed big-endian of 1, 2, 4 or 8 bytes. */
bool bj_tlv_int(const bj_tlv *entry, int64_t *value);

/* `{0: "coap://h", 1: 0x01, 2: [..]}`: by guess, as TLV carries no types; `path` (e.g. "/0/1") lets it name types and
 * hide secrets of /0. */
void bj_tlv_print(bj_text *out, const uint8_t *data, size_t length, const char *path);

#endif
