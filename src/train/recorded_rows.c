/* recorded_rows.c: each row of recorded outputs as logits.
 *
 *     logits        z_k                                     as they are
 *     probabilities z_k = log max(p_k, P)
 *     the top k     z of a top class: log max(p, P); of each other class: log (max(1 - sum of the top p, P) / (K - k))
 *
 * P = 1e-12 keeps logarithms finite. What the top classes leave is spread evenly, so that softmax(z) sums to 1; with all K
 * classes at the top it is the dense row. */
#include "train/recorded_file.h"

#include <math.h>

#define PROBABILITY_LEAST 1e-12
#define SUM_TOLERANCE 1e-3

enum { ROWS_AT_ONCE = 256 };

/* A file's rows being read: some at a time, and room for one. */
struct rows_reading {
    const struct recorded_file *file;
    int64_t columns;
    struct npz_rows *values, *chosen; /* chosen NULL: the columns are the classes */
    void *values_block;               /* [ROWS_AT_ONCE, columns] of the file's element type */
    int64_t *chosen_block;            /* likewise */
    int64_t *last_row;                /* [classes]: 1 + the last row that had the class */
    double *numbers;                  /* [columns] */
    float *logits;                    /* [classes] */
};

/* numbers_take: row `at` of the block; each is a float32. */
static enum status numbers_take(const struct rows_reading *reading, int64_t at, int64_t row)
{
    const struct recorded_file *file = reading->file;
    const bool wide = file->values_spec.element == ELEMENT_F64;
    for (int64_t i = 0; i < reading->columns; i++) {
        const int64_t place = at * reading->columns + i;
        const double number =
            wide ? ((const double *)reading->values_block)[place] : ((const float *)reading->values_block)[place];
        reading->numbers[i] = number;
        if (!isfinite((float)number))
            return value_fail(file->ctx, file->at, STATUS_BAD_INPUT,
                              "%s: row %lld, column %lld: expected a finite float32, found %g",
                              npz_label(file->npz, file->values), (long long)row, (long long)i, number);
        if (file->form != RECORDED_LOGITS && number < 0)
            return value_fail(file->ctx, file->at, STATUS_BAD_INPUT,
                              "%s: row %lld, column %lld: expected a probability, found %g",
                              npz_label(file->npz, file->values), (long long)row, (long long)i, number);
    }
    return STATUS_OK;
}

/* sum_check: *sum of the row's probabilities is 1, or, where classes are left out, at most that. */
static enum status sum_check(const struct rows_reading *reading, int64_t row, double *sum)
{
    const struct recorded_file *file = reading->file;
    const bool all = reading->columns == file->classes;
    *sum = 0;
    for (int64_t i = 0; i < reading->columns; i++)
        *sum += reading->numbers[i];
    if (*sum <= 1 + SUM_TOLERANCE && (!all || *sum >= 1 - SUM_TOLERANCE))
        return STATUS_OK;
    return value_fail(file->ctx, file->at, STATUS_BAD_INPUT, "%s: row %lld sums to %.6g: expected %s1 (within %g)",
                      npz_label(file->npz, file->values), (long long)row, *sum, all ? "" : "at most ", SUM_TOLERANCE);
}

static float log_probability(double probability)
{
    return (float)log(fmax(probability, PROBABILITY_LEAST));
}

