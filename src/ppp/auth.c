/*
 * The login, whatever its method: who waits for whom, for how long, and what a verdict brings about. PAP, CHAP and EAP
 * give and take the packets.
 *
 * The server asks its caller (PPP_EVENT_AUTH) and may wait long for the answer; the peer's repetitions change nothing
 * meanwhile, and afterwards they get the same verdict again, because the first one may have been lost.
 */
#include "ppp/ppp_internal.h"

#include <stdlib.h>
#include <string.h>

#define CHAP_ALGORITHM_MD5      5
#define CHAP_ALGORITHM_MSCHAPV2 0x81 /* RFC 2759 3 */

/* A refused peer gets this long to read why before LCP hangs up; Windows shows error 691 only then. */
#define REFUSAL_LINGER USEC_SEC

/* Where somebody has to read and type, a login may take this long, and is asked for this often (RFC 3748 4.3). */
#define HUMAN_TIME   (180 * USEC_SEC)
#define HUMAN_RESEND (15 * USEC_SEC)

static const struct auth_method methods[] = {
    [PPP_AUTH_NONE] = {0, 0, "no login"},
    [PPP_AUTH_MSCHAPV2] = {PPP_CHAP, CHAP_ALGORITHM_MSCHAPV2, "MS-CHAPv2"},
    [PPP_AUTH_CHAP_MD5] = {PPP_CHAP, CHAP_ALGORITHM_MD5, "CHAP-MD5"},
    [PPP_AUTH_PAP] = {PPP_PAP, 0, "PAP"},
    [PPP_AUTH_EAP_MSCHAPV2] = {PPP_EAP, 0, "EAP-MSCHAPv2"},
    [PPP_AUTH_EAP_MD5] = {PPP_EAP, 0, "EAP-MD5"},
    [PPP_AUTH_EAP_GTC] = {PPP_EAP, 0, "EAP-GTC"},
    [PPP_AUTH_EAP_TLS] = {PPP_EAP, 0, "EAP-TLS"},
};

const struct auth_method *auth_method(enum ppp_auth method)
{
    return &methods[method];
}

/* Without certificates EAP-TLS is passed over. */
enum ppp_auth auth_method_at(const struct ppp_config *config, size_t i)
{
    for (size_t j = 0; j < ARRAY_LEN(config->auth) && config->auth[j] != PPP_AUTH_NONE; j++)
        if ((config->auth[j] != PPP_AUTH_EAP_TLS || config->tls) && i-- == 0)
            return config->auth[j];
    return PPP_AUTH_NONE;
}

uint8_t auth_methods_like(enum ppp_auth method)
{
    uint8_t bits = 0;
    for (size_t m = 0; m < ARRAY_LEN(methods); m++)
        if (methods[m].protocol == methods[method].protocol && methods[m].algorithm == methods[method].algorithm)
            bits |= (uint8_t)(1u << m);
    return bits;
}

enum ppp_auth auth_method_of(const struct ppp_config *config, const struct option *o)
{
    struct reader r = rd_init(o->value);
    uint16_t protocol = rd_u16(&r);
    uint8_t algorithm = protocol == PPP_CHAP ? rd_u8(&r) : 0;
    if (!rd_done(&r))
        return PPP_AUTH_NONE;
    enum ppp_auth m;
    for (size_t i = 0; (m = auth_method_at(config, i)) != PPP_AUTH_NONE; i++)
        if (methods[m].protocol == protocol && methods[m].algorithm == algorithm)
            return m;
    return PPP_AUTH_NONE;
}

static void drop_proof(struct auth *a)
{
    if (a->proof)
        bytes_wipe(a->proof, sizeof *a->proof);
    free(a->proof);
    a->proof = NULL;
}

static void forget(struct auth *a)
{
    drop_proof(a);
    eap_free(a->eap);
    a->eap = NULL;
}

struct proof *auth_proof(struct ppp *ppp)
{
    drop_proof(&ppp->auth);
    return ppp->auth.proof = calloc(1, sizeof *ppp->auth.proof);
}

static usec_t auth_time(const struct ppp *ppp)
{
    return ppp->config->auth_timeout ? ppp->config->auth_timeout : AUTH_TIMEOUT_DEFAULT;
}

static usec_t resend_interval(const struct ppp *ppp)
{
    return ppp->auth.method == PPP_AUTH_EAP_GTC ? HUMAN_RESEND : config_restart(ppp);
}

void auth_arm_resend(struct ppp *ppp)
{
    ppp->auth.tries = config_max_configure(ppp);
    ppp->auth.resend_at = ppp->now + resend_interval(ppp);
}

void auth_wait_for_human(struct ppp *ppp)
{
    struct auth *a = &ppp->auth;
    if (a->deadline == USEC_NEVER)
        return;
    if (!ppp->config->server) {
        if (a->deadline < ppp->now + HUMAN_TIME)
            a->deadline = ppp->now + HUMAN_TIME;
    } else if (!a->patient) { /* asking again and again does not keep an unknown peer alive */
        a->patient = true;
        a->deadline += HUMAN_TIME;
    }
}

