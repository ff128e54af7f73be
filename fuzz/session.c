/* SPDX-License-Identifier: Apache-2.0
 *
 * See session.h. World, engine and oracles live in one arena that is cleared between sessions, the log in memory of its
 * own; the client's memory is counted.
 */
#define _GNU_SOURCE
#include "session.h"
#include "memory.h"
#include "session_client.h"
#include "session_states.h"

#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "attach/linked_config.h"
#include "bootjack/client.h"
#include "libc/libc.h"
#include "script/bytes.h"
#include "script/engine.h"
#include "script/load.h"
#include "world/sim.h"

enum {
    ARENA_SIZE = 64 << 20,
    LOG_SIZE = 64 << 20,
    EVENTS = 1000, /* of a script: few of the longest would take most of the time */
    HEALED_EVENTS = 4000,
    STEPS_AN_EVENT = 10, /* of the client, beside the events that come of them */
    SPINS = 20000,
    MEMORY = 4 << 20,
    RUNNING = 0,
    STOPPED = 1,
    FAILED = 2,
};

/* Unix time at virtual time 0: 2024-01-01 00:00:00 UTC, as in every run. */
static const int64_t epoch = 1704067200;

struct fuzz_session {
    session_options options;
    bj_arena *arena, *profile_arena;
    void *log_memory;
    bj_log *log;
    bj_log_mark empty; /* of the log, before a session: to rewind it takes less than to make it */
    bj_sim *sim;
    bj_engine *engine;
    bootjack_linked_config config;
    void *client;
    int signal_number; /* that is to be delivered to the client, 0 = none */
    uint64_t steps;    /* of the client */
    uint64_t healed;   /* work that was done when the world was healed; 0: it is not */
    bool dead;         /* the client is being destroyed: what it tells then stands in no log */
    bool terse;        /* this time */
    size_t held, held_most, blocks;
    session_result result;
    sigjmp_buf exhausted;
};

/* Read by AddressSanitizer's runtime. A session frees what it allocated: a small quarantine stays in the cache, and
 * what a later session would find in it is found in the same session. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "quarantine_size_mb=4:malloc_context_size=8:allocator_release_to_os_interval_ms=-1";
}

/* libFuzzer's main() keeps an object that LeakSanitizer does not find in these programs. Nothing of ours is made by
 * operator new. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
    return "leak:libstdc++\n";
}

static struct {
    uint64_t sessions, unmade;
    char reason[256]; /* the last line of log of a client that could not be made */
} played;

static const bootjack_linked_client *functions(void) {
    return session_client_played.functions;
}

static fuzz_session *current; /* whose arena may be exhausted: the handler has no argument */

static void exhausted(size_t wanted) {
    (void) wanted;
    siglongjmp(current->exhausted, 1);
}

/* --- the client's memory -------------------------------------------------------------------------------------- */

static void *allocate(void *context, size_t size) {
    fuzz_session *s = context;
    if (size > s->options.memory_limit || s->held + size > s->options.memory_limit) {
        s->result.trouble = s->result.trouble ? s->result.trouble : SESSION_HUNGRY;
        return NULL;
    }
    void *memory = memory_allocator.allocate(NULL, size);
    if (memory) {
        s->blocks++;
        s->held += size;
        s->held_most = s->held > s->held_most ? s->held : s->held_most;
    }
    return memory;
}

static void release(void *context, void *memory) {
    fuzz_session *s = context;
    s->blocks--;
    s->held -= memory_size(memory);
    memory_allocator.release(NULL, memory);
}

/* --- from the world and from the client ----------------------------------------------------------------------- */

/* The run ended while the client was inside a call: every call of it fails from now on, until it comes back. */
static void over(void *context) {
    (void) context;
}

static void deliver(void *context, int signal_number) {
    fuzz_session *s = context;
    s->signal_number = signal_number;
}

static void tell(fuzz_session *s, uint8_t kind, const char *text) {
    if (s->dead || bj_sim_over(s->sim)) {
        return;
    }
    bj_event event = { .kind = kind,
                       .actor = BJ_ACTOR_CLIENT,
                       .time = bj_sim_now(s->sim),
                       .number = kind == BJ_EV_CLIENT_OUTPUT ? 2 : 0,
                       .text = text };
    bj_log_append(s->log, &event);
}

static void state_changed(void *context, const char *text) {
    tell(context, BJ_EV_CLIENT_STATE, text);
}

