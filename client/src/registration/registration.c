/* SPDX-License-Identifier: Apache-2.0
 *
 * The state machine of a registration. Every change of state goes through move().
 */
#include "registration/registration.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "registration/accounts.h"

/* LwM2M Core 1.1 Appendix E.2, recommended where the resources are absent. */
#define DEFAULT_RETRY_COUNT    5
#define DEFAULT_RETRY_TIMER_S  60
#define DEFAULT_SEQUENCE_COUNT 1
#define DEFAULT_DISABLE_S      86400
/* How long a Register that is under way is waited for when the client stops. */
#define STOP_PATIENCE (3 * BJC_SECOND)
#define NO_PRIORITY   INT64_MAX
/* How long to wait for memory. */
#define MEMORY_PATIENCE (10 * BJC_SECOND)
/* /1/x/19: never another sequence. */
#define SEQUENCE_DELAY_NEVER UINT32_MAX
/* Without a Bootstrap-Server to turn to and without /1/x/19 the client comes back sooner than the recommended day. */
#define SEQUENCE_DELAY_ABSENT_S 3600

static const char *state_text(bjc_registration_state state) {
    static const char *const texts[] = { "queued",  "waiting",  "registering", "registered", "updating",
                                         "leaving", "disabled", "failed",      "gone" };
    return texts[state];
}

static void move(bjc_registration *r, bjc_registration_state state, const char *cause) {
    char machine[32];
    snprintf(machine, sizeof machine, "server %u", r->ssid);
    bjc_registration_state from = r->state;
    bjc_moved(r->all->core, machine, state_text(r->state), state_text(state), cause);
    r->state = state;
    r->all->moved(r->all->context, r, from);
}

static void arm(bjc_registration *r, bjc_time delay) {
    bjc_timer_arm(&r->all->core->scheduler, &r->timer, delay);
}

static int64_t setting(const bjc_registration *r, uint16_t rid, int64_t absent) {
    return bjc_store_integer(r->all->server, r->server_iid, rid, absent);
}

static void disconnect(bjc_registration *r) {
    bjc_session_close(r->session);
    r->session = NULL;
}

static void forget_location(bjc_registration *r) {
    bjc_release(&r->all->core->allocator, r->location_bytes);
    r->location_bytes = NULL;
    r->location_count = 0;
}

/* --- the order of servers (LwM2M Core 1.1 §6.2.1.1) ------------------------------------------------------------- */

static int64_t priority(const bjc_registration *r) {
    return setting(r, BJC_SERVER_PRIORITY, NO_PRIORITY);
}

static void start_queued(bjc_registration *r) {
    move(r, BJC_REGISTRATION_WAITING, "its turn");
    arm(r, setting(r, BJC_SERVER_INITIAL_DELAY, 0) * BJC_SECOND);
}

static bool settled(const bjc_registration *r) {
    return r->ever || r->state == BJC_REGISTRATION_FAILED || r->attempts > 0 || r->sequences > 0;
}

/* Nothing after it in the order may start yet: it was not tried, or it failed and /1/x/15 says that it blocks. */
static bool holds_up(const bjc_registration *r) {
    bool blocks = bjc_store_boolean(r->all->server, r->server_iid, BJC_SERVER_FAILURE_BLOCK, false);
    return !settled(r) || (!r->ever && blocks);
}

/* Servers with a priority come one after the other, the others independently of them. */
static void start_next(bjc_registrations *all) {
    bool held_up = false;
    for (bjc_registration *r = all->list; r; r = r->next) {
        bool ordered = priority(r) != NO_PRIORITY;
        if (r->state == BJC_REGISTRATION_QUEUED && !(ordered && held_up)) {
            start_queued(r);
        }
        held_up = held_up || (ordered && holds_up(r));
    }
}

/* --- failure ---------------------------------------------------------------------------------------------------- */

static bool goes_to_bootstrap(bjc_registration *r, const char *cause) {
    return bjc_store_boolean(r->all->server, r->server_iid, BJC_SERVER_BOOTSTRAP_ON_FAILURE, true) &&
           r->all->need_bootstrap(r->all->context, cause);
}

static void wait_for(bjc_registration *r, bjc_time delay, const char *cause) {
    move(r, BJC_REGISTRATION_WAITING, cause);
    bjc_log(r->all->core, BOOTJACK_LOG_INFO, "server %u: next attempt in %.0f s", r->ssid,
            (double) delay / (double) BJC_SECOND);
    arm(r, delay);
}

