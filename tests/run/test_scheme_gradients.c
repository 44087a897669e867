/* Who learns from whom, of every scheme: its stages are built from a recipe, as a run would, and their graphs are asked where gradients
 * go. A term teaches its student and nobody else; who does not learn gets nothing; whoever learns gets something in each of its tensors. */
#include "recipe/recipe.h"
#include "run/stages.h"
#include "support/small_files.h"
#include "train/stage_graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { SIDE = SMALL_SIDE, BATCH = 10, VARIANTS_MAX = 32 };

struct named {
    const char *name, *recipe;
};
static const struct named networks[] = {{"mlp", "{name: mlp, widths: [12, 8]}"},
                                        {"cnn", "{name: cnn, widths: [4, 6], dropout: 0.1}"},
                                        {"resnet", "{name: resnet, depth: 8, width: 4}"}};
enum { NETWORKS = sizeof networks / sizeof *networks };

/* Schemes that a network does not suit, which they must then say: {scheme, network}. */
static const char *const unsuited[][2] = {{NULL, NULL}};

/* One way to use a scheme: what its section says beside its name. */
struct variant {
    char text[160];
    bool may_refuse; /* where the scheme has no teacher whose layers could be read */
};

struct looked {
    struct context ctx;
    struct arena *arena;
    struct plan plan;
    struct teaching teaching;
    struct student student;
    char what[300]; /* scheme, network, options */
    int problems;
};

/* --- variants --- */

static void variant_add(struct variant *variants, int *count, bool may_refuse, const char *option, const char *value)
{
    assert_true(*count < VARIANTS_MAX);
    struct variant *variant = &variants[(*count)++];
    variant->may_refuse = may_refuse;
    snprintf(variant->text, sizeof variant->text, option ? ", %s: %s" : "%s%s", option ? option : "", value);
}

/* variants_of: the defaults, every choice, both booleans, more peers, other networks, losses that read layers and have parts of their own. */
static int variants_of(const struct scheme *scheme, struct variant *variants)
{
    int count = 0;
    variant_add(variants, &count, false, NULL, "");
    for (size_t i = 0; i < scheme->n_options; i++) {
        const struct option_spec *option = &scheme->options[i];
        for (int j = 0; option->type == OPTION_CHOICE && option->choices[j]; j++)
            variant_add(variants, &count, false, option->name, option->choices[j]);
        for (int j = 0; option->type == OPTION_BOOLEAN && j < 2; j++)
            variant_add(variants, &count, false, option->name, j ? "true" : "false");
        if (strcmp(option->name, "peers") == 0)
            variant_add(variants, &count, false, option->name, "3");
        if (strcmp(option->name, "networks") == 0)
            variant_add(variants, &count, false, option->name, "[{name: cnn, widths: [4, 12]}]");
    }
    variant_add(variants, &count, true, "losses", "[{method: labels}, {method: kd}, {method: fitnet}]");
    return count;
}

/* --- where gradients go --- */

/* walk: marks every node that a gradient of `node` comes to. */
static void walk(const struct node *node, bool *seen)
{
    if (seen[node->id])
        return;
    seen[node->id] = true;
    for (int i = 0; node->kind == NODE_CALL && node->call->op->backward && i < node->call->n_inputs; i++)
        walk(node->call->inputs[i], seen);
}

static bool *walked(const struct stage_graph *built, const struct node *from)
{
    bool *seen = memory_new(built->ctx, (size_t)built->graph->n_nodes, sizeof *seen);
    assert_non_null(seen);
    walk(from, seen);
    return seen;
}

/* learnt: does what was walked hold a parameter of these (NULL: of any) that learns? */
static bool learnt(const struct stage_graph *built, const bool *seen, const struct parameters *parameters)
{
    for (int i = 0; i < built->graph->n_nodes; i++) {
        const struct node *node = built->graph->nodes[i];
        if (seen[i] && node->kind == NODE_PARAMETER && !node->frozen && (!parameters || node->parameters == parameters))
            return true;
    }
    return false;
}

