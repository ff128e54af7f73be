/* SPDX-License-Identifier: Apache-2.0
 *
 * What CoAP over UDP and over TCP have in common behind their headers: options and payload. Private to wire/.
 */
#ifndef BJ_WIRE_COAP_BODY_H
#define BJ_WIRE_COAP_BODY_H

#include "wire/coap.h"
#include "wire/reader.h"

/* Empties all but the options, of which those beyond the count are nothing: to clear them takes longer than to read a
 * message. */
void bj_coap_clear(bj_coap *message);

/* Reads token, options and payload up to the reader's end. The token's length is in the message. */
bj_coap_fault bj_coap_read_body(bj_coap *message, bj_reader *r);

/* A cursor that counts what does not fit, so that a body can be measured with room 0. */
typedef struct bj_coap_writer {
    uint8_t *out;
    size_t room;
    size_t used;
} bj_coap_writer;

void bj_coap_put(bj_coap_writer *w, const void *bytes, size_t length);
void bj_coap_put_byte(bj_coap_writer *w, unsigned byte);

/* Writes options and payload (not the token); false when an option cannot be expressed. */
bool bj_coap_write_body(bj_coap_writer *w, const bj_coap *message, bool marker_without_payload);

/* How an option's value is to be read (RFC 7252 3.2). */
typedef enum bj_coap_option_form {
    BJ_COAP_FORM_OPAQUE,
    BJ_COAP_FORM_EMPTY,
    BJ_COAP_FORM_UINT,
    BJ_COAP_FORM_STRING,
    BJ_COAP_FORM_BLOCK
} bj_coap_option_form;

/* The name of an option in a message of this code, and its form: in signalling messages (7.xx) the numbers mean other
 * things. NULL, and opaque, when unknown. */
const char *bj_coap_option_name_in(uint8_t code, uint32_t number, bj_coap_option_form *form);

#endif
