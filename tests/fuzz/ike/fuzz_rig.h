/* Two ikes that have talked up to a wished point, for drivers that want to go on from there. Diffie-Hellman is replaced
 * by next to nothing: it is not what is tested, and it would take all the time. */
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
    bool paused; /* nothing is delivered any more */
};

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

/* Answers events; delivers what was sent unless the rig is paused. */
static inline void rig_pull(struct rig *r)
{
    for (bool any = true; any;) {
        any = false;
        for (int i = 0; i < 2; i++) {
            struct ike_event e;
            while (ike_event(r->ike[i], &e)) {
                any = true;
                if (e.type == IKE_EVENT_UP)
                    r->peer[i] = e.peer;
                if (e.type != IKE_EVENT_DH)
                    continue;
                rig_work(e.dh);
                ike_dh_done(r->ike[i], r->now, e.dh);
            }
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
    *r = (struct rig){.next_spi = 0x1000, .now = USEC_SEC};
    random_test_init(&r->rng, 1);
    strcpy(r->psk.name, "fuzz");
    MUST(secret_set(&r->psk.key, view_str("key")) == ERR_OK);
    const struct ike_env env = {{random_test_fill, &r->rng}, rig_reserve, rig_release, r};
    const struct ike_config config = {
        .policy = IKE_POLICY_LEGACY,
        .psks = &r->psk,
        .psk_count = 1,
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
