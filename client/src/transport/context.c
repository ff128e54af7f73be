/* SPDX-License-Identifier: Apache-2.0
 *
 * libcoap's contexts: how the library is set up and driven. The only thing here that is not of one client alone is what
 * libcoap itself keeps for the process: its start-up and its log level.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>

#include "transport/internal.h"

/* Datagrams taken in one go, so that a flood cannot keep the timers waiting. */
#define READS_AT_ONCE 64
/* More than any socket's buffer holds. */
#define MOST_WAITING 65536
/* RFC 8323 §5.3.1: 1152 bytes are taken by everyone. */
#define MESSAGE_HEAD 1152u

static void start_library(void) {
    coap_startup();
    /* libcoap writes to standard error and output; the client has its own log. */
    coap_set_log_level(LOG_EMERG);
    coap_dtls_set_log_level(0);
}

/* The largest payload with its options, but no less than what everyone takes. */
static uint32_t max_message(const bjc_core *core) {
    size_t most = core->config.max_payload;
    return most > UINT32_MAX - MESSAGE_HEAD ? UINT32_MAX : (uint32_t) most + MESSAGE_HEAD;
}

static bool set_up(coap_context_t *coap, uint32_t max_message) {
    static const coap_request_t methods[] = { COAP_REQUEST_GET,   COAP_REQUEST_POST,  COAP_REQUEST_DELETE,
                                              COAP_REQUEST_FETCH, COAP_REQUEST_PATCH, COAP_REQUEST_IPATCH };
    coap_context_set_block_mode(coap, 0);
    /* RFC 8323 §5.3.1: what a server may send in one message; there is more room than in a datagram, so that blocks may
     * be BERT's (§6). */
    coap_context_set_csm_max_message_size(coap, max_message);
    coap_register_response_handler(coap, bjc_on_response);
    coap_register_nack_handler(coap, bjc_on_nack);
    coap_register_event_handler(coap, bjc_on_event);
    coap_register_ping_handler(coap, bjc_on_ping);
    /* One resource for every path and method: requests are told apart by us. */
    coap_resource_t *all = coap_resource_unknown_init(bjc_on_request);
    if (!all) {
        return false;
    }
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        coap_register_request_handler(all, methods[i], bjc_on_request);
    }
    coap_add_resource(coap, all);
    return true;
}

/* Is the application's context in use already? */
static bool is_lent(const bjc_transport *transport) {
    const bjc_context *context = transport->contexts;
    while (context && !context->borrowed) {
        context = context->next;
    }
    return context != NULL;
}

static bool make(bjc_transport *transport, bjc_context *context) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_library);
    context->borrowed = context->shared && transport->core->config.coap_context && !is_lent(transport);
    context->coap = context->borrowed ? transport->core->config.coap_context : coap_new_context(NULL);
    if (!context->coap) {
        return false;
    }
    if (!set_up(context->coap, max_message(transport->core))) {
        if (!context->borrowed) {
            coap_free_context(context->coap);
        }
        return false;
    }
    if (!context->borrowed) {
        bjc_context_mark(context->coap);
    }
    return true;
}

/* One session at a time has a context: where libcoap gives up the messages of one session, those of the others in the
 * same context are repeated too early by what was left of the waiting for the first. */
bjc_context *bjc_context_acquire(bjc_transport *transport, bool shared) {
    for (bjc_context *context = transport->contexts; context && shared; context = context->next) {
        if (context->shared && !context->users) {
            context->users++;
            return context;
        }
    }
    bjc_context *context = bjc_allocate(&transport->core->allocator, sizeof *context);
    if (!context) {
        return NULL;
    }
    context->shared = shared;
    if (!make(transport, context)) {
        bjc_release(&transport->core->allocator, context);
        return NULL;
    }
    context->users = 1;
    context->next_call = BJC_TIME_NEVER;
    context->next = transport->contexts;
    transport->contexts = context;
    return context;
}

static void context_free(bjc_transport *transport, bjc_context *context) {
    if (!context->borrowed) {
        coap_free_context(context->coap);
    }
    bjc_release(&transport->core->allocator, context);
}

/* The shared context stays for the next session; making one costs more than keeping it. */
void bjc_context_release(bjc_transport *transport, bjc_context *context) {
    if (--context->users > 0 || context->shared) {
        return;
    }
    bjc_context **slot = &transport->contexts;
    while (*slot != context) {
        slot = &(*slot)->next;
    }
    *slot = context->next;
    context_free(transport, context);
}

