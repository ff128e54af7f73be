/* SPDX-License-Identifier: Apache-2.0
 *
 * The state machine of the bootstrap. Every change of state goes through move().
 */
#include "bootstrap/bootstrap.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "bootstrap/holdoff.h"
#include "registration/accounts.h"

static const char *state_text(bjc_bootstrap_state state) {
    static const char *const texts[] = { "idle", "holding off", "asking for a pack", "requesting", "receiving" };
    return texts[state];
}

static void move(bjc_bootstrap *b, bjc_bootstrap_state state, const char *cause) {
    bjc_moved(b->core, "bootstrap", state_text(b->state), state_text(state), cause);
    b->state = state;
}

/* Whether commands of the Bootstrap-Server are expected. */
static bool under_way(const bjc_bootstrap *b) {
    return b->state == BJC_BOOTSTRAP_REQUESTING || b->state == BJC_BOOTSTRAP_RECEIVING;
}

/* --- waiting ---------------------------------------------------------------------------------------------------- */

static void arm_finish_timeout(bjc_bootstrap *b) {
    /* LwM2M Core 1.1 §6.1.3.3: EXCHANGE_LIFETIME; from the last command or the answer to the request. */
    bjc_timer_arm(&b->core->scheduler, &b->timer, bjc_session_exchange_lifetime(b->session));
}

static void hold_off(bjc_bootstrap *b, const char *cause) {
    int32_t account = bjc_security_bootstrap_account(b->security);
    if (account < 0) {
        move(b, BJC_BOOTSTRAP_IDLE, "no Bootstrap-Server account");
        return;
    }
    bjc_time wait = bjc_holdoff_wait(
        b->core, bjc_store_integer(b->security, (uint16_t) account, BJC_SECURITY_HOLDOFF, 0), b->failures);
    move(b, BJC_BOOTSTRAP_HOLDING_OFF, cause);
    bjc_log(b->core, BOOTJACK_LOG_INFO, "Bootstrap-Request in %.3f s (failures before: %u)",
            (double) wait / (double) BJC_SECOND, b->failures);
    bjc_timer_arm(&b->core->scheduler, &b->timer, wait);
    bjc_timer_cancel(&b->core->scheduler, &b->purge_timer);
}

static void close_lingering(void *context) {
    bjc_bootstrap *b = context;
    bjc_timer_cancel(&b->core->scheduler, &b->linger_timer);
    bjc_session_close(b->lingering);
    b->lingering = NULL;
}

/* Everything is as it was before the session. */
static void abandon(bjc_bootstrap *b) {
    if (b->model->in_transaction) {
        bjc_model_roll_back(b->model);
        bjc_log(b->core, BOOTJACK_LOG_INFO, "configuration rolled back");
    }
    bjc_session_close(b->session);
    b->session = NULL;
    b->attempted = false;
}

/* Whatever went wrong, another attempt follows. */
static void fail(bjc_bootstrap *b, const char *cause) {
    abandon(b);
    b->failures++;
    hold_off(b, cause);
    b->failed(b->context);
}

/* --- asking ----------------------------------------------------------------------------------------------------- */

/* The transaction begins with the session, not with the request: servers are managed as usual until somebody answers.
 */
static bootjack_error begin_session(bjc_bootstrap *b, const char *cause) {
    bootjack_error error = bjc_model_begin(b->model);
    b->access_control_missing = false;
    b->pack_refused = false;
    if (!error) {
        move(b, BJC_BOOTSTRAP_RECEIVING, cause);
    }
    return error;
}

static void on_response(bjc_bootstrap *b, uint8_t code) {
    char cause[80];
    b->pack_refused = false;
    if (code != BJC_CHANGED) {
        b->format_refused = b->format_refused || code == BJC_UNSUPPORTED_FORMAT;
        snprintf(cause, sizeof cause, "Bootstrap-Request answered with %u.%02u", code >> 5, code & 31u);
        fail(b, cause);
    } else if (b->state == BJC_BOOTSTRAP_REQUESTING && begin_session(b, "Bootstrap-Request answered with 2.04")) {
        fail(b, "no memory for a transaction");
    } else {
        arm_finish_timeout(b);
    }
}

