/* SPDX-License-Identifier: Apache-2.0
 *
 * Observations and their deadlines.
 */
#include "reporting/reporting.h"

#include <assert.h>
#include <string.h>

#include "objects/objects.h"

/* RFC 7641 §4.5: at least one Confirmable notification in that time. */
#define CONFIRMATION_PERIOD (24 * 3600 * BJC_SECOND)
#define SERVER_OBJECT       1
#define ACCESS_CONTROL      2
/* How long to wait for memory. */
#define MEMORY_PATIENCE (10 * BJC_SECOND)

static void on_again(void *context) {
    bjc_reporting *reporting = context;
    const bjc_store valid = bjc_store_valid(reporting->server);
    for (const bjc_instance *i = valid.instances; i; i = i->next) {
        bjc_reporting_flush(reporting, (uint16_t) bjc_store_integer(&valid, i->iid, BJC_SERVER_SSID, 0));
    }
}

void bjc_reporting_init(bjc_reporting *reporting) {
    reporting->attributes = (bjc_attributes_table){ .core = reporting->core };
    bjc_timer_init(&reporting->again, on_again, reporting);
}

static void drop(bjc_observation **slot) {
    bjc_observation *o = *slot;
    *slot = o->next;
    bjc_timer_cancel(&o->all->core->scheduler, &o->timer);
    bjc_release(&o->all->core->allocator, o);
}

static void drop_one(bjc_observation *o) {
    bjc_observation **slot = &o->all->list;
    while (*slot != o) {
        slot = &(*slot)->next;
    }
    drop(slot);
}

void bjc_reporting_free(bjc_reporting *reporting) {
    bjc_timer_cancel(&reporting->core->scheduler, &reporting->again);
    bjc_reporting_tell_sendings(reporting);
    bjc_reporting_forget_all(reporting);
    bjc_attributes_free(&reporting->attributes);
}

/* --- deadlines -------------------------------------------------------------------------------------------------- */

static bjc_time earlier(bjc_time a, bjc_time b) {
    return a < b ? a : b;
}

static bjc_time after(bjc_time from, int64_t seconds) {
    return seconds < INT64_MAX / BJC_SECOND / 2 ? from + seconds * BJC_SECOND : BJC_TIME_NEVER;
}

/* RFC 7641 §4.5.2: one notification of an observation at a time, so that a Reset to it leaves none behind it; what is
 * due meanwhile is kept where the server wants that, or waits. */
static bool held_up(const bjc_observation *o) {
    const bjc_session *session = o->all->session(o->all->context, o->ssid);
    return session && (bjc_session_unsettled(session) >= BJC_UNSETTLED_MAX ||
                       (bjc_session_notifies(session, o->id) && !bjc_reporting_stores(o->all, o->ssid)));
}

static bjc_time next_deadline(const bjc_observation *o, const bjc_attributes *a) {
    bjc_time next = BJC_TIME_NEVER;
    if (o->changed && !o->due) {
        next = after(o->looked_at, a->epmin_s);
    }
    if ((a->present & BJC_EPMAX) && !o->due) {
        next = earlier(next, after(o->looked_at, a->epmax_s));
    }
    if (held_up(o)) {
        return next; /* settling one of them comes back here */
    }
    if (o->due) {
        next = earlier(next, after(o->reported_at, o->ended ? 0 : a->pmin_s));
    }
    if (a->present & BJC_PMAX) {
        next = earlier(next, after(o->reported_at, a->pmax_s));
    }
    return next;
}

static void arm(bjc_observation *o) {
    bjc_attributes attributes = bjc_observation_attributes(o);
    bjc_time next = next_deadline(o, &attributes);
    if (next == BJC_TIME_NEVER) {
        bjc_timer_cancel(&o->all->core->scheduler, &o->timer);
    } else {
        bjc_timer_arm(&o->all->core->scheduler, &o->timer, next - bjc_now());
    }
}

/* --- looking and telling ---------------------------------------------------------------------------------------- */

static bool instance_readable(void *context, uint16_t oid, uint16_t iid) {
    const bjc_observation *o = context;
    return o->all->may_read(o->all->context, o->ssid, oid, iid);
}

