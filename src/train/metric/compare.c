/* compare.c: what a network mistakes for what, and how two networks' answers meet. */
#include "train/evaluate.h"

#include <math.h>
#include <string.h>

void logits_probabilities(const double *row, int64_t k, double *out)
{
    double top = row[logits_class(row, k)], sum = 0;
    for (int64_t i = 0; i < k; i++)
        sum += out[i] = exp(row[i] - top);
    for (int64_t i = 0; i < k; i++)
        out[i] /= sum;
}

double logits_confidence(const double *row, int64_t k)
{
    double top = row[logits_class(row, k)], sum = 0;
    for (int64_t i = 0; i < k; i++)
        sum += exp(row[i] - top);
    return 1 / sum;
}

void confusion_of(const double *logits, const int32_t *labels, int64_t n, int64_t k, int32_t *counts)
{
    memset(counts, 0, (size_t)(k * k) * sizeof *counts);
    for (int64_t i = 0; i < n; i++)
        if (labels[i] >= 0 && labels[i] < k)
            counts[labels[i] * k + logits_class(logits + i * k, k)]++;
}

static enum outcome outcome_of(int64_t teacher, int64_t student, int32_t label)
{
    if (teacher == student)
        return teacher == label ? OUTCOME_BOTH_RIGHT : OUTCOME_SAME_MISTAKE;
    if (teacher == label)
        return OUTCOME_TEACHER_RIGHT;
    return student == label ? OUTCOME_STUDENT_RIGHT : OUTCOME_DIFFERENT_MISTAKES;
}

void outcomes_of(const double *teacher, const double *student, const int32_t *labels, int64_t n, int64_t k,
                 int32_t *counts)
{
    memset(counts, 0, OUTCOMES * sizeof *counts);
    for (int64_t i = 0; i < n; i++)
        if (labels[i] >= 0)
            counts[outcome_of(logits_class(teacher + i * k, k), logits_class(student + i * k, k), labels[i])]++;
}

/* half_divergence: KL(p || (p + q) / 2); what p does not expect counts nothing. */
static double half_divergence(const double *p, const double *q, int64_t k)
{
    double sum = 0;
    for (int64_t i = 0; i < k; i++)
        if (p[i] > 0)
            sum += p[i] * log(2 * p[i] / (p[i] + q[i]));
    return sum;
}

double divergence_of(const double *a, const double *b, int64_t k, double *room)
{
    logits_probabilities(a, k, room);
    logits_probabilities(b, k, room + k);
    return (half_divergence(room, room + k, k) + half_divergence(room + k, room, k)) / 2;
}