static void on_completion(void *context, const bjc_completion *completion) {
    bjc_bootstrap *b = context;
    char cause[80];
    if (!under_way(b)) {
        return;
    }
    if (completion->outcome == BJC_RESPONSE) {
        on_response(b, completion->code);
        return;
    }
    /* Commands that overtook the response show that the request arrived; the Finish's time-out watches from here on. */
    if (b->state == BJC_BOOTSTRAP_RECEIVING && completion->outcome != BJC_RESET) {
        bjc_log(b->core, BOOTJACK_LOG_INFO, "Bootstrap-Request without response: %s",
                bjc_outcome_text(completion->outcome));
        return;
    }
    snprintf(cause, sizeof cause, "Bootstrap-Request: %s", bjc_outcome_text(completion->outcome));
    fail(b, cause);
}

/* POST /bs?ep={endpoint}[&pct={format}] (LwM2M Transport 1.1 §6.4.2) below the path of the server's URI. */
static bootjack_error send_request(bjc_bootstrap *b, const bjc_uri *uri) {
    char endpoint[260], preferred[16];
    bjc_request request = { .method = BJC_POST, .content_format = -1 };
    for (size_t i = 0; i < uri->path_count; i++) {
        request.path[request.path_count++] = uri->path[i];
    }
    request.path[request.path_count++] = (bjc_text){ "bs", 2 };
    for (size_t i = 0; i < uri->query_count; i++) {
        request.query[request.query_count++] = uri->query[i];
    }
    int length = snprintf(endpoint, sizeof endpoint, "ep=%s", b->core->config.endpoint);
    assert(length > 0 && (size_t) length < sizeof endpoint);
    request.query[request.query_count++] = (bjc_text){ endpoint, (size_t) length };
    if (b->core->config.version >= BOOTJACK_LWM2M_1_1 && !b->format_refused) {
        length = snprintf(preferred, sizeof preferred, "pct=%u", b->core->config.preferred_format);
        request.query[request.query_count++] = (bjc_text){ preferred, (size_t) length };
    }
    return bjc_session_request(b->session, &request, on_completion, b);
}

static void succeed(bjc_bootstrap *b, const char *cause) {
    bjc_timer_cancel(&b->core->scheduler, &b->timer);
    move(b, BJC_BOOTSTRAP_IDLE, cause);
    b->bootstrapped = true;
    b->format_refused = false;
    b->changed(b->context);
    bjc_timer_arm(&b->core->scheduler, &b->finished_timer, 0);
}

/* LwM2M Core 1.2 §6.1.7.7: whatever is wrong with a pack, a Bootstrap-Request follows: at once, or in the next attempt
 * where the server ends the session with the pack. */
static void request_instead(bjc_bootstrap *b, const char *cause) {
    bjc_uri uri;
    const char *reason;
    b->pack_refused = true;
    int32_t account = bjc_security_bootstrap_account(b->security);
    if (account < 0 || !bjc_security_uri(b->security, (uint16_t) account, &uri, &reason) || send_request(b, &uri)) {
        fail(b, cause);
        return;
    }
    move(b, BJC_BOOTSTRAP_REQUESTING, cause);
}

static void on_pack(void *context, const bjc_completion *completion) {
    bjc_bootstrap *b = context;
    char cause[100];
    if (completion->outcome == BJC_RESPONSE && completion->code == BJC_CONTENT) {
        bootjack_error error = bjc_pack_apply(b, completion);
        if (!error) {
            succeed(b, "Bootstrap-Pack taken");
            return;
        }
        snprintf(cause, sizeof cause, "Bootstrap-Pack refused: %s", bootjack_error_text(error));
        request_instead(b, cause);
    } else if (completion->outcome == BJC_RESPONSE) {
        snprintf(cause, sizeof cause, "Bootstrap-Pack-Request answered with %u.%02u", completion->code >> 5,
                 completion->code & 31u);
        request_instead(b, cause);
    } else {
        snprintf(cause, sizeof cause, "Bootstrap-Pack-Request: %s", bjc_outcome_text(completion->outcome));
        bool answered = completion->outcome == BJC_RESET || completion->outcome == BJC_DAMAGED;
        (answered ? request_instead : fail)(b, cause);
    }
}

static bool asks_for_pack(const bjc_bootstrap *b) {
    return b->core->config.bootstrap_pack && b->core->config.version >= BOOTJACK_LWM2M_1_2 && !b->pack_refused;
}

static bootjack_error send_first(bjc_bootstrap *b, const bjc_uri *uri) {
    bjc_pack_texts texts;
    bjc_request request;
    if (!asks_for_pack(b)) {
        return send_request(b, uri);
    }
    bjc_pack_request(b, uri, &texts, &request);
    return bjc_session_request(b->session, &request, on_pack, b);
}

static void on_incoming(void *context, const bjc_incoming *request, bjc_reply *reply);

