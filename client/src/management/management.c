/* SPDX-License-Identifier: Apache-2.0
 *
 * What LwM2M Servers may do with the data model. Codes: LwM2M Transport 1.1 §6.7.
 */
#include "management/management.h"

#include "model/path.h"

static uint8_t code_of(bootjack_error error, uint8_t success) {
    switch (error) {
    case BOOTJACK_OK:
        return success;
    case BOOTJACK_ERR_NOT_FOUND:
        return BJC_NOT_FOUND;
    case BOOTJACK_ERR_METHOD:
        return BJC_NOT_ALLOWED;
    case BOOTJACK_ERR_UNAUTHORIZED:
        return BJC_UNAUTHORIZED;
    case BOOTJACK_ERR_NOT_ACCEPTABLE:
        return BJC_NOT_ACCEPTABLE;
    case BOOTJACK_ERR_CONTENT_FORMAT:
        return BJC_UNSUPPORTED_FORMAT;
    case BOOTJACK_ERR_TYPE:
    case BOOTJACK_ERR_RANGE:
    case BOOTJACK_ERR_FORMAT:
    case BOOTJACK_ERR_PATH:
    case BOOTJACK_ERR_INCONSISTENT:
        return BJC_BAD_REQUEST;
    default:
        return BJC_INTERNAL_ERROR;
    }
}

/* The definition of the resource that a path of depth 3 or 4 names, when the instance is there. */
static const bootjack_resource *named(const bjc_model *model, const bjc_path *path, bjc_object **object) {
    *object = path->depth >= 3 ? bjc_model_object(model, path->ids[0]) : NULL;
    if (!*object || !bjc_model_has_instance(*object, path->ids[1])) {
        return NULL;
    }
    return bjc_resource_find((*object)->definition, path->ids[2]);
}

static uint8_t read(bjc_model *model, const bjc_path *path, const bjc_incoming *request, bjc_reply *reply) {
    bjc_object *object;
    const bootjack_resource *resource = named(model, path, &object);
    bool single = resource && !(resource->flags & BOOTJACK_MULTIPLE);
    int number = request->accept >= 0 ? request->accept : single ? BJC_FORMAT_TEXT : BJC_FORMAT_TLV;
    const bjc_format *format = bjc_format_of_release(number, model->core->config.version);
    if (path->depth == 0 || number == BJC_FORMAT_LINK) {
        return BJC_NOT_ALLOWED;
    }
    bootjack_error error =
        format ? bjc_model_read(model, path, format, false, &reply->payload) : BOOTJACK_ERR_NOT_ACCEPTABLE;
    if (error) {
        reply->payload.length = 0;
    } else {
        reply->content_format = number;
    }
    return code_of(error, BJC_CONTENT);
}

/* A value that Bootstrap-Finish would refuse is refused here, too, and undone. */
static bootjack_error write_checked(bjc_model *model, bjc_object *object, const bjc_path *path,
                                    const bjc_format *format, const bjc_incoming *request) {
    char reason[200] = "";
    bjc_instance *saved = NULL;
    bootjack_error error = object->store ? bjc_store_save(object->store, &saved) : BOOTJACK_OK;
    if (error) {
        return error;
    }
    error = bjc_model_write(model, path, format, request->payload, request->payload_length);
    if (!object->store) {
        return error;
    }
    error = error ? error : bjc_store_validate(object->store, reason, sizeof reason);
    if (error) {
        bjc_store_restore(object->store, saved);
    } else {
        bjc_store_forget(object->store, saved);
    }
    return error;
}

static uint8_t write(bjc_model *model, const bjc_path *path, const bjc_incoming *request, bjc_path *written) {
    bjc_object *object;
    const bootjack_resource *resource = named(model, path, &object);
    if (path->depth != 3 || request->content_format < 0) {
        return BJC_NOT_ALLOWED; /* Write-Attributes and writes of instances are not served */
    }
    if (!resource) {
        return BJC_NOT_FOUND;
    }
    if (!(resource->flags & BOOTJACK_WRITABLE)) {
        return BJC_NOT_ALLOWED;
    }
    const bjc_format *format = bjc_format_of_release(request->content_format, model->core->config.version);
    bootjack_error error = format ? write_checked(model, object, path, format, request) : BOOTJACK_ERR_CONTENT_FORMAT;
    if (!error) {
        *written = *path;
    }
    return code_of(error, BJC_CHANGED);
}

static uint8_t execute(bjc_model *model, const bjc_path *path, const bjc_incoming *request) {
    bjc_object *object;
    const bootjack_resource *resource = named(model, path, &object);
    if (path->depth != 3) {
        return BJC_NOT_ALLOWED;
    }
    if (!resource) {
        return BJC_NOT_FOUND;
    }
    if (!(resource->flags & BOOTJACK_EXECUTABLE) || !object->handlers->execute) {
        return BJC_NOT_ALLOWED;
    }
    return code_of(object->handlers->execute(object->context, path->ids[1], path->ids[2], request->payload,
                                             request->payload_length),
                   BJC_CHANGED);
}

void bjc_manage(bjc_model *model, const bjc_incoming *request, bjc_reply *reply, bjc_path *written) {
    bjc_path path;
    *written = (bjc_path){ 0 };
    if (!bjc_path_parse(request->path, request->path_count, &path)) {
        reply->code = BJC_NOT_FOUND;
    } else if (path.depth > 0 && (path.ids[0] == 0 || path.ids[0] == 21)) {
        reply->code = BJC_UNAUTHORIZED; /* keys are out of reach of every server (LwM2M Core 1.1 Appendix E.1) */
    } else if (request->method == BJC_GET) {
        reply->code = read(model, &path, request, reply);
    } else if (request->method == BJC_PUT) {
        reply->code = write(model, &path, request, written);
    } else if (request->method == BJC_POST) {
        reply->code = execute(model, &path, request);
    } else {
        reply->code = BJC_NOT_ALLOWED;
    }
}
