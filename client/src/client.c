/* SPDX-License-Identifier: Apache-2.0
 *
 * A client as the application sees it: its parts put together, and the decisions between them (register or bootstrap,
 * LwM2M Core 1.1 §6.1.4).
 */
#define _GNU_SOURCE
#include "bootjack/client.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "bootjack/limits.h"
#include "bootjack/test_object.h"
#include "bootstrap/bootstrap.h"
#include "management/management.h"
#include "persistence/persistence.h"
#include "registration/registration.h"
#include "reporting/send.h"

struct bootjack_client {
    bjc_core core;
    bjc_transport *transport;
    bjc_model model;
    bjc_store security, server, access_control, device;
    bjc_test_object test_object;
    bootjack_device device_callbacks;
    bjc_bootstrap bootstrap;
    bjc_registrations registrations;
    bjc_reporting reporting;
    bjc_management management;
    bjc_persistence persistence;
    bjc_timer trigger; /* Bootstrap-Request Trigger, after its answer was sent */
    bjc_timer reboot, factory_reset;
    bjc_timer send; /* of the test object's values, after the Execute was answered */
    bootjack_path send_paths[BJC_TEST_OBJECT_PATHS];
    size_t send_count;
    bool send_postponed; /* it fell into a bootstrap session */
    bool started, stopping, stopped;
};

const char *bootjack_library_version(void) {
    return BJC_VERSION;
}

/* --- between the parts ------------------------------------------------------------------------------------------ */

static bool need_bootstrap(void *context, const char *cause) {
    bootjack_client *client = context;
    return !client->stopping && bjc_bootstrap_need(&client->bootstrap, cause);
}

static bool has_server(const bootjack_client *client, uint16_t ssid) {
    bool found = false;
    for (const bjc_instance *i = client->server.instances; i && !found; i = i->next) {
        found = bjc_store_integer(&client->server, i->iid, BJC_SERVER_SSID, 0) == ssid;
    }
    return found;
}

/* The observations of servers that are registered with no more, or are gone. */
static void end_observations(bootjack_client *client) {
    bjc_observation *o = client->reporting.list;
    while (o) {
        uint16_t ssid = o->ssid;
        bool registered = bjc_registrations_session(&client->registrations, ssid) != NULL;
        if (!has_server(client, ssid)) {
            bjc_reporting_forget_server(&client->reporting, ssid);
            o = client->reporting.list;
            continue;
        }
        if (!registered && !o->over) {
            bjc_reporting_unregistered(&client->reporting, ssid);
            o = client->reporting.list;
            continue;
        }
        o = o->next;
    }
}

/* What was asked for as a bootstrap began, and waited for its end. */
static void resume_send(bootjack_client *client) {
    if (client->send_postponed) {
        client->send_postponed = false;
        bjc_timer_arm(&client->core.scheduler, &client->send, 0);
    }
}

static void on_bootstrapped(void *context) {
    bootjack_client *client = context;
    bjc_registrations_start(&client->registrations);
    end_observations(client);
    bjc_reporting_instances_changed(&client->reporting);
    resume_send(client);
}

static void on_bootstrap_failed(void *context) {
    bootjack_client *client = context;
    bjc_registrations_resume(&client->registrations);
    bjc_reporting_instances_changed(&client->reporting); /* what was due meanwhile was not looked at */
    resume_send(client);
}

static void on_accounts_changed(void *context) {
    bootjack_client *client = context;
    bjc_persistence_changed(&client->persistence);
}

static void on_registered(void *context) {
    bootjack_client *client = context;
    bjc_bootstrap_succeeded(&client->bootstrap);
}

static void on_left(void *context) {
    bootjack_client *client = context;
    if (!client->stopped) {
        client->stopped = true;
        bjc_log(&client->core, BOOTJACK_LOG_INFO, "stopped");
    }
}

static void on_trigger(void *context) {
    need_bootstrap(context, "Bootstrap-Request Trigger");
}

static void on_reboot(void *context) {
    bootjack_client *client = context;
    if (client->device_callbacks.reboot) {
        client->device_callbacks.reboot(client->device_callbacks.context);
    }
}

