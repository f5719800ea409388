/* The `sekisho` command: a client of the gateway's control socket, and of nothing else. */
#ifndef SEKISHO_CLI_H
#define SEKISHO_CLI_H

#include <stdio.h>

#include "ctl/ctl.h"

/* Exit statuses. */
enum cli_status {
    CLI_OK = 0,
    CLI_FAILED = 1,     /* the gateway refused, or could not; a checked file is wrong */
    CLI_USAGE = 2,      /* the command line makes no sense */
    CLI_NO_GATEWAY = 3, /* nobody answers at the socket */
};

/* What the command works with; a test brings its own. */
struct cli_io {
    FILE *in, *out, *err;
    bool terminal; /* out is one: tables are cut to its 80 columns */
};

int cli_run(const struct cli_io *io, int argc, char **argv);

#endif
