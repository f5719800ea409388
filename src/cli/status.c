/* sekisho status and version. */
#include "cli/cli_internal.h"

#include <string.h>
#include <time.h>

/* Version of this command; the build says it. */
#ifndef SEKISHO_VERSION
#define SEKISHO_VERSION "unknown"
#endif

typedef unsigned long long wide;

static void print_status(FILE *out, const struct ctl_status *s)
{
    char since[TEXT_MAX], up[TEXT_MAX], in[TEXT_MAX], sent[TEXT_MAX], count[TEXT_MAX];
    uint64_t now = (uint64_t)time(NULL);
    fprintf(out, "Gateway       sekishod ");
    print_safe(out, s->version);
    fprintf(out, ", process %llu\n", (wide)s->pid);
    fprintf(out, "Since         %s (%s ago)\n", text_time(s->started, since),
            text_duration(s->started < now ? now - s->started : 0, up));
    fprintf(out, "Policy        ");
    print_safe(out, s->policy);
    fprintf(out, "; ESP by ");
    print_safe(out, s->engine);
    fprintf(out, "; %llu %s\n", (wide)s->shards, s->shards == 1 ? "shard" : "shards");
    fprintf(out, "Sessions      %llu in %llu tunnels\n", (wide)s->sessions, (wide)s->tunnels);
    fprintf(out, "IKE           %llu SAs, %llu half open; %llu ESP pairs\n", (wide)s->ike_sas, (wide)s->ike_half_open,
            (wide)s->esp_pairs);
    fprintf(out, "Addresses     %llu of %llu in use\n", (wide)s->pool_used, (wide)s->pool_size);
    fprintf(out, "Logins        %llu accepted, %llu refused\n", (wide)s->logins_accepted, (wide)s->logins_refused);
    fprintf(out, "From clients  %s in %s\n", text_bytes(s->bytes_in, in), text_packets(s->packets_in, count));
    fprintf(out, "To clients    %s in %s\n", text_bytes(s->bytes_out, sent), text_packets(s->packets_out, count));
    fprintf(out, "Dropped       %s\n", text_packets(s->drops, count));
}

/* ---- drops ---- */

static int print_drops(const struct cli *cli, const json_t *drops)
{
    static const char *const head[] = {"COUNT", "DROP", "WHY"};
    struct table t;
    size_t i;
    json_t *one;
    table_init(&t, head, ARRAY_LEN(head));
    t.right[0] = true;
    json_array_foreach(drops, i, one)
    {
        struct ctl_drop d;
        char count[TEXT_MAX];
        if (ctl_drop_read(one, &d) != ERR_OK) {
            table_done(&t);
            return call_puzzled(cli);
        }
        if (d.count == 0)
            continue;
        snprintf(count, sizeof count, "%llu", (wide)d.count);
        table_add(&t, count);
        table_add(&t, d.word);
        table_add(&t, d.sentence);
    }
    if (t.cells == 0) {
        table_done(&t);
        return CLI_OK;
    }
    fputc('\n', cli->io->out);
    return table_print(&t, cli->io, cli->io->terminal ? TERMINAL_WIDTH : 0);
}

static int add_drops(const struct cli *cli, json_t *data)
{
    json_t *more = NULL;
    int status = call(cli, ctl_request_new(CTL_VERB_DROPS), &more);
    if (status != CLI_OK)
        return status;
    json_t *drops = json_object_get(more, "drops");
    if (!json_is_array(drops) || json_object_set(data, "drops", drops) != 0)
        status = call_puzzled(cli);
    json_decref(more);
    return status;
}

int run_status(struct cli *cli)
{
    json_t *data = NULL;
    struct ctl_status s;
    int status = call(cli, ctl_request_new(CTL_VERB_STATUS), &data);
    if (status == CLI_OK && cli->option[OPTION_DROPS] != NULL)
        status = add_drops(cli, data);
    if (status != CLI_OK) {
        json_decref(data);
        return status;
    }
    if (cli->json)
        return print_json(cli, data);
    if (ctl_status_read(json_object_get(data, "status"), &s) != ERR_OK) {
        json_decref(data);
        return call_puzzled(cli);
    }
    print_status(cli->io->out, &s);
    if (cli->option[OPTION_DROPS] != NULL)
        status = print_drops(cli, json_object_get(data, "drops"));
    json_decref(data);
    return status;
}

/* ---- version ---- */

/* Without a gateway there is still our own version to tell. */
int run_version(struct cli *cli)
{
    json_t *data = NULL;
    if (!cli->json)
        fputs("sekisho " SEKISHO_VERSION "\n", cli->io->out);
    int status = call(cli, ctl_request_new(CTL_VERB_VERSION), &data);
    if (status != CLI_OK)
        return status;
    if (cli->json) {
        json_object_set_new(data, "command", json_string(SEKISHO_VERSION));
        return print_json(cli, data);
    }
    const char *version = json_string_value(json_object_get(data, "version"));
    fputs("sekishod ", cli->io->out);
    print_safe(cli->io->out, version != NULL ? version : "?");
    fputc('\n', cli->io->out);
    json_decref(data);
    return CLI_OK;
}
