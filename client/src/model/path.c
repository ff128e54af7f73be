/* SPDX-License-Identifier: Apache-2.0
 *
 * From Uri-Path segments to a path of the data model.
 */
#include "model/path.h"

static bool parse_id(const bjc_text *segment, uint16_t *id) {
    unsigned number = 0;
    if (segment->length == 0 || segment->length > 5 || (segment->length > 1 && segment->data[0] == '0')) {
        return false;
    }
    for (size_t i = 0; i < segment->length; i++) {
        if (segment->data[i] < '0' || segment->data[i] > '9') {
            return false;
        }
        number = number * 10 + (unsigned) (segment->data[i] - '0');
    }
    *id = (uint16_t) number;
    return number < BOOTJACK_ID_INVALID;
}

bool bjc_path_parse(const bjc_text *segments, size_t count, bjc_path *path) {
    *path = (bjc_path){ 0 };
    if (count > 4) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!parse_id(&segments[i], &path->ids[path->depth++])) {
            return false;
        }
    }
    return true;
}
