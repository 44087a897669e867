/* idx_files.h: small IDX files for tests, made from a formula. */
#ifndef SUPPORT_IDX_FILES_H
#define SUPPORT_IDX_FILES_H

#include <stdint.h>

/* idx_images_put: N images [H,W] (channels 0) or [H,W,C]; byte i of the file's numbers is idx_byte(seed, i). */
void idx_images_put(const char *path, int n, int height, int width, int channels, unsigned seed);
uint8_t idx_byte(unsigned seed, int64_t i);
/* idx_labels_put: label i is i % classes. */
void idx_labels_put(const char *path, int n, int classes);

#endif
