/* SPDX-License-Identifier: Apache-2.0
 *
 * See entries.h: paths, the readers of TLV and of single values, and which format is read by what. Who only reads is
 * not linked with what compares (entries_same.c) and writes (entries_write.c).
 */
#define _GNU_SOURCE
#include "wire/entries.h"

#include <float.h>
#include <langinfo.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "wire/cbor.h"
#include "wire/entries_internal.h"
#include "wire/resources.h"

/* --- paths ---------------------------------------------------------------------------------------------------- */

bj_path bj_path_of(const char *text) {
    bj_target target = bj_target_of(text);
    bj_path path = { .depth = 0 };
    while (path.depth < 4 && target.ids[path.depth] >= 0 && target.ids[path.depth] <= UINT16_MAX) {
        path.ids[path.depth] = (uint16_t) target.ids[path.depth];
        path.depth++;
    }
    return path;
}

bool bj_path_begins(const bj_path *path, const bj_path *prefix) {
    if (path->depth < prefix->depth) {
        return false;
    }
    for (unsigned i = 0; i < prefix->depth; i++) {
        if (path->ids[i] != prefix->ids[i]) {
            return false;
        }
    }
    return true;
}

void bj_path_print(bj_text *out, const bj_path *path) {
    for (unsigned i = 0; i < path->depth; i++) {
        bj_text_add_char(out, '/');
        bj_text_add_number(out, path->ids[i]);
    }
    if (!path->depth) {
        bj_text_add(out, "/");
    }
}

bj_path bj_path_above_resources(const bj_path *target) {
    bj_path path = *target;
    path.depth = path.depth > 2 ? 2 : path.depth;
    return path;
}

bool bj__read_path(const char *text, size_t length, bj_path *path) {
    size_t at = 0;
    *path = (bj_path){ .depth = 0 };
    if (length == 1 && *text == '/') {
        return true;
    }
    while (at < length) {
        uint32_t id = 0;
        size_t digits = 0;
        if (text[at++] != '/' || path->depth == 4) {
            return false;
        }
        for (; at < length && text[at] >= '0' && text[at] <= '9' && digits < 6; at++, digits++) {
            id = id * 10 + (uint32_t) (text[at] - '0');
        }
        if (!digits || id > UINT16_MAX || (digits > 1 && text[at - digits] == '0')) {
            return false;
        }
        path->ids[path->depth++] = (uint16_t) id;
    }
    return path->depth > 0;
}

/* --- texts ---------------------------------------------------------------------------------------------------- */

bool bj__read_objlnk(const uint8_t *text, size_t length, int64_t *link) {
    char path[16] = "/";
    bj_path ids;
    if (length > 11) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '/') {
            return false;
        }
        path[1 + i] = text[i] == ':' ? '/' : (char) text[i];
    }
    if (!bj__read_path(path, length + 1, &ids) || ids.depth != 2) {
        return false;
    }
    *link = (int64_t) ids.ids[0] << 16 | ids.ids[1];
    return true;
}

/* RFC 3629 §4: how many bytes follow the first, and where the second must lie. */
static int followers(uint8_t first, uint8_t *low, uint8_t *high) {
    *low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    *high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    return first < 0x80 ? 0 : first < 0xC2 ? -1 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : first <= 0xF4 ? 3 : -1;
}

bool bj__utf8(const uint8_t *bytes, size_t length) {
    for (size_t i = 0; i < length;) {
        uint8_t low, high;
        int more = followers(bytes[i++], &low, &high);
        if (more < 0 || (size_t) more > length - i) {
            return false;
        }
        for (int k = 0; k < more; k++, i++, low = 0x80, high = 0xBF) {
            if (bytes[i] < low || bytes[i] > high) {
                return false;
            }
        }
    }
    return true;
}

/* Digits from *at on; how many. */
static size_t digits_at(const uint8_t *text, size_t length, size_t *at) {
    size_t start = *at;
    while (*at < length && text[*at] >= '0' && text[*at] <= '9') {
        ++*at;
    }
    return *at - start;
}

/* The decimal point of the process's locale, which the client may have set: strtod() and printf() go by it. */
static const char *decimal_point(void) {
    return nl_langinfo(RADIXCHAR);
}

double bj__real_of_text(const uint8_t *text, size_t length) {
    char *end;
    BJ_TEXT(copy, BJ_LONGEST_NUMBER + 16);
    if (!length || length > BJ_LONGEST_NUMBER) {
        return NAN;
    }
    const uint8_t *point = memchr(text, '.', length);
    size_t before = point ? (size_t) (point - text) : length;
    bj_text_add_bytes(&copy, (const char *) text, before);
    if (point) {
        bj_text_add(&copy, decimal_point());
        bj_text_add_bytes(&copy, (const char *) point + 1, length - before - 1);
    }
    double real = strtod(copy.start, &end);
    return *end ? NAN : real;
}

