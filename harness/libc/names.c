/* SPDX-License-Identifier: Apache-2.0
 *
 * Names: getaddrinfo() and its relatives, answered from the scenario's zone. Addresses come in the order in which the
 * scenario gives them (no sorting after RFC 6724: that would ask the machine's routes).
 */
#define _GNU_SOURCE
#include "libc/internal.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ADDRESSES = BJ_DNS_ADDRESSES };

static bj_addr mapped(const bj_addr *four) {
    bj_addr six = { .family = 6, .ip = { [10] = 0xff, [11] = 0xff }, .port = four->port };
    memcpy(six.ip + 12, four->ip, 4);
    return six;
}

/* --- the zone --- */

/* Asks, waits until the answer is there, takes it: the number of addresses, or a negative bj_dns_status. */
static int ask_zone(const char *name, int family, bj_addr *addresses) {
    if (bj_the_run.ended) {
        return -BJ_DNS_SERVFAIL;
    }
    bj_glance();
    bj_this.outside++;
    bj_sim_query *query = bj_sim_ask(bj_the_run.sim, name);
    bj_this.outside--;
    bj_waiter waiter = { .deadline = bj_sim_answer_due(query), .takes_no_signals = true };
    if (waiter.deadline > bj_now() && bj_wait(&waiter) == BJ_WAIT_OVER) {
        return -BJ_DNS_SERVFAIL;
    }
    bj_this.outside++;
    int result = bj_sim_answer(bj_the_run.sim, query, family, addresses, ADDRESSES);
    bj_this.outside--;
    if (result == BJ_SIM_RESOLVE_OVER) {
        bj_settle(BJ_SIM_OVER);
        return -BJ_DNS_SERVFAIL;
    }
    return result;
}

/* --- services --- */

static const struct {
    const char *name;
    uint16_t port;
    bool stream;
    bool datagram;
} services[] = {
    { "coap", 5683, true, true }, { "coaps", 5684, true, true }, { "domain", 53, true, true },
    { "http", 80, true, false },  { "https", 443, true, true },  { "ntp", 123, false, true },
    { "echo", 7, true, true },    { "discard", 9, true, true },  { "mqtt", 1883, true, false },
    { "ssh", 22, true, false },   { "tftp", 69, false, true },   { "secure-mqtt", 8883, true, false },
};
enum { SERVICES = sizeof services / sizeof services[0] };

/* 0, or an EAI_ error. */
static int port_of(const char *service, const struct addrinfo *hints, uint16_t *port) {
    *port = 0;
    if (!service) {
        return 0;
    }
    char *end;
    unsigned long number = strtoul(service, &end, 10);
    if (!*end) {
        *port = (uint16_t) number; /* as glibc does it, whatever the number is */
        return 0;
    }
    if (hints->ai_flags & AI_NUMERICSERV) {
        return EAI_NONAME;
    }
    for (size_t i = 0; i < SERVICES; i++) {
        bool fits = hints->ai_socktype == SOCK_STREAM  ? services[i].stream
                    : hints->ai_socktype == SOCK_DGRAM ? services[i].datagram
                                                       : true;
        if (fits && !strcmp(services[i].name, service)) {
            *port = services[i].port;
            return 0;
        }
    }
    return EAI_SERVICE;
}

/* --- addresses for one question --- */

static bool numeric(const char *node, bj_addr *address) {
    struct in_addr four;
    *address = (bj_addr){ .family = 0 };
    if (inet_aton(node, &four)) {
        address->family = 4;
        memcpy(address->ip, &four, sizeof four);
        return true;
    }
    char plain[INET6_ADDRSTRLEN];
    size_t length = strcspn(node, "%"); /* the one interface needs no zone */
    if (length >= sizeof plain) {
        return false;
    }
    memcpy(plain, node, length);
    plain[length] = 0;
    address->family = 6;
    return inet_pton(AF_INET6, plain, address->ip) == 1;
}

