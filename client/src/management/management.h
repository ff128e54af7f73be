/* SPDX-License-Identifier: Apache-2.0
 *
 * What LwM2M Servers may do with the data model (LwM2M Core 1.1 §6.3): Read, Write of a resource, Execute.
 */
#ifndef BJC_MANAGEMENT_MANAGEMENT_H
#define BJC_MANAGEMENT_MANAGEMENT_H

#include "model/model.h"
#include "transport/transport.h"

/* Answers one request. `*written`: the resource that was written, depth 0 = none. */
void bjc_manage(bjc_model *model, const bjc_incoming *request, bjc_reply *reply, bjc_path *written);

#endif