static void on_factory_reset(void *context) {
    bootjack_client *client = context;
    client->device_callbacks.factory_reset(client->device_callbacks.context);
}

static void on_request(void *context, uint16_t ssid, const bjc_incoming *request, bjc_reply *reply) {
    bootjack_client *client = context;
    /* LwM2M Core 1.1 §6.1.1: during a bootstrap, requests that are not part of it may be ignored. Until its accounts
     * are taken up, it may have deleted that of this server. */
    if (!client->model.in_transaction && !bjc_bootstrap_is_settling(&client->bootstrap)) {
        bjc_manage(&client->management, ssid, request, reply);
    }
}

/* --- management and reporting ----------------------------------------------------------------------------------- */

static void on_changed(void *context, const bjc_path *path) {
    bootjack_client *client = context;
    if (path->ids[0] <= 2) {
        bjc_persistence_changed(&client->persistence);
    }
    if (path->depth == 0 || path->ids[0] == 1) {
        bjc_registrations_settings_changed(&client->registrations);
    }
}

/* The list of instances that the servers know is not the present one. */
static void on_instances_changed(void *context) {
    bootjack_client *client = context;
    bjc_registrations_instances_changed(&client->registrations);
    bjc_persistence_changed(&client->persistence);
}

static bjc_session *session_of(void *context, uint16_t ssid) {
    const bootjack_client *client = context;
    return bjc_registrations_session(&client->registrations, ssid);
}

static bool may_read(void *context, uint16_t ssid, uint16_t oid, uint16_t iid) {
    const bootjack_client *client = context;
    return bjc_access_allowed(&client->model, ssid, oid, iid, BJC_RIGHT_READ);
}

/* A server that acknowledges nothing is asked by an Update whether it still knows the client. */
static void on_undelivered(void *context, uint16_t ssid) {
    bootjack_client *client = context;
    bjc_registrations_doubt(&client->registrations, ssid);
}

static void on_send(void *context) {
    bootjack_client *client = context;
    if (client->model.in_transaction) {
        client->send_postponed = true;
        return;
    }
    for (const bjc_registration *r = client->registrations.list; r; r = r->next) {
        bootjack_error error = bootjack_send(client, r->ssid, client->send_paths, client->send_count, NULL, NULL);
        bjc_log(&client->core, BOOTJACK_LOG_INFO, "server %u: Send: %s", r->ssid, bootjack_error_text(error));
    }
}

static void on_send_wanted(void *context, const bootjack_path *paths, size_t count) {
    bootjack_client *client = context;
    memcpy(client->send_paths, paths, count * sizeof *paths);
    client->send_count = count;
    bjc_timer_arm(&client->core.scheduler, &client->send, 0);
}

static void on_notified(void *context, bjc_outcome outcome, const bjc_notification *notification) {
    const bjc_registration *r = context;
    bootjack_client *client = r->all->context;
    bjc_reporting_notified(&client->reporting, r->ssid, outcome, notification);
}

static void on_moved(void *context, bjc_registration *r, bjc_registration_state from) {
    bootjack_client *client = context;
    if (r->state == BJC_REGISTRATION_REGISTERED) {
        bjc_session_set_notified(r->session, on_notified, r);
        bjc_reporting_registered(&client->reporting, r->ssid, from != BJC_REGISTRATION_UPDATING);
    } else if (r->state == BJC_REGISTRATION_DISABLED || r->state == BJC_REGISTRATION_GONE) {
        bjc_reporting_unregistered(&client->reporting, r->ssid);
    }
}

static bootjack_error execute_server(void *context, uint16_t iid, uint16_t rid, const uint8_t *arguments,
                                     size_t length) {
    bootjack_client *client = context;
    bool done = false;
    if (rid == BJC_SERVER_UPDATE_TRIGGER) {
        return bjc_registration_trigger(&client->registrations, iid, arguments, length);
    }
    if (rid == BJC_SERVER_DISABLE) {
        done = bjc_registration_disable(&client->registrations, iid);
    } else if (rid == BJC_SERVER_BOOTSTRAP_TRIGGER && bjc_bootstrap_has_account(&client->bootstrap)) {
        bjc_timer_arm(&client->core.scheduler, &client->trigger, 0);
        done = true;
    }
    return done ? BOOTJACK_OK : BOOTJACK_ERR_METHOD;
}

