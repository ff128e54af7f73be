/* SPDX-License-Identifier: Apache-2.0
 *
 * Write (LwM2M Core 1.1 §6.3.3), Write-Attributes (§6.3.4), Execute (§6.3.5).
 */
#include "management/operation.h"

/* The path names something that can be written, and the server may. */
static bootjack_error check_write(const bjc_operation *op) {
    const bootjack_resource *resource = bjc_operation_resource(op);
    if (!op->object || !bjc_model_has_instance(op->object, op->path.ids[1]) || (op->path.depth >= 3 && !resource)) {
        return BOOTJACK_ERR_NOT_FOUND;
    }
    if (!bjc_operation_allowed(op, BJC_RIGHT_WRITE)) {
        return BOOTJACK_ERR_UNAUTHORIZED;
    }
    if (resource && !(resource->flags & BOOTJACK_WRITABLE)) {
        return BOOTJACK_ERR_METHOD;
    }
    if (op->path.depth < 4) {
        return BOOTJACK_OK;
    }
    if (op->release < BOOTJACK_LWM2M_1_1) {
        return BOOTJACK_ERR_METHOD;
    }
    return bjc_operation_target_exists(op) ? BOOTJACK_OK : BOOTJACK_ERR_NOT_FOUND;
}

bootjack_error bjc_operation_write(bjc_operation *op, bjc_write_mode mode) {
    bootjack_error error = check_write(op);
    const bjc_format *format = bjc_format_of_release(op->request->content_format, op->release);
    if (error || !format) {
        return error ? error : BOOTJACK_ERR_CONTENT_FORMAT;
    }
    const bjc_write write = { .mode = mode,
                              .target = op->path,
                              .format = format,
                              .payload = op->request->payload,
                              .length = op->request->payload_length,
                              .placeholder = -1 };
    error = bjc_model_begin_write(op->object);
    if (error) {
        return error;
    }
    error = bjc_model_apply(op->model, &write, op->object);
    bjc_model_end_write(op->object, !error);
    if (!error) {
        bjc_operation_changed(op, &op->path);
    }
    return error;
}

/* --- Write-Attributes ------------------------------------------------------------------------------------------- */

static bool is_number(const bootjack_resource *resource) {
    return resource && (resource->type == BOOTJACK_TYPE_INTEGER || resource->type == BOOTJACK_TYPE_UNSIGNED ||
                        resource->type == BOOTJACK_TYPE_FLOAT || resource->type == BOOTJACK_TYPE_TIME);
}

/* What the Object's owner has to say of it. */
static bootjack_error ask_object(void *context, const bjc_attributes_change *change) {
    const bjc_object *object = context;
    const bjc_path *path = &change->path;
    int32_t ids[4];
    for (unsigned i = 0; i < 4; i++) {
        ids[i] = i < path->depth ? path->ids[i] : -1;
    }
    return object->handlers->write_attributes(object->context, change->ssid, ids[1], ids[2], ids[3], &change->set,
                                              change->unset);
}

bootjack_error bjc_operation_write_attributes(bjc_operation *op) {
    bjc_attributes_change change = { .ssid = op->ssid, .path = op->path };
    const bootjack_resource *resource = bjc_operation_resource(op);
    if (op->path.depth == 0 || (op->path.depth == 4 && op->release < BOOTJACK_LWM2M_1_1)) {
        return BOOTJACK_ERR_METHOD;
    }
    if (!bjc_operation_target_exists(op)) {
        return BOOTJACK_ERR_NOT_FOUND;
    }
    if (!bjc_operation_allowed(op, BJC_RIGHT_READ)) {
        return BOOTJACK_ERR_UNAUTHORIZED;
    }
    if (op->request->query_count == 0 ||
        !bjc_attributes_parse(op->release, op->request->query, op->request->query_count, &change.set, &change.unset)) {
        return BOOTJACK_ERR_ARGUMENT;
    }
    /* Thresholds are for numbers (§5.1.2). */
    if (((change.set.present | change.unset) & BJC_THRESHOLDS) && !is_number(resource)) {
        return BOOTJACK_ERR_ARGUMENT;
    }
    bjc_attributes_consent *consent = op->object->handlers->write_attributes ? ask_object : NULL;
    bootjack_error error = bjc_attributes_write(&op->management->reporting->attributes, &change, consent, op->object);
    if (!error) {
        bjc_reporting_reconsider(op->management->reporting, op->ssid);
    }
    return error;
}

/* --- Execute ---------------------------------------------------------------------------------------------------- */

/* What may stand between the quotation marks: visible characters but for quotation marks and the backslash. */
static bool is_argument_character(uint8_t c) {
    return c == 0x21 || (c >= 0x23 && c <= 0x26) || (c >= 0x28 && c <= 0x5B) || (c >= 0x5D && c <= 0x7E);
}

/* arglist = arg *( "," arg ), arg = DIGIT / DIGIT "=" "'" *CHAR "'" */
static bool arguments_good(const uint8_t *at, size_t length) {
    const uint8_t *end = at + length;
    while (at < end) {
        if (*at < '0' || *at > '9') {
            return false;
        }
        if (++at < end && *at == '=') {
            if (++at == end || *at++ != '\'') {
                return false;
            }
            while (at < end && is_argument_character(*at)) {
                at++;
            }
            if (at == end || *at++ != '\'') {
                return false;
            }
        }
        if (at == end) {
            return true;
        }
        if (*at++ != ',' || at == end) {
            return false;
        }
    }
    return true;
}

bootjack_error bjc_operation_execute(bjc_operation *op) {
    const bjc_incoming *request = op->request;
    const bootjack_resource *resource = bjc_operation_resource(op);
    if (!bjc_operation_target_exists(op)) {
        return BOOTJACK_ERR_NOT_FOUND;
    }
    if (!bjc_operation_allowed(op, BJC_RIGHT_EXECUTE)) {
        return BOOTJACK_ERR_UNAUTHORIZED;
    }
    if (!(resource->flags & BOOTJACK_EXECUTABLE) || !op->object->handlers->execute) {
        return BOOTJACK_ERR_METHOD;
    }
    if (request->content_format > BJC_FORMAT_TEXT) {
        return BOOTJACK_ERR_CONTENT_FORMAT;
    }
    if (request->payload_length > 0 && !arguments_good(request->payload, request->payload_length)) {
        return BOOTJACK_ERR_FORMAT;
    }
    bootjack_error error = op->object->handlers->execute(op->object->context, op->path.ids[1], op->path.ids[2],
                                                         request->payload, request->payload_length);
    if (!error) { /* what an execution changes is the Object's to know: all of the instance may be other now */
        bjc_path instance = { 2, { op->path.ids[0], op->path.ids[1] } };
        bjc_reporting_changed(op->management->reporting, &instance);
    }
    return error;
}
