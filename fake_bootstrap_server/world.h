/* SPDX-License-Identifier: Apache-2.0
 *
 * The small interface through which the script engine sees the world it acts in. Two worlds implement
 * it: the simulated one (harness/world/sim.h), where time jumps, and the real one (harness/world/real.h),
 * on epoll. The engine knows nothing else of either.
 *
 * Calls go both ways and never overlap: the world calls the engine (bj_engine_* in script/engine.h)
 * when something happened; from inside such a call the engine may call any function below; those
 * never call back into the engine.
 */
#ifndef BJ_WORLD_H
#define BJ_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "log/eventlog.h"

typedef enum bj_transport { BJ_UDP = 0, BJ_TCP = 1, BJ_DTLS = 2, BJ_TLS = 3 } bj_transport;

/* Of the client in the simulated world: no server has them. */
#define BJ_CLIENT_ADDRESSES                                                                                            \
    {                                                                                                                  \
        { .family = 4, .ip = { 192, 0, 2, 1 } }, {                                                                     \
            .family = 6, .ip = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 }                                                    \
        }                                                                                                              \
    }
enum { BJ_CLIENT_ADDRESS_COUNT = 2 };

static inline bool bj_is_clients_address(const bj_addr *address) {
    static const bj_addr own[BJ_CLIENT_ADDRESS_COUNT] = BJ_CLIENT_ADDRESSES;
    return bj_addr_same_host(address, &own[0]) || bj_addr_same_host(address, &own[1]);
}

/* What a world can do; a scenario that needs more gets the verdict skip, with the reason. */
enum {
    BJ_CAN_DNS = 1,          /* names are the scenario's */
    BJ_CAN_FAULTS = 2,       /* loss, delay, duplication, reordering */
    BJ_CAN_VIRTUAL_TIME = 4, /* deadlines are exact, hours are free */
    BJ_CAN_CLIENT_LIFE = 8,  /* start, signal */
    BJ_CAN_WAKE = 16,        /* client_wake() knows the client's present wait */
    BJ_CAN_POWER_CUT = 32,   /* the client can be cut off and started again */
    BJ_CAN_DISK = 64,        /* the client's files are the world's: what a cut keeps can be told, faults, a look */
    BJ_CAN_INPUT = 256,      /* lines can be typed at the client's standard input */
    BJ_CAN_HEAL = 128,       /* goes on after the script, so that the client can recover; needs virtual time */
};

/* Conditions of the links between the client and the servers. Probabilities in millionths. */
typedef struct bj_link {
    bj_time latency; /* one way */
    bj_time jitter;  /* uniform extra delay; order within one direction of one link is kept */
    uint32_t loss;
    uint32_t duplicate;
    uint32_t reorder; /* a datagram may overtake those before it */
    uint32_t mtu;     /* largest UDP payload, 0 = 65507 */
} bj_link;

/* A fault that strikes chosen datagrams, in the order in which they are sent. */
typedef enum bj_fault_kind {
    BJ_FAULT_DROP = 0,
    BJ_FAULT_DELAY = 1,     /* amount: microseconds */
    BJ_FAULT_DUPLICATE = 2, /* amount: microseconds between the two */
    BJ_FAULT_TRUNCATE = 3,  /* amount: bytes that are left */
    BJ_FAULT_CORRUPT = 4,   /* amount: the byte whose bits are inverted; BJ_NEVER = a random one */
} bj_fault_kind;

typedef struct bj_fault {
    uint8_t kind;   /* bj_fault_kind */
    uint8_t from;   /* actor whose datagrams are struck; BJ_ACTOR_WORLD = any */
    uint8_t to;     /* likewise the receiver */
    uint32_t skip;  /* that many matching datagrams pass first */
    uint32_t count; /* then that many are struck; UINT32_MAX = all */
    uint64_t amount;
    bj_position position;
} bj_fault;

typedef enum bj_dns_status {
    BJ_DNS_OK = 0,
    BJ_DNS_NXDOMAIN = 1, /* EAI_NONAME */
    BJ_DNS_SERVFAIL = 2, /* EAI_AGAIN */
    BJ_DNS_NODATA = 3,   /* EAI_NODATA: no address of the family asked for */
} bj_dns_status;

enum { BJ_DNS_ADDRESSES = 8 };

typedef struct bj_dns_answer {
    uint8_t status; /* bj_dns_status */
    uint8_t count;
    bj_addr addresses[BJ_DNS_ADDRESSES]; /* ports ignored; in the order in which they are given */
    bj_time delay;                       /* how long the answer takes; the asking thread waits */
    uint32_t times; /* after so many answers the next in the list for this name is used; 0 = for good */
} bj_dns_answer;

/* The client's power goes. */
typedef enum bj_keeps {
    BJ_KEEPS_DRAWN = 0, /* of its disk: what the world's generator says */
    BJ_KEEPS_ALL = 1,
    BJ_KEEPS_NONE = 2, /* nothing that was not synced */
    BJ_KEEPS_TORN = 3, /* drawn among the states in which a write is torn */
} bj_keeps;

typedef struct bj_power_cut {
    uint8_t keeps;         /* bj_keeps */
    int64_t outcome;       /* >= 0: the state of that number; -1: as `keeps` says */
    uint32_t at_operation; /* 0: now; N: behind the N-th operation on its disk from now on */
} bj_power_cut;

