/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads in virtual time: one runs at a time, in an order that is always the same.
 */
#define _GNU_SOURCE
#include "libc_fixture.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <threads.h>

/* What happened, a letter each. */
static char story[256];
static size_t told;

static void tell(char letter) {
    assert_true(told + 1 < sizeof story);
    story[told++] = letter;
    story[told] = 0;
}

static int enter_story(void **state) {
    told = 0;
    story[0] = 0;
    return enter_world(state);
}

#define with_story(test) cmocka_unit_test_setup_teardown(test, enter_story, leave_world)

static pthread_t start(void *(*function)(void *), const char *name) {
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, function, (void *) (uintptr_t) name), 0);
    return thread;
}

static void join(pthread_t thread) {
    assert_int_equal(pthread_join(thread, NULL), 0);
}

/* --- turns --- */

static void *sleeper(void *name) {
    for (int i = 0; i < 3; i++) {
        tell(*(const char *) name);
        sleep(*(const char *) name == 'a' ? 2 : 3);
    }
    return name;
}

static void sleeping_threads_wake_at_their_times(void **state) {
    void *result;
    pthread_t a = start(sleeper, "a"), b = start(sleeper, "b");
    tell('m');
    assert_int_equal(pthread_join(a, &result), 0);
    assert_string_equal(result, "a");
    assert_int_equal(now_in(state), 6 * BJ_SECOND);
    join(b);
    assert_int_equal(now_in(state), 9 * BJ_SECOND);
    assert_string_equal(story, "mababab");
}

static void *yielder(void *name) {
    for (int i = 0; i < 3; i++) {
        tell(*(const char *) name);
        sched_yield();
    }
    return NULL;
}

static void yielding_threads_take_turns(void **state) {
    pthread_t a = start(yielder, "a"), b = start(yielder, "b"), c = start(yielder, "c");
    join(a);
    join(b);
    join(c);
    assert_string_equal(story, "abcabcabc");
    assert_int_equal(now_in(state), 0);
}

static volatile int flag;

static void *spinner(void *name) {
    while (!flag) {
        clock_gettime(CLOCK_MONOTONIC, &(struct timespec){ 0 });
    }
    tell(*(const char *) name);
    return NULL;
}

static void a_thread_that_spins_on_the_clock_lets_others_run(void **state) {
    (void) state;
    flag = 0;
    pthread_t a = start(spinner, "a");
    usleep(1);
    tell('m');
    flag = 1;
    join(a);
    assert_string_equal(story, "ma");
}

/* --- mutexes --- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *locker(void *name) {
    for (int i = 0; i < 2; i++) {
        pthread_mutex_lock(&mutex);
        tell(*(const char *) name);
        sleep(1);
        tell(*(const char *) name);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void a_busy_mutex_is_waited_for(void **state) {
    pthread_t a = start(locker, "a"), b = start(locker, "b");
    sched_yield();
    assert_int_equal(pthread_mutex_trylock(&mutex), EBUSY);
    struct timespec end = { .tv_sec = 1700000000, .tv_nsec = 500000000 };
    assert_int_equal(pthread_mutex_timedlock(&mutex, &end), ETIMEDOUT);
    assert_int_equal(now_in(state), 500 * BJ_MS);
    join(a);
    join(b);
    assert_int_equal(now_in(state), 4 * BJ_SECOND);
    assert_int_equal(strlen(story), 8);
    for (size_t i = 0; i < 8; i += 2) {
        assert_int_equal(story[i], story[i + 1]);
    }
}

static void mutexes_keep_their_kinds(void **state) {
    (void) state;
    pthread_mutexattr_t attributes;
    pthread_mutex_t m;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&m, &attributes);
    assert_int_equal(pthread_mutex_lock(&m), 0);
    assert_int_equal(pthread_mutex_lock(&m), 0);
    assert_int_equal(pthread_mutex_unlock(&m), 0);
    assert_int_equal(pthread_mutex_unlock(&m), 0);
    assert_int_equal(pthread_mutex_unlock(&m), EPERM);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&m, &attributes);
    assert_int_equal(pthread_mutex_lock(&m), 0);
    assert_int_equal(pthread_mutex_lock(&m), EDEADLK);
    assert_int_equal(pthread_mutex_unlock(&m), 0);
    assert_int_equal(pthread_mutex_destroy(&m), 0);
}

static void *greedy(void *name) {
    for (int i = 0; i < 5; i++) {
        pthread_mutex_lock(&mutex);
        usleep(1000);
        tell(*(const char *) name);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void nobody_starves(void **state) {
    (void) state;
    pthread_t a = start(greedy, "a"), b = start(greedy, "b");
    join(a);
    join(b);
    assert_string_not_equal(story, "aaaaabbbbb");
}

/* --- conditions --- */

