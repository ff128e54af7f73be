/* SPDX-License-Identifier: Apache-2.0
 *
 * The real world over loopback: datagrams, connections, ports that close and open, the timer, the client's process.
 * Nothing here is timed: limits only keep a broken world from hanging.
 */
#define _GNU_SOURCE
#include "world_fixture.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "world/real.h"

#define LIMIT (20 * BJ_SECOND)

typedef struct real_fixture {
    fixture f; /* the peer's notes; no simulated world */
    bj_real_world *real;
    bj_time came;
    int ticks; /* before the first message */
} real_fixture;

/* The peer has heard something: enough for one call of bj_real_world_run(). */
static void finish_on_datagram(void *context, int endpoint, const bj_addr *from, const uint8_t *data, size_t length,
                               uint32_t event) {
    real_fixture *r = context;
    r->came = r->f.ops->came(r->f.world);
    r->ticks = r->f.ticks;
    fixture_datagram(context, endpoint, from, data, length, event);
}

static real_fixture *real_new(const char *listen, bool client_life) {
    real_fixture *r = calloc(1, sizeof *r);
    r->f.arena = bj_arena_map(FIXTURE_ARENA);
    r->f.log_memory = aligned_alloc(16, FIXTURE_LOG);
    r->f.log = bj_log_create(r->f.log_memory, FIXTURE_LOG);
    bj_real_config config = { .listen = at(listen), .seed = 1, .client_life = client_life };
    r->real = bj_real_world_new(r->f.arena, r->f.log, &config);
    assert_non_null(r->real);
    r->f.world = bj_real_world_as_world(r->real);
    r->f.ops = bj_real_world_ops(r->real);
    bj_sim_peer peer = { .context = &r->f,
                         .datagram = finish_on_datagram,
                         .stream_opened = fixture_opened,
                         .stream_data = fixture_data,
                         .stream_closed = fixture_closed,
                         .tick = fixture_tick };
    bj_real_world_set_peer(r->real, &peer);
    bj_addr bs[] = { at("192.0.2.10"), at("2001:db8::a") };
    bj_addr mgmt = at("192.0.2.11");
    r->f.ops->declare(r->f.world, BS, "bs", bs, 2);
    r->f.ops->declare(r->f.world, MGMT, "mgmt", &mgmt, 1);
    return r;
}

static void real_free(real_fixture *r) {
    bj_real_world_free(r->real);
    bj_arena_unmap(r->f.arena);
    free(r->f.log_memory);
    free(r);
}

/* Lets the world go on for a little while. */
static void go_on(real_fixture *r) {
    bj_time until = r->f.ops->now(r->f.world) + 20 * BJ_MS;
    assert_int_equal(bj_real_world_run(r->real, until, NULL), BJ_REAL_LIMIT);
}

/* A client's socket, connected to where the server's port 5683 is. */
static int dial(real_fixture *r, int type, bj_addr *where) {
    bj_addr address;
    assert_true(r->f.ops->real_address(r->f.world, "bs", 5683, &address));
    struct sockaddr_storage storage;
    socklen_t size = (socklen_t) bj_addr_to_sockaddr(&address, &storage);
    int fd = socket(address.family == 6 ? AF_INET6 : AF_INET, type, 0);
    assert_true(fd >= 0);
    if (connect(fd, (struct sockaddr *) &storage, size) != 0) {
        close(fd);
        return -errno;
    }
    if (where) {
        *where = address;
    }
    return fd;
}

/* Reads what comes while the world goes on, up to a limit; as recv(). */
static ssize_t hear(real_fixture *r, int fd, void *data, size_t room) {
    ssize_t length = -1;
    for (bj_time now = 0; now < LIMIT; now = r->f.ops->now(r->f.world)) {
        length = recv(fd, data, room, MSG_DONTWAIT);
        if (length >= 0 || errno != EAGAIN) {
            break;
        }
        assert_int_equal(bj_real_world_run(r->real, now + BJ_MS, NULL), BJ_REAL_LIMIT);
    }
    return length;
}

