/* SPDX-License-Identifier: Apache-2.0
 *
 * What a session remembers of the requests it received: answers for duplicates (RFC 7252 §4.5), and bodies that arrive
 * in blocks (RFC 7959 §2). Knows nothing of libcoap.
 */
#ifndef BJC_TRANSPORT_INBOUND_H
#define BJC_TRANSPORT_INBOUND_H

#include "bootjack/limits.h"
#include "transport/transport.h"

#define BJC_INBOUND_EXCHANGES BOOTJACK_MAX_ANSWERS   /* answers remembered; beyond that the oldest goes */
#define BJC_INBOUND_TRANSFERS BOOTJACK_MAX_TRANSFERS /* bodies under way at once */

/* An answer as it goes on the wire. */
typedef struct bjc_answer {
    uint8_t code;
    int content_format;
    int64_t block1, block2; /* option values, -1 = none */
    int64_t size1, size2;
    uint8_t *payload;
    size_t payload_length;
    bool observed;
    uint32_t sequence; /* Observe */
    uint16_t location[2];
    unsigned location_count;
} bjc_answer;

typedef struct bjc_exchange {
    struct bjc_exchange *next;
    uint16_t message_id;
    bjc_time expires;
    bool answered;
    bjc_answer answer;
} bjc_exchange;

typedef struct bjc_transfer {
    struct bjc_transfer *next;
    bjc_time expires;
    bjc_buffer key; /* method, path, query and Request-Tag */
    int content_format;
    bjc_buffer body;
} bjc_transfer;

typedef struct bjc_inbound {
    const bjc_core *core;
    bool stream;             /* over TCP or TLS: blocks may be BERT's */
    bjc_exchange *exchanges; /* newest first */
    bjc_transfer *transfers;
} bjc_inbound;

void bjc_inbound_init(bjc_inbound *inbound, const bjc_core *core);
void bjc_inbound_free(bjc_inbound *inbound);

/* The exchange that this message id belongs to, or NULL: it is new. */
const bjc_exchange *bjc_inbound_known(bjc_inbound *inbound, uint16_t message_id);
/* Remembers an answer (copied). `confirmable` decides for how long. Out of memory: not remembered. */
void bjc_inbound_remember(bjc_inbound *inbound, uint16_t message_id, bool confirmable, const bjc_answer *answer);

/* A block of a request's body. */
typedef struct bjc_block {
    uint32_t number;
    bool more;
    unsigned size_exponent; /* SZX, 0 to 7 */
} bjc_block;

/* SZX 7 over TCP and TLS: blocks of any number of units of 1024 bytes (RFC 8323 §6). */
#define BJC_BERT 7u

/* The bytes that one number of the block stands for. */
size_t bjc_block_unit(const bjc_block *block);
/* False: no value of a Block option. */
bool bjc_block_parse(const uint8_t *data, size_t length, bjc_block *block);
int64_t bjc_block_value(const bjc_block *block);

/* Takes the next block of the request. 0: the body is complete, `request` now has all of it (owned by the transfer
 * until bjc_inbound_finished()); else the code to answer with. */
uint8_t bjc_inbound_block(bjc_inbound *inbound, bjc_incoming *request, const bjc_block *block);
void bjc_inbound_finished(bjc_inbound *inbound, const bjc_incoming *request);

#endif
