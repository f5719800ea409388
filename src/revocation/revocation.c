/* Which link of a chain is asked about where, how long what came is kept, and what is decided when nothing came. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "revocation/revocation_internal.h"

#define PATIENCE_DEFAULT 5
#define PATIENCE_MAX     60
#define KEEP_MIN         60   /* seconds: also what a silent responder is left alone for */
#define KEEP_MAX         3600 /* a revocation shall show within an hour, whatever the answer says */
#define NONCE_SIZE       16
#define ROUND_PATIENCES  3 /* all questions about one chain may take so many times the patience with one */

struct revocation {
    struct revocation_config config;
    struct cache cache;
};

/* One call of revocation_check(). */
struct round {
    struct revocation *r;
    const struct pki_chain *chain;
    int64_t wall;
    struct timespec began;
};

/* Seconds that the next question may take; 0: no more. */
static unsigned patience_left(const struct round *round)
{
    struct timespec now;
    unsigned each = round->r->config.patience;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t left = (int64_t)ROUND_PATIENCES * each - (now.tv_sec - round->began.tv_sec);
    return left <= 0 ? 0 : left < each ? (unsigned)left : each;
}

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

static void question(const struct round *round, size_t link, const char *url, unsigned patience,
                     struct pki_revocation *out)
{
    uint8_t nonce[NONCE_SIZE];
    struct pki_bytes request = {0}, answer = {0};
    const struct view ours = VIEW(nonce);
    *out = (struct pki_revocation){.status = PKI_STATUS_UNKNOWN};
    snprintf(out->detail, sizeof out->detail, "The OCSP responder at %.150s does not answer.", url);
    if (fetch_nonce(nonce, sizeof nonce) && pki_ocsp_request(round->chain, link, ours, &request) == ERR_OK &&
        fetch_ocsp(url, patience, &request, &answer))
        pki_ocsp_judge(round->chain, link, view_of(answer.p, answer.n), ours, round->wall, out);
    pki_bytes_free(&request);
    pki_bytes_free(&answer);
}

static void ask_ocsp(const struct round *round, size_t link, const char *url, struct pki_revocation *out)
{
    uint8_t key[KEY_SIZE];
    struct cache *cache = &round->r->cache;
    if (!make_key(round->chain, link, key) || cache_find_answer(cache, key, round->wall, out))
        return;
    const unsigned patience = patience_left(round);
    if (patience == 0)
        return;
    question(round, link, url, patience, out);
    cache_put_answer(cache, key, keep_until(out->status, out->until, round->wall), out);
}

/* ---- CRLs ---- */

static struct list *fetch_list(const struct round *round, const char *url, unsigned patience)
{
    struct pki_bytes answer = {0};
    struct pki_crl *crl = NULL;
    if (fetch_crl(url, patience, &answer))
        (void)pki_crl_read(view_of(answer.p, answer.n), &crl);
    pki_bytes_free(&answer);
    enum pki_status status = crl != NULL ? PKI_STATUS_GOOD : PKI_STATUS_UNKNOWN;
    int64_t until = crl != NULL ? pki_crl_until(crl) : 0;
    return cache_put_list(&round->r->cache, url, keep_until(status, until, round->wall), crl);
}

static void ask_crl(const struct round *round, size_t link, const char *url, struct pki_revocation *out)
{
    struct list *list = cache_find_list(&round->r->cache, url, round->wall);
    const unsigned patience = patience_left(round);
    if (list == NULL && patience == 0)
        return;
    if (list == NULL)
        list = fetch_list(round, url, patience);
    *out = (struct pki_revocation){.status = PKI_STATUS_UNKNOWN};
    if (list != NULL && list->crl != NULL)
        pki_crl_judge(list->crl, round->chain, link, round->wall, out);
    else
        snprintf(out->detail, sizeof out->detail, "No CRL comes from %.150s.", url);
    if (list != NULL)
        cache_release(&round->r->cache, list);
}

/* ---- the decision ---- */

static void ask(const struct round *round, size_t link, const struct pki_link *about, struct pki_revocation *out)
{
    enum revocation_mode mode = round->r->config.mode;
    bool says = (mode != REVOCATION_CRL && about->ocsp_url[0] != '\0') ||
                (mode != REVOCATION_OCSP && about->crl_url[0] != '\0');
    *out = (struct pki_revocation){.status = PKI_STATUS_UNKNOWN};
    snprintf(out->detail, sizeof out->detail, "%s",
             says ? "There was no time left to ask." : "It does not say whom to ask.");
    if (mode != REVOCATION_CRL && about->ocsp_url[0] != '\0')
        ask_ocsp(round, link, about->ocsp_url, out);
    if (out->status == PKI_STATUS_UNKNOWN && mode != REVOCATION_OCSP && about->crl_url[0] != '\0')
        ask_crl(round, link, about->crl_url, out);
}

enum cause revocation_check(struct revocation *r, const struct pki_chain *chain, int64_t wall,
                            char detail[static PKI_WHY_MAX])
{
    struct pki_link about;
    struct pki_revocation answer;
    struct round round = {.r = r, .chain = chain, .wall = wall};
    clock_gettime(CLOCK_MONOTONIC, &round.began);
    if (r->config.mode == REVOCATION_OFF)
        return CAUSE_NONE;
    for (size_t link = 0; link < pki_chain_length(chain); link++) {
        pki_chain_link(chain, link, &about);
        if (about.root || about.known)
            continue;
        ask(&round, link, &about, &answer);
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
