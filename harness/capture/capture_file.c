/* SPDX-License-Identifier: Apache-2.0
 *
 * See capture_file.h. zlib reads what is not compressed as it is.
 */
#define _GNU_SOURCE
#include "capture/capture_file.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

enum { BUFFER = 1 << 17 };

static ssize_t read_unpacked(void *cookie, char *buffer, size_t size) {
    int got = gzread(cookie, buffer, (unsigned) size);
    return got; /* -1, damage, is an error of the stream: what reads it says where */
}

static int close_unpacked(void *cookie) {
    return gzclose_r(cookie) == Z_OK ? 0 : -1;
}

FILE *bj_capture_file_open(const char *file, bj_text *why) {
    FILE *plain = fopen(file, "rb");
    if (!plain) {
        bj_text_printf(why, "%s: %s", file, strerror(errno));
        return NULL;
    }
    int first = fgetc(plain), second = first == EOF ? EOF : fgetc(plain);
    if (first != 0x1F || second != 0x8B) { /* RFC 1952 2.3.1 */
        rewind(plain);
        return plain;
    }
    fclose(plain);
    gzFile packed = gzopen(file, "rb");
    if (packed) {
        gzbuffer(packed, BUFFER);
        FILE *stream =
            fopencookie(packed, "rb", (cookie_io_functions_t){ .read = read_unpacked, .close = close_unpacked });
        if (stream) {
            return stream;
        }
        gzclose_r(packed);
    }
    bj_text_printf(why, "%s: no memory to read it", file);
    return NULL;
}
