/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests of a server that the client is registered with, and its answers, for hand-made logs.
 */
#ifndef BJ_ORACLE_MANAGED_H
#define BJ_ORACLE_MANAGED_H

#include "oracle_fixture.h"

enum { FETCH = 5, IPATCH = 7, TLV = 11543, SENML_JSON = 110, LINK = 40 };

static unsigned at_ms;
static uint16_t next_mid;

/* A client that is registered with a server of LwM2M 1.1, for eleven days. */
static inline void manages(void) {
    opens();
    writes_security(10200, 100, "/0/1", "coap://mgmt.example", false, 101, C(2, 4));
    writes_server(10300, 101, "/1/0", 101, 1000000, C(2, 4));
    command(10900, 102, POST, "/bs", C(2, 4));
    CLIENT(11000, MGMT, .type = BJ_COAP_CON, .code = POST, .mid = 50, .token = "tr", .path = "/rd",
           .query = { "ep=dev-1", "lt=1000000", "lwm2m=1.1" }, .format = LINK + 1,
           .payload = "</1/0>,</3/0>,</3442/0>");
    registered(11100, 50);
    at_ms = 12000;
    next_mid = 1000;
}

/* A request of that server, and its answer 10 ms later. */
static inline void asks_as(int server, const msg *request, const msg *answer) {
    msg asked = *request, told = *answer;
    asked.type = BJ_COAP_CON;
    told.type = BJ_COAP_ACK;
    asked.mid = told.mid = next_mid++;
    asked.token = told.token = "tm";
    server_says(at_ms, server, &asked);
    client_says(at_ms + 10, server, &told);
    at_ms += 100;
}

#define ASKS(request, answer) asks_as(MGMT, &(msg) request, &(msg) answer)
#define ARG(...)                                                                                                       \
    { __VA_ARGS__ }

static inline void reads(const char *path, const char *text) {
    ASKS(ARG(.code = GET, .path = path), ARG(.code = C(2, 5), .format = 1, .payload = text));
}

static inline void writes_text(const char *path, const char *text, uint8_t code) {
    ASKS(ARG(.code = PUT, .path = path, .format = 1, .payload = text), ARG(.code = code));
}

static inline void writes_json(uint8_t method, const char *path, const char *json, uint8_t code) {
    ASKS(ARG(.code = method, .path = path, .format = SENML_JSON + 1, .payload = json), ARG(.code = code));
}

static inline void reads_json(const char *path, const char *json) {
    ASKS(ARG(.code = GET, .path = path, .accept = SENML_JSON + 1),
         ARG(.code = C(2, 5), .format = SENML_JSON + 1, .payload = json));
}

static inline void simple(uint8_t method, const char *path, uint8_t code) {
    ASKS(ARG(.code = method, .path = path), ARG(.code = code));
}

#endif
