/* SPDX-License-Identifier: Apache-2.0
 *
 * A stream in the servers' codec of CoAP over TCP (RFC 8323): message after message.
 */
#include "coap_message.h"

static void one_message(const uint8_t *data, size_t size) {
    static uint8_t bytes[1 << 17];
    bj_coap first, again;
    bj_coap_fault fault = bj_coap_tcp_decode(&first, data, size);
    if (fault || size + 8 > sizeof bytes) {
        return;
    }
    size_t length = bj_coap_tcp_encode(&first, bytes, sizeof bytes);
    FUZZ_HOLDS(length > 0 && length <= size, "a message is written to no more bytes than it was read from");
    FUZZ_HOLDS(bj_coap_tcp_frame(bytes, length) == length, "its length says where it ends");
    FUZZ_HOLDS(bj_coap_tcp_decode(&again, bytes, length) == BJ_COAP_OK, "what was written is well-formed");
    FUZZ_HOLDS(coap_same(&first, &again), "and the same message");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    size_t frame;
    while (size && (frame = bj_coap_tcp_frame(data, size)) > 0 && frame <= size) {
        one_message(data, frame);
        data += frame;
        size -= frame;
    }
    return 0;
}
