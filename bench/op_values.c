/* op_values.c: every example of every op, computed as a program computes it, for parity.py to compare with PyTorch.
 *
 * op_values FILE [f32|f64] [seed]: runs the op table's examples on their seeded inputs, forward and backward, one
 * thread, and writes all arrays to FILE (safetensors): OP/EXAMPLE/in0 …, out0 …, d_out0 … (made up, for each real
 * output) and d_in0 … (where the example asks for a gradient). The metadata `cases` (JSON) says for each example op,
 * name, how far its gradient is bounded, numbers of inputs and outputs, and the bytes of the op's attributes in
 * hexadecimal. Not a test. */
#include "base/random.h"
#include "base/value.h"
#include "format/json.h"
#include "format/safetensors.h"
#include "support/compare.h"
#include "support/op_fill.h"

#include <stdlib.h>
#include <string.h>

struct collection {
    struct context *ctx;
    struct arena *arena;
    struct kernel_context *kernels;
    enum element element;
    uint64_t seed;
    struct safetensors file; /* tensors: memory_new; their data too */
    size_t capacity;
    struct value *cases;
};

/* One example: names, calls and pointers; the arrays belong to the collection. */
struct example {
    struct op_call call;
    struct op_needs needs;
    struct op_random random;
    const struct op_example *from;
    const char *name; /* "OP/EXAMPLE" */
    bool gradient;    /* backward runs */
    void *in[OP_MAX_INPUTS], *out[OP_MAX_OUTPUTS], *d_in[OP_MAX_INPUTS], *d_out[OP_MAX_OUTPUTS];
    void *saved, *derived, *scratch;
};

/* array_new: zeroed and part of the file; NULL: error recorded. */
static void *array_new(struct collection *c, const struct example *x, const char *what, int number,
                       const struct tensor_spec *spec)
{
    if (c->file.count == c->capacity) {
        size_t capacity = c->capacity ? 2 * c->capacity : 256;
        struct safetensor *more = memory_new(c->ctx, capacity, sizeof *more);
        if (!more)
            return NULL;
        if (c->file.count)
            memcpy(more, c->file.tensors, c->file.count * sizeof *more);
        memory_free(c->ctx, c->file.tensors);
        c->file.tensors = more;
        c->capacity = capacity;
    }
    const char *name = arena_format(c->arena, "%s/%s%d", x->name, what, number);
    void *data = memory_new(c->ctx, (size_t)shape_elements(&spec->shape), element_size(spec->element));
    if (!name || !data) {
        memory_free(c->ctx, data);
        return NULL;
    }
    c->file.tensors[c->file.count++] = (struct safetensor){name, {spec->element, spec->shape, data}};
    return data;
}

static void collection_free(struct collection *c)
{
    for (size_t i = 0; i < c->file.count; i++)
        memory_free(c->ctx, c->file.tensors[i].tensor.data);
    memory_free(c->ctx, c->file.tensors);
    kernel_context_free(c->kernels);
    arena_free(c->arena);
}

static enum element bound(const struct collection *c, enum element element)
{
    return element == ELEMENT_REAL ? c->element : element;
}

static enum status inputs_make(struct collection *c, struct example *x)
{
    for (int i = 0; i < x->call.n_inputs; i++) {
        struct tensor_spec *spec = &x->call.in[i];
        const int64_t n = shape_elements(&spec->shape);
        const bool wanted = x->call.op->backward && spec->element == ELEMENT_REAL && !x->from->in[i].constant;
        spec->element = bound(c, spec->element);
        x->in[i] = array_new(c, x, "in", i, spec);
        if (!x->in[i])
            return c->ctx->error.status;
        double *values = op_take(n, sizeof *values);
        op_fill_input(&x->from->in[i], i, c->seed, n, values);
        for (int64_t j = 0; j < n; j++)
            element_write(spec->element, x->in[i], j, values[j]);
        free(values);
        if (wanted && !(x->d_in[i] = array_new(c, x, "d_in", i, spec)))
            return c->ctx->error.status;
        x->gradient = x->gradient || wanted;
    }
    return STATUS_OK;
}

static enum status outputs_make(struct collection *c, struct example *x)
{
    const struct random_key key = {c->seed, 2000, 0};
    for (int o = 0; o < x->call.n_outputs; o++) {
        struct tensor_spec *spec = &x->call.out[o];
        const bool wanted = x->gradient && spec->element == ELEMENT_REAL;
        spec->element = bound(c, spec->element);
        x->out[o] = array_new(c, x, "out", o, spec);
        if (!x->out[o] || (wanted && !(x->d_out[o] = array_new(c, x, "d_out", o, spec))))
            return c->ctx->error.status;
        for (int64_t i = 0; wanted && i < shape_elements(&spec->shape); i++)
            element_write(spec->element, x->d_out[o], i,
                          (double)(float)random_normal(&key, (uint64_t)(i * OP_MAX_OUTPUTS + o)));
    }
    return STATUS_OK;
}

