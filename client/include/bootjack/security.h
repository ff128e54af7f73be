/* SPDX-License-Identifier: Apache-2.0
 *
 * LwM2M Security (/0): the keys and addresses of servers. No LwM2M Server can read or write it (LwM2M Core 1.1
 * Appendix E.1); the Bootstrap-Server writes it.
 */
#ifndef BOOTJACK_SECURITY_H
#define BOOTJACK_SECURITY_H

#include "bootjack/client.h"
#include "bootjack/data_model.h"

/* /0/x/2 */
typedef enum bootjack_security_mode {
    BOOTJACK_SECURITY_PSK = 0,
    BOOTJACK_SECURITY_RPK = 1,
    BOOTJACK_SECURITY_CERTIFICATE = 2,
    BOOTJACK_SECURITY_NOSEC = 3,
    BOOTJACK_SECURITY_EST = 4
} bootjack_security_mode;

typedef struct bootjack_security_instance {
    uint16_t ssid;          /* /0/x/10; ignored for the Bootstrap-Server account */
    bool bootstrap_server;  /* /0/x/1 */
    const char *server_uri; /* /0/x/0 */
    bootjack_security_mode security_mode;
    const uint8_t *public_key_or_identity; /* /0/x/3 */
    size_t public_key_or_identity_length;
    const uint8_t *server_public_key; /* /0/x/4 */
    size_t server_public_key_length;
    const uint8_t *secret_key; /* /0/x/5 */
    size_t secret_key_length;
    int32_t client_holdoff_s;    /* /0/x/11; 0 = absent */
    int32_t bootstrap_timeout_s; /* /0/x/12; 0 = absent: the account stays for ever */
} bootjack_security_instance;

BOOTJACK_API bootjack_error bootjack_security_object_install(bootjack_client *client);
/* Copies the instance. `*iid` is the Object Instance ID to use, BOOTJACK_ID_INVALID to be given the lowest free one;
 * the one used is stored there. A second Bootstrap-Server account is BOOTJACK_ERR_EXISTS. */
BOOTJACK_API bootjack_error bootjack_security_object_add_instance(bootjack_client *client,
                                                                  const bootjack_security_instance *instance,
                                                                  uint16_t *iid);

#endif
