/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys that the client was told or that were written stand in no message that it sends, inside DTLS and TLS neither
 * (LwM2M Core 1.1 E.1: /0/x/5 cannot be read), and in no line that it writes: not as bytes, not in hexadecimal, not in
 * Base64.
 */
#define _GNU_SOURCE
#include "oracle/internal.h"

#include <ctype.h>
#include <string.h>

/* Shorter ones are found by chance. */
enum { LEAST = 6, WORD = 12, MOST = 64 };

/* A client may say it anyway, whatever its keys are. */
static bool is_word(const uint8_t *bytes, size_t length) {
    size_t letters = 0;
    while (letters < length && isalpha(bytes[letters])) {
        letters++;
    }
    return letters == length && length <= WORD;
}

static bool known_already(const bj_oracle *o, const uint8_t *bytes, size_t length) {
    for (unsigned i = 0; i < o->secret_count; i++) {
        if (o->secrets[i].length == length && !memcmp(o->secrets[i].bytes, bytes, length)) {
            return true;
        }
    }
    return false;
}

void oracle_secret_written(bj_oracle *o, const uint8_t *bytes, size_t length) {
    bool secret = bytes && length >= LEAST && !is_word(bytes, length);
    if (!secret || o->secret_count == BJ_ORACLE_SECRETS || known_already(o, bytes, length)) {
        return;
    }
    char *copy = bj_arena_strndup(o->arena, (const char *) bytes, length);
    o->secrets[o->secret_count++] = (bj_string){ copy, length };
}

static void init(bj_oracle *o) {
    for (unsigned i = 0; i < o->config.secret_count; i++) {
        oracle_secret_written(o, (const uint8_t *) o->config.secrets[i].bytes, o->config.secrets[i].length);
    }
}

/* Base64 of the whole groups of three, in one of the two alphabets of RFC 4648. */
static size_t base64(const uint8_t *bytes, size_t length, bool url, char *out) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = 0;
    for (size_t i = 0; i + 3 <= length; i += 3) {
        uint32_t group = (uint32_t) bytes[i] << 16 | (uint32_t) bytes[i + 1] << 8 | bytes[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6) {
            char letter = letters[group >> shift & 63];
            out[n++] = url && letter == '+' ? '-' : url && letter == '/' ? '_' : letter;
        }
    }
    return n;
}

static bool holds_hex(const char *text, size_t length, const bj_string *secret) {
    for (size_t at = 0; at + 2 * secret->length <= length; at++) {
        size_t n = 0;
        for (; n < 2 * secret->length; n++) {
            unsigned byte = (uint8_t) secret->bytes[n / 2];
            char wanted = "0123456789abcdef"[n % 2 ? byte & 15 : byte >> 4];
            if (tolower((unsigned char) text[at + n]) != wanted) {
                break;
            }
        }
        if (n == 2 * secret->length) {
            return true;
        }
    }
    return false;
}

static const char *form_in(const void *bytes, size_t length, const bj_string *secret) {
    char encoded[MOST * 4 / 3 + 4];
    const uint8_t *key = (const uint8_t *) secret->bytes;
    size_t part = secret->length > MOST ? MOST : secret->length;
    if (memmem(bytes, length, secret->bytes, secret->length)) {
        return "as it is";
    }
    if (holds_hex(bytes, length, secret)) {
        return "in hexadecimal";
    }
    for (int url = 0; url < 2; url++) {
        size_t n = base64(key, part, url, encoded);
        if (memmem(bytes, length, encoded, n)) {
            return "in Base64";
        }
    }
    return NULL;
}

/* It is the address of a server, which is no secret, or a part of one; or a path, or the beginning of a link to an
 * instance, as they stand in every list. */
static bool is_public(const bj_oracle *o, const bj_string *secret) {
    if (secret->length > 2 && strchr("</", secret->bytes[0]) &&
        strspn(secret->bytes, "</>,0123456789") == secret->length) {
        return true;
    }
    for (unsigned i = 0; i < o->told.uri_count; i++) {
        if (memmem(o->told_uris[i], strlen(o->told_uris[i]), secret->bytes, secret->length)) {
            return true;
        }
    }
    for (unsigned i = 0; i < o->peer_count; i++) {
        BJ_TEXT(address, 64);
        bj_addr_print(&address, &o->peers[i].address);
        if (memmem(address.start, address.used, secret->bytes, secret->length)) {
            return true;
        }
    }
    return false;
}

