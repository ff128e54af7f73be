/* SPDX-License-Identifier: Apache-2.0
 *
 * The body of every target over a payload format of the client: first byte the target of the Write, then the payload.
 */
#ifndef BJ_FUZZ_PAYLOAD_H
#define BJ_FUZZ_PAYLOAD_H

#include "fuzz.h"

/* Writes the payload to an empty model, as a Bootstrap-Write would. What is refused must change nothing; what is taken
 * must be what the servers' decoder, which shares no code, reads in the payload. */
void fuzz_payload(int format, const uint8_t *data, size_t size);

/* Writes the payload likewise; what is taken must come back the same through the other format, if that can show it, and
 * be stable: what a format writes, it reads and writes again to the same bytes. */
void fuzz_meaning(int format, int other, const uint8_t *data, size_t size);

#endif
