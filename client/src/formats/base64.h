/* SPDX-License-Identifier: Apache-2.0
 *
 * Base64 with the standard alphabet and padding (RFC 4648 §4), as text/plain has it for opaque resources.
 */
#ifndef BJC_FORMATS_BASE64_H
#define BJC_FORMATS_BASE64_H

#include "util/memory.h"

/* Appends; false on characters, lengths, padding or unused bits that do not belong, or when memory ran out. */
bool bjc_base64_decode(const uint8_t *text, size_t length, bjc_buffer *out);
void bjc_base64_encode(const uint8_t *data, size_t length, bjc_buffer *out);

#endif
