/* An engine at work, watched until its connection is up, has failed, or the caller has seen enough. */
#include "cli/cli_internal.h"

#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS 120 /* of the spinner */

struct watch {
    struct talk talk;
    struct show show;
    const char *name, *path;
    bool ours;        /* an interruption ends the engine too */
    bool up;          /* it has been */
    bool interrupted; /* the engine was told to end */
    bool over;        /* "ended" has come */
    int status;
};

/* Of a cause's word. */
static int exit_status(const char *cause)
{
    for (int i = 1; i < CAUSE_COUNT; i++)
        if (strcmp(cause_word((enum cause)i), cause) == 0)
            return cause_exit_status((enum cause)i);
    return CLI_FAILED;
}

/* ---- what the engine tells ---- */

static void tell_up(struct watch *w)
{
    const struct cli *cli = w->show.cli;
    struct ctl_link link;
    struct ctl_error e;
    char line[PROFILE_NAME_MAX + 64];
    w->up = true;
    if (engine_link(w->path, &link, &e) != TALK_LINE)
        return;
    show_done(&w->show);
    if (cli->json) {
        json_t *data = ctl_data("link", ctl_link_json(&link));
        json_dumpf(data, cli->io->out, JSON_COMPACT);
        json_decref(data);
        fputc('\n', cli->io->out);
        return;
    }
    show_link(cli->io->out, &link, false);
    if (cli->option[OPTION_FOREGROUND] == NULL) {
        snprintf(line, sizeof line, "Disconnect with: sekisho disconnect %s", w->name);
        show_line(&w->show, line);
    }
}

static void tell_engine(struct watch *w, const char *answer)
{
    struct talk t;
    struct ctl_error e;
    json_t *data = NULL;
    struct ctl_request *request = ctl_request_new(CTL_VERB_CLIENT_ANSWER);
    if (request == NULL || ctl_set_text(request, CTL_ARG_ANSWER, answer) != ERR_OK || talk_open(&t, w->path) != 0) {
        ctl_request_free(request);
        return;
    }
    if (talk_ask(&t, request, &data, &e) == TALK_REFUSED)
        show_line(&w->show, e.sentence);
    json_decref(data);
    talk_close(&t);
}

static void give_up(struct watch *w, const char *question)
{
    struct talk t;
    struct ctl_error e;
    w->status = call_failed(w->show.cli, CLI_USAGE, CTL_CODE_INVALID,
                            "The server asks \"%s\", and there is no terminal to answer at.", question);
    w->over = w->interrupted = true;
    if (!w->ours || talk_open(&t, w->path) != 0)
        return;
    (void)engine_end(&t, &e);
    talk_close(&t);
}

/* An interruption while the user types is seen by the loop, as at any other time. */
static void ask_user(struct watch *w, const json_t *json, const struct ctl_progress *p)
{
    char line[PASSWORD_MAX] = "", text[QUESTION_TEXT_MAX];
    struct pollfd interrupted = {.fd = w->show.cli->signals, .events = POLLIN};
    question_text(json, p, text);
    show_done(&w->show);
    if (password_ask(text, true, line))
        tell_engine(w, line);
    else if (poll(&interrupted, 1, 0) <= 0 && !w->show.cli->json)
        give_up(w, p->detail); /* a program may answer by the verb client.answer */
    bytes_wipe(line, sizeof line);
}

static void take(struct watch *w, json_t *json)
{
    struct ctl_progress p;
    if (ctl_progress_read(json, &p) != ERR_OK)
        return;
    w->over = strcmp(p.type, "ended") == 0;
    if (w->over || (w->interrupted && strcmp(p.type, "step") != 0))
        return;
    if (w->show.cli->json)
        show_json(&w->show, json);
    else
        show_progress(&w->show, &p);
    if (strcmp(p.type, "prompt") == 0)
        ask_user(w, json, &p);
    if (strcmp(p.type, "up") == 0)
        tell_up(w);
    bool final = (strcmp(p.type, "failed") == 0 || strcmp(p.type, "lost") == 0) && p.retry == 0;
    if (final)
        w->status = exit_status(p.cause);
}

static bool is_prompt(const json_t *json)
{
    const char *type = json_string_value(json_object_get(json, "type"));
    return type != NULL && strcmp(type, "prompt") == 0;
}

