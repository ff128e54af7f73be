/* SPDX-License-Identifier: Apache-2.0
 *
 * What an application tells of its data (LwM2M Core 1.1 §6.4): that values changed, so that observations are notified
 * of, and data that it sends by itself.
 */
#ifndef BOOTJACK_REPORTING_H
#define BOOTJACK_REPORTING_H

#include "bootjack/client.h"
#include "bootjack/data_model.h"

/* /o, /o/i, /o/i/r or /o/i/r/ri: `depth` of the ids count. */
typedef struct bootjack_path {
    unsigned depth;  /* 1 to 4 */
    uint16_t ids[4]; /* Object, Object Instance, Resource, Resource Instance */
} bootjack_path;

/* The value of a resource of the application's own Object changed: whoever observes it is notified, as soon as the
 * attributes allow. A call without a change does no harm. What servers and bootjack_resource_set() write needs no call.
 */
BOOTJACK_API void bootjack_resource_changed(bootjack_client *client, uint16_t oid, uint16_t iid, uint16_t rid);

/* How a Send ended: BOOTJACK_OK when the server took it (2.04), BOOTJACK_ERR_NETWORK when it was not delivered,
 * BOOTJACK_ERR_STATE when the server refused it. Called once, from a later step or when the client is destroyed. */
typedef void bootjack_send_result(void *context, uint16_t ssid, bootjack_error result);

/* Sends what is at `paths`, in any order, now to a server that the client is registered with (LwM2M Core 1.1 §6.4.6): a
 * path that is not there, or that the server may not read, is left out, and what is named twice is sent once. `done`
 * may be NULL. Without `BOOTJACK_OK` there will be no result. BOOTJACK_ERR_UNSUPPORTED (LwM2M 1.0 has no Send),
 * BOOTJACK_ERR_ARGUMENT (no paths, more than 64, or not paths), BOOTJACK_ERR_STATE (not registered with that server, or
 * a bootstrap is under way), BOOTJACK_ERR_UNAUTHORIZED
 * (/1/x/23, Mute Send, is absent or true), BOOTJACK_ERR_NOT_FOUND (nothing of it is there),
 * BOOTJACK_ERR_MEMORY, BOOTJACK_ERR_NETWORK. */
BOOTJACK_API bootjack_error bootjack_send(bootjack_client *client, uint16_t ssid, const bootjack_path *paths,
                                          size_t count, bootjack_send_result *done, void *context);

#endif
