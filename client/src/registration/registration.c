/* SPDX-License-Identifier: Apache-2.0
 *
 * The state machine of a registration. Every change of state goes through move().
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "registration/internal.h"

#define DEFAULT_DISABLE_S 86400
/* How long a Register or Update that is under way is waited for when the client stops. */
#define STOP_PATIENCE (3 * BJC_SECOND)
/* How long to wait for memory. */
#define MEMORY_PATIENCE (10 * BJC_SECOND)

static const char *state_text(bjc_registration_state state) {
    static const char *const texts[] = { "queued",  "waiting",  "registering", "registered", "updating",
                                         "leaving", "disabled", "failed",      "gone" };
    return texts[state];
}

void bjc_registration_move(bjc_registration *r, bjc_registration_state state, const char *cause) {
    char machine[32];
    snprintf(machine, sizeof machine, "server %u", r->ssid);
    bjc_registration_state from = r->state;
    bjc_moved(r->all->core, machine, state_text(r->state), state_text(state), cause);
    r->state = state;
    r->all->moved(r->all->context, r, from);
}

void bjc_registration_arm(bjc_registration *r, bjc_time delay) {
    bjc_timer_arm(&r->all->core->scheduler, &r->timer, delay);
}

int64_t bjc_registration_setting(const bjc_registration *r, uint16_t rid, int64_t absent) {
    const bjc_store valid = bjc_store_valid(r->all->server);
    return bjc_store_integer(&valid, r->server_iid, rid, absent);
}

bjc_time bjc_registration_seconds(const bjc_registration *r, uint16_t rid, int64_t absent) {
    int64_t seconds = bjc_registration_setting(r, rid, absent), most = INT64_C(1) << 32;
    return (seconds < most ? seconds : most) * BJC_SECOND;
}

bool bjc_registration_flag(const bjc_registration *r, uint16_t rid, bool absent) {
    const bjc_store valid = bjc_store_valid(r->all->server);
    return bjc_store_boolean(&valid, r->server_iid, rid, absent);
}

/* LwM2M Core 1.1 Appendix E.2, /1/x/11: the last alert that the server sent, for it and the Bootstrap-Server to see. */
static void note_alert(bjc_registration *r) {
    int alert = r->session ? bjc_session_alert(r->session) : -1;
    bool known = bjc_store_integer(r->all->server, r->server_iid, BJC_SERVER_SSID, 0) == r->ssid;
    r->alert = alert >= 0 ? alert : r->alert;
    if (r->all->model->in_transaction) {
        return; /* it waits for the end */
    }
    if (r->alert >= 0 && known && r->all->core->config.version >= BOOTJACK_LWM2M_1_1) {
        /* Optional: when memory has run out, it is left as it was. */
        (void) bjc_store_set_integer(r->all->server, r->server_iid, BJC_SERVER_ALERT_CODE, r->alert);
    }
    r->alert = -1;
}

void bjc_registration_disconnect(bjc_registration *r) {
    bjc_registration_awake_cancel(r);
    note_alert(r);
    bjc_session_close(r->session);
    r->session = NULL;
}

static bool is_registered(const bjc_registration *r) {
    return r->state == BJC_REGISTRATION_REGISTERED || r->state == BJC_REGISTRATION_UPDATING;
}

static void forget_location(bjc_registration *r) {
    bjc_release(&r->all->core->allocator, r->location_bytes);
    r->location_bytes = NULL;
    r->location_count = 0;
}

/* --- the order of servers (LwM2M Core 1.1 §6.2.1.1) ------------------------------------------------------------- */

/* NULL: it is in no order with others. */
static const bootjack_value *priority_value(const bjc_registration *r) {
    const bjc_store valid = bjc_store_valid(r->all->server);
    return bjc_store_get(&valid, r->server_iid, BJC_SERVER_PRIORITY, 0);
}

/* Any number of 64 bits; those without one are last in the list. */
static uint64_t priority(const bjc_registration *r) {
    const bootjack_value *value = priority_value(r);
    return value ? value->as.unsigned_integer : UINT64_MAX;
}

