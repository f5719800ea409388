/*
 * EAP over PPP (RFC 3748): the packets, and the client, called peer there. It answers what it is asked, and sends an
 * answer again when the question comes again; nothing here runs on a timer of its own.
 */
#include "ppp/ppp_internal.h"

#include <stdlib.h>
#include <string.h>

enum eap_code { EAP_REQUEST = 1, EAP_RESPONSE, EAP_SUCCESS, EAP_FAILURE };

const struct eap_method *eap_method(enum ppp_auth method)
{
    static const struct eap_method *const methods[] = {
        [PPP_AUTH_EAP_MSCHAPV2] = &eap_mschapv2,
        [PPP_AUTH_EAP_MD5] = &eap_md5,
        [PPP_AUTH_EAP_GTC] = &eap_gtc,
        [PPP_AUTH_EAP_TLS] = &eap_tls,
    };
    return methods[method];
}

struct eap *eap_new(void)
{
    return calloc(1, sizeof(struct eap));
}

void eap_free(struct eap *eap)
{
    if (!eap)
        return;
    tls_free(eap->tls);
    bytes_wipe(eap, sizeof *eap); /* what was typed, and proofs */
    free(eap);
}

void eap_send(struct ppp *ppp, uint8_t id, uint8_t type, struct view data)
{
    struct eap *eap = ppp->auth.eap;
    struct writer w = wr_init(eap->sent, sizeof eap->sent);
    wr_u8(&w, type);
    wr_view(&w, data);
    if (!wr_ok(&w))
        return; /* every method keeps to EAP_DATA_MAX */
    eap->sent_id = id;
    eap->sent_len = (uint16_t)w.n;
    eap_resend(ppp);
}

void eap_resend(struct ppp *ppp)
{
    const struct eap *eap = ppp->auth.eap;
    if (eap && eap->sent_len > 0)
        frame_send(ppp, PPP_EAP, ppp->config->server ? EAP_REQUEST : EAP_RESPONSE, eap->sent_id,
                   view_of(eap->sent, eap->sent_len));
}

void eap_verdict(struct ppp *ppp)
{
    frame_send(ppp, PPP_EAP, ppp->auth.state == AUTH_ACCEPTED ? EAP_SUCCESS : EAP_FAILURE, ppp->auth.id, VIEW_NONE);
}

/* ---- client ---- */

void eap_respond(struct ppp *ppp, uint8_t type, struct view data)
{
    eap_send(ppp, ppp->auth.eap->request_id, type, data);
}

bool eap_is_done(const struct ppp *ppp)
{
    return !ppp->config->server && ppp->phase == PHASE_AUTHENTICATE && ppp->auth.eap && ppp->auth.eap->done;
}

void eap_answer(struct ppp *ppp, struct view text)
{
    struct eap *eap = ppp->auth.eap;
    if (!eap || !eap->prompting)
        return;
    eap->prompting = false;
    eap->done = true;
    auth_wait_for_server(ppp);
    eap_respond(ppp, EAP_GTC, view_of(text.p, text.n < EAP_DATA_MAX ? text.n : EAP_DATA_MAX));
}

static enum ppp_auth method_of_type(const struct ppp *ppp, uint8_t type)
{
    enum ppp_auth method;
    for (size_t i = 0; (method = auth_method_at(ppp->config, i)) != PPP_AUTH_NONE; i++)
        if (auth_is_eap(method) && eap_method(method)->type == type)
            break;
    return method;
}

/* RFC 3748 5.3.1: the methods that we would take, best first. */
static void say_nak(struct ppp *ppp)
{
    uint8_t types[PPP_AUTH_METHODS];
    struct writer w = wr_init(types, sizeof types);
    enum ppp_auth method;
    for (size_t i = 0; (method = auth_method_at(ppp->config, i)) != PPP_AUTH_NONE; i++)
        if (auth_is_eap(method))
            wr_u8(&w, eap_method(method)->type);
    eap_respond(ppp, EAP_NAK, wr_written(&w));
}

