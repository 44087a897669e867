/* move.h: whole-pixel moves of an image, for the augments that are such a move. */
#ifndef DATA_AUGMENT_MOVE_H
#define DATA_AUGMENT_MOVE_H

#include "data/augment.h"

/* The setting is an integer N: up to N pixels each way, all (2N+1)^2 moves alike likely. A view is (down + N) (2N+1) + right + N. */
int64_t move_views(const union augment_setting *setting);
int64_t move_draw(const union augment_setting *setting, const struct random_key *key, int64_t sample);
void move_apply(const union augment_setting *setting, const struct augment_image *image, const void *from, void *to,
                int64_t view, const struct random_key *key, int64_t sample);

#endif
