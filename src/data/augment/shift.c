/* shift: moves the image by up to N pixels up or down and left or right, all (2N+1)^2 moves alike likely; what comes in
 * is 0. */
#include "data/augment/move.h"

const struct augment augment_shift = {
    .name = "shift",
    .summary = "moves the image by up to N pixels each way; the border that comes in is 0",
    .option = {.name = "shift",
               .type = OPTION_INTEGER,
               .initial = "0",
               .min = 0,
               .max = 1024,
               .help = "the most pixels up, down, left or right"},
    .views = move_views,
    .draw = move_draw,
    .apply = move_apply,
};
