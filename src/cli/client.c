/* `sekisho client status`: the connections of this host. */
#include "cli/cli_internal.h"

#include <poll.h>
#include <string.h>
#include <time.h>

#define SCREEN_CLEAR "\033[H\033[2J"
#define AGAIN_MS     1000

static void put_state(FILE *out, const struct ctl_link *l)
{
    const uint64_t now = (uint64_t)time(NULL);
    char text[TEXT_MAX];
    print_safe(out, l->profile);
    if (strcmp(l->state, "up") == 0 && l->since != 0)
        fprintf(out, " is connected, for %s", text_duration(now > l->since ? now - l->since : 0, text));
    else if (strcmp(l->state, "waiting") == 0)
        fprintf(out, " is not connected; the next attempt is in %s",
                text_duration(l->retry_at > now ? l->retry_at - now : 0, text));
    else if (strcmp(l->state, "asking") == 0)
        fprintf(out, " waits for an answer to what the server asks; give it with: sekisho connect %s", l->profile);
    else
        fprintf(out, " is %s", strcmp(l->state, "ending") == 0 ? "ending" : "being connected");
    fputs(".\n", out);
    if (strcmp(l->state, "up") == 0 || l->why[0] == '\0' || strcmp(l->cause, "none") == 0)
        return;
    fputs("  Why: ", out);
    print_safe(out, l->why);
    fputs("\n  Cure: ", out);
    print_safe(out, l->cure);
    fputc('\n', out);
}

static int not_there(const struct cli *cli, const char *name)
{
    return call_failed(cli, CLI_NO_GATEWAY, CTL_CODE_NOT_FOUND, "%s is not connected. Connect with: sekisho connect %s",
                       name, name);
}

static int read_link(const struct cli *cli, const char *name, struct ctl_link *out)
{
    char path[CONFIG_PATH_MAX];
    struct ctl_error e;
    int status = engine_path(cli, name, path);
    if (status != CLI_OK)
        return status;
    switch (engine_link(path, out, &e)) {
    case TALK_LINE:
        return CLI_OK;
    case TALK_CLOSED:
        return not_there(cli, name);
    case TALK_SILENT:
        return call_failed(cli, CLI_NO_GATEWAY, CTL_CODE_FAILED, "The engine of %s does not answer.", name);
    case TALK_REFUSED:
    case TALK_PUZZLED:
    case TALK_TOO_LONG:
        break;
    }
    return call_failed(cli, strcmp(e.code, CTL_CODE_DENIED) == 0 ? CLI_NO_RIGHTS : CLI_FAILED, e.code, "%s",
                       e.sentence);
}

static int show_one(const struct cli *cli, const char *name)
{
    struct ctl_link link;
    int status = read_link(cli, name, &link);
    if (status != CLI_OK)
        return status;
    if (cli->json)
        return print_json(cli, ctl_data("link", ctl_link_json(&link)));
    put_state(cli->io->out, &link);
    show_link(cli->io->out, &link, true);
    return CLI_OK;
}

/* ---- all of them ---- */

static void add_row(struct table *t, const struct ctl_link *l)
{
    char in[TEXT_MAX], out[TEXT_MAX];
    table_add(t, l->profile);
    table_add(t, l->state);
    table_add(t, l->server);
    table_add(t, l->address);
    table_add(t, text_bytes(l->bytes_in, in));
    table_add(t, text_bytes(l->bytes_out, out));
}

static int list(const struct cli *cli, const struct names *live)
{
    static const char *const head[] = {"NAME", "STATE", "SERVER", "ADDRESS", "IN", "OUT"};
    struct table t;
    struct ctl_link link;
    json_t *links = json_array();
    int status = CLI_OK;
    table_init(&t, head, ARRAY_LEN(head));
    t.right[4] = t.right[5] = true;
    for (size_t i = 0; i < live->count && status == CLI_OK; i++) {
        status = read_link(cli, live->name[i], &link);
        if (status != CLI_OK)
            break;
        add_row(&t, &link);
        json_array_append_new(links, ctl_link_json(&link));
    }
    if (status == CLI_OK && cli->json) {
        table_done(&t);
        return print_json(cli, ctl_data("links", links));
    }
    json_decref(links);
    if (status == CLI_OK)
        return table_print(&t, cli->io, cli->io->terminal ? TERMINAL_WIDTH : 0);
    table_done(&t);
    return status;
}

static int show_all(const struct cli *cli)
{
    struct names live, stale;
    int status = engine_names(cli, &live, &stale);
    if (status == CLI_OK && live.count == 0 && !cli->json)
        status = call_failed(cli, CLI_NO_GATEWAY, CTL_CODE_NOT_FOUND, "Nothing is connected.");
    else if (status == CLI_OK)
        status = live.count == 1 && !cli->json ? show_one(cli, live.name[0]) : list(cli, &live);
    names_done(&live);
    names_done(&stale);
    return status;
}

int run_client_status(struct cli *cli)
{
    bool watch = cli->option[OPTION_WATCH] != NULL;
    for (;;) {
        if (watch && cli->io->terminal && !cli->json)
            fputs(SCREEN_CLEAR, cli->io->out);
        int status = cli->operand != NULL ? show_one(cli, cli->operand) : show_all(cli);
        fflush(cli->io->out);
        if (!watch || status != CLI_OK)
            return status;
        poll(NULL, 0, AGAIN_MS);
    }
}
