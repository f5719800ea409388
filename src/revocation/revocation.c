/* Which link of a chain is asked about where, how long what came is kept, and what is decided when nothing came. */
#include <stdio.h>
#include <stdlib.h>

#include "revocation/revocation_internal.h"

#define PATIENCE_DEFAULT 5
#define PATIENCE_MAX     60
#define KEEP_MIN         60   /* seconds: also what a silent responder is left alone for */
#define KEEP_MAX         3600 /* a revocation shall show within an hour, whatever the answer says */
#define NONCE_SIZE       16

struct revocation {
    struct revocation_config config;
    struct cache cache;
};

struct revocation *revocation_new(const struct revocation_config *config)
{
    struct revocation *r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    r->config = *config;
    if (r->config.patience == 0 || r->config.patience > PATIENCE_MAX)
        r->config.patience = PATIENCE_DEFAULT;
    cache_init(&r->cache);
    return r;
}

void revocation_free(struct revocation *r)
{
    if (r == NULL)
        return;
    cache_done(&r->cache);
    free(r);
}

static int64_t keep_until(enum pki_status status, int64_t until, int64_t wall)
{
    if (status == PKI_STATUS_UNKNOWN || until < wall + KEEP_MIN)
        return wall + KEEP_MIN;
    return until < wall + KEEP_MAX ? until : wall + KEEP_MAX;
}

/* ---- OCSP ---- */

static bool make_key(const struct pki_chain *chain, size_t link, uint8_t key[static KEY_SIZE])
{
    struct pki_bytes request = {0};
    if (pki_ocsp_request(chain, link, VIEW_NONE, &request) != ERR_OK)
        return false;
    const struct view part = view_of(request.p, request.n);
    bool ok = hash_digest(HASH_SHA256, &part, 1, key) == ERR_OK;
    pki_bytes_free(&request);
    return ok;
}

static void question(struct revocation *r, const struct pki_chain *chain, size_t link, const char *url, int64_t wall,
                     struct pki_revocation *out)
{
    uint8_t nonce[NONCE_SIZE];
    struct pki_bytes request = {0}, answer = {0};
    const struct view ours = VIEW(nonce);
    *out = (struct pki_revocation){.status = PKI_STATUS_UNKNOWN};
    snprintf(out->detail, sizeof out->detail, "The OCSP responder at %.150s does not answer.", url);
    if (fetch_nonce(nonce, sizeof nonce) && pki_ocsp_request(chain, link, ours, &request) == ERR_OK &&
        fetch_ocsp(url, r->config.patience, &request, &answer))
        pki_ocsp_judge(chain, link, view_of(answer.p, answer.n), ours, wall, out);
    pki_bytes_free(&request);
    pki_bytes_free(&answer);
}

static void ask_ocsp(struct revocation *r, const struct pki_chain *chain, size_t link, const char *url, int64_t wall,
                     struct pki_revocation *out)
{
    uint8_t key[KEY_SIZE];
    if (!make_key(chain, link, key)) {
        *out = (struct pki_revocation){.status = PKI_STATUS_UNKNOWN};
        return;
    }
    if (cache_find_answer(&r->cache, key, wall, out))
        return;
    question(r, chain, link, url, wall, out);
    cache_put_answer(&r->cache, key, keep_until(out->status, out->until, wall), out);
}

/* ---- CRLs ---- */

static struct list *fetch_list(struct revocation *r, const char *url, int64_t wall)
{
    struct pki_bytes answer = {0};
    struct pki_crl *crl = NULL;
    if (fetch_crl(url, r->config.patience, &answer))
        (void)pki_crl_read(view_of(answer.p, answer.n), &crl);
    pki_bytes_free(&answer);
    enum pki_status status = crl != NULL ? PKI_STATUS_GOOD : PKI_STATUS_UNKNOWN;
    int64_t until = crl != NULL ? pki_crl_until(crl) : 0;
    return cache_put_list(&r->cache, url, keep_until(status, until, wall), crl);
}

static void ask_crl(struct revocation *r, const struct pki_chain *chain, size_t link, const char *url, int64_t wall,
                    struct pki_revocation *out)
{
    struct list *list = cache_find_list(&r->cache, url, wall);
    if (list == NULL)
        list = fetch_list(r, url, wall);
    *out = (struct pki_revocation){.status = PKI_STATUS_UNKNOWN};
    if (list != NULL && list->crl != NULL)
        pki_crl_judge(list->crl, chain, link, wall, out);
    else
        snprintf(out->detail, sizeof out->detail, "No CRL comes from %.150s.", url);
    if (list != NULL)
        cache_release(&r->cache, list);
}

/* ---- the decision ---- */

static void ask(struct revocation *r, const struct pki_chain *chain, size_t link, const struct pki_link *about,
                int64_t wall, struct pki_revocation *out)
{
    enum revocation_mode mode = r->config.mode;
    *out = (struct pki_revocation){.status = PKI_STATUS_UNKNOWN};
    snprintf(out->detail, sizeof out->detail, "It does not say whom to ask.");
    if (mode != REVOCATION_CRL && about->ocsp_url[0] != '\0')
        ask_ocsp(r, chain, link, about->ocsp_url, wall, out);
    if (out->status == PKI_STATUS_UNKNOWN && mode != REVOCATION_OCSP && about->crl_url[0] != '\0')
        ask_crl(r, chain, link, about->crl_url, wall, out);
}

enum cause revocation_check(struct revocation *r, const struct pki_chain *chain, int64_t wall,
                            char detail[static PKI_WHY_MAX])
{
    struct pki_link about;
    struct pki_revocation answer;
    if (r->config.mode == REVOCATION_OFF)
        return CAUSE_NONE;
    for (size_t link = 0; link < pki_chain_length(chain); link++) {
        pki_chain_link(chain, link, &about);
        if (about.root || about.known)
            continue;
        ask(r, chain, link, &about, wall, &answer);
        if (answer.status == PKI_STATUS_REVOKED) {
            snprintf(detail, PKI_WHY_MAX, "%.120s %.120s", about.subject, answer.detail);
            return CAUSE_CERT_REVOKED;
        }
        if (answer.status == PKI_STATUS_UNKNOWN && r->config.refuse_silent) {
            snprintf(detail, PKI_WHY_MAX, "%.80s: %.170s", about.subject, answer.detail);
            return CAUSE_CERT_REVOCATION;
        }
    }
    return CAUSE_NONE;
}
