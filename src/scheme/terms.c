/* terms.c: see terms.h. */
#include "scheme/terms.h"

#include <string.h>

const void *method_bound(struct context *ctx, struct arena *arena, const struct method *method,
                         const struct value *options)
{
    const struct option_set set = {method->options, method->n_options};
    void *bound = arena_take(arena, 1, method->options_size ? method->options_size : 1);
    const char *what = arena_format(arena, "method %s", method->name);
    return bound && what && options_bind(ctx, arena, set, options, what, bound) == STATUS_OK ? bound : NULL;
}

enum status method_term(struct context *ctx, struct arena *arena, const char *method, const struct value *options,
                        struct term *term)
{
    *term = (struct term){
        .name = method, .method = method_find(ctx, method, NULL), .teacher = -1, .weight = real_constant(1)};
    term->options = term->method ? method_bound(ctx, arena, term->method, options) : NULL;
    return term->options ? STATUS_OK : ctx->error.status;
}

enum status labels_smoothed(struct context *ctx, struct arena *arena, double smoothing, struct term *labels)
{
    struct value *options = value_set(arena, value_map(arena), "smoothing", value_real(arena, smoothing));
    return options ? method_term(ctx, arena, "labels", options, labels) : ctx->error.status;
}

enum status labels_term(struct context *ctx, struct arena *arena, const struct term *terms, int count,
                        struct term *labels)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(terms[i].method->name, "labels") != 0)
            continue;
        *labels = terms[i];
        labels->weight = real_constant(1);
        labels->share = 0;
        return STATUS_OK;
    }
    return labels_smoothed(ctx, arena, 0, labels);
}

struct value *losses_add(struct arena *arena, struct value *list, const char *method, double weight, const char *option,
                         double number)
{
    struct value *item = value_set(arena, value_map(arena), "method", value_text(arena, method));
    item = value_set(arena, item, "weight", value_real(arena, weight));
    if (option)
        item = value_set(arena, item, option, value_real(arena, number));
    return value_append(arena, list, item);
}

struct value *losses_mixture(struct arena *arena, double labels, double kd, double temperature)
{
    struct value *list = losses_add(arena, value_list(arena), "labels", labels, NULL, 0);
    return losses_add(arena, list, "kd", kd, "temperature", temperature);
}
