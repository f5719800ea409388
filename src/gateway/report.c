/* The event stream: one line an event on standard error, as text or JSON, with session, user, peer and stage. */
#include "gateway/gateway_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define TEXT_MAX 512

static const char *const level_words[] = {"error", "warning", "info", "debug"};

static void timestamp(char out[static 32])
{
    const time_t now = (time_t)clock_wall();
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* A value with blanks, quotes or an equals sign in it, as a peer may choose its user name, must not pass for other
 * fields. */
static void field(FILE *out, const char *name, const char *value)
{
    if (!value || !value[0])
        return;
    fprintf(out, " %s=", name);
    if (!strpbrk(value, " \"\\=")) {
        fputs(value, out);
        return;
    }
    fputc('"', out);
    for (; *value; value++)
        fprintf(out, *value == '"' || *value == '\\' ? "\\%c" : "%c", *value);
    fputc('"', out);
}

static void write_text(const struct report_line *line, bool journal)
{
    static const char priorities[] = {'3', '4', '6', '7'}; /* of syslog(3), by level */
    char when[32];
    if (journal) {
        fprintf(stderr, "<%c>%s", priorities[line->level], line->type);
    } else {
        timestamp(when);
        fprintf(stderr, "%s %s %s", when, level_words[line->level], line->type);
    }
    if (line->session)
        fprintf(stderr, " session=%llu", (unsigned long long)line->session);
    field(stderr, "user", line->user);
    field(stderr, "peer", line->peer);
    field(stderr, "stage", line->stage);
    field(stderr, "cause", line->cause);
    fprintf(stderr, "%s%s\n", line->text && line->text[0] ? ": " : "", line->text ? line->text : "");
}

static void write_json(const struct report_line *line)
{
    char when[32];
    timestamp(when);
    json_t *json = json_pack("{s:s, s:s, s:s}", "time", when, "level", level_words[line->level], "type", line->type);
    const struct {
        const char *name, *value;
    } fields[] = {{"user", line->user},
                  {"peer", line->peer},
                  {"stage", line->stage},
                  {"cause", line->cause},
                  {"text", line->text}};
    if (!json)
        return;
    if (line->session)
        json_object_set_new(json, "session", json_integer((json_int_t)line->session));
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (fields[i].value && fields[i].value[0])
            json_object_set_new(json, fields[i].name, json_string(fields[i].value));
    json_dumpf(json, stderr, JSON_COMPACT);
    fputc('\n', stderr);
    json_decref(json);
}

void report_write(const struct report *report, const struct report_line *line)
{
    if (line->level > report->level)
        return;
    if (report->format == CONFIG_LOG_JSON)
        write_json(line);
    else
        write_text(line, report->journal);
}

void report_say(const struct report *report, enum config_log_level level, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    report_write(report, &(struct report_line){.level = level, .type = "gateway", .text = text});
}
