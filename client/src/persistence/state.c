/* SPDX-License-Identifier: Apache-2.0
 *
 * The saved state as bytes; see state.h.
 */
#include "persistence/state.h"

#include <string.h>

#define VERSION      1
#define HEADER       20
#define CHECKSUM_AT  16
#define MOST_OBJECTS 4

static const char magic[] = { 'B', 'O', 'O', 'T', 'J', 'A', 'C', 'K' };
static const uint16_t covered[MOST_OBJECTS] = { 0, 1, 2, 21 };

bool bjc_state_covers(const bjc_object *object) {
    for (size_t i = 0; i < MOST_OBJECTS; i++) {
        if (object->store && object->definition->oid == covered[i]) {
            return true;
        }
    }
    return false;
}

static bool has_bytes(bootjack_type type) {
    return type == BOOTJACK_TYPE_STRING || type == BOOTJACK_TYPE_OPAQUE || type == BOOTJACK_TYPE_CORELNK;
}

/* Four bits at a time: a table of all bytes would be a kilobyte of a device's memory. */
static uint32_t crc(uint32_t sum, const uint8_t *data, size_t length) {
    static const uint32_t table[16] = {
        0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
        0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
    };
    sum = ~sum;
    for (size_t i = 0; i < length; i++) {
        sum ^= data[i];
        sum = sum >> 4 ^ table[sum & 15];
        sum = sum >> 4 ^ table[sum & 15];
    }
    return ~sum;
}

static uint32_t checksum(const uint8_t *data, size_t length) {
    return crc(crc(0, data, CHECKSUM_AT), data + HEADER, length - HEADER);
}

/* --- writing ---------------------------------------------------------------------------------------------------- */

static void number_to(uint8_t *out, size_t width, uint64_t number) {
    for (size_t i = width; i-- > 0; number >>= 8) {
        out[i] = (uint8_t) number;
    }
}

static void put(bjc_buffer *out, size_t width, uint64_t number) {
    uint8_t bytes[8];
    number_to(bytes, width, number);
    bjc_buffer_append(out, bytes, width);
}

static uint64_t bits_of(double real) {
    uint64_t bits;
    memcpy(&bits, &real, sizeof bits);
    return bits;
}

static void put_value(bjc_buffer *out, const bootjack_value *value) {
    put(out, 1, value->type);
    if (has_bytes(value->type)) {
        put(out, 4, value->as.bytes.length);
        bjc_buffer_append(out, value->as.bytes.data, value->as.bytes.length);
        return;
    }
    put(out, 4, 8);
    switch (value->type) {
    case BOOTJACK_TYPE_UNSIGNED:
        put(out, 8, value->as.unsigned_integer);
        break;
    case BOOTJACK_TYPE_FLOAT:
        put(out, 8, bits_of(value->as.real));
        break;
    case BOOTJACK_TYPE_BOOLEAN:
        put(out, 8, value->as.boolean);
        break;
    case BOOTJACK_TYPE_OBJLNK:
        put(out, 8, (uint32_t) value->as.link.object << 16 | value->as.link.instance);
        break;
    default:
        put(out, 8, (uint64_t) value->as.integer);
        break;
    }
}

static void put_instance(bjc_buffer *out, const bjc_instance *instance) {
    uint16_t count = 0;
    for (const bjc_cell *cell = instance->cells; cell; cell = cell->next) {
        count++;
    }
    put(out, 2, instance->iid);
    put(out, 2, count);
    for (const bjc_cell *cell = instance->cells; cell; cell = cell->next) {
        put(out, 2, cell->rid);
        put(out, 2, cell->riid);
        put_value(out, &cell->value);
    }
}

static void put_object(bjc_buffer *out, const bjc_object *object) {
    uint16_t count = 0;
    for (const bjc_instance *instance = object->store->instances; instance; instance = instance->next) {
        count++;
    }
    put(out, 2, object->definition->oid);
    put(out, 2, count);
    for (const bjc_instance *instance = object->store->instances; instance; instance = instance->next) {
        put_instance(out, instance);
    }
}

bootjack_error bjc_state_encode(const bjc_model *model, bool bootstrapped, bjc_buffer *out) {
    uint8_t header[HEADER] = { 0 };
    bjc_buffer_append(out, header, sizeof header);
    put(out, 1, bootstrapped);
    for (const bjc_object *object = model->objects; object; object = object->next) {
        if (bjc_state_covers(object)) {
            put_object(out, object);
        }
    }
    if (out->failed || out->length > BJC_STATE_LIMIT) {
        return out->failed ? BOOTJACK_ERR_MEMORY : BOOTJACK_ERR_LIMIT;
    }
    memcpy(out->data, magic, sizeof magic);
    number_to(out->data + 8, 2, VERSION);
    number_to(out->data + 12, 4, out->length - HEADER);
    number_to(out->data + CHECKSUM_AT, 4, checksum(out->data, out->length));
    return BOOTJACK_OK;
}

/* --- reading ---------------------------------------------------------------------------------------------------- */

typedef struct reader {
    const uint8_t *at, *end;
    bool failed; /* less was there than was asked for */
} reader;

static const uint8_t *take(reader *in, size_t length) {
    const uint8_t *start = in->at;
    if (in->failed || length > (size_t) (in->end - in->at)) {
        in->failed = true;
        return NULL;
    }
    in->at += length;
    return start;
}

