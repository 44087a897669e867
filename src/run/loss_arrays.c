/* loss_arrays.c: reads and checks; messages name files and use the files' shapes. */
#include "run/loss_arrays.h"

#include "base/file.h"

#include <string.h>

/* A side's arrays, and the input of the method that array i is for. */
struct side_arrays {
    const struct method *method;
    enum side side;
    const char *const *paths;
    const struct npy *arrays;
    int count;
};

static const char *side_text(enum side side)
{
    return side == SIDE_STUDENT ? "student" : "teacher";
}

static const char *role_text(enum tap_role role)
{
    static const char *const texts[] = {
        [ROLE_LOGITS] = "logits [B,K]",
        [ROLE_EMBEDDING] = "an embedding [B,D]",
        [ROLE_MAP] = "a map [B,C,H,W]",
        [ROLE_MAP_BEFORE_ACTIVATION] = "a map [B,C,H,W] before its activation",
        [ROLE_ACTIVATIONS] = "a map [B,C,H,W] or an embedding [B,D]",
    };
    return texts[role];
}

static void side_range(const struct method *method, enum side side, int *min, int *max)
{
    *min = 0;
    *max = 0;
    for (int i = 0; i < method->n_inputs; i++)
        if (method->inputs[i].side == side) {
            *min += method->inputs[i].min;
            *max += method->inputs[i].max;
        }
}

static enum status count_check(struct context *ctx, const struct method *method, enum side side, int count)
{
    int min, max;
    side_range(method, side, &min, &max);
    if (count >= min && count <= max)
        return STATUS_OK;
    int bound = count < min ? min : max;
    return fail(ctx, STATUS_BAD_INPUT, "method %s: expected %s%d %s array%s (--%s FILE.npy%s), found %d", method->name,
                min == max ? "" : (count < min ? "at least " : "at most "), bound, side_text(side),
                bound == 1 ? "" : "s", side_text(side), bound > 1 ? ",…" : "", count);
}

static enum status rank_check(struct context *ctx, const struct side_arrays *side, int i, enum tap_role role)
{
    char found[SHAPE_TEXT_SIZE];
    const struct npy *array = &side->arrays[i];
    int rank = array->shape.rank;
    const bool matrix = role == ROLE_LOGITS || role == ROLE_EMBEDDING || role == ROLE_ACTIVATIONS;
    const bool fits = (rank == 2 && matrix) || (rank == 4 && role != ROLE_LOGITS);
    if (array->element != ELEMENT_F32 && array->element != ELEMENT_F64)
        return fail(ctx, STATUS_BAD_INPUT, "%s: expected float32 or float64, found %s", side->paths[i],
                    element_text(array->element));
    if (fits && shape_elements(&array->shape) > 0)
        return STATUS_OK;
    return fail(ctx, STATUS_BAD_SHAPE, "%s: the %s array of method %s: expected %s, found %s", side->paths[i],
                side_text(side->side), side->method->name, role_text(role), shape_text(&array->shape, found));
}

/* side_check: the arrays come in the order of the method's inputs, of which the last may be of a variable number. */
static enum status side_check(struct context *ctx, const struct side_arrays *side, int *classes)
{
    int min, max, at = 0;
    side_range(side->method, side->side, &min, &max);
    for (int i = 0; i < side->method->n_inputs; i++) {
        const struct method_input *input = &side->method->inputs[i];
        if (input->side != side->side)
            continue;
        min -= input->min;
        for (int n = 0; n < input->max && side->count - at > min; n++, at++) {
            RETURN_IF(rank_check(ctx, side, at, input->role));
            if (input->role == ROLE_LOGITS && *classes == 0)
                *classes = (int)side->arrays[at].shape.dim[1];
        }
    }
    return STATUS_OK;
}

static enum status batch_check(struct loss_arrays *arrays, const struct side_arrays *side)
{
    char found[SHAPE_TEXT_SIZE];
    for (int i = 0; i < side->count; i++) {
        int64_t batch = side->arrays[i].shape.dim[0];
        if (arrays->batch < 0)
            arrays->batch = batch;
        if (batch != arrays->batch)
            return fail(arrays->ctx, STATUS_BAD_SHAPE, "%s: expected a batch of %lld as in the first array, found %s",
                        side->paths[i], (long long)arrays->batch, shape_text(&side->arrays[i].shape, found));
    }
    if (side->count > 0 && arrays->batch < side->method->batch_min)
        return fail(arrays->ctx, STATUS_BAD_SHAPE, "%s: method %s: expected a batch of at least %d, found %lld",
                    side->paths[0], side->method->name, side->method->batch_min, (long long)arrays->batch);
    return STATUS_OK;
}

