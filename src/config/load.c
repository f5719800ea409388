/* The thin loader: reads the configuration, the secrets it names, and the host's name servers. */
#include "config/config_internal.h"

#include <stdio.h>

#define SECRET_FILE_MAX      1024               /* bytes of a file with one secret */
#define CERTIFICATE_FILE_MAX (1024 * 1024)      /* bytes of certificates and keys */
#define CRL_FILE_MAX         (16 * 1024 * 1024) /* bytes of lists of revoked certificates */

static enum err load_secret(const char *path, struct secret *out, uint32_t line, const char *key,
                            struct config_error *e)
{
    struct config_file f;
    enum err result = config_file_read(path, SECRET_FILE_MAX, line, key, &f, e);
    if (result == ERR_OK && f.shared)
        result = config_tell(e, line, key, TOLD(FILE_OPEN_TO_OTHERS), path, path);
    else if (result == ERR_OK)
        result = config_secret(view_of(f.text, f.n), CONFIG_SECRET_MAX, out, line, key, e);
    config_file_done(&f);
    return result;
}

static enum err load_secrets(struct config *c, bool shared, struct config_error *e)
{
    enum err result = ERR_OK;
    char key[CONFIG_NAME_MAX + 32];
    for (size_t i = 0; i < c->psk_count && result == ERR_OK; i++) {
        struct config_psk *psk = &c->psks[i];
        bool own = psk->line != 0;
        snprintf(key, sizeof key, own ? "psk \"%s\".%s" : "ike.psk_file", psk->name, psk->file[0] ? "file" : "secret");
        if (psk->file[0] != '\0')
            result = load_secret(psk->file, &psk->key, psk->line, key, e);
        else if (shared)
            result = config_tell(e, psk->line, key, TOLD(CONFIG_OPEN_TO_OTHERS), e->file);
    }
    if (result == ERR_OK && c->l2tp.secret_file[0] != '\0')
        result = load_secret(c->l2tp.secret_file, &c->l2tp.secret, 0, "l2tp.secret_file", e);
    return result;
}

static enum err load_certificate(struct config_certificate *c, struct config_error *e)
{
    char key[CONFIG_NAME_MAX + 32];
    snprintf(key, sizeof key, "certificate \"%s\".file", c->name);
    enum err result = config_file_read(c->file, CERTIFICATE_FILE_MAX, c->line, key, &c->content, e);
    const struct config_file *secret = &c->content;
    const char *path = c->file;
    if (result == ERR_OK && c->key_file[0] != '\0') {
        snprintf(key, sizeof key, "certificate \"%s\".key_file", c->name);
        result = config_file_read(c->key_file, CERTIFICATE_FILE_MAX, c->line, key, &c->key, e);
        secret = &c->key;
        path = c->key_file;
    }
    if (result == ERR_OK && secret->shared)
        return config_tell(e, c->line, key, TOLD(FILE_OPEN_TO_OTHERS), path, path);
    if (result == ERR_OK && c->password_file[0] != '\0') {
        snprintf(key, sizeof key, "certificate \"%s\".password_file", c->name);
        result = load_secret(c->password_file, &c->password, c->line, key, e);
    }
    return result;
}

static enum err load_authority(struct config_authority *a, struct config_error *e)
{
    char key[CONFIG_NAME_MAX + 32];
    snprintf(key, sizeof key, "authority \"%s\".file", a->name);
    enum err result = config_file_read(a->file, CERTIFICATE_FILE_MAX, a->line, key, &a->content, e);
    if (result == ERR_OK && a->crl_file[0] != '\0') {
        snprintf(key, sizeof key, "authority \"%s\".crl_file", a->name);
        result = config_file_read(a->crl_file, CRL_FILE_MAX, a->line, key, &a->crl, e);
    }
    return result;
}

static enum err load_certificates(struct config *c, struct config_error *e)
{
    enum err result = ERR_OK;
    for (size_t i = 0; i < c->certificate_count && result == ERR_OK; i++)
        result = load_certificate(&c->certificates[i], e);
    for (size_t i = 0; i < c->authority_count && result == ERR_OK; i++)
        result = load_authority(&c->authorities[i], e);
    return result;
}

/* The second is what systemd-resolved would ask, where the first names only its stub. */
static void load_dns(struct config *c)
{
    static const char *const files[] = {"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"};
    for (size_t i = 0; i < ARRAY_LEN(files) && c->dns.count == 0; i++) {
        struct config_file f;
        struct config_error ignored;
        if (config_file_read(files[i], CONFIG_SIZE_MAX, 0, "", &f, &ignored) == ERR_OK)
            c->dns.count = config_resolv_parse(view_of(f.text, f.n), c->dns.addr);
        config_file_done(&f);
    }
    config_share_dns(c);
}

enum err config_load(const char *filename, struct config **out, struct config_error *error)
{
    struct config_file f;
    struct config *c = NULL;
    *error = (struct config_error){0};
    enum err result = config_file_read(filename, CONFIG_SIZE_MAX, 0, "", &f, error);
    if (result != ERR_OK) {
        config_file_done(&f);
        return result;
    }
    result = config_parse(view_of(f.text, f.n), filename, &c, error);
    if (result == ERR_OK)
        result = load_secrets(c, f.shared, error);
    if (result == ERR_OK)
        result = load_certificates(c, error);
    config_file_done(&f);
    if (result != ERR_OK) {
        config_free(c);
        return result;
    }
    load_dns(c);
    *out = c;
    return ERR_OK;
}
