/* SPDX-License-Identifier: Apache-2.0
 *
 * See entries.h: writing, and which format is written by what.
 */
#include <string.h>

#include "wire/base64.h"
#include "wire/cbor.h"
#include "wire/entries_internal.h"

void bj__put(bj_entry_writer *w, const void *bytes, size_t length) {
    bj__put_at(w, w->bytes.used, bytes, length);
}

void bj__put_at(bj_entry_writer *w, size_t mark, const void *bytes, size_t length) {
    bj_tlv_writer *to = &w->bytes;
    if (to->overflow || length > to->room - to->used) {
        to->overflow = true;
        return;
    }
    if (length) {
        memmove(to->out + mark + length, to->out + mark, to->used - mark);
        memcpy(to->out + mark, bytes, length);
    }
    to->used += length;
}

bool bj__names(bj_entry_writer *w, const bj_path *path, bj_text *base, bj_text *name) {
    bool below = bj_path_begins(path, &w->base) && path->depth > w->base.depth;
    bj_path before = below ? w->base : *path;
    bj_path_print(base, &before);
    bj_text_add(base, below && before.depth ? "/" : "");
    for (unsigned i = before.depth; i < path->depth; i++) {
        bj_text_printf(name, i > before.depth ? "/%u" : "%u", path->ids[i]);
    }
    bool again = w->count && bj_path_begins(&w->named, &before) && w->named.depth == before.depth;
    w->named = before;
    return !again;
}

static void write_base64(bj_entry_writer *w, const bj_entry *entry) {
    char group[4];
    for (size_t i = 0; i < entry->length; i += 3) {
        bj__put(w, group, bj_base64_group(entry->bytes + i, entry->length - i, false, group));
    }
}

/* Core §7.4.1 */
static void write_text(bj_entry_writer *w, const bj_entry *entry) {
    BJ_TEXT(text, 64);
    if (entry->kind == BJ_ENTRY_OPAQUE) {
        write_base64(w, entry);
    } else if (entry->kind == BJ_ENTRY_STRING || entry->kind == BJ_ENTRY_TEXT) {
        bj__put(w, entry->bytes, entry->length);
    } else if (entry->kind == BJ_ENTRY_BOOL) {
        bj__put(w, entry->integer ? "1" : "0", 1);
    } else if (entry->kind != BJ_ENTRY_NONE) {
        bj_entry_print(&text, entry);
        bj__put(w, text.start, text.used);
    }
}

/* The bytes of a value, whatever it is. */
static void write_opaque(bj_entry_writer *w, const bj_entry *entry) {
    if (entry->kind == BJ_ENTRY_OPAQUE || entry->kind == BJ_ENTRY_RAW) {
        bj__put(w, entry->bytes, entry->length);
    } else {
        write_text(w, entry);
    }
}

static void write_single(bj_entry_writer *w, const bj_entry *entry) {
    if (w->count) {
        return;
    }
    if (w->format == BJ_FORMAT_CBOR) {
        bj_cbor_put_value(w, entry);
    } else if (w->format == BJ_FORMAT_TEXT) {
        write_text(w, entry);
    } else {
        write_opaque(w, entry);
    }
}

void bj_entries_write_begin(bj_entry_writer *w, uint32_t format, const bj_path *path, uint8_t *out, size_t room) {
    *w = (bj_entry_writer){ .format = format, .base = *path, .bytes = { .out = out, .room = room } };
}

void bj_entries_write(bj_entry_writer *w, const bj_entry *given) {
    bj_entry typed = *given;
    const bj_entry *entry = &typed;
    typed.kind = given->kind == BJ_ENTRY_RAW    ? BJ_ENTRY_OPAQUE
                 : given->kind == BJ_ENTRY_TEXT ? BJ_ENTRY_STRING
                                                : given->kind;
    switch (w->format) {
    case BJ_FORMAT_SENML_JSON:
        bj__senml_json_write(w, entry);
        break;
    case BJ_FORMAT_SENML_CBOR:
        bj__senml_cbor_write(w, entry);
        break;
    case BJ_FORMAT_LWM2M_CBOR:
        bj__lwm2m_cbor_write(w, entry);
        break;
    case BJ_FORMAT_JSON:
    case BJ_FORMAT_OLD_JSON:
        bj__lwm2m_json_write(w, entry);
        break;
    default:
        write_single(w, entry);
        w->count++;
        break;
    }
}

size_t bj_entries_write_end(bj_entry_writer *w) {
    switch (w->format) {
    case BJ_FORMAT_SENML_JSON:
        bj__senml_json_end(w);
        break;
    case BJ_FORMAT_SENML_CBOR:
        bj__senml_cbor_end(w);
        break;
    case BJ_FORMAT_LWM2M_CBOR:
        bj__lwm2m_cbor_end(w);
        break;
    case BJ_FORMAT_JSON:
    case BJ_FORMAT_OLD_JSON:
        bj__lwm2m_json_end(w);
        break;
    default:
        break;
    }
    return w->bytes.overflow ? 0 : w->bytes.used;
}
