/* SPDX-License-Identifier: Apache-2.0
 *
 * From what a payload holds to a value of the resource's type (LwM2M Core 1.1 Appendix C).
 */
#define _GNU_SOURCE
#include "formats/entry.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/base64.h"

const char *bjc_path_text(const bjc_path *path, char text[BJC_PATH_TEXT]) {
    int length = snprintf(text, BJC_PATH_TEXT, "%s", path->depth ? "" : "/");
    for (unsigned i = 0; i < path->depth; i++) {
        length += snprintf(text + length, BJC_PATH_TEXT - (size_t) length, "/%u", path->ids[i]);
    }
    return text;
}

static uint64_t big_endian(const uint8_t *data, size_t length) {
    uint64_t number = 0;
    for (size_t i = 0; i < length; i++) {
        number = number << 8 | data[i];
    }
    return number;
}

static bool integer_length(size_t length) {
    return length == 1 || length == 2 || length == 4 || length == 8;
}

static int64_t sign_extended(uint64_t number, size_t length) {
    unsigned unused = 64 - 8 * (unsigned) length;
    return (int64_t) (number << unused) >> unused;
}

/* Well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates. */
static size_t utf8_sequence(const uint8_t *data, size_t room) {
    static const struct {
        uint8_t from, to;
        size_t length;
        uint8_t second_from, second_to;
    } rows[] = {
        { 0x00, 0x7F, 1, 0, 0 },       { 0xC2, 0xDF, 2, 0x80, 0xBF }, { 0xE0, 0xE0, 3, 0xA0, 0xBF },
        { 0xE1, 0xEC, 3, 0x80, 0xBF }, { 0xED, 0xED, 3, 0x80, 0x9F }, { 0xEE, 0xEF, 3, 0x80, 0xBF },
        { 0xF0, 0xF0, 4, 0x90, 0xBF }, { 0xF1, 0xF3, 4, 0x80, 0xBF }, { 0xF4, 0xF4, 4, 0x80, 0x8F },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (data[0] < rows[i].from || data[0] > rows[i].to) {
            continue;
        }
        bool good = rows[i].length <= room &&
                    (rows[i].length == 1 || (data[1] >= rows[i].second_from && data[1] <= rows[i].second_to));
        for (size_t j = 2; good && j < rows[i].length; j++) {
            good = (data[j] & 0xC0) == 0x80;
        }
        return good ? rows[i].length : 0;
    }
    return 0;
}

static bool utf8(const uint8_t *data, size_t length) {
    while (length > 0) {
        size_t used = utf8_sequence(data, length);
        if (used == 0) {
            return false;
        }
        data += used;
        length -= used;
    }
    return true;
}

static bootjack_error tlv_real(const bjc_entry *entry, bootjack_value *value) {
    uint64_t bits = big_endian(entry->data, entry->length > 8 ? 0 : entry->length);
    if (entry->length == 4) {
        uint32_t bits32 = (uint32_t) bits;
        float single;
        memcpy(&single, &bits32, sizeof single);
        value->as.real = (double) single;
        return BOOTJACK_OK;
    }
    memcpy(&value->as.real, &bits, sizeof bits);
    return entry->length == 8 ? BOOTJACK_OK : BOOTJACK_ERR_TYPE;
}

static bootjack_error tlv_number(const bjc_entry *entry, bootjack_value *value) {
    if (!integer_length(entry->length)) {
        return BOOTJACK_ERR_TYPE;
    }
    uint64_t number = big_endian(entry->data, entry->length);
    if (value->type == BOOTJACK_TYPE_UNSIGNED) {
        value->as.unsigned_integer = number;
    } else {
        value->as.integer = sign_extended(number, entry->length);
    }
    return BOOTJACK_OK;
}

static bootjack_error tlv_boolean(const bjc_entry *entry, bootjack_value *value) {
    if (entry->length != 1 || entry->data[0] > 1) {
        return BOOTJACK_ERR_TYPE;
    }
    value->as.boolean = entry->data[0] == 1;
    return BOOTJACK_OK;
}

static bootjack_error tlv_link(const bjc_entry *entry, bootjack_value *value) {
    if (entry->length != 4) {
        return BOOTJACK_ERR_TYPE;
    }
    value->as.link.object = (uint16_t) big_endian(entry->data, 2);
    value->as.link.instance = (uint16_t) big_endian(entry->data + 2, 2);
    return BOOTJACK_OK;
}

static bootjack_error bytes_value(const bjc_entry *entry, bootjack_value *value) {
    if (value->type != BOOTJACK_TYPE_OPAQUE && !utf8(entry->data, entry->length)) {
        return BOOTJACK_ERR_TYPE;
    }
    value->as.bytes.data = entry->data;
    value->as.bytes.length = entry->length;
    return BOOTJACK_OK;
}

static bootjack_error tlv_value(const bjc_entry *entry, bootjack_value *value) {
    switch (value->type) {
    case BOOTJACK_TYPE_INTEGER:
    case BOOTJACK_TYPE_UNSIGNED:
    case BOOTJACK_TYPE_TIME:
        return tlv_number(entry, value);
    case BOOTJACK_TYPE_FLOAT:
        return tlv_real(entry, value);
    case BOOTJACK_TYPE_BOOLEAN:
        return tlv_boolean(entry, value);
    case BOOTJACK_TYPE_OBJLNK:
        return tlv_link(entry, value);
    case BOOTJACK_TYPE_STRING:
    case BOOTJACK_TYPE_CORELNK:
    case BOOTJACK_TYPE_OPAQUE:
        return bytes_value(entry, value);
    case BOOTJACK_TYPE_NONE:
        break;
    }
    return BOOTJACK_ERR_METHOD;
}