static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int items;

static void *consumer(void *name) {
    pthread_mutex_lock(&mutex);
    while (items == 0) {
        pthread_cond_wait(&condition, &mutex);
    }
    items--;
    tell(*(const char *) name);
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static void conditions_wake_in_order(void **state) {
    items = 0;
    pthread_t a = start(consumer, "a"), b = start(consumer, "b"), c = start(consumer, "c");
    sleep(1);
    pthread_mutex_lock(&mutex);
    items = 1;
    pthread_cond_signal(&condition);
    pthread_mutex_unlock(&mutex);
    sleep(1);
    tell('m');
    pthread_mutex_lock(&mutex);
    items = 2;
    pthread_cond_broadcast(&condition);
    pthread_mutex_unlock(&mutex);
    join(a);
    join(b);
    join(c);
    assert_string_equal(story, "ambc");
    assert_int_equal(now_in(state), 2 * BJ_SECOND);
}

static void timed_waits_follow_the_conditions_clock(void **state) {
    pthread_condattr_t attributes;
    pthread_cond_t monotonic;
    struct timespec end;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&monotonic, &attributes);
    pthread_mutex_lock(&mutex);
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += 5;
    assert_int_equal(pthread_cond_timedwait(&monotonic, &mutex, &end), ETIMEDOUT);
    assert_int_equal(now_in(state), 5 * BJ_SECOND);
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 5;
    assert_int_equal(pthread_cond_timedwait(&condition, &mutex, &end), ETIMEDOUT);
    assert_int_equal(now_in(state), 10 * BJ_SECOND);
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += 5;
    assert_int_equal(pthread_cond_clockwait(&condition, &mutex, CLOCK_MONOTONIC, &end), ETIMEDOUT);
    assert_int_equal(now_in(state), 15 * BJ_SECOND);
    assert_int_equal(pthread_mutex_unlock(&mutex), 0);
    assert_int_equal(pthread_cond_destroy(&monotonic), 0);
}

/* --- the other kinds of locks --- */

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

static void *reader(void *name) {
    pthread_rwlock_rdlock(&rwlock);
    tell(*(const char *) name);
    sleep(1);
    pthread_rwlock_unlock(&rwlock);
    return NULL;
}

static void readers_share_and_writers_wait(void **state) {
    pthread_t a = start(reader, "a"), b = start(reader, "b");
    sched_yield();
    assert_int_equal(pthread_rwlock_trywrlock(&rwlock), EBUSY);
    assert_int_equal(pthread_rwlock_wrlock(&rwlock), 0);
    assert_int_equal(pthread_rwlock_wrlock(&rwlock), EDEADLK);
    assert_int_equal(now_in(state), BJ_SECOND);
    tell('w');
    pthread_t c = start(reader, "c");
    sleep(1);
    tell('u');
    pthread_rwlock_unlock(&rwlock);
    join(a);
    join(b);
    join(c);
    assert_string_equal(story, "abwuc");
}

static sem_t semaphore;

static void *poster(void *name) {
    sleep(2);
    tell(*(const char *) name);
    sem_post(&semaphore);
    return NULL;
}

static void semaphores_count(void **state) {
    struct timespec end = { .tv_sec = 1700000001 };
    sem_init(&semaphore, 0, 1);
    assert_int_equal(sem_wait(&semaphore), 0);
    assert_errno(sem_trywait(&semaphore), EAGAIN);
    assert_errno(sem_timedwait(&semaphore, &end), ETIMEDOUT);
    assert_int_equal(now_in(state), BJ_SECOND);
    pthread_t a = start(poster, "a");
    assert_int_equal(sem_wait(&semaphore), 0);
    assert_int_equal(now_in(state), 3 * BJ_SECOND);
    join(a);
    sem_destroy(&semaphore);
}

static pthread_barrier_t barrier;
static int serials;

static void *arriver(void *name) {
    sleep((unsigned) (*(const char *) name - 'a' + 1));
    serials += pthread_barrier_wait(&barrier) != 0;
    tell(*(const char *) name);
    serials += pthread_barrier_wait(&barrier) != 0;
    return NULL;
}

static void barriers_wait_for_all(void **state) {
    serials = 0;
    assert_int_equal(pthread_barrier_init(&barrier, NULL, 3), 0);
    pthread_t a = start(arriver, "a"), b = start(arriver, "b"), c = start(arriver, "c");
    join(a);
    join(b);
    join(c);
    assert_int_equal(now_in(state), 3 * BJ_SECOND);
    assert_int_equal(strlen(story), 3);
    assert_int_equal(serials, 2);
    assert_int_equal(pthread_barrier_destroy(&barrier), 0);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void slow_start(void) {
    tell('1');
    sleep(1);
    tell('2');
}

static void *once_caller(void *name) {
    pthread_once(&once, slow_start);
    tell(*(const char *) name);
    return NULL;
}

static void what_is_done_once_is_waited_for(void **state) {
    pthread_t a = start(once_caller, "a"), b = start(once_caller, "b");
    join(a);
    join(b);
    assert_string_equal(story, "12ab");
    assert_int_equal(now_in(state), BJ_SECOND);
}

static uint32_t word;

static void *futex_waiter(void *name) {
    assert_int_equal(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), 0);
    tell(*(const char *) name);
    return NULL;
}

