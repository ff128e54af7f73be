/* SPDX-License-Identifier: Apache-2.0
 *
 * The ready-made Objects: their stores, and what the state machines ask them.
 */
#ifndef BJC_OBJECTS_OBJECTS_H
#define BJC_OBJECTS_OBJECTS_H

#include "bootjack/access_control.h"
#include "bootjack/device.h"
#include "bootjack/reporting.h"
#include "bootjack/security.h"
#include "bootjack/server.h"
#include "model/model.h"
#include "transport/transport.h"
#include "util/uri.h"

/* Resource IDs of /0, /1, /2 and /3 that the stack itself uses. */
enum {
    BJC_SECURITY_URI = 0,
    BJC_SECURITY_BOOTSTRAP = 1,
    BJC_SECURITY_MODE = 2,
    BJC_SECURITY_IDENTITY = 3,
    BJC_SECURITY_SERVER_KEY = 4,
    BJC_SECURITY_SECRET_KEY = 5,
    BJC_SECURITY_SSID = 10,
    BJC_SECURITY_HOLDOFF = 11,
    BJC_SECURITY_TIMEOUT = 12,
    BJC_SECURITY_MATCHING = 13,
    BJC_SECURITY_SNI = 14,
    BJC_SECURITY_USAGE = 15,
    BJC_SECURITY_SUITES = 16,
    BJC_SECURITY_OSCORE = 17,
    BJC_SERVER_SSID = 0,
    BJC_SERVER_LIFETIME = 1,
    BJC_SERVER_BINDING = 7,
    BJC_SERVER_DISABLE = 4,
    BJC_SERVER_DISABLE_TIMEOUT = 5,
    BJC_SERVER_UPDATE_TRIGGER = 8,
    BJC_SERVER_BOOTSTRAP_TRIGGER = 9,
    BJC_SERVER_ALERT_CODE = 11,
    BJC_SERVER_LAST_BOOTSTRAPPED = 12,
    BJC_SERVER_PRIORITY = 13,
    BJC_SERVER_INITIAL_DELAY = 14,
    BJC_SERVER_FAILURE_BLOCK = 15,
    BJC_SERVER_BOOTSTRAP_ON_FAILURE = 16,
    BJC_SERVER_RETRY_COUNT = 17,
    BJC_SERVER_RETRY_TIMER = 18,
    BJC_SERVER_SEQUENCE_DELAY = 19,
    BJC_SERVER_SEQUENCE_COUNT = 20,
    BJC_SERVER_PREFERRED_TRANSPORT = 22,
    BJC_ACL_OBJECT = 0,
    BJC_ACL_INSTANCE = 1,
    BJC_ACL_ENTRIES = 2,
    BJC_ACL_OWNER = 3,
    BJC_DEVICE_ERROR_CODE = 11,
};

/* --- /0 --- */

void bjc_security_init(bjc_store *store, const bjc_core *core);
bootjack_error bjc_security_add(bjc_store *store, const bootjack_security_instance *instance, uint16_t *iid);
/* The Bootstrap-Server account's instance, -1 = none. */
int32_t bjc_security_bootstrap_account(const bjc_store *store);
/* Rule: at most one Bootstrap-Server account (LwM2M Core 1.1 §6.1.2), judged on the state as it is now. */
bootjack_error bjc_security_check_single_account(const bjc_store *store);
/* That, and no Short Server ID twice over one transport: what the application may not make either.
 * BOOTJACK_ERR_EXISTS. */
bootjack_error bjc_security_check_identities(const bjc_store *store);
/* Rule: the URI's scheme and the Security Mode go together (coaps with keys, coap with NoSec). */
bootjack_error bjc_security_check_scheme(const bjc_store *store, uint16_t iid);
/* The instance of a server by Short Server ID, never by Object Instance ID; -1 = none (LwM2M Core 1.1 §6.1.2). */
int32_t bjc_security_of_server(const bjc_store *store, uint16_t ssid);
/* Of several with that Short Server ID, the one whose URI means this transport: 'U' or 'T' (/1/x/7). */
int32_t bjc_security_over(const bjc_store *store, uint16_t ssid, char transport);
/* What the scheme of its URI means; 0 = it has no usable URI. */
char bjc_security_transport(const bjc_store *store, uint16_t iid);
/* False with a reason: no URI, or not a usable one. */
bool bjc_security_uri(const bjc_store *store, uint16_t iid, bjc_uri *uri, const char **reason);
bootjack_security_mode bjc_security_mode(const bjc_store *store, uint16_t iid);
/* Whom to talk to by this account; borrows from the store. `uri` has been parsed from it. */
bjc_peer bjc_security_peer(const bjc_store *store, uint16_t iid, const bjc_uri *uri);

/* --- /1 --- */

typedef bootjack_error bjc_server_execute_fn(void *context, uint16_t iid, uint16_t rid, const uint8_t *arguments,
                                             size_t length);
void bjc_server_init(bjc_store *store, const bjc_core *core, bjc_server_execute_fn *execute, void *context);
bootjack_error bjc_server_add(bjc_store *store, const bootjack_server_instance *instance, uint16_t *iid);
/* What Bootstrap-Finish would refuse of the values that are there: BOOTJACK_ERR_RANGE, a Binding or Preferred Transport
 * that is none; BOOTJACK_ERR_EXISTS, a Short Server ID that two instances have. */
bootjack_error bjc_server_check(const bjc_store *store);
/* Whether the text is a binding of this enabler release (/1/x/7, LwM2M Core 1.1 §6.2.1.2, TS 1.0 §5.3.1.1). */
bool bjc_binding_usable(bootjack_version version, bool strict, const uint8_t *text, size_t length);

/* --- /2 --- */

void bjc_access_control_init(bjc_store *store, const bjc_core *core);
bootjack_error bjc_access_control_add(bjc_store *store, const bootjack_access_control_instance *instance,
                                      uint16_t *iid);
/* Rule: what an instance is about, its owner and the servers that it gives rights to are there; else a line of reason.
 */
bootjack_error bjc_access_control_check_references(const bjc_model *model, const bjc_store *acl,
                                                   const bjc_store *server, char *reason, size_t size);

/* --- /3 --- */

bootjack_error bjc_device_init(bjc_store *store, const bjc_core *core, const bootjack_device *device,
                               bjc_server_execute_fn *execute, void *context);

/* /3/0/12: of all error codes one is left, that there is none; without memory, they stay. */
bootjack_error bjc_device_reset_errors(bjc_store *store);

/* --- the test object --- */

#define BJC_TEST_OBJECT_PATHS 10 /* as many as Execute has arguments */

typedef struct bjc_test_object {
    bjc_store store;
    /* Execute of Send Values; NULL: nothing comes of it. */
    void (*send)(void *context, const bootjack_path *paths, size_t count);
    void *context;
} bjc_test_object;

void bjc_test_object_init(bjc_test_object *test, const bjc_core *core);
/* Makes its instance 0; installed before, so that it has the resources of the release. */
bootjack_error bjc_test_object_fill(bjc_store *store);

#endif
