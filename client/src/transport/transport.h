/* SPDX-License-Identifier: Apache-2.0
 *
 * CoAP sessions with servers, secure ones too, as the rest of the client sees them. Behind this header is libcoap, with
 * what it leaves to its user: de-duplication, reassembly of blocks, a deadline for every request, options that must be
 * refused, an end to a session that is an end. Nothing else of the client includes libcoap.
 *
 * Callbacks for completions and the end of a session run from bjc_transport_process(), never from inside another call;
 * a session may be closed there. The handler of requests runs while libcoap waits for the answer: it must not close.
 */
#ifndef BJC_TRANSPORT_TRANSPORT_H
#define BJC_TRANSPORT_TRANSPORT_H

#include "bootjack/limits.h"
#include "bootjack/security.h"
#include "core.h"
#include "util/uri.h"

typedef struct bjc_transport bjc_transport;
typedef struct bjc_session bjc_session;

#define BJC_TOKEN_MAX 8
#define BJC_SEGMENTS  BOOTJACK_MAX_OPTIONS /* options of one kind: Uri-Path, Uri-Query, Location-Path */

/* CoAP codes: class * 32 + detail (RFC 7252 §3). */
#define BJC_CODE(class, detail) ((class) << 5 | (detail))
enum {
    BJC_GET = 1,
    BJC_POST = 2,
    BJC_PUT = 3,
    BJC_DELETE = 4,
    BJC_FETCH = 5,
    BJC_PATCH = 6,
    BJC_IPATCH = 7,
    BJC_CREATED = BJC_CODE(2, 1),
    BJC_DELETED = BJC_CODE(2, 2),
    BJC_CHANGED = BJC_CODE(2, 4),
    BJC_CONTENT = BJC_CODE(2, 5),
    BJC_CONTINUE = BJC_CODE(2, 31),
    BJC_BAD_REQUEST = BJC_CODE(4, 0),
    BJC_UNAUTHORIZED = BJC_CODE(4, 1),
    BJC_BAD_OPTION = BJC_CODE(4, 2),
    BJC_NOT_FOUND = BJC_CODE(4, 4),
    BJC_NOT_ALLOWED = BJC_CODE(4, 5),
    BJC_NOT_ACCEPTABLE = BJC_CODE(4, 6),
    BJC_INCOMPLETE = BJC_CODE(4, 8),
    BJC_PRECONDITION_FAILED = BJC_CODE(4, 12),
    BJC_TOO_LARGE = BJC_CODE(4, 13),
    BJC_UNSUPPORTED_FORMAT = BJC_CODE(4, 15),
    BJC_INTERNAL_ERROR = BJC_CODE(5, 0),
};

/* --- our requests ----------------------------------------------------------------------------------------------- */

typedef struct bjc_request {
    uint8_t method;
    bjc_text path[BJC_SEGMENTS], query[BJC_SEGMENTS];
    size_t path_count, query_count;
    int content_format; /* -1 = none */
    bool has_accept;
    uint16_t accept;
    bool has_block2; /* set by the transport, which asks for the blocks of a response */
    uint32_t block2;
    const uint8_t *payload;
    size_t payload_length;
    bool in_block; /* the payload is a part of the whole: the transport's own business */
    uint32_t block1, size1;
} bjc_request;

/* How a request ended. */
typedef enum bjc_outcome {
    BJC_RESPONSE = 0,
    BJC_RESET,       /* RST */
    BJC_TIMEOUT,     /* retransmissions or our deadline ran out */
    BJC_UNREACHABLE, /* ICMP, or the system refused to send */
    BJC_CLOSED,      /* the connection ended */
    BJC_INSECURE,    /* the handshake failed: keys that do not fit, or nobody there */
    BJC_DAMAGED      /* a response whose blocks do not make a whole, or that is longer than `max_payload` */
} bjc_outcome;

const char *bjc_outcome_text(bjc_outcome outcome);

typedef struct bjc_completion {
    bjc_outcome outcome;
    uint8_t code;       /* of the response; the rest is borrowed for the call */
    int content_format; /* -1 = none */
    bjc_text location[BJC_SEGMENTS];
    size_t location_count;
    const uint8_t *payload; /* of all blocks together (RFC 7959 §2.4) */
    size_t payload_length;
} bjc_completion;

typedef void bjc_completion_fn(void *context, const bjc_completion *completion);

/* --- their requests --------------------------------------------------------------------------------------------- */

#define BJC_TAGS BOOTJACK_MAX_REQUEST_TAGS /* Request-Tag options of a request (RFC 9175 §3.2) */

