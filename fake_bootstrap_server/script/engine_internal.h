/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the engine share, and nobody else includes.
 *
 *   engine.c         life, what the world reports, the verdict
 *   engine_thread.c  cursors through the script: frames, `repeat`, `when`, `either`
 *   engine_step.c    waiting steps: is it satisfied, is it too late
 *   engine_act.c     active steps: carried out once for all cursors that stand at the same action
 *   engine_match.c   comparing requests, answers and payloads with what a step says
 *   engine_values.c  LwM2M values in payloads of every format
 *   engine_message.c the servers' message layer: duplicates, acknowledgements, retransmission
 *   engine_send.c    building messages
 *   engine_due.c     protocol deadlines
 *   engine_follow.c  reading the event log: when the client sent, when something reached it
 *   engine_stream.c  CoAP over TCP
 *   engine_secure.c  servers behind DTLS and TLS
 *   engine_life.c    the client's own life: power cuts, starts, its disk
 *   engine_contact.c the client's handshakes and connections
 *   engine_server.c  servers, names, links; what a scenario needs of a world
 *   engine_manage.c  operations of LwM2M Servers: what they send
 *   engine_observe.c observations and their notifications
 *   engine_feed.c    steps that come while the script runs
 *   engine_heal.c    after the script: everything behaves, and the client must recover
 *   engine_held.c    the keys that it holds then
 *   engine_bound.c   how long it may take
 *   engine_text.c    captured values and URIs in texts
 *
 * Everything lies in one arena that another process may take over: no function pointers and no pointers to
 * literals are kept, only what bj_engine_attach() renews.
 */
#ifndef BJ_SCRIPT_ENGINE_INTERNAL_H
#define BJ_SCRIPT_ENGINE_INTERNAL_H

#include "script/engine.h"
#include "script/print.h"
#include "secure/secure.h"
#include "wire/coap.h"
#include "wire/entries.h"
#include "wire/hello.h"

enum {
    BJ__SERVERS = 16,      /* of a scenario */
    BJ__SERVERS_MOST = 32, /* with those that appear when the world is healed */
    BJ__ADDRESSES = 8,
    BJ__THREADS = 24,
    BJ__DEPTH = 24,
    BJ__CHOICES = 12,
    BJ__CAPTURES = 16,
    BJ__LOCATIONS = 16,
    BJ__BUCKETS = 256,
    BJ__RECENT = 256, /* a power of two */
    BJ__COPIES = 16,
    BJ__BLOCKS = 8,
    BJ__CONTACTS = 32,
    BJ__REASON = 700,
    BJ__MESSAGE = 66000, /* any datagram, with room for its options */
};

enum { BJ__PING = BJ_COAP_CODE(7, 2), BJ__PONG = BJ_COAP_CODE(7, 3) }; /* RFC 8323 §5.4 */

#define BJ__ROUNDING (BJ_MS - 1) /* a clock of whole milliseconds is off by less than that */

/* --- peers and servers ---------------------------------------------------------------------------------------- */

typedef struct bj__target {
    bool known;
    int endpoint;
    int connection; /* -1: datagrams */
    bj_addr peer;
    bool let_go; /* by the client, which ended its session or connection */
    bj_time let_go_at;
} bj__target;

/* The client's last confirmable message to a server, as the log shows it leave (also when it never arrived). */
typedef struct bj__outgoing {
    bool used;
    bool arrived; /* at the engine */
    bool lawful;  /* an Update or De-register that nobody needs to await */
    bool taken;   /* by a `departure` */
    uint32_t event;
    bool stream;
    bj_addr from;
    uint16_t mid;
    uint8_t code;
    uint32_t digest;
    bj_time sent[BJ__COPIES];
    unsigned count;
    bj_time acknowledged; /* an empty ACK reached the client; BJ_NEVER */
} bj__outgoing;

/* A request that comes in blocks. */
typedef struct bj__upload {
    uint8_t code; /* 0: none comes in */
    char path[256];
    bj__target from;
    bj_time sent; /* its first block */
    uint8_t *bytes;
    size_t length, room;
} bj__upload;

typedef struct bj__server {
    uint8_t index;
    uint8_t transport; /* bj_transport */
    uint8_t state;     /* open, closed, silent */
    bool deduplicates;
    char *name;
    char *host;
    uint16_t port;
    bj_addr addresses[BJ__ADDRESSES];
    int endpoints[BJ__ADDRESSES];
    size_t address_count;
    bool addresses_given;
    bj_link link;
    bj__target peer; /* where the client's last request came from */
    uint16_t next_mid;
    uint64_t last_sent;        /* the last message of its own: for `ack`, `reset` */
    uint64_t last_confirmable; /* the last confirmable request: for `again` */
    char *locations[BJ__LOCATIONS];
    unsigned location_count;
    uint8_t *body; /* that it answered in blocks last; NULL = none */
    size_t body_length;
    uint32_t body_format;                    /* Content-Format, 65536 = none */
    uint8_t body_code, body_szx, body_units; /* as those of an outbound message */
    char body_path[64];                      /* of the request */
    bj__upload upload;
    bj__outgoing outgoing;
    uint64_t lifetime_s;     /* that the client named last */
    bj_time registered_at;   /* or updated; when the answer reached the client. BJ_NEVER: not registered */
    bj_time perhaps_at;      /* a 2.01 left that the client may have taken for the answer to its Register; BJ_NEVER */
    bj_time exchanged_at;    /* the last exchange was over for the client; BJ_NEVER: there was none */
    const bj_record *record; /* NULL: nothing was given */
    struct bj__guard *guard; /* DTLS, TLS; NULL */
} bj__server;

typedef struct bj__connection {
    struct bj__connection *next;
    int number;
    uint8_t server;
    int endpoint;
    bj_addr peer;
    uint8_t *buffer;
    size_t used, room;
    bool settings_seen; /* the peer's CSM came */
    uint32_t largest;   /* message that it takes, bytes */
} bj__connection;

typedef struct bj__range {
    bj_time early, late;
} bj__range;

/* --- what was said -------------------------------------------------------------------------------------------- */

/* One message of ours on its way: when did the client get it first? */
typedef struct bj__delivery {
    bj_time sent;    /* the first copy */
    bj_time arrived; /* the first arrival; an estimate until `seen` */
    bool seen;
    unsigned copies, lost;
} bj__delivery;

typedef enum bj__purpose {
    BJ__OTHER = 0,
    BJ__BOOTSTRAP = 1,
    BJ__PACK = 2,
    BJ__REGISTER = 3,
    BJ__UPDATE = 4,
    BJ__DEREGISTER = 5
} bj__purpose;

