/*
 * Which names a certificate proves (RFC 4945 3.1 and 5.1.3.6): the identity of an ID payload must stand in it, as the
 * subject for a distinguished name and as a subjectAltName for all else. Wildcards and host names in the subject count
 * for nothing.
 */
#include "pki/pki_internal.h"

#include <openssl/asn1.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define CHECK_FLAGS (X509_CHECK_FLAG_NO_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)

/* ---- the identity of an ID payload ---- */

static bool subject_is(X509 *x, struct view der)
{
    const uint8_t *p = der.p;
    X509_NAME *name = d2i_X509_NAME(NULL, &p, (long)der.n);
    bool same = name != NULL && p == der.p + der.n && X509_NAME_entry_count(name) > 0 &&
                X509_NAME_cmp(name, X509_get_subject_name(x)) == 0;
    X509_NAME_free(name);
    return same;
}

static bool has_general_name(X509 *x, struct view der)
{
    const uint8_t *p = der.p;
    GENERAL_NAME *name = d2i_GENERAL_NAME(NULL, &p, (long)der.n);
    GENERAL_NAMES *all = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    bool found = false;
    for (int i = 0; name != NULL && p == der.p + der.n && !found && i < sk_GENERAL_NAME_num(all); i++)
        found = GENERAL_NAME_cmp(name, sk_GENERAL_NAME_value(all, i)) == 0;
    GENERAL_NAMES_free(all);
    GENERAL_NAME_free(name);
    return found;
}

/* OpenSSL takes ".example.com" for any host of the domain. */
static bool has_host(X509 *x, const char *host, size_t n)
{
    return n > 0 && host[0] != '.' && X509_check_host(x, host, n, CHECK_FLAGS, NULL) == 1;
}

static bool has_mail(X509 *x, const char *mail, size_t n)
{
    return n > 0 && X509_check_email(x, mail, n, CHECK_FLAGS) == 1;
}

bool pki_id_matches(X509 *certificate, const struct pki_id *id)
{
    const char *text = (const char *)id->body.p;
    size_t n = id->body.n;
    if (n == 0 || n > PKI_CERTIFICATE_MAX)
        return false;
    switch (id->type) {
    case PKI_ID_IPV4:
        return n == 4 && X509_check_ip(certificate, id->body.p, n, CHECK_FLAGS) == 1;
    case PKI_ID_IPV6:
        return n == 16 && X509_check_ip(certificate, id->body.p, n, CHECK_FLAGS) == 1;
    case PKI_ID_FQDN:
        return has_host(certificate, text, n);
    case PKI_ID_USER_FQDN:
        return has_mail(certificate, text, n);
    case PKI_ID_DER_ASN1_DN:
        return subject_is(certificate, id->body);
    case PKI_ID_DER_ASN1_GN:
        return has_general_name(certificate, id->body);
    default:
        return false;
    }
}

/* ---- the name that was asked for ---- */

/* One "TYPE=value", blanks around it cut, "\," a comma. Returns what follows it, NULL when it is none. */
static const char *take_part(const char *text, char type[static 32], char value[static PKI_NAME_MAX])
{
    size_t n = 0;
    text += strspn(text, " ");
    size_t word = strcspn(text, "=");
    if (word == 0 || word >= 32 || text[word] != '=')
        return NULL;
    memcpy(type, text, word);
    type[word] = '\0';
    for (text += word + 1; *text != '\0' && *text != ','; text++) {
        text += *text == '\\' && text[1] != '\0';
        if (n == PKI_NAME_MAX - 1)
            return NULL;
        value[n++] = *text;
    }
    while (n > 0 && value[n - 1] == ' ')
        n--;
    value[n] = '\0';
    return *text == ',' ? text + 1 : text;
}

