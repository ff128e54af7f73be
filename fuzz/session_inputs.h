/* SPDX-License-Identifier: Apache-2.0
 *
 * Inputs of the session targets that are no programs by themselves, made into programs.
 */
#ifndef BJ_FUZZ_SESSION_INPUTS_H
#define BJ_FUZZ_SESSION_INPUTS_H

#include "script/program.h"

/* A client in the state that the first byte chooses, and then what the servers send, piece after piece:
 *
 *     1  bits 0, 1: 0, 1 a datagram; 2 an answer to the request that was awaited last; 3 time passes
 *        bit 2: from `mgmt`; without it from `bs`. Bits 3 to 7: 2 to the power of so many milliseconds pass (kind 3
 * only) 1  how many bytes follow (kinds 0 to 2)
 *     .. the datagram; of an answer: its code, its Content-Format (one byte: which of those in use), its payload
 *
 * Total: a piece that is cut off ends with the input. Lives in the arena. */
const bj_record *session_of_datagrams(bj_arena *arena, const uint8_t *data, size_t size);

/* The same program for a client whose bootstrap account is one of DTLS with a pre-shared key, and with a management
 * server behind DTLS: whatever the program does, the client makes handshakes. Recovery is not judged. */
const bj_record *session_secured(bj_arena *arena, const bj_record *program);

#endif
