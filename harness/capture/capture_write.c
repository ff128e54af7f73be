/* SPDX-License-Identifier: Apache-2.0
 *
 * Event log to pcapng. The log is read twice: first to learn what became of every datagram (a packet's comment stands
 * before what happened to it later), then to write.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "capture/capture.h"
#include "capture/frame.h"
#include "capture/notes.h"
#include "capture/pcapng.h"
#include "wire/coap.h"
#include "wire/entries.h"
#include "wire/resources.h"

enum { COMMENT_ROOM = 1024, SEGMENT = 1400, PSH = 8, NAMES = 64 };

/* What is known of one event, by its sequence number. */
typedef struct about {
    uint8_t kind;
    uint8_t actor;
    uint32_t cause;
    bj_time time;
    uint32_t arrivals;
    const uint8_t *raw;
    size_t raw_length;
    bool broken;
    const uint8_t *arrived; /* a datagram that was changed on its way: what came of it; NULL */
    size_t arrived_length;
    char *comment;
} about;

/* A TCP connection. Side 0 is the one that connects. */
typedef struct connection {
    int64_t number;
    bj_addr addr[2];
    uint32_t next[2]; /* sequence number of each side's next byte */
    uint32_t seen[2]; /* how much of the other side's each has acknowledged */
    uint8_t opener;   /* actor of side 0; on a real network, where only the server tells, its own */
    bool begun, established, over;
    bool ended[2]; /* the side has sent FIN */
} connection;

typedef struct writer {
    const bj_log *log;
    FILE *file;
    about *events; /* last + 1 of them */
    uint32_t last;
    uint32_t last_frame; /* the latest event that is a packet, in the first reading */
    char verdict[COMMENT_ROOM];
    connection *connections;
    size_t connection_count;
    bj_pcapng_name names[NAMES];
    char name_texts[NAMES][64];
    size_t name_count;
    bj_notes notes;
    bool counting;   /* frames are not written, but counted */
    uint32_t frames; /* so far */
    bj_frame frame;
    bj_frame quoted;
} writer;

/* --- comments ------------------------------------------------------------------------------------------------- */

static about *about_event(writer *w, uint32_t sequence) {
    return sequence && sequence <= w->last ? &w->events[sequence] : NULL;
}

