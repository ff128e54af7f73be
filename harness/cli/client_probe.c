/* SPDX-License-Identifier: Apache-2.0
 *
 * Small scenarios that ask a client what it has: each passes with a client that has the feature or the fact, and, as
 * far as a server can see, with no other. What is made of the answers is client_claims.c's.
 */
#define _GNU_SOURCE
#include <string.h>

#include "attach/fit.h"
#include "cli/cli.h"
#include "cli/client_probe_keys.h"
#include "cli/client_tools.h"
#include "script/load.h"
#include "wire/coap.h"

#define BARE "bootstrap: {uri: \"coap://bs.example\"}"

/* The server account that stands at the end of each session. */
#define NOSEC        "1: false, 2: 3, 3: !hex \"\", 4: !hex \"\", 5: !hex \"\", 10: 101"
#define ACCOUNT(uri) "  - {write: /0/8, tlv: {0: \"" uri "\", " NOSEC "}, expect: 2.04}\n"
#define SECURITY     ACCOUNT("coap://mgmt.example:5683")
#define BOUND(b)     "  - {write: /1/0, tlv: {0: 101, 1: 86400, 6: false, 7: " b "}, expect: 2.04}\n"
#define SERVER       BOUND("U")
#define FINISH       "  - finish: {expect: 2.04}\n"
#define REGISTERS(s) "  - request: {to: mgmt, method: POST, path: /rd" s "}\n  - {respond: 2.01, location: /rd/1}\n"
#define REGISTER     REGISTERS("")
#define REQUEST      "  - request: {to: bs, method: POST, path: /bs}\n  - respond: 2.04\n"
#define OFF          "recovery: {off: \"a probe\"}\n"

const char cli_probe_plain[] =
    "title: A plain bootstrap\nclient: {" BARE "}\n" OFF "steps:\n" REQUEST SECURITY SERVER FINISH REGISTER;

/* --- formats: an account is written, and the client comes to where it says ------------------------------------ */

#define WRITTEN_IN(format)                                                                                             \
    "  - {write: /0/8, format: " format ", values: {0: \"coap://mgmt.example:5683\", " NOSEC "}, expect: 2.04}\n"      \
    "  - {write: /1/0, format: " format ", values: {0: 101, 1: 600, 6: false, 7: U}, expect: 2.04}\n" FINISH REGISTER

static const char in_text[] = ACCOUNT("coap://elsewhere.example:5683") SERVER
    "  - {write: /0/8/0, text: \"coap://mgmt.example:5683\", expect: 2.04}\n" FINISH REGISTER;

/* Nobody can look at what was written; who takes three bytes for a number takes everything. */
static const char in_opaque[] = SECURITY "  - {write: /0/8/3, hex: 00ff, format: opaque, expect: 2.04}\n"
                                         "  - {write: /0/8/10, hex: 0000ff, format: opaque, expect: [4.xx, 5.xx]}\n";

static const char in_blocks[] = "  - {write: /0/8, tlv: {0: \"coap://mgmt.example:5683\", " NOSEC
                                "}, block: 16, expect: 2.04}\n" SERVER FINISH REGISTER;

/* --- carriers and credentials: of the bootstrap account where it can be told, or of one that is written -------- */

#define PSK_BS   "security: psk, identity: !text dev-1, key: 000102030405060708090a0b0c0d0e0f"
#define PSK_MGMT "identity: !text dev-1@mgmt, key: f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"
#define WITH_PSK(uri)                                                                                                  \
    "  - {write: /0/8, tlv: {0: \"" uri "\", 1: false, 2: 0, 3: dev-1@mgmt, 4: \"\", "                                 \
    "5: !hex f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff, 10: 101}, expect: 2.04}\n"
#define X509_BS                                                                                                        \
    "security: certificate, identity: !hex " PROBE_DEVICE ", key: !hex " PROBE_DEVICE_KEY                              \
    ", server-key: !hex " PROBE_BS ""
#define SHOWS(certificate, key)                                                                                        \
    "certificate: !hex " certificate ", private-key: !hex " key ", client-ca: !hex " PROBE_ROOT ""
