/* EAP's MD5-Challenge (RFC 3748 5.4): CHAP's values (RFC 1994) in EAP's packets. The server proves nothing. */
#include "ppp/ppp_internal.h"

static void send_value(struct ppp *ppp, struct view value, const char *name)
{
    uint8_t data[1 + CHALLENGE_SIZE + PPP_NAME_MAX];
    struct writer w = wr_init(data, sizeof data);
    wr_u8(&w, (uint8_t)value.n);
    wr_view(&w, value);
    wr_view(&w, view_str(name));
    if (ppp->config->server)
        eap_request(ppp, EAP_MD5, wr_written(&w));
    else
        eap_respond(ppp, EAP_MD5, wr_written(&w));
}

static void ask(struct ppp *ppp)
{
    struct auth *a = &ppp->auth;
    random_fill(&ppp->env.random, a->challenge, sizeof a->challenge);
    send_value(ppp, VIEW(a->challenge), ppp->config->name);
}

/* The name beside the value is the user's, where there is one. */
static enum drop response(struct ppp *ppp, struct view data)
{
    struct reader r = rd_init(data);
    struct reader value = rd_block8(&r);
    struct view name = rd_rest(&r);
    if (!rd_ok(&r) || rd_left(&value) != CHAP_MD5_SIZE)
        return DROP_PPP_MALFORMED;
    return auth_ask(ppp, name.n > 0 ? name : view_str(ppp->auth.eap->identity), rd_rest(&value));
}

static enum drop request(struct ppp *ppp, struct view data)
{
    struct reader r = rd_init(data);
    struct reader value = rd_block8(&r);
    const struct view challenge = rd_rest(&value);
    uint8_t proof[CHAP_MD5_SIZE];
    if (!rd_ok(&r) || challenge.n == 0)
        return DROP_PPP_MALFORMED;
    if (chap_md5_response(ppp->auth.eap->request_id, view_str(ppp->config->password), challenge, proof) != ERR_OK) {
        auth_refused(ppp, CAUSE_AUTH_REFUSED);
        return DROP_NONE;
    }
    ppp->auth.eap->done = true;
    send_value(ppp, VIEW(proof), ppp->config->user);
    return DROP_NONE;
}

const struct eap_method eap_md5 = {EAP_MD5, ask, response, request};
