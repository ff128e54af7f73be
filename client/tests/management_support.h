/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of management and reporting share: a client's model with its management, without a network; requests
 * written as texts.
 */
#ifndef BJC_TESTS_MANAGEMENT_SUPPORT_H
#define BJC_TESTS_MANAGEMENT_SUPPORT_H

#include "management/management.h"
#include "model/path.h"
#include "support.h"

typedef struct managed {
    furnished f;
    bjc_reporting reporting;
    bjc_management management;
    unsigned changes, instance_changes;
    bjc_reply reply; /* of the last request */
} managed;

static inline bjc_session *no_session(void *context, uint16_t ssid) {
    (void) context;
    (void) ssid;
    return NULL;
}

static inline bool may_read_by_access(void *context, uint16_t ssid, uint16_t oid, uint16_t iid) {
    const managed *m = context;
    return bjc_access_allowed(&m->f.model, ssid, oid, iid, BJC_RIGHT_READ);
}

static inline void nothing_to_do(void *context, uint16_t ssid) {
    (void) context;
    (void) ssid;
}

static inline void count_change(void *context, const bjc_path *path) {
    managed *m = context;
    (void) path;
    m->changes++;
}

static inline void count_instance_change(void *context) {
    managed *m = context;
    m->instance_changes++;
}

static inline void manage_start(managed *m, bootjack_version release) {
    memset(m, 0, sizeof *m);
    furnish(&m->f);
    m->f.core.config.version = release;
    m->reporting = (bjc_reporting){ .core = &m->f.core,
                                    .model = &m->f.model,
                                    .server = &m->f.server,
                                    .session = no_session,
                                    .may_read = may_read_by_access,
                                    .undelivered = nothing_to_do,
                                    .context = m };
    bjc_reporting_init(&m->reporting);
    m->management = (bjc_management){ .model = &m->f.model,
                                      .reporting = &m->reporting,
                                      .changed = count_change,
                                      .instances_changed = count_instance_change,
                                      .context = m };
    bootjack_server_instance server = { .ssid = 1, .lifetime_s = 86400, .notification_storing = true };
    uint16_t iid = 0;
    assert_int_equal(bjc_server_add(&m->f.server, &server, &iid), BOOTJACK_OK);
}

static inline void manage_stop(managed *m) {
    bjc_buffer_free(&m->reply.payload);
    bjc_reporting_free(&m->reporting);
    unfurnish(&m->f);
}

/* "/3/0" and "pmin=1&pmax=2" to parts; they point into the texts. */
static inline size_t cut(const char *text, char mark, bjc_text *parts) {
    size_t count = 0;
    while (*text) {
        size_t length = strcspn(text, (char[]){ mark, '\0' });
        if (length) {
            parts[count++] = (bjc_text){ text, length };
        }
        text += length + (text[length] == mark);
    }
    return count;
}

typedef struct asked {
    uint8_t method;
    const char *path, *query;
    int format, accept, observe; /* -1 = none */
    const char *text, *hex;      /* payload, one or none of them */
    uint8_t token;
} asked;

/* The code of the answer as decimal digits: 204. */
static inline unsigned ask(managed *m, uint16_t ssid, asked a) {
    uint8_t bytes[512];
    bjc_incoming request = { .method = a.method,
                             .content_format = a.format,
                             .accept = a.accept,
                             .observe = a.observe,
                             .token = { 1, 2, a.token },
                             .token_length = 3 };
    request.path_count = cut(a.path, '/', request.path);
    request.query_count = a.query ? cut(a.query, '&', request.query) : 0;
    if (a.hex) {
        request.payload_length = from_hex(a.hex, bytes);
        request.payload = bytes;
    } else if (a.text) {
        request.payload = (const uint8_t *) a.text;
        request.payload_length = strlen(a.text);
    }
    bjc_buffer_free(&m->reply.payload);
    m->reply = (bjc_reply){ .content_format = -1 };
    bjc_buffer_init(&m->reply.payload, &m->f.core.allocator);
    bjc_manage(&m->management, ssid, &request, &m->reply);
    return m->reply.code / 32u * 100 + m->reply.code % 32u;
}

/* Requests without the fields that do not matter. */
static inline asked to(uint8_t method, const char *path) {
    return (asked){ .method = method, .path = path, .format = -1, .accept = -1, .observe = -1 };
}

static inline asked with_text(uint8_t method, const char *path, int format, const char *text) {
    asked a = to(method, path);
    a.format = format;
    a.text = text;
    return a;
}

static inline asked with_query(uint8_t method, const char *path, const char *query) {
    asked a = to(method, path);
    a.query = query;
    return a;
}

static inline asked accepting(const char *path, int accept) {
    asked a = to(BJC_GET, path);
    a.accept = accept;
    return a;
}

static inline void assert_answer(const managed *m, const char *text) {
    if (m->reply.payload.length != strlen(text)) {
        fail_msg("%.*s in place of %s", (int) m->reply.payload.length, (const char *) m->reply.payload.data, text);
    }
    assert_memory_equal(m->reply.payload.data, text, strlen(text));
}

#endif
