/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the Registration interface: what its files share. Included by the files of registration/ only.
 */
#ifndef BJC_REGISTRATION_INTERNAL_H
#define BJC_REGISTRATION_INTERNAL_H

#include "registration/registration.h"

/* registration.c */
void bjc_registration_move(bjc_registration *r, bjc_registration_state state, const char *cause);
void bjc_registration_arm(bjc_registration *r, bjc_time delay);
void bjc_registration_disconnect(bjc_registration *r);
/* A number, a flag of the server's /1 instance. What a bootstrap session has written so far is not valid yet. */
int64_t bjc_registration_setting(const bjc_registration *r, uint16_t rid, int64_t absent);
/* A number of seconds; what is longer than 2^32 of them has long been longer than a device lives. */
bjc_time bjc_registration_seconds(const bjc_registration *r, uint16_t rid, int64_t absent);
bool bjc_registration_flag(const bjc_registration *r, uint16_t rid, bool absent);
/* Lets the servers begin whose turn it is. */
void bjc_registrations_start_next(bjc_registrations *all);

/* retry.c: what follows an attempt that failed (LwM2M Core 1.1 §6.2.1.1). */
/* The server could not be asked, or did not answer: another attempt after /1/x/18, a sequence after /1/x/19. */
void bjc_registration_attempt_failed(bjc_registration *r, const char *cause);
/* What no retry can mend: an account that cannot be used, a name that does not resolve, a server that says no. */
void bjc_registration_hopeless(bjc_registration *r, const char *cause);
/* How long to wait after a session that ended soon after its registration: as after a failed attempt. */
bjc_time bjc_registration_retry_timer(const bjc_registration *r);

/* awake.c: queue mode (§6.5). */
/* Whether the client uses it with this server: the binding of release 1.0, the flag of later ones. */
bool bjc_registration_queue_mode(const bjc_registration *r);
void bjc_registration_awake_init(bjc_registration *r);
/* Something was exchanged: awake from now on for MAX_TRANSMIT_WAIT. */
void bjc_registration_stay_awake(bjc_registration *r);
void bjc_registration_awake_cancel(bjc_registration *r);

/* message.c: what the messages say, as the server knows it afterwards. */
/* `b=` of a Register, without the letter Q where that is a flag of its own; empty = UDP, which need not be said. */
void bjc_registration_binding(const bjc_registration *r, char text[BJC_BINDING_TEXT]);

#endif
