/* SPDX-License-Identifier: Apache-2.0
 *
 * A client: made from a configuration, given Objects and accounts, then run. Nothing is shared between two clients of
 * one process. No function waits, but for bootjack_client_run() and for the resolver of the C library.
 *
 *     static bootjack_error live(void) {
 *         bootjack_config config;
 *         bootjack_client *client;
 *         bootjack_config_init(&config);
 *         config.endpoint = "urn:dev:os:0023C7-000001";
 *         bootjack_error error = bootjack_client_create(&config, &client);
 *         if (!error) {
 *             error = bootjack_security_object_install(client);
 *             error = error ? error : bootjack_server_object_install(client);
 *             error = error ? error : bootjack_device_object_install(client, NULL);
 *             error = error ? error : bootjack_client_run(client);
 *             bootjack_client_destroy(client);
 *         }
 *         return error;
 *     }
 */
#ifndef BOOTJACK_CLIENT_H
#define BOOTJACK_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bootjack/error.h"

/* One client; opaque. */
typedef struct bootjack_client bootjack_client;

/* Memory for everything that is the client's own (libcoap keeps using malloc). */
typedef struct bootjack_allocator {
    void *(*allocate)(void *context, size_t size); /* `size` is never 0; NULL = there is none */
    void (*release)(void *context, void *memory);  /* what `allocate` gave, never NULL */
    void *context;                                 /* handed to both */
} bootjack_allocator;

/* Releases of the LwM2M enabler. */
typedef enum bootjack_version {
    BOOTJACK_LWM2M_1_0 = 10, /* LwM2M 1.0 */
    BOOTJACK_LWM2M_1_1 = 11, /* LwM2M 1.1 */
    BOOTJACK_LWM2M_1_2 = 12  /* LwM2M 1.2 */
} bootjack_version;

/* Transmission parameters (RFC 7252 §4.8). libcoap's limits: ACK_TIMEOUT from 1 s to less than 1024 s,
 * ACK_RANDOM_FACTOR up to 100, from 1 to 16 retransmissions; ACK_TIMEOUT * ACK_RANDOM_FACTOR below 67108 s, and what
 * 2^MAX_RETRANSMIT makes of it below 2^32 ms. */
typedef struct bootjack_tx_params {
    uint32_t ack_timeout_ms;  /* ACK_TIMEOUT, 2000 */
    double ack_random_factor; /* ACK_RANDOM_FACTOR, 1.5, at least 1 */
    uint16_t max_retransmit;  /* MAX_RETRANSMIT, 4 */
} bootjack_tx_params;

/* What a line of log is about; a level has those above it, too. */
typedef enum bootjack_log_level {
    BOOTJACK_LOG_ERROR = 0, /* something that the client cannot do */
    BOOTJACK_LOG_WARNING,   /* what was refused, and why */
    BOOTJACK_LOG_INFO,      /* every change of state with its cause */
    BOOTJACK_LOG_DEBUG      /* the rest */
} bootjack_log_level;

/* What a client is made from; bootjack_config_init() sets the defaults that are named here. */
typedef struct bootjack_config {
    const char *endpoint;     /* Endpoint Client Name (LwM2M Core 1.1 §7.3); copied */
    bootjack_version version; /* 1.1 */
    /* Content-Format that a Bootstrap-Server is asked to write in (`pct`, from LwM2M 1.1 on): 110 (SenML JSON), 112
     * (SenML CBOR), 11542 (TLV, the default) or 11544 (LwM2M CBOR, from 1.2 on). All that the release has are read. */
    uint16_t preferred_format;
    const bootjack_allocator *allocator; /* copied; NULL = malloc() */
    bootjack_tx_params tx;               /* over UDP and DTLS */
    /* How long a request over TCP or TLS waits for its response; nothing is sent again there. 30000 */
    uint32_t stream_timeout_ms;
    /* How far the hold-off between failed bootstraps may grow, and the upper end of the random factor that each wait
     * is multiplied with. There is no resource for either. */
    uint32_t holdoff_cap_ms; /* 20000 */
    double holdoff_jitter;   /* 1.5, at least 1 */
    /* Refuse with 4.06 at Bootstrap-Finish all that can be known then (LwM2M Core 1.1 §6.1.6). Without it, accounts
     * that cannot be used lead to 2.04 and a new bootstrap after the hold-off, as long as there is a Bootstrap-Server
     * account left. */
    bool strict;
    /* Take bootstrap operations that come unasked over the session with the Bootstrap-Server
     * (Server Initiated Bootstrap, LwM2M TS 1.0 §5.2.3.4). */
    bool legacy_server_initiated;
    /* Queue mode with every server (LwM2M Core 1.1 §6.5): the flag Q of a registration. In LwM2M 1.0, and where a
     * binding of that release was written, the letter Q of /1/x/7 says it for one server. Sessions with such servers do
     * not use `coap_context`. */
    bool queue_mode;
    /* Ask for a Bootstrap-Pack before a Bootstrap-Request is sent (LwM2M Core 1.2 §6.1.7.7); true, and of no effect
     * before LwM2M 1.2. */
    bool bootstrap_pack;
    size_t max_payload; /* of a request or response that arrives in blocks, bytes; 16384 */
    /* Random numbers; false = none to be had. NULL = getrandom(). */
    bool (*random)(void *context, void *out, size_t length);
    void *random_context; /* handed to it */
    /* A line of log without end of line; never holds a secret. NULL = none. */
    void (*log)(void *context, bootjack_log_level level, const char *line);
    void *log_context;            /* handed to it */
    bootjack_log_level log_level; /* BOOTJACK_LOG_INFO */
    /* Every change of state: "machine: old -> new: cause". NULL = they become lines of the log. */
    void (*state_changed)(void *context, const char *text);
    void *state_context; /* handed to it */
    /* Certificates of the CAs that Certificate Usage 0 and 1 (security.h) go by: PEM, as many as there are, or one in
     * DER; copied. None: accounts with these usages are refused. */
    const uint8_t *trust_store;
    size_t trust_store_length; /* its bytes */
    /* A libcoap context that the application made and keeps, used for one session without security at a time; its
     * handlers are taken over. It must outlive the client. libcoap 4.3.1 ends the process where a server's requests
     * come over TCP before its settings (RFC 8323 §5.3), which this client prevents in contexts that it made, where
     * it is linked in front of libcoap, not in this one. NULL = the client makes its own. */
    struct coap_context_t *coap_context;
} bootjack_config;

