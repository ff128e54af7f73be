/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests of the servers: taken apart, checked for duplicates and for options that must be refused, put together from
 * blocks, given to the session's owner, answered.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "transport/internal.h"

/* RFC 9175 §3; of libcoap 4.3.1 unknown. */
#define REQUEST_TAG 292
/* Of a message, for its token and options. */
#define OPTIONS_ROOM 64u

typedef struct parsed {
    bjc_incoming request;
    unsigned seen_host, seen_port, seen_accept, seen_block1, seen_block2, seen_observe;
    bool stream;
    bool refused; /* an option that we must not ignore (RFC 7252 §5.4.1, §5.4.5): 4.02 */
    bool broken;  /* not a request that could be meant: 4.00 */
    bjc_block block1, block2;
    uint64_t size1;
} parsed;

static void add_text(parsed *p, bjc_text *texts, size_t *count, const coap_opt_t *option) {
    if (*count == BJC_SEGMENTS) {
        p->broken = true;
        return;
    }
    texts[(*count)++] = (bjc_text){ (const char *) coap_opt_value(option), coap_opt_length(option) };
}

static unsigned option_number(const coap_opt_t *option) {
    return coap_decode_var_bytes(coap_opt_value(option), coap_opt_length(option));
}

/* Options that may be there once: a second one counts as unknown (RFC 7252 §5.4.5). */
static void once(parsed *p, unsigned *seen) {
    p->refused = p->refused || (*seen)++ > 0;
}

static void take_block(parsed *p, unsigned *seen, bjc_block *block, const coap_opt_t *option) {
    once(p, seen);
    if (!bjc_block_parse(coap_opt_value(option), coap_opt_length(option), block) ||
        (block->size_exponent == BJC_BERT && !p->stream)) {
        p->broken = true;
    }
}

static void take_option(parsed *p, coap_option_num_t number, const coap_opt_t *option) {
    switch (number) {
    case COAP_OPTION_IF_MATCH:
    case COAP_OPTION_IF_NONE_MATCH:
        p->refused = true; /* LwM2M has no use for them, and they must not be passed over */
        break;
    case COAP_OPTION_URI_HOST:
        once(p, &p->seen_host);
        break;
    case COAP_OPTION_URI_PORT:
        once(p, &p->seen_port);
        break;
    case COAP_OPTION_URI_PATH:
        add_text(p, p->request.path, &p->request.path_count, option);
        break;
    case COAP_OPTION_URI_QUERY:
        add_text(p, p->request.query, &p->request.query_count, option);
        break;
    case COAP_OPTION_CONTENT_FORMAT: /* elective: a second one is passed over */
        p->request.content_format =
            p->request.content_format < 0 ? (int) option_number(option) : p->request.content_format;
        break;
    case COAP_OPTION_OBSERVE: /* elective: a second one is passed over */
        p->request.observe = p->seen_observe++ ? p->request.observe : (int) (option_number(option) & 0xFFFFFF);
        break;
    case COAP_OPTION_ACCEPT:
        once(p, &p->seen_accept);
        p->request.accept = (int) option_number(option);
        break;
    case COAP_OPTION_BLOCK1:
        take_block(p, &p->seen_block1, &p->block1, option);
        break;
    case COAP_OPTION_BLOCK2:
        take_block(p, &p->seen_block2, &p->block2, option);
        break;
    case REQUEST_TAG:
        if (p->request.tag_count == BJC_TAGS) {
            p->broken = true;
        } else {
            p->request.tags[p->request.tag_count++] =
                (bjc_text){ (const char *) coap_opt_value(option), coap_opt_length(option) };
        }
        break;
    case COAP_OPTION_SIZE1:
        p->size1 = option_number(option);
        break;
    default:
        break;
    }
}

static void parse(parsed *p, const coap_pdu_t *pdu, bool stream) {
    memset(p, 0, sizeof *p);
    p->stream = stream;
    p->request.method = (uint8_t) coap_pdu_get_code(pdu);
    p->request.content_format = p->request.accept = p->request.observe = -1;
    coap_bin_const_t token = coap_pdu_get_token(pdu);
    p->request.token_length = token.length <= BJC_TOKEN_MAX ? token.length : 0;
    memcpy(p->request.token, token.length ? token.s : (const uint8_t *) "", p->request.token_length);
    coap_opt_iterator_t iterator;
    coap_option_iterator_init(pdu, &iterator, COAP_OPT_ALL);
    for (coap_opt_t *option = coap_option_next(&iterator); option; option = coap_option_next(&iterator)) {
        take_option(p, iterator.number, option);
    }
    coap_get_data(pdu, &p->request.payload_length, &p->request.payload);
    /* The root is written with no Uri-Path or with one that is empty (RFC 7252 §6.4). */
    if (p->request.path_count == 1 && p->request.path[0].length == 0) {
        p->request.path_count = 0;
    }
}

