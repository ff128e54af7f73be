/* SPDX-License-Identifier: Apache-2.0
 *
 * See addr.h.
 */
#include "base/addr.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static size_t ip_size(const bj_addr *addr) {
    return addr->family == 4 ? 4 : addr->family == 6 ? 16 : 0;
}

bool bj_addr_same_host(const bj_addr *a, const bj_addr *b) {
    return a->family == b->family && !memcmp(a->ip, b->ip, ip_size(a));
}

bool bj_addr_equal(const bj_addr *a, const bj_addr *b) {
    return bj_addr_same_host(a, b) && a->port == b->port;
}

static bool parse_port(const char *text, size_t length, uint16_t *port) {
    unsigned value = 0;
    if (length == 0 || length > 5) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        value = value * 10 + (unsigned) (text[i] - '0');
    }
    *port = (uint16_t) value;
    return value <= UINT16_MAX;
}

bool bj_addr_parse(const char *text, size_t length, bj_addr *addr) {
    bj_addr result = { 0 };
    char host[INET6_ADDRSTRLEN + 1];
    const char *port = NULL;
    const char *host_start = text;
    const char *end = text + length;
    size_t host_length = length;
    const char *colon = memchr(text, ':', length);
    if (length && text[0] == '[') {
        const char *bracket = memchr(text, ']', length);
        if (!bracket || (bracket + 1 != end && bracket[1] != ':')) {
            return false;
        }
        host_start = text + 1;
        host_length = (size_t) (bracket - host_start);
        port = bracket + 1 != end ? bracket + 2 : NULL;
        result.family = 6;
    } else if (colon && !memchr(colon + 1, ':', (size_t) (end - colon - 1))) {
        host_length = (size_t) (colon - text);
        port = colon + 1;
        result.family = 4;
    } else {
        result.family = colon ? 6 : 4;
    }
    if (host_length >= sizeof host) {
        return false;
    }
    memcpy(host, host_start, host_length);
    host[host_length] = '\0';
    if (inet_pton(result.family == 4 ? AF_INET : AF_INET6, host, result.ip) != 1) {
        return false;
    }
    if (port && !parse_port(port, (size_t) (end - port), &result.port)) {
        return false;
    }
    *addr = result;
    return true;
}

static void print_ip4(bj_text *text, const uint8_t *ip) {
    for (size_t i = 0; i < 4; i++) {
        if (i) {
            bj_text_add_char(text, '.');
        }
        bj_text_add_number(text, ip[i]);
    }
}

static void print_ip6(bj_text *text, const uint8_t *ip, bool brackets) {
    char host[INET6_ADDRSTRLEN];
    inet_ntop(AF_INET6, ip, host, sizeof host);
    bj_text_add(text, brackets ? "[" : "");
    bj_text_add(text, host);
    bj_text_add(text, brackets ? "]" : "");
}

void bj_addr_print(bj_text *text, const bj_addr *addr) {
    if (addr->family == 4) {
        print_ip4(text, addr->ip);
    } else if (addr->family) {
        print_ip6(text, addr->ip, addr->port != 0);
    } else {
        bj_text_add_char(text, '?');
    }
    if (addr->port) {
        bj_text_add_char(text, ':');
        bj_text_add_number(text, addr->port);
    }
}

bool bj_addr_from_sockaddr(const struct sockaddr *sa, size_t size, bj_addr *addr) {
    bj_addr result = { 0 };
    if (size >= sizeof(struct sockaddr_in) && sa->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, sa, sizeof in);
        result.family = 4;
        memcpy(result.ip, &in.sin_addr, 4);
        result.port = ntohs(in.sin_port);
    } else if (size >= sizeof(struct sockaddr_in6) && sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, sa, sizeof in6);
        result.family = 6;
        memcpy(result.ip, &in6.sin6_addr, 16);
        result.port = ntohs(in6.sin6_port);
    } else {
        return false;
    }
    *addr = result;
    return true;
}

size_t bj_addr_to_sockaddr(const bj_addr *addr, void *storage) {
    if (addr->family == 6) {
        struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(addr->port) };
        memcpy(&in6.sin6_addr, addr->ip, 16);
        memcpy(storage, &in6, sizeof in6);
        return sizeof in6;
    }
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(addr->port) };
    memcpy(&in.sin_addr, addr->ip, 4);
    memcpy(storage, &in, sizeof in);
    return sizeof in;
}

