/* A profile of our own client, by its schema: what sekisho-profile(5) describes. */
#include "handout/handout_internal.h"

#include <stdio.h>
#include <string.h>

#include "profile/profile.h"

static const struct {
    uint32_t login;
    const char *word;
} logins[] = {
    {HANDOUT_MSCHAPV2, "mschapv2"}, {HANDOUT_EAP_MSCHAPV2, "eap-mschapv2"}, {HANDOUT_EAP_TLS, "eap-tls"},
    {HANDOUT_EAP_GTC, "eap-gtc"},   {HANDOUT_EAP_MD5, "eap-md5"},           {HANDOUT_CHAP, "chap-md5"},
    {HANDOUT_PAP, "pap"},
};

/* EAP-TLS needs a certificate of the user's. A grid is shown by EAP-GTC alone. */
static void methods_of(const struct handout *h, struct writer *w)
{
    const bool certificate = h->certificate.file[0] != '\0';
    const uint32_t wanted = is_shown_grids(h) ? HANDOUT_EAP_GTC : h->logins;
    for (size_t i = 0; i < ARRAY_LEN(logins); i++)
        if ((wanted & logins[i].login) != 0 && (logins[i].login != HANDOUT_EAP_TLS || certificate)) {
            put(w, w->n > 0 ? "," : "");
            put(w, logins[i].word);
        }
    wr_u8(w, '\0');
}

static void routes_of(const struct handout *h, struct writer *w)
{
    if (h->everything || h->route_count == 0)
        put(w, h->everything ? "everything" : "none");
    for (size_t i = 0; !h->everything && i < h->route_count; i++) {
        put(w, i > 0 ? "," : "");
        put_prefix(w, &h->routes[i]);
    }
    wr_u8(w, '\0');
}

/* With all traffic in the tunnel its name servers are asked for everything. */
static void domains_of(const struct handout *h, struct writer *w)
{
    const char *at = h->domains;
    struct view one;
    while (!h->everything && next_domain(&at, &one)) {
        put(w, w->n > 0 ? "," : "");
        wr_view(w, one);
    }
    wr_u8(w, '\0');
}

struct filling {
    struct profile *p;
    bool failed;
};

static void set(struct filling *f, const char *key, const char *value)
{
    struct config_error e;
    if (value[0] != '\0')
        f->failed = profile_set(f->p, key, value, &e) != ERR_OK || f->failed;
}

static void set_written(struct filling *f, const char *key, const struct writer *w)
{
    if (wr_ok(w))
        set(f, key, (const char *)w->p);
    f->failed = f->failed || !wr_ok(w);
}

static void set_psk(struct filling *f, struct view psk)
{
    char text[2 * CONFIG_SECRET_MAX];
    struct writer w = wr_init(text, sizeof text);
    if (ascii_good(psk)) {
        wr_view(&w, psk);
    } else {
        put_base64(&w, psk);
        set(f, "psk_encoding", "base64");
    }
    wr_u8(&w, '\0');
    set_written(f, "psk", &w);
    bytes_wipe(text, sizeof text);
}

static void set_certificate(struct filling *f, const struct handout *h)
{
    set(f, "certificate.file", h->certificate.file);
    set(f, "certificate.password", h->certificate.password);
    if (by_certificate(h))
        set(f, "certificate.server_identity", h->certificate.identity);
}

static void fill(struct filling *f, const struct handout *h)
{
    char text[PROFILE_LIST_MAX + 256];
    struct writer methods = wr_init(text, sizeof text);
    set(f, "server", h->server);
    set(f, "user", h->user);
    if (!by_certificate(h))
        set_psk(f, h->psk);
    if (h->certificate.file[0] != '\0')
        set_certificate(f, h);
    methods_of(h, &methods);
    set_written(f, "ppp.methods", &methods);
    set(f, "ppp.answer_prompts", is_shown_grids(h) ? "off" : "");
    struct writer routes = wr_init(text, sizeof text);
    routes_of(h, &routes);
    set_written(f, "net.routes", &routes);
    struct writer domains = wr_init(text, sizeof text);
    domains_of(h, &domains);
    set_written(f, "net.domains", &domains);
}

enum err write_profile(const struct job *j)
{
    struct config_error e;
    struct filling f = {profile_new(), false};
    enum err result = ERR_OK;
    if (f.p == NULL)
        return ERR_NOMEM;
    if (by_certificate(j->h) && j->h->certificate.file[0] == '\0')
        result = refuse(j, TEXT_NO_P12_FILE);
    if (result == ERR_OK)
        fill(&f, j->h);
    if (result == ERR_OK && (f.failed || profile_check(f.p, &e) != ERR_OK))
        result = refuse(j, TEXT_PROFILE_VALUE);
    if (result == ERR_OK) {
        put(j->w, "# ");
        put(j->w, text_of(TEXT_SECRET_INSIDE, j->language));
        put(j->w, "\n\n");
        result = profile_write(f.p, false, j->w);
    }
    profile_free(f.p);
    return result;
}