static void start_queued(bjc_registration *r) {
    bjc_registration_move(r, BJC_REGISTRATION_WAITING, "its turn");
    bjc_registration_arm(r, bjc_registration_seconds(r, BJC_SERVER_INITIAL_DELAY, 0));
}

/* Its first registration is over: it succeeded, or is considered failed, all attempts and sequences included. */
static bool settled(const bjc_registration *r) {
    return r->ever || r->failed_once || r->state == BJC_REGISTRATION_FAILED;
}

/* Nothing after it in the order may start yet: it is not settled, or it failed and /1/x/15 says that it blocks. */
static bool holds_up(const bjc_registration *r) {
    bool blocks = bjc_registration_flag(r, BJC_SERVER_FAILURE_BLOCK, false);
    return !settled(r) || (!r->ever && blocks);
}

/* Servers with a priority come one after the other, the others independently of them. */
void bjc_registrations_start_next(bjc_registrations *all) {
    bool held_up = false;
    for (bjc_registration *r = all->list; r; r = r->next) {
        bool ordered = priority_value(r) != NULL;
        if (r->state == BJC_REGISTRATION_QUEUED && !(ordered && held_up)) {
            start_queued(r);
        }
        held_up = held_up || (ordered && holds_up(r));
    }
}

/* --- registering ------------------------------------------------------------------------------------------------ */

