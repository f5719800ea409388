/* The log: one line an event on standard error, as text or JSON; the same as events on the control socket. */
#include "router/router_internal.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define ID_MAX 24

static void timestamp(char out[static 32])
{
    const time_t now = (time_t)clock_wall();
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static const char *id_text(const struct log_line *line, char out[static ID_MAX])
{
    snprintf(out, ID_MAX, line->ike ? "%016llx" : "%08llx", (unsigned long long)line->id);
    return out;
}

struct field {
    const char *name, *value;
};

#define FIELDS_MAX 8

/* The fields that a line has; their text lies in room. */
static size_t fields_of(const struct log_line *line, char room[static 3][IP_TEXT_MAX], char id[static ID_MAX],
                        struct field out[static FIELDS_MAX])
{
    const struct {
        const char *name;
        uint32_t address;
    } addresses[] = {{"host", line->host}, {"before", line->before}, {"server", line->server}};
    size_t n = 0;
    if (line->way)
        out[n++] = (struct field){"way", line->way};
    if (line->id)
        out[n++] = (struct field){line->ike ? "cookie" : "spi", id_text(line, id)};
    for (size_t i = 0; i < ARRAY_LEN(addresses); i++)
        if (addresses[i].address) {
            const struct ip_addr a = ip4_addr(addresses[i].address);
            out[n++] = (struct field){addresses[i].name, ip_text(&a, room[i])};
        }
    if (line->cause)
        out[n++] = (struct field){"cause", line->cause};
    return n;
}

/* systemd's journal has the time, and reads the level from the number of syslog(3). */
static void write_opening(enum log_form form, const char *when, const struct log_line *line)
{
    const char priority = strcmp(line->level, "error") == 0 ? '3' : strcmp(line->level, "warning") == 0 ? '4' : '6';
    if (form == LOG_JOURNAL)
        fprintf(stderr, "<%c>%s", priority, line->type);
    else
        fprintf(stderr, "%s %s %s", when, line->level, line->type);
}

void log_write(enum log_form form, const struct log_line *line)
{
    char when[32], room[3][IP_TEXT_MAX], id[ID_MAX];
    struct field fields[FIELDS_MAX];
    const size_t n = fields_of(line, room, id, fields);
    timestamp(when);
    if (form != LOG_JSON) {
        write_opening(form, when, line);
        for (size_t i = 0; i < n; i++)
            fprintf(stderr, " %s=%s", fields[i].name, fields[i].value);
        fprintf(stderr, "%s%s\n", line->text ? ": " : "", line->text ? line->text : "");
        return;
    }
    json_t *object = json_pack("{s:s, s:s, s:s}", "time", when, "level", line->level, "type", line->type);
    if (!object)
        return;
    for (size_t i = 0; i < n; i++)
        json_object_set_new(object, fields[i].name, json_string(fields[i].value));
    if (line->text)
        json_object_set_new(object, "text", json_string(line->text));
    json_dumpf(object, stderr, JSON_COMPACT);
    fputc('\n', stderr);
    json_decref(object);
}

char *log_event_line(const struct log_line *line)
{
    char room[3][IP_TEXT_MAX], id[ID_MAX];
    struct field fields[FIELDS_MAX];
    struct ctl_event event = {.time = (uint64_t)clock_wall() * 1000};
    const size_t n = fields_of(line, room, id, fields);
    view_copy_text(event.type, sizeof(event.type), view_str(line->type));
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(fields[i].name, "host") == 0)
            view_copy_text(event.address, sizeof(event.address), view_str(fields[i].value));
        else if (strcmp(fields[i].name, "server") == 0)
            view_copy_text(event.peer, sizeof(event.peer), view_str(fields[i].value));
        else if (strcmp(fields[i].name, "cause") == 0)
            view_copy_text(event.cause, sizeof(event.cause), view_str(fields[i].value));
        else
            at += (size_t)snprintf(event.detail + at, sizeof(event.detail) - at, "%s%s=%s", at > 0 ? " " : "",
                                   fields[i].name, fields[i].value);
    }
    if (line->text)
        snprintf(event.detail + at, sizeof(event.detail) - at, "%s%.200s", at > 0 ? ": " : "", line->text);
    return ctl_event_line(ctl_event_json(&event));
}
