/* SPDX-License-Identifier: Apache-2.0
 *
 * CoRE links (RFC 6690) as LwM2M writes them: entries separated by commas, attributes by semicolons.
 */
#ifndef BJC_FORMATS_LINK_H
#define BJC_FORMATS_LINK_H

#include "formats/entry.h"

typedef struct bjc_links {
    bjc_buffer *out;
    bool started;
} bjc_links;

/* Begins a link: "</o/i>". */
void bjc_link_begin(bjc_links *links, const bjc_path *path);
void bjc_link_text(bjc_links *links, const char *text);
void bjc_link_number(bjc_links *links, const char *attribute, unsigned number);
/* A quoted string; quotation marks and backslashes inside are escaped (RFC 2616 §2.2). */
void bjc_link_string(bjc_links *links, const char *attribute, const uint8_t *text, size_t length);
/* The version of an Object: ver="1.1" in LwM2M 1.0, ver=1.1 later. */
void bjc_link_version(bjc_links *links, bootjack_version release, const char *version);

#endif
