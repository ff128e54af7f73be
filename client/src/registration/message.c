/* SPDX-License-Identifier: Apache-2.0
 *
 * Register, Update, De-register as they go on the wire (LwM2M Transport 1.1 §6.4.3).
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "formats/link.h"
#include "registration/registration.h"

static void object_links(bjc_links *links, const bjc_object *object) {
    bjc_path path = { 1, { object->definition->oid } };
    int32_t iid = object->handlers->next_instance(object->context, -1);
    if (iid < 0 || object->definition->version) {
        bjc_link_begin(links, &path);
    }
    if (object->definition->version) {
        bjc_link_token(links, "ver", object->definition->version);
    }
    for (; iid >= 0; iid = object->handlers->next_instance(object->context, iid)) {
        path = (bjc_path){ 2, { object->definition->oid, (uint16_t) iid } };
        bjc_link_begin(links, &path);
    }
}

/* /0 and /21 are never told to a server. */
void bjc_registration_links(const bjc_model *model, bjc_buffer *out) {
    bjc_links links = { .out = out };
    bool old = model->core->config.version < BOOTJACK_LWM2M_1_1;
    if (!old) {
        bjc_link_text(&links, "</>;rt=\"oma.lwm2m\";ct=11542");
    }
    for (const bjc_object *object = model->objects; object; object = object->next) {
        if (object->definition->oid != 0 && object->definition->oid != 21) {
            object_links(&links, object);
        }
    }
}

static void add_query(bjc_request *request, const char *text) {
    assert(request->query_count < BJC_SEGMENTS);
    request->query[request->query_count++] = (bjc_text){ text, strlen(text) };
}

static int64_t lifetime(const bjc_registration *r) {
    return bjc_store_integer(r->all->server, r->server_iid, BJC_SERVER_LIFETIME, 86400);
}

/* b= is left out where it would say UDP, the default. */
static bool binding_text(const bjc_registration *r, char *text, size_t size) {
    const bootjack_value *binding = bjc_store_get(r->all->server, r->server_iid, BJC_SERVER_BINDING, 0);
    if (!binding || (binding->as.bytes.length == 1 && binding->as.bytes.data[0] == 'U')) {
        return false;
    }
    snprintf(text, size, "b=%.*s", (int) binding->as.bytes.length, (const char *) binding->as.bytes.data);
    return true;
}

bootjack_error bjc_registration_send_register(bjc_registration *r, const bjc_uri *uri, bjc_completion_fn *completion) {
    const bjc_core *core = r->all->core;
    char endpoint[260], lifetime_text[32], binding[16];
    bjc_request request = { .method = BJC_POST, .content_format = BJC_FORMAT_LINK };
    for (size_t i = 0; i < uri->path_count; i++) {
        request.path[request.path_count++] = uri->path[i];
    }
    request.path[request.path_count++] = (bjc_text){ "rd", 2 };
    snprintf(endpoint, sizeof endpoint, "ep=%s", core->config.endpoint);
    add_query(&request, endpoint);
    r->lifetime_s = lifetime(r);
    snprintf(lifetime_text, sizeof lifetime_text, "lt=%" PRId64, r->lifetime_s);
    add_query(&request, lifetime_text);
    static const char *const releases[] = { "lwm2m=1.0", "lwm2m=1.1", "lwm2m=1.2" };
    add_query(&request, releases[core->config.version - BOOTJACK_LWM2M_1_0]);
    if (binding_text(r, binding, sizeof binding)) {
        add_query(&request, binding);
    }
    for (size_t i = 0; i < uri->query_count && request.query_count < BJC_SEGMENTS; i++) {
        request.query[request.query_count++] = uri->query[i];
    }
    bjc_buffer links;
    bjc_buffer_init(&links, &core->allocator);
    bjc_registration_links(r->all->model, &links);
    request.payload = links.data;
    request.payload_length = links.length;
    bootjack_error error =
        links.failed ? BOOTJACK_ERR_MEMORY : bjc_session_request(r->session, &request, completion, r);
    bjc_buffer_free(&links);
    return error;
}

static void to_location(bjc_request *request, const bjc_registration *r) {
    memcpy(request->path, r->location, sizeof request->path);
    request->path_count = r->location_count;
}

bootjack_error bjc_registration_send_update(bjc_registration *r, bjc_completion_fn *completion) {
    char text[32];
    bjc_request request = { .method = BJC_POST, .content_format = -1 };
    to_location(&request, r);
    /* What a bootstrap session has written so far is not valid yet. */
    if (!r->all->model->in_transaction && lifetime(r) != r->lifetime_s) {
        r->lifetime_s = lifetime(r);
        snprintf(text, sizeof text, "lt=%" PRId64, r->lifetime_s);
        add_query(&request, text);
    }
    return bjc_session_request(r->session, &request, completion, r);
}

bootjack_error bjc_registration_send_leave(bjc_registration *r, bjc_completion_fn *completion) {
    bjc_request request = { .method = BJC_DELETE, .content_format = -1 };
    to_location(&request, r);
    return bjc_session_request(r->session, &request, completion, r);
}
