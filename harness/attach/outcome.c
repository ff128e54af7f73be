/* SPDX-License-Identifier: Apache-2.0
 *
 * What came of a run: the engine's verdict as it stands in the log, unless the way in which the process ended says
 * something else, or the oracles find a rule broken that the script did not look at. What the supervisor decides it
 * writes into the log, too: the last VERDICT event is the run's.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>

#include "attach/job.h"

enum { REASON = 2048 };

/* What the log says about how the run ended. */
typedef struct last_words {
    bj_event verdict; /* the last one; kind 0 = none */
    bj_event step;    /* the last that began */
    bool step_failed; /* the last one that began did not find what it expects */
    bj_time time;
    bool client_exited;
    bool ended;
    uint32_t last;
} last_words;

static last_words read_log(const bj_log *log) {
    last_words words = { 0 };
    bj_event event;
    for (size_t cursor = 0; log && bj_log_next(log, &cursor, &event);) {
        words.time = event.time > words.time ? event.time : words.time;
        words.last = event.sequence;
        if (event.kind == BJ_EV_VERDICT) {
            words.verdict = event;
        } else if (event.kind == BJ_EV_STEP_BEGIN) {
            words.step = event;
            words.step_failed = false;
        }
        words.step_failed |= event.kind == BJ_EV_STEP_FAILED;
        words.client_exited |= event.kind == BJ_EV_CLIENT_EXIT;
        words.client_exited &= event.kind != BJ_EV_CLIENT_START; /* it was started again */
        words.ended |= event.kind == BJ_EV_RUN_END;
    }
    return words;
}

/* A child that died without a word leaves the end of its story to the parent. */
static void append(bj_job *job, bj_event event, const last_words *words) {
    event.time = words->time;
    bj_log_append(job->log, &event);
}

void bj_job_decide(bj_job *job, bj_verdict verdict, const char *format, ...) {
    BJ_TEXT(reason, REASON);
    va_list arguments;
    va_start(arguments, format);
    bj_text_vprintf(&reason, format, arguments);
    va_end(arguments);
    last_words words = read_log(job->log);
    job->verdict = verdict;
    job->reason = bj_arena_strndup(job->arena, reason.start, reason.used);
    job->position = words.step.position;
    job->cause = words.last;
    if (job->log) {
        append(job,
               (bj_event){ .kind = BJ_EV_VERDICT,
                           .actor = BJ_ACTOR_SCRIPT,
                           .number = verdict,
                           .text = job->reason,
                           .position = job->position,
                           .cause = job->cause },
               &words);
    }
}

static void decide_timeout(bj_job *job, const last_words *words) {
    if (job->options.attach == BJ_ATTACH_NETWORK) {
        bj_job_decide(job, BJ_FAIL, "the scenario was not over within the limit of %.1f s",
                      (double) job->options.real_limit_ms / 1e3);
        return;
    }
    BJ_TEXT(at, 64);
    bj_time waited = atomic_load(&job->shared->now);
    bj_duration_print(&at, words->time > waited ? words->time : waited);
    double still = (double) job->still_us / 1e6, processor = (double) job->processor_us / 1e6;
    uint32_t phase = atomic_load(&job->shared->phase);
    if (phase == BJ_PHASE_NONE) {
        bj_job_decide(job, BJ_ERROR,
                      "the preload library never reported itself within %.1f s: the client does not load it", still);
    } else if (job->stood_still && job->floods > 1) { /* once: it wrote much, and then did nothing */
        bj_job_decide(job, BJ_FAIL,
                      "the client writes without end: for %.1f s of real time it made no call that waits or moves "
                      "anything, only wrote to its standard output or standard error, which costs no virtual time "
                      "(virtual time %s)",
                      still, at.start);
    } else if (job->stood_still && (job->was_running || processor >= still / 2)) {
        bj_job_decide(job, BJ_FAIL,
                      "the client spins: it made no call that the world answers for %.1f s of real time, and used "
                      "%.1f s of the processor (virtual time %s)",
                      still, processor, at.start);
    } else if (job->stood_still) {
        bj_job_decide(job, BJ_FAIL,
                      "the client blocks for real: it made no call that the world answers for %.1f s of real time "
                      "(virtual time %s)",
                      still, at.start);
    } else {
        bj_job_decide(job, BJ_FAIL,
                      "the run took longer than its limit of %.1f s of real time, in which it used %.1f s of the "
                      "processor (virtual time %s)",
                      (double) (job->ended_us - job->started_us) / 1e6, processor, at.start);
    }
}

