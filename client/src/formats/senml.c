/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of SenML (RFC 8428 §4).
 */
#include "formats/senml.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "formats/number.h"

/* RFC 8428 Table 1 and Table 4; "vlo" of LwM2M Core 1.1 §7.4.4. */
static const bjc_senml_field fields[] = {
    { "bver", -1, BJC_SENML_BASE_VERSION },
    { "bn", -2, BJC_SENML_BASE_NAME },
    { "bt", -3, BJC_SENML_PASSED_OVER_NUMBER },
    { "bu", -4, BJC_SENML_PASSED_OVER_STRING },
    { "bv", -5, BJC_SENML_REFUSED },
    { "bs", -6, BJC_SENML_REFUSED },
    { "n", 0, BJC_SENML_NAME },
    { "u", 1, BJC_SENML_PASSED_OVER_STRING },
    { "v", 2, BJC_SENML_NUMBER },
    { "vs", 3, BJC_SENML_STRING },
    { "vb", 4, BJC_SENML_BOOLEAN },
    { "s", 5, BJC_SENML_REFUSED },
    { "t", 6, BJC_SENML_PASSED_OVER_NUMBER },
    { "ut", 7, BJC_SENML_PASSED_OVER_NUMBER },
    { "vd", 8, BJC_SENML_DATA },
    { "vlo", BJC_SENML_BY_NAME, BJC_SENML_LINK },
};

const bjc_senml_field *bjc_senml_by_name(const char *name) {
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (strcmp(fields[i].name, name) == 0) {
            return &fields[i];
        }
    }
    return NULL;
}

const bjc_senml_field *bjc_senml_by_label(int64_t label) {
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (fields[i].label == label && label != BJC_SENML_BY_NAME) {
            return &fields[i];
        }
    }
    return NULL;
}

bool bjc_senml_may_ignore(const char *name) {
    size_t length = strlen(name);
    return length == 0 || name[length - 1] != '_';
}

/* --- reading ---------------------------------------------------------------------------------------------------- */

static bool refuse(bjc_reader *reader, const char *reason) {
    bjc_reader_refuse(reader, reason);
    return false;
}

static bool is_number(const bjc_entry *token) {
    return token->form == BJC_FORM_NUMBER || token->form == BJC_FORM_INTEGER || token->form == BJC_FORM_REAL;
}

/* RFC 8428 §4.4: versions from 11 on may mean something else by what we know. */
static bool known_version(const bjc_entry *token) {
    int64_t version = 0;
    if (token->form == BJC_FORM_INTEGER && !token->negative && token->number <= 10) {
        version = (int64_t) token->number;
    } else if (token->form == BJC_FORM_NUMBER && !bjc_number_integer(token->data, token->length, &version)) {
        return false;
    }
    return version >= 1 && version <= 10;
}

static bool take_name(char *to, const bjc_entry *token, const char *text) {
    if (token->form != BJC_FORM_STRING || !text) {
        return false;
    }
    assert(strlen(text) < BJC_NAME_MAX);
    memcpy(to, text, strlen(text) + 1);
    return true;
}

/* The forms that a value field may have; `form` becomes what the stream calls it. */
static bool value_form(bjc_senml_role role, bjc_form *form) {
    switch (role) {
    case BJC_SENML_NUMBER:
        return *form == BJC_FORM_NUMBER || *form == BJC_FORM_INTEGER || *form == BJC_FORM_REAL;
    case BJC_SENML_BOOLEAN:
        return *form == BJC_FORM_BOOLEAN;
    case BJC_SENML_DATA:
        return *form == BJC_FORM_BYTES || *form == BJC_FORM_BASE64URL;
    case BJC_SENML_LINK:
    case BJC_SENML_STRING: {
        bool string = *form == BJC_FORM_STRING;
        *form = role == BJC_SENML_LINK ? BJC_FORM_LINK : BJC_FORM_STRING;
        return string;
    }
    default:
        return false;
    }
}

static bool take_value(bjc_reader *reader, bjc_senml_record *record, bjc_senml_role role, const bjc_entry *token) {
    record->value = *token;
    if (record->has_value) {
        return refuse(reader, "a record with two values");
    }
    record->has_value = true;
    return value_form(role, &record->value.form) ? true : refuse(reader, "a value that its field cannot have");
}

