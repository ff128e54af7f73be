/* SPDX-License-Identifier: Apache-2.0
 *
 * See variants.h.
 */
#include "cli/variants.h"

#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/vary.h"
#include "oracle/oracle.h"

enum { MOST = 16, SEEN = 1 << 18 };

typedef struct trial {
    cli_variant variant;
    const bj_record *scenario;
    bj_job *job;
    bool finished;
    bj_run_result result;
    bj_text seen;       /* what the client did */
    const char *sorted; /* the same lines in order */
} trial;

typedef struct trials {
    bj_arena *arena;
    const bj_run_options *options;
    trial items[MOST];
    size_t count;
} trials;

/* --- which ---------------------------------------------------------------------------------------------------- */

static bool has_fact(const bj_record *profile, const char *name) {
    const bj_value *facts = bj_get(profile, BJ_F(PROFILE, FACTS));
    for (size_t i = 0; facts && i < facts->as.strings.count; i++) {
        if (!strcmp(facts->as.strings.items[i].bytes, name)) {
            return true;
        }
    }
    return false;
}

/* Does the client speak that version in this scenario? */
static bool speaks(const trials *t, const bj_record *scenario, const char *version, const char *fact) {
    const bj_record *client = bj_get_record(scenario, BJ_F(SCENARIO, CLIENT));
    const char *told = bj_get_string(client, BJ_F(CLIENT, VERSION), NULL);
    if (told) {
        return strcmp(told, version) >= 0;
    }
    return strcmp(version, "1.2") != 0 && has_fact(t->options->profile, fact);
}

/* Over TCP and TLS no datagram is doubled, and a payload needs no blocks; what DTLS gets twice it drops itself (RFC
 * 6347 §4.1.2.6), so that CoAP sees no duplicates. */
static unsigned ways(const bj_record *scenario) {
    const bj_record *client = bj_get_record(scenario, BJ_F(SCENARIO, CLIENT));
    const bj_record *account = bj_get_record(client, BJ_F(CLIENT, BOOTSTRAP));
    const char *uri = bj_get_string(account, BJ_F(ACCOUNT, URI), "");
    return strstr(uri, "+tcp") ? 1 : strncmp(uri, "coaps", 5) == 0 ? 2 : 4;
}

static bool add(trials *t, const bj_record *scenario, uint32_t format, unsigned bits, bj_text *why) {
    const bj_record *profile = t->options->profile;
    cli_variant variant = { .format = format,
                            .blocks = bits & 1,
                            .doubled = bits & 2,
                            .looks = has_fact(profile, "discover"),
                            .reads = has_fact(profile, "bootstrap-read") && speaks(t, scenario, "1.1", "lwm2m-1.1") };
    const bj_record *varied = cli_vary(t->arena, scenario, &variant, why);
    if (varied && t->count < MOST) {
        t->items[t->count++] = (trial){ .variant = variant, .scenario = varied };
    }
    return varied != NULL;
}

static void add_all(trials *t, const bj_record *scenario, bj_text *why) {
    struct {
        uint32_t format;
        bool allowed;
    } formats[] = { { 11542, true },
                    { 110, speaks(t, scenario, "1.1", "lwm2m-1.1") },
                    { 112, speaks(t, scenario, "1.1", "lwm2m-1.1") },
                    { 11544, speaks(t, scenario, "1.2", "lwm2m-1.2") } };
    for (unsigned f = 0; f < 4; f++) {
        for (unsigned bits = 0; formats[f].allowed && bits < ways(scenario); bits++) {
            BJ_TEXT(less, 200); /* blocks and doubles may be out of the question where formats are not */
            if (!add(t, scenario, formats[f].format, bits, bits ? &less : why) && !bits) {
                return;
            }
        }
    }
}

/* --- running -------------------------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Two servers may be asked in either order (ties are the seed's): what was done is compared, not in which order. */
static const char *sorted_lines(bj_arena *arena, const bj_text *text) {
    size_t count = 0;
    for (size_t i = 0; i < text->used; i++) {
        count += text->start[i] == '\n';
    }
    char *copy = bj_arena_strndup(arena, text->start, text->used), *at = copy;
    char **lines = bj_arena_calloc(arena, count + 1, sizeof *lines);
    for (size_t i = 0; i < count; i++) {
        lines[i] = at;
        at = strchr(at, '\n');
        *at++ = '\0';
    }
    qsort(lines, count, sizeof *lines, by_text);
    bj_text out = bj_text_over(bj_arena_alloc(arena, text->used + 4), text->used + 4);
    for (size_t i = 0; i < count; i++) {
        bj_text_printf(&out, "%s\n", lines[i]);
    }
    return out.start;
}

