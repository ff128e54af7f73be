/* SPDX-License-Identifier: Apache-2.0
 *
 * Does a client that has no test object let a server create Object Instances? One of its own Objects is found in its
 * registration, an instance of it is read, and another is created with the same values.
 */
#define _GNU_SOURCE
#include <string.h>

#include "cli/client_tools.h"
#include "wire/coap.h"

enum { CORE_OBJECTS = 10, CANDIDATES = 5, ROOM = 1200, NEW_INSTANCE = 77, TLV = 11542, OLD_TLV = 1542 };

typedef struct candidate {
    unsigned object, instance;
} candidate;

typedef struct copying {
    bj_arena *arena;
    const bj_run_options *options;
    candidate items[CANDIDATES];
    size_t count;
    uint8_t values[ROOM]; /* of the instance that is there: resources in TLV */
    size_t length;
    bool interrupted;
} copying;

/* --- what the client says ------------------------------------------------------------------------------------- */

/* The next message that reaches a server, without a carrier's protection. */
static bool next_message(const bj_log *log, size_t *cursor, bj_coap *message) {
    bj_event event;
    while (log && bj_log_next(log, cursor, &event)) {
        bool arrives = event.kind == BJ_EV_RECEIVED && event.actor >= BJ_ACTOR_SERVER_0;
        if (arrives && bj_coap_decode(message, event.raw, event.raw_length) == BJ_COAP_OK) {
            return true;
        }
    }
    return false;
}

static unsigned number_at(const char **at, const char *end) {
    unsigned number = 0;
    for (; *at < end && **at >= '0' && **at <= '9' && number <= UINT16_MAX; (*at)++) {
        number = number * 10 + (unsigned) (**at - '0');
    }
    return number;
}

/* "</31024/10>": the first instance of each Object that is none of the enabler's own. */
static void take_link(copying *c, const char *at, const char *end) {
    candidate found = { .object = number_at(&at, end) };
    bool known = found.object < CORE_OBJECTS || (c->count && c->items[c->count - 1].object == found.object);
    if (known || at == end || *at != '/' || c->count == CANDIDATES) {
        return;
    }
    at++;
    found.instance = number_at(&at, end);
    if (at < end && *at == '>' && at[-1] != '/') {
        c->items[c->count++] = found;
    }
}

static void take_objects(copying *c, const bj_log *log) {
    bj_coap message;
    for (size_t cursor = 0; next_message(log, &cursor, &message);) {
        BJ_TEXT(path, 100);
        bj_coap_path(&message, BJ_COAP_URI_PATH, &path);
        if (!bj_coap_is_request(message.code) || strcmp(path.start, "/rd") != 0) {
            continue;
        }
        const char *at = (const char *) message.payload, *end = at + message.payload_length;
        while (at && (at = memmem(at, (size_t) (end - at), "</", 2)) != NULL) {
            at += 2;
            take_link(c, at, end);
        }
    }
}

/* Behind the header of an Object Instance, where the client puts one around its resources. */
static size_t header_of_instance(const uint8_t *bytes, size_t length) {
    if (!length || bytes[0] >> 6) {
        return 0;
    }
    size_t header = 2U + (bytes[0] >> 5 & 1) + (bytes[0] >> 3 & 3); /* Core 1.1 §7.4.3 */
    return header <= length ? header : length;
}

static void take_values(copying *c, const bj_log *log) {
    bj_coap message;
    uint32_t format;
    c->length = 0;
    for (size_t cursor = 0; next_message(log, &cursor, &message);) {
        bool content = message.code == BJ_COAP_CODE(2, 5) && message.payload_length <= ROOM &&
                       bj_coap_find_uint(&message, BJ_COAP_CONTENT_FORMAT, &format);
        if (content && (format == TLV || format == OLD_TLV)) {
            size_t header = header_of_instance(message.payload, message.payload_length);
            c->length = message.payload_length - header;
            memcpy(c->values, message.payload + header, c->length);
        }
    }
}

/* --- the runs ------------------------------------------------------------------------------------------------- */

/* A plain bootstrap and one step more. `take` looks at the log of one that passes. */
static bool run(copying *c, const char *step, void (*take)(copying *, const bj_log *)) {
    enum { TEXT = 8192 };
    BJ_TEXT(text, TEXT);
    bj_run_result result;
    bj_text_printf(&text, "%s%s", cli_probe_plain, step);
    c->interrupted = !cli_probe_run(c->arena, c->options, text.start, &result);
    if (c->interrupted) {
        return false;
    }
    bool passed = result.script_verdict == BJ_PASS || result.script_verdict == BJ_WARN;
    if (passed && take) {
        take(c, result.log);
    }
    bj_run_release(&result);
    return passed;
}

static bool is_copied(copying *c, const candidate *of) {
    enum { STEP = 4096 };
    BJ_TEXT(step, STEP);
    bj_text_printf(&step, "  - {read: /%u/%u, server: mgmt, accept: tlv, expect: 2.05}\n", of->object, of->instance);
    if (!run(c, step.start, take_values) || !c->length) {
        return false;
    }
    bj_text values = bj_text_over(step.start, STEP);
    bj_text_printf(&values, "  - {create: /%u, server: mgmt, hex: \"10%02x%04x", of->object, (unsigned) NEW_INSTANCE,
                   (unsigned) c->length);
    for (size_t i = 0; i < c->length; i++) {
        bj_text_printf(&values, "%02x", c->values[i]);
    }
    bj_text_printf(&values, "\", expect: 2.01}\n  - {read: /%u/%u, server: mgmt, expect: 2.05}\n", of->object,
                   (unsigned) NEW_INSTANCE);
    return run(c, values.start, NULL);
}

cli_answer cli_probe_copy(bj_arena *arena, const bj_run_options *options, const char **why) {
    copying *c = bj_arena_calloc(arena, 1, sizeof *c);
    c->arena = arena;
    c->options = options;
    (void) run(c, "", take_objects);
    for (size_t i = 0; i < c->count && !c->interrupted; i++) {
        if (is_copied(c, &c->items[i])) {
            return CLI_SEEN;
        }
    }
    *why = c->count ? "of none of its own Objects an instance like the one that is there could be created"
                    : "it registers no Object of its own, of which an instance could be created";
    return c->interrupted ? CLI_INTERRUPTED : CLI_NOT_ASKED;
}
