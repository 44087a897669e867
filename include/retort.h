/* retort.h: knowledge distillation: a large network teaches a small one.
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

/* retort_version: "MAJOR.MINOR.PATCH". */
const char *retort_version(void);

/* --- status --- */
#define RETORT_STATUS_LIST(X)                                                                                          \
    X(OK, "done")                                                                                                      \
    X(USAGE, "wrong params, options or recipe")                                                                        \
    X(BAD_FILE, "a data or model file is broken or does not fit")                                                      \
    X(IO, "reading or writing failed")                                                                                 \
    X(NO_MEMORY, "out of memory")                                                                                      \
    X(NOT_FINITE, "a value is not finite")                                                                             \
    X(UNSUPPORTED, "not supported")                                                                                    \
    X(CANCELLED, "interrupted as asked, after saving")

enum retort_status {
#define X(name, text) RETORT_##name,
    RETORT_STATUS_LIST(X)
#undef X
};

/* retort_status_text: the words of the list above; "unknown status" for a number that is none of them. */
const char *retort_status_text(enum retort_status status);

/* --- context --- */
struct retort_context;

/* retort_context_new: all cores, warnings to standard error. NULL: out of memory. */
struct retort_context *retort_context_new(void);
void retort_context_free(struct retort_context *context); /* NULL: no-op */

/* retort_error: why the last call with this context failed, without a newline at its end; "" when it did not.
 * Starts with "FILE:LINE:COLUMN: " where a recipe is wrong. Valid until the next call with the context. */
const char *retort_error(const struct retort_context *context);
/* retort_error_has_position: the message starts with "FILE:LINE:COLUMN: ". */
bool retort_error_has_position(const struct retort_context *context);

/* retort_set_threads: how many threads the jobs may use; 0 (or less): all cores that the process may use. */
void retort_set_threads(struct retort_context *context, int threads);

enum retort_log_level { RETORT_LOG_QUIET, RETORT_LOG_WARNING, RETORT_LOG_INFO };
/* retort_set_log: messages up to `level` go to `log`, one line at a time, without a newline; NULL: standard error.
 * `user` is handed on. Calls never overlap, nor do they overlap with a progress call, but they may come from threads of
 * the job. */
void retort_set_log(struct retort_context *context, enum retort_log_level level,
                    void (*log)(void *user, enum retort_log_level level, const char *line), void *user);

/* retort_set_cancel: a job stops at its next safe point and ends with RETORT_CANCELLED once *flag is not 0; a signal
 * handler may set it. Borrowed until it is replaced or the context is freed. NULL: never. */
void retort_set_cancel(struct retort_context *context, const volatile sig_atomic_t *flag);

/* --- results --- */
/* What a job answers with: a tree of maps, lists and scalars, which is also a table: a list of maps is a row each. */
struct retort_result;
struct retort_value;

enum retort_kind {
    RETORT_NULL, /* a figure that is not defined */
    RETORT_BOOLEAN,
    RETORT_INTEGER,
    RETORT_NUMBER,
    RETORT_TEXT,
    RETORT_LIST,
    RETORT_MAP
};

void retort_result_free(struct retort_result *result); /* NULL: no-op */

/* retort_result_root: the whole answer; never NULL. */
const struct retort_value *retort_result_root(const struct retort_result *result);
/* retort_result_folder: the folder of the run that the result tells of, as it was given or made; NULL where there is
 * none. */
const char *retort_result_folder(const struct retort_result *result);

/* Reading. NULL stands for a value that is not there and is answered like RETORT_NULL, so that calls can be nested. */
enum retort_kind retort_value_kind(const struct retort_value *value);
/* retort_value_get: by path, "stages.0.name": keys of maps, indices of lists. NULL when it is not there. */
const struct retort_value *retort_value_get(const struct retort_value *value, const char *path);
/* retort_value_count: items of a list or entries of a map; 0 for all else. */
size_t retort_value_count(const struct retort_value *value);
/* retort_value_child: item or entry `index`, in order; NULL when there is none. */
const struct retort_value *retort_value_child(const struct retort_value *value, size_t index);
/* retort_value_key: the key of a map's entry `index`; NULL for all else. */
const char *retort_value_key(const struct retort_value *value, size_t index);
/* retort_value_number: of an integer or a number; NaN for all else. */
double retort_value_number(const struct retort_value *value);
/* retort_value_integer: of an integer; 0 for all else. */
int64_t retort_value_integer(const struct retort_value *value);
/* retort_value_boolean: of a boolean; false for all else. */
bool retort_value_boolean(const struct retort_value *value);
/* retort_value_text: of a text; NULL for all else. */
const char *retort_value_text(const struct retort_value *value);

enum retort_format {
    RETORT_TEXT_FORMAT, /* for people */
    RETORT_JSON_FORMAT, /* one document, UTF-8, finite numbers that round-trip */
    RETORT_CSV_FORMAT   /* the result's rows under a header line; maps and lists inside a row are cells of JSON */
};

/* retort_result_write: each format ends with a newline. RETORT_IO: `file` has an error; RETORT_NO_MEMORY. */
enum retort_status retort_result_write(const struct retort_result *result, enum retort_format format, FILE *file);
/* retort_result_string: the same as a text, which the caller frees with free(). NULL: out of memory. */
char *retort_result_string(const struct retort_result *result, enum retort_format format);

/* --- jobs: each has params, a function of their defaults, and gives *result, the caller's, or NULL on failure --- */

