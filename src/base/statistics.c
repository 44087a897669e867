/* statistics.c: Student's t through the regularised incomplete beta function.
 *
 *     P(|T| > x) = I_z(v/2, 1/2),   z = v / (v + x^2)
 *
 * I_z by its continued fraction (Abramowitz and Stegun 26.5.8, evaluated by Lentz's method), the quantile by bisection:
 * slow, safe, and called a few times a run. */
#include "base/statistics.h"

#include <float.h>
#include <math.h>

enum { FRACTION_TERMS = 500, BISECTIONS = 200 };

const char *verdict_text(enum verdict verdict)
{
    switch (verdict) {
#define X(name, text)                                                                                                  \
    case VERDICT_##name:                                                                                               \
        return text;
        VERDICT_LIST(X)
#undef X
    }
    return "not decided";
}

struct mean_std mean_std(const double *values, size_t count)
{
    struct mean_std result = {NAN, NAN};
    if (count == 0)
        return result;
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    result.mean = sum / (double)count;
    if (count < 2)
        return result;
    double squares = 0; /* the second pass keeps what sum(x^2) - n mean^2 would cancel */
    for (size_t i = 0; i < count; i++)
        squares += (values[i] - result.mean) * (values[i] - result.mean);
    result.std = sqrt(squares / (double)(count - 1));
    return result;
}

/* Lentz's method divides by what may come close to zero; a tiny number in its place changes nothing else. */
static double not_zero(double x)
{
    return fabs(x) < DBL_MIN / DBL_EPSILON ? DBL_MIN / DBL_EPSILON : x;
}

/* beta_fraction: the continued fraction of I_x(a, b); converges quickly for x < (a + 1) / (a + b + 2). */
static double beta_fraction(double a, double b, double x)
{
    double c = 1;
    double d = 1 / not_zero(1 - (a + b) * x / (a + 1));
    double fraction = d;
    for (int m = 1; m <= FRACTION_TERMS; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1 / not_zero(1 + even * d);
        c = not_zero(1 + even / c);
        fraction *= c * d;
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 / not_zero(1 + odd * d);
        c = not_zero(1 + odd / c);
        fraction *= c * d;
        if (fabs(c * d - 1) < DBL_EPSILON)
            break;
    }
    return fraction;
}

/* log_gamma: log of the gamma function for x > 0; lgamma() writes the global signgam. Stirling's series, after the
 * recurrence has lifted x to where eight terms leave less than 1e-16. */
static double log_gamma(double x)
{
    static const double bernoulli[] = {1.0 / 12,   -1.0 / 360,      1.0 / 1260, -1.0 / 1680,
                                       1.0 / 1188, -691.0 / 360360, 1.0 / 156,  -3617.0 / 122400};
    double lifted = 0;
    for (; x < 12; x += 1)
        lifted += log(x);
    double series = 0, power = 1 / x;
    for (size_t i = 0; i < sizeof bernoulli / sizeof *bernoulli; i++, power /= x * x)
        series += bernoulli[i] * power;
    const double half_log_two_pi = 0.91893853320467274178;
    return (x - 0.5) * log(x) - x + half_log_two_pi + series - lifted;
}

/* beta_regularised: I_x(a, b); y is 1 - x, given apart so that neither loses its digits. */
static double beta_regularised(double a, double b, double x, double y)
{
    if (x <= 0)
        return 0;
    if (y <= 0)
        return 1;
    double front = exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log(y));
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, y) / b;
}

/* upper_tail: P(T > x) for x >= 0. */
static double upper_tail(double x, double freedom)
{
    double sum = freedom + x * x;
    return beta_regularised(freedom / 2, 0.5, freedom / sum, x * x / sum) / 2;
}

double t_quantile(double p, double freedom)
{
    if (!(p > 0 && p < 1 && freedom > 0))
        return NAN;
    if (p < 0.5)
        return -t_quantile(1 - p, freedom);
    double tail = 1 - p, low = 0, high = 1;
    while (upper_tail(high, freedom) > tail && high < DBL_MAX / 4)
        high *= 2;
    for (int i = 0; i < BISECTIONS; i++) {
        double middle = low + (high - low) / 2;
        if (middle <= low || middle >= high)
            break;
        if (upper_tail(middle, freedom) > tail)
            low = middle;
        else
            high = middle;
    }
    return high - (high - low) / 2;
}

struct interval t_interval(const double *values, size_t count, double level)
{
    struct mean_std of = mean_std(values, count);
    struct interval interval = {of.mean, NAN, NAN};
    if (count < 2)
        return interval;
    double half = t_quantile(0.5 + level / 2, (double)(count - 1)) * of.std / sqrt((double)count);
    interval.low = of.mean - half;
    interval.high = of.mean + half;
    return interval;
}

enum verdict interval_verdict(const struct interval *gain)
{
    if (gain->low > 0)
        return VERDICT_BETTER;
    if (gain->high < 0)
        return VERDICT_WORSE;
    return VERDICT_NOT_DECIDED;
}
