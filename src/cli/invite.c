/* sekisho user invite; sekisho invite: list, revoke. */
#include "cli/cli_internal.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "handout/handout.h"

void print_qr(const struct cli *cli, const char *text)
{
    if (!cli->io->terminal || strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        return;
    uint8_t *room = malloc(HANDOUT_QR_MAX);
    struct writer w = wr_init(room, HANDOUT_QR_MAX);
    if (room != NULL && handout_qr_text(view_str(text), cli->io->colour, &w) == ERR_OK)
        fwrite(room, 1, w.n, cli->io->out);
    if (room != NULL)
        bytes_wipe(room, HANDOUT_QR_MAX);
    free(room);
}

/* Like a date of --expires, from now on. */
static int put_valid(const struct cli *cli, struct ctl_request *r)
{
    const char *text = cli->option[OPTION_VALID];
    const int64_t now = time(NULL);
    uint64_t until;
    if (text == NULL)
        return CLI_OK;
    if (!date_parse(text, now, &until) || until <= (uint64_t)now)
        return command_wrong(cli, "\"%s\" is no time to come; write it like 12h or 3d.", text);
    return request_number(cli, r, CTL_ARG_VALID, until - (uint64_t)now);
}

static int tell_invite(const struct cli *cli, const json_t *data)
{
    FILE *out = cli->io->out;
    char until[TEXT_MAX];
    struct ctl_invite invite;
    const char *url = json_string_value(json_object_get(data, "url"));
    const char *token = json_string_value(json_object_get(data, "token"));
    if (ctl_invite_read(json_object_get(data, "invite"), &invite) != ERR_OK || url == NULL || token == NULL)
        return call_puzzled(cli);
    fputs("An invitation for ", out);
    print_safe(out, invite.name);
    fprintf(out, ", good once and until %s:\n", text_time(invite.expires, until));
    if (url[0] == '\0') {
        fputs("  ", out);
        print_safe(out, token);
        fputs("\nThere is no link, for the configuration has no portal.url; the portal takes the code above, too.\n",
              out);
        return CLI_OK;
    }
    fputs("  ", out);
    print_safe(out, url);
    fputc('\n', out);
    print_qr(cli, url);
    return CLI_OK;
}

int run_user_invite(struct cli *cli)
{
    struct ctl_request *r = NULL;
    json_t *data = NULL;
    int status = request_named(cli, CTL_VERB_INVITE_MAKE, &r);
    if (status != CLI_OK)
        return status;
    status = put_valid(cli, r);
    status = request_send(cli, r, status == CLI_OK ? request_user(cli, r) : status, &data);
    if (status != CLI_OK)
        return status;
    if (cli->json)
        return print_json(cli, data);
    status = tell_invite(cli, data);
    json_decref(data);
    return status;
}

int run_invite_list(struct cli *cli)
{
    static const char *const head[] = {"ID", "USER", "MADE", "UNTIL"};
    struct table t;
    json_t *data = NULL, *one;
    size_t i;
    const int status = call(cli, ctl_request_new(CTL_VERB_INVITE_LIST), &data);
    if (status != CLI_OK)
        return status;
    if (cli->json)
        return print_json(cli, data);
    table_init(&t, head, ARRAY_LEN(head));
    json_array_foreach(json_object_get(data, "invites"), i, one)
    {
        char text[TEXT_MAX];
        struct ctl_invite invite = {0};
        (void)ctl_invite_read(one, &invite);
        snprintf(text, sizeof text, "%llu", (unsigned long long)invite.id);
        table_add(&t, text);
        table_add(&t, invite.name);
        table_add(&t, text_time(invite.created, text));
        table_add(&t, text_time(invite.expires, text));
    }
    json_decref(data);
    return table_print(&t, cli->io, cli->io->terminal ? TERMINAL_WIDTH : 0);
}

int run_invite_revoke(struct cli *cli)
{
    const char *user = cli->option[OPTION_USER];
    uint64_t id = 0;
    json_t *data = NULL;
    if ((cli->operand == NULL) == (user == NULL))
        return command_wrong(cli, "Give either an invitation's number or --user NAME.");
    if (cli->operand != NULL && (!number_parse(cli->operand, UINT32_MAX, &id) || id == 0))
        return command_wrong(cli, "\"%s\" is no number of an invitation; see sekisho invite list.", cli->operand);
    struct ctl_request *r = ctl_request_new(CTL_VERB_INVITE_REVOKE);
    int status = user != NULL ? request_text(cli, r, CTL_ARG_NAME, user) : request_number(cli, r, CTL_ARG_ID, id);
    status = request_send(cli, r, status, &data);
    if (status != CLI_OK)
        return status;
    if (cli->json)
        return print_json(cli, data);
    fputs("The invitation was taken back.\n", cli->io->out);
    json_decref(data);
    return CLI_OK;
}