static bootjack_error read_now(bjc_observation *o, bjc_buffer *out) {
    const bjc_readable readable = { instance_readable, o };
    const bjc_format *format = bjc_format_find(o->format);
    return bjc_model_read_paths(o->all->model, o->paths, o->path_count, o->composite, format, &readable, out);
}

static bool confirmable(const bjc_observation *o, const bjc_attributes *attributes, bjc_time now) {
    bool asked_not = (attributes->present & BJC_CON) && !attributes->con;
    return !asked_not || now - o->confirmed_at >= CONFIRMATION_PERIOD;
}

static void send(bjc_observation *o, bjc_notification *notification) {
    bjc_reporting *all = o->all;
    bjc_session *session = all->session(all->context, o->ssid);
    memcpy(notification->token, o->token, sizeof o->token);
    notification->token_length = o->token_length;
    notification->id = o->id;
    notification->sequence = ++o->sequence;
    bool stored_first = false; /* those that wait go first */
    for (const bjc_stored *s = all->stored; s && !stored_first; s = s->next) {
        stored_first = s->ssid == o->ssid;
    }
    bool waits = session && bjc_session_notifies(session, o->id) && bjc_reporting_stores(all, o->ssid);
    bool tried = session && !stored_first && !waits;
    if (!tried || bjc_session_notify(session, notification)) {
        notification->confirmable = true;
        bjc_reporting_store(all, o->ssid, notification);
        if (tried) {
            bjc_reporting_flush_later(all);
        }
    }
}

/* RFC 7641 §4.2: what cannot be read any more is told with its error, and that is the end of the observation. */
static void end_with(bjc_observation *o, bootjack_error error) {
    uint8_t code = error == BOOTJACK_ERR_NOT_FOUND        ? BJC_NOT_FOUND
                   : error == BOOTJACK_ERR_UNAUTHORIZED   ? BJC_UNAUTHORIZED
                   : error == BOOTJACK_ERR_METHOD         ? BJC_NOT_ALLOWED
                   : error == BOOTJACK_ERR_NOT_ACCEPTABLE ? BJC_NOT_ACCEPTABLE
                                                          : BJC_INTERNAL_ERROR;
    bjc_notification notification = { .code = code, .confirmable = true, .content_format = -1 };
    send(o, &notification);
    drop_one(o);
}

static void report(bjc_observation *o, const bjc_attributes *attributes, const bjc_buffer *payload, uint64_t digest,
                   double number) {
    bjc_time now = bjc_now();
    bjc_notification notification = { .code = BJC_CONTENT,
                                      .observed = true,
                                      .confirmable = confirmable(o, attributes, now),
                                      .content_format = o->format,
                                      .payload = payload->data,
                                      .payload_length = payload->length };
    o->digest = digest;
    o->number = number;
    o->reported_at = now;
    o->confirmed_at = notification.confirmable ? now : o->confirmed_at;
    o->due = o->changed = false;
    send(o, &notification);
}

/* Looks at the value; tells it when that is due. */
static void look(bjc_observation *o, const bjc_buffer *payload) {
    bjc_attributes a = bjc_observation_attributes(o);
    bjc_time now = bjc_now();
    double number = 0;
    bool is_number = bjc_observation_number(o, &number);
    uint64_t digest = bjc_digest(payload->data, payload->length);
    bool look_due = (o->changed && now >= after(o->looked_at, a.epmin_s)) ||
                    ((a.present & BJC_EPMAX) && now >= after(o->looked_at, a.epmax_s));
    if (look_due) {
        o->changed = false;
        o->looked_at = now;
        o->due = o->due || bjc_condition_met(&a, o, digest, number, is_number);
    }
    bool least = o->due && now >= after(o->reported_at, a.pmin_s);
    bool most = (a.present & BJC_PMAX) && now >= after(o->reported_at, a.pmax_s);
    if ((least || most) && !held_up(o)) {
        report(o, &a, payload, digest, number);
    }
    arm(o);
}

static void on_timer(void *context) {
    bjc_observation *o = context;
    bjc_buffer payload;
    if (o->all->model->in_transaction) {
        o->changed = true; /* what a bootstrap writes does not count before its end */
        return;
    }
    bjc_buffer_init(&payload, &o->all->core->allocator);
    bootjack_error error = o->ended ? o->ended : read_now(o, &payload);
    if (error == BOOTJACK_ERR_MEMORY) {
        o->changed = true;
        bjc_timer_arm(&o->all->core->scheduler, &o->timer, MEMORY_PATIENCE);
    } else if (error && held_up(o)) {
        o->ended = error;
        o->due = true;
        arm(o);
    } else if (error) {
        end_with(o, error);
    } else {
        look(o, &payload);
    }
    bjc_buffer_free(&payload);
}

