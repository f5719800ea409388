/*
 * Certificates for gateways and clients, fit for what looks at them: Windows wants the usage "IKE intermediate" or that
 * of its role, macOS and iOS the server's name as subjectAltName, libreswan and strongSwan the profile of RFC 4945.
 */
#include "pki/pki_internal.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define USAGE_IKE "1.3.6.1.5.5.7.3.17,1.3.6.1.5.5.8.2.2" /* id-kp-ipsecIKE, IKE intermediate */

/* ---- other names ---- */

static bool is_host(const char *text)
{
    size_t n = strlen(text);
    if (n == 0 || n > 253 || text[0] == '.' || text[0] == '-' || strstr(text, "..") != NULL)
        return false;
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") == n;
}

static bool is_mail(const char *text)
{
    const char *at = strchr(text, '@');
    if (at == NULL || at == text || strlen(text) > 254 || !is_host(at + 1))
        return false;
    for (const char *p = text; *p != '\0'; p++)
        if (*p <= ' ' || *p >= 0x7f || *p == ',' || *p == '<' || *p == '>')
            return false;
    return true;
}

static const char *after(const char *text, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncasecmp(text, prefix, n) == 0 ? text + n : NULL;
}

/* The kind of a name, GEN_DNS and so on; *value is where it begins. 0: none that we know. */
static int classify(const char *text, const char **value)
{
    struct ip_addr ip;
    if ((*value = after(text, "DNS:")) != NULL)
        return is_host(*value) ? GEN_DNS : 0;
    if ((*value = after(text, "IP:")) != NULL)
        return ip_parse(*value, &ip) == ERR_OK ? GEN_IPADD : 0;
    if ((*value = after(text, "email:")) != NULL)
        return is_mail(*value) ? GEN_EMAIL : 0;
    *value = text;
    if (ip_parse(text, &ip) == ERR_OK)
        return GEN_IPADD;
    return is_mail(text) ? GEN_EMAIL : is_host(text) ? GEN_DNS : 0;
}

static bool push_name(GENERAL_NAMES *names, int type, const char *value)
{
    GENERAL_NAME *name = a2i_GENERAL_NAME(NULL, NULL, NULL, type, value, 0);
    if (name != NULL && sk_GENERAL_NAME_push(names, name) > 0)
        return true;
    GENERAL_NAME_free(name);
    return false;
}

static enum err add_names(X509 *x, const struct pki_plan *plan, char why[static PKI_WHY_MAX])
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    enum err e = names != NULL ? ERR_OK : ERR_NOMEM;
    for (size_t i = 0; e == ERR_OK && i < plan->san_count; i++) {
        const char *value;
        int type = classify(plan->sans[i], &value);
        if (type == 0) {
            pki_say(why, "\"%s\" is no host name, address or mail address.", plan->sans[i]);
            e = ERR_INVALID;
        } else if (!push_name(names, type, value)) {
            e = ERR_NOMEM;
        }
    }
    if (e == ERR_OK && X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) != 1)
        e = ERR_CRYPTO;
    GENERAL_NAMES_free(names);
    return e;
}

/* ---- where to ask about revocation ---- */

/* The values below are parsed by OpenSSL, so nothing that parts them may stand in a URL. */
static bool url_fits(const char *url)
{
    size_t n = strlen(url);
    if (n >= PKI_URL_MAX || strncmp(url, "http://", 7) != 0)
        return false;
    for (size_t i = 0; i < n; i++)
        if (url[i] <= ' ' || url[i] >= 0x7f || strchr(",;\"\\", url[i]) != NULL)
            return false;
    return true;
}

static enum err add_url(X509 *x, X509 *issuer, int nid, const char *prefix, const char *url,
                        char why[static PKI_WHY_MAX])
{
    char value[PKI_URL_MAX + 16];
    if (url == NULL)
        return ERR_OK;
    if (!url_fits(url)) {
        pki_say(why, "\"%s\" is no address of the form http://HOST/PATH.", url);
        return ERR_INVALID;
    }
    snprintf(value, sizeof value, "%s%s", prefix, url);
    return pki_extension_add(x, issuer, nid, value) ? ERR_OK : ERR_CRYPTO;
}

/* ---- issuing ---- */

static bool add_usages(X509 *x, X509 *issuer, const struct pki_plan *plan)
{
    char usage[128];
    bool rsa = plan->kind != PKI_KIND_ECDSA_256 && plan->kind != PKI_KIND_ECDSA_384;
    snprintf(usage, sizeof usage, "%s%s" USAGE_IKE, plan->server ? "serverAuth," : "",
             plan->client ? "clientAuth," : "");
    return pki_extension_add(x, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
           pki_extension_add(x, issuer, NID_key_usage,
                             rsa ? "critical,digitalSignature,keyEncipherment" : "critical,digitalSignature") &&
           pki_extension_add(x, issuer, NID_ext_key_usage, usage) &&
           pki_extension_add(x, issuer, NID_subject_key_identifier, "hash") &&
           pki_extension_add(x, issuer, NID_authority_key_identifier, "keyid:always");
}

static enum err fill(const struct pki_ca *ca, const struct pki_plan *plan, X509 *x, EVP_PKEY *key,
                     char why[static PKI_WHY_MAX])
{
    int64_t end = pki_time(X509_get0_notAfter(ca->certificate));
    enum err e = pki_certificate_begin(x, plan->name, plan->from, plan->until < end ? plan->until : end, key,
                                       ca->certificate, why);
    if (e == ERR_OK && !add_usages(x, ca->certificate, plan))
        e = ERR_CRYPTO;
    if (e == ERR_OK && plan->san_count > 0)
        e = add_names(x, plan, why);
    if (e == ERR_OK)
        e = add_url(x, ca->certificate, NID_crl_distribution_points, "URI:", plan->crl_url, why);
    if (e == ERR_OK)
        e = add_url(x, ca->certificate, NID_info_access, "OCSP;URI:", plan->ocsp_url, why);
    if (e == ERR_OK && X509_sign(x, ca->key, pki_digest_for(ca->key)) <= 0)
        e = ERR_CRYPTO;
    return e;
}

enum err pki_issue(const struct pki_ca *ca, const struct pki_plan *plan, struct pki_issued *out,
                   char why[static PKI_WHY_MAX])
{
    struct pki_issued made = {0};
    if ((!plan->server && !plan->client) || plan->san_count > PKI_SANS_MAX) {
        pki_say(why, "A certificate is for a server, a client or both, and has at most %d names.", PKI_SANS_MAX);
        return ERR_INVALID;
    }
    pki_say(why, "The crypto library failed.");
    EVP_PKEY *key = pki_key_make(plan->kind);
    X509 *x = X509_new();
    enum err e = key != NULL && x != NULL ? fill(ca, plan, x, key, why) : ERR_CRYPTO;
    if (e == ERR_OK)
        e = pki_certificate_pem(x, &made.certificate);
    if (e == ERR_OK)
        e = pki_key_pem(key, &made.key);
    if (e == ERR_OK) {
        pki_serial_text(X509_get0_serialNumber(x), made.serial);
        made.until = pki_time(X509_get0_notAfter(x));
        *out = made;
    } else {
        pki_issued_done(&made);
    }
    X509_free(x);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return e;
}

void pki_issued_done(struct pki_issued *i)
{
    pki_bytes_free(&i->certificate);
    pki_bytes_free(&i->key);
}
