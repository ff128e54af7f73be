/* SPDX-License-Identifier: Apache-2.0
 *
 * getsockopt() and setsockopt() on the world's sockets. Some options have a meaning in the world; the others that a
 * client may reasonably set are remembered and given back; what Linux does not know is refused as Linux refuses it.
 */
#define _GNU_SOURCE
#include "libc/internal.h"

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/time.h>

enum { INT_OPTION = sizeof(int), ANY_SIZE = 0 };

/* What may be set, and what it is at first. Those of size ANY_SIZE (group memberships) are taken and forgotten. */
static const struct {
    int level;
    int name;
    socklen_t size;
    int first;
} known[] = {
    { SOL_SOCKET, SO_REUSEADDR, INT_OPTION, 0 },
    { SOL_SOCKET, SO_REUSEPORT, INT_OPTION, 0 },
    { SOL_SOCKET, SO_BROADCAST, INT_OPTION, 0 },
    { SOL_SOCKET, SO_KEEPALIVE, INT_OPTION, 0 },
    { SOL_SOCKET, SO_DONTROUTE, INT_OPTION, 0 },
    { SOL_SOCKET, SO_OOBINLINE, INT_OPTION, 0 },
    { SOL_SOCKET, SO_RCVBUF, INT_OPTION, 212992 },
    { SOL_SOCKET, SO_SNDBUF, INT_OPTION, 212992 },
    { SOL_SOCKET, SO_RCVBUFFORCE, INT_OPTION, 212992 },
    { SOL_SOCKET, SO_SNDBUFFORCE, INT_OPTION, 212992 },
    { SOL_SOCKET, SO_RCVLOWAT, INT_OPTION, 1 },
    { SOL_SOCKET, SO_PRIORITY, INT_OPTION, 0 },
    { SOL_SOCKET, SO_MARK, INT_OPTION, 0 },
    { SOL_SOCKET, SO_TIMESTAMP, INT_OPTION, 0 },
    { SOL_SOCKET, SO_TIMESTAMPNS, INT_OPTION, 0 },
    { SOL_SOCKET, SO_NO_CHECK, INT_OPTION, 0 },
    { SOL_SOCKET, SO_BUSY_POLL, INT_OPTION, 0 },
    { SOL_SOCKET, SO_INCOMING_CPU, INT_OPTION, 0 },
    { SOL_SOCKET, SO_LINGER, sizeof(struct linger), 0 },
    { SOL_SOCKET, SO_BINDTODEVICE, ANY_SIZE, 0 },
    { SOL_SOCKET, SO_ATTACH_FILTER, ANY_SIZE, 0 },
    { SOL_SOCKET, SO_DETACH_FILTER, ANY_SIZE, 0 },
    { IPPROTO_IP, IP_TOS, INT_OPTION, 0 },
    { IPPROTO_IP, IP_TTL, INT_OPTION, 64 },
    { IPPROTO_IP, IP_PKTINFO, INT_OPTION, 0 },
    { IPPROTO_IP, IP_RECVTTL, INT_OPTION, 0 },
    { IPPROTO_IP, IP_RECVTOS, INT_OPTION, 0 },
    { IPPROTO_IP, IP_RECVERR, INT_OPTION, 0 },
    { IPPROTO_IP, IP_MTU_DISCOVER, INT_OPTION, IP_PMTUDISC_WANT },
    { IPPROTO_IP, IP_FREEBIND, INT_OPTION, 0 },
    { IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, INT_OPTION, 0 },
    { IPPROTO_IP, IP_MULTICAST_TTL, INT_OPTION, 1 },
    { IPPROTO_IP, IP_MULTICAST_LOOP, INT_OPTION, 1 },
    { IPPROTO_IP, IP_MULTICAST_ALL, INT_OPTION, 1 },
    { IPPROTO_IP, IP_MULTICAST_IF, ANY_SIZE, 0 },
    { IPPROTO_IP, IP_ADD_MEMBERSHIP, ANY_SIZE, 0 },
    { IPPROTO_IP, IP_DROP_MEMBERSHIP, ANY_SIZE, 0 },
    { IPPROTO_IP, IP_ADD_SOURCE_MEMBERSHIP, ANY_SIZE, 0 },
    { IPPROTO_IP, MCAST_JOIN_GROUP, ANY_SIZE, 0 },
    { IPPROTO_IP, MCAST_LEAVE_GROUP, ANY_SIZE, 0 },
    { IPPROTO_IPV6, IPV6_V6ONLY, INT_OPTION, 0 },
    { IPPROTO_IPV6, IPV6_RECVPKTINFO, INT_OPTION, 0 },
    { IPPROTO_IPV6, IPV6_RECVHOPLIMIT, INT_OPTION, 0 },
    { IPPROTO_IPV6, IPV6_RECVTCLASS, INT_OPTION, 0 },
    { IPPROTO_IPV6, IPV6_TCLASS, INT_OPTION, 0 },
    { IPPROTO_IPV6, IPV6_UNICAST_HOPS, INT_OPTION, 64 },
    { IPPROTO_IPV6, IPV6_MULTICAST_HOPS, INT_OPTION, 1 },
    { IPPROTO_IPV6, IPV6_MULTICAST_LOOP, INT_OPTION, 1 },
    { IPPROTO_IPV6, IPV6_MULTICAST_IF, INT_OPTION, 0 },
    { IPPROTO_IPV6, IPV6_MULTICAST_ALL, INT_OPTION, 1 },
    { IPPROTO_IPV6, IPV6_MTU_DISCOVER, INT_OPTION, IPV6_PMTUDISC_WANT },
    { IPPROTO_IPV6, IPV6_DONTFRAG, INT_OPTION, 0 },
    { IPPROTO_IPV6, IPV6_RECVERR, INT_OPTION, 0 },
    { IPPROTO_IPV6, IPV6_ADDR_PREFERENCES, INT_OPTION, 0 },
    { IPPROTO_IPV6, IPV6_JOIN_GROUP, ANY_SIZE, 0 },
    { IPPROTO_IPV6, IPV6_LEAVE_GROUP, ANY_SIZE, 0 },
    { IPPROTO_IPV6, MCAST_JOIN_GROUP, ANY_SIZE, 0 },
    { IPPROTO_IPV6, MCAST_LEAVE_GROUP, ANY_SIZE, 0 },
    { IPPROTO_TCP, TCP_NODELAY, INT_OPTION, 0 },
    { IPPROTO_TCP, TCP_CORK, INT_OPTION, 0 },
    { IPPROTO_TCP, TCP_MAXSEG, INT_OPTION, 1448 },
    { IPPROTO_TCP, TCP_KEEPIDLE, INT_OPTION, 7200 },
    { IPPROTO_TCP, TCP_KEEPINTVL, INT_OPTION, 75 },
    { IPPROTO_TCP, TCP_KEEPCNT, INT_OPTION, 9 },
    { IPPROTO_TCP, TCP_SYNCNT, INT_OPTION, 6 },
    { IPPROTO_TCP, TCP_LINGER2, INT_OPTION, 60 },
    { IPPROTO_TCP, TCP_DEFER_ACCEPT, INT_OPTION, 0 },
    { IPPROTO_TCP, TCP_QUICKACK, INT_OPTION, 1 },
    { IPPROTO_TCP, TCP_USER_TIMEOUT, INT_OPTION, 0 },
    { IPPROTO_TCP, TCP_FASTOPEN_CONNECT, INT_OPTION, 0 },
    { IPPROTO_TCP, TCP_NOTSENT_LOWAT, INT_OPTION, 0 },
    { IPPROTO_UDP, UDP_CORK, INT_OPTION, 0 },
};
enum { KNOWN = sizeof known / sizeof known[0] };

