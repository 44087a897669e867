/* stage_graph.c: builds a stage's graph. */
#include "train/stage_taps.h"

#include "base/arena.h"

#include <string.h>

struct store_owner {
    struct stage_graph *built;
    struct term_own *own;
};

static struct store *term_store(void *user, const char *name, int64_t rows, struct shape row)
{
    struct store_owner *owner = user;
    struct term_own *own = owner->own;
    for (int i = 0; i < own->n_stores; i++)
        if (strcmp(own->store_names[i], name) == 0)
            return own->stores[i];
    if (own->n_stores == (int)(sizeof own->stores / sizeof *own->stores)) {
        fail(owner->built->ctx, STATUS_UNSUPPORTED, "a term can keep at most %d stores", own->n_stores);
        return NULL;
    }
    struct store *store = store_new(owner->built->ctx, name, owner->built->precision, rows, row);
    if (!store)
        return NULL;
    own->store_names[own->n_stores] = name;
    own->stores[own->n_stores++] = store;
    return store;
}

/* term_fail: the method's message, with the place of its term in front. */
static enum status term_fail(struct context *ctx, const struct term *term)
{
    struct error error = ctx->error;
    if (!term->at || error.status == STATUS_NO_MEMORY)
        return error.status;
    error_clear(ctx);
    return value_fail(ctx, term->at, error.status, "%s", error.message);
}

/* mixed_check: what a term can do with labels that are mixed; `labelled`: all samples that come have one. */
static enum status mixed_check(struct context *ctx, const struct term *term, const struct split *split, bool labelled)
{
    if (!(term->method->wants & METHOD_WANTS_LABELS))
        return STATUS_OK;
    if (!(term->method->wants & METHOD_TAKES_TARGETS))
        return value_fail(ctx, term->at, STATUS_BAD_INPUT,
                          "term %s: method %s wants the label of each sample, and data.augment.mixup mixes them; leave "
                          "one of the two out",
                          term->name, term->method->name);
    if (split->labelled < split->count && !labelled)
        return value_fail(ctx, term->at, STATUS_BAD_INPUT,
                          "term %s: data.augment.mixup needs the label of every training sample, found %lld of %lld; "
                          "leave one of the two out",
                          term->name, (long long)split->labelled, (long long)split->count);
    return STATUS_OK;
}

static enum status term_build(struct stage_graph *built, const struct stage_graph_spec *spec, int index)
{
    struct context *ctx = built->ctx;
    const struct term *term = &spec->stage->terms[index];
    struct term_taps *taps = &built->taps[index];
    struct term_own *own = &built->own[index];
    if (spec->mixed)
        RETURN_IF(mixed_check(ctx, term, spec->split, spec->stage->sampler == SAMPLER_LABELLED));
    own->parameters = parameters_new(ctx, spec->precision, spec->stage->seed);
    if (!own->parameters)
        return ctx->error.status;
    struct store_owner owner = {built, own};
    const enum rows rows = term->rows != ROWS_ALL ? term->rows : spec->stage->learners[term->student].rows;
    struct node *labels = rows_of(built, built->graph->inputs[STAGE_INPUT_LABELS], rows);
    struct method_site site = {.student = taps->taps[SIDE_STUDENT],
                               .teacher = taps->taps[SIDE_TEACHER],
                               .labels = spec->split->labelled && !spec->mixed ? labels : NULL,
                               .targets = spec->mixed ? built->graph->inputs[STAGE_INPUT_TARGETS] : NULL,
                               .sample = rows_of(built, built->graph->inputs[STAGE_INPUT_SAMPLES], rows),
                               .samples = spec->split->count,
                               .sample_labels = spec->split->labels,
                               .classes = spec->stage->learners[term->student].network->input.classes,
                               .own = own->parameters,
                               .store = term_store,
                               .store_user = &owner,
                               .term = term->name};
    for (int side = 0; side < 2; side++) {
        taps->count[side] = taps_of(built, spec, term, (enum side)side, taps->taps[side]);
        if (taps->count[side] < 0)
            return ctx->error.status;
    }
    site.n_student = taps->count[SIDE_STUDENT];
    site.n_teacher = taps->count[SIDE_TEACHER];
    graph_label(built->graph, term->name);
    built->graph->prefix = NULL;
    built->term_values[index] = method_build(built->graph, term->method, &site, term->options);
    graph_label(built->graph, NULL);
    return built->term_values[index] ? STATUS_OK : term_fail(ctx, term);
}

