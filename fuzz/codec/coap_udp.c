/* SPDX-License-Identifier: Apache-2.0
 *
 * Datagrams in the servers' raw CoAP codec: a message that is well-formed is written to bytes that decode to it again.
 */
#include "coap_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t bytes[1 << 17];
    bj_coap first, again;
    bj_coap_fault fault = bj_coap_decode(&first, data, size);
    if (!fault) {
        size_t length = bj_coap_encode(&first, bytes, sizeof bytes);
        FUZZ_HOLDS(length > 0 && length <= size, "a message is written to no more bytes than it was read from");
        FUZZ_HOLDS(bj_coap_decode(&again, bytes, length) == BJ_COAP_OK, "what was written is well-formed");
        FUZZ_HOLDS(coap_same(&first, &again), "and the same message");
    }
    return 0;
}
