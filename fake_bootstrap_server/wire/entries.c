/* SPDX-License-Identifier: Apache-2.0
 *
 * See entries.h: paths, the readers of TLV and of single values, comparing, and which format is read and written by
 * what.
 */
#include "wire/entries.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "wire/base64.h"
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
static void decimal_point(char point[8]) {
    BJ_TEXT(sample, 16);
    bj_text_printf(&sample, "%.1f", 1.5);
    size_t length = sample.used > 2 ? sample.used - 2 : 0;
    length = length > 7 ? 7 : length;
    memcpy(point, sample.start + 1, length);
    point[length] = '\0';
}

enum { LONGEST_NUMBER = 200 }; /* characters */

/* NaN when it is more than a number, or longer than one may be. */
static double real_of_text(const uint8_t *text, size_t length) {
    char point[8];
    char *end;
    BJ_TEXT(copy, LONGEST_NUMBER + 16);
    decimal_point(point);
    if (!length || length > LONGEST_NUMBER) {
        return NAN;
    }
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '.') {
            bj_text_add(&copy, point);
        } else {
            bj_text_add_bytes(&copy, (const char *) text + i, 1);
        }
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
    if (length > LONGEST_NUMBER || !is_number_text(text, length, &digits, &whole)) {
        return false;
    }
    if (!whole || !fits_integer(text + negative, digits, negative, number)) {
        number->kind = BJ_ENTRY_FLOAT;
        number->real = real_of_text(text, length);
    }
    return true;
}

