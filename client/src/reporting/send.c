/* SPDX-License-Identifier: Apache-2.0
 *
 * Send.
 */
#include "reporting/send.h"

#include <string.h>

#include "model/path.h"
#include "objects/objects.h"

#define MUTE_SEND 23

/* Who is to be told of one Send's end. */
typedef struct bjc_sending {
    struct bjc_sending *next; /* among those that have ended */
    bjc_reporting *reporting;
    uint16_t ssid;
    bootjack_send_result *done;
    void *context;
    bootjack_error result;
    bjc_timer told;
} sending;

typedef struct filter {
    bjc_reporting *reporting;
    uint16_t ssid;
} filter;

static bool readable(void *context, uint16_t oid, uint16_t iid) {
    const filter *f = context;
    return f->reporting->may_read(f->reporting->context, f->ssid, oid, iid);
}

/* Rule: /1/x/23 must be there and false (Appendix E.2). */
static bool muted(const bjc_reporting *reporting, uint16_t ssid) {
    for (const bjc_instance *i = reporting->server->instances; i; i = i->next) {
        if (bjc_store_integer(reporting->server, i->iid, BJC_SERVER_SSID, 0) == ssid) {
            return bjc_store_boolean(reporting->server, i->iid, MUTE_SEND, true);
        }
    }
    return true;
}

/* SenML CBOR, or what the client prefers of the formats that name several paths. */
static const bjc_format *format_of(const bjc_core *core) {
    const bjc_format *format = bjc_format_of_release(core->config.preferred_format, core->config.version);
    return format && format->least_shown == 0 ? format : bjc_format_find(BJC_FORMAT_SENML_CBOR);
}

size_t bjc_send_paths(const bootjack_path *from, size_t count, bjc_path *to) {
    size_t taken = 0;
    for (size_t i = 0; i < count; i++) {
        if (from[i].depth < 1 || from[i].depth > 4 || from[i].ids[0] == 0 || from[i].ids[0] == 21 ||
            from[i].ids[0] == 23) {
            return 0;
        }
        bjc_path path = { .depth = from[i].depth };
        memcpy(path.ids, from[i].ids, sizeof path.ids);
        (void) bjc_paths_add(to, &taken, count, &path); /* no more than there were */
    }
    return taken;
}

static void tell(void *context) {
    sending *s = context, **slot = &s->reporting->sendings, ended = *s;
    while (*slot != s) {
        slot = &(*slot)->next;
    }
    *slot = s->next;
    bjc_timer_cancel(&s->reporting->core->scheduler, &s->told);
    bjc_release(&s->reporting->core->allocator, s);
    if (ended.done) {
        ended.done(ended.context, ended.ssid, ended.result);
    }
}

void bjc_reporting_tell_sendings(bjc_reporting *reporting) {
    while (reporting->sendings) {
        tell(reporting->sendings);
    }
}

/* The session may be about to close, and the application may do what it likes: it is told when this is over. */
static void on_completed(void *context, const bjc_completion *completion) {
    sending *s = context;
    const bjc_core *core = s->reporting->core;
    s->result = BOOTJACK_ERR_NETWORK;
    if (completion->outcome == BJC_RESPONSE) {
        s->result = completion->code == BJC_CHANGED ? BOOTJACK_OK : BOOTJACK_ERR_STATE;
    }
    bjc_log(core, s->result ? BOOTJACK_LOG_WARNING : BOOTJACK_LOG_INFO, "server %u: Send: %s", s->ssid,
            s->result ? bjc_outcome_text(completion->outcome) : "taken");
    s->next = s->reporting->sendings;
    s->reporting->sendings = s;
    bjc_timer_arm(&s->reporting->core->scheduler, &s->told, 0);
}

static bootjack_error post(bjc_reporting *reporting, bjc_session *session, const bjc_format *format,
                           const bjc_buffer *payload, const sending *end) {
    sending *s = bjc_allocate(&reporting->core->allocator, sizeof *s);
    if (!s) {
        return BOOTJACK_ERR_MEMORY;
    }
    *s = *end;
    bjc_timer_init(&s->told, tell, s);
    const bjc_request request = { .method = BJC_POST,
                                  .path = { { "dp", 2 } },
                                  .path_count = 1,
                                  .content_format = format->number,
                                  .payload = payload->data,
                                  .payload_length = payload->length };
    bootjack_error error = bjc_session_request_beside(session, &request, on_completed, s);
    if (error) {
        bjc_release(&reporting->core->allocator, s);
    }
    return error;
}

/* Whether a composite payload holds nothing: an empty list or map. */
static bool is_empty(const bjc_format *format, const bjc_buffer *payload) {
    return payload->length <= (format->number == BJC_FORMAT_SENML_JSON ? 2u : 1u);
}

bootjack_error bjc_send(bjc_reporting *reporting, uint16_t ssid, const bootjack_path *paths, size_t count,
                        bootjack_send_result *done, void *context) {
    bjc_path wanted[BJC_SEND_PATHS];
    filter f = { reporting, ssid };
    const bjc_readable shown = { readable, &f };
    const sending end = { .reporting = reporting, .ssid = ssid, .done = done, .context = context };
    bjc_session *session = reporting->session(reporting->context, ssid);
    if (reporting->core->config.version < BOOTJACK_LWM2M_1_1) {
        return BOOTJACK_ERR_UNSUPPORTED;
    }
    count = count <= BJC_SEND_PATHS ? bjc_send_paths(paths, count, wanted) : 0;
    if (count == 0) {
        return BOOTJACK_ERR_ARGUMENT;
    }
    if (!session || reporting->model->in_transaction) {
        return BOOTJACK_ERR_STATE;
    }
    if (muted(reporting, ssid)) {
        return BOOTJACK_ERR_UNAUTHORIZED;
    }
    const bjc_format *format = format_of(reporting->core);
    bjc_buffer payload;
    bjc_buffer_init(&payload, &reporting->core->allocator);
    bootjack_error error = bjc_model_read_paths(reporting->model, wanted, count, true, format, &shown, &payload);
    if (!error) {
        error = is_empty(format, &payload) ? BOOTJACK_ERR_NOT_FOUND : post(reporting, session, format, &payload, &end);
    }
    bjc_buffer_free(&payload);
    return error;
}
