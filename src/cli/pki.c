/* sekisho pki: init, issue, revoke, list. The directory is described in authority.c. */
#include "cli/cli_internal.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DAY           ((int64_t)86400)
#define YEARS_DEFAULT 10
#define YEARS_MAX     50
#define DAYS_DEFAULT  825 /* the longest that Apple's systems take for a server */
#define DAYS_MAX      7300

/* ---- words of the command line ---- */

static int take_number(const struct cli *cli, enum option option, const char *word, uint64_t max, uint64_t fallback,
                       uint64_t *out)
{
    const char *text = cli->option[option];
    *out = fallback;
    if (text != NULL && (!number_parse(text, max, out) || *out == 0))
        return command_wrong(cli, "--%s takes a number from 1 to %llu.", word, (unsigned long long)max);
    return CLI_OK;
}

static int take_kind(const struct cli *cli, enum pki_kind *out)
{
    static const char *const words[] = {"rsa2048", "rsa3072", "rsa4096", "p256", "p384"};
    const char *text = cli->option[OPTION_KEY] != NULL ? cli->option[OPTION_KEY] : "rsa3072";
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(words[i], text) == 0) {
            *out = (enum pki_kind)i;
            return CLI_OK;
        }
    return command_wrong(cli, "--key can be one of rsa2048, rsa3072, rsa4096, p256, p384.");
}

static int take_role(const struct cli *cli, struct pki_plan *plan)
{
    const char *role = cli->option[OPTION_FOR] != NULL ? cli->option[OPTION_FOR] : "";
    plan->server = strcmp(role, "server") == 0 || strcmp(role, "both") == 0;
    plan->client = strcmp(role, "client") == 0 || strcmp(role, "both") == 0;
    if (plan->server || plan->client)
        return CLI_OK;
    return command_wrong(cli, "Say whom it is for: --for server, --for client or --for both.");
}

/* ---- init ---- */

static int write_urls(const struct cli *cli, const struct store *s)
{
    char text[2 * PKI_URL_MAX];
    const char *crl = cli->option[OPTION_CRL_URL], *ocsp = cli->option[OPTION_OCSP_URL];
    if ((crl != NULL && strlen(crl) >= PKI_URL_MAX) || (ocsp != NULL && strlen(ocsp) >= PKI_URL_MAX))
        return command_wrong(cli, "The addresses are too long.");
    int n = snprintf(text, sizeof text, "%s\n%s\n", crl != NULL ? crl : "", ocsp != NULL ? ocsp : "");
    return store_write(cli, s, "urls", 0644, view_of(text, (size_t)n));
}

/* The certificate comes last: where it is, everything is. */
static int write_ca(const struct cli *cli, const struct store *s, const struct pki_ca *ca)
{
    struct pki_bytes certificate = {0}, key = {0};
    const struct revoked none = {0};
    int status = pki_ca_pem(ca, &certificate, &key) == ERR_OK
                     ? CLI_OK
                     : call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "There is not enough memory.");
    if (status == CLI_OK)
        status = write_urls(cli, s);
    if (status == CLI_OK)
        status = authority_write_crl(cli, s, ca, &none);
    if (status == CLI_OK)
        status = store_write(cli, s, "private/ca.key", 0600, pki_bytes_view(&key));
    if (status == CLI_OK)
        status = store_write(cli, s, "ca.pem", 0644, pki_bytes_view(&certificate));
    pki_bytes_free(&certificate);
    pki_bytes_free(&key);
    return status;
}

static int make_ca(const struct cli *cli, const struct store *s, const struct pki_ca_plan *plan)
{
    struct pki_ca *ca = NULL;
    char why[PKI_WHY_MAX], until[TEXT_MAX];
    if (store_has(s, "ca.pem"))
        return call_failed(cli, CLI_FAILED, "exists", "There is an authority in %s already. Nothing was changed.",
                           s->path);
    if (pki_ca_make(plan, &ca, why) != ERR_OK)
        return call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "The authority cannot be made. %s", why);
    int status = write_ca(cli, s, ca);
    pki_ca_free(ca);
    if (status != CLI_OK)
        return status;
    if (cli->json)
        return print_json(cli, json_pack("{s:s, s:s, s:I}", "name", plan->name, "directory", s->path, "until",
                                         (json_int_t)plan->until));
    fprintf(cli->io->out, "The authority \"%s\" was made in %s; it is good until %s.\n", plan->name, s->path,
            text_time((uint64_t)plan->until, until));
    fprintf(cli->io->out, "Keep %s/private to yourself. Next: sekisho pki issue HOST --for server\n", s->path);
    return CLI_OK;
}

