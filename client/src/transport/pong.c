/* SPDX-License-Identifier: Apache-2.0
 *
 * The token of a Ping. libcoap 4.3.1 leaves it out of the Pong, which must have it (RFC 8323 §5.4). It makes the Pong,
 * says that a Ping came, and sends: what it made is given room for a token, and between the two the token.
 */
#define _GNU_SOURCE
#include <dlfcn.h>

#include "transport/internal.h"

/* Made last; of use only while libcoap says that a Ping came. */
static _Thread_local coap_pdu_t *pong;

/* Stands in front of libcoap's function where that is a shared library; where it is not, that function is the one, and
 * Pongs have no token. */
__attribute__((weak, visibility("default"))) coap_pdu_t *coap_pdu_init(coap_pdu_type_t type, coap_pdu_code_t code,
                                                                       coap_mid_t mid, size_t size) {
    static coap_pdu_t *(*real)(coap_pdu_type_t, coap_pdu_code_t, coap_mid_t, size_t);
    if (!real) {
        *(void **) &real = dlsym(RTLD_NEXT, "coap_pdu_init");
    }
    if (code != COAP_SIGNALING_CODE_PONG) {
        return real(type, code, mid, size);
    }
    pong = real(type, code, mid, size + BJC_TOKEN_MAX);
    return pong;
}

void bjc_on_ping(coap_session_t *session, const coap_pdu_t *ping, coap_mid_t mid) {
    (void) session, (void) mid;
    coap_bin_const_t token = coap_pdu_get_token(ping);
    if (pong && coap_pdu_get_code(ping) == COAP_SIGNALING_CODE_PING && token.length > 0) {
        coap_add_token(pong, token.length, token.s);
    }
    pong = NULL;
}
