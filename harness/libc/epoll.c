/* SPDX-License-Identifier: Apache-2.0
 *
 * epoll sets. Virtual members are kept here; foreign ones go into a real epoll set, which is the placeholder, and is
 * asked without waiting.
 */
#define _GNU_SOURCE
#include "libc/internal.h"

#include <string.h>
#include <unistd.h>

static const uint32_t always = EPOLLERR | EPOLLHUP;

/* --- members --- */

static bj_item *find(const bj_file *set, const bj_file *member, int fd) {
    bj_item *item = set->epoll.items;
    while (item && (item->file != member || item->fd != fd)) {
        item = item->next;
    }
    return item;
}

static void append(bj_file *set, bj_item *item) {
    bj_item **end = &set->epoll.items;
    while (*end) {
        end = &(*end)->next;
    }
    item->next = NULL;
    *end = item;
}

static void take_out(bj_file *set, bj_item *item) {
    bj_item **at = &set->epoll.items;
    while (*at != item) {
        at = &(*at)->next;
    }
    *at = item->next;
}

void bj_epoll_forget(bj_file *set, const bj_file *member) {
    for (bj_item **at = &set->epoll.items; *at;) {
        bj_item *item = *at;
        if (item->file == member) {
            *at = item->next;
            item->file->sets--;
            bj_arena_free(bj_the_run.arena, item);
        } else {
            at = &item->next;
        }
    }
}

void bj_epoll_close(bj_file *set) {
    while (set->epoll.items) {
        bj_epoll_forget(set, set->epoll.items->file);
    }
}

/* --- what is ready --- */

/* What an item would report now. */
static uint32_t ready_events(const bj_item *item, uint64_t *edges) {
    if (item->disabled) {
        return 0;
    }
    uint32_t events = (uint32_t) bj_poll_events(bj_file_events(item->file, edges)) & (item->events | always);
    bool silent = (item->events & EPOLLET) && !item->fresh && *edges == item->seen;
    return silent ? 0 : events;
}

short bj_epoll_events(bj_file *set, uint64_t *edges) {
    bool ready = set->epoll.foreign && bj_foreign_events(set->epoll.fd, POLLIN);
    uint64_t sum = 0;
    for (const bj_item *item = set->epoll.items; item; item = item->next) {
        uint64_t own;
        ready = ready_events(item, &own) != 0 || ready;
        sum += item->disabled ? 0 : own;
    }
    if (edges) {
        *edges = sum;
    }
    return ready ? POLLIN : 0;
}

bj_time bj_epoll_wakes(bj_file *set) {
    bj_time earliest = BJ_NEVER;
    for (const bj_item *item = set->epoll.items; item; item = item->next) {
        bj_time time = item->disabled ? BJ_NEVER : bj_file_wakes(item->file);
        earliest = time < earliest ? time : earliest;
    }
    return earliest;
}

static void reported(bj_item *item, uint64_t edges) {
    item->seen = edges;
    item->fresh = false;
    item->disabled = (item->events & EPOLLONESHOT) != 0;
}

/* Takes up to `room` events. What was reported goes to the end of the list, so that all get their turn. */
static int harvest(bj_file *set, struct epoll_event *events, int room) {
    int count = 0;
    bj_item *last = set->epoll.items;
    while (last && last->next) {
        last = last->next;
    }
    for (bj_item *item = set->epoll.items, *next; item && count < room; item = next) {
        next = item == last ? NULL : item->next;
        uint64_t edges = 0;
        uint32_t ready = ready_events(item, &edges);
        if (ready) {
            events[count++] = (struct epoll_event){ .events = ready, .data = item->data };
            reported(item, edges);
            take_out(set, item);
            append(set, item);
        }
    }
    if (set->epoll.foreign && count < room) {
        int saved = errno;
        int more = REAL(epoll_wait)(set->epoll.fd, events + count, room - count, 0);
        errno = saved;
        count += more > 0 ? more : 0;
    }
    return count;
}

/* --- making and changing --- */

static int new_set(int fd) {
    bj_file *file = bj_file_new(fd, BJ_FILE_EPOLL, false);
    if (!file) {
        return -1;
    }
    file->epoll.fd = fd;
    return fd;
}

BJ_EXPORT int epoll_create(int size) {
    return bj_inside() ? new_set(BJ_PLACEHOLDER(REAL(epoll_create)(size))) : REAL(epoll_create)(size);
}

BJ_EXPORT int epoll_create1(int flags) {
    return bj_inside() ? new_set(BJ_PLACEHOLDER(REAL(epoll_create1)(flags))) : REAL(epoll_create1)(flags);
}

static int add(bj_file *set, bj_file *member, int fd, const struct epoll_event *event) {
    if (find(set, member, fd)) {
        return -EEXIST;
    }
    bj_item *item = bj_arena_alloc(bj_the_run.arena, sizeof *item);
    item->file = member;
    item->fd = fd;
    item->events = event->events;
    item->data = event->data;
    item->fresh = true;
    member->sets++;
    append(set, item);
    return 0;
}