/* What the client's disk does from now on. */
typedef struct bj_disk_order {
    int error;         /* a positive errno; 0: no more failures */
    uint8_t operation; /* which fail: 0 all, 1 open, 2 read, 3 write, 4 sync, 5 rename, 6 unlink */
    uint32_t skip;     /* so many go well first */
    uint32_t count;    /* then so many fail; UINT32_MAX = all */
    uint64_t space;    /* bytes of room in all; 0 = as it is */
} bj_disk_order;

/* The file of the client's disk in which it keeps its state. */
#define BJ_STATE_FILE "state"

typedef struct bj_file_look {
    uint32_t mode; /* permission bits */
    const uint8_t *data;
    size_t length;
} bj_file_look;

typedef struct bj_world bj_world; /* each world has its own */

typedef struct bj_world_ops {
    uint32_t can; /* BJ_CAN_* */

    bj_time (*now)(bj_world *w);
    /* Uniform 64 bits from the run's generator. Never used for anything the client sees but through the world. */
    uint64_t (*random)(bj_world *w);
    bj_log *(*log)(bj_world *w);

    /* Declares an actor (a server) with its addresses; `actor` from BJ_ACTOR_SERVER_0. */
    void (*declare)(bj_world *w, uint8_t actor, const char *name, const bj_addr *addresses, size_t count);

    /* Opens a port of `actor`: from now on datagrams (BJ_UDP) or connections (BJ_TCP) reach the engine.
     * Returns an endpoint number >= 0, or a negative errno. In the real world the address is what
     * `--listen` and real_address() say. */
    int (*open)(bj_world *w, uint8_t actor, bj_transport transport, const bj_addr *local);
    /* Closes it: datagrams then meet a closed port (ICMP), connections are reset. `silent`: no ICMP, nothing (a dead
     * host). */
    void (*close)(bj_world *w, int endpoint, bool silent);

    /* Sends one datagram from `endpoint`, or from `source` when it is not NULL (another port or address of
     * the scenario's hosts; the real world answers -ENOTSUP). Returns the SENT event's sequence, or a negative errno.
     */
    int64_t (*send)(bj_world *w, int endpoint, const bj_addr *source, const bj_addr *peer, const uint8_t *data,
                    size_t length, uint32_t cause);
    /* Streams: `connection` numbers come from bj_engine_stream_opened(). */
    int64_t (*stream_send)(bj_world *w, int connection, const uint8_t *data, size_t length, uint32_t cause);
    void (*stream_close)(bj_world *w, int connection, bool reset);

    /* The engine is called (bj_engine_tick) at `when`; a later call replaces an earlier one; BJ_NEVER = no call. */
    void (*set_timer)(bj_world *w, bj_time when);

    /* The rest may be NULL where `can` says no. */
    void (*set_link)(bj_world *w, uint8_t server_actor, const bj_link *link); /* BJ_ACTOR_WORLD = all */
    void (*add_fault)(bj_world *w, const bj_fault *fault);
    void (*clear_faults)(bj_world *w);
    /* What the name gives from now on; `answers` are used one after the other (see times), the last for good. */
    void (*set_dns)(bj_world *w, const char *name, const bj_dns_answer *answers, size_t count);

    /* Sends a signal to the client (SIGTERM: an orderly stop). 0 or a negative errno. */
    int (*client_signal)(bj_world *w, int signal_number);
    /* The end of the client's present wait (all threads), BJ_NEVER = waits for ever. */
    bj_time (*client_wake)(bj_world *w);

    /* Types a line (the newline is added; NULL: none) at the client's standard input. `end`: then comes its end. 0 or a
     * negative errno: -ENOTSUP there is none, -ESRCH it does not run, -EAGAIN it reads nothing of what is there
     * already, -EPIPE it has closed it. */
    int (*client_input)(bj_world *w, const char *line, size_t length, bool end);
    /* The client's power goes: without a word to anybody, with what was not synced. The event's sequence when that was
     * now; 0 when bj_engine_power_cut() will tell; a negative errno (-ESRCH: it does not run). */
    int64_t (*power_cut)(bj_world *w, const bj_power_cut *cut);
    /* The client starts again. 0 or a negative errno (-EALREADY: it runs). */
    int (*client_start)(bj_world *w);
    /* With BJ_CAN_DISK. */
    void (*order_disk)(bj_world *w, const bj_disk_order *order);
    void (*put_file)(bj_world *w, const char *name, const bj_file_look *file); /* synced */
    bool (*look_at_file)(bj_world *w, const char *name, bj_file_look *file);   /* false: there is none */

    /* The run is over: no more events are delivered after the engine's present call returns. */
    void (*finish)(bj_world *w);

    /* For URIs inside payloads and factory data: where the scenario's host `name` really is. The simulated
     * world leaves names alone and returns false. The real world gives its address for a host of the scenario. */
    bool (*real_address)(bj_world *w, const char *name, uint16_t port, bj_addr *address);

    /* The run may take until then, if it may not take longer already; false: no run may. NULL: no limit is known. */
    bool (*extend_budget)(bj_world *w, bj_time until);

    /* When what the engine is being told reached this machine: earlier than now() where the world came late to tell it.
     * NULL: now. */
    bj_time (*came)(bj_world *w);

    /* Unix time in seconds at time 0, by which certificates are judged. */
    int64_t (*epoch)(bj_world *w);
} bj_world_ops;

#endif