static void log_line(void *context, const char *text) {
    fuzz_session *s = context;
    if (!s->client) {
        snprintf(played.reason, sizeof played.reason, "%s", text);
    }
    tell(s, BJ_EV_CLIENT_OUTPUT, text);
}

/* --- the loop ------------------------------------------------------------------------------------------------- */

static bool poked(void *context) {
    (void) context;
    return bj_libc_poked();
}

/* A program may go on for ever: its script ends when it had enough, and then the session. false: it is over. */
static bool may_go_on(fuzz_session *s) {
    uint64_t work = bj_log_last(s->log) + ++s->steps / STEPS_AN_EVENT;
    if (work > s->options.event_limit) {
        bj_engine_end_script(s->engine);
    }
    if (!s->healed && bj_engine_is_healing(s->engine)) {
        s->healed = work;
    }
    if (work <= (s->healed ? s->healed : s->options.event_limit) + s->options.healed_limit) {
        return true;
    }
    s->result.trouble = s->result.trouble ? s->result.trouble : SESSION_LONG;
    return false;
}

static bool wait_for_work(fuzz_session *s) {
    int64_t wish = functions()->next_deadline(s->client);
    if (!may_go_on(s)) {
        return false;
    }
    if (wish == 0) {
        return bj_sim_polled(s->sim) != BJ_SIM_OVER; /* at once: must not stop time */
    }
    bj_time deadline = wish < 0 ? BJ_NEVER : bj_sim_now(s->sim) + (bj_time) wish * BJ_MS;
    return bj_sim_wait_until(s->sim, poked, NULL, deadline) != BJ_SIM_OVER;
}

/* The client ended by itself, or by a signal. */
static void exited(fuzz_session *s, int status, int signal_number) {
    bj_event event = { .kind = BJ_EV_CLIENT_EXIT,
                       .actor = BJ_ACTOR_CLIENT,
                       .time = bj_sim_now(s->sim),
                       .number = status,
                       .other = signal_number };
    uint32_t number = bj_log_append(s->log, &event);
    bj_sim_client_left(s->sim);
    if (!bj_engine_done(s->engine)) {
        bj_engine_client_exited(s->engine, status, signal_number, number);
    }
}

/* true: the client is dead of it. */
static bool take_signal(fuzz_session *s) {
    int number = s->signal_number;
    s->signal_number = 0;
    if (number == SIGTERM || number == SIGINT) {
        functions()->stop(s->client);
    }
    return number == SIGKILL;
}

/* One life of the client, as an application's main loop would have it. */
static void drive(fuzz_session *s) {
    for (;;) {
        functions()->step(s->client);
        int state = bj_sim_over(s->sim) ? RUNNING : functions()->state(s->client);
        if (state != RUNNING) {
            exited(s, state == STOPPED ? 0 : state == FAILED ? 1 : state, 0);
            return;
        }
        if (!wait_for_work(s)) {
            return;
        }
        if (take_signal(s)) {
            exited(s, 0, SIGKILL);
            return;
        }
    }
}

static void destroy(fuzz_session *s) {
    s->dead = true;
    if (s->client) {
        functions()->destroy(s->client);
        s->client = NULL;
    }
    bj_libc_leave();
    s->signal_number = 0;
}

/* What an older attachment cannot be told it is not asked for (attach/linked.h). */
static bool can_be_told(const fuzz_session *s) {
    int version = functions()->version;
    return !(s->config.state_path && version < 2) && !(s->config.legacy && version < 3);
}

static void *create(fuzz_session *s) {
    const bootjack_allocator allocator = { allocate, release, s };
    if (!can_be_told(s)) {
        log_line(s, "its version of attach/linked.h is older than what a scenario sets");
        return NULL;
    }
    return session_client_played.create ? session_client_played.create(&s->config, &allocator)
                                        : functions()->create(&s->config);
}

static void live(fuzz_session *s) {
    bj_event start = {
        .kind = BJ_EV_CLIENT_START, .actor = BJ_ACTOR_CLIENT, .time = bj_sim_now(s->sim), .text = "linked"
    };
    bj_log_append(s->log, &start);
    s->dead = false;
    bj_libc_enter(s->sim, over, s);
    bj_sim_attach(s->sim, deliver, s);
    if (!bj_sim_over(s->sim)) {
        s->client = create(s);
        if (s->client) {
            drive(s);
        } else if (!bj_sim_over(s->sim)) {
            s->result.trouble = s->result.trouble ? s->result.trouble : SESSION_UNMADE;
        }
    }
    destroy(s);
}

