/* dropout.c: random numbers, and a random mask that is counted, not stored: forward and backward make the same one.
 *
 * Philox 4x32-10 as in base/random.c, over many counters at once. What is dropped or kept together is a unit; its number
 * has 16 bits (random_u16), since making random bits costs more than to stream the map. */
#include "base/random.h"
#include "kernel/level/level.h"

#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

enum {
    PHILOX_ROUNDS = 10,
    GROUPS =
        2, /* vectors of counters at a time: one alone would wait for its multiplications, more fill no registers */
    BLOCK = 512,         /* elements at a time */
    THREAD_WORK = 20000, /* elements below which a second thread costs more than it saves */
};

/* Vectors of 64-bit lanes whose upper halves do not matter: the compiler's own vectors know no product of the lower
 * halves. PAIR puts two words into a lane, ZIP stores the lanes of two vectors in turn: four words of each counter. */
#if defined(__AVX512F__)
enum { COUNTERS = 8 };
typedef __m512i words;
#define WORDS_SET(value) _mm512_set1_epi64((int64_t)(value))
#define WORDS_LOAD(from) _mm512_loadu_si512(from)
#define WORDS_STORE(to, value) _mm512_storeu_si512(to, value)
#define WORDS_PRODUCT(a, b) _mm512_mul_epu32(a, b)
#define WORDS_HIGH(a) _mm512_srli_epi64(a, 32)
#define WORDS_XOR(a, b) _mm512_xor_si512(a, b)
#define WORDS_ADD(a, b) _mm512_add_epi64(a, b)
#define WORDS_PAIR(low, high) _mm512_mask_blend_epi32(0xaaaa, low, _mm512_slli_epi64(high, 32))
#define WORDS_ZIP(to, a, b)                                                                                            \
    WORDS_STORE(to, _mm512_permutex2var_epi64(a, _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11), b));                     \
    WORDS_STORE((to) + 32, _mm512_permutex2var_epi64(a, _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15), b))
#elif defined(__AVX2__)
enum { COUNTERS = 4 };
typedef __m256i words;
#define WORDS_SET(value) _mm256_set1_epi64x((int64_t)(value))
#define WORDS_LOAD(from) _mm256_loadu_si256((const __m256i *)(from))
#define WORDS_STORE(to, value) _mm256_storeu_si256((__m256i *)(to), value)
#define WORDS_PRODUCT(a, b) _mm256_mul_epu32(a, b)
#define WORDS_HIGH(a) _mm256_srli_epi64(a, 32)
#define WORDS_XOR(a, b) _mm256_xor_si256(a, b)
#define WORDS_ADD(a, b) _mm256_add_epi64(a, b)
#define WORDS_PAIR(low, high) _mm256_blend_epi32(low, _mm256_slli_epi64(high, 32), 0xaa)
#define WORDS_ZIP(to, a, b)                                                                                            \
    WORDS_STORE(to, _mm256_permute2x128_si256(_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b), 0x20));        \
    WORDS_STORE((to) + 16, _mm256_permute2x128_si256(_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b), 0x31))
#elif defined(__SSE2__)
enum { COUNTERS = 2 };
typedef __m128i words;
#define WORDS_SET(value) _mm_set1_epi64x((int64_t)(value))
#define WORDS_LOAD(from) _mm_loadu_si128((const __m128i *)(from))
#define WORDS_STORE(to, value) _mm_storeu_si128((__m128i *)(to), value)
#define WORDS_PRODUCT(a, b) _mm_mul_epu32(a, b)
#define WORDS_HIGH(a) _mm_srli_epi64(a, 32)
#define WORDS_XOR(a, b) _mm_xor_si128(a, b)
#define WORDS_ADD(a, b) _mm_add_epi64(a, b)
#define WORDS_PAIR(low, high) _mm_or_si128(_mm_srli_epi64(_mm_slli_epi64(low, 32), 32), _mm_slli_epi64(high, 32))
#define WORDS_ZIP(to, a, b)                                                                                            \
    WORDS_STORE(to, _mm_unpacklo_epi64(a, b));                                                                         \
    WORDS_STORE((to) + 8, _mm_unpackhi_epi64(a, b))
#else
enum { COUNTERS = 1 };
typedef uint64_t words;
#define WORDS_SET(value) ((uint64_t)(value))
#define WORDS_LOAD(from) (*(from))
#define WORDS_ADD(a, b) ((a) + (b))
#define WORDS_PRODUCT(a, b) (((a)&UINT32_MAX) * (b))
#define WORDS_HIGH(a) ((a) >> 32)
#define WORDS_XOR(a, b) ((a) ^ (b))
#define WORDS_PAIR(low, high) (((low)&UINT32_MAX) | (high) << 32)
#define WORDS_ZIP(to, a, b)                                                                                            \
    for (int i = 0; i < 4; i++) {                                                                                      \
        (to)[i] = (uint16_t)((a) >> 16 * i);                                                                           \
        (to)[4 + i] = (uint16_t)((b) >> 16 * i);                                                                       \
    }
#endif

