/* SPDX-License-Identifier: Apache-2.0
 *
 * Access Control (/2): which server may do what with which Object Instance (LwM2M Core 1.1 §8, Appendix E.3). The
 * Bootstrap-Server writes it for clients of several servers; a client without it refuses such a configuration.
 */
#ifndef BOOTJACK_ACCESS_CONTROL_H
#define BOOTJACK_ACCESS_CONTROL_H

#include "bootjack/client.h"
#include "bootjack/data_model.h"

/* Bits of an entry of /2/x/2. */
#define BOOTJACK_ACCESS_READ    1u  /* Read, Observe, Discover, Write-Attributes */
#define BOOTJACK_ACCESS_WRITE   2u  /* Write */
#define BOOTJACK_ACCESS_EXECUTE 4u  /* Execute */
#define BOOTJACK_ACCESS_DELETE  8u  /* Delete */
#define BOOTJACK_ACCESS_CREATE  16u /* Create; counts where `target_instance` is BOOTJACK_ID_INVALID */

/* One entry of /2/x/2. */
typedef struct bootjack_access_entry {
    uint16_t ssid;   /* Short Server ID, the Resource Instance ID of the entry; 0 = servers without an entry */
    uint16_t rights; /* BOOTJACK_ACCESS_... */
} bootjack_access_entry;

/* One instance of /2. */
typedef struct bootjack_access_control_instance {
    uint16_t target_object;               /* /2/x/0, 1 to 65534 */
    uint16_t target_instance;             /* /2/x/1; BOOTJACK_ID_INVALID = the Object itself, for Create */
    const bootjack_access_entry *entries; /* /2/x/2; copied */
    size_t entry_count;                   /* of `entries` */
    uint16_t owner; /* /2/x/3, a Short Server ID; BOOTJACK_ID_INVALID = only a bootstrap changes it */
} bootjack_access_control_instance;

/* Needed also where no instance is added, so that a Bootstrap-Server can make some. BOOTJACK_ERR_EXISTS,
 * BOOTJACK_ERR_MEMORY, BOOTJACK_ERR_STATE (the client was started). */
BOOTJACK_API bootjack_error bootjack_access_control_object_install(bootjack_client *client);
/* Copies the instance. `*iid` is the Object Instance ID to use, BOOTJACK_ID_INVALID to be given the lowest free one;
 * the one used is stored there. BOOTJACK_ERR_ARGUMENT, BOOTJACK_ERR_EXISTS, BOOTJACK_ERR_LIMIT, BOOTJACK_ERR_MEMORY,
 * BOOTJACK_ERR_STATE (not installed, or a bootstrap is under way). */
BOOTJACK_API bootjack_error bootjack_access_control_object_add_instance(
    bootjack_client *client, const bootjack_access_control_instance *instance, uint16_t *iid);

#endif
