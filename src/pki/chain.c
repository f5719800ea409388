/* A chain that was verified, and where to ask about the revocation of its links (RFC 5280 4.2.1.13, 4.2.2.1). */
#include "pki/pki_internal.h"

#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

void pki_chain_free(struct pki_chain *c)
{
    if (c == NULL)
        return;
    sk_X509_pop_free(c->certificates, X509_free);
    free(c);
}

size_t pki_chain_length(const struct pki_chain *c)
{
    return (size_t)sk_X509_num(c->certificates);
}

X509 *pki_chain_issuer(const struct pki_chain *c, size_t link)
{
    return link + 1 < pki_chain_length(c) ? sk_X509_value(c->certificates, (int)link + 1) : NULL;
}

void pki_check_param(X509_VERIFY_PARAM *param, int64_t wall)
{
    X509_VERIFY_PARAM_set_time(param, (time_t)wall);
    X509_VERIFY_PARAM_set_auth_level(param, PKI_SECURITY_LEVEL);
    /* an authority need not be a root */
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
    /* counts what is between the peer's own and the root */
    X509_VERIFY_PARAM_set_depth(param, PKI_CHAIN_MAX - 2);
}

X509_STORE_CTX *pki_check_new(X509_STORE *store, X509 *certificate, STACK_OF(X509) * untrusted, int64_t wall)
{
    X509_STORE_CTX *check = X509_STORE_CTX_new();
    if (check == NULL || X509_STORE_CTX_init(check, store, certificate, untrusted) != 1) {
        X509_STORE_CTX_free(check);
        return NULL;
    }
    pki_check_param(X509_STORE_CTX_get0_param(check), wall);
    return check;
}

/* ---- addresses ---- */

/* Takes a URL that we can ask: http, printable, short enough. What it answers is signed, so https adds nothing, and
 * would need what is being judged. */
static bool take_url(const GENERAL_NAME *name, char out[static PKI_URL_MAX])
{
    static const char scheme[] = "http://";
    int type;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
    if (type != GEN_URI)
        return false;
    struct view url = view_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
    if (url.n < sizeof scheme || url.n >= PKI_URL_MAX || memcmp(url.p, scheme, sizeof scheme - 1) != 0)
        return false;
    for (size_t i = 0; i < url.n; i++)
        if (url.p[i] <= ' ' || url.p[i] >= 0x7f)
            return false;
    memcpy(out, url.p, url.n);
    out[url.n] = '\0';
    return true;
}

static void find_ocsp(X509 *x, char out[static PKI_URL_MAX])
{
    AUTHORITY_INFO_ACCESS *all = X509_get_ext_d2i(x, NID_info_access, NULL, NULL);
    bool found = false;
    for (int i = 0; !found && i < sk_ACCESS_DESCRIPTION_num(all); i++) {
        const ACCESS_DESCRIPTION *a = sk_ACCESS_DESCRIPTION_value(all, i);
        found = OBJ_obj2nid(a->method) == NID_ad_OCSP && take_url(a->location, out);
    }
    AUTHORITY_INFO_ACCESS_free(all);
}

/* Points with an issuer of their own (indirect CRLs) or for some reasons alone do not answer our question. */
static bool find_in_point(const DIST_POINT *point, char out[static PKI_URL_MAX])
{
    if (point->distpoint == NULL || point->distpoint->type != 0 || point->reasons != NULL || point->CRLissuer != NULL)
        return false;
    for (int i = 0; i < sk_GENERAL_NAME_num(point->distpoint->name.fullname); i++)
        if (take_url(sk_GENERAL_NAME_value(point->distpoint->name.fullname, i), out))
            return true;
    return false;
}

static void find_crl(X509 *x, char out[static PKI_URL_MAX])
{
    CRL_DIST_POINTS *all = X509_get_ext_d2i(x, NID_crl_distribution_points, NULL, NULL);
    bool found = false;
    for (int i = 0; !found && i < sk_DIST_POINT_num(all); i++)
        found = find_in_point(sk_DIST_POINT_value(all, i), out);
    CRL_DIST_POINTS_free(all);
}

void pki_chain_link(const struct pki_chain *c, size_t link, struct pki_link *out)
{
    *out = (struct pki_link){.root = true};
    if (link >= pki_chain_length(c))
        return;
    X509 *x = sk_X509_value(c->certificates, (int)link);
    pki_name_text(X509_get_subject_name(x), out->subject);
    out->known = c->known[link];
    out->root = link + 1 == pki_chain_length(c);
    find_ocsp(x, out->ocsp_url);
    find_crl(x, out->crl_url);
    ERR_clear_error();
}
