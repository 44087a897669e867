/* classify.c: what logits are worth: accuracy, top-5, loss, calibration, agreement. */
#include "train/evaluate.h"

#include <math.h>

enum { BINS = 15 };

int64_t logits_class(const double *row, int64_t k)
{
    int64_t best = 0;
    for (int64_t i = 1; i < k; i++)
        if (row[i] > row[best])
            best = i;
    return best;
}

/* rank_of: how many classes come before the label: larger, or equal and earlier. */
static int64_t rank_of(const double *row, int64_t k, int64_t label)
{
    int64_t rank = 0;
    for (int64_t i = 0; i < k; i++)
        rank += row[i] > row[label] || (row[i] == row[label] && i < label);
    return rank;
}

static double log_sum_exp(const double *row, int64_t k)
{
    double top = row[logits_class(row, k)], sum = 0;
    for (int64_t i = 0; i < k; i++)
        sum += exp(row[i] - top);
    return top + log(sum);
}

/* bin_of: (i/15, (i+1)/15], so that probability 1 is in the last. */
static int bin_of(double probability)
{
    if (isnan(probability)) /* of logits that are not finite; no integer is near it */
        return 0;
    int bin = (int)ceil(probability * BINS) - 1;
    return bin < 0 ? 0 : bin >= BINS ? BINS - 1 : bin;
}

struct metrics metrics_of(const double *logits, const int32_t *labels, int64_t n, int64_t k)
{
    struct metrics m = {0, NAN, NAN, NAN, NAN};
    int64_t right = 0, right5 = 0, count[BINS] = {0};
    double loss = 0, confidence[BINS] = {0}, correct[BINS] = {0};
    for (int64_t i = 0; i < n; i++) {
        if (labels[i] < 0)
            continue;
        const double *row = logits + i * k;
        double normaliser = log_sum_exp(row, k);
        int64_t top = logits_class(row, k), rank = rank_of(row, k, labels[i]);
        double probability = exp(row[top] - normaliser);
        int bin = bin_of(probability);
        m.samples++;
        right += rank == 0;
        right5 += rank < 5;
        loss += normaliser - row[labels[i]];
        count[bin]++;
        confidence[bin] += probability;
        correct[bin] += rank == 0;
    }
    if (m.samples == 0)
        return m;
    double total = (double)m.samples;
    m.accuracy = (double)right / total;
    m.top5 = (double)right5 / total;
    m.loss = loss / total;
    m.ece = 0;
    for (int b = 0; b < BINS; b++)
        m.ece += count[b] ? fabs(correct[b] - confidence[b]) / total : 0;
    return m;
}

double fidelity_of(const double *a, const double *b, int64_t n, int64_t k)
{
    int64_t same = 0;
    for (int64_t i = 0; i < n; i++)
        same += logits_class(a + i * k, k) == logits_class(b + i * k, k);
    return n ? (double)same / (double)n : NAN;
}