static bool keep_location(bjc_registration *r, const bjc_completion *completion) {
    size_t size = 0;
    forget_location(r);
    for (size_t i = 0; i < completion->location_count; i++) {
        size += completion->location[i].length;
    }
    r->location_bytes = size ? bjc_allocate(&r->all->core->allocator, size) : NULL;
    if (!r->location_bytes) {
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

/* An Update leaves before the lifetime ends, early enough for all its retransmissions; 0 = for ever. The server counts
 * from when it was asked, which may be long before its answer arrives. */
static void arm_update(bjc_registration *r) {
    bjc_time lifetime = r->lifetime_s * BJC_SECOND, margin = bjc_max_transmit_wait(&r->all->core->config.tx);
    bjc_time passed = bjc_now() - r->asked_at;
    margin = margin < lifetime / 2 ? margin : lifetime / 2;
    if (lifetime > 0) {
        bjc_registration_arm(r, lifetime - margin - passed);
    }
}

static void after_exchange(bjc_registration *r) {
    arm_update(r);
    bjc_registration_stay_awake(r);
    if (r->update_wanted || r->disable) {
        bjc_registration_arm(r, 0);
    }
}

/* What a Register or an Update did not say: it changed since that was sent, or a bootstrap session was under way, in
 * which nothing is said. */
static bool has_untold(const bjc_registration *r) {
    return is_registered(r) && !r->all->model->in_transaction &&
           (bjc_registration_settings_changed(r) || bjc_registration_links_changed(r));
}

static void on_registered(bjc_registration *r, const bjc_completion *completion) {
    if (!keep_location(r, completion)) {
        bjc_registration_attempt_failed(r, "registered, but no Location-Path came with it");
        return;
    }
    r->attempts = r->sequences = 0;
    r->ever = true;
    r->registered_at = bjc_now();
    bjc_registration_move(r, BJC_REGISTRATION_REGISTERED, "Register answered with 2.01");
    r->update_wanted = has_untold(r); /* what was wanted before, it has done; not what changed since it was sent */
    after_exchange(r);
    r->all->registered(r->all->context);
    bjc_registrations_start_next(r->all);
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

/* The server does not know the registration (any more), or cannot be reached: a new one. */
static void register_anew(bjc_registration *r, bool same_session, bjc_time delay, const char *cause) {
    if (r->disable) { /* the way to say so is gone; the Disable Timeout counts all the same (LwM2M Core 1.1 E.2) */
        gone(r, cause);
        return;
    }
    forget_location(r);
    bjc_registration_awake_cancel(r);
    if (!same_session) {
        bjc_registration_disconnect(r);
    }
    bjc_registration_move(r, BJC_REGISTRATION_WAITING, cause);
    bjc_registration_arm(r, delay);
}

/* 4.12: the server does not speak this release. Lower ones are tried until the client takes up its accounts again. */
static bool fall_back(bjc_registration *r, const bjc_completion *completion) {
    if (completion->outcome != BJC_RESPONSE || completion->code != BJC_PRECONDITION_FAILED ||
        r->version == BOOTJACK_LWM2M_1_0) {
        return false;
    }
    r->version = r->version - 1;
    bjc_log(r->all->core, BOOTJACK_LOG_WARNING, "server %u: falls back to LwM2M 1.%d", r->ssid,
            (int) (r->version - BOOTJACK_LWM2M_1_0));
    register_anew(r, true, 0, "Register answered with 4.12");
    return true;
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
    if (fall_back(r, completion)) {
        return;
    }
    describe(cause, sizeof cause, "Register", completion);
    if (completion->outcome == BJC_RESPONSE) {
        bjc_registration_hopeless(r, cause);
    } else {
        bjc_registration_attempt_failed(r, cause);
    }
}

static void on_incoming(void *context, const bjc_incoming *request, bjc_reply *reply) {
    bjc_registration *r = context;
    /* LwM2M Core 1.1 §6.2: what comes before the registration is ignored. */
    if (is_registered(r)) {
        r->all->manage(r->all->context, r->ssid, request, reply);
    }
}

/* A connection that the server ended. One that does not last is tried again as after a failed attempt. */
static void on_session_ended(void *context) {
    bjc_registration *r = context;
    bjc_time lasted = bjc_now() - r->registered_at, timer = bjc_registration_retry_timer(r);
    if (r->state == BJC_REGISTRATION_REGISTERED) {
        register_anew(r, false, lasted < timer ? timer : 0, "the session ended");
    }
}

static void on_session_used(void *context) {
    bjc_registration_stay_awake(context);
}

/* The Security instance to use: over the transport that was asked for (/1/x/8), the preferred one (/1/x/22), or the
 * first of the binding (/1/x/7) that there is one for; any, where none of them says so (LwM2M Core 1.1 §6.2.1.2). */
static int32_t choose_account(const bjc_registration *r) {
    const bjc_store *security = r->all->security, *server = r->all->server;
    const bootjack_value *preferred = bjc_store_get(server, r->server_iid, BJC_SERVER_PREFERRED_TRANSPORT, 0);
    const bootjack_value *binding = bjc_store_get(server, r->server_iid, BJC_SERVER_BINDING, 0);
    int32_t iid = r->asked_transport ? bjc_security_over(security, r->ssid, r->asked_transport) : -1;
    if (iid < 0 && preferred && preferred->as.bytes.length) {
        iid = bjc_security_over(security, r->ssid, (char) preferred->as.bytes.data[0]);
    }
    for (size_t i = 0; iid < 0 && binding && i < binding->as.bytes.length; i++) {
        iid = bjc_security_over(security, r->ssid, (char) binding->as.bytes.data[i]);
    }
    return iid >= 0 ? iid : bjc_security_of_server(security, r->ssid);
}

/* A session that is there is used again if it is one with the account as it is now. */
static bool session_fits(const bjc_registration *r, char transport, bool queue) {
    return r->session && r->transport == transport && r->queue == queue;
}

static const char *open_session(bjc_registration *r, uint16_t iid, const bjc_uri *uri, bootjack_error *error) {
    char transport = bjc_security_transport(r->all->security, iid);
    bool queue = bjc_registration_queue_mode(r);
    *error = BOOTJACK_OK;
    if (session_fits(r, transport, queue) && bjc_session_alive(r->session)) {
        return NULL; /* the server forgot the registration, not the session */
    }
    bjc_registration_disconnect(r);
    bjc_peer peer = bjc_security_peer(r->all->security, iid, uri);
    peer.sleeps = r->queue = queue;
    r->transport = transport;
    *error = bjc_session_open(r->all->transport, &peer, on_incoming, r, &r->session);
    if (!*error) {
        bjc_session_watch(r->session, on_session_ended, on_session_used);
    }
    /* Rule: a name that cannot be resolved leads back to the Bootstrap-Server (see `beyond_retry`). */
    return *error == BOOTJACK_ERR_NAME ? "name of the server cannot be resolved" : bootjack_error_text(*error);
}

static uint64_t transport_wish(const bjc_registration *r) {
    static const uint16_t rids[] = { BJC_SERVER_BINDING, BJC_SERVER_PREFERRED_TRANSPORT };
    uint64_t wish = BJC_FINGERPRINT;
    for (size_t i = 0; i < sizeof rids / sizeof *rids; i++) {
        const bootjack_value *value = bjc_store_get(r->all->server, r->server_iid, rids[i], 0);
        wish = bjc_fingerprint(wish, &i, sizeof i);
        wish = value ? bjc_fingerprint(wish, value->as.bytes.data, value->as.bytes.length) : wish;
    }
    return wish;
}

/* Another Binding or Preferred Transport ends what a trigger asked for. */
static bool heed_wish(bjc_registration *r) {
    uint64_t wish = transport_wish(r);
    bool other = wish != r->wish;
    r->asked_transport = other ? 0 : r->asked_transport;
    r->wish = wish;
    return other;
}

/* Opens the session. Of the checks made here, each sends the client back to the Bootstrap-Server. */
static const char *connect(bjc_registration *r, bjc_uri *uri, bootjack_error *error) {
    const bjc_store *security = r->all->security;
    const char *reason;
    heed_wish(r);
    int32_t iid = choose_account(r);
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
    r->mark = bjc_account_mark_of(security, iid, r->all->server, r->server_iid);
    return open_session(r, (uint16_t) iid, uri, error);
}

/* Rule: DNS failure, among others. To see the harness notice its absence, let bjc_registration_hopeless() do nothing
 * for BOOTJACK_ERR_NAME (taken out of here, the retries of /1/x/17 and 18 come first, which is lawful too). */
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
        bjc_registration_move(r, BJC_REGISTRATION_REGISTERING, "Register sent");
    } else if (beyond_retry(error)) {
        bjc_registration_hopeless(r, cause);
    } else {
        bjc_registration_attempt_failed(r, cause);
    }
}

/* --- staying registered ----------------------------------------------------------------------------------------- */

static void on_update_completed(void *context, const bjc_completion *completion) {
    bjc_registration *r = context;
    char cause[80];
    describe(cause, sizeof cause, "Update", completion);
    if (r->all->stopping) {
        send_leave(r, "the client stops");
    } else if (completion->outcome == BJC_RESPONSE && completion->code == BJC_CHANGED) {
        bjc_registration_move(r, BJC_REGISTRATION_REGISTERED, cause);
        after_exchange(r);
    } else if (r->disable) { /* meanwhile: no Register before its timeout is over (LwM2M Core 1.1 E.2, /1/x/4) */
        send_leave(r, "Disable");
    } else {
        register_anew(r, completion->outcome == BJC_RESPONSE, 0, cause);
    }
}

/* What the account says by now, or the network, needs another session, and that a new registration (LwM2M Transport 1.1
 * §6.4.3). NULL: it can go on. */
static const char *outdated(const bjc_registration *r) {
    if (bjc_session_moved(r->session)) {
        return "the address of the client changed";
    }
    int32_t iid = r->all->model->in_transaction ? -1 : choose_account(r);
    if (iid < 0) {
        return NULL;
    }
    char transport = bjc_security_transport(r->all->security, (uint16_t) iid);
    return session_fits(r, transport, bjc_registration_queue_mode(r)) ? NULL : "another transport or mode is wanted";
}

static void send_update(bjc_registration *r, const char *cause) {
    const char *why = outdated(r);
    r->update_wanted = false;
    if (why) {
        register_anew(r, false, 0, why);
        return;
    }
    bootjack_error error = bjc_registration_send_update(r, on_update_completed);
    if (error) {
        register_anew(r, false, 0, bootjack_error_text(error));
    } else {
        bjc_registration_move(r, BJC_REGISTRATION_UPDATING, cause);
    }
}

static void on_timer(void *context) {
    bjc_registration *r = context;
    if (r->all->model->in_transaction && r->state == BJC_REGISTRATION_WAITING) {
        r->postponed = true; /* the accounts are being written */
    } else if (r->all->stopping && r->state == BJC_REGISTRATION_UPDATING) {
        send_leave(r, "no answer to the Update while the client stops");
    } else if (r->all->stopping) {
        gone(r, "no answer to Register while the client stops");
    } else if (r->disable && r->state == BJC_REGISTRATION_REGISTERED) {
        send_leave(r, "Disable");
    } else if (r->state == BJC_REGISTRATION_REGISTERED) {
        send_update(r, r->update_wanted ? "Update wanted" : "lifetime runs out");
    } else if (r->state == BJC_REGISTRATION_DISABLED) {
        r->disable = false;
        register_anew(r, false, 0, "Disable Timeout is over");
    } else if (r->state == BJC_REGISTRATION_WAITING) {
        start_attempt(r);
    }
}

/* From the scheduler, so that the request that asked for it is answered first. */
static void want_update(bjc_registration *r) {
    r->update_wanted = true;
    if (r->state == BJC_REGISTRATION_REGISTERED) {
        bjc_registration_arm(r, 0);
    }
}

/* Whether a bootstrap session that has ended leaves something to say, or another session to open. */
static bool needs_update(const bjc_registration *r) {
    return has_untold(r) || (is_registered(r) && outdated(r));
}

void bjc_registrations_resume(bjc_registrations *all) {
    for (bjc_registration *r = all->list; r; r = r->next) {
        note_alert(r);
        if (needs_update(r)) {
            want_update(r);
        } else if (r->postponed) {
            bjc_registration_arm(r, 0);
        }
        r->postponed = false;
    }
}

static bjc_registration *registered_by(const bjc_registrations *all, uint16_t server_iid) {
    for (bjc_registration *r = all->list; r; r = r->next) {
        if (r->server_iid == server_iid && is_registered(r)) {
            return r;
        }
    }
    return NULL;
}

/* "0", "0='T'" (LwM2M Core 1.1 §6.3.5, Appendix E.2): the transport; 0 = none is named. */
static bool parse_trigger(const uint8_t *arguments, size_t length, char *transport) {
    static const char form[] = "0='?'";
    *transport = 0;
    if (length == 0) {
        return true;
    }
    if (length != 1 && length != sizeof form - 1) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (i != 3 && arguments[i] != (uint8_t) form[i]) {
            return false;
        }
    }
    *transport = length > 3 ? (char) arguments[3] : 0;
    return true;
}