bool bjc_senml_take(bjc_reader *reader, bjc_senml_record *record, const bjc_senml_field *field, const bjc_entry *token,
                    const char *text) {
    uint32_t bit = UINT32_C(1) << (field - fields);
    if (record->seen & bit) {
        return refuse(reader, "a record with the same field twice");
    }
    record->seen |= bit;
    switch (field->role) {
    case BJC_SENML_BASE_VERSION:
        return known_version(token) ? true : refuse(reader, "a version of SenML that is not known");
    case BJC_SENML_BASE_NAME:
        return take_name(reader->base, token, text) ? true : refuse(reader, "a base name that is none");
    case BJC_SENML_NAME:
        record->has_name = true;
        return take_name(record->name, token, text) ? true : refuse(reader, "a name that is none");
    case BJC_SENML_PASSED_OVER_NUMBER:
        return is_number(token) ? true : refuse(reader, "a time that is no number");
    case BJC_SENML_PASSED_OVER_STRING:
        return token->form == BJC_FORM_STRING ? true : refuse(reader, "a unit that is no string");
    case BJC_SENML_REFUSED:
        return refuse(reader, "a sum or a base value, which LwM2M does not have");
    default:
        return take_value(reader, record, field->role, token);
    }
}

/* "/" and a number in its shortest form; returns the length, 0 = none. 65535 is a number, too, but names nothing. */
static size_t path_segment(const char *text, uint16_t *id) {
    unsigned long value = 0;
    size_t length = 1;
    if (text[0] != '/' || (text[1] == '0' && text[2] >= '0' && text[2] <= '9')) {
        return 0;
    }
    for (; text[length] >= '0' && text[length] <= '9' && length < 7; length++) {
        value = value * 10 + (unsigned long) (text[length] - '0');
    }
    *id = (uint16_t) value;
    return length > 1 && length <= 6 && value <= BOOTJACK_ID_INVALID ? length : 0;
}

bool bjc_senml_path(bjc_reader *reader, const char *base, const char *name, bjc_path *path) {
    char text[2 * BJC_NAME_MAX];
    snprintf(text, sizeof text, "%s%s", base, name);
    *path = (bjc_path){ 0 };
    bool root = reader->paths && strcmp(text, "/") == 0;
    for (size_t at = 0, length; text[at] && !root; at += length) {
        length = path->depth < 4 ? path_segment(text + at, &path->ids[path->depth]) : 0;
        if (length == 0 || !bjc_reader_id(reader, path->depth, &path->ids[path->depth])) {
            return refuse(reader, "a name that is no path");
        }
        path->depth++;
    }
    if ((path->depth < 2 && !reader->paths) || !bjc_path_inside(path, &reader->target)) {
        return refuse(reader, "a path that does not belong to the target of the request");
    }
    return true;
}

bjc_read bjc_senml_resolve(bjc_reader *reader, const bjc_senml_record *record, bjc_entry *entry) {
    bjc_path path;
    if (!record->has_value && !record->has_name) {
        return BJC_READ_END;
    }
    if (!bjc_senml_path(reader, reader->base, record->name, &path)) {
        return BJC_READ_ERROR;
    }
    if (reader->paths) {
        *entry = (bjc_entry){ .path = path, .form = BJC_FORM_NOTHING };
        return record->has_value ? bjc_reader_refuse(reader, "a value where paths are named") : BJC_READ_ENTRY;
    }
    /* A name alone says that an instance is there, or a multiple resource without instances. */
    if (record->has_value ? path.depth < 3 : path.depth == 4) {
        return bjc_reader_refuse(reader, record->has_value ? "a value for a whole instance" : "a record without value");
    }
    *entry = record->value;
    entry->path = path;
    entry->multiple = record->has_value ? path.depth == 4 : path.depth == 3;
    return BJC_READ_ENTRY;
}

/* --- writing ---------------------------------------------------------------------------------------------------- */

void bjc_senml_names(const bjc_writer *writer, const bjc_path *path, char base[BJC_NAME_MAX], char name[BJC_NAME_MAX]) {
    char text[BJC_PATH_TEXT];
    bool deeper = path->depth > writer->target.depth;
    base[0] = name[0] = '\0';
    if (writer->object_count == 0) {
        bool slash = deeper && writer->target.depth > 0; /* the root's text is one already */
        snprintf(base, BJC_NAME_MAX, "%s%s", bjc_path_text(&writer->target, text), slash ? "/" : "");
    }
    for (unsigned i = writer->target.depth; i < path->depth; i++) {
        size_t used = strlen(name);
        snprintf(name + used, BJC_NAME_MAX - used, "%s%u", used ? "/" : "", path->ids[i]);
    }
}
