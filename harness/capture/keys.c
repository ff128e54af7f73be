/* SPDX-License-Identifier: Apache-2.0
 *
 * See keys.h.
 */
#define _GNU_SOURCE
#include "capture/keys.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Labels of NSS's key log format. */
static bool is_key_log(const char *line) {
    static const char *const labels[] = { "CLIENT_RANDOM ",
                                          "RSA ",
                                          "CLIENT_HANDSHAKE_TRAFFIC_SECRET ",
                                          "SERVER_HANDSHAKE_TRAFFIC_SECRET ",
                                          "CLIENT_TRAFFIC_SECRET_0 ",
                                          "SERVER_TRAFFIC_SECRET_0 ",
                                          "EXPORTER_SECRET ",
                                          "EARLY_EXPORTER_SECRET ",
                                          "CLIENT_EARLY_TRAFFIC_SECRET " };
    for (unsigned i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        if (!strncmp(line, labels[i], strlen(labels[i]))) {
            return true;
        }
    }
    return false;
}

static bool add_key(bj_unit_options *o, const char *line, bj_text *why) {
    const char *colon = strrchr(line, ':');
    const char *key = colon ? colon + 1 : line;
    size_t length = strlen(key), identity = colon ? (size_t) (colon - line) : 0;
    if (!length || length % 2 || strspn(key, "0123456789abcdefABCDEF") != length) {
        bj_text_add(why, "expected IDENTITY:KEY, or KEY, with the key in hexadecimal, or lines of a key log");
        return false;
    }
    if (length >= sizeof o->psk[0] || identity >= sizeof o->identity[0] || o->psk_count == BJ_UNIT_KEYS) {
        bj_text_printf(why, "at most %d keys, of 64 bytes, with identities of 128", BJ_UNIT_KEYS);
        return false;
    }
    memcpy(o->psk[o->psk_count], key, length + 1);
    memcpy(o->identity[o->psk_count], line, identity);
    o->identity[o->psk_count++][identity] = '\0';
    return true;
}

static bool read_lines(bj_unit_options *o, const char *file, FILE *in, bj_text *why) {
    char *line = NULL;
    size_t room = 0;
    bool good = true;
    errno = 0;
    for (unsigned number = 1; good && getline(&line, &room, in) > 0; number++) {
        size_t length = strlen(line);
        while (length && isspace((unsigned char) line[length - 1])) {
            line[--length] = '\0';
        }
        BJ_TEXT(mistake, 200);
        if (!length || *line == '#') {
            continue;
        }
        if (is_key_log(line)) {
            o->key_log = file;
        } else if (!add_key(o, line, &mistake)) {
            bj_text_printf(why, "%s:%u: %s", file, number, mistake.start);
            good = false;
        }
    }
    if (good && ferror(in)) {
        bj_text_printf(why, "%s: %s", file, strerror(errno));
        good = false;
    }
    free(line);
    return good;
}

bool bj_keys_read(bj_unit_options *o, const char *file, bj_text *why) {
    FILE *in = fopen(file, "r");
    if (!in) {
        bj_text_printf(why, "%s: %s", file, strerror(errno));
        return false;
    }
    bool good = read_lines(o, file, in, why);
    fclose(in);
    return good;
}
