/* SPDX-License-Identifier: Apache-2.0
 *
 * The Information Reporting interface (LwM2M Core 1.1 §6.4): observations, and when they are notified of.
 *
 * A change is told with bjc_reporting_changed(); that marks the observations it concerns, and each of them waits, by
 * one timer, for what comes first of: the end of epmin (then the value is looked at), of epmax (likewise), of pmin
 * (then it is told, if the look said so), of pmax (then it is told in any case). What cannot be sent now is kept when
 * the server's /1/x/6 says so.
 */
#ifndef BJC_REPORTING_REPORTING_H
#define BJC_REPORTING_REPORTING_H

#include "bootjack/limits.h"
#include "model/model.h"
#include "reporting/attributes.h"
#include "transport/transport.h"

#define BJC_OBSERVATIONS_MAX BOOTJACK_MAX_OBSERVATIONS /* of one server */
#define BJC_STORED_MAX       BOOTJACK_MAX_STORED /* notifications kept for one server; beyond that the oldest goes */
#define BJC_UNSETTLED_MAX    8                   /* Confirmable notifications on their way to one server */

typedef struct bjc_observation {
    struct bjc_observation *next;
    struct bjc_reporting *all;
    uint32_t id;
    uint16_t ssid;
    uint8_t token[BJC_TOKEN_MAX];
    size_t token_length;
    bool composite;
    bool over;          /* the registration has ended; what is stored is still to be sent */
    int format;         /* Content-Format of its notifications */
    bjc_attributes own; /* given with the Observe itself (LwM2M Core 1.2 §6.4.1) */
    uint32_t sequence;  /* of the last notification */
    uint64_t digest;    /* of the payload that was reported last */
    double number;      /* the value that was reported last, where there is one number */
    bjc_time reported_at, looked_at, confirmed_at;
    bool changed;         /* to be looked at */
    bool due;             /* to be told */
    bootjack_error ended; /* what the last that is due says: what was observed is gone */
    bjc_timer timer;
    size_t path_count;
    bjc_path paths[];
} bjc_observation;

typedef struct bjc_stored {
    struct bjc_stored *next;
    uint16_t ssid;
    bjc_notification notification;
    uint8_t payload[];
} bjc_stored;

typedef struct bjc_reporting {
    bjc_core *core;
    bjc_model *model;
    const bjc_store *server;
    bjc_attributes_table attributes;
    bjc_observation *list;
    bjc_stored *stored; /* in the order in which they are to leave */
    uint32_t next_id;
    struct bjc_sending *sendings; /* Sends that have ended, of which the application is to be told */
    bjc_timer again;              /* what is stored could not be sent: no memory */
    /* To the owner. */
    bjc_session *(*session)(void *context, uint16_t ssid); /* NULL: not registered there now */
    bool (*may_read)(void *context, uint16_t ssid, uint16_t oid, uint16_t iid);
    void (*undelivered)(void *context, uint16_t ssid); /* the server does not acknowledge */
    void *context;
} bjc_reporting;

/* What an Observe or an Observe-Composite asks for; all of it is borrowed. */
typedef struct bjc_observe {
    uint16_t ssid;
    const uint8_t *token;
    size_t token_length;
    const bjc_path *paths;
    size_t path_count;
    bool composite;
    int format;
    bjc_attributes own;
} bjc_observe;

void bjc_reporting_init(bjc_reporting *reporting);
void bjc_reporting_free(bjc_reporting *reporting);

/* Begins an observation, or begins that of the same token anew. `first` is the payload of the answer, `*sequence` its
 * Observe option. BOOTJACK_ERR_LIMIT, BOOTJACK_ERR_MEMORY: there is none; the answer is a plain one (RFC 7641 §4.1). */
bootjack_error bjc_reporting_observe(bjc_reporting *reporting, const bjc_observe *observe, const bjc_buffer *first,
                                     uint32_t *sequence);
/* False: there was none with that token. */
bool bjc_reporting_cancel(bjc_reporting *reporting, uint16_t ssid, const uint8_t *token, size_t token_length);
/* Something at `path`, above or below it may have changed. */
void bjc_reporting_changed(bjc_reporting *reporting, const bjc_path *path);
/* Instances came or went otherwise than by a server's Create or Delete: observations look for themselves; attributes of
 * those that are gone are not for others that get their numbers later. */
void bjc_reporting_instances_changed(bjc_reporting *reporting);
/* The server's attributes, or what it may do, changed: its deadlines are computed anew. */
void bjc_reporting_reconsider(bjc_reporting *reporting, uint16_t ssid);
/* What became of a notification to that server; see bjc_notified_fn. */
void bjc_reporting_notified(bjc_reporting *reporting, uint16_t ssid, bjc_outcome outcome,
                            const bjc_notification *notification);

/* The server can be reached: what was stored leaves. `anew`: with a new registration, which has no observations
 * (LwM2M Core 1.1 §6.4.1). */
void bjc_reporting_registered(bjc_reporting *reporting, uint16_t ssid, bool anew);
/* The registration has ended; with /1/x/6 notifications go on being stored until the next. */
void bjc_reporting_unregistered(bjc_reporting *reporting, uint16_t ssid);
/* Its account is gone. */
void bjc_reporting_forget_server(bjc_reporting *reporting, uint16_t ssid);
void bjc_reporting_forget_all(bjc_reporting *reporting);

/* condition.c */

/* The attributes that count for the whole observation, defaults of /1 included (LwM2M Core 1.1 §5.1.2). */
bjc_attributes bjc_observation_attributes(const bjc_observation *o);
/* The number that it is about, when it is a single one. */
bool bjc_observation_number(const bjc_observation *o, double *number);
/* Whether that value must be told, after the one that was reported last. */
bool bjc_condition_met(const bjc_attributes *attributes, const bjc_observation *o, uint64_t digest, double number,
                       bool is_number);
uint64_t bjc_digest(const uint8_t *data, size_t length);

/* send.c */

/* Now, and not with the next step: the client goes. */
void bjc_reporting_tell_sendings(bjc_reporting *reporting);

/* stored.c */

bool bjc_reporting_stores(const bjc_reporting *reporting, uint16_t ssid);
void bjc_reporting_store(bjc_reporting *reporting, uint16_t ssid, const bjc_notification *notification);
/* Sends what can be sent. */
void bjc_reporting_flush(bjc_reporting *reporting, uint16_t ssid);
/* Sends what is stored when there may be memory for it. */
void bjc_reporting_flush_later(bjc_reporting *reporting);
/* Of one observation (`id`), or of all of the server (0). */
void bjc_reporting_discard(bjc_reporting *reporting, uint16_t ssid, uint32_t id);
/* What would end the observation that has that token from now on. */
void bjc_reporting_discard_end(bjc_reporting *reporting, uint16_t ssid, const uint8_t *token, size_t token_length);

#endif
