/* SPDX-License-Identifier: Apache-2.0
 *
 * Payloads for programs: TLV as a tree, links and the values of the other formats as a list. Nothing is hidden here.
 */
#include "wire/entries.h"
#include "wire/link.h"
#include "wire/payload.h"
#include "wire/tlv.h"

static void values_json(bj_text *out, const uint8_t *data, size_t length, int depth);

static void value_json(bj_text *out, const bj_tlv *entry) {
    int64_t number;
    bj_text_add(out, ",\"hex\":\"");
    bj_text_hex(out, entry->value, entry->length);
    bj_text_add(out, "\"");
    if (bj_tlv_int(entry, &number)) {
        bj_text_add(out, ",\"integer\":");
        bj_text_add_signed(out, number);
    }
    for (size_t i = 0; i < entry->length; i++) {
        if (entry->value[i] < 0x20 || entry->value[i] >= 0x7F) {
            return;
        }
    }
    bj_text_add(out, ",\"text\":");
    bj_text_json_string(out, (const char *) entry->value, entry->length);
}

static void entry_json(bj_text *out, const bj_tlv *entry, int depth) {
    static const char *const kinds[] = { "instance", "resource-instance", "multiple", "resource" };
    bj_text_add(out, "{\"kind\":\"");
    bj_text_add(out, kinds[entry->type & 3]);
    bj_text_add(out, "\",\"id\":");
    bj_text_add_number(out, entry->id);
    if ((entry->type == BJ_TLV_INSTANCE || entry->type == BJ_TLV_MULTIPLE) && depth > 0) {
        bj_text_add(out, ",\"entries\":");
        values_json(out, entry->value, entry->length, depth - 1);
    } else {
        value_json(out, entry);
    }
    bj_text_add(out, "}");
}

/* A damaged rest becomes an entry {"kind":"damaged","hex":...}. */
static void values_json(bj_text *out, const uint8_t *data, size_t length, int depth) {
    const char *comma = "";
    bj_tlv entry;
    bj_text_add(out, "[");
    while (!out->cut && bj_tlv_next(&data, &length, &entry)) {
        bj_text_add(out, comma);
        entry_json(out, &entry, depth);
        comma = ",";
    }
    if (length) {
        bj_text_add(out, comma);
        bj_text_add(out, "{\"kind\":\"damaged\",\"hex\":\"");
        bj_text_hex(out, data, length);
        bj_text_add(out, "\"}");
    }
    bj_text_add(out, "]");
}

static void attr_json(bj_text *out, const bj_link_attr *attr) {
    bj_text_json_string(out, attr->name, attr->name_length);
    bj_text_add(out, ":");
    if (attr->value) {
        bj_text_json_string(out, attr->value, attr->value_length);
    } else {
        bj_text_add(out, "null");
    }
}

static void link_json(bj_text *out, const bj_core_link *link) {
    bj_text_add(out, "{\"target\":");
    if (link->target) {
        bj_text_json_string(out, link->target, link->target_length);
    } else {
        bj_text_add(out, "null");
    }
    bj_text_add(out, ",\"attributes\":{");
    for (size_t i = 0; i < link->attr_count; i++) {
        bj_text_add(out, i ? "," : "");
        attr_json(out, &link->attrs[i]);
    }
    bj_text_add(out, "}}");
}

static void links_json(bj_text *out, const char *text, size_t length) {
    BJ_TEXT(why, 128);
    const char *comma = "";
    bj_core_link link;
    bj_text_add(out, ",\"links\":[");
    while (!out->cut && bj_link_next(&text, &length, &link, &why)) {
        bj_text_add(out, comma);
        link_json(out, &link);
        comma = ",";
    }
    bj_text_add(out, "]");
    if (length) {
        bj_text_add(out, ",\"links_fault\":");
        bj_text_json_string(out, why.start, why.used);
    }
}

/* Content-Formats whose payload is text. */
static bool is_text(uint32_t format) {
    return format == BJ_FORMAT_TEXT || format == BJ_FORMAT_SENML_JSON || format == BJ_FORMAT_ETCH_JSON ||
           format == BJ_FORMAT_JSON || format == BJ_FORMAT_OLD_JSON;
}

/* Of a payload that is not too long for the room. */
static void entries_json(bj_text *out, uint32_t format, const uint8_t *data, size_t length) {
    enum { ROOM = 2048 };
    uint8_t room[ROOM];
    bj_entries in;
    if (length <= sizeof room) {
        bj_entries_begin(&in, format, NULL, data, length, room, sizeof room);
        bj_text_add(out, ",\"values\":");
        bj_entries_json(out, &in);
    }
}

void bj_payload_json(bj_text *out, uint32_t format, const uint8_t *data, size_t length) {
    enum { LEVELS = 3 };
    if (format == BJ_FORMAT_TLV || format == BJ_FORMAT_OLD_TLV) {
        bj_text_add(out, ",\"values\":");
        values_json(out, data, length, LEVELS);
        return;
    }
    if (format == BJ_FORMAT_LINK) {
        links_json(out, (const char *) data, length);
        return;
    }
    if (is_text(format)) {
        bj_text_add(out, ",\"text\":");
        bj_text_json_string(out, (const char *) data, length);
    }
    if (format != BJ_FORMAT_TEXT && format != BJ_FORMAT_OPAQUE && bj_entries_known(format)) {
        entries_json(out, format, data, length);
    }
}
