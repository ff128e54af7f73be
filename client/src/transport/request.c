/* SPDX-License-Identifier: Apache-2.0
 *
 * Our requests: sent by libcoap, which retransmits them; ended by a response with our token, by what libcoap reports,
 * or by a deadline of our own, since an acknowledgement that no response follows is reported by nobody.
 */
#include <assert.h>
#include <string.h>

#include "transport/internal.h"

const char *bjc_outcome_text(bjc_outcome outcome) {
    static const char *const texts[] = {
        "response", "reset", "no answer", "nobody there", "connection closed", "no secure session", "damaged response"
    };
    return texts[outcome];
}

static void on_deadline(void *context) {
    bjc_session *session = context;
    if (!session->pending.ended) {
        session->pending.result.outcome = BJC_TIMEOUT;
        session->pending.ended = true;
    }
    bjc_pending_settle(session);
}

void bjc_pending_init(bjc_session *session) {
    bjc_timer_init(&session->pending.deadline, on_deadline, session);
    bjc_buffer_init(&session->pending.response, &session->transport->core->allocator);
    bjc_buffer_init(&session->pending.body, &session->transport->core->allocator);
}

void bjc_pending_free(bjc_session *session) {
    bjc_pending *pending = &session->pending;
    bjc_timer_cancel(session->transport->scheduler, &pending->deadline);
    bjc_outgoing_free(&pending->out, &session->transport->core->allocator);
    bjc_buffer_free(&pending->response);
    bjc_buffer_free(&pending->body);
    pending->active = pending->ended = pending->held = pending->next_wanted = pending->continues = false;
}

bool bjc_session_busy(const bjc_session *session) {
    return session->pending.active;
}

bool bjc_session_asked(const bjc_session *session) {
    return !(session->pending.active && session->pending.held);
}

/* libcoap has no way to give up one message; over UDP and without security a session lives on after this. */
static void stop_sending(bjc_session *session) {
    session->over = session->over || session->secure || session->stream;
    bjc_beside_lose(session);
    if (session->coap) {
        coap_session_set_app_data(session->coap, NULL);
        coap_session_disconnected(session->coap, COAP_NACK_NOT_DELIVERABLE);
        coap_session_set_app_data(session->coap, session);
    }
}

/* Whether libcoap has something left to send; what waits for a response alone ends no session. */
static bool is_sending(const bjc_session *session) {
    return session->coap && !coap_can_exit(session->context->coap);
}

void bjc_session_cancel(bjc_session *session) {
    if (session->pending.active) {
        bjc_pending_free(session);
        if (is_sending(session)) {
            stop_sending(session);
        }
    }
}

/* --- sending ---------------------------------------------------------------------------------------------------- */

/* False: it cannot be built. A refusal of the system is an outcome like any other. */
static bool transmit(bjc_session *session) {
    bjc_pending *pending = &session->pending;
    if (!bjc_random_bytes(session->transport->core, pending->token, sizeof pending->token)) {
        return false;
    }
    coap_pdu_t *pdu = bjc_outgoing_pdu(&pending->out, session, pending->token);
    if (!pdu) {
        return false;
    }
    pending->message_id = coap_send(session->coap, pdu);
    if (pending->message_id == COAP_INVALID_MID) {
        pending->result.outcome = BJC_UNREACHABLE;
        pending->ended = true;
        bjc_timer_arm(session->transport->scheduler, &pending->deadline, 0);
    }
    return true;
}

static void arm_deadline(bjc_session *session) {
    const bootjack_config *config = &session->transport->core->config;
    bjc_time most = session->stream ? config->stream_timeout_ms * BJC_MS : bjc_exchange_lifetime(&config->tx);
    bjc_timer_arm(session->transport->scheduler, &session->pending.deadline, most);
}

static bool send_pending(bjc_session *session) {
    bjc_pending *pending = &session->pending;
    arm_deadline(session);
    bjc_outgoing_rewind(&pending->out);
    pending->held = !session->up;
    return pending->held || transmit(session);
}

bool bjc_pending_ready(const bjc_session *session) {
    const bjc_pending *pending = &session->pending;
    return pending->active && !pending->ended && ((pending->held && session->up) || pending->continues);
}

void bjc_pending_proceed(bjc_session *session) {
    if (!bjc_pending_ready(session)) {
        return;
    }
    session->pending.held = session->pending.continues = false;
    arm_deadline(session);
    if (!transmit(session)) {
        session->pending.result.outcome = BJC_CLOSED;
        session->pending.ended = true;
    }
}

bool bjc_pending_wants_block(const bjc_session *session) {
    return session->pending.active && session->pending.next_wanted && !session->pending.ended;
}

