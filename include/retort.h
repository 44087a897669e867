/** @file
 * retort.h: knowledge distillation: a large network teaches a small one.
 *
 * In order of use: make a context, call a job with its params, read or print the result, free both.
 *
 *     struct retort_context *context = retort_context_new();
 *     struct retort_distill_params params = retort_distill_defaults();
 *     struct retort_result *result = NULL;
 *     params.recipe = "recipe.yaml";
 *     if (retort_distill(context, &params, &result) != RETORT_OK)
 *         fprintf(stderr, "%s\n", retort_error(context));
 *     else
 *         retort_result_write(result, RETORT_TEXT_FORMAT, stdout);
 *     retort_result_free(result);
 *     retort_context_free(context);
 *
 * Ownership: texts and arrays in params are borrowed for the call. A pointer that is got from a result lives as long as
 * the result; a result is independent of its context, which may be freed first.
 * Threads: a context is used by one thread at a time; different contexts are independent, and so are results. There is
 * no state outside of them. The library never prints, exits or changes how signals are handled, but for what
 * retort_set_log says about messages.
 * Errors: what can fail returns an enum retort_status; the message is in the context until the next call with it. */
#ifndef RETORT_H
#define RETORT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif
/* What is declared here is all that the shared library shows. */
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/** retort_version: "MAJOR.MINOR.PATCH". */
const char *retort_version(void);

/* --- status --- */
/** Every status: its name and its words. */
#define RETORT_STATUS_LIST(X)                                                                                          \
    X(OK, "done")                                                                                                      \
    X(USAGE, "wrong params, options or recipe")                                                                        \
    X(BAD_FILE, "a data or model file is broken or does not fit")                                                      \
    X(IO, "reading or writing failed")                                                                                 \
    X(NO_MEMORY, "out of memory")                                                                                      \
    X(NOT_FINITE, "a value is not finite")                                                                             \
    X(UNSUPPORTED, "not supported")                                                                                    \
    X(CANCELLED, "interrupted as asked, after saving")

/** What came of a call: a value for each entry of the list above. */
enum retort_status {
/** One value of the list. */
#define X(name, text) RETORT_##name, /**< text */
    RETORT_STATUS_LIST(X)
#undef X
};

/** retort_status_text: the words of the list above; "unknown status" for a number that is none of them. */
const char *retort_status_text(enum retort_status status);

/* --- context --- */
struct retort_context;

/** retort_context_new: all cores, warnings to standard error. NULL: out of memory. */
struct retort_context *retort_context_new(void);
void retort_context_free(struct retort_context *context); /**< NULL: no-op */

/** retort_error: why the last call with this context failed, without a newline at its end; "" when it did not.
 * Starts with "FILE:LINE:COLUMN: " where a recipe is wrong. Valid until the next call with the context. */
const char *retort_error(const struct retort_context *context);
/** retort_error_has_position: the message starts with "FILE:LINE:COLUMN: ". */
bool retort_error_has_position(const struct retort_context *context);

/** retort_set_threads: how many threads the jobs may use; 0 (or less): all cores that the process may use. */
void retort_set_threads(struct retort_context *context, int threads);

/** How much is said. */
enum retort_log_level {
    RETORT_LOG_QUIET,   /**< nothing */
    RETORT_LOG_WARNING, /**< what one should know; the default */
    RETORT_LOG_INFO     /**< what is going on, as well */
};
/** retort_set_log: messages up to `level` go to `log`, one line at a time, without a newline; NULL: standard error.
 * `user` is handed on. Calls never overlap, nor do they overlap with a progress call, but they may come from threads of
 * the job. */
void retort_set_log(struct retort_context *context, enum retort_log_level level,
                    void (*log)(void *user, enum retort_log_level level, const char *line), void *user);

/** retort_set_cancel: a job stops at its next safe point and ends with RETORT_CANCELLED once *flag is not 0; a signal
 * handler or another thread may set it, with an atomic store where the job has several threads. Borrowed until it is replaced or the context is freed. NULL: never. */
void retort_set_cancel(struct retort_context *context, const volatile sig_atomic_t *flag);

/* --- results --- */
/** What a job answers with: a tree of maps, lists and scalars, which is also a table: a list of maps is a row each. */
struct retort_result;
struct retort_value; /**< One node of that tree; lives as long as its result. */

/** What a value is. */
enum retort_kind {
    RETORT_NULL,    /**< a figure that is not defined */
    RETORT_BOOLEAN, /**< true or false */
    RETORT_INTEGER, /**< a whole number */
    RETORT_NUMBER,  /**< a number */
    RETORT_TEXT,    /**< UTF-8 */
    RETORT_LIST,    /**< values in order */
    RETORT_MAP      /**< values by key, in order */
};

/** retort_result_free: with all that was got from it; NULL: no-op. */
void retort_result_free(struct retort_result *result);

/** retort_result_root: the whole answer; never NULL. */
const struct retort_value *retort_result_root(const struct retort_result *result);
/** retort_result_folder: the folder of the run that the result tells of, as it was given or made; NULL where there is
 * none. */
const char *retort_result_folder(const struct retort_result *result);

