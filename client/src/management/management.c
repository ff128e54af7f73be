/* SPDX-License-Identifier: Apache-2.0
 *
 * Which operation a request is (LwM2M Transport 1.1 §6.4.5, §6.4.6), and with which code it is answered (§6.7).
 */
#include "management/operation.h"
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
    case BOOTJACK_ERR_EXISTS:
    case BOOTJACK_ERR_ARGUMENT:
    case BOOTJACK_ERR_INCONSISTENT:
        return BJC_BAD_REQUEST;
    default:
        return BJC_INTERNAL_ERROR;
    }
}

/* --- what operations ask ---------------------------------------------------------------------------------------- */

const bootjack_resource *bjc_operation_resource(const bjc_operation *op) {
    return op->object && op->path.depth >= 3 ? bjc_resource_find(op->object->definition, op->path.ids[2]) : NULL;
}

bool bjc_operation_target_exists(const bjc_operation *op) {
    const bootjack_resource *resource = bjc_operation_resource(op);
    if (!op->object || (op->path.depth >= 2 && !bjc_model_has_instance(op->object, op->path.ids[1]))) {
        return false;
    }
    if (op->path.depth < 3) {
        return true;
    }
    bool present = resource && op->object->handlers->present(op->object->context, op->path.ids[1], op->path.ids[2]);
    return present && (op->path.depth == 3 ||
                       bjc_model_has_resource_instance(op->object, op->path.ids[1], resource, op->path.ids[3]));
}

bool bjc_operation_allowed(const bjc_operation *op, bjc_right right) {
    return op->path.depth < 2 || bjc_access_allowed(op->model, op->ssid, op->path.ids[0], op->path.ids[1], right);
}

const bjc_format *bjc_operation_format(const bjc_operation *op) {
    const bootjack_resource *resource = bjc_operation_resource(op);
    bool single = resource && (!(resource->flags & BOOTJACK_MULTIPLE) || op->path.depth == 4);
    int number = op->request->accept >= 0 ? op->request->accept
                 : op->path.depth == 0    ? BJC_FORMAT_SENML_CBOR
                 : single                 ? BJC_FORMAT_TEXT
                                          : BJC_FORMAT_TLV;
    return bjc_format_of_release(number, op->release);
}

void bjc_operation_changed(const bjc_operation *op, const bjc_path *path) {
    bjc_reporting_changed(op->management->reporting, path);
    op->management->changed(op->management->context, path);
}

/* --- which operation -------------------------------------------------------------------------------------------- */

/* Of a PUT (LwM2M Transport 1.1 §6.4.5): with a payload it is a Write, with attributes in its query Write-Attributes.
 */
static bootjack_error put(bjc_operation *op) {
    const bjc_incoming *request = op->request;
    if (request->content_format < 0 && request->payload_length == 0) {
        return bjc_operation_write_attributes(op);
    }
    if (request->query_count > 0) {
        return BOOTJACK_ERR_ARGUMENT;
    }
    return op->path.depth >= 2 ? bjc_operation_write(op, BJC_WRITE_REPLACE) : BOOTJACK_ERR_METHOD;
}

static bootjack_error post(bjc_operation *op, uint8_t *success) {
    const bootjack_resource *resource = bjc_operation_resource(op);
    *success = BJC_CHANGED;
    if (op->path.depth == 0 || op->path.depth == 4 || op->request->query_count > 0) {
        return op->request->query_count > 0 ? BOOTJACK_ERR_ARGUMENT : BOOTJACK_ERR_METHOD;
    }
    if (op->path.depth == 1) {
        *success = BJC_CREATED;
        return bjc_operation_create(op);
    }
    /* Partial update of a resource: of the instances of a multiple one. Text is what the arguments of an Execute are
     * (LwM2M Core 1.1 §6.3.5). */
    bool values = op->request->content_format >= 0 && op->request->content_format != BJC_FORMAT_TEXT;
    bool update = op->path.depth == 2 || (resource && !(resource->flags & BOOTJACK_EXECUTABLE) && values);
    return update ? bjc_operation_write(op, BJC_WRITE_UPDATE) : bjc_operation_execute(op);
}

static bootjack_error get(bjc_operation *op) {
    return op->request->accept == BJC_FORMAT_LINK ? bjc_operation_discover(op) : bjc_operation_read(op);
}

/* LwM2M Core 1.1 §6.3.8: the paths stand in the payload, the request goes to the root. */
static bootjack_error composite(bjc_operation *op, bootjack_error (*operation)(bjc_operation *)) {
    bool there = op->release >= BOOTJACK_LWM2M_1_1 && op->path.depth == 0;
    return there ? operation(op) : BOOTJACK_ERR_METHOD;
}

static bootjack_error operate(bjc_operation *op, uint8_t *success) {
    switch (op->request->method) {
    case BJC_GET:
        *success = BJC_CONTENT;
        return get(op);
    case BJC_PUT:
        *success = BJC_CHANGED;
        return put(op);
    case BJC_POST:
        return post(op, success);
    case BJC_DELETE:
        *success = BJC_DELETED;
        return bjc_operation_delete(op);
    case BJC_FETCH:
        *success = BJC_CONTENT;
        return composite(op, bjc_operation_read_composite);
    case BJC_IPATCH:
        *success = BJC_CHANGED;
        return composite(op, bjc_operation_write_composite);
    default:
        return BOOTJACK_ERR_METHOD;
    }
}

/* Keys are out of reach of every server (LwM2M Core 1.1 Appendix E.1). */
static bool out_of_reach(const bjc_path *path) {
    return path->depth > 0 && (path->ids[0] == 0 || path->ids[0] == 21 || path->ids[0] == 23);
}

void bjc_manage(const bjc_management *management, uint16_t ssid, const bjc_incoming *request, bjc_reply *reply) {
    bjc_operation op = { .management = management,
                         .model = management->model,
                         .ssid = ssid,
                         .release = management->model->core->config.version,
                         .request = request,
                         .reply = reply };
    uint8_t success = 0;
    bootjack_error error = BOOTJACK_OK;
    if (!bjc_path_parse(request->path, request->path_count, &op.path)) {
        error = BOOTJACK_ERR_NOT_FOUND;
    } else if (out_of_reach(&op.path)) {
        error = BOOTJACK_ERR_UNAUTHORIZED;
    } else {
        op.object = op.path.depth > 0 ? bjc_model_object(op.model, op.path.ids[0]) : NULL;
        error = operate(&op, &success);
    }
    if (error) {
        reply->payload.length = 0;
        reply->content_format = -1;
    }
    reply->code = code_of(error, success);
    char text[BJC_PATH_TEXT];
    bjc_log(op.model->core, BOOTJACK_LOG_DEBUG, "server %u: method %u of %s: %u.%02u", ssid, request->method,
            bjc_path_text(&op.path, text), reply->code >> 5, reply->code & 31u);
}