/* RFC 7959 §2.4: the same request for the next block, under a message id and a token of its own. */
void bjc_pending_ask_block(bjc_session *session) {
    if (!bjc_pending_wants_block(session)) {
        return;
    }
    bjc_pending *pending = &session->pending;
    bjc_block block = { .size_exponent = pending->size_exponent };
    block.number = (uint32_t) (pending->body.length / bjc_block_unit(&block));
    pending->out.request.has_block2 = true;
    pending->out.request.block2 = (uint32_t) bjc_block_value(&block);
    pending->next_wanted = false;
    if (!send_pending(session)) {
        session->pending.result.outcome = BJC_DAMAGED;
        session->pending.ended = true;
    }
}

bootjack_error bjc_session_request(bjc_session *session, const bjc_request *request, bjc_completion_fn *completion,
                                   void *context) {
    assert(!session->pending.active);
    bjc_session_wake(session);
    if (!bjc_session_alive(session)) {
        return BOOTJACK_ERR_NETWORK;
    }
    if (!bjc_outgoing_keep(&session->pending.out, &session->transport->core->allocator, request)) {
        return BOOTJACK_ERR_MEMORY;
    }
    session->pending.active = true;
    session->pending.completion = completion;
    session->pending.context = context;
    session->pending.result = (bjc_completion){ .outcome = BJC_RESPONSE };
    if (!send_pending(session)) {
        bjc_pending_free(session);
        return BOOTJACK_ERR_LIMIT;
    }
    return BOOTJACK_OK;
}

/* --- ending ----------------------------------------------------------------------------------------------------- */

/* Nobody answered where we asked: is there another address? */
static bool go_to_next_address(bjc_session *session) {
    bjc_pending *pending = &session->pending;
    bjc_outcome outcome = pending->result.outcome;
    bool nobody = outcome == BJC_UNREACHABLE || outcome == BJC_TIMEOUT || outcome == BJC_INSECURE;
    if (!nobody || session->heard || session->address_index >= session->address_count) {
        return false;
    }
    bjc_log(session->transport->core, BOOTJACK_LOG_INFO, "%s: %s, trying the next address", session->address_text,
            bjc_outcome_text(pending->result.outcome));
    pending->ended = false;
    bjc_session_disconnect(session);
    return bjc_session_connect(session) && send_pending(session);
}

/* What libcoap reports of the request itself says more, and comes after the event. */
bool bjc_pending_lost(const bjc_session *session) {
    return session->over && session->pending.active && !session->pending.ended;
}

/* A connection that was never made, one that never became secure, one that ended. */
static bjc_outcome lost_outcome(const bjc_session *session) {
    if (session->heard) {
        return BJC_CLOSED;
    }
    return session->secure ? BJC_INSECURE : BJC_UNREACHABLE;
}

void bjc_pending_lose(bjc_session *session) {
    if (bjc_pending_lost(session)) {
        session->pending.result.outcome = lost_outcome(session);
        session->pending.ended = true;
    }
}

void bjc_pending_settle(bjc_session *session) {
    bjc_pending *pending = &session->pending;
    assert(pending->active && pending->ended);
    if (go_to_next_address(session)) {
        return;
    }
    bjc_completion_fn *completion = pending->completion;
    void *context = pending->context;
    bjc_completion result = pending->result;
    bjc_buffer response = pending->response;
    bjc_buffer_init(&pending->response, response.allocator);
    bjc_pending_free(session);
    bool answered = result.outcome == BJC_RESPONSE || result.outcome == BJC_DAMAGED || result.outcome == BJC_RESET;
    /* The server that does not answer may have something to ask all the same. */
    bool unanswered = result.outcome == BJC_TIMEOUT && !is_sending(session);
    if (!answered && !unanswered) {
        stop_sending(session);
    }
    completion(context, &result);
    bjc_buffer_free(&response);
}

/* --- libcoap's callbacks ---------------------------------------------------------------------------------------- */

static bool is_under_way(const bjc_pending *pending) {
    return pending->active && !pending->held && !pending->continues && !pending->ended && !pending->next_wanted;
}

bool bjc_pending_awaits(const bjc_session *session, coap_mid_t message_id) {
    return is_under_way(&session->pending) && session->pending.message_id == message_id;
}

void bjc_pending_acknowledge(bjc_session *session, coap_mid_t message_id) {
    if (session->pending.message_id == message_id) {
        session->pending.message_id = COAP_INVALID_MID;
    }
}

static bool is_ours(const bjc_session *session, const coap_pdu_t *pdu) {
    coap_bin_const_t token = coap_pdu_get_token(pdu);
    return is_under_way(&session->pending) && token.length == BJC_TOKEN_LENGTH &&
           memcmp(token.s, session->pending.token, BJC_TOKEN_LENGTH) == 0;
}

/* Where it is that was created (RFC 7252 §5.10.7); in any other response it says nothing. The offsets of the parts are
 * turned into pointers when the buffer no longer moves. */