static bj_option *find(const bj_file *file, int level, int name) {
    bj_option *option = file->socket.options;
    while (option && (option->level != level || option->name != name)) {
        option = option->next;
    }
    return option;
}

bool bj_option_get(const bj_file *file, int level, int name, void *value, size_t size) {
    const bj_option *option = find(file, level, name);
    if (option) {
        memcpy(value, option->value, size < option->length ? size : option->length);
    }
    return option != NULL;
}

int bj_option_flag(const bj_file *file, int level, int name) {
    int value = 0;
    bj_option_get(file, level, name, &value, sizeof value);
    return value;
}

void bj_options_free(bj_file *file) {
    while (file->socket.options) {
        bj_option *option = file->socket.options;
        file->socket.options = option->next;
        bj_arena_free(bj_the_run.arena, option);
    }
}

static void remember(bj_file *file, int level, int name, const void *value, socklen_t size) {
    bj_option *option = find(file, level, name);
    if (!option) {
        option = bj_arena_alloc(bj_the_run.arena, sizeof *option);
        option->level = level;
        option->name = name;
        option->next = file->socket.options;
        file->socket.options = option;
    }
    option->length = size < sizeof option->value ? size : sizeof option->value;
    memcpy(option->value, value, option->length);
}

/* --- those that mean something here --- */

