/* SPDX-License-Identifier: Apache-2.0
 *
 * The test object, /3442 of the OMA registry.
 */
#include <string.h>

#include "bootjack/test_object.h"
#include "model/path.h"
#include "objects/objects.h"

#define RW   (BOOTJACK_READABLE | BOOTJACK_WRITABLE)
#define E    BOOTJACK_EXECUTABLE
#define MANY BOOTJACK_MULTIPLE

enum {
    RESET_VALUES = 0,
    RANDOMIZE_VALUES = 1,
    CLEAR_VALUES = 2,
    EXEC_WITH_ARGUMENTS = 3,
    ARGUMENTS_LIST = 4,
    SEND_VALUES = 5,
    FIRST_VALUE = 110
};

static const bootjack_resource resources[] = {
    { RESET_VALUES, "Reset values", BOOTJACK_TYPE_NONE, E, 0, 0, 10 },
    { RANDOMIZE_VALUES, "Randomize values", BOOTJACK_TYPE_NONE, E, 0, 0, 10 },
    { CLEAR_VALUES, "Clear values", BOOTJACK_TYPE_NONE, E, 0, 0, 10 },
    { EXEC_WITH_ARGUMENTS, "Exec With Arguments", BOOTJACK_TYPE_NONE, E, 0, 0, 10 },
    { ARGUMENTS_LIST, "Arguments List", BOOTJACK_TYPE_STRING, BOOTJACK_READABLE | MANY, 0, 0, 10 },
    { SEND_VALUES, "Send Values", BOOTJACK_TYPE_NONE, E, 0, 0, 11 },
    { 110, "String Value", BOOTJACK_TYPE_STRING, RW, 0, 0, 10 },
    { 120, "Integer Value", BOOTJACK_TYPE_INTEGER, RW, 0, 0, 10 },
    { 125, "Unsigned Integer Value", BOOTJACK_TYPE_UNSIGNED, RW, 0, 0, 11 },
    { 130, "Float Value", BOOTJACK_TYPE_FLOAT, RW, 0, 0, 10 },
    { 140, "Boolean Value", BOOTJACK_TYPE_BOOLEAN, RW, 0, 0, 10 },
    { 150, "Opaque Value", BOOTJACK_TYPE_OPAQUE, RW, 0, 0, 10 },
    { 160, "Time Value", BOOTJACK_TYPE_TIME, RW, 0, 0, 10 },
    { 170, "ObjLink Value", BOOTJACK_TYPE_OBJLNK, RW, 0, 0, 10 },
    { 180, "CoreLnk Value", BOOTJACK_TYPE_CORELNK, RW, 0, 0, 11 },
    { 1110, "Multiple String Value", BOOTJACK_TYPE_STRING, RW | MANY, 0, 0, 10 },
    { 1120, "Multiple Integer Value", BOOTJACK_TYPE_INTEGER, RW | MANY, 0, 0, 10 },
    { 1125, "Multiple Unsigned Integer Value", BOOTJACK_TYPE_UNSIGNED, RW | MANY, 0, 0, 11 },
    { 1130, "Multiple Float Value", BOOTJACK_TYPE_FLOAT, RW | MANY, 0, 0, 10 },
    { 1140, "Multiple Boolean Value", BOOTJACK_TYPE_BOOLEAN, RW | MANY, 0, 0, 10 },
    { 1150, "Multiple Opaque Value", BOOTJACK_TYPE_OPAQUE, RW | MANY, 0, 0, 10 },
    { 1160, "Multiple Time Value", BOOTJACK_TYPE_TIME, RW | MANY, 0, 0, 10 },
    { 1170, "Multiple ObjLink Value", BOOTJACK_TYPE_OBJLNK, RW | MANY, 0, 0, 10 },
    { 1180, "Multiple CoreLnk Value", BOOTJACK_TYPE_CORELNK, RW | MANY, 0, 0, 11 },
};

#undef RW
#undef E
#undef MANY

static const bootjack_object object = {
    .oid = BOOTJACK_TEST_OBJECT_ID,
    .resources = resources,
    .resource_count = sizeof resources / sizeof *resources,
    .handlers = &bjc_store_handlers,
};

/* --- values ----------------------------------------------------------------------------------------------------- */

static void bytes_value(bootjack_value *value, const void *data, size_t length) {
    value->as.bytes.data = data;
    value->as.bytes.length = length;
}

