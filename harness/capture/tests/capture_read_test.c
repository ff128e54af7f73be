/* SPDX-License-Identifier: Apache-2.0
 *
 * The reader over every link type, header by header; damaged files and packets; TCP directions with repeated and
 * missing segments.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "capture/capture.h"
#include "capture/stream.h"

enum { ETHERNET = 1, NULL_LOOPBACK = 0, RAW = 101, COOKED = 113, COOKED_2 = 276, WLAN = 105 };

static char file[64];

static int set_up(void **state) {
    (void) state;
    strcpy(file, "capture_read_test-XXXXXX");
    int descriptor = mkstemp(file);
    assert_true(descriptor >= 0);
    close(descriptor);
    return 0;
}

static int tear_down(void **state) {
    (void) state;
    return unlink(file);
}

typedef struct builder {
    uint8_t bytes[512];
    size_t length;
} builder;

static void add(builder *b, const void *bytes, size_t length) {
    assert_true(b->length + length <= sizeof b->bytes);
    memcpy(b->bytes + b->length, bytes, length);
    b->length += length;
}
#define ADD(b, literal) add(b, literal, sizeof(literal) - 1)

static const char udp_and_hello[] = "\x16\x33\xDD\xFE\x00\x0D\x00\x00hello"; /* 5683 > 56830 */

static void add_ipv4(builder *b, const char *protocol, const void *payload, size_t length) {
    uint8_t total[2] = { 0, (uint8_t) (20 + length) };
    ADD(b, "\x45\x00");
    add(b, total, 2);
    ADD(b, "\x00\x00\x40\x00\x40");
    add(b, protocol, 1);
    ADD(b, "\x00\x00\xC0\x00\x02\x0A\xC0\x00\x02\x01");
    add(b, payload, length);
}

static void add_ipv4_udp(builder *b) {
    add_ipv4(b, "\x11", udp_and_hello, sizeof udp_and_hello - 1);
}

