/* SPDX-License-Identifier: Apache-2.0
 *
 * Create (LwM2M Core 1.1 §6.3.6) and Delete (§6.3.7).
 */
#include "management/operation.h"

/* /1 and /2 are the Bootstrap-Server's and the client's to fill: a Server instance is of no use without its Security
 * instance, which servers cannot make; access rights go with what they are for (§8.1). */
static bool fixed_instances(const bjc_operation *op) {
    return op->path.ids[0] <= 2 || op->object->definition->single_instance;
}

static int32_t free_instance(const bjc_object *object) {
    int32_t iid = -1, free_id = 0;
    while ((iid = object->handlers->next_instance(object->context, iid)) >= 0 && iid == free_id) {
        free_id++;
    }
    return free_id < BOOTJACK_ID_INVALID ? free_id : -1;
}

/* The instance that the payload names, -1 = it leaves that to us, -2 = the payload is none, or names several. */
static int32_t named_instance(const bjc_operation *op, const bjc_format *format, int32_t placeholder) {
    bjc_reader reader;
    bjc_entry entry;
    bjc_read result;
    int32_t named = -1;
    bjc_reader_init(&reader, format, &op->path, op->request->payload, op->request->payload_length);
    reader.placeholder = placeholder;
    while ((result = bjc_reader_next(&reader, &entry)) == BJC_READ_ENTRY) {
        if (named >= 0 && named != entry.path.ids[1]) {
            return -2;
        }
        named = entry.path.ids[1];
    }
    return result == BJC_READ_END ? named : -2;
}

/* What is there, and who may what with it: instances of /2 come and go along (§8.2). */
static void instances_changed(const bjc_operation *op, const bjc_path *instance) {
    static const bjc_path access_control = { 1, { 2 } };
    bjc_operation_changed(op, instance);
    if (bjc_model_object(op->model, 2)) {
        bjc_operation_changed(op, &access_control);
    }
    op->management->instances_changed(op->management->context);
}

/* A payload of resources without an instance around them (LwM2M Core 1.1 §6.3.6: the client chooses the id). */
static bool is_bare(const bjc_operation *op, const bjc_format *format) {
    const bjc_incoming *request = op->request;
    bool tlv = format->number == BJC_FORMAT_TLV;
    return request->payload_length == 0 || (tlv && request->payload[0] >> 6 != 0);
}

static bootjack_error make(bjc_operation *op, const bjc_format *format, uint16_t iid, bool bare) {
    bjc_write write = { .mode = BJC_WRITE_CREATE,
                        .target = op->path,
                        .format = format,
                        .payload = op->request->payload,
                        .length = op->request->payload_length,
                        .placeholder = iid };
    if (bare) {
        write.target.depth = 2;
        write.target.ids[1] = iid;
    }
    bootjack_error error = bjc_model_begin_write(op->object);
    if (error) {
        return error;
    }
    error = bjc_model_apply(op->model, &write, op->object);
    error = error ? error : bjc_model_check_instance(op->object, iid);
    error = error ? error : bjc_access_created(op->model, op->ssid, op->path.ids[0], iid);
    bjc_model_end_write(op->object, !error);
    /* An Object that cannot roll back. */
    if (error && op->object->handlers->remove && bjc_model_has_instance(op->object, iid)) {
        op->object->handlers->remove(op->object->context, iid);
    }
    return error;
}

static bootjack_error create_instance(bjc_operation *op, const bjc_format *format) {
    int32_t chosen = free_instance(op->object);
    bool bare = is_bare(op, format);
    int32_t named = bare ? chosen : named_instance(op, format, chosen);
    if (chosen < 0 || named < 0) {
        return chosen < 0 ? BOOTJACK_ERR_LIMIT : BOOTJACK_ERR_FORMAT;
    }
    if (bjc_model_has_instance(op->object, (uint16_t) named)) {
        return BOOTJACK_ERR_EXISTS;
    }
    bootjack_error error = make(op, format, (uint16_t) named, bare);
    if (error) {
        return error;
    }
    bjc_path instance = { 2, { op->path.ids[0], (uint16_t) named } };
    op->reply->location[0] = instance.ids[0];
    op->reply->location[1] = instance.ids[1];
    op->reply->location_count = 2;
    instances_changed(op, &instance);
    return BOOTJACK_OK;
}

bootjack_error bjc_operation_create(bjc_operation *op) {
    const bjc_incoming *request = op->request;
    if (!op->object) {
        return BOOTJACK_ERR_NOT_FOUND;
    }
    if (fixed_instances(op) || !op->object->handlers->create) {
        return BOOTJACK_ERR_METHOD;
    }
    if (!bjc_access_may_create(op->model, op->ssid, op->path.ids[0])) {
        return BOOTJACK_ERR_UNAUTHORIZED;
    }
    bool nothing = request->payload_length == 0 && request->content_format < 0;
    const bjc_format *format = bjc_format_of_release(nothing ? BJC_FORMAT_TLV : request->content_format, op->release);
    return format ? create_instance(op, format) : BOOTJACK_ERR_CONTENT_FORMAT;
}

bootjack_error bjc_operation_delete(bjc_operation *op) {
    if (op->path.depth < 2) {
        return op->path.depth == 1 && !op->object ? BOOTJACK_ERR_NOT_FOUND : BOOTJACK_ERR_METHOD;
    }
    if (!bjc_operation_target_exists(op)) {
        return BOOTJACK_ERR_NOT_FOUND;
    }
    if (op->path.depth > 2 || fixed_instances(op) || !op->object->handlers->remove) {
        return BOOTJACK_ERR_METHOD;
    }
    if (!bjc_operation_allowed(op, BJC_RIGHT_DELETE)) {
        return BOOTJACK_ERR_UNAUTHORIZED;
    }
    bootjack_error error = bjc_model_begin_write(op->object);
    if (error) {
        return error;
    }
    error = op->object->handlers->remove(op->object->context, op->path.ids[1]);
    bjc_model_end_write(op->object, !error);
    if (!error) {
        bjc_access_deleted(op->model, op->path.ids[0], op->path.ids[1]);
        bjc_attributes_forget_path(&op->management->reporting->attributes, &op->path);
        instances_changed(op, &op->path);
    }
    return error;
}
