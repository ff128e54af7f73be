/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two kinds of SenML have in common (RFC 8428; LwM2M Core 1.1 §7.4.4): the fields of a record and what they
 * do, base names and names that make up paths. Also the resolution of names for the JSON of LwM2M 1.0.
 */
#ifndef BJC_FORMATS_SENML_H
#define BJC_FORMATS_SENML_H

#include "formats/base64.h"
#include "formats/format.h"

typedef enum bjc_senml_role {
    BJC_SENML_BASE_VERSION,
    BJC_SENML_BASE_NAME,
    BJC_SENML_NAME,
    BJC_SENML_NUMBER,
    BJC_SENML_STRING,
    BJC_SENML_BOOLEAN,
    BJC_SENML_DATA,
    BJC_SENML_LINK,
    BJC_SENML_PASSED_OVER_NUMBER, /* times: a Write has none */
    BJC_SENML_PASSED_OVER_STRING, /* units */
    BJC_SENML_REFUSED             /* sums and base values, which change what a value means and LwM2M does not have */
} bjc_senml_role;

typedef struct bjc_senml_field {
    const char *name;
    int label; /* of SenML CBOR; BJC_SENML_BY_NAME = its name stands there, too */
    bjc_senml_role role;
} bjc_senml_field;

#define BJC_SENML_BY_NAME 100

typedef struct bjc_senml_record {
    uint32_t seen; /* a bit for each field */
    bool has_value, has_name;
    bjc_entry value;
    char name[BJC_NAME_MAX];
} bjc_senml_record;

/* NULL: no field of SenML. */
const bjc_senml_field *bjc_senml_by_name(const char *name);
const bjc_senml_field *bjc_senml_by_label(int64_t label);
/* Whether a field that nobody knows may be passed over (RFC 8428 §4.4). */
bool bjc_senml_may_ignore(const char *name);

/* Takes a field into the record. `token` is its value; `text` is what it says, when it is a string. False with a reason
 * noted: the field has no such value, comes twice, or is none that can be taken. */
bool bjc_senml_take(bjc_reader *reader, bjc_senml_record *record, const bjc_senml_field *field, const bjc_entry *token,
                    const char *text);
/* The record's entry: BJC_READ_END when it has none, because it only sets base fields. */
bjc_read bjc_senml_resolve(bjc_reader *reader, const bjc_senml_record *record, bjc_entry *entry);

/* base + name to a path inside the target, as deep as a value's or as an instance's at least. */
bool bjc_senml_path(bjc_reader *reader, const char *base, const char *name, bjc_path *path);

/* What a writer puts down for `path`: the base name (empty after the first record) and the name, empty where the base
 * name says all. */
void bjc_senml_names(const bjc_writer *writer, const bjc_path *path, char base[BJC_NAME_MAX], char name[BJC_NAME_MAX]);

/* What the two kinds of JSON call the fields of a value, numbers apart, and how they write bytes. */
typedef struct bjc_json_fields {
    const char *boolean, *string, *opaque, *link;
    bjc_base64_kind alphabet;
} bjc_json_fields;

/* Puts the field with the value, without a comma. False: memory ran out, or JSON cannot say it (a number that is none).
 */
bool bjc_json_put_value(bjc_buffer *out, const bjc_json_fields *fields, const bootjack_value *value);

#endif
