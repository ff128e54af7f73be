/* SPDX-License-Identifier: Apache-2.0
 *
 * The Registration interface (LwM2M Core 1.1 §6.2): one state machine a server. Retries follow the communication
 * settings of the server's /1 instance (§6.2.1.1); what they cannot mend goes back to the Bootstrap-Server.
 */
#ifndef BJC_REGISTRATION_REGISTRATION_H
#define BJC_REGISTRATION_REGISTRATION_H

#include "model/model.h"
#include "objects/objects.h"
#include "transport/transport.h"

typedef enum bjc_registration_state {
    BJC_REGISTRATION_QUEUED = 0,  /* waits for servers that come before it in the priority order */
    BJC_REGISTRATION_WAITING,     /* timer: delay before the (next) attempt */
    BJC_REGISTRATION_REGISTERING, /* Register sent */
    BJC_REGISTRATION_REGISTERED,  /* timer: next Update */
    BJC_REGISTRATION_UPDATING,    /* Update sent */
    BJC_REGISTRATION_LEAVING,     /* De-register sent */
    BJC_REGISTRATION_DISABLED,    /* timer: Disable Timeout */
    BJC_REGISTRATION_FAILED,      /* left to the Bootstrap-Server */
    BJC_REGISTRATION_GONE         /* de-registered */
} bjc_registration_state;

struct bjc_registrations;

typedef struct bjc_registration {
    struct bjc_registration *next;
    struct bjc_registrations *all;
    uint16_t ssid;
    uint16_t server_iid; /* in /1 */
    bjc_registration_state state;
    bjc_session *session;
    bjc_timer timer;
    unsigned attempts, sequences; /* that failed, LwM2M Core 1.1 §6.2.1.1 */
    bool ever;                    /* was registered since the accounts were taken up */
    bool disable;                 /* the De-register is that of a Disable */
    bool update_wanted;
    bool postponed;                  /* an attempt that fell into a bootstrap session */
    int64_t lifetime_s;              /* as the server knows it */
    bjc_text location[BJC_SEGMENTS]; /* in `location_bytes` */
    size_t location_count;
    uint8_t *location_bytes;
} bjc_registration;

typedef struct bjc_registrations {
    bjc_core *core;
    bjc_model *model;
    bjc_transport *transport;
    bjc_store *security, *server;
    bjc_registration *list; /* in the order of /1/x/13 */
    bool stopping;
    bjc_timer again; /* the accounts could not be taken up: no memory */
    /* To the owner. */
    void (*registered)(void *context);
    bool (*need_bootstrap)(void *context, const char *cause); /* false: there is none to be had */
    void (*left)(void *context);                              /* all are gone, after bjc_registrations_stop() */
    /* A registration changed its state; `from` is the one before. */
    void (*moved)(void *context, struct bjc_registration *registration, bjc_registration_state from);
    void (*manage)(void *context, uint16_t ssid, const bjc_incoming *request, bjc_reply *reply);
    void *context;
} bjc_registrations;

void bjc_registrations_init(bjc_registrations *all);
/* Takes up the accounts as they are now: forgets all registrations and begins new ones. Accounts that cannot be used
 * send the client to the Bootstrap-Server; without memory it is tried again a little later. */
void bjc_registrations_start(bjc_registrations *all);
/* De-registers everywhere; `left` is called in any case, from the scheduler or at once. */
void bjc_registrations_stop(bjc_registrations *all);
/* Forgets all of them without a word to anybody. */
void bjc_registrations_drop(bjc_registrations *all);
/* A bootstrap session ended and left the accounts as they were: what waited for it goes on. */
void bjc_registrations_resume(bjc_registrations *all);
/* The session of a server that the client is registered with now; NULL. */
bjc_session *bjc_registrations_session(const bjc_registrations *all, uint16_t ssid);
bool bjc_registrations_any(const bjc_registrations *all, bjc_registration_state state);
/* Sends an Update to the server now (/1/x/8, or a changed lifetime). False: not registered there. */
bool bjc_registration_update(bjc_registrations *all, uint16_t server_iid);
/* /1/x/4: De-register, then stay away for /1/x/5. */
bool bjc_registration_disable(bjc_registrations *all, uint16_t server_iid);

/* message.c: the messages themselves. */
bootjack_error bjc_registration_send_register(bjc_registration *r, const bjc_uri *uri, bjc_completion_fn *completion);
bootjack_error bjc_registration_send_update(bjc_registration *r, bjc_completion_fn *completion);
bootjack_error bjc_registration_send_leave(bjc_registration *r, bjc_completion_fn *completion);
/* The Objects and instances that are registered (LwM2M Core 1.1 §6.2.1). */
void bjc_registration_links(const bjc_model *model, bjc_buffer *out);

#endif
