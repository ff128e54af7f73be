/* SPDX-License-Identifier: Apache-2.0
 *
 * Phrases of the book (phrases.h) in programs: each as it stands; one of them somewhere, or a situation with some of
 * its own. What a phrase says is changed in a value or two as often as not: the book has what means something, the
 * grammar varies it.
 */
#include "mutator_internal.h"

#include <string.h>

#include "script/bytes.h"

enum { MOST_PHRASES = 4, MOST_VARIATIONS = 2 };

/* The steps of a phrase, in our own arena; NULL where there are none. */
static const bj_value *fresh(mutator *m, const bj_string *phrase) {
    bj_record *made = bj_program_decode(m->arena, BJ_K_SCENARIO, phrase->bytes, phrase->length, NULL, 0);
    if (mutator_one_in(m, 2)) {
        m->record_count = 0;
        mutator_collect(m, made);
        unsigned changes = 1 + mutator_below(m, MOST_VARIATIONS);
        for (unsigned i = 0; i < changes; i++) {
            mutator_change_value(m);
        }
    }
    return bj_get(made, BJ_F(SCENARIO, STEPS));
}

static void add(mutator *m, size_t at, const bj_value *steps) {
    for (size_t i = 0; steps && i < steps->as.records.count; i++) {
        mutator_insert(m, at + i, steps->as.records.items[i]);
    }
}

static void insert(mutator *m, size_t at, const bj_string *phrase) {
    add(m, at, fresh(m, phrase));
}

/* Of all situations alike; nothing behind DTLS in a program that has none, mostly. */
static const bj_string *any_phrase(mutator *m) {
    for (;;) {
        size_t at = mutator_below(m, m->book->phrase_count), s = 0;
        while (at >= m->book->situations[s].phrase_count) {
            at -= m->book->situations[s++].phrase_count;
        }
        if (!m->book->situations[s].secure || mutator_one_in(m, 16)) {
            return &m->book->situations[s].phrases[at];
        }
    }
}

static const situation *any_situation(mutator *m) {
    for (;;) {
        const situation *s = &m->book->situations[mutator_below(m, m->book->count)];
        if (!s->secure || mutator_one_in(m, 8)) {
            return s;
        }
    }
}

void mutator_phrase(mutator *m) {
    size_t at = mutator_one_in(m, 3) ? mutator_below(m, m->list.count + 1) : m->list.count;
    insert(m, at, any_phrase(m));
}

void mutator_situation(mutator *m) {
    const situation *s = any_situation(m);
    m->program = bj_program_decode(m->arena, BJ_K_SCENARIO, s->opening.bytes, s->opening.length, NULL, 0);
    mutator_take_script(m);
    unsigned count = 1 + mutator_below(m, MOST_PHRASES);
    for (unsigned i = 0; i < count; i++) {
        bool own = s->phrase_count && !mutator_one_in(m, 4);
        insert(m, m->list.count, own ? &s->phrases[mutator_below(m, s->phrase_count)] : any_phrase(m));
    }
}

size_t mutator_phrase_count(const mutator *m) {
    return m->book->phrase_count;
}

size_t mutator_recite(mutator *m, size_t n, uint8_t *out, size_t room) {
    const situation *s = m->book->situations;
    if (n >= m->book->phrase_count) {
        return 0;
    }
    for (; n >= s->phrase_count; s++) {
        n -= s->phrase_count;
    }
    bj_arena_reset(m->arena);
    m->program = bj_program_decode(m->arena, BJ_K_SCENARIO, s->opening.bytes, s->opening.length, NULL, 0);
    mutator_take_script(m);
    const bj_string *phrase = &s->phrases[n];
    const bj_record *said = bj_program_decode(m->arena, BJ_K_SCENARIO, phrase->bytes, phrase->length, NULL, 0);
    add(m, m->list.count, bj_get(said, BJ_F(SCENARIO, STEPS)));
    mutator_put_back(m);
    bj_string bytes = bj_program_encode(m->arena, m->program);
    if (bytes.length > room) {
        return 0;
    }
    memcpy(out, bytes.bytes, bytes.length);
    return bytes.length;
}

size_t mutator_recite_next(mutator *m, uint8_t *out, size_t room) {
    size_t length = 0;
    while (!length && m->recited < m->book->phrase_count) {
        length = mutator_recite(m, m->recited++, out, room);
    }
    return length;
}
