/* SPDX-License-Identifier: Apache-2.0
 *
 * What a linked client is told, from a scenario.
 */
#ifndef BJ_ATTACH_LINKED_CONFIG_H
#define BJ_ATTACH_LINKED_CONFIG_H

#include "attach/linked.h"
#include "script/program.h"

/* All but the two functions and their context. Strings live in the arena. */
void bj_linked_config_fill(bootjack_linked_config *config, bj_arena *arena, const bj_record *scenario,
                           const bj_record *profile);

#endif
