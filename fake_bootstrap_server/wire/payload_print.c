/* SPDX-License-Identifier: Apache-2.0
 *
 * Payloads for people: one line each, secrets shown by their length whatever the format.
 */
#include <string.h>

#include "wire/entries.h"
#include "wire/payload.h"
#include "wire/reader.h"
#include "wire/resources.h"
#include "wire/tlv.h"

enum { TEXT_SHOWN = 400, HEX_SHOWN = 64 };

void bj_print_plain(bj_text *out, const uint8_t *bytes, size_t length) {
    size_t begin = 0; /* of what is printed as it is */
    for (size_t i = 0; i < length && !out->cut; i++) {
        if (bytes[i] < 0x20 || bytes[i] == 0x7F) {
            bj_text_add_bytes(out, (const char *) bytes + begin, i - begin);
            bj_text_add(out, "\\x");
            bj_text_hex(out, bytes + i, 1);
            begin = i + 1;
        }
    }
    if (begin < length) {
        bj_text_add_bytes(out, (const char *) bytes + begin, length - begin);
    }
}

static void print_length(bj_text *out, size_t length) {
    bj_text_add_char(out, '<');
    bj_text_add_number(out, length);
    bj_text_add(out, length == 1 ? " byte>" : " bytes>");
}

/* How much of a text to show: not more than TEXT_SHOWN, and not half of a character. */
static size_t shown(const uint8_t *data, size_t length) {
    if (length <= TEXT_SHOWN) {
        return length;
    }
    size_t end = TEXT_SHOWN;
    while (end > 0 && (data[end] & 0xC0) == 0x80) {
        end--;
    }
    return end;
}

static void print_rest(bj_text *out, size_t printed, size_t length) {
    if (printed < length) {
        bj_text_printf(out, "... (%zu bytes)", length);
    }
}

static void print_hex(bj_text *out, const uint8_t *data, size_t length) {
    print_length(out, length);
    bj_text_add(out, " ");
    bj_text_hex(out, data, length < HEX_SHOWN ? length : HEX_SHOWN);
    bj_text_add(out, length > HEX_SHOWN ? "..." : "");
}

static void print_string(bj_text *out, const uint8_t *data, size_t length) {
    size_t take = shown(data, length);
    bj_text_json_string(out, (const char *) data, take);
    print_rest(out, take, length);
}

/* --- JSON ----------------------------------------------------------------------------------------------------- */

/* A JSON string in its quotes; false when it does not end. *body is what stands between the quotes. */
static bool read_json_string(bj_reader *r, bj_reader *body) {
    bj_reader_take(r, 1);
    body->at = r->at;
    for (; r->at < r->end; r->at++) {
        if (*r->at == '"') {
            body->end = r->at++;
            return true;
        }
        if (*r->at == '\\' && r->at + 1 < r->end) {
            r->at++;
        }
    }
    body->end = r->end;
    return false;
}

static bool is(const bj_reader *body, const char *word) {
    return bj_reader_left(body) == strlen(word) && !memcmp(body->at, word, strlen(word));
}

/* "vd" is opaque. In an object that has secrets, a string could be one, too, unless it is a URI or short. */
static bool hides(const bj_reader *key, const bj_reader *value, bool known) {
    if (is(key, "vd")) {
        return true;
    }
    bool string = is(key, "vs") || is(key, "sv");
    bool uri = bj_reader_left(value) >= 4 && !memcmp(value->at, "coap", 4);
    return known && string && !uri && bj_reader_left(value) > 8;
}

/* The text with the values of secrets replaced by their lengths. `known`: the target is known to have secrets. */
static void print_json_hiding(bj_text *out, const uint8_t *data, size_t length, bool known) {
    bj_reader r = bj_reader_over(data, length);
    bj_reader key = r;
    bool value_next = false;
    key.end = key.at;
    while (bj_reader_left(&r) && !out->cut) {
        const uint8_t *start = r.at;
        bj_reader body;
        if (*r.at != '"') {
            value_next = *r.at == ':' || (value_next && (*r.at == ' ' || *r.at == '\t'));
            bj_print_plain(out, bj_reader_take(&r, 1), 1);
            continue;
        }
        read_json_string(&r, &body);
        if (value_next && hides(&key, &body, known)) {
            bj_text_add(out, "\"<");
            bj_text_add_number(out, bj_reader_left(&body));
            bj_text_add(out, " characters>\"");
        } else {
            bj_print_plain(out, start, (size_t) (r.at - start));
        }
        key = body;
        value_next = false;
    }
}

static void print_json(bj_text *out, const uint8_t *data, size_t length, const bj_target *target) {
    size_t take = shown(data, length);
    if (bj_target_has_secrets(target)) {
        print_json_hiding(out, data, take, target->ids[0] >= 0);
    } else {
        bj_print_plain(out, data, take);
    }
    print_rest(out, take, length);
}

/* --- CBOR ----------------------------------------------------------------------------------------------------- */

/* Reads the head of a CBOR item (RFC 8949 section 3). *skip: the bytes of a string behind it. */
static bool read_cbor_head(bj_reader *r, unsigned *major, uint64_t *skip) {
    static const size_t sizes[] = { 1, 2, 4, 8 };
    uint32_t first;
    if (!bj_reader_uint(r, 1, &first)) {
        return false;
    }
    unsigned info = first & 31;
    uint64_t argument = info;
    *major = first >> 5;
    if (info >= 24 && info <= 27) {
        const uint8_t *bytes = bj_reader_take(r, sizes[info - 24]);
        argument = 0;
        for (size_t i = 0; bytes && i < sizes[info - 24]; i++) {
            argument = argument << 8 | bytes[i];
        }
        if (!bytes) {
            return false;
        }
    } else if (info > 27) {
        argument = 0; /* an indefinite length: chunks follow, each with a head of its own */
    }
    *skip = *major == 2 || *major == 3 ? argument : 0;
    return info < 28 || info == 31;
}

