/* teaching_together.c: what teachers are together: the weights of each, their logits, their entry, their hash. */
#include "base/file.h"
#include "base/text.h"
#include "run/cache.h"
#include "run/depends.h"
#include "run/making.h"

#include <math.h>
#include <string.h>

enum { STEPS_OF_MIXING = 500 };

const struct split *making_split(const struct making *m, enum split_kind kind)
{
    return &m->site->plan->data->splits[kind];
}

/* logits_entry: of a network's logits over a split, in the cache. */
static enum status logits_entry(struct making *m, const struct network *network, const struct split *split,
                                struct cache_entry *entry)
{
    struct arena *arena = m->arena;
    const struct plan *plan = m->site->plan;
    char hash[65];
    RETURN_IF(network_sha256(m->ctx, arena, network, hash));
    struct value *on = value_set(arena, value_map(arena), "network", value_text(arena, hash));
    on = value_set(arena, on, "layer", value_text(arena, "evaluation"));
    on = images_value(arena, on, plan, split, NULL);
    on = run_value(arena, on, plan, m->site->options->version, m->kernels);
    on = value_set(arena, on, "threads", value_integer(arena, m->kernels->threads));
    *entry = (struct cache_entry){.teacher = network->name,
                                  .layer = arena_format(arena, "logits of the %s split", split->name),
                                  .on = on,
                                  .rows = split->count,
                                  .row = SHAPE(network->input.classes),
                                  .element = ELEMENT_F64};
    return on && entry->layer ? STATUS_OK : m->ctx->error.status;
}

/* logits_compute: by the network, and into the cache. */
static enum status logits_compute(struct making *m, const struct network *network, const struct split *split,
                                  const struct cache_entry *entry, double *logits)
{
    struct metrics unused;
    int64_t done;
    RETURN_IF(evaluate(m->ctx, network, split, m->site->plan->precision, m->kernels, m->memory, logits, &unused));
    if (!m->site->cache)
        return STATUS_OK;
    struct cache_writer *writer = cache_writer_new(m->site->cache, entry, 1, &done);
    if (!writer)
        return m->ctx->error.status;
    const enum status status = cache_writer_rows(writer, 0, split->count, logits);
    if (status == STATUS_OK)
        return cache_writer_finish(writer);
    cache_writer_leave(writer);
    return status;
}

static enum status logits_find(struct making *m, const struct network *network, const struct split *split,
                               double *logits)
{
    struct cache_entry entry;
    struct store *store = NULL;
    RETURN_IF(logits_entry(m, network, split, &entry));
    if (m->site->cache)
        store = cache_store(m->site->cache, &entry);
    RETURN_IF(m->ctx->error.status);
    if (!store)
        return logits_compute(m, network, split, &entry, logits);
    store_all(store, ELEMENT_F64, logits);
    store_free(store);
    return STATUS_OK;
}

double *making_logits(struct making *m, const struct network *network, const struct split *split)
{
    double *logits = memory_new(m->ctx, (size_t)(split->count * network->input.classes), sizeof *logits);
    if (logits && logits_find(m, network, split, logits) != STATUS_OK) {
        memory_free(m->ctx, logits);
        logits = NULL;
    }
    return logits;
}

static void split_free(struct making *m, double **logits)
{
    for (int i = 0; logits && i < m->teaching->count; i++)
        memory_free(m->ctx, logits[i]);
}

/* outside_copy: what a teacher that is no network said of the test split; the caller's. NULL: error recorded. */
static double *outside_copy(struct making *m, int index, const struct split *split)
{
    const size_t count = (size_t)split->count * (size_t)m->teaching->ensemble.members[index].outputs;
    double *logits = memory_new(m->ctx, count, sizeof *logits);
    if (logits)
        memcpy(logits, m->teaching->outside[index], count * sizeof *logits);
    return logits;
}

