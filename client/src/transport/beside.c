/* SPDX-License-Identifier: Apache-2.0
 *
 * What leaves beside the requests of the registration: notifications (RFC 7641 §4), and reports that the client sends
 * on its own (LwM2M Core 1.1 §6.4.6). libcoap retransmits; that a message was acknowledged it tells nobody, but it can
 * be asked whether anything is left to retransmit.
 */
#include <assert.h>
#include <string.h>

#include "transport/internal.h"

void bjc_session_set_notified(bjc_session *session, bjc_notified_fn *notified, void *context) {
    session->notified = notified;
    session->notified_context = context;
}

static void on_deadline(void *context) {
    bjc_beside *b = context;
    b->ended = true;
    b->outcome = b->completion ? BJC_TIMEOUT : BJC_RESPONSE; /* of a notification nothing bad was heard */
    bjc_beside_settle(b->session);
}

static void arm_deadline(bjc_beside *b) {
    const bjc_session *session = b->session;
    const bootjack_config *config = &session->transport->core->config;
    bjc_time most = session->stream ? config->stream_timeout_ms * BJC_MS : bjc_exchange_lifetime(&config->tx);
    bjc_timer_arm(session->transport->scheduler, &b->deadline, most);
}

static bjc_beside *add(bjc_session *session, const uint8_t *token, size_t token_length, size_t room) {
    bjc_beside *b = bjc_allocate(&session->transport->core->allocator, sizeof *b + room);
    if (!b) {
        return NULL;
    }
    b->session = session;
    memcpy(b->token, token, token_length);
    b->token_length = token_length;
    bjc_timer_init(&b->deadline, on_deadline, b);
    arm_deadline(b);
    bjc_beside **slot = &session->beside;
    while (*slot) {
        slot = &(*slot)->next;
    }
    *slot = b;
    return b;
}

static void release(bjc_beside *b) {
    const bootjack_allocator *allocator = &b->session->transport->core->allocator;
    bjc_outgoing_free(&b->out, allocator);
    bjc_release(allocator, b);
}

static void drop(bjc_session *session, bjc_beside **slot) {
    bjc_beside *b = *slot;
    *slot = b->next;
    bjc_timer_cancel(session->transport->scheduler, &b->deadline);
    release(b);
}

/* --- notifications ---------------------------------------------------------------------------------------------- */

static bool put_number(coap_pdu_t *pdu, coap_option_num_t option, uint32_t number) {
    uint8_t bytes[4];
    return coap_add_option(pdu, option, coap_encode_var_safe(bytes, sizeof bytes, number), bytes) > 0;
}

/* The server asks for the other blocks with GET or FETCH (RFC 7959 §2.6). */
static bool fill(coap_pdu_t *pdu, const bjc_notification *n, const bjc_block *first) {
    bool blocks = n->payload_length > bjc_block_unit(first);
    size_t length = blocks ? bjc_block_unit(first) : n->payload_length;
    return coap_add_token(pdu, n->token_length, n->token) &&
           (!n->observed || put_number(pdu, COAP_OPTION_OBSERVE, n->sequence & 0xFFFFFF)) &&
           (n->content_format < 0 || put_number(pdu, COAP_OPTION_CONTENT_FORMAT, (uint32_t) n->content_format)) &&
           (!blocks || (put_number(pdu, COAP_OPTION_BLOCK2, (uint32_t) bjc_block_value(first)) &&
                        put_number(pdu, COAP_OPTION_SIZE2, (uint32_t) n->payload_length))) &&
           (length == 0 || coap_add_data(pdu, length, n->payload));
}

/* With as much of it as a message to this server has room for. NULL: it cannot be built. */
static coap_pdu_t *build(bjc_session *session, const bjc_notification *n) {
    const uint16_t message_id = coap_new_message_id(session->coap);
    bjc_block first = { .number = 0, .more = true, .size_exponent = BJC_MESSAGE_SIZE_EXPONENT };
    for (;; first.size_exponent--) {
        coap_pdu_t *pdu = coap_pdu_init(n->confirmable ? COAP_MESSAGE_CON : COAP_MESSAGE_NON, (coap_pdu_code_t) n->code,
                                        message_id, coap_session_max_pdu_size(session->coap));
        if (pdu && fill(pdu, n, &first)) {
            return pdu;
        }
        coap_delete_pdu(pdu);
        if (!pdu || first.size_exponent == 0) {
            return NULL;
        }
    }
}

