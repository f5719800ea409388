/* The `sekisho` command: a client of the control sockets of the gateway and of a connection's engine, which it starts.
 */
#ifndef SEKISHO_CLI_H
#define SEKISHO_CLI_H

#include <stdio.h>

#include "ctl/ctl.h"

/* Exit statuses; a connection that failed has those of base/exits.def besides. */
enum cli_status {
    CLI_OK = 0,
    CLI_FAILED = 1,     /* the gateway refused, or could not; a checked file is wrong */
    CLI_USAGE = 2,      /* the command line makes no sense */
    CLI_NO_GATEWAY = 3, /* nobody answers at the socket */
    CLI_INTERRUPTED = 22,
    CLI_NO_RIGHTS = 23,
};

/* What the command works with; a test brings its own. */
struct cli_io {
    FILE *in, *out, *err;
    bool terminal; /* out is one: tables are cut to its 80 columns, and a spinner turns while we wait */
    bool colour;
    /* NULL: where they belong. */
    const char *engine;   /* the program sekisho-client; one that is given needs no rights of root */
    const char *profiles; /* the directory of profiles */
    const char *sockets;  /* the directory of engines' sockets */
};

int cli_run(const struct cli_io *io, int argc, char **argv);

#endif