/* A request of the client, kept for EXCHANGE_LIFETIME so that its repetitions are known. */
typedef struct bj__exchange {
    struct bj__exchange *newer;    /* by age */
    struct bj__exchange *neighbor; /* in the same bucket */
    uint64_t id;
    uint8_t *bytes;
    size_t length;
    uint8_t *whole; /* of a request in blocks, with the last of them: as if it had come in one message; NULL */
    size_t whole_length;
    uint32_t block1;
    bool in_block;         /* it has `block1`, which the answer repeats */
    bj_time sent, arrived; /* its first copy left the client; the first that came arrived */
    uint8_t *replay;       /* what a duplicate gets, NULL = nothing */
    size_t replay_length;
    char *location;     /* that was given for it */
    bj__delivery reply; /* when the reply reached the client */
    bj_time leaves;     /* a delayed reply leaves then; 0 = none is waiting */
    const bj_record *delayed;
    bj__range due; /* Bootstrap-Request, when due_known: the window that the hold-off left it */
    bj_time acted; /* when the attempt began: `sent`, or the handshake or the look-up of the name before it */
    bj__target from;
    uint32_t event, delayed_cause;
    unsigned duplicates;
    uint16_t mid;
    uint8_t token[BJ_COAP_TOKEN];
    uint8_t type, code, token_length;
    uint8_t server;
    uint8_t purpose;    /* bj__purpose */
    uint8_t reply_code; /* 0: none that the client accepts */
    bool reply_reset;   /* the reply was RST */
    bool settled;       /* answered, or left without an answer on purpose */
    bool due_known;
    /* A notification: not a request, but a message of the client's that may come twice, too. */
    uint64_t observed; /* the outbound that began the observation; 0 = none */
    bool numbered;     /* it has an Observe option */
    bool stale;        /* which is not newer than the one before */
} bj__exchange;

typedef enum bj__outcome {
    BJ__OPEN = 0,
    BJ__ANSWERED = 1,
    BJ__REJECTED = 2, /* RST */
    BJ__GIVEN_UP = 3, /* no answer to any retransmission */
    BJ__WRONG_TOKEN = 4,
} bj__outcome;

/* A message that a server sent on its own: an operation, a separate response, a hand-made message. */
typedef struct bj__outbound {
    struct bj__outbound *newer, *older;
    uint64_t id;
    uint64_t replies_to; /* exchange, for responses */
    uint8_t *bytes;
    size_t length;
    const bj_record *record; /* a Write, a Delete; NULL */
    bj__delivery delivery;
    bj_time began;     /* first block sent */
    bj_time next_send; /* BJ_NEVER: no more retransmission */
    bj_time timeout;
    bj_time last_seen; /* an ACK or RST for it arrived then */
    uint8_t *answer;
    size_t answer_length;
    bj_time answered;
    uint8_t *whole; /* block-wise: the whole payload */
    size_t whole_length, block_offset;
    bj_time repeated_at;
    bj__target to;
    bj_addr source; /* family 0: the server's own */
    uint32_t cause, last_event, answer_event, repeated_event;
    unsigned retransmissions;
    uint16_t mid, answer_mid;
    uint8_t token[BJ_COAP_TOKEN];
    uint8_t type, code, token_length, answer_type;
    uint8_t server;
    uint8_t outcome;  /* bj__outcome */
    uint8_t repeated; /* the answer to `again`: 0 not yet, 1 the same, 2 another */
    uint8_t repeated_code;
    uint8_t block_szx;
    uint8_t block_units;             /* of 1024 bytes in a block, with block_szx 7 (BERT, RFC 8323 §6) */
    uint16_t block_mids[BJ__BLOCKS]; /* of the blocks before, the last ones */
    unsigned block_count;
    bool blockwise;
    bool is_operation; /* a response to it is awaited */
    bool waits_for_response_step;
    bool is_finish, is_trigger;
    bool is_command;             /* of a bootstrap session */
    bool acknowledged, rejected; /* by an ACK, by RST */
    bool repeating;              /* `again` waits for its answer */
    char difference[160];
    /* Observations. */
    const bj_record *observing; /* the step that asked for it; NULL */
    uint64_t cancels;           /* this request ends the observation of that outbound */
    uint32_t sequence;          /* Observe option that came last, and when */
    bj_time sequence_time;
    bool observes;    /* the client took it up */
    bool over;        /* it was cancelled, or ended with an error */
    bool reject_next; /* the next notification gets RST */
    bool rejecting;
} bj__outbound;

typedef enum bj__seen {
    BJ__SEEN_REQUEST = 1,
    BJ__SEEN_DUPLICATE = 2,
    BJ__SEEN_STRANGE = 3, /* a message that nobody can make sense of */
    BJ__SEEN_NOTIFICATION = 4,
    BJ__SEEN_HANDSHAKE = 5, /* a handshake ended; `number` is that of bj__secure_handshake() */
} bj__seen;

/* What the client did that a step may await; every cursor goes through all of them in order. */
typedef struct bj__observation {
    uint8_t kind; /* bj__seen */
    uint8_t server;
    uint64_t exchange;
    unsigned number; /* duplicate: the how-manieth */
    bj_time sent, arrived;
    uint32_t event;
    char what[80]; /* strange: why */
} bj__observation;

typedef enum bj__ends { /* numbers of the language: BJ_ENUM_OUTCOME */
                        BJ__ENDS_ESTABLISHED = 1,
                        BJ__ENDS_REFUSED = 2,
                        BJ__ENDS_REJECTED = 3,
                        BJ__ENDS_BROKEN = 4,
                        BJ__ENDS_GIVEN_UP = 5,
} bj__ends;

/* A handshake of the client, or a TCP connection. */
typedef struct bj__contact {
    uint64_t id; /* from 1, in the order of their beginnings */
    bool handshake, due_known, identity_known;
    uint8_t server;
    uint8_t ends;   /* bj__ends; 0: not yet */
    int connection; /* -1: datagrams */
    bj_addr from, to;
    bj_time began; /* when its first bytes left the client */
    bj_time acted; /* when the attempt began: with the look-up of the name, or the connection under the handshake */
    bj_time ended;
    bj__range due; /* the window that the hold-off left it */
    uint8_t random[BJ_HELLO_RANDOM];
    uint16_t offers[BJ_HELLO_SUITES], suite;
    size_t offer_count, name_length, identity_length;
    char name[256];
    uint8_t identity[256];
    int alert; /* -1: none */
    uint32_t event, end_event;
} bj__contact;

