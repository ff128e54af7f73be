/* SPDX-License-Identifier: Apache-2.0
 *
 * See trial.h.
 */
#define _GNU_SOURCE
#include "tool/trial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/capture.h"
#include "tool/annotate.h"
#include "tool/tool.h"

static const char *const troubles[] = {
    [SESSION_STUCK] = "stuck", [SESSION_LEAK] = "leak", [SESSION_HUNGRY] = "hungry"
};
static const char *const trouble_texts[] = {
    [SESSION_STUCK] = "the client goes on and on without waiting",
    [SESSION_LEAK] = "the client, destroyed, kept memory",
    [SESSION_HUNGRY] = "the client took more memory than its limits explain",
};

/* One runner in a process; children have it from their parent. */
static fuzz_session *runner(void) {
    static fuzz_session *session;
    if (!session) {
        session = session_open(NULL);
    }
    if (!session) {
        tool_complain("no memory for a session");
        exit(TOOL_COULD_NOT_RUN);
    }
    return session;
}

/* FNV-1a over what the log says. */
static uint64_t hash(uint64_t sum, const void *bytes, size_t length) {
    const uint8_t *at = bytes;
    for (size_t i = 0; i < length; i++) {
        sum = (sum ^ at[i]) * UINT64_C(0x100000001b3);
    }
    return sum;
}

static bool is_packet(const bj_event *event) {
    return event->kind == BJ_EV_SENT || event->kind == BJ_EV_RECEIVED || event->kind == BJ_EV_STREAM_SENT ||
           event->kind == BJ_EV_STREAM_RECEIVED;
}

/* RFC 6347 §4.1, RFC 8446 §5.1. */
static bool is_record(const bj_event *event) {
    const uint8_t *raw = event->raw;
    return is_packet(event) && event->raw_length >= 2 && raw[0] >= 20 && raw[0] <= 26 && (raw[1] == 254 || raw[1] == 3);
}

/* Records of DTLS and TLS hold random numbers that are other ones each time; damage hides that they are records, and
 * pieces of a stream begin anywhere. Behind the first of them packets count with when they came and how long they are:
 * what they carry stands in the log as well. */
static uint64_t trace_of(const bj_log *log) {
    uint64_t sum = UINT64_C(0xcbf29ce484222325);
    bool secure = false;
    bj_event event;
    for (size_t cursor = 0; bj_log_next(log, &cursor, &event);) {
        secure = secure || is_record(&event);
        sum = hash(sum, &event.time, sizeof event.time);
        sum = hash(sum, &event.kind, sizeof event.kind);
        sum = hash(sum, &event.raw_length, sizeof event.raw_length);
        if (event.text && event.kind != BJ_EV_TLS_KEYS) {
            sum = hash(sum, event.text, event.text_length);
        }
        if (event.raw && !(secure && is_packet(&event))) {
            sum = hash(sum, event.raw, event.raw_length);
        }
    }
    return sum;
}

void trial_tell(const session_result *result, trial *out) {
    *out = (trial){ .found = session_is_finding(result) };
    if (out->found && result->trouble >= SESSION_STUCK) {
        snprintf(out->key, sizeof out->key, "%s", troubles[result->trouble]);
        snprintf(out->what, sizeof out->what, "%s", trouble_texts[result->trouble]);
    } else if (out->found) {
        snprintf(out->key, sizeof out->key, "%s", bj_rule_id(result->broken->rule));
        snprintf(out->what, sizeof out->what, "%s", result->broken->text);
    }
    out->trace = trace_of(result->log);
}

/* --- in another process --------------------------------------------------------------------------------------- */

/* The name of the first function on a sanitizer's first stack that is not its own, and the name's length; NULL: there
 * is none. Frames are lines `#N ADDRESS in NAME ...`. */
static const char *place(const char *text, int *length) {
    for (const char *frame = strstr(text, "\n    #"); frame; frame = strstr(frame + 1, "\n    #")) {
        const char *end = frame + 1 + strcspn(frame + 1, "\n");
        const char *in = memmem(frame, (size_t) (end - frame), " in ", 4);
        if (in && strncmp(in + 4, "__", 2) != 0) {
            *length = (int) strcspn(in + 4, " \n");
            return in + 4;
        }
    }
    return NULL;
}