static void take(trials *t, trial *one) {
    bj_job_result(one->job, &one->result);
    one->job = NULL;
    one->finished = true;
    one->seen = bj_text_over(bj_arena_alloc(t->arena, SEEN), SEEN);
    bj_oracle_config config;
    bj_oracle_configure(&config, one->scenario, t->options->profile, t->options->attach != BJ_ATTACH_NETWORK);
    config.visible = &one->seen;
    bj_oracle_judge(bj_oracle_new(t->arena, &config), one->result.log);
    one->sorted = sorted_lines(t->arena, &one->seen);
}

static void run_some(trials *t, size_t jobs) {
    bj_job *waiting[MOST];
    size_t n = 0;
    for (size_t i = 0; i < t->count; i++) {
        trial *one = &t->items[i];
        if (!one->job && !one->finished && n < jobs) {
            one->job = bj_job_start(t->arena, one->scenario, t->options);
        }
        if (one->job) {
            waiting[n++] = one->job;
        }
    }
    bj_job_wait(waiting, n);
    for (size_t i = 0; i < t->count; i++) {
        if (t->items[i].job && bj_job_finished(t->items[i].job)) {
            take(t, &t->items[i]);
        }
    }
}

static bool all_finished(const trials *t) {
    for (size_t i = 0; i < t->count; i++) {
        if (!t->items[i].finished) {
            return false;
        }
    }
    return true;
}

/* --- comparing ------------------------------------------------------------------------------------------------ */

/* The first line in which they differ, of both. */
static void difference(const char *a, const char *b, bj_text *out) {
    size_t line = 0;
    for (size_t i = 0; a[i] && a[i] == b[i]; i++) {
        line = a[i] == '\n' ? i + 1 : line;
    }
    size_t length_a = strcspn(a + line, "\n"), length_b = strcspn(b + line, "\n");
    bj_text_printf(out, "'%.*s' there, '%.*s' here", (int) (length_a > 300 ? 300 : length_a), a + line,
                   (int) (length_b > 300 ? 300 : length_b), b + line);
}

static const trial *another_way(const trials *t, bj_text *out) {
    const trial *first = &t->items[0];
    for (size_t i = 1; i < t->count; i++) {
        const trial *one = &t->items[i];
        bool verdict = one->result.verdict != first->result.verdict;
        if (!verdict && !strcmp(one->sorted, first->sorted)) {
            continue;
        }
        BJ_TEXT(a, 80);
        BJ_TEXT(b, 80);
        cli_variant_print(&a, &first->variant);
        cli_variant_print(&b, &one->variant);
        bj_text_printf(out, "the same is told in two ways (%s; %s), and the client does not do the same: ", a.start,
                       b.start);
        if (verdict) {
            bj_text_printf(out, "%s there (%s), %s here (%s)", bj_verdict_name(first->result.verdict),
                           first->result.reason, bj_verdict_name(one->result.verdict), one->result.reason);
        } else {
            difference(first->seen.start, one->seen.start, out);
        }
        return one;
    }
    return NULL;
}

/* The run that is shown is kept, the others are given back. */
static void conclude(trials *t, cli_case *one) {
    BJ_TEXT(reason, 2048);
    const trial *shown = another_way(t, &reason), *first = &t->items[0];
    bool same = !shown;
    shown = shown ? shown : first;
    one->result = shown->result;
    one->ran = true;
    if (!same) {
        one->result.verdict = BJ_FAIL;
    } else if (one->result.verdict == BJ_PASS) {
        bj_text_printf(&reason, "the same in %zu ways", t->count);
    }
    if (reason.used) {
        one->result.reason = bj_arena_strndup(one->arena, reason.start, reason.used);
    }
    for (size_t i = 0; i < t->count; i++) {
        if (&t->items[i] != shown) {
            bj_run_release(&t->items[i].result);
        }
    }
}

static void kill_all(trials *t) {
    for (size_t i = 0; i < t->count; i++) {
        if (t->items[i].job) {
            bj_job_kill(t->items[i].job);
        } else if (t->items[i].finished) {
            bj_run_release(&t->items[i].result);
        }
    }
}

void cli_variants(cli_case *one, const bj_run_options *options, size_t jobs) {
    trials t = { .arena = one->arena, .options = options };
    BJ_TEXT(why, 200);
    add_all(&t, one->scenario, &why);
    one->finished = true;
    if (t.count < 2) {
        one->result.verdict = BJ_SKIP;
        bj_text_add(&why, t.count ? "there is no other way of saying it to this client" : "");
        one->result.reason = bj_arena_strndup(one->arena, why.start, why.used);
        kill_all(&t);
        return;
    }
    while (!all_finished(&t) && !cli_interrupted) {
        run_some(&t, jobs);
    }
    if (all_finished(&t)) {
        conclude(&t, one);
    } else {
        kill_all(&t);
        one->result.verdict = BJ_ERROR;
        one->result.reason = "interrupted";
    }
}
