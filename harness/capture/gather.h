/* SPDX-License-Identifier: Apache-2.0
 *
 * Flows into clients: ports of clients change from attempt to attempt, and several clients may live on one address:
 * flows of one address and one Endpoint Client Name are told apart by Bootstrap-Server where they go on at the same
 * time. Private to capture/.
 */
#ifndef BJ_CAPTURE_GATHER_H
#define BJ_CAPTURE_GATHER_H

#include "capture/parties.h"

/* Fills in parties->all, and whose each flow is; the flows themselves are read. false: no memory. */
bool bj_parties_gather(bj_parties *parties);

#endif
