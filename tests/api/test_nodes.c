/* test_nodes.c: the public builders with more than nodes for arguments: each on a few numbers, against what they give by hand. */
#include "support/outside_case.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* What the numbers are put into; each gives a scalar. */
struct builder {
    const char *name;
    struct retort_node *(*build)(const struct retort_method_site *site);
    double expected;
};

static struct retort_node *numbers(const struct retort_method_site *site, int rank, const int64_t *size,
                                   const double *values)
{
    struct retort_shape shape = {.rank = rank};
    for (int i = 0; i < rank; i++)
        shape.size[i] = size[i];
    return retort_op_constant(site->graph, shape, values);
}
#define SIZE(...)                                                                                                      \
    (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[])                                       \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }
#define NUMBERS(size, ...) numbers(site, size, (const double[]){__VA_ARGS__})
#define TABLE NUMBERS(SIZE(2, 3), 1, 2, 3, 4, 5, 6)
#define BUILDER(name) static struct retort_node *name(const struct retort_method_site *site)

static struct retort_node *integers(const struct retort_method_site *site, int32_t first, int32_t second)
{
    return retort_op_integers(site->graph, (struct retort_shape){1, {2}}, (const int32_t[]){first, second});
}

/* by_place: sum_i x_i w_i, so that what stands where shows in the sum. */
static struct retort_node *by_place(struct retort_node *x, struct retort_node *w)
{
    return retort_op_sum_all(retort_op_mul(x, w));
}

BUILDER(leaky)
{
    return retort_op_sum_all(retort_op_leaky_relu(retort_op_sub(TABLE, retort_op_scalar(site->graph, 3)), 0.1));
}

BUILDER(compared)
{
    struct retort_node *three = retort_op_scalar(site->graph, 3), *sum = retort_op_scalar(site->graph, 0);
    for (int i = RETORT_EQUAL; i <= RETORT_LESS_EQUAL; i++) /* 1, 5, 3, 4, 2, 3 of six numbers */
        sum = retort_op_add(retort_op_scale(sum, 10),
                            retort_op_sum_all(retort_op_compare(TABLE, (enum retort_relation)i, three)));
    return sum;
}

BUILDER(sliced)
{
    return by_place(retort_op_slice(TABLE, 1, 0, INT64_MAX, 2), NUMBERS(SIZE(2, 2), 1, 10, 100, 1000));
}

BUILDER(split)
{
    struct retort_node *parts[2];
    retort_op_split(TABLE, 1, 2, (const int64_t[]){1, 2}, parts);
    return retort_op_sub(retort_op_scale(retort_op_sum_all(parts[0]), 100), retort_op_sum_all(parts[1]));
}

BUILDER(padded)
{
    return by_place(retort_op_pad(NUMBERS(SIZE(2), 1, 2), 0, 1, 2, 7), NUMBERS(SIZE(5), 1, 10, 100, 1000, 10000));
}

BUILDER(counted)
{
    return retort_op_add(retort_op_scale(retort_op_count(TABLE, 1), 10), retort_op_count(TABLE, 0));
}

BUILDER(gathered)
{
    return by_place(retort_op_gather(TABLE, integers(site, 2, -1), 1), NUMBERS(SIZE(2, 2), 1, 10, 100, 1000));
}

BUILDER(embedded)
{
    return by_place(retort_op_embedding(TABLE, integers(site, 1, -1)), NUMBERS(SIZE(2, 3), 1, 10, 100, 7, 7, 7));
}

BUILDER(swapped)
{
    struct retort_node *x = retort_op_swap_columns(TABLE, integers(site, 0, -1), integers(site, 2, 0));
    return by_place(x, NUMBERS(SIZE(2, 3), 1, 10, 100, 1000, 10000, 100000));
}

BUILDER(largest)
{
    struct retort_node *at, *values = retort_op_top_k(NUMBERS(SIZE(1, 3), 5, 9, 7), 2, &at);
    struct retort_node *there = retort_op_gather(NUMBERS(SIZE(3), 1, 2, 3), at, 0);
    return retort_op_add(by_place(values, NUMBERS(SIZE(1, 2), 1, 10)), by_place(there, NUMBERS(SIZE(1, 2), 100, 1000)));
}

