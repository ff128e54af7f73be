/* SPDX-License-Identifier: Apache-2.0
 *
 * See notes.h. A comment is a line: what it is about, the byte form (script/bytes.h) in hexadecimal, and for steps what
 * a reader would call them.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/capture.h"
#include "capture/notes.h"
#include "script/bytes.h"
#include "script/print.h"
#include "world.h"

enum { ARENA = 256 << 20, MOST_COMMENT = 65532, DISK_WELL = 0, DISK_SPACE = 16 << 20 };

void bj_notes_begin(bj_notes *n) {
    *n = (bj_notes){ .arena = bj_arena_map(ARENA) };
    if (n->arena) {
        n->servers = bj_arena_calloc(n->arena, BJ_LIMIT_NAMES, sizeof *n->servers);
    }
}

void bj_notes_end(bj_notes *n) {
    if (n->arena) {
        bj_arena_unmap(n->arena);
    }
    *n = (bj_notes){ .arena = NULL };
}

/* --- steps ---------------------------------------------------------------------------------------------------- */

static bj_note *add_step(bj_notes *n, const bj_event *event, uint8_t kind) {
    if (n->count == BJ_NOTES) {
        return NULL;
    }
    bj_note *one = &n->steps[n->count++];
    *one = (bj_note){ .sequence = event->sequence, .begun = event->time, .ended = event->time, .kind = kind };
    return one;
}

static void begin_step(bj_notes *n, const bj_event *event) {
    bool noted =
        event->raw && event->number > 0 && event->number <= UINT8_MAX && bj_record_def_of((bj_kind) event->number);
    bj_note *one = noted ? add_step(n, event, (uint8_t) event->number) : NULL;
    if (one) {
        one->position = event->position;
        one->open = true;
        one->raw = event->raw;
        one->raw_length = event->raw_length;
        n->starts |= one->kind == BJ_K_START;
        n->disk |= one->kind == BJ_K_DISK;
    }
}

static void end_step(bj_notes *n, const bj_event *event) {
    for (size_t i = n->count; i > 0; i--) {
        bj_note *one = &n->steps[i - 1];
        bool same = one->position.line == event->position.line && one->position.column == event->position.column;
        if (one->open && same) {
            one->open = false;
            one->ended = event->time;
            return;
        }
    }
}

/* A healed world starts a client whose power was cut, as no step does. */
static void start_client(bj_notes *n, const bj_event *event) {
    bj_note *one = n->started && !n->starts ? add_step(n, event, BJ_K_START) : NULL;
    if (one) {
        one->step = bj_record_new(n->arena, BJ_K_START, (bj_position){ 0 });
    }
    n->started = true;
    n->starts = false;
}

/* --- what a healed world is, but for its servers, as steps --- */

static void heal_name(bj_notes *n, const bj_event *event, const bj_string *name, const bj_string *address) {
    bj_note *one = add_step(n, event, BJ_K_DNS);
    if (!one) {
        return;
    }
    bj_record *r = bj_record_new(n->arena, BJ_K_DNS, (bj_position){ 0 });
    bj_record *answer = bj_record_new(n->arena, BJ_K_DNS_ANSWER, (bj_position){ 0 });
    bj_value addresses = { .type = BJ_T_STRINGS };
    addresses.as.strings.items = bj_arena_copy(n->arena, address, sizeof *address);
    addresses.as.strings.count = 1;
    bj_set(n->arena, answer, BJ_F(DNS_ANSWER, ADDRESSES), &addresses);
    bj_set(n->arena, r, BJ_F(DNS, NAME), &(bj_value){ .type = BJ_T_STRING, .as.string = *name });
    bj_set_record(n->arena, r, BJ_F(DNS, ANSWERS), answer);
    ((bj_value *) (uintptr_t) r->fields[BJ_F(DNS, ANSWERS)])->type = BJ_T_RECORDS;
    one->step = r;
}

