/* SPDX-License-Identifier: Apache-2.0
 *
 * Link format (RFC 6690) in the servers' reader: it ends, stays inside the text, and finds what it has read.
 */
#include "wire/link.h"

#include <string.h>

#include "fuzz.h"

static void inside(const char *part, size_t length, const char *text, size_t size) {
    FUZZ_HOLDS(!part || (part >= text && length <= size && (size_t) (part - text) <= size - length),
               "what is read lies in the text");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *) data, *at = text;
    size_t left = size;
    bj_core_link link;
    BJ_TEXT(why, 256);
    while (bj_link_next(&at, &left, &link, &why)) {
        inside(link.target, link.target_length, text, size);
        FUZZ_HOLDS(link.attr_count <= BJ_LINK_ATTRS, "no more attributes than there is room for");
        for (size_t i = 0; i < link.attr_count; i++) {
            inside(link.attrs[i].name, link.attrs[i].name_length, text, size);
            inside(link.attrs[i].value, link.attrs[i].value_length, text, size);
        }
        FUZZ_HOLDS(left < size && at + left == text + size, "each link takes the reader on");
    }
    FUZZ_HOLDS(left == 0 || why.used > 0, "a mistake has its reason");
    bj_links_have(text, size, "</1/0>;ssid=1");
    return 0;
}