/* Client: the answer is out, and a server needs no longer than for any other login. */
void auth_wait_for_server(struct ppp *ppp)
{
    struct auth *a = &ppp->auth;
    if (a->deadline != USEC_NEVER)
        a->deadline = ppp->now + auth_time(ppp);
}

static void begin_as_server(struct ppp *ppp)
{
    struct auth *a = &ppp->auth;
    if (auth_is_eap(a->method)) {
        eap_begin(ppp);
        return;
    }
    a->id++;
    if (a->method == PPP_AUTH_PAP)
        return;
    random_fill(&ppp->env.random, a->challenge, sizeof a->challenge);
    chap_challenge(ppp);
    auth_arm_resend(ppp);
}

static void begin_as_client(struct ppp *ppp)
{
    struct auth *a = &ppp->auth;
    if (a->method == PPP_AUTH_NONE) {
        /* A server that asks for nothing proves nothing: whoever wants a login does not go on without one. */
        if (ppp->config->auth[0] != PPP_AUTH_NONE)
            link_close(ppp, CAUSE_AUTH_METHOD);
        else
            auth_accepted(ppp);
        return;
    }
    if (a->method == PPP_AUTH_PAP) {
        a->id++;
        a->state = AUTH_JUDGING;
        pap_request(ppp);
        auth_arm_resend(ppp);
    }
}

void auth_begin(struct ppp *ppp)
{
    struct auth *a = &ppp->auth;
    if (a->close_at != USEC_NEVER)
        return; /* refused already: negotiating LCP anew buys no second guess */
    a->method = ppp->config->server ? ppp->lcp.auth : ppp->lcp.peer_auth;
    a->state = AUTH_WAITING;
    if (a->deadline == USEC_NEVER)
        a->deadline = ppp->now + auth_time(ppp);
    if (ppp->config->server)
        begin_as_server(ppp);
    else
        begin_as_client(ppp);
}

/* The deadline stays: negotiating LCP again and again does not keep an unknown peer alive. */
void auth_stop(struct ppp *ppp)
{
    struct auth *a = &ppp->auth;
    a->state = AUTH_IDLE;
    a->method = PPP_AUTH_NONE;
    a->resend_at = USEC_NEVER;
    forget(a);
}

void auth_done(struct ppp *ppp)
{
    auth_stop(ppp);
    ppp->auth.deadline = ppp->auth.close_at = USEC_NEVER;
}

enum drop auth_input(struct ppp *ppp, uint16_t protocol, struct view packet)
{
    struct control in;
    if (!control_parse(packet, &in))
        return DROP_PPP_MALFORMED;
    if (ppp->auth.state == AUTH_IDLE || auth_method(ppp->auth.method)->protocol != protocol)
        return DROP_PPP_STATE;
    if (protocol == PPP_EAP)
        return eap_input(ppp, &in);
    return protocol == PPP_PAP ? pap_input(ppp, &in) : chap_input(ppp, &in);
}

/* ---- server ---- */

static void send_verdict(struct ppp *ppp)
{
    if (auth_is_eap(ppp->auth.method))
        eap_verdict(ppp);
    else if (ppp->auth.method == PPP_AUTH_PAP)
        pap_verdict(ppp);
    else
        chap_verdict(ppp);
}

void auth_decide(struct ppp *ppp, bool accepted, enum cause cause)
{
    struct auth *a = &ppp->auth;
    forget(a);
    a->resend_at = USEC_NEVER;
    a->state = accepted ? AUTH_ACCEPTED : AUTH_REFUSED;
    if (!accepted)
        link_blame(ppp, cause ? cause : CAUSE_AUTH_REFUSED);
    send_verdict(ppp);
    if (accepted) {
        a->deadline = USEC_NEVER;
        a->admitted = true;
        event_push(ppp, HAPPENED_AUTH);
        link_authenticated(ppp);
    } else {
        a->close_at = ppp->now + REFUSAL_LINGER;
    }
}

static bool is_known_user(const struct ppp *ppp, struct view user)
{
    return ppp->user && view_equal(view_str(ppp->user), user);
}

static bool set_user(struct ppp *ppp, struct view user)
{
    char *name = malloc(user.n + 1);
    if (!name)
        return false;
    if (user.n > 0)
        memcpy(name, user.p, user.n);
    name[user.n] = '\0';
    free(ppp->user);
    ppp->user = name;
    return true;
}