/* Without a Certificate Usage: the server's very certificate, as in LwM2M 1.0. */
#define WITH_X509(uri)                                                                                                 \
    "  - {write: /0/8, tlv: {0: \"" uri "\", 1: false, 2: 2, 3: !hex " PROBE_DEVICE ", 4: !hex " PROBE_MGMT            \
    ", 5: !hex " PROBE_DEVICE_KEY ", 10: 101}, expect: 2.04}\n"

/* --- operations and objects ----------------------------------------------------------------------------------- */

#define SECOND                                                                                                         \
    "  - {write: /0/9, tlv: {0: \"coap://second.example:5683\", 1: false, 2: 3, 3: \"\", 4: \"\", 5: \"\", 10: 102}, " \
    "expect: 2.04}\n"                                                                                                  \
    "  - {write: /1/1, tlv: {0: 102, 1: 86400, 6: false, 7: U}, expect: 2.04}\n"
#define COMES(server)                                                                                                  \
    "        - request: {to: " server ", method: POST, path: /rd}\n        - {respond: 2.01, location: /rd/1}\n"
#define BOTH                                                                                                           \
    "  - either:\n      one first:\n" COMES("mgmt") COMES("second") "      the other first:\n" COMES("second")         \
        COMES("mgmt")
static const char two_servers[] = "servers: {bs: ~, mgmt: ~, second: ~}\n";

#define CREATE                                                                                                         \
    "  - {create: /3442, server: mgmt, values: {5: {110: five}}, expect: 2.01}\n"                                      \
    "  - {read: /3442/5/110, server: mgmt, expect: 2.05, text: five}\n"
/* The client may send by itself: Mute Send is off (1.1 appendix E.2). Resource 5 of the test object has it do so. */
#define SPEAKING "  - {write: /1/0, tlv: {0: 101, 1: 86400, 6: false, 7: U, 23: false}, expect: 2.04}\n"
#define SEND                                                                                                           \
    "  - {execute: /3442/0/5, server: mgmt, arguments: \"0='/3442/0/120'\", expect: 2.04}\n"                           \
    "  - request: {to: mgmt, method: POST, path: /dp}\n  - respond: 2.04\n"
#define TEST_OBJECT                                                                                                    \
    "  - either:\n      it has none:\n"                                                                                \
    "        - request: {to: mgmt, method: POST, path: /rd, lacks: [/3442, \"/3442/*\"]}\n"                            \
    "        - inconclusive: \"it has no test object (/3442), at which a Send could be asked for\"\n"                  \
    "      it has one:\n"                                                                                              \
    "        - request: {to: mgmt, method: POST, path: /rd, has: [/3442/0]}\n"                                         \
    "        - {respond: 2.01, location: /rd/1}\n"

static const char attributes[] = "  - {write-attributes: /1/0/1, server: mgmt, set: {pmin: 10}, expect: 2.04}\n"
                                 "  - {discover: /1/0, server: mgmt, expect: 2.05, has: [\"</1/0/1>;pmin=10\"]}\n";

static const char composite[] =
    "  - {read-composite: [/1/0/0, /1/0/1], server: mgmt, expect: 2.05, values: {1: {0: {0: 101, 1: 86400}}}}\n";

static const char firmware[] =
    SECURITY SERVER FINISH REGISTERS(", has: [/5/0]") "  - {read: /5/0/3, server: mgmt, expect: 2.05}\n";

/* --- facts ---------------------------------------------------------------------------------------------------- */

#define SAYS_VERSION(version) SECURITY SERVER FINISH REGISTERS(", query: {lwm2m: \"" version "\"}")

/* In LwM2M 1.0 the parameter may be left out. */
static const char says_1_0[] =
    SECURITY SERVER FINISH "  - either:\n"
                           "      it says so: [request: {to: mgmt, method: POST, path: /rd, query: {lwm2m: \"1.0\"}}]\n"
                           "      it says nothing: [request: {to: mgmt, method: POST, path: /rd, without: [lwm2m]}]\n";

static const char strict[] =
    "  - {write: /0/8, tlv: {0: \"coap://mgmt.example:5683\", 1: false, 2: 3, 3: \"\", 4: "
    "\"\", 5: \"\", 10: 102}, expect: 2.04}\n" SERVER "  - finish: {expect: 4.06}\n" SECURITY FINISH REGISTER;