typedef struct bjc_incoming {
    uint8_t method;
    bjc_text path[BJC_SEGMENTS]; /* none for the root, however it was written */
    size_t path_count, query_count;
    bjc_text query[BJC_SEGMENTS];
    bjc_text tags[BJC_TAGS]; /* tell transfers in blocks to one target apart */
    size_t tag_count;
    int content_format, accept; /* -1 = none */
    int observe;                /* the option's value (RFC 7641 §2), -1 = none */
    uint8_t token[BJC_TOKEN_MAX];
    size_t token_length;
    const uint8_t *payload; /* of all blocks together */
    size_t payload_length;
} bjc_incoming;

typedef struct bjc_reply {
    uint8_t code;       /* 0: no answer at all, not even an acknowledgement */
    int content_format; /* -1 = none */
    bjc_buffer payload; /* ready to be written to; freed by the transport */
    bool observed;      /* notifications follow: the answer has an Observe option */
    uint32_t sequence;  /* its value */
    uint16_t location[2];
    unsigned location_count; /* numbers of a Location-Path, e.g. of a created instance */
} bjc_reply;

typedef void bjc_incoming_fn(void *context, const bjc_incoming *request, bjc_reply *reply);

/* --- sessions --------------------------------------------------------------------------------------------------- */

/* Bytes, not a text: they may hold anything. */
typedef struct bjc_bytes {
    const uint8_t *data;
    size_t length;
} bjc_bytes;

#define BJC_SUITES 64 /* as many as an instance of /0 has room for */

/* Whom to talk to. All of it is borrowed for the call. */
typedef struct bjc_peer {
    const bjc_uri *uri;
    bootjack_security_mode mode;
    bjc_bytes identity, key; /* PSK; or the client's certificate and its private key, both DER */
    bjc_bytes server_key; /* /0/x/4: what `usage` compares the server's certificate with, in the form of `matching` */
    bootjack_certificate_usage usage;
    bootjack_matching_type matching;
    /* /0/x/14, in place of the URI's host: for the Server Name Indication, and the name that the server's certificate
     * must be for; empty = none. */
    bjc_text server_name;
    uint16_t suites[BJC_SUITES]; /* /0/x/16: the cipher suites that may be used; none = all */
    size_t suite_count;
    bool sleeps; /* bjc_session_sleep() will be called: it shares nothing with other sessions */
} bjc_peer;

/* What GnuTLS takes for an identity, and what LwM2M Transport 1.1 §5.2.8 asks for a key. */
#define BJC_IDENTITY_MAX BOOTJACK_MAX_IDENTITY
#define BJC_KEY_MAX      BOOTJACK_MAX_KEY

bool bjc_transport_does_mode(bootjack_security_mode mode);
bool bjc_transport_does_scheme(bjc_scheme scheme);

/* Which of a peer's credentials cannot be used. */
typedef enum bjc_part {
    BJC_PART_MODE,
    BJC_PART_IDENTITY,
    BJC_PART_KEY,
    BJC_PART_SERVER_KEY,
    BJC_PART_USAGE,
    BJC_PART_MATCHING,
    BJC_PART_NAME,
    BJC_PART_SUITES
} bjc_part;

typedef struct bjc_fault {
    const char *what; /* NULL = usable, else the reason; never with a byte of them */
    bjc_part part;
    bool unsupported; /* well formed, but not for this build */
} bjc_fault;

/* Type and form of the credentials for the Security Mode, before anything is sent (LwM2M Core 1.1 §6.1.6). What the
 * library underneath cannot carry is refused, never cut short. The scheme of the URI does not matter. */
bjc_fault bjc_transport_fault(const bjc_core *core, const bjc_peer *peer);

/* BOOTJACK_ERR_ARGUMENT: the configuration's trust store holds no certificate. BOOTJACK_ERR_MEMORY. */
bootjack_error bjc_transport_new(const bjc_core *core, bjc_scheduler *scheduler, bjc_transport **transport);
/* Closes all sessions, without callbacks. */
void bjc_transport_free(bjc_transport *transport);
/* Takes and sends what can be taken and sent now; calls completions. */
void bjc_transport_process(bjc_transport *transport);
/* Retransmits what is due and finds out when to come back; after everything else has been done for now. */
void bjc_transport_prepare(bjc_transport *transport);
/* When bjc_transport_process() is due at the latest, as of the last bjc_transport_prepare(). */
bjc_time bjc_transport_next(const bjc_transport *transport);
size_t bjc_transport_descriptors(const bjc_transport *transport, int *descriptors, size_t capacity);

/* Resolves the name and opens a session to the first address that the system can reach. Should a request find that
 * nobody is there, and nothing was ever heard from that address, the next one is tried before the request fails.
 * Of a secure session the handshake begins here; when it fails, the request fails.
 * BOOTJACK_ERR_NAME: the name cannot be resolved. BOOTJACK_ERR_UNSUPPORTED: also credentials that
 * cannot be carried. BOOTJACK_ERR_NETWORK, BOOTJACK_ERR_MEMORY. */