/* Over it alone the server could reach the client: there is no Finish to wait for any more. */
static void on_session_ended(void *context) {
    bjc_bootstrap *b = context;
    if (b->state == BJC_BOOTSTRAP_RECEIVING && !bjc_session_alive(b->session)) {
        fail(b, "the session ended");
    }
}

/* Where the Bootstrap-Server is; 0 = there is none. */
static uint64_t whereabouts(const bjc_bootstrap *b) {
    int32_t account = bjc_security_bootstrap_account(b->security);
    const bootjack_value *uri =
        account < 0 ? NULL : bjc_store_get(b->security, (uint16_t) account, BJC_SECURITY_URI, 0);
    return uri ? bjc_fingerprint(BJC_FINGERPRINT, uri->as.bytes.data, uri->as.bytes.length) : 0;
}

static bootjack_error attempt(bjc_bootstrap *b, uint16_t account, const char **cause) {
    bjc_uri uri;
    *cause = "URI of the Bootstrap-Server cannot be used";
    if (!bjc_security_uri(b->security, account, &uri, cause)) {
        return BOOTJACK_ERR_FORMAT;
    }
    bootjack_error error = bjc_security_check_scheme(b->security, account);
    if (error) {
        *cause = "scheme of the Bootstrap-Server's URI does not go with its Security Mode";
        return error;
    }
    b->asked = whereabouts(b);
    bjc_peer peer = bjc_security_peer(b->security, account, &uri);
    error = bjc_session_open(b->transport, &peer, on_incoming, b, &b->session);
    if (!error) {
        bjc_session_watch(b->session, on_session_ended, NULL);
    }
    *cause = error == BOOTJACK_ERR_NAME ? "name of the Bootstrap-Server cannot be resolved"
                                        : "no session with the Bootstrap-Server";
    return error ? error : send_first(b, &uri);
}

static void start_attempt(bjc_bootstrap *b) {
    const char *cause;
    int32_t account = bjc_security_bootstrap_account(b->security);
    if (account < 0) {
        move(b, BJC_BOOTSTRAP_IDLE, "no Bootstrap-Server account");
        return;
    }
    close_lingering(b);
    b->attempted = true;
    bootjack_error error = attempt(b, (uint16_t) account, &cause);
    if (error) {
        bjc_log(b->core, BOOTJACK_LOG_WARNING, "no Bootstrap-Request: %s", bootjack_error_text(error));
        fail(b, cause);
        return;
    }
    bool pack = asks_for_pack(b);
    bjc_log(b->core, BOOTJACK_LOG_INFO, "%s to %s", pack ? "Bootstrap-Pack-Request" : "Bootstrap-Request",
            bjc_session_address(b->session));
    move(b, pack ? BJC_BOOTSTRAP_PACKING : BJC_BOOTSTRAP_REQUESTING, "hold-off is over");
}

static void on_timer(void *context) {
    bjc_bootstrap *b = context;
    if (b->state == BJC_BOOTSTRAP_HOLDING_OFF) {
        start_attempt(b);
    } else if (b->state == BJC_BOOTSTRAP_RECEIVING) {
        fail(b, "no Bootstrap-Finish in time");
    }
}

/* --- the session ------------------------------------------------------------------------------------------------ */

/* TS 1.0 §5.2.3.4: operations that nobody asked for begin a session, unless what lingers is about to be closed. */
static bool start_unasked(bjc_bootstrap *b, const bjc_incoming *request) {
    bool listens = b->core->config.legacy_server_initiated && b->lingering && !b->linger_timer.armed;
    if (!listens || !bjc_bootstrap_is_operation(request) ||
        begin_session(b, "unasked operation of the Bootstrap-Server")) {
        return false;
    }
    b->session = b->lingering;
    b->lingering = NULL;
    b->attempted = true;
    return true;
}

static void on_incoming(void *context, const bjc_incoming *request, bjc_reply *reply) {
    bjc_bootstrap *b = context;
    bool finish = false;
    bool early = under_way(b) && !bjc_session_asked(b->session); /* nothing was asked for yet */
    if (early || (!under_way(b) && !start_unasked(b, request))) {
        /* There is no session, or none any more; 4.00 is the one code that every row of the table allows (LwM2M
         * Transport 1.1 §6.7). */
        reply->code = BJC_BAD_REQUEST;
        return;
    }
    if (b->state == BJC_BOOTSTRAP_REQUESTING && begin_session(b, "a command overtook the response")) {
        reply->code = BJC_INTERNAL_ERROR;
        return;
    }
    arm_finish_timeout(b);
    bjc_bootstrap_operate(b, request, reply, &finish);
    if (finish) {
        succeed(b, "Bootstrap-Finish accepted");
    }
}