int run_pki_init(struct cli *cli)
{
    struct store s;
    struct pki_ca_plan plan = {.name = cli->operand, .from = time(NULL) - BACKDATED};
    uint64_t years;
    int status = take_number(cli, OPTION_YEARS, "years", YEARS_MAX, YEARS_DEFAULT, &years);
    if (status == CLI_OK)
        status = take_kind(cli, &plan.kind);
    if (status == CLI_OK)
        status = store_open(cli, true, &s);
    if (status != CLI_OK)
        return status;
    plan.until = time(NULL) + (int64_t)years * 365 * DAY;
    status = make_ca(cli, &s, &plan);
    store_close(&s);
    return status;
}

/* ---- issue ---- */

struct wish {
    struct pki_plan plan;
    char *words, *urls; /* what the plan points into */
    const char *sans[PKI_SANS_MAX];
};

/* Without --san a server is called what its name says. */
static int take_sans(const struct cli *cli, struct wish *w)
{
    const char *text = cli->option[OPTION_SAN];
    bool host = strchr(cli->operand, '.') != NULL || strchr(cli->operand, '@') != NULL;
    if (text == NULL && (!w->plan.server || !host)) {
        if (w->plan.server)
            return command_wrong(cli, "A server needs the name or address by which clients call it: --san HOST");
        return CLI_OK;
    }
    w->words = strdup(text != NULL ? text : cli->operand);
    for (char *rest = w->words, *one; rest != NULL && (one = strsep(&rest, ",")) != NULL;) {
        if (w->plan.san_count == PKI_SANS_MAX)
            return command_wrong(cli, "There are more than %d names.", PKI_SANS_MAX);
        w->sans[w->plan.san_count++] = one;
    }
    w->plan.sans = w->sans;
    return CLI_OK;
}

static int take_urls(const struct cli *cli, const struct store *s, struct wish *w)
{
    struct pki_bytes file = {0};
    int status = store_has(s, "urls") ? store_read(cli, s, "urls", &file) : CLI_OK;
    w->urls = file.p; /* freed by wish_done() */
    if (status == CLI_OK && w->urls != NULL) {
        char *rest = w->urls, *crl = strsep(&rest, "\n"), *ocsp = rest != NULL ? strsep(&rest, "\n") : NULL;
        w->plan.crl_url = crl[0] != '\0' ? crl : NULL;
        w->plan.ocsp_url = ocsp != NULL && ocsp[0] != '\0' ? ocsp : NULL;
    }
    if (cli->option[OPTION_CRL_URL] != NULL)
        w->plan.crl_url = cli->option[OPTION_CRL_URL];
    if (cli->option[OPTION_OCSP_URL] != NULL)
        w->plan.ocsp_url = cli->option[OPTION_OCSP_URL];
    return status;
}

static void wish_done(struct wish *w)
{
    free(w->words);
    free(w->urls);
}

/* One that is good still is not replaced: it could no longer be revoked by its name. */
static int check_free(const struct cli *cli, const struct store *s)
{
    struct pki_bytes old = {0};
    struct pki_info info = {0};
    struct revoked r = {0};
    char file[PATH_TEXT_MAX];
    if (!store_has(s, authority_file("issued", cli->operand, ".pem", file)))
        return CLI_OK;
    int status = store_read(cli, s, file, &old);
    if (status == CLI_OK && pki_info_read(pki_bytes_view(&old), &info) != ERR_OK)
        status = call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "%s/%s is no certificate.", s->path, file);
    pki_bytes_free(&old);
    if (status == CLI_OK)
        status = revoked_read(cli, s, &r);
    if (status == CLI_OK && !revoked_has(&r, info.serial) && info.until > time(NULL))
        status =
            call_failed(cli, CLI_FAILED, "exists",
                        "There is a certificate for %s already. Revoke it first, or take another name.", cli->operand);
    revoked_done(&r);
    return status;
}