static size_t addresses_of_nobody(const struct addrinfo *hints, bj_addr *addresses) {
    bool passive = (hints->ai_flags & AI_PASSIVE) != 0;
    const bj_addr any[] = { { .family = 4 }, { .family = 6 } };
    const bj_addr loopback[] = { { .family = 6, .ip = { [15] = 1 } }, { .family = 4, .ip = { 127, 0, 0, 1 } } };
    size_t count = 0;
    for (size_t i = 0; i < 2; i++) {
        bj_addr address = passive ? any[i] : loopback[i];
        int family = address.family == 6 ? AF_INET6 : AF_INET;
        if (hints->ai_family == AF_UNSPEC || hints->ai_family == family) {
            addresses[count++] = address;
        }
    }
    return count;
}

static int error_of(int status) {
    switch (status) {
    case -BJ_DNS_NXDOMAIN:
        return EAI_NONAME;
    case -BJ_DNS_NODATA:
        return EAI_NODATA;
    default:
        return EAI_AGAIN;
    }
}

/* For AF_INET6 with AI_V4MAPPED: the IPv6 addresses, or if there are none (or AI_ALL) the others in mapped form. */
static size_t map_where_needed(const struct addrinfo *hints, bj_addr *addresses, size_t count) {
    size_t six = 0, kept = 0;
    for (size_t i = 0; i < count; i++) {
        six += addresses[i].family == 6;
    }
    for (size_t i = 0; i < count; i++) {
        if (addresses[i].family == 6) {
            addresses[kept++] = addresses[i];
        } else if (six == 0 || (hints->ai_flags & AI_ALL)) {
            addresses[kept++] = mapped(&addresses[i]);
        }
    }
    return kept;
}

static int resolve(const char *node, const struct addrinfo *hints, bj_addr *addresses, size_t *count) {
    bool maps = hints->ai_family == AF_INET6 && (hints->ai_flags & AI_V4MAPPED);
    int family = hints->ai_family == AF_INET ? 4 : hints->ai_family == AF_INET6 ? 6 : 0;
    *count = 1;
    if (!node) {
        *count = addresses_of_nobody(hints, addresses);
        return 0;
    }
    if (numeric(node, &addresses[0])) {
        if (maps && addresses[0].family == 4) {
            addresses[0] = mapped(&addresses[0]);
        }
        return family == 0 || addresses[0].family == family ? 0 : EAI_ADDRFAMILY;
    }
    if (hints->ai_flags & AI_NUMERICHOST) {
        return EAI_NONAME;
    }
    int result = ask_zone(node, maps ? 0 : family, addresses);
    if (result < 0) {
        return error_of(result);
    }
    *count = maps ? map_where_needed(hints, addresses, (size_t) result) : (size_t) result;
    return 0;
}

/* --- the list --- */

typedef struct bj_result_node {
    struct addrinfo info;
    struct sockaddr_storage address;
} bj_result_node;

static const struct {
    int type;
    int protocol;
} transports[] = { { SOCK_STREAM, IPPROTO_TCP }, { SOCK_DGRAM, IPPROTO_UDP }, { SOCK_RAW, 0 } };
enum { TRANSPORTS = sizeof transports / sizeof transports[0] };

/* Of the client's own memory, as glibc's: its freeaddrinfo() takes the list, and so does a program's free(). NULL:
 * there is none left. */
static struct addrinfo *new_node(const bj_addr *address, size_t transport, const struct addrinfo *hints) {
    bj_result_node *node = calloc(1, sizeof *node);
    if (!node) {
        return NULL;
    }
    node->info.ai_addrlen = (socklen_t) bj_addr_to_sockaddr(address, &node->address);
    node->info.ai_addr = (struct sockaddr *) &node->address;
    node->info.ai_family = node->address.ss_family;
    node->info.ai_socktype = transports[transport].type;
    node->info.ai_protocol = transports[transport].protocol ? transports[transport].protocol : hints->ai_protocol;
    node->info.ai_flags = hints->ai_flags;
    return &node->info;
}

static bool fits(const struct addrinfo *hints, size_t transport) {
    bool type = hints->ai_socktype == 0 || hints->ai_socktype == transports[transport].type;
    bool protocol = hints->ai_protocol == 0 || transports[transport].protocol == 0 ||
                    hints->ai_protocol == transports[transport].protocol;
    return type && protocol;
}

