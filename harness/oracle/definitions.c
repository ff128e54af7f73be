/* SPDX-License-Identifier: Apache-2.0
 *
 * What the registered definitions say of /1, /2, /3 and the test Object /3442, and values whatever format carries them.
 */
#include "oracle/management.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/resources.h"

enum { TEST_OBJECT = 3442, FIRST_OF_MULTIPLE = 1000 };

/* One letter a Resource, in the order of their ids: see oracle_definition. Lower case: mandatory. What changed from one
 * release to the other but was never written by servers is N. */
static const struct {
    unsigned object;
    const char *operations;
} operations[] = {
    { 1, "rwWWEWwweEWRRN?NN????WWWWWWW" },
    { 2, "rrWw" },
    { 3, "RRRReERRRRRrEWWWrRRRRRR" },
};

/* Resources of several instances. */
static const struct {
    uint16_t object, resource;
} multiple[] = { { 1, 24 }, { 1, 25 }, { 2, 2 }, { 3, 6 }, { 3, 7 }, { 3, 8 }, { 3, 11 }, { 3, 22 } };

/* Resource ids from which on an Object is of a later release (LwM2M Core 1.1 and 1.2, Appendix E.2). */
static uint8_t since_of(unsigned object, unsigned resource) {
    if (object != 1) {
        return 10;
    }
    return resource >= 24 ? 12 : resource >= 9 ? 11 : 10;
}

static oracle_definition of_test_object(unsigned resource) {
    static const struct {
        uint16_t resource;
        char type;
    } values[] = { { 110, 'S' }, { 120, 'I' }, { 125, 'U' }, { 130, 'F' }, { 140, 'B' },
                   { 150, 'O' }, { 160, 'T' }, { 170, 'P' }, { 180, '?' } };
    unsigned single = resource > FIRST_OF_MULTIPLE ? resource - FIRST_OF_MULTIPLE : resource;
    oracle_definition d = { .type = '?', .since = 10, .multiple = resource > FIRST_OF_MULTIPLE };
    for (unsigned i = 0; i < sizeof values / sizeof values[0]; i++) {
        if (values[i].resource == single) {
            d.type = values[i].type;
            d.operations = 'W';
            d.stays = true;
        }
    }
    d.operations = resource <= 3 ? 'E' : d.operations;
    return d;
}

static bool is_multiple(unsigned object, unsigned resource) {
    for (unsigned i = 0; i < sizeof multiple / sizeof multiple[0]; i++) {
        if (multiple[i].object == object && multiple[i].resource == resource) {
            return true;
        }
    }
    return false;
}

oracle_definition oracle_definition_of(const bj_path *path) {
    unsigned object = path->ids[0], resource = path->ids[2];
    if (object == TEST_OBJECT) {
        return of_test_object(resource);
    }
    oracle_definition d = { .type = '?' };
    for (unsigned i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        if (operations[i].object != object || resource >= strlen(operations[i].operations)) {
            continue;
        }
        char letter = operations[i].operations[resource];
        d.mandatory = letter >= 'a';
        d.operations = letter == '?' ? 0 : d.mandatory ? (char) (letter - 'a' + 'A') : letter;
        d.type = bj_resource_type((int) object, (int) resource);
        d.multiple = is_multiple(object, resource);
        d.since = since_of(object, resource);
        d.stays = d.operations == 'W' && !(object == 3 && resource == 13); /* /3/0/13 is a clock */
    }
    return d;
}

/* Device, Connectivity Monitoring, Location, Connectivity Statistics (LwM2M Core 1.1, Appendix E). */
bool oracle_is_single(unsigned object) {
    return object == 3 || object == 4 || object == 6 || object == 7;
}

/* --- values --------------------------------------------------------------------------------------------------- */

static uint64_t digest_of(const uint8_t *bytes, size_t length) {
    uint64_t digest = UINT64_C(14695981039346656037); /* FNV-1a */
    for (size_t i = 0; i < length; i++) {
        digest = (digest ^ bytes[i]) * UINT64_C(1099511628211);
    }
    return digest;
}

static oracle_value bytes_value(const bj_entry *e) {
    return (oracle_value){ .kind = ORACLE_VALUE_BYTES, .length = e->length, .digest = digest_of(e->bytes, e->length) };
}

static oracle_value integer_value(int64_t integer) {
    return (oracle_value){ .kind = ORACLE_VALUE_INTEGER, .integer = integer };
}

static bool short_text(const bj_entry *e, char text[40]) {
    snprintf(text, 40, "%.*s", (int) (e->length < 40 ? e->length : 0), (const char *) e->bytes);
    return e->length > 0 && e->length < 40 && text[0] != ' ';
}

