/* SPDX-License-Identifier: Apache-2.0
 *
 * Server URIs in the client's parser.
 */
#include "util/uri.h"

#include <string.h>

#include "fuzz.h"
#include "memory.h"

static void parts(const bjc_uri *uri, const bjc_text *list, size_t count) {
    FUZZ_HOLDS(count <= BJC_URI_PARTS, "no more parts than there is room for");
    for (size_t i = 0; i < count; i++) {
        FUZZ_HOLDS(list[i].data >= uri->storage && list[i].data + list[i].length <= uri->storage + sizeof uri->storage,
                   "parts lie in the URI's own storage");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bjc_uri uri;
    const char *reason = NULL;
    fuzz_input input = { data, size };
    const char *text = (const char *) memory_copy(&input);
    if (bjc_uri_parse(&uri, text, size, &reason)) {
        size_t host = strlen(uri.host);
        FUZZ_HOLDS(size <= BJC_URI_MAX, "a URI that is too long is refused");
        FUZZ_HOLDS(host > 0 && host < size && uri.port > 0, "a URI has a host and a port");
        parts(&uri, uri.path, uri.path_count);
        parts(&uri, uri.query, uri.query_count);
    } else {
        FUZZ_HOLDS(reason != NULL, "a refusal has its reason");
    }
    memory_done();
    return 0;
}
