/* SPDX-License-Identifier: Apache-2.0
 *
 * Small scenarios that ask a client what it has: each passes with a client that has the feature or the fact.
 */
#define _GNU_SOURCE
#include <string.h>

#include "cli/cli.h"
#include "cli/client_tools.h"
#include "script/load.h"

/* The server account that stands at the end of each session. */
#define SECURITY                                                                                                       \
    "  - {write: /0/8, tlv: {0: \"coap://mgmt.example:5683\", 1: false, 2: 3, 3: \"\", 4: \"\", 5: \"\", 10: 101}, "   \
    "expect: 2.04}\n"
#define SERVER   "  - {write: /1/0, tlv: {0: 101, 1: 86400, 6: false, 7: U}, expect: 2.04}\n"
#define FINISH   "  - finish: {expect: 2.04}\n"
#define REGISTER "  - request: {to: mgmt, method: POST, path: /rd}\n  - {respond: 2.01, location: /rd/1}\n"
#define REQUEST  "  - request: {to: bs, method: POST, path: /bs}\n  - respond: 2.04\n"
#define HEAD     "client: {bootstrap: {uri: \"coap://bs.example\"}}\nrecovery: {off: \"a probe\"}\nsteps:\n"

const char cli_probe_plain[] = "title: A plain bootstrap\n" HEAD REQUEST SECURITY SERVER FINISH REGISTER;

static const cli_probe probes[] = {
    { CLI_PROBE_FEATURE, "text", SECURITY SERVER "  - {write: /1/0/1, text: \"600\", expect: 2.04}\n", false },
    { CLI_PROBE_FEATURE, "tlv", SECURITY SERVER "  - {write: /1/0/1, tlv: {1: 600}, expect: 2.04}\n", false },
    { CLI_PROBE_FEATURE, "json",
      SECURITY "  - {write: /1/0, format: json, text: '{\"bn\":\"/1/0/\",\"e\":[{\"n\":\"0\",\"v\":101},{\"n\":\"1\","
               "\"v\":600},{\"n\":\"6\",\"bv\":false},{\"n\":\"7\",\"sv\":\"U\"}]}', expect: 2.04}\n",
      false },
    { CLI_PROBE_FEATURE, "senml-json",
      SECURITY "  - {write: /1/0, format: senml-json, values: {0: 101, 1: 600, 6: false, 7: U}, expect: 2.04}\n",
      false },
    { CLI_PROBE_FEATURE, "senml-cbor",
      SECURITY "  - {write: /1/0, format: senml-cbor, values: {0: 101, 1: 600, 6: false, 7: U}, expect: 2.04}\n",
      false },
    { CLI_PROBE_FEATURE, "lwm2m-cbor",
      SECURITY "  - {write: /1/0, format: lwm2m-cbor, values: {0: 101, 1: 600, 6: false, 7: U}, expect: 2.04}\n",
      false },
    { CLI_PROBE_FEATURE, "opaque", SECURITY "  - {write: /0/8/3, hex: 00ff, format: opaque, expect: 2.04}\n", false },
    { CLI_PROBE_FEATURE, "blocks",
      SECURITY "  - {write: /1/0, tlv: {0: 101, 1: 86400, 6: false, 7: U}, block: 16, expect: 2.04}\n", false },
    { CLI_PROBE_FACT, "discover", "  - {discover: /, expect: 2.05}\n", false },
    { CLI_PROBE_FACT, "bootstrap-read", SECURITY SERVER "  - {read: /1/0, expect: 2.05}\n", false },
    { CLI_PROBE_FEATURE, "observe", "  - {observe: /1/0/1, server: mgmt, expect: 2.05}\n", true },
    { CLI_PROBE_FEATURE, "write-attributes",
      "  - {write-attributes: /1/0/1, server: mgmt, set: {pmin: 10}, expect: 2.04}\n", true },
    { CLI_PROBE_FEATURE, "composite", "  - {read-composite: [/1/0/1], server: mgmt, expect: 2.05}\n", true },
    { CLI_PROBE_FACT, "deregisters",
      "  - stop: term\n  - request: {to: mgmt, method: DELETE, path: /rd/1}\n  - respond: 2.02\n", true },
};

size_t cli_probe_count(void) {
    return sizeof probes / sizeof *probes;
}

const cli_probe *cli_probe_at(size_t index) {
    return index < cli_probe_count() ? &probes[index] : NULL;
}

const char *cli_probe_text(bj_arena *arena, const cli_probe *probe) {
    BJ_TEXT(text, 4096);
    bj_text_printf(&text, "title: Has it %s?\n%s%s%s", probe->name, HEAD REQUEST,
                   probe->registered ? SECURITY SERVER FINISH REGISTER : "", probe->steps);
    return bj_arena_strdup(arena, text.start);
}

bool cli_probe_run(bj_arena *arena, const bj_run_options *options, const char *text, bj_run_result *result) {
    bj_mistakes mistakes = { 0 };
    const bj_record *scenario = bj_load_bytes(arena, BJ_K_SCENARIO, "probe", text, strlen(text), &mistakes);
    if (!scenario) {
        cli_complain("a probe is no scenario: %s", mistakes.items[0].text);
        return false;
    }
    bj_job *job = bj_job_start(arena, scenario, options);
    while (!bj_job_finished(job) && !cli_interrupted) {
        bj_job_wait(&job, 1);
    }
    if (!bj_job_finished(job)) {
        bj_job_kill(job);
        return false;
    }
    bj_job_result(job, result);
    return true;
}