static bool fits_integer(const uint8_t *digits, size_t count, bool negative, bj_entry *number) {
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned digit = (unsigned) (digits[i] - '0');
        if (value > (UINT64_MAX - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    if (negative && value > (uint64_t) INT64_MAX + 1) {
        return false;
    }
    number->kind = !negative && value > INT64_MAX ? BJ_ENTRY_UINT : BJ_ENTRY_INT;
    number->integer = (int64_t) (negative ? 0 - value : value);
    return true;
}

/* RFC 8259 §6, for a number of any length; `*digits` of them are in front of fraction and exponent. */
static bool is_number_text(const uint8_t *text, size_t length, size_t *digits, bool *whole) {
    size_t at = length && text[0] == '-', start = at;
    *digits = digits_at(text, length, &at);
    *whole = true;
    bool fine = *digits && (*digits == 1 || text[start] != '0');
    if (fine && at < length && text[at] == '.') {
        at++;
        *whole = false;
        fine = digits_at(text, length, &at) > 0;
    }
    if (fine && at < length && (text[at] | 0x20) == 'e') {
        at++;
        at += at < length && (text[at] == '+' || text[at] == '-');
        *whole = false;
        fine = digits_at(text, length, &at) > 0;
    }
    return fine && at == length;
}

bool bj__is_number(const uint8_t *text, size_t length) {
    size_t digits;
    bool whole;
    return is_number_text(text, length, &digits, &whole);
}

bool bj__read_number(const uint8_t *text, size_t length, bj_entry *number) {
    size_t digits;
    bool whole, negative = length && text[0] == '-';
    if (length > BJ_LONGEST_NUMBER || !is_number_text(text, length, &digits, &whole)) {
        return false;
    }
    if (!whole || !fits_integer(text + negative, digits, negative, number)) {
        number->kind = BJ_ENTRY_FLOAT;
        number->real = bj__real_of_text(text, length);
    }
    return true;
}

/* In so many digits. Do they give the same double again? */
static bool print_digits(bj_text *out, double value, int digits) {
    BJ_TEXT(try, 48);
    const char *point = decimal_point();
    bj_text_printf(&try, "%.*g", digits, value);
    char *at = *point ? strstr(try.start, point) : NULL;
    *out = bj_text_over(out->start, out->size);
    bj_text_add_bytes(out, try.start, at ? (size_t) (at - try.start) : try.used);
    bj_text_add(out, at ? "." : "");
    bj_text_add(out, at ? at + strlen(point) : "");
    return bj__real_of_text((const uint8_t *) out->start, out->used) == value;
}

/* What fewer digits than DBL_DIG say, that many say, too: where they do not, there is no need to try fewer. */
void bj__print_real(bj_text *out, double value) {
    BJ_TEXT(plain, 48);
    int digits = 6;
    bool same = print_digits(&plain, value, digits);
    if (!same && !print_digits(&plain, value, DBL_DIG)) {
        digits = DBL_DIG;
    }
    while (!same && digits < DBL_DECIMAL_DIG) {
        same = print_digits(&plain, value, ++digits);
    }
    bj_text_add_bytes(out, plain.start, plain.used);
}

/* --- reading -------------------------------------------------------------------------------------------------- */

bool bj__damaged(bj_entries *in, bj_text *why, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    bj_text_vprintf(why, format, arguments);
    va_end(arguments);
    in->damaged = in->over = true;
    return false;
}

/* One level down; false when TLV is nested deeper than LwM2M nests. */
static bool descend(bj_entries *in, const bj_tlv *entry, const bj_path *path) {
    if (in->levels == BJ_NESTING) {
        return false;
    }
    in->level[in->levels].rest = in->r;
    in->level[in->levels].path = *path;
    in->level[in->levels].empty = !entry->length;
    in->levels++;
    in->r = bj_reader_over(entry->value, entry->length);
    return true;
}

static bool next_tlv(bj_entries *in, bj_tlv *entry) {
    const uint8_t *data = in->r.at;
    size_t length = bj_reader_left(&in->r);
    bool found = bj_tlv_next(&data, &length, entry);
    in->r.at = found ? data : in->r.at;
    return found;
}

/* Ids nest below the operation's Object, or below its Object Instance, which an instance's own header names again
 * (Core §7.4.3). */
static bool tlv_path(bj_entries *in, const bj_tlv *entry, bj_path *path, bj_text *why) {
    *path = in->levels ? in->level[in->levels - 1].path : bj_path_above_resources(&in->base);
    if (entry->type == BJ_TLV_INSTANCE && in->base.depth >= 2) {
        path->depth = 1;
    }
    if (path->depth == 4) {
        return bj__damaged(in, why, "values are nested deeper than Resource Instances");
    }
    if (!in->levels && in->base.depth == 1 && entry->type != BJ_TLV_INSTANCE) {
        return bj__damaged(in, why, "Resource %u stands where Object Instances are due", entry->id);
    }
    path->ids[path->depth++] = entry->id;
    return true;
}

bool bj__tlv_entry(bj_entries *in, bj_entry *entry, bj_text *why) {
    bj_tlv tlv;
    for (;;) {
        if (!bj_reader_left(&in->r) && in->levels) {
            in->levels--;
            in->r = in->level[in->levels].rest;
            if (in->level[in->levels].empty) {
                entry->path = in->level[in->levels].path;
                return true;
            }
            continue;
        }
        if (!next_tlv(in, &tlv)) {
            return false;
        }
        if (!tlv_path(in, &tlv, &entry->path, why)) {
            return false;
        }
        if (tlv.type == BJ_TLV_RESOURCE || tlv.type == BJ_TLV_RESOURCE_INSTANCE) {
            entry->kind = BJ_ENTRY_RAW;
            entry->bytes = tlv.value;
            entry->length = tlv.length;
            return true;
        }
        if (!descend(in, &tlv, &entry->path)) {
            return bj__damaged(in, why, "values are nested too deeply");
        }
    }
}

/* All the payload is one value. */
static bool single_entry(bj_entries *in, bj_entry *entry, bj_text *why) {
    size_t length = bj_reader_left(&in->r);
    in->over = true;
    entry->path = in->base;
    entry->kind = in->format == BJ_FORMAT_TEXT ? BJ_ENTRY_TEXT : BJ_ENTRY_OPAQUE;
    entry->bytes = in->r.at;
    entry->length = length;
    if (in->format == BJ_FORMAT_TEXT && !bj__utf8(in->r.at, length)) {
        return bj__damaged(in, why, "the text is not UTF-8");
    }
    if (in->format != BJ_FORMAT_CBOR) {
        return true;
    }
    if (!bj_cbor_value(&in->r, in->room, in->size, entry)) {
        return bj__damaged(in, why, "it is no single CBOR value");
    }
    return !bj_reader_left(&in->r) || bj__damaged(in, why, "%zu bytes behind the value", bj_reader_left(&in->r));
}

bool bj_entries_single(uint32_t format) {
    return format == BJ_FORMAT_TEXT || format == BJ_FORMAT_OPAQUE || format == BJ_FORMAT_CBOR;
}

bool bj_entries_name_paths(uint32_t format) {
    return format == BJ_FORMAT_SENML_JSON || format == BJ_FORMAT_SENML_CBOR || format == BJ_FORMAT_LWM2M_CBOR;
}

static bool is_tlv(uint32_t format) {
    return format == BJ_FORMAT_TLV || format == BJ_FORMAT_OLD_TLV;
}

bool bj_entries_writable(uint32_t format) {
    return bj_entries_single(format) || bj_entries_name_paths(format) || format == BJ_FORMAT_JSON ||
           format == BJ_FORMAT_OLD_JSON;
}

bool bj_entries_known(uint32_t format) {
    return is_tlv(format) || bj_entries_writable(format);
}

void bj_entries_begin(bj_entries *in, uint32_t format, const bj_path *path, const uint8_t *data, size_t length,
                      void *room, size_t size) {
    *in = (bj_entries){ .format = format, .r = bj_reader_over(data, length), .room = room, .size = size };
    in->base = path ? *path : (bj_path){ .depth = 0 };
}

/* TLV is checked as a whole before anything is read of it. */
static bool begin_tlv(bj_entries *in, bj_text *why) {
    BJ_TEXT(reason, 120);
    return bj_tlv_check(in->r.at, bj_reader_left(&in->r), &reason) || bj__damaged(in, why, "%s", reason.start);
}

static bool read_entry(bj_entries *in, bj_entry *entry, bj_text *why) {
    switch (in->format) {
    case BJ_FORMAT_SENML_JSON:
        return bj__senml_json_entry(in, entry, why);
    case BJ_FORMAT_SENML_CBOR:
        return bj__senml_cbor_entry(in, entry, why);
    case BJ_FORMAT_LWM2M_CBOR:
        return bj__lwm2m_cbor_entry(in, entry, why);
    case BJ_FORMAT_JSON:
    case BJ_FORMAT_OLD_JSON:
        return bj__lwm2m_json_entry(in, entry, why);
    case BJ_FORMAT_TLV:
    case BJ_FORMAT_OLD_TLV:
        return (in->begun || begin_tlv(in, why)) && bj__tlv_entry(in, entry, why);
    default:
        return single_entry(in, entry, why);
    }
}

bool bj_entries_next(bj_entries *in, bj_entry *entry, bj_text *why) {
    *entry = (bj_entry){ .kind = BJ_ENTRY_NONE };
    if (in->over || !bj_entries_known(in->format)) {
        return false;
    }
    bool found = read_entry(in, entry, why) && !in->damaged;
    in->begun = true;
    in->over = in->over || !found;
    if (found && !bj_path_begins(&entry->path, &in->base)) {
        BJ_TEXT(path, 32);
        BJ_TEXT(base, 32);
        bj_path_print(&path, &entry->path);
        bj_path_print(&base, &in->base);
        return bj__damaged(in, why, "%s is not in %s", path.start, base.start);
    }
    return found;
}
