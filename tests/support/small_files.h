/* small_files.h: forty images that can be learnt from, for tests that use the library as its users do. */
#ifndef SUPPORT_SMALL_FILES_H
#define SUPPORT_SMALL_FILES_H

#include <stddef.h>

enum { SMALL_SAMPLES = 40, SMALL_SIDE = 4, SMALL_CLASSES = 3 };

/* A recipe's section for them, as flow YAML. */
#define SMALL_DATA                                                                                                     \
    "data: {idx: {train_images: images, train_labels: labels, test_images: images, test_labels: labels}, "             \
    "validation: 10}\n"

void file_put(const char *path, const void *bytes, size_t count);
void text_put(const char *path, const char *text);
/* small_files_put: images and labels, in the working folder. */
void small_files_put(void);
/* npy_put: float64, or int64 where `integers`, of the given shape; values in C's order. */
void npy_put(const char *path, int integers, const char *shape, const double *values, size_t count);
/* npy_get: the float64 values of a file of the library; as many as are wanted. */
void npy_get(const char *path, double *values, size_t count);

#endif
