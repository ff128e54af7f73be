/* SPDX-License-Identifier: Apache-2.0
 *
 * SenML JSON (RFC 8428 §5; LwM2M Core 1.1 §7.4.4).
 */
#include <inttypes.h>
#include <string.h>

#include "formats/number.h"
#include "formats/senml.h"

static bool take_token(bjc_json *json, bjc_json_token *token, bjc_entry *value) {
    *value = (bjc_entry){ .form = BJC_FORM_NUMBER };
    int next = bjc_json_peek(json);
    if (next == 't' || next == 'f') {
        value->form = BJC_FORM_BOOLEAN;
        value->boolean = next == 't';
        return bjc_json_literal(json, next == 't' ? "true" : "false");
    }
    if (next == '"') {
        value->form = BJC_FORM_STRING;
        if (!bjc_json_string(json, token)) {
            return false;
        }
    } else if (!bjc_json_number(json, token)) {
        return false;
    }
    value->wrapping = token->escaped ? BJC_WRAPPING_JSON : BJC_WRAPPING_NONE;
    value->data = token->data;
    value->length = token->length;
    return true;
}

/* Behind the colon. */
static bool field_value(bjc_reader *reader, bjc_json *json, const bjc_senml_field *field, bjc_senml_record *record) {
    char text[BJC_NAME_MAX];
    bjc_json_token token = { 0 };
    bjc_entry value;
    if (!take_token(json, &token, &value)) {
        return false;
    }
    if (field->role == BJC_SENML_DATA && value.form == BJC_FORM_STRING) {
        value.form = BJC_FORM_BASE64URL;
    }
    bool short_text = value.form == BJC_FORM_STRING && bjc_json_text(&token, text, sizeof text);
    return bjc_senml_take(reader, record, field, &value, short_text ? text : NULL);
}

static bool member(bjc_reader *reader, bjc_json *json, bjc_senml_record *record) {
    bjc_json_token key;
    char name[BJC_NAME_MAX];
    if (!bjc_json_string(json, &key) || !bjc_json_take(json, ':')) {
        return false;
    }
    if (!bjc_json_text(&key, name, sizeof name)) {
        bjc_reader_refuse(reader, "the name of a field is too long");
        return false;
    }
    const bjc_senml_field *field = bjc_senml_by_name(name);
    if (field) {
        return field_value(reader, json, field, record);
    }
    if (!bjc_senml_may_ignore(name)) {
        bjc_reader_refuse(reader, "an unknown field that must be understood");
        return false;
    }
    return bjc_json_skip(json);
}

static bool take_record(bjc_reader *reader, bjc_json *json, bjc_senml_record *record) {
    *record = (bjc_senml_record){ .seen = 0 };
    if (!bjc_json_take(json, '{')) {
        return false;
    }
    if (bjc_json_take(json, '}')) {
        return true;
    }
    do {
        if (!member(reader, json, record)) {
            return false;
        }
    } while (bjc_json_take(json, ','));
    return bjc_json_take(json, '}');
}

/* Moves to the next record; *over: there is none. */
static bool to_record(bjc_reader *reader, bjc_json *json, bool *over) {
    *over = false;
    if (!reader->begun) {
        reader->begun = true;
        if (!bjc_json_take(json, '[')) {
            return false;
        }
        *over = bjc_json_take(json, ']');
        return true;
    }
    *over = bjc_json_take(json, ']');
    return *over || bjc_json_take(json, ',');
}

static bjc_read end_of_payload(bjc_reader *reader, bjc_json *json) {
    if (bjc_json_peek(json) != 0 || json->at != json->end) {
        return bjc_reader_refuse(reader, "something behind the end of the list");
    }
    reader->done = true;
    reader->at = json->at;
    return BJC_READ_END;
}

bjc_read bjc_senml_json_next(bjc_reader *reader, bjc_entry *entry) {
    bjc_json json = { reader->at, reader->end };
    bjc_read result = BJC_READ_END;
    while (result == BJC_READ_END && !reader->done) {
        bjc_senml_record record;
        bool over;
        if (!to_record(reader, &json, &over)) {
            return BJC_READ_ERROR;
        }
        if (over) {
            return end_of_payload(reader, &json);
        }
        if (!take_record(reader, &json, &record)) {
            return BJC_READ_ERROR;
        }
        result = bjc_senml_resolve(reader, &record, entry);
    }
    reader->at = json.at;
    return result;
}

/* --- writing ---------------------------------------------------------------------------------------------------- */

/* A field whose value is text: the name, a colon, and a quotation mark before what the caller puts. */
static bool put_quoted(bjc_buffer *out, const char *name) {
    return bjc_buffer_format(out, "\"%s\":\"", name);
}

bool bjc_json_put_value(bjc_buffer *out, const bjc_json_fields *fields, const bootjack_value *value) {
    char number[BJC_NUMBER_TEXT];
    switch (value->type) {
    case BOOTJACK_TYPE_INTEGER:
    case BOOTJACK_TYPE_TIME:
        return bjc_buffer_format(out, "\"v\":%" PRId64, value->as.integer);
    case BOOTJACK_TYPE_UNSIGNED:
        return bjc_buffer_format(out, "\"v\":%" PRIu64, value->as.unsigned_integer);
    case BOOTJACK_TYPE_FLOAT:
        return bjc_number_text(value->as.real, number) && bjc_buffer_format(out, "\"v\":%s", number);
    case BOOTJACK_TYPE_BOOLEAN:
        return bjc_buffer_format(out, "\"%s\":%s", fields->boolean, value->as.boolean ? "true" : "false");
    case BOOTJACK_TYPE_OBJLNK:
        put_quoted(out, fields->link);
        return bjc_buffer_format(out, "%u:%u\"", value->as.link.object, value->as.link.instance);
    case BOOTJACK_TYPE_STRING:
    case BOOTJACK_TYPE_CORELNK:
        bjc_buffer_format(out, "\"%s\":", fields->string);
        bjc_json_put_string(out, value->as.bytes.data, value->as.bytes.length);
        return !out->failed;
    case BOOTJACK_TYPE_OPAQUE:
        put_quoted(out, fields->opaque);
        bjc_base64_encode(fields->alphabet, value->as.bytes.data, value->as.bytes.length, out);
        return bjc_buffer_text(out, "\"");
    case BOOTJACK_TYPE_NONE:
        break;
    }
    return false;
}

bool bjc_senml_json_write(bjc_writer *writer, const bjc_path *path, bool multiple, const bootjack_value *value) {
    static const bjc_json_fields fields = {
        .boolean = "vb", .string = "vs", .opaque = "vd", .link = "vlo", .alphabet = BJC_BASE64URL
    };
    char base[BJC_NAME_MAX], name[BJC_NAME_MAX];
    (void) multiple; /* the path says it */
    bjc_senml_names(writer, path, base, name);
    bjc_buffer_text(writer->out, writer->object_count++ ? ",{" : "[{");
    if (base[0]) {
        bjc_buffer_format(writer->out, "\"bn\":\"%s\",", base);
    }
    if (name[0]) {
        bjc_buffer_format(writer->out, "\"n\":\"%s\",", name);
    }
    return bjc_json_put_value(writer->out, &fields, value) && bjc_buffer_byte(writer->out, '}');
}

bool bjc_senml_json_finish(bjc_writer *writer) {
    return bjc_buffer_text(writer->out, writer->object_count ? "]" : "[]");
}
