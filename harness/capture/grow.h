/* SPDX-License-Identifier: Apache-2.0
 *
 * Arrays that grow. Private to capture/.
 */
#ifndef BJ_CAPTURE_GROW_H
#define BJ_CAPTURE_GROW_H

#include <stddef.h>
#include <stdlib.h>

/* The array `items`, of malloc() or NULL, with room for one item behind the `count` that are there, each of `size`
 * bytes: where there is none, for twice as many, at first for `first`. NULL: no memory; the array is as it was. */
static inline void *bj_grown(void *items, size_t count, size_t *room, size_t size, size_t first) {
    if (count < *room) {
        return items;
    }
    size_t wanted = *room ? *room * 2 : first;
    void *grown = realloc(items, wanted * size);
    *room = grown ? wanted : *room;
    return grown;
}

#endif