enum drop auth_ask(struct ppp *ppp, struct view user, struct view value)
{
    struct auth *a = &ppp->auth;
    if (user.n >= PPP_NAME_MAX || (user.n > 0 && memchr(user.p, '\0', user.n)) || value.n > PPP_PASSWORD_MAX)
        return DROP_PPP_MALFORMED;
    if (a->asked)
        return DROP_PPP_STATE; /* the answer to an older question is still to come; the peer will repeat itself */
    if (a->admitted && !is_known_user(ppp, user)) {
        auth_decide(ppp, false, CAUSE_AUTH_REFUSED);
        return DROP_NONE;
    }
    struct proof *proof = auth_proof(ppp);
    if (!proof || !set_user(ppp, user)) {
        drop_proof(a);
        return DROP_NO_MEMORY;
    }
    proof->user_len = (uint16_t)user.n;
    proof->value_len = (uint16_t)value.n;
    if (value.n > 0)
        memcpy(proof->value, value.p, value.n);
    a->state = AUTH_JUDGING;
    a->resend_at = USEC_NEVER;
    event_push(ppp, HAPPENED_QUESTION);
    return DROP_NONE;
}

void auth_question(struct ppp *ppp, struct ppp_auth_request *out)
{
    struct auth *a = &ppp->auth;
    struct reader r = rd_init(view_of(a->proof->value, a->proof->value_len));
    a->asked = true;
    out->method = a->method;
    out->id = a->id;
    memcpy(out->user, ppp->user, a->proof->user_len); /* shorter than the field, which is zero */
    switch (out->method) {
    case PPP_AUTH_PAP:
    case PPP_AUTH_EAP_GTC:
        out->password = rd_rest(&r);
        break;
    case PPP_AUTH_CHAP_MD5:
    case PPP_AUTH_EAP_MD5:
        out->challenge = VIEW(a->challenge);
        out->response = rd_rest(&r);
        break;
    case PPP_AUTH_MSCHAPV2:
    case PPP_AUTH_EAP_MSCHAPV2:
        out->challenge = VIEW(a->challenge);
        out->peer_challenge = rd_view(&r, MSCHAP_CHALLENGE_SIZE);
        rd_skip(&r, 8); /* reserved */
        out->response = rd_view(&r, MSCHAP_NT_RESPONSE);
        break;
    case PPP_AUTH_EAP_TLS:
    case PPP_AUTH_NONE:
        break;
    }
}

void auth_judged(struct ppp *ppp, const struct ppp_auth_answer *answer)
{
    struct auth *a = &ppp->auth;
    if (!a->asked)
        return;
    a->asked = false;
    if (a->state != AUTH_JUDGING)
        return; /* stale: LCP went down since, and auth_ask() asked nothing new before this answer */
    if (answer->accepted) {
        memcpy(a->authenticator_response, answer->authenticator_response, sizeof a->authenticator_response);
        ppp->ipcp.network = answer->network;
    }
    if (auth_is_eap(a->method))
        eap_judged(ppp, answer);
    else
        auth_decide(ppp, answer->accepted, answer->cause);
}

/* ---- client ---- */

void auth_accepted(struct ppp *ppp)
{
    struct auth *a = &ppp->auth;
    forget(a);
    a->state = AUTH_ACCEPTED;
    a->resend_at = a->deadline = USEC_NEVER;
    if (ppp->phase == PHASE_AUTHENTICATE) /* else a challenge in between, which changes nothing */
        event_push(ppp, HAPPENED_AUTH);
    link_authenticated(ppp);
}

void auth_refused(struct ppp *ppp, enum cause cause)
{
    ppp->auth.state = AUTH_REFUSED;
    link_close(ppp, cause);
}

/* ---- time ---- */

static void resend(struct ppp *ppp)
{
    struct auth *a = &ppp->auth;
    a->resend_at = USEC_NEVER;
    if (a->tries == 0) {
        link_close(ppp, CAUSE_AUTH_TIMEOUT);
        return;
    }
    a->tries--;
    a->resend_at = ppp->now + resend_interval(ppp);
    if (auth_is_eap(a->method))
        eap_resend(ppp);
    else if (ppp->config->server)
        chap_challenge(ppp);
    else if (a->method == PPP_AUTH_PAP)
        pap_request(ppp);
    else
        chap_respond(ppp);
}

void auth_timeout(struct ppp *ppp)
{
    struct auth *a = &ppp->auth;
    if (a->close_at <= ppp->now) {
        a->close_at = a->deadline = USEC_NEVER;
        link_close(ppp, CAUSE_AUTH_REFUSED);
    }
    if (a->deadline <= ppp->now) {
        const bool unanswered = a->eap && a->eap->prompting;
        a->deadline = USEC_NEVER;
        link_close(ppp, unanswered ? CAUSE_PROMPT_UNANSWERED : CAUSE_AUTH_TIMEOUT);
    }
    if (a->resend_at <= ppp->now)
        resend(ppp);
}

usec_t auth_deadline(const struct ppp *ppp)
{
    const struct auth *a = &ppp->auth;
    return usec_min(a->resend_at, usec_min(a->deadline, a->close_at));
}