/* Reading. NULL stands for a value that is not there and is answered like RETORT_NULL, so that calls can be nested. */
/** retort_value_kind: what it is; RETORT_NULL for NULL. */
enum retort_kind retort_value_kind(const struct retort_value *value);
/** retort_value_get: by path, "stages.0.name": keys of maps, indices of lists. NULL when it is not there. */
const struct retort_value *retort_value_get(const struct retort_value *value, const char *path);
/** retort_value_count: items of a list or entries of a map; 0 for all else. */
size_t retort_value_count(const struct retort_value *value);
/** retort_value_child: item or entry `index`, in order; NULL when there is none. */
const struct retort_value *retort_value_child(const struct retort_value *value, size_t index);
/** retort_value_key: the key of a map's entry `index`; NULL for all else. */
const char *retort_value_key(const struct retort_value *value, size_t index);
/** retort_value_number: of an integer or a number; NaN for all else. */
double retort_value_number(const struct retort_value *value);
/** retort_value_integer: of an integer; 0 for all else. */
int64_t retort_value_integer(const struct retort_value *value);
/** retort_value_boolean: of a boolean; false for all else. */
bool retort_value_boolean(const struct retort_value *value);
/** retort_value_text: of a text; NULL for all else. */
const char *retort_value_text(const struct retort_value *value);

/** How a result is written. */
enum retort_format {
    RETORT_TEXT_FORMAT, /**< for people */
    RETORT_JSON_FORMAT, /**< one document, UTF-8, finite numbers that round-trip */
    RETORT_CSV_FORMAT   /**< the result's rows under a header line; maps and lists inside a row are cells of JSON */
};

/** retort_result_write: each format ends with a newline. RETORT_IO: `file` has an error; RETORT_NO_MEMORY. */
enum retort_status retort_result_write(const struct retort_result *result, enum retort_format format, FILE *file);
/** retort_result_string: the same as a text, which the caller frees with free(). NULL: out of memory. */
char *retort_result_string(const struct retort_result *result, enum retort_format format);

/* --- jobs: each has params, a function of their defaults, and gives *result, the caller's, or NULL on failure --- */

/** How a running stage is doing. Borrowed for the call. */
struct retort_progress {
    const char *stage;          /**< as in result.json: "teacher", "alone-0" … */
    int64_t step;               /**< done so far, of the stage */
    int64_t steps;              /**< of the stage */
    int64_t epoch;              /**< done so far, of the stage */
    int64_t epochs;             /**< of the stage */
    double loss;                /**< of the last steps, all terms together */
    double samples_per_second;  /**< that are trained on */
    double seconds_left;        /**< until the stage is finished, as things stand */
    double validation_accuracy; /**< of the last epoch; NaN: none */
    bool epoch_end;             /**< an epoch just ended */
    bool finished;              /**< the stage just ended */
    int stages_done;            /**< of the whole run */
    int stages;                 /**< of the whole run */
};

/** What retort_distill and retort_train are asked for. */
struct retort_distill_params {
    const char *recipe;      /**< a file; NULL when resuming */
    const char *const *sets; /**< "a.b.c=VALUE", VALUE as YAML: overrides the recipe */
    size_t set_count;        /**< of sets */
    const char *folder;      /**< of the run; NULL: runs/NAME-TIME. When resuming: the run's folder */
    bool resume;             /**< go on with the run in `folder` */
    bool force;              /**< replace a run that is in `folder` */
    int jobs;                /**< stages of small networks side by side; 0: one for each thread */
    bool profile;            /**< time each node of each stage's steps: "profile" of the result's stages */
    /** NULL: none. Calls never overlap, but may come from threads of the job. */
    void (*progress)(void *user, const struct retort_progress *progress);
    void *user; /**< of progress */
};

/** retort_distill_defaults: of the params. */
struct retort_distill_params retort_distill_defaults(void);
/** retort_distill: the whole recipe: teacher, student alone, student taught, comparison, report. The result is the run's
 * result.json. After RETORT_CANCELLED the run can be resumed; the message says how. */
enum retort_status retort_distill(struct retort_context *context, const struct retort_distill_params *params,
                                  struct retort_result **result);
/** retort_train_defaults: of the params. */
struct retort_distill_params retort_train_defaults(void);
/** retort_train: only the recipe's student, alone; otherwise as retort_distill. */
enum retort_status retort_train(struct retort_context *context, const struct retort_distill_params *params,
                                struct retort_result **result);

/** What retort_sweep is asked for. */
struct retort_sweep_params {
    const char *const *recipes; /**< files; none when resuming */
    size_t recipe_count;        /**< of recipes */
    const char *const *sets;    /**< "a.b.c=VALUE,VALUE": the values, as YAML, that the recipes' value takes in turn */
    size_t set_count;           /**< of sets */
    const char *folder;         /**< of the sweep */
    bool resume;                /**< go on with the sweep in `folder` */
    bool force;                 /**< replace a sweep that is in `folder` */
    int jobs;                   /**< runs side by side; 0: 1 */
    /** NULL: none. As of retort_distill; the stage is "RUN/STAGE". */
    void (*progress)(void *user, const struct retort_progress *progress);
    void *user; /**< of progress */
};

/** retort_sweep_defaults: of the params. */
struct retort_sweep_params retort_sweep_defaults(void);
/** retort_sweep: retort_distill for every recipe with every combination of the sets' values; what several runs have in
 * common (a teacher, a student alone) is trained once. The result is the sweep's sweep.json; its "report" is a page that
 * compares the runs. A run that fails does not stop the others: RETORT_OK, and the result's "failed" counts them, the
 * runs' "error" says why. The same params again go on with the sweep that they began. After RETORT_CANCELLED the sweep
 * can be resumed. */
enum retort_status retort_sweep(struct retort_context *context, const struct retort_sweep_params *params,
                                struct retort_result **result);

