/* sekisho user: add, set, passwd, list, del. */
#include "cli/cli_internal.h"

#include <string.h>

static int put_password(const struct cli *cli, struct ctl_request *r, const char *password)
{
    return request_text(cli, r, CTL_ARG_PASSWORD, password);
}

/* What is left to say after a change: the user as JSON, or a sentence; and a generated password, this once. */
static int tell_change(const struct cli *cli, json_t *data, const char *done, const char *password)
{
    bool generated = cli->option[OPTION_GENERATE] != NULL;
    if (cli->json) {
        if (generated)
            json_object_set_new(data, "password", json_string(password));
        return print_json(cli, data);
    }
    fprintf(cli->io->out, "The user ");
    print_safe(cli->io->out, cli->operand);
    fprintf(cli->io->out, " %s.\n", done);
    if (generated)
        fprintf(cli->io->out, "Password: %s\n", password);
    json_decref(data);
    return CLI_OK;
}

/* Asks for a change of the user named by the operand; request is taken. */
static int change(struct cli *cli, struct ctl_request *r, const char *password, const char *done)
{
    json_t *data = NULL;
    int status = request_text(cli, r, CTL_ARG_NAME, cli->operand);
    if (status == CLI_OK)
        status = request_user(cli, r);
    if (status == CLI_OK && password != NULL)
        status = put_password(cli, r, password);
    if (status != CLI_OK) {
        ctl_request_free(r);
        return status;
    }
    status = call(cli, r, &data);
    return status == CLI_OK ? tell_change(cli, data, done, password) : status;
}

static int change_password(struct cli *cli, enum ctl_verb verb, const char *done)
{
    char password[PASSWORD_MAX] = "";
    int status = password_get(cli, password);
    if (status == CLI_OK)
        status = change(cli, ctl_request_new(verb), password, done);
    bytes_wipe(password, sizeof password);
    return status;
}

int run_user_add(struct cli *cli)
{
    return change_password(cli, CTL_VERB_USER_ADD, "was added");
}

int run_user_passwd(struct cli *cli)
{
    return change_password(cli, CTL_VERB_USER_PASSWD, "has a new password");
}

int run_user_set(struct cli *cli)
{
    if (!request_has_changes(cli))
        return command_wrong(cli, "There is nothing to change.");
    return change(cli, ctl_request_new(CTL_VERB_USER_SET), NULL, "was changed");
}

int run_user_del(struct cli *cli)
{
    return change(cli, ctl_request_new(CTL_VERB_USER_DEL), NULL, "was removed");
}

/* ---- list ---- */

static const char *const head[] = {"NAME", "LOGIN", "GROUP", "ADDRESS", "SESSIONS", "EXPIRES", "LAST LOGIN"};

static void add_row(struct table *t, const struct ctl_user *u)
{
    char text[TEXT_MAX], sessions[TEXT_MAX];
    snprintf(sessions, sizeof sessions, u->max_sessions != 0 ? "%llu of %llu" : "%llu", (unsigned long long)u->sessions,
             (unsigned long long)u->max_sessions);
    table_add(t, u->name);
    table_add(t, u->enabled ? "yes" : "no");
    table_add(t, u->group[0] ? u->group : "-");
    table_add(t, u->address[0] ? u->address : "pool");
    table_add(t, sessions);
    table_add(t, text_time(u->expires, text));
    table_add(t, text_time(u->last_login, text));
}

static int print_users(const struct cli *cli, const json_t *users)
{
    struct table t;
    size_t i;
    json_t *one;
    table_init(&t, head, ARRAY_LEN(head));
    json_array_foreach(users, i, one)
    {
        struct ctl_user u;
        if (ctl_user_read(one, &u) != ERR_OK) {
            table_done(&t);
            return call_puzzled(cli);
        }
        add_row(&t, &u);
    }
    return table_print(&t, cli->io, cli->io->terminal ? TERMINAL_WIDTH : 0);
}

int run_user_list(struct cli *cli)
{
    struct ctl_request *r = ctl_request_new(CTL_VERB_USER_LIST);
    json_t *data = NULL;
    int status = cli->operand != NULL ? request_text(cli, r, CTL_ARG_NAME, cli->operand) : CLI_OK;
    if (status != CLI_OK) {
        ctl_request_free(r);
        return status;
    }
    status = call(cli, r, &data);
    if (status != CLI_OK)
        return status;
    if (cli->json)
        return print_json(cli, data);
    const json_t *users = json_object_get(data, "users");
    status = json_is_array(users) ? print_users(cli, users) : call_puzzled(cli);
    json_decref(data);
    return status;
}
