/* SPDX-License-Identifier: Apache-2.0
 *
 * Read (LwM2M Core 1.1 §6.3.1), Observe and Cancel Observation (§6.4.1 to §6.4.3).
 */
#include "management/operation.h"

static bool readable(void *context, uint16_t oid, uint16_t iid) {
    const bjc_operation *op = context;
    return bjc_access_allowed(op->model, op->ssid, oid, iid, BJC_RIGHT_READ);
}

static bootjack_error check(bjc_operation *op) {
    if (op->path.depth == 0) {
        return BOOTJACK_ERR_METHOD;
    }
    if (!op->object || (op->path.depth >= 2 && !bjc_model_has_instance(op->object, op->path.ids[1]))) {
        return BOOTJACK_ERR_NOT_FOUND;
    }
    if (!bjc_operation_allowed(op, BJC_RIGHT_READ)) {
        return BOOTJACK_ERR_UNAUTHORIZED;
    }
    return op->path.depth < 4 || op->release >= BOOTJACK_LWM2M_1_1 ? BOOTJACK_OK : BOOTJACK_ERR_METHOD;
}

/* From LwM2M 1.2 on an Observe may bring attributes that count for it alone (Core 1.2 §6.4.1); what cancels it has the
 * same options (RFC 7641 §3.6). */
static bootjack_error query(const bjc_operation *op, bjc_attributes *own) {
    unsigned unset = 0;
    *own = (bjc_attributes){ 0 };
    if (op->request->query_count == 0) {
        return BOOTJACK_OK;
    }
    bool good = (op->request->observe == 0 || op->request->observe == 1) && op->release >= BOOTJACK_LWM2M_1_2 &&
                bjc_attributes_parse(op->release, op->request->query, op->request->query_count, own, &unset) &&
                bjc_attributes_consistent(own);
    return good ? BOOTJACK_OK : BOOTJACK_ERR_ARGUMENT;
}

/* Without memory or room for it the answer is that of a plain Read (RFC 7641 §4.1). */
static void observe(const bjc_operation *op, int format, const bjc_attributes *own) {
    const bjc_observe wanted = { .ssid = op->ssid,
                                 .token = op->request->token,
                                 .token_length = op->request->token_length,
                                 .paths = &op->path,
                                 .path_count = 1,
                                 .format = format,
                                 .own = *own };
    op->reply->observed =
        !bjc_reporting_observe(op->management->reporting, &wanted, &op->reply->payload, &op->reply->sequence);
}

bootjack_error bjc_operation_read(bjc_operation *op) {
    bjc_attributes own;
    const bjc_readable filter = { readable, op };
    bootjack_error error = check(op);
    error = error ? error : query(op, &own);
    if (error) {
        return error;
    }
    if (op->request->observe == 1) {
        bjc_reporting_cancel(op->management->reporting, op->ssid, op->request->token, op->request->token_length);
    }
    const bjc_format *format = bjc_operation_format(op);
    error = format ? bjc_model_read_paths(op->model, &op->path, 1, false, format, &filter, &op->reply->payload)
                   : BOOTJACK_ERR_NOT_ACCEPTABLE;
    if (error) {
        return error;
    }
    op->reply->content_format = format->number;
    if (op->request->observe == 0) {
        observe(op, format->number, &own);
    }
    return BOOTJACK_OK;
}