/** What an ensemble says. */
enum retort_combine {
    RETORT_MEAN_PROBABILITY, /**< the mean of the models' probabilities */
    RETORT_MEAN_LOGIT        /**< the mean of the models' logits */
};

/** What retort_eval is asked for. */
struct retort_eval_params {
    const char *const *models;   /**< files; several are an ensemble */
    size_t model_count;          /**< of models */
    enum retort_combine combine; /**< of an ensemble */
    const char *data;            /**< a name of retort_list's "data", or a YAML file with a `data:` section */
    const char *split;           /**< "train", "validation" or "test" */
    bool early_exit;             /**< each sample leaves the one model at its first exit that is sure enough */
    double threshold;            /**< of early_exit: the least probability in [0,1] that is sure enough; 1: none is */
};

/** retort_eval_defaults: split test, no early exit. */
struct retort_eval_params retort_eval_defaults(void);
/** retort_eval: {"model","data","split","samples","accuracy","top5","loss","ece"}; fractions in [0,1]. Of one model with
 * exits (outputs called exit…, a logit for each class) also {"plain_macs","exits":[{"name","macs","accuracy","loss"}],
 * "early_exit":[{"threshold","accuracy","macs","saved","left":[…]}]}: what early exit comes to at several thresholds;
 * with `early_exit` all figures are those of `threshold`. RETORT_USAGE: `early_exit` of an ensemble, or of a model
 * without exits. */
enum retort_status retort_eval(struct retort_context *context, const struct retort_eval_params *params,
                               struct retort_result **result);

/** What retort_predict is asked for. */
struct retort_predict_params {
    struct retort_eval_params of; /**< models and data */
    const char *out;              /**< NPY file to write */
};

/** retort_predict_defaults: split test, no early exit. */
struct retort_predict_params retort_predict_defaults(void);
/** retort_predict: logits float32 [N,K] of every sample in the data's order (an ensemble by mean probability:
 * log-probabilities; with early exit: of the exit at which the sample left). The result says what was written: {"model","data","split","samples","classes","out"}. */
enum retort_status retort_predict(struct retort_context *context, const struct retort_predict_params *params,
                                  struct retort_result **result);

/** What retort_record is asked for. */
struct retort_record_params {
    struct retort_eval_params of; /**< models and data; its split stays NULL, and there is no early exit */
    const char *out;              /**< NPZ file to write */
    bool probabilities;           /**< record probabilities instead of logits */
    int64_t top;                  /**< record only so many classes, and their probabilities; 0: logits */
    const char *const *layers;    /**< names of layers of the one model, whose outputs are recorded as well */
    size_t layer_count;           /**< of layers */
};

/** retort_record_defaults: logits alone. */
struct retort_record_params retort_record_defaults(void);
/** retort_record: outputs of every sample of the training files, in their order, before validation is held out, to teach
 * from: arrays logits float32 [N,K], or probabilities, or top_classes int64 [N,k] and top_probabilities float32 [N,k]; crc32
 * uint32 [N] of each sample's bytes; and of each layer its outputs under its name, float32 [N,C,H,W] or [N,D]. The result
 * says what was written: {"model","data","samples","classes","arrays":[{"name","dtype","shape"}],"out"}. */
enum retort_status retort_record(struct retort_context *context, const struct retort_record_params *params,
                                 struct retort_result **result);

/** What retort_inspect is asked for. */
struct retort_inspect_params {
    const char *path;        /**< a model file or a recipe */
    const char *network;     /**< of a recipe: "student" or "teacher" */
    bool plan;               /**< the steps of a training step with their kernels, instead */
    int64_t batch;           /**< of the plan; 0: the recipe's */
    const char *const *sets; /**< as for retort_distill, where path is a recipe */
    size_t set_count;        /**< of sets */
};

/** retort_inspect_defaults: the student, at the recipe's batch. */
struct retort_inspect_params retort_inspect_defaults(void);
/** retort_inspect: layers, taps, parameters, multiply-accumulates, bytes. */
enum retort_status retort_inspect(struct retort_context *context, const struct retort_inspect_params *params,
                                  struct retort_result **result);

/** What retort_loss is asked for. */
struct retort_loss_params {
    const char *method;         /**< a name of retort_list's "methods" */
    const char *const *student; /**< NPY files: logits [B,K], embeddings [B,D], maps [B,C,H,W] */
    const char *const *teacher; /**< likewise */
    size_t student_count;       /**< of student */
    size_t teacher_count;       /**< of teacher */
    const char *labels;         /**< NPY file, int64 [B], -1: none; or NULL */
    const char *const *sets;    /**< "option=value"; "seed=0" for the initial values of learnable parts */
    const char *const *own;     /**< "NAME=FILE": the method's own arrays */
    size_t set_count;           /**< of sets */
    size_t own_count;           /**< of own */
    const char *gradients;      /**< folder for grad0.npy …, own.NAME.npy; NULL: not written */
};

/** retort_loss_defaults: of the params. */
struct retort_loss_params retort_loss_defaults(void);
/** retort_loss: one method's loss on arrays, and its gradients: {"method","loss","options","own"}. */
enum retort_status retort_loss(struct retort_context *context, const struct retort_loss_params *params,
                               struct retort_result **result);

/** What retort_list is asked for. */
struct retort_list_params {
    const char *kind; /**< "methods", "layers" …; NULL: the kinds themselves */
};
/** retort_list_defaults: the kinds. */
struct retort_list_params retort_list_defaults(void);
/** retort_list: every entry of a table, a row each: "methods", "schemes", "teachers", "layers", "networks", "optimisers",
 * "schedules", "data", "augments", "sections". */
