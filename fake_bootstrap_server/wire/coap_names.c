/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of options, codes and Content-Formats.
 */
#include "wire/coap.h"
#include "wire/coap_body.h"
#include "wire/payload.h"

typedef struct option_entry {
    uint32_t number;
    bj_coap_option_form form;
    const char *name;
    uint16_t shortest;
    uint16_t longest;
    bool repeatable;
} option_entry;

/* In the order of numbers. RFC 7252 5.10, RFC 7641 2, RFC 7959 2.1, RFC 7967 2, RFC 8613 2, RFC 8768 3, RFC 9175 2.2
 * and 3.2. */
static const option_entry options[] = {
    { BJ_COAP_IF_MATCH, BJ_COAP_FORM_OPAQUE, "If-Match", 0, 8, true },
    { BJ_COAP_URI_HOST, BJ_COAP_FORM_STRING, "Uri-Host", 1, 255, false },
    { BJ_COAP_ETAG, BJ_COAP_FORM_OPAQUE, "ETag", 1, 8, true },
    { BJ_COAP_IF_NONE_MATCH, BJ_COAP_FORM_EMPTY, "If-None-Match", 0, 0, false },
    { BJ_COAP_OBSERVE, BJ_COAP_FORM_UINT, "Observe", 0, 3, false },
    { BJ_COAP_URI_PORT, BJ_COAP_FORM_UINT, "Uri-Port", 0, 2, false },
    { BJ_COAP_LOCATION_PATH, BJ_COAP_FORM_STRING, "Location-Path", 0, 255, true },
    { BJ_COAP_OSCORE, BJ_COAP_FORM_OPAQUE, "OSCORE", 0, 255, false },
    { BJ_COAP_URI_PATH, BJ_COAP_FORM_STRING, "Uri-Path", 0, 255, true },
    { BJ_COAP_CONTENT_FORMAT, BJ_COAP_FORM_UINT, "Content-Format", 0, 2, false },
    { BJ_COAP_MAX_AGE, BJ_COAP_FORM_UINT, "Max-Age", 0, 4, false },
    { BJ_COAP_URI_QUERY, BJ_COAP_FORM_STRING, "Uri-Query", 0, 255, true },
    { BJ_COAP_HOP_LIMIT, BJ_COAP_FORM_UINT, "Hop-Limit", 1, 1, false },
    { BJ_COAP_ACCEPT, BJ_COAP_FORM_UINT, "Accept", 0, 2, false },
    { BJ_COAP_LOCATION_QUERY, BJ_COAP_FORM_STRING, "Location-Query", 0, 255, true },
    { BJ_COAP_BLOCK2, BJ_COAP_FORM_BLOCK, "Block2", 0, 3, false },
    { BJ_COAP_BLOCK1, BJ_COAP_FORM_BLOCK, "Block1", 0, 3, false },
    { BJ_COAP_SIZE2, BJ_COAP_FORM_UINT, "Size2", 0, 4, false },
    { BJ_COAP_PROXY_URI, BJ_COAP_FORM_STRING, "Proxy-Uri", 1, 1034, false },
    { BJ_COAP_PROXY_SCHEME, BJ_COAP_FORM_STRING, "Proxy-Scheme", 1, 255, false },
    { BJ_COAP_SIZE1, BJ_COAP_FORM_UINT, "Size1", 0, 4, false },
    { BJ_COAP_ECHO, BJ_COAP_FORM_OPAQUE, "Echo", 1, 40, false },
    { BJ_COAP_NO_RESPONSE, BJ_COAP_FORM_UINT, "No-Response", 0, 1, false },
    { BJ_COAP_REQUEST_TAG, BJ_COAP_FORM_OPAQUE, "Request-Tag", 0, 8, true },
};

/* RFC 8323 5.3 to 5.6: numbers of signalling messages, each code has its own. */
static const struct {
    uint8_t code;
    option_entry option;
} signalling[] = {
    { BJ_COAP_CODE(7, 1), { 2, BJ_COAP_FORM_UINT, "Max-Message-Size", 0, 4, false } },
    { BJ_COAP_CODE(7, 1), { 4, BJ_COAP_FORM_EMPTY, "Block-Wise-Transfer", 0, 0, false } },
    { BJ_COAP_CODE(7, 2), { 2, BJ_COAP_FORM_EMPTY, "Custody", 0, 0, false } },
    { BJ_COAP_CODE(7, 3), { 2, BJ_COAP_FORM_EMPTY, "Custody", 0, 0, false } },
    { BJ_COAP_CODE(7, 4), { 2, BJ_COAP_FORM_STRING, "Alternative-Address", 1, 255, true } },
    { BJ_COAP_CODE(7, 4), { 4, BJ_COAP_FORM_UINT, "Hold-Off", 0, 3, false } },
    { BJ_COAP_CODE(7, 5), { 2, BJ_COAP_FORM_UINT, "Bad-CSM-Option", 0, 2, false } },
};