static bool keep_location(bjc_pending *pending, const coap_pdu_t *received, size_t *offsets) {
    coap_opt_iterator_t iterator;
    coap_opt_filter_t filter;
    if (coap_pdu_get_code(received) != COAP_RESPONSE_CODE_CREATED) {
        return true;
    }
    coap_option_filter_clear(&filter);
    coap_option_filter_set(&filter, COAP_OPTION_LOCATION_PATH);
    coap_option_iterator_init(received, &iterator, &filter);
    for (coap_opt_t *option = coap_option_next(&iterator); option; option = coap_option_next(&iterator)) {
        if (pending->result.location_count == BJC_SEGMENTS) {
            return false;
        }
        offsets[pending->result.location_count] = pending->response.length;
        pending->result.location[pending->result.location_count++].length = coap_opt_length(option);
        bjc_buffer_append(&pending->response, coap_opt_value(option), coap_opt_length(option));
    }
    return true;
}

static int number_of(const coap_pdu_t *received, coap_option_num_t option) {
    coap_opt_iterator_t iterator;
    const coap_opt_t *found = coap_check_option(received, option, &iterator);
    return found ? (int) coap_decode_var_bytes(coap_opt_value(found), coap_opt_length(found)) : -1;
}

/* Another ETag than that of the first block: the representation has changed (RFC 7959 §2.4). */
static bool same_etag(bjc_pending *pending, const coap_pdu_t *received) {
    coap_opt_iterator_t iterator;
    const coap_opt_t *found = coap_check_option(received, COAP_OPTION_ETAG, &iterator);
    size_t length = found ? coap_opt_length(found) : 0;
    if (length > sizeof pending->etag) {
        return false;
    }
    if (pending->body.length == 0) {
        pending->etag_length = length;
        if (length) {
            memcpy(pending->etag, coap_opt_value(found), length);
        }
    }
    return length == pending->etag_length && (length == 0 || memcmp(coap_opt_value(found), pending->etag, length) == 0);
}

/* Takes one block of the response; false: it does not belong behind what is there. */
static bool take_block(bjc_session *session, const coap_pdu_t *received, const bjc_block *block, const uint8_t *data,
                       size_t length) {
    bjc_pending *pending = &session->pending;
    size_t size = bjc_block_unit(block);
    /* RFC 8323 §6: with BERT, a block is any number of units; before the last, whole ones. */
    bool bert = session->stream && block->size_exponent == BJC_BERT;
    bool fits = bert          ? !block->more || (length > 0 && length % size == 0)
                : block->more ? length == size
                              : length <= size;
    if (!fits || (block->size_exponent == BJC_BERT && !bert) || block->number * size != pending->body.length ||
        pending->body.length + length > session->transport->core->config.max_payload || !same_etag(pending, received)) {
        return false;
    }
    pending->size_exponent = block->size_exponent;
    pending->next_wanted = block->more;
    return length == 0 || bjc_buffer_append(&pending->body, data, length);
}

static void damaged(bjc_pending *pending) {
    pending->result = (bjc_completion){ .outcome = BJC_DAMAGED };
    pending->next_wanted = false;
    pending->ended = true;
}

static void keep_response(bjc_session *session, const coap_pdu_t *received, const uint8_t *data, size_t length) {
    bjc_pending *pending = &session->pending;
    size_t offsets[BJC_SEGMENTS];
    pending->result = (bjc_completion){ .outcome = BJC_RESPONSE,
                                        .code = (uint8_t) coap_pdu_get_code(received),
                                        .content_format = number_of(received, COAP_OPTION_CONTENT_FORMAT) };
    bool kept = keep_location(pending, received, offsets);
    size_t payload_at = pending->response.length;
    bjc_buffer_append(&pending->response, data, length);
    if (!kept) { /* as if there were none: it is an answer all the same, and who needs its location sees none */
        pending->result.location_count = 0;
    }
    if (pending->response.failed) {
        pending->result.outcome = BJC_CLOSED;
        pending->result.location_count = 0;
        return;
    }
    for (size_t i = 0; i < pending->result.location_count; i++) {
        const char *texts = (const char *) pending->response.data; /* NULL where all segments are empty */
        pending->result.location[i].data = texts ? texts + offsets[i] : "";
    }
    pending->result.payload = pending->response.data ? pending->response.data + payload_at : NULL;
    pending->result.payload_length = length;
}

