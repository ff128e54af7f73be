/* SPDX-License-Identifier: Apache-2.0
 *
 * See pcap_read.h.
 */
#include "capture/pcap_read.h"

#include <limits.h>
#include <string.h>

#define MICROSECONDS UINT32_C(0xA1B2C3D4)
#define NANOSECONDS  UINT32_C(0xA1B23C4D)
#define LONG_HEADERS UINT32_C(0xA1B2CD34) /* A. Kuznetsov's: the interface and the protocol behind the lengths */
enum { FILE_HEADER = 24, HEADER = 16, LONG_HEADER = 24, RESERVED = 0x03FF0000 };

static uint32_t four(const bj_pcap_reader *r, const uint8_t *b) {
    return bj_capture_four(b, r->swapped);
}

static uint16_t two(const bj_pcap_reader *r, const uint8_t *b) {
    return bj_capture_two(b, r->swapped);
}

/* The byte order, too. */
static bool read_magic(bj_pcap_reader *r, const uint8_t *b) {
    for (int swapped = 0; swapped <= 1; swapped++) {
        r->swapped = swapped;
        uint32_t magic = four(r, b);
        if (magic == MICROSECONDS || magic == NANOSECONDS || magic == LONG_HEADERS) {
            r->nanoseconds = magic == NANOSECONDS;
            r->header = magic == LONG_HEADERS ? LONG_HEADER : HEADER;
            return true;
        }
    }
    return false;
}

/* What a file is that begins so, as far as people who capture know it. */
static const char *packer_of(const uint8_t *b) {
    static const struct {
        uint8_t magic[4];
        const char *name;
    } packers[] = { { { 0x28, 0xB5, 0x2F, 0xFD }, "zstd" },
                    { { 0x04, 0x22, 0x4D, 0x18 }, "lz4" },
                    { { 0xFD, 0x37, 0x7A, 0x58 }, "xz" },
                    { { 0x42, 0x5A, 0x68, 0 }, "bzip2" },
                    { { 0x50, 0x4B, 3, 4 }, "zip" } };
    for (unsigned i = 0; b && i < sizeof packers / sizeof packers[0]; i++) {
        if (!memcmp(b, packers[i].magic, packers[i].magic[3] ? 4 : 3)) {
            return packers[i].name;
        }
    }
    return NULL;
}

bool bj_pcap_begin(bj_pcap_reader *r, bj_capture_file *file, bj_text *why) {
    *r = (bj_pcap_reader){ .file = file };
    const uint8_t *magic = bj_capture_file_peek(file, 4);
    if (!magic || !read_magic(r, magic)) {
        const char *packer = packer_of(magic);
        if (packer) {
            bj_text_printf(why, "it is packed with %s, and gzip alone is unpacked here", packer);
        } else {
            bj_text_add(why, "it begins neither as pcap nor as pcapng (Wireshark's editcap converts other formats)");
        }
        return false;
    }
    const uint8_t *b = bj_capture_file_take(file, FILE_HEADER);
    if (!b) {
        bj_text_add(why, "it ends in its header");
        return false;
    }
    unsigned major = two(r, b + 4);
    uint32_t snapshot = four(r, b + 16), link = four(r, b + 20);
    r->minor = two(r, b + 6);
    if (major != 2 || r->minor > 4 || (link & RESERVED)) {
        bj_text_printf(why, "version %u.%u of pcap, link type 0x%x", major, (unsigned) r->minor, (unsigned) link);
        return false;
    }
    r->link = (int) (link & UINT16_MAX); /* above it: of the frame check sequence */
    r->snapshot = snapshot && snapshot <= INT_MAX ? snapshot : BJ_PCAP_LONGEST;
    return true;
}

/* What was captured. Before version 2.3 it stands behind the packet's length, in 2.3 in either place. */
static uint32_t captured_length(const bj_pcap_reader *r, const uint8_t *header) {
    uint32_t first = four(r, header + 8), second = four(r, header + 12);
    bool other = r->minor < 3 || (r->minor == 3 && first > second);
    return other ? second : first;
}

static int cut_off(const bj_pcap_reader *r, bj_text *why) {
    bj_text_add(why, bj_capture_file_damaged(r->file) ? "what is compressed is damaged"
                                                      : "the file ends in the middle of a packet");
    return -1;
}

int bj_pcap_next(const bj_pcap_reader *r, bj_pcapng_record *record, bj_text *why) {
    if (bj_capture_file_at_end(r->file)) {
        return 0;
    }
    const uint8_t *header = bj_capture_file_take(r->file, r->header);
    if (!header) {
        return cut_off(r, why);
    }
    uint32_t length = captured_length(r, header), part = four(r, header + 4);
    *record = (bj_pcapng_record){ .link = r->link,
                                  .time = (uint64_t) four(r, header) * 1000000 + part / (r->nanoseconds ? 1000 : 1),
                                  .length = length < r->snapshot ? length : r->snapshot };
    if (length > BJ_PCAP_LONGEST) {
        bj_text_printf(why, "a packet of %u bytes", (unsigned) length);
        return -1;
    }
    record->data = bj_capture_file_take(r->file, length);
    return record->data ? 1 : cut_off(r, why);
}
