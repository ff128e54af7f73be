/* SPDX-License-Identifier: Apache-2.0
 *
 * A capture as bytes one after the other, whether it lies in a file or in memory, and whether or not it was compressed
 * with gzip. Bytes are handed out where they lie: what a block says of its length costs memory only as far as the
 * capture has those bytes. Private to capture/.
 */
#ifndef BJ_CAPTURE_CAPTURE_FILE_H
#define BJ_CAPTURE_CAPTURE_FILE_H

#include <string.h>

#include "capture/capture.h"

typedef struct bj_capture_file bj_capture_file;

/* Opens it for reading from its beginning. NULL: *why says what is wrong. */
bj_capture_file *bj_capture_file_open(const bj_capture_source *source, bj_text *why);
/* The next `length` bytes, until the next call of any function here; they stay the next ones. NULL: there are fewer,
 * because the capture ends, what is compressed is damaged, or there is no memory. */
const uint8_t *bj_capture_file_peek(bj_capture_file *file, size_t length);
/* The same, and goes on behind them. Where there are fewer nothing is taken. */
const uint8_t *bj_capture_file_take(bj_capture_file *file, size_t length);
/* Are no bytes left at all? After a NULL: is that so because what is compressed is damaged? */
bool bj_capture_file_at_end(bj_capture_file *file);
bool bj_capture_file_damaged(const bj_capture_file *file);
void bj_capture_file_close(bj_capture_file *file);

/* Numbers in the order of the machine that wrote them, or (`swapped`) in the other one. */
static inline uint32_t bj_capture_four(const uint8_t *b, bool swapped) {
    uint32_t native;
    memcpy(&native, b, sizeof native);
    return swapped ? __builtin_bswap32(native) : native;
}

static inline uint16_t bj_capture_two(const uint8_t *b, bool swapped) {
    uint16_t native;
    memcpy(&native, b, sizeof native);
    return swapped ? __builtin_bswap16(native) : native;
}

#endif
