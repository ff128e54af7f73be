/* SPDX-License-Identifier: Apache-2.0
 *
 * `bootjack decode`: the CoAP messages of a capture on standard output. What is CoAP is known by ports: the registered
 * ones, those that are given, and every UDP endpoint that has spoken with one of them.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/capture.h"
#include "capture/readable.h"
#include "capture/stream.h"
#include "wire/coap.h"

enum { PORTS = 64, ENDPOINTS = 256, EXCHANGES = 256, EXIT_CANNOT = 2, EXIT_USAGE = 64 };

/* A request that was seen, so that its response is read by its path. */
typedef struct exchange {
    bj_addr from;
    bj_addr to;
    uint8_t token_length;
    uint8_t token[BJ_COAP_TOKEN];
    char path[256];
} exchange;

typedef struct decoder {
    const char *file;
    bool json;
    uint16_t ports[PORTS];
    size_t port_count;
    bj_addr endpoints[ENDPOINTS];
    size_t endpoint_count;
    exchange exchanges[EXCHANGES];
    size_t exchange_count;
    bj_streams streams;
    uint64_t first_time;
    unsigned printed;
} decoder;

/* --- what is CoAP --------------------------------------------------------------------------------------------- */

static bool is_coap_port(const decoder *d, uint16_t port) {
    for (size_t i = 0; i < d->port_count; i++) {
        if (d->ports[i] == port) {
            return true;
        }
    }
    return false;
}

static bool is_coap_endpoint(const decoder *d, const bj_addr *addr) {
    for (size_t i = 0; i < d->endpoint_count && i < ENDPOINTS; i++) {
        if (bj_addr_equal(&d->endpoints[i], addr)) {
            return true;
        }
    }
    return is_coap_port(d, addr->port);
}

static void learn_endpoint(decoder *d, const bj_addr *addr) {
    if (!is_coap_endpoint(d, addr)) {
        d->endpoints[d->endpoint_count++ % ENDPOINTS] = *addr;
    }
}

/* A DTLS record of 1.0, 1.2 or (by its version field) 1.3 starts here (RFC 6347 4.1). */
static bool is_dtls(const bj_packet *packet) {
    const uint8_t *b = packet->data;
    return packet->length >= 13 && b[0] >= 20 && b[0] <= 25 && b[1] == 0xFE && b[2] >= 0xFC;
}

/* On a port that nobody named: does a Bootstrap-Request or a Register begin a conversation here (LwM2M Core 1.1
 * §6.1.7.1, §6.2.1)? Random bytes hardly look so. */
static bool begins_lwm2m(const bj_packet *packet) {
    bj_coap message;
    BJ_TEXT(path, 32);
    const bj_coap_option *query;
    if (bj_coap_decode(&message, packet->data, packet->length) || message.code != BJ_COAP_CODE(0, 2)) {
        return false;
    }
    bj_coap_path(&message, BJ_COAP_URI_PATH, &path);
    if (strcmp(path.start, "/bs") != 0 && strcmp(path.start, "/rd") != 0) {
        return false;
    }
    for (size_t i = 0; (query = bj_coap_find(&message, BJ_COAP_URI_QUERY, i)); i++) {
        if (query->length > 3 && !memcmp(query->value, "ep=", 3)) {
            return true;
        }
    }
    return false;
}

static bool is_tls(const uint8_t *bytes, size_t length) {
    return length >= 5 && bytes[0] >= 20 && bytes[0] <= 24 && bytes[1] == 3 && bytes[2] <= 4;
}

/* --- printing ------------------------------------------------------------------------------------------------- */

static void remember_request(decoder *d, const bj_packet *packet, const bj_coap *message) {
    exchange *x = &d->exchanges[d->exchange_count++ % EXCHANGES];
    *x = (exchange){ .from = packet->from, .to = packet->to, .token_length = message->token_length };
    memcpy(x->token, message->token, sizeof x->token);
    bj_text path = bj_text_over(x->path, sizeof x->path);
    bj_coap_path(message, BJ_COAP_URI_PATH, &path);
}

/* The path of the latest request that this response answers; NULL. */
static const char *path_of_response(const decoder *d, const bj_packet *packet, const bj_coap *message) {
    size_t known = d->exchange_count < EXCHANGES ? d->exchange_count : EXCHANGES;
    for (size_t i = 1; i <= known; i++) {
        const exchange *x = &d->exchanges[(d->exchange_count - i) % EXCHANGES];
        if (x->token_length == message->token_length && !memcmp(x->token, message->token, x->token_length) &&
            bj_addr_equal(&x->from, &packet->to) && bj_addr_equal(&x->to, &packet->from)) {
            return x->path;
        }
    }
    return NULL;
}

