/* SPDX-License-Identifier: Apache-2.0
 *
 * See pcapng_read.h.
 */
#include "capture/pcapng_read.h"

#include <stdlib.h>
#include <string.h>

enum {
    SECTION = 0x0A0D0D0A,
    INTERFACE = 1,
    OLD_PACKET = 2,
    SIMPLE_PACKET = 3,
    PACKET = 6,
    JOURNAL = 9,
    MAGIC = 0x1A2B3C4D,
    MOST_BLOCK = 16 << 20,
    MOST_INTERFACES = 1 << 16,
    OPTION_RESOLUTION = 9, /* if_tsresol */
    OPTION_OFFSET = 14,    /* if_tsoffset */
};

typedef struct interface {
    int link;
    uint32_t snap; /* of a packet no more is kept; 0: all */
    uint8_t resolution;
    int64_t offset; /* seconds */
} interface;

struct bj_pcapng_reader {
    bj_capture_file *file;
    bool swapped;
    bool begun; /* a section has */
    interface *interfaces;
    size_t count, room;
    const uint8_t *block; /* behind type and length */
    uint64_t last;
};

/* --- numbers -------------------------------------------------------------------------------------------------- */

static uint32_t four(const bj_pcapng_reader *r, const uint8_t *b) {
    return bj_capture_four(b, r->swapped);
}

static uint16_t two(const bj_pcapng_reader *r, const uint8_t *b) {
    return bj_capture_two(b, r->swapped);
}

static uint64_t eight(const bj_pcapng_reader *r, const uint8_t *b) {
    uint64_t native;
    memcpy(&native, b, sizeof native);
    return r->swapped ? __builtin_bswap64(native) : native;
}

/* --- clocks --------------------------------------------------------------------------------------------------- */

/* Ticks of a power of two of a second: the seconds, and of what is left no more bits than microseconds need. */
static uint64_t binary_ticks(uint64_t ticks, unsigned bits) {
    if (bits > 63) {
        return 0;
    }
    uint64_t seconds = ticks >> bits, part = ticks & ((UINT64_C(1) << bits) - 1);
    unsigned dropped = bits > 40 ? bits - 40 : 0;
    return seconds * 1000000 + (((part >> dropped) * 1000000) >> (bits - dropped));
}

static uint64_t decimal_ticks(uint64_t ticks, unsigned digits) {
    for (; digits > 6; digits--) {
        ticks /= 10;
    }
    for (; digits < 6; digits++) {
        ticks *= 10;
    }
    return ticks;
}

static uint64_t microseconds(const interface *i, uint64_t ticks) {
    unsigned exponent = i->resolution & 0x7F;
    uint64_t time = i->resolution & 0x80 ? binary_ticks(ticks, exponent) : decimal_ticks(ticks, exponent);
    return time + (uint64_t) i->offset * 1000000;
}

/* --- blocks --------------------------------------------------------------------------------------------------- */

static bool damaged(bj_text *why, const char *what) {
    bj_text_add(why, what);
    return false;
}

static int cut_off(const bj_pcapng_reader *r, bj_text *why) {
    damaged(why, bj_capture_file_damaged(r->file) ? "what is compressed is damaged"
                                                  : "the file ends in the middle of a block");
    return -1;
}

/* The next block: its type, and the length of its body. 1, 0 at the end, -1. */
static int next_block(bj_pcapng_reader *r, uint32_t *type, size_t *length, bj_text *why) {
    size_t begun = 8;
    if (bj_capture_file_at_end(r->file)) {
        return 0;
    }
    const uint8_t *head = bj_capture_file_peek(r->file, begun);
    if (head && four(r, head) == SECTION) {
        begun = 12;
        head = bj_capture_file_peek(r->file, begun);
        r->swapped = head && four(r, head + 8) != MAGIC ? !r->swapped : r->swapped;
        if (head && four(r, head + 8) != MAGIC) {
            damaged(why, "a section without its byte order");
            return -1;
        }
    }
    if (!head) {
        return cut_off(r, why);
    }
    *type = four(r, head);
    uint32_t total = four(r, head + 4);
    if (total < begun + 4 || total % 4 || total > MOST_BLOCK) {
        bj_text_printf(why, "a block of %u bytes", (unsigned) total);
        return -1;
    }
    const uint8_t *block = bj_capture_file_take(r->file, total);
    if (!block) {
        return cut_off(r, why);
    }
    *length = total - begun - 4;
    r->block = block + begun;
    if (four(r, r->block + *length) != total) {
        damaged(why, "a block whose two lengths differ");
        return -1;
    }
    return 1;
}

/* Interfaces are counted anew in each section. */
static void begin_section(bj_pcapng_reader *r) {
    r->begun = true;
    r->count = 0;
}

