/* SPDX-License-Identifier: Apache-2.0
 *
 * From Uri-Path segments to a path of the data model.
 */
#ifndef BJC_MODEL_PATH_H
#define BJC_MODEL_PATH_H

#include "formats/entry.h"
#include "util/uri.h"

/* False: a segment is no number from 0 to 65534 in its shortest form, or there are more than four. */
bool bjc_path_parse(const bjc_text *segments, size_t count, bjc_path *path);

#endif
