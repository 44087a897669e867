/* op_once.c: one call of one op. */
#include "support/op_once.h"

#include "support/compare.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void *room(struct op_once *o, const struct tensor_spec *spec)
{
    void *memory = memory_new(o->call.ctx, (size_t)shape_elements(&spec->shape), element_size(spec->element));
    assert_non_null(memory);
    return memory;
}

void op_once_new(struct op_once *o, struct kernel_context *kernels, const struct op *op, const void *attributes,
                 enum element element, int n_inputs, const struct tensor_spec *in)
{
    *o = (struct op_once){.call = {.ctx = kernels->ctx,
                                   .op = op,
                                   .attributes = attributes,
                                   .name = op->name,
                                   .n_inputs = n_inputs,
                                   .n_outputs = op->outputs},
                          .random = {1, 0},
                          .has_gradient = {true}};
    for (int i = 0; i < n_inputs; i++)
        o->call.in[i] = in[i];
    assert_int_equal(op->shape(&o->call), STATUS_OK);
    o->call.kernels = kernels;
    for (int i = 0; i < n_inputs; i++) {
        if (o->call.in[i].element == ELEMENT_REAL)
            o->call.in[i].element = element;
        o->in[i] = room(o, &o->call.in[i]);
        o->d_in[i] = room(o, &o->call.in[i]);
    }
    for (int i = 0; i < o->call.n_outputs; i++) {
        if (o->call.out[i].element == ELEMENT_REAL)
            o->call.out[i].element = element;
        o->out[i] = room(o, &o->call.out[i]);
        o->d_out[i] = room(o, &o->call.out[i]);
    }
    if (op->prepare)
        assert_int_equal(op->prepare(&o->call, op->backward != NULL, &o->needs), STATUS_OK);
    assert_int_equal(o->needs.derived_bytes, 0); /* ops with derived values need more than this */
    size_t most =
        o->needs.forward_scratch > o->needs.backward_scratch ? o->needs.forward_scratch : o->needs.backward_scratch;
    o->saved = memory_new(o->call.ctx, 1, o->needs.saved_bytes + 1);
    o->scratch = memory_new(o->call.ctx, 1, most + 1);
    assert_true(o->saved != NULL && o->scratch != NULL);
}

void op_once_free(struct op_once *o)
{
    for (int i = 0; i < OP_MAX_INPUTS; i++) {
        memory_free(o->call.ctx, o->in[i]);
        memory_free(o->call.ctx, o->d_in[i]);
    }
    for (int i = 0; i < OP_MAX_OUTPUTS; i++) {
        memory_free(o->call.ctx, o->out[i]);
        memory_free(o->call.ctx, o->d_out[i]);
    }
    memory_free(o->call.ctx, o->saved);
    memory_free(o->call.ctx, o->scratch);
    if (o->needs.plan)
        o->call.op->release(o->needs.plan);
}

static void run(struct op_once *o, void (*function)(const struct op_run *))
{
    static const bool add[OP_MAX_INPUTS] = {false};
    const void *in[OP_MAX_INPUTS], *d_out[OP_MAX_OUTPUTS];
    for (int i = 0; i < OP_MAX_INPUTS; i++)
        in[i] = o->in[i];
    for (int i = 0; i < OP_MAX_OUTPUTS; i++)
        d_out[i] = o->has_gradient[i] ? o->d_out[i] : NULL;
    o->call.random = &o->random;
    struct op_run once = {
        .call = &o->call,
        .table = kernels_of(o->call.kernels, o->call.out[0].element == ELEMENT_F64 ? ELEMENT_F64 : ELEMENT_F32),
        .plan = o->needs.plan,
        .in = in,
        .out = o->out,
        .d_out = d_out,
        .d_in = o->d_in,
        .add = add,
        .saved = o->saved,
        .scratch = o->scratch,
        .keep = true,
        .threads = o->call.kernels->threads};
    function(&once);
}

void op_once_forward(struct op_once *o)
{
    run(o, o->call.op->forward);
}

void op_once_backward(struct op_once *o)
{
    run(o, o->call.op->backward);
}

int64_t op_once_elements(const struct op_once *o, int input)
{
    return shape_elements(&o->call.in[input].shape);
}

void op_once_put(struct op_once *o, int input, int64_t i, double value)
{
    element_write(o->call.in[input].element, o->in[input], i, value);
}

double op_once_out(const struct op_once *o, int output, int64_t i)
{
    return element_read(o->call.out[output].element, o->out[output], i);
}

void op_once_put_d_out(struct op_once *o, int output, int64_t i, double value)
{
    element_write(o->call.out[output].element, o->d_out[output], i, value);
}

double op_once_d_in(const struct op_once *o, int input, int64_t i)
{
    return element_read(o->call.in[input].element, o->d_in[input], i);
}