/* split_logits: of every teacher over a split, [count] of the arena; *known: false where one is no network, or the split is empty. */
static enum status split_logits(struct making *m, enum split_kind kind, double ***out, bool *known)
{
    const struct split *split = making_split(m, kind);
    double **logits = arena_take(m->arena, (size_t)m->teaching->count, sizeof *logits);
    *out = logits;
    *known = split->count > 0;
    for (int i = 0; i < m->teaching->count; i++)
        *known = *known && (m->teaching->networks[i] || (kind == SPLIT_TEST && m->teaching->outside[i]));
    for (int i = 0; logits && *known && i < m->teaching->count; i++) {
        const struct network *network = m->teaching->networks[i];
        logits[i] = network ? making_logits(m, network, split) : outside_copy(m, i, split);
        if (!logits[i])
            return m->ctx->error.status;
    }
    return m->ctx->error.status;
}

/* label_probability: what a member gives the right class of a sample. */
static double label_probability(const struct member *member, const double *row, int32_t label)
{
    double largest = row[0], sum = 0, right = 0;
    for (int o = 1; o < member->outputs; o++)
        largest = fmax(largest, row[o]);
    for (int o = 0; o < member->outputs; o++) {
        const double p = exp(row[o] - largest);
        sum += p;
        right += (member->classes ? member->classes[o] : o) == label ? p : 0;
    }
    return right / sum;
}

/* label_probabilities: of each labelled sample what each member gives its right class, [labelled, members]; the caller's. NULL: no
 * memory. */
static double *label_probabilities(struct context *ctx, const struct ensemble *ensemble, double *const *logits,
                                   const struct split *split)
{
    const int n = ensemble->n_members;
    double *right = memory_new(ctx, (size_t)split->labelled * (size_t)n, sizeof *right), *at = right;
    for (int64_t b = 0; right && b < split->count; b++)
        for (int i = 0; i < n && split->labels[b] >= 0; i++) {
            const struct member *member = &ensemble->members[i];
            *at++ = label_probability(member, logits[i] + b * member->outputs, split->labels[b]);
        }
    return right;
}

/* weights_learn: those that make labels most likely under the mixture of the members' probabilities for them, right [labelled, n], by
 * expectation maximisation, which never makes them less likely (Dempster, Laird, Rubin 1977). */
static void weights_learn(const double *right, int64_t labelled, int n, struct member *members)
{
    double part[ENSEMBLE_MAX], sum[ENSEMBLE_MAX];
    for (int i = 0; i < n; i++)
        members[i].weight = 1.0 / n;
    for (int step = 0; step < STEPS_OF_MIXING; step++) {
        for (int i = 0; i < n; i++)
            sum[i] = 0;
        for (int64_t b = 0; b < labelled; b++) {
            double all = 0;
            for (int i = 0; i < n; i++) {
                part[i] = members[i].weight * right[b * n + i];
                all += part[i];
            }
            for (int i = 0; i < n && all > 0; i++)
                sum[i] += part[i] / all;
        }
        for (int i = 0; i < n; i++) /* a weight stays above 0 */
            members[i].weight = fmax(sum[i] / (double)labelled, 1e-9);
    }
}

enum status making_weights(struct making *m)
{
    enum status status = STATUS_OK;
    bool known = false;
    double **logits = NULL, *right = NULL;
    struct ensemble *ensemble = &m->teaching->ensemble;
    const struct split *validation = making_split(m, SPLIT_VALIDATION);
    struct member *members = arena_copy(m->arena, ensemble->members, (size_t)ensemble->n_members * sizeof *members);
    if (!members)
        return m->ctx->error.status;
    TRY(split_logits(m, SPLIT_VALIDATION, &logits, &known));
    if (!known || validation->labelled == 0)
        TRY(fail(m->ctx, STATUS_BAD_INPUT,
                 "combine: learnt finds its weights on labelled validation samples, and there are none of every "
                 "teacher; add `validation: 5000` to data and give teachers that are networks, or combine otherwise"));
    right = label_probabilities(m->ctx, ensemble, logits, validation);
    if (!right)
        TRY(m->ctx->error.status);
    weights_learn(right, validation->labelled, ensemble->n_members, members);
    ensemble->members = members;
cleanup:
    memory_free(m->ctx, right);
    split_free(m, logits);
    return status;
}

/* best_member: the accuracy of the member that is best on the test split. */
static double best_member(struct making *m, double *const *logits)
{
    double best = NAN;
    const struct split *test = making_split(m, SPLIT_TEST);
    for (int i = 0; i < m->teaching->count; i++) {
        const struct member *member = &m->teaching->ensemble.members[i];
        if (member->classes)
            return NAN;
        best = fmax(best, metrics_of(logits[i], test->labels, test->count, member->outputs).accuracy);
    }
    return best;
}

