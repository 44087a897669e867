/* stage_taps.c: see stage_taps.h. */
#include "train/stage_taps.h"

#include "base/arena.h"
#include "nn/layer.h"

#include <string.h>

enum { TAPS_MAX = METHOD_TAPS };

static const char logits_name[] = "logits"; /* the layer of those who are no network */

/* inputs_side: how many taps the method takes on one side, and whether they are all logits. */
static void inputs_side(const struct method *method, enum side side, int *min, bool *logits)
{
    *min = 0;
    *logits = true;
    for (int i = 0; i < method->n_inputs; i++) {
        if (method->inputs[i].side != side)
            continue;
        *min += method->inputs[i].min;
        *logits = *logits && method->inputs[i].role == ROLE_LOGITS;
    }
}

/* tap_at: where the recipe names the i-th layer of a side; or the term, or NULL. */
static const struct value *tap_at(const struct term *term, const char *word, int i)
{
    const struct value *list = value_get(term->at, word);
    if (list && list->kind == VALUE_LIST)
        return (size_t)i < list->count ? list->items[i] : list;
    return list ? list : term->at;
}

static int side_learner(const struct term *term, enum side side)
{
    return side == SIDE_STUDENT ? term->student : term->teacher;
}

static const char *side_word(enum side side)
{
    return side == SIDE_STUDENT ? "student" : "teacher";
}

/* layers_unnamed: the method reads layers, and the term names none. */
static void layers_unnamed(struct context *ctx, const struct stage *stage, const struct term *term, enum side side)
{
    const char *word = side_word(side);
    const struct learner *learner = &stage->learners[side_learner(term, side)];
    if (side == SIDE_STUDENT && term->teacher >= 0 && !stage->learners[term->teacher].network &&
        method_reads_layers(term->method, SIDE_TEACHER))
        layers_unnamed(ctx, stage, term, SIDE_TEACHER); /* what is in the way */
    else if (learner->network)
        value_fail(ctx, term->at, STATUS_BAD_INPUT,
                   "term %s: method %s reads layers of the %s; name them, e.g. %s: [%s]", term->name,
                   term->method->name, word, word, learner->network->layers[0].name);
    else
        value_fail(ctx, term->at, STATUS_BAD_INPUT,
                   "term %s: method %s reads layers of the %s, and %s is no network; use a method of logits, or say "
                   "from: N for a teacher that is one",
                   term->name, term->method->name, word, learner->name);
}

/* combined_or_past: is it one that has logits alone? */
static bool combined_or_past(const struct learner *learner)
{
    return learner->ensemble || learner->memory;
}

/* tap_layers: the names of the layers that a term reads on one side; the logits where none are named and the method takes logits.
 * Returns how many, -1: error recorded. */
static int tap_layers(struct context *ctx, const struct stage *stage, const struct term *term, enum side side,
                      const char **layers)
{
    int min;
    bool logits;
    const int learner = side_learner(term, side);
    const int n = side == SIDE_STUDENT ? term->n_student_taps : term->n_teacher_taps;
    const char *const *names = side == SIDE_STUDENT ? term->student_taps : term->teacher_taps;
    inputs_side(term->method, side, &min, &logits);
    if (min == 0 && n == 0)
        return 0;
    if (learner < 0) {
        value_fail(ctx, term->at, STATUS_BAD_INPUT,
                   "term %s: method %s needs a teacher, and stage %s has none; add a teacher: section", term->name,
                   term->method->name, stage->name);
        return -1;
    }
    const struct network *network = stage->learners[learner].network;
    if (n == 0 && logits) {
        layers[0] = network ? network->layers[network->logits].name : logits_name;
        return 1;
    }
    if (n == 0) {
        layers_unnamed(ctx, stage, term, side);
        return -1;
    }
    if (n > TAPS_MAX) {
        value_fail(ctx, tap_at(term, side_word(side), TAPS_MAX), STATUS_BAD_INPUT,
                   "term %s: at most %d layers can be named, found %d", term->name, TAPS_MAX, n);
        return -1;
    }
    for (int i = 0; i < n; i++) {
        layers[i] = names[i];
        if (combined_or_past(&stage->learners[learner]) && strcmp(names[i], logits_name) != 0) {
            value_fail(ctx, tap_at(term, side_word(side), i), STATUS_BAD_INPUT,
                       "term %s: %s is no network and has no layer \"%s\"; use a method of logits", term->name,
                       stage->learners[learner].name, names[i]);
            return -1;
        }
        if (network && network_layer(network, names[i], tap_at(term, side_word(side), i)) < 0)
            return -1;
    }
    return n;
}

