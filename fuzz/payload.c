/* SPDX-License-Identifier: Apache-2.0
 *
 * See payload.h.
 */
#include "payload.h"

#include <string.h>

#include "everything.h"
#include "memory.h"

static const bjc_path whole = { 1, { EVERYTHING } };

/* --- through every format ------------------------------------------------------------------------------------- */

static void show(const everything *one, const bjc_format *format, bjc_buffer *out) {
    bjc_buffer_init(out, &one->core.allocator);
    FUZZ_HOLDS(bjc_model_read(&one->model, &whole, format, true, out) == BOOTJACK_OK,
               "what the model holds can be read in every format");
}

static void carry_on(const everything *one, int number) {
    const bjc_format *format = bjc_format_find(number);
    everything *other = everything_empty(1);
    bjc_buffer first, second;
    show(one, format, &first);
    FUZZ_HOLDS(bjc_model_write(&other->model, &whole, format, first.data, first.length) == BOOTJACK_OK,
               "what a format writes, it reads");
    FUZZ_HOLDS(everything_same(one, other), "what a format writes, it reads to the same values");
    show(other, format, &second);
    FUZZ_HOLDS(first.length == second.length && memcmp(first.data, second.data, first.length) == 0,
               "the same values are written to the same bytes");
    bjc_buffer_free(&first);
    bjc_buffer_free(&second);
}

/* In a format that no whole Object is written in: an Object Instance after the other. */
static void carry_on_by_instance(const everything *one, int number) {
    const bjc_format *format = bjc_format_find(number);
    everything *other = everything_empty(1);
    for (const bjc_instance *i = one->store.instances; i; i = i->next) {
        const bjc_path path = { 2, { EVERYTHING, i->iid } };
        bjc_buffer out;
        bjc_buffer_init(&out, &one->core.allocator);
        FUZZ_HOLDS(bjc_model_read(&one->model, &path, format, true, &out) == BOOTJACK_OK,
                   "what the model holds can be read in every format");
        FUZZ_HOLDS(bjc_model_write(&other->model, &path, format, out.data, out.length) == BOOTJACK_OK,
                   "what a format writes, it reads");
        bjc_buffer_free(&out);
    }
    FUZZ_HOLDS(everything_same(one, other), "what a format writes, it reads to the same values");
}

static bool has_nan(const everything *one) {
    for (const bjc_instance *instance = one->store.instances; instance; instance = instance->next) {
        for (const bjc_cell *cell = instance->cells; cell; cell = cell->next) {
            if (cell->value.type == BOOTJACK_TYPE_FLOAT && cell->value.as.real - cell->value.as.real != 0) {
                return true; /* nor can JSON write an infinite number */
            }
        }
    }
    return false;
}

/* --- the other decoder ---------------------------------------------------------------------------------------- */

static size_t cells(const everything *one) {
    size_t count = 0;
    for (const bjc_instance *instance = one->store.instances; instance; instance = instance->next) {
        for (const bjc_cell *cell = instance->cells; cell; cell = cell->next) {
            count++;
        }
    }
    return count;
}

/* Whether the model keeps the entry: a value of a resource that it knows. */
static const bootjack_value *kept(const everything *one, const bj_entry *seen) {
    if (seen->kind == BJ_ENTRY_NONE || seen->path.depth < 3 || seen->path.ids[0] != EVERYTHING ||
        !bjc_resource_find(one->store.object, seen->path.ids[2])) {
        return NULL;
    }
    uint16_t riid = seen->path.depth == 4 ? seen->path.ids[3] : 0;
    const bootjack_value *value = bjc_store_get(&one->store, seen->path.ids[1], seen->path.ids[2], riid);
    FUZZ_HOLDS(value != NULL, "what the other decoder reads is in the model");
    return value;
}

/* The client takes a record of SenML that says only that an instance is there, or only a base name; RFC 8428 §4.2 wants
 * a value in each, and the other decoder is strict. Nor does the client read the value of a Resource that it does not
 * know, for it passes that over; as text it is well formed, and no link, or no base64url. */
