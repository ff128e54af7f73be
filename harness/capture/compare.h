/* SPDX-License-Identifier: Apache-2.0
 *
 * Two conversations side by side: the one of a capture, and the one of a run of the scenario that was made of it.
 * Private to harness/ (capture/, cli/).
 */
#ifndef BJ_CAPTURE_COMPARE_H
#define BJ_CAPTURE_COMPARE_H

#include <stdio.h>

#include "capture/script.h"

enum { BJ_COMPARED = 1500 };

/* One message that counts: requests, answers, repetitions of the client, rejections, closed ports. */
typedef struct bj_compared {
    uint32_t frame;
    bj_time time, gap; /* since the one before */
    bool by_client;
    const char *key;  /* what it is, whatever its outcome: the same on both sides where both have it */
    const char *text; /* for people */
    const char *said; /* code and content, as they are compared */
} bj_compared;

typedef struct bj_conversation_side {
    bj_compared *all;
    size_t count;
} bj_conversation_side;

typedef enum bj_difference {
    BJ_SAME = 0,
    BJ_OTHER_TIME,    /* the same at another time */
    BJ_OTHER_CONTENT, /* another code, or other content */
    BJ_ONLY_CAPTURED,
    BJ_ONLY_REPLAYED,
} bj_difference;

typedef struct bj_row {
    int captured, replayed; /* places; -1: it has none */
    uint8_t difference;     /* bj_difference */
} bj_row;

typedef struct bj_comparison {
    bj_conversation_side captured, replayed;
    bj_row *rows;
    size_t count;
    int first; /* row of the first difference; -1: there is none */
} bj_comparison;

/* Lays the conversation out. `script`: names of servers, by their addresses in the capture (`here` false) or in the
 * world. Everything is in the arena. */
void bj_compare_side(bj_conversation_side *side, const bj_script *script, const bj_talk *talk, bool here,
                     bj_arena *arena);
/* Finds the rows. `timed`: times count, but for `tolerance` and a tenth. */
void bj_compare(bj_comparison *comparison, bj_arena *arena, bool timed, bj_time tolerance);
/* Both, side by side. */
void bj_compare_print(const bj_comparison *comparison, FILE *out);

#endif
