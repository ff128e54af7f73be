/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the interposed libc share: the run, its threads, its descriptors, and waiting.
 *
 * One thread of the client runs at a time. It holds the baton, and gives it away only in bj_wait() and bj_yield(), so
 * everything here may be touched without locks. A thread that is not of the run (self is NULL), or that is inside
 * harness code (bj_libc_outside()), never gets past bj_inside().
 */
#ifndef BJ_LIBC_INTERNAL_H
#define BJ_LIBC_INTERNAL_H

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>

#include "libc/libc.h"
#include "libc/real.h"

#define BJ_EXPORT __attribute__((visibility("default")))
#define BJ_THREAD _Thread_local __attribute__((tls_model("initial-exec")))

enum { BJ_DESCRIPTORS = 1 << 19 }; /* a large fleet has as many; select() takes the first 1024 */

/* --- threads and waiting (sched.c) ----------------------------------------------------------------------------- */

typedef enum bj_wait_result {
    BJ_WAIT_READY = 0,
    BJ_WAIT_DEADLINE = 1,
    BJ_WAIT_SIGNAL = 2,    /* a handler ran */
    BJ_WAIT_RESTART = 3,   /* a handler ran that was installed with SA_RESTART */
    BJ_WAIT_OVER = 4,      /* the run is over, and the over function came back (linked mode) */
    BJ_WAIT_CANCELLED = 5, /* only for waiters that say so */
    BJ_WAIT_CLOSED = 6,    /* bj_socket_wait(): another thread closed the descriptor */
} bj_wait_result;

typedef enum bj_cancel {
    BJ_CANCEL_NEVER = 0,
    BJ_CANCEL_ENDS = 1,    /* a cancellation point: the thread ends there */
    BJ_CANCEL_RETURNS = 2, /* the caller has something to do first */
} bj_cancel;

/* What a thread waits for. */
typedef struct bj_waiter {
    bool (*ready)(void *context);    /* asked while the client stands still, from any thread; NULL: only bj_wake() */
    bj_time (*wakes)(void *context); /* when time alone makes it ready; NULL: never */
    void *context;
    bj_time deadline;
    const sigset_t *mask;  /* of signals while it waits (ppoll() and the like); NULL: the thread's own */
    const void *object;    /* for bj_wake(): the mutex, condition, ... */
    bool takes_no_signals; /* a lock: handlers run, and it waits on */
    bj_cancel cancel;
} bj_waiter;

typedef enum bj_thread_state { BJ_RUNNING, BJ_RUNNABLE, BJ_WAITING, BJ_ENDED } bj_thread_state;

typedef struct bj_thread {
    struct bj_thread *next; /* of the run's threads; those that wait are in the order in which they began to */
    pthread_t handle;
    pid_t id;
    bj_thread_state state;
    uint64_t turn; /* among the runnable ones: the lowest is next */
    int baton;     /* futex: 1 = it is this thread's turn */
    const bj_waiter *waiter;
    bool woken; /* by bj_wake() */
    bj_wait_result result;
    uint64_t signals; /* to be raised when it runs: bit number - 1 */
    sigset_t mask;    /* its own, while it is parked */
    bool barged;      /* was woken for a lock, and another was faster */
    bool detached;
    bool cancelled;
    unsigned farewells; /* rounds of destructors */
    void *(*start)(void *argument);
    void *argument;
} bj_thread;

/* Waits in virtual time. A condition that holds already does not wait. */
bj_wait_result bj_wait(const bj_waiter *waiter);
/* Lets the next runnable thread run, if there is one; the caller becomes the last. */
void bj_yield(void);
/* Wakes the thread that has waited longest for `object`, or all; the first of them, or NULL. */
bj_thread *bj_wake(const void *object, bool all);
size_t bj_waiting_for(const void *object);
/* The end of a thread: it gives the baton away for good. */
void bj_thread_ends(bj_thread *thread);
/* A new thread of the run; runnable, last in the queue. */
bj_thread *bj_thread_new(void);
void bj_thread_free(bj_thread *thread);
/* Ends the thread's wait because of a signal or a cancellation. */
void bj_thread_interrupt(bj_thread *thread);
/* The run is over: this thread is next, wherever it waits. */
void bj_thread_first(bj_thread *thread);
/* Is the calling thread to end at its next cancellation point? */
bool bj_thread_cancelled(void);
bj_thread *bj_thread_by_handle(pthread_t handle);
/* On a new thread: waits for the baton the first time. */
void bj_thread_begins(bj_thread *thread);

