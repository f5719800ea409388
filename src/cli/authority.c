/*
 * A small authority in a directory.
 *
 *   ca.pem ca.crl        for everybody: its certificate, and what it has revoked
 *   issued/NAME.pem      for everybody: a certificate it has made
 *   private/ca.key, private/NAME.key
 *   revoked              SERIAL SECONDS NAME, a line each: what ca.crl is written from
 *   urls                 what certificates name for those who ask about revocation: a line for CRL, a line for OCSP
 */
#include "cli/cli_internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY          ((int64_t)86400)
#define CRL_DAYS     180
#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.@"
#define NAME_LENGTH  64

int authority_check_name(const struct cli *cli, const char *name)
{
    size_t n = strlen(name);
    if (n > 0 && n <= NAME_LENGTH && name[0] != '.' && name[0] != '-' && strspn(name, NAME_LETTERS) == n &&
        strcmp(name, "ca") != 0)
        return CLI_OK;
    return command_wrong(cli, "A name is 1 to %d letters, digits and the signs - _ . @, and not \"ca\".", NAME_LENGTH);
}

const char *authority_file(const char *directory, const char *name, const char *ending, char out[static PATH_TEXT_MAX])
{
    snprintf(out, PATH_TEXT_MAX, "%s/%s%s", directory, name, ending);
    return out;
}

int authority_load(const struct cli *cli, const struct store *s, struct pki_ca **out)
{
    struct pki_bytes certificate = {0}, key = {0};
    char why[PKI_WHY_MAX];
    int status = store_read(cli, s, "ca.pem", &certificate);
    if (status == CLI_OK)
        status = store_read(cli, s, "private/ca.key", &key);
    if (status == CLI_OK && pki_ca_read(pki_bytes_view(&certificate), pki_bytes_view(&key), out, why) != ERR_OK)
        status = call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "The authority in %s cannot be used. %s", s->path, why);
    pki_bytes_free(&certificate);
    pki_bytes_free(&key);
    return status;
}

/* ---- what is revoked ---- */

void revoked_done(struct revoked *r)
{
    free(r->all);
    pki_bytes_free(&r->text);
}

bool revoked_add(struct revoked *r, const char *line)
{
    long long at;
    struct pki_revoked *all = realloc(r->all, (r->n + 1) * sizeof *all);
    if (all == NULL)
        return false;
    r->all = all;
    if (sscanf(line, "%40s %lld", all[r->n].serial, &at) != 2)
        return false;
    all[r->n++].at = at;
    return true;
}

int revoked_read(const struct cli *cli, const struct store *s, struct revoked *r)
{
    *r = (struct revoked){0};
    if (!store_has(s, "revoked"))
        return CLI_OK;
    int status = store_read(cli, s, "revoked", &r->text);
    for (const char *p = r->text.p; status == CLI_OK && p != NULL && *p != '\0'; p += *p == '\n') {
        if (!revoked_add(r, p))
            status =
                call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "%s/revoked is damaged at line %zu.", s->path, r->n + 1);
        p += strcspn(p, "\n");
    }
    return status;
}

bool revoked_has(const struct revoked *r, const char *serial)
{
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->all[i].serial, serial) == 0)
            return true;
    return false;
}

/* Its number grows with time (RFC 5280 5.2.3). */
int authority_write_crl(const struct cli *cli, const struct store *s, const struct pki_ca *ca, const struct revoked *r)
{
    struct pki_bytes crl = {0};
    int64_t now = time(NULL);
    if (pki_crl_write(ca, r->all, r->n, (uint64_t)now, now - BACKDATED, now + CRL_DAYS * DAY, &crl) != ERR_OK)
        return call_failed(cli, CLI_FAILED, CTL_CODE_FAILED, "The list of revoked certificates cannot be made.");
    int status = store_write(cli, s, "ca.crl", 0644, pki_bytes_view(&crl));
    pki_bytes_free(&crl);
    return status;
}
