/* summary.c: see summary.h. */
#include "train/summary.h"

#include "base/text.h"
#include "base/thread.h"

#include <string.h>

static void side_add(struct text *text, const struct term_taps *taps, enum side side, const char *name)
{
    char shape[SHAPE_TEXT_SIZE];
    if (taps->count[side] == 0)
        return;
    text_format(text, "%s%s ", side == SIDE_TEACHER && taps->count[SIDE_STUDENT] > 0 ? " | " : "", name);
    for (int i = 0; i < taps->count[side]; i++) {
        const struct tap *tap = &taps->taps[side][i];
        text_format(text, "%s%s %s", i ? ", " : "", tap->layer, shape_sample_text(&tap->node->spec.shape, shape));
    }
}

/* own_add: the term's weights by name and shape: its connectors and other helpers. */
static void own_add(struct text *text, const struct parameters *own, const struct method *method)
{
    int64_t learnt = 0;
    char shape[SHAPE_TEXT_SIZE];
    for (int i = 0; i < own->count; i++) {
        const struct parameter *entry = &own->entries[i];
        if (entry->state)
            continue;
        if (entry->shape.rank > 1)
            text_format(text, "%s%s %s", learnt ? ", " : " | own ", entry->name, shape_text(&entry->shape, shape));
        learnt += entry->elements;
    }
    if (learnt)
        text_format(text, ": %lld values, %s", (long long)learnt,
                    method->extends ? "part of the student" : "not exported");
}

static void gradient_add(struct text *text, const struct stage_graph *built, int term)
{
    const char *before = " | gradient to ";
    for (int i = 0; i < built->stage->n_learners; i++)
        if (stage_reaches(built, term, i)) {
            text_format(text, "%s%s", before, built->stage->learners[i].name);
            before = ", ";
        }
    if (stage_term_learns(built, term))
        text_format(text, "%sits own", before);
}

static void term_add(struct text *text, const struct stage_graph *built, int index, int width)
{
    const struct term *term = &built->stage->terms[index];
    const char *teacher = term->teacher >= 0 ? built->stage->learners[term->teacher].name : "teacher";
    text_format(text, "  %-*s  weight ", width, term->name);
    if (term->share > 0)
        text_format(text, "auto (share %.4g)", term->share);
    else if (real_changes(&term->weight))
        text_format(text, "%.4g to %.4g", real_at(&term->weight, (struct moment){0}), term->weight.to);
    else
        text_format(text, "%.4g", term->weight.value);
    text_add(text, "  ");
    side_add(text, &built->taps[index], SIDE_STUDENT, built->stage->learners[term->student].name);
    side_add(text, &built->taps[index], SIDE_TEACHER, teacher);
    own_add(text, built->own[index].parameters, term->method);
    gradient_add(text, built, index);
    text_add(text, "\n");
}

/* is_follower: an average or the like, which is made of others. */
static bool is_follower(const struct stage *stage, int learner)
{
    for (int i = 0; i < stage->n_events; i++)
        if (stage->events[i].to == learner)
            return true;
    return false;
}

/* frozen_add: the networks that no gradient reaches, by the paths of the graph. */
static void frozen_add(struct text *text, const struct stage_graph *built)
{
    const struct stage *stage = built->stage;
    for (int i = 0; i < stage->n_learners; i++)
        if (stage->learners[i].network && !is_follower(stage, i) &&
            !graph_reaches(built->graph, built->loss, stage->learners[i].network->parameters))
            text_format(text, "  %s receives no gradient\n", stage->learners[i].name);
}

/* seconds_of_step: of one step on zeros, the second of two. Nothing is committed. */
static enum status seconds_of_step(struct context *ctx, const struct summary *summary, double *seconds)
{
    const struct graph *graph = summary->built->graph;
    const int64_t batch = summary->built->stage->budget.batch;
    enum status status = STATUS_OK;
    void *zeros[STAGE_INPUTS] = {NULL};
    const void *inputs[STAGE_INPUTS] = {NULL};
    for (int i = 0; i < graph->n_inputs; i++) {
        const struct tensor_spec *spec = &graph->inputs[i]->spec;
        const enum element element = spec->element == ELEMENT_REAL ? summary->built->precision : spec->element;
        const struct shape shape = shape_bind(&spec->shape, batch);
        zeros[i] = memory_new(ctx, (size_t)shape_elements(&shape), element_size(element));
        inputs[i] = zeros[i];
        if (!zeros[i])
            TRY(ctx->error.status);
    }
    struct bindings bindings = {.inputs = inputs, .seed = summary->built->stage->seed};
    for (int i = 0; i < 2; i++) {
        const double begin = clock_seconds();
        TRY(program_run(summary->program, &bindings, RUN_BACKWARD));
        *seconds = clock_seconds() - begin;
    }
cleanup:
    for (int i = 0; i < STAGE_INPUTS; i++)
        memory_free(ctx, zeros[i]);
    return status;
}

static void duration_add(struct text *text, double seconds)
{
    if (seconds < 60)
        text_format(text, "about %.0f s", seconds < 1 ? 1 : seconds);
    else
        text_format(text, "about %.0f min", seconds / 60);
}

static enum status cost_add(struct context *ctx, struct text *text, const struct summary *summary)
{
    double seconds = 0;
    int64_t recorded = 0;
    const struct program *program = summary->program;
    RETURN_IF(seconds_of_step(ctx, summary, &seconds));
    for (int i = 0; i < summary->n_recordings; i++) {
        const struct store *store = summary->recordings[i].store;
        recorded += store->rows * store->row_elements * (int64_t)element_size(store->element);
    }
    text_format(text, "  %.1f MB of memory, ",
                (double)(program_arena_bytes(program) + program_persistent_bytes(program)) / 1e6);
    if (program_lanes(program) > 1)
        text_format(text, "%d networks side by side, ", program_lanes(program));
    if (recorded)
        text_format(text, "%.1f MB of recorded outputs, ", (double)recorded / 1e6);
    text_format(text, "%lld steps of %lld, ", (long long)summary->steps,
                (long long)summary->built->stage->budget.batch);
    duration_add(text, seconds * (double)summary->steps);
    return STATUS_OK;
}

static void lines_log(struct context *ctx, char *text)
{
    for (char *line = text; line && *line;) {
        char *end = strchr(line, '\n');
        if (end)
            *end = '\0';
        log_line(ctx, LOG_INFO, "%s", line);
        line = end ? end + 1 : NULL;
    }
}

enum status summary_log(struct context *ctx, const struct summary *summary)
{
    struct text text;
    int width = 0;
    const struct stage *stage = summary->built->stage;
    for (int i = 0; i < stage->n_terms; i++)
        width = (int)strlen(stage->terms[i].name) > width ? (int)strlen(stage->terms[i].name) : width;
    text_init(&text, ctx);
    text_format(&text, "%s learns from\n", stage->name);
    for (int i = 0; i < stage->n_terms; i++)
        term_add(&text, summary->built, i, width);
    frozen_add(&text, summary->built);
    enum status status = cost_add(ctx, &text, summary);
    if (status == STATUS_OK && text.failed)
        status = ctx->error.status;
    if (status == STATUS_OK)
        lines_log(ctx, text.bytes);
    text_free(&text);
    return status;
}
