/* SPDX-License-Identifier: Apache-2.0
 *
 * From a host name to socket addresses, in the order of the system's resolver (RFC 6724).
 */
#ifndef BJC_TRANSPORT_RESOLVE_H
#define BJC_TRANSPORT_RESOLVE_H

#include "bootjack/limits.h"
#include <netinet/in.h>
#include <sys/socket.h>

#include "core.h"
#include "util/uri.h"

#define BJC_ADDRESSES BOOTJACK_MAX_ADDRESSES

typedef struct bjc_address {
    socklen_t length;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } socket;
} bjc_address;

/* Up to BJC_ADDRESSES of them; 0 = the name cannot be resolved (a line of log says why). May block. */
size_t bjc_resolve(const bjc_core *core, const bjc_uri *uri, bjc_address *addresses);

#endif