static bootjack_error put_on_the_way(bjc_session *session, const bjc_notification *n, coap_mid_t *message_id) {
    coap_pdu_t *pdu = build(session, n);
    if (!pdu) {
        return BOOTJACK_ERR_MEMORY;
    }
    *message_id = coap_send(session->coap, pdu);
    return *message_id == COAP_INVALID_MID ? BOOTJACK_ERR_NETWORK : BOOTJACK_OK;
}

static void forget(bjc_session *session, const bjc_beside *b) {
    bjc_beside **slot = &session->beside;
    while (*slot != b) {
        slot = &(*slot)->next;
    }
    drop(session, slot);
}

bootjack_error bjc_session_notify(bjc_session *session, const bjc_notification *notification) {
    bjc_session_wake(session);
    bjc_session_note_use(session);
    if (!bjc_session_alive(session) || !session->up) {
        return BOOTJACK_ERR_NETWORK;
    }
    if (!notification->confirmable || session->stream) {
        coap_mid_t message_id;
        return put_on_the_way(session, notification, &message_id);
    }
    bjc_beside *b = add(session, notification->token, notification->token_length, notification->payload_length);
    if (!b) {
        return BOOTJACK_ERR_MEMORY;
    }
    b->notification = *notification;
    if (notification->payload_length) {
        memcpy(b->payload, notification->payload, notification->payload_length);
    }
    b->notification.payload = b->payload;
    bootjack_error error = put_on_the_way(session, notification, &b->message_id);
    if (error) {
        forget(session, b);
    }
    return error;
}

unsigned bjc_session_unsettled(const bjc_session *session) {
    unsigned count = 0;
    for (const bjc_beside *b = session->beside; b; b = b->next) {
        count += b->completion == NULL;
    }
    return count;
}

bool bjc_session_notifies(const bjc_session *session, uint32_t id) {
    const bjc_beside *b = session->beside;
    while (b && (b->completion || b->notification.id != id)) {
        b = b->next;
    }
    return b != NULL;
}

/* --- reports ---------------------------------------------------------------------------------------------------- */

/* Each block is an exchange of its own, with a token and a deadline of its own. */
static bootjack_error transmit(bjc_beside *b) {
    bjc_session *session = b->session;
    if (!bjc_random_bytes(session->transport->core, b->token, BJC_TOKEN_LENGTH)) {
        return BOOTJACK_ERR_INTERNAL;
    }
    coap_pdu_t *pdu = bjc_outgoing_pdu(&b->out, session, b->token);
    if (!pdu) {
        return BOOTJACK_ERR_MEMORY;
    }
    arm_deadline(b);
    b->message_id = coap_send(session->coap, pdu);
    return b->message_id == COAP_INVALID_MID ? BOOTJACK_ERR_NETWORK : BOOTJACK_OK;
}

bootjack_error bjc_session_request_beside(bjc_session *session, const bjc_request *request,
                                          bjc_completion_fn *completion, void *context) {
    static const uint8_t no_token[BJC_TOKEN_LENGTH];
    assert(completion);
    bjc_session_wake(session);
    bjc_session_note_use(session);
    if (!bjc_session_alive(session) || !session->up) {
        return BOOTJACK_ERR_NETWORK;
    }
    bjc_beside *b = add(session, no_token, sizeof no_token, 0);
    if (!b) {
        return BOOTJACK_ERR_MEMORY;
    }
    bool kept = bjc_outgoing_keep(&b->out, &session->transport->core->allocator, request);
    bootjack_error error = kept ? transmit(b) : BOOTJACK_ERR_MEMORY;
    if (error) {
        forget(session, b);
        return error;
    }
    b->completion = completion;
    b->context = context;
    return BOOTJACK_OK;
}

static void go_on(bjc_beside *b) {
    b->continues = false;
    if (transmit(b)) {
        b->ended = true;
        b->outcome = BJC_CLOSED;
    }
}

