/* knowledge/response/logit_std.c: soft targets of standardised logits: kd after z <- (z - mean) / (1e-7 + std) of each row.
 *
 * The student learns the shape of the teacher's logits, not their size. Sun 2024 (CVPR), arXiv 2403.01427. */
#include "knowledge/response/kd.h"

#include "knowledge/inputs.h"

static const struct option_spec logit_std_specs[] = {KD_OPTIONS("2")};

static struct kd_options standardised(const void *options)
{
    struct kd_options with = *(const struct kd_options *)options;
    with.standardise = KD_STANDARDISE_ON;
    return with;
}

static struct node *logit_std_build(struct graph *g, const struct method_site *site, const void *options)
{
    const struct kd_options with = standardised(options);
    return kd_build(g, site, &with);
}

static double logit_std_reference(const struct method_case *c, const void *options)
{
    const struct kd_options with = standardised(options);
    return kd_reference(c, &with);
}

const struct method method_logit_std = {
    .name = "logit-std",
    .summary = "soft targets of logits that are standardised first",
    .formula = "kd of (z - mean) / (1e-7 + std), row by row, on both sides",
    .paper = "Sun 2024, arXiv 2403.01427",
    .when = "Where the teacher's logits are much larger than a small student can make its own: only their shape is "
            "compared. Weights near 9 at temperature 2 are usual.",
    .family = FAMILY_RESPONSE,
    .wants = METHOD_LABELS_IF_GIVEN,
    METHOD_INPUTS(inputs_logits),
    METHOD_OPTIONS(logit_std_specs, struct kd_options),
    .batch_min = 1,
    .build = logit_std_build,
    .reference = logit_std_reference,
};
