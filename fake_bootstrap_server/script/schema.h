/* SPDX-License-Identifier: Apache-2.0
 *
 * The scenario language, as one table. Loader, checker, byte form, printer, reference page and JSON Schema
 * are all generated from it, and the engine reads programs by the names that it defines.
 *
 * A program is a tree of records. A record is of one of the kinds below; a kind has numbered fields; a field
 * has a type. Steps are records whose kind is a verb. Numbers of record kinds, of fields and of
 * enumerated values are only ever appended, never used again: programs in byte form (corpora) survive.
 *
 * In YAML a step is a map with one key that is a verb. The verb's value is either the value of its primary field
 * (`write: /0/1`) or a map of fields (`request: {from: client}`); keys beside the verb are fields, too.
 */
#ifndef BJ_SCRIPT_SCHEMA_H
#define BJ_SCRIPT_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Types of field values. */
typedef enum bj_type {
    BJ_T_BOOL = 1,
    BJ_T_UINT,     /* 0 .. 2^32-1, or a name of the field's enumeration when it has one */
    BJ_T_ENUM,     /* a name of the field's enumeration */
    BJ_T_STRING,   /* UTF-8, may hold ${captured} */
    BJ_T_BYTES,    /* YAML: hexadecimal, blanks and underscores allowed */
    BJ_T_CODES,    /* "2.04" or a list of them: a set of CoAP codes */
    BJ_T_DURATION, /* "10s" */
    BJ_T_WHEN,     /* "10s", "10s..15s", "..15s", "wake", "due(finish)", "due(finish)-1ms": see bj_when */
    BJ_T_STRINGS,  /* a list of strings; one string stands for a list of one */
    BJ_T_UINTS,
    BJ_T_QUERY,   /* {ep: dev-1, b: U, Q: ~} or a list of strings "ep=dev-1": kept as strings; Q: ~ is "Q" */
    BJ_T_VALUES,  /* LwM2M values by id: {0: "coap://h", 1: false, 2: 3, 3: !hex 00ff, 9: {0: 1, 1: 2}}: see bj_node */
    BJ_T_OPTIONS, /* [{number: 9, hex: 00}, ...]: raw CoAP options, in the order given */
    BJ_T_RECORD,  /* one record of the kind in `detail` */
    BJ_T_RECORDS, /* a list of records of that kind; a single map stands for a list of one */
    BJ_T_NAMED,   /* a map from names to records of that kind; ~ is an empty record */
    BJ_T_NAMED_LISTS, /* a map from names to lists of such records */
    BJ_T_STEPS,       /* a list of steps */
    BJ_T_BRANCHES,    /* a map from names to lists of steps */
} bj_type;

enum {
    BJ_REQUIRED = 1,
    BJ_PRIMARY = 2, /* the value that stands right behind the verb */
};

/* The tables below are laid out by hand. */
/* clang-format off */

/* Enumerations: X(number, name). */
#define BJ_ENUM_METHOD(X)       X(1, "GET") X(2, "POST") X(3, "PUT") X(4, "DELETE") X(5, "FETCH") X(6, "PATCH") X(7, "iPATCH")
#define BJ_ENUM_MESSAGE_TYPE(X) X(0, "CON") X(1, "NON") X(2, "ACK") X(3, "RST")
#define BJ_ENUM_FORMAT(X)                                                                                              \
    X(0, "text")                                                                                                       \
    X(40, "link") X(42, "opaque") X(60, "cbor") X(110, "senml-json") X(112, "senml-cbor") X(11542, "tlv")              \
        X(11543, "json") X(11544, "lwm2m-cbor") X(1542, "old-tlv") X(1543, "old-json") X(65536, "none")
#define BJ_ENUM_SECURITY(X)  X(0, "psk") X(1, "rpk") X(2, "certificate") X(3, "nosec") X(4, "est")
#define BJ_ENUM_TRANSPORT(X) X(0, "udp") X(1, "tcp") X(2, "dtls") X(3, "tls")
/* IANA's numbers; any other number may be given, too. */
#define BJ_ENUM_SUITE(X)                                                                                               \
    X(0xC0A8, "TLS_PSK_WITH_AES_128_CCM_8") X(0x00AE, "TLS_PSK_WITH_AES_128_CBC_SHA256")                               \
    X(0xC0AE, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8") X(0xC023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256")
/* Alerts: IANA's registry "TLS Alerts". */
#define BJ_ENUM_ALERT(X)                                                                                               \
    X(0, "close_notify") X(10, "unexpected_message") X(20, "bad_record_mac") X(21, "decryption_failed")                \
        X(22, "record_overflow") X(30, "decompression_failure") X(40, "handshake_failure") X(41, "no_certificate")     \
            X(42, "bad_certificate") X(43, "unsupported_certificate") X(44, "certificate_revoked")                     \
                X(45, "certificate_expired") X(46, "certificate_unknown") X(47, "illegal_parameter")                   \
                    X(48, "unknown_ca") X(49, "access_denied") X(50, "decode_error") X(51, "decrypt_error")            \
                        X(60, "export_restriction") X(70, "protocol_version") X(71, "insufficient_security")           \
                            X(80, "internal_error") X(86, "inappropriate_fallback") X(90, "user_canceled")             \
                                X(100, "no_renegotiation") X(110, "unsupported_extension")                             \
                                    X(111, "certificate_unobtainable") X(112, "unrecognized_name")                     \
                                        X(113, "bad_certificate_status_response") X(114, "bad_certificate_hash_value") \
                                            X(115, "unknown_psk_identity")
#define BJ_ENUM_PORT(X)      X(0, "open") X(1, "closed") X(2, "silent")
#define BJ_ENUM_DNS(X)       X(0, "ok") X(1, "nxdomain") X(2, "servfail") X(3, "nodata")
#define BJ_ENUM_FAULT(X)     X(0, "drop") X(1, "delay") X(2, "duplicate") X(3, "truncate") X(4, "corrupt")
#define BJ_ENUM_SIGNAL(X)    X(1, "hup") X(2, "int") X(9, "kill") X(10, "usr1") X(12, "usr2") X(15, "term")
#define BJ_ENUM_KEEPS(X)     X(0, "drawn") X(1, "all") X(2, "none") X(3, "torn")
#define BJ_ENUM_DISK(X)      X(0, "well") X(5, "eio") X(28, "enospc") X(30, "erofs")
#define BJ_ENUM_DISK_USE(X)                                                                                            \
    X(0, "any") X(1, "open") X(2, "read") X(3, "write") X(4, "sync") X(5, "rename") X(6, "unlink")
#define BJ_ENUM_WRONG(X)     X(1, "token") X(2, "mid") X(3, "source")
#define BJ_ENUM_FACT(X)                                                                                                \
    X(1, "strict")                                                                                                     \
    X(2, "transactional") X(3, "legacy") X(4, "discover") X(5, "bootstrap-read") X(6, "lwm2m-1.0") X(7, "lwm2m-1.1")   \
        X(8, "lwm2m-1.2") X(9, "access-control") X(10, "linked") X(11, "deregisters") X(20, "pack")                 \
        X(30, "notifies-writer") X(31, "bare-accounts") X(32, "request-tag") X(33, "overtaking")
/* What a client need not have, and what a scenario can therefore need (profiles: `features`). */
#define BJ_ENUM_FEATURE(X)                                                                                             \
    X(1, "ipv6") X(2, "tcp") X(3, "dtls") X(4, "tls") X(5, "psk") X(6, "x509") X(10, "tlv") X(11, "text")              \
        X(12, "opaque") X(13, "json") X(14, "senml-json") X(15, "senml-cbor") X(16, "lwm2m-cbor") X(20, "blocks")      \
            X(21, "queue") X(22, "observe") X(23, "composite") X(24, "create") X(25, "write-attributes")               \
                X(26, "firmware") X(27, "several-servers") X(28, "send")

