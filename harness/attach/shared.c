/* SPDX-License-Identifier: Apache-2.0
 *
 * See shared.h.
 */
#define _GNU_SOURCE
#include "attach/shared.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attach/output_tail.h"
#include "script/bytes.h"

/* Both are only backed by memory where they are used. */
enum { LOG_SIZE = 256 << 20, ARENA_SIZE = 256 << 20 };

static uint64_t whole_pages(uint64_t size) {
    return (size + 4095) & ~(uint64_t) 4095;
}

/* What the parent writes for the child, before it has a place. */
typedef struct input {
    bj_string bytes;
    const bj_position *positions;
    size_t position_count;
} input;

static input encode(bj_arena *arena, const bj_record *root) {
    input in = { .bytes = bj_program_encode(arena, root) };
    in.positions = bj_program_positions(arena, root, &in.position_count);
    return in;
}

static bj_range take(uint64_t *top, uint64_t length) {
    bj_range range = { .at = *top, .length = length };
    *top = (*top + length + 15) & ~(uint64_t) 15;
    return range;
}

static void lay_out(bj_shared *plan, const input *scenario, const input *profile) {
    uint64_t top = (sizeof *plan + 15) & ~(uint64_t) 15;
    plan->scenario = take(&top, scenario->bytes.length);
    plan->scenario_positions = take(&top, scenario->position_count * sizeof(bj_position));
    plan->profile = take(&top, profile->bytes.length);
    plan->profile_positions = take(&top, profile->position_count * sizeof(bj_position));
    top = whole_pages(top);
    plan->log = take(&top, LOG_SIZE);
    plan->tail = take(&top, sizeof(bj_output_tail));
    top = whole_pages(top); /* a fork server maps it anew */
    plan->arena = take(&top, ARENA_SIZE);
    plan->size = top;
}

static void put(bj_shared *shared, const bj_range *range, const void *bytes) {
    assert(range->at + range->length <= shared->size);
    if (range->length) {
        memcpy(bj_shared_at(shared, range), bytes, range->length);
    }
}

bj_shared *bj_shared_new(const bj_record *scenario, const bj_run_options *options, bj_arena *arena, int *descriptor) {
    input script = encode(arena, scenario);
    input profile = encode(arena, options->profile);
    bj_shared plan = {
        .magic = BJ_SHARED_MAGIC, .version = BJ_SHARED_VERSION, .seed = options->seed, .attach = options->attach
    };
    plan.cut_operation = options->cut_operation;
    plan.cut_step = options->cut_step;
    plan.cut_outcome = options->cut_outcome;
    lay_out(&plan, &script, &profile);
    int fd = memfd_create("bootjack", MFD_CLOEXEC);
    if (fd < 0) {
        return NULL;
    }
    void *memory = MAP_FAILED;
    if (ftruncate(fd, (off_t) plan.size) == 0) {
        memory = mmap(NULL, plan.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    }
    if (memory == MAP_FAILED) {
        close(fd);
        return NULL;
    }
    bj_shared *shared = memory;
    memcpy(shared, &plan, sizeof plan);
    put(shared, &plan.scenario, script.bytes.bytes);
    put(shared, &plan.scenario_positions, script.positions);
    put(shared, &plan.profile, profile.bytes.bytes);
    put(shared, &plan.profile_positions, profile.positions);
    *descriptor = fd;
    return shared;
}

bj_shared *bj_shared_map(int descriptor) {
    struct stat about;
    if (fstat(descriptor, &about) != 0 || about.st_size < (off_t) sizeof(bj_shared)) {
        return NULL;
    }
    size_t size = (size_t) about.st_size;
    void *memory = mmap(BJ_SHARED_ADDRESS, size, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_NORESERVE | MAP_FIXED_NOREPLACE, descriptor, 0);
    if (memory == MAP_FAILED) {
        return NULL;
    }
    bj_shared *shared = memory;
    if (memory != BJ_SHARED_ADDRESS || shared->magic != BJ_SHARED_MAGIC || shared->version != BJ_SHARED_VERSION ||
        shared->size != size) {
        munmap(memory, size);
        return NULL;
    }
    return shared;
}

void bj_shared_unmap(bj_shared *shared) {
    if (shared) {
        munmap(shared, shared->size);
    }
}

void bj_shared_trouble(bj_shared *shared, const char *format, ...) {
    bj_text text = bj_text_over(shared->trouble, sizeof shared->trouble);
    va_list arguments;
    va_start(arguments, format);
    bj_text_vprintf(&text, format, arguments);
    va_end(arguments);
    atomic_store(&shared->phase, BJ_PHASE_FAILED);
}
