/* SPDX-License-Identifier: Apache-2.0
 *
 * Captures read down to the payloads of UDP and TCP: pcap and pcapng. Checksums are not looked at: captures
 * taken on the sending host seldom have them.
 */
#define _GNU_SOURCE
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "capture/capture.h"
#include "capture/capture_file.h"
#include "capture/copies.h"
#include "capture/fragments.h"
#include "capture/pcap_read.h"
#include "capture/pcapng_read.h"
#include "wire/reader.h"

enum {
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_IPV6 = 0x86DD,
    ETHERTYPE_VLAN = 0x8100,
    ETHERTYPE_QINQ = 0x88A8,
    ETHERTYPE_QINQ_OLD = 0x9100, /* before IEEE 802.1ad had a number */
    ETHERTYPE_PPPOE = 0x8864,
    PPP_IPV4 = 0x21,
    PPP_IPV6 = 0x57,
    PROTOCOL_ICMP = 1,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    PROTOCOL_FRAGMENT = 44,
    PROTOCOL_ICMPV6 = 58,
    LINKTYPE_RAW = 101, /* in files; DLT_RAW is another number in each system */
};

struct bj_capture {
    bj_capture_file *file;
    bj_pcapng_reader *blocks; /* NULL: it is pcap */
    bj_pcap_reader packets;
    uint32_t frame;
    bj_fragments *fragments; /* NULL: there was none */
    bj_copies copies;
};

/* --- link layers ---------------------------------------------------------------------------------------------- */

/* Each moves the reader to the IP header and returns false when there is none. */
static bool skip_ppp(bj_reader *r) {
    uint32_t protocol;
    if (bj_reader_left(r) > 2 && r->at[0] == 0xFF && r->at[1] == 3) {
        bj_reader_take(r, 2); /* address and control, which may be left out (RFC 1661 6.6) */
    }
    size_t length = bj_reader_left(r) && *r->at & 1 ? 1 : 2; /* RFC 1661 6.5 */
    return bj_reader_uint(r, length, &protocol) && (protocol == PPP_IPV4 || protocol == PPP_IPV6);
}

/* RFC 2516 4: version and type, code 0 in a session, its number, a length. */
static bool skip_pppoe(bj_reader *r) {
    const uint8_t *head = bj_reader_take(r, 6);
    return head && !head[1] && skip_ppp(r);
}

/* What stands behind the type of Ethernet, which others use, too. */
static bool skip_tags(bj_reader *r, uint32_t type) {
    while (type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ || type == ETHERTYPE_QINQ_OLD) {
        if (!bj_reader_take(r, 2) || !bj_reader_uint(r, 2, &type)) {
            return false;
        }
    }
    return type == ETHERTYPE_PPPOE ? skip_pppoe(r) : type == ETHERTYPE_IPV4 || type == ETHERTYPE_IPV6;
}

static bool skip_ethernet(bj_reader *r) {
    uint32_t type;
    return bj_reader_take(r, 12) && bj_reader_uint(r, 2, &type) && skip_tags(r, type);
}

static bool skip_cooked(bj_reader *r) {
    uint32_t type;
    return bj_reader_take(r, 14) && bj_reader_uint(r, 2, &type) && skip_tags(r, type);
}

static bool skip_cooked_2(bj_reader *r) {
    uint32_t type;
    return bj_reader_uint(r, 2, &type) && bj_reader_take(r, 18) && skip_tags(r, type);
}

static bool skip_link(bj_reader *r, int link) {
    switch (link) {
    case DLT_EN10MB:
        return skip_ethernet(r);
    case DLT_LINUX_SLL:
        return skip_cooked(r);
    case DLT_LINUX_SLL2:
        return skip_cooked_2(r);
    case DLT_PPP:
    case DLT_PPP_SERIAL:
        return skip_ppp(r);
    case DLT_NULL:
    case DLT_LOOP:
        return bj_reader_take(r, 4); /* the family: the IP header says it, too */
    default:
        return true;
    }
}

/* As pcap/dlt.h has it. */
static int dlt_of(int link) {
    return link == LINKTYPE_RAW ? DLT_RAW : link;
}

