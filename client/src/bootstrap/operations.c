/* SPDX-License-Identifier: Apache-2.0
 *
 * The operations of a Bootstrap-Server, with the codes that LwM2M Transport 1.1 §6.7 allows for each; what they cannot
 * say is 5.00.
 */
#include <assert.h>

#include "bootstrap/bootstrap.h"
#include "management/access.h"
#include "model/path.h"
#include "registration/accounts.h"

static const char *target_text(const bjc_path *path, char text[BJC_PATH_TEXT]) {
    return bjc_path_text(path, text);
}

/* --- Bootstrap-Write (LwM2M Core 1.1 §6.1.7.5) ------------------------------------------------------------------ */

/* Rule: a single Bootstrap-Server account, judged on the state after the whole Write. One that would leave two is
 * undone alone; to see the harness notice its absence, let the check always pass. */
static bootjack_error write_accounts(bjc_bootstrap *b, const bjc_path *target, const bjc_format *format,
                                     const bjc_incoming *request) {
    bjc_instance *saved;
    bootjack_error error = bjc_store_save(b->security, &saved);
    if (error) {
        return error;
    }
    error = bjc_model_write(b->model, target, format, request->payload, request->payload_length);
    error = error ? error : bjc_security_check_single_account(b->security);
    if (error) {
        bjc_store_restore(b->security, saved);
    } else {
        bjc_store_forget(b->security, saved);
    }
    if (error == BOOTJACK_ERR_EXISTS) {
        bjc_log(b->core, BOOTJACK_LOG_WARNING, "Write refused: it would leave two Bootstrap-Server accounts");
    }
    return error;
}

static uint8_t code_of_write(bootjack_error error) {
    switch (error) {
    case BOOTJACK_OK:
        return BJC_CHANGED;
    case BOOTJACK_ERR_MEMORY:
    case BOOTJACK_ERR_LIMIT:
    case BOOTJACK_ERR_INTERNAL:
    case BOOTJACK_ERR_STATE:
        return BJC_INTERNAL_ERROR;
    default:
        return BJC_BAD_REQUEST;
    }
}

/* A client without /2 cannot keep several servers apart: that they were meant to be shows at the Finish (LwM2M Core 1.1
 * §6.1.6). A Delete of /2 takes it back. */
static void note_access_control(bjc_bootstrap *b, const bjc_path *target, bool written) {
    if (target->depth >= 1 && target->ids[0] == 2 && !bjc_model_object(b->model, 2)) {
        b->access_control_missing = written;
    } else if (target->depth == 0 && !written) {
        b->access_control_missing = false;
    }
}

static uint8_t bootstrap_write(bjc_bootstrap *b, const bjc_path *target, const bjc_incoming *request) {
    char text[BJC_PATH_TEXT];
    note_access_control(b, target, true);
    if (target->depth < 1 || target->depth > 3 || request->content_format < 0) {
        return BJC_BAD_REQUEST;
    }
    const bjc_format *format = bjc_format_of_release(request->content_format, b->core->config.version);
    if (!format) {
        return BJC_UNSUPPORTED_FORMAT;
    }
    bool accounts = target->ids[0] == 0 && bjc_model_object(b->model, 0);
    bootjack_error error = accounts
                               ? write_accounts(b, target, format, request)
                               : bjc_model_write(b->model, target, format, request->payload, request->payload_length);
    bjc_log(b->core, BOOTJACK_LOG_INFO, "Bootstrap-Write %s: %s", target_text(target, text),
            bootjack_error_text(error));
    return code_of_write(error);
}

/* --- Bootstrap-Delete (§6.1.7.6) -------------------------------------------------------------------------------- */

/* "Not affected by any Delete operation": the Bootstrap-Server account and the Device instance. */
static bool survives(const bjc_bootstrap *b, uint16_t oid, uint16_t iid) {
    if (oid == 0) {
        return bjc_security_bootstrap_account(b->security) == iid;
    }
    return oid == 3;
}

static bootjack_error delete_instances(bjc_bootstrap *b, bjc_object *object) {
    int32_t iid = -1;
    bootjack_error error = BOOTJACK_OK;
    while (!error && (iid = object->handlers->next_instance(object->context, iid)) >= 0) {
        if (!survives(b, object->definition->oid, (uint16_t) iid) && object->handlers->remove) {
            error = object->handlers->remove(object->context, (uint16_t) iid);
        }
    }
    return error;
}

static bootjack_error delete_one(bjc_bootstrap *b, bjc_object *object, uint16_t iid) {
    if (!bjc_model_has_instance(object, iid)) {
        return BOOTJACK_ERR_NOT_FOUND;
    }
    if (survives(b, object->definition->oid, iid) || !object->handlers->remove) {
        return BOOTJACK_ERR_METHOD;
    }
    return object->handlers->remove(object->context, iid);
}