static const option_entry *signalling_entry(uint8_t code, uint32_t number) {
    for (size_t i = 0; i < sizeof signalling / sizeof signalling[0]; i++) {
        if (signalling[i].code == code && signalling[i].option.number == number) {
            return &signalling[i].option;
        }
    }
    return NULL;
}

static const option_entry *option_entry_in(uint8_t code, uint32_t number) {
    if (code >> 5 == 7) {
        return signalling_entry(code, number);
    }
    size_t low = 0, high = sizeof options / sizeof options[0];
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (options[middle].number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < sizeof options / sizeof options[0] && options[low].number == number ? &options[low] : NULL;
}

const char *bj_coap_option_name_in(uint8_t code, uint32_t number, bj_coap_option_form *form) {
    const option_entry *entry = option_entry_in(code, number);
    *form = entry ? entry->form : BJ_COAP_FORM_OPAQUE;
    return entry ? entry->name : NULL;
}

static bool option_valid(const bj_coap *message, size_t index, bj_text *why) {
    const bj_coap_option *option = &message->options[index];
    const option_entry *entry = option_entry_in(message->code, option->number);
    if (entry && (option->length < entry->shortest || option->length > entry->longest)) {
        bj_text_add(why, entry->name);
        bj_text_add(why, " of ");
        bj_text_add_number(why, option->length);
        bj_text_add(why, " bytes");
        return false;
    }
    /* A decoded message has its options in ascending order: equal ones stand together (RFC 7252 3.1, 5.4.5). */
    if (entry && !entry->repeatable && index > 0 && message->options[index - 1].number == option->number) {
        bj_text_add(why, entry->name);
        bj_text_add(why, " more than once");
        return false;
    }
    return true;
}

bool bj_coap_options_valid(const bj_coap *message, bj_text *why) {
    for (size_t i = 0; i < message->option_count; i++) {
        if (!option_valid(message, i, why)) {
            return false;
        }
    }
    return true;
}

const char *bj_coap_option_name(uint32_t number) {
    bj_coap_option_form form;
    return bj_coap_option_name_in(0, number, &form);
}

const char *bj_coap_method_name(uint8_t code) {
    static const char *const names[] = { NULL, "GET", "POST", "PUT", "DELETE", "FETCH", "PATCH", "iPATCH" };
    return code < sizeof names / sizeof names[0] ? names[code] : NULL;
}

const char *bj_coap_signal_name(uint8_t code) {
    static const char *const names[] = { NULL, "CSM", "Ping", "Pong", "Release", "Abort" };
    unsigned detail = code & 31;
    return code >> 5 == 7 && detail < sizeof names / sizeof names[0] ? names[detail] : NULL;
}

void bj_coap_code_print(bj_text *out, uint8_t code) {
    bj_text_add_number(out, code >> 5);
    bj_text_add(out, (code & 31) < 10 ? ".0" : ".");
    bj_text_add_number(out, code & 31);
}

const char *bj_format_name(uint32_t format) {
    static const struct {
        uint32_t number;
        const char *name;
    } formats[] = {
        { BJ_FORMAT_TEXT, "text" },
        { BJ_FORMAT_LINK, "link" },
        { BJ_FORMAT_OPAQUE, "opaque" },
        { BJ_FORMAT_CBOR, "cbor" },
        { BJ_FORMAT_SENML_JSON, "senml-json" },
        { BJ_FORMAT_SENML_CBOR, "senml-cbor" },
        { BJ_FORMAT_ETCH_JSON, "senml-etch-json" },
        { BJ_FORMAT_ETCH_CBOR, "senml-etch-cbor" },
        { BJ_FORMAT_TLV, "tlv" },
        { BJ_FORMAT_JSON, "json" },
        { BJ_FORMAT_LWM2M_CBOR, "lwm2m-cbor" },
        { BJ_FORMAT_OLD_TLV, "old-tlv" },
        { BJ_FORMAT_OLD_JSON, "old-json" },
    };
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (formats[i].number == format) {
            return formats[i].name;
        }
    }
    return NULL;
}