bootjack_error bjc_registration_trigger(bjc_registrations *all, uint16_t server_iid, const uint8_t *arguments,
                                        size_t length) {
    bjc_registration *r = registered_by(all, server_iid);
    char transport;
    if (!r) {
        return BOOTJACK_ERR_METHOD;
    }
    if (!parse_trigger(arguments, length, &transport) ||
        (transport && bjc_security_over(all->security, r->ssid, transport) < 0)) {
        return BOOTJACK_ERR_RANGE;
    }
    r->asked_transport = transport ? transport : r->asked_transport;
    want_update(r);
    return BOOTJACK_OK;
}

bool bjc_registration_disable(bjc_registrations *all, uint16_t server_iid) {
    bjc_registration *r = registered_by(all, server_iid);
    if (!r) {
        return false;
    }
    r->disable = true;
    if (r->state == BJC_REGISTRATION_REGISTERED) {
        bjc_registration_arm(r, 0);
    }
    return true;
}

void bjc_registrations_settings_changed(bjc_registrations *all) {
    for (bjc_registration *r = all->list; r; r = r->next) {
        if (!is_registered(r)) {
            continue;
        }
        bool other = heed_wish(r);
        r->mark.server = bjc_account_mark_of(all->security, -1, all->server, r->server_iid).server;
        if (other || bjc_registration_settings_changed(r)) {
            want_update(r);
        }
    }
}