static bool entry_learnt(const struct stage_graph *built, const bool *seen, const struct parameters *parameters,
                         int entry)
{
    for (int i = 0; i < built->graph->n_nodes; i++) {
        const struct node *node = built->graph->nodes[i];
        if (seen[i] && node->kind == NODE_PARAMETER && !node->frozen && node->parameters == parameters &&
            node->entry == entry)
            return true;
    }
    return false;
}

/* passed: did a gradient come through a layer of this learner? */
static bool passed(const struct stage_graph *built, const bool *seen, int learner)
{
    const struct instance *instance = &built->instances[learner];
    for (int i = 0; instance->network && i < instance->network->n_layers; i++)
        if (instance->layers[i] && instance->layers[i] != instance->input && seen[instance->layers[i]->id])
            return true;
    return false;
}

static bool network_learns(const struct stage *stage, const struct network *network)
{
    for (int i = 0; i < stage->n_learners; i++)
        if (stage->learners[i].learns && stage->learners[i].network == network)
            return true;
    return false;
}

/* table_print: stage, term -> who. */
static void table_print(const struct looked *look, const struct stage_graph *built)
{
    const struct stage *stage = built->stage;
    for (int t = 0; t < stage->n_terms; t++) {
        bool *seen = walked(built, built->term_values[t]);
        print_error("  %s | %s | %s ->", look->what, stage->name, stage->terms[t].name);
        for (int l = 0; l < stage->n_learners; l++)
            if (stage->learners[l].network && learnt(built, seen, stage->learners[l].network->parameters))
                print_error(" %s,", stage->learners[l].name);
        print_error("%s student: %s\n", stage_term_learns(built, t) ? " own parts," : "",
                    stage->learners[stage->terms[t].student].name);
        memory_free(built->ctx, seen);
    }
}

static void problem(struct looked *look, const char *stage, const char *what, const char *who)
{
    look->problems++;
    print_error("%s | %s: %s: %s\n", look->what, stage, what, who);
}

static void term_judge(struct looked *look, const struct stage_graph *built, int index)
{
    const struct stage *stage = built->stage;
    const struct term *term = &stage->terms[index];
    const struct network *student = stage->learners[term->student].network;
    bool *seen = walked(built, built->term_values[index]);
    for (int l = 0; l < stage->n_learners; l++) {
        const struct learner *learner = &stage->learners[l];
        if (!learner->network)
            continue;
        const bool found = learnt(built, seen, learner->network->parameters);
        const bool expected = learner->network == student && network_learns(stage, student);
        if (found != expected)
            problem(look, term->name, expected ? "teaches not its student" : "teaches another", learner->name);
        if (stage_reaches(built, index, l) != (found && learner->learns))
            problem(look, term->name, "stage_reaches is wrong about", learner->name);
        if (l != term->student && passed(built, seen, l))
            problem(look, term->name, "its gradient passes through", learner->name);
    }
    for (int i = 0; i < built->taps[index].count[SIDE_TEACHER]; i++) {
        bool *behind = walked(built, built->taps[index].taps[SIDE_TEACHER][i].node);
        if (learnt(built, behind, NULL))
            problem(look, term->name, "what a teacher says is not constant",
                    built->taps[index].taps[SIDE_TEACHER][i].layer);
        memory_free(built->ctx, behind);
    }
    if (learnt(built, seen, built->own[index].parameters) != stage_term_learns(built, index))
        problem(look, term->name, "stage_term_learns is wrong", stage->name);
    if (built->own[index].parameters->n_values > 0 && !stage_term_learns(built, index))
        problem(look, term->name, "its own parts do not learn", stage->name);
    memory_free(built->ctx, seen);
}

static void learner_judge(struct looked *look, const struct stage_graph *built, int index, const bool *seen)
{
    const struct stage *stage = built->stage;
    const struct learner *learner = &stage->learners[index];
    const struct parameters *parameters = learner->network ? learner->network->parameters : NULL;
    if (!parameters)
        return;
    if (!learner->learns && passed(built, seen, index))
        problem(look, stage->name, "does not learn and is passed by a gradient", learner->name);
    if (!network_learns(stage, learner->network) && learnt(built, seen, parameters))
        problem(look, stage->name, "does not learn and gets a gradient", learner->name);
    for (int i = 0; learner->learns && i < parameters->count; i++)
        if (!parameters->entries[i].state && !entry_learnt(built, seen, parameters, i))
            problem(look, stage->name, parameters->entries[i].name, "learns and gets no gradient");
}

