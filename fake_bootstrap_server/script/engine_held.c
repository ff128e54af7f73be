/* SPDX-License-Identifier: Apache-2.0
 *
 * The keys that the client holds when the world is healed: those of the factory, and what bootstrap sessions left with
 * it. The servers then take them all.
 */
#include "script/engine_internal.h"

#include <string.h>

#include "wire/tlv.h"

const bj_node *bj__node_of(const bj_node *nodes, size_t count, uint16_t id) {
    const bj_node *node = bj_node_find(nodes, count, id);
    return node && node->kind != BJ_N_TREE ? node : NULL;
}

static bj__held *held_of(bj_engine *e, unsigned instance) {
    bj__heal *h = &e->heal;
    for (unsigned i = 0; i < h->held_count; i++) {
        if (h->held[i].instance == instance && h->held[i].pending) {
            return &h->held[i];
        }
    }
    if (h->held_count == BJ__HELD) {
        return NULL;
    }
    bj__held *one = &h->held[h->held_count++];
    *one = (bj__held){ .instance = (uint16_t) instance, .pending = true };
    for (unsigned i = 0; i + 1 < h->held_count; i++) { /* what it was before */
        if (h->held[i].instance == instance && !h->held[i].deleted) {
            *one = h->held[i];
            one->pending = true;
        }
    }
    return one;
}

const bj_record *bj__bootstrap_account(const bj_engine *e) {
    const bj_record *client = bj_get_record(e->scenario, BJ_F(SCENARIO, CLIENT));
    return bj_get_record(client, BJ_F(CLIENT, BOOTSTRAP));
}

uint32_t bj__place_of(const bj_record *account) {
    return bj_get_uint(account, BJ_F(ACCOUNT, INSTANCE), 0);
}

/* Is the bootstrap account that the client had from the factory in that instance of /0? */
static bool is_own(const bj_engine *e, unsigned instance) {
    const bj_record *account = bj__bootstrap_account(e);
    return account && bj__place_of(account) == instance;
}

/* What a client holds that was told this: in TLV, which has no types, a number or a Boolean is bytes as any other. */
static bj_string bytes_told(bj_engine *e, const bj_node *node, bool tlv) {
    uint8_t room[16];
    bj_tlv_writer w = { .out = room, .room = sizeof room };
    if (node->kind == BJ_N_STRING || node->kind == BJ_N_OPAQUE) {
        return node->bytes;
    }
    if (tlv && node->kind == BJ_N_INT) {
        bj_tlv_put_int(&w, BJ_TLV_RESOURCE, node->id, node->integer);
    } else if (tlv && node->kind == BJ_N_BOOL) {
        bj_tlv_put_bool(&w, BJ_TLV_RESOURCE, node->id, node->integer != 0);
    }
    const uint8_t *at = room;
    bj_tlv entry = { .length = 0 };
    bj_tlv_next(&at, &w.used, &entry);
    return (bj_string){ bj_arena_strndup(e->arena, (const char *) entry.value, entry.length), entry.length };
}

/* Is it known, from a Write that was accepted, that the instance has a key? */
static bool has_key(const bj_engine *e, unsigned instance) {
    const bj__heal *h = &e->heal;
    for (unsigned i = 0; i < h->held_count && !h->guessing; i++) {
        if (h->held[i].instance == instance) {
            return true;
        }
    }
    return false;
}

static void note_instance(bj_engine *e, unsigned instance, const bj_node *nodes, size_t count, bool tlv) {
    const bj_node *identity = bj__node_of(nodes, count, 3), *key = bj__node_of(nodes, count, 5);
    bool says = identity && (bytes_told(e, identity, tlv).length || (key && bytes_told(e, key, tlv).length));
    bool matters = says || (identity && key && has_key(e, instance));
    bj__held *one = matters ? held_of(e, instance) : NULL;
    if (one) {
        const bj_node *bootstrap = bj__node_of(nodes, count, 1);
        one->named = true;
        one->bootstrap = bootstrap && bootstrap->kind == BJ_N_BOOL && bootstrap->integer;
        one->identity = bytes_told(e, identity, tlv);
        one->key = key ? bytes_told(e, key, tlv) : (bj_string){ NULL, 0 }; /* it may be written alone, and later */
    }
}

static void note_object(bj_engine *e, const bj_node *instances, size_t count, bool tlv) {
    for (size_t i = 0; i < count; i++) {
        note_instance(e, instances[i].id, instances[i].children, instances[i].child_count, tlv);
    }
}

