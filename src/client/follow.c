/* Tells what happens: a line each on stderr, to whoever listens on the control socket, and to systemd. */
#include "client/client_internal.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define LINE_MAX_BYTES 2048

/* ---- the log ---- */

static void put_json_text(FILE *f, const char *key, const char *text)
{
    fprintf(f, ",\"%s\":\"", key);
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\')
            fputc('\\', f);
        fputc((unsigned char)*p < 0x20 ? ' ' : *p, f);
    }
    fputc('"', f);
}

static void write_json(const struct ctl_progress *p)
{
    fprintf(stderr, "{\"time\":%llu,\"at\":%llu", (unsigned long long)p->time, (unsigned long long)p->at);
    const struct {
        const char *key, *text;
    } fields[] = {{"type", p->type},   {"stage", p->stage}, {"sentence", p->sentence}, {"detail", p->detail},
                  {"cause", p->cause}, {"why", p->why},     {"cure", p->cure},         {"address", p->address}};
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (fields[i].text[0])
            put_json_text(stderr, fields[i].key, fields[i].text);
    if (p->retry)
        fprintf(stderr, ",\"retry\":%llu", (unsigned long long)p->retry);
    fputs("}\n", stderr);
}

static void write_text(const struct ctl_progress *p)
{
    fprintf(stderr, "+%llu.%03llu s  ", (unsigned long long)(p->at / 1000), (unsigned long long)(p->at % 1000));
    const bool bad = strcmp(p->type, "lost") == 0 || strcmp(p->type, "failed") == 0;
    if (bad)
        fprintf(stderr, "%s at: %s", p->type, p->sentence);
    else if (strcmp(p->type, "step") == 0)
        fprintf(stderr, "%s", p->sentence);
    else
        fprintf(stderr, "%s", p->type);
    if (p->detail[0])
        fprintf(stderr, " (%s)", p->detail);
    if (bad)
        fprintf(stderr, "  Why: %s  Cure: %s", p->why, p->cure);
    if (p->retry)
        fprintf(stderr, "  Again in %llu.%llu s.", (unsigned long long)(p->retry / 1000),
                (unsigned long long)(p->retry % 1000 / 100));
    fputc('\n', stderr);
}

static bool is_wanted(const char *level, const char *type)
{
    const bool failed = strcmp(type, "failed") == 0;
    if (level && strcmp(level, "error") == 0)
        return failed;
    if (level && strcmp(level, "warning") == 0)
        return failed || strcmp(type, "lost") == 0 || strcmp(type, "note") == 0;
    return true;
}

static void write_log(const struct engine *engine, const struct ctl_progress *p)
{
    if (!is_wanted(engine->options->log_level, p->type))
        return;
    const bool in_file = engine->options->log_file != NULL;
    if (in_file && !engine->options->json)
        log_stamp();
    if (engine->options->json)
        write_json(p);
    else
        write_text(p);
    fflush(stderr);
    if (in_file)
        log_trim();
}

/* ---- progress ---- */

static const char *type_of(const struct engine *engine, const struct sekisho_event *event)
{
    switch (event->type) {
    case SEKISHO_STEP:
        return "step";
    case SEKISHO_PROMPT:
        return "prompt";
    case SEKISHO_UP:
        return "up";
    case SEKISHO_LOST:
        return engine->up_since ? "lost" : "failed";
    case SEKISHO_FAILED:
        return "failed";
    case SEKISHO_ENDED:
        break;
    }
    return "ended";
}

static uint64_t wall_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void up_text(const struct engine *engine, const struct sekisho_network *n, char *out, size_t cap)
{
    int at = snprintf(out, cap, "address %s, gateway %s, interface %s, MTU %u", n->address, n->peer,
                      tun_name(engine->tun), n->mtu);
    for (uint32_t i = 0; i < n->dns_count && at > 0 && (size_t)at < cap; i++)
        at += snprintf(out + at, cap - (size_t)at, ", DNS server %s", n->dns[i]);
}

static struct ctl_grid grid_of(const struct sekisho_event *event)
{
    const struct sekisho_grid *g = &event->grid;
    if (event->type != SEKISHO_PROMPT || g->cells[0] == '\0')
        return (struct ctl_grid){0};
    struct ctl_grid out = {
        .blocks = g->blocks, .rows = g->rows, .columns = g->columns, .expires = (uint64_t)clock_wall() + g->seconds};
    snprintf(out.number, sizeof(out.number), "%u", g->number);
    snprintf(out.cells, sizeof(out.cells), "%s", g->cells);
    return out;
}

json_t *follow_json(const struct told *told)
{
    json_t *json = ctl_progress_json(&told->progress);
    if (json && told->grid.cells[0])
        json_object_set_new(json, "grid", ctl_grid_json(&told->grid));
    return json;
}

/* Why a name was not found, when it is no fault of the name. */
static const char *unasked(const struct engine *engine, const struct sekisho_event *event)
{
    return strcmp(event->cause, cause_word(CAUSE_NAME_UNKNOWN)) == 0 ? engine->unasked : "";
}