void bjc_registrations_doubt(bjc_registrations *all, uint16_t ssid) {
    for (bjc_registration *r = all->list; r; r = r->next) {
        if (r->ssid == ssid && is_registered(r)) {
            want_update(r);
        }
    }
}

void bjc_registrations_instances_changed(bjc_registrations *all) {
    for (bjc_registration *r = all->list; r; r = r->next) {
        if (is_registered(r) && bjc_registration_links_changed(r)) {
            want_update(r);
        }
    }
}

void bjc_registrations_network_changed(bjc_registrations *all) {
    for (bjc_registration *r = all->list; r; r = r->next) {
        if (is_registered(r) || r->state == BJC_REGISTRATION_REGISTERING) {
            register_anew(r, false, 0, "the network changed");
        }
    }
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
    bjc_registration_disconnect(r);
    forget_location(r);
    if (r->disable && !r->all->stopping) {
        bjc_registration_move(r, BJC_REGISTRATION_DISABLED, cause);
        bjc_registration_arm(r, bjc_registration_seconds(r, BJC_SERVER_DISABLE_TIMEOUT, DEFAULT_DISABLE_S));
        return;
    }
    bjc_registration_move(r, BJC_REGISTRATION_GONE, cause);
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
        bjc_registration_move(r, BJC_REGISTRATION_LEAVING, cause);
    }
}

