/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of the interposed libc share: each test is a client, written with ordinary calls, in a world of its
 * own. A test's state is its fixture; virtual time begins at 0.
 */
#ifndef BJ_TESTS_LIBC_FIXTURE_H
#define BJ_TESTS_LIBC_FIXTURE_H

#include "tests/world_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "libc/libc.h"

/* How often the run ended; a test that lets it end clears it. */
static int overs;
static sigjmp_buf *over_jump; /* where the over function goes; NULL: it returns */

static inline void on_over(void *context) {
    (void) context;
    overs++;
    if (over_jump) {
        siglongjmp(*over_jump, 1);
    }
}

static inline int enter_world(void **state) {
    fixture *f = fixture_new(1, 3600 * BJ_SECOND);
    overs = 0;
    over_jump = NULL;
    *state = f;
    fixture_open(f, BS, BJ_UDP, "192.0.2.10:5683");
    fixture_open(f, BS, BJ_UDP, "[2001:db8::a]:5683");
    fixture_open(f, BS, BJ_TCP, "192.0.2.10:5683");
    f->echo = true;
    bj_libc_enter(f->sim, on_over, f);
    return 0;
}

/* Nothing may be left open, and the run must not have ended behind the test's back. */
static inline int leave_world(void **state) {
    int left = bj_libc_leave();
    fixture_free(*state);
    if (left || overs) {
        print_error("%d virtual descriptors left open, the run ended %d times\n", left, overs);
    }
    return left || overs ? -1 : 0;
}

#define in_world(test) cmocka_unit_test_setup_teardown(test, enter_world, leave_world)

/* Virtual time now, for comparison. Asking costs nothing. */
static inline bj_time now_in(void **state) {
    return bj_sim_now(((fixture *) *state)->sim);
}

static inline struct sockaddr_in ipv4(const char *ip, uint16_t port) {
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
    assert_int_equal(inet_pton(AF_INET, ip, &address.sin_addr), 1);
    return address;
}

static inline struct sockaddr_in6 ipv6(const char *ip, uint16_t port) {
    struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
    assert_int_equal(inet_pton(AF_INET6, ip, &address.sin6_addr), 1);
    return address;
}

/* A UDP socket that is connected to the server; `flags` SOCK_NONBLOCK. */
static inline int udp_client(int flags) {
    struct sockaddr_in server = ipv4("192.0.2.10", 5683);
    int fd = socket(AF_INET, SOCK_DGRAM | flags, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *) &server, sizeof server), 0);
    return fd;
}

#define assert_errno(call, error)                                                                                      \
    do {                                                                                                               \
        errno = 0;                                                                                                     \
        assert_int_equal((call), -1);                                                                                  \
        assert_int_equal(errno, (error));                                                                              \
    } while (0)

#endif