/* People write names in both orders. at: -1 puts each part behind, 0 before the others. */
static bool subject_is_text(X509 *x, const char *text, int at)
{
    char type[32], value[PKI_NAME_MAX];
    X509_NAME *name = X509_NAME_new();
    bool ok = name != NULL && *text != '\0';
    while (ok && *text != '\0') {
        text = take_part(text, type, value);
        ok = text != NULL &&
             X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8, (const uint8_t *)value, -1, at, 0) == 1;
    }
    ok = ok && X509_NAME_cmp(name, X509_get_subject_name(x)) == 0;
    X509_NAME_free(name);
    return ok;
}

bool pki_expect_matches(X509 *certificate, const char *expect)
{
    struct ip_addr ip;
    if (expect == NULL || expect[0] == '\0')
        return true;
    if (ip_parse(expect, &ip) == ERR_OK)
        return X509_check_ip(certificate, ip.b, ip_addr_size(&ip), CHECK_FLAGS) == 1;
    if (strchr(expect, '=') != NULL)
        return subject_is_text(certificate, expect, -1) || subject_is_text(certificate, expect, 0);
    if (strchr(expect, '@') != NULL)
        return has_mail(certificate, expect, strlen(expect));
    return has_host(certificate, expect, strlen(expect));
}

/* ---- for people ---- */

static void address_text(struct view bytes, char out[static PKI_NAME_MAX])
{
    char text[IP_TEXT_MAX];
    struct ip_addr ip = {.family = bytes.n == 4 ? 4 : bytes.n == 16 ? 6 : 0};
    if (ip.family == 0) {
        snprintf(out, PKI_NAME_MAX, "an address of %zu bytes", bytes.n);
        return;
    }
    memcpy(ip.b, bytes.p, bytes.n);
    snprintf(out, PKI_NAME_MAX, "%s", ip_text(&ip, text));
}

static void general_name_text(const GENERAL_NAME *name, char out[static PKI_NAME_MAX])
{
    int type;
    const void *value = GENERAL_NAME_get0_value(name, &type);
    if (type == GEN_DNS || type == GEN_EMAIL || type == GEN_URI || type == GEN_IPADD) {
        const ASN1_STRING *s = value;
        struct view text = view_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
        if (type == GEN_IPADD)
            address_text(text, out);
        else
            view_copy_text(out, PKI_NAME_MAX, text);
    } else if (type == GEN_DIRNAME) {
        pki_name_text(value, out);
    } else {
        snprintf(out, PKI_NAME_MAX, "a name of another kind");
    }
}

void pki_names_text(X509 *certificate, char out[static PKI_NAME_MAX])
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    char one[PKI_NAME_MAX];
    size_t n = 0;
    snprintf(out, PKI_NAME_MAX, "no other name");
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        general_name_text(sk_GENERAL_NAME_value(names, i), one);
        if (n + strlen(one) + sizeof ", ..." > PKI_NAME_MAX) {
            snprintf(out + n, PKI_NAME_MAX - n, "%s...", n > 0 ? ", " : "");
            break;
        }
        n += (size_t)snprintf(out + n, PKI_NAME_MAX - n, "%s%s", n > 0 ? ", " : "", one);
    }
    GENERAL_NAMES_free(names);
}

void pki_id_text(const struct pki_id *id, char out[static PKI_NAME_MAX])
{
    const uint8_t *p = id->body.p;
    X509_NAME *name = NULL;
    GENERAL_NAME *general = NULL;
    if (id->type == PKI_ID_IPV4 || id->type == PKI_ID_IPV6)
        address_text(id->body, out);
    else if (id->type == PKI_ID_DER_ASN1_DN && (name = d2i_X509_NAME(NULL, &p, (long)id->body.n)) != NULL)
        pki_name_text(name, out);
    else if (id->type == PKI_ID_DER_ASN1_GN && (general = d2i_GENERAL_NAME(NULL, &p, (long)id->body.n)) != NULL)
        general_name_text(general, out);
    else
        view_copy_text(out, PKI_NAME_MAX, id->body);
    X509_NAME_free(name);
    GENERAL_NAME_free(general);
}
