/* SPDX-License-Identifier: Apache-2.0
 *
 * See unit.h. A packet may hold several units: what is read of it waits in a small queue whose bytes point into the
 * packet, the stream or tshark's answer, all of which stay until the next packet is read.
 */
#include "capture/unit.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "capture/decrypt.h"
#include "capture/dns_answer.h"
#include "capture/stream.h"
#include "wire/reader.h"

enum { PORT_DNS = 53, MOST_FRAME = 1 << 20, PIECES = 32 };

/* What tshark decrypted in one frame. */
typedef struct piece {
    bj_addr from, to;
    uint8_t *bytes;
    size_t length, room;
} piece;

struct bj_units {
    const bj_unit_options *options;
    bj_capture *capture;
    bj_addr_set coap;   /* endpoints that speak CoAP */
    bj_addr_set secure; /* servers behind DTLS or TLS */
    bj_streams streams, plain;
    bj_decryption *decryptions[BJ_UNIT_KEYS + 1];
    size_t decryption_count;
    bool damaged;
    char damage[300];
    char decryption[300];
    uint64_t last; /* the latest clock of the file */
    bj_units_seen seen;
    bj_packet packet;
    bool present;      /* `packet` has units left */
    bj_stream *stream; /* of it, with frames to read, */
    bj_stream *then;   /* and the one behind */
    bool stream_secure;
    size_t consumed;
    bool told; /* the packet itself was told (records, connections) */
    piece pieces[PIECES];
    size_t piece_count, piece_at;
};

/* --- opening -------------------------------------------------------------------------------------------------- */

static void end_decryption(bj_units *u) {
    for (size_t i = 0; i < u->decryption_count; i++) {
        bj_decryption_end(u->decryptions[i]);
    }
    u->decryption_count = 0;
}

static void say_undecrypted(bj_units *u, const bj_text *why) {
    bj_text printed = bj_text_over(u->decryption, sizeof u->decryption);
    bj_text_add(&printed, why->start);
    u->seen.decryption = u->decryption;
}

/* The key log and the secrets in the file in one process, each pre-shared key in one of its own. */
static void begin_decryption(bj_units *u) {
    BJ_TEXT(why, 200);
    for (size_t i = 0; i <= u->options->psk_count; i++) {
        bool last = i == u->options->psk_count;
        bj_decryption *d = bj_decryption_start(u->options, last ? SIZE_MAX : i, &u->secure, &why);
        if (!d) {
            say_undecrypted(u, &why);
            return;
        }
        u->decryptions[u->decryption_count++] = d;
    }
}

/* Once for all passes: the first, by which servers behind DTLS and TLS are known, goes without. */
static void decrypt(bj_units *u) {
    BJ_TEXT(why, 200);
    for (size_t i = 0; i < u->decryption_count; i++) {
        if (!bj_decryption_rewind(u->decryptions[i], &why)) {
            end_decryption(u);
            say_undecrypted(u, &why);
            return;
        }
    }
    if (!u->decryption_count && !*u->decryption) {
        begin_decryption(u);
    } else if (*u->decryption) {
        u->seen.decryption = u->decryption;
    }
}

bj_units *bj_units_open(const bj_unit_options *options, bj_text *why) {
    bj_units *u = calloc(1, sizeof *u);
    if (!u) {
        bj_text_add(why, "no memory");
        return NULL;
    }
    u->options = options;
    u->capture = bj_capture_open(&options->source, why);
    if (!u->capture) {
        bj_units_close(u);
        return NULL;
    }
    return u;
}

static void forget_reading(bj_units *u) {
    bj_capture_close(u->capture);
    u->capture = NULL;
    bj_streams_free(&u->streams);
    bj_streams_free(&u->plain);
}

bool bj_units_rewind(bj_units *u, bj_text *why) {
    forget_reading(u);
    u->seen = (bj_units_seen){ .frames = 0 };
    u->damaged = u->present = false;
    u->last = 0;
    u->capture = bj_capture_open(&u->options->source, why);
    if (u->secure.count && !u->options->undecrypted) {
        decrypt(u);
    }
    return u->capture != NULL;
}