static bool starts_again(fuzz_session *s) {
    bool may = s->result.trouble == SESSION_WELL && !bj_engine_done(s->engine) && may_go_on(s);
    return may && bj_sim_without_client(s->sim);
}

/* --- a session ------------------------------------------------------------------------------------------------ */

static void begin(fuzz_session *s, const bj_record *scenario) {
    bj_event event = { .kind = BJ_EV_RUN_BEGIN,
                       .number = (int64_t) s->options.seed,
                       .text = bj_get_string(scenario, BJ_F(SCENARIO, TITLE), "") };
    bj_log_append(s->log, &event);
    bj_sim_config config = {
        .seed = s->options.seed,
        .epoch = epoch,
        .spin_limit = SPINS,
    };
    s->sim = bj_sim_new(s->arena, s->log, &config);
    s->engine = bj_engine_new(s->arena, scenario, s->options.profile, bj_sim_world(s->sim), bj_sim_ops());
    bj_sim_set_engine(s->sim, s->engine);
    bj_engine_be_lenient(s->engine);
    if (s->terse) {
        bj_engine_be_terse(s->engine);
    }
    bj_engine_set_least_piece(s->engine, session_client_played.piece);
    bj_linked_config_fill(&s->config, s->arena, scenario, s->options.profile);
    s->config.state_changed = state_changed;
    s->config.log_line = log_line;
    s->config.context = s;
    bj_engine_start(s->engine);
}

static void play(fuzz_session *s, const bj_record *scenario) {
    begin(s, scenario);
    do {
        live(s);
    } while (starts_again(s));
    bj_event end = { .kind = BJ_EV_RUN_END, .time = bj_sim_now(s->sim) };
    bj_log_append(s->log, &end);
    s->result.virtual_time = bj_sim_now(s->sim);
    s->result.verdict = bj_engine_verdict(s->engine);
}

const char *session_reason(const session_result *r) {
    const char *reason = NULL;
    bj_event event;
    for (size_t cursor = 0; bj_log_next(r->log, &cursor, &event);) {
        reason = event.kind == BJ_EV_VERDICT ? event.text : reason;
    }
    return reason ? reason : "";
}

static void judge(fuzz_session *s, const bj_record *scenario) {
    session_result *r = &s->result;
    bool ended = r->trouble != SESSION_LONG; /* else what had not come yet might have come */
    session_judge(r, s->arena, scenario, s->options.profile, ended);
    for (size_t i = 0; i < r->finding_count && !r->broken; i++) {
        r->broken = session_counts(&r->findings[i], session_client_played.promises) ? &r->findings[i] : NULL;
    }
}

static void account(fuzz_session *s) {
    s->result.held = s->held_most;
    s->result.leaked = s->held;
    if (bj_sim_spun(s->sim) && !s->result.trouble) {
        s->result.trouble = SESSION_STUCK;
    }
    if (s->blocks && (s->result.trouble == SESSION_WELL || s->result.trouble == SESSION_LONG)) {
        s->result.trouble = SESSION_LEAK;
    }
}

static size_t end_client(void) {
    return session_client_played.end ? session_client_played.end() : 0;
}

static void run(fuzz_session *s, const bj_record *scenario, const void *bytes, size_t length) {
    if (sigsetjmp(s->exhausted, 0)) {
        destroy(s);
        end_client();
        s->result.trouble = SESSION_EXHAUSTED;
        return;
    }
    s->result.scenario = scenario ? scenario : bj_program_decode(s->arena, BJ_K_SCENARIO, bytes, length, NULL, 0);
    if (session_client_played.begin) {
        session_client_played.begin();
    }
    play(s, s->result.scenario);
    s->blocks += end_client();
    account(s);
    if (s->result.trouble != SESSION_UNMADE) {
        judge(s, s->result.scenario);
    }
    session_note_states(s->log);
}

static void once(fuzz_session *s, const bj_record *scenario, const void *bytes, size_t length) {
    bj_arena_reset(s->arena);
    bj_log_rewind(s->log, s->empty);
    s->result = (session_result){ .log = s->log };
    s->client = NULL;
    s->signal_number = 0;
    s->steps = s->healed = 0;
    s->held = s->held_most = s->blocks = 0;
    current = s;
    bj_arena_on_exhausted(exhausted);
    run(s, scenario, bytes, length);
    bj_arena_on_exhausted(NULL);
    memory_forget();
}

