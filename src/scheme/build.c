/* build.c: see build.h. */
#include "scheme/build.h"

#include "nn/network.h"

#include <string.h>

/* grown: a copy of `count` items with room for one more. */
static void *grown(struct arena *arena, const void *from, int count, size_t size)
{
    char *to = arena_take(arena, (size_t)count + 1, size);
    if (to && count)
        memcpy(to, from, (size_t)count * size);
    return to;
}

const char *seeded_name(const struct request *request, struct stage_list *list, const char *role)
{
    return arena_format(list->arena, "%s-%llu", role, (unsigned long long)request->seed);
}

struct stage *stage_begin(const struct request *request, struct stage_list *list, const char *role)
{
    struct stage *stage = stage_add(list);
    const char *name = seeded_name(request, list, role);
    if (!stage || !name)
        return NULL;
    stage->name = name;
    stage->role = role;
    stage->seed = request->seed;
    stage->budget = request->budget;
    return stage;
}

int stage_learner(struct arena *arena, struct stage *stage, struct learner learner)
{
    struct learner *learners = grown(arena, stage->learners, stage->n_learners, sizeof *learners);
    if (!learners || !learner.name)
        return -1;
    learners[stage->n_learners] = learner;
    stage->learners = learners;
    return stage->n_learners++;
}

int stage_event(struct arena *arena, struct stage *stage, struct event event)
{
    struct event *events = grown(arena, stage->events, stage->n_events, sizeof *events);
    if (!events)
        return -1;
    events[stage->n_events] = event;
    stage->events = events;
    return stage->n_events++;
}

enum status stage_term(struct arena *arena, struct stage *stage, struct term term)
{
    struct term *terms = grown(arena, stage->terms, stage->n_terms, sizeof *terms);
    if (!terms || !term.name)
        return STATUS_NO_MEMORY;
    terms[stage->n_terms++] = term;
    stage->terms = terms;
    return STATUS_OK;
}

struct learner learner_student(const struct request *request, const char *name, struct network *network)
{
    return (struct learner){
        .name = name, .network = network, .training = true, .learns = true, .optimiser = request->optimiser};
}

struct learner learner_frozen(const char *name, struct network *network)
{
    return (struct learner){.name = name, .network = network};
}

struct network *fresh_network(const struct request *request, struct stage_list *list, int64_t offset)
{
    const char *name =
        offset != 0 ? arena_format(list->arena, "student+%lld", (long long)offset) : request->student->name;
    return name ? request->network(request, MADE_LIKE_STUDENT, NULL, name, request->seed + (uint64_t)offset) : NULL;
}

/* --- terms --- */

/* lesson_name: "kd"; of a learner that is not the subject "peer1.kd"; from one of several teachers "kd.peer2". */
static const char *lesson_name(struct arena *arena, const struct stage *stage, const struct lesson *lesson,
                               const struct term *term, int teacher)
{
    const char *who = lesson->name ? lesson->name : stage->learners[lesson->student].name;
    const bool several = teacher >= 0 && lesson->n_teachers > 1;
    if (!lesson->name && lesson->student == stage->subject)
        return several ? arena_format(arena, "%s.%s", term->name, stage->learners[teacher].name) : term->name;
    return several ? arena_format(arena, "%s.%s.%s", who, term->name, stage->learners[teacher].name)
                   : arena_format(arena, "%s.%s", who, term->name);
}

static void logits_name(struct arena *arena, const char *layer, const char *const **taps, int *count)
{
    if (!layer || *count > 0)
        return;
    *taps = arena_copy(arena, &layer, sizeof layer);
    *count = 1;
}

/* teach_by: one of the losses, from one teacher or with -1 from none. */
static enum status teach_by(struct stage_list *list, struct stage *stage, const struct lesson *lesson,
                            const struct term *from, int teacher)
{
    struct term term = *from;
    term.name = lesson_name(list->arena, stage, lesson, from, teacher);
    term.student = lesson->student;
    term.teacher = teacher;
    if (!method_reads_layers(term.method, SIDE_STUDENT))
        logits_name(list->arena, lesson->student_layer, &term.student_taps, &term.n_student_taps);
    if (teacher >= 0) {
        const double weight = lesson->weight / lesson->n_teachers;
        if (!method_reads_layers(term.method, SIDE_TEACHER))
            logits_name(list->arena, lesson->teacher_layer, &term.teacher_taps, &term.n_teacher_taps);
        term.weight.value *= weight;
        term.weight.to *= weight;
        term.share /= lesson->n_teachers;
        term.factor = lesson->factor;
        term.rows = lesson->rows;
    }
    return stage_term(list->arena, stage, term);
}

enum status stage_teach(const struct request *request, struct stage_list *list, struct stage *stage,
                        const struct lesson *lesson)
{
    const struct network *student = stage->learners[lesson->student].network;
    for (int j = 0; j < lesson->n_teachers || j == 0; j++) {
        struct term *terms;
        int count;
        const int teacher = lesson->n_teachers > 0 ? lesson->teachers[j] : -1;
        RETURN_IF(request->losses(request, student, teacher >= 0 ? stage->learners[teacher].network : student, &terms,
                                  &count));
        for (int i = 0; i < count; i++) {
            const bool reads = terms[i].teacher >= 0;
            if (reads ? teacher >= 0 : j == 0)
                RETURN_IF(teach_by(list, stage, lesson, &terms[i], reads ? teacher : -1));
        }
    }
    return STATUS_OK;
}

enum status stage_plain(const struct request *request, struct stage_list *list, struct stage *stage, int student)
{
    struct term *terms, labels;
    int count;
    const struct network *network = stage->learners[student].network;
    RETURN_IF(request->losses(request, network, network, &terms, &count));
    RETURN_IF(labels_term(request->ctx, list->arena, terms, count, &labels));
    labels.student = student;
    if (student != stage->subject)
        labels.name = arena_format(list->arena, "%s.%s", stage->learners[student].name, labels.name);
    return stage_term(list->arena, stage, labels);
}

enum status stage_part(const struct request *request, struct stage_list *list, struct stage *stage,
                       struct network *part)
{
    const struct parameters *parameters = part->parameters;
    struct piece *pieces = arena_take(list->arena, (size_t)parameters->count + 1, sizeof *pieces);
    if (!pieces)
        return request->ctx->error.status;
    for (int i = 0; i < parameters->count; i++)
        pieces[i] = (struct piece){
            .learner = 0, .term = -1, .from = parameters->entries[i].name, .to = parameters->entries[i].name};
    const struct event event = {.when = EVENT_EPOCH,
                                .what = EVENT_ASSEMBLE,
                                .from = 0,
                                .to = stage->n_learners,
                                .pieces = pieces,
                                .n_pieces = parameters->count};
    return stage_follower(request->ctx, list->arena, stage, learner_frozen("student, as it is kept", part), event);
}

/* --- courses --- */

/* real_growing: from 0 to 1 in so many epochs; 1 at once where they are 0. */
static const struct real *real_growing(struct arena *arena, double epochs, enum real_course course)
{
    const struct real growing = {.value = 0, .to = 1, .epochs = epochs, .over = 1, .course = course};
    const struct real one = real_constant(1);
    return arena_copy(arena, epochs > 0 ? &growing : &one, sizeof one);
}

const struct real *real_burn_in(struct arena *arena, double epochs)
{
    return real_growing(arena, epochs, REAL_STEP);
}

const struct real *real_ramp(struct arena *arena, double epochs)
{
    return real_growing(arena, epochs, REAL_RAMP);
}
