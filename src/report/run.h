/* run.h: what the report knows of a run: its folder, read and checked. */
#ifndef REPORT_RUN_H
#define REPORT_RUN_H

#include "report/detail.h"
#include "report/exits.h"
#include "report/terms.h"

/* A curve over steps or epochs. */
struct curve {
    size_t count;
    const double *x, *y; /* [count]; finite */
};

/* Figures that are undefined (null, or not there) are NaN; texts are NULL. */
struct report_stage {
    const char *name, *role;
    double seed, parameters, macs, epochs, steps, seconds, samples_per_second;
    double validation_accuracy, validation_loss;
    double accuracy, top5, loss, ece, fidelity; /* on the test split */
    struct curve train_loss;                    /* over steps, thinned */
    struct curve validation;                    /* accuracy over epochs */
    struct report_exits exits;
    struct report_detail detail;
    struct report_terms terms;
};

/* One figure over the seeds. */
struct report_figure {
    double mean, std, low, high; /* std: of a side; low, high: of the gain */
    size_t count;
    const double *per_seed; /* [count]; NaN: undefined */
};

struct report_run {
    const char *folder; /* as given */
    const char *name;   /* the record's, else the folder's last part */
    const char *started, *version, *recipe_sha256, *recipe;
    const char *cpu, *isa;
    double cores, threads, seconds;
    size_t classes; /* how many have names; 0: none */
    const char **class_names;
    size_t stages;
    struct report_stage *stage; /* [stages] */
    bool compared;              /* both sides were trained; the four below are set */
    struct report_figure alone, distilled, gain;
    double level;
    const char *verdict;
    bool recorded; /* record.sqlite was there */
};

/* report_run_read: everything lies in the arena. Fails as report_write says. */
enum status report_run_read(struct context *ctx, struct arena *arena, const char *folder, struct report_run *out);

/* report_role_mean: the mean, over a role's stages, of the figure at `offset` (offsetof(struct report_stage, …)), leaving
 * out what is undefined; *std (may be NULL) with n - 1. NaN when there is none. */
double report_role_mean(const struct report_run *run, const char *role, size_t offset, double *std);
/* report_role: the role's first stage, or NULL. */
const struct report_stage *report_role(const struct report_run *run, const char *role);
/* report_detailed: the role's first stage whose classes were recorded closely (class_logits), or NULL. */
const struct report_stage *report_detailed(const struct report_run *run, const char *role);
/* report_class: the class's name, or its number, written into `number`. */
enum { REPORT_CLASS_NUMBER = 24 };
const char *report_class(const struct report_run *run, int64_t class, char number[REPORT_CLASS_NUMBER]);
/* report_student: "distilled" or "alone", whichever the run ends in; NULL: neither. */
const char *report_student(const struct report_run *run);

#endif
