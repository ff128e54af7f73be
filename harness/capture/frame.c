/* SPDX-License-Identifier: Apache-2.0
 *
 * See frame.h. Every field that a run does not fix has one constant value: the same run, the same bytes.
 */
#include "capture/frame.h"

#include <string.h>

enum { TTL = 64, UDP = 17, TCP = 6, ICMP = 1, ICMPV6 = 58, UDP_HEADER = 8, TCP_HEADER = 20, ICMP_HEADER = 8 };

static void put16(uint8_t *at, unsigned value) {
    at[0] = (uint8_t) (value >> 8);
    at[1] = (uint8_t) value;
}

static void put32(uint8_t *at, uint32_t value) {
    put16(at, value >> 16);
    put16(at + 2, value & 0xFFFF);
}

/* The Internet checksum (RFC 1071), over as many pieces as there are: all but the last of even length. */
static uint32_t sum(uint32_t so_far, const uint8_t *data, size_t length) {
    for (size_t i = 0; i + 1 < length; i += 2) {
        so_far += (uint32_t) (data[i] << 8 | data[i + 1]);
    }
    if (length % 2) {
        so_far += (uint32_t) (data[length - 1] << 8);
    }
    return (so_far & 0xFFFF) + (so_far >> 16);
}

static unsigned finish(uint32_t so_far) {
    while (so_far >> 16) {
        so_far = (so_far & 0xFFFF) + (so_far >> 16);
    }
    return ~so_far & 0xFFFF;
}

static size_t ip_header_size(const bj_addr *addr) {
    return addr->family == 6 ? 40 : 20;
}

static size_t ip_size(const bj_addr *addr) {
    return addr->family == 6 ? 16 : 4;
}

/* Lays the IP header for `length` bytes behind it; NULL when there can be no such packet. */
static uint8_t *begin(bj_frame *frame, const bj_addr *from, const bj_addr *to, unsigned protocol, size_t length) {
    size_t header = ip_header_size(from);
    uint8_t *ip = frame->bytes;
    frame->length = 0;
    if (from->family != to->family || (from->family != 4 && from->family != 6) ||
        length + (from->family == 4 ? header : 0) > UINT16_MAX) {
        return NULL;
    }
    memset(ip, 0, header);
    if (from->family == 4) {
        ip[0] = 0x45;
        put16(ip + 2, (unsigned) (header + length));
        put16(ip + 6, 0x4000); /* do not fragment */
        ip[8] = TTL;
        ip[9] = (uint8_t) protocol;
    } else {
        ip[0] = 0x60;
        put16(ip + 4, (unsigned) length);
        ip[6] = (uint8_t) protocol;
        ip[7] = TTL;
    }
    size_t addresses = from->family == 4 ? 12 : 8;
    memcpy(ip + addresses, from->ip, ip_size(from));
    memcpy(ip + addresses + ip_size(from), to->ip, ip_size(to));
    if (from->family == 4) {
        put16(ip + 10, finish(sum(0, ip, header)));
    }
    frame->length = header + length;
    return ip + header;
}

/* Checksum of what stands behind the IP header, the pseudo header included (RFC 768, RFC 8200 8.1). */
static unsigned transport_checksum(const bj_addr *from, const bj_addr *to, unsigned protocol, const uint8_t *segment,
                                   size_t length) {
    uint32_t so_far = sum(0, from->ip, ip_size(from));
    so_far = sum(so_far, to->ip, ip_size(to));
    so_far += protocol + (uint32_t) length;
    return finish(sum(so_far, segment, length));
}

void bj_frame_udp(bj_frame *frame, const bj_addr *from, const bj_addr *to, const uint8_t *data, size_t length) {
    uint8_t *udp = begin(frame, from, to, UDP, UDP_HEADER + length);
    if (!udp) {
        return;
    }
    put16(udp, from->port);
    put16(udp + 2, to->port);
    put16(udp + 4, (unsigned) (UDP_HEADER + length));
    put16(udp + 6, 0);
    if (length) {
        memcpy(udp + UDP_HEADER, data, length);
    }
    unsigned checksum = transport_checksum(from, to, UDP, udp, UDP_HEADER + length);
    put16(udp + 6, checksum ? checksum : 0xFFFF); /* 0 would say that there is none */
}

void bj_frame_tcp(bj_frame *frame, const bj_addr *from, const bj_addr *to, const bj_tcp_header *header,
                  const uint8_t *data, size_t length) {
    uint8_t *tcp = begin(frame, from, to, TCP, TCP_HEADER + length);
    if (!tcp) {
        return;
    }
    memset(tcp, 0, TCP_HEADER);
    put16(tcp, from->port);
    put16(tcp + 2, to->port);
    put32(tcp + 4, header->sequence);
    put32(tcp + 8, header->acknowledged);
    tcp[12] = TCP_HEADER / 4 << 4;
    tcp[13] = header->flags;
    put16(tcp + 14, 0xFFFF); /* window */
    if (length) {
        memcpy(tcp + TCP_HEADER, data, length);
    }
    put16(tcp + 16, transport_checksum(from, to, TCP, tcp, TCP_HEADER + length));
}

void bj_frame_port_unreachable(bj_frame *frame, const bj_addr *from, const bj_addr *to, const bj_frame *original) {
    /* As much of the original as fits: 576 bytes in all (RFC 1812 4.3.2.3), 1280 (RFC 4443 2.4). */
    size_t most = (from->family == 4 ? 576 : 1280) - ip_header_size(from) - ICMP_HEADER;
    size_t quoted = original->length < most ? original->length : most;
    uint8_t *icmp = begin(frame, from, to, from->family == 4 ? ICMP : ICMPV6, ICMP_HEADER + quoted);
    if (!icmp) {
        return;
    }
    memset(icmp, 0, ICMP_HEADER);
    icmp[0] = from->family == 4 ? 3 : 1; /* Destination Unreachable: port */
    icmp[1] = from->family == 4 ? 3 : 4;
    memcpy(icmp + ICMP_HEADER, original->bytes, quoted);
    size_t length = ICMP_HEADER + quoted;
    /* ICMP for IPv4 has no pseudo header. */
    put16(icmp + 2,
          from->family == 4 ? finish(sum(0, icmp, length)) : transport_checksum(from, to, ICMPV6, icmp, length));
}