static void echoes(const char *listen, const char *reached) {
    real_fixture *r = real_new(listen, false);
    fixture_open(&r->f, BS, BJ_UDP, "192.0.2.10:5683");
    r->f.echo = true;
    bj_addr where, expected = at(reached);
    int fd = dial(r, SOCK_DGRAM, &where);
    assert_true(bj_addr_same_host(&where, &expected));
    assert_int_equal(send(fd, "hello", 5, 0), 5);
    char data[16];
    assert_int_equal(hear(r, fd, data, sizeof data), 5);
    assert_memory_equal(data, "hello", 5);
    bj_event actor, received, sent;
    assert_true(find_event(&r->f, BJ_EV_ACTOR, 0, &actor));
    assert_true(bj_addr_equal(&actor.from, &where));
    assert_true(find_event(&r->f, BJ_EV_RECEIVED, 0, &received));
    assert_true(find_event(&r->f, BJ_EV_SENT, 0, &sent));
    assert_int_equal(received.actor, BS);
    assert_true(bj_addr_equal(&received.to, &where));
    assert_int_equal(sent.cause, received.sequence);
    assert_true(sent.time >= received.time);
    close(fd);
    real_free(r);
}

static void echoes_over_loopback(void **state) {
    (void) state;
    echoes("127.0.0.1", "127.0.0.1");
    echoes("[::1]:0", "::1");
}

static void echoes_when_it_listens_on_all(void **state) {
    (void) state;
    echoes("0.0.0.0", "127.0.0.1");
    echoes("[::]:0", "::1");
}

/* An IPv4 client calls on an address of ours that is not the one from which the kernel would answer. */
static void answers_from(const char *listen, int type, const char *where) {
    real_fixture *r = real_new(listen, false);
    fixture_open(&r->f, BS, type == SOCK_DGRAM ? BJ_UDP : BJ_TCP, "192.0.2.10:5683");
    r->f.echo = true;
    bj_addr reached = at(where), address;
    assert_true(r->f.ops->real_address(r->f.world, "bs", 5683, &address));
    reached.port = address.port;
    struct sockaddr_storage storage;
    socklen_t size = (socklen_t) bj_addr_to_sockaddr(&reached, &storage);
    int fd = socket(AF_INET, type, 0);
    assert_int_equal(connect(fd, (struct sockaddr *) &storage, size), 0);
    assert_int_equal(send(fd, "hello", 5, 0), 5);
    char data[16];
    assert_int_equal(hear(r, fd, data, sizeof data), 5); /* a connected socket hears nobody else */
    assert_int_equal(r->f.from.family, 4);
    assert_true(r->f.ops->real_address(r->f.world, "bs", 5683, &address));
    assert_true(bj_addr_equal(&address, &reached));
    close(fd);
    real_free(r);
}

static void answers_from_the_address_that_the_client_called_on(void **state) {
    (void) state;
    answers_from("0.0.0.0", SOCK_DGRAM, "127.0.0.2");
    answers_from("[::]:0", SOCK_DGRAM, "127.0.0.2");
    answers_from("0.0.0.0", SOCK_STREAM, "127.0.0.2");
    answers_from("[::]:0", SOCK_STREAM, "127.0.0.2");
}

static void maps_every_port_to_one_of_its_own(void **state) {
    (void) state;
    real_fixture *r = real_new("127.0.0.1", false);
    const bj_world_ops *ops = r->f.ops;
    bj_addr first, tcp, mgmt, other;
    int endpoint = fixture_open(&r->f, BS, BJ_UDP, "192.0.2.10:5683");
    assert_true(ops->real_address(r->f.world, "bs", 5683, &first));
    bj_addr second = at("[2001:db8::a]:5683");
    assert_int_equal(ops->open(r->f.world, BS, BJ_UDP, &second), -EADDRINUSE);
    assert_int_not_equal(fixture_open(&r->f, BS, BJ_TCP, "192.0.2.10:5683"), endpoint);
    assert_true(bj_real_world_address(r->real, 0, 0, &tcp));
    assert_true(bj_addr_equal(&first, &tcp));
    assert_true(ops->real_address(r->f.world, "mgmt", 5683, &mgmt));
    assert_true(ops->real_address(r->f.world, "bs", 9999, &other));
    assert_int_not_equal(mgmt.port, first.port);
    assert_int_not_equal(other.port, first.port);
    fixture_open(&r->f, MGMT, BJ_UDP, "192.0.2.11:5683");
    assert_true(bj_real_world_address(r->real, 1, 5683, &tcp));
    assert_true(bj_addr_equal(&mgmt, &tcp));
    assert_false(ops->real_address(r->f.world, "nobody", 5683, &other));
    assert_false(bj_real_world_address(r->real, 7, 0, &other));
    real_free(r);
}

