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
/* Whether `path` is `above` or something below it. */
bool bjc_path_inside(const bjc_path *path, const bjc_path *above);

typedef enum bjc_form {
    BJC_FORM_NOTHING = 0, /* an instance without resources, a multiple resource without instances */
    BJC_FORM_TLV,         /* bytes as OMA TLV has them */
    BJC_FORM_TEXT,        /* characters of text/plain */
    BJC_FORM_BYTES,       /* opaque: application/octet-stream, byte strings of CBOR */
    /* Forms that say what they are. */
    BJC_FORM_INTEGER,       /* `number`, or -1 - `number` */
    BJC_FORM_REAL,          /* `real` */
    BJC_FORM_NUMBER,        /* characters of a number of JSON */
    BJC_FORM_BOOLEAN,       /* `boolean` */
    BJC_FORM_STRING,        /* UTF-8 */
    BJC_FORM_LINK,          /* characters "oid:iid", nothing but an Object Link */
    BJC_FORM_STRING_LINK,   /* UTF-8, which may be an Object Link */
    BJC_FORM_STRING_BASE64, /* UTF-8, which may be opaque in base64 */
    BJC_FORM_BASE64URL      /* opaque in base64url without padding */
} bjc_form;

/* What must be undone before `data` is what the form says. */
typedef enum bjc_wrapping {
    BJC_WRAPPING_NONE = 0,
    BJC_WRAPPING_JSON,  /* escapes of a JSON string; the quotation marks are not part of it */
    BJC_WRAPPING_CHUNKS /* definite chunks of a CBOR string of indefinite length, without start and break */
} bjc_wrapping;

typedef struct bjc_entry {
    bjc_path path;
    bool multiple; /* belongs to a resource that the payload calls multiple */
    bjc_form form;
    bjc_wrapping wrapping;
    const uint8_t *data;
    size_t length;
    uint64_t number;
    bool negative;
    bool boolean;
    bool time; /* a number that the payload calls a time */
    double real;
} bjc_entry;

/* The entry's value as the type of its resource. What is not in the payload as it is meant (base64, escapes) is decoded
 * into `scratch`. BOOTJACK_ERR_TYPE when it is not one. */
bootjack_error bjc_entry_value(const bjc_entry *entry, bootjack_type type, bjc_buffer *scratch, bootjack_value *value);

#endif
