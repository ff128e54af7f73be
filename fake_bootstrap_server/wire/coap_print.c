/* SPDX-License-Identifier: Apache-2.0
 *
 * A CoAP message in one line for people, and as a JSON object for programs.
 */
#include <string.h>

#include "wire/coap.h"
#include "wire/coap_body.h"
#include "wire/payload.h"
#include "wire/reader.h"

static const char *type_name(uint8_t type) {
    static const char *const names[] = { "CON", "NON", "ACK", "RST" };
    return names[type & 3];
}

static bool option_uint(const bj_coap_option *option, uint32_t *value) {
    bj_reader r = bj_reader_over(option->value, option->length);
    return option->length <= 4 && bj_reader_uint(&r, option->length, value);
}

static uint32_t format_of(const bj_coap *message) {
    uint32_t format;
    return bj_coap_find_uint(message, BJ_COAP_CONTENT_FORMAT, &format) ? format : BJ_FORMAT_NONE;
}

/* Is the payload only a part of a representation (RFC 7959)? Then its bytes cannot be read by themselves. */
static bool is_part(const bj_coap *message) {
    uint32_t number = bj_coap_is_request(message->code) ? BJ_COAP_BLOCK1 : BJ_COAP_BLOCK2;
    uint32_t block;
    return bj_coap_find_uint(message, number, &block) && (block & 8 || block >> 4);
}

/* --- for people ----------------------------------------------------------------------------------------------- */

static void print_code(bj_text *out, uint8_t code) {
    const char *name = bj_coap_method_name(code);
    name = name ? name : bj_coap_signal_name(code);
    if (name || !code) {
        bj_text_add(out, name ? name : "Empty");
    } else {
        bj_coap_code_print(out, code);
    }
}

static void print_query(bj_text *out, const bj_coap *message) {
    char front = '?';
    for (size_t i = 0; i < message->option_count; i++) {
        const bj_coap_option *option = &message->options[i];
        if (option->number == BJ_COAP_URI_QUERY) {
            bj_text_add_char(out, front);
            bj_print_plain(out, option->value, option->length);
            front = '&';
        }
    }
}

/* A block option as number/more/size (RFC 7959 2.2). */
static void print_block(bj_text *out, uint32_t value) {
    unsigned szx = value & 7;
    bj_text_add_number(out, value >> 4);
    bj_text_add(out, value & 8 ? "/more/" : "/last/");
    if (szx == 7) {
        bj_text_add(out, "reserved");
    } else {
        bj_text_add_number(out, 16u << szx);
    }
}

static void print_option_value(bj_text *out, const bj_coap_option *option, bj_coap_option_form form) {
    uint32_t number;
    bool readable = option_uint(option, &number);
    if (form == BJ_COAP_FORM_STRING) {
        bj_text_add(out, " ");
        bj_print_plain(out, option->value, option->length);
    } else if (form == BJ_COAP_FORM_UINT && readable) {
        bj_text_add_char(out, ' ');
        bj_text_add_number(out, number);
    } else if (form == BJ_COAP_FORM_BLOCK && readable) {
        bj_text_add(out, " ");
        print_block(out, number);
    } else if (option->length) {
        bj_text_add(out, " 0x");
        bj_text_hex(out, option->value, option->length);
    }
}

static void print_option(bj_text *out, const bj_coap *message, const bj_coap_option *option) {
    bj_coap_option_form form;
    const char *name = bj_coap_option_name_in(message->code, option->number, &form);
    bj_text_add(out, ", ");
    if (name) {
        bj_text_add(out, name);
    } else {
        bj_text_add(out, "option ");
        bj_text_add_number(out, option->number);
    }
    print_option_value(out, option, form);
}

/* Is the option said elsewhere in the line? */
static bool said_elsewhere(const bj_coap *message, const bj_coap_option *option) {
    bool request = bj_coap_is_request(message->code);
    switch (option->number) {
    case BJ_COAP_URI_PATH:
    case BJ_COAP_URI_QUERY:
        return request;
    case BJ_COAP_LOCATION_PATH:
        return message->code >> 5 != 7;
    case BJ_COAP_CONTENT_FORMAT:
        return message->payload_length && option->length <= 4 && message->code >> 5 != 7;
    default:
        return false;
    }
}

/* `[mid 1, token aa, Block1 0/more/64]`: every part begins with ", ", the first of which is then left out. */
static void print_brackets(bj_text *out, const bj_coap *message) {
    char room[1024];
    bj_text inner = bj_text_over(room, sizeof room);
    if (!message->stream) {
        bj_text_add(&inner, ", mid ");
        bj_text_add_number(&inner, message->mid);
    }
    if (message->token_length) {
        bj_text_add(&inner, ", token ");
        bj_text_hex(&inner, message->token, message->token_length);
    }
    if (message->code >> 5 != 7 && bj_coap_find(message, BJ_COAP_LOCATION_PATH, 0)) {
        bj_text_add(&inner, ", Location-Path ");
        bj_coap_path(message, BJ_COAP_LOCATION_PATH, &inner);
    }
    for (size_t i = 0; i < message->option_count; i++) {
        if (!said_elsewhere(message, &message->options[i])) {
            print_option(&inner, message, &message->options[i]);
        }
    }
    if (inner.used > 2) {
        bj_text_add(out, " [");
        bj_text_add_bytes(out, inner.start + 2, inner.used - 2);
        bj_text_add_char(out, ']');
    }
}