static const char transactional[] =
    REQUEST "  - {write: /1/7, tlv: {0: 7, 1: 60, 6: false, 7: U}, expect: 2.04}\n"
            "  - either:\n"
            "      it says what it has: [{discover: /, expect: 2.05, has: [/1/7]}]\n"
            "      it does not:\n"
            "        - {discover: /, expect: [4.xx, 5.xx]}\n"
            "        - inconclusive: \"it answers no Bootstrap-Discover, by which one could see what is undone\"\n"
            "  - request: {to: bs, method: POST, path: /bs, within: 1d}\n"
            "  - respond: 2.04\n"
            "  - {discover: /, expect: 2.05, has: [/3/0], lacks: [/1/7]}\n";

static const char unasked[] =
    "  - {write: /1/0, tlv: {0: 101, 1: 600, 6: false, 7: U}, expect: 2.04}\n" FINISH "  - either:\n"
    "      anew: [request: {to: mgmt, method: POST, path: /rd, query: {lt: \"600\"}}]\n"
    "      updated: [request: {to: mgmt, method: POST, path: /rd/1, query: {lt: \"600\"}}]\n";

/* /3/0 is the second server's alone. */
static const char access_control[] =
    SECURITY SERVER SECOND "  - {write: /2/0, tlv: {0: 3, 1: 0, 2: {102: 1}, 3: 102}, expect: 2.04}\n" FINISH BOTH
                           "  - {read: /3/0, server: second, expect: 2.05}\n"
                           "  - {read: /3/0, server: mgmt, expect: 4.01}\n";

static const char pack[] =
    "  - request: {to: bs, method: GET, path: /bspack}\n"
    "  - pack: {0: {8: {0: \"coap://mgmt.example:5683\", " NOSEC "}}, 1: {0: {0: 101, 1: 86400, 6: false, 7: U}}}\n"
    "    format: senml-json\n" REGISTER;

static const char notifies_writer[] = "  - {observe: /1/0/1, server: mgmt, expect: 2.05}\n"
                                      "  - {write: /1/0/1, server: mgmt, text: \"600\", expect: 2.04}\n"
                                      "  - notification: {within: 10s}\n";

static const char factory_account[] =
    REGISTER "  - {read: /1/0, server: mgmt, expect: 2.05, lacks: [/1/0/2, /1/0/3]}\n";

#define BLOCK(part, tag, more, code)                                                                                   \
    "  - {write: /1/0, hex: " part ", options: [{number: 27, hex: \"" more "\"}, {number: 292, hex: \"" tag            \
    "\"}], expect: " code "}\n"
/* Of two transfers side by side the second has the account's Short Server ID, and in its other half another Lifetime
 * than the first: who mixes them, or takes an end for a repetition of the other, registers with that. */
static const char request_tag[] = SECURITY BLOCK("c10066c10600c10755c1023cc1033cc4", "01", "08", "2.31")
    BLOCK("c10065c10600c10755c1023cc1033cc4", "02", "08", "2.31") BLOCK("01000002bc", "01", "10", "2.04")
        BLOCK("0100000258", "02", "10", "2.04") FINISH REGISTERS(", query: {lt: \"600\"}");

static const char overtaking[] =
    "  - request: {to: bs, method: POST, path: /bs}\n"
    "  - {write: /0/8, tlv: {0: \"coap://mgmt.example:5683\", " NOSEC "}, wait: false}\n"
    "  - advance: 500ms\n  - respond: 2.04\n  - response: 2.04\n    within: 30s\n" SERVER FINISH REGISTER;

/* --- all of them ---------------------------------------------------------------------------------------------- */

#define FEATURE CLI_PROBE_FEATURE
#define FACT    CLI_PROBE_FACT
#define TOLD    CLI_PROBE_TOLD

