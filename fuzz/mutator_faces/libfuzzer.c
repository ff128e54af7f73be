/* SPDX-License-Identifier: Apache-2.0
 *
 * The mutator's face for libFuzzer, linked into the targets whose inputs are programs: custom mutator and cross-over.
 * The swarm of a run is drawn from the first seed that libFuzzer hands over, which comes from its own (-seed). A run
 * begins with the phrases of the book as they stand; those for which there is no room in an input are passed over.
 */
#include <stdlib.h>

#include "mutator.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *one, size_t one_size, const uint8_t *other, size_t other_size,
                                 uint8_t *out, size_t room, unsigned seed);

static mutator *the_mutator(unsigned seed) {
    static mutator *made;
    made = made ? made : mutator_new(seed);
    if (!made) {
        abort();
    }
    return made;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed) {
    mutator *m = the_mutator(seed);
    size_t recited = mutator_recite_next(m, data, room);
    return recited ? recited : mutator_mutate(m, data, size, room, seed);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *one, size_t one_size, const uint8_t *other, size_t other_size,
                                 uint8_t *out, size_t room, unsigned seed) {
    return mutator_cross(the_mutator(seed), one, one_size, other, other_size, out, room, seed);
}