/* Record kinds. R(number, NAME, "name", is_verb, "documentation", "example of a step, or NULL") */
#define BJ_RECORD_KINDS(R)                                                                                             \
    R(1, SCENARIO, "scenario", 0, "One scenario: the document itself.", NULL)                                          \
    R(2, CLIENT, "client", 0, "What the client is told before it starts.", NULL)                                       \
    R(3, ACCOUNT, "account", 0, "A Security account (and for servers its Server instance) from the factory.", NULL)    \
    R(4, SERVER, "server", 0, "One scripted server.", NULL)                                                            \
    R(5, DNS_ANSWER, "dns-answer", 0, "One answer to a name look-up.", NULL)                                           \
    R(6, LINK, "link-conditions", 0, "Conditions of the network.", NULL)                                               \
    R(7, TRANSMISSION, "transmission", 0, "CoAP transmission parameters, RFC 7252 section 4.8, of both sides.", NULL)  \
    R(8, PROFILE, "profile", 0, "What is known of a client: how it is started, what it can be told, what it does.",    \
      NULL)                                                                                                            \
    R(9, DEVIATION, "deviation", 0, "A known deviation of a client: its scenarios are expected failures.", NULL)       \
    R(10, OBSERVED, "observed", 0, "Reserved.", NULL)                                                                  \
    R(190, BUILT_IN, "built-in", 0, "What a client is, where its command line cannot tell it.", NULL)                  \
    R(211, READY, "ready", 0, "How to see that a client is ready: by the first of what is given.", NULL)                \
    R(212, STOPPING, "stopping", 0, "How a client is asked to stop.", NULL)                                            \
    R(110, RECOVERY, "recovery", 0, "What happens when the script is over.", NULL)                                     \
    R(32, REQUEST, "request", 1, "The client sends a request to a server.",                                            \
      "request: {to: bs, method: POST, path: /bs, query: {ep: dev-1}}")                                                \
    R(33, RESPOND, "respond", 1, "The server answers the request that was awaited last.", "respond: 2.04")             \
    R(34, SILENCE, "silence", 1, "For so long the client sends nothing that is not a repetition.", "silence: 10s")     \
    R(35, WRITE, "write", 1, "Bootstrap-Write, or Write: the server sends PUT.",                                       \
      "write: /1/0\n  tlv: {0: 101, 1: 86400, 6: false, 7: U}\n  expect: 2.04")                                        \
    R(36, DELETE, "delete", 1, "Bootstrap-Delete, or Delete.", "delete: /0\n  expect: 2.02")                           \
    R(37, DISCOVER, "discover", 1, "Bootstrap-Discover, or Discover: GET with Accept 40.",                             \
      "discover: /0\n  expect: 2.05\n  has: [/0/1]")                                                                   \
    R(38, READ, "read", 1, "Bootstrap-Read, or Read: GET.", "read: /1/0\n  expect: 2.05\n  tlv: {0: 101}")             \
    R(39, FINISH, "finish", 1, "Bootstrap-Finish: POST /bs.", "finish: {expect: 2.04}")                                \
    R(40, RAW, "raw", 1, "A server sends these bytes in a datagram.", "raw: 40")                                       \
    R(41, MESSAGE, "message", 1, "A server sends a CoAP message of which every field can be chosen, or broken.",       \
      "message: {type: CON, code: \"0.01\", path: /nowhere, expect: [4.00, 4.04]}")                                            \
    R(42, RESPONSE, "response", 1, "The client answers a request that was sent with `wait: false`.", "response: 2.04") \
    R(43, ADVANCE, "advance", 1, "Time passes, whatever the client does; what it sends is kept for later steps.",      \
      "advance: 5s")                                                                                                   \
    R(44, EITHER, "either", 1, "One of several lawful continuations; the report says which was seen.",                 \
      "either:\n    refused: [finish: {expect: 4.06}]\n    accepted: [finish: {expect: 2.04}]")                        \
    R(45, WHEN, "when", 1, "Steps for clients of which a fact is true.",                                               \
      "when: strict\n  steps: [finish: {expect: 4.06}]\n  otherwise: [finish: {expect: 2.04}]")                        \
    R(46, REPEAT, "repeat", 1, "Steps, several times or until a time has passed.",                                     \
      "repeat: 3\n  steps: [request: {path: /bs}, respond: 5.00]")                                                     \
    R(47, FAULT, "fault", 1, "The network strikes some of the next datagrams.", "fault: drop\n  from: bs\n  count: 1") \
    R(48, NETWORK, "network", 1, "Conditions of the network change.", "network: {latency: 200ms}")                     \
    R(49, PORT, "port", 1, "A server's port opens, closes (ICMP) or falls silent.", "port: closed\n  server: mgmt")    \
    R(50, RESTART, "restart", 1, "A server restarts: it forgets every exchange and registration.", "restart: bs")      \
    R(51, DNS, "dns", 1, "What a name gives from now on.", "dns: mgmt.example\n  answers: [{status: nxdomain}]")       \
    R(52, STOP, "stop", 1, "The client is asked to stop.", "stop: term")                                               \
    R(210, INPUT, "input", 1,                                                                                          \
      "A line is typed at the client's standard input, or a command of it, by the name that its profile has for it.",  \
      "input: {command: update}")                                                                                      \
    R(53, EXIT, "exit", 1, "The client's process ends with this status.", "exit: 0")                                   \
    R(54, RESET, "reset", 1, "The client rejects what was sent last with RST.", "reset: {server: bs}")                 \
    R(55, ACK, "ack", 1, "The client acknowledges what was sent last with an empty ACK.", "ack: {server: bs}")         \
    R(56, AGAIN, "again", 1,                                                                                           \
      "A server sends its last confirmable request once more, same Message ID and Token: "                             \
      "the client must give the same answer.",                                                                         \
      "again: {server: bs}")                                                                                           \
    R(57, RETRANSMISSION, "retransmission", 1, "The client repeats its last confirmable message, byte for byte.",      \
      "retransmission: 1\n  at: due(retransmit)")                                                                      \
    R(200, DEPARTURE, "departure", 1,                                                                                  \
      "The client sends a request to a server that it does not reach: the port is closed or silent, or it is lost on "  \
      "the way.",                                                                                                      \
      "departure: {to: mgmt, method: POST}")                                                                           \
    R(58, NOTE, "note", 1, "A line for the reader of the log.", "note: now the server is well again")                  \
    R(59, INCONCLUSIVE, "inconclusive", 1,                                                                             \
      "What was seen is a gap in the specification: the verdict is "                                                   \
      "inconclusive, with this reason.",                                                                               \
      "inconclusive: the hold-off of a trigger is not specified")                                                      \
    R(60, IGNORE, "ignore", 1, "The server leaves the request that was awaited last without any answer.", "ignore: {}")  \
    R(61, HANDSHAKE, "handshake", 1, "A handshake of the client with a server behind DTLS or TLS ends.",               \
      "handshake: {to: mgmt, sni: mgmt.example, alert: 48}")                                                      \
    R(65, CLIENT_HELLO, "client-hello", 1,                                                                                   \
      "The client begins a handshake of DTLS or TLS, which ends as said. Handshakes that no step awaits are passed "   \
      "over.",                                                                                                         \
      "client-hello: {to: bs, name: bs.example, ends: established}")                                                      \
    R(66, CONNECTION, "connection", 1,                                                                                 \
      "The client opens a TCP connection, which comes about or not. Those that no step awaits are passed over.",       \
      "connection: {to: bs, ends: refused}")                                                                           \
    R(67, ALERT, "alert", 1,                                                                                           \
      "A server behind DTLS or TLS sends an alert to the client of its latest handshake; a fatal one ends the "        \
      "session.",                                                                                                      \
      "alert: handshake_failure\n  server: bs")                                                                        \
    R(68, HANG_UP, "hang-up", 1, "A server ends its latest connection or session.", "hang-up: reset\n  server: bs") \
    R(70, PACK, "pack", 1,                                                                                             \
      "Bootstrap-Pack: the server answers the Bootstrap-Pack-Request that was awaited last with a whole "              \
      "configuration.",                                                                                                \
      "pack: {1: {0: {0: 101, 1: 86400, 6: false, 7: U}}}\n  format: senml-cbor") \
    R(75, STATE_FILE, "state-file", 0, "The file in which the client keeps its accounts, as it is before the start.",   \
      NULL)                                                                                                            \
    R(76, START, "start", 1, "The client is started again, with what its disk has kept.", "start: {}")                 \
    R(77, POWER_CUT, "power-cut", 1,                                                                                   \
      "The client's power goes: without a word to anybody, and with what it wrote to its disk and did not sync.",      \
      "power-cut: {keeps: torn}")                                                                                      \
    R(78, DISK, "disk", 1, "The client's disk fails, is full, or is well again.",                                      \
      "disk: eio\n  on: sync\n  count: 1")                                                                             \
    R(79, FILE, "file", 1, "A file on the client's disk is as this says.", "file: state\n  mode: \"0600\"")            \
    R(90, EXECUTE, "execute", 1, "Execute: the server sends POST to a resource.",                                      \
      "execute: /1/0/8\n  server: mgmt\n  expect: 2.04")                                                               \
    R(91, CREATE, "create", 1, "Create: the server sends POST to an Object.",                                          \
      "create: /3442\n  server: mgmt\n  resources: {110: abc}\n  expect: 2.01")                                        \
    R(92, WRITE_ATTRIBUTES, "write-attributes", 1, "Write-Attributes: PUT without payload.",                           \
      "write-attributes: /3/0\n  server: mgmt\n  set: {pmin: 10, pmax: 60}\n  expect: 2.04")                           \
    R(93, OBSERVE, "observe", 1, "Observe: GET with Observe 0.",                                                       \
      "observe: /1/0/1\n  server: mgmt\n  expect: 2.05")                                                              \
    R(94, NOTIFICATION, "notification", 1, "The client notifies of an observation.",                                   \
      "notification: {values: {13: 5}}\n  at: 10s")                                                                    \
    R(95, CANCEL, "cancel", 1, "The server ends an observation: with Observe 1, or with RST to its next notification.", \
      "cancel: {server: mgmt, expect: 2.05}")                                                                          \
    R(96, READ_COMPOSITE, "read-composite", 1, "Read-Composite: FETCH.",                                               \
      "read-composite: [/1/0/1, /3/0]\n  server: mgmt\n  expect: 2.05\n  values: {1: {0: {1: 86400}}}")                \
    R(97, WRITE_COMPOSITE, "write-composite", 1, "Write-Composite: iPATCH.",                                           \
      "write-composite: {server: mgmt, values: {1: {0: {1: 60}}}, expect: 2.04}")                                      \
    R(98, OBSERVE_COMPOSITE, "observe-composite", 1, "Observe-Composite: FETCH with Observe 0.",                       \
      "observe-composite: [/1/0/1, /3/0/13]\n  server: mgmt\n  expect: 2.05")

/* Fields: F(number, NAME, "name", TYPE, flags, detail, "documentation"). `detail` is ENUM(X) for enumerations,
 * KIND(NAME) for records, NONE otherwise. */
