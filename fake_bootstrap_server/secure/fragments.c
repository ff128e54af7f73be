/* SPDX-License-Identifier: Apache-2.0
 *
 * A ClientHello in fragments (RFC 6347 §4.2.3) made one: clients whose datagrams are small send it so, and mbedTLS
 * takes it in one piece only. Later messages mbedTLS puts together itself.
 */
#include <string.h>

#include "secure/secure_internal.h"

enum { RECORD = 13, MESSAGE = 12, RANDOM_END = 2 + 32, LARGEST = 8192 };

struct bj__hello {
    bool open; /* some of it is here */
    bj_secure_peer peer;
    uint16_t number; /* message_seq */
    uint32_t length, here;
    uint8_t have[LARGEST / 8];
    uint8_t record[RECORD + MESSAGE + LARGEST];
};

typedef struct fragment {
    const uint8_t *record; /* its header; then that of the message, then the body */
    uint32_t length, offset, part;
    uint16_t number;
} fragment;

static uint32_t read_24(const uint8_t *bytes) {
    return (uint32_t) bytes[0] << 16 | (uint32_t) bytes[1] << 8 | bytes[2];
}

static void write_24(uint8_t *bytes, uint32_t value) {
    bytes[0] = (uint8_t) (value >> 16);
    bytes[1] = (uint8_t) (value >> 8);
    bytes[2] = (uint8_t) value;
}

/* A record in the clear with a part of a ClientHello, and nothing else. */
static bool read_fragment(fragment *f, const uint8_t *data, size_t length) {
    static const uint8_t hello = MBEDTLS_SSL_HS_CLIENT_HELLO, handshake = MBEDTLS_SSL_MSG_HANDSHAKE;
    if (length < RECORD + MESSAGE || data[0] != handshake || data[3] || data[4] || data[RECORD] != hello) {
        return false;
    }
    const uint8_t *message = data + RECORD;
    *f = (fragment){ .record = data,
                     .length = read_24(message + 1),
                     .number = (uint16_t) (message[4] << 8 | message[5]),
                     .offset = read_24(message + 6),
                     .part = read_24(message + 9) };
    size_t body = (size_t) data[RECORD - 2] << 8 | data[RECORD - 1];
    return body == MESSAGE + f->part && body <= length - RECORD && f->length <= LARGEST && f->offset <= f->length &&
           f->part < f->length && f->part <= f->length - f->offset;
}

bool bj__is_fragment(const uint8_t *data, size_t length) {
    fragment f;
    return read_fragment(&f, data, length);
}

static bool same_peer(const bj_secure_peer *a, const bj_secure_peer *b) {
    return a->endpoint == b->endpoint && bj_addr_equal(&a->address, &b->address);
}

/* Where the fragments of a peer are kept; of so many the oldest makes room. */
static struct bj__hello *place_for(bj_secure *secure, const bj_secure_peer *peer) {
    for (size_t i = 0; i < BJ__HELLOS; i++) {
        struct bj__hello *h = secure->hellos[i];
        if (h && h->open && same_peer(&h->peer, peer)) {
            return h;
        }
    }
    struct bj__hello **place = &secure->hellos[secure->next_hello++ % BJ__HELLOS];
    if (!*place) {
        *place = bj_arena_alloc(secure->arena, sizeof **place);
    }
    (*place)->open = false;
    return *place;
}

/* Of another ClientHello than what is here, as far as can be seen. */
static bool is_other(const struct bj__hello *h, const fragment *f) {
    const uint8_t *body = f->record + RECORD + MESSAGE, *kept = h->record + RECORD + MESSAGE;
    bool random = !f->offset && f->part >= RANDOM_END && h->have[0] & 1;
    return h->number != f->number || h->length != f->length || (random && memcmp(body, kept, RANDOM_END) != 0);
}

static void add(struct bj__hello *h, const fragment *f) {
    memcpy(h->record + RECORD + MESSAGE + f->offset, f->record + RECORD + MESSAGE, f->part);
    for (uint32_t i = f->offset; i < f->offset + f->part; i++) {
        uint8_t bit = (uint8_t) (1U << (i % 8));
        h->here += !(h->have[i / 8] & bit);
        h->have[i / 8] |= bit;
    }
}

/* One record: that of the fragment which came last. */
static size_t whole(struct bj__hello *h, const fragment *f) {
    uint8_t *message = h->record + RECORD;
    memcpy(h->record, f->record, RECORD + MESSAGE);
    h->record[RECORD - 2] = (uint8_t) ((MESSAGE + h->length) >> 8);
    h->record[RECORD - 1] = (uint8_t) (MESSAGE + h->length);
    write_24(message + 6, 0);
    write_24(message + 9, h->length);
    h->open = false;
    return RECORD + MESSAGE + h->length;
}

const uint8_t *bj__put_together(bj_secure *secure, const bj_secure_peer *peer, const uint8_t *data, size_t *length) {
    struct bj__hello *h = place_for(secure, peer);
    fragment f;
    for (size_t at = 0; at < *length && read_fragment(&f, data + at, *length - at); at += RECORD + MESSAGE + f.part) {
        if (!h->open || is_other(h, &f)) {
            *h = (struct bj__hello){ .open = true, .peer = *peer, .number = f.number, .length = f.length };
        }
        add(h, &f);
        if (h->here == h->length) {
            *length = whole(h, &f);
            return h->record;
        }
    }
    return NULL;
}

void bj__free_fragments(bj_secure *secure) {
    for (size_t i = 0; i < BJ__HELLOS; i++) {
        bj_arena_free(secure->arena, secure->hellos[i]);
        secure->hellos[i] = NULL;
    }
}
