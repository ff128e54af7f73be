/* SPDX-License-Identifier: Apache-2.0
 *
 * What a client keeps when the power goes: Security (/0), Server (/1), Access Control (/2) and OSCORE (/21) as far as
 * they are ready-made Objects, and whether a bootstrap succeeded already. Objects of the application keep their data
 * themselves, e.g. in their `commit` handler.
 *
 * The file holds keys: it is made with mode 0600. It is replaced as a whole (written beside itself under the same name
 * with ".new", then renamed), so that a crash at any moment leaves the old state or the new one. At most
 * BOOTJACK_MAX_STATE bytes (limits.h).
 *
 *     static bootjack_error take_accounts(bootjack_client *client) {
 *         const bootjack_security_instance factory = { .bootstrap_server = true,
 *                                                      .server_uri = "coap://bs.example",
 *                                                      .security_mode = BOOTJACK_SECURITY_NOSEC };
 *         uint16_t iid = BOOTJACK_ID_INVALID;
 *         bootjack_error error = bootjack_persistence_load(client, "/var/lib/device/lwm2m.state");
 *         if (error == BOOTJACK_ERR_NOT_FOUND) {
 *             error = bootjack_security_object_add_instance(client, &factory, &iid);
 *         }
 *         return error;
 *     }
 */
#ifndef BOOTJACK_PERSISTENCE_H
#define BOOTJACK_PERSISTENCE_H

#include "bootjack/client.h"

/* Takes the state from a file in place of what the Objects hold, all of it or nothing, and saves to that file from then
 * on: after every bootstrap that succeeded, when the Bootstrap-Server account is purged (/0/x/12) and when a server
 * wrote to /1 or /2; never in the middle of a bootstrap. What could not be saved is tried again every minute, and when
 * the client is stopped.
 *
 * To be called after the Objects were installed, before the first step. Accounts from the factory belong to
 * BOOTJACK_ERR_NOT_FOUND only: otherwise an account that was purged would come back.
 *
 * BOOTJACK_OK
 * BOOTJACK_ERR_NOT_FOUND     there is no such file: it will be made.
 * BOOTJACK_ERR_FOREIGN       the file is something else.
 * BOOTJACK_ERR_DAMAGED       it was cut short or changed.
 * BOOTJACK_ERR_TOO_NEW       a later version of the library saved it.
 * BOOTJACK_ERR_INCONSISTENT  it holds Objects or resources that are not installed.
 * BOOTJACK_ERR_FILE          it cannot be read.
 * BOOTJACK_ERR_LIMIT, BOOTJACK_ERR_MEMORY
 * BOOTJACK_ERR_STATE         the client was started, or has loaded before. */
BOOTJACK_API bootjack_error bootjack_persistence_load(bootjack_client *client, const char *file);

/* Saves now, e.g. after bootjack_resource_set(). BOOTJACK_ERR_STATE: nothing was loaded, or a bootstrap is under way
 * (its end saves by itself). BOOTJACK_ERR_FILE, BOOTJACK_ERR_LIMIT, BOOTJACK_ERR_MEMORY: the old state is kept, and
 * another attempt follows. */
BOOTJACK_API bootjack_error bootjack_persistence_save(bootjack_client *client);

#endif
