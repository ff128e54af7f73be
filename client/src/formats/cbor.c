/* SPDX-License-Identifier: Apache-2.0
 *
 * CBOR item by item, on libcbor.
 */
#define _GNU_SOURCE
#include "formats/cbor.h"

#include <cbor.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "formats/utf8.h"

/* --- heads ------------------------------------------------------------------------------------------------------ */

static void set_number(void *context, bjc_cbor_kind kind, uint64_t number) {
    bjc_cbor_item *item = context;
    item->kind = kind;
    item->number = number;
}

static void on_unsigned8(void *context, uint8_t number) {
    set_number(context, BJC_CBOR_UNSIGNED, number);
}

static void on_unsigned16(void *context, uint16_t number) {
    set_number(context, BJC_CBOR_UNSIGNED, number);
}

static void on_unsigned32(void *context, uint32_t number) {
    set_number(context, BJC_CBOR_UNSIGNED, number);
}

static void on_unsigned64(void *context, uint64_t number) {
    set_number(context, BJC_CBOR_UNSIGNED, number);
}

static void on_negative8(void *context, uint8_t number) {
    set_number(context, BJC_CBOR_NEGATIVE, number);
}

static void on_negative16(void *context, uint16_t number) {
    set_number(context, BJC_CBOR_NEGATIVE, number);
}

static void on_negative32(void *context, uint32_t number) {
    set_number(context, BJC_CBOR_NEGATIVE, number);
}

static void on_negative64(void *context, uint64_t number) {
    set_number(context, BJC_CBOR_NEGATIVE, number);
}

static void on_tag(void *context, uint64_t number) {
    set_number(context, BJC_CBOR_TAG, number);
}

static void on_array(void *context, size_t count) {
    set_number(context, BJC_CBOR_ARRAY, count);
}

static void on_map(void *context, size_t count) {
    set_number(context, BJC_CBOR_MAP, count);
}

static void set_indefinite(void *context, bjc_cbor_kind kind) {
    bjc_cbor_item *item = context;
    item->kind = kind;
    item->indefinite = true;
}

static void on_indefinite_array(void *context) {
    set_indefinite(context, BJC_CBOR_ARRAY);
}

static void on_indefinite_map(void *context) {
    set_indefinite(context, BJC_CBOR_MAP);
}

static void on_indefinite_bytes(void *context) {
    set_indefinite(context, BJC_CBOR_BYTES);
}

static void on_indefinite_text(void *context) {
    set_indefinite(context, BJC_CBOR_TEXT);
}

static void set_string(bjc_cbor_item *item, bjc_cbor_kind kind, cbor_data data, size_t length) {
    item->kind = kind;
    item->data = data;
    item->length = length;
}

static void on_bytes(void *context, cbor_data data, size_t length) {
    set_string(context, BJC_CBOR_BYTES, data, length);
}

static void on_text(void *context, cbor_data data, size_t length) {
    set_string(context, BJC_CBOR_TEXT, data, length);
}

static void on_double(void *context, double real) {
    bjc_cbor_item *item = context;
    item->kind = BJC_CBOR_REAL;
    item->real = real;
}

static void on_float(void *context, float real) {
    on_double(context, (double) real);
}

static void on_boolean(void *context, bool boolean) {
    bjc_cbor_item *item = context;
    item->kind = BJC_CBOR_BOOLEAN;
    item->boolean = boolean;
}

static void on_break(void *context) {
    bjc_cbor_item *item = context;
    item->kind = BJC_CBOR_BREAK;
}

static void on_other(void *context) {
    bjc_cbor_item *item = context;
    item->kind = BJC_CBOR_OTHER;
}

static const struct cbor_callbacks callbacks = {
    .uint8 = on_unsigned8,
    .uint16 = on_unsigned16,
    .uint32 = on_unsigned32,
    .uint64 = on_unsigned64,
    .negint8 = on_negative8,
    .negint16 = on_negative16,
    .negint32 = on_negative32,
    .negint64 = on_negative64,
    .byte_string_start = on_indefinite_bytes,
    .byte_string = on_bytes,
    .string = on_text,
    .string_start = on_indefinite_text,
    .indef_array_start = on_indefinite_array,
    .array_start = on_array,
    .indef_map_start = on_indefinite_map,
    .map_start = on_map,
    .tag = on_tag,
    .float2 = on_float,
    .float4 = on_float,
    .float8 = on_double,
    .undefined = on_other,
    .null = on_other,
    .boolean = on_boolean,
    .indef_break = on_break,
};

static bool take_head(const uint8_t **at, const uint8_t *end, bjc_cbor_item *item) {
    *item = (bjc_cbor_item){ .kind = BJC_CBOR_OTHER };
    if (*at == end) {
        return false;
    }
    struct cbor_decoder_result result = cbor_stream_decode(*at, (size_t) (end - *at), &callbacks, item);
    if (result.status != CBOR_DECODER_FINISHED || result.read == 0 || result.read > (size_t) (end - *at)) {
        return false;
    }
    *at += result.read;
    return true;
}

