/* Transposed convolutions beyond the table's examples: random shapes by our own loops and by the library, against the
 * reference; what does not fit is named. */
#include "base/random.h"
#include "graph/ops.h"
#include "support/op_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { SEED = 4712, RANDOM_SHAPES = 16 };

static struct context context;
static struct kernel_context *own, *library;

static int set_up(void **state)
{
    (void)state;
    context_init(&context);
    own = kernel_context_new(&context, 2);
    library = kernel_context_new(&context, 1);
    if (!own || !library)
        return 1;
    own->choice = KERNEL_CHOICE_OWN;
    library->choice = KERNEL_CHOICE_LIBRARY;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    kernel_context_free(own);
    kernel_context_free(library);
    return 0;
}

/* A number in [low, high], counted. */
static int pick(uint64_t *counter, int low, int high)
{
    const struct random_key key = {SEED, random_stream("shapes"), 0};
    return low + (int)(random_u32(&key, (*counter)++) % (uint32_t)(high - low + 1));
}

static void random_example(uint64_t *counter, struct convolution_transpose *t, struct op_example *example)
{
    struct convolution *c = &t->c;
    int size[2];
    const bool depthwise = pick(counter, 0, 3) == 0;
    c->groups = depthwise ? pick(counter, 2, 21) : pick(counter, 0, 2) ? 1 : pick(counter, 2, 5);
    const int in = c->groups * (depthwise ? 1 : pick(counter, 1, c->groups > 1 ? 5 : 19));
    c->out = c->groups * (depthwise ? 1 : pick(counter, 1, c->groups > 1 ? 7 : 35));
    for (int i = 0; i < 2; i++) {
        size[i] = pick(counter, 1, 5);
        c->kernel[i] = pick(counter, 1, 4);
        c->stride[i] = pick(counter, 1, 3);
        c->dilation[i] = pick(counter, 0, 2) ? 1 : pick(counter, 2, 3);
        t->output_padding[i] = pick(counter, 0, (c->stride[i] > c->dilation[i] ? c->stride[i] : c->dilation[i]) - 1);
        const int whole = (size[i] - 1) * c->stride[i] + c->dilation[i] * (c->kernel[i] - 1) + t->output_padding[i] + 1;
        c->padding[i] = pick(counter, 0, (whole - 1) / 2 < 3 ? (whole - 1) / 2 : 3);
    }
    *example = (struct op_example){.name = "random",
                                   .attributes = t,
                                   .n_inputs = 2 + pick(counter, 0, 1),
                                   .in = {{.rank = 4, .dim = {pick(counter, 1, 3), size[0], size[1], in}},
                                          {.rank = 4, .dim = {in, c->out / c->groups, c->kernel[0], c->kernel[1]}},
                                          {.rank = 1, .dim = {c->out}}}};
}

static void print_shape(const struct op_example *example)
{
    const struct convolution_transpose *t = example->attributes;
    const struct convolution *c = &t->c;
    const int64_t *x = example->in[0].dim;
    printf("x [%d,%d,%d,%d] out %d kernel %dx%d stride %dx%d padding %dx%d+%dx%d dilation %dx%d groups %d\n", (int)x[0],
           (int)x[1], (int)x[2], (int)x[3], c->out, c->kernel[0], c->kernel[1], c->stride[0], c->stride[1],
           c->padding[0], c->padding[1], t->output_padding[0], t->output_padding[1], c->dilation[0], c->dilation[1],
           c->groups);
}

static void random_shapes_agree_with_the_reference(void **state)
{
    (void)state;
    struct kernel_context *kernels[] = {own, library};
    struct convolution_transpose attributes[RANDOM_SHAPES];
    struct op_example examples[RANDOM_SHAPES];
    struct op op = *op_find("convolution_transpose");
    uint64_t counter = 0;
    for (int i = 0; i < RANDOM_SHAPES; i++)
        random_example(&counter, &attributes[i], &examples[i]);
    op.examples = examples;
    op.n_examples = RANDOM_SHAPES;
    if (op_check(stderr, &context, &op, kernels, 2, SEED) > 0) {
        for (int i = 0; i < RANDOM_SHAPES; i++)
            print_shape(&examples[i]);
        fail_msg("seed %d: see above; the shapes are listed in order", SEED);
    }
}

static void refused(struct convolution_transpose t, struct shape weight, const char *message)
{
    struct op_call call = {.ctx = &context,
                           .op = op_find("convolution_transpose"),
                           .attributes = &t,
                           .name = "up",
                           .n_inputs = 2,
                           .n_outputs = 1};
    call.in[0] = (struct tensor_spec){ELEMENT_REAL, SHAPE(SHAPE_BATCH, 2, 2, 3)};
    call.in[1] = (struct tensor_spec){ELEMENT_REAL, weight};
    assert_int_not_equal(call.op->shape(&call), STATUS_OK);
    assert_string_equal(context.error.message, message);
    error_clear(&context);
}

static void what_does_not_fit_is_named(void **state)
{
    (void)state;
    struct convolution_transpose t = {
        .c = {.out = 4, .kernel = {2, 2}, .stride = {2, 2}, .dilation = {1, 1}, .groups = 1}};
    refused(t, SHAPE(4, 3, 2, 2), "up: expected a weight [3,4,2,2], found [4,3,2,2]");
    t.output_padding[1] = 2;
    refused(t, SHAPE(3, 4, 2, 2),
            "up: expected an output padding from 0 to below the stride or the dilation, 2, found 2");
    t.output_padding[1] = 0;
    t.c.padding[0] = 2;
    refused(t, SHAPE(3, 4, 2, 2), "up: a padding of 2x0 leaves nothing of what [B,2,2,3] becomes");
    t.c.groups = 2;
    refused(t, SHAPE(3, 2, 2, 2), "up: expected a map whose channels 2 groups divide, found [B,2,2,3]");
    t.c.out = 3;
    refused(t, SHAPE(3, 2, 2, 2), "up: expected a number of outputs that 2 groups divide, found 3");
    t.c.stride[1] = 0;
    refused(t, SHAPE(3, 2, 2, 2),
            "up: expected kernel, stride and dilation of 1 or more and padding of 0 or more, found 2, 0, 1, 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_shapes_agree_with_the_reference),
        cmocka_unit_test(what_does_not_fit_is_named),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
