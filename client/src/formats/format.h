/* SPDX-License-Identifier: Apache-2.0
 *
 * Content formats (LwM2M Core 1.1 §7.4): a table of readers and writers of the value stream by CoAP Content-Format
 * number. A new format is a new row.
 */
#ifndef BJC_FORMATS_FORMAT_H
#define BJC_FORMATS_FORMAT_H

#include "formats/entry.h"

#define BJC_FORMAT_ABSENT (-1)
#define BJC_FORMAT_TEXT   0
#define BJC_FORMAT_LINK   40
#define BJC_FORMAT_OPAQUE 42
#define BJC_FORMAT_TLV    11542

struct bjc_format;
struct bjc_writer;

/* A walk over the entries of one payload. The target is the path of the request. */
typedef struct bjc_reader {
    const struct bjc_format *format;
    bjc_path target;
    const uint8_t *at, *end;
    /* TLV: what is open inside the payload. */
    const uint8_t *instance_end, *resource_end;
    bjc_path open;
    bool done;
} bjc_reader;

typedef enum bjc_read { BJC_READ_ENTRY, BJC_READ_END, BJC_READ_ERROR } bjc_read;

typedef struct bjc_format {
    int number;
    const char *name;
    bjc_read (*next)(bjc_reader *reader, bjc_entry *entry);
    /* Writes the next value of the stream; `multiple` as the resource's definition says. Values come in the order of
     * their paths. NULL: cannot be written. */
    bool (*write)(struct bjc_writer *writer, const bjc_path *path, bool multiple, const bootjack_value *value);
    /* Says that an instance is there, though it may have no resources. NULL: nothing to say. */
    bool (*instance)(struct bjc_writer *writer, uint16_t iid);
    bool (*finish)(struct bjc_writer *writer);
    unsigned least_depth; /* of a target that it can stand for */
} bjc_format;

/* The format, or NULL when the client does not know the number. */
const bjc_format *bjc_format_find(int number);

void bjc_reader_init(bjc_reader *reader, const bjc_format *format, const bjc_path *target, const uint8_t *payload,
                     size_t length);
/* The next entry; its path goes as deep as the payload says, at least as deep as the target. After BJC_READ_ERROR the
 * payload is refused. */
bjc_read bjc_reader_next(bjc_reader *reader, bjc_entry *entry);

/* Collects values below `target` into `out`. */
struct bjc_writer {
    const bjc_format *format;
    bjc_path target;
    bjc_buffer *out;
    /* TLV: content of the instance and of the multiple resource that are open. */
    bjc_buffer instance, resource;
    bjc_path open;
    bool instance_open, resource_open;
};
typedef struct bjc_writer bjc_writer;

void bjc_writer_init(bjc_writer *writer, const bjc_format *format, const bjc_path *target, bjc_buffer *out);
/* False: memory ran out, or the format cannot say it. */
bool bjc_writer_instance(bjc_writer *writer, uint16_t iid);
bool bjc_writer_value(bjc_writer *writer, const bjc_path *path, bool multiple, const bootjack_value *value);
/* Ends the payload and frees the writer's memory; must be called in any case. */
bool bjc_writer_finish(bjc_writer *writer);

/* The formats, one file each. */
bjc_read bjc_tlv_next(bjc_reader *reader, bjc_entry *entry);
bool bjc_tlv_write(bjc_writer *writer, const bjc_path *path, bool multiple, const bootjack_value *value);
bool bjc_tlv_instance(bjc_writer *writer, uint16_t iid);
bool bjc_tlv_finish(bjc_writer *writer);
bjc_read bjc_text_next(bjc_reader *reader, bjc_entry *entry);
bool bjc_text_write(bjc_writer *writer, const bjc_path *path, bool multiple, const bootjack_value *value);
bjc_read bjc_opaque_next(bjc_reader *reader, bjc_entry *entry);
bool bjc_opaque_write(bjc_writer *writer, const bjc_path *path, bool multiple, const bootjack_value *value);

#endif
