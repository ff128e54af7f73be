/* SPDX-License-Identifier: Apache-2.0
 *
 * When the state is loaded and saved. A bootstrap session is one transaction: what it wrote is saved after its
 * Bootstrap-Finish was accepted and before that is answered, so that a server that saw 2.04 finds the client in the new
 * state after any crash.
 */
#define _GNU_SOURCE
#include "persistence/persistence.h"

#include <errno.h>
#include <string.h>

#define RETRY (60 * BJC_SECOND)

static void on_retry(void *context) {
    bjc_persistence_changed(context);
}

void bjc_persistence_init(bjc_persistence *p, bjc_core *core, const bjc_model *model, bool *bootstrapped) {
    *p = (bjc_persistence){ .core = core, .model = model, .bootstrapped = bootstrapped, .files = &bjc_system_files };
    bjc_timer_init(&p->retry, on_retry, p);
}

void bjc_persistence_free(bjc_persistence *p) {
    bjc_timer_cancel(&p->core->scheduler, &p->retry);
    bjc_file_names_free(&p->names, &p->core->allocator);
}

static bootjack_error read_state(bjc_persistence *p) {
    bjc_buffer bytes;
    bool exposed = false;
    bjc_buffer_init(&bytes, &p->core->allocator);
    errno = 0;
    bootjack_error error = bjc_file_read(p->files, p->names.path, BJC_STATE_LIMIT, &bytes, &exposed);
    int cause = errno;
    if (!error) {
        error = bjc_state_decode(p->model, bytes.data, bytes.length, p->bootstrapped);
    }
    bjc_buffer_free(&bytes);
    if (error == BOOTJACK_ERR_FILE) {
        bjc_log(p->core, BOOTJACK_LOG_ERROR, "state in %s: cannot be read: %s", p->names.path, strerror(cause));
    } else if (!error && exposed) {
        bjc_log(p->core, BOOTJACK_LOG_WARNING, "state in %s: others than its owner may use the file, which holds keys",
                p->names.path);
    }
    return error;
}

bootjack_error bjc_persistence_load(bjc_persistence *p, const char *file) {
    if (p->names.path) {
        return BOOTJACK_ERR_STATE;
    }
    bootjack_error error = bjc_file_names_make(&p->names, &p->core->allocator, file);
    error = error ? error : read_state(p);
    if (!error || error == BOOTJACK_ERR_NOT_FOUND) {
        bjc_log(p->core, BOOTJACK_LOG_INFO, "state in %s: %s", file, error ? "none yet" : "loaded");
        return error;
    }
    bjc_log(p->core, BOOTJACK_LOG_ERROR, "state in %s: %s; the file is left as it is", file,
            bootjack_error_text(error));
    bjc_file_names_free(&p->names, &p->core->allocator);
    return error;
}

static bootjack_error write_state(bjc_persistence *p) {
    bjc_buffer bytes;
    bjc_buffer_init(&bytes, &p->core->allocator);
    bootjack_error error = bjc_state_encode(p->model, *p->bootstrapped, &bytes);
    errno = 0;
    if (!error) {
        error = bjc_file_replace(p->files, &p->names, bytes.data, bytes.length);
    }
    int cause = errno;
    bjc_buffer_free(&bytes);
    if (error) {
        bjc_log(p->core, BOOTJACK_LOG_ERROR, "state in %s: not saved: %s", p->names.path,
                error == BOOTJACK_ERR_FILE && cause ? strerror(cause) : bootjack_error_text(error));
    }
    return error;
}

bootjack_error bjc_persistence_save(bjc_persistence *p) {
    if (!p->names.path || p->model->in_transaction) {
        return BOOTJACK_ERR_STATE;
    }
    bootjack_error error = write_state(p);
    if (error) {
        bjc_timer_arm(&p->core->scheduler, &p->retry, RETRY);
    } else {
        bjc_timer_cancel(&p->core->scheduler, &p->retry);
    }
    return error;
}

void bjc_persistence_stop(bjc_persistence *p) {
    if (p->retry.armed) {
        bjc_persistence_changed(p);
    }
}

void bjc_persistence_changed(bjc_persistence *p) {
    if (p->names.path && p->model->in_transaction) {
        bjc_timer_arm(&p->core->scheduler, &p->retry, RETRY); /* half a session is never saved */
    } else if (p->names.path) {
        bjc_persistence_save(p);
    }
}
