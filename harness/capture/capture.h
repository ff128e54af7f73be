/* SPDX-License-Identifier: Apache-2.0
 *
 * Captures: a run's event log written as a pcapng file that other tools open, and captures of others read. Runs in the
 * parent process only (allocates, opens files).
 */
#ifndef BJ_CAPTURE_CAPTURE_H
#define BJ_CAPTURE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "log/eventlog.h"

/* Virtual time 0 in a capture: 2030-01-01 00:00:00 UTC, so that the same run gives the same bytes. */
#define BJ_CAPTURE_EPOCH UINT64_C(1893456000)

/* Writes what the log holds as raw IP packets (LINKTYPE_RAW): one for every datagram sent, lost ones with a comment;
 * ICMP errors; TCP connections as segments. Names of the actors are in a name resolution block; comments say what was
 * lost and why, what is broken on purpose, and where the run failed. false: *why says what could not be done. */
bool bj_capture_write(const bj_log *log, const char *file, bj_text *why);

typedef enum bj_packet_kind {
    BJ_PACKET_OTHER = 0, /* nothing below is known but frame and time */
    BJ_PACKET_UDP = 1,
    BJ_PACKET_TCP = 2,
    BJ_PACKET_ICMP = 3, /* Destination Unreachable: port, about a datagram of UDP */
} bj_packet_kind;

/* Why a packet is OTHER that is a fragment, as long as the others are not there. */
#define BJ_PACKET_FRAGMENT "a fragment of a datagram that is not whole"

enum { BJ_TCP_FIN = 1, BJ_TCP_SYN = 2, BJ_TCP_RST = 4, BJ_TCP_ACK = 16 };

/* One packet of a capture. `data` lives until the next call. */
typedef struct bj_packet {
    uint32_t frame; /* from 1, as tshark counts */
    uint64_t time;  /* microseconds since 1970 */
    uint8_t kind;   /* bj_packet_kind */
    bj_addr from;
    bj_addr to;
    const uint8_t *data; /* payload of UDP or TCP */
    size_t length;
    size_t full_length;        /* what the headers say; greater than `length` in a capture that was cut */
    uint32_t tcp_sequence;     /* of data[0] */
    uint32_t tcp_acknowledged; /* where BJ_TCP_ACK is set: what is expected next from the other side */
    uint8_t tcp_flags;
    /* ICMP: the datagram that met a closed port; `data` is what the error quotes of its payload. */
    bj_addr quoted_from;
    bj_addr quoted_to;
    uint32_t joined;  /* so many packets before it were BJ_PACKET_FRAGMENT, and are in it */
    const char *why;  /* OTHER: what it is, or what cannot be understood of it */
    uint32_t copy_of; /* the frame that holds the same packet, captured at another place; 0: none */
} bj_packet;

typedef struct bj_capture bj_capture;

/* Where a capture is read from: a file of that name; or, where `bytes` is not NULL, memory that holds what a file
 * would, and must outlive the reading. The name is for reasons then. */
typedef struct bj_capture_source {
    const char *name;
    const void *bytes;
    size_t length;
} bj_capture_source;

/* Opens a pcap or pcapng capture, gzip or not, whose link type is Ethernet (VLANs and PPPoE among it), PPP, Linux
 * cooked (v1, v2), raw IP or null/loopback. NULL: *why says what is wrong. A datagram in fragments is the packet of the
 * last of them that comes.
 */
bj_capture *bj_capture_open(const bj_capture_source *source, bj_text *why);
/* 1: *packet is filled in; 0: the end; -1: the file is damaged here, *why says how. */
int bj_capture_next(bj_capture *capture, bj_packet *packet, bj_text *why);
void bj_capture_close(bj_capture *capture);

/* `bootjack decode FILE`: every CoAP message of a capture, decoded by our own codec, on standard output. argv[0] is
 * "decode". Returns the exit status: 0, 2 (the file cannot be read), 64 (wrong usage). */
int bj_decode_main(int argc, char **argv);

#endif
