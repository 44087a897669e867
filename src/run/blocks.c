/* blocks.c: see blocks.h. */
#include "run/blocks.h"

#include "run/aside.h"
#include "scheme/terms.h"
#include "train/model.h"

#include <string.h>

int blocks_count(const struct plan *plan)
{
    return plan->blocks.count > 0 ? plan->blocks.count + 1 : 0;
}

const char *block_name(struct arena *arena, int index, uint64_t seed)
{
    return arena_format(arena, "block%d-%llu", index + 1, (unsigned long long)seed);
}

/* --- a block's stage --- */

/* block_terms: the teacher's activation where the block ends; of the last one the recipe's. */
static enum status block_terms(struct context *ctx, struct arena *arena, const struct block_plan *plan, int index,
                               struct stage *stage)
{
    if (index == plan->count) {
        stage->n_terms = plan->n_terms;
        stage->terms = arena_copy(arena, plan->terms, (size_t)plan->n_terms * sizeof *plan->terms);
        return stage->terms ? STATUS_OK : ctx->error.status;
    }
    struct term *term = arena_take(arena, 1, sizeof *term);
    if (!term)
        return ctx->error.status;
    RETURN_IF(method_term(ctx, arena, "fitnet", NULL, term)); /* without a connector, because shapes are equal */
    term->teacher = plan->learner;
    term->at = plan->at;
    term->student_taps = &plan->student[index];
    term->teacher_taps = &plan->teacher[index];
    term->n_student_taps = term->n_teacher_taps = 1;
    stage->n_terms = 1;
    stage->terms = term;
    return STATUS_OK;
}

static enum status block_stage(struct context *ctx, struct arena *arena, const struct plan *plan,
                               const struct teaching *teaching, uint64_t seed, int index, struct network *network,
                               struct stage *stage)
{
    const struct block_plan *blocks = &plan->blocks;
    const int n_learners = 1 + teaching->n_learners;
    struct learner *learners = arena_take(arena, (size_t)n_learners, sizeof *learners);
    struct learner_block *block = arena_take(arena, 1, sizeof *block);
    const char *name = block_name(arena, index, seed), *role = arena_format(arena, "block%d", index + 1);
    if (!learners || !block || !name || !role)
        return ctx->error.status;
    *block = (struct learner_block){.from = index > 0 ? blocks->student[index - 1] : NULL,
                                    .teacher = blocks->learner,
                                    .given = index > 0 ? blocks->teacher[index - 1] : NULL,
                                    .to = index < blocks->count ? blocks->student[index] : NULL};
    learners[0] = (struct learner){.name = "student",
                                   .network = network,
                                   .training = true,
                                   .learns = true,
                                   .block = block,
                                   .optimiser = &plan->student.train.optimiser};
    for (int i = 0; i < teaching->n_learners; i++)
        learners[1 + i] = teaching->learners[i];
    *stage = (struct stage){.name = name,
                            .role = role,
                            .seed = seed,
                            .n_learners = n_learners,
                            .learners = learners,
                            .budget = block_plan_budget(blocks, plan->student.train.budget)};
    stage_samples(plan, stage);
    return block_terms(ctx, arena, blocks, index, stage);
}

enum status blocks_add(struct context *ctx, const struct plan *plan, const struct teaching *teaching, uint64_t seed,
                       struct student *student)
{
    for (int i = 0; i < blocks_count(plan); i++) {
        struct stage *stage = stage_add(&student->list);
        if (!stage)
            return ctx->error.status;
        RETURN_IF(block_stage(ctx, student->list.arena, plan, teaching, seed, i, student->network, stage));
    }
    return STATUS_OK;
}

/* --- all of them --- */

struct running {
    struct run_site *site;
    const struct teaching *teaching;
};

