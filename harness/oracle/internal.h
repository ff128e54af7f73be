/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the oracles share, and nobody else includes.
 *
 *   oracle.c        life, the table of oracles, findings
 *   config.c        what scenario and profile say
 *   order.c         events as they were for the client, where DTLS hides what it says until it arrives
 *   see.c           messages out of events: datagrams, what DTLS and TLS carry, CoAP over TCP
 *   exchange.c      which message belongs to which: the client's own requests, those of the servers
 *   message.c       RFC 7252: form, Message IDs, tokens, answers
 *   retransmit.c    RFC 7252 §4.2, §4.7: when and how often the client repeats
 *   stream.c        RFC 8323
 *   payload.c       what messages carry; codes by operation
 *   model.c         the accounts that the client must have by now
 *   operations.c    effects of bootstrap operations, as Discover shows them
 *   commands.c      what a Bootstrap-Server's commands may, and may not, be answered with
 *   shown.c         what Bootstrap-Read and Register show of what was written
 *   consistency.c   which configurations are taken at Finish, and which accounts are used
 *   attempt.c       when the client asks for a bootstrap, and how
 *   holdoff.c       how the hold-off grows, what a trigger brings, and when the bootstrap account's time is over
 *   registration.c  with whom it registers, and with what
 *   management.c    requests of servers that are judged; definitions.c, instances.c, values.c: see management.h
 *   transport.c     by what the messages are carried, and handshakes
 *   retries.c       attempts to register: their order, their times, their number
 *   blocks.c        transfers in blocks
 *   standing.c      what a registration that stands asks of the client
 *   secrets.c       credentials stand in no message and in no line
 *   state.c         a client that tells of its state machines says what is so
 *   recovery.c      once the world is healed, the client is registered
 *   visible.c       no rule: what the client was seen to do, for comparing runs
 */
#ifndef BJ_ORACLE_INTERNAL_H
#define BJ_ORACLE_INTERNAL_H

#include <string.h>

#include "oracle/oracle.h"
#include "wire/coap.h"
#include "wire/entries.h"
#include "wire/link.h"

enum {
    ORACLE_DAMAGED = 16,
    ORACLE_RECENT = 1024, /* events whose cause may be asked; a power of two */
    ORACLE_OWN = 256,     /* messages of the client that are remembered; a power of two */
    ORACLE_FOREIGN = 256, /* messages of servers, likewise */
    ORACLE_OBSERVED = 64, /* tokens of observations, likewise */
    ORACLE_ACKNOWLEDGED = 16,
    ORACLE_CONNECTIONS = 64, /* by number, the latest of those that share a place */
    ORACLE_PEERS = 32,
    ORACLE_PLACES = 32, /* for instances of /0 and /1 */
    ORACLE_SETTINGS = 23,
    ORACLE_TOLD = 16,
    ORACLE_NAMES = 32,
    ORACLE_DEFERRED = 4,
    ORACLE_TRANSFERS = 16,
    ORACLE_MACHINES = 16,
    ORACLE_MOST_EXPECTED = 1152, /* bytes; RFC 7252 §4.6: of a message whose size nobody has told the other */
    ORACLE_GRACE = 10000,        /* us: what may cross on its way inside the client's own machine */
};

/* A message as the client's side has it: when it was sent or got there. */
typedef struct oracle_seen {
    const bj_event *event; /* in which it stands */
    bj_time time;
    bool from_client;
    bool stream, secure;
    bool secure_certain; /* under DTLS: nothing was lost so far, so that every copy was seen */
    bool cut;            /* the capture holds a part of it: what it said is known to nobody */
    int connection;      /* -1: datagrams */
    bj_addr peer;        /* the server's */
    bj_addr local;       /* the client's */
    bj_coap_fault fault;
    const uint8_t *bytes;
    size_t length;
    bj_coap m; /* the last: large, and not cleared before it is read */
} oracle_seen;

typedef enum oracle_purpose {
    ORACLE_OTHER = 0,
    ORACLE_BOOTSTRAP,
    ORACLE_PACK,
    ORACLE_REGISTER,
    ORACLE_UPDATE,
    ORACLE_DEREGISTER,
} oracle_purpose;

/* A message of the client that is not an ACK or RST. */
typedef struct oracle_own {
    bool used;
    bj_addr peer, local;
    int connection;
    bool secure, exact;   /* all copies were seen */
    bool ended_otherwise; /* by an ACK that was for something else, perhaps */
    bool borrowed;        /* a response with the Message ID of its request, which the server chose */
    uint8_t type, code, token_length;
    uint8_t token[BJ_COAP_TOKEN];
    uint16_t mid;
    const uint8_t *bytes;
    size_t length;
    bj_time first, last, before; /* transmissions: the first, the last, the one before it */
    bj_time gap;                 /* between the last two, when it was repeated before */
    unsigned copies;
    uint32_t event;
    uint8_t purpose;      /* oracle_purpose */
    bj_time acknowledged; /* an empty ACK, or any answer, reached the client; BJ_NEVER */
    bj_time answered;     /* a response or RST reached it; BJ_NEVER */
    uint8_t answer;       /* its code; 0: RST */
} oracle_own;

typedef enum oracle_operation {
    ORACLE_OP_NONE = 0,
    ORACLE_OP_WRITE,
    ORACLE_OP_READ,
    ORACLE_OP_DISCOVER,
    ORACLE_OP_DELETE,
    ORACLE_OP_FINISH,
} oracle_operation;

