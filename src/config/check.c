/* The judge of the whole: values that are right alone and wrong together. */
#include "config/config_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX (CONFIG_NAME_MAX + 32) /* bytes of 'pool "NAME".range' */

static enum err check_psks(struct config *c, struct config_error *e)
{
    char name[KEY_MAX];
    for (size_t i = 0; i < c->psk_count; i++) {
        struct config_psk *psk = &c->psks[i];
        snprintf(name, sizeof name, "psk \"%s\"", psk->name);
        if (psk->file[0] == '\0' && psk->secret[0] == '\0')
            return config_tell(e, psk->line, name, TOLD(PSK_NO_KEY));
        if (psk->file[0] != '\0' && psk->secret[0] != '\0')
            return config_tell(e, psk->line, name, TOLD(PSK_TWICE));
        if (psk->secret[0] != '\0')
            (void)secret_set(&psk->key, view_str(psk->secret)); /* its length is that of the schema */
        for (size_t j = 0; j < i; j++)
            if (c->psks[j].peer.family != 0 && ip_equal(&c->psks[j].peer, &psk->peer))
                return config_tell(e, psk->line, name, TOLD(PSK_SAME_PEER), c->psks[j].name);
    }
    return ERR_OK;
}

static enum err check_certificates(const struct config *c, struct config_error *e)
{
    char name[KEY_MAX];
    for (size_t i = 0; i < c->certificate_count; i++) {
        snprintf(name, sizeof name, "certificate \"%s\"", c->certificates[i].name);
        if (c->certificates[i].file[0] == '\0')
            return config_tell(e, c->certificates[i].line, name, TOLD(FILE_MISSING));
    }
    for (size_t i = 0; i < c->authority_count; i++) {
        snprintf(name, sizeof name, "authority \"%s\"", c->authorities[i].name);
        if (c->authorities[i].file[0] == '\0')
            return config_tell(e, c->authorities[i].line, name, TOLD(FILE_MISSING));
    }
    if (c->certificate_count > 0 && c->authority_count == 0)
        return config_tell(e, c->certificates[0].line, "certificate", TOLD(AUTHORITY_MISSING));
    if (c->certificate_count == 0 && c->authority_count > 0)
        return config_tell(e, c->authorities[0].line, "authority", TOLD(CERTIFICATE_MISSING));
    return ERR_OK;
}

static enum err check_logins(const struct config *c, struct config_error *e)
{
    for (size_t i = 0; c->ppp.auth.method[i] != CONFIG_AUTH_NONE; i++)
        if (c->ppp.auth.method[i] == CONFIG_AUTH_EAP_TLS && c->certificate_count == 0)
            return config_tell(e, 0, "ppp.auth", TOLD(TLS_MISSING));
    return ERR_OK;
}

static enum err check_times(const struct config *c, struct config_error *e)
{
    if (c->ike.child_lifetime > c->ike.lifetime)
        return config_tell(e, 0, "ike.child_lifetime", TOLD(CHILD_LIFETIME), c->ike.lifetime);
    if (c->ike.dpd_interval != 0 && c->ike.dpd_timeout <= c->ike.dpd_interval)
        return config_tell(e, 0, "ike.dpd_timeout", TOLD(DPD_TIMEOUT), c->ike.dpd_interval);
    return ERR_OK;
}

/* ---- pools ---- */

static int by_first(const void *a, const void *b)
{
    const struct config_range *x = a, *y = b;
    return x->first < y->first ? -1 : x->first > y->first;
}

static bool overlap(const struct config_range *a, const struct config_range *b)
{
    return a->first <= b->last && b->first <= a->last;
}

static const struct config_range *overlapping(const struct config_ranges *ranges, const struct config_range *one)
{
    for (uint32_t i = 0; i < ranges->count; i++)
        if (&ranges->range[i] != one && overlap(&ranges->range[i], one))
            return &ranges->range[i];
    return NULL;
}

/* "172.16.2.2-172.16.2.254" */
static const char *range_text(const struct config_range *r, char out[static 2 * IP_TEXT_MAX])
{
    char a[IP_TEXT_MAX], b[IP_TEXT_MAX];
    struct ip_addr first = ip4_addr(r->first), last = ip4_addr(r->last);
    snprintf(out, 2 * IP_TEXT_MAX, "%s-%s", ip_text(&first, a), ip_text(&last, b));
    return out;
}

