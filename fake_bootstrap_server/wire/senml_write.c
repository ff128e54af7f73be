/* SPDX-License-Identifier: Apache-2.0
 *
 * SenML in JSON and in CBOR (senml.c), and LwM2M JSON of version 1.0 (lwm2m_json.c): what writes them.
 */
#include <string.h>

#include "wire/base64.h"
#include "wire/cbor.h"
#include "wire/entries_internal.h"

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