static void print_line_start(decoder *d, const bj_packet *packet) {
    BJ_TEXT(from, 64);
    BJ_TEXT(to, 64);
    bj_addr_print(&from, &packet->from);
    bj_addr_print(&to, &packet->to);
    if (d->json) {
        printf("{\"frame\":%" PRIu32 ",\"time\":%" PRIu64 ".%06" PRIu64 ",\"src\":\"%s\",\"dst\":\"%s\"", packet->frame,
               packet->time / BJ_SECOND, packet->time % BJ_SECOND, from.start, to.start);
    } else {
        uint64_t since = packet->time - d->first_time;
        printf("%5" PRIu32 " %4" PRIu64 ".%06" PRIu64 " %s > %s  ", packet->frame, since / BJ_SECOND, since % BJ_SECOND,
               from.start, to.start);
    }
    d->printed++;
}

/* A line about a packet that is no readable CoAP. */
static void print_said(decoder *d, const bj_packet *packet, const char *transport, const char *kind, const char *said) {
    print_line_start(d, packet);
    if (d->json) {
        printf(",\"transport\":\"%s\",\"%s\":\"%s\"}\n", transport, kind, said);
    } else {
        puts(said);
    }
}

static void print_message_text(decoder *d, const bj_packet *packet, const bj_coap *message, bj_coap_fault fault,
                               bj_text *text) {
    const char *path = bj_coap_is_response(message->code) ? path_of_response(d, packet, message) : NULL;
    if (fault) {
        bj_text_printf(text, "not well-formed: %s: ", bj_coap_fault_text(fault));
    }
    bj_coap_print_at(text, message, path);
    bj_print_readable(stdout, text->start);
    putchar('\n');
}

static bool print_message(decoder *d, const bj_packet *packet, const char *transport, const bj_coap *message,
                          bj_coap_fault fault, size_t length) {
    /* The most that a byte becomes in JSON: an entry of TLV has two bytes and makes some sixty. */
    size_t room = 48 * length + 65536;
    char *bytes = malloc(room);
    if (!bytes) {
        return false;
    }
    bj_text text = bj_text_over(bytes, room);
    print_line_start(d, packet);
    if (d->json) {
        bj_coap_json(&text, message, fault);
        printf(",\"transport\":\"%s\",\"coap\":%s}\n", transport, text.start);
    } else {
        print_message_text(d, packet, message, fault, &text);
    }
    if (!fault && bj_coap_is_request(message->code)) {
        remember_request(d, packet, message);
    }
    free(bytes);
    return true;
}

static bool decode_udp(decoder *d, const bj_packet *packet) {
    static const char *const records[] = { "change cipher spec", "alert",     "handshake",
                                           "application data",   "heartbeat", "tls12_cid" };
    if (is_dtls(packet)) {
        BJ_TEXT(said, 80);
        bj_text_printf(&said, "encrypted: DTLS %s, %zu bytes", records[packet->data[0] - 20], packet->length);
        print_said(d, packet, "dtls", "encrypted", said.start);
        return true;
    }
    if (!is_coap_endpoint(d, &packet->from) && !is_coap_endpoint(d, &packet->to) && !begins_lwm2m(packet)) {
        return true;
    }
    learn_endpoint(d, &packet->from);
    learn_endpoint(d, &packet->to);
    if (packet->length < packet->full_length) {
        print_said(d, packet, "udp", "cut", "the capture holds only a part of this datagram");
        return true;
    }
    bj_coap message;
    bj_coap_fault fault = bj_coap_decode(&message, packet->data, packet->length);
    return print_message(d, packet, "udp", &message, fault, packet->length);
}

static bool decode_tcp(decoder *d, const bj_packet *packet) {
    if (!is_coap_port(d, packet->from.port) && !is_coap_port(d, packet->to.port)) {
        return true;
    }
    bj_stream *stream = bj_streams_take(&d->streams, packet);
    if (!stream) {
        return false;
    }
    if (stream->lost || (stream->waits && packet->length)) {
        if (packet->length) {
            print_said(d, packet, "tcp", "gap",
                       stream->lost ? "bytes are missing before this segment: the rest is not decoded"
                                    : "bytes before this segment are missing so far");
        }
        return true;
    }
    if (is_tls(stream->bytes, stream->length)) {
        print_said(d, packet, "tls", "encrypted", "encrypted: TLS");
        bj_stream_consume(stream, stream->length);
        return true;
    }
    size_t frame;
    while ((frame = bj_coap_tcp_frame(stream->bytes, stream->length)) && frame <= stream->length) {
        bj_coap message;
        bj_coap_fault fault = bj_coap_tcp_decode(&message, stream->bytes, frame);
        if (!print_message(d, packet, "tcp", &message, fault, frame)) {
            return false;
        }
        bj_stream_consume(stream, frame);
    }
    return true;
}

