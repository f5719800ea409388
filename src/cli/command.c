/* The command line, by the tables commands.def and options.def; and the help that follows from them. */
#include "cli/cli_internal.h"

#include <stdarg.h>
#include <string.h>

struct option_rule {
    const char *word, *value, *sentence;
};

static const struct option_rule options[OPTION_COUNT] = {
#define OPTION(name, word, value, sentence) {word, value, sentence},
#include "cli/options.def"
#undef OPTION
};

#define O(name) (UINT64_C(1) << OPTION_##name)
#define COMMON  (O(HELP) | O(JSON) | O(SOCKET))
#define PROFILE_OPTIONS                                                                                                \
    (O(USER) | O(PSK_FILE) | O(PASSWORD_FILE) | O(CERTIFICATE) | O(AUTHORITIES) | O(ROUTES) | O(DNS) | O(NO_LEAK) |    \
     O(GRID) | O(SET))

static const struct command commands[] = {
#define COMMAND(words, operand, options, run, sentence, examples)                                                      \
    {words, operand, (options) | COMMON, run, sentence, examples},
#include "cli/commands.def"
#undef COMMAND
};

_Static_assert(OPTION_COUNT <= 64, "sets of options are 64 bits");

const struct command *command_at(size_t i)
{
    return i < ARRAY_LEN(commands) ? &commands[i] : NULL;
}

const char *option_word(enum option o)
{
    return options[o].word;
}

const char *option_value(enum option o)
{
    return options[o].value;
}

int command_wrong(const struct cli *cli, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("sekisho: ", cli->io->err);
    vfprintf(cli->io->err, format, args);
    fputc('\n', cli->io->err);
    va_end(args);
    if (cli->command != NULL)
        fprintf(cli->io->err, "Usage: sekisho %s %s; see sekisho %s --help.\n", cli->command->words,
                cli->command->operand[0] ? cli->command->operand : "[OPTION]", cli->command->words);
    else
        fputs("See sekisho --help.\n", cli->io->err);
    return CLI_USAGE;
}

/* ---- help ---- */

/* Text broken at blanks, every line after indent blanks; the first line has begun at that column. */
static void print_wrapped(FILE *out, const char *text, size_t indent)
{
    size_t room = TERMINAL_WIDTH - indent;
    for (;;) {
        size_t n = strlen(text);
        if (n > room)
            for (n = room; n > 0 && text[n] != ' ';)
                n--;
        fprintf(out, "%.*s\n", (int)n, text);
        text += n;
        text += *text == ' ';
        if (*text == '\0')
            return;
        fprintf(out, "%*s", (int)indent, "");
    }
}

static void print_option(FILE *out, const struct option_rule *o)
{
    char head[TEXT_MAX];
    snprintf(head, sizeof head, "--%s %s", o->word, o->value);
    fprintf(out, "  %-22s ", head);
    if (strlen(head) > 22)
        fprintf(out, "\n%25s", "");
    print_wrapped(out, o->sentence, 25);
}

static void help_command(FILE *out, const struct command *c)
{
    fprintf(out, "Usage: sekisho %s%s%s [OPTION...]\n\n", c->words, c->operand[0] ? " " : "", c->operand);
    print_wrapped(out, c->sentence, 0);
    fputs("\nOptions:\n", out);
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (c->options & UINT64_C(1) << i)
            print_option(out, &options[i]);
    fputs("\nExamples:\n", out);
    for (const char *p = c->examples; *p != '\0';) {
        size_t n = strcspn(p, "\n") + 1;
        fprintf(out, "  %.*s", (int)n, p);
        p += n;
    }
}

static void help_all(FILE *out)
{
    fputs("Usage: sekisho COMMAND [OPTION...]\n\nConnects this host to an L2TP/IPsec server, and works with the "
          "gateway of\nthis host, sekishod.\n\nCommands:\n",
          out);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        char head[TEXT_MAX];
        snprintf(head, sizeof head, "%s %s", commands[i].words, commands[i].operand);
        fprintf(out, "  %-22s ", head);
        print_wrapped(out, commands[i].sentence, 25);
    }
    fputs("\nEach has --help, with examples, and --json.\n"
          "Exit status: 0 done, 1 refused or failed, 2 wrong usage, 3 nobody answers;\n"
          "those of connect, from 10 on, tell what was wrong: see sekisho(1).\n",
          out);
}

/* ---- reading ---- */

/* Whether the words of a command begin the line; how many they are. */
static bool words_match(const char *words, int argc, char **argv, int *n)
{
    *n = 0;
    while (*words != '\0') {
        size_t here = strcspn(words, " ");
        if (*n >= argc || strlen(argv[*n]) != here || strncmp(argv[*n], words, here) != 0)
            return false;
        words += here;
        words += *words == ' ';
        ++*n;
    }
    return true;
}

static const struct command *find_command(int argc, char **argv, int *n)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (words_match(commands[i].words, argc, argv, n))
            return &commands[i];
    return NULL;
}

/* "user" alone lists what can be done with users. */
static int unknown_command(const struct cli *cli, const char *word, bool alone)
{
    char choices[256] = "";
    size_t n = 0, length = strlen(word);
    for (size_t i = 0; i < ARRAY_LEN(commands) && n < sizeof choices; i++)
        if (strncmp(commands[i].words, word, length) == 0 && commands[i].words[length] == ' ')
            n += (size_t)snprintf(choices + n, sizeof choices - n, "%s%s", n ? ", " : "",
                                  commands[i].words + length + 1);
    if (n == 0)
        return command_wrong(cli, "There is no command \"%s\".", word);
    return command_wrong(cli, "%s \"%s\": it can be one of %s.",
                         alone ? "Something is missing after" : "Unknown word after", word, choices);
}

