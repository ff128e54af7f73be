/* SPDX-License-Identifier: Apache-2.0
 *
 * What a log holds comes out of the capture that is written of it: read back with our own reader, which goes through
 * libpcap, and byte by byte where only the file shows it. (That other tools agree is for the tests with tshark.)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/capture.h"
#include "capture/notes.h"
#include "capture/stream.h"
#include "script/bytes.h"

enum { LOG_SIZE = 1 << 20, SERVER = BJ_ACTOR_SERVER_0 };

static const bj_addr client = { 4, { 192, 0, 2, 1 }, 56830 };
static const bj_addr server = { 4, { 192, 0, 2, 10 }, 5683 };
static const bj_addr client_6 = { 6, { 0x20, 1, 0x0d, 0xb8, [15] = 1 }, 56830 };
static const bj_addr server_6 = { 6, { 0x20, 1, 0x0d, 0xb8, [15] = 10 }, 5683 };
static const uint8_t bootstrap_request[] = { 0x40, 2, 0, 1, 0xB2, 'b', 's', 0x44, 'e', 'p', '=', 'x' };

typedef struct fixture {
    void *memory;
    bj_log *log;
    char file[64];
    char *bytes; /* of the file, once written */
    size_t length;
} fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->memory = aligned_alloc(16, LOG_SIZE);
    assert_non_null(f->memory);
    memset(f->memory, 0, LOG_SIZE);
    f->log = bj_log_create(f->memory, LOG_SIZE);
    strcpy(f->file, "capture_write_test-XXXXXX");
    int descriptor = mkstemp(f->file);
    assert_true(descriptor >= 0);
    close(descriptor);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    unlink(f->file);
    free(f->bytes);
    free(f->memory);
    free(f);
    return 0;
}

static uint32_t sent(fixture *f, uint8_t actor, const bj_addr *from, const bj_addr *to, const void *raw,
                     size_t length) {
    return bj_log_append(f->log, &(bj_event){ .kind = BJ_EV_SENT,
                                              .actor = actor,
                                              .from = *from,
                                              .to = *to,
                                              .raw = raw,
                                              .raw_length = length,
                                              .time = 1500000 });
}

static uint32_t request_sent(fixture *f) {
    return sent(f, BJ_ACTOR_CLIENT, &client, &server, bootstrap_request, sizeof bootstrap_request);
}

static void write_capture(fixture *f) {
    BJ_TEXT(why, 200);
    assert_true(bj_capture_write(f->log, f->file, &why));
    FILE *file = fopen(f->file, "rb");
    assert_non_null(file);
    free(f->bytes);
    f->bytes = malloc(LOG_SIZE);
    assert_non_null(f->bytes);
    f->length = fread(f->bytes, 1, LOG_SIZE, file);
    fclose(file);
}

static bool file_says(const fixture *f, const char *text) {
    return memmem(f->bytes, f->length, text, strlen(text)) != NULL;
}

/* Opens the capture; the packets are read with next(). */
static bj_capture *open_capture(const fixture *f) {
    BJ_TEXT(why, 200);
    bj_capture *capture = bj_capture_open(&(bj_capture_source){ .name = f->file }, &why);
    assert_non_null(capture);
    return capture;
}

static int next(bj_capture *capture, bj_packet *packet) {
    BJ_TEXT(why, 200);
    return bj_capture_next(capture, packet, &why);
}

static size_t count_packets(const fixture *f) {
    bj_capture *capture = open_capture(f);
    bj_packet packet;
    size_t count = 0;
    while (next(capture, &packet) == 1) {
        count++;
    }
    bj_capture_close(capture);
    return count;
}

