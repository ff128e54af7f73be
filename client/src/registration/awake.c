/* SPDX-License-Identifier: Apache-2.0
 *
 * Queue mode (LwM2M Core 1.1 §6.5): after MAX_TRANSMIT_WAIT without an exchange the client stops listening to the
 * server, which keeps what it wants until it hears from the client: an Update, or a notification.
 */
#include <string.h>

#include "registration/internal.h"

bool bjc_registration_queue_mode(const bjc_registration *r) {
    const bootjack_value *binding = bjc_store_get(r->all->server, r->server_iid, BJC_SERVER_BINDING, 0);
    bool letter = binding && binding->as.bytes.length && memchr(binding->as.bytes.data, 'Q', binding->as.bytes.length);
    return letter || (r->all->core->config.queue_mode && r->version >= BOOTJACK_LWM2M_1_1);
}

static void on_awake_timer(void *context) {
    bjc_registration *r = context;
    if (r->state != BJC_REGISTRATION_REGISTERED || !r->session) {
        return;
    }
    if (bjc_session_busy(r->session) || bjc_session_reports(r->session)) {
        bjc_registration_stay_awake(r);
    } else {
        bjc_log(r->all->core, BOOTJACK_LOG_INFO, "server %u: queue mode, nothing is received until the next request",
                r->ssid);
        bjc_session_sleep(r->session);
    }
}

void bjc_registration_awake_init(bjc_registration *r) {
    bjc_timer_init(&r->awake_timer, on_awake_timer, r);
}

void bjc_registration_stay_awake(bjc_registration *r) {
    if (r->queue && r->session) {
        bjc_timer_arm(&r->all->core->scheduler, &r->awake_timer, bjc_max_transmit_wait(&r->all->core->config.tx));
    }
}

void bjc_registration_awake_cancel(bjc_registration *r) {
    bjc_timer_cancel(&r->all->core->scheduler, &r->awake_timer);
}
