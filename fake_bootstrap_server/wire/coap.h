/* SPDX-License-Identifier: Apache-2.0
 *
 * Raw CoAP: RFC 7252 over UDP, RFC 8323 over TCP. The strict decoder says exactly what is wrong with a
 * message; the encoder builds what it is told, broken or not. Shares nothing with the client's libcoap.
 * Nothing here allocates: a decoded message points into the bytes it was decoded from.
 */
#ifndef BJ_WIRE_COAP_H
#define BJ_WIRE_COAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum { BJ_COAP_CON = 0, BJ_COAP_NON = 1, BJ_COAP_ACK = 2, BJ_COAP_RST = 3 };

#define BJ_COAP_CODE(class, detail) ((uint8_t) ((class) << 5 | (detail)))

enum {
    BJ_COAP_IF_MATCH = 1,
    BJ_COAP_URI_HOST = 3,
    BJ_COAP_ETAG = 4,
    BJ_COAP_IF_NONE_MATCH = 5,
    BJ_COAP_OBSERVE = 6,
    BJ_COAP_URI_PORT = 7,
    BJ_COAP_LOCATION_PATH = 8,
    BJ_COAP_OSCORE = 9,
    BJ_COAP_URI_PATH = 11,
    BJ_COAP_CONTENT_FORMAT = 12,
    BJ_COAP_MAX_AGE = 14,
    BJ_COAP_URI_QUERY = 15,
    BJ_COAP_HOP_LIMIT = 16,
    BJ_COAP_ACCEPT = 17,
    BJ_COAP_LOCATION_QUERY = 20,
    BJ_COAP_BLOCK2 = 23,
    BJ_COAP_BLOCK1 = 27,
    BJ_COAP_SIZE2 = 28,
    BJ_COAP_PROXY_URI = 35,
    BJ_COAP_PROXY_SCHEME = 39,
    BJ_COAP_SIZE1 = 60,
    BJ_COAP_ECHO = 252,
    BJ_COAP_NO_RESPONSE = 258,
    BJ_COAP_REQUEST_TAG = 292,
};

enum { BJ_COAP_OPTIONS = 64, BJ_COAP_TOKEN = 8 };

typedef struct bj_coap_option {
    uint32_t number;
    const uint8_t *value;
    size_t length;
} bj_coap_option;

typedef struct bj_coap {
    uint8_t version; /* 1 */
    uint8_t type;    /* BJ_COAP_CON ...; over TCP: BJ_COAP_CON */
    uint8_t code;
    uint16_t mid; /* over TCP: 0 */
    uint8_t token_length;
    uint8_t token[BJ_COAP_TOKEN];
    size_t option_count;
    bj_coap_option options[BJ_COAP_OPTIONS]; /* in the order of the message */
    const uint8_t *payload;                  /* NULL when there is no payload marker */
    size_t payload_length;
    bool stream; /* came over TCP: has neither type nor Message ID; only printing asks */
} bj_coap;

/* Why a message is not well-formed: number, text, clause. */
#define BJ_COAP_FAULTS(X)                                                                                              \
    X(OK, "well-formed", "")                                                                                           \
    X(SHORT, "shorter than the header", "RFC 7252 3")                                                                  \
    X(VERSION, "version is not 1", "RFC 7252 3")                                                                       \
    X(TOKEN_LENGTH, "token length is 9 to 15", "RFC 7252 3")                                                           \
    X(TOKEN_CUT, "ends inside the token", "RFC 7252 3")                                                                \
    X(EMPTY_NOT_EMPTY, "code 0.00 with bytes behind the Message ID", "RFC 7252 4.1")                                   \
    X(OPTION_NIBBLE, "option delta or length is 15", "RFC 7252 3.1")                                                   \
    X(OPTION_CUT, "ends inside an option", "RFC 7252 3.1")                                                             \
    X(OPTION_NUMBER, "option number above 65535", "RFC 7252 3.1")                                                      \
    X(OPTIONS_MANY, "more options than this decoder keeps", "")                                                        \
    X(PAYLOAD_EMPTY, "payload marker without a payload", "RFC 7252 3")                                                 \
    X(TCP_LENGTH, "length field and message disagree", "RFC 8323 3.2")

typedef enum bj_coap_fault {
#define BJ_COAP_FAULT_ENUM(name, text, clause) BJ_COAP_##name,
    BJ_COAP_FAULTS(BJ_COAP_FAULT_ENUM)
#undef BJ_COAP_FAULT_ENUM
} bj_coap_fault;