#define BJ_FIELDS_SCENARIO(F)                                                                                          \
    F(1, TITLE, "title", STRING, BJ_REQUIRED, NONE, "One sentence: what the client must do.")                          \
    F(2, RULES, "rules", STRINGS, 0, NONE, "Ids of rules.yaml that this scenario shows.")                              \
    F(3, CLIENT, "client", RECORD, 0, KIND(CLIENT), "What the client is told.")                                        \
    F(4, SERVERS, "servers", NAMED, 0, KIND(SERVER), "The servers; left out: bs and mgmt.")                            \
    F(5, DNS, "dns", NAMED_LISTS, 0, KIND(DNS_ANSWER),                                                                 \
      "Names beyond those of the servers, or other answers for them.")                                                 \
    F(6, NETWORK, "network", RECORD, 0, KIND(LINK),                                                                    \
      "Conditions of every link from the start; 1 ms latency if not given.")                                           \
    F(7, TRANSMISSION, "transmission", RECORD, 0, KIND(TRANSMISSION), "CoAP transmission parameters.")                 \
    F(8, BUDGET, "budget", DURATION, 0, NONE, "The run may take that much virtual time, 100 years at most; 10 days if not given.")        \
    F(9, STEPS, "steps", STEPS, BJ_REQUIRED, NONE, "What happens.")                                                    \
    F(10, DESCRIPTION, "description", STRING, 0, NONE, "More for the reader of a report.")                             \
    F(11, SHOWS, "shows", ENUM, 0, ENUM(BJ_ENUM_SHOWS), "Whether the client must accept or refuse what it is given.")  \
    F(12, RECOVERY, "recovery", RECORD, 0, KIND(RECOVERY),                                                             \
      "In virtual time, the world is healed after the script, and the client must register.")                          \
    F(30, NEEDS, "needs", UINTS, 0, ENUM(BJ_ENUM_FEATURE),                                                             \
      "Optional features of clients that it is about, beside those that its steps and servers tell.")                  \
    F(31, VERBATIM, "verbatim", BOOL, 0, NONE,                                                                         \
      "URIs are its subject: they are written as they stand, to clients that want a port in them (`uri-ports`), too.") \
    F(32, OUT_OF_SCOPE, "out-of-scope", ENUM, 0, ENUM(BJ_ENUM_ABSENT),                                                 \
      "Bootjack has none: the scenario says what it would be, and is skipped for every client.")                       \
    F(33, LEVEL, "level", ENUM, 0, ENUM(BJ_ENUM_RULE_LEVEL),                                                           \
      "Of all its rules: where none of them is a MUST, a step that fails is a warning.")                               \
    F(34, SURPLUS, "surplus", BOOL, 0, NONE,                                                                           \
      "Resources of /0 and /1 that a client has not are to be passed over: nobody is skipped for want of one.")        \
    F(20, POWER_CUTS, "power-cuts", STEPS, 0, NONE,                                                                    \
      "What must follow wherever the client's power goes: bootjack run --power-cuts tries every operation of its disk.")
#define BJ_ENUM_SHOWS(X) X(1, "accept") X(2, "refuse")
#define BJ_ENUM_RULE_LEVEL(X) X(1, "must") X(2, "should")
/* What LwM2M has and Bootjack does not play: carriers, the card, and ways to keys. */
#define BJ_ENUM_ABSENT(X)                                                                                              \
    X(1, "smartcard") X(2, "sms") X(3, "mqtt") X(4, "non-ip") X(5, "oscore") X(6, "est")

#define BJ_FIELDS_CLIENT(F)                                                                                            \
    F(1, ENDPOINT, "endpoint", STRING, 0, NONE, "Endpoint Client Name; dev-1 if not given.")                           \
    F(2, BOOTSTRAP, "bootstrap", RECORD, 0, KIND(ACCOUNT), "The Bootstrap-Server account.")                            \
    F(3, ACCOUNTS, "accounts", RECORDS, 0, KIND(ACCOUNT), "Server accounts from the factory.")                         \
    F(4, VERSION, "version", STRING, 0, NONE, "LwM2M version to speak: 1.0, 1.1.")                                     \
    F(5, HOLDOFF_CAP, "holdoff-cap", DURATION, 0, NONE, "Greatest hold-off that growth may reach; 20s if not given.")  \
    F(6, HOLDOFF_JITTER, "holdoff-jitter", STRING, 0, NONE, "Jitter factor of the hold-off, 1.5 if not given.")        \
    F(7, STRICT, "strict", BOOL, 0, NONE, "Ask for 4.06 at Finish for all that can be known then.")                    \
    F(8, QUEUE, "queue", BOOL, 0, NONE, "Queue mode with every server, the flag Q of a registration.")                 \
    F(9, TRUST_STORE, "trust-store", BYTES, 0, NONE,                                                                   \
      "Certificates of the CAs that Certificate Usage 0 and 1 go by: PEM, or one in DER.")                                        \
    F(20, STATE, "state", RECORD, 0, KIND(STATE_FILE),                                                                  \
      "It keeps its accounts in a file on its disk ({}: which is not there yet).")\
    F(26, ACCESS_CONTROL, "access-control", BOOL, 0, NONE, "It has Access Control, /2; not if not given.")             \
    F(27, TEST_OBJECT, "test-object", BOOL, 0, NONE, "It has the test object, /3442; not if not given.")               \
    F(28, PACK, "pack", BOOL, 0, NONE,                                                                                 \
      "Whether it asks for a Bootstrap-Pack first (LwM2M 1.2); as it likes if not given.")                             \
    F(29, LEGACY, "legacy", BOOL, 0, NONE,                                                                             \
      "It takes operations of its Bootstrap-Server that nobody asked for (LwM2M TS 1.0 section 5.2.3.4).")

#define BJ_FIELDS_ACCOUNT(F)                                                                                           \
    F(1, URI, "uri", STRING, BJ_REQUIRED, NONE, "LwM2M Server URI, /0/x/0.")                                           \
    F(2, SECURITY, "security", ENUM, 0, ENUM(BJ_ENUM_SECURITY), "Security Mode, /0/x/2; nosec if not given.")          \
    F(3, IDENTITY, "identity", BYTES, 0, NONE, "Public Key or Identity, /0/x/3.")                                      \
    F(4, KEY, "key", BYTES, 0, NONE, "Secret Key, /0/x/5.")                                                            \
    F(5, HOLDOFF, "holdoff", DURATION, 0, NONE, "Client Hold Off Time, /0/x/11.")                                      \
    F(6, TIMEOUT, "timeout", DURATION, 0, NONE, "Bootstrap-Server Account Timeout, /0/x/12.")                          \
    F(7, INSTANCE, "instance", UINT, 0, NONE, "Object Instance ID in /0 (and /1).")                                    \
    F(8, SSID, "ssid", UINT, 0, NONE, "Short Server ID.")                                                              \
    F(9, LIFETIME, "lifetime", DURATION, 0, NONE, "Lifetime, /1/x/1; a day if not given.")                             \
    F(10, BINDING, "binding", STRING, 0, NONE, "Binding, /1/x/7; U if not given.")                                     \
    F(11, SERVER_KEY, "server-key", BYTES, 0, NONE, "Server Public Key, /0/x/4.")                                      \
    F(12, MATCHING, "matching-type", UINT, 0, NONE, "Matching Type, /0/x/13.")                                         \
    F(13, SNI, "sni", STRING, 0, NONE, "SNI, /0/x/14.")                                                                \
    F(14, USAGE, "certificate-usage", UINT, 0, NONE, "Certificate Usage, /0/x/15.")                                    \
    F(15, SUITES, "suites", UINTS, 0, ENUM(BJ_ENUM_SUITE), "DTLS/TLS Ciphersuite, /0/x/16.")

#define BJ_FIELDS_SERVER(F)                                                                                            \
    F(1, HOST, "host", STRING, 0, NONE, "Its name; NAME.example if not given (bs: the host of the bootstrap URI).")    \
    F(2, PORT, "port", UINT, 0, NONE, "5683 if not given (5684 with DTLS, TLS; bs: the port of the bootstrap URI).")   \
    F(3, TRANSPORT, "transport", ENUM, 0, ENUM(BJ_ENUM_TRANSPORT), "udp if not given.")                                \
    F(4, ADDRESSES, "addresses", STRINGS, 0, NONE, "Its addresses; one of 192.0.2.0/24 if not given.")                 \
    F(5, STATE, "state", ENUM, 0, ENUM(BJ_ENUM_PORT), "open if not given.")                                            \
    F(6, NETWORK, "network", RECORD, 0, KIND(LINK), "Conditions of the link to this server.")                          \
    F(7, DEDUPLICATES, "deduplicates", BOOL, 0, NONE,                                                                  \
      "Answers a repeated message as before, by itself; true if not given.")                                           \
    F(8, IDENTITY, "identity", BYTES, 0, NONE, "dtls, tls: PSK identity; those of the accounts for it if not given.")  \
    F(9, KEY, "key", BYTES, 0, NONE, "dtls, tls: the pre-shared key of that identity, 1 to 32 bytes.")                 \
    F(10, CERTIFICATE, "certificate", BYTES, 0, NONE,                                                                  \
      "dtls, tls: its certificate, DER or PEM, and those that lead to its CA.")                                        \
    F(11, PRIVATE_KEY, "private-key", BYTES, 0, NONE, "dtls, tls: the private key of its certificate, DER or PEM.")    \
    F(12, CLIENT_CA, "client-ca", BYTES, 0, NONE,                                                                      \
      "dtls, tls: clients must show a certificate that leads to one of these, DER or PEM.")                            \
    F(13, SUITES, "suites", UINTS, 0, ENUM(BJ_ENUM_SUITE),                                                             \
      "dtls, tls: cipher suites in order of preference; if not given, the four below for which there are credentials.") \
    F(14, COOKIES, "cookies", BOOL, 0, NONE, "dtls: asks for a cookie first (HelloVerifyRequest); true if not given.") \
    F(15, SETTINGS, "settings", BOOL, 0, NONE,                                                                         \
      "tcp, tls: sends its Capabilities and Settings (RFC 8323 section 5.3) by itself; true if not given.")            \
    F(16, PIECES, "pieces", UINT, 0, NONE, "tcp, tls: what it sends leaves in pieces of so many bytes.") \
    F(20, MAX_MESSAGE_SIZE, "max-message-size", UINT, 0, NONE,                                                         \
      "tcp, tls: the largest message that it says to take; 1152 if not given.")

