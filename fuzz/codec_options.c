/* SPDX-License-Identifier: Apache-2.0
 *
 * What AddressSanitizer's runtime is asked for in codec targets (those of sessions: session.c). An input frees what it
 * allocated, and less than the quarantine holds: that stays in the cache then, where 256 MiB, as it is else, are pages
 * that are new each time. Eight frames say where a block was allocated.
 */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "quarantine_size_mb=8:malloc_context_size=8:allocator_release_to_os_interval_ms=-1";
}
