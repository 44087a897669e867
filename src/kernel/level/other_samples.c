/* other_samples.c: samples to contrast with. */
#include "base/random.h"
#include "kernel/level/level.h"

/* others_of: the row of a sample that there is. */
static void others_of(const struct random_key *key, int32_t sample, const int32_t *order, int32_t from, int32_t to,
                      int64_t n, int64_t count, int32_t *y)
{
    const int32_t left_out = to > from ? to - from : 0;
    const uint32_t choice = (uint32_t)(n - left_out);
    uint32_t words[8];
    random_block(key, 2 * (uint64_t)sample, words);
    random_block(key, 2 * (uint64_t)sample + 1, words + 4);
    for (int64_t k = 0; k < count && choice > 0; k++) {
        const int32_t at = choice >= count
                               ? (int32_t)random_shuffled(words, choice, (uint32_t)k)
                               : (int32_t)(((uint64_t)random_shuffled(words, UINT32_MAX, (uint32_t)k) * choice) >> 32);
        y[k] = order[at < from ? at : at + left_out];
    }
    for (int64_t k = 0; k < count && choice == 0; k++)
        y[k] = -1;
}

void KERNEL(other_samples)(const int32_t *sample, int64_t rows, const int32_t *order, const int32_t *from,
                           const int32_t *to, int64_t n, int64_t count, uint64_t seed, uint32_t stream, uint64_t step,
                           int32_t *y)
{
    const struct random_key key = {seed, stream, step};
    for (int64_t r = 0; r < rows; r++, y += 1 + count) {
        const bool there = sample[r] >= 0 && sample[r] < n;
        y[0] = there ? sample[r] : -1;
        if (there)
            others_of(&key, sample[r], order, from[sample[r]], to[sample[r]], n, count, y + 1);
        for (int64_t k = 0; k < count && !there; k++)
            y[1 + k] = -1;
    }
}
