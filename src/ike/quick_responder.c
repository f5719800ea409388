/* Quick mode as responder: the peer's offer is judged, the answer sent until the third message or traffic shows that it
 * arrived. */
#include "ike/ike_internal.h"

#include <stdio.h>
#include <string.h>

#define SPI_MIN 256 /* smaller ones are reserved, RFC 4303 2.1 */

/* Why an offer is refused: for the peer and for people. */
struct refusal {
    uint16_t notify;
    enum cause cause;
    char detail[160];
};

static enum drop refuse(struct refusal *r, enum notify_type notify, enum cause cause, const char *detail)
{
    r->notify = (uint16_t)notify;
    r->cause = cause;
    snprintf(r->detail, sizeof(r->detail), "%s", detail);
    return cause == CAUSE_ESP_SELECTOR ? DROP_IKE_ID : DROP_IKE_PROPOSAL;
}

/* ---- judging the SA payload ---- */

static bool pfs_fits(const struct esp_suite *s, struct view ke)
{
    return s->pfs == DH_NONE ? ke.n == 0 : ke.n == dh_public_size(s->pfs);
}

/* Any group will do for PFS: it adds to main mode's (clients.md rule 36). */
static const struct transform *choose(const struct ike *ike, const struct sa *sa, const struct offer *o, struct view ke,
                                      struct esp_suite *out, bool *tunnels)
{
    const bool weak = vendors_weak_sha256(&sa->vendors);
    const struct transform *best = NULL;
    int best_rank = -1;
    for (size_t i = 0; i < o->transform_count; i++) {
        const struct proposal *p = &o->proposals[o->transforms[i].proposal];
        struct esp_suite s;
        if (p->protocol != PROTO_ESP || p->bundled || p->spi.n != 4 || be32_get(p->spi.p) < SPI_MIN)
            continue;
        if (esp_suite_read(&o->transforms[i], &s) != ERR_OK || !pfs_fits(&s, ke))
            continue;
        const int rank = esp_suite_rank(ike->config.policy, weak, &s);
        if (!mode_is_transport(s.mode)) {
            *tunnels = true;
            continue;
        }
        if (rank <= best_rank || (mode_is_udp(s.mode) && sa->natt == NATT_NONE))
            continue;
        best = &o->transforms[i];
        best_rank = rank;
        *out = s;
    }
    return best;
}

static enum drop judge_offer(struct ike *ike, const struct sa *sa, const struct payloads *p, struct quick_work *w,
                             struct refusal *why)
{
    struct offer offer;
    bool tunnels = false;
    if (offer_parse(payload_body(p, PAYLOAD_SA), &offer) != DROP_NONE)
        return refuse(why, NOTIFY_BAD_PROPOSAL_SYNTAX, CAUSE_IKE_PROTOCOL, "the SA payload cannot be read");
    const struct transform *t = choose(ike, sa, &offer, payload_body(p, PAYLOAD_KE), &w->suite, &tunnels);
    if (!t && tunnels)
        return refuse(why, NOTIFY_NO_PROPOSAL_CHOSEN, CAUSE_ESP_SELECTOR, "tunnel mode was asked for");
    if (!t) {
        policy_explain_esp(ike->config.policy, &offer, why->detail, sizeof(why->detail));
        why->notify = NOTIFY_NO_PROPOSAL_CHOSEN;
        why->cause = CAUSE_ESP_NO_PROPOSAL;
        return DROP_IKE_PROPOSAL;
    }
    uint8_t spi[4];
    w->encap = mode_is_udp(w->suite.mode);
    w->spi_out = be32_get(offer.proposals[t->proposal].spi.p);
    w->spi_in = ike->env.spi_reserve(ike->env.ctx);
    if (w->spi_in == 0)
        return refuse(why, NOTIFY_NO_PROPOSAL_CHOSEN, CAUSE_NO_MEMORY, "no SPI is left");
    be32_put(spi, w->spi_in);
    struct writer out = wr_init(w->choice, sizeof(w->choice));
    offer_write_choice(&out, &offer, t, VIEW(spi));
    w->choice_len = (uint16_t)out.n;
    if (!wr_ok(&out))
        return refuse(why, NOTIFY_NO_PROPOSAL_CHOSEN, CAUSE_IKE_PROTOCOL, "the transform is too long");
    return DROP_NONE;
}

/* ---- judging the selectors ---- */

