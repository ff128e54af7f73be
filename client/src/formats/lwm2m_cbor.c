/* SPDX-License-Identifier: Apache-2.0
 *
 * LwM2M CBOR (LwM2M Core 1.2 §7.4.7): maps from path segments, or from arrays of them, to maps or values. Paths begin
 * with the Object, whatever the target.
 */
#include "formats/format.h"

/* --- reading ---------------------------------------------------------------------------------------------------- */

static bool add_segment(bjc_reader *reader, bjc_path *path, const bjc_cbor_item *item) {
    uint16_t id = item->number > BOOTJACK_ID_INVALID ? BOOTJACK_ID_INVALID : (uint16_t) item->number;
    bool small = item->kind == BJC_CBOR_UNSIGNED && item->number <= BOOTJACK_ID_INVALID;
    if (!small || path->depth == 4 || !bjc_reader_id(reader, path->depth, &id)) {
        bjc_reader_refuse(reader, "a key that is no part of a path");
        return false;
    }
    path->ids[path->depth++] = id;
    return true;
}

static bool take_key(bjc_reader *reader, bjc_path *path) {
    bjc_cbor_item key, part;
    if (!bjc_cbor_next(&reader->at, reader->end, &key)) {
        return false;
    }
    if (key.kind != BJC_CBOR_ARRAY) {
        return add_segment(reader, path, &key);
    }
    unsigned before = path->depth;
    while (bjc_cbor_more(&reader->at, reader->end, &key)) {
        if (!bjc_cbor_next(&reader->at, reader->end, &part) || !add_segment(reader, path, &part)) {
            return false;
        }
    }
    return path->depth > before;
}

static bool open_map(bjc_reader *reader, const bjc_cbor_item *map, unsigned depth) {
    if (reader->level_count == sizeof reader->levels / sizeof *reader->levels) {
        return false;
    }
    reader->levels[reader->level_count++] = (bjc_level){ .list = *map, .depth = depth };
    return true;
}

/* A map says that an instance is there, or a multiple resource, also when it is empty. */
static bjc_read enter_map(bjc_reader *reader, const bjc_cbor_item *map, const bjc_path *path, bjc_entry *entry) {
    if (path->depth == 4 || !open_map(reader, map, path->depth)) {
        return bjc_reader_refuse(reader, "maps nested too deep");
    }
    unsigned common = path->depth < reader->target.depth ? path->depth : reader->target.depth;
    for (unsigned i = 0; i < common; i++) {
        if (path->ids[i] != reader->target.ids[i]) {
            return bjc_reader_refuse(reader, "a path that does not belong to the target of the request");
        }
    }
    reader->open = *path;
    if (reader->paths) {
        return BJC_READ_END;
    }
    if (path->depth < 2 || path->depth < reader->target.depth) {
        return BJC_READ_END;
    }
    *entry = (bjc_entry){ .path = *path, .form = BJC_FORM_NOTHING, .multiple = path->depth == 3 };
    return BJC_READ_ENTRY;
}

/* Where paths are named, null ends one (LwM2M Core 1.2 §6.3.8). */
static bjc_read named_path(bjc_reader *reader, const bjc_cbor_item *head, const bjc_path *path, bjc_entry *entry) {
    *entry = (bjc_entry){ .path = *path, .form = BJC_FORM_NOTHING };
    if (head->kind != BJC_CBOR_OTHER) {
        return bjc_reader_refuse(reader, "a value where paths are named");
    }
    return bjc_path_inside(path, &reader->target) ? BJC_READ_ENTRY : BJC_READ_ERROR;
}

/* One pair of the innermost map; BJC_READ_END where nothing is to be said yet. */
static bjc_read pair(bjc_reader *reader, bjc_entry *entry) {
    bjc_path path = reader->open;
    bjc_cbor_item head;
    path.depth = reader->levels[reader->level_count - 1].depth;
    if (!take_key(reader, &path) || !bjc_cbor_next(&reader->at, reader->end, &head)) {
        return BJC_READ_ERROR;
    }
    if (head.kind == BJC_CBOR_MAP) {
        return enter_map(reader, &head, &path, entry);
    }
    if (reader->paths) {
        return named_path(reader, &head, &path, entry);
    }
    *entry = (bjc_entry){ .path = path, .multiple = path.depth == 4 };
    if (!bjc_cbor_value(&reader->at, reader->end, &head, entry)) {
        return bjc_reader_refuse(reader, "no value that a resource can have");
    }
    if (path.depth < 3 || !bjc_path_inside(&path, &reader->target)) {
        return bjc_reader_refuse(reader, "a path that does not belong to the target of the request");
    }
    return BJC_READ_ENTRY;
}