/* What the attempt has told before we listened; an engine that was up before tells it by its state alone. */
static void catch_up(struct watch *w, const json_t *data)
{
    struct ctl_link link = {0};
    size_t i;
    json_t *one;
    const json_t *told = json_object_get(data, "progress");
    json_array_foreach(told, i, one) if (i + 1 == json_array_size(told) || !is_prompt(one))
        take(w, one); /* what was asked before the last thing that happened has its answer */
    if (!w->up && ctl_link_read(json_object_get(data, "link"), &link) == ERR_OK && strcmp(link.state, "up") == 0)
        tell_up(w);
}

/* ---- interruptions ---- */

/* The reply would come when all is undone; the events say so too, and we listen to them already. */
static void interrupt(struct watch *w)
{
    struct talk t;
    struct ctl_error e;
    bool foreground = w->show.cli->option[OPTION_FOREGROUND] != NULL;
    w->status = w->up && foreground ? CLI_OK : CLI_INTERRUPTED;
    if (w->interrupted || !w->ours) {
        w->over = true;
        return;
    }
    w->interrupted = true;
    show_line(&w->show, w->up ? "Disconnecting." : "Interrupted; what was begun is undone.");
    if (talk_open(&t, w->path) != 0)
        return;
    if (engine_end(&t, &e) == TALK_REFUSED)
        show_line(&w->show, e.sentence);
    talk_close(&t);
    w->over = true;
}

static void wait_for_more(struct watch *w)
{
    struct signalfd_siginfo signal;
    struct pollfd p[] = {{.fd = w->talk.fd, .events = POLLIN}, {.fd = w->show.cli->signals, .events = POLLIN}};
    int ready = poll(p, ARRAY_LEN(p), w->show.cli->io->terminal && !w->up ? TICK_MS : -1);
    if (ready == 0)
        show_tick(&w->show);
    if (ready > 0 && p[1].revents != 0 && read(w->show.cli->signals, &signal, sizeof signal) == sizeof signal)
        interrupt(w);
}

/* ---- the loop ---- */

static int lost_engine(struct watch *w)
{
    show_done(&w->show);
    return engine_lost(w->show.cli, w->name);
}

static int watch(struct watch *w)
{
    bool stay = w->show.cli->option[OPTION_FOREGROUND] != NULL;
    while (!w->over && (!w->up || stay)) {
        json_t *event = NULL;
        struct ctl_error e;
        enum talk_result result = talk_next(&w->talk, 0, &event, &e);
        if (result == TALK_SILENT)
            wait_for_more(w);
        else if (result == TALK_LINE)
            take(w, event);
        else if (result == TALK_CLOSED)
            return w->interrupted || w->status != CLI_OK ? w->status : lost_engine(w);
        else
            return call_failed(w->show.cli, CLI_FAILED, e.code, "%s", e.sentence);
        json_decref(event);
    }
    show_done(&w->show);
    return w->status;
}

/* An engine that has failed closes the socket when all is undone. */
static void wait_for_end(struct watch *w)
{
    json_t *event = NULL;
    struct ctl_error e;
    while (w->over && !w->interrupted && w->ours && talk_next(&w->talk, TALK_PATIENCE_MS, &event, &e) == TALK_LINE) {
        json_decref(event);
        event = NULL;
    }
}

static int begin(struct watch *w)
{
    json_t *data = NULL;
    struct ctl_error e = {CTL_CODE_FAILED, "The engine does not answer."};
    enum talk_result result = talk_ask(&w->talk, ctl_request_new(CTL_VERB_EVENTS), &data, &e);
    if (result != TALK_LINE)
        return call_failed(w->show.cli, CLI_NO_GATEWAY, e.code, "%s", e.sentence);
    catch_up(w, data);
    json_decref(data);
    int status = watch(w);
    wait_for_end(w);
    return status;
}

int follow(const struct cli *cli, const char *name, const char *path, bool ours)
{
    struct watch w = {.show = {.cli = cli}, .name = name, .path = path, .ours = ours};
    snprintf(w.show.doing, sizeof w.show.doing, "looking for the server");
    if (talk_open(&w.talk, path) != 0)
        return call_failed(cli, CLI_NO_GATEWAY, "no-engine", "The connection's engine does not answer at %s.", path);
    int status = begin(&w);
    talk_close(&w.talk);
    return status;
}
