/* sekisho pki export: certificate, key and authority in one file for whoever will use them. */
#include "cli/cli_internal.h"

#include <fcntl.h>
#include <stdlib.h>

struct parts {
    struct pki_bytes certificate, key, authority;
};

static int read_parts(const struct cli *cli, const struct store *s, struct parts *p)
{
    char file[PATH_TEXT_MAX];
    if (!store_has(s, authority_file("issued", cli->operand, ".pem", file)))
        return call_failed(cli, CLI_FAILED, "not-found", "There is no certificate for %s.", cli->operand);
    int status = store_read(cli, s, file, &p->certificate);
    if (status == CLI_OK)
        status = store_read(cli, s, authority_file("private", cli->operand, ".key", file), &p->key);
    if (status == CLI_OK)
        status = store_read(cli, s, "ca.pem", &p->authority);
    return status;
}

static int write_out(const struct cli *cli, const char *path, struct view what)
{
    struct store here = {.fd = AT_FDCWD, .path = "."};
    return store_write(cli, &here, path, 0600, what);
}

static int export_p12(const struct cli *cli, const struct parts *p, const char *path)
{
    char password[PASSWORD_MAX], why[PKI_WHY_MAX];
    struct pki_bytes p12 = {0};
    enum pki_p12 how = cli->option[OPTION_MODERN] != NULL ? PKI_P12_MODERN : PKI_P12_COMPATIBLE;
    int status = password_get(cli, password);
    if (status != CLI_OK)
        return status;
    if (pki_p12_write(pki_bytes_view(&p->certificate), pki_bytes_view(&p->key), pki_bytes_view(&p->authority),
                      cli->operand, password, how, &p12, why) != ERR_OK)
        status = call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "The file cannot be made. %s", why);
    if (status == CLI_OK)
        status = write_out(cli, path, pki_bytes_view(&p12));
    pki_bytes_free(&p12);
    if (status == CLI_OK && cli->json)
        status = print_json(cli, json_pack("{s:s, s:s*}", "file", path, "password",
                                           cli->option[OPTION_GENERATE] != NULL ? password : NULL));
    else if (status == CLI_OK) {
        fprintf(cli->io->out, "%s was written.\n", path);
        if (cli->option[OPTION_GENERATE] != NULL)
            fprintf(cli->io->out, "Password: %s\n", password);
    }
    bytes_wipe(password, sizeof password);
    return status;
}

static int export_pem(const struct cli *cli, const struct parts *p, const char *path)
{
    size_t n = p->certificate.n + p->authority.n + p->key.n;
    char *text = malloc(n + 1);
    if (text == NULL)
        return call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "There is not enough memory.");
    snprintf(text, n + 1, "%s%s%s", p->certificate.p, p->authority.p, p->key.p);
    int status = write_out(cli, path, view_of(text, n));
    bytes_wipe(text, n);
    free(text);
    if (status == CLI_OK && cli->json)
        return print_json(cli, json_pack("{s:s}", "file", path));
    if (status == CLI_OK)
        fprintf(cli->io->out, "%s was written, with the private key in clear: keep it safe.\n", path);
    return status;
}

int run_pki_export(struct cli *cli)
{
    struct store s;
    struct parts p = {0};
    const char *p12 = cli->option[OPTION_P12], *pem = cli->option[OPTION_PEM];
    if ((p12 != NULL) == (pem != NULL))
        return command_wrong(cli, "Say where to: either --p12 FILE or --pem FILE.");
    int status = authority_check_name(cli, cli->operand);
    if (status == CLI_OK)
        status = store_open(cli, false, &s);
    if (status != CLI_OK)
        return status;
    status = read_parts(cli, &s, &p);
    store_close(&s);
    if (status == CLI_OK)
        status = p12 != NULL ? export_p12(cli, &p, p12) : export_pem(cli, &p, pem);
    pki_bytes_free(&p.certificate);
    pki_bytes_free(&p.authority);
    pki_bytes_free(&p.key);
    return status;
}
