/* method_arrays.c: making the arrays of method_case.h. */
#include "support/method_case.h"

#include "base/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void *take(int64_t count, size_t size)
{
    void *memory = calloc((size_t)(count > 0 ? count : 1), size);
    assert_non_null(memory);
    return memory;
}

/* Sizes small enough for central differences, and odd. */
static struct shape role_shape(enum tap_role role, int batch, int classes)
{
    switch (role) {
    case ROLE_LOGITS:
        return SHAPE(batch, classes);
    case ROLE_EMBEDDING:
        return SHAPE(batch, 5);
    case ROLE_MAP:
    case ROLE_MAP_BEFORE_ACTIVATION:
    case ROLE_ACTIVATIONS:
        return SHAPE(batch, 3, 2, 4);
    }
    return SHAPE_SCALAR;
}

/* The n-th tap's shape where all differ: the teacher is wider. */
static struct shape uneven_shape(enum tap_role role, enum side side, int n, int batch, int classes)
{
    const bool teacher = side == SIDE_TEACHER;
    if (role == ROLE_LOGITS)
        return SHAPE(batch, classes);
    if (role == ROLE_EMBEDDING || (role == ROLE_ACTIVATIONS && n % 2 == 1))
        return SHAPE(batch, (teacher ? 7 : 4) + n);
    return teacher ? SHAPE(batch, 4 + n, 3 - n % 2, 4 - n % 2) : SHAPE(batch, 2 + n, 4 - n % 2, 3 - n % 2);
}

static double *filled(const struct shape *shape, enum arrays_fill fill, uint64_t seed, uint32_t stream)
{
    struct random_key key = {seed, stream, 0};
    int64_t count = shape_elements(shape), row = shape_row(shape);
    double *values = take(count, sizeof(double));
    for (int64_t i = 0; i < count; i++) {
        double normal = random_normal(&key, (uint64_t)(fill == ARRAYS_CONSTANT ? i / row : i));
        values[i] = fill == ARRAYS_SATURATED ? copysign(1e4, normal) : (double)(float)(2 * normal);
    }
    return values;
}

static void add_tap(struct arrays *arrays, enum side side, struct shape shape, enum arrays_fill fill, uint64_t seed)
{
    const bool student = side == SIDE_STUDENT;
    int *count = student ? &arrays->n_student : &arrays->n_teacher;
    assert_true(*count < ARRAYS_MAX);
    uint32_t stream = (uint32_t)(2 * *count + (student || fill == ARRAYS_IDENTICAL ? 0 : 1));
    *(student ? &arrays->student_shape[*count] : &arrays->teacher_shape[*count]) = shape;
    *(student ? &arrays->student[*count] : &arrays->teacher[*count]) = filled(&shape, fill, seed, stream);
    ++*count;
}

static void add_labels(struct arrays *arrays, uint64_t seed)
{
    struct random_key key = {seed, random_stream("labels"), 0};
    arrays->samples = 2 * arrays->batch;
    arrays->labels = take(arrays->batch, sizeof(int32_t));
    arrays->all_labels = take(arrays->samples, sizeof(int32_t));
    for (int i = 0; i < arrays->samples; i++)
        arrays->all_labels[i] = (int32_t)(random_u32(&key, (uint64_t)i) % (uint32_t)arrays->classes);
    memcpy(arrays->labels, arrays->all_labels, (size_t)arrays->batch * sizeof(int32_t));
}

struct arrays arrays_new(const struct method *method, enum arrays_fill fill, int batch, int classes, uint64_t seed)
{
    struct arrays arrays = {.batch = batch, .classes = classes};
    for (int i = 0; i < method->n_inputs; i++)
        for (int n = 0; n < method_taps(method, i); n++)
            add_tap(&arrays, method->inputs[i].side, role_shape(method->inputs[i].role, batch, classes), fill, seed);
    add_labels(&arrays, seed);
    return arrays;
}

struct arrays arrays_uneven(const struct method *method, int batch, int classes, uint64_t seed)
{
    struct arrays arrays = {.batch = batch, .classes = classes};
    for (int i = 0; i < method->n_inputs; i++) {
        const struct method_input *input = &method->inputs[i];
        const int taps = input->max > 1 && method_taps(method, i) < 2 ? 2 : method_taps(method, i);
        for (int n = 0; n < taps; n++)
            add_tap(&arrays, input->side, uneven_shape(input->role, input->side, n, batch, classes), ARRAYS_NORMAL,
                    seed);
    }
    add_labels(&arrays, seed);
    return arrays;
}

