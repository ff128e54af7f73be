/* SPDX-License-Identifier: Apache-2.0
 *
 * application/cbor: one value, for a resource or a resource instance (LwM2M Core 1.1 §7.4.6).
 */
#include "formats/format.h"

bjc_read bjc_cbor_next_value(bjc_reader *reader, bjc_entry *entry) {
    bjc_cbor_item head;
    if (reader->done) {
        return BJC_READ_END;
    }
    reader->done = true;
    *entry = (bjc_entry){ .path = reader->target, .multiple = reader->target.depth == 4 };
    if (!bjc_cbor_next(&reader->at, reader->end, &head)) {
        return BJC_READ_ERROR;
    }
    if (!bjc_cbor_value(&reader->at, reader->end, &head, entry)) {
        return bjc_reader_refuse(reader, "no value that a resource can have");
    }
    return reader->at == reader->end ? BJC_READ_ENTRY : bjc_reader_refuse(reader, "something behind the value");
}

bool bjc_cbor_write(bjc_writer *writer, const bjc_path *path, bool multiple, const bootjack_value *value) {
    return bjc_writer_only_value(writer, path, multiple) && bjc_cbor_put_value(writer->out, value);
}