static void layer_note(const struct network *network, const char *name, int *layers, int *count, int limit)
{
    const int layer = network_layer(network, name, NULL);
    bool known = false;
    for (int i = 0; i < *count; i++)
        known = known || layers[i] == layer;
    if (!known && *count < limit)
        layers[(*count)++] = layer;
}

static bool is_member(const struct ensemble *ensemble, int learner)
{
    for (int i = 0; ensemble && i < ensemble->n_members; i++)
        if (ensemble->members[i].learner == learner)
            return true;
    return false;
}

/* given_note: the layers of this learner that blocks of others begin with. */
static void given_note(const struct stage *stage, int learner, int *layers, int *count, int limit)
{
    for (int i = 0; i < stage->n_learners; i++) {
        const struct learner_block *block = stage->learners[i].block;
        if (block && block->from && block->teacher == learner)
            layer_note(stage->learners[learner].network, block->given, layers, count, limit);
    }
}

int stage_teacher_layers(struct context *ctx, const struct stage *stage, int learner, int *layers, int limit)
{
    int count = 0;
    const struct network *network = stage->learners[learner].network;
    if (network)
        given_note(stage, learner, layers, &count, limit);
    for (int i = 0; network && i < stage->n_terms; i++) {
        const char *names[TAPS_MAX];
        const struct term *term = &stage->terms[i];
        if (term->teacher >= 0 && is_member(stage->learners[term->teacher].ensemble, learner))
            layer_note(network, network->layers[network->logits].name, layers, &count, limit);
        if (term->teacher != learner)
            continue;
        const int n = tap_layers(ctx, stage, term, SIDE_TEACHER, names);
        if (n < 0)
            return -1;
        for (int j = 0; j < n; j++)
            layer_note(network, names[j], layers, &count, limit);
    }
    return count;
}

/* student_read: does a term read layers of this learner as its student's? */
static bool student_read(struct context *ctx, const struct stage *stage, int learner)
{
    const char *layers[TAPS_MAX];
    for (int i = 0; i < stage->n_terms; i++)
        if (stage->terms[i].student == learner && tap_layers(ctx, stage, &stage->terms[i], SIDE_STUDENT, layers) != 0)
            return true;
    return false;
}

static const struct recording *recorded(const struct stage_graph_spec *spec, int learner, const char *layer)
{
    return recording_find(spec->recordings, spec->n_recordings, spec->stage->learners[learner].name, layer);
}

bool instance_needed(struct context *ctx, const struct stage_graph_spec *spec, int learner)
{
    int layers[TAPS_MAX * 4];
    const struct learner *who = &spec->stage->learners[learner];
    if (!who->network)
        return false;
    if (who->learns || student_read(ctx, spec->stage, learner))
        return true;
    const int n = stage_teacher_layers(ctx, spec->stage, learner, layers, TAPS_MAX * 4);
    bool all = n >= 0;
    for (int i = 0; i < n; i++)
        all = all && recorded(spec, learner, who->network->layers[layers[i]].name);
    return !all;
}

/* norm_of: the scale and shift that a teacher's batch norm has, for methods that reckon with them. */
static enum status norm_of(struct graph *graph, const struct network *network, const struct layer *layer,
                           struct tap *tap)
{
    const struct init none = {INIT_ZERO, 0};
    struct node **nodes[] = {&tap->gamma, &tap->beta};
    static const char *const names[] = {"weight", "bias"};
    for (int i = 0; i < 2 && strcmp(layer->type->name, "batch_norm") == 0; i++) {
        const char *name = arena_format(graph->arena, "%s.%s", layer->name, names[i]);
        const int entry = name ? parameters_find(network->parameters, name) : -1;
        if (entry >= 0)
            *nodes[i] = graph_parameter(graph, network->parameters, name, network->parameters->entries[entry].shape,
                                        none, true);
    }
    return graph->ctx->error.status;
}

/* combined: the logits of an ensemble. */
static struct node *combined(struct stage_graph *built, const struct stage_graph_spec *spec, int index)
{
    struct node *logits[ENSEMBLE_MAX];
    const struct ensemble *ensemble = spec->stage->learners[index].ensemble;
    if (ensemble->n_members > ENSEMBLE_MAX) {
        fail(built->ctx, STATUS_UNSUPPORTED, "at most %d teachers can be combined, found %d", ENSEMBLE_MAX,
             ensemble->n_members);
        return NULL;
    }
    for (int i = 0; i < ensemble->n_members; i++) {
        const int learner = ensemble->members[i].learner;
        const struct network *network = spec->stage->learners[learner].network;
        logits[i] = output_of(built, spec, learner, network ? network->layers[network->logits].name : logits_name);
        if (!logits[i])
            return NULL;
    }
    if (ensemble->how == COMBINE_MIN_LOGIT && spec->mixed) {
        fail(built->ctx, STATUS_BAD_INPUT,
             "stage %s: the smallest logits of %s want the label of each sample, and data.augment.mixup mixes them; "
             "leave one of the two out",
             spec->stage->name, spec->stage->learners[index].name);
        return NULL;
    }
    if (ensemble->how == COMBINE_MIN_LOGIT)
        return combine_min_logit(built->graph, ensemble, logits, built->graph->inputs[STAGE_INPUT_LABELS]);
    if (built->weights[index])
        return combine_weighed(built->graph, ensemble, logits, stage_weights_node(built, index));
    return combine_nodes(built->graph, ensemble, logits);
}

