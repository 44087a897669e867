/* driver.c: runs a fuzz target without libFuzzer: over each file of its corpus and over counted mutations of it.
 *
 *     test_fuzz_NAME CORPUS-FOLDER [MUTATIONS [SEED]]
 *
 * The work is done in a child process that notes in shared memory what it is about to run, so that after a crash
 * the parent can say which input it was and keep it as test_fuzz_NAME-crash.bin (in $RETORT_BUILD where that is
 * set). The mutations depend on SEED and their number alone; a failure is repeated by the same command. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

enum { FILES_MAX = 512, INPUT_MAX = 1 << 20, EDITS_MAX = 6 };

struct input {
    char name[256];
    uint8_t *bytes;
    size_t count;
};

struct corpus {
    struct input inputs[FILES_MAX];
    size_t count;
};

/* Shared with the child: the mutation that runs, -1 - i for the unchanged file i. */
struct position {
    long mutation;
};

static uint64_t random_next(uint64_t *state)
{
    /* splitmix64 */
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static size_t random_below(uint64_t *state, size_t limit)
{
    return limit == 0 ? 0 : (size_t)(random_next(state) % limit);
}

static int compare_inputs(const void *a, const void *b)
{
    return strcmp(((const struct input *)a)->name, ((const struct input *)b)->name);
}

static int corpus_read(const char *folder, struct corpus *corpus)
{
    DIR *directory = opendir(folder);
    if (!directory) {
        fprintf(stderr, "%s: %s; a fuzz target needs a corpus of at least one file\n", folder, strerror(errno));
        return -1;
    }
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL && corpus->count < FILES_MAX) {
        struct input *input = &corpus->inputs[corpus->count];
        char path[4096];
        if (entry->d_name[0] == '.' || strlen(entry->d_name) >= sizeof input->name)
            continue;
        if (snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) >= (int)sizeof path)
            continue;
        FILE *file = fopen(path, "rb");
        if (!file)
            continue;
        strcpy(input->name, entry->d_name);
        input->bytes = malloc(INPUT_MAX);
        if (input->bytes) {
            input->count = fread(input->bytes, 1, INPUT_MAX, file);
            corpus->count++;
        }
        fclose(file);
    }
    closedir(directory);
    if (corpus->count == 0) {
        fprintf(stderr, "%s: no file; a fuzz target needs a corpus of at least one\n", folder);
        return -1;
    }
    qsort(corpus->inputs, corpus->count, sizeof corpus->inputs[0], compare_inputs);
    return 0;
}

/* mutate: out [INPUT_MAX] becomes mutation number `n`; returns its length. */
static size_t mutate(const struct corpus *corpus, uint64_t seed, long n, uint8_t *out)
{
    static const uint8_t striking[] = {0,   1,   0x7f, 0x80, 0xff, '"', '\'', '{',
                                       '}', '[', ']',  ':',  ',',  '-', '\n', '\\'};
    uint64_t state = seed * 0x2545f4914f6cdd1du + (uint64_t)n;
    const struct input *from = &corpus->inputs[random_below(&state, corpus->count)];
    size_t count = from->count;
    memcpy(out, from->bytes, count);
    size_t edits = 1 + random_below(&state, EDITS_MAX);
    for (size_t i = 0; i < edits; i++) {
        size_t at = random_below(&state, count);
        size_t length = 1 + random_below(&state, 8);
        if (length > count - at)
            length = count - at;
        switch (count == 0 ? 4 : random_below(&state, 7)) {
        case 0: /* one bit */
            out[at] ^= (uint8_t)(1u << random_below(&state, 8));
            break;
        case 1: /* any byte */
            out[at] = (uint8_t)random_next(&state);
            break;
        case 2: /* a byte at a border of a range, or of the syntax */
            out[at] = striking[random_below(&state, sizeof striking)];
            break;
        case 3: /* a few bytes less */
            memmove(out + at, out + at + length, count - at - length);
            count -= length;
            break;
        case 4: /* one byte more */
            if (count < INPUT_MAX) {
                memmove(out + at + 1, out + at, count - at);
                out[at] = striking[random_below(&state, sizeof striking)];
                count++;
            }
            break;
        case 5: /* cut off */
            count = at;
            break;
        default: { /* a piece of another file over it */
            const struct input *other = &corpus->inputs[random_below(&state, corpus->count)];
            size_t source = random_below(&state, other->count);
            size_t copied = random_below(&state, 64);
            if (copied > other->count - source)
                copied = other->count - source;
            if (copied > count - at)
                copied = count - at;
            memcpy(out + at, other->bytes + source, copied);
        }
        }
    }
    return count;
}

