/* SPDX-License-Identifier: Apache-2.0
 *
 * See entries.h: values for people, secrets by their length, and for programs.
 */
#include "wire/entries_internal.h"
#include "wire/resources.h"

static void print_hex(bj_text *out, const bj_entry *entry) {
    enum { SHOWN = 32 };
    bj_text_add(out, "0x");
    bj_text_hex(out, entry->bytes, entry->length < SHOWN ? entry->length : SHOWN);
    if (entry->length > SHOWN) {
        bj_text_printf(out, "... (%zu bytes)", entry->length);
    }
}

static bool has_bytes(const bj_entry *entry) {
    return entry->kind == BJ_ENTRY_STRING || entry->kind == BJ_ENTRY_OPAQUE || entry->kind == BJ_ENTRY_RAW ||
           entry->kind == BJ_ENTRY_TEXT;
}

/* Is this, or may it be, a secret? Of an Object that is not known, Resource 5 might be the Secret Key of /0. */
static bool is_secret(const bj_entry *entry) {
    const bj_path *path = &entry->path;
    if (!has_bytes(entry) || !entry->length) {
        return false;
    }
    if (path->depth >= 3) {
        return bj_resource_type(path->ids[0], path->ids[2]) == 'K';
    }
    return entry->length > 8 && entry->kind != BJ_ENTRY_STRING && (!path->depth || path->ids[path->depth - 1] == 5);
}

/* TLV: the same line as bj_tlv_print() writes of the value alone. */
static void print_raw(bj_text *out, const bj_entry *entry) {
    int64_t number;
    bj_tlv tlv = { .value = entry->bytes, .length = entry->length };
    bool text = entry->length > 1;
    for (size_t i = 0; i < entry->length; i++) {
        text = text && entry->bytes[i] >= 0x20 && entry->bytes[i] < 0x7F;
    }
    if (text || !entry->length) {
        bj_text_json_string(out, (const char *) entry->bytes, entry->length);
    } else if (bj_tlv_int(&tlv, &number)) {
        bj_text_add_signed(out, number);
    } else {
        print_hex(out, entry);
    }
}

void bj_entry_print(bj_text *out, const bj_entry *entry) {
    if (is_secret(entry)) {
        bj_text_printf(out, "<%zu byte%s>", entry->length, entry->length == 1 ? "" : "s");
        return;
    }
    switch (entry->kind) {
    case BJ_ENTRY_STRING:
    case BJ_ENTRY_TEXT:
        bj_text_json_string(out, (const char *) entry->bytes, entry->length);
        break;
    case BJ_ENTRY_INT:
        bj_text_add_signed(out, entry->integer);
        break;
    case BJ_ENTRY_UINT:
        bj_text_add_number(out, (uint64_t) entry->integer);
        break;
    case BJ_ENTRY_FLOAT:
        bj__print_real(out, entry->real);
        break;
    case BJ_ENTRY_BOOL:
        bj_text_add(out, entry->integer ? "true" : "false");
        break;
    case BJ_ENTRY_OBJLNK:
        bj_text_add_number(out, (uint64_t) (entry->integer >> 16 & 0xFFFF));
        bj_text_add_char(out, ':');
        bj_text_add_number(out, (uint64_t) (entry->integer & 0xFFFF));
        break;
    case BJ_ENTRY_OPAQUE:
        print_hex(out, entry);
        break;
    case BJ_ENTRY_RAW:
        print_raw(out, entry);
        break;
    default:
        bj_text_add(out, "{}");
        break;
    }
}

/* `0`, `0/1` below the path of the operation; `/1/0/0` where that is not known. */
static void print_name(bj_text *out, const bj_path *path, const bj_path *base) {
    bj_path above = bj_path_above_resources(base);
    if (!above.depth || !bj_path_begins(path, &above) || path->depth == above.depth) {
        bj_path_print(out, path);
        return;
    }
    for (unsigned i = above.depth; i < path->depth; i++) {
        bj_text_add(out, i > above.depth ? "/" : "");
        bj_text_add_number(out, path->ids[i]);
    }
}

bool bj_entries_print(bj_text *out, bj_entries *in, const bj_path *target) {
    BJ_TEXT(why, 8);
    bj_entry entry;
    const char *comma = "";
    bool single = bj_entries_single(in->format);
    bj_text_add(out, single ? "" : "{");
    while (bj_entries_next(in, &entry, &why)) {
        bj_text_add(out, comma);
        comma = ", ";
        if (!single) {
            print_name(out, &entry.path, target);
            bj_text_add(out, ": ");
        }
        bj_entry_print(out, &entry);
    }
    bj_text_add(out, single ? "" : "}");
    return !in->damaged;
}

/* --- JSON ----------------------------------------------------------------------------------------------------- */

static void json_value(bj_text *out, const bj_entry *entry) {
    if (entry->kind == BJ_ENTRY_STRING || entry->kind == BJ_ENTRY_TEXT) {
        bj_text_json_string(out, (const char *) entry->bytes, entry->length);
    } else if (has_bytes(entry)) {
        bj_text_add(out, "\"");
        bj_text_hex(out, entry->bytes, entry->length);
        bj_text_add(out, "\"");
    } else if (entry->kind == BJ_ENTRY_NONE || (entry->kind == BJ_ENTRY_FLOAT && entry->real - entry->real != 0)) {
        bj_text_add(out, "null"); /* nothing, and what JSON has no number for */
    } else {
        bool link = entry->kind == BJ_ENTRY_OBJLNK;
        bj_text_add(out, link ? "\"" : "");
        bj_entry_print(out, entry);
        bj_text_add(out, link ? "\"" : "");
    }
}

void bj_entries_json(bj_text *out, bj_entries *in) {
    static const char *const types[] = { "none",    "string", "integer", "integer", "float",
                                         "boolean", "opaque", "objlnk",  "opaque",  "text" };
    BJ_TEXT(why, 160);
    bj_entry entry;
    const char *comma = "";
    bj_text_add(out, "[");
    while (!out->cut && bj_entries_next(in, &entry, &why)) {
        bj_text_add(out, comma);
        bj_text_add(out, "{\"path\":\"");
        bj_path_print(out, &entry.path);
        bj_text_add(out, "\",\"type\":\"");
        bj_text_add(out, types[entry.kind]);
        bj_text_add(out, "\",\"value\":");
        json_value(out, &entry);
        bj_text_add(out, "}");
        comma = ",";
    }
    bj_text_add(out, "]");
    if (in->damaged) {
        bj_text_add(out, ",\"values_fault\":");
        bj_text_json_string(out, why.start, why.used);
    }
}
