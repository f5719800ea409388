/* sekisho-portal: reads its options and serves. */
#include "portal/api.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#ifndef SEKISHO_VERSION
#define SEKISHO_VERSION "unknown"
#endif

static const char usage[] = "sekisho-portal: web pages for the users and administrators of sekishod\n"
                            "  sekisho-portal [--config FILE]   serve (default " CONFIG_DEFAULT_FILE ")\n"
                            "  sekisho-portal --openapi         describe the JSON interface for programs\n"
                            "  sekisho-portal --version\n";

static int print_openapi(void)
{
    char *text = api_openapi();
    const bool ok = text != NULL && fputs(text, stdout) >= 0;
    free(text);
    return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"openapi", no_argument, NULL, 'o'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const char *file = CONFIG_DEFAULT_FILE;
    for (int option; (option = getopt_long(argc, argv, "c:vh", options, NULL)) != -1;) {
        switch (option) {
        case 'c':
            file = optarg;
            break;
        case 'o':
            return print_openapi();
        case 'v':
            puts("sekisho-portal " SEKISHO_VERSION);
            return 0;
        case 'h':
            fputs(usage, stdout);
            return 0;
        default:
            fputs(usage, stderr);
            return 2;
        }
    }
    return portal_run(file);
}