static enum status ensemble_entry(struct making *m, double *const *logits, bool known)
{
    const struct metrics none = {0, NAN, NAN, NAN, NAN};
    const struct split *split = making_split(m, SPLIT_TEST);
    const struct ensemble *ensemble = &m->teaching->ensemble;
    const struct metrics test =
        known ? metrics_of(m->teaching->logits, split->labels, split->count, ensemble->classes) : none;
    const struct stage stage = {.name = "ensemble", .role = "ensemble"};
    const struct loop_result result = {.validation = none};
    struct record_stage row = {.name = stage.name, .role = stage.role, .model = ""};
    struct value *weights = value_list(m->arena);
    const char *models = NULL;
    for (int i = 0; i < m->teaching->count; i++) {
        const struct network *network = m->teaching->networks[i];
        const char *name = m->site->plan->teachers.items[i].name;
        row.parameters += network ? network_count_parameters(network) : 0;
        row.macs += network ? network_count_macs(network) : 0;
        weights = value_append(m->arena, weights, value_real(m->arena, ensemble->members[i].weight));
        if (network)
            models = arena_format(m->arena, "%s%smodels/%s.safetensors", models ? models : "", models ? "," : "", name);
    }
    RETURN_IF(record_stage(m->ctx, m->site->folder->record, &row));
    struct value *entry = stage_entry_make(m->arena, &stage, models, NULL, &result, &test, NAN);
    entry = value_set(m->arena, entry, "parameters", value_integer(m->arena, row.parameters));
    entry = value_set(m->arena, entry, "macs", value_integer(m->arena, row.macs));
    entry = value_set(m->arena, entry, "weights", weights);
    entry = value_set(m->arena, entry, "gain_over_best_member",
                      value_real(m->arena, known ? test.accuracy - best_member(m, logits) : NAN));
    return stage_entry_note(m->ctx, m->arena, m->site->folder, stage.name, entry);
}

/* together: the logits of all over the test split, and, of several, their entry. */
static enum status together(struct making *m)
{
    enum status status = STATUS_OK;
    bool known = false;
    double **logits = NULL;
    struct teaching *teaching = m->teaching;
    const struct split *split = making_split(m, SPLIT_TEST);
    TRY(split_logits(m, SPLIT_TEST, &logits, &known));
    if (known) {
        teaching->logits =
            memory_new(m->ctx, (size_t)(split->count * teaching->ensemble.classes), sizeof *teaching->logits);
        if (!teaching->logits)
            TRY(m->ctx->error.status);
        TRY(combine_rows(m->ctx, &teaching->ensemble, (const double *const *)logits, split->count, teaching->logits));
    }
    if (teaching->learners[0].ensemble)
        TRY(ensemble_entry(m, logits, known));
cleanup:
    split_free(m, logits);
    return status;
}

/* hash_make: of the model files, or the files and commands that stand for them. */
static enum status hash_make(struct making *m)
{
    struct text text;
    enum status status = STATUS_OK;
    char one[65];
    text_init(&text, m->ctx);
    for (int i = 0; i < m->teaching->count; i++) {
        const struct network *network = m->teaching->networks[i];
        const bool combined = m->teaching->learners[0].ensemble != NULL;
        const char *name = m->teaching->learners[i + combined].name;
        const struct teacher_plan *teacher = network ? NULL : &m->site->plan->teachers.items[i];
        const char *path =
            network ? folder_file(m->arena, m->site->folder, "models/%s.safetensors", name) : teacher->file;
        if (path)
            TRY(file_sha256(m->ctx, path, one));
        else
            sha256_hex(teacher->command, strlen(teacher->command), one);
        text_add(&text, one);
    }
    if (text.failed)
        TRY(m->ctx->error.status);
    if (m->teaching->count == 1)
        memcpy(m->teaching->sha256, one, sizeof one);
    else
        sha256_hex(text.bytes, text.length, m->teaching->sha256);
cleanup:
    text_free(&text);
    return status;
}

enum status making_together(struct making *m)
{
    RETURN_IF(together(m));
    return hash_make(m);
}
