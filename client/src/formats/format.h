/* SPDX-License-Identifier: Apache-2.0
 *
 * Content formats (LwM2M Core 1.1 §7.4): a table of readers and writers of the value stream by CoAP Content-Format
 * number. A new format is a new row.
 */
#ifndef BJC_FORMATS_FORMAT_H
#define BJC_FORMATS_FORMAT_H

#include "formats/cbor.h"
#include "formats/entry.h"
#include "formats/json.h"

#define BJC_FORMAT_ABSENT     (-1)
#define BJC_FORMAT_TEXT       0
#define BJC_FORMAT_LINK       40
#define BJC_FORMAT_OPAQUE     42
#define BJC_FORMAT_CBOR       60
#define BJC_FORMAT_SENML_JSON 110
#define BJC_FORMAT_SENML_CBOR 112
#define BJC_FORMAT_TLV        11542
#define BJC_FORMAT_JSON       11543 /* of LwM2M 1.0 */
#define BJC_FORMAT_LWM2M_CBOR 11544

#define BJC_NAME_MAX 64 /* of a base name or a name; the longest path has 24 characters */

struct bjc_format;
struct bjc_writer;

/* A list of LwM2M CBOR that is open: what remains of it, and the path that leads to it. */
typedef struct bjc_level {
    bjc_cbor_item list;
    unsigned depth;
} bjc_level;

/* A walk over the entries of one payload. The target is the path of the request. Nothing is allocated. */
typedef struct bjc_reader {
    const struct bjc_format *format;
    bjc_path target;
    const uint8_t *at, *end;
    const char *reason; /* why the payload was refused; static */
    bool given;         /* an entry was */
    bool paths;         /* the payload names paths without values, of any level (Read-Composite) */
    /* What the Object Instance ID 65535 stands for, -1 = nothing: a Create that leaves the choice to us. */
    int32_t placeholder;
    /* TLV: what is open inside the payload. */
    const uint8_t *instance_end, *resource_end;
    bjc_path open;
    bool begun, done;
    /* SenML and LwM2M JSON: the base name, and the list of records. */
    char base[BJC_NAME_MAX];
    bjc_cbor_item list;
    /* LwM2M CBOR: one map may be open for each part of a path, and one around them. */
    bjc_level levels[5];
    unsigned level_count;
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
    unsigned least_depth; /* of a target that a payload in it is taken for */
    unsigned least_shown; /* of a target whose values are given in it */
    unsigned since;       /* enabler release that has it: 10, 11 or 12 */
} bjc_format;

/* The format, or NULL when the client does not know the number. */
const bjc_format *bjc_format_find(int number);
/* The same among the formats of an enabler release. */
const bjc_format *bjc_format_of_release(int number, bootjack_version release);

void bjc_reader_init(bjc_reader *reader, const bjc_format *format, const bjc_path *target, const uint8_t *payload,
                     size_t length);
/* The same for a payload that names paths, which may be any below the target; its entries have no values. */
void bjc_reader_init_paths(bjc_reader *reader, const bjc_format *format, const bjc_path *target, const uint8_t *payload,
                           size_t length);
/* The next entry; its path is the target or below it, and not above an instance. After BJC_READ_ERROR the payload is
 * refused, `reader->reason` says why. */
bjc_read bjc_reader_next(bjc_reader *reader, bjc_entry *entry);
/* For the formats: whether a number of the payload can stand at that depth of a path; a placeholder is replaced. */
bool bjc_reader_id(const bjc_reader *reader, unsigned depth, uint16_t *id);
/* For the formats: notes the reason, unless there is one, and gives BJC_READ_ERROR. */
bjc_read bjc_reader_refuse(bjc_reader *reader, const char *reason);

/* Collects values below `target` into `out`. */
struct bjc_writer {
    const bjc_format *format;
    bjc_path target;
    bjc_buffer *out;
    /* Content of the object, of the instance and of the multiple resource that are open, where their length or the
     * number of their members goes in front of it. */
    bjc_buffer root, object, instance, resource;
    size_t root_count, object_count, instance_count, resource_count;
    bjc_path open;
    bool object_open, instance_open, resource_open;
};
typedef struct bjc_writer bjc_writer;

void bjc_writer_init(bjc_writer *writer, const bjc_format *format, const bjc_path *target, bjc_buffer *out);
/* False: memory ran out, or the format cannot say it. */
bool bjc_writer_instance(bjc_writer *writer, uint16_t iid);
bool bjc_writer_value(bjc_writer *writer, const bjc_path *path, bool multiple, const bootjack_value *value);
/* Whether it was memory that ran out. */
bool bjc_writer_failed(const bjc_writer *writer);
/* Ends the payload and frees the writer's memory; must be called in any case. */
bool bjc_writer_finish(bjc_writer *writer);
/* For the formats: whether `path` is all that the target names, a single value. */
bool bjc_writer_only_value(const bjc_writer *writer, const bjc_path *path, bool multiple);

/* The formats, one file each. */
bjc_read bjc_tlv_next(bjc_reader *reader, bjc_entry *entry);
bool bjc_tlv_write(bjc_writer *writer, const bjc_path *path, bool multiple, const bootjack_value *value);
bool bjc_tlv_instance(bjc_writer *writer, uint16_t iid);
bool bjc_tlv_finish(bjc_writer *writer);
bjc_read bjc_text_next(bjc_reader *reader, bjc_entry *entry);
bool bjc_text_write(bjc_writer *writer, const bjc_path *path, bool multiple, const bootjack_value *value);
bjc_read bjc_opaque_next(bjc_reader *reader, bjc_entry *entry);
bool bjc_opaque_write(bjc_writer *writer, const bjc_path *path, bool multiple, const bootjack_value *value);
bjc_read bjc_cbor_next_value(bjc_reader *reader, bjc_entry *entry);
bool bjc_cbor_write(bjc_writer *writer, const bjc_path *path, bool multiple, const bootjack_value *value);
bjc_read bjc_senml_json_next(bjc_reader *reader, bjc_entry *entry);
bool bjc_senml_json_write(bjc_writer *writer, const bjc_path *path, bool multiple, const bootjack_value *value);
bool bjc_senml_json_finish(bjc_writer *writer);
bjc_read bjc_senml_cbor_next(bjc_reader *reader, bjc_entry *entry);
bool bjc_senml_cbor_write(bjc_writer *writer, const bjc_path *path, bool multiple, const bootjack_value *value);
bool bjc_senml_cbor_finish(bjc_writer *writer);
bjc_read bjc_lwm2m_json_next(bjc_reader *reader, bjc_entry *entry);
bool bjc_lwm2m_json_write(bjc_writer *writer, const bjc_path *path, bool multiple, const bootjack_value *value);
bool bjc_lwm2m_json_finish(bjc_writer *writer);
bjc_read bjc_lwm2m_cbor_next(bjc_reader *reader, bjc_entry *entry);
bool bjc_lwm2m_cbor_write(bjc_writer *writer, const bjc_path *path, bool multiple, const bootjack_value *value);
bool bjc_lwm2m_cbor_instance(bjc_writer *writer, uint16_t iid);
bool bjc_lwm2m_cbor_finish(bjc_writer *writer);

#endif