static bool single_host(const struct identity *id)
{
    return id->type == IKE_ID_IPV4_ADDR || id->type == IKE_ID_IPV6_ADDR || id->type == IKE_ID_FQDN ||
           id->type == IKE_ID_USER_FQDN || id->type == IKE_ID_KEY_ID;
}

static bool carries_udp(const struct identity *id)
{
    return id->protocol == IP_PROTO_UDP || id->protocol == 0;
}

/* UDP between our port 1701 and any port of the peer's; the addresses do not matter, since behind a NAT they are what
 * they are (clients.md rules 3, 4 and 34). */
static enum drop judge_selectors(const struct payloads *p, struct quick_work *w, struct refusal *why)
{
    struct identity i, r;
    const struct payload *pi = payload_nth(p, PAYLOAD_ID, 0), *pr = payload_nth(p, PAYLOAD_ID, 1);
    if (!pi && !pr)
        return DROP_NONE;
    if (!pr || identity_parse(pi->body, &i) != DROP_NONE || identity_parse(pr->body, &r) != DROP_NONE)
        return refuse(why, NOTIFY_INVALID_ID_INFORMATION, CAUSE_IKE_PROTOCOL, "the selectors cannot be read");
    if (!single_host(&i) || !single_host(&r) || !carries_udp(&i) || !carries_udp(&r) ||
        (r.port != L2TP_PORT && r.port != 0)) {
        char text[IDENTITY_TEXT_MAX], detail[160];
        identity_text(&r, text);
        snprintf(detail, sizeof(detail), "asked for %.100s, protocol %u, port %u", text, r.protocol, r.port);
        return refuse(why, NOTIFY_INVALID_ID_INFORMATION, CAUSE_ESP_SELECTOR, detail);
    }
    memcpy(w->id_i, pi->body.p, pi->body.n);
    w->id_i_len = (uint16_t)pi->body.n;
    memcpy(w->id_r, pr->body.p, pr->body.n);
    w->id_r_len = (uint16_t)pr->body.n;
    w->port_remote = i.port;
    w->port_local = r.port;
    w->host_remote = identity_address(&i);
    w->host_local = identity_address(&r);
    return DROP_NONE;
}

/* Android sends no NAT-OA: its inner address then is that of its selector. */
static void original_addresses(const struct payloads *p, struct quick_work *w)
{
    w->natoa = natoa_read(p, &w->oa_remote, &w->oa_local);
    if (!w->encap)
        return;
    if (w->oa_remote.family == 0)
        w->oa_remote = w->host_remote;
    if (w->oa_local.family == 0)
        w->oa_local = w->host_local;
}

/* ---- QM1, QM2 ---- */

static void refuse_peer(struct ike *ike, struct sa *sa, const struct refusal *why)
{
    info_notify(ike, sa, PROTO_ESP, why->notify, VIEW_NONE);
    sa_told(ike, sa, why->cause, why->detail);
}

static void send_answer(struct ike *ike, struct quick *q)
{
    struct quick_work *w = q->work;
    struct sa *sa = q->sa;
    struct draft d;
    char text[SUITE_TEXT_MAX];
    const struct view nonce_i = view_of(w->nonce_i, w->nonce_i_len);
    if (!quick_child(ike, q)) {
        sa_told(ike, sa, CAUSE_NO_MEMORY, "");
        quick_free(ike, q);
        return;
    }
    draft_phase2(&d, sa, EXCHANGE_QUICK, q->message_id);
    draft_put(&d, PAYLOAD_SA, view_of(w->choice, w->choice_len));
    draft_put(&d, PAYLOAD_NONCE, view_of(w->nonce_r, w->nonce_r_len));
    if (w->public_len > 0)
        draft_put(&d, PAYLOAD_KE, view_of(w->public_key, w->public_len));
    if (w->id_i_len > 0) {
        draft_put(&d, PAYLOAD_ID, view_of(w->id_i, w->id_i_len));
        draft_put(&d, PAYLOAD_ID, view_of(w->id_r, w->id_r_len));
    }
    if (w->natoa && w->encap)
        natoa_write(&d, sa, &sa->path.remote.addr, &sa->path.local.addr);
    const struct view answer = draft_phase2_seal(&d, sa, false, nonce_i, VIEW_NONE, q->iv);
    q->state = QUICK_QM3_WAIT;
    resend_send(ike, &q->resend, &q->path, answer, true);
    sa_stage(ike, sa, STAGE_IKE_QM2, esp_suite_text(&w->suite, text));
}

