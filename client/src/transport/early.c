/* SPDX-License-Identifier: Apache-2.0
 *
 * What a server sends over a stream before its Capabilities and Settings. libcoap 4.3.1 waits for these while it makes
 * the answer to a request, in the middle of reading; when another request comes meanwhile, it ends the process
 * (coap_client_delay_first()), or reads a message that it has freed. So in sessions of ours it is told a size at once:
 * what waits for the settings is held by libcoap until they are there.
 */
#define _GNU_SOURCE
#include <dlfcn.h>

#include "transport/internal.h"

static const char ours;

void bjc_context_mark(coap_context_t *coap) {
    coap_set_app_data(coap, (void *) &ours);
}

static bool is_early(const coap_session_t *session) {
    coap_proto_t protocol = coap_session_get_proto(session);
    return (protocol == COAP_PROTO_TCP || protocol == COAP_PROTO_TLS) &&
           coap_session_get_state(session) != COAP_SESSION_STATE_ESTABLISHED &&
           coap_get_app_data(coap_session_get_context(session)) == &ours;
}

/* Stands in front of libcoap's function where that is a shared library; where it is not, that function is the one. */
__attribute__((weak, visibility("default"))) size_t coap_session_max_pdu_size(const coap_session_t *session) {
    static size_t (*real)(const coap_session_t *);
    if (is_early(session)) {
        return COAP_DEFAULT_MTU;
    }
    if (!real) {
        *(void **) &real = dlsym(RTLD_NEXT, "coap_session_max_pdu_size");
    }
    return real(session);
}
