/* SPDX-License-Identifier: Apache-2.0
 *
 * See dns_answer.h. Only the question's name is read as text; those of records are passed over (RFC 1035 4.1.4).
 */
#include "capture/dns_answer.h"

#include <string.h>

#include "wire/reader.h"

enum { TYPE_A = 1, TYPE_AAAA = 28, CLASS_IN = 1, LABELS = 128 };

static bool skip_name(bj_reader *r) {
    uint32_t size;
    for (unsigned labels = 0; labels < LABELS && bj_reader_uint(r, 1, &size); labels++) {
        if (!size) {
            return true;
        }
        if (size >= 0xC0) {
            return bj_reader_take(r, 1) != NULL;
        }
        if (size > 63 || !bj_reader_take(r, size)) {
            return false;
        }
    }
    return false;
}

static bool read_name(bj_reader *r, bj_text *name) {
    uint32_t size;
    for (unsigned labels = 0; labels < LABELS && bj_reader_uint(r, 1, &size); labels++) {
        const uint8_t *label = size && size < 64 ? bj_reader_take(r, size) : NULL;
        if (!label) {
            return size == 0 && name->used;
        }
        bj_text_add(name, name->used ? "." : "");
        bj_text_add_bytes(name, (const char *) label, size);
    }
    return false;
}

static bool read_record(bj_reader *r, bj_unit *unit) {
    uint32_t type, class, size;
    if (!skip_name(r) || !bj_reader_uint(r, 2, &type) || !bj_reader_uint(r, 2, &class) || !bj_reader_take(r, 4) ||
        !bj_reader_uint(r, 2, &size)) {
        return false;
    }
    const uint8_t *data = bj_reader_take(r, size);
    bool v4 = type == TYPE_A && size == 4, v6 = type == TYPE_AAAA && size == 16;
    if (data && class == CLASS_IN && (v4 || v6) && unit->address_count < 8) {
        bj_addr *addr = &unit->addresses[unit->address_count++];
        *addr = (bj_addr){ .family = v4 ? 4 : 6 };
        memcpy(addr->ip, data, size);
    }
    return data != NULL;
}

bool bj_dns_answer_read(bj_unit *unit, const uint8_t *data, size_t length) {
    bj_reader r = bj_reader_over(data, length);
    const uint8_t *header = bj_reader_take(&r, 12);
    uint32_t type, class;
    bj_text name = bj_text_over(unit->name, sizeof unit->name);
    if (!header || !(header[2] & 0x80) || header[4] || header[5] != 1 || !read_name(&r, &name) || name.cut ||
        !bj_reader_uint(&r, 2, &type) || !bj_reader_uint(&r, 2, &class) || (type != TYPE_A && type != TYPE_AAAA)) {
        return false;
    }
    unit->status = header[3] & 15;
    for (unsigned left = (unsigned) header[6] << 8 | header[7]; left && read_record(&r, unit); left--) {
    }
    return true;
}