/* --- answering -------------------------------------------------------------------------------------------------- */

static void put_number(coap_pdu_t *response, coap_option_num_t option, int64_t number) {
    uint8_t bytes[4];
    if (number >= 0) {
        coap_add_option(response, option, coap_encode_var_safe(bytes, sizeof bytes, (unsigned) number), bytes);
    }
}

static void put_answer(coap_pdu_t *response, const bjc_answer *answer) {
    coap_pdu_set_code(response, (coap_pdu_code_t) answer->code);
    put_number(response, COAP_OPTION_OBSERVE, answer->observed ? (int64_t) answer->sequence : -1);
    for (unsigned i = 0; i < answer->location_count; i++) {
        char segment[8];
        int length = snprintf(segment, sizeof segment, "%u", answer->location[i]);
        coap_add_option(response, COAP_OPTION_LOCATION_PATH, (size_t) length, (const uint8_t *) segment);
    }
    put_number(response, COAP_OPTION_CONTENT_FORMAT, answer->content_format);
    put_number(response, COAP_OPTION_BLOCK2, answer->block2);
    put_number(response, COAP_OPTION_BLOCK1, answer->block1);
    put_number(response, COAP_OPTION_SIZE2, answer->size2);
    put_number(response, COAP_OPTION_SIZE1, answer->size1);
    if (answer->payload_length) {
        coap_add_data(response, answer->payload_length, answer->payload);
    }
}

/* libcoap drops an empty response that is Non-confirmable: not even an acknowledgement leaves. */
static void stay_silent(coap_pdu_t *response) {
    coap_pdu_set_type(response, COAP_MESSAGE_NON);
    coap_pdu_set_code(response, COAP_EMPTY_CODE);
}

/* What a message may carry: over TCP as much as the server takes (Max-Message-Size, RFC 8323 §5.3.1). */
static size_t message_payload(const bjc_session *session) {
    size_t most = session->stream ? coap_session_max_pdu_size(session->coap) : BJC_MESSAGE_PAYLOAD + OPTIONS_ROOM;
    return most > OPTIONS_ROOM + 16 ? most - OPTIONS_ROOM : 16;
}

/* The block that is asked for, in a size that fits; a first block may be smaller than asked for. BERT counts as blocks
 * of 1024 bytes do, and they serve as well. */
static bjc_block wanted_block(const parsed *p, size_t most) {
    bjc_block block = { .size_exponent = BJC_MESSAGE_SIZE_EXPONENT };
    if (p->seen_block2) {
        block = p->block2;
    }
    block.size_exponent = block.size_exponent == BJC_BERT ? BJC_MESSAGE_SIZE_EXPONENT : block.size_exponent;
    while (block.number == 0 && block.size_exponent > 0 && bjc_block_unit(&block) > most) {
        block.size_exponent--;
    }
    return block;
}

/* Cuts the asked-for block out of the answer (RFC 7959 §2.4); every block is made from a fresh answer. */
static void cut_block(const bjc_session *session, bjc_answer *answer, const parsed *p) {
    size_t total = answer->payload_length, most = message_payload(session);
    bjc_block block = wanted_block(p, most);
    size_t size = bjc_block_unit(&block), offset = size * block.number;
    if (answer->code != BJC_CONTENT || (total <= most && block.number == 0 && !p->seen_block2)) {
        return;
    }
    if (offset > total || (offset == total && total > 0)) {
        *answer = (bjc_answer){
            .code = BJC_BAD_REQUEST, .content_format = -1, .block1 = -1, .block2 = -1, .size1 = -1, .size2 = -1
        };
        return;
    }
    block.more = total - offset > size;
    answer->block2 = bjc_block_value(&block);
    answer->size2 = block.number == 0 ? (int64_t) total : -1;
    answer->payload = offset ? answer->payload + offset : answer->payload; /* of nothing there is no address */
    answer->payload_length = block.more ? size : total - offset;
}

/* The owner's answer to a whole request. */
static void ask_owner(bjc_session *session, const parsed *p, bjc_reply *reply, bjc_answer *answer) {
    session->incoming(session->incoming_context, &p->request, reply);
    answer->code = reply->payload.failed ? BJC_INTERNAL_ERROR : reply->code;
    if (answer->code == reply->code) {
        answer->content_format = reply->content_format;
        answer->payload = reply->payload.data;
        answer->payload_length = reply->payload.length;
        answer->observed = reply->observed;
        answer->sequence = reply->sequence;
        answer->location_count = reply->location_count;
        memcpy(answer->location, reply->location, sizeof answer->location);
    }
    cut_block(session, answer, p);
}

