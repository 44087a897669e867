/* method.c: a method of one's own, used in a recipe like any other.
 *
 *     loss = 1/(B D)  sum_bd  |r(f_s)_bd - f_t_bd|^p        r: a learnt linear map from the student's features
 *
 * f_s [B,d], f_t [B,D]: embeddings of student and teacher. A method adds nodes to a graph; gradients follow.
 *
 *     cc method.c $(pkg-config --cflags --libs retort) -lm -o method && ./method recipe.yaml [FOLDER] */
#include <retort.h>

#include <math.h>

struct imitate_options {
    struct retort_scheduled scale;
    int distance;
};

static const char *const distances[] = {"square", "absolute", NULL};

static const struct retort_option imitate_options[] = {
    {.name = "scale",
     .type = RETORT_OPTION_SCHEDULED,
     .offset = offsetof(struct imitate_options, scale),
     .initial = "1",
     .min = 0,
     .max = 1000,
     .help = "factor of the student's features; may change during a stage"},
    {.name = "distance",
     .type = RETORT_OPTION_CHOICE,
     .offset = offsetof(struct imitate_options, distance),
     .initial = "square",
     .choices = distances,
     .help = "of each element"},
};

static const struct retort_method_input imitate_inputs[] = {
    {"features", RETORT_EMBEDDING, RETORT_STUDENT, 1, 1},
    {"features", RETORT_EMBEDDING, RETORT_TEACHER, 1, 1},
};

static struct retort_node *imitate_build(const struct retort_method_site *site)
{
    const struct imitate_options *options = site->options;
    struct retort_node *student = retort_op_flatten(site->student[0]), *teacher = retort_op_flatten(site->teacher[0]);
    int64_t from = retort_node_shape(student).size[1], to = retort_node_shape(teacher).size[1];
    /* Learnt with the student; trains beside it and is in no model. */
    struct retort_node *weight = retort_parameter(site->own, "weight", (struct retort_shape){2, {to, from}},
                                                  RETORT_INIT_UNIFORM, sqrt(1.0 / (double)from));
    struct retort_node *scaled = retort_op_mul(student, retort_op_scheduled(site->graph, &options->scale));
    struct retort_node *difference = retort_op_sub(retort_op_linear(scaled, weight), teacher);
    return retort_op_mean_all(options->distance == 0 ? retort_op_square(difference) : retort_op_abs(difference));
}

static const struct retort_method imitate = {
    .name = "imitate",
    .summary = "the student's features, mapped linearly, approach the teacher's",
    .formula = "loss = 1/(B D) sum_bd |r(f_s)_bd - f_t_bd|^p, p = 2 (square) or 1 (absolute); r: learnt, linear",
    .paper = "after Romero 2014, arXiv 1412.6550",
    .family = RETORT_FEATURE,
    .inputs = imitate_inputs,
    .input_count = 2,
    .options = imitate_options,
    .option_count = 2,
    .options_size = sizeof(struct imitate_options),
    .build = imitate_build,
};

int main(int count, char **words)
{
    struct retort_context *context = retort_context_new();
    struct retort_distill_params params = retort_distill_defaults();
    struct retort_help_params help = {"method", "imitate"};
    struct retort_result *result = NULL;
    if (context == NULL)
        return 1;
    enum retort_status status = retort_register_method(context, &imitate);
    if (status == RETORT_OK && count < 2) {
        status = retort_help(context, &help, &result); /* with a recipe that runs */
    } else if (status == RETORT_OK) {
        params.recipe = words[1]; /* losses: [{method: imitate, student: [LAYER], teacher: [LAYER]}] */
        params.folder = count > 2 ? words[2] : NULL;
        status = retort_distill(context, &params, &result);
    }
    if (status != RETORT_OK)
        fprintf(stderr, "%s\n", retort_error(context));
    else
        retort_result_write(result, RETORT_TEXT_FORMAT, stdout);
    retort_result_free(result);
    retort_context_free(context);
    return status == RETORT_OK ? 0 : 1;
}
