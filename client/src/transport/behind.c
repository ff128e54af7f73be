/* SPDX-License-Identifier: Apache-2.0
 *
 * What comes over a stream behind the response to our request, in the same piece. libcoap hands on all messages of a
 * piece before it returns, but what a response means is settled after that: requests behind it are kept until then, so
 * that they find what it made (a server may manage a client as soon as it has answered its Register).
 */
#include "transport/internal.h"

/* As many as anybody sends behind one response; more are answered with 5.00. */
#define MOST 64

/* RFC 7252 §3.1: the part of an option's first byte, and what follows it. */
static unsigned nibble(size_t number) {
    return number < 13 ? (unsigned) number : number < 269 ? 13 : 14;
}

static void put_extended(bjc_buffer *out, size_t number) {
    if (number >= 269) {
        bjc_buffer_byte(out, (unsigned) (number - 269) >> 8);
        bjc_buffer_byte(out, (unsigned) (number - 269) & 0xFF);
    } else if (number >= 13) {
        bjc_buffer_byte(out, (unsigned) number - 13);
    }
}

/* As a datagram: libcoap's own copies are no larger than what may be sent to the server, and it adds no option twice
 * that may be there once. */
static void put(bjc_buffer *out, const coap_pdu_t *request) {
    coap_bin_const_t token = coap_pdu_get_token(request);
    coap_opt_iterator_t iterator;
    size_t number = 0, length;
    const uint8_t *payload;
    bjc_buffer_byte(out, 0x40 | (unsigned) coap_pdu_get_type(request) << 4 | (unsigned) token.length);
    bjc_buffer_byte(out, coap_pdu_get_code(request));
    bjc_buffer_append(out, (const uint8_t[2]){ 0 }, 2);
    bjc_buffer_append(out, token.s, token.length);
    coap_option_iterator_init(request, &iterator, COAP_OPT_ALL);
    for (coap_opt_t *option = coap_option_next(&iterator); option; option = coap_option_next(&iterator)) {
        length = coap_opt_length(option);
        bjc_buffer_byte(out, nibble(iterator.number - number) << 4 | nibble(length));
        put_extended(out, iterator.number - number);
        put_extended(out, length);
        bjc_buffer_append(out, coap_opt_value(option), length);
        number = iterator.number;
    }
    if (coap_get_data(request, &length, &payload)) {
        bjc_buffer_byte(out, 0xFF);
        bjc_buffer_append(out, payload, length);
    }
}

/* NULL: no memory. */
static coap_pdu_t *copy(const bjc_session *session, const coap_pdu_t *request) {
    bjc_buffer bytes;
    bjc_buffer_init(&bytes, &session->transport->core->allocator);
    put(&bytes, request);
    coap_pdu_t *pdu = bytes.failed ? NULL : coap_pdu_init(0, 0, 0, bytes.length);
    if (pdu && !coap_pdu_parse(COAP_PROTO_UDP, bytes.data, bytes.length, pdu)) {
        coap_delete_pdu(pdu);
        pdu = NULL;
    }
    bjc_buffer_free(&bytes);
    return pdu;
}

bool bjc_behind_waits(const bjc_session *session) {
    return session->stream && (session->pending.ended || session->behind);
}

bool bjc_behind_keep(bjc_session *session, const coap_pdu_t *request) {
    bjc_behind **slot = &session->behind;
    unsigned count = 0;
    for (; *slot; slot = &(*slot)->next) {
        count++;
    }
    bjc_behind *behind = count < MOST ? bjc_allocate(&session->transport->core->allocator, sizeof *behind) : NULL;
    coap_pdu_t *pdu = behind ? copy(session, request) : NULL;
    if (!pdu) {
        bjc_release(&session->transport->core->allocator, behind);
        return false;
    }
    behind->request = pdu;
    *slot = behind;
    return true;
}

static void forget_first(bjc_session *session) {
    bjc_behind *first = session->behind;
    session->behind = first->next;
    coap_delete_pdu(first->request);
    bjc_release(&session->transport->core->allocator, first);
}

void bjc_behind_free(bjc_session *session) {
    while (session->behind) {
        forget_first(session);
    }
}

/* The answer leaves by itself: over a stream its token is all that it has to do with the request. */
static void answer(bjc_session *session, const coap_pdu_t *request) {
    coap_pdu_t *response = coap_new_pdu(COAP_MESSAGE_NON, COAP_EMPTY_CODE, session->coap);
    coap_bin_const_t token = coap_pdu_get_token(request);
    if (!response) {
        return;
    }
    coap_add_token(response, token.length, token.s);
    bjc_answer_new(session, request, response);
    if (coap_pdu_get_code(response) == COAP_EMPTY_CODE) {
        coap_delete_pdu(response);
    } else {
        coap_send(session->coap, response);
    }
}

void bjc_behind_settle(bjc_session *session) {
    if (session->coap && session->up && !session->over) {
        answer(session, session->behind->request);
    }
    forget_first(session);
}