/* --- cursors -------------------------------------------------------------------------------------------------- */

typedef struct bj__frame {
    const bj_record *const *steps;
    size_t count, index;
    const bj_record *loop; /* the `repeat` record, NULL */
    uint32_t rounds;
    bj_time started;
} bj__frame;

typedef struct bj__choice {
    uint32_t id;
    uint16_t branch;
    uint16_t depth; /* of the frame that holds the `either` */
    const bj_record *record;
} bj__choice;

typedef struct bj__capture {
    bj_string name;
    uint64_t exchange;
} bj__capture;

typedef enum bj__phase { BJ__FETCH = 0, BJ__ACT = 1, BJ__WAIT = 2, BJ__ENDED = 3, BJ__DEAD = 4 } bj__phase;

typedef struct bj__thread {
    uint8_t phase; /* bj__phase */
    bj__frame frames[BJ__DEPTH];
    unsigned depth;
    const bj_record *step;
    uint32_t begin_event;
    uint64_t begin_last; /* the newest outbound when the step began */
    bj_time base;        /* end of the previous step */
    bj_time begun;
    bj_time act_at;
    bj_time timer;     /* wants to be looked at again */
    bj_time wake;      /* the client's wait when the step began */
    bj_time satisfied; /* set when a step is done */
    uint32_t satisfied_event;
    uint64_t cursor;   /* number of the next observation */
    uint64_t contact;  /* the last handshake or connection that it has passed */
    uint64_t exchange; /* the request that was awaited last */
    uint64_t outbound; /* the operation that is awaited */
    uint64_t claimed[BJ__SERVERS_MOST];
    bj_time silent_from, silent_until, silent_grace;
    bj__capture captures[BJ__CAPTURES];
    unsigned capture_count;
    bj__choice choices[BJ__CHOICES];
    unsigned choice_count;
    uint8_t ending; /* bj_verdict of a cursor that ended */
    bool warned;
    bj_position warning_position;
    char warning[200];
    bj_position position; /* of the failure */
    uint32_t failure_cause;
    char reason[BJ__REASON];
} bj__thread;

typedef enum bj__progress { BJ__WAITS = 0, BJ__DONE = 1, BJ__FAILED = 2, BJ__ENDS = 3 } bj__progress;

/* --- deadlines ------------------------------------------------------------------------------------------------ */

typedef enum bj__stage {
    BJ__NEEDED = 0,      /* nothing was tried yet */
    BJ__REQUESTED = 1,   /* a Bootstrap-Request is on its way */
    BJ__SESSION = 2,     /* it was accepted */
    BJ__FINISHED = 3,    /* Bootstrap-Finish was answered with success */
    BJ__REGISTERING = 4, /* a Register is on its way */
    BJ__REGISTERED = 5,
    BJ__FAILURE = 6, /* failed at a known moment */
    BJ__CONTACT = 7, /* an attempt has begun, with a handshake or a connection; nothing was asked yet */
} bj__stage;

typedef struct bj__due_state {
    uint8_t stage;
    unsigned attempts;  /* since the start or the last registration */
    bool request_known; /* `request` is the window of the Bootstrap-Request that was sent last */
    bj__range request;
    bool packed;              /* that attempt began with a Bootstrap-Pack-Request, which was answered */
    bool preferred;           /* its last Bootstrap-Request named a preferred format (`pct`) */
    uint8_t refused;          /* the code with which that was refused; 0: it was not */
    uint32_t factory_touched; /* bits: entries of the profile's `factory` that commands wrote or deleted */
    uint32_t factory_gone;    /* those of sessions whose Finish was accepted */
    bool without;             /* it was repeated at once without the format: bj__due_goes_on_without() */
    bj_time acted;    /* when the client began that attempt: with a look-up of the name, a handshake or the request */
    bj_time active;   /* BJ__CONTACT: when the client last sent something for it */
    bj_addr contact;  /* where that attempt went first, or last */
    int connection;   /* over which; -1: none */
    bj__range failed; /* BJ__FAILURE, BJ__FINISHED, BJ__NEEDED: when the need arose */
    uint8_t server;   /* whose request is on its way */
    uint64_t source;  /* the exchange whose reply brought the stage about */
    uint8_t session_server;
    bj_time session_from, last_command, command_before;
    uint64_t command;   /* the outbound that last_command is of */
    bj_time dns_failed; /* when a look-up failed last; what follows is how things stood before */
    char dns_name[256];
    unsigned dns_attempts;
    uint8_t dns_stage;
    bj__range dns_before;
    bool holdoff_written, holdoff_rewritten; /* a session wrote the account: /0/x/11 once it is finished; now */
    bj_time written_holdoff, holdoff;
} bj__due_state;

typedef struct bj__window {
    bj_time from, to;
    bool due; /* from a protocol deadline: exact */
} bj__window;

typedef struct bj__recent {
    uint32_t sequence;
    uint8_t kind; /* client's SENT: 1; ours: 2 a reply, 3 an outbound */
    bj_time time;
    bj_time first; /* of the first copy of that message */
    uint64_t id;
} bj__recent;

/* After the script: verdicts.md, "healing and recovery". */
enum { BJ__HEAL_STEPS = 4, BJ__HELD = 16 };

/* The credentials of an instance of /0 that a Write left with the client. */
typedef struct bj__held {
    uint16_t instance;
    bool pending;   /* until Finish */
    bool named;     /* its identity was written, too */
    bool bootstrap; /* it was written as a Bootstrap-Server's */
    bool deleted;   /* in the session that is open: until Finish the client has it */
    bj_string identity, key;
} bj__held;

typedef struct bj__heal {
    bool on;
    uint8_t verdict; /* of the script, kept until the end */
    bj_position position;
    uint32_t cause;
    char reason[BJ__REASON];
    bj_time bound;
    bj_time recovered_at;                   /* then it ends well; BJ_NEVER */
    const bj_record *steps[BJ__HEAL_STEPS]; /* of the session that is open */
    unsigned next;
    bj_time begins;
    uint8_t server;
    uint64_t outbound;
    bj__held held[BJ__HELD];
    unsigned held_count;
    bool guessing; /* while Writes are noted that may have been accepted */
} bj__heal;

