/* SPDX-License-Identifier: Apache-2.0
 *
 * Notifications that could not be sent: kept where /1/x/6 says so (LwM2M Core 1.1 Appendix E.2), in their order.
 */
#include <string.h>

#include "objects/objects.h"
#include "reporting/reporting.h"

#define STORING 6
/* How long to wait for memory. */
#define MEMORY_PATIENCE (10 * BJC_SECOND)

bool bjc_reporting_stores(const bjc_reporting *reporting, uint16_t ssid) {
    const bjc_store valid = bjc_store_valid(reporting->server);
    for (const bjc_instance *i = valid.instances; i; i = i->next) {
        if (bjc_store_integer(&valid, i->iid, BJC_SERVER_SSID, 0) == ssid) {
            return bjc_store_boolean(&valid, i->iid, STORING, true);
        }
    }
    return false;
}

static void drop(bjc_reporting *reporting, bjc_stored **slot) {
    bjc_stored *stored = *slot;
    *slot = stored->next;
    bjc_release(&reporting->core->allocator, stored);
}

void bjc_reporting_discard(bjc_reporting *reporting, uint16_t ssid, uint32_t id) {
    for (bjc_stored **slot = &reporting->stored; *slot;) {
        bool gone = (*slot)->ssid == ssid && (id == 0 || (*slot)->notification.id == id);
        if (gone) {
            drop(reporting, slot);
        } else {
            slot = &(*slot)->next;
        }
    }
}

void bjc_reporting_discard_end(bjc_reporting *reporting, uint16_t ssid, const uint8_t *token, size_t token_length) {
    for (bjc_stored **slot = &reporting->stored; *slot;) {
        const bjc_notification *n = &(*slot)->notification;
        if ((*slot)->ssid == ssid && n->code != BJC_CONTENT && n->token_length == token_length &&
            memcmp(n->token, token, token_length) == 0) {
            drop(reporting, slot);
        } else {
            slot = &(*slot)->next;
        }
    }
}

/* The place behind the last one of the server; one that comes back undelivered is older than those. */
static bjc_stored **place_of(bjc_reporting *reporting, uint16_t ssid, const bjc_notification *notification) {
    bjc_stored **slot = &reporting->stored;
    while (*slot && !((*slot)->ssid == ssid && (*slot)->notification.id == notification->id &&
                      (*slot)->notification.sequence > notification->sequence)) {
        slot = &(*slot)->next;
    }
    return slot;
}

static void make_room(bjc_reporting *reporting, uint16_t ssid) {
    bjc_stored **oldest = NULL;
    unsigned count = 0;
    for (bjc_stored **slot = &reporting->stored; *slot; slot = &(*slot)->next) {
        if ((*slot)->ssid == ssid) {
            oldest = oldest ? oldest : slot;
            count++;
        }
    }
    if (count >= BJC_STORED_MAX) {
        bjc_log(reporting->core, BOOTJACK_LOG_WARNING, "server %u: a stored notification gives way", ssid);
        drop(reporting, oldest);
    }
}

void bjc_reporting_store(bjc_reporting *reporting, uint16_t ssid, const bjc_notification *notification) {
    if (!bjc_reporting_stores(reporting, ssid)) {
        bjc_log(reporting->core, BOOTJACK_LOG_INFO, "server %u: a notification is discarded", ssid);
        return;
    }
    make_room(reporting, ssid);
    bjc_stored *stored = bjc_allocate(&reporting->core->allocator, sizeof *stored + notification->payload_length);
    if (!stored) {
        bjc_log(reporting->core, BOOTJACK_LOG_ERROR, "server %u: no memory for a notification", ssid);
        return;
    }
    stored->ssid = ssid;
    stored->notification = *notification;
    if (notification->payload_length) {
        memcpy(stored->payload, notification->payload, notification->payload_length);
    }
    stored->notification.payload = stored->payload;
    bjc_stored **slot = place_of(reporting, ssid, notification);
    stored->next = *slot;
    *slot = stored;
    bjc_log(reporting->core, BOOTJACK_LOG_INFO, "server %u: a notification is stored", ssid);
}

/* Of one observation one at a time: a Reset to it cancels those behind it (RFC 7641 §3.6). */
void bjc_reporting_flush(bjc_reporting *reporting, uint16_t ssid) {
    bjc_session *session = reporting->session(reporting->context, ssid);
    for (bjc_stored **slot = &reporting->stored; *slot && session;) {
        if ((*slot)->ssid != ssid || bjc_session_notifies(session, (*slot)->notification.id)) {
            slot = &(*slot)->next;
            continue;
        }
        if (bjc_session_unsettled(session) >= BJC_UNSETTLED_MAX) {
            return; /* the rest follows when these are settled */
        }
        if (bjc_session_notify(session, &(*slot)->notification)) {
            bjc_reporting_flush_later(reporting); /* there may be none on the way whose end would come back here */
            return;
        }
        drop(reporting, slot);
    }
}

void bjc_reporting_flush_later(bjc_reporting *reporting) {
    bjc_timer_arm(&reporting->core->scheduler, &reporting->again, MEMORY_PATIENCE);
}
