/* SPDX-License-Identifier: Apache-2.0
 *
 * What follows an attempt to register that failed (LwM2M Core 1.1 §6.2.1.1): attempts in a sequence, sequences, and
 * in the end the Bootstrap-Server.
 */
#include "registration/internal.h"

/* LwM2M Core 1.1 Appendix E.2, recommended where the resources are absent. */
#define DEFAULT_RETRY_COUNT      5
#define DEFAULT_RETRY_TIMER_S    60
#define DEFAULT_SEQUENCE_COUNT   1
#define DEFAULT_SEQUENCE_DELAY_S 86400
/* /1/x/19: never another sequence. */
#define SEQUENCE_DELAY_NEVER UINT32_MAX
/* Without a Bootstrap-Server to turn to and without /1/x/19 the client comes back sooner than the recommended day. */
#define AFTER_ALL_ABSENT_S 3600
/* A timer of 0 must not become a storm. */
#define LEAST_WAIT BJC_SECOND
/* Beyond this the time has long been longer than a device lives. */
#define MOST_DOUBLINGS 20u

static bool goes_to_bootstrap(bjc_registration *r, const char *cause) {
    return bjc_registration_flag(r, BJC_SERVER_BOOTSTRAP_ON_FAILURE, true) &&
           r->all->need_bootstrap(r->all->context, cause);
}

static void wait_for(bjc_registration *r, bjc_time delay, const char *cause) {
    delay = delay > LEAST_WAIT ? delay : LEAST_WAIT;
    bjc_registration_move(r, BJC_REGISTRATION_WAITING, cause);
    bjc_log(r->all->core, BOOTJACK_LOG_INFO, "server %u: next attempt in %.0f s", r->ssid,
            (double) delay / (double) BJC_SECOND);
    bjc_registration_arm(r, delay);
}

/* All sequences failed: to the Bootstrap-Server, or on as before. Giving up for good would make a brick. */
static void all_failed(bjc_registration *r, const char *cause) {
    int64_t delay = bjc_registration_setting(r, BJC_SERVER_SEQUENCE_DELAY, AFTER_ALL_ABSENT_S);
    r->sequences = 0;
    r->failed_once = true;
    if (goes_to_bootstrap(r, cause) || delay >= SEQUENCE_DELAY_NEVER) {
        bjc_registration_move(r, BJC_REGISTRATION_FAILED, cause);
    } else {
        wait_for(r, delay * BJC_SECOND, cause);
    }
}

static void end_sequence(bjc_registration *r, const char *cause) {
    int64_t delay = bjc_registration_setting(r, BJC_SERVER_SEQUENCE_DELAY, DEFAULT_SEQUENCE_DELAY_S);
    r->attempts = 0;
    r->sequences++;
    bool another = r->sequences < bjc_registration_setting(r, BJC_SERVER_SEQUENCE_COUNT, DEFAULT_SEQUENCE_COUNT);
    if (another && delay < SEQUENCE_DELAY_NEVER) {
        wait_for(r, delay * BJC_SECOND, cause);
    } else {
        all_failed(r, cause);
    }
}

bjc_time bjc_registration_retry_timer(const bjc_registration *r) {
    return bjc_registration_seconds(r, BJC_SERVER_RETRY_TIMER, DEFAULT_RETRY_TIMER_S);
}

/* /1/x/18 * 2^(n-1) after the n-th attempt. */
static bjc_time grown_timer(const bjc_registration *r) {
    bjc_time timer = bjc_registration_retry_timer(r);
    unsigned doublings = r->attempts - 1 < MOST_DOUBLINGS ? r->attempts - 1 : MOST_DOUBLINGS;
    return timer > BJC_TIME_NEVER >> (doublings + 1) ? BJC_TIME_NEVER / 2 : timer << doublings;
}

void bjc_registration_attempt_failed(bjc_registration *r, const char *cause) {
    bjc_timer_cancel(&r->all->core->scheduler, &r->timer);
    bjc_registration_disconnect(r);
    r->attempts++;
    if (r->attempts < bjc_registration_setting(r, BJC_SERVER_RETRY_COUNT, DEFAULT_RETRY_COUNT)) {
        wait_for(r, grown_timer(r), cause);
    } else {
        end_sequence(r, cause);
    }
    bjc_registrations_start_next(r->all);
}

void bjc_registration_hopeless(bjc_registration *r, const char *cause) {
    if (!goes_to_bootstrap(r, cause)) {
        bjc_registration_attempt_failed(r, cause);
        return;
    }
    bjc_timer_cancel(&r->all->core->scheduler, &r->timer);
    bjc_registration_disconnect(r);
    bjc_registration_move(r, BJC_REGISTRATION_FAILED, cause);
    bjc_registrations_start_next(r->all);
}