void bj_units_close(bj_units *u) {
    if (!u) {
        return;
    }
    forget_reading(u);
    end_decryption(u);
    bj_addr_set_free(&u->coap);
    bj_addr_set_free(&u->secure);
    for (size_t i = 0; i < PIECES; i++) {
        free(u->pieces[i].bytes);
    }
    free(u);
}

const bj_units_seen *bj_units_seen_of(const bj_units *u) {
    return &u->seen;
}

/* --- what is CoAP --------------------------------------------------------------------------------------------- */

static bool is_coap_port(const bj_units *u, uint16_t port) {
    bool known = port == 5683 || port == 5685 || port == 56830;
    for (size_t i = 0; i < u->options->port_count && !known; i++) {
        known = u->options->ports[i] == port;
    }
    return known;
}

static bool speaks_coap(const bj_units *u, const bj_addr *addr) {
    return is_coap_port(u, addr->port) || bj_addr_set_has(&u->coap, addr);
}

static bool is_datagram_record(const uint8_t *b, size_t length) {
    return length >= 13 && b[0] >= 20 && b[0] <= 25 && b[1] == 0xFE && b[2] >= 0xFC;
}

static bool is_stream_record(const uint8_t *b, size_t length) {
    return length >= 5 && b[0] >= 20 && b[0] <= 24 && b[1] == 3 && b[2] <= 4;
}

/* On a port that nobody named: does a Bootstrap-Request or a Register begin a conversation here (LwM2M Core 1.1
 * §6.1.7.1, §6.2.1)? Random bytes hardly look so. */
static bool begins_lwm2m(const uint8_t *bytes, size_t length) {
    bj_coap m;
    BJ_TEXT(path, 32);
    const bj_coap_option *query;
    if (bj_coap_decode(&m, bytes, length) || m.code != BJ_COAP_CODE(0, 2)) {
        return false;
    }
    bj_coap_path(&m, BJ_COAP_URI_PATH, &path);
    if (strcmp(path.start, "/bs") != 0 && strcmp(path.start, "/rd") != 0) {
        return false;
    }
    for (size_t i = 0; (query = bj_coap_find(&m, BJ_COAP_URI_QUERY, i)); i++) {
        if (query->length > 3 && !memcmp(query->value, "ep=", 3)) {
            return true;
        }
    }
    return false;
}

/* --- units of a packet ---------------------------------------------------------------------------------------- */

static void begin_unit(const bj_units *u, bj_unit *unit, bj_unit_kind kind) {
    memset(unit, 0, offsetof(bj_unit, m));
    unit->kind = (uint8_t) kind;
    unit->frame = u->packet.frame;
    unit->time = u->last - u->seen.epoch;
    unit->from = u->packet.from;
    unit->to = u->packet.to;
    unit->bytes = u->packet.data;
    unit->length = u->packet.length;
    unit->stream = u->packet.kind == BJ_PACKET_TCP;
    unit->joined = u->packet.joined;
    unit->cut = u->packet.length < u->packet.full_length;
}

static void other(const bj_units *u, bj_unit *unit, const char *why) {
    begin_unit(u, unit, BJ_UNIT_OTHER);
    unit->why = why;
}

/* The kind of the record, by the first that says something. Epoch 0 is in clear (RFC 6347 4.1). */
static void read_record(bj_unit *unit, const uint8_t *b, size_t length, size_t header, bool clear) {
    static const uint8_t kinds[] = { BJ_RECORD_CHANGE, BJ_RECORD_ALERT, BJ_RECORD_OTHER, BJ_RECORD_DATA };
    bool hidden = b[0] == 25; /* RFC 9146 4: with a connection ID, what it is stands inside */
    unit->record = b[0] <= 23 ? kinds[b[0] - 20] : hidden ? (uint8_t) BJ_RECORD_DATA : (uint8_t) BJ_RECORD_OTHER;
    if (b[0] == 22 && clear && length > header) {
        unit->record = b[header] == 1   ? BJ_RECORD_CLIENT_HELLO
                       : b[header] == 2 ? BJ_RECORD_SERVER_HELLO
                                        : BJ_RECORD_OTHER;
    } else if (b[0] == 21) {
        bool readable = clear && length >= header + 2 && b[header - 1] == 2;
        unit->encrypted = !readable;
        unit->level = readable ? b[header] : 0;
        unit->alert = readable ? b[header + 1] : 0;
    }
}

