/* SPDX-License-Identifier: Apache-2.0
 *
 * SenML, RFC 8428, in JSON and in CBOR, with the object links of LwM2M Core 1.1 §7.4.4, §7.4.5: an array of records,
 * each of which has a name, of which a part may stand in an earlier record, and a value.
 */
#include <string.h>

#include "wire/base64.h"
#include "wire/cbor.h"
#include "wire/entries_internal.h"
#include "wire/json.h"

/* --- records -------------------------------------------------------------------------------------------------- */

bool bj__senml_once(bj_record_fields *fields, int label) {
    uint32_t bit = bj__senml_bit(label);
    bool twice = fields->seen & bit;
    fields->seen |= bit;
    return !twice;
}

/* RFC 8428 §4.6: base name and name make the path. */
static bool resolve_path(bj_entries *in, const bj_record_fields *fields, bj_path *path, bj_text *why) {
    char name[2 * BJ_NAME];
    if (bj__senml_has(fields, BJ_SENML_BN)) {
        memcpy(in->name, fields->base, fields->base_length);
        in->name_length = fields->base_length;
    }
    memcpy(name, in->name, in->name_length);
    memcpy(name + in->name_length, fields->name, fields->name_length);
    size_t length = in->name_length + fields->name_length;
    if (!bj__read_path(name, length, path)) {
        bj__damaged(in, why, "no path: ");
        bj_text_json_string(why, name, length);
        return false;
    }
    return true;
}

static void add_base_value(const bj_entry *base, bj_entry *value) {
    int64_t sum;
    if (base->kind == BJ_ENTRY_INT && value->kind == BJ_ENTRY_INT &&
        !__builtin_add_overflow(base->integer, value->integer, &sum)) {
        value->integer = sum;
    } else {
        double a = base->kind == BJ_ENTRY_FLOAT ? base->real : (double) base->integer;
        double b = value->kind == BJ_ENTRY_FLOAT ? value->real : (double) value->integer;
        value->kind = BJ_ENTRY_FLOAT;
        value->real = a + b;
    }
}

/* RFC 8428 §4.4: a whole number, in whatever notation, of ten at most. */
static bool is_known_version(const bj_entry *version) {
    enum { VERSION = 10 };
    bool whole = version->kind == BJ_ENTRY_FLOAT && version->real >= 1 && version->real <= VERSION &&
                 version->real == (double) (int) version->real;
    return whole || (version->kind == BJ_ENTRY_INT && version->integer <= VERSION);
}

bool bj__senml_resolve(bj_entries *in, const bj_record_fields *fields, bj_entry *entry, bj_text *why) {
    static const int values[] = { BJ_SENML_V, BJ_SENML_VS, BJ_SENML_VB, BJ_SENML_VD, BJ_SENML_VLO };
    unsigned count = 0;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        count += bj__senml_has(fields, values[i]);
    }
    if (bj__senml_has(fields, BJ_SENML_BVER) && !is_known_version(&fields->version)) {
        return bj__damaged(in, why, "a version of SenML that is not known");
    }
    if (!count && !bj__senml_has(fields, BJ_SENML_N)) {
        return bj__damaged(in, why, "a record has neither name nor value");
    }
    if (!resolve_path(in, fields, &entry->path, why)) {
        return false;
    }
    bj_path path = entry->path;
    if (count != 1) {
        return bj__damaged(in, why, count ? "a record has several values" : "a record has no value");
    }
    if (fields->unlike) {
        return bj__damaged(in, why, "the value is no %s", fields->unlike);
    }
    *entry = fields->value;
    entry->path = path;
    if (bj__senml_has(fields, BJ_SENML_BV)) {
        in->base_value = fields->base_value;
    }
    if (bj__senml_has(fields, BJ_SENML_V) && in->base_value.kind != BJ_ENTRY_NONE) {
        add_base_value(&in->base_value, entry);
    }
    return true;
}

/* --- JSON ----------------------------------------------------------------------------------------------------- */