/* --- beginning and ending --------------------------------------------------------------------------------------- */

static bool has_token(const bjc_observation *o, uint16_t ssid, const uint8_t *token, size_t length) {
    return o->ssid == ssid && o->token_length == length && memcmp(o->token, token, length) == 0;
}

static bjc_observation *make(bjc_reporting *reporting, const bjc_observe *observe, uint32_t sequence) {
    size_t paths = observe->path_count * sizeof *observe->paths;
    bjc_observation *o = bjc_allocate(&reporting->core->allocator, sizeof *o + paths);
    if (!o) {
        return NULL;
    }
    *o = (bjc_observation){ .all = reporting,
                            .id = ++reporting->next_id,
                            .ssid = observe->ssid,
                            .token_length = observe->token_length,
                            .composite = observe->composite,
                            .format = observe->format,
                            .own = observe->own,
                            .sequence = sequence,
                            .path_count = observe->path_count };
    memcpy(o->token, observe->token, observe->token_length);
    memcpy(o->paths, observe->paths, paths);
    bjc_timer_init(&o->timer, on_timer, o);
    o->next = reporting->list;
    reporting->list = o;
    return o;
}

bootjack_error bjc_reporting_observe(bjc_reporting *reporting, const bjc_observe *observe, const bjc_buffer *first,
                                     uint32_t *sequence) {
    unsigned count = 0;
    assert(observe->token_length <= BJC_TOKEN_MAX);
    *sequence = 1;
    for (bjc_observation **slot = &reporting->list; *slot;) {
        if (has_token(*slot, observe->ssid, observe->token, observe->token_length)) {
            *sequence = (*slot)->sequence + 1;
            drop(slot);
        } else {
            count += (*slot)->ssid == observe->ssid;
            slot = &(*slot)->next;
        }
    }
    if (count >= BJC_OBSERVATIONS_MAX) {
        bjc_log(reporting->core, BOOTJACK_LOG_WARNING, "server %u: too many observations", observe->ssid);
        return BOOTJACK_ERR_LIMIT;
    }
    bjc_reporting_discard_end(reporting, observe->ssid, observe->token, observe->token_length);
    bjc_observation *o = make(reporting, observe, *sequence);
    if (!o) {
        return BOOTJACK_ERR_MEMORY;
    }
    o->reported_at = o->looked_at = o->confirmed_at = bjc_now();
    o->digest = bjc_digest(first->data, first->length);
    bjc_observation_number(o, &o->number);
    arm(o);
    return BOOTJACK_OK;
}

bool bjc_reporting_cancel(bjc_reporting *reporting, uint16_t ssid, const uint8_t *token, size_t token_length) {
    for (bjc_observation **slot = &reporting->list; *slot; slot = &(*slot)->next) {
        if (has_token(*slot, ssid, token, token_length)) {
            bjc_reporting_discard(reporting, ssid, (*slot)->id);
            drop(slot);
            return true;
        }
    }
    return false;
}

static void forget_observations(bjc_reporting *reporting, uint16_t ssid) {
    for (bjc_observation **slot = &reporting->list; *slot;) {
        if ((*slot)->ssid == ssid) {
            drop(slot);
        } else {
            slot = &(*slot)->next;
        }
    }
}

void bjc_reporting_forget_server(bjc_reporting *reporting, uint16_t ssid) {
    forget_observations(reporting, ssid);
    bjc_reporting_discard(reporting, ssid, 0);
    bjc_attributes_forget_server(&reporting->attributes, ssid);
}

void bjc_reporting_forget_all(bjc_reporting *reporting) {
    while (reporting->list) {
        drop(&reporting->list);
    }
    while (reporting->stored) {
        bjc_reporting_discard(reporting, reporting->stored->ssid, 0);
    }
}

/* --- what happens outside --------------------------------------------------------------------------------------- */

