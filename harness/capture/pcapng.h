/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks of a pcapng file (draft-ietf-opsawg-pcapng), in host byte order as the format allows. Private to capture/.
 */
#ifndef BJ_CAPTURE_PCAPNG_H
#define BJ_CAPTURE_PCAPNG_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/addr.h"

/* The program that wrote the file, as its section header says. */
#define BJ_PCAPNG_APPLICATION "Bootjack"

/* Section header and the description of the one interface; comments of at most 65532 bytes each, those that are NULL
 * are left out. */
void bj_pcapng_begin(FILE *file, const char *const *comments, size_t count);

typedef struct bj_pcapng_name {
    bj_addr addr;
    const char *name;
} bj_pcapng_name;
/* A name resolution block; nothing when count is 0. */
void bj_pcapng_names(FILE *file, const bj_pcapng_name *names, size_t count);

/* A decryption secrets block with a TLS key log (lines as SSLKEYLOGFILE holds them), which must stand before the
 * packets that it decrypts; nothing when length is 0. */
void bj_pcapng_secrets(FILE *file, const char *key_log, size_t length);

/* An enhanced packet block; `time` in microseconds since 1970; `comment` may be NULL. */
void bj_pcapng_packet(FILE *file, uint64_t time, const uint8_t *data, size_t length, const char *comment);

#endif