const char *bj_coap_fault_text(bj_coap_fault fault);

/* Decodes one datagram. On a fault, what stands before it is filled in (version, type, code, mid, token as far as they
 * were there), so that the caller can answer with RST. */
bj_coap_fault bj_coap_decode(bj_coap *message, const uint8_t *data, size_t length);

/* Encodes into `room` bytes; returns the length, 0 when there is not enough room. Options are written in ascending
 * order of number whatever their order in `message` (order kept among equals). token_length up to 8 is written as it
 * is. */
size_t bj_coap_encode(const bj_coap *message, uint8_t *out, size_t room);

/* The same with broken fields: what differs from the message. */
typedef struct bj_coap_breakage {
    bool set_version, set_token_length; /* the four header bits are these, whatever follows */
    uint8_t version, token_length;
    bool marker_without_payload;
} bj_coap_breakage;
size_t bj_coap_encode_broken(const bj_coap *message, const bj_coap_breakage *breakage, uint8_t *out, size_t room);

/* RFC 8323: the number of bytes of the message at the start of `data`, 0 = more bytes are needed to tell. */
size_t bj_coap_tcp_frame(const uint8_t *data, size_t length);
bj_coap_fault bj_coap_tcp_decode(bj_coap *message, const uint8_t *data, size_t length);
size_t bj_coap_tcp_encode(const bj_coap *message, uint8_t *out, size_t room);

/* Adding to a message; values must outlive it. false: too many options. */
bool bj_coap_add(bj_coap *message, uint32_t number, const void *value, size_t length);
/* The value as a minimal-length unsigned integer (RFC 7252 3.2); `room` (4 bytes) holds it and must outlive the
 * message. */
bool bj_coap_add_uint(bj_coap *message, uint32_t number, uint32_t value, uint8_t room[4]);
/* One Uri-Path (or Location-Path) option a segment of "/a/b"; "/" and "" add none. Segments point into `path`. */
bool bj_coap_add_path(bj_coap *message, uint32_t number, const char *path);

/* The index-th option of that number (from 0), NULL when there is none. */
const bj_coap_option *bj_coap_find(const bj_coap *message, uint32_t number, size_t index);
/* The first option of that number as an unsigned integer; false when absent or longer than 4 bytes. */
bool bj_coap_find_uint(const bj_coap *message, uint32_t number, uint32_t *value);
/* Adds the value of the first Uri-Query `key=value`, or nothing of a `key` alone; NULL: not wanted. False: none. */
bool bj_coap_query(const bj_coap *message, const char *key, bj_text *value);
/* "/a/b" of the options of that number ("/" when there are none). */
void bj_coap_path(const bj_coap *message, uint32_t number, bj_text *out);

static inline bool bj_coap_is_request(uint8_t code) {
    return code >= 1 && code < 32;
}
static inline bool bj_coap_is_response(uint8_t code) {
    return code >= 64 && code < 192;
}

/* Do the options of a well-formed message have the lengths that RFC 7252 5.10 (and the RFCs of the later options) give
 * them, and does none stand twice that may not? `why` gets the first that does not. Unknown ones pass. */
bool bj_coap_options_valid(const bj_coap *message, bj_text *why);

const char *bj_coap_option_name(uint32_t number);    /* "Uri-Path"; NULL when unknown */
const char *bj_coap_method_name(uint8_t code);       /* "GET"; NULL */
void bj_coap_code_print(bj_text *out, uint8_t code); /* "2.04" */

/* For people, one line: `CON POST /bs?ep=dev-1 [mid 4660, token aabb]`, `ACK 2.04 [..] text "..."`; the payload is
 * decoded by Content-Format (TLV, link, text; the first bytes in hex for others, and secrets of /0 written as <16
 * bytes>). */
void bj_coap_print(bj_text *out, const bj_coap *message);
/* The same for a response to a request for `path` ("/1/0"; NULL: not known), by which payloads are read better and
 * secrets are found. A request says its path itself. */
void bj_coap_print_at(bj_text *out, const bj_coap *message, const char *path);
/* For programs, a JSON object: type, code, mid, token, options (name, number, value), path, query, format, payload
 * (hex), and "values" or "links" when the payload could be decoded. The same for a fault: {"fault": "..."} beside what
 * was readable. */
void bj_coap_json(bj_text *out, const bj_coap *message, bj_coap_fault fault);

#endif