static bootjack_error execute_device(void *context, uint16_t iid, uint16_t rid, const uint8_t *arguments,
                                     size_t length) {
    bootjack_client *client = context;
    (void) iid;
    (void) arguments;
    (void) length;
    if (rid == 4) {
        bjc_timer_arm(&client->core.scheduler, &client->reboot, 0);
        return BOOTJACK_OK;
    }
    if (rid == 5 && client->device_callbacks.factory_reset) {
        bjc_timer_arm(&client->core.scheduler, &client->factory_reset, 0);
        return BOOTJACK_OK;
    }
    return rid == 12 ? bjc_device_reset_errors(&client->device) : BOOTJACK_ERR_METHOD;
}

/* --- making and unmaking ---------------------------------------------------------------------------------------- */

static void put_together(bootjack_client *client) {
    bjc_core *core = &client->core;
    bjc_model_init(&client->model, core);
    bjc_security_init(&client->security, core);
    bjc_server_init(&client->server, core, execute_server, client);
    bjc_access_control_init(&client->access_control, core);
    bjc_test_object_init(&client->test_object, core);
    client->bootstrap = (bjc_bootstrap){ .core = core,
                                         .model = &client->model,
                                         .transport = client->transport,
                                         .security = &client->security,
                                         .server = &client->server,
                                         .access_control = &client->access_control,
                                         .finished = on_bootstrapped,
                                         .failed = on_bootstrap_failed,
                                         .changed = on_accounts_changed,
                                         .context = client };
    bjc_bootstrap_init(&client->bootstrap);
    bjc_persistence_init(&client->persistence, core, &client->model, &client->bootstrap.bootstrapped);
    client->registrations = (bjc_registrations){ .core = core,
                                                 .model = &client->model,
                                                 .transport = client->transport,
                                                 .security = &client->security,
                                                 .server = &client->server,
                                                 .registered = on_registered,
                                                 .need_bootstrap = need_bootstrap,
                                                 .left = on_left,
                                                 .moved = on_moved,
                                                 .manage = on_request,
                                                 .context = client };
    bjc_registrations_init(&client->registrations);
    client->reporting = (bjc_reporting){ .core = core,
                                         .model = &client->model,
                                         .server = &client->server,
                                         .session = session_of,
                                         .may_read = may_read,
                                         .undelivered = on_undelivered,
                                         .context = client };
    bjc_reporting_init(&client->reporting);
    client->management = (bjc_management){ .model = &client->model,
                                           .reporting = &client->reporting,
                                           .changed = on_changed,
                                           .instances_changed = on_instances_changed,
                                           .context = client };
    bjc_timer_init(&client->trigger, on_trigger, client);
    bjc_timer_init(&client->reboot, on_reboot, client);
    bjc_timer_init(&client->send, on_send, client);
    client->test_object.send = on_send_wanted;
    client->test_object.context = client;
    bjc_timer_init(&client->factory_reset, on_factory_reset, client);
}

bootjack_error bootjack_client_create(const bootjack_config *config, bootjack_client **out) {
    *out = NULL;
    const bootjack_allocator *allocator = config->allocator ? config->allocator : &bjc_malloc_allocator;
    bootjack_client *client = bjc_allocate(allocator, sizeof *client);
    if (!client) {
        return BOOTJACK_ERR_MEMORY;
    }
    bootjack_error error = bjc_core_init(&client->core, config);
    if (!error) {
        error = bjc_transport_new(&client->core, &client->core.scheduler, &client->transport);
        if (error) {
            bjc_core_free(&client->core);
        }
    }
    if (error) {
        bjc_release(allocator, client);
        return error;
    }
    put_together(client);
    *out = client;
    return BOOTJACK_OK;
}

