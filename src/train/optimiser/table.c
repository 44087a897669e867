/* table.c: every optimiser. */
#include "train/optimiser/optimiser.h"

#define OPTIMISER(name) extern const struct optimiser optimiser_##name;
#include "train/optimiser/optimisers.def"
#undef OPTIMISER

const struct optimiser *const optimiser_table[] = {
#define OPTIMISER(name) &optimiser_##name,
#include "train/optimiser/optimisers.def"
#undef OPTIMISER
};
const size_t optimiser_table_count = sizeof optimiser_table / sizeof *optimiser_table;