static enum drop take_method(struct ppp *ppp, uint8_t type, struct view data)
{
    struct auth *a = &ppp->auth;
    const enum ppp_auth method = method_of_type(ppp, type);
    if (a->eap->step == EAP_WITHIN && (method == PPP_AUTH_NONE || method != (enum ppp_auth)a->method))
        return DROP_PPP_STATE; /* RFC 3748 2.1: one method, to its end */
    if (method == PPP_AUTH_NONE) {
        say_nak(ppp);
        return DROP_NONE;
    }
    a->method = (uint8_t)method;
    a->eap->step = EAP_WITHIN;
    return eap_method(method)->request(ppp, data);
}

/* A server may begin with the method; one that has let us in asks again who we are before all else. */
static enum drop begin(struct auth *a, uint8_t type)
{
    if (a->state == AUTH_ACCEPTED && type != EAP_IDENTITY)
        return DROP_PPP_STATE;
    return (a->eap = eap_new()) ? DROP_NONE : DROP_NO_MEMORY;
}

static enum drop take_request(struct ppp *ppp, const struct control *in)
{
    struct auth *a = &ppp->auth;
    struct reader r = rd_init(in->body);
    const uint8_t type = rd_u8(&r);
    const struct view data = rd_rest(&r);
    if (!rd_ok(&r) || type == EAP_NAK)
        return DROP_PPP_MALFORMED;
    if (a->state == AUTH_REFUSED)
        return DROP_PPP_STATE;
    if (a->eap && a->eap->sent_len > 0 && in->id == a->eap->sent_id) {
        eap_resend(ppp); /* RFC 3748 4.1: a duplicate, as ours was lost */
        return DROP_NONE;
    }
    if (a->eap && a->eap->prompting && in->id == a->eap->request_id)
        return DROP_NONE; /* patience */
    if (!a->eap) {
        const enum drop verdict = begin(a, type);
        if (verdict != DROP_NONE)
            return verdict;
    }
    a->eap->request_id = in->id;
    switch (type) {
    case EAP_IDENTITY:
        eap_respond(ppp, EAP_IDENTITY, view_str(ppp->config->user));
        return DROP_NONE;
    case EAP_NOTIFICATION:
        eap_respond(ppp, EAP_NOTIFICATION, VIEW_NONE);
        return DROP_NONE;
    default:
        return take_method(ppp, type, data);
    }
}

/* The verdict bears the identifier of our last Response (RFC 3748 4.2); some servers count on by one. */
static bool answers_ours(const struct eap *eap, uint8_t id)
{
    return eap->sent_len > 0 && (id == eap->sent_id || id == (uint8_t)(eap->sent_id + 1));
}

static enum drop take_verdict(struct ppp *ppp, const struct control *in)
{
    const struct eap *eap = ppp->auth.eap;
    if (!eap)
        return DROP_PPP_STATE;
    if (!answers_ours(eap, in->id))
        return DROP_PPP_ID;
    if (in->code == EAP_FAILURE) {
        const bool naked = eap->step != EAP_WITHIN && eap->sent[0] == EAP_NAK;
        auth_refused(ppp, naked ? CAUSE_AUTH_METHOD : CAUSE_AUTH_REFUSED);
        return DROP_NONE;
    }
    if (!eap->done)
        return DROP_PPP_STATE; /* a server that has proved nothing, or has not asked us for it */
    auth_accepted(ppp);
    return DROP_NONE;
}

enum drop eap_input(struct ppp *ppp, const struct control *in)
{
    const bool server = ppp->config->server;
    switch (in->code) {
    case EAP_REQUEST:
        return server ? DROP_PPP_STATE : take_request(ppp, in);
    case EAP_RESPONSE:
        return server ? eap_take_response(ppp, in) : DROP_PPP_STATE;
    case EAP_SUCCESS:
    case EAP_FAILURE:
        return server ? DROP_PPP_STATE : take_verdict(ppp, in);
    default:
        return DROP_PPP_MALFORMED;
    }
}
