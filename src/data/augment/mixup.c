/* mixup: a sample is mixed with another one, images and labels alike.
 *
 *     x = part x_i + (1-part) x_j,  target = part one-hot(y_i) + (1-part) one-hot(y_j),  part ~ Beta(alpha, alpha)
 *
 * j: any sample of the split, as it is augmented in this epoch. Zhang 2018, arXiv 1710.09412; there one part and one
 * permutation serve a batch. Here each sample draws its own, so that what it becomes depends on (seed, epoch, sample)
 * alone, as with every augment, and all seeds of a run see the same images. */
#include "data/augment.h"

#include <math.h>

/* Counted numbers: two a try, one behind them; of a sample one, then those of two gamma numbers. */
enum { TRIES = 30, GAMMA_DRAWS = 2 * TRIES + 1, DRAWS = 1 + 2 * GAMMA_DRAWS };

static int64_t mixup_views(const union augment_setting *setting)
{
    return setting->real > 0 ? 0 : 1;
}

/* log_gamma_draw: the logarithm of a number from Gamma(shape, 1), from GAMMA_DRAWS counted numbers from `first` on.
 * Marsaglia, Tsang 2000; below shape 1 with U^(1/shape), whose logarithm cannot underflow. A try is accepted in 19 of 20
 * cases; should all be refused, the last one counts. */
static double log_gamma_draw(const struct random_key *key, uint64_t first, double shape)
{
    double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3, c = 1 / sqrt(9 * d), v = 1;
    for (uint64_t i = 0; i < TRIES; i++) {
        double x = random_normal(key, first + 2 * i), u = 1 - random_uniform(key, first + 2 * i + 1);
        v = (1 + c * x) * (1 + c * x) * (1 + c * x);
        if (v > 0 && log(u) < 0.5 * x * x + d - d * v + d * log(v))
            break;
        v = v > 0 ? v : 1;
    }
    double boost = shape < 1 ? log(1 - random_uniform(key, first + 2 * TRIES)) / shape : 0;
    return log(d * v) + boost;
}

static void mixup_mix(const union augment_setting *setting, const struct random_key *key, int64_t sample,
                      int64_t samples, int64_t *other, double *part)
{
    uint64_t first = (uint64_t)sample * DRAWS;
    double a = log_gamma_draw(key, first + 1, setting->real);
    double b = log_gamma_draw(key, first + 1 + GAMMA_DRAWS, setting->real);
    *other = (int64_t)(random_uniform(key, first) * (double)samples);
    *part = 1 / (1 + exp(b - a));
}

const struct augment augment_mixup = {
    .name = "mixup",
    .summary = "mixes each image, and its label, with another one",
    .paper = "Zhang 2018, arXiv 1710.09412",
    .option = {.name = "mixup",
               .type = OPTION_REAL,
               .initial = "0",
               .min = 0,
               .max = 100,
               .help =
                   "alpha: the parts are from Beta(alpha, alpha); 0.2 is gentle, 1 uniform. The term labels then gets "
                   "the soft targets as they are, without smoothing; other methods that want labels are refused"},
    .views = mixup_views,
    .mix = mixup_mix,
};
