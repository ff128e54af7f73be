/* SPDX-License-Identifier: Apache-2.0
 *
 * LwM2M Server (/1): what the client needs to know to stay registered with a server (LwM2M Core 1.1 Appendix E.2).
 */
#ifndef BOOTJACK_SERVER_H
#define BOOTJACK_SERVER_H

#include "bootjack/client.h"
#include "bootjack/data_model.h"

/* One instance of /1. */
typedef struct bootjack_server_instance {
    uint16_t ssid;                /* /1/x/0, the same as /0/y/10 of its Security instance */
    int32_t lifetime_s;           /* /1/x/1 */
    int32_t default_min_period_s; /* /1/x/2; 0 = absent */
    int32_t default_max_period_s; /* /1/x/3; 0 = absent */
    int32_t disable_timeout_s;    /* /1/x/5; 0 = absent */
    bool notification_storing;    /* /1/x/6 */
    const char *binding;          /* /1/x/7; NULL = "U" */
} bootjack_server_instance;

/* Needed also where no instance is added, so that a Bootstrap-Server can make one. */
BOOTJACK_API bootjack_error bootjack_server_object_install(bootjack_client *client);
/* Copies the instance; `*iid` as in security.h. BOOTJACK_ERR_ARGUMENT: a number is outside its range.
 * BOOTJACK_ERR_RANGE: a Binding that is none of the client's release. BOOTJACK_ERR_EXISTS: the instance is there, or
 * another one has the Short Server ID. BOOTJACK_ERR_LIMIT, BOOTJACK_ERR_MEMORY, BOOTJACK_ERR_STATE (not installed, or a
 * bootstrap is under way). */
BOOTJACK_API bootjack_error bootjack_server_object_add_instance(bootjack_client *client,
                                                                const bootjack_server_instance *instance,
                                                                uint16_t *iid);

#endif
