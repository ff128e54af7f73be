/* SPDX-License-Identifier: Apache-2.0
 *
 * Packets of a pcapng file (draft-ietf-opsawg-pcapng): any number of sections, each in its own byte order, with
 * interfaces whose link types and clocks differ (libpcap reads one link type a file only). Private to capture/.
 */
#ifndef BJ_CAPTURE_PCAPNG_READ_H
#define BJ_CAPTURE_PCAPNG_READ_H

#include <stdio.h>

#include "base/text.h"

typedef struct bj_pcapng_record {
    int link;            /* LINKTYPE_ of its interface; -1: it has none that was described */
    uint64_t time;       /* microseconds since 1970; where the block has none, that of the packet before */
    const uint8_t *data; /* until the next call */
    size_t length;
} bj_pcapng_record;

typedef struct bj_pcapng_reader bj_pcapng_reader;

/* Does the file begin as one of pcapng does? The stream is at its beginning again: it need not be one that can seek. */
bool bj_pcapng_is(FILE *stream);
/* The stream belongs to the reader from now on, whatever comes of it. NULL: there is no memory. */
bj_pcapng_reader *bj_pcapng_open(FILE *stream);
/* 1: *record is filled in; 0: the end; -1: the file is damaged here, *why says how. Packet blocks of every kind are
 * records, and so are entries of a journal, which count as frames: tshark counts them, too. */
int bj_pcapng_next(bj_pcapng_reader *reader, bj_pcapng_record *record, bj_text *why);
void bj_pcapng_close(bj_pcapng_reader *reader);

#endif