/* Chunks are definite strings of the same kind (RFC 8949 §3.2.3), each of them UTF-8 in itself. */
static bool take_chunks(const uint8_t **at, const uint8_t *end, bjc_cbor_item *item) {
    item->data = *at;
    for (;;) {
        bjc_cbor_item chunk;
        const uint8_t *before = *at;
        if (!take_head(at, end, &chunk)) {
            return false;
        }
        if (chunk.kind == BJC_CBOR_BREAK) {
            item->length = (size_t) (before - item->data);
            return true;
        }
        if (chunk.kind != item->kind || chunk.indefinite ||
            (chunk.kind == BJC_CBOR_TEXT && !bjc_utf8(chunk.data, chunk.length))) {
            return false;
        }
    }
}

bool bjc_cbor_next(const uint8_t **at, const uint8_t *end, bjc_cbor_item *item) {
    if (!take_head(at, end, item)) {
        return false;
    }
    bool string = item->kind == BJC_CBOR_BYTES || item->kind == BJC_CBOR_TEXT;
    if (string && item->indefinite) {
        return take_chunks(at, end, item);
    }
    return item->kind != BJC_CBOR_TEXT || bjc_utf8(item->data, item->length);
}

bool bjc_cbor_more(const uint8_t **at, const uint8_t *end, bjc_cbor_item *list) {
    if (!list->indefinite) {
        bool more = list->number > 0;
        list->number -= more;
        return more;
    }
    bool over = *at < end && **at == 0xFF;
    *at += over;
    return !over;
}

/* --- whole items ------------------------------------------------------------------------------------------------ */

/* Once for each level of nesting, which is bounded. */
static bool skip(const uint8_t **at, const uint8_t *end, const bjc_cbor_item *head,
                 unsigned depth) { /* `depth` bounds the recursion */
    bjc_cbor_item list = *head, item;
    unsigned each = head->kind == BJC_CBOR_MAP ? 2 : 1;
    if (head->kind == BJC_CBOR_BREAK) {
        return false;
    }
    if (head->kind == BJC_CBOR_TAG) {
        list.number = 1;
    } else if (head->kind != BJC_CBOR_ARRAY && head->kind != BJC_CBOR_MAP) {
        return true;
    }
    while (bjc_cbor_more(at, end, &list)) {
        for (unsigned i = 0; i < each; i++) {
            if (depth == 0 || !bjc_cbor_next(at, end, &item) || !skip(at, end, &item, depth - 1)) {
                return false;
            }
        }
    }
    return true;
}

bool bjc_cbor_skip(const uint8_t **at, const uint8_t *end, const bjc_cbor_item *head) {
    return skip(at, end, head, BJC_CBOR_MAX_DEPTH);
}

static bool plain_value(const bjc_cbor_item *item, bjc_entry *entry) {
    entry->wrapping = item->indefinite ? BJC_WRAPPING_CHUNKS : BJC_WRAPPING_NONE;
    entry->data = item->data;
    entry->length = item->length;
    entry->number = item->number;
    entry->negative = item->kind == BJC_CBOR_NEGATIVE;
    entry->boolean = item->boolean;
    entry->real = item->real;
    switch (item->kind) {
    case BJC_CBOR_UNSIGNED:
    case BJC_CBOR_NEGATIVE:
        entry->form = BJC_FORM_INTEGER;
        return true;
    case BJC_CBOR_REAL:
        entry->form = BJC_FORM_REAL;
        return true;
    case BJC_CBOR_BOOLEAN:
        entry->form = BJC_FORM_BOOLEAN;
        return true;
    case BJC_CBOR_BYTES:
        entry->form = BJC_FORM_BYTES;
        return true;
    case BJC_CBOR_TEXT:
        entry->form = BJC_FORM_STRING_LINK;
        return true;
    default:
        return false;
    }
}

bool bjc_cbor_value(const uint8_t **at, const uint8_t *end, const bjc_cbor_item *head, bjc_entry *entry) {
    if (head->kind != BJC_CBOR_TAG) {
        return plain_value(head, entry);
    }
    bjc_cbor_item item;
    if (head->number != 1 || !bjc_cbor_next(at, end, &item) || !plain_value(&item, entry)) {
        return false;
    }
    entry->time = true;
    return entry->form == BJC_FORM_INTEGER;
}

bool bjc_cbor_join(const uint8_t *data, size_t length, bjc_buffer *out) {
    const uint8_t *at = data, *end = data + length;
    bjc_cbor_item chunk;
    while (at < end) {
        if (!take_head(&at, end, &chunk) || !bjc_buffer_append(out, chunk.data, chunk.length)) {
            return false;
        }
    }
    return !out->failed;
}

