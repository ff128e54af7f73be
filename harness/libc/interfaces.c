/* SPDX-License-Identifier: Apache-2.0
 *
 * The client's host has two network interfaces: lo, and eth0 with the addresses 192.0.2.1 and 2001:db8::1.
 */
#define _GNU_SOURCE
#include "libc/internal.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

static const struct {
    const char *name;
    unsigned index;
    unsigned flags;
    int mtu;
    unsigned short hardware;
    uint8_t mac[6];
    bj_addr four;
    unsigned four_bits;
    bj_addr six;
    unsigned six_bits;
} interfaces[] = {
    { "lo",
      BJ_IF_LO,
      IFF_UP | IFF_LOOPBACK | IFF_RUNNING,
      65536,
      ARPHRD_LOOPBACK,
      { 0 },
      { .family = 4, .ip = { 127, 0, 0, 1 } },
      8,
      { .family = 6, .ip = { [15] = 1 } },
      128 },
    { "eth0",
      BJ_IF_ETH,
      IFF_UP | IFF_BROADCAST | IFF_RUNNING | IFF_MULTICAST,
      BJ_IF_MTU,
      ARPHRD_ETHER,
      { 0x02, 0x00, 192, 0, 2, 1 }, /* locally administered */
      { .family = 4, .ip = { 192, 0, 2, 1 } },
      24,
      { .family = 6, .ip = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } },
      64 },
};
enum { INTERFACES = sizeof interfaces / sizeof interfaces[0] };

static bj_addr netmask(unsigned bits, uint8_t family) {
    bj_addr mask = { .family = family };
    for (unsigned i = 0; i < bits; i++) {
        mask.ip[i / 8] |= (uint8_t) (0x80 >> i % 8);
    }
    return mask;
}

static bj_addr broadcast(size_t i) {
    bj_addr mask = netmask(interfaces[i].four_bits, 4), all = interfaces[i].four;
    for (size_t byte = 0; byte < 4; byte++) {
        all.ip[byte] |= (uint8_t) ~mask.ip[byte];
    }
    return all;
}

/* --- getifaddrs() --- */

typedef struct bj_if_node {
    struct ifaddrs entry;
    struct sockaddr_storage address, mask, other;
} bj_if_node;

static bj_if_node *new_node(size_t i, struct ifaddrs ***end) {
    bj_if_node *node = bj_arena_alloc(bj_the_run.arena, sizeof *node);
    node->entry.ifa_name = (char *) (uintptr_t) interfaces[i].name;
    node->entry.ifa_flags = interfaces[i].flags;
    node->entry.ifa_addr = (struct sockaddr *) &node->address;
    **end = &node->entry;
    *end = &node->entry.ifa_next;
    return node;
}

static void add_hardware(size_t i, struct ifaddrs ***end) {
    bj_if_node *node = new_node(i, end);
    struct sockaddr_ll link = { .sll_family = AF_PACKET,
                                .sll_ifindex = (int) interfaces[i].index,
                                .sll_hatype = interfaces[i].hardware,
                                .sll_halen = 6 };
    memcpy(link.sll_addr, interfaces[i].mac, 6);
    memcpy(&node->address, &link, sizeof link);
}

static void add_address(size_t i, const bj_addr *address, unsigned bits, struct ifaddrs ***end) {
    bj_if_node *node = new_node(i, end);
    bj_addr mask = netmask(bits, address->family);
    bj_addr_to_sockaddr(address, &node->address);
    bj_addr_to_sockaddr(&mask, &node->mask);
    node->entry.ifa_netmask = (struct sockaddr *) &node->mask;
    if (address->family == 4 && (interfaces[i].flags & IFF_BROADCAST)) {
        bj_addr all = broadcast(i);
        bj_addr_to_sockaddr(&all, &node->other);
        node->entry.ifa_broadaddr = (struct sockaddr *) &node->other;
    }
}

BJ_EXPORT int getifaddrs(struct ifaddrs **list) {
    if (!bj_inside()) {
        return REAL(getifaddrs)(list);
    }
    struct ifaddrs **end = list;
    for (size_t i = 0; i < INTERFACES; i++) {
        add_hardware(i, &end);
    }
    for (size_t i = 0; i < INTERFACES; i++) {
        add_address(i, &interfaces[i].four, interfaces[i].four_bits, &end);
    }
    for (size_t i = 0; i < INTERFACES; i++) {
        add_address(i, &interfaces[i].six, interfaces[i].six_bits, &end);
    }
    return 0;
}