enum retort_status retort_list(struct retort_context *context, const struct retort_list_params *params,
                               struct retort_result **result);

/** What retort_help is asked for. */
struct retort_help_params {
    const char *kind; /**< in the singular ("method") or plural */
    const char *name; /**< of the entry */
};
/** retort_help_defaults: of the params. */
struct retort_help_params retort_help_defaults(void);
/** retort_help: one entry in full: what it does, formula, options, paper, when to use it, a recipe that runs. */
enum retort_status retort_help(struct retort_context *context, const struct retort_help_params *params,
                               struct retort_result **result);

/** What retort_report is asked for. */
struct retort_report_params {
    const char *const *folders; /**< of finished runs */
    size_t folder_count;        /**< of folders */
    const char *out;            /**< the page's file; NULL: FOLDER/report.html */
};
/** retort_report_defaults: of the params. */
struct retort_report_params retort_report_defaults(void);
/** retort_report: (re)makes the page of finished runs from their records alone; several folders: a page that compares
 * them, and `out` must be given. The result: {"report": path}. */
enum retort_status retort_report(struct retort_context *context, const struct retort_report_params *params,
                                 struct retort_result **result);

/** retort_cache_list: the recorded outputs of teachers on this machine, under $XDG_CACHE_HOME/retort, else ~/.cache/retort:
 * {"folder","bytes","entries":[{"key","teacher","layer","rows","row","type","bytes","whole","used"}]}, the last used first;
 * used: seconds since; an entry that is not whole is being recorded, or was left so. */
enum retort_status retort_cache_list(struct retort_context *context, struct retort_result **result);

/** What retort_cache_prune is asked for. */
struct retort_cache_prune_params {
    double unused_days; /**< removes what was not used for so many days */
    int64_t most_bytes; /**< and the longest unused, until at most so many bytes are left */
};
/** retort_cache_prune_defaults: 30 days, any number of bytes. */
struct retort_cache_prune_params retort_cache_prune_defaults(void);
/** retort_cache_prune: {"folder","removed","bytes"}. What a run is writing stays; what is removed is recorded again when a run
 * needs it. */
enum retort_status retort_cache_prune(struct retort_context *context, const struct retort_cache_prune_params *params,
                                      struct retort_result **result);

/* --- methods and layers of one's own: constants that a context is given --- */

/** Everything that trains is one graph of nodes: a method adds nodes that end in a scalar, a layer adds nodes that end in
 * its output, and gradients follow from the graph. The functions below build nodes while a `build` function runs; graph
 * and nodes are borrowed for that time.
 *
 * Builders are sticky: a NULL node gives NULL, and the first builder that fails records why, so that a formula is written
 * as a formula; `build` hands on the NULL that comes out of it, and the job ends with the message.
 *
 * Axis 0 of what comes from data is the batch. Maps are [B,H,W,C] here (weights are as everywhere: [O,I,H,W] and
 * [out,in]), logits are [B,K] and embeddings [B,D]. */
struct retort_graph;
struct retort_node; /**< The value of a formula, once for each step that is trained. */

enum {
    RETORT_RANK_MAX = 6, /**< most axes of a shape */
    RETORT_BATCH = -1    /**< the size of an axis that is the batch's */
};

/** The sizes of a node's axes: (struct retort_shape){2, {3, 5}}. */
struct retort_shape {
    int rank;                      /**< how many axes; 0: a scalar */
    int64_t size[RETORT_RANK_MAX]; /**< of each axis; RETORT_BATCH for the batch's */
};

/** retort_node_shape: of the node; rank -1 for NULL. */
struct retort_shape retort_node_shape(const struct retort_node *node);
/** retort_fail: records why a build function cannot go on, where no builder did, and returns NULL. */
struct retort_node *retort_fail(struct retort_graph *graph, const char *reason);

/** Every builder of one or two nodes, with its formula. ONE(x); TWO(a, b), with NumPy's broadcasting where shapes differ;
 * AXES(x, axes, keep): bit i of `axes` stands for axis i, and `keep` leaves reduced axes with size 1. Labels are integer
 * nodes [B]. */