/* A call that a busy loop could consist of. */
void bj_glance(void);
/* A call that asked without waiting. */
void bj_polled(void);

/* --- the run (run.c) ------------------------------------------------------------------------------------------- */

/* All that is global and changes. */
typedef struct bj_run {
    bj_sim *sim;
    bj_libc_over_fn *over;
    void *over_context;
    void (*notice)(void *context); /* bj_libc_before_moving() */
    void *notice_context;
    bj_arena *arena; /* descriptors, look-ups, threads; kept from run to run */
    bj_thread main;
    bj_thread *threads;
    uint64_t turns;
    uint64_t glances; /* in a row */
    bool active;
    bool ended;                 /* the world said so; if the over function came back, all calls fail */
    bool over_due;              /* the main thread has yet to call it */
    uint64_t arrived;           /* signals that the world sent, not yet given to a thread */
    siginfo_t signal_infos[65]; /* by number: what a handler with SA_SIGINFO is told */
    struct bj_timer *timers;
    bj_time cpu;         /* reads of CPU clocks: a microsecond each */
    void *host;          /* what gethostbyname() gave last */
    char *folder;        /* working directory, when it is on the world's disk; NULL */
    bool has_thread_key; /* kept from run to run, as the arena is */
    pthread_key_t thread_key;
    struct bj_crew *crew;                  /* many clients in one run; NULL */
    struct bj_file *files[BJ_DESCRIPTORS]; /* by descriptor */
    int highest;                           /* descriptor in use */
    int ghosts; /* the first number of descriptors that have no real ones behind them; 0: all have */
} bj_run;
extern bj_run bj_the_run;

typedef struct bj_here {
    bj_thread *self;
    unsigned outside;
} bj_here;
extern BJ_THREAD bj_here bj_this;

/* Does this call belong to the world? */
static inline bool bj_inside(void) {
    return bj_the_run.active && bj_this.self && !bj_this.outside;
}
static inline bool bj_threaded(void) {
    return bj_the_run.threads->next != NULL;
}

/* Before the world moves, outside. */
void bj_before_moving(void);
/* Calls the over function, which in exec ends the process and in linked mode may jump out of here: on the main thread.
 */
void bj_end_run(void);
/* After every call to the simulation that may have moved it. */
void bj_settle(bj_sim_wait outcome);
/* After sending and receiving: who does that without end, and never waits, ends the run. */
void bj_check_over(void);

/* Is this from bj_the_run.arena (and not from the client's malloc())? */
bool bj_is_ours(const void *block);

/* -1 and errno. */
static inline int bj_fail(int error) {
    errno = error;
    return -1;
}
/* From the simulation's result (a negative errno) to libc's. */
static inline int64_t bj_result(int64_t result) {
    return result < 0 ? bj_fail((int) -result) : result;
}
/* -EINTR, or what fits, for a wait that did not end well; 0 when it is to be taken up again. */
int bj_wait_error(bj_wait_result result, bool restarts, int at_deadline);
bj_time bj_later(bj_time now, bj_time duration); /* BJ_NEVER stays BJ_NEVER */
static inline bj_time bj_now(void) {
    return bj_sim_now(bj_the_run.sim);
}

/* --- signals and timers (signals.c, timers.c) ------------------------------------------------------------------ */

