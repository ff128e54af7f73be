/* SPDX-License-Identifier: Apache-2.0
 *
 * Other ways of saying the same: a scenario with its Writes in another format, in blocks, with every datagram doubled.
 * What the client must do is the same in all of them.
 */
#ifndef BJ_CLI_VARY_H
#define BJ_CLI_VARY_H

#include "base/arena.h"
#include "script/program.h"

typedef struct cli_variant {
    uint32_t format; /* of the values that the Bootstrap-Server writes */
    bool blocks;     /* RFC 7959, in blocks of 32 bytes */
    bool doubled;    /* every datagram arrives twice */
    bool looks;      /* a Bootstrap-Discover (and Read of /1) before every Finish, so that the accounts are seen */
    bool reads;
} cli_variant;

/* The scenario, changed; NULL: it has nothing that could be varied, and `why` says what is missing or in the way. */
const bj_record *cli_vary(bj_arena *arena, const bj_record *scenario, const cli_variant *variant, bj_text *why);
/* "senml-cbor, in blocks, doubled" */
void cli_variant_print(bj_text *out, const cli_variant *variant);

#endif
