/* SPDX-License-Identifier: Apache-2.0
 *
 * Capture files (pcap, pcapng) in the reader: packets lie in the file, and a damaged file ends with a reason.
 */
#include "capture/capture.h"
#include "capture/notes.h"

#include "fuzz.h"
#include "memory.h"

/* pcap has no longer ones; what gzip has packed may be longer than the input. */
enum { MOST_PACKET = 262144 };

/* What a file says beside its packets, which anybody can write. */
static void read_notes(const bj_capture_source *source) {
    static bj_arena *arena;
    bj_noted noted;
    if (arena) {
        bj_arena_reset(arena);
    } else {
        arena = bj_arena_map((size_t) 256 << 20);
    }
    FUZZ_HOLDS(arena, "there is memory");
    bj_notes_read(&noted, arena, source);
    for (size_t i = 0; i < noted.count; i++) {
        FUZZ_HOLDS(bj_record_def_of((bj_kind) noted.steps[i].step->kind)->verb, "what is noted as a step is one");
        FUZZ_HOLDS(!i || noted.steps[i - 1].frame <= noted.steps[i].frame, "steps are in the order of frames");
    }
    FUZZ_HOLDS(!noted.given || noted.given->kind == BJ_K_SCENARIO, "what was given is of a scenario");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    BJ_TEXT(why, 512);
    const bj_capture_source source = { .name = "input", .bytes = data, .length = size };
    read_notes(&source);
    bj_capture *capture = bj_capture_open(&source, &why);
    FUZZ_HOLDS(capture || why.used, "a file that is no capture is refused with a reason");
    bj_packet packet;
    uint32_t frame = 0;
    int got = 0;
    while (capture && (got = bj_capture_next(capture, &packet, &why)) == 1) {
        FUZZ_HOLDS(packet.frame == ++frame, "frames are counted");
        FUZZ_HOLDS(packet.kind == BJ_PACKET_OTHER || packet.length <= MOST_PACKET,
                   "a packet is no longer than packets are");
        FUZZ_HOLDS((packet.kind == BJ_PACKET_OTHER) == (packet.why != NULL), "what is not understood has a reason");
        for (size_t i = 0; packet.kind != BJ_PACKET_OTHER && i < packet.length; i += 64) {
            *(volatile const uint8_t *) &packet.data[i];
        }
    }
    FUZZ_HOLDS(got >= 0 || why.used, "damage has a reason");
    bj_capture_close(capture);
    memory_done();
    return 0;
}
