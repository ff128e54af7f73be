/* SPDX-License-Identifier: Apache-2.0
 *
 * IP packets with correct lengths and checksums, for the capture writer. Private to capture/.
 */
#ifndef BJ_CAPTURE_FRAME_H
#define BJ_CAPTURE_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

enum { BJ_FRAME_ROOM = 40 + 65535 };

typedef struct bj_frame {
    uint8_t bytes[BJ_FRAME_ROOM];
    size_t length; /* 0: the packet cannot be built (families that differ, too long) */
} bj_frame;

void bj_frame_udp(bj_frame *frame, const bj_addr *from, const bj_addr *to, const uint8_t *data, size_t length);

typedef struct bj_tcp_header {
    uint32_t sequence;
    uint32_t acknowledged;
    uint8_t flags; /* BJ_TCP_FIN ... of capture.h, and 8 = PSH */
} bj_tcp_header;
void bj_frame_tcp(bj_frame *frame, const bj_addr *from, const bj_addr *to, const bj_tcp_header *header,
                  const uint8_t *data, size_t length);

/* Port Unreachable from the host `from` about `original`, a UDP packet that reached it (RFC 792, RFC 4443 3.1). */
void bj_frame_port_unreachable(bj_frame *frame, const bj_addr *from, const bj_addr *to, const bj_frame *original);

#endif
