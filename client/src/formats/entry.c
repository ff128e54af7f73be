/* SPDX-License-Identifier: Apache-2.0
 *
 * From what a payload holds to a value of the resource's type (LwM2M Core 1.1 Appendix C).
 */
#define _GNU_SOURCE
#include "formats/entry.h"

#include <stdio.h>

#include "formats/cbor.h"
#include "formats/json.h"
#include "formats/value.h"

static char *put_id(char *at, unsigned id) {
    char digits[5];
    size_t count = 0;
    do {
        digits[count++] = (char) ('0' + id % 10);
        id /= 10;
    } while (id);
    while (count) {
        *at++ = digits[--count];
    }
    return at;
}

const char *bjc_path_text(const bjc_path *path, char text[BJC_PATH_TEXT]) {
    char *at = text;
    for (unsigned i = 0; i < path->depth; i++) {
        *at++ = '/';
        at = put_id(at, path->ids[i]);
    }
    if (!path->depth) {
        *at++ = '/';
    }
    *at = '\0';
    return text;
}

bool bjc_path_inside(const bjc_path *path, const bjc_path *above) {
    bool inside = path->depth >= above->depth;
    for (unsigned i = 0; inside && i < above->depth; i++) {
        inside = path->ids[i] == above->ids[i];
    }
    return inside;
}

static bootjack_error value_of(const bjc_entry *entry, bjc_buffer *scratch, bootjack_value *value) {
    switch (entry->form) {
    case BJC_FORM_NOTHING:
        return BOOTJACK_ERR_TYPE;
    case BJC_FORM_TLV:
        return bjc_value_of_tlv(entry, value);
    case BJC_FORM_TEXT:
        return bjc_value_of_text(entry, scratch, value);
    case BJC_FORM_BYTES:
        return value->type == BOOTJACK_TYPE_OPAQUE ? bjc_value_of_bytes(entry, value) : BOOTJACK_ERR_FORMAT;
    default:
        return bjc_value_of_typed(entry, scratch, value);
    }
}

/* Base64 shrinks where it lies; all other conversions of unwrapped text borrow from it. */
static bootjack_error unwrapped_value(const bjc_entry *entry, bjc_buffer *scratch, bootjack_value *value) {
    bjc_buffer text;
    bjc_buffer_init(&text, scratch->allocator);
    bool good = entry->wrapping == BJC_WRAPPING_JSON ? bjc_json_unescape(entry->data, entry->length, &text)
                                                     : bjc_cbor_join(entry->data, entry->length, &text);
    if (!good) {
        bool memory = text.failed;
        bjc_buffer_free(&text);
        return memory ? BOOTJACK_ERR_MEMORY : BOOTJACK_ERR_FORMAT;
    }
    bjc_entry plain = *entry;
    plain.wrapping = BJC_WRAPPING_NONE;
    plain.data = text.data;
    plain.length = text.length;
    bootjack_error error = value_of(&plain, scratch, value);
    /* What was borrowed from the text moves into the scratch memory, which the caller keeps. */
    if (!error && plain.form != BJC_FORM_BASE64URL && value->type != BOOTJACK_TYPE_OBJLNK &&
        value->as.bytes.data == text.data) {
        bjc_buffer_free(scratch);
        *scratch = text;
        return BOOTJACK_OK;
    }
    bjc_buffer_free(&text);
    return error;
}

bootjack_error bjc_entry_value(const bjc_entry *entry, bootjack_type type, bjc_buffer *scratch, bootjack_value *value) {
    *value = (bootjack_value){ .type = type };
    if (type == BOOTJACK_TYPE_NONE) {
        return entry->form == BJC_FORM_NOTHING ? BOOTJACK_ERR_TYPE : BOOTJACK_ERR_METHOD;
    }
    return entry->wrapping == BJC_WRAPPING_NONE ? value_of(entry, scratch, value)
                                                : unwrapped_value(entry, scratch, value);
}
