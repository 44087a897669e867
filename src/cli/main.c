/* main.c: from the command line to a command and its exit status. Nothing else ends the program. */
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMMAND(identifier) extern const struct command command_##identifier;
#include "cli/commands.def"
#undef COMMAND

static const struct command *const commands[] = {
#define COMMAND(identifier) &command_##identifier,
#include "cli/commands.def"
#undef COMMAND
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

const struct command *const *command_table(size_t *count)
{
    *count = COMMANDS;
    return commands;
}

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

/* The only state of the process: a signal handler can reach nothing else. */
static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    __atomic_store_n(&interrupted, 1, __ATOMIC_RELAXED);
}

/* signals_set: an interrupt asks to stop at the next safe point, however often it comes: never a death before saving. A pipe
 * that nobody reads is a write error like any other. */
static void signals_set(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    action.sa_handler = interrupt;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

static int unknown_command(const char *name)
{
    const char *names[COMMANDS];
    for (size_t i = 0; i < COMMANDS; i++)
        names[i] = commands[i]->name;
    const char *nearest = usage_nearest(name, names, COMMANDS);
    return nearest != NULL ? usage_fail(NULL, "no command \"%s\"; nearest: \"%s\"", name, nearest)
                           : usage_fail(NULL, "no command \"%s\"", name);
}

static int command_run(struct cli *cli)
{
    cli->context = retort_context_new();
    if (cli->context == NULL) {
        fprintf(stderr, "retort: out of memory\n");
        return EXIT_FAILED;
    }
    signals_set();
    retort_set_threads(cli->context, (int)cli->threads);
    retort_set_cancel(cli->context, &interrupted);
    if (cli->quiet)
        retort_set_log(cli->context, RETORT_LOG_QUIET, NULL, NULL);
    int status = cli->command->run(cli);
    retort_context_free(cli->context);
    return status;
}

/* program_help: `retort help` is a command like others, so a command in front of it is one, too. */
static struct command program_options(void)
{
    return (struct command){.name = "", .operands = "", .operands_max = 0};
}

/* leading_count: options in front of the command's name. */
static int leading_count(int count, char **words)
{
    int at = 0;
    while (at < count && words[at][0] == '-' && words[at][1] != '\0')
        at += strcmp(words[at], "--threads") == 0 && at + 1 < count ? 2 : 1;
    return at;
}

/* finish: what failed has said why already. */
static int finish(int status)
{
    return status == EXIT_DONE && !output_close() ? EXIT_FAILED : status;
}

int main(int count, char **words)
{
    struct command none = program_options();
    struct cli cli = {.command = &none, .color = isatty(STDERR_FILENO) && getenv("NO_COLOR") == NULL};
    bool help = false;
    int leading = leading_count(count - 1, words + 1);
    for (int i = 1; i <= leading; i++)
        if (strcmp(words[i], "--version") == 0) {
            printf("retort %s\n", retort_version());
            return finish(EXIT_DONE);
        }
    bool parsed = arguments_parse(&cli, leading, words + 1, &help);
    arguments_free(&cli);
    if (!parsed)
        return EXIT_USAGE;
    if (help) {
        usage_program(stdout);
        return finish(EXIT_DONE);
    }
    if (leading + 1 >= count)
        return usage_fail(NULL, "expected a command, found nothing");
    cli.command = command_find(words[leading + 1]);
    if (cli.command == NULL)
        return unknown_command(words[leading + 1]);
    int status = EXIT_USAGE;
    if (arguments_parse(&cli, count - leading - 2, words + leading + 2, &help)) {
        if (help)
            usage_command(cli.command, stdout);
        else
            threads_sleep_when_idle(words);
        status = help ? EXIT_DONE : command_run(&cli);
    }
    arguments_free(&cli);
    return finish(status);
}