#define BJ_FIELDS_DNS_ANSWER(F)                                                                                        \
    F(1, STATUS, "status", ENUM, 0, ENUM(BJ_ENUM_DNS), "ok if not given.")                                             \
    F(2, ADDRESSES, "addresses", STRINGS, 0, NONE, "IPv4 and IPv6 addresses, or names of servers.")                    \
    F(3, DELAY, "delay", DURATION, 0, NONE, "How long the answer takes; 0 if not given.")                              \
    F(4, TIMES, "times", UINT, 0, NONE, "Then the next answer in the list; left out: for good.")

#define BJ_FIELDS_LINK(F)                                                                                              \
    F(1, LATENCY, "latency", DURATION, 0, NONE, "One way.")                                                            \
    F(2, JITTER, "jitter", DURATION, 0, NONE, "Uniform extra latency.")                                                \
    F(3, LOSS, "loss", UINT, 0, NONE, "Datagrams lost in a million.")                                                  \
    F(4, DUPLICATE, "duplicate", UINT, 0, NONE, "Datagrams doubled in a million.")                                     \
    F(5, REORDER, "reorder", UINT, 0, NONE, "Datagrams in a million that others may overtake.")                        \
    F(6, MTU, "mtu", UINT, 0, NONE, "Largest UDP payload in bytes.")

#define BJ_FIELDS_TRANSMISSION(F)                                                                                      \
    F(1, ACK_TIMEOUT, "ack-timeout", DURATION, 0, NONE, "ACK_TIMEOUT, 2s.")                                            \
    F(2, ACK_RANDOM_FACTOR, "ack-random-factor", STRING, 0, NONE, "ACK_RANDOM_FACTOR, 1.5.")                           \
    F(3, MAX_RETRANSMIT, "max-retransmit", UINT, 0, NONE, "MAX_RETRANSMIT, 4.")

#define BJ_FIELDS_PROFILE(F)                                                                                           \
    F(1, NAME, "name", STRING, BJ_REQUIRED, NONE, "Short name of the client.")                                         \
    F(2, ATTACH, "attach", ENUM, 0, ENUM(BJ_ENUM_ATTACH), "linked, exec or network; exec if not given.")               \
    F(3, COMMAND, "command", STRINGS, 0, NONE,                                                                         \
      "Program and arguments, with {placeholders}; [--flag, {x}] groups vanish "                                       \
      "when x is not set: write them as one string '?--flag {x}'.")                                                    \
    F(4, FACTS, "facts", STRINGS, 0, NONE, "What `when` may ask: strict, transactional, legacy, ...")                  \
    F(5, HOLDOFF_GROWS, "holdoff-grows", BOOL, 0, NONE,                                                                \
      "The hold-off doubles on failure as verdicts.md says; true if not given.")                                       \
    F(6, HOLDOFF_CAP, "holdoff-cap", DURATION, 0, NONE, "Its cap, where the scenario sets none.")                      \
    F(7, HOLDOFF_JITTER, "holdoff-jitter", STRING, 0, NONE, "Its jitter factor, where the scenario sets none.")        \
    F(8, HOLDOFF_LATEST, "holdoff-latest", DURATION, 0, NONE,                                                          \
      "A hold-off longer than /0/x/11 by more than this is a warning.")                                                \
    F(9, DEVIATIONS, "deviations", RECORDS, 0, KIND(DEVIATION), "Known deviations.")                                   \
    F(10, LIBRARY, "library", STRING, 0, NONE, "linked: a shared object that exports bootjack_client; left out: ours.") \
    F(11, FINISH_TIMEOUT, "finish-timeout", DURATION, 0, NONE,                                                         \
      "Its Finish time-out, where it is not EXCHANGE_LIFETIME.")                                                       \
    F(12, TOLERANCE, "tolerance", DURATION, 0, NONE,                                                                   \
      "How late a deadline may be met (clocks of whole seconds, polling).")                                            \
    F(13, ABOUT, "about", STRING, 0, NONE, "Who wrote it, its version, what was verified.")                            \
    F(14, ENVIRONMENT, "environment", STRINGS, 0, NONE, "NAME=VALUE for its process.")                                 \
    F(15, READS_INPUT, "input", ENUM, 0, ENUM(BJ_ENUM_INPUT), "Its standard input: open (nothing comes) or null.")     \
    F(16, FEATURES, "features", UINTS, 0, ENUM(BJ_ENUM_FEATURE),                                                       \
      "Optional features that it has; what needs another is skipped. Left out: it is taken to have them all.")         \
    F(17, SECURITY_RESOURCES, "security-resources", UINTS, 0, NONE,                                                    \
      "Resources of /0 that it has; scenarios about others are skipped. Left out: all.")                               \
    F(18, SERVER_RESOURCES, "server-resources", UINTS, 0, NONE, "The same for /1.")                                    \
    F(19, BUILT_IN, "built-in", RECORD, 0, KIND(BUILT_IN),                                                             \
      "What it is where it cannot be told: scenarios that want another are skipped; their hold-off is replaced.")      \
    F(20, URI_PORTS, "uri-ports", BOOL, 0, NONE,                                                                       \
      "It deviates in taking no server URI without a port: but in scenarios about URIs, the default port is written.") \
    F(21, FACTORY, "factory", STRINGS, 0, NONE,                                                                        \
      "Object Instances that it has from the factory, as /1/0: no scenario minds them until it writes or deletes them.") \
    F(22, COMMANDS, "commands", QUERY, 0, NONE,                                                                        \
      "What one types at its standard input for it to do something, by names that scenarios ask for: {update: u 1}.") \
    F(23, READY, "ready", RECORD, 0, KIND(READY),                                                                      \
      "How to see that it is ready: over the network a scenario's clock begins then.")                                 \
    F(24, STOP, "stop", RECORD, 0, KIND(STOPPING), "How `stop` asks it to stop; by SIGTERM if not given.")
#define BJ_ENUM_ATTACH(X) X(1, "linked") X(2, "exec") X(3, "network")
#define BJ_ENUM_INPUT(X)  X(0, "open") X(1, "null")

/* Named as the placeholders of command lines are, with dashes. */
#define BJ_FIELDS_BUILT_IN(F)                                                                                          \
    F(1, ENDPOINT, "endpoint", STRING, 0, NONE, "Endpoint Client Name.")                                               \
    F(2, HOLDOFF, "holdoff", DURATION, 0, NONE, "Client Hold Off Time of its bootstrap account.")                      \
    F(3, ACCOUNT_TIMEOUT, "account-timeout", DURATION, 0, NONE, "Bootstrap-Server Account Timeout.")                   \
    F(4, ACCOUNT_INSTANCE, "account-instance", UINT, 0, NONE, "Object Instance of its bootstrap account.")             \
    F(5, SSID, "ssid", UINT, 0, NONE, "Short Server ID of its server account.")                                        \
    F(6, LIFETIME, "lifetime", DURATION, 0, NONE, "Lifetime of its server account.")                                   \
    F(7, VERSION, "version", STRING, 0, NONE, "The version of LwM2M that it speaks.")                                  \
    F(8, ACK_TIMEOUT, "ack-timeout", DURATION, 0, NONE, "ACK_TIMEOUT.")                                                \
    F(9, ACK_RANDOM_FACTOR, "ack-random-factor", STRING, 0, NONE, "ACK_RANDOM_FACTOR.")                                \
    F(10, MAX_RETRANSMIT, "max-retransmit", UINT, 0, NONE, "MAX_RETRANSMIT.")                                          \
    F(11, HOLDOFF_CAP, "holdoff-cap", DURATION, 0, NONE, "The cap of its hold-off.")                                   \
    F(12, HOLDOFF_JITTER, "holdoff-jitter", STRING, 0, NONE, "The jitter factor of its hold-off.")                     \
    F(13, IDENTITY, "identity", BYTES, 0, NONE, "PSK identity of its bootstrap account.")                              \
    F(14, KEY, "key", BYTES, 0, NONE, "Pre-shared key of its bootstrap account: scenarios are given this one.")

#define BJ_FIELDS_DEVIATION(F)                                                                                         \
    F(1, SCENARIO, "scenario", STRING, BJ_REQUIRED, NONE,                                                              \
      "Title or file name (with * and ?) of the scenarios that fail.")                                                 \
    F(2, REASON, "reason", STRING, BJ_REQUIRED, NONE, "Why.")                                                          \
    F(3, REFERENCE, "reference", STRING, 0, NONE, "A public reference.")                                               \
    F(4, TEXT, "text", STRING, 0, NONE, "Text that the failure's reason contains.")                                    \
    F(5, RULE, "rule", STRING, 0, NONE,                                                                                \
      "A rule that oracles find broken, in any scenario: `scenario` is of no account then, and nothing need fail.")

