/* SPDX-License-Identifier: Apache-2.0
 *
 * See canary.h.
 */
#define _GNU_SOURCE
#include "cli/canary.h"

#include <assert.h>
#include <string.h>

#include "cli/cli.h"
#include "script/load.h"

#define NONSENSE(WITHIN)                                                                                               \
    "title: A nonsense that no client does\n"                                                                          \
    "steps:\n"                                                                                                         \
    "  - request: {to: bs, method: FETCH, path: /no/client/asks/for/this, query: {nonsense: \"1\"}" WITHIN "}\n"       \
    "  - respond: 4.04\n"
#define TOLD    "client: {bootstrap: {uri: \"coap://bs.example\"}}\n"
#define MINUTES ", within: 300s"
#define SECONDS ", within: 3s"

/* The second of each is for clients that cannot be told where their bootstrap server is. Over the network minutes
 * are minutes of the user's, and who is silent passes no more after them than after seconds. */
static const char *const canaries[] = { NONSENSE(MINUTES) TOLD, NONSENSE(MINUTES) };
static const char *const network_canaries[] = { NONSENSE(SECONDS) TOLD, NONSENSE(SECONDS) };

static bj_verdict run_canary(const char *text, const bj_run_options *options) {
    bj_arena *arena = cli_arena();
    bj_mistakes mistakes = { 0 };
    const bj_record *scenario = bj_load_bytes(arena, BJ_K_SCENARIO, "canary", text, strlen(text), &mistakes);
    assert(scenario);
    bj_job *job = bj_job_start(arena, scenario, options);
    while (!bj_job_finished(job) && !cli_interrupted) {
        bj_job_wait(&job, 1);
    }
    bj_verdict verdict = BJ_VERDICT_NONE;
    if (bj_job_finished(job)) {
        bj_run_result result;
        bj_job_result(job, &result);
        verdict = result.script_verdict; /* oracles must not hide that it passed */
        bj_run_release(&result);
    } else {
        bj_job_kill(job);
    }
    bj_arena_unmap(arena);
    return verdict;
}

bool cli_canary(const bj_run_options *options) {
    const char *const *canary = options->attach == BJ_ATTACH_NETWORK ? network_canaries : canaries;
    bj_verdict verdict = run_canary(canary[0], options);
    if (verdict == BJ_SKIP) {
        verdict = run_canary(canary[1], options);
    }
    if (verdict == BJ_PASS || verdict == BJ_WARN) {
        cli_complain("the canary passed: against this client a nonsense scenario gets the verdict pass, so none of its "
                     "results can be believed (--no-canary runs all the same)");
        return false;
    }
    return true;
}
