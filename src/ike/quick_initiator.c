/* Quick mode as initiator: for a client's first pair, and for every pair that must follow an older one. */
#include "ike/ike_internal.h"

#include <stdio.h>
#include <string.h>

static size_t our_offers(const struct ike *ike, const struct sa *sa, struct esp_suite out[static OFFERS_MAX])
{
    const bool udp = sa->natt_agreed && (sa->nat_local || sa->nat_remote || ike->config.encap == IKE_ENCAP_FORCE);
    const uint16_t udp_mode =
        sa->natt == NATT_RFC_3947 ? ENCAPSULATION_UDP_TRANSPORT : ENCAPSULATION_UDP_TRANSPORT_DRAFT;
    const size_t n = policy_offer_esp(ike->config.policy, ike->config.esp_proposal, out);
    for (size_t i = 0; i < n; i++) {
        out[i].mode = udp ? udp_mode : ENCAPSULATION_TRANSPORT;
        out[i].pfs = ike->config.pfs ? sa->suite.group : DH_NONE;
        out[i].lifetime = ike->config.child_lifetime ? ike->config.child_lifetime : LIFETIME_CHILD_DEFAULT;
        out[i].kilobytes = ike->config.child_kilobytes;
    }
    return n;
}

static void offer_write(struct writer *w, const struct esp_suite *suites, size_t n, uint32_t spi)
{
    uint8_t bytes[4];
    struct writer number = wr_init(bytes, sizeof(bytes));
    wr_u32(&number, spi);
    const size_t start = proposal_begin(w, PROTO_ESP, VIEW(bytes), n);
    for (size_t i = 0; i < n; i++) {
        const size_t at = transform_begin(w, i, n, esp_suite_id(&suites[i]));
        esp_suite_write(w, &suites[i]);
        transform_end(w, at);
    }
    proposal_end(w, start);
}

/* ---- QM1 ---- */

/* Between the same ends as the pair that is replaced; a client's first pair is for the server's port 1701. */
static void selectors(const struct ike *ike, const struct sa *sa, struct quick_work *w)
{
    const struct peer *peer = sa->peer;
    const struct child *old = w->replaces ? child_find(ike, w->replaces) : NULL;
    w->host_local = sa->path.local.addr;
    w->host_remote = peer->initiator && peer->connect.oa_remote.family ? peer->connect.oa_remote : sa->path.remote.addr;
    w->port_local = peer->initiator ? peer->connect.l2tp_port_local : L2TP_PORT;
    w->port_remote = peer->initiator ? L2TP_PORT : 0;
    if (!old)
        return;
    if (old->host_local.family)
        w->host_local = old->host_local;
    if (old->host_remote.family)
        w->host_remote = old->host_remote;
    w->port_local = old->port_local;
    w->port_remote = old->port_remote;
}

static void selectors_write(struct draft *d, const struct quick_work *w)
{
    draft_payload(d, PAYLOAD_ID);
    identity_write(&d->w, &w->host_local, IP_PROTO_UDP, w->port_local);
    draft_payload_end(d);
    draft_payload(d, PAYLOAD_ID);
    identity_write(&d->w, &w->host_remote, IP_PROTO_UDP, w->port_remote);
    draft_payload_end(d);
}

static void send_offer(struct ike *ike, struct quick *q)
{
    struct quick_work *w = q->work;
    struct sa *sa = q->sa;
    struct esp_suite suites[OFFERS_MAX];
    struct draft d;
    const size_t n = our_offers(ike, sa, suites);
    draft_phase2(&d, sa, EXCHANGE_QUICK, q->message_id);
    draft_payload(&d, PAYLOAD_SA);
    offer_write(&d.w, suites, n, w->spi_in);
    draft_payload_end(&d);
    draft_put(&d, PAYLOAD_NONCE, view_of(w->nonce_i, w->nonce_i_len));
    if (w->public_len > 0)
        draft_put(&d, PAYLOAD_KE, view_of(w->public_key, w->public_len));
    if (!sa->peer->unselected)
        selectors_write(&d, w);
    if (mode_is_udp(suites[0].mode))
        natoa_write(&d, sa, &sa->path.local.addr, &w->host_remote);
    const struct view message = draft_phase2_seal(&d, sa, false, VIEW_NONE, VIEW_NONE, q->iv);
    q->state = QUICK_QM2_WAIT;
    resend_send(ike, &q->resend, &sa->path, message, true);
    sa_stage(ike, sa, STAGE_IKE_QM1, "");
}

enum err quick_begin(struct ike *ike, struct sa *sa, uint32_t replaces)
{
    struct esp_suite suites[OFFERS_MAX];
    if (our_offers(ike, sa, suites) == 0)
        return ERR_INVALID;
    struct quick *q = quick_new(ike, sa, sa_message_id_make(ike, sa), true);
    if (!q)
        return ERR_LIMIT;
    struct quick_work *w = q->work;
    w->replaces = replaces;
    w->spi_in = ike->env.spi_reserve(ike->env.ctx);
    w->nonce_i_len = NONCE_OURS;
    random_fill(&ike->env.random, w->nonce_i, NONCE_OURS);
    selectors(ike, sa, w);
    enum err e = w->spi_in == 0 ? ERR_LIMIT : keys_exchange_iv(sa, q->message_id, q->iv);
    if (e == ERR_OK && suites[0].pfs != DH_NONE) {
        q->state = QUICK_QM1_WORK;
        random_fill(&ike->env.random, w->dh_private, dh_private_size(suites[0].pfs));
        e = work_ask(ike, &w->dh, suites[0].pfs, w->dh_private, VIEW_NONE);
    } else if (e == ERR_OK) {
        send_offer(ike, q);
    }
    if (e != ERR_OK)
        quick_initiator_failed(ike, q, CAUSE_NO_MEMORY, "");
    return e;
}

