/* augment.h: changes of an image, as table entries: data/augment/<name>.c and one line in data/augments.def.
 *
 * What is done to a sample is a function of (augment_seed, the augment's name, epoch, sample): it does not
 * depend on the batch, the order, threads or a resume. Augments run in the order of augments.def, on raw values. */
#ifndef DATA_AUGMENT_H
#define DATA_AUGMENT_H

#include "base/option.h"
#include "base/random.h"

/* What a recipe writes behind an augment's name. */
union augment_setting {
    bool boolean;
    int64_t integer;
    double real;
    struct option_reals reals; /* the arena's */
};

struct augment_image {
    int64_t height, width, channels;
    size_t element_size;
};

struct augment {
    const char *name, *summary, *paper; /* paper: NULL where there is none */
    struct option_spec option;          /* of the setting; its default leaves the image alone; the offset is 0 */
    int64_t channels_max;               /* images with more are refused; 0: any number */
    /* check: what the option's range cannot say; NULL: nothing. `at`: where the recipe says it; may be NULL. */
    enum status (*check)(struct context *ctx, const union augment_setting *setting, const struct value *at);
    /* views: how many different images a sample can become: 1 for a setting that does nothing, 0: they have no numbers. */
    int64_t (*views)(const union augment_setting *setting);
    /* draw: the view (below views) of this sample in this epoch, all alike likely; NULL where views have no numbers. */
    int64_t (*draw)(const union augment_setting *setting, const struct random_key *key, int64_t sample);
    /* apply: writes all of `to` [H,W,C] from `from` [H,W,C] (they do not overlap): the given view where views > 0, else
     * what key and sample say. */
    void (*apply)(const union augment_setting *setting, const struct augment_image *image, const void *from, void *to,
                  int64_t view, const struct random_key *key, int64_t sample);
    /* mix: instead of apply: the image becomes part * itself + (1 - part) * another of the `samples` of the split, as that
     * one is augmented in this epoch, and so do the labels. */
    void (*mix)(const union augment_setting *setting, const struct random_key *key, int64_t sample, int64_t samples,
                int64_t *other, double *part);
};

const struct augment *const *augment_table(size_t *count);

enum {
    AUGMENT_MAX = 8,
    AUGMENT_VIEWS_MAX = 64, /* more views of a sample than that are not numbered */
};

struct augmentation_step {
    const struct augment *augment;
    union augment_setting setting;
    uint32_t stream;
};

/* The augments that a recipe asked for; those that do nothing are left out. */
struct augmentation {
    uint64_t seed;
    size_t count;
    struct augmentation_step steps[AUGMENT_MAX];
    struct augmentation_step mixer; /* after the steps; augment NULL: samples are not mixed */
    int64_t
        limit; /* a sample's views are those of the first so many epochs, where there would be more; 0: there is none */
};

/* augmentation_bind: from the section `augment: {flip: true, shift: 2}` (NULL: nothing is asked for). *resolved (may be
 * NULL): every setting. */
enum status augmentation_bind(struct context *ctx, struct arena *arena, const struct value *section, uint64_t seed,
                              struct augmentation *out, struct value **resolved);

/* augmentation_views: how many different images a sample can become: 1 without augmentation (also NULL), 2 with flips,
 * 50 with flips and shifts by 2; 0: more than AUGMENT_VIEWS_MAX, or they have no numbers. Never more than the limit. */
int64_t augmentation_views(const struct augmentation *augmentation);
/* augmentation_limited: a copy in `room` with that limit; NULL stays NULL. */
const struct augmentation *augmentation_limited(const struct augmentation *augmentation, int64_t limit,
                                                struct augmentation *room);
/* augmentation_draw: the view of a sample in an epoch; 0 where there are too many views to number them. */
int64_t augmentation_draw(const struct augmentation *augmentation, int64_t epoch, int64_t sample);
/* augmentation_apply: `to` [H,W,C] from `from` [H,W,C]; `scratch` has room for one image. view: as drawn, or any below
 * augmentation_views to record. */
void augmentation_apply(const struct augmentation *augmentation, const struct augment_image *image, const void *from,
                        void *to, void *scratch, int64_t epoch, int64_t sample, int64_t view);

/* augmentation_mixes: are samples mixed (also NULL: no)? */
bool augmentation_mixes(const struct augmentation *augmentation);
/* augmentation_mix: what this view of a sample of a split of `samples` is mixed with: part of itself in [0,1], the rest of
 * another. */
void augmentation_mix(const struct augmentation *augmentation, int64_t epoch, int64_t view, int64_t sample,
                      int64_t samples, int64_t *other, double *part);
/* augmentation_check: fails where an augment cannot work on images of so many channels. */
enum status augmentation_check(struct context *ctx, const struct augmentation *augmentation, int64_t channels);

#endif