/* The target gets memory of exactly the input's size, so that a read behind its end is seen by ASan. */
static void run_exactly(const uint8_t *bytes, size_t count)
{
    uint8_t *exact = malloc(count ? count : 1);
    if (!exact)
        return;
    memcpy(exact, bytes, count);
    LLVMFuzzerTestOneInput(exact, count);
    free(exact);
}

static void run_all(const struct corpus *corpus, long mutations, uint64_t seed, uint8_t *buffer,
                    volatile struct position *position)
{
    for (size_t i = 0; i < corpus->count; i++) {
        position->mutation = -1 - (long)i;
        run_exactly(corpus->inputs[i].bytes, corpus->inputs[i].count);
    }
    for (long n = 0; n < mutations; n++) {
        position->mutation = n;
        run_exactly(buffer, mutate(corpus, seed, n, buffer));
    }
    position->mutation = mutations;
}

static void report_crash(const char *program, const struct corpus *corpus, uint64_t seed, long mutation,
                         uint8_t *buffer)
{
    const uint8_t *bytes = buffer;
    size_t count;
    if (mutation < 0) {
        const struct input *input = &corpus->inputs[-1 - mutation];
        bytes = input->bytes;
        count = input->count;
        fprintf(stderr, "the target failed on %s\n", input->name);
    } else {
        count = mutate(corpus, seed, mutation, buffer);
        fprintf(stderr, "the target failed on mutation %ld of seed %" PRIu64 "\n", mutation, seed);
    }
    const char *folder = getenv("RETORT_BUILD");
    char path[4096];
    const char *slash = strrchr(program, '/');
    snprintf(path, sizeof path, "%s/%s-crash.bin", folder ? folder : ".", slash ? slash + 1 : program);
    FILE *file = fopen(path, "wb");
    if (!file)
        return;
    fwrite(bytes, 1, count, file);
    fclose(file);
    fprintf(stderr, "its input of %zu bytes is in %s\n", count, path);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: %s CORPUS-FOLDER [MUTATIONS [SEED]]\n", argv[0]);
        return 2;
    }
    long mutations = argc > 2 ? strtol(argv[2], NULL, 10) : 2000;
    uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    int result = 1;
    struct position *position = mmap(NULL, sizeof *position, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct corpus *corpus = calloc(1, sizeof *corpus);
    uint8_t *buffer = malloc(INPUT_MAX);
    if (position == MAP_FAILED || !corpus || !buffer || corpus_read(argv[1], corpus) != 0)
        goto cleanup;
    printf("%zu files, %ld mutations, seed %" PRIu64 "\n", corpus->count, mutations, seed);
    fflush(stdout);
    pid_t child = fork();
    if (child < 0)
        goto cleanup;
    if (child == 0) {
        run_all(corpus, mutations, seed, buffer, position);
        goto cleanup_child;
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && position->mutation == mutations)
        result = 0;
    else if (position->mutation == mutations)
        fprintf(stderr, "all inputs were run, but the process then failed (a leak?)\n");
    else
        report_crash(argv[0], corpus, seed, position->mutation, buffer);
    goto cleanup;

cleanup_child:
    result = 0;
cleanup:
    for (size_t i = 0; corpus && i < corpus->count; i++)
        free(corpus->inputs[i].bytes);
    free(corpus);
    free(buffer);
    if (position != MAP_FAILED)
        munmap(position, sizeof *position);
    return result;
}