/* --- the command ---------------------------------------------------------------------------------------------- */

static int decode_capture(decoder *d, bj_capture *capture) {
    BJ_TEXT(why, 300);
    bj_packet packet;
    int got;
    while ((got = bj_capture_next(capture, &packet, &why)) == 1) {
        d->first_time = packet.frame == 1 ? packet.time : d->first_time;
        bool ok = packet.kind == BJ_PACKET_UDP   ? decode_udp(d, &packet)
                  : packet.kind == BJ_PACKET_TCP ? decode_tcp(d, &packet)
                                                 : true;
        if (!ok) {
            fputs("bootjack: out of memory\n", stderr);
            return EXIT_CANNOT;
        }
    }
    if (got < 0) {
        fflush(stdout);
        fprintf(stderr, "bootjack: %s: %s\n", d->file, why.start);
        return EXIT_CANNOT;
    }
    if (!d->printed) {
        fprintf(stderr, "bootjack: %s: no CoAP found; --port says which other ports carry it\n", d->file);
    }
    return 0;
}

static int decode_file(decoder *d) {
    BJ_TEXT(why, 500);
    bj_capture *capture = bj_capture_open(&(bj_capture_source){ .name = d->file }, &why);
    if (!capture) {
        fprintf(stderr, "bootjack: %s\n", why.start);
        return EXIT_CANNOT;
    }
    int status = decode_capture(d, capture);
    bj_capture_close(capture);
    bj_streams_free(&d->streams);
    if (fflush(stdout) != 0) {
        perror("bootjack: standard output");
        return EXIT_CANNOT;
    }
    return status;
}

static void print_help(FILE *out) {
    fputs("usage: bootjack decode [--json] [--port N]... FILE\n"
          "\n"
          "Prints every CoAP message of a capture (pcap or pcapng): frame, time since the first frame, source,\n"
          "destination, message. Secrets of bootstrap payloads are shown by their length.\n"
          "\n"
          "  --json     one JSON object a line; nothing is hidden\n"
          "  --port N   a further port that carries CoAP, beside 5683, 5685 and 56830; may be repeated\n"
          "  --help     this text\n"
          "\n"
          "UDP endpoints that speak with a CoAP port, or send a Bootstrap-Request or Register, are taken for CoAP\n"
          "everywhere. DTLS and TLS are not decrypted.\n"
          "\n"
          "Exit status: 0 done, 2 the file is missing, damaged or no capture, 64 wrong usage.\n",
          out);
}

static int wrong_usage(const char *what, const char *about) {
    fprintf(stderr, "bootjack decode: %s%s\n", what, about);
    print_help(stderr);
    return EXIT_USAGE;
}

static bool add_port(decoder *d, const char *text) {
    char *end;
    unsigned long port = strtoul(text, &end, 10);
    if (end == text || *end || port == 0 || port > UINT16_MAX || d->port_count == PORTS) {
        return false;
    }
    d->ports[d->port_count++] = (uint16_t) port;
    return true;
}

/* Fills in the decoder; -1 = go on, else the exit status. */
static int read_arguments(decoder *d, int argc, char **argv) {
    bool options_end = false;
    for (int i = 1; i < argc; i++) {
        const char *argument = argv[i];
        if (options_end || argument[0] != '-') {
            if (d->file) {
                return wrong_usage("more than one file: ", argument);
            }
            d->file = argument;
        } else if (!strcmp(argument, "--")) {
            options_end = true;
        } else if (!strcmp(argument, "--help")) {
            print_help(stdout);
            return 0;
        } else if (!strcmp(argument, "--json")) {
            d->json = true;
        } else if (!strncmp(argument, "--port", 6) && (!argument[6] || argument[6] == '=')) {
            const char *value = argument[6] ? argument + 7 : i + 1 < argc ? argv[++i] : "";
            if (!add_port(d, value)) {
                return wrong_usage("not a port: ", value);
            }
        } else {
            return wrong_usage("unknown option ", argument);
        }
    }
    return d->file ? -1 : wrong_usage("a capture file is needed", "");
}

int bj_decode_main(int argc, char **argv) {
    decoder *d = calloc(1, sizeof *d);
    if (!d) {
        fputs("bootjack: out of memory\n", stderr);
        return EXIT_CANNOT;
    }
    *d = (decoder){ .ports = { 5683, 5685, 56830 }, .port_count = 3 };
    int status = read_arguments(d, argc, argv);
    if (status < 0) {
        status = decode_file(d);
    }
    free(d);
    return status;
}
