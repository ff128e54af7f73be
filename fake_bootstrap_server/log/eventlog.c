/* SPDX-License-Identifier: Apache-2.0
 *
 * The event log in memory: a header, then records one behind the other, each with its length in front. See eventlog.h.
 */
#include "log/eventlog.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

#define MAGIC UINT32_C(0x4c474a42) /* "BJGL" */

/* Where each of the last INDEX records begins, so that bj_log_find() need not walk. */
enum { INDEX = 4096 };

struct bj_log {
    uint32_t magic;
    uint32_t version;
    uint64_t size;         /* of the whole memory */
    _Atomic uint64_t used; /* written last: a reader sees whole records only */
    uint64_t lost;
    uint32_t last;
    uint32_t reserved;
    uint64_t index[INDEX];
};

/* A record as it lies in memory; text (with a NUL) and raw bytes follow, padded to 8. */
typedef struct record {
    uint32_t size; /* of the whole record */
    uint32_t sequence;
    uint64_t time;
    int64_t number;
    int64_t other;
    uint32_t cause;
    bj_position position;
    uint32_t text_length;
    uint32_t raw_length;
    uint8_t kind;
    uint8_t actor;
    uint8_t has_text;
    uint8_t has_raw;
    bj_addr from;
    bj_addr to;
} record;

static size_t padded(size_t size) {
    return (size + 7) & ~(size_t) 7;
}

static char *bytes_of(const bj_log *log) {
    return (char *) (uintptr_t) log;
}

const char *bj_event_kind_name(bj_event_kind kind) {
    switch (kind) {
#define NAME(number, name, json)                                                                                       \
    case BJ_EV_##name:                                                                                                 \
        return json;
        BJ_EVENT_KINDS(NAME)
#undef NAME
    default:
        return NULL;
    }
}

const char *bj_verdict_name(bj_verdict verdict) {
    switch (verdict) {
#define NAME(number, name, text)                                                                                       \
    case BJ_##name:                                                                                                    \
        return text;
        BJ_VERDICTS(NAME)
#undef NAME
    default:
        return NULL;
    }
}

bj_log *bj_log_create(void *memory, size_t size) {
    assert(size >= sizeof(bj_log) + 4096 && ((uintptr_t) memory & 15) == 0);
    bj_log *log = memory;
    memset(log, 0, sizeof *log);
    log->magic = MAGIC;
    log->version = BJ_LOG_VERSION;
    log->size = size;
    atomic_store(&log->used, padded(sizeof *log));
    return log;
}

bj_log *bj_log_open(void *memory, size_t size) {
    bj_log *log = memory;
    if (size < sizeof *log || log->magic != MAGIC || log->version != BJ_LOG_VERSION || log->size > size) {
        return NULL;
    }
    return log;
}

/* Of a record that is empty. */
static void copy_addr(bj_addr *to, const bj_addr *from) {
    to->family = from->family;
    memcpy(to->ip, from->ip, from->family == 4 ? 4 : from->family == 6 ? 16 : 0);
    to->port = from->port;
}

uint32_t bj_log_append(bj_log *log, const bj_event *event) {
    size_t text_length = !event->text ? 0 : event->text_length ? event->text_length : strlen(event->text);
    size_t raw_length = event->raw ? event->raw_length : 0;
    uint64_t used = atomic_load_explicit(&log->used, memory_order_relaxed);
    size_t size = padded(sizeof(record) + text_length + 1 + raw_length);
    if (text_length > UINT32_MAX / 4 || raw_length > UINT32_MAX / 4 || log->size - used < size) {
        log->lost++;
        return 0;
    }
    record *r = (record *) (bytes_of(log) + used);
    memset(r, 0, sizeof *r); /* padding, too: the same events are the same bytes */
    memset((char *) r + size - 8, 0, 8);
    r->size = (uint32_t) size;
    r->sequence = ++log->last;
    r->time = event->time;
    r->number = event->number;
    r->other = event->other;
    r->cause = event->cause;
    r->position = event->position;
    r->text_length = (uint32_t) text_length;
    r->raw_length = (uint32_t) raw_length;
    r->kind = event->kind;
    r->actor = event->actor;
    r->has_text = event->text != NULL;
    r->has_raw = event->raw != NULL;
    copy_addr(&r->from, &event->from);
    copy_addr(&r->to, &event->to);
    char *behind = (char *) (r + 1);
    if (text_length) {
        memcpy(behind, event->text, text_length);
    }
    behind[text_length] = '\0';
    if (raw_length) {
        memcpy(behind + text_length + 1, event->raw, raw_length);
    }
    log->index[r->sequence % INDEX] = used;
    atomic_store_explicit(&log->used, used + size, memory_order_release);
    return r->sequence;
}

