/* sekisho explain: how far a connection came, why it stopped, what helps. And sekisho events: what happens now. */
#include "cli/cli_internal.h"

#include <string.h>
#include <time.h>

#define ATTEMPTS_MAX 100

static void labelled(FILE *out, const char *label, const char *text)
{
    if (text[0] == '\0')
        return;
    fprintf(out, "  %-9s", label);
    print_safe(out, text);
    fputc('\n', out);
}

static void print_step(FILE *out, const struct ctl_step *s)
{
    fprintf(out, "  %6llu.%03llu s  ", (unsigned long long)(s->at / 1000), (unsigned long long)(s->at % 1000));
    print_safe(out, s->sentence);
    fputc('\n', out);
    if (s->detail[0] != '\0') {
        fprintf(out, "%16s", "");
        print_safe(out, s->detail);
        fputc('\n', out);
    }
}

static void print_attempt(FILE *out, const struct ctl_attempt *a)
{
    char when[TEXT_MAX];
    bool stopped = a->cause[0] != '\0' && strcmp(a->cause, "none") != 0;
    print_safe(out, a->user[0] ? a->user : "Somebody");
    fputs(" from ", out);
    print_safe(out, a->peer);
    fprintf(out, ", %s\n", text_time(a->started, when));
    labelled(out, "Reached", a->reached);
    if (stopped) {
        labelled(out, "Stopped", a->why);
        labelled(out, "Helps", a->cure);
    } else {
        labelled(out, "State", a->over ? "It has ended." : "It is under way, or up.");
    }
}

static int print_one(const struct cli *cli, const json_t *json)
{
    struct ctl_attempt a;
    size_t i;
    json_t *one;
    const json_t *steps = json_object_get(json, "steps");
    if (ctl_attempt_read(json, &a) != ERR_OK)
        return call_puzzled(cli);
    print_attempt(cli->io->out, &a);
    if (json_array_size(steps) > 0)
        fputc('\n', cli->io->out);
    json_array_foreach(steps, i, one)
    {
        struct ctl_step s;
        if (ctl_step_read(one, &s) != ERR_OK)
            return call_puzzled(cli);
        print_step(cli->io->out, &s);
    }
    return CLI_OK;
}

static int print_attempts(const struct cli *cli, const json_t *attempts)
{
    size_t i;
    json_t *one;
    int status = CLI_OK;
    if (json_array_size(attempts) == 0 && strcmp(cli->operand, "last") == 0)
        return call_failed(cli, CLI_FAILED, CTL_CODE_NOT_FOUND,
                           "Nobody has tried to connect since the gateway started.");
    if (json_array_size(attempts) == 0)
        return call_failed(
            cli, CLI_FAILED, CTL_CODE_NOT_FOUND,
            "No attempt of \"%s\" is known. If the client did try, its packets have not arrived: look at "
            "its network, and at UDP ports 500 and 4500 on the way.",
            cli->operand);
    json_array_foreach(attempts, i, one)
    {
        if (i > 0)
            fputc('\n', cli->io->out);
        status = print_one(cli, one);
        if (status != CLI_OK)
            break;
    }
    return status;
}

int run_explain(struct cli *cli)
{
    uint64_t attempts = 1;
    json_t *data = NULL;
    const char *text = cli->option[OPTION_ATTEMPTS];
    if (text != NULL && (!number_parse(text, ATTEMPTS_MAX, &attempts) || attempts == 0))
        return command_wrong(cli, "--attempts takes a number from 1 to %d.", ATTEMPTS_MAX);
    struct ctl_request *r = ctl_request_new(CTL_VERB_EXPLAIN);
    if (r == NULL || ctl_set_text(r, CTL_ARG_WHO, cli->operand) != ERR_OK ||
        ctl_set_number(r, CTL_ARG_ATTEMPTS, attempts) != ERR_OK) {
        ctl_request_free(r);
        return call_failed(cli, CLI_FAILED, CTL_CODE_INVALID, "The name must be text in UTF-8.");
    }
    int status = call(cli, r, &data);
    if (status != CLI_OK)
        return status;
    if (cli->json)
        return print_json(cli, data);
    const json_t *list = json_object_get(data, "attempts");
    status = json_is_array(list) ? print_attempts(cli, list) : call_puzzled(cli);
    json_decref(data);
    return status;
}

/* ---- events ---- */

static void member(FILE *out, const char *name, const char *text)
{
    if (text[0] == '\0' || strcmp(text, "none") == 0)
        return;
    fprintf(out, " %s=", name);
    print_safe(out, text);
}

static void print_event(FILE *out, const struct ctl_event *e)
{
    char when[TEXT_MAX];
    time_t t = (time_t)(e->time / 1000);
    struct tm tm;
    if (localtime_r(&t, &tm) == NULL || strftime(when, sizeof when, "%H:%M:%S", &tm) == 0)
        snprintf(when, sizeof when, "?");
    fprintf(out, "%s.%03u ", when, (unsigned)(e->time % 1000));
    print_safe(out, e->type);
    if (e->session != 0)
        fprintf(out, " session=%llu", (unsigned long long)e->session);
    member(out, "user", e->user);
    member(out, "peer", e->peer);
    member(out, "address", e->address);
    member(out, "stage", e->stage);
    member(out, "cause", e->cause);
    if (e->detail[0] != '\0') {
        fputs(": ", out);
        print_safe(out, e->detail);
    }
    fputc('\n', out);
}

static bool on_event(const struct cli *cli, json_t *json)
{
    struct ctl_event e;
    if (cli->json) {
        json_dumpf(json, cli->io->out, JSON_COMPACT);
        fputc('\n', cli->io->out);
    } else if (ctl_event_read(json, &e) == ERR_OK) {
        print_event(cli->io->out, &e);
    }
    return fflush(cli->io->out) == 0;
}

static int print_recent(const struct cli *cli)
{
    json_t *data = NULL, *one;
    size_t i;
    const int status = call(cli, ctl_request_new(CTL_VERB_EVENT_LIST), &data);
    if (status != CLI_OK)
        return status;
    if (cli->json)
        return print_json(cli, data);
    json_array_foreach(json_object_get(data, "events"), i, one)(void) on_event(cli, one);
    json_decref(data);
    return CLI_OK;
}

int run_events(struct cli *cli)
{
    if (cli->option[OPTION_RECENT] != NULL)
        return print_recent(cli);
    return call_events(cli, ctl_request_new(CTL_VERB_EVENTS), on_event);
}
