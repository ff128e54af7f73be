/* SPDX-License-Identifier: Apache-2.0
 *
 * LwM2M JSON of version 1.0 (LwM2M Core 1.0 §6.4.4): an object with a base name and an array of elements, whose fields
 * are nearly those of SenML. It is written in senml_write.c.
 */
#include <string.h>

#include "wire/entries_internal.h"
#include "wire/json.h"

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
    if (!bj__json_member_name(&in->r, name, BJ_NAME, &length)) {
        return bj__damaged(in, why, "no name of a field where one is due");
    }
    name[length] = '\0';
    int label = old_label_of(name);
    if (label != BJ_SENML_UNKNOWN && !bj__senml_once(fields, label)) {
        return bj__damaged(in, why, "the field %s stands twice in an element", name);
    }
    return bj__json_field(in, label, fields) ||
           bj__damaged(in, why, "the field %.20s does not hold what it must", name);
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
        if (!bj__json_member_name(&in->r, name, 8, &length)) {
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
        count += bj__senml_has(&fields, values[i]);
    }
    if (fault || count != 1) {
        return bj__damaged(in, why, fault ? "no comma between fields" : "an element has not one value");
    }
    *entry = fields.value;
    entry->also = entry->kind == BJ_ENTRY_STRING ? BJ_ALSO_OPAQUE : 0;
    return old_path(in, &fields, &entry->path, why) &&
           (!fields.unlike || bj__damaged(in, why, "the value is no %s", fields.unlike));
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