bjc_read bjc_lwm2m_cbor_next(bjc_reader *reader, bjc_entry *entry) {
    bjc_cbor_item map;
    if (!reader->begun) {
        reader->begun = true;
        if (!bjc_cbor_next(&reader->at, reader->end, &map) || map.kind != BJC_CBOR_MAP || !open_map(reader, &map, 0)) {
            return BJC_READ_ERROR;
        }
    }
    while (reader->level_count > 0) {
        if (!bjc_cbor_more(&reader->at, reader->end, &reader->levels[reader->level_count - 1].list)) {
            reader->level_count--;
            continue;
        }
        bjc_read result = pair(reader, entry);
        if (result != BJC_READ_END) {
            return result;
        }
    }
    return reader->at == reader->end ? BJC_READ_END : bjc_reader_refuse(reader, "something behind the end of the map");
}

/* --- writing ---------------------------------------------------------------------------------------------------- */

static bool append(bjc_buffer *out, bjc_buffer *content, size_t *count) {
    bjc_cbor_put_map(out, *count);
    bool good = !content->failed && bjc_buffer_append(out, content->data, content->length);
    content->length = 0;
    *count = 0;
    return good;
}

static bool close_resource(bjc_writer *writer) {
    if (!writer->resource_open) {
        return true;
    }
    writer->resource_open = false;
    writer->instance_count++;
    bjc_cbor_put_unsigned(&writer->instance, writer->open.ids[2]);
    return append(&writer->instance, &writer->resource, &writer->resource_count);
}

static bool close_instance(bjc_writer *writer) {
    if (!close_resource(writer) || !writer->instance_open) {
        return !writer->instance_open;
    }
    writer->instance_open = false;
    writer->object_count++;
    bjc_cbor_put_unsigned(&writer->object, writer->open.ids[1]);
    return append(&writer->object, &writer->instance, &writer->instance_count);
}

static bool close_object(bjc_writer *writer) {
    if (!close_instance(writer) || !writer->object_open) {
        return !writer->object_open;
    }
    writer->object_open = false;
    writer->root_count++;
    bjc_cbor_put_unsigned(&writer->root, writer->open.ids[0]);
    return append(&writer->root, &writer->object, &writer->object_count);
}

static bool open_instance(bjc_writer *writer, uint16_t oid, uint16_t iid) {
    bool same_object = writer->object_open && writer->open.ids[0] == oid;
    if (writer->target.depth >= 3 || (same_object && writer->instance_open && writer->open.ids[1] == iid)) {
        return true;
    }
    bool good = same_object ? close_instance(writer) : close_object(writer);
    writer->open = (bjc_path){ 2, { oid, iid } };
    writer->object_open = writer->instance_open = true;
    return good;
}

bool bjc_lwm2m_cbor_instance(bjc_writer *writer, uint16_t iid) {
    return writer->target.depth == 0 || open_instance(writer, writer->target.ids[0], iid);
}

bool bjc_lwm2m_cbor_write(bjc_writer *writer, const bjc_path *path, bool multiple, const bootjack_value *value) {
    if (!open_instance(writer, path->ids[0], path->ids[1])) {
        return false;
    }
    if (writer->resource_open && writer->open.ids[2] != path->ids[2] && !close_resource(writer)) {
        return false;
    }
    if (multiple && path->depth == 4) {
        writer->resource_open = true;
        writer->open.ids[2] = path->ids[2];
        writer->resource_count++;
        bjc_cbor_put_unsigned(&writer->resource, path->ids[3]);
        return bjc_cbor_put_value(&writer->resource, value);
    }
    writer->instance_count++;
    bjc_cbor_put_unsigned(&writer->instance, path->ids[2]);
    return path->depth == 3 && bjc_cbor_put_value(&writer->instance, value);
}

/* A resource's path goes into one key, which is the shortest form; what comes behind it lies in the buffers with a key
 * of its own, whose place is known: it is the first thing there. */
static bool finish_resource(bjc_writer *writer) {
    bjc_buffer *out = writer->out;
    bjc_buffer *content = writer->target.depth == 4 ? &writer->resource : &writer->instance;
    if (writer->target.depth == 3 && !close_resource(writer)) {
        return false;
    }
    bjc_cbor_item key;
    bjc_cbor_put_map(out, content->length > 0);
    if (content->length == 0) {
        return !out->failed;
    }
    const uint8_t *at = content->data, *end = content->data + content->length;
    bjc_cbor_put_array(out, writer->target.depth);
    for (unsigned i = 0; i < writer->target.depth; i++) {
        bjc_cbor_put_unsigned(out, writer->target.ids[i]);
    }
    return bjc_cbor_next(&at, end, &key) && bjc_buffer_append(out, at, (size_t) (end - at));
}

bool bjc_lwm2m_cbor_finish(bjc_writer *writer) {
    if (writer->target.depth >= 3) {
        return finish_resource(writer);
    }
    if (!close_object(writer)) {
        return false;
    }
    if (writer->target.depth > 0 && writer->root_count == 0) { /* an Object without instances */
        writer->root_count = 1;
        bjc_cbor_put_unsigned(&writer->root, writer->target.ids[0]);
        bjc_cbor_put_map(&writer->root, 0);
    }
    return append(writer->out, &writer->root, &writer->root_count);
}
