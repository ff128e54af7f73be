/* SPDX-License-Identifier: Apache-2.0
 *
 * Addresses and time, as everything outside client/ speaks of them.
 */
#ifndef BJ_BASE_ADDR_H
#define BJ_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* Microseconds since the start of a run (or, as a duration, just microseconds). */
typedef uint64_t bj_time;
#define BJ_NEVER  UINT64_MAX
#define BJ_MS     ((bj_time) 1000)
#define BJ_SECOND ((bj_time) 1000000)

/* An IP address and port in host byte order; family 4 or 6, 0 = none. Compared with bj_addr_equal(),
 * which ignores the unused bytes. */
typedef struct bj_addr {
    uint8_t family;
    uint8_t ip[16]; /* network order; IPv4 in the first four bytes */
    uint16_t port;
} bj_addr;

bool bj_addr_equal(const bj_addr *a, const bj_addr *b);
bool bj_addr_same_host(const bj_addr *a, const bj_addr *b);

/* "192.0.2.1", "192.0.2.1:5683", "2001:db8::1", "[2001:db8::1]:5683". Nothing else (no names, no
 * zones). false leaves *addr untouched. */
bool bj_addr_parse(const char *text, size_t length, bj_addr *addr);
/* "192.0.2.1:5683", "[2001:db8::1]:5683"; without a port when it is 0. */
void bj_addr_print(bj_text *text, const bj_addr *addr);

/* Between bj_addr and the system's. `size` of from_sockaddr is what the system said; false for other families. */
struct sockaddr;
bool bj_addr_from_sockaddr(const struct sockaddr *sa, size_t size, bj_addr *addr);
/* Writes a sockaddr_in or sockaddr_in6 to `storage` (a struct sockaddr_storage); returns its size. */
size_t bj_addr_to_sockaddr(const bj_addr *addr, void *storage);

/* A duration for people: "10s", "1.5s", "250ms", "1h", "1h30m", "0". Exact: bj_duration_parse() of it
 * gives the same number. BJ_NEVER is "never". */
void bj_duration_print(bj_text *text, bj_time duration);
/* Units us, ms, s, m, h, d; a decimal point is allowed ("1.5s"), and sequences ("1h30m"). A plain "0" is allowed. */
bool bj_duration_parse(const char *text, size_t length, bj_time *duration);

/* A factor of at least 1 with at most three digits before the point ("1.5"; RFC 7252 §4.8), in millionths: what is
 * behind the sixth digit counts for nothing. False, and nothing changed: it is none. */
bool bj_factor_parse(const char *text, size_t length, uint64_t *millionths);

/* A point of time in a log: seconds with six decimals, "10.000000". */
void bj_time_print(bj_text *text, bj_time time);

#endif