/* The server that has this name of its own, the last where there are several; NULL. */
static const bj_string *server_named(const bj_notes *n, const bj_string *name) {
    for (size_t i = n->server_count; i-- > 0;) {
        BJ_TEXT(usual, 300);
        bj_text_printf(&usual, "%s.example", n->servers[i].name.bytes);
        if (!strcmp(bj_get_string(n->servers[i].records[0], BJ_F(SERVER, HOST), usual.start), name->bytes)) {
            return &n->servers[i].name;
        }
    }
    return NULL;
}

/* The first of the answers that gives an address; NULL. */
static const bj_string *good_answer(const bj_named *named) {
    for (size_t i = 0; i < named->count; i++) {
        const bj_value *addresses = bj_get(named->records[i], BJ_F(DNS_ANSWER, ADDRESSES));
        if (addresses && addresses->as.strings.count && !bj_get_uint(named->records[i], BJ_F(DNS_ANSWER, STATUS), 0)) {
            return &addresses->as.strings.items[0];
        }
    }
    return NULL;
}

/* Names give their own servers again, or one that is there (engine_heal.c). */
static void heal_names(bj_notes *n, const bj_event *event) {
    static const char healed[] = "192.0.2.250", others[] = "*";
    const bj_string address = { healed, sizeof healed - 1 }, all = { others, sizeof others - 1 };
    const bj_value *names = n->given ? bj_get(n->given, BJ_F(SCENARIO, DNS)) : NULL;
    if (!names && !n->failed_names) {
        return;
    }
    for (size_t i = 0; names && i < names->as.named.count; i++) {
        const bj_named *named = &names->as.named.items[i];
        const bj_string *server = server_named(n, &named->name), *good = server ? server : good_answer(named);
        heal_name(n, event, &named->name, good ? good : &address);
    }
    heal_name(n, event, &all, &address);
}

static void heal(bj_notes *n, const bj_event *event) {
    heal_names(n, event);
    bj_note *one = n->disk ? add_step(n, event, BJ_K_DISK) : NULL;
    if (one) {
        bj_record *r = bj_record_new(n->arena, BJ_K_DISK, (bj_position){ 0 });
        bj_set(n->arena, r, BJ_F(DISK, FAULT), &(bj_value){ .type = BJ_T_ENUM, .as.uint = DISK_WELL });
        bj_set(n->arena, r, BJ_F(DISK, SPACE), &(bj_value){ .type = BJ_T_UINT, .as.uint = DISK_SPACE });
        one->step = r;
    }
}

/* --- what was given ------------------------------------------------------------------------------------------- */

static void note_server(bj_notes *n, const bj_event *event) {
    if (event->actor < BJ_ACTOR_SERVER_0 || !event->text_length || n->server_count == BJ_LIMIT_NAMES) {
        return;
    }
    bj_named *named = &n->servers[n->server_count++];
    const bj_value *all = n->given ? bj_get(n->given, BJ_F(SCENARIO, SERVERS)) : NULL;
    bj_record *r = bj_record_new(n->arena, BJ_K_SERVER, (bj_position){ 0 });
    named->name = (bj_string){ bj_arena_strndup(n->arena, event->text, event->text_length), event->text_length };
    for (size_t i = 0; all && i < all->as.named.count; i++) {
        const bj_named *one = &all->as.named.items[i];
        bool same = one->count && one->name.length == named->name.length &&
                    !memcmp(one->name.bytes, named->name.bytes, named->name.length);
        r = same ? bj_record_copy(n->arena, one->records[0]) : r;
    }
    bj_addr host = event->from;
    BJ_TEXT(address, 64);
    host.port = 0;
    bj_addr_print(&address, &host);
    bj_string text = { bj_arena_strdup(n->arena, address.start), address.used };
    if (!bj_get(r, BJ_F(SERVER, ADDRESSES)) && host.family) {
        bj_value v = { .type = BJ_T_STRINGS };
        v.as.strings.items = bj_arena_copy(n->arena, &text, sizeof text);
        v.as.strings.count = 1;
        bj_set(n->arena, r, BJ_F(SERVER, ADDRESSES), &v);
    }
    if (!bj_get(r, BJ_F(SERVER, PORT)) && event->from.port) {
        bj_set(n->arena, r, BJ_F(SERVER, PORT), &(bj_value){ .type = BJ_T_UINT, .as.uint = event->from.port });
    }
    const bj_record **list = bj_record_list(n->arena, 1);
    list[0] = r;
    named->records = list;
    named->count = 1;
}