/* A message of a server that reached the client. */
typedef struct oracle_foreign {
    bool used;
    bj_addr peer, local;
    int connection;
    bool secure, malformed;
    uint8_t type, code, token_length;
    uint8_t token[BJ_COAP_TOKEN];
    uint16_t mid;
    const uint8_t *bytes;
    size_t length;
    bj_time first, last;
    unsigned copies;
    uint32_t event;
    bool owed;    /* an ACK or RST is due */
    bool crowded; /* malformed for us: more options than are decoded, or numbers above 65535, which no text forbids */
    bool reused;  /* its Message ID was another message's, of which it may be taken for a repetition (RFC 7252 §4.5) */
    bool proxied; /* for a proxy, by its options */
    bool hops;    /* carries a Hop-Limit */
    bool beyond;  /* carries an option that no command of a Bootstrap-Server has */
    bool critical;  /* carries an option that nobody can know, and must */
    bool ignored;   /* not confirmable, with an option that a client need not take: ignored without a word (§5.4.1) */
    bool bootstrap; /* from the bootstrap server, in its session */
    bool slept;     /* it came while the client need not listen, and did not come again */
    bool observes;
    bool block1;
    uint8_t operation; /* oracle_operation */
    bool root_named;   /* its path is none of LwM2M, or not from the root; `path` is its end */
    bj_path path;
    uint32_t accept, format; /* 65536: none */
    bool has_accept;
    unsigned acks;      /* ACK or RST that the client sent for it */
    const uint8_t *ack; /* the first of them */
    size_t ack_length;
    unsigned responses;    /* different ones */
    uint16_t response_mid; /* of a separate response */
    uint8_t response;      /* its code */
    uint32_t managed;      /* a request of management that is not answered: its round; 0: none */
} oracle_foreign;

/* What the client must do within a time; an Update or a Register does all of it. */
typedef enum oracle_duty {
    ORACLE_DUTY_REFRESH = 0, /* before the lifetime is over */
    ORACLE_DUTY_LIFETIME,    /* /1/x/1 was written */
    ORACLE_DUTY_BINDING,     /* /1/x/7 was written */
    ORACLE_DUTY_LISTS,       /* a bootstrap changed the instances of /1 */
    ORACLE_DUTY_TRIGGER,     /* /1/x/8 was executed */
    ORACLE_DUTY_RENEW,       /* an Update was answered with 4.04: a Register */
    ORACLE_DUTIES,
} oracle_duty;

enum { ORACLE_LOCATIONS = 3, ORACLE_LOCATION = 160 };

/* A Location-Path, each segment behind its length. */
typedef struct oracle_location {
    uint8_t length; /* 0: none */
    uint8_t bytes[ORACLE_LOCATION];
} oracle_location;

/* What stands between the client and a server: a registration, and what follows from it. */
typedef struct oracle_standing {
    bool held;          /* a Register was accepted, and nothing ended it since */
    bool unsure;        /* a 2.01 may have come that nobody can read */
    bool secure;        /* it was made under DTLS or TLS */
    bool first_release; /* of LwM2M 1.0 */
    bool known;         /* `born` and `account` are those of its account */
    bool dismissed;     /* by Disable: it has de-registered, or must */
    bool sent_away;     /* the last De-register followed a Disable */
    bool parted;        /* the session or connection that it was last heard of in is over, or another one begins */
    uint8_t ended;      /* oracle_ended: the bootstrap that finished last ended it */
    unsigned born[2];
    uint64_t account;                            /* mark of its URI and Short Server ID */
    oracle_location locations[ORACLE_LOCATIONS]; /* of its answers, the newest first */
    oracle_location dead;                        /* where the server knows nothing any more */
    int64_t lifetime;                            /* as the client said it last */
    char binding[12];                            /* likewise */
    uint64_t listed;                             /* instances of /1, by their ids below 64; 0: not known */
    bj_time since;                               /* when the Register was accepted */
    bj_time unread;             /* the last record of DTLS, or connection, of which no message was seen; 0: none */
    bj_time back;               /* not earlier, after Disable */
    unsigned editions[2];       /* of its account, when Disable was executed */
    bj_time due[ORACLE_DUTIES]; /* until when; 0: not at all */
} oracle_standing;

/* Attempts to register since the last bootstrap, or the last start. */
typedef struct oracle_trying {
    unsigned attempts; /* since one was accepted */
    bool ever;         /* one was accepted */
    bool answered;     /* one of the attempts was refused */
    bool unsure;       /* what came may have been an answer */
    bool newer;        /* the client says LwM2M 1.1 or later */
    bj_time last;      /* the last attempt did not fail before */
    bj_addr local;     /* from where it was made */
} oracle_trying;

typedef struct oracle_peer {
    bj_addr address;
    bool bootstrap;        /* the client sent it a Bootstrap-Request */
    bool spoke;            /* a message of the client to it was seen */
    bool registered;       /* its Register was accepted, and not ended */
    bool ever;             /* one was, in any life */
    bool doubtful;         /* an answer that a client may pass over may have accepted one */
    bool sends_away;       /* an Execute of its Disable (/1/x/4) was accepted since: the client is about to leave it */
    bool placed;           /* with a Location-Path, not in blocks: else a client may take it for refused */
    bool registering;      /* since the last attempt it was sent a Register that brought nothing so far */
    bj_time register_last; /* when that was sent last, or its refusal came */
    int64_t ssid;          /* its Short Server ID, when it registered; 0: not known */
    bool queue;            /* it is registered with in queue mode */
    bool hung_up;          /* the client ended its DTLS session with it */
    bool let_go;           /* its end of that session is over: it reads nothing more */
    bool secure;           /* what the client said last to it was under DTLS or TLS */
    bool reset_strangely;  /* it rejected a message that was not confirmable, had its answer, or was given up */
    bj_time exchanged;     /* when the client last sent it something, or got an answer */
    bj_time perhaps;       /* likewise, of what a client need not count: it may listen on, or not */
    bj_time failing;       /* the first transmission of what is seen until then may have failed: a refusal had come */
    bj_time dozed, woke;   /* in queue mode: the last time during which it need not have listened; 0: none */
    oracle_standing standing;
    oracle_trying trying;
    unsigned opens; /* connections since `opens_since` */
    bj_time opens_since;
} oracle_peer;