static void add_ipv6_addresses(builder *b) {
    ADD(b, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x0a");
    ADD(b, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01");
}

/* A pcap file (not pcapng) with one packet. */
static void write_pcap(uint32_t link, const builder *b) {
    const uint32_t header[] = { 0xA1B2C3D4, 2 | 4 << 16, 0, 0, 262144, link };
    const uint32_t packet[] = { 1700000000, 250000, (uint32_t) b->length, (uint32_t) b->length };
    FILE *out = fopen(file, "wb");
    assert_non_null(out);
    fwrite(header, sizeof header, 1, out);
    fwrite(packet, sizeof packet, 1, out);
    fwrite(b->bytes, b->length, 1, out);
    assert_int_equal(fclose(out), 0);
}

/* Two packets. */
static void write_pcaps(uint32_t link, const builder *first, const builder *second) {
    const uint32_t header[] = { 0xA1B2C3D4, 2 | 4 << 16, 0, 0, 262144, link };
    const builder *both[] = { first, second };
    FILE *out = fopen(file, "wb");
    assert_non_null(out);
    fwrite(header, sizeof header, 1, out);
    for (unsigned i = 0; i < 2; i++) {
        const uint32_t packet[] = { 1700000000 + i, 0, (uint32_t) both[i]->length, (uint32_t) both[i]->length };
        fwrite(packet, sizeof packet, 1, out);
        fwrite(both[i]->bytes, both[i]->length, 1, out);
    }
    assert_int_equal(fclose(out), 0);
}

/* The one packet; its data is copied to `data`. */
static bj_packet read_pcap(uint32_t link, const builder *b, char data[512]) {
    BJ_TEXT(why, 200);
    bj_packet p;
    write_pcap(link, b);
    bj_capture *capture = bj_capture_open(&(bj_capture_source){ .name = file }, &why);
    assert_non_null(capture);
    assert_int_equal(bj_capture_next(capture, &p, &why), 1);
    memcpy(data, p.length ? (const char *) p.data : "", p.length);
    data[p.length] = '\0';
    bj_packet end;
    assert_int_equal(bj_capture_next(capture, &end, &why), 0);
    bj_capture_close(capture);
    return p;
}

static void assert_hello(uint32_t link, const builder *b, const char *from) {
    char data[512];
    BJ_TEXT(text, 64);
    bj_packet p = read_pcap(link, b, data);
    assert_int_equal(p.kind, BJ_PACKET_UDP);
    assert_string_equal(data, "hello");
    assert_true(p.time == UINT64_C(1700000000250000));
    bj_addr_print(&text, &p.from);
    assert_string_equal(text.start, from);
}

static void assert_other(const builder *b) {
    char data[512];
    assert_int_equal(read_pcap(ETHERNET, b, data).kind, BJ_PACKET_OTHER);
}

static void every_link_type(void **state) {
    (void) state;
    builder ethernet = { 0 };
    ADD(&ethernet, "\1\2\3\4\5\6\1\2\3\4\5\7\x08\x00");
    add_ipv4_udp(&ethernet);
    ADD(&ethernet, "\0\0\0\0\0\0"); /* Ethernet's padding is not the datagram's */
    assert_hello(ETHERNET, &ethernet, "192.0.2.10:5683");
    builder vlan = { 0 };
    ADD(&vlan, "\1\2\3\4\5\6\1\2\3\4\5\7\x88\xA8\x00\x01\x81\x00\x00\x02\x08\x00");
    add_ipv4_udp(&vlan);
    assert_hello(ETHERNET, &vlan, "192.0.2.10:5683");
    builder cooked = { 0 };
    ADD(&cooked, "\0\0\0\1\0\6\1\2\3\4\5\6\0\0\x08\x00");
    add_ipv4_udp(&cooked);
    assert_hello(COOKED, &cooked, "192.0.2.10:5683");
    builder cooked_2 = { 0 };
    ADD(&cooked_2, "\x08\x00\0\0\0\0\0\1\0\1\0\6\1\2\3\4\5\6\0\0");
    add_ipv4_udp(&cooked_2);
    assert_hello(COOKED_2, &cooked_2, "192.0.2.10:5683");
    builder loopback = { 0 };
    ADD(&loopback, "\2\0\0\0");
    add_ipv4_udp(&loopback);
    assert_hello(NULL_LOOPBACK, &loopback, "192.0.2.10:5683");
    builder raw = { 0 };
    add_ipv4_udp(&raw);
    assert_hello(RAW, &raw, "192.0.2.10:5683");
}

static void ipv6_and_its_extension_headers(void **state) {
    (void) state;
    builder plain = { 0 };
    ADD(&plain, "\x60\0\0\0\0\x0D\x11\x40");
    add_ipv6_addresses(&plain);
    ADD(&plain, udp_and_hello);
    assert_hello(RAW, &plain, "[2001:db8::a]:5683");
    builder extended = { 0 };
    ADD(&extended, "\x60\0\0\0\0\x25\0\x40");
    add_ipv6_addresses(&extended);
    ADD(&extended, "\x3C\0\0\0\0\0\0\0");                 /* Hop-by-Hop, then Destination Options of 16 bytes */
    ADD(&extended, "\x11\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0"); /* then UDP */
    ADD(&extended, udp_and_hello);
    assert_hello(RAW, &extended, "[2001:db8::a]:5683");
}

static void ipv4_options_are_passed_over(void **state) {
    (void) state;
    builder b = { 0 };
    ADD(&b, "\x46\x00\x00\x25\x00\x00\x40\x00\x40\x11\x00\x00\xC0\x00\x02\x0A\xC0\x00\x02\x01\x01\x01\x01\x01");
    ADD(&b, udp_and_hello);
    assert_hello(RAW, &b, "192.0.2.10:5683");
}

static void what_is_no_udp_or_tcp_is_other(void **state) {
    (void) state;
    builder arp = { 0 };
    ADD(&arp, "\1\2\3\4\5\6\1\2\3\4\5\7\x08\x06\0\1");
    assert_other(&arp);
    builder icmp = { 0 };
    ADD(&icmp, "\1\2\3\4\5\6\1\2\3\4\5\7\x08\x00");
    add_ipv4(&icmp, "\x01", "\x03\x03\0\0\0\0\0\0", 8);
    assert_other(&icmp);
    builder fragment = { 0 };
    ADD(&fragment, "\1\2\3\4\5\6\1\2\3\4\5\7\x08\x00");
    add_ipv4_udp(&fragment);
    fragment.bytes[14 + 7] = 5;
    assert_other(&fragment);
}

/* --- fragments ------------------------------------------------------------------------------------------------ */

/* A piece of the datagram that carries "hello": bytes `at` to `end` of what stands behind the IP header. */
static void add_fragment_v4(builder *b, size_t at, size_t end) {
    add_ipv4(b, "\x11", udp_and_hello + at, end - at);
    b->bytes[4] = 0x12;
    b->bytes[6] = end < sizeof udp_and_hello - 1 ? 0x20 : 0;
    b->bytes[7] = (uint8_t) (at / 8);
}

static void add_fragment_v6(builder *b, size_t at, size_t end) {
    size_t length = 8 + end - at;
    uint8_t head[8] = { 0x60, 0, 0, 0, 0, (uint8_t) length, 44, 64 };
    uint8_t fragment[8] = { 17, 0, 0, (uint8_t) (at | (end < sizeof udp_and_hello - 1)), 0, 0, 0, 7 };
    add(b, head, sizeof head);
    add_ipv6_addresses(b);
    add(b, fragment, sizeof fragment);
    add(b, udp_and_hello + at, end - at);
}

static void assert_fragments(const builder *first, const builder *second) {
    char text[8] = "";
    write_pcaps(RAW, first, second);
    BJ_TEXT(why, 200);
    bj_packet p;
    bj_capture *capture = bj_capture_open(&(bj_capture_source){ .name = file }, &why);
    assert_int_equal(bj_capture_next(capture, &p, &why), 1);
    assert_int_equal(p.kind, BJ_PACKET_OTHER);
    assert_string_equal(p.why, BJ_PACKET_FRAGMENT);
    assert_int_equal(bj_capture_next(capture, &p, &why), 1);
    assert_int_equal(p.kind, BJ_PACKET_UDP);
    assert_int_equal(p.frame, 2);
    assert_int_equal(p.length, 5);
    memcpy(text, p.data, 5);
    assert_string_equal(text, "hello");
    assert_int_equal(bj_capture_next(capture, &p, &why), 0);
    bj_capture_close(capture);
}

static void fragments_become_a_datagram_in_any_order(void **state) {
    (void) state;
    const size_t all = sizeof udp_and_hello - 1;
    builder first = { 0 }, second = { 0 }, first_v6 = { 0 }, second_v6 = { 0 };
    add_fragment_v4(&first, 0, 8);
    add_fragment_v4(&second, 8, all);
    assert_fragments(&first, &second);
    assert_fragments(&second, &first);
    add_fragment_v6(&first_v6, 0, 8);
    add_fragment_v6(&second_v6, 8, all);
    assert_fragments(&first_v6, &second_v6);
    assert_fragments(&second_v6, &first_v6);
}

static void an_error_of_icmp_says_which_datagram_met_it(void **state) {
    (void) state;
    char data[512];
    builder quoted = { 0 }, b = { 0 };
    BJ_TEXT(from, 64);
    add_ipv4_udp(&quoted);
    uint8_t icmp[8 + 512] = { 3, 3 };
    memcpy(icmp + 8, quoted.bytes, quoted.length);
    add_ipv4(&b, "\x01", icmp, 8 + quoted.length);
    bj_packet p = read_pcap(RAW, &b, data);
    assert_int_equal(p.kind, BJ_PACKET_ICMP);
    bj_addr_print(&from, &p.quoted_from);
    assert_string_equal(from.start, "192.0.2.10:5683");
    assert_string_equal(data, "hello");
}

static void what_gzip_has_packed(void **state) {
    (void) state;
    builder b = { 0 };
    add_ipv4_udp(&b);
    write_pcap(RAW, &b);
    uint8_t bytes[1024];
    FILE *in = fopen(file, "rb");
    size_t length = fread(bytes, 1, sizeof bytes, in);
    fclose(in);
    gzFile out = gzopen(file, "wb");
    assert_int_equal(gzwrite(out, bytes, (unsigned) length), (int) length);
    gzclose(out);
    BJ_TEXT(why, 200);
    bj_packet p;
    bj_capture *capture = bj_capture_open(&(bj_capture_source){ .name = file }, &why);
    assert_non_null(capture);
    assert_int_equal(bj_capture_next(capture, &p, &why), 1);
    assert_memory_equal(p.data, "hello", 5);
    assert_int_equal(bj_capture_next(capture, &p, &why), 0);
    bj_capture_close(capture);
}

/* Reads `count` packets, each of which says hello, and then what `end` says: 0, or -1, damage. */
static void assert_hellos(const bj_capture_source *source, unsigned count, int end) {
    BJ_TEXT(why, 200);
    bj_packet p;
    bj_capture *capture = bj_capture_open(source, &why);
    assert_non_null(capture);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(bj_capture_next(capture, &p, &why), 1);
        assert_int_equal(p.length, 5);
        assert_memory_equal(p.data, "hello", 5);
    }
    assert_int_equal(bj_capture_next(capture, &p, &why), end);
    bj_capture_close(capture);
}

static size_t contents(uint8_t bytes[1024]) {
    FILE *in = fopen(file, "rb");
    assert_non_null(in);
    size_t length = fread(bytes, 1, 1024, in);
    fclose(in);
    return length;
}

/* With exactly as much memory as the capture has, so that AddressSanitizer sees what reads behind it. */
static void assert_hellos_in_memory(const uint8_t *bytes, size_t length, unsigned count, int end) {
    uint8_t *copy = malloc(length);
    assert_non_null(copy);
    memcpy(copy, bytes, length);
    assert_hellos(&(bj_capture_source){ .name = "memory", .bytes = copy, .length = length }, count, end);
    free(copy);
}

static void a_capture_in_memory(void **state) {
    (void) state;
    uint8_t bytes[1024];
    builder b = { 0 };
    add_ipv4_udp(&b);
    write_pcap(RAW, &b);
    size_t length = contents(bytes);
    assert_hellos_in_memory(bytes, length, 1, 0);
    assert_hellos_in_memory(bytes, length - 1, 0, -1);
    assert_hellos_in_memory(bytes, 24 + 15, 0, -1);
    assert_hellos_in_memory(bytes, 24, 0, 0);
}

static void add_member(const void *bytes, size_t length, const char *mode) {
    gzFile out = gzopen(file, mode);
    assert_int_equal(gzwrite(out, bytes, (unsigned) length), (int) length);
    assert_int_equal(gzclose(out), Z_OK);
}

static void what_gzip_has_packed_in_several_members(void **state) {
    (void) state;
    uint8_t bytes[1024];
    builder b = { 0 };
    add_ipv4_udp(&b);
    write_pcap(RAW, &b);
    size_t length = contents(bytes);
    add_member(bytes, 30, "wb");
    add_member(bytes + 30, length - 30, "ab");
    add_member(bytes + 24, length - 24, "ab"); /* the packet again */
    length = contents(bytes);
    memset(bytes + length, 'x', 5); /* what is behind it is not the capture's */
    assert_hellos(&(bj_capture_source){ .name = file }, 2, 0);
    assert_hellos_in_memory(bytes, length, 2, 0);
    assert_hellos_in_memory(bytes, length + 5, 2, 0);
    assert_hellos_in_memory(bytes, length - 20, 1, -1); /* cut */
    bytes[length - 8] ^= 0xFF;                          /* the checksum of the last member */
    assert_hellos_in_memory(bytes, length, 2, -1);
}

/* --- what pcap files have been -------------------------------------------------------------------------------- */

static uint32_t turned(uint32_t number, bool turn) {
    return turn ? __builtin_bswap32(number) : number;
}

typedef struct old_file {
    uint32_t magic;
    unsigned major, minor;
    bool turn;       /* the other byte order */
    unsigned behind; /* bytes behind the packet's lengths */
    uint32_t snapshot, captured, length;
} old_file;

static size_t write_old(uint8_t bytes[1024], const old_file *f) {
    uint32_t version = f->turn ? f->major << 16 | f->minor : f->minor << 16 | f->major;
    const uint32_t head[] = { f->magic, version, 0, 0, f->snapshot, RAW, 1700000000, 250000, f->captured, f->length };
    builder b = { 0 };
    add_ipv4_udp(&b);
    memset(bytes, 0, 1024);
    for (unsigned i = 0; i < 10; i++) {
        uint32_t number = turned(head[i], f->turn);
        memcpy(bytes + 4 * (size_t) i, &number, 4);
    }
    memcpy(bytes + 40 + f->behind, b.bytes, b.length);
    return 40 + f->behind + b.length;
}

static void assert_old(old_file f, uint64_t microseconds) {
    uint8_t bytes[1024];
    BJ_TEXT(why, 200);
    bj_packet p;
    for (int turn = 0; turn <= 1; turn++) {
        f.turn = turn;
        size_t length = write_old(bytes, &f);
        bj_capture *capture =
            bj_capture_open(&(bj_capture_source){ .name = "old", .bytes = bytes, .length = length }, &why);
        assert_non_null(capture);
        assert_int_equal(bj_capture_next(capture, &p, &why), 1);
        assert_int_equal(p.time, UINT64_C(1700000000000000) + microseconds);
        assert_memory_equal(p.data, "hello", 5);
        assert_int_equal(bj_capture_next(capture, &p, &why), 0);
        bj_capture_close(capture);
    }
}

static void pcap_of_every_kind(void **state) {
    (void) state;
    enum { ALL = 33 };
    assert_old((old_file){ 0xA1B2C3D4, 2, 4, .snapshot = 65535, .captured = ALL, .length = 40 }, 250000);
    assert_old((old_file){ 0xA1B23C4D, 2, 4, .snapshot = 0, .captured = ALL, .length = 40 }, 250);
    assert_old((old_file){ 0xA1B2CD34, 2, 4, .behind = 8, .snapshot = 65535, .captured = ALL, .length = 40 }, 250000);
    assert_old((old_file){ 0xA1B2C3D4, 2, 3, .snapshot = 65535, .captured = 40, .length = ALL }, 250000);
    assert_old((old_file){ 0xA1B2C3D4, 2, 3, .snapshot = 65535, .captured = ALL, .length = 40 }, 250000);
    assert_old((old_file){ 0xA1B2C3D4, 2, 2, .snapshot = 65535, .captured = 40, .length = ALL }, 250000);
}

static void assert_no_pcap(old_file f, const char *reason) {
    uint8_t bytes[1024];
    BJ_TEXT(why, 200);
    size_t length = write_old(bytes, &f);
    assert_null(bj_capture_open(&(bj_capture_source){ .name = "old", .bytes = bytes, .length = length }, &why));
    assert_non_null(strstr(why.start, reason));
}

static void pcap_that_is_none(void **state) {
    (void) state;
    assert_no_pcap((old_file){ 0xA1B2C3D5, 2, 4, .captured = 33, .length = 33 }, "neither as pcap nor as pcapng");
    assert_no_pcap((old_file){ 0xA1B2C3D4, 2, 5, .captured = 33, .length = 33 }, "version 2.5");
    assert_no_pcap((old_file){ 0xA1B2C3D4, 1, 4, .captured = 33, .length = 33 }, "version 1.4");
    uint8_t bytes[1024];
    write_old(bytes, &(old_file){ 0xA1B2C3D4, 2, 4, .snapshot = 65535, .captured = 1 << 20, .length = 1 << 20 });
    assert_hellos_in_memory(bytes, sizeof bytes, 0, -1);
}

/* A packet of which the file holds more than its snapshot length: that much counts. */
static void a_packet_beyond_the_snapshot_length(void **state) {
    (void) state;
    uint8_t bytes[1024];
    BJ_TEXT(why, 200);
    bj_packet p;
    size_t length = write_old(bytes, &(old_file){ 0xA1B2C3D4, 2, 4, .snapshot = 31, .captured = 33, .length = 33 });
    bj_capture *capture =
        bj_capture_open(&(bj_capture_source){ .name = "old", .bytes = bytes, .length = length }, &why);
    assert_non_null(capture);
    assert_int_equal(bj_capture_next(capture, &p, &why), 1);
    assert_int_equal(p.length, 3);
    assert_int_equal(p.full_length, 5);
    assert_int_equal(bj_capture_next(capture, &p, &why), 0);
    bj_capture_close(capture);
}

static void a_datagram_that_is_cut_says_how_long_it_was(void **state) {
    (void) state;
    char data[512];
    builder b = { 0 };
    add_ipv4_udp(&b);
    b.length -= 2;
    bj_packet p = read_pcap(RAW, &b, data);
    assert_int_equal(p.length, 3);
    assert_int_equal(p.full_length, 5);
}

static void a_tcp_segment(void **state) {
    (void) state;
    char data[512];
    builder b = { 0 };
    add_ipv4(&b, "\x06", "\x16\x33\xDD\xFE\x01\x02\x03\x04\0\0\0\0\x60\x18\xFF\xFF\0\0\0\0\1\1\1\1hi", 26);
    bj_packet p = read_pcap(RAW, &b, data);
    assert_int_equal(p.kind, BJ_PACKET_TCP);
    assert_int_equal(p.tcp_sequence, 0x01020304);
    assert_int_equal(p.tcp_flags, 0x18);
    assert_string_equal(data, "hi");
}

/* Whatever is cut or changed: read, or OTHER; never outside of the packet (AddressSanitizer looks). */
static void damaged_packets_are_survived(void **state) {
    (void) state;
    static const uint32_t links[] = { ETHERNET, COOKED, COOKED_2, NULL_LOOPBACK, RAW };
    char data[512];
    builder whole = { 0 };
    ADD(&whole, "\1\2\3\4\5\6\1\2\3\4\5\7\x86\xDD\x60\0\0\0\0\x25\0\x40");
    add_ipv6_addresses(&whole);
    ADD(&whole, "\x3C\0\0\0\0\0\0\0\x11\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    ADD(&whole, udp_and_hello);
    for (size_t cut = 0; cut < whole.length; cut++) {
        builder part = whole;
        part.length = cut;
        read_pcap(links[cut % 5], &part, data);
    }
    for (size_t at = 0; at < whole.length; at++) {
        builder changed = whole;
        changed.bytes[at] ^= 0xFF;
        bj_packet p = read_pcap(ETHERNET, &changed, data);
        assert_true(p.length <= whole.length);
    }
}

/* --- files ---------------------------------------------------------------------------------------------------- */

static void assert_refused(const char *path, const char *reason) {
    BJ_TEXT(why, 300);
    assert_null(bj_capture_open(&(bj_capture_source){ .name = path }, &why));
    assert_non_null(strstr(why.start, reason));
    assert_non_null(strstr(why.start, path));
}

static void files_that_cannot_be_read(void **state) {
    (void) state;
    assert_refused("no-such-file.pcapng", "No such file");
    assert_refused(file, "not a capture");
    builder b = { 0 };
    write_pcap(WLAN, &b);
    assert_refused(file, "link type 105 (IEEE802_11)");
}

static void a_file_that_ends_inside_a_packet(void **state) {
    (void) state;
    BJ_TEXT(why, 200);
    bj_packet p;
    builder b = { 0 };
    add_ipv4_udp(&b);
    write_pcap(RAW, &b);
    assert_int_equal(truncate(file, 24 + 16 + 10), 0);
    bj_capture *capture = bj_capture_open(&(bj_capture_source){ .name = file }, &why);
    assert_non_null(capture);
    assert_int_equal(bj_capture_next(capture, &p, &why), -1);
    assert_non_null(strstr(why.start, "damaged after frame 0"));
    bj_capture_close(capture);
}

/* --- TCP directions ------------------------------------------------------------------------------------------- */

static bj_stream *take(bj_streams *streams, uint32_t sequence, unsigned flags, const char *text) {
    bj_packet p = { .kind = BJ_PACKET_TCP,
                    .from = { 4, { 1 }, 1 },
                    .to = { 4, { 2 }, 2 },
                    .tcp_sequence = sequence,
                    .tcp_flags = (uint8_t) flags,
                    .data = (const uint8_t *) text,
                    .length = strlen(text) };
    return bj_streams_take(streams, &p);
}

static void assert_bytes(const bj_stream *s, const char *text) {
    assert_int_equal(s->length, strlen(text));
    assert_memory_equal(s->length ? (const char *) s->bytes : "", text, s->length);
}

static void segments_in_order_and_repeated(void **state) {
    (void) state;
    bj_streams streams = { 0 };
    take(&streams, UINT32_MAX - 3, BJ_TCP_SYN, "");
    assert_bytes(take(&streams, UINT32_MAX - 2, 0, "abcd"), "abcd"); /* the numbers wrap in here */
    assert_bytes(take(&streams, 1, 0, "ef"), "abcdef");
    assert_bytes(take(&streams, UINT32_MAX - 2, 0, "abcd"), "abcdef");
    bj_stream *s = take(&streams, 1, 0, "efgh");
    assert_bytes(s, "abcdefgh");
    bj_stream_consume(s, 3);
    assert_bytes(s, "defgh");
    assert_false(s->lost);
    bj_streams_free(&streams);
}

static void a_gap_loses_the_direction_until_it_begins_anew(void **state) {
    (void) state;
    bj_streams streams = { 0 };
    take(&streams, 100, BJ_TCP_SYN, "");
    take(&streams, 101, 0, "ab");
    bj_stream *s = take(&streams, 110, 0, "cd");
    assert_true(s->waits);
    for (unsigned i = 0; i < BJ_STREAM_EARLY; i++) {
        s = take(&streams, 112 + 2 * i, 0, "ef");
    }
    assert_true(s->lost);
    assert_false(s->waits);
    s = take(&streams, 500, BJ_TCP_SYN, "");
    assert_false(s->lost);
    assert_bytes(take(&streams, 501, 0, "gh"), "gh");
    bj_streams_free(&streams);
}

static void segments_out_of_order(void **state) {
    (void) state;
    bj_streams streams = { 0 };
    take(&streams, UINT32_MAX - 3, BJ_TCP_SYN, "");
    assert_bytes(take(&streams, 2, 0, "gh"), "");
    assert_bytes(take(&streams, 0, 0, "ef"), ""); /* the numbers wrap in here */
    bj_stream *s = take(&streams, UINT32_MAX - 2, 0, "abc");
    assert_bytes(s, "abcefgh");
    assert_false(s->waits || s->lost);
    bj_packet end = { .from = s->from, .to = s->to };
    bj_streams_forget(&streams, &end);
    assert_bytes(take(&streams, 7, 0, "x"), "x");
    bj_streams_free(&streams);
}

static void a_connection_that_began_before_the_capture(void **state) {
    (void) state;
    bj_streams streams = { 0 };
    assert_bytes(take(&streams, 7000, BJ_TCP_ACK, "ab"), "ab");
    bj_streams_free(&streams);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(every_link_type),
        TEST(ipv6_and_its_extension_headers),
        TEST(ipv4_options_are_passed_over),
        TEST(what_is_no_udp_or_tcp_is_other),
        TEST(fragments_become_a_datagram_in_any_order),
        TEST(an_error_of_icmp_says_which_datagram_met_it),
        TEST(what_gzip_has_packed),
        TEST(a_datagram_that_is_cut_says_how_long_it_was),
        TEST(a_tcp_segment),
        TEST(a_capture_in_memory),
        TEST(what_gzip_has_packed_in_several_members),
        TEST(pcap_of_every_kind),
        TEST(pcap_that_is_none),
        TEST(a_packet_beyond_the_snapshot_length),
        TEST(damaged_packets_are_survived),
        TEST(files_that_cannot_be_read),
        TEST(a_file_that_ends_inside_a_packet),
        cmocka_unit_test(segments_in_order_and_repeated),
        cmocka_unit_test(a_gap_loses_the_direction_until_it_begins_anew),
        cmocka_unit_test(segments_out_of_order),
        cmocka_unit_test(a_connection_that_began_before_the_capture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
