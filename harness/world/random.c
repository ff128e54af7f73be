/* SPDX-License-Identifier: Apache-2.0
 *
 * The world's random numbers: xoshiro256** seeded through SplitMix64. Each purpose has a stream of its own, so that a
 * client that asks for one number more does not change which datagrams are lost.
 */
#include "world/random.h"

static uint64_t splitmix(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t rotate_left(uint64_t x, int by) {
    return (x << by) | (x >> (64 - by));
}

void bj_rng_seed(bj_rng *rng, uint64_t seed, uint64_t stream) {
    uint64_t state = seed;
    state = splitmix(&state) ^ (stream * 0xd1342543de82ef95u);
    for (int i = 0; i < 4; i++) {
        rng->state[i] = splitmix(&state);
    }
}

uint64_t bj_rng_next(bj_rng *rng) {
    uint64_t *s = rng->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t bj_rng_below(bj_rng *rng, uint64_t bound) {
    if (bound == 0) {
        return 0;
    }
    /* Values below this would make the small remainders likelier. */
    uint64_t unfair = (0 - bound) % bound;
    uint64_t drawn;
    do {
        drawn = bj_rng_next(rng);
    } while (drawn < unfair);
    return drawn % bound;
}

bool bj_rng_chance(bj_rng *rng, uint32_t millionths) {
    if (millionths == 0 || millionths >= 1000000) {
        return millionths != 0;
    }
    return bj_rng_below(rng, 1000000) < millionths;
}
