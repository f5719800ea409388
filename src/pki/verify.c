/*
 * The judgement of a peer: what it shows is parsed, a chain to a trusted authority is sought (RFC 5280 6), the profile
 * of IKE is applied to its own certificate (RFC 4945), and last its signature is tried. OpenSSL walks the chain; its
 * many reasons become the few causes that a person can act upon.
 */
#include "pki/pki_internal.h"

#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

static void refuse(struct pki_verdict *v, enum cause cause)
{
    v->cause = cause;
}

/* ---- what is shown ---- */

/* Any order: the peer's own is the first that is no authority. */
static X509 *find_own(STACK_OF(X509) * shown)
{
    for (int i = 0; i < sk_X509_num(shown); i++)
        if (X509_check_ca(sk_X509_value(shown, i)) == 0)
            return sk_X509_value(shown, i);
    return sk_X509_value(shown, 0);
}

static bool read_shown(const struct pki_presented *p, STACK_OF(X509) * shown, struct pki_verdict *v)
{
    if (p->certificate_count == 0 || p->certificate_count > PKI_CHAIN_MAX) {
        pki_say(v->detail, "It sent %zu certificates; 1 to %d will do.", p->certificate_count, PKI_CHAIN_MAX);
        return false;
    }
    for (size_t i = 0; i < p->certificate_count; i++) {
        if (!pki_read_certificate(p->certificates[i], PKI_CHAIN_MAX, shown)) {
            pki_say(v->detail, "Certificate %zu of those sent cannot be read.", i + 1);
            return false;
        }
    }
    return true;
}

/* ---- the chain ---- */

/* Keeps OpenSSL's verdict, in words of ours. */
static void explain_chain(X509_STORE_CTX *check, struct pki_verdict *v)
{
    X509 *at = X509_STORE_CTX_get_current_cert(check);
    char name[PKI_NAME_MAX], other[PKI_NAME_MAX], date[PKI_DATE_MAX];
    int error = X509_STORE_CTX_get_error(check);
    if (at == NULL)
        at = X509_STORE_CTX_get0_cert(check);
    pki_name_text(X509_get_subject_name(at), name);
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        refuse(v, CAUSE_CERT_EXPIRED);
        pki_say(v->detail, "%s expired on %s.", name, pki_date_text(X509_get0_notAfter(at), date));
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        refuse(v, CAUSE_CERT_NOT_YET);
        pki_say(v->detail, "%s is good from %s on.", name, pki_date_text(X509_get0_notBefore(at), date));
        break;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
        refuse(v, CAUSE_CERT_WEAK);
        pki_say(v->detail, "%s: %s.", name, X509_verify_cert_error_string(error));
        break;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
        refuse(v, CAUSE_CERT_UNKNOWN_CA);
        pki_say(v->detail, "%s was issued by %s.", name, pki_name_text(X509_get_issuer_name(at), other));
        break;
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        refuse(v, CAUSE_CERT_UNKNOWN_CA);
        pki_say(v->detail, "%s says to be issued by %s, but that authority has not signed it.", name,
                pki_name_text(X509_get_issuer_name(at), other));
        break;
    default:
        refuse(v, CAUSE_CERT_USAGE);
        pki_say(v->detail, "%s: %s.", name, X509_verify_cert_error_string(error));
    }
}

static bool walk_chain(const struct pki_trust *t, STACK_OF(X509) * shown, X509 *own, int64_t wall,
                       struct pki_verdict *v)
{
    X509_STORE_CTX *check = pki_check_new(t->store, own, shown, wall);
    struct pki_chain *chain = calloc(1, sizeof *chain);
    bool ok = check != NULL && chain != NULL && X509_verify_cert(check) == 1;
    if (ok && (chain->certificates = X509_STORE_CTX_get1_chain(check)) != NULL &&
        sk_X509_num(chain->certificates) <= PKI_CHAIN_MAX) {
        v->chain = chain;
    } else {
        if (check == NULL || chain == NULL || ok)
            refuse(v, CAUSE_NO_MEMORY);
        else
            explain_chain(check, v);
        pki_chain_free(chain);
    }
    X509_STORE_CTX_free(check);
    return v->cause == CAUSE_NONE;
}

/* ---- the profile of IKE ---- */

/* An extended key usage that names client or server means it; one that names neither but IKE is good for both, as is a
 * certificate without any (RFC 4945 5.1.3.12). */
static bool usage_fits(X509 *x, bool server)
{
    static const char *const ike[] = {
        "1.3.6.1.5.5.8.2.2",                                            /* IKE intermediate: Windows, macOS */
        "1.3.6.1.5.5.7.3.17",                                           /* id-kp-ipsecIKE */
        "1.3.6.1.5.5.7.3.5",  "1.3.6.1.5.5.7.3.6", "1.3.6.1.5.5.7.3.7", /* IPsec end system, tunnel, user: old */
        "2.5.29.37.0",                                                  /* any */
    };
    EXTENDED_KEY_USAGE *all = X509_get_ext_d2i(x, NID_ext_key_usage, NULL, NULL);
    bool absent = all == NULL, for_ike = false, for_server = false, for_client = false;
    for (int i = 0; i < sk_ASN1_OBJECT_num(all); i++) {
        const ASN1_OBJECT *object = sk_ASN1_OBJECT_value(all, i);
        char oid[64];
        for_server = for_server || OBJ_obj2nid(object) == NID_server_auth;
        for_client = for_client || OBJ_obj2nid(object) == NID_client_auth;
        OBJ_obj2txt(oid, sizeof oid, object, 1);
        for (size_t k = 0; k < ARRAY_LEN(ike); k++)
            for_ike = for_ike || strcmp(oid, ike[k]) == 0;
    }
    EXTENDED_KEY_USAGE_free(all);
    if (absent || (server ? for_server : for_client))
        return true;
    return for_ike && !for_server && !for_client;
}

