/* SPDX-License-Identifier: Apache-2.0
 *
 * Oracles: what must hold in every run, whatever its script. Each rule is a small state machine over the events of
 * the log, and nothing else is looked at: the same oracles judge a run of any kind of client, a fuzz target's run while
 * it goes on, and a capture.
 *
 * Where a wrong verdict is possible a rule keeps silent: what cannot be seen (a datagram inside DTLS that was lost, a
 * Write in a format that cannot be read) is not held against the client.
 */
#ifndef BJ_ORACLE_H
#define BJ_ORACLE_H

#include "base/arena.h"
#include "log/eventlog.h"
#include "oracle/rules.h"
#include "script/program.h"

enum { BJ_ORACLE_SECRETS = 64, BJ_ORACLE_ACCOUNTS = 8 };

/* An account that the client has from the factory. */
typedef struct bj_oracle_account {
    const char *uri;
    bool bootstrap;
    int instance;            /* -1: not known */
    int64_t ssid;            /* 0: none */
    int64_t lifetime_s;      /* /1/x/1; -1: not known */
    const char *binding;     /* /1/x/7 */
    bj_time timeout;         /* /0/x/12; 0: none */
    unsigned mode;           /* /0/x/2 */
    const uint8_t *identity; /* /0/x/3 */
    size_t identity_length;
    bool sni;         /* it has a name of its own, /0/x/14 */
    bool contradicts; /* its scheme does not go with its Security Mode, the key is missing, or few clients have it */
    bool odd_binding; /* one that is none */
} bj_oracle_account;

/* What is known of the run beside its events. All it points to must outlive the oracles. */
typedef struct bj_oracle_config {
    bool exact;                 /* virtual time; false: seen from the servers' side, in real time */
    bool captured;              /* seen on the way, by a clock that jitters: `tolerance` counts in both directions */
    bool disordered;            /* some of the capture may stand in another order than it came in */
    bool at_client;             /* captured where the client is: what was seen reached it, and nothing else left it */
    bool transient;             /* what events point to is gone when bj_oracle_event() returns */
    bj_time tolerance;          /* how late the client may be beyond what is exact */
    bj_time ack_timeout;        /* RFC 7252 §4.8 */
    uint64_t ack_random_factor; /* in millionths */
    unsigned max_retransmit;
    bj_time exchange_lifetime;
    bj_time finish_timeout;        /* the least after which a session may be given up */
    bj_time stream_finish_timeout; /* likewise over TCP and TLS */
    bj_time holdoff;               /* /0/x/11 of the bootstrap account */
    bj_time holdoff_latest; /* an attempt later than this after /0/x/11 is a warning; BJ_NEVER: no bound is known */
    bool holdoff_grows;     /* as verdicts.md says: it doubles with each failure, to a cap, with a random factor */
    bj_time holdoff_cap;
    uint64_t holdoff_jitter;   /* in millionths */
    const char *endpoint;      /* NULL: not known */
    bool transactional;        /* a failed session leaves all objects as they were */
    bool first_release;        /* it speaks LwM2M 1.0 */
    bool legacy;               /* bootstrap commands are taken without a session (LwM2M 1.0) */
    uint32_t server_resources; /* of /1, by bits, those that the client has; 0: not known */
    bool linked;               /* its exit status says what attach/linked.h has of it */
    bool tcp;                  /* the client has the transports over TCP */
    bool queue;                /* the client was told to use queue mode with every server */
    bool bare_accounts;        /* those of the factory have nothing but what the scenario says */
    bool request_tag;          /* it tells transfers apart by Request-Tag (RFC 9175 §3) */
    bool overtaking;           /* it takes commands that overtake the answer to its Bootstrap-Request */
    bool notifies_writer;      /* a server is told of its own Writes, too */
    bool persistent;           /* the client has a state file: what it was told survives a restart */
    bool state_given;          /* the client's state file holds what the scenario says */
    bool others;               /* the client has instances of /0 or /1 of its own, beside `accounts` */
    bool known;                /* `accounts` are all that the client has; false: nobody knows what it has */
    bj_oracle_account accounts[BJ_ORACLE_ACCOUNTS];
    unsigned account_count;
    bj_string secrets[BJ_ORACLE_SECRETS]; /* keys that the client was told */
    unsigned secret_count;
    bj_text *visible;   /* gets what the client was seen to do, without times, ids and repetitions; NULL */
    bool abort_on_must; /* a broken MUST ends the process: bj_rule_abort() */
} bj_oracle_config;

/* What a scenario and a profile (NULL: nothing is known) say. `exact`: the run is in virtual time. */
void bj_oracle_configure(bj_oracle_config *config, const bj_record *scenario, const bj_record *profile, bool exact);

/* A rule that was broken, the first time. */
typedef struct bj_finding {
    bj_rule rule;
    bj_time time;
    uint32_t event; /* that broke it, 0: none (something did not come) */
    unsigned count; /* how often it was broken */
    const char *text;
    const char *excuse; /* why the client's profile says that it does so; NULL: bj_oracle_excuse() */
} bj_finding;

typedef struct bj_oracle bj_oracle;

/* Lives in the arena; *config is copied. */
bj_oracle *bj_oracle_new(bj_arena *arena, const bj_oracle_config *config);
/* Events come in the order of the log. What they point to must stay where it is, as it does in a log, unless the
 * configuration says `transient`. */
void bj_oracle_event(bj_oracle *oracle, const bj_event *event);
/* A line that the client wrote, which stands in no event; `after`: the last event by then, about. */
void bj_oracle_output(bj_oracle *oracle, const char *text, uint32_t after);
/* The run is over. */
void bj_oracle_end(bj_oracle *oracle);
/* The findings, in the order in which they were made. */
size_t bj_oracle_findings(bj_oracle *oracle, bj_finding **findings);
/* Sets `excuse`, when it is a known deviation of the client of that profile. */
void bj_oracle_excuse(bj_finding *finding, const bj_record *profile);
/* The whole log, from beginning to end. */
void bj_oracle_judge(bj_oracle *oracle, const bj_log *log);

/* What became of the client once the world was healed. */
typedef enum bj_recovery {
    BJ_RECOVERY_NONE = 0,       /* it was not tried, or nobody knows what the client was told */
    BJ_RECOVERY_REGISTERED = 1, /* */
    BJ_RECOVERY_IDLE = 2,       /* it is configured to do nothing */
    BJ_RECOVERY_BRICKED = 3,    /* lawful commands left it without any account that it could use */
    BJ_RECOVERY_FAILED = 4,     /* the rule RECOVERY is broken */
} bj_recovery;
bj_recovery bj_oracle_recovery(const bj_oracle *oracle);
const char *bj_recovery_name(bj_recovery recovery); /* "registered"; NULL for NONE */

#endif