void bjc_registrations_stop(bjc_registrations *all) {
    all->stopping = true;
    bjc_timer_cancel(&all->core->scheduler, &all->again);
    for (bjc_registration *r = all->list; r; r = r->next) {
        bjc_timer_cancel(&all->core->scheduler, &r->timer);
        if (r->state == BJC_REGISTRATION_REGISTERED) {
            send_leave(r, "the client stops");
        } else if (r->state == BJC_REGISTRATION_REGISTERING || r->state == BJC_REGISTRATION_UPDATING) {
            bjc_registration_arm(r, STOP_PATIENCE); /* the answer may be on its way; without, a session may be over */
        } else if (r->state != BJC_REGISTRATION_LEAVING) {
            bjc_registration_disconnect(r);
            bjc_registration_move(r, BJC_REGISTRATION_GONE, "the client stops");
        }
    }
    tell_when_all_left(all);
}

/* --- taking up the accounts ------------------------------------------------------------------------------------- */

static void discard(bjc_registration *r) {
    bjc_timer_cancel(&r->all->core->scheduler, &r->timer);
    bjc_registration_disconnect(r);
    forget_location(r);
    bjc_release(&r->all->core->allocator, r);
}

static void discard_list(bjc_registration *list) {
    while (list) {
        bjc_registration *next = list->next;
        discard(list);
        list = next;
    }
}

void bjc_registrations_drop(bjc_registrations *all) {
    bjc_timer_cancel(&all->core->scheduler, &all->again);
    bjc_registration *list = all->list;
    all->list = NULL; /* what is lost with their sessions is told to the reporting, which looks for them */
    discard_list(list);
}

static void insert(bjc_registrations *all, bjc_registration *r) {
    bjc_registration **slot = &all->list;
    while (*slot && priority(*slot) <= priority(r)) {
        slot = &(*slot)->next;
    }
    r->next = *slot;
    *slot = r;
}

static bool add(bjc_registrations *all, uint16_t server_iid) {
    bjc_registration *r = bjc_allocate(&all->core->allocator, sizeof *r);
    if (!r) {
        return false;
    }
    r->all = all;
    r->alert = -1;
    r->server_iid = server_iid;
    r->ssid = (uint16_t) bjc_store_integer(all->server, server_iid, BJC_SERVER_SSID, 0);
    r->version = all->core->config.version;
    bjc_timer_init(&r->timer, on_timer, r);
    bjc_registration_awake_init(r);
    insert(all, r);
    return true;
}