static int modify(bj_file *set, const bj_file *member, int fd, const struct epoll_event *event) {
    bj_item *item = find(set, member, fd);
    if (!item) {
        return -ENOENT;
    }
    item->events = event->events;
    item->data = event->data;
    item->fresh = true;
    item->disabled = false;
    return 0;
}

static int take_away(bj_file *set, const bj_file *member, int fd) {
    bj_item *item = find(set, member, fd);
    if (!item) {
        return -ENOENT;
    }
    take_out(set, item);
    item->file->sets--;
    bj_arena_free(bj_the_run.arena, item);
    return 0;
}

/* Is `set` in `member`, or in a set that is in there? */
static bool holds(const bj_file *member, const bj_file *set) {
    const bj_item *item = member->kind == BJ_FILE_EPOLL ? member->epoll.items : NULL;
    while (item && item->file != set && !holds(item->file, set)) {
        item = item->next;
    }
    return item != NULL;
}

static int change(bj_file *set, int operation, int fd, bj_file *member, const struct epoll_event *event) {
    if (member == set) {
        return -EINVAL;
    }
    if (member->kind == BJ_FILE_RANDOM) {
        return -EPERM;
    }
    switch (operation) {
    case EPOLL_CTL_ADD:
        return !event ? -EFAULT : holds(member, set) ? -ELOOP : add(set, member, fd, event);
    case EPOLL_CTL_MOD:
        return event ? modify(set, member, fd, event) : -EFAULT;
    case EPOLL_CTL_DEL:
        return take_away(set, member, fd);
    default:
        return -EINVAL;
    }
}

static bj_file *set_of(int fd) {
    bj_file *file = bj_inside() ? bj_file_of(fd) : NULL;
    return file && file->kind == BJ_FILE_EPOLL ? file : NULL;
}

BJ_EXPORT int epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event) {
    bj_file *set = set_of(epoll_fd);
    bj_file *member = set ? bj_file_of(fd) : NULL;
    if (member) {
        return (int) bj_result(change(set, operation, fd, member, event));
    }
    int result = REAL(epoll_ctl)(epoll_fd, operation, fd, event);
    if (set && result == 0) {
        set->epoll.foreign = true;
    }
    return result;
}

/* --- waiting --- */

static bool any_ready(void *context) {
    return bj_epoll_events(context, NULL) != 0;
}

static bj_time wakes(void *context) {
    return bj_epoll_wakes(context);
}

/* The number of events, or a negative errno. */
static int await(bj_file *set, struct epoll_event *events, int room, bj_time timeout, const sigset_t *mask) {
    bj_waiter waiter = { .ready = any_ready,
                         .wakes = wakes,
                         .context = set,
                         .deadline = bj_later(bj_now(), timeout),
                         .mask = mask,
                         .cancel = BJ_CANCEL_ENDS };
    int count = harvest(set, events, room);
    if (count > 0) {
        bj_glance();
        return count;
    }
    if (timeout == 0) {
        bj_polled();
        return harvest(set, events, room);
    }
    do {
        bj_wait_result result = bj_wait(&waiter);
        if (result == BJ_WAIT_DEADLINE || result == BJ_WAIT_OVER) {
            return harvest(set, events, room);
        }
        if (result != BJ_WAIT_READY) {
            return -EINTR;
        }
        count = harvest(set, events, room);
    } while (count == 0);
    return count;
}

static int wait_on(bj_file *set, struct epoll_event *events, int room, bj_time timeout, const sigset_t *mask) {
    sigset_t during;
    if (room <= 0) {
        return bj_fail(EINVAL);
    }
    if (mask) {
        during = *mask;
    }
    set->references++; /* another thread may close it meanwhile */
    int count = await(set, events, room, timeout, mask ? &during : NULL);
    bj_file_release(set);
    return (int) bj_result(count);
}

static bj_time from_ms(int timeout_ms) {
    return timeout_ms < 0 ? BJ_NEVER : (bj_time) timeout_ms * BJ_MS;
}

BJ_EXPORT int epoll_wait(int fd, struct epoll_event *events, int room, int timeout_ms) {
    bj_file *set = set_of(fd);
    return set ? wait_on(set, events, room, from_ms(timeout_ms), NULL) : REAL(epoll_wait)(fd, events, room, timeout_ms);
}

BJ_EXPORT int epoll_pwait(int fd, struct epoll_event *events, int room, int timeout_ms, const sigset_t *mask) {
    bj_file *set = set_of(fd);
    return set ? wait_on(set, events, room, from_ms(timeout_ms), mask)
               : REAL(epoll_pwait)(fd, events, room, timeout_ms, mask);
}

BJ_EXPORT int epoll_pwait2(int fd, struct epoll_event *events, int room, const struct timespec *timeout,
                           const sigset_t *mask) {
    bj_file *set = set_of(fd);
    if (!set) {
        return REAL(epoll_pwait2)(fd, events, room, timeout, mask);
    }
    if (timeout && !bj_timespec_valid(timeout)) {
        return bj_fail(EINVAL);
    }
    return wait_on(set, events, room, timeout ? bj_from_timespec(timeout) : BJ_NEVER, mask);
}
