/* SPDX-License-Identifier: Apache-2.0
 *
 * SenML CBOR (RFC 8428 §6; LwM2M Core 1.1 §7.4.4).
 */
#include <math.h>
#include <string.h>

#include "formats/senml.h"

/* Numbers of SenML are one kind (RFC 8428 §6), and some write all of them as floating point: what is whole and exact
 * counts as an integer. Negative zero stays what it is. */
static void whole_number(bjc_entry *value) {
    double limit = 9007199254740992.0;
    if (value->form != BJC_FORM_REAL || !(fabs(value->real) <= limit) || value->real != floor(value->real) ||
        (value->real == 0 && signbit(value->real))) {
        return;
    }
    value->negative = value->real < 0;
    value->number = value->negative ? (uint64_t) (-1.0 - value->real) : (uint64_t) value->real;
    value->form = BJC_FORM_INTEGER;
}

static bool field_value(bjc_reader *reader, const bjc_senml_field *field, bjc_senml_record *record) {
    char text[BJC_NAME_MAX];
    bjc_cbor_item head;
    bjc_entry value = { .form = BJC_FORM_NOTHING };
    if (!bjc_cbor_next(&reader->at, reader->end, &head)) {
        return false;
    }
    bool short_text = head.kind == BJC_CBOR_TEXT && bjc_cbor_text(&head, text, sizeof text);
    if (!bjc_cbor_value(&reader->at, reader->end, &head, &value)) {
        bjc_reader_refuse(reader, "a value that its field cannot have");
        return false;
    }
    if (value.form == BJC_FORM_STRING_LINK) {
        value.form = BJC_FORM_STRING;
    }
    whole_number(&value);
    return bjc_senml_take(reader, record, field, &value, short_text ? text : NULL);
}

/* Labels that RFC 8428 Table 4 has are numbers; other fields have names. */
static bool find_field(bjc_reader *reader, const bjc_cbor_item *key, const bjc_senml_field **field) {
    char name[BJC_NAME_MAX];
    bool small = key->number < BJC_SENML_BY_NAME;
    *field = NULL;
    if (key->kind == BJC_CBOR_UNSIGNED || key->kind == BJC_CBOR_NEGATIVE) {
        int64_t label = small ? (int64_t) key->number : BJC_SENML_BY_NAME;
        *field = bjc_senml_by_label(key->kind == BJC_CBOR_NEGATIVE ? -1 - label : label);
        return true;
    }
    if (key->kind != BJC_CBOR_TEXT || !bjc_cbor_text(key, name, sizeof name)) {
        bjc_reader_refuse(reader, "a field without name or number");
        return false;
    }
    *field = bjc_senml_by_name(name);
    if (*field ? (*field)->label != BJC_SENML_BY_NAME : !bjc_senml_may_ignore(name)) {
        bjc_reader_refuse(reader, *field ? "a field with its name in place of its number"
                                         : "an unknown field that must be understood");
        return false;
    }
    return true;
}

static bool member(bjc_reader *reader, bjc_senml_record *record) {
    bjc_cbor_item key, head;
    const bjc_senml_field *field;
    if (!bjc_cbor_next(&reader->at, reader->end, &key) || !find_field(reader, &key, &field)) {
        return false;
    }
    if (field) {
        return field_value(reader, field, record);
    }
    return bjc_cbor_next(&reader->at, reader->end, &head) && bjc_cbor_skip(&reader->at, reader->end, &head);
}

static bool take_record(bjc_reader *reader, bjc_senml_record *record) {
    bjc_cbor_item map;
    *record = (bjc_senml_record){ .seen = 0 };
    if (!bjc_cbor_next(&reader->at, reader->end, &map) || map.kind != BJC_CBOR_MAP) {
        return false;
    }
    while (bjc_cbor_more(&reader->at, reader->end, &map)) {
        if (!member(reader, record)) {
            return false;
        }
    }
    return true;
}

static bool begin(bjc_reader *reader) {
    bool begun = reader->begun;
    reader->begun = true;
    return begun || (bjc_cbor_next(&reader->at, reader->end, &reader->list) && reader->list.kind == BJC_CBOR_ARRAY);
}

bjc_read bjc_senml_cbor_next(bjc_reader *reader, bjc_entry *entry) {
    if (!begin(reader)) {
        return BJC_READ_ERROR;
    }
    while (!reader->done && bjc_cbor_more(&reader->at, reader->end, &reader->list)) {
        bjc_senml_record record;
        if (!take_record(reader, &record)) {
            return BJC_READ_ERROR;
        }
        bjc_read result = bjc_senml_resolve(reader, &record, entry);
        if (result != BJC_READ_END) {
            return result;
        }
    }
    reader->done = true;
    return reader->at == reader->end ? BJC_READ_END : bjc_reader_refuse(reader, "something behind the end of the list");
}

/* --- writing ---------------------------------------------------------------------------------------------------- */

static const char *field_of(bootjack_type type) {
    switch (type) {
    case BOOTJACK_TYPE_STRING:
    case BOOTJACK_TYPE_CORELNK:
        return "vs";
    case BOOTJACK_TYPE_BOOLEAN:
        return "vb";
    case BOOTJACK_TYPE_OPAQUE:
        return "vd";
    case BOOTJACK_TYPE_OBJLNK:
        return "vlo";
    default:
        return "v";
    }
}

static void put_field(bjc_buffer *out, const char *name) {
    const bjc_senml_field *field = bjc_senml_by_name(name);
    if (field->label == BJC_SENML_BY_NAME) {
        bjc_cbor_put_text(out, (const uint8_t *) name, strlen(name));
    } else {
        bjc_cbor_put_integer(out, field->label);
    }
}

static void put_name(bjc_buffer *out, const char *field, const char *name) {
    if (name[0]) {
        put_field(out, field);
        bjc_cbor_put_text(out, (const uint8_t *) name, strlen(name));
    }
}

bool bjc_senml_cbor_write(bjc_writer *writer, const bjc_path *path, bool multiple, const bootjack_value *value) {
    char base[BJC_NAME_MAX], name[BJC_NAME_MAX];
    bjc_buffer *out = &writer->object;
    (void) multiple; /* the path says it */
    bjc_senml_names(writer, path, base, name);
    writer->object_count++;
    bjc_cbor_put_map(out, 1 + (base[0] != '\0') + (name[0] != '\0'));
    put_name(out, "bn", base);
    put_name(out, "n", name);
    put_field(out, field_of(value->type));
    return bjc_cbor_put_value(out, value);
}

bool bjc_senml_cbor_finish(bjc_writer *writer) {
    bjc_cbor_put_array(writer->out, writer->object_count);
    return bjc_buffer_append(writer->out, writer->object.data, writer->object.length);
}
