/* Convolutions beyond the table's examples: random shapes by our own loops and by the library, both against the reference and
 * against each other; no reference kernel is chosen; bits do not depend on threads. */
#include "base/random.h"
#include "graph/op/convolution.h"
#include "support/compare.h"
#include "support/op_case.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SEED = 4711, RANDOM_SHAPES = 24 };

struct fixture {
    struct context ctx;
    struct kernel_context *own[3], *library, *measured; /* own: with 1, 2, 3 threads */
};

static int set_up(void **state)
{
    static struct fixture f;
    context_init(&f.ctx);
    for (int i = 0; i < 3; i++) {
        f.own[i] = kernel_context_new(&f.ctx, i + 1);
        assert_non_null(f.own[i]);
        f.own[i]->choice = KERNEL_CHOICE_OWN;
    }
    f.library = kernel_context_new(&f.ctx, 1);
    f.measured = kernel_context_new(&f.ctx, 1);
    assert_true(f.library && f.measured);
    f.library->choice = KERNEL_CHOICE_LIBRARY;
    f.measured->choice = KERNEL_CHOICE_MEASURED;
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 3; i++)
        kernel_context_free(f->own[i]);
    kernel_context_free(f->library);
    kernel_context_free(f->measured);
    return 0;
}

/* A number in [low, high], counted. */
static int pick(uint64_t *counter, int low, int high)
{
    const struct random_key key = {SEED, random_stream("shapes"), 0};
    return low + (int)(random_u32(&key, (*counter)++) % (uint32_t)(high - low + 1));
}

static void random_example(uint64_t *counter, struct convolution_attributes *a, struct op_example *example)
{
    int64_t size[2], in;
    *a = (struct convolution_attributes){.has_bias = pick(counter, 0, 1) == 1};
    struct convolution *c = &a->c;
    c->groups = pick(counter, 0, 2) ? 1 : pick(counter, 2, 5);
    const bool depthwise = pick(counter, 0, 3) == 0;
    if (depthwise)
        c->groups = pick(counter, 2, 21);
    in = c->groups * (depthwise ? 1 : pick(counter, 1, c->groups > 1 ? 5 : 19));
    c->out = c->groups * (depthwise ? 1 : pick(counter, 1, c->groups > 1 ? 7 : 35));
    for (int i = 0; i < 2; i++) {
        do {
            size[i] = pick(counter, 1, 9);
            c->kernel[i] = pick(counter, 1, 4);
            c->stride[i] = pick(counter, 0, 1) ? 1 : pick(counter, 2, 3);
            c->padding[i] = pick(counter, 0, 3);
            c->dilation[i] = pick(counter, 0, 2) ? 1 : pick(counter, 2, 3);
        } while (convolution_out_size(size[i], c->kernel[i], c->stride[i], c->padding[i], c->dilation[i]) < 1);
    }
    *example = (struct op_example){.name = "random",
                                   .attributes = a,
                                   .n_inputs = 2 + a->has_bias,
                                   .in = {{.rank = 4, .dim = {pick(counter, 1, 4), size[0], size[1], in}},
                                          {.rank = 4, .dim = {c->out, in / c->groups, c->kernel[0], c->kernel[1]}},
                                          {.rank = 1, .dim = {c->out}}}};
}

static void print_shape(const struct op_example *example)
{
    const struct convolution *c = &((const struct convolution_attributes *)example->attributes)->c;
    const int64_t *x = example->in[0].dim;
    printf("x [%d,%d,%d,%d] out %d kernel %dx%d stride %dx%d padding %dx%d dilation %dx%d groups %d\n", (int)x[0],
           (int)x[1], (int)x[2], (int)x[3], c->out, c->kernel[0], c->kernel[1], c->stride[0], c->stride[1],
           c->padding[0], c->padding[1], c->dilation[0], c->dilation[1], c->groups);
}

