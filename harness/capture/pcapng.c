/* SPDX-License-Identifier: Apache-2.0
 *
 * See pcapng.h. Errors of writing stay in the FILE, for its owner to ask at the end.
 */
#define _GNU_SOURCE
#include "capture/pcapng.h"

#include <string.h>

enum {
    SECTION_HEADER = 0x0A0D0D0A,
    INTERFACE = 1,
    NAME_RESOLUTION = 4,
    ENHANCED_PACKET = 6,
    DECRYPTION_SECRETS = 10,
    SECRETS_TLS_KEY_LOG = 0x544C534B,
    BYTE_ORDER_MAGIC = 0x1A2B3C4D,
    LINKTYPE_RAW = 101,
    BLOCK_OVERHEAD = 12, /* type, and the length in front and behind */
};

enum { OPT_END = 0, OPT_COMMENT = 1, SHB_USERAPPL = 4, IF_NAME = 2, IF_TSRESOL = 9, NAME_IPV4 = 1, NAME_IPV6 = 2 };

static void put32(FILE *file, uint32_t value) {
    fwrite(&value, sizeof value, 1, file);
}

static void put16(FILE *file, unsigned value) {
    uint16_t narrow = (uint16_t) value;
    fwrite(&narrow, sizeof narrow, 1, file);
}

static size_t padded(size_t length) {
    return (length + 3) & ~(size_t) 3;
}

/* Bytes, then zeroes up to a multiple of four. */
static void put_padded(FILE *file, const void *bytes, size_t length) {
    static const char zeroes[4];
    if (length) {
        fwrite(bytes, length, 1, file);
    }
    fwrite(zeroes, 1, padded(length) - length, file);
}

/* An option, or a record of a name resolution block: they look the same. */
static void put_option(FILE *file, unsigned code, const void *bytes, size_t length) {
    put16(file, code);
    put16(file, (unsigned) length);
    put_padded(file, bytes, length);
}

static size_t option_size(size_t length) {
    return 4 + padded(length);
}

static size_t text_option_size(const char *text) {
    return text ? option_size(strlen(text)) : 0;
}

static void put_text_option(FILE *file, unsigned code, const char *text) {
    if (text) {
        put_option(file, code, text, strlen(text));
    }
}

static uint32_t begin_block(FILE *file, uint32_t type, size_t body) {
    uint32_t total = (uint32_t) (BLOCK_OVERHEAD + body);
    put32(file, type);
    put32(file, total);
    return total;
}

static void put_section(FILE *file, const char *const *comments, size_t count) {
    static const char application[] = BJ_PCAPNG_APPLICATION;
    size_t options = text_option_size(application) + 4;
    for (size_t i = 0; i < count; i++) {
        options += text_option_size(comments[i]);
    }
    uint32_t total = begin_block(file, SECTION_HEADER, 16 + options);
    put32(file, BYTE_ORDER_MAGIC);
    put16(file, 1);
    put16(file, 0);
    put32(file, UINT32_MAX); /* length of the section: not said */
    put32(file, UINT32_MAX);
    for (size_t i = 0; i < count; i++) {
        put_text_option(file, OPT_COMMENT, comments[i]);
    }
    put_text_option(file, SHB_USERAPPL, application);
    put_option(file, OPT_END, NULL, 0);
    put32(file, total);
}

static void put_interface(FILE *file) {
    static const char name[] = "world";
    const uint8_t microseconds = 6;
    size_t options = text_option_size(name) + option_size(1) + 4;
    uint32_t total = begin_block(file, INTERFACE, 8 + options);
    put16(file, LINKTYPE_RAW);
    put16(file, 0);
    put32(file, 0); /* packets are never cut */
    put_text_option(file, IF_NAME, name);
    put_option(file, IF_TSRESOL, &microseconds, 1);
    put_option(file, OPT_END, NULL, 0);
    put32(file, total);
}

void bj_pcapng_begin(FILE *file, const char *const *comments, size_t count) {
    put_section(file, comments, count);
    put_interface(file);
}

enum { NAME_MAX_LENGTH = 255 };

static size_t name_record(const bj_pcapng_name *name, uint8_t record[16 + NAME_MAX_LENGTH + 1]) {
    size_t ip = name->addr.family == 6 ? 16 : 4;
    size_t length = strnlen(name->name, NAME_MAX_LENGTH);
    memcpy(record, name->addr.ip, ip);
    memcpy(record + ip, name->name, length);
    record[ip + length] = '\0';
    return ip + length + 1;
}

void bj_pcapng_names(FILE *file, const bj_pcapng_name *names, size_t count) {
    uint8_t record[16 + NAME_MAX_LENGTH + 1];
    size_t body = 4;
    if (!count) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        body += option_size(name_record(&names[i], record));
    }
    uint32_t total = begin_block(file, NAME_RESOLUTION, body);
    for (size_t i = 0; i < count; i++) {
        size_t length = name_record(&names[i], record);
        put_option(file, names[i].addr.family == 6 ? NAME_IPV6 : NAME_IPV4, record, length);
    }
    put_option(file, OPT_END, NULL, 0);
    put32(file, total);
}

void bj_pcapng_secrets(FILE *file, const char *key_log, size_t length) {
    if (!length) {
        return;
    }
    uint32_t total = begin_block(file, DECRYPTION_SECRETS, 8 + padded(length));
    put32(file, SECRETS_TLS_KEY_LOG);
    put32(file, (uint32_t) length);
    put_padded(file, key_log, length);
    put32(file, total);
}

void bj_pcapng_packet(FILE *file, uint64_t time, const uint8_t *data, size_t length, const char *comment) {
    size_t options = comment ? text_option_size(comment) + 4 : 0;
    uint32_t total = begin_block(file, ENHANCED_PACKET, 20 + padded(length) + options);
    put32(file, 0);
    put32(file, (uint32_t) (time >> 32));
    put32(file, (uint32_t) time);
    put32(file, (uint32_t) length);
    put32(file, (uint32_t) length);
    put_padded(file, data, length);
    if (comment) {
        put_text_option(file, OPT_COMMENT, comment);
        put_option(file, OPT_END, NULL, 0);
    }
    put32(file, total);
}
