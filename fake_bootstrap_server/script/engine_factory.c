/* SPDX-License-Identifier: Apache-2.0
 *
 * Object Instances that a client has from the factory beside its account (the profile's `factory`): scenarios that say
 * what Discover must not hold do not mean them, until a command of the scenario writes or deletes them.
 */
#include <string.h>

#include "script/engine_internal.h"
#include "wire/link.h"

enum { GET = 1, DELETE = 4, TRANSACTIONAL = 2 }; /* methods, and a number of BJ_ENUM_FACT */

static const bj_value *factory_of(const bj_engine *e) {
    return bj_get(e->profile, BJ_F(PROFILE, FACTORY));
}

/* A Delete of it or of what is above it, a Write of that or below it. */
static bool concerns(uint8_t method, const bj_path *target, const bj_path *instance) {
    bool above = bj_path_begins(instance, target);
    return above || (method != DELETE && bj_path_begins(target, instance));
}

void bj__factory_commanded(bj_engine *e, const bj__outbound *o) {
    const bj_value *factory = factory_of(e);
    bj_coap m = { .version = 1 };
    bool changes = o->is_command && o->code != GET && !o->is_finish;
    if (!factory || !changes || !bj__decode(&m, o->bytes, o->length, o->to.connection >= 0)) {
        return;
    }
    BJ_TEXT(text, 300);
    bj_coap_path(&m, BJ_COAP_URI_PATH, &text);
    bj_path target = bj_path_of(text.start);
    for (size_t i = 0; i < factory->as.strings.count && i < 32; i++) {
        bj_path instance = bj_path_of(factory->as.strings.items[i].bytes);
        e->due.factory_touched |= concerns(o->code, &target, &instance) ? 1U << i : 0;
    }
}

void bj__factory_session(bj_engine *e, bool finished) {
    if (finished) {
        e->due.factory_gone = e->due.factory_touched;
    } else if (bj__fact(e, TRANSACTIONAL)) {
        e->due.factory_touched = e->due.factory_gone;
    }
}

static bool is_untouched(const bj_engine *e, const bj_core_link *link) {
    const bj_value *factory = factory_of(e);
    char text[64];
    if (!link->target || link->target_length >= sizeof text) {
        return false;
    }
    memcpy(text, link->target, link->target_length);
    text[link->target_length] = '\0';
    bj_path path = bj_path_of(text);
    for (size_t i = 0; i < factory->as.strings.count && i < 32; i++) {
        bj_path instance = bj_path_of(factory->as.strings.items[i].bytes);
        if (!(e->due.factory_touched >> i & 1) && path.depth && bj_path_begins(&path, &instance)) {
            return true;
        }
    }
    return false;
}

void bj__factory_hide(const bj_engine *e, const char *links, size_t length, bj_text *out) {
    BJ_TEXT(why, 100);
    const char *at = links;
    bj_core_link link;
    if (!factory_of(e)) {
        bj_text_add_bytes(out, links, length);
        return;
    }
    for (const char *from = links; bj_link_next(&at, &length, &link, &why); from = at) {
        if (!is_untouched(e, &link)) {
            bj_text_add_bytes(out, from, (size_t) (at - from));
        }
    }
}