#define RETORT_OP_LIST(ONE, TWO, AXES)                                                                                 \
    TWO(add, "a + b")                                                                                                  \
    TWO(sub, "a - b")                                                                                                  \
    TWO(mul, "a b")                                                                                                    \
    TWO(div, "a / b")                                                                                                  \
    TWO(power, "a^b; not a number for a < 0 unless b is an integer")                                                   \
    TWO(maximum, "the larger of a and b")                                                                              \
    TWO(minimum, "the smaller of a and b")                                                                             \
    ONE(exp, "e^x")                                                                                                    \
    ONE(log, "the natural logarithm")                                                                                  \
    ONE(sqrt, "the square root")                                                                                       \
    ONE(square, "x^2")                                                                                                 \
    ONE(abs, "the absolute value")                                                                                     \
    ONE(sign, "-1, 0 or 1; no gradient")                                                                               \
    ONE(relu, "max(x, 0)")                                                                                             \
    ONE(relu6, "min(max(x, 0), 6)")                                                                                    \
    ONE(sigmoid, "1 / (1 + e^-x)")                                                                                     \
    ONE(log_sigmoid, "the logarithm of sigmoid, finite where x is")                                                    \
    ONE(tanh, "the hyperbolic tangent")                                                                                \
    ONE(gelu, "x times the normal distribution at x")                                                                  \
    ONE(silu, "x sigmoid(x)")                                                                                          \
    ONE(softplus, "log(1 + e^x)")                                                                                      \
    ONE(hard_sigmoid, "relu6(x + 3) / 6")                                                                              \
    ONE(hard_swish, "x relu6(x + 3) / 6")                                                                              \
    AXES(sum, "the sum over the axes")                                                                                 \
    AXES(mean, "the mean over the axes")                                                                               \
    AXES(max, "the largest over the axes")                                                                             \
    AXES(min, "the smallest over the axes")                                                                            \
    ONE(sum_all, "the sum of all elements: a scalar")                                                                  \
    ONE(mean_all, "the mean of all elements: a scalar")                                                                \
    ONE(row_sum, "the sum over all axes but the first: [B]")                                                           \
    ONE(softmax, "e^x / sum e^x over the last axis")                                                                   \
    ONE(log_softmax, "the logarithm of softmax, over the last axis")                                                   \
    ONE(standardise_rows, "(x - mean) / deviation over the last axis")                                                 \
    TWO(cross_entropy_soft, "logits a [B,K], targets b [B,K]: - sum_k b_k log softmax(a)_k of each row: [B]")          \
    ONE(argmax, "the first largest of the last axis, as integers [B]; no gradient")                                    \
    TWO(match, "integers [B]: 1 where a = b, else 0; no gradient")                                                     \
    TWO(embedding, "table a [V,D], integers b [...]: the table's rows [..., D]; zeros for a negative integer")         \
    ONE(has_label, "integers [B]: 1 where x >= 0, else 0; no gradient")                                                \
    ONE(stop_gradient, "x, as a constant to what is built on it")                                                      \
    ONE(flatten, "[B,H,W,C] to [B, C H W] in the order C, H, W; [B,D] as it is")                                       \
    ONE(global_average_pool, "[B,H,W,C] to [B,C]: the mean of each channel")                                           \
    ONE(global_max_pool, "[B,H,W,C] to [B,C]: the largest of each channel")

/** Declares a builder of one node. */
#define RETORT_OP_ONE(name, text) /** text */ struct retort_node *retort_op_##name(struct retort_node *x);
/** Declares a builder of two nodes. */
#define RETORT_OP_TWO(name, text)                                                                                      \
    /** text */ struct retort_node *retort_op_##name(struct retort_node *a, struct retort_node *b);
/** Declares a builder over axes. */
#define RETORT_OP_AXES(name, text)                                                                                     \
    /** text */ struct retort_node *retort_op_##name(struct retort_node *x, unsigned axes, bool keep);
RETORT_OP_LIST(RETORT_OP_ONE, RETORT_OP_TWO, RETORT_OP_AXES)
#undef RETORT_OP_ONE
#undef RETORT_OP_TWO
#undef RETORT_OP_AXES

/** retort_op_scalar: a constant of rank 0. */
struct retort_node *retort_op_scalar(struct retort_graph *graph, double value);
/** retort_op_constant: `values` in C's order, copied. */
struct retort_node *retort_op_constant(struct retort_graph *graph, struct retort_shape shape, const double *values);
/** retort_op_integers: the same of integers, for what reads an index. */
struct retort_node *retort_op_integers(struct retort_graph *graph, struct retort_shape shape, const int32_t *values);
/** retort_op_scale: factor x. */
struct retort_node *retort_op_scale(struct retort_node *x, double factor);
/** retort_op_clip: low where x is smaller, high where it is larger. */
struct retort_node *retort_op_clip(struct retort_node *x, double low, double high);
/** retort_op_smooth_l1: of z = a - b: z^2 / (2 beta) where |z| < beta, else |z| - beta / 2. */
struct retort_node *retort_op_smooth_l1(struct retort_node *a, struct retort_node *b, double beta);
/** retort_op_leaky_relu: x where it is positive, else slope x; slope at least 0. */
struct retort_node *retort_op_leaky_relu(struct retort_node *x, double slope);

/** How two numbers can be compared. */
enum retort_relation {
    RETORT_EQUAL,         /**< a = b */
    RETORT_NOT_EQUAL,     /**< a != b */
    RETORT_GREATER,       /**< a > b */
    RETORT_GREATER_EQUAL, /**< a >= b */
    RETORT_LESS,          /**< a < b */
    RETORT_LESS_EQUAL     /**< a <= b */
};
/** retort_op_compare: 1 where `a relation b` holds, else 0; no gradient. */
struct retort_node *retort_op_compare(struct retort_node *a, enum retort_relation relation, struct retort_node *b);
/** retort_op_where: a where the condition is not 0, else b; no gradient to the condition. */
struct retort_node *retort_op_where(struct retort_node *condition, struct retort_node *a, struct retort_node *b);
/** retort_op_one_hot: integers [B]: [B,classes], 1 at the integer, a row of zeros where it is negative. */
struct retort_node *retort_op_one_hot(struct retort_node *labels, int classes);
/** retort_op_cross_entropy: of each row of logits [B,K]: [B]; labels [B], 0 for those of -1; the target is 1 - smoothing
 * at the label, and smoothing / K everywhere. */