static const struct {
    const char *name;
    bj_time us;
} units[] = { { "d", 86400 * BJ_SECOND }, { "h", 3600 * BJ_SECOND }, { "m", 60 * BJ_SECOND },
              { "s", BJ_SECOND },         { "ms", BJ_MS },           { "us", 1 } };
enum { UNITS = sizeof units / sizeof units[0] };

void bj_duration_print(bj_text *text, bj_time duration) {
    if (duration == BJ_NEVER) {
        bj_text_add(text, "never");
        return;
    }
    if (!duration) {
        bj_text_add(text, "0");
        return;
    }
    for (size_t i = 0; i < UNITS; i++) {
        bj_time count = duration / units[i].us;
        if (count) {
            bj_text_add_number(text, count);
            bj_text_add(text, units[i].name);
            duration -= count * units[i].us;
        }
    }
}

/* One number with an optional fraction; the fraction as millionths of a unit. */
static bool parse_number(const char **at, const char *end, bj_time *whole, bj_time *millionths) {
    const char *start = *at;
    *whole = 0;
    *millionths = 0;
    while (*at < end && **at >= '0' && **at <= '9') {
        if (*whole > UINT64_MAX / 100) {
            return false;
        }
        *whole = *whole * 10 + (bj_time) (*(*at)++ - '0');
    }
    if (*at == start) {
        return false;
    }
    if (*at < end && **at == '.') {
        bj_time scale = 100000;
        const char *fraction = ++*at;
        for (; *at < end && **at >= '0' && **at <= '9'; ++*at, scale /= 10) {
            if (!scale && **at != '0') {
                return false;
            }
            *millionths += scale * (bj_time) (**at - '0');
        }
        return *at > fraction;
    }
    return true;
}

bool bj_duration_parse(const char *text, size_t length, bj_time *duration) {
    const char *at = text;
    const char *end = text + length;
    bj_time total = 0;
    if (length == 1 && *text == '0') {
        *duration = 0;
        return true;
    }
    if (!length) {
        return false;
    }
    while (at < end) {
        bj_time whole;
        bj_time millionths;
        if (!parse_number(&at, end, &whole, &millionths)) {
            return false;
        }
        const char *name = at;
        while (at < end && *at >= 'a' && *at <= 'z') {
            at++;
        }
        size_t unit = 0;
        while (unit < UNITS && (strlen(units[unit].name) != (size_t) (at - name) ||
                                memcmp(units[unit].name, name, (size_t) (at - name)) != 0)) {
            unit++;
        }
        if (unit == UNITS || whole > (UINT64_MAX / 4) / units[unit].us ||
            (millionths * (units[unit].us % BJ_SECOND)) % BJ_SECOND) {
            return false;
        }
        bj_time part = whole * units[unit].us + millionths * (units[unit].us / BJ_SECOND) +
                       millionths * (units[unit].us % BJ_SECOND) / BJ_SECOND;
        if (total > UINT64_MAX / 2 - part) {
            return false;
        }
        total += part;
    }
    *duration = total;
    return true;
}

bool bj_factor_parse(const char *text, size_t length, uint64_t *millionths) {
    uint64_t value = 0, unit = 1000000;
    size_t i = 0;
    for (; i < length && text[i] >= '0' && text[i] <= '9'; i++) {
        value = value * 10 + unit * (uint64_t) (text[i] - '0');
        if (i == 3 || text[0] == '0') {
            return false;
        }
    }
    size_t whole = i;
    for (i += i < length && text[i] == '.'; i > whole && i < length && text[i] >= '0' && text[i] <= '9'; i++) {
        unit /= 10;
        value += unit * (uint64_t) (text[i] - '0');
    }
    if (!whole || i < length || text[length - 1] == '.') {
        return false;
    }
    *millionths = value;
    return true;
}

void bj_time_print(bj_text *text, bj_time time) {
    if (time == BJ_NEVER) {
        bj_text_add(text, "never");
        return;
    }
    bj_text_printf(text, "%" PRIu64 ".%06" PRIu64, time / BJ_SECOND, time % BJ_SECOND);
}