#define BJ_FIELDS_READY(F)                                                                                              \
    F(1, OUTPUT, "output", STRING, 0, NONE, "It writes a line that holds this.")                                       \
    F(2, REQUEST, "request", BOOL, 0, NONE, "Its first message is there.")                                             \
    F(3, AFTER, "after", DURATION, 0, NONE, "So much time has passed since its start.")
#define BJ_FIELDS_STOPPING(F)                                                                                           \
    F(1, SIGNAL, "signal", ENUM, BJ_PRIMARY, ENUM(BJ_ENUM_SIGNAL), "By this signal.")                                  \
    F(2, INPUT, "input", STRING, 0, NONE, "By this line at its standard input.")                                       \
    F(3, WITHIN, "within", DURATION, 0, NONE, "It has ended then, as `bootjack client check` proves; 1m if not given.")  \
    F(4, END, "end", BOOL, 0, NONE, "By the end of its standard input.")

#define BJ_FIELDS_RECOVERY(F)                                                                                          \
    F(1, OFF, "off", STRING, BJ_REQUIRED, NONE, "The run ends with the script, for this reason.")

#define BJ_FIELDS_OBSERVED(F) F(1, TEXT, "text", STRING, 0, NONE, "Reserved.")

/* What an awaited message of the client must look like. A field left out is a wildcard. */
#define BJ_FIELDS_REQUEST(F)                                                                                           \
    F(1, TO, "to", STRING, BJ_PRIMARY, NONE, "The server; any if not given.")                                          \
    F(2, METHOD, "method", ENUM, 0, ENUM(BJ_ENUM_METHOD), "")                                                          \
    F(3, PATH, "path", STRING, 0, NONE, "The whole path; * stands for one segment, a trailing /** for any rest.")      \
    F(4, QUERY, "query", QUERY, 0, NONE, "Each of these must be there; `key: \"*\"` for any value. Others may be.")    \
    F(5, WITHOUT, "without", STRINGS, 0, NONE, "Query keys that must not be there.")                                   \
    F(6, TYPE, "type", ENUM, 0, ENUM(BJ_ENUM_MESSAGE_TYPE), "")                                                        \
    F(7, FORMAT, "format", UINT, 0, ENUM(BJ_ENUM_FORMAT), "Content-Format; `none`: the option is absent.")             \
    F(8, ACCEPT, "accept", UINT, 0, ENUM(BJ_ENUM_FORMAT), "Accept.")                                                   \
    F(9, TEXT, "text", STRING, 0, NONE, "The payload as text.")                                                        \
    F(10, HEX, "hex", BYTES, 0, NONE, "The payload as bytes; empty: there is none.")                                   \
    F(11, HAS, "has", STRINGS, 0, NONE, "Links that the link-format payload must hold, e.g. /1/0 or </1/0>;ssid=101.") \
    F(12, LACKS, "lacks", STRINGS, 0, NONE,                                                                            \
      "Links (path, or path and attribute) that it must not hold; /0/* for any.")                                      \
    F(13, AT, "at", WHEN, 0, NONE, "When it must come, counted from the end of the previous step.")                    \
    F(14, WITHIN, "within", DURATION, 0, NONE, "It must come no later than that after the previous step's end.")       \
    F(15, CAPTURE, "capture", STRING, 0, NONE, "Keeps this exchange (for `respond: ..., to: NAME`) under a name.")     \
    F(16, FROM, "from", STRING, 0, NONE, "client: for the reader.")                                                    \
    F(17, TLV, "tlv", VALUES, 0, NONE, "The same as `values`.")                                                        \
    F(18, VALUES, "values", VALUES, 0, NONE,                                                                           \
      "LwM2M values that the decoded payload must hold, whatever its format, below their Objects.")                    \
    F(30, OTHER_MID_THAN, "other-mid-than", STRING, 0, NONE,                                                           \
      "A captured exchange: its Message ID must be another.")                                                          \
    F(31, BLOCK, "block", UINT, 0, NONE,                                                                               \
      "If it comes in blocks (RFC 7959 section 2.5), the server asks for blocks of at most so many bytes.")            \
    F(32, PART, "part", BOOL, 0, NONE,                                                                                 \
      "One block of a request that comes in blocks: the script answers it. Otherwise the server takes them all, and "  \
      "the step sees the whole request.")

#define BJ_FIELDS_RESPOND(F)                                                                                           \
    F(1, CODE, "code", CODES, BJ_PRIMARY, NONE, "The code; one.")                                                      \
    F(2, TO, "to", STRING, 0, NONE, "A captured exchange; the one awaited last if not given.")                         \
    F(3, SEPARATE, "separate", BOOL, 0, NONE, "An empty ACK first, then a confirmable response.")                      \
    F(4, AFTER, "after", DURATION, 0, NONE,                                                                            \
      "The response (with separate: the second message) leaves so much later. The script goes on when it left.")       \
    F(5, TYPE, "type", ENUM, 0, ENUM(BJ_ENUM_MESSAGE_TYPE), "Another type than usual.")                                \
    F(6, LOCATION, "location", STRING, 0, NONE, "Location-Path, /rd/1: one option a segment.")                         \
    F(7, FORMAT, "format", UINT, 0, ENUM(BJ_ENUM_FORMAT), "Content-Format.")                                           \
    F(8, TEXT, "text", STRING, 0, NONE, "Payload as text.")                                                            \
    F(9, HEX, "hex", BYTES, 0, NONE, "Payload as bytes.")                                                              \
    F(10, TLV, "tlv", VALUES, 0, NONE, "Payload in TLV; Content-Format 11542 unless given.")                           \
    F(11, WRONG, "wrong", ENUM, 0, ENUM(BJ_ENUM_WRONG),                                                                \
      "The response carries a wrong token, a wrong Message ID, or comes from another port.")                           \
    F(12, RESET, "reset", BOOL, 0, NONE, "RST in place of a response.")                                                \
    F(13, OPTIONS, "options", OPTIONS, 0, NONE, "More options.")                                                       \
    F(14, VALUES, "values", VALUES, 0, NONE, "Payload in the format that `format` names, TLV if not given.")           \
    F(15, BLOCK, "block", UINT, 0, NONE,                                                                               \
      "In blocks of so many bytes (RFC 7959 section 2.4); the server answers requests for the next ones by itself.")

/* What it shares with `respond` has the same numbers. */
#define BJ_FIELDS_PACK(F)                                                                                              \
    F(1, CODE, "code", CODES, 0, NONE, "2.05 if not given.")                                                           \
    F(2, TO, "to", STRING, 0, NONE, "A captured exchange; the one awaited last if not given.")                         \
    F(3, SEPARATE, "separate", BOOL, 0, NONE, "An empty ACK first, then a confirmable response.")                      \
    F(4, AFTER, "after", DURATION, 0, NONE, "It leaves so much later. The script goes on when it left.")               \
    F(7, FORMAT, "format", UINT, 0, ENUM(BJ_ENUM_FORMAT), "Content-Format; what the request accepts if not given.")    \
    F(8, TEXT, "text", STRING, 0, NONE, "The pack as text.")                                                           \
    F(9, HEX, "hex", BYTES, 0, NONE, "The pack as bytes.")                                                             \
    F(13, OPTIONS, "options", OPTIONS, 0, NONE, "More options.")                                                       \
    F(14, VALUES, "values", VALUES, BJ_PRIMARY, NONE, "What it holds: Objects, their instances, resources.")           \
    F(15, BLOCK, "block", UINT, 0, NONE,                                                                               \
      "In blocks of so many bytes; the server answers requests for the next ones by itself.")

#define BJ_FIELDS_SILENCE(F)                                                                                           \
    F(1, FOR, "for", WHEN, BJ_PRIMARY | BJ_REQUIRED, NONE,                                                             \
      "Until then, counted from the end of the previous step; the early end of a range.")                              \
    F(2, SERVER, "server", STRING, 0, NONE, "Towards this server; towards all if not given.")

/* What a server sends as a request, and what it expects. */
#define BJ_FIELDS_OPERATION_COMMON(F)                                                                                  \
    F(1, PATH, "path", STRING, BJ_PRIMARY, NONE, "/, /o, /o/i, /o/i/r, ...")                                           \
    BJ_FIELDS_OPERATION_WITHOUT_PATH(F)
#define BJ_FIELDS_OPERATION_WITHOUT_PATH(F)                                                                            \
    F(2, SERVER, "server", STRING, 0, NONE, "Which server; bs if not given.")                                          \
    F(3, EXPECT, "expect", CODES, 0, NONE, "Code of the response, or a list of codes; any if not given.")              \
    F(4, WITHIN, "within", DURATION, 0, NONE, "The response comes no later than that after sending.")                  \
    F(5, WAIT, "wait", BOOL, 0, NONE, "false: the script goes on at once; await the answer with `response`.")          \
    F(6, TYPE, "type", ENUM, 0, ENUM(BJ_ENUM_MESSAGE_TYPE), "CON if not given.")                                       \
    F(7, OPTIONS, "options", OPTIONS, 0, NONE, "More options.")                                                        \
    F(8, AT, "at", WHEN, 0, NONE,                                                                                      \
      "Sent at that time (the early end of a range), counted from the end of the previous step.")                      \
    F(9, TOLERATE, "tolerate", CODES, 0, NONE, "Codes off the table that give a warning and not a failure.")           \
    F(10, EMPTY_SEGMENT, "empty-segment", BOOL, 0, NONE, "One empty Uri-Path option in place of none (for /).")        \
    F(11, QUERY, "query", QUERY, 0, NONE, "Uri-Query options.")

