/* SPDX-License-Identifier: Apache-2.0
 *
 * Register, Update, De-register as they go on the wire (LwM2M Transport 1.1 §6.4.3).
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "formats/link.h"
#include "registration/internal.h"

static void object_links(const bjc_model *model, bjc_links *links, const bjc_object *object) {
    bjc_path path = { 1, { object->definition->oid } };
    int32_t iid = object->handlers->next_instance(object->context, -1);
    const char *version = bjc_model_version(model, object);
    if (iid < 0 || version) {
        bjc_link_begin(links, &path);
    }
    if (version) {
        bjc_link_version(links, model->core->config.version, version);
    }
    for (; iid >= 0; iid = object->handlers->next_instance(object->context, iid)) {
        path = (bjc_path){ 2, { object->definition->oid, (uint16_t) iid } };
        bjc_link_begin(links, &path);
    }
}

/* /0 and /21 are never told to a server. */
void bjc_registration_links(const bjc_model *model, bootjack_version version, bjc_buffer *out) {
    bjc_links links = { .out = out };
    /* TS 1.0 §5.3.1: a client that has the JSON says so; TLV every server of that release has. */
    bjc_link_text(&links,
                  version >= BOOTJACK_LWM2M_1_1 ? "</>;rt=\"oma.lwm2m\";ct=11542" : "</>;rt=\"oma.lwm2m\";ct=11543");
    for (const bjc_object *object = model->objects; object; object = object->next) {
        if (object->definition->oid != 0 && object->definition->oid != 21) {
            object_links(model, &links, object);
        }
    }
}

/* --- what the parameters say ------------------------------------------------------------------------------------ */

static int64_t lifetime(const bjc_registration *r) {
    return bjc_store_integer(r->all->server, r->server_iid, BJC_SERVER_LIFETIME, 86400);
}

static void append(char text[BJC_BINDING_TEXT], char letter) {
    size_t length = strlen(text);
    if (length + 1 < BJC_BINDING_TEXT) {
        text[length] = letter;
        text[length + 1] = '\0';
    }
}

/* TS 1.0 §5.3.1.1 has no transport but UDP and SMS, and says the queue mode behind UDP. */
void bjc_registration_binding(const bjc_registration *r, char text[BJC_BINDING_TEXT]) {
    const bootjack_value *binding = bjc_store_get(r->all->server, r->server_iid, BJC_SERVER_BINDING, 0);
    bool old = r->version < BOOTJACK_LWM2M_1_1;
    text[0] = '\0';
    for (size_t i = 0; binding && i < binding->as.bytes.length; i++) {
        char letter = (char) binding->as.bytes.data[i];
        if (letter != 'Q' && (!old || letter == 'U' || letter == 'S')) {
            append(text, letter);
        }
        if (old && letter == 'U' && bjc_registration_queue_mode(r)) {
            append(text, 'Q');
        }
    }
    if (strcmp(text, "U") == 0) {
        text[0] = '\0';
    }
}

static uint64_t links_mark(const bjc_buffer *links) {
    return bjc_fingerprint(BJC_FINGERPRINT, links->data, links->length);
}

/* False: no memory for the list. */
static bool present_links(const bjc_registration *r, bjc_buffer *links) {
    bjc_buffer_init(links, &r->all->core->allocator);
    bjc_registration_links(r->all->model, r->version, links);
    return !links->failed;
}

bool bjc_registration_links_changed(const bjc_registration *r) {
    bjc_buffer links;
    bool changed = present_links(r, &links) && links_mark(&links) != r->links;
    bjc_buffer_free(&links);
    return changed;
}

bool bjc_registration_settings_changed(const bjc_registration *r) {
    char binding[BJC_BINDING_TEXT];
    bjc_registration_binding(r, binding);
    return lifetime(r) != r->lifetime_s || strcmp(binding, r->binding) != 0;
}

/* --- putting the messages together ------------------------------------------------------------------------------ */

typedef struct parts {
    bjc_request request;
    char endpoint[260], lifetime[32], binding[BJC_BINDING_TEXT + 2];
    bjc_buffer links;
} parts;

