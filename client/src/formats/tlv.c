/* SPDX-License-Identifier: Apache-2.0
 *
 * OMA TLV (LwM2M Core 1.1 §7.4.3): identifier kinds instance > (resource | multiple resource > resource instance).
 * The wrapper of the instance is required at object level, where it carries the instance id, and may be there at
 * instance level when it names the same instance.
 */
#include <float.h>
#include <string.h>

#include "formats/format.h"

enum { KIND_INSTANCE = 0, KIND_RESOURCE_INSTANCE = 1, KIND_MULTIPLE = 2, KIND_RESOURCE = 3 };

typedef struct tlv {
    unsigned kind;
    uint16_t id;
    const uint8_t *data;
    size_t length;
} tlv;

static bool take(const uint8_t **at, const uint8_t *end, size_t count, uint32_t *number) {
    if ((size_t) (end - *at) < count) {
        return false;
    }
    *number = 0;
    for (size_t i = 0; i < count; i++) {
        *number = *number << 8 | *(*at)++;
    }
    return true;
}

/* One header, with the value behind it inside [*at, end). */
static bool take_tlv(const uint8_t **at, const uint8_t *end, tlv *out) {
    uint32_t type, id, length;
    if (!take(at, end, 1, &type) || !take(at, end, type & 0x20 ? 2 : 1, &id)) {
        return false;
    }
    unsigned length_bytes = type >> 3 & 3;
    if (!take(at, end, length_bytes, &length)) {
        return false;
    }
    out->kind = type >> 6;
    out->id = (uint16_t) id;
    out->length = length_bytes ? length : (type & 7);
    out->data = *at;
    if (out->length > (size_t) (end - *at)) {
        return false;
    }
    *at += out->length;
    return true;
}

static bjc_path deeper(const bjc_path *path, uint16_t id) {
    bjc_path result = *path;
    result.ids[result.depth++] = id;
    return result;
}

static bjc_read value_entry(bjc_entry *entry, bjc_path path, const tlv *item, bool multiple) {
    *entry = (bjc_entry){
        .path = path, .multiple = multiple, .form = BJC_FORM_TLV, .data = item->data, .length = item->length
    };
    return BJC_READ_ENTRY;
}

static bjc_read empty_entry(bjc_entry *entry, bjc_path path, bool multiple) {
    *entry = (bjc_entry){ .path = path, .multiple = multiple, .form = BJC_FORM_NOTHING };
    return BJC_READ_ENTRY;
}

/* Inside a multiple resource: its instances only. */
static bjc_read in_multiple(bjc_reader *reader, bjc_entry *entry) {
    tlv item;
    if (!take_tlv(&reader->at, reader->resource_end, &item) || item.kind != KIND_RESOURCE_INSTANCE) {
        return BJC_READ_ERROR;
    }
    return value_entry(entry, deeper(&reader->open, item.id), &item, true);
}

static bjc_read open_multiple(bjc_reader *reader, bjc_entry *entry, bjc_path path, const tlv *item) {
    reader->open = path;
    reader->at = item->data;
    reader->resource_end = item->data + item->length;
    return item->length == 0 ? empty_entry(entry, path, true) : in_multiple(reader, entry);
}

/* A resource of the instance that `path` names. */
static bjc_read resource(bjc_reader *reader, bjc_entry *entry, const bjc_path *instance, const tlv *item) {
    bjc_path path = deeper(instance, item->id);
    if (item->kind == KIND_RESOURCE) {
        return value_entry(entry, path, item, false);
    }
    return item->kind == KIND_MULTIPLE ? open_multiple(reader, entry, path, item) : BJC_READ_ERROR;
}

static bjc_read in_instance(bjc_reader *reader, bjc_entry *entry) {
    tlv item;
    bjc_path instance = { 2, { reader->open.ids[0], reader->open.ids[1] } };
    if (!take_tlv(&reader->at, reader->instance_end, &item)) {
        return BJC_READ_ERROR;
    }
    return resource(reader, entry, &instance, &item);
}

