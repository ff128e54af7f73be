/* SPDX-License-Identifier: Apache-2.0
 *
 * From Uri-Path segments to a path of the data model; lists of paths.
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

/* --- lists of paths --------------------------------------------------------------------------------------------- */

static int compare(const bjc_path *a, const bjc_path *b) {
    for (unsigned i = 0; i < a->depth && i < b->depth; i++) {
        if (a->ids[i] != b->ids[i]) {
            return a->ids[i] < b->ids[i] ? -1 : 1;
        }
    }
    return a->depth == b->depth ? 0 : a->depth < b->depth ? -1 : 1;
}

/* What is named twice, or lies below what is named, would come twice. */
static bool is_covered(const bjc_path *paths, size_t count, const bjc_path *path) {
    bool covered = false;
    for (size_t i = 0; i < count && !covered; i++) {
        covered = bjc_path_inside(path, &paths[i]);
    }
    return covered;
}

static size_t drop_covered_by(bjc_path *paths, size_t count, const bjc_path *path) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (!bjc_path_inside(&paths[i], path)) {
            paths[kept++] = paths[i];
        }
    }
    return kept;
}

bool bjc_paths_add(bjc_path *paths, size_t *count, size_t most, const bjc_path *path) {
    if (is_covered(paths, *count, path)) {
        return true;
    }
    *count = drop_covered_by(paths, *count, path);
    if (*count == most) {
        return false;
    }
    size_t at = (*count)++;
    for (; at > 0 && compare(&paths[at - 1], path) > 0; at--) {
        paths[at] = paths[at - 1];
    }
    paths[at] = *path;
    return true;
}