bootjack_error bjc_transport_new(const bjc_core *core, bjc_scheduler *scheduler, bjc_transport **transport) {
    *transport = bjc_allocate(&core->allocator, sizeof **transport);
    if (!*transport) {
        return BOOTJACK_ERR_MEMORY;
    }
    (*transport)->core = core;
    (*transport)->scheduler = scheduler;
    bootjack_error error = bjc_trust_new(core, &(*transport)->trust);
    if (error) {
        bjc_release(&core->allocator, *transport);
        *transport = NULL;
        return error;
    }
    /* Made now and not with the first session: what libcoap cannot do shows at once, and its clock, which counts from
     * its start, has no early moments any more (it answers no ping in the first quarter of a second). */
    bjc_context *context = bjc_context_acquire(*transport, true);
    if (!context) {
        bjc_trust_free((*transport)->trust);
        bjc_release(&core->allocator, *transport);
        *transport = NULL;
        return BOOTJACK_ERR_MEMORY;
    }
    bjc_context_release(*transport, context);
    return BOOTJACK_OK;
}

void bjc_transport_free(bjc_transport *transport) {
    if (!transport) {
        return;
    }
    while (transport->sessions) {
        bjc_session_close(transport->sessions);
    }
    while (transport->contexts) {
        bjc_context *context = transport->contexts;
        transport->contexts = context->next;
        context_free(transport, context);
    }
    bjc_trust_free(transport->trust);
    bjc_release(&transport->core->allocator, transport);
}

/* A completion may open and close sessions, so that the walk begins again after each. */
static void settle_sessions(bjc_transport *transport) {
    bjc_session *session = transport->sessions;
    while (session) {
        bjc_session_look(session);
        bjc_pending_lose(session);
        bjc_pending_proceed(session);
        bjc_beside_settle(session);
        bjc_pending_ask_block(session);
        if (bjc_session_untold(session)) {
            session->told = true;
            session->ended(session->incoming_context);
            session = transport->sessions;
        } else if (session->pending.ended) {
            bjc_pending_settle(session);
            session = transport->sessions;
        } else if (session->behind) {
            bjc_behind_settle(session);
            session = transport->sessions;
        } else {
            session = session->next;
        }
    }
}

static bool readable(const bjc_context *context) {
    struct pollfd descriptor = { .fd = coap_context_get_coap_fd(context->coap), .events = POLLIN };
    return poll(&descriptor, 1, 0) > 0;
}

/* Of a context of ours, which one session has at a time. */
static bjc_session *session_of(const bjc_transport *transport, const bjc_context *context) {
    bjc_session *session = context->borrowed ? NULL : transport->sessions;
    while (session && session->context != context) {
        session = session->next;
    }
    return session;
}

static void read_some(const bjc_transport *transport, const bjc_context *context) {
    bjc_again_read(session_of(transport, context));
    coap_io_process(context->coap, COAP_IO_NO_WAIT);
    bjc_again_read(NULL);
}

/* All that has come; of a flood that goes on, what may have come before. */
void bjc_context_drain(const bjc_transport *transport, const bjc_context *context) {
    for (int i = 0; i < MOST_WAITING && readable(context); i++) {
        read_some(transport, context);
    }
}

/* libcoap takes one datagram of each session at a time: what came first is settled first. */
void bjc_transport_process(bjc_transport *transport) {
    bjc_context *context = transport->contexts;
    while (context) {
        bjc_context *present = context;
        present->users++; /* so that it does not go away under our hands; alone with it, there is nobody to hear from */
        for (int i = 0; i < READS_AT_ONCE && present->users > 1 && !present->asleep && readable(present); i++) {
            read_some(transport, present);
            settle_sessions(transport);
        }
        context = present->next;
        bjc_context_release(transport, present);
    }
    settle_sessions(transport);
}

void bjc_transport_prepare(bjc_transport *transport) {
    for (bjc_context *context = transport->contexts; context; context = context->next) {
        coap_tick_t ticks;
        if (context->asleep) {
            context->next_call = BJC_TIME_NEVER;
            continue;
        }
        coap_ticks(&ticks);
        unsigned wait_ms = coap_io_prepare_epoll(context->coap, ticks); /* also takes back a timer that nobody needs */
        context->next_call = wait_ms ? bjc_now() + wait_ms * BJC_MS : BJC_TIME_NEVER;
    }
}

bjc_time bjc_transport_next(const bjc_transport *transport) {
    bjc_time next = BJC_TIME_NEVER;
    for (const bjc_context *context = transport->contexts; context; context = context->next) {
        next = context->next_call < next ? context->next_call : next;
    }
    for (const bjc_session *session = transport->sessions; session; session = session->next) {
        bool waiting = session->pending.ended || bjc_pending_lost(session) || bjc_pending_ready(session) ||
                       bjc_pending_wants_block(session) || bjc_beside_waiting(session) || bjc_session_untold(session) ||
                       session->behind;
        next = waiting ? 0 : next;
    }
    return next;
}

size_t bjc_transport_descriptors(const bjc_transport *transport, int *descriptors, size_t capacity) {
    size_t count = 0;
    for (const bjc_context *context = transport->contexts; context && count < capacity; context = context->next) {
        if (context->users && !context->asleep) { /* without a session there is nobody to hear from */
            descriptors[count++] = coap_context_get_coap_fd(context->coap);
        }
    }
    return count;
}
