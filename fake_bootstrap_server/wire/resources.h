/* SPDX-License-Identifier: Apache-2.0
 *
 * What printing needs to know of the registered objects: the types of their resources, and which are secrets.
 * Judging never uses this.
 */
#ifndef BJ_WIRE_RESOURCES_H
#define BJ_WIRE_RESOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The path of an operation: ids[0] Object, [1] Object Instance, [2] Resource, [3] Resource Instance; -1 = not named. */
typedef struct bj_target {
    int ids[4];
} bj_target;

/* "/0/1" gives {0, 1, -1, -1}. Segments in front that are no numbers (an alternate root) are passed over; NULL, "/"
 * and anything else give {-1, -1, -1, -1}. */
bj_target bj_target_of(const char *path);

/* Letters: S string, I integer, U unsigned, B boolean, F float, T time, O opaque, P object link, K a secret of which
 * only the length may be shown, '?' not known. */
char bj_resource_type(int object, int resource);

/* May a payload for this target carry secrets? True, too, for targets that are not known. */
bool bj_target_has_secrets(const bj_target *target);

#endif
