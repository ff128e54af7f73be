/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens of JSON (RFC 8259).
 */
#include "formats/json.h"

#include <string.h>

#include "formats/number.h"
#include "formats/utf8.h"

int bjc_json_peek(bjc_json *json) {
    while (json->at < json->end && (*json->at == ' ' || *json->at == '\t' || *json->at == '\n' || *json->at == '\r')) {
        json->at++;
    }
    return json->at < json->end ? *json->at : 0;
}

bool bjc_json_take(bjc_json *json, int character) {
    bool there = bjc_json_peek(json) == character && json->at < json->end;
    json->at += there;
    return there;
}

bool bjc_json_literal(bjc_json *json, const char *text) {
    size_t length = strlen(text);
    bjc_json_peek(json);
    if ((size_t) (json->end - json->at) < length || memcmp(json->at, text, length) != 0) {
        return false;
    }
    json->at += length;
    return true;
}

/* --- strings ---------------------------------------------------------------------------------------------------- */

static bool four_digits(const uint8_t *at, size_t room, uint32_t *value) {
    *value = 0;
    for (size_t i = 0; i < 4; i++) {
        uint8_t c = i < room ? at[i] : 0, lower = c | 0x20;
        bool decimal = c >= '0' && c <= '9', hexadecimal = lower >= 'a' && lower <= 'f';
        if (!decimal && !hexadecimal) {
            return false;
        }
        *value = *value << 4 | (uint32_t) (decimal ? c - '0' : lower - 'a' + 10);
    }
    return true;
}

/* "\uXXXX", with its second half where it is a surrogate; returns the length, 0 = none. */
static size_t unicode_escape(const uint8_t *at, size_t room, uint32_t *character) {
    uint32_t low;
    if (!four_digits(at + 2, room - 2, character) || (*character >= 0xDC00 && *character <= 0xDFFF)) {
        return 0;
    }
    if (*character < 0xD800 || *character > 0xDBFF) {
        return 6;
    }
    if (room < 12 || at[6] != '\\' || at[7] != 'u' || !four_digits(at + 8, room - 8, &low) || low < 0xDC00 ||
        low > 0xDFFF) {
        return 0;
    }
    *character = 0x10000 + ((*character - 0xD800) << 10) + (low - 0xDC00);
    return 12;
}

/* The escape at `at`, which begins with a backslash; returns its length, 0 = none. */
static size_t escape(const uint8_t *at, size_t room, uint32_t *character) {
    static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    if (room < 2) {
        return 0;
    }
    if (at[1] == 'u') {
        return unicode_escape(at, room, character);
    }
    const char *found = at[1] ? strchr(names, at[1]) : NULL;
    *character = found ? (unsigned char) meanings[found - names] : 0;
    return found ? 2 : 0;
}

bool bjc_json_string(bjc_json *json, bjc_json_token *token) {
    if (!bjc_json_take(json, '"')) {
        return false;
    }
    const uint8_t *at = json->at;
    *token = (bjc_json_token){ .data = at };
    while (at < json->end && *at != '"') {
        uint32_t character;
        size_t length = 1;
        if (*at == '\\') {
            length = escape(at, (size_t) (json->end - at), &character);
            token->escaped = true;
        }
        if (length == 0 || *at < 0x20) {
            return false;
        }
        at += length;
    }
    token->length = (size_t) (at - token->data);
    if (at == json->end || !bjc_utf8(token->data, token->length)) {
        return false;
    }
    json->at = at + 1;
    return true;
}

/* The next character, escaped or not, as UTF-8; returns the length taken, 0 = none. */
static size_t next_bytes(const uint8_t *at, size_t room, uint8_t bytes[4], size_t *count) {
    uint32_t character = 0;
    if (*at != '\\') {
        bytes[0] = *at;
        *count = 1;
        return 1;
    }
    size_t taken = escape(at, room, &character);
    *count = bjc_utf8_encode(character, bytes);
    return taken;
}

bool bjc_json_unescape(const uint8_t *data, size_t length, bjc_buffer *out) {
    for (size_t at = 0, taken; at < length; at += taken) {
        uint8_t bytes[4];
        size_t count;
        taken = next_bytes(data + at, length - at, bytes, &count);
        if (taken == 0 || !bjc_buffer_append(out, bytes, count)) {
            return false;
        }
    }
    return !out->failed;
}

bool bjc_json_text(const bjc_json_token *token, char *out, size_t size) {
    size_t used = 0;
    for (size_t at = 0, taken; at < token->length; at += taken) {
        uint8_t bytes[4];
        size_t count;
        taken = next_bytes(token->data + at, token->length - at, bytes, &count);
        if (taken == 0 || used + count >= size || bytes[0] == 0) {
            return false;
        }
        memcpy(out + used, bytes, count);
        used += count;
    }
    out[used] = '\0';
    return true;
}

void bjc_json_put_string(bjc_buffer *out, const uint8_t *data, size_t length) {
    bjc_buffer_byte(out, '"');
    for (size_t i = 0; i < length; i++) {
        if (data[i] == '"' || data[i] == '\\') {
            bjc_buffer_byte(out, '\\');
            bjc_buffer_byte(out, data[i]);
        } else if (data[i] < 0x20) {
            bjc_buffer_format(out, "\\u%04x", data[i]);
        } else {
            bjc_buffer_byte(out, data[i]);
        }
    }
    bjc_buffer_byte(out, '"');
}

/* --- others ----------------------------------------------------------------------------------------------------- */

bool bjc_json_number(bjc_json *json, bjc_json_token *token) {
    bjc_json_peek(json);
    size_t length = bjc_number_length(json->at, (size_t) (json->end - json->at));
    *token = (bjc_json_token){ .data = json->at, .length = length };
    json->at += length;
    return length > 0;
}

static bool scalar(bjc_json *json) {
    bjc_json_token token;
    switch (bjc_json_peek(json)) {
    case '"':
        return bjc_json_string(json, &token);
    case 't':
        return bjc_json_literal(json, "true");
    case 'f':
        return bjc_json_literal(json, "false");
    case 'n':
        return bjc_json_literal(json, "null");
    default:
        return bjc_json_number(json, &token);
    }
}

/* What is open, innermost last: '}' or ']'. */
typedef struct nest {
    char closing[BJC_JSON_MAX_DEPTH];
    unsigned depth;
} nest;

/* Takes what stands before a value: brackets that open, the names of members. Ends at a scalar, or at an empty list. */
static bool descend(bjc_json *json, nest *n, bool *empty) {
    bjc_json_token token;
    *empty = false;
    for (;;) {
        bool object = n->depth > 0 && n->closing[n->depth - 1] == '}';
        if (object && (!bjc_json_string(json, &token) || !bjc_json_take(json, ':'))) {
            return false;
        }
        int next = bjc_json_peek(json);
        if (next != '{' && next != '[') {
            return true;
        }
        if (n->depth == BJC_JSON_MAX_DEPTH) {
            return false;
        }
        json->at++;
        n->closing[n->depth++] = next == '{' ? '}' : ']';
        if (bjc_json_peek(json) == n->closing[n->depth - 1]) {
            *empty = true;
            return true;
        }
    }
}

bool bjc_json_skip(bjc_json *json) {
    nest n = { .depth = 0 };
    do {
        bool empty;
        if (!descend(json, &n, &empty) || (!empty && !scalar(json))) {
            return false;
        }
        while (n.depth > 0 && bjc_json_take(json, n.closing[n.depth - 1])) {
            n.depth--;
        }
    } while (n.depth > 0 && bjc_json_take(json, ','));
    return n.depth == 0;
}