struct retort_node *retort_op_cross_entropy(struct retort_node *logits, struct retort_node *labels, double smoothing);
/** retort_op_reshape: the same elements in C's order. */
struct retort_node *retort_op_reshape(struct retort_node *x, struct retort_shape shape);
/** retort_op_transpose: axis i of the result is axis axes[i] of x; as many axes as x has. */
struct retort_node *retort_op_transpose(struct retort_node *x, const int *axes);
/** retort_op_slice: every step-th index from `start` to before `stop` along an axis that is not the batch's; negative
 * indices count from the end, and INT64_MAX as `stop` is the end. */
struct retort_node *retort_op_slice(struct retort_node *x, int axis, int64_t start, int64_t stop, int64_t step);
/** retort_op_split: an axis cut into `count` parts of these sizes (NULL: equal ones); all NULL on failure. */
void retort_op_split(struct retort_node *x, int axis, int count, const int64_t *sizes, struct retort_node **parts);
/** retort_op_pad: `before` and `after` times the value along an axis. */
struct retort_node *retort_op_pad(struct retort_node *x, int axis, int64_t before, int64_t after, double value);
/** retort_op_count: how many elements an axis has, as a scalar: of axis 0 the batch's size. */
struct retort_node *retort_op_count(struct retort_node *x, int axis);
/** retort_op_gather: what the integers name along an axis: [a..., n, c...] and [i...] to [a..., i..., c...]; zeros where
 * one names nothing, such as -1. */
struct retort_node *retort_op_gather(struct retort_node *x, struct retort_node *index, int axis);
/** retort_op_swap_columns: x [B,K] with the elements at the integers a and b [B] exchanged in each row; a negative one:
 * the row as it is. */
struct retort_node *retort_op_swap_columns(struct retort_node *x, struct retort_node *a, struct retort_node *b);
/** retort_op_top_k: the k largest of the last axis, the largest first: [..., k]; indices: the integers [..., k] where they
 * are, or NULL. */
struct retort_node *retort_op_top_k(struct retort_node *x, int64_t k, struct retort_node **indices);
/** retort_op_eigen: of the symmetric part of x [B,n,n] the k largest eigenvalues [B,k], descending; k 0: all. vectors:
 * [B,k,n], rows, or NULL. Gradients are bounded at ties, as retort_op_svd's are. */
struct retort_node *retort_op_eigen(struct retort_node *x, int k, struct retort_node **vectors);
/** retort_op_svd: of x [B,m,n] the k largest singular values [B,k], descending; k 0: all. right: [B,k,n], left: [B,k,m],
 * rows with their element of largest magnitude positive, or NULL. */
struct retort_node *retort_op_svd(struct retort_node *x, int k, struct retort_node **right, struct retort_node **left);
/** retort_op_adaptive_average_pool: [B,H,W,C] to [B,height,width,C], so that maps of different sizes fit. */
struct retort_node *retort_op_adaptive_average_pool(struct retort_node *x, int height, int width);
/** retort_op_concat: one after another along an axis. */
struct retort_node *retort_op_concat(size_t count, struct retort_node *const *x, int axis);
/** retort_op_matmul: a [...,M,K] b [...,K,N]: [...,M,N]. transpose_a: a is given as [...,K,M]; transpose_b: b as
 * [...,N,K]. */
struct retort_node *retort_op_matmul(struct retort_node *a, struct retort_node *b, bool transpose_a, bool transpose_b);
/** retort_op_linear: x [B,D], weight [O,D]: [B,O]. A bias [O] is added by retort_op_add. */
struct retort_node *retort_op_linear(struct retort_node *x, struct retort_node *weight);

/** How a convolution moves; zero means 1, and no padding. Pairs are [height, width]. */
struct retort_convolution {
    int stride[2];   /**< between positions */
    int padding[2];  /**< zeros on each side */
    int dilation[2]; /**< between the kernel's elements */
    int groups;      /**< of channels */
};

/** retort_op_convolution: x [B,H,W,I], weight [O, I/groups, h, w]: [B,H',W',O]; how NULL: all of it zero. Along one axis:
 * x [B,L,I], weight [O, I/groups, l]: [B,L',O], with the first of each pair. */
struct retort_node *retort_op_convolution(struct retort_node *x, struct retort_node *weight,
                                          const struct retort_convolution *how);
/** retort_op_convolution_transpose: its adjoint: x [B,H,W,I], weight [I, O/groups, h, w]: [B,H',W',O] with
 * H' = (H - 1) stride - 2 padding + dilation (h - 1) + more[0] + 1; more: [height, width], NULL: zero. */
struct retort_node *retort_op_convolution_transpose(struct retort_node *x, struct retort_node *weight,
                                                    const struct retort_convolution *how, const int *more);

/** A pooling's windows; a stride of zero is the kernel's size. Pairs are [height, width]. */
struct retort_pooling {
    int kernel[2];  /**< a window's size */
    int stride[2];  /**< between windows */
    int padding[2]; /**< on each side: the maximum ignores it, the mean counts it as zeros */
};
/** retort_op_max_pool: [B,H,W,C]: the maximum of each window. */
struct retort_node *retort_op_max_pool(struct retort_node *x, const struct retort_pooling *how);
/** retort_op_average_pool: [B,H,W,C]: the mean of each window. */
struct retort_node *retort_op_average_pool(struct retort_node *x, const struct retort_pooling *how);
/** retort_op_resize: [B,H,W,C] to [B,height,width,C]: bilinear, or the nearest pixel's value. */
struct retort_node *retort_op_resize(struct retort_node *x, bool bilinear, int64_t height, int64_t width);