enum { ORACLE_PINGS = 8 };

/* Of a server, over a stream. */
typedef struct oracle_ping {
    bj_time at; /* BJ_NEVER: the client need not have listened, and owes no answer */
    uint8_t length, token[BJ_COAP_TOKEN];
} oracle_ping;

typedef struct oracle_connection {
    int number;
    bool used, tls, closed;
    bool judged;        /* the first bytes of the client on it were looked at */
    bool csm, released; /* the client's CSM came; the server said Release */
    bool gap;           /* the capture does not show all of it, nor for sure where messages begin */
    bool missed;        /* it said Release while the client need not have listened */
    bj_time released_at;
    oracle_ping pings[ORACLE_PINGS]; /* without an answer yet, the oldest first */
    unsigned ping_count;
    bool pings_lost; /* there were more */
    bj_addr local, peer;
    uint8_t *buffer[2]; /* client's, server's bytes of a frame that is not whole */
    size_t held[2], room[2];
    bool broken;
    bool spoke[2];
} oracle_connection;

/* An instance of /0 or /1 as commands have left it. */
typedef struct oracle_instance {
    bool used;
    bool deleted; /* by an accepted Delete: it must not be there */
    bool vague;   /* what it holds is not known for sure */
    bool alone;   /* a server's of /1, for which there was none of /0 when a session ended: a client may take it away */
    bool settled; /* of the factory, or there when a session had finished */
    uint8_t object;
    uint16_t id;                       /* ORACLE_ANYWHERE: of the factory, at a place that nobody knows */
    int8_t bootstrap;                  /* /0/x/1: 0, 1, -1 not known */
    char uri[260];                     /* "": not known */
    int64_t ssid;                      /* /0/x/10, /1/x/0; 0: not known */
    int64_t lifetime;                  /* /1/x/1; -1: not known */
    char binding[12];                  /* /1/x/7; "": not known */
    int8_t returns;                    /* /1/x/16, Bootstrap on Registration Failure: 0 it is false, else 1 */
    bj_time timeout;                   /* /0/x/12; 0: none */
    unsigned born;                     /* one that was deleted and written again is another */
    unsigned edition;                  /* of the last Write that touched it */
    int8_t mode;                       /* /0/x/2; -1: not known */
    uint64_t keys[3];                  /* marks of /0/x/3 to /0/x/5; 0: not written */
    bool whole;                        /* a Write that was read stands for all of it */
    uint8_t beyond;                    /* 1 + a Resource whose value is outside its range; 0: none */
    uint32_t given;                    /* a bit for each Resource that was written, the last for those above 30 */
    uint32_t earlier;                  /* of those that it had before that Write */
    int64_t settings[ORACLE_SETTINGS]; /* resources of /1 by their ids (oracle_setting_of); -1: not written */
    int64_t former[ORACLE_SETTINGS];   /* as they were before that Write */
} oracle_instance;

enum { ORACLE_ANYWHERE = 65535 };

/* The accounts: what the client must hold, as far as that is known. */
typedef struct oracle_accounts {
    bool vague;      /* there may be others, with other values */
    bool emptied[2]; /* all instances of /0 (but the bootstrap account), of /1 were deleted: no others are there */
    bool written;    /* something was accepted in this session */
    bool refused[2]; /* in this session a Write of /0, of /1 was refused */
    unsigned births; /* of instances, and Writes of them */
    unsigned count;  /* of places that were ever taken; what lies beyond was never written */
    oracle_instance items[ORACLE_PLACES];
} oracle_accounts;

/* A value whatever format carries it. */
typedef enum oracle_value_kind {
    ORACLE_VALUE_NONE = 0, /* not known */
    ORACLE_VALUE_INTEGER,
    ORACLE_VALUE_REAL,
    ORACLE_VALUE_BYTES,
} oracle_value_kind;

typedef struct oracle_value {
    uint8_t kind;
    int64_t integer;
    double real;
    size_t length;   /* BYTES */
    uint64_t digest; /* of them */
} oracle_value;

/* A resource as servers have left it. */
typedef struct oracle_resource {
    bj_path path;
    bool used, absent;
    bool written;         /* by an accepted Write; false: a Read showed it */
    bool updated;         /* a partial update of its instance was accepted since */
    bool replaced;        /* absent, since a Write replaced its instance without naming it */
    bool other;           /* the Write changed it: it was something else before */
    oracle_value value;   /* absent: what it was before */
    oracle_value attempt; /* that a refused Write would have left */
    uint8_t attempted_by; /* bj_rule, which says that it must not */
    bj_time at;           /* when it was learned */
} oracle_resource;

typedef struct oracle_managed_instance {
    uint16_t object, id;
    uint8_t presence; /* oracle_presence */
    bj_time since;
} oracle_managed_instance;

/* Attributes of notifications (LwM2M Core 1.1 §5.1.2, `con` of 1.2). */
typedef enum oracle_attribute {
    ORACLE_PMIN = 0,
    ORACLE_PMAX,
    ORACLE_GT,
    ORACLE_LT,
    ORACLE_ST,
    ORACLE_EPMIN,
    ORACLE_EPMAX,
    ORACLE_CON,
    ORACLE_ATTRIBUTES,
} oracle_attribute;

/* Those that a server set at a path; bits are 1 << oracle_attribute. */
typedef struct oracle_attributes {
    bj_addr peer;
    bj_path path;
    uint8_t known, set, unset;        /* what is known of; what stands; what was taken away */
    double values[ORACLE_ATTRIBUTES]; /* taken away: the value that stood */
    bj_time changed;
} oracle_attributes;

enum { ORACLE_ACCESSES = 24, ORACLE_ENTRIES = 8 };

