/* SPDX-License-Identifier: Apache-2.0
 *
 * What GnuTLS makes of a text of priorities never changes afterwards, yet every context of libcoap has it made anew,
 * for a fifth of what a whole bootstrap without security costs. Sessions have it made once for each text. Nor does the
 * version of GnuTLS change, which libcoap reads from text as often.
 */
#ifndef BJ_FUZZ_SESSION_GNUTLS_H
#define BJ_FUZZ_SESSION_GNUTLS_H

#include <stdbool.h>

/* From here on what is made of a text is kept until the process ends. */
void session_gnutls_keep(void);

/* Before a session: the random numbers that GnuTLS keeps for its process are fresh, so that it takes as many from the
 * session's as in any other process. */
void session_gnutls_begin(void);

#endif
