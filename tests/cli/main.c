/* The command `sekisho`, with the places that a test gives it: TEST_ENGINE, TEST_PROFILES, TEST_SOCKETS. */
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    signal(SIGPIPE, SIG_IGN);
    const bool terminal = isatty(STDOUT_FILENO) == 1;
    const struct cli_io io = {
        .in = stdin,
        .out = stdout,
        .err = stderr,
        .terminal = terminal,
        .colour = terminal && getenv("NO_COLOR") == NULL,
        .engine = getenv("TEST_ENGINE"),
        .profiles = getenv("TEST_PROFILES"),
        .sockets = getenv("TEST_SOCKETS"),
    };
    return cli_run(&io, argc, argv);
}
