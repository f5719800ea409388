/*
 * Quick mode (RFC 2409 5.5), what both sides share: exchanges are found by IKE SA and message id together, since every
 * Windows counts its message ids 1, 2, 3 (clients.md rule 6).
 */
#include "ike/ike_internal.h"

#include <stdlib.h>
#include <string.h>

/* As initiator we follow the peer; as responder we answer where we were asked. */
static const struct path *path_of(const struct quick *q)
{
    return q->initiator || q->state == QUICK_DONE ? &q->sa->path : &q->path;
}

/* Aggressive mode floats with its last message, so that quick mode is the first to miss an answer on port 4500. */
static enum cause cause_of_silence(const struct sa *sa)
{
    return sa->aggressive && sa->floated && !sa->heard ? CAUSE_IKE_NATT_BLOCKED : CAUSE_IKE_NO_ANSWER;
}

static void resend_ring(struct ike *ike, struct alarm *a)
{
    struct quick *q = container_of(a, struct quick, resend.alarm);
    if (q->resend.armed)
        aggressive_remind(ike, q->sa);
    if (!q->resend.armed)
        quick_free(ike, q);
    else if (resend_again(ike, &q->resend, path_of(q)))
        return;
    else if (q->initiator)
        quick_initiator_failed(ike, q, cause_of_silence(q->sa), "quick mode was not answered");
    else
        quick_responder_timeout(ike, q);
}

/* Forgets the oldest finished exchange; false when all are still running. */
static bool make_room(struct ike *ike, struct sa *sa)
{
    if (sa->quick_count < QUICKS_MAX)
        return true;
    LIST_EACH_SAFE(l, &sa->quicks)
    {
        struct quick *q = container_of(l, struct quick, of_sa);
        if (q->state != QUICK_DONE)
            continue;
        quick_free(ike, q);
        return true;
    }
    return false;
}

struct quick *quick_new(struct ike *ike, struct sa *sa, uint32_t message_id, bool initiator)
{
    if (!make_room(ike, sa))
        return NULL;
    struct quick *q = calloc(1, sizeof(*q));
    struct quick_work *work = calloc(1, sizeof(*work));
    if (!q || !work) {
        free(q);
        free(work);
        return NULL;
    }
    q->sa = sa;
    q->message_id = message_id;
    q->initiator = initiator;
    q->work = work;
    q->path = sa->path;
    q->resend.alarm.ring = resend_ring;
    work->dh.sa = sa;
    work->dh.quick = q;
    list_append(&sa->quicks, &q->of_sa);
    sa->quick_count++;
    return q;
}

static void burn_work(struct ike *ike, struct quick *q)
{
    if (!q->work)
        return;
    work_forget(ike, &q->work->dh);
    if (q->work->spi_in != 0)
        ike->env.spi_release(ike->env.ctx, q->work->spi_in);
    bytes_wipe(q->work, sizeof(*q->work));
    free(q->work);
    q->work = NULL;
}

void quick_free(struct ike *ike, struct quick *q)
{
    burn_work(ike, q);
    resend_done(ike, &q->resend);
    if (q->child)
        q->child->quick = NULL;
    list_remove(&q->of_sa);
    q->sa->quick_count--;
    free(q);
}

void quick_settle(struct ike *ike, struct quick *q)
{
    burn_work(ike, q);
    q->state = QUICK_DONE;
    if (q->initiator)
        resend_stop(ike, &q->resend);
    else
        resend_done(ike, &q->resend);
    alarm_set(ike, &q->resend.alarm, ike->now + MEMORY_LIFE);
}

static struct quick *find(const struct sa *sa, uint32_t message_id)
{
    LIST_EACH_SAFE(l, &sa->quicks)
    {
        struct quick *q = container_of(l, struct quick, of_sa);
        if (q->message_id == message_id)
            return q;
    }
    return NULL;
}

enum drop quick_open(const struct sa *sa, const struct message *m, struct opened *o)
{
    enum drop d = crypt_open(&sa->keys, o->iv, m->body, o->plain, sizeof(o->plain));
    if (d == DROP_NONE && payloads_parse(m->header.next, view_of(o->plain, m->body.n), true, &o->payloads) != DROP_NONE)
        d = DROP_IKE_DECRYPT;
    return d;
}

enum drop quick_open_first(struct sa *sa, const struct message *m, struct seen *seen, struct opened *o)
{
    if (keys_exchange_iv(sa, m->header.message_id, o->iv) != ERR_OK)
        return DROP_IKE_DECRYPT;
    const enum drop d = quick_open(sa, m, o);
    if (d != DROP_NONE)
        return d;
    if (!phase2_hash_ok(sa, &o->payloads, false, m->header.message_id, VIEW_NONE, VIEW_NONE))
        return DROP_IKE_HASH;
    return seen_first(seen, m->header.message_id) ? DROP_NONE : DROP_IKE_REPEATED;
}