static void takes_the_ports_that_are_asked_for(void **state) {
    (void) state;
    /* A port that is free: one that was just given back. */
    real_fixture *r = real_new("127.0.0.1", false);
    bj_addr free_port, address;
    assert_true(bj_real_world_address(r->real, 0, 5683, &free_port));
    real_free(r);
    BJ_TEXT(listen, 40);
    bj_addr_print(&listen, &free_port);
    r = real_new(listen.start, false);
    fixture_open(&r->f, BS, BJ_UDP, "192.0.2.10:5683");
    assert_true(bj_real_world_address(r->real, 0, 5683, &address));
    assert_int_equal(address.port, free_port.port);
    assert_true(bj_real_world_address(r->real, 1, 5683, &address));
    assert_int_equal(address.port, free_port.port + 1);
    /* Another world finds it taken. */
    real_fixture *late = real_new(listen.start, false);
    bj_addr local = at("192.0.2.10:5683");
    assert_int_equal(late->f.ops->open(late->f.world, BS, BJ_UDP, &local), -EADDRINUSE);
    real_free(late);
    real_free(r);
}

/* The process had something else to do when its deadline passed: what had come is heard first, and when it came is
 * known. */
static void what_came_in_time_is_heard_before_the_deadline(void **state) {
    (void) state;
    real_fixture *r = real_new("127.0.0.1", false);
    fixture_open(&r->f, BS, BJ_UDP, "192.0.2.10:5683");
    int fd = dial(r, SOCK_DGRAM, NULL);
    assert_int_equal(send(fd, "x", 1, 0), 1);
    bj_time sent = r->f.ops->now(r->f.world);
    r->f.ops->set_timer(r->f.world, sent);
    while (r->f.ops->now(r->f.world) < sent + 2 * BJ_MS) {
    }
    go_on(r);
    assert_int_equal(r->f.datagrams, 1);
    assert_int_equal(r->f.ticks, 1);
    assert_int_equal(r->ticks, 0);
    assert_true(r->came <= sent);
    assert_true(r->f.ops->came(r->f.world) > sent); /* nothing is being told */
    close(fd);
    real_free(r);
}

static void a_closed_port_is_refused_by_the_kernel(void **state) {
    (void) state;
    real_fixture *r = real_new("127.0.0.1", false);
    int endpoint = fixture_open(&r->f, BS, BJ_UDP, "192.0.2.10:5683");
    bj_addr before, after;
    int fd = dial(r, SOCK_DGRAM, &before);
    r->f.ops->close(r->f.world, endpoint, false);
    char byte = 'x';
    send(fd, &byte, 1, 0);
    assert_int_equal(hear(r, fd, &byte, 1), -1);
    assert_int_equal(errno, ECONNREFUSED);
    assert_int_equal(fixture_open(&r->f, BS, BJ_UDP, "192.0.2.10:5683"), endpoint);
    r->f.echo = true;
    assert_true(bj_real_world_address(r->real, 0, 5683, &after));
    assert_true(bj_addr_equal(&before, &after));
    send(fd, &byte, 1, 0);
    assert_int_equal(hear(r, fd, &byte, 1), 1);
    /* Dead: neither an answer nor a refusal. */
    r->f.ops->close(r->f.world, endpoint, true);
    send(fd, &byte, 1, 0);
    go_on(r);
    assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(r->f.datagrams, 1);
    assert_int_equal(count_events(&r->f, BJ_EV_LOST), 1);
    assert_int_equal(fixture_open(&r->f, BS, BJ_UDP, "192.0.2.10:5683"), endpoint);
    send(fd, &byte, 1, 0);
    assert_int_equal(hear(r, fd, &byte, 1), 1);
    close(fd);
    real_free(r);
}

