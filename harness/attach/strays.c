/* SPDX-License-Identifier: Apache-2.0
 *
 * See strays.h. A process group is not enough: a daemon has a session of its own.
 */
#define _GNU_SOURCE
#include "attach/strays.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 1000, ROUND_NS = 1000000 };

typedef struct stray {
    pid_t process, parent;
    bool alive, below;
} stray;

typedef struct strays {
    stray *items;
    size_t count, room;
} strays;

static bool read_process(const char *name, stray *out) {
    char path[300], text[1024], state = '?';
    int parent = 0;
    snprintf(path, sizeof path, "/proc/%s/stat", name);
    int fd = *name < '1' || *name > '9' ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) {
        close(fd);
    }
    text[got > 0 ? got : 0] = '\0';
    const char *behind_name = strrchr(text, ')');
    bool good = behind_name && sscanf(behind_name + 1, " %c %d", &state, &parent) == 2;
    *out =
        (stray){ .process = (pid_t) strtol(text, NULL, 10), .parent = parent, .alive = state != 'Z' && state != 'X' };
    return good;
}

static void read_all(strays *s) {
    DIR *folder = opendir("/proc");
    stray one;
    s->count = 0;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (!read_process(entry->d_name, &one)) {
            continue;
        }
        if (s->count == s->room) {
            s->room = s->room ? s->room * 2 : 256;
            s->items = realloc(s->items, s->room * sizeof *s->items);
            assert(s->items);
        }
        s->items[s->count++] = one;
    }
    if (folder) {
        closedir(folder);
    }
}

static bool is_below(const strays *s, const stray *one, pid_t root) {
    bool below = one->parent == root;
    for (size_t i = 0; i < s->count && !below; i++) {
        below = s->items[i].below && s->items[i].process == one->parent;
    }
    return below;
}

/* Children may stand before their parents: until nothing is added. */
static void mark_all(strays *s, pid_t root) {
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < s->count; i++) {
            stray *one = &s->items[i];
            if (!one->below && is_below(s, one, root)) {
                one->below = again = true;
            }
        }
    }
}

static bool kill_round(strays *s, pid_t root) {
    bool any = false;
    read_all(s);
    mark_all(s, root);
    for (size_t i = 0; i < s->count; i++) {
        if (s->items[i].below && s->items[i].alive) {
            any = true;
            kill(s->items[i].process, SIGKILL);
        }
    }
    return any;
}

void bj_strays_kill(pid_t root) {
    strays s = { 0 };
    for (int round = 0; round < ROUNDS && kill_round(&s, root); round++) {
        nanosleep(&(struct timespec){ .tv_nsec = ROUND_NS }, NULL);
    }
    free(s.items);
}

void bj_strays_take_up(void) {
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}
