/* SPDX-License-Identifier: Apache-2.0
 *
 * Well-formed UTF-8 (RFC 3629).
 */
#ifndef BJC_FORMATS_UTF8_H
#define BJC_FORMATS_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool bjc_utf8(const uint8_t *data, size_t length);
/* Writes one character (at most 0x10FFFF, no surrogate) and returns its length, 1 to 4. */
size_t bjc_utf8_encode(uint32_t character, uint8_t out[4]);

#endif
