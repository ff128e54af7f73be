/* SPDX-License-Identifier: Apache-2.0
 *
 * See session_coap.h. Stands in front of the three functions by which libcoap takes memory.
 */
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

/* What a message lies in is made larger by realloc(), whatever it was made by. */
static bool is_ours(coap_memory_tag_t type) {
    return inside && type != COAP_PDU_BUF;
}

__attribute__((visibility("default"))) void *coap_malloc_type(coap_memory_tag_t type, size_t size) {
    void *block = is_ours(type) ? memory_allocator.allocate(NULL, size ? size : 1) : malloc(size);
    blocks += block != NULL;
    return block;
}

__attribute__((visibility("default"))) void coap_free_type(coap_memory_tag_t type, void *block) {
    if (!block) {
        return;
    }
    blocks--;
    if (is_ours(type)) {
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
