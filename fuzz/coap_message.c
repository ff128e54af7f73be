/* SPDX-License-Identifier: Apache-2.0
 *
 * See coap_message.h.
 */
#include "coap_message.h"

#include <string.h>

static bool same_bytes(const uint8_t *left, size_t left_length, const uint8_t *right, size_t right_length) {
    return left_length == right_length && (!left_length || memcmp(left, right, left_length) == 0);
}

bool coap_same(const bj_coap *left, const bj_coap *right) {
    if (left->type != right->type || left->code != right->code || left->mid != right->mid ||
        !same_bytes(left->token, left->token_length, right->token, right->token_length) ||
        left->option_count != right->option_count || !left->payload != !right->payload ||
        !same_bytes(left->payload, left->payload_length, right->payload, right->payload_length)) {
        return false;
    }
    for (size_t i = 0; i < left->option_count; i++) {
        const bj_coap_option *l = &left->options[i], *r = &right->options[i];
        if (l->number != r->number || !same_bytes(l->value, l->length, r->value, r->length)) {
            return false;
        }
    }
    return true;
}

void coap_print_all(const bj_coap *message, bj_coap_fault fault) {
    static char room[1 << 16];
    BJ_TEXT(why, 256);
    bj_text line = bj_text_over(room, sizeof room);
    bj_coap_print_at(&line, message, "/1/0");
    bj_text json = bj_text_over(room, sizeof room);
    bj_coap_json(&json, message, fault);
    if (!fault) {
        bj_coap_options_valid(message, &why);
    }
}
