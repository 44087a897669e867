/* jitter: other brightness, contrast and saturation, in a random order, as PyTorch's ColorJitter.
 *
 *     brightness  x = f x
 *     contrast    x = f x + (1-f) m,  m: the mean of the image's grey
 *     saturation  x = f x + (1-f) g,  g: the pixel's grey
 *
 * f uniform in [max(0, 1-s), 1+s], s: the strength. Grey: 0.299 R + 0.587 G + 0.114 B; with other than 3 channels their mean. x is
 * kept in [0,1] (bytes: 0 … 255) after each, and bytes are rounded at the end. */
#include "data/augment.h"

#include <string.h>

enum { BRIGHTNESS, CONTRAST, SATURATION, JITTERS };
enum { CHANNELS_MAX = 64 };

/* What is done to an image: factors, and their order. */
struct jitter {
    double factor[JITTERS];
    int order[JITTERS];
    double most;
};

static double strength(const union augment_setting *setting, int which)
{
    return setting->reals.count == 0 ? 0 : setting->reals.values[setting->reals.count == 1 ? 0 : which];
}

static int64_t jitter_views(const union augment_setting *setting)
{
    for (int i = 0; i < JITTERS; i++)
        if (strength(setting, i) > 0)
            return 0;
    return 1;
}

static enum status jitter_check(struct context *ctx, const union augment_setting *setting, const struct value *at)
{
    if (setting->reals.count <= 1 || setting->reals.count == JITTERS)
        return STATUS_OK;
    return value_fail(
        ctx, at, STATUS_BAD_INPUT,
        "augment, \"jitter\": expected one number or [brightness, contrast, saturation], found %zu numbers",
        setting->reals.count);
}

static struct jitter jitter_draw(const union augment_setting *setting, const struct augment_image *image,
                                 const struct random_key *key, int64_t sample)
{
    static const int orders[6][JITTERS] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    struct jitter jitter;
    uint32_t bits[4];
    random_block(key, (uint64_t)sample, bits);
    for (int i = 0; i < JITTERS; i++) {
        double s = strength(setting, i), low = s < 1 ? 1 - s : 0, high = 1 + s;
        jitter.factor[i] = low + bits[i] * 0x1p-32 * (high - low);
    }
    memcpy(jitter.order, orders[((uint64_t)bits[3] * 6) >> 32], sizeof jitter.order);
    jitter.most = image->element_size == 1 ? 255 : 1;
    return jitter;
}

static float value_at(const void *from, size_t element_size, int64_t i)
{
    return element_size == 1 ? (float)((const unsigned char *)from)[i] : ((const float *)from)[i];
}

static void value_put(void *to, size_t element_size, int64_t i, float value)
{
    if (element_size == 1)
        ((unsigned char *)to)[i] = (unsigned char)(value + 0.5F);
    else
        ((float *)to)[i] = value;
}

static float grey(const float *pixel, int64_t channels)
{
    float sum = 0;
    if (channels == 3)
        return 0.299F * pixel[0] + 0.587F * pixel[1] + 0.114F * pixel[2];
    for (int64_t c = 0; c < channels; c++)
        sum += pixel[c];
    return sum / (float)channels;
}

/* pixel_change: one change of one pixel; mean: of the image's grey at this point. */
static void pixel_change(const struct jitter *jitter, int which, float *pixel, int64_t channels, float mean)
{
    float f = (float)jitter->factor[which], most = (float)jitter->most;
    float towards = which == BRIGHTNESS ? 0 : which == CONTRAST ? mean : grey(pixel, channels);
    for (int64_t c = 0; c < channels; c++) {
        float x = f * pixel[c] + (1 - f) * towards;
        pixel[c] = x < 0 ? 0 : x > most ? most : x;
    }
}

/* pixel_after: pixel p after the first `count` changes. */
static void pixel_after(const struct jitter *jitter, int count, const struct augment_image *image, const void *from,
                        int64_t p, float mean, float pixel[CHANNELS_MAX])
{
    for (int64_t c = 0; c < image->channels; c++)
        pixel[c] = value_at(from, image->element_size, p * image->channels + c);
    for (int i = 0; i < count; i++)
        pixel_change(jitter, jitter->order[i], pixel, image->channels, mean);
}

static void jitter_apply(const union augment_setting *setting, const struct augment_image *image, const void *from,
                         void *to, int64_t view, const struct random_key *key, int64_t sample)
{
    (void)view;
    float pixel[CHANNELS_MAX];
    int64_t pixels = image->height * image->width;
    struct jitter jitter = jitter_draw(setting, image, key, sample);
    /* The contrast's mean is of the image as the changes before it left it: hence two passes, and no memory. */
    int before = jitter.order[0] == CONTRAST ? 0 : jitter.order[1] == CONTRAST ? 1 : 2;
    double sum = 0;
    for (int64_t p = 0; p < pixels; p++) {
        pixel_after(&jitter, before, image, from, p, 0, pixel);
        sum += (double)grey(pixel, image->channels);
    }
    float mean = pixels > 0 ? (float)(sum / (double)pixels) : 0;
    for (int64_t p = 0; p < pixels; p++) {
        pixel_after(&jitter, JITTERS, image, from, p, mean, pixel);
        for (int64_t c = 0; c < image->channels; c++)
            value_put(to, image->element_size, p * image->channels + c, pixel[c]);
    }
}

const struct augment augment_jitter = {
    .name = "jitter",
    .summary = "other brightness, contrast and saturation, in a random order",
    .option = {.name = "jitter",
               .type = OPTION_REALS,
               .min = 0,
               .max = 10,
               .help =
                   "strength s: each factor is uniform in [max(0, 1-s), 1+s]; one number, or [brightness, contrast, "
                   "saturation]"},
    .channels_max = CHANNELS_MAX,
    .views = jitter_views,
    .check = jitter_check,
    .apply = jitter_apply,
};
