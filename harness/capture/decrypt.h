/* SPDX-License-Identifier: Apache-2.0
 *
 * What DTLS and TLS carry, as tshark decrypts it: a process of its own, whose export of the application's data goes to
 * a file without a name, and is read beside the capture, frame by frame. Private to capture/.
 */
#ifndef BJ_CAPTURE_DECRYPT_H
#define BJ_CAPTURE_DECRYPT_H

#include "capture/unit.h"

typedef struct bj_decryption bj_decryption;

/* Runs tshark over the capture; `ports` are those of servers that were seen behind DTLS or TLS. `key`: which
 * of the pre-shared keys, SIZE_MAX for the key log, and the secrets that the capture itself holds. NULL: *why. */
bj_decryption *bj_decryption_start(const bj_unit_options *options, size_t key, const bj_addr_set *servers,
                                   bj_text *why);
/* The next piece that stands in this frame: 1, and *data until the next call; 0: no more in this frame. Frames are
 * asked for in ascending order. */
int bj_decryption_next(bj_decryption *decryption, uint32_t frame, bj_addr *from, bj_addr *to, const uint8_t **data,
                       size_t *length);
/* From the first frame again. false: *why; only bj_decryption_end() is left. */
bool bj_decryption_rewind(bj_decryption *decryption, bj_text *why);
void bj_decryption_end(bj_decryption *decryption);

#endif
