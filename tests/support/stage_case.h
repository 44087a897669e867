/* stage_case.h: a small stage to train: patterns of four classes on 8x8 images, and networks from JSON text. A step that fails ends the test. */
#ifndef SUPPORT_STAGE_CASE_H
#define SUPPORT_STAGE_CASE_H

#include "train/loop.h"
#include "train/settings.h"

enum { STAGE_CASE_SAMPLES = 192, STAGE_CASE_SIDE = 8, STAGE_CASE_CLASSES = 4 };

struct stage_case {
    struct context ctx;
    struct arena *arena;
    struct kernel_context *kernels;
    struct program_memory *memory;
    struct data data;
    struct train_settings settings; /* SGD, rate 0.05, momentum 0.9, weight decay 1e-4, batch 32, 2 epochs, shuffled */
    uint8_t images[STAGE_CASE_SAMPLES][STAGE_CASE_SIDE][STAGE_CASE_SIDE];
    int32_t labels[STAGE_CASE_SAMPLES];
};

void stage_case_new(struct stage_case *c);
void stage_case_free(struct stage_case *c);
/* stage_case_network: from {"layers": …} as JSON; NULL: a net with convolution, batch norm, pooling, dropout, a residual sum and a linear layer. */
struct network *stage_case_network(struct stage_case *c, const char *json, const char *name, uint64_t seed);
/* stage_case_term: a term of the method with the options of a JSON map (NULL: defaults). */
struct term stage_case_term(struct stage_case *c, const char *method, const char *options, int student, int teacher,
                            double weight);
/* stage_case_alone: the network learning from the labels. */
struct stage stage_case_alone(struct stage_case *c, struct network *network, uint64_t seed);
struct loop_spec stage_case_loop(struct stage_case *c, const struct stage *stage);
/* stage_case_same: the same bits in values and state? */
bool stage_case_same(const struct network *a, const struct network *b);

#endif
