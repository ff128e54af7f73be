/* SPDX-License-Identifier: Apache-2.0
 *
 * The client's saved state. The checksum of an input is put right, so that what lies behind it is reached. What is
 * refused changes nothing; what is taken is saved again to a state that says the same.
 */
#include "persistence/state.h"

#include <string.h>

#include "fuzz.h"
#include "memory.h"
#include "objects/objects.h"

enum { HEADER = 20 };

typedef struct furniture {
    bjc_core core;
    bjc_model model;
    bjc_store security, server;
} furniture;

static void install(furniture *f, bjc_store *store) {
    FUZZ_HOLDS(bjc_model_install(&f->model, store->object, store, store) == BOOTJACK_OK, "an Object can be installed");
}

static furniture *furnish(void) {
    static furniture one;
    static int made;
    bootjack_config config;
    if (!made++) {
        bootjack_config_init(&config);
        config.endpoint = "dev-1";
        FUZZ_HOLDS(bjc_core_init(&one.core, &config) == BOOTJACK_OK, "a core can be made");
        bjc_model_init(&one.model, &one.core);
        bjc_security_init(&one.security, &one.core);
        bjc_server_init(&one.server, &one.core, NULL, NULL);
        install(&one, &one.security);
        install(&one, &one.server);
        one.core.allocator = memory_allocator;
    }
    return &one;
}

static void empty(furniture *f) {
    bjc_store_restore(&f->security, NULL);
    bjc_store_restore(&f->server, NULL);
    memory_done();
}

static uint32_t crc(uint32_t sum, const uint8_t *data, size_t length) {
    static uint32_t table[256];
    for (uint32_t i = 0; i < 256 && !table[255]; i++) {
        uint32_t row = i;
        for (unsigned bit = 0; bit < 8; bit++) {
            row = row >> 1 ^ (row & 1 ? UINT32_C(0xEDB88320) : 0);
        }
        table[i] = row;
    }
    for (size_t i = 0; i < length; i++) {
        sum = sum >> 8 ^ table[(sum ^ data[i]) & 0xFF];
    }
    return sum;
}

static void put(uint8_t *at, uint32_t number) {
    for (unsigned i = 0; i < 4; i++) {
        at[i] = (uint8_t) (number >> (24 - 8 * i));
    }
}

/* Puts the header right, so that what lies behind it is reached. */
static void put_right(uint8_t *bytes, size_t size) {
    static const uint8_t head[12] = { 'B', 'O', 'O', 'T', 'J', 'A', 'C', 'K', 0, 1 };
    memcpy(bytes, head, sizeof head);
    put(bytes + 12, (uint32_t) (size - HEADER));
    put(bytes + 16, ~crc(crc(UINT32_MAX, bytes, 16), bytes + HEADER, size - HEADER));
}

static void save_and_load(furniture *f, bool bootstrapped) {
    bjc_buffer first, second;
    bool again = !bootstrapped;
    bjc_buffer_init(&first, &f->core.allocator);
    bjc_buffer_init(&second, &f->core.allocator);
    FUZZ_HOLDS(bjc_state_encode(&f->model, bootstrapped, &first) == BOOTJACK_OK,
               "a state that was loaded can be saved");
    FUZZ_HOLDS(bjc_state_decode(&f->model, first.data, first.length, &again) == BOOTJACK_OK && again == bootstrapped,
               "what was saved can be loaded");
    FUZZ_HOLDS(bjc_state_encode(&f->model, again, &second) == BOOTJACK_OK && first.length == second.length &&
                   memcmp(first.data, second.data, first.length) == 0,
               "and saved to the same bytes");
    bjc_buffer_free(&first);
    bjc_buffer_free(&second);
}

/* The first byte says whether the header is put right. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_input input = { data, size };
    bool right = fuzz_byte(&input) & 1, bootstrapped = false;
    furniture *f = furnish();
    uint8_t *bytes = memory_copy(&input);
    if (right && input.left >= HEADER) {
        put_right(bytes, input.left);
    }
    bootjack_error error = bjc_state_decode(&f->model, bytes, input.left, &bootstrapped);
    FUZZ_HOLDS(!error || (!f->security.instances && !f->server.instances), "a state that is refused changes nothing");
    if (!error) {
        save_and_load(f, bootstrapped);
    }
    empty(f);
    return 0;
}