struct bj_engine {
    bj_arena *arena;
    const bj_record *scenario, *profile;
    bj_world *world;
    const bj_world_ops *ops;
    bj_time now;
    uint32_t cause; /* the event that is being looked at */
    bool started, done;
    uint8_t verdict;
    bool terse;           /* bj_engine_be_terse() */
    uint32_t least_piece; /* bj_engine_set_least_piece() */
    bool lenient;         /* bj_engine_be_lenient() */
    bool broken;          /* lenient: the present step cannot be carried out; it is passed over */
    bool script_done;     /* lenient: nothing is passed over any more */
    uint8_t failure;      /* lenient: what the first step that was passed over would have ended in; 0: there was none */
    bj_position failure_position;
    uint32_t failure_cause;
    char failure_reason[BJ__REASON];

    bj__server servers[BJ__SERVERS_MOST];
    unsigned server_count;
    bj__connection *connections;
    char *bootstrap_host;
    uint16_t bootstrap_port;

    bj__thread *threads; /* BJ__THREADS of them, in order of precedence */
    unsigned thread_count;
    uint32_t next_choice;
    bj_text *fallen; /* what the branches expected that died lately */
    unsigned fallen_count;
    unsigned steps_at_once;

    bj__contact *contacts; /* a ring of BJ__CONTACTS */
    uint64_t contact_count;

    bj__observation *observations; /* a ring */
    size_t observation_room;
    uint64_t first_observation, end_observation;

    bj__exchange *buckets[BJ__BUCKETS];
    bj__exchange *oldest, *newest;
    bj__outbound *oldest_outbound, *newest_outbound;
    uint64_t next_id;

    bj_time ack_timeout;
    uint64_t ack_random_factor; /* in millionths */
    unsigned max_retransmit;
    bj_time exchange_lifetime;
    bj_time tolerance; /* late ends */
    bj_time earliness; /* early ends, where time is real */
    bj__due_state due;

    size_t log_cursor;
    bj__recent recent[BJ__RECENT];
    uint32_t received_event, received_cause;
    bool looking_up; /* a look-up of the client is not answered yet */
    bj_time lookup_began, lookup_ended;
    bj_time last_arrival; /* of all that was sent to the client, by estimate */

    bj_time timer;
    bj__heal heal;
    bool stopping;
    bj_time typed_until; /* something was typed: it may end of that, until then */
    bool gone, exit_taken;
    bool cut;         /* gone with its power */
    bool cut_ordered; /* it will be, at an operation of its disk */
    bool restarts;    /* a step of the script starts it */
    uint32_t steps_begun;
    uint32_t cut_step, cut_outcome; /* the power goes when so many steps have begun; 0: it does not */
    bj_time stale_before;           /* what the client sent earlier is passed over */
    int exit_status, exit_signal;
    uint32_t exit_event;
    bj_time exit_time;

    /* A script that grows: the scenario's own steps and those that were fed. NULL: it does not. */
    const bj_record **fed;
    size_t fed_count, fed_room, fed_own;
    bool fed_over; /* no more are to come */
    bool leave_unhealed;
    bj_engine_feed *feed;
    void *feed_context;

    uint8_t *scratch; /* BJ__MESSAGE bytes: an encoded message */
    uint8_t *payload; /* BJ__MESSAGE bytes: its payload */
};

typedef enum bj_compared { BJ__SAME = 0, BJ__DIFFERENT = 1, BJ__UNKNOWN = 2 } bj_compared;

/* --- engine.c --- */

/* Ends the run, whatever it is. */
void bj__end(bj_engine *e, bj_verdict verdict, bj_position position, uint32_t cause, const char *reason);
/* Lenient: notes that the present step failed. */
void bj__step_broke(bj_engine *e, bj_verdict verdict, bj_position position, uint32_t cause, const char *reason);
/* Ends the run; where the engine is lenient only the present step, which the caller leaves as if the run had ended.
 * `reason` is one line. */