/* What a sanitizer wrote about where it was, or the signal. */
static void tell_crash(int report, int status, trial *out) {
    static char text[1 << 16];
    ssize_t got = pread(report, text, sizeof text - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    const char *summary = strstr(text, "SUMMARY: "), *error = strstr(text, "runtime error: ");
    const char *said = summary ? summary + strlen("SUMMARY: ") : error ? error : NULL;
    *out = (trial){ .found = true };
    if (WIFSIGNALED(status)) {
        snprintf(out->key, sizeof out->key, "crash-signal-%d", WTERMSIG(status));
        snprintf(out->what, sizeof out->what, "the client ends by signal %d", WTERMSIG(status));
    } else {
        snprintf(out->key, sizeof out->key, "crash");
        snprintf(out->what, sizeof out->what, "the client ends its process");
    }
    if (said) {
        int length = (int) strcspn(said, "\n"), name = 0;
        const char *in = place(text, &name);
        bool named = in && memmem(said, (size_t) length, in, (size_t) name);
        snprintf(out->what, sizeof out->what, "%.*s%s%.*s", length, said, in && !named ? ", from " : "",
                 in && !named ? name : 0, in ? in : "");
        snprintf(out->key, sizeof out->key, "crash-%.*s", in ? name : length, in ? in : said);
    }
}

/* Runs `body` in a child whose standard error goes to the file `report`. -1: no process could be made. */
static int in_child(int report, void (*body)(void *), void *context) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        dup2(report, STDERR_FILENO);
        body(context);
        fflush(NULL);
        _exit(0);
    }
    int status = -1;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (child < 0) {
        perror("bootjack-fuzz: fork");
    }
    return child < 0 ? -1 : status;
}

static int report_file(void) {
    int report = memfd_create("report", MFD_CLOEXEC);
    if (report < 0) {
        perror("bootjack-fuzz: memfd_create");
        exit(TOOL_COULD_NOT_RUN);
    }
    return report;
}

typedef struct job {
    const bj_record *program;
    trial *shared;
    const char *file, *capture;
    bool wrote;
} job;

static void play(void *context) {
    job *j = context;
    trial_tell(session_run_program(runner(), j->program), j->shared);
}

static trial *shared_trial(void) {
    static trial *shared;
    if (!shared) {
        void *memory = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        shared = memory == MAP_FAILED ? NULL : memory;
    }
    if (!shared) {
        perror("bootjack-fuzz: mmap");
        exit(TOOL_COULD_NOT_RUN);
    }
    return shared;
}

bool trial_run(const bj_record *program, trial *out) {
    job j = { .program = program, .shared = shared_trial() };
    int report = report_file();
    runner();
    *j.shared = (trial){ 0 };
    int status = in_child(report, play, &j);
    *out = *j.shared;
    if (status > 0) {
        tell_crash(report, status, out);
    }
    close(report);
    return status >= 0;
}

/* --- writing -------------------------------------------------------------------------------------------------- */

static void play_and_write(void *context) {
    job *j = context;
    bj_arena *arena = tool_arena(64 << 20);
    bj_string text;
    const bj_record *placed = annotate_place(arena, j->program, &text);
    const session_result *result = session_run_program(runner(), placed);
    FILE *file = fopen(j->file, "we");
    BJ_TEXT(why, 512);
    if (!file || !annotate_write(file, text, result) || fclose(file) != 0) {
        _exit(1);
    }
    if (j->capture && !bj_capture_write(result->log, j->capture, &why)) {
        _exit(1);
    }
}

/* What can be written of a client that crashed. */
static bool write_crash(const job *j, int report) {
    bj_arena *arena = tool_arena(64 << 20);
    bj_string text;
    annotate_place(arena, j->program, &text);
    static char lines[4096];
    ssize_t got = pread(report, lines, sizeof lines - 1, 0);
    lines[got > 0 ? got : 0] = '\0';
    FILE *file = fopen(j->file, "we");
    if (file) {
        fprintf(file, "%.*s", (int) text.length, text.bytes);
        for (char *line = strtok(lines, "\n"); line; line = strtok(NULL, "\n")) {
            fprintf(file, "# %s\n", line);
        }
    }
    bj_arena_unmap(arena);
    return file && fclose(file) == 0;
}

bool trial_write(const bj_record *program, const char *file, const char *capture) {
    job j = { .program = program, .file = file, .capture = capture };
    int report = report_file();
    runner();
    int status = in_child(report, play_and_write, &j);
    bool fine = status == 0 || (status > 0 && write_crash(&j, report));
    close(report);
    if (!fine) {
        tool_complain("%s: cannot be written: %s", file, strerror(errno));
    }
    return fine;
}