static int label_of(const char *name) {
    static const char *const names[] = { "bs", "bv", "bu", "bt", "bn", "bver", "n",  "u",
                                         "v",  "vs", "vb", "s",  "t",  "ut",   "vd", "vlo" };
    for (int i = 0; i < (int) (sizeof names / sizeof names[0]); i++) {
        if (!strcmp(name, names[i])) {
            return BJ_SENML_BS + i;
        }
    }
    return BJ_SENML_UNKNOWN;
}

static bool json_boolean(bj_reader *r, bj_entry *value) {
    value->kind = BJ_ENTRY_BOOL;
    value->integer = bj_json_word(r, "true");
    return value->integer || bj_json_word(r, "false");
}

static bool json_string(bj_entries *in, bj_entry *value) {
    value->kind = BJ_ENTRY_STRING;
    value->bytes = in->room;
    return bj_json_string(&in->r, in->room, in->size, &value->length);
}

static bool json_opaque(bj_entries *in, bj_record_fields *fields) {
    bj_entry *value = &fields->value;
    if (!json_string(in, value)) {
        return false;
    }
    bool read = bj_base64_decode(in->room, value->length, true, in->room, &value->length);
    fields->unlike = read ? NULL : "base64url";
    value->kind = BJ_ENTRY_OPAQUE;
    return true;
}

/* Of the string that was read as the value. */
static void read_link(bj_record_fields *fields) {
    bj_entry *value = &fields->value;
    fields->unlike = bj__read_objlnk(value->bytes, value->length, &value->integer) ? NULL : "Object Link";
    value->kind = BJ_ENTRY_OBJLNK;
}

static bool json_link(bj_entries *in, bj_record_fields *fields) {
    if (!json_string(in, &fields->value)) {
        return false;
    }
    read_link(fields);
    return true;
}

bool bj__json_field(bj_entries *in, int label, bj_record_fields *fields) {
    size_t length;
    switch (label) {
    case BJ_SENML_BN:
        return bj_json_string(&in->r, (uint8_t *) fields->base, sizeof fields->base, &fields->base_length);
    case BJ_SENML_N:
        return bj_json_string(&in->r, (uint8_t *) fields->name, sizeof fields->name, &fields->name_length);
    case BJ_SENML_BU:
    case BJ_SENML_U:
        return bj_json_string(&in->r, NULL, 0, &length);
    case BJ_SENML_VS:
        return json_string(in, &fields->value);
    case BJ_SENML_VD:
        return json_opaque(in, fields);
    case BJ_SENML_VLO:
        return json_link(in, fields);
    case BJ_SENML_VB:
        return json_boolean(&in->r, &fields->value);
    case BJ_SENML_V:
        return bj_json_number(&in->r, &fields->value);
    case BJ_SENML_BV:
        return bj_json_number(&in->r, &fields->base_value);
    case BJ_SENML_BVER:
        return bj_json_number(&in->r, &fields->version);
    case BJ_SENML_UNKNOWN:
        return bj_json_skip(&in->r);
    default: /* of times, which nobody looks at here */
        return bj_json_pass_number(&in->r);
    }
}

/* RFC 8428 §4.4: what is not known is passed over, unless its name ends in "_". */
static bool may_pass(bj_entries *in, const char *name, size_t length, bj_text *why) {
    if (length && name[length - 1] == '_') {
        return bj__damaged(in, why, "the field %s must be understood", name);
    }
    return true;
}

bool bj__json_member_name(bj_reader *r, char *name, size_t room, size_t *length) {
    bj_reader before = *r;
    if (!bj_json_string(r, (uint8_t *) name, room, length)) {
        *r = before;
        if (!bj_json_string(r, NULL, 0, length)) {
            return false;
        }
        *length = r->at[-2] == '_';
        *name = '_';
    }
    return bj_json_take(r, ':');
}

