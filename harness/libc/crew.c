/* SPDX-License-Identifier: Apache-2.0
 *
 * Many clients in one run: whose sockets changed. The world names the socket, the socket its owner, and the owner
 * stands in a queue until it is asked for, so that an event costs the same however many clients there are.
 */
#define _GNU_SOURCE
#include "libc/internal.h"

#include <sys/resource.h>

typedef struct member {
    bj_file *sockets;
    bool queued;
} member;

typedef struct bj_crew {
    unsigned acting;
    member *members;
    size_t count;
    unsigned *queue; /* a ring with room for every member */
    size_t first, waiting;
    int real;  /* descriptors that the kernel may give */
    int ghost; /* where to look for a number that is free */
} bj_crew;

/* The ring is laid out anew, from its beginning. */
static void grow(bj_crew *crew, size_t count) {
    bj_arena *arena = bj_the_run.arena;
    size_t room = crew->count ? crew->count : 16;
    while (room < count) {
        room *= 2;
    }
    unsigned *queue = bj_arena_calloc(arena, room, sizeof *queue);
    for (size_t i = 0; i < crew->waiting; i++) {
        queue[i] = crew->queue[(crew->first + i) % crew->count];
    }
    bj_arena_free(arena, crew->queue);
    crew->queue = queue;
    crew->first = 0;
    crew->members = bj_arena_realloc(arena, crew->members, room * sizeof *crew->members);
    crew->count = room;
}

static void put(bj_crew *crew, unsigned client) {
    if (!crew->members[client].queued) {
        crew->members[client].queued = true;
        crew->queue[(crew->first + crew->waiting++) % crew->count] = client;
    }
}

static void touched(void *context, void *subject) {
    const bj_file *file = subject;
    put(context, file->owner);
}

void bj_libc_act_for(unsigned client) {
    bj_run *run = &bj_the_run;
    if (!run->crew) {
        struct rlimit limit;
        run->crew = bj_arena_alloc(run->arena, sizeof *run->crew);
        bool known = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < BJ_DESCRIPTORS;
        run->crew->real = run->crew->ghost = known ? (int) limit.rlim_cur : BJ_DESCRIPTORS;
        bj_sim_watch(run->sim, touched, run->crew);
    }
    if (client >= run->crew->count) {
        grow(run->crew, (size_t) client + 1);
    }
    run->crew->acting = client;
}

bool bj_libc_any_poked(void) {
    return bj_the_run.crew && bj_the_run.crew->waiting > 0;
}

bool bj_libc_next_poked(unsigned *client) {
    bj_crew *crew = bj_the_run.crew;
    if (!bj_libc_any_poked()) {
        return false;
    }
    *client = crew->queue[crew->first];
    crew->first = (crew->first + 1) % crew->count;
    crew->waiting--;
    crew->members[*client].queued = false;
    return true;
}

void bj_libc_acted(unsigned client) {
    bj_crew *crew = bj_the_run.crew;
    for (bj_file *file = crew->members[client].sockets; file; file = file->of_same) {
        bool more = file->touched && (bj_file_events(file, NULL) & (POLLIN | POLLERR | POLLHUP));
        file->touched = false;
        if (more) {
            put(crew, client);
        }
    }
}

bool bj_crew_is_ghost(int fd) {
    return bj_the_run.crew && fd >= bj_the_run.crew->real;
}

int bj_crew_placeholder(int fd) {
    bj_crew *crew = bj_the_run.crew;
    if (fd >= 0 || errno != EMFILE || !crew) {
        return fd;
    }
    int most = BJ_DESCRIPTORS - crew->real;
    for (int i = 0; i < most; i++) {
        int number = crew->real + (crew->ghost - crew->real + i) % most;
        if (!bj_the_run.files[number]) {
            crew->ghost = number + 1;
            return number;
        }
    }
    errno = EMFILE;
    return -1;
}

void bj_crew_take(bj_file *file) {
    bj_crew *crew = bj_the_run.crew;
    if (crew) {
        member *own = &crew->members[crew->acting];
        file->owner = crew->acting;
        file->of_same = own->sockets;
        own->sockets = file;
        bj_sim_socket_set_subject(file->socket.sim, file);
    }
}

void bj_crew_leave(bj_file *file) {
    bj_crew *crew = bj_the_run.crew;
    if (!crew) {
        return;
    }
    bj_file **slot = &crew->members[file->owner].sockets;
    while (*slot && *slot != file) {
        slot = &(*slot)->of_same;
    }
    *slot = *slot ? file->of_same : NULL;
}

void bj_crew_free(void) {
    bj_run *run = &bj_the_run;
    if (run->crew) {
        bj_sim_watch(run->sim, NULL, NULL);
        bj_arena_free(run->arena, run->crew->queue);
        bj_arena_free(run->arena, run->crew->members);
        bj_arena_free(run->arena, run->crew);
        run->crew = NULL;
    }
}
