/* detail.h: what the record holds of a stage beyond its figures: arrays (src/run/details.h says which) and layers.
 * All of it may be missing: older runs have none, and of most seeds there is only the confusion. */
#ifndef REPORT_DETAIL_H
#define REPORT_DETAIL_H

#include "record/record.h"

enum { DETAIL_OUTCOMES = 5, DETAIL_EXIT_COLUMNS = 3 };

struct report_detail {
    int64_t classes;          /* K; 0: no array that has classes */
    const int32_t *confusion; /* [K,K]; NULL: none */
    const int32_t *outcomes;  /* both right, only the teacher, only the student, same mistake, different; NULL: none */
    struct {
        int64_t count;        /* M; 0: none */
        const int32_t *label; /* [M], each below K */
        const float *logit;   /* [M,K] */
    } sample;
    struct {
        int64_t count;                  /* M; 0: none */
        const int32_t *sample;          /* [M] places in the test split */
        const int32_t *label;           /* [M]; negative: none */
        const float *student, *teacher; /* [M,K] logits */
        const unsigned char *image;     /* [M,H,W,C]; NULL: none */
        int64_t height, width, channels;
    } differing;
    struct {
        int64_t count;    /* thresholds; 0: none */
        const float *row; /* [count,3]: threshold, accuracy, mean MACs of a sample */
    } early_exit;
    size_t layers;
    const struct record_layer *layer;
};

/* detail_read: the stage's, into the arena. STATUS_BAD_INPUT: an array is of another shape than its name says, or
 * holds a number that is not finite (names file, stage, array, expected and found). */
enum status detail_read(struct context *ctx, struct arena *arena, struct record *record, const char *file,
                        const char *stage, struct report_detail *out);

/* detail_probabilities: softmax(logit / temperature) of one sample, out [K]. */
void detail_probabilities(const float *logit, int64_t classes, double temperature, double *out);

#endif