/* 0, or an error of getaddrinfo(). */
static int list_of(const bj_addr *addresses, size_t count, const struct addrinfo *hints, struct addrinfo **list) {
    struct addrinfo **end = list;
    *list = NULL;
    for (size_t i = 0; i < count * TRANSPORTS; i++) {
        if (fits(hints, i % TRANSPORTS)) {
            *end = new_node(&addresses[i / TRANSPORTS], i % TRANSPORTS, hints);
            if (!*end) {
                freeaddrinfo(*list);
                return EAI_MEMORY;
            }
            end = &(*end)->ai_next;
        }
    }
    return *list ? 0 : EAI_SOCKTYPE;
}

static int add_canonical(struct addrinfo *list, const struct addrinfo *hints, const char *name) {
    if ((hints->ai_flags & AI_CANONNAME) && name) {
        list->ai_canonname = strdup(name);
        if (!list->ai_canonname) {
            freeaddrinfo(list);
            return EAI_MEMORY;
        }
    }
    return 0;
}

static int get_list(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **list) {
    bj_addr addresses[ADDRESSES];
    size_t count;
    uint16_t port;
    if (!node && !service) {
        return EAI_NONAME;
    }
    if (hints->ai_family != AF_UNSPEC && hints->ai_family != AF_INET && hints->ai_family != AF_INET6) {
        return EAI_FAMILY;
    }
    int error = port_of(service, hints, &port);
    if (!error) {
        error = resolve(node, hints, addresses, &count);
    }
    if (error) {
        return error;
    }
    for (size_t i = 0; i < count; i++) {
        addresses[i].port = port;
    }
    error = list_of(addresses, count, hints, list);
    return error ? error : add_canonical(*list, hints, node);
}

BJ_EXPORT int getaddrinfo(const char *restrict node, const char *restrict service,
                          const struct addrinfo *restrict hints, struct addrinfo **restrict list) {
    static const struct addrinfo no_hints = { .ai_flags = AI_V4MAPPED | AI_ADDRCONFIG };
    if (!bj_inside()) {
        return REAL(getaddrinfo)(node, service, hints, list);
    }
    return get_list(node, service, hints ? hints : &no_hints, list);
}

/* --- the other way round --- */

static bool copy_text(char *to, socklen_t room, const char *text) {
    size_t length = strlen(text);
    if (length >= room) {
        return false;
    }
    memcpy(to, text, length + 1);
    return true;
}

static int host_text(const bj_addr *address, int flags, char *host, socklen_t room) {
    char number[INET6_ADDRSTRLEN];
    const char *name = flags & NI_NUMERICHOST ? NULL : bj_sim_name_of(bj_the_run.sim, address);
    if (!name) {
        if (flags & NI_NAMEREQD) {
            return EAI_NONAME;
        }
        name = inet_ntop(address->family == 6 ? AF_INET6 : AF_INET, address->ip, number, sizeof number);
    }
    return copy_text(host, room, name) ? 0 : EAI_OVERFLOW;
}

static int service_text(uint16_t port, int flags, char *service, socklen_t room) {
    char number[8];
    for (size_t i = 0; i < SERVICES && !(flags & NI_NUMERICSERV); i++) {
        if (services[i].port == port && (flags & NI_DGRAM ? services[i].datagram : services[i].stream)) {
            return copy_text(service, room, services[i].name) ? 0 : EAI_OVERFLOW;
        }
    }
    snprintf(number, sizeof number, "%u", port);
    return copy_text(service, room, number) ? 0 : EAI_OVERFLOW;
}

BJ_EXPORT int getnameinfo(const struct sockaddr *restrict address, socklen_t length, char *restrict host,
                          socklen_t host_room, char *restrict service, socklen_t service_room, int flags) {
    bj_addr addr;
    if (!bj_inside() || !bj_addr_from_sockaddr(address, length, &addr)) {
        return REAL(getnameinfo)(address, length, host, host_room, service, service_room, flags);
    }
    int error = host && host_room ? host_text(&addr, flags, host, host_room) : 0;
    if (!error && service && service_room) {
        error = service_text(addr.port, flags, service, service_room);
    }
    return error;
}

/* --- gethostbyname() and its relatives --- */

/* What a struct hostent points to, in the caller's buffer. */
typedef struct bj_host {
    char *aliases[1];
    char *list[ADDRESSES + 1];
    uint8_t addresses[ADDRESSES][16];
    char name[];
} bj_host;