static bjc_read open_instance(bjc_reader *reader, bjc_entry *entry, const tlv *item) {
    if (reader->target.depth == 2 && item->id != reader->target.ids[1]) {
        return bjc_reader_refuse(reader, "a path that does not belong to the target of the request");
    }
    reader->open = (bjc_path){ 2, { reader->target.ids[0], item->id } };
    reader->at = item->data;
    reader->instance_end = item->data + item->length;
    return empty_entry(entry, reader->open, false);
}

/* A resource-level payload is one entry of that resource. */
static bjc_read only_resource(bjc_reader *reader, bjc_entry *entry, const tlv *item) {
    bjc_path instance = { 2, { reader->target.ids[0], reader->target.ids[1] } };
    if (item->id != reader->target.ids[2] || reader->done) {
        return bjc_reader_refuse(reader, "a path that does not belong to the target of the request");
    }
    reader->done = true;
    return resource(reader, entry, &instance, item);
}

/* The header of an Object Instance around the resources of the one that the request names: superfluous, and tolerated
 * when it is around all of them. */
static bool mixes(bjc_reader *reader, const tlv *item) {
    bool first = !reader->begun, mixed = reader->done || (item->kind == KIND_INSTANCE && !first);
    reader->begun = true;
    reader->done = item->kind == KIND_INSTANCE;
    return mixed;
}

static bjc_read at_top(bjc_reader *reader, bjc_entry *entry) {
    tlv item;
    if (!take_tlv(&reader->at, reader->end, &item)) {
        return BJC_READ_ERROR;
    }
    if (reader->target.depth == 2 && mixes(reader, &item)) {
        return bjc_reader_refuse(reader, "an Object Instance beside Resources or others");
    }
    if (reader->target.depth >= 3) {
        return only_resource(reader, entry, &item);
    }
    if (item.kind == KIND_INSTANCE) {
        return open_instance(reader, entry, &item);
    }
    return reader->target.depth == 2 ? resource(reader, entry, &reader->target, &item) : BJC_READ_ERROR;
}

bjc_read bjc_tlv_next(bjc_reader *reader, bjc_entry *entry) {
    if (reader->resource_end && reader->at < reader->resource_end) {
        return in_multiple(reader, entry);
    }
    reader->resource_end = NULL;
    if (reader->instance_end && reader->at < reader->instance_end) {
        return in_instance(reader, entry);
    }
    reader->instance_end = NULL;
    if (reader->at == reader->end) {
        return BJC_READ_END;
    }
    return at_top(reader, entry);
}

/* --- writing -------------------------------------------------------------------------------------------------- */

static bool put_header(bjc_buffer *out, unsigned kind, uint16_t id, size_t length) {
    unsigned length_bytes = length < 8 ? 0 : length < 0x100 ? 1 : length < 0x10000 ? 2 : 3;
    if (length >= 0x1000000) {
        return false;
    }
    bjc_buffer_byte(out,
                    kind << 6 | (id > 255 ? 0x20u : 0u) | length_bytes << 3 | (length_bytes ? 0 : (unsigned) length));
    if (id > 255) {
        bjc_buffer_byte(out, id >> 8);
    }
    bjc_buffer_byte(out, id & 0xFF);
    for (unsigned i = length_bytes; i-- > 0;) {
        bjc_buffer_byte(out, (unsigned) (length >> (8 * i)) & 0xFF);
    }
    return !out->failed;
}

static bool put_number(bjc_buffer *out, unsigned kind, uint16_t id, uint64_t number, size_t length) {
    put_header(out, kind, id, length);
    for (size_t i = length; i-- > 0;) {
        bjc_buffer_byte(out, (unsigned) (number >> (8 * i)) & 0xFF);
    }
    return !out->failed;
}

static size_t signed_length(int64_t number) {
    if (number >= INT8_MIN && number <= INT8_MAX) {
        return 1;
    }
    if (number >= INT16_MIN && number <= INT16_MAX) {
        return 2;
    }
    return number >= INT32_MIN && number <= INT32_MAX ? 4 : 8;
}

static size_t unsigned_length(uint64_t number) {
    return number <= UINT8_MAX ? 1 : number <= UINT16_MAX ? 2 : number <= UINT32_MAX ? 4 : 8;
}

