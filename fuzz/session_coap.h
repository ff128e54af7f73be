/* SPDX-License-Identifier: Apache-2.0
 *
 * libcoap in the programs that play sessions: its memory comes from where the client's comes from (memory.h), which
 * costs a tenth, and is counted.
 */
#ifndef BJ_FUZZ_SESSION_COAP_H
#define BJ_FUZZ_SESSION_COAP_H

#include <stdbool.h>
#include <stddef.h>

/* Between these, what libcoap allocates lives until the session ends at most. */
void session_coap_begin(void);
/* How many blocks it has not released. */
size_t session_coap_end(void);

#endif