static bool check_usage(X509 *own, bool server, struct pki_verdict *v)
{
    const char *what = NULL;
    if (X509_check_ca(own) != 0 && (X509_get_extension_flags(own) & EXFLAG_CA) != 0)
        what = "is that of an authority";
    else if ((X509_get_key_usage(own) & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) == 0) /* RFC 4945 5.1.3.2 */
        what = "has a key usage without digitalSignature";
    else if (!usage_fits(own, server))
        what = server ? "is not for servers by its extended key usage" : "is not for clients by its extended key usage";
    if (what == NULL)
        return true;
    refuse(v, CAUSE_CERT_USAGE);
    pki_say(v->detail, "%s %s.", v->subject, what);
    return false;
}

static bool check_revoked(const struct pki_trust *t, int64_t wall, struct pki_verdict *v)
{
    struct pki_revocation r;
    char name[PKI_NAME_MAX];
    for (size_t link = 0; link + 1 < pki_chain_length(v->chain); link++) {
        for (size_t i = 0; i < t->crl_count; i++) {
            pki_crl_judge(t->crls[i], v->chain, link, wall, &r);
            if (r.status == PKI_STATUS_REVOKED) {
                refuse(v, CAUSE_CERT_REVOKED);
                X509 *x = sk_X509_value(v->chain->certificates, (int)link);
                pki_say(v->detail, "%s %s", pki_name_text(X509_get_subject_name(x), name), r.detail);
                return false;
            }
            v->chain->known[link] = v->chain->known[link] || r.status == PKI_STATUS_GOOD;
        }
    }
    return true;
}

static bool check_names(const struct pki_presented *p, X509 *own, struct pki_verdict *v)
{
    char names[PKI_NAME_MAX], said[PKI_NAME_MAX];
    if (!pki_expect_matches(own, p->expect)) {
        refuse(v, CAUSE_CERT_NAME);
        pki_names_text(own, names);
        pki_say(v->detail, "%s was expected; the certificate is for %s and %s.", p->expect, v->subject, names);
        return false;
    }
    if (!pki_id_matches(own, &p->id)) {
        refuse(v, CAUSE_CERT_NAME);
        pki_names_text(own, names);
        pki_id_text(&p->id, said);
        pki_say(v->detail, "The other side says to be %s; its certificate is for %s and %s.", said, v->subject, names);
        return false;
    }
    return true;
}

static bool check_signature(const struct pki_presented *p, X509 *own, struct pki_verdict *v)
{
    EVP_PKEY *key = X509_get0_pubkey(own);
    enum pki_key kind = key != NULL ? pki_key_of(key) : PKI_KEY_NONE;
    if (kind == PKI_KEY_NONE) {
        refuse(v, CAUSE_CERT_USAGE);
        pki_say(v->detail, "The key of %s is of a kind that cannot sign in IKEv1.", v->subject);
    } else if (kind != p->key) {
        refuse(v, CAUSE_CERT_SIGNATURE);
        pki_say(v->detail, "The signature is %s, the key of %s is %s.", pki_key_name(p->key), v->subject,
                pki_key_name(kind));
    } else if (!pki_signature_holds(key, p->hash, p->signature)) {
        refuse(v, CAUSE_CERT_SIGNATURE);
        pki_say(v->detail, "The signature was not made with the key of %s.", v->subject);
    }
    return v->cause == CAUSE_NONE;
}

/* ---- all of it ---- */

static void judge(const struct pki_trust *t, const struct pki_presented *p, STACK_OF(X509) * shown, int64_t wall,
                  struct pki_verdict *v)
{
    if (!read_shown(p, shown, v)) {
        refuse(v, CAUSE_CERT_NONE);
        return;
    }
    X509 *own = find_own(shown);
    pki_name_text(X509_get_subject_name(own), v->subject);
    bool ok = walk_chain(t, shown, own, wall, v) && check_usage(own, p->server, v) && check_revoked(t, wall, v) &&
              check_names(p, own, v) && check_signature(p, own, v);
    if (!ok) {
        pki_chain_free(v->chain);
        v->chain = NULL;
    }
}

void pki_verify(const struct pki_trust *t, const struct pki_presented *p, int64_t wall, struct pki_verdict *out)
{
    *out = (struct pki_verdict){.cause = CAUSE_NONE};
    STACK_OF(X509) *shown = sk_X509_new_null();
    if (shown != NULL)
        judge(t, p, shown, wall, out);
    else
        refuse(out, CAUSE_NO_MEMORY);
    sk_X509_pop_free(shown, X509_free);
    ERR_clear_error();
}
