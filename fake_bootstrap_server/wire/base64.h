/* SPDX-License-Identifier: Apache-2.0
 *
 * Base64, RFC 4648: the standard alphabet with padding (text/plain, LwM2M JSON), and base64url without (SenML JSON).
 */
#ifndef BJ_WIRE_BASE64_H
#define BJ_WIRE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes; `out` may be `text` itself. False when a character, the padding or the unused bits are wrong. */
bool bj_base64_decode(const uint8_t *text, size_t length, bool url, uint8_t *out, size_t *decoded);

/* The next group of up to three bytes as two to four characters; returns how many. */
size_t bj_base64_group(const uint8_t *bytes, size_t length, bool url, char out[4]);

#endif