/* LwM2M Core 1.1 Appendix E.1, /0/x/12: the account goes some time after a bootstrap that succeeded. */
static void arm_purge(bjc_bootstrap *b) {
    int32_t account = bjc_security_bootstrap_account(b->security);
    int64_t timeout = account < 0 ? 0 : bjc_store_integer(b->security, (uint16_t) account, BJC_SECURITY_TIMEOUT, 0);
    bjc_timer_cancel(&b->core->scheduler, &b->purge_timer); /* a session that nobody asked for left it running */
    if (timeout > 0) {
        bjc_timer_arm(&b->core->scheduler, &b->purge_timer, timeout * BJC_SECOND);
    }
}

static void purge(void *context) {
    bjc_bootstrap *b = context;
    int32_t account = bjc_security_bootstrap_account(b->security);
    if (account >= 0 && b->state == BJC_BOOTSTRAP_IDLE) {
        bjc_store_remove(b->security, (uint16_t) account);
        close_lingering(b); /* its server has nothing to say any more (LwM2M Core 1.1 §6.1.3.3) */
        bjc_log(b->core, BOOTJACK_LOG_INFO, "Bootstrap-Server account /0/%d purged: its time is over", (int) account);
        b->changed(b->context);
    }
}

static void on_finished(void *context) {
    bjc_bootstrap *b = context;
    close_lingering(b);
    b->lingering = b->session;
    b->session = NULL;
    bjc_session_cancel(b->lingering); /* a request whose response was overtaken by the Finish */
    /* Who gave the account to another server has nothing to say any more (LwM2M Core 1.1 §6.1.3.3). */
    if (!b->core->config.legacy_server_initiated || whereabouts(b) != b->asked) {
        bjc_timer_arm(&b->core->scheduler, &b->linger_timer, bjc_session_exchange_lifetime(b->lingering));
    }
    arm_purge(b);
    b->finished(b->context);
}

/* --- from outside ----------------------------------------------------------------------------------------------- */

void bjc_bootstrap_init(bjc_bootstrap *b) {
    bjc_timer_init(&b->timer, on_timer, b);
    bjc_timer_init(&b->linger_timer, close_lingering, b);
    bjc_timer_init(&b->purge_timer, purge, b);
    bjc_timer_init(&b->finished_timer, on_finished, b);
}

void bjc_bootstrap_resume(bjc_bootstrap *b) {
    if (b->bootstrapped) {
        arm_purge(b);
    }
}

void bjc_bootstrap_stop(bjc_bootstrap *b) {
    bjc_timer_cancel(&b->core->scheduler, &b->timer);
    bjc_timer_cancel(&b->core->scheduler, &b->purge_timer);
    bjc_timer_cancel(&b->core->scheduler, &b->finished_timer);
    if (b->model->in_transaction) {
        bjc_model_roll_back(b->model);
    }
    bjc_session_close(b->session);
    b->session = NULL;
    close_lingering(b);
    if (b->state != BJC_BOOTSTRAP_IDLE) {
        move(b, BJC_BOOTSTRAP_IDLE, "the client stops");
    }
}

void bjc_bootstrap_network_changed(bjc_bootstrap *b) {
    if (!under_way(b) && b->state != BJC_BOOTSTRAP_PACKING) {
        return;
    }
    abandon(b);
    move(b, BJC_BOOTSTRAP_HOLDING_OFF, "the network changed"); /* which was waited for already */
    bjc_timer_arm(&b->core->scheduler, &b->timer, 0);
    b->failed(b->context);
}

bool bjc_bootstrap_has_account(const bjc_bootstrap *b) {
    return bjc_security_bootstrap_account(b->security) >= 0;
}

bool bjc_bootstrap_is_settling(const bjc_bootstrap *b) {
    return b->finished_timer.armed;
}

bool bjc_bootstrap_need(bjc_bootstrap *b, const char *cause) {
    if (b->state != BJC_BOOTSTRAP_IDLE || bjc_bootstrap_is_settling(b)) {
        return true;
    }
    if (!bjc_bootstrap_has_account(b)) {
        bjc_log(b->core, BOOTJACK_LOG_WARNING, "bootstrap needed (%s), but there is no Bootstrap-Server account",
                cause);
        return false;
    }
    b->failures += b->attempted;
    b->attempted = false;
    hold_off(b, cause);
    return true;
}

void bjc_bootstrap_succeeded(bjc_bootstrap *b) {
    b->failures = 0;
    b->attempted = false;
}
