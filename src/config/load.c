/* The thin loader: reads the configuration, the secrets it names, and the host's name servers. */
#include "config/config_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_FILE_MAX 1024 /* bytes of a file with one secret */

struct file {
    char *text;
    size_t n;
    bool shared; /* others than owner and group may read it */
};

static void file_done(struct file *f)
{
    if (f->text != NULL)
        bytes_wipe(f->text, f->n);
    free(f->text);
}

static enum err read_all(int fd, struct file *f, size_t max)
{
    f->text = malloc(max + 1);
    if (f->text == NULL)
        return ERR_NOMEM;
    for (;;) {
        ssize_t n = read(fd, f->text + f->n, max + 1 - f->n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ERR_SYSTEM;
        if (n == 0)
            return ERR_OK;
        f->n += (size_t)n;
        if (f->n > max)
            return ERR_LIMIT;
    }
}

/* Whatever error comes back, f is for file_done(). */
static enum err file_read(const char *path, size_t max, struct file *f)
{
    struct stat st;
    *f = (struct file){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return ERR_SYSTEM;
    enum err result = ERR_SYSTEM;
    if (fstat(fd, &st) == 0) {
        errno = EINVAL;
        f->shared = (st.st_mode & S_IRWXO) != 0;
        result = S_ISREG(st.st_mode) ? read_all(fd, f, max) : ERR_INVALID;
    }
    int kept = errno;
    close(fd);
    errno = kept;
    return result;
}

/* The sentence for a file that could not be read. */
static enum err tell(enum err result, const char *path, size_t max, uint32_t line, const char *key,
                     struct config_error *e)
{
    if (result == ERR_SYSTEM)
        config_fail(e, line, key, "The file %s cannot be read: %s.", path, strerror(errno));
    else if (result == ERR_LIMIT)
        config_fail(e, line, key, "The file %s is larger than %zu bytes, which is the limit.", path, max);
    else if (result == ERR_INVALID)
        config_fail(e, line, key, "%s is not a regular file.", path);
    else
        config_fail(e, line, key, "There is not enough memory to read %s.", path);
    return result == ERR_LIMIT ? ERR_INVALID : result;
}

enum err config_secret(struct view text, struct secret *out, uint32_t line, const char *key, struct config_error *e)
{
    size_t n = text.n;
    if (n > 0 && text.p[n - 1] == '\n')
        n--;
    if (n > 0 && text.p[n - 1] == '\r')
        n--;
    if (n < CONFIG_SECRET_MIN || n > CONFIG_SECRET_MAX)
        return config_fail(e, line, key, "The file has %zu bytes in its line; a secret has from %d to %d.", n,
                           CONFIG_SECRET_MIN, CONFIG_SECRET_MAX);
    for (size_t i = 0; i < n; i++)
        if (text.p[i] < ' ' || text.p[i] == 0x7f)
            return config_fail(e, line, key, "The file must hold one line of text, which is the secret.");
    return secret_set(out, view_of(text.p, n));
}

static enum err load_secret(const char *path, struct secret *out, uint32_t line, const char *key,
                            struct config_error *e)
{
    struct file f;
    enum err result = file_read(path, SECRET_FILE_MAX, &f);
    if (result != ERR_OK)
        result = tell(result, path, SECRET_FILE_MAX, line, key, e);
    else if (f.shared)
        result = config_fail(e, line, key, "Others may read %s; take that away with chmod o= %s.", path, path);
    else
        result = config_secret(view_of(f.text, f.n), out, line, key, e);
    file_done(&f);
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
        struct file f;
        if (file_read(files[i], CONFIG_SIZE_MAX, &f) == ERR_OK)
            c->dns.count = config_resolv_parse(view_of(f.text, f.n), c->dns.addr);
        file_done(&f);
    }
    config_share_dns(c);
}

enum err config_load(const char *filename, struct config **out, struct config_error *error)
{
    struct file f;
    struct config *c = NULL;
    *error = (struct config_error){0};
    enum err result = file_read(filename, CONFIG_SIZE_MAX, &f);
    if (result != ERR_OK) {
        result = tell(result, filename, CONFIG_SIZE_MAX, 0, "", error);
        file_done(&f);
        return result;
    }
    result = config_parse(view_of(f.text, f.n), filename, &c, error);
    if (result == ERR_OK)
        result = load_secrets(c, f.shared, error);
    file_done(&f);
    if (result != ERR_OK) {
        config_free(c);
        return result;
    }
    load_dns(c);
    *out = c;
    return ERR_OK;
}
