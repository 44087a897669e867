/* run_options.h: what distill and train have in common: their options, and the run itself. */
#ifndef CLI_RUN_OPTIONS_H
#define CLI_RUN_OPTIONS_H

#include "cli/cli.h"

#define RUN_OPTIONS                                                                                                    \
    {.name = "output", .letter = 'o', .type = CLI_TEXT, .argument = "DIR", .help = "folder of the run; left out: runs/NAME-TIME"}, \
    {.name = "resume", .type = CLI_TEXT, .argument = "DIR", .help = "go on with the run in DIR, with its own recipe"},  \
    {.name = "force", .type = CLI_FLAG, .help = "replace a run that is in DIR, each file when its successor is complete"}, \
    {.name = "set", .type = CLI_TEXTS, .argument = "a.b.c=VALUE", .help = "override a value of the recipe; VALUE is YAML"}, \
    {.name = "jobs", .type = CLI_INTEGER, .argument = "N", .initial = "0", .max = 1024,                                \
     .help = "stages of small networks side by side; 0: one a core"},                                                  \
    {.name = "json", .type = CLI_FLAG, .help = "print result.json, and nothing else, to standard output"},             \
    {.name = "csv", .type = CLI_FLAG, .help = "print a line a stage, as CSV"}

/* run_recipe: the command with one of the two jobs. */
int run_recipe(struct cli *cli, struct retort_distill_params params,
               enum retort_status (*job)(struct retort_context *, const struct retort_distill_params *, struct retort_result **));

#endif