static void decide_unheard(bj_job *job) {
    if (WIFSIGNALED(job->wait_status)) {
        bj_job_decide(job, BJ_ERROR, "the client does not start: killed by signal %d (%s) before the world stood",
                      WTERMSIG(job->wait_status), strsignal(WTERMSIG(job->wait_status)));
    } else {
        bj_job_decide(
            job, BJ_ERROR,
            "the preload library never reported itself (the client ended with status %d): is it a set-user-ID "
            "program, or one whose loader drops LD_PRELOAD?",
            WEXITSTATUS(job->wait_status));
    }
}

static void decide_crash(bj_job *job, const last_words *words) {
    BJ_TEXT(at, 64);
    bj_duration_print(&at, words->time);
    int number = WTERMSIG(job->wait_status);
    bj_job_decide(job, BJ_FAIL, "the client crashed: signal %d (%s) at %s of virtual time%s%.*s", number,
                  strsignal(number), at.start, words->step.kind ? ", during: " : "", (int) words->step.text_length,
                  words->step.kind ? words->step.text : "");
}

static void take_verdict(bj_job *job, const bj_event *verdict) {
    job->verdict = (bj_verdict) verdict->number;
    job->reason = bj_arena_strndup(job->arena, verdict->text ? verdict->text : "", verdict->text_length);
    job->position = verdict->position;
    job->cause = verdict->cause;
}

/* The client's process ended without the engine's hearing of it. */
static void log_exit(bj_job *job, const last_words *words) {
    bool crashed = WIFSIGNALED(job->wait_status);
    append(job,
           (bj_event){ .kind = BJ_EV_CLIENT_EXIT,
                       .actor = BJ_ACTOR_CLIENT,
                       .number = crashed ? 0 : WEXITSTATUS(job->wait_status),
                       .other = crashed ? WTERMSIG(job->wait_status) : 0 },
           words);
}

static void decide(bj_job *job, const last_words *words) {
    uint32_t phase = atomic_load(&job->shared->phase);
    const char *sanitizer = bj_output_sanitizer(&job->output);
    if (phase == BJ_PHASE_FAILED) {
        bj_job_decide(job, BJ_ERROR, "%s", job->shared->trouble);
    } else if (job->timed_out && !(phase == BJ_PHASE_OVER && words->verdict.kind)) {
        decide_timeout(job, words);
    } else if (phase == BJ_PHASE_NONE) {
        decide_unheard(job);
    } else if (sanitizer) {
        bj_job_decide(job, BJ_FAIL, "%s", sanitizer);
    } else if (WIFSIGNALED(job->wait_status) && !job->timed_out) {
        decide_crash(job, words);
    } else if (words->verdict.kind) {
        take_verdict(job, &words->verdict);
    } else if (bj_log_lost(job->log)) {
        bj_job_decide(job, BJ_ERROR, "the event log is full: %llu events were lost, the verdict among them",
                      (unsigned long long) bj_log_lost(job->log));
    } else {
        bj_job_decide(job, BJ_FAIL, "the client's process ended with status %d, by a call that the world does not see",
                      WEXITSTATUS(job->wait_status));
    }
}

/* --- oracles -------------------------------------------------------------------------------------------------- */

static void ask_oracles(bj_job *job) {
    bj_oracle_config config;
    bj_oracle_configure(&config, job->scenario, job->options.profile, job->options.attach != BJ_ATTACH_NETWORK);
    bj_oracle *oracle = bj_oracle_new(job->arena, &config);
    for (size_t i = 0; i < job->output.count; i++) {
        bj_oracle_output(oracle, job->output.lines[i].text, job->output.lines[i].after);
    }
    bj_oracle_judge(oracle, job->log);
    job->broken_count = bj_oracle_findings(oracle, &job->broken);
    job->recovery = bj_oracle_recovery(oracle);
}

static void print_finding(bj_text *out, const bj_finding *finding) {
    bj_text_printf(out, "%s broken at ", bj_rule_id(finding->rule));
    bj_time_print(out, finding->time);
    if (finding->event) {
        bj_text_printf(out, " (event %u)", finding->event);
    }
    bj_text_printf(out, ": %s", finding->text);
}

