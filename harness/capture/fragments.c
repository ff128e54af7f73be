/* SPDX-License-Identifier: Apache-2.0
 *
 * See fragments.h.
 */
#include "capture/fragments.h"

#include <stdlib.h>
#include <string.h>

enum { DATAGRAM = 65535 };

static bool same(const bj_fragmented *d, const bj_fragment *f) {
    return d->used && d->id == f->id && d->protocol == f->protocol && bj_addr_same_host(&d->from, &f->from) &&
           bj_addr_same_host(&d->to, &f->to);
}

static bj_fragmented *place_of(bj_fragments *all, const bj_fragment *f) {
    bj_fragmented *oldest = &all->all[0];
    for (unsigned i = 0; i < BJ_FRAGMENTED; i++) {
        bj_fragmented *d = &all->all[i];
        if (same(d, f)) {
            return d;
        }
        oldest = !d->used || (oldest->used && d->age < oldest->age) ? d : oldest;
    }
    uint8_t *bytes = oldest->bytes ? oldest->bytes : malloc(DATAGRAM);
    *oldest = (bj_fragmented){ .used = bytes != NULL,
                               .bytes = bytes,
                               .age = ++all->clock,
                               .from = f->from,
                               .to = f->to,
                               .id = f->id,
                               .protocol = f->protocol };
    return bytes ? oldest : NULL;
}

/* Are all bytes up to `total` there? Pieces may overlap and come in any order. */
static bool is_whole(const bj_fragmented *d) {
    size_t reached = 0;
    for (size_t found = 1; d->total && found && reached < d->total;) {
        found = 0;
        for (size_t i = 0; i < d->pieces; i++) {
            if (d->piece[i].begin <= reached && d->piece[i].end > reached) {
                reached = d->piece[i].end;
                found = 1;
            }
        }
    }
    return d->total && reached >= d->total;
}

const uint8_t *bj_fragments_take(bj_fragments *all, const bj_fragment *f, size_t *length, size_t *pieces) {
    bj_fragmented *d = f->offset + f->length <= DATAGRAM ? place_of(all, f) : NULL;
    if (!d || d->pieces == BJ_FRAGMENT_PIECES) {
        return NULL;
    }
    if (f->length) {
        memcpy(d->bytes + f->offset, f->data, f->length);
    }
    d->piece[d->pieces].begin = f->offset;
    d->piece[d->pieces++].end = f->offset + f->length;
    d->total = f->more ? d->total : f->offset + f->length;
    if (!is_whole(d)) {
        return NULL;
    }
    d->used = false;
    *length = d->total;
    *pieces = d->pieces;
    return d->bytes;
}

void bj_fragments_free(bj_fragments *all) {
    for (unsigned i = 0; i < BJ_FRAGMENTED; i++) {
        free(all->all[i].bytes);
    }
    *all = (bj_fragments){ .clock = 0 };
}