static int tell_issued(const struct cli *cli, const struct pki_issued *made)
{
    char until[TEXT_MAX];
    if (cli->json)
        return print_json(cli, json_pack("{s:s, s:s, s:I}", "name", cli->operand, "serial", made->serial, "until",
                                         (json_int_t)made->until));
    fprintf(cli->io->out, "A certificate for %s was made; it is good until %s.\n", cli->operand,
            text_time((uint64_t)made->until, until));
    fprintf(cli->io->out, "Take it out with: sekisho pki export %s --p12 %s.p12\n", cli->operand, cli->operand);
    return CLI_OK;
}

static int issue(const struct cli *cli, const struct store *s, const struct pki_plan *plan)
{
    struct pki_ca *ca = NULL;
    struct pki_issued made = {0};
    char why[PKI_WHY_MAX], file[PATH_TEXT_MAX];
    int status = check_free(cli, s);
    if (status == CLI_OK)
        status = authority_load(cli, s, &ca);
    if (status == CLI_OK && pki_issue(ca, plan, &made, why) != ERR_OK)
        status = call_failed(cli, CLI_FAILED, CTL_CODE_INVALID, "The certificate cannot be made. %s", why);
    if (status == CLI_OK)
        status =
            store_write(cli, s, authority_file("private", cli->operand, ".key", file), 0600, pki_bytes_view(&made.key));
    if (status == CLI_OK)
        status = store_write(cli, s, authority_file("issued", cli->operand, ".pem", file), 0644,
                             pki_bytes_view(&made.certificate));
    if (status == CLI_OK)
        status = tell_issued(cli, &made);
    pki_issued_done(&made);
    pki_ca_free(ca);
    return status;
}

int run_pki_issue(struct cli *cli)
{
    struct store s;
    struct wish w = {.plan = {.name = cli->operand, .from = time(NULL) - BACKDATED}};
    uint64_t days;
    int status = authority_check_name(cli, cli->operand);
    if (status == CLI_OK)
        status = take_role(cli, &w.plan);
    if (status == CLI_OK)
        status = take_kind(cli, &w.plan.kind);
    if (status == CLI_OK)
        status = take_number(cli, OPTION_DAYS, "days", DAYS_MAX, DAYS_DEFAULT, &days);
    if (status == CLI_OK)
        status = take_sans(cli, &w);
    if (status == CLI_OK && (status = store_open(cli, false, &s)) == CLI_OK) {
        w.plan.until = time(NULL) + (int64_t)days * DAY;
        status = take_urls(cli, &s, &w);
        if (status == CLI_OK)
            status = issue(cli, &s, &w.plan);
        store_close(&s);
    }
    wish_done(&w);
    return status;
}

/* ---- revoke ---- */

static int add_revoked(const struct cli *cli, const struct store *s, struct revoked *r)
{
    struct pki_bytes certificate = {0};
    struct pki_info info;
    char file[PATH_TEXT_MAX], line[2 * PATH_TEXT_MAX];
    if (!store_has(s, authority_file("issued", cli->operand, ".pem", file)))
        return call_failed(cli, CLI_FAILED, "not-found", "There is no certificate for %s.", cli->operand);
    int status = store_read(cli, s, file, &certificate);
    if (status == CLI_OK && pki_info_read(pki_bytes_view(&certificate), &info) != ERR_OK)
        status = call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "%s/%s is no certificate.", s->path, file);
    pki_bytes_free(&certificate);
    if (status != CLI_OK || revoked_has(r, info.serial))
        return status;
    snprintf(line, sizeof line, "%s %lld %s\n", info.serial, (long long)time(NULL), cli->operand);
    size_t n = r->text.n + strlen(line);
    char *text = malloc(n + 1);
    if (text == NULL || !revoked_add(r, line)) {
        free(text);
        return call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "There is not enough memory.");
    }
    snprintf(text, n + 1, "%s%s", r->text.p != NULL ? r->text.p : "", line);
    status = store_write(cli, s, "revoked", 0644, view_of(text, n));
    free(text);
    return status;
}

