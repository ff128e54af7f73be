/* SPDX-License-Identifier: Apache-2.0
 *
 * A ClientHello as it stands in the clear at the beginning of a handshake: RFC 5246 §7.4.1.2 in a TLS record,
 * RFC 6347 §4.2.1 in a DTLS record. What a client offers is read from here, whatever the server makes of it.
 */
#ifndef BJ_WIRE_HELLO_H
#define BJ_WIRE_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BJ_HELLO_RANDOM = 32, BJ_HELLO_SUITES = 256 };

typedef struct bj_hello {
    const uint8_t *random; /* BJ_HELLO_RANDOM bytes: the same in repetitions and in the answer to a cookie */
    uint16_t suites[BJ_HELLO_SUITES];
    size_t suite_count; /* of a longer list, the first */
    const char *name;   /* Server Name Indication, RFC 6066 §3, not ended by NUL; NULL: none */
    size_t name_length;
    bool cookie; /* it answers a HelloVerifyRequest */
} bj_hello;

/* false: the bytes do not begin with a whole ClientHello. Pointers in *hello point into `data`. */
bool bj_hello_read(bj_hello *hello, const uint8_t *data, size_t length, bool datagram);

#endif
