/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing CoRE links.
 */
#include "formats/link.h"

static void separate(bjc_links *links) {
    if (links->started) {
        bjc_buffer_byte(links->out, ',');
    }
    links->started = true;
}

void bjc_link_begin(bjc_links *links, const bjc_path *path) {
    char text[BJC_PATH_TEXT];
    separate(links);
    bjc_buffer_format(links->out, "<%s>", bjc_path_text(path, text));
}

void bjc_link_text(bjc_links *links, const char *text) {
    separate(links);
    bjc_buffer_text(links->out, text);
}

void bjc_link_number(bjc_links *links, const char *attribute, unsigned number) {
    bjc_buffer_format(links->out, ";%s=%u", attribute, number);
}

void bjc_link_string(bjc_links *links, const char *attribute, const uint8_t *text, size_t length) {
    bjc_buffer_format(links->out, ";%s=\"", attribute);
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"' || text[i] == '\\') {
            bjc_buffer_byte(links->out, '\\');
        }
        bjc_buffer_byte(links->out, text[i]);
    }
    bjc_buffer_byte(links->out, '"');
}

void bjc_link_version(bjc_links *links, bootjack_version release, const char *version) {
    bjc_buffer_format(links->out, release < BOOTJACK_LWM2M_1_1 ? ";ver=\"%s\"" : ";ver=%s", version);
}