static void says_what_cannot_be_sent(void **state) {
    (void) state;
    real_fixture *r = real_new("127.0.0.1", false);
    int endpoint = fixture_open(&r->f, BS, BJ_UDP, "192.0.2.10:5683");
    int stream = fixture_open(&r->f, BS, BJ_TCP, "192.0.2.10:5683");
    bj_addr peer = at("127.0.0.1:9"), six = at("[::1]:9");
    uint8_t byte = 0;
    assert_int_equal(r->f.ops->send(r->f.world, endpoint, &peer, &peer, &byte, 1, 0), -ENOTSUP);
    assert_int_equal(r->f.ops->send(r->f.world, stream, NULL, &peer, &byte, 1, 0), -EBADF);
    assert_int_equal(r->f.ops->send(r->f.world, 99, NULL, &peer, &byte, 1, 0), -EBADF);
    assert_true(r->f.ops->send(r->f.world, endpoint, NULL, &six, &byte, 1, 0) < 0);
    assert_int_equal(count_events(&r->f, BJ_EV_LOST), 1);
    assert_int_equal(r->f.ops->stream_send(r->f.world, 5, &byte, 1, 0), -ENOTCONN);
    assert_int_equal(r->f.ops->can, 0);
    real_free(r);
}

/* --- TCP ------------------------------------------------------------------------------------------------------ */

static void connections_open_talk_and_close(void **state) {
    (void) state;
    real_fixture *r = real_new("127.0.0.1", false);
    fixture_open(&r->f, BS, BJ_TCP, "192.0.2.10:5683");
    r->f.echo = true;
    int fd = dial(r, SOCK_STREAM, NULL);
    send(fd, "hello", 5, 0);
    char data[16];
    assert_int_equal(hear(r, fd, data, sizeof data), 5);
    assert_int_equal(r->f.connection, 1);
    close(fd);
    go_on(r);
    assert_true(r->f.closed);
    assert_false(r->f.reset);
    assert_int_equal(count_events(&r->f, BJ_EV_STREAM_OPEN), 1);
    assert_int_equal(count_events(&r->f, BJ_EV_STREAM_CLOSED), 1);
    real_free(r);
}

/* The other end of a connection of this process. */
static int other_end(int fd) {
    struct sockaddr_in mine, peer;
    socklen_t size = sizeof mine;
    assert_int_equal(getsockname(fd, (struct sockaddr *) &mine, &size), 0);
    for (int other = 0; other < 1024; other++) {
        size = sizeof peer;
        if (getpeername(other, (struct sockaddr *) &peer, &size) == 0 && peer.sin_family == AF_INET &&
            peer.sin_port == mine.sin_port) {
            return other;
        }
    }
    return -1;
}

/* Pieces would be joined, and wait for the client's acknowledgement. */
static void what_is_sent_leaves_at_once(void **state) {
    (void) state;
    real_fixture *r = real_new("127.0.0.1", false);
    fixture_open(&r->f, BS, BJ_TCP, "192.0.2.10:5683");
    int fd = dial(r, SOCK_STREAM, NULL), at_once = 0;
    go_on(r);
    socklen_t size = sizeof at_once;
    assert_int_equal(getsockopt(other_end(fd), IPPROTO_TCP, TCP_NODELAY, &at_once, &size), 0);
    assert_true(at_once);
    close(fd);
    real_free(r);
}

