/* SPDX-License-Identifier: Apache-2.0
 *
 * Names, interfaces and randomness.
 */
#define _GNU_SOURCE
#include "libc_fixture.h"

#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/syscall.h>

static int enter_with_names(void **state) {
    enter_world(state);
    fixture *f = *state;
    bj_dns_answer two = { .count = 2, .addresses = { at("192.0.2.10"), at("2001:db8::a") }, .delay = 3 * BJ_SECOND };
    bj_dns_answer six = { .count = 1, .addresses = { at("2001:db8::a") } };
    bj_dns_answer down = { .status = BJ_DNS_SERVFAIL };
    f->ops->set_dns(f->world, "two.example", &two, 1);
    f->ops->set_dns(f->world, "six.example", &six, 1);
    f->ops->set_dns(f->world, "down.example", &down, 1);
    return 0;
}

#define with_names(test) cmocka_unit_test_setup_teardown(test, enter_with_names, leave_world)

static size_t length_of(const struct addrinfo *list) {
    size_t length = 0;
    for (; list; list = list->ai_next) {
        length++;
    }
    return length;
}

static void names_give_addresses_after_their_delay(void **state) {
    struct addrinfo *list, hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_CANONNAME };
    assert_int_equal(getaddrinfo("two.example", "5683", &hints, &list), 0);
    assert_int_equal(now_in(state), 3 * BJ_SECOND);
    assert_int_equal(length_of(list), 2);
    assert_string_equal(list->ai_canonname, "two.example");
    assert_int_equal(list->ai_family, AF_INET);
    assert_int_equal(list->ai_socktype, SOCK_DGRAM);
    assert_int_equal(list->ai_protocol, IPPROTO_UDP);
    struct sockaddr_in four = ipv4("192.0.2.10", 5683);
    assert_int_equal(list->ai_addrlen, sizeof four);
    assert_memory_equal(list->ai_addr, &four, sizeof four);
    assert_int_equal(list->ai_next->ai_family, AF_INET6);
    freeaddrinfo(list);
    hints = (struct addrinfo){ .ai_family = AF_INET };
    assert_int_equal(getaddrinfo("two.example", "coap", &hints, &list), 0);
    assert_int_equal(length_of(list), 3); /* stream, datagram, raw */
    assert_int_equal(ntohs(((struct sockaddr_in *) list->ai_addr)->sin_port), 5683);
    freeaddrinfo(list);
}

/* glibc's list is of malloc(), node by node, and programs are about that free it themselves. */
static void a_list_is_the_clients_own_memory(void **state) {
    (void) state;
    struct addrinfo *list, hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_CANONNAME };
    assert_int_equal(getaddrinfo("six.example", "5683", &hints, &list), 0);
    assert_int_equal(length_of(list), 1);
    free(list->ai_canonname);
    free(list);
}

/* glibc looks only whether the whole is a number, and keeps its lower half. */
static void ports_are_numbers_of_any_size(void **state) {
    (void) state;
    static const struct {
        const char *service;
        in_port_t port;
    } cases[] = { { "70000", 70000 - 65536 }, { "65536", 0 }, { "", 0 }, { " 80", 80 } };
    struct addrinfo *list = NULL, hints = { .ai_family = AF_INET, .ai_socktype = SOCK_DGRAM };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(getaddrinfo("192.0.2.10", cases[i].service, &hints, &list), 0);
        assert_int_equal(((struct sockaddr_in *) (void *) list->ai_addr)->sin_port, htons(cases[i].port));
        freeaddrinfo(list);
    }
}

static void failures_have_their_codes(void **state) {
    (void) state;
    struct addrinfo *list = NULL, hints = { .ai_family = AF_INET };
    assert_int_equal(getaddrinfo("nowhere.example", NULL, NULL, &list), EAI_NONAME);
    assert_int_equal(getaddrinfo("down.example", NULL, NULL, &list), EAI_AGAIN);
    assert_int_equal(getaddrinfo("six.example", NULL, &hints, &list), EAI_NODATA);
    assert_int_equal(getaddrinfo(NULL, NULL, &hints, &list), EAI_NONAME);
    assert_int_equal(getaddrinfo("two.example", "nonsense", &hints, &list), EAI_SERVICE);
    assert_int_equal(getaddrinfo("::1", NULL, &hints, &list), EAI_ADDRFAMILY);
    hints.ai_flags = AI_NUMERICHOST;
    assert_int_equal(getaddrinfo("two.example", NULL, &hints, &list), EAI_NONAME);
    hints = (struct addrinfo){ .ai_family = AF_UNIX };
    assert_int_equal(getaddrinfo("two.example", NULL, &hints, &list), EAI_FAMILY);
    assert_string_equal(gai_strerror(EAI_NONAME), "Name or service not known");
    assert_null(list);
}