static void random_shapes_agree_with_the_reference(void **state)
{
    struct fixture *f = *state;
    struct kernel_context *kernels[] = {f->own[0], f->library};
    struct convolution_attributes attributes[RANDOM_SHAPES];
    struct op_example examples[RANDOM_SHAPES];
    struct op op = *op_find("convolution");
    uint64_t counter = 0;
    for (int i = 0; i < RANDOM_SHAPES; i++)
        random_example(&counter, &attributes[i], &examples[i]);
    op.examples = examples;
    op.n_examples = RANDOM_SHAPES;
    if (op_check(stderr, &f->ctx, &op, kernels, 2, SEED) > 0) {
        for (int i = 0; i < RANDOM_SHAPES; i++)
            print_shape(&examples[i]);
        fail_msg("seed %d: see above; the shapes are listed in order", SEED);
    }
}

/* One convolution in one precision with its results. */
struct trial {
    struct op_call call;
    struct op_needs needs;
    int64_t n[3], n_out; /* elements of x, weight, bias; of y */
    void *in[3], *d_in[3], *out, *d_out;
};

static void *filled(struct context *ctx, enum element element, int64_t n, const char *what)
{
    const struct random_key key = {SEED, random_stream(what), 0};
    void *memory = memory_new(ctx, (size_t)n, element_size(element));
    assert_non_null(memory);
    for (int64_t i = 0; i < n; i++)
        element_write(element, memory, i, random_normal(&key, (uint64_t)i));
    return memory;
}

static void trial_describe(struct trial *t, struct kernel_context *kernels, const struct convolution_attributes *a,
                           enum element element, int64_t batch, int64_t size, int64_t in)
{
    *t = (struct trial){.call = {.ctx = kernels->ctx, .op = op_find("convolution"), .attributes = a, .name = "trial"}};
    t->call.n_inputs = 3;
    t->call.n_outputs = 1;
    t->call.in[0] = (struct tensor_spec){ELEMENT_REAL, SHAPE(batch, size, size, in)};
    t->call.in[1] =
        (struct tensor_spec){ELEMENT_REAL, SHAPE(a->c.out, in / a->c.groups, a->c.kernel[0], a->c.kernel[1])};
    t->call.in[2] = (struct tensor_spec){ELEMENT_REAL, SHAPE(a->c.out)};
    assert_int_equal(t->call.op->shape(&t->call), STATUS_OK);
    for (int i = 0; i < 3; i++)
        t->call.in[i].element = element;
    t->call.out[0].element = element;
    t->call.kernels = kernels;
    assert_int_equal(t->call.op->prepare(&t->call, true, &t->needs), STATUS_OK);
}

static void trial_run(struct trial *t)
{
    static const char *const names[] = {"x", "weight", "bias"};
    struct context *ctx = t->call.ctx;
    const enum element element = t->call.in[0].element;
    const size_t scratch =
        t->needs.forward_scratch > t->needs.backward_scratch ? t->needs.forward_scratch : t->needs.backward_scratch;
    for (int i = 0; i < 3; i++) {
        t->n[i] = shape_elements(&t->call.in[i].shape);
        t->in[i] = filled(ctx, element, t->n[i], names[i]);
        t->d_in[i] = memory_new(ctx, (size_t)t->n[i], element_size(element));
    }
    t->n_out = shape_elements(&t->call.out[0].shape);
    t->out = memory_new(ctx, (size_t)t->n_out, element_size(element));
    t->d_out = filled(ctx, element, t->n_out, "dy");
    struct op_run run = {.call = &t->call, .table = kernels_of(t->call.kernels, element), .plan = t->needs.plan};
    run.in = (const void *const *)t->in;
    run.out = &t->out;
    run.d_out = (const void *const *)&t->d_out;
    run.d_in = t->d_in;
    run.add = (const bool[]){false, false, false};
    run.scratch = memory_new(ctx, scratch, 1);
    run.derived = memory_new(ctx, t->needs.derived_bytes, 1);
    run.derived_stale = run.keep = true;
    run.threads = t->call.kernels->threads;
    t->call.op->forward(&run);
    run.derived_stale = false;
    t->call.op->backward(&run);
    assert_int_equal(ctx->error.status, STATUS_OK);
    memory_free(ctx, run.scratch);
    memory_free(ctx, run.derived);
}

