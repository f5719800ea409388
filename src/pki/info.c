/* A certificate in the words of a list. */
#include "pki/pki_internal.h"

#include <openssl/x509v3.h>

enum err pki_info_read(struct view file, struct pki_info *out)
{
    char why[PKI_WHY_MAX];
    STACK_OF(X509) *found = NULL;
    if (pki_read_certificates(file, PKI_AUTHORITIES_MAX, &found, why) != ERR_OK)
        return ERR_MALFORMED;
    X509 *x = sk_X509_value(found, 0);
    pki_name_text(X509_get_subject_name(x), out->subject);
    pki_name_text(X509_get_issuer_name(x), out->issuer);
    pki_serial_text(X509_get0_serialNumber(x), out->serial);
    out->from = pki_time(X509_get0_notBefore(x));
    out->until = pki_time(X509_get0_notAfter(x));
    out->authority = X509_check_ca(x) != 0;
    uint32_t usage = X509_get_extended_key_usage(x); /* all bits when it has none */
    out->server = !out->authority && (usage & XKU_SSL_SERVER) != 0;
    out->client = !out->authority && (usage & XKU_SSL_CLIENT) != 0;
    sk_X509_pop_free(found, X509_free);
    ERR_clear_error();
    return ERR_OK;
}
