/* augment.c: the table of augments, and several of them one after another. */
#include "data/augment.h"

#include <assert.h>
#include <string.h>

#define AUGMENT(identifier) extern const struct augment augment_##identifier;
#include "data/augments.def"
#undef AUGMENT

static const struct augment *const augments[] = {
#define AUGMENT(identifier) &augment_##identifier,
#include "data/augments.def"
#undef AUGMENT
};
enum { AUGMENT_COUNT = sizeof augments / sizeof augments[0] };
_Static_assert(sizeof augments / sizeof augments[0] <= (size_t)AUGMENT_MAX, "raise AUGMENT_MAX");

const struct augment *const *augment_table(size_t *count)
{
    *count = AUGMENT_COUNT;
    return augments;
}

enum status augmentation_bind(struct context *ctx, struct arena *arena, const struct value *section, uint64_t seed,
                              struct augmentation *out, struct value **resolved)
{
    union augment_setting settings[AUGMENT_COUNT];
    struct option_spec specs[AUGMENT_COUNT];
    const struct option_set set = {specs, AUGMENT_COUNT};
    memset(out, 0, sizeof *out);
    memset(settings, 0, sizeof settings);
    for (size_t i = 0; i < AUGMENT_COUNT; i++) {
        specs[i] = augments[i]->option;
        specs[i].offset = i * sizeof settings[0];
    }
    RETURN_IF(options_bind(ctx, arena, set, section, "augment", settings));
    out->seed = seed;
    for (size_t i = 0; i < AUGMENT_COUNT; i++) {
        struct augmentation_step step = {augments[i], settings[i], random_stream(augments[i]->name)};
        if (augments[i]->check != NULL)
            RETURN_IF(augments[i]->check(ctx, &settings[i], value_get(section, augments[i]->name)));
        if (augments[i]->views(&settings[i]) == 1)
            continue;
        if (augments[i]->mix != NULL)
            out->mixer = step;
        else
            out->steps[out->count++] = step;
    }
    if (resolved == NULL)
        return STATUS_OK;
    *resolved = options_value(arena, set, settings);
    return *resolved != NULL ? STATUS_OK : ctx->error.status;
}

static int64_t views_numbered(const struct augmentation *augmentation)
{
    int64_t views = augmentation_mixes(augmentation) ? 0 : 1;
    for (size_t i = 0; augmentation != NULL && i < augmentation->count; i++) {
        views *= augmentation->steps[i].augment->views(&augmentation->steps[i].setting);
        if (views > AUGMENT_VIEWS_MAX)
            return 0;
    }
    return views;
}

static struct random_key step_key(const struct augmentation *augmentation, const struct augmentation_step *step,
                                  int64_t epoch)
{
    return (struct random_key){augmentation->seed, step->stream, (uint64_t)epoch};
}

/* limited: are a sample's views those of the first `limit` epochs alone? */
static bool limited(const struct augmentation *augmentation)
{
    const int64_t numbered = augmentation == NULL ? 1 : views_numbered(augmentation);
    return augmentation != NULL && augmentation->limit > 0 && (numbered == 0 || numbered > augmentation->limit);
}

int64_t augmentation_views(const struct augmentation *augmentation)
{
    return limited(augmentation) ? augmentation->limit : views_numbered(augmentation);
}

const struct augmentation *augmentation_limited(const struct augmentation *augmentation, int64_t limit,
                                                struct augmentation *room)
{
    if (augmentation == NULL)
        return NULL;
    *room = *augmentation;
    room->limit = limit;
    return room;
}

/* A view of all augments is the number whose digits, the first augment's lowest, are their views. Where one of them has
 * too many to number, there are none for the whole; the others then draw their own. */
static int64_t numbered_draw(const struct augmentation *augmentation, int64_t epoch, int64_t sample)
{
    if (augmentation == NULL || views_numbered(augmentation) == 0)
        return 0;
    int64_t view = 0, scale = 1;
    for (size_t i = 0; i < augmentation->count; i++) {
        const struct augmentation_step *step = &augmentation->steps[i];
        struct random_key key = step_key(augmentation, step, epoch);
        view += scale * step->augment->draw(&step->setting, &key, sample);
        scale *= step->augment->views(&step->setting);
    }
    return view;
}

/* A limited sample goes through its views in turn, each sample from another one on. */
int64_t augmentation_draw(const struct augmentation *augmentation, int64_t epoch, int64_t sample)
{
    if (!limited(augmentation))
        return numbered_draw(augmentation, epoch, sample);
    const struct random_key key = {augmentation->seed, random_stream("views"), 0};
    return (epoch + (int64_t)random_u32(&key, (uint64_t)sample)) % augmentation->limit;
}

void augmentation_apply(const struct augmentation *augmentation, const struct augment_image *image, const void *from,
                        void *to, void *scratch, int64_t epoch, int64_t sample, int64_t view)
{
    size_t count = augmentation == NULL ? 0 : augmentation->count;
    if (count == 0) {
        memcpy(to, from, (size_t)(image->height * image->width * image->channels) * image->element_size);
        return;
    }
    if (limited(augmentation)) {
        epoch = view;
        view = numbered_draw(augmentation, epoch, sample);
    }
    bool numbered = views_numbered(augmentation) != 0;
    const void *source = from;
    for (size_t i = 0; i < count; i++) {
        const struct augmentation_step *step = &augmentation->steps[i];
        struct random_key key = step_key(augmentation, step, epoch);
        int64_t views = step->augment->views(&step->setting), own = 0;
        if (numbered) {
            own = view % views;
            view /= views;
        } else if (views > 0) {
            own = step->augment->draw(&step->setting, &key, sample);
        }
        /* By turns, so that the last one writes to `to`. */
        void *target = (count - 1 - i) % 2 == 0 ? to : scratch;
        step->augment->apply(&step->setting, image, source, target, own, &key, sample);
        source = target;
    }
}

bool augmentation_mixes(const struct augmentation *augmentation)
{
    return augmentation != NULL && augmentation->mixer.augment != NULL;
}

void augmentation_mix(const struct augmentation *augmentation, int64_t epoch, int64_t view, int64_t sample,
                      int64_t samples, int64_t *other, double *part)
{
    const struct augmentation_step *mixer = &augmentation->mixer;
    struct random_key key = step_key(augmentation, mixer, limited(augmentation) ? view : epoch);
    mixer->augment->mix(&mixer->setting, &key, sample, samples, other, part);
}

enum status augmentation_check(struct context *ctx, const struct augmentation *augmentation, int64_t channels)
{
    for (size_t i = 0; augmentation != NULL && i < augmentation->count; i++) {
        const struct augment *augment = augmentation->steps[i].augment;
        if (augment->channels_max > 0 && channels > augment->channels_max)
            return fail(ctx, STATUS_UNSUPPORTED, "augment %s: expected images of at most %lld channels, found %lld",
                        augment->name, (long long)augment->channels_max, (long long)channels);
    }
    return STATUS_OK;
}