static enum drop judge(struct ike *ike, struct quick *q, const struct payloads *p, struct refusal *why)
{
    struct quick_work *w = q->work;
    const struct view nonce = payload_body(p, PAYLOAD_NONCE);
    if (nonce.n < NONCE_MIN || nonce.n > NONCE_MAX)
        return refuse(why, NOTIFY_PAYLOAD_MALFORMED, CAUSE_IKE_PROTOCOL, "a nonce of wrong size");
    memcpy(w->nonce_i, nonce.p, nonce.n);
    w->nonce_i_len = (uint16_t)nonce.n;
    w->nonce_r_len = NONCE_OURS;
    random_fill(&ike->env.random, w->nonce_r, NONCE_OURS);
    enum drop d = judge_selectors(p, w, why);
    if (d == DROP_NONE)
        d = judge_offer(ike, q->sa, p, w, why);
    if (d == DROP_NONE)
        original_addresses(p, w);
    return d;
}

static size_t quicks_waiting(const struct sa *sa)
{
    size_t n = 0;
    LIST_EACH_SAFE(l, &sa->quicks)
    n += !container_of(l, struct quick, of_sa)->initiator && container_of(l, struct quick, of_sa)->state != QUICK_DONE;
    return n;
}

enum drop quick_responder_first(struct ike *ike, struct sa *sa, const struct message *m)
{
    struct opened o;
    struct refusal why = {0};
    enum drop d = quick_open_first(sa, m, &sa->seen_quick, &o);
    if (d != DROP_NONE)
        return d;
    if (quicks_waiting(sa) >= QUICKS_WAITING_MAX)
        return DROP_IKE_LIMIT;
    d = form_check(FORM_QM_SA, &o.payloads);
    if (d != DROP_NONE)
        return d;
    sa_stage(ike, sa, STAGE_IKE_QM1, "");
    struct quick *q = quick_new(ike, sa, m->header.message_id, false);
    if (!q)
        return DROP_IKE_LIMIT;
    q->path = *m->path;
    d = judge(ike, q, &o.payloads, &why);
    if (d != DROP_NONE) {
        refuse_peer(ike, sa, &why);
        quick_free(ike, q);
        return d;
    }
    memcpy(q->iv, o.iv, sizeof(q->iv));
    digest_take(&q->last_in, m->whole);
    if (q->work->suite.pfs == DH_NONE) {
        send_answer(ike, q);
        return DROP_NONE;
    }
    q->state = QUICK_QM2_WORK;
    if (work_ask(ike, &q->work->dh, q->work->suite.pfs, NULL, payload_body(&o.payloads, PAYLOAD_KE)) != ERR_OK) {
        quick_free(ike, q);
        return DROP_NO_MEMORY;
    }
    return DROP_NONE;
}

void quick_responder_worked(struct ike *ike, struct quick *q, const struct dh_work *work)
{
    struct quick_work *w = q->work;
    if (work->result != ERR_OK) {
        struct refusal why = {0};
        (void)refuse(&why, NOTIFY_INVALID_KEY_INFORMATION, CAUSE_IKE_PROTOCOL, "a public value outside its group");
        refuse_peer(ike, q->sa, &why);
        quick_free(ike, q);
        return;
    }
    memcpy(w->public_key, work->public_key, work->public_len);
    w->public_len = work->public_len;
    memcpy(w->shared, work->shared, work->shared_len);
    w->shared_len = work->shared_len;
    send_answer(ike, q);
}

/* ---- QM3 ---- */

enum drop quick_responder_last(struct ike *ike, struct quick *q, const struct message *m, const struct opened *o)
{
    const struct quick_work *w = q->work;
    if (!phase2_hash_ok(q->sa, &o->payloads, true, q->message_id, view_of(w->nonce_i, w->nonce_i_len),
                        view_of(w->nonce_r, w->nonce_r_len)))
        return DROP_IKE_HASH;
    digest_take(&q->last_in, m->whole);
    sa_seen(ike, q->sa, m->path);
    sa_stage(ike, q->sa, STAGE_IKE_QM3, "");
    struct child *c = q->child;
    quick_settle(ike, q);
    if (c)
        child_use(ike, c);
    return DROP_NONE;
}

void quick_responder_timeout(struct ike *ike, struct quick *q)
{
    struct child *c = q->child;
    sa_told(ike, q->sa, CAUSE_IKE_NO_ANSWER, "the third message of quick mode did not come");
    quick_free(ike, q);
    if (c)
        child_down(ike, c, CAUSE_IKE_NO_ANSWER, true);
}
