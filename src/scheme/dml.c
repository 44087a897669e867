/* dml.c: deep mutual learning: peers that imitate each other.
 *
 *     sum_i [ labels_i + w/(M-1) sum_{j != i} KL(j -> i) ]
 *
 * In one joint step; what a peer learns from are the others' values of this very step, as constants. Zhang 2018 (CVPR), arXiv 1706.00384,
 * equations 3 to 7. */
#include "scheme/peers.h"

struct dml_options {
    struct peers_options peers;
    double weight, temperature;
};

static const struct option_spec dml_specs[] = {
    PEERS_OPTIONS(struct dml_options, peers),
    SCHEME_NUMBER(struct dml_options, weight, "1", "of what a peer learns from the others, who share it"),
    SCHEME_TEMPERATURE(struct dml_options, "1", "of the same"),
};

static struct value *dml_losses(struct arena *arena, const struct budget *budget, const void *options)
{
    (void)budget;
    const struct dml_options *o = options;
    return losses_mixture(arena, 1, 1, o->temperature);
}

static enum status dml_stages(const struct request *request, const void *options, struct stage_list *list)
{
    const struct dml_options *o = options;
    const int peers = (int)o->peers.peers;
    struct stage *stage = stage_begin(request, list, "distilled");
    if (!stage)
        return request->ctx->error.status;
    RETURN_IF(stage_peers(request, list, stage, &o->peers));
    for (int i = 0; i < peers; i++) {
        int others[PEERS_MAX], n = 0;
        for (int j = 0; j < peers; j++)
            if (j != i)
                others[n++] = j;
        const struct lesson lesson = {.student = i, .n_teachers = n, .teachers = others, .weight = o->weight};
        RETURN_IF(stage_teach(request, list, stage, &lesson));
    }
    return STATUS_OK;
}

extern const struct scheme scheme_dml;
const struct scheme scheme_dml = {
    .name = "dml",
    .summary = "peers learn together and imitate each other",
    .paper = "Zhang 2018, arXiv 1706.00384",
    .drawing = "labels --> student <==KL==> peer1 <-- labels      every two of them; one joint step, the same batch",
    .teacher = TEACHER_NONE,
    .options = dml_specs,
    .n_options = sizeof dml_specs / sizeof *dml_specs,
    .options_size = sizeof(struct dml_options),
    .n_own = 1,
    .losses = dml_losses,
    .stages = dml_stages,
};
