/* SPDX-License-Identifier: Apache-2.0
 *
 * See hello.h.
 */
#include "wire/hello.h"

#include "wire/reader.h"

enum { RECORD_HANDSHAKE = 22, CLIENT_HELLO = 1, EXTENSION_NAME = 0, NAME_HOST = 0 };

/* A list with its length before it, as a reader of its own. */
static bool read_list(bj_reader *r, size_t length_bytes, bj_reader *list) {
    uint32_t length;
    const uint8_t *bytes;
    if (!bj_reader_uint(r, length_bytes, &length) || !(bytes = bj_reader_take(r, length))) {
        return false;
    }
    *list = bj_reader_over(bytes, length);
    return true;
}

/* The header of the record and that of the message; then the message is what is left in *r. */
static bool read_headers(bj_reader *r, bool datagram) {
    uint32_t type, version, epoch = 0, message, ignored;
    bj_reader record, body;
    if (!bj_reader_uint(r, 1, &type) || !bj_reader_uint(r, 2, &version) ||
        (datagram && (!bj_reader_uint(r, 2, &epoch) || !bj_reader_take(r, 6)))) {
        return false;
    }
    if (type != RECORD_HANDSHAKE || epoch || !read_list(r, 2, &record) || !bj_reader_uint(&record, 1, &message) ||
        message != CLIENT_HELLO) {
        return false;
    }
    if (!datagram) {
        if (!read_list(&record, 3, &body)) {
            return false;
        }
        *r = body;
        return true;
    }
    /* length, message_seq, fragment_offset, fragment_length: a hello in fragments is not read */
    uint32_t length, offset;
    if (!bj_reader_uint(&record, 3, &length) || !bj_reader_uint(&record, 2, &ignored) ||
        !bj_reader_uint(&record, 3, &offset) || offset || !read_list(&record, 3, &body)) {
        return false;
    }
    *r = body;
    return bj_reader_left(&body) == length;
}

static void read_suites(bj_hello *hello, bj_reader *list) {
    uint32_t suite;
    while (hello->suite_count < BJ_HELLO_SUITES && bj_reader_uint(list, 2, &suite)) {
        hello->suites[hello->suite_count++] = (uint16_t) suite;
    }
}

static void read_name(bj_hello *hello, bj_reader *extension) {
    bj_reader names, name;
    uint32_t type;
    if (read_list(extension, 2, &names) && bj_reader_uint(&names, 1, &type) && type == NAME_HOST &&
        read_list(&names, 2, &name)) {
        hello->name_length = bj_reader_left(&name);
        hello->name = (const char *) bj_reader_take(&name, hello->name_length);
    }
}

static void read_extensions(bj_hello *hello, bj_reader *r) {
    bj_reader extensions, extension;
    uint32_t type;
    if (!read_list(r, 2, &extensions)) {
        return;
    }
    while (bj_reader_uint(&extensions, 2, &type) && read_list(&extensions, 2, &extension)) {
        if (type == EXTENSION_NAME) {
            read_name(hello, &extension);
        }
    }
}

bool bj_hello_read(bj_hello *hello, const uint8_t *data, size_t length, bool datagram) {
    bj_reader r = bj_reader_over(data, length), session, cookie, suites, compressions;
    uint32_t version;
    *hello = (bj_hello){ .random = NULL };
    if (!read_headers(&r, datagram) || !bj_reader_uint(&r, 2, &version) ||
        !(hello->random = bj_reader_take(&r, BJ_HELLO_RANDOM)) || !read_list(&r, 1, &session)) {
        return false;
    }
    if (datagram) {
        if (!read_list(&r, 1, &cookie)) {
            return false;
        }
        hello->cookie = bj_reader_left(&cookie) > 0;
    }
    if (!read_list(&r, 2, &suites) || !read_list(&r, 1, &compressions)) {
        return false;
    }
    read_suites(hello, &suites);
    read_extensions(hello, &r);
    return true;
}
