/* SPDX-License-Identifier: Apache-2.0
 *
 * See copies.h.
 */
#include "capture/copies.h"

#include <string.h>

enum { TCP = 6, UDP = 17 };
/* How far apart two places may be; and how long a mirror takes. CoAP repeats after two seconds (RFC 7252 4.8). */
static const uint64_t APART = 1000000, MIRROR = 20000;

static uint64_t digest(uint64_t so_far, const uint8_t *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        so_far = (so_far ^ bytes[i]) * UINT64_C(1099511628211);
    }
    return so_far;
}

/* Behind the IP header, but for the checksum, which a card may still have to fill in. */
static uint64_t digest_payload(uint64_t so_far, unsigned protocol, const uint8_t *bytes, size_t length) {
    size_t checksum = protocol == UDP ? 6 : protocol == TCP ? 16 : length;
    size_t before = checksum < length ? checksum : length, behind = before + 2 < length ? before + 2 : length;
    return digest(digest(so_far, bytes, before), bytes + behind, length - behind);
}

/* But for type of service, time to live and header checksum. false: it is no whole header. */
static bool read_ipv4(bj_copy *c, const uint8_t *ip, size_t length) {
    size_t header = (size_t) (ip[0] & 15) * 4, total = length > 3 ? (size_t) ip[2] << 8 | ip[3] : 0;
    if (header < 20 || length < header) {
        return false;
    }
    length = total >= header && total < length ? total : length;
    c->id = (uint16_t) (ip[4] << 8 | ip[5]);
    c->hops = ip[8];
    c->digest = digest(digest(c->digest, ip, 1), ip + 2, 6);
    c->digest = digest(digest(c->digest, ip + 9, 1), ip + 12, header - 12);
    bool first = !(ip[6] & 0x1F) && !ip[7];
    c->digest = digest_payload(c->digest, first ? ip[9] : 0, ip + header, length - header);
    return true;
}

/* But for traffic class and hop limit. */
static bool read_ipv6(bj_copy *c, const uint8_t *ip, size_t length) {
    enum { HEADER = 40 };
    if (length < HEADER) {
        return false;
    }
    size_t total = HEADER + ((size_t) ip[4] << 8 | ip[5]);
    length = total > HEADER && total < length ? total : length;
    c->hops = ip[7];
    c->digest = digest(digest(c->digest, ip + 2, 5), ip + 8, HEADER - 8);
    c->digest = digest_payload(c->digest, ip[6], ip + HEADER, length - HEADER);
    return true;
}

static bool is_copy(const bj_copy *a, const bj_copy *b) {
    uint64_t apart = a->time > b->time ? a->time - b->time : b->time - a->time;
    bool elsewhere = a->place != b->place || a->hops != b->hops;
    return a->frame && a->digest == b->digest && (elsewhere ? apart < APART : a->id && apart < MIRROR);
}

uint32_t bj_copies_take(bj_copies *copies, const bj_copy_seen *packet) {
    static const uint64_t offset = UINT64_C(14695981039346656037);
    bj_copy c = { .digest = offset, .time = packet->time, .frame = packet->frame };
    unsigned version = packet->length ? packet->ip[0] >> 4 : 0;
    if (!(version == 4   ? read_ipv4(&c, packet->ip, packet->length)
          : version == 6 ? read_ipv6(&c, packet->ip, packet->length)
                         : false)) {
        return 0;
    }
    c.place = digest(offset, (const uint8_t *) &packet->interface, sizeof packet->interface);
    c.place = digest(c.place, packet->link, packet->link_length);
    for (unsigned i = 0; i < BJ_COPIES; i++) {
        if (is_copy(&copies->all[i], &c)) {
            return copies->all[i].frame;
        }
    }
    copies->all[copies->count++ % BJ_COPIES] = c;
    return 0;
}
