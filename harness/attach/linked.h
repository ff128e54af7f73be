/* SPDX-License-Identifier: Apache-2.0
 *
 * The six functions by which a client that is linked into the harness (or loaded from a shared object that exports
 * `const bootjack_linked_client bootjack_client`) is driven. This header stands alone, so that a vendor can copy it.
 *
 * The client runs in one thread, never blocks in these functions, and uses the ordinary libc (sockets, clocks,
 * getaddrinfo): the harness answers those calls from the simulated world.
 */
#ifndef BOOTJACK_ATTACH_LINKED_H
#define BOOTJACK_ATTACH_LINKED_H

#include <stddef.h>
#include <stdint.h>

/* 2: the client takes `state_path`, 3: and `legacy`. Older clients run, but for scenarios in which these are set. */
#define BOOTJACK_LINKED_VERSION 3

/* A Security account that the client has from the factory. Durations in milliseconds, -1 = resource absent. */
typedef struct bootjack_linked_account {
    int bootstrap; /* 1: the Bootstrap-Server account */
    int instance;  /* Object Instance in /0 (and /1), -1 = any */
    const char *uri;
    int security_mode; /* /0/x/2 */
    const unsigned char *identity;
    size_t identity_length;
    const unsigned char *key;
    size_t key_length;
    int64_t holdoff_ms;              /* /0/x/11 */
    int64_t timeout_ms;              /* /0/x/12 */
    int ssid;                        /* 0 = absent */
    int64_t lifetime_ms;             /* /1/x/1 */
    const char *binding;             /* /1/x/7 */
    const unsigned char *server_key; /* /0/x/4 */
    size_t server_key_length;
    int matching_type;      /* /0/x/13, -1 = absent */
    const char *sni;        /* /0/x/14, NULL = absent */
    int certificate_usage;  /* /0/x/15, -1 = absent */
    const uint32_t *suites; /* /0/x/16 */
    size_t suite_count;
} bootjack_linked_account;

typedef struct bootjack_linked_config {
    const char *endpoint;
    const char *lwm2m_version; /* "1.0", "1.1", ...; NULL = the client's default */
    const bootjack_linked_account *accounts;
    size_t account_count;
    int64_t holdoff_cap_ms;   /* -1 = the client's default */
    double holdoff_jitter;    /* 0 = the client's default */
    int64_t ack_timeout_ms;   /* RFC 7252 4.8; -1 = 2000 */
    double ack_random_factor; /* 0 = 1.5 */
    int max_retransmit;       /* -1 = 4 */
    int strict;               /* 4.06 at Finish for all that can be known then */
    int access_control;       /* has Access Control, /2 */
    int test_object;          /* has the test object, /3442 */
    int pack;                 /* asks for a Bootstrap-Pack first (LwM2M 1.2): 1, 0, -1 = the client's default */
    /* Certificates of CAs, PEM or one in DER, for Certificate Usage 0 and 1; NULL = none. */
    const unsigned char *trust_store;
    size_t trust_store_length;
    /* Calls these for every state change ("old -> new: cause") and line of log. Never NULL. */
    void (*state_changed)(void *context, const char *text);
    void (*log_line)(void *context, const char *text);
    void *context;
    int queue_mode; /* the flag Q of a registration, LwM2M Core 1.1 6.5 */
    /* Since version 2: the file in which the client keeps its accounts over restarts. When it is there, they count, and
     * `accounts` do not. NULL: it keeps nothing. */
    const char *state_path;
    int legacy; /* since version 3: takes operations of its Bootstrap-Server that nobody asked for (TS 1.0 5.2.3.4) */
} bootjack_linked_config;

typedef struct bootjack_linked_client {
    int version; /* BOOTJACK_LINKED_VERSION */
    const char *name;
    /* NULL: it cannot be made from this configuration (a line of log says why). */
    void *(*create)(const bootjack_linked_config *config);
    /* Does all that can be done now, without waiting. Called when a descriptor became ready or the deadline came. */
    void (*step)(void *client);
    /* In how many milliseconds step() must be called at the latest, -1 = only when something arrives. */
    int64_t (*next_deadline)(void *client);
    /* Begins an orderly stop (De-register); the client is finished when state() says so. */
    void (*stop)(void *client);
    /* 0 running, 1 stopped in order, 2 failed for good. Others: failed for good, as a program would that ends with that
     * exit status; 3: what is in `state_path` is damaged, or not to be read. */
    int (*state)(void *client);
    /* Not called when the scenario cuts the client's power: create() then follows, as in a process of its own. */
    void (*destroy)(void *client);
} bootjack_linked_client;

#endif
