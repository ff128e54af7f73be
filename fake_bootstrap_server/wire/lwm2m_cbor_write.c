/* SPDX-License-Identifier: Apache-2.0
 *
 * LwM2M CBOR (lwm2m_cbor.c): writing.
 */
#include "wire/cbor.h"
#include "wire/entries_internal.h"

static void close_map(bj_entry_writer *w) {
    uint8_t head[9];
    w->levels--;
    bj__put_at(w, w->level[w->levels].mark, head, bj_cbor_head_bytes(head, BJ_CBOR_MAP, w->level[w->levels].count));
}

/* A key in the map on top. */
static void put_key(bj_entry_writer *w, uint16_t id) {
    w->level[w->levels - 1].count++;
    bj_cbor_put_head(w, BJ_CBOR_UINT, id);
}

static void open_map(bj_entry_writer *w) {
    w->level[w->levels].mark = w->bytes.used;
    w->level[w->levels].count = 0;
    w->levels++;
}

void bj__lwm2m_cbor_write(bj_entry_writer *w, const bj_entry *entry) {
    const bj_path *path = &entry->path;
    bool nothing = entry->kind == BJ_ENTRY_NONE;
    unsigned keys = path->depth, common = 0;
    if (!keys) {
        return;
    }
    while (w->count && common + 1 < keys && common + 1 < w->levels && path->ids[common] == w->last.ids[common]) {
        common++;
    }
    while (w->levels > common + 1) {
        close_map(w);
    }
    for (unsigned i = common; i < keys; i++) {
        if (w->levels == i) {
            open_map(w);
        }
        put_key(w, path->ids[i]);
    }
    if (nothing) {
        bj_cbor_put_head(w, BJ_CBOR_MAP, 0);
    } else {
        bj_cbor_put_value(w, entry);
    }
    w->last = *path;
    w->count++;
}

void bj__lwm2m_cbor_end(bj_entry_writer *w) {
    if (!w->levels) {
        bj_cbor_put_head(w, BJ_CBOR_MAP, 0);
    }
    while (w->levels) {
        close_map(w);
    }
}
