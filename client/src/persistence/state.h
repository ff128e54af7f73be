/* SPDX-License-Identifier: Apache-2.0
 *
 * The saved state as bytes. All numbers are big-endian:
 *
 *     0   8  "BOOTJACK"
 *     8   2  version of the format, 1
 *     10  2  0
 *     12  4  length of what follows the header
 *     16  4  CRC-32 (IEEE 802.3) of bytes 0 to 15 and of what follows the header
 *     20  1  1: a bootstrap succeeded (so that /0/x/12 counts again after a restart), else 0
 *     21  .. Objects: ID (2), number of instances (2); each: ID (2), number of values (2); each: Resource ID (2),
 *            Resource Instance ID (2), type (1, bootjack_type), length (4), value
 *
 * Header and checksum are the same in every version, so that a file that is too new can be told from a damaged one.
 */
#ifndef BJC_PERSISTENCE_STATE_H
#define BJC_PERSISTENCE_STATE_H

#include "bootjack/limits.h"
#include "model/model.h"

#define BJC_STATE_LIMIT ((size_t) BOOTJACK_MAX_STATE)

/* Whether the Object is saved: ready-made, and of the kind that a bootstrap is about. */
bool bjc_state_covers(const bjc_object *object);

/* BOOTJACK_ERR_MEMORY, BOOTJACK_ERR_LIMIT. */
bootjack_error bjc_state_encode(const bjc_model *model, bool bootstrapped, bjc_buffer *out);
/* Replaces the instances of every Object that the state names; nothing is changed when it fails. BOOTJACK_ERR_FOREIGN,
 * BOOTJACK_ERR_DAMAGED, BOOTJACK_ERR_TOO_NEW, BOOTJACK_ERR_INCONSISTENT (unknown Objects, resources or types),
 * BOOTJACK_ERR_MEMORY. */
bootjack_error bjc_state_decode(const bjc_model *model, const uint8_t *data, size_t length, bool *bootstrapped);

#endif