BUILDER(eigen)
{
    struct retort_node *vectors, *values = retort_op_eigen(NUMBERS(SIZE(1, 2, 2), 2, 0, 0, 5), 1, &vectors);
    return retort_op_add(retort_op_sum_all(values), by_place(vectors, NUMBERS(SIZE(1, 1, 2), 10, 100)));
}

BUILDER(singular)
{
    struct retort_node *right, *left, *x = NUMBERS(SIZE(1, 2, 3), 3, 0, 0, 0, 0, 4);
    struct retort_node *values = retort_op_svd(x, 0, &right, &left);
    struct retort_node *sides = retort_op_add(by_place(right, NUMBERS(SIZE(1, 2, 3), 10, 20, 30, 40, 50, 60)),
                                              by_place(left, NUMBERS(SIZE(1, 2, 2), 100, 200, 300, 400)));
    return retort_op_add(by_place(values, NUMBERS(SIZE(1, 2), 1, 0.5)), sides);
}

BUILDER(along)
{
    struct retort_convolution how = {.stride = {2, 0}, .padding = {1, 0}};
    struct retort_node *x = NUMBERS(SIZE(1, 4, 1), 1, 2, 3, 4), *w = NUMBERS(SIZE(1, 1, 2), 10, 1);
    return by_place(retort_op_convolution(x, w, &how), NUMBERS(SIZE(1, 3, 1), 1, 100, 10000));
}

BUILDER(transposed)
{
    struct retort_convolution how = {.stride = {1, 2}};
    struct retort_node *x = NUMBERS(SIZE(1, 1, 2, 1), 1, 2), *w = NUMBERS(SIZE(1, 1, 1, 2), 5, 3);
    struct retort_node *y = retort_op_convolution_transpose(x, w, &how, (const int[]){0, 1});
    return by_place(y, NUMBERS(SIZE(1, 1, 5, 1), 1, 10, 100, 1000, 10000));
}

BUILDER(pooled)
{
    struct retort_pooling how = {.kernel = {1, 2}};
    struct retort_node *x = NUMBERS(SIZE(1, 1, 4, 1), 1, 5, 2, 4), *w = NUMBERS(SIZE(1, 1, 2, 1), 1, 10);
    return retort_op_add(by_place(retort_op_max_pool(x, &how), w),
                         retort_op_scale(by_place(retort_op_average_pool(x, &how), w), 100));
}

BUILDER(resized)
{
    struct retort_node *x = NUMBERS(SIZE(1, 1, 2, 1), 1, 2), *w = NUMBERS(SIZE(1, 1, 4, 1), 1, 10, 100, 1000);
    return retort_op_sub(by_place(retort_op_resize(x, false, 1, 4), w), by_place(retort_op_resize(x, true, 1, 4), w));
}

BUILDER(normed)
{
    struct retort_node *x = NUMBERS(SIZE(2, 1), 1, 3), *w = NUMBERS(SIZE(2, 1), 1, 10);
    struct retort_batch_norm norm = {NUMBERS(SIZE(1), 2), NUMBERS(SIZE(1), 1), NULL, NULL, 1e-12};
    struct retort_node *trained = by_place(retort_op_batch_norm(x, &norm, true), w);
    assert_null(retort_op_batch_norm(x, &norm, false));
    norm.mean = NUMBERS(SIZE(1), 1);
    norm.variance = NUMBERS(SIZE(1), 16);
    return retort_op_add(trained, retort_op_scale(by_place(retort_op_batch_norm(x, &norm, false), w), 100));
}

BUILDER(layer_normed)
{
    struct retort_node *scale = NUMBERS(SIZE(2), 2, 3), *shift = NUMBERS(SIZE(2), 5, 7);
    struct retort_node *w = NUMBERS(SIZE(1, 2), 1, 10);
    return by_place(retort_op_layer_norm(NUMBERS(SIZE(1, 2), 1, 3), scale, shift, 1, 1e-12), w);
}

