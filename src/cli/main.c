/* The program `sekisho`; all of it is in cli.c and below. */
#include "cli/cli.h"

#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    signal(SIGPIPE, SIG_IGN);
    const bool terminal = isatty(STDOUT_FILENO) == 1;
    const char *plain = getenv("NO_COLOR"), *kind = getenv("TERM");
    const struct cli_io io = {
        .in = stdin,
        .out = stdout,
        .err = stderr,
        .terminal = terminal,
        .colour = terminal && (plain == NULL || plain[0] == '\0') && kind != NULL && strcmp(kind, "dumb") != 0,
    };
    return cli_run(&io, argc, argv);
}