BJ_EXPORT void freeifaddrs(struct ifaddrs *list) {
    if (!bj_is_ours(list)) {
        REAL(freeifaddrs)(list);
        return;
    }
    while (list) {
        struct ifaddrs *next = list->ifa_next;
        bj_arena_free(bj_the_run.arena, list);
        list = next;
    }
}

/* --- names and numbers --- */

BJ_EXPORT unsigned if_nametoindex(const char *name) {
    if (!bj_inside()) {
        return REAL(if_nametoindex)(name);
    }
    for (size_t i = 0; i < INTERFACES; i++) {
        if (!strcmp(interfaces[i].name, name)) {
            return interfaces[i].index;
        }
    }
    errno = ENODEV;
    return 0;
}

BJ_EXPORT char *if_indextoname(unsigned index, char name[IF_NAMESIZE]) {
    if (!bj_inside()) {
        return REAL(if_indextoname)(index, name);
    }
    for (size_t i = 0; i < INTERFACES; i++) {
        if (interfaces[i].index == index) {
            return strcpy(name, interfaces[i].name);
        }
    }
    errno = ENXIO;
    return NULL;
}

BJ_EXPORT struct if_nameindex *if_nameindex(void) {
    if (!bj_inside()) {
        return REAL(if_nameindex)();
    }
    struct if_nameindex *list = bj_arena_alloc(bj_the_run.arena, (INTERFACES + 1) * sizeof *list);
    for (size_t i = 0; i < INTERFACES; i++) {
        list[i].if_index = interfaces[i].index;
        list[i].if_name = (char *) (uintptr_t) interfaces[i].name;
    }
    return list;
}

BJ_EXPORT void if_freenameindex(struct if_nameindex *list) {
    if (bj_is_ours(list)) {
        bj_arena_free(bj_the_run.arena, list);
    } else {
        REAL(if_freenameindex)(list);
    }
}

/* --- ioctl() --- */

static int list_by_ioctl(struct ifconf *conf) {
    int count = conf->ifc_req ? conf->ifc_len / (int) sizeof(struct ifreq) : (int) INTERFACES;
    count = count < (int) INTERFACES ? count : (int) INTERFACES;
    for (int i = 0; conf->ifc_req && i < count; i++) {
        struct ifreq *request = &conf->ifc_req[i];
        memset(request, 0, sizeof *request);
        snprintf(request->ifr_name, sizeof request->ifr_name, "%s", interfaces[i].name);
        bj_addr_to_sockaddr(&interfaces[i].four, &request->ifr_addr);
    }
    conf->ifc_len = count * (int) sizeof(struct ifreq);
    return 0;
}

static int about_interface(unsigned long request, size_t i, struct ifreq *answer) {
    bj_addr mask = netmask(interfaces[i].four_bits, 4), all = broadcast(i);
    switch (request) {
    case SIOCGIFADDR:
        bj_addr_to_sockaddr(&interfaces[i].four, &answer->ifr_addr);
        return 0;
    case SIOCGIFNETMASK:
        bj_addr_to_sockaddr(&mask, &answer->ifr_netmask);
        return 0;
    case SIOCGIFBRDADDR:
        bj_addr_to_sockaddr(&all, &answer->ifr_broadaddr);
        return 0;
    case SIOCGIFFLAGS:
        answer->ifr_flags = (short) interfaces[i].flags;
        return 0;
    case SIOCGIFMTU:
        answer->ifr_mtu = interfaces[i].mtu;
        return 0;
    case SIOCGIFINDEX:
        answer->ifr_ifindex = (int) interfaces[i].index;
        return 0;
    case SIOCGIFHWADDR:
        answer->ifr_hwaddr.sa_family = interfaces[i].hardware;
        memcpy(answer->ifr_hwaddr.sa_data, interfaces[i].mac, 6);
        return 0;
    default:
        return -ENOTTY;
    }
}

int bj_interface_ioctl(unsigned long request, void *argument) {
    if (request == SIOCGIFCONF) {
        return list_by_ioctl(argument);
    }
    if (request < SIOCGIFNAME || request > SIOCGIFINDEX) {
        return -ENOTTY;
    }
    struct ifreq *answer = argument;
    for (size_t i = 0; i < INTERFACES; i++) {
        if (request == SIOCGIFNAME && (unsigned) answer->ifr_ifindex == interfaces[i].index) {
            strcpy(answer->ifr_name, interfaces[i].name);
            return 0;
        }
        if (request != SIOCGIFNAME && !strncmp(answer->ifr_name, interfaces[i].name, sizeof answer->ifr_name)) {
            return about_interface(request, i, answer);
        }
    }
    return -ENODEV;
}