BUILDER(standardised)
{
    struct retort_node *x = NUMBERS(SIZE(1, 2), 1, 3), *w = NUMBERS(SIZE(1, 2), 1, 10);
    return by_place(retort_op_standardise(x, 2, (const double[]){3, 1}, (const double[]){2, 4}), w);
}

BUILDER(attended)
{
    struct retort_node *q = NUMBERS(SIZE(1, 1, 1), 1), *k = NUMBERS(SIZE(1, 2, 1), 0, log(3));
    return retort_op_sum_all(retort_op_attention(q, k, NUMBERS(SIZE(1, 2, 1), 4, 8)));
}

BUILDER(dropped)
{
    static const double zeros[64 * 2];
    struct retort_node *x = retort_op_add(numbers(site, SIZE(64, 2), zeros), retort_op_scalar(site->graph, 1));
    struct retort_node *kept = retort_dropout(site->own, "half", x, 0.5, RETORT_UNIT_SAMPLE);
    /* Both elements of a sample are 0 or 2, and not all samples have the same fate. */
    struct retort_node *sums = retort_op_row_sum(kept), *ends = retort_op_mul(sums, retort_op_scale(sums, 0.25));
    struct retort_node *bent = retort_op_sum_all(retort_op_abs(retort_op_sub(ends, sums)));
    struct retort_node *spread = retort_op_sub(retort_op_max(sums, 1, false), retort_op_min(sums, 1, false));
    return retort_op_add(retort_op_scale(bent, 100), spread);
}

static const struct builder builders[] = {{"leaky_relu", leaky, 5.7},
                                          {"compare", compared, 153423},
                                          {"slice", sliced, 6431},
                                          {"split", split, 484},
                                          {"pad", padded, 77217},
                                          {"count", counted, 32},
                                          {"gather", gathered, 603},
                                          {"embedding", embedded, 654},
                                          {"swap_columns", swapped, 654123},
                                          {"top_k", largest, 3279},
                                          {"eigen", eigen, 105},
                                          {"svd", singular, 575.5},
                                          {"convolution", along, 402301},
                                          {"convolution_transpose", transposed, 6 * 1000 + 10 * 100 + 3 * 10 + 5},
                                          {"pool", pooled, 3345},
                                          {"resize", resized, 22.5},
                                          {"batch_norm", normed, 2129},
                                          {"layer_norm", layer_normed, 103},
                                          {"standardise", standardised, 4},
                                          {"attention", attended, 7},
                                          {"dropout", dropped, 4}};

/* built: with the student's logits, so that the loss has a gradient. */
static struct retort_node *built(const struct retort_method_site *site)
{
    const struct builder *builder = site->user;
    return retort_op_add(builder->build(site), retort_op_scale(retort_op_mean_all(site->student[0]), 0));
}

static void test_builders_give_what_they_give_by_hand(void **state)
{
    (void)state;
    double s[B * K], t[B * K];
    arrays_put(s, t);
    for (size_t i = 0; i < sizeof builders / sizeof *builders; i++) {
        struct builder builder = builders[i];
        struct retort_context *context = context_with_build(built, &builder);
        struct retort_result *result = NULL;
        struct retort_loss_params params = loss_params("built");
        enum retort_status status = retort_loss(context, &params, &result);
        double found = status == RETORT_OK ? retort_value_number(retort_value_get(retort_result_root(result), "loss"))
                                           : (double)NAN;
        if (!(fabs(found - builder.expected) < 1e-8 * (1 + fabs(builder.expected))))
            fail_msg("%s: expected %.9g, found %.9g; %s", builder.name, builder.expected, found, retort_error(context));
        retort_result_free(result);
        retort_context_free(context);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_builders_give_what_they_give_by_hand)};
    return cmocka_run_group_tests_name("api nodes", tests, NULL, NULL);
}
