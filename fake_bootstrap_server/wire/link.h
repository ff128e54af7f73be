/* SPDX-License-Identifier: Apache-2.0
 *
 * CoRE link format, RFC 6690, as LwM2M uses it: Discover and Register payloads.
 */
#ifndef BJ_WIRE_LINK_H
#define BJ_WIRE_LINK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

typedef struct bj_link_attr {
    const char *name;
    size_t name_length;
    const char *value; /* without the quotes; NULL when there is no '=' */
    size_t value_length;
    bool quoted;
} bj_link_attr;

enum { BJ_LINK_ATTRS = 32 };

typedef struct bj_core_link {
    const char *target; /* between < and >; NULL for the LwM2M 1.0 element without one (`lwm2m="1.0"`) */
    size_t target_length;
    size_t attr_count;
    bj_link_attr attrs[BJ_LINK_ATTRS];
} bj_core_link;

/* Reads the link at *text and moves on; false at the end (*length is 0) or at a mistake (*length above 0, `why` says
 * what). Blanks after commas, and a leading element without <> that is only an attribute, are tolerated (LwM2M 1.0). */
bool bj_link_next(const char **text, size_t *length, bj_core_link *link, bj_text *why);

/* Does the payload hold a link that `pattern` describes: "/0/1", "</0/0>;ssid=101" (attributes compared without
 * quotes, order free), "/0/" + "*" (any instance of /0), "</>;lwm2m=1.1"? A trailing slash of a target is ignored. */
bool bj_links_have(const char *text, size_t length, const char *pattern);

#endif
