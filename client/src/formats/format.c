/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of content formats.
 */
#include "formats/format.h"

#include <assert.h>

static const bjc_format formats[] = {
    { BJC_FORMAT_TEXT, "text/plain", bjc_text_next, bjc_text_write, NULL, NULL, 3, 3, 10 },
    { BJC_FORMAT_OPAQUE, "application/octet-stream", bjc_opaque_next, bjc_opaque_write, NULL, NULL, 3, 3, 10 },
    { BJC_FORMAT_CBOR, "application/cbor", bjc_cbor_next_value, bjc_cbor_write, NULL, NULL, 3, 3, 11 },
    { BJC_FORMAT_SENML_JSON, "application/senml+json", bjc_senml_json_next, bjc_senml_json_write, NULL,
      bjc_senml_json_finish, 0, 0, 11 },
    { BJC_FORMAT_SENML_CBOR, "application/senml+cbor", bjc_senml_cbor_next, bjc_senml_cbor_write, NULL,
      bjc_senml_cbor_finish, 0, 0, 11 },
    { BJC_FORMAT_TLV, "application/vnd.oma.lwm2m+tlv", bjc_tlv_next, bjc_tlv_write, bjc_tlv_instance, bjc_tlv_finish, 1,
      1, 10 },
    /* No whole Object is written in it (LwM2M TS 1.0 §5.2.7.3), but it can be read. */
    { BJC_FORMAT_JSON, "application/vnd.oma.lwm2m+json", bjc_lwm2m_json_next, bjc_lwm2m_json_write, NULL,
      bjc_lwm2m_json_finish, 2, 1, 10 },
    { BJC_FORMAT_LWM2M_CBOR, "application/vnd.oma.lwm2m+cbor", bjc_lwm2m_cbor_next, bjc_lwm2m_cbor_write,
      bjc_lwm2m_cbor_instance, bjc_lwm2m_cbor_finish, 0, 0, 12 },
};

const bjc_format *bjc_format_find(int number) {
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (formats[i].number == number) {
            return &formats[i];
        }
    }
    return NULL;
}

const bjc_format *bjc_format_of_release(int number, bootjack_version release) {
    const bjc_format *format = bjc_format_find(number);
    return format && format->since <= (unsigned) release ? format : NULL;
}

void bjc_reader_init(bjc_reader *reader, const bjc_format *format, const bjc_path *target, const uint8_t *payload,
                     size_t length) {
    static const uint8_t nothing[1];
    const uint8_t *at = payload ? payload : nothing;
    *reader = (bjc_reader){ .format = format, .target = *target, .at = at, .end = at + (payload ? length : 0) };
    reader->open = *target;
    reader->placeholder = -1;
}

void bjc_reader_init_paths(bjc_reader *reader, const bjc_format *format, const bjc_path *target, const uint8_t *payload,
                           size_t length) {
    bjc_reader_init(reader, format, target, payload, length);
    reader->paths = true;
}

bjc_read bjc_reader_refuse(bjc_reader *reader, const char *reason) {
    reader->reason = reader->reason ? reader->reason : reason;
    return BJC_READ_ERROR;
}

bool bjc_reader_id(const bjc_reader *reader, unsigned depth, uint16_t *id) {
    if (*id == BOOTJACK_ID_INVALID && depth == 1 && reader->placeholder >= 0) {
        *id = (uint16_t) reader->placeholder;
    }
    return *id != BOOTJACK_ID_INVALID;
}

bjc_read bjc_reader_next(bjc_reader *reader, bjc_entry *entry) {
    if (reader->target.depth < reader->format->least_depth) {
        return bjc_reader_refuse(reader, "the format is not meant for a target of this level");
    }
    if (reader->reason) {
        return BJC_READ_ERROR;
    }
    bjc_read result = reader->format->next(reader, entry);
    if (result == BJC_READ_ERROR) {
        return bjc_reader_refuse(reader, "not in the form of its format");
    }
    if (result == BJC_READ_END && reader->target.depth >= 3 && !reader->given) {
        return bjc_reader_refuse(reader, "nothing for the resource");
    }
    reader->given = true;
    assert(result != BJC_READ_ENTRY || ((reader->paths || entry->path.depth >= 2) && entry->path.depth <= 4));
    /* Above all of TLV, which names a Resource where the request names one of its instances. */
    if (result == BJC_READ_ENTRY && !bjc_path_inside(&entry->path, &reader->target)) {
        return bjc_reader_refuse(reader, "a path that does not belong to the target of the request");
    }
    return result;
}

void bjc_writer_init(bjc_writer *writer, const bjc_format *format, const bjc_path *target, bjc_buffer *out) {
    *writer = (bjc_writer){ .format = format, .target = *target, .out = out };
    bjc_buffer_init(&writer->root, out->allocator);
    bjc_buffer_init(&writer->object, out->allocator);
    bjc_buffer_init(&writer->instance, out->allocator);
    bjc_buffer_init(&writer->resource, out->allocator);
}

bool bjc_writer_instance(bjc_writer *writer, uint16_t iid) {
    return writer->format->instance ? writer->format->instance(writer, iid) : true;
}

bool bjc_writer_value(bjc_writer *writer, const bjc_path *path, bool multiple, const bootjack_value *value) {
    assert(path->depth >= 3 && bjc_path_inside(path, &writer->target));
    return writer->format->write && writer->target.depth >= writer->format->least_shown &&
           writer->format->write(writer, path, multiple, value);
}

bool bjc_writer_failed(const bjc_writer *writer) {
    return writer->out->failed || writer->root.failed || writer->object.failed || writer->instance.failed ||
           writer->resource.failed;
}

bool bjc_writer_finish(bjc_writer *writer) {
    bool good = writer->format->finish ? writer->format->finish(writer) : true;
    good = good && !bjc_writer_failed(writer);
    bjc_buffer_free(&writer->root);
    bjc_buffer_free(&writer->object);
    bjc_buffer_free(&writer->instance);
    bjc_buffer_free(&writer->resource);
    return good;
}

bool bjc_writer_only_value(const bjc_writer *writer, const bjc_path *path, bool multiple) {
    return path->depth == writer->target.depth && (!multiple || path->depth == 4);
}