static bool json_member(bj_entries *in, bj_record_fields *fields, bj_text *why) {
    char name[BJ_NAME + 1];
    size_t length;
    if (!bj__json_member_name(&in->r, name, BJ_NAME, &length)) {
        return bj__damaged(in, why, "no name of a field where one is due");
    }
    name[length] = '\0';
    int label = label_of(name);
    if (label == BJ_SENML_UNKNOWN) {
        if (!may_pass(in, name, length, why)) {
            return false;
        }
    } else if (!bj__senml_once(fields, label)) {
        return bj__damaged(in, why, "the field %s stands twice in a record", name);
    }
    return bj__json_field(in, label, fields) ||
           bj__damaged(in, why, "the field %.20s does not hold what it must", name);
}

static bool json_record(bj_entries *in, bj_record_fields *fields, bj_text *why) {
    bool first = true, fault = false;
    if (!bj_json_take(&in->r, '{')) {
        return bj__damaged(in, why, "no record where one is due");
    }
    while (bj_json_more(&in->r, '}', &first, &fault)) {
        if (!json_member(in, fields, why)) {
            return false;
        }
    }
    return !fault || bj__damaged(in, why, "no comma between fields");
}

bool bj__senml_json_entry(bj_entries *in, bj_entry *entry, bj_text *why) {
    bj_record_fields fields = { .seen = 0 };
    bool first = !in->begun, fault = false;
    if (first && !bj_json_take(&in->r, '[')) {
        return bj__damaged(in, why, "no array of records");
    }
    if (!bj_json_more(&in->r, ']', &first, &fault)) {
        if (fault) {
            return bj__damaged(in, why, "no comma between records");
        }
        return bj_json_peek(&in->r) || bj_reader_left(&in->r) ? bj__damaged(in, why, "more behind the array") : false;
    }
    return json_record(in, &fields, why) && bj__senml_resolve(in, &fields, entry, why);
}

/* --- CBOR ----------------------------------------------------------------------------------------------------- */

static bool cbor_text(bj_reader *r, char *out, size_t size, size_t *length) {
    const uint8_t *bytes;
    if (!bj_cbor_string(r, BJ_CBOR_TEXT, (uint8_t *) out, size, &bytes, length) || *length > size) {
        return false;
    }
    if (*length) {
        memmove(out, bytes, *length);
    }
    return true;
}

static bool is_kind(const bj_entry *value, bj_entry_kind kind) {
    return value->kind == kind;
}

static bool cbor_number(bj_entries *in, bj_entry *number) {
    return bj_cbor_value(&in->r, in->room, in->size, number) &&
           (is_kind(number, BJ_ENTRY_INT) || is_kind(number, BJ_ENTRY_UINT) || is_kind(number, BJ_ENTRY_FLOAT));
}

static bool cbor_of_kind(bj_entries *in, bj_entry_kind kind, bj_entry *value) {
    bool fine = bj_cbor_value(&in->r, in->room, in->size, value) && is_kind(value, kind);
    value->also = 0;
    return fine;
}

static bool cbor_link(bj_entries *in, bj_record_fields *fields) {
    if (!cbor_of_kind(in, BJ_ENTRY_STRING, &fields->value)) {
        return false;
    }
    read_link(fields);
    return true;
}

static bool cbor_field(bj_entries *in, int label, bj_record_fields *fields) {
    bj_entry ignored;
    switch (label) {
    case BJ_SENML_BN:
        return cbor_text(&in->r, fields->base, sizeof fields->base, &fields->base_length);
    case BJ_SENML_N:
        return cbor_text(&in->r, fields->name, sizeof fields->name, &fields->name_length);
    case BJ_SENML_BU:
    case BJ_SENML_U:
        return cbor_of_kind(in, BJ_ENTRY_STRING, &ignored);
    case BJ_SENML_VS:
        return cbor_of_kind(in, BJ_ENTRY_STRING, &fields->value);
    case BJ_SENML_VD:
        return cbor_of_kind(in, BJ_ENTRY_OPAQUE, &fields->value);
    case BJ_SENML_VLO:
        return cbor_link(in, fields);
    case BJ_SENML_VB:
        return cbor_of_kind(in, BJ_ENTRY_BOOL, &fields->value);
    case BJ_SENML_V:
        return cbor_number(in, &fields->value);
    case BJ_SENML_BV:
        return cbor_number(in, &fields->base_value);
    case BJ_SENML_BVER:
        return cbor_number(in, &fields->version);
    case BJ_SENML_UNKNOWN:
        return bj_cbor_skip(&in->r);
    default:
        return cbor_number(in, &ignored);
    }
}