/* Rights on an Object Instance, or on an Object. */
typedef struct oracle_rights {
    int id;               /* of the instance of /2; -1: one that the client made */
    int object, instance; /* 65535: the Object */
    int owner;            /* -1: not known */
    bool known;           /* `entries` are all */
    uint8_t count;
    struct {
        uint16_t ssid;
        uint8_t rights;
    } entries[ORACLE_ENTRIES];
} oracle_rights;

typedef enum oracle_ended {
    ORACLE_ENDED_NOT = 0,
    ORACLE_ENDED_CANCELLED,  /* by Observe 1 */
    ORACLE_ENDED_RESET,      /* by a Reset to a notification */
    ORACLE_ENDED_REGISTERED, /* by a registration anew */
} oracle_ended;

enum { ORACLE_OBSERVED_PATHS = 8, ORACLE_OBSERVATIONS = 16 };

/* An observation that the client accepted. */
typedef struct oracle_observation {
    bj_addr peer;
    uint8_t token_length, token[BJ_COAP_TOKEN];
    bj_path paths[ORACLE_OBSERVED_PATHS];
    uint8_t path_count; /* 0: not known */
    bool composite, secure, stream;
    bool own_attributes; /* the Observe brought attributes of its own */
    uint8_t ended;       /* oracle_ended */
    bool ended_settled;  /* nothing was on its way then, or stored */
    bool ended_unstored; /* nothing was on its way, and nothing may be stored */
    bool ended_perhaps;  /* the registration came without a Location-Path: whether it is one is the client's to say */
    bj_time began, ended_at;
    uint32_t sequence;   /* the last Observe option */
    bj_time reported;    /* the last notification, or the first answer */
    bj_time confirmed;   /* the last that was confirmable */
    bool confirmable;    /* one was */
    bool notified;       /* there was one */
    oracle_value value;  /* of the last, where one single resource is observed */
    uint64_t digest;     /* of its payload */
    double low, high;    /* what the resource was since */
    bool vague;          /* what it is now is not known */
    bj_time changed;     /* the last time since then that a server changed it; 0: it is what was told */
    bj_time written_at;  /* a change that was not told yet; BJ_NEVER */
    bj_time expected;    /* that it must have been told by; BJ_NEVER */
    uint8_t expected_by; /* bj_rule */
    bj_time most;        /* pmax is over; BJ_NEVER */
    bool lapsed;         /* it was over, and nobody can say that something had to come */
    bj_time stored;      /* what was stored meanwhile must have been told by then; BJ_NEVER */
    bj_time answered;    /* a server sent a response with its token; 0: never */
} oracle_observation;

enum {
    ORACLE_MANAGED_INSTANCES = 48,
    ORACLE_EMPTY_OBJECTS = 32,
    ORACLE_RESOURCES = 48,
    ORACLE_ATTRIBUTED = 24,
    ORACLE_CREATABLE = 8
};

/* What servers do with a client that is registered with them: management.h. */
typedef struct oracle_managing {
    unsigned outstanding;   /* requests without an answer */
    bool overlap;           /* several were under way at once, and one of them still is */
    uint32_t round;         /* grows when everything is forgotten; 0: never yet */
    bj_time since;          /* the first of those that are outstanding came */
    uint8_t release;        /* 10, 11, 12: the latest that a Register named; 0: none */
    uint8_t server_release; /* likewise, of /1 */
    bool listed;            /* `instances` and `empty` are all that there is */
    unsigned instance_count, empty_count;
    oracle_managed_instance instances[ORACLE_MANAGED_INSTANCES];
    uint16_t empty[ORACLE_EMPTY_OBJECTS]; /* Objects that are listed without Instances */
    unsigned creatable_count, resource_count, attributes_count;
    uint16_t creatable[ORACLE_CREATABLE]; /* Objects of which servers made Instances */
    bool attributes_ever;                 /* a server set some */
    bool attributes_unsure;               /* there may be others than `attributes` */
    oracle_resource resources[ORACLE_RESOURCES];
    oracle_attributes attributes[ORACLE_ATTRIBUTED];
    bool registering;    /* a Register was sent */
    bool ever_changed;   /* a server asked for something that changes, in any life */
    bool bootstrapped;   /* what is known of /1 is of a bootstrap session, which may yet fail */
    bool rights_written; /* a server may have written to /2, in any life */
    bool rights_begun;   /* this bootstrap session removed all instances of /2 */
    unsigned rights_count;
    oracle_rights rights[ORACLE_ACCESSES];
    unsigned observation_count;
    bj_time next;      /* that something of them must have been told by; BJ_NEVER */
    bj_time disturbed; /* ICMP, or news of a DTLS session, came last */
    oracle_observation observations[ORACLE_OBSERVATIONS];
} oracle_managing;

/* A state machine of a client that tells. */
typedef struct oracle_machine {
    char name[48], initial[48], state[48];
} oracle_machine;

typedef struct oracle_name {
    char name[256];
    bj_addr addresses[8];
    unsigned count;
} oracle_name;

typedef enum oracle_phase {
    ORACLE_IDLE = 0,
    ORACLE_REQUESTED, /* a Bootstrap-Request is on its way */
    ORACLE_SESSION,   /* it was accepted */
    ORACLE_FINISHED,  /* Finish was answered with success */
    ORACLE_FAILED,    /* it was refused */
} oracle_phase;

