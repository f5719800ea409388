/* For routers: what makes RouterOS and OpenWrt clients of the gateway, and what lets devices behind a Yamaha router
 * reach it. */
#include "handout/handout_internal.h"

static void put_comment(const struct job *j, enum text t)
{
    put(j->w, "# ");
    put(j->w, text_of(t, j->language));
    put(j->w, "\n");
}

/* ---- RouterOS ---- */

static void put_allowed(const struct job *j)
{
    static const struct {
        uint32_t login;
        const char *word;
    } words[] = {{HANDOUT_MSCHAPV2, "mschap2"}, {HANDOUT_CHAP, "chap"}, {HANDOUT_PAP, "pap"}};
    const char *comma = "";
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if ((j->h->logins & words[i].login) != 0) {
            put(j->w, comma);
            put(j->w, words[i].word);
            comma = ",";
        }
}

static void put_ros_route(const struct job *j, const struct ip_prefix *p)
{
    put(j->w, "/ip route add dst-address=");
    put_prefix(j->w, p);
    put(j->w, " gateway=");
    quote_routeros(j->w, view_str(j->h->name));
    put(j->w, " comment=");
    quote_routeros(j->w, view_str(j->h->name));
    put(j->w, "\n");
}

/* Run again, it removes first what it made. */
enum err write_routeros(const struct job *j)
{
    const struct handout *h = j->h;
    put_comment(j, TEXT_SECRET_INSIDE);
    put_comment(j, TEXT_ROUTER_PASSWORD);
    put(j->w, "/ip route remove [find comment=");
    quote_routeros(j->w, view_str(h->name));
    put(j->w, "]\n/interface l2tp-client remove [find name=");
    quote_routeros(j->w, view_str(h->name));
    put(j->w, "]\n/interface l2tp-client add name=");
    quote_routeros(j->w, view_str(h->name));
    put(j->w, " connect-to=");
    quote_routeros(j->w, view_str(h->server));
    put(j->w, " user=");
    quote_routeros(j->w, view_str(h->user));
    put(j->w, " password=\"YOUR-PASSWORD\" use-ipsec=yes ipsec-secret=");
    quote_routeros(j->w, h->psk);
    put(j->w, " allow=");
    put_allowed(j);
    put(j->w, " max-mtu=1400 max-mru=1400 add-default-route=");
    put(j->w, h->everything ? "yes" : "no");
    put(j->w, " disabled=no\n");
    for (size_t i = 0; !h->everything && i < h->route_count; i++)
        put_ros_route(j, &h->routes[i]);
    return ERR_OK;
}

/* ---- Yamaha ---- */

#define RTX_FIRST 200900 /* filter numbers that their own wizards do not use */

static void put_filter(const struct job *j, uint32_t number, bool out, const char *what)
{
    struct ip_addr address;
    const char *server = ip_parse(j->h->server, &address) == ERR_OK ? j->h->server : "*"; /* filters take no names */
    put(j->w, "ip filter ");
    put_number(j->w, number);
    put(j->w, " pass ");
    put(j->w, out ? "* " : server);
    put(j->w, out ? server : " *");
    put(j->w, what);
    put(j->w, "\n");
}

enum err write_rtx(const struct job *j)
{
    put_comment(j, TEXT_RTX_NO_CLIENT);
    put_comment(j, TEXT_RTX_OUT);
    put_filter(j, RTX_FIRST, true, " udp * 500");
    put_filter(j, RTX_FIRST + 1, true, " udp * 4500");
    put_filter(j, RTX_FIRST + 2, true, " esp");
    put_comment(j, TEXT_RTX_IN);
    put_filter(j, RTX_FIRST + 3, false, " udp 500 *");
    put_filter(j, RTX_FIRST + 4, false, " udp 4500 *");
    put_filter(j, RTX_FIRST + 5, false, " esp");
    return ERR_OK;
}

/* ---- OpenWrt ---- */

