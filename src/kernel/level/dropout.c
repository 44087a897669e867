/* dropout.c: random numbers, and a random mask that is counted, not stored: forward and backward make the same one.
 *
 * Philox 4x32-10 as in base/random.c, over many counters at once: the words of element i are word i % 4 of block i / 4. */
#include "base/random.h"
#include "kernel/level/level.h"

#include <stdint.h>
#include <string.h>

enum {
    BLOCKS = 64, /* Philox blocks at a time; each gives four words */
    WORDS = 4 * BLOCKS,
    PHILOX_ROUNDS = 10,
    THREAD_WORK = 20000, /* elements below which a second thread costs more than it saves */
};

/* draw: words of the blocks first, first + 1, … */
static void draw(const uint32_t key[2], uint64_t step, uint64_t first, uint32_t words[WORDS])
{
    uint32_t c0[BLOCKS], c1[BLOCKS], c2[BLOCKS], c3[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) {
        c0[i] = (uint32_t)(first + (uint64_t)i);
        c1[i] = (uint32_t)((first + (uint64_t)i) >> 32);
        c2[i] = (uint32_t)step;
        c3[i] = (uint32_t)(step >> 32);
    }
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
#pragma omp simd
        for (int i = 0; i < BLOCKS; i++) {
            uint64_t p0 = UINT64_C(0xD2511F53) * c0[i];
            uint64_t p1 = UINT64_C(0xCD9E8D57) * c2[i];
            c0[i] = (uint32_t)(p1 >> 32) ^ c1[i] ^ k0;
            c1[i] = (uint32_t)p1;
            c2[i] = (uint32_t)(p0 >> 32) ^ c3[i] ^ k1;
            c3[i] = (uint32_t)p0;
        }
        k0 += UINT32_C(0x9E3779B9);
        k1 += UINT32_C(0xBB67AE85);
    }
#pragma omp simd
    for (int i = 0; i < BLOCKS; i++) {
        words[4 * i] = c0[i];
        words[4 * i + 1] = c1[i];
        words[4 * i + 2] = c2[i];
        words[4 * i + 3] = c3[i];
    }
}

void KERNEL(dropout)(int64_t n, const void *x_, const uint32_t key[2], uint64_t step, uint64_t threshold, double scale_,
                     void *y_, bool add, int threads)
{
    const real *x = x_;
    real *y = y_;
    real scale = (real)scale_;
    (void)threads; /* unused without OpenMP */
    /* 32 bits are enough: dropped are words up to `last`, if any. */
    bool drops = threshold > 0;
    uint32_t last = drops ? (uint32_t)(threshold - 1) : 0;
#pragma omp parallel for num_threads(threads) if (threads > 1 && n > THREAD_WORK)
    for (int64_t at = 0; at < n; at += WORDS) {
        uint32_t words[WORDS];
        if (drops)
            draw(key, step, (uint64_t)at / 4, words);
        else
            memset(words, 0xff, sizeof words);
        int64_t count = n - at < WORDS ? n - at : WORDS;
        if (add) {
#pragma omp simd
            for (int64_t i = 0; i < count; i++)
                y[at + i] += words[i] > last ? x[at + i] * scale : 0;
        } else {
#pragma omp simd
            for (int64_t i = 0; i < count; i++)
                y[at + i] = words[i] > last ? x[at + i] * scale : 0;
        }
    }
}

void KERNEL(random_values)(int64_t n, bool normal, uint64_t seed, uint32_t stream, uint64_t step, void *y_)
{
    struct random_key key = {seed, stream, step};
    real *y = y_;
    const real below_one = 1 - (sizeof(real) == sizeof(float) ? (real)0x1p-24 : (real)0x1p-53);
    for (int64_t i = 0; i < n; i++) {
        y[i] = (real)(normal ? random_normal(&key, (uint64_t)i) : random_uniform(&key, (uint64_t)i));
        if (!normal && y[i] > below_one) /* a double just below 1 may be rounded to 1 */
            y[i] = below_one;
    }
}
