/* SPDX-License-Identifier: Apache-2.0
 *
 * Server URIs (RFC 3986 as RFC 7252 §6 and RFC 8323 §8 use it), cut into the parts that become CoAP options.
 */
#ifndef BJC_UTIL_URI_H
#define BJC_UTIL_URI_H

#include "bootjack/limits.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BJC_URI_MAX   BOOTJACK_MAX_URI       /* bytes, LwM2M Core 1.1 Appendix E.1, /0/x/0 */
#define BJC_URI_PARTS BOOTJACK_MAX_URI_PARTS /* segments of a path, and parts of a query */

typedef enum bjc_scheme { BJC_COAP = 0, BJC_COAPS, BJC_COAP_TCP, BJC_COAPS_TCP } bjc_scheme;

typedef struct bjc_text {
    const char *data;
    size_t length;
} bjc_text;

typedef struct bjc_uri {
    bjc_scheme scheme;
    char host[BJC_URI_MAX + 1]; /* without the brackets of an IPv6 literal */
    uint16_t port;
    size_t path_count, query_count;
    bjc_text path[BJC_URI_PARTS], query[BJC_URI_PARTS]; /* decoded, in `storage` */
    char storage[BJC_URI_MAX + 1];
} bjc_uri;

/* False, with a few words in `*reason`: not a URI that the client could use. The result must not be copied by
 * assignment (it points into itself). */
bool bjc_uri_parse(bjc_uri *uri, const char *text, size_t length, const char **reason);
bool bjc_scheme_is_secure(bjc_scheme scheme);
const char *bjc_scheme_text(bjc_scheme scheme);

#endif