/* All sequences failed: to the Bootstrap-Server, or on as before. Giving up for good would make a brick. */
static void all_failed(bjc_registration *r, const char *cause) {
    int64_t delay = setting(r, BJC_SERVER_SEQUENCE_DELAY, SEQUENCE_DELAY_ABSENT_S);
    r->sequences = 0;
    if (goes_to_bootstrap(r, cause) || delay >= SEQUENCE_DELAY_NEVER) {
        move(r, BJC_REGISTRATION_FAILED, cause);
    } else {
        wait_for(r, delay * BJC_SECOND, cause);
    }
}

static void end_sequence(bjc_registration *r, const char *cause) {
    int64_t delay = setting(r, BJC_SERVER_SEQUENCE_DELAY, SEQUENCE_DELAY_NEVER);
    r->attempts = 0;
    r->sequences++;
    bool another = r->sequences < setting(r, BJC_SERVER_SEQUENCE_COUNT, DEFAULT_SEQUENCE_COUNT);
    if (another && delay < SEQUENCE_DELAY_NEVER) {
        wait_for(r, delay * BJC_SECOND, cause);
    } else {
        all_failed(r, cause);
    }
}

static void attempt_failed(bjc_registration *r, const char *cause) {
    bjc_timer_cancel(&r->all->core->scheduler, &r->timer);
    disconnect(r);
    r->attempts++;
    if (r->attempts < setting(r, BJC_SERVER_RETRY_COUNT, DEFAULT_RETRY_COUNT)) {
        int64_t timer = setting(r, BJC_SERVER_RETRY_TIMER, DEFAULT_RETRY_TIMER_S);
        unsigned doublings = r->attempts - 1 < 20 ? r->attempts - 1 : 20;
        int64_t most = INT64_C(1) << 32;
        timer = timer < most ? timer : most;
        wait_for(r, (timer << doublings) * BJC_SECOND, cause);
    } else {
        end_sequence(r, cause);
    }
    start_next(r->all);
}

/* What no retry can mend: an account that cannot be used, a name that does not resolve, a server that says no. */
static void hopeless(bjc_registration *r, const char *cause) {
    if (!goes_to_bootstrap(r, cause)) {
        attempt_failed(r, cause);
        return;
    }
    bjc_timer_cancel(&r->all->core->scheduler, &r->timer);
    disconnect(r);
    move(r, BJC_REGISTRATION_FAILED, cause);
    start_next(r->all);
}

/* --- registering ------------------------------------------------------------------------------------------------ */

static bool keep_location(bjc_registration *r, const bjc_completion *completion) {
    size_t size = 0;
    forget_location(r);
    for (size_t i = 0; i < completion->location_count; i++) {
        size += completion->location[i].length;
    }
    r->location_bytes = bjc_allocate(&r->all->core->allocator, size);
    if (!r->location_bytes || completion->location_count == 0) {
        return false;
    }
    char *at = (char *) r->location_bytes;
    for (size_t i = 0; i < completion->location_count; i++) {
        memcpy(at, completion->location[i].data, completion->location[i].length);
        r->location[i] = (bjc_text){ at, completion->location[i].length };
        at += completion->location[i].length;
    }
    r->location_count = completion->location_count;
    return true;
}

/* An Update leaves before the lifetime ends, early enough for all its retransmissions; 0 = for ever. */
static void arm_update(bjc_registration *r) {
    bjc_time lifetime = r->lifetime_s * BJC_SECOND, margin = bjc_max_transmit_wait(&r->all->core->config.tx);
    margin = margin < lifetime / 2 ? margin : lifetime / 2;
    if (lifetime > 0) {
        arm(r, lifetime - margin);
    }
}

static void send_update(bjc_registration *r, const char *cause);

static void after_exchange(bjc_registration *r) {
    arm_update(r);
    if (r->update_wanted) {
        arm(r, 0);
    }
}

static void on_registered(bjc_registration *r, const bjc_completion *completion) {
    if (!keep_location(r, completion)) {
        attempt_failed(r, "registered, but no Location-Path came with it");
        return;
    }
    r->attempts = r->sequences = 0;
    r->ever = true;
    move(r, BJC_REGISTRATION_REGISTERED, "Register answered with 2.01");
    after_exchange(r);
    r->all->registered(r->all->context);
    start_next(r->all);
}

