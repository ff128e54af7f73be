/* SPDX-License-Identifier: Apache-2.0
 *
 * Base64 with the standard alphabet and padding (RFC 4648 §4), as text/plain has it for opaque resources, and base64url
 * without padding (RFC 4648 §5), as SenML JSON has it (RFC 8428 §5).
 */
#ifndef BJC_FORMATS_BASE64_H
#define BJC_FORMATS_BASE64_H

#include "util/memory.h"

typedef enum bjc_base64_kind { BJC_BASE64, BJC_BASE64URL } bjc_base64_kind;

/* Appends; false on characters, lengths, padding or unused bits that do not belong, or when memory ran out. */
bool bjc_base64_decode(bjc_base64_kind kind, const uint8_t *text, size_t length, bjc_buffer *out);
/* The same in place; `*length` becomes the number of bytes. */
bool bjc_base64_decode_in_place(bjc_base64_kind kind, uint8_t *data, size_t *length);
void bjc_base64_encode(bjc_base64_kind kind, const uint8_t *data, size_t length, bjc_buffer *out);

#endif
