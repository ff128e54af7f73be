/* SPDX-License-Identifier: Apache-2.0
 *
 * The event log: everything that happens in a run, in order, in one schema. World, script engine and
 * client adapters write it; oracles, `-v`, reports, captures and the supervisor read it; nothing else
 * is passed around.
 *
 * The log lies in memory that the caller gives, usually shared between the process in which the world
 * lives and its supervisor, so that nothing is lost when the client dies. It holds offsets, never
 * pointers. Records are only appended. One process writes at a time; a reader may look at any moment and
 * sees a prefix.
 */
#ifndef BJ_LOG_EVENTLOG_H
#define BJ_LOG_EVENTLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/text.h"

enum { BJ_LOG_VERSION = 1 };

/* Kinds of events: number, name in JSON. Numbers are only ever appended.
 * The comment says what the fields number, other, text and raw mean. */
#define BJ_EVENT_KINDS(X)                                                                                              \
    X(1, RUN_BEGIN, "run-begin")         /* number: seed; text: title; raw: the scenario's byte form */                \
    X(2, RUN_END, "run-end")             /* */                                                                         \
    X(3, ACTOR, "actor")                 /* actor: its id; text: its name; from: its first address */                  \
    X(4, CLIENT_START, "client-start")   /* text: how it was started */                                                \
    X(5, CLIENT_EXIT, "client-exit")     /* number: exit status; other: signal or 0 */                                 \
    X(6, CLIENT_SIGNAL, "client-signal") /* number: the signal that the world sends to the client */                   \
    X(7, CLIENT_STATE, "client-state")   /* text: "old -> new: cause", from a client that tells */                     \
    X(8, CLIENT_OUTPUT, "client-output") /* number: 1 or 2, the descriptor; text: one line */                          \
    X(9, SENT, "sent")                   /* a datagram leaves actor: from, to, raw; other: 1: raw is a part of it */   \
    X(10, RECEIVED, "received")          /* a datagram reaches actor; cause: its SENT event */                         \
    X(11, LOST, "lost")                  /* a datagram does not arrive; text: why; cause: SENT */                      \
    X(12, ICMP, "icmp")                  /* actor learns of a closed port; cause: the SENT event */                    \
    X(13, STREAM_OPEN, "stream-open")    /* number: the connection; from: who connects; to: whom */                    \
    X(14, STREAM_SENT, "stream-sent")    /* number: the connection; raw; other: 1: bytes before are not known */       \
    X(15, STREAM_RECEIVED, "stream-received") /* number: the connection; raw */                                        \
    X(16, STREAM_CLOSED, "stream-closed")     /* number: the connection; other: 0 orderly, else errno */               \
    X(17, DNS_QUERY, "dns-query")             /* text: the name */                                                     \
    X(18, DNS_ANSWER, "dns-answer")           /* text: "name = addresses" or "name: NXDOMAIN"; cause */                \
    X(19, STEP_BEGIN, "step-begin")           /* position; text: one line; unseen steps: number: kind, raw: bytes */   \
    X(20, STEP_END, "step-end")               /* position; cause: the event that satisfied it, or 0 */                 \
    X(21, STEP_FAILED, "step-failed")         /* position; text: expected and seen; cause */                           \
    X(22, FAULT, "fault")             /* text: a fault was switched on or off, or struck; number: 1: the disk's */     \
    X(23, NOTE, "note")               /* text: for the reader only */                                                  \
    X(24, VERDICT, "verdict")         /* number: bj_verdict; text: reason; position */                                 \
    X(25, WAIT, "wait")               /* number: until when the client waits (us), -1 for ever */                      \
    X(26, PASSED_OVER, "passed-over") /* cause: a lawful message that is not the subject; text: why */                 \
    X(27, BRANCH, "branch")           /* text: the alternative of `either` that was seen */                            \
    X(28, RULE, "rule")               /* text: "RULE-ID: what broke it"; number: 1 MUST, 2 SHOULD */                   \
    X(29, PLAIN_SENT, "plain-sent")   /* what DTLS or TLS carries: from, to, raw; number: connection or -1 */          \
    X(30, PLAIN_RECEIVED, "plain-received") /* likewise; cause of both: the datagram, the bytes of the stream */       \
    X(31, TLS_STATE, "tls-state")           /* text: a session begins, ends, an alert; number: the alert's or -1 */    \
    X(32, TLS_KEYS, "tls-keys")             /* text: a line of a key log (SSLKEYLOGFILE) */                            \
    X(33, HEALED, "healed")                 /* the script is over, everything behaves; number: until when it counts */ \
    X(34, RECOVERED, "recovered")           /* number: 1 the client is registered, 0 it is not; text: how it ended */  \
    X(75, DISK, "disk")                     /* number: of the operation on the client's disk; text: what it did */     \
    X(76, POWER_CUT, "power-cut")           /* number: of the disk's state; other: of how many; text: what it kept */  \
    X(77, CLIENT_INPUT, "client-input")     /* text: the line that is typed; number: 1 its end follows */

