/* answer.c: results to standard output, errors to standard error, and the exit status that goes with them. */
#include "cli/cli.h"

#include <errno.h>
#include <string.h>

static int exit_status(enum retort_status status)
{
    switch (status) {
    case RETORT_OK:
        return EXIT_DONE;
    case RETORT_USAGE:
        return EXIT_USAGE;
    case RETORT_CANCELLED:
        return EXIT_INTERRUPTED;
    default:
        return EXIT_FAILED;
    }
}

static bool has_flag(const struct cli *cli, const char *name)
{
    for (size_t i = 0; i < cli->command->option_count; i++)
        if (strcmp(cli->command->options[i].name, name) == 0)
            return cli->values[i].given;
    return false;
}

static void output_fail(int number)
{
    fprintf(stderr, "retort: cannot write standard output: %s\n", number != 0 ? strerror(number) : "unknown error");
}

bool output_close(void)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    output_fail(errno);
    return false;
}

int answer(const struct cli *cli, enum retort_status status, struct retort_result **result)
{
    if (status != RETORT_OK) {
        const char *position = retort_error_has_position(cli->context) ? "" : "retort: ";
        fprintf(stderr, "%s%s\n", position, retort_error(cli->context));
        return exit_status(status);
    }
    enum retort_format format = has_flag(cli, "json")  ? RETORT_JSON_FORMAT
                                : has_flag(cli, "csv") ? RETORT_CSV_FORMAT
                                                       : RETORT_TEXT_FORMAT;
    errno = 0;
    status = retort_result_write(*result, format, stdout);
    if (status == RETORT_IO)
        output_fail(errno);
    else if (status != RETORT_OK)
        fprintf(stderr, "retort: %s\n", retort_status_text(status));
    retort_result_free(*result);
    *result = NULL;
    return exit_status(status);
}
