/* Start-up, the loop, and the way down: each step with its own sentence. */
#include "portal/portal_internal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FAREWELL (3 * USEC_SEC) /* for requests that are under way at the end */

static int complain(const char *format, const char *what)
{
    fputs("sekisho-portal: ", stderr);
    fprintf(stderr, format, what);
    fputc('\n', stderr);
    return 1;
}

/* ---- configuration: what is not the portal's is forgotten at once, secrets above all ---- */

static struct config *read_config(const char *file)
{
    struct config_file text;
    struct config_error error = {0};
    struct config *c = NULL;
    char sentence[CONFIG_ERROR_TEXT_MAX];
    enum err e = config_file_read(file, CONFIG_SIZE_MAX, 0, "", &text, &error);
    if (e == ERR_OK) {
        e = config_parse(view_of(text.text, text.n), file, &c, &error);
        config_file_done(&text);
    }
    if (e != ERR_OK)
        complain("%s", config_error_text(&error, sentence));
    return c;
}

static const char *group_of(const struct config *c)
{
    return c->portal.group[0] != '\0' ? c->portal.group : c->control.group;
}

/* ---- the loop ---- */

static usec_t turn(void *ctx, usec_t now)
{
    struct portal *p = ctx;
    usec_t next = streams_turn(p->streams, now);
    next = usec_min(next, gate_turn(p->gate, now));
    next = usec_min(next, http_turn(p, now));
    next = usec_min(next, gate_turn(p->gate, now)); /* what the daemon has asked goes out now */
    return p->again ? now : next;
}

static void on_signal(void *ctx, uint32_t what)
{
    (void)what;
    struct portal *p = ctx;
    if (signals_read(p->signals) != 0)
        loop_stop(p->loop);
}

/* No connection may be set aside when the daemon stops: questions are answered or late by then. */
static void say_farewell(struct portal *p)
{
    const usec_t end = clock_now() + FAREWELL;
    p->ending = true;
    while (p->suspended > 0 && clock_now() < end)
        (void)loop_once(p->loop, 50 * USEC_MSEC);
    gate_drop(p->gate);
    (void)loop_once(p->loop, 0);
}

/* ---- the ladder ---- */

/* "vpn.example.com" of "https://vpn.example.com:8443". */
static void read_host(struct portal *p, const struct config *c)
{
    if (c->portal.url[0] == '\0')
        return;
    const char *host = c->portal.url + strlen("https://");
    const bool bracket = host[0] == '[';
    snprintf(p->host, sizeof p->host, "%.*s", (int)strcspn(host + bracket, bracket ? "]" : ":"), host + bracket);
}

static bool make_parts(struct portal *p, const struct config *c)
{
    p->loop = loop_new();
    if (p->loop == NULL)
        return false;
    read_host(p, c);
    p->api = c->portal.api;
    entropy_init(&p->entropy);
    p->random = entropy_random(&p->entropy);
    logins_init(&p->logins, &p->random, c->portal.idle * USEC_SEC, c->portal.longest * USEC_SEC);
    rate_init(&p->rate, &p->random);
    p->gate = gate_new(p->loop, c->control.socket);
    p->streams = streams_new(p);
    return p->gate != NULL && p->streams != NULL;
}

static int listen_on(struct portal *p, const struct config *c)
{
    struct papers papers;
    char why[CONFIG_ERROR_TEXT_MAX + 64] = "";
    static const int signals[] = {SIGINT, SIGTERM};
    enum err e = papers_open(c, &papers, why, sizeof why);
    if (e == ERR_OK) {
        e = http_start(p, c, &papers, why, sizeof why);
        papers_done(&papers);
    }
    if (e != ERR_OK)
        return complain("%s", why);
    if (signals_open(signals, ARRAY_LEN(signals), &p->signals) != ERR_OK ||
        loop_add(p->loop, p->signals, LOOP_READ, on_signal, p) != ERR_OK)
        return complain("cannot take signals: %s", strerror(errno));
    loop_on_turn(p->loop, turn, p);
    return 0;
}

static int give_rights_away(const struct config *c)
{
    const char *group = group_of(c);
    if (strcmp(c->portal.user, "root") != 0) {
        if (geteuid() == 0 && group[0] == '\0')
            return complain("%s",
                            "set 'control.group' to a group that may use the control socket; the portal becomes it");
        const enum err e = privilege_drop(c->portal.user, group[0] != '\0' ? group : NULL, 0);
        if (e == ERR_NOTFOUND)
            return complain("there is no user '%s', or not its group; make them, or set 'portal.user'", c->portal.user);
        if (e != ERR_OK)
            return complain("cannot give rights away: %s", strerror(errno));
    }
    if (SANDBOXED && sandbox_enter(SANDBOX_PORTAL, SANDBOX_KILL) == ERR_SYSTEM)
        return complain("cannot enter the sandbox: %s", strerror(errno));
    return 0;
}

static int start(struct portal *p, const struct config *c)
{
    int status = make_parts(p, c) ? 0 : complain("%s", "out of memory");
    if (status == 0)
        status = listen_on(p, c);
    if (status == 0)
        status = give_rights_away(c);
    if (status == 0)
        fprintf(stderr, "sekisho-portal: serving on TCP port %u\n", c->portal.port);
    return status;
}

static int serve(struct portal *p)
{
    (void)notify_service("READY=1");
    const int status = loop_run(p->loop) == ERR_OK ? 0 : complain("cannot go on: %s", strerror(errno));
    (void)notify_service("STOPPING=1");
    say_farewell(p);
    return status;
}

static void close_all(struct portal *p)
{
    http_stop(p);
    streams_free(p->streams);
    gate_free(p->gate);
    logins_done(&p->logins);
    entropy_done(&p->entropy);
    if (p->signals > 0)
        close(p->signals);
    loop_free(p->loop);
    free(p);
}

int portal_run(const char *file)
{
    (void)memory_protect(); /* without the right to lock memory it goes on */
    struct config *c = read_config(file);
    struct portal *p = c != NULL ? calloc(1, sizeof *p) : NULL;
    if (p == NULL) {
        config_free(c);
        return 1;
    }
    int status = start(p, c);
    config_free(c);
    if (status == 0)
        status = serve(p);
    close_all(p);
    return status;
}
