/* SPDX-License-Identifier: Apache-2.0
 *
 * Captures read through libpcap (pcap and pcapng), down to the payloads of UDP and TCP. Checksums are not looked at:
 * captures taken on the sending host seldom have them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "capture/capture.h"
#include "wire/reader.h"

enum {
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_IPV6 = 0x86DD,
    ETHERTYPE_VLAN = 0x8100,
    ETHERTYPE_QINQ = 0x88A8,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
};

struct bj_capture {
    pcap_t *pcap;
    int link;
    uint32_t frame;
};

/* --- link layers ---------------------------------------------------------------------------------------------- */

/* Each moves the reader to the IP header and returns false when there is none. */
static bool skip_ethernet(bj_reader *r) {
    uint32_t type;
    if (!bj_reader_take(r, 12) || !bj_reader_uint(r, 2, &type)) {
        return false;
    }
    while (type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ) {
        if (!bj_reader_take(r, 2) || !bj_reader_uint(r, 2, &type)) {
            return false;
        }
    }
    return type == ETHERTYPE_IPV4 || type == ETHERTYPE_IPV6;
}

static bool skip_cooked(bj_reader *r) {
    uint32_t type;
    return bj_reader_take(r, 14) && bj_reader_uint(r, 2, &type) && (type == ETHERTYPE_IPV4 || type == ETHERTYPE_IPV6);
}

static bool skip_cooked_2(bj_reader *r) {
    uint32_t type;
    return bj_reader_uint(r, 2, &type) && bj_reader_take(r, 18) && (type == ETHERTYPE_IPV4 || type == ETHERTYPE_IPV6);
}

static bool skip_link(bj_reader *r, int link) {
    switch (link) {
    case DLT_EN10MB:
        return skip_ethernet(r);
    case DLT_LINUX_SLL:
        return skip_cooked(r);
    case DLT_LINUX_SLL2:
        return skip_cooked_2(r);
    case DLT_NULL:
    case DLT_LOOP:
        return bj_reader_take(r, 4); /* the family: the IP header says it, too */
    default:
        return true;
    }
}

static bool known_link(int link) {
    return link == DLT_EN10MB || link == DLT_LINUX_SLL || link == DLT_LINUX_SLL2 || link == DLT_NULL ||
           link == DLT_LOOP || link == DLT_RAW || link == DLT_IPV4 || link == DLT_IPV6;
}

/* --- IP ------------------------------------------------------------------------------------------------------- */

/* Ends the reader where the IP packet ends: behind it there may be Ethernet padding. */
static void end_after(bj_reader *r, size_t length) {
    if (bj_reader_left(r) > length) {
        r->end = r->at + length;
    }
}

static bool read_ipv4(bj_reader *r, bj_packet *packet, unsigned *protocol) {
    const uint8_t *ip = bj_reader_take(r, 20);
    if (!ip) {
        return false;
    }
    size_t header = (size_t) (ip[0] & 15) * 4;
    size_t total = (size_t) ip[2] << 8 | ip[3];
    bool first_fragment = !((ip[6] & 0x1F) << 8 | ip[7]);
    if (header < 20 || !bj_reader_take(r, header - 20) || !first_fragment) {
        return false;
    }
    /* A total of 0 is what offloading leaves behind. */
    end_after(r, total > header ? total - header : bj_reader_left(r));
    *protocol = ip[9];
    packet->from.family = packet->to.family = 4;
    memcpy(packet->from.ip, ip + 12, 4);
    memcpy(packet->to.ip, ip + 16, 4);
    return true;
}

/* Passes over Hop-by-Hop Options, Routing, Fragment (the first) and Destination Options headers. */
static bool skip_extensions(bj_reader *r, unsigned *next) {
    while (*next == 0 || *next == 43 || *next == 44 || *next == 60) {
        const uint8_t *head = bj_reader_take(r, 8);
        if (!head || (*next == 44 && (head[2] || head[3] & 0xF8))) {
            return false;
        }
        if (*next != 44 && !bj_reader_take(r, (size_t) head[1] * 8)) {
            return false;
        }
        *next = head[0];
    }
    return true;
}