#define SURE 1e6 /* a logit beside zeros: the probability is 1 */

/* remembered: what a memory has of the batch's samples. */
static struct node *remembered(struct stage_graph *built, const struct stage_graph_spec *spec, int learner)
{
    struct graph *graph = built->graph;
    const struct memory *memory = spec->stage->learners[learner].memory;
    struct node *samples = graph->inputs[STAGE_INPUT_SAMPLES];
    struct store *store = built->memories[learner];
    struct node *itself = built->instances[memory->of].logits;
    struct node *otherwise =
        memory->missing == MISSING_ITSELF
            ? itself
            : graph_mul(graph, graph_one_hot(graph, graph->inputs[STAGE_INPUT_LABELS], store->row.dim[0]),
                        graph_scalar(graph, SURE));
    struct node *there = graph_reshape(graph, graph_store_valid(graph, store, samples),
                                       SHAPE(samples ? samples->spec.shape.dim[0] : 0, 1));
    return graph_where(graph, there, graph_store_read(graph, store, samples), graph_stop_gradient(graph, otherwise));
}

struct node *rows_of(struct stage_graph *built, struct node *node, enum rows rows)
{
    if (!node || rows == ROWS_ALL)
        return node;
    const int64_t count = node->spec.shape.dim[0];
    return graph_slice(built->graph, node, 0, rows == ROWS_FIRST ? 0 : count / 2,
                       rows == ROWS_FIRST ? count / 2 : count, 1);
}

struct node *output_of(struct stage_graph *built, const struct stage_graph_spec *spec, int learner, const char *layer)
{
    const struct learner *who = &spec->stage->learners[learner];
    const struct recording *recording = recorded(spec, learner, layer);
    if (recording)
        return graph_store_read(built->graph, recording->store,
                                built->graph->inputs[recording->by_sample ? STAGE_INPUT_SAMPLES : STAGE_INPUT_ROWS]);
    if (who->network)
        return built->instances[learner].layers[network_layer(who->network, layer, NULL)];
    if (who->memory && strcmp(layer, logits_name) == 0)
        return remembered(built, spec, learner);
    if (who->ensemble && strcmp(layer, logits_name) == 0)
        return combined(built, spec, learner);
    fail(built->ctx, STATUS_BAD_INPUT, "%s has no outputs \"%s\"", who->name, layer);
    return NULL;
}

/* student_node: a layer of the learner that a term is about; NULL: error recorded. */
static struct node *student_node(struct stage_graph *built, const struct stage_graph_spec *spec,
                                 const struct term *term, const char *layer)
{
    const struct learner *student = &spec->stage->learners[term->student];
    struct node *node = built->instances[term->student].layers[network_layer(student->network, layer, NULL)];
    if (!node)
        value_fail(built->ctx, term->at, STATUS_BAD_INPUT,
                   "term %s: expected a layer of the block of %s that is in stage %s, found %s", term->name,
                   student->name, spec->stage->name, layer);
    return node;
}

int taps_of(struct stage_graph *built, const struct stage_graph_spec *spec, const struct term *term, enum side side,
            struct tap *taps)
{
    const char *layers[TAPS_MAX];
    struct graph *graph = built->graph;
    const int learner = side_learner(term, side);
    const int n = tap_layers(built->ctx, spec->stage, term, side, layers);
    for (int i = 0; i < n; i++) {
        const struct network *network = spec->stage->learners[learner].network;
        struct node *node = side == SIDE_TEACHER ? output_of(built, spec, learner, layers[i])
                                                 : student_node(built, spec, term, layers[i]);
        node = rows_of(built, node, term->rows);
        taps[i] =
            (struct tap){.node = side == SIDE_TEACHER ? graph_stop_gradient(graph, node) : node, .layer = layers[i]};
        if (!taps[i].node)
            return -1;
        if (side == SIDE_TEACHER && network)
            if (norm_of(graph, network, &network->layers[network_layer(network, layers[i], NULL)], &taps[i]) !=
                STATUS_OK)
                return -1;
    }
    return n;
}
