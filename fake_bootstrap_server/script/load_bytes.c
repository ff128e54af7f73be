/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes that stand in a file of their own, under the tag !file: certificates, keys, digests. The program holds the
 * bytes; the file is not looked at again.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "script/load_yaml.h"
#include "wire/base64.h"

enum { LARGEST = 65536 };

typedef struct content {
    char *bytes;
    size_t length;
} content;

/* Beside the scenario, unless it begins at the root. */
static const char *path_of(bj_loading *loading, const bj_yaml *yaml) {
    const char *name = yaml->text.bytes, *slash = loading->file ? strrchr(loading->file, '/') : NULL;
    if (*name == '/' || !slash) {
        return name;
    }
    size_t folder = (size_t) (slash - loading->file) + 1, length = strlen(name);
    char *path = bj_arena_alloc(loading->scratch, folder + length + 1);
    memcpy(path, loading->file, folder);
    memcpy(path + folder, name, length + 1);
    return path;
}

static bool read_whole(bj_loading *loading, const bj_yaml *yaml, content *out) {
    const char *path = path_of(loading, yaml);
    out->bytes = bj_arena_alloc(loading->scratch, LARGEST + 1);
    errno = 0;
    FILE *stream = fopen(path, "rbe");
    out->length = stream ? fread(out->bytes, 1, LARGEST + 1, stream) : 0;
    int error = !stream || ferror(stream) ? errno : 0;
    if (stream) {
        fclose(stream);
    }
    const char *why = error                   ? strerror(error)
                      : !out->length          ? "it is empty"
                      : out->length > LARGEST ? "it is larger than 64 KiB"
                                              : NULL;
    if (why) {
        return bj_mistake_at(loading, yaml->position, NULL, "cannot read the file %.200s: %s", path, why);
    }
    out->bytes[out->length] = '\0';
    return true;
}

/* All blocks of a PEM file (RFC 7468), one behind the other; what stands between them is for the reader. */
static bool take_pem(const content *in, char *out, size_t *length) {
    static const char begin[] = "-----BEGIN ", end[] = "-----END ";
    *length = 0;
    for (const char *at = strstr(in->bytes, begin); at; at = strstr(at, begin)) {
        const char *body = strchr(at, '\n'), *stop = body ? strstr(body, end) : NULL;
        if (!stop) {
            return false;
        }
        size_t used = 0, decoded;
        char *digits = out + *length; /* fewer bytes come of them than there are */
        for (at = body; at < stop; at++) {
            if (!strchr(" \t\r\n", *at)) {
                digits[used++] = *at;
            }
        }
        if (!bj_base64_decode((const uint8_t *) digits, used, false, (uint8_t *) digits, &decoded)) {
            return false;
        }
        *length += decoded;
    }
    return *length > 0;
}

static int digit(char c) {
    const char *digits = "0123456789abcdef", *found = c ? strchr(digits, c | 0x20) : NULL;
    return found ? (int) (found - digits) : -1;
}

/* A file that holds nothing but hexadecimal digits: a digest. */
static bool take_hex(const content *in, char *out, size_t *length) {
    *length = 0;
    for (const char *at = in->bytes; at < in->bytes + in->length; at += 2) {
        at += strspn(at, " \t\r\n");
        int high = digit(at[0]), low = high < 0 ? -1 : digit(at[1]);
        if (at[0] == '\0' && at == in->bytes + in->length) {
            break;
        }
        if (low < 0) {
            return false;
        }
        out[(*length)++] = (char) (high << 4 | low);
    }
    return *length > 0;
}

bool bj_load_file_bytes(bj_loading *loading, const bj_yaml *yaml, bj_string *out) {
    content in;
    size_t length;
    if (yaml->kind != BJ_YAML_SCALAR || !yaml->text.length) {
        return bj_mistake_expected(loading, yaml, NULL, "the name of a file");
    }
    if (!read_whole(loading, yaml, &in)) {
        return false;
    }
    char *bytes = bj_arena_alloc(loading->arena, in.length + 1);
    bool pem = memmem(in.bytes, in.length, "-----BEGIN ", 11) != NULL;
    if (pem && !take_pem(&in, bytes, &length)) {
        return bj_mistake_at(loading, yaml->position, NULL, "the file %.200s is damaged PEM", yaml->text.bytes);
    }
    if (!pem && !take_hex(&in, bytes, &length)) {
        memcpy(bytes, in.bytes, in.length);
        length = in.length;
    }
    bytes[length] = '\0';
    *out = (bj_string){ .bytes = bytes, .length = length };
    return true;
}