static int find_option(const char *text, size_t *length)
{
    *length = strcspn(text, "=");
    for (int i = 0; i < OPTION_COUNT; i++)
        if (strlen(options[i].word) == *length && strncmp(options[i].word, text, *length) == 0)
            return i;
    return -1;
}

/* Takes the option at argv[0]; returns how many words it was, 0 when it is wrong. */
static int take_option(struct cli *cli, int argc, char **argv)
{
    size_t length;
    int i = find_option(argv[0] + 2, &length);
    static char given[] = "";
    char *value = argv[0][2 + length] == '=' ? argv[0] + 2 + length + 1 : NULL;
    if (i < 0 || !(cli->command->options & UINT64_C(1) << i)) {
        command_wrong(cli, "There is no option \"%s\" here.", argv[0]);
        return 0;
    }
    bool wants = options[i].value[0] != '\0';
    if (!wants && value != NULL) {
        command_wrong(cli, "The option --%s takes no value.", options[i].word);
        return 0;
    }
    if (wants && value == NULL && argc < 2) {
        command_wrong(cli, "The option --%s needs a value.", options[i].word);
        return 0;
    }
    cli->option[i] = !wants ? given : value != NULL ? value : argv[1];
    if (i == OPTION_SET && cli->set_count == CLI_SET_MAX) {
        command_wrong(cli, "There may be %d --set at most.", CLI_SET_MAX);
        return 0;
    }
    if (i == OPTION_SET)
        cli->set[cli->set_count++] = cli->option[i];
    return wants && value == NULL ? 2 : 1;
}

static int take_words(struct cli *cli, int argc, char **argv)
{
    bool plain = false; /* after -- */
    for (int i = 0; i < argc;) {
        if (!plain && strcmp(argv[i], "--") == 0) {
            plain = true;
            i++;
        } else if (!plain && (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0)) {
            static char given[] = "";
            cli->option[OPTION_HELP] = given;
            return CLI_OK;
        } else if (!plain && strncmp(argv[i], "--", 2) == 0) {
            int n = take_option(cli, argc - i, argv + i);
            if (n == 0)
                return CLI_USAGE;
            i += n;
        } else if (cli->operand != NULL || cli->command->operand[0] == '\0') {
            return command_wrong(cli, "\"%s\" is one word too many.", argv[i]);
        } else {
            cli->operand = argv[i++];
        }
    }
    if (cli->operand == NULL && cli->command->operand[0] != '\0' && cli->command->operand[0] != '[')
        return command_wrong(cli, "%s is missing.", cli->command->operand);
    return CLI_OK;
}

/* Options may stand before the command too: `sekisho --json status`. How many words they are. */
static int leading_options(int argc, char **argv)
{
    int i = 0;
    while (i < argc && strncmp(argv[i], "--", 2) == 0) {
        size_t length;
        int option = find_option(argv[i] + 2, &length);
        if (option < 0 || option == OPTION_HELP)
            break;
        i += 1 + (options[option].value[0] != '\0' && argv[i][2 + length] != '=');
    }
    return i < argc ? i : 0;
}

/* Brings n words from behind `first` words before them. */
static void bring_forward(char **argv, int first, int n)
{
    for (int i = 0; i < n; i++) {
        char *word = argv[first + i];
        memmove(argv + i + 1, argv + i, (size_t)first * sizeof *argv);
        argv[i] = word;
    }
}

/* Reads the command line. CLI_OK with cli->command NULL: help was asked for and has been printed. */
static int parse(struct cli *cli, int argc, char **argv)
{
    int n = 0;
    cli->command = NULL;
    if (argc < 2)
        return command_wrong(cli, "A command is missing.");
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        help_all(cli->io->out);
        return CLI_OK;
    }
    if (strcmp(argv[1], "--version") == 0)
        argv[1] += 2;
    int before = leading_options(argc - 1, argv + 1);
    cli->command = find_command(argc - 1 - before, argv + 1 + before, &n);
    bring_forward(argv + 1, before, cli->command != NULL ? n : 1);
    if (cli->command == NULL)
        return unknown_command(cli, argv[1], argc == 2 || argv[2][0] == '-');
    int status = take_words(cli, argc - 1 - n, argv + 1 + n);
    if (status == CLI_OK && cli->option[OPTION_HELP] != NULL) {
        help_command(cli->io->out, cli->command);
        cli->command = NULL;
    }
    cli->json = cli->option[OPTION_JSON] != NULL;
    cli->socket = cli->option[OPTION_SOCKET] != NULL ? cli->option[OPTION_SOCKET] : CTL_DEFAULT_SOCKET;
    return status;
}

int cli_run(const struct cli_io *io, int argc, char **argv)
{
    struct cli cli = {.io = io, .signals = -1};
    int status = parse(&cli, argc, argv);
    if (status == CLI_OK && cli.command != NULL)
        status = cli.command->run(&cli);
    if (fflush(io->out) != 0 && status == CLI_OK)
        status = CLI_FAILED;
    return status;
}