static void comment(writer *w, uint32_t sequence, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void comment(writer *w, uint32_t sequence, const char *format, ...) {
    about *event = about_event(w, sequence);
    if (!event) {
        return;
    }
    BJ_TEXT(text, COMMENT_ROOM);
    va_list arguments;
    va_start(arguments, format);
    if (event->comment) {
        bj_text_printf(&text, "%s; ", event->comment);
    }
    bj_text_vprintf(&text, format, arguments);
    va_end(arguments);
    char *copy = strdup(text.start);
    if (copy) {
        free(event->comment);
        event->comment = copy;
    }
}

/* In the real world nobody saw the client's datagrams leave: their arrival, which has no cause, stands for them. */
static bool is_packet(uint8_t kind, uint32_t cause) {
    bool arrived = (kind == BJ_EV_RECEIVED || kind == BJ_EV_STREAM_RECEIVED) && cause == 0;
    return kind == BJ_EV_SENT || kind == BJ_EV_STREAM_SENT || kind == BJ_EV_ICMP || arrived;
}

/* The packet that an event is about: the event itself, or the nearest among its causes; 0 = none. */
static uint32_t packet_of(writer *w, uint32_t sequence) {
    while (sequence && sequence <= w->last && !is_packet(w->events[sequence].kind, w->events[sequence].cause)) {
        uint32_t cause = w->events[sequence].cause;
        sequence = cause < sequence ? cause : 0;
    }
    return sequence <= w->last ? sequence : 0;
}

/* Something about the run is said at the packet that led to it, or at the last one before. */
static void comment_run(writer *w, const bj_event *event, const char *what) {
    BJ_TEXT(where, 48);
    uint32_t packet = packet_of(w, event->cause);
    if (event->position.line) {
        bj_text_printf(&where, " (line %" PRIu32 ")", event->position.line);
    }
    packet = packet ? packet : w->last_frame;
    BJ_TEXT(said, COMMENT_ROOM);
    bj_text_add_bytes(&said, event->text ? event->text : "", event->text_length);
    const about *there = about_event(w, packet);
    bool repeats = there && there->comment && said.used && strstr(there->comment, said.start);
    comment(w, packet, "%s%s%s%s", what, where.start, repeats || !said.used ? "" : ": ", repeats ? "" : said.start);
}

/* Does a payload of LwM2M values break a rule of its format? Text and opaque values have none. */
static bool values_damaged(uint32_t format, const bj_coap *message, bj_text *why) {
    enum { ROOM = 2048 };
    uint8_t room[ROOM];
    bj_entries in;
    bj_entry entry;
    if (format == 0 || format == 42 || (format != 11542 && message->payload_length > sizeof room)) {
        return false;
    }
    bj_entries_begin(&in, format, NULL, message->payload, message->payload_length, room, sizeof room);
    while (bj_entries_next(&in, &entry, why)) {
    }
    return in.damaged;
}

/* Is there something in the datagram that a dissector must complain of? */
static bool find_damage(const bj_event *event, bj_text *why) {
    bj_coap message;
    uint32_t format;
    bool dtls = event->raw_length > 2 && event->raw[0] >= 20 && event->raw[0] <= 25 && event->raw[1] == 0xFE;
    if (dtls) {
        return false;
    }
    bj_coap_fault fault = bj_coap_decode(&message, event->raw, event->raw_length);
    if (fault) {
        bj_text_add(why, bj_coap_fault_text(fault));
        return true;
    }
    if (!bj_coap_options_valid(&message, why)) {
        return true;
    }
    return bj_coap_find_uint(&message, BJ_COAP_CONTENT_FORMAT, &format) && !bj_coap_find(&message, BJ_COAP_BLOCK1, 0) &&
           !bj_coap_find(&message, BJ_COAP_BLOCK2, 0) && values_damaged(format, &message, why);
}

/* An option that nobody registered is lawful (RFC 7252 5.4.1), but tools point at it: so does the capture. */
static bool find_strange_option(const bj_event *event, bj_text *which) {
    bj_coap message;
    bj_coap_decode(&message, event->raw, event->raw_length);
    for (size_t i = 0; i < message.option_count; i++) {
        if (!bj_coap_option_name(message.options[i].number)) {
            bj_text_printf(which, "option %" PRIu32 " is not registered", message.options[i].number);
            return true;
        }
    }
    return false;
}

/* Can bytes of TLV be a value of that type (LwM2M Core 1.1 Appendix C)? */
static bool length_fits(char type, size_t length) {
    bool number = length == 1 || length == 2 || length == 4 || length == 8;
    switch (type) {
    case 'I':
    case 'U':
    case 'T':
        return number;
    case 'F':
        return length == 4 || length == 8;
    case 'B':
        return length == 1;
    case 'P':
        return length == 4;
    default:
        return true;
    }
}

/* Well-formed TLV may hold what is no value of a registered resource's type: tools that know the Objects point at it.
 */
static bool find_strange_value(const bj_event *event, bj_text *which) {
    bj_coap message;
    bj_entries in;
    bj_entry entry;
    uint32_t format;
    BJ_TEXT(path, 128);
    bj_coap_decode(&message, event->raw, event->raw_length);
    if (!bj_coap_is_request(message.code) || !bj_coap_find_uint(&message, BJ_COAP_CONTENT_FORMAT, &format) ||
        format != 11542 || bj_coap_find(&message, BJ_COAP_BLOCK1, 0)) {
        return false;
    }
    bj_coap_path(&message, BJ_COAP_URI_PATH, &path);
    bj_path base = bj_path_of(path.start);
    bj_entries_begin(&in, format, &base, message.payload, message.payload_length, NULL, 0);
    while (bj_entries_next(&in, &entry, which)) {
        bool resource = entry.kind == BJ_ENTRY_RAW && entry.path.depth >= 3;
        if (resource && !length_fits(bj_resource_type(entry.path.ids[0], entry.path.ids[2]), entry.length)) {
            bj_path_print(which, &entry.path);
            bj_text_printf(which, ": %zu bytes are no value of its type", entry.length);
            return true;
        }
    }
    return false;
}

static void comment_sent(writer *w, const bj_event *event) {
    BJ_TEXT(why, 200);
    bool ours = event->actor >= BJ_ACTOR_SERVER_0;
    if (find_damage(event, &why)) {
        about_event(w, event->sequence)->broken = true;
        comment(w, event->sequence, "%s: %s", ours ? "broken on purpose" : "not well-formed", why.start);
    } else if (find_strange_option(event, &why) || find_strange_value(event, &why)) {
        about_event(w, event->sequence)->broken = true;
        comment(w, event->sequence, "%s%s", ours ? "on purpose: " : "", why.start);
    }
}

static void comment_received(writer *w, const bj_event *event) {
    about *sent = about_event(w, packet_of(w, event->cause));
    if (!sent) {
        return;
    }
    if (++sent->arrivals > 1) {
        comment(w, packet_of(w, event->cause), "arrives again");
    }
    bool changed = event->raw_length != sent->raw_length ||
                   (event->raw_length && memcmp(event->raw, sent->raw, event->raw_length) != 0);
    if (changed && event->raw_length) {
        sent->arrived = event->raw;
        sent->arrived_length = event->raw_length;
    }
    if (event->raw_length != sent->raw_length) {
        comment(w, packet_of(w, event->cause), "cut on the way: %zu of %zu bytes arrive", event->raw_length,
                sent->raw_length);
    } else if (changed) {
        comment(w, packet_of(w, event->cause), "damaged on the way");
    }
}

/* --- the first reading ---------------------------------------------------------------------------------------- */

static connection *find_connection(writer *w, int64_t number) {
    for (size_t i = w->connection_count; i > 0; i--) {
        if (w->connections[i - 1].number == number) {
            return &w->connections[i - 1];
        }
    }
    return NULL;
}

static void note_connection(writer *w, const bj_event *event) {
    size_t size = (w->connection_count + 1) * sizeof *w->connections;
    connection *grown = find_connection(w, event->number) ? NULL : realloc(w->connections, size);
    if (!grown) {
        return; /* no memory, or the other side's event */
    }
    w->connections = grown;
    w->connections[w->connection_count++] = (connection){
        .number = event->number, .addr = { event->from, event->to }, .next = { 1000, 2000 }, .opener = event->actor
    };
}

static void note_name(writer *w, const bj_addr *addr, const char *name, size_t length) {
    for (size_t i = 0; i < w->name_count; i++) {
        if (bj_addr_same_host(&w->names[i].addr, addr)) {
            return;
        }
    }
    if (!addr->family || !length || w->name_count == NAMES || length >= sizeof w->name_texts[0]) {
        return;
    }
    char *copy = w->name_texts[w->name_count];
    memcpy(copy, name, length);
    w->names[w->name_count++] = (bj_pcapng_name){ .addr = *addr, .name = copy };
}

/* "bs.example = 192.0.2.10, 2001:db8::a". */
static void note_answer(writer *w, const bj_event *event) {
    const char *text = event->text ? event->text : "";
    const char *end = text + event->text_length;
    const char *equals = event->text_length ? memchr(text, '=', event->text_length) : NULL;
    size_t length = equals ? (size_t) (equals - text) : 0;
    while (length && text[length - 1] == ' ') {
        length--;
    }
    for (const char *at = equals; at && at < end;) {
        const char *start = at;
        bj_addr addr;
        while (at < end && !strchr("=, ", *at)) {
            at++;
        }
        if (at > start && bj_addr_parse(start, (size_t) (at - start), &addr)) {
            note_name(w, &addr, text, length);
        }
        at += at < end;
    }
}

static void note_verdict(writer *w, const bj_event *event) {
    const char *name = bj_verdict_name((bj_verdict) event->number);
    snprintf(w->verdict, sizeof w->verdict, "verdict %s%s%.*s", name ? name : "unknown", event->text_length ? ": " : "",
             (int) event->text_length, event->text ? event->text : "");
}

static void read_event(writer *w, const bj_event *event) {
    switch (event->kind) {
    case BJ_EV_SENT:
        comment_sent(w, event);
        break;
    case BJ_EV_RECEIVED:
        comment_received(w, event);
        break;
    case BJ_EV_LOST:
        comment(w, packet_of(w, event->cause), "lost: %.*s", (int) event->text_length, event->text ? event->text : "");
        break;
    case BJ_EV_ACTOR:
        note_name(w, &event->from, event->text, event->text_length);
        break;
    case BJ_EV_DNS_ANSWER:
        note_answer(w, event);
        break;
    case BJ_EV_STREAM_OPEN:
        note_connection(w, event);
        break;
    case BJ_EV_STEP_FAILED:
        comment_run(w, event, "step failed");
        break;
    case BJ_EV_RULE:
        comment_run(w, event, "rule");
        break;
    case BJ_EV_VERDICT:
        note_verdict(w, event);
        if (event->number != BJ_PASS && event->number != BJ_VERDICT_NONE) {
            BJ_TEXT(what, 32);
            const char *name = bj_verdict_name((bj_verdict) event->number);
            bj_text_printf(&what, "verdict %s", name ? name : "unknown");
            comment_run(w, event, what.start);
        }
        break;
    default:
        break;
    }
}

static void read_log(writer *w) {
    size_t cursor = 0;
    bj_event event;
    while (bj_log_next(w->log, &cursor, &event)) {
        about *known = about_event(w, event.sequence);
        if (!known) {
            return;
        }
        known->kind = event.kind;
        known->actor = event.actor;
        known->cause = event.cause;
        known->time = event.time;
        known->raw = event.raw;
        known->raw_length = event.raw_length;
        w->last_frame = is_packet(event.kind, event.cause) ? event.sequence : w->last_frame;
        read_event(w, &event);
        bj_notes_take(&w->notes, &event);
    }
}

/* --- the second reading --------------------------------------------------------------------------------------- */

static void write_frame(writer *w, const bj_event *event, const char *said) {
    w->frames += w->frame.length > 0;
    if (w->frame.length && !w->counting) {
        uint64_t time = BJ_CAPTURE_EPOCH * BJ_SECOND + event->time;
        bj_pcapng_packet(w->file, time, w->frame.bytes, w->frame.length, said);
    }
}

/* As it arrived: what happened then is not understood by what was sent. */
static void write_datagram(writer *w, const bj_event *event) {
    const about *a = &w->events[event->sequence];
    bj_frame_udp(&w->frame, &event->from, &event->to, a->arrived ? a->arrived : event->raw,
                 a->arrived ? a->arrived_length : event->raw_length);
    write_frame(w, event, a->comment);
}

static void write_icmp(writer *w, const bj_event *event) {
    const about *sent = about_event(w, packet_of(w, event->cause));
    if (!sent || sent->kind != BJ_EV_SENT) {
        return;
    }
    bj_frame_udp(&w->quoted, &event->to, &event->from, sent->raw, sent->raw_length);
    bj_frame_port_unreachable(&w->frame, &event->from, &event->to, &w->quoted);
    const char *said = w->events[event->sequence].comment;
    write_frame(w, event, said || !sent->broken ? said : "quotes a packet that has a comment of its own");
}

/* One segment from `side`; flags that take up a sequence number do. */
static void write_segment(writer *w, const bj_event *event, connection *c, int side, unsigned flags,
                          const uint8_t *data, size_t length, const char *said) {
    bj_tcp_header header = { .sequence = c->next[side], .flags = (uint8_t) flags };
    if (flags & BJ_TCP_ACK) {
        header.acknowledged = c->seen[side];
    }
    bj_frame_tcp(&w->frame, &c->addr[side], &c->addr[1 - side], &header, data, length);
    write_frame(w, event, said);
    c->next[side] += (uint32_t) length + (flags & (BJ_TCP_SYN | BJ_TCP_FIN) ? 1 : 0);
}

/* `side` acknowledges all that the other side has sent. */
static void write_ack(writer *w, const bj_event *event, connection *c, int side) {
    c->seen[side] = c->next[1 - side];
    write_segment(w, event, c, side, BJ_TCP_ACK, NULL, 0, NULL);
}

static void write_establishment(writer *w, const bj_event *event, connection *c) {
    if (!c->established) {
        c->established = true;
        write_segment(w, event, c, 1, BJ_TCP_SYN | BJ_TCP_ACK, NULL, 0, NULL);
        write_ack(w, event, c, 0);
    }
}

/* The connecting side's event is the SYN; the other side has one when it accepts. */
static void write_open(writer *w, const bj_event *event, connection *c) {
    if (!c->begun) {
        c->begun = true;
        write_segment(w, event, c, 0, BJ_TCP_SYN, NULL, 0, NULL);
        c->seen[1] = c->next[0];
    } else {
        write_establishment(w, event, c);
    }
}

static void write_sent(writer *w, const bj_event *event, connection *c) {
    int side = bj_addr_equal(&event->from, &c->addr[1]);
    write_establishment(w, event, c);
    for (size_t at = 0; at < event->raw_length && !c->ended[side]; at += SEGMENT) {
        size_t left = event->raw_length - at;
        const char *said = at ? NULL : w->events[event->sequence].comment;
        write_segment(w, event, c, side, BJ_TCP_ACK | PSH, event->raw + at, left < SEGMENT ? left : SEGMENT, said);
    }
}

static void write_reset(writer *w, const bj_event *event, connection *c, int side) {
    c->over = true;
    write_segment(w, event, c, side, BJ_TCP_RST | BJ_TCP_ACK, NULL, 0, NULL);
}

/* A side ends the connection, or learns that the other side has ended it: then that side's event is the cause. */
static void write_closed(writer *w, const bj_event *event, connection *c) {
    bool told_by_one = c->opener >= BJ_ACTOR_SERVER_0;
    int side = told_by_one ? bj_addr_equal(&event->from, &c->addr[1]) : event->actor != c->opener;
    const about *cause = about_event(w, event->cause);
    bool hears = cause && cause->kind == BJ_EV_STREAM_CLOSED && cause->actor != event->actor;
    /* What accepts and resets at once has the other side to do with nothing. */
    bool accepted = cause && cause->kind == BJ_EV_STREAM_OPEN && cause->actor == event->actor;
    bool meets_closed_end = cause && (cause->kind == BJ_EV_STREAM_SENT || cause->kind == BJ_EV_STREAM_OPEN) &&
                            !(accepted && cause->time == event->time);
    if (event->other == ETIMEDOUT) {
        c->over = true;
    } else if (event->other) {
        bool by_other = event->other == ECONNREFUSED || meets_closed_end || hears;
        write_reset(w, event, c, by_other ? 1 - side : side);
    } else if (hears) {
        write_ack(w, event, c, side);
    } else if (!c->ended[side]) {
        c->ended[side] = true;
        write_segment(w, event, c, side, BJ_TCP_FIN | BJ_TCP_ACK, NULL, 0, NULL);
    }
}

static void write_stream_event(writer *w, const bj_event *event) {
    connection *c = find_connection(w, event->number);
    if (!c || c->over) {
        return;
    }
    if (event->kind == BJ_EV_STREAM_OPEN) {
        write_open(w, event, c);
    } else if (is_packet(event->kind, event->cause)) {
        write_sent(w, event, c);
    } else if (event->kind == BJ_EV_STREAM_RECEIVED) {
        write_ack(w, event, c, bj_addr_equal(&event->to, &c->addr[1]));
    } else {
        write_closed(w, event, c);
    }
}

static void write_event(writer *w, const bj_event *event) {
    switch (event->kind) {
    case BJ_EV_SENT:
    case BJ_EV_RECEIVED:
        if (!is_packet(event->kind, event->cause)) {
            break;
        }
        write_datagram(w, event);
        break;
    case BJ_EV_ICMP:
        write_icmp(w, event);
        break;
    case BJ_EV_STREAM_OPEN:
    case BJ_EV_STREAM_SENT:
    case BJ_EV_STREAM_RECEIVED:
    case BJ_EV_STREAM_CLOSED:
        write_stream_event(w, event);
        break;
    default:
        break;
    }
}

/* What the run was, for the section's comment. */
static void describe_run(writer *w, bj_text *text) {
    size_t cursor = 0;
    bj_event event;
    while (bj_log_next(w->log, &cursor, &event)) {
        if (event.kind == BJ_EV_RUN_BEGIN) {
            bj_text_add_bytes(text, event.text ? event.text : "", event.text_length);
            bj_text_printf(text, " (seed %" PRId64 ")", event.number);
            break;
        }
    }
    bj_text_printf(text, "%s%s", text->used && w->verdict[0] ? ": " : "", w->verdict);
}

/* The keys of all sessions, so that whoever opens the capture reads what was meant. */
static void write_keys(writer *w) {
    char *lines = NULL;
    size_t length = 0;
    FILE *text = open_memstream(&lines, &length);
    size_t cursor = 0;
    bj_event event;
    while (text && bj_log_next(w->log, &cursor, &event) && event.sequence <= w->last) {
        if (event.kind == BJ_EV_TLS_KEYS && event.text) {
            fwrite(event.text, 1, event.text_length, text);
            fputc('\n', text);
        }
    }
    if (text && !fclose(text)) {
        bj_pcapng_secrets(w->file, lines, length);
    }
    free(lines);
}

/* All packets; what is noted learns before which frame it was. */
static void write_packets(writer *w) {
    size_t cursor = 0, noted = 0;
    bj_event event;
    while (bj_log_next(w->log, &cursor, &event) && event.sequence <= w->last) {
        for (; noted < w->notes.count && w->notes.steps[noted].sequence <= event.sequence; noted++) {
            w->notes.steps[noted].frame = w->frames + 1;
        }
        write_event(w, &event);
    }
}

/* The header, which stands first, speaks of frames: they are counted before. */
static void count_frames(writer *w) {
    size_t size = w->connection_count * sizeof *w->connections;
    connection *fresh = malloc(size + 1);
    if (!fresh || !w->notes.count) {
        free(fresh);
        w->notes.count = 0;
        return;
    }
    if (size) {
        memcpy(fresh, w->connections, size);
    }
    w->counting = true;
    write_packets(w);
    w->counting = false;
    w->frames = 0;
    free(w->connections);
    w->connections = fresh;
}

static void write_header(writer *w) {
    BJ_TEXT(run, COMMENT_ROOM);
    size_t count;
    describe_run(w, &run);
    count_frames(w);
    const char **notes = bj_notes_comments(&w->notes, &count);
    const char **comments = calloc(count + 1, sizeof *comments);
    if (comments) {
        comments[0] = run.used ? run.start : NULL;
        for (size_t i = 0; i < count; i++) {
            comments[i + 1] = notes[i];
        }
    }
    bj_pcapng_begin(w->file, comments, comments ? count + 1 : 0);
    free(comments);
}

static void write_log(writer *w) {
    write_header(w);
    bj_pcapng_names(w->file, w->names, w->name_count);
    write_keys(w);
    write_packets(w);
}

/* --- the whole ------------------------------------------------------------------------------------------------ */

static bool write_file(writer *w, const char *file, bj_text *why) {
    w->file = fopen(file, "wb");
    if (!w->file) {
        bj_text_printf(why, "%s: %s", file, strerror(errno));
        return false;
    }
    read_log(w);
    write_log(w);
    bool failed = ferror(w->file) != 0;
    if (fclose(w->file) != 0 || failed) {
        bj_text_printf(why, "%s: could not be written: %s", file, strerror(errno));
        return false;
    }
    return true;
}

bool bj_capture_write(const bj_log *log, const char *file, bj_text *why) {
    writer *w = calloc(1, sizeof *w);
    bool done = false;
    if (w) {
        w->log = log;
        w->last = bj_log_last(log);
        w->events = calloc((size_t) w->last + 1, sizeof *w->events);
        bj_notes_begin(&w->notes);
    }
    if (w && w->events) {
        done = write_file(w, file, why);
        for (uint32_t i = 0; i <= w->last; i++) {
            free(w->events[i].comment);
        }
        free(w->events);
        free(w->connections);
    } else {
        bj_text_add(why, "no memory for the capture");
    }
    if (w) {
        bj_notes_end(&w->notes);
    }
    free(w);
    return done;
}
