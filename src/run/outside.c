/* outside.c: see outside.h. */
#include "run/outside.h"

#include "base/file.h"
#include "run/depends.h"
#include "run/features.h"
#include "train/command.h"
#include "train/recorded.h"

#include <string.h>
#include <sys/stat.h>

static const char logits_layer[] = "logits", test_layer[] = "logits of the test split";
enum { COMMAND_BATCH = 256 };

static int outputs_of(const struct plan *plan, const struct teacher_plan *teacher)
{
    return teacher->classes ? teacher->outputs : plan->input.classes;
}

/* --- a file --- */

static enum status file_open(struct context *ctx, struct arena *arena, const struct plan *plan, int index, bool places,
                             struct teaching *teaching)
{
    const struct teacher_plan *teacher = &plan->teachers.items[index];
    struct recorded *file = NULL;
    RETURN_IF(recorded_open(ctx, value_get(teacher->at, "recorded"), teacher->file, plan->data,
                            outputs_of(plan, teacher), &file));
    if (plan->data->augmentation)
        log_line(ctx, LOG_WARNING,
                 "%s: the outputs are of the images as they are, and the student sees augmented ones; leave "
                 "data.augment out, or use a teacher that runs",
                 teacher->file);
    struct store *logits = file->logits;
    file->logits = NULL;
    const enum status status = features_open(ctx, arena, plan, index, file, places, teaching);
    recorded_free(file);
    if (status != STATUS_OK) {
        store_free(logits);
        return status;
    }
    return recording_add(ctx, teaching,
                         (struct recording){teacher->name, logits_layer, .by_sample = true, .store = logits});
}

/* --- a program --- */

static enum status command_place(struct context *ctx, const struct plan *plan, const struct teacher_plan *teacher,
                                 struct teaching *teaching)
{
    struct augmentation room;
    if (recording_rows(&plan->data->splits[SPLIT_TRAIN],
                       augmentation_limited(plan->data->augmentation, plan->views, &room)) == 0)
        return value_fail(ctx, teacher->at, STATUS_BAD_INPUT,
                          "teacher: a command is asked once for each view of a sample, and the augmentation makes too "
                          "many; say distill.views: 8 for so many of them");
    struct store *place = store_new(ctx, logits_layer, ELEMENT_F32, 1, SHAPE(outputs_of(plan, teacher)));
    return place ? recording_add(ctx, teaching, (struct recording){teacher->name, logits_layer, .store = place})
                 : ctx->error.status;
}

enum status outside_open(struct context *ctx, struct arena *arena, const struct plan *plan, bool places,
                         struct teaching *teaching)
{
    for (int i = 0; i < plan->teachers.count; i++) {
        const struct teacher_plan *teacher = &plan->teachers.items[i];
        if (teacher->kind == TEACHER_RECORDED)
            RETURN_IF(file_open(ctx, arena, plan, i, places, teaching));
        else if (teacher->kind == TEACHER_COMMAND)
            RETURN_IF(command_place(ctx, plan, teacher, teaching));
    }
    return STATUS_OK;
}

/* What the program's answers go to: the cache, or memory. */
struct answers {
    struct cache_writer *writer;
    struct store *store;
};

static enum status rows_keep(void *user, int64_t first, int64_t count, const float *logits)
{
    struct answers *answers = user;
    if (answers->writer)
        return cache_writer_rows(answers->writer, first, count, logits);
    for (int64_t i = 0; i < count; i++)
        store_write(answers->store, first + i, logits + i * answers->store->row_elements);
    return STATUS_OK;
}

/* files_named: hashes of the files that the command names, so that a changed program is another teacher. */
static struct value *files_named(struct context *ctx, struct arena *arena, const char *command)
{
    struct value *map = value_map(arena);
    char *words = arena_text(arena, command), hash[65], *rest = NULL;
    struct stat found;
    for (char *word = words ? strtok_r(words, " \t\n'\";|&<>()", &rest) : NULL; word && map;
         word = strtok_r(NULL, " \t\n'\";|&<>()", &rest)) {
        if (stat(word, &found) != 0 || !S_ISREG(found.st_mode))
            continue;
        if (file_sha256(ctx, word, hash) == STATUS_OK)
            map = value_set(arena, map, word, value_text(arena, hash));
        else
            error_clear(ctx); /* not ours to read: it may be the program's */
    }
    return map;
}

/* What is asked of the program. */
struct asking {
    struct context *ctx;
    struct arena *arena;
    const struct plan *plan;
    const struct teacher_plan *teacher;
    struct augmentation room;
    const struct augmentation *augmentation;
    const struct cache *cache; /* NULL: answers go to memory */
    struct cache_entry entries[2];
    struct store *stores[2]; /* train, test */
};

static const struct split *split_of(const struct asking *a, int pass)
{
    return &a->plan->data->splits[pass == 0 ? SPLIT_TRAIN : SPLIT_TEST];
}

