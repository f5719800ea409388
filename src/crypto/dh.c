/*
 * The Diffie-Hellman groups of IKE (RFC 2409 section 6, RFC 3526, RFC 5903) and the one piece of work that a key
 * exchange is. The arithmetic is in dh_modp.c, dh_ecp.c and dh_p384.c.
 */
#include "crypto/crypto_internal.h"

struct shape {
    enum dh_group group;
    const char *name;
    uint16_t public_size, shared_size, private_size;
    enum err (*run)(struct dh_work *w);
};

/* MODP exponents have twice the strength of their group (RFC 3526 section 8, RFC 7919 section 5.2), and never less
 * than 256 bits. ECP keys are drawn longer than the order, so that reducing them leaves no bias (FIPS 186-5 A.2.1). */
static const struct shape shapes[] = {
    {DH_MODP_768, "modp768", 96, 96, 32, dh_modp_run},     {DH_MODP_1024, "modp1024", 128, 128, 32, dh_modp_run},
    {DH_MODP_1536, "modp1536", 192, 192, 32, dh_modp_run}, {DH_MODP_2048, "modp2048", 256, 256, 32, dh_modp_run},
    {DH_MODP_3072, "modp3072", 384, 384, 36, dh_modp_run}, {DH_MODP_4096, "modp4096", 512, 512, 42, dh_modp_run},
    {DH_ECP_256, "ecp256", 64, 32, 40, dh_ecp_run},        {DH_ECP_384, "ecp384", 96, 48, 56, dh_p384_run},
    {DH_ECP_521, "ecp521", 132, 66, 72, dh_ecp_run},
};

static const struct shape *find_shape(enum dh_group g)
{
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
        if (shapes[i].group == g)
            return &shapes[i];
    return NULL;
}

size_t dh_public_size(enum dh_group g)
{
    const struct shape *s = find_shape(g);
    return s != NULL ? s->public_size : 0;
}

size_t dh_private_size(enum dh_group g)
{
    const struct shape *s = find_shape(g);
    return s != NULL ? s->private_size : 0;
}

const char *dh_name(enum dh_group g)
{
    const struct shape *s = find_shape(g);
    return s != NULL ? s->name : "none";
}

void dh_work_run(struct dh_work *w)
{
    const struct shape *s = find_shape(w->group);
    w->public_len = 0;
    w->shared_len = 0;
    if (s == NULL)
        w->result = ERR_UNSUPPORTED;
    else if (w->peer_len != 0 && w->peer_len != s->public_size)
        w->result = ERR_INVALID;
    else
        w->result = s->run(w);
    if (w->result != ERR_OK)
        return;
    w->public_len = s->public_size;
    w->shared_len = w->peer_len != 0 ? s->shared_size : 0;
}

void dh_work_wipe(struct dh_work *w)
{
    bytes_wipe(w, sizeof(*w));
}
