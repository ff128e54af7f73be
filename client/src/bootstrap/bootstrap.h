/* SPDX-License-Identifier: Apache-2.0
 *
 * The Bootstrap interface (LwM2M Core 1.1 §6.1): when to ask for a bootstrap, the session with the Bootstrap-Server,
 * and its end. One transaction over the whole data model, kept at a Bootstrap-Finish that is answered with 2.04, rolled
 * back at every failure; after each failure another attempt follows, for ever.
 */
#ifndef BJC_BOOTSTRAP_BOOTSTRAP_H
#define BJC_BOOTSTRAP_BOOTSTRAP_H

#include "model/model.h"
#include "objects/objects.h"
#include "transport/transport.h"

typedef enum bjc_bootstrap_state {
    BJC_BOOTSTRAP_IDLE = 0,
    BJC_BOOTSTRAP_HOLDING_OFF, /* timer: the hold-off */
    BJC_BOOTSTRAP_PACKING,     /* Bootstrap-Pack-Request sent */
    BJC_BOOTSTRAP_REQUESTING,  /* Bootstrap-Request sent, neither response nor command yet */
    BJC_BOOTSTRAP_RECEIVING    /* timer: time-out of the Bootstrap-Finish */
} bjc_bootstrap_state;

typedef struct bjc_bootstrap {
    bjc_core *core;
    bjc_model *model;
    bjc_transport *transport;
    bjc_store *security, *server, *access_control;
    /* A session ended with 2.04; from the scheduler, so that the answer has been sent. */
    void (*finished)(void *context);
    /* A session failed, and everything is as before it. */
    void (*failed)(void *context);
    /* What a session wrote was committed (its Finish is not answered yet), or the account was purged. */
    void (*changed)(void *context);
    void *context;

    bjc_bootstrap_state state;
    bjc_session *session;   /* with the Bootstrap-Server, while one is under way */
    bjc_session *lingering; /* of the last session: only repeats answers to what is sent again (RFC 7252 §4.2) */
    bjc_timer timer, linger_timer, purge_timer, finished_timer;
    unsigned failures;           /* since the last registration that succeeded */
    uint64_t asked;              /* fingerprint of the URI that `session`, or `lingering`, was opened with */
    bool attempted;              /* an attempt was made since then that did not count as a failure yet */
    bool pack_refused;           /* a Bootstrap-Request is to follow, and none was heard yet */
    bool format_refused;         /* the preferred format, with 4.15: not named any more until a session succeeds */
    bool bootstrapped;           /* a session succeeded, in this life of the client or an earlier one */
    bool access_control_missing; /* this session wrote to /2, which the client does not have */
} bjc_bootstrap;

void bjc_bootstrap_init(bjc_bootstrap *bootstrap);
/* After a restart: the account's time counts again, if a bootstrap succeeded before. */
void bjc_bootstrap_resume(bjc_bootstrap *bootstrap);
/* Another network: a session that is under way cannot go on (the server has the old address), and is asked for anew at
 * once. That is no failure. */
void bjc_bootstrap_network_changed(bjc_bootstrap *bootstrap);
/* Ends everything without a word. */
void bjc_bootstrap_stop(bjc_bootstrap *bootstrap);
bool bjc_bootstrap_has_account(const bjc_bootstrap *bootstrap);
/* A Finish was accepted, and the accounts that it leaves are not taken up yet. */
bool bjc_bootstrap_is_settling(const bjc_bootstrap *bootstrap);
/* A bootstrap is needed, whatever the cause: the hold-off begins, unless one is under way. If the last one led to
 * nothing, this counts as its failure. False: there is no Bootstrap-Server account. */
bool bjc_bootstrap_need(bjc_bootstrap *bootstrap, const char *cause);
/* A server registered the client: the next bootstrap begins with the hold-off in its first length. */
void bjc_bootstrap_succeeded(bjc_bootstrap *bootstrap);

/* operations.c: whether that can be an operation of a bootstrap at all, be it lawful or not (TS 1.0 §5.2.3.4: one that
 * nobody asked for begins a session, other requests do not). */
bool bjc_bootstrap_is_operation(const bjc_incoming *request);
/* operations.c: one request of the Bootstrap-Server. `*finish`: it was a Bootstrap-Finish that was accepted. */
void bjc_bootstrap_operate(bjc_bootstrap *bootstrap, const bjc_incoming *request, bjc_reply *reply, bool *finish);
/* Whether the configuration can be used as it is now; a line of log says why not. `all`: whatever can be known now, as
 * `strict` wants it. */
bootjack_error bjc_bootstrap_check(const bjc_bootstrap *bootstrap, bool all);
/* Makes it valid, for good. */
void bjc_bootstrap_commit(bjc_bootstrap *bootstrap);
/* pack.c: fills in a Bootstrap-Pack-Request. */
typedef struct bjc_pack_texts {
    char endpoint[260], account[20];
} bjc_pack_texts;
void bjc_pack_request(const bjc_bootstrap *bootstrap, const bjc_uri *uri, bjc_pack_texts *texts, bjc_request *request);
/* Takes over what the answer holds, as one transaction; when it cannot be used, nothing has changed. */
bootjack_error bjc_pack_apply(bjc_bootstrap *bootstrap, const bjc_completion *answer);
/* discover.c */
uint8_t bjc_bootstrap_discover(const bjc_bootstrap *bootstrap, const bjc_path *target, bjc_buffer *out);

#endif
