/* A configuration profile of macOS and iOS (.mobileconfig): a property list in XML with one payload for the VPN and one
 * for each certificate, after Apple's reference of configuration profiles. */
#include "handout/handout_internal.h"

static void put_key(struct writer *w, const char *key)
{
    put(w, "<key>");
    put(w, key);
    put(w, "</key>\n");
}

static void put_string(struct writer *w, const char *key, struct view value)
{
    put_key(w, key);
    put(w, "<string>");
    quote_xml(w, value);
    put(w, "</string>\n");
}

static void put_integer(struct writer *w, const char *key, uint32_t n)
{
    put_key(w, key);
    put(w, "<integer>");
    put_number(w, n);
    put(w, "</integer>\n");
}

static void put_data(struct writer *w, const char *key, struct view bytes)
{
    put_key(w, key);
    put(w, "<data>");
    put_base64(w, bytes);
    put(w, "</data>\n");
}

/* What every payload has, the profile as a whole too. */
static enum err put_payload(const struct job *j, const char *type, const char *part, const char *title)
{
    char whole[UUID_TEXT_MAX], uuid[UUID_TEXT_MAX];
    struct writer *w = j->w;
    enum err result = uuid_of(j->h, "profile", whole);
    if (result == ERR_OK)
        result = uuid_of(j->h, part, uuid);
    if (result != ERR_OK)
        return result;
    put_string(w, "PayloadType", view_str(type));
    put_integer(w, "PayloadVersion", 1);
    put_key(w, "PayloadIdentifier");
    put(w, "<string>sekisho.");
    put(w, whole);
    put(w, ".");
    put(w, part);
    put(w, "</string>\n");
    put_string(w, "PayloadUUID", view_str(uuid));
    put_string(w, "PayloadDisplayName", view_str(title));
    return ERR_OK;
}

static enum err put_ipsec(const struct job *j)
{
    const struct handout *h = j->h;
    char uuid[UUID_TEXT_MAX];
    const enum err result = uuid_of(h, "identity", uuid);
    put_key(j->w, "IPSec");
    put(j->w, "<dict>\n");
    put_string(j->w, "AuthenticationMethod", view_str(by_certificate(h) ? "Certificate" : "SharedSecret"));
    if (by_certificate(h))
        put_string(j->w, "PayloadCertificateUUID", view_str(uuid));
    else
        put_data(j->w, "SharedSecret", h->psk);
    put(j->w, "</dict>\n");
    return result;
}

/* The VPN. Routes are not in it: Apple's PPP asks the gateway for them (DHCPINFORM) where it does not send all. */
static enum err put_vpn(const struct job *j)
{
    const struct handout *h = j->h;
    struct writer *w = j->w;
    put(w, "<dict>\n");
    enum err result = put_payload(j, "com.apple.vpn.managed", "vpn", h->name);
    put_string(w, "UserDefinedName", view_str(h->name));
    put_string(w, "VPNType", view_str("L2TP"));
    put_key(w, "PPP");
    put(w, "<dict>\n");
    put_string(w, "CommRemoteAddress", view_str(h->server));
    put_string(w, "AuthName", view_str(h->user));
    put(w, "</dict>\n");
    if (result == ERR_OK)
        result = put_ipsec(j);
    put_key(w, "IPv4");
    put(w, "<dict>\n");
    put_integer(w, "OverridePrimary", h->everything);
    put(w, "</dict>\n</dict>\n");
    return result;
}

static enum err put_identity(const struct job *j)
{
    put(j->w, "<dict>\n");
    const enum err result = put_payload(j, "com.apple.security.pkcs12", "identity", j->h->user);
    if (j->h->certificate.password[0] != '\0')
        put_string(j->w, "Password", view_str(j->h->certificate.password));
    put_data(j->w, "PayloadContent", j->h->certificate.p12);
    put(j->w, "</dict>\n");
    return result;
}

static enum err put_authority(const struct job *j)
{
    put(j->w, "<dict>\n");
    const enum err result =
        put_payload(j, "com.apple.security.root", "authority", text_of(TEXT_AUTHORITY_OF_GATEWAY, j->language));
    put_key(j->w, "PayloadContent");
    put(j->w, "<data>");
    put_pem(j->w, j->h->certificate.authority);
    put(j->w, "</data>\n");
    put(j->w, "</dict>\n");
    return result;
}

enum err write_apple(const struct job *j)
{
    struct writer *w = j->w;
    put(w, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
           "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
           "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
           "<plist version=\"1.0\">\n<dict>\n");
    enum err result = put_payload(j, "Configuration", "profile", j->h->name);
    put_string(w, "PayloadDescription", view_str(text_of(TEXT_APPLE_DESCRIPTION, j->language)));
    put_key(w, "PayloadContent");
    put(w, "<array>\n");
    if (result == ERR_OK)
        result = put_vpn(j);
    if (result == ERR_OK && by_certificate(j->h))
        result = put_identity(j);
    if (result == ERR_OK && by_certificate(j->h) && j->h->certificate.authority.n > 0)
        result = put_authority(j);
    put(w, "</array>\n</dict>\n</plist>\n");
    return result;
}