static bool read_ipv6(bj_reader *r, bj_packet *packet, unsigned *protocol) {
    const uint8_t *ip = bj_reader_take(r, 40);
    if (!ip) {
        return false;
    }
    size_t length = (size_t) ip[4] << 8 | ip[5];
    end_after(r, length ? length : bj_reader_left(r));
    *protocol = ip[6];
    packet->from.family = packet->to.family = 6;
    memcpy(packet->from.ip, ip + 8, 16);
    memcpy(packet->to.ip, ip + 24, 16);
    return skip_extensions(r, protocol);
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

static void read_tcp(bj_reader *r, bj_packet *packet) {
    const uint8_t *tcp = bj_reader_take(r, 20);
    size_t header = tcp ? (size_t) (tcp[12] >> 4) * 4 : 0;
    if (header < 20 || !bj_reader_take(r, header - 20)) {
        return;
    }
    packet->kind = BJ_PACKET_TCP;
    packet->from.port = (uint16_t) (tcp[0] << 8 | tcp[1]);
    packet->to.port = (uint16_t) (tcp[2] << 8 | tcp[3]);
    packet->tcp_sequence = (uint32_t) tcp[4] << 24 | (uint32_t) tcp[5] << 16 | (uint32_t) tcp[6] << 8 | tcp[7];
    packet->tcp_flags = tcp[13];
    packet->data = r->at;
    packet->length = packet->full_length = bj_reader_left(r);
}

static void read_ip(bj_reader *r, bj_packet *packet) {
    unsigned protocol = 0;
    unsigned version = bj_reader_left(r) ? *r->at >> 4 : 0;
    bool ok = version == 4 ? read_ipv4(r, packet, &protocol) : version == 6 && read_ipv6(r, packet, &protocol);
    if (ok && protocol == PROTOCOL_UDP) {
        read_udp(r, packet);
    } else if (ok && protocol == PROTOCOL_TCP) {
        read_tcp(r, packet);
    }
}

/* --- the file ------------------------------------------------------------------------------------------------- */

bj_capture *bj_capture_open(const char *file, bj_text *why) {
    char error[PCAP_ERRBUF_SIZE] = "";
    FILE *stream = fopen(file, "rb");
    if (!stream) {
        bj_text_printf(why, "%s: %s", file, strerror(errno));
        return NULL;
    }
    pcap_t *pcap = pcap_fopen_offline_with_tstamp_precision(stream, PCAP_TSTAMP_PRECISION_MICRO, error);
    if (!pcap) {
        fclose(stream);
        bj_text_printf(why, "%s: not a capture that can be read: %s", file, error);
        return NULL;
    }
    bj_capture *capture = calloc(1, sizeof *capture);
    int link = pcap_datalink(pcap);
    if (!capture || !known_link(link)) {
        const char *name = pcap_datalink_val_to_name(link);
        bj_text_printf(why, "%s: link type %d (%s) is not one of Ethernet, Linux cooked, raw IP, loopback", file, link,
                       name ? name : "unknown");
        pcap_close(pcap);
        free(capture);
        return NULL;
    }
    capture->pcap = pcap;
    capture->link = link;
    return capture;
}

int bj_capture_next(bj_capture *capture, bj_packet *packet, bj_text *why) {
    struct pcap_pkthdr *header;
    const u_char *data;
    int got = pcap_next_ex(capture->pcap, &header, &data);
    if (got == PCAP_ERROR_BREAK) {
        return 0;
    }
    if (got != 1) {
        bj_text_printf(why, "damaged after frame %u: %s", (unsigned) capture->frame, pcap_geterr(capture->pcap));
        return -1;
    }
    *packet = (bj_packet){ .frame = ++capture->frame,
                           .time = (uint64_t) header->ts.tv_sec * BJ_SECOND + (uint64_t) header->ts.tv_usec };
    bj_reader r = bj_reader_over(data, header->caplen);
    if (skip_link(&r, capture->link)) {
        read_ip(&r, packet);
    }
    return 1;
}

void bj_capture_close(bj_capture *capture) {
    if (capture) {
        pcap_close(capture->pcap);
        free(capture);
    }
}
