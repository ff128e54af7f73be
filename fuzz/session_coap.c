/* SPDX-License-Identifier: Apache-2.0
 *
 * See session_coap.h. Stands in front of the three functions by which libcoap takes memory, where that costs of the
 * fourth.
 */
#define _GNU_SOURCE
#include "session_coap.h"

#include <coap3/coap.h>
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
