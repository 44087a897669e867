/* safetensors_find.c: looks into what was read: a tensor, a text, the first number that is not finite. */
#include "format/safetensors.h"

#include <string.h>

const struct safetensor *safetensors_find(const struct safetensors *file, const char *name)
{
    for (size_t i = 0; i < file->count; i++)
        if (strcmp(file->tensors[i].name, name) == 0)
            return &file->tensors[i];
    return NULL;
}

const char *safetensors_text(const struct safetensors *file, const char *key)
{
    for (size_t i = 0; i < file->metadata_count; i++)
        if (strcmp(file->metadata[i].key, key) == 0)
            return file->metadata[i].text;
    return NULL;
}

enum status safetensors_check_finite(struct context *ctx, const char *name, const struct safetensors *file)
{
    for (size_t i = 0; i < file->count; i++) {
        const struct tensor *tensor = &file->tensors[i].tensor;
        int64_t bad = format_not_finite(tensor->element, tensor->data, shape_elements(&tensor->shape));
        if (bad < 0)
            continue;
        int64_t rest = bad, place[SHAPE_MAX_RANK] = {0};
        for (int axis = tensor->shape.rank - 1; axis >= 0; axis--) {
            place[axis] = rest % tensor->shape.dim[axis];
            rest /= tensor->shape.dim[axis];
        }
        struct shape index = shape_of(tensor->shape.rank, place);
        char text[SHAPE_TEXT_SIZE];
        return fail(ctx, STATUS_NOT_FINITE, "%s: tensor \"%s\" at %s: expected a finite number, found %s", name,
                    file->tensors[i].name, shape_text(&index, text),
                    format_not_finite_text(tensor->element, tensor->data, bad));
    }
    return STATUS_OK;
}