static int set_timeout(bj_file *file, int name, const void *value, socklen_t size) {
    struct timeval timeout;
    if (size < sizeof timeout) {
        return -EINVAL;
    }
    memcpy(&timeout, value, sizeof timeout);
    if (timeout.tv_usec < 0 || timeout.tv_usec >= 1000000) {
        return -EDOM;
    }
    bj_time duration = bj_from_timeval(&timeout);
    *(name == SO_RCVTIMEO ? &file->socket.receive_timeout : &file->socket.send_timeout) =
        duration ? duration : BJ_NEVER;
    return 0;
}

static int get_timeout(const bj_file *file, int name, void *value, socklen_t *size) {
    bj_time duration = name == SO_RCVTIMEO ? file->socket.receive_timeout : file->socket.send_timeout;
    struct timeval timeout;
    bj_to_timeval(duration == BJ_NEVER ? 0 : duration, &timeout);
    *size = *size < sizeof timeout ? *size : sizeof timeout;
    memcpy(value, &timeout, *size);
    return 0;
}

/* What changes with a flag beside its being remembered; the value that is remembered. */
static int take_effect(bj_file *file, int level, int name, int value) {
    if (level == IPPROTO_IPV6 && name == IPV6_V6ONLY) {
        bj_sim_set_v6only(file->socket.sim, value != 0);
    } else if (level == SOL_SOCKET && (name == SO_REUSEADDR || name == SO_REUSEPORT)) {
        bj_sim_set_reuse(file->socket.sim, value != 0);
    } else if ((level == IPPROTO_IP && name == IP_RECVERR) || (level == IPPROTO_IPV6 && name == IPV6_RECVERR)) {
        bj_sim_want_errors(file->socket.sim, level == IPPROTO_IPV6 ? 6 : 4, value != 0);
    } else if (level == SOL_SOCKET && (name == SO_RCVBUF || name == SO_SNDBUF)) {
        return value < 1152 ? 2304 : value * 2; /* as socket(7) says */
    }
    return value;
}

/* Linux: IPV6_V6ONLY is too late when there is a port. */
static bool too_late(const bj_file *file, int level, int name) {
    bj_addr local;
    bj_sim_local(file->socket.sim, &local);
    return level == IPPROTO_IPV6 && name == IPV6_V6ONLY && local.port != 0;
}

/* An int option may be given in a byte (ip(7) allows it for TOS, TTL and the multicast ones). */
static int set_flag(bj_file *file, int level, int name, const void *value, socklen_t size) {
    int number = 0;
    if (size >= sizeof number) {
        memcpy(&number, value, sizeof number);
    } else if (size == 1 && level == IPPROTO_IP) {
        number = *(const uint8_t *) value;
    } else {
        return -EINVAL;
    }
    if (too_late(file, level, name)) {
        return -EINVAL;
    }
    number = take_effect(file, level, name, number);
    remember(file, level, name, &number, sizeof number);
    return 0;
}