/* Of the instances that it was made of none was deleted, and the credentials are what they were. */
static bool account_stays(const bjc_registration *r, bjc_account_mark now) {
    return now.security_born == r->mark.security_born && now.security == r->mark.security &&
           now.server_born == r->mark.server_born;
}

/* It sent the client away (Disable), which is on its way out or has left. */
static bool is_left_alone(const bjc_registration *r) {
    return r->state == BJC_REGISTRATION_DISABLED || (r->state == BJC_REGISTRATION_LEAVING && r->disable);
}

/* LwM2M Core 1.1 §6.1.3.3: a bootstrap ends the registrations whose accounts it deleted or changed, not the others. A
 * server that sent the client away has not called it back by that. */
static bool carry_over(bjc_registrations *all, bjc_registration **old, uint16_t server_iid) {
    for (; *old; old = &(*old)->next) {
        bjc_registration *r = *old;
        bool lives = is_registered(r) || is_left_alone(r);
        bool same = bjc_store_integer(all->server, server_iid, BJC_SERVER_SSID, 0) == r->ssid;
        if (r->server_iid != server_iid || !lives || !same) {
            continue;
        }
        int32_t present = bjc_account_of_mark(all->security, r->mark);
        bjc_account_mark now = bjc_account_mark_of(all->security, present, all->server, server_iid);
        if (!account_stays(r, now)) {
            return false;
        }
        heed_wish(r);
        bool update = needs_update(r) || (is_registered(r) && now.server != r->mark.server);
        r->mark = now;
        *old = r->next;
        insert(all, r);
        note_alert(r);
        if (update) {
            want_update(r);
        }
        return true;
    }
    return false;
}

/* Rules: existence of accounts, Short Server IDs. After a Finish that was answered with 2.04 (and at the start), an
 * error sends the client to the Bootstrap-Server with regard to the hold-off. One that has no such account any more
 * makes do with those of its servers that have Security instances. */
static bool accounts_usable(bjc_registrations *all) {
    const char *reason;
    if (bjc_accounts_check_existence(all->security, all->server, &reason) ||
        bjc_accounts_check_ids(all->core, all->security, all->server, &reason)) {
        return !all->need_bootstrap(all->context, reason);
    }
    return true;
}

static bool has_security(const bjc_registrations *all, uint16_t server_iid) {
    int64_t ssid = bjc_store_integer(all->server, server_iid, BJC_SERVER_SSID, 0);
    return ssid >= 1 && ssid <= 65534 && bjc_security_of_server(all->security, (uint16_t) ssid) >= 0;
}

static void no_memory(bjc_registrations *all, uint16_t server_iid) {
    bjc_log(all->core, BOOTJACK_LOG_ERROR, "/1/%u: %s", server_iid, bootjack_error_text(BOOTJACK_ERR_MEMORY));
    bjc_registrations_drop(all);
    bjc_timer_arm(&all->core->scheduler, &all->again, MEMORY_PATIENCE);
}

void bjc_registrations_start(bjc_registrations *all) {
    assert(!all->stopping);
    if (!accounts_usable(all)) {
        bjc_registrations_drop(all);
        return;
    }
    bjc_registration *old = all->list;
    bool failed = false;
    all->list = NULL;
    bjc_timer_cancel(&all->core->scheduler, &all->again);
    for (const bjc_instance *instance = all->server->instances; instance && !failed; instance = instance->next) {
        failed = has_security(all, instance->iid) && !carry_over(all, &old, instance->iid) && !add(all, instance->iid);
        if (failed) {
            no_memory(all, instance->iid);
        }
    }
    discard_list(old);
    /* Nobody is left to register with; where somebody is, that is what shows whether the bootstrap led to anything. */
    bool known = bjc_registrations_any(all, BJC_REGISTRATION_REGISTERED) ||
                 bjc_registrations_any(all, BJC_REGISTRATION_UPDATING);
    if (known && !bjc_registrations_any(all, BJC_REGISTRATION_QUEUED)) {
        all->registered(all->context);
    }
    bjc_registrations_start_next(all);
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
