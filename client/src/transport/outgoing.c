/* SPDX-License-Identifier: Apache-2.0
 *
 * A request of ours that is kept, and how far it is sent: in one message, or its payload in blocks (RFC 7959 §2.5).
 */
#include <string.h>

#include "transport/internal.h"

/* --- keeping it ------------------------------------------------------------------------------------------------- */

static size_t texts_size(const bjc_text *texts, size_t count) {
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size += texts[i].length;
    }
    return size;
}

static uint8_t *keep_texts(bjc_text *texts, size_t count, uint8_t *at) {
    for (size_t i = 0; i < count; i++) {
        if (texts[i].length) {
            memcpy(at, texts[i].data, texts[i].length);
        }
        texts[i].data = (const char *) at;
        at += texts[i].length;
    }
    return at;
}

bool bjc_outgoing_keep(bjc_outgoing *out, const bootjack_allocator *allocator, const bjc_request *request) {
    size_t size = texts_size(request->path, request->path_count) + texts_size(request->query, request->query_count) +
                  request->payload_length;
    *out = (bjc_outgoing){ .request = *request };
    bjc_outgoing_rewind(out);
    out->storage = bjc_allocate(allocator, size);
    if (!out->storage) {
        return false;
    }
    uint8_t *at = keep_texts(out->request.path, request->path_count, out->storage);
    at = keep_texts(out->request.query, request->query_count, at);
    if (request->payload_length) {
        memcpy(at, request->payload, request->payload_length);
    }
    out->request.payload = at;
    return true;
}

void bjc_outgoing_free(bjc_outgoing *out, const bootjack_allocator *allocator) {
    bjc_release(allocator, out->storage);
    out->storage = NULL;
}

/* A payload that the message has no room for is put into blocks when the message is built. */
void bjc_outgoing_rewind(bjc_outgoing *out) {
    out->sent = 0;
    out->size_exponent = BJC_MESSAGE_SIZE_EXPONENT;
    out->in_blocks = out->request.payload_length > BJC_MESSAGE_PAYLOAD;
}

/* --- sending it ------------------------------------------------------------------------------------------------- */

static bool add_texts(coap_pdu_t *pdu, coap_option_num_t number, const bjc_text *texts, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!coap_add_option(pdu, number, texts[i].length, (const uint8_t *) texts[i].data)) {
            return false;
        }
    }
    return true;
}

static bool add_number(coap_pdu_t *pdu, coap_option_num_t option, uint32_t number) {
    uint8_t bytes[4];
    return coap_add_option(pdu, option, coap_encode_var_safe(bytes, sizeof bytes, number), bytes) > 0;
}

/* In the order of the options' numbers. */
static bool fill(coap_pdu_t *pdu, const bjc_request *request, const uint8_t *token) {
    return coap_add_token(pdu, BJC_TOKEN_LENGTH, token) &&
           add_texts(pdu, COAP_OPTION_URI_PATH, request->path, request->path_count) &&
           (request->content_format < 0 ||
            add_number(pdu, COAP_OPTION_CONTENT_FORMAT, (uint32_t) request->content_format)) &&
           add_texts(pdu, COAP_OPTION_URI_QUERY, request->query, request->query_count) &&
           (!request->has_accept || add_number(pdu, COAP_OPTION_ACCEPT, request->accept)) &&
           (!request->has_block2 || add_number(pdu, COAP_OPTION_BLOCK2, request->block2)) &&
           (!request->in_block || add_number(pdu, COAP_OPTION_BLOCK1, request->block1)) &&
           (!request->size1 || add_number(pdu, COAP_OPTION_SIZE1, request->size1)) &&
           (request->payload_length == 0 || coap_add_data(pdu, request->payload_length, request->payload));
}

/* The part of the payload that is to leave now. */
static bjc_request next_part(const bjc_outgoing *out) {
    bjc_request part = out->request;
    size_t size = (size_t) 16 << out->size_exponent, left = part.payload_length - out->sent;
    if (out->in_blocks) {
        bjc_block block = { .number = (uint32_t) (out->sent / size),
                            .more = left > size,
                            .size_exponent = out->size_exponent };
        part.in_block = true;
        part.block1 = (uint32_t) bjc_block_value(&block);
        part.size1 = out->sent == 0 ? (uint32_t) part.payload_length : 0;
        part.payload += out->sent;
        part.payload_length = block.more ? size : left;
    }
    return part;
}

/* Smaller blocks, of which the payload makes more than one; false: they are as small as they can be. */
static bool take_smaller(bjc_outgoing *out) {
    if (out->in_blocks && out->size_exponent == 0) {
        return false;
    }
    out->size_exponent -= out->in_blocks;
    out->in_blocks = true;
    while (out->size_exponent > 0 && (size_t) 16 << out->size_exponent >= out->request.payload_length - out->sent) {
        out->size_exponent--;
    }
    return true;
}

/* Path and query may leave less room than the largest block needs, and so may a server that takes small messages. */
coap_pdu_t *bjc_outgoing_pdu(bjc_outgoing *out, bjc_session *session, const uint8_t token[BJC_TOKEN_LENGTH]) {
    const uint16_t message_id = coap_new_message_id(session->coap);
    coap_pdu_t *pdu;
    bool built;
    do {
        const bjc_request part = next_part(out);
        pdu = coap_pdu_init(COAP_MESSAGE_CON, (coap_pdu_code_t) part.method, message_id,
                            coap_session_max_pdu_size(session->coap));
        built = pdu && fill(pdu, &part, token);
        if (!built) {
            coap_delete_pdu(pdu);
        }
    } while (!built && pdu && out->request.payload_length > 0 && take_smaller(out));
    return built ? pdu : NULL;
}

/* 2.31: the server has this block and awaits the next, of a size that it may lessen. */
bool bjc_outgoing_goes_on(bjc_outgoing *out, const coap_pdu_t *received) {
    coap_opt_iterator_t iterator;
    const coap_opt_t *option = coap_check_option(received, COAP_OPTION_BLOCK1, &iterator);
    size_t size = (size_t) 16 << out->size_exponent;
    bjc_block block;
    if (coap_pdu_get_code(received) != (coap_pdu_code_t) BJC_CONTINUE || !out->in_blocks ||
        out->sent + size >= out->request.payload_length) {
        return false;
    }
    if (option && bjc_block_parse(coap_opt_value(option), coap_opt_length(option), &block) &&
        block.size_exponent < out->size_exponent) {
        out->size_exponent = block.size_exponent;
    }
    out->sent += size;
    return true;
}
