/* SPDX-License-Identifier: Apache-2.0
 *
 * What mbedTLS gets instead of libc. It may live inside the process of the client under test, whose malloc(), clock and
 * mutexes are not ours to use. The archives of Debian call libc by name; the build renames those calls (CMakeLists.txt)
 * to the functions here. Which arena and which time they give is the only state of secure/ outside of an endpoint; it
 * is set at every entry. One thread is in here at a time, so that mutexes have nothing to do.
 */
#include "secure/platform.h"

#include <assert.h>

#include "secure/secure_internal.h"

static bj__platform current;

bj__platform bj__platform_set(bj__platform platform) {
    bj__platform before = current;
    current = platform;
    return before;
}

bj__platform bj__platform_enter(const bj_secure *secure) {
    int64_t seconds = (int64_t) (secure->ops->now(secure->user) / BJ_SECOND);
    return bj__platform_set((bj__platform){ secure->arena, secure->epoch + seconds });
}

void bj_secure_platform(bj_arena *arena, int64_t unix_time) {
    bj__platform_set((bj__platform){ arena, unix_time });
}

/* In front of every block: where it goes back to. */
typedef struct owner {
    bj_arena *arena;
    uint64_t padding;
} owner;

_Static_assert(sizeof(owner) == 16, "blocks stay aligned");

void *bj__mbedtls_calloc(size_t count, size_t size) {
    assert(current.arena);
    if (size && count > (SIZE_MAX - sizeof(owner)) / size) {
        return NULL;
    }
    owner *block = bj_arena_alloc(current.arena, sizeof *block + count * size);
    block->arena = current.arena;
    return block + 1;
}

void bj__mbedtls_free(void *payload) {
    if (payload) {
        owner *block = (owner *) payload - 1;
        bj_arena_free(block->arena, block);
    }
}

time_t bj__mbedtls_time(time_t *out) {
    if (out) {
        *out = (time_t) current.unix_time;
    }
    return (time_t) current.unix_time;
}

/* Days since 1970-01-01 to year, month and day: the year begins in March, so that the leap day is its last. */
static void set_date(struct tm *tm, int64_t days) {
    int64_t shifted = days + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t day_of_era = shifted - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153; /* from March */
    tm->tm_mday = (int) (day_of_year - (153 * month + 2) / 5 + 1);
    tm->tm_mon = (int) (month < 10 ? month + 2 : month - 10);
    tm->tm_year = (int) (year_of_era + era * 400 + (tm->tm_mon < 2) - 1900);
}

struct tm *bj__mbedtls_gmtime_r(const time_t *when, struct tm *out) {
    int64_t days = *when / 86400, rest = *when % 86400;
    if (rest < 0) {
        rest += 86400;
        days--;
    }
    *out = (struct tm){ .tm_hour = (int) (rest / 3600), .tm_min = (int) (rest / 60 % 60), .tm_sec = (int) (rest % 60) };
    set_date(out, days);
    return out;
}

int bj__mbedtls_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes) {
    (void) mutex;
    (void) attributes;
    return 0;
}

int bj__mbedtls_mutex_lock(pthread_mutex_t *mutex) {
    (void) mutex;
    return 0;
}

int bj__mbedtls_mutex_unlock(pthread_mutex_t *mutex) {
    (void) mutex;
    return 0;
}

int bj__mbedtls_mutex_destroy(pthread_mutex_t *mutex) {
    (void) mutex;
    return 0;
}