/* Networks that no client can be given an address of (RFC 1122 3.2.1.3, RFC 1112 4). */
static bool unusable(const struct config_range *r)
{
    static const struct config_range never[] = {
        {0x00000000, 0x00ffffff}, {0x7f000000, 0x7fffffff}, {0xe0000000, 0xffffffff}};
    for (size_t i = 0; i < ARRAY_LEN(never); i++)
        if (overlap(&never[i], r))
            return true;
    return false;
}

static enum err check_ranges(const struct config *c, size_t i, struct config_error *e)
{
    const struct config_pool *pool = &c->pools[i];
    char name[KEY_MAX], text[2 * IP_TEXT_MAX], other[2 * IP_TEXT_MAX];
    snprintf(name, sizeof name, "pool \"%s\".range", pool->name);
    for (uint32_t k = 0; k < pool->ranges.count; k++) {
        const struct config_range *one = &pool->ranges.range[k];
        if (unusable(one))
            return config_tell(e, pool->line, name, TOLD(RANGE_NO_HOSTS), range_text(one, text));
        if (one->last - one->first >= CONFIG_POOL_ADDRESSES_MAX)
            return config_tell(e, pool->line, name, TOLD(RANGE_LARGE), range_text(one, text),
                               CONFIG_POOL_ADDRESSES_MAX);
        for (size_t j = 0; j <= i; j++) {
            const struct config_range *clash = overlapping(&c->pools[j].ranges, one);
            if (clash != NULL)
                return config_tell(e, pool->line, name, TOLD(RANGE_OVERLAPS), range_text(one, text),
                                   range_text(clash, other), c->pools[j].name);
        }
    }
    return ERR_OK;
}

static enum err check_gateway(const struct config *c, struct config_pool *pool, struct config_error *e)
{
    char name[KEY_MAX], text[IP_TEXT_MAX];
    bool said = pool->gateway.family != 0;
    snprintf(name, sizeof name, "pool \"%s\".gateway", pool->name);
    if (!said)
        pool->gateway = ip4_addr(pool->ranges.range[0].first - 1);
    if (pool->gateway.family != 4)
        return config_tell(e, pool->line, name, TOLD(GATEWAY_KIND));
    uint32_t value = ip4_value(&pool->gateway);
    const struct config_range own = {value, value};
    if (unusable(&own))
        return config_tell(e, pool->line, name, TOLD(GATEWAY_NO_HOST), ip_text(&pool->gateway, text));
    for (size_t i = 0; i < c->pool_count; i++)
        if (overlapping(&c->pools[i].ranges, &own) != NULL)
            return config_tell(e, pool->line, name, TOLD(GATEWAY_IN_RANGE), ip_text(&pool->gateway, text),
                               c->pools[i].name);
    return ERR_OK;
}

/* IPCP carries IPv4 servers only (RFC 1877). */
static enum err check_servers(const struct config_addrs *list, uint32_t line, const char *name, struct config_error *e)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (list->addr[i].family != 4)
            return config_tell(e, line, name, TOLD(SERVERS_IPV4));
    return ERR_OK;
}

static enum err check_pool(struct config *c, size_t i, struct config_error *e)
{
    struct config_pool *pool = &c->pools[i];
    char dns[KEY_MAX], wins[KEY_MAX];
    snprintf(dns, sizeof dns, "pool \"%s\".dns", pool->name);
    snprintf(wins, sizeof wins, "pool \"%s\".wins", pool->name);
    enum err result = check_ranges(c, i, e);
    if (result == ERR_OK)
        result = check_servers(&pool->dns, pool->line, dns, e);
    if (result == ERR_OK)
        result = check_servers(&pool->wins, pool->line, wins, e);
    return result;
}

static enum err check_pools(struct config *c, struct config_error *e)
{
    enum err result = check_servers(&c->dns, 0, "dns", e);
    for (size_t i = 0; i < c->pool_count; i++)
        qsort(c->pools[i].ranges.range, c->pools[i].ranges.count, sizeof(struct config_range), by_first);
    for (size_t i = 0; i < c->pool_count && result == ERR_OK; i++)
        result = check_pool(c, i, e);
    for (size_t i = 0; i < c->pool_count && result == ERR_OK; i++)
        result = check_gateway(c, &c->pools[i], e);
    return result;
}