/* --- ending ----------------------------------------------------------------------------------------------------- */

/* The oldest that has this token: notifications of one observation share theirs, and go in order. */
static bjc_beside *with_token(const bjc_session *session, const coap_pdu_t *pdu) {
    coap_bin_const_t token = coap_pdu_get_token(pdu);
    bjc_beside *b = session->beside;
    while (b && (b->ended || b->continues || b->token_length != token.length ||
                 memcmp(b->token, token.s, token.length) != 0)) {
        b = b->next;
    }
    return b;
}

bool bjc_beside_awaits(const bjc_session *session, coap_mid_t message_id) {
    const bjc_beside *b = session->beside;
    while (b && (b->ended || b->continues || b->message_id != message_id)) {
        b = b->next;
    }
    return b != NULL;
}

void bjc_beside_acknowledge(bjc_session *session, coap_mid_t message_id) {
    for (bjc_beside *b = session->beside; b; b = b->next) {
        b->message_id = b->message_id == message_id ? COAP_INVALID_MID : b->message_id;
    }
}

bool bjc_beside_response(bjc_session *session, const coap_pdu_t *received) {
    bjc_beside *b = with_token(session, received);
    if (!b || !b->completion) {
        return false;
    }
    if (bjc_outgoing_goes_on(&b->out, received)) {
        b->continues = true;
        return true;
    }
    b->ended = true;
    b->outcome = BJC_RESPONSE;
    b->code = (uint8_t) coap_pdu_get_code(received);
    return true;
}

void bjc_beside_nack(bjc_session *session, const coap_pdu_t *sent, bjc_outcome outcome) {
    bjc_beside *b = with_token(session, sent);
    if (b) {
        session->heard = session->heard || outcome == BJC_RESET;
        b->ended = true;
        b->outcome = outcome;
    }
}

void bjc_beside_lose(bjc_session *session) {
    for (bjc_beside *b = session->beside; b; b = b->next) {
        if (!b->ended) {
            b->ended = true;
            b->outcome = BJC_CLOSED;
        }
    }
}

/* Nothing is retransmitted any more, on any session of the context: what was not heard of was acknowledged. */
static void note_acknowledged(bjc_session *session) {
    if (!session->coap || !coap_can_exit(session->context->coap)) {
        return;
    }
    for (bjc_beside *b = session->beside; b; b = b->next) {
        if (!b->completion && !b->ended) {
            b->ended = true;
            b->outcome = BJC_RESPONSE;
        }
    }
}

static void tell(bjc_session *session, bjc_beside *b) {
    bjc_timer_cancel(session->transport->scheduler, &b->deadline);
    if (b->completion) {
        const bjc_completion result = { .outcome = b->outcome, .code = b->code };
        b->completion(b->context, &result);
    } else if (session->notified) {
        session->notified(session->notified_context, b->outcome, &b->notification);
    }
    release(b);
}

/* Those told about may add others, never close the session. */
void bjc_beside_settle(bjc_session *session) {
    if (session->over && session->coap) {
        bjc_beside_lose(session);
    }
    note_acknowledged(session);
    bjc_beside **slot = &session->beside;
    while (*slot) {
        bjc_beside *b = *slot;
        if (b->continues && !b->ended) {
            go_on(b);
        }
        if (b->ended) {
            *slot = b->next;
            tell(session, b);
            bjc_session_note_use(session);
            slot = &session->beside;
        } else {
            slot = &b->next;
        }
    }
}

bool bjc_session_reports(const bjc_session *session) {
    return session->beside != NULL;
}

bool bjc_beside_waiting(const bjc_session *session) {
    for (const bjc_beside *b = session->beside; b; b = b->next) {
        if (b->ended || b->continues || session->over) {
            return true;
        }
    }
    return false;
}

/* Told as lost, so that what was not delivered can be kept. */
void bjc_beside_free(bjc_session *session) {
    note_acknowledged(session);
    bjc_beside_lose(session);
    while (session->beside) {
        bjc_beside *b = session->beside;
        session->beside = b->next;
        tell(session, b);
    }
}
