/* random.h: random numbers that are counted, not drawn (Philox 4x32-10, Salmon et al. 2011).
 *
 * A number is a function of (seed, stream, step, index): threads, resume and caching change nothing.
 * `stream` says what for; make one from a name with random_stream. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random_key {
    uint64_t seed;
    uint32_t stream;
    uint64_t step;
};

uint32_t random_stream(const char *name); /* FNV-1a of the name */
/* random_philox: the bare generator; the published answers of the paper's authors hold for it. */
void random_philox(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4]);
/* random_philox_key: the generator's key for a seed and a stream; a block's counter is (index, step), low words first. */
void random_philox_key(const struct random_key *key, uint32_t words[2]);
/* random_block: four 32-bit words of counter `index`. */
void random_block(const struct random_key *key, uint64_t index, uint32_t out[4]);
uint32_t random_u32(const struct random_key *key, uint64_t index); /* word index % 4 of block index / 4 */
uint32_t random_u16(const struct random_key *key, uint64_t index); /* half index % 2, low first, of word index / 2 */
double random_uniform(const struct random_key *key,
                      uint64_t index); /* [0,1), 53 bits, from two words of block `index` */
double random_normal(const struct random_key *key,
                     uint64_t index); /* mean 0, deviation 1 (Box-Muller on block `index`) */
/* random_permutation: order [n] becomes a permutation of 0 … n-1 (Fisher-Yates). */
void random_permutation(const struct random_key *key, int64_t n, int32_t *order);
/* random_shuffled: place `at` of a permutation of 0 … n-1 that 8 words stand for, without the others: n >= 1, at < n. */
uint32_t random_shuffled(const uint32_t words[8], uint32_t n, uint32_t at);

#endif
