/* The portal's certificate: given, or made at the first start. */
#include "fd/fd.h"
#include "portal/portal_internal.h"

#include "pki/pki.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIFE       (825 * 86400) /* seconds: the longest that Apple's systems take from a private authority */
#define RENEW      (30 * 86400)  /* before its end it is made anew */
#define EARLIER    86400         /* clocks differ */
#define ADDRESSES  64
#define OWN_ISSUER "CN=Sekisho portal"

static enum err fail(char *why, size_t cap, enum err e, const char *format, const char *a, const char *b)
{
    snprintf(why, cap, format, a, b);
    return e;
}

/* ---- making one ---- */

struct names {
    char text[PKI_SANS_MAX][256];
    const char *list[PKI_SANS_MAX];
    size_t n;
};

static void add_name(struct names *names, const char *name, size_t n)
{
    if (names->n == PKI_SANS_MAX || n == 0 || n >= sizeof names->text[0])
        return;
    memcpy(names->text[names->n], name, n);
    names->text[names->n][n] = '\0';
    names->list[names->n] = names->text[names->n];
    names->n++;
}

/* What people may call this host: the name in portal.url, its own, and its addresses. */
static void find_names(const struct config *c, struct names *names)
{
    struct iface_address found[ADDRESSES];
    char host[256] = "", text[IP_TEXT_MAX];
    size_t n = 0;
    names->n = 0;
    if (c->portal.url[0] != '\0') {
        const char *name = c->portal.url + strlen("https://");
        const bool bracket = name[0] == '[';
        add_name(names, name + bracket, strcspn(name + bracket, bracket ? "]" : ":"));
    }
    if (gethostname(host, sizeof host - 1) == 0)
        add_name(names, host, strlen(host));
    if (iface_addresses(found, ARRAY_LEN(found), &n) != ERR_OK)
        return;
    for (size_t i = 0; i < n; i++)
        if (!found[i].loopback && !(found[i].addr.family == 6 && found[i].addr.b[0] == 0xfe))
            add_name(names, ip_text(&found[i].addr, text), strlen(ip_text(&found[i].addr, text)));
}

static enum err issue(const struct config *c, struct pki_issued *out, struct pki_bytes *root, char *why, size_t cap)
{
    const int64_t now = clock_wall();
    struct names names;
    char reason[PKI_WHY_MAX] = "";
    struct pki_ca *ca = NULL;
    const struct pki_ca_plan plan = {
        .name = "Sekisho portal", .kind = PKI_KIND_ECDSA_256, .from = now - EARLIER, .until = now + LIFE};
    struct pki_bytes key = {0};
    find_names(c, &names);
    const struct pki_plan leaf = {.name = names.n > 0 ? names.list[0] : "sekisho",
                                  .sans = names.list,
                                  .san_count = names.n,
                                  .server = true,
                                  .kind = PKI_KIND_ECDSA_256,
                                  .from = now - EARLIER,
                                  .until = now + LIFE};
    enum err e = pki_ca_make(&plan, &ca, reason);
    if (e == ERR_OK)
        e = pki_issue(ca, &leaf, out, reason);
    if (e == ERR_OK)
        e = pki_ca_pem(ca, root, &key);
    pki_bytes_free(&key); /* the authority signs this one certificate and no other */
    pki_ca_free(ca);
    return e == ERR_OK ? e : fail(why, cap, e, "cannot make a certificate: %s%s", reason, "");
}

/* A new file takes the old one's place when it is whole. */
static enum err store(const char *path, const struct pki_issued *issued, const struct pki_bytes *root, char *why,
                      size_t cap)
{
    char beside[CONFIG_PATH_MAX + 8];
    snprintf(beside, sizeof beside, "%s.new", path);
    (void)unlink(beside);
    const int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(why, cap, ERR_SYSTEM, "cannot write %s: %s", beside, strerror(errno));
    const bool written = fd_write(fd, view_of(issued->certificate.p, issued->certificate.n)) == ERR_OK &&
                         fd_write(fd, view_of(root->p, root->n)) == ERR_OK &&
                         fd_write(fd, view_of(issued->key.p, issued->key.n)) == ERR_OK && fsync(fd) == 0;
    close(fd);
    if (written && rename(beside, path) == 0)
        return ERR_OK;
    const int saved = errno;
    unlink(beside);
    return fail(why, cap, ERR_SYSTEM, "cannot write %s: %s", path, strerror(saved));
}

static enum err make(const struct config *c, char *why, size_t cap)
{
    struct pki_issued issued = {0};
    struct pki_bytes root = {0};
    enum err e = issue(c, &issued, &root, why, cap);
    if (e == ERR_OK)
        e = store(c->portal.certificate, &issued, &root, why, cap);
    pki_issued_done(&issued);
    pki_bytes_free(&root);
    return e;
}

/* ---- reading ---- */

static enum err read_file(const char *path, const char *key, struct config_file *out, char *why, size_t cap)
{
    struct config_error error = {0};
    char text[CONFIG_ERROR_TEXT_MAX];
    const enum err e = config_file_read(path, PKI_FILE_MAX, 0, key, out, &error);
    return e == ERR_OK ? e : fail(why, cap, e, "%s%s", config_error_text(&error, text), "");
}

/* Ours, and soon at its end. */
static bool is_old(const struct config_file *f)
{
    struct pki_info info;
    return pki_info_read(view_of(f->text, f->n), &info) == ERR_OK && strcmp(info.issuer, OWN_ISSUER) == 0 &&
           info.until - clock_wall() < RENEW;
}

enum err papers_open(const struct config *c, struct papers *out, char *why, size_t cap)
{
    const char *path = c->portal.certificate, *key = c->portal.key_file;
    enum err e = ERR_OK;
    *out = (struct papers){0};
    if (key[0] == '\0' && access(path, F_OK) != 0 && errno == ENOENT)
        e = make(c, why, cap);
    if (e == ERR_OK)
        e = read_file(path, "portal.certificate", &out->certificate, why, cap);
    if (e == ERR_OK && key[0] == '\0' && is_old(&out->certificate)) {
        config_file_done(&out->certificate);
        e = make(c, why, cap);
        if (e == ERR_OK)
            e = read_file(path, "portal.certificate", &out->certificate, why, cap);
    }
    if (e == ERR_OK)
        e = read_file(key[0] != '\0' ? key : path, "portal.key_file", &out->key, why, cap);
    if (e == ERR_OK && out->key.shared)
        e = fail(why, cap, ERR_INVALID, "others may read the private key in %s%s; forbid it with: chmod 600 FILE",
                 key[0] != '\0' ? key : path, "");
    if (e != ERR_OK)
        papers_done(out);
    return e;
}

void papers_done(struct papers *p)
{
    config_file_done(&p->certificate);
    config_file_done(&p->key);
}
