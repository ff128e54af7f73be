/* SPDX-License-Identifier: Apache-2.0
 *
 * LwM2M CBOR (content format 11544), LwM2M Core 1.2 §7.4.6: maps inside each other, whose keys are ids, or arrays of
 * several ids at once.
 */
#include "wire/cbor.h"
#include "wire/entries_internal.h"

static bool begin_map(bj_entries *in, const bj_path *path, bj_text *why) {
    bj_cbor_head head;
    if (!bj_cbor_read_head(&in->r, &head) || head.major != BJ_CBOR_MAP) {
        return bj__damaged(in, why, "no map where one is due");
    }
    if (in->levels == BJ_NESTING) {
        return bj__damaged(in, why, "maps are nested deeper than Resource Instances");
    }
    in->level[in->levels].path = *path;
    in->level[in->levels].left = head.argument;
    in->level[in->levels].open = head.open;
    in->level[in->levels].empty = true;
    in->levels++;
    return true;
}

static bool read_id(bj_entries *in, bj_path *path, bj_text *why) {
    bj_cbor_head head;
    if (!bj_cbor_read_head(&in->r, &head) || head.major != BJ_CBOR_UINT || head.argument > UINT16_MAX) {
        return bj__damaged(in, why, "a key is no id");
    }
    if (path->depth == 4) {
        return bj__damaged(in, why, "a path of more than four ids");
    }
    path->ids[path->depth++] = (uint16_t) head.argument;
    return true;
}

static bool read_key(bj_entries *in, bj_path *path, bj_text *why) {
    bj_cbor_head head = { .argument = 1 };
    bool array = bj_cbor_peek(&in->r) == BJ_CBOR_ARRAY;
    uint8_t before = path->depth;
    if (array && !bj_cbor_read_head(&in->r, &head)) {
        return bj__damaged(in, why, "a key is cut");
    }
    for (uint64_t i = 0; head.open ? !bj_cbor_take_break(&in->r) : i < head.argument; i++) {
        if (!read_id(in, path, why)) {
            return false;
        }
    }
    return path->depth > before || bj__damaged(in, why, "a key without ids");
}

static bool read_value(bj_entries *in, bj_entry *entry, bj_text *why) {
    if (entry->path.depth < 3) {
        BJ_TEXT(path, 32);
        bj_path_print(&path, &entry->path);
        return bj__damaged(in, why, "%s is no Resource and has a value", path.start);
    }
    return bj_cbor_value(&in->r, in->room, in->size, entry) || bj__damaged(in, why, "a value is cut, or of no type");
}

/* The map on top is read to its end; an empty one is an entry of its own, unless it is the whole payload. */
static bool ends_map(bj_entries *in, bj_entry *entry, bool *said) {
    unsigned top = in->levels - 1;
    bool end = in->level[top].open ? bj_cbor_take_break(&in->r) : !in->level[top].left;
    *said = end && in->level[top].empty && top > 0;
    entry->path = in->level[top].path;
    in->levels -= end;
    in->level[top].left--;
    in->level[top].empty = false;
    return end;
}

bool bj__lwm2m_cbor_entry(bj_entries *in, bj_entry *entry, bj_text *why) {
    bj_path root = { .depth = 0 };
    bool said;
    if (!in->begun && !begin_map(in, &root, why)) {
        return false;
    }
    while (in->levels) {
        if (ends_map(in, entry, &said)) {
            if (said) {
                return true;
            }
            continue;
        }
        if (!read_key(in, &entry->path, why)) {
            return false;
        }
        if (bj_cbor_peek(&in->r) != BJ_CBOR_MAP) {
            return read_value(in, entry, why);
        }
        if (!begin_map(in, &entry->path, why)) {
            return false;
        }
    }
    return bj_reader_left(&in->r) ? bj__damaged(in, why, "more behind the map") : false;
}