static void read_options(const bj_pcapng_reader *r, interface *i, size_t at, size_t length) {
    while (at + 4 <= length) {
        unsigned code = two(r, r->block + at), size = two(r, r->block + at + 2);
        if (!code || at + 4 + size > length) {
            return;
        }
        if (code == OPTION_RESOLUTION && size == 1) {
            i->resolution = r->block[at + 4];
        } else if (code == OPTION_OFFSET && size == 8) {
            i->offset = (int64_t) eight(r, r->block + at + 4);
        }
        at += 4 + ((size + 3U) & ~3U);
    }
}

static bool read_interface(bj_pcapng_reader *r, size_t length, bj_text *why) {
    if (length < 8 || r->count == MOST_INTERFACES) {
        return damaged(why, "an interface whose description is cut off, or one too many");
    }
    if (r->count == r->room) {
        size_t room = r->room ? r->room * 2 : 4;
        interface *grown = realloc(r->interfaces, room * sizeof *grown);
        if (!grown) {
            return damaged(why, "no memory for an interface");
        }
        r->interfaces = grown;
        r->room = room;
    }
    interface *i = &r->interfaces[r->count++];
    *i = (interface){ .link = two(r, r->block), .snap = four(r, r->block + 4), .resolution = 6 };
    read_options(r, i, 8, length);
    return true;
}

/* --- packets -------------------------------------------------------------------------------------------------- */

static bool take_packet(bj_pcapng_reader *r, bj_pcapng_record *record, uint32_t number, const uint8_t *head,
                        size_t length) {
    size_t captured = four(r, head + 8), room = length - (size_t) (head + 16 - r->block);
    const interface *i = number < r->count ? &r->interfaces[number] : NULL;
    if (captured > room) {
        return false;
    }
    uint64_t ticks = (uint64_t) four(r, head) << 32 | four(r, head + 4);
    r->last = i ? microseconds(i, ticks) : r->last;
    *record = (bj_pcapng_record){
        .link = i ? i->link : -1, .interface = number, .time = r->last, .data = head + 16, .length = captured
    };
    return true;
}

static bool take_simple(bj_pcapng_reader *r, bj_pcapng_record *record, size_t length) {
    const interface *i = r->count ? &r->interfaces[0] : NULL;
    size_t original = four(r, r->block), most = length - 4;
    size_t kept = i && i->snap && i->snap < original ? i->snap : original;
    *record = (bj_pcapng_record){
        .link = i ? i->link : -1, .time = r->last, .data = r->block + 4, .length = kept < most ? kept : most
    };
    return true;
}

/* 1: the block is a frame; 0: it is none; -1: it is damaged. */
static int read_block(bj_pcapng_reader *r, uint32_t type, size_t length, bj_pcapng_record *record, bj_text *why) {
    bool good = true, frame = true;
    switch (type) {
    case SECTION:
        begin_section(r);
        return 0;
    case INTERFACE:
        return read_interface(r, length, why) ? 0 : -1;
    case PACKET:
        good = length >= 20 && take_packet(r, record, four(r, r->block), r->block + 4, length);
        break;
    case OLD_PACKET:
        good = length >= 20 && take_packet(r, record, two(r, r->block), r->block + 4, length);
        break;
    case SIMPLE_PACKET:
        good = length >= 4 && take_simple(r, record, length);
        break;
    case JOURNAL:
        *record = (bj_pcapng_record){ .link = -1, .time = r->last, .data = r->block, .length = 0 };
        break;
    default:
        frame = false;
        break;
    }
    if (!good) {
        damaged(why, "a packet that is longer than its block");
        return -1;
    }
    return frame;
}

int bj_pcapng_next(bj_pcapng_reader *r, bj_pcapng_record *record, bj_text *why) {
    uint32_t type;
    size_t length;
    for (;;) {
        int got = next_block(r, &type, &length, why);
        if (got == 1 && !r->begun && type != SECTION) {
            damaged(why, "no section header");
            got = -1;
        }
        if (got == 1) {
            got = read_block(r, type, length, record, why);
            if (!got) {
                continue;
            }
        }
        return got;
    }
}

bool bj_pcapng_is(bj_capture_file *file) {
    const uint8_t *first = bj_capture_file_peek(file, 1); /* no other capture begins so */
    return first && *first == (SECTION & 0xFF);
}

bj_pcapng_reader *bj_pcapng_open(bj_capture_file *file) {
    bj_pcapng_reader *r = calloc(1, sizeof *r);
    if (r) {
        r->file = file;
    }
    return r;
}

void bj_pcapng_close(bj_pcapng_reader *r) {
    if (r) {
        free(r->interfaces);
        free(r);
    }
}
