/* sample_order.h: which samples come when, as a function of (seed, epoch, position) alone. Private to loader.c. */
#ifndef DATA_SAMPLE_ORDER_H
#define DATA_SAMPLE_ORDER_H

#include "data/loader.h"

struct sample_order;

/* sample_order_new: of the spec's split, for epochs of `steps` batches. NULL with the error recorded: it asks for
 * samples that the split does not have, or for halves of an odd batch. Allocates nothing later on. */
struct sample_order *sample_order_new(struct context *ctx, const struct loader_spec *spec, int64_t steps);
void sample_order_free(struct sample_order *order); /* NULL: no-op */

/* A sample, and the how-manieth time that its like are gone through: to the augmentation an epoch, so that a sample that
 * comes again comes as another view. Where all samples come it is the epoch. What stands beside the samples that are gone
 * through, the others of PAIRS and the repeated ones of REPEATED, has numbers of its own. */
struct drawn {
    int32_t sample;
    int64_t pass;
};

/* sample_order_at: the i-th sample of a batch. Cheap where calls go on from batch to batch; a jump costs a permutation. */
struct drawn sample_order_at(struct sample_order *order, int64_t epoch, int64_t step, int64_t i);

/* sample_order_partners: how many samples one may be mixed with; sample_order_partner: the i-th of them. */
int64_t sample_order_partners(const struct sample_order *order);
int32_t sample_order_partner(const struct sample_order *order, int64_t i);

#endif