void bj__conclude(bj_engine *e, bj_verdict verdict, bj_position position, uint32_t cause, const char *reason);
void bj__conclude_printf(bj_engine *e, bj_verdict verdict, bj_position position, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
uint32_t bj__log(bj_engine *e, bj_event_kind kind, uint8_t actor, uint32_t cause, const char *text);
uint32_t bj__log_step(bj_engine *e, bj_event_kind kind, bj_position position, uint32_t cause, const char *text);
/* A step of this cursor failed; returns BJ__FAILED. */
bj__progress bj__fail(bj_engine *e, bj__thread *t, const char *format, ...) __attribute__((format(printf, 3, 4)));
void bj__warn(bj__thread *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds that does not wrap: BJ_NEVER stays, below zero is zero. */
bj_time bj__add(bj_time time, int64_t offset);
static inline bj_time bj__min(bj_time a, bj_time b) {
    return a < b ? a : b;
}
static inline bj_time bj__max(bj_time a, bj_time b) {
    return a > b ? a : b;
}

/* --- engine_thread.c --- */

void bj__threads_begin(bj_engine *e);
/* The script is over as it stands: the world is healed, or the run ends. */
void bj__script_over(bj_engine *e);
/* Lets all cursors go on as far as they can; carries out actions; concludes when nothing is left to do. */
void bj__settle(bj_engine *e);
bj_time bj__threads_timer(const bj_engine *e);
/* Does a cursor stand at a `request` step that this exchange satisfies (but for the time)? */
bool bj__awaited(bj_engine *e, const bj__exchange *x);
/* Does it stand at one that awaits this block of a request by itself? */
bool bj__awaits_part(bj_engine *e, const bj__exchange *x);
/* In blocks of how many bytes a cursor wants a request; 0 = as they come. */
uint32_t bj__block_wanted(const bj_engine *e);
/* Does a step await a Bootstrap-Request now? */
bool bj__awaits_bootstrap(const bj_engine *e);
bool bj__in_use(const bj_engine *e, uint64_t exchange, uint64_t outbound);

/* One cursor, at the first of these steps; what was seen until now is over. */
void bj__threads_jump(bj_engine *e, const bj_value *steps);

/* --- engine_feed.c --- */

/* The steps with which the script begins, when it grows; NULL: it does not. */
const bj_record *const *bj__feed_steps(bj_engine *e, size_t *count);
/* Does the frame at which a cursor is through belong to a script that grows, and has it more steps now? */
bool bj__feed_more(bj_engine *e, bj__frame *f);

/* --- engine_step.c --- */

/* Begins the step; BJ__WAITS: look at it with bj__step_poll(); what is active stands at BJ__ACT. */
bj__progress bj__step_begin(bj_engine *e, bj__thread *t);
/* Must the client answer before the next step begins? */
bool bj__awaits_answer(const bj_record *step);
bj__progress bj__step_poll(bj_engine *e, bj__thread *t);
const bj__observation *bj__observation_at(const bj_engine *e, uint64_t number);
bj__progress bj__too_late(bj_engine *e, bj__thread *t, bj_time until);
bj__progress bj__mistimed(bj_engine *e, bj__thread *t, const bj__window *w, bj_time sent, uint32_t event);
/* What a message that no step allows is told as. */
bj__progress bj__unexpected(bj_engine *e, bj__thread *t, const bj__observation *o, const char *why);
/* A due time that cannot be computed, or has passed, is an error of the scenario. */
bj__progress bj__bad_due(bj_engine *e, bj__thread *t, const bj_when *when, const char *why);
/* How long the way there and back may take. */
bj_time bj__round_trip(const bj__server *s);
/* The client began by `until`, with a look-up of a name: until when nothing is too late; 0: it did not. */
bj_time bj__lookup_allows(const bj_engine *e, bj_time until);
/* What the present step of the cursor waits for, for reasons: "POST /rd at mgmt". */
void bj__awaited_text(bj_engine *e, const bj__thread *t, bj_text *out);

/* --- engine_act.c --- */

bool bj__is_active(bj_kind kind);
/* The same action, whatever is expected of it? */
bool bj__same_action(const bj_record *a, const bj_record *b);
/* Carries it out for `t`; false: the run was concluded or the cursor failed. */
bool bj__act(bj_engine *e, bj__thread *t);
bj__server *bj__step_server(bj_engine *e, const bj_record *record, unsigned field, const char *otherwise);

/* --- engine_match.c --- */

/* Does the exchange satisfy the `request` step (but for the time)? `why` gets the first difference. */
bool bj__match_request(bj_engine *e, const bj__thread *t, const bj_record *step, const bj__exchange *x, bj_text *why);
/* "POST /bs?ep=dev-1" of an encoded message. */
void bj__describe(const bj__exchange *x, bj_text *out);
void bj__describe_outbound(const bj__outbound *o, bj_text *out);
/* What a `request` step says. */
void bj__describe_request(bj_engine *e, const bj_record *step, bj_text *out);
bool bj__decode(bj_coap *message, const uint8_t *bytes, size_t length, bool stream);
bool bj__same_peer(const bj__target *a, const bj__target *b);
bool bj__text_equal(bj_engine *e, const bj__thread *t, const bj_value *wanted, const bj_coap *m, bj_text *why);
/* The answer to an operation against its step: BJ__DONE, BJ__FAILED or BJ__ENDS. */
bj__progress bj__match_answer(bj_engine *e, bj__thread *t, const bj_record *step, const bj__outbound *o,
                              const bj_codes *expect, const bj_codes *tolerate);

/* --- engine_manage.c --- */

/* Does a server send a request with that step, and await its answer? */
bool bj__is_operation(bj_kind kind);
/* Is the field an expectation of such a step, and no part of what is sent? */
bool bj__operation_expects(uint8_t kind, unsigned field);
uint8_t bj__method_of(const bj_record *step);
/* Does the step name several paths in its payload? */
bool bj__names_paths(const bj_record *step);
/* The paths as a payload in that format; returns the length, 0 = it has no such form. */
size_t bj__write_paths(const bj_value *paths, uint32_t format, uint8_t *out, size_t room);
/* What a successful answer to a Read, an Observe or their composite forms must hold. */
bj_compared bj__content_matches(bj_engine *e, const bj__thread *t, const bj_record *step, const bj_coap *m,
                                bj_text *why);

/* --- engine_observe.c --- */

bool bj__is_observing(const bj_record *step);
/* The answer to a request that began or ended an observation came. */
void bj__observation_answered(bj_engine *e, bj__outbound *o, const bj_coap *m);
/* The observation that a message with the token of `o` is a notification of; NULL: it is no notification. */
bj__outbound *bj__observation_of(bj_engine *e, bj__outbound *o, const bj__target *from, const bj_coap *m);
/* A notification came, not for the first time is not told here. */
void bj__observation_note(bj_engine *e, bj__outbound *o, bj__exchange *x, const bj_coap *m);
bj__progress bj__poll_notification(bj_engine *e, bj__thread *t);
void bj__describe_notification(const bj_record *step, bj_text *out);
bool bj__cancel(bj_engine *e, bj__thread *t);

/* --- engine_values.c --- */

/* The path in a step's field, captured values put in; depth 0 when it has none, or no path of LwM2M. */
bj_path bj__path_of(bj_engine *e, const bj__thread *t, const bj_record *step, unsigned field);
/* `values:` in that format, for an operation on `path`; returns the length. */
size_t bj__write_values(bj_engine *e, const bj__thread *t, const bj_value *values, uint32_t format, const bj_path *path,
                        uint8_t *out, size_t room);
/* Does the payload, an answer to an operation on `path`, hold these values? UNKNOWN: its format cannot be read. */
bj_compared bj__values_match(bj_engine *e, const bj__thread *t, const bj_value *values, const bj_path *path,
                             const bj_coap *m, bj_text *why);
/* Is it this one value, as text, whatever its format? What has no format, or one that cannot be read, is compared as it
 * is. */
bj_compared bj__text_match(bj_engine *e, const bj__thread *t, const bj_value *wanted, const bj_path *path,
                           const bj_coap *m, bj_text *why);
/* Does it hold nothing at these paths? */
bj_compared bj__values_lack(bj_engine *e, const bj_value *lacks, const bj_path *path, const bj_coap *m, bj_text *why);

/* --- engine_message.c --- */

/* A message came: `event` is its arrival in the log. `m` is well-formed when fault is 0. */
void bj__message(bj_engine *e, bj__server *s, const bj__target *from, const bj_coap *m, bj_coap_fault fault,
                 const uint8_t *data, size_t length, uint32_t event);
/* Is it the answer to a Ping (RFC 8323 §5.4) that a step sent? */
bool bj__awaits_pong(const bj_engine *e, const bj__target *from, const bj_coap *m);
void bj__messages_tick(bj_engine *e);
bj_time bj__messages_timer(const bj_engine *e);
void bj__messages_expire(bj_engine *e);
void bj__forget_server(bj_engine *e, bj__server *s); /* a restart */
bj__exchange *bj__exchange_of(const bj_engine *e, uint64_t id);
bj__outbound *bj__outbound_of(const bj_engine *e, uint64_t id);
void bj__observe(bj_engine *e, const bj__observation *o);
/* The client sent what nobody can make sense of, and why not. */
void bj__strange(bj_engine *e, const bj__server *s, uint32_t event, const char *what);

/* --- engine_send.c --- */

/* Sends bytes; logs what is needed to follow them. kind 2: reply to exchange id, 3: outbound id. */
bool bj__transmit(bj_engine *e, const bj__server *s, const bj__target *to, const bj_addr *source, const uint8_t *bytes,
                  size_t length, uint32_t cause, uint8_t kind, uint64_t id, bj__delivery *delivery);
/* An empty message (ACK, RST). */
void bj__send_empty(bj_engine *e, const bj__server *s, const bj__target *to, uint8_t type, uint16_t mid,
                    uint32_t cause);
/* The reply of a `respond` step. With `later`, that part of it which leaves after the delay. */
bool bj__send_reply(bj_engine *e, const bj__thread *t, bj__exchange *x, const bj_record *step, uint32_t cause,
                    bool later);
/* A plain reply that the engine gives by itself. */
void bj__send_plain_reply(bj_engine *e, bj__exchange *x, uint8_t code, uint32_t cause);
/* What one number of a Block option counts, and the exponent of the largest block of no more than so many bytes
 * (RFC 7959 §2.2, RFC 8323 §6). */
size_t bj__block_unit(uint8_t szx);
uint8_t bj__block_exponent(uint32_t size);
/* Is it a request for a further block of what the server answered in blocks? Sends that block. */
bool bj__asks_for_block(const bj__server *s, const bj__exchange *x);
void bj__send_block(bj_engine *e, bj__exchange *x, uint32_t cause);
/* An operation, or a hand-made message, to the client; NULL when it could not be sent (the run is concluded then). */
bj__outbound *bj__send_operation(bj_engine *e, const bj__thread *t, bj__server *s, const bj_record *step,
                                 uint32_t cause);
/* GET, or FETCH, with Observe 1 and the token of the observation. */
bj__outbound *bj__send_cancel(bj_engine *e, const bj__outbound *observation, const bj_record *step, uint32_t cause);
bj__outbound *bj__send_message(bj_engine *e, const bj__thread *t, bj__server *s, const bj_record *step, uint32_t cause);
bj__outbound *bj__send_raw(bj_engine *e, bj__server *s, const bj_record *step, uint32_t cause);
/* The next block after 2.31. false: there is none. */
bool bj__send_next_block(bj_engine *e, bj__outbound *o, const bj_coap *answer);
void bj__send_again(bj_engine *e, bj__outbound *o, uint32_t cause);

/* --- engine_due.c --- */

void bj__due_start(bj_engine *e);
/* A server that no client has registered with. */
void bj__due_know(bj__server *s);
void bj__due_client_sent(bj_engine *e, bj__server *s, const bj_coap *m, bj_time sent);
/* Would a command that this server sends now reach an open bootstrap session of its own? */
bool bj__due_is_command(bj_engine *e, const bj__server *s);
void bj__due_replied(bj_engine *e, const bj__exchange *x);
void bj__due_reply_lost(bj_engine *e, const bj__exchange *x);
void bj__due_commanded(bj_engine *e, const bj__outbound *o);
void bj__due_command_lost(bj_engine *e, const bj__outbound *o);
/* A Write was accepted that holds the bootstrap account: its Client Hold Off Time counts once the session has finished.
 */
/* A Bootstrap-Request whose preferred format was refused with 4.xx, made again at once without one: no text says what
 * such a code is about, so it may be the format, and the attempt goes on. */
bool bj__due_goes_on_without(const bj_engine *e, const bj__exchange *x);
/* What a client may read as an integer out of a value, also one of another type that is as long in TLV; 0: none. */
int64_t bj__node_number(const bj_node *node);
void bj__due_account_written(bj_engine *e, const bj_record *step);
void bj__due_answered(bj_engine *e, const bj__outbound *o, uint8_t code);
/* engine_factory.c: a command was executed; the links of a Discover or a registration without the factory's instances
 * that no command has touched. */
void bj__factory_commanded(bj_engine *e, const bj__outbound *o);
/* A Finish was accepted, or another attempt begins: what a transactional client was told in between it has undone. */
void bj__factory_session(bj_engine *e, bool finished);
void bj__factory_hide(const bj_engine *e, const char *links, size_t length, bj_text *out);
void bj__due_name_failed(bj_engine *e, const char *name);
void bj__due_name_resolved(bj_engine *e, const char *name);
void bj__due_port_closed(bj_engine *e, const bj_addr *to);
/* A handshake with that server failed, as the client learns at `when`: nothing of that attempt was CoAP. */
void bj__due_handshake_failed(bj_engine *e, const bj__server *s, bj_time when);
/* A handshake or connection begins: with it an attempt, whose window it gets. */
void bj__due_contact_begins(bj_engine *e, const bj__server *s, bj__contact *c);
/* The client is still at it. */
void bj__due_contact_active(bj_engine *e, const bj__server *s, bj_time when);
/* The session with that server ended: what the client waits for over it will not come. */
void bj__due_session_ends(bj_engine *e, const bj__server *s, bj_time when);
/* The client has lost, or closed, a connection. */
void bj__due_connection_ends(bj_engine *e, const bj__server *s, int connection, bj_time when);
/* The range in which the deadline lies. `number`: of the retransmission (0 = the next). false: `why` says what is
 * missing. */
bool bj__due(bj_engine *e, bj_due due, const bj__server *s, unsigned number, bj_time wake, bj__range *range,
             bj_text *why);
/* The window of a bj_when for a step that counts from `base`; plain durations leave room for a round trip. */
bool bj__due_window(bj_engine *e, const bj__thread *t, const bj_when *when, const bj__server *s, unsigned number,
                    bj__window *window, bj_text *why);
/* One moment: the early end. */
bool bj__due_moment(bj_engine *e, const bj__thread *t, const bj_when *when, const bj__server *s, bj_time *moment,
                    bj_text *why);
/* The client's wait before attempt k (verdicts.md, "Hold-off"); late is BJ_NEVER when it is open. */
bj__range bj__holdoff(const bj_engine *e, unsigned attempts);
bj_time bj__holdoff_least(const bj_engine *e);
bj__purpose bj__purpose_of(const bj_engine *e, const bj__server *s, const bj_coap *m);

/* --- engine_follow.c --- */

void bj__follow(bj_engine *e);
/* A datagram of the client came with that event: when did the client send it, when the first copy of it? */
/* When the client sent what the engine is being told, where the log does not show it leave. */
bj_time bj__sent_unseen(const bj_engine *e, const bj__server *s);
bool bj__sent_time(const bj_engine *e, uint32_t event, bj_time *sent, bj_time *first);
void bj__outgoing_note(bj_engine *e, bj__server *s, const bj_addr *from, const bj_coap *m, const uint8_t *data,
                       size_t length, bj_time sent, bool stream);
void bj__watch(bj_engine *e, uint32_t sequence, uint8_t kind, uint64_t id);

/* --- engine_server.c --- */

void bj__servers_new(bj_engine *e);
bool bj__servers_start(bj_engine *e); /* false: the run was concluded */
bool bj__needs_met(bj_engine *e, const bj_record *record, bj_text *why);
/* One more server, which is there at once; false: it cannot be. */
bool bj__server_appear(bj_engine *e, const char *name, const bj_record *record);
/* Every name that the scenario has leads to its addresses, at once; to `otherwise` where it never did. */
void bj__heal_names(bj_engine *e, void (*otherwise)(bj_engine *e, const char *name));
bj__server *bj__server_named(bj_engine *e, const char *name);
bj__server *bj__server_at_endpoint(bj_engine *e, int endpoint);
bj__server *bj__server_at(bj_engine *e, const bj_addr *address);
bj__server *bj__server_of_host(const bj_engine *e, const char *host, size_t length);
bool bj__port(bj_engine *e, bj__server *s, unsigned state);
void bj__read_link(const bj_record *record, bj_link *link);
void bj__set_names(bj_engine *e, const char *name, const bj_record *const *answers, size_t count);
bool bj__fact(const bj_engine *e, unsigned fact);

/* --- engine_life.c --- */

/* The power went at an operation of the disk: as the script said, or else `power-cuts` holds. */
void bj__life_cut(bj_engine *e, uint32_t event);
/* The same, at the step where bj_engine_cut_at_step() wants it. */
void bj__life_cut_at_step(bj_engine *e);
/* The steps power-cut, start, disk; false: the run was concluded. */
bool bj__life_power_cut(bj_engine *e, bj__thread *t);
/* The client starts again: 0 or a negative errno. */
int bj__life_begin_again(bj_engine *e);
/* Has it ended because it was told to? What it sent last may still be on its way. */
static inline bool bj__life_told_to_end(const bj_engine *e) {
    return e->stopping || (e->gone && e->exit_time < e->typed_until);
}
/* Types a command of the profile, or a line. */
bool bj__life_input(bj_engine *e, bj__thread *t);
/* A line (NULL: none), and then its end when so asked; false: the run has its verdict. */
bool bj__life_type(bj_engine *e, const bj__thread *t, const bj_string *line, bool end);
bool bj__life_start(bj_engine *e, bj__thread *t);
bool bj__life_disk(bj_engine *e, const bj__thread *t);
bj__progress bj__life_poll_power_cut(bj_engine *e, bj__thread *t);
bj__progress bj__life_file(bj_engine *e, bj__thread *t);
bool bj__life_restarts(const bj_engine *e);
/* Puts the state file there that the scenario gives. */
void bj__life_furnish(bj_engine *e);

/* --- engine_stream.c --- */

void bj__stream_opened(bj_engine *e, int endpoint, int connection, const bj_addr *from, uint32_t event);
void bj__stream_data(bj_engine *e, int connection, const uint8_t *data, size_t length, uint32_t event);
void bj__stream_closed(bj_engine *e, int connection);
/* The client ended its session or connection (-1: over datagrams) with the server: a command has nowhere to go. */
void bj__let_go(const bj_engine *e, bj__server *s, int connection, const bj_addr *peer);
void bj__stream_close_all(bj_engine *e, const bj__server *s, bool reset);
bj__connection *bj__connection_of(const bj_engine *e, int number);
/* Bytes for a connection, through TLS when the server has it; the event of the last that left, or a negative errno. */
int64_t bj__stream_put(bj_engine *e, const bj__connection *c, const uint8_t *data, size_t length, uint32_t cause);
/* It can carry messages now: the server says its settings first, and may say more. */
void bj__stream_up(bj_engine *e, const bj__connection *c, uint32_t cause);
/* Bytes as they are, in pieces when the scenario wants that. */
int64_t bj__stream_pieces(bj_engine *e, const bj__connection *c, const uint8_t *data, size_t length, uint32_t cause);
/* What the connection carries, without TLS. */
void bj__stream_bytes(bj_engine *e, int connection, const uint8_t *data, size_t length, uint32_t event);
/* The server ends a connection. */
void bj__stream_end(bj_engine *e, int connection);
/* It ends its latest one, without a word; false: there is none. */
bool bj__stream_hang_up(bj_engine *e, const bj__server *s, bool reset);

/* --- engine_secure.c --- */

/* false: its credentials cannot be used, and the run was concluded. */
bool bj__secure_start(bj_engine *e, bj__server *s);
void bj__secure_attach(bj_engine *e);
void bj__secure_datagram(bj_engine *e, bj__server *s, int endpoint, const bj_addr *from, const uint8_t *data,
                         size_t length, uint32_t event);
void bj__secure_opened(bj_engine *e, const bj__connection *c, uint32_t event);
void bj__secure_stream(bj_engine *e, const bj__connection *c, const uint8_t *data, size_t length, uint32_t event);
/* Plaintext for a peer; the event of the last record that left, or a negative errno. */
int64_t bj__secure_put(bj_engine *e, bj__server *s, const bj__target *to, const uint8_t *data, size_t length,
                       uint32_t cause);
/* The server ends a session: with a close_notify alert, or (it restarts, the connection is gone) without a word. */
void bj__secure_end(bj_engine *e, const bj__connection *c, bool notify);
void bj__secure_forget(bj__server *s);
/* The server takes the keys that the client holds, whatever its own were. */
void bj__secure_heal(bj_engine *e, bj__server *s);
/* Is a pre-shared key known that the client may hold? Once the world is healed. */
bool bj__secure_has_keys(const bj_engine *e);
/* An alert, or a close_notify that ends the session, for the client whose handshake was the latest. false: there was
 * none, or its connection is gone. */
bool bj__secure_alert(bj_engine *e, const bj__server *s, uint8_t level, uint8_t number, uint32_t cause);
bool bj__secure_notify(bj_engine *e, const bj__server *s, uint32_t cause);
/* Bytes for it that go to the network as they are. */
bool bj__secure_raw(bj_engine *e, const bj__server *s, const uint8_t *data, size_t length, uint32_t cause);
/* How long a request may be waited for whose handshake with `only` (NULL: any server) began by `until`; 0: no longer.
 */
bj_time bj__secure_allows(const bj_engine *e, const bj__server *only, bj_time until);
void bj__secure_tick(bj_engine *e);
/* From where a record came last for which there is no session, since then; NULL: none came. */
const bj_addr *bj__secure_stray(const bj_engine *e, bj_time since);
bj_time bj__secure_timer(const bj_engine *e);

/* A handshake that is over, of the last few with that server; NULL: it is no longer known. */
typedef struct bj__handshake {
    unsigned number;
    bool well;
    int alert; /* that the client sent; -1: none */
    uint16_t suite;
    char server_name[256]; /* that the client asked for; empty: none */
} bj__handshake;

const bj__handshake *bj__secure_handshake(const bj__server *s, unsigned number);

/* --- engine_handshake.c --- */

/* What a `handshake` step waits for, and whether it came. */
void bj__describe_handshake(const bj_record *step, bj_text *out);
bj__progress bj__poll_handshake(bj_engine *e, bj__thread *t);
/* --- engine_contact.c --- */

/* The client sent a datagram to a server behind DTLS; opened a connection; sent bytes to one behind TLS; its end of a
 * connection is no more. A server took a connection. */
void bj__contact_datagram(bj_engine *e, const bj__server *s, const bj_event *event);
void bj__contact_opens(bj_engine *e, const bj__server *s, const bj_event *event);
void bj__contact_stream(bj_engine *e, const bj__server *s, const bj_event *event);
void bj__contact_closes(bj_engine *e, const bj__server *s, const bj_event *event);
void bj__contact_accepted(bj_engine *e, const bj__server *s, const bj_event *event);
/* What the server learns of the handshake that goes on with that peer. */
void bj__contact_identity(bj_engine *e, const bj__server *s, int connection, const bj_addr *from, const uint8_t *bytes,
                          size_t length);
void bj__contact_established(bj_engine *e, const bj__server *s, int connection, const bj_addr *from, uint16_t suite,
                             uint32_t event);
void bj__contact_alert(bj_engine *e, const bj__server *s, int connection, const bj_addr *from, bool sent, int number,
                       uint32_t event);
/* The latest handshake with that server; NULL. */
const bj__contact *bj__contact_latest(bj_engine *e, const bj__server *s);
/* The first behind `id` for a `handshake` or a `connection` step; NULL. */
const bj__contact *bj__contact_after(bj_engine *e, uint64_t id, bj_kind kind, const bj__server *only);
/* The last behind `id` that had begun by then, or `id`. */
uint64_t bj__contact_until(bj_engine *e, uint64_t id, bj_time moment);
/* Does it fit what the step says of its beginning, and of its end? */
bool bj__contact_matches(const bj__contact *c, const bj_record *step, bj_text *why);
bool bj__contact_end_matches(const bj__contact *c, const bj_record *step, bj_text *why);
bool bj__contact_end_awaited(const bj_record *step);
void bj__describe_contact(const bj_record *step, bj_text *out);
bj__progress bj__poll_contact(bj_engine *e, bj__thread *t);
const char *bj__ends_name(uint32_t ends);

/* --- engine_heal.c --- */

/* The script has ended with this verdict. false: there is nothing to be healed for, the run ends. */
bool bj__heal_begin(bj_engine *e, bj_verdict verdict, bj_position position, uint32_t cause, const char *reason);
/* Lets the servers behave; ends the run when the client is registered or the bound has come. */
void bj__heal_go(bj_engine *e);
void bj__heal_stuck(bj_engine *e, const char *how);
bj_time bj__heal_timer(const bj_engine *e);
void bj__heal_name_failed(bj_engine *e, const char *name);
/* The answer to that request has left again. */
void bj__heal_repeated(bj_engine *e, const bj__exchange *x);
/* The client sends something to an address, or connects there (`data` is NULL): maybe no server takes that. */
void bj__heal_sends_to(bj_engine *e, const bj_addr *to, const uint8_t *data, size_t length);

/* --- engine_held.c --- */

/* The value of that id; NULL where there is none, or no single one. */
const bj_node *bj__node_of(const bj_node *nodes, size_t count, uint16_t id);
/* That the client has from the factory (NULL: none), and the instance of /0 where it is: 0 where no scenario says it
 * (docs/porting.md). */
const bj_record *bj__bootstrap_account(const bj_engine *e);
uint32_t bj__place_of(const bj_record *account);
/* A Write, a Delete of a bootstrap session was accepted; the session has ended, with success (kept) or without. */
void bj__heal_note_write(bj_engine *e, const bj_record *step);
void bj__heal_note_delete(bj_engine *e, const bj_record *step);
/* A pack may have been taken. */
void bj__heal_note_pack(bj_engine *e, const bj_record *step);
void bj__heal_note_session(bj_engine *e, bool kept);
/* Those of the factory, which are there, and those that the client was given; returns how many there are. */
size_t bj__heal_keys(const bj_engine *e, bj_secure_psk *psks, size_t count, size_t most);

/* --- engine_bound.c --- */

/* Every Write and every pack of the scenario is noted: what nobody heard an answer to may have been taken. */
void bj__heal_note_all(bj_engine *e);
/* MAX_TRANSMIT_WAIT (RFC 7252 §4.8.2). */
bj_time bj__transmit_wait(const bj_engine *e);
bj_time bj__heal_bound(const bj_engine *e);

/* --- engine_text.c --- */

/* A text with its captured values and URIs put in; `owned` is to be given back to the arena (or NULL). */
typedef struct bj__expanded {
    const char *bytes;
    size_t length;
    void *owned;
} bj__expanded;

bj__expanded bj__expand(bj_engine *e, const bj__thread *t, bj_string text);
typedef struct bj__uri {
    const char *scheme, *host, *rest;
    size_t scheme_length, host_length, rest_length;
    uint16_t port;
    bool secure, stream;
    bool bracketed;
    bool port_0; /* it says port 0, at which nobody is; `port` is the scheme's */
} bj__uri;
bool bj__uri_parse(const char *text, size_t length, bj__uri *uri);

/* --- engine_upload.c --- */

/* Takes a block of a request. True: others must follow, or it belongs to nothing, and it is answered; false: no block,
 * or the last, with which the request is whole. */
bool bj__upload_block(bj_engine *e, bj__server *s, bj__exchange *x);
void bj__upload_forget(bj_engine *e, bj__server *s);
/* The message, put together if it came in blocks. False: it cannot be decoded. */
bool bj__exchange_read(const bj__exchange *x, bj_coap *m);

#endif
