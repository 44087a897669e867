/* nn/zoo/mlp.c: flatten, then for each width linear, ReLU and dropout, then linear to the classes. */
#include "nn/zoo/list.h"

struct mlp_options {
    struct option_integers widths;
    double dropout;
};

#define OPTION(field) .name = #field, .offset = offsetof(struct mlp_options, field)
static const struct option_spec mlp_specs[] = {
    {OPTION(widths), .type = OPTION_INTEGERS, .initial = "[128]", .min = 1, .max = INT32_MAX,
     .help = "lengths of the hidden layers"},
    {OPTION(dropout), .type = OPTION_REAL, .initial = "0", .min = 0, .max = 1, .flags = OPTION_BELOW_MAX,
     .help = "rate behind each hidden layer"},
};

static struct value *mlp_layers(struct context *ctx, struct arena *arena, const struct network_input *input,
                                const void *options)
{
    (void)ctx;
    const struct mlp_options *o = options;
    struct value *list = list_add(arena, value_list(arena), "flatten", NULL, NULL);
    for (size_t i = 0; i < o->widths.count; i++) {
        list = list_add(arena, list, "linear", NULL, list_integer(arena, value_map(arena), "out", o->widths.values[i]));
        list = list_add(arena, list, "relu", NULL, NULL);
        list = list_rate(arena, list, "dropout", o->dropout);
    }
    return zoo_classifier(arena, list, 0, input->classes);
}

const struct zoo_entry zoo_mlp = {
    .name = "mlp",
    .summary = "fully connected layers with ReLU between them",
    .options = mlp_specs,
    .n_options = sizeof(mlp_specs) / sizeof(mlp_specs[0]),
    .options_size = sizeof(struct mlp_options),
    .layers = mlp_layers,
};