static void datagram_record(bj_units *u, bj_unit *unit) {
    const uint8_t *b = u->packet.data;
    begin_unit(u, unit, BJ_UNIT_RECORD);
    read_record(unit, b, u->packet.length, 13, b[3] == 0 && b[4] == 0);
    /* A flight in one datagram: ChangeCipherSpec may be behind other records. */
    for (size_t at = 0; at + 13 <= u->packet.length && unit->record == BJ_RECORD_OTHER;) {
        unit->record = b[at] == 20 ? BJ_RECORD_CHANGE : BJ_RECORD_OTHER;
        at += 13 + ((size_t) b[at + 11] << 8 | b[at + 12]);
    }
    if (unit->record == BJ_RECORD_CLIENT_HELLO) {
        bj_addr_set_add(&u->secure, &unit->to);
    }
    u->seen.records++;
}

static void coap_unit(bj_units *u, bj_unit *unit, const uint8_t *bytes, size_t length, bool secure) {
    begin_unit(u, unit, BJ_UNIT_COAP);
    unit->bytes = bytes;
    unit->length = length;
    unit->secure = secure;
    unit->cut &= !secure; /* what was decrypted was whole */
    unit->fault = bj_coap_decode(&unit->m, bytes, length);
}

static void frame_unit(bj_units *u, bj_unit *unit, const bj_stream *s, size_t frame) {
    begin_unit(u, unit, BJ_UNIT_COAP);
    unit->from = s->from;
    unit->to = s->to;
    unit->bytes = s->bytes + u->consumed;
    unit->length = frame;
    unit->secure = u->stream_secure;
    unit->cut = false;
    unit->resumed = !s->begun;
    unit->fault = bj_coap_tcp_decode(&unit->m, unit->bytes, frame);
}

static void leave_stream(bj_units *u) {
    bj_stream_consume(u->stream, u->consumed);
    u->consumed = 0;
    u->stream = u->then;
    u->then = NULL;
}

/* The next whole message of the stream; false: there is none yet. Where bytes before it are not known, what is no
 * message is the end of one. */
static bool next_frame(bj_units *u, bj_unit *unit) {
    bj_stream *s = u->stream;
    size_t left = s->length - u->consumed;
    size_t frame = left ? bj_coap_tcp_frame(s->bytes + u->consumed, left) : 0;
    if (frame && frame <= left) {
        frame_unit(u, unit, s, frame);
        u->consumed += frame;
        if (unit->fault != BJ_COAP_OK && unit->resumed) {
            other(u, unit, "TCP: a message whose beginning is missing");
            u->consumed = s->length;
        }
        return true;
    }
    leave_stream(u);
    if (left > MOST_FRAME) {
        bj_stream_consume(s, s->length);
        s->lost = true;
    }
    return u->stream && next_frame(u, unit);
}

/* --- what was decrypted --------------------------------------------------------------------------------------- */

static void keep_piece(bj_units *u, const bj_addr *from, const bj_addr *to, const uint8_t *data, size_t length) {
    piece *p = u->piece_count < PIECES ? &u->pieces[u->piece_count] : NULL;
    if (p && p->room < length) {
        uint8_t *grown = realloc(p->bytes, length);
        p->bytes = grown ? grown : p->bytes;
        p->room = grown ? length : p->room;
    }
    if (p && p->room >= length && length) {
        memcpy(p->bytes, data, length);
        p->length = length;
        p->from = *from;
        p->to = *to;
        u->piece_count++;
        u->seen.decrypted++;
    }
}

/* Each key decrypts what is its own: of two that decrypt the same, one is enough. */
static void take_pieces(bj_units *u) {
    bj_addr from, to;
    const uint8_t *data;
    size_t length;
    u->piece_count = u->piece_at = 0;
    for (size_t i = 0; i < u->decryption_count; i++) {
        bool first = u->piece_count == 0;
        while (bj_decryption_next(u->decryptions[i], u->packet.frame, &from, &to, &data, &length)) {
            if (first) {
                keep_piece(u, &from, &to, data, length);
            }
        }
    }
}

