/* SPDX-License-Identifier: Apache-2.0
 *
 * Payloads in the client's reader of a single CBOR value: see payload.h.
 */
#include "formats/format.h"
#include "payload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_payload(BJC_FORMAT_CBOR, data, size);
    return 0;
}