static void futexes_wait_in_virtual_time(void **state) {
    struct timespec second = { .tv_sec = 1 };
    word = 0;
    pthread_t a = start(futex_waiter, "a");
    assert_errno(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0), EAGAIN);
    assert_errno(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &second, NULL, 0), ETIMEDOUT);
    assert_int_equal(now_in(state), BJ_SECOND);
    assert_int_equal(syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 5, NULL, NULL, 0), 1);
    join(a);
}

static pthread_spinlock_t spinlock;

static void *spin_locker(void *name) {
    pthread_spin_lock(&spinlock);
    tell(*(const char *) name);
    sleep(1);
    pthread_spin_unlock(&spinlock);
    return NULL;
}

static void spin_locks_do_not_hang(void **state) {
    pthread_spin_init(&spinlock, 0);
    pthread_t a = start(spin_locker, "a"), b = start(spin_locker, "b");
    join(a);
    join(b);
    assert_string_equal(story, "ab");
    assert_int_equal(now_in(state), 2 * BJ_SECOND);
}

/* --- descriptors and threads --- */

static int wake, answer_socket;

static void *waker(void *name) {
    uint64_t one = 1;
    sleep(2);
    tell(*(const char *) name);
    assert_int_equal(write(wake, &one, sizeof one), 8);
    return NULL;
}

static void a_thread_wakes_another_through_an_eventfd(void **state) {
    uint64_t value;
    wake = eventfd(0, 0);
    pthread_t a = start(waker, "a");
    struct pollfd pollfd = { .fd = wake, .events = POLLIN };
    assert_int_equal(poll(&pollfd, 1, 10000), 1);
    assert_int_equal(now_in(state), 2 * BJ_SECOND);
    join(a);
    read(wake, &value, sizeof value);
    a = start(waker, "b");
    assert_int_equal(read(wake, &value, sizeof value), 8); /* a blocking read of a foreign descriptor */
    assert_int_equal(now_in(state), 4 * BJ_SECOND);
    join(a);
    close(wake);
}

static void *receiver(void *name) {
    char data[8];
    assert_int_equal(recv(answer_socket, data, sizeof data, 0), 1);
    tell(*(const char *) name);
    return NULL;
}

static void threads_share_a_socket(void **state) {
    answer_socket = udp_client(0);
    pthread_t a = start(receiver, "a"), b = start(receiver, "b");
    sleep(1);
    send(answer_socket, "x", 1, 0);
    sleep(1);
    tell('m');
    send(answer_socket, "y", 1, 0);
    join(a);
    join(b);
    assert_string_equal(story, "amb");
    assert_int_equal(now_in(state), 2 * BJ_SECOND + 2 * BJ_MS);
    close(answer_socket);
}

/* --- ends --- */

static pthread_key_t key;

static void at_end(void *value) {
    (void) value;
    pthread_mutex_lock(&mutex);
    tell('d');
    pthread_mutex_unlock(&mutex);
    usleep(10);
    tell('e');
}

static void *with_destructor(void *name) {
    pthread_setspecific(key, name);
    tell(*(const char *) name);
    pthread_exit((void *) 42);
}

static void destructors_run_in_turn(void **state) {
    (void) state;
    void *result;
    assert_int_equal(pthread_key_create(&key, at_end), 0);
    pthread_t a = start(with_destructor, "a"), b = start(with_destructor, "b");
    assert_int_equal(pthread_join(a, &result), 0);
    assert_int_equal((intptr_t) result, 42);
    join(b);
    assert_string_equal(story, "adbdee");
    pthread_key_delete(key);
}

static void *detached(void *name) {
    assert_int_equal(pthread_detach(pthread_self()), 0);
    sleep(1);
    tell(*(const char *) name);
    return NULL;
}

static void detached_threads_end_by_themselves(void **state) {
    (void) state;
    pthread_attr_t attributes;
    pthread_t thread;
    start(detached, "a");
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 16384);
    assert_int_equal(pthread_create(&thread, &attributes, yielder, (void *) "b"), 0);
    sleep(2);
    assert_string_equal(story, "bbba");
}