static bool next_piece(bj_units *u, bj_unit *unit) {
    while (u->piece_at < u->piece_count) {
        piece *p = &u->pieces[u->piece_at++];
        if (u->packet.kind == BJ_PACKET_UDP) {
            coap_unit(u, unit, p->bytes, p->length, true);
            return true;
        }
        /* A stream of its own, whose numbers are those of its bytes. */
        bj_packet plain = { .from = p->from, .to = p->to, .data = p->bytes, .length = p->length };
        bj_stream *s = bj_streams_take(&u->plain, &plain);
        if (s) {
            s->next = 0;
            s->begun = true; /* else tshark would not decrypt it */
            u->stream = s;
            u->stream_secure = true;
            if (next_frame(u, unit)) {
                return true;
            }
        }
    }
    return false;
}

/* --- packets -------------------------------------------------------------------------------------------------- */

static void note_cut(bj_units *u) {
    if (u->packet.length < u->packet.full_length) {
        u->seen.cut_frame = u->seen.cut++ ? u->seen.cut_frame : u->packet.frame;
    }
}

static bool udp_unit(bj_units *u, bj_unit *unit) {
    const bj_packet *p = &u->packet;
    if (p->from.port == PORT_DNS) {
        begin_unit(u, unit, BJ_UNIT_DNS);
        if (bj_dns_answer_read(unit, p->data, p->length)) {
            return true;
        }
    }
    if (is_datagram_record(p->data, p->length)) {
        note_cut(u);
        datagram_record(u, unit);
        take_pieces(u);
        if (unit->record == BJ_RECORD_DATA && !u->piece_count) {
            u->seen.sealed_frame = u->seen.sealed++ ? u->seen.sealed_frame : unit->frame;
        }
        return true;
    }
    if (!speaks_coap(u, &p->from) && !speaks_coap(u, &p->to) && !begins_lwm2m(p->data, p->length)) {
        u->seen.passed = true;
        other(u, unit, "UDP between ports that carry no CoAP as far as is known");
        return true;
    }
    note_cut(u);
    u->seen.late |= u->seen.passed && !speaks_coap(u, &p->from) && !speaks_coap(u, &p->to);
    bj_addr_set_add(&u->coap, &p->from);
    bj_addr_set_add(&u->coap, &p->to);
    coap_unit(u, unit, p->data, p->length, false);
    return true;
}

/* The records that are whole now; false: there is none. An alert of two bytes is in clear. */
static bool stream_records(bj_units *u, bj_unit *unit, bj_stream *s) {
    size_t at = 0;
    begin_unit(u, unit, BJ_UNIT_RECORD);
    while (at + 5 <= s->length && is_stream_record(s->bytes + at, s->length - at)) {
        const uint8_t *b = s->bytes + at;
        size_t size = 5 + ((size_t) b[3] << 8 | b[4]);
        if (size > s->length - at) {
            break;
        }
        if (unit->record == BJ_RECORD_OTHER) {
            read_record(unit, b, size, 5, b[0] == 22 || size == 7);
        }
        at += size;
    }
    if (unit->record == BJ_RECORD_CLIENT_HELLO) {
        bj_addr_set_add(&u->secure, &u->packet.to);
    }
    u->seen.records += at > 0;
    bj_stream_consume(s, at);
    take_pieces(u);
    return at > 0;
}

static bool stream_units(bj_units *u, bj_unit *unit) {
    note_cut(u);
    bj_stream *s = bj_streams_take(&u->streams, &u->packet);
    if (!s || s->lost) {
        other(u, unit, s ? "TCP: bytes are missing before this segment" : "TCP: no memory for its stream");
        return s && u->packet.length;
    }
    if (s->secure || is_stream_record(s->bytes, s->length)) {
        s->secure = true;
        return stream_records(u, unit, s);
    }
    u->stream = s;
    u->stream_secure = false;
    if (u->streams.resumed && !u->streams.resumed->secure) {
        u->stream = u->streams.resumed;
        u->then = s;
    }
    if (u->streams.resumed) {
        other(u, unit, "TCP: bytes are missing before what the other side got");
        return true;
    }
    return next_frame(u, unit);
}

