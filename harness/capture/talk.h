/* SPDX-License-Identifier: Apache-2.0
 *
 * The conversation of one client of a capture, whole and in memory: which message repeats which, answers which, was
 * acknowledged by which. Paired by address, direction, Message ID and token, as both sides may use the same at the same
 * time (RFC 7252 §4.4, §5.3.1). Private to capture/.
 */
#ifndef BJ_CAPTURE_TALK_H
#define BJ_CAPTURE_TALK_H

#include <stdio.h>

#include "capture/parties.h"

typedef enum bj_talk_kind {
    BJ_TALK_REQUEST = 1,
    BJ_TALK_RESPONSE,
    BJ_TALK_EMPTY,  /* ACK, RST, ping */
    BJ_TALK_SIGNAL, /* 7.xx of CoAP over TCP */
    BJ_TALK_BROKEN, /* no well-formed CoAP */
    BJ_TALK_RECORD, /* of DTLS or TLS: what it is says `record` */
    BJ_TALK_ICMP,   /* `about` met a closed port; `by_client`: it was the client's */
    BJ_TALK_OPEN,   /* the client opens a connection */
    BJ_TALK_CLOSE,
} bj_talk_kind;

enum { BJ_TALK_NONE = -1, BJ_TALK_SERVERS = 32, BJ_TALK_MOST = 20000 };

/* Indices are places in bj_talk.messages; BJ_TALK_NONE: none. */
typedef struct bj_message {
    uint8_t kind; /* bj_talk_kind */
    uint32_t frame;
    bj_time time;
    bool by_client;
    bool stream, secure, cut;
    uint8_t server; /* place in bj_talk.servers */
    bj_addr client; /* its address then */
    const uint8_t *bytes;
    size_t length;
    uint8_t type, code;
    uint16_t mid;
    uint8_t token_length, token[BJ_COAP_TOKEN];
    int repeats;      /* the message of which this is another copy */
    int last_copy;    /* of it; itself when there is none */
    unsigned copies;  /* transmissions, this one included */
    int request;      /* RESPONSE: the request that it answers */
    int copy;         /* RESPONSE, EMPTY: the copy after which it came */
    int answer;       /* REQUEST: its first response */
    int ack;          /* the first ACK or RST, empty or not */
    int about;        /* ICMP */
    bool unreachable; /* it met a closed port */
    bool wrong_token; /* RESPONSE in an ACK: the request's token is another */
    bool notifies;    /* RESPONSE: of an observation, not the first */
    uint8_t record;   /* RECORD: bj_record_kind */
    uint8_t alert;
    bool encrypted, reset;
} bj_message;

typedef struct bj_talk_server {
    bj_addr address;
    bool bootstrap, stream, secure;
} bj_talk_server;

typedef struct bj_talk_name {
    char name[256];
    bj_addr address;
} bj_talk_name;

typedef struct bj_talk {
    const bj_parties *parties;
    uint32_t party;
    bj_message *messages;
    size_t count, room;
    bj_talk_server servers[BJ_TALK_SERVERS];
    unsigned server_count;
    bj_talk_name *names; /* what name servers answered */
    size_t name_count;
    size_t left_out; /* messages beyond BJ_TALK_MOST */
} bj_talk;

void bj_talk_begin(bj_talk *talk, const bj_parties *parties, uint32_t party);
/* The next unit of the capture; those of others are passed over. false: no memory. */
bool bj_talk_take(bj_talk *talk, const bj_unit *unit);
void bj_talk_free(bj_talk *talk);

/* Decodes the message again; its bytes are the talk's. */
bj_coap_fault bj_message_decode(const bj_message *message, bj_coap *m);
/* "Write /0/1", "Bootstrap-Request", "Register", "Read /3/0", "GET /time": what a request is in LwM2M. */
void bj_request_name(bj_text *out, const bj_talk *talk, const bj_message *message);

typedef enum bj_request_kind {
    BJ_REQ_OTHER = 0,
    BJ_REQ_BOOTSTRAP,
    BJ_REQ_PACK,
    BJ_REQ_REGISTER,
    BJ_REQ_UPDATE,
    BJ_REQ_DEREGISTER,
    BJ_REQ_SEND,
    BJ_REQ_FINISH,
    BJ_REQ_WRITE,
    BJ_REQ_PARTIAL_WRITE,
    BJ_REQ_DELETE,
    BJ_REQ_DISCOVER,
    BJ_REQ_READ,
    BJ_REQ_OBSERVE,
    BJ_REQ_CANCEL,
    BJ_REQ_EXECUTE,
    BJ_REQ_CREATE,
    BJ_REQ_WRITE_ATTRIBUTES,
    BJ_REQ_READ_COMPOSITE,
    BJ_REQ_OBSERVE_COMPOSITE,
    BJ_REQ_WRITE_COMPOSITE,
} bj_request_kind;
bj_request_kind bj_request_kind_of(const bj_talk *talk, const bj_message *message);

/* Facts of a talk, one a line, on `out`: sessions, what came after them, repetitions, what is unusual. */
void bj_talk_print_facts(const bj_talk *talk, FILE *out);

#endif