/* What the registry says that the Object begins with. */
static void initial_value(bootjack_value *value) {
    static const uint8_t opaque[] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF };
    switch (value->type) {
    case BOOTJACK_TYPE_INTEGER:
        value->as.integer = 1024;
        break;
    case BOOTJACK_TYPE_UNSIGNED:
        value->as.unsigned_integer = UINT64_C(1) << 63;
        break;
    case BOOTJACK_TYPE_FLOAT:
        value->as.real = 3.14159;
        break;
    case BOOTJACK_TYPE_BOOLEAN:
        value->as.boolean = true;
        break;
    case BOOTJACK_TYPE_TIME:
        value->as.integer = 946684800;
        break;
    case BOOTJACK_TYPE_OBJLNK:
        value->as.link.object = 3;
        value->as.link.instance = 0;
        break;
    case BOOTJACK_TYPE_OPAQUE:
        bytes_value(value, opaque, sizeof opaque);
        break;
    case BOOTJACK_TYPE_CORELNK:
        bytes_value(value, "</3442>", 7);
        break;
    default:
        bytes_value(value, "initial value", 13);
        break;
    }
}

/* `random` has eight bytes; texts are made of letters. */
static void random_value(bootjack_value *value, uint8_t *random) {
    uint64_t number;
    memcpy(&number, random, sizeof number);
    switch (value->type) {
    case BOOTJACK_TYPE_INTEGER:
        value->as.integer = (int64_t) number;
        break;
    case BOOTJACK_TYPE_UNSIGNED:
        value->as.unsigned_integer = number;
        break;
    case BOOTJACK_TYPE_FLOAT:
        value->as.real = (double) (number >> 11) / 1048576.0;
        break;
    case BOOTJACK_TYPE_BOOLEAN:
        value->as.boolean = number & 1;
        break;
    case BOOTJACK_TYPE_TIME:
        value->as.integer = (int64_t) (number & INT32_MAX);
        break;
    case BOOTJACK_TYPE_OBJLNK:
        value->as.link.object = (uint16_t) (number % BOOTJACK_ID_INVALID);
        value->as.link.instance = (uint16_t) ((number >> 16) % BOOTJACK_ID_INVALID);
        break;
    case BOOTJACK_TYPE_OPAQUE:
        bytes_value(value, random, 8);
        break;
    case BOOTJACK_TYPE_CORELNK:
        bytes_value(value, "</3>", 4);
        break;
    default:
        for (size_t i = 0; i < 8; i++) {
            random[i] = (uint8_t) ('a' + random[i] % 26);
        }
        bytes_value(value, random, 8);
        break;
    }
}

static bootjack_error clear_values(bjc_store *store, uint16_t iid) {
    const bootjack_object *table = store->object;
    bootjack_error error = BOOTJACK_OK;
    for (size_t i = 0; i < table->resource_count && !error; i++) {
        if (table->resources[i].id >= FIRST_VALUE) {
            error = bjc_store_handlers.clear(store, iid, table->resources[i].id);
        }
    }
    return error;
}

static bootjack_error set_values(bjc_store *store, uint16_t iid, bool random) {
    const bootjack_object *table = store->object;
    uint8_t bytes[8];
    bootjack_error error = clear_values(store, iid);
    for (size_t i = 0; i < table->resource_count && !error; i++) {
        bootjack_value value = { .type = table->resources[i].type };
        if (table->resources[i].id < FIRST_VALUE) {
            continue;
        }
        if (!random) {
            initial_value(&value);
        } else if (bjc_random_bytes(store->core, bytes, sizeof bytes)) {
            random_value(&value, bytes);
        } else {
            return BOOTJACK_ERR_INTERNAL;
        }
        error = bjc_store_set(store, iid, table->resources[i].id, 0, &value);
    }
    return error;
}

/* --- Exec With Arguments ---------------------------------------------------------------------------------------- */

/* One argument, "2" or "2='text'" (LwM2M Core 1.1 §6.3.5); `*at` goes behind it. False: it is none. */
static bool take_argument(const uint8_t **at, const uint8_t *end, uint16_t *number, bootjack_value *text) {
    if (*at == end || **at < '0' || **at > '9') {
        return false;
    }
    *number = (uint16_t) (*(*at)++ - '0');
    bytes_value(text, *at, 0);
    if (*at == end || **at != '=') {
        return true;
    }
    const uint8_t *start = *at + 2;
    if (end - *at < 3 || (*at)[1] != '\'') {
        return false;
    }
    const uint8_t *quote = memchr(start, '\'', (size_t) (end - start));
    if (quote) {
        bytes_value(text, start, (size_t) (quote - start));
        *at = quote + 1;
    }
    return quote != NULL;
}

