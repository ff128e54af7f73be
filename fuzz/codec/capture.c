/* SPDX-License-Identifier: Apache-2.0
 *
 * Capture files (pcap, pcapng) in the reader: packets lie in the file, and a damaged file ends with a reason.
 */
#include "capture/capture.h"

#include "fuzz.h"

/* libpcap takes no longer ones from most link types; what gzip has packed may be longer than the file. */
enum { MOST_PACKET = 262144 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    BJ_TEXT(why, 512);
    bj_capture *capture = bj_capture_open(fuzz_file(data, size), &why);
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
    return 0;
}
