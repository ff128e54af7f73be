/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may do what (LwM2M Core 1.1 §8, Appendix E.3): rights of servers on Object Instances, by the instances of /2.
 * With one server there is nothing to check; /0 and /21 are out of reach in any case and not the subject here.
 */
#ifndef BJC_MANAGEMENT_ACCESS_H
#define BJC_MANAGEMENT_ACCESS_H

#include "model/model.h"

/* Bits of /2/x/2. */
typedef enum bjc_right {
    BJC_RIGHT_READ = 1, /* Read, Observe, Discover, Write-Attributes */
    BJC_RIGHT_WRITE = 2,
    BJC_RIGHT_EXECUTE = 4,
    BJC_RIGHT_DELETE = 8,
    BJC_RIGHT_CREATE = 16 /* of the Object: its instance of /2 names Object Instance 65535 */
} bjc_right;

bool bjc_access_allowed(const bjc_model *model, uint16_t ssid, uint16_t oid, uint16_t iid, bjc_right right);
bool bjc_access_may_create(const bjc_model *model, uint16_t ssid, uint16_t oid);

/* A server made an instance: it becomes the owner of a new instance of /2, without entries (§8.1). Nothing with a
 * single server. BOOTJACK_ERR_MEMORY, BOOTJACK_ERR_LIMIT. */
bootjack_error bjc_access_created(bjc_model *model, uint16_t ssid, uint16_t oid, uint16_t iid);
/* An instance went: so does its instance of /2. */
void bjc_access_deleted(bjc_model *model, uint16_t oid, uint16_t iid);
/* A server's account went (LwM2M TS 1.0 Appendix E.1.3, "unbootstrapping"): its entries go; what only it could reach
 * goes with its instance of /2; what it owned passes to the server with the most rights to write and delete. Calls
 * `removed` for every instance of another Object that went. */
void bjc_access_forget_server(bjc_model *model, uint16_t ssid, void (*removed)(void *context, const bjc_path *instance),
                              void *context);

#endif