void bootjack_client_destroy(bootjack_client *client) {
    if (!client) {
        return;
    }
    bootjack_allocator allocator = client->core.allocator;
    client->core.config.state_changed = NULL;
    bjc_registrations_drop(&client->registrations);
    bjc_bootstrap_stop(&client->bootstrap);
    bjc_reporting_free(&client->reporting);
    bjc_persistence_free(&client->persistence);
    bjc_transport_free(client->transport);
    bjc_model_free(&client->model);
    bjc_store_free(&client->security);
    bjc_store_free(&client->server);
    bjc_store_free(&client->access_control);
    bjc_store_free(&client->device);
    bjc_store_free(&client->test_object.store);
    bjc_core_free(&client->core);
    bjc_release(&allocator, client);
}

/* --- Objects ---------------------------------------------------------------------------------------------------- */

bootjack_error bootjack_object_install(bootjack_client *client, const bootjack_object *object, void *context) {
    if (!object || !bjc_definition_usable(object) || object->oid == 0) {
        return BOOTJACK_ERR_ARGUMENT;
    }
    return client->started ? BOOTJACK_ERR_STATE : bjc_model_install(&client->model, object, context, NULL);
}

static bootjack_error install_store(bootjack_client *client, bjc_store *store) {
    return client->started ? BOOTJACK_ERR_STATE : bjc_model_install(&client->model, store->object, store, store);
}

bootjack_error bootjack_security_object_install(bootjack_client *client) {
    return install_store(client, &client->security);
}

bootjack_error bootjack_server_object_install(bootjack_client *client) {
    return install_store(client, &client->server);
}

bootjack_error bootjack_access_control_object_install(bootjack_client *client) {
    return install_store(client, &client->access_control);
}

bootjack_error bootjack_test_object_install(bootjack_client *client) {
    bootjack_error error = install_store(client, &client->test_object.store);
    error = error ? error : bjc_test_object_fill(&client->test_object.store);
    if (error && error != BOOTJACK_ERR_EXISTS && error != BOOTJACK_ERR_STATE) {
        bjc_model_uninstall(&client->model, BOOTJACK_TEST_OBJECT_ID);
        bjc_store_free(&client->test_object.store);
        bjc_test_object_init(&client->test_object, &client->core);
    }
    return error;
}

bootjack_error bootjack_device_object_install(bootjack_client *client, const bootjack_device *device) {
    if (bjc_model_object(&client->model, 3)) {
        return BOOTJACK_ERR_EXISTS;
    }
    if (device) {
        client->device_callbacks = *device;
    }
    bootjack_error error = bjc_device_init(&client->device, &client->core, device, execute_device, client);
    if (!error) {
        error = install_store(client, &client->device);
        if (error) {
            bjc_store_free(&client->device);
        }
    }
    return error;
}

bootjack_error bootjack_security_object_add_instance(bootjack_client *client,
                                                     const bootjack_security_instance *instance, uint16_t *iid) {
    if (!bjc_model_object(&client->model, 0) || client->model.in_transaction) {
        return BOOTJACK_ERR_STATE;
    }
    return bjc_security_add(&client->security, instance, iid);
}

/* Servers know the list of instances. */
static bootjack_error added(bootjack_client *client, bootjack_error error) {
    if (!error) {
        bootjack_instances_changed(client);
    }
    return error;
}

bootjack_error bootjack_server_object_add_instance(bootjack_client *client, const bootjack_server_instance *instance,
                                                   uint16_t *iid) {
    if (!bjc_model_object(&client->model, 1) || client->model.in_transaction) {
        return BOOTJACK_ERR_STATE;
    }
    return added(client, bjc_server_add(&client->server, instance, iid));
}

bootjack_error bootjack_access_control_object_add_instance(bootjack_client *client,
                                                           const bootjack_access_control_instance *instance,
                                                           uint16_t *iid) {
    if (!bjc_model_object(&client->model, 2) || client->model.in_transaction) {
        return BOOTJACK_ERR_STATE;
    }
    return added(client, bjc_access_control_add(&client->access_control, instance, iid));
}

/* What no Bootstrap-Finish could make good. */
static bootjack_error check_identities(const bjc_store *store) {
    return store->object->oid == 0   ? bjc_security_check_identities(store)
           : store->object->oid == 1 ? bjc_server_check(store)
                                     : BOOTJACK_OK;
}

