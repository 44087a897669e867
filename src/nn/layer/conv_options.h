/* conv_options.h: what conv and conv_transpose share: their options and what is made of them. */
#ifndef NN_LAYER_CONV_OPTIONS_H
#define NN_LAYER_CONV_OPTIONS_H

#include "nn/builder.h"

struct conv_options {
    int64_t out;
    struct option_pair kernel, stride, padding, dilation;
    int64_t groups;
    bool bias;
    struct option_pair output_padding; /* conv_transpose alone */
};

enum { CONV_OPTIONS = 7, CONV_TRANSPOSE_OPTIONS };
extern const struct option_spec conv_specs[CONV_TRANSPOSE_OPTIONS]; /* conv: the first CONV_OPTIONS of them */

/* conv_read: the op's options; false, with an error that names the layer, when the input is no map or groups do not
 * divide. */
bool conv_read(const struct layer_site *site, const struct conv_options *o, struct convolution *convolution);
/* conv_parameters: weight of this shape, whose `readers` outputs see an input at each position of the window, and a
 * bias (NULL: not wanted). Weights start normal with deviation sqrt(2 / (readers * kernel height * width)), He 2015,
 * arXiv 1502.01852, biases 0. */
bool conv_parameters(const struct layer_site *site, const struct conv_options *o, struct shape weight_shape,
                     int64_t readers, struct node **weight, struct node **bias);
/* conv_resolved: `in`, the number of input channels. */
void conv_resolved(struct arena *arena, struct value *map, const struct shape *in, const void *options);

#endif
