/* SPDX-License-Identifier: Apache-2.0
 *
 * See everything.h.
 */
#include "everything.h"

#include <string.h>

#include "fuzz.h"
#include "memory.h"

#define BOTH (BOOTJACK_READABLE | BOOTJACK_WRITABLE)
#define MANY (BOTH | BOOTJACK_MULTIPLE)
static const bootjack_resource resources[] = {
    { 0, "String", BOOTJACK_TYPE_STRING, BOTH, 0, 0, 10 },
    { 1, "Integer", BOOTJACK_TYPE_INTEGER, BOTH, 0, 0, 10 },
    { 2, "Unsigned", BOOTJACK_TYPE_UNSIGNED, BOTH, 0, 0, 10 },
    { 3, "Float", BOOTJACK_TYPE_FLOAT, BOTH, 0, 0, 10 },
    { 4, "Boolean", BOOTJACK_TYPE_BOOLEAN, BOTH, 0, 0, 10 },
    { 5, "Opaque", BOOTJACK_TYPE_OPAQUE, BOTH, 0, 0, 10 },
    { 6, "Time", BOOTJACK_TYPE_TIME, BOTH, 0, 0, 10 },
    { 7, "Object link", BOOTJACK_TYPE_OBJLNK, BOTH, 0, 0, 10 },
    { 8, "Links", BOOTJACK_TYPE_CORELNK, BOTH, 0, 0, 10 },
    { 10, "Strings", BOOTJACK_TYPE_STRING, MANY, 0, 0, 10 },
    { 11, "Integers", BOOTJACK_TYPE_INTEGER, MANY, 0, 0, 10 },
    { 12, "Unsigneds", BOOTJACK_TYPE_UNSIGNED, MANY, 0, 0, 10 },
    { 13, "Floats", BOOTJACK_TYPE_FLOAT, MANY, 0, 0, 10 },
    { 14, "Booleans", BOOTJACK_TYPE_BOOLEAN, MANY, 0, 0, 10 },
    { 15, "Opaques", BOOTJACK_TYPE_OPAQUE, MANY, 0, 0, 10 },
    { 16, "Times", BOOTJACK_TYPE_TIME, MANY, 0, 0, 10 },
    { 17, "Object links", BOOTJACK_TYPE_OBJLNK, MANY, 0, 0, 10 },
    { 300, "Far away", BOOTJACK_TYPE_INTEGER, MANY, 0, 0, 10 },
};
enum { RESOURCES = sizeof resources / sizeof *resources };

static const bootjack_object object = {
    .oid = EVERYTHING, .resources = resources, .resource_count = RESOURCES, .handlers = &bjc_store_handlers
};

static void make(everything *one) {
    bootjack_config config;
    bootjack_config_init(&config);
    config.endpoint = "dev-1";
    config.version = BOOTJACK_LWM2M_1_2;
    FUZZ_HOLDS(bjc_core_init(&one->core, &config) == BOOTJACK_OK, "a core can be made");
    bjc_model_init(&one->model, &one->core);
    bjc_store_init(&one->store, &one->core, &object);
    FUZZ_HOLDS(bjc_model_install(&one->model, &object, &one->store, &one->store) == BOOTJACK_OK,
               "an Object can be installed");
    one->core.allocator = memory_allocator; /* from here on, for what an input makes */
}

static everything both[2];

everything *everything_now(unsigned number) {
    return &both[number];
}

everything *everything_empty(unsigned number) {
    static bool made[2];
    everything *one = &both[number];
    if (!made[number]) {
        made[number] = true;
        make(one);
    }
    bjc_store_restore(&one->store, NULL);
    return one;
}

/* To the bit, but for what a NaN carries. */
static bool same_real(double left, double right) {
    uint64_t l, r;
    memcpy(&l, &left, sizeof l);
    memcpy(&r, &right, sizeof r);
    return l == r || (left != left && right != right);
}