static void describe(char *cause, size_t size, const char *what, const bjc_completion *completion) {
    if (completion->outcome == BJC_RESPONSE) {
        snprintf(cause, size, "%s answered with %u.%02u", what, completion->code >> 5, completion->code & 31u);
    } else {
        snprintf(cause, size, "%s: %s", what, bjc_outcome_text(completion->outcome));
    }
}

static void send_leave(bjc_registration *r, const char *cause);
static void gone(bjc_registration *r, const char *cause);

/* The client stopped while the Register was under way: what came of it is undone. */
static void leave_at_once(bjc_registration *r, const bjc_completion *completion) {
    if (completion->outcome == BJC_RESPONSE && completion->code == BJC_CREATED && keep_location(r, completion)) {
        send_leave(r, "registered, but the client stops");
    } else {
        gone(r, "the client stops");
    }
}

static void on_register_completed(void *context, const bjc_completion *completion) {
    bjc_registration *r = context;
    char cause[80];
    if (r->all->stopping) {
        leave_at_once(r, completion);
        return;
    }
    if (completion->outcome == BJC_RESPONSE && completion->code == BJC_CREATED) {
        on_registered(r, completion);
        return;
    }
    describe(cause, sizeof cause, "Register", completion);
    if (completion->outcome == BJC_RESPONSE) {
        hopeless(r, cause);
    } else {
        attempt_failed(r, cause);
    }
}

static void on_incoming(void *context, const bjc_incoming *request, bjc_reply *reply) {
    bjc_registration *r = context;
    /* LwM2M Core 1.1 §6.2: what comes before the registration is ignored. */
    if (r->state == BJC_REGISTRATION_REGISTERED || r->state == BJC_REGISTRATION_UPDATING) {
        r->all->manage(r->all->context, r->ssid, request, reply);
    }
}

/* Opens the session. Of the checks made here, each sends the client back to the Bootstrap-Server. */
static const char *connect(bjc_registration *r, bjc_uri *uri, bootjack_error *error) {
    const bjc_store *security = r->all->security;
    const char *reason;
    int32_t iid = bjc_security_of_server(security, r->ssid);
    *error = BOOTJACK_ERR_INCONSISTENT;
    if (iid < 0) {
        return "no Security instance with its Short Server ID";
    }
    if (!bjc_security_uri(security, (uint16_t) iid, uri, &reason)) {
        return "URI cannot be used";
    }
    /* Rule: URI against Security Mode. To see the harness notice its absence, take this check out. */
    if (bjc_security_check_scheme(security, (uint16_t) iid)) {
        return "scheme of the URI does not go with the Security Mode";
    }
    if (r->session) {
        *error = BOOTJACK_OK; /* the server forgot the registration, not the session */
        return NULL;
    }
    bjc_peer peer = bjc_security_peer(security, (uint16_t) iid, uri);
    *error = bjc_session_open(r->all->transport, &peer, on_incoming, r, &r->session);
    /* Rule: a name that cannot be resolved leads back to the Bootstrap-Server (see `beyond_retry`). */
    return *error == BOOTJACK_ERR_NAME ? "name of the server cannot be resolved" : bootjack_error_text(*error);
}

/* Rule: DNS failure, among others. To see the harness notice its absence, let hopeless() below do nothing for
 * BOOTJACK_ERR_NAME (taken out of here, the retries of /1/x/17 and 18 come first, which is lawful too). */
static bool beyond_retry(bootjack_error error) {
    return error == BOOTJACK_ERR_NAME || error == BOOTJACK_ERR_INCONSISTENT || error == BOOTJACK_ERR_UNSUPPORTED;
}

static void start_attempt(bjc_registration *r) {
    bjc_uri uri;
    bootjack_error error;
    const char *cause = connect(r, &uri, &error);
    if (!error) {
        error = bjc_registration_send_register(r, &uri, on_register_completed);
        cause = bootjack_error_text(error);
    }
    if (!error) {
        bjc_log(r->all->core, BOOTJACK_LOG_INFO, "Register with server %u at %s", r->ssid,
                bjc_session_address(r->session));
        move(r, BJC_REGISTRATION_REGISTERING, "Register sent");
    } else if (beyond_retry(error)) {
        hopeless(r, cause);
    } else {
        attempt_failed(r, cause);
    }
}