bool bjc_cbor_text(const bjc_cbor_item *item, char *out, size_t size) {
    const uint8_t *at = item->data, *end = item->data + item->length;
    bjc_cbor_item chunk = *item;
    size_t used = 0;
    bool first = true;
    while (item->indefinite ? at < end : first) {
        if (item->indefinite && !take_head(&at, end, &chunk)) {
            return false;
        }
        if (chunk.length >= size - used || memchr(chunk.data, 0, chunk.length)) {
            return false;
        }
        memcpy(out + used, chunk.data, chunk.length);
        used += chunk.length;
        first = false;
    }
    out[used] = '\0';
    return true;
}

/* --- writing ---------------------------------------------------------------------------------------------------- */

#define HEAD_MAX 9

void bjc_cbor_put_unsigned(bjc_buffer *out, uint64_t number) {
    unsigned char head[HEAD_MAX];
    bjc_buffer_append(out, head, cbor_encode_uint(number, head, sizeof head));
}

void bjc_cbor_put_integer(bjc_buffer *out, int64_t number) {
    unsigned char head[HEAD_MAX];
    if (number >= 0) {
        bjc_cbor_put_unsigned(out, (uint64_t) number);
    } else {
        bjc_buffer_append(out, head, cbor_encode_negint((uint64_t) (-1 - number), head, sizeof head));
    }
}

void bjc_cbor_put_boolean(bjc_buffer *out, bool boolean) {
    unsigned char head[HEAD_MAX];
    bjc_buffer_append(out, head, cbor_encode_bool(boolean, head, sizeof head));
}

/* IEEE 754 binary16: eleven significant bits, none below 2^-24. */
static bool fits_half(double real) {
    int exponent;
    double fraction = frexp(fabs(real), &exponent);
    /* libcbor does not write the smallest ones, below 2^-14, as what they are: those go as single. */
    bool normal = exponent >= -13 && exponent <= 16;
    return real == 0 || isinf(real) || (normal && ldexp(fraction, 11) == floor(ldexp(fraction, 11)));
}

void bjc_cbor_put_real(bjc_buffer *out, double real) {
    unsigned char head[HEAD_MAX];
    size_t length;
    if (isnan(real) || fits_half(real)) {
        length = cbor_encode_half((float) real, head, sizeof head);
    } else if (fabs(real) <= (double) FLT_MAX && (double) (float) real == real) {
        length = cbor_encode_single((float) real, head, sizeof head);
    } else {
        length = cbor_encode_double(real, head, sizeof head);
    }
    bjc_buffer_append(out, head, length);
}

void bjc_cbor_put_text(bjc_buffer *out, const uint8_t *data, size_t length) {
    unsigned char head[HEAD_MAX];
    bjc_buffer_append(out, head, cbor_encode_string_start(length, head, sizeof head));
    bjc_buffer_append(out, data, length);
}

void bjc_cbor_put_bytes(bjc_buffer *out, const uint8_t *data, size_t length) {
    unsigned char head[HEAD_MAX];
    bjc_buffer_append(out, head, cbor_encode_bytestring_start(length, head, sizeof head));
    bjc_buffer_append(out, data, length);
}

void bjc_cbor_put_array(bjc_buffer *out, size_t count) {
    unsigned char head[HEAD_MAX];
    bjc_buffer_append(out, head, cbor_encode_array_start(count, head, sizeof head));
}

void bjc_cbor_put_map(bjc_buffer *out, size_t count) {
    unsigned char head[HEAD_MAX];
    bjc_buffer_append(out, head, cbor_encode_map_start(count, head, sizeof head));
}

bool bjc_cbor_put_value(bjc_buffer *out, const bootjack_value *value) {
    char link[12];
    switch (value->type) {
    case BOOTJACK_TYPE_INTEGER:
    case BOOTJACK_TYPE_TIME:
        bjc_cbor_put_integer(out, value->as.integer);
        break;
    case BOOTJACK_TYPE_UNSIGNED:
        bjc_cbor_put_unsigned(out, value->as.unsigned_integer);
        break;
    case BOOTJACK_TYPE_FLOAT:
        bjc_cbor_put_real(out, value->as.real);
        break;
    case BOOTJACK_TYPE_BOOLEAN:
        bjc_cbor_put_boolean(out, value->as.boolean);
        break;
    case BOOTJACK_TYPE_STRING:
    case BOOTJACK_TYPE_CORELNK:
        bjc_cbor_put_text(out, value->as.bytes.data, value->as.bytes.length);
        break;
    case BOOTJACK_TYPE_OPAQUE:
        bjc_cbor_put_bytes(out, value->as.bytes.data, value->as.bytes.length);
        break;
    case BOOTJACK_TYPE_OBJLNK:
        snprintf(link, sizeof link, "%u:%u", value->as.link.object, value->as.link.instance);
        bjc_cbor_put_text(out, (const uint8_t *) link, strlen(link));
        break;
    case BOOTJACK_TYPE_NONE:
        return false;
    }
    return !out->failed;
}