void config_share_dns(struct config *c)
{
    for (size_t i = 0; i < c->pool_count; i++)
        if (c->pools[i].dns.count == 0)
            c->pools[i].dns = c->dns;
}

/* Links are made by putting a path behind it. */
static enum err check_portal(const struct config *c, struct config_error *e)
{
    const char *url = c->portal.url;
    if (url[0] == '\0')
        return ERR_OK;
    if (strncmp(url, "https://", 8) != 0 || url[8] == '\0' || strcspn(url + 8, "/?# \"<>") != strlen(url + 8))
        return config_tell(e, 0, "portal.url", TOLD(PORTAL_URL), url);
    return ERR_OK;
}

#define GRID_CELLS_LEAST 16
#define GRID_CELLS_MOST  100

/* What grid_shape_valid() wants, told one by one. */
static enum err check_grid(const struct config *c, struct config_error *e)
{
    const struct config_grid *g = &c->grid;
    const size_t cells = (size_t)g->blocks * g->rows * g->columns, n = strlen(g->alphabet);
    if (cells < GRID_CELLS_LEAST || cells > GRID_CELLS_MOST)
        return config_tell(e, 0, "grid", TOLD(GRID_CELLS), cells, GRID_CELLS_LEAST, GRID_CELLS_MOST);
    for (size_t i = 0; i < n; i++)
        if (g->alphabet[i] <= ' ' || g->alphabet[i] > '~' || strchr(g->alphabet + i + 1, g->alphabet[i]) != NULL)
            return config_tell(e, 0, "grid.alphabet", TOLD(ALPHABET_CHARACTERS));
    if (2 * n > cells)
        return config_tell(e, 0, "grid.alphabet", TOLD(ALPHABET_LONG), cells, cells / 2);
    if (g->in_blocks > g->blocks)
        return config_tell(e, 0, "grid.in_blocks", TOLD(GRID_BLOCKS), g->blocks);
    return ERR_OK;
}

enum err config_check(struct config *config, struct config_error *e)
{
    enum err result = check_psks(config, e);
    if (result == ERR_OK)
        result = check_certificates(config, e);
    if (result == ERR_OK)
        result = check_portal(config, e);
    if (result == ERR_OK)
        result = check_logins(config, e);
    if (result == ERR_OK)
        result = check_grid(config, e);
    if (result == ERR_OK)
        result = check_times(config, e);
    if (result == ERR_OK)
        result = check_pools(config, e);
    if (result == ERR_OK)
        config_share_dns(config);
    return result;
}

/* ---- against the host ---- */

static struct config_range range_of_prefix(const struct ip_prefix *p)
{
    uint32_t mask = p->bits == 0 ? 0 : p->bits >= 32 ? UINT32_MAX : ~(UINT32_MAX >> p->bits);
    uint32_t first = ip4_value(&p->addr) & mask;
    return (struct config_range){first, first | ~mask};
}

enum err config_check_host(const struct config *config, const char *filename, const struct ip_prefix *local, size_t n,
                           struct config_error *error)
{
    char name[KEY_MAX], text[2 * IP_TEXT_MAX], address[IP_TEXT_MAX];
    *error = (struct config_error){0};
    snprintf(error->file, sizeof error->file, "%s", filename);
    for (size_t i = 0; i < config->pool_count; i++) {
        const struct config_pool *pool = &config->pools[i];
        snprintf(name, sizeof name, "pool \"%s\".range", pool->name);
        for (size_t k = 0; k < n; k++) {
            const struct config_range theirs = range_of_prefix(&local[k]);
            const struct config_range *clash = local[k].addr.family == 4 ? overlapping(&pool->ranges, &theirs) : NULL;
            if (clash == NULL)
                continue;
            (void)config_tell(error, pool->line, name, TOLD(RANGE_OF_HOST), range_text(clash, text),
                              ip_text(&local[k].addr, address), local[k].bits);
            return ERR_EXISTS;
        }
    }
    return ERR_OK;
}