bj_sim_signal_fn bj_signal_arrives;
/* Chooses threads for the signals that arrived. */
void bj_signals_dispatch(void);
/* For `thread` (or, if NULL, for the process): wakes it where it waits. */
void bj_signal_post(bj_thread *thread, int number);
/* What its handler is to be told (si_code, si_value). */
void bj_signal_describe(int number, int code, union sigval value);
/* On the thread itself: runs the handlers. RESTART: all have SA_RESTART. READY: none was run. */
bj_wait_result bj_signals_take(const sigset_t *mask);
/* Before a wait with a mask of its own: signals that were blocked until now. */
bj_wait_result bj_signals_unblocked(const sigset_t *mask);
void bj_signals_block_all(sigset_t *before);
void bj_signals_restore(const sigset_t *mask);

/* The next expiry of alarm(), setitimer(), timer_create(); BJ_NEVER. */
bj_time bj_timers_next(void);
void bj_timers_run(void);
void bj_timers_forget(void);

/* --- time (clock.c) -------------------------------------------------------------------------------------------- */

/* A relative duration; rounded up to microseconds. */
bj_time bj_from_timespec(const struct timespec *duration);
bj_time bj_from_timeval(const struct timeval *duration);
bool bj_timespec_valid(const struct timespec *t);
/* A point of time on `clock` as virtual time; the past is 0. */
bj_time bj_point(clockid_t clock, const struct timespec *t);
void bj_on_clock(clockid_t clock, bj_time time, struct timespec *t);
void bj_to_timespec(bj_time duration, struct timespec *t);
void bj_to_timeval(bj_time duration, struct timeval *t);
bool bj_clock_known(clockid_t clock);

/* --- descriptors (fds.c) --------------------------------------------------------------------------------------- */

typedef enum bj_file_kind {
    BJ_FILE_SOCKET = 1,
    BJ_FILE_TIMER,
    BJ_FILE_EPOLL,
    BJ_FILE_RANDOM,
    BJ_FILE_DISK
} bj_file_kind;

typedef struct bj_option {
    struct bj_option *next;
    int level;
    int name;
    socklen_t length;
    uint8_t value[32];
} bj_option;

typedef struct bj_item { /* of an epoll set; or, made for one call, of poll() and select() */
    struct bj_item *next;
    struct bj_file *file;
    int fd;
    uint32_t events; /* EPOLLIN... EPOLLET, EPOLLONESHOT */
    epoll_data_t data;
    uint64_t seen; /* edges at the last report */
    bool fresh;    /* edge-triggered: report whatever holds */
    bool disabled; /* EPOLLONESHOT */
} bj_item;

/* What a virtual descriptor stands for: shared by its duplicates, as an open file description is. */
typedef struct bj_file {
    bj_file_kind kind;
    unsigned references;
    bool nonblocking;
    uint64_t poke_edges;     /* bj_libc_poked(): edges at the last question */
    bool touched;            /* the client received from it since */
    unsigned sets;           /* epoll sets that it is in */
    bool ghost;              /* there is no real descriptor behind it */
    unsigned owner;          /* bj_libc_act_for() */
    struct bj_file *of_same; /* sockets of that owner */
    union {
        struct {
            bj_sim_socket *sim;
            int family;              /* AF_INET, AF_INET6 */
            int type;                /* SOCK_STREAM, SOCK_DGRAM */
            bj_time receive_timeout; /* BJ_NEVER: none */
            bj_time send_timeout;
            bj_option *options;
        } socket;
        struct {
            clockid_t clock;
            bj_time expiry; /* the next; BJ_NEVER: disarmed */
            bj_time interval;
            uint64_t edges; /* expirations that were read or given up */
        } timer;
        struct {
            int fd; /* the placeholder: holds the foreign descriptors of the set */
            bool foreign;
            bj_item *items;
        } epoll;
        struct {
            bj_disk_node *node;
            uint64_t position;
            uint64_t entry; /* of a directory: behind which to read on */
            int flags;      /* open()'s */
            int lock;       /* flock()'s: LOCK_SH, LOCK_EX, 0 */
            unsigned cuts;  /* bj_disk_cuts() when it was opened: behind the next the node is gone */
        } disk;
    };
} bj_file;