/* describe: the example in the list of cases. */
static void describe(struct collection *c, const struct example *x)
{
    struct value *map = value_map(c->arena);
    const size_t size = x->call.op->attributes_size;
    const unsigned char *bytes = x->call.attributes;
    char *hex = arena_take(c->arena, 2 * size + 1, 1);
    for (size_t i = 0; hex && i < size; i++) {
        hex[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    value_set(c->arena, map, "key", value_text(c->arena, x->name));
    value_set(c->arena, map, "op", value_text(c->arena, x->call.op->name));
    value_set(c->arena, map, "example", value_text(c->arena, x->from->name));
    value_set(c->arena, map, "attributes", hex ? value_text(c->arena, hex) : NULL);
    value_set(c->arena, map, "bounded", value_real(c->arena, x->from->bounded));
    value_set(c->arena, map, "inputs", value_integer(c->arena, x->call.n_inputs));
    value_set(c->arena, map, "outputs", value_integer(c->arena, x->call.n_outputs));
    value_append(c->arena, c->cases, map);
}

static void example_run(const struct collection *c, struct example *x)
{
    static const bool add[OP_MAX_INPUTS] = {false};
    const void *in[OP_MAX_INPUTS], *d_out[OP_MAX_OUTPUTS];
    memcpy(in, x->in, sizeof in);
    memcpy(d_out, x->d_out, sizeof d_out);
    const struct op_run run = {.call = &x->call,
                               .table = kernels_of(c->kernels, c->element),
                               .plan = x->needs.plan,
                               .in = in,
                               .out = x->out,
                               .d_out = d_out,
                               .d_in = x->d_in,
                               .add = add,
                               .saved = x->needs.saved_bytes && x->gradient ? x->saved : NULL,
                               .scratch = x->scratch,
                               .derived = x->needs.derived_bytes ? x->derived : NULL,
                               .derived_stale = true,
                               .keep = x->gradient,
                               .threads = 1};
    x->call.op->forward(&run);
    if (x->gradient)
        x->call.op->backward(&run);
}

static enum status example_make(struct collection *c, const struct op *op, size_t index)
{
    enum status status = STATUS_OK;
    struct example x = {.from = &op->examples[index], .random = {c->seed, 3}};
    x.name = arena_format(c->arena, "%s/%zu", op->name, index);
    x.call = (struct op_call){.ctx = c->ctx,
                              .op = op,
                              .attributes = x.from->attributes,
                              .name = op->name,
                              .n_inputs = x.from->n_inputs,
                              .n_outputs = op->outputs,
                              .random = &x.random};
    for (int i = 0; i < x.call.n_inputs; i++)
        x.call.in[i] =
            (struct tensor_spec){op_fill_element(x.from->in[i].fill), shape_of(x.from->in[i].rank, x.from->in[i].dim)};
    if (!x.name)
        return c->ctx->error.status;
    TRY(op->shape(&x.call));
    TRY(inputs_make(c, &x));
    TRY(outputs_make(c, &x));
    x.call.kernels = c->kernels;
    if (op->prepare)
        TRY(op->prepare(&x.call, x.gradient, &x.needs));
    const size_t scratch =
        x.needs.forward_scratch > x.needs.backward_scratch ? x.needs.forward_scratch : x.needs.backward_scratch;
    x.saved = memory_new(c->ctx, 1, x.needs.saved_bytes + 1);
    x.derived = memory_new(c->ctx, 1, x.needs.derived_bytes + 1);
    x.scratch = memory_new(c->ctx, 1, scratch + 1);
    if (x.saved && x.derived && x.scratch) {
        example_run(c, &x);
        describe(c, &x);
    }
    status = c->ctx->error.status;
cleanup:
    if (op->release && x.needs.plan)
        op->release(x.needs.plan);
    memory_free(c->ctx, x.saved);
    memory_free(c->ctx, x.derived);
    memory_free(c->ctx, x.scratch);
    return status;
}

static enum status collection_write(struct collection *c, const char *path)
{
    enum status status = STATUS_OK;
    struct text text;
    text_init(&text, c->ctx);
    json_write(c->cases, &text, 0);
    struct safetensors_entry metadata[] = {{"cases", text.bytes}};
    c->file.metadata = metadata;
    c->file.metadata_count = 1;
    TRY(c->ctx->error.status);
    TRY(safetensors_write(c->ctx, path, &c->file));
cleanup:
    c->file.metadata = NULL;
    text_free(&text);
    return status;
}

int main(int argc, char **argv)
{
    const bool f64 = argc > 2 && strcmp(argv[2], "f64") == 0;
    if (argc < 2 || argc > 4 || (argc > 2 && !f64 && strcmp(argv[2], "f32") != 0)) {
        fprintf(stderr, "op_values: expected FILE [f32|f64] [seed]\n");
        return 2;
    }
    struct context ctx;
    context_init(&ctx);
    struct collection c = {.ctx = &ctx, .element = f64 ? ELEMENT_F64 : ELEMENT_F32};
    c.seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    c.arena = arena_new(&ctx);
    c.kernels = kernel_context_new(&ctx, 1);
    c.cases = c.arena ? value_list(c.arena) : NULL;
    enum status status = ctx.error.status;
    for (size_t i = 0; status == STATUS_OK && i < op_table_count; i++)
        for (size_t e = 0; status == STATUS_OK && e < op_table[i]->n_examples; e++)
            status = example_make(&c, op_table[i], e);
    if (status == STATUS_OK)
        status = collection_write(&c, argv[1]);
    if (status != STATUS_OK)
        fprintf(stderr, "op_values: %s\n", ctx.error.message);
    collection_free(&c);
    return status == STATUS_OK ? 0 : 1;
}