#define BJ_FIELDS_WRITE(F)                                                                                             \
    BJ_FIELDS_OPERATION_COMMON(F)                                                                                      \
    F(16, TLV, "tlv", VALUES, 0, NONE, "Payload in TLV.")                                                              \
    F(17, TEXT, "text", STRING, 0, NONE, "Payload as text; Content-Format 0 unless given.")                            \
    F(18, HEX, "hex", BYTES, 0, NONE, "Payload as bytes; Content-Format 11542 unless given.")                          \
    F(19, FORMAT, "format", UINT, 0, ENUM(BJ_ENUM_FORMAT), "Content-Format; `none` leaves the option out.")            \
    F(20, METHOD, "method", ENUM, 0, ENUM(BJ_ENUM_METHOD), "PUT if not given.")                                        \
    F(21, BLOCK, "block", UINT, 0, NONE,                                                                               \
      "Block-wise (RFC 7959), blocks of so many bytes; over 1024, for TCP and TLS only, with BERT (RFC 8323 section 6).") \
    F(22, VALUES, "values", VALUES, 0, NONE, "Payload in the format that `format` names, TLV if not given.")
#define BJ_FIELDS_DELETE(F) BJ_FIELDS_OPERATION_COMMON(F)
#define BJ_FIELDS_DISCOVER(F)                                                                                          \
    BJ_FIELDS_OPERATION_COMMON(F)                                                                                      \
    F(16, HAS, "has", STRINGS, 0, NONE, "Links that the answer must hold, e.g. /0/1 or </0/0>;ssid=101.")              \
    F(17, LACKS, "lacks", STRINGS, 0, NONE, "Links that it must not hold; /0/* for any.")                              \
    F(18, ACCEPT, "accept", UINT, 0, ENUM(BJ_ENUM_FORMAT), "link if not given.")
#define BJ_FIELDS_READ(F)                                                                                              \
    BJ_FIELDS_OPERATION_COMMON(F)                                                                                      \
    F(16, TLV, "tlv", VALUES, 0, NONE, "The same as `values`.")                                                        \
    F(17, LACKS, "lacks", STRINGS, 0, NONE, "Paths that it must not hold.")                                            \
    F(18, ACCEPT, "accept", UINT, 0, ENUM(BJ_ENUM_FORMAT), "Accept; none if not given.")                               \
    F(19, TEXT, "text", STRING, 0, NONE, "The answer as text.")                                                        \
    F(20, VALUES, "values", VALUES, 0, NONE, "Values that the decoded answer must hold, whatever its format.")
#define BJ_FIELDS_FINISH(F)                                                                                            \
    BJ_FIELDS_OPERATION_COMMON(F)                                                                                      \
    F(16, HEX, "hex", BYTES, 0, NONE, "A payload, which is not lawful.")

/* Operations of LwM2M Servers; the numbers are those of `write` and `read` where they say the same. */
#define BJ_FIELDS_EXECUTE(F)                                                                                           \
    BJ_FIELDS_OPERATION_COMMON(F)                                                                                      \
    F(17, ARGUMENTS, "arguments", STRING, 0, NONE, "Arguments, e.g. 0='a',1; Content-Format 0.")
#define BJ_FIELDS_CREATE(F)                                                                                            \
    BJ_FIELDS_OPERATION_COMMON(F)                                                                                      \
    F(16, TLV, "tlv", VALUES, 0, NONE, "Payload in TLV: the new instance by its id.")                                  \
    F(18, HEX, "hex", BYTES, 0, NONE, "Payload as bytes; Content-Format 11542 unless given.")                          \
    F(19, FORMAT, "format", UINT, 0, ENUM(BJ_ENUM_FORMAT), "Content-Format; `none` leaves the option out.")            \
    F(22, VALUES, "values", VALUES, 0, NONE, "Payload in the format that `format` names, TLV if not given.")           \
    F(23, RESOURCES, "resources", VALUES, 0, NONE, "Payload in TLV without an instance: the client chooses its id.")
#define BJ_FIELDS_WRITE_ATTRIBUTES(F)                                                                                  \
    BJ_FIELDS_OPERATION_COMMON(F)                                                                                      \
    F(16, SET, "set", QUERY, 0, NONE, "Attributes, {pmin: 10, gt: 5}; `pmax: ~` takes one away.")
#define BJ_FIELDS_OBSERVED_CONTENT(F)                                                                                  \
    F(17, LACKS, "lacks", STRINGS, 0, NONE, "Paths that it must not hold.")                                            \
    F(18, ACCEPT, "accept", UINT, 0, ENUM(BJ_ENUM_FORMAT), "Accept; none if not given.")                               \
    F(19, TEXT, "text", STRING, 0, NONE, "The answer as text.")                                                        \
    F(20, VALUES, "values", VALUES, 0, NONE, "Values that the decoded answer must hold, whatever its format.")
#define BJ_FIELDS_OBSERVE(F)                                                                                           \
    BJ_FIELDS_OPERATION_COMMON(F)                                                                                      \
    BJ_FIELDS_OBSERVED_CONTENT(F)                                                                                      \
    F(21, NAME, "name", STRING, 0, NONE, "What `notification` and `cancel` call it; the latest if they do not.")
#define BJ_FIELDS_NOTIFICATION(F)                                                                                      \
    F(1, OF, "of", STRING, BJ_PRIMARY, NONE, "The name of its observation; the latest if not given.")                  \
    F(2, SERVER, "server", STRING, 0, NONE, "Whose observation; any if not given.")                                    \
    F(3, CODE, "codes", CODES, 0, NONE, "Its code, or a list of codes; 2.05 if not given.")                            \
    F(4, TYPE, "type", ENUM, 0, ENUM(BJ_ENUM_MESSAGE_TYPE), "CON, NON; any if not given.")                             \
    F(5, FORMAT, "format", UINT, 0, ENUM(BJ_ENUM_FORMAT), "Its Content-Format.")                                       \
    F(6, AT, "at", WHEN, 0, NONE, "When it must be sent, counted from the end of the previous step.")                  \
    F(7, WITHIN, "within", DURATION, 0, NONE, "No later than that; 100s if not given.")                                \
    F(8, VALUES, "values", VALUES, 0, NONE, "Values that it must hold, whatever its format.")                          \
    F(9, TEXT, "text", STRING, 0, NONE, "Its payload as text.")                                                        \
    F(10, LACKS, "lacks", STRINGS, 0, NONE, "Paths that it must not hold.")
#define BJ_FIELDS_CANCEL(F)                                                                                            \
    F(1, OF, "of", STRING, BJ_PRIMARY, NONE, "The name of the observation; the latest if not given.")                  \
    BJ_FIELDS_OPERATION_WITHOUT_PATH(F)                                                                                \
    F(16, RESET, "reset", BOOL, 0, NONE, "Nothing is sent now: the next notification is answered with RST.")
#define BJ_FIELDS_READ_COMPOSITE(F)                                                                                    \
    F(1, PATHS, "paths", STRINGS, BJ_PRIMARY, NONE, "Paths, / for all.")                                               \
    BJ_FIELDS_OPERATION_WITHOUT_PATH(F)                                                                                \
    BJ_FIELDS_OBSERVED_CONTENT(F)                                                                                      \
    F(22, FORMAT, "format", UINT, 0, ENUM(BJ_ENUM_FORMAT),                                                             \
      "Of the paths: senml-json, senml-cbor (if not given), lwm2m-cbor.")
#define BJ_FIELDS_WRITE_COMPOSITE(F)                                                                                   \
    BJ_FIELDS_OPERATION_WITHOUT_PATH(F)                                                                                \
    F(18, HEX, "hex", BYTES, 0, NONE, "Payload as bytes.")                                                             \
    F(19, FORMAT, "format", UINT, 0, ENUM(BJ_ENUM_FORMAT), "senml-json, senml-cbor (if not given), lwm2m-cbor.")       \
    F(22, VALUES, "values", VALUES, 0, NONE, "Values, below their Objects.")
#define BJ_FIELDS_OBSERVE_COMPOSITE(F)                                                                                 \
    BJ_FIELDS_READ_COMPOSITE(F)                                                                                        \
    F(21, NAME, "name", STRING, 0, NONE, "What `notification` and `cancel` call it; the latest if they do not.")

#define BJ_FIELDS_RAW(F)                                                                                               \
    F(1, HEX, "hex", BYTES, BJ_PRIMARY | BJ_REQUIRED, NONE, "The datagram.")                                           \
    F(2, SERVER, "server", STRING, 0, NONE, "Which server sends it; bs if not given.")                                 \
    F(3, SOURCE, "source", STRING, 0, NONE, "From another address and port.")                                          \
    F(4, AT, "at", WHEN, 0, NONE, "Sent at that time.")                                                                \
    F(5, CLEAR, "clear", BOOL, 0, NONE,                                                                                \
      "dtls, tls: to the client of the latest handshake, as a record that nothing protects or that is none.")
