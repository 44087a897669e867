/* crop: pads the image with N zeros on each side and cuts its old size out of that at a random place (PyTorch's
 * RandomCrop with padding): which is a move by up to N pixels, here with a draw of its own. He 2016, arXiv 1512.03385. */
#include "data/augment/move.h"

const struct augment augment_crop = {
    .name = "crop",
    .summary = "cuts the image out of itself padded with N zeros on each side, at a random place",
    .paper = "He 2016, arXiv 1512.03385",
    .option = {.name = "crop",
               .type = OPTION_INTEGER,
               .initial = "0",
               .min = 0,
               .max = 1024,
               .help = "zeros on each side before the cut"},
    .views = move_views,
    .draw = move_draw,
    .apply = move_apply,
};
