/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables that schema.h describes, generated from its lists.
 */
#include "script/schema.h"

#include <string.h>

#define ENUM(list) list
#define NONE
#define KIND(NAME) BJ_K_##NAME

/* Every enumeration of the language becomes one array. */
#define VALUE(number, name) { number, name },
#define ENUM_TABLE(list)    static const bj_enum_value values_##list[] = { list(VALUE){ 0, NULL } };
ENUM_TABLE(BJ_ENUM_METHOD)
ENUM_TABLE(BJ_ENUM_MESSAGE_TYPE)
ENUM_TABLE(BJ_ENUM_FORMAT)
ENUM_TABLE(BJ_ENUM_SECURITY)
ENUM_TABLE(BJ_ENUM_TRANSPORT)
ENUM_TABLE(BJ_ENUM_PORT)
ENUM_TABLE(BJ_ENUM_ALERT)
ENUM_TABLE(BJ_ENUM_OUTCOME)
ENUM_TABLE(BJ_ENUM_LEVEL)
ENUM_TABLE(BJ_ENUM_HANGUP)
ENUM_TABLE(BJ_ENUM_SUITE)
ENUM_TABLE(BJ_ENUM_DNS)
ENUM_TABLE(BJ_ENUM_FAULT)
ENUM_TABLE(BJ_ENUM_SIGNAL)
ENUM_TABLE(BJ_ENUM_KEEPS)
ENUM_TABLE(BJ_ENUM_DISK)
ENUM_TABLE(BJ_ENUM_DISK_USE)
ENUM_TABLE(BJ_ENUM_WRONG)
ENUM_TABLE(BJ_ENUM_FACT)
ENUM_TABLE(BJ_ENUM_FEATURE)
ENUM_TABLE(BJ_ENUM_SHOWS)
ENUM_TABLE(BJ_ENUM_RULE_LEVEL)
ENUM_TABLE(BJ_ENUM_ABSENT)
ENUM_TABLE(BJ_ENUM_ATTACH)
ENUM_TABLE(BJ_ENUM_INPUT)
ENUM_TABLE(BJ_ENUM_ENDS)

#undef ENUM
#undef NONE
#undef KIND
/* `detail` of a field: which enumeration, and which kind of record. */
#define ENUM(list)                                            values_##list, 0
#define KIND(NAME)                                            NULL, BJ_K_##NAME
#define NONE                                                  NULL, 0
#define FIELD(number, FIELD_, name, TYPE, flags, detail, doc) FIELD_WITH(number, name, TYPE, flags, doc, detail)
#define FIELD_WITH(number, name, TYPE, flags, doc, ...)       FIELD_SPREAD(number, name, TYPE, flags, doc, __VA_ARGS__)
#define FIELD_SPREAD(number_, name_, TYPE_, flags_, doc_, values_, kind_)                                              \
    { .number = (number_),                                                                                             \
      .type = BJ_T_##TYPE_,                                                                                            \
      .flags = (flags_),                                                                                               \
      .kind = (kind_),                                                                                                 \
      .name = (name_),                                                                                                 \
      .doc = (doc_),                                                                                                   \
      .values = (values_) },
#define RECORD_FIELDS(number, NAME, name, verb, doc, example)                                                          \
    static const bj_field_def fields_##NAME[] = { BJ_FIELDS_##NAME(FIELD) };                                           \
    _Static_assert(sizeof fields_##NAME / sizeof fields_##NAME[0] <= BJ_LIMIT_FIELDS, "fields can be counted");
BJ_RECORD_KINDS(RECORD_FIELDS)

/* One more than the highest number: an array by number is as long. */
#define FIELD_PLACE(number, FIELD_, name, TYPE, flags, detail, doc)    [number] = 0,
#define FIELD_LIMIT(NAME)                                              sizeof((const char[]){ BJ_FIELDS_##NAME(FIELD_PLACE) })
#define FIELD_REQUIRED(number, FIELD_, name, TYPE, flags, detail, doc) +(((flags) &BJ_REQUIRED) != 0)

#define RECORD_DEF(number, NAME, name_, verb_, doc_, example_)                                                         \
    static const bj_record_def def_##NAME = { .kind = (number),                                                        \
                                              .verb = (verb_),                                                         \
                                              .field_limit = FIELD_LIMIT(NAME),                                        \
                                              .required = 0 BJ_FIELDS_##NAME(FIELD_REQUIRED),                          \
                                              .name = (name_),                                                         \
                                              .doc = (doc_),                                                           \
                                              .example = (example_),                                                   \
                                              .fields = fields_##NAME,                                                 \
                                              .field_count = sizeof fields_##NAME / sizeof fields_##NAME[0] };
BJ_RECORD_KINDS(RECORD_DEF)

#define RECORD(number, NAME, ...)         &def_##NAME,
#define RECORD_BY_KIND(number, NAME, ...) [number] = &def_##NAME,
#define VERB_0(NAME)
#define VERB_1(NAME)                                 &def_##NAME,
#define VERB(number, NAME, name, verb, doc, example) VERB_##verb(NAME)
static const bj_record_def *const records[] = { BJ_RECORD_KINDS(RECORD) };
static const bj_record_def *const by_kind[] = { BJ_RECORD_KINDS(RECORD_BY_KIND) };
static const bj_record_def *const verbs[] = { BJ_RECORD_KINDS(VERB) };
enum {
    RECORDS = sizeof records / sizeof records[0],
    KINDS = sizeof by_kind / sizeof by_kind[0],
    VERBS = sizeof verbs / sizeof verbs[0],
};

static bool named(const char *name, const char *text, size_t length) {
    return strlen(name) == length && !memcmp(name, text, length);
}

size_t bj_record_def_count(void) {
    return RECORDS;
}

const bj_record_def *bj_record_def_at(size_t index) {
    return index < RECORDS ? records[index] : NULL;
}

const bj_record_def *bj_record_def_of(bj_kind kind) {
    return (size_t) kind < KINDS ? by_kind[kind] : NULL;
}

size_t bj_verb_count(void) {
    return VERBS;
}

const bj_record_def *bj_verb_at(size_t index) {
    return index < VERBS ? verbs[index] : NULL;
}

const bj_record_def *bj_verb_named(const char *name, size_t length) {
    for (size_t i = 0; i < VERBS; i++) {
        if (named(verbs[i]->name, name, length)) {
            return verbs[i];
        }
    }
    return NULL;
}

/* Most are where a table without gaps has them. */
const bj_field_def *bj_field_numbered(const bj_record_def *def, unsigned number) {
    if (number - 1 < def->field_count && def->fields[number - 1].number == number) {
        return &def->fields[number - 1];
    }
    for (size_t i = 0; i < def->field_count; i++) {
        if (def->fields[i].number == number) {
            return &def->fields[i];
        }
    }
    return NULL;
}

const bj_field_def *bj_field_named(const bj_record_def *def, const char *name, size_t length) {
    for (size_t i = 0; i < def->field_count; i++) {
        if (named(def->fields[i].name, name, length)) {
            return &def->fields[i];
        }
    }
    return NULL;
}

const bj_field_def *bj_field_primary(const bj_record_def *def) {
    for (size_t i = 0; i < def->field_count; i++) {
        if (def->fields[i].flags & BJ_PRIMARY) {
            return &def->fields[i];
        }
    }
    return NULL;
}

const char *bj_enum_name(const bj_enum_value *values, uint32_t number) {
    for (; values && values->name; values++) {
        if (values->number == number) {
            return values->name;
        }
    }
    return NULL;
}
