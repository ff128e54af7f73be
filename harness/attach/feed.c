/* SPDX-License-Identifier: Apache-2.0
 *
 * See feed.h. An answer is a head, the byte form of a scenario that has only steps, and their positions.
 */
#define _GNU_SOURCE
#include "attach/feed.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attach/child.h"
#include "libc/libc.h"
#include "script/bytes.h"

typedef struct answer_head {
    uint32_t fed; /* bj_fed */
    uint32_t length;
    uint32_t positions;
} answer_head;

/* --- the child's end ------------------------------------------------------------------------------------------ */

static bool receive(int descriptor, void *bytes, size_t length) {
    for (size_t got = 0; got < length;) {
        ssize_t n = read(descriptor, (char *) bytes + got, length - got);
        if (n <= 0 && !(n < 0 && errno == EINTR)) {
            return false;
        }
        got += n > 0 ? (size_t) n : 0;
    }
    return true;
}

static bool put_question(const bj_child *child) {
    bj_feed_question question = { .now = child->ops->now(child->world), .wake = BJ_NEVER };
    if (child->ops->client_wake) {
        question.wake = child->ops->client_wake(child->world);
    }
    ssize_t n;
    do {
        n = send(child->shared->feed, &question, sizeof question, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return n == (ssize_t) sizeof question;
}

/* The supervisor is gone, or does not keep to the form: nobody waits for this run any more. */
_Noreturn static void give_up(bj_child *child) {
    bj_shared_trouble(child->shared, "the control channel is broken");
    bj_child_vanish(1);
}

static bj_fed converse(bj_child *child, const bj_record **steps) {
    answer_head head;
    if (!put_question(child) || !receive(child->shared->feed, &head, sizeof head)) {
        give_up(child);
    }
    if (head.fed != BJ_FED_STEPS) {
        return (bj_fed) head.fed;
    }
    char *bytes = bj_arena_alloc(child->arena, head.length + 1);
    bj_position *positions = bj_arena_calloc(child->arena, head.positions + 1, sizeof *positions);
    if (!receive(child->shared->feed, bytes, head.length) ||
        !receive(child->shared->feed, positions, head.positions * sizeof *positions)) {
        give_up(child);
    }
    *steps = bj_program_decode(child->arena, BJ_K_SCENARIO, bytes, head.length, positions, head.positions);
    bj_arena_free(child->arena, positions);
    bj_arena_free(child->arena, bytes);
    return BJ_FED_STEPS;
}

/* The engine asks from inside a call of the client's: what is read and written here is none of the world's. */
static bj_fed ask(void *context, const bj_record **steps) {
    int kept = errno;
    bj_libc_outside();
    bj_fed fed = converse(context, steps);
    bj_libc_inside();
    errno = kept;
    return fed;
}

void bj_feed_take_up(bj_child *child) {
    if (child->shared->feed) {
        bj_engine_set_feed(child->engine, ask, child);
    }
}

/* --- the supervisor's ----------------------------------------------------------------------------------------- */

bool bj_feed_asked(int descriptor, bj_feed_question *question) {
    return recv(descriptor, question, sizeof *question, MSG_DONTWAIT) == (ssize_t) sizeof *question;
}

static bool give(int descriptor, const void *bytes, size_t length) {
    for (size_t given = 0; given < length;) {
        ssize_t n = send(descriptor, (const char *) bytes + given, length - given, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        given += n > 0 ? (size_t) n : 0;
    }
    return true;
}

void bj_feed_answer(int descriptor, bj_arena *arena, bj_fed fed, const bj_record *steps) {
    answer_head head = { .fed = fed };
    bj_string bytes = { .bytes = NULL };
    bj_position *positions = NULL;
    size_t count = 0;
    if (fed == BJ_FED_STEPS) {
        bytes = bj_program_encode(arena, steps);
        positions = bj_program_positions(arena, steps, &count);
        head.length = (uint32_t) bytes.length;
        head.positions = (uint32_t) count;
    }
    if (give(descriptor, &head, sizeof head) && give(descriptor, bytes.bytes, bytes.length)) {
        give(descriptor, positions, count * sizeof *positions);
    }
}
