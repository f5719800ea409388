/* An authority, a certificate of it whose key is nobody's secret, and a chain of the two. */
#ifndef SEKISHO_FUZZ_PKI_RIG_H
#define SEKISHO_FUZZ_PKI_RIG_H

#include <stdlib.h>
#include <string.h>

#include "pki/pki.h"

#define MUST(what)                                                                                                     \
    do {                                                                                                               \
        if (!(what))                                                                                                   \
            abort();                                                                                                   \
    } while (0)

#define RIG_WALL ((int64_t)1797000000) /* 2026-12: the seeds are of this time */

static const char rig_ca[] = "-----BEGIN CERTIFICATE-----\n"
                             "MIIBgTCCASegAwIBAgIQdHwI3nNLTKvlGhfXJedv8DAKBggqhkjOPQQDAjAPMQ0w\n"
                             "CwYDVQQDDARGdXp6MCAXDTI2MTEyNjIyMDg0MFoYDzIwNzYxMTEzMjMwODQwWjAP\n"
                             "MQ0wCwYDVQQDDARGdXp6MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEzgJn0FW6\n"
                             "WaXiH3/KQkeyNrFUNrbqs/CqG/00BxjkuqSK4BiLKX3razySUxYmntpWLJ1a84aG\n"
                             "wsbSHANS2WQdlqNjMGEwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAQYw\n"
                             "HQYDVR0OBBYEFJLCsB2hmJAYJAmntAlydiTlnO3kMB8GA1UdIwQYMBaAFJLCsB2h\n"
                             "mJAYJAmntAlydiTlnO3kMAoGCCqGSM49BAMCA0gAMEUCIDpplZCgrgh7A9LoLexM\n"
                             "zZPgY6tSpOkUzS2hUbnJO9g6AiEAibduqOHmKvRboJwYgKPbOOtSPXCp3G8+8clz\n"
                             "QUormdM=\n"
                             "-----END CERTIFICATE-----\n";

static const char rig_credential[] = "-----BEGIN CERTIFICATE-----\n"
                                     "MIIB+DCCAZ2gAwIBAgIQfgj2c23HPGobMdDf4MgSQzAKBggqhkjOPQQDAjAPMQ0w\n"
                                     "CwYDVQQDDARGdXp6MB4XDTI2MTEyNjIyMDg0MFoXDTQ2MTEyMTIzMDg0MFowEDEO\n"
                                     "MAwGA1UEAwwFYWxpY2UwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATf5Ujkviy9\n"
                                     "Wi4HVZFq45j8IVQsbe42AqbSuKE3e5DhCWCVxTVeWEXvLDmtKB5x4w+2rPwY/qhW\n"
                                     "ommKUVyt+cBfo4HZMIHWMAwGA1UdEwEB/wQCMAAwDgYDVR0PAQH/BAQDAgeAMCcG\n"
                                     "A1UdJQQgMB4GCCsGAQUFBwMCBggrBgEFBQcDEQYIKwYBBQUIAgIwHQYDVR0OBBYE\n"
                                     "FCsl89fxgpaYZSaCCV/CTjn1mfvdMB8GA1UdIwQYMBaAFJLCsB2hmJAYJAmntAly\n"
                                     "diTlnO3kMBwGA1UdEQQVMBOBEWFsaWNlQGV4YW1wbGUuY29tMC8GCCsGAQUFBwEB\n"
                                     "BCMwITAfBggrBgEFBQcwAYYTaHR0cDovLzEyNy4wLjAuMTo5LzAKBggqhkjOPQQD\n"
                                     "AgNJADBGAiEAl5X80cxbUqVoJSlK27sBKA0RII2yFc/tOUBWY/OGmNcCIQCJ0tRD\n"
                                     "mqx1UzB8t/emFa/wctjwwKCo9gMBzyJ0nOpWyQ==\n"
                                     "-----END CERTIFICATE-----\n"
                                     "-----BEGIN PRIVATE KEY-----\n"
                                     "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg3F4Hvt0uUxMMjFwT\n"
                                     "Pe8ihF12rbbLcoQLP8iWBOc6DWahRANCAATf5Ujkviy9Wi4HVZFq45j8IVQsbe42\n"
                                     "AqbSuKE3e5DhCWCVxTVeWEXvLDmtKB5x4w+2rPwY/qhWommKUVyt+cBf\n"
                                     "-----END PRIVATE KEY-----\n";

static const uint8_t rig_hash[20] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19};

static inline struct pki_trust *rig_trust(void)
{
    char why[PKI_WHY_MAX];
    struct pki_trust *t = pki_trust_new();
    MUST(t != NULL && pki_trust_add_authorities(t, view_str(rig_ca), why) == ERR_OK);
    return t;
}

/* Made once, kept. */
static inline const struct pki_chain *rig_chain(void)
{
    static struct pki_chain *chain;
    struct pki_credential *c = NULL;
    struct pki_verdict v;
    char why[PKI_WHY_MAX];
    uint8_t signature[PKI_SIGNATURE_MAX];
    size_t n;
    if (chain != NULL)
        return chain;
    MUST(pki_credential_read(view_str(rig_credential), VIEW_NONE, NULL, &c, why) == ERR_OK);
    struct pki_trust *t = rig_trust();
    struct pki_presented shown = {.key = pki_credential_key(c), .hash = VIEW(rig_hash), .id = pki_credential_id(c)};
    shown.certificates = pki_credential_certificates(c, &shown.certificate_count);
    MUST(pki_sign(c, shown.hash, signature, &n) == ERR_OK);
    shown.signature = view_of(signature, n);
    pki_verify(t, &shown, RIG_WALL, &v);
    MUST(v.cause == CAUSE_NONE);
    pki_trust_free(t);
    pki_credential_free(c);
    chain = v.chain;
    return chain;
}

static inline void rig_check_text(const char *text, size_t cap)
{
    MUST(memchr(text, 0, cap) != NULL);
}

#endif