void arrays_free(struct arrays *arrays)
{
    for (int i = 0; i < ARRAYS_MAX; i++) {
        free(arrays->student[i]);
        free(arrays->teacher[i]);
    }
    free(arrays->labels);
    free(arrays->all_labels);
    free(arrays->targets);
    *arrays = (struct arrays){0};
}

void arrays_give_targets(struct arrays *arrays, uint64_t seed)
{
    struct random_key key = {seed, random_stream("targets"), 0};
    arrays->targets = take((int64_t)arrays->batch * arrays->classes, sizeof(double));
    for (int b = 0; b < arrays->batch; b++) {
        double *row = arrays->targets + b * arrays->classes, left = 1;
        for (int k = 0; k < arrays->classes - 1; k++) {
            row[k] = (double)(float)(left * random_uniform(&key, (uint64_t)(b * arrays->classes + k)) / 2);
            left -= row[k];
        }
        row[arrays->classes - 1] = (double)(float)left;
    }
}

void arrays_drop_labels(struct arrays *arrays, int n)
{
    if (n == 0) {
        free(arrays->labels);
        arrays->labels = NULL;
    }
    for (int b = 0; n > 0 && b < arrays->batch; b += n)
        arrays->labels[b] = -1;
}

bool arrays_may_lack_student(const struct method *method)
{
    int student = 0, teacher = 0;
    for (int i = 0; i < method->n_inputs; i++)
        *(method->inputs[i].side == SIDE_STUDENT ? &student : &teacher) += method->inputs[i].min;
    return student == 0 && teacher > 0;
}

void arrays_drop_student(struct arrays *arrays)
{
    for (int i = 0; i < arrays->n_student; i++) {
        free(arrays->student[i]);
        arrays->student[i] = NULL;
    }
    arrays->n_student = 0;
}

static double *permuted(const double *values, const struct shape *shape, const int32_t *order)
{
    int64_t row = shape_row(shape);
    double *copy = take(shape_elements(shape), sizeof(double));
    for (int64_t b = 0; b < shape->dim[0]; b++)
        memcpy(copy + b * row, values + order[b] * row, (size_t)row * sizeof(double));
    return copy;
}

struct arrays arrays_permuted(const struct arrays *arrays, const int32_t *order)
{
    struct arrays copy = *arrays;
    copy.order = order;
    struct shape targets = SHAPE(arrays->batch, arrays->classes);
    for (int i = 0; i < arrays->n_student; i++)
        copy.student[i] = permuted(arrays->student[i], &arrays->student_shape[i], order);
    for (int i = 0; i < arrays->n_teacher; i++)
        copy.teacher[i] = permuted(arrays->teacher[i], &arrays->teacher_shape[i], order);
    copy.targets = arrays->targets ? permuted(arrays->targets, &targets, order) : NULL;
    copy.all_labels = take(arrays->samples, sizeof(int32_t));
    memcpy(copy.all_labels, arrays->all_labels, (size_t)arrays->samples * sizeof(int32_t));
    copy.labels = arrays->labels ? take(arrays->batch, sizeof(int32_t)) : NULL;
    for (int b = 0; arrays->labels && b < arrays->batch; b++)
        copy.labels[b] = arrays->labels[order[b]];
    return copy;
}

struct arrays arrays_moved(const struct arrays *arrays, double by, uint64_t seed)
{
    int32_t *same = take(arrays->batch, sizeof *same);
    for (int b = 0; b < arrays->batch; b++)
        same[b] = b;
    struct arrays copy = arrays_permuted(arrays, same);
    copy.order = arrays->order;
    for (int tap = 0; tap < 2 * ARRAYS_MAX; tap++) {
        const bool student = tap % 2 == 0;
        double *values = (student ? copy.student : copy.teacher)[tap / 2];
        const struct shape *shape = &(student ? copy.student_shape : copy.teacher_shape)[tap / 2];
        struct random_key key = {seed, random_stream("moved"), (uint64_t)tap};
        for (int64_t i = 0; values && i < shape_elements(shape); i++) {
            values[i] *= 1 + by * (2 * random_uniform(&key, (uint64_t)i) - 1);
            values[i] = by < 1e-6 ? values[i] : (double)(float)values[i];
        }
    }
    free(same);
    return copy;
}