/* A scenario with a client, and a step that no packet shows, as their byte forms stand in the log. */
static void what_no_packet_shows_comes_back(void **state) {
    fixture *f = *state;
    bj_arena *arena = bj_arena_map(16 << 20);
    bj_record *scenario = bj_record_new(arena, BJ_K_SCENARIO, (bj_position){ 0 });
    bj_record *given = bj_record_new(arena, BJ_K_CLIENT, (bj_position){ 0 });
    bj_record *stop = bj_record_new(arena, BJ_K_STOP, (bj_position){ 0 });
    bj_set(arena, given, BJ_F(CLIENT, STRICT), &(bj_value){ .type = BJ_T_BOOL, .as.boolean = true });
    bj_set_record(arena, scenario, BJ_F(SCENARIO, CLIENT), given);
    bj_set(arena, stop, BJ_F(STOP, SIGNAL), &(bj_value){ .type = BJ_T_ENUM, .as.uint = 2 });
    bj_string whole = bj_program_encode(arena, scenario), step = bj_program_encode(arena, stop);
    bj_log_append(f->log, &(bj_event){ .kind = BJ_EV_RUN_BEGIN,
                                       .text = "bootjack-given 00",
                                       .raw = (const uint8_t *) whole.bytes,
                                       .raw_length = whole.length });
    bj_log_append(f->log, &(bj_event){ .kind = BJ_EV_ACTOR, .actor = SERVER, .text = "bs", .from = server });
    request_sent(f);
    bj_event begun = { .kind = BJ_EV_STEP_BEGIN,
                       .position = { 7, 5 },
                       .time = 1600000,
                       .number = BJ_K_STOP,
                       .raw = (const uint8_t *) step.bytes,
                       .raw_length = step.length };
    bj_log_append(f->log, &begun);
    bj_log_append(f->log, &(bj_event){ .kind = BJ_EV_STEP_END, .position = { 7, 5 }, .time = 1700000 });
    write_capture(f);
    bj_noted noted;
    bj_notes_read(&noted, arena, &(bj_capture_source){ .name = f->file });
    assert_non_null(noted.given);
    assert_true(bj_get_bool(bj_get_record(noted.given, BJ_F(SCENARIO, CLIENT)), BJ_F(CLIENT, STRICT), false));
    assert_int_equal(bj_get(noted.given, BJ_F(SCENARIO, SERVERS))->as.named.count, 1);
    assert_int_equal(noted.count, 1);
    assert_int_equal(noted.steps[0].frame, 2);
    assert_int_equal(noted.steps[0].begun, BJ_CAPTURE_EPOCH * BJ_SECOND + 1600000);
    assert_int_equal(noted.steps[0].ended, BJ_CAPTURE_EPOCH * BJ_SECOND + 1700000);
    assert_int_equal(noted.steps[0].step->kind, BJ_K_STOP);
    assert_int_equal(bj_get_uint(noted.steps[0].step, BJ_F(STOP, SIGNAL), 0), 2);
    assert_true(file_says(f, "stop"));
    bj_arena_unmap(arena);
}

/* Others write what they like: only files of ours are asked. */
static void a_strangers_file_says_nothing_beside_its_packets(void **state) {
    fixture *f = *state;
    bj_arena *arena = bj_arena_map(16 << 20);
    bj_noted noted;
    bj_log_append(f->log, &(bj_event){ .kind = BJ_EV_RUN_BEGIN, .text = "bootjack-given 00" });
    request_sent(f);
    write_capture(f);
    char *name = memmem(f->bytes, f->length, "Bootjack", 8);
    assert_non_null(name);
    name[0] = 'R';
    FILE *file = fopen(f->file, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(f->bytes, 1, f->length, file), f->length);
    fclose(file);
    bj_notes_read(&noted, arena, &(bj_capture_source){ .name = f->file });
    assert_null(noted.given);
    assert_int_equal(noted.count, 0);
    bj_arena_unmap(arena);
}

static void datagrams_come_back(void **state) {
    fixture *f = *state;
    bj_packet p;
    request_sent(f);
    sent(f, SERVER, &server_6, &client_6, "\x60\0\0\1", 4);
    sent(f, SERVER, &server, &client, NULL, 0);
    write_capture(f);
    bj_capture *capture = open_capture(f);
    assert_int_equal(next(capture, &p), 1);
    assert_int_equal(p.frame, 1);
    assert_int_equal(p.kind, BJ_PACKET_UDP);
    assert_true(p.time == BJ_CAPTURE_EPOCH * BJ_SECOND + 1500000);
    assert_true(bj_addr_equal(&p.from, &client) && bj_addr_equal(&p.to, &server));
    assert_int_equal(p.length, sizeof bootstrap_request);
    assert_int_equal(p.full_length, p.length);
    assert_memory_equal(p.data, bootstrap_request, p.length);
    assert_int_equal(next(capture, &p), 1);
    assert_true(bj_addr_equal(&p.from, &server_6) && bj_addr_equal(&p.to, &client_6));
    assert_int_equal(p.length, 4);
    assert_int_equal(next(capture, &p), 1);
    assert_int_equal(p.length, 0);
    assert_int_equal(next(capture, &p), 0);
    bj_capture_close(capture);
}