static int revoke_in(const struct cli *cli, const struct store *s)
{
    struct revoked r;
    struct pki_ca *ca = NULL;
    int status = revoked_read(cli, s, &r);
    if (status == CLI_OK)
        status = authority_load(cli, s, &ca);
    if (status == CLI_OK && cli->operand != NULL)
        status = add_revoked(cli, s, &r);
    if (status == CLI_OK)
        status = authority_write_crl(cli, s, ca, &r);
    pki_ca_free(ca);
    revoked_done(&r);
    if (status != CLI_OK)
        return status;
    if (cli->json)
        return print_json(cli, json_pack("{s:s*, s:s}", "name", cli->operand, "directory", s->path));
    if (cli->operand != NULL)
        fprintf(cli->io->out, "The certificate for %s is revoked.\n", cli->operand);
    fprintf(cli->io->out, "%s/ca.crl was written; the gateway reads it with: sekisho config reload\n", s->path);
    return CLI_OK;
}

int run_pki_revoke(struct cli *cli)
{
    struct store s;
    int status = cli->operand != NULL ? authority_check_name(cli, cli->operand) : CLI_OK;
    if (status == CLI_OK)
        status = store_open(cli, false, &s);
    if (status != CLI_OK)
        return status;
    status = revoke_in(cli, &s);
    store_close(&s);
    return status;
}

/* ---- list ---- */

static int only_pem(const struct dirent *d)
{
    size_t n = strlen(d->d_name);
    return n > 4 && strcmp(d->d_name + n - 4, ".pem") == 0;
}

static const char *state_of(const struct pki_info *info, const struct revoked *r)
{
    int64_t now = time(NULL);
    if (revoked_has(r, info->serial))
        return "revoked";
    return info->until <= now ? "expired" : info->from > now ? "not yet" : "good";
}

static void add_row(const struct cli *cli, const char *name, const struct pki_info *info, const char *state,
                    struct table *table, json_t *list)
{
    char until[TEXT_MAX];
    const char *role = info->server && info->client ? "both" : info->server ? "server" : "client";
    if (cli->json) {
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:I, s:I, s:s}", "name", name, "for", role, "serial",
                                              info->serial, "from", (json_int_t)info->from, "until",
                                              (json_int_t)info->until, "state", state));
        return;
    }
    table_add(table, name);
    table_add(table, role);
    table_add(table, text_time((uint64_t)info->until, until));
    table_add(table, state);
}

static int list_all(const struct cli *cli, const struct store *s, const struct revoked *r)
{
    static const char *const head[] = {"NAME", "FOR", "UNTIL", "STATE"};
    struct table table;
    struct dirent **found = NULL;
    json_t *list = json_array();
    int n = scandirat(s->fd, "issued", &found, only_pem, alphasort), status = CLI_OK, rows = 0;
    table_init(&table, head, ARRAY_LEN(head));
    for (int i = 0; i < n; i++) {
        struct pki_bytes file = {0};
        struct pki_info info;
        char path[PATH_TEXT_MAX];
        found[i]->d_name[strlen(found[i]->d_name) - 4] = '\0';
        if (status == CLI_OK)
            status = store_read(cli, s, authority_file("issued", found[i]->d_name, ".pem", path), &file);
        if (status == CLI_OK && pki_info_read(pki_bytes_view(&file), &info) == ERR_OK) {
            add_row(cli, found[i]->d_name, &info, state_of(&info, r), &table, list);
            rows++;
        }
        pki_bytes_free(&file);
        free(found[i]);
    }
    free(found);
    if (status != CLI_OK || cli->json || rows == 0)
        table_done(&table);
    if (status == CLI_OK && cli->json)
        return print_json(cli, json_pack("{s:o}", "certificates", list));
    json_decref(list);
    if (status != CLI_OK)
        return status;
    if (rows > 0)
        return table_print(&table, cli->io, cli->io->terminal ? TERMINAL_WIDTH : 0);
    fputs("No certificate has been issued.\n", cli->io->out);
    return CLI_OK;
}

int run_pki_list(struct cli *cli)
{
    struct store s;
    struct revoked r;
    int status = store_open(cli, false, &s);
    if (status != CLI_OK)
        return status;
    status = revoked_read(cli, &s, &r);
    if (status == CLI_OK)
        status = list_all(cli, &s, &r);
    revoked_done(&r);
    store_close(&s);
    return status;
}