static uint64_t number(reader *in, size_t width) {
    const uint8_t *bytes = take(in, width);
    uint64_t value = 0;
    for (size_t i = 0; bytes && i < width; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

static void take_number(reader *in, bootjack_value *value) {
    uint64_t bits = number(in, 8);
    switch (value->type) {
    case BOOTJACK_TYPE_UNSIGNED:
        value->as.unsigned_integer = bits;
        break;
    case BOOTJACK_TYPE_FLOAT:
        memcpy(&value->as.real, &bits, sizeof bits);
        break;
    case BOOTJACK_TYPE_BOOLEAN:
        value->as.boolean = bits != 0;
        break;
    case BOOTJACK_TYPE_OBJLNK:
        value->as.link.object = (uint16_t) (bits >> 16);
        value->as.link.instance = (uint16_t) bits;
        break;
    default:
        value->as.integer = (int64_t) bits;
        break;
    }
}

static bootjack_error take_cell(reader *in, bjc_store *store, uint16_t iid) {
    uint16_t rid = (uint16_t) number(in, 2), riid = (uint16_t) number(in, 2);
    bootjack_value value = { .type = (bootjack_type) number(in, 1) };
    size_t length = (size_t) number(in, 4);
    if (has_bytes(value.type)) {
        value.as.bytes.data = take(in, length);
        value.as.bytes.length = length;
    } else if (length == 8) {
        take_number(in, &value);
    } else {
        in->failed = true;
    }
    return in->failed ? BOOTJACK_ERR_DAMAGED : bjc_store_set(store, iid, rid, riid, &value);
}

static bootjack_error take_instance(reader *in, bjc_store *store) {
    uint16_t iid = (uint16_t) number(in, 2), count = (uint16_t) number(in, 2);
    bootjack_error error = in->failed ? BOOTJACK_ERR_DAMAGED : bjc_store_create(store, iid);
    for (uint16_t i = 0; i < count && !error; i++) {
        error = take_cell(in, store, iid);
    }
    return error;
}

/* New instances, made beside the old ones until all could be made. */
typedef struct taken {
    bjc_store *target[MOST_OBJECTS], fresh[MOST_OBJECTS];
    size_t count;
} taken;

static bootjack_error take_object(reader *in, const bjc_model *model, taken *all) {
    uint16_t oid = (uint16_t) number(in, 2), count = (uint16_t) number(in, 2);
    const bjc_object *object = in->failed ? NULL : bjc_model_object(model, oid);
    if (in->failed) {
        return BOOTJACK_ERR_DAMAGED;
    }
    if (!object || !bjc_state_covers(object) || all->count >= MOST_OBJECTS) {
        return BOOTJACK_ERR_INCONSISTENT;
    }
    bjc_store *fresh = &all->fresh[all->count];
    bjc_store_init(fresh, object->store->core, object->store->object);
    all->target[all->count++] = object->store;
    bootjack_error error = BOOTJACK_OK;
    for (uint16_t i = 0; i < count && !error; i++) {
        error = take_instance(in, fresh);
    }
    return error;
}

static void keep(taken *all) {
    for (size_t i = 0; i < all->count; i++) {
        bjc_store_restore(all->target[i], all->fresh[i].instances);
        all->target[i]->births = all->fresh[i].births;
    }
}

static void drop(taken *all) {
    for (size_t i = 0; i < all->count; i++) {
        bjc_store_free(&all->fresh[i]);
    }
}

static bootjack_error check_header(const uint8_t *data, size_t length) {
    size_t shown = length < sizeof magic ? length : sizeof magic;
    if (shown && memcmp(data, magic, shown) != 0) {
        return BOOTJACK_ERR_FOREIGN;
    }
    if (length < HEADER) {
        return BOOTJACK_ERR_DAMAGED;
    }
    reader in = { data + sizeof magic, data + HEADER, false };
    uint16_t version = (uint16_t) number(&in, 2);
    take(&in, 2);
    uint64_t rest = number(&in, 4), sum = number(&in, 4);
    if (rest != length - HEADER || sum != checksum(data, length)) {
        return BOOTJACK_ERR_DAMAGED;
    }
    return version == VERSION ? BOOTJACK_OK : version > VERSION ? BOOTJACK_ERR_TOO_NEW : BOOTJACK_ERR_DAMAGED;
}

bootjack_error bjc_state_decode(const bjc_model *model, const uint8_t *data, size_t length, bool *bootstrapped) {
    bootjack_error error = check_header(data, length);
    if (error) {
        return error;
    }
    taken all = { .count = 0 };
    reader in = { data + HEADER, data + length, false };
    bool flag = number(&in, 1) != 0;
    while (!error && !in.failed && in.at < in.end) {
        error = take_object(&in, model, &all);
    }
    error = !error && in.failed ? BOOTJACK_ERR_DAMAGED : error;
    if (error) {
        drop(&all);
        return error == BOOTJACK_ERR_MEMORY || error == BOOTJACK_ERR_DAMAGED ? error : BOOTJACK_ERR_INCONSISTENT;
    }
    keep(&all);
    *bootstrapped = flag;
    return BOOTJACK_OK;
}
