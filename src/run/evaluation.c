/* evaluation.c: loads models one after another and combines their logits. */
#include "run/evaluation.h"

#include "run/data_argument.h"
#include "scheme/combine.h"
#include "train/evaluate.h"
#include "train/model.h"

#include <string.h>

/* What the models have in common while they are gone through. */
struct members {
    struct context *ctx;
    struct arena *arena;
    const struct run_evaluation *asked;
    bool exits; /* wanted */
    struct kernel_context *kernels;
    struct program_memory *memory;
    struct evaluation *evaluation;
    double *own; /* [N,K]: logits of one member; NULL where there is only one */
    struct member *items;
    struct ensemble ensemble; /* of the items, all alike */
};

static enum status input_check(struct context *ctx, const char *path, const struct network *network,
                               const struct run_evaluation *asked, const struct data *data)
{
    const struct network_input *input = &network->input;
    if (input->channels == data->channels && input->height == data->height && input->width == data->width)
        return data_check_classes(ctx, data, input->classes);
    return fail(ctx, STATUS_BAD_SHAPE,
                "%s reads images [%d,%d,%d], but data %s has [%lld,%lld,%lld] (channels, height, width)", path,
                input->channels, input->height, input->width, asked->data, (long long)data->channels,
                (long long)data->height, (long long)data->width);
}

static enum status logits_reserve(struct members *members)
{
    struct evaluation *evaluation = members->evaluation;
    size_t count = (size_t)evaluation->split->count * (size_t)evaluation->classes;
    evaluation->logits = memory_new(members->ctx, count, sizeof *evaluation->logits);
    if (members->asked->n_models > 1)
        members->own = memory_new(members->ctx, count, sizeof *members->own);
    members->items = memory_new(members->ctx, (size_t)members->asked->n_models, sizeof *members->items);
    bool made = evaluation->logits != NULL && (members->asked->n_models == 1 || members->own != NULL);
    if (!made || members->items == NULL)
        return members->ctx->error.status;
    for (int i = 0; i < members->asked->n_models; i++)
        members->items[i] = (struct member){.weight = 1, .outputs = (int)evaluation->classes};
    members->ensemble = (struct ensemble){members->asked->mean_logit ? COMBINE_MEAN_LOGIT : COMBINE_MEAN_PROBABILITY,
                                          (int)evaluation->classes, members->asked->n_models, members->items};
    return STATUS_OK;
}

/* early_exit_check: of what can be known before a model is read. */
static enum status early_exit_check(struct context *ctx, const struct run_evaluation *asked)
{
    if (!asked->early_exit)
        return STATUS_OK;
    if (!(asked->threshold >= 0 && asked->threshold <= 1))
        return fail(ctx, STATUS_BAD_INPUT, "threshold: expected a probability in [0,1], found %g", asked->threshold);
    if (asked->n_models > 1)
        return fail(ctx, STATUS_BAD_INPUT, "a threshold is for the exits of one model, found an ensemble of %d",
                    asked->n_models);
    return STATUS_OK;
}

/* exits_evaluate: *done: the one model has exits, and all of them, and the logits, are computed. */
static enum status exits_evaluate(struct members *members, const char *path, const struct network *network, bool *done)
{
    struct context *ctx = members->ctx;
    struct evaluation *evaluation = members->evaluation;
    struct network_exits exits;
    *done = false;
    RETURN_IF(network_exits_find(network, members->arena, &exits));
    if (exits.count == 1)
        return !members->asked->early_exit
                   ? STATUS_OK
                   : fail(ctx, STATUS_BAD_INPUT,
                          "a threshold needs a model with exits: %s has no output whose name begins with \"exit\" and "
                          "that gives a logit for each class",
                          path);
    const int64_t values = evaluation->split->count * evaluation->classes;
    evaluation->exits = exits;
    evaluation->exit_logits = memory_new(ctx, (size_t)(exits.count * values), sizeof *evaluation->exit_logits);
    if (evaluation->exit_logits == NULL)
        return ctx->error.status;
    RETURN_IF(evaluate_layers(ctx, network, exits.layers, exits.count, evaluation->split, ELEMENT_F32, members->kernels,
                              members->memory, evaluation->exit_logits));
    const struct exit_logits of = evaluation_exits(evaluation);
    exits_rows(&of, members->asked->early_exit ? members->asked->threshold : 1, evaluation->logits);
    *done = true;
    return STATUS_OK;
}

