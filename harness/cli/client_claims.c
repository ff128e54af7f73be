/* SPDX-License-Identifier: Apache-2.0
 *
 * What a profile claims of its client against what the probes saw: what it claims and they did not see, what they saw
 * and it does not claim, and what could not be asked.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "attach/fit.h"
#include "cli/cli.h"
#include "cli/client_tools.h"
#include "cli/report.h"

enum { PROBES = 100, SHOWN = 60, AT_ONCE = 4 };

/* Does the profile claim it? UNSAID: it says nothing of features at all. */
typedef enum claim { UNCLAIMED, CLAIMED, UNSAID } claim;

typedef struct claims {
    bj_arena *arena;
    const bj_record *profile;
    cli_answer answers[PROBES];
    const char *reasons[PROBES];
    bool passed_over[PROBES]; /* the probe before was asked */
    bj_job *jobs[PROBES];
    size_t most;              /* at once: in real time one mostly waits */
    bj_text seen[4], neither; /* by kind of word */
} claims;

static const char *const lists[] = { "", "features", "facts", "command" };

/* --- what the profile says ------------------------------------------------------------------------------------ */

static bool in_strings(const bj_value *list, const char *name) {
    for (size_t i = 0; list && i < list->as.strings.count; i++) {
        if (strcmp(list->as.strings.items[i].bytes, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool in_features(const bj_value *list, const char *name) {
    const bj_field_def *field = bj_field_numbered(bj_record_def_of(BJ_K_PROFILE), BJ_F(PROFILE, FEATURES));
    for (size_t i = 0; list && i < list->as.uints.count; i++) {
        const char *known = bj_enum_name(field->values, list->as.uints.items[i]);
        if (known && strcmp(known, name) == 0) {
            return true;
        }
    }
    return false;
}

static claim claim_of(const bj_record *profile, cli_probe_of of, const char *word) {
    const bj_value *features = bj_get(profile, BJ_F(PROFILE, FEATURES));
    switch (of) {
    case CLI_PROBE_FACT:
        return in_strings(bj_get(profile, BJ_F(PROFILE, FACTS)), word) ? CLAIMED : UNCLAIMED;
    case CLI_PROBE_TOLD:
        return cli_probe_told(profile, word) ? CLAIMED : UNCLAIMED;
    case CLI_PROBE_FEATURE:
    default:
        return !features ? UNSAID : in_features(features, word) ? CLAIMED : UNCLAIMED;
    }
}

/* --- what the probes say -------------------------------------------------------------------------------------- */

static bool is_about(const cli_probe *probe, cli_probe_of of, const char *word) {
    return probe->of == of && (strcmp(probe->name, word) == 0 || (probe->also && strcmp(probe->also, word) == 0));
}

static const char *joined(bj_arena *arena, const char *first, const char *then) {
    BJ_TEXT(both, 500);
    if (strstr(first, then)) {
        return first;
    }
    bj_text_printf(&both, "%s; %s", first, then);
    return bj_arena_strdup(arena, both.start);
}

/* It is seen when one of its probes saw it. *why: of the first that did not, or of all that could not be asked. */
static cli_answer answer_for(const claims *c, cli_probe_of of, const char *word, const char **why) {
    cli_answer answer = CLI_NOT_ASKED;
    *why = NULL;
    for (size_t i = 0; i < cli_probe_count(); i++) {
        if (!is_about(cli_probe_at(i), of, word) || c->passed_over[i]) {
            continue;
        }
        if (c->answers[i] == CLI_SEEN) {
            return CLI_SEEN;
        }
        if (!*why || c->answers[i] > answer) {
            *why = c->reasons[i];
        } else if (answer == CLI_NOT_ASKED) {
            *why = joined(c->arena, *why, c->reasons[i]);
        }
        answer = c->answers[i] > answer ? c->answers[i] : answer;
    }
    return answer;
}

static void add_word(bj_text *list, const char *word) {
    bj_text_printf(list, "%s%s", list->used ? ", " : "", word);
}

static void not_seen(claims *c, cli_probe_of of, const char *word, const char *why, claim claimed) {
    BJ_TEXT(line, 200);
    if (of == CLI_PROBE_TOLD) {
        bj_text_printf(&line, "%s: the client is told, and the probe does not see it", word);
        cli_check_say("note", line.start, why);
        cli_check_advise("look at what `command` makes of it");
    } else if (claimed == CLAIMED) {
        bj_text_printf(&line, "%s: the profile's `%s` name it, the probe says the opposite", word, lists[of]);
        cli_check_say("note", line.start, why);
        BJ_TEXT(advice, 200);
        bj_text_printf(&advice, "`--probe %s` shows how it was asked; take it out if the client has it not", word);
        cli_check_advise(advice.start);
    } else if (claimed == UNSAID) {
        bj_text_printf(&line, "%s: it seems not to have it; `features`, once given, must name all that it has", word);
        cli_check_say("note", line.start, why);
    } else {
        add_word(&c->neither, word);
    }
}

static void judge(claims *c, cli_probe_of of, const char *word) {
    const char *why;
    claim claimed = claim_of(c->profile, of, word);
    cli_answer answer = answer_for(c, of, word, &why);
    BJ_TEXT(line, 200);
    if (answer == CLI_NOT_SEEN) {
        not_seen(c, of, word, why, claimed);
    } else if (answer == CLI_NOT_ASKED) {
        bj_text_printf(&line, "%s%s", word, claimed == CLAIMED ? ", which the profile claims" : "");
        cli_check_say("unasked", line.start, why);
    } else {
        add_word(&c->seen[of], word);
    }
    if (answer == CLI_SEEN && claimed == UNCLAIMED) {
        bj_text_printf(&line, "%s: the profile's `%s` do not name it, the probe says the opposite", word, lists[of]);
        cli_check_say("note", line.start, "");
        cli_check_advise("it may be added");
    }
}

/* Was the word met with an earlier probe? */
static bool is_old(size_t index, cli_probe_of of, const char *word) {
    for (size_t i = 0; i < index; i++) {
        if (is_about(cli_probe_at(i), of, word)) {
            return true;
        }
    }
    return false;
}

static void judge_words_of(claims *c, size_t index) {
    const cli_probe *probe = cli_probe_at(index);
    const char *words[] = { probe->name, probe->also };
    for (size_t i = 0; i < 2; i++) {
        if (words[i] && !is_old(index, probe->of, words[i])) {
            judge(c, probe->of, words[i]);
        }
    }
}

/* --- all of it ------------------------------------------------------------------------------------------------ */

/* The options for a client of which nothing is known: every feature is asked for. */
static bj_run_options bare_options(bj_arena *arena, const bj_run_options *options) {
    bj_run_options bare = *options;
    bj_record *profile = bj_arena_copy(arena, options->profile, sizeof *profile);
    profile->fields = bj_arena_copy(arena, profile->fields, profile->field_limit * sizeof(const bj_value *)); // NOLINT
    profile->fields[BJ_F(PROFILE, FEATURES)] = NULL;
    bare.profile = profile;
    return bare;
}

/* Where the command has no such placeholder, there is nothing to prove. */
static bool is_wanted(const claims *c, const cli_probe *probe) {
    return probe->of != CLI_PROBE_TOLD || cli_probe_told(c->profile, probe->name);
}

static void take_answers(claims *c) {
    for (size_t i = 0; i < cli_probe_count(); i++) {
        if (c->jobs[i] && bj_job_finished(c->jobs[i])) {
            c->answers[i] = cli_probe_answer(c->arena, cli_probe_at(i), c->jobs[i], &c->reasons[i]);
            c->jobs[i] = NULL;
        }
    }
}

/* Until no more than so many go on. */
static void wait_for(claims *c, size_t most) {
    for (size_t running = most + 1; running > most && !cli_interrupted;) {
        running = 0;
        for (size_t i = 0; i < cli_probe_count(); i++) {
            running += c->jobs[i] != NULL;
        }
        if (running > most) {
            bj_job_wait(c->jobs, cli_probe_count());
            take_answers(c);
        }
    }
}

/* Those that are asked at any rate, or those that are asked in the place of others. */
static void ask(claims *c, const bj_run_options *options, bool instead) {
    for (size_t i = 0; i < cli_probe_count() && !cli_interrupted; i++) {
        const cli_probe *probe = cli_probe_at(i);
        c->passed_over[i] = probe->instead && c->answers[i - 1] != CLI_NOT_ASKED;
        if (probe->instead == instead && !c->passed_over[i] && is_wanted(c, probe)) {
            c->jobs[i] = cli_probe_start(c->arena, options, probe, &c->answers[i], &c->reasons[i]);
            wait_for(c, c->most - 1);
        }
    }
    wait_for(c, 0);
}

static bool ask_all(claims *c, const bj_run_options *options) {
    c->most = options->attach == BJ_ATTACH_NETWORK ? AT_ONCE : 1;
    ask(c, options, false);
    ask(c, options, true);
    bool good = !cli_interrupted;
    for (size_t i = 0; i < cli_probe_count(); i++) {
        good = good && c->answers[i] != CLI_INTERRUPTED;
        if (c->jobs[i]) {
            bj_job_kill(c->jobs[i]);
        }
    }
    return good;
}

void cli_claims(bj_arena *arena, const bj_run_options *options) {
    char rooms[4][1000];
    BJ_TEXT(fields, 200);
    claims *c = bj_arena_calloc(arena, 1, sizeof *c);
    bj_run_options bare = bare_options(arena, options);
    assert(cli_probe_count() <= PROBES);
    c->arena = arena;
    c->profile = options->profile;
    c->neither = bj_text_over(rooms[0], sizeof rooms[0]);
    for (int i = 1; i <= CLI_PROBE_TOLD; i++) {
        c->seen[i] = bj_text_over(rooms[i], sizeof rooms[i]);
    }
    if (!ask_all(c, &bare)) {
        return;
    }
    for (size_t i = 0; i < cli_probe_count(); i++) {
        if (is_wanted(c, cli_probe_at(i))) {
            judge_words_of(c, i);
        }
    }
    cli_claims_fields(arena, options, &fields);
    cli_check_say("probed", "features", c->seen[CLI_PROBE_FEATURE].start);
    cli_check_say("probed", "facts", c->seen[CLI_PROBE_FACT].start);
    if (c->seen[CLI_PROBE_TOLD].used) {
        cli_check_say("probed", "told by", c->seen[CLI_PROBE_TOLD].start);
    }
    cli_check_say("probed", "fields", fields.start);
    cli_check_say("probed", "neither seen nor claimed", c->neither.start);
}

/* --- one of them ---------------------------------------------------------------------------------------------- */

static bool show(bj_arena *arena, const bj_run_options *options, const cli_probe *probe) {
    static const char *const words[] = { "not asked", "not seen", "seen", "interrupted" };
    const char *why;
    cli_answer answer;
    printf("%s", cli_probe_text(arena, options->profile, probe));
    bj_job *job = cli_probe_start(arena, options, probe, &answer, &why);
    while (job && !bj_job_finished(job) && !cli_interrupted) {
        bj_job_wait(&job, 1);
    }
    if (job && !bj_job_finished(job)) {
        bj_job_kill(job);
        return false;
    }
    if (job) {
        cli_print_conversation(stdout, bj_job_log(job), SHOWN, "# ");
        answer = cli_probe_answer(arena, probe, job, &why);
    }
    printf("# %s%s%s\n", words[answer], answer == CLI_SEEN ? "" : ": ", answer == CLI_SEEN ? "" : why);
    return answer != CLI_INTERRUPTED;
}

bool cli_claims_show(bj_arena *arena, const bj_run_options *options, const char *word) {
    bj_run_options bare = bare_options(arena, options);
    bool found = false, good = true;
    for (size_t i = 0; good && i < cli_probe_count(); i++) {
        const cli_probe *probe = cli_probe_at(i);
        if (is_about(probe, probe->of, word)) {
            printf("%s", found ? "---\n" : "");
            found = true;
            good = show(arena, &bare, probe);
        }
    }
    if (!found) {
        cli_complain("--probe %s: there is no such probe", word);
    }
    return found && good;
}
