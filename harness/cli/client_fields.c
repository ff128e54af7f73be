/* SPDX-License-Identifier: Apache-2.0
 *
 * What a profile says of its client beside `features` and `facts`, and a probe can prove: `uri-ports`, `factory` and
 * `commands`.
 */
#define _GNU_SOURCE
#include <string.h>

#include "cli/client_tools.h"

enum { TEXT = 4096 };

#define HEAD "client: {bootstrap: {uri: \"coap://bs.example\"}}\nrecovery: {off: \"a probe\"}\n"
#define IN   "  - request: {to: bs, method: POST, path: /bs}\n  - respond: 2.04\n"

typedef struct proving {
    bj_arena *arena;
    const bj_run_options *options;
    bj_text *proved; /* names of fields that are so */
} proving;

/* *why: the reason where it was not asked or not seen. */
static cli_answer ask(const proving *p, const char *text, const char **why) {
    bj_run_result result;
    if (!cli_probe_run(p->arena, p->options, text, &result)) {
        return CLI_INTERRUPTED;
    }
    cli_answer answer = cli_probe_answer_of(p->arena, &result, why);
    bj_run_release(&result);
    return answer;
}

static void note(const char *name, const char *what, const char *why, const char *advice) {
    BJ_TEXT(line, 200);
    bj_text_printf(&line, "%s: %s", name, what);
    cli_check_say("note", line.start, why);
    cli_check_advise(advice);
}

static void judge(const proving *p, cli_answer answer, const char *name, const char *what, const char *why,
                  const char *advice) {
    if (answer == CLI_SEEN) {
        bj_text_printf(p->proved, "%s%s", p->proved->used ? ", " : "", name);
    } else if (answer == CLI_NOT_SEEN) {
        note(name, what, why, advice);
    } else if (answer == CLI_NOT_ASKED) {
        cli_check_say("unasked", name, why);
    }
}

/* --- uri-ports ------------------------------------------------------------------------------------------------ */

static const char without_port[] =
    "title: Does it take a server URI without a port?\nverbatim: true\n" HEAD "steps:\n" IN
    "  - {write: /0/8, tlv: {0: \"coap://mgmt.example\", 1: false, 2: 3, 3: \"\", 4: \"\", 5: \"\", 10: 101}, "
    "expect: 2.04}\n"
    "  - {write: /1/0, tlv: {0: 101, 1: 86400, 6: false, 7: U}, expect: 2.04}\n"
    "  - finish: {expect: 2.04}\n  - request: {to: mgmt, method: POST, path: /rd}\n";

static void uri_ports(const proving *p) {
    const char *why = "";
    bool wants_ports = bj_get_bool(p->options->profile, BJ_F(PROFILE, URI_PORTS), false);
    cli_answer answer = ask(p, without_port, &why);
    if (wants_ports && (answer == CLI_SEEN || answer == CLI_NOT_SEEN)) {
        judge(p, answer == CLI_SEEN ? CLI_NOT_SEEN : CLI_SEEN, "uri-ports",
              "the profile says that it takes no server URI without a port, the probe says the opposite", "",
              "take it out: in scenarios that are not about URIs it only adds ports");
    } else {
        judge(p, answer, "uri-ports", "it takes no server URI without a port", why,
              "`uri-ports: true` keeps that from hiding everything else");
    }
}

/* --- factory -------------------------------------------------------------------------------------------------- */

static void factory(const proving *p) {
    const bj_value *claimed = bj_get(p->options->profile, BJ_F(PROFILE, FACTORY));
    const char *why = "";
    BJ_TEXT(has, 1000);
    BJ_TEXT(text, TEXT);
    for (size_t i = 0; claimed && i < claimed->as.strings.count; i++) {
        bj_text_printf(&has, "%s\"%s\"", i ? ", " : "", claimed->as.strings.items[i].bytes);
    }
    bj_text_printf(&text,
                   "title: What has it from the factory?\n" HEAD "steps:\n" IN "  - either:\n"
                   "      it says what it has:\n"
                   "        - {discover: /, expect: 2.05, has: [/3/0%s%s], lacks: [\"/1/*\", \"/2/*\"]}\n"
                   "      it does not:\n"
                   "        - {discover: /, expect: [4.xx, 5.xx]}\n"
                   "        - inconclusive: \"it answers no Bootstrap-Discover, by which one could see what it has\"\n",
                   has.used ? ", " : "", has.start);
    cli_answer answer = ask(p, text.start, &why);
    judge(p, answer, "factory", "it does not name what is there beside the bootstrap account", why,
          "`factory` names the Object Instances that the client has from the factory, all of /1 and /2");
}

/* --- commands ------------------------------------------------------------------------------------------------- */

static void command(const proving *p, const char *name, const char *then) {
    bj_string typed;
    const char *why = "";
    BJ_TEXT(text, TEXT);
    BJ_TEXT(field, 100);
    if (bj_profile_command(p->options->profile, name, &typed)) {
        bj_text_printf(&field, "commands: %s", name);
        bj_text_printf(&text, "%s  - input: {command: %s}\n  - request: {%s, within: 1m}\n", cli_probe_plain, name,
                       then);
        cli_answer answer = ask(p, text.start, &why);
        judge(p, answer, field.start, "typed, and the probe does not see it", why,
              "`commands` says what one types at its standard input for it");
    }
}

void cli_claims_fields(bj_arena *arena, const bj_run_options *options, bj_text *proved) {
    const proving p = { arena, options, proved };
    uri_ports(&p);
    factory(&p);
    command(&p, "update", "to: mgmt, method: POST, path: /rd/1");
    command(&p, "bootstrap", "to: bs, method: POST, path: /bs");
}
