/* The program `sekisho`; all of it is in cli.c and below. */
#include "cli/cli.h"

#include <locale.h>
#include <signal.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    signal(SIGPIPE, SIG_IGN);
    const struct cli_io io = {stdin, stdout, stderr, isatty(STDOUT_FILENO) == 1};
    return cli_run(&io, argc, argv);
}
