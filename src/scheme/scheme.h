/* scheme: who teaches whom, and when. Sees base, tensor, graph, nn, knowledge.
 *
 * scheme.h: a scheme is data: a list of stages that the training loop walks. The loop never calls a scheme. One file
 * scheme/NAME.c and one line in scheme/schemes.def. */
#ifndef SCHEME_SCHEME_H
#define SCHEME_SCHEME_H

#include "base/real.h"
#include "knowledge/method.h"
#include "scheme/combine.h"

struct optimiser_settings; /* train/optimiser/optimiser.h: how a learner learns; schemes only hand it on */

/* A block of a learner's network, which is in the stage in place of the whole: the layers behind `from`, whose values are those of a layer
 * of another learner, up to `to`. Layers in front of it and behind it are not there. */
struct learner_block {
    const char *from;  /* layer; NULL: the block begins with the images */
    int teacher;       /* learner whose layer `given` has the values of `from`; no gradient goes back to it */
    const char *given; /* layer of the teacher's; NULL with `from` */
    const char *to;    /* layer; NULL: the logits */
};

/* Which rows of a batch: all, or with the samplers that make pairs of halves one half. */
enum rows { ROWS_ALL, ROWS_FIRST, ROWS_SECOND };

/* What a learner's logits were when a sample came last, kept for each sample: they teach without a network. Until a sample has come,
 * it is as sure as its label (LABEL), or says what the learner itself says (ITSELF: nothing is learnt). */
enum missing { MISSING_LABEL, MISSING_ITSELF };
struct memory {
    int of; /* learner */
    enum missing missing;
};

/* A network of a stage. It learns, or is frozen in evaluation mode; `training` (batch statistics, dropout) is separate. A teacher may
 * also be an ensemble of other learners of the stage, a memory, or not be here at all: then what it said is recorded. */
struct learner {
    const char *name;                /* "student", "teacher", "peer1" …; each once in the stage */
    struct network *network;         /* borrowed; NULL: an ensemble, a memory, or one whose outputs are only recorded */
    const struct ensemble *ensemble; /* borrowed; NULL: not made of others */
    bool weighed;                    /* an ensemble whose members' weights change in the stage (EVENT_WEIGH) */
    const struct memory *memory;     /* borrowed; NULL: it is none */
    bool training, learns;
    enum rows rows; /* of the batch that its network sees; another that is the same network sees the rest */
    const struct learner_block *block;          /* what of its network is there; NULL: all of it; borrowed */
    const struct optimiser_settings *optimiser; /* where it learns; borrowed */
    const char *saved_as,
        *role; /* beside the subject it is evaluated and saved by this name, in this role; NULL: not */
};

/* A method applied between two networks of the stage (by index), with a weight. */
struct term {
    const char *name; /* unique in the stage: "kd", "fsp2" */
    const struct method *method;
    const void *options;
    int student, teacher; /* learners; teacher -1: none */
    const char *const *student_taps,
        *const *teacher_taps; /* layer names; none given: the logits, where the method takes those */
    int n_student_taps, n_teacher_taps;
    struct real weight;
    const struct real *factor; /* of the weight, as the scheme says: a warm-up, a ramp; NULL: 1; borrowed */
    enum rows rows;            /* of the batch, on both sides */
    double
        share; /* above 0: the weight is found at the stage's start, so that this is the term's part of all gradients' norms */
    double own_rate;        /* factor of the student's learning rate for the term's own parts; 0: 1 */
    const struct value *at; /* where the recipe says it, for messages; NULL: nowhere; borrowed */
};

enum event_when { EVENT_BEGIN, EVENT_STEP, EVENT_EPOCH }; /* before the first step, after one, after an epoch */
enum event_what {
    EVENT_COPY,     /* `to` takes the values of `from`; before the first step in any case */
    EVENT_ASSEMBLE, /* `to` takes its parts from several: pieces; at the stage's start too */
    EVENT_AVERAGE,  /* to = rate * to + (1 - rate) * from; begins as a copy of `from` */
    EVENT_WEIGH, /* the members of the ensemble `to` get the weights with which they fit the validation labels best */
};
/* A tensor of `to`: that of a learner, or of a term's own parts (the other is -1). */
struct piece {
    int learner, term;
    const char *from, *to;
};
struct event {
    enum event_when when;
    enum event_what what;
    int64_t every; /* only each so manieth time; 0: always */
    int from, to;  /* learners, of alike networks */
    const struct piece *pieces;
    int n_pieces;
    double rate;
    bool ramp; /* the rate is at most 1 - 1/(step + 1): at first the mean of all values so far */
};

/* A moving average of the subject's weights, which then is what the stage is about. */
struct average {
    double decay; /* of the average in each step; 0: no average */
    bool ramp;    /* as an event's */
};

struct budget {
    int64_t epochs;
    int64_t steps; /* stop after so many, which is then the schedule's length too; negative: all of the epochs */
    int64_t batch;
    bool shuffle;
    bool cosine; /* the rate follows a cosine over the stage, whatever schedule the settings have */
    double clip; /* of the common norm of a learner's gradients; 0: none */
    int64_t
        patience; /* ends after so many epochs without a better validation accuracy, with the best epoch's values; 0: never */
    struct average average;
    const struct value *at; /* the recipe's `train`, for messages; NULL: nowhere; borrowed */
};