static enum status top_logits(const struct rows_reading *reading, int64_t at, int64_t row, double sum)
{
    const struct recorded_file *file = reading->file;
    const int64_t *chosen = reading->chosen_block + at * reading->columns;
    const int64_t others = file->classes - reading->columns;
    for (int64_t k = 0; others > 0 && k < file->classes; k++)
        reading->logits[k] = (float)log(fmax(1 - sum, PROBABILITY_LEAST) / (double)others);
    for (int64_t i = 0; i < reading->columns; i++) {
        if (chosen[i] < 0 || chosen[i] >= file->classes)
            return value_fail(file->ctx, file->at, STATUS_BAD_INPUT,
                              "%s: row %lld, column %lld: expected a class from 0 to %lld, found %lld",
                              npz_label(file->npz, file->chosen), (long long)row, (long long)i,
                              (long long)file->classes - 1, (long long)chosen[i]);
        if (reading->last_row[chosen[i]] == row + 1)
            return value_fail(file->ctx, file->at, STATUS_BAD_INPUT, "%s: row %lld has class %lld twice",
                              npz_label(file->npz, file->chosen), (long long)row, (long long)chosen[i]);
        reading->last_row[chosen[i]] = row + 1;
        reading->logits[chosen[i]] = log_probability(reading->numbers[i]);
    }
    return STATUS_OK;
}

/* row_take: row `at` of the block into reading->logits. */
static enum status row_take(const struct rows_reading *reading, int64_t at, int64_t row)
{
    double sum = 0;
    RETURN_IF(numbers_take(reading, at, row));
    if (reading->file->form != RECORDED_LOGITS)
        RETURN_IF(sum_check(reading, row, &sum));
    if (reading->file->form == RECORDED_TOP)
        return top_logits(reading, at, row, sum);
    for (int64_t i = 0; i < reading->columns; i++)
        reading->logits[i] =
            reading->file->form == RECORDED_LOGITS ? (float)reading->numbers[i] : log_probability(reading->numbers[i]);
    return STATUS_OK;
}

static enum status reading_begin(struct rows_reading *reading)
{
    const struct recorded_file *file = reading->file;
    struct context *ctx = file->ctx;
    const size_t columns = (size_t)reading->columns, classes = (size_t)file->classes;
    RETURN_IF(npz_rows_new(file->npz, file->values, 0, &reading->values));
    if (file->chosen >= 0)
        RETURN_IF(npz_rows_new(file->npz, file->chosen, 0, &reading->chosen));
    reading->values_block = memory_new(ctx, ROWS_AT_ONCE * columns, element_size(file->values_spec.element));
    reading->chosen_block = memory_new(ctx, file->chosen >= 0 ? ROWS_AT_ONCE * columns : 0, sizeof(int64_t));
    reading->last_row = memory_new(ctx, classes, sizeof(int64_t));
    reading->numbers = memory_new(ctx, columns, sizeof *reading->numbers);
    reading->logits = memory_new(ctx, classes, sizeof *reading->logits);
    const bool made =
        reading->values_block && reading->chosen_block && reading->last_row && reading->numbers && reading->logits;
    return made ? STATUS_OK : ctx->error.status;
}

enum status recorded_rows_read(const struct recorded_file *file, int64_t first, struct store *store)
{
    enum status status = STATUS_OK;
    const int64_t rows = file->values_spec.shape.dim[0];
    struct rows_reading reading = {.file = file, .columns = file->values_spec.shape.dim[1]};
    TRY(reading_begin(&reading));
    for (int64_t begin = 0; begin < rows; begin += ROWS_AT_ONCE) {
        const int64_t count = rows - begin < ROWS_AT_ONCE ? rows - begin : ROWS_AT_ONCE;
        TRY(npz_rows_next(reading.values, reading.values_block, count));
        if (reading.chosen != NULL)
            TRY(npz_rows_next(reading.chosen, reading.chosen_block, count));
        for (int64_t at = 0; at < count; at++) {
            const int64_t sample = begin + at - first;
            TRY(row_take(&reading, at, begin + at));
            if (sample >= 0 && sample < store->rows)
                store_write(store, sample, reading.logits);
        }
    }
cleanup:
    npz_rows_free(reading.values);
    npz_rows_free(reading.chosen);
    memory_free(file->ctx, reading.values_block);
    memory_free(file->ctx, reading.chosen_block);
    memory_free(file->ctx, reading.last_row);
    memory_free(file->ctx, reading.numbers);
    memory_free(file->ctx, reading.logits);
    return status;
}
