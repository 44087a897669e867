/* usage.c: help, and the messages of wrong usage. */
#include "cli/cli.h"

#include <stdarg.h>
#include <string.h>

const struct cli_option common_options[] = {
    {.name = "threads",
     .type = CLI_INTEGER,
     .argument = "N",
     .initial = "0",
     .max = 1024,
     .help = "threads to use; 0: all cores"},
    {.name = "quiet", .type = CLI_FLAG, .help = "no progress and no warnings"},
    {.name = "no-color", .type = CLI_FLAG, .help = "no colours on a terminal"},
    {.name = "help", .letter = 'h', .type = CLI_FLAG, .help = "this text"},
};
const size_t common_option_count = sizeof common_options / sizeof common_options[0];

enum { HELP_COLUMN = 30 };

static void option_write(const struct cli_option *option, FILE *out)
{
    static const char *const types[] = {[CLI_TEXTS] = "may be repeated",
                                        [CLI_COMMAS] = "several with commas between",
                                        [CLI_INTEGER] = "integer",
                                        [CLI_NUMBER] = "number"};
    int column = option->letter != '\0' ? fprintf(out, "  -%c, --%s", option->letter, option->name)
                                        : fprintf(out, "      --%s", option->name);
    if (option->argument != NULL)
        column += fprintf(out, " %s", option->argument);
    fprintf(out, "%*s%s", column < HELP_COLUMN ? HELP_COLUMN - column : 2, "", option->help);
    const char *between = " (";
    if ((size_t)option->type < sizeof types / sizeof types[0] && types[option->type] != NULL) {
        fprintf(out, "%s%s", between, types[option->type]);
        between = "; ";
    }
    for (size_t i = 0; option->type == CLI_CHOICE && option->choices[i] != NULL; i++) {
        fprintf(out, "%s%s", i == 0 ? between : "|", option->choices[i]);
        between = "; ";
    }
    if (option->required) {
        fprintf(out, "%smust be given", between);
        between = "; ";
    }
    if (option->initial != NULL) {
        fprintf(out, "%sdefault %s", between, option->initial);
        between = "; ";
    }
    fprintf(out, "%s\n", strcmp(between, " (") == 0 ? "" : ")");
}

void usage_command(const struct command *command, FILE *out)
{
    fprintf(out, "usage: retort %s%s%s [options]\n\n%s\n", command->name, command->operands[0] != '\0' ? " " : "",
            command->operands, command->summary);
    if (command->details != NULL)
        fprintf(out, "%s\n", command->details);
    fprintf(out, "\noptions:\n");
    for (size_t i = 0; i < command->option_count; i++)
        option_write(&command->options[i], out);
    for (size_t i = 0; i < common_option_count; i++)
        option_write(&common_options[i], out);
}

void usage_program(FILE *out)
{
    size_t count = 0;
    const struct command *const *table = command_table(&count);
    fprintf(out, "retort %s: a large network teaches a small one\n\nusage: retort COMMAND [options]\n\ncommands:\n",
            retort_version());
    for (size_t i = 0; i < count; i++)
        fprintf(out, "  %-10s %s\n", table[i]->name, table[i]->summary);
    fprintf(out, "\noptions of every command:\n");
    for (size_t i = 0; i < common_option_count; i++)
        option_write(&common_options[i], out);
    fprintf(out, "\n`retort COMMAND --help` says more; `retort --version` gives the version.\n");
}

int usage_fail(const struct command *command, const char *format, ...)
{
    va_list arguments;
    bool named = command != NULL && command->name[0] != '\0';
    fprintf(stderr, "retort: ");
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "; see `retort %s%s--help`\n", named ? command->name : "", named ? " " : "");
    return EXIT_USAGE;
}

/* distance: edits (insert, delete, replace) between two names, no longer than NAME_MAX_LENGTH. */
enum { NAME_MAX_LENGTH = 64 };

static size_t distance(const char *a, const char *b)
{
    size_t n = strlen(b), row[NAME_MAX_LENGTH + 1];
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            size_t replace = diagonal + (a[i] != b[j]), gap = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;
            diagonal = row[j + 1];
            row[j + 1] = replace < gap ? replace : gap;
        }
    }
    return row[n];
}

const char *usage_nearest(const char *name, const char *const *names, size_t count)
{
    const char *nearest = NULL;
    size_t length = strlen(name), best = length / 3 > 1 ? length / 3 : 1;
    if (length > NAME_MAX_LENGTH)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t edits = strlen(names[i]) <= NAME_MAX_LENGTH ? distance(name, names[i]) : SIZE_MAX;
        if (edits < best || (edits == best && nearest == NULL)) {
            best = edits;
            nearest = names[i];
        }
    }
    return nearest;
}