static bootjack_error delete_target(bjc_bootstrap *b, const bjc_path *target) {
    bootjack_error error = BOOTJACK_OK;
    if (target->depth == 0) {
        for (bjc_object *object = b->model->objects; object && !error; object = object->next) {
            error = delete_instances(b, object);
        }
        return error;
    }
    bjc_object *object = bjc_model_object(b->model, target->ids[0]);
    if (!object || target->depth > 2) {
        return BOOTJACK_ERR_NOT_FOUND;
    }
    return target->depth == 1 ? delete_instances(b, object) : delete_one(b, object, target->ids[1]);
}

static uint8_t bootstrap_delete(bjc_bootstrap *b, const bjc_path *target) {
    char text[BJC_PATH_TEXT];
    bootjack_error error = delete_target(b, target);
    note_access_control(b, target, false);
    bjc_log(b->core, BOOTJACK_LOG_INFO, "Bootstrap-Delete %s: %s", target_text(target, text),
            bootjack_error_text(error));
    if (!error) {
        return BJC_DELETED;
    }
    return code_of_write(error) == BJC_INTERNAL_ERROR ? BJC_INTERNAL_ERROR : BJC_BAD_REQUEST;
}

/* --- Bootstrap-Read (§6.1.7.4) and Bootstrap-Discover (§6.1.7.3) ------------------------------------------------ */

static uint8_t bootstrap_read(const bjc_bootstrap *b, const bjc_path *target, const bjc_incoming *request,
                              bjc_reply *reply) {
    bool server_or_acl = target->depth >= 1 && (target->ids[0] == 1 || target->ids[0] == 2);
    if (b->core->config.version < BOOTJACK_LWM2M_1_1 || !server_or_acl || target->depth > 2) {
        return BJC_NOT_ALLOWED;
    }
    int number = request->accept < 0 ? BJC_FORMAT_TLV : request->accept;
    const bjc_format *format = bjc_format_of_release(number, b->core->config.version);
    if (!format || !format->write || format->least_shown > target->depth) {
        return BJC_NOT_ACCEPTABLE;
    }
    bootjack_error error = bjc_model_read(b->model, target, format, true, &reply->payload);
    if (error) {
        reply->payload.length = 0;
        return error == BOOTJACK_ERR_NOT_FOUND        ? BJC_NOT_FOUND
               : error == BOOTJACK_ERR_NOT_ACCEPTABLE ? BJC_NOT_ACCEPTABLE
                                                      : BJC_INTERNAL_ERROR;
    }
    reply->content_format = number;
    return BJC_CONTENT;
}

static uint8_t bootstrap_get(const bjc_bootstrap *b, const bjc_path *target, const bjc_incoming *request,
                             bjc_reply *reply) {
    char text[BJC_PATH_TEXT];
    if (request->query_count > 0) {
        return BJC_BAD_REQUEST; /* e.g. a depth, which the Bootstrap interface does not have */
    }
    if (request->accept != BJC_FORMAT_LINK) {
        uint8_t code = bootstrap_read(b, target, request, reply);
        bjc_log(b->core, BOOTJACK_LOG_INFO, "Bootstrap-Read %s: %u.%02u", target_text(target, text), code >> 5,
                code & 31u);
        return code;
    }
    uint8_t code = bjc_bootstrap_discover(b, target, &reply->payload);
    reply->content_format = code == BJC_CONTENT ? BJC_FORMAT_LINK : -1;
    bjc_log(b->core, BOOTJACK_LOG_INFO, "Bootstrap-Discover %s: %u.%02u", target_text(target, text), code >> 5,
            code & 31u);
    return code;
}

/* --- Bootstrap-Finish (§6.1.7.2, §6.1.6) ------------------------------------------------------------------------ */

/* LwM2M Core 1.1 §6.1.6 has this one example of an inconsistent configuration. */
static bootjack_error check_access_control(const bjc_bootstrap *b) {
    bool several = b->server->instances && b->server->instances->next;
    if (!b->access_control_missing || !several) {
        return BOOTJACK_OK;
    }
    bjc_log(b->core, BOOTJACK_LOG_WARNING,
            "configuration refused: /2 was written for several servers, and this client has no Access Control");
    return BOOTJACK_ERR_INCONSISTENT;
}

/* What is refused at once, instead of bootstrapping again afterwards, by `strict`, and where this session took the
 * account with which that could be done. */
static bootjack_error check_accounts(const bjc_bootstrap *b) {
    const char *reason;
    bootjack_error error = bjc_accounts_check_existence(b->security, b->server, &reason);
    error = error ? error : bjc_accounts_check_ids(b->core, b->security, b->server, &reason);
    if (error) {
        bjc_log(b->core, BOOTJACK_LOG_WARNING, "configuration refused: %s", reason);
    }
    return error;
}