static void datagrams_of_every_size_come_back(void **state) {
    fixture *f = *state;
    static const size_t sizes[] = { 1, 2, 3, 4, 5, 1151, 1152, 1153, 65507 };
    static uint8_t data[65507];
    memset(data, 0x5A, sizeof data);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        sent(f, SERVER, i % 2 ? &server_6 : &server, i % 2 ? &client_6 : &client, data, sizes[i]);
    }
    write_capture(f);
    bj_capture *capture = open_capture(f);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        bj_packet p;
        assert_int_equal(next(capture, &p), 1);
        assert_int_equal(p.length, sizes[i]);
        assert_memory_equal(p.data, data, p.length);
    }
    bj_capture_close(capture);
}

static void the_same_log_gives_the_same_bytes(void **state) {
    fixture *f = *state;
    request_sent(f);
    write_capture(f);
    char *before = f->bytes;
    size_t length = f->length;
    f->bytes = NULL;
    write_capture(f);
    assert_int_equal(f->length, length);
    assert_memory_equal(f->bytes, before, length);
    free(before);
}

static void an_empty_log_is_a_capture(void **state) {
    fixture *f = *state;
    write_capture(f);
    assert_int_equal(count_packets(f), 0);
}

static void the_section_says_what_the_run_was(void **state) {
    fixture *f = *state;
    bj_log_append(f->log, &(bj_event){ .kind = BJ_EV_RUN_BEGIN, .number = 42, .text = "A client that asks" });
    bj_log_append(f->log, &(bj_event){ .kind = BJ_EV_VERDICT, .number = BJ_PASS });
    write_capture(f);
    assert_true(file_says(f, "A client that asks (seed 42): verdict pass"));
}

static void names_are_in_the_file(void **state) {
    fixture *f = *state;
    bj_log_append(f->log, &(bj_event){ .kind = BJ_EV_ACTOR, .actor = SERVER, .text = "bs", .from = server });
    bj_log_append(f->log, &(bj_event){ .kind = BJ_EV_DNS_ANSWER, .text = "mgmt.example = 192.0.2.11, 2001:db8::b" });
    bj_log_append(f->log, &(bj_event){ .kind = BJ_EV_DNS_ANSWER, .text = "gone.example: NXDOMAIN" });
    write_capture(f);
    assert_true(memmem(f->bytes, f->length,
                       "\xC0\x00\x02\x0A"
                       "bs",
                       7));
    assert_true(memmem(f->bytes, f->length, "\xC0\x00\x02\x0Bmgmt.example", 17));
    assert_true(memmem(f->bytes, f->length, "\x0Bmgmt.example", 14));
    assert_false(file_says(f, "gone.example"));
}

/* --- comments ------------------------------------------------------------------------------------------------- */

static void what_became_of_a_datagram_is_said(void **state) {
    fixture *f = *state;
    uint32_t lost = request_sent(f);
    bj_log_append(f->log, &(bj_event){ .kind = BJ_EV_LOST, .cause = lost, .text = "dropped by a fault" });
    uint32_t cut = request_sent(f);
    for (size_t length = sizeof bootstrap_request; length > 8; length -= 2) {
        bj_log_append(
            f->log,
            &(bj_event){ .kind = BJ_EV_RECEIVED, .cause = cut, .raw = bootstrap_request, .raw_length = length });
    }
    uint32_t damaged = request_sent(f);
    bj_log_append(f->log, &(bj_event){ .kind = BJ_EV_RECEIVED,
                                       .cause = damaged,
                                       .raw = (const uint8_t *) "0123456789ab",
                                       .raw_length = sizeof bootstrap_request });
    write_capture(f);
    assert_true(file_says(f, "lost: dropped by a fault"));
    assert_true(file_says(f, "arrives again"));
    assert_true(file_says(f, "cut on the way: 10 of 12 bytes arrive"));
    assert_true(file_says(f, "damaged on the way"));
}

static void what_is_broken_on_purpose_is_said(void **state) {
    fixture *f = *state;
    sent(f, SERVER, &server, &client, "\x4F\x01\0\1", 4);
    sent(f, BJ_ACTOR_CLIENT, &client, &server, "\x40\x01\0\1\xFF", 5);
    sent(f, SERVER, &server, &client, "\x40\x01\0\1\x30", 5);
    sent(f, SERVER, &server, &client, "\x40\x01\0\1\xE1\x06\xE7\0", 8);
    sent(f, SERVER, &server, &client, "\x40\x03\0\1\xC2\x2D\x16\xFF\xC8", 9);
    write_capture(f);
    assert_true(file_says(f, "broken on purpose: token length is 9 to 15"));
    assert_true(file_says(f, "not well-formed: payload marker without a payload"));
    assert_true(file_says(f, "broken on purpose: Uri-Host of 0 bytes"));
    assert_true(file_says(f, "on purpose: option 2036 is not registered"));
    assert_true(file_says(f, "broken on purpose: an entry is longer than the 1 bytes that are left"));
}

