/* Two ikes that have talked up to a wished point, for drivers that want to go on from there. Diffie-Hellman and
 * signatures are replaced by next to nothing: they are not what is tested, and would take all the time. */
#ifndef SEKISHO_FUZZ_IKE_RIG_H
#define SEKISHO_FUZZ_IKE_RIG_H

#include "ike/ike_internal.h"

#include <stdlib.h>
#include <string.h>

#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            abort();                                                                                                   \
    } while (0)

struct rig {
    struct ike *ike[2]; /* client, gateway */
    struct random_test rng;
    struct ike_psk psk;
    uint32_t next_spi, peer[2];
    int spis;
    usec_t now;
    bool paused;      /* nothing is delivered any more */
    enum cause judge; /* what becomes of signatures that are to be judged */
    size_t judged;
};

static const struct view rig_certificates[] = {{(const uint8_t *)"0\x03\x02\x01\x01", 5}};
static const struct view rig_authorities[] = {{(const uint8_t *)"0\x0b"
                                                                "1\x09"
                                                                "0\x07\x06\x03\x55\x04\x03\x0c\x00",
                                               13}};
static const struct ike_credential rig_credential = {.name = "rig",
                                                     .auth = IKE_AUTH_RSA,
                                                     .id_type = IKE_ID_FQDN,
                                                     .id = {(const uint8_t *)"rig", 3},
                                                     .certificates = rig_certificates,
                                                     .certificate_count = 1,
                                                     .issuers = rig_authorities,
                                                     .issuer_count = 1};

static struct path rig_path(int to)
{
    const struct endpoint client = {ip4_addr(0xc6336414), 500}, gateway = {ip4_addr(0xcb007101), 500};
    return to ? (struct path){gateway, client} : (struct path){client, gateway};
}

static uint32_t rig_reserve(void *ctx)
{
    struct rig *r = ctx;
    r->spis++;
    return r->next_spi++;
}

static void rig_release(void *ctx, uint32_t spi)
{
    struct rig *r = ctx;
    (void)spi;
    r->spis--;
}

static void rig_work(struct dh_work *w)
{
    w->public_len = (uint16_t)dh_public_size(w->group);
    memset(w->public_key, w->private_key[0] | 1, w->public_len); /* each side has its own */
    w->shared_len = w->peer_len ? 32 : 0;
    memset(w->shared, 0x22, w->shared_len);
}

static void rig_prove(struct rig *r, struct ike_proof *p)
{
    size_t end = 0;
    MUST(p->cause != CAUSE_NONE && p->certificate_count <= IKE_PROOF_CERTIFICATES);
    for (size_t i = 0; i < p->certificate_count; i++) {
        MUST(p->certificate_at[i] == end && p->certificate_len[i] > 0);
        end += p->certificate_len[i];
    }
    MUST(end <= IKE_CHAIN_MAX && p->identity_len <= IKE_IDENTITY_MAX && p->signature_len <= IKE_SIGNATURE_MAX);
    MUST(p->hash_len > 0 && p->hash_len <= HASH_SIZE_MAX && memchr(p->credential, 0, sizeof(p->credential)));
    p->cause = p->sign ? CAUSE_NONE : r->judge;
    r->judged += !p->sign;
    if (p->sign)
        p->signature_len = 64;
}

/* Answers one side's events; false when there was none. */
static inline bool rig_answer(struct rig *r, int i)
{
    struct ike_event e;
    bool any = false;
    while (ike_event(r->ike[i], &e)) {
        any = true;
        if (e.type == IKE_EVENT_UP)
            r->peer[i] = e.peer;
        if (e.type == IKE_EVENT_DH) {
            rig_work(e.dh);
            ike_dh_done(r->ike[i], r->now, e.dh);
        } else if (e.type == IKE_EVENT_PROOF) {
            rig_prove(r, e.proof);
            ike_proof_done(r->ike[i], r->now, e.proof);
        }
    }
    return any;
}

/* The next message of one side, then as many more in turn as wished, by hand. */
static inline void rig_deliver(struct rig *r, int from, int messages)
{
    struct path path;
    uint8_t buffer[IKE_MESSAGE_MAX];
    for (int i = 0; i < messages; i++, from = !from) {
        (void)rig_answer(r, from);
        struct writer w = wr_init(buffer, sizeof(buffer));
        if (!ike_output(r->ike[from], &path, &w))
            return;
        const struct path arrival = rig_path(!from);
        (void)ike_input(r->ike[!from], r->now, &arrival, wr_written(&w));
    }
}

/* Answers events; delivers what was sent unless the rig is paused. */
static inline void rig_pull(struct rig *r)
{
    for (bool any = true; any;) {
        any = false;
        for (int i = 0; i < 2; i++) {
            any |= rig_answer(r, i);
            struct path path;
            uint8_t buffer[IKE_MESSAGE_MAX];
            struct writer w = wr_init(buffer, sizeof(buffer));
            while (ike_output(r->ike[i], &path, &w)) {
                MUST(wr_ok(&w));
                any = true;
                const struct path arrival = rig_path(!i);
                if (!r->paused && w.n > 0)
                    (void)ike_input(r->ike[!i], r->now, &arrival, wr_written(&w));
                w = wr_init(buffer, sizeof(buffer));
            }
        }
    }
}

static inline void rig_begin(struct rig *r)
{
    *r = (struct rig){.next_spi = 0x1000, .now = USEC_SEC, .judge = CAUSE_CERT_UNKNOWN_CA};
    random_test_init(&r->rng, 1);
    strcpy(r->psk.name, "fuzz");
    MUST(secret_set(&r->psk.key, view_str("key")) == ERR_OK);
    const struct ike_env env = {{random_test_fill, &r->rng}, rig_reserve, rig_release, r};
    const struct ike_config config = {
        .policy = IKE_POLICY_LEGACY,
        .psks = &r->psk,
        .psk_count = 1,
        .credentials = &rig_credential,
        .credential_count = 1,
        .authorities = rig_authorities,
        .authority_count = 1,
        .max_half_open = 4,
        .max_half_open_per_source = 4,
        .max_sas = 4,
        .dpd_interval = 30 * USEC_SEC,
        .dpd_timeout = 60 * USEC_SEC,
        .ike_proposal = "aes128-sha1-ecp256",
        .esp_proposal = "aes128-sha1",
    };
    for (int i = 0; i < 2; i++) {
        r->ike[i] = ike_new(&config, &env);
        MUST(r->ike[i]);
    }
}

static inline void rig_connect(struct rig *r)
{
    const struct ike_connect c = {.path = rig_path(0), .psk = &r->psk, .l2tp_port_local = 1701};
    uint32_t peer;
    MUST(ike_connect(r->ike[0], r->now, &c, &peer) == ERR_OK);
    rig_pull(r);
    MUST(r->peer[0] && r->peer[1]);
}

/* Lets an hour pass, so that every timer rings, then takes all down. */
static inline void rig_end(struct rig *r)
{
    r->paused = true;
    for (int i = 0; i < 2; i++) {
        for (int n = 0; n < 1000 && ike_deadline(r->ike[i]) < r->now + 3600 * USEC_SEC; n++) {
            const usec_t at = ike_deadline(r->ike[i]);
            ike_timeout(r->ike[i], at);
            rig_pull(r);
        }
    }
    ike_free(r->ike[0]);
    ike_free(r->ike[1]);
    MUST(r->spis == 0);
}

#endif
