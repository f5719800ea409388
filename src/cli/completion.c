/* What bash needs to complete this command, from the tables of commands and options. */
#include "cli/cli_internal.h"

#include <string.h>

static void put_commands(FILE *out)
{
    const struct command *c;
    fputs("    local commands=\"", out);
    for (size_t i = 0; (c = command_at(i)) != NULL; i++)
        fprintf(out, "%s%.*s", i ? "\n" : "", (int)strlen(c->words), c->words);
    fputs("\"\n", out);
}

/* The words of a command with their options; those that want a value end with an equals sign. */
static void put_options(FILE *out)
{
    const struct command *c;
    fputs("    case \"$command\" in\n", out);
    for (size_t i = 0; (c = command_at(i)) != NULL; i++) {
        fprintf(out, "    \"%s\") options=\"", c->words);
        for (int o = 0; o < OPTION_COUNT; o++)
            if (c->options & UINT64_C(1) << o)
                fprintf(out, " --%s", option_word((enum option)o));
        fputs("\" ;;\n", out);
    }
    fputs("    esac\n", out);
}

static void put_files(FILE *out)
{
    bool first = true;
    fputs("    case \"$previous\" in\n    ", out);
    for (int o = 0; o < OPTION_COUNT; o++) {
        const char *value = option_value((enum option)o);
        if (strcmp(value, "FILE") != 0 && strcmp(value, "PATH") != 0)
            continue;
        fprintf(out, "%s--%s", first ? "" : "|", option_word((enum option)o));
        first = false;
    }
    fputs(") COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n    esac\n", out);
}

/* Operands that are names of profiles, of connections, or files. */
static void put_operands(FILE *out)
{
    const struct command *c;
    fputs("    case \"$command\" in\n", out);
    for (size_t i = 0; (c = command_at(i)) != NULL; i++) {
        bool profile = strncmp(c->words, "profile ", 8) == 0 || strcmp(c->words, "connect") == 0;
        bool link = strcmp(c->words, "disconnect") == 0 || strcmp(c->words, "client status") == 0;
        if (strcmp(c->operand, "FILE") == 0)
            fprintf(out, "    \"%s\") COMPREPLY=($(compgen -f -- \"$word\")) ;;\n", c->words);
        else if (profile && c->operand[0] != '\0')
            fprintf(out,
                    "    \"%s\") COMPREPLY=($(compgen -W \"$(_sekisho_names " PROFILE_DIRECTORY
                    " .conf)\" -- \"$word\")) ;;\n",
                    c->words);
        else if (link)
            fprintf(out,
                    "    \"%s\") COMPREPLY=($(compgen -W \"$(_sekisho_names " CTL_CLIENT_DIRECTORY
                    " .sock)\" -- \"$word\")) ;;\n",
                    c->words);
    }
    fputs("    esac\n", out);
}

static const char head[] = "# bash completion for sekisho; made by `sekisho completion`.\n"
                           "_sekisho_names()\n"
                           "{\n"
                           "    local file\n"
                           "    for file in \"${SEKISHO_COMPLETION_ROOT:-}$1\"/*\"$2\"; do\n"
                           "        [ -e \"$file\" ] || continue\n"
                           "        file=${file##*/}\n"
                           "        echo \"${file%\"$2\"}\"\n"
                           "    done\n"
                           "}\n\n"
                           "_sekisho()\n"
                           "{\n"
                           "    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
                           "    local command= options= typed= line n=0 i\n";

/* As many of the words before the cursor as make a command; what could follow them else. */
static const char find_command[] = "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
                                   "        [[ ${COMP_WORDS[i]} == -* ]] && continue\n"
                                   "        typed=\"${typed:+$typed }${COMP_WORDS[i]}\"\n"
                                   "        while IFS= read -r line; do\n"
                                   "            [ \"$line\" = \"$typed\" ] && command=$line n=$i\n"
                                   "        done <<< \"$commands\"\n"
                                   "        [ -n \"$command\" ] && break\n"
                                   "    done\n"
                                   "    if [ -z \"$command\" ]; then\n"
                                   "        while IFS= read -r line; do\n"
                                   "            [[ -z $typed || $line == \"$typed \"* ]] || continue\n"
                                   "            line=${line#\"$typed\"}\n"
                                   "            line=${line# }\n"
                                   "            options=\"$options ${line%% *}\"\n"
                                   "        done <<< \"$commands\"\n"
                                   "        COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
                                   "        return\n"
                                   "    fi\n";

int run_completion(struct cli *cli)
{
    FILE *out = cli->io->out;
    fputs(head, out);
    put_commands(out);
    fputs(find_command, out);
    put_files(out);
    put_options(out);
    fputs("    if [[ $word == -* ]]; then\n"
          "        COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
          "        return\n"
          "    fi\n",
          out);
    put_operands(out);
    fputs("}\n\ncomplete -F _sekisho sekisho\n", out);
    return CLI_OK;
}
