/* What an engine does, for a person: a line a stage with its time, a spinner where there is a terminal; and for
 * programs, a line of JSON each. */
#include "cli/cli_internal.h"

#include <string.h>

#define RED    "\033[31m"
#define GREEN  "\033[32m"
#define FAINT  "\033[2m"
#define NORMAL "\033[0m"
#define CLEAR  "\r\033[K"
#define ROOM   60 /* columns of the spinner's text: it must stay one line */

static bool spins(const struct show *s)
{
    return s->cli->io->terminal && !s->cli->json;
}

static void paint(const struct show *s, const char *colour)
{
    if (s->cli->io->colour)
        fputs(colour, s->cli->io->out);
}

void show_done(struct show *s)
{
    if (s->spinning)
        fputs(CLEAR, s->cli->io->out);
    s->spinning = false;
    fflush(s->cli->io->out);
}

void show_tick(struct show *s)
{
    static const char shapes[] = "|/-\\";
    char text[ROOM + 1];
    if (!spins(s))
        return;
    snprintf(text, sizeof text, "%.*s", ROOM, s->doing);
    fprintf(s->cli->io->out, CLEAR "  %c ", shapes[s->turns++ % (sizeof shapes - 1)]);
    paint(s, FAINT);
    print_safe(s->cli->io->out, text);
    paint(s, NORMAL);
    fflush(s->cli->io->out);
    s->spinning = true;
}

void show_line(struct show *s, const char *text)
{
    if (s->cli->json)
        return;
    show_done(s);
    print_safe(s->cli->io->out, text);
    fputc('\n', s->cli->io->out);
    fflush(s->cli->io->out);
}

/* ---- text ---- */

static void put_time(const struct show *s, uint64_t ms)
{
    paint(s, FAINT);
    fprintf(s->cli->io->out, "%4llu.%03llu s  ", (unsigned long long)(ms / 1000), (unsigned long long)(ms % 1000));
    paint(s, NORMAL);
}

static void put_step(const struct show *s, const struct ctl_progress *p)
{
    FILE *out = s->cli->io->out;
    put_time(s, p->at);
    print_safe(out, p->sentence);
    if (p->detail[0] != '\0') {
        fputs(" (", out);
        print_safe(out, p->detail);
        fputc(')', out);
    }
    fputc('\n', out);
}

static void put_labelled(FILE *out, const char *label, const char *text, const char *more)
{
    if (text[0] == '\0')
        return;
    fputs(label, out);
    print_safe(out, text);
    if (more[0] != '\0') {
        fputs(" (", out);
        print_safe(out, more);
        fputc(')', out);
    }
    fputc('\n', out);
}

static void put_failure(const struct show *s, const struct ctl_progress *p)
{
    FILE *out = s->cli->io->out;
    char wait[TEXT_MAX];
    put_time(s, p->at);
    paint(s, RED);
    fputs(strcmp(p->type, "lost") == 0 ? "connection lost" : "failed", out);
    paint(s, NORMAL);
    if (p->sentence[0] != '\0') {
        fputs(" at: ", out);
        print_safe(out, p->sentence);
    }
    fputc('\n', out);
    put_labelled(out, "            Why: ", p->why, p->detail);
    put_labelled(out, "            Cure: ", p->cure, "");
    if (p->retry > 0)
        fprintf(out, "            Trying again in %s.\n", text_duration((p->retry + 999) / 1000, wait));
}

static void put_up(const struct show *s, const struct ctl_progress *p)
{
    put_time(s, p->at);
    paint(s, GREEN);
    fputs("connected", s->cli->io->out);
    paint(s, NORMAL);
    fputc('\n', s->cli->io->out);
}

void show_json(const struct show *s, json_t *progress)
{
    FILE *out = s->cli->io->out;
    json_t *line = ctl_data("progress", json_incref(progress));
    json_dumpf(line, out, JSON_COMPACT);
    json_decref(line);
    fputc('\n', out);
    fflush(out);
}

void show_progress(struct show *s, const struct ctl_progress *p)
{
    FILE *out = s->cli->io->out;
    show_done(s);
    if (strcmp(p->type, "step") == 0)
        put_step(s, p);
    else if (strcmp(p->type, "failed") == 0 || strcmp(p->type, "lost") == 0)
        put_failure(s, p);
    else if (strcmp(p->type, "up") == 0)
        put_up(s, p);
    snprintf(s->doing, sizeof s->doing, "%s", p->sentence);
    fflush(out);
}

/* ---- a connection that is there ---- */

static void put_pair(FILE *out, const char *label, const char *text)
{
    if (text[0] == '\0')
        return;
    fprintf(out, "  %-10s ", label);
    print_safe(out, text);
    fputc('\n', out);
}

static void put_counters(FILE *out, const struct ctl_link *l)
{
    char in[TEXT_MAX], out_[TEXT_MAX], rate_in[TEXT_MAX], rate_out[TEXT_MAX];
    fprintf(out, "  %-10s %s in (%s/s), %s out (%s/s)\n", "Carried", text_bytes(l->bytes_in, in),
            text_bytes(l->rate_in, rate_in), text_bytes(l->bytes_out, out_), text_bytes(l->rate_out, rate_out));
}

void show_link(FILE *out, const struct ctl_link *l, bool counters)
{
    char text[1024];
    snprintf(text, sizeof text, "%s (%s)%s", l->server, l->server_address, l->nat ? ", through NAT" : "");
    put_pair(out, "Server", l->server_address[0] ? text : l->server);
    put_pair(out, "Identity", l->server_identity);
    snprintf(text, sizeof text, "%s on %s, MTU %llu", l->address, l->interface, (unsigned long long)l->mtu);
    put_pair(out, "Address", l->address[0] ? text : "");
    put_pair(out, "DNS", l->dns);
    put_pair(out, "Domain", l->domain);
    put_pair(out, "Routes", l->routes);
    snprintf(text, sizeof text, "%s%s%s", l->user, l->user[0] && l->auth[0] ? ", " : "", l->auth);
    put_pair(out, "Login", text);
    snprintf(text, sizeof text, "IKE %s; ESP %s", l->ike, l->esp);
    put_pair(out, "Ciphers", l->esp[0] ? text : "");
    if (!counters)
        return;
    put_counters(out, l);
    put_pair(out, "Log", l->log);
}