void bj_coap_print_at(bj_text *out, const bj_coap *message, const char *path) {
    BJ_TEXT(own_path, 256);
    if (!message->stream) {
        bj_text_add(out, type_name(message->type));
        bj_text_add_char(out, ' ');
    }
    print_code(out, message->code);
    if (bj_coap_is_request(message->code)) {
        bj_coap_path(message, BJ_COAP_URI_PATH, &own_path);
        path = own_path.start;
        bj_text_add_char(out, ' ');
        bj_text_add(out, path);
        print_query(out, message);
    }
    print_brackets(out, message);
    if (message->payload_length) {
        bj_payload_print(out, format_of(message), is_part(message), message->payload, message->payload_length, path);
    }
}

void bj_coap_print(bj_text *out, const bj_coap *message) {
    bj_coap_print_at(out, message, NULL);
}

/* --- for programs --------------------------------------------------------------------------------------------- */

/* `front`, here and below: what stands in front of the value as it is written, its name among it, `,"type":"`. */
static void json_word(bj_text *out, const char *front, const char *word) {
    bj_text_add(out, front);
    bj_text_add(out, word);
    bj_text_add_char(out, '"');
}

static void json_number(bj_text *out, const char *front, uint32_t number) {
    bj_text_add(out, front);
    bj_text_add_number(out, number);
}

static void json_hex(bj_text *out, const char *front, const uint8_t *bytes, size_t length) {
    bj_text_add(out, front);
    bj_text_hex(out, bytes, length);
    bj_text_add_char(out, '"');
}

/* Text as text, numbers as numbers, the rest (and what does not have its option's form) in hexadecimal. */
static void json_option_value(bj_text *out, const bj_coap_option *option, bj_coap_option_form form) {
    uint32_t number;
    bool is_number = form == BJ_COAP_FORM_UINT || form == BJ_COAP_FORM_BLOCK;
    if (form == BJ_COAP_FORM_STRING) {
        bj_text_json_string(out, (const char *) option->value, option->length);
    } else if (is_number && option_uint(option, &number)) {
        bj_text_add_number(out, number);
    } else {
        json_hex(out, "\"", option->value, option->length);
    }
}

static void json_options(bj_text *out, const bj_coap *message) {
    bj_text_add(out, ",\"options\":[");
    for (size_t i = 0; i < message->option_count; i++) {
        const bj_coap_option *option = &message->options[i];
        bj_coap_option_form form;
        const char *name = bj_coap_option_name_in(message->code, option->number, &form);
        if (i) {
            bj_text_add(out, "},");
        }
        bj_text_add(out, "{\"number\":");
        bj_text_add_number(out, option->number);
        if (name) {
            bj_text_add(out, ",\"name\":\"");
            bj_text_add(out, name);
            bj_text_add_char(out, '"');
        }
        bj_text_add(out, ",\"value\":");
        json_option_value(out, option, form);
    }
    if (message->option_count) {
        bj_text_add_char(out, '}');
    }
    bj_text_add_char(out, ']');
}

static void json_path(bj_text *out, const char *front, const bj_coap *message, uint32_t number) {
    BJ_TEXT(path, 2048);
    bj_coap_path(message, number, &path);
    bj_text_add(out, front);
    bj_text_json_string(out, path.start, path.used);
}

static void json_request(bj_text *out, const bj_coap *message) {
    const char *method = bj_coap_method_name(message->code);
    if (method) {
        json_word(out, ",\"method\":\"", method);
    }
    json_path(out, ",\"path\":", message, BJ_COAP_URI_PATH);
    bj_text_add(out, ",\"query\":[");
    const char *comma = "";
    for (size_t i = 0; i < message->option_count; i++) {
        const bj_coap_option *option = &message->options[i];
        if (option->number == BJ_COAP_URI_QUERY) {
            bj_text_add(out, comma);
            bj_text_json_string(out, (const char *) option->value, option->length);
            comma = ",";
        }
    }
    bj_text_add(out, "]");
}

static void json_header(bj_text *out, const bj_coap *message) {
    if (!message->stream) {
        json_number(out, "\"version\":", message->version);
        json_word(out, ",\"type\":\"", type_name(message->type));
        json_number(out, ",\"mid\":", message->mid);
        bj_text_add_char(out, ',');
    }
    bj_text_add(out, "\"code\":\"");
    bj_coap_code_print(out, message->code);
    json_hex(out, "\",\"token\":\"", message->token, message->token_length);
}

static void json_payload(bj_text *out, const bj_coap *message) {
    uint32_t format = format_of(message);
    if (format != BJ_FORMAT_NONE) {
        json_number(out, ",\"format\":", format);
    }
    if (message->payload) {
        json_hex(out, ",\"payload\":\"", message->payload, message->payload_length);
        if (!is_part(message)) {
            bj_payload_json(out, format, message->payload, message->payload_length);
        }
    }
}

void bj_coap_json(bj_text *out, const bj_coap *message, bj_coap_fault fault) {
    bj_text_add(out, "{");
    if (fault) {
        json_word(out, "\"fault\":\"", bj_coap_fault_text(fault));
    }
    if (fault != BJ_COAP_SHORT) {
        bj_text_add(out, fault ? "," : "");
        json_header(out, message);
        json_options(out, message);
        if (bj_coap_is_request(message->code)) {
            json_request(out, message);
        }
        if (message->code >> 5 != 7 && bj_coap_find(message, BJ_COAP_LOCATION_PATH, 0)) {
            json_path(out, ",\"location\":", message, BJ_COAP_LOCATION_PATH);
        }
        json_payload(out, message);
    }
    bj_text_add(out, "}");
}
