/* SPDX-License-Identifier: Apache-2.0
 *
 * Bootstrap-Discover (LwM2M Core 1.1 §6.1.7.3): which instances there are, which of them belong to which server.
 */
#include "bootstrap/bootstrap.h"
#include "formats/link.h"

static void account_attributes(const bjc_bootstrap *b, bjc_links *links, uint16_t iid) {
    bool bootstrap = bjc_store_boolean(b->security, iid, BJC_SECURITY_BOOTSTRAP, false);
    const bootjack_value *uri = bjc_store_get(b->security, iid, BJC_SECURITY_URI, 0);
    int64_t ssid = bjc_store_integer(b->security, iid, BJC_SECURITY_SSID, 0);
    if (bootstrap) {
        return;
    }
    if (ssid > 0 && ssid < 65535) {
        bjc_link_number(links, "ssid", (unsigned) ssid);
    }
    if (uri && b->core->config.version >= BOOTJACK_LWM2M_1_1) {
        bjc_link_string(links, "uri", uri->as.bytes.data, uri->as.bytes.length);
    }
}

static void instance_link(const bjc_bootstrap *b, bjc_links *links, const bjc_object *object, uint16_t iid) {
    bjc_path path = { 2, { object->definition->oid, iid } };
    bjc_link_begin(links, &path);
    if (object->definition->oid == 0) {
        account_attributes(b, links, iid);
    } else if (object->definition->oid == 1) {
        int64_t ssid = bjc_store_integer(b->server, iid, BJC_SERVER_SSID, 0);
        if (ssid > 0 && ssid < 65535) {
            bjc_link_number(links, "ssid", (unsigned) ssid);
        }
    }
}

/* The Object itself is shown when it has no instances or a version to tell. */
static void object_links(const bjc_bootstrap *b, bjc_links *links, const bjc_object *object) {
    bjc_path path = { 1, { object->definition->oid } };
    int32_t iid = object->handlers->next_instance(object->context, -1);
    const char *version = bjc_model_version(b->model, object);
    if (iid < 0 || version) {
        bjc_link_begin(links, &path);
    }
    if (version) {
        bjc_link_version(links, b->core->config.version, version);
    }
    for (; iid >= 0; iid = object->handlers->next_instance(object->context, iid)) {
        instance_link(b, links, object, (uint16_t) iid);
    }
}

uint8_t bjc_bootstrap_discover(const bjc_bootstrap *b, const bjc_path *target, bjc_buffer *out) {
    bjc_links links = { .out = out };
    if (target->depth > 1) {
        return BJC_BAD_REQUEST;
    }
    const bjc_object *only = target->depth == 1 ? bjc_model_object(b->model, target->ids[0]) : NULL;
    if (target->depth == 1 && !only) {
        return BJC_NOT_FOUND;
    }
    static const char *const releases[] = { "lwm2m=\"1.0\"", "</>;lwm2m=1.1", "</>;lwm2m=1.2" };
    bjc_link_text(&links, releases[b->core->config.version - BOOTJACK_LWM2M_1_0]);
    for (const bjc_object *object = b->model->objects; object; object = object->next) {
        if (!only || object == only) {
            object_links(b, &links, object);
        }
    }
    return out->failed ? BJC_INTERNAL_ERROR : BJC_CONTENT;
}
