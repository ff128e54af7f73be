/* SPDX-License-Identifier: Apache-2.0
 *
 * The paths that a Read-Composite or an Observe-Composite names: SenML records without values (LwM2M Core 1.1 §6.3.8),
 * in their plain form. What has base names or anything else in it is left alone. Besides: the targets of links.
 */
#include "oracle/management.h"

#include <string.h>

#include "wire/link.h"

enum { SENML_JSON = 110, SENML_CBOR = 112 };

typedef struct cursor {
    const uint8_t *at, *end;
} cursor;

static bool take(cursor *c, const char *text) {
    size_t length = strlen(text);
    bool there = (size_t) (c->end - c->at) >= length && !memcmp(c->at, text, length);
    c->at += there ? length : 0;
    return there;
}

static bool add(oracle_paths *paths, const uint8_t *text, size_t length) {
    BJ_TEXT(path, 32);
    bj_text_add_bytes(&path, (const char *) text, length);
    bj_path one = bj_path_of(path.start);
    bool named = one.depth > 0 && paths->count < ORACLE_PATHS;
    if (named) {
        paths->paths[paths->count++] = one;
    }
    return named;
}

/* [{"n":"/3/0/0"},{"n":"/1"}] */
static bool from_json(cursor c, oracle_paths *paths) {
    bool good = take(&c, "[");
    for (bool more = good; good && more;) {
        good = take(&c, "{\"n\":\"");
        const uint8_t *quote = good ? memchr(c.at, '"', (size_t) (c.end - c.at)) : NULL;
        good = quote && add(paths, c.at, (size_t) (quote - c.at));
        c.at = quote ? quote + 1 : c.at;
        good = good && take(&c, "}");
        more = take(&c, ",");
    }
    return good && take(&c, "]") && c.at == c.end;
}

/* The same in CBOR: an array of maps with the one label 0, `n`. */
static bool from_cbor(cursor c, oracle_paths *paths) {
    bool good = c.at<c.end && * c.at> 0x80 && *c.at < 0x98;
    unsigned count = good ? *c.at++ & 31u : 0;
    for (unsigned i = 0; i < count && good; i++) {
        good = c.end - c.at > 3 && c.at[0] == 0xA1 && c.at[1] == 0 && c.at[2] >= 0x60 && c.at[2] < 0x78;
        size_t length = good ? c.at[2] & 31u : 0;
        good = good && (size_t) (c.end - c.at) >= 3 + length && add(paths, c.at + 3, length);
        c.at += good ? 3 + length : 0;
    }
    return good && c.at == c.end;
}

bool oracle_paths_of(const bj_coap *request, oracle_paths *paths) {
    uint32_t format = 65536;
    cursor c = { request->payload, request->payload + request->payload_length };
    paths->count = 0;
    if (!request->payload_length || !bj_coap_find_uint(request, BJ_COAP_CONTENT_FORMAT, &format)) {
        return false;
    }
    return format == SENML_JSON ? from_json(c, paths) : format == SENML_CBOR && from_cbor(c, paths);
}

bool oracle_next_target(const char **text, size_t *length, bj_path *path) {
    bj_core_link link;
    BJ_TEXT(why, 64);
    BJ_TEXT(target, 64);
    if (!*text || !bj_link_next(text, length, &link, &why)) {
        return false;
    }
    bj_text_add_bytes(&target, link.target ? link.target : "", link.target ? link.target_length : 0);
    *path = bj_path_of(target.start);
    return true;
}