static void add_query(bjc_request *request, const char *text) {
    assert(request->query_count < BJC_SEGMENTS);
    request->query[request->query_count++] = (bjc_text){ text, strlen(text) };
}

static void say_lifetime(bjc_registration *r, parts *p) {
    r->lifetime_s = lifetime(r);
    snprintf(p->lifetime, sizeof p->lifetime, "lt=%" PRId64, r->lifetime_s);
    add_query(&p->request, p->lifetime);
}

/* `default_too`: UDP is said, too, because something else was said before. */
static void say_binding(bjc_registration *r, parts *p, bool default_too) {
    bjc_registration_binding(r, r->binding);
    if (r->binding[0] || default_too) {
        snprintf(p->binding, sizeof p->binding, "b=%s", r->binding[0] ? r->binding : "U");
        add_query(&p->request, p->binding);
    }
    if (r->queue && r->version >= BOOTJACK_LWM2M_1_1) {
        add_query(&p->request, "Q");
    }
}

static void say_links(bjc_registration *r, parts *p) {
    p->request.content_format = BJC_FORMAT_LINK;
    p->request.payload = p->links.data;
    p->request.payload_length = p->links.length;
    r->links = links_mark(&p->links);
}

static bootjack_error send_parts(bjc_registration *r, parts *p, bjc_completion_fn *completion) {
    bootjack_error error = bjc_session_request(r->session, &p->request, completion, r);
    r->asked_at = bjc_now();
    bjc_buffer_free(&p->links);
    return error;
}

bootjack_error bjc_registration_send_register(bjc_registration *r, const bjc_uri *uri, bjc_completion_fn *completion) {
    static const char *const releases[] = { "lwm2m=1.0", "lwm2m=1.1", "lwm2m=1.2" };
    parts p = { .request = { .method = BJC_POST } };
    for (size_t i = 0; i < uri->path_count; i++) {
        p.request.path[p.request.path_count++] = uri->path[i];
    }
    p.request.path[p.request.path_count++] = (bjc_text){ "rd", 2 };
    if (!present_links(r, &p.links)) {
        bjc_buffer_free(&p.links);
        return BOOTJACK_ERR_MEMORY;
    }
    snprintf(p.endpoint, sizeof p.endpoint, "ep=%s", r->all->core->config.endpoint);
    add_query(&p.request, p.endpoint);
    say_lifetime(r, &p);
    add_query(&p.request, releases[r->version - BOOTJACK_LWM2M_1_0]);
    say_binding(r, &p, false);
    assert(p.request.query_count + uri->query_count <= BJC_SEGMENTS);
    for (size_t i = 0; i < uri->query_count; i++) {
        p.request.query[p.request.query_count++] = uri->query[i];
    }
    say_links(r, &p);
    return send_parts(r, &p, completion);
}

static void to_location(bjc_request *request, const bjc_registration *r) {
    memcpy(request->path, r->location, sizeof request->path);
    request->path_count = r->location_count;
}

/* What the server knows otherwise, and nothing else (LwM2M Core 1.1 §6.2.2). */
static void say_changes(bjc_registration *r, parts *p) {
    char binding[BJC_BINDING_TEXT];
    if (lifetime(r) != r->lifetime_s) {
        say_lifetime(r, p);
    }
    bjc_registration_binding(r, binding);
    if (strcmp(binding, r->binding) != 0) {
        say_binding(r, p, true);
    }
    if (present_links(r, &p->links) && links_mark(&p->links) != r->links) {
        say_links(r, p);
    }
}

bootjack_error bjc_registration_send_update(bjc_registration *r, bjc_completion_fn *completion) {
    parts p = { .request = { .method = BJC_POST, .content_format = -1 } };
    bjc_buffer_init(&p.links, &r->all->core->allocator);
    to_location(&p.request, r);
    /* What a bootstrap session has written so far is not valid yet. */
    if (!r->all->model->in_transaction) {
        say_changes(r, &p);
    }
    return send_parts(r, &p, completion);
}

bootjack_error bjc_registration_send_leave(bjc_registration *r, bjc_completion_fn *completion) {
    bjc_request request = { .method = BJC_DELETE, .content_format = -1 };
    to_location(&request, r);
    return bjc_session_request(r->session, &request, completion, r);
}