static int64_t label_at(const struct npy *labels, int64_t i)
{
    return labels->element == ELEMENT_I64 ? ((const int64_t *)labels->data)[i] : ((const int32_t *)labels->data)[i];
}

static enum status labels_check(struct loss_arrays *arrays, const char *path)
{
    struct context *ctx = arrays->ctx;
    const struct npy *labels = &arrays->labels;
    char found[SHAPE_TEXT_SIZE];
    if (labels->element != ELEMENT_I64 && labels->element != ELEMENT_I32)
        return fail(ctx, STATUS_BAD_INPUT, "%s: labels: expected int64, found %s", path, element_text(labels->element));
    if (labels->shape.rank != 1 || (arrays->batch >= 0 && labels->shape.dim[0] != arrays->batch))
        return fail(ctx, STATUS_BAD_SHAPE, "%s: labels: expected [%lld], found %s", path, (long long)arrays->batch,
                    shape_text(&labels->shape, found));
    int64_t largest = -1;
    for (int64_t i = 0; i < labels->shape.dim[0]; i++) {
        int64_t label = label_at(labels, i);
        largest = label > largest ? label : largest;
        if (label < -1 || label > INT32_MAX - 1 || (arrays->classes > 0 && label >= arrays->classes))
            return fail(ctx, STATUS_BAD_INPUT, "%s: label %lld of sample %lld: expected -1 (none) to %d", path,
                        (long long)label, (long long)i, arrays->classes > 0 ? arrays->classes - 1 : INT32_MAX - 1);
    }
    if (arrays->classes == 0)
        arrays->classes = (int)(largest + 1);
    return STATUS_OK;
}

static enum status sides_check(struct loss_arrays *arrays, const struct run_loss *asked, const struct method *method)
{
    const struct side_arrays sides[] = {
        {method, SIDE_STUDENT, asked->student, arrays->student, arrays->n_student},
        {method, SIDE_TEACHER, asked->teacher, arrays->teacher, arrays->n_teacher},
    };
    for (int i = 0; i < 2; i++)
        RETURN_IF(side_check(arrays->ctx, &sides[i], &arrays->classes));
    for (int i = 0; i < 2; i++)
        RETURN_IF(batch_check(arrays, &sides[i]));
    return arrays->labels.data != NULL ? labels_check(arrays, asked->labels) : STATUS_OK;
}

/* argument_read: an array that is not there is a wrong argument, as one that does not fit is. */
static enum status argument_read(struct context *ctx, const char *path, const char *what, struct npy *out)
{
    if (!file_exists(path))
        return fail(ctx, STATUS_BAD_INPUT, "%s: expected an NPY file (%s), found no such file", path, what);
    return npy_read(ctx, path, out);
}

static enum status side_read(struct loss_arrays *arrays, struct arena *arena, enum side side, const char *const *paths,
                             int count, struct npy **out, int *read)
{
    *out = arena_take(arena, (size_t)count, sizeof **out);
    if (*out == NULL)
        return arrays->ctx->error.status;
    for (*read = 0; *read < count; ++*read) {
        RETURN_IF(argument_read(arrays->ctx, paths[*read], side_text(side), &(*out)[*read]));
        if ((*out)[*read].element == ELEMENT_F64)
            arrays->precision = ELEMENT_F64;
    }
    return STATUS_OK;
}

static enum status own_read(struct loss_arrays *arrays, struct arena *arena, const struct run_loss *asked)
{
    arrays->own = arena_take(arena, (size_t)asked->n_own, sizeof *arrays->own);
    if (arrays->own == NULL)
        return arrays->ctx->error.status;
    for (int i = 0; i < asked->n_own; i++, arrays->n_own++) {
        char *name = arena_text(arena, asked->own[i]);
        char *equals = name != NULL ? strchr(name, '=') : NULL;
        if (name == NULL)
            return arrays->ctx->error.status;
        if (equals == NULL || equals == name || equals[1] == '\0')
            return fail(arrays->ctx, STATUS_BAD_INPUT, "--own: expected NAME=FILE.npy, found \"%s\"", asked->own[i]);
        *equals = '\0';
        for (int j = 0; j < i; j++)
            if (strcmp(arrays->own[j].name, name) == 0)
                return fail(arrays->ctx, STATUS_BAD_INPUT, "--own: the array \"%s\" is given twice", name);
        arrays->own[i] = (struct loss_own){.name = name, .path = equals + 1};
        RETURN_IF(argument_read(arrays->ctx, equals + 1, name, &arrays->own[i].array));
        if (arrays->own[i].array.element == ELEMENT_F64)
            arrays->precision = ELEMENT_F64;
    }
    return STATUS_OK;
}

