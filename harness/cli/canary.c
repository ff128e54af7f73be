/* SPDX-License-Identifier: Apache-2.0
 *
 * See canary.h.
 */
#define _GNU_SOURCE
#include "cli/canary.h"

#include "cli/cli.h"
#include "script/load.h"

static const char nonsense[] =
    "title: A nonsense that no client does\n"
    "client: {bootstrap: {uri: \"coap://bs.example\"}}\n"
    "steps:\n"
    "  - request: {to: bs, method: FETCH, path: /no/client/asks/for/this, query: {nonsense: \"1\"}, within: 300s}\n"
    "  - respond: 4.04\n";

bool cli_canary(const bj_run_options *options) {
    bj_arena *arena = cli_arena();
    bj_mistakes mistakes = { 0 };
    const bj_record *scenario = bj_load_bytes(arena, BJ_K_SCENARIO, "canary", nonsense, sizeof nonsense - 1, &mistakes);
    bool good = true;
    if (scenario) {
        bj_run_result result;
        bj_run(arena, scenario, options, &result);
        good = result.verdict != BJ_PASS && result.verdict != BJ_WARN;
        bj_run_release(&result);
    } else {
        BJ_TEXT(line, 1024);
        bj_mistake_print(&line, &mistakes.items[0]);
        cli_complain("the canary: %s", line.start);
        good = false;
    }
    if (scenario && !good) {
        cli_complain("the canary passed: against this client a nonsense scenario gets the verdict pass, so none of its "
                     "results can be believed (--no-canary runs all the same)");
    }
    bj_arena_unmap(arena);
    return good;
}
