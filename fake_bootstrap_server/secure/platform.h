/* SPDX-License-Identifier: Apache-2.0
 *
 * The names under which our copy of mbedTLS calls libc: the build renames them in Debian's archives, since those were
 * built without MBEDTLS_PLATFORM_MEMORY. For platform.c, and for tests that use the same copy as a client.
 */
#ifndef BJ_SECURE_PLATFORM_H
#define BJ_SECURE_PLATFORM_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/arena.h"

/* What mbedTLS outside of an endpoint (a test's client) allocates from and takes for the time of day. */
void bj_secure_platform(bj_arena *arena, int64_t unix_time);

void *bj__mbedtls_calloc(size_t count, size_t size);
void bj__mbedtls_free(void *block);
time_t bj__mbedtls_time(time_t *out);
struct tm *bj__mbedtls_gmtime_r(const time_t *when, struct tm *out);
int bj__mbedtls_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes);
int bj__mbedtls_mutex_lock(pthread_mutex_t *mutex);
int bj__mbedtls_mutex_unlock(pthread_mutex_t *mutex);
int bj__mbedtls_mutex_destroy(pthread_mutex_t *mutex);

#endif
