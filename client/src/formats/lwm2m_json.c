/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON of LwM2M 1.0 (LwM2M TS 1.0 §6.4.4): {"bn": ..., "bt": ..., "e": [{"n": ..., "v": ...}]}.
 * The base name may come behind the list that it is for, so it is looked for first; without one, names are relative to
 * the target of the request.
 */
#include <stdio.h>
#include <string.h>

#include "formats/senml.h"

static bool key(bjc_json *json, char name[BJC_NAME_MAX]) {
    bjc_json_token token;
    return bjc_json_string(json, &token) && bjc_json_text(&token, name, BJC_NAME_MAX) && bjc_json_take(json, ':');
}

static bool short_string(bjc_json *json, char text[BJC_NAME_MAX]) {
    bjc_json_token token;
    return bjc_json_string(json, &token) && bjc_json_text(&token, text, BJC_NAME_MAX);
}

typedef struct outline {
    bool named, listed, timed;
    bjc_json list; /* from its bracket on */
} outline;

static bool outline_member(bjc_reader *reader, bjc_json *json, outline *o) {
    char name[BJC_NAME_MAX];
    bjc_json_token number;
    if (!key(json, name)) {
        return false;
    }
    bool *seen = strcmp(name, "bn") == 0   ? &o->named
                 : strcmp(name, "e") == 0  ? &o->listed
                 : strcmp(name, "bt") == 0 ? &o->timed
                                           : NULL;
    if (!seen) {
        return bjc_json_skip(json);
    }
    if (*seen) {
        bjc_reader_refuse(reader, "the same field twice");
        return false;
    }
    *seen = true;
    if (seen == &o->named) {
        return short_string(json, reader->base);
    }
    if (seen == &o->timed) {
        return bjc_json_number(json, &number);
    }
    o->list = *json;
    return bjc_json_peek(json) == '[' && bjc_json_skip(json);
}

/* All of the payload but the list, to whose first record the reader then points. */
static bool begin(bjc_reader *reader) {
    bjc_json json = { reader->at, reader->end };
    outline o = { .named = false };
    reader->begun = true;
    if (!bjc_json_take(&json, '{')) {
        return false;
    }
    do {
        if (!outline_member(reader, &json, &o)) {
            return false;
        }
    } while (bjc_json_take(&json, ','));
    if (!bjc_json_take(&json, '}') || bjc_json_peek(&json) != 0 || json.at != json.end || !o.listed) {
        return false;
    }
    if (!o.named) {
        char text[BJC_PATH_TEXT];
        snprintf(reader->base, sizeof reader->base, "%s", bjc_path_text(&reader->target, text));
    }
    bjc_json_take(&o.list, '[');
    reader->done = bjc_json_take(&o.list, ']');
    reader->at = o.list.at;
    return true;
}

typedef struct record {
    bool named, timed, has_value;
    char name[BJC_NAME_MAX];
    bjc_entry value;
} record;

static bool string_value(bjc_json *json, bjc_form form, bjc_entry *value) {
    bjc_json_token token;
    if (!bjc_json_string(json, &token)) {
        return false;
    }
    *value = (bjc_entry){ .form = form,
                          .wrapping = token.escaped ? BJC_WRAPPING_JSON : BJC_WRAPPING_NONE,
                          .data = token.data,
                          .length = token.length };
    return true;
}

static bool value_field(bjc_json *json, const char *name, bjc_entry *value) {
    bjc_json_token token;
    if (strcmp(name, "sv") == 0) {
        return string_value(json, BJC_FORM_STRING_BASE64, value);
    }
    if (strcmp(name, "ov") == 0) {
        return string_value(json, BJC_FORM_LINK, value);
    }
    if (strcmp(name, "bv") == 0) {
        bool boolean = bjc_json_literal(json, "true");
        *value = (bjc_entry){ .form = BJC_FORM_BOOLEAN, .boolean = boolean };
        return boolean || bjc_json_literal(json, "false");
    }
    if (!bjc_json_number(json, &token)) {
        return false;
    }
    *value = (bjc_entry){ .form = BJC_FORM_NUMBER, .data = token.data, .length = token.length };
    return true;
}

static bool is_value(const char *name) {
    return strcmp(name, "v") == 0 || strcmp(name, "sv") == 0 || strcmp(name, "bv") == 0 || strcmp(name, "ov") == 0;
}