void bj_notes_take(bj_notes *n, const bj_event *event) {
    if (!n->arena) {
        return;
    }
    switch (event->kind) {
    case BJ_EV_RUN_BEGIN:
        n->given = event->raw_length
                       ? bj_program_decode(n->arena, BJ_K_SCENARIO, event->raw, event->raw_length, NULL, 0)
                       : NULL;
        break;
    case BJ_EV_ACTOR:
        note_server(n, event);
        break;
    case BJ_EV_STEP_BEGIN:
        begin_step(n, event);
        break;
    case BJ_EV_STEP_END:
        end_step(n, event);
        break;
    case BJ_EV_CLIENT_START:
        start_client(n, event);
        break;
    case BJ_EV_DNS_ANSWER:
        n->failed_names |= event->text && !memchr(event->text, '=', event->text_length);
        break;
    case BJ_EV_HEALED:
        heal(n, event);
        break;
    default:
        break;
    }
}

/* --- comments ------------------------------------------------------------------------------------------------- */

static void add_hex(FILE *out, const void *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        fprintf(out, "%02x", ((const uint8_t *) bytes)[i]);
    }
}

static void print_given(const bj_notes *n, FILE *out) {
    static const unsigned kept[] = { BJ_F(SCENARIO, CLIENT), BJ_F(SCENARIO, DNS), BJ_F(SCENARIO, NETWORK),
                                     BJ_F(SCENARIO, TRANSMISSION) };
    bj_record *given = bj_record_new(n->arena, BJ_K_SCENARIO, (bj_position){ 0 });
    for (unsigned i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        if (bj_get(n->given, kept[i])) {
            bj_set(n->arena, given, kept[i], bj_get(n->given, kept[i]));
        }
    }
    bj_value servers = { .type = BJ_T_NAMED };
    servers.as.named.items = n->servers;
    servers.as.named.count = n->server_count;
    bj_set(n->arena, given, BJ_F(SCENARIO, SERVERS), &servers);
    bj_string bytes = bj_program_encode(n->arena, given);
    fputs(BJ_NOTE_GIVEN, out);
    add_hex(out, bytes.bytes, bytes.length);
}

static void print_step(const bj_notes *n, const bj_note *one, FILE *out) {
    BJ_TEXT(line, 200);
    const bj_record *step =
        one->step ? one->step : bj_program_decode(n->arena, one->kind, one->raw, one->raw_length, NULL, 0);
    bj_string bytes = bj_program_encode(n->arena, step);
    uint64_t epoch = BJ_CAPTURE_EPOCH * BJ_SECOND;
    bj_step_line(&line, step);
    fprintf(out, BJ_NOTE_STEP "%u before frame %" PRIu32 " from %" PRIu64 " to %" PRIu64 " ", one->kind, one->frame,
            epoch + one->begun, epoch + one->ended);
    add_hex(out, bytes.bytes, bytes.length);
    fprintf(out, ": %s", line.start);
}

/* One that is too long for an option is left out: half of it says nothing. */
static void add_comment(const bj_notes *n, const char **comments, size_t *count, const bj_note *step) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (!out) {
        return;
    }
    if (step) {
        print_step(n, step, out);
    } else {
        print_given(n, out);
    }
    if (!fclose(out) && length <= MOST_COMMENT) {
        comments[(*count)++] = bj_arena_strndup(n->arena, text, length);
    }
    free(text);
}

const char **bj_notes_comments(const bj_notes *n, size_t *count) {
    *count = 0;
    if (!n->arena || !n->given) {
        return NULL;
    }
    const char **comments = bj_arena_calloc(n->arena, BJ_NOTES + 1, sizeof *comments);
    add_comment(n, comments, count, NULL);
    for (size_t i = 0; i < n->count; i++) {
        add_comment(n, comments, count, &n->steps[i]);
    }
    return comments;
}