/* The response, or one block of it. */
static void take_response(bjc_session *session, const coap_pdu_t *received) {
    bjc_pending *pending = &session->pending;
    const uint8_t *data = NULL;
    size_t length = 0;
    bjc_block block;
    int option = number_of(received, COAP_OPTION_BLOCK2);
    coap_get_data(received, &length, &data);
    bool success = coap_pdu_get_code(received) >> 5 == 2;
    if (!success || (option < 0 && pending->body.length == 0)) {
        keep_response(session, received, data, length);
        pending->ended = true;
        return;
    }
    block = (bjc_block){ .number = (uint32_t) option >> 4, .more = option & 8, .size_exponent = option & 7 };
    if (option < 0 || !take_block(session, received, &block, data, length)) {
        damaged(pending);
        return;
    }
    if (!pending->next_wanted) {
        keep_response(session, received, pending->body.data, pending->body.length);
        pending->ended = true;
    }
}

/* A piggybacked response acknowledges the request that it answers; `sent` is NULL where its Message ID is that of no
 * message that is waiting for one (RFC 7252 §5.3.2). */
static bool acknowledges_nothing(const bjc_session *session, const coap_pdu_t *sent, const coap_pdu_t *received) {
    return !session->stream && coap_pdu_get_type(received) == COAP_MESSAGE_ACK && !sent;
}

/* RFC 7252 §4.2: a code of a reserved class is that of no response; libcoap hands on those of class 6. */
static bool is_reserved(const coap_pdu_t *received) {
    return coap_pdu_get_code(received) >> 5 > 5;
}

/* False: RFC 7252 §5.3.2: rejected, with a Reset where it was Confirmable (§4.2), silently otherwise. */
static bool take_or_reject(bjc_session *session, const coap_pdu_t *received) {
    bool ours = is_ours(session, received);
    if (is_reserved(received)) {
        return false;
    }
    if (!ours) {
        return bjc_beside_response(session, received);
    }
    if (bjc_outgoing_goes_on(&session->pending.out, received)) {
        session->pending.continues = true;
    } else {
        take_response(session, received);
    }
    return true;
}

coap_response_t bjc_on_response(coap_session_t *coap, const coap_pdu_t *sent, const coap_pdu_t *received,
                                coap_mid_t mid) {
    (void) mid;
    bjc_session *session = coap_session_get_app_data(coap);
    if (!session || session->deaf || acknowledges_nothing(session, sent, received)) {
        return COAP_RESPONSE_OK;
    }
    session->heard = true;
    bool taken = take_or_reject(session, received);
    bool reject = !taken && !session->stream && coap_pdu_get_type(received) == COAP_MESSAGE_CON;
    bjc_again_note(session, received, reject);
    return reject ? COAP_RESPONSE_FAIL : COAP_RESPONSE_OK;
}

static bool is_end(const bjc_session *session, coap_event_t event) {
    bool secure = event == COAP_EVENT_DTLS_CLOSED || event == COAP_EVENT_DTLS_ERROR;
    bool stream = event == COAP_EVENT_TCP_CLOSED || event == COAP_EVENT_TCP_FAILED ||
                  event == COAP_EVENT_SESSION_CLOSED || event == COAP_EVENT_SESSION_FAILED;
    return (secure && session->secure) || (stream && session->stream);
}

/* The beginning of a stream, and the end of a session; libcoap would begin another one with the next message by itself.
 */
int bjc_on_event(coap_session_t *coap, coap_event_t event) {
    bjc_session *session = coap_session_get_app_data(coap);
    if (session && event == COAP_EVENT_SESSION_CONNECTED) {
        session->settings = true;
    }
    if (session && is_end(session, event) && !session->over) {
        session->over = true;
        bjc_log(session->transport->core, BOOTJACK_LOG_INFO, "%s: %s is over", session->address_text,
                session->secure ? "secure session" : "connection");
    }
    return 0;
}

void bjc_on_nack(coap_session_t *coap, const coap_pdu_t *sent, coap_nack_reason_t reason, coap_mid_t mid) {
    (void) mid;
    static const bjc_outcome outcomes[] = {
        [COAP_NACK_TOO_MANY_RETRIES] = BJC_TIMEOUT,
        [COAP_NACK_NOT_DELIVERABLE] = BJC_CLOSED,
        [COAP_NACK_RST] = BJC_RESET,
        [COAP_NACK_TLS_FAILED] = BJC_INSECURE,
        [COAP_NACK_ICMP_ISSUE] = BJC_UNREACHABLE,
    };
    bjc_session *session = coap_session_get_app_data(coap);
    if (!session || !sent || (unsigned) reason >= sizeof outcomes / sizeof *outcomes) {
        return;
    }
    if (!is_ours(session, sent)) {
        bjc_beside_nack(session, sent, outcomes[reason]);
        return;
    }
    session->heard = session->heard || reason == COAP_NACK_RST;
    session->pending.result.outcome = outcomes[reason];
    if (reason == COAP_NACK_TLS_FAILED || (reason == COAP_NACK_NOT_DELIVERABLE && session->stream)) {
        session->pending.result.outcome = lost_outcome(session);
    }
    session->pending.ended = true;
}
