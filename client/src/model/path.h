/* SPDX-License-Identifier: Apache-2.0
 *
 * From Uri-Path segments to a path of the data model; lists of paths.
 */
#ifndef BJC_MODEL_PATH_H
#define BJC_MODEL_PATH_H

#include "formats/entry.h"
#include "util/uri.h"

/* False: a segment is no number from 0 to 65534 in its shortest form, or there are more than four. */
bool bjc_path_parse(const bjc_text *segments, size_t count, bjc_path *path);
/* Into a list that is ascending and has none inside another, as bjc_model_read_paths() wants it: those that lie below
 * `path` go, and it does not come where one above it is there. False: no room, the list holds `most`. */
bool bjc_paths_add(bjc_path *paths, size_t *count, size_t most, const bjc_path *path);

#endif
