/* SPDX-License-Identifier: Apache-2.0
 *
 * See session_coap.h. Stands in front of the three functions by which libcoap takes memory, where that costs of the
 * fourth, and of one that has a fault.
 */
#define _GNU_SOURCE
#include "session_coap.h"

#include <coap3/coap.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

static bool inside;
static size_t blocks;

void session_coap_begin(void) {
    inside = true;
    blocks = 0;
}

size_t session_coap_end(void) {
    inside = false;
    return blocks;
}

static bool is_ours(coap_memory_tag_t type) {
    return inside && type != COAP_PDU_BUF;
}

/* What a message lies in is made larger by realloc(), whatever it was made by: that must know it for ours. */
#ifdef BJ_SHADOW
static void *message_room(size_t size) {
    return inside && memory_has_room(size) ? memory_allocator.allocate(NULL, size) : malloc(size);
}

static void *larger(void *block, size_t size) {
    void *bigger = message_room(size);
    if (bigger) {
        size_t before = memory_size(block);
        memcpy(bigger, block, before < size ? before : size);
        memory_allocator.release(NULL, block);
    }
    return bigger;
}

/* AddressSanitizer's; its realloc() is a weak name for that. */
void *__interceptor_realloc(void *block, size_t size);

__attribute__((visibility("default"))) void *realloc(void *block, size_t size) {
    return memory_holds(block) ? larger(block, size) : __interceptor_realloc(block, size);
}
#else
static void *message_room(size_t size) {
    return malloc(size);
}
#endif

static void *take(coap_memory_tag_t type, size_t size) {
    return is_ours(type) ? memory_allocator.allocate(NULL, size) : message_room(size);
}

__attribute__((visibility("default"))) void *coap_malloc_type(coap_memory_tag_t type, size_t size) {
    void *block = take(type, size ? size : 1);
    blocks += block != NULL;
    return block;
}

__attribute__((visibility("default"))) void coap_free_type(coap_memory_tag_t type, void *block) {
    if (!block) {
        return;
    }
    blocks--;
    if (is_ours(type) || memory_holds(block)) {
        memory_allocator.release(NULL, block);
    } else {
        free(block);
    }
}

/* Takes what coap_malloc_type(), and no other, gave. */
__attribute__((visibility("default"))) void *coap_realloc_type(coap_memory_tag_t type, void *block, size_t size) {
    if (!is_ours(type) || !block) {
        return block ? realloc(block, size) : coap_malloc_type(type, size);
    }
    void *bigger = coap_malloc_type(type, size);
    if (bigger) {
        size_t before = memory_size(block);
        memcpy(bigger, block, before < size ? before : size);
        coap_free_type(type, block);
    }
    return bigger;
}

/* A request that comes over a stream before the Capabilities and Settings of its sender (RFC 8323 §5.3) lets libcoap
 * 4.3.1 wait for them in here, with the request half read: it reads that once more, and then what it has freed. The
 * fault is known (docs/fuzzing.md); sessions go round it, for it would hide what is behind. */
__attribute__((visibility("default"))) size_t coap_session_max_pdu_size(const coap_session_t *session) {
    static size_t (*real)(const coap_session_t *);
    coap_proto_t protocol = coap_session_get_proto(session);
    bool stream = protocol == COAP_PROTO_TCP || protocol == COAP_PROTO_TLS;
    if (stream && coap_session_get_state(session) != COAP_SESSION_STATE_ESTABLISHED) {
        return COAP_DEFAULT_MTU;
    }
    if (!real) {
        *(void **) &real = dlsym(RTLD_NEXT, "coap_session_max_pdu_size");
    }
    return real(session);
}