typedef enum bj_event_kind {
    BJ_EV_NONE = 0,
#define BJ_EVENT_ENUM(number, name, json) BJ_EV_##name = (number),
    BJ_EVENT_KINDS(BJ_EVENT_ENUM)
#undef BJ_EVENT_ENUM
} bj_event_kind;

/* Who acts. Servers follow in the order of the scenario; their names are in ACTOR events. */
enum { BJ_ACTOR_WORLD = 0, BJ_ACTOR_CLIENT = 1, BJ_ACTOR_SCRIPT = 2, BJ_ACTOR_SERVER_0 = 3 };

/* verdicts.md. Numbers are part of the schema. A run's verdict is the last VERDICT event. */
#define BJ_VERDICTS(X)                                                                                                 \
    X(1, PASS, "pass")                                                                                                 \
    X(2, FAIL, "fail")                                                                                                 \
    X(3, WARN, "warn")                                                                                                 \
    X(4, INCONCLUSIVE, "inconclusive")                                                                                 \
    X(5, SKIP, "skip")                                                                                                 \
    X(6, XFAIL, "xfail")                                                                                               \
    X(7, ERROR, "error")     /* the run says nothing about the client: bad input, no client, harness */                \
    X(8, BRICKED, "bricked") /* lawful commands left the client without any account: it can never register again */

typedef enum bj_verdict {
    BJ_VERDICT_NONE = 0,
#define BJ_VERDICT_ENUM(number, name, text) BJ_##name = (number),
    BJ_VERDICTS(BJ_VERDICT_ENUM)
#undef BJ_VERDICT_ENUM
} bj_verdict;

const char *bj_event_kind_name(bj_event_kind kind); /* "sent"; NULL for an unknown number */
const char *bj_verdict_name(bj_verdict verdict);    /* "pass"; NULL for an unknown number */

/* A place in a scenario file: line and column from 1; 0 = none. */
typedef struct bj_position {
    uint32_t line;
    uint32_t column;
} bj_position;

typedef struct bj_event {
    uint32_t sequence; /* from 1; set by bj_log_append() */
    uint32_t cause;    /* sequence of the event that led to this one, 0 = none */
    bj_time time;
    uint8_t kind; /* bj_event_kind */
    uint8_t actor;
    bj_position position;
    int64_t number;
    int64_t other;
    bj_addr from;
    bj_addr to;
    const char *text;   /* not ended by NUL when read back: use text_length; NULL = none */
    size_t text_length; /* set by append from strlen() when 0 and text is not NULL */
    const uint8_t *raw;
    size_t raw_length;
} bj_event;

typedef struct bj_log bj_log;

/* Lays an empty log over `memory` (at least 4096 bytes, aligned to 16); the caller keeps owning it. */
bj_log *bj_log_create(void *memory, size_t size);
/* Takes up a log that bj_log_create() laid there, perhaps in another process; NULL when there is none of this version.
 */
bj_log *bj_log_open(void *memory, size_t size);

/* Appends a copy of *event; returns its sequence number. A log that is full counts what it could not
 * take (bj_log_lost()) and returns 0. Never allocates; async-signal-safe. */
uint32_t bj_log_append(bj_log *log, const bj_event *event);
uint32_t bj_log_last(const bj_log *log);
uint64_t bj_log_lost(const bj_log *log);

/* A place in a log, and back to it: what was appended since is gone. */
typedef struct bj_log_mark {
    uint64_t used, lost;
    uint32_t last;
} bj_log_mark;
bj_log_mark bj_log_marked(const bj_log *log);
void bj_log_rewind(bj_log *log, bj_log_mark mark);

/* Reads the event at *cursor (0 = first) and moves on; false at the end. Pointers in *event point
 * into the log. A damaged log ends early; it never reads outside. */
bool bj_log_next(const bj_log *log, size_t *cursor, bj_event *event);

/* The event of that number, in constant time when it is one of the last few thousand; false when there is none. */
bool bj_log_find(const bj_log *log, uint32_t sequence, bj_event *event);

/* One JSON object (no newline): the published schema, docs/event-log.md. Datagrams carry a "coap" member with
 * the decoded form when `decode` is not NULL, which adds a JSON value for the bytes. */
typedef void bj_log_decode_fn(bj_text *out, const bj_event *event);
void bj_event_json(bj_text *out, const bj_event *event, bj_log_decode_fn *decode);

#endif