static bool concerns(const bjc_observation *o, const bjc_path *path) {
    bool found = false;
    for (size_t i = 0; i < o->path_count && !found; i++) {
        found = bjc_path_inside(path, &o->paths[i]) || bjc_path_inside(&o->paths[i], path);
    }
    return found;
}

void bjc_reporting_changed(bjc_reporting *reporting, const bjc_path *path) {
    for (bjc_observation *o = reporting->list; o; o = o->next) {
        if (concerns(o, path) || path->ids[0] == ACCESS_CONTROL) { /* which says what may still be read */
            o->changed = true;
            arm(o);
        } else if (path->ids[0] == SERVER_OBJECT) { /* which has the default periods */
            arm(o);
        }
    }
}

void bjc_reporting_instances_changed(bjc_reporting *reporting) {
    static const bjc_path everything;
    const bjc_attributes_entry *entry = reporting->attributes.list;
    while (entry) {
        const bjc_object *object = bjc_model_object(reporting->model, entry->path.ids[0]);
        bool there = entry->path.depth < 2 || (object && bjc_model_has_instance(object, entry->path.ids[1]));
        bjc_path gone = { 2, { entry->path.ids[0], entry->path.ids[1] } };
        entry = entry->next;
        if (!there) {
            bjc_attributes_forget_path(&reporting->attributes, &gone);
            entry = reporting->attributes.list;
        }
    }
    bjc_reporting_changed(reporting, &everything);
}

void bjc_reporting_reconsider(bjc_reporting *reporting, uint16_t ssid) {
    for (bjc_observation *o = reporting->list; o; o = o->next) {
        if (o->ssid == ssid) {
            arm(o);
        }
    }
}

static bjc_observation *with_id(const bjc_reporting *reporting, uint32_t id) {
    bjc_observation *o = reporting->list;
    while (o && o->id != id) {
        o = o->next;
    }
    return o;
}

/* What was not delivered is kept for an observation that goes on, and when it said that one is over: unless its token
 * stands for another now, which that would end at the server. */
static bool still_counts(const bjc_reporting *reporting, uint16_t ssid, const bjc_notification *notification) {
    bool taken = false;
    for (const bjc_observation *o = reporting->list; o && !taken; o = o->next) {
        taken = has_token(o, ssid, notification->token, notification->token_length);
    }
    return with_id(reporting, notification->id) || (notification->code != BJC_CONTENT && !taken);
}

void bjc_reporting_notified(bjc_reporting *reporting, uint16_t ssid, bjc_outcome outcome,
                            const bjc_notification *notification) {
    bjc_observation *o = with_id(reporting, notification->id);
    if (outcome == BJC_RESET) {
        bjc_log(reporting->core, BOOTJACK_LOG_INFO, "server %u cancels an observation with RST", ssid);
        bjc_reporting_discard(reporting, ssid, notification->id); /* it may be that of an earlier registration */
        if (o) {
            drop_one(o);
        }
        bjc_reporting_flush(reporting, ssid);
    } else if (outcome != BJC_RESPONSE) {
        bjc_log(reporting->core, BOOTJACK_LOG_WARNING, "server %u: notification not delivered: %s", ssid,
                bjc_outcome_text(outcome));
        if (still_counts(reporting, ssid, notification)) {
            bjc_reporting_store(reporting, ssid, notification);
        }
        if (outcome == BJC_TIMEOUT || outcome == BJC_UNREACHABLE) {
            reporting->undelivered(reporting->context, ssid);
        }
    } else {
        bjc_reporting_flush(reporting, ssid);
    }
    bjc_reporting_reconsider(reporting, ssid);
}

void bjc_reporting_registered(bjc_reporting *reporting, uint16_t ssid, bool anew) {
    bjc_reporting_flush(reporting, ssid);
    if (anew) {
        forget_observations(reporting, ssid);
    } else {
        bjc_reporting_reconsider(reporting, ssid);
    }
}

void bjc_reporting_unregistered(bjc_reporting *reporting, uint16_t ssid) {
    if (bjc_reporting_stores(reporting, ssid)) {
        for (bjc_observation *o = reporting->list; o; o = o->next) {
            o->over = o->over || o->ssid == ssid;
        }
        return;
    }
    forget_observations(reporting, ssid);
    bjc_reporting_discard(reporting, ssid, 0);
}
