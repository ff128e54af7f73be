/* SPDX-License-Identifier: Apache-2.0
 *
 * Packets of a pcapng file (draft-ietf-opsawg-pcapng): any number of sections, each in its own byte order, with
 * interfaces whose link types and clocks differ. Private to capture/.
 */
#ifndef BJ_CAPTURE_PCAPNG_READ_H
#define BJ_CAPTURE_PCAPNG_READ_H

#include "capture/capture_file.h"

typedef struct bj_pcapng_record {
    int link;            /* LINKTYPE_ of its interface; -1: it has none that was described */
    uint32_t interface;  /* its number in the section */
    uint64_t time;       /* microseconds since 1970; where the block has none, that of the packet before */
    const uint8_t *data; /* until the next call */
    size_t length;
} bj_pcapng_record;

typedef struct bj_pcapng_reader bj_pcapng_reader;

/* Does the file, of which nothing was taken yet, begin as one of pcapng does? */
bool bj_pcapng_is(bj_capture_file *file);
/* The file stays the caller's. NULL: there is no memory. */
bj_pcapng_reader *bj_pcapng_open(bj_capture_file *file);
/* 1: *record is filled in; 0: the end; -1: the file is damaged here, *why says how. Packet blocks of every kind are
 * records, and so are entries of a journal, which count as frames: tshark counts them, too. */
int bj_pcapng_next(bj_pcapng_reader *reader, bj_pcapng_record *record, bj_text *why);
void bj_pcapng_close(bj_pcapng_reader *reader);

#endif
