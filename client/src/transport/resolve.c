/* SPDX-License-Identifier: Apache-2.0
 *
 * From a host name to socket addresses.
 */
#define _GNU_SOURCE
#include "transport/resolve.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>

static bool usable(const struct addrinfo *entry) {
    return (entry->ai_family == AF_INET || entry->ai_family == AF_INET6) &&
           entry->ai_addrlen <= sizeof(((bjc_address *) NULL)->socket);
}

static size_t collect(const struct addrinfo *list, bjc_address *addresses) {
    size_t count = 0;
    for (const struct addrinfo *entry = list; entry && count < BJC_ADDRESSES; entry = entry->ai_next) {
        if (usable(entry)) {
            addresses[count].length = entry->ai_addrlen;
            memcpy(&addresses[count++].socket, entry->ai_addr, entry->ai_addrlen);
        }
    }
    return count;
}

size_t bjc_resolve(const bjc_core *core, const bjc_uri *uri, bjc_address *addresses) {
    char port[6];
    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICSERV };
    struct addrinfo *list = NULL;
    snprintf(port, sizeof port, "%u", uri->port);
    int result = getaddrinfo(uri->host, port, &hints, &list);
    if (result != 0) {
        bjc_log(core, BOOTJACK_LOG_WARNING, "name %s cannot be resolved: %s", uri->host, gai_strerror(result));
        return 0;
    }
    size_t count = collect(list, addresses);
    freeaddrinfo(list);
    if (count == 0) {
        bjc_log(core, BOOTJACK_LOG_WARNING, "name %s has no address", uri->host);
    }
    return count;
}
