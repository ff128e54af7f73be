/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files that make scenarios of captures share, and nobody else includes.
 */
#ifndef BJ_CAPTURE_SCRIPT_INTERNAL_H
#define BJ_CAPTURE_SCRIPT_INTERNAL_H

#include "capture/script.h"
#include "world.h"

/* One more line of what is assumed, for the top of the file. */
void script_assume(bj_script *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Fields of records; what they hold is copied. */
void script_set_text(bj_script *s, bj_record *r, unsigned field, const char *text);
void script_set_uint(bj_script *s, bj_record *r, unsigned field, bj_type type, uint32_t number);
void script_set_bool(bj_script *s, bj_record *r, unsigned field, bool value);
void script_set_duration(bj_script *s, bj_record *r, unsigned field, bj_time duration);
void script_set_bytes(bj_script *s, bj_record *r, unsigned field, const uint8_t *bytes, size_t length);
void script_set_record(bj_script *s, bj_record *r, unsigned field, const bj_record *inner);

/* script_head.c: servers and their names; both, and the client, into the scenario. */
void script_find_servers(bj_script *s);
/* Does the client never speak to this server? What comes from there is a stranger's. */
bool script_is_stranger(const bj_script *s, unsigned server);
void script_put_servers(bj_script *s);
void script_put_client(bj_script *s);

/* script_notes.c: what the capture says beside its packets. */
void script_read_notes(bj_script *s);
/* A field of the scenario that is known so. true: it is, or it is known that there is none. */
bool script_put_given(bj_script *s, unsigned field);
/* The server at this place of the talk as it was given; NULL. */
const bj_named *script_given_server(const bj_script *s, unsigned server);
/* As it was given, but for the link and the port, of which the packets tell. */
bj_record *script_given_record(bj_script *s, const bj_named *given);
/* The name of the client that was given; "" where none was. */
const char *script_given_endpoint(const bj_script *s);
/* Of the network that was given, one way. */
bj_time script_given_latency(const bj_script *s);
/* The greatest size of datagrams, into the scenario's network. */
void script_put_mtu(bj_script *s);
/* Steps that no packet shows, which began before this frame. */
void script_noted_steps(bj_script *s, uint32_t frame);

/* script_keys.c: keeps the Security accounts that stand in what a server wrote to `target`. */
void script_learn(bj_script *s, const bj_path *target, const bj_value *values);
/* Identity and key of a server, in these fields: what was written of it, else of --keys, else made up. */
void script_put_key(bj_script *s, bj_record *r, unsigned server, unsigned identity, unsigned key);
/* What of them is assumed, when all are put. */
void script_assume_keys(bj_script *s);

/* --- script_base.c: what steps are made with --- */

enum { BJ_SCRIPT_NO_FORMAT = 65536 };

/* The message at a place of the talk; NULL for BJ_TALK_NONE. */
const bj_message *script_message(const bj_script *s, int index);
/* More of the comment above the next step. */
void script_say(bj_script *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The next step, with what was said as its comment. */
bj_record *script_step(bj_script *s, bj_kind kind);
/* The server that a message comes from or goes to, as steps name it. */
const char *script_name_of(bj_script *s, const bj_message *m);

void script_put_codes(bj_script *s, bj_record *r, unsigned field, uint8_t code);
void script_put_when(bj_script *s, bj_record *r, unsigned field, bj_when when);
void script_put_strings(bj_script *s, bj_record *r, unsigned field, bj_type type, const bj_string *items, size_t count);
/* What the client must answer: any response, where it is only followed. */
void script_put_expected(bj_script *s, bj_record *r, unsigned field, uint8_t code);

/* From the end of the last step. */
bj_time script_since(const bj_script *s, bj_time time);
/* The step ends with this message: in the clock of the servers, with whom what the client sends is a latency later. */
void script_end_with(bj_script *s, const bj_message *m);
/* A pause of a server as it is written: to a millisecond; 0: it is too short to be said. */
bj_time script_pause(const bj_script *s, bj_time gap);
/* `at` of what a server sends. */
void script_put_moment(bj_script *s, bj_record *r, unsigned field, bj_time time);
/* A time of the client, to about two hundredths of it: the same client is a little earlier or later in another network.
 */
bj_time script_rounded(bj_time time);
/* When the client must do something: a tenth and half a second around the time of the capture. */
void script_put_window(bj_script *s, bj_record *r, unsigned at, unsigned within, bj_time time);

/* Where a payload goes in a record of a kind; 0: it has no such field. */
typedef struct script_payload {
    unsigned tlv, values, text, hex, format;
} script_payload;
uint32_t script_format_of(const bj_coap *c);
void script_put_format(bj_script *s, bj_record *r, unsigned field, uint32_t format, uint32_t usual);
/* As values where they say the same, as text where it is one, else as bytes. `target`: NULL where it holds no values;
 * `usual`: the format of bytes. */
void script_put_payload(bj_script *s, bj_record *r, const script_payload *f, uint32_t format, const bj_path *target,
                        const uint8_t *data, size_t length, uint32_t usual);

/* Options that some steps say by a field, and others do not. */
enum { SAYS_ACCEPT = 1, SAYS_LOCATION = 2, SAYS_OBSERVE = 4, SAYS_BLOCKS = 8 };
/* Options that no field says. */
void script_put_options(bj_script *s, bj_record *r, unsigned field, const bj_coap *c, unsigned says);
/* Queries; `only`: NULL, or those that begin so. */
void script_put_query(bj_script *s, bj_record *r, unsigned field, const bj_coap *c, const char *const *only);

/* --- script_client.c: what the client sends --- */

/* A server's port opens or closes (BJ_ENUM_PORT) before the client speaks to it. */
void script_set_port(bj_script *s, const bj_message *m, uint32_t state);
/* A request that met a closed port, and was never answered. */
bool script_unreachable(const bj_script *s, int index);
/* Can a `respond` say which request it answers? */
bool script_is_answerable(const bj_script *s, int request);
/* `overtakes`: another one that left before it is awaited behind it. */
void script_client_request(bj_script *s, int index, bool overtakes);
/* Requests that leave at the same time may be with the servers in another order: that in which they are answered. */
void script_overtaking_requests(bj_script *s, int index);
/* Nothing of the server comes for this request: neither an answer nor an acknowledgement. */
void script_unanswered(bj_script *s, int index);
void script_clients_response(bj_script *s, int index);
void script_clients_empty(bj_script *s, int index);
/* A copy of the client's request that is still unanswered. */
void script_clients_copy(bj_script *s, int index);

/* --- script_answers.c: what servers answer --- */

void script_servers_response(bj_script *s, int index);
/* An empty message of a server: the first half of a separate answer, a rejection, a ping. */
void script_servers_empty(bj_script *s, int index);
/* Raw bytes of a server that nothing else says. */
void script_raw(bj_script *s, const bj_message *m, const char *what);

/* --- script_operations.c: what servers ask of the client --- */

void script_servers_request(bj_script *s, int index);
/* The same request once more, behind its answer. */
void script_repeated_request(bj_script *s, int index);
/* Finds out which requests begin observations. */
void script_count_observations(bj_script *s);
/* The name of the observation that a request began, where there are several. */
void script_put_observation(bj_script *s, bj_record *r, unsigned field, int request);

/* --- script_contact.c --- */

/* A handshake of which nothing can be read: how it ends, as far as that stands in clear. */
void script_handshake(bj_script *s, int index);
/* The client opens a connection. */
void script_connection(bj_script *s, int index);
/* A server ends a connection. */
void script_hang_up(bj_script *s, int index);

/* --- script_steps.c: the steps, one message after the other --- */

void script_put_steps(bj_script *s);

#endif
