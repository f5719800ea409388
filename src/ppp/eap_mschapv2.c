/*
 * EAP MS-CHAPv2 (draft-kamath-pppext-eap-mschapv2): RFC 2759 in EAP's packets, with one thing more: the peer confirms
 * that it has seen the verdict, and EAP's own Success or Failure comes after that.
 *
 *     --> Challenge    <-- Response    --> Success Request    <-- Success Response    --> EAP-Success
 */
#include "ppp/ppp_internal.h"

#include <string.h>

enum opcode { OPCODE_CHALLENGE = 1, OPCODE_RESPONSE, OPCODE_SUCCESS, OPCODE_FAILURE };

#define HEADER      4 /* opcode, identifier, length */
#define MESSAGE_MAX 160

/* What follows the type. A peer's confirmation is the opcode alone. */
struct message {
    uint8_t opcode, id;
    struct view body;
};

static bool parse(struct view data, struct message *out)
{
    struct reader r = rd_init(data);
    out->opcode = rd_u8(&r);
    out->id = 0;
    out->body = VIEW_NONE;
    if (rd_done(&r))
        return true;
    out->id = rd_u8(&r);
    const uint16_t length = rd_u16(&r);
    if (length < HEADER)
        rd_fail(&r);
    out->body = rd_view(&r, length - HEADER);
    return rd_ok(&r);
}

static void write_header(struct writer *w, uint8_t opcode, uint8_t id, size_t body)
{
    wr_u8(w, opcode);
    wr_u8(w, id);
    wr_u16(w, (uint16_t)(HEADER + body));
}

static void write_value(struct writer *w, uint8_t opcode, uint8_t id, struct view value, const char *name)
{
    write_header(w, opcode, id, 1 + value.n + strlen(name));
    wr_u8(w, (uint8_t)value.n);
    wr_view(w, value);
    wr_view(w, view_str(name));
}

/* ---- server ---- */

static void send_verdict(struct ppp *ppp)
{
    const struct eap *eap = ppp->auth.eap;
    uint8_t text[MESSAGE_MAX], data[HEADER + MESSAGE_MAX];
    struct writer t = wr_init(text, sizeof text), w = wr_init(data, sizeof data);
    if (eap->accepted)
        mschapv2_success(ppp, &t);
    else
        mschapv2_failure(ppp, &t);
    write_header(&w, eap->accepted ? OPCODE_SUCCESS : OPCODE_FAILURE, eap->mschap_id, t.n);
    wr_view(&w, wr_written(&t));
    eap_request(ppp, EAP_MSCHAPV2, wr_written(&w));
}

static void ask(struct ppp *ppp)
{
    struct auth *a = &ppp->auth;
    if (a->eap->step == EAP_CONFIRM) {
        send_verdict(ppp);
        return;
    }
    uint8_t data[HEADER + 1 + CHALLENGE_SIZE + PPP_NAME_MAX];
    struct writer w = wr_init(data, sizeof data);
    random_fill(&ppp->env.random, a->challenge, sizeof a->challenge);
    a->eap->mschap_id = (uint8_t)(a->id + 1); /* that of the packet which carries it */
    write_value(&w, OPCODE_CHALLENGE, a->eap->mschap_id, VIEW(a->challenge), ppp->config->name);
    eap_request(ppp, EAP_MSCHAPV2, wr_written(&w));
}

static enum drop take_proof(struct ppp *ppp, const struct message *in)
{
    struct reader r = rd_init(in->body);
    struct reader value = rd_block8(&r);
    const struct view name = rd_rest(&r);
    if (!rd_ok(&r) || rd_left(&value) != MSCHAPV2_VALUE_SIZE)
        return DROP_PPP_MALFORMED;
    if (in->id != ppp->auth.eap->mschap_id)
        return DROP_PPP_ID;
    ppp->auth.eap->step = EAP_WITHIN;
    return auth_ask(ppp, name, rd_rest(&value));
}

static enum drop response(struct ppp *ppp, struct view data)
{
    const struct eap *eap = ppp->auth.eap;
    struct message in;
    if (!parse(data, &in))
        return DROP_PPP_MALFORMED;
    if (eap->step != EAP_CONFIRM)
        return in.opcode == OPCODE_RESPONSE ? take_proof(ppp, &in) : DROP_PPP_STATE;
    if (in.opcode != (eap->accepted ? OPCODE_SUCCESS : OPCODE_FAILURE))
        return DROP_PPP_STATE;
    auth_decide(ppp, eap->accepted, eap->cause);
    return DROP_NONE;
}

/* ---- client ---- */

static enum drop take_challenge(struct ppp *ppp, const struct message *in)
{
    struct auth *a = &ppp->auth;
    struct reader r = rd_init(in->body);
    struct reader value = rd_block8(&r);
    const struct view challenge = rd_rest(&value);
    if (!rd_ok(&r) || challenge.n != MSCHAP_CHALLENGE_SIZE)
        return DROP_PPP_MALFORMED;
    struct proof *proof = auth_proof(ppp);
    if (!proof)
        return DROP_NO_MEMORY;
    a->eap->done = false;
    memcpy(a->challenge, challenge.p, MSCHAP_CHALLENGE_SIZE);
    if (mschapv2_prove(ppp, proof) != ERR_OK) {
        auth_refused(ppp, CAUSE_AUTH_REFUSED); /* a password that cannot be hashed is a wrong one */
        return DROP_NONE;
    }
    uint8_t data[HEADER + 1 + MSCHAPV2_VALUE_SIZE + PPP_NAME_MAX];
    struct writer w = wr_init(data, sizeof data);
    write_value(&w, OPCODE_RESPONSE, in->id, view_of(proof->value, proof->value_len), ppp->config->user);
    eap_respond(ppp, EAP_MSCHAPV2, wr_written(&w));
    return DROP_NONE;
}

/* RFC 2759 5: a server that does not know the password either is an impostor. */
static enum drop take_success(struct ppp *ppp, const struct message *in)
{
    struct auth *a = &ppp->auth;
    static const uint8_t confirmation = OPCODE_SUCCESS;
    if (!a->proof)
        return DROP_PPP_STATE;
    if (!mschapv2_success_matches(a->proof, in->body)) {
        auth_refused(ppp, CAUSE_AUTH_REFUSED);
        return DROP_NONE;
    }
    a->eap->done = true;
    eap_respond(ppp, EAP_MSCHAPV2, view_of(&confirmation, 1));
    return DROP_NONE;
}

/* A new password or another try (RFC 2759 6) would need somebody to type it: we hang up, and may call again. */
static enum drop take_failure(struct ppp *ppp)
{
    static const uint8_t confirmation = OPCODE_FAILURE;
    if (!ppp->auth.proof)
        return DROP_PPP_STATE;
    eap_respond(ppp, EAP_MSCHAPV2, view_of(&confirmation, 1));
    auth_refused(ppp, CAUSE_AUTH_REFUSED);
    return DROP_NONE;
}

static enum drop request(struct ppp *ppp, struct view data)
{
    struct message in;
    if (!parse(data, &in))
        return DROP_PPP_MALFORMED;
    switch (in.opcode) {
    case OPCODE_CHALLENGE:
        return take_challenge(ppp, &in);
    case OPCODE_SUCCESS:
        return take_success(ppp, &in);
    case OPCODE_FAILURE:
        return take_failure(ppp);
    default:
        return DROP_PPP_MALFORMED;
    }
}

const struct eap_method eap_mschapv2 = {EAP_MSCHAPV2, ask, response, request};