static bool is_secure_stream(const bj_units *u) {
    return bj_addr_set_has(&u->secure, &u->packet.to) || bj_addr_set_has(&u->secure, &u->packet.from);
}

static bool tcp_unit(bj_units *u, bj_unit *unit) {
    const bj_packet *p = &u->packet;
    bool coap = speaks_coap(u, &p->from) || speaks_coap(u, &p->to) || p->from.port == 5684 || p->to.port == 5684;
    if (!coap && !is_secure_stream(u)) {
        other(u, unit, "TCP between ports that carry no CoAP as far as is known");
        return true;
    }
    if (p->tcp_flags & BJ_TCP_SYN) {
        bj_streams_take(&u->streams, p);
        begin_unit(u, unit, p->tcp_flags & BJ_TCP_ACK ? BJ_UNIT_ACCEPT : BJ_UNIT_OPEN);
        return true;
    }
    return stream_units(u, unit);
}

/* What follows the packet's own units: the end of its connection. */
static bool close_unit(bj_units *u, bj_unit *unit) {
    const bj_packet *p = &u->packet;
    bool ends = p->kind == BJ_PACKET_TCP && (p->tcp_flags & (BJ_TCP_FIN | BJ_TCP_RST));
    if (!ends) {
        return false;
    }
    begin_unit(u, unit, BJ_UNIT_CLOSE);
    unit->reset = p->tcp_flags & BJ_TCP_RST;
    if (unit->reset) {
        bj_streams_forget(&u->streams, p);
        bj_streams_forget(&u->plain, p);
    }
    return true;
}

static bool first_unit(bj_units *u, bj_unit *unit) {
    if (u->packet.copy_of) {
        u->packet.kind = BJ_PACKET_OTHER;
        u->packet.why = "a packet that was captured before, at another place";
    }
    switch (u->packet.kind) {
    case BJ_PACKET_UDP:
        return udp_unit(u, unit);
    case BJ_PACKET_TCP:
        return tcp_unit(u, unit);
    case BJ_PACKET_ICMP:
        begin_unit(u, unit, BJ_UNIT_ICMP);
        unit->cut = false; /* that it quotes a part is as it should be */
        unit->from = u->packet.quoted_from;
        unit->to = u->packet.quoted_to;
        return true;
    default:
        other(u, unit, u->packet.why);
        return true;
    }
}

/* Clocks of captures may run backwards: a step back is none forward. */
static void read_clock(bj_units *u) {
    uint64_t time = u->packet.time;
    if (u->packet.frame == 1) {
        bool told = u->options->epoch && u->options->epoch <= time;
        u->seen.epoch = told ? u->options->epoch : time;
        u->last = time;
    }
    if (time < u->last) {
        u->seen.backwards++;
        u->seen.most = u->last - time > u->seen.most ? u->last - time : u->seen.most;
    }
    u->last = time > u->last ? time : u->last;
    u->seen.frames = u->packet.frame;
}

static bool more_of_packet(bj_units *u, bj_unit *unit) {
    if (!u->told) {
        u->told = true;
        if (first_unit(u, unit)) {
            return true;
        }
    }
    if ((u->stream && next_frame(u, unit)) || next_piece(u, unit)) {
        return true;
    }
    u->present = false;
    return close_unit(u, unit);
}

int bj_units_next(bj_units *u, bj_unit *unit, bj_text *why) {
    for (;;) {
        if (u->present && more_of_packet(u, unit)) {
            return 1;
        }
        if (u->present) {
            continue;
        }
        int got = u->damaged ? 0 : bj_capture_next(u->capture, &u->packet, why);
        if (got != 1) {
            u->damaged |= got < 0;
            return got;
        }
        u->stream = u->then = NULL;
        u->piece_count = u->piece_at = u->consumed = 0;
        u->told = false;
        u->present = true;
        read_clock(u);
    }
}