/* Numbers of text/plain in a terminated copy; every character must belong to the number. */
#define NUMBER_MAX 48

static bool number_text(const bjc_entry *entry, char text[NUMBER_MAX]) {
    if (entry->length == 0 || entry->length >= NUMBER_MAX || isspace(entry->data[0])) {
        return false;
    }
    memcpy(text, entry->data, entry->length);
    text[entry->length] = '\0';
    return strlen(text) == entry->length;
}

static bool decimal(const char *text, bool may_be_negative) {
    text += *text == '+' || (may_be_negative && *text == '-') ? 1 : 0;
    return *text && strspn(text, "0123456789") == strlen(text);
}

static bootjack_error text_number(const bjc_entry *entry, bootjack_value *value) {
    char text[NUMBER_MAX];
    char *end = text;
    if (!number_text(entry, text)) {
        return BOOTJACK_ERR_TYPE;
    }
    errno = 0;
    if (value->type == BOOTJACK_TYPE_FLOAT) {
        bool plain = strspn(text, "0123456789+-.eE") == strlen(text);
        value->as.real = plain ? strtod(text, &end) : 0;
    } else if (value->type == BOOTJACK_TYPE_UNSIGNED) {
        value->as.unsigned_integer = decimal(text, false) ? strtoull(text, &end, 10) : 0;
    } else {
        value->as.integer = decimal(text, true) ? strtoll(text, &end, 10) : 0;
    }
    return end != text && *end == '\0' && errno == 0 ? BOOTJACK_OK : BOOTJACK_ERR_TYPE;
}

static bootjack_error text_boolean(const bjc_entry *entry, bootjack_value *value) {
    if (entry->length != 1 || (entry->data[0] != '0' && entry->data[0] != '1')) {
        return BOOTJACK_ERR_TYPE;
    }
    value->as.boolean = entry->data[0] == '1';
    return BOOTJACK_OK;
}

static bootjack_error text_link(const bjc_entry *entry, bootjack_value *value) {
    char text[NUMBER_MAX];
    if (!number_text(entry, text)) {
        return BOOTJACK_ERR_TYPE;
    }
    char *colon = strchr(text, ':');
    if (!colon) {
        return BOOTJACK_ERR_TYPE;
    }
    *colon = '\0';
    size_t digits = strspn(text, "0123456789"), more = strspn(colon + 1, "0123456789");
    bool good = digits > 0 && digits <= 5 && !text[digits] && more > 0 && more <= 5 && !colon[1 + more];
    unsigned long object = good ? strtoul(text, NULL, 10) : 65536;
    unsigned long instance = good ? strtoul(colon + 1, NULL, 10) : 65536;
    if (object > 65535 || instance > 65535) {
        return BOOTJACK_ERR_TYPE;
    }
    value->as.link.object = (uint16_t) object;
    value->as.link.instance = (uint16_t) instance;
    return BOOTJACK_OK;
}

static bootjack_error text_opaque(const bjc_entry *entry, bjc_buffer *scratch, bootjack_value *value) {
    scratch->length = 0;
    if (!bjc_base64_decode(entry->data, entry->length, scratch)) {
        return scratch->failed ? BOOTJACK_ERR_MEMORY : BOOTJACK_ERR_TYPE;
    }
    value->as.bytes.data = scratch->data;
    value->as.bytes.length = scratch->length;
    return BOOTJACK_OK;
}

static bootjack_error text_value(const bjc_entry *entry, bjc_buffer *scratch, bootjack_value *value) {
    switch (value->type) {
    case BOOTJACK_TYPE_INTEGER:
    case BOOTJACK_TYPE_UNSIGNED:
    case BOOTJACK_TYPE_TIME:
    case BOOTJACK_TYPE_FLOAT:
        return text_number(entry, value);
    case BOOTJACK_TYPE_BOOLEAN:
        return text_boolean(entry, value);
    case BOOTJACK_TYPE_OBJLNK:
        return text_link(entry, value);
    case BOOTJACK_TYPE_STRING:
    case BOOTJACK_TYPE_CORELNK:
        return bytes_value(entry, value);
    case BOOTJACK_TYPE_OPAQUE:
        return text_opaque(entry, scratch, value);
    case BOOTJACK_TYPE_NONE:
        break;
    }
    return BOOTJACK_ERR_METHOD;
}

bootjack_error bjc_entry_value(const bjc_entry *entry, bootjack_type type, bjc_buffer *scratch, bootjack_value *value) {
    *value = (bootjack_value){ .type = type };
    switch (entry->form) {
    case BJC_FORM_TLV:
        return tlv_value(entry, value);
    case BJC_FORM_TEXT:
        return text_value(entry, scratch, value);
    case BJC_FORM_BYTES:
        return type == BOOTJACK_TYPE_OPAQUE ? bytes_value(entry, value) : BOOTJACK_ERR_FORMAT;
    case BJC_FORM_NOTHING:
        break;
    }
    return BOOTJACK_ERR_TYPE;
}