/* Is it the harness's own (bj_libc_hide())? */
bool bj_is_hidden(int fd);
/* The file of a virtual descriptor; NULL: foreign, or not open. */
bj_file *bj_file_of(int fd);
/* A new file behind the real descriptor `placeholder`, which from now on is virtual. NULL and errno (the placeholder is
 * closed) when there is no room. */
bj_file *bj_file_new(int placeholder, bj_file_kind kind, bool nonblocking);
/* For who keeps a file beside its descriptors: `references` counts them too. */
bool bj_file_release(bj_file *file); /* true: it was the last */
/* Closes all; the number of descriptors. */
int bj_files_close_all(void);
bool bj_files_poked(void);
/* A descriptor for something virtual: what `call` gives, which makes a harmless real one; or, in a run that does
 * without those, a number that is free. -1 and errno. */
#define BJ_PLACEHOLDER(call) (bj_the_run.ghosts ? bj_ghost() : bj_crew_placeholder(call))
int bj_ghost(void);
/* crew.c: what the kernel gave for a placeholder, or a number in its place when it had none left for a crew. */
int bj_crew_placeholder(int fd);
bool bj_crew_is_ghost(int fd);
/* A socket was made, or goes away. */
void bj_crew_take(bj_file *file);
void bj_crew_leave(bj_file *file);
void bj_crew_free(void);
/* Calls `visit` for each distinct file. */
void bj_files_each(void (*visit)(bj_file *file, void *context), void *context);

/* POLLIN, ... that hold now. `edges` (may be NULL) grows with each change. */
short bj_file_events(bj_file *file, uint64_t *edges);
/* As poll() reports them: with POLLRDNORM and POLLWRNORM. */
short bj_poll_events(short events);
/* When time alone will change that: timers. */
bj_time bj_file_wakes(bj_file *file);

/* A foreign descriptor that would block now and is not set O_NONBLOCK: waits until `events` hold. 0, or a negative
 * errno. For everything else 0 at once. */
int bj_foreign_wait(int fd, short events);
/* Asks a foreign descriptor without waiting. */
short bj_foreign_events(int fd, short events);

/* --- the kinds ------------------------------------------------------------------------------------------------- */

void bj_socket_close(bj_file *file);
/* Into the caller's room, as accept() and recvfrom() hand addresses out. */
void bj_socket_give_address(const bj_file *file, const bj_addr *addr, struct sockaddr *to, socklen_t *length);
/* From the caller: 0 or a negative errno. */
int bj_socket_take_address(const struct sockaddr *from, socklen_t length, bj_addr *addr);
int bj_socket_ioctl(bj_file *file, unsigned long request, void *argument); /* 0 or a negative errno */
/* Options (options.c) */
/* False: never set. */
bool bj_option_get(const bj_file *file, int level, int name, void *value, size_t size);
int bj_option_flag(const bj_file *file, int level, int name);
void bj_options_free(bj_file *file);
/* Waits until `events` (or an error) hold on a virtual socket. */
bj_wait_result bj_socket_wait(bj_file *file, short events, bj_time deadline);

int64_t bj_timerfd_read(bj_file *file, void *data, size_t room);
short bj_timerfd_events(const bj_file *file, uint64_t *edges);
bj_time bj_timerfd_wakes(const bj_file *file);

void bj_epoll_close(bj_file *file);
/* A file is closed: it leaves the set. */
void bj_epoll_forget(bj_file *set, const bj_file *member);
short bj_epoll_events(bj_file *file, uint64_t *edges);
bj_time bj_epoll_wakes(bj_file *file);

int64_t bj_random_bytes(void *data, size_t length);
/* /dev/urandom and the like. */
bool bj_is_random_device(const char *path);
int bj_open_random_device(int flags);
FILE *bj_open_random_stream(void);

/* The one interface beside lo (interfaces.c) */
enum { BJ_IF_LO = 1, BJ_IF_ETH = 2, BJ_IF_MTU = 1500 };
int bj_interface_ioctl(unsigned long request, void *argument);

#endif