static const cli_probe probes[] = {
    { FEATURE, "tlv", .steps = SECURITY SERVER FINISH REGISTER },
    { FEATURE, "text", .steps = in_text },
    { FEATURE, "opaque", .steps = in_opaque },
    { FEATURE, "json", .steps = WRITTEN_IN("json") },
    { FEATURE, "senml-json", .version = "1.1", .steps = WRITTEN_IN("senml-json") },
    { FEATURE, "senml-cbor", .version = "1.1", .steps = WRITTEN_IN("senml-cbor") },
    { FEATURE, "lwm2m-cbor", .version = "1.2", .steps = WRITTEN_IN("lwm2m-cbor") },
    { FEATURE, "blocks", .steps = in_blocks },
    { FEATURE, "ipv6",
      .servers = "servers: {bs: {addresses: [\"2001:db8::51\"]}, mgmt: {addresses: [\"2001:db8::52\"]}}\n",
      .steps = SECURITY SERVER FINISH REGISTER },
    { FEATURE, "tcp", .placeholder = "{bs_uri}", .client = "bootstrap: {uri: \"coap+tcp://bs.example\"}",
      .servers = "servers: {bs: {transport: tcp}, mgmt: {transport: tcp}}\n",
      .steps = ACCOUNT("coap+tcp://mgmt.example:5683") BOUND("T") FINISH REGISTER },
    { FEATURE, "tcp", .instead = true, .servers = "servers: {bs: ~, mgmt: {transport: tcp}}\n",
      .steps = ACCOUNT("coap+tcp://mgmt.example:5683") BOUND("T") FINISH REGISTER },
    { FEATURE, "dtls", "psk", .client = "bootstrap: {uri: \"coaps://bs.example\", " PSK_BS "}",
      .servers = "servers: {bs: {transport: dtls}, mgmt: {transport: dtls, " PSK_MGMT "}}\n",
      .steps = WITH_PSK("coaps://mgmt.example:5684") SERVER FINISH REGISTER },
    { FEATURE, "dtls", "psk", .instead = true, .servers = "servers: {bs: ~, mgmt: {transport: dtls, " PSK_MGMT "}}\n",
      .steps = WITH_PSK("coaps://mgmt.example:5684") SERVER FINISH REGISTER },
    { FEATURE, "dtls", "x509", .client = "bootstrap: {uri: \"coaps://bs.example\", " X509_BS "}",
      .servers = "servers: {bs: {transport: dtls, " SHOWS(PROBE_BS, PROBE_BS_KEY) "}, mgmt: ~}\n",
      .steps = SECURITY SERVER FINISH REGISTER },
    { FEATURE, "dtls", "x509", .instead = true,
      .servers = "servers: {bs: ~, mgmt: {transport: dtls, " SHOWS(PROBE_MGMT, PROBE_MGMT_KEY) "}}\n",
      .steps = WITH_X509("coaps://mgmt.example:5684") SERVER FINISH REGISTER },
    { FEATURE, "tls", "psk", .placeholder = "{bs_uri}",
      .client = "bootstrap: {uri: \"coaps+tcp://bs.example\", " PSK_BS "}",
      .servers = "servers: {bs: {transport: tls}, mgmt: {transport: tls, " PSK_MGMT "}}\n",
      .steps = WITH_PSK("coaps+tcp://mgmt.example:5684") BOUND("T") FINISH REGISTER },
    { FEATURE, "tls", "psk", .instead = true, .servers = "servers: {bs: ~, mgmt: {transport: tls, " PSK_MGMT "}}\n",
      .steps = WITH_PSK("coaps+tcp://mgmt.example:5684") BOUND("T") FINISH REGISTER },
    { FEATURE, "tls", "x509", .placeholder = "{bs_uri}",
      .client = "bootstrap: {uri: \"coaps+tcp://bs.example\", " X509_BS "}",
      .servers = "servers: {bs: {transport: tls, " SHOWS(PROBE_BS, PROBE_BS_KEY) "}, mgmt: ~}\n",
      .steps = SECURITY SERVER FINISH REGISTER },
    { FEATURE, "tls", "x509", .instead = true,
      .servers = "servers: {bs: ~, mgmt: {transport: tls, " SHOWS(PROBE_MGMT, PROBE_MGMT_KEY) "}}\n",
      .steps = WITH_X509("coaps+tcp://mgmt.example:5684") BOUND("T") FINISH REGISTER },
    { FEATURE, "queue", .version = "1.1", .client = "queue: true, " BARE,
      .steps = SECURITY SERVER FINISH REGISTERS(", query: {Q: ~}") },
    { FEATURE, "queue", .instead = true, .placeholder = "{version}", .version = "1.0",
      .steps = SECURITY BOUND("UQ") FINISH REGISTERS(", query: {b: UQ}, without: [Q]") },
    { FEATURE, "several-servers", .servers = two_servers, .steps = SECURITY SERVER SECOND FINISH BOTH },
    { FEATURE, "observe", .registered = true, .observes = true,
      .steps = "  - {observe: /1/0/1, server: mgmt, expect: 2.05}\n" },
    { FEATURE, "write-attributes", .registered = true, .steps = attributes },
    { FEATURE, "composite", .version = "1.1", .registered = true, .steps = composite },
    { FEATURE, "create", .client = "test-object: true, " BARE, .registered = true, .steps = CREATE },
    { FEATURE, "create", .instead = true, .copies = true, .steps = SECURITY SERVER FINISH REGISTER },
    { FEATURE, "send", .version = "1.1", .client = "test-object: true, " BARE,
      .steps = SECURITY SPEAKING FINISH REGISTER SEND },
    { FEATURE, "send", .version = "1.1", .instead = true, .steps = SECURITY SPEAKING FINISH TEST_OBJECT SEND },
    { FEATURE, "firmware", .steps = firmware },
    { FACT, "lwm2m-1.0", .version = "1.0", .steps = says_1_0 },
    { FACT, "lwm2m-1.1", .version = "1.1", .steps = SAYS_VERSION("1.1") },
    { FACT, "lwm2m-1.2", .version = "1.2", .steps = SAYS_VERSION("1.2") },
    { FACT, "discover", .steps = SECURITY "  - {discover: /, expect: 2.05, has: [/0/8]}\n" },
    { FACT, "bootstrap-read", .steps = SECURITY SERVER "  - {read: /1/0, expect: 2.05, values: {0: 101, 1: 86400}}\n" },
    { FACT, "deregisters", .registered = true,
      .steps = "  - stop: term\n  - request: {to: mgmt, method: DELETE, path: /rd/1}\n  - respond: 2.02\n" },
    { FACT, "strict", .steps = strict },
    { FACT, "transactional", .alone = true, .patient = true, .steps = transactional },
    { FACT, "legacy", .version = "1.0", .registered = true, .steps = unasked },
    { FACT, "access-control", .servers = two_servers, .steps = access_control },
    { FACT, "pack", .version = "1.2", .alone = true, .steps = pack },
    { FACT, "notifies-writer", .registered = true, .steps = notifies_writer },
    { FACT, "bare-accounts", .client = "accounts: [{uri: \"coap://mgmt.example\", ssid: 101}]", .alone = true,
      .steps = factory_account },
    { FACT, "bare-accounts", .instead = true, .client = "accounts: [{uri: \"coap://mgmt.example\"}]", .alone = true,
      .steps = factory_account },
    { FACT, "request-tag", .steps = request_tag },
    { FACT, "overtaking", .alone = true, .steps = overtaking },
    { TOLD, "{strict}", .client = "strict: true, " BARE, .steps = strict },
    { TOLD, "{legacy}", .version = "1.0", .client = "legacy: true, " BARE, .registered = true, .steps = unasked },
    { TOLD, "{access_control}", .client = "access-control: true, " BARE, .servers = two_servers,
      .steps = access_control },
    { TOLD, "{pack}", .version = "1.2", .client = "pack: true, " BARE, .alone = true, .steps = pack },
};

