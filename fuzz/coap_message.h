/* SPDX-License-Identifier: Apache-2.0
 *
 * What the targets over the servers' CoAP codecs share.
 */
#ifndef BJ_FUZZ_COAP_MESSAGE_H
#define BJ_FUZZ_COAP_MESSAGE_H

#include "fuzz.h"
#include "wire/coap.h"

/* The same in every field, whatever bytes they were decoded from. */
bool coap_same(const bj_coap *left, const bj_coap *right);
/* Prints the message in every form: payloads are decoded by their Content-Format there. */
void coap_print_all(const bj_coap *message, bj_coap_fault fault);

#endif
