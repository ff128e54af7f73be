/* SPDX-License-Identifier: Apache-2.0
 *
 * The value stream: what every content format is read into and written from. A reader gives entries, each a path with
 * a value that is not yet of the resource's type (TLV does not say the type, text not even whether it is a number);
 * bjc_entry_value() turns it into one.
 */
#ifndef BJC_FORMATS_ENTRY_H
#define BJC_FORMATS_ENTRY_H

#include "bootjack/data_model.h"
#include "util/memory.h"

/* /, /o, /o/i, /o/i/r or /o/i/r/ri: `depth` of the ids count. */
typedef struct bjc_path {
    unsigned depth;
    uint16_t ids[4];
} bjc_path;

#define BJC_PATH_TEXT 28
/* Writes "/o/i/r" (or "/") and returns it. */
const char *bjc_path_text(const bjc_path *path, char text[BJC_PATH_TEXT]);

typedef enum bjc_form {
    BJC_FORM_NOTHING = 0, /* an instance without resources, a multiple resource without instances */
    BJC_FORM_TLV,         /* bytes as OMA TLV has them */
    BJC_FORM_TEXT,        /* characters of text/plain */
    BJC_FORM_BYTES        /* application/octet-stream */
} bjc_form;

typedef struct bjc_entry {
    bjc_path path;
    bool multiple; /* belongs to a resource that the payload calls multiple */
    bjc_form form;
    const uint8_t *data;
    size_t length;
} bjc_entry;

/* The entry's value as the type of its resource. Text of an opaque resource is base64: it is decoded into `scratch`.
 * BOOTJACK_ERR_TYPE when it is not one. */
bootjack_error bjc_entry_value(const bjc_entry *entry, bootjack_type type, bjc_buffer *scratch, bootjack_value *value);

#endif