static void numbers_and_nobody_need_no_question(void **state) {
    fixture *f = *state;
    struct addrinfo *list, hints = { .ai_family = AF_INET6, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_V4MAPPED };
    assert_int_equal(getaddrinfo("192.0.2.77", "1", &hints, &list), 0);
    struct sockaddr_in6 mapped = ipv6("::ffff:192.0.2.77", 1);
    assert_memory_equal(list->ai_addr, &mapped, sizeof mapped);
    freeaddrinfo(list);
    hints = (struct addrinfo){ .ai_socktype = SOCK_DGRAM, .ai_flags = AI_PASSIVE };
    assert_int_equal(getaddrinfo(NULL, "5683", &hints, &list), 0);
    assert_int_equal(length_of(list), 2);
    struct sockaddr_in any = ipv4("0.0.0.0", 5683);
    assert_memory_equal(list->ai_addr, &any, sizeof any);
    freeaddrinfo(list);
    assert_int_equal(getaddrinfo("localhost", "5683", &hints, &list), 0);
    assert_int_equal(length_of(list), 2);
    freeaddrinfo(list);
    assert_int_equal(count_events(f, BJ_EV_DNS_QUERY), 0);
}

static void addresses_have_names(void **state) {
    (void) state;
    char host[64], service[16];
    struct sockaddr_in server = ipv4("192.0.2.10", 5683), unknown = ipv4("192.0.2.99", 1);
    assert_int_equal(
        getnameinfo((struct sockaddr *) &server, sizeof server, host, sizeof host, service, sizeof service, NI_DGRAM),
        0);
    assert_string_equal(host, "bs.example");
    assert_string_equal(service, "coap");
    assert_int_equal(getnameinfo((struct sockaddr *) &server, sizeof server, host, sizeof host, service, sizeof service,
                                 NI_NUMERICHOST | NI_NUMERICSERV),
                     0);
    assert_string_equal(host, "192.0.2.10");
    assert_string_equal(service, "5683");
    assert_int_equal(getnameinfo((struct sockaddr *) &unknown, sizeof unknown, host, 4, NULL, 0, 0), EAI_OVERFLOW);
    assert_int_equal(getnameinfo((struct sockaddr *) &unknown, sizeof unknown, host, sizeof host, NULL, 0, NI_NAMEREQD),
                     EAI_NONAME);
}

static void old_calls_find_hosts_too(void **state) {
    (void) state;
    struct hostent *host = gethostbyname("two.example"), entry, *found;
    char buffer[1024];
    const uint8_t address[] = { 192, 0, 2, 10 };
    int problem;
    assert_non_null(host);
    assert_string_equal(host->h_name, "two.example");
    assert_int_equal(host->h_length, 4);
    assert_memory_equal(host->h_addr_list[0], address, 4);
    assert_null(host->h_addr_list[1]);
    assert_null(gethostbyname("nowhere.example"));
    assert_int_equal(h_errno, HOST_NOT_FOUND);
    host = gethostbyname2("six.example", AF_INET6);
    assert_int_equal(host->h_length, 16);
    assert_int_equal(gethostbyname_r("two.example", &entry, buffer, 8, &found, &problem), ERANGE);
    assert_int_equal(gethostbyname_r("two.example", &entry, buffer + 1, sizeof buffer - 1, &found, &problem), 0);
    assert_ptr_equal(found, &entry);
    host = gethostbyaddr(address, 4, AF_INET);
    assert_string_equal(host->h_name, "bs.example");
}

/* --- interfaces --- */

