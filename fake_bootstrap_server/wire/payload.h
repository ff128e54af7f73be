/* SPDX-License-Identifier: Apache-2.0
 *
 * Payloads by Content-Format, as people and programs see them. Private to wire/.
 */
#ifndef BJ_WIRE_PAYLOAD_H
#define BJ_WIRE_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum {
    BJ_FORMAT_TEXT = 0,
    BJ_FORMAT_LINK = 40,
    BJ_FORMAT_OPAQUE = 42,
    BJ_FORMAT_CBOR = 60,
    BJ_FORMAT_SENML_JSON = 110,
    BJ_FORMAT_SENML_CBOR = 112,
    BJ_FORMAT_ETCH_JSON = 320,
    BJ_FORMAT_ETCH_CBOR = 322,
    BJ_FORMAT_OLD_TLV = 1542,
    BJ_FORMAT_OLD_JSON = 1543,
    BJ_FORMAT_TLV = 11542,
    BJ_FORMAT_JSON = 11543,
    BJ_FORMAT_LWM2M_CBOR = 11544,
    BJ_FORMAT_NONE = 65536, /* no Content-Format option */
};

const char *bj_format_name(uint32_t format);   /* "tlv"; NULL */
const char *bj_coap_signal_name(uint8_t code); /* "CSM"; NULL */

/* ` tlv {0: 101}`: one line, long ones cut short, secrets by their length. `path` as in bj_coap_print_at(); `part`: the
 * bytes are one block of several. */
void bj_payload_print(bj_text *out, uint32_t format, bool part, const uint8_t *data, size_t length, const char *path);

/* `,"values":[...]` or `,"links":[...]` or `,"text":"..."`; nothing when the payload has no such form. */
void bj_payload_json(bj_text *out, uint32_t format, const uint8_t *data, size_t length);

/* Bytes inside a line: control characters as \xNN. */
void bj_print_plain(bj_text *out, const uint8_t *bytes, size_t length);

#endif
