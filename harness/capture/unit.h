/* SPDX-License-Identifier: Apache-2.0
 *
 * A capture as the conversations in it: CoAP messages whatever carries them, errors of ICMP, answers of name servers,
 * connections. What is encrypted is decrypted by tshark, where there are keys. One pass, one unit at a time: what is
 * kept does not grow with the file. Private to capture/.
 */
#ifndef BJ_CAPTURE_UNIT_H
#define BJ_CAPTURE_UNIT_H

#include "capture/capture.h"
#include "wire/coap.h"

typedef enum bj_unit_kind {
    BJ_UNIT_COAP = 1, /* a message, well-formed or not */
    BJ_UNIT_RECORD,   /* a datagram of DTLS or a piece of TLS; a COAP unit of the same frame may follow */
    BJ_UNIT_ICMP,     /* a datagram met a closed port: `from` sent it, to `to` */
    BJ_UNIT_DNS,      /* a name server's answer */
    BJ_UNIT_OPEN,     /* a TCP connection is asked for: the SYN */
    BJ_UNIT_ACCEPT,   /* and accepted */
    BJ_UNIT_CLOSE,    /* FIN or RST */
    BJ_UNIT_OTHER,    /* not understood */
} bj_unit_kind;

/* What a record of DTLS or TLS is, as far as that stands in clear (RFC 5246 §6.2.1, §7.2, §7.4). */
typedef enum bj_record_kind {
    BJ_RECORD_OTHER = 0,
    BJ_RECORD_CLIENT_HELLO,
    BJ_RECORD_SERVER_HELLO,
    BJ_RECORD_CHANGE, /* ChangeCipherSpec is in it */
    BJ_RECORD_ALERT,
    BJ_RECORD_DATA,
} bj_record_kind;

typedef struct bj_unit {
    uint8_t kind; /* bj_unit_kind */
    uint32_t frame;
    bj_time time; /* since the first frame; never runs backwards */
    bj_addr from;
    bj_addr to;
    const uint8_t *bytes; /* until the next call: message, record, what ICMP quotes */
    size_t length;
    bool stream;          /* over TCP */
    bool resumed;         /* COAP: over TCP, behind bytes that the capture does not show */
    bool secure;          /* COAP: was in DTLS or TLS */
    bool reset;           /* CLOSE: RST */
    uint8_t record;       /* RECORD: bj_record_kind */
    bool encrypted;       /* RECORD: ALERT that cannot be read */
    uint8_t level, alert; /* RECORD: ALERT */
    bj_coap_fault fault;  /* COAP */
    bool cut;             /* the capture holds only a part of it */
    unsigned status;      /* DNS: RCODE */
    unsigned address_count;
    uint32_t joined; /* as that of the packet */
    const char *why; /* OTHER */
    /* Nothing where it is another kind: to clear them takes longer than to read most packets. */
    bj_coap m;            /* COAP */
    char name[256];       /* DNS */
    bj_addr addresses[8]; /* DNS: none where the name has none */
} bj_unit;

enum { BJ_UNIT_PORTS = 64, BJ_UNIT_KEYS = 16 };

/* What is known beside the file. */
typedef struct bj_unit_options {
    bj_capture_source source;
    uint16_t ports[BJ_UNIT_PORTS]; /* that carry CoAP, beside the registered ones */
    size_t port_count;
    const char *key_log;                /* a file, as SSLKEYLOGFILE; NULL */
    char psk[BJ_UNIT_KEYS][2 * 64 + 1]; /* pre-shared keys in hexadecimal */
    char identity[BJ_UNIT_KEYS][129];   /* and the identities that they belong to; "" where not told */
    size_t psk_count;
    uint64_t epoch;   /* when time is 0, microseconds since 1970; 0, or later than the first frame: that one's */
    bool undecrypted; /* what is encrypted stays so: tshark is not asked */
} bj_unit_options;

typedef struct bj_units bj_units;

/* Opens the capture. *options must outlive it. NULL: *why says what is wrong. */
bj_units *bj_units_open(const bj_unit_options *options, bj_text *why);
/* From the beginning again, with what was learnt of who speaks CoAP. false: *why. */
bool bj_units_rewind(bj_units *units, bj_text *why);
/* 1: *unit is filled in; 0: the end; -1: the file is damaged from here on, *why says how: what came before stands. */
int bj_units_next(bj_units *units, bj_unit *unit, bj_text *why);
void bj_units_close(bj_units *units);

/* What the reading of the whole file has shown so far. */
typedef struct bj_units_seen {
    uint32_t frames;
    uint32_t backwards; /* frames whose clock stood before that of the one before, */
    bj_time most;       /* by so much at most */
    uint32_t records, decrypted;
    bool passed, late;       /* UDP was passed over; and who speaks CoAP on a port of its own was learnt behind that */
    uint32_t cut, cut_frame; /* of CoAP, DTLS or TLS, of which the capture holds a part; the first */
    uint32_t sealed, sealed_frame; /* of DTLS that carry data, and are not decrypted; the first */
    uint64_t epoch;                /* when time is 0, microseconds since 1970 */
    const char *decryption;        /* why nothing is decrypted; NULL */
} bj_units_seen;
const bj_units_seen *bj_units_seen_of(const bj_units *units);

/* A set of addresses with ports, that grows. All zero is empty. */
typedef struct bj_addr_set {
    bj_addr *slots;
    size_t room, count;
} bj_addr_set;
bool bj_addr_set_has(const bj_addr_set *set, const bj_addr *addr);
void bj_addr_set_add(bj_addr_set *set, const bj_addr *addr); /* does nothing when there is no memory, or a million */
void bj_addr_set_free(bj_addr_set *set);

#endif