static bool known_link(int link) {
    return link == DLT_EN10MB || link == DLT_LINUX_SLL || link == DLT_LINUX_SLL2 || link == DLT_NULL ||
           link == DLT_PPP || link == DLT_PPP_SERIAL || link == DLT_LOOP || link == DLT_RAW || link == DLT_IPV4 ||
           link == DLT_IPV6;
}

/* --- IP ------------------------------------------------------------------------------------------------------- */

/* Ends the reader where what is read ends: behind it there may be Ethernet padding. Returns what is not there of it. */
static size_t end_after(bj_reader *r, size_t length) {
    size_t left = bj_reader_left(r);
    if (left > length) {
        r->end = r->at + length;
    }
    return left < length ? length - left : 0;
}

/* What an IP header says of what stands behind it. */
typedef struct ip_header {
    unsigned protocol;
    bool fragmented;
    uint32_t id;
    size_t offset;
    bool more;
    size_t missing; /* what the capture does not hold of it */
} ip_header;

static bool read_ipv4(bj_reader *r, bj_packet *packet, ip_header *h) {
    const uint8_t *ip = bj_reader_take(r, 20);
    if (!ip) {
        return false;
    }
    size_t header = (size_t) (ip[0] & 15) * 4;
    size_t total = (size_t) ip[2] << 8 | ip[3];
    if (header < 20 || !bj_reader_take(r, header - 20)) {
        return false;
    }
    /* A total of 0 is what offloading leaves behind. */
    h->missing = end_after(r, total > header ? total - header : bj_reader_left(r));
    h->protocol = ip[9];
    h->id = (uint32_t) ip[4] << 8 | ip[5];
    h->more = ip[6] & 0x20;
    h->offset = ((size_t) (ip[6] & 0x1F) << 8 | ip[7]) * 8;
    h->fragmented = h->more || h->offset;
    packet->from.family = packet->to.family = 4;
    memcpy(packet->from.ip, ip + 12, 4);
    memcpy(packet->to.ip, ip + 16, 4);
    return true;
}

/* Passes over Hop-by-Hop Options, Routing, Fragment and Destination Options headers. */
static bool skip_extensions(bj_reader *r, ip_header *h) {
    while (h->protocol == 0 || h->protocol == 43 || h->protocol == PROTOCOL_FRAGMENT || h->protocol == 60) {
        const uint8_t *head = bj_reader_take(r, 8);
        if (!head || (h->protocol != PROTOCOL_FRAGMENT && !bj_reader_take(r, (size_t) head[1] * 8))) {
            return false;
        }
        if (h->protocol == PROTOCOL_FRAGMENT) {
            h->offset = ((size_t) head[2] << 8 | head[3]) & ~(size_t) 7;
            h->more = head[3] & 1;
            h->id = (uint32_t) head[4] << 24 | (uint32_t) head[5] << 16 | (uint32_t) head[6] << 8 | head[7];
            h->fragmented = h->more || h->offset;
        }
        h->protocol = head[0];
        if (h->fragmented) {
            return true; /* other extensions are behind the first fragment's header, if anywhere */
        }
    }
    return true;
}

static bool read_ipv6(bj_reader *r, bj_packet *packet, ip_header *h) {
    const uint8_t *ip = bj_reader_take(r, 40);
    if (!ip) {
        return false;
    }
    size_t length = (size_t) ip[4] << 8 | ip[5];
    h->missing = end_after(r, length ? length : bj_reader_left(r));
    h->protocol = ip[6];
    packet->from.family = packet->to.family = 6;
    memcpy(packet->from.ip, ip + 8, 16);
    memcpy(packet->to.ip, ip + 24, 16);
    return skip_extensions(r, h);
}

static void read_udp(bj_reader *r, bj_packet *packet) {
    const uint8_t *udp = bj_reader_take(r, 8);
    if (!udp) {
        return;
    }
    size_t length = (size_t) udp[4] << 8 | udp[5];
    packet->kind = BJ_PACKET_UDP;
    packet->from.port = (uint16_t) (udp[0] << 8 | udp[1]);
    packet->to.port = (uint16_t) (udp[2] << 8 | udp[3]);
    packet->full_length = length >= 8 ? length - 8 : bj_reader_left(r);
    end_after(r, packet->full_length);
    packet->data = r->at;
    packet->length = bj_reader_left(r);
}