typedef struct oracle_attempt {
    uint8_t phase;
    uint8_t was; /* the phase before the request */
    bool told;   /* /1/x/9 was executed before it */
    bool any;    /* one was seen */
    bj_addr peer;
    int connection; /* -1: datagrams */
    bool stream;
    bool pack;              /* it began with a Bootstrap-Pack-Request */
    bool preferred;         /* its Bootstrap-Request names a preferred format, `pct` */
    bool refused;           /* and was refused with 4.xx, for which the format may be the reason */
    bool overtaken;         /* a command overtook the answer: the client may refuse it, for it is in no session yet */
    bool excused;           /* the session may have ended for a reason of its own: a connection, an alert, a restart */
    bool late;              /* its answer came when the client may have given it up */
    bj_time last;           /* what belongs to it happened then: it did not fail earlier */
    bj_time failed;         /* when it failed for sure; BJ_NEVER: not known */
    bj_time session_last;   /* the last command, or the answer to the request, as it reached the client */
    bj_time session_heard;  /* the last request that is no command: a client may count it */
    bj_time session_before; /* the one before that: a client need not count what it rejects */
    bool unasked;    /* since the last attempt a client of LwM2M 1.0 was sent a command that may have begun a session */
    bj_time trigger; /* /1/x/9 was executed since; BJ_NEVER */
    bj_time dialled; /* the first handshake or connection towards the bootstrap server since `last`; BJ_NEVER */
    bool followed_none; /* TS 1.0 §5.2.3.4: a session that nobody asked for has ended well, ever */
    bool ever_finished;
    bj_time finished_at;     /* the last time */
    bj_time holdoff;         /* /0/x/11 that counts now */
    bj_time holdoff_pending; /* once the session is finished; BJ_NEVER: as it is */
} oracle_attempt;

/* An event that is not judged yet, for what the client said before it is not known. */
typedef struct oracle_waiting {
    bj_event event;
    bool veiled;    /* a record of the client: what is in it may still be told */
    bool told;      /* it was: */
    bj_event plain; /* PLAIN_RECEIVED */
    bool unread;    /* it came, and no server could read it, or had read it before */
} oracle_waiting;

struct bj_oracle {
    bj_arena *arena;
    bj_oracle_config config;
    bj_time now;
    uint32_t last_event;
    bool alive;    /* the client runs */
    bool stopping; /* it was asked to stop */
    bool ended;
    bool lossless;      /* nothing was lost or struck */
    bj_time life_began; /* when the client was started last */
    bool damages; /* datagrams were told to be damaged: what a client got may be no more than like what a server sent */
    bool disk_strange; /* the client's disk was told to fail, or to be small */
    bool started;      /* CLIENT_START was seen */
    unsigned lives;    /* how often */

    struct {
        uint32_t sequence, cause;
        bj_time time;
    } recent[ORACLE_RECENT];
    struct oracle_plain {
        uint32_t carrier; /* the SENT whose arrival is awaited */
        bj_event event;   /* PLAIN_SENT */
    } * plain;            /* ORACLE_RECENT / 4, the newest; NULL: there was none */
    unsigned plain_count; /* how many there were */
    struct oracle_struck {
        uint32_t carrier;            /* a SENT */
        uint64_t digest;             /* of what was sent */
    } sent, damaged[ORACLE_DAMAGED]; /* the newest of the servers' records; those that faults struck, the newest */
    unsigned damaged_count;          /* how many there were */
    struct {
        oracle_waiting *items;
        unsigned first, end, room;
        uint32_t arrived, arrival; /* a record that a server has got just now, and the event that says so; 0 */
    } order;
    oracle_connection *connections;                    /* ORACLE_CONNECTIONS; NULL: there was none */
    uint64_t own_count, foreign_count, observed_count; /* of the arrays at the end */
    bj_time own_forgotten;    /* the latest transmission of a message of the client that is kept no more */
    oracle_foreign *matched;  /* the message that the client's latest Acknowledgement or Reset message is for; NULL */
    uint32_t matched_event;   /* in which that stands */
    oracle_foreign *answered; /* likewise of its latest response */
    uint32_t answered_event;
    struct {
        bj_addr peer;
        uint16_t mid;
        uint8_t code;
    } acknowledged[ORACLE_ACKNOWLEDGED]; /* by servers, whatever for */
    uint64_t acknowledged_count;
    unsigned peer_count, name_count, machine_count; /* of the arrays at the end */
    bj_string secrets[BJ_ORACLE_SECRETS];           /* that were told or written */
    unsigned secret_count;
    unsigned account_changes; /* how often `accounts` may have changed */
    struct {
        unsigned changes; /* of the accounts that were seen */
        bj_time next;     /* nothing is due before; 0: nothing at all */
    } standing;
    struct {
        bool incomplete;   /* there may be accounts of which nobody knows all */
        bool certificates; /* an account has a Security Mode other than 0 and 3 */
        bool names;        /* an account has a name of its own for Server Name Indication */
        bool secured;      /* there was DTLS or TLS */
        unsigned uri_count, identity_count;
        uint64_t identities[ORACLE_TOLD]; /* marks of Public Key or Identity */
    } told;                               /* all that the client ever was told; the URIs are at the end */
    struct {
        bj_time finished;    /* the bootstrap after which attempts are counted; 0: none, or the client started since */
        bj_time seen_finish; /* likewise, whatever came since */
        bool excused;        /* a server could not be found or reached: what the client does is its own */
        bool registered;     /* in this life */
        bool stopped;        /* in order, when nothing was under way */
        bool resumes;        /* this life goes on where one before it was stopped */
        bool spoke;          /* in this life */
        bool cut;            /* the power went once */
        unsigned questions;  /* names for which no answer came so far */
    } retries;
    oracle_attempt attempt;
    unsigned deferred_count;
    oracle_managing managed;
    uint8_t *room; /* for reading payloads: ORACLE_ROOM bytes */
    struct oracle_block {
        bj_addr peer;
        uint32_t format;
        bj_path path;
        uint8_t *bytes;
        size_t length, room;
        bool good;
        uint64_t tag; /* of its Request-Tag; 0: it has none */
    } block;