/* In hexadecimal, byte strings by their length. Heads follow each other in CBOR however it nests. false: damaged. */
static bool print_cbor_hiding(bj_text *out, const uint8_t *data, size_t length) {
    bj_reader r = bj_reader_over(data, length);
    while (bj_reader_left(&r) && !out->cut) {
        const uint8_t *start = r.at;
        unsigned major;
        uint64_t skip;
        if (!read_cbor_head(&r, &major, &skip) || skip > bj_reader_left(&r)) {
            return false;
        }
        bj_text_hex(out, start, (size_t) (r.at - start));
        const uint8_t *body = bj_reader_take(&r, (size_t) skip);
        if (major == 2 && skip) {
            print_length(out, (size_t) skip);
        } else {
            bj_text_hex(out, body, (size_t) skip);
        }
    }
    return true;
}

static void print_cbor(bj_text *out, const uint8_t *data, size_t length, const bj_target *target) {
    char room[4 * HEX_SHOWN];
    bj_text hidden = bj_text_over(room, sizeof room);
    if (!bj_target_has_secrets(target)) {
        print_hex(out, data, length);
        return;
    }
    print_length(out, length);
    if (print_cbor_hiding(&hidden, data, length)) {
        bj_text_add_char(out, ' ');
        bj_text_add_bytes(out, hidden.start, hidden.used);
    }
}

/* --- all of them ---------------------------------------------------------------------------------------------- */

/* Bytes without a format that says what they are: text when they look like it (a diagnostic payload). */
static void print_guess(bj_text *out, const uint8_t *data, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if ((data[i] < 0x20 && data[i] != '\n' && data[i] != '\r' && data[i] != '\t') || data[i] == 0x7F) {
            bj_text_add(out, "payload ");
            print_hex(out, data, length);
            return;
        }
    }
    bj_text_add(out, "text ");
    print_string(out, data, length);
}

/* The values of a payload that keeps the rules of its format; false when it does not, or is too long for the room. */
static bool print_values(bj_text *out, uint32_t format, const uint8_t *data, size_t length, const char *path) {
    enum { ROOM = 2048 };
    uint8_t room[ROOM];
    BJ_TEXT(line, ROOM);
    bj_path base = bj_path_of(path);
    bj_entries in;
    if (length > sizeof room || !bj_entries_known(format)) {
        return false;
    }
    /* What names its paths is shown wherever it leads. */
    bj_entries_begin(&in, format, bj_entries_name_paths(format) ? NULL : &base, data, length, room, sizeof room);
    bool fine = bj_entries_print(&line, &in, &base) && !line.cut;
    if (fine) {
        bj_text_add_bytes(out, line.start, line.used);
    }
    return fine;
}

static void print_known(bj_text *out, uint32_t format, const uint8_t *data, size_t length, const char *path) {
    bj_target target = bj_target_of(path);
    bool secret = bj_resource_type(target.ids[0], target.ids[2]) == 'K';
    switch (format) {
    case BJ_FORMAT_TLV:
    case BJ_FORMAT_OLD_TLV:
        bj_tlv_print(out, data, length, path);
        return;
    case BJ_FORMAT_SENML_JSON:
    case BJ_FORMAT_ETCH_JSON:
    case BJ_FORMAT_JSON:
    case BJ_FORMAT_OLD_JSON:
        if (!print_values(out, format, data, length, path)) {
            print_json(out, data, length, &target);
        }
        return;
    case BJ_FORMAT_SENML_CBOR:
    case BJ_FORMAT_ETCH_CBOR:
    case BJ_FORMAT_LWM2M_CBOR:
    case BJ_FORMAT_CBOR:
        if (!print_values(out, format, data, length, path)) {
            print_cbor(out, data, length, &target);
        }
        return;
    case BJ_FORMAT_LINK:
        bj_print_plain(out, data, shown(data, length));
        print_rest(out, shown(data, length), length);
        return;
    default:
        break;
    }
    if (secret) {
        print_length(out, length);
    } else if (format == BJ_FORMAT_TEXT) {
        print_string(out, data, length);
    } else {
        print_hex(out, data, length);
    }
}

/* A block of a transfer: where a secret begins and ends in it cannot be known. */
static void print_part(bj_text *out, const uint8_t *data, size_t length, const bj_target *target) {
    bj_text_add(out, "part ");
    if (bj_target_has_secrets(target)) {
        print_length(out, length);
    } else {
        print_hex(out, data, length);
    }
}

void bj_payload_print(bj_text *out, uint32_t format, bool part, const uint8_t *data, size_t length, const char *path) {
    const char *name = bj_format_name(format);
    bj_target target = bj_target_of(path);
    bool secret = bj_resource_type(target.ids[0], target.ids[2]) == 'K';
    if (name) {
        bj_text_add_char(out, ' ');
        bj_text_add(out, name);
        bj_text_add_char(out, ' ');
    } else if (format == BJ_FORMAT_NONE) {
        bj_text_add(out, " ");
    } else {
        bj_text_add(out, " format-");
        bj_text_add_number(out, format);
        bj_text_add_char(out, ' ');
    }
    if (part) {
        print_part(out, data, length, &target);
    } else if (name) {
        print_known(out, format, data, length, path);
    } else if (secret) {
        print_length(out, length);
    } else if (format == BJ_FORMAT_NONE) {
        print_guess(out, data, length);
    } else {
        print_hex(out, data, length);
    }
}