/* ---- QM2, QM3 ---- */

static enum drop judge_choice(const struct ike *ike, struct quick *q, const struct payloads *p)
{
    struct offer offer;
    struct esp_suite ours[OFFERS_MAX], chosen;
    struct quick_work *w = q->work;
    const enum drop d = offer_parse(payload_body(p, PAYLOAD_SA), &offer);
    if (d != DROP_NONE)
        return d;
    const struct proposal *proposal = &offer.proposals[0];
    if (offer.proposal_count != 1 || offer.transform_count != 1 || proposal->protocol != PROTO_ESP ||
        proposal->spi.n != 4 || esp_suite_read(&offer.transforms[0], &chosen) != ERR_OK)
        return DROP_IKE_PROPOSAL;
    const size_t n = our_offers(ike, q->sa, ours);
    size_t i = 0;
    while (i < n && !esp_suite_same(&ours[i], &chosen))
        i++;
    if (i == n)
        return DROP_IKE_PROPOSAL;
    const struct view ke = payload_body(p, PAYLOAD_KE);
    if (ke.n != (chosen.pfs == DH_NONE ? 0 : dh_public_size(chosen.pfs)))
        return DROP_IKE_KE;
    w->suite = chosen;
    w->encap = mode_is_udp(chosen.mode);
    w->spi_out = be32_get(proposal->spi.p);
    return DROP_NONE;
}

static void finish(struct ike *ike, struct quick *q)
{
    struct quick_work *w = q->work;
    struct sa *sa = q->sa;
    struct draft d;
    char text[SUITE_TEXT_MAX];
    sa_stage(ike, sa, STAGE_IKE_QM2, esp_suite_text(&w->suite, text));
    struct child *c = quick_child(ike, q);
    if (!c) {
        quick_initiator_failed(ike, q, CAUSE_NO_MEMORY, "");
        return;
    }
    draft_phase2(&d, sa, EXCHANGE_QUICK, q->message_id);
    const struct view message = draft_phase2_seal(&d, sa, true, view_of(w->nonce_i, w->nonce_i_len),
                                                  view_of(w->nonce_r, w->nonce_r_len), q->iv);
    resend_send(ike, &q->resend, &sa->path, message, false);
    quick_settle(ike, q);
    sa_stage(ike, sa, STAGE_IKE_QM3, "");
    child_use(ike, c);
}

enum drop quick_initiator_reply(struct ike *ike, struct quick *q, const struct message *m, const struct opened *o)
{
    struct quick_work *w = q->work;
    const struct payloads *p = &o->payloads;
    if (!phase2_hash_ok(q->sa, p, false, q->message_id, view_of(w->nonce_i, w->nonce_i_len), VIEW_NONE))
        return DROP_IKE_HASH;
    enum drop d = form_check(FORM_QM_SA, p);
    const struct view nonce = payload_body(p, PAYLOAD_NONCE);
    if (d == DROP_NONE && (nonce.n < NONCE_MIN || nonce.n > NONCE_MAX))
        d = DROP_IKE_PAYLOADS;
    if (d == DROP_NONE)
        d = judge_choice(ike, q, p);
    sa_seen(ike, q->sa, m->path);
    if (d != DROP_NONE) {
        quick_initiator_failed(ike, q, CAUSE_IKE_PROTOCOL, "the answer does not fit the offer");
        return d;
    }
    memcpy(q->iv, o->iv, sizeof(q->iv));
    memcpy(w->nonce_r, nonce.p, nonce.n);
    w->nonce_r_len = (uint16_t)nonce.n;
    (void)natoa_read(p, &w->oa_local, &w->oa_remote);
    digest_take(&q->last_in, m->whole);
    resend_done(ike, &q->resend);
    if (w->suite.pfs == DH_NONE) {
        finish(ike, q);
        return DROP_NONE;
    }
    q->state = QUICK_QM3_WORK;
    if (work_ask(ike, &w->dh, w->suite.pfs, w->dh_private, payload_body(p, PAYLOAD_KE)) != ERR_OK)
        quick_initiator_failed(ike, q, CAUSE_NO_MEMORY, "");
    return DROP_NONE;
}

void quick_initiator_worked(struct ike *ike, struct quick *q, const struct dh_work *work)
{
    struct quick_work *w = q->work;
    if (work->result != ERR_OK) {
        quick_initiator_failed(ike, q, CAUSE_IKE_PROTOCOL, "the peer's public value is not of its group");
        return;
    }
    if (q->state == QUICK_QM1_WORK) {
        memcpy(w->public_key, work->public_key, work->public_len);
        w->public_len = work->public_len;
        send_offer(ike, q);
        return;
    }
    memcpy(w->shared, work->shared, work->shared_len);
    w->shared_len = work->shared_len;
    finish(ike, q);
}

bool quick_without_selectors(struct ike *ike, struct quick *q)
{
    struct sa *sa = q->sa;
    const uint32_t replaces = q->work->replaces;
    if (!sa->peer->initiator || sa->peer->unselected || sa->natt_agreed)
        return false;
    sa->peer->unselected = true;
    quick_free(ike, q);
    (void)quick_begin(ike, sa, replaces); /* which tells when it fails */
    return true;
}

void quick_initiator_failed(struct ike *ike, struct quick *q, enum cause cause, const char *detail)
{
    struct ike_event *e = sa_event(ike, q->sa, IKE_EVENT_CHILD_FAILED);
    if (e) {
        e->cause = cause;
        snprintf(e->detail, sizeof(e->detail), "%s", detail);
    }
    child_retry(ike, q->work->replaces);
    quick_free(ike, q);
}