    struct {
        unsigned begun;                   /* of `transfers` */
        bool awaits, strayed, registered; /* the client asked for a block; got another; registered in this life */
        uint64_t awaited;                 /* where that block begins */
        bj_addr from;
    } blocks;

    struct {
        bool tried, registered, refused;
        bool corrupted; /* a message was changed on its way */
        bool resting;   /* it was told, once, not to come back when a registration fails: /1/x/16 */
        bool endless;   /* no run lasts as long as the client may take */
        const char *how;
        size_t how_length;
        uint8_t result; /* bj_recovery */
    } recovery;

    struct {
        bool tagged;        /* a response of the client had an ETag */
        bool others;        /* other Objects than /0 and /1 were written in this session */
        bool lost_a_server; /* the session that was kept has no account of a server that there was before */
        unsigned made_count;
        struct {
            uint16_t object, id;
        } made[16]; /* instances of other Objects that a Write in this session made, or found */
    } commands;
    struct {
        unsigned least, most; /* attempts that failed since the last registration */
        bool rewritten;       /* the bootstrap account is not as the factory gave it, perhaps */
        bool unsettled;       /* since the last attempt there may have been another that was not seen */
        bool broken;          /* the bootstrap account of the factory may be of no use */
        bool purged;          /* its time was over in a life before, for certain */
        unsigned queries;     /* for the Bootstrap-Server's name since the last attempt */
        bj_time query;        /* the first of them */
        bj_time started;      /* this life of the client */
        bj_time due;          /* by then an attempt must have begun that a trigger asked for; BJ_NEVER */
    } growth;

    unsigned finding_count;      /* of findings */
    int8_t finding_of[BJ_RULES]; /* 1 + its place; 0: none */

    /* Larger than all that is above, and not cleared: what lies beyond the counts was never written. Making an oracle
     * would cost more than judging a short session. */
    oracle_own own[ORACLE_OWN];
    oracle_foreign foreign[ORACLE_FOREIGN];
    bj_finding findings[BJ_RULES];
    oracle_accounts accounts, before; /* now; when the session began */
    oracle_peer peers[ORACLE_PEERS];
    oracle_machine machines[ORACLE_MACHINES];
    oracle_seen deferred[ORACLE_DEFERRED]; /* Registers that wait for the answer to Finish, which was sent before */
    struct {
        bj_addr peer;
        uint8_t token_length, token[BJ_COAP_TOKEN];
    } observed[ORACLE_OBSERVED];
    oracle_name names[ORACLE_NAMES];
    struct oracle_transfer {
        bj_addr peer;
        int connection;
        uint64_t key, next; /* what its blocks have in common; where the next one begins */
    } transfers[ORACLE_TRANSFERS];
    char told_uris[ORACLE_TOLD][260];
};

enum { ORACLE_ROOM = 70000 };

/* Kinds of events, of which there are more than bits: some share one. */
#define ORACLE_HEARS(kind) (UINT64_C(1) << (BJ_EV_##kind & 63))

/* One oracle: a set of rules with a state of their own in the struct above. Any function may be NULL. */
typedef struct oracle_def {
    const char *id;
    uint64_t hears; /* event() is called for these kinds at the least; 0: for all. A test compares it with event() */
    void (*init)(bj_oracle *o);
    void (*event)(bj_oracle *o, const bj_event *event);
    void (*seen)(bj_oracle *o, const oracle_seen *s);
    void (*end)(bj_oracle *o);
} oracle_def;

/* --- oracle.c --- */

