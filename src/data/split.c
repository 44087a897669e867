/* split.c: what is asked of splits: that they are there, who they are, and their statistics. */
#include "base/file.h"
#include "base/text.h"
#include "data/data.h"

#include <math.h>
#include <string.h>

enum status data_split(struct context *ctx, const struct data *data, enum split_kind kind, bool labels,
                       const struct split **out)
{
    static const char *const remedies[SPLIT_KINDS] = {"give training images", "set validation: N", "give test images"};
    *out = NULL;
    const struct split *split = &data->splits[kind];
    if (split->count == 0)
        return fail(ctx, STATUS_BAD_INPUT, "the data (%s) has no %s split; %s in its section", data->name,
                    split_text(kind), remedies[kind]);
    if (labels && split->labelled == 0)
        return fail(ctx, STATUS_BAD_INPUT,
                    "no sample of the %s split has a label; give its labels in the data's section", split_text(kind));
    *out = split;
    return STATUS_OK;
}

enum status data_training(struct context *ctx, const struct data *data, struct split *out)
{
    const struct split *train = NULL;
    RETURN_IF(data_split(ctx, data, SPLIT_TRAIN, false, &train));
    *out = *train; /* validation is held out at the end, so the two lie one behind the other */
    out->count += data->splits[SPLIT_VALIDATION].count;
    out->labelled += data->splits[SPLIT_VALIDATION].labelled;
    return STATUS_OK;
}

/* hash_samples: a line for the images and one for the labels: what, shape, hash. */
static void hash_samples(struct text *text, const char *set, const struct samples *samples)
{
    char hash[65];
    size_t image = (size_t)(samples->height * samples->width * samples->channels) * element_size(samples->element);
    if (samples->count == 0)
        return;
    sha256_hex(samples->images, (size_t)samples->count * image, hash);
    text_format(text, "%s images %s %lld %lld %lld %lld %s\n", set, element_text(samples->element),
                (long long)samples->count, (long long)samples->height, (long long)samples->width,
                (long long)samples->channels, hash);
    sha256_hex(samples->labels, (size_t)samples->count * sizeof samples->labels[0], hash);
    text_format(text, "%s labels %s\n", set, hash);
}

enum status data_sha256(struct context *ctx, const struct data *data, char out[65])
{
    struct text text;
    text_init(&text, ctx);
    hash_samples(&text, "train", &data->train);
    hash_samples(&text, "test", &data->test);
    enum status status = text.failed ? ctx->error.status : STATUS_OK;
    if (status == STATUS_OK)
        sha256_hex(text.bytes, text.length, out);
    text_free(&text);
    return status;
}

/* byte_statistics: how often each value occurs is exact; only the last step rounds. */
static void byte_statistics(const struct split *split, int64_t channel, double *mean, double *deviation)
{
    uint64_t counts[256] = {0};
    const unsigned char *bytes = split->images;
    int64_t pixels = split->count * split->height * split->width;
    for (int64_t i = 0; i < pixels; i++)
        counts[bytes[i * split->channels + channel]]++;
    double sum = 0, squares = 0;
    for (int value = 0; value < 256; value++)
        sum += (double)counts[value] * value;
    double average = sum / (double)pixels;
    for (int value = 0; value < 256; value++)
        squares += (double)counts[value] * (value - average) * (value - average);
    *mean = average / 255;
    *deviation = sqrt(squares / (double)pixels) / 255;
}

static void float_statistics(const struct split *split, int64_t channel, double *mean, double *deviation)
{
    const float *values = split->images;
    int64_t pixels = split->count * split->height * split->width;
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < pixels; i++)
        sum += (double)values[i * split->channels + channel];
    double average = sum / (double)pixels;
    for (int64_t i = 0; i < pixels; i++) {
        double difference = (double)values[i * split->channels + channel] - average;
        squares += difference * difference;
    }
    *mean = average;
    *deviation = sqrt(squares / (double)pixels);
}

void split_channel_statistics(const struct split *split, double *mean, double *deviation)
{
    for (int64_t channel = 0; channel < split->channels; channel++) {
        mean[channel] = deviation[channel] = 0;
        if (split->count == 0)
            continue;
        if (split->element == ELEMENT_U8)
            byte_statistics(split, channel, &mean[channel], &deviation[channel]);
        else
            float_statistics(split, channel, &mean[channel], &deviation[channel]);
    }
}