static enum status member_evaluate(struct members *members, int index)
{
    enum status status = STATUS_OK;
    struct context *ctx = members->ctx;
    struct evaluation *evaluation = members->evaluation;
    const char *path = members->asked->models[index];
    struct network *network = NULL;
    struct metrics unused;
    bool done = false;
    TRY(model_load(ctx, path, ELEMENT_F32, &network));
    TRY(input_check(ctx, path, network, members->asked, evaluation->data));
    if (index == 0) {
        evaluation->classes = network->input.classes;
        TRY(logits_reserve(members));
    } else if (network->input.classes != evaluation->classes) {
        TRY(fail(ctx, STATUS_BAD_SHAPE, "%s has %d classes, but %s has %lld: an ensemble's members must agree", path,
                 network->input.classes, members->asked->models[0], (long long)evaluation->classes));
    }
    if (members->exits)
        TRY(exits_evaluate(members, path, network, &done));
    if (!done)
        TRY(evaluate(ctx, network, evaluation->split, ELEMENT_F32, members->kernels, members->memory,
                     members->own != NULL ? members->own : evaluation->logits, &unused));
    if (members->own != NULL)
        TRY(combine_rows_add(ctx, &members->ensemble, index, members->own, evaluation->split->count,
                             evaluation->logits));
cleanup:
    network_free(network);
    return status;
}

enum status evaluation_make(struct context *ctx, struct arena *arena, const struct run_evaluation *asked, unsigned what,
                            struct evaluation *out)
{
    enum status status = STATUS_OK;
    struct members members = {.ctx = ctx, .arena = arena, .asked = asked, .evaluation = out};
    members.exits = (what & EVALUATION_EXITS) != 0 && asked->n_models == 1;
    memset(out, 0, sizeof *out);
    if (asked->n_models < 1)
        return fail(ctx, STATUS_BAD_INPUT, "no model; expected at least one file");
    if (asked->split != NULL && split_find(asked->split) < 0)
        return fail(ctx, STATUS_BAD_INPUT, "no split \"%s\": expected train, validation or test", asked->split);
    RETURN_IF(early_exit_check(ctx, asked));
    TRY(data_argument_open(ctx, arena, asked->data, &out->data));
    out->split = &out->training;
    if (asked->split != NULL)
        TRY(data_argument_split(ctx, out->data, asked->split, (what & EVALUATION_LABELS) != 0, &out->split));
    else
        TRY(data_training(ctx, out->data, &out->training));
    members.kernels = kernel_context_new(ctx, ctx->threads);
    members.memory = program_memory_new(ctx);
    if (members.kernels == NULL || members.memory == NULL)
        TRY(ctx->error.status);
    for (int i = 0; i < asked->n_models; i++)
        TRY(member_evaluate(&members, i));
    if (asked->n_models > 1)
        combine_rows_finish(&members.ensemble, out->split->count, out->logits);
cleanup:
    memory_free(ctx, members.own);
    memory_free(ctx, members.items);
    program_memory_free(members.memory);
    kernel_context_free(members.kernels);
    return status;
}

void evaluation_free(struct context *ctx, struct evaluation *evaluation)
{
    memory_free(ctx, evaluation->logits);
    memory_free(ctx, evaluation->exit_logits);
    data_free(ctx, evaluation->data);
}

struct exit_logits evaluation_exits(const struct evaluation *evaluation)
{
    return (struct exit_logits){.exits = &evaluation->exits,
                                .samples = evaluation->split->count,
                                .classes = evaluation->classes,
                                .logits = evaluation->exit_logits,
                                .labels = evaluation->split->labels};
}

struct value *evaluation_value(struct arena *arena, const struct run_evaluation *asked)
{
    const char *models = asked->models[0];
    for (int i = 1; i < asked->n_models && models != NULL; i++)
        models = arena_format(arena, "%s,%s", models, asked->models[i]);
    struct value *map = value_set(arena, value_map(arena), "model", models != NULL ? value_text(arena, models) : NULL);
    map = value_set(arena, map, "data", value_text(arena, asked->data));
    return asked->split != NULL ? value_set(arena, map, "split", value_text(arena, asked->split)) : map;
}
