/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules that oracles judge, by the ids of scenarios/rules.yaml, where clause and text stand. A test compares both.
 */
#ifndef BJ_ORACLE_RULES_H
#define BJ_ORACLE_RULES_H

#include <stddef.h>

/* X(NAME, "ID", level) */
#define BJ_ORACLE_RULES(X)                                                                                             \
    X(COAP_FORMAT, "COAP-FORMAT", MUST)                                                                                \
    X(COAP_MESSAGE_ID, "COAP-MESSAGE-ID", MUST)                                                                        \
    X(COAP_ACK, "COAP-ACK", MUST)                                                                                      \
    X(COAP_TOKEN, "COAP-TOKEN", MUST)                                                                                  \
    X(COAP_ONE_RESPONSE, "COAP-ONE-RESPONSE", MUST)                                                                    \
    X(COAP_ANSWERED, "COAP-ANSWERED", MUST)                                                                            \
    X(COAP_RETRANSMIT, "COAP-RETRANSMIT", MUST)                                                                        \
    X(COAP_NSTART, "COAP-NSTART", MUST)                                                                                \
    X(COAP_DUPLICATE, "COAP-DUPLICATE", SHOULD)                                                                        \
    X(COAP_PING, "COAP-PING", MUST)                                                                                    \
    X(COAP_CRITICAL_OPTION, "COAP-CRITICAL-OPTION", MUST)                                                              \
    X(COAP_PAYLOAD, "COAP-PAYLOAD", MUST)                                                                              \
    X(COAP_BLOCK1, "COAP-BLOCK1", MUST)                                                                                \
    X(COAP_BLOCK2, "COAP-BLOCK2", MUST)                                                                                \
    X(BS_DISCOVER_FORMAT, "BS-DISCOVER-FORMAT", MUST)                                                                  \
    X(BS_CODES, "BS-CODES", SHOULD)                                                                                    \
    X(TCP_SIGNALLING, "TCP-SIGNALLING", MUST)                                                                          \
    X(BS_REQUEST, "BS-REQUEST", MUST)                                                                                  \
    X(BS_REQUEST_FORMAT, "BS-REQUEST-FORMAT", MUST)                                                                    \
    X(BS_PACK_FALLBACK, "BS-PACK-FALLBACK", MUST)                                                                      \
    X(BS_ONLY_REQUESTS, "BS-ONLY-REQUESTS", MUST)                                                                      \
    X(BS_HOLDOFF, "BS-HOLDOFF", MUST)                                                                                  \
    X(BS_HOLDOFF_BOUND, "BS-HOLDOFF-BOUND", SHOULD)                                                                    \
    X(BS_HOLDOFF_GROWTH, "BS-HOLDOFF-GROWTH", MUST)                                                                    \
    X(BS_HOLDOFF_CAP, "BS-HOLDOFF-CAP", MUST)                                                                          \
    X(BS_HOLDOFF_RESET, "BS-HOLDOFF-RESET", MUST)                                                                      \
    X(BS_TRIGGER, "BS-TRIGGER", MUST)                                                                                  \
    X(BS_ACCOUNT_TIMEOUT, "BS-ACCOUNT-TIMEOUT", MUST)                                                                  \
    X(BS_FINISH_TIMEOUT, "BS-FINISH-TIMEOUT", MUST)                                                                    \
    X(BS_ONE_ACCOUNT, "BS-ONE-ACCOUNT", MUST)                                                                          \
    X(BS_ACCOUNT_REPLACED, "BS-ACCOUNT-REPLACED", MUST)                                                                \
    X(BS_DELETE_SURVIVORS, "BS-DELETE-SURVIVORS", MUST)                                                                \
    X(BS_WRITE, "BS-WRITE", MUST)                                                                                      \
    X(BS_DELETE, "BS-DELETE", MUST)                                                                                    \
    X(BS_REGISTER, "BS-REGISTER", MUST)                                                                                \
    X(BS_SECRETS, "BS-SECRETS", MUST)                                                                                  \
    X(BS_READ, "BS-READ", MUST)                                                                                        \
    X(BS_WRITE_FORMAT, "BS-WRITE-FORMAT", MUST)                                                                        \
    X(BS_WRITE_INSTANCE_IDS, "BS-WRITE-INSTANCE-IDS", MUST)                                                            \
    X(BS_WRITE_UNKNOWN_OPTIONAL, "BS-WRITE-UNKNOWN-OPTIONAL", MUST)                                                    \
    X(BS_WRITE_REGARDLESS, "BS-WRITE-REGARDLESS", MUST)                                                                \
    X(BS_DELETE_BAD, "BS-DELETE-BAD", MUST)                                                                            \
    X(BS_TARGETS, "BS-TARGETS", MUST)                                                                                  \
    X(BS_ROOTED, "BS-ROOTED", MUST)                                                                                    \
    X(BS_FINISH_CORRECTION, "BS-FINISH-CORRECTION", MUST)                                                              \
    X(BS_SESSION_OVER, "BS-SESSION-OVER", MUST)                                                                        \
    X(BS_NO_SESSION, "BS-NO-SESSION", MUST)                                                                            \
    X(BS_OVERTAKING, "BS-OVERTAKING", MUST)                                                                            \
    X(BS_DISCOVER, "BS-DISCOVER", MUST)                                                                                \
    X(BS_WRITE_UNDEFINED, "BS-WRITE-UNDEFINED", MUST)                                                                  \
    X(BS_WRITE_REPLACES, "BS-WRITE-REPLACES", MUST)                                                                    \
    X(BS_FINISH, "BS-FINISH", MUST)                                                                                    \
    X(BS_SSID_RANGE, "BS-SSID-RANGE", MUST)                                                                            \
    X(BS_CHECK_URI_MODE, "BS-CHECK-URI-MODE", MUST)                                                                    \
    X(BS_CHECK_MANDATORY, "BS-CHECK-MANDATORY", MUST)                                                                  \
    X(BS_CHECK_RANGE, "BS-CHECK-RANGE", MUST)                                                                          \
    X(BS_CHECK_DUPLICATE, "BS-CHECK-DUPLICATE", MUST)                                                                  \
    X(REG_OBJECTS, "REG-OBJECTS", MUST)                                                                                \
    X(TCP_REQUEST, "TCP-REQUEST", MUST)                                                                                \
    X(SEC_PSK, "SEC-PSK", MUST)                                                                                        \
    X(SEC_SNI, "SEC-SNI", MUST)                                                                                        \
    X(SEC_OPAQUE_IDENTITY, "SEC-OPAQUE-IDENTITY", MUST)                                                                \
    X(SEC_ALERT, "SEC-ALERT", MUST)                                                                                    \
    X(SEC_CREDENTIALS, "SEC-CREDENTIALS", MUST)                                                                        \
    X(REG_RETRY, "REG-RETRY", MUST)                                                                                    \
    X(REG_SEQUENCE, "REG-SEQUENCE", MUST)                                                                              \
    X(REG_BOOTSTRAP_ON_FAILURE, "REG-BOOTSTRAP-ON-FAILURE", MUST)                                                      \
    X(REG_DELAY, "REG-DELAY", MUST)                                                                                    \
    X(REG_PRIORITY, "REG-PRIORITY", MUST)                                                                              \
    X(REG_BLOCK, "REG-BLOCK", MUST)                                                                                    \
    X(REG_SESSION_LOST, "REG-SESSION-LOST", MUST)                                                                      \
    X(LIFE_ACCOUNTS_PERSIST, "LIFE-ACCOUNTS-PERSIST", MUST)                                                            \
    X(LIFE_SESSION_IS_ATOMIC, "LIFE-SESSION-IS-ATOMIC", MUST)                                                          \
    X(REG_UPDATE, "REG-UPDATE", MUST)                                                                                  \
    X(REG_LIFETIME, "REG-LIFETIME", MUST)                                                                              \
    X(REG_LIFETIME_INFINITE, "REG-LIFETIME-INFINITE", MUST)                                                            \
    X(REG_BINDING, "REG-BINDING", MUST)                                                                                \
    X(REG_LISTS, "REG-LISTS", MUST)                                                                                    \
    X(REG_TRIGGER, "REG-TRIGGER", MUST)                                                                                \
    X(REG_FORGOTTEN, "REG-FORGOTTEN", MUST)                                                                            \
    X(REG_LOCATION, "REG-LOCATION", MUST)                                                                              \
    X(REG_DISABLE, "REG-DISABLE", MUST)                                                                                \
    X(REG_BEFORE, "REG-BEFORE", MUST)                                                                                  \
    X(REG_AFTER_BOOTSTRAP, "REG-AFTER-BOOTSTRAP", MUST)                                                                \
    X(BS_DELETE_PAIR, "BS-DELETE-PAIR", MUST)                                                                          \
    X(QUEUE_FLAG, "QUEUE-FLAG", MUST)                                                                                  \
    X(QUEUE_WAKE, "QUEUE-WAKE", MUST)                                                                                  \
    X(QUEUE_AWAKE, "QUEUE-AWAKE", SHOULD)                                                                              \
    X(SEC_NO_SECRETS, "SEC-NO-SECRETS", MUST)                                                                          \
    X(SEC_OBJECT_CLOSED, "SEC-OBJECT-CLOSED", MUST)                                                                    \
    X(MGMT_READ, "MGMT-READ", MUST)                                                                                    \
    X(MGMT_WRITE, "MGMT-WRITE", MUST)                                                                                  \
    X(MGMT_EXECUTE, "MGMT-EXECUTE", MUST)                                                                              \
    X(MGMT_CREATE, "MGMT-CREATE", MUST)                                                                                \
    X(MGMT_DELETE, "MGMT-DELETE", MUST)                                                                                \
    X(MGMT_DISCOVER, "MGMT-DISCOVER", MUST)                                                                            \
    X(MGMT_ATTRIBUTES, "MGMT-ATTRIBUTES", MUST)                                                                        \
    X(MGMT_COMPOSITE, "MGMT-COMPOSITE", MUST)                                                                          \
    X(MGMT_SECRETS, "MGMT-SECRETS", MUST)                                                                              \
    X(OBJ_TYPES, "OBJ-TYPES", MUST)                                                                                    \
    X(OBJ_RELEASE, "OBJ-RELEASE", MUST)                                                                                \
    X(REP_EVALUATION, "REP-EVALUATION", MUST)                                                                          \
    X(REP_OBSERVE, "REP-OBSERVE", MUST)                                                                                \
    X(REP_CANCEL, "REP-CANCEL", MUST)                                                                                  \
    X(REP_PERIODS, "REP-PERIODS", MUST)                                                                                \
    X(REP_THRESHOLDS, "REP-THRESHOLDS", MUST)                                                                          \
    X(REP_CONFIRMABLE, "REP-CONFIRMABLE", MUST)                                                                        \
    X(REP_END, "REP-END", MUST)                                                                                        \
    X(REP_COMPOSITE, "REP-COMPOSITE", MUST)                                                                            \
    X(REP_STORING, "REP-STORING", MUST)                                                                                \
    X(REP_SEND, "REP-SEND", MUST)                                                                                      \
    X(REP_BLOCKS, "REP-BLOCKS", MUST)                                                                                  \
    X(ACL_RIGHTS, "ACL-RIGHTS", MUST)                                                                                  \
    X(ACL_CREATE, "ACL-CREATE", MUST)                                                                                  \
    X(ACL_OWNER, "ACL-OWNER", MUST)                                                                                    \
    X(ACL_CLEANUP, "ACL-CLEANUP", MUST)                                                                                \
    X(RECOVERY, "RECOVERY", MUST)                                                                                      \
    X(CLIENT_STATE, "CLIENT-STATE", MUST)

typedef enum bj_rule {
#define BJ_RULE_ENUM(NAME, id, level) BJ_RULE_##NAME,
    BJ_ORACLE_RULES(BJ_RULE_ENUM)
#undef BJ_RULE_ENUM
        BJ_RULES
} bj_rule;

typedef enum bj_level { BJ_LEVEL_MUST = 1, BJ_LEVEL_SHOULD = 2 } bj_level;

const char *bj_rule_id(bj_rule rule); /* "BS-HOLDOFF" */
bj_level bj_rule_level(bj_rule rule);
/* Ends the process through a function of that rule's own, so that a fuzzing engine tells findings apart by their
 * stacks.
 */
_Noreturn void bj_rule_abort(bj_rule rule);

#endif