static void handle(bjc_session *session, parsed *p, bjc_reply *reply, bjc_answer *answer) {
    if (p->refused || p->broken) {
        answer->code = p->refused ? BJC_BAD_OPTION : BJC_BAD_REQUEST;
        return;
    }
    size_t most = session->transport->core->config.max_payload;
    /* Size1 says how much is to come (RFC 7959 §4): without blocks it means nothing, and is passed over. */
    if ((p->seen_block1 && p->size1 > most) || p->request.payload_length > most) {
        /* 4.13 belongs to blocks (RFC 7959 §2.9.3); the table of LwM2M has none (Transport 1.1 §6.7). */
        answer->code = p->seen_block1 ? BJC_TOO_LARGE : BJC_INTERNAL_ERROR;
    } else if (p->seen_block1) {
        answer->code = bjc_inbound_block(&session->inbound, &p->request, &p->block1);
    }
    answer->block1 = p->seen_block1 ? bjc_block_value(&p->block1) : -1;
    answer->size1 = answer->code == BJC_TOO_LARGE ? (int64_t) most : -1;
    if (answer->code) {
        return;
    }
    ask_owner(session, p, reply, answer);
    if (p->seen_block1) {
        bjc_inbound_finished(&session->inbound, &p->request);
    }
}

/* A stream delivers once; there are no message ids in it (RFC 8323 §3). */
static void remember(bjc_session *session, uint16_t message_id, bool confirmable, const bjc_answer *answer) {
    if (!session->stream) {
        bjc_inbound_remember(&session->inbound, message_id, confirmable, answer);
    }
}

void bjc_answer_new(bjc_session *session, const coap_pdu_t *request, coap_pdu_t *response) {
    parsed p;
    bool confirmable = coap_pdu_get_type(request) == COAP_MESSAGE_CON;
    bjc_reply reply = { .content_format = -1 };
    bjc_answer answer = { .content_format = -1, .block1 = -1, .block2 = -1, .size1 = -1, .size2 = -1 };
    bjc_buffer_init(&reply.payload, &session->transport->core->allocator);
    parse(&p, request, session->stream);
    handle(session, &p, &reply, &answer);
    /* RFC 7252 §5.4.1: a Non-confirmable request with an option that is refused gets no answer. */
    if (answer.code == 0 || (answer.code == BJC_BAD_OPTION && !confirmable)) {
        stay_silent(response);
    } else {
        remember(session, (uint16_t) coap_pdu_get_mid(request), confirmable, &answer);
        put_answer(response, &answer);
        bjc_session_note_use(session); /* a block, too, of which the owner hears nothing yet */
    }
    bjc_buffer_free(&reply.payload);
}

/* Neither an Acknowledgement nor a Reset message carries a request; one that does is passed over in silence (RFC 7252
 * §4.2, §4.3). libcoap hands it on. Streams have no types. */
static bool is_request(const bjc_session *session, const coap_pdu_t *pdu) {
    coap_pdu_type_t type = coap_pdu_get_type(pdu);
    return session->stream || type == COAP_MESSAGE_CON || type == COAP_MESSAGE_NON;
}

/* A Confirmable duplicate gets the same answer again, a Non-confirmable one none (RFC 7252 §4.5). */
void bjc_on_request(coap_resource_t *resource, coap_session_t *coap, const coap_pdu_t *request,
                    const coap_string_t *query, coap_pdu_t *response) {
    (void) resource;
    (void) query;
    bjc_session *session = coap_session_get_app_data(coap);
    if (session) {
        bjc_session_look(session); /* what came last may have made it the right server */
    }
    if (!session || !session->up || session->deaf || !is_request(session, request)) {
        stay_silent(response);
        return;
    }
    session->heard = true;
    const bjc_exchange *known =
        session->stream ? NULL : bjc_inbound_known(&session->inbound, (uint16_t) coap_pdu_get_mid(request));
    if (bjc_behind_waits(session)) {
        if (bjc_behind_keep(session, request)) {
            stay_silent(response);
        } else {
            coap_pdu_set_code(response, (coap_pdu_code_t) BJC_INTERNAL_ERROR);
        }
    } else if (!known) {
        bjc_answer_new(session, request, response);
    } else if (coap_pdu_get_type(request) == COAP_MESSAGE_CON && known->answered) {
        bjc_log(session->transport->core, BOOTJACK_LOG_DEBUG, "duplicate of message %u answered again",
                (unsigned) coap_pdu_get_mid(request));
        put_answer(response, &known->answer);
    } else {
        stay_silent(response);
    }
}
