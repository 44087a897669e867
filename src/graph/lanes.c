/* lanes.c: networks side by side. Peers that learn together, or a teacher and its student, compute most of a step each by itself;
 * on several cores each then has one (a lane), which small networks make more of than of several threads in each op. What a call
 * belongs to is the one parameters set that it, or what it reads, computes with; none, or several, are classes of their own:
 *
 *   forward   none | networks, side by side | several
 *   backward                      several | networks, side by side
 *
 * The order of calls is that on any number of threads, so that sums of gradients are the same bits. Within a network it is the
 * order of that network alone. */
#include "base/arena.h"
#include "graph/plan.h"

/* Several threads make an op of a small network about this share of their number faster. */
#define WORTH 0.75
/* What reading or writing a byte costs, in floating-point operations; work below LEAST is not worth a wake-up of a thread. */
#define BYTE_COST 5.0
#define LEAST 5e6

enum { NO_NETWORK = -1 };

struct network {
    const struct parameters *parameters;
    double cost[2]; /* of its calls: forward, backward */
};

struct sorting {
    struct program *program;
    int *owner; /* per node: an index, NO_NETWORK, or several(sorting) */
    struct network *networks;
    int n_networks;
};

/* several: the owner of what computes with more than one network; sorts after each of them. */
static int several(const struct sorting *sorting)
{
    return sorting->n_networks;
}

static int network_of(struct sorting *sorting, const struct parameters *parameters)
{
    for (int i = 0; i < sorting->n_networks; i++)
        if (sorting->networks[i].parameters == parameters)
            return i;
    return NO_NETWORK;
}

/* networks_find: all sets, before owners are numbered. */
static enum status networks_find(struct sorting *sorting)
{
    struct program *program = sorting->program;
    sorting->networks = memory_new(program->ctx, (size_t)program->n_nodes, sizeof *sorting->networks);
    if (!sorting->networks)
        return program->ctx->error.status;
    for (int i = 0; i < program->n_calls; i++)
        for (int j = 0; j < program->calls[i].call.n_inputs; j++) {
            const struct node *node = program->calls[i].inputs[j];
            if (node->parameters && network_of(sorting, node->parameters) == NO_NETWORK)
                sorting->networks[sorting->n_networks++].parameters = node->parameters;
        }
    return STATUS_OK;
}

static double call_cost(const struct planned_call *planned)
{
    const struct op_call *call = &planned->call;
    double bytes = 0;
    for (int i = 0; i < call->n_inputs; i++)
        bytes += (double)shape_elements(&call->in[i].shape) * (double)element_size(call->in[i].element);
    for (int i = 0; i < call->n_outputs; i++)
        bytes += (double)shape_elements(&call->out[i].shape) * (double)element_size(call->out[i].element);
    return (call->op->macs ? 2 * call->op->macs(call) : 0) + BYTE_COST * bytes;
}

/* owner_joined: of what goes with both. */
static int owner_joined(const struct sorting *sorting, int a, int b)
{
    return a == NO_NETWORK || a == b ? b : b == NO_NETWORK ? a : several(sorting);
}

/* owners_find: whose each call is, by what it reads. */
static void owners_find(struct sorting *sorting)
{
    for (int i = 0; i < sorting->program->n_calls; i++) {
        struct planned_call *planned = &sorting->program->calls[i];
        planned->owner = NO_NETWORK;
        for (int j = 0; j < planned->call.n_inputs; j++) {
            const struct node *node = planned->inputs[j];
            const int of = node->parameters ? network_of(sorting, node->parameters) : sorting->owner[node->id];
            planned->owner = owner_joined(sorting, planned->owner, of);
        }
        for (int j = 0; j < planned->call.n_outputs; j++)
            sorting->owner[planned->outputs[j]->id] = planned->owner;
    }
}

/* owners_adopt: what one network alone reads (its images, as it likes them) is that network's. */
static void owners_adopt(struct sorting *sorting)
{
    int *reader = sorting->owner; /* per node, from now on */
    for (int i = 0; i < sorting->program->n_nodes; i++)
        reader[i] = sorting->program->kept[i] ? several(sorting) : NO_NETWORK;
    for (int i = sorting->program->n_calls - 1; i >= 0; i--) {
        struct planned_call *planned = &sorting->program->calls[i];
        int readers = NO_NETWORK;
        for (int j = 0; j < planned->call.n_outputs; j++)
            readers = owner_joined(sorting, readers, reader[planned->outputs[j]->id]);
        if (planned->owner == NO_NETWORK && readers != several(sorting))
            planned->owner = readers;
        for (int j = 0; j < planned->call.n_inputs; j++) {
            int *of = &reader[planned->inputs[j]->id];
            *of = planned->owner == NO_NETWORK ? several(sorting) : owner_joined(sorting, *of, planned->owner);
        }
    }
}

static void costs_add(struct sorting *sorting)
{
    for (int i = 0; i < sorting->program->n_calls; i++) {
        const struct planned_call *planned = &sorting->program->calls[i];
        if (planned->owner == NO_NETWORK || planned->owner == several(sorting))
            continue;
        const double cost = call_cost(planned);
        sorting->networks[planned->owner].cost[0] += cost;
        sorting->networks[planned->owner].cost[1] += planned->backward ? cost : 0;
    }
}