static void fill_host(struct hostent *entry, bj_host *host, const char *name, int family, const bj_addr *addresses,
                      size_t count) {
    size_t size = family == AF_INET6 ? 16 : 4;
    strcpy(host->name, name);
    host->aliases[0] = NULL;
    for (size_t i = 0; i < count; i++) {
        memcpy(host->addresses[i], addresses[i].ip, size);
        host->list[i] = (char *) host->addresses[i];
    }
    host->list[count] = NULL;
    *entry = (struct hostent){ .h_name = host->name,
                               .h_aliases = host->aliases,
                               .h_addrtype = family,
                               .h_length = (int) size,
                               .h_addr_list = host->list };
}

/* 0 and addresses, or one of h_errno's. */
static int host_addresses(const char *name, int family, bj_addr *addresses, size_t *count) {
    const struct addrinfo hints = { .ai_family = family };
    switch (resolve(name, &hints, addresses, count)) {
    case 0:
        return 0;
    case EAI_AGAIN:
        return TRY_AGAIN;
    case EAI_NODATA:
        return NO_DATA;
    default:
        return HOST_NOT_FOUND;
    }
}

BJ_EXPORT int gethostbyname2_r(const char *restrict name, int family, struct hostent *restrict entry,
                               char *restrict buffer, size_t room, struct hostent **restrict result,
                               int *restrict problem) {
    if (!bj_inside()) {
        return REAL(gethostbyname2_r)(name, family, entry, buffer, room, result, problem);
    }
    size_t skew = (16 - (uintptr_t) buffer % 16) % 16;
    *result = NULL;
    if (room < skew + sizeof(bj_host) + strlen(name) + 1) {
        *problem = NETDB_INTERNAL;
        return ERANGE;
    }
    bj_addr addresses[ADDRESSES];
    size_t count;
    *problem = host_addresses(name, family, addresses, &count);
    if (*problem) {
        return *problem == TRY_AGAIN ? EAGAIN : 0;
    }
    fill_host(entry, (bj_host *) (void *) (buffer + skew), name, family, addresses, count);
    *result = entry;
    return 0;
}

BJ_EXPORT int gethostbyname_r(const char *restrict name, struct hostent *restrict entry, char *restrict buffer,
                              size_t room, struct hostent **restrict result, int *restrict problem) {
    if (!bj_inside()) {
        return REAL(gethostbyname_r)(name, entry, buffer, room, result, problem);
    }
    return gethostbyname2_r(name, AF_INET, entry, buffer, room, result, problem);
}

/* The buffer that the next call overwrites. */
static struct hostent *host_into_own_buffer(const char *name, int family) {
    size_t room = sizeof(struct hostent) + sizeof(bj_host) + strlen(name) + 32;
    bj_the_run.host = bj_arena_realloc(bj_the_run.arena, bj_the_run.host, room);
    struct hostent *entry = bj_the_run.host, *result;
    gethostbyname2_r(name, family, entry, (char *) (entry + 1), room - sizeof *entry, &result, &h_errno);
    return result;
}

BJ_EXPORT struct hostent *gethostbyname2(const char *name, int family) {
    return bj_inside() ? host_into_own_buffer(name, family) : REAL(gethostbyname2)(name, family);
}

BJ_EXPORT struct hostent *gethostbyname(const char *name) {
    return bj_inside() ? host_into_own_buffer(name, AF_INET) : REAL(gethostbyname)(name);
}

BJ_EXPORT struct hostent *gethostbyaddr(const void *address, socklen_t length, int family) {
    if (!bj_inside()) {
        return REAL(gethostbyaddr)(address, length, family);
    }
    bj_addr addr = { .family = family == AF_INET6 ? 6 : 4 };
    memcpy(addr.ip, address, length < sizeof addr.ip ? length : sizeof addr.ip);
    const char *name = bj_sim_name_of(bj_the_run.sim, &addr);
    if (!name) {
        h_errno = HOST_NOT_FOUND;
        return NULL;
    }
    size_t room = sizeof(struct hostent) + sizeof(bj_host) + strlen(name) + 1;
    bj_the_run.host = bj_arena_realloc(bj_the_run.arena, bj_the_run.host, room);
    struct hostent *entry = bj_the_run.host;
    fill_host(entry, (bj_host *) (void *) (entry + 1), name, family, &addr, 1);
    return entry;
}
