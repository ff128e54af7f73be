/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers of name servers (RFC 1035), as far as a capture's reader needs them. Private to capture/.
 */
#ifndef BJ_CAPTURE_DNS_ANSWER_H
#define BJ_CAPTURE_DNS_ANSWER_H

#include "capture/unit.h"

/* Reads an answer to one question for addresses into the unit: name, addresses, status. false: it is none. */
bool bj_dns_answer_read(bj_unit *unit, const uint8_t *data, size_t length);

#endif