size_t cli_probe_count(void) {
    return sizeof probes / sizeof *probes;
}

const cli_probe *cli_probe_at(size_t index) {
    return index < cli_probe_count() ? &probes[index] : NULL;
}

bool cli_probe_told(const bj_record *profile, const char *placeholder) {
    bool linked = bj_get_uint(profile, BJ_F(PROFILE, ATTACH), BJ_ATTACH_EXEC) == BJ_ATTACH_LINKED;
    return linked || bj_fit_told(profile, placeholder);
}

/* --- asking --------------------------------------------------------------------------------------------------- */

const char *cli_probe_text(bj_arena *arena, const bj_record *profile, const cli_probe *probe) {
    enum { ROOM = 16384 };
    BJ_TEXT(text, ROOM);
    bool versioned = probe->version && cli_probe_told(profile, "{version}");
    bj_text_printf(&text, "title: Has it %s?\nclient: {%s%s%s%s}\n" OFF "%ssteps:\n%s%s%s", probe->name,
                   versioned ? "version: \"" : "", versioned ? probe->version : "", versioned ? "\", " : "",
                   probe->client ? probe->client : BARE, probe->servers ? probe->servers : "",
                   probe->alone ? "" : REQUEST, probe->registered ? SECURITY SERVER FINISH REGISTER : "", probe->steps);
    return bj_arena_strdup(arena, text.start);
}

