/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the management: one request, and the operations that it may be. Included by the files of management/ only.
 */
#ifndef BJC_MANAGEMENT_OPERATION_H
#define BJC_MANAGEMENT_OPERATION_H

#include "bootjack/limits.h"
#include "management/management.h"

#define BJC_COMPOSITE_PATHS BOOTJACK_MAX_COMPOSITE_PATHS /* that one composite operation may name */

typedef struct bjc_operation {
    const bjc_management *management;
    bjc_model *model;
    uint16_t ssid;
    bootjack_version release;
    const bjc_incoming *request;
    bjc_reply *reply;
    bjc_path path;      /* of the request */
    bjc_object *object; /* that the path names; NULL */
} bjc_operation;

/* NULL: the path names none. */
const bootjack_resource *bjc_operation_resource(const bjc_operation *op);
/* Whether instance, resource and resource instance, as far as the path names them, are there. */
bool bjc_operation_target_exists(const bjc_operation *op);
/* Whether the server has the right on the instance that the path names. */
bool bjc_operation_allowed(const bjc_operation *op, bjc_right right);
/* The format that the answer is to have, by Accept or by default (LwM2M Core 1.1 §7.4); NULL: none that can be given.
 */
const bjc_format *bjc_operation_format(const bjc_operation *op);
void bjc_operation_changed(const bjc_operation *op, const bjc_path *path);

/* The operations; each gives the code of the answer, or the reason for which there is none better. */
bootjack_error bjc_operation_read(bjc_operation *op);     /* Read, Observe, and the end of an Observe */
bootjack_error bjc_operation_discover(bjc_operation *op); /* §6.3.2 */
bootjack_error bjc_operation_write(bjc_operation *op, bjc_write_mode mode);
bootjack_error bjc_operation_write_attributes(bjc_operation *op); /* §6.3.4 */
bootjack_error bjc_operation_execute(bjc_operation *op);          /* §6.3.5 */
bootjack_error bjc_operation_create(bjc_operation *op);           /* §6.3.6 */
bootjack_error bjc_operation_delete(bjc_operation *op);           /* §6.3.7 */
bootjack_error bjc_operation_read_composite(bjc_operation *op);   /* §6.3.8, §6.4.4 */
bootjack_error bjc_operation_write_composite(bjc_operation *op);  /* §6.3.9 */

#endif
