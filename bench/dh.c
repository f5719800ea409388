/*
 * What a key exchange costs: whole dh_work runs with a peer's value (one responder: public value and secret) per
 * second of processor time, and beside it OpenSSL's bare arithmetic for the same two operations in the same run, with
 * everything set up beforehand. The ratio is comparable between machines, the rates are not.
 */
#include "crypto/crypto.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define ERR_STATE OPENSSL_ERR_STATE /* its type has the name of an error of ours */
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#undef ERR_STATE

#define SECONDS 0.5
#define BATCH   8

struct subject {
    enum dh_group group;
    BIGNUM *(*prime)(BIGNUM *); /* MODP */
    int nid;                    /* ECP */
};

static const struct subject subjects[] = {
    {DH_MODP_768, BN_get_rfc2409_prime_768, 0},
    {DH_MODP_1024, BN_get_rfc2409_prime_1024, 0},
    {DH_MODP_1536, BN_get_rfc3526_prime_1536, 0},
    {DH_MODP_2048, BN_get_rfc3526_prime_2048, 0},
    {DH_MODP_3072, BN_get_rfc3526_prime_3072, 0},
    {DH_MODP_4096, BN_get_rfc3526_prime_4096, 0},
    {DH_ECP_256, NULL, NID_X9_62_prime256v1},
    {DH_ECP_384, NULL, NID_secp384r1},
    {DH_ECP_521, NULL, NID_secp521r1},
};

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double rate(void (*work)(void *), void *arg)
{
    size_t n = 0;
    double begin = cpu_seconds(), now;
    do {
        for (size_t i = 0; i < BATCH; i++)
            work(arg);
        n += BATCH;
        now = cpu_seconds();
    } while (now - begin < SECONDS);
    return (double)n / (now - begin);
}

static void run_work(void *arg)
{
    dh_work_run(arg);
}

struct modp {
    BN_CTX *ctx;
    BN_MONT_CTX *mont;
    BIGNUM *p, *x, *base, *peer, *result;
};

static void run_modp(void *arg)
{
    struct modp *m = arg;
    BN_mod_exp_mont_consttime(m->result, m->peer, m->x, m->p, m->ctx, m->mont);
    BN_mod_exp_mont_consttime(m->result, m->base, m->x, m->p, m->ctx, m->mont);
}

static double modp_rate(const struct subject *s, const struct dh_work *w)
{
    struct modp m = {
        .ctx = BN_CTX_new(), .mont = BN_MONT_CTX_new(), .p = s->prime(NULL), .base = BN_new(), .result = BN_new()};
    m.x = BN_bin2bn(w->private_key, (int)dh_private_size(s->group), NULL);
    BN_set_bit(m.x, 8 * (int)dh_private_size(s->group) - 1);
    BN_set_flags(m.x, BN_FLG_CONSTTIME);
    m.peer = BN_bin2bn(w->peer, w->peer_len, NULL);
    BN_set_word(m.base, 2);
    BN_MONT_CTX_set(m.mont, m.p, m.ctx);
    double r = rate(run_modp, &m);
    BN_free(m.x);
    BN_free(m.p);
    BN_free(m.base);
    BN_free(m.peer);
    BN_free(m.result);
    BN_MONT_CTX_free(m.mont);
    BN_CTX_free(m.ctx);
    return r;
}

struct ecp {
    BN_CTX *ctx;
    EC_GROUP *group;
    BIGNUM *x;
    EC_POINT *peer, *result;
};

static void run_ecp(void *arg)
{
    struct ecp *e = arg;
    EC_POINT_mul(e->group, e->result, NULL, e->peer, e->x, e->ctx);
    EC_POINT_mul(e->group, e->result, e->x, NULL, NULL, e->ctx);
}

static double ecp_rate(const struct subject *s, const struct dh_work *w)
{
    struct ecp e = {.ctx = BN_CTX_new(), .group = EC_GROUP_new_by_curve_name(s->nid)};
    e.x = BN_bin2bn(w->private_key, (int)dh_public_size(s->group) / 2, NULL);
    BN_nnmod(e.x, e.x, EC_GROUP_get0_order(e.group), e.ctx);
    e.peer = EC_POINT_new(e.group);
    e.result = EC_POINT_new(e.group);
    EC_POINT_mul(e.group, e.peer, e.x, NULL, NULL, e.ctx);
    double r = rate(run_ecp, &e);
    BN_free(e.x);
    EC_POINT_free(e.peer);
    EC_POINT_free(e.result);
    EC_GROUP_free(e.group);
    BN_CTX_free(e.ctx);
    return r;
}

static int measure(const struct subject *s, struct random_test *seed)
{
    struct dh_work peer = {.group = s->group}, w = {.group = s->group};
    random_test_fill(seed, peer.private_key, sizeof(peer.private_key));
    random_test_fill(seed, w.private_key, sizeof(w.private_key));
    dh_work_run(&peer);
    memcpy(w.peer, peer.public_key, peer.public_len);
    w.peer_len = peer.public_len;
    dh_work_run(&w);
    if (w.result != ERR_OK) {
        fprintf(stderr, "%s: %s\n", dh_name(s->group), err_text(w.result));
        return 1;
    }
    double ours = rate(run_work, &w);
    double bare = s->prime != NULL ? modp_rate(s, &w) : ecp_rate(s, &w);
    printf("%-10s %8.0f exchanges/s %8.1f us   bare OpenSSL %8.0f/s   ratio %.2f\n", dh_name(s->group), ours,
           1e6 / ours, bare, ours / bare);
    return 0;
}

int main(void)
{
    struct random_test seed;
    random_test_init(&seed, 1);
    int bad = 0;
    for (size_t i = 0; i < ARRAY_LEN(subjects); i++)
        bad |= measure(&subjects[i], &seed);
    return bad;
}