/* PUT /1/0 in TLV. */
#define WRITE_SERVER "\x40\x03\0\1\xB1\x31\x01\x30\x12\x2D\x16\xFF"

static void a_value_of_another_type_is_said(void **state) {
    fixture *f = *state;
    sent(f, SERVER, &server, &client, WRITE_SERVER "\xC3\x01xyz", sizeof WRITE_SERVER - 1 + 5);
    sent(f, SERVER, &server, &client, WRITE_SERVER "\xC4\x01\0\1\x51\x80", sizeof WRITE_SERVER - 1 + 6);
    write_capture(f);
    assert_true(file_says(f, "on purpose: /1/0/1: 3 bytes are no value of its type"));
    assert_false(file_says(f, "4 bytes are no value of its type"));
}

static void what_is_whole_is_not_commented(void **state) {
    fixture *f = *state;
    request_sent(f);
    sent(f, SERVER, &server, &client, "\x16\xFE\xFD\0\0\0\0\0\0\0\0\0\1\0", 14); /* DTLS */
    write_capture(f);
    assert_false(file_says(f, "broken"));
    assert_false(file_says(f, "well-formed"));
}

static void the_step_that_failed_is_said_at_its_packet(void **state) {
    fixture *f = *state;
    uint32_t packet = request_sent(f);
    uint32_t received = bj_log_append(f->log, &(bj_event){ .kind = BJ_EV_RECEIVED,
                                                           .cause = packet,
                                                           .raw = bootstrap_request,
                                                           .raw_length = sizeof bootstrap_request });
    sent(f, SERVER, &server, &client, "\x60\0\0\1", 4);
    const bj_event failed = {
        .kind = BJ_EV_STEP_FAILED, .cause = received, .position = { 12, 3 }, .text = "expected nothing"
    };
    bj_event verdict = failed;
    verdict.kind = BJ_EV_VERDICT;
    verdict.number = BJ_FAIL;
    bj_log_append(f->log, &failed);
    bj_log_append(f->log, &verdict);
    write_capture(f);
    const char *said = "step failed (line 12): expected nothing; verdict fail (line 12)";
    assert_true(file_says(f, said));
    /* It stands with the first packet: before the bytes of the second. */
    const char *place = memmem(f->bytes, f->length, said, strlen(said));
    const char *second = memmem(f->bytes, f->length, "\x60\0\0\1", 4);
    assert_true(place && second && place < second);
}

static void without_a_cause_the_last_packet_carries_the_verdict(void **state) {
    fixture *f = *state;
    request_sent(f);
    bj_log_append(f->log, &(bj_event){ .kind = BJ_EV_VERDICT, .number = BJ_FAIL, .text = "silence" });
    write_capture(f);
    assert_true(file_says(f, "verdict fail: silence"));
}

/* --- ICMP and TCP --------------------------------------------------------------------------------------------- */

static void a_closed_port_answers_with_icmp(void **state) {
    fixture *f = *state;
    uint32_t packet = request_sent(f);
    bj_log_append(f->log, &(bj_event){ .kind = BJ_EV_ICMP, .cause = packet, .from = server, .to = client });
    uint32_t packet_6 = sent(f, BJ_ACTOR_CLIENT, &client_6, &server_6, "\x60\0\0\1", 4);
    bj_log_append(f->log, &(bj_event){ .kind = BJ_EV_ICMP, .cause = packet_6, .from = server_6, .to = client_6 });
    write_capture(f);
    assert_int_equal(count_packets(f), 4);
    /* Type 3 code 3 and type 1 code 4, each with the packet that it is about. */
    const char *quoted = memmem(f->bytes, f->length, "\x03\x03", 2);
    assert_non_null(quoted);
    assert_memory_equal(quoted + 8, "\x45\x00\x00", 3);
    assert_non_null(memmem(f->bytes, f->length, "\x3A\x40\x20\x01\x0d\xb8", 6));
}