static struct ctl_progress progress_of(const struct engine *engine, const struct sekisho_event *event)
{
    struct ctl_progress p = {.time = wall_ms(), .at = event->at_ms, .retry = event->retry_ms, .round = event->round};
    view_copy_text(p.type, sizeof(p.type), view_str(type_of(engine, event)));
    view_copy_text(p.stage, sizeof(p.stage), view_str(event->stage));
    view_copy_text(p.sentence, sizeof(p.sentence), view_str(event->sentence));
    view_copy_text(p.detail, sizeof(p.detail), view_str(event->detail[0] ? event->detail : unasked(engine, event)));
    view_copy_text(p.cause, sizeof(p.cause), view_str(event->cause[0] ? event->cause : "none"));
    view_copy_text(p.why, sizeof(p.why), view_str(event->why));
    view_copy_text(p.cure, sizeof(p.cure), view_str(event->cure));
    if (event->type == SEKISHO_UP) {
        view_copy_text(p.address, sizeof(p.address), view_str(event->network.address));
        up_text(engine, &event->network, p.detail, sizeof(p.detail));
    }
    return p;
}

/* An attempt begins with an empty page. */
static void remember(struct engine *engine, const struct told *told, bool fresh)
{
    if (fresh)
        engine->told_count = 0;
    if (engine->told_count < CLIENT_TOLD_MAX)
        engine->told[engine->told_count++] = *told;
}

static void spread(struct engine *engine, const struct told *told)
{
    write_log(engine, &told->progress);
    if (!engine->control)
        return;
    char *line = ctl_event_line(follow_json(told));
    control_tell(engine->control, line);
    ctl_line_free(line);
}

void follow_say(const struct engine *engine, const char *type, const char *text)
{
    struct ctl_progress p = {.time = wall_ms()};
    view_copy_text(p.type, sizeof(p.type), view_str(type));
    view_copy_text(p.detail, sizeof(p.detail), view_str(text));
    write_log(engine, &p);
}

/* ---- systemd ---- */

/* What is done while it is up, such as rekeying, is no connecting. */
static void tell_service(const struct engine *engine, const struct sekisho_event *event)
{
    if (event->type == SEKISHO_STEP && engine->up_since)
        return;
    char text[LINE_MAX_BYTES];
    switch (event->type) {
    case SEKISHO_STEP:
        snprintf(text, sizeof(text), "STATUS=Connecting: %s", event->sentence);
        break;
    case SEKISHO_PROMPT:
        snprintf(text, sizeof(text), "STATUS=Waiting for an answer to: %s", event->detail);
        break;
    case SEKISHO_UP:
        snprintf(text, sizeof(text), "READY=1\nSTATUS=Connected, address %s", event->network.address);
        break;
    case SEKISHO_LOST:
    case SEKISHO_FAILED:
        snprintf(text, sizeof(text), "STATUS=%s %s", event->why, event->cure);
        break;
    case SEKISHO_ENDED:
        snprintf(text, sizeof(text), "STOPPING=1\nSTATUS=Ending");
        break;
    }
    notify_service(text);
}

/* ---- events ---- */

static void make_host(struct engine *engine, const struct sekisho_network *network)
{
    char why[STEWARD_WHY];
    host_plan(&engine->options->wishes, network, &engine->plan);
    const enum err e = steward_apply(engine->steward, &engine->plan, why);
    engine->applied = e == ERR_OK;
    engine->lookups = false;
    if (why[0])
        follow_say(engine, e == ERR_OK ? "note" : "failed", why);
    if (e == ERR_OK)
        return;
    memcpy(engine->problem, why, sizeof(engine->problem));
    engine->status = EXIT_OTHER;
    sekisho_disconnect(engine->sekisho);
}

void follow(struct engine *engine, const struct sekisho_event *event)
{
    const struct told told = {progress_of(engine, event), grid_of(event)};
    if (event->type == SEKISHO_UP)
        make_host(engine, &event->network);
    spread(engine, &told);
    const bool fresh = event->type == SEKISHO_STEP && strcmp(event->stage, "ike-1") == 0 && event->detail[0];
    remember(engine, &told, fresh);
    if (fresh)
        host_try(engine, event->network.server);
    tell_service(engine, event);
    switch (event->type) {
    case SEKISHO_UP:
        engine->up_since = engine->up_since ? engine->up_since : clock_wall();
        engine->retry_at = 0;
        break;
    case SEKISHO_LOST:
        /* The first attempt after a loss is made with the address that is known. If that is wrong, the server's name
         * has to be looked up, and the tunnel's name servers are not there; the host's may be others each time. */
        host_again(engine, engine->up_since == 0);
        engine->up_since = 0;
        engine->retry_at = clock_wall() + (event->retry_ms + 999) / 1000;
        break;
    case SEKISHO_FAILED:
        engine->up_since = 0;
        engine->retry_at = 0;
        engine->status = event->status;
        break;
    case SEKISHO_ENDED:
        client_end(engine);
        break;
    case SEKISHO_STEP:
    case SEKISHO_PROMPT:
        engine->retry_at = 0;
        break;
    }
}
