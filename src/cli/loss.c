/* loss.c: `retort loss`: one loss and its gradients on given arrays. */
#include "cli/cli.h"

static const struct cli_option options[] = {
    {.name = "student",
     .type = CLI_COMMAS,
     .argument = "A.npy,…",
     .help = "the student's arrays: logits [B,K], embeddings [B,D], maps [B,C,H,W]"},
    {.name = "teacher", .type = CLI_COMMAS, .argument = "A.npy,…", .help = "the teacher's arrays"},
    {.name = "labels", .type = CLI_TEXT, .argument = "Y.npy", .help = "int64 [B], -1 for none"},
    {.name = "set",
     .type = CLI_TEXTS,
     .argument = "option=VALUE",
     .help = "an option of the method; seed=N: initial values of learnable parts"},
    {.name = "own",
     .type = CLI_TEXTS,
     .argument = "NAME=A.npy",
     .help = "an array of the method's own: a learnable part, a mask …"},
    {.name = "grad-dir", .type = CLI_TEXT, .argument = "DIR", .help = "write grad0.npy … and own.NAME.npy there"},
    {.name = "json", .type = CLI_FLAG, .help = "print one JSON document"},
    {.name = "csv", .type = CLI_FLAG, .help = "print a line of CSV under a header"},
};

static int run(struct cli *cli)
{
    struct retort_loss_params params = retort_loss_defaults();
    struct retort_result *result = NULL;
    const struct cli_texts *student = cli_texts(cli, "student"), *teacher = cli_texts(cli, "teacher");
    const struct cli_texts *sets = cli_texts(cli, "set"), *own = cli_texts(cli, "own");
    params.method = cli->operands.items[0];
    params.student = student->items;
    params.student_count = student->count;
    params.teacher = teacher->items;
    params.teacher_count = teacher->count;
    params.labels = cli_text(cli, "labels");
    params.sets = sets->items;
    params.set_count = sets->count;
    params.own = own->items;
    params.own_count = own->count;
    params.gradients = cli_text(cli, "grad-dir");
    return answer(cli, retort_loss(cli->context, &params, &result), &result);
}

const struct command command_loss = {
    .name = "loss",
    .operands = "METHOD",
    .summary = "one method's loss on arrays, and its gradients",
    .details = "`retort help method METHOD` says which arrays a method takes.",
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