/* Four bytes where they hold the number exactly. */
static bool put_real(bjc_buffer *out, unsigned kind, uint16_t id, double real) {
    bool small = real >= (double) -FLT_MAX && real <= (double) FLT_MAX && (double) (float) real == real;
    float single = small ? (float) real : 0;
    uint32_t bits32;
    uint64_t bits64;
    memcpy(&bits32, &single, sizeof bits32);
    memcpy(&bits64, &real, sizeof bits64);
    return put_number(out, kind, id, small ? bits32 : bits64, small ? 4 : 8);
}

static bool put_value(bjc_buffer *out, unsigned kind, uint16_t id, const bootjack_value *value) {
    switch (value->type) {
    case BOOTJACK_TYPE_INTEGER:
    case BOOTJACK_TYPE_TIME:
        return put_number(out, kind, id, (uint64_t) value->as.integer, signed_length(value->as.integer));
    case BOOTJACK_TYPE_UNSIGNED:
        return put_number(out, kind, id, value->as.unsigned_integer, unsigned_length(value->as.unsigned_integer));
    case BOOTJACK_TYPE_FLOAT:
        return put_real(out, kind, id, value->as.real);
    case BOOTJACK_TYPE_BOOLEAN:
        return put_number(out, kind, id, value->as.boolean, 1);
    case BOOTJACK_TYPE_OBJLNK:
        return put_number(out, kind, id, (uint64_t) value->as.link.object << 16 | value->as.link.instance, 4);
    case BOOTJACK_TYPE_STRING:
    case BOOTJACK_TYPE_CORELNK:
    case BOOTJACK_TYPE_OPAQUE:
        return put_header(out, kind, id, value->as.bytes.length) &&
               bjc_buffer_append(out, value->as.bytes.data, value->as.bytes.length);
    case BOOTJACK_TYPE_NONE:
        break;
    }
    return false;
}

static bool put_nested(bjc_buffer *out, unsigned kind, uint16_t id, bjc_buffer *content) {
    bool good = !content->failed && put_header(out, kind, id, content->length) &&
                bjc_buffer_append(out, content->data, content->length);
    content->length = 0;
    return good;
}

/* Where resources go: into the open instance at object level, to the end of the payload otherwise. */
static bjc_buffer *resources_of(bjc_writer *writer) {
    return writer->target.depth == 1 ? &writer->instance : writer->out;
}

static bool close_resource(bjc_writer *writer) {
    bool was_open = writer->resource_open;
    writer->resource_open = false;
    return !was_open || put_nested(resources_of(writer), KIND_MULTIPLE, writer->open.ids[2], &writer->resource);
}

static bool close_instance(bjc_writer *writer) {
    bool good = close_resource(writer), was_open = writer->instance_open;
    writer->instance_open = false;
    return good && (!was_open || put_nested(writer->out, KIND_INSTANCE, writer->open.ids[1], &writer->instance));
}

bool bjc_tlv_instance(bjc_writer *writer, uint16_t iid) {
    if (writer->target.depth != 1 || (writer->instance_open && writer->open.ids[1] == iid)) {
        return true;
    }
    bool good = close_instance(writer);
    writer->open = (bjc_path){ 2, { writer->target.ids[0], iid } };
    writer->instance_open = true;
    return good;
}

bool bjc_tlv_write(bjc_writer *writer, const bjc_path *path, bool multiple, const bootjack_value *value) {
    if (!bjc_tlv_instance(writer, path->ids[1])) {
        return false;
    }
    if (writer->resource_open && writer->open.ids[2] != path->ids[2] && !close_resource(writer)) {
        return false;
    }
    if (!multiple) {
        return put_value(resources_of(writer), KIND_RESOURCE, path->ids[2], value);
    }
    writer->resource_open = true;
    writer->open.ids[2] = path->ids[2];
    return path->depth == 4 && put_value(&writer->resource, KIND_RESOURCE_INSTANCE, path->ids[3], value);
}

bool bjc_tlv_finish(bjc_writer *writer) {
    return close_instance(writer);
}