enum status loss_arrays_read(struct context *ctx, struct arena *arena, const struct run_loss *asked,
                             const struct method *method, struct loss_arrays *out)
{
    memset(out, 0, sizeof *out);
    out->ctx = ctx;
    out->batch = -1;
    out->precision = ELEMENT_F32;
    RETURN_IF(count_check(ctx, method, SIDE_STUDENT, asked->n_student));
    RETURN_IF(count_check(ctx, method, SIDE_TEACHER, asked->n_teacher));
    if (method->wants & METHOD_WANTS_LABELS && asked->labels == NULL)
        return fail(ctx, STATUS_BAD_INPUT, "method %s: expected labels (--labels FILE.npy, int64 [B]), found none",
                    method->name);
    RETURN_IF(side_read(out, arena, SIDE_STUDENT, asked->student, asked->n_student, &out->student, &out->n_student));
    RETURN_IF(side_read(out, arena, SIDE_TEACHER, asked->teacher, asked->n_teacher, &out->teacher, &out->n_teacher));
    if (asked->labels != NULL)
        RETURN_IF(argument_read(ctx, asked->labels, "labels", &out->labels));
    RETURN_IF(own_read(out, arena, asked));
    return sides_check(out, asked, method);
}

void loss_arrays_free(struct loss_arrays *arrays)
{
    for (int i = 0; i < arrays->n_student; i++)
        npy_free(arrays->ctx, &arrays->student[i]);
    for (int i = 0; i < arrays->n_teacher; i++)
        npy_free(arrays->ctx, &arrays->teacher[i]);
    for (int i = 0; i < arrays->n_own; i++)
        npy_free(arrays->ctx, &arrays->own[i].array);
    npy_free(arrays->ctx, &arrays->labels);
}

struct shape array_inner(const struct npy *array)
{
    const int64_t *d = array->shape.dim;
    return array->shape.rank == 4 ? SHAPE(d[0], d[2], d[3], d[1]) : array->shape;
}

static double element_at(const struct npy *array, int64_t i)
{
    switch (array->element) {
    case ELEMENT_F64:
        return ((const double *)array->data)[i];
    case ELEMENT_F32:
        return ((const float *)array->data)[i];
    case ELEMENT_I64:
        return (double)((const int64_t *)array->data)[i];
    case ELEMENT_I32:
        return ((const int32_t *)array->data)[i];
    default:
        return ((const unsigned char *)array->data)[i];
    }
}

/* inner_index: where element i of a file's map [B,C,H,W] lies inside, in [B,H,W,C]. */
static int64_t inner_index(const struct shape *file, int64_t i)
{
    int64_t c = file->dim[1], area = file->dim[2] * file->dim[3];
    int64_t sample = i / (c * area), channel = i / area % c, place = i % area;
    return (sample * area + place) * c + channel;
}

double *array_values(struct context *ctx, const struct npy *array)
{
    int64_t count = shape_elements(&array->shape);
    double *values = memory_new(ctx, (size_t)count, sizeof *values);
    for (int64_t i = 0; values != NULL && i < count; i++)
        values[array->shape.rank == 4 ? inner_index(&array->shape, i) : i] = element_at(array, i);
    return values;
}

enum status array_write(struct context *ctx, const char *path, enum element precision, const struct shape *shape,
                        bool map, const double *values)
{
    int64_t count = shape_elements(shape);
    void *out = memory_new(ctx, (size_t)count, element_size(precision));
    if (out == NULL)
        return ctx->error.status;
    for (int64_t i = 0; i < count; i++) {
        double value = values[map ? inner_index(shape, i) : i];
        if (precision == ELEMENT_F64)
            ((double *)out)[i] = value;
        else
            ((float *)out)[i] = (float)value;
    }
    enum status status = npy_write(ctx, path, precision, shape, out);
    memory_free(ctx, out);
    return status;
}
