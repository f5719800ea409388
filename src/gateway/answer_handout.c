/* handout.settings: what users' devices have to know of the gateway. */
#include "gateway/answer.h"

#include <stdio.h>
#include <string.h>

static void add(char *list, size_t cap, const char *word)
{
    const size_t n = view_str(list).n;
    snprintf(list + n, cap - n, "%s%s", n > 0 ? "," : "", word);
}

/* The key for everybody: one that is taken from a single address is that peer's own. */
static void tell_psk(const struct config *c, struct ctl_handout *out)
{
    for (size_t i = 0; i < c->psk_count; i++)
        if (c->psks[i].peer.family == 0) {
            const struct secret *key = &c->psks[i].key;
            for (uint16_t n = 0; n < key->n && 2u * n + 2 < sizeof(out->psk); n++)
                snprintf(out->psk + 2 * n, 3, "%02x", key->p[n]);
            return;
        }
}

static void tell_networks(const struct config *c, struct ctl_handout *out)
{
    char text[IP_TEXT_MAX], prefix[IP_TEXT_MAX + 4];
    for (uint32_t i = 0; i < c->net.routes.count; i++) {
        const struct ip_prefix *p = &c->net.routes.prefix[i];
        snprintf(prefix, sizeof(prefix), "%s/%u", ip_text(&p->addr, text), p->bits);
        add(out->routes, sizeof(out->routes), prefix);
    }
    for (uint32_t i = 0; i < c->pools[0].dns.count; i++)
        add(out->dns, sizeof(out->dns), ip_text(&c->pools[0].dns.addr[i], text));
    snprintf(out->domain, sizeof(out->domain), "%s", c->net.domain);
}

/* Of a user who has a pattern, or has to choose one before the first login. */
static enum err tell_user(struct gateway *g, const char *name, struct ctl_handout *out, struct aaa_why *why)
{
    struct aaa_user user;
    struct aaa_group group = {0};
    enum err e = aaa_user_get(g->aaa, name, &user, why);
    if (e == ERR_OK && user.group[0])
        e = aaa_group_get(g->aaa, user.group, &group, why);
    if (e == ERR_OK)
        out->grid = g->config->grid.enabled && (user.grid || strcmp(group.login, AAA_LOGIN_GRID) == 0);
    return e;
}

char *answer_handout_settings(struct gateway *g, const struct ctl_request *r)
{
    static const char *const words[CONFIG_AUTH_COUNT] = {"",        "mschapv2", "chap-md5", "pap", "eap-mschapv2",
                                                         "eap-md5", "eap-gtc",  "eap-tls"};
    struct ctl_handout out = {0};
    struct aaa_why why = {0};
    const enum err e = ctl_given(r, CTL_ARG_USER) ? tell_user(g, ctl_text(r, CTL_ARG_USER), &out, &why) : ERR_OK;
    if (e != ERR_OK)
        return answer_error(e, &why);
    snprintf(out.server, sizeof(out.server), "%s", g->config->net.server);
    for (size_t i = 0; i < CONFIG_AUTH_COUNT && g->config->ppp.auth.method[i] != CONFIG_AUTH_NONE; i++)
        add(out.logins, sizeof(out.logins), words[g->config->ppp.auth.method[i]]);
    tell_psk(g->config, &out);
    tell_networks(g->config, &out);
    char *line = ctl_reply_ok(ctl_data("handout", ctl_handout_json(&out)));
    bytes_wipe(&out, sizeof(out));
    return line;
}