uint32_t bj_log_last(const bj_log *log) {
    return log->last;
}

uint64_t bj_log_lost(const bj_log *log) {
    return log->lost;
}

bj_log_mark bj_log_marked(const bj_log *log) {
    return (bj_log_mark){ atomic_load(&log->used), log->lost, log->last };
}

void bj_log_rewind(bj_log *log, bj_log_mark mark) {
    assert(mark.used <= atomic_load(&log->used) && mark.last <= log->last);
    atomic_store(&log->used, mark.used);
    log->lost = mark.lost;
    log->last = mark.last;
}

static bool read_at(const bj_log *log, uint64_t offset, bj_event *event, size_t *size) {
    uint64_t used = atomic_load_explicit(&((bj_log *) (uintptr_t) log)->used, memory_order_acquire);
    if (used > log->size || offset > used || used - offset < sizeof(record)) {
        return false;
    }
    const record *r = (const record *) (bytes_of(log) + offset);
    uint64_t wanted = sizeof *r + (uint64_t) r->text_length + 1 + r->raw_length;
    if (r->size > used - offset || wanted > r->size) {
        return false;
    }
    const char *behind = (const char *) (r + 1);
    *event = (bj_event){
        .sequence = r->sequence,
        .cause = r->cause,
        .time = r->time,
        .kind = r->kind,
        .actor = r->actor,
        .position = r->position,
        .number = r->number,
        .other = r->other,
        .from = r->from,
        .to = r->to,
        .text = r->has_text ? behind : NULL,
        .text_length = r->text_length,
        .raw = r->has_raw ? (const uint8_t *) behind + r->text_length + 1 : NULL,
        .raw_length = r->raw_length,
    };
    *size = r->size;
    return true;
}

bool bj_log_next(const bj_log *log, size_t *cursor, bj_event *event) {
    size_t size;
    if (*cursor == 0) {
        *cursor = padded(sizeof *log);
    }
    if (!read_at(log, *cursor, event, &size)) {
        return false;
    }
    *cursor += size;
    return true;
}

bool bj_log_find(const bj_log *log, uint32_t sequence, bj_event *event) {
    size_t size;
    if (sequence == 0 || sequence > log->last) {
        return false;
    }
    if (log->last - sequence < INDEX) {
        if (read_at(log, log->index[sequence % INDEX], event, &size) && event->sequence == sequence) {
            return true;
        } /* else it stood before a place to which the log was rewound, and its place in the index was used since */
    }
    for (size_t cursor = 0; bj_log_next(log, &cursor, event);) {
        if (event->sequence == sequence) {
            return true;
        }
    }
    return false;
}

static void add_address(bj_text *out, const char *name, const bj_addr *address) {
    if (address->family) {
        bj_text_printf(out, ",\"%s\":\"", name);
        bj_addr_print(out, address);
        bj_text_add(out, "\"");
    }
}

void bj_event_json(bj_text *out, const bj_event *event, bj_log_decode_fn *decode) {
    const char *kind = bj_event_kind_name(event->kind);
    bj_text_printf(out, "{\"v\":%d,\"seq\":%" PRIu32 ",\"t\":", BJ_LOG_VERSION, event->sequence);
    bj_time_print(out, event->time);
    bj_text_printf(out, ",\"kind\":\"%s\",\"actor\":%u", kind ? kind : "unknown", event->actor);
    if (event->cause) {
        bj_text_printf(out, ",\"cause\":%" PRIu32, event->cause);
    }
    if (event->position.line) {
        bj_text_printf(out, ",\"line\":%" PRIu32 ",\"column\":%" PRIu32, event->position.line, event->position.column);
    }
    bj_text_printf(out, ",\"number\":%" PRId64 ",\"other\":%" PRId64, event->number, event->other);
    add_address(out, "from", &event->from);
    add_address(out, "to", &event->to);
    if (event->text) {
        bj_text_add(out, ",\"text\":");
        bj_text_json_string(out, event->text, event->text_length);
    }
    if (event->raw) {
        bj_text_add(out, ",\"raw\":\"");
        bj_text_hex(out, event->raw, event->raw_length);
        bj_text_add(out, "\"");
        if (decode) {
            bj_text_add(out, ",\"coap\":");
            decode(out, event);
        }
    }
    bj_text_add(out, "}");
}
