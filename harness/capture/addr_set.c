/* SPDX-License-Identifier: Apache-2.0
 *
 * A set of addresses: open addressing, twice as many places as entries at least.
 */
#include <stdlib.h>
#include <string.h>

#include "capture/unit.h"

enum { MOST = 1 << 20 };

static size_t hash(const bj_addr *addr) {
    uint32_t h = 2166136261U ^ addr->port;
    size_t length = addr->family == 6 ? 16 : 4;
    for (size_t i = 0; i < length; i++) {
        h = (h ^ addr->ip[i]) * 16777619U;
    }
    return (h ^ h >> 15) * 2654435761U;
}

static bj_addr *place_of(const bj_addr_set *set, const bj_addr *addr) {
    size_t at = hash(addr) & (set->room - 1);
    while (set->slots[at].family && !bj_addr_equal(&set->slots[at], addr)) {
        at = (at + 1) & (set->room - 1);
    }
    return &set->slots[at];
}

bool bj_addr_set_has(const bj_addr_set *set, const bj_addr *addr) {
    return set->room && addr->family && place_of(set, addr)->family;
}

static bool grow(bj_addr_set *set) {
    bj_addr_set bigger = { .room = set->room ? set->room * 2 : 64 };
    bigger.slots = calloc(bigger.room, sizeof *bigger.slots);
    if (!bigger.slots) {
        return false;
    }
    for (size_t i = 0; i < set->room; i++) {
        if (set->slots[i].family) {
            *place_of(&bigger, &set->slots[i]) = set->slots[i];
        }
    }
    free(set->slots);
    set->slots = bigger.slots;
    set->room = bigger.room;
    return true;
}

void bj_addr_set_add(bj_addr_set *set, const bj_addr *addr) {
    if (!addr->family || set->count == MOST || (set->count * 2 >= set->room && !grow(set))) {
        return;
    }
    bj_addr *place = place_of(set, addr);
    set->count += !place->family;
    *place = *addr;
}

void bj_addr_set_free(bj_addr_set *set) {
    free(set->slots);
    *set = (bj_addr_set){ .room = 0 };
}