static enum status entries_make(struct asking *a)
{
    const struct value *files = files_named(a->ctx, a->arena, a->teacher->command);
    for (int i = 0; i < 2 && files; i++) {
        const struct split *split = split_of(a, i);
        const struct augmentation *augmentation = i == 0 ? a->augmentation : NULL;
        struct value *on =
            value_set(a->arena, value_map(a->arena), "command", value_text(a->arena, a->teacher->command));
        on = value_set(a->arena, on, "files", value_copy(a->arena, files));
        on = value_set(a->arena, on, "layer", value_text(a->arena, i == 0 ? logits_layer : test_layer));
        on = images_value(a->arena, on, a->plan, split, augmentation);
        if (!on)
            return a->ctx->error.status;
        a->entries[i] = (struct cache_entry){.teacher = a->teacher->command,
                                             .layer = i == 0 ? logits_layer : test_layer,
                                             .on = on,
                                             .rows = recording_rows(split, augmentation),
                                             .row = SHAPE(outputs_of(a->plan, a->teacher)),
                                             .element = ELEMENT_F32,
                                             .half = i == 0 && a->plan->cache_half};
    }
    return files ? STATUS_OK : a->ctx->error.status;
}

static enum status answers_open(struct asking *a, int pass, struct answers *answers)
{
    int64_t done;
    const struct cache_entry *entry = &a->entries[pass];
    if (a->cache)
        answers->writer = cache_writer_new(a->cache, entry, 1, &done);
    else
        answers->store = a->stores[pass] = store_new(a->ctx, entry->layer, ELEMENT_F32, entry->rows, entry->row);
    return answers->writer || answers->store ? STATUS_OK : a->ctx->error.status;
}

/* program_fault: what a program answers wrongly is no mistake of the recipe. */
static enum status program_fault(struct context *ctx)
{
    const struct error error = ctx->error;
    if (error.status != STATUS_BAD_INPUT && error.status != STATUS_BAD_SHAPE)
        return error.status;
    error_clear(ctx);
    return fail(ctx, STATUS_IO, "%s", error.message);
}

static enum status ask(struct asking *a)
{
    enum status status = STATUS_OK;
    struct answers answers[2] = {{NULL, NULL}, {NULL, NULL}};
    struct command_pass passes[2];
    const struct command_spec spec = {.command = a->teacher->command,
                                      .timeout = a->teacher->timeout,
                                      .classes = outputs_of(a->plan, a->teacher),
                                      .batch = COMMAND_BATCH,
                                      .label = a->teacher->name};
    for (int i = 0; i < 2; i++) {
        TRY(answers_open(a, i, &answers[i]));
        passes[i] = (struct command_pass){split_of(a, i), i == 0 ? a->augmentation : NULL, rows_keep, &answers[i]};
    }
    log_line(a->ctx, LOG_INFO, "recording logits of \"%s\": %lld samples, %lld rows in all", a->teacher->command,
             (long long)split_of(a, 0)->count, (long long)a->entries[0].rows);
    if (command_logits(a->ctx, &spec, passes, 2) != STATUS_OK)
        TRY(program_fault(a->ctx));
    for (int i = 0; i < 2; i++) {
        struct cache_writer *writer = answers[i].writer;
        answers[i].writer = NULL;
        TRY(cache_writer_finish(writer));
    }
cleanup:
    for (int i = 0; i < 2; i++)
        cache_writer_leave(answers[i].writer);
    return status;
}

static enum status stores_find(struct asking *a)
{
    for (int i = 0; i < 2 && a->cache; i++) {
        store_free(a->stores[i]);
        a->stores[i] = cache_store(a->cache, &a->entries[i]);
        RETURN_IF(a->ctx->error.status);
    }
    return STATUS_OK;
}

static enum status test_take(struct asking *a, double **test)
{
    const struct store *store = a->stores[1];
    *test = store->rows > 0 ? memory_new(a->ctx, (size_t)(store->rows * store->row_elements), sizeof **test) : NULL;
    if (store->rows > 0 && !*test)
        return a->ctx->error.status;
    store_all(store, ELEMENT_F64, *test);
    return STATUS_OK;
}

/* place_fill: the recording that outside_open made has its rows now. */
static void place_fill(struct asking *a, struct teaching *teaching)
{
    for (int i = 0; i < teaching->n_recordings; i++) {
        struct recording *recording = &teaching->recordings[i];
        if (strcmp(recording->teacher, a->teacher->name) != 0)
            continue;
        store_free(recording->store);
        recording->store = a->stores[0];
        a->stores[0] = NULL;
        return;
    }
}

enum status outside_make(struct context *ctx, struct arena *arena, const struct plan *plan, const struct cache *cache,
                         int index, struct teaching *teaching, double **test)
{
    enum status status = STATUS_OK;
    struct asking a = {
        .ctx = ctx, .arena = arena, .plan = plan, .teacher = &plan->teachers.items[index], .cache = cache};
    *test = NULL;
    if (a.teacher->kind != TEACHER_COMMAND)
        return STATUS_OK;
    a.augmentation = augmentation_limited(plan->data->augmentation, plan->views, &a.room);
    TRY(entries_make(&a));
    TRY(stores_find(&a));
    if (!a.stores[0] || !a.stores[1]) {
        TRY(ask(&a));
        TRY(stores_find(&a));
    }
    if (!a.stores[0] || !a.stores[1])
        TRY(fail(ctx, STATUS_IO, "%s: the outputs that were just recorded are gone", a.teacher->name));
    TRY(test_take(&a, test));
    place_fill(&a, teaching);
cleanup:
    store_free(a.stores[0]);
    store_free(a.stores[1]);
    return status;
}