static bool has_level(const bj_file *file, int level) {
    switch (level) {
    case IPPROTO_IPV6:
        return file->socket.family == AF_INET6;
    case IPPROTO_TCP:
        return file->socket.type == SOCK_STREAM;
    case IPPROTO_UDP:
        return file->socket.type == SOCK_DGRAM;
    default:
        return true;
    }
}

static int set_option(bj_file *file, int level, int name, const void *value, socklen_t size) {
    if (level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO)) {
        return set_timeout(file, name, value, size);
    }
    if (!has_level(file, level)) {
        return -ENOPROTOOPT;
    }
    for (size_t i = 0; i < KNOWN; i++) {
        if (known[i].level != level || known[i].name != name) {
            continue;
        }
        if (known[i].size == INT_OPTION) {
            return set_flag(file, level, name, value, size);
        }
        if (size < known[i].size) {
            return -EINVAL;
        }
        if (known[i].size) {
            remember(file, level, name, value, known[i].size);
        }
        return 0;
    }
    return -ENOPROTOOPT;
}

/* --- asking --- */

/* Of the socket itself: true when `name` is one of those. */
static bool about_socket(bj_file *file, int name, int *value) {
    switch (name) {
    case SO_ERROR:
        *value = bj_sim_take_error(file->socket.sim);
        return true;
    case SO_TYPE:
        *value = file->socket.type;
        return true;
    case SO_DOMAIN:
        *value = file->socket.family;
        return true;
    case SO_PROTOCOL:
        *value = file->socket.type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
        return true;
    case SO_ACCEPTCONN:
        *value = bj_sim_is_listening(file->socket.sim);
        return true;
    default:
        return false;
    }
}

static bool path_mtu(bj_file *file, int level, int name, int *value) {
    bool asked = (level == IPPROTO_IP && name == IP_MTU) || (level == IPPROTO_IPV6 && name == IPV6_MTU);
    *value = BJ_IF_MTU;
    return asked && file->socket.sim;
}

static int give(const void *from, size_t size, void *value, socklen_t *length) {
    *length = *length < size ? *length : (socklen_t) size;
    memcpy(value, from, *length);
    return 0;
}

static int get_option(bj_file *file, int level, int name, void *value, socklen_t *length) {
    int number;
    if (!has_level(file, level)) {
        return -ENOPROTOOPT;
    }
    if (level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO)) {
        return get_timeout(file, name, value, length);
    }
    if ((level == SOL_SOCKET && about_socket(file, name, &number)) || path_mtu(file, level, name, &number)) {
        return give(&number, sizeof number, value, length);
    }
    const bj_option *option = find(file, level, name);
    if (option) {
        return give(option->value, option->length, value, length);
    }
    for (size_t i = 0; i < KNOWN; i++) {
        if (known[i].level == level && known[i].name == name && known[i].size) {
            struct linger first = { .l_onoff = known[i].first };
            return give(&first, known[i].size, value, length);
        }
    }
    return -ENOPROTOOPT;
}

BJ_EXPORT int setsockopt(int fd, int level, int name, const void *value, socklen_t size) {
    bj_file *file = bj_inside() ? bj_file_of(fd) : NULL;
    if (!file || file->kind != BJ_FILE_SOCKET) {
        return REAL(setsockopt)(fd, level, name, value, size);
    }
    return (int) bj_result(set_option(file, level, name, value, size));
}

BJ_EXPORT int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict size) {
    bj_file *file = bj_inside() ? bj_file_of(fd) : NULL;
    if (!file || file->kind != BJ_FILE_SOCKET) {
        return REAL(getsockopt)(fd, level, name, value, size);
    }
    return (int) bj_result(get_option(file, level, name, value, size));
}
