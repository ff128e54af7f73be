/* SPDX-License-Identifier: Apache-2.0
 *
 * What a session remembers of the requests it received.
 */
#include "transport/inbound.h"

#include <string.h>

void bjc_inbound_init(bjc_inbound *inbound, const bjc_core *core) {
    *inbound = (bjc_inbound){ .core = core };
}

/* --- answers ---------------------------------------------------------------------------------------------------- */

static void exchange_free(bjc_inbound *inbound, bjc_exchange *exchange) {
    bjc_release_wiped(&inbound->core->allocator, exchange->answer.payload, exchange->answer.payload_length);
    bjc_release(&inbound->core->allocator, exchange);
}

static void exchanges_free(bjc_inbound *inbound, bjc_exchange **from) {
    while (*from) {
        bjc_exchange *exchange = *from;
        *from = exchange->next;
        exchange_free(inbound, exchange);
    }
}

/* Lifetimes differ between CON and NON, so that the list is not in the order of expiry. */
static void forget_expired(bjc_inbound *inbound) {
    bjc_time now = bjc_now();
    bjc_exchange **slot = &inbound->exchanges;
    for (unsigned count = 0; *slot;) {
        bjc_exchange *exchange = *slot;
        if (exchange->expires <= now || ++count > BJC_INBOUND_EXCHANGES) {
            *slot = exchange->next;
            exchange_free(inbound, exchange);
        } else {
            slot = &exchange->next;
        }
    }
}

const bjc_exchange *bjc_inbound_known(bjc_inbound *inbound, uint16_t message_id) {
    forget_expired(inbound);
    const bjc_exchange *exchange = inbound->exchanges;
    while (exchange && exchange->message_id != message_id) {
        exchange = exchange->next;
    }
    return exchange;
}

void bjc_inbound_remember(bjc_inbound *inbound, uint16_t message_id, bool confirmable, const bjc_answer *answer) {
    const bootjack_tx_params *tx = &inbound->core->config.tx;
    bjc_exchange *exchange = bjc_allocate(&inbound->core->allocator, sizeof *exchange);
    if (!exchange) {
        return;
    }
    exchange->message_id = message_id;
    exchange->expires = bjc_now() + (confirmable ? bjc_exchange_lifetime(tx) : bjc_non_lifetime(tx));
    exchange->answered = answer->code != 0;
    exchange->answer = *answer;
    exchange->answer.payload = NULL;
    if (answer->payload_length) {
        exchange->answer.payload = bjc_copy_bytes(&inbound->core->allocator, answer->payload, answer->payload_length);
        if (!exchange->answer.payload) {
            bjc_release(&inbound->core->allocator, exchange);
            return;
        }
    }
    exchange->next = inbound->exchanges;
    inbound->exchanges = exchange;
}

/* --- bodies in blocks ------------------------------------------------------------------------------------------- */

static void transfer_free(bjc_inbound *inbound, bjc_transfer *transfer) {
    bjc_buffer_free(&transfer->body);
    bjc_buffer_free(&transfer->key);
    bjc_release(&inbound->core->allocator, transfer);
}

void bjc_inbound_free(bjc_inbound *inbound) {
    exchanges_free(inbound, &inbound->exchanges);
    while (inbound->transfers) {
        bjc_transfer *transfer = inbound->transfers;
        inbound->transfers = transfer->next;
        transfer_free(inbound, transfer);
    }
}

bool bjc_block_parse(const uint8_t *data, size_t length, bjc_block *block) {
    uint32_t value = 0;
    for (size_t i = 0; i < length && i < 3; i++) {
        value = value << 8 | data[i];
    }
    *block = (bjc_block){ .number = value >> 4, .more = value & 8, .size_exponent = value & 7 };
    return length <= 3;
}

size_t bjc_block_unit(const bjc_block *block) {
    return (size_t) 16 << (block->size_exponent == BJC_BERT ? 6 : block->size_exponent);
}

int64_t bjc_block_value(const bjc_block *block) {
    return (int64_t) block->number << 4 | (block->more ? 8 : 0) | block->size_exponent;
}

static void key_texts(bjc_buffer *key, const bjc_text *texts, size_t count) {
    for (size_t i = 0; i < count; i++) {
        bjc_buffer_byte(key, (unsigned) texts[i].length & 0xFF);
        bjc_buffer_append(key, texts[i].data, texts[i].length);
    }
    bjc_buffer_byte(key, 0);
}

/* What makes two blocks belong together: peer (the session), method, resource and Request-Tag; not the token, which may
 * be another for each block (RFC 7959 §2.4). */
static void make_key(bjc_inbound *inbound, const bjc_incoming *request, bjc_buffer *key) {
    bjc_buffer_init(key, &inbound->core->allocator);
    bjc_buffer_byte(key, request->method);
    key_texts(key, request->path, request->path_count);
    key_texts(key, request->query, request->query_count);
    key_texts(key, request->tags, request->tag_count);
}

/* Takes the bytes from the front of what is left of a key; false when others stand there. */
static bool key_goes_on(bjc_text *key, const void *bytes, size_t length) {
    if (key->length < length || (length && memcmp(key->data, bytes, length) != 0)) {
        return false;
    }
    key->data += length;
    key->length -= length;
    return true;
}

