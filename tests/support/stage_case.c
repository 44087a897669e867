/* stage_case.c: see stage_case.h. */
#include "support/stage_case.h"

#include "base/random.h"
#include "format/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const usual =
    "{\"layers\":[{\"conv\":{\"out\":6,\"kernel\":3,\"padding\":1,\"bias\":false}},\"batch_norm\",\"relu\",{\"max_"
    "pool\":{\"kernel\":2}},"
    "{\"conv\":{\"out\":6,\"kernel\":3,\"padding\":1},\"name\":\"inner\"},\"batch_norm\",\"relu\","
    "{\"add\":{},\"inputs\":[\"max_pool1\",\"relu2\"]},{\"dropout\":{\"rate\":0.2}},\"flatten\",{\"linear\":{\"out\":4}"
    "}]}";

static struct value *parsed(struct stage_case *c, const char *json)
{
    struct value *value = NULL;
    if (json && json_parse(&c->ctx, c->arena, "test", json, strlen(json), &value) != STATUS_OK)
        fail_msg("%s", c->ctx.error.message);
    return value;
}

static void data_make(struct stage_case *c)
{
    struct random_key key = {11, random_stream("stage_case"), 0};
    for (int i = 0; i < STAGE_CASE_SAMPLES; i++) {
        c->labels[i] = i % STAGE_CASE_CLASSES;
        for (int y = 0; y < STAGE_CASE_SIDE; y++)
            for (int x = 0; x < STAGE_CASE_SIDE; x++) {
                int noise = (int)(random_u32(&key, (uint64_t)((i * STAGE_CASE_SIDE + y) * STAGE_CASE_SIDE + x)) % 120);
                bool bright = c->labels[i] < 2 ? y / 4 == c->labels[i] : x / 4 == c->labels[i] - 2;
                c->images[i][y][x] = (uint8_t)(noise + (bright ? 100 : 0));
            }
    }
    struct split split = {.name = "train",
                          .element = ELEMENT_U8,
                          .count = STAGE_CASE_SAMPLES,
                          .height = STAGE_CASE_SIDE,
                          .width = STAGE_CASE_SIDE,
                          .channels = 1,
                          .images = c->images,
                          .labels = c->labels,
                          .labelled = STAGE_CASE_SAMPLES};
    c->data = (struct data){.name = "case",
                            .classes = STAGE_CASE_CLASSES,
                            .height = STAGE_CASE_SIDE,
                            .width = STAGE_CASE_SIDE,
                            .channels = 1};
    c->data.splits[SPLIT_TRAIN] = split;
}

void stage_case_new(struct stage_case *c)
{
    memset(c, 0, sizeof *c);
    context_init(&c->ctx);
    c->arena = arena_new(&c->ctx);
    c->kernels = kernel_context_new(&c->ctx, 1);
    c->memory = program_memory_new(&c->ctx);
    assert_true(c->arena && c->kernels && c->memory);
    data_make(c);
    struct value *train =
        parsed(c, "{\"epochs\":2,\"batch\":32,\"optimiser\":{\"name\":\"sgd\",\"rate\":0.05,\"weight_decay\":1e-4}}");
    if (train_settings_bind(&c->ctx, c->arena, train, &c->settings) != STATUS_OK)
        fail_msg("%s", c->ctx.error.message);
}

void stage_case_free(struct stage_case *c)
{
    program_memory_free(c->memory);
    kernel_context_free(c->kernels);
    arena_free(c->arena);
}

struct network *stage_case_network(struct stage_case *c, const char *json, const char *name, uint64_t seed)
{
    struct network *network = NULL;
    struct network_input input = {
        .channels = 1, .height = STAGE_CASE_SIDE, .width = STAGE_CASE_SIDE, .classes = STAGE_CASE_CLASSES};
    if (network_build(&c->ctx, parsed(c, json ? json : usual), name, &input, ELEMENT_F32, seed, &network) != STATUS_OK)
        fail_msg("%s", c->ctx.error.message);
    return network;
}

struct term stage_case_term(struct stage_case *c, const char *method, const char *options, int student, int teacher,
                            double weight)
{
    struct term term = {.name = method,
                        .method = method_find(&c->ctx, method, NULL),
                        .student = student,
                        .teacher = teacher,
                        .weight = real_constant(weight)};
    assert_non_null(term.method);
    void *bound = arena_take(c->arena, 1, term.method->options_size + 1);
    struct option_set set = {term.method->options, term.method->n_options};
    if (options_bind(&c->ctx, c->arena, set, parsed(c, options), method, bound) != STATUS_OK)
        fail_msg("%s", c->ctx.error.message);
    term.options = bound;
    return term;
}

struct stage stage_case_alone(struct stage_case *c, struct network *network, uint64_t seed)
{
    struct learner *learner = arena_take(c->arena, 1, sizeof *learner);
    struct term *term = arena_take(c->arena, 1, sizeof *term);
    *learner = (struct learner){
        .name = "student", .network = network, .training = true, .learns = true, .optimiser = &c->settings.optimiser};
    *term = stage_case_term(c, "labels", NULL, 0, -1, 1);
    return (struct stage){.name = "alone",
                          .role = "alone",
                          .seed = seed,
                          .n_learners = 1,
                          .n_terms = 1,
                          .learners = learner,
                          .terms = term,
                          .budget = c->settings.budget};
}

struct loop_spec stage_case_loop(struct stage_case *c, const struct stage *stage)
{
    return (struct loop_spec){.stage = stage,
                              .data = &c->data,
                              .precision = ELEMENT_F32,
                              .kernels = c->kernels,
                              .memory = c->memory,
                              .fingerprint = "test"};
}

bool stage_case_same(const struct network *a, const struct network *b)
{
    const struct parameters *p = a->parameters, *q = b->parameters;
    size_t size = element_size(p->element);
    return p->n_values == q->n_values && p->n_state == q->n_state &&
           memcmp(p->values, q->values, (size_t)p->n_values * size) == 0 &&
           (p->n_state == 0 || memcmp(p->state, q->state, (size_t)p->n_state * size) == 0);
}
