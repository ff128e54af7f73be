/* SPDX-License-Identifier: Apache-2.0
 *
 * The Registration interface (LwM2M Core 1.1 §6.2): one state machine a server. Retries follow the communication
 * settings of the server's /1 instance (§6.2.1.1); what they cannot mend goes back to the Bootstrap-Server.
 */
#ifndef BJC_REGISTRATION_REGISTRATION_H
#define BJC_REGISTRATION_REGISTRATION_H

#include "model/model.h"
#include "objects/objects.h"
#include "registration/accounts.h"
#include "transport/transport.h"

#define BJC_BINDING_TEXT 16

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
    bjc_account_mark mark; /* the account as it was last looked at */
    bjc_session *session;
    int alert; /* that is not in /1/x/11 yet; -1 = none */
    bjc_timer timer, awake_timer;
    unsigned attempts, sequences; /* that failed, LwM2M Core 1.1 §6.2.1.1 */
    bool failed_once;             /* all of them did, since the accounts were taken up */
    bool ever;                    /* was registered since the accounts were taken up */
    bool disable;                 /* the De-register is that of a Disable */
    bool update_wanted;
    bool postponed;           /* an attempt that fell into a bootstrap session */
    bootjack_version version; /* lower than the configured one after 4.12 */
    bool queue;               /* queue mode, as the server knows it */
    char transport;           /* 'U' or 'T': that of the session */
    char asked_transport;     /* that a Registration Update Trigger asked for; 0 = none */
    uint64_t wish;            /* fingerprint of /1/x/7 and /1/x/22, which end that */
    bjc_time registered_at;
    bjc_time asked_at;               /* when the Register or Update left that the lifetime counts from */
    int64_t lifetime_s;              /* as the server knows it */
    char binding[BJC_BINDING_TEXT];  /* likewise */
    uint64_t links;                  /* likewise: the fingerprint of the list of Objects */
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
/* Takes up the accounts as they are now. A server whose account is the one that it was stays registered, and gets an
 * Update when its /1 instance was changed; all others are forgotten without a word, and registered with anew (LwM2M
 * Core 1.1 §6.1.3.3). Accounts that cannot be used send the client to the Bootstrap-Server; without memory it is tried
 * again a little later. */
void bjc_registrations_start(bjc_registrations *all);
/* De-registers everywhere; `left` is called in any case, from the scheduler or at once. */
void bjc_registrations_stop(bjc_registrations *all);
/* Forgets all of them without a word to anybody. */
void bjc_registrations_drop(bjc_registrations *all);
/* A bootstrap session ended and left the accounts as they were: what waited for it goes on, and what an Update did not
 * say meanwhile is said. */
void bjc_registrations_resume(bjc_registrations *all);
/* The session of a server that the client is registered with now; NULL. */
bjc_session *bjc_registrations_session(const bjc_registrations *all, uint16_t ssid);
bool bjc_registrations_any(const bjc_registrations *all, bjc_registration_state state);
/* /1/x/8, Registration Update Trigger: an Update now, or a registration over another transport when the argument (0)
 * names one. BOOTJACK_ERR_METHOD: not registered there. BOOTJACK_ERR_RANGE: an argument that it does not take. */
bootjack_error bjc_registration_trigger(bjc_registrations *all, uint16_t server_iid, const uint8_t *arguments,
                                        size_t length);
/* /1/x/4: De-register, then stay away for /1/x/5. False: not registered there. */
bool bjc_registration_disable(bjc_registrations *all, uint16_t server_iid);
/* Something of /1 was written: an Update to every server that was told something else. */
void bjc_registrations_settings_changed(bjc_registrations *all);
/* Whether the server still knows the client is asked by an Update. */
void bjc_registrations_doubt(bjc_registrations *all, uint16_t ssid);
/* Object Instances came or went: an Update to every server whose list of them is not the present one. */
void bjc_registrations_instances_changed(bjc_registrations *all);
/* The network changed: sessions begin anew, and with them registrations (LwM2M Transport 1.1 §6.4.3). */
void bjc_registrations_network_changed(bjc_registrations *all);

/* message.c: the messages themselves. */
bootjack_error bjc_registration_send_register(bjc_registration *r, const bjc_uri *uri, bjc_completion_fn *completion);
bootjack_error bjc_registration_send_update(bjc_registration *r, bjc_completion_fn *completion);
bootjack_error bjc_registration_send_leave(bjc_registration *r, bjc_completion_fn *completion);
/* The Objects and instances that are registered (LwM2M Core 1.1 §6.2.1), as this release writes them. */
void bjc_registration_links(const bjc_model *model, bootjack_version version, bjc_buffer *out);
/* Whether the server knows another list; another Lifetime or Binding. */
bool bjc_registration_links_changed(const bjc_registration *r);
bool bjc_registration_settings_changed(const bjc_registration *r);

#endif