static void log_stream(fixture *f, bj_event_kind kind, uint8_t actor, uint32_t cause, const char *text) {
    bool to_client = actor == SERVER && kind == BJ_EV_STREAM_SENT;
    to_client = to_client || (actor == BJ_ACTOR_CLIENT && kind == BJ_EV_STREAM_RECEIVED);
    bj_log_append(f->log, &(bj_event){ .kind = (uint8_t) kind,
                                       .actor = actor,
                                       .cause = cause,
                                       .number = 1,
                                       .from = to_client ? server : client,
                                       .to = to_client ? client : server,
                                       .raw = (const uint8_t *) text,
                                       .raw_length = text ? strlen(text) : 0 });
}

/* All bytes of one direction, and the flags of all its segments. */
static unsigned read_direction(const fixture *f, const bj_addr *from, char *bytes, size_t room) {
    bj_capture *capture = open_capture(f);
    bj_streams streams = { 0 };
    bj_packet p;
    unsigned flags = 0;
    bytes[0] = '\0';
    while (next(capture, &p) == 1) {
        assert_int_equal(p.kind, BJ_PACKET_TCP);
        const bj_stream *s = bj_streams_take(&streams, &p);
        assert_non_null(s);
        assert_false(s->lost);
        if (bj_addr_equal(&p.from, from)) {
            flags |= p.tcp_flags;
            assert_true(s->length < room);
            memcpy(bytes, s->bytes ? (char *) s->bytes : "", s->length);
            bytes[s->length] = '\0';
        }
    }
    bj_streams_free(&streams);
    bj_capture_close(capture);
    return flags;
}

static void a_connection_comes_back(void **state) {
    fixture *f = *state;
    char long_text[4001];
    char bytes[4100];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    log_stream(f, BJ_EV_STREAM_OPEN, BJ_ACTOR_CLIENT, 0, NULL);
    log_stream(f, BJ_EV_STREAM_OPEN, SERVER, 1, NULL);
    log_stream(f, BJ_EV_STREAM_SENT, BJ_ACTOR_CLIENT, 0, "hello");
    log_stream(f, BJ_EV_STREAM_RECEIVED, SERVER, 3, "hello");
    log_stream(f, BJ_EV_STREAM_SENT, SERVER, 0, long_text);
    log_stream(f, BJ_EV_STREAM_RECEIVED, BJ_ACTOR_CLIENT, 5, long_text);
    log_stream(f, BJ_EV_STREAM_CLOSED, BJ_ACTOR_CLIENT, 0, NULL);
    log_stream(f, BJ_EV_STREAM_CLOSED, SERVER, 7, NULL);
    log_stream(f, BJ_EV_STREAM_CLOSED, SERVER, 8, NULL);
    write_capture(f);
    /* SYN, SYN ACK, ACK; 1 and ACK; 3 segments of 4000 bytes and ACK; FIN, ACK, FIN. */
    assert_int_equal(count_packets(f), 3 + 2 + 4 + 3);
    assert_int_equal(read_direction(f, &client, bytes, sizeof bytes) & (BJ_TCP_SYN | BJ_TCP_FIN | BJ_TCP_RST),
                     BJ_TCP_SYN | BJ_TCP_FIN);
    assert_string_equal(bytes, "hello");
    assert_int_equal(read_direction(f, &server, bytes, sizeof bytes) & (BJ_TCP_SYN | BJ_TCP_FIN | BJ_TCP_RST),
                     BJ_TCP_SYN | BJ_TCP_FIN);
    assert_string_equal(bytes, long_text);
}

/* On a real network the log has the server's side alone: what it received was sent, and whoever ends the connection is
 * the source of the event. */
