/* Open Network Configuration (.onc), as a Chromebook imports it at chrome://network: one network and its certificates.
 */
#include "handout/handout_internal.h"

#include <string.h>

static void put_member(struct writer *w, const char *key, struct view value)
{
    put(w, "\"");
    put(w, key);
    put(w, "\": ");
    quote_json(w, value);
}

static void put_base64_member(struct writer *w, const char *key, struct view bytes)
{
    put(w, "\"");
    put(w, key);
    put(w, "\": \"");
    put_base64(w, bytes);
    put(w, "\"");
}

static enum err put_guid(const struct job *j, const char *key, const char *part)
{
    char uuid[UUID_TEXT_MAX];
    const enum err result = uuid_of(j->h, part, uuid);
    if (result == ERR_OK)
        put_member(j->w, key, view_str(uuid));
    return result;
}

static enum err put_ipsec(const struct job *j)
{
    const struct handout *h = j->h;
    char authority[UUID_TEXT_MAX];
    enum err result = ERR_OK;
    put(j->w, "        \"IPsec\": {\"IKEVersion\": 1, \"SaveCredentials\": true, ");
    if (!by_certificate(h)) {
        put(j->w, "\"AuthenticationType\": \"PSK\", ");
        put_member(j->w, "PSK", h->psk);
    } else {
        put(j->w, "\"AuthenticationType\": \"Cert\", \"ClientCertType\": \"Ref\", ");
        result = put_guid(j, "ClientCertRef", "identity");
        if (result == ERR_OK)
            result = uuid_of(h, "authority", authority);
        if (result == ERR_OK) {
            put(j->w, ", \"ServerCARefs\": [");
            quote_json(j->w, view_str(authority));
            put(j->w, "]");
        }
    }
    put(j->w, "},\n");
    return result;
}

static enum err put_certificates(const struct job *j)
{
    const struct handout *h = j->h;
    put(j->w, "  \"Certificates\": [\n    {");
    enum err result = put_guid(j, "GUID", "identity");
    put(j->w, ", \"Type\": \"Client\", ");
    put_base64_member(j->w, "PKCS12", h->certificate.p12);
    put(j->w, "},\n    {");
    if (result == ERR_OK)
        result = put_guid(j, "GUID", "authority");
    put(j->w, ", \"Type\": \"Authority\", \"X509\": \"-----BEGIN CERTIFICATE-----\\n");
    put_pem(j->w, h->certificate.authority);
    put(j->w, "\\n-----END CERTIFICATE-----\"");
    put(j->w, "}\n  ],\n");
    return result;
}

/* What an import would refuse: the specification wants the server's authority beside a certificate, and opens PKCS#12
 * with an empty password alone. */
static enum err check_certificate(const struct job *j)
{
    const struct handout *h = j->h;
    if (!by_certificate(h))
        return ERR_OK;
    if (h->certificate.p12.n == 0)
        return refuse(j, TEXT_NO_P12);
    if (h->certificate.authority.n == 0)
        return refuse(j, TEXT_CHROMEOS_AUTHORITY);
    return h->certificate.password[0] == '\0' ? ERR_OK : refuse(j, TEXT_CHROMEOS_PASSWORD);
}

enum err write_onc(const struct job *j)
{
    const struct handout *h = j->h;
    struct writer *w = j->w;
    if (strstr(h->user, "${") != NULL)
        return refuse(j, TEXT_CHROMEOS_USER);
    enum err result = check_certificate(j);
    if (result != ERR_OK)
        return result;
    put(w, "{\n  \"Type\": \"UnencryptedConfiguration\",\n");
    if (by_certificate(h))
        result = put_certificates(j);
    put(w, "  \"NetworkConfigurations\": [\n    {\n      ");
    if (result == ERR_OK)
        result = put_guid(j, "GUID", "connection");
    put(w, ",\n      ");
    put_member(w, "Name", view_str(h->name));
    put(w, ",\n      \"Type\": \"VPN\",\n      \"VPN\": {\n        \"Type\": \"L2TP-IPsec\",\n        ");
    put_member(w, "Host", view_str(h->server));
    put(w, ",\n");
    if (result == ERR_OK)
        result = put_ipsec(j);
    put(w, "        \"L2TP\": {");
    put_member(w, "Username", view_str(h->user));
    put(w, ", \"SaveCredentials\": false}\n      }\n    }\n  ]\n}\n");
    return result;
}