#define BJ_FIELDS_MESSAGE(F)                                                                                           \
    F(1, CODE, "code", CODES, BJ_PRIMARY, NONE, "Method or response code.")                                            \
    F(2, SERVER, "server", STRING, 0, NONE, "Which server sends it; bs if not given.")                                 \
    F(3, TYPE, "type", ENUM, 0, ENUM(BJ_ENUM_MESSAGE_TYPE), "CON if not given.")                                       \
    F(4, MID, "mid", UINT, 0, NONE, "Message ID; the next if not given.")                                              \
    F(5, TOKEN, "token", BYTES, 0, NONE, "Token; a new one if not given.")                                             \
    F(6, PATH, "path", STRING, 0, NONE, "Uri-Path.")                                                                   \
    F(7, QUERY, "query", QUERY, 0, NONE, "Uri-Query.")                                                                 \
    F(8, OPTIONS, "options", OPTIONS, 0, NONE, "More options.")                                                        \
    F(9, FORMAT, "format", UINT, 0, ENUM(BJ_ENUM_FORMAT), "Content-Format.")                                           \
    F(10, ACCEPT, "accept", UINT, 0, ENUM(BJ_ENUM_FORMAT), "Accept.")                                                  \
    F(11, HEX, "hex", BYTES, 0, NONE, "Payload.")                                                                      \
    F(12, TEXT, "text", STRING, 0, NONE, "Payload as text.")                                                           \
    F(13, TLV, "tlv", VALUES, 0, NONE, "Payload in TLV.")                                                              \
    F(14, VERSION, "version", UINT, 0, NONE, "Version field, 1 if not given.")                                         \
    F(15, TOKEN_LENGTH, "token-length", UINT, 0, NONE, "Token Length field, that of the token if not given.")          \
    F(16, EXPECT, "expect", CODES, 0, NONE, "Await a response with one of these codes.")                               \
    F(17, WITHIN, "within", DURATION, 0, NONE, "How long for.")                                                        \
    F(18, SOURCE, "source", STRING, 0, NONE, "From another address and port.")                                         \
    F(19, AT, "at", WHEN, 0, NONE, "Sent at that time.")                                                               \
    F(20, VALUES, "values", VALUES, 0, NONE, "Payload in the format that `format` names, TLV if not given.")
#define BJ_FIELDS_RESPONSE(F)                                                                                          \
    F(1, EXPECT, "expect", CODES, BJ_PRIMARY, NONE, "Code, or a list of codes; any if not given.")                     \
    F(2, SERVER, "server", STRING, 0, NONE, "To which server; bs if not given.")                                       \
    F(3, AT, "at", WHEN, 0, NONE, "When it must come.")                                                                \
    F(4, WITHIN, "within", DURATION, 0, NONE, "No later than that after the previous step's end.")                     \
    F(5, TOLERATE, "tolerate", CODES, 0, NONE, "Codes off the table that give a warning.")
#define BJ_FIELDS_ADVANCE(F)                                                                                           \
    F(1, FOR, "for", WHEN, BJ_PRIMARY | BJ_REQUIRED, NONE, "Until then, counted from the end of the previous step.")
#define BJ_FIELDS_EITHER(F)                                                                                            \
    F(1, BRANCHES, "branches", BRANCHES, BJ_PRIMARY | BJ_REQUIRED, NONE, "The continuations, by name.")
#define BJ_FIELDS_WHEN(F)                                                                                              \
    F(1, FACT, "fact", ENUM, BJ_PRIMARY | BJ_REQUIRED, ENUM(BJ_ENUM_FACT), "A fact of the client's profile.")          \
    F(2, STEPS, "steps", STEPS, 0, NONE, "What happens when it is true.")                                              \
    F(3, OTHERWISE, "otherwise", STEPS, 0, NONE, "What happens when it is not.")
#define BJ_FIELDS_REPEAT(F)                                                                                            \
    F(1, TIMES, "times", UINT, BJ_PRIMARY, NONE, "How often.")                                                         \
    F(2, UNTIL, "until", DURATION, 0, NONE, "Begins again until this much time has passed since the first.")           \
    F(3, STEPS, "steps", STEPS, BJ_REQUIRED, NONE, "The steps.")
#define BJ_FIELDS_FAULT(F)                                                                                             \
    F(1, KIND, "kind", ENUM, BJ_PRIMARY | BJ_REQUIRED, ENUM(BJ_ENUM_FAULT),                                            \
      "drop, delay, duplicate, truncate, corrupt.")                                                                    \
    F(2, FROM, "from", STRING, 0, NONE, "Whose datagrams: client or a server; any if not given.")                      \
    F(3, TO, "to", STRING, 0, NONE, "To whom; any if not given.")                                                      \
    F(4, SKIP, "skip", UINT, 0, NONE, "So many pass first.")                                                           \
    F(5, COUNT, "count", UINT, 0, NONE, "So many are struck; 1 if not given, 0 = all until `off`.")                    \
    F(6, DELAY, "delay", DURATION, 0, NONE, "delay, duplicate: how much later.")                                       \
    F(7, BYTES, "bytes", UINT, 0, NONE, "truncate: bytes that are left; corrupt: which byte.")                         \
    F(8, OFF, "off", BOOL, 0, NONE, "Takes all faults back.")
#define BJ_FIELDS_NETWORK(F)                                                                                           \
    BJ_FIELDS_LINK(F)                                                                                                  \
    F(16, SERVER, "server", STRING, 0, NONE, "The link to this server; all if not given.")
#define BJ_FIELDS_PORT(F)                                                                                              \
    F(1, STATE, "state", ENUM, BJ_PRIMARY | BJ_REQUIRED, ENUM(BJ_ENUM_PORT), "open, closed, silent.")                  \
    F(2, SERVER, "server", STRING, 0, NONE, "bs if not given.")
#define BJ_FIELDS_RESTART(F) F(1, SERVER, "server", STRING, BJ_PRIMARY, NONE, "bs if not given.")
#define BJ_FIELDS_DNS(F)                                                                                               \
    F(1, NAME, "name", STRING, BJ_PRIMARY | BJ_REQUIRED, NONE, "The name.")                                            \
    F(2, ANSWERS, "answers", RECORDS, BJ_REQUIRED, KIND(DNS_ANSWER), "One after the other, the last for good.")
#define BJ_FIELDS_STOP(F) F(1, SIGNAL, "signal", ENUM, BJ_PRIMARY, ENUM(BJ_ENUM_SIGNAL), "term if not given.")
#define BJ_FIELDS_INPUT(F)                                                                                             \
    F(1, LINE, "line", STRING, BJ_PRIMARY, NONE, "What is typed; a newline follows.")                                  \
    F(2, COMMAND, "command", STRING, 0, NONE,                                                                          \
      "Or a command of its profile (`commands`); clients that have none of that name are skipped.")                    \
    F(3, END, "end", BOOL, 0, NONE, "The end of the input follows, or is all.")
#define BJ_FIELDS_EXIT(F)                                                                                              \
    F(1, STATUS, "status", UINT, BJ_PRIMARY, NONE, "Exit status; any if not given.")                                   \
    F(2, WITHIN, "within", DURATION, 0, NONE, "No later than that.")
#define BJ_FIELDS_RESET(F)                                                                                             \
    F(1, SERVER, "server", STRING, BJ_PRIMARY, NONE, "bs if not given.")                                               \
    F(2, WITHIN, "within", DURATION, 0, NONE, "No later than that.")
#define BJ_FIELDS_ACK(F) BJ_FIELDS_RESET(F)
#define BJ_FIELDS_AGAIN(F)                                                                                             \
    F(1, SERVER, "server", STRING, BJ_PRIMARY, NONE, "bs if not given.")                                               \
    F(2, WITHIN, "within", DURATION, 0, NONE, "No later than that.")                                                   \
    F(3, AT, "at", WHEN, 0, NONE, "Sent at that time.")                                                                \
    F(4, EXPECT, "expect", CODES, 0, NONE,                                                                             \
      "Codes of the answer, which then may be another than before; left out: it is the same, byte for byte.")
#define BJ_FIELDS_DEPARTURE(F)                                                                                         \
    F(1, TO, "to", STRING, BJ_PRIMARY, NONE, "The server; any if not given.")                                          \
    F(2, METHOD, "method", ENUM, 0, ENUM(BJ_ENUM_METHOD), "")                                                          \
    F(3, AT, "at", WHEN, 0, NONE, "When it must leave, counted from the end of the previous step.")                    \
    F(4, WITHIN, "within", DURATION, 0, NONE, "It must leave no later than that; 100s if not given.")
#define BJ_FIELDS_RETRANSMISSION(F)                                                                                    \
    F(1, NUMBER, "number", UINT, BJ_PRIMARY, NONE, "The how-manieth, from 1.")                                         \
    F(2, TO, "to", STRING, 0, NONE, "The server; any if not given.")                                                   \
    F(3, AT, "at", WHEN, 0, NONE, "When; due(retransmit) if not given.")
