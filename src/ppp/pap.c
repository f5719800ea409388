/*
 * PAP (RFC 1334 2): name and password in clear, under the protection of IPsec. Never first choice; some routers know
 * nothing else.
 */
#include "ppp/ppp_internal.h"

enum pap_code { PAP_REQUEST = 1, PAP_ACK, PAP_NAK };

static enum drop take_request(struct ppp *ppp, const struct control *in)
{
    struct reader r = rd_init(in->body);
    struct reader user = rd_block8(&r);
    struct reader password = rd_block8(&r);
    if (!rd_ok(&r))
        return DROP_PPP_MALFORMED;
    struct auth *a = &ppp->auth;
    if (a->state == AUTH_JUDGING)
        return DROP_PPP_STATE;
    a->id = in->id; /* replies carry the identifier of the request they answer */
    if (a->state == AUTH_WAITING)
        return auth_ask(ppp, rd_rest(&user), rd_rest(&password));
    pap_verdict(ppp); /* RFC 1334 2.2.1: the same reply again */
    return DROP_NONE;
}

static enum drop take_reply(struct ppp *ppp, const struct control *in)
{
    struct auth *a = &ppp->auth;
    if (a->state != AUTH_JUDGING)
        return DROP_PPP_STATE;
    if (in->id != a->id)
        return DROP_PPP_ID;
    if (in->code == PAP_ACK)
        auth_accepted(ppp);
    else
        auth_refused(ppp, CAUSE_AUTH_REFUSED);
    return DROP_NONE;
}

enum drop pap_input(struct ppp *ppp, const struct control *in)
{
    switch (in->code) {
    case PAP_REQUEST:
        return ppp->config->server ? take_request(ppp, in) : DROP_PPP_STATE;
    case PAP_ACK:
    case PAP_NAK:
        return ppp->config->server ? DROP_PPP_STATE : take_reply(ppp, in);
    default:
        return DROP_PPP_MALFORMED;
    }
}

static void write_block8(struct writer *w, struct view v)
{
    wr_u8(w, (uint8_t)v.n);
    wr_view(w, v);
}

void pap_request(struct ppp *ppp)
{
    uint8_t body[2 + PPP_NAME_MAX + PPP_PASSWORD_MAX];
    struct writer w = wr_init(body, sizeof body);
    write_block8(&w, view_str(ppp->config->user));
    write_block8(&w, view_str(ppp->config->password));
    frame_send(ppp, PPP_PAP, PAP_REQUEST, ppp->auth.id, wr_written(&w));
    bytes_wipe(body, sizeof body);
}

void pap_verdict(struct ppp *ppp)
{
    uint8_t body[32];
    bool accepted = ppp->auth.state == AUTH_ACCEPTED;
    struct writer w = wr_init(body, sizeof body);
    write_block8(&w, view_str(accepted ? "Welcome" : "Login failed"));
    frame_send(ppp, PPP_PAP, accepted ? PAP_ACK : PAP_NAK, ppp->auth.id, wr_written(&w));
}