bootjack_error bjc_session_open(bjc_transport *transport, const bjc_peer *peer, bjc_incoming_fn *incoming,
                                void *context, bjc_session **session);
/* `ended` is called once, with the context of `incoming`, when the session has ended by itself (a connection that was
 * closed, a secure session that the server ended) while no request was under way that could say so. `used` is called,
 * from inside the call, whenever a notification or a report is sent, and from bjc_transport_process() when its fate is
 * known. */
void bjc_session_watch(bjc_session *session, void (*ended)(void *context), void (*used)(void *context));
/* Queue mode (LwM2M Core 1.1 §6.5): nothing is received, and no descriptor is watched, until the next request. What
 * arrives meanwhile in datagrams is lost, as with a radio that is off; what a stream holds back is read then. Only of
 * peers that sleep, and while nothing of ours is under way. */
void bjc_session_sleep(bjc_session *session);
bool bjc_session_asleep(const bjc_session *session);
/* Whether the system would now send to this server from another address than the session does: the network changed
 * (LwM2M Transport 1.1 §6.4.3). False where it cannot be known. */
bool bjc_session_moved(const bjc_session *session);
/* Ends it: nothing is sent or received from now on, no callback is called. NULL is allowed. */
void bjc_session_close(bjc_session *session);
/* Whether requests can still be sent: it has not ended. */
bool bjc_session_alive(const bjc_session *session);
/* The number of the TLS alert that the server sent last (RFC 5246 §7.2), -1 = none that is known. A close_notify is not
 * told apart from none. */
int bjc_session_alert(const bjc_session *session);
/* Sends a Confirmable request; one at a time. Of a secure session it leaves after the handshake, when the server was
 * found to be the one that the peer describes. A payload that does not fit into one message leaves in blocks (RFC 7959
 * §2.5), in smaller ones if the server asks for that. When the call fails there will be no completion. */
bootjack_error bjc_session_request(bjc_session *session, const bjc_request *request, bjc_completion_fn *completion,
                                   void *context);
/* Gives up the request that is under way, without its completion; no more retransmissions. Where there would have been
 * some, a session that is secure or over TCP ends. */
void bjc_session_cancel(bjc_session *session);
bool bjc_session_busy(const bjc_session *session);
/* False while a request waits for its connection: what comes before has not overtaken anything. */
bool bjc_session_asked(const bjc_session *session);
/* --- notifications and reports ---------------------------------------------------------------------------------- */

typedef struct bjc_notification {
    uint32_t id; /* of the observation, for the owner */
    uint8_t token[BJC_TOKEN_MAX];
    size_t token_length;
    uint8_t code;
    bool observed; /* false: the last one, with an error */
    uint32_t sequence;
    bool confirmable;
    int content_format;
    const uint8_t *payload; /* whole; the first block of it is sent (RFC 7959 §3.4) */
    size_t payload_length;
} bjc_notification;

/* What became of a Confirmable notification: BJC_RESPONSE = acknowledged, or at least nothing is left of it; BJC_RESET
 * = the server does not want it; otherwise it was not delivered, and `notification` is as it was (borrowed). Called
 * from bjc_transport_process(), and from bjc_session_close() for those that are on their way then. */
typedef void bjc_notified_fn(void *context, bjc_outcome outcome, const bjc_notification *notification);

/* Whom notifications of this session are told to. */
void bjc_session_set_notified(bjc_session *session, bjc_notified_fn *notified, void *context);
/* Sends a notification. Over UDP and DTLS a Non-confirmable one that is answered with RST goes unnoticed: libcoap does
 * not tell. BOOTJACK_ERR_NETWORK, BOOTJACK_ERR_MEMORY. */
bootjack_error bjc_session_notify(bjc_session *session, const bjc_notification *notification);
/* Confirmable notifications whose fate is not known. */
unsigned bjc_session_unsettled(const bjc_session *session);
/* Whether one of that observation (bjc_notification.id) is among them. */
bool bjc_session_notifies(const bjc_session *session, uint32_t id);
/* Whether there are any, or reports whose fate is not known. */
bool bjc_session_reports(const bjc_session *session);
/* Sends a Confirmable request beside the one of bjc_session_request(), a long payload in blocks; any number of them may
 * be under way. The request is copied. BOOTJACK_ERR_NETWORK, BOOTJACK_ERR_MEMORY, BOOTJACK_ERR_INTERNAL (no random
 * numbers). */
bootjack_error bjc_session_request_beside(bjc_session *session, const bjc_request *request,
                                          bjc_completion_fn *completion, void *context);

/* How long an exchange over it may take to be over on both sides (RFC 7252 §4.8.2). */
bjc_time bjc_session_exchange_lifetime(const bjc_session *session);
/* "192.0.2.1:5683" */
const char *bjc_session_address(const bjc_session *session);

#endif
