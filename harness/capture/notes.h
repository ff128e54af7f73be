/* SPDX-License-Identifier: Apache-2.0
 *
 * What a capture of a run says beside its packets, in comments of its section header (draft-ietf-opsawg-pcapng 4.1):
 * what client and servers were given, and the steps that no packet shows (the client is stopped, its power goes, a name
 * gives another address). Captures of others have none. Private to capture/.
 */
#ifndef BJ_CAPTURE_NOTES_H
#define BJ_CAPTURE_NOTES_H

#include "base/arena.h"
#include "capture/capture.h"
#include "log/eventlog.h"
#include "script/program.h"

/* --- writing: beside a log that is read twice --- */

enum { BJ_NOTES = 256 };

/* How such comments begin. */
#define BJ_NOTE_GIVEN "bootjack-given "
#define BJ_NOTE_STEP  "bootjack-step "

/* A step that no packet shows. `raw` is the log's, unless NULL: then `step` says it. */
typedef struct bj_note {
    uint32_t sequence; /* of the event with which it begins */
    uint32_t frame;    /* it began before this one; the writer of the file sets it */
    bj_time begun, ended;
    bj_position position;
    bool open; /* it has not ended yet */
    uint8_t kind;
    const uint8_t *raw;
    size_t raw_length;
    const bj_record *step;
} bj_note;

typedef struct bj_notes {
    bj_arena *arena;        /* NULL: there is no memory, and nothing is noted */
    const bj_record *given; /* the scenario; NULL */
    bj_named *servers;      /* as they came: the scenario's, and those that appeared later */
    size_t server_count;
    bj_note steps[BJ_NOTES];
    size_t count;
    bool started, starts; /* the client has been; a step starts it */
    bool failed_names;    /* a name that was asked for has no address */
    bool disk;            /* its disk was made to fail */
} bj_notes;

void bj_notes_begin(bj_notes *notes);
/* The next event of the log. */
void bj_notes_take(bj_notes *notes, const bj_event *event);
/* The comments, in the arena of `notes`; *count of them. */
const char **bj_notes_comments(const bj_notes *notes, size_t *count);
void bj_notes_end(bj_notes *notes);

/* --- reading --- */

typedef struct bj_noted_step {
    uint32_t frame;
    uint64_t begun, ended; /* microseconds since 1970, as those of packets */
    const bj_record *step;
} bj_noted_step;

typedef struct bj_noted {
    const bj_record
        *given; /* a scenario of which client, servers, dns, network and transmission stand; NULL: not noted */
    bj_noted_step *steps; /* in the order of frames */
    size_t count;
} bj_noted;

/* What the capture's section header says, in the arena; nothing for other captures, and for what is damaged. */
void bj_notes_read(bj_noted *noted, bj_arena *arena, const bj_capture_source *source);

#endif