static enum drop go_on(struct ike *ike, struct quick *q, const struct message *m)
{
    struct opened o;
    memcpy(o.iv, q->iv, sizeof(o.iv));
    enum drop d = DROP_IKE_STATE;
    if (q->state == QUICK_QM2_WAIT || q->state == QUICK_QM3_WAIT)
        d = quick_open(q->sa, m, &o);
    if (d == DROP_NONE)
        d = q->initiator ? quick_initiator_reply(ike, q, m, &o) : quick_responder_last(ike, q, m, &o);
    return d;
}

enum drop quick_input(struct ike *ike, struct sa *sa, const struct message *m)
{
    if (!(m->header.flags & FLAG_ENCRYPTED))
        return DROP_IKE_PLAIN;
    if (sa->state != SA_UP || m->header.message_id == 0)
        return DROP_IKE_STATE;
    struct quick *q = find(sa, m->header.message_id);
    if (!q)
        return quick_responder_first(ike, sa, m);
    if (digest_matches(&q->last_in, m->whole)) {
        resend_answer(ike, &q->resend, path_of(q));
        return DROP_IKE_REPEATED;
    }
    return go_on(ike, q, m);
}

void quick_worked(struct ike *ike, struct quick *q, const struct dh_work *work)
{
    if (q->initiator)
        quick_initiator_worked(ike, q, work);
    else
        quick_responder_worked(ike, q, work);
}

/* The smaller limit in bytes; 0 is none. */
static uint64_t fewer_kilobytes(uint64_t told, uint64_t own)
{
    if (told == 0 || own == 0)
        return told ? told : own;
    return told < own ? told : own;
}

struct child *quick_child(struct ike *ike, struct quick *q)
{
    struct quick_work *w = q->work;
    struct peer *peer = q->sa->peer;
    uint8_t in[KEYMAT_MAX], out[KEYMAT_MAX];
    const size_t size = esp_cipher_key_size(&w->suite.transform) + esp_auth_key_size(&w->suite.transform);
    const bool rekey = peer->child_count > 0;
    struct child *c = NULL;
    if (size <= KEYMAT_MAX && keys_esp(&q->sa->keys, w, w->spi_in, size, in) == ERR_OK &&
        keys_esp(&q->sa->keys, w, w->spi_out, size, out) == ERR_OK)
        c = child_new(ike, peer, q);
    struct ike_event *e = c ? sa_event(ike, q->sa, IKE_EVENT_CHILD_NEW) : NULL;
    if (e) {
        e->child = (struct ike_child){
            .spi_in = c->spi_in,
            .spi_out = c->spi_out,
            .transform = w->suite.transform,
            .encap = w->encap,
            .rekey = rekey,
            .lifetime = c->lifetime,
            .kilobytes = fewer_kilobytes(w->suite.kilobytes, ike->config.child_kilobytes),
            .port_local = w->port_local,
            .port_remote = w->port_remote,
            .pfs = w->suite.pfs,
            .oa_local = w->oa_local,
            .oa_remote = w->oa_remote,
        };
        queue_keymat(e, view_of(in, size), view_of(out, size));
    }
    bytes_wipe(in, sizeof(in));
    bytes_wipe(out, sizeof(out));
    if (!c)
        return NULL;
    w->spi_in = 0; /* the child's now */
    q->child = c;
    c->quick = q;
    return c;
}

bool mode_is_transport(uint16_t mode)
{
    return mode == 0 || mode == ENCAPSULATION_TRANSPORT || mode_is_udp(mode);
}

bool mode_is_udp(uint16_t mode)
{
    return mode == ENCAPSULATION_UDP_TRANSPORT || mode == ENCAPSULATION_UDP_TRANSPORT_DRAFT;
}

void natoa_write(struct draft *d, const struct sa *sa, const struct ip_addr *initiator, const struct ip_addr *responder)
{
    const enum payload_type type = sa->natt == NATT_RFC_3947 ? PAYLOAD_NATOA : PAYLOAD_NATOA_DRAFT;
    /* RFC 3947 5.2: shaped like an ID payload with protocol and port reserved. */
    draft_payload(d, type);
    identity_write(&d->w, initiator, 0, 0);
    draft_payload_end(d);
    draft_payload(d, type);
    identity_write(&d->w, responder, 0, 0);
    draft_payload_end(d);
}

bool natoa_read(const struct payloads *p, struct ip_addr *initiator, struct ip_addr *responder)
{
    const enum payload_type type = payload_count(p, PAYLOAD_NATOA) ? PAYLOAD_NATOA : PAYLOAD_NATOA_DRAFT;
    const struct payload *i = payload_nth(p, type, 0), *r = payload_nth(p, type, 1);
    struct identity id;
    if (i && identity_parse(i->body, &id) == DROP_NONE)
        *initiator = identity_address(&id);
    if (r && identity_parse(r->body, &id) == DROP_NONE)
        *responder = identity_address(&id);
    return i != NULL;
}
