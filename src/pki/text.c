/* Sentences, names, dates and numbers of certificates for people; and bytes that leave the module. */
#include "pki/pki_internal.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Takes the beginning of a character of UTF-8 off the end of text that was cut. */
static void cut_whole(char *text)
{
    size_t n = strlen(text), at = n;
    while (at > 0 && ((uint8_t)text[at - 1] & 0xc0) == 0x80)
        at--;
    if (at == 0 || (uint8_t)text[at - 1] < 0xc0)
        return;
    uint8_t first = (uint8_t)text[at - 1];
    size_t want = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (n - (at - 1) < want)
        text[at - 1] = '\0';
}

void pki_say(char why[static PKI_WHY_MAX], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (vsnprintf(why, PKI_WHY_MAX, format, args) >= PKI_WHY_MAX)
        cut_whole(why);
    va_end(args);
}

const char *pki_name_text(const X509_NAME *name, char out[static PKI_NAME_MAX])
{
    unsigned long flags = XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_DN_REV | XN_FLAG_FN_SN | ASN1_STRFLGS_ESC_CTRL |
                          ASN1_STRFLGS_UTF8_CONVERT | ASN1_STRFLGS_DUMP_UNKNOWN | ASN1_STRFLGS_DUMP_DER;
    BIO *bio = BIO_new(BIO_s_mem());
    snprintf(out, PKI_NAME_MAX, "a name that cannot be read");
    if (bio != NULL && X509_NAME_print_ex(bio, name, 0, flags) >= 0) {
        const char *text;
        long n = BIO_get_mem_data(bio, &text);
        if (n <= 0)
            snprintf(out, PKI_NAME_MAX, "a certificate without a subject");
        else if (snprintf(out, PKI_NAME_MAX, "%.*s", (int)(n < PKI_NAME_MAX ? n : PKI_NAME_MAX), text) >= PKI_NAME_MAX)
            cut_whole(out);
    }
    BIO_free(bio);
    return out;
}

const char *pki_date_text(const ASN1_TIME *t, char out[static PKI_DATE_MAX])
{
    struct tm tm;
    if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
        snprintf(out, PKI_DATE_MAX, "an unknown date");
    else
        snprintf(out, PKI_DATE_MAX, "%04u-%02u-%02u %02u:%02u UTC", (unsigned)(tm.tm_year + 1900) % 10000,
                 (unsigned)(tm.tm_mon + 1) % 100, (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100,
                 (unsigned)tm.tm_min % 100);
    return out;
}

int64_t pki_time(const ASN1_TIME *t)
{
    int days = 0, seconds = 0;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    if (t == NULL || epoch == NULL || ASN1_TIME_diff(&days, &seconds, epoch, t) != 1)
        days = seconds = 0;
    ASN1_TIME_free(epoch);
    return (int64_t)days * 86400 + seconds;
}

void pki_serial_text(const ASN1_INTEGER *serial, char out[static PKI_SERIAL_MAX])
{
    BIGNUM *number = ASN1_INTEGER_to_BN(serial, NULL);
    char *hex = number != NULL ? BN_bn2hex(number) : NULL;
    snprintf(out, PKI_SERIAL_MAX, "%s", hex != NULL ? hex : "?");
    OPENSSL_free(hex);
    BN_free(number);
}

const char *pki_key_name(enum pki_key k)
{
    switch (k) {
    case PKI_KEY_RSA:
        return "RSA";
    case PKI_KEY_ECDSA_256:
        return "ECDSA-256";
    case PKI_KEY_ECDSA_384:
        return "ECDSA-384";
    case PKI_KEY_ECDSA_521:
        return "ECDSA-521";
    case PKI_KEY_NONE:
        break;
    }
    return "none";
}

enum err pki_bytes_take(BIO *bio, struct pki_bytes *out)
{
    char *data = NULL;
    long n = bio != NULL ? BIO_get_mem_data(bio, &data) : 0;
    char *copy = bio != NULL && n >= 0 ? malloc((size_t)n + 1) : NULL;
    if (copy != NULL) {
        if (n > 0)
            memcpy(copy, data, (size_t)n);
        copy[n] = '\0';
        *out = (struct pki_bytes){copy, (size_t)n};
    }
    if (n > 0)
        bytes_wipe(data, (size_t)n);
    BIO_free(bio);
    return copy != NULL ? ERR_OK : ERR_NOMEM;
}

void pki_bytes_free(struct pki_bytes *b)
{
    if (b->p != NULL)
        bytes_wipe(b->p, b->n);
    free(b->p);
    *b = (struct pki_bytes){0};
}
