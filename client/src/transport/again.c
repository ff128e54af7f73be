/* SPDX-License-Identifier: Apache-2.0
 *
 * Confirmable responses that come again. libcoap 4.3.1 passes over a Confirmable response with the Message ID of the
 * one before, however long ago that was, without a word to the server. What it is about to pass over is found as it
 * takes the message apart: a repetition gets its Acknowledgement or Reset again (RFC 7252 §4.5), another message is
 * taken.
 */
#define _GNU_SOURCE
#include <dlfcn.h>

#include "transport/internal.h"

/* Whose messages libcoap reads. */
static _Thread_local bjc_session *reading;

void bjc_again_read(bjc_session *session) {
    reading = session;
}

void bjc_again_note(bjc_session *session, const coap_pdu_t *received, bool rejected) {
    if (!session->stream && coap_pdu_get_type(received) == COAP_MESSAGE_CON) {
        session->last_response = (bjc_last_response){
            .expires = bjc_now() + bjc_exchange_lifetime(&session->transport->core->config.tx),
            .message_id = (uint16_t) coap_pdu_get_mid(received),
            .rejected = rejected,
        };
    }
}

/* Will libcoap pass over it? */
static bool is_last(const bjc_session *session, const coap_pdu_t *received) {
    unsigned class = coap_pdu_get_code(received) >> 5;
    return !session->stream && coap_pdu_get_type(received) == COAP_MESSAGE_CON && class >= 2 && class <= 6 &&
           session->last_response.expires && session->last_response.message_id == coap_pdu_get_mid(received);
}

static void take(bjc_session *session, const coap_pdu_t *received) {
    if (bjc_now() >= session->last_response.expires) {
        bjc_on_response(session->coap, NULL, received, coap_pdu_get_mid(received)); /* notes it as the last */
    }
    coap_send_message_type(session->coap, received,
                           session->last_response.rejected ? COAP_MESSAGE_RST : COAP_MESSAGE_ACK);
}

static bool resets_nothing(const bjc_session *session, const coap_pdu_t *received) {
    coap_mid_t message_id = coap_pdu_get_mid(received);
    return coap_pdu_get_type(received) == COAP_MESSAGE_RST && !bjc_pending_awaits(session, message_id) &&
           !bjc_beside_awaits(session, message_id);
}

/* Stands in front of libcoap's function where that is a shared library; where it is not, that function is the one, and
 * repetitions are passed over. */
__attribute__((weak, visibility("default"))) int coap_pdu_parse(coap_proto_t protocol, const uint8_t *data,
                                                                size_t length, coap_pdu_t *pdu) {
    static int (*real)(coap_proto_t, const uint8_t *, size_t, coap_pdu_t *);
    if (!real) {
        *(void **) &real = dlsym(RTLD_NEXT, "coap_pdu_parse");
    }
    int parsed = real(protocol, data, length, pdu);
    if (!parsed || !reading || !reading->coap) {
        return parsed;
    }
    if (is_last(reading, pdu)) {
        take(reading, pdu);
    } else if (resets_nothing(reading, pdu)) {
        coap_pdu_set_type(pdu, COAP_MESSAGE_ACK);
    } else if (coap_pdu_get_type(pdu) == COAP_MESSAGE_ACK) {
        bjc_pending_acknowledge(reading, coap_pdu_get_mid(pdu));
        bjc_beside_acknowledge(reading, coap_pdu_get_mid(pdu));
    }
    return parsed;
}
