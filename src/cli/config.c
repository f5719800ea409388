/* sekisho config: check and reload. The file goes to the gateway as text: it is read with the caller's rights. */
#include "cli/cli_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG_MAX 60000 /* bytes that a request carries; see args.def */

static int read_config(const struct cli *cli, char **out)
{
    FILE *f = fopen(cli->operand, "re");
    char *text = malloc(CONFIG_MAX + 2);
    int status = CLI_OK;
    if (f == NULL) {
        status = call_failed(cli, CLI_FAILED, CTL_CODE_INVALID, "The file %s cannot be read: %s.", cli->operand,
                             strerror(errno));
    } else if (text == NULL) {
        status = call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "There is not enough memory.");
    } else {
        size_t n = fread(text, 1, CONFIG_MAX + 1, f);
        text[n] = '\0';
        if (ferror(f))
            status = call_failed(cli, CLI_FAILED, CTL_CODE_INVALID, "The file %s cannot be read: %s.", cli->operand,
                                 strerror(errno));
        else if (n > CONFIG_MAX || strlen(text) != n)
            status = call_failed(cli, CLI_FAILED, CTL_CODE_INVALID,
                                 "The file %s is no text of at most %d bytes. Check it with: sekishod --check %s",
                                 cli->operand, CONFIG_MAX, cli->operand);
    }
    if (f != NULL)
        fclose(f);
    if (status != CLI_OK) {
        free(text);
        return status;
    }
    *out = text;
    return CLI_OK;
}

static int check(const struct cli *cli, const char *text, json_t **data)
{
    struct ctl_request *r = ctl_request_new(CTL_VERB_CONFIG_CHECK);
    if (r == NULL || ctl_set_text(r, CTL_ARG_CONFIG, text) != ERR_OK ||
        ctl_set_text(r, CTL_ARG_FILENAME, cli->operand) != ERR_OK) {
        ctl_request_free(r);
        return call_failed(cli, CLI_FAILED, CTL_CODE_INVALID, "The file %s must be text in UTF-8.", cli->operand);
    }
    return call(cli, r, data);
}

int run_config_check(struct cli *cli)
{
    char *text = NULL;
    json_t *data = NULL;
    int status = read_config(cli, &text);
    if (status != CLI_OK)
        return status;
    status = check(cli, text, &data);
    bytes_wipe(text, strlen(text));
    free(text);
    if (status != CLI_OK)
        return status;
    const char *problem = json_string_value(json_object_get(data, "problem"));
    status = problem != NULL && problem[0] == '\0' ? CLI_OK : CLI_FAILED;
    if (cli->json) {
        print_json(cli, data);
        return status;
    }
    print_safe(cli->io->out, status == CLI_OK ? "The configuration is right." : problem != NULL ? problem : "?");
    fputc('\n', cli->io->out);
    json_decref(data);
    return status;
}

int run_config_reload(struct cli *cli)
{
    json_t *data = NULL;
    int status = call(cli, ctl_request_new(CTL_VERB_CONFIG_RELOAD), &data);
    if (status != CLI_OK)
        return status;
    if (cli->json)
        return print_json(cli, data);
    fputs("The gateway has read its configuration again.\n", cli->io->out);
    json_decref(data);
    return CLI_OK;
}