bool stage_reaches(const struct stage_graph *built, int term, int learner)
{
    const struct learner *who = &built->stage->learners[learner];
    return who->learns && graph_reaches(built->graph, built->term_values[term], who->network->parameters);
}

bool stage_term_learns(const struct stage_graph *built, int term)
{
    return graph_reaches(built->graph, built->term_values[term], built->own[term].parameters);
}

/* learner_check: who learns has something to learn from. */
static enum status learner_check(const struct stage_graph *built, int index)
{
    const struct learner *learner = &built->stage->learners[index];
    if (!learner->learns || graph_reaches(built->graph, built->loss, learner->network->parameters) ||
        built->ctx->error.status != STATUS_OK)
        return built->ctx->error.status;
    return fail(built->ctx, STATUS_BAD_INPUT,
                "stage %s: no loss reaches a parameter of %s; add a term that it is the student of", built->stage->name,
                learner->name);
}

/* term_check: a term from which nobody learns is a mistake. */
static enum status term_check(const struct stage_graph *built, int index)
{
    const struct term *term = &built->stage->terms[index];
    bool learnt = stage_term_learns(built, index);
    for (int i = 0; i < built->stage->n_learners && !learnt; i++)
        learnt = stage_reaches(built, index, i);
    if (learnt || built->ctx->error.status != STATUS_OK)
        return built->ctx->error.status;
    return value_fail(
        built->ctx, term->at, STATUS_BAD_INPUT,
        "term %s: its gradient reaches no parameter that learns; name a layer of the %s behind one that does",
        term->name, built->stage->learners[term->student].name);
}

static const char found_weight[] = "weight"; /* of a term, among its own states */

static struct node *weight_node(struct stage_graph *built, int index)
{
    const struct term *term = &built->stage->terms[index];
    struct node *weight = term->share <= 0 ? graph_real(built->graph, &term->weight)
                                           : graph_state(built->graph, built->own[index].parameters, found_weight,
                                                         SHAPE_SCALAR, (struct init){INIT_CONSTANT, 1});
    return term->factor ? graph_mul(built->graph, weight, graph_real(built->graph, term->factor)) : weight;
}

double stage_weight(const struct term *term, struct moment at)
{
    return real_at(&term->weight, at) * (term->factor ? real_at(term->factor, at) : 1);
}

double stage_weight_found(const struct stage_graph *built, int term)
{
    double weight = 1;
    const struct parameters *own = built->own[term].parameters;
    parameters_get(own, parameters_find(own, found_weight), &weight);
    return weight;
}

void stage_weight_set(const struct stage_graph *built, int term, double weight)
{
    struct parameters *own = built->own[term].parameters;
    parameters_set(own, parameters_find(own, found_weight), &weight);
    parameters_touch(own);
}

/* loss_sum: sum of weight * value over the terms. */
static struct node *loss_sum(struct stage_graph *built)
{
    struct node *sum = NULL;
    graph_label(built->graph, "loss");
    for (int i = 0; i < built->stage->n_terms; i++) {
        struct node *weighted = graph_mul(built->graph, built->term_values[i], weight_node(built, i));
        sum = sum ? graph_add(built->graph, sum, weighted) : weighted;
    }
    graph_label(built->graph, NULL);
    return sum;
}

