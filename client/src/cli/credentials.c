/* SPDX-License-Identifier: Apache-2.0
 *
 * Credentials that the command line gives: in hexadecimal, or in files, as they are or in PEM (RFC 7468).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"
#include "formats/base64.h"

/* As large as a system's bundle of CAs may be. */
#define FILE_MAX (1u << 20)

/* What was wrong with it is not shown: it may be half a key. */
static bool wrong(const char *option, const char *why) {
    fprintf(stderr, "bootjack-client: --%s: %s (see --help)\n", option, why);
    return false;
}

static int digit(char c) {
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c | 0x20) : NULL;
    return at ? (int) (at - digits) : -1;
}

static bool from_hex(const char *option, const char *text, uint8_t *bytes, size_t capacity, size_t *length) {
    for (*length = 0; *text; text += 2) {
        int high = digit(text[0]), low = high < 0 ? -1 : digit(text[1]);
        if (low < 0 || *length == capacity) {
            return wrong(option, "not hexadecimal digits in pairs, or too many");
        }
        bytes[(*length)++] = (uint8_t) (high << 4 | low);
    }
    return true;
}

/* `room` has one byte more than `capacity`, so that a longer file shows. */
static bool from_file(const char *option, const char *name, uint8_t *room, size_t capacity, size_t *length) {
    FILE *file = fopen(name, "rbe");
    if (!file) {
        fprintf(stderr, "bootjack-client: --%s: %s: %s\n", option, name, strerror(errno));
        return false;
    }
    *length = fread(room, 1, capacity + 1, file);
    bool whole = !ferror(file) && *length <= capacity;
    fclose(file);
    return whole ? true : wrong(option, "the file is too long, or cannot be read");
}

static const char *find(const uint8_t *bytes, size_t length, const char *text) {
    return length ? memmem(bytes, length, text, strlen(text)) : NULL;
}

/* The first block of PEM in place of the text; false: it is damaged. */
static bool decode_pem(uint8_t *bytes, size_t *length) {
    const char *end = (const char *) bytes + *length, *begin = find(bytes, *length, "-----BEGIN ");
    const char *body = begin ? memchr(begin, '\n', (size_t) (end - begin)) : NULL;
    const char *stop = body ? find((const uint8_t *) body, (size_t) (end - body), "-----END ") : NULL;
    size_t digits = 0;
    if (!stop) {
        return false;
    }
    for (const char *at = body; at < stop; at++) {
        if (!strchr(" \t\r\n", *at)) {
            bytes[digits++] = (uint8_t) *at;
        }
    }
    *length = digits;
    return bjc_base64_decode_in_place(BJC_BASE64, bytes, length);
}

static bool take_file(const char *option, const char *name, bool pem, uint8_t *room, bjc_secret *secret) {
    size_t length;
    if (!from_file(option, name, room, 2 * BJC_SECRET_MAX, &length)) {
        return false;
    }
    if (pem && find(room, length, "-----BEGIN ") && !decode_pem(room, &length)) {
        return wrong(option, "the file is damaged PEM");
    }
    if (length > sizeof secret->bytes) {
        return wrong(option, "the file is too long, or cannot be read");
    }
    memcpy(secret->bytes, room, length);
    secret->length = length;
    return true;
}

/* With nothing in it, a variable that is not set, the client would go on without what it was to have. */
static bool some(const char *option, size_t length) {
    return length ? true : wrong(option, "nothing is there");
}

bool bjc_take_bytes(const char *option, const char *text, bool pem, bjc_secret *secret) {
    if (*text != '@') {
        return from_hex(option, text, secret->bytes, sizeof secret->bytes, &secret->length) &&
               some(option, secret->length);
    }
    uint8_t room[2 * BJC_SECRET_MAX + 1];
    bool taken = take_file(option, text + 1, pem, room, secret);
    explicit_bzero(room, sizeof room);
    return taken && some(option, secret->length);
}

bool bjc_take_trust_store(const char *option, const char *text, uint8_t **bytes, size_t *length) {
    free(*bytes);
    *bytes = malloc(FILE_MAX + 1);
    if (!*bytes) {
        return wrong(option, strerror(ENOMEM));
    }
    bool taken = *text == '@' ? from_file(option, text + 1, *bytes, FILE_MAX, length)
                              : from_hex(option, text, *bytes, FILE_MAX, length);
    return taken && some(option, *length);
}
