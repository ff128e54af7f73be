/* SPDX-License-Identifier: Apache-2.0
 *
 * A capture file as a stream of bytes, whether or not it was compressed with gzip. Private to capture/.
 */
#ifndef BJ_CAPTURE_CAPTURE_FILE_H
#define BJ_CAPTURE_CAPTURE_FILE_H

#include <stdio.h>

#include "base/text.h"

/* Opens `file` for reading from its beginning; the caller closes it. NULL: *why says what is wrong. */
FILE *bj_capture_file_open(const char *file, bj_text *why);

#endif
