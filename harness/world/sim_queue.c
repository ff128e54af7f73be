/* SPDX-License-Identifier: Apache-2.0
 *
 * The queue of events to come: a binary heap ordered by (time, tie, sequence).
 */
#include <assert.h>

#include "world/sim_internal.h"

bool sim_before(const sim_event *a, const sim_event *b) {
    if (a->time != b->time) {
        return a->time < b->time;
    }
    return a->tie != b->tie ? a->tie < b->tie : a->sequence < b->sequence;
}

static void sift_up(sim_event *heap, size_t at) {
    sim_event event = heap[at];
    while (at > 0 && sim_before(&event, &heap[(at - 1) / 2])) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = event;
}

static void sift_down(sim_event *heap, size_t count) {
    sim_event event = heap[0];
    size_t at = 0;
    for (size_t child = 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && sim_before(&heap[child + 1], &heap[child])) {
            child++;
        }
        if (!sim_before(&heap[child], &event)) {
            break;
        }
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = event;
}

void sim_queue_push(bj_sim *sim, bj_time time, uint32_t tie, sim_event_kind kind, sim_packet *what) {
    assert(time >= sim->now);
    sim_queue *queue = &sim->queue;
    if (queue->count == queue->room) {
        queue->room = queue->room ? queue->room * 2 : 64;
        queue->heap = bj_arena_realloc(sim->arena, queue->heap, queue->room * sizeof *queue->heap);
    }
    sim_event event = { .time = time, .tie = tie, .kind = kind, .sequence = ++queue->sequence, .what = what };
    queue->heap[queue->count] = event;
    sift_up(queue->heap, queue->count++);
}

static bool is_stale(const sim_event *event) {
    bool stream = event->kind == SIM_SEGMENT || event->kind == SIM_STREAM_TIMEOUT;
    return stream && sim_segment_is_stale(event->what);
}

const sim_event *sim_queue_first(bj_sim *sim) {
    while (sim->queue.count && is_stale(&sim->queue.heap[0])) {
        sim_packet_free(sim, sim_queue_pop(sim).what);
    }
    return sim->queue.count ? &sim->queue.heap[0] : NULL;
}

sim_event sim_queue_pop(bj_sim *sim) {
    sim_queue *queue = &sim->queue;
    assert(queue->count > 0);
    sim_event event = queue->heap[0];
    queue->heap[0] = queue->heap[--queue->count];
    if (queue->count > 1) {
        sift_down(queue->heap, queue->count);
    }
    return event;
}