/* Which samples of the train split a stage's batches are made of; an epoch has as many batches in any case. With PAIRS and REPEATED a
 * batch has two halves (enum rows). */
enum sampler {
    SAMPLER_ALL,      /* all, each once */
    SAMPLER_LABELLED, /* those with a label alone, again and again */
    SAMPLER_MIXED,    /* in each batch a part of those with a label, the rest of those without */
    SAMPLER_PAIRS,    /* labelled ones in the first half, for each another of its class in the second */
    SAMPLER_REPEATED, /* the second half of the batch before, as other views, and as many new ones in the second half */
};

struct stage {
    const char *name; /* as in result.json: "distilled-0" */
    const char *role; /* "teacher", "alone", "distilled" … */
    uint64_t seed;
    int n_learners, n_terms, n_events;
    struct learner *learners;
    struct term *terms;
    struct event *events;
    struct budget budget;
    enum sampler sampler;
    double labelled_part; /* of SAMPLER_MIXED: the part of a batch that has a label */
    bool all_labels;      /* also those labels that the data's `labelled` takes away */
    int64_t views;        /* at most so many augmented views of a sample are seen; 0: all that there are */
    int64_t
        first_epoch; /* the order and the views are those of the epochs from here on; a stage that goes on counts on */
    int subject;     /* the learner that the stage is about: evaluated and saved under the stage's name */
};

struct stage_list {
    struct arena *arena; /* owns everything in it */
    int count, capacity;
    struct stage *stages;
};
/* stage_add: a zeroed stage at the list's end; NULL: error recorded. */
struct stage *stage_add(struct stage_list *list);

/* A part of a student's training with losses of its own. */
struct phase {
    const char *name; /* of its stages, before the seed: "distilled" */
    struct term
        *terms; /* of the recipe: student 0, teacher 1 where the method has a teacher side; the scheme sets its own */
    int n_terms;
    int64_t epochs; /* of the request's */
    bool own_only;  /* the student stays as it is */
};

/* What a network is made of: the recipe's student again; a recipe's `network:`; or a description (network_description). */
enum made_of { MADE_LIKE_STUDENT, MADE_OF_RECIPE, MADE_OF_DESCRIPTION };

/* What a recipe asks of a scheme, for one seed. All borrowed. */
struct request {
    struct context *ctx;
    uint64_t seed;
    struct network *student;
    const struct learner *
        teachers; /* trained; learners 1, 2 … of the stages: the first is the one that teaches, others are its members */
    int n_teachers;
    const struct value *online; /* network of a teacher that learns with the student, as the recipe says it; or NULL */
    const struct optimiser_settings *optimiser,
        *online_optimiser; /* of the student, and of everything like it; of the online teacher */
    struct budget budget;  /* of all phases together */
    const struct phase
        *phases; /* one after another, at least one; other schemes than offline have one, without terms */
    int n_phases;
    const struct value *at; /* the recipe's `distill`, for messages; NULL: nowhere */
    bool validation;        /* are there labelled validation samples? */
    /* network: a new network with initial values of that seed, which belongs to who asks the scheme; NULL: error recorded. */
    struct network *(*network)(const struct request *request, enum made_of made, const struct value *description,
                               const char *name, uint64_t seed);
    /* losses: the recipe's losses, or the scheme's own, between two networks: student 0, teacher 1 in the terms. */
    enum status (*losses)(const struct request *request, const struct network *student, const struct network *teacher,
                          struct term **terms, int *count);
    void *user;
};

/* Who is there before a student is taught: nobody; teachers that are trained and then frozen; one that learns with the student. */
enum scheme_teacher { TEACHER_NONE, TEACHER_FROZEN, TEACHER_LEARNS };

struct scheme {
    const char *name, *summary, *paper, *drawing; /* drawing: who teaches whom, as text */
    enum scheme_teacher teacher;
    const struct option_spec *options;
    size_t n_options, options_size;
    size_t n_own; /* of them the last so many shape the scheme's own losses, and stand in place of `losses` */
    /* losses: its own, as a recipe says them; used where it gives none. NULL: labels and kd as losses_bind has them. */
    struct value *(*losses)(struct arena *arena, const struct budget *budget, const void *options);
    enum status (*stages)(const struct request *request, const void *options, struct stage_list *list);
};

extern const struct scheme *const scheme_table[];
extern const size_t scheme_table_count;
/* scheme_find: NULL with the error (nearest name) recorded at `at`. */
const struct scheme *scheme_find(struct context *ctx, const char *name, const struct value *at);

/* stage_follower: adds a learner that the event keeps up to date (event.to is its index), and which takes the subject's place. */
enum status stage_follower(struct context *ctx, struct arena *arena, struct stage *stage, struct learner learner,
                           struct event event);
/* stage_average: as stage->budget.average says: adds a learner, `average` (a network like the subject's, borrowed), which follows the
 * subject after each step and takes its place: it is evaluated and saved. */
enum status stage_average(struct context *ctx, struct arena *arena, struct stage *stage, struct network *average);

/* stage_measures: is its subject a network that can be evaluated? Not where it is there with a block alone. */
bool stage_measures(const struct stage *stage);

/* stage_halves: do its batches have two halves? */
bool stage_halves(const struct stage *stage);

/* stage_check: indices in range, a learner exists, nobody teaches itself by an ordinary teacher term, a term's student learns, events
 * go between alike networks, the budget suits the batches and the networks. */
enum status stage_check(struct context *ctx, const struct stage *stage);

#endif