static void there_are_two_interfaces(void **state) {
    (void) state;
    struct ifaddrs *list;
    int four = 0, six = 0;
    assert_int_equal(getifaddrs(&list), 0);
    for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
        four += i->ifa_addr->sa_family == AF_INET && !strcmp(i->ifa_name, "eth0");
        six += i->ifa_addr->sa_family == AF_INET6;
    }
    freeifaddrs(list);
    assert_int_equal(four, 1);
    assert_int_equal(six, 2);
    assert_int_equal(if_nametoindex("eth0"), 2);
    assert_int_equal(if_nametoindex("wlan0"), 0);
    char name[IF_NAMESIZE];
    assert_string_equal(if_indextoname(1, name), "lo");
    struct if_nameindex *names = if_nameindex();
    assert_string_equal(names[1].if_name, "eth0");
    assert_null(names[2].if_name);
    if_freenameindex(names);
}

static void interfaces_answer_ioctl(void **state) {
    (void) state;
    struct ifreq request = { .ifr_name = "eth0" }, all[4];
    struct ifconf conf = { .ifc_len = sizeof all, .ifc_req = all };
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(ioctl(fd, SIOCGIFADDR, &request), 0);
    assert_int_equal(((struct sockaddr_in *) &request.ifr_addr)->sin_addr.s_addr, inet_addr("192.0.2.1"));
    assert_int_equal(ioctl(fd, SIOCGIFBRDADDR, &request), 0);
    assert_int_equal(((struct sockaddr_in *) &request.ifr_addr)->sin_addr.s_addr, inet_addr("192.0.2.255"));
    assert_int_equal(ioctl(fd, SIOCGIFMTU, &request), 0);
    assert_int_equal(request.ifr_mtu, 1500);
    assert_int_equal(ioctl(fd, SIOCGIFHWADDR, &request), 0);
    assert_int_equal(ioctl(fd, SIOCGIFCONF, &conf), 0);
    assert_int_equal(conf.ifc_len, 2 * sizeof(struct ifreq));
    strcpy(request.ifr_name, "wlan0");
    assert_errno(ioctl(fd, SIOCGIFADDR, &request), ENODEV);
    assert_errno(ioctl(fd, TIOCGWINSZ, &request), ENOTTY);
    close(fd);
}

/* --- randomness --- */

static void draw_in_every_way(void *to, size_t length) {
    uint8_t *bytes = to;
    memset(bytes, 0, length);
    assert_int_equal(getrandom(bytes, 13, 0), 13);
    assert_int_equal(getentropy(bytes + 13, 13), 0);
    assert_errno(getentropy(bytes, 257), EIO);
    assert_int_equal(syscall(SYS_getrandom, bytes + 26, 13, 0), 13);
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, bytes + 39, 13), 13);
    struct pollfd pollfd = { .fd = fd, .events = POLLIN };
    assert_int_equal(poll(&pollfd, 1, -1), 1);
    assert_int_equal(write(fd, bytes, 4), 4);
    close(fd);
    FILE *stream = fopen("/dev/random", "rb");
    assert_int_equal(fread(bytes + 52, 1, 13, stream), 13);
    fclose(stream);
}

static void the_same_seed_gives_the_same_bytes(void **state) {
    uint8_t first[65], second[65];
    draw_in_every_way(first, sizeof first);
    assert_int_equal(leave_world(state), 0);
    enter_world(state);
    draw_in_every_way(second, sizeof second);
    assert_memory_equal(first, second, sizeof first);
    for (size_t i = 0; i + 13 < sizeof first; i += 13) {
        assert_memory_not_equal(first + i, first + i + 13, 13);
    }
}

static void other_files_are_opened_as_ever(void **state) {
    (void) state;
    char text[64];
    int fd = open("/proc/self/comm", O_RDONLY);
    assert_true(read(fd, text, sizeof text) > 0);
    close(fd);
    fd = openat(AT_FDCWD, "/dev/urandom", O_RDONLY);
    assert_int_equal(read(fd, text, 8), 8);
    close(fd);
    FILE *stream = fopen("/proc/self/comm", "r");
    assert_non_null(fgets(text, sizeof text, stream));
    fclose(stream);
    assert_errno(open("/nonexistent", O_RDONLY), ENOENT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        with_names(names_give_addresses_after_their_delay),
        with_names(a_list_is_the_clients_own_memory),
        with_names(ports_are_numbers_of_any_size),
        with_names(failures_have_their_codes),
        with_names(numbers_and_nobody_need_no_question),
        with_names(addresses_have_names),
        with_names(old_calls_find_hosts_too),
        in_world(there_are_two_interfaces),
        in_world(interfaces_answer_ioctl),
        in_world(the_same_seed_gives_the_same_bytes),
        in_world(other_files_are_opened_as_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
