/* SPDX-License-Identifier: Apache-2.0
 *
 * Datagrams in the log: whatever was received can be printed, as text and as JSON, with its payload decoded by its
 * Content-Format, and its options are judged.
 */
#include "coap_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bj_coap message;
    bj_coap_fault fault = bj_coap_decode(&message, data, size);
    coap_print_all(&message, fault);
    return 0;
}
