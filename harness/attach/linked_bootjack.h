/* SPDX-License-Identifier: Apache-2.0
 *
 * Our own client behind the six functions of linked.h, and what only we can give it.
 */
#ifndef BJ_ATTACH_LINKED_BOOTJACK_H
#define BJ_ATTACH_LINKED_BOOTJACK_H

#include "attach/linked.h"
#include "bootjack/client.h"

extern const bootjack_linked_client bootjack_client_linked;

/* Its profile, as YAML, where no harness/clients/linked.yaml says more. */
extern const char bj_linked_profile[];

/* As its create(), with memory from `allocator` (copied) and, unless it is NULL, over the caller's libcoap context,
 * which must outlive it. */
void *bj_linked_bootjack_create(const bootjack_linked_config *config, const bootjack_allocator *allocator,
                                struct coap_context_t *context);

#endif
