/* SPDX-License-Identifier: Apache-2.0
 *
 * See lookup.h. Open addressing, twice as many places as entries at least.
 */
#include "capture/lookup.h"

#include <stdlib.h>

uint64_t bj_lookup_hash_number(uint64_t number) {
    number = (number ^ number >> 33) * UINT64_C(0xFF51AFD7ED558CCD);
    number = (number ^ number >> 33) * UINT64_C(0xC4CEB9FE1A85EC53);
    return number ^ number >> 33;
}

uint64_t bj_lookup_hash(uint64_t hash, const void *bytes, size_t length) {
    const uint8_t *at = bytes;
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ at[i]) * UINT64_C(0x100000001B3);
    }
    return bj_lookup_hash_number(hash + length);
}

uint32_t *bj_lookup_find(const bj_lookup *table, uint64_t hash, bj_lookup_same *same, const void *context) {
    for (size_t at = hash & (table->room - 1); table->room && table->slots[at].used;
         at = (at + 1) & (table->room - 1)) {
        bj_lookup_slot *slot = &table->slots[at];
        if (slot->hash == hash && (!same || same(context, slot->value))) {
            return &slot->value;
        }
    }
    return NULL;
}

static void place(bj_lookup *table, uint64_t hash, uint32_t value) {
    size_t at = hash & (table->room - 1);
    while (table->slots[at].used) {
        at = (at + 1) & (table->room - 1);
    }
    table->slots[at] = (bj_lookup_slot){ hash, value, true };
}

static bool grow(bj_lookup *table) {
    bj_lookup bigger = { .room = table->room ? table->room * 2 : 64, .count = table->count };
    bigger.slots = calloc(bigger.room, sizeof *bigger.slots);
    if (!bigger.slots) {
        return false;
    }
    for (size_t i = 0; i < table->room; i++) {
        if (table->slots[i].used) {
            place(&bigger, table->slots[i].hash, table->slots[i].value);
        }
    }
    free(table->slots);
    *table = bigger;
    return true;
}

bool bj_lookup_add(bj_lookup *table, uint64_t hash, uint32_t value) {
    if (table->count * 2 >= table->room && !grow(table)) {
        return false;
    }
    place(table, hash, value);
    table->count++;
    return true;
}

void bj_lookup_free(bj_lookup *table) {
    free(table->slots);
    *table = (bj_lookup){ .room = 0 };
}