/* What a client is doing. */
typedef enum bootjack_client_phase {
    BOOTJACK_CLIENT_IDLE = 0,      /* no account that could be used */
    BOOTJACK_CLIENT_HOLDING_OFF,   /* waits before a bootstrap */
    BOOTJACK_CLIENT_BOOTSTRAPPING, /* from the Bootstrap-Request to the Bootstrap-Finish */
    BOOTJACK_CLIENT_REGISTERING,   /* with one server or more, with none yet */
    BOOTJACK_CLIENT_REGISTERED,    /* with one server at least */
    BOOTJACK_CLIENT_STOPPING,      /* De-register under way */
    BOOTJACK_CLIENT_STOPPED        /* nothing any more */
} bootjack_client_phase;

/* Sets every field to its default. */
BOOTJACK_API void bootjack_config_init(bootjack_config *config);

/* `*client` is the caller's to destroy. BOOTJACK_ERR_ARGUMENT, BOOTJACK_ERR_MEMORY, BOOTJACK_ERR_INTERNAL. */
BOOTJACK_API bootjack_error bootjack_client_create(const bootjack_config *config, bootjack_client **client);
/* Frees everything at once, without a De-register; NULL is allowed. */
BOOTJACK_API void bootjack_client_destroy(bootjack_client *client);

/* Does all that can be done now, without waiting. The first step starts the client: it registers with the servers of
 * /1, or bootstraps when there is none (LwM2M Core 1.1 §6.1.4). */
BOOTJACK_API void bootjack_client_step(bootjack_client *client);
/* Milliseconds until bootjack_client_step() is due at the latest; -1 = only when a descriptor becomes readable. */
BOOTJACK_API int64_t bootjack_client_next_deadline_ms(bootjack_client *client);
/* The descriptors that must be watched for reading; at most `capacity` are written, their number is returned. There are
 * never more than BOOTJACK_MAX_DESCRIPTORS (limits.h). */
BOOTJACK_API size_t bootjack_client_descriptors(bootjack_client *client, int *descriptors, size_t capacity);
/* Steps and waits until the client has stopped. */
BOOTJACK_API bootjack_error bootjack_client_run(bootjack_client *client);

/* Begins an orderly stop: De-register (LwM2M Core 1.1 §6.2.3). Not for signal handlers or other threads. */
BOOTJACK_API void bootjack_client_stop(bootjack_client *client);
/* To be called when instances of the application's own Objects came or went: servers are told with an Update, and with
 * notifications of what they observe. */
BOOTJACK_API void bootjack_instances_changed(bootjack_client *client);
/* To be called when the device got another address or another network: what is under way there begins anew, a
 * bootstrap session included, and the client registers again. An Update notices by itself that the address of a UDP
 * session changed. */
BOOTJACK_API void bootjack_network_changed(bootjack_client *client);
/* What the client is doing now. */
BOOTJACK_API bootjack_client_phase bootjack_client_state(const bootjack_client *client);
/* A word or two for it, never NULL; static. */
BOOTJACK_API const char *bootjack_client_phase_text(bootjack_client_phase phase);

/* "1.2.3"; static. */
BOOTJACK_API const char *bootjack_library_version(void);

#endif
