/* The PowerShell script for Windows: our values as assignments on top, then windows.ps1, which is the same for all. */
#include "handout/handout_internal.h"

#include <string.h>

static const uint8_t script[] = {
#include "handout/windows_script.h"
};

static void put_value(struct writer *w, const char *name, struct view value)
{
    put(w, "$");
    put(w, name);
    put(w, " = ");
    quote_powershell(w, value);
    put(w, "\n");
}

static void put_base64_value(struct writer *w, const char *name, struct view bytes)
{
    put(w, "$");
    put(w, name);
    put(w, " = '");
    put_base64(w, bytes);
    put(w, "'\n");
}

static void put_texts(const struct job *j)
{
    static const struct {
        const char *name;
        enum text text;
    } texts[] = {
        {"NoWindows", TEXT_PS_NO_WINDOWS},
        {"Elevate", TEXT_PS_ELEVATE},
        {"Refused", TEXT_PS_REFUSED},
        {"Connection", TEXT_PS_CONNECTION},
        {"Routes", TEXT_PS_ROUTES},
        {"Nat", TEXT_PS_NAT},
        {"Dns", TEXT_PS_DNS},
        {"Certificate", TEXT_PS_CERTIFICATE},
        {"Password", TEXT_PS_PASSWORD},
        {"Good", TEXT_PS_GOOD},
        {"Missing", TEXT_PS_MISSING},
        {"Restart", TEXT_PS_RESTART},
        {"Ready", TEXT_PS_READY},
        {"Removed", TEXT_PS_REMOVED},
    };
    put(j->w, "$text = @{\n");
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        put(j->w, "    ");
        put(j->w, texts[i].name);
        put(j->w, " = ");
        quote_powershell(j->w, view_str(text_of(texts[i].text, j->language)));
        put(j->w, "\n");
    }
    put(j->w, "}\n");
}

/* EAP stands alone: Windows takes no other method beside it. */
static void put_logins(const struct job *j)
{
    static const struct {
        uint32_t login;
        const char *word;
    } words[] = {{HANDOUT_MSCHAPV2, "'MSChapv2'"}, {HANDOUT_CHAP, "'Chap'"}, {HANDOUT_PAP, "'Pap'"}};
    const char *comma = "";
    put(j->w, "$logins = @(");
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if ((j->h->logins & words[i].login) != 0) {
            put(j->w, comma);
            put(j->w, words[i].word);
            comma = ", ";
        }
    put(j->w, comma[0] == '\0' ? "'Eap')\n" : ")\n");
}

/* Where all goes through the tunnel, its name servers are asked for everything without further rules. */
static void put_networks(const struct job *j)
{
    const struct handout *h = j->h;
    const bool rules = !h->everything && h->dns_count > 0;
    const char *at = h->domains, *comma = "";
    struct view one;
    put(j->w, "$split = ");
    put(j->w, h->everything ? "$false\n$routes = @(" : "$true\n$routes = @(");
    for (size_t i = 0; !h->everything && i < h->route_count; i++) {
        put(j->w, i > 0 ? ", '" : "'");
        put_prefix(j->w, &h->routes[i]);
        put(j->w, "'");
    }
    put(j->w, ")\n$domains = @(");
    while (rules && next_domain(&at, &one)) {
        put(j->w, comma);
        put(j->w, "'.");
        wr_view(j->w, one); /* check() lets through what needs no quoting */
        put(j->w, "'");
        comma = ", ";
    }
    put(j->w, ")\n$dns = @(");
    for (size_t i = 0; rules && i < h->dns_count; i++) {
        put(j->w, i > 0 ? ", '" : "'");
        put_address(j->w, &h->dns[i]);
        put(j->w, "'");
    }
    put(j->w, ")\n");
}

static bool name_good(const char *name)
{
    return name[0] != '.' && strpbrk(name, "\\/:*?\"<>|") == NULL;
}

/* With a byte order mark, without which PowerShell 5 reads the computer's own code page. */
enum err write_windows(const struct job *j)
{
    const struct handout *h = j->h;
    struct writer *w = j->w;
    if (!name_good(h->name))
        return refuse(j, TEXT_WINDOWS_NAME);
    if (by_certificate(h) && h->certificate.p12.n == 0)
        return refuse(j, TEXT_NO_P12);
    put(w, "\xef\xbb\xbf# ");
    put(w, text_of(TEXT_PS_ABOUT, j->language));
    put(w, "\n# ");
    put(w, text_of(TEXT_SECRET_INSIDE, j->language));
    put(w, "\nparam([switch] $Check, [switch] $Remove, [switch] $Machine)\n"
           "Set-StrictMode -Version 2\n"
           "$ErrorActionPreference = 'Stop'\n\n");
    put_value(w, "connection", view_str(h->name));
    put_value(w, "server", view_str(h->server));
    put_value(w, "key", h->psk);
    put_logins(j);
    put_networks(j);
    put_base64_value(w, "pkcs12", by_certificate(h) ? h->certificate.p12 : VIEW_NONE);
    put_value(w, "password", view_str(by_certificate(h) ? h->certificate.password : ""));
    put(w, "$authority = '");
    put_pem(w, by_certificate(h) ? h->certificate.authority : VIEW_NONE);
    put(w, "'\n");
    put_texts(j);
    put(w, "\n");
    wr_bytes(w, script, sizeof script);
    return ERR_OK;
}
