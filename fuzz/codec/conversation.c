/* SPDX-License-Identifier: Apache-2.0
 *
 * Captures as conversations: clients, pairing, the events that oracles are given. Every frame is accounted for, pairs
 * point backwards, and the oracles survive whatever a capture says.
 */
#include <stdio.h>
#include <stdio_ext.h>

#include "capture/field.h"
#include "capture/story.h"
#include "fuzz.h"
#include "memory.h"
#include "room.h"

enum { ARENA = 16 << 20, MOST_CLIENTS = 2 };

static void take_event(void *context, const bj_event *event, const bj_unit *unit) {
    FUZZ_HOLDS(unit->frame > 0, "an event is of a frame");
    FUZZ_HOLDS(event->cause < event->sequence, "causes come before");
    bj_oracle_event(context, event);
}

static void check_talk(const bj_talk *talk) {
    for (size_t i = 0; i < talk->count; i++) {
        const bj_message *m = &talk->messages[i];
        int at = (int) i;
        FUZZ_HOLDS(m->repeats < at && m->request < at && m->about < at,
                   "what is repeated, answered, quoted came before");
        FUZZ_HOLDS(m->last_copy >= at || m->repeats >= 0, "the last copy comes later");
        FUZZ_HOLDS(!i || m->time >= talk->messages[i - 1].time, "time goes on");
        FUZZ_HOLDS(m->request < 0 || talk->messages[m->request].by_client != m->by_client, "the other side answers");
    }
}

static FILE *nowhere(void) {
    static FILE *file;
    if (!file) {
        file = fopen("/dev/null", "w");
        FUZZ_HOLDS(file != NULL, "/dev/null is there");
        __fsetlocking(file, FSETLOCKING_BYCALLER); /* nobody else has it */
    }
    return file;
}

static void read_client(bj_field *field, uint32_t party) {
    static bj_arena *kept;
    bj_arena *arena = fuzz_room(&kept, ARENA);
    bj_oracle_config config;
    bj_story story;
    bj_talk talk;
    bj_unit unit;
    BJ_TEXT(why, 300);
    bj_field_oracle_config(field, party, arena, &config);
    bj_oracle *oracle = bj_oracle_new(arena, &config);
    bj_story_begin(&story, &field->parties, party, take_event, oracle);
    bj_talk_begin(&talk, &field->parties, party);
    while (bj_units_next(field->units, &unit, &why) == 1) {
        bj_story_take(&story, &unit);
        FUZZ_HOLDS(bj_talk_take(&talk, &unit), "there is memory");
    }
    bj_oracle_end(oracle);
    check_talk(&talk);
    bj_talk_print_facts(&talk, nowhere());
    bj_talk_free(&talk);
    bj_story_end(&story);
    bj_units_rewind(field->units, &why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static bj_field_options options;
    BJ_TEXT(why, 600);
    bj_field_defaults(&options);
    options.units.source = (bj_capture_source){ .name = "input", .bytes = data, .length = size };
    options.units.undecrypted = true;
    bj_field field = { .options = &options };
    field.units = bj_units_open(&options.units, &why);
    if (field.units && bj_parties_find(&field.parties, field.units, &why)) {
        for (uint32_t i = 0; i < field.parties.count && i < MOST_CLIENTS; i++) {
            read_client(&field, i);
        }
    }
    FUZZ_HOLDS(field.units || why.used, "a file that is no capture is refused with a reason");
    bj_field_close(&field);
    memory_done();
    return 0;
}
