/* Informational exchanges (RFC 2409 5.7): Deletes and notifications, with HASH(1) once keys exist. What comes in clear
 * may be forged by anyone and only ever colours the story of a main mode that fails anyway. */
#include "ike/ike_internal.h"

#include <string.h>

/* ---- sending ---- */

void info_begin(struct ike *ike, struct sa *sa, struct draft *d)
{
    draft_phase2(d, sa, EXCHANGE_INFO, sa_message_id_make(ike, sa));
}

void info_send(struct ike *ike, struct sa *sa, struct draft *d)
{
    uint8_t iv[CIPHER_BLOCK_MAX];
    if (keys_exchange_iv(sa, d->message_id, iv) != ERR_OK)
        return;
    const struct view message = draft_phase2_seal(d, sa, false, VIEW_NONE, VIEW_NONE, iv);
    if (message.n > 0)
        queue_datagram(ike, &sa->path, message);
}

void info_notify(struct ike *ike, struct sa *sa, uint8_t protocol, uint16_t type, struct view spi)
{
    struct draft d;
    info_begin(ike, sa, &d);
    draft_notify(&d, protocol, type, spi, VIEW_NONE);
    info_send(ike, sa, &d);
}

void info_refuse(struct ike *ike, const struct message *m, uint16_t type)
{
    struct draft d;
    draft_begin(&d, &m->header, EXCHANGE_INFO, random_u32(&ike->env.random));
    draft_notify(&d, PROTO_ISAKMP, type, VIEW_NONE, VIEW_NONE);
    queue_datagram(ike, m->path, draft_finish(&d));
}

/* ---- Delete ---- */

/* A Delete names the sender's inbound SPI, which is our outbound one; some name ours (clients.md 5.1). */
static struct child *child_named(struct peer *peer, uint32_t spi)
{
    LIST_EACH_SAFE(l, &peer->children)
    {
        struct child *c = container_of(l, struct child, of_peer);
        if (c->spi_out == spi)
            return c;
    }
    LIST_EACH_SAFE(l, &peer->children)
    {
        struct child *c = container_of(l, struct child, of_peer);
        if (c->spi_in == spi)
            return c;
    }
    return NULL;
}

static struct sa *sa_named(struct peer *peer, struct view cookies)
{
    struct reader r = rd_init(cookies);
    const struct view icookie = rd_view(&r, COOKIE_SIZE), rcookie = rd_view(&r, COOKIE_SIZE);
    LIST_EACH_SAFE(l, &peer->sas)
    {
        struct sa *sa = container_of(l, struct sa, of_peer);
        if (view_equal(icookie, VIEW(sa->cookies.icookie)) && view_equal(rcookie, VIEW(sa->cookies.rcookie)))
            return sa;
    }
    return NULL;
}

static void delete_children(struct ike *ike, struct peer *peer, const struct delete_list *list)
{
    struct reader r = rd_init(list->spis);
    for (uint16_t i = 0; i < list->count && list->spi_size == 4; i++) {
        struct child *c = child_named(peer, rd_u32(&r));
        if (c)
            child_down(ike, c, CAUSE_PEER_CLOSED, false);
    }
}

/* IKE SAs other than the one the message came by go at once; that one is left for the caller. */
static bool delete_sas(struct ike *ike, struct sa *own, const struct delete_list *list)
{
    struct reader r = rd_init(list->spis);
    bool own_too = false;
    for (uint16_t i = 0; i < list->count && list->spi_size == 2 * COOKIE_SIZE; i++) {
        struct sa *sa = sa_named(own->peer, rd_view(&r, 2 * COOKIE_SIZE));
        if (sa == own)
            own_too = true;
        else if (sa)
            sa_down(ike, sa, CAUSE_PEER_CLOSED);
    }
    return own_too;
}

/* ---- notifications ---- */

static enum cause cause_of(uint16_t type)
{
    switch (type) {
    case NOTIFY_NO_PROPOSAL_CHOSEN:
    case NOTIFY_INVALID_TRANSFORM:
    case NOTIFY_ATTRIBUTES_NOT_SUPPORTED:
        return CAUSE_ESP_NO_PROPOSAL;
    case NOTIFY_INVALID_ID_INFORMATION:
        return CAUSE_ESP_SELECTOR;
    default:
        return CAUSE_IKE_PROTOCOL;
    }
}

/* An authenticated error while our quick mode waits is about that quick mode. */
static void fail_quick(struct ike *ike, struct sa *sa, const struct notify *n)
{
    LIST_EACH_SAFE(l, &sa->quicks)
    {
        struct quick *q = container_of(l, struct quick, of_sa);
        if (!q->initiator || q->state != QUICK_QM2_WAIT)
            continue;
        if (n->type == NOTIFY_INVALID_ID_INFORMATION && quick_without_selectors(ike, q))
            return;
        quick_initiator_failed(ike, q, cause_of(n->type), notify_word(n->type));
        return;
    }
}

