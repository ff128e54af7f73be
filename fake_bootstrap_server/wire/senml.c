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

static uint32_t bit_of(int label) {
    return UINT32_C(1) << (label - BJ_SENML_BS);
}

bool bj__senml_once(bj_record_fields *fields, int label) {
    uint32_t bit = bit_of(label);
    bool twice = fields->seen & bit;
    fields->seen |= bit;
    return !twice;
}

static bool has(const bj_record_fields *fields, int label) {
    return fields->seen & bit_of(label);
}

/* RFC 8428 §4.6: base name and name make the path. */
static bool resolve_path(bj_entries *in, const bj_record_fields *fields, bj_path *path, bj_text *why) {
    char name[2 * BJ_NAME];
    if (has(fields, BJ_SENML_BN)) {
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
        count += has(fields, values[i]);
    }
    if (has(fields, BJ_SENML_BVER) && !is_known_version(&fields->version)) {
        return bj__damaged(in, why, "a version of SenML that is not known");
    }
    if (!count && !has(fields, BJ_SENML_N)) {
        return bj__damaged(in, why, "a record has neither name nor value");
    }
    if (!resolve_path(in, fields, &entry->path, why)) {
        return false;
    }
    bj_path path = entry->path;
    if (count != 1) {
        return bj__damaged(in, why, count ? "a record has several values" : "a record has no value");
    }
    *entry = fields->value;
    entry->path = path;
    if (has(fields, BJ_SENML_BV)) {
        in->base_value = fields->base_value;
    }
    if (has(fields, BJ_SENML_V) && in->base_value.kind != BJ_ENTRY_NONE) {
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

static bool json_opaque(bj_entries *in, bj_entry *value) {
    bool fine = json_string(in, value) && bj_base64_decode(in->room, value->length, true, in->room, &value->length);
    value->kind = BJ_ENTRY_OPAQUE;
    return fine;
}

static bool json_link(bj_reader *r, bj_entry *value) {
    uint8_t text[16];
    size_t length;
    value->kind = BJ_ENTRY_OBJLNK;
    return bj_json_string(r, text, sizeof text, &length) && bj__read_objlnk(text, length, &value->integer);
}

static bool json_field(bj_entries *in, int label, bj_record_fields *fields) {
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
        return json_opaque(in, &fields->value);
    case BJ_SENML_VLO:
        return json_link(&in->r, &fields->value);
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

/* The name of a member and the colon behind it. One for which there is no room is none that is known: what is given in
 * its place is empty, or the underscore with which it ends (RFC 8428 §4.4). */
static bool member_name(bj_reader *r, char *name, size_t room, size_t *length) {
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
    if (!member_name(&in->r, name, BJ_NAME, &length)) {
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
    return json_field(in, label, fields) || bj__damaged(in, why, "the field %.20s does not hold what it must", name);
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

static bool cbor_link(bj_entries *in, bj_entry *value) {
    bool fine =
        cbor_of_kind(in, BJ_ENTRY_STRING, value) && bj__read_objlnk(value->bytes, value->length, &value->integer);
    value->kind = BJ_ENTRY_OBJLNK;
    return fine;
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
        return cbor_link(in, &fields->value);
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

/* --- writing -------------------------------------------------------------------------------------------------- */

static const char *const value_names[] = {
    [BJ_ENTRY_STRING] = "vs", [BJ_ENTRY_INT] = "v",     [BJ_ENTRY_UINT] = "v",     [BJ_ENTRY_FLOAT] = "v",
    [BJ_ENTRY_BOOL] = "vb",   [BJ_ENTRY_OPAQUE] = "vd", [BJ_ENTRY_OBJLNK] = "vlo",
};

/* In pieces that end where a character ends, so that any length passes through a small room. */
static void put_json_string(bj_entry_writer *w, const uint8_t *bytes, size_t length) {
    enum { PIECE = 64 };
    bj__put(w, "\"", 1);
    while (length) {
        BJ_TEXT(piece, 6 * PIECE + 3);
        size_t take = length < PIECE ? length : PIECE;
        while (take < length && take > PIECE - 4 && (bytes[take] & 0xC0) == 0x80) {
            take--;
        }
        bj_text_json_string(&piece, (const char *) bytes, take);
        bj__put(w, piece.start + 1, piece.used - 2);
        bytes += take;
        length -= take;
    }
    bj__put(w, "\"", 1);
}

static void put_json_base64(bj_entry_writer *w, const bj_entry *entry, bool url) {
    char group[4];
    bj__put(w, "\"", 1);
    for (size_t i = 0; i < entry->length; i += 3) {
        bj__put(w, group, bj_base64_group(entry->bytes + i, entry->length - i, url, group));
    }
    bj__put(w, "\"", 1);
}

static void put_json_value(bj_entry_writer *w, const bj_entry *entry, bool url) {
    BJ_TEXT(text, 64);
    if (entry->kind == BJ_ENTRY_STRING) {
        put_json_string(w, entry->bytes, entry->length);
    } else if (entry->kind == BJ_ENTRY_OPAQUE) {
        put_json_base64(w, entry, url);
    } else {
        bool link = entry->kind == BJ_ENTRY_OBJLNK;
        bj_text_add(&text, link ? "\"" : "");
        bj_entry_print(&text, entry);
        bj_text_add(&text, link ? "\"" : "");
        bj__put(w, text.start, text.used);
    }
}

void bj__senml_json_write(bj_entry_writer *w, const bj_entry *entry) {
    BJ_TEXT(base, 32);
    BJ_TEXT(name, 32);
    BJ_TEXT(head, 128);
    if (entry->kind == BJ_ENTRY_NONE) {
        return;
    }
    bool renamed = bj__names(w, &entry->path, &base, &name);
    bj_text_add(&head, w->count ? ",{" : "[{");
    if (renamed) {
        bj_text_printf(&head, "\"bn\":\"%s\",", base.start);
    }
    if (name.used) {
        bj_text_printf(&head, "\"n\":\"%s\",", name.start);
    }
    bj_text_printf(&head, "\"%s\":", value_names[entry->kind]);
    bj__put(w, head.start, head.used);
    put_json_value(w, entry, true);
    bj__put(w, "}", 1);
    w->count++;
}

void bj__senml_json_end(bj_entry_writer *w) {
    bj__put(w, w->count ? "]" : "[]", w->count ? 1 : 2);
}

static int cbor_label_of(const bj_entry *entry) {
    switch (entry->kind) {
    case BJ_ENTRY_STRING:
        return BJ_SENML_VS;
    case BJ_ENTRY_BOOL:
        return BJ_SENML_VB;
    case BJ_ENTRY_OPAQUE:
        return BJ_SENML_VD;
    default:
        return BJ_SENML_V;
    }
}

void bj__senml_cbor_write(bj_entry_writer *w, const bj_entry *entry) {
    BJ_TEXT(base, 32);
    BJ_TEXT(name, 32);
    if (entry->kind == BJ_ENTRY_NONE) {
        return;
    }
    bool renamed = bj__names(w, &entry->path, &base, &name);
    bj_cbor_put_head(w, BJ_CBOR_MAP, 1U + renamed + (name.used > 0));
    if (renamed) {
        bj_cbor_put_head(w, BJ_CBOR_NEGATIVE, 1);
        bj_cbor_put_text(w, base.start, base.used);
    }
    if (name.used) {
        bj_cbor_put_head(w, BJ_CBOR_UINT, BJ_SENML_N);
        bj_cbor_put_text(w, name.start, name.used);
    }
    if (entry->kind == BJ_ENTRY_OBJLNK) {
        bj_cbor_put_text(w, "vlo", 3);
    } else {
        bj_cbor_put_head(w, BJ_CBOR_UINT, (uint64_t) cbor_label_of(entry));
    }
    bj_cbor_put_value(w, entry);
    w->count++;
}

void bj__senml_cbor_end(bj_entry_writer *w) {
    uint8_t head[9];
    bj__put_at(w, 0, head, bj_cbor_head_bytes(head, BJ_CBOR_ARRAY, w->count));
}

/* --- LwM2M JSON of version 1.0 -------------------------------------------------------------------------------- */

static int old_label_of(const char *name) {
    static const struct {
        const char *name;
        int label;
    } names[] = { { "n", BJ_SENML_N },   { "t", BJ_SENML_T },   { "v", BJ_SENML_V },
                  { "bv", BJ_SENML_VB }, { "sv", BJ_SENML_VS }, { "ov", BJ_SENML_VLO } };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!strcmp(name, names[i].name)) {
            return names[i].label;
        }
    }
    return BJ_SENML_UNKNOWN;
}

static bool old_member(bj_entries *in, bj_record_fields *fields, bj_text *why) {
    char name[BJ_NAME + 1];
    size_t length;
    if (!member_name(&in->r, name, BJ_NAME, &length)) {
        return bj__damaged(in, why, "no name of a field where one is due");
    }
    name[length] = '\0';
    int label = old_label_of(name);
    if (label != BJ_SENML_UNKNOWN && !bj__senml_once(fields, label)) {
        return bj__damaged(in, why, "the field %s stands twice in an element", name);
    }
    return json_field(in, label, fields) || bj__damaged(in, why, "the field %.20s does not hold what it must", name);
}

/* The members of the whole: `bn` may stand behind `e`, so that they are read before the first element. */
static bool old_begin(bj_entries *in, bj_text *why) {
    bool first = true, fault = false, found = false;
    bj_reader elements = in->r;
    if (in->base.depth) {
        BJ_TEXT(base, 32);
        bj_path_print(&base, &in->base);
        memcpy(in->name, base.start, base.used);
        in->name_length = base.used;
    }
    if (!bj_json_take(&in->r, '{')) {
        return bj__damaged(in, why, "no object");
    }
    while (bj_json_more(&in->r, '}', &first, &fault)) {
        char name[9];
        size_t length = 0;
        if (!member_name(&in->r, name, 8, &length)) {
            return bj__damaged(in, why, "no bn, bt or e");
        }
        bool is_name = length == 2 && !memcmp(name, "bn", 2), is_elements = length == 1 && *name == 'e';
        bj_json_peek(&in->r);
        elements = is_elements ? in->r : elements;
        found = found || is_elements;
        if (is_name ? !bj_json_string(&in->r, (uint8_t *) in->name, BJ_NAME, &in->name_length)
                    : !bj_json_skip(&in->r)) {
            return bj__damaged(in, why, "it is no JSON");
        }
    }
    if (fault || bj_json_peek(&in->r) || bj_reader_left(&in->r) || !found) {
        return bj__damaged(in, why, fault ? "no comma between members" : found ? "more behind the object" : "no e");
    }
    in->r = elements;
    return bj_json_take(&in->r, '[') || bj__damaged(in, why, "e is no array");
}

/* A name is below the base name, whether or not that ends in a slash. */
static bool old_path(bj_entries *in, const bj_record_fields *fields, bj_path *path, bj_text *why) {
    char name[2 * BJ_NAME + 1];
    size_t length = in->name_length;
    memcpy(name, in->name, length);
    bool slash = length && name[length - 1] == '/', leading = fields->name_length && fields->name[0] == '/';
    if (fields->name_length && !slash && !leading) {
        name[length++] = '/';
    } else if (slash && (leading || (!fields->name_length && length > 1))) {
        length--;
    }
    memcpy(name + length, fields->name, fields->name_length);
    length += fields->name_length;
    if (!bj__read_path(name, length, path)) {
        bj__damaged(in, why, "no path: ");
        bj_text_json_string(why, name, length);
        return false;
    }
    return true;
}

static bool old_element(bj_entries *in, bj_entry *entry, bj_text *why) {
    bj_record_fields fields = { .seen = 0 };
    static const int values[] = { BJ_SENML_V, BJ_SENML_VS, BJ_SENML_VB, BJ_SENML_VLO };
    bool first = true, fault = false;
    unsigned count = 0;
    if (!bj_json_take(&in->r, '{')) {
        return bj__damaged(in, why, "no element where one is due");
    }
    while (bj_json_more(&in->r, '}', &first, &fault)) {
        if (!old_member(in, &fields, why)) {
            return false;
        }
    }
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        count += has(&fields, values[i]);
    }
    if (fault || count != 1) {
        return bj__damaged(in, why, fault ? "no comma between fields" : "an element has not one value");
    }
    *entry = fields.value;
    entry->also = entry->kind == BJ_ENTRY_STRING ? BJ_ALSO_OPAQUE : 0;
    return old_path(in, &fields, &entry->path, why);
}

bool bj__lwm2m_json_entry(bj_entries *in, bj_entry *entry, bj_text *why) {
    bool first = !in->begun, fault = false;
    if (first && !old_begin(in, why)) {
        return false;
    }
    if (!bj_json_more(&in->r, ']', &first, &fault)) {
        return fault ? bj__damaged(in, why, "no comma between elements") : false;
    }
    return old_element(in, entry, why);
}

void bj__lwm2m_json_write(bj_entry_writer *w, const bj_entry *entry) {
    static const char *const names[] = {
        [BJ_ENTRY_STRING] = "sv", [BJ_ENTRY_INT] = "v",     [BJ_ENTRY_UINT] = "v",    [BJ_ENTRY_FLOAT] = "v",
        [BJ_ENTRY_BOOL] = "bv",   [BJ_ENTRY_OPAQUE] = "sv", [BJ_ENTRY_OBJLNK] = "ov",
    };
    BJ_TEXT(base, 32);
    BJ_TEXT(name, 32);
    BJ_TEXT(head, 128);
    if (entry->kind == BJ_ENTRY_NONE) {
        return;
    }
    bj__names(w, &entry->path, &base, &name);
    if (w->count) {
        bj_text_add(&head, ",");
    } else {
        bj_text_printf(&head, "{\"bn\":\"%s\",\"e\":[", base.start);
    }
    bj_text_printf(&head, name.used ? "{\"n\":\"%s\",\"%s\":" : "{%s\"%s\":", name.start, names[entry->kind]);
    bj__put(w, head.start, head.used);
    put_json_value(w, entry, false);
    bj__put(w, "}", 1);
    w->count++;
}

void bj__lwm2m_json_end(bj_entry_writer *w) {
    BJ_TEXT(base, 64);
    if (!w->count) {
        bj_text_add(&base, "{\"bn\":\"");
        bj_path_print(&base, &w->base);
        bj_text_add(&base, "/\",\"e\":[");
    }
    bj_text_add(&base, "]}");
    bj__put(w, base.start, base.used);
}