static void tell(bj_oracle *o, const bj_string *secret, uint32_t event, const char *where, const char *form) {
    oracle_break(o, BJ_RULE_SEC_NO_SECRETS, o->now, event, "a secret key of %zu bytes stands in %s, %s", secret->length,
                 where, form);
}

static const char *found_in(const bj_oracle *o, const void *bytes, size_t length, const bj_string *secret) {
    const char *form = bytes && length >= secret->length ? form_in(bytes, length, secret) : NULL;
    return form && !is_public(o, secret) ? form : NULL;
}

void oracle_secret_text(bj_oracle *o, const char *text, size_t length, uint32_t event) {
    for (unsigned i = 0; i < o->secret_count; i++) {
        const char *form = found_in(o, text, length, &o->secrets[i]);
        if (form) {
            tell(o, &o->secrets[i], event, "what the client writes", form);
        }
    }
}

static bool decode(bj_coap *m, const uint8_t *bytes, size_t length, bool stream) {
    return (stream ? bj_coap_tcp_decode(m, bytes, length) : bj_coap_decode(m, bytes, length)) == BJ_COAP_OK;
}

static bool carries(const bj_coap *m, const bj_coap_option *option) {
    const bj_coap_option *one;
    bool found = false;
    for (size_t i = 0; (one = bj_coap_find(m, option->number, i)) && !found; i++) {
        found = one->length == option->length && !memcmp(one->value, option->value, one->length);
    }
    return found;
}

/* Nowhere but in options that the request had, too. */
static bool is_only_returned(const bj_oracle *o, const bj_coap *answer, const bj_coap *request,
                             const bj_string *secret) {
    bool returned = !found_in(o, answer->payload, answer->payload_length, secret);
    for (size_t i = 0; i < answer->option_count && returned; i++) {
        const bj_coap_option *option = &answer->options[i];
        returned = carries(request, option) || !found_in(o, option->value, option->length, secret);
    }
    return returned;
}

/* RFC 7252 §5.4.1: a 4.02 may say which option it was that is not known, and libcoap's repeats it. What the server
 * itself had put there is no news to it. */
static bool is_returned(bj_oracle *o, const bj_event *e, const bj_string *secret) {
    bj_coap answer, request;
    bool stream = e->number >= 0 && e->kind != BJ_EV_SENT && e->kind != BJ_EV_RECEIVED, returned = false;
    if (!decode(&answer, e->raw, e->raw_length, stream) || answer.code != BJ_COAP_CODE(4, 2)) {
        return false;
    }
    const oracle_foreign *f;
    for (uint64_t age = 0; (f = oracle_foreign_at(o, age)) && !returned; age++) {
        returned = f->token_length == answer.token_length && !memcmp(f->token, answer.token, f->token_length) &&
                   decode(&request, f->bytes, f->length, f->connection >= 0) &&
                   is_only_returned(o, &answer, &request, secret);
    }
    return returned;
}

static void search(bj_oracle *o, const bj_event *e) {
    for (unsigned i = 0; i < o->secret_count; i++) {
        const char *form = found_in(o, e->raw, e->raw_length, &o->secrets[i]);
        if (form && !is_returned(o, e, &o->secrets[i])) {
            tell(o, &o->secrets[i], e->sequence, "a message of the client", form);
        }
    }
}

static void event(bj_oracle *o, const bj_event *e) {
    bool by_client = e->actor == BJ_ACTOR_CLIENT;
    switch (e->kind) {
    case BJ_EV_SENT:
    case BJ_EV_STREAM_SENT:
        if (by_client) {
            search(o, e);
        }
        break;
    case BJ_EV_RECEIVED:
    case BJ_EV_STREAM_RECEIVED:
    case BJ_EV_PLAIN_RECEIVED:
        if (!by_client && (e->kind == BJ_EV_PLAIN_RECEIVED || !o->config.exact)) {
            search(o, e);
        }
        break;
    case BJ_EV_CLIENT_OUTPUT:
    case BJ_EV_CLIENT_STATE:
        oracle_secret_text(o, e->text, e->text_length, e->sequence);
        break;
    default:
        break;
    }
}

const oracle_def oracle_secrets = { .id = "secrets",
                                    .hears = ORACLE_HEARS(SENT) | ORACLE_HEARS(STREAM_SENT) | ORACLE_HEARS(RECEIVED) |
                                             ORACLE_HEARS(STREAM_RECEIVED) | ORACLE_HEARS(PLAIN_RECEIVED) |
                                             ORACLE_HEARS(CLIENT_OUTPUT) | ORACLE_HEARS(CLIENT_STATE),
                                    .init = init,
                                    .event = event };