/* What fails changes nothing. */
static bootjack_error set_or_leave(bjc_store *store, uint16_t iid, uint16_t rid, uint16_t riid,
                                   const bootjack_value *value) {
    bjc_instance *saved;
    bootjack_error error = bjc_store_may_set(store, rid, riid, value);
    error = error ? error : bjc_store_save(store, &saved);
    if (error) {
        return error;
    }
    error = bjc_store_instance(store, iid) ? BOOTJACK_OK : bjc_store_create(store, iid);
    error = error ? error : bjc_store_set(store, iid, rid, riid, value);
    error = error ? error : check_identities(store);
    if (error) {
        bjc_store_restore(store, saved);
    } else {
        bjc_store_forget(store, saved);
    }
    return error;
}

bootjack_error bootjack_resource_set(bootjack_client *client, uint16_t oid, uint16_t iid, uint16_t rid, uint16_t riid,
                                     const bootjack_value *value) {
    bjc_object *object = bjc_model_object(&client->model, oid);
    if (!object || !object->store) {
        return BOOTJACK_ERR_NOT_FOUND;
    }
    if (client->model.in_transaction) {
        return BOOTJACK_ERR_STATE;
    }
    bool made = !bjc_store_instance(object->store, iid);
    bootjack_error error = set_or_leave(object->store, iid, rid, riid, value);
    if (error) {
        return error;
    }
    bootjack_resource_changed(client, oid, iid, rid);
    if (made) {
        bootjack_instances_changed(client);
    } else if (oid == 1) {
        bjc_registrations_settings_changed(&client->registrations);
    }
    return BOOTJACK_OK;
}

bootjack_error bootjack_resource_get(bootjack_client *client, uint16_t oid, uint16_t iid, uint16_t rid, uint16_t riid,
                                     bootjack_value *value) {
    bjc_object *object = bjc_model_object(&client->model, oid);
    const bootjack_resource *resource = object ? bjc_resource_find(object->definition, rid) : NULL;
    if (!resource) {
        return BOOTJACK_ERR_NOT_FOUND;
    }
    return resource->flags & BOOTJACK_SECRET ? BOOTJACK_ERR_UNAUTHORIZED
                                             : object->handlers->read(object->context, iid, rid, riid, value);
}

void bootjack_resource_changed(bootjack_client *client, uint16_t oid, uint16_t iid, uint16_t rid) {
    const bjc_path path = { 3, { oid, iid, rid } };
    bjc_reporting_changed(&client->reporting, &path);
}

bootjack_error bootjack_send(bootjack_client *client, uint16_t ssid, const bootjack_path *paths, size_t count,
                             bootjack_send_result *done, void *context) {
    return paths ? bjc_send(&client->reporting, ssid, paths, count, done, context) : BOOTJACK_ERR_ARGUMENT;
}

/* --- the state that outlives the process ------------------------------------------------------------------------ */

bootjack_error bootjack_persistence_load(bootjack_client *client, const char *file) {
    if (!file || !file[0]) {
        return BOOTJACK_ERR_ARGUMENT;
    }
    return client->started ? BOOTJACK_ERR_STATE : bjc_persistence_load(&client->persistence, file);
}

bootjack_error bootjack_persistence_save(bootjack_client *client) {
    return bjc_persistence_save(&client->persistence);
}

/* --- running ---------------------------------------------------------------------------------------------------- */

static void start(bootjack_client *client) {
    client->started = true;
    bjc_log(&client->core, BOOTJACK_LOG_INFO, "client %s starts, LwM2M %d.%d", client->core.config.endpoint,
            client->core.config.version / 10, client->core.config.version % 10);
    bjc_bootstrap_resume(&client->bootstrap);
    bjc_registrations_start(&client->registrations);
}

void bootjack_client_step(bootjack_client *client) {
    if (!client->started && !client->stopping) {
        start(client);
    }
    /* What was due before a message arrived happens before it. */
    bjc_scheduler_run(&client->core.scheduler, bjc_now());
    bjc_transport_process(client->transport);
    bjc_scheduler_run(&client->core.scheduler, bjc_now());
    bjc_transport_prepare(client->transport);
}