static bool tolerated(int format, const char *why) {
    bool senml = format == BJC_FORMAT_SENML_JSON || format == BJC_FORMAT_SENML_CBOR;
    if (strstr(why, "the value is no ")) {
        return true;
    }
    return senml && (strstr(why, "a record has no value") || strstr(why, "a record has neither name nor value"));
}

static void compare(const everything *one, int format, const bjc_path *target, const uint8_t *data, size_t size) {
    static uint8_t room[1 << 20];
    bj_path path = { .depth = (uint8_t) target->depth };
    memcpy(path.ids, target->ids, sizeof path.ids);
    bj_entries in;
    bj_entry seen;
    BJ_TEXT(why, 256);
    size_t count = 0;
    bj_entries_begin(&in, (uint32_t) format, &path, data, size, room, sizeof room);
    while (bj_entries_next(&in, &seen, &why)) {
        const bootjack_value *value = kept(one, &seen);
        if (value) {
            bj_entry wanted = everything_entry(value);
            count++;
            FUZZ_HOLDS(bj_entry_same(&wanted, &seen), "both decoders read the same value");
        }
    }
    if (in.damaged && tolerated(format, why.start)) {
        return;
    }
    FUZZ_HOLDS(!in.damaged, "what the client takes, the other decoder takes");
    FUZZ_HOLDS(count == cells(one), "both decoders read the same number of values");
}

/* -------------------------------------------------------------------------------------------------------------- */

/* A Bootstrap-Write, whose target has three parts at most. */
static bootjack_error take(everything *one, const bjc_write *write) {
    bootjack_error error = bjc_model_write(&one->model, &write->target, write->format, write->payload, write->length);
    FUZZ_HOLDS(!error || !one->store.instances, "a Write that is refused changes nothing");
    return error;
}

/* A server's Write to an instance of a resource: the Object's own instance is there. */
static bootjack_error take_resource_instance(everything *one, const bjc_write *write) {
    bjc_object *object = bjc_model_object(&one->model, EVERYTHING);
    FUZZ_HOLDS(bjc_store_create(&one->store, write->target.ids[1]) == BOOTJACK_OK &&
                   bjc_model_begin_write(object) == BOOTJACK_OK,
               "an instance can be made, and written to");
    bootjack_error error = bjc_model_apply(&one->model, write, object);
    bjc_model_end_write(object, !error);
    const bjc_cell *cell = one->store.instances->cells;
    FUZZ_HOLDS(!error || !cell, "a Write that is refused changes nothing");
    FUZZ_HOLDS(!cell || (!cell->next && cell->rid == write->target.ids[2] && cell->riid == write->target.ids[3]),
               "a Write to an instance of a resource changes that alone");
    return error;
}

/* Writes it to the first model, whose error it returns. */
static bootjack_error take_payload(const bjc_path *target, int format, const uint8_t *payload, size_t size) {
    everything *one = everything_empty(0);
    const bjc_write write = { .mode = BJC_WRITE_REPLACE,
                              .target = *target,
                              .format = bjc_format_find(format),
                              .payload = payload,
                              .length = size,
                              .placeholder = -1 };
    return target->depth == 4 ? take_resource_instance(one, &write) : take(one, &write);
}

static void done(void) {
    everything_empty(0);
    everything_empty(1);
    memory_done();
}

void fuzz_payload(int format, const uint8_t *data, size_t size) {
    fuzz_input input = { data, size };
    bjc_path target = everything_target(fuzz_byte(&input));
    const uint8_t *payload = memory_copy(&input);
    if (!take_payload(&target, format, payload, input.left)) {
        compare(everything_now(0), format, &target, payload, input.left);
    }
    done();
}

void fuzz_meaning(int format, int other, const uint8_t *data, size_t size) {
    fuzz_input input = { data, size };
    bjc_path target = everything_target(fuzz_byte(&input));
    const uint8_t *payload = memory_copy(&input);
    if (!take_payload(&target, format, payload, input.left)) {
        const everything *one = everything_now(0);
        bool json = other == BJC_FORMAT_SENML_JSON || other == BJC_FORMAT_JSON;
        if (one->store.instances && everything_is_shown(one) && !(json && has_nan(one))) {
            (other == BJC_FORMAT_JSON ? carry_on_by_instance : carry_on)(one, other);
        }
    }
    done();
}