/** What a batch norm has; all [C], the last axis of what it normalises. */
struct retort_batch_norm {
    struct retort_node *scale;    /**< learnt */
    struct retort_node *shift;    /**< learnt */
    struct retort_node *mean;     /**< retort_state; running */
    struct retort_node *variance; /**< retort_state; running */
    double epsilon;               /**< added to the variance; 0: 1e-5 */
};
/** retort_op_batch_norm: training: by the batch's statistics, and the running ones follow by a tenth a step (mean NULL:
 * there are none); else by the running ones. */
struct retort_node *retort_op_batch_norm(struct retort_node *x, const struct retort_batch_norm *norm, bool training);
/** retort_op_layer_norm: (x - mean) / sqrt(variance + epsilon) scale + shift over the last `axes` axes together, whose
 * shape scale and shift have; both NULL: 1 and 0. */
struct retort_node *retort_op_layer_norm(struct retort_node *x, struct retort_node *scale, struct retort_node *shift,
                                         int axes, double epsilon);
/** retort_op_standardise: (x - mean) / deviation for each channel, the last axis; `channels` numbers of each, 1 or as many
 * as there are channels, copied. Bytes are divided by 255 first. */
struct retort_node *retort_op_standardise(struct retort_node *x, int channels, const double *mean,
                                          const double *deviation);
/** retort_op_attention: softmax(q k^T / sqrt(D)) v over the last two axes: q [...,T,D], k [...,S,D], v [...,S,E]:
 * [...,T,E]. */
struct retort_node *retort_op_attention(struct retort_node *q, struct retort_node *k, struct retort_node *v);

/** What a term or a layer owns: its parameters and states, found by name. */
struct retort_own;

/** Initial values; each is a function of the run's seed and of its name. */
enum retort_init {
    RETORT_INIT_ZERO,     /**< 0 */
    RETORT_INIT_CONSTANT, /**< scale */
    RETORT_INIT_NORMAL,   /**< normal, with deviation scale */
    RETORT_INIT_UNIFORM   /**< uniform in [-scale, scale] */
};

/** retort_parameter: learnt with the student. A layer's is LAYER.name in the model file; a method's trains beside the
 * student and is in no model. The name is copied; the shape has no batch. */
struct retort_node *retort_parameter(struct retort_own *own, const char *name, struct retort_shape shape,
                                     enum retort_init init, double scale);
/** retort_state: the same without a gradient: what changes by retort_update alone. */
struct retort_node *retort_state(struct retort_own *own, const char *name, struct retort_shape shape,
                                 enum retort_init init, double scale);
/** retort_update: at the end of each step that trains, the state takes the value, which has its shape. Returns the
 * value; NULL on failure. */
struct retort_node *retort_update(struct retort_own *own, struct retort_node *state, struct retort_node *value);
/** retort_random: uniform in [0,1), or normal; new numbers at each step, the same ones for the same seed and name. */
struct retort_node *retort_random(struct retort_own *own, const char *name, bool normal, struct retort_shape shape);

/** What dropout drops as one. */
enum retort_unit {
    RETORT_UNIT_ELEMENT, /**< an element */
    RETORT_UNIT_CHANNEL, /**< a channel of a sample */
    RETORT_UNIT_SAMPLE   /**< all of a sample */
};
/** retort_dropout: each unit set to 0 with probability `rate`, and the others divided by 1 - rate; new ones at each step,
 * the same ones for the same seed and name. */
struct retort_node *retort_dropout(struct retort_own *own, const char *name, struct retort_node *x, double rate,
                                   enum retort_unit unit);

/** Values kept for each sample of the training split, from step to step: a row each, found by name. */
struct retort_store;
/** retort_store: of a method, which wants RETORT_WANTS_SAMPLE; `row` is a row's shape. */
struct retort_store *retort_store(struct retort_own *own, const char *name, struct retort_shape row);
/** retort_store_read: the rows of samples [B]: [B, row], constant to the loss; zeros where none was written. */
struct retort_node *retort_store_read(struct retort_store *store, struct retort_node *sample);
/** retort_store_valid: [B]: 1 where the sample's row was ever written, else 0. */
struct retort_node *retort_store_valid(struct retort_store *store, struct retort_node *sample);
/** retort_store_update: at the end of each step that trains, the rows take the value [B, row]. Returns the value; NULL on
 * failure. */
struct retort_node *retort_store_update(struct retort_store *store, struct retort_node *sample,
                                        struct retort_node *value);

/** The type of an option, which is the type of its field. */
enum retort_option_type {
    RETORT_OPTION_NUMBER,    /**< double */
    RETORT_OPTION_SCHEDULED, /**< struct retort_scheduled */
    RETORT_OPTION_INTEGER,   /**< int64_t */
    RETORT_OPTION_BOOLEAN,   /**< bool */
    RETORT_OPTION_CHOICE,    /**< int: the index of one of `choices` */
    RETORT_OPTION_TEXT,      /**< const char * */
    RETORT_OPTION_PAIR       /**< int64_t [2]: a number, or [height, width] */
};

/** A number that a recipe may let change during a stage; read through retort_op_scheduled. */
struct retort_scheduled {
    double inside[5]; /**< not for reading */
};
/** retort_op_scheduled: the number, as a scalar that follows its course. */
struct retort_node *retort_op_scheduled(struct retort_graph *graph, const struct retort_scheduled *number);

