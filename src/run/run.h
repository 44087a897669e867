/* run: from a recipe to stages, seeds, baseline, results; and the single jobs of the command line. Sees everything above it but report.
 *
 * Each function answers with a value (base/value.h): what `--json` prints. Paths are named in messages as they were given. */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include "base/value.h"

/* How a running stage is doing; called from the stage's own thread, at most a few times a second and at each epoch's end. */
struct run_progress {
    const char *stage;
    int64_t step, steps, epoch, epochs;
    double loss, samples_per_second, seconds_left;
    double validation_accuracy; /* of the last epoch; NaN: none */
    bool finished, epoch_end;
    int stages_done, stages; /* of the whole run */
};

struct run_options {
    const char *recipe;      /* path; NULL with resume */
    const char *const *sets; /* "a.b.c=VALUE" */
    int n_sets;
    const char *folder; /* NULL: runs/NAME-TIME; with resume: the run's folder */
    bool resume, force;
    bool student_only;                                                 /* `retort train` */
    int jobs;                                                          /* small stages side by side; 0: one a thread */
    bool profile;                                                      /* stages' entries say where their time went */
    struct share *share;                                               /* run/share.h; NULL: the run is no sweep's */
    const char *sweep;                                                 /* its id; NULL: likewise */
    const char *version;                                               /* of the program, for result.json */
    void (*progress)(void *user, const struct run_progress *progress); /* NULL: none; must be thread-safe */
    void *user;
};

/* run_distill: the whole job. *folder: the run's folder (of the arena); *result: result.json. STATUS_CANCELLED: interrupted after saving. */
enum status run_distill(struct context *ctx, struct arena *arena, const struct run_options *options,
                        const char **folder, struct value **result);

/* A sweep: every recipe with every combination of the sets' values, a run each. */
struct sweep_options {
    const char *const *recipes; /* none with resume */
    const char *const *sets;    /* "a.b.c=VALUE,VALUE" */
    int n_recipes, n_sets;
    const char *folder;
    bool resume, force;
    int jobs; /* runs side by side */
    const char *version;
    void (*progress)(void *user, const struct run_progress *progress); /* as of a run; the stage is "RUN/STAGE" */
    /* done: a run is finished, in this folder; NULL: nothing is to be done then. Its failure is the run's. Must be thread-safe. */
    enum status (*done)(struct context *ctx, void *user, const char *folder);
    void *user;
};
/* run_sweep: *result: sweep.json (docs/sweep.md). A run that fails does not stop the others: its entry says why. STATUS_CANCELLED:
 * interrupted after saving. */
enum status run_sweep(struct context *ctx, struct arena *arena, const struct sweep_options *options,
                      struct value **result);

/* Data of the command line: a name of `retort list data`, or a YAML file with a `data:` section. */
struct run_evaluation {
    const char *const *models; /* one, or an ensemble's members */
    int n_models;
    bool mean_logit;          /* how an ensemble is combined: mean logit, else mean probability */
    const char *data, *split; /* split: train, validation or test; NULL: the training files before hold-out (record) */
    bool early_exit;          /* each sample leaves the one model at its first exit that is sure enough */
    double threshold;         /* of early_exit, in [0,1] */
};
/* run_evaluate: {"model","data","split","samples","accuracy","top5","loss","ece"}, of a model with exits also {"plain_macs",
 * "exits":[{"name","macs","accuracy","loss"}],"early_exit":[{"threshold","accuracy","macs","saved","left"}]}; with early_exit the
 * figures and the one row are those of the threshold. */
enum status run_evaluate(struct context *ctx, struct arena *arena, const struct run_evaluation *evaluation,
                         struct value **result);
/* run_predict: logits float32 [N,K] (an ensemble by mean probability: log-probabilities; with early_exit those of the exit at which the
 * sample left) into an NPY file, atomically. */
enum status run_predict(struct context *ctx, struct arena *arena, const struct run_evaluation *evaluation,
                        const char *out, struct value **result);
/* A recording: outputs of every sample of the training files, in their order, before validation is held out. */
struct run_recording {
    struct run_evaluation of; /* split NULL */
    const char *out;          /* NPZ */
    bool probabilities;       /* instead of logits */
    int64_t top;              /* only so many classes and their probabilities; 0: all logits */
    const char *const *layers;
    int n_layers; /* of the one model: their outputs as well */
};
/* run_record: what train/recorded.h reads, atomically: {"model","data","samples","classes","arrays":[{"name","dtype","shape"}],"out"}. */
enum status run_record(struct context *ctx, struct arena *arena, const struct run_recording *recording,
                       struct value **result);
/* run_inspect: a model file or a recipe (its student, or the network named by `which`: "teacher"); plan: the training plan's steps with
 * their kernels instead ({"steps":[{"phase","layer","op","kernel","output"}],"arena_bytes"}), for a batch of `batch`. */
struct run_inspection {
    const char *path, *which;
    bool plan;
    int64_t batch;
    const char *const *sets;
    int n_sets;
};
/* run_inspects_model: is the path taken for a model file (by its content or its ending), not for a recipe? */
bool run_inspects_model(const char *path);
enum status run_inspect(struct context *ctx, struct arena *arena, const struct run_inspection *inspection,
                        struct value **result);

/* run_loss: `retort loss` (CONTRACT). NAME=FILE pairs in own; option=value in sets. */
struct run_loss {
    const char *method;
    const char *const *student, *const *teacher; /* NPY files */
    int n_student, n_teacher;
    const char *labels; /* NPY or NULL */
    const char *const *sets, *const *own;
    int n_sets, n_own;
    const char *gradients; /* folder or NULL */
};
enum status run_loss(struct context *ctx, struct arena *arena, const struct run_loss *loss, struct value **result);

/* run_cache_list: {"folder","bytes","entries":[…]} (cache.h) of the recorded outputs of teachers on this machine. run_cache_prune: removes
 * those not used for so many seconds, and the longest unused until at most so many bytes are left: {"folder","removed","bytes"}. */
enum status run_cache_list(struct context *ctx, struct arena *arena, struct value **result);
enum status run_cache_prune(struct context *ctx, struct arena *arena, double unused, int64_t most,
                            struct value **result);

#endif