/* block_build: a block of the learner's network, on what it is given. */
static enum status block_build(struct stage_graph *built, const struct stage_graph_spec *spec, int index,
                               struct instance_mode mode)
{
    const struct learner *learner = &spec->stage->learners[index];
    const struct network *network = learner->network;
    const struct learner_block *place = learner->block;
    struct graph *graph = built->graph;
    struct instance_block block = {.from = place->from ? network_layer(network, place->from, NULL) : -1,
                                   .to = place->to ? network_layer(network, place->to, NULL) : network->logits};
    if (place->from)
        block.given = graph_stop_gradient(graph, output_of(built, spec, place->teacher, place->given));
    RETURN_IF(built->ctx->error.status);
    return network_instantiate_block(graph, network, graph->inputs[STAGE_INPUT_IMAGES], &block, mode,
                                     &built->instances[index]);
}

/* stands_in: is it another instance of a network that learns? Its running statistics are then the other's affair. */
static bool stands_in(const struct stage *stage, int index)
{
    bool other = false;
    for (int i = 0; i < stage->n_learners; i++)
        other = other || (i != index && stage->learners[i].learns &&
                          stage->learners[i].network == stage->learners[index].network);
    return other && !stage->learners[index].learns;
}

/* learner_build: its network, where it must be in the graph. */
static enum status learner_build(struct stage_graph *built, const struct stage_graph_spec *spec, int index)
{
    const struct learner *learner = &spec->stage->learners[index];
    const struct instance_mode mode = {.training = learner->training, .frozen = !learner->learns};
    if (!instance_needed(built->ctx, spec, index))
        return built->ctx->error.status;
    if (learner->block)
        return block_build(built, spec, index, mode);
    const int updates = built->graph->n_updates;
    struct node *images = rows_of(built, built->graph->inputs[STAGE_INPUT_IMAGES], learner->rows);
    RETURN_IF(network_instantiate(built->graph, learner->network, images, mode, &built->instances[index]));
    if (stands_in(spec->stage, index))
        built->graph->n_updates = updates;
    return STATUS_OK;
}

/* memory_make: what a learner that is a memory keeps. */
static enum status memory_make(struct stage_graph *built, const struct stage_graph_spec *spec, int index)
{
    const struct learner *learner = &spec->stage->learners[index];
    if (!learner->memory)
        return STATUS_OK;
    if (spec->mixed)
        return fail(built->ctx, STATUS_BAD_INPUT,
                    "stage %s: %s remembers what was said of a sample, and data.augment.mixup mixes them; leave one of "
                    "the two out",
                    spec->stage->name, learner->name);
    const int64_t classes = spec->stage->learners[learner->memory->of].network->input.classes;
    built->memories[index] = store_new(built->ctx, learner->name, built->precision, spec->split->count, SHAPE(classes));
    return graph_store_update(built->graph, built->memories[index], built->graph->inputs[STAGE_INPUT_SAMPLES],
                              built->instances[learner->memory->of].logits);
}

static const char member_weights[] = "weights"; /* of an ensemble, among its states */

/* weights_make: of an ensemble whose members' weights change: even ones at first. */
static enum status weights_make(struct stage_graph *built, const struct stage_graph_spec *spec, int index)
{
    const struct learner *learner = &spec->stage->learners[index];
    if (!learner->weighed)
        return STATUS_OK;
    built->weights[index] = parameters_new(built->ctx, spec->precision, spec->stage->seed);
    return built->weights[index] && stage_weights_node(built, index) ? STATUS_OK : built->ctx->error.status;
}

struct node *stage_weights_node(struct stage_graph *built, int learner)
{
    const int n = built->stage->learners[learner].ensemble->n_members;
    return graph_state(built->graph, built->weights[learner], member_weights, SHAPE(n),
                       (struct init){INIT_CONSTANT, 1.0 / n});
}

void stage_weights_set(const struct stage_graph *built, int learner, const double *weights)
{
    struct parameters *own = built->weights[learner];
    parameters_set(own, parameters_find(own, member_weights), weights);
    parameters_touch(own);
}

