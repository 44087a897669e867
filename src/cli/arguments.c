/* arguments.c: words of the command line into the options that a command declares. */
#include "cli/cli.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Where the words are being read. */
struct words {
    int count, at;
    char **items;
};

static bool out_of_memory(void)
{
    fprintf(stderr, "retort: out of memory\n");
    return false;
}

static bool texts_add(struct cli_texts *texts, const char *text)
{
    const char **grown = realloc(texts->items, (texts->count + 1) * sizeof *grown);
    if (grown == NULL)
        return out_of_memory();
    grown[texts->count] = text;
    texts->items = grown;
    texts->count++;
    return true;
}

static bool copies_add(struct cli_texts *texts, char *copy)
{
    char **grown = realloc(texts->copies, (texts->copied + 1) * sizeof *grown);
    if (grown == NULL) {
        free(copy);
        return out_of_memory();
    }
    grown[texts->copied++] = copy;
    texts->copies = grown;
    return true;
}

/* commas_add: the pieces of "a,b,c", in a copy: the program may start again with the same words. */
static bool commas_add(const struct cli *cli, const struct cli_option *option, struct cli_texts *texts,
                       const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL || !copies_add(texts, copy))
        return copy == NULL ? out_of_memory() : false;
    for (char *piece = copy; piece != NULL;) {
        char *comma = strchr(piece, ',');
        if (comma != NULL)
            *comma++ = '\0';
        if (piece[0] == '\0') {
            usage_fail(cli->command, "--%s: a name between commas is empty", option->name);
            return false;
        }
        if (!texts_add(texts, piece))
            return false;
        piece = comma;
    }
    return true;
}

static bool integer_read(const struct cli *cli, const struct cli_option *option, const char *text, long *out)
{
    char *end = NULL;
    errno = 0;
    *out = strtol(text, &end, 10);
    if (errno == 0 && end != text && *end == '\0' && *out >= option->min && *out <= option->max)
        return true;
    usage_fail(cli->command, "--%s: expected an integer from %ld to %ld, found \"%s\"", option->name, option->min,
               option->max, text);
    return false;
}

static bool number_read(const struct cli *cli, const struct cli_option *option, const char *text, double *out)
{
    char *end = NULL;
    *out = strtod(text, &end);
    if (end != text && *end == '\0' && *out >= (double)option->min && *out <= (double)option->max)
        return true;
    usage_fail(cli->command, "--%s: expected a number from %ld to %ld, found \"%s\"", option->name, option->min,
               option->max, text);
    return false;
}

static bool choice_read(const struct cli *cli, const struct cli_option *option, const char *text, int *out)
{
    size_t count = 0;
    for (; option->choices[count] != NULL; count++)
        if (strcmp(option->choices[count], text) == 0) {
            *out = (int)count;
            return true;
        }
    const char *nearest = usage_nearest(text, option->choices, count);
    char expected[256] = "";
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(expected);
        snprintf(expected + length, sizeof expected - length, "%s%s",
                 i == 0           ? ""
                 : i + 1 == count ? " or "
                                  : ", ",
                 option->choices[i]);
    }
    usage_fail(cli->command, "--%s: expected %s, found \"%s\"%s%s%s", option->name, expected, text,
               nearest != NULL ? "; nearest: \"" : "", nearest != NULL ? nearest : "", nearest != NULL ? "\"" : "");
    return false;
}

/* value_read: `text` as the option's value. */
static bool value_read(const struct cli *cli, const struct cli_option *option, char *text, struct cli_value *value)
{
    switch (option->type) {
    case CLI_FLAG:
        return true;
    case CLI_TEXT:
        value->text = text;
        return true;
    case CLI_TEXTS:
        return texts_add(&value->texts, text);
    case CLI_COMMAS:
        return commas_add(cli, option, &value->texts, text);
    case CLI_INTEGER:
        return integer_read(cli, option, text, &value->integer);
    case CLI_NUMBER:
        return number_read(cli, option, text, &value->number);
    case CLI_CHOICE:
        value->text = text;
        return choice_read(cli, option, text, &value->choice);
    }
    return false;
}

static bool matches(const struct cli_option *option, const char *name, size_t length, char letter)
{
    if (letter != '\0')
        return option->letter == letter;
    return strlen(option->name) == length && strncmp(option->name, name, length) == 0;
}

/* option_find: among the command's and the common ones; *index: of the command's options, -1: a common one. */
static const struct cli_option *option_find(const struct command *command, const char *name, size_t length, char letter,
                                            int *index)
{
    for (size_t i = 0; command != NULL && i < command->option_count; i++)
        if (matches(&command->options[i], name, length, letter)) {
            *index = (int)i;
            return &command->options[i];
        }
    *index = -1;
    for (size_t i = 0; i < common_option_count; i++)
        if (matches(&common_options[i], name, length, letter))
            return &common_options[i];
    return NULL;
}

static bool unknown_option(const struct cli *cli, const char *word)
{
    const char *names[64];
    char plain[80];
    size_t count = 0;
    const struct command *command = cli->command;
    for (size_t i = 0; command != NULL && i < command->option_count; i++)
        names[count++] = command->options[i].name;
    for (size_t i = 0; i < common_option_count; i++)
        names[count++] = common_options[i].name;
    assert(count <= sizeof names / sizeof names[0]);
    const char *start = word + strspn(word, "-");
    snprintf(plain, sizeof plain, "%.*s", (int)strcspn(start, "="), start);
    const char *nearest = word[1] == '-' ? usage_nearest(plain, names, count) : NULL;
    usage_fail(command, "no option %s%s%s%s", word, nearest != NULL ? "; nearest: --" : "",
               nearest != NULL ? nearest : "", command == NULL ? " before a command" : "");
    return false;
}