static oracle_value whole_number(const bj_entry *e, char type) {
    oracle_value none = { .kind = ORACLE_VALUE_NONE };
    char text[40], *end;
    int64_t number;
    if (e->kind == BJ_ENTRY_INT || e->kind == BJ_ENTRY_BOOL) {
        return integer_value(e->integer);
    }
    if (e->kind == BJ_ENTRY_RAW) {
        bj_tlv tlv = { .value = e->bytes, .length = e->length };
        bool unclear = type == 'U' && e->length && (e->bytes[0] & 0x80); /* without a sign, or with one */
        return !unclear && bj_tlv_int(&tlv, &number) ? integer_value(number) : none;
    }
    if (e->kind == BJ_ENTRY_TEXT && e->length < 18 && short_text(e, text)) {
        number = strtoll(text, &end, 10);
        return *end ? none : integer_value(number);
    }
    return none;
}

static oracle_value real_number(const bj_entry *e) {
    bool whole = e->kind == BJ_ENTRY_INT;
    bool real = e->kind == BJ_ENTRY_FLOAT;
    return (oracle_value){ .kind = whole || real ? ORACLE_VALUE_REAL : ORACLE_VALUE_NONE,
                           .real = whole ? (double) e->integer : e->real };
}

oracle_value oracle_value_of(const bj_entry *e, char type) {
    bool stated = e->kind == BJ_ENTRY_STRING && !e->also, bare = e->kind == BJ_ENTRY_RAW;
    switch (type) {
    case 'S':
        return stated || bare || e->kind == BJ_ENTRY_TEXT || e->kind == BJ_ENTRY_STRING
                   ? bytes_value(e)
                   : (oracle_value){ .kind = ORACLE_VALUE_NONE };
    case 'O':
        return bare || e->kind == BJ_ENTRY_OPAQUE ? bytes_value(e) : (oracle_value){ .kind = ORACLE_VALUE_NONE };
    case 'I':
    case 'U':
    case 'T':
    case 'B':
        return whole_number(e, type);
    case 'F':
        return real_number(e);
    default:
        return (oracle_value){ .kind = ORACLE_VALUE_NONE };
    }
}

/* LwM2M Core 1.1 §6.2.1.2: a Binding is a set of letters, in any order. */
static int64_t mark_of_letters(const bj_entry *e) {
    uint64_t mark = 0;
    for (size_t i = 0; i < e->length; i++) {
        mark += digest_of(e->bytes + i, 1);
    }
    return (int64_t) (mark >> 1 | 1);
}

/* Digits may stand in a string, too: neither text nor TLV says which it is (Appendix C), the definition does. */
bool oracle_setting_of(const bj_entry *e, int64_t *setting) {
    char type = oracle_definition_of(&e->path).type;
    if (type == 'S') {
        bool string = oracle_value_of(e, type).kind == ORACLE_VALUE_BYTES && e->length;
        *setting = string ? mark_of_letters(e) : -1;
        return string;
    }
    bool one = type != 'P' || e->kind == BJ_ENTRY_RAW; /* of an Object Link TLV alone has the number */
    return one && oracle_number_of(e, setting);
}

/* A client may keep a number of twice the precision as one of single precision. */
static bool same_real(double a, double b) {
    double difference = a > b ? a - b : b - a, size = (a < 0 ? -a : a) + (b < 0 ? -b : b);
    return difference <= size * 1e-6;
}

bool oracle_value_same(const oracle_value *a, const oracle_value *b) {
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case ORACLE_VALUE_INTEGER:
        return a->integer == b->integer;
    case ORACLE_VALUE_REAL:
        return same_real(a->real, b->real);
    default:
        return a->length == b->length && a->digest == b->digest;
    }
}

bool oracle_real_of(const char *text, double *number) {
    double sign = *text == '-' ? -1 : 1, unit = 1;
    const char *at = text + (*text == '-');
    bool digits = false;
    for (*number = 0; *at >= '0' && *at <= '9'; at++, digits = true) {
        *number = *number * 10 + (*at - '0');
    }
    for (at += *at == '.'; digits && *at >= '0' && *at <= '9'; at++) {
        unit /= 10;
        *number += unit * (*at - '0');
    }
    *number *= sign;
    return digits && !*at;
}

void oracle_value_print(bj_text *out, const oracle_value *value) {
    if (value->kind == ORACLE_VALUE_INTEGER) {
        bj_text_printf(out, "%lld", (long long) value->integer);
    } else if (value->kind == ORACLE_VALUE_REAL) {
        bj_text_printf(out, "%g", value->real);
    } else {
        bj_text_printf(out, "%zu bytes", value->length);
    }
}

bool oracle_entries_of(bj_oracle *o, const bj_path *path, const bj_coap *m, oracle_entry_visit *visit, void *context) {
    uint32_t format = 65536;
    if (!bj_coap_find_uint(m, BJ_COAP_CONTENT_FORMAT, &format) || !bj_entries_known(format) ||
        m->payload_length > ORACLE_ROOM) {
        return false;
    }
    bj_path above = bj_entries_single(format) ? *path : bj_path_above_resources(path);
    BJ_TEXT(why, 100);
    bj_entries in;
    bj_entry entry;
    bj_entries_begin(&in, format, &above, m->payload, m->payload_length, o->room, ORACLE_ROOM);
    while (bj_entries_next(&in, &entry, &why)) {
        visit(o, context, &entry);
    }
    return !in.damaged;
}