/* How a running stage is doing. Borrowed for the call. */
struct retort_progress {
    const char *stage; /* as in result.json: "teacher", "alone-0" … */
    int64_t step, steps, epoch, epochs;
    double loss, samples_per_second, seconds_left;
    double validation_accuracy; /* of the last epoch; NaN: none */
    bool epoch_end, finished;
    int stages_done, stages; /* of the whole run */
};

struct retort_distill_params {
    const char *recipe;      /* a file; NULL when resuming */
    const char *const *sets; /* "a.b.c=VALUE", VALUE as YAML: overrides the recipe */
    size_t set_count;
    const char *folder; /* of the run; NULL: runs/NAME-TIME. When resuming: the run's folder */
    bool resume;        /* go on with the run in `folder` */
    bool force;         /* replace a run that is in `folder` */
    int jobs;           /* stages of small networks side by side; 0: one for each thread */
    void (*progress)(void *user,
                     const struct retort_progress
                         *progress); /* NULL: none. Calls never overlap, but may come from threads of the job */
    void *user;                      /* of progress */
};

/* retort_distill: the whole recipe: teacher, student alone, student taught, comparison, report. The result is the run's
 * result.json. After RETORT_CANCELLED the run can be resumed; the message says how. */
struct retort_distill_params retort_distill_defaults(void);
enum retort_status retort_distill(struct retort_context *context, const struct retort_distill_params *params,
                                  struct retort_result **result);
/* retort_train: only the recipe's student, alone; otherwise as retort_distill. */
struct retort_distill_params retort_train_defaults(void);
enum retort_status retort_train(struct retort_context *context, const struct retort_distill_params *params,
                                struct retort_result **result);

enum retort_combine { RETORT_MEAN_PROBABILITY, RETORT_MEAN_LOGIT };

struct retort_eval_params {
    const char *const *models; /* files; several are an ensemble */
    size_t model_count;
    enum retort_combine combine; /* of an ensemble */
    const char *data;            /* a name of retort_list's "data", or a YAML file with a `data:` section */
    const char *split;           /* "train", "validation" or "test" */
};

/* retort_eval: {"model","data","split","samples","accuracy","top5","loss","ece"}; fractions in [0,1]. By default: split
 * test. */
struct retort_eval_params retort_eval_defaults(void);
enum retort_status retort_eval(struct retort_context *context, const struct retort_eval_params *params,
                               struct retort_result **result);

struct retort_predict_params {
    struct retort_eval_params of;
    const char *out; /* NPY file to write */
};

/* retort_predict: logits float32 [N,K] of every sample in the data's order (an ensemble by mean probability:
 * log-probabilities). The result says what was written: {"model","data","split","samples","classes","out"}. */
struct retort_predict_params retort_predict_defaults(void);
enum retort_status retort_predict(struct retort_context *context, const struct retort_predict_params *params,
                                  struct retort_result **result);

struct retort_inspect_params {
    const char *path;        /* a model file or a recipe */
    const char *network;     /* of a recipe: "student" or "teacher" */
    bool plan;               /* the steps of a training step with their kernels, instead */
    int64_t batch;           /* of the plan */
    const char *const *sets; /* as for retort_distill, where path is a recipe */
    size_t set_count;
};

/* retort_inspect: layers, taps, parameters, multiply-accumulates, bytes. By default: the student, batch 128. */
struct retort_inspect_params retort_inspect_defaults(void);
enum retort_status retort_inspect(struct retort_context *context, const struct retort_inspect_params *params,
                                  struct retort_result **result);

struct retort_loss_params {
    const char *method;         /* a name of retort_list's "methods" */
    const char *const *student; /* NPY files: logits [B,K], embeddings [B,D], maps [B,C,H,W] */
    const char *const *teacher;
    size_t student_count, teacher_count;
    const char *labels;      /* NPY file, int64 [B], -1: none; or NULL */
    const char *const *sets; /* "option=value"; "seed=0" for the initial values of learnable parts */
    const char *const *own;  /* "NAME=FILE": the method's own arrays */
    size_t set_count, own_count;
    const char *gradients; /* folder for grad0.npy …, own.NAME.npy; NULL: not written */
};

/* retort_loss: one method's loss on arrays, and its gradients: {"method","loss","options","own"}. */
struct retort_loss_params retort_loss_defaults(void);
enum retort_status retort_loss(struct retort_context *context, const struct retort_loss_params *params,
                               struct retort_result **result);

/* retort_list: every entry of a table, a row each: "methods", "schemes", "teachers", "layers", "networks", "optimisers",
 * "schedules", "data". kind NULL: the kinds themselves. */
struct retort_list_params {
    const char *kind;
};
struct retort_list_params retort_list_defaults(void);
enum retort_status retort_list(struct retort_context *context, const struct retort_list_params *params,
                               struct retort_result **result);

/* retort_help: one entry in full: what it does, formula, options, paper, when to use it, a recipe that runs. kind in the
 * singular ("method") or plural. */
struct retort_help_params {
    const char *kind, *name;
};
struct retort_help_params retort_help_defaults(void);
enum retort_status retort_help(struct retort_context *context, const struct retort_help_params *params,
                               struct retort_result **result);

/* retort_report: (re)makes the page of finished runs from their records alone. One folder: FOLDER/report.html; several:
 * a page that compares them, and `out` must be given. The result: {"report": path}. */
struct retort_report_params {
    const char *const *folders;
    size_t folder_count;
    const char *out; /* NULL: FOLDER/report.html */
};
struct retort_report_params retort_report_defaults(void);
enum retort_status retort_report(struct retort_context *context, const struct retort_report_params *params,
                                 struct retort_result **result);

#ifdef __cplusplus
}
#endif

#endif