/** What a recipe may set, checked before `build`: an unknown name or a value out of range is refused with its place. */
struct retort_option {
    const char *name;             /**< in the recipe */
    enum retort_option_type type; /**< of its field */
    size_t offset;                /**< of its field in the struct of options: offsetof(struct my_options, field) */
    const char *initial;          /**< the default, as a recipe would write it; NULL: it must be given */
    const char *help;             /**< what it does */
    double min;                   /**< smallest value; min = max: any */
    double max;                   /**< largest value */
    const char *const *choices;   /**< of RETORT_OPTION_CHOICE: names, and NULL at the end */
};

/** What a tap (a named layer's output) has to be. */
enum retort_role {
    RETORT_LOGITS,               /**< [B,K] */
    RETORT_EMBEDDING,            /**< [B,D], or a map, to be flattened */
    RETORT_FEATURE_MAP,          /**< [B,H,W,C] */
    RETORT_MAP_BEFORE_ACTIVATION /**< [B,H,W,C], of a layer that is followed by an activation */
};

/** Whose tap it is. */
enum retort_side {
    RETORT_STUDENT, /**< learns */
    RETORT_TEACHER  /**< is constant */
};

/** What kind of knowledge a method transfers: the word that retort_list shows. */
enum retort_family {
    RETORT_RESPONSE, /**< of outputs */
    RETORT_FEATURE,  /**< of what is inside */
    RETORT_RELATION  /**< between samples */
};

/** Some taps of one side; only the last input of a side may be of a variable number. */
struct retort_method_input {
    const char *name;      /**< for messages */
    enum retort_role role; /**< what they are */
    enum retort_side side; /**< whose they are */
    int min;               /**< fewest taps */
    int max;               /**< most taps */
};

/** What a method needs beside its taps. */
enum retort_wants {
    RETORT_WANTS_LABELS = 1,   /**< labels; without them the job fails */
    RETORT_WANTS_SAMPLE = 2,   /**< the samples' numbers */
    RETORT_TAKES_TARGETS = 4,  /**< soft targets in place of labels, where the data has them */
    RETORT_LABELS_IF_GIVEN = 8 /**< labels, which may be missing */
};

/** Where a method is applied. */
struct retort_method_site {
    struct retort_graph *graph;         /**< that is being built */
    struct retort_own *own;             /**< what the term owns */
    struct retort_node *const *student; /**< its taps, in the order of the inputs */
    struct retort_node *const *teacher; /**< likewise; constants */
    size_t student_count;               /**< of taps */
    size_t teacher_count;               /**< of taps */
    struct retort_node *labels;         /**< integers [B], -1 where a sample has none; NULL: there are none */
    struct retort_node *targets;        /**< [B,K]: soft targets; NULL: there are none */
    struct retort_node *sample;         /**< integers [B]: the sample's number in the training split; may be NULL */
    int64_t samples;                    /**< in the training split */
    int classes;                        /**< K */
    const void *options;                /**< the method's struct, filled in */
    void *user;                         /**< the method's */
};

/** A method: one loss. Weight and schedule are the recipe's. */
struct retort_method {
    const char *name;                         /**< in recipes: letters, digits, _ and - */
    const char *summary;                      /**< one line */
    const char *formula;                      /**< for retort_help; NULL: none */
    const char *paper;                        /**< likewise */
    const char *when;                         /**< when to use it; likewise */
    enum retort_family family;                /**< what it transfers */
    unsigned wants;                           /**< enum retort_wants, added up */
    const struct retort_method_input *inputs; /**< its taps */
    size_t input_count;                       /**< of inputs */
    const struct retort_option *options;      /**< NULL: none */
    size_t option_count;                      /**< of options */
    size_t options_size;                      /**< of the struct that the options' fields lie in */
    int batch_min;                            /**< smallest batch that it works with; 0: 1 */
    /** The loss: a scalar, a mean over the batch, without weight. NULL: failed. */
    struct retort_node *(*build)(const struct retort_method_site *site);
    void *user; /**< handed to build; borrowed as long as the context lives */
};

/** Where a layer is put. */
struct retort_layer_site {
    struct retort_graph *graph;        /**< that is being built */
    struct retort_own *own;            /**< what the layer owns */
    struct retort_node *const *inputs; /**< [B,H,W,C] or [B,D] */
    size_t input_count;                /**< of inputs */
    bool training;                     /**< false: for evaluation */
    const void *options;               /**< the layer's struct, filled in */
    void *user;                        /**< the layer's */
};

/** A layer type. Parameters, shape and multiply-accumulates are known from what it builds. */
struct retort_layer {
    const char *name;                    /**< in recipes: letters, digits, _ and - */
    const char *summary;                 /**< one line */
    int inputs_min;                      /**< fewest layers that it reads; 0: one */
    int inputs_max;                      /**< most layers that it reads; 0: one */
    const struct retort_option *options; /**< NULL: none */
    size_t option_count;                 /**< of options */
    size_t options_size;                 /**< of the struct that the options' fields lie in */
    /** Its output, [B,H,W,C] or [B,D]. NULL: failed. */
    struct retort_node *(*build)(const struct retort_layer_site *site);
    void *user; /**< handed to build; borrowed as long as the context lives */
};

/** retort_register_method: from now on recipes, retort_loss, retort_list and retort_help of this context know the method.
 * All but `user` is copied. A name that exists is refused, and so is what cannot be right: RETORT_USAGE. `build` may be
 * called from threads of a job. */
enum retort_status retort_register_method(struct retort_context *context, const struct retort_method *method);
/** retort_register_layer: likewise. A model file with the layer can be read where the layer is registered, and nowhere
 * else. */
enum retort_status retort_register_layer(struct retort_context *context, const struct retort_layer *layer);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif
