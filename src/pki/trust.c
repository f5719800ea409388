/* Whom we trust: authorities, and the CRLs that are at hand. */
#include "pki/pki_internal.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

struct pki_trust *pki_trust_new(void)
{
    struct pki_trust *t = calloc(1, sizeof *t);
    if (t != NULL && (t->store = X509_STORE_new()) == NULL) {
        free(t);
        t = NULL;
    }
    ERR_clear_error();
    return t;
}

void pki_trust_free(struct pki_trust *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->name_count; i++)
        free((void *)(uintptr_t)t->names[i].p);
    for (size_t i = 0; i < t->crl_count; i++)
        pki_crl_free(t->crls[i]);
    X509_STORE_free(t->store);
    free(t);
}

const struct view *pki_trust_names(const struct pki_trust *t, size_t *n)
{
    *n = t->name_count;
    return t->names;
}

/* ---- authorities ---- */

static enum err check_authorities(STACK_OF(X509) * found, char why[static PKI_WHY_MAX])
{
    char name[PKI_NAME_MAX];
    for (int i = 0; i < sk_X509_num(found); i++) {
        X509 *x = sk_X509_value(found, i);
        if (X509_check_ca(x) == 0) {
            pki_say(why, "%s is no authority: it may not sign certificates.",
                    pki_name_text(X509_get_subject_name(x), name));
            return ERR_INVALID;
        }
    }
    return ERR_OK;
}

static enum err add_authority(struct pki_trust *t, X509 *x)
{
    uint8_t *der = NULL;
    int n = i2d_X509_NAME(X509_get_subject_name(x), &der);
    uint8_t *copy = n > 0 ? malloc((size_t)n) : NULL;
    if (copy != NULL)
        memcpy(copy, der, (size_t)n);
    OPENSSL_free(der);
    if (copy == NULL || X509_STORE_add_cert(t->store, x) != 1) { /* the same once more is no failure */
        free(copy);
        return ERR_NOMEM;
    }
    struct view name = view_of(copy, (size_t)n);
    for (size_t i = 0; i < t->name_count; i++)
        if (view_equal(t->names[i], name)) { /* an authority that renewed its certificate */
            free(copy);
            return ERR_OK;
        }
    t->names[t->name_count++] = name;
    return ERR_OK;
}

enum err pki_trust_add_authorities(struct pki_trust *t, struct view file, char why[static PKI_WHY_MAX])
{
    STACK_OF(X509) *found = NULL;
    enum err e = pki_read_certificates(file, PKI_AUTHORITIES_MAX, &found, why);
    if (e == ERR_OK)
        e = check_authorities(found, why);
    if (e == ERR_OK && t->name_count + (size_t)sk_X509_num(found) > PKI_AUTHORITIES_MAX) {
        pki_say(why, "There are more than %d authorities.", PKI_AUTHORITIES_MAX);
        e = ERR_LIMIT;
    }
    for (int i = 0; e == ERR_OK && i < sk_X509_num(found); i++)
        if ((e = add_authority(t, sk_X509_value(found, i))) != ERR_OK)
            pki_say(why, "There is not enough memory.");
    sk_X509_pop_free(found, X509_free);
    ERR_clear_error();
    return e;
}

/* ---- CRLs ---- */

static enum err read_all(struct view file, struct pki_crl *found[static PKI_CRLS_MAX], size_t *n,
                         char why[static PKI_WHY_MAX])
{
    X509_CRL *crl = NULL;
    BIO *bio = BIO_new_mem_buf(file.p, (int)file.n);
    enum err e = bio != NULL ? ERR_OK : ERR_NOMEM;
    ERR_clear_error();
    while (e == ERR_OK && (crl = PEM_read_bio_X509_CRL(bio, NULL, pki_no_password, NULL)) != NULL) {
        struct pki_crl *c = *n < PKI_CRLS_MAX ? calloc(1, sizeof *c) : NULL;
        if (c == NULL) {
            X509_CRL_free(crl);
            e = *n < PKI_CRLS_MAX ? ERR_NOMEM : ERR_LIMIT;
        } else {
            c->crl = crl;
            found[(*n)++] = c;
        }
    }
    if (e == ERR_OK && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
        pki_say(why, "CRL %zu in it is damaged.", *n + 1);
        e = ERR_MALFORMED;
    }
    BIO_free(bio);
    return e;
}

enum err pki_trust_add_crls(struct pki_trust *t, struct view file, char why[static PKI_WHY_MAX])
{
    struct pki_crl *found[PKI_CRLS_MAX];
    size_t n = 0;
    enum err e;
    pki_say(why, "There are too many CRLs, or not enough memory.");
    if (file.n > PKI_CRL_MAX) {
        pki_say(why, "It is larger than %d bytes.", PKI_CRL_MAX);
        return ERR_LIMIT;
    }
    if (pki_is_pem(file))
        e = read_all(file, found, &n, why);
    else if ((e = pki_crl_read(file, &found[0])) == ERR_OK)
        n = 1;
    if (e == ERR_MALFORMED || (e == ERR_OK && n == 0)) {
        pki_say(why, "There is no CRL in it that can be read.");
        e = e == ERR_OK ? ERR_NOTFOUND : e;
    }
    if (e == ERR_OK && t->crl_count + n > PKI_CRLS_MAX)
        e = ERR_LIMIT;
    for (size_t i = 0; i < n; i++) {
        if (e == ERR_OK)
            t->crls[t->crl_count++] = found[i];
        else
            pki_crl_free(found[i]);
    }
    ERR_clear_error();
    return e;
}
