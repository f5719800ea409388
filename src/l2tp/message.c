/* A control message's AVPs, read into struct message. What an AVP means for a tunnel or session is judged there. */
#include "l2tp/l2tp_internal.h"

static void refuse(struct message *m, const struct avp_raw *a)
{
    if (!a->mandatory || m->refused)
        return;
    m->refused = true;
    m->refused_vendor = a->vendor;
    m->refused_attribute = a->attribute;
}

/* RFC 2661 4.4.2. RouterOS and Android send the result alone; Apple sends it in host order with six stray bytes
 * behind: no result has a zero low byte, so that form can be told. */
static void read_result(struct message *m, struct view value)
{
    struct reader r = rd_init(value);
    const uint16_t result = rd_u16(&r);
    if (result != 0 && (result & 0xff) == 0) {
        m->result = result >> 8;
        return;
    }
    m->result = result;
    if (rd_left(&r) < 2)
        return;
    m->error = rd_u16(&r);
    m->text = rd_rest(&r);
}

static void read_value(struct message *m, uint16_t attribute, struct view value)
{
    struct reader r = rd_init(value);
    switch (attribute) {
    case AVP_RESULT_CODE:
        read_result(m, value);
        break;
    case AVP_PROTOCOL_VERSION:
        m->version = rd_u16(&r);
        break;
    case AVP_TIE_BREAKER:
        m->tie_breaker = rd_u64(&r);
        break;
    case AVP_HOST_NAME:
        m->host = value;
        break;
    case AVP_VENDOR_NAME:
        m->vendor = value;
        break;
    case AVP_CALLING_NUMBER:
        m->calling = value;
        break;
    case AVP_TUNNEL_ID:
        m->tunnel_id = rd_u16(&r);
        break;
    case AVP_RECEIVE_WINDOW:
        m->window = rd_u16(&r);
        break;
    case AVP_CHALLENGE:
        m->challenge = value;
        break;
    case AVP_CHALLENGE_RESPONSE:
        m->response = value;
        break;
    case AVP_SESSION_ID:
        m->session_id = rd_u16(&r);
        break;
    default: /* known, of no use to us */
        break;
    }
}

/* Turns a hidden AVP into a plain one. ERR_UNSUPPORTED: it cannot be read, and counts as unknown (RFC 2661 4.3). */
static enum err reveal(struct avp_raw *a, struct view secret, struct view vector, struct scratch *s)
{
    if (secret.n == 0 || vector.n == 0)
        return ERR_UNSUPPORTED;
    if (a->value.n > sizeof(s->bytes) - s->n)
        return ERR_LIMIT;
    size_t n = 0;
    const enum err e = l2tp_hidden_reveal(secret, vector, a->attribute, a->value, s->bytes + s->n, &n);
    if (e != ERR_OK)
        return e;
    a->value = view_of(s->bytes + s->n, n);
    s->n += n;
    return ERR_OK;
}

static bool recognised(const struct avp_raw *a, const struct avp_rule *rule)
{
    if (a->reserved || a->vendor != 0 || !rule)
        return false;
    return !a->hidden || rule->hide;
}

/* The first AVP names the message, in the plain (RFC 2661 4.4.1). */
static enum drop read_type(struct reader *r, struct message *m)
{
    struct avp_raw a;
    l2tp_avp_next(r, &a);
    if (!rd_ok(r) || a.vendor != 0 || a.attribute != AVP_MESSAGE_TYPE || a.hidden || a.reserved || a.value.n != 2)
        return DROP_L2TP_AVP;
    struct reader value = rd_init(a.value);
    m->type = rd_u16(&value);
    m->type_mandatory = a.mandatory;
    m->known = l2tp_message_rule(m->type) != NULL;
    return m->type == MSG_NONE ? DROP_L2TP_AVP : DROP_NONE;
}

/* One AVP after the first. vector is the latest Random Vector, which unlocks the hidden AVPs behind it. */
static enum drop read_avp(struct message *m, struct avp_raw *a, struct view secret, struct view *vector,
                          struct scratch *scratch)
{
    const struct avp_rule *rule = a->vendor == 0 ? l2tp_avp_rule(a->attribute) : NULL;
    if (!recognised(a, rule)) {
        refuse(m, a);
        return DROP_NONE;
    }
    if (a->hidden) {
        const enum err e = reveal(a, secret, *vector, scratch);
        if (e == ERR_UNSUPPORTED) {
            refuse(m, a);
            return DROP_NONE;
        }
        if (e != ERR_OK)
            return DROP_L2TP_AVP;
    }
    if (a->attribute == AVP_RANDOM_VECTOR)
        *vector = a->value;
    const bool fits = a->value.n >= rule->min && a->value.n <= rule->max;
    const bool placed = m->known && (rule->messages & UINT32_C(1) << m->type);
    /* A result of wrong size must not hinder a peer from leaving. */
    if (!fits && a->mandatory && placed && a->attribute != AVP_RESULT_CODE)
        return DROP_L2TP_AVP;
    const uint64_t bit = UINT64_C(1) << a->attribute;
    if (!fits || !placed || (m->has & bit))
        return DROP_NONE;
    m->has |= bit;
    read_value(m, a->attribute, a->value);
    return DROP_NONE;
}

enum drop l2tp_message_parse(struct view body, struct view secret, struct scratch *scratch, struct message *out)
{
    struct reader r = rd_init(body);
    struct message m = {0};
    struct view vector = VIEW_NONE;
    scratch->n = 0;
    enum drop verdict = read_type(&r, &m);
    while (verdict == DROP_NONE && rd_left(&r) > 0) {
        struct avp_raw a;
        l2tp_avp_next(&r, &a);
        verdict = rd_ok(&r) ? read_avp(&m, &a, secret, &vector, scratch) : DROP_L2TP_AVP;
    }
    if (verdict != DROP_NONE)
        return verdict;
    const struct message_rule *rule = l2tp_message_rule(m.type);
    if (rule && (m.has & rule->required) != rule->required && !m.refused)
        return DROP_L2TP_MISSING;
    /* RFC 2661 4.4.3: an assigned id is never 0. */
    if ((m.type == MSG_SCCRQ || m.type == MSG_SCCRP) && m.tunnel_id == 0 && !m.refused)
        return DROP_L2TP_AVP;
    if (rule && (rule->required & HAS(SESSION_ID)) && m.session_id == 0 && !m.refused)
        return DROP_L2TP_AVP;
    *out = m;
    return DROP_NONE;
}