/* A client that vanished would never end it: the kernel asks whether there is one, and reports the end. */
static void who_must_end_a_connection_too_is_asked_whether_it_is_there(void **state) {
    (void) state;
    real_fixture *r = real_new("127.0.0.1", false);
    fixture_open(&r->f, BS, BJ_TCP, "192.0.2.10:5683");
    int fd = dial(r, SOCK_STREAM, NULL), asked = 1, idle = 0;
    go_on(r);
    int other = other_end(fd);
    socklen_t size = sizeof asked;
    assert_int_equal(getsockopt(other, SOL_SOCKET, SO_KEEPALIVE, &asked, &size), 0);
    assert_false(asked); /* while the script goes on, nothing is sent that it does not say */
    r->f.ops->stream_close(r->f.world, 1, false);
    assert_int_equal(getsockopt(other, SOL_SOCKET, SO_KEEPALIVE, &asked, &size), 0);
    assert_true(asked);
    assert_int_equal(getsockopt(other, IPPROTO_TCP, TCP_KEEPIDLE, &idle, &size), 0);
    assert_true(idle <= 60);
    close(fd);
    real_free(r);
}

static void the_server_ends_a_connection(void **state) {
    (void) state;
    for (int reset = 0; reset < 2; reset++) {
        real_fixture *r = real_new("127.0.0.1", false);
        fixture_open(&r->f, BS, BJ_TCP, "192.0.2.10:5683");
        int fd = dial(r, SOCK_STREAM, NULL);
        go_on(r);
        if (!reset) {
            r->f.ops->stream_send(r->f.world, 1, (const uint8_t *) "last", 4, 0);
        }
        r->f.ops->stream_close(r->f.world, 1, reset);
        r->f.ops->stream_close(r->f.world, 1, reset);
        char data[16];
        if (reset) {
            assert_int_equal(hear(r, fd, data, sizeof data), -1);
            assert_int_equal(errno, ECONNRESET);
        } else {
            assert_int_equal(hear(r, fd, data, sizeof data), 4);
            assert_int_equal(hear(r, fd, data, sizeof data), 0);
            send(fd, "x", 1, MSG_NOSIGNAL);
            go_on(r);
        }
        close(fd);
        go_on(r);
        assert_false(r->f.closed);
        real_free(r);
    }
}

static void much_data_waits_for_the_client(void **state) {
    (void) state;
    real_fixture *r = real_new("127.0.0.1", false);
    fixture_open(&r->f, BS, BJ_TCP, "192.0.2.10:5683");
    int fd = dial(r, SOCK_STREAM, NULL);
    go_on(r);
    enum { PIECES = 200 };
    memset(r->f.bytes, 7, 50000);
    for (int i = 0; i < PIECES; i++) {
        assert_true(r->f.ops->stream_send(r->f.world, 1, r->f.bytes, 50000, 0) >= 0);
    }
    r->f.ops->stream_close(r->f.world, 1, false);
    size_t total = 0;
    char data[65536];
    for (ssize_t length = 1; length > 0; total += (size_t) length) {
        length = hear(r, fd, data, sizeof data);
        assert_true(length >= 0);
    }
    assert_int_equal(total, PIECES * 50000);
    close(fd);
    real_free(r);
}

static void a_port_that_closes_resets_its_connections(void **state) {
    (void) state;
    real_fixture *r = real_new("127.0.0.1", false);
    int endpoint = fixture_open(&r->f, BS, BJ_TCP, "192.0.2.10:5683");
    int fd = dial(r, SOCK_STREAM, NULL);
    go_on(r);
    r->f.ops->close(r->f.world, endpoint, false);
    char byte;
    assert_int_equal(hear(r, fd, &byte, 1), -1);
    assert_int_equal(errno, ECONNRESET);
    close(fd);
    assert_int_equal(dial(r, SOCK_STREAM, NULL), -ECONNREFUSED);
    assert_int_equal(fixture_open(&r->f, BS, BJ_TCP, "192.0.2.10:5683"), endpoint);
    fd = dial(r, SOCK_STREAM, NULL);
    go_on(r);
    assert_int_equal(r->f.connection, 2);
    /* Dead: the kernel takes the connection, nobody talks; alive again, it is found. */
    r->f.ops->close(r->f.world, endpoint, true);
    int quiet = dial(r, SOCK_STREAM, NULL);
    go_on(r);
    assert_int_equal(r->f.connection, 2);
    fixture_open(&r->f, BS, BJ_TCP, "192.0.2.10:5683");
    go_on(r);
    assert_int_equal(r->f.connection, 3);
    close(fd);
    close(quiet);
    real_free(r);
}

