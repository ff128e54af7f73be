/* SPDX-License-Identifier: Apache-2.0
 *
 * Printing TLV for people. TLV carries no types: known objects lend theirs, the rest is guessed. Secrets are shown by
 * their length.
 */
#include <string.h>

#include "wire/resources.h"
#include "wire/tlv.h"

/* Text that is worth showing as text: UTF-8 without control characters (checked by the byte; a stray byte above 0x7F
 * is escaped when it is printed). */
static bool printable(const uint8_t *value, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (value[i] < 0x20 || value[i] == 0x7F) {
            return false;
        }
    }
    return true;
}

static void print_hex(bj_text *out, const bj_tlv *entry) {
    enum { SHOWN = 32 };
    bj_text_add(out, "0x");
    bj_text_hex(out, entry->value, entry->length < SHOWN ? entry->length : SHOWN);
    if (entry->length > SHOWN) {
        bj_text_printf(out, "... (%zu bytes)", entry->length);
    }
}

static uint64_t bits_of(const bj_tlv *entry) {
    uint64_t bits = 0;
    for (size_t i = 0; i < entry->length; i++) {
        bits = bits << 8 | entry->value[i];
    }
    return bits;
}

static bool print_float(bj_text *out, const bj_tlv *entry) {
    uint64_t bits = bits_of(entry);
    if (entry->length == 4) {
        uint32_t narrow_bits = (uint32_t) bits;
        float narrow;
        memcpy(&narrow, &narrow_bits, sizeof narrow);
        bj_text_printf(out, "%.9g", (double) narrow);
    } else if (entry->length == 8) {
        double wide;
        memcpy(&wide, &bits, sizeof wide);
        bj_text_printf(out, "%.17g", wide);
    }
    return entry->length == 4 || entry->length == 8;
}

/* A value of a known type; false when its bytes do not have the form of that type. */
static bool print_typed(bj_text *out, const bj_tlv *entry, char type) {
    int64_t number;
    switch (type) {
    case 'S':
        bj_text_json_string(out, (const char *) entry->value, entry->length);
        return true;
    case 'I':
    case 'T':
        if (bj_tlv_int(entry, &number)) {
            bj_text_add_signed(out, number);
            return true;
        }
        return false;
    case 'U':
        if (bj_tlv_int(entry, &number)) {
            bj_text_add_number(out, bits_of(entry));
            return true;
        }
        return false;
    case 'B':
        if (entry->length == 1 && entry->value[0] <= 1) {
            bj_text_add(out, entry->value[0] ? "true" : "false");
            return true;
        }
        return false;
    case 'F':
        return print_float(out, entry);
    case 'P':
        if (entry->length == 4) {
            bj_text_add_number(out, (unsigned) (entry->value[0] << 8 | entry->value[1]));
            bj_text_add_char(out, ':');
            bj_text_add_number(out, (unsigned) (entry->value[2] << 8 | entry->value[3]));
        }
        return entry->length == 4;
    default:
        return false;
    }
}

static void print_value(bj_text *out, const bj_tlv *entry, int object, int resource) {
    char type = bj_resource_type(object, resource);
    /* Of an object that is not known, Resource 5 might be the Secret Key of /0 where it is longer than a number. */
    bool secret = type == 'K' || (object < 0 && resource == 5 && entry->length > 8);
    if (!entry->length) {
        bj_text_add(out, "\"\"");
    } else if (secret) {
        bj_text_printf(out, "<%zu byte%s>", entry->length, entry->length == 1 ? "" : "s");
    } else if (type != '?' && print_typed(out, entry, type)) {
        return;
    } else if (type != 'O' && (type != '?' || entry->length > 1) && printable(entry->value, entry->length)) {
        /* A single byte of no known type is more often a number than a letter. */
        bj_text_json_string(out, (const char *) entry->value, entry->length);
    } else {
        print_hex(out, entry);
    }
}

static void print_level(bj_text *out, const uint8_t *data, size_t length, int object, int resource, int depth) {
    const char *comma = "";
    bj_tlv entry;
    bj_text_add(out, "{");
    while (!out->cut && bj_tlv_next(&data, &length, &entry)) {
        bj_text_add(out, comma);
        bj_text_add_number(out, entry.id);
        bj_text_add(out, ": ");
        comma = ", ";
        bool nests = entry.type == BJ_TLV_INSTANCE || entry.type == BJ_TLV_MULTIPLE;
        int inner = entry.type == BJ_TLV_MULTIPLE || entry.type == BJ_TLV_RESOURCE ? (int) entry.id : resource;
        if (nests && depth > 0) {
            print_level(out, entry.value, entry.length, object, inner, depth - 1);
        } else {
            print_value(out, &entry, object, inner);
        }
    }
    if (length && !out->cut) {
        bj_text_printf(out, "%s%zu damaged bytes", comma, length);
    }
    bj_text_add(out, "}");
}

void bj_tlv_print(bj_text *out, const uint8_t *data, size_t length, const char *path) {
    enum { LEVELS = 3 }; /* Object Instance, Resource, Resource Instance: what lies deeper is wrong */
    bj_target target = bj_target_of(path);
    print_level(out, data, length, target.ids[0], -1, LEVELS);
}