static bool same_value(const bootjack_value *left, const bootjack_value *right) {
    if (left->type != right->type) {
        return false;
    }
    switch (left->type) {
    case BOOTJACK_TYPE_FLOAT:
        return same_real(left->as.real, right->as.real);
    case BOOTJACK_TYPE_BOOLEAN:
        return left->as.boolean == right->as.boolean;
    case BOOTJACK_TYPE_OBJLNK:
        return left->as.link.object == right->as.link.object && left->as.link.instance == right->as.link.instance;
    case BOOTJACK_TYPE_INTEGER:
    case BOOTJACK_TYPE_TIME:
    case BOOTJACK_TYPE_UNSIGNED:
        return left->as.unsigned_integer == right->as.unsigned_integer;
    default:
        return left->as.bytes.length == right->as.bytes.length &&
               (!left->as.bytes.length ||
                memcmp(left->as.bytes.data, right->as.bytes.data, left->as.bytes.length) == 0);
    }
}

static bool same_cells(const bjc_cell *left, const bjc_cell *right) {
    for (; left && right; left = left->next, right = right->next) {
        if (left->rid != right->rid || left->riid != right->riid || !same_value(&left->value, &right->value)) {
            return false;
        }
    }
    return left == right;
}

bool everything_same(const everything *left, const everything *right) {
    const bjc_instance *l = left->store.instances, *r = right->store.instances;
    for (; l && r; l = l->next, r = r->next) {
        if (l->iid != r->iid || !same_cells(l->cells, r->cells)) {
            return false;
        }
    }
    return l == r;
}

bool everything_is_shown(const everything *one) {
    for (const bjc_instance *instance = one->store.instances; instance; instance = instance->next) {
        if (!instance->cells) {
            return false;
        }
    }
    return true;
}

bjc_path everything_target(uint8_t choice) {
    bjc_path path = { 1, { EVERYTHING } };
    unsigned number = choice % (RESOURCES + 2u);
    if (number >= 1) {
        path.depth = number == 1 ? 2 : 3;
        path.ids[1] = choice & 0x80 ? 7 : 0;
    }
    if (number >= 2) {
        const bootjack_resource *resource = &resources[number - 2];
        path.ids[2] = resource->id;
        if ((choice & 0x40) && (resource->flags & BOOTJACK_MULTIPLE)) {
            path.depth = 4;
            path.ids[3] = choice & 0x20 ? 300 : 1;
        }
    }
    return path;
}

bj_entry everything_entry(const bootjack_value *value) {
    bj_entry entry = { .kind = BJ_ENTRY_STRING };
    switch (value->type) {
    case BOOTJACK_TYPE_INTEGER:
    case BOOTJACK_TYPE_TIME:
        entry.kind = BJ_ENTRY_INT;
        entry.integer = value->as.integer;
        break;
    case BOOTJACK_TYPE_UNSIGNED:
        entry.kind = value->as.unsigned_integer > INT64_MAX ? BJ_ENTRY_UINT : BJ_ENTRY_INT;
        entry.integer = (int64_t) value->as.unsigned_integer;
        break;
    case BOOTJACK_TYPE_FLOAT:
        entry.kind = BJ_ENTRY_FLOAT;
        entry.real = value->as.real;
        break;
    case BOOTJACK_TYPE_BOOLEAN:
        entry.kind = BJ_ENTRY_BOOL;
        entry.integer = value->as.boolean;
        break;
    case BOOTJACK_TYPE_OBJLNK:
        entry.kind = BJ_ENTRY_OBJLNK;
        entry.integer = (int64_t) value->as.link.object << 16 | value->as.link.instance;
        break;
    case BOOTJACK_TYPE_OPAQUE:
        entry.kind = BJ_ENTRY_OPAQUE;
        /* fall through */
    default:
        entry.bytes = value->as.bytes.data;
        entry.length = value->as.bytes.length;
    }
    return entry;
}
