/* cli: the `retort` program: one file a command. Sees retort.h and the C library, nothing of the other rooms.
 *
 * cli.h: what a command is, and what it is given. A command declares its options once; parsing, `--help` and the messages
 * come from the declaration. Only main.c ends the program. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <retort.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 };

enum cli_option_type {
    CLI_FLAG,
    CLI_TEXT,
    CLI_TEXTS,  /* may be given several times */
    CLI_COMMAS, /* a list with commas between; may be given several times, too */
    CLI_INTEGER,
    CLI_NUMBER,
    CLI_CHOICE
};

struct cli_option {
    const char *name; /* without the dashes */
    char letter;      /* the short form; 0: none */
    enum cli_option_type type;
    const char *argument; /* what stands for the value in help; NULL for a flag */
    const char *initial;  /* the default, as it would be written; NULL: none */
    const char *help;
    const char *const *choices; /* CLI_CHOICE: NULL-terminated */
    long min, max;              /* CLI_INTEGER, CLI_NUMBER */
    bool required;
};

/* A list of texts: the arguments' own memory, or pieces of copies of them. */
struct cli_texts {
    const char **items;
    size_t count;
    char **copies;
    size_t copied;
};

struct cli_value {
    bool given;
    const char *text;       /* TEXT, CHOICE: as given, or the default */
    long integer;           /* INTEGER */
    double number;          /* NUMBER */
    int choice;             /* CHOICE: index */
    struct cli_texts texts; /* TEXTS, COMMAS */
};

struct command;

/* What a command is called with. */
struct cli {
    struct retort_context *context;
    const struct command *command;
    struct cli_value *values;  /* in the order of the command's options */
    struct cli_texts operands; /* what is no option */
    long threads;
    bool quiet, color;
};

struct command {
    const char *name, *operands, *summary, *details; /* details: more lines for --help; NULL: none */
    size_t operands_min, operands_max;
    const struct cli_option *options;
    size_t option_count;
    int (*run)(struct cli *cli); /* the program's exit status */
};

/* command_table: every command, in the order of commands.def. */
const struct command *const *command_table(size_t *count);
const struct command *command_find(const char *name); /* NULL: none */

/* The value of an option by name; a name that the command lacks is our own mistake. */
const struct cli_value *cli_value(const struct cli *cli, const char *name);
bool cli_flag(const struct cli *cli, const char *name);
const char *cli_text(const struct cli *cli, const char *name); /* NULL: not given, and without default */
const struct cli_texts *cli_texts(const struct cli *cli, const char *name);

/* --- arguments.c --- */
/* arguments_parse: words behind the command's name into cli (operands, values, threads, quiet, color); *help, *version:
 * asked for. false: a message was written. What it took is given back by arguments_free. */
bool arguments_parse(struct cli *cli, int count, char **words, bool *help);
void arguments_free(struct cli *cli);

/* --- usage.c --- */
void usage_program(FILE *out);
void usage_command(const struct command *command, FILE *out);
/* usage_fail: "retort: MESSAGE" and where to read on; returns EXIT_USAGE. command NULL: the program's own. */
int usage_fail(const struct command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* usage_nearest: of names, the one that was probably meant; NULL: none is near. */
const char *usage_nearest(const char *name, const char *const *names, size_t count);
/* The options that every command has. */
extern const struct cli_option common_options[];
extern const size_t common_option_count;

/* --- answer.c --- */
/* answer: writes a result to standard output as asked (--json, --csv where the command has them), frees it, or reports
 * the context's error; returns the exit status. The result comes by its address, so that the job that makes it can be
 * called in the same expression. */
int answer(const struct cli *cli, enum retort_status status, struct retort_result **result);
/* output_close: flushes standard output; false after saying why it cannot be written. */
bool output_close(void);

/* threads_sleep_when_idle: starts the program again with an environment that tells OpenMP so, unless it says already how threads
 * wait. */
void threads_sleep_when_idle(char **words);

#endif
