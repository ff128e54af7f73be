/* SPDX-License-Identifier: Apache-2.0
 *
 * Operations of servers: which steps they are, with which method they are sent, which of their fields are expectations,
 * the paths of composite operations as a payload, and what a successful answer must hold.
 */
#include "script/engine_internal.h"

#include <string.h>

enum { SENML_JSON = 110, SENML_CBOR = 112, LWM2M_CBOR = 11544 };

/* Every step of this kind has the fields of BJ_FIELDS_OPERATION_WITHOUT_PATH under the same numbers. */
static const struct {
    bj_kind kind;
    uint8_t method;
} operations[] = {
    { BJ_K_WRITE, 3 },
    { BJ_K_DELETE, 4 },
    { BJ_K_DISCOVER, 1 },
    { BJ_K_READ, 1 },
    { BJ_K_FINISH, 2 },
    { BJ_K_EXECUTE, 2 },
    { BJ_K_CREATE, 2 },
    { BJ_K_WRITE_ATTRIBUTES, 3 },
    { BJ_K_OBSERVE, 1 },
    { BJ_K_CANCEL, 1 },
    { BJ_K_READ_COMPOSITE, 5 },
    { BJ_K_WRITE_COMPOSITE, 7 },
    { BJ_K_OBSERVE_COMPOSITE, 5 },
};

bool bj__is_operation(bj_kind kind) {
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        if (operations[i].kind == kind) {
            return true;
        }
    }
    return false;
}

uint8_t bj__method_of(const bj_record *step) {
    uint8_t method = 1;
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        method = operations[i].kind == (bj_kind) step->kind ? operations[i].method : method;
    }
    return step->kind == BJ_K_WRITE ? (uint8_t) bj_get_uint(step, BJ_F(WRITE, METHOD), method) : method;
}

bool bj__names_paths(const bj_record *step) {
    return step->kind == BJ_K_READ_COMPOSITE || step->kind == BJ_K_OBSERVE_COMPOSITE;
}

/* --- expectations --- */

static bool reads(uint8_t kind) {
    return kind == BJ_K_READ || kind == BJ_K_OBSERVE || kind == BJ_K_READ_COMPOSITE || kind == BJ_K_OBSERVE_COMPOSITE;
}

bool bj__operation_expects(uint8_t kind, unsigned field) {
    if (!bj__is_operation((bj_kind) kind)) {
        return false;
    }
    if (field == BJ_F(WRITE, EXPECT) || field == BJ_F(WRITE, WITHIN) || field == BJ_F(WRITE, TOLERATE)) {
        return true;
    }
    if (kind == BJ_K_DISCOVER) {
        return field == BJ_F(DISCOVER, HAS) || field == BJ_F(DISCOVER, LACKS);
    }
    bool tlv = kind == BJ_K_READ && field == BJ_F(READ, TLV);
    return reads(kind) &&
           (tlv || field == BJ_F(READ, VALUES) || field == BJ_F(READ, LACKS) || field == BJ_F(READ, TEXT));
}

bj_compared bj__content_matches(bj_engine *e, const bj__thread *t, const bj_record *step, const bj_coap *m,
                                bj_text *why) {
    if (!reads(step->kind)) {
        return BJ__SAME;
    }
    const bj_value *tlv = step->kind == BJ_K_READ ? bj_get(step, BJ_F(READ, TLV)) : NULL;
    const bj_value *values = bj_get(step, BJ_F(READ, VALUES));
    const bj_value *text = bj_get(step, BJ_F(READ, TEXT)), *lacks = bj_get(step, BJ_F(READ, LACKS));
    bj_path path = { .depth = 0 };
    if (!bj__names_paths(step)) {
        path = bj__path_of(e, t, step, BJ_F(READ, PATH));
    }
    values = values ? values : tlv;
    bj_compared result = values ? bj__values_match(e, t, values, &path, m, why) : BJ__SAME;
    bool any_format = step->kind == BJ_K_READ && !bj_get(step, BJ_F(READ, ACCEPT));
    if (result == BJ__SAME && text && any_format) {
        result = bj__text_match(e, t, text, &path, m, why);
    } else if (result == BJ__SAME && text) {
        result = bj__text_equal(e, t, text, m, why) ? BJ__SAME : BJ__DIFFERENT;
    }
    return result == BJ__SAME && lacks ? bj__values_lack(e, lacks, &path, m, why) : result;
}

/* --- paths as a payload --- */

static void senml_json(bj_text *out, const bj_value *paths) {
    bj_text_add(out, "[");
    for (size_t i = 0; i < paths->as.strings.count; i++) {
        bj_text_add(out, i ? ",{\"n\":" : "{\"n\":");
        bj_text_json_string(out, paths->as.strings.items[i].bytes, paths->as.strings.items[i].length);
        bj_text_add(out, "}");
    }
    bj_text_add(out, "]");
}

typedef struct cbor {
    uint8_t *out;
    size_t used, room;
} cbor;

static void put(cbor *c, const void *bytes, size_t length) {
    if (c->used + length <= c->room) {
        memcpy(c->out + c->used, bytes, length);
        c->used += length;
    }
}

static void head(cbor *c, unsigned major, size_t number) {
    uint8_t bytes[3] = { (uint8_t) (major << 5 | (number < 24    ? number
                                                  : number < 256 ? 24U
                                                                 : 25U)),
                         (uint8_t) (number < 256 ? number : number >> 8), (uint8_t) number };
    put(c, bytes, number < 24 ? 1 : number < 256 ? 2 : 3);
}

enum { UNSIGNED = 0, TEXT = 3, ARRAY = 4, MAP = 5 };

static void senml_cbor(cbor *c, const bj_value *paths) {
    head(c, ARRAY, paths->as.strings.count);
    for (size_t i = 0; i < paths->as.strings.count; i++) {
        head(c, MAP, 1);
        head(c, UNSIGNED, 0); /* the label of the name */
        head(c, TEXT, paths->as.strings.items[i].length);
        put(c, paths->as.strings.items[i].bytes, paths->as.strings.items[i].length);
    }
}

/* LwM2M Core 1.2 §6.3.8: the whole path is the key, null stands for the value. */
static void lwm2m_cbor(cbor *c, const bj_value *paths) {
    static const uint8_t null = 0xF6;
    head(c, MAP, paths->as.strings.count);
    for (size_t i = 0; i < paths->as.strings.count; i++) {
        bj_path path = bj_path_of(paths->as.strings.items[i].bytes);
        head(c, ARRAY, path.depth);
        for (unsigned n = 0; n < path.depth; n++) {
            head(c, UNSIGNED, path.ids[n]);
        }
        put(c, &null, 1);
    }
}

size_t bj__write_paths(const bj_value *paths, uint32_t format, uint8_t *out, size_t room) {
    cbor c = { .out = out, .room = room };
    if (format == SENML_JSON) {
        bj_text text = bj_text_over((char *) out, room);
        senml_json(&text, paths);
        return text.used;
    }
    if (format == LWM2M_CBOR) {
        lwm2m_cbor(&c, paths);
    } else if (format == SENML_CBOR) {
        senml_cbor(&c, paths);
    }
    return c.used;
}