/* One resource, as bytes or text. */
static void note_resource(bj_engine *e, const bj_record *step, const bj_path *path) {
    const bj_value *bytes = bj_get(step, BJ_F(WRITE, HEX)), *text = bj_get(step, BJ_F(WRITE, TEXT));
    const bj_value *value = bytes ? bytes : text;
    bool matters = value && (path->ids[2] == 3 || path->ids[2] == 5);
    bj__held *one = matters ? held_of(e, path->ids[1]) : NULL;
    if (one && path->ids[2] == 3) {
        one->named = true;
        one->identity = value->as.string;
    } else if (one) {
        one->key = value->as.string;
    }
}

void bj__heal_note_write(bj_engine *e, const bj_record *step) {
    bj_path path = bj_path_of(bj_get_string(step, BJ_F(WRITE, PATH), ""));
    const bj_value *tlv = bj_get(step, BJ_F(WRITE, TLV)), *values = bj_get(step, BJ_F(WRITE, VALUES));
    values = values ? values : tlv;
    if (!path.depth || path.ids[0] != 0) {
        return;
    }
    if (path.depth == 3) {
        note_resource(e, step, &path);
    } else if (path.depth == 2 && values) {
        note_instance(e, path.ids[1], values->as.nodes.items, values->as.nodes.count, values == tlv);
    }
    if (path.depth == 1 && values) {
        note_object(e, values->as.nodes.items, values->as.nodes.count, values == tlv);
    }
}

void bj__heal_note_pack(bj_engine *e, const bj_record *step) {
    const bj_value *values = bj_get(step, BJ_F(PACK, VALUES));
    const bj_node *security = values ? bj_node_find(values->as.nodes.items, values->as.nodes.count, 0) : NULL;
    if (security) {
        note_object(e, security->children, security->child_count, false);
    }
}

/* The bootstrap account stays, whatever is deleted (LwM2M Core 1.1 §6.1.7.6). What was written in the same session is
 * gone at once, for nothing brings it back; of what was there before the end of the session decides. */
void bj__heal_note_delete(bj_engine *e, const bj_record *step) {
    bj__heal *h = &e->heal;
    bj_path path = bj_path_of(bj_get_string(step, BJ_F(DELETE, PATH), "/"));
    unsigned count = 0;
    for (unsigned i = 0; i < h->held_count; i++) {
        bj__held one = h->held[i];
        bj_path place = { .depth = 2, .ids = { 0, one.instance } };
        one.deleted |= bj_path_begins(&place, &path) && !one.bootstrap && !is_own(e, one.instance);
        h->held[count] = one;
        count += !one.deleted || !one.pending;
    }
    h->held_count = count;
}

/* What was written of an instance in the session that ends well is what the client has of it. */
static bool is_replaced(const bj__heal *h, unsigned held) {
    for (unsigned i = held + 1; i < h->held_count; i++) {
        if (h->held[i].instance == h->held[held].instance) {
            return true;
        }
    }
    return false;
}

void bj__heal_note_session(bj_engine *e, bool kept) {
    bj__heal *h = &e->heal;
    unsigned count = 0;
    for (unsigned i = 0; i < h->held_count; i++) {
        if (kept ? h->held[i].deleted || is_replaced(h, i) : h->held[i].pending) {
            continue;
        }
        h->held[count] = h->held[i];
        h->held[count].deleted = false;
        h->held[count++].pending = false;
    }
    h->held_count = count;
}

/* Where a key was written alone, that which the factory gave the account stays. */
static bj_secure_bytes identity_of(const bj_engine *e, const bj__held *one) {
    bool stays = !one->named && is_own(e, one->instance);
    const bj_value *factory = stays ? bj_get(bj__bootstrap_account(e), BJ_F(ACCOUNT, IDENTITY)) : NULL;
    bj_string given = factory ? factory->as.string : one->identity;
    return (bj_secure_bytes){ (const uint8_t *) given.bytes, given.length };
}

/* What was written last comes first: of two keys for one identity it counts. */
static size_t held_keys(const bj_engine *e, bool pending, bj_secure_psk *psks, size_t n, size_t most) {
    const bj__heal *h = &e->heal;
    for (unsigned i = h->held_count; i-- && n < most;) {
        const bj__held *one = &h->held[i];
        if (one->pending == pending && one->key.length && one->key.length <= 32) {
            bj_secure_bytes key = { (const uint8_t *) one->key.bytes, one->key.length };
            psks[n++] = (bj_secure_psk){ identity_of(e, one), key };
        }
    }
    return n;
}

size_t bj__heal_keys(const bj_engine *e, bj_secure_psk *psks, size_t count, size_t most) {
    bj_secure_psk factory[BJ__HELD];
    size_t kept = count < BJ__HELD ? count : BJ__HELD, n = 0;
    memcpy(factory, psks, kept * sizeof *psks);
    n = held_keys(e, false, psks, n, most);
    for (size_t i = 0; i < kept && n < most; i++) {
        psks[n++] = factory[i];
    }
    return held_keys(e, true, psks, n, most); /* that may have been taken */
}