/* As many descriptors as there are now, and no more; returns what the limit was. */
static struct rlimit no_more_descriptors(void) {
    struct rlimit before, now;
    int next = open("/dev/null", O_RDONLY);
    assert_true(next >= 0);
    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    now = (struct rlimit){ (rlim_t) next, before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
    return before;
}

/* It would wait in the kernel, whose epoll reports it again and again. */
static void a_connection_for_which_no_descriptor_is_left_is_refused(void **state) {
    (void) state;
    real_fixture *r = real_new("127.0.0.1", false);
    fixture_open(&r->f, BS, BJ_TCP, "192.0.2.10:5683");
    char byte;
    for (int times = 0; times < 2; times++) {
        int fd = dial(r, SOCK_STREAM, NULL);
        struct rlimit before = no_more_descriptors();
        ssize_t heard = hear(r, fd, &byte, 1);
        int problem = errno;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_int_equal(heard, -1);
        assert_int_equal(problem, ECONNRESET);
        close(fd);
    }
    bj_event note;
    assert_true(find_event(&r->f, BJ_EV_NOTE, 1, &note));
    assert_int_equal(note.actor, BS);
    assert_non_null(memmem(note.text, note.text_length, "Too many open files", 19));
    assert_int_equal(count_events(&r->f, BJ_EV_STREAM_OPEN), 0);
    int fd = dial(r, SOCK_STREAM, NULL);
    go_on(r);
    assert_int_equal(r->f.connection, 1);
    close(fd);
    real_free(r);
}

/* --- time, and the client's process --------------------------------------------------------------------------- */

static void the_timer_ticks_not_before_it_is_due(void **state) {
    (void) state;
    real_fixture *r = real_new("127.0.0.1", false);
    bj_time due = r->f.ops->now(r->f.world) + 5 * BJ_MS;
    r->f.ops->set_timer(r->f.world, due);
    go_on(r);
    assert_int_equal(r->f.ticks, 1);
    assert_true(r->f.tick_time >= due);
    r->f.ops->set_timer(r->f.world, 0);
    go_on(r);
    assert_int_equal(r->f.ticks, 2);
    r->f.ops->set_timer(r->f.world, BJ_NEVER);
    go_on(r);
    assert_int_equal(r->f.ticks, 2);
    real_free(r);
}

static void finish(void *context) {
    fixture *f = context;
    f->ops->finish(f->world);
}

static void finish_ends_the_loop(void **state) {
    (void) state;
    real_fixture *r = real_new("127.0.0.1", false);
    bj_sim_peer peer = { .context = &r->f, .tick = finish };
    bj_real_world_set_peer(r->real, &peer);
    r->f.ops->set_timer(r->f.world, 0);
    assert_int_equal(bj_real_world_run(r->real, BJ_NEVER, NULL), BJ_REAL_FINISHED);
    assert_int_equal(bj_real_world_run(r->real, BJ_NEVER, NULL), BJ_REAL_FINISHED);
    real_free(r);
}

static void what_the_client_said_last_is_heard_before_its_end(void **state) {
    (void) state;
    real_fixture *r = real_new("127.0.0.1", true);
    fixture_open(&r->f, BS, BJ_UDP, "192.0.2.10:5683");
    int fd = dial(r, SOCK_DGRAM, NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        send(fd, "bye", 3, 0);
        _exit(7);
    }
    assert_int_equal(bj_real_world_set_client(r->real, pid), 0);
    int status = 0;
    assert_int_equal(bj_real_world_run(r->real, LIMIT, &status), BJ_REAL_CLIENT_ENDED);
    assert_int_equal(WEXITSTATUS(status), 7);
    assert_int_equal(r->f.datagrams, 1);
    assert_int_equal(r->f.ops->client_signal(r->f.world, SIGTERM), -ESRCH);
    go_on(r); /* the script may go on without its client */
    close(fd);
    real_free(r);
}

static void the_client_gets_its_signal(void **state) {
    (void) state;
    real_fixture *r = real_new("127.0.0.1", true);
    assert_int_equal(r->f.ops->can, BJ_CAN_CLIENT_LIFE | BJ_CAN_POWER_CUT | BJ_CAN_INPUT);
    assert_int_equal(r->f.ops->client_signal(r->f.world, SIGTERM), -ESRCH);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        for (;;) {
            pause();
        }
    }
    assert_int_equal(bj_real_world_set_client(r->real, pid), 0);
    assert_int_equal(r->f.ops->client_signal(r->f.world, SIGTERM), 0);
    int status = 0;
    assert_int_equal(bj_real_world_run(r->real, LIMIT, &status), BJ_REAL_CLIENT_ENDED);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    assert_int_equal(count_events(&r->f, BJ_EV_CLIENT_SIGNAL), 1);
    real_free(r);
}