static const session_result *session(fuzz_session *s, const bj_record *scenario, const void *bytes, size_t length) {
    s->terse = s->options.terse;
    played.sessions++;
    once(s, scenario, bytes, length);
    if (s->terse && session_is_finding(&s->result)) {
        s->terse = false;
        once(s, scenario, bytes, length);
    }
    played.unmade += s->result.trouble == SESSION_UNMADE;
    return &s->result;
}

void session_print_played(FILE *out) {
    fprintf(out, "sessions: %" PRIu64, played.sessions);
    if (played.unmade) {
        fprintf(out, "; for %" PRIu64 " the client %s could not be made%s%s", played.unmade, functions()->name,
                *played.reason ? ", at last: " : "", played.reason);
    }
    fprintf(out, "\n");
}

const session_result *session_run(fuzz_session *s, const void *bytes, size_t length) {
    return session(s, NULL, bytes, length);
}

const session_result *session_run_program(fuzz_session *s, const bj_record *scenario) {
    return session(s, scenario, NULL, 0);
}

/* --- the runner ----------------------------------------------------------------------------------------------- */

/* NULL: it has mistakes, which are printed. */
static const bj_record *own_profile(bj_arena *arena) {
    const char *text = session_client_played.profile;
    bj_mistakes mistakes = { 0 };
    const bj_record *profile =
        bj_load_bytes(arena, BJ_K_PROFILE, "the client's profile", text, strlen(text), &mistakes);
    for (size_t i = 0; i < mistakes.count && i < BJ_MISTAKES; i++) {
        BJ_TEXT(line, 1024);
        bj_mistake_print(&line, &mistakes.items[i]);
        fprintf(stderr, "%s\n", line.start);
    }
    return profile;
}

static bool is_usable(const bootjack_linked_client *client) {
    if (client->version >= 1 && client->version <= BOOTJACK_LINKED_VERSION) {
        return true;
    }
    fprintf(stderr, "the client %s was made for version %d of attach/linked.h; this is version %d\n", client->name,
            client->version, BOOTJACK_LINKED_VERSION);
    return false;
}

/* Tests of inputs that were found play them as long as they were when they showed something. */
static uint32_t events_of_environment(void) {
    const char *wanted = getenv("FUZZ_EVENTS");
    unsigned long events = wanted ? strtoul(wanted, NULL, 10) : 0;
    return events && events <= UINT32_MAX ? (uint32_t) events : EVENTS;
}

fuzz_session *session_open(const session_options *options) {
    fuzz_session *s = is_usable(functions()) ? calloc(1, sizeof *s) : NULL;
    if (!s) {
        return NULL;
    }
    if (session_client_played.prepare) {
        session_client_played.prepare();
    }
    bj_libc_without_descriptors();
    s->options = options ? *options : (session_options){ 0 };
    s->options.seed = s->options.seed ? s->options.seed : 1;
    s->options.event_limit = s->options.event_limit ? s->options.event_limit : events_of_environment();
    s->options.healed_limit = s->options.healed_limit ? s->options.healed_limit : HEALED_EVENTS;
    s->options.memory_limit = s->options.memory_limit ? s->options.memory_limit : MEMORY;
    s->arena = bj_arena_map(ARENA_SIZE);
    s->profile_arena = bj_arena_map(1 << 20);
    void *memory = mmap(NULL, LOG_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    s->log_memory = memory == MAP_FAILED ? NULL : memory;
    if (s->log_memory) {
        s->log = bj_log_create(s->log_memory, LOG_SIZE);
        s->empty = bj_log_marked(s->log);
    }
    if (s->profile_arena && !s->options.profile) {
        s->options.profile = own_profile(s->profile_arena);
    }
    if (!s->arena || !s->log_memory || !s->options.profile) {
        session_close(s);
        return NULL;
    }
    return s;
}

void session_close(fuzz_session *s) {
    if (!s) {
        return;
    }
    bj_arena_unmap(s->arena);
    bj_arena_unmap(s->profile_arena);
    if (s->log_memory) {
        munmap(s->log_memory, LOG_SIZE);
    }
    free(s);
}