enum {
    DRAWN = GROUPS * COUNTERS, /* counters at a time */
    UNITS = 8 * DRAWN,         /* units of 16 bits that they make */
};

/* A stream of words; the keys of its rounds are made once. */
struct stream {
    words key[PHILOX_ROUNDS][2];
    words step[2]; /* lower and upper half */
};

static struct stream stream_of(const uint32_t key[2], uint64_t step)
{
    struct stream stream = {.step = {WORDS_SET(step), WORDS_SET(step >> 32)}};
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        stream.key[round][0] = WORDS_SET(k0);
        stream.key[round][1] = WORDS_SET(k1);
        k0 += UINT32_C(0x9E3779B9);
        k1 += UINT32_C(0xBB67AE85);
    }
    return stream;
}

/* draw: the units of counters first, first + 1, … in order. */
static inline void draw(const struct stream *stream, uint64_t first, uint16_t out[UNITS])
{
    words c0[GROUPS], c1[GROUPS], c2[GROUPS], c3[GROUPS];
    static const uint64_t steps[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    for (int g = 0; g < GROUPS; g++) {
        c0[g] = WORDS_ADD(WORDS_SET(first + (uint64_t)(g * COUNTERS)), WORDS_LOAD(steps));
        c1[g] = WORDS_HIGH(c0[g]);
        c2[g] = stream->step[0];
        c3[g] = stream->step[1];
    }
    const words m0 = WORDS_SET(0xD2511F53), m1 = WORDS_SET(0xCD9E8D57);
#pragma GCC unroll 10
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
#pragma GCC unroll 2
        for (int g = 0; g < GROUPS; g++) {
            words p0 = WORDS_PRODUCT(c0[g], m0), p1 = WORDS_PRODUCT(c2[g], m1);
            c0[g] = WORDS_XOR(WORDS_XOR(WORDS_HIGH(p1), c1[g]), stream->key[round][0]);
            c1[g] = p1;
            c2[g] = WORDS_XOR(WORDS_XOR(WORDS_HIGH(p0), c3[g]), stream->key[round][1]);
            c3[g] = p0;
        }
    }
    for (int g = 0; g < GROUPS; g++) {
        words a = WORDS_PAIR(c0[g], c1[g]), b = WORDS_PAIR(c2[g], c3[g]);
        WORDS_ZIP(out + g * 8 * COUNTERS, a, b);
    }
}

/* units_draw: units first … first + count - 1 of the stream. buffer has room for count + UNITS + 7; returns where in it
 * they begin. */
static inline const uint16_t *units_draw(const struct stream *stream, uint64_t first, int64_t count, uint16_t *buffer)
{
    int64_t head = (int64_t)(first % 8); /* units of the first counter that belong to what comes before */
    for (int64_t i = 0; i < head + count; i += UNITS)
        draw(stream, (first + (uint64_t)i) / 8, buffer + i);
    return buffer + head;
}

/* mask_apply: y [n] (+)= x * scale where its unit is `threshold` or more, else 0. */
static inline void mask_apply(int64_t n, const real *x, const uint16_t *drawn, int threshold, real scale, real *y,
                              bool add)
{
    if (add) {
#pragma omp simd
        for (int64_t i = 0; i < n; i++) {
            real kept = x[i] * scale;
            y[i] += drawn[i] >= threshold ? kept : 0;
        }
    } else {
#pragma omp simd
        for (int64_t i = 0; i < n; i++) {
            real kept = x[i] * scale;
            y[i] = drawn[i] >= threshold ? kept : 0;
        }
    }
}

void KERNEL(dropout)(const int64_t size[3], const void *x_, const uint32_t key[2], uint64_t step, int threshold,
                     double scale, void *y_, bool add, int threads)
{
    const real *x = x_;
    real *y = y_;
    const int64_t groups = size[0], positions = size[1], columns = size[2];
    const struct stream stream = stream_of(key, step);
    (void)threads; /* unused without OpenMP */
#pragma omp parallel for collapse(2) num_threads(threads) if (threads > 1 && groups * positions * columns > THREAD_WORK)
    for (int64_t group = 0; group < groups; group++)
        for (int64_t column = 0; column < columns; column += BLOCK) {
            uint16_t buffer[BLOCK + UNITS + 8], repeated[BLOCK];
            int64_t width = columns - column < BLOCK ? columns - column : BLOCK;
            const uint16_t *drawn = units_draw(&stream, (uint64_t)(group * columns + column), width, buffer);
            /* Few columns: the mask of several positions side by side. */
            int64_t repeat = width == columns ? BLOCK / width : 1;
            repeat = repeat < positions ? repeat : positions;
            for (int64_t r = 0; repeat > 1 && r < repeat * width; r++)
                repeated[r] = drawn[r % width];
            drawn = repeat > 1 ? repeated : drawn;
            for (int64_t p = 0; p < positions; p += repeat) {
                int64_t count = (positions - p < repeat ? positions - p : repeat) * width;
                int64_t at = (group * positions + p) * columns + column;
                mask_apply(count, x + at, drawn, threshold, (real)scale, y + at, add);
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
