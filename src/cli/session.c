/* sekisho session: list, show, kick. */
#include "cli/cli_internal.h"

#include <string.h>
#include <time.h>

static uint64_t age(uint64_t since)
{
    uint64_t now = (uint64_t)time(NULL);
    return since < now ? now - since : 0;
}

/* The request with the session of the operand and the user of --user, where given. */
static int make(const struct cli *cli, enum ctl_verb verb, struct ctl_request **out)
{
    uint64_t number = 0;
    if (cli->operand != NULL && (!number_parse(cli->operand, UINT32_MAX, &number) || number == 0))
        return command_wrong(cli, "\"%s\" is no number of a session; see sekisho session list.", cli->operand);
    struct ctl_request *r = ctl_request_new(verb);
    enum err result = r != NULL ? ERR_OK : ERR_NOMEM;
    if (result == ERR_OK && cli->operand != NULL)
        result = ctl_set_number(r, CTL_ARG_SESSION, number);
    if (result == ERR_OK && cli->option[OPTION_USER] != NULL)
        result = ctl_set_text(r, CTL_ARG_USER, cli->option[OPTION_USER]);
    if (result != ERR_OK) {
        ctl_request_free(r);
        return call_failed(cli, CLI_FAILED, CTL_CODE_INVALID, "The name must be text in UTF-8.");
    }
    *out = r;
    return CLI_OK;
}

static int ask(const struct cli *cli, enum ctl_verb verb, json_t **data)
{
    struct ctl_request *r = NULL;
    int status = make(cli, verb, &r);
    return status == CLI_OK ? call(cli, r, data) : status;
}

/* ---- list ---- */

static const char *const head[] = {"ID", "USER", "ADDRESS", "PEER", "UP", "IN", "OUT"};

static void add_row(struct table *t, const struct ctl_session *s)
{
    char text[TEXT_MAX];
    snprintf(text, sizeof text, "%llu", (unsigned long long)s->id);
    table_add(t, text);
    table_add(t, s->user[0] ? s->user : "-");
    table_add(t, s->address[0] ? s->address : "-");
    table_add(t, s->peer);
    table_add(t, text_duration(age(s->since), text));
    table_add(t, text_bytes(s->bytes_in, text));
    table_add(t, text_bytes(s->bytes_out, text));
}

static int print_sessions(const struct cli *cli, const json_t *sessions)
{
    struct table t;
    size_t i;
    json_t *one;
    if (json_array_size(sessions) == 0) {
        fputs("There are no sessions.\n", cli->io->out);
        return CLI_OK;
    }
    table_init(&t, head, ARRAY_LEN(head));
    t.right[0] = t.right[4] = t.right[5] = t.right[6] = true;
    json_array_foreach(sessions, i, one)
    {
        struct ctl_session s;
        if (ctl_session_read(one, &s) != ERR_OK) {
            table_done(&t);
            return call_puzzled(cli);
        }
        add_row(&t, &s);
    }
    return table_print(&t, cli->io, cli->io->terminal ? TERMINAL_WIDTH : 0);
}

int run_session_list(struct cli *cli)
{
    json_t *data = NULL;
    int status = ask(cli, CTL_VERB_SESSION_LIST, &data);
    if (status != CLI_OK)
        return status;
    if (cli->json)
        return print_json(cli, data);
    const json_t *sessions = json_object_get(data, "sessions");
    status = json_is_array(sessions) ? print_sessions(cli, sessions) : call_puzzled(cli);
    json_decref(data);
    return status;
}

/* ---- show ---- */

static void line(FILE *out, const char *name, const char *text)
{
    fprintf(out, "%-14s", name);
    print_safe(out, text[0] ? text : "-");
    fputc('\n', out);
}

static void traffic(FILE *out, const char *name, uint64_t bytes, uint64_t packets)
{
    char text[TEXT_MAX], count[TEXT_MAX];
    fprintf(out, "%-14s%s in %s\n", name, text_bytes(bytes, text), text_packets(packets, count));
}

static void print_session(FILE *out, const struct ctl_session *s)
{
    char since[TEXT_MAX], up[TEXT_MAX];
    fprintf(out, "%-14s%llu\n", "Session", (unsigned long long)s->id);
    line(out, "User", s->user);
    line(out, "Logged in by", s->auth);
    line(out, "Address", s->address);
    line(out, "Pool", s->pool);
    line(out, "Peer", s->peer);
    line(out, "Client", s->client);
    line(out, "Host name", s->host);
    fprintf(out, "%-14s%s (%s ago)\n", "Since", text_time(s->since, since), text_duration(age(s->since), up));
    traffic(out, "From client", s->bytes_in, s->packets_in);
    traffic(out, "To client", s->bytes_out, s->packets_out);
    line(out, "IKE", s->ike);
    line(out, "ESP", s->esp);
    line(out, "Carried in", s->nat ? "UDP, for there is a NAT or it was forced" : "ESP");
    line(out, "Key", s->psk);
    fprintf(out, "%-14s%llu\n", "MTU", (unsigned long long)s->mtu);
}

int run_session_show(struct cli *cli)
{
    json_t *data = NULL;
    struct ctl_session s;
    int status = ask(cli, CTL_VERB_SESSION_SHOW, &data);
    if (status != CLI_OK)
        return status;
    if (cli->json)
        return print_json(cli, data);
    if (ctl_session_read(json_object_get(data, "session"), &s) != ERR_OK)
        status = call_puzzled(cli);
    else
        print_session(cli->io->out, &s);
    json_decref(data);
    return status;
}

/* ---- kick ---- */

int run_session_kick(struct cli *cli)
{
    json_t *data = NULL;
    if ((cli->operand == NULL) == (cli->option[OPTION_USER] == NULL))
        return command_wrong(cli, "Give either a session's number or --user NAME.");
    int status = ask(cli, CTL_VERB_SESSION_KICK, &data);
    if (status != CLI_OK)
        return status;
    if (cli->json)
        return print_json(cli, data);
    json_int_t n = json_integer_value(json_object_get(data, "kicked"));
    fprintf(cli->io->out, n == 1 ? "%lld session was ended.\n" : "%lld sessions were ended.\n", (long long)n);
    json_decref(data);
    return CLI_OK;
}
