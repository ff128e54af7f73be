/* SPDX-License-Identifier: Apache-2.0
 *
 * See names.h (draft-ietf-opsawg-pcapng, 4.5).
 */
#define _GNU_SOURCE
#include "capture/names.h"

#include <string.h>

#include "capture/capture_file.h"
#include "capture/pcapng_read.h"

enum { SECTION = 0x0A0D0D0A, NAMES = 4, PACKET = 6, SIMPLE_PACKET = 3, MAGIC = 0x1A2B3C4D, MOST = 1 << 16 };

typedef struct reader {
    bj_capture_file *file;
    bool swapped;
} reader;

static bool number(const reader *r, uint32_t *value) {
    const uint8_t *b = bj_capture_file_take(r->file, 4);
    uint32_t native = 0;
    if (b) {
        memcpy(&native, b, 4);
    }
    *value = r->swapped ? __builtin_bswap32(native) : native;
    return b != NULL;
}

static unsigned two(const reader *r, const uint8_t *b) {
    uint16_t native;
    memcpy(&native, b, 2);
    return r->swapped ? __builtin_bswap16(native) : native;
}

/* An address, and names behind it, each ended by NUL. */
static void read_record(bj_names *names, const uint8_t *record, size_t length, size_t ip) {
    for (size_t at = ip; at < length && names->count < BJ_NAMES;) {
        size_t size = strnlen((const char *) record + at, length - at);
        if (size && size < sizeof names->all[0].name && at + size < length) {
            names->all[names->count].address = (bj_addr){ .family = ip == 4 ? 4 : 6 };
            memcpy(names->all[names->count].address.ip, record, ip);
            memcpy(names->all[names->count].name, record + at, size);
            names->all[names->count++].name[size] = '\0';
        }
        at += size + 1;
    }
}

static void read_block(const reader *r, bj_names *names, const uint8_t *body, size_t length) {
    for (size_t at = 0; at + 4 <= length;) {
        unsigned type = two(r, body + at), size = two(r, body + at + 2);
        if (!type || at + 4 + size > length) {
            return;
        }
        if ((type == 1 && size > 4) || (type == 2 && size > 16)) {
            read_record(names, body + at + 4, size, type == 1 ? 4 : 16);
        }
        at += 4 + ((size + 3U) & ~3U);
    }
}

static bool next_block(reader *r, bj_names *names) {
    uint32_t type, total, magic;
    if (!number(r, &type) || !number(r, &total)) {
        return false;
    }
    if (type == SECTION) {
        if (!number(r, &magic)) {
            return false;
        }
        r->swapped = magic == MAGIC ? r->swapped : !r->swapped;
        total = magic == MAGIC ? total : __builtin_bswap32(total);
    }
    size_t begun = type == SECTION ? 12 : 8;
    if (type == PACKET || type == SIMPLE_PACKET || total < begun + 4 || total > MOST) {
        return false;
    }
    size_t left = total - begun;
    const uint8_t *body = bj_capture_file_take(r->file, left);
    if (body && type == NAMES) {
        read_block(r, names, body, left - 4);
    }
    return body != NULL;
}

void bj_names_read(bj_names *names, const char *file) {
    BJ_TEXT(why, 200);
    reader r = { .file = bj_capture_file_open(&(bj_capture_source){ .name = file }, &why) };
    names->count = 0;
    if (!r.file) {
        return;
    }
    bool more = bj_pcapng_is(r.file);
    while (more) {
        more = next_block(&r, names);
    }
    bj_capture_file_close(r.file);
}
