/* SPDX-License-Identifier: Apache-2.0
 *
 * What LwM2M Servers may do with the data model (LwM2M Core 1.1 §6.3, §6.4): one request is answered at a time, with
 * the codes of LwM2M Transport 1.1 §6.7.
 */
#ifndef BJC_MANAGEMENT_MANAGEMENT_H
#define BJC_MANAGEMENT_MANAGEMENT_H

#include "management/access.h"
#include "reporting/reporting.h"

typedef struct bjc_management {
    bjc_model *model;
    bjc_reporting *reporting;
    /* A server changed something: a resource, an instance, an Object; of a Write-Composite, the root. */
    void (*changed)(void *context, const bjc_path *path);
    /* Instances came or went. */
    void (*instances_changed)(void *context);
    void *context;
} bjc_management;

void bjc_manage(const bjc_management *management, uint16_t ssid, const bjc_incoming *request, bjc_reply *reply);

#endif