static void put_uci(const struct job *j, const char *option, struct view value)
{
    put(j->w, "uci set network.sekisho");
    put(j->w, option);
    put(j->w, "=");
    quote_shell(j->w, value);
    put(j->w, "\n");
}

static void put_uci_route(const struct job *j, uint32_t i)
{
    put(j->w, "uci set network.sekisho_route");
    put_number(j->w, i);
    put(j->w, "=route\nuci set network.sekisho_route");
    put_number(j->w, i);
    put(j->w, ".interface='sekisho'\nuci set network.sekisho_route");
    put_number(j->w, i);
    put(j->w, ".target='");
    put_prefix(j->w, &j->h->routes[i]);
    put(j->w, "'\n");
}

/* strongSwan keys take base64 after "0s"; the server is a name or an address, so that nothing needs quotes there. */
static void put_ipsec(const struct job *j)
{
    put(j->w, "mkdir -p /etc/ipsec.d\n"
              "cat >/etc/ipsec.d/sekisho.conf <<'END'\n"
              "conn sekisho\n"
              "    keyexchange=ikev1\n"
              "    type=transport\n"
              "    authby=secret\n"
              "    left=%defaultroute\n"
              "    leftprotoport=17/1701\n"
              "    rightprotoport=17/1701\n"
              "    rightid=%any\n"
              "    ike=aes256-sha256-modp2048,aes128-sha1-modp2048!\n"
              "    esp=aes256-sha256,aes128-sha1!\n"
              "    dpdaction=restart\n"
              "    closeaction=restart\n"
              "    keyingtries=%forever\n"
              "    auto=start\n"
              "    right=");
    put(j->w, j->h->server);
    put(j->w, "\nEND\n"
              "cat >/etc/ipsec.d/sekisho.secrets <<'END'\n"
              "%any ");
    put(j->w, j->h->server);
    put(j->w, " : PSK 0s");
    put_base64(j->w, j->h->psk);
    put(j->w, "\nEND\n"
              "chmod 600 /etc/ipsec.d/sekisho.secrets\n"
              "for kind in conf secrets; do\n"
              "    touch \"/etc/ipsec.$kind\"\n"
              "    grep -qF \"ipsec.d/sekisho.$kind\" \"/etc/ipsec.$kind\" ||\n"
              "        echo \"include /etc/ipsec.d/sekisho.$kind\" >>\"/etc/ipsec.$kind\"\n"
              "done\n");
}

enum err write_openwrt(const struct job *j)
{
    const struct handout *h = j->h;
    put(j->w, "#!/bin/sh\n");
    put_comment(j, TEXT_OPENWRT_ABOUT);
    put_comment(j, TEXT_SECRET_INSIDE);
    put_comment(j, TEXT_ROUTER_PASSWORD);
    put(j->w, "set -eu\n"
              "opkg update\n"
              "opkg install xl2tpd ppp-mod-pppol2tp strongswan-default\n");
    put_ipsec(j);
    put(j->w, "for old in $(uci show network | sed -n 's/^network\\.\\(sekisho[a-z0-9_]*\\)=.*/\\1/p'); do\n"
              "    uci delete \"network.$old\"\n"
              "done\n");
    put_uci(j, "", view_str("interface"));
    put_uci(j, ".proto", view_str("l2tp"));
    put_uci(j, ".server", view_str(h->server));
    put_uci(j, ".username", view_str(h->user));
    put_uci(j, ".password", view_str("YOUR-PASSWORD"));
    put_uci(j, ".mtu", view_str("1400"));
    put_uci(j, ".defaultroute", view_str(h->everything ? "1" : "0"));
    for (uint32_t i = 0; !h->everything && i < h->route_count; i++)
        put_uci_route(j, i);
    put(j->w, "uci commit network\n"
              "/etc/init.d/ipsec enable\n"
              "/etc/init.d/ipsec restart\n"
              "/etc/init.d/network reload\n");
    return ERR_OK;
}