/* A label: a number, or the text of a field that has none. */
static bool cbor_label(bj_entries *in, int *label, bj_text *why) {
    char name[BJ_NAME + 1];
    size_t length;
    bj_entry number;
    if (bj_cbor_peek(&in->r) == BJ_CBOR_TEXT) {
        if (!cbor_text(&in->r, name, BJ_NAME, &length)) {
            return bj__damaged(in, why, "the name of a field is no text, or too long");
        }
        name[length] = '\0';
        *label = !strcmp(name, "vlo") ? BJ_SENML_VLO : BJ_SENML_UNKNOWN;
        return *label == BJ_SENML_VLO || may_pass(in, name, length, why);
    }
    bool integer = bj_cbor_peek(&in->r) == BJ_CBOR_UINT || bj_cbor_peek(&in->r) == BJ_CBOR_NEGATIVE;
    bj_reader label_at = in->r;
    bool small = bj_cbor_value(&in->r, in->room, in->size, &number) && number.kind == BJ_ENTRY_INT;
    in->r = small ? in->r : label_at; /* one of 64 bits is none that is known */
    if (!integer || (!small && !bj_cbor_skip(&in->r))) {
        return bj__damaged(in, why, "the label of a field is no number");
    }
    bool known = small && number.integer >= BJ_SENML_BS && number.integer <= BJ_SENML_VD;
    *label = known ? (int) number.integer : BJ_SENML_UNKNOWN;
    return true;
}

static bool cbor_member(bj_entries *in, bj_record_fields *fields, bj_text *why) {
    int label = BJ_SENML_UNKNOWN;
    if (!cbor_label(in, &label, why)) {
        return false;
    }
    if (label != BJ_SENML_UNKNOWN && !bj__senml_once(fields, label)) {
        return bj__damaged(in, why, "the field %d stands twice in a record", label);
    }
    return cbor_field(in, label, fields) || bj__damaged(in, why, "the field %d does not hold what it must", label);
}

static bool cbor_record(bj_entries *in, bj_record_fields *fields, bj_text *why) {
    bj_cbor_head head;
    if (!bj_cbor_read_head(&in->r, &head) || head.major != BJ_CBOR_MAP) {
        return bj__damaged(in, why, "no record where one is due");
    }
    for (uint64_t i = 0; head.open ? !bj_cbor_take_break(&in->r) : i < head.argument; i++) {
        if (!cbor_member(in, fields, why)) {
            return false;
        }
    }
    return true;
}

static bool begin_cbor(bj_entries *in, bj_text *why) {
    bj_cbor_head head;
    if (!bj_cbor_read_head(&in->r, &head) || head.major != BJ_CBOR_ARRAY) {
        return bj__damaged(in, why, "no array of records");
    }
    in->level[0].left = head.argument;
    in->level[0].open = head.open;
    return true;
}

bool bj__senml_cbor_entry(bj_entries *in, bj_entry *entry, bj_text *why) {
    bj_record_fields fields = { .seen = 0 };
    if (!in->begun && !begin_cbor(in, why)) {
        return false;
    }
    if (in->level[0].open ? bj_cbor_take_break(&in->r) : !in->level[0].left--) {
        return bj_reader_left(&in->r) ? bj__damaged(in, why, "more behind the array") : false;
    }
    return cbor_record(in, &fields, why) && bj__senml_resolve(in, &fields, entry, why);
}
