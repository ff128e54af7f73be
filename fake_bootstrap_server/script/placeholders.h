/* SPDX-License-Identifier: Apache-2.0
 *
 * The placeholders of a client's command line, `{name}`: which there are, and where they stand in a text. What they
 * stand for is harness/attach/command.c's.
 */
#ifndef BJ_SCRIPT_PLACEHOLDERS_H
#define BJ_SCRIPT_PLACEHOLDERS_H

#include <stddef.h>

/* NAME, name, and what the scenario asks for with it, in words: a value that no placeholder of the command carries is
 * then a reason to skip. NULL: nobody minds. */
#define BJ_PLACEHOLDERS(X)                                                                                             \
    X(ENDPOINT, "endpoint", "an Endpoint Client Name")                                                                 \
    X(BS_URI, "bs_uri", NULL)                                                                                          \
    X(BS_HOST, "bs_host", NULL)                                                                                        \
    X(BS_PORT, "bs_port", NULL)                                                                                        \
    X(HOLDOFF, "holdoff", "a hold-off")                                                                                \
    X(ACCOUNT_TIMEOUT, "account_timeout", "a Bootstrap-Server Account Timeout")                                        \
    X(ACCOUNT_INSTANCE, "account_instance", "the Object Instance of its bootstrap account")                            \
    X(HOLDOFF_CAP, "holdoff_cap", "a cap of the hold-off")                                                             \
    X(HOLDOFF_JITTER, "holdoff_jitter", "a jitter factor of the hold-off")                                             \
    X(ACK_TIMEOUT, "ack_timeout", "ACK_TIMEOUT")                                                                       \
    X(ACK_RANDOM_FACTOR, "ack_random_factor", "ACK_RANDOM_FACTOR")                                                     \
    X(MAX_RETRANSMIT, "max_retransmit", "MAX_RETRANSMIT")                                                              \
    X(VERSION, "version", "a version of LwM2M")                                                                        \
    X(STRICT, "strict", "strict validation at Bootstrap-Finish")                                                       \
    X(QUEUE, "queue", "queue mode")                                                                                    \
    X(ACCESS_CONTROL, "access_control", "Access Control (/2)")                                                         \
    X(LEGACY, "legacy", "to take operations that nobody asked for")                                                    \
    X(PACK, "pack", "whether it asks for a Bootstrap-Pack")                                                            \
    X(TEST_OBJECT, "test_object", "the test object (/3442)")                                                           \
    X(LIFETIME, "lifetime", "a Lifetime")                                                                              \
    X(SSID, "ssid", "a Short Server ID")                                                                               \
    X(IDENTITY, "identity", NULL)                                                                                      \
    X(IDENTITY_TEXT, "identity_text", NULL)                                                                            \
    X(KEY, "key", NULL)                                                                                                \
    X(KEY_TEXT, "key_text", NULL)                                                                                      \
    X(CERTIFICATE, "certificate", NULL)                                                                                \
    X(PRIVATE_KEY, "private_key", NULL)                                                                                \
    X(PEER_CERTIFICATE, "peer_certificate", NULL)                                                                      \
    X(USAGE, "certificate_usage", "a Certificate Usage")                                                               \
    X(MATCHING, "matching_type", "a Matching Type")                                                                    \
    X(SNI, "sni", "a name for the Server Name Indication")                                                             \
    X(SUITES, "ciphersuites", "a list of cipher suites")                                                               \
    X(SERVER_IDENTITY, "server_identity", NULL)                                                                        \
    X(SERVER_IDENTITY_TEXT, "server_identity_text", NULL)                                                              \
    X(SERVER_KEY, "server_key", NULL)                                                                                  \
    X(SERVER_KEY_TEXT, "server_key_text", NULL)                                                                        \
    X(SERVER_CERTIFICATE, "server_certificate", NULL)                                                                  \
    X(SERVER_PRIVATE_KEY, "server_private_key", NULL)                                                                  \
    X(SERVER_PEER_CERTIFICATE, "server_peer_certificate", NULL)                                                        \
    X(SERVER_USAGE, "server_certificate_usage", "a Certificate Usage of a server account")                             \
    X(SERVER_MATCHING, "server_matching_type", "a Matching Type of a server account")                                  \
    X(SERVER_SNI, "server_sni", "a name for the Server Name Indication of a server account")                           \
    X(SERVER_SUITES, "server_ciphersuites", "a list of cipher suites of a server account")                             \
    X(TRUST_STORE, "trust_store", "a trust store")                                                                     \
    X(STATE, "state", "a file in which it keeps its accounts")                                                         \
    X(SERVER_URI, "server_uri", NULL)                                                                                  \
    X(SERVER_HOST, "server_host", NULL)                                                                                \
    X(SERVER_PORT, "server_port", NULL)                                                                                \
    X(BINDIR, "bindir", NULL)

/* All names, a NULL at the end. */
extern const char *const bj_placeholder_names[];

/* Is there a placeholder at `at` ("{name}")? Its length with the braces, 0 when there is none. */
size_t bj_placeholder_at(const char *at);
/* The first in `text` whose name is none, NULL: all are known; *length is its length with the braces. {profiledir} is
 * none: it stands in profiles' files only, where the loader fills it in. */
const char *bj_placeholder_unknown(const char *text, size_t *length);

#endif
