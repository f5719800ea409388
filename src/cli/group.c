/* sekisho group: add, set, list, del; sekisho pool list. */
#include "cli/cli_internal.h"

#include <string.h>

static int change(struct cli *cli, enum ctl_verb verb, const char *done)
{
    struct ctl_request *r = NULL;
    json_t *data = NULL;
    int status = request_named(cli, verb, &r);
    if (status != CLI_OK)
        return status;
    status = request_send(cli, r, request_user(cli, r), &data);
    if (status != CLI_OK)
        return status;
    if (cli->json)
        return print_json(cli, data);
    fputs("The group ", cli->io->out);
    print_safe(cli->io->out, cli->operand);
    fprintf(cli->io->out, " %s.\n", done);
    json_decref(data);
    return CLI_OK;
}

int run_group_add(struct cli *cli)
{
    return change(cli, CTL_VERB_GROUP_ADD, "was added");
}

int run_group_set(struct cli *cli)
{
    if (!request_has_changes(cli))
        return command_wrong(cli, "There is nothing to change.");
    return change(cli, CTL_VERB_GROUP_SET, "was changed");
}

int run_group_del(struct cli *cli)
{
    return change(cli, CTL_VERB_GROUP_DEL, "was removed");
}

/* ---- lists ---- */

/* Asks and prints the list under that name, a row by each, which says whether it understood it. */
static int print_list(const struct cli *cli, struct ctl_request *r, const char *name, struct table *t,
                      bool (*add_row)(struct table *t, const json_t *one))
{
    json_t *data = NULL, *one;
    size_t i;
    int status = call(cli, r, &data);
    if (status != CLI_OK)
        return status;
    if (cli->json)
        return print_json(cli, data);
    const json_t *list = json_object_get(data, name);
    bool ok = json_is_array(list);
    json_array_foreach(list, i, one) ok = ok && add_row(t, one);
    json_decref(data);
    if (ok)
        return table_print(t, cli->io, cli->io->terminal ? TERMINAL_WIDTH : 0);
    table_done(t);
    return call_puzzled(cli);
}

static void add_number(struct table *t, uint64_t n)
{
    char text[TEXT_MAX];
    snprintf(text, sizeof text, "%llu", (unsigned long long)n);
    table_add(t, text);
}

static bool add_group(struct table *t, const json_t *one)
{
    struct ctl_group g;
    if (ctl_group_read(one, &g) != ERR_OK)
        return false;
    table_add(t, g.name);
    table_add(t, g.enabled ? "yes" : "no");
    add_number(t, g.users);
    table_add(t, g.pool[0] ? g.pool : "any");
    table_add(t, g.login[0] ? g.login : "any");
    add_number(t, g.max_sessions);
    table_add(t, g.note);
    return true;
}

int run_group_list(struct cli *cli)
{
    static const char *const head[] = {"NAME", "ENABLED", "USERS", "POOL", "LOGIN", "SESSIONS", "NOTE"};
    struct table t;
    struct ctl_request *r = NULL;
    const int status = request_named(cli, CTL_VERB_GROUP_LIST, &r);
    if (status != CLI_OK)
        return status;
    table_init(&t, head, ARRAY_LEN(head));
    t.right[2] = t.right[5] = true;
    return print_list(cli, r, "groups", &t, add_group);
}

static bool add_pool(struct table *t, const json_t *one)
{
    struct ctl_pool p;
    if (ctl_pool_read(one, &p) != ERR_OK)
        return false;
    table_add(t, p.name);
    table_add(t, p.ranges);
    table_add(t, p.gateway);
    add_number(t, p.size);
    add_number(t, p.used);
    add_number(t, p.reserved);
    return true;
}

int run_pool_list(struct cli *cli)
{
    static const char *const head[] = {"NAME", "RANGES", "GATEWAY", "SIZE", "IN USE", "FIXED"};
    struct table t;
    table_init(&t, head, ARRAY_LEN(head));
    t.right[3] = t.right[4] = t.right[5] = true;
    return print_list(cli, ctl_request_new(CTL_VERB_POOL_LIST), "pools", &t, add_pool);
}

/* ---- health ---- */

static int print_checks(const struct cli *cli, const json_t *checks)
{
    size_t i;
    json_t *one;
    int status = json_is_array(checks) ? CLI_OK : call_puzzled(cli);
    json_array_foreach(checks, i, one)
    {
        struct ctl_check c;
        if (ctl_check_read(one, &c) != ERR_OK)
            return call_puzzled(cli);
        fprintf(cli->io->out, "%-5s %-12s ", c.state, c.word);
        print_safe(cli->io->out, c.sentence);
        fputc('\n', cli->io->out);
        if (c.cure[0]) {
            fprintf(cli->io->out, "%-18s ", "");
            print_safe(cli->io->out, c.cure);
            fputc('\n', cli->io->out);
        }
    }
    return status;
}

/* Something bad is a failure, for whoever watches by the exit status; a warning is none. */
static bool any_bad(const json_t *checks)
{
    size_t i;
    json_t *one;
    json_array_foreach(checks, i, one)
    {
        const char *state = json_string_value(json_object_get(one, "state"));
        if (state != NULL && strcmp(state, "bad") == 0)
            return true;
    }
    return false;
}

int run_health(struct cli *cli)
{
    json_t *data = NULL;
    int status = call(cli, ctl_request_new(CTL_VERB_HEALTH), &data);
    if (status != CLI_OK)
        return status;
    const json_t *checks = json_object_get(data, "checks");
    const bool bad = any_bad(checks);
    if (cli->json) {
        print_json(cli, data);
    } else {
        status = print_checks(cli, checks);
        json_decref(data);
    }
    return status == CLI_OK && bad ? CLI_FAILED : status;
}
