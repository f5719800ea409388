/* What a profile reads from files: itself, its secrets, its certificates. */
#include "profile/profile_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECRET_FILE_MAX 1024 /* bytes of a file with one secret */

static bool has_secrets(const struct profile *p)
{
    return p->password.value[0] != '\0' || p->psk.value[0] != '\0' || p->certificate.password.value[0] != '\0' ||
           p->l2tp.secret.value[0] != '\0';
}

static enum err parse_file(enum err result, const struct config_file *f, const char *filename, struct profile **out,
                           struct config_error *error)
{
    struct profile *p = NULL;
    if (result == ERR_OK)
        result = profile_parse(view_of(f->text, f->n), filename, &p, error);
    if (result == ERR_OK && f->shared && has_secrets(p)) {
        profile_free(p);
        return config_fail(error, 0, "",
                           "There are secrets in it, and others may read it; take that away with "
                           "chmod o= %s.",
                           filename);
    }
    if (result == ERR_OK)
        *out = p;
    return result;
}

enum err profile_load(const char *filename, struct profile **out, struct config_error *error)
{
    struct config_file f;
    *error = (struct config_error){0};
    enum err result = config_file_read(filename, PROFILE_SIZE_MAX, 0, "", &f, error);
    result = parse_file(result, &f, filename, out, error);
    config_file_done(&f);
    return result;
}

enum err profile_load_fd(int fd, const char *filename, struct profile **out, struct config_error *error)
{
    struct config_file f;
    *error = (struct config_error){0};
    snprintf(error->file, sizeof error->file, "%s", filename);
    enum err result = config_file_read_fd(fd, PROFILE_SIZE_MAX, &f, error);
    result = parse_file(result, &f, filename, out, error);
    config_file_done(&f);
    return result;
}

/* ---- secrets ---- */

static enum err read_secret(struct profile_secret *s, const char *path, const char *key, struct config_error *e)
{
    const size_t most = strcmp(key, "psk_file") == 0 ? PROFILE_SECRET_MAX - 1 : CONFIG_SECRET_MAX;
    struct config_file f;
    struct secret bytes = {0};
    enum err result = config_file_read(path, SECRET_FILE_MAX, 0, key, &f, e);
    if (result == ERR_OK && f.shared)
        result = config_fail(e, 0, key, "Others may read %s; take that away with chmod o= %s.", path, path);
    if (result == ERR_OK)
        result = config_secret(view_of(f.text, f.n), most, &bytes, 0, key, e);
    if (result == ERR_OK) {
        memcpy(s->value, bytes.p, bytes.n);
        s->value[bytes.n] = '\0';
        s->file[0] = '\0';
    }
    secret_wipe(&bytes);
    config_file_done(&f);
    return result;
}

/* From its own file, or from the directory of credentials where it is there. */
static enum err find_secret(struct profile_secret *s, const char *credentials, const char *name, const char *key,
                            struct config_error *e)
{
    char path[CONFIG_PATH_MAX];
    if (s->file[0] != '\0') {
        snprintf(path, sizeof path, "%s", s->file);
        return read_secret(s, path, key, e);
    }
    if (s->value[0] != '\0' || credentials == NULL ||
        snprintf(path, sizeof path, "%s/%s", credentials, name) >= (int)sizeof path || access(path, F_OK) != 0)
        return ERR_OK;
    return read_secret(s, path, key, e);
}

static enum err read_blob(struct profile_blob *b, const char *key, struct config_error *e)
{
    struct config_file f;
    if (b->file[0] == '\0')
        return ERR_OK;
    enum err result = config_file_read(b->file, PROFILE_BLOB_MAX, 0, key, &f, e);
    if (result == ERR_OK && f.n == 0)
        result = config_fail(e, 0, key, "The file %s is empty.", b->file);
    if (result != ERR_OK) {
        config_file_done(&f);
        return result;
    }
    free(b->p);
    b->p = (uint8_t *)f.text;
    b->n = f.n;
    return ERR_OK;
}

enum err profile_secrets(struct profile *profile, const char *credentials, const char *filename,
                         struct config_error *error)
{
    struct profile *p = profile;
    *error = (struct config_error){0};
    snprintf(error->file, sizeof error->file, "%s", filename);
    enum err result = find_secret(&p->password, credentials, "password", "password_file", error);
    if (result == ERR_OK)
        result = find_secret(&p->psk, credentials, "psk", "psk_file", error);
    if (result == ERR_OK)
        result = find_secret(&p->certificate.password, credentials, "certificate-password", "certificate.password_file",
                             error);
    if (result == ERR_OK)
        result = find_secret(&p->l2tp.secret, credentials, "tunnel-secret", "l2tp.secret_file", error);
    if (result == ERR_OK)
        result = read_blob(&p->certificate.certificate, "certificate.file", error);
    if (result == ERR_OK)
        result = read_blob(&p->certificate.key, "certificate.key_file", error);
    if (result == ERR_OK)
        result = read_blob(&p->certificate.authorities, "certificate.authorities_file", error);
    return result == ERR_OK ? profile_key_check(p, &p->key, error) : result;
}

/* ---- what is missing ---- */

/* PKCS#12, which is DER, always has a password, though it may be empty; PEM says so (RFC 1421 4.6.1.1, RFC 7468 11). */
static bool is_encrypted(const struct profile_blob *b)
{
    static const char word[] = "ENCRYPTED";
    return b->n > 0 && (b->p[0] == 0x30 || memmem(b->p, b->n, word, sizeof word - 1) != NULL);
}

static bool takes_password(const struct profile *p)
{
    const bool typed = !p->ppp.answer_prompts && strcmp(p->ppp.methods, "eap-gtc") == 0;
    return strcmp(p->ppp.methods, "eap-tls") != 0 && !typed;
}

uint32_t profile_needs(const struct profile *p)
{
    uint32_t needs = 0;
    bool certificate = p->certificate.certificate.file[0] != '\0';
    if (p->key.n == 0 && !certificate)
        needs |= PROFILE_NEEDS_PSK;
    if (p->user[0] == '\0')
        needs |= PROFILE_NEEDS_USER;
    if (p->password.value[0] == '\0' && takes_password(p))
        needs |= PROFILE_NEEDS_PASSWORD;
    if (p->certificate.password.value[0] == '\0' &&
        (is_encrypted(&p->certificate.certificate) || is_encrypted(&p->certificate.key)))
        needs |= PROFILE_NEEDS_CERTIFICATE_PASSWORD;
    return needs;
}