/* block_run: piece i: block i % blocks of seed i / blocks, on a copy of the student of its own. */
static enum status block_run(struct context *ctx, void *user, int i, struct kernel_context *kernels,
                             struct program_memory *memory)
{
    enum status status = STATUS_OK;
    const struct running *running = user;
    const struct plan *plan = running->site->plan;
    const int blocks = blocks_count(plan);
    const uint64_t seed = (uint64_t)plan->seeds.values[i / blocks];
    struct network *network = NULL;
    struct stage stage;
    struct arena *arena = arena_new(ctx);
    if (!arena)
        return ctx->error.status;
    TRY(student_network(ctx, plan, running->teaching, seed, &network));
    TRY(block_stage(ctx, arena, plan, running->teaching, seed, i % blocks, network, &stage));
    TRY(stage_job(ctx, running->site, &stage, kernels, memory));
    atomic_fetch_add(&running->site->done, 1);
cleanup:
    network_free(network);
    arena_free(arena);
    return status;
}

/* blocks_log: one line for each, before they mix with the progress of all. */
static void blocks_log(struct context *ctx, const struct block_plan *plan, const struct teaching *teaching)
{
    const char *teacher = teaching->learners[plan->learner - 1].name;
    log_line(ctx, LOG_INFO, "blocks of the student learn side by side, %lld epochs each", (long long)plan->epochs);
    log_line(ctx, LOG_INFO, "  block1: images to %s, %s's %s", plan->student[0], teacher, plan->teacher[0]);
    for (int i = 1; i < plan->count; i++)
        log_line(ctx, LOG_INFO, "  block%d: behind %s to %s, %s's %s to %s", i + 1, plan->student[i - 1],
                 plan->student[i], teacher, plan->teacher[i - 1], plan->teacher[i]);
    log_line(ctx, LOG_INFO, "  block%d: behind %s to the logits, on %s's %s", plan->count + 1,
             plan->student[plan->count - 1], teacher, plan->teacher[plan->count - 1]);
}

enum status blocks_run(struct context *ctx, struct run_site *site, const struct teaching *teaching)
{
    const struct plan *plan = site->plan;
    struct running running = {site, teaching};
    bool wide;
    blocks_log(ctx, &plan->blocks, teaching);
    RETURN_IF(student_wants_all_cores(ctx, plan, &wide));
    return aside_run(ctx, wide, site->options->jobs, (int)plan->seeds.count * blocks_count(plan), block_run, &running);
}

/* --- the whole --- */

/* layer_copy: a layer's parameters and running statistics. */
static void layer_copy(const char *layer, const struct parameters *from, struct parameters *to)
{
    for (int i = 0; i < to->count; i++) {
        const struct parameter *entry = &to->entries[i];
        if (layer_tensor(layer, entry->name))
            memcpy(parameters_value(to, i), parameters_value(from, i),
                   (size_t)entry->elements * element_size(to->element));
    }
}

enum status blocks_assemble(struct context *ctx, struct arena *arena, const struct run_site *site, uint64_t seed,
                            struct network *network)
{
    enum status status = STATUS_OK;
    const struct plan *plan = site->plan;
    struct network *copy = NULL;
    if (blocks_count(plan) == 0)
        return STATUS_OK;
    bool *marks = arena_take(arena, (size_t)network->n_layers, sizeof *marks);
    if (!marks)
        return ctx->error.status;
    TRY(plan_network(ctx, plan, &plan->student, "student", seed, &copy));
    for (int i = 0; i < blocks_count(plan); i++) {
        const char *name = block_name(arena, i, seed);
        const char *path = name ? folder_file(arena, site->folder, "models/%s.safetensors", name) : NULL;
        TRY(path ? model_load_into(ctx, path, copy) : ctx->error.status);
        TRY(block_between(ctx, &plan->blocks, network, i, marks));
        for (int j = 0; j < network->n_layers; j++)
            if (marks[j])
                layer_copy(network->layers[j].name, copy->parameters, network->parameters);
    }
    parameters_touch(network->parameters);
cleanup:
    network_free(copy);
    return status;
}