/* An initiator that refuses our signature has come up for us before it can say so. */
static bool is_refusal(const struct sa *sa, uint16_t type)
{
    return !sa->initiator && sa->suite.auth != IKE_AUTH_PSK && list_empty(&sa->quicks) &&
           (type == NOTIFY_AUTHENTICATION_FAILED || type == NOTIFY_INVALID_SIGNATURE ||
            type == NOTIFY_INVALID_CERTIFICATE || type == NOTIFY_INVALID_CERT_AUTHORITY);
}

static enum drop take_notify(struct ike *ike, struct sa *sa, struct view body, const struct path *path)
{
    struct notify n;
    const enum drop d = notify_parse(body, &n);
    if (d != DROP_NONE)
        return d;
    if (n.type == NOTIFY_R_U_THERE || n.type == NOTIFY_R_U_THERE_ACK)
        return dpd_input(ike, sa, &n, path);
    if (n.type == NOTIFY_INITIAL_CONTACT)
        peer_drop_older(ike, sa->peer, sa);
    else if (is_refusal(sa, n.type))
        sa_told(ike, sa, CAUSE_CERT_REFUSED, notify_word(n.type));
    else if (notify_is_error(n.type))
        fail_quick(ike, sa, &n);
    return DROP_NONE;
}

/* ---- the exchange ---- */

static enum drop act(struct ike *ike, struct sa *sa, const struct payloads *p, const struct path *path)
{
    enum drop result = DROP_NONE;
    bool own_too = false;
    for (size_t i = 0; i < p->n; i++) {
        struct delete_list list;
        enum drop d = DROP_NONE;
        if (p->at[i].type == PAYLOAD_NOTIFY)
            d = take_notify(ike, sa, p->at[i].body, path);
        else if (p->at[i].type == PAYLOAD_DELETE)
            d = delete_parse(p->at[i].body, &list);
        else
            continue;
        if (d != DROP_NONE)
            result = d;
        else if (p->at[i].type == PAYLOAD_DELETE && list.protocol == PROTO_ESP)
            delete_children(ike, sa->peer, &list);
        else if (p->at[i].type == PAYLOAD_DELETE && list.protocol == PROTO_ISAKMP)
            own_too |= delete_sas(ike, sa, &list);
    }
    /* Last, since the IKE SA and perhaps its peer are gone then. */
    if (own_too)
        sa_down(ike, sa, CAUSE_PEER_CLOSED);
    return result;
}

/* Instead of MM6: under our key the responder knows it, and refuses something else. What we cannot read it wrote under
 * another key. */
static enum drop instead_of_proof(struct ike *ike, struct sa *sa, const struct message *m)
{
    struct opened o;
    struct notify n;
    if (keys_exchange_iv(sa, m->header.message_id, o.iv) != ERR_OK || quick_open(sa, m, &o) != DROP_NONE ||
        !phase2_hash_ok(sa, &o.payloads, false, m->header.message_id, VIEW_NONE, VIEW_NONE)) {
        (void)hint_take(ike, sa, CAUSE_IKE_WRONG_PSK);
        return DROP_IKE_DECRYPT;
    }
    const enum drop d = notify_parse(payload_body(&o.payloads, PAYLOAD_NOTIFY), &n);
    if (d != DROP_NONE || !notify_is_error(n.type))
        return d != DROP_NONE ? d : DROP_IKE_STATE;
    sa_failed(ike, sa, CAUSE_IKE_IDENTITY, notify_word(n.type));
    return DROP_NONE;
}

enum drop info_input(struct ike *ike, struct sa *sa, const struct message *m)
{
    struct opened o;
    const bool waits = sa->state == SA_MM6_WAIT;
    if (waits && sa->suite.auth == IKE_AUTH_PSK)
        return instead_of_proof(ike, sa, m);
    if (sa->state != SA_UP && !waits)
        return DROP_IKE_STATE;
    enum drop d = quick_open_first(sa, m, &sa->seen_info, &o);
    if (d != DROP_NONE)
        return d;
    d = form_check(FORM_INFO, &o.payloads);
    if (d == DROP_NONE && waits)
        return signature_refused(ike, sa, &o.payloads);
    return d == DROP_NONE ? act(ike, sa, &o.payloads, m->path) : d;
}

enum drop info_plain(struct ike *ike, struct sa *sa, const struct message *m)
{
    struct payloads p;
    struct notify n;
    if (sa->state == SA_UP || !sa->initiator)
        return DROP_IKE_PLAIN;
    if (sa->probe_of)
        return probe_answered(ike, sa);
    enum drop d = payloads_parse(m->header.next, m->body, false, &p);
    if (d != DROP_NONE)
        return d;
    const struct payload *notify = payload_nth(&p, PAYLOAD_NOTIFY, 0);
    if (!notify)
        return DROP_IKE_PAYLOADS;
    d = notify_parse(notify->body, &n);
    if (d != DROP_NONE)
        return d;
    if (!notify_is_error(n.type))
        return DROP_IKE_PLAIN;
    return hint_notify(ike, sa, n.type);
}
