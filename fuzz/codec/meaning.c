/* SPDX-License-Identifier: Apache-2.0
 *
 * The same meaning through every format: a payload in one format is taken, shown in another and taken again. The first
 * byte says which two; the rest is as the targets over one format have it. See payload.h.
 */
#include "formats/format.h"
#include "payload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const int from[] = { BJC_FORMAT_TLV,  BJC_FORMAT_SENML_CBOR, BJC_FORMAT_LWM2M_CBOR, BJC_FORMAT_SENML_JSON,
                                BJC_FORMAT_JSON, BJC_FORMAT_CBOR,       BJC_FORMAT_TEXT,       BJC_FORMAT_OPAQUE };
    static const int to[] = { BJC_FORMAT_TLV, BJC_FORMAT_SENML_CBOR, BJC_FORMAT_LWM2M_CBOR, BJC_FORMAT_SENML_JSON,
                              BJC_FORMAT_JSON };
    fuzz_input input = { data, size };
    uint8_t choice = fuzz_byte(&input);
    fuzz_meaning(from[choice % 8], to[choice / 8 % 5], input.at, input.left);
    return 0;
}