/* --- staying registered ----------------------------------------------------------------------------------------- */

/* The server does not know the registration (any more), or cannot be reached: a new one. */
static void register_anew(bjc_registration *r, bool same_session, const char *cause) {
    forget_location(r);
    if (!same_session) {
        disconnect(r);
    }
    move(r, BJC_REGISTRATION_WAITING, cause);
    arm(r, 0);
}

static void on_update_completed(void *context, const bjc_completion *completion) {
    bjc_registration *r = context;
    char cause[80];
    describe(cause, sizeof cause, "Update", completion);
    if (completion->outcome == BJC_RESPONSE && completion->code == BJC_CHANGED) {
        move(r, BJC_REGISTRATION_REGISTERED, cause);
        after_exchange(r);
    } else {
        register_anew(r, completion->outcome == BJC_RESPONSE, cause);
    }
}

static void send_update(bjc_registration *r, const char *cause) {
    r->update_wanted = false;
    bootjack_error error = bjc_registration_send_update(r, on_update_completed);
    if (error) {
        register_anew(r, false, bootjack_error_text(error));
    } else {
        move(r, BJC_REGISTRATION_UPDATING, cause);
    }
}

static void on_timer(void *context) {
    bjc_registration *r = context;
    if (r->all->model->in_transaction && r->state == BJC_REGISTRATION_WAITING) {
        r->postponed = true; /* the accounts are being written */
    } else if (r->all->stopping) {
        gone(r, "no answer to Register while the client stops");
    } else if (r->disable && r->state == BJC_REGISTRATION_REGISTERED) {
        send_leave(r, "Disable");
    } else if (r->state == BJC_REGISTRATION_REGISTERED) {
        send_update(r, r->update_wanted ? "Update wanted" : "lifetime runs out");
    } else if (r->state == BJC_REGISTRATION_DISABLED) {
        r->disable = false;
        register_anew(r, false, "Disable Timeout is over");
    } else if (r->state == BJC_REGISTRATION_WAITING) {
        start_attempt(r);
    }
}

void bjc_registrations_resume(bjc_registrations *all) {
    for (bjc_registration *r = all->list; r; r = r->next) {
        if (r->postponed) {
            r->postponed = false;
            arm(r, 0);
        }
    }
}

bool bjc_registration_update(bjc_registrations *all, uint16_t server_iid) {
    for (bjc_registration *r = all->list; r; r = r->next) {
        if (r->server_iid == server_iid &&
            (r->state == BJC_REGISTRATION_REGISTERED || r->state == BJC_REGISTRATION_UPDATING)) {
            r->update_wanted = true;
            if (r->state == BJC_REGISTRATION_REGISTERED) {
                arm(r, 0);
            }
            return true;
        }
    }
    return false;
}

bool bjc_registration_disable(bjc_registrations *all, uint16_t server_iid) {
    for (bjc_registration *r = all->list; r; r = r->next) {
        if (r->server_iid == server_iid && r->state == BJC_REGISTRATION_REGISTERED) {
            r->disable = true;
            arm(r, 0);
            return true;
        }
    }
    return false;
}

/* --- leaving ---------------------------------------------------------------------------------------------------- */

static void tell_when_all_left(bjc_registrations *all) {
    for (bjc_registration *r = all->list; r; r = r->next) {
        if (r->state != BJC_REGISTRATION_GONE) {
            return;
        }
    }
    if (all->stopping) {
        all->left(all->context);
    }
}

static void gone(bjc_registration *r, const char *cause) {
    disconnect(r);
    forget_location(r);
    if (r->disable && !r->all->stopping) {
        move(r, BJC_REGISTRATION_DISABLED, cause);
        arm(r, setting(r, 5, DEFAULT_DISABLE_S) * BJC_SECOND);
        return;
    }
    move(r, BJC_REGISTRATION_GONE, cause);
    tell_when_all_left(r->all);
}

static void on_leave_completed(void *context, const bjc_completion *completion) {
    char cause[80];
    describe(cause, sizeof cause, "De-register", completion);
    gone(context, cause);
}

static void send_leave(bjc_registration *r, const char *cause) {
    bjc_timer_cancel(&r->all->core->scheduler, &r->timer);
    bjc_session_cancel(r->session);
    bootjack_error error = bjc_registration_send_leave(r, on_leave_completed);
    if (error) {
        gone(r, bootjack_error_text(error));
    } else {
        move(r, BJC_REGISTRATION_LEAVING, cause);
    }
}

