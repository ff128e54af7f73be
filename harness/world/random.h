/* SPDX-License-Identifier: Apache-2.0
 *
 * Random numbers that a seed decides, in as many independent streams as there are purposes.
 */
#ifndef BJ_WORLD_RANDOM_H
#define BJ_WORLD_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

typedef struct bj_rng {
    uint64_t state[4];
} bj_rng;

void bj_rng_seed(bj_rng *rng, uint64_t seed, uint64_t stream);
uint64_t bj_rng_next(bj_rng *rng);
/* Uniform in [0, bound); 0 for a bound of 0, without drawing. */
uint64_t bj_rng_below(bj_rng *rng, uint64_t bound);
/* True with the given probability; draws only when the outcome is open. */
bool bj_rng_chance(bj_rng *rng, uint32_t millionths);

#endif