static bootjack_error keep_arguments(bjc_store *store, uint16_t iid, const uint8_t *arguments, size_t length) {
    const uint8_t *at = arguments, *end = arguments + length;
    bootjack_error error = bjc_store_handlers.clear(store, iid, ARGUMENTS_LIST);
    while (!error && at < end) {
        uint16_t number;
        bootjack_value text = { .type = BOOTJACK_TYPE_STRING };
        bool good = take_argument(&at, end, &number, &text) && (at == end || *at == ',');
        bool last = at == end;
        at += !last;
        if (!good || (!last && at == end)) {
            return BOOTJACK_ERR_FORMAT;
        }
        error = bjc_store_set(store, iid, ARGUMENTS_LIST, number, &text);
    }
    return error;
}

/* --- Send Values ------------------------------------------------------------------------------------------------ */

/* "/3442/0/120" */
static bool take_path(const bootjack_value *text, bootjack_path *path) {
    bjc_text segments[4];
    const char *at = (const char *) text->as.bytes.data, *end = at + text->as.bytes.length;
    size_t count = 0;
    bjc_path parsed;
    while (at < end && *at == '/' && count < 4) {
        const char *next = memchr(at + 1, '/', (size_t) (end - at - 1));
        next = next ? next : end;
        segments[count++] = (bjc_text){ at + 1, (size_t) (next - at - 1) };
        at = next;
    }
    bool good = at == end && count > 0 && bjc_path_parse(segments, count, &parsed);
    if (good) {
        path->depth = parsed.depth;
        memcpy(path->ids, parsed.ids, sizeof path->ids);
    }
    return good;
}

/* Its arguments are the paths; without any it is the instance. */
static bootjack_error send_values(const bjc_test_object *test, uint16_t iid, const uint8_t *arguments, size_t length) {
    bootjack_path paths[BJC_TEST_OBJECT_PATHS] = { { 2, { BOOTJACK_TEST_OBJECT_ID, iid } } };
    static const uint8_t nothing[1];
    const uint8_t *at = arguments ? arguments : nothing, *end = at + length;
    size_t count = 0;
    while (at < end) {
        uint16_t number;
        bootjack_value text = { .type = BOOTJACK_TYPE_STRING };
        bool good = count < BJC_TEST_OBJECT_PATHS && take_argument(&at, end, &number, &text) &&
                    take_path(&text, &paths[count]) && (at == end || *at++ == ',');
        if (!good) {
            return BOOTJACK_ERR_FORMAT;
        }
        count++;
    }
    if (test->send) {
        test->send(test->context, paths, count ? count : 1);
    }
    return BOOTJACK_OK;
}

/* What goes wrong in the middle of it is undone. */
static bootjack_error execute(void *context, uint16_t iid, uint16_t rid, const uint8_t *arguments, size_t length) {
    bjc_test_object *test = context;
    bjc_store *store = &test->store;
    bjc_instance *saved;
    if (rid == SEND_VALUES) {
        return send_values(test, iid, arguments, length);
    }
    bootjack_error error = bjc_store_save(store, &saved);
    if (error) {
        return error;
    }
    if (rid == EXEC_WITH_ARGUMENTS) {
        error = length ? keep_arguments(store, iid, arguments, length)
                       : bjc_store_handlers.clear(store, iid, ARGUMENTS_LIST);
    } else {
        error = rid == CLEAR_VALUES ? clear_values(store, iid) : set_values(store, iid, rid == RANDOMIZE_VALUES);
    }
    if (error) {
        bjc_store_restore(store, saved);
    } else {
        bjc_store_forget(store, saved);
    }
    return error;
}

void bjc_test_object_init(bjc_test_object *test, const bjc_core *core) {
    bjc_store_init(&test->store, core, &object);
    test->store.execute = execute;
    test->store.context = test;
}

bootjack_error bjc_test_object_fill(bjc_store *store) {
    bootjack_error error = bjc_store_create(store, 0);
    return error ? error : set_values(store, 0, false);
}