/* common_set: what the option says of the whole program. */
static void common_set(struct cli *cli, const struct cli_option *option, const struct cli_value *value, bool *help)
{
    if (strcmp(option->name, "threads") == 0)
        cli->threads = value->integer;
    else if (strcmp(option->name, "quiet") == 0)
        cli->quiet = true;
    else if (strcmp(option->name, "no-color") == 0)
        cli->color = false;
    else
        *help = true;
}

/* option_take: the word is an option, `--name`, `--name=VALUE` or `-x`; its value may be the next word. */
static bool option_take(struct cli *cli, struct words *words, bool *help)
{
    char *word = words->items[words->at];
    bool is_long = word[1] == '-';
    char *equals = is_long ? strchr(word, '=') : NULL;
    const char *name = word + 2;
    size_t length = !is_long ? 0 : equals != NULL ? (size_t)(equals - name) : strlen(name);
    struct cli_value common = {0};
    int index = -1;
    /* -xVALUE is not taken: one way to write a thing. */
    const struct cli_option *option =
        !is_long && word[2] != '\0' ? NULL : option_find(cli->command, name, length, is_long ? '\0' : word[1], &index);
    if (option == NULL)
        return unknown_option(cli, word);
    struct cli_value *value = index >= 0 ? &cli->values[index] : &common;
    bool repeatable = option->type == CLI_TEXTS || option->type == CLI_COMMAS || option->type == CLI_FLAG || index < 0;
    char *text = equals != NULL ? equals + 1 : NULL;
    if (value->given && !repeatable) {
        usage_fail(cli->command, "--%s is given twice", option->name);
        return false;
    }
    if (option->type == CLI_FLAG && text != NULL) {
        usage_fail(cli->command, "--%s takes no value, found \"%s\"", option->name, text);
        return false;
    }
    if (option->type != CLI_FLAG && text == NULL) {
        if (words->at + 1 == words->count) {
            usage_fail(cli->command, "--%s: expected %s, found nothing", option->name, option->argument);
            return false;
        }
        text = words->items[++words->at];
    }
    value->given = true;
    if (!value_read(cli, option, text, value))
        return false;
    if (index < 0)
        common_set(cli, option, value, help);
    return true;
}

/* initials_set: defaults before the words are read. */
static bool initials_set(struct cli *cli)
{
    for (size_t i = 0; i < cli->command->option_count; i++) {
        const struct cli_option *option = &cli->command->options[i];
        struct cli_value *value = &cli->values[i];
        value->text = option->initial;
        if (option->initial == NULL)
            continue;
        if (option->type == CLI_INTEGER && !integer_read(cli, option, option->initial, &value->integer))
            return false;
        if (option->type == CLI_NUMBER && !number_read(cli, option, option->initial, &value->number))
            return false;
        if (option->type == CLI_CHOICE && !choice_read(cli, option, option->initial, &value->choice))
            return false;
    }
    return true;
}

/* completeness_check: operands and required options are there. */
static bool completeness_check(const struct cli *cli)
{
    const struct command *command = cli->command;
    for (size_t i = 0; i < command->option_count; i++)
        if (command->options[i].required && !cli->values[i].given) {
            usage_fail(command, "expected --%s %s, found none", command->options[i].name, command->options[i].argument);
            return false;
        }
    if (cli->operands.count >= command->operands_min && cli->operands.count <= command->operands_max)
        return true;
    if (cli->operands.count < command->operands_min)
        usage_fail(command, "expected `retort %s %s`, found %s", command->name, command->operands,
                   cli->operands.count == 0 ? "nothing behind the command" : "too little behind the command");
    else
        usage_fail(command, "expected `retort %s %s`, found \"%s\" as well", command->name, command->operands,
                   cli->operands.items[command->operands_max]);
    return false;
}

bool arguments_parse(struct cli *cli, int count, char **items, bool *help)
{
    struct words words = {count, 0, items};
    bool only_operands = false;
    cli->values = calloc(cli->command->option_count + 1, sizeof *cli->values);
    if (cli->values == NULL)
        return out_of_memory();
    if (!initials_set(cli))
        return false;
    for (; words.at < words.count; words.at++) {
        char *word = words.items[words.at];
        if (!only_operands && strcmp(word, "--") == 0)
            only_operands = true;
        else if (!only_operands && word[0] == '-' && word[1] != '\0') {
            if (!option_take(cli, &words, help))
                return false;
        } else if (!texts_add(&cli->operands, word))
            return false;
    }
    return *help || completeness_check(cli);
}

static void texts_free(struct cli_texts *texts)
{
    for (size_t i = 0; i < texts->copied; i++)
        free(texts->copies[i]);
    free(texts->copies);
    free(texts->items);
    *texts = (struct cli_texts){0};
}

void arguments_free(struct cli *cli)
{
    for (size_t i = 0; cli->values != NULL && i < cli->command->option_count; i++)
        texts_free(&cli->values[i].texts);
    free(cli->values);
    texts_free(&cli->operands);
    cli->values = NULL;
}

const struct cli_value *cli_value(const struct cli *cli, const char *name)
{
    for (size_t i = 0; i < cli->command->option_count; i++)
        if (strcmp(cli->command->options[i].name, name) == 0)
            return &cli->values[i];
    assert(!"an option that the command does not declare");
    return NULL;
}

bool cli_flag(const struct cli *cli, const char *name)
{
    return cli_value(cli, name)->given;
}

const char *cli_text(const struct cli *cli, const char *name)
{
    return cli_value(cli, name)->text;
}

const struct cli_texts *cli_texts(const struct cli *cli, const char *name)
{
    return &cli_value(cli, name)->texts;
}