static void log_findings(bj_job *job, const last_words *words) {
    for (size_t i = 0; i < job->broken_count; i++) {
        const bj_finding *finding = &job->broken[i];
        BJ_TEXT(line, REASON);
        bj_text_printf(&line, "%s: %s", bj_rule_id(finding->rule), finding->text);
        append(job,
               (bj_event){ .kind = BJ_EV_RULE,
                           .actor = BJ_ACTOR_WORLD,
                           .number = bj_rule_level(finding->rule),
                           .cause = finding->event,
                           .text = line.start },
               words);
    }
}

static int weight(const bj_finding *finding) {
    return (bj_rule_level(finding->rule) == BJ_LEVEL_MUST ? 2 : 0) + (finding->excuse ? 0 : 4);
}

static const bj_finding *worst_finding(const bj_job *job) {
    const bj_finding *worst = NULL;
    for (size_t i = 0; i < job->broken_count; i++) {
        if (!worst || weight(&job->broken[i]) > weight(worst)) {
            worst = &job->broken[i];
        }
    }
    return worst;
}

/* A broken MUST fails what had not failed, unless the profile knows of it, a broken SHOULD is a warning; what failed
 * keeps its reason, and tells the rule behind it. */
static void merge_findings(bj_job *job) {
    const bj_finding *worst = worst_finding(job);
    if (!worst) {
        return;
    }
    bool must = bj_rule_level(worst->rule) == BJ_LEVEL_MUST;
    BJ_TEXT(reason, REASON);
    if (job->verdict == BJ_FAIL) {
        bj_text_printf(&reason, "%s; besides, ", job->reason);
    } else if (worst->excuse) {
        bj_text_printf(&reason, "%s: ", worst->excuse);
    }
    print_finding(&reason, worst);
    if (job->verdict == BJ_FAIL) {
        job->reason = bj_arena_strndup(job->arena, reason.start, reason.used);
    } else if (must || job->verdict == BJ_PASS) {
        bj_job_decide(job, worst->excuse ? BJ_XFAIL : must ? BJ_FAIL : BJ_WARN, "%s", reason.start);
        job->cause = worst->event;
    }
}

/* What a scenario demands that shows no MUST, and the client did not do, is a warning (verdicts of the README). How it
 * ended otherwise, by a crash or a hang, is what it is. */
static void weigh(bj_job *job, const last_words *words) {
    const bj_value *level = bj_get(job->scenario, BJ_F(SCENARIO, LEVEL));
    const bj_event *verdict = &words->verdict;
    bool by_a_step = words->step_failed && verdict->number == BJ_FAIL && strlen(job->reason) == verdict->text_length &&
                     memcmp(job->reason, verdict->text, verdict->text_length) == 0;
    if (level && level->as.uint == BJ_LEVEL_SHOULD && job->verdict == BJ_FAIL && by_a_step) {
        bj_job_decide(job, BJ_WARN, "against a SHOULD: %s", job->reason);
    }
}

static void judge_rules(bj_job *job, const last_words *before) {
    job->script_verdict = job->verdict;
    if (!job->log || job->verdict == BJ_ERROR || job->verdict == BJ_SKIP) {
        return;
    }
    weigh(job, before);
    ask_oracles(job);
    for (size_t i = 0; i < job->broken_count; i++) {
        bj_oracle_excuse(&job->broken[i], job->options.profile);
    }
    last_words words = read_log(job->log);
    log_findings(job, &words);
    merge_findings(job);
    if (job->recovery == BJ_RECOVERY_BRICKED && (job->verdict == BJ_PASS || job->verdict == BJ_WARN)) {
        bj_job_decide(job, BJ_BRICKED,
                      "by lawful commands the client is left without a bootstrap account and without a server account "
                      "that it could use: it can never register again");
    }
}

void bj_job_judge(bj_job *job) {
    last_words words = read_log(job->log);
    uint32_t phase = atomic_load(&job->shared->phase);
    bool own_process = job->options.attach != BJ_ATTACH_NETWORK;
    if (own_process && !words.client_exited && phase == BJ_PHASE_WORLD) {
        log_exit(job, &words);
    }
    decide(job, &words);
    judge_rules(job, &words);
    if (!words.ended) {
        append(job, (bj_event){ .kind = BJ_EV_RUN_END }, &words);
    }
}