static bool member(bjc_reader *reader, bjc_json *json, record *r) {
    char name[BJC_NAME_MAX];
    bjc_json_token number;
    if (!key(json, name)) {
        return false;
    }
    bool *seen = strcmp(name, "n") == 0 ? &r->named : strcmp(name, "t") == 0 ? &r->timed : NULL;
    seen = is_value(name) ? &r->has_value : seen;
    if (seen && *seen) {
        bjc_reader_refuse(reader, "a record with two values, or with the same field twice");
        return false;
    }
    if (!seen) {
        return bjc_json_skip(json);
    }
    *seen = true;
    if (seen == &r->named) {
        return short_string(json, r->name);
    }
    return seen == &r->timed ? bjc_json_number(json, &number) : value_field(json, name, &r->value);
}

static bool take_record(bjc_reader *reader, bjc_json *json, record *r) {
    *r = (record){ .named = false };
    if (!bjc_json_take(json, '{')) {
        return false;
    }
    do {
        if (!member(reader, json, r)) {
            return false;
        }
    } while (bjc_json_take(json, ','));
    return bjc_json_take(json, '}');
}

/* A base name of a folder and names of its members; a slash between them where neither has one. */
static bool resolve(bjc_reader *reader, const record *r, bjc_path *path) {
    size_t length = strlen(reader->base);
    bool joint = r->name[0] && r->name[0] != '/' && length > 0 && reader->base[length - 1] != '/';
    char name[BJC_NAME_MAX + 1];
    snprintf(name, sizeof name, "%s%s", joint ? "/" : "", r->name);
    if (!bjc_senml_path(reader, reader->base, name, path)) {
        return false;
    }
    if (path->depth < 3 || !r->has_value) {
        bjc_reader_refuse(reader, "a record without value, or for a whole instance");
        return false;
    }
    return true;
}

bjc_read bjc_lwm2m_json_next(bjc_reader *reader, bjc_entry *entry) {
    record r;
    bjc_path path;
    if (!reader->begun && !begin(reader)) {
        return BJC_READ_ERROR;
    }
    if (reader->done) {
        return BJC_READ_END;
    }
    bjc_json json = { reader->at, reader->end };
    if (!take_record(reader, &json, &r) || !resolve(reader, &r, &path)) {
        return BJC_READ_ERROR;
    }
    reader->done = bjc_json_take(&json, ']');
    if (!reader->done && !bjc_json_take(&json, ',')) {
        return BJC_READ_ERROR;
    }
    reader->at = json.at;
    *entry = r.value;
    entry->path = path;
    entry->multiple = path.depth == 4;
    return BJC_READ_ENTRY;
}

/* --- writing ---------------------------------------------------------------------------------------------------- */

/* The base name stands once, before the list, and is the target, with a slash behind where names follow. */
static bool put_base(bjc_writer *writer, bool deeper) {
    char text[BJC_PATH_TEXT];
    bool slash = deeper && writer->target.depth > 0; /* the root's text is one already */
    return bjc_buffer_format(writer->out, "{\"bn\":\"%s%s\",\"e\":[", bjc_path_text(&writer->target, text),
                             slash ? "/" : "");
}

bool bjc_lwm2m_json_write(bjc_writer *writer, const bjc_path *path, bool multiple, const bootjack_value *value) {
    /* Opaque values go as base64 in `sv`. */
    static const bjc_json_fields fields = {
        .boolean = "bv", .string = "sv", .opaque = "sv", .link = "ov", .alphabet = BJC_BASE64
    };
    char base[BJC_NAME_MAX], name[BJC_NAME_MAX];
    (void) multiple; /* the path says it */
    bjc_senml_names(writer, path, base, name);
    if (writer->object_count == 0) {
        put_base(writer, name[0] != '\0');
    }
    bjc_buffer_text(writer->out, writer->object_count++ ? ",{" : "{");
    if (name[0]) {
        bjc_buffer_format(writer->out, "\"n\":\"%s\",", name);
    }
    return bjc_json_put_value(writer->out, &fields, value) && bjc_buffer_byte(writer->out, '}');
}

bool bjc_lwm2m_json_finish(bjc_writer *writer) {
    bool good = writer->object_count > 0 || put_base(writer, true);
    return good && bjc_buffer_text(writer->out, "]}");
}
