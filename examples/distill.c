/* distill.c: the main job: a teacher, the student alone, the student taught, and what it was good for.
 *
 *     cc distill.c $(pkg-config --cflags --libs retort) -o distill && ./distill recipe.yaml [FOLDER] */
#include <retort.h>

#include <signal.h>

static volatile sig_atomic_t interrupted;

static void interrupt(int signal_number)
{
    (void)signal_number;
    __atomic_store_n(&interrupted, 1, __ATOMIC_RELAXED);
}

static void show(void *user, const struct retort_progress *at)
{
    (void)user;
    if (at->epoch_end)
        fprintf(stderr, "%s: epoch %d of %d, loss %.4f, validation accuracy %.4f\n", at->stage, (int)at->epoch,
                (int)at->epochs, at->loss, at->validation_accuracy);
}

int main(int count, char **words)
{
    struct retort_context *context = retort_context_new();
    struct retort_distill_params params = retort_distill_defaults();
    struct retort_result *result = NULL;
    if (context == NULL || count < 2) {
        fprintf(stderr, "usage: distill RECIPE [FOLDER]\n");
        retort_context_free(context);
        return 2;
    }
    signal(SIGINT, interrupt); /* stops at a safe point; a run can be resumed */
    retort_set_cancel(context, &interrupted);
    params.recipe = words[1];
    params.folder = count > 2 ? words[2] : NULL;
    params.progress = show;
    enum retort_status status = retort_distill(context, &params, &result);
    if (status != RETORT_OK) {
        fprintf(stderr, "%s\n", retort_error(context));
    } else {
        const struct retort_value *root = retort_result_root(result);
        const struct retort_value *gain = retort_value_get(root, "comparison.gain");
        retort_result_write(result, RETORT_TEXT_FORMAT, stdout);
        printf("gain of the student: %.4f [%.4f, %.4f]; see %s/report.html\n",
               retort_value_number(retort_value_get(gain, "mean")), retort_value_number(retort_value_get(gain, "low")),
               retort_value_number(retort_value_get(gain, "high")), retort_result_folder(result));
    }
    retort_result_free(result);
    retort_context_free(context);
    return status == RETORT_OK ? 0 : 1;
}
