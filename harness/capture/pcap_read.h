/* SPDX-License-Identifier: Apache-2.0
 *
 * Packets of a pcap file (draft-ietf-opsawg-pcap), of either byte order, in microseconds or nanoseconds, and with the
 * longer headers of old Linux tools. Private to capture/.
 */
#ifndef BJ_CAPTURE_PCAP_READ_H
#define BJ_CAPTURE_PCAP_READ_H

#include "capture/pcapng_read.h"

/* The longest packet that such files have. */
enum { BJ_PCAP_LONGEST = 262144 };

typedef struct bj_pcap_reader {
    bj_capture_file *file;
    int link; /* LINKTYPE_ of all packets */
    bool swapped;
    bool nanoseconds;
    uint16_t minor;  /* version 2: of old ones the two lengths of a packet stand the other way round */
    size_t header;   /* of a packet */
    size_t snapshot; /* of a packet no more is kept */
} bj_pcap_reader;

/* Reads the file's header. false: *why. The file stays the caller's. */
bool bj_pcap_begin(bj_pcap_reader *reader, bj_capture_file *file, bj_text *why);
/* 1: *record is filled in, its data until the next call; 0: the end; -1: the file is damaged here, *why says how. */
int bj_pcap_next(const bj_pcap_reader *reader, bj_pcapng_record *record, bj_text *why);

#endif