static void read_tcp(bj_reader *r, bj_packet *packet, size_t missing) {
    const uint8_t *tcp = bj_reader_take(r, 20);
    size_t header = tcp ? (size_t) (tcp[12] >> 4) * 4 : 0;
    if (header < 20 || !bj_reader_take(r, header - 20)) {
        return;
    }
    packet->kind = BJ_PACKET_TCP;
    packet->from.port = (uint16_t) (tcp[0] << 8 | tcp[1]);
    packet->to.port = (uint16_t) (tcp[2] << 8 | tcp[3]);
    packet->tcp_sequence = (uint32_t) tcp[4] << 24 | (uint32_t) tcp[5] << 16 | (uint32_t) tcp[6] << 8 | tcp[7];
    packet->tcp_acknowledged =
        (uint32_t) tcp[8] << 24 | (uint32_t) tcp[9] << 16 | (uint32_t) tcp[10] << 8 | (uint32_t) tcp[11];
    packet->tcp_flags = tcp[13];
    packet->data = r->at;
    packet->length = bj_reader_left(r);
    packet->full_length = packet->length + missing;
}

/* The IP and UDP headers that an error quotes (RFC 792, RFC 4443 3.1). */
static void read_icmp(bj_reader *r, bj_packet *packet, bool v6) {
    const uint8_t *icmp = bj_reader_take(r, 8);
    bj_packet quoted = { 0 };
    ip_header h = { 0 };
    packet->why = "ICMP";
    bool port = icmp && (v6 ? icmp[0] == 1 && icmp[1] == 4 : icmp[0] == 3 && icmp[1] == 3);
    if (!port || !(v6 ? read_ipv6(r, &quoted, &h) : read_ipv4(r, &quoted, &h)) || h.protocol != PROTOCOL_UDP ||
        h.offset) {
        return;
    }
    read_udp(r, &quoted);
    if (quoted.kind != BJ_PACKET_UDP) {
        return;
    }
    packet->kind = BJ_PACKET_ICMP;
    packet->quoted_from = quoted.from;
    packet->quoted_to = quoted.to;
    packet->data = quoted.data;
    packet->length = quoted.length;
    packet->full_length = quoted.full_length;
}

static void read_protocol(bj_reader *r, bj_packet *packet, const ip_header *h) {
    switch (h->protocol) {
    case PROTOCOL_UDP:
        packet->why = "UDP that is cut off";
        read_udp(r, packet);
        break;
    case PROTOCOL_TCP:
        packet->why = "TCP that is cut off";
        read_tcp(r, packet, h->missing);
        break;
    case PROTOCOL_ICMP:
        read_icmp(r, packet, false);
        break;
    case PROTOCOL_ICMPV6:
        read_icmp(r, packet, true);
        break;
    default:
        packet->why = "another protocol over IP";
        break;
    }
}

static void read_ip(bj_capture *capture, bj_reader *r, bj_packet *packet) {
    ip_header h = { 0 };
    unsigned version = bj_reader_left(r) ? *r->at >> 4 : 0;
    packet->why = "an IP header that is cut off or damaged";
    bool ok = version == 4 ? read_ipv4(r, packet, &h) : version == 6 && read_ipv6(r, packet, &h);
    if (ok && h.fragmented && packet->copy_of) {
        ok = false; /* it has its place already */
    } else if (ok && h.fragmented) {
        packet->why = BJ_PACKET_FRAGMENT;
        bj_fragment f = { .from = packet->from,
                          .to = packet->to,
                          .id = h.id,
                          .protocol = h.protocol,
                          .offset = h.offset,
                          .more = h.more,
                          .data = r->at,
                          .length = bj_reader_left(r) };
        size_t length, pieces = 0;
        capture->fragments = capture->fragments ? capture->fragments : calloc(1, sizeof *capture->fragments);
        const uint8_t *whole = capture->fragments ? bj_fragments_take(capture->fragments, &f, &length, &pieces) : NULL;
        packet->joined = pieces ? (uint32_t) pieces - 1 : 0;
        ok = whole != NULL;
        *r = ok ? bj_reader_over(whole, length) : *r;
        h.missing = 0;
    }
    if (ok) {
        read_protocol(r, packet, &h);
    }
}

