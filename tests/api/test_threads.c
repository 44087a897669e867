/* test_threads.c: two runs in two threads of one process give the bits of two processes: contexts share nothing. */
#include "support/small_files.h"

#include <retort.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { RUNS = 2 };

static const char *const recipes[RUNS] = {"first.yaml", "second.yaml"};
static const char *const models[] = {"teacher", "alone-0", "distilled-0", "distilled-1"};

struct job {
    const char *recipe, *folder;
    enum retort_status status;
    int epochs;
};

static void count_epochs(void *user, const struct retort_progress *at)
{
    struct job *job = user;
    job->epochs += at->epoch_end;
}

static void *job_run(void *user)
{
    struct job *job = user;
    struct retort_context *context = retort_context_new();
    struct retort_distill_params params = retort_distill_defaults();
    struct retort_result *result = NULL;
    retort_set_log(context, RETORT_LOG_QUIET, NULL, NULL);
    retort_set_threads(context, 1);
    params.recipe = job->recipe;
    params.folder = job->folder;
    params.progress = count_epochs;
    params.user = job;
    job->status = retort_distill(context, &params, &result);
    if (job->status != RETORT_OK)
        fprintf(stderr, "%s\n", retort_error(context));
    retort_result_free(result);
    retort_context_free(context);
    return NULL;
}

static void process_run(const char *recipe, const char *folder)
{
    const char *program = getenv("RETORT");
    int status = -1;
    assert_non_null(program);
    pid_t child = fork();
    if (child == 0) {
        execl(program, program, "distill", recipe, "-o", folder, "--threads", "1", "--quiet", (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* tensors_read: a model file without its header, in which provenance stands. */
static unsigned char *tensors_read(const char *folder, const char *model, size_t *count)
{
    char path[256];
    unsigned char head[8];
    uint64_t skip = 0;
    snprintf(path, sizeof path, "%s/models/%s.safetensors", folder, model);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(head, 1, sizeof head, file), sizeof head);
    for (int i = 7; i >= 0; i--)
        skip = skip << 8 | head[i];
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    *count = (size_t)ftell(file) - 8 - (size_t)skip;
    assert_int_equal(fseek(file, (long)(8 + skip), SEEK_SET), 0);
    unsigned char *bytes = malloc(*count);
    assert_true(bytes != NULL && *count > 100);
    assert_int_equal(fread(bytes, 1, *count, file), *count);
    fclose(file);
    return bytes;
}

static bool same_bits(const char *folder, const char *other, const char *model)
{
    size_t count[2];
    unsigned char *a = tensors_read(folder, model, &count[0]), *b = tensors_read(other, model, &count[1]);
    bool same = count[0] == count[1] && memcmp(a, b, count[0]) == 0;
    free(a);
    free(b);
    return same;
}

static void test_two_threads_give_the_bits_of_two_processes(void **state)
{
    (void)state;
    const char *const train = "train: {epochs: 3, batch: 10}", *const seeds[RUNS] = {"[0, 1]", "[1, 0]"};
    struct job jobs[RUNS] = {{.recipe = recipes[0], .folder = "thread-0"},
                             {.recipe = recipes[1], .folder = "thread-1"}};
    pthread_t threads[RUNS];
    small_files_put();
    for (int i = 0; i < RUNS; i++) {
        char recipe[1024];
        snprintf(recipe, sizeof recipe,
                 SMALL_DATA "teacher: {network: {name: cnn, widths: [8, %d], dropout: 0.2}, %s}\n"
                            "student: {network: {name: cnn, widths: [4], dropout: 0.1}, %s}\n"
                            "seeds: %s\n",
                 8 + 4 * i, train, train, seeds[i]);
        text_put(recipes[i], recipe);
    }
    for (int i = 0; i < RUNS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, job_run, &jobs[i]), 0);
    for (int i = 0; i < RUNS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < RUNS; i++) {
        char folder[32];
        assert_int_equal(jobs[i].status, RETORT_OK);
        assert_int_equal(jobs[i].epochs, 3 * 5); /* teacher, and each seed alone and distilled */
        snprintf(folder, sizeof folder, "process-%d", i);
        process_run(recipes[i], folder);
        for (size_t m = 0; m < sizeof models / sizeof models[0]; m++)
            assert_true(same_bits(jobs[i].folder, folder, models[m]));
    }
    /* The comparison can fail: other seeds and other teachers are other bits. */
    assert_false(same_bits("thread-0", "process-1", "distilled-0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_two_threads_give_the_bits_of_two_processes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