static pid_t patient_client(real_fixture *r) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        for (;;) {
            pause();
        }
    }
    assert_int_equal(bj_real_world_set_client(r->real, pid), 0);
    return pid;
}

static void the_client_dies_and_is_started_again(void **state) {
    (void) state;
    real_fixture *r = real_new("127.0.0.1", true);
    bj_power_cut cut = { .outcome = -1 };
    int status = 0;
    assert_int_equal(r->f.ops->power_cut(r->f.world, &cut), -ESRCH);
    patient_client(r);
    cut.keeps = BJ_KEEPS_NONE;
    assert_int_equal(r->f.ops->power_cut(r->f.world, &cut), -ENOTSUP);
    assert_int_equal(r->f.ops->client_start(r->f.world), -EALREADY);
    cut.keeps = BJ_KEEPS_ALL;
    assert_true(r->f.ops->power_cut(r->f.world, &cut) > 0);
    assert_int_equal(bj_real_world_run(r->real, LIMIT, &status), BJ_REAL_CLIENT_CUT);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(r->f.ops->client_start(r->f.world), 0);
    assert_int_equal(bj_real_world_run(r->real, LIMIT, &status), BJ_REAL_START);
    pid_t pid = patient_client(r);
    assert_int_equal(r->f.ops->client_signal(r->f.world, SIGTERM), 0);
    assert_int_equal(bj_real_world_run(r->real, LIMIT, &status), BJ_REAL_CLIENT_ENDED);
    assert_true(pid > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    assert_int_equal(count_events(&r->f, BJ_EV_POWER_CUT), 1);
    real_free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echoes_over_loopback),
        cmocka_unit_test(echoes_when_it_listens_on_all),
        cmocka_unit_test(answers_from_the_address_that_the_client_called_on),
        cmocka_unit_test(maps_every_port_to_one_of_its_own),
        cmocka_unit_test(takes_the_ports_that_are_asked_for),
        cmocka_unit_test(what_came_in_time_is_heard_before_the_deadline),
        cmocka_unit_test(a_closed_port_is_refused_by_the_kernel),
        cmocka_unit_test(says_what_cannot_be_sent),
        cmocka_unit_test(connections_open_talk_and_close),
        cmocka_unit_test(what_is_sent_leaves_at_once),
        cmocka_unit_test(who_must_end_a_connection_too_is_asked_whether_it_is_there),
        cmocka_unit_test(the_server_ends_a_connection),
        cmocka_unit_test(much_data_waits_for_the_client),
        cmocka_unit_test(a_port_that_closes_resets_its_connections),
        cmocka_unit_test(a_connection_for_which_no_descriptor_is_left_is_refused),
        cmocka_unit_test(the_timer_ticks_not_before_it_is_due),
        cmocka_unit_test(finish_ends_the_loop),
        cmocka_unit_test(what_the_client_said_last_is_heard_before_its_end),
        cmocka_unit_test(the_client_gets_its_signal),
        cmocka_unit_test(the_client_dies_and_is_started_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