void bj__print_real(bj_text *out, double value) {
    bool printed = false;
    for (int digits = 6; digits <= 17 && !printed; digits++) {
        BJ_TEXT(try, 48);
        BJ_TEXT(plain, 48);
        char point[8];
        decimal_point(point);
        bj_text_printf(&try, "%.*g", digits, value);
        char *at = *point ? strstr(try.start, point) : NULL;
        bj_text_add_bytes(&plain, try.start, at ? (size_t) (at - try.start) : try.used);
        bj_text_add(&plain, at ? "." : "");
        bj_text_add(&plain, at ? at + strlen(point) : "");
        if (digits == 17 || real_of_text((const uint8_t *) plain.start, plain.used) == value) {
            bj_text_add(out, plain.start);
            printed = true;
        }
    }
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

/* --- comparing ------------------------------------------------------------------------------------------------ */

static bool same_bytes(const bj_entry *a, const bj_entry *b) {
    return a->length == b->length && (!a->length || !memcmp(a->bytes, b->bytes, a->length));
}

static bool same_base64(const bj_entry *wanted, const bj_entry *seen) {
    size_t at = 0;
    char group[4];
    for (size_t i = 0; i < wanted->length; i += 3) {
        size_t count = bj_base64_group(wanted->bytes + i, wanted->length - i, false, group);
        if (count > seen->length - at || memcmp(seen->bytes + at, group, count) != 0) {
            return false;
        }
        at += count;
    }
    return at == seen->length;
}

static bool is_number(const bj_entry *entry) {
    return entry->kind == BJ_ENTRY_INT || entry->kind == BJ_ENTRY_UINT || entry->kind == BJ_ENTRY_FLOAT;
}

static double real_value(const bj_entry *entry) {
    return entry->kind == BJ_ENTRY_FLOAT  ? entry->real
           : entry->kind == BJ_ENTRY_UINT ? (double) (uint64_t) entry->integer
                                          : (double) entry->integer;
}

static bool same_number(const bj_entry *wanted, const bj_entry *seen) {
    if (!is_number(wanted) || !is_number(seen)) {
        return false;
    }
    if (wanted->kind == BJ_ENTRY_FLOAT || seen->kind == BJ_ENTRY_FLOAT) {
        double a = real_value(wanted), b = real_value(seen);
        return a == b || (a != a && b != b);
    }
    return wanted->kind == seen->kind && wanted->integer == seen->integer;
}

static bool raw_real(const bj_tlv *tlv, bj_entry *number) {
    uint64_t bits = 0;
    float narrow;
    if (tlv->length != 4 && tlv->length != 8) {
        return false;
    }
    for (size_t i = 0; i < tlv->length; i++) {
        bits = bits << 8 | tlv->value[i];
    }
    uint32_t narrow_bits = (uint32_t) bits;
    memcpy(&narrow, &narrow_bits, sizeof narrow);
    memcpy(&number->real, &bits, sizeof number->real);
    number->real = tlv->length == 4 ? (double) narrow : number->real;
    number->kind = BJ_ENTRY_FLOAT;
    return true;
}

/* Of 1, 2, 4 or 8 bytes: bj_tlv_int() has looked. */
static uint64_t raw_unsigned(const bj_tlv *tlv) {
    uint64_t value = 0;
    for (size_t i = 0; i < tlv->length; i++) {
        value = value << 8 | tlv->value[i];
    }
    return value;
}

/* The bytes of TLV, read as the type that is wanted. */
static bool same_raw(const bj_entry *wanted, const bj_entry *seen) {
    bj_tlv tlv = { .value = seen->bytes, .length = seen->length };
    bj_entry number = { .kind = BJ_ENTRY_INT };
    switch (wanted->kind) {
    case BJ_ENTRY_STRING:
    case BJ_ENTRY_OPAQUE:
    case BJ_ENTRY_RAW:
        return same_bytes(wanted, seen);
    case BJ_ENTRY_BOOL:
        return bj_tlv_int(&tlv, &number.integer) && number.integer == wanted->integer;
    case BJ_ENTRY_INT: /* TLV does not say whether there is a sign */
    case BJ_ENTRY_UINT:
        return bj_tlv_int(&tlv, &number.integer) &&
               (number.integer == wanted->integer || raw_unsigned(&tlv) == (uint64_t) wanted->integer);
    case BJ_ENTRY_FLOAT: /* of 4 and 8 bytes; shorter ones can only be integers */
        return (raw_real(&tlv, &number) || bj_tlv_int(&tlv, &number.integer)) && same_number(wanted, &number);
    case BJ_ENTRY_OBJLNK:
        return seen->length == 4 && bj_tlv_int(&tlv, &number.integer) &&
               (uint32_t) number.integer == (uint32_t) wanted->integer;
    default:
        return false;
    }
}

/* "+7" and "007" are 7, and for a Float "7." and ".5" are numbers: text/plain has decimal digits, and no rule of JSON
 * about them. */
static bool read_decimal(const bj_entry *seen, bool real, bj_entry *value) {
    char digits[LONGEST_NUMBER];
    const uint8_t *at = seen->bytes, *stop = at + seen->length;
    if (real) {
        value->kind = BJ_ENTRY_FLOAT;
        value->real = real_of_text(seen->bytes, seen->length);
        return !isnan(value->real);
    }
    size_t used = 0;
    digits[used] = '-';
    used += at < stop && *at == '-';
    at += at < stop && (*at == '-' || *at == '+');
    while (stop - at > 1 && at[0] == '0' && at[1] >= '0' && at[1] <= '9') {
        at++;
    }
    size_t length = (size_t) (stop - at);
    if (used + length > sizeof digits) {
        return false;
    }
    memcpy(digits + used, at, length);
    return bj__read_number((const uint8_t *) digits, used + length, value);
}

/* A text/plain value, read as the type that is wanted (Core §7.4.1). */
static bool same_text(const bj_entry *wanted, const bj_entry *seen) {
    bj_entry value = { .kind = BJ_ENTRY_NONE };
    switch (wanted->kind) {
    case BJ_ENTRY_STRING:
        return same_bytes(wanted, seen);
    case BJ_ENTRY_OPAQUE:
        return same_base64(wanted, seen);
    case BJ_ENTRY_BOOL:
        return seen->length == 1 && seen->bytes[0] == (wanted->integer ? '1' : '0');
    case BJ_ENTRY_OBJLNK:
        return bj__read_objlnk(seen->bytes, seen->length, &value.integer) && value.integer == wanted->integer;
    default:
        return read_decimal(seen, wanted->kind == BJ_ENTRY_FLOAT, &value) && same_number(wanted, &value);
    }
}

bool bj_entry_same(const bj_entry *wanted, const bj_entry *seen) {
    int64_t link;
    if (seen->kind == BJ_ENTRY_RAW || seen->kind == BJ_ENTRY_TEXT) {
        return seen->kind == BJ_ENTRY_RAW ? same_raw(wanted, seen) : same_text(wanted, seen);
    }
    if (is_number(wanted)) {
        return same_number(wanted, seen);
    }
    if (seen->kind == BJ_ENTRY_STRING && wanted->kind == BJ_ENTRY_OBJLNK) {
        return (seen->also & BJ_ALSO_OBJLNK) && bj__read_objlnk(seen->bytes, seen->length, &link) &&
               link == wanted->integer;
    }
    if (seen->kind == BJ_ENTRY_STRING && wanted->kind == BJ_ENTRY_OPAQUE) {
        return (seen->also & BJ_ALSO_OPAQUE) && same_base64(wanted, seen);
    }
    bool text = wanted->kind == BJ_ENTRY_STRING || wanted->kind == BJ_ENTRY_OPAQUE;
    return wanted->kind == seen->kind && (text ? same_bytes(wanted, seen) : wanted->integer == seen->integer);
}

/* --- writing -------------------------------------------------------------------------------------------------- */

void bj__put(bj_entry_writer *w, const void *bytes, size_t length) {
    bj__put_at(w, w->bytes.used, bytes, length);
}

void bj__put_at(bj_entry_writer *w, size_t mark, const void *bytes, size_t length) {
    bj_tlv_writer *to = &w->bytes;
    if (to->overflow || length > to->room - to->used) {
        to->overflow = true;
        return;
    }
    if (length) {
        memmove(to->out + mark + length, to->out + mark, to->used - mark);
        memcpy(to->out + mark, bytes, length);
    }
    to->used += length;
}

bool bj__names(bj_entry_writer *w, const bj_path *path, bj_text *base, bj_text *name) {
    bool below = bj_path_begins(path, &w->base) && path->depth > w->base.depth;
    bj_path before = below ? w->base : *path;
    bj_path_print(base, &before);
    bj_text_add(base, below && before.depth ? "/" : "");
    for (unsigned i = before.depth; i < path->depth; i++) {
        bj_text_printf(name, i > before.depth ? "/%u" : "%u", path->ids[i]);
    }
    bool again = w->count && bj_path_begins(&w->named, &before) && w->named.depth == before.depth;
    w->named = before;
    return !again;
}

static void write_base64(bj_entry_writer *w, const bj_entry *entry) {
    char group[4];
    for (size_t i = 0; i < entry->length; i += 3) {
        bj__put(w, group, bj_base64_group(entry->bytes + i, entry->length - i, false, group));
    }
}

/* Core §7.4.1 */
static void write_text(bj_entry_writer *w, const bj_entry *entry) {
    BJ_TEXT(text, 64);
    if (entry->kind == BJ_ENTRY_OPAQUE) {
        write_base64(w, entry);
    } else if (entry->kind == BJ_ENTRY_STRING || entry->kind == BJ_ENTRY_TEXT) {
        bj__put(w, entry->bytes, entry->length);
    } else if (entry->kind == BJ_ENTRY_BOOL) {
        bj__put(w, entry->integer ? "1" : "0", 1);
    } else if (entry->kind != BJ_ENTRY_NONE) {
        bj_entry_print(&text, entry);
        bj__put(w, text.start, text.used);
    }
}

/* The bytes of a value, whatever it is. */
static void write_opaque(bj_entry_writer *w, const bj_entry *entry) {
    if (entry->kind == BJ_ENTRY_OPAQUE || entry->kind == BJ_ENTRY_RAW) {
        bj__put(w, entry->bytes, entry->length);
    } else {
        write_text(w, entry);
    }
}

static void write_single(bj_entry_writer *w, const bj_entry *entry) {
    if (w->count) {
        return;
    }
    if (w->format == BJ_FORMAT_CBOR) {
        bj_cbor_put_value(w, entry);
    } else if (w->format == BJ_FORMAT_TEXT) {
        write_text(w, entry);
    } else {
        write_opaque(w, entry);
    }
}

void bj_entries_write_begin(bj_entry_writer *w, uint32_t format, const bj_path *path, uint8_t *out, size_t room) {
    *w = (bj_entry_writer){ .format = format, .base = *path, .bytes = { .out = out, .room = room } };
}

void bj_entries_write(bj_entry_writer *w, const bj_entry *given) {
    bj_entry typed = *given;
    const bj_entry *entry = &typed;
    typed.kind = given->kind == BJ_ENTRY_RAW    ? BJ_ENTRY_OPAQUE
                 : given->kind == BJ_ENTRY_TEXT ? BJ_ENTRY_STRING
                                                : given->kind;
    switch (w->format) {
    case BJ_FORMAT_SENML_JSON:
        bj__senml_json_write(w, entry);
        break;
    case BJ_FORMAT_SENML_CBOR:
        bj__senml_cbor_write(w, entry);
        break;
    case BJ_FORMAT_LWM2M_CBOR:
        bj__lwm2m_cbor_write(w, entry);
        break;
    case BJ_FORMAT_JSON:
    case BJ_FORMAT_OLD_JSON:
        bj__lwm2m_json_write(w, entry);
        break;
    default:
        write_single(w, entry);
        w->count++;
        break;
    }
}

size_t bj_entries_write_end(bj_entry_writer *w) {
    switch (w->format) {
    case BJ_FORMAT_SENML_JSON:
        bj__senml_json_end(w);
        break;
    case BJ_FORMAT_SENML_CBOR:
        bj__senml_cbor_end(w);
        break;
    case BJ_FORMAT_LWM2M_CBOR:
        bj__lwm2m_cbor_end(w);
        break;
    case BJ_FORMAT_JSON:
    case BJ_FORMAT_OLD_JSON:
        bj__lwm2m_json_end(w);
        break;
    default:
        break;
    }
    return w->bytes.overflow ? 0 : w->bytes.used;
}
