/*
 * EAP-TLS (RFC 5216; RFC 9190 for TLS 1.3): both sides prove themselves with certificates. TLS's messages are cut into
 * fragments, each of which is acknowledged by an empty packet before the next is sent.
 */
#include "ppp/ppp_internal.h"

#define FLAG_LENGTH 0x80 /* four bytes with the length of all fragments follow */
#define FLAG_MORE   0x40
#define FLAG_START  0x20

struct message {
    bool start, more;
    struct view bytes;
};

static bool parse(struct view data, struct message *out)
{
    struct reader r = rd_init(data);
    const uint8_t flags = rd_u8(&r);
    const uint32_t length = flags & FLAG_LENGTH ? rd_u32(&r) : 0;
    out->start = flags & FLAG_START;
    out->more = flags & FLAG_MORE;
    out->bytes = rd_rest(&r);
    return rd_ok(&r) && length <= TLS_FLIGHT_MAX;
}

static void send_data(struct ppp *ppp, struct view data)
{
    if (ppp->config->server)
        eap_request(ppp, EAP_TLS, data);
    else
        eap_respond(ppp, EAP_TLS, data);
}

static void send_empty(struct ppp *ppp, uint8_t flags)
{
    send_data(ppp, view_of(&flags, 1));
}

/* The next fragment; the length goes with the first of several (RFC 5216 2.1.5). */
static void send_fragment(struct ppp *ppp, bool first)
{
    struct tls *tls = ppp->auth.eap->tls;
    const size_t left = tls_pending(tls);
    const bool more = left > EAP_FRAGMENT;
    uint8_t data[1 + 4 + EAP_FRAGMENT];
    struct writer w = wr_init(data, sizeof data);
    wr_u8(&w, (uint8_t)((first && more ? FLAG_LENGTH : 0) | (more ? FLAG_MORE : 0)));
    if (first && more)
        wr_u32(&w, (uint32_t)left);
    const size_t n = more ? EAP_FRAGMENT : left;
    uint8_t *room = wr_reserve(&w, n);
    if (room && tls_give(tls, room, n) == n)
        send_data(ppp, wr_written(&w));
}

static struct tls *start(struct ppp *ppp)
{
    struct eap *eap = ppp->auth.eap;
    tls_free(eap->tls);
    eap->done = false;
    return eap->tls = tls_new(ppp->config->tls);
}

/* ---- server ---- */

static void ask(struct ppp *ppp)
{
    if (!start(ppp)) {
        auth_decide(ppp, false, CAUSE_NO_MEMORY);
        return;
    }
    send_empty(ppp, FLAG_START);
}

/* TLS is through, and the peer has seen it. The certificate says who it is; the caller, whether that one may come in.
 */
static enum drop conclude(struct ppp *ppp)
{
    const struct eap *eap = ppp->auth.eap;
    if (tls_advance(eap->tls) != TLS_FINISHED || !tls_peer_is(eap->tls, eap->identity)) {
        auth_decide(ppp, false, CAUSE_AUTH_CERTIFICATE);
        return DROP_NONE;
    }
    return auth_ask(ppp, view_str(eap->identity), VIEW_NONE);
}

static enum drop response(struct ppp *ppp, struct view data)
{
    struct eap *eap = ppp->auth.eap;
    struct message in;
    if (!parse(data, &in) || in.start)
        return DROP_PPP_MALFORMED;
    if (tls_pending(eap->tls) > 0) { /* fragments of ours are waiting for this */
        if (in.bytes.n > 0)
            return DROP_PPP_MALFORMED;
        send_fragment(ppp, false);
        return DROP_NONE;
    }
    if (in.bytes.n == 0)
        return conclude(ppp);
    eap->step = EAP_WITHIN;
    if (!tls_take(eap->tls, in.bytes)) {
        auth_decide(ppp, false, CAUSE_AUTH_CERTIFICATE);
        return DROP_NONE;
    }
    if (in.more) {
        send_empty(ppp, 0);
        return DROP_NONE;
    }
    if (tls_advance(eap->tls) == TLS_FAILED)
        link_blame(ppp, CAUSE_AUTH_CERTIFICATE); /* the peer may hang up before it can be told */
    if (tls_pending(eap->tls) == 0)
        return conclude(ppp);
    send_fragment(ppp, true); /* an alert too, so that the peer can say what was wrong */
    return DROP_NONE;
}

/* ---- client ---- */

static void advance(struct ppp *ppp)
{
    struct eap *eap = ppp->auth.eap;
    const enum tls_state state = tls_advance(eap->tls);
    if (tls_pending(eap->tls) > 0)
        send_fragment(ppp, true);
    else if (state != TLS_FAILED)
        send_empty(ppp, 0);
    eap->done = state == TLS_FINISHED;
    if (state == TLS_FAILED)
        auth_refused(ppp, tls_blames_peer(eap->tls) ? CAUSE_AUTH_SERVER_CERTIFICATE : CAUSE_AUTH_CERTIFICATE);
}

static enum drop request(struct ppp *ppp, struct view data)
{
    struct eap *eap = ppp->auth.eap;
    struct message in;
    if (!parse(data, &in) || (!in.start && !eap->tls))
        return DROP_PPP_MALFORMED;
    if (in.start) {
        if (!start(ppp))
            return DROP_NO_MEMORY;
        advance(ppp);
        return DROP_NONE;
    }
    if (tls_pending(eap->tls) > 0) { /* fragments of ours are waiting for this */
        if (in.bytes.n > 0)
            return DROP_PPP_MALFORMED;
        send_fragment(ppp, false);
        return DROP_NONE;
    }
    if (!tls_take(eap->tls, in.bytes)) {
        auth_refused(ppp, CAUSE_AUTH_SERVER_CERTIFICATE);
        return DROP_NONE;
    }
    if (in.more)
        send_empty(ppp, 0);
    else
        advance(ppp);
    return DROP_NONE;
}

const struct eap_method eap_tls = {EAP_TLS, ask, response, request};
