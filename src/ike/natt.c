/* NAT discovery (RFC 3947 3.2 and drafts 02 and 03, which differ in payload numbers only). */
#include "ike/ike_internal.h"

#include <string.h>

/* HASH(CKY-I | CKY-R | IP | Port), RFC 3947 3.2 */
static enum err natd_hash(enum hash hash, const struct header *cookies, const struct endpoint *e,
                          uint8_t out[static NATD_MAX])
{
    uint8_t port[2];
    be16_put(port, e->port);
    const struct view parts[] = {
        VIEW(cookies->icookie),
        VIEW(cookies->rcookie),
        view_of(e->addr.b, ip_addr_size(&e->addr)),
        VIEW(port),
    };
    return hash_digest(hash, parts, ARRAY_LEN(parts), out);
}

static enum payload_type natd_type(const struct sa *sa)
{
    return sa->natt == NATT_RFC_3947 ? PAYLOAD_NATD : PAYLOAD_NATD_DRAFT;
}

/* The peer's first NAT-D is about us, all others about itself: it may not know by which address it sends. */
void natt_detect(struct sa *sa, const struct payloads *p, const struct path *path)
{
    uint8_t ours[NATD_MAX], theirs[NATD_MAX];
    const size_t size = hash_size(sa->suite.hash);
    const enum payload_type type = natd_type(sa);
    const size_t n = payload_count(p, type);
    if (sa->natt == NATT_NONE || n < 2)
        return;
    if (natd_hash(sa->suite.hash, &sa->cookies, &path->local, ours) != ERR_OK ||
        natd_hash(sa->suite.hash, &sa->cookies, &path->remote, theirs) != ERR_OK)
        return;
    bool remote_same = false;
    for (size_t i = 1; i < n; i++)
        remote_same |= view_equal(payload_nth(p, type, i)->body, view_of(theirs, size));
    sa->natt_agreed = true;
    sa->nat_remote = !remote_same;
    sa->nat_local = !view_equal(payload_nth(p, type, 0)->body, view_of(ours, size));
}

void natd_write(struct ike *ike, const struct sa *sa, struct draft *d)
{
    uint8_t hash[NATD_MAX];
    const size_t size = hash_size(sa->suite.hash);
    if (sa->natt == NATT_NONE)
        return;
    if (natd_hash(sa->suite.hash, &sa->cookies, &sa->path.remote, hash) == ERR_OK)
        draft_put(d, natd_type(sa), view_of(hash, size));
    /* A hash of nothing makes the peer see a NAT in front of us, and so use UDP for ESP. */
    if (ike->config.encap == IKE_ENCAP_FORCE)
        random_fill(&ike->env.random, hash, size);
    else if (natd_hash(sa->suite.hash, &sa->cookies, &sa->path.local, hash) != ERR_OK)
        return;
    draft_put(d, natd_type(sa), view_of(hash, size));
}

void key_message_write(struct ike *ike, const struct sa *sa, struct draft *d, struct view ke, struct view nonce)
{
    draft_put(d, PAYLOAD_KE, ke);
    draft_put(d, PAYLOAD_NONCE, nonce);
    natd_write(ike, sa, d);
}

enum drop key_message_read(enum dh_group group, const struct payloads *p, struct view *ke, struct view *nonce)
{
    const enum drop d = form_check(FORM_MM_KE, p);
    if (d != DROP_NONE)
        return d;
    *ke = payload_body(p, PAYLOAD_KE);
    *nonce = payload_body(p, PAYLOAD_NONCE);
    if (ke->n != dh_public_size(group))
        return DROP_IKE_KE;
    return nonce->n < NONCE_MIN || nonce->n > NONCE_MAX ? DROP_IKE_PAYLOADS : DROP_NONE;
}