static void a_connection_of_which_only_the_server_tells(void **state) {
    fixture *f = *state;
    char bytes[10];
    enum { FLAGS = BJ_TCP_SYN | BJ_TCP_FIN | BJ_TCP_RST };
    log_stream(f, BJ_EV_STREAM_OPEN, SERVER, 0, NULL);
    log_stream(f, BJ_EV_STREAM_RECEIVED, SERVER, 0, "hello");
    log_stream(f, BJ_EV_STREAM_SENT, SERVER, 2, "world");
    log_stream(f, BJ_EV_STREAM_RECEIVED, SERVER, 0, "!");
    bj_log_mark mark = bj_log_marked(f->log);
    for (int end = 0; end < 4; end++) {
        bool by_server = end & 1, reset = end & 2;
        bj_log_rewind(f->log, mark);
        bj_log_append(f->log, &(bj_event){ .kind = BJ_EV_STREAM_CLOSED,
                                           .actor = SERVER,
                                           .cause = by_server ? 4 : 0,
                                           .number = 1,
                                           .other = reset ? ECONNRESET : 0,
                                           .from = by_server ? server : client,
                                           .to = by_server ? client : server });
        write_capture(f);
        unsigned last = reset ? BJ_TCP_RST : BJ_TCP_FIN;
        assert_int_equal(read_direction(f, &client, bytes, sizeof bytes) & FLAGS, BJ_TCP_SYN | (by_server ? 0 : last));
        assert_string_equal(bytes, "hello!");
        assert_int_equal(read_direction(f, &server, bytes, sizeof bytes) & FLAGS, BJ_TCP_SYN | (by_server ? last : 0));
        assert_string_equal(bytes, "world");
    }
}

static void a_refused_connection(void **state) {
    fixture *f = *state;
    char bytes[10];
    log_stream(f, BJ_EV_STREAM_OPEN, BJ_ACTOR_CLIENT, 0, NULL);
    bj_log_append(f->log, &(bj_event){ .kind = BJ_EV_STREAM_CLOSED,
                                       .actor = BJ_ACTOR_CLIENT,
                                       .cause = 1,
                                       .number = 1,
                                       .other = ECONNREFUSED,
                                       .from = client,
                                       .to = server });
    write_capture(f);
    assert_int_equal(count_packets(f), 2);
    assert_int_equal(read_direction(f, &client, bytes, sizeof bytes), BJ_TCP_SYN);
    assert_int_equal(read_direction(f, &server, bytes, sizeof bytes), BJ_TCP_RST | BJ_TCP_ACK);
}

/* The reset is that of the side that hung up at once, and of the other one where it comes back later. */
static void who_resets_a_connection(void **state) {
    fixture *f = *state;
    char bytes[10];
    log_stream(f, BJ_EV_STREAM_OPEN, BJ_ACTOR_CLIENT, 0, NULL);
    log_stream(f, BJ_EV_STREAM_OPEN, SERVER, 1, NULL);
    bj_log_mark mark = bj_log_marked(f->log);
    for (int later = 0; later < 2; later++) {
        bj_log_rewind(f->log, mark);
        bj_log_append(f->log, &(bj_event){ .kind = BJ_EV_STREAM_CLOSED,
                                           .actor = SERVER,
                                           .cause = 2,
                                           .number = 1,
                                           .other = ECONNRESET,
                                           .from = client,
                                           .to = server,
                                           .time = later ? BJ_MS : 0 });
        write_capture(f);
        assert_int_equal(!!(read_direction(f, &client, bytes, sizeof bytes) & BJ_TCP_RST), later);
        assert_int_equal(!!(read_direction(f, &server, bytes, sizeof bytes) & BJ_TCP_RST), !later);
    }
}

static void a_file_that_cannot_be_written(void **state) {
    fixture *f = *state;
    BJ_TEXT(why, 200);
    assert_false(bj_capture_write(f->log, "no-such-folder/run.pcapng", &why));
    assert_string_equal(why.start, "no-such-folder/run.pcapng: No such file or directory");
    BJ_TEXT(full, 200);
    if (access("/dev/full", W_OK) == 0) {
        request_sent(f);
        assert_false(bj_capture_write(f->log, "/dev/full", &full));
        assert_non_null(strstr(full.start, "could not be written"));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_no_packet_shows_comes_back),
        TEST(a_strangers_file_says_nothing_beside_its_packets),
        TEST(datagrams_come_back),
        TEST(datagrams_of_every_size_come_back),
        TEST(the_same_log_gives_the_same_bytes),
        TEST(an_empty_log_is_a_capture),
        TEST(the_section_says_what_the_run_was),
        TEST(names_are_in_the_file),
        TEST(what_became_of_a_datagram_is_said),
        TEST(what_is_broken_on_purpose_is_said),
        TEST(a_value_of_another_type_is_said),
        TEST(what_is_whole_is_not_commented),
        TEST(the_step_that_failed_is_said_at_its_packet),
        TEST(without_a_cause_the_last_packet_carries_the_verdict),
        TEST(a_closed_port_answers_with_icmp),
        TEST(a_connection_comes_back),
        TEST(a_connection_of_which_only_the_server_tells),
        TEST(a_refused_connection),
        TEST(who_resets_a_connection),
        TEST(a_file_that_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