static enum status stage_build(struct stage_graph *built, const struct stage_graph_spec *spec)
{
    struct context *ctx = built->ctx;
    const struct stage *stage = spec->stage;
    const struct split *split = spec->split;
    struct graph *graph = built->graph;
    if (spec->mixed && stage_halves(stage))
        return fail(
            ctx, STATUS_BAD_INPUT,
            "stage %s: the halves of a batch belong together, and data.augment.mixup mixes its samples; leave one "
            "of the two out",
            stage->name);
    const int64_t batch = stage_halves(stage) ? stage->budget.batch : SHAPE_BATCH; /* halves have a number of rows */
    struct shape rows = SHAPE(batch);
    struct node *images =
        graph_input(graph, "images", spec->images, SHAPE(batch, split->height, split->width, split->channels));
    if (!images || !graph_input(graph, "labels", ELEMENT_I32, rows) ||
        !graph_input(graph, "samples", ELEMENT_I32, rows) || !graph_input(graph, "rows", ELEMENT_I32, rows))
        return ctx->error.status;
    if (spec->mixed && stage->n_learners > 0 &&
        !graph_input(graph, "targets", ELEMENT_REAL, SHAPE(batch, stage->learners[0].network->input.classes)))
        return ctx->error.status;
    for (int blocks = 0; blocks < 2; blocks++) /* what a block is given is there before it */
        for (int i = 0; i < stage->n_learners; i++)
            if ((stage->learners[i].block != NULL) == blocks)
                RETURN_IF(learner_build(built, spec, i));
    for (int i = 0; i < stage->n_learners; i++) {
        RETURN_IF(memory_make(built, spec, i));
        RETURN_IF(weights_make(built, spec, i));
    }
    for (int i = 0; i < stage->n_terms; i++)
        RETURN_IF(term_build(built, spec, i));
    if (stage->n_terms == 0)
        return fail(ctx, STATUS_BAD_INPUT, "stage %s has no loss; add one to losses", stage->name);
    built->loss = loss_sum(built);
    if (!built->loss)
        return ctx->error.status;
    for (int i = 0; i < stage->n_learners; i++)
        RETURN_IF(learner_check(built, i));
    for (int i = 0; i < stage->n_terms; i++)
        RETURN_IF(term_check(built, i));
    return STATUS_OK;
}

struct stage_graph *stage_graph_new(struct context *ctx, const struct stage_graph_spec *spec)
{
    struct stage_graph *built = memory_new(ctx, 1, sizeof *built);
    if (!built)
        return NULL;
    built->ctx = ctx;
    built->stage = spec->stage;
    built->precision = spec->precision;
    built->graph = graph_new(ctx);
    built->instances = memory_new(ctx, (size_t)spec->stage->n_learners, sizeof *built->instances);
    built->term_values = memory_new(ctx, (size_t)spec->stage->n_terms, sizeof(struct node *));
    built->own = memory_new(ctx, (size_t)spec->stage->n_terms, sizeof *built->own);
    built->taps = memory_new(ctx, (size_t)spec->stage->n_terms, sizeof *built->taps);
    built->memories = memory_new(ctx, (size_t)spec->stage->n_learners, sizeof(struct store *));
    built->weights = memory_new(ctx, (size_t)spec->stage->n_learners, sizeof(struct parameters *));
    if (!built->memories || !built->weights || !built->graph || !built->instances || !built->term_values ||
        !built->own || !built->taps || stage_build(built, spec) != STATUS_OK) {
        stage_graph_free(built);
        return NULL;
    }
    return built;
}

void stage_graph_free(struct stage_graph *built)
{
    if (!built)
        return;
    for (int i = 0; built->own && i < built->stage->n_terms; i++) {
        parameters_free(built->own[i].parameters);
        for (int j = 0; j < built->own[i].n_stores; j++)
            store_free(built->own[i].stores[j]);
    }
    for (int i = 0; built->memories && i < built->stage->n_learners; i++)
        store_free(built->memories[i]);
    for (int i = 0; built->weights && i < built->stage->n_learners; i++)
        parameters_free(built->weights[i]);
    graph_free(built->graph);
    memory_free(built->ctx, built->memories);
    memory_free(built->ctx, built->weights);
    memory_free(built->ctx, built->instances);
    memory_free(built->ctx, built->term_values);
    memory_free(built->ctx, built->own);
    memory_free(built->ctx, built->taps);
    memory_free(built->ctx, built);
}
