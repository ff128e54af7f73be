/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of the content formats share: an Object with every type of resource, single and multiple, payloads in
 * hexadecimal or as text, and a model's values as one line of text.
 */
#ifndef BJC_TESTS_FORMATS_SUPPORT_H
#define BJC_TESTS_FORMATS_SUPPORT_H

#include "support.h"

#include <inttypes.h>
#include <stdlib.h>

#define EVERYTHING 9000

#define BOTH BOOTJACK_READABLE | BOOTJACK_WRITABLE
static const bootjack_resource everything_resources[] = {
    { 0, "String", BOOTJACK_TYPE_STRING, BOTH, 0, 0, 10 },
    { 1, "Integer", BOOTJACK_TYPE_INTEGER, BOTH, 0, 0, 10 },
    { 2, "Unsigned", BOOTJACK_TYPE_UNSIGNED, BOTH, 0, 0, 10 },
    { 3, "Float", BOOTJACK_TYPE_FLOAT, BOTH, 0, 0, 10 },
    { 4, "Boolean", BOOTJACK_TYPE_BOOLEAN, BOTH, 0, 0, 10 },
    { 5, "Opaque", BOOTJACK_TYPE_OPAQUE, BOTH, 0, 0, 10 },
    { 6, "Time", BOOTJACK_TYPE_TIME, BOTH, 0, 0, 10 },
    { 7, "Link", BOOTJACK_TYPE_OBJLNK, BOTH, 0, 0, 10 },
    { 8, "Links", BOOTJACK_TYPE_CORELNK, BOTH, 0, 0, 10 },
    { 10, "Strings", BOOTJACK_TYPE_STRING, BOTH | BOOTJACK_MULTIPLE, 0, 0, 10 },
    { 11, "Integers", BOOTJACK_TYPE_INTEGER, BOTH | BOOTJACK_MULTIPLE, 0, 0, 10 },
    { 12, "Unsigneds", BOOTJACK_TYPE_UNSIGNED, BOTH | BOOTJACK_MULTIPLE, 0, 0, 10 },
    { 13, "Floats", BOOTJACK_TYPE_FLOAT, BOTH | BOOTJACK_MULTIPLE, 0, 0, 10 },
    { 14, "Booleans", BOOTJACK_TYPE_BOOLEAN, BOTH | BOOTJACK_MULTIPLE, 0, 0, 10 },
    { 15, "Opaques", BOOTJACK_TYPE_OPAQUE, BOTH | BOOTJACK_MULTIPLE, 0, 0, 10 },
    { 16, "Times", BOOTJACK_TYPE_TIME, BOTH | BOOTJACK_MULTIPLE, 0, 0, 10 },
    { 17, "Object links", BOOTJACK_TYPE_OBJLNK, BOTH | BOOTJACK_MULTIPLE, 0, 0, 10 },
    { 300, "Far away", BOOTJACK_TYPE_INTEGER, BOTH | BOOTJACK_MULTIPLE, 0, 0, 10 },
};

static const bootjack_object everything = {
    EVERYTHING,          NULL, everything_resources, sizeof everything_resources / sizeof *everything_resources, false,
    &bjc_store_handlers,
};

typedef struct bench {
    bjc_core core;
    bjc_model model;
    bjc_store store;
} bench;

static inline void bench_open(bench *b) {
    core_start(&b->core);
    bjc_model_init(&b->model, &b->core);
    bjc_store_init(&b->store, &b->core, &everything);
    assert_int_equal(bjc_model_install(&b->model, &everything, &b->store, &b->store), BOOTJACK_OK);
}

static inline void bench_close(bench *b) {
    bjc_model_free(&b->model);
    bjc_store_free(&b->store);
    bjc_core_free(&b->core);
}

/* "{..." and "[..." are text, everything else is hexadecimal. */
static inline size_t payload_of(const char *text, uint8_t *bytes) {
    if (text[0] == '{' || text[0] == '[') {
        size_t length = 0;
        for (; text[length]; length++) {
            bytes[length] = (uint8_t) text[length];
        }
        return length;
    }
    return from_hex(text, bytes);
}

static inline bootjack_error write_payload(bjc_model *model, bjc_path target, int format, const char *payload) {
    uint8_t bytes[1024];
    size_t length = payload_of(payload, bytes);
    return bjc_model_write(model, &target, bjc_format_find(format), bytes, length);
}

static inline void print_bytes(char *out, size_t size, const uint8_t *data, size_t length) {
    for (size_t i = 0; i < length && 2 * i + 3 < size; i++) {
        snprintf(out + 2 * i, size - 2 * i, "%02X", data[i]);
    }
}

static inline void print_value(char *out, size_t size, const bootjack_value *value) {
    *out = '\0';
    switch (value->type) {
    case BOOTJACK_TYPE_INTEGER:
    case BOOTJACK_TYPE_TIME:
        snprintf(out, size, "%" PRId64, value->as.integer);
        break;
    case BOOTJACK_TYPE_UNSIGNED:
        snprintf(out, size, "%" PRIu64, value->as.unsigned_integer);
        break;
    case BOOTJACK_TYPE_FLOAT:
        snprintf(out, size, "%a", value->as.real);
        break;
    case BOOTJACK_TYPE_BOOLEAN:
        snprintf(out, size, "%s", value->as.boolean ? "true" : "false");
        break;
    case BOOTJACK_TYPE_OBJLNK:
        snprintf(out, size, "%u:%u", value->as.link.object, value->as.link.instance);
        break;
    case BOOTJACK_TYPE_OPAQUE:
        print_bytes(out, size, value->as.bytes.data, value->as.bytes.length);
        break;
    default:
        snprintf(out, size, "%.*s", (int) value->as.bytes.length, (const char *) value->as.bytes.data);
    }
}

/* "/0/1=5 /0/11/2=7 ...": all that the store holds. */
static inline void print_store(const bjc_store *store, char *out, size_t size) {
    size_t used = 0;
    out[0] = '\0';
    for (const bjc_instance *instance = store->instances; instance; instance = instance->next) {
        used += (size_t) snprintf(out + used, size - used, "/%u ", instance->iid);
        for (const bjc_cell *cell = instance->cells; cell; cell = cell->next) {
            char value[2200];
            print_value(value, sizeof value, &cell->value);
            used += (size_t) snprintf(out + used, size - used, "/%u/%u/%u=%s ", instance->iid, cell->rid, cell->riid,
                                      value);
            assert_in_range(used, 0, size - 1);
        }
    }
}

#endif
