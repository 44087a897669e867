/* knowledge: methods of distillation, one file each. Sees base, tensor, graph, nn.
 *
 * method.h: what a method is: a small function that adds nodes to the graph. It has no backward pass of its own, and no weight or
 * schedule: those belong to the term. One file knowledge/FAMILY/NAME.c and one line in knowledge/methods.def. */
#ifndef KNOWLEDGE_METHOD_H
#define KNOWLEDGE_METHOD_H

#include "base/option.h"
#include "graph/ops.h"
#include "graph/store.h"

enum tap_role {
    ROLE_LOGITS,
    ROLE_EMBEDDING,
    ROLE_MAP,
    ROLE_MAP_BEFORE_ACTIVATION,
    ROLE_ACTIVATIONS /* map or embedding */
};
enum side { SIDE_STUDENT, SIDE_TEACHER };
enum method_family { FAMILY_RESPONSE, FAMILY_FEATURE, FAMILY_RELATION };

/* A named layer output. Maps are [B,H,W,C], logits and embeddings [B,D]. */
struct tap {
    struct node *node;
    const char *layer;         /* its name, for messages */
    struct node *gamma, *beta; /* [C] of the batch norm that the map comes out of; NULL: of no such */
};

struct method_input {
    const char *name;
    enum tap_role role;
    enum side side;
    int min, max; /* how many taps of this kind, in this order */
};

/* Where a method is applied; borrowed for the call. Teacher taps are constants (stop-gradient is already applied). */
struct method_site {
    const struct tap *student, *teacher;
    int n_student, n_teacher;
    struct node *labels;          /* I32 [B], -1 where a sample has none; NULL: the transfer set has none */
    struct node *targets;         /* [B,K] soft labels or mixup; NULL otherwise */
    struct node *sample;          /* I32 [B]: index in the training split */
    int64_t samples;              /* in the training split */
    const int32_t *sample_labels; /* [samples], -1 where one has none; NULL: unknown */
    int classes;
    struct parameters *own; /* the term's learnable parts and states, by name; never exported */
    struct store *(*store)(void *user, const char *name, int64_t rows,
                           struct shape row); /* the term's per-sample store by name; NULL: error recorded */
    void *store_user;
    /* An own array that is given from outside (a mask, indices) instead of drawn: its node, maps [B,H,W,C]; NULL: none is
     * given, or the error is recorded. given NULL: nothing ever is. */
    struct node *(*given)(void *user, const char *name, enum element element, struct shape shape);
    void *given_user;
    int pair, pairs;  /* which of how many pairs of taps a METHOD_PAIRWISE is built for; method_build sets them */
    const char *term; /* a unique name of the term: streams of random numbers, labels */
    const struct method *method; /* which one is being built; method_build sets it */
};

/* SAME_NUMBER: as many taps of the student as of the teacher. PAIRWISE: that, and defined for one tap of each side; given n and n of
 * them, the i-th goes with the i-th, the sum is the loss, and the names of own arrays begin with the number of the pair. Given none of
 * the student (where its input's min is 0: a stage that concerns the teacher alone) each of the teacher's is a pair, with n_student 0. */
enum {
    METHOD_WANTS_LABELS = 1,
    METHOD_WANTS_SAMPLE = 2,
    METHOD_TAKES_TARGETS = 4,
    METHOD_LABELS_IF_GIVEN = 8,
    METHOD_SAME_NUMBER = 16,
    METHOD_PAIRWISE = 32
};
enum { METHOD_TAPS = 16 }; /* the most taps of a side */

/* What a method's reference and its tests get: plain arrays in double. Maps are [B,C,H,W] here. */
struct method_case {
    int n_student, n_teacher;
    const double *const *student, *const *teacher;
    const struct shape *student_shape, *teacher_shape;
    const int32_t *labels; /* NULL: none */
    const double *targets; /* NULL: none */
    int classes;
    int pair, pairs;     /* as a site's */
    struct arena *arena; /* scratch of the call */
    /* own arrays by full name: NULL when the method has none of that name; `shape` may be NULL */
    const double *(*own)(const struct method_case *, const char *name, struct shape *shape);
    const void *own_user;
};

/* What a method puts behind the student's tap: convolutions without bias, padded to keep the size, each with batch norm and ReLU, the
 * i-th of the own arrays projector.i. */
struct extension {
    int count;
    int64_t out[4];
    int kernel[4];
};

struct method {
    const char *name, *summary, *formula, *paper, *when;
    enum method_family family;
    unsigned wants; /* checked before build */
    const struct method_input *inputs;
    int n_inputs;
    const struct option_spec *options;
    size_t n_options, options_size;
    int batch_min;
    double tolerance; /* of the loss in f32, relative, where terms cancel; 0: 1e-5 */
    double bounded; /* where the gradient is bounded on purpose: how far it may be from the slope, relative; 0: exact */
    /* build: a scalar, unweighted; NULL: error recorded. A helper that is learnt first has a stage among the options. */
    struct node *(*build)(struct graph *, const struct method_site *, const void *options);
    bool (*teacher_alone)(
        const void *options); /* with these options no student is read; NULL: it always is, as the inputs say */
    /* extends: the student goes on through these layers into the teacher's behind its tap of so many channels, and is evaluated and exported
     * with both; NULL: it stays as it is. */
    void (*extends)(const void *options, int64_t channels, struct extension *out);
    double (*reference)(const struct method_case *,
                        const void *options); /* plain loops in double, independent of build */
};

extern const struct method *const method_table[];
extern const size_t method_table_count;
/* method_count, method_at: those of the table, and then those that the context adds. */
size_t method_count(const struct context *ctx);
const struct method *method_at(const struct context *ctx, size_t index);
/* method_find: NULL with the error (nearest name) recorded at `at`. */
const struct method *method_find(struct context *ctx, const char *name, const struct value *at);
/* method_taps: how many taps an input is usually given: min; where that is 0, as many as the other side needs. */
int method_taps(const struct method *method, int index);
/* method_reads_layers: of that side, anything but logits? */
bool method_reads_layers(const struct method *method, enum side side);
const char *method_family_text(enum method_family family);
/* method_build: checks wants, inputs (number, rank by role), the batch, then calls build; a NULL result without a recorded error is
 * reported as our own mistake. */
struct node *method_build(struct graph *graph, const struct method *method, const struct method_site *site,
                          const void *options);

#endif
