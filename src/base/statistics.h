/* statistics.h: means, deviations and t-intervals of a handful of numbers (one a seed).
 *
 * Undefined figures are NaN: the mean of nothing, the deviation and the interval of fewer than two numbers. */
#ifndef BASE_STATISTICS_H
#define BASE_STATISTICS_H

#include <stddef.h>

#define VERDICT_LIST(X) X(BETTER, "better") X(WORSE, "worse") X(NOT_DECIDED, "not decided")

enum verdict {
#define X(name, text) VERDICT_##name,
    VERDICT_LIST(X)
#undef X
};

/* verdict_text: the words of VERDICT_LIST; never NULL. */
const char *verdict_text(enum verdict verdict);

struct mean_std {
    double mean, std; /* std: with n - 1 */
};
/* mean_std: of values[count]; values may be NULL when count is 0. */
struct mean_std mean_std(const double *values, size_t count);

/* t_quantile: the x with P(T <= x) = p for Student's t with `freedom` > 0 degrees of freedom, 0 < p < 1; else NaN. */
double t_quantile(double p, double freedom);

struct interval {
    double mean, low, high;
};
/* t_interval: mean -+ t(1/2 + level/2, n - 1) std / sqrt(n), for values[count] drawn independently; 0 < level < 1. */
struct interval t_interval(const double *values, size_t count, double level);

/* interval_verdict: BETTER when low > 0, WORSE when high < 0, else (also without an interval) NOT_DECIDED. */
enum verdict interval_verdict(const struct interval *gain);

#endif
