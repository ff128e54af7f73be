/* SPDX-License-Identifier: Apache-2.0
 *
 * IP datagrams put together from their fragments (RFC 791 3.2, RFC 8200 4.5). Private to capture/.
 */
#ifndef BJ_CAPTURE_FRAGMENTS_H
#define BJ_CAPTURE_FRAGMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

enum { BJ_FRAGMENTED = 32, BJ_FRAGMENT_PIECES = 64 };

/* One fragment: where its bytes belong, and whose they are. */
typedef struct bj_fragment {
    bj_addr from, to; /* without ports */
    uint32_t id;
    unsigned protocol;
    size_t offset;
    bool more; /* it is not the last */
    const uint8_t *data;
    size_t length;
} bj_fragment;

typedef struct bj_fragmented {
    bool used;
    uint64_t age;
    bj_addr from, to;
    uint32_t id;
    unsigned protocol;
    uint8_t *bytes; /* 65535 of them, once used */
    size_t total;   /* 0: the last fragment has not come */
    size_t pieces;
    struct {
        size_t begin, end;
    } piece[BJ_FRAGMENT_PIECES];
} bj_fragmented;

/* Datagrams that are not whole yet; of too many, the oldest is given up. All zero is empty. */
typedef struct bj_fragments {
    bj_fragmented all[BJ_FRAGMENTED];
    uint64_t clock;
} bj_fragments;

/* Takes a fragment; the datagram's bytes behind the IP header when it is whole now (*length of them, of so many pieces,
 * until the next call), else NULL. */
const uint8_t *bj_fragments_take(bj_fragments *fragments, const bj_fragment *fragment, size_t *length, size_t *pieces);
void bj_fragments_free(bj_fragments *fragments);

#endif