/* --- who sees what --- */

static void views_judge(struct looked *look, const struct stage_graph *built)
{
    const struct stage *stage = built->stage;
    const struct node *images = built->graph->inputs[STAGE_INPUT_IMAGES];
    for (int l = 0; l < stage->n_learners; l++) {
        const struct node *input = built->instances[l].network ? built->instances[l].input : NULL;
        if (!input)
            continue;
        if (stage->learners[l].rows == ROWS_ALL && input != images)
            problem(look, stage->name, "sees other images than the batch", stage->learners[l].name);
        if (stage->learners[l].rows != ROWS_ALL && (input->kind != NODE_CALL || input->call->inputs[0] != images))
            problem(look, stage->name, "sees no part of the batch", stage->learners[l].name);
    }
}

/* halves_judge: a batch whose first half is black and whose second half is white: each learner sees the one or the other. */
static void halves_judge(struct looked *look, const struct stage_graph *built)
{
    static float images[BATCH][SIDE][SIDE];
    static int32_t labels[BATCH], numbers[BATCH];
    enum { LEARNERS_MAX = 8 };
    struct node *outputs[LEARNERS_MAX];
    int learners[LEARNERS_MAX], count = 0;
    const struct stage *stage = built->stage;
    for (int l = 0; l < stage->n_learners && count < LEARNERS_MAX; l++)
        if (built->instances[l].network && stage->learners[l].rows != ROWS_ALL) {
            outputs[count] = graph_mean_all(built->graph, built->instances[l].input);
            learners[count++] = l;
        }
    if (count == 0)
        return;
    for (int i = 0; i < BATCH; i++) {
        numbers[i] = i;
        for (int j = 0; j < SIDE * SIDE; j++)
            images[i][j / SIDE][j % SIDE] = i < BATCH / 2 ? 0 : 1;
    }
    struct kernel_context *kernels = kernel_context_new(built->ctx, 1);
    struct program_memory *memory = program_memory_new(built->ctx);
    struct program *program = NULL;
    const struct program_spec spec = {
        .loss = built->loss, .outputs = outputs, .n_outputs = count, .batch = BATCH, .precision = ELEMENT_F32};
    const void *inputs[STAGE_INPUTS] = {images, labels, numbers, numbers, NULL};
    const struct bindings bindings = {.inputs = inputs};
    assert_int_equal(program_compile(built->graph, &spec, kernels, memory, &program), STATUS_OK);
    assert_int_equal(program_run(program, &bindings, 0), STATUS_OK);
    for (int i = 0; i < count; i++) {
        const struct learner *learner = &stage->learners[learners[i]];
        if (program_scalar(program, i) != (learner->rows == ROWS_FIRST ? 0 : 1))
            problem(look, stage->name, "sees something of the other half", learner->name);
    }
    program_free(program);
    program_memory_free(memory);
    kernel_context_free(kernels);
}

/* --- every scheme --- */

static enum status stage_judge(struct looked *look, const struct stage *stage)
{
    const struct stage_graph_spec spec = {.stage = stage,
                                          .split = &look->plan.data->splits[SPLIT_TRAIN],
                                          .precision = look->plan.precision,
                                          .images = ELEMENT_REAL};
    const int before = look->problems;
    RETURN_IF(stage_check(&look->ctx, stage));
    if (stage->n_terms == 0) {
        for (int l = 0; l < stage->n_learners; l++)
            assert_false(stage->learners[l].learns);
        return STATUS_OK;
    }
    struct stage_graph *built = stage_graph_new(&look->ctx, &spec);
    if (!built)
        return look->ctx.error.status;
    for (int t = 0; t < stage->n_terms; t++)
        term_judge(look, built, t);
    bool *seen = walked(built, built->loss);
    for (int l = 0; l < stage->n_learners; l++)
        learner_judge(look, built, l, seen);
    memory_free(built->ctx, seen);
    views_judge(look, built);
    halves_judge(look, built);
    if (look->problems > before)
        table_print(look, built);
    stage_graph_free(built);
    return STATUS_OK;
}

