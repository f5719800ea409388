/*
 * EAP's server, called authenticator there (RFC 3748): asks for the name, then for one method after the other until the
 * peer does not Nak. A Request is repeated until it is answered, byte for byte.
 */
#include "ppp/ppp_internal.h"

#include <string.h>

void eap_request(struct ppp *ppp, uint8_t type, struct view data)
{
    eap_send(ppp, ++ppp->auth.id, type, data);
    auth_arm_resend(ppp);
}

void eap_begin(struct ppp *ppp)
{
    struct auth *a = &ppp->auth;
    eap_free(a->eap);
    a->eap = eap_new();
    if (!a->eap) {
        link_close(ppp, CAUSE_NO_MEMORY);
        return;
    }
    eap_request(ppp, EAP_IDENTITY, VIEW_NONE);
}

/* The best method that has not been refused, and that the peer has said to want, where it has said so. */
static enum ppp_auth next_method(const struct ppp *ppp, const struct view *wanted)
{
    enum ppp_auth method;
    for (size_t i = 0; (method = auth_method_at(ppp->config, i)) != PPP_AUTH_NONE; i++) {
        if (!auth_is_eap(method) || (ppp->auth.eap->refused & 1u << method))
            continue;
        if (!wanted || (wanted->n > 0 && memchr(wanted->p, eap_method(method)->type, wanted->n)))
            break;
    }
    return method;
}

static void propose(struct ppp *ppp, const struct view *wanted)
{
    const enum ppp_auth method = next_method(ppp, wanted);
    if (method == PPP_AUTH_NONE) {
        if (!lcp_spend_auth(ppp)) /* a client that takes EAP and none of its methods may yet take something else */
            auth_decide(ppp, false, CAUSE_AUTH_METHOD);
        return;
    }
    ppp->auth.method = (uint8_t)method;
    ppp->auth.eap->step = EAP_PROPOSE;
    eap_method(method)->ask(ppp);
}

static enum drop take_identity(struct ppp *ppp, struct view name)
{
    struct eap *eap = ppp->auth.eap;
    if (name.n >= sizeof eap->identity || (name.n > 0 && memchr(name.p, '\0', name.n)))
        return DROP_PPP_MALFORMED;
    if (name.n > 0)
        memcpy(eap->identity, name.p, name.n);
    propose(ppp, NULL);
    return DROP_NONE;
}

static enum drop take_nak(struct ppp *ppp, struct view wanted)
{
    struct eap *eap = ppp->auth.eap;
    if (eap->step != EAP_PROPOSE)
        return DROP_PPP_STATE; /* RFC 3748 5.3.1: only the first Request of a method may be refused */
    eap->refused |= (uint8_t)(1u << ppp->auth.method);
    propose(ppp, &wanted);
    return DROP_NONE;
}

enum drop eap_take_response(struct ppp *ppp, const struct control *in)
{
    struct auth *a = &ppp->auth;
    struct reader r = rd_init(in->body);
    const uint8_t type = rd_u8(&r);
    const struct view data = rd_rest(&r);
    if (!rd_ok(&r))
        return DROP_PPP_MALFORMED;
    if (in->id != a->id)
        return DROP_PPP_ID;
    if (a->state == AUTH_JUDGING || (a->eap && a->eap->step == EAP_WORDING))
        return DROP_PPP_STATE;
    if (!a->eap) { /* decided: the verdict was lost */
        eap_verdict(ppp);
        return DROP_NONE;
    }
    if (a->eap->step == EAP_IDENTIFY)
        return type == EAP_IDENTITY ? take_identity(ppp, data) : DROP_PPP_STATE;
    if (type == EAP_NAK)
        return take_nak(ppp, data);
    if (type != eap_method(a->method)->type)
        return DROP_PPP_STATE;
    return eap_method(a->method)->response(ppp, data);
}

/* MS-CHAPv2 has a verdict of its own, which the peer has to confirm before ours. */
void eap_judged(struct ppp *ppp, const struct ppp_auth_answer *answer)
{
    struct auth *a = &ppp->auth;
    if (a->method == PPP_AUTH_EAP_GTC && !answer->accepted && answer->again && gtc_asks_again(ppp, answer->cause))
        return;
    if (a->method != PPP_AUTH_EAP_MSCHAPV2) {
        auth_decide(ppp, answer->accepted, answer->cause);
        return;
    }
    a->state = AUTH_WAITING;
    a->eap->step = EAP_CONFIRM;
    a->eap->accepted = answer->accepted;
    a->eap->cause = answer->cause;
    eap_mschapv2.ask(ppp);
}
