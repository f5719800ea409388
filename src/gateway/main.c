/* sekishod: reads its options and runs the gateway. */
#include "gateway/gateway_internal.h"

#include <getopt.h>
#include <stdio.h>

#ifndef SEKISHO_VERSION
#define SEKISHO_VERSION "unknown"
#endif

static const char usage[] = "sekishod: the L2TP/IPsec gateway\n"
                            "  sekishod [--config FILE]     run (default " CONFIG_DEFAULT_FILE ")\n"
                            "  sekishod --check FILE        check a configuration, say what is wrong\n"
                            "  sekishod --print-config      print a commented configuration with all defaults\n"
                            "  sekishod --version\n";

static int check(const char *file)
{
    struct config *config = NULL;
    struct certificates *certificates = NULL;
    struct config_error error;
    char text[CONFIG_ERROR_TEXT_MAX];
    const bool good = gateway_load_config(file, &config, &error) == ERR_OK &&
                      certificates_new(config, file, &certificates, &error) == ERR_OK;
    certificates_release(certificates);
    config_free(config);
    if (!good) {
        fprintf(stderr, "%s\n", config_error_text(&error, text));
        return 1;
    }
    printf("%s: good\n", file);
    return 0;
}

static int print_config(void)
{
    static uint8_t room[CONFIG_SIZE_MAX];
    struct writer w = wr_init(room, sizeof(room));
    if (config_example(&w) != ERR_OK)
        return 1;
    fwrite(room, 1, w.n, stdout);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"check", required_argument, NULL, 'k'},
        {"print-config", no_argument, NULL, 'p'},
        {"foreground", no_argument, NULL, 'f'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const char *file = CONFIG_DEFAULT_FILE;
    for (int option; (option = getopt_long(argc, argv, "c:k:pfvh", options, NULL)) != -1;) {
        switch (option) {
        case 'c':
            file = optarg;
            break;
        case 'k':
            return check(optarg);
        case 'p':
            return print_config();
        case 'f':
            break; /* it always stays in the foreground; accepted because people type it */
        case 'v':
            puts("sekishod " SEKISHO_VERSION);
            return 0;
        case 'h':
            fputs(usage, stdout);
            return 0;
        default:
            fputs(usage, stderr);
            return 2;
        }
    }
    return gateway_run(file);
}