static enum status plan_of(struct looked *look, const struct scheme *scheme, const char *network, const char *options)
{
    char text[1024];
    struct value *recipe;
    const int length = snprintf(
        text, sizeof text,
        SMALL_DATA "student: {network: %s, train: {epochs: 4, batch: %d}}\n%s"
                   "distill: {scheme: %s%s}\nbaseline: false\nseeds: [3]\n",
        network, BATCH,
        scheme->teacher == TEACHER_NONE ? "" : "teacher: {network: {name: cnn, widths: [4, 8]}, train: {batch: 10}}\n",
        scheme->name, options);
    assert_true(length > 0 && (size_t)length < sizeof text);
    RETURN_IF(recipe_parse(&look->ctx, look->arena, "recipe.yaml", text, (size_t)length, &recipe));
    RETURN_IF(plan_make(&look->ctx, look->arena, recipe, "recipe.yaml", false, &look->plan));
    if (scheme->teacher == TEACHER_FROZEN)
        RETURN_IF(teaching_open(&look->ctx, look->arena, &look->plan, &look->teaching));
    return student_stages(&look->ctx, look->arena, &look->plan, &look->teaching, 3, false, &look->student);
}

static bool suits(const struct scheme *scheme, const struct named *network)
{
    for (int i = 0; unsuited[i][0]; i++)
        if (strcmp(unsuited[i][0], scheme->name) == 0 && strcmp(unsuited[i][1], network->name) == 0)
            return false;
    return true;
}

/* judge: one scheme with one network; the number of problems. A refusal is one where nobody expects it, or where it gives no reason. */
static int judge(const struct scheme *scheme, const struct named *network, const struct variant *variant, int *refused)
{
    struct looked look = {.problems = 0};
    context_init(&look.ctx);
    look.ctx.log_level = LOG_QUIET;
    look.arena = arena_new(&look.ctx);
    assert_non_null(look.arena);
    snprintf(look.what, sizeof look.what, "%.60s%.160s | %.60s", scheme->name, variant->text, network->name);
    enum status status = plan_of(&look, scheme, network->recipe, variant->text);
    int learning = 0;
    for (int i = 0; status == STATUS_OK && i < look.student.list.count; i++) {
        status = stage_judge(&look, &look.student.list.stages[i]);
        learning += look.student.list.stages[i].n_terms > 0;
    }
    const bool may = variant->may_refuse || !suits(scheme, network);
    if (status != STATUS_OK && !may)
        problem(&look, "refused", look.ctx.error.message, "and nobody expects it");
    if (status != STATUS_OK && status != STATUS_BAD_INPUT && status != STATUS_BAD_SHAPE && status != STATUS_UNSUPPORTED)
        problem(&look, "failed", look.ctx.error.message, "for another reason than the recipe's");
    if (status == STATUS_OK && !suits(scheme, network))
        problem(&look, "accepted", "is said to be unsuited", network->name);
    if (status == STATUS_OK && learning == 0)
        problem(&look, "no stage", "nobody learns", scheme->name);
    *refused += status != STATUS_OK;
    student_free(&look.student);
    teaching_close(&look.ctx, &look.teaching);
    plan_free(&look.ctx, &look.plan);
    arena_free(look.arena);
    return look.problems;
}

static void test_a_term_teaches_its_student_and_nobody_else(void **state)
{
    struct variant variants[VARIANTS_MAX];
    int problems = 0;
    (void)state;
    small_files_put();
    for (size_t s = 0; s < scheme_table_count; s++) {
        const int count = variants_of(scheme_table[s], variants);
        int refused = 0;
        for (int n = 0; n < NETWORKS; n++)
            for (int v = 0; v < count; v++)
                problems += judge(scheme_table[s], &networks[n], &variants[v], &refused);
        print_message("%s: %d recipes, %d refused\n", scheme_table[s]->name, NETWORKS * count, refused);
    }
    assert_int_equal(problems, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_term_teaches_its_student_and_nobody_else)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
