/* table.c: this build's kernels as one table. */
#include "kernel/level/level.h"

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

extern const struct kernels KERNEL(kernels);
const struct kernels KERNEL(kernels) = {
    .level = TEXT(KERNEL_LEVEL),
#ifdef KERNEL_F64
    .element = ELEMENT_F64,
#else
    .element = ELEMENT_F32,
#endif
#define LEVEL_KERNEL(type, name, parameters) .name = KERNEL(name),
#include "kernel/kernels.def"
#undef LEVEL_KERNEL
};
