/* SPDX-License-Identifier: Apache-2.0
 *
 * A script that grows while it runs. All cursors go through one list of steps, which gets longer when the first of them
 * comes to its end; so `either`, and whatever else makes several of one, mean the same as in a script that was whole
 * from the beginning.
 */
#include "script/engine_internal.h"

#include <assert.h>
#include <string.h>

void bj_engine_set_feed(bj_engine *e, bj_engine_feed *feed, void *context) {
    e->feed = feed;
    e->feed_context = context;
}

/* The list is somewhere else now: the cursors go through it in their outermost frames. */
static void moved(bj_engine *e, const bj_record *const *from) {
    for (unsigned i = 0; i < e->thread_count; i++) {
        bj__frame *f = &e->threads[i].frames[0];
        f->steps = f->steps == from ? e->fed : f->steps;
    }
}

static void append(bj_engine *e, const bj_record *scenario) {
    const bj_value *steps = bj_get(scenario, BJ_F(SCENARIO, STEPS));
    size_t more = steps ? steps->as.records.count : 0;
    if (e->fed_room - e->fed_count < more) {
        const bj_record **from = e->fed;
        e->fed_room = 2 * e->fed_room + more;
        e->fed = bj_arena_calloc(e->arena, e->fed_room, sizeof(void *));
        memcpy(e->fed, from, e->fed_count * sizeof(void *));
        moved(e, from);
        bj_arena_free(e->arena, from);
    }
    for (size_t i = 0; i < more; i++) {
        e->fed[e->fed_count++] = steps->as.records.items[i];
    }
}

const bj_record *const *bj__feed_steps(bj_engine *e, size_t *count) {
    *count = 0;
    if (!e->feed) {
        return NULL;
    }
    e->fed_room = 16;
    e->fed = bj_arena_calloc(e->arena, e->fed_room, sizeof(void *));
    append(e, e->scenario);
    e->fed_own = *count = e->fed_count;
    return e->fed;
}

/* The next steps; false: there are none, or the run was concluded. */
static bool ask(bj_engine *e) {
    const bj_record *steps = NULL;
    BJ_TEXT(why, 256);
    bj_fed fed = e->feed(e->feed_context, &steps);
    e->fed_over = fed != BJ_FED_STEPS;
    e->leave_unhealed = fed == BJ_FED_LEAVE;
    e->steps_at_once = 0;
    if (e->fed_over) {
        return false;
    }
    assert(steps && steps->kind == BJ_K_SCENARIO);
    if (!bj__needs_met(e, steps, &why)) {
        bj__conclude(e, BJ_SKIP, steps->position, 0, why.start);
        return false;
    }
    append(e, steps);
    return true;
}

bool bj__feed_more(bj_engine *e, bj__frame *f) {
    if (!e->fed || f->steps != e->fed) {
        return false;
    }
    while (f->index == e->fed_count && !e->fed_over && !e->done) {
        ask(e);
    }
    f->count = e->fed_count;
    return f->index < f->count;
}
