/* pooling.c: shapes of windows, and their reference. */
#include "graph/op/pooling.h"

#include "graph/op/expect.h"

#include <math.h>

enum status map_expect(const struct op_call *call)
{
    RETURN_IF(expect_input(call, 0, ELEMENT_REAL, 4, 4, "a map of real numbers [B,H,W,C]"));
    for (int i = 1; i < 4; i++)
        if (call->in[0].shape.dim[i] < 1)
            return expect_failure(call, 0, "a map [B,H,W,C] whose height, width and channels are numbers above 0");
    return STATUS_OK;
}

enum status pooling_shape(struct op_call *call, const struct pooling *pooling)
{
    RETURN_IF(map_expect(call));
    const struct shape *in = &call->in[0].shape;
    struct shape out = *in;
    for (int i = 0; i < 2; i++) {
        int kernel = pooling->kernel[i], stride = pooling->stride[i], padding = pooling->padding[i];
        const char *axis = i == 0 ? "height" : "width";
        if (kernel < 1 || stride < 1 || padding < 0 || padding > kernel / 2)
            return fail(
                call->ctx, STATUS_BAD_INPUT,
                "%s: along the %s expected kernel and stride of at least 1 and padding of at most half the kernel, "
                "found kernel %d, stride %d, padding %d",
                call->name, axis, kernel, stride, padding);
        int64_t room = in->dim[1 + i] + 2 * (int64_t)padding - kernel;
        if (room < 0)
            return fail(call->ctx, STATUS_BAD_SHAPE,
                        "%s: expected a map with a %s of at least %lld for kernel %d and padding %d, found %lld",
                        call->name, axis, (long long)kernel - 2 * (long long)padding, kernel, padding,
                        (long long)in->dim[1 + i]);
        out.dim[1 + i] = room / stride + 1;
    }
    call->out[0] = (struct tensor_spec){call->in[0].element, out};
    return STATUS_OK;
}

enum status global_shape(struct op_call *call)
{
    RETURN_IF(map_expect(call));
    const struct shape *in = &call->in[0].shape;
    call->out[0] = (struct tensor_spec){call->in[0].element, SHAPE(in->dim[0], in->dim[3])};
    return STATUS_OK;
}

struct pool_shape pooling_of(const struct op_call *call, const struct pooling *pooling)
{
    const int64_t *in = call->in[0].shape.dim, *out = call->out[0].shape.dim;
    struct pool_shape shape = {.samples = in[0], .height = in[1], .width = in[2], .channels = in[3]};
    for (int i = 0; i < 2; i++) {
        shape.kernel[i] = pooling == NULL ? in[1 + i] : pooling->kernel[i];
        shape.stride[i] = pooling == NULL ? 1 : pooling->stride[i];
        shape.padding[i] = pooling == NULL ? 0 : pooling->padding[i];
    }
    shape.out_height = pooling == NULL ? 1 : out[1];
    shape.out_width = pooling == NULL ? 1 : out[2];
    return shape;
}

void pooling_reference(const struct op_call *call, const struct pooling *pooling, bool largest, const double *x,
                       double *y)
{
    const int64_t *dim = call->in[0].shape.dim;
    int64_t height = dim[1], width = dim[2], channels = dim[3];
    int64_t kernel_h = pooling ? pooling->kernel[0] : height, kernel_w = pooling ? pooling->kernel[1] : width;
    int64_t outputs = shape_elements(&call->out[0].shape), out_width = pooling ? call->out[0].shape.dim[2] : 1;
    int64_t out_height = pooling ? call->out[0].shape.dim[1] : 1;
    for (int64_t i = 0; i < outputs; i++) {
        int64_t c = i % channels, column = i / channels % out_width, row = i / channels / out_width % out_height;
        int64_t sample = i / channels / out_width / out_height;
        double most = -HUGE_VAL, sum = 0;
        for (int64_t kh = 0; kh < kernel_h; kh++) {
            for (int64_t kw = 0; kw < kernel_w; kw++) {
                int64_t h = pooling ? row * pooling->stride[0] - pooling->padding[0] + kh : kh;
                int64_t w = pooling ? column * pooling->stride[1] - pooling->padding[1] + kw : kw;
                if (h < 0 || h >= height || w < 0 || w >= width)
                    continue;
                double value = x[((sample * height + h) * width + w) * channels + c];
                most = fmax(most, value);
                sum += value;
            }
        }
        y[i] = largest ? most : sum / (double)(kernel_h * kernel_w);
    }
}