void bjc_registrations_stop(bjc_registrations *all) {
    all->stopping = true;
    bjc_timer_cancel(&all->core->scheduler, &all->again);
    for (bjc_registration *r = all->list; r; r = r->next) {
        bjc_timer_cancel(&all->core->scheduler, &r->timer);
        if (r->state == BJC_REGISTRATION_REGISTERED || r->state == BJC_REGISTRATION_UPDATING) {
            send_leave(r, "the client stops");
        } else if (r->state == BJC_REGISTRATION_REGISTERING) {
            arm(r, STOP_PATIENCE); /* the answer may be on its way */
        } else if (r->state != BJC_REGISTRATION_LEAVING) {
            disconnect(r);
            move(r, BJC_REGISTRATION_GONE, "the client stops");
        }
    }
    tell_when_all_left(all);
}

/* --- taking up the accounts ------------------------------------------------------------------------------------- */

void bjc_registrations_drop(bjc_registrations *all) {
    bjc_timer_cancel(&all->core->scheduler, &all->again);
    while (all->list) {
        bjc_registration *r = all->list;
        all->list = r->next;
        bjc_timer_cancel(&all->core->scheduler, &r->timer);
        disconnect(r);
        forget_location(r);
        bjc_release(&all->core->allocator, r);
    }
}

static bool add(bjc_registrations *all, uint16_t server_iid) {
    bjc_registration *r = bjc_allocate(&all->core->allocator, sizeof *r);
    if (!r) {
        return false;
    }
    r->all = all;
    r->server_iid = server_iid;
    r->ssid = (uint16_t) bjc_store_integer(all->server, server_iid, BJC_SERVER_SSID, 0);
    bjc_timer_init(&r->timer, on_timer, r);
    bjc_registration **slot = &all->list;
    while (*slot && priority(*slot) <= priority(r)) {
        slot = &(*slot)->next;
    }
    r->next = *slot;
    *slot = r;
    return true;
}

/* Rules: existence of accounts, Short Server IDs. After a Finish that was answered with 2.04 (and at the start), an
 * error sends the client to the Bootstrap-Server with regard to the hold-off. */
static bool accounts_usable(bjc_registrations *all) {
    const char *reason;
    if (bjc_accounts_check_existence(all->security, all->server, &reason) ||
        bjc_accounts_check_ids(all->core, all->security, all->server, &reason)) {
        all->need_bootstrap(all->context, reason);
        return false;
    }
    return true;
}

void bjc_registrations_start(bjc_registrations *all) {
    assert(!all->stopping);
    bjc_registrations_drop(all);
    if (!accounts_usable(all)) {
        return;
    }
    for (const bjc_instance *instance = all->server->instances; instance; instance = instance->next) {
        if (!add(all, instance->iid)) {
            bjc_log(all->core, BOOTJACK_LOG_ERROR, "/1/%u: %s", instance->iid,
                    bootjack_error_text(BOOTJACK_ERR_MEMORY));
            bjc_registrations_drop(all);
            bjc_timer_arm(&all->core->scheduler, &all->again, MEMORY_PATIENCE);
            return;
        }
    }
    start_next(all);
}

/* A bootstrap session that is under way takes up the accounts at its end, or leaves them for the next look. */
static void on_again(void *context) {
    bjc_registrations *all = context;
    if (all->model->in_transaction) {
        bjc_timer_arm(&all->core->scheduler, &all->again, MEMORY_PATIENCE);
    } else {
        bjc_registrations_start(all);
    }
}

void bjc_registrations_init(bjc_registrations *all) {
    bjc_timer_init(&all->again, on_again, all);
}

bjc_session *bjc_registrations_session(const bjc_registrations *all, uint16_t ssid) {
    for (const bjc_registration *r = all->list; r; r = r->next) {
        bool registered = r->state == BJC_REGISTRATION_REGISTERED || r->state == BJC_REGISTRATION_UPDATING;
        if (r->ssid == ssid && registered) {
            return r->session;
        }
    }
    return NULL;
}

bool bjc_registrations_any(const bjc_registrations *all, bjc_registration_state state) {
    for (const bjc_registration *r = all->list; r; r = r->next) {
        if (r->state == state) {
            return true;
        }
    }
    return false;
}
