/* SPDX-License-Identifier: Apache-2.0
 *
 * text/plain and application/octet-stream: one value, for a resource or a resource instance (LwM2M Core 1.1 §7.4.1,
 * §7.4.2).
 */
#include <inttypes.h>

#include "formats/base64.h"
#include "formats/format.h"
#include "formats/number.h"

static bjc_read whole_payload(bjc_reader *reader, bjc_entry *entry, bjc_form form) {
    if (reader->done) {
        return BJC_READ_END;
    }
    reader->done = true;
    *entry = (bjc_entry){ .path = reader->target,
                          .multiple = reader->target.depth == 4,
                          .form = form,
                          .data = reader->at,
                          .length = (size_t) (reader->end - reader->at) };
    return BJC_READ_ENTRY;
}

bjc_read bjc_text_next(bjc_reader *reader, bjc_entry *entry) {
    return whole_payload(reader, entry, BJC_FORM_TEXT);
}

bjc_read bjc_opaque_next(bjc_reader *reader, bjc_entry *entry) {
    return whole_payload(reader, entry, BJC_FORM_BYTES);
}

static bool text_of(bjc_buffer *out, const bootjack_value *value) {
    char number[BJC_NUMBER_TEXT];
    switch (value->type) {
    case BOOTJACK_TYPE_STRING:
    case BOOTJACK_TYPE_CORELNK:
        return bjc_buffer_append(out, value->as.bytes.data, value->as.bytes.length);
    case BOOTJACK_TYPE_OPAQUE:
        bjc_base64_encode(BJC_BASE64, value->as.bytes.data, value->as.bytes.length, out);
        return !out->failed;
    case BOOTJACK_TYPE_INTEGER:
    case BOOTJACK_TYPE_TIME:
        return bjc_buffer_format(out, "%" PRId64, value->as.integer);
    case BOOTJACK_TYPE_UNSIGNED:
        return bjc_buffer_format(out, "%" PRIu64, value->as.unsigned_integer);
    case BOOTJACK_TYPE_FLOAT:
        return bjc_number_text(value->as.real, number) && bjc_buffer_text(out, number);
    case BOOTJACK_TYPE_BOOLEAN:
        return bjc_buffer_text(out, value->as.boolean ? "1" : "0");
    case BOOTJACK_TYPE_OBJLNK:
        return bjc_buffer_format(out, "%u:%u", value->as.link.object, value->as.link.instance);
    case BOOTJACK_TYPE_NONE:
        break;
    }
    return false;
}

bool bjc_text_write(bjc_writer *writer, const bjc_path *path, bool multiple, const bootjack_value *value) {
    return bjc_writer_only_value(writer, path, multiple) && text_of(writer->out, value);
}

bool bjc_opaque_write(bjc_writer *writer, const bjc_path *path, bool multiple, const bootjack_value *value) {
    return bjc_writer_only_value(writer, path, multiple) && value->type == BOOTJACK_TYPE_OPAQUE &&
           bjc_buffer_append(writer->out, value->as.bytes.data, value->as.bytes.length);
}