#define BJ_FIELDS_NOTE(F)         F(1, TEXT, "text", STRING, BJ_PRIMARY | BJ_REQUIRED, NONE, "The line.")
#define BJ_FIELDS_INCONCLUSIVE(F) F(1, TEXT, "text", STRING, BJ_PRIMARY | BJ_REQUIRED, NONE, "The gap, named.")
#define BJ_FIELDS_IGNORE(F)       F(1, NOTE, "note", STRING, 0, NONE, "Why, for the reader.")
#define BJ_FIELDS_HANDSHAKE(F)                                                                                         \
    F(1, TO, "to", STRING, BJ_PRIMARY | BJ_REQUIRED, NONE, "The server.")                                              \
    F(2, ENDS, "ends", ENUM, 0, ENUM(BJ_ENUM_ENDS), "How; if not given: well, and with `alert` refused.")              \
    F(3, SNI, "sni", STRING, 0, NONE, "The name that the client asks for (Server Name Indication); \"\": none.")       \
    F(4, ALERT, "alert", UINTS, 0, NONE, "The alert with which the client refuses: one of these.")                     \
    F(5, SUITE, "suite", UINT, 0, ENUM(BJ_ENUM_SUITE), "The cipher suite.")                                            \
    F(6, WITHIN, "within", DURATION, 0, NONE, "It must end no later than that; 100s if not given.")
#define BJ_ENUM_ENDS(X) X(1, "well") X(2, "refused") X(3, "badly")
#define BJ_FIELDS_STATE_FILE(F)                                                                                        \
    F(1, TEXT, "text", STRING, 0, NONE, "What it holds, as text.")                                                     \
    F(2, HEX, "hex", BYTES, 0, NONE, "What it holds; with neither there is no file.")                                  \
    F(3, MODE, "mode", STRING, 0, NONE, "Its permission bits in octal, \"0600\" if not given.")
#define BJ_FIELDS_START(F) F(1, NOTE, "note", STRING, 0, NONE, "Why, for the reader.")
#define BJ_FIELDS_POWER_CUT(F)                                                                                         \
    F(1, KEEPS, "keeps", ENUM, BJ_PRIMARY, ENUM(BJ_ENUM_KEEPS),                                                        \
      "What the disk keeps of what was not synced: all, none, torn, or drawn by the seed, if not given.")              \
    F(2, OUTCOME, "outcome", UINT, 0, NONE, "The state of the disk by its number, as the log tells it.")               \
    F(3, AT_OPERATION, "at-operation", UINT, 0, NONE,                                                                  \
      "Not now, but behind the N-th operation on the disk from now on; awaits it.")                                    \
    F(4, WITHIN, "within", DURATION, 0, NONE, "at-operation: no later than that.")
#define BJ_FIELDS_DISK(F)                                                                                              \
    F(1, FAULT, "fault", ENUM, BJ_PRIMARY, ENUM(BJ_ENUM_DISK), "The error; well: no more of them.")                    \
    F(2, ON, "on", ENUM, 0, ENUM(BJ_ENUM_DISK_USE), "Which operations fail; any if not given.")                        \
    F(3, SKIP, "skip", UINT, 0, NONE, "So many go well first.")                                                        \
    F(4, COUNT, "count", UINT, 0, NONE, "So many fail; 1 if not given, 0 = all until `disk: well`.")                   \
    F(5, SPACE, "space", UINT, 0, NONE, "Bytes of room for all files together; 16 MiB if never given.")
#define BJ_FIELDS_FILE(F)                                                                                              \
    F(1, NAME, "name", STRING, BJ_PRIMARY, NONE, "Its name; state (where {state} leads) if not given.")                \
    F(2, EXISTS, "exists", BOOL, 0, NONE, "Whether it is there; true if not given.")                                   \
    F(3, MODE, "mode", STRING, 0, NONE, "Its permission bits in octal.")                                               \
    F(4, TEXT, "text", STRING, 0, NONE, "What it holds, as text.")                                                     \
    F(5, HEX, "hex", BYTES, 0, NONE, "What it holds.")                                                                 \
    F(6, WITHOUT, "without", STRINGS, 0, NONE, "Texts that it must not hold.")
/* How a connection or a handshake ends; left out, the step is over when it begins. */
#define BJ_ENUM_OUTCOME(X) X(1, "established") X(2, "refused") X(3, "rejected") X(4, "broken") X(5, "given-up")
#define BJ_FIELDS_CONTACT(F, ends)                                                                                     \
    F(1, TO, "to", STRING, BJ_PRIMARY, NONE, "The server; any if not given.")                                          \
    F(2, AT, "at", WHEN, 0, NONE, "When it must begin, counted from the end of the previous step.")                    \
    F(3, WITHIN, "within", DURATION, 0, NONE, "It must begin no later than that after the previous step's end.")       \
    F(4, ENDS, "ends", ENUM, 0, ENUM(BJ_ENUM_OUTCOME), ends)
#define BJ_FIELDS_CLIENT_HELLO(F)                                                                                         \
    BJ_FIELDS_CONTACT(F,                                                                                  \
                      "established, refused (the server sends a fatal alert), rejected (the client does), broken "     \
                      "(the connection ends), given-up (the client begins anew, or closes); left out: it has begun.")  \
    F(5, ALERT, "alert", UINT, 0, ENUM(BJ_ENUM_ALERT), "The alert with which it is refused or rejected.")              \
    F(6, NAME, "name", STRING, 0, NONE, "Server Name Indication; empty: there is none.")                               \
    F(7, OFFERS, "offers", UINTS, 0, ENUM(BJ_ENUM_SUITE), "Cipher suites that the client must offer, among others.")   \
    F(8, WITHHOLDS, "withholds", UINTS, 0, ENUM(BJ_ENUM_SUITE), "Cipher suites that it must not offer.")               \
    F(9, IDENTITY, "identity", BYTES, 0, NONE, "The PSK identity that the client shows.")                              \
    F(10, SUITE, "suite", UINT, 0, ENUM(BJ_ENUM_SUITE), "The cipher suite that is agreed upon.")
#define BJ_ENUM_LEVEL(X)  X(1, "warning") X(2, "fatal")
#define BJ_ENUM_HANGUP(X) X(1, "reset") X(2, "close") X(3, "notify")
#define BJ_FIELDS_ALERT(F)                                                                                             \
    F(1, WHICH, "which", UINT, BJ_PRIMARY | BJ_REQUIRED, ENUM(BJ_ENUM_ALERT), "Name or number, RFC 5246 section 7.2.") \
    F(2, SERVER, "server", STRING, 0, NONE, "bs if not given.")                                                        \
    F(3, LEVEL, "level", ENUM, 0, ENUM(BJ_ENUM_LEVEL), "fatal if not given; close_notify: warning.")                   \
    F(4, AT, "at", WHEN, 0, NONE, "Sent at that time.")
#define BJ_FIELDS_HANG_UP(F)                                                                                           \
    F(1, HOW, "how", ENUM, BJ_PRIMARY | BJ_REQUIRED, ENUM(BJ_ENUM_HANGUP),                                             \
      "reset (TCP), close (TCP, in order, without a word), notify (DTLS, TLS: with a close_notify alert).")            \
    F(2, SERVER, "server", STRING, 0, NONE, "bs if not given.")                                                        \
    F(3, AT, "at", WHEN, 0, NONE, "At that time.")
#define BJ_FIELDS_CONNECTION(F)                                                                                        \
    BJ_FIELDS_CONTACT(F,                                                                                 \
                      "established, refused (nobody listens), broken (reset, or no answer), given-up (the client "     \
                      "closes it before); left out: it has begun.")

/* clang-format on */

/* --- what is generated from the above --------------------------------------------------------- */

typedef enum bj_kind {
    BJ_K_NONE = 0,
#define BJ_KIND_ENUM(number, NAME, name, verb, doc, example) BJ_K_##NAME = (number),
    BJ_RECORD_KINDS(BJ_KIND_ENUM)
#undef BJ_KIND_ENUM
} bj_kind;

/* Field numbers: BJ_F(WRITE, PATH) is 1. Use as bj_get(record, BJ_F(WRITE, PATH)). */
#define BJ_F(KIND, FIELD) BJ_F_##KIND##_##FIELD

typedef struct bj_enum_value {
    uint32_t number;
    const char *name;
} bj_enum_value;

typedef struct bj_field_def {
    uint8_t number;
    uint8_t type;  /* bj_type */
    uint8_t flags; /* BJ_REQUIRED, BJ_PRIMARY */
    uint8_t kind;  /* bj_kind of the records inside, or 0 */
    const char *name;
    const char *doc;
    const bj_enum_value *values; /* ended by a NULL name; or NULL */
} bj_field_def;

enum { BJ_LIMIT_FIELDS = 127 }; /* of a kind of record */

typedef struct bj_record_def {
    uint8_t kind;
    bool verb;
    uint8_t field_limit; /* above the numbers of all fields */
    uint8_t required;    /* how many fields are BJ_REQUIRED */
    const char *name;
    const char *doc;
    const char *example; /* a step in YAML as it stands behind "- ", or NULL */
    const bj_field_def *fields;
    size_t field_count;
} bj_record_def;

#include "script/schema_fields.h" /* the enumerations BJ_F_KIND_FIELD, one block a record kind */

const bj_record_def *bj_record_def_of(bj_kind kind); /* NULL for an unknown number */
size_t bj_record_def_count(void);
const bj_record_def *bj_record_def_at(size_t index); /* in order of the list; NULL behind the last */
const bj_record_def *bj_verb_named(const char *name, size_t length);
size_t bj_verb_count(void);
const bj_record_def *bj_verb_at(size_t index); /* as bj_record_def_at(), of verbs alone */
const bj_field_def *bj_field_numbered(const bj_record_def *def, unsigned number);
const bj_field_def *bj_field_named(const bj_record_def *def, const char *name, size_t length);
const bj_field_def *bj_field_primary(const bj_record_def *def);         /* NULL when there is none */
const char *bj_enum_name(const bj_enum_value *values, uint32_t number); /* NULL when there is none */

#endif
