/* SPDX-License-Identifier: Apache-2.0
 *
 * LwM2M Security (/0): the keys and addresses of servers. No LwM2M Server can read or write it (LwM2M Core 1.1
 * Appendix E.1); the Bootstrap-Server writes it.
 */
#ifndef BOOTJACK_SECURITY_H
#define BOOTJACK_SECURITY_H

#include "bootjack/client.h"
#include "bootjack/data_model.h"

/* Security Mode, /0/x/2. */
typedef enum bootjack_security_mode {
    BOOTJACK_SECURITY_PSK = 0,         /* pre-shared key */
    BOOTJACK_SECURITY_RPK = 1,         /* raw public key */
    BOOTJACK_SECURITY_CERTIFICATE = 2, /* X.509 */
    BOOTJACK_SECURITY_NOSEC = 3,       /* none */
    BOOTJACK_SECURITY_EST = 4          /* X.509, the certificate from an EST server */
} bootjack_security_mode;

/* /0/x/15: what /0/x/4 is to the server's certificate (LwM2M Core 1.1 Appendix E.1, RFC 6698 §2.1.1). For all but the
 * last the certificate must lead to a CA, be in its period of validity and carry the server's name: that of /0/x/14,
 * else the host of the URI. */
typedef enum bootjack_certificate_usage {
    BOOTJACK_USAGE_CA_CONSTRAINT = 0,      /* a CA on the way to one of the trust store (bootjack_config.trust_store) */
    BOOTJACK_USAGE_SERVICE_CONSTRAINT = 1, /* the certificate itself, which also leads to the trust store */
    BOOTJACK_USAGE_TRUST_ANCHOR = 2,       /* the only CA that counts */
    BOOTJACK_USAGE_DOMAIN_ISSUED = 3       /* the certificate itself; nothing else is looked at. The default */
} bootjack_certificate_usage;

/* /0/x/13: whether /0/x/4 holds a certificate (DER) or a digest of one. */
typedef enum bootjack_matching_type {
    BOOTJACK_MATCH_EXACT = 0,  /* the default */
    BOOTJACK_MATCH_SHA256 = 1, /* its SHA-256 */
    BOOTJACK_MATCH_SHA384 = 2, /* its SHA-384 */
    BOOTJACK_MATCH_SHA512 = 3  /* its SHA-512 */
} bootjack_matching_type;

/* One instance of /0. BOOTJACK_SECURITY_CERTIFICATE: `public_key_or_identity` is one X.509 certificate in DER,
 * `secret_key` its private key in DER, as PKCS#8 (RFC 5958) or SEC1 (RFC 5915). A value of /0 has at most 8192 bytes.
 */
typedef struct bootjack_security_instance {
    uint16_t ssid;                                       /* /0/x/10; ignored for the Bootstrap-Server account */
    bool bootstrap_server;                               /* /0/x/1 */
    const char *server_uri;                              /* /0/x/0 */
    bootjack_security_mode security_mode;                /* /0/x/2 */
    const uint8_t *public_key_or_identity;               /* /0/x/3 */
    size_t public_key_or_identity_length;                /* its bytes */
    const uint8_t *server_public_key;                    /* /0/x/4 */
    size_t server_public_key_length;                     /* its bytes */
    const uint8_t *secret_key;                           /* /0/x/5 */
    size_t secret_key_length;                            /* its bytes */
    int32_t client_holdoff_s;                            /* /0/x/11; 0 = absent */
    int32_t bootstrap_timeout_s;                         /* /0/x/12; 0 = absent: the account stays for ever */
    const bootjack_matching_type *matching_type;         /* /0/x/13; NULL = absent */
    const char *server_name;                             /* /0/x/14; NULL = absent */
    const bootjack_certificate_usage *certificate_usage; /* /0/x/15; NULL = absent */
    const uint16_t *ciphersuites;                        /* /0/x/16, IANA's numbers */
    size_t ciphersuite_count;                            /* 0 = absent */
} bootjack_security_instance;

/* Needed by every client. BOOTJACK_ERR_EXISTS, BOOTJACK_ERR_MEMORY, BOOTJACK_ERR_STATE (the client was started). */
BOOTJACK_API bootjack_error bootjack_security_object_install(bootjack_client *client);
/* Copies the instance. `*iid` is the Object Instance ID to use, BOOTJACK_ID_INVALID to be given the lowest free one;
 * the one used is stored there. A second Bootstrap-Server account, or the Short Server ID of another account over the
 * same transport, is BOOTJACK_ERR_EXISTS, a value that its resource cannot hold BOOTJACK_ERR_RANGE, a resource that the
 * client's release of LwM2M does not have BOOTJACK_ERR_NOT_FOUND.
 */
BOOTJACK_API bootjack_error bootjack_security_object_add_instance(bootjack_client *client,
                                                                  const bootjack_security_instance *instance,
                                                                  uint16_t *iid);

#endif