/* Rights for what is not there harm nobody: they are refused by `strict` only. */
static bootjack_error check_references(const bjc_bootstrap *b, bool strict) {
    char reason[120];
    bootjack_error error =
        bjc_access_control_check_references(b->model, b->access_control, b->server, reason, sizeof reason);
    if (error) {
        bjc_log(b->core, BOOTJACK_LOG_WARNING, "%s: %s", strict ? "configuration refused" : "of no use", reason);
    }
    return strict ? error : BOOTJACK_OK;
}

static bool has_server(const bjc_store *store, int64_t ssid) {
    bool found = false;
    for (const bjc_instance *i = store->instances; i && !found; i = i->next) {
        found = bjc_store_integer(store, i->iid, BJC_SERVER_SSID, 0) == ssid;
    }
    return found;
}

static void no_word(void *context, const bjc_path *instance) {
    (void) context;
    (void) instance; /* the next Register or Update tells which instances there are */
}

/* The rights of servers whose account this session took away go with it (LwM2M TS 1.0 Appendix E.1.3), and what only
 * they could reach. */
static void forget_gone_servers(const bjc_bootstrap *b) {
    const bjc_store before = bjc_store_valid(b->server);
    for (const bjc_instance *i = before.instances; i; i = i->next) {
        int64_t ssid = bjc_store_integer(&before, i->iid, BJC_SERVER_SSID, 0);
        if (ssid > 0 && ssid < 65535 && !has_server(b->server, ssid)) {
            bjc_log(b->core, BOOTJACK_LOG_INFO, "server %d is gone, and its rights go with it", (int) ssid);
            bjc_access_forget_server(b->model, (uint16_t) ssid, no_word, NULL);
        }
    }
}

static bootjack_error check(const bjc_bootstrap *b, bool all) {
    bootjack_error error = bjc_model_validate(b->model);
    error = error ? error : check_access_control(b);
    error = error ? error : check_references(b, all);
    all |= !bjc_bootstrap_has_account(b);
    return error || !all ? error : check_accounts(b);
}

/* What is refused stays as it was written, for the Bootstrap-Server may correct it: the Server instances that would
 * have gone come back, and rights go last. */
bootjack_error bjc_bootstrap_check(const bjc_bootstrap *b, bool all) {
    bjc_instance *saved;
    bootjack_error error = bjc_store_save(b->server, &saved);
    if (error) {
        return error;
    }
    bjc_accounts_drop_unpaired(b->core, b->security, b->server);
    error = check(b, all);
    if (error) {
        bjc_store_restore(b->server, saved);
    } else {
        bjc_store_forget(b->server, saved);
        forget_gone_servers(b);
    }
    return error;
}

void bjc_bootstrap_commit(bjc_bootstrap *b) {
    bjc_accounts_note_bootstrap(b->core, b->security, b->server);
    bjc_model_commit(b->model);
}

static uint8_t bootstrap_finish(bjc_bootstrap *b, const bjc_incoming *request) {
    if (request->payload_length > 0 || request->query_count > 0) {
        return BJC_BAD_REQUEST;
    }
    bootjack_error error = bjc_bootstrap_check(b, b->core->config.strict);
    if (error) {
        bjc_log(b->core, BOOTJACK_LOG_WARNING, "Bootstrap-Finish refused: %s", bootjack_error_text(error));
        return error == BOOTJACK_ERR_MEMORY ? BJC_INTERNAL_ERROR : BJC_NOT_ACCEPTABLE;
    }
    bjc_bootstrap_commit(b);
    return BJC_CHANGED;
}

/* ---------------------------------------------------------------------------------------------------------------- */

static bool is_bs(const bjc_incoming *request) {
    return request->path_count == 1 && request->path[0].length == 2 && request->path[0].data[0] == 'b' &&
           request->path[0].data[1] == 's';
}

bool bjc_bootstrap_is_operation(const bjc_incoming *request) {
    bjc_path target;
    return request->method == BJC_POST
               ? is_bs(request)
               : request->method <= BJC_DELETE && bjc_path_parse(request->path, request->path_count, &target);
}

void bjc_bootstrap_operate(bjc_bootstrap *b, const bjc_incoming *request, bjc_reply *reply, bool *finished) {
    assert(b->model->in_transaction);
    bjc_path target;
    *finished = false;
    if (request->method == BJC_POST && is_bs(request)) {
        reply->code = bootstrap_finish(b, request);
        *finished = reply->code == BJC_CHANGED;
        return;
    }
    if (request->method > BJC_DELETE) {
        reply->code = BJC_NOT_ALLOWED;
    } else if (request->method == BJC_POST || !bjc_path_parse(request->path, request->path_count, &target)) {
        reply->code = BJC_BAD_REQUEST;
    } else if (request->method == BJC_PUT) {
        reply->code = bootstrap_write(b, &target, request);
    } else if (request->method == BJC_DELETE) {
        reply->code = bootstrap_delete(b, &target);
    } else {
        reply->code = bootstrap_get(b, &target, request, reply);
    }
}
