/* augmentation_case.h: an augmentation as a recipe says it. */
#ifndef SUPPORT_AUGMENTATION_CASE_H
#define SUPPORT_AUGMENTATION_CASE_H

#include "data/augment.h"

enum { AUGMENTATION_SEED = 7 };

/* augmentation_of: without settings that are lists, which would be lost. */
struct augmentation augmentation_of(const char *yaml);

#endif