static void trial_free(struct trial *t)
{
    for (int i = 0; i < 3; i++) {
        memory_free(t->call.ctx, t->in[i]);
        memory_free(t->call.ctx, t->d_in[i]);
    }
    memory_free(t->call.ctx, t->out);
    memory_free(t->call.ctx, t->d_out);
    t->call.op->release(t->needs.plan);
}

/* Square kernels: {in, out, size, kernel, stride, groups}. */
static const int shapes[][6] = {
    {1, 12, 9, 3, 1, 1},   {3, 16, 8, 3, 2, 1},    {8, 8, 7, 3, 1, 1},    {12, 12, 14, 3, 1, 1}, {12, 24, 7, 3, 2, 1},
    {16, 17, 6, 3, 1, 1},  {17, 16, 6, 1, 1, 1},   {32, 32, 9, 3, 2, 1},  {32, 64, 7, 3, 1, 1},  {64, 64, 5, 3, 1, 1},
    {64, 128, 4, 1, 1, 1}, {128, 128, 4, 3, 1, 1}, {128, 32, 5, 3, 2, 1}, {32, 32, 7, 3, 1, 32}, {12, 12, 7, 7, 1, 12},
    {32, 64, 6, 3, 1, 4},  {13, 12, 29, 3, 1, 1},  {16, 16, 28, 3, 1, 1}, {17, 33, 22, 3, 1, 1}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static struct convolution_attributes attributes_of(const int *s)
{
    const int padding = s[3] == 3 ? 1 : 0;
    return (struct convolution_attributes){.has_bias = true,
                                           .c = {.out = s[1],
                                                 .kernel = {s[3], s[3]},
                                                 .stride = {s[4], s[4]},
                                                 .padding = {padding, padding},
                                                 .dilation = {1, 1},
                                                 .groups = s[5]}};
}

/* compare_floats: a and b agree to float's rounding. */
static void compare_floats(const char *what, int shape, int64_t n, const float *a, const float *b)
{
    char text[80];
    double *expected = malloc((size_t)n * sizeof *expected);
    assert_non_null(expected);
    for (int64_t i = 0; i < n; i++)
        expected[i] = a[i];
    snprintf(text, sizeof text, "shape %d: %s, own loops and library", shape, what);
    const int64_t differ = compare_elements(stderr, text, n, expected, ELEMENT_F32, b, 2e-5, 0);
    free(expected);
    assert_int_equal(differ, 0);
}

static void own_loops_agree_with_the_library(void **state)
{
    struct fixture *f = *state;
    for (int s = 0; s < SHAPES; s++) {
        const struct convolution_attributes a = attributes_of(shapes[s]);
        struct trial own, library;
        trial_describe(&own, f->own[0], &a, ELEMENT_F32, 7, shapes[s][2], shapes[s][0]);
        trial_describe(&library, f->library, &a, ELEMENT_F32, 7, shapes[s][2], shapes[s][0]);
        printf("%3d -> %3d, %dx%d, stride %d, groups %2d: %s\n", shapes[s][0], shapes[s][1], shapes[s][3], shapes[s][3],
               shapes[s][4], shapes[s][5], library.needs.kernel);
        trial_run(&own);
        trial_run(&library);
        compare_floats("y", s, own.n_out, own.out, library.out);
        compare_floats("dx", s, own.n[0], own.d_in[0], library.d_in[0]);
        compare_floats("dweight", s, own.n[1], own.d_in[1], library.d_in[1]);
        compare_floats("dbias", s, own.n[2], own.d_in[2], library.d_in[2]);
        trial_free(&own);
        trial_free(&library);
    }
}

/* Our loops are for few channels on every CPU, and the library never does what it was measured to be slow at. */
static void few_channels_are_done_by_our_loops(void **state)
{
    struct fixture *f = *state;
    for (int s = 0; s < SHAPES; s++) {
        if (shapes[s][0] >= 32 || shapes[s][5] != 1)
            continue;
        const struct convolution_attributes a = attributes_of(shapes[s]);
        struct trial t;
        trial_describe(&t, f->measured, &a, ELEMENT_F32, 7, shapes[s][2], shapes[s][0]);
        assert_null(strstr(t.needs.kernel, "dnnl"));
        t.call.op->release(t.needs.plan);
    }
}

static void no_reference_kernel_is_chosen(void **state)
{
    struct fixture *f = *state;
    struct kernel_context *kernels[] = {f->own[0], f->library, f->measured};
    for (int s = 0; s < SHAPES; s++) {
        const struct convolution_attributes a = attributes_of(shapes[s]);
        for (int i = 0; i < 3; i++) {
            struct trial t;
            trial_describe(&t, kernels[i], &a, ELEMENT_F32, 7, shapes[s][2], shapes[s][0]);
            assert_null(strstr(t.needs.kernel, "ref"));
            assert_true(i != 0 || !strstr(t.needs.kernel, "dnnl"));
            t.call.op->release(t.needs.plan);
        }
    }
}

static void bits_do_not_depend_on_threads(void **state)
{
    struct fixture *f = *state;
    for (int s = 0; s < SHAPES; s++) {
        for (int precision = 0; precision < 2; precision++) {
            const enum element element = precision ? ELEMENT_F64 : ELEMENT_F32;
            const size_t size = element_size(element);
            const struct convolution_attributes a = attributes_of(shapes[s]);
            struct trial t[3];
            for (int i = 0; i < 3; i++) {
                trial_describe(&t[i], f->own[i], &a, element, 37, shapes[s][2], shapes[s][0]);
                trial_run(&t[i]);
            }
            for (int i = 1; i < 3; i++) {
                assert_memory_equal(t[i].out, t[0].out, (size_t)t[0].n_out * size);
                for (int j = 0; j < 3; j++)
                    assert_memory_equal(t[i].d_in[j], t[0].d_in[j], (size_t)t[0].n[j] * size);
            }
            for (int i = 0; i < 3; i++)
                trial_free(&t[i]);
        }
    }
}

static void shapes_that_do_not_fit_are_named(void **state)
{
    struct fixture *f = *state;
    const struct convolution_attributes a = {
        .c = {.out = 4, .kernel = {5, 5}, .stride = {1, 1}, .padding = {0, 1}, .dilation = {1, 1}, .groups = 1}};
    struct op_call call = {
        .ctx = &f->ctx, .op = op_find("convolution"), .attributes = &a, .name = "conv3", .n_inputs = 2, .n_outputs = 1};
    call.in[0] = (struct tensor_spec){ELEMENT_REAL, SHAPE(SHAPE_BATCH, 4, 4, 3)};
    call.in[1] = (struct tensor_spec){ELEMENT_REAL, SHAPE(4, 3, 5, 5)};
    assert_int_equal(call.op->shape(&call), STATUS_BAD_SHAPE);
    assert_string_equal(f->ctx.error.message,
                        "conv3: a kernel of 5x5 with padding 0x1 and dilation 1x1 does not fit into [B,4,4,3]");
    error_clear(&f->ctx);
    call.in[1].shape = SHAPE(4, 2, 5, 5);
    assert_int_equal(call.op->shape(&call), STATUS_BAD_SHAPE);
    assert_string_equal(f->ctx.error.message, "conv3: expected a weight [4,3,5,5], found [4,2,5,5]");
    error_clear(&f->ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_shapes_agree_with_the_reference), cmocka_unit_test(own_loops_agree_with_the_library),
        cmocka_unit_test(few_channels_are_done_by_our_loops),     cmocka_unit_test(no_reference_kernel_is_chosen),
        cmocka_unit_test(bits_do_not_depend_on_threads),          cmocka_unit_test(shapes_that_do_not_fit_are_named),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