static bool key_has_texts(bjc_text *key, const bjc_text *texts, size_t count) {
    bool same = true;
    for (size_t i = 0; same && i < count; i++) {
        uint8_t length = (uint8_t) (texts[i].length & 0xFF);
        same = key_goes_on(key, &length, 1) && key_goes_on(key, texts[i].data, texts[i].length);
    }
    return same && key_goes_on(key, "", 1);
}

/* Is that the key of the request? None is made for it: this is asked of each transfer for each block. */
static bool is_of(const bjc_transfer *transfer, const bjc_incoming *request) {
    bjc_text key = { (const char *) transfer->key.data, transfer->key.length };
    return key_goes_on(&key, &request->method, 1) && key_has_texts(&key, request->path, request->path_count) &&
           key_has_texts(&key, request->query, request->query_count) &&
           key_has_texts(&key, request->tags, request->tag_count) && !key.length;
}

static bjc_transfer **find_transfer(bjc_inbound *inbound, const bjc_incoming *request) {
    bjc_transfer **slot = &inbound->transfers;
    bjc_time now = *slot ? bjc_now() : 0;
    while (*slot) {
        bjc_transfer *transfer = *slot;
        if (transfer->expires <= now) {
            *slot = transfer->next;
            transfer_free(inbound, transfer);
        } else if (is_of(transfer, request)) {
            break;
        } else {
            slot = &transfer->next;
        }
    }
    return slot;
}

void bjc_inbound_finished(bjc_inbound *inbound, const bjc_incoming *request) {
    bjc_transfer **slot = find_transfer(inbound, request);
    bjc_transfer *transfer = *slot;
    if (transfer) {
        *slot = transfer->next;
        transfer_free(inbound, transfer);
    }
}

static bjc_transfer *start_transfer(bjc_inbound *inbound, const bjc_incoming *request) {
    unsigned count = 0;
    for (const bjc_transfer *other = inbound->transfers; other; other = other->next) {
        count++;
    }
    bjc_transfer *transfer =
        count < BJC_INBOUND_TRANSFERS ? bjc_allocate(&inbound->core->allocator, sizeof *transfer) : NULL;
    if (!transfer) {
        return NULL;
    }
    make_key(inbound, request, &transfer->key);
    bjc_buffer_init(&transfer->body, &inbound->core->allocator);
    transfer->content_format = request->content_format;
    if (transfer->key.failed) {
        transfer_free(inbound, transfer);
        return NULL;
    }
    transfer->next = inbound->transfers;
    inbound->transfers = transfer;
    return transfer;
}

/* The transfer that the block continues or begins; NULL with the code to answer. */
static bjc_transfer *transfer_for(bjc_inbound *inbound, const bjc_incoming *request, const bjc_block *block,
                                  uint8_t *code) {
    bjc_transfer *transfer = *find_transfer(inbound, request);
    if (block->number == 0) {
        if (transfer) {
            bjc_inbound_finished(inbound, request); /* begun anew */
        }
        transfer = start_transfer(inbound, request);
        *code = BJC_INTERNAL_ERROR;
        return transfer;
    }
    *code = BJC_INCOMPLETE;
    return transfer && transfer->content_format == request->content_format ? transfer : NULL;
}

/* Puts the block where it belongs. A block that is there already, sent again under a new message id, changes nothing.
 */
static uint8_t put_block(bjc_transfer *transfer, const bjc_incoming *request, const bjc_block *block, size_t offset) {
    size_t end = offset + request->payload_length;
    bool repeated = end <= transfer->body.length && request->payload_length > 0;
    if (!repeated && offset != transfer->body.length) {
        return BJC_INCOMPLETE;
    }
    if (!repeated && !bjc_buffer_append(&transfer->body, request->payload, request->payload_length)) {
        return BJC_INTERNAL_ERROR;
    }
    return !block->more && end != transfer->body.length ? BJC_INCOMPLETE : 0;
}

/* All blocks but the last are full; with BERT, those are any number of units (RFC 7959 §2.2, RFC 8323 §6). */
static bool whole_block(const bjc_inbound *inbound, const bjc_block *block, size_t length) {
    size_t unit = bjc_block_unit(block);
    if (block->size_exponent == BJC_BERT) {
        return inbound->stream && (!block->more || (length > 0 && length % unit == 0));
    }
    return block->more ? length == unit : length <= unit;
}

uint8_t bjc_inbound_block(bjc_inbound *inbound, bjc_incoming *request, const bjc_block *block) {
    size_t offset = bjc_block_unit(block) * block->number;
    uint8_t code;
    if (!whole_block(inbound, block, request->payload_length)) {
        return BJC_BAD_REQUEST;
    }
    if (offset + request->payload_length > inbound->core->config.max_payload) {
        bjc_inbound_finished(inbound, request);
        return BJC_TOO_LARGE;
    }
    bjc_transfer *transfer = transfer_for(inbound, request, block, &code);
    if (!transfer) {
        return code;
    }
    code = put_block(transfer, request, block, offset);
    if (code) {
        bjc_inbound_finished(inbound, request);
        return code;
    }
    transfer->expires = bjc_now() + bjc_exchange_lifetime(&inbound->core->config.tx);
    request->payload = transfer->body.data;
    request->payload_length = transfer->body.length;
    return block->more ? BJC_CONTINUE : 0;
}
