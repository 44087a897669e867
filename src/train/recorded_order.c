/* recorded_order.c: are the rows those of the samples? Their number says something, the CRC of each sample's bytes says which. */
#include "train/recorded_file.h"

#include <stdio.h>

/* sample_crc: of a sample's bytes, as its file has them. */
static uint32_t sample_crc(const struct split *samples, int64_t sample)
{
    const size_t bytes =
        (size_t)(samples->height * samples->width * samples->channels) * element_size(samples->element);
    return format_crc32((const unsigned char *)samples->images + (size_t)sample * bytes, bytes);
}

/* first_different: the first row whose CRC is not that of the sample of its number; the smaller of both numbers: none is.
 * -1: error recorded. *found: the row's. */
static int64_t first_different(const struct recorded_file *file, int64_t rows, uint32_t *found)
{
    const int64_t both = rows < file->samples.count ? rows : file->samples.count;
    struct npz_rows *crcs = NULL;
    int64_t row = -1;
    if (npz_rows_new(file->npz, file->crc, 0, &crcs) == STATUS_OK)
        for (row = 0; row < both; row++) {
            if (npz_rows_next(crcs, found, 1) != STATUS_OK)
                row = -1;
            if (row < 0 || *found != sample_crc(&file->samples, row))
                break;
        }
    npz_rows_free(crcs);
    return row;
}

static enum status number_fail(const struct recorded_file *file, int64_t rows)
{
    const int64_t samples = file->samples.count;
    char where[160] = "";
    uint32_t found = 0;
    if (file->crc >= 0) {
        const int64_t row = first_different(file, rows, &found);
        if (row < 0)
            return file->ctx->error.status;
        if (row < rows && row < samples)
            snprintf(where, sizeof where, "; row %lld is the first whose crc32 is not that of its sample",
                     (long long)row);
        else
            snprintf(where, sizeof where, "; the crc32 of the first %lld rows fit: those at the end are %s",
                     (long long)row, rows < samples ? "missing" : "too many");
    }
    return value_fail(file->ctx, file->at, STATUS_BAD_SHAPE,
                      "%s has %lld rows, but the training files have %lld samples (before validation is held out)%s",
                      npz_label(file->npz, file->values), (long long)rows, (long long)samples, where);
}

static enum status order_fail(const struct recorded_file *file, int64_t row, uint32_t found)
{
    int64_t other = 0;
    const uint32_t expected = sample_crc(&file->samples, row);
    while (other < file->samples.count && sample_crc(&file->samples, other) != found)
        other++;
    if (other < file->samples.count)
        return value_fail(file->ctx, file->at, STATUS_BAD_INPUT,
                          "%s: row %lld: 0x%08x is the CRC of sample %lld, that of sample %lld is 0x%08x: the rows are "
                          "in another order than the samples",
                          npz_label(file->npz, file->crc), (long long)row, (unsigned)found, (long long)other,
                          (long long)row, (unsigned)expected);
    return value_fail(file->ctx, file->at, STATUS_BAD_INPUT,
                      "%s: row %lld: expected 0x%08x, the CRC of sample %lld's bytes, found 0x%08x, which no sample "
                      "has: the outputs were recorded for other data",
                      npz_label(file->npz, file->crc), (long long)row, (unsigned)expected, (long long)row,
                      (unsigned)found);
}

enum status recorded_order_check(const struct recorded_file *file, int64_t rows)
{
    uint32_t found = 0;
    if (rows != file->samples.count)
        return number_fail(file, rows);
    if (file->crc < 0)
        return STATUS_OK;
    const int64_t row = first_different(file, rows, &found);
    if (row < 0)
        return file->ctx->error.status;
    return row == rows ? STATUS_OK : order_fail(file, row, found);
}