static void leave_with_lock(void *unused) {
    (void) unused;
    tell('c');
    assert_int_equal(pthread_mutex_unlock(&mutex), 0);
}

static void *cancelled_in_wait(void *name) {
    pthread_mutex_lock(&mutex);
    pthread_cleanup_push(leave_with_lock, NULL);
    tell(*(const char *) name);
    pthread_cond_wait(&condition, &mutex);
    pthread_cleanup_pop(0);
    return NULL;
}

static void *cancelled_in_sleep(void *name) {
    tell(*(const char *) name);
    sleep(1000);
    tell('x');
    return NULL;
}

static void waiting_threads_can_be_cancelled(void **state) {
    void *result;
    pthread_t a = start(cancelled_in_wait, "a"), b = start(cancelled_in_sleep, "b");
    sleep(1);
    assert_int_equal(pthread_tryjoin_np(b, NULL), EBUSY);
    assert_int_equal(pthread_cancel(a), 0);
    assert_int_equal(pthread_cancel(b), 0);
    assert_int_equal(pthread_join(a, &result), 0);
    assert_ptr_equal(result, PTHREAD_CANCELED);
    assert_int_equal(pthread_join(b, &result), 0);
    assert_ptr_equal(result, PTHREAD_CANCELED);
    assert_string_equal(story, "abc");
    assert_int_equal(now_in(state), BJ_SECOND);
    assert_int_equal(pthread_mutex_trylock(&mutex), 0);
    pthread_mutex_unlock(&mutex);
}

static volatile sig_atomic_t signalled;

static void on_signal(int number) {
    (void) number;
    signalled++;
}

static void *signal_sleeper(void *name) {
    assert_int_equal(sleep(10), 9);
    tell(*(const char *) name);
    return NULL;
}

static void a_signal_reaches_the_thread_it_is_for(void **state) {
    signalled = 0;
    signal(SIGUSR1, on_signal);
    pthread_t a = start(signal_sleeper, "a");
    assert_int_equal(sleep(1), 0);
    assert_int_equal(pthread_kill(a, SIGUSR1), 0);
    assert_int_equal(signalled, 0); /* it runs when that thread does */
    join(a);
    assert_int_equal(signalled, 1);
    assert_int_equal(now_in(state), BJ_SECOND);
    signal(SIGUSR1, SIG_DFL);
}

/* --- C11 --- */

static mtx_t c11_mutex;
static cnd_t c11_condition;
static int c11_ready;

static int c11_thread(void *name) {
    thrd_sleep(&(struct timespec){ .tv_sec = 2 }, NULL);
    mtx_lock(&c11_mutex);
    tell(*(const char *) name);
    c11_ready = 1;
    cnd_signal(&c11_condition);
    mtx_unlock(&c11_mutex);
    thrd_exit(7);
}

static void threads_of_c11_work(void **state) {
    thrd_t thread;
    int result;
    c11_ready = 0;
    mtx_init(&c11_mutex, mtx_timed);
    cnd_init(&c11_condition);
    assert_int_equal(thrd_create(&thread, c11_thread, (void *) "a"), thrd_success);
    mtx_lock(&c11_mutex);
    struct timespec end = { .tv_sec = 1700000001 };
    assert_int_equal(cnd_timedwait(&c11_condition, &c11_mutex, &end), thrd_timedout);
    while (!c11_ready) {
        assert_int_equal(cnd_wait(&c11_condition, &c11_mutex), thrd_success);
    }
    mtx_unlock(&c11_mutex);
    assert_int_equal(thrd_join(thread, &result), thrd_success);
    assert_int_equal(result, 7);
    assert_int_equal(now_in(state), 2 * BJ_SECOND);
    mtx_destroy(&c11_mutex);
    cnd_destroy(&c11_condition);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        with_story(sleeping_threads_wake_at_their_times),
        with_story(yielding_threads_take_turns),
        with_story(a_thread_that_spins_on_the_clock_lets_others_run),
        with_story(a_busy_mutex_is_waited_for),
        with_story(mutexes_keep_their_kinds),
        with_story(nobody_starves),
        with_story(conditions_wake_in_order),
        with_story(timed_waits_follow_the_conditions_clock),
        with_story(readers_share_and_writers_wait),
        with_story(semaphores_count),
        with_story(barriers_wait_for_all),
        with_story(what_is_done_once_is_waited_for),
        with_story(futexes_wait_in_virtual_time),
        with_story(spin_locks_do_not_hang),
        with_story(a_thread_wakes_another_through_an_eventfd),
        with_story(threads_share_a_socket),
        with_story(destructors_run_in_turn),
        with_story(detached_threads_end_by_themselves),
        with_story(waiting_threads_can_be_cancelled),
        with_story(a_signal_reaches_the_thread_it_is_for),
        with_story(threads_of_c11_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
