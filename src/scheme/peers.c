/* peers.c: see peers.h. */
#include "scheme/peers.h"

static enum status peers_check(const struct request *request, const struct peers_options *options)
{
    struct context *ctx = request->ctx;
    const struct value *seeds = value_get(request->at, "peer_seeds"), *networks = options->networks;
    if (options->peer_seeds.count > 0 && (int64_t)options->peer_seeds.count != options->peers)
        return value_fail(ctx, seeds, STATUS_BAD_INPUT,
                          "peer_seeds: expected one for each of the %lld peers, found %zu", (long long)options->peers,
                          options->peer_seeds.count);
    if (!networks || networks->kind == VALUE_NULL)
        return STATUS_OK;
    if (networks->kind != VALUE_LIST || (int64_t)networks->count != options->peers - 1)
        return value_fail(ctx, networks, STATUS_BAD_INPUT,
                          "networks: expected a list of the %lld networks of the peers behind the student, found %s",
                          (long long)options->peers - 1,
                          networks->kind == VALUE_LIST ? "another number" : value_kind_text(networks->kind));
    return STATUS_OK;
}

static struct network *peer_network(const struct request *request, struct stage_list *list,
                                    const struct peers_options *options, int index)
{
    const struct value *networks = options->networks;
    const int64_t offset = options->peer_seeds.count > 0 ? options->peer_seeds.values[index] : 1000 * (int64_t)index;
    if (networks && networks->kind == VALUE_LIST)
        return request->network(request, MADE_OF_RECIPE, networks->items[index - 1],
                                arena_format(list->arena, "peer%d", index), request->seed + (uint64_t)offset);
    return fresh_network(request, list, offset);
}

enum status stage_peers(const struct request *request, struct stage_list *list, struct stage *stage,
                        const struct peers_options *options)
{
    struct context *ctx = request->ctx;
    RETURN_IF(peers_check(request, options));
    if (stage_learner(list->arena, stage, learner_student(request, "student", request->student)) < 0)
        return ctx->error.status;
    for (int i = 1; i < options->peers; i++) {
        struct network *network = peer_network(request, list, options, i);
        struct learner peer = learner_student(request, arena_format(list->arena, "peer%d", i), network);
        peer.saved_as = arena_format(list->arena, "peer-%d-%llu", i, (unsigned long long)request->seed);
        peer.role = "peer";
        if (!network || !peer.saved_as || stage_learner(list->arena, stage, peer) < 0)
            return ctx->error.status;
    }
    return STATUS_OK;
}