void oracle_break(bj_oracle *o, bj_rule rule, bj_time time, uint32_t event, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* Gives an event, a message to the oracles. */
void oracle_take(bj_oracle *o, const bj_event *event);
void oracle_dispatch(bj_oracle *o, const oracle_seen *s);
static inline bj_time oracle_min(bj_time a, bj_time b) {
    return a < b ? a : b;
}
static inline bj_time oracle_max(bj_time a, bj_time b) {
    return a > b ? a : b;
}
static inline bj_time oracle_less(bj_time a, bj_time b) {
    return a > b ? a - b : 0;
}
/* How much earlier than a deadline something may be seen. */
bj_time oracle_early(const bj_oracle *o);
bj_time oracle_late(const bj_oracle *o);

/* What must stay: a copy where the events are transient, to be given back by oracle_drop(). */
const uint8_t *oracle_keep(bj_oracle *o, const uint8_t *bytes, size_t length);
void oracle_drop(bj_oracle *o, const uint8_t *bytes);
/* Did everything that was seen reach the client, and was everything seen that it sent? */
bool oracle_certain(const bj_oracle *o);

/* --- order.c --- */

/* Gives the event, or those that waited for what it says, to oracle_take(). */
void oracle_order(bj_oracle *o, const bj_event *event);
void oracle_order_end(bj_oracle *o);

/* --- see.c --- */

void oracle_see(bj_oracle *o, const bj_event *event);
oracle_connection *oracle_connection_of(bj_oracle *o, int64_t number);

/* --- exchange.c --- */

oracle_peer *oracle_peer_of(bj_oracle *o, const bj_addr *address, bool make); /* NULL: not known, or too many */
bool oracle_is_bootstrap(bj_oracle *o, const bj_addr *address);
/* LwM2M Core 1.1 §6.5: does a client in queue mode, by its last exchange with the server, listen no more? */
bool oracle_asleep(const bj_oracle *o, const oracle_peer *p, bj_time now);
/* When does it, at the latest? */
bj_time oracle_falls_asleep(const bj_oracle *o, const oracle_peer *p);
/* RFC 7252 §4.7: was another sent to that server since? */
bool oracle_was_given_up(bj_oracle *o, const oracle_own *own);
/* RFC 7252 §4.8.2: MAX_TRANSMIT_WAIT. */
bj_time oracle_transmit_wait(const bj_oracle *o);
/* The client's message that `s` (of the client) is, after oracle_exchange_seen() took it in; NULL for ACK and RST. */
oracle_own *oracle_own_at(bj_oracle *o, uint64_t age); /* 0: the newest; NULL */
oracle_foreign *oracle_foreign_at(bj_oracle *o, uint64_t age);
/* Does it come where the answer to the last Bootstrap-Request is expected (exchange.c)? */
bool oracle_asked_from_there(bj_oracle *o, const oracle_seen *s);
oracle_own *oracle_own_with_mid(bj_oracle *o, const oracle_seen *s);
oracle_own *oracle_own_with_token(bj_oracle *o, const oracle_seen *s);
oracle_foreign *oracle_foreign_with_mid(bj_oracle *o, const oracle_seen *s);
oracle_foreign *oracle_foreign_with_token(bj_oracle *o, const oracle_seen *s);
/* Whether the response can be a notification: its token is that of an observation of this server. What was stored for
 * it may leave from another address than the one that the observation was made from. */
bool oracle_is_observed(const bj_oracle *o, const oracle_seen *s);
bool oracle_is_notification(const bj_oracle *o, const oracle_seen *s); /* of the client's */
/* The method of a request that came in an Acknowledgement (RFC 7252 §4.3, Table 1) with this response's Message ID, of
 * several the greatest; 0. */
uint8_t oracle_answers_acknowledgement(const bj_oracle *o, const oracle_seen *s);
/* The server's request that this response of the client answers; NULL. */
oracle_foreign *oracle_request_of(bj_oracle *o, const oracle_seen *s);
oracle_purpose oracle_purpose_of(const bj_coap *m);
/* RFC 7959 §2.4: does the request ask for a further block of an answer that came? */
static inline bool oracle_asks_for_more(const bj_coap *m) {
    uint32_t block = 0;
    return bj_coap_find_uint(m, BJ_COAP_BLOCK2, &block) && block >> 4;
}
/* Did something that cannot be read come from that server lately? It has no Message ID to go by: any Reset message may
 * be for it. `crowded`: something with more options than are decoded, or with their numbers too high, to which the
 * client may have an answer of any kind. */
bool oracle_heard_malformed(bj_oracle *o, const oracle_seen *s, bool crowded);
/* Did signalling come from that server over UDP just now? The client may read it behind what it has sent since. */
bool oracle_was_signalled(bj_oracle *o, const bj_addr *peer);
/* RFC 7252 §5.10.2: 5.05 from who is no proxy; RFC 8768 §3: 5.08 to what has come too far. */
static inline bool oracle_does_not_forward(const oracle_foreign *f, uint8_t code) {
    return (f->proxied && code == BJ_COAP_CODE(5, 5)) || (f->hops && code == BJ_COAP_CODE(5, 8));
}
/* "POST /bs" for reasons. */
void oracle_describe(const oracle_own *own, bj_text *out);
void oracle_describe_foreign(const oracle_foreign *f, bj_text *out);

extern const oracle_def oracle_exchange, oracle_message, oracle_stream, oracle_payload, oracle_model, oracle_operations,
    oracle_showing, oracle_consistencies, oracle_attempts, oracle_growing, oracle_registration, oracle_transports,
    oracle_retries, oracle_blocks, oracle_standings, oracle_secrets, oracle_recovering, oracle_states,
    oracle_management, oracle_observing, oracle_visible;

/* --- exchange.c tells these, in this order: a new message, a repetition, an answer --- */

void oracle_own_repeated(bj_oracle *o, oracle_own *own, const oracle_seen *s); /* retransmit.c */
void oracle_attempt_sent(bj_oracle *o, const oracle_own *own, const oracle_seen *s, bool first);
void oracle_attempt_answered(bj_oracle *o, const oracle_own *own, const oracle_seen *s);
void oracle_attempt_commanded(bj_oracle *o, oracle_foreign *f, const oracle_seen *s);
/* The client answered a command with success, or rejected it with RST or 4.02, or took a block of it only,
 * before the rest is told. */
void oracle_attempt_took(bj_oracle *o, oracle_foreign *f, const oracle_seen *s);
void oracle_attempt_rejected(bj_oracle *o, const oracle_foreign *f);
/* It answered a request, of whichever server, with an error for the first time: what was asked for does not follow. */
void oracle_attempt_refused(bj_oracle *o, const oracle_foreign *f);
/* The client answered a bootstrap command for the first time. `m`: its response. */
void oracle_model_answered(bj_oracle *o, const oracle_foreign *f, const oracle_seen *s);
void oracle_attempt_finished(bj_oracle *o, const oracle_foreign *f, const oracle_seen *s);

/* The client answered a request for the first time, or rejected it, before the others are told (commands.c). */
void oracle_commands_answered(bj_oracle *o, const oracle_foreign *f, const oracle_seen *s);
void oracle_commands_reset(bj_oracle *o, const oracle_foreign *f, const oracle_seen *s);

/* Was all seen that passed between the client and that server, and is their session open for both? (commands.c) */
bool oracle_certain_of(const bj_oracle *o, const oracle_foreign *f);

/* --- shown.c --- */

/* A Write or a Delete of other Objects was answered with success; a session begins. */
void oracle_shown_changed(bj_oracle *o, const oracle_foreign *f);
void oracle_shown_session(bj_oracle *o);

/* --- consistency.c --- */

/* Bootstrap-Finish was answered with success. */
void oracle_finish_accepted(bj_oracle *o, const oracle_seen *s);
/* Bootstrap-Finish was refused in a session that is open. */
void oracle_finish_refused(bj_oracle *o, const oracle_foreign *f, const oracle_seen *s);

/* --- observations.c --- */

/* How long one of the client's confirmable messages to that server, or several one behind another, were on their way at
 * any time since then, but for that of the event `except`; 0: none was; BJ_NEVER: one was given up, or still is on its
 * way. What stands behind them (RFC 7252 §4.7, NSTART) leaves later than it was made, by no more. */
bj_time oracle_longest_wait(bj_oracle *o, const bj_addr *peer, bj_time since, uint32_t except);

/* --- holdoff.c --- */

/* A Finish was accepted. */
void oracle_growth_finished(bj_oracle *o);
/* An attempt begins, not the one before that goes on; `need`: when it may have become necessary at the earliest. */
void oracle_growth_begins(bj_oracle *o, const oracle_seen *s, bj_time began, bj_time need);
/* The least hold-off of an attempt that fails now. */
bj_time oracle_growth_least(const bj_oracle *o);
/* A request of a new attempt left, what was known of the one before is judged. */
void oracle_growth_asked(bj_oracle *o);
/* Register was accepted; `alone`: there is no other server. */
void oracle_growth_registered(bj_oracle *o, const oracle_own *own, const oracle_seen *s, bool alone);
/* It may have been accepted: whether the growth goes on only the client knows. */
void oracle_growth_doubted(bj_oracle *o);
/* /1/x/9 was executed. */
void oracle_growth_triggered(bj_oracle *o, const oracle_foreign *f);

/* --- model.c --- */

/* NULL: none is kept. Deleted ones are found, too. */
oracle_instance *oracle_instance_of(oracle_accounts *a, unsigned object, unsigned id);
/* A bootstrap session begins, or ends: with success (kept) or not. */
void oracle_model_session(bj_oracle *o, bool begins, bool kept);
/* Bootstrap-Finish was refused: the client looked at the accounts, and may have put in order what is in none. */
void oracle_model_refused(bj_oracle *o);
/* Nothing is known of the accounts any more. */
void oracle_model_forget(bj_oracle *o);
/* There may be accounts that are not known, or with other values; also when a session that is open is undone. */
void oracle_model_doubt(bj_oracle *o);
/* The client asks for a bootstrap: it has an account for it. */
void oracle_model_asked(bj_oracle *o);
/* The client, of which nothing but the factory has written the accounts, lists that one instance of /1. */
void oracle_model_listed(bj_oracle *o, unsigned id);
/* The value of an entry as an integer; false: it is none. */
bool oracle_number_of(const bj_entry *e, int64_t *number);
/* What an entry of /1 says of its Resource, to be compared with what another says, in whatever format: an integer, or a
 * mark of the letters of a string, 1 or more; false: it cannot be compared. */
bool oracle_setting_of(const bj_entry *e, int64_t *setting);
/* The bootstrap account; NULL: none, or nobody knows which. */
oracle_instance *oracle_bootstrap_account(oracle_accounts *a);

/* The account of the server at that address: true when it is the only one that can be, and all is known of it. `count`:
 * of those that can be; NULL is allowed. */
bool oracle_account_at(bj_oracle *o, const bj_addr *address, const oracle_instance **security,
                       const oracle_instance **server, unsigned *count);

/* May both addresses be of one server: of one instance of /0, or of two with one Short Server ID? */
bool oracle_may_share_account(const bj_oracle *o, const bj_addr *one, const bj_addr *other);

/* --- paths.c --- */

/* The target of the next link of a payload in link format (RFC 6690); false: there is none, and `*length` is 0 where
 * all was read. `*text` may be NULL. */
bool oracle_next_target(const char **text, size_t *length, bj_path *path);

/* --- registration.c --- */

/* Under DTLS and TLS, and on a real network, a message of the client is seen when it arrives: the answer to Finish may
 * be on its way still. */
bool oracle_finish_pending(bj_oracle *o);

/* Is that address the one that the URI names? -1: not known. */
int oracle_uri_leads_to(const bj_oracle *o, const char *uri, const bj_addr *address);
/* May that address be one of a server that manages the client, whoever it is besides? */
bool oracle_is_server_too(const bj_oracle *o, const bj_addr *address);

/* Is that the host of the URI, whatever the port? */
bool oracle_uri_is_host(const bj_oracle *o, const char *uri, const bj_addr *address);
/* Its host, if that is a name and no address. */
bool oracle_uri_name(const char *uri, const char **host, size_t *length);

/* --- transport.c --- */

/* What the event says begins with that. */
static inline bool oracle_begins(const bj_event *event, const char *text) {
    size_t length = strlen(text);
    return event->text && event->text_length >= length && !memcmp(event->text, text, length);
}

/* What an account has, or once had: its URI; its Public Key or Identity. */
void oracle_told_uri(bj_oracle *o, const char *uri);
void oracle_told_identity(bj_oracle *o, const uint8_t *bytes, size_t length);
/* FNV-1a. */
static inline uint64_t oracle_mark(const uint8_t *bytes, size_t length) {
    uint64_t mark = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < length; i++) {
        mark = (mark ^ bytes[i]) * UINT64_C(1099511628211);
    }
    return mark;
}

/* --- standing.c --- */

/* Is the message's path a Location-Path that this server gave? */
bool oracle_is_location(const oracle_peer *p, const bj_coap *m);

/* --- secrets.c --- */

void oracle_secret_written(bj_oracle *o, const uint8_t *bytes, size_t length);
void oracle_secret_text(bj_oracle *o, const char *text, size_t length, uint32_t event);

/* --- attempt.c --- */

/* The answer to the session's Finish was lost, and will not be sent again, for the client begins anew: whether the
 * session ended with success, and what it wrote counts, only the client knows. */
void oracle_attempt_left_open(bj_oracle *o);
bool oracle_in_session(const bj_oracle *o, const bj_addr *peer);
/* RFC 7252 §4.2: is it acknowledged in the moment in which another repetition would follow, or none does any more? */
bool oracle_comes_as_it_is_given_up(const oracle_own *own, const oracle_seen *s);

#endif
