/* sekisho admin: add, passwd, totp, list, del; sekisho token: make, list, revoke. */
#include "cli/cli_internal.h"

#include <string.h>

/* ---- administrators ---- */

/* The secret of one-time codes, this once. */
static int tell_secret(const struct cli *cli, json_t *data, const char *done)
{
    const char *secret = json_string_value(json_object_get(data, "secret"));
    const char *uri = json_string_value(json_object_get(data, "uri"));
    if (secret == NULL || uri == NULL)
        return call_puzzled(cli);
    fputs("The administrator ", cli->io->out);
    print_safe(cli->io->out, cli->operand);
    fprintf(cli->io->out, " %s.\nSecret for an authenticator app, told only now: ", done);
    print_safe(cli->io->out, secret);
    fputc('\n', cli->io->out);
    print_safe(cli->io->out, uri);
    fputc('\n', cli->io->out);
    print_qr(cli, uri);
    return CLI_OK;
}

/* Asks for a change of the administrator of the operand. password may be NULL. secret: the reply has one to tell. */
static int change(struct cli *cli, enum ctl_verb verb, const char *password, bool secret, const char *done)
{
    struct ctl_request *r = NULL;
    json_t *data = NULL;
    int status = request_named(cli, verb, &r);
    if (status != CLI_OK)
        return status;
    status = request_send(cli, r, password != NULL ? request_text(cli, r, CTL_ARG_PASSWORD, password) : CLI_OK, &data);
    if (status != CLI_OK)
        return status;
    const bool generated = password != NULL && cli->option[OPTION_GENERATE] != NULL;
    if (cli->json) {
        if (generated)
            json_object_set_new(data, "password", json_string(password));
        return print_json(cli, data);
    }
    if (secret) {
        status = tell_secret(cli, data, done);
    } else {
        fputs("The administrator ", cli->io->out);
        print_safe(cli->io->out, cli->operand);
        fprintf(cli->io->out, " %s.\n", done);
    }
    if (generated)
        fprintf(cli->io->out, "Password: %s\n", password);
    json_decref(data);
    return status;
}

static int change_password(struct cli *cli, enum ctl_verb verb, bool secret, const char *done)
{
    char password[PASSWORD_MAX] = "";
    int status = password_get(cli, password);
    if (status == CLI_OK)
        status = change(cli, verb, password, secret, done);
    bytes_wipe(password, sizeof password);
    return status;
}

int run_admin_add(struct cli *cli)
{
    return change_password(cli, CTL_VERB_ADMIN_ADD, true, "was added");
}

int run_admin_passwd(struct cli *cli)
{
    return change_password(cli, CTL_VERB_ADMIN_PASSWD, false, "has a new password");
}

int run_admin_totp(struct cli *cli)
{
    return change(cli, CTL_VERB_ADMIN_TOTP, NULL, true, "has a new secret, and the old one is no good any more");
}

int run_admin_del(struct cli *cli)
{
    return change(cli, CTL_VERB_ADMIN_DEL, NULL, false, "was removed");
}

int run_admin_list(struct cli *cli)
{
    static const char *const head[] = {"NAME", "MADE", "LAST LOGIN"};
    struct table t;
    json_t *data = NULL, *one;
    size_t i;
    const int status = call(cli, ctl_request_new(CTL_VERB_ADMIN_LIST), &data);
    if (status != CLI_OK)
        return status;
    if (cli->json)
        return print_json(cli, data);
    table_init(&t, head, ARRAY_LEN(head));
    json_array_foreach(json_object_get(data, "admins"), i, one)
    {
        char text[TEXT_MAX];
        struct ctl_admin admin = {0};
        (void)ctl_admin_read(one, &admin);
        table_add(&t, admin.name);
        table_add(&t, text_time(admin.created, text));
        table_add(&t, text_time(admin.last_login, text));
    }
    json_decref(data);
    return table_print(&t, cli->io, cli->io->terminal ? TERMINAL_WIDTH : 0);
}

/* ---- tokens of programs ---- */

int run_token_make(struct cli *cli)
{
    struct ctl_request *r = NULL;
    json_t *data = NULL;
    if (cli->option[OPTION_SCOPES] == NULL)
        return command_wrong(cli, "Say what the token is for with --scopes.");
    int status = request_named(cli, CTL_VERB_TOKEN_MAKE, &r);
    if (status != CLI_OK)
        return status;
    status = request_text(cli, r, CTL_ARG_SCOPES, cli->option[OPTION_SCOPES]);
    status = request_send(cli, r, status == CLI_OK ? request_expires(cli, r) : status, &data);
    if (status != CLI_OK)
        return status;
    if (cli->json)
        return print_json(cli, data);
    const char *secret = json_string_value(json_object_get(data, "secret"));
    if (secret == NULL) {
        json_decref(data);
        return call_puzzled(cli);
    }
    fputs("The token, told only now: ", cli->io->out);
    print_safe(cli->io->out, secret);
    fputc('\n', cli->io->out);
    json_decref(data);
    return CLI_OK;
}

int run_token_list(struct cli *cli)
{
    static const char *const head[] = {"NAME", "FOR", "MADE", "UNTIL", "LAST USED"};
    struct table t;
    json_t *data = NULL, *one;
    size_t i;
    const int status = call(cli, ctl_request_new(CTL_VERB_TOKEN_LIST), &data);
    if (status != CLI_OK)
        return status;
    if (cli->json)
        return print_json(cli, data);
    table_init(&t, head, ARRAY_LEN(head));
    json_array_foreach(json_object_get(data, "tokens"), i, one)
    {
        char text[TEXT_MAX];
        struct ctl_token token = {0};
        (void)ctl_token_read(one, &token);
        table_add(&t, token.name);
        table_add(&t, token.scopes);
        table_add(&t, text_time(token.created, text));
        table_add(&t, text_time(token.expires, text));
        table_add(&t, text_time(token.last_used, text));
    }
    json_decref(data);
    return table_print(&t, cli->io, cli->io->terminal ? TERMINAL_WIDTH : 0);
}

int run_token_revoke(struct cli *cli)
{
    struct ctl_request *r = NULL;
    json_t *data = NULL;
    int status = request_named(cli, CTL_VERB_TOKEN_REVOKE, &r);
    if (status == CLI_OK)
        status = call(cli, r, &data);
    if (status != CLI_OK)
        return status;
    if (cli->json)
        return print_json(cli, data);
    fputs("The token was taken back.\n", cli->io->out);
    json_decref(data);
    return CLI_OK;
}
