/*
 * CHAP's packets (RFC 1994 4), for MD5 and for MS-CHAPv2 alike: Challenge, Response, Success, Failure. A Challenge or
 * Response that is sent again is the same, byte for byte, so that answers to either copy are good.
 */
#include "ppp/ppp_internal.h"

#include <string.h>

enum chap_code { CHAP_CHALLENGE = 1, CHAP_RESPONSE, CHAP_SUCCESS, CHAP_FAILURE };

#define CHAP_MESSAGE_MAX 160

static bool is_mschapv2(const struct ppp *ppp)
{
    return ppp->auth.method == PPP_AUTH_MSCHAPV2;
}

static void send_value(struct ppp *ppp, uint8_t code, struct view value, const char *name)
{
    uint8_t body[1 + PPP_PASSWORD_MAX + PPP_NAME_MAX];
    struct writer w = wr_init(body, sizeof body);
    wr_u8(&w, (uint8_t)value.n);
    wr_view(&w, value);
    wr_view(&w, view_str(name));
    frame_send(ppp, PPP_CHAP, code, ppp->auth.id, wr_written(&w));
}

/* ---- server ---- */

void chap_challenge(struct ppp *ppp)
{
    send_value(ppp, CHAP_CHALLENGE, VIEW(ppp->auth.challenge), ppp->config->name);
}

static enum drop take_response(struct ppp *ppp, const struct control *in)
{
    struct auth *a = &ppp->auth;
    struct reader r = rd_init(in->body);
    struct reader value = rd_block8(&r);
    struct view name = rd_rest(&r);
    if (!rd_ok(&r) || rd_left(&value) != (is_mschapv2(ppp) ? MSCHAPV2_VALUE_SIZE : CHAP_MD5_SIZE))
        return DROP_PPP_MALFORMED;
    if (in->id != a->id)
        return DROP_PPP_ID;
    if (a->state == AUTH_JUDGING)
        return DROP_PPP_STATE;
    if (a->state == AUTH_WAITING)
        return auth_ask(ppp, name, rd_rest(&value));
    chap_verdict(ppp); /* RFC 1994 4.2: our first one was lost */
    return DROP_NONE;
}

void chap_verdict(struct ppp *ppp)
{
    uint8_t body[CHAP_MESSAGE_MAX];
    struct writer w = wr_init(body, sizeof body);
    bool accepted = ppp->auth.state == AUTH_ACCEPTED;
    if (!is_mschapv2(ppp))
        wr_view(&w, view_str(accepted ? "Welcome" : "Login failed"));
    else if (accepted)
        mschapv2_success(ppp, &w);
    else
        mschapv2_failure(ppp, &w);
    frame_send(ppp, PPP_CHAP, accepted ? CHAP_SUCCESS : CHAP_FAILURE, ppp->auth.id, wr_written(&w));
}

/* ---- client ---- */

void chap_respond(struct ppp *ppp)
{
    const struct proof *proof = ppp->auth.proof;
    send_value(ppp, CHAP_RESPONSE, view_of(proof->value, proof->value_len), ppp->config->user);
}

static enum err prove(struct ppp *ppp, struct view challenge, struct proof *proof)
{
    if (is_mschapv2(ppp)) {
        memcpy(ppp->auth.challenge, challenge.p, MSCHAP_CHALLENGE_SIZE);
        return mschapv2_prove(ppp, proof);
    }
    proof->value_len = CHAP_MD5_SIZE;
    return chap_md5_response(ppp->auth.id, view_str(ppp->config->password), challenge, proof->value);
}

/* A Challenge that was sent twice: a second MS-CHAPv2 Response to it would hold another peer challenge, and the
 * server's Success could no longer be told from a forgery. */
static bool is_repeated_challenge(const struct ppp *ppp, uint8_t id, struct view challenge)
{
    const struct auth *a = &ppp->auth;
    return a->state == AUTH_JUDGING && id == a->id && is_mschapv2(ppp) &&
           bytes_equal_ct(challenge.p, a->challenge, MSCHAP_CHALLENGE_SIZE);
}

static enum drop take_challenge(struct ppp *ppp, const struct control *in)
{
    struct auth *a = &ppp->auth;
    struct reader r = rd_init(in->body);
    struct reader value = rd_block8(&r);
    struct view challenge = rd_rest(&value);
    if (!rd_ok(&r) || challenge.n == 0 || (is_mschapv2(ppp) && challenge.n != MSCHAP_CHALLENGE_SIZE))
        return DROP_PPP_MALFORMED;
    if (a->state == AUTH_REFUSED)
        return DROP_PPP_STATE;
    if (a->state == AUTH_ACCEPTED && in->id == a->id)
        return DROP_PPP_ID; /* a late copy: a new challenge has a new identifier (RFC 1994 4.1) */
    if (is_repeated_challenge(ppp, in->id, challenge)) {
        chap_respond(ppp);
        return DROP_NONE;
    }
    struct proof *proof = auth_proof(ppp);
    if (!proof)
        return DROP_NO_MEMORY;
    a->id = in->id;
    if (prove(ppp, challenge, proof) != ERR_OK) {
        auth_refused(ppp, CAUSE_AUTH_REFUSED); /* a password that cannot be hashed is a wrong one */
        return DROP_NONE;
    }
    a->state = AUTH_JUDGING;
    chap_respond(ppp);
    auth_arm_resend(ppp);
    return DROP_NONE;
}

static enum drop take_verdict(struct ppp *ppp, const struct control *in)
{
    struct auth *a = &ppp->auth;
    if (a->state != AUTH_JUDGING)
        return DROP_PPP_STATE;
    if (in->id != a->id)
        return DROP_PPP_ID;
    bool accepted = in->code == CHAP_SUCCESS;
    /* RFC 2759 5: a server that does not know the password either is an impostor. */
    if (accepted && is_mschapv2(ppp))
        accepted = mschapv2_success_matches(a->proof, in->body);
    if (accepted)
        auth_accepted(ppp);
    else
        auth_refused(ppp, in->code == CHAP_FAILURE && is_mschapv2(ppp) ? mschapv2_failure_cause(in->body)
                                                                       : CAUSE_AUTH_REFUSED);
    return DROP_NONE;
}

enum drop chap_input(struct ppp *ppp, const struct control *in)
{
    bool server = ppp->config->server;
    switch (in->code) {
    case CHAP_CHALLENGE:
        return server ? DROP_PPP_STATE : take_challenge(ppp, in);
    case CHAP_RESPONSE:
        return server ? take_response(ppp, in) : DROP_PPP_STATE;
    case CHAP_SUCCESS:
    case CHAP_FAILURE:
        return server ? DROP_PPP_STATE : take_verdict(ppp, in);
    default:
        return DROP_PPP_MALFORMED;
    }
}
