/* What is asked of values before any of them is written. */
#include "handout/handout_internal.h"

#include <string.h>

/* The next code point; 0 with the reader failed when the bytes are no UTF-8 (RFC 3629). */
static uint32_t next_point(struct reader *r)
{
    const uint8_t first = rd_u8(r);
    if (first < 0x80)
        return first;
    const uint32_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    uint32_t point = first & (0x3fu >> more);
    for (uint32_t i = 0; i < more; i++) {
        const uint8_t c = rd_u8(r);
        if ((c & 0xc0) != 0x80)
            rd_fail(r);
        point = point << 6 | (c & 0x3f);
    }
    if (first < 0xc2 || first > 0xf4 || point < least[more] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        rd_fail(r);
    return point;
}

/* Controls of all kinds; line and paragraph separators; marks that make a text look like another by turning its
 * direction (Unicode Standard Annex 9); the byte order mark; code points that XML and others refuse. */
static bool is_bad(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ||
           c == 0xfeff || (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe;
}

bool text_good(struct view text)
{
    struct reader r = rd_init(text);
    while (rd_left(&r) > 0)
        if (is_bad(next_point(&r)))
            return false;
    return rd_ok(&r);
}

bool ascii_good(struct view text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < ' ' || text.p[i] > '~')
            return false;
    return true;
}

bool next_domain(const char **at, struct view *out)
{
    *at += strspn(*at, ", ");
    const size_t n = strcspn(*at, ", ");
    *out = view_of(*at, n);
    *at += n;
    return n > 0;
}

static bool is_name(struct view text, const char *signs)
{
    for (size_t i = 0; i < text.n; i++) {
        const char c = (char)text.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) &&
            (c == '\0' || strchr(signs, c) == NULL))
            return false;
    }
    return text.n > 0 && text.n < HANDOUT_TEXT_MAX && text.p[0] != '-' && text.p[0] != '.';
}

static bool is_label(const char *text)
{
    const struct view v = view_str(text);
    return v.n > 0 && v.n < HANDOUT_TEXT_MAX && text_good(v);
}

static bool optional_good(const char *text)
{
    return text[0] == '\0' || is_label(text);
}

static bool networks_good(const struct handout *h)
{
    if (h->route_count > CONFIG_ROUTES_MAX || h->dns_count > CONFIG_SERVERS_MAX)
        return false;
    for (size_t i = 0; i < h->route_count; i++)
        if (h->routes[i].addr.family != 4 || h->routes[i].bits > 32)
            return false;
    for (size_t i = 0; i < h->dns_count; i++)
        if (h->dns[i].family != 4)
            return false;
    return true;
}

static bool domains_good(const struct handout *h)
{
    const char *at = h->domains;
    struct view one;
    while (next_domain(&at, &one))
        if (!is_name(one, "-_."))
            return false;
    return strlen(h->domains) < HANDOUT_DOMAINS_MAX;
}

static bool certificate_good(const struct handout *h)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----";
    const struct view pem = h->certificate.authority;
    return h->certificate.p12.n <= HANDOUT_CERTIFICATE_MAX && pem.n <= HANDOUT_CERTIFICATE_MAX &&
           (pem.n == 0 || memmem(pem.p, pem.n, begin, sizeof begin - 1) != NULL) &&
           optional_good(h->certificate.password) && optional_good(h->certificate.file) &&
           optional_good(h->certificate.identity);
}

enum err check(const struct job *j)
{
    const struct handout *h = j->h;
    struct ip_addr address;
    if (!is_name(view_str(h->server), "-.") && ip_parse(h->server, &address) != ERR_OK)
        return refuse(j, TEXT_BAD_SERVER);
    if (!is_label(h->name))
        return refuse(j, TEXT_BAD_NAME);
    if (!is_label(h->user))
        return refuse(j, TEXT_BAD_USER);
    if (h->psk.n > CONFIG_SECRET_MAX)
        return refuse(j, TEXT_BAD_KEY);
    if (h->psk.n == 0 && h->certificate.p12.n == 0 && h->certificate.file[0] == '\0')
        return refuse(j, TEXT_NO_PROOF);
    if (!certificate_good(h))
        return refuse(j, TEXT_BAD_CERTIFICATE);
    if (!domains_good(h))
        return refuse(j, TEXT_BAD_DOMAIN);
    return networks_good(h) ? ERR_OK : refuse(j, TEXT_BAD_NETWORK);
}
