/* SPDX-License-Identifier: Apache-2.0
 *
 * Packets that a capture holds twice, because it was taken at two places that they pass: on all interfaces of a router,
 * on both sides of a bridge, at a mirrored port, or merged of two files. Private to capture/.
 */
#ifndef BJ_CAPTURE_COPIES_H
#define BJ_CAPTURE_COPIES_H

#include "capture/capture.h"

enum { BJ_COPIES = 64 };

/* A packet of IP as it stands in the file. */
typedef struct bj_copy_seen {
    uint32_t frame;
    uint64_t time;       /* microseconds */
    uint32_t interface;  /* of the section */
    const uint8_t *link; /* what stands before the IP header */
    size_t link_length;
    const uint8_t *ip;
    size_t length;
} bj_copy_seen;

typedef struct bj_copy {
    uint64_t digest; /* of what no router and no network card changes */
    uint64_t place;  /* of interface and link header */
    uint64_t time;
    uint32_t frame;
    uint16_t id; /* IPv4's Identification; 0: none */
    uint8_t hops;
} bj_copy;

/* The packets of last. All zero: none. */
typedef struct bj_copies {
    bj_copy all[BJ_COPIES];
    unsigned count;
} bj_copies;

/* The frame that holds the same packet; 0: there is none. The same bytes at the same place are another packet, unless
 * they have an Identification, which a host gives anew each time (RFC 6864 4.3), and come within 20 ms. */
uint32_t bj_copies_take(bj_copies *copies, const bj_copy_seen *packet);

#endif