/* share_out: each network to the lane that has least so far, the costliest first; what the fullest lane has. lane: per network. */
static double share_out(const struct sorting *sorting, int pass, int lanes, int *lane)
{
    double full[LANES_MOST] = {0}, fullest = 0;
    for (int i = 0; i < sorting->n_networks; i++)
        lane[i] = -1;
    for (int i = 0; i < sorting->n_networks; i++) {
        int next = -1, least = 0;
        for (int j = 0; j < sorting->n_networks; j++)
            if (lane[j] < 0 && (next < 0 || sorting->networks[j].cost[pass] > sorting->networks[next].cost[pass]))
                next = j;
        for (int j = 1; j < lanes; j++)
            least = full[j] < full[least] ? j : least;
        lane[next] = least;
        full[least] += sorting->networks[next].cost[pass];
        fullest = full[least] > fullest ? full[least] : fullest;
    }
    return fullest;
}

/* lanes_worth: how many lanes have the networks of a pass done sooner than so many threads in each op; 1: none. lane: per network. */
static int lanes_worth(const struct sorting *sorting, int pass, int threads, int *lane)
{
    double all = 0;
    int costly = 0;
    for (int i = 0; i < sorting->n_networks; i++) {
        all += sorting->networks[i].cost[pass];
        costly += sorting->networks[i].cost[pass] > 0;
    }
    const int most = threads < LANES_MOST ? threads : LANES_MOST, lanes = costly < most ? costly : most;
    const bool sooner = lanes > 1 && all > LEAST && all >= WORTH * threads * share_out(sorting, pass, lanes, lane);
    return sooner ? lanes : 1;
}

/* reorder: by owner; calls of one owner stay in their order. */
static enum status reorder(const struct sorting *sorting)
{
    struct program *program = sorting->program;
    struct planned_call *sorted = arena_take(program->arena, (size_t)program->n_calls, sizeof *sorted);
    if (!sorted)
        return program->ctx->error.status;
    int n = 0;
    for (int owner = NO_NETWORK; owner <= several(sorting); owner++)
        for (int i = 0; i < program->n_calls; i++)
            if (program->calls[i].owner == owner)
                sorted[n++] = program->calls[i];
    program->calls = sorted;
    return STATUS_OK;
}

/* places_take: where the calls' steps stand. forward, back: of each network its lane; NULL: there is one. */
static void places_take(const struct sorting *sorting, bool sorted, const int *forward, const int *back)
{
    for (int i = 0; i < sorting->program->n_calls; i++) {
        struct planned_call *planned = &sorting->program->calls[i];
        const int owner = planned->owner;
        planned->forward = (struct place){STRETCH_FORWARD_JOINED, 0};
        planned->back = (struct place){STRETCH_BACKWARD_JOINED, 0};
        if (!sorted || owner == several(sorting))
            continue;
        if (owner == NO_NETWORK) { /* never goes backward */
            planned->forward.stretch = STRETCH_FIRST;
            continue;
        }
        planned->forward = (struct place){STRETCH_FORWARD, forward ? forward[owner] : 0};
        planned->back = (struct place){STRETCH_BACKWARD, back ? back[owner] : 0};
    }
}

enum status plan_lanes(struct program *program)
{
    enum status status = STATUS_OK;
    struct context *ctx = program->ctx;
    struct sorting sorting = {.program = program};
    int *lane = NULL;
    sorting.owner = memory_new(ctx, (size_t)program->n_nodes, sizeof *sorting.owner);
    if (!sorting.owner)
        TRY(ctx->error.status);
    for (int i = 0; i < program->n_nodes; i++)
        sorting.owner[i] = NO_NETWORK;
    TRY(networks_find(&sorting));
    const int n = sorting.n_networks;
    lane = memory_new(ctx, 2 * (size_t)n, sizeof *lane);
    if (!lane)
        TRY(ctx->error.status);
    owners_find(&sorting);
    owners_adopt(&sorting);
    costs_add(&sorting);
    /* Two threads decide the order, however many there are. */
    const bool sorted =
        program->slices == 1 && (lanes_worth(&sorting, 0, 2, lane) > 1 || lanes_worth(&sorting, 1, 2, lane) > 1);
    if (sorted)
        TRY(reorder(&sorting));
    /* The library's bits depend on its threads, and in a lane it has one. */
    const int threads = sorted && program->kernels->library_threads == 1 ? program->kernels->threads : 1;
    const int used[2] = {lanes_worth(&sorting, 0, threads, lane), lanes_worth(&sorting, 1, threads, lane + n)};
    program->lanes[STRETCH_FORWARD] = used[0];
    program->lanes[STRETCH_BACKWARD] = used[1];
    if (used[0] > 1 || used[1] > 1)
        TRY(kernel_context_crew(program->kernels, used[0] > used[1] ? used[0] : used[1]));
    places_take(&sorting, sorted, used[0] > 1 ? lane : NULL, used[1] > 1 ? lane + n : NULL);
cleanup:
    memory_free(ctx, lane);
    memory_free(ctx, sorting.networks);
    memory_free(ctx, sorting.owner);
    return status;
}