/* Did the client take an Observe (RFC 7641 §4.1)? A GET that passes the option over is answered, too. */
static bool has_observed(const bj_log *log) {
    bj_event event;
    for (size_t cursor = 0; log && bj_log_next(log, &cursor, &event);) {
        bj_coap message;
        bool arrives = event.kind == BJ_EV_RECEIVED && event.actor >= BJ_ACTOR_SERVER_0;
        if (arrives && bj_coap_decode(&message, event.raw, event.raw_length) == BJ_COAP_OK &&
            bj_coap_is_response(message.code) && bj_coap_find(&message, BJ_COAP_OBSERVE, 0)) {
            return true;
        }
    }
    return false;
}

cli_answer cli_probe_answer_of(bj_arena *arena, const bj_run_result *result, const char **why) {
    bool passed = result->script_verdict == BJ_PASS || result->script_verdict == BJ_WARN;
    const char *besides = strstr(result->reason, "; besides, "); /* an oracle's */
    *why = besides ? bj_arena_strndup(arena, result->reason, (size_t) (besides - result->reason))
                   : bj_arena_strdup(arena, result->reason);
    if (result->script_verdict == BJ_SKIP || result->script_verdict == BJ_INCONCLUSIVE ||
        result->script_verdict == BJ_ERROR) {
        return CLI_NOT_ASKED;
    }
    return passed ? CLI_SEEN : CLI_NOT_SEEN;
}

/* Is there a reason not to ask? */
static const char *reason_against(bj_arena *arena, const bj_run_options *options, const cli_probe *probe) {
    BJ_TEXT(reason, 200);
    if (probe->placeholder && !cli_probe_told(options->profile, probe->placeholder)) {
        bj_text_printf(&reason, "its command has no %s", probe->placeholder);
    } else if (probe->patient && options->attach == BJ_ATTACH_NETWORK) {
        bj_text_add(&reason, "it would take minutes of real time");
    }
    return reason.used ? bj_arena_strdup(arena, reason.start) : NULL;
}

static bj_job *start(bj_arena *arena, const bj_run_options *options, const char *text) {
    bj_mistakes mistakes = { 0 };
    const bj_record *scenario = bj_load_bytes(arena, BJ_K_SCENARIO, "probe", text, strlen(text), &mistakes);
    if (!scenario) {
        cli_complain("a probe is no scenario: %s", mistakes.items[0].text);
    }
    return scenario ? bj_job_start(arena, scenario, options) : NULL;
}

bj_job *cli_probe_start(bj_arena *arena, const bj_run_options *options, const cli_probe *probe, cli_answer *answer,
                        const char **why) {
    *answer = CLI_NOT_ASKED;
    *why = reason_against(arena, options, probe);
    if (*why) {
        return NULL;
    }
    if (probe->copies) {
        *answer = cli_probe_copy(arena, options, why);
        return NULL;
    }
    bj_job *job = start(arena, options, cli_probe_text(arena, options->profile, probe));
    *answer = job ? CLI_NOT_ASKED : CLI_INTERRUPTED;
    return job;
}

cli_answer cli_probe_answer(bj_arena *arena, const cli_probe *probe, bj_job *job, const char **why) {
    bj_run_result result;
    bj_job_result(job, &result);
    cli_answer answer = cli_probe_answer_of(arena, &result, why);
    if (answer == CLI_SEEN && probe->observes && !has_observed(result.log)) {
        *why = "the answer has no Observe option: it is not observed";
        answer = CLI_NOT_SEEN;
    }
    bj_run_release(&result);
    return answer;
}

bool cli_probe_run(bj_arena *arena, const bj_run_options *options, const char *text, bj_run_result *result) {
    bj_job *job = start(arena, options, text);
    while (job && !bj_job_finished(job) && !cli_interrupted) {
        bj_job_wait(&job, 1);
    }
    if (job && !bj_job_finished(job)) {
        bj_job_kill(job);
        job = NULL;
    }
    if (job) {
        bj_job_result(job, result);
    }
    return job != NULL;
}
