/* SPDX-License-Identifier: Apache-2.0
 *
 * Network namespaces: network_namespaces(7), user_namespaces(7).
 */
#define _GNU_SOURCE
#include "attach/isolate.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static bool put_file(const char *name, const char *text) {
    int file = open(name, O_WRONLY | O_CLOEXEC);
    bool done = file >= 0 && write(file, text, strlen(text)) == (ssize_t) strlen(text);
    if (file >= 0) {
        close(file);
    }
    return done;
}

/* In the new user namespace this user is who it was. */
static bool keep_user(uid_t user, gid_t group) {
    char users[64], groups[64];
    snprintf(users, sizeof users, "%u %u 1\n", (unsigned) user, (unsigned) user);
    snprintf(groups, sizeof groups, "%u %u 1\n", (unsigned) group, (unsigned) group);
    return put_file("/proc/self/uid_map", users) && put_file("/proc/self/setgroups", "deny") &&
           put_file("/proc/self/gid_map", groups);
}

/* 0, or an errno. */
static int new_network(void) {
    uid_t user = geteuid();
    gid_t group = getegid();
    if (unshare(CLONE_NEWNET) == 0) {
        return 0;
    }
    if (errno != EPERM || unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
        return errno;
    }
    return keep_user(user, group) ? 0 : errno;
}

static bool loopback_up(void) {
    struct ifreq request = { .ifr_name = "lo" };
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool up = s >= 0 && ioctl(s, SIOCGIFFLAGS, &request) == 0;
    request.ifr_flags |= IFF_UP | IFF_RUNNING;
    up = up && ioctl(s, SIOCSIFFLAGS, &request) == 0;
    if (s >= 0) {
        close(s);
    }
    return up;
}

bj_isolation bj_isolate(bj_text *why) {
    int problem = new_network();
    if (problem) {
        bj_text_add(why, strerror(problem));
        return BJ_SHARED;
    }
    if (!loopback_up()) {
        bj_text_printf(why, "no loopback interface in the new network: %s", strerror(errno));
        return BJ_CUT_OFF;
    }
    return BJ_ISOLATED;
}
