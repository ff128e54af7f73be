/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies in blocks (RFC 7959): a sequence of blocks of several transfers in the client's reassembly. A body that is
 * whole is what the blocks that it took hold, one after the other; beside it a simple model keeps count.
 */
#include "transport/inbound.h"

#include <string.h>

#include "fuzz.h"
#include "memory.h"

enum { PATHS = 3, MOST = 1 << 12, LARGEST = 128, BLOCKS = 12 };

typedef struct body {
    uint8_t bytes[MOST];
    size_t length;
} body;

static bjc_core *core(void) {
    static bjc_core one;
    static int made;
    bootjack_config config;
    if (!made++) {
        bootjack_config_init(&config);
        config.endpoint = "dev-1";
        config.max_payload = MOST;
        FUZZ_HOLDS(bjc_core_init(&one, &config) == BOOTJACK_OK, "a core can be made");
        one.allocator = memory_allocator;
    }
    return &one;
}

/* What must be in a transfer after a block that was taken. */
static void note(body *model, const bjc_block *block, const uint8_t *data, size_t length) {
    if (block->number == 0) {
        model->length = 0;
    }
    size_t offset = (size_t) block->number << (block->size_exponent + 4);
    FUZZ_HOLDS(offset <= model->length, "no block is taken before those in front of it");
    FUZZ_HOLDS(offset + length <= MOST, "no body grows over its limit");
    if (offset + length > model->length || block->number == 0) {
        memcpy(model->bytes + offset, data, length);
        model->length = offset + length;
    }
}

static void one_block(bjc_inbound *inbound, body models[PATHS], fuzz_input *input) {
    static const char *const names[PATHS] = { "0", "1", "2" };
    uint8_t head = fuzz_byte(input);
    bjc_block block = { .number = fuzz_byte(input) & 31, .more = head & 1, .size_exponent = head >> 1 & 3 };
    unsigned path = (head >> 3) % PATHS;
    size_t size = (size_t) 16 << block.size_exponent, length = head & 0x80 ? fuzz_byte(input) % (size + 1) : size;
    uint8_t data[LARGEST];
    memset(data, fuzz_byte(input), length);
    bjc_incoming request = { .method = BJC_PUT, .content_format = head & 0x40 ? 42 : 0, .accept = -1 };
    request.path[request.path_count++] = (bjc_text){ names[path], 1 };
    request.payload = data;
    request.payload_length = length;
    uint8_t code = bjc_inbound_block(inbound, &request, &block);
    if (code == 0 || code == BJC_CONTINUE) {
        note(&models[path], &block, data, length);
        FUZZ_HOLDS((code == BJC_CONTINUE) == block.more, "more blocks are asked for while there are more");
    }
    if (code == 0) {
        FUZZ_HOLDS(
            request.payload_length == models[path].length &&
                (!request.payload_length || memcmp(request.payload, models[path].bytes, request.payload_length) == 0),
            "a whole body is what its blocks hold");
        bjc_inbound_finished(inbound, &request);
        models[path].length = 0;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static body models[PATHS];
    fuzz_input input = { data, size };
    bjc_inbound inbound;
    bjc_inbound_init(&inbound, core());
    for (unsigned i = 0; i < PATHS; i++) {
        models[i].length = 0;
    }
    for (unsigned i = 0; i < BLOCKS && input.left; i++) {
        one_block(&inbound, models, &input);
    }
    bjc_inbound_free(&inbound);
    memory_done();
    return 0;
}
