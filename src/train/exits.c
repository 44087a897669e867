/* exits.c: see exits.h. */
#include "train/exits.h"

#include "train/evaluate.h"

#include <math.h>
#include <string.h>

const double exit_thresholds[EXIT_THRESHOLDS] = {0.50, 0.55, 0.60, 0.65, 0.70, 0.75,  0.80,  0.85,
                                                 0.90, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999, 1};

static const double *row_of(const struct exit_logits *of, int exit, int64_t sample)
{
    return of->logits + (exit * of->samples + sample) * of->classes;
}

/* What does not depend on the threshold. */
struct sureness {
    double *confidence; /* [M,N] */
    bool *right;        /* [M,N] */
};

static enum status sureness_of(struct arena *arena, const struct exit_logits *of, struct sureness *out)
{
    const size_t count = (size_t)of->exits->count * (size_t)of->samples;
    out->confidence = arena_take(arena, count, sizeof *out->confidence);
    out->right = arena_take(arena, count, sizeof *out->right);
    if (!out->confidence || !out->right)
        return STATUS_NO_MEMORY;
    for (int exit = 0; exit < of->exits->count; exit++)
        for (int64_t i = 0; i < of->samples; i++) {
            const int64_t at = exit * of->samples + i;
            out->confidence[at] = logits_confidence(row_of(of, exit, i), of->classes);
            out->right[at] = logits_class(row_of(of, exit, i), of->classes) == of->labels[i];
        }
    return STATUS_OK;
}

static bool leaves(double confidence, double threshold)
{
    return threshold < 1 && confidence >= threshold;
}

static void point_fill(const struct exit_logits *of, const struct sureness *sureness, struct exit_point *point)
{
    const struct network_exits *exits = of->exits;
    const double total = (double)of->samples;
    int64_t labelled = 0, right = 0;
    for (int64_t i = 0; i < of->samples; i++) {
        int exit = 0;
        while (exit < exits->count - 1 && !leaves(sureness->confidence[exit * of->samples + i], point->threshold))
            exit++;
        point->left[exit]++;
        labelled += of->labels[i] >= 0;
        right += of->labels[i] >= 0 && sureness->right[exit * of->samples + i];
    }
    point->accuracy = labelled ? (double)right / (double)labelled : NAN;
    for (int exit = 0; exit < exits->count; exit++) {
        point->macs += point->left[exit] * (double)exits->items[exit].macs;
        point->left[exit] /= total;
    }
    point->macs /= total;
    point->saved = 1 - point->macs / (double)exits->plain_macs;
}

enum status exits_points(struct arena *arena, const struct exit_logits *of, const double *thresholds, int count,
                         struct exit_point **points)
{
    struct sureness sureness;
    *points = arena_take(arena, (size_t)count, sizeof **points);
    if (!*points)
        return STATUS_NO_MEMORY;
    RETURN_IF(sureness_of(arena, of, &sureness));
    for (int i = 0; i < count; i++) {
        struct exit_point *point = &(*points)[i];
        point->threshold = thresholds[i];
        point->left = arena_take(arena, (size_t)of->exits->count, sizeof *point->left);
        if (!point->left)
            return STATUS_NO_MEMORY;
        point_fill(of, &sureness, point);
    }
    return STATUS_OK;
}

int exits_choose(const struct exit_point *points, int count, double last_accuracy)
{
    int chosen = -1;
    for (int i = 0; i < count; i++) /* never of NaN */
        if (points[i].accuracy >= last_accuracy &&
            (chosen < 0 || points[i].macs < points[chosen].macs ||
             (points[i].macs == points[chosen].macs && points[i].threshold > points[chosen].threshold)))
            chosen = i;
    return chosen;
}

void exits_rows(const struct exit_logits *of, double threshold, double *logits)
{
    for (int64_t i = 0; i < of->samples; i++) {
        int exit = 0;
        while (exit < of->exits->count - 1 && !leaves(logits_confidence(row_of(of, exit, i), of->classes), threshold))
            exit++;
        memcpy(logits + i * of->classes, row_of(of, exit, i), (size_t)of->classes * sizeof *logits);
    }
}
