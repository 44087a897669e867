/* random.c: Philox 4x32-10.
 *
 * Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3. SC 2011.
 * Each of ten rounds multiplies two of the four counter words and mixes the halves with the key,
 * which moves on by two Weyl constants. */
#include "base/random.h"

#include <math.h>
#include <stdint.h>

#define PHILOX_MULTIPLIER_0 UINT32_C(0xD2511F53)
#define PHILOX_MULTIPLIER_1 UINT32_C(0xCD9E8D57)
#define PHILOX_WEYL_0 UINT32_C(0x9E3779B9)
#define PHILOX_WEYL_1 UINT32_C(0xBB67AE85)
enum { PHILOX_ROUNDS = 10 };

#define TWO_PI 6.283185307179586476925

uint32_t random_stream(const char *name)
{
    uint32_t hash = UINT32_C(2166136261);
    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * UINT32_C(16777619);
    return hash;
}

void random_philox(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        uint64_t p0 = (uint64_t)PHILOX_MULTIPLIER_0 * c0;
        uint64_t p1 = (uint64_t)PHILOX_MULTIPLIER_1 * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += PHILOX_WEYL_0;
        k1 += PHILOX_WEYL_1;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/* mix: a bijection of 64 bits in which each input bit moves each output bit (a Stafford finaliser). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

void random_philox_key(const struct random_key *key, uint32_t words[2])
{
    /* Seed and stream have 96 bits, the key 64. For one stream all seeds give different keys; seeds and streams that
     * differ by a small number do not meet, as they would if one were added to the other. */
    uint64_t mixed = mix(key->seed ^ mix(key->stream + UINT64_C(0x9E3779B97F4A7C15)));
    words[0] = (uint32_t)mixed;
    words[1] = (uint32_t)(mixed >> 32);
}

void random_block(const struct random_key *key, uint64_t index, uint32_t out[4])
{
    uint32_t words[2];
    random_philox_key(key, words);
    uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32), (uint32_t)key->step, (uint32_t)(key->step >> 32)};
    random_philox(words, counter, out);
}

uint32_t random_u32(const struct random_key *key, uint64_t index)
{
    uint32_t words[4];
    random_block(key, index / 4, words);
    return words[index % 4];
}

uint32_t random_u16(const struct random_key *key, uint64_t index)
{
    return random_u32(key, index / 2) >> 16 * (index % 2) & UINT16_MAX;
}

/* unit: 53 bits of two words as a number in [0, 1). */
static double unit(uint32_t high, uint32_t low)
{
    uint64_t bits = ((uint64_t)(high >> 5) << 26) | (low >> 6);
    return (double)bits * 0x1p-53;
}

double random_uniform(const struct random_key *key, uint64_t index)
{
    uint32_t words[4];
    random_block(key, index, words);
    return unit(words[0], words[1]);
}

double random_normal(const struct random_key *key, uint64_t index)
{
    uint32_t words[4];
    random_block(key, index, words);
    double radius = sqrt(-2.0 * log(1.0 - unit(words[0], words[1]))); /* 1 - u is in (0, 1]: never log 0 */
    return radius * cos(TWO_PI * unit(words[2], words[3]));
}

void random_permutation(const struct random_key *key, int64_t n, int32_t *order)
{
    for (int64_t i = 0; i < n; i++)
        order[i] = (int32_t)i;
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t j = (int64_t)(random_uniform(key, (uint64_t)i) * (double)(i + 1)); /* u < 1, so j <= i */
        int32_t kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
}

/* Each step is a bijection of the numbers below 2^bits; a result that is not below n goes round again, which leaves a bijection
 * of those below n. */
uint32_t random_shuffled(const uint32_t words[8], uint32_t n, uint32_t at)
{
    unsigned bits = 1;
    while (bits < 32 && (n - 1) >> bits != 0)
        bits++;
    const uint32_t mask = bits < 32 ? (UINT32_C(1) << bits) - 1 : UINT32_MAX;
    do
        for (int round = 0; round < 4; round++) {
            at = (at * (words[2 * round] | 1) + words[2 * round + 1]) & mask;
            at ^= at >> ((bits + 1) / 2);
        }
    while (at >= n);
    return at;
}