/* --- the file ------------------------------------------------------------------------------------------------- */

static bool begin_pcap(bj_capture *capture, const char *name, bj_text *why) {
    BJ_TEXT(what, 100);
    if (!bj_pcap_begin(&capture->packets, capture->file, &what)) {
        bj_text_printf(why, "%s: not a capture that can be read: %s", name, what.start);
        return false;
    }
    int link = dlt_of(capture->packets.link);
    if (!known_link(link)) {
        const char *link_name = pcap_datalink_val_to_name(link);
        bj_text_printf(why, "%s: link type %d (%s) is not one of Ethernet, PPP, Linux cooked, raw IP, loopback", name,
                       link, link_name ? link_name : "unknown");
        return false;
    }
    return true;
}

/* pcapng: interfaces may differ, so that what cannot be read is told of their packets. */
static bool begin_pcapng(bj_capture *capture, const char *name, bj_text *why) {
    capture->blocks = bj_pcapng_open(capture->file);
    if (!capture->blocks) {
        bj_text_printf(why, "%s: no memory to read it", name);
    }
    return capture->blocks != NULL;
}

bj_capture *bj_capture_open(const bj_capture_source *source, bj_text *why) {
    bj_capture_file *file = bj_capture_file_open(source, why);
    if (!file) {
        return NULL;
    }
    bj_capture *capture = calloc(1, sizeof *capture);
    if (!capture) {
        bj_text_printf(why, "%s: no memory to read it", source->name);
        bj_capture_file_close(file);
        return NULL;
    }
    capture->file = file;
    if (!(bj_pcapng_is(file) ? begin_pcapng : begin_pcap)(capture, source->name, why)) {
        bj_capture_close(capture);
        return NULL;
    }
    return capture;
}

static int next_record(bj_capture *capture, bj_pcapng_record *record, bj_text *why) {
    BJ_TEXT(what, 300);
    int got = capture->blocks ? bj_pcapng_next(capture->blocks, record, &what)
                              : bj_pcap_next(&capture->packets, record, &what);
    if (got < 0) {
        bj_text_printf(why, "damaged after frame %u: %s", (unsigned) capture->frame, what.start);
    } else if (got) {
        record->link = dlt_of(record->link);
    }
    return got;
}

int bj_capture_next(bj_capture *capture, bj_packet *packet, bj_text *why) {
    bj_pcapng_record record;
    int got = next_record(capture, &record, why);
    if (got != 1) {
        return got;
    }
    *packet = (bj_packet){ .frame = ++capture->frame, .time = record.time };
    bj_reader r = bj_reader_over(record.data, record.length);
    packet->why =
        known_link(record.link) ? "no IP" : "a link type other than Ethernet, PPP, Linux cooked, raw IP, loopback";
    if (known_link(record.link) && skip_link(&r, record.link)) {
        bj_copy_seen seen = { .frame = packet->frame,
                              .time = record.time,
                              .interface = record.interface,
                              .link = record.data,
                              .link_length = (size_t) (r.at - record.data),
                              .ip = r.at,
                              .length = bj_reader_left(&r) };
        packet->copy_of = bj_copies_take(&capture->copies, &seen);
        read_ip(capture, &r, packet);
    }
    packet->why = packet->kind == BJ_PACKET_OTHER ? packet->why : NULL;
    return 1;
}

void bj_capture_close(bj_capture *capture) {
    if (capture) {
        bj_pcapng_close(capture->blocks);
        bj_capture_file_close(capture->file);
        if (capture->fragments) {
            bj_fragments_free(capture->fragments);
            free(capture->fragments);
        }
        free(capture);
    }
}
