/* The thin loader: reads the configuration, the secrets it names, and the host's name servers. */
#include "config/config_internal.h"

#include <stdio.h>

#define SECRET_FILE_MAX 1024 /* bytes of a file with one secret */

static enum err load_secret(const char *path, struct secret *out, uint32_t line, const char *key,
                            struct config_error *e)
{
    struct config_file f;
    enum err result = config_file_read(path, SECRET_FILE_MAX, line, key, &f, e);
    if (result == ERR_OK && f.shared)
        result = config_fail(e, line, key, "Others may read %s; take that away with chmod o= %s.", path, path);
    else if (result == ERR_OK)
        result = config_secret(view_of(f.text, f.n), out, line, key, e);
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
            result = config_fail(e, psk->line, key,
                                 "Others may read this configuration; take that away with chmod o= %s.", e->file);
    }
    if (result == ERR_OK && c->l2tp.secret_file[0] != '\0')
        result = load_secret(c->l2tp.secret_file, &c->l2tp.secret, 0, "l2tp.secret_file", e);
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
    config_file_done(&f);
    if (result != ERR_OK) {
        config_free(c);
        return result;
    }
    load_dns(c);
    *out = c;
    return ERR_OK;
}
