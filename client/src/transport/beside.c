/* SPDX-License-Identifier: Apache-2.0
 *
 * What leaves beside the requests of the registration: notifications (RFC 7641 §4), and reports that the client sends
 * on its own (LwM2M Core 1.1 §6.4.6). libcoap retransmits; that a message was acknowledged it tells nobody, but it can
 * be asked whether anything is left to retransmit.
 */
#include <assert.h>
#include <string.h>

#include "transport/internal.h"

/* Largest payload of one message (RFC 7252 §4.6), and its exponent in a Block option. */
#define MESSAGE_PAYLOAD       1024u
#define MESSAGE_SIZE_EXPONENT 6u

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

static bjc_beside *add(bjc_session *session, const uint8_t *token, size_t token_length, size_t room) {
    bjc_beside *b = bjc_allocate(&session->transport->core->allocator, sizeof *b + room);
    if (!b) {
        return NULL;
    }
    b->session = session;
    memcpy(b->token, token, token_length);
    b->token_length = token_length;
    bjc_timer_init(&b->deadline, on_deadline, b);
    const bootjack_config *config = &session->transport->core->config;
    bjc_time most = session->stream ? config->stream_timeout_ms * BJC_MS : bjc_exchange_lifetime(&config->tx);
    bjc_timer_arm(session->transport->scheduler, &b->deadline, most);
    bjc_beside **slot = &session->beside;
    while (*slot) {
        slot = &(*slot)->next;
    }
    *slot = b;
    return b;
}

static void drop(bjc_session *session, bjc_beside **slot) {
    bjc_beside *b = *slot;
    *slot = b->next;
    bjc_timer_cancel(session->transport->scheduler, &b->deadline);
    bjc_release(&session->transport->core->allocator, b);
}

/* --- notifications ---------------------------------------------------------------------------------------------- */

static bool put_number(coap_pdu_t *pdu, coap_option_num_t option, uint32_t number) {
    uint8_t bytes[4];
    return coap_add_option(pdu, option, coap_encode_var_safe(bytes, sizeof bytes, number), bytes) > 0;
}

/* The server asks for the other blocks with GET or FETCH (RFC 7959 §2.6). */
static bool fill(coap_pdu_t *pdu, const bjc_notification *n) {
    bool blocks = n->payload_length > MESSAGE_PAYLOAD;
    size_t length = blocks ? MESSAGE_PAYLOAD : n->payload_length;
    bjc_block first = { .number = 0, .more = true, .size_exponent = MESSAGE_SIZE_EXPONENT };
    return coap_add_token(pdu, n->token_length, n->token) &&
           (!n->observed || put_number(pdu, COAP_OPTION_OBSERVE, n->sequence & 0xFFFFFF)) &&
           (n->content_format < 0 || put_number(pdu, COAP_OPTION_CONTENT_FORMAT, (uint32_t) n->content_format)) &&
           (!blocks || (put_number(pdu, COAP_OPTION_BLOCK2, (uint32_t) bjc_block_value(&first)) &&
                        put_number(pdu, COAP_OPTION_SIZE2, (uint32_t) n->payload_length))) &&
           (length == 0 || coap_add_data(pdu, length, n->payload));
}

static bootjack_error put_on_the_way(bjc_session *session, const bjc_notification *n) {
    coap_pdu_t *pdu = coap_pdu_init(n->confirmable ? COAP_MESSAGE_CON : COAP_MESSAGE_NON, (coap_pdu_code_t) n->code,
                                    coap_new_message_id(session->coap), coap_session_max_pdu_size(session->coap));
    if (!pdu || !fill(pdu, n)) {
        coap_delete_pdu(pdu);
        return BOOTJACK_ERR_MEMORY;
    }
    return coap_send(session->coap, pdu) == COAP_INVALID_MID ? BOOTJACK_ERR_NETWORK : BOOTJACK_OK;
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
    if (!session->coap || session->over || !session->up) {
        return BOOTJACK_ERR_NETWORK;
    }
    if (!notification->confirmable || session->stream) {
        return put_on_the_way(session, notification);
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
    bootjack_error error = put_on_the_way(session, notification);
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

/* --- reports ---------------------------------------------------------------------------------------------------- */

bootjack_error bjc_session_request_beside(bjc_session *session, const bjc_request *request,
                                          bjc_completion_fn *completion, void *context) {
    uint8_t token[BJC_TOKEN_LENGTH];
    assert(completion);
    bjc_session_wake(session);
    bjc_session_note_use(session);
    if (!session->coap || session->over || !session->up) {
        return BOOTJACK_ERR_NETWORK;
    }
    if (request->payload_length > MESSAGE_PAYLOAD) {
        return BOOTJACK_ERR_LIMIT;
    }
    if (!bjc_random_bytes(session->transport->core, token, sizeof token)) {
        return BOOTJACK_ERR_INTERNAL;
    }
    bjc_beside *b = add(session, token, sizeof token, 0);
    coap_pdu_t *pdu = b ? bjc_request_pdu(session, request, token) : NULL;
    if (!pdu || coap_send(session->coap, pdu) == COAP_INVALID_MID) {
        if (b) {
            forget(session, b);
        }
        return !pdu ? BOOTJACK_ERR_MEMORY : BOOTJACK_ERR_NETWORK;
    }
    b->completion = completion;
    b->context = context;
    return BOOTJACK_OK;
}

/* --- ending ----------------------------------------------------------------------------------------------------- */

/* The oldest that has this token: notifications of one observation share theirs, and go in order. */
static bjc_beside *with_token(const bjc_session *session, const coap_pdu_t *pdu) {
    coap_bin_const_t token = coap_pdu_get_token(pdu);
    bjc_beside *b = session->beside;
    while (b && (b->ended || b->token_length != token.length || memcmp(b->token, token.s, token.length) != 0)) {
        b = b->next;
    }
    return b;
}

bool bjc_beside_response(bjc_session *session, const coap_pdu_t *received) {
    bjc_beside *b = with_token(session, received);
    if (!b || !b->completion) {
        return false;
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
    bjc_release(&session->transport->core->allocator, b);
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
        if (b->ended || session->over) {
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