int64_t bootjack_client_next_deadline_ms(bootjack_client *client) {
    bjc_time next = bjc_scheduler_next(&client->core.scheduler), transport = bjc_transport_next(client->transport);
    next = transport < next ? transport : next;
    if (!client->started) {
        return 0;
    }
    if (next == BJC_TIME_NEVER) {
        return -1;
    }
    bjc_time wait = next - bjc_now();
    return wait <= 0 ? 0 : (wait + BJC_MS - 1) / BJC_MS;
}

size_t bootjack_client_descriptors(bootjack_client *client, int *descriptors, size_t capacity) {
    return bjc_transport_descriptors(client->transport, descriptors, capacity);
}

bootjack_error bootjack_client_run(bootjack_client *client) {
    int descriptors[BOOTJACK_MAX_DESCRIPTORS];
    struct pollfd watched[BOOTJACK_MAX_DESCRIPTORS];
    for (;;) {
        bootjack_client_step(client);
        if (client->stopped) {
            return BOOTJACK_OK;
        }
        size_t count = bootjack_client_descriptors(client, descriptors, BOOTJACK_MAX_DESCRIPTORS);
        for (size_t i = 0; i < count; i++) {
            watched[i] = (struct pollfd){ .fd = descriptors[i], .events = POLLIN };
        }
        int64_t wait = bootjack_client_next_deadline_ms(client);
        if (poll(watched, (nfds_t) count, wait > INT32_MAX ? INT32_MAX : (int) wait) < 0 && errno != EINTR) {
            return BOOTJACK_ERR_INTERNAL;
        }
    }
}

void bootjack_client_stop(bootjack_client *client) {
    if (client->stopping) {
        return;
    }
    client->stopping = true;
    bjc_log(&client->core, BOOTJACK_LOG_INFO, "stopping");
    bjc_timer_cancel(&client->core.scheduler, &client->trigger);
    bjc_timer_cancel(&client->core.scheduler, &client->send);
    bjc_bootstrap_stop(&client->bootstrap);
    bjc_persistence_stop(&client->persistence);
    bjc_registrations_stop(&client->registrations);
    bjc_transport_prepare(client->transport);
}

void bootjack_instances_changed(bootjack_client *client) {
    if (!client->model.in_transaction) { /* its end looks at the list by itself */
        bjc_reporting_instances_changed(&client->reporting);
        bjc_registrations_instances_changed(&client->registrations);
    }
}

void bootjack_network_changed(bootjack_client *client) {
    if (!client->stopping) {
        bjc_bootstrap_network_changed(&client->bootstrap);
        bjc_registrations_network_changed(&client->registrations);
    }
}

bootjack_client_phase bootjack_client_state(const bootjack_client *client) {
    const bjc_registrations *all = &client->registrations;
    if (client->stopping) {
        return client->stopped ? BOOTJACK_CLIENT_STOPPED : BOOTJACK_CLIENT_STOPPING;
    }
    if (client->bootstrap.state == BJC_BOOTSTRAP_HOLDING_OFF) {
        return BOOTJACK_CLIENT_HOLDING_OFF;
    }
    if (client->bootstrap.state != BJC_BOOTSTRAP_IDLE) {
        return BOOTJACK_CLIENT_BOOTSTRAPPING;
    }
    if (bjc_registrations_any(all, BJC_REGISTRATION_REGISTERED) ||
        bjc_registrations_any(all, BJC_REGISTRATION_UPDATING)) {
        return BOOTJACK_CLIENT_REGISTERED;
    }
    return all->list ? BOOTJACK_CLIENT_REGISTERING : BOOTJACK_CLIENT_IDLE;
}

const char *bootjack_client_phase_text(bootjack_client_phase phase) {
    static const char *const texts[] = { "idle",       "holding off", "bootstrapping", "registering",
                                         "registered", "stopping",    "stopped" };
    return (unsigned) phase < sizeof texts / sizeof *texts ? texts[phase] : "unknown";
}
